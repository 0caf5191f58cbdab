# SPDX-License-Identifier: Apache-2.0
"""Results of lm-evaluation-harness: recomputed from samples, or reported; each trap of the format."""

import json

import pytest

from tidegate.evidence import lm_eval
from tidegate.evidence.formats import HEAD_BYTES, digest_file, recognise
from tidegate.evidence.importing import Declared, ImportSource
from tidegate.evidence.lm_eval import read
from tidegate.kernel.errors import EvidenceError

TIME = "2026-01-02T03-04-05.678"


def source(path, declared=None):
    return ImportSource(path, digest_file(path), declared or Declared())


def results(task="toy", metrics=None, **more):
    """A results file of version 0.4 with one task of four samples, two of them right."""
    return {
        "results": {
            task: {"alias": task, **({"acc,none": 0.5, "acc_stderr,none": 0.2887} if metrics is None else metrics)}
        },
        "group_subtasks": {task: []},
        "configs": {task: {"metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}]}},
        "versions": {task: 1.0},
        "n-shot": {task: 5},
        "higher_is_better": {task: {"acc": True}},
        "n-samples": {task: {"original": 4, "effective": 4}},
        "config": {"model": "hf", "model_args": "pretrained=org/m,revision=main", "model_sha": "abc", "limit": None},
        "git_hash": None,
        "date": 1768964383.86,
        "total_evaluation_time_seconds": "90000.5",
        "lm_eval_version": "0.4.13",
        "task_hashes": {task: "hash"},
        "model_source": "hf",
        "model_name": "org/m",
    } | more


def sample(doc, acc=1.0, chosen="none", **more):
    return {"doc_id": doc, "filter": chosen, "metrics": ["acc"], "resps": [["x"]], "acc": acc} | more


SAMPLES = [sample(0), sample(1), sample(2, 0.0), sample(3, False)]


def write(folder, data, samples=None, task="toy"):
    path = folder / f"results_{TIME}.json"
    path.write_text(json.dumps(data))
    if samples is not None:
        text = "".join(json.dumps(row) + "\n" for row in samples)
        (folder / f"samples_{task}_{TIME}.jsonl").write_text(text)
    return path


def only(path, declared=None):
    [record] = read(source(path, declared)).evidence.records
    return record


def codes(record):
    return [(remark.code, remark.blocks_rule_out) for remark in record.remarks]


def test_samples_beside_the_file_are_found_and_recomputed(tmp_path):
    record = only(write(tmp_path, results(), SAMPLES))
    found = record.measurement
    assert (found.evaluation, found.metric, found.unit, found.aggregation) == ("toy", "acc", "fraction", None)
    assert (found.value, found.n, found.successes, found.binary) == (0.5, 4, 2, True)
    assert found.header_value == 0.5
    assert found.standard_error == pytest.approx(0.288675, abs=1e-5)
    assert (record.quality, record.counts.planned, record.counts.missing) == ("recomputable", 4, 0)
    assert record.provenance.sample_root.startswith("sha256:")
    assert record.provenance.tool == "lm-evaluation-harness 0.4.13"
    assert (record.subject.model, record.subject.snapshot) == ("org/m", "abc")
    assert (record.started, record.finished) == ("2026-01-21", "2026-01-22")
    assert record.elicitation.statement == "5-shot"
    assert found.task_version == "1.0"
    assert codes(record) == []


def test_without_samples_the_figure_is_only_reported(tmp_path):
    found = read(source(write(tmp_path, results())))
    [record] = found.evidence.records
    assert (record.quality, record.measurement.value, record.measurement.n) == ("reported", 0.5, 4)
    assert (record.measurement.standard_error, record.counts) == (0.2887, None)
    assert "toy" in found.notices[0].message


def test_the_samples_file_leads_to_its_results_file(tmp_path):
    path = write(tmp_path, results(), SAMPLES)
    samples = tmp_path / f"samples_toy_{TIME}.jsonl"
    assert recognise(samples) == recognise(path) == "lm-eval"
    assert read(source(samples)).evidence == read(source(path)).evidence
    path.unlink()
    with pytest.raises(EvidenceError) as caught:
        read(source(samples))
    assert caught.value.problems[0].code == "EVI001"


def test_samples_of_another_run_are_not_taken(tmp_path):
    path = write(tmp_path, results())
    (tmp_path / "samples_toy_2026-01-02T03-04-06.678.jsonl").write_text(json.dumps(sample(0)))
    assert only(path).quality == "reported"


def test_a_task_name_is_no_path(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / f"samples_x_{TIME}.jsonl").write_text(json.dumps(sample(0)))
    assert only(write(tmp_path / "in", results("../samples_x"))).quality == "reported"


@pytest.mark.parametrize(
    ("header", "samples", "expected"),
    [
        (0.9, SAMPLES, [("EVI004", True)]),
        (0.5, SAMPLES[:2], [("EVI004", True), ("EVI004", True)]),
        (0.5, [*SAMPLES[1:3]], [("EVI004", True)]),
        (2 / 3, [*SAMPLES[:3], sample(3, None)], [("EVI008", False)]),
        (0.5, [*SAMPLES[:3], {"doc_id": 3, "filter": "none", "acc": 0.0}], []),
    ],
    ids=["other figure", "other figure and fewer samples", "fewer samples", "a sample without score", "older rows"],
)
def test_a_header_that_disagrees_with_the_samples_is_remarked(tmp_path, header, samples, expected):
    record = only(write(tmp_path, results(metrics={"acc,none": header, "acc_stderr,none": 0.1}), samples))
    assert codes(record) == expected
    assert record.measurement.header_value == header
    lost = record.counts.missing + record.counts.unscored
    right = sum(bool(row.get("acc")) for row in samples)
    assert record.measurement.worst_case == pytest.approx((right + lost) / 4)


def test_samples_without_the_metric_do_not_support_the_header(tmp_path):
    record = only(write(tmp_path, results(), [sample(0, chosen="other")]))
    assert (record.quality, codes(record)) == ("reported", [("EVI004", True)])


def test_a_standard_error_may_be_text_and_a_zero_is_none(tmp_path):
    for stderr in ("N/A", 0.0, float("nan")):
        record = only(write(tmp_path, results(metrics={"acc,none": 0.5, "acc_stderr,none": stderr})))
        assert (record.measurement.value, record.measurement.standard_error) == (0.5, None)


def test_a_limited_run_blocks_a_rule_out(tmp_path):
    data = results(**{"n-samples": {"toy": {"original": 400, "effective": 4}}})
    record = only(write(tmp_path, data, SAMPLES))
    assert codes(record) == [("EVI008", True)]
    assert "4 of 400" in record.remarks[0].message


def test_filters_are_measurements_of_their_own(tmp_path):
    metrics = {
        "exact_match,strict-match": 0.0,
        "exact_match,flexible-extract": 1.0,
        "exact_match_stderr,strict-match": 0.0,
    }
    rows = [
        {"doc_id": 0, "filter": name, "metrics": ["exact_match"], "exact_match": value}
        for name, value in (("strict-match", 0), ("flexible-extract", 1))
    ]
    data = results(metrics=metrics, **{"n-samples": {"toy": {"original": 1, "effective": 1}}})
    records = read(source(write(tmp_path, data, rows))).evidence.records
    assert {(r.measurement.aggregation, r.measurement.value, r.quality) for r in records} == {
        ("filter strict-match", 0.0, "recomputable"),
        ("filter flexible-extract", 1.0, "recomputable"),
    }
    assert len({record.id for record in records}) == 2


def test_a_group_is_reported_with_the_samples_of_its_leaves(tmp_path):
    data = results()
    data["results"] |= {"all": {"acc,none": 0.25, "acc_stderr,none": 0.1}, "b": {"acc,none": 0.0}}
    data["group_subtasks"] = {"all": ["part", "b"], "part": ["toy"]}
    data["n-samples"]["b"] = {"original": 6, "effective": 6}
    data["groups"] = {"all": {"acc,none": 0.25, "acc_stderr,none": 0.1}}
    records = {r.measurement.evaluation: r for r in read(source(write(tmp_path, data, SAMPLES))).evidence.records}
    assert set(records) == {"toy", "all", "b"}
    assert (records["all"].measurement.n, records["all"].quality) == (10, "reported")
    assert records["all"].measurement.aggregation == "over the group's subtasks"
    assert "records of their own" in records["all"].note
    assert records["toy"].quality == "recomputable"


def test_a_group_that_contains_itself_ends(tmp_path):
    data = results(group_subtasks={"toy": ["x"], "x": ["toy"]}, **{"n-samples": {}})
    assert only(write(tmp_path, data)).measurement.n is None


def test_the_dummy_model_stands_in_for_none(tmp_path):
    record = only(write(tmp_path, results(model_source="dummy", model_name="qx7fk2"), SAMPLES))
    assert record.subject.model == "dummy"
    assert [(answer.threat, answer.status) for answer in record.threats] == [("placeholder", "present")]
    assert codes(record) == [("EVI010", True)]


@pytest.mark.parametrize(
    ("arguments", "model", "snapshot"),
    [
        ({"pretrained": "org/k", "revision": "r7", "parallelize": True}, "org/k", "r7"),
        ("model=gpt-x,base_url=http://h", "gpt-x", "abc"),
        (None, "hf", "abc"),
    ],
)
def test_the_model_is_named_by_its_arguments_if_by_nothing_else(tmp_path, arguments, model, snapshot):
    data = results(model_name=None, config={"model": "hf", "model_args": arguments, "model_sha": "abc"})
    record = only(write(tmp_path, data, SAMPLES))
    assert (record.subject.model, record.subject.snapshot) == (model, snapshot)


@pytest.mark.parametrize("seconds", [None, "soon", 3.0])
def test_an_unreadable_duration_ends_the_run_on_the_day_it_began(tmp_path, seconds):
    record = only(write(tmp_path, results(total_evaluation_time_seconds=seconds), SAMPLES))
    assert (record.started, record.finished) == ("2026-01-21", "2026-01-21")


def test_git_hash_is_that_of_the_folder_and_not_the_evaluations(tmp_path):
    record = only(write(tmp_path, results(git_hash="1f84a09f"), SAMPLES))
    assert record.provenance.revision is None
    assert "1f84a09f is of the folder" in record.note
    assert only(write(tmp_path, results(), SAMPLES)).note is None


def test_what_is_no_mean_over_samples_is_not_recomputed(tmp_path):
    data = results(metrics={"word_perplexity,none": 12.5})
    data["configs"]["toy"]["metric_list"] = [{"metric": "word_perplexity", "aggregation": "weighted_perplexity"}]
    record = only(write(tmp_path, data, [sample(0, word_perplexity=[-3.0, 2])]))
    assert (record.quality, record.measurement.value, record.measurement.unit) == ("reported", 12.5, "score")
    assert "weighted_perplexity" in record.note
    assert codes(record) == []


def test_an_aggregation_other_than_the_mean_is_left_to_the_harness(tmp_path):
    data = results()
    data["configs"]["toy"]["metric_list"][0]["aggregation"] = "median"
    record = only(write(tmp_path, data, SAMPLES))
    assert (record.quality, record.measurement.value, codes(record)) == ("reported", 0.5, [])


def test_the_old_format_is_reported_only(tmp_path):
    path = tmp_path / "anything.json"
    data = {
        "results": {"toy": {"acc": 0.5, "acc_stderr": 0.1, "ppl": 4.0}},
        "versions": {"toy": 0},
        "config": {
            "model": "hf-causal",
            "model_args": "pretrained=org/m,revision=step3",
            "num_fewshot": 0,
            "limit": 10,
        },
    }
    path.write_text(json.dumps(data))
    assert recognise(path) == "lm-eval"
    acc, ppl = read(source(path)).evidence.records
    assert (acc.measurement.value, acc.measurement.standard_error, acc.measurement.n) == (0.5, 0.1, None)
    assert (acc.quality, acc.subject.model, acc.subject.snapshot) == ("reported", "org/m", "step3")
    assert (ppl.measurement.unit, ppl.measurement.task_version) == ("score", "0")
    assert acc.provenance.tool == "lm-evaluation-harness (before 0.4)"
    assert codes(acc) == [("EVI008", True)]


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        (['{"doc_id": 0, "filter": "none", "acc": 1}', '{"doc_id": 0, "filter": "none", "acc": 1}'], 2, "occurs twice"),
        (['{"filter": "none", "acc": 1}'], 1, "doc_id is missing"),
        (['{"doc_id": 0, "filter": 3, "acc": 1}'], 1, "filter"),
        (['{"doc_id": 0, "filter": "none", "acc": 1}', '{"doc_id": 1, "fil'], 2, "not JSON"),
        (["7"], 1, "expected a JSON object"),
    ],
)
def test_malformed_samples_are_refused_with_their_line(tmp_path, rows, line, message):
    path = write(tmp_path, results())
    samples = tmp_path / f"samples_toy_{TIME}.jsonl"
    samples.write_text("\n".join(rows))
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    [problem] = caught.value.problems
    assert (problem.code, problem.where.file, problem.where.line) == ("EVI002", samples.name, line)
    assert message in problem.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"results": {}}', 1),
        ('{"results": {"toy": 3}}', 1),
        ('{"results": {"toy": {"acc,none": "high"}}}', 1),
        ('{"results":\n {"toy": {"acc,none": 0.5},\n "toy": {}}}', 1),
        ('{"results":\n {"toy": ', 2),
    ],
)
def test_malformed_results_are_refused_with_their_line(tmp_path, text, line):
    path = tmp_path / f"results_{TIME}.json"
    path.write_text(text)
    with pytest.raises(EvidenceError) as caught:
        read(source(path))
    assert (caught.value.problems[0].code, caught.value.problems[0].where.line) == ("EVI002", line)


