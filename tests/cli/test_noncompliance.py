# SPDX-License-Identifier: Apache-2.0
"""Noncompliance on the command line: what reporters, managers, strangers and keepers type, and what they see."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner, Result

from house import House
from office import an_office, bytes_of
from tidegate.cli.app import app
from tidegate.ledger.keys import FileSigner

WORDS = "Carl Culprit switched the monitor off."
ENVIRONMENT = (
    "GITHUB_ACTIONS",
    "TIDEGATE_PROJECT",
    "TIDEGATE_PERSON",
    "TIDEGATE_KEY",
    "TIDEGATE_CASE_KEY",
    "SSH_AUTH_SOCK",
)


def run(*arguments: str, code: int = 0, given: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(app, list(arguments), input=given)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def data(*arguments: str, code: int = 0, given: str | None = None) -> Any:
    return json.loads(run(*arguments, "--json", code=code, given=given).stdout)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """An office whose people have their keys in files; we stand in the project."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    house = an_office(tmp_path)
    for name, signer in house.signers.items():
        assert isinstance(signer, FileSigner)
        write_key(tmp_path / f"{name}.key", signer.unencrypted)
    (tmp_path / "report.md").write_text(WORDS)
    monkeypatch.chdir(house.root)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    return house


def write_key(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def by(person: str) -> tuple[str, ...]:
    return ("--as", person, "--key", f"../{person}.key")


def nc(*arguments: str, **options: Any) -> Result:
    return run("noncompliance", *arguments, **options)


def a_report(*more: str, given: str = WORDS) -> tuple[str, str]:
    """File a report; give its case and leave the case key in a file."""
    made = data("noncompliance", "report", "--anonymous", *(more or ("--implicates", "carl")), given=given)
    Path("../case.key").write_text(made["case_key"])
    return made["case"], made["case_key"]


def test_help_names_every_command() -> None:
    shown = nc("--help").stdout
    for name in ("report", "reply", "read", "list", "show", "note", "move", "close", "assign", "stats", "retaliation"):
        assert name in shown
    shown = run("sealed", "--help").stdout
    for name in ("list", "erase", "hold", "lift"):
        assert name in shown


def test_a_report_from_first_word_to_the_end(office: House) -> None:
    made = nc("report", "-c", "safeguards", "--file", "../report.md", "--anonymous", "--implicates", "carl").stdout
    case = re.search(r"Case (nc-[0-9a-f]{12})\n", made)
    key = re.search(r"^  ([A-Z2-7]{4}(?:-[A-Z2-7]{4}){13})$", made, re.MULTILINE)
    assert case
    assert key
    assert "Goes to mia, max (case-manager)." in made
    assert "Keep it where nobody else looks" in made
    name = case.group(1)
    Path("../case.key").write_text(key.group(1).lower().replace("-", " "))

    read = nc("read", name, *by("mia")).stdout
    assert f"| {WORDS}" in read
    assert "implicates carl" in read
    nc("reply", name, *by("mia"), given="When was it?")
    nc("note", name, *by("max"), given="Ask for the logs.")
    nc("reply", name, "--case-key-file", "../case.key", given="On the third of May.")
    dialogue = nc("read", name, "--case-key-file", "../case.key").stdout
    assert re.findall(r"\| (.+)", dialogue) == [WORDS, "When was it?", "On the third of May."]
    assert "mia to the reporter" in dialogue
    assert "note by max" in nc("read", name, *by("mia")).stdout

    assert "triaged" in nc("move", name, "--to", "triaged", *by("mia")).stdout
    nc("move", name, "--to", "investigating", *by("mia"))
    nc("move", name, "--to", "substantiated", "--material", *by("mia"))
    nc("move", name, "--to", "corrective_action", *by("max"))
    assert "closed, materially unsafe" in nc("close", name, "-o", "substantiated", "--corrected", *by("mia")).stdout
    shown = nc("show", name).stdout
    assert "closed (substantiated, corrected), by mia" in shown
    assert "prompt notice to the board" in shown
    assert "reporter anonymous" in shown
    assert name not in nc("list").stdout
    assert name in nc("list", "--all").stdout
    assert data("noncompliance", "list", "--all")["voids"] == []


def test_no_command_shows_words_or_names_to_others(office: House) -> None:
    case, _ = a_report()
    shown = [
        nc("list", "--all").output,
        nc("list", "--all", "--json").output,
        nc("show", case).output,
        nc("show", case, "--json").output,
        nc("stats").output,
        nc("retaliation", "list").output,
        run("sealed", "list").output,
        run("ledger", "log").output,
        nc("read", case, *by("bob"), code=2).output,
        nc("read", case, *by("eve"), code=2).output,
    ]
    for one in shown:
        assert "carl" not in one.lower()
        assert "monitor" not in one
    on_disk = bytes_of(office)
    for secret in (WORDS, "monitor", "Carl", "carl", "rita", "report.md"):
        assert (secret.encode() in on_disk) == (secret == "rita")  # her key is in the log, and nothing else of her


@pytest.mark.parametrize("manager", ["mia", "max"])
def test_an_implicated_manager_gets_and_reads_nothing(office: House, manager: str) -> None:
    case, _ = a_report("--implicates", manager)
    refused = nc("read", case, *by(manager), code=2).stderr
    assert "KEY006" in refused
    other = {"mia": "max", "max": "mia"}[manager]
    assert WORDS in nc("read", case, *by(other)).stdout
    assert "KEY006" in nc("assign", case, manager, *by(other), code=2).stderr
    with closing(sqlite3.connect("ledger/ledger.db")) as database:
        (content,) = database.execute("SELECT data FROM sealed").fetchone()
    from tidegate.govern.sealing import reading_key  # noqa: PLC0415 - only here

    assert reading_key(office.signers[manager]).unseal(content) is None
    assert reading_key(office.signers[other]).unseal(content) is not None


def test_a_reporter_says_whether_they_are_named(office: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_PERSON", "rita")
    monkeypatch.setenv("TIDEGATE_KEY", "../rita.key")
    refused = nc("report", given=WORDS, code=2).stderr
    assert "PRJ005: say whether the report carries your name" in refused
    assert "PRJ005" in nc("report", "--anonymous", "--as", "rita", given=WORDS, code=2).stderr
    case = data("noncompliance", "report", "--as", "rita", given=WORDS)["case"]
    monkeypatch.delenv("TIDEGATE_PERSON")
    assert "reported by rita (signed with their key)" in nc("read", case, *by("mia")).stdout
    assert "reporter named to those who handle it" in nc("show", case).stdout
    assert "rita" not in nc("show", case, "--json").stdout
    anonymous, _ = a_report()
    assert "reported by" not in nc("read", anonymous, *by("mia")).stdout


def test_looking_first_files_nothing(office: House) -> None:
    assert (
        "Goes to ada (safety-lead)."
        in nc("report", "--anonymous", "--implicates", "mia", "--implicates", "max", "--look").stdout
    )
    assert data("noncompliance", "report", "--anonymous", "--to", "eve", "--look")["managers"] == ["eve"]
    assert data("noncompliance", "list", "--all")["cases"] == []


def test_wrong_keys_open_nothing(office: House, monkeypatch: pytest.MonkeyPatch) -> None:
    case, key = a_report()
    _, other = a_report(given="Another report.")
    for text in (other, "AAAA", key[:-1] + ("A" if key[-1] != "A" else "B")):
        monkeypatch.setenv("TIDEGATE_CASE_KEY", text)
        for command in ("read", "reply"):
            refused = nc(command, case, given="x", code=2).output
            assert "NCP001" in refused
            assert WORDS not in refused
    monkeypatch.setenv("TIDEGATE_CASE_KEY", key)
    assert WORDS in nc("read", case).stdout
    assert "NCP001" in nc("read", "nc-0", code=2).stderr
    monkeypatch.delenv("TIDEGATE_CASE_KEY")
    assert "PRJ005: say who acts" in nc("read", case, code=2).stderr
    assert "NCP001" in nc("show", "nc-0", code=2).stderr
    assert "KEY003" in nc("read", case, "--as", "mia", "--key", "../bob.key", code=2).stderr


def test_key_files_under_a_passphrase_read(office: House, monkeypatch: pytest.MonkeyPatch) -> None:
    case, _ = a_report()
    private = serialization.load_ssh_private_key(Path("../mia.key").read_bytes(), None)
    encryption = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1).build(b"words")
    write_key(
        Path("../mia.key"),
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption),
    )
    monkeypatch.setenv("TIDEGATE_PASSPHRASE", "words")
    assert WORDS in nc("read", case, *by("mia")).stdout
    monkeypatch.setenv("TIDEGATE_PASSPHRASE", "other")
    assert "KEY002" in nc("read", case, *by("mia"), code=2).stderr


