# SPDX-License-Identifier: Apache-2.0
"""Reports of garak: hits are recomputed from the attempts; each trap of the format."""

import json

import pytest

from tidegate.evidence.formats import digest_file, recognise
from tidegate.evidence.garak import read
from tidegate.evidence.importing import ImportSource
from tidegate.kernel.errors import EvidenceError


def source(path):
    return ImportSource(path, digest_file(path))


SETUP = {
    "entry_type": "start_run setup",
    "plugins.target_type": "openai",
    "plugins.target_name": "m",
    "run.generations": 2,
}
INIT = {"entry_type": "init", "garak_version": "0.17.1", "start_time": "2026-01-02T10:00:00"}
END = {"entry_type": "completion", "end_time": "2026-01-03T10:00:00"}


def attempt(number, scores, status=2, detector="d.D", **more):
    return {
        "entry_type": "attempt",
        "uuid": f"u{number}",
        "seq": number,
        "status": status,
        "probe_classname": "p.P",
        "prompt": {"turns": [{"content": {"text": f"prompt {number}"}}]},
        "detector_results": {detector: scores} if status == 2 else {},
    } | more


def judged(passed, fails, nones=0, **more):
    counts = {"passed": passed, "fails": fails, "nones": nones, "total_evaluated": passed + fails}
    return {"entry_type": "eval", "probe": "p.P", "detector": "d.D", **counts, **more}


def write(folder, *rows):
    path = folder / "x.report.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def only(path):
    [record] = read(source(path)).evidence.records
    return record


def codes(record):
    return [(remark.code, remark.blocks_rule_out) for remark in record.remarks]


ATTEMPTS = [attempt(0, [1.0, 0.0]), attempt(1, [0.0, 0.0]), attempt(2, [0.5, 0.4]), attempt(3, [0.0, 0.0])]


def test_hits_are_recomputed_from_the_judged_attempts(tmp_path):
    sent = [attempt(number, [], status=1, detector_results={"d.D": [1.0, 1.0]}) for number in range(4)]
    path = write(tmp_path, SETUP, INIT, *sent, *ATTEMPTS, judged(6, 2), END)
    assert recognise(path) == "garak"
    record = only(path)
    found = record.measurement
    assert (record.kind, found.metric, found.evaluation) == ("red_team", "attack success rate", "p.P/d.D")
    assert (found.value, found.header_value, found.worst_case) == (0.25, 0.25, 0.25)
    assert (found.n, found.n_kind, found.attempts, found.clustered) == (4, "prompts", 2, True)
    assert (record.counts.planned, record.counts.scored) == (8, 8), "each attempt is written twice and counted once"
    assert record.criteria == ()
    assert (record.quality, record.subject.model) == ("recomputable", "m")
    assert (record.started, record.finished) == ("2026-01-02", "2026-01-03")
    assert record.elicitation.elements == ("multiple_attempts",)
    assert codes(record) == []


@pytest.mark.parametrize(("stated", "hits"), [(None, 2), (0.4, 3), (0.6, 1)])
def test_the_threshold_is_half_unless_stated(tmp_path, stated, hits):
    setup = SETUP if stated is None else SETUP | {"run.eval_threshold": stated}
    found = read(source(write(tmp_path, setup, INIT, *ATTEMPTS, END)))
    assert found.evidence.records[0].measurement.value == hits / 8
    assert found.evidence.records[0].measurement.parameters == {"hit_threshold": stated or 0.5}
    assert bool(found.notices) is (stated is None)


def test_the_old_format_counts_passed_of_total(tmp_path):
    old = {"entry_type": "eval", "probe": "p.P", "detector": "detector d.D", "passed": 6, "total": 8}
    setup = {"entry_type": "start_run setup", "plugins.model_type": "openai", "plugins.model_name": "old-m"}
    record = only(write(tmp_path, setup, INIT, old, END))
    assert (record.measurement.value, record.measurement.evaluation) == (0.25, "p.P/d.D")
    assert (record.subject.model, record.quality) == ("old-m", "reported")