def test_importing_twice_gives_the_same_and_declaring_a_model_another(tmp_path):
    path = write(tmp_path, results(), SAMPLES)
    assert read(source(path)) == read(source(path))
    assert only(path).id != only(path, Declared(model="x")).id
    assert only(path, Declared(model="x")).subject.model == "x"


# --- real files --------------------------------------------------------------------------------------------


def test_a_real_dummy_run_is_recomputed_with_the_harness_own_error(shared):
    path = next((shared / "data/evaluations/lm-eval/qdpv68r5").glob("results_*.json"))
    record = only(path)
    # The harness prints 0.325 and 0.07499999999999998 for 13 of 40.
    assert (record.measurement.value, record.measurement.successes, record.measurement.n) == (0.325, 13, 40)
    assert record.measurement.standard_error == pytest.approx(0.075)
    assert record.subject.model == "dummy"


def test_a_real_run_with_trimmed_samples_cannot_rule_out(shared):
    path = next((shared / "data/evaluations/every_eval_ever/lm_eval").glob("results_*.json"))
    records = {record.measurement.evaluation: record for record in read(source(path)).evidence.records}
    trimmed, reported = records["math_perturbed_full"], records["math_rephrased_full"]
    assert (trimmed.counts.planned, trimmed.counts.missing, trimmed.measurement.n) == (5000, 4990, 10)
    assert trimmed.measurement.worst_case == 0.998
    assert codes(trimmed) == [("EVI004", True)]
    assert (reported.quality, reported.measurement.value, reported.measurement.n) == ("reported", 0.0004, 5000)
    assert (trimmed.started, trimmed.finished) == ("2026-01-21", "2026-01-21")


def test_a_real_file_of_the_old_format(shared):
    path = next((shared / "data/evaluations/lm-eval").glob("pythia*.json"))
    assert lm_eval.recognises(path, path.read_bytes()[:HEAD_BYTES])
    records = read(source(path)).evidence.records
    stated = json.loads(path.read_text())["results"]
    expected = {
        (task, key): value for task, cells in stated.items() for key, value in cells.items() if "stderr" not in key
    }
    assert {(r.measurement.evaluation, r.measurement.metric): r.measurement.value for r in records} == expected
    assert {(r.subject.model, r.subject.snapshot, r.quality) for r in records} == {
        ("EleutherAI/pythia-v1.1-12b-deduped", "step103000", "reported")
    }
