# SPDX-License-Identifier: Apache-2.0
"""`tidegate case` as a person and a pipeline use it: output, exit codes, and errors without stack traces."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from house import House, a_house
from tidegate.cli.case import app as case_app
from tidegate.flow.cases import NewCase, new_case
from tidegate.flow.ledgers import Act, record_act
from tidegate.ledger.acts import KeyAdded
from tidegate.ledger.keys import load_signer, new_private_key
from tidegate.ledger.signing import proof_bytes

NAME = "m-inability"
app = typer.Typer()
app.add_typer(case_app, name="case")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    made = a_house(tmp_path)
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("TIDEGATE_PERSON", raising=False)
    return made


@pytest.fixture
def case(house: House) -> House:
    new_case(house.world(), NewCase("m", author="ada"))
    return house


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["case", *arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def extend(house: House, **changes: object) -> None:
    path = house.root / "cases" / NAME / "case.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}, sort_keys=False))


def test_new_says_what_it_wrote_and_what_is_left(house):
    shown = run("new", "m", "--template", "safeguards", "--author", "ada", "-a", "limited", "--id", "guards").stdout
    assert shown.startswith("Made the safety case guards: ")
    assert "  cases/guards/generated.yaml\n  cases/guards/case.yaml\n" in shown
    assert "Next: tidegate case check guards" in shown
    found = json.loads(run("update", "guards", "--json").stdout)
    assert found["files"] == ["cases/guards/generated.yaml"]
    assert "limited" in (house.root / "cases/guards/generated.yaml").read_text()
    assert "PRJ002" in run("new", "m", "--author", "ada", "--id", "guards", code=2).stderr
    assert "KEY004" in run("new", "m", code=2).stderr


def test_check_prints_findings_with_places_and_hints(case):
    result = run("check", code=1)
    assert f"cases/{NAME}/generated.yaml:" in result.stderr
    assert "error SC06: A/coverage: nobody owns it\n  hint: add `owner`" in result.stderr
    assert "in the way of a decision; confidence 0.00 to " in result.stdout
    assert "::error" not in result.output


def test_check_as_json(case):
    found = json.loads(run("check", NAME, "--json", code=1).stdout)
    assert found["in_order"] is False
    assert found["at"] == "2026-06-01"
    first = next(one for one in found["findings"] if one["code"] == "SC06")
    assert (first["node"], first["severity"], first["blocks"]) == ("A/coverage", "error", True)
    assert first["where"]["file"] == f"cases/{NAME}/generated.yaml"
    assert {"line", "column"} <= set(first["where"])


def test_check_annotates_a_pipeline(case, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    extend(case, nodes=[{"id": "A2", "kind": "assumption", "text": "x\n::error::y"}])
    shown = run("check", code=1).stdout
    assert f"::error file=cases/{NAME}/generated.yaml,line=" in shown
    assert "title=SC06::A/coverage: nobody owns it" in shown
    assert not any(line.startswith("::error::") for line in shown.splitlines())


def sound(house: House) -> None:
    """Replace the case by a small one in which nothing stands in the way."""
    folder = house.root / "cases" / NAME
    (folder / "generated.yaml").unlink()
    digest = house.world().project().evidence.records[0].digest
    cited = {
        "record": "r1",
        "digest": digest,
        "producer": "House",
        "produced_on": "2026-05-01",
        "model": "m",
        "snapshot": "s1",
    }
    data = {
        "schema": "tidegate/case/v1",
        "id": NAME,
        "title": "Small case",
        "model": "m",
        "snapshot": "s1",
        "author": "ada",
        "actions": ["general"],
        "period": {"from": "2026-06-01", "until": "2026-12-01"},
        "thresholds": ["T1"],
        "nodes": [
            {
                "id": "G1",
                "kind": "claim",
                "text": "m does not reach T1.",
                "supported_by": ["E1"],
                "aggregation": "all",
                "why": "the evaluation measures it",
                "falsifier": "a higher result",
                "source": "threshold:T1",
            },
            {
                "id": "E1",
                "kind": "evidence",
                "text": "5% of Eval A",
                "confidence": {"low": 0.8, "high": 0.9, "basis": "x"},
                "cited": cited,
            },
        ],
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(data, sort_keys=False))


def a_key_file(house: House, person: str, folder: Path) -> str:
    """Write a key of a person to a file, and let it speak for them in the log."""
    data, _ = new_private_key(None)
    path = folder / f"{person}.key"
    path.touch(mode=0o600)
    path.write_bytes(data)
    signer = load_signer(data, None, str(path))
    proof = signer.sign(proof_bytes(person, (), signer.public_key))
    body = KeyAdded(person=person, roles=(), public_key=signer.public_key, proof=proof)
    record_act(house.world(), Act("key.added", body, house.actor("ada")))
    return str(path)


def test_a_reviewed_case_is_in_order_until_it_changes(case, tmp_path):
    sound(case)
    assert "SC13" in run("check", code=1).stderr
    run("record", "--strict", code=2)
    key = a_key_file(case, "kim", tmp_path)
    shown = run("review", NAME, "--agrees", "--text", "Sound.", "--as", "kim", "--key", key).stdout
    assert shown.startswith("kim agrees with 2 nodes:\n  sha256:")
    assert "confidence 0.80 to 0.90" in run("check").stdout
    assert run("record", "--strict").stdout == "The log holds it as it is already.\n"
    assert run("diff").stdout.startswith("nothing changed: sha256:")
    tree = run("show").stdout
    assert tree.startswith("1 G1: m does not reach T1.\n  [confidence 0.80 to 0.90]\n")
    assert (
        "confidence in the top claim: 0.80 to 0.90\n  E1 has 0.80: certain, it would add 0.20; without it, 0.80 less"
        in tree
    )
    path = case.root / "cases" / NAME / "case.yaml"
    path.write_text(path.read_text().replace("low: 0.8", "low: 0.7"))
    assert "SC10" in run("check", code=1).stderr
    diff = run("diff").stdout
    assert "changed E1: 5% of Eval A\n  confidence: " in diff
    assert "now suspect G1: E1 below it changed since kim reviewed it" in diff
    assert "confidence in the top claim: 0.80 to 0.90 -> 0.00 to 0.90" in diff
    found = json.loads(run("diff", "--json").stdout)
    assert set(found["newly_suspect"]) == {"G1", "E1"}
    listed = json.loads(run("show", "--json").stdout)
    assert listed["nodes"][0]["marks"] == ["suspect: E1 below it changed since kim reviewed it"]


def test_the_author_does_not_review(case, tmp_path):
    sound(case)
    key = a_key_file(case, "ada", tmp_path)
    shown = run("review", NAME, "G1", "--agrees", "--as", "ada", "--key", key, code=2).stderr
    assert "error KEY006: G1: ada wrote it\n  hint: a second person has to review it" in shown
    assert "say --agrees or --disagrees" in run("review", NAME, "--as", "ada", "--key", key, code=2).stderr
    kim = a_key_file(case, "kim", tmp_path)
    found = json.loads(run("review", NAME, "--disagrees", "--as", "kim", "--key", kim, "--json").stdout)
    assert set(found["reviewed"]) == {"G1", "E1"}
    assert "kim disagrees" in run("check", code=1).stderr


def test_record_prints_the_entry(case):
    shown = run("record").stdout
    assert shown.startswith("Entry ")
    assert f" {NAME} sha256:" in shown
    assert json.loads(run("record", "--json").stdout) == {"entry": None}


def test_draw_writes_beside_the_case(case, tmp_path):
    assert run("draw").stdout == f"Drew {NAME} to cases/{NAME}/gsn.svg.\n"
    assert ET.parse(case.root / "cases" / NAME / "gsn.svg").getroot().tag.endswith("svg")
    other = tmp_path / "part.svg"
    found = json.loads(run("draw", "--notation", "cae", "--from", "T/T1", "-o", str(other), "--json").stdout)
    assert found["bytes"] == len(other.read_bytes())
    assert run("draw", "-o", "-", "--levels", "1").stdout.startswith("<svg ")
    assert "CAS002" in run("draw", "--from", "no", code=2).stderr


@pytest.mark.parametrize(
    ("output", "begins"),
    [
        ("gsn2x", "module:\n"),
        ("mermaid", "flowchart TD\n"),
        ("markdown", "# Inability case for m"),
        ("json", "{\n"),
        ("d2", "# Inability case for m"),
        ("cae", "# Inability case for m"),
    ],
)
def test_export(case, tmp_path, output, begins):
    shown = run("export", NAME, "-f", output).stdout
    assert shown.startswith(begins)
    file = tmp_path / "out"
    assert run("export", "-f", output, "-o", str(file)).stdout == f"Wrote {NAME} to {file}.\n"
    assert file.read_text() == shown


def test_the_schema_describes_the_export(case):
    schema = json.loads(run("export", "--schema").stdout)
    jsonschema.validate(json.loads(run("export", "--json").stdout), schema)


@pytest.mark.parametrize(
    "arguments", [("check", "no"), ("show", "no"), ("draw", "no"), ("export", "no"), ("diff", "no"), ("record", "no")]
)
def test_an_unknown_case_cannot_be_looked_at(case, arguments):
    assert "CAS002" in run(*arguments, code=2).stderr


def test_texts_cannot_steer_the_terminal(case):
    extend(case, nodes=[{"id": "D1", "kind": "defeater", "text": "a\u202eb [bold]x[/bold]", "challenges": ["TOP"]}])
    for arguments in (("show",), ("diff", "--with", NAME), ("export", "-f", "mermaid")):
        shown = run(*arguments).output
        assert "\u202e" not in shown
    assert "[bold]x[/bold]" in run("show").output
