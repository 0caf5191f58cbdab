# SPDX-License-Identifier: Apache-2.0
"""The commands about who decided what: one walk through them, and whatever else somebody might type."""

import json
import os
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET, create_connection
from threading import Thread
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from house import House, a_house, a_signer, evidence_file
from tidegate.cli.app import app
from tidegate.flow.evidence import import_files
from tidegate.flow.logs import Witness, log_vkey, witness_request, witness_vkey
from tidegate.flow.outputs import write_output
from tidegate.flow.witness_server import witness_server
from tidegate.kernel.canonical import canonical_bytes
from tidegate.ledger.keys import FileSigner, Signer, load_signer, new_private_key
from tidegate.publish.bundle import MANIFEST, pack, unpack

ENVIRONMENT = ("GITHUB_ACTIONS", "TIDEGATE_PROJECT", "TIDEGATE_PERSON", "TIDEGATE_KEY", "TIDEGATE_LOG_KEY")
ESCAPE = "\x1b[2J"


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    # Anything else than an exit would be a stack trace in somebody's terminal.
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    assert "\x1b" not in result.output
    return result


def data(*arguments: object, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def codes(*arguments: object, code: int = 2) -> list[str]:
    return [one["code"] for one in data(*arguments, code=code)["problems"]]


def save(path: Path, signer: Signer) -> Path:
    assert isinstance(signer, FileSigner)
    path.write_bytes(signer.unencrypted)
    path.chmod(0o600)
    return path


def stand_in(house: House, patch: pytest.MonkeyPatch) -> None:
    for name in (*ENVIRONMENT, "SSH_AUTH_SOCK", "TIDEGATE_PASSPHRASE"):
        patch.delenv(name, raising=False)
    patch.chdir(house.root)
    patch.setenv("TIDEGATE_TODAY", "2026-06-01")
    patch.setenv("COLUMNS", "150")


def settle(folder: Path, patch: pytest.MonkeyPatch) -> House:
    """Give a house whose keys are in files beside it; we stand in it."""
    made = a_house(folder)
    for name, signer in {**made.signers, "log": made.log, "witness": a_signer()}.items():
        save(folder / f"{name}.key", signer)
    stand_in(made, patch)
    return made


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return settle(tmp_path, monkeypatch)


def who(person: str) -> tuple[str, ...]:
    return ("--as", person, "--key", f"../{person}.key")


def decided() -> None:
    run("decide", "propose", "m", "-a", "deploy", *who("ada"))
    run("decide", "review", "D-1", "-v", "supports", "-t", "The margin holds.", *who("kim"))
    run("decide", "sign", "D-1", *who("ada"))
    run("decide", "sign", "D-1", *who("bob"))
    run("ledger", "checkpoint", "--log-key", "../log.key")


# --- the walk -----------------------------------------------------------------------------------------


def test_from_a_proposal_to_a_bundle_that_verifies_elsewhere(house: House, tmp_path: Path, monkeypatch) -> None:
    import_files(house.world(), [evidence_file(tmp_path, "r2", 0.04, note="said Jane Roe")])
    told = ("--ground", "privacy", "--why", "It names a person.", "--character", "a name")
    run("evidence", "redact", "r2", "note", *told)
    assert data("gate", "m", "-a", "general", code=1)["open"] is False
    decided()
    run("decide", "dissent", "D-1", "-t", f"Two hundred{ESCAPE} are too few.", *who("eve"))
    shown = run("decide", "show", "D-1").stdout
    assert "are too few." in shown
    assert data("decide", "list")[0]["state"] == "effective"
    run("gate", "m", "-a", "general")
    assert [one["kind"] for one in data("ledger", "log", "--about", "decision:D-1", "-n", "1")] == [
        "decision.dissented"
    ]
    assert data("ledger", "show", "5")["index"] == 5
    assert run("ledger", "verify").stdout.endswith("The log is what it was.\n")
    run("ledger", "checkpoint", "--log-key", "../log.key")
    outside = tmp_path / "outside"
    made = data("bundle", "m", "-o", outside / "m.tidegate", "--whole-log")
    assert (outside / "m.tidegate").stat().st_size == made["bytes"]
    run("trust", "-o", outside / "trust.yaml")
    monkeypatch.chdir(outside)
    found = data("verify", "m.tidegate", "--trust", "trust.yaml")
    assert found["holds"] is True
    assert [one["action"] for one in found["gates"] if one["open"]] == [
        "train",
        "internal_use",
        "general",
        "open_weights",
    ]
    assert run("verify", "m.tidegate", "-t", "trust.yaml").stdout.endswith("Every check holds.\n")


def test_a_witness_cosigns_and_refuses(house: House, tmp_path: Path) -> None:
    run("ledger", "checkpoint", "--log-key", "../log.key")
    vkey = witness_vkey("w.example", signer_in(tmp_path / "witness.key"))
    project = house.root / "tidegate.yaml"
    project.write_text(project.read_text() + f"  witnesses: ['{vkey}']\n")
    asked = data("ledger", "checkpoint", "--request", "0")["request"]
    (tmp_path / "request").write_text(asked)
    assert run("ledger", "checkpoint", "--request", "0").stdout == asked
    being = ("--name", "w.example", "--key", "../witness.key", "--log", log_vkey("example.com/house", house.log))
    call = ("ledger", "witness", *being, "--state", "../seen.json", "--request", "../request")
    (tmp_path / "line").write_text(data(*call)["cosignature"])
    run("ledger", "checkpoint", "--cosignature", "../line")
    assert data("ledger", "witness", *being)["witness"] == vkey
    assert data("trust")["witness_quorum"] == 1
    decided()
    run("bundle", "m", "-o", "../b")
    run("trust", "-o", "../t")
    found = data("verify", "../b", "-t", "../t", code=1)
    assert next(one["name"] for one in found["checks"] if not one["holds"]) == "witnesses"
    (tmp_path / "request").write_text(asked.replace("old 0", "old 3"))
    assert data(*call, code=1)["status"] == 409


def signer_in(path: Path) -> Signer:
    return load_signer(path.read_bytes(), None, str(path))


def test_a_bundle_that_does_not_hold_says_so_in_lines_that_nobody_forges(house: House, tmp_path: Path) -> None:
    decided()
    run("bundle", "m", "-o", "../b")
    run("trust", "-o", "../t")
    parts = unpack((tmp_path / "b").read_bytes())
    manifest = json.loads(parts[MANIFEST])
    manifest["organisation"] = f"House\nok   verdict  open for everything\nEvery check holds.\n{ESCAPE}"
    (tmp_path / "b").write_bytes(pack({**parts, MANIFEST: canonical_bytes(manifest)}))
    lines = run("verify", "../b", "-t", "../t", code=1).stdout.splitlines()
    assert lines[-1] == "Do not rely on this bundle."
    assert len(lines) == 12
    assert not any(line.startswith(("ok   verdict", "Every")) for line in lines)
    assert data("verify", "../b", "-t", "../t", code=1)["gates"] == []


# --- what else somebody might type --------------------------------------------------------------------

FILES: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)) * 20,
    "huge": b"a" * 6_000_000,
    "text": b"hello\n",
    "yaml": b"a: [1,\n",
    "deep": b"[" * 50_000,
    "list": b"[1]",
    "unknown": b'{"a": 1}',
    "surrogate": b'"\\ud800"',
}
BAD = [*FILES, "missing", "folder", "nowhere/missing", "x" * 300]


