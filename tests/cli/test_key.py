# SPDX-License-Identifier: Apache-2.0
"""`tidegate key`: what a person types, what they see, and what a script reads."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tidegate.cli import acting
from tidegate.cli.app import app
from tidegate.flow import keys

PROJECT = """\
schema: tidegate/project/v1
organisation: Example
policy: {pack: starter}
people:
  - {id: kim, roles: [keeper]}
  - {id: ada, roles: [safety-lead, assurer]}
"""


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def data(*arguments: str, code: int = 0):
    return json.loads(run(*arguments, "--json", code=code).stdout)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("GITHUB_ACTIONS", "TIDEGATE_PROJECT", "TIDEGATE_PERSON", "TIDEGATE_KEY", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(variable, raising=False)
    make = keys.new_private_key
    monkeypatch.setattr(keys, "new_private_key", lambda passphrase: make(passphrase, rounds=1))
    monkeypatch.setenv("TIDEGATE_PASSPHRASE", "a long passphrase")
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose ledger knows the keeper's key; Ada's key is made, but not in it."""
    run("new", "safety")
    root = folder / "safety"
    (root / "tidegate.yaml").write_text(PROJECT)
    monkeypatch.chdir(root)
    for name in ("kim", "ada", "log"):
        run("key", "new", f"{name}.key")
    run("ledger", "init", "--origin", "example.com/safety", "--log-key", "log.key", "--as", "kim", "--key", "kim.key")
    return root


AS_KIM = ("--as", "kim", "--key", "kim.key")
AS_ADA = ("--as", "ada", "--key", "ada.key")


def add_ada(root: Path) -> str:
    shown = run("key", "show", "ada.key", "--for", "ada", "--output", "ada.json").stdout
    added = data("key", "add", "ada.json", *AS_KIM)["fingerprint"]
    assert shown.splitlines()[1] == added
    assert data("key", "show", "ada.key", "--for", "ada", "-o", "ada.json", code=2)["problems"][0]["code"] == "PRJ004"
    return str(added)


# --- new and show -------------------------------------------------------------------------------------


def test_a_key_is_made_and_shown(folder: Path):
    made = data("key", "new", "ada.key", "--comment", "Ada")
    assert made["is_encrypted"] is True
    assert sorted(path.name for path in folder.iterdir()) == ["ada.key", "ada.key.pub"]
    assert data("key", "show", "ada.key") == {name: made[name] for name in ("fingerprint", "public_key")}
    assert run("key", "show", "ada.key.pub").stdout.split("\n")[:2] == [made["public_key"], made["fingerprint"]]
    assert "is not encrypted" in run("key", "new", "c.key", "--no-passphrase").stdout


@pytest.mark.parametrize("given", ["", None])
def test_a_new_key_needs_a_passphrase(folder: Path, monkeypatch: pytest.MonkeyPatch, given: str | None):
    if given is None:
        monkeypatch.delenv("TIDEGATE_PASSPHRASE")
    else:
        monkeypatch.setenv("TIDEGATE_PASSPHRASE", given)
    assert data("key", "new", "k", code=2)["problems"][0]["code"] == "KEY002"
    assert list(folder.iterdir()) == []
    assert data("key", "new", "k", "--no-passphrase")["is_encrypted"] is False


def test_no_key_is_overwritten(folder: Path):
    run("key", "new", "k")
    before = (folder / "k").read_bytes()
    assert data("key", "new", "k", code=2)["problems"][0]["code"] == "PRJ004"
    assert (folder / "k").read_bytes() == before


