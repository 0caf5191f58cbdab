# SPDX-License-Identifier: Apache-2.0
"""Memories of PyRIT: attack success rates; a database is never trusted."""

import json
import sqlite3
from contextlib import closing

import pytest

from tidegate.evidence import pyrit
from tidegate.evidence.formats import digest_file, recognise
from tidegate.evidence.importing import Declared, ImportSource
from tidegate.evidence.pyrit import read
from tidegate.kernel.errors import EvidenceError

REVISION = "8d1e3f5a7b9c"


def source(path):
    return ImportSource(path, digest_file(path))


def identifier(target=None, attack="PromptSendingAttack"):
    children = {
        "objective_target": {"class_name": "OpenAIChatTarget", "model_name": "m"} if target is None else target,
        "objective_scorer": {"class_name": "Scorer"},
    }
    technique = {"children": {"attack": {"class_name": attack, "children": children}}}
    return json.dumps({"class_name": "AtomicAttack", "children": {"attack_technique": technique}})


def result(number, outcome, objective=None, **more):
    return {
        "id": f"id{number}",
        "conversation_id": f"c{number}",
        "objective": objective or f"objective {number}",
        "objective_sha256": "the same for all",
        "atomic_attack_identifier": identifier(),
        "executed_turns": 3,
        "outcome": outcome,
        "error_type": None,
        "timestamp": "2026-01-02 10:00:00.5",
        "pyrit_version": "1.1.0",
    } | more


def write(folder, results, *, revision=REVISION, statements=(), conversations=()):
    path = folder / "memory.db"
    with closing(sqlite3.connect(path)) as database, database:
        if results:
            columns = ", ".join(f'"{name}"' for name in results[0])
            database.execute(f'CREATE TABLE "AttackResultEntries" ({columns})')
            marks = ", ".join("?" * len(results[0]))
            for one in results:
                database.execute(f'INSERT INTO "AttackResultEntries" VALUES ({marks})', tuple(one.values()))
        database.execute('CREATE TABLE "Conversations" (conversation_id, target_identifier)')
        database.executemany('INSERT INTO "Conversations" VALUES (?, ?)', conversations)
        if revision is not None:
            database.execute("CREATE TABLE pyrit_memory_alembic_version (version_num)")
            database.execute("INSERT INTO pyrit_memory_alembic_version VALUES (?)", (revision,))
        for statement in statements:
            database.execute(statement)
    return path


def only(path):
    [record] = read(source(path)).evidence.records
    return record


FOUR = [result(0, "success"), result(1, "failure"), result(2, "undetermined"), result(3, "error", error_type="Timeout")]


def test_undetermined_attacks_and_errors_count_at_the_worst_case(tmp_path):
    path = write(tmp_path, FOUR)
    assert recognise(path) == "pyrit"
    record = only(path)
    found = record.measurement
    assert (record.kind, found.metric, found.evaluation) == ("red_team", "attack success rate", "PromptSendingAttack")
    assert (found.value, found.worst_case, found.n, found.n_kind) == (0.5, 0.75, 2, "objectives")
    assert (record.counts.scored, record.counts.unscored, record.counts.errored) == (2, 1, 1)
    assert (record.subject.model, found.aggregation) == ("m", "scored by Scorer")
    assert (record.started, record.finished, record.quality) == ("2026-01-02", "2026-01-02", "recomputable")
    assert (record.provenance.tool, record.provenance.revision) == ("PyRIT 1.1.0", f"schema {REVISION}")
    assert [(remark.code, remark.blocks_rule_out) for remark in record.remarks] == [("EVI008", False)]
    assert record.elicitation.statement == "at most 3 turns"


def test_attacks_on_one_objective_are_attempts(tmp_path):
    rows = [result(i, outcome, "same") for i, outcome in enumerate(("success", "failure", "failure"))]
    record = only(write(tmp_path, [*rows, result(9, "failure")]))
    # The stored hash is the same for all; the objectives themselves say which attacks belong together.
    assert (record.measurement.n, record.measurement.value, record.measurement.clustered) == (2, 0.25, True)
    assert record.elicitation.elements == ("multiple_attempts",)


