# SPDX-License-Identifier: Apache-2.0
"""Entries of every sort, from a number; and ways into a log's database past its store."""

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import text

from tidegate.kernel.canonical import digest_bytes
from tidegate.ledger.acts import (
    DecisionRecused,
    HoldLifted,
    HoldPlaced,
    ModelRecorded,
    NoncomplianceOpened,
    Sealed,
    SealedErased,
)
from tidegate.ledger.entries import Entry, new_entry
from tidegate.store.ledger import LedgerStore, SealedContent
from tidegate.store.writing import sealed_digest

AT = "2026-06-01T09:30:00Z"


def an_id(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()[:32]


def an_entry(name: object = 0, *, decision: str = "D-1", by: str | None = "ada", reason: str = "kin") -> Entry:
    body = DecisionRecused(decision=decision, reason=reason)
    return new_entry("decision.recused", body, entry_id=an_id(name), acted_at=AT, by=by)


def some_entries(count: int, start: int = 0) -> list[Entry]:
    return [
        an_entry(number, decision=f"D-{number % 7}", by=("ada", "bob")[number % 2])
        for number in range(start, start + count)
    ]


def a_model_entry(document: bytes, name: object = "model", model: str = "m") -> Entry:
    body = ModelRecorded(model=model, document=digest_bytes(document))
    return new_entry("model.recorded", body, entry_id=an_id(name), acted_at=AT)


def content_of(
    data: bytes = b"what nobody else may read", *, salt: bytes = b"s" * 32, until: date | None = None
) -> SealedContent:
    return SealedContent(sealed_digest(salt, data), salt, data, until)


def a_case_entry(content: SealedContent, name: object = "case", *, until: date | None = None) -> Entry:
    body = NoncomplianceOpened(
        case="C-1",
        is_anonymous=True,
        content=Sealed(digest=content.digest, retain_until=until),
        managers=("eve",),
        route="board",
    )
    return new_entry("noncompliance.opened", body, entry_id=an_id(name), acted_at=AT)


def an_erasure(digest: str, name: object = "erasure", *, at: str = AT) -> Entry:
    body = SealedErased(digest=digest, ground="the reporter asked for it")
    return new_entry("sealed.erased", body, entry_id=an_id(name), acted_at=at, by="eve")


def a_hold(digests: Iterable[str] = (), *, hold: str = "H-1", name: object = "hold") -> Entry:
    body = HoldPlaced(hold=hold, digests=tuple(digests), reason="a lawsuit")
    return new_entry("hold.placed", body, entry_id=an_id(name), acted_at=AT, by="eve")


def a_lift(hold: str = "H-1", name: object = "lift") -> Entry:
    body = HoldLifted(hold=hold, reason="the lawsuit is over")
    return new_entry("hold.lifted", body, entry_id=an_id(name), acted_at=AT, by="eve")


def run_sql(store: LedgerStore, *statements: str, unguarded: bool = False, **values: Any) -> None:
    """Run statements as somebody would who has the database's password; `unguarded` takes its triggers away."""
    with store._database.engine.begin() as connection:
        if unguarded and connection.dialect.name == "sqlite":
            for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        elif unguarded:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.execute(text(statement), values)


def rows_of(store: LedgerStore, statement: str) -> list[tuple[Any, ...]]:
    with store._database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]
