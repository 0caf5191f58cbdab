# SPDX-License-Identifier: Apache-2.0
"""`tidegate due` and `tidegate review`, typed as people do; and that the shortfalls of a first year would have shown."""

import json
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from icalendar import Calendar
from typer.testing import CliRunner, Result

from house import POLICY, House, a_house
from tidegate.cli.app import app
from tidegate.flow.ledgers import Act, record_act
from tidegate.ledger.acts import EventRecorded
from tidegate.ledger.keys import FileSigner

ENVIRONMENT = ("GITHUB_ACTIONS", "TIDEGATE_PROJECT", "TIDEGATE_PERSON", "TIDEGATE_KEY", "SSH_AUTH_SOCK")
ESCAPE = "\x1b[2J"
QUARTERLY = {
    "id": "TR-1",
    "title": "Evaluations",
    "starts": "comprehensive_assessment",
    "text": "We will assess a model anew within three months of its last assessment.",
    "force": "will",
    "events": [{"on": "elapsed_time", "every": "P3M", "since": "last comprehensive assessment"}],
}
OWN = {
    "schema": "tidegate/obligations/v1",
    "rules": [
        {"id": "own.drill", "title": "Readiness drill", "due": "2026-05-20", "owner": "safety-lead"},
        {"id": "own.talk", "title": "Talk to outsiders", "due": "2026-05-10", "soft": True, "owner": "bob"},
        {"id": "own.plan", "title": f"Plan{ESCAPE}", "due": "2026-09-30", "is_public": False},
    ],
}
RULE = "policy/TR-1"


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    # Anything else than an exit would be a stack trace in somebody's terminal.
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    assert "\x1b" not in result.output
    return result