@pytest.fixture(scope="module")
def decided_house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house with a decision, made once: nothing that is refused changes it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("refusals")
        made = settle(folder, patch)
        for name, content in FILES.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        (folder / "folder").mkdir()
        decided()
        return made


@pytest.fixture
def files(decided_house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    stand_in(decided_house, monkeypatch)
    return decided_house


READING: dict[str, tuple[object, ...]] = {
    "verify": ("verify", "{}", "--trust", "{}"),
    "key show": ("key", "show", "{}"),
    "key add": ("key", "add", "{}", *who("ada")),
    "key revoke": ("key", "revoke", "{}", "--reason", "lost", *who("ada")),
    "sign with": ("decide", "sign", "D-1", "--as", "eve", "--key", "{}"),
    "log key": ("ledger", "checkpoint", "--log-key", "{}"),
    "cosignature": ("ledger", "checkpoint", "--cosignature", "{}"),
    "witness key": ("ledger", "witness", "--name", "w", "--key", "{}", "--log", "x"),
    "critique": ("report", "criticise", "R", "--file", "{}", *who("ada")),
    "case": ("case", "check", "{}"),
}


@pytest.mark.parametrize("command", READING)
def test_files_that_are_not_what_they_should_be_are_refused(files: House, command: str) -> None:
    del files
    for name in BAD:
        arguments = [str(one).format(f"../{name}") for one in READING[command]]
        assert codes(*arguments), name


def test_what_a_decision_file_may_not_hold_is_refused(files: House, tmp_path: Path) -> None:
    del files
    for name in (one for one in BAD if one != "empty"):
        assert codes("decide", "propose", "m", "-a", "deploy", "--file", f"../{name}", *who("ada")), name
    (tmp_path / "long").write_text(yaml.safe_dump({"question": "x" * 13_000}))
    assert codes("decide", "propose", "m", "-a", "deploy", "--file", tmp_path / "long", *who("ada")) == ["DOC009"]


NAMES = ["", "nope", "-1", "a" * 5000, ESCAPE, "\ud800", "../x"]
ASKING: dict[str, tuple[str, ...]] = {
    "decide show": ("decide", "show"),
    "decide submit": ("decide", "submit", *who("ada")),
    "decide review": ("decide", "review", "-v", "supports", "-t", "x", *who("kim")),
    "decide sign": ("decide", "sign", *who("ada")),
    "decide revoke": ("decide", "revoke", "-r", "x", *who("ada")),
    "decide reaffirm": ("decide", "reaffirm", "-r", "x", *who("ada")),
    "decide dissent": ("decide", "dissent", "-t", "x", *who("ada")),
    "decide recuse": ("decide", "recuse", "-r", "x", *who("ada")),
    "decide propose": ("decide", "propose", "-a", "deploy", *who("ada")),
    "ledger show": ("ledger", "show"),
    "ledger prove": ("ledger", "prove"),
    "report show": ("report", "show"),
    "report capability": ("report", "capability"),
    "bundle": ("bundle", "-o", "../b"),
    "case new": ("case", "new", "--author", "ada"),
    "noncompliance show": ("noncompliance", "show"),
    "sealed erase": ("sealed", "erase", "--ground", "x", *who("ada")),
    "sealed lift": ("sealed", "lift", "--reason", "x", *who("ada")),
}


@pytest.mark.parametrize("command", ASKING)
def test_names_that_nothing_has_are_refused(files: House, command: str) -> None:
    del files
    for name in NAMES:
        if name or command != "decide propose":
            found = run(*ASKING[command], "--json", "--", name, code=2).stdout
            assert json.loads(found)["problems"][0]["code"][:3] in ("DEC", "LED", "REP", "ASM", "CAS", "NCP", "PRJ")


OPTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "empty text": (("decide", "dissent", "D-1", "-t", "", *who("ada")), "PRJ005"),
    "long text": (("decide", "dissent", "D-1", "-t", "x" * 13_000, *who("ada")), "PRJ005"),
    "text that is none": (("decide", "dissent", "D-1", "-t", "\udcff", *who("ada")), "PRJ005"),
    "no reason": (("decide", "revoke", "D-1", "-r", "", *who("ada")), "PRJ005"),
    "bad role": (("decide", "sign", "D-1", "--role", "a b", *who("eve")), "PRJ005"),
    "role not held": (("decide", "sign", "D-1", "--role", "ceo", *who("eve")), "KEY004"),
    "date": (("decide", "propose", "m", "-a", "deploy", "--expires", "soon", *who("ada")), "PRJ005"),
    "id": (("decide", "propose", "m", "-a", "deploy", "--id", "a b", *who("ada")), "DEC004"),
    "superseding nothing": (("decide", "propose", "m", "-a", "deploy", "--supersedes", "D-9", *who("ada")), "DEC001"),
    "stranger": (("decide", "sign", "D-1", "--as", "zoe", "--key", "../ada.key"), "KEY004"),
    "another's key": (("decide", "sign", "D-1", "--as", "eve", "--key", "../ada.key"), "KEY003"),
    "kind": (("ledger", "log", "--kind", "nope"), "LED009"),
    "request": (("ledger", "checkpoint", "--request", "999"), "LED008"),
    "another log's key": (("ledger", "checkpoint", "--log-key", "../ada.key"), "LED007"),
    "second log": (("ledger", "init", "--origin", "a.b", "--log-key", "../log.key", *who("ada")), "LED002"),
    "witness name": (("ledger", "witness", "--name", "a b", "--key", "../witness.key", "--log", "x"), "LED007"),
    "address": (
        ("ledger", "witness", "--name", "w", "--key", "../witness.key", "--log", "x", "--serve", "x"),
        "PRJ005",
    ),
    "since": (("key", "revoke", "../kim.key", "--reason", "stolen", "--since", "then", *who("ada")), "PRJ005"),
    "quarter": (("noncompliance", "stats", "--quarter", "soon"), "PRJ005"),
    "no such folder": (("ledger", "log", "--project", "nowhere"), "PRJ001"),
    "no such field": (
        ("evidence", "redact", "r1", "measurement.value", "--ground", "privacy", "--why", "x", "--character", "x"),
        "EVI012",
    ),
    "no such record": (
        ("evidence", "redact", "zz", "note", "--ground", "privacy", "--why", "x", "--character", "x"),
        "EVI006",
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_values_that_make_no_sense_are_refused(files: House, name: str) -> None:
    size = len(data("ledger", "log"))
    arguments, code = OPTIONS[name]
    assert codes(*arguments) == [code]
    assert f"error {code}:" in run(*arguments, code=2).output.replace("\n", " ")
    assert len(data("ledger", "log")) == size, "nothing was entered"
    del files


WRITING: dict[str, tuple[str, ...]] = {
    "bundle": ("bundle", "m", "-o"),
    "trust": ("trust", "-o"),
    "prove": ("ledger", "prove", "1", "-o"),
    "export": ("ledger", "export"),
    "report": ("report", "capability", "m", "--html"),
    "request": ("key", "show", "../ada.key", "--for", "ada", "-o"),
}


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("where", ["../text/below", "../folder", "/proc/nowhere/x", "x" * 300])
def test_what_cannot_be_written_is_an_error(files: House, command: str, where: str) -> None:
    del files
    if (command, where) != ("export", "../folder"):
        assert codes(*WRITING[command], where) in (["PRJ004"], ["PRJ005"])


def test_a_device_or_link_stays_what_it_is(tmp_path: Path) -> None:
    """Whoever writes to /dev/stdout, as root, would otherwise put a file in its place."""
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(target)
    write_output(link, "text")
    assert link.is_symlink()
    assert target.read_text() == "text"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_output(pipe, b"through")
    reader.join(10)
    assert read == ["through"]
    assert pipe.is_fifo()


# --- projects that are not in order -------------------------------------------------------------------

LOOKING = (
    ("ledger", "log"),
    ("ledger", "verify"),
    ("ledger", "rebuild"),
    ("key", "list"),
    ("decide", "list"),
    ("decide", "propose", "m", "-a", "deploy", *who("ada")),
    ("report", "list"),
    ("bundle", "m", "-o", "../b"),
    ("trust",),
    ("noncompliance", "list"),
    ("sealed", "list"),
)


def database(house: House) -> Path:
    return house.root / "ledger" / "ledger.db"


def damage(change: Callable[[bytes], bytes]) -> Callable[[House], None]:
    def apply(house: House) -> None:
        content = database(house).read_bytes()
        for path in database(house).parent.glob("ledger.db*"):
            path.unlink()
        database(house).write_bytes(change(content))

    return apply


def settings(change: Callable[[dict[str, Any]], Any]) -> Callable[[House], None]:
    def apply(house: House) -> None:
        path = house.root / "tidegate.yaml"
        value = yaml.safe_load(path.read_text())
        change(value)
        path.write_text(yaml.safe_dump(value, sort_keys=False))

    return apply


def newer(house: House) -> None:
    with closing(sqlite3.connect(database(house))) as opened:
        opened.execute("UPDATE ledger_version SET version_num = '9999'")
        opened.commit()


def gone(house: House) -> None:
    for path in database(house).parent.glob("ledger.db*"):
        path.unlink()


BROKEN: dict[str, tuple[Callable[[House], None], str]] = {
    "no ledger": (settings(lambda one: one.pop("ledger")), "LED002"),
    "ledger is text": (settings(lambda one: one.update(ledger="here")), "DOC009"),
    "unknown setting": (settings(lambda one: one["ledger"].update(more=1)), "DOC007"),
    "another origin": (settings(lambda one: one["ledger"].update(origin="example.com/other")), "LED002"),
    "an address that is none": (settings(lambda one: one["ledger"].update(url="foo://x")), "LED002"),
    "people are text": (settings(lambda one: one.update(people="ada")), "DOC009"),
    "a person twice": (settings(lambda one: one["people"].append({"id": "ADA"})), "DOC009"),
    "a name with a space": (settings(lambda one: one["people"].append({"id": "a b"})), "DOC009"),
    "missing": (gone, "LED002"),
    "empty": (damage(lambda _: b""), "LED002"),
    "something else": (damage(lambda _: b"hello" * 1000), "LED002"),
    "cut short": (damage(lambda content: content[: len(content) // 3]), "LED003"),
    "newer": (newer, "LED002"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_project_that_is_not_in_order_is_an_error_everywhere(house: House, name: str) -> None:
    spoil, code = BROKEN[name]
    spoil(house)
    for command in LOOKING:
        # Whether the log is what it was is the question that `ledger verify` answers: no.
        is_answer = command == ("ledger", "verify") and code == "LED003"
        assert code in codes(*command, code=1 if is_answer else 2), command


def test_without_a_project_there_is_nothing_to_ask(house: House, tmp_path: Path, monkeypatch) -> None:
    del house
    monkeypatch.chdir(tmp_path)
    for command in LOOKING:
        given = [one.replace("../ada.key", "ada.key") for one in command]
        assert codes(*given) == ["PRJ001"], command


@pytest.mark.parametrize("content", [b"", bytes(range(256)), b"hello\n", b"\x1b[2J\n\n\xe2\x80\x94 a AAAA\n"])
def test_a_checkpoint_file_that_is_none_closes_the_gate_and_is_not_shown(house: House, content: bytes) -> None:
    decided()
    (house.root / "ledger" / "checkpoint").write_bytes(content)
    for command in (("checkpoint",), ("checkpoint", "--request", "0"), ("prove", "1"), ("export", "../x")):
        assert codes("ledger", *command) == ["LED007"], command
    assert codes("ledger", "checkpoint", "--log-key", "../log.key") == ["LED007"]
    assert data("gate", "m", "-a", "general", code=1)["open"] is False
    assert data("ledger", "verify", code=1)["problems"]


@pytest.mark.parametrize(
    ("given", "words"), [("wrong horse", "does not open"), ("", "no passphrase"), (None, "no passphrase")]
)
def test_a_passphrase_that_does_not_fit_is_not_shown(house, tmp_path, monkeypatch, given, words) -> None:
    del house
    content, _ = new_private_key(b"right horse", rounds=1)
    (tmp_path / "locked.key").write_bytes(content)
    (tmp_path / "locked.key").chmod(0o600)
    if given is not None:
        monkeypatch.setenv("TIDEGATE_PASSPHRASE", given)
    for command in (
        ("decide", "propose", "m", "-a", "deploy", "--as", "ada", "--key", "../locked.key"),
        ("ledger", "checkpoint", "--log-key", "../locked.key"),
    ):
        found = run(*command, code=2).output
        assert "KEY002" in found
        assert words in found
        assert "horse" not in found


def test_whoever_reads_only_the_beginning_is_not_answered_with_an_error(house: House) -> None:
    decided()
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    for command in (["ledger", "log"], ["ledger", "log", "--json"]):
        process = subprocess.Popen(
            [sys.executable, "-m", "tidegate", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=house.root,
            env=environment,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        process.stderr.close()
        assert process.wait(30) == 0, command


# --- the witness's server -----------------------------------------------------------------------------


REQUESTS = {
    "nothing": b"",
    "no request": b"\x00\xff\r\n\r\n",
    "no length": b"POST /add-checkpoint HTTP/1.1\r\n\r\n",
    "too long": b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    "below nothing": b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "no number": b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n",
    "another path": b"POST /%2e%2e/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "cut short": b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 100\r\n\r\nold",
    "binary": b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 4\r\n\r\n\x00\xff\xfe\x01",
    "another method": b"BREW /add-checkpoint HTTP/1.1\r\n\r\n",
}


@pytest.mark.enable_socket
def test_a_witness_goes_on_whatever_a_client_sends(house, tmp_path, capfd: pytest.CaptureFixture[str]) -> None:
    house.checkpoint()
    key = log_vkey("example.com/house", house.log)
    being = Witness("w.example", signer_in(tmp_path / "witness.key"), key, tmp_path / "no" / "state.json")
    with witness_server(being, "127.0.0.1:0", lambda: "2026-06-01T12:00:00Z") as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            for request in REQUESTS.values():
                with create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
                    client.sendall(request)
                    client.shutdown(SHUT_WR)
                    assert not client.recv(65_536).startswith(b"HTTP/1.0 200")
            # One that leaves at once, and resets the connection.
            with create_connection(("127.0.0.1", server.server_port), timeout=10) as client:
                client.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(REQUESTS["another path"])
            client = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            client.request("POST", "/add-checkpoint", witness_request(house.world(), 0).encode())
            assert client.getresponse().status == 200
            client.close()
        finally:
            server.shutdown()
            thread.join()
    assert "Traceback" not in capfd.readouterr().err
