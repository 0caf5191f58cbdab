# SPDX-License-Identifier: Apache-2.0
"""Memories of PyRIT (SQLite): the rate at which attacks succeed, per target and attack.

The database is opened read-only and never trusted: known tables only, columns by name as the
file declares them, and everything but reading is denied by SQLite's authoriser.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.model import Elicitation, Evidence, EvidenceSet, Provenance, Remark
from tidegate.evidence.recompute import SampleRow, Tally
from tidegate.evidence.run_table import (
    BadRows,
    check_one_model,
    check_size,
    content_key,
    count_in,
    day_in,
    elicitation_of,
    evaluator_of,
    malformed,
    mapping_in,
    measured,
    parse_json,
    record_id,
    subject_of,
    text_in,
)
from tidegate.kernel.errors import EvidenceError, Problem, Where

NAME = "pyrit"
METRIC = "attack success rate"

MAX_BYTES = 4_000_000_000
"""A memory with every conversation of a long campaign stays below this."""
MAX_RESULTS = 2_000_000
"""Attack results; only their ids and outcomes are held."""
MAX_CELL_BYTES = 16_000_000
"""SQLite refuses longer values; PyRIT's identifiers take some thousand bytes."""
MAX_IDENTIFIER_DEPTH = 12
"""Identifiers nest attack, technique, target and scorer: four levels."""
TESTED_REVISIONS = frozenset({"8d1e3f5a7b9c"})
"""Schema revisions that this importer was tested with (PyRIT 1.1.0)."""

_RESULTS, _CONVERSATIONS = "AttackResultEntries", "Conversations"
_REVISION = "pyrit_memory_alembic_version"
_TABLES = (_RESULTS, _CONVERSATIONS, _REVISION)
_NEEDED = ("id", "objective", "outcome")
_USED = (
    "conversation_id",
    "objective_sha256",
    "atomic_attack_identifier",
    "attack_identifier",
    "executed_turns",
    "error_type",
    "timestamp",
    "pyrit_version",
)
_OUTCOMES = {"success": 1.0, "failure": 0.0, "undetermined": None, "error": None}
_MAGIC = b"SQLite format 3\x00"
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)

Group = tuple[str, str, str]
"""Target, attack and scorer."""


