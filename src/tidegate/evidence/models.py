# SPDX-License-Identifier: Apache-2.0
"""Models: what is assessed. Snapshots carry their effective compute, so that evidence can go stale."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tidegate.evidence.model import Bound
from tidegate.kernel.duration import PartialDate
from tidegate.kernel.record import Record
from tidegate.policy.model import Action


class Snapshot(Record):
    """One set of weights."""

    id: str
    """Snapshot id."""
    created: PartialDate | None = None
    """When it was made."""
    effective_compute: Annotated[float, Field(gt=0)] | None = None
    """Effective compute, in any unit that the project uses throughout."""
    equivalent_to: tuple[str, ...] = ()
    """Snapshots whose evidence also speaks for this one, as the organisation declares."""


class Deployment(Record):
    """A way in which the model is used."""

    action: Action
    """Kind of use."""
    since: date | None = None
    """First day."""
    until: date | None = None
    """Last day."""
    note: str | None = None
    """Anything else."""


class Model(Record):
    """A model that the gate answers for."""

    schema_: Literal["tidegate/model/v1"] = Field(alias="schema", default="tidegate/model/v1")
    """Names this format."""
    id: str
    """Id; evidence refers to it."""
    name: str | None = None
    """Name to show."""
    developer: str | None = None
    """Who made it."""
    aliases: tuple[str, ...] = ()
    """Names under which evaluation tools know it."""
    released: PartialDate | None = None
    """First released."""
    policy: str | None = None
    """Pack or policy file of its developer, if it is not the project's own."""
    snapshots: tuple[Snapshot, ...] = ()
    """Snapshots, oldest first."""
    deployments: tuple[Deployment, ...] = ()
    """Deployments."""
    bounded_by: tuple[Bound, ...] = ()
    """Models that it is no more capable than."""

    @model_validator(mode="after")
    def _names_are_names(self) -> "Model":
        if not all(name.strip() and name != "*" for name in self.names):
            raise ValueError("a model's id and aliases are names; '*' means every model")
        ids = [one.id for one in self.snapshots]
        if len(set(ids)) < len(ids):
            raise ValueError("two snapshots have the same id")
        return self

    @property
    def title(self) -> str:
        """The name to show."""
        return self.name or self.id

    @property
    def names(self) -> frozenset[str]:
        """Every name that evidence may use, folded."""
        return frozenset(name.casefold() for name in (self.id, *self.aliases))

    def snapshot(self, name: str | None = None) -> Snapshot | None:
        """Give the snapshot of this id, or the newest."""
        if name is None:
            return self.snapshots[-1] if self.snapshots else None
        return next((one for one in self.snapshots if one.id == name), None)
