# SPDX-License-Identifier: Apache-2.0
"""Incidents on the command line: what somebody on duty types, and what they see."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from house import House, a_house
from tidegate.cli.app import app
from tidegate.flow.ledgers import Act, record_act
from tidegate.ledger.acts import IncidentUpdated, Sealed
from tidegate.ledger.keys import FileSigner

ENVIRONMENT = ("GITHUB_ACTIONS", "TIDEGATE_PROJECT", "TIDEGATE_PERSON", "TIDEGATE_KEY", "SSH_AUTH_SOCK")
BOB = ("--as", "bob", "--key", "../bob.key")
DECEPTION = ("frontier_model=yes", "deception=yes", "deception_in_test=no", "deception_raises_risk=yes")
FACTS = ["frontier_developer", "gpai_systemic_risk", "operates_in_new_york"]


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["incident", *arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def data(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house whose people have their keys in files; we stand in the project, at noon of 1 June 2026."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    made = a_house(tmp_path)
    (made.root / "obligations.yaml").write_text(yaml.safe_dump({"schema": "tidegate/obligations/v1", "facts": FACTS}))
    for name, signer in made.signers.items():
        assert isinstance(signer, FileSigner)
        path = tmp_path / f"{name}.key"
        path.write_bytes(signer.unencrypted)
        path.chmod(0o600)
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    return made


def opened(*more: str, title: str = "It hid its steps", discovered: str = "2 hours ago") -> str:
    made = data("open", "--title", title, "--discovered", discovered, *more, *BOB)
    assert isinstance(made["id"], str)
    return made["id"]


def answers(*given: str) -> list[str]:
    return [part for one in given for part in ("--answer", one)]


def test_help_names_every_command_with_an_example() -> None:
    shown = run("--help").stdout
    for name in ("open", "update", "clocks", "notice", "list", "show", "close", "questions"):
        assert f" {name} " in shown
        assert f"tidegate incident {name}" in run(name, "--help").stdout


def test_an_incident_is_opened_with_a_title_and_a_time(house: House) -> None:
    shown = run("open", "--title", "It hid", "--discovered", "now", *BOB).stdout
    assert shown.startswith("Opened inc-1: It hid\n")
    assert "open: frontier_model: Was a model involved" in shown
    assert opened() == "inc-2"


def test_everything_that_is_known_can_be_said_at_once(house: House) -> None:
    name = opened(
        "--summary", "It wrote false notes.", "--occurred", "2026-05-30", "--time", "detected=2026-05-31T22:00-08:00",
        "--model", "m", "--jurisdiction", "us-ca", "--evidence", "evidence:r1", "--threshold", "T1", *answers(*DECEPTION),
    )  # fmt: skip
    shown = data("show", name)
    assert shown["times"]["discovered"] == {
        "name": "discovered",
        "at": "2026-06-01T10:00:00Z",
        "by": "bob",
        "recorded_at": "2026-06-01T12:00:00Z",
        "index": shown["entries"][0]["index"],
        "reason": None,
    }
    assert shown["times"]["detected"]["at"] == "2026-06-01T06:00:00Z"
    assert (shown["models"], shown["jurisdictions"], shown["threshold"]) == (["m"], ["us-ca"], "T1")
    assert shown["classes"]["sb53.deception"]["verdict"] == "applies"
    words = run("show", name).stdout
    for part in ("| It wrote false notes.", "occurred: 2026-05-30T00:00:00Z, by bob", "sb53.deception: applies"):
        assert part in words


def test_clocks_show_dates_in_utc_and_locally_with_what_is_left(house: House) -> None:
    name = opened(*answers(*DECEPTION, "imminent_danger=yes"))
    shown = run("clocks", name).stdout
    for part in (
        "sb53.imminent-danger",
        "2026-06-02T10:00:00Z",
        "2026-06-02 03:00 PDT",
        "22 h 0 min",
        "2026-06-17T06:59:59Z",
        "raise.incident: not in force until 2027-01-01",
        "il.incident: it binds only where `operates_in_illinois` is so",
    ):
        assert part in shown, part
    (clock,) = [one for one in data("clocks", name)["clocks"] if one["rule"] == "sb53.incident"]
    assert clock["due_on"] == "2026-06-16"
    assert clock["due_at"] == "2026-06-17T06:59:59Z"
    assert clock["due_local"] == "2026-06-16 23:59 PDT"
    assert clock["from"] == {"event": "incident.discovered", "at": "2026-06-01T10:00:00Z"}
    assert (clock["state"], clock["would_run"], clock["seconds_left"]) == ("due_soon", False, 1_364_399)


def test_a_late_clock_ends_with_1_also_one_that_only_would_run(house: House) -> None:
    name = opened()
    run("clocks", name)
    assert "at 2026-06-01T23:59:59Z" in run("clocks", name, "--as-of", "2026-06-01").stdout
    assert "was not on record at 2026-05-31T23:59:59Z" in run("clocks", name, "--as-of", "2026-05-31", code=2).output
    late = data("clocks", name, "--as-of", "2026-06-02T10:00:01Z", code=1)
    (clock,) = [one for one in late["clocks"] if one["state"] == "late"]
    assert (clock["rule"], clock["would_run"], clock["seconds_left"]) == ("sb53.imminent-danger", True, -1)
    assert clock["open_questions"] == ["frontier_model", "imminent_danger"]
    assert "late by 0 min" in run("clocks", name, "--as-of", "2026-06-02T10:00:01Z", code=1).stdout
    assert run("list").stdout.startswith(f"{name}  open  It hid its steps  sb53.imminent-danger: 22 h 0 min (would run")


def test_a_correction_needs_its_reason(house: House) -> None:
    name = opened()
    assert "INC004" in run("update", name, "--correct", "discovered=2026-05-31", *BOB, code=2).output
    assert "INC004" in run("update", name, "--time", "discovered=2026-05-31", *BOB, code=2).output
    assert "INC004" in run("update", name, "--time", "discovered=none", *BOB, code=2).output
    run("update", name, "--correct", "discovered=2026-05-31", "--reason", "a mail", *BOB)
    shown = run("show", name).stdout
    assert "discovered: 2026-06-01T10:00:00Z, by bob at 2026-06-01T12:00:00Z (entry 8), replaced" in shown
    assert "because a mail" in shown
    run("update", name, "--correct", "discovered=none", "--reason", "nobody knows", *BOB)
    assert data("show", name)["times"] == {}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--time", "sometime=now"], "INC003"),
        (["--time", "contained"], "PRJ005"),
        (["--time", "contained=soon"], "PRJ005"),
        (["--time", "contained=2026-06-01T09:00"], "PRJ005"),
        (["--time", "contained=2026-07-01"], "INC002"),
        (["--time", "contained=now", "--time", "contained=now"], "PRJ005"),
        (["--answer", "death=maybe"], "INC003"),
        (["--answer", "deaths=yes"], "INC003"),
        (["--field", "responses=x"], "INC003"),
        (["--field", "response=@nowhere.txt"], "DOC001"),
        (["--severity", "oecd@1=bad"], "INC003"),
        (["--jurisdiction", "California"], "INC003"),
        ([], "INC004"),
    ],
)
def test_what_is_mistyped_is_refused_with_a_code(house: House, arguments: list[str], code: str) -> None:
    name = opened()
    assert code in run("update", name, *arguments, *BOB, code=2).output
    assert len(data("show", name)["entries"]) == 1


def test_an_unknown_incident_or_rule_is_refused(house: House) -> None:
    opened()
    for command in (
        ["clocks", "inc-9"],
        ["show", "inc-9"],
        ["notice", "inc-9", "sb53.incident"],
        ["questions", "inc-9"],
    ):
        assert "INC001" in run(*command, code=2).output
    assert "did you mean 'sb53.incident'" in run("notice", "inc-1", "sb53.incidents", code=2).output


# --- notices -------------------------------------------------------------------------------------------


def test_a_draft_is_printed_or_written_and_names_what_is_missing(house: House, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("A long story.\n\nIn two parts.")
    name = opened("--summary", "Short.", *answers(*DECEPTION))
    run("update", name, "--field", f"chain_of_events=@{tmp_path}/long.txt", *BOB)
    draft = run("notice", name, "sb53.incident").stdout
    assert "Draft, made from the record." in draft
    assert "> Short." in draft
    found = data("notice", name, "eu.incident.death")
    assert found["fields"]["chain_of_events"].startswith("A long story.")
    assert "harm_and_victims" in found["missing"]
    assert found["may_follow"] == ["root_cause", "monitoring_patterns"]
    written = run("notice", name, "sb53.incident", "--format", "html", "--output", "notice.html").stdout
    assert written == "Wrote notice.html: a draft; missing: date, internal_use\n"
    page = Path("notice.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "not legal advice" in page
    assert json.loads(run("notice", name, "sb53.incident", "--format", "json").stdout)["is_draft"] is True


def test_one_person_puts_a_sent_notice_on_record(house: House) -> None:
    name = opened("--summary", "Short.", *answers(*DECEPTION))
    shown = run("notice", name, "sb53.incident", "--sent", "--to", "Cal OES", "--at", "1 hour ago", *BOB).stdout
    assert shown == f"Recorded: sb53.incident of {name} went to Cal OES at 2026-06-01T11:00:00Z.\n"
    (clock,) = [one for one in data("clocks", name)["clocks"] if one["rule"] == "sb53.incident"]
    assert (clock["state"], clock["done_at"]) == ("met", "2026-06-01T11:00:00Z")
    (notice,) = data("show", name)["notices"]
    assert notice["missing"] == ["date", "internal_use"]
    assert "As it was sent." in notice["text"]
    assert "Draft" not in notice["text"]
    assert "stated as missing: date, internal_use" in run("show", name).stdout


def test_a_notice_is_taken_back_with_its_reason(house: House) -> None:
    name = opened(*answers(*DECEPTION))
    run("notice", name, "sb53.incident", "--sent", *BOB)
    entry = data("show", name)["entries"][-1]["index"]
    back = ("notice", name, "sb53.incident", "--not-sent", str(entry))
    assert "INC004" in run(*back, *BOB, code=2).output
    assert "say who" in run(*back, "--reason", "it bounced", code=2).output
    assert "INC003" in run(*back[:-1], "1", "--reason", "it bounced", *BOB, code=2).output
    assert "It meets nothing" in run(*back, "--reason", "it bounced", *BOB).stdout
    assert f"(entry {entry})" in run("show", name).stdout
    assert ", taken back" in run("show", name).stdout
    (clock,) = [one for one in data("clocks", name)["clocks"] if one["rule"] == "sb53.incident"]
    assert clock["state"] == "due_soon"
    assert data("show", name)["notices_taken_back"] == [entry]


def test_the_words_that_were_sent_are_kept_as_they_were(house: House) -> None:
    name = opened()
    Path("sent.txt").write_text("As filed by the form.")
    made = data("notice", name, "sb53.incident", "--sent", "--text", "sent.txt", *BOB)
    assert made["notices"][0]["text"] == "As filed by the form."
    assert made["notices"][0]["to"] == "California Office of Emergency Services"
    assert "INC002" in run("notice", name, "sb53.incident", "--sent", "--at", "2026-07-01", *BOB, code=2).output
    assert "--as PERSON" in run("notice", name, "sb53.incident", "--sent", code=2).output


# --- closing, and what is not in order -----------------------------------------------------------------


def test_closing_and_opening_again(house: House) -> None:
    name = opened()
    assert "sb53.incident" in run("close", name, "--reason", "over", *BOB, code=2).output
    shown = run("close", name, "--reason", "over", "--anyway", *BOB).stdout
    assert f"Closed {name}: It hid its steps" in shown
    assert "Kept until 2031-06-01." in shown
    assert "INC004" in run("update", name, "--answer", "death=no", *BOB, code=2).output
    assert data("close", name, "--reason", "more", "--reopen", *BOB)["state"] == "open"


def test_the_questions_the_times_and_the_fields_are_listed(house: House) -> None:
    shown = run("questions").stdout
    for part in ("frontier_model: Was a model", "Times:\n  occurred: it happened", "Fields of notices: date,"):
        assert part in shown
    assert len(data("questions")["questions"]) == 22
    name = opened(*answers("frontier_model=no", "model_involved=no"))
    assert run("questions", name).stdout == "Nothing is open: every class applies or does not.\n"
    run("update", name, "--answer", "model_involved=yes", "--reason", "it was", *BOB)
    assert {one["id"] for one in data("questions", name)["questions"]} == {
        "death", "weights_taken", "infrastructure", "security_breach", "health", "rights", "property",
    }  # fmt: skip


def test_severity_is_shown_with_its_score(house: House) -> None:
    name = opened(*answers("death=no", "harm=yes"))
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"
    run("update", name, "--severity", f"cvss@4.0={vector}", *BOB)
    shown = run("show", name).stdout
    assert f"cvss@4.0: Critical (10.0 ({vector}))" in shown
    assert "oecd@1: Incident (could be disaster: answer" in shown


@pytest.mark.parametrize("evil", ["a\x1b[2Jb", "a\nOpened inc-9: forged", "a\u202eb", "[red]a[/red]"])
def test_a_title_cannot_steer_the_terminal_or_pass_for_a_line(house: House, evil: str) -> None:
    name = opened(title=evil)
    shown = [run("list").stdout, run("show", name).stdout, run("notice", name, "sb53.incident").stdout]
    for text in shown:
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\nOpened inc-9" not in text
    assert "[red]a[/red]" in run("list").stdout or "[red]" not in evil


def test_what_is_forged_is_listed(house: House) -> None:
    name = opened()
    digest = data("show", name)["entries"][0]["digest"]
    body = IncidentUpdated(incident=name, content=Sealed(digest=digest))
    record_act(house.world(), Act("incident.updated", body, house.actor("eve")))
    assert "has no effect: its content belongs to another entry" in run("list").stdout
    assert data("list")["without_effect"][0]["incident"] == name
    run("show", name)
    run("update", name, "--answer", "death=no", *BOB)


def test_what_is_not_kept_ends_with_1_and_names_the_entry(house: House) -> None:
    name = opened(*answers("death=no"))
    with closing(sqlite3.connect("ledger/ledger.db")) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("DELETE FROM sealed")
        database.commit()
    shown = run("show", name, code=1).output
    assert "INC005" in shown
    assert "(its title cannot be read)" in shown
    assert data("show", name, code=1)["problems"][0]["code"] == "INC005"
    assert "(1 problem)" in run("list").stdout
    assert "sb53.incident" in run("clocks", name, code=1).stdout


def test_clocks_of_a_broken_record_say_so_and_end_with_1(house: House) -> None:
    name = opened(*answers(*DECEPTION, "imminent_danger=no"))
    run("clocks", name)
    digest = data("show", name)["entries"][-1]["digest"]
    with closing(sqlite3.connect(house.root / "ledger" / "ledger.db")) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("DELETE FROM sealed WHERE digest = ?", (digest,))
        database.commit()
    assert "INC005" in run("clocks", name, code=1).output
    assert [one["code"] for one in data("clocks", name, code=1)["problems"]] == ["INC005"]


def test_an_erased_incident_is_shown_as_erased(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    name = opened(*answers("frontier_model=no", "model_involved=no"))
    run("close", name, "--reason", "over", *BOB)
    monkeypatch.setenv("TIDEGATE_TODAY", "2031-06-02")
    keeper = ("--as", "ada", "--key", "../ada.key")
    listed = CliRunner().invoke(app, ["sealed", "list"]).stdout
    assert f"{name}  kept until 2031-06-01" in listed
    erased = CliRunner().invoke(app, ["sealed", "erase", name, "--ground", "its time is over", *keeper])
    assert erased.exit_code == 0, erased.output
    assert run("list").stdout == f"{name}  closed  (erased after its retention)\n"
    assert "(erased after its retention)" in run("show", name).stdout
    assert data("show", name)["is_erased"] is True
    run("clocks", name)