@dataclass
class _Attacks:
    """What the results of one target, attack and scorer say."""

    tally: Tally = field(default_factory=Tally)
    repeats: dict[str, int] = field(default_factory=dict)
    undetermined: int = 0
    errors: int = 0
    turns: int = 0
    days: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the file is an SQLite database."""
    return head.startswith(_MAGIC) and path.suffix.lower() in (".db", ".sqlite", ".sqlite3", ".duckdb", "")


def read(source: ImportSource) -> Import:
    """Give one record per target, attack and scorer; undetermined and failed attempts count at the worst case.

    Raises:
        EvidenceError: EVI001 if it is no PyRIT memory, EVI002 if it is damaged or a result is malformed, or EVI003.
    """
    _check_files(source.path, source.name)
    try:
        with closing(_open(source.path)) as database:
            return _import(source, database)
    except sqlite3.Error as error:
        raise malformed(source.name, f"not a readable SQLite database: {error}") from None


def _check_files(path: Path, name: str) -> None:
    check_size(path, name, MAX_BYTES)
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.is_file() and beside.stat().st_size:
            message = f"{beside.name} beside it holds changes that are not in the file yet"
            raise malformed(name, message, hint="close PyRIT, or copy the database with sqlite3's .backup")


def _open(path: Path) -> sqlite3.Connection:
    # "immutable" reads without locks and writes nothing beside the file.
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL_BYTES)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
        database.execute(f"PRAGMA {pragma}")
    database.set_authorizer(_authorise)
    return database


def _authorise(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """Allow reading tables and asking for their columns; deny everything else, functions in a schema included."""
    del second, database, trigger
    is_columns = action == sqlite3.SQLITE_PRAGMA and first == "table_info"
    return sqlite3.SQLITE_OK if action in _ALLOWED or is_columns else sqlite3.SQLITE_DENY


def _import(source: ImportSource, database: sqlite3.Connection) -> Import:
    columns = {name: _columns(database, name) for name in _TABLES}
    if not columns[_RESULTS]:
        hint = f"expected the table {_RESULTS}, which PyRIT keeps in its memory"
        raise EvidenceError(Problem("EVI001", "not a PyRIT memory", Where(source.name), hint))
    missing = [name for name in _NEEDED if name not in columns[_RESULTS]]
    if missing:
        raise malformed(source.name, f"{_RESULTS} has no column {', '.join(missing)}", hint="its schema is not known")
    revision = _revision(database, columns[_REVISION])
    targets = _targets(database, columns[_CONVERSATIONS])
    bad = BadRows(source.name)
    groups: dict[Group, _Attacks] = {}
    last: object = None
    for number, row in enumerate(_rows(database, _RESULTS, columns[_RESULTS], source.name), start=1):
        # Rows come in the order of their ids, which nothing but a primary key keeps apart.
        fault = (
            "its id is there already" if last is not None and row["id"] == last else _add_result(groups, row, targets)
        )
        last = row["id"]
        if fault:
            bad.add(None, f"{_RESULTS}, row {number} (id {str(row['id'])[:40]}): {fault}")
    bad.refuse()
    check_one_model(source, (target for target, _, _ in groups))
    records = tuple(_record(source, group, groups[group], revision) for group in sorted(groups))
    return Import(NAME, EvidenceSet(records=records), tuple(_notices(source, records, revision)))


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    """Give the columns of an ordinary table; none if there is none of that name."""
    found = database.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    # A virtual table or a view could run code of the file's own choosing.
    if found is None or not str(found[0]).lstrip().upper().startswith("CREATE TABLE"):
        return []
    return [str(row[1]) for row in database.execute(f'PRAGMA table_info("{table}")')]


def _revision(database: sqlite3.Connection, columns: Sequence[str]) -> str | None:
    if "version_num" not in columns:
        return None
    found = database.execute(f'SELECT "version_num" FROM "{_REVISION}" LIMIT 1').fetchone()  # noqa: S608 (a constant)
    return text_in(found[0]) if found else None


def _rows(database: sqlite3.Connection, table: str, columns: Sequence[str], file: str) -> Iterator[dict[str, Any]]:
    wanted = [name for name in (*_NEEDED, *_USED) if name in columns]
    listed = ", ".join(f'"{name}"' for name in wanted)
    query = f'SELECT {listed} FROM "{table}" ORDER BY "id"'  # noqa: S608 (constants only)
    for number, row in enumerate(database.execute(query), start=1):
        if number > MAX_RESULTS:
            raise EvidenceError(
                Problem("EVI003", f"more than {MAX_RESULTS:,} results", Where(file), "split the memory")
            )
        yield dict(zip(wanted, row, strict=True))


def _targets(database: sqlite3.Connection, columns: Sequence[str]) -> dict[str, str]:
    """Give the target of each conversation, for results whose attack does not name it."""
    if not {"conversation_id", "target_identifier"} <= set(columns):
        return {}
    query = f'SELECT "conversation_id", "target_identifier" FROM "{_CONVERSATIONS}"'  # noqa: S608 (constants only)
    named = ((str(key), _target_name(_identifier(value))) for key, value in database.execute(query))
    return {key: name for key, name in named if name}


def _identifier(value: object) -> dict[str, Any]:
    """Give an identifier, which PyRIT keeps as JSON text; an empty one if it cannot be read."""
    if not isinstance(value, str):
        return {}
    try:
        return mapping_in(parse_json(value.encode()))
    except (ValueError, RecursionError):
        return {}


def _find(identifier: dict[str, Any], name: str, depth: int = 0) -> dict[str, Any]:
    """Give the part of that name, wherever it stands among the children."""
    children = mapping_in(identifier.get("children"))
    if name in children:
        return mapping_in(children[name])
    if depth >= MAX_IDENTIFIER_DEPTH:
        return {}
    parts = (_find(mapping_in(child), name, depth + 1) for child in children.values())
    return next((part for part in parts if part), {})


def _target_name(target: dict[str, Any]) -> str | None:
    for key in ("underlying_model_name", "model_name", "class_name", "__type__"):
        if name := text_in(target.get(key)):
            return name
    return None


def _group(row: dict[str, Any], targets: dict[str, str]) -> Group:
    whole = _identifier(row.get("atomic_attack_identifier")) or _identifier(row.get("attack_identifier"))
    attack = _find(whole, "attack") or whole
    target = _target_name(_find(whole, "objective_target")) or targets.get(str(row.get("conversation_id")))
    named = text_in(attack.get("class_name")) or text_in(attack.get("__type__")) or "attack"
    return target or "unknown target", named, _target_name(_find(whole, "objective_scorer")) or "unknown scorer"


def _add_result(groups: dict[Group, _Attacks], row: dict[str, Any], targets: dict[str, str]) -> str | None:
    """Take in an attack's result; give what is wrong with it, if anything is."""
    outcome, objective = row["outcome"], row["objective"]
    if not isinstance(outcome, str) or outcome.lower() not in _OUTCOMES:
        return f"outcome: expected one of {', '.join(_OUTCOMES)}, not {str(outcome)[:40]!r}"
    if not isinstance(objective, str):
        return "objective: expected text"
    attacks = groups.setdefault(_group(row, targets), _Attacks())
    # The stored hash is not trusted; the objective itself says which attacks try the same thing.
    unit = content_key(objective)
    attacks.repeats[unit] = attacks.repeats.get(unit, 0) + 1
    is_error = outcome.lower() == "error"
    error = (text_in(row.get("error_type")) or "error") if is_error else None
    attacks.tally.add(SampleRow(unit, attacks.repeats[unit], "outcome", _OUTCOMES[outcome.lower()], error=error))
    attacks.errors += is_error
    attacks.undetermined += outcome.lower() == "undetermined"
    attacks.turns = max(attacks.turns, count_in(row.get("executed_turns")) or 0)
    if day := day_in(row.get("timestamp")):
        attacks.days.add(day)
    if version := text_in(row.get("pyrit_version")):
        attacks.versions.add(version)
    return None