def test_targets_attacks_and_scorers_have_records_of_their_own(tmp_path):
    rows = [
        result(0, "success"),
        result(1, "failure", atomic_attack_identifier=identifier(attack="Crescendo")),
        result(2, "failure", atomic_attack_identifier=identifier({"class_name": "T", "underlying_model_name": "k"})),
        result(3, "failure", atomic_attack_identifier=None, conversation_id="seen"),
        result(4, "failure", atomic_attack_identifier="{not json"),
    ]
    path = write(tmp_path, rows, conversations=[("seen", json.dumps({"class_name": "T", "model_name": "j"}))])
    records = read(source(path)).evidence.records
    assert {(r.subject.model, r.measurement.evaluation) for r in records} == {
        ("m", "PromptSendingAttack"),
        ("m", "Crescendo"),
        ("k", "PromptSendingAttack"),
        ("j", "attack"),
        ("unknown target", "attack"),
    }
    [unknown] = [r for r in records if r.subject.model == "unknown target"]
    assert [(remark.code, remark.blocks_rule_out) for remark in unknown.remarks] == [("EVI010", True)]
    assert len({r.id for r in records}) == 5
    assert read(source(path)).evidence.records == records


def test_one_declared_model_is_not_given_to_several_targets(tmp_path):
    rows = [FOUR[0], result(1, "failure", atomic_attack_identifier=identifier({"model_name": "k"}))]
    path = write(tmp_path, rows)
    with pytest.raises(EvidenceError, match="the file has 2: k, m"):
        read(ImportSource(path, digest_file(path), Declared(model="x")))


def test_an_identifier_nested_without_end_names_nothing(tmp_path):
    nested = '{"children": {"a": ' * 50 + "{}" + "}}" * 50
    record = only(write(tmp_path, [result(0, "success", atomic_attack_identifier=nested)]))
    assert record.subject.model == "unknown target"


def test_columns_are_read_by_name_whatever_their_order_and_number(tmp_path):
    rows = [{"outcome": "success", "new": b"x", "objective": "o", "id": 1, "attack_identifier": '{"__type__": "Old"}'}]
    found = read(source(write(tmp_path, rows, revision="0ld")))
    [record] = found.evidence.records
    assert (record.measurement.value, record.measurement.evaluation, record.finished) == (1, "Old", None)
    assert [(notice.code, notice.severity) for notice in found.notices] == [("EVI010", "warning")]
    assert "0ld" in found.notices[0].message
    (tmp_path / "memory.db").unlink()
    assert "without a revision" in read(source(write(tmp_path, rows, revision=None))).notices[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": "maybe"}, "outcome"),
        ({"outcome": None}, "outcome"),
        ({"outcome": 1}, "outcome"),
        ({"objective": None}, "objective"),
    ],
)
def test_a_malformed_result_is_refused_with_its_row_and_id(tmp_path, change, message):
    with pytest.raises(EvidenceError) as caught:
        read(source(write(tmp_path, [FOUR[0], FOUR[1] | change])))
    [problem] = caught.value.problems
    assert problem.code == "EVI002"
    assert problem.message.startswith("AttackResultEntries, row 2 (id id1): ")
    assert message in problem.message


def test_a_database_without_the_needed_table_or_columns_is_refused(tmp_path):
    with pytest.raises(EvidenceError) as caught:
        read(source(write(tmp_path, [])))
    assert caught.value.problems[0].code == "EVI001"
    (tmp_path / "memory.db").unlink()
    with pytest.raises(EvidenceError) as caught:
        read(source(write(tmp_path, [{"id": "1", "objective": "o"}])))
    assert caught.value.problems[0].code == "EVI002"
    assert "outcome" in caught.value.problems[0].message


