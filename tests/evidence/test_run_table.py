# SPDX-License-Identifier: Apache-2.0
"""Tables of runs: every format gives the same table, bad rows are all listed, nothing is lost."""

import csv
import io
import json
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from tidegate.evidence import run_table
from tidegate.evidence.formats import HEAD_BYTES, digest_file, recognise
from tidegate.evidence.importing import Declared, ImportSource
from tidegate.evidence.model import Elicitation
from tidegate.evidence.recompute import SampleRow
from tidegate.evidence.run_table import Recount, read, read_run_table, tables_by_model
from tidegate.kernel.errors import EvidenceError, TidegateError


def source(path, declared=None):
    return ImportSource(path, digest_file(path), declared or Declared())


def run(task="a/1", score=1, minutes=10.0, **more):
    return {"run_id": f"r{more.pop('n', 0)}", "task_id": task, "task_family": task.split("/")[0]} | {
        "alias": "m",
        "score_binarized": score,
        "human_minutes": minutes,
        **more,
    }


RUNS = [run(n=0), run(score=0, n=1), run("a/2", 0, 20.0, n=2), run("b/1", 1, 60.0, n=3, alias="k")]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_csv(path, rows):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path, rows):
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


WRITERS = [("runs.jsonl", write_jsonl), ("runs.csv", write_csv), ("runs.parquet", write_parquet)]


@pytest.mark.parametrize(("name", "write"), WRITERS)
def test_every_format_gives_the_same_table(tmp_path, name, write):
    path = write(tmp_path / name, RUNS)
    table = read_run_table(path)
    assert table.task.tolist() == ["a/1", "a/1", "a/2", "b/1"]
    assert table.family.tolist() == ["a", "a", "a", "b"]
    assert table.model.tolist() == ["m", "m", "m", "k"]
    assert table.score.tolist() == [1, 0, 0, 1]
    assert table.human_minutes.tolist() == [10, 10, 20, 60]
    assert {model: len(runs) for model, runs in tables_by_model(table).items()} == {"m": 3, "k": 1}
    assert recognise(path) == "run-table"


@pytest.mark.parametrize(("name", "write"), WRITERS)
def test_attempts_are_averaged_within_tasks_and_tasks_clustered_by_family(tmp_path, name, write):
    record = read(source(write(tmp_path / name, RUNS))).evidence.records[0]
    found = record.measurement
    assert (found.value, found.n, found.clusters, found.binary) == (0.25, 2, 1, False)
    assert found.attempts == 1.5
    assert found.clustered
    assert found.standard_error is None, "one family says nothing about the spread between families"
    assert record.quality == "recomputable"
    assert record.counts.scored == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score_binarized": 1.5}, "score_binarized"),
        ({"score_binarized": "high"}, "score_binarized"),
        ({"human_minutes": 0}, "human_minutes"),
        ({"human_minutes": -3}, "human_minutes"),
        ({"task_id": ""}, "task_id is empty"),
        ({"alias": " "}, "alias is empty"),
        ({"run_id": "r0", "task_id": "a/1"}, "is there already (line"),
    ],
)
@pytest.mark.parametrize(("name", "write", "line"), [(*WRITERS[0], 3), (*WRITERS[1], 4)])
def test_a_bad_row_is_refused_with_its_line(tmp_path, change, message, name, write, line):
    path = write(tmp_path / name, [*RUNS[:2], RUNS[2] | change, RUNS[3]])
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    [problem] = caught.value.problems
    assert (problem.code, problem.where.line) == ("EVI002", line)
    assert message in problem.message


def test_a_bad_parquet_row_is_refused_with_its_number(tmp_path):
    path = write_parquet(tmp_path / "runs.parquet", [RUNS[0], RUNS[1] | {"score_binarized": 7}])
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    assert [(p.code, p.where.line) for p in caught.value.problems] == [("EVI002", 2)]


