# SPDX-License-Identifier: Apache-2.0
"""Runs of HELM: recomputed from the instances; each trap of the format."""

import json

import pytest

from tidegate.evidence import helm
from tidegate.evidence.formats import digest_file, import_file, recognise
from tidegate.evidence.helm import read
from tidegate.evidence.importing import ImportSource
from tidegate.kernel.errors import EvidenceError


def source(path):
    return ImportSource(path, digest_file(path) if path.is_file() else "")


def stat(name, value, split="test", count=1, **more):
    return {"name": {"name": name, "split": split, **more}, "count": count, "sum": value * count, "stddev": 0.0}


def instance(number, value, split="test", trial=0, perturbation=None, **more):
    named = {} if perturbation is None else {"perturbation": {"name": perturbation}}
    stats = [stat("exact_match", value, split, **named), stat("num_prompt_tokens", 300, split, **named)]
    return {"instance_id": f"id{number}", "train_trial_index": trial, "stats": stats} | more


def adapter(**more):
    return {"model": "org/m", "method": "generation", "max_train_instances": 5, "max_tokens": 1} | more


def write(folder, instances, *, spec=None, stats=None, state=None):
    folder.mkdir(exist_ok=True)
    name = "toy:subject=x,model=org_m"
    (folder / "run_spec.json").write_text(json.dumps({"name": name, "adapter_spec": spec or adapter()}))
    (folder / "per_instance_stats.json").write_text(json.dumps(instances))
    if stats is not None:
        (folder / "stats.json").write_text(json.dumps(stats))
    if state is not None:
        (folder / "scenario_state.json").write_text(json.dumps({"request_states": state}))
    return folder


def request(number, split="test", **result):
    return {"instance": {"id": f"id{number}", "split": split}, "result": {"success": True} | result}


FOUR = [instance(0, 1), instance(1, 0), instance(2, 0), instance(3, 0)]


def only(path):
    [record] = read(source(path)).evidence.records
    return record


def codes(record):
    return [(remark.code, remark.blocks_rule_out) for remark in record.remarks]


def test_the_figure_comes_from_the_instances(tmp_path):
    record = only(write(tmp_path / "run", FOUR, stats=[stat("exact_match", 0.25)]))
    found = record.measurement
    assert (found.evaluation, found.metric, found.unit) == ("toy:subject=x", "exact_match", "fraction")
    assert (found.value, found.n, found.successes, found.binary) == (0.25, 4, 1, True)
    assert found.header_value == 0.25
    # stats.json says a standard deviation of 0 over its one trial; that is no sampling error.
    assert found.standard_error == 0.25
    assert (record.quality, record.subject.model) == ("recomputable", "org/m")
    assert record.elicitation.statement == "method generation, at most 5-shot"
    assert codes(record) == []


def test_folder_and_file_give_the_same_records(tmp_path):
    folder = write(tmp_path / "run", FOUR)
    paths = [folder, folder / "run_spec.json", folder / "per_instance_stats.json"]
    assert [recognise(path) for path in paths] == ["helm"] * 3
    first, *others = [import_file(path).evidence for path in paths]
    assert all(other == first for other in others)
    assert first.records[0].provenance.digest.startswith("sha256:")


def test_the_digest_covers_every_member(tmp_path):
    one = only(write(tmp_path / "run", FOUR)).provenance.digest
    assert only(write(tmp_path / "run", FOUR)).provenance.digest == one
    assert only(write(tmp_path / "run", FOUR, stats=[])).provenance.digest != one


def test_only_unperturbed_test_instances_count_and_the_rest_is_said(tmp_path):
    rows = [*FOUR, instance(0, 1, perturbation="typos"), instance(9, 1, "valid"), instance(8, 1, perturbation="x")]
    rows.append(instance(7, 1) | {"perturbation": {"name": "dialect"}})
    found = read(source(write(tmp_path / "run", rows)))
    [record] = found.evidence.records
    assert (record.measurement.value, record.measurement.n) == (0.25, 4)
    assert "1 instances of the split 'valid'" in found.notices[0].message
    assert "6 statistics of perturbed" in found.notices[0].message
    assert "num_prompt_tokens" in found.notices[0].message


def test_without_a_test_split_the_valid_one_is_used_and_named(tmp_path):
    record = only(write(tmp_path / "run", [instance(0, 1, "valid"), instance(1, 0, "valid")]))
    assert (record.measurement.value, record.measurement.aggregation) == (0.5, "valid split")
    assert codes(record) == [("EVI010", False)]


def test_train_trials_are_attempts_not_instances(tmp_path):
    rows = [instance(i, value, trial=trial) for trial in range(3) for i, value in ((0, 1), (1, 0))]
    record = only(write(tmp_path / "run", rows, spec=adapter(num_train_trials=3)))
    assert (record.measurement.n, record.measurement.attempts, record.measurement.value) == (2, 3, 0.5)
    assert record.measurement.clustered
    assert not record.measurement.binary


