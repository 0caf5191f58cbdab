# SPDX-License-Identifier: Apache-2.0
"""The command line as a person and a pipeline use it: output, exit codes, and errors without stack traces."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from tidegate.cli.app import app
from tidegate.policy import load_pack

POLICY = """\
schema: tidegate/policy/v1
id: house
version: "1"
title: House policy
publisher: Example
preregistration: required
domains: [{id: cyber, title: Cyber}]
thresholds:
  - id: CY-1
    title: Finds and exploits weaknesses alone
    domain: cyber
    falsifier: A solved hard task.
    indicators:
      - id: CY-1.ctf
        evaluation: Hard CTF
        metric: accuracy
        minimum_n: 30
        rule: {rule_out: {value: 0.2}, reach: {value: 0.6}}
    requirements:
      - {id: CY-1-guard, kind: standard, target: GUARD, actions: [limited, general], text: The guard must be in place.}
standards:
  - id: GUARD
    criteria: [{id: GUARD.1, title: Tested guard, force: must}]
"""
MODEL = "schema: tidegate/model/v1\nid: alpha\nname: Alpha\naliases: [lab/alpha]\nsnapshots: [{id: a-1}, {id: a-2}]\n"


def record(name: str, successes: int, n: int, **changes: object) -> dict[str, object]:
    measured = {"evaluation": "Hard CTF", "metric": "accuracy", "value": successes / n, "n": n, "successes": successes}
    return {
        "id": name,
        "subject": {"model": "lab/alpha"},
        "measurement": {**measured, "binary": True},
        "finished": "2026-05-10",
        **changes,
    }


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def data(*arguments: str, code: int = 0) -> object:
    return json.loads(run(*arguments, "--json", code=code).stdout)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its own policy, locked before the results, and one model."""
    for variable in ("GITHUB_ACTIONS", "TIDEGATE_PROJECT"):
        monkeypatch.delenv(variable, raising=False)
    root = tmp_path / "safety"
    for folder in ("policy", "models", "inbox"):
        (root / folder).mkdir(parents=True)
    (root / "tidegate.yaml").write_text(
        "schema: tidegate/project/v1\norganisation: Example\npolicy: {file: policy/house.yaml}\n"
    )
    (root / "policy" / "house.yaml").write_text(POLICY)
    (root / "models" / "alpha.yaml").write_text(MODEL)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-05-01")
    run("policy", "lock")
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    return root


def take_in(root: Path, *records: dict[str, object], name: str = "set", code: int = 0, **more: object) -> Result:
    path = root / "inbox" / f"{name}.yaml"
    path.write_text(json.dumps({"schema": "tidegate/evidence/v1", "records": records, **more}))
    return run("evidence", "import", str(path), code=code)


def test_help_and_version() -> None:
    assert "tidegate 0.1.0" in run("--version").stdout
    for words in ((), ("policy",), ("evidence",)):
        assert "Usage" in run(*words, "--help").stdout


def test_the_walk_of_a_user(project: Path) -> None:
    assert run("gate", "alpha", "-a", "deploy", code=1).stdout.count("not assessed") >= 1
    take_in(project, record("r1", 1, 60))
    assert "not pinned" not in run("assess").stdout
    assert "ruled out" in run("assess", "alpha").stdout
    run("gate", "alpha", "--action", "deploy")
    take_in(project, record("r2", 20, 60), name="worse")
    closed = run("gate", "alpha", "--action", "deploy", code=1)
    assert "CY-1" in closed.stdout
    assert "r2" in run("explain", "alpha", "CY-1").stdout
    # What was known before the worse result still gives yesterday's verdict.
    run("gate", "lab/alpha@a-2", "-a", "general", "--as-of", "2026-05-09", code=1)


def test_import_is_all_or_nothing_and_idempotent(project: Path) -> None:
    assert "kept as" in take_in(project, record("r1", 1, 60)).stdout
    assert "nothing changed" in take_in(project, record("r1", 1, 60)).stdout
    kept = sorted((project / "evidence" / "records").iterdir())
    bad, good = project / "inbox" / "bad.yaml", project / "inbox" / "good.yaml"
    good.write_text(json.dumps({"schema": "tidegate/evidence/v1", "records": [record("r9", 1, 9)]}))
    bad.write_text(
        "schema: tidegate/evidence/v1\nrecords:\n  - id: x\n    subjct: {model: alpha}\n    subject: {model: a}\n"
    )
    refused = run("evidence", "import", str(good), str(bad), code=2)
    assert "bad.yaml:4:5: error DOC007: unknown key 'subjct'" in refused.stderr
    assert "did you mean 'subject'?" in refused.stderr
    assert sorted((project / "evidence" / "records").iterdir()) == kept