def test_all_bad_rows_are_listed_up_to_a_limit_and_then_counted(tmp_path):
    rows = [run(score=2, n=i) for i in range(run_table.MAX_BAD_ROWS + 7)]
    with pytest.raises(EvidenceError) as caught:
        read_run_table(write_jsonl(tmp_path / "t.jsonl", rows))
    *listed, last = caught.value.problems
    assert [problem.where.line for problem in listed] == list(range(1, run_table.MAX_BAD_ROWS + 1))
    assert "7 more bad rows" in last.message


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('{"task_id": "a", "model": "m", "score": 1}\n{"task_id": "a", ', 2, 18, "not JSON"),
        ('{"task_id": "a", "model": "m", "score": 1}\n[1]\n', 2, None, "expected a JSON object"),
        ('{"task_id": "a", "task_id": "b", "model": "m", "score": 1}\n', 1, None, "'task_id' occurs twice"),
        ('\n\n{"task_id": "a", "score": 1}\n', 3, None, "a column is missing: alias or model"),
        ('{"task_id": "a", "model": "m", "score": 1}\n{"task_id": "b", "score": 1}\n', 2, None, "model is missing"),
        ('{"task_id": "a", "score": 1, "x": ' + "[" * 5000 + "]" * 5000 + "}\n", 1, None, "nested"),
        ('{"task_id": "a", "score": 1, "x": ' + "[" * 300 + "]" * 300 + "}\n", 1, None, "nested deeper than 200"),
        ('{"task_id": "a", "score": ' + "9" * 5000 + "}\n", 1, None, "not acceptable JSON"),
    ],
)
def test_malformed_json_lines_are_refused_with_position(tmp_path, text, line, column, message):
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    problem = caught.value.problems[0]
    assert (problem.code, problem.where.line, problem.where.column) == ("EVI002", line, column)
    assert message in problem.message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (b"task_id,model,score\na,m,1\nb,m\n", 3, "2 cells; the header has 3"),
        (b"task_id,model,model\na,m,1\n", 1, "same name"),
        (b'task_id,model,score\na,m,1\n"b,m,1\n', 3, "not CSV"),
        (b"task_id,model,score\na,m,\xff\n", 1, "not UTF-8"),
        (b"task_id,model\na,m\n", 2, "a column is missing"),
        (b"task_id,model,score\n", None, "no rows"),
    ],
)
def test_malformed_csv_is_refused_with_its_line(tmp_path, text, line, message):
    path = tmp_path / "t.csv"
    path.write_bytes(text)
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    problem = caught.value.problems[0]
    assert (problem.code, problem.where.line) == ("EVI002", line)
    assert message in problem.message


def test_text_that_is_not_utf8_is_refused_with_line_and_column(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"task_id": "a", "model": "m", "score": 1}\n{"task_id": "\xff"}\n')
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    problem = caught.value.problems[0]
    assert (problem.code, problem.where.line, problem.where.column) == ("EVI002", 2, 14)


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1" + b"\x00" * 100 + b"PAR1")
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    assert caught.value.problems[0].code == "EVI002"


@pytest.mark.parametrize("limit", ["MAX_STREAM_BYTES", "MAX_LINE_BYTES", "MAX_RUNS"])
def test_what_is_larger_than_a_limit_is_refused(tmp_path, monkeypatch, limit):
    path = write_jsonl(tmp_path / "t.jsonl", RUNS)
    monkeypatch.setattr(run_table, limit, 3)
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    assert caught.value.problems[0].code == "EVI003"


@pytest.mark.parametrize("limit", ["MAX_RUNS", "MAX_PARQUET_BYTES"])
def test_a_parquet_file_is_measured_before_it_is_expanded(tmp_path, monkeypatch, limit):
    path = write_parquet(tmp_path / "t.parquet", RUNS)
    monkeypatch.setattr(run_table, limit, 3)
    with pytest.raises(EvidenceError, match="the limits are"):
        read_run_table(path)