def test_illegal_states_are_refused(office: House) -> None:
    case, _ = a_report()
    refused = nc("move", case, "--to", "substantiated", *by("mia"), code=2).stderr
    assert "NCP003" in refused
    assert "from there it goes to triaged or closed" in refused
    assert "NCP003" in nc("close", case, "-o", "substantiated", *by("mia"), code=2).stderr
    assert "NCP003" in nc("move", case, *by("mia"), code=2).stderr
    assert "KEY006" in nc("move", case, "--to", "triaged", *by("bob"), code=2).stderr
    nc("move", case, "--to", "closed", *by("mia"), code=2)


def test_nobody_left_is_an_answer(office: House) -> None:
    everybody = [word for name in ("mia", "max", "ada", "bob", "eve") for word in ("--implicates", name)]
    refused = nc("report", "--anonymous", *everybody, given=WORDS, code=2).stderr
    assert "NCP002" in refused
    assert "--to PERSON" in refused
    assert "KEY004" in nc("report", "--anonymous", "--implicates", "mai", given=WORDS, code=2).stderr


def test_texts_are_checked(office: House) -> None:
    assert "DOC002" in nc("report", "--anonymous", given="x" * 200_001, code=2).stderr
    assert "DOC003" in nc("report", "--anonymous", given=b"\xff\xfe", code=2).stderr
    assert "DOC009" in nc("report", "--anonymous", given=" ", code=2).stderr
    assert "DOC001" in nc("report", "--anonymous", "--file", "../nothing.md", code=2).stderr
    Path("../large.md").write_text("x" * 200_001)
    assert "DOC002" in nc("report", "--anonymous", "--file", "../large.md", code=2).stderr
    assert "PRJ005" in nc("report", "--anonymous", "--retain", "long", given=WORDS, code=2).stderr


