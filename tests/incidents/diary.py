# SPDX-License-Identifier: Apache-2.0
"""A log of incidents under construction, and incidents as it leads to them."""

import hashlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tidegate.govern.keyring import keyring
from tidegate.incidents.fold import Content, Incidents, incidents
from tidegate.incidents.model import Incident, Notice, Said
from tidegate.kernel.canonical import canonical_bytes
from tidegate.ledger.acts import (
    IncidentClosed,
    IncidentNoticed,
    IncidentOpened,
    IncidentUpdated,
    KeyAdded,
    LedgerOpened,
    Sealed,
    SealedErased,
)
from tidegate.ledger.entries import Entry, new_entry
from tidegate.ledger.keys import Signer, load_signer, new_private_key
from tidegate.ledger.signing import proof_bytes, sign_entry

ORIGIN = "example.com/diary"
BODIES = {"opened": IncidentOpened, "updated": IncidentUpdated, "noticed": IncidentNoticed, "closed": IncidentClosed}


@cache
def signers() -> dict[str, Signer]:
    return {name: load_signer(new_private_key(None)[0], None, name) for name in ("ada", "eve")}


@dataclass
class Diary:
    """Entries, signed by whom they name unless said otherwise, and what they say, kept outside."""

    entries: list[Entry] = field(default_factory=list)
    kept: dict[str, Content] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.add("ledger.opened", LedgerOpened(origin=ORIGIN, organisation="House"), by=None)
        for name in ("ada",):
            signer = signers()[name]
            proof = signer.sign(proof_bytes(name, ("keeper",), signer.public_key))
            body = KeyAdded(person=name, roles=("keeper",), public_key=signer.public_key, proof=proof)
            self.add("key.added", body)

    def add(
        self, kind: str, body: Any, by: str | None = "ada", at: str = "2026-01-01T00:00:00Z", signer: str | None = None
    ) -> Entry:
        number = len(self.entries)
        entry_id = hashlib.sha256(str(number).encode()).hexdigest()[:32]
        made = new_entry(kind, body, entry_id=entry_id, acted_at=at, by=by, log=ORIGIN)
        if by is not None:
            made = sign_entry(made, signers()[signer or by])
        self.entries.append(made)
        return made

    def tell(self, kind: str, at: str, said: Said | None = None, *, name: str = "inc-1", **more: Any) -> str:
        """Add an entry about an incident; give the digest of what it says."""
        data = canonical_bytes(said or Said())
        salt = hashlib.sha256(f"salt {len(self.entries)}".encode()).digest()
        digest = f"sha256:{hashlib.sha256(salt + data).hexdigest()}"
        self.kept[digest] = Content(salt, data)
        fields = {"is_reopened": True} if more.pop("reopened", False) else {}
        content = Sealed(digest=digest, retain_until=more.pop("until", None))
        body = BODIES[kind](incident=name, content=content, **fields)
        self.add(f"incident.{kind}", body, at=at, **more)
        return digest

    def opened(self, at: str = "2026-05-01T12:00:00Z", title: str = "Weights copied", **said: Any) -> str:
        return self.tell("opened", at, Said(title=title, **said))

    def updated(self, at: str, **said: Any) -> str:
        return self.tell("updated", at, Said(**said))

    def noticed(self, at: str, rule: str, sent_at: str | None = None, **more: Any) -> str:
        notice = Notice(rule=rule, to="the office", sent_at=sent_at or at, text="We report.", **more)
        return self.tell("noticed", at, Said(notice=notice))

    def erase(self, digest: str) -> None:
        self.add("sealed.erased", SealedErased(digest=digest, ground="over"), at="2032-01-01T00:00:00Z")
        del self.kept[digest]
        self.erased.add(digest)

    def fold(self) -> Incidents:
        logged = list(enumerate(self.entries))
        return incidents(logged, self.kept.get, keyring(logged).check, frozenset(self.erased))

    def incident(self, name: str = "inc-1") -> Incident:
        return self.fold().incidents[name]


def an_incident(at: str = "2028-01-01T00:00:00Z", **said: Any) -> Incident:
    """Give an incident of one entry, made late enough for every time in it."""
    diary = Diary()
    diary.opened(at, **said)
    return diary.incident()