def test_the_interval_is_for_the_failure_rate(tmp_path):
    ends = {"confidence_method": "bootstrap", "confidence": "0.95", "confidence_lower": 0.14, "confidence_upper": 0.38}
    record = only(write(tmp_path, SETUP, INIT, judged(37, 13, **ends), END))
    interval = record.measurement.interval
    assert (interval.low, interval.high, interval.kind, interval.level) == (0.14, 0.38, "bootstrap", 0.95)
    assert interval.low < record.measurement.value < interval.high
    assert codes(record) == []
    record = only(write(tmp_path, SETUP, INIT, judged(13, 37, **ends), END))
    assert codes(record) == [("EVI004", True)]


def test_an_interval_of_unknown_level_is_kept_without_one(tmp_path):
    ends = {"confidence": [], "confidence_lower": 0.1, "confidence_upper": 0.4}
    interval = only(write(tmp_path, SETUP, INIT, judged(6, 2, **ends), END)).measurement.interval
    assert (interval.kind, interval.level, interval.is_confidence) == ("confidence", None, False)


@pytest.mark.parametrize("generations", [1, 5])
def test_stated_outputs_are_independent_only_if_there_was_one_per_prompt(tmp_path, generations):
    record = only(write(tmp_path, SETUP | {"run.generations": generations}, INIT, judged(8, 2, nones=2), END))
    assert (record.measurement.n, record.measurement.binary) == (10, generations == 1)
    assert record.measurement.worst_case == pytest.approx(4 / 12)
    assert record.counts.unscored == 2


def test_a_report_without_completion_was_cut_off(tmp_path):
    record = only(write(tmp_path, SETUP, INIT, *ATTEMPTS))
    assert codes(record) == [("EVI008", True)]
    assert "completion" in record.remarks[0].message


def test_attempts_sent_and_never_judged_count_at_the_worst_case(tmp_path):
    record = only(write(tmp_path, SETUP, INIT, *ATTEMPTS, attempt(9, [], status=1), END))
    assert (record.counts.planned, record.counts.missing) == (10, 2)
    assert record.measurement.worst_case == pytest.approx(4 / 10)
    assert codes(record) == [("EVI008", True)]


def test_outputs_without_a_score_count_at_the_worst_case(tmp_path):
    record = only(write(tmp_path, SETUP, INIT, attempt(0, [None, 0.0]), attempt(1, [0.0, 0.0]), judged(3, 0, 1), END))
    assert (record.measurement.value, record.measurement.worst_case) == (0, 0.25)
    assert record.counts.unscored == 1
    assert codes(record) == []


@pytest.mark.parametrize("stated", [judged(37, 13), judged(7, 1), judged(6, 2, nones=1)])
def test_an_eval_line_that_disagrees_with_the_attempts_is_remarked(tmp_path, stated):
    record = only(write(tmp_path, SETUP, INIT, *ATTEMPTS, stated, END))
    assert codes(record) == [("EVI004", True)]
    assert record.measurement.value == 0.25
    assert record.measurement.header_value == stated["fails"] / stated["total_evaluated"]
    assert record.measurement.interval is None


def test_fewer_answers_than_asked_for_are_not_taken_for_elicitation(tmp_path):
    record = only(write(tmp_path, SETUP | {"run.generations": 5}, INIT, attempt(0, [0.0]), attempt(1, [0.0]), END))
    assert (record.elicitation.elements, record.elicitation.attempts) == ((), 1)
    assert codes(record) == [("EVI008", False)]


def test_the_test_generator_stands_in_for_a_model(tmp_path):
    setup = SETUP | {"plugins.target_type": "test.Blank", "plugins.target_name": None}
    record = only(write(tmp_path, setup, INIT, *ATTEMPTS, END))
    assert record.subject.model == "test.Blank"
    assert [answer.threat for answer in record.threats] == ["placeholder"]
    assert ("EVI010", True) in codes(record)


