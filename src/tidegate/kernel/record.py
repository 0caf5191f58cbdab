# SPDX-License-Identifier: Apache-2.0
"""The base of every record: frozen, complete, refusing what it does not know."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen value. Unknown fields are errors; field documentation is the string under the field."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        populate_by_name=True,
        allow_inf_nan=False,
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Give a copy with other values; what was computed from the original, such as its digest, is left behind."""
        made = super().model_copy(update=update, deep=deep)
        for name in set(made.__dict__) - set(type(self).model_fields):
            del made.__dict__[name]
        return made