def test_an_unknown_suffix_is_no_run_table(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("task_id")
    assert not run_table.recognises(path, b"task_id")
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    assert caught.value.problems[0].code == "EVI001"


def test_runs_without_a_score_stay_and_count_at_the_worst_case(tmp_path):
    rows = [run(score=0, n=0), run(score=None, n=1), run("a/2", 1, n=2)]
    path = write_jsonl(tmp_path / "t.jsonl", rows)
    assert math.isnan(read_run_table(path).score[1])
    assert len(read_run_table(path).scored) == 2
    [record] = read(source(path)).evidence.records
    assert record.measurement.value == 0.5
    assert record.measurement.worst_case == 0.75
    assert record.counts.unscored == 1
    assert [remark.code for remark in record.remarks] == ["EVI008"]


def test_two_aliases_of_one_model_are_kept_apart(tmp_path):
    rows = [run(n=0, alias="old", model="x"), run(n=1, alias="new", model="x")]
    assert set(tables_by_model(read_run_table(write_jsonl(tmp_path / "t.jsonl", rows)))) == {"old", "new"}


def test_the_binarised_score_is_preferred_and_a_continuous_one_is_not_binary(tmp_path):
    rows = [run(n=0) | {"score": 0.3}]
    assert read_run_table(write_jsonl(tmp_path / "t.jsonl", rows)).score.tolist() == [1]
    rows = [{"task_id": "a", "model": "m", "score": 0.3}, {"task_id": "b", "model": "m", "score": 1.0}]
    [record] = read(source(write_jsonl(tmp_path / "u.jsonl", rows))).evidence.records
    assert (record.measurement.value, record.measurement.binary) == (0.65, False)


def test_human_runs_make_no_record_and_say_so(tmp_path):
    path = write_jsonl(tmp_path / "t.jsonl", [run(n=0), run(n=1, alias="human")])
    found = read(source(path))
    assert [record.subject.model for record in found.evidence.records] == ["m"]
    assert "1 runs of people" in found.notices[0].message
    assert "human" in tables_by_model(read_run_table(path))


def test_days_come_from_seconds_milliseconds_and_text(tmp_path):
    rows = [
        run(n=0, completed_at=1734071923976),
        run(n=1, completed_at=1734071923),
        run(n=2, completed_at="2025-01-02"),
    ]
    table = read_run_table(write_jsonl(tmp_path / "t.jsonl", rows))
    assert table.finished.tolist() == ["2024-12-13", "2024-12-13", "2025-01-02"]


def test_importing_twice_gives_the_same_records_and_other_files_other_ids(tmp_path):
    one, other = write_jsonl(tmp_path / "t.jsonl", RUNS), write_jsonl(tmp_path / "u.jsonl", RUNS[:3])
    assert read(source(one)) == read(source(one))
    ids = [record.id for path in (one, other) for record in read(source(path)).evidence.records]
    assert len(set(ids)) == len(ids) == 3


def test_what_a_person_declares_enters_the_record(tmp_path):
    declared = Declared(
        model="model-x",
        snapshot="s1",
        variant="helpful_only",
        thresholds=("p#t",),
        elicitation=Elicitation(elements=("fine_tuning",)),
        evaluator="A",
        independent=True,
    )
    record = read(source(write_jsonl(tmp_path / "t.jsonl", RUNS[:3]), declared)).evidence.records[0]
    assert (record.subject.model, record.subject.snapshot, record.subject.variant) == ("model-x", "s1", "helpful_only")
    assert (record.evaluator.name, record.evaluator.relation) == ("A", "independent")
    assert (record.elicitation.elements, record.elicitation.basis) == (("fine_tuning",), "declared")
    assert record.thresholds == ("p#t",)


def test_one_declared_model_is_not_given_to_several(tmp_path):
    with pytest.raises(EvidenceError, match="the file has 2: k, m") as caught:
        read(source(write_jsonl(tmp_path / "t.jsonl", RUNS), Declared(model="x")))
    assert caught.value.problems[0].code == "EVI002"


@pytest.mark.parametrize(
    ("cell", "score"),
    [("1", 1), ("0.25", 0.25), ("True", 1), ("false", 0), ("", math.nan), ("NaN", math.nan), (" 1 ", 1)],
)
def test_cells_of_csv_are_read_as_numbers(tmp_path, cell, score):
    path = tmp_path / "t.csv"
    path.write_text(f"task_id,model,score,completed_at\na,m,{cell},1734071923976\n\n")
    table = read_run_table(path)
    assert np.array_equal(table.score, [score], equal_nan=True)
    assert table.finished.tolist() == ["2024-12-13"]


@pytest.mark.parametrize("cell", ["inf", "1e999", "one", "-0.1"])
def test_cells_of_csv_that_are_no_score_are_refused(tmp_path, cell):
    path = tmp_path / "t.csv"
    path.write_text(f"task_id,model,score\na,m,{cell}\n")
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    assert [(p.code, p.where.line) for p in caught.value.problems] == [("EVI002", 2)]


def test_times_in_parquet_are_days(tmp_path):
    path = write_parquet(tmp_path / "t.parquet", [run(n=0, completed_at=datetime(2025, 1, 2, 3, tzinfo=UTC))])
    assert read_run_table(path).finished.tolist() == ["2025-01-02"]


@pytest.mark.parametrize("value", [None, "soon", -1, 1e300, 10**400, [], 0])
def test_what_is_no_time_is_no_day(value):
    assert run_table.day_in(value) is None


def test_progress_is_told_while_lines_are_read(tmp_path):
    path, told = tmp_path / "t.jsonl", []
    path.write_text("{}\n" * 2500)
    bad = run_table.BadRows("t.jsonl")
    assert len(list(run_table.json_lines(path, bad, lambda done, total: told.append((done, total))))) == 2500
    assert told == [(1000, None), (2000, None)]


def test_the_worst_case_of_what_is_no_fraction_is_not_known():
    recount = Recount()
    recount.add(SampleRow("a", 1, "s", 7.0))
    assert (recount.summary().value, recount.summary().worst_case) == (7, None)


TASK_RESULTS = """\
agents:
  m:
    tasks:
    - {task_id: a/1, human_minutes: 10, n_successes: 2, n_runs: 3, task_weight: 0.5}
    - {task_id: b/1, human_minutes: 0.5, n_successes: 0, n_runs: 1, task_weight: 1}
"""


def test_successes_and_attempts_per_task_become_runs(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(TASK_RESULTS)
    assert recognise(path) == "run-table"
    table = read_run_table(path)
    assert table.score.tolist() == [1, 1, 0, 0]
    assert table.family.tolist() == ["a", "a", "a", "b"]
    assert np.allclose(table.weight, [0.5 / 3] * 3 + [1])


@pytest.mark.parametrize(
    "row",
    [
        "{task_id: b/1, human_minutes: 1, n_successes: 4, n_runs: 3, task_weight: 1}",
        "{task_id: b/1, human_minutes: 0, n_successes: 1, n_runs: 3, task_weight: 1}",
        "{task_id: a/1, human_minutes: 1, n_successes: 1, n_runs: 3, task_weight: 1}",
        "{human_minutes: 1, n_successes: 1, n_runs: 3, task_weight: 1}",
        "{task_id: b/1, human_minutes: 1, n_successes: 0, n_runs: 5000001, task_weight: 1}",
    ],
)
def test_a_bad_task_result_is_refused_with_position(tmp_path, row):
    path = tmp_path / "t.yaml"
    path.write_text("\n".join(TASK_RESULTS.splitlines()[:4]) + f"\n    - {row}\n")
    with pytest.raises(TidegateError) as caught:
        read_run_table(path)
    [problem] = caught.value.problems
    assert (problem.code, problem.where.line, problem.where.column) == ("EVI002", 5, 7)


def test_scores_nested_by_model_and_task_become_runs_without_minutes(tmp_path):
    tasks = {"t": {"runs": [{"run_id": 1, "score": 0.5}, {"run_id": 2, "score": 1}]}}
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"tasks": ["t"], "models": {"m": {"tasks": tasks}}}))
    assert recognise(path) == "run-table"
    table = read_run_table(path)
    assert table.score.tolist() == [0.5, 1]
    assert len(table.with_minutes) == 0
    path.write_text(json.dumps({"models": {"m": {"tasks": {"t": {"runs": [{"run_id": 1, "score": 3}]}}}}}))
    with pytest.raises(EvidenceError, match="models / m / t / run 1"):
        read_run_table(path)


