# SPDX-License-Identifier: Apache-2.0
"""Records: a copy is a value of its own."""

from functools import cached_property

from tidegate.kernel.canonical import digest
from tidegate.kernel.record import Record


class Thing(Record):
    value: int = 0

    @cached_property
    def digest(self) -> str:
        return digest(self)


def test_a_copy_computes_its_own_digest() -> None:
    one = Thing(value=1)
    before = one.digest
    other = one.model_copy(update={"value": 2})
    assert other.digest == Thing(value=2).digest != before
    assert one.model_copy().digest == before == one.digest
