# SPDX-License-Identifier: Apache-2.0
"""The edition of the evidence that outsiders see: some words withheld, each replaced by a salted digest.

Only words that decide nothing may be withheld; figures, lines, counts and days may not, so that the verdict can be
recomputed from the edition. Decisions are signed over the edition: what outsiders check is what was signed.
A salted digest does not confirm a guess, and shows, once value and salt are given to somebody, that this is it.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from tidegate.evidence.model import Evidence, EvidenceSet
from tidegate.kernel.errors import EvidenceError, Problem
from tidegate.kernel.record import Record

WITHHOLDABLE = (
    "note",
    "reading",
    "elicitation.statement",
    "elicitation.scaffold",
    "evaluator.name",
    "evaluator.conflicts",
    "provenance.file",
    "provenance.title",
    "provenance.url",
    "provenance.location",
    "provenance.revision",
)
"""Fields of a record that may be withheld: words that no rule reads."""

Ground = Literal["public_safety", "national_security", "cybersecurity", "trade_secret", "privacy", "legal"]
"""Ground of a redaction, as the transparency laws of California, New York and Illinois name them."""

MARK = "[withheld sha256:"
"""Begins what stands in place of withheld words."""
_WHOLE_MARK = re.compile(re.escape(MARK) + r"[0-9a-f]{64}\]\Z")


class Redaction(Record):
    """A redaction, as the project keeps it; the salt is as secret as the value."""

    record: str
    """Id of the evidence record."""
    field: str
    """Field whose words are withheld."""
    ground: Ground
    """Ground."""
    justification: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    """Why, in words that may be published."""
    character: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    """What kind of thing is withheld, in words that may be published."""
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Salt of 32 bytes, in hexadecimal."""


class RedactionFile(Record):
    """The redactions of a project."""

    schema_: Literal["tidegate/redactions/v1"] = Field(alias="schema", default="tidegate/redactions/v1")
    """Names this format."""
    redactions: tuple[Redaction, ...] = ()
    """Redactions."""


class Withheld(Record):
    """A redaction, as outsiders see it."""

    record: str
    """Id of the evidence record."""
    field: str
    """Field whose words are withheld."""
    ground: Ground
    """Ground."""
    justification: str
    """Why."""
    character: str
    """What kind of thing is withheld."""
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    """Salted digest of the words."""


def salted_digest(value: str, salt: str) -> str:
    """Give ``SHA-256(salt || value)`` as ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(bytes.fromhex(salt) + value.encode()).hexdigest()}"


def redacted(evidence: EvidenceSet, redactions: Sequence[Redaction]) -> tuple[EvidenceSet, tuple[Withheld, ...]]:
    """Give the edition for outsiders, and the register of what it withholds.

    Redactions of records that are not in the set are left aside.

    Raises:
        EvidenceError: EVI012, a field may not be withheld, is empty, or is named twice.
    """
    by_record: dict[str, list[Redaction]] = {}
    for one in redactions:
        by_record.setdefault(one.record, []).append(one)
    register: list[Withheld] = []
    records: list[Evidence] = []
    for record in evidence.records:
        changed = record
        for one in by_record.get(record.id, ()):
            changed, entry = _withhold(changed, one)
            register.append(entry)
        records.append(changed)
    register.sort(key=lambda one: (one.record, one.field))
    return evidence.model_copy(update={"records": tuple(records)}) if register else evidence, tuple(register)


def _withhold(record: Evidence, one: Redaction) -> tuple[Evidence, Withheld]:
    if one.field not in WITHHOLDABLE:
        hint = f"these may be: {', '.join(WITHHOLDABLE)}"
        raise EvidenceError(Problem("EVI012", f"{record.id}: {one.field!r} may not be withheld", None, hint))
    data = record.model_dump(mode="json", by_alias=True)
    *parents, name = one.field.split(".")
    place: Any = data
    for parent in parents:
        place = place.get(parent) if isinstance(place, dict) else None
    value = place.get(name) if isinstance(place, dict) else None
    if not isinstance(value, str) or not value or is_withheld(value):
        raise EvidenceError(Problem("EVI012", f"{record.id}: {one.field} holds no words to withhold"))
    digest = salted_digest(value, one.salt)
    place[name] = f"[withheld {digest}]"
    entry = Withheld(
        record=one.record,
        field=one.field,
        ground=one.ground,
        justification=one.justification,
        character=one.character,
        digest=digest,
    )
    return Evidence.model_validate(data), entry


def is_withheld(value: str) -> bool:
    """Tell whether words stand for withheld ones."""
    return _WHOLE_MARK.match(value) is not None


def withheld_in(evidence: EvidenceSet) -> frozenset[tuple[str, str, str]]:
    """Give every (record, field, digest) that an edition withholds."""
    found: set[tuple[str, str, str]] = set()
    for record in evidence.records:
        data = record.model_dump(mode="json")
        for field in WITHHOLDABLE:
            value: Any = data
            for part in field.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if isinstance(value, str) and is_withheld(value):
                found.add((record.id, field, value.removeprefix("[withheld ").removesuffix("]")))
    return frozenset(found)
