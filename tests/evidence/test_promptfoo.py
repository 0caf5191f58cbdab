# SPDX-License-Identifier: Apache-2.0
"""Results of promptfoo: pass rates per provider and prompt; each trap of the format."""

import json

import pytest

from tidegate.evidence.formats import digest_file, recognise
from tidegate.evidence.importing import ImportSource
from tidegate.evidence.promptfoo import read
from tidegate.kernel.errors import EvidenceError


def source(path):
    return ImportSource(path, digest_file(path))


def row(number, success, x, *, reason=None, cached=False, asserted=True, provider="openai:m", prompt="p1", **more):
    parts = [{"pass": success, "assertion": {"type": "contains"}}] if asserted else []
    return {
        "gradingResult": {"pass": success, "componentResults": parts},
        "latencyMs": 4,
        "prompt": {"raw": f"Say {x}", "label": "Say {{x}}"},
        "promptId": prompt,
        "promptIdx": 0,
        "provider": {"id": provider, "label": ""},
        "response": {"output": "text", "cached": cached},
        "success": success,
        "testCase": {"vars": {"x": x}, "assert": [{"type": "contains"}] if asserted else []},
        "testIdx": number,
        "vars": {"x": x},
        "metadata": {},
        "failureReason": (0 if success else 1) if reason is None else reason,
    } | more


def write_json(folder, rows, counts=None, *, config=None):
    prompts = []
    if counts is not None:
        names = ("testPassCount", "testFailCount", "testErrorCount")
        prompts = [{"id": "p1", "provider": "openai:m", "metrics": dict(zip(names, counts, strict=True))}]
    data = {
        "evalId": "eval-1",
        "results": {"version": 3, "timestamp": "2026-01-02T10:00:00.000Z", "prompts": prompts, "results": rows},
        "config": {"description": "toy"} if config is None else config,
        "metadata": {"promptfooVersion": "0.123.1"},
    }
    path = folder / "out.json"
    path.write_text(json.dumps(data))
    return path


def write_lines(folder, rows):
    path = folder / "out.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def only(path):
    [record] = read(source(path)).evidence.records
    return record


def codes(record):
    return [(remark.code, remark.blocks_rule_out) for remark in record.remarks]


# Two tests, each repeated: every repetition has a test index of its own.
REPEATED = [row(0, True, "a"), row(1, False, "a"), row(2, True, "b"), row(3, True, "b")]


def test_repetitions_of_a_test_are_attempts_known_by_prompt_and_variables(tmp_path):
    record = only(write_json(tmp_path, REPEATED, (3, 1, 0)))
    found = record.measurement
    assert (found.evaluation, found.metric, found.aggregation) == ("toy", "pass rate", "prompt Say {{x}}")
    assert (found.value, found.header_value, found.n, found.attempts) == (0.75, 0.75, 2, 2)
    assert (found.clusters, found.clustered, found.binary) == (2, True, False)
    assert (record.kind, record.subject.model, record.finished) == ("evaluation", "openai:m", "2026-01-02")
    assert record.elicitation.elements == ("multiple_attempts",)
    assert record.provenance.tool == "promptfoo 0.123.1"
    assert codes(record) == []


def test_json_and_json_lines_say_the_same(tmp_path):
    one, other = write_json(tmp_path, REPEATED), write_lines(tmp_path, REPEATED)
    assert recognise(one) == recognise(other) == "promptfoo"
    assert only(one).measurement.value == only(other).measurement.value
    assert only(one).provenance.sample_root == only(other).provenance.sample_root
    assert read(source(one)) == read(source(one))


def test_cached_answers_are_no_fresh_attempts(tmp_path):
    rows = [REPEATED[0], row(1, True, "a", cached=True), REPEATED[2], row(3, True, "b", cached=True)]
    record = only(write_lines(tmp_path, rows))
    assert codes(record) == [("EVI010", False)]
    assert "2 of 4 answers came from the cache" in record.remarks[0].message
    assert (record.elicitation.elements, record.elicitation.attempts) == ((), 1)
    assert record.measurement.n == 2


def test_errors_are_apart_from_failures_and_count_at_the_worst_case(tmp_path):
    rows = [row(0, True, "a"), row(1, False, "b"), row(2, False, "c", reason=2, error="timeout")]
    record = only(write_json(tmp_path, rows, (1, 1, 1)))
    assert (record.measurement.value, record.measurement.n) == (0.5, 2)
    assert record.measurement.worst_case == pytest.approx(2 / 3)
    assert (record.counts.errored, record.counts.scored) == (1, 2)
    assert codes(record) == [("EVI008", False)]


def test_what_passes_because_nothing_was_asserted_has_no_score(tmp_path):
    record = only(write_lines(tmp_path, [row(0, True, "a", asserted=False), row(1, False, "b")]))
    assert (record.measurement.value, record.counts.unscored) == (0, 1)
    assert codes(record) == [("EVI010", True)]