def test_each_probe_and_detector_has_a_record_of_its_own(tmp_path):
    rows = [attempt(0, [1.0]), attempt(1, [0.0], detector="e.E")]
    records = read(source(write(tmp_path, SETUP, INIT, *rows, END))).evidence.records
    assert [(r.measurement.evaluation, r.measurement.value) for r in records] == [("p.P/d.D", 1), ("p.P/e.E", 0)]
    assert len({r.id for r in records}) == 2
    assert read(source(write(tmp_path, SETUP, INIT, *rows, END))).evidence.records == records


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"status": 2}, "entry_type is missing"),
        (attempt(0, [0.0], status=3), "status of 0, 1 or 2"),
        (attempt(0, 0.0), "expected a list of scores"),
        (attempt(0, [2.0]), "scores from 0 to 1"),
        (attempt(0, ["1"]), "scores from 0 to 1"),
        (attempt(0, [0.0], detector_results=[]), "detector_results"),
        ({"entry_type": "eval", "passed": 1, "total": 2}, "probe and detector"),
        ({"entry_type": "eval", "probe": "p", "detector": "d", "passed": "1", "total": 2}, "whole numbers"),
        ({"entry_type": "eval", "probe": "p", "detector": "d", "passed": 3, "total": 2}, "does not make sense"),
        (judged(6, 2) | {"fails": 1}, "do not add up"),
        (judged(6, 2, confidence_lower=14, confidence_upper=38), "confidence_lower"),
        (SETUP | {"run.eval_threshold": 7}, "run.eval_threshold"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number(tmp_path, row, message):
    path = write(tmp_path, SETUP, INIT, row, END)
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    [problem] = caught.value.problems
    assert (problem.code, problem.where.line) == ("EVI002", 3)
    assert message in problem.message


def test_the_same_eval_line_twice_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match=r"is there already \(line 2\)"):
        read(source(write(tmp_path, SETUP, judged(6, 2), judged(6, 2))))


def test_a_cut_line_and_an_empty_report_are_refused(tmp_path):
    path = write(tmp_path, SETUP, INIT)
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    assert (caught.value.problems[0].code, caught.value.problems[0].where.line) == ("EVI002", 2)
    path.write_text(path.read_text() + '{"entry_type": "att')
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    problem = caught.value.problems[0]
    assert (problem.code, problem.where.line, problem.hint) == ("EVI002", 3, "the file may be cut off here")


@pytest.mark.parametrize(
    ("name", "model", "counts", "worst", "expected"),
    [
        ("report_test", "qwen2", (8, 8), 0, {("EVI008", False)}),
        ("quack", "test", (1, 1), 0, {("EVI010", True)}),
        ("test", "test", (8, 8), 0, {("EVI010", True)}),
        ("agg", "test", (1, 1), 0, {("EVI010", True), ("EVI008", True)}),
        ("test_with_ci", "test", (50, 4), 0.92, {("EVI010", True), ("EVI004", True)}),
    ],
)
def test_real_reports(shared, name, model, counts, worst, expected):
    path = shared / f"data/evaluations/garak/{name}.report.jsonl"
    record = read(source(path)).evidence.records[0]
    assert record.subject.model == model
    assert (record.counts.planned, record.counts.scored) == counts
    assert (record.measurement.value, record.measurement.worst_case) == (0, worst)
    assert set(codes(record)) == expected
    assert read(source(path)) == read(source(path))


def test_an_attempt_that_was_judged_twice_is_refused(tmp_path):
    with pytest.raises(EvidenceError, match="judged already") as caught:
        only(write(tmp_path, SETUP, INIT, attempt(0, [1.0, 0.0]), attempt(1, [0.0]), attempt(1, [0.0]), END))
    assert caught.value.problems[0].where.line == 5


@pytest.mark.parametrize("results", [{}, {"d.D": []}, {"e.E": [0.0, 0.0]}])
def test_a_judged_attempt_that_a_detector_did_not_score_is_counted(tmp_path, results):
    rows = (SETUP, INIT, attempt(0, [0.0, 0.0]), attempt(1, [], detector_results=results), END)
    record = read(source(write(tmp_path, *rows))).evidence.records[0]
    assert (record.measurement.value, record.measurement.worst_case) == (0.0, 0.5)
    assert record.counts.missing == 2
    assert codes(record) == [("EVI008", False)]
