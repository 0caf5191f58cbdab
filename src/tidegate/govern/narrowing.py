# SPDX-License-Identifier: Apache-2.0
"""What of the log still helps, by the people whom the project names, and what keys turned out to be stolen.

`tidegate.yaml` takes away and never gives: what speaks for a decision (a signature, a review) counts only while the
project names its person, and in that role. What speaks against one (a revocation, a decision that took its place, a
recusal, a newer report) stands as the log has it, so that nobody undoes it by striking out who said it.
Where a stolen key takes such a thing back, the decision has to be looked at again before it counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tidegate.govern.decisions import Decision, read_decision
from tidegate.govern.keyring import STOLEN, Keyring
from tidegate.govern.people import Person
from tidegate.govern.records import CaseRecord, DecisionRecord, Documents, SignatureRecord
from tidegate.kernel.errors import DecisionError, Problem
from tidegate.ledger.entries import Entry
from tidegate.ledger.keys import fingerprint


@dataclass
class Narrowing:
    """Decisions and cases, as far as the people of the project carry them, and why the rest does not help."""

    people: Mapping[str, Person]
    """Id without regard to case -> person."""
    problems: dict[int, Problem] = field(default_factory=dict)
    """Position -> why that entry does not help."""

    def decision(self, record: DecisionRecord) -> DecisionRecord:
        """Give a decision with the signatures and reviews of those whom the project names."""
        signatures = tuple(
            replace(one, holds=one.holds | set(self.people[one.person.casefold()].roles))
            for one in record.signatures
            if self._carries(one)
        )
        reviews = tuple(one for one in record.reviews if self._knows(one.by, one.index, "decision.reviewed"))
        return replace(record, signatures=signatures, reviews=reviews)

    def case(self, record: CaseRecord) -> CaseRecord:
        """Give a safety case without the agreement of those whom the project does not name."""
        reviews = tuple(
            one for one in record.reviews if one.verdict != "agrees" or self._knows(one.by, one.index, "case.reviewed")
        )
        return replace(record, reviews=reviews)

    def holders(self, held: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
        """Give the roles that people hold by their keys and by the project alike."""
        return {
            name: frozenset(roles) & frozenset(self.people[name.casefold()].roles)
            for name, roles in held.items()
            if name.casefold() in self.people
        }

    def _knows(self, name: str, index: int, kind: str) -> bool:
        if name.casefold() not in self.people:
            self.problems[index] = Problem("KEY004", f"{kind}: {name} is nobody of this project")
        return name.casefold() in self.people

    def _carries(self, one: SignatureRecord) -> bool:
        if not self._knows(one.person, one.index, "decision.signed"):
            return False
        if one.role not in self.people[one.person.casefold()].roles:
            self.problems[one.index] = Problem("KEY004", f"{one.person} does not hold the role {one.role}")
            return False
        return True


def taken_back(
    entries: Iterable[tuple[int, Entry]], ring: Keyring, decisions: Mapping[str, DecisionRecord], documents: Documents
) -> dict[str, int]:
    """Give the newest entry about each decision, or report on a model, that a stolen key took back.

    Whoever ends a key of theirs as stolen would otherwise undo alone what they had said against a decision.

    Returns:
        ``decision:D-1`` or ``model:m`` -> position.
    """
    stolen = {one.fingerprint for one in ring.history if one.void_from is not None}
    lost = {one.index for one in ring.voids if one.reason == STOLEN}
    found: dict[str, int] = {}
    for index, entry in entries:
        if index in lost and "public_key" in entry.body:
            stolen.add(fingerprint(entry.body["public_key"]))
        if entry.signature is None or entry.signature.key not in stolen or ring.check(index, entry) is None:
            continue
        if entry.kind == "report.finalised":
            found[f"model:{entry.body['model']}"] = index
        elif entry.kind.startswith("decision."):
            name = entry.body["decision"]
            successor = decisions[name].document if name in decisions else _document(entry, documents)
            replaced = successor.supersedes if successor is not None else None
            found |= {f"decision:{one}": index for one in (name, replaced) if one is not None}
    return found


def _document(entry: Entry, documents: Documents) -> Decision | None:
    data = documents(entry.body.get("document", ""))
    try:
        return read_decision(data) if data is not None else None
    except DecisionError:
        return None
