# SPDX-License-Identifier: Apache-2.0
"""The safety case behind a decision: what cannot be read does not hold."""

import pytest

from factories import TODAY, a_model, a_policy, a_set
from tidegate.case.model import SafetyCase
from tidegate.govern.argument import case_faults, case_reviews
from tidegate.govern.basis import Basis
from tidegate.govern.decisions import SeenCase
from tidegate.govern.governance import governance
from tidegate.kernel.canonical import canonical_bytes, digest_bytes

READ = governance([], lambda _name: None)
BASIS = Basis(a_policy(), (a_model(),), a_set())


def faults_of(data: bytes | None) -> tuple[str, ...]:
    named = digest_bytes(data or b"")
    seen = SeenCase(case="c", root=named, document=named)
    return case_faults(BASIS, READ, lambda _name: data, TODAY)(seen)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "is not kept with the log"),
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"schema": "tidegate/case/v1"}', "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
    ],
    ids=["gone", "no JSON", "no case", "not whole", "nested too deeply"],
)
def test_a_case_that_cannot_be_read_stands_in_the_way(data: bytes | None, words: str) -> None:
    (found,) = faults_of(data)
    assert words in found


def test_a_case_in_another_form_than_was_signed_stands_in_the_way() -> None:
    case = SafetyCase(id="c", title="A case", model="m", author="ada", nodes=())
    data = canonical_bytes(case)
    assert "canonical" not in " ".join(faults_of(data))
    assert faults_of(data) != (), "it has no claim"
    (found,) = faults_of(data + b"\n")
    assert "not in canonical form" in found


def test_a_case_that_the_log_does_not_know_has_no_reviews() -> None:
    assert case_reviews(READ, "c") == ()