def test_a_view_or_virtual_table_in_the_table_s_place_is_refused(tmp_path):
    view = 'CREATE VIEW "AttackResultEntries" AS SELECT 1 AS id, 2 AS objective, 3 AS outcome'
    with pytest.raises(EvidenceError) as caught:
        read(source(write(tmp_path, [], statements=[view])))
    assert caught.value.problems[0].code == "EVI001"
    (tmp_path / "memory.db").unlink()
    virtual = 'CREATE VIRTUAL TABLE "AttackResultEntries" USING fts5(id, objective, outcome)'
    with pytest.raises(EvidenceError) as caught:
        read(source(write(tmp_path, [], statements=[virtual])))
    assert caught.value.problems[0].code == "EVI001"


def test_a_function_in_a_generated_column_is_not_run(tmp_path):
    hostile = (
        'CREATE TABLE "AttackResultEntries" (id, objective, n, outcome GENERATED ALWAYS AS (upper(n)) VIRTUAL)',
        "INSERT INTO \"AttackResultEntries\" (id, objective, n) VALUES ('1', 'o', 'success')",
    )
    with pytest.raises(EvidenceError) as caught:
        read(source(write(tmp_path, [], statements=hostile)))
    assert caught.value.problems[0].code == "EVI002"


def test_the_file_and_its_folder_stay_as_they_are(tmp_path):
    path = write(tmp_path, FOUR)
    before = path.read_bytes()
    tmp_path.chmod(0o500)
    try:
        only(path)
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["memory.db"]


@pytest.mark.parametrize("statement", ["DELETE FROM t", "ATTACH 'x' AS y", "PRAGMA user_version", "SELECT upper('a')"])
def test_everything_but_reading_is_denied(tmp_path, statement):
    path = write(tmp_path, FOUR, statements=["CREATE TABLE t (a)"])
    with (
        closing(pyrit._open(path)) as database,
        pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited"),
    ):
        database.execute(statement)


def test_a_database_in_write_ahead_mode_is_read_without_files_beside_it(tmp_path):
    path = write(tmp_path, FOUR)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("UPDATE AttackResultEntries SET outcome = 'success'")
        database.commit()
    assert only(path).measurement.value == 1
    assert [item.name for item in tmp_path.iterdir()] == ["memory.db"]


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_changes_that_are_not_in_the_file_yet_are_not_missed(tmp_path, suffix):
    path = write(tmp_path, FOUR)
    path.with_name(path.name + suffix).write_bytes(b"x")
    with pytest.raises(EvidenceError, match="not in the file yet") as caught:
        read(source(path))
    assert caught.value.problems[0].code == "EVI002"


def test_a_damaged_file_is_refused(tmp_path):
    path = write(tmp_path, FOUR)
    raw = path.read_bytes()
    path.write_bytes(raw[:100] + b"\xff" * (len(raw) - 100))
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    assert caught.value.problems[0].code == "EVI002"


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_RESULTS"])
def test_what_is_larger_than_a_limit_is_refused(tmp_path, monkeypatch, limit):
    path = write(tmp_path, FOUR)
    monkeypatch.setattr(pyrit, limit, 3)
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    assert caught.value.problems[0].code == "EVI003"


def test_a_cell_that_is_too_long_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path, [result(0, "success", "x" * 5000)])
    monkeypatch.setattr(pyrit, "MAX_CELL_BYTES", 1000)
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    assert caught.value.problems[0].code == "EVI002"


def test_real_memories(shared):
    folder = shared / "data/evaluations/pyrit"
    record = only(folder / "generated_here.db")
    # Three attacks on an echo target: two reached their objective, one did not.
    assert record.measurement.value == pytest.approx(2 / 3)
    assert (record.measurement.n, record.subject.model) == (3, "Echo")
    assert (record.finished, record.provenance.revision) == ("2026-11-20", f"schema {REVISION}")
    empty = read(source(folder / "empty_schema.db"))
    assert empty.evidence.records == ()
    assert [(notice.code, notice.severity) for notice in empty.notices] == [("EVI008", "warning")]


def test_a_result_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match=r"id1.*already"):
        only(write(tmp_path, [result(0, "success"), result(1, "failure"), result(1, "failure")]))