def test_a_file_that_grew_adds_what_is_new(project: Path) -> None:
    take_in(project, record("r1", 1, 60))
    grown = take_in(project, record("r1", 1, 60), record("r2", 2, 60), name="grown")
    assert "2 records; kept as" in grown.stdout
    assert "1 of them new" in grown.stdout
    assert len(data("evidence", "list")) == 2  # type: ignore[arg-type]
    again = run("evidence", "import", str(project / "inbox" / "grown.yaml"), "--json")
    assert json.loads(again.stdout)[0]["kept_as"] is None


def test_one_id_for_two_records_is_refused(project: Path) -> None:
    take_in(project, record("r1", 1, 60))
    assert "EVI005" in take_in(project, record("r1", 2, 60), name="other", code=2).stderr
    assert len(list((project / "evidence" / "records").iterdir())) == 1


def test_gate_exit_codes(project: Path) -> None:
    take_in(project, record("r1", 1, 60))
    run("gate", "alpha", "-a", "deploy")
    run("gate", "alpha", "-a", "train")
    assert "did you mean 'alpha'?" in run("gate", "alphs", "-a", "deploy", code=2).stderr
    assert "ASM001" in run("gate", "alpha@a-9", "-a", "deploy", code=2).stderr
    assert "PRJ005" in run("gate", "alpha", "-a", "deploy", "--as-of", "soon", code=2).stderr
    run("gate", "alpha", "-a", "fly", code=2)
    (project / "policy" / "house.yaml").write_text(POLICY.replace("domain: cyber", "domain: cyver"))
    assert "policy/house.yaml:11:5: error POL002" in run("gate", "alpha", "-a", "deploy", code=2).stderr


def test_json_of_an_unanswerable_question_is_json(project: Path) -> None:
    del project
    found = json.loads(run("gate", "nobody", "-a", "deploy", "--json", code=2).stdout)
    assert found["problems"][0]["code"] == "ASM001"


@pytest.mark.parametrize("output", ["markdown", "junit", "sarif", "github", "json"])
def test_output_formats(project: Path, output: str) -> None:
    take_in(project, record("r1", 20, 60))
    text = run("assess", "--format", output).stdout
    gate = run("gate", "alpha", "-a", "general", "--format", output, code=1).stdout
    for shown in (text, gate):
        if output == "junit":
            assert ET.fromstring(shown).iter("failure")
        elif output == "sarif":
            assert json.loads(shown)["version"] == "2.1.0"
        elif output == "json":
            assert json.loads(shown)
        elif output == "github":
            assert shown.startswith("::")
        else:
            assert "| " in shown


def test_annotations_appear_when_run_by_github(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(project, record("r1", 20, 60))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error " in run("gate", "alpha", "-a", "general", code=1).stdout


def test_assessment_json_matches_its_published_schema(project: Path) -> None:
    take_in(project, record("r1", 1, 60))
    schema = json.loads(run("assess", "--schema").stdout)
    made = data("assess")
    assert isinstance(made, dict)
    made.pop("digest")
    jsonschema.validate(made, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**made, "at": 7}, schema)


def test_policy_schema_accepts_the_packs_and_refuses_unknown_keys() -> None:
    schema = json.loads(run("policy", "schema").stdout)
    plain = load_pack("starter").policy.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    jsonschema.validate(plain, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**plain, "treshold": []}, schema)