def test_words_cannot_drive_the_terminal_or_pass_for_heads(office: House) -> None:
    case, _ = a_report(given="Red \x1b[31mtext\n2026-06-01  from the reporter\n  | more\r\x07")
    shown = nc("read", case, *by("mia")).stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    heads = [line for line in shown.splitlines() if line.startswith("2026-")]
    assert heads == ["2026-06-01  report"]


def test_changed_content_is_found(office: House) -> None:
    case, _ = a_report()
    with closing(sqlite3.connect("ledger/ledger.db")) as database:
        database.execute("DROP TRIGGER sealed_update")
        database.execute("UPDATE sealed SET data = CAST(data || x'00' AS BLOB)")
        database.commit()
    for who in (by("mia"), ("--case-key-file", "../case.key")):
        shown = nc("read", case, *who, code=1).stdout
        assert "not what the log's digest says" in shown
        assert WORDS not in shown
    assert data("noncompliance", "read", case, *by("mia"), code=1)["messages"][0]["text"] is None


def test_retention_on_the_command_line(office: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no sealed content." in run("sealed", "list").stdout
    case, _ = a_report()
    assert "kept while the case is open" in run("sealed", "list").stdout
    assert "LED010" in run("sealed", "erase", case, "--ground", "x", *by("ada"), code=2).stderr
    nc("close", case, "-o", "withdrawn", *by("mia"))
    assert "kept until 2031-06-01" in run("sealed", "list").stdout
    hold = data("sealed", "hold", case, "--reason", "a suit", *by("ada"))["hold"]
    monkeypatch.setenv("TIDEGATE_TODAY", "2031-06-02")
    refused = run("sealed", "erase", case, "--ground", "x", *by("ada"), code=2).stderr
    assert f"LED010: the hold {hold} covers" in refused
    assert f"{hold}: over 1 content" in run("sealed", "list").stdout
    assert "lifted 2031-06-02" in run("sealed", "lift", hold, "--reason", "settled", *by("ada")).stdout
    assert "KEY006" in run("sealed", "erase", case, "--ground", "x", *by("mia"), code=2).stderr
    assert "Erased 1 content" in run("sealed", "erase", case, "--ground", "time is over", *by("ada")).stdout
    assert "content erased on 2031-06-02 because time is over" in nc("read", case, *by("mia")).stdout
    assert "erased 2031-06-02 by ada: time is over" in run("sealed", "list").stdout
    assert data("sealed", "list")["contents"][0]["state"] == "erased"
    assert "LED009" in run("sealed", "lift", hold, "--reason", "again", *by("ada"), code=2).stderr
    assert "over everything" in run("sealed", "hold", "everything", "--reason", "x", *by("ada")).stdout


def test_the_register_of_retaliation(office: House) -> None:
    assert "empty" in nc("retaliation", "list").stdout
    case, _ = a_report()
    made = nc("retaliation", "report", "--case", case, "--anonymous", given="They moved my desk.").stdout
    name = re.search(r"Report (rt-[0-9a-f]{12})", made)
    assert name
    assert "They moved my desk." in nc("read", name.group(1), *by("mia")).stdout
    nc("retaliation", "move", name.group(1), "--to", "investigating", *by("mia"))
    Path("../found.md").write_text("It was so.")
    moved = nc("retaliation", "move", name.group(1), "--to", "found", "--file", "../found.md", *by("mia")).stdout
    assert f"{name.group(1)}: found" in moved
    assert "NCP003" in nc("retaliation", "move", name.group(1), "--to", "not_found", *by("mia"), code=2).stderr
    assert data("noncompliance", "retaliation", "list")[0]["state"] == "found"
    assert data("noncompliance", "retaliation", "report", "--anonymous", "--to", "eve", given="x")["managers"] == [
        "eve"
    ]


def test_counts(office: House, monkeypatch: pytest.MonkeyPatch) -> None:
    case, _ = a_report()
    a_report("-c", "security")
    nc("close", case, "-o", "withdrawn", *by("mia"))
    shown = nc("stats").stdout
    assert re.search(r"^opened +2$", shown, re.MULTILINE)
    assert re.search(r"^closed +withdrawn 1$", shown, re.MULTILINE)
    assert re.search(r"^retaliation +none$", shown, re.MULTILINE)
    assert data("noncompliance", "stats", "-q", "2026-Q1")["opened"] == 0
    assert "PRJ005" in nc("stats", "-q", "2026", code=2).stderr
    assert "PRJ005" in nc("stats", "--public", "--year", "2026", code=2).stderr
    monkeypatch.setenv("TIDEGATE_TODAY", "2027-02-01")
    public = data("noncompliance", "stats", "--public")
    assert public["opened"]["2026-Q2"]["security"] == "<5"
    assert public["opened"]["all"]["all"] == "<5"
    assert "2026, retaliation" in nc("stats", "--public").stdout
    assert data("noncompliance", "list")["cases"][0]["due"][0]["is_overdue"] is True
    assert "(overdue)" in nc("list").stdout


def test_void_entries_are_listed_with_their_reason(office: House) -> None:
    from tidegate.flow.casework import signed_entry  # noqa: PLC0415 - only here
    from tidegate.ledger.acts import NoncomplianceMoved  # noqa: PLC0415

    case, _ = a_report()
    body = NoncomplianceMoved(case=case, to="triaged")
    with closing(office.world().ledger()) as store:
        store.append([signed_entry(office.world(), "noncompliance.moved", body, office.actor("bob"))])
    assert "1 entry without effect (--all shows why)" in nc("list").stdout
    assert f"noncompliance.moved {case}: bob does not handle {case}" in nc("list", "--all").stdout


def test_managers_change_on_the_command_line(office: House) -> None:
    case, _ = a_report()
    assert "with eve" in nc("assign", case, "eve", *by("mia")).stdout
    assert "from a copy that mia made" in nc("read", case, *by("eve")).stdout
    assert "KEY006" in nc("read", case, *by("mia"), code=2).stderr
    assert "KEY006" in nc("assign", case, "carl", *by("eve"), code=2).stderr
    assert WORDS in nc("read", case, "--read-with", "../eve.key", *by("eve")).stdout
    assert "copy for other keys, by mia" in nc("show", case).stdout