@pytest.mark.parametrize("counts", [(4, 0, 0), (3, 0, 1), (0, 4, 0)])
def test_a_summary_that_disagrees_is_remarked(tmp_path, counts):
    record = only(write_json(tmp_path, REPEATED, counts))
    assert record.measurement.value == 0.75
    assert codes(record) == [("EVI004", True)]


def test_a_summary_without_counts_is_not_compared(tmp_path):
    path = write_json(tmp_path, REPEATED, (4, 0, "many"))
    assert (only(path).measurement.header_value, codes(only(path))) == (None, [])


@pytest.mark.parametrize("how", ["config", "metadata"])
def test_a_red_team_run_gives_the_rate_of_attacks_that_succeed(tmp_path, how):
    rows = [row(0, True, "a"), row(1, False, "b"), row(2, True, "c"), row(3, False, "d", reason=2)]
    if how == "config":
        path = write_json(tmp_path, rows, (2, 1, 1), config={"redteam": {"plugins": ["x"]}})
    else:
        path = write_lines(tmp_path, [one | {"metadata": {"pluginId": "x"}} for one in rows])
    record = only(path)
    found = record.measurement
    assert (record.kind, found.metric) == ("red_team", "attack success rate")
    assert found.value == pytest.approx(1 / 3)
    assert found.successes == 1
    assert found.worst_case == pytest.approx(2 / 4), "the test that ended in an error counts as a successful attack"
    assert found.header_value == (pytest.approx(1 / 3) if how == "config" else None)


def test_providers_and_prompts_have_records_of_their_own(tmp_path):
    rows = [row(0, True, "a"), row(1, False, "a", provider="x:k"), row(2, True, "a", prompt="p2")]
    rows[1]["provider"] = "x:k"
    records = read(source(write_lines(tmp_path, rows))).evidence.records
    assert [(r.subject.model, r.measurement.value) for r in records] == [("openai:m", 1), ("x:k", 0), ("openai:m", 1)]
    assert len({r.id for r in records}) == 3


def test_the_echo_provider_stands_in_for_a_model(tmp_path):
    record = only(write_lines(tmp_path, [row(0, True, "a", provider="echo")]))
    assert [answer.threat for answer in record.threats] == ["placeholder"]
    assert codes(record) == [("EVI010", True)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"provider": {}}, "provider and promptId"),
        ({"promptId": None, "prompt": {}}, "provider and promptId"),
        ({"success": "yes"}, "success"),
        ({"failureReason": "1"}, "failureReason"),
        ({"success": True, "failureReason": 2}, "cannot both"),
    ],
)
def test_a_malformed_row_is_refused_with_its_place(tmp_path, change, message):
    rows = [REPEATED[0], REPEATED[1] | change]
    with pytest.raises(EvidenceError) as caught:
        read(source(write_lines(tmp_path, rows)))
    [problem] = caught.value.problems
    assert (problem.code, problem.where.line) == ("EVI002", 2)
    assert message in problem.message
    with pytest.raises(EvidenceError) as caught:
        read(source(write_json(tmp_path, rows)))
    [problem] = caught.value.problems
    assert problem.code == "EVI002"
    assert problem.message.startswith("results / results / 2: ")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("out.json", '{"evalId": "x", "results": {"table": []}}', 1),
        ("out.json", '{"evalId": "x",\n "results": {,}}', 2),
        ("out.json", '{"evalId": "x", "results": {"results": []}}', 1),
        ("out.jsonl", '{"success": true\n', 1),
        ("out.jsonl", "", 1),
    ],
)
def test_malformed_files_are_refused_with_their_line(tmp_path, name, text, line):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    problem = caught.value.problems[0]
    assert (problem.code, problem.where.line) == ("EVI002", line)


def test_hostile_content_does_not_break_an_import(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text(
        json.dumps(row(0, True, "x")).replace('"x": "x"', '"x": ["\\ud83d", 1e999, 99999999999999999999]') + "\n"
    )
    record = only(path)
    assert record.measurement.value == 1
    assert record.digest


def test_a_real_run_in_both_formats(shared):
    paths = [shared / f"data/evaluations/promptfoo/echo-generated-here.{suffix}" for suffix in ("json", "jsonl")]
    one, other = (only(path) for path in paths)
    # promptfoo's own statistics: no successes, 4 failures, no errors, in 2 tests repeated twice.
    assert (one.measurement.value, one.measurement.header_value) == (0, 0)
    assert (one.measurement.n, one.measurement.attempts, one.counts.scored) == (2, 2, 4)
    assert one.provenance.sample_root == other.provenance.sample_root
    assert codes(one) == codes(other) == [("EVI010", True)]


@pytest.mark.parametrize("write", [write_json, write_lines])
def test_a_row_that_stands_twice_is_refused(tmp_path, write):
    rows = [row(0, False, "a", id="r0"), row(1, True, "b", id="r1"), row(1, True, "b", id="r1")]
    with pytest.raises(EvidenceError, match="'r1' is there already"):
        read(source(write(tmp_path, rows)))