def test_policy_commands(project: Path) -> None:
    assert "house@1 is in order" in run("policy", "check").stdout
    assert "CY-1" in run("policy", "show").stdout
    assert "house.yaml:" in run("policy", "show", "--item", "CY-1.ctf").stdout
    assert "ASM002" in run("policy", "show", "--item", "CY-2", code=2).stderr
    assert "starter" in run("policy", "list").stdout
    assert "flowchart" in run("policy", "graph").stdout
    assert "CY-1" in run("policy", "graph", "--format", "d2").stdout
    assert "every rule is locked" in run("policy", "lock").stdout
    assert "POL008" in run("policy", "show", "rsp-v9", code=2).stderr
    assert isinstance(data("policy", "list"), list)
    assert data("policy", "show")["digest"].startswith("sha256:")  # type: ignore[index]
    (project / "policy" / "copy.yaml").write_text(POLICY.replace("minimum_n: 30", "minimum_n: 3"))
    assert "POL004" in run("policy", "check", code=2).stderr


def test_a_strict_check_fails_on_warnings(project: Path) -> None:
    path = project / "draft.yaml"
    path.write_text(POLICY.replace("minimum_n: 30", "minimum_n: 30\n        placeholder: true"))
    assert "POL010" in run("policy", "check", str(path)).stderr
    run("policy", "check", str(path), "--strict", code=1)


def test_a_replaced_evaluation_has_to_be_recorded(project: Path) -> None:
    changed = POLICY.replace("evaluation: Hard CTF", "evaluation: Easy CTF")
    path = project / "policy" / "house.yaml"
    path.write_text(changed)
    refused = run("assess", code=2)
    assert "policy/house.yaml:15:9: error POL010" in refused.stderr
    record_of_it = (
        "evaluation_changes:\n  - {threshold: CY-1, was: Hard CTF, now: Easy CTF, on: 2026-05-20, reason: saturated}\n"
    )
    path.write_text(changed + record_of_it)
    run("assess")


def test_policy_diff(project: Path) -> None:
    weaker = project / "weaker.yaml"
    weaker.write_text(POLICY.replace('version: "1"', 'version: "2"').replace("value: 0.2", "value: 0.4"))
    shown = run("policy", "diff", "policy/house.yaml", str(weaker))
    assert "weakened" in shown.stdout
    run("policy", "diff", "policy/house.yaml", str(weaker), "--strict", code=1)
    assert data("policy", "diff", "policy/house.yaml", str(weaker))["summary"]["outcomes"]["weakened"] >= 1  # type: ignore[index]
    assert "| " in run("policy", "diff", "policy/house.yaml", str(weaker), "--format", "markdown").stdout
    run("policy", "diff", "policy/house.yaml", "policy/house.yaml", "--strict")


def test_a_pinned_policy_that_changed_is_refused(project: Path) -> None:
    pinned = data("policy", "show")["digest"]  # type: ignore[index]
    (project / "policy" / "rules.lock.yaml").unlink()
    pinned = data("policy", "show")["digest"]  # type: ignore[index]
    (project / "tidegate.yaml").write_text(
        f"schema: tidegate/project/v1\norganisation: E\npolicy: {{file: policy/house.yaml, digest: '{pinned}'}}\n"
    )
    run("policy", "show")
    (project / "policy" / "house.yaml").write_text(POLICY.replace("0.2", "0.3"))
    refused = run("assess", code=2)
    assert "tidegate.yaml:3:" in refused.stderr
    assert "PRJ003" in refused.stderr


def test_evidence_commands(project: Path) -> None:
    take_in(project, record("r1", 1, 60, thresholds=["house#CY-1"]), record("r2", 2, 60))
    assert "r1" in run("evidence", "list").stdout
    assert len(data("evidence", "list", "--threshold", "CY-1")) == 1  # type: ignore[arg-type]
    assert len(data("evidence", "list", "--model", "alpha")) == 2  # type: ignore[arg-type]
    assert data("evidence", "list", "--model", "beta") == []
    assert "successes: 1" in run("evidence", "show", "r1").stdout
    assert "did you mean 'r1'?" in run("evidence", "show", "r11", code=2).stderr
    assert "r2 gives 0.0333333 and r1 gives 0.0166667" in run("evidence", "check").stderr
    assert "all" in run("evidence", "audit").stdout
    assert "house#CY-1" in run("evidence", "audit", "--by", "threshold").stdout
    assert data("evidence", "audit")[0]["figures"] == 1  # type: ignore[index]