@pytest.mark.parametrize(("name", "text"), [("t.yaml", "a: 1\n"), ("t.json", "{}")])
def test_a_document_of_another_shape_is_refused(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(EvidenceError) as caught:
        read_run_table(path)
    assert (caught.value.problems[0].code, caught.value.problems[0].where.line) == ("EVI002", 1)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 1.0, None])), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_the_worst_case_is_never_below_the_figure(attempts, more):
    recount, seen = Recount(), {}
    for unit, value in attempts:
        seen[unit] = seen.get(unit, 0) + 1
        recount.add(SampleRow(str(unit), seen[unit], "s", value))
    summary = recount.summary(planned=len(attempts) + more)
    if summary.value is not None:
        assert summary.value <= summary.worst_case <= 1
        if not more and all(value is not None for _, value in attempts):
            assert summary.worst_case == pytest.approx(summary.value)


def test_half_a_surrogate_pair_does_not_break_an_import(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"task_id": "a\\ud83d", "model": "m", "score": 1}\n')
    assert read(source(path)).evidence.digest
    assert read_run_table(path).task.tolist() == ["a?"]


# --- the real tables ---------------------------------------------------------------------------------------


def test_metr_runs(shared):
    path = shared / "data/horizon/metr_runs_2025-02-27.jsonl"
    assert run_table.recognises(path, path.read_bytes()[:HEAD_BYTES])
    table = read_run_table(path)
    by_model = {model: len(runs) for model, runs in tables_by_model(table).items()}
    assert by_model["o1"] == 1014
    assert (by_model["Claude 3.5 Sonnet (Old)"], by_model["Claude 3.5 Sonnet (New)"]) == (845, 802)
    assert (sum(by_model.values()), len(by_model)) == (7063, 11)
    assert (len(set(table.task.tolist())), len(set(table.family.tolist()))) == (83, 36)
    assert (table.human_minutes.min(), round(table.human_minutes.max())) == (1, 1393)
    assert int(table.score.sum()) == 2129
    records = {record.subject.model: record for record in read(source(path)).evidence.records}
    assert len(records) == 10
    # An independent route to one figure: the mean over tasks of the mean over runs, straight from the file.
    scores: dict[str, list[int]] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["alias"] == "o1":
            scores.setdefault(row["task_id"], []).append(row["score_binarized"])
    expected = sum(sum(values) / len(values) for values in scores.values()) / len(scores)
    found = records["o1"].measurement
    assert found.value == pytest.approx(expected)
    assert (found.n, found.clusters, found.worst_case) == (len(scores), 36, pytest.approx(expected))