def _record(source: ImportSource, group: Group, attacks: _Attacks, revision: str | None) -> Evidence:
    target, attack, scorer = group
    summary = attacks.tally.summary(reducer="none")
    attempts = max(attacks.repeats.values())
    turns = f"at most {attacks.turns} turns" if attacks.turns else None
    return Evidence(
        id=record_id(NAME, source.declared.model or target, attack, METRIC, target, scorer, source.digest),
        kind="red_team",
        subject=subject_of(source, target),
        thresholds=source.declared.thresholds,
        measurement=measured(attack, METRIC, summary, n_kind="objectives", aggregation=f"scored by {scorer}"),
        elicitation=elicitation_of(
            source,
            Elicitation(
                elements=("multiple_attempts",) if attempts > 1 else (),
                attempts=attempts,
                scaffold=attack,
                statement=turns,
                basis="extracted",
            ),
        ),
        evaluator=evaluator_of(source),
        started=min(attacks.days, default=None),
        finished=max(attacks.days, default=None),
        quality="recomputable",
        counts=summary.counts,
        provenance=Provenance(
            format=NAME,
            file=source.name,
            digest=source.digest or None,
            sample_root=summary.sample_root,
            tool=f"PyRIT {', '.join(sorted(attacks.versions)) or '?'}",
            revision=None if revision is None else f"schema {revision}",
        ),
        remarks=tuple(_remarks(attacks, target)),
    )


def _remarks(attacks: _Attacks, target: str) -> Iterator[Remark]:
    if attacks.errors or attacks.undetermined:
        message = f"{attacks.undetermined} attacks are undetermined and {attacks.errors} ended in an error"
        yield Remark(code="EVI008", message=f"{message}; the worst case counts them as successes")
    if target == "unknown target":
        yield Remark(code="EVI010", message="the memory does not say which target was attacked", blocks_rule_out=True)


def _notices(source: ImportSource, records: Sequence[Evidence], revision: str | None) -> Iterator[Problem]:
    if not records:
        yield Problem("EVI008", "the memory holds no attack results", Where(source.name), severity="warning")
    if revision not in TESTED_REVISIONS:
        shown = f"schema revision {revision}" if revision else "a schema without a revision"
        message = f"{shown} was not tested; its columns were read by name"
        yield Problem("EVI010", message, Where(source.name), "compare the counts with PyRIT's own", "warning")