def test_adverse_evidence_leaves_only_by_an_approved_restatement(project: Path) -> None:
    take_in(project, record("bad", 30, 60), record("good", 1, 60))
    run("gate", "alpha", "-a", "deploy", code=1)
    run("evidence", "restate", "bad", "--by", "good", "--reason", "error")
    run("gate", "alpha", "-a", "deploy", code=1)
    run("evidence", "restate", "bad", "--by", "good", "--reason", "error", "--approved-by", "rso")
    run("gate", "alpha", "-a", "deploy")
    run("gate", "alpha", "-a", "deploy", "--as-of", "2026-05-31", code=1)
    assert "EVI006" in run("evidence", "restate", "bad", "--reason", "error", code=2).stderr
    take_in(project, {**record("beta", 1, 60), "subject": {"model": "beta"}}, name="beta")
    assert "EVI006" in run("evidence", "restate", "good", "--by", "beta", "--reason", "error", code=2).stderr
    assert "EVI006" in run("evidence", "restate", "nothing", "--reason", "retracted", code=2).stderr


def test_elicitation_gap(project: Path) -> None:
    take_in(project, record("plain", 4, 60), record("strong", 12, 60), record("other", 1, 2, kind="evaluation"))
    assert "+0.1333 fraction" in run("evidence", "gap", "plain", "strong", "--margin", "0.5").stdout
    assert data("evidence", "gap", "plain", "strong", "--margin", "0.01", code=1)["verdict"] == "beyond_margin"  # type: ignore[index]
    run("evidence", "gap", "plain", "strong", "--margin", "0.15", code=1)
    bare = {**record("bare", 1, 60), "measurement": {"evaluation": "Hard CTF", "metric": "accuracy", "value": 0.5}}
    take_in(project, bare, name="bare")
    assert "ASM005" in run("evidence", "gap", "plain", "bare", "--margin", "0.1", code=2).stderr


def test_exports(project: Path) -> None:
    line = {"value": 0.2, "crossed_when": ">=", "kind": "rule_out"}
    take_in(project, record("r1", 1, 60, line=line))
    statement = json.loads(
        run("evidence", "export", "r1", "--evaluator", "https://example.org", "--salt", "00" * 32).stdout
    )
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    documents = json.loads(run("evidence", "export", "r1", "--format", "every-eval-ever").stdout)
    assert documents[0]["evaluation_results"]
    assert "PRJ005" in run("evidence", "export", "r1", "--salt", "zz", code=2).stderr


def test_plan(project: Path) -> None:
    del project
    assert "can rule the line out" in run("plan", "CY-1", "--n", "60", "--rate", "0.05").stdout
    assert "CANNOT" in run("plan", "CY-1", "--n", "9", code=1).stdout
    assert data("plan", "CY-1", "--n", "30")[0]["plan"]["can_rule_out"] is True  # type: ignore[index]
    assert "ASM002" in run("plan", "CY-9", code=2).stderr
    assert "ASM004" in run("plan", "CY-1", "--rate", "2", code=2).stderr
    assert "ASM004" in run("plan", "CBRN-3", "--policy", "rsp-v2.2", code=2).stderr


def test_new_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "tidegate policy lock" in run("new", "mine", "--organisation", "A: B\n<script>").stdout
    monkeypatch.chdir(tmp_path / "mine" / "models")
    assert data("assess")["policy"].startswith("starter@")  # type: ignore[index]
    assert "PRJ002" in run("new", "..", code=2).stderr
    assert "POL008" in run("new", "other", "--policy", "stater", code=2).stderr
    monkeypatch.chdir(tmp_path)
    assert "PRJ001" in run("assess", code=2).stderr
    run("assess", "--project", "mine")


def test_unknown_formats_and_missing_files(project: Path) -> None:
    assert "DOC001" in run("evidence", "import", "nowhere.eval", code=2).stderr
    (project / "x.txt").write_text("hello")
    assert "EVI001" in run("evidence", "import", "x.txt", code=2).stderr
    assert "PRJ005" in run("evidence", "import", "x.txt", "-e", "hypnosis", code=2).stderr


def test_terminal_control_characters_are_not_passed_on(project: Path) -> None:
    take_in(project, record("r1", 1, 60, note="\x1b[2J\x1b]0;owned\x07"))
    for words in (("evidence", "show", "r1"), ("evidence", "list"), ("explain", "alpha", "CY-1")):
        assert "\x1b" not in run(*words).stdout