def data(*arguments: object, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def codes(*arguments: object) -> list[str]:
    return [one["code"] for one in data(*arguments, code=2)["problems"]]


def who(person: str) -> tuple[str, ...]:
    return ("--as", person, "--key", f"../{person}.key")


def words(rule: str, *options: object) -> str:
    [one] = [one for one in data("due", "--all", *options)["duties"] if one["rule"] == rule]
    return str(one["words"])


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    policy: dict[str, Any] = {**deepcopy(POLICY), "effective": "2026-01-15", "triggers": [QUARTERLY]}
    made = a_house(tmp_path, policy)
    for name, signer in made.signers.items():
        assert isinstance(signer, FileSigner)
        path = tmp_path / f"{name}.key"
        path.write_bytes(signer.unencrypted)
        path.chmod(0o600)
    for name in (*ENVIRONMENT, "TIDEGATE_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    (made.root / "obligations.yaml").write_text(yaml.safe_dump(OWN))
    return made


# --- the shortfalls of a first year -----------------------------------------------------------------------


def test_an_evaluation_three_days_late_shows_before_and_after(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    run("due", "record", "assessment.comprehensive", "--on", "2026-05-04", "--subject", "m", *who("ada"))
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-20")
    assert words(RULE) == "due in 45 days"
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-07-15")
    assert words(RULE) == "due in 20 days"
    assert RULE in run("due", "--within", "30d").stdout.partition("Due soon")[2]
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-08-04")
    assert words(RULE) == "due today"
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-08-07")
    assert words(RULE) == "late by 3 days"
    assert "late by 3 days" in run("due", "--check", code=1).stdout
    run("due", "record", "assessment.comprehensive", "--on", "2026-08-07", "--subject", "m", *who("ada"))
    duties = [one for one in data("due", "--all")["duties"] if one["rule"] == RULE]
    assert [one["words"] for one in duties] == ["due in 92 days", "met 3 days late"]
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-08-31")
    review = ("review", "compliance", "--from", "2026-08-01", "--to", "2026-08-31")
    [late] = [one for one in data(*review)["late"] if one["rule"] == RULE]
    assert late["words"] == "met 3 days late"
    assert late["source"].count("entry ") == 2
    assert "met 3 days late" in run(*review, "--public").stdout
    # What was recorded later is not used for an earlier day.
    assert words(RULE, "--as-of", "2026-08-06") == "late by 2 days"


def test_an_interval_whose_start_is_not_on_record_is_unclear(house: House) -> None:
    assert words(RULE) == "unclear"
    shown = run("due", "explain", RULE).stdout
    assert "no assessment.comprehensive is on record to count from" in shown
    found = data("review", "compliance", "--from", "2026-05-01", "--to", "2026-05-31")
    assert RULE in [one["rule"] for one in found["unclear"]]
    run("due", "--check", "--kind", "policy", code=1)


def test_a_changed_evaluation_is_a_deviation_on_record(house: House) -> None:
    path = house.root / "policy" / "house.yaml"
    policy = yaml.safe_load(path.read_text())
    policy["thresholds"][0]["indicators"][0]["evaluation"] = "Eval B"
    policy["evaluation_changes"] = [
        {
            "threshold": "T1",
            "was": "Eval A",
            "now": "Eval B",
            "on": "2026-05-20",
            "reason": "The first was a stand-in.",
            "approved_by": ["safety-lead"],
        }
    ]
    path.write_text(yaml.safe_dump(policy))
    run("ledger", "record")
    shown = run("review", "compliance", "--from", "2026-05-01", "--to", "2026-05-31", "--public").stdout
    assert "Eval B in place of Eval A" in shown
    assert "The first was a stand-in." in shown


def test_an_evaluation_exchanged_in_silence_is_told_by_the_daily_command(house: House) -> None:
    path = house.root / "policy" / "house.yaml"
    policy = yaml.safe_load(path.read_text())
    assert "in place of" not in run("due").stderr
    policy["thresholds"][0]["indicators"][0]["evaluation"] = "Eval B"
    path.write_text(yaml.safe_dump(policy))
    run("ledger", "record")
    assert "T1: Eval B in place of Eval A since 2026-06-01, which the policy does not record" in run("due").stderr


def test_missing_elicitation_keeps_an_evaluation_from_ruling_out(house: House) -> None:
    """The third shortfall is the business of findings: what was not elicited cannot rule anything out."""
    path = house.root / "policy" / "house.yaml"
    policy = yaml.safe_load(path.read_text())
    assert data("assess")["models"][0]["thresholds"][0]["finding"] == "ruled_out"
    policy["thresholds"][0]["indicators"][0]["elicitation"] = ["best_of_n", "chain_of_thought"]
    path.write_text(yaml.safe_dump(policy))
    run("ledger", "record")
    assert data("assess")["models"][0]["thresholds"][0]["finding"] != "ruled_out"
    shown = run("explain", "m", "T1").stdout
    assert "best of n" in shown.replace("_", " ").replace("-", " ")


def test_a_margin_that_nobody_argues_for_keeps_a_report_from_becoming_final(house: House) -> None:
    """The fourth shortfall is the business of reports: silence is refused, `not established` is an answer."""
    run("report", "capability", "m", "--draft")
    found = data("report", "capability", "m", "--final", *who("ada"), code=2)["problems"]
    [margin] = [one for one in found if "why the distance to its line is enough" in one["message"]]
    assert margin["code"] == "REP001"
    assert "`not established` is an answer" in margin["hint"]


# --- what is due ------------------------------------------------------------------------------------------


def test_the_table_groups_what_is_late_first(house: House) -> None:
    shown = run("due").stdout
    heads = [one.split(" (")[0] for one in shown.splitlines() if one.strip().endswith(")") and not one.startswith(" ")]
    assert heads[:2] == ["Late", "Unclear"]
    assert "late by 12 days" in shown
    assert "(soft)" in shown
    assert "more with --all" in shown


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        (("--kind", "commitment"), {"own.drill", "own.talk", "own.plan"}),
        (("--kind", "commitment", "--within", "30d"), {"own.drill", "own.talk"}),
        (("--kind", "commitment", "--within", "5m"), {"own.drill", "own.talk", "own.plan"}),
        (("--owner", "bob"), {"own.talk"}),
        (("--owner", "Ada"), {"own.drill"}),
        (("--owner", "safety-lead"), {"own.drill"}),
        (("--owner", "nobody"), set()),
        (("--kind", "standard"), set()),
    ],
)
def test_duties_are_chosen(house: House, options: tuple[str, ...], rules: set[str]) -> None:
    assert {one["rule"] for one in data("due", *options)["duties"]} == rules
    assert data("due", *options) == json.loads(run("due", *options, "--format", "json").stdout)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 0),
        (("--check", "--owner", "bob"), 0),
        (("--check", "--strict", "--owner", "bob"), 1),
        (("--check", "--owner", "ada"), 1),
        (("--check", "--kind", "standard"), 0),
    ],
)
def test_the_exit_code_is_for_ci(house: House, options: tuple[str, ...], code: int) -> None:
    run("due", *options, code=code)