def test_metr_task_results(shared):
    table = read_run_table(shared / "data/horizon/metr_task_results_gpt-5.4.yaml")
    assert (len(set(table.task.tolist())), len(set(table.family.tolist()))) == (228, 79)
    # METR's task weight is one over the square root of the family's size; it is printed to three digits.
    sizes = {family: len(set(table.task[table.family == family].tolist())) for family in table.family.tolist()}
    for task in set(table.task.tolist()):
        runs = table.where(table.task == task)
        assert runs.weight.sum() == pytest.approx(sizes[runs.family[0]] ** -0.5, abs=6e-4)


def test_weirdml_results_agree_with_their_printed_averages(shared):
    path = shared / "data/horizon/weirdml_results.json"
    printed = json.loads(path.read_text())["models"]
    found = read(source(path)).evidence.records
    assert len(found) == 87
    assert len(read_run_table(path)) == 7484
    for record in found:
        average = printed[record.subject.model]["aggregate_scores"]["avg_acc"]
        assert record.measurement.value == pytest.approx(average, abs=1e-3)


def test_writing_a_real_table_as_csv_loses_nothing(shared, tmp_path):
    original = shared / "data/horizon/metr_runs_2025-02-27.jsonl"
    rows = [json.loads(line) for line in original.read_text().splitlines()]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path = Path(tmp_path / original.name).with_suffix(".csv")
    path.write_text(buffer.getvalue(), newline="")
    one, other = read_run_table(original), read_run_table(path)
    assert all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name in ("human_minutes", "score", "weight"))
        for name in one.__dataclass_fields__
    )


@pytest.mark.parametrize("name", ["t" * 501, "a\0"], ids=["long", "null"])
def test_names_that_would_fill_the_memory_or_merge_are_refused(tmp_path, name):
    with pytest.raises(EvidenceError) as caught:
        read_run_table(write_jsonl(tmp_path / "runs.jsonl", [*RUNS, run(name, n=9)]))
    assert (caught.value.problems[0].code, caught.value.problems[0].where.line) == ("EVI002", 5)
    nested = {"models": {name: {"tasks": {"t": {"runs": [{"score": 1}]}}}}}
    (tmp_path / "runs.json").write_text(json.dumps(nested))
    with pytest.raises(EvidenceError, match="a name"):
        read_run_table(tmp_path / "runs.json")
