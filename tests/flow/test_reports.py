# SPDX-License-Identifier: Apache-2.0
"""From a skeleton to a final report in the log, its critique and the answers."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from house import House, a_house, evidence_file
from tidegate.cli.report import app
from tidegate.flow.decisions import Proposal, propose
from tidegate.flow.evidence import Withholding, import_files, redact, restate, restatement
from tidegate.flow.ledgers import Act, record_act
from tidegate.flow.reports import (
    Filed,
    Target,
    answer,
    criticise,
    draft_text,
    finalise,
    find_report,
    list_reports,
    preview,
    text_file,
)
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.errors import TidegateError
from tidegate.ledger.acts import CriticismAnswered
from tidegate.ledger.keys import new_private_key
from tidegate.store.project import PROJECT_FILE

CAPABILITY = Target("capability", "m")
SAFEGUARDS = Target("safeguards", "m")
CRITIQUE = """\
independence: I am paid by another house, and know none of the authors.
summary: Mostly sound.
points:
  - {severity: major, text: "The sample is small.", thresholds: [T1], records: [r1]}
  - {severity: minor, text: "A word on tools is missing."}
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def codes(error: pytest.ExceptionInfo[TidegateError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def filled(house: House, target: Target = CAPABILITY) -> Path:
    """Write the skeleton and fill every part in."""
    path = draft_text(house.world(), target)
    path.write_text(path.read_text().replace('""', "As it should be."))
    return path


def filed(house: House, target: Target = CAPABILITY) -> Filed:
    filled(house, target)
    return finalise(house.world(), target, house.actor("ada"))


def criticised(house: House, folder: Path, person: str = "kim", source: str = CRITIQUE) -> Any:
    path = folder / "critique.yaml"
    path.write_text(source)
    return criticise(house.world(), list_reports(house.world())[-1].report, path, house.actor(person))


# --- drafts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [CAPABILITY, SAFEGUARDS], ids=["capability", "safeguards"])
def test_a_skeleton_is_written_once(house: House, target: Target) -> None:
    before = preview(house.world(), target)
    assert not before.has_text
    assert "nobody has begun" in before.problems[0].message
    path = draft_text(house.world(), target)
    assert path == house.root / "reports" / f"m-{target.kind}.yaml"
    path.write_text(path.read_text() + "# mine\n")
    with pytest.raises(TidegateError) as refused:
        draft_text(house.world(), target)
    assert codes(refused) == ["PRJ004"]
    assert path.read_text().endswith("# mine\n")
    after = preview(house.world(), target)
    assert after.has_text
    assert {one.severity for one in after.problems} == {"warning"}
    assert {one.where.file for one in after.problems if one.where} == {f"reports/m-{target.kind}.yaml"}


def test_a_draft_needs_no_ledger(house: House) -> None:
    text = (house.root / PROJECT_FILE).read_text().split("ledger:")[0]
    (house.root / PROJECT_FILE).write_text(text)
    assert preview(house.world(), CAPABILITY).report.thresholds[0].finding == "ruled_out"
    with pytest.raises(TidegateError) as refused:
        list_reports(house.world())
    assert codes(refused) == ["LED002"]


def test_a_link_out_of_the_project_is_not_followed(house: House, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (house.root / "reports").symlink_to(tmp_path / "outside")
    for attempt in (draft_text, preview):
        with pytest.raises(TidegateError) as refused:
            attempt(house.world(), CAPABILITY)
        assert codes(refused) == ["PRJ004"]
    assert not list((tmp_path / "outside").iterdir())


def test_a_folder_that_cannot_be_made(house: House) -> None:
    (house.root / "reports").write_text("a file")
    with pytest.raises(TidegateError) as refused:
        draft_text(house.world(), CAPABILITY)
    assert codes(refused) == ["PRJ004"]


@pytest.mark.parametrize(
    ("model", "expected"),
    [("m", "m"), ("vendor/m 1", "vendor-m-1"), ("../../etc/passwd", "etc-passwd"), ("..", "model")],
)
def test_no_model_name_leads_out_of_the_folder(model: str, expected: str) -> None:
    assert text_file("capability", model) == f"reports/{expected}-capability.yaml"


@pytest.mark.parametrize(("name", "code"), [("mm", "ASM001"), ("m@s9", "ASM001"), ("m@s1", None)])
def test_only_what_is_known_is_reported(house: House, name: str, code: str | None) -> None:
    if code is None:
        assert preview(house.world(), Target("capability", name)).report.snapshot == "s1"
        return
    with pytest.raises(TidegateError) as refused:
        preview(house.world(), Target("capability", name))
    assert codes(refused) == [code]


# --- final --------------------------------------------------------------------------------------------


def test_a_final_report_stands_in_the_log(house: House) -> None:
    made = filed(house)
    record = made.record
    assert record.report == made.report.id
    assert record.report.startswith("capability-m-s1-")
    assert (record.author, record.kind, record.model, record.snapshot) == ("ada", "capability", "m", "s1")
    assert made.report.author == "ada"
    with closing(house.world().ledger()) as store:
        assert digest_bytes(store.document(record.document)) == record.document == made.report.digest
        entry = store.find(record.index).entry
        names = {one.name: one.digest for one in entry.over}
    assert names == {
        "report:capability": record.document,
        "policy": made.report.policy_digest,
        "evidence": made.report.evidence_digest,
        "models": made.report.models_digest,
        "assessment": made.report.assessment_digest,
    }
    assert find_report(house.world(), record.report) == made


def test_a_decision_sees_the_final_report(house: House) -> None:
    capability, safeguards = filed(house), filed(house, SAFEGUARDS)
    seen = propose(house.world(), Proposal("m", ("general",)), house.actor("ada")).document.seen
    assert {one.report for one in seen.reports} == {capability.record.report, safeguards.record.report}
    assert (seen.evidence_digest, seen.assessment_digest) == (
        capability.report.evidence_digest,
        capability.report.assessment_digest,
    )


def test_nothing_is_entered_while_something_is_missing(house: House) -> None:
    with pytest.raises(TidegateError) as refused:
        finalise(house.world(), CAPABILITY, house.actor("ada"))
    assert "nobody has begun" in refused.value.problems[0].message
    path = filled(house)
    path.write_text(path.read_text().replace("forecast: As it should be.", 'forecast: ""') + "\nscope: It was 3%.\n")
    with pytest.raises(TidegateError) as malformed:
        finalise(house.world(), CAPABILITY, house.actor("ada"))
    assert codes(malformed) == ["DOC005"], "scope occurs twice"
    path.write_text(
        path.read_text().replace("\nscope: It was 3%.\n", "").replace("scope: As it should be.", "scope: It was 3%.")
    )
    with pytest.raises(TidegateError) as incomplete:
        finalise(house.world(), CAPABILITY, house.actor("ada"))
    assert codes(incomplete) == ["REP001", "REP001"]
    assert [str(one.where).rpartition("capability.yaml:")[2] for one in incomplete.value.problems] == ["12:1", "9:1"]
    assert list_reports(house.world()) == ()


def test_a_draft_with_a_wrong_citation_is_an_error(house: House) -> None:
    path = filled(house)
    path.write_text(path.read_text().replace("recommendation: As it should be.", "recommendation: See {r9}."))
    with pytest.raises(TidegateError) as refused:
        preview(house.world(), CAPABILITY)
    assert codes(refused) == ["REP001"]
    assert "{r9}" in refused.value.problems[0].message


def test_files_that_are_not_in_the_log_make_nothing_final(house: House) -> None:
    filled(house)
    model = house.root / "models" / "m.yaml"
    model.write_text(model.read_text() + "name: Other\n")
    with pytest.raises(TidegateError) as refused:
        finalise(house.world(), CAPABILITY, house.actor("ada"))
    assert set(codes(refused)) == {"PRJ006"}


def test_the_report_is_of_the_edition_that_outsiders_see(house: House, tmp_path: Path) -> None:
    import_files(house.world(), [evidence_file(tmp_path, "r2", 0.04, note="said Jane")])
    redact(house.world(), Withholding("r2", "note", "privacy", "a remark", "it names somebody"))
    made = filed(house)
    assert b"Jane" not in made.report.data
    record = made.report.record("r2")
    assert record is not None
    assert record.note is not None
    assert record.note.startswith("[withheld sha256:")


def test_the_same_report_is_not_final_twice(house: House) -> None:
    filed(house)
    with pytest.raises(TidegateError) as refused:
        finalise(house.world(), CAPABILITY, house.actor("ada"))
    assert "final already" in refused.value.problems[0].message


def test_a_later_report_leaves_the_earlier_one_as_it_was(house: House, tmp_path: Path) -> None:
    first = filed(house)
    restate(
        house.world(),
        restatement("r1", by=None, reason="retracted", approved_by=("ceo",), note=None, on=house.world().today),
    )
    (house.root / "reports" / "m-capability.yaml").unlink()
    second = filed(house)
    assert [one.report for one in list_reports(house.world())] == [first.record.report, second.record.report]
    assert second.report.thresholds[0].finding == "not_assessed"
    assert find_report(house.world(), first.record.report).report == first.report


# --- critique -----------------------------------------------------------------------------------------


def test_a_critique_is_answered_point_by_point(house: House, tmp_path: Path) -> None:
    made = filed(house)
    found = criticised(house, tmp_path)
    assert found.standing == (1, 2)
    assert found.document.report == made.record.report
    assert found.document.report_document == made.record.document
    name = found.record.critique
    answer(house.world(), name, 1, "accepted", "We will take more.", house.actor("ada"))
    found = answer(house.world(), name, 2, "answered", "It stands on page two.", house.actor("ada"))
    assert found.standing == ()
    found = answer(house.world(), name, 2, "stands", "Kim does not agree.", house.actor("ada"))
    assert found.standing == (2,)
    (shown,) = find_report(house.world(), made.record.report).critiques
    assert [shown.outcome(1), shown.outcome(2)] == ["accepted", "stands"]


def test_nobody_criticises_their_own_report(house: House, tmp_path: Path) -> None:
    filed(house)
    with pytest.raises(TidegateError) as refused:
        criticised(house, tmp_path, "ada")
    assert codes(refused) == ["KEY006"]
    assert list_reports(house.world())[0].critiques == ()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (CRITIQUE.replace("[T1]", "[T2]"), "REP003"),
        (CRITIQUE.replace("[r1]", "[r7]"), "REP003"),
        (CRITIQUE.replace("independence", "dependence"), "DOC007"),
        (CRITIQUE.partition("independence")[0] + CRITIQUE.partition("\n")[2], "DOC008"),
        ("independence: Yes.\npoints: []\n", "DOC009"),
        (CRITIQUE + "report: another\n", "DOC009"),
    ],
)
def test_a_critique_that_does_not_fit(house: House, tmp_path: Path, source: str, code: str) -> None:
    filed(house)
    with pytest.raises(TidegateError) as refused:
        criticised(house, tmp_path, source=source)
    assert code in codes(refused)
    assert all(one.where is not None and one.where.line for one in refused.value.problems)


def test_only_what_is_there_is_answered_or_shown(house: House, tmp_path: Path) -> None:
    filed(house)
    name = criticised(house, tmp_path).record.critique
    world, ada = house.world(), house.actor("ada")
    for attempt in (
        lambda: answer(world, "critique-0", 1, "answered", "x", ada),
        lambda: answer(world, name, 3, "answered", "x", ada),
        lambda: answer(world, name, 0, "answered", "x", ada),
        lambda: find_report(world, "capability-m"),
        lambda: criticise(world, "capability-m", tmp_path / "critique.yaml", ada),
    ):
        with pytest.raises(TidegateError) as refused:
            attempt()
        assert codes(refused) == ["REP003"]


def test_what_the_operator_writes_answers_nothing(house: House, tmp_path: Path) -> None:
    filed(house)
    found = criticised(house, tmp_path)
    body = CriticismAnswered(critique=found.record.critique, point=9, outcome="answered", text="x")
    record_act(house.world(), Act("report.answered", body, house.actor("ada")))
    (shown,) = find_report(house.world(), list_reports(house.world())[0].report).critiques
    assert shown.standing == (1, 2)


# --- the command line ---------------------------------------------------------------------------------


@pytest.fixture
def line(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    monkeypatch.delenv("TIDEGATE_PERSON", raising=False)
    monkeypatch.delenv("TIDEGATE_KEY", raising=False)
    keys = {}
    for name in ("ada", "kim"):
        signer: Any = house.signers[name]
        keys[name] = tmp_path / f"{name}.key"
        keys[name].write_bytes(signer.unencrypted)
        keys[name].chmod(0o600)

    def run(*words: str, by: str | None = None) -> Result:
        given = ["--as", by, "--key", str(keys[by])] if by else []
        return CliRunner().invoke(app, [*words, *given, "-C", str(house.root)])

    return run


def test_the_whole_way_on_the_command_line(line: Any, house: House, tmp_path: Path) -> None:
    assert line("list").output == "No final reports.\n"
    assert line("capability", "m").output.splitlines()[2] == "  T1: ruled out"
    made = line("capability", "m", "--draft")
    assert (made.exit_code, made.output.split(".")[0]) == (0, "Wrote reports/m-capability")
    refused = line("capability", "m", "--final", by="ada")
    assert refused.exit_code == 2
    assert "error REP001: the forecast is missing" in refused.output
    path = house.root / "reports" / "m-capability.yaml"
    path.write_text(path.read_text().replace('""', "As it should be."))
    final = json.loads(line("capability", "m", "--final", "--json", by="ada").output)
    assert (final["final"], final["author"], final["problems"]) == (True, "ada", [])
    (tmp_path / "c.yaml").write_text(CRITIQUE)
    attached = line("criticise", final["id"], "--file", str(tmp_path / "c.yaml"), by="kim")
    name = attached.output.split()[0]
    assert attached.output.splitlines() == [
        f"{name} by kim: 2 of 2 points stand",
        "  1 major: not answered",
        "  2 minor: not answered",
    ]
    answered = line("answer", name, "1", "--outcome", "answered", "--text", "Enough.", by="ada")
    assert answered.output.splitlines()[0] == f"{name} by kim: 1 of 2 points stands"
    listed = line("list").output
    assert listed == f"{final['id']}  capability, by ada, 2026-06-01T12:00:00Z, 1 critique\n"
    page = tmp_path / "page.html"
    shown = line("show", final["id"], "--html", str(page))
    assert shown.output.splitlines()[:3] == [
        final["id"],
        "  final: by ada, 2026-06-01T12:00:00Z",
        f"  digest: {final['digest']}",
    ]
    assert page.read_text().startswith("<!doctype html>")
    assert "The sample is small." in line("show", final["id"], "--markdown").output
    data = json.loads(line("show", final["id"], "--json").output)
    assert [point["outcome"] for point in data["critiques"][0]["points"]] == ["answered", None]
    assert data["digest"] == final["digest"]
    (one,) = json.loads(line("list", "--json").output)
    assert (one["id"], one["digest"], one["critiques"]) == (final["id"], final["digest"], [name])
    accepted = line("answer", name, "2", "--outcome", "accepted", "--text", "Yes.", "--json", by="ada")
    assert json.loads(accepted.output)["standing"] == []


def test_safeguards_on_the_command_line(line: Any, house: House) -> None:
    filled(house, SAFEGUARDS)
    shown = line("safeguards", "m", "--final", by="ada").output.splitlines()
    assert shown[0].startswith("safeguards-m-s1-")
    assert shown[3:] == ["  T1-deploy: no evidence", "  0 records, 0 gaps"]


@pytest.mark.parametrize(
    "words",
    [
        ("--final",),
        ("--final", "--as", "ada"),
        ("--draft", "--final"),
        ("--final", "--as-of", "2026-01-01"),
    ],
    ids=["nobody", "no key", "both", "another day"],
)
def test_what_contradicts_itself_is_refused(line: Any, words: tuple[str, ...]) -> None:
    result = line("capability", "m", *words)
    assert result.exit_code == 2
    assert "PRJ005" in result.output


def test_another_day_is_another_draft(line: Any) -> None:
    early = json.loads(line("capability", "m", "--as-of", "2026-04-15", "--json").output)
    assert early["report"]["at"] == "2026-04-15"
    assert early["final"] is False
    assert early["report"]["thresholds"][0]["finding"] == "not_assessed"


def test_a_key_that_does_not_speak_for_the_author(line: Any, house: House, tmp_path: Path) -> None:
    filled(house)
    (tmp_path / "ada.key").write_bytes(new_private_key(None)[0])
    result = line("capability", "m", "--final", by="ada")
    assert result.exit_code == 2
    assert "KEY003" in result.output
    assert list_reports(house.world()) == ()