def test_at_a_terminal_the_passphrase_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Typed without echo, and twice for a new key; the variable, if it is set, is not asked past."""
    asked: list[dict[str, object]] = []

    class Terminal:
        def isatty(self) -> bool:
            return True

    def prompt(_text: str, **named: object) -> str:
        asked.append(named)
        return "typed"

    monkeypatch.setattr(acting.sys, "stdin", Terminal())
    monkeypatch.setattr(acting.sys, "stderr", Terminal())
    monkeypatch.setattr(typer, "prompt", prompt)
    assert acting.passphrase() == acting.new_passphrase() == b"a long passphrase"
    assert asked == []
    monkeypatch.delenv("TIDEGATE_PASSPHRASE")
    assert acting.passphrase() == acting.new_passphrase() == b"typed"
    assert all(one["hide_input"] is True for one in asked)
    assert [one.get("confirmation_prompt") for one in asked] == [None, True]


def test_a_wrong_passphrase_is_an_error_with_its_place(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_PASSPHRASE", "wrong")
    result = run("key", "show", "ada.key", "--for", "ada", code=2)
    assert "ada.key: error KEY002" in result.stderr


# --- add, rotate, revoke, list ------------------------------------------------------------------------


def test_a_keeper_adds_what_the_holder_asks_for(project: Path):
    key = add_ada(project)
    assert [(one["person"], one["roles"]) for one in data("key", "list")["keys"]] == [
        ("kim", ["keeper"]),
        ("ada", ["assurer", "safety-lead"]),
    ]
    assert f"ada  {key}  assurer, safety-lead" in run("key", "list").stdout
    assert "voids" not in data("key", "list")
    assert data("key", "list", "--all")["voids"] == []


def test_a_request_asks_for_what_it_says(project: Path):
    shown = json.loads(run("key", "show", "ada.key", "--for", "ada", "--role", "assurer").stdout)
    assert (shown["person"], shown["roles"], shown["replaces"]) == ("ada", ["assurer"], None)
    (project / "r.json").write_text(json.dumps(shown))
    for option in (("--for", "kim"), ("--role", "safety-lead")):
        assert data("key", "add", "r.json", *option, *AS_KIM, code=2)["problems"][0]["code"] == "PRJ005"
    (project / "r.json").write_text(json.dumps({**shown, "person": "kim"}))
    assert data("key", "add", "r.json", *AS_KIM, code=2)["problems"][0]["code"] == "KEY001"


def test_a_keeper_who_has_the_key_adds_it_at_once(project: Path):
    made = data("key", "add", "ada.key", "--for", "ada", "--role", "assurer", *AS_KIM)
    assert (made["person"], made["roles"], made["entry"]) == ("ada", ["assurer"], 4)
    run("key", "new", "laptop.key")
    own = data("key", "add", "laptop.key", "--role", "assurer", *AS_ADA)
    assert (own["person"], own["entry"]) == ("ada", 5)
    run("key", "new", "more.key")
    assert data("key", "add", "more.key", *AS_ADA, code=2)["problems"][0]["code"] == "KEY006"


def test_a_key_is_rotated_with_itself(project: Path):
    old = add_ada(project)
    run("key", "new", "new.key")
    made = data("key", "rotate", "new.key", *AS_ADA)
    assert (made["person"], made["replaces"]) == ("ada", old)
    assert f"{old}  assurer, safety-lead; ended at entry 5 (rotated)" in run("key", "list", "--all").stdout
    assert old not in run("key", "list").stdout
    assert data("key", "rotate", "new.key", *AS_ADA, code=2)["problems"][0]["code"] == "KEY003"


def test_a_keeper_rotates_for_somebody(project: Path):
    old = add_ada(project)
    run("key", "new", "new.key")
    (project / "r.json").write_text(run("key", "show", "new.key", "--for", "ada", "--replaces", old).stdout)
    assert data("key", "rotate", "r.json", "--old", "SHA256:x", *AS_KIM, code=2)["problems"][0]["code"] == "PRJ005"
    made = data("key", "rotate", "r.json", *AS_KIM)
    assert (made["person"], made["replaces"]) == ("ada", old)
    text = run("key", "list").stdout
    assert made["fingerprint"] in text


@pytest.mark.parametrize("named", ["fingerprint", "ada.key.pub", "ada.key"])
def test_a_stolen_key_is_revoked(project: Path, named: str):
    key = add_ada(project)
    run("key", "new", "extra.key")
    run("key", "add", "extra.key", "--role", "assurer", *AS_ADA)
    target = key if named == "fingerprint" else named
    result = run("key", "revoke", target, "--reason", "stolen", "--since", "2026-06-01T12:00:00Z", *AS_KIM)
    assert f"Revoked the key {key} of ada (stolen); entry 6." in result.stdout
    assert "1 entry no longer counts:\n  5  2026-06-01T12:00:00Z  key.added  by ada" in result.stdout
    assert [one["person"] for one in data("key", "list")["keys"]] == ["kim"]
    shown = run("key", "list", "--all").stdout
    assert "what it signed from 2026-06-01T12:00:00Z on has no effect" in shown
    assert "entry 5 (key.added) has no effect" in shown


def test_a_revocation_says_in_json_what_it_changed(project: Path):
    key = add_ada(project)
    done = data("key", "revoke", key, "--reason", "left", *AS_KIM)
    assert (done["entry"], done["no_longer_count"], done["key"]["ending"]) == (5, [], "left")
    for since in ("yesterday", "2027-01-01T00:00:00Z"):
        problem = data("key", "revoke", key, "--reason", "stolen", "--since", since, *AS_KIM, code=2)["problems"][0]
        assert problem["code"] == "PRJ005"


def test_an_unknown_reason_or_person_is_refused(project: Path):
    assert run("key", "revoke", "kim.key", "--reason", "whim", *AS_KIM, code=2)
    assert data("key", "list", code=0)["keys"]
    problem = data("key", "add", "ada.key", "--as", "zoe", "--key", "kim.key", code=2)["problems"][0]
    assert problem["code"] == "KEY004"


def test_a_project_without_ledger_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch):
    run("new", "safety")
    monkeypatch.chdir(folder / "safety")
    assert data("key", "list", code=2)["problems"][0]["code"] == "LED002"


def test_a_key_in_the_agent_acts(project: Path, monkeypatch: pytest.MonkeyPatch):
    program, add = shutil.which("ssh-agent"), shutil.which("ssh-add")
    if program is None or add is None:
        pytest.skip("ssh-agent is not on this machine")
    made = data("key", "new", "open.key", "--no-passphrase")
    run("key", "add", "open.key", "--for", "ada", *AS_KIM)
    with_agent = project / "a"
    running = subprocess.Popen([program, "-D", "-a", "a"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if with_agent.exists() or running.poll() is not None:
                break
            threading.Event().wait(0.05)
        monkeypatch.setenv("SSH_AUTH_SOCK", "a")
        subprocess.run([add, "-q", "open.key"], check=True, capture_output=True, env=dict(os.environ))
        (project / "open.key").unlink()
        assert data("key", "show", made["fingerprint"])["public_key"] == made["public_key"]
        added = data("key", "add", "ada.key", "--as", "ada", "--key", "open.key.pub")
        assert (added["person"], added["entry"]) == ("ada", 5)
        done = data(
            "key", "revoke", made["fingerprint"], "--reason", "left", "--as", "ada", "--key", made["fingerprint"]
        )
        assert done["entry"] == 6
    finally:
        running.terminate()
        running.wait(10)