def test_a_record_in_doubt_passes_no_check(house: House) -> None:
    path = house.root / "models" / "m.yaml"
    path.write_text(path.read_text().replace("2026-04-01", "2026-04-02"))
    found = run("due", "--check", "--kind", "standard", code=1)
    assert "warning PRJ006" in found.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("due", "--within", "soon"),
        ("due", "--as-of", "yesterday"),
        ("due", "record", "done:own.drill", "--on", "soon", "--as", "ada", "--key", "../ada.key"),
        ("review", "compliance", "--from", "2026-06-01", "--to", "2026-05-01"),
    ],
)
def test_what_is_not_understood_is_said(house: House, arguments: tuple[str, ...]) -> None:
    assert codes(*arguments) == ["PRJ005"]


def test_options_before_a_command_are_not_lost(house: House) -> None:
    found = run("due", "--as-of", "2026-05-05", "explain", RULE, code=2)
    assert "PRJ005" in found.stderr
    assert "tidegate due explain --..." in found.stderr


def test_what_has_no_date_is_told_and_much_of_it_in_short(house: House) -> None:
    events = [{"kind": f"unheard.of-{number}", "at": "2026-05-01"} for number in range(8)]
    (house.root / "obligations.yaml").write_text(yaml.safe_dump({**OWN, "facts": [], "events": events}))
    told = run("due").stderr
    assert told.count("note OBL003") == 5
    assert "3 more of these" in told
    assert len(data("due")["gaps"]) == 8


def test_a_calendar_can_be_subscribed_to(house: House, tmp_path: Path) -> None:
    run("due", "--format", "ical", "--output", tmp_path / "due.ics")
    found = Calendar.from_ical((tmp_path / "due.ics").read_bytes())
    titles = {str(one["summary"]) for one in found.walk("VEVENT")}
    assert {"Late: Readiness drill", "Late: Talk to outsiders"} <= titles
    printed = CliRunner().invoke(app, ["due", "--format", "ical"]).stdout_bytes
    assert printed == (tmp_path / "due.ics").read_bytes()


def test_tables_and_data_go_into_files_too(house: House, tmp_path: Path) -> None:
    run("due", "--output", tmp_path / "due.txt")
    assert "late by 12 days" in (tmp_path / "due.txt").read_text()
    run("due", "--json", "--output", tmp_path / "due.json")
    assert json.loads((tmp_path / "due.json").read_text())["organisation"] == "House"


def test_an_explanation_shows_how_a_date_follows(house: House) -> None:
    made = data("due", "record", "assessment.comprehensive", "--on", "2026-05-04", "--subject", "m", *who("ada"))
    shown = run("due", "explain", RULE).stdout
    for part in (
        "3 months from assessment.comprehensive on 2026-05-04",
        f"entry {made['entry']}",
        "2026-08-04",
        "house@1",
    ):
        assert part in shown
    found = data("due", "explain", RULE)
    assert found["duties"][0]["due_on"] == "2026-08-04"
    assert data("due", "explain", RULE, "--subject", "other")["duties"] == []
    assert codes("due", "explain", "policy/TR-2") == ["OBL002"]


def test_rules_and_events_are_listed_with_their_sources(house: House) -> None:
    assert "own.drill" in run("due", "rules").stdout
    listed = data("due", "rules", "--kind", "law")
    assert {one["kind"] for one in listed} == {"law"}
    assert "sb53.incident" in {one["id"] for one in listed}
    assert "policy.effective of house@1, 2026-01-15 (policy/house.yaml)" in run("due", "events").stdout
    assert {one["source"] for one in data("due", "events") if one["kind"] == "snapshot.made"} == {"models/m.yaml"}
    assert "Nobody has recorded" in run("due", "events", "--recorded").stdout


# --- recording --------------------------------------------------------------------------------------------