def test_a_summary_that_disagrees_is_remarked(tmp_path):
    stats = [stat("exact_match", 0.9), stat("exact_match", 0.25, perturbation={"name": "x"})]
    record = only(write(tmp_path / "run", FOUR, stats=stats))
    assert (record.measurement.value, record.measurement.header_value) == (0.25, 0.9)
    assert codes(record) == [("EVI004", True)]


def test_instances_asked_about_and_lost_count_at_the_worst_case(tmp_path):
    state = [request(i) for i in range(5)] + [request(9, "valid"), request(0)]
    record = only(write(tmp_path / "run", FOUR, state=state))
    assert (record.counts.planned, record.counts.missing) == (5, 1)
    assert (record.measurement.value, record.measurement.worst_case) == (0.25, 0.4)
    assert codes(record) == [("EVI008", False)]


def test_failed_requests_block_a_rule_out(tmp_path):
    record = only(write(tmp_path / "run", FOUR, state=[request(0, success=False), *(request(i) for i in (1, 2, 3))]))
    assert codes(record) == [("EVI008", True)]


def test_nothing_left_out_makes_no_notice(tmp_path):
    rows = [{"instance_id": "a", "stats": [stat("exact_match", 1)]}]
    assert read(source(write(tmp_path / "run", rows))).notices == ()
    rows[0]["stats"].append(stat("exact_match", 0, sub_split="part"))
    assert "exact_match" in read(source(write(tmp_path / "run", rows))).notices[0].message


def test_a_statistic_without_a_value_is_no_score(tmp_path):
    rows = [*FOUR[:3], {"instance_id": "id3", "train_trial_index": 0, "stats": [stat("exact_match", 0, count=0)]}]
    record = only(write(tmp_path / "run", rows))
    assert (record.counts.scored, record.counts.unscored) == (3, 1)
    assert record.measurement.worst_case == 0.5


def test_a_limit_on_instances_is_remarked(tmp_path):
    record = only(write(tmp_path / "run", FOUR, spec=adapter(max_eval_instances=4)))
    assert codes(record) == [("EVI010", False)]
    assert record.measurement.parameters["max_eval_instances"] == 4


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([instance(0, 1), instance(0, 1)], "instance 2: exact_match of 'id0' occurs twice"),
        ([{"stats": []}], "instance 1: instance_id is missing"),
        ([instance(0, 1, trial=-1)], "train_trial_index"),
        ([{"instance_id": "a", "stats": [{"name": {}}]}], "has no name"),
    ],
)
def test_a_malformed_instance_is_refused_with_its_number(tmp_path, rows, message):
    with pytest.raises(EvidenceError) as caught:
        read(source(write(tmp_path / "run", rows)))
    [problem] = caught.value.problems
    assert (problem.code, problem.where.file) == ("EVI002", "per_instance_stats.json")
    assert message in problem.message


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("per_instance_stats.json", '[\n{"instance_id": "a",', 2),
        ("per_instance_stats.json", "{}", 1),
        ("per_instance_stats.json", "[]", 1),
        ("run_spec.json", '{"adapter_spec": {}}', 1),
        ("run_spec.json", '{"adapter_spec":\n 3 4}', 2),
    ],
)
def test_malformed_files_are_refused_with_their_line(tmp_path, name, text, line):
    folder = write(tmp_path / "run", FOUR)
    (folder / name).write_text(text)
    with pytest.raises(EvidenceError) as caught:
        read(source(folder))
    problem = caught.value.problems[0]
    assert (problem.code, problem.where.file, problem.where.line) == ("EVI002", name, line)


def test_a_folder_that_lacks_a_file_is_no_run(tmp_path):
    folder = write(tmp_path / "run", FOUR)
    (folder / "per_instance_stats.json").unlink()
    assert not helm.recognises(folder, b"")
    with pytest.raises(EvidenceError) as caught:
        read(source(folder / "run_spec.json"))
    assert caught.value.problems[0].code == "EVI001"


@pytest.mark.parametrize(
    ("name", "metric", "n", "split"),
    [
        ("mmlu-subject=philosophy,method=multiple_choice_joint,model=openai_gpt2", "exact_match", 9, None),
        ("narrative_qa-model=openai_gpt2", "f1_score", 4, None),
        (
            "commonsense-dataset=hellaswag,method=multiple_choice_joint,model=eleutherai_pythia-1b-v0",
            "exact_match",
            10,
            "valid split",
        ),
    ],
)
def test_real_runs(shared, name, metric, n, split):
    folder = shared / "data/evaluations/every_eval_ever/helm" / name
    found = import_file(folder)
    assert found.format == "helm"
    assert found == import_file(folder)
    [record] = [record for record in found.evidence.records if record.measurement.metric == metric]
    # HELM's own mean for the split, at full precision, is the oracle.
    stats = json.loads((folder / "stats.json").read_text())
    wanted = {"name": metric, "split": "valid" if split else "test"}
    [stated] = [one for one in stats if one["name"] == wanted]
    assert stated["count"] == 1, "the count in stats.json is that of train trials"
    assert record.measurement.value == pytest.approx(stated["mean"])
    assert (record.measurement.n, record.measurement.aggregation) == (n, split)
    assert all(remark.code != "EVI004" for one in found.evidence.records for remark in one.remarks)
