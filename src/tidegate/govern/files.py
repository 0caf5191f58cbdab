# SPDX-License-Identifier: Apache-2.0
"""Files of record and the log: what stands in the project must be what was entered, or nothing is opened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from tidegate.ledger.acts import EvidenceImported, EvidenceRestated, EvidenceRetracted, ModelRecorded, PolicyAdopted
from tidegate.ledger.entries import Entry

FILE_KINDS = frozenset(
    {"evidence.imported", "evidence.restated", "evidence.retracted", "policy.adopted", "model.recorded"}
)
"""Kinds of entries that say what stands in the project's files."""


@dataclass(frozen=True)
class FilesOfRecord:
    """What a project is made of, by digest."""

    policy: str | None = None
    """Digest of the adopted policy, rule locks included."""
    policy_document: str | None = None
    """Digest of the same as a document."""
    imports: Mapping[str, str] = field(default_factory=dict)
    """File under ``evidence/records`` -> digest of its content."""
    restatements: tuple[str, ...] = ()
    """Digests of restatements and retractions, oldest first."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Model -> digest of its file as data."""


def logged_files(entries: Iterable[Entry]) -> FilesOfRecord:
    """Give the state that the entries, in the log's order, lead to."""
    policy: tuple[str | None, str | None] = (None, None)
    imports: dict[str, str] = {}
    restatements: list[str] = []
    models: dict[str, str] = {}
    for entry in entries:
        act = entry.act
        match entry.kind:
            case "policy.adopted":
                adopted = cast(PolicyAdopted, act)
                policy = (adopted.policy_digest, adopted.document)
            case "evidence.imported":
                taken = cast(EvidenceImported, act)
                # A file of record never changes, so what was entered first stands.
                imports.setdefault(taken.kept_as, taken.document)
            case "evidence.restated" | "evidence.retracted":
                document = cast(EvidenceRestated | EvidenceRetracted, act).document
                if document not in restatements:
                    restatements.append(document)
            case "model.recorded":
                recorded = cast(ModelRecorded, act)
                models[recorded.model] = recorded.document
    return FilesOfRecord(*policy, imports, tuple(restatements), models)


def disagreements(files: FilesOfRecord, logged: FilesOfRecord) -> tuple[str, ...]:
    """Say where the files of a project and its log disagree; nothing if they agree."""
    found: list[str] = []
    if files.policy != logged.policy:
        found.append("the adopted policy is not the one in the ledger")
    found += _compared("evidence file", files.imports, logged.imports)
    found += _compared("model", files.models, logged.models)
    found += [
        f"a restatement in the files is not in the ledger ({one[:19]}...)"
        for one in files.restatements
        if one not in logged.restatements
    ]
    found += [
        f"a restatement in the ledger is missing from the files ({one[:19]}...)"
        for one in logged.restatements
        if one not in files.restatements
    ]
    return tuple(found)


def _compared(noun: str, files: Mapping[str, str], logged: Mapping[str, str]) -> list[str]:
    found = [f"the {noun} {name} is not in the ledger" for name in files if name not in logged]
    found += [f"the {noun} {name} is in the ledger, and missing from the files" for name in logged if name not in files]
    found += [
        f"the {noun} {name} is not what the ledger holds"
        for name, known in files.items()
        if name in logged and logged[name] != known
    ]
    return found