def test_what_is_recorded_meets_and_starts_duties(house: House) -> None:
    shown = run(
        "due", "record", "done:own.drill", "--on", "2026-05-18", "--document", "tidegate.yaml", *who("eve")
    ).stdout
    assert "meets own.drill, due 2026-05-20: met 2 days early" in shown
    assert (
        "starts policy/TR-1, due 2026-08-04"
        in run("due", "record", "assessment.comprehensive", "--on", "2026-05-04", *who("ada")).stdout
    )
    [first, _] = data("due", "events", "--recorded")
    back = data("due", "take-back", first["entry"], "-r", "It was another drill.", *who("ada"))
    assert (back["replaces"], back["counts"]) == (first["entry"], False)
    assert words("own.drill") == "late by 12 days"
    body = EventRecorded(kind="incident.discovered", on=date(2026, 5, 1))
    forged = record_act(house.world(), Act("event.recorded", body, house.actor("ada"))).index
    listed = run("due", "events", "--recorded").stdout
    assert f"takes back entry {first['entry']}" in listed
    assert f"entry {forged} has no effect: incident.discovered is read from the log itself" in listed
    fixed = run("due", "record", "done:own.drill", "--on", "2026-05-19", *who("ada")).stdout
    entry = fixed.split()[1].rstrip(":")
    corrected = data("due", "record", "done:own.drill", "--on", "2026-05-20", "--corrects", entry, *who("ada"))
    assert corrected["meets"][0]["words"] == "met on its last day"
    late = run("due", "record", "training.held", "--on", "2026-07-01", "--planned", *who("ada")).stdout
    assert "no duty is started or met by it now" in late


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("record", "done:own.dril", "--on", "2026-05-18"), "OBL002"),
        (("record", "done:own.drill", "--on", "2026-07-18"), "OBL003"),
        (("take-back", "0", "-r", "No."), "OBL003"),
        (("waive", "sb53.incident", "--until", "2026-07-01", "-r", "No."), "OBL004"),
    ],
)
def test_what_cannot_be_recorded_is_refused(house: House, arguments: tuple[str, ...], code: str) -> None:
    assert codes("due", *arguments, *who("eve")) == [code]


def test_a_duty_is_set_aside_by_two(house: House) -> None:
    assert "No duty is set aside." in run("due", "waivers").stdout
    first = run("due", "waive", "own.drill", "--until", "2026-06-30", "-r", f"Ill.{ESCAPE}", *who("bob")).stdout
    assert "missing: approve-measures: 1 of 2 signatures; open: safety-lead, board-member" in first
    assert codes("due", "waive", "own.drill", *who("ada")) == ["KEY006"], "who answers for it does not set it aside"
    assert "it counts" in run("due", "waive", "own.drill", *who("eve")).stdout
    assert words("own.drill") == "waived until 2026-06-30"
    assert "bob (ceo, entry" in run("due", "waivers").stdout
    [waiver] = data("due", "waivers")
    assert [one["person"] for one in waiver["signatures"]] == ["bob", "eve"]
    made = data(
        "due",
        "waive",
        "own.talk",
        "--until",
        "2026-06-30",
        "-r",
        "No.",
        "--internal",
        "--due",
        "2026-05-10",
        *who("eve"),
    )
    assert (made["is_public"], made["due"]) == (False, "2026-05-10")
    shown = run("review", "compliance", "--from", "2026-05-01", "--to", "2026-06-01").stdout
    assert "bob (ceo)" in shown.replace("\\", "")
    public = run("review", "compliance", "--from", "2026-05-01", "--to", "2026-06-01", "--public").stdout
    assert "bob" not in public
    assert "ceo, board-member" in public


# --- the review of a period -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["md", "html", "json", "docx", "pdf"])
def test_a_review_is_written_in_every_form(house: House, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"review.{form}"
    asked = ("review", "compliance", "--from", "2026-05-01", "--to", "2026-06-01", "--format", form)
    found = run(*asked, "--output", path)
    assert "late and still open" in found.stderr
    assert path.stat().st_size > 500
    first = path.read_bytes()
    run(*asked, "--output", path)
    assert path.read_bytes() == first
    if form in ("docx", "pdf"):
        run(*asked, code=2)
    else:
        assert "Readiness drill" in run(*asked).stdout


def test_a_project_without_a_log_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    run("new", tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    assert "Unclear" in run("due").stdout
    assert "keeps no log" in run("review", "compliance", "--from", "2026-01-01", "--to", "2026-05-31").stdout
    assert "Nobody has recorded" in run("due", "events", "--recorded").stdout


@pytest.mark.usefixtures("house")
def test_two_forms_at_once_are_refused() -> None:
    assert codes("due", "--format", "ical") == ["PRJ005"]


@pytest.mark.usefixtures("house")
def test_the_day_from_which_a_law_binds_can_be_put_on_record() -> None:
    run("due", "record", "in_force:sb53.internal-use-summary", "--on", "2026-05-20", *who("ada"))
    assert "in_force:sb53.internal-use-summary" in run("due", "events").output


def test_without_a_log_the_log_is_what_is_missing(tmp_path: Path) -> None:
    run("new", tmp_path / "plain")
    asked = ("due", "record", "drill.held", "--on", "2026-05-20", "--as", "ada", "--key", "ada.key")
    assert codes(*asked, "--project", tmp_path / "plain") == ["LED002"]
