# SPDX-License-Identifier: Apache-2.0
"""The base of every record: frozen, complete, refusing what it does not know."""

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
