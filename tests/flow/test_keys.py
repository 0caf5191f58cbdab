# SPDX-License-Identifier: Apache-2.0
"""Keys in use: files that nobody overwrites or reads by mistake, requests, and what the ledger takes in."""

import json
import os
import stat
from pathlib import Path

import pytest

from house import TODAY, House, a_house, a_signer
from tidegate.flow import keys
from tidegate.flow.keys import (
    Opening,
    actor_with,
    add_key,
    key_request,
    keyring_of,
    make_key,
    open_signer,
    read_public_key,
    read_request,
    revoke_key,
    roles_in,
    rotate_key,
)
from tidegate.flow.ledgers import Act, Actor, record_act
from tidegate.kernel.errors import LedgerError, TidegateError
from tidegate.ledger.acts import DecisionRecused
from tidegate.ledger.keys import Signer, verify_signature


def code_of(function, *args, **named) -> str:
    return problem_of(function, *args, **named).code


def problem_of(function, *args, **named):
    with pytest.raises(TidegateError) as refused:
        function(*args, **named)
    return refused.value.problems[0]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Files of these tests hold nothing worth a second of work for each."""
    make = keys.new_private_key
    monkeypatch.setattr(keys, "new_private_key", lambda passphrase: make(passphrase, rounds=1))


# --- files --------------------------------------------------------------------------------------------


def test_a_key_is_made_for_its_owner_only(tmp_path: Path):
    made = make_key(tmp_path / "keys" / "ada.key", b"secret", comment="Ada,\nlaptop")
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert made.public_file == tmp_path / "keys" / "ada.key.pub"
    assert made.public_file.read_text() == f"{made.public_key} Ada, laptop\n"
    assert b"OPENSSH PRIVATE KEY" in made.file.read_bytes()
    signer = open_signer(str(made.file), Opening(lambda: b"secret"))
    assert (signer.public_key, signer.fingerprint) == (made.public_key, made.fingerprint)
    assert verify_signature(made.public_key, b"x", signer.sign(b"x"))


def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        made = make_key(tmp_path / "k", None)
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600


@pytest.mark.parametrize("taken", ["k", "k.pub"])
def test_no_file_is_overwritten(tmp_path: Path, taken: str):
    (tmp_path / taken).write_text("mine")
    assert code_of(make_key, tmp_path / "k", None) == "PRJ004"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {taken: "mine"}


def test_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "k").symlink_to(tmp_path / "elsewhere")
    assert code_of(make_key, tmp_path / "k", None) == "PRJ004"
    assert not (tmp_path / "elsewhere").exists()


def test_half_a_key_is_not_left_behind(tmp_path: Path, monkeypatch):
    write = keys._write_new

    def failing(path: Path, data: bytes, mode: int) -> None:
        if path.suffix == ".pub":
            (tmp_path / "in-the-way").write_text("")
            path = tmp_path / "in-the-way" / "k.pub"
        write(path, data, mode)

    monkeypatch.setattr(keys, "_write_new", failing)
    assert code_of(make_key, tmp_path / "k", None) == "PRJ004"
    assert not (tmp_path / "k").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o610])
def test_a_key_that_others_may_read_is_not_used(tmp_path: Path, mode: int):
    made = make_key(tmp_path / "k", None)
    made.file.chmod(mode)
    found = problem_of(open_signer, str(made.file), Opening())
    assert (found.code, found.hint) == ("KEY001", "chmod 600 k")


def test_the_public_half_is_read_without_passphrase(tmp_path: Path):
    made = make_key(tmp_path / "k", b"secret", comment="a comment")
    assert read_public_key(str(made.file)) == made.public_key
    assert read_public_key(str(made.public_file)) == made.public_key
    made.public_file.write_text("ssh-rsa AAAA me\n")
    found = problem_of(read_public_key, str(made.public_file))
    assert (found.code, str(found.where)) == ("KEY001", str(made.public_file))


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"x" * 20_000, b"ssh-ed25519 AAAA\nssh-ed25519 AAAA\n"])
def test_what_is_no_key_file_is_refused(tmp_path: Path, content: bytes | None):
    path = tmp_path / "k"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    assert code_of(read_public_key, str(path)) == "KEY001"
    assert code_of(open_signer, str(path), Opening()) == "KEY001"


def test_an_agents_key_needs_an_agent(tmp_path: Path):
    made = make_key(tmp_path / "k", None)
    for key in (made.fingerprint, str(made.public_file)):
        assert "SSH_AUTH_SOCK" in problem_of(open_signer, key, Opening()).message
        assert code_of(open_signer, key, Opening(agent=tmp_path / "no-agent")) == "KEY005"


def test_a_passphrase_does_not_show(tmp_path: Path):
    assert "secret" not in repr(Opening(lambda: b"secret"))


# --- requests -----------------------------------------------------------------------------------------


def test_a_request_is_read_again(tmp_path: Path):
    signer = a_signer()
    request = key_request("bob", ("ceo", "ceo"), signer)
    assert request.roles == ("ceo",)
    path = tmp_path / "request.json"
    path.write_text(request.model_dump_json(by_alias=True))
    assert json.loads(path.read_text())["schema"] == "tidegate/key-request/v1"
    assert read_request(path) == request


@pytest.mark.parametrize(
    "change", [{"person": "eve"}, {"roles": ["ceo", "keeper"]}, {"proof": "AAAA"}, {"replaces": f"SHA256:{'A' * 43}"}]
)
def test_a_changed_request_is_refused(tmp_path: Path, change: dict[str, object]):
    path = tmp_path / "request.json"
    data = key_request("bob", ("ceo",), a_signer()).model_dump(mode="json", by_alias=True)
    path.write_text(json.dumps({**data, **change}))
    found = problem_of(read_request, path)
    assert (found.code, "does not prove" in found.message) == ("KEY001", True)


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "DOC004"), ("{}", "DOC008"), ('{"schema": "x"}', "DOC009"), ('{"person": "a b"}', "DOC009")],
)
def test_a_malformed_request_is_refused(tmp_path: Path, text: str, code: str):
    path = tmp_path / "request.json"
    path.write_text(text)
    with pytest.raises(TidegateError) as refused:
        read_request(path)
    assert code in {one.code for one in refused.value.problems}


def test_a_key_file_is_no_request(tmp_path: Path):
    assert read_request(make_key(tmp_path / "k", None).file) is None


def test_a_request_names_a_person():
    assert code_of(key_request, "a b", (), a_signer()) == "KEY004"


# --- the ledger ---------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def roles_of(house: House) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for one in keyring_of(house.world()).active():
        found.setdefault(one.person, []).append(one.roles)
    return found


def actor(house: House, person: str, signer: Signer) -> Actor:
    return Actor(person, signer)


def recuse(house: House, person: str, *, hour: int = 12) -> int:
    act = Act("decision.recused", DecisionRecused(decision="d-1", reason="mine"), house.actor(person))
    return record_act(house.world(hour=hour), act).index


def test_a_keeper_adds_a_key(house: House):
    signer = a_signer()
    logged = add_key(house.world(), key_request("bob", ("ceo",), signer), house.actor("ada"))
    assert logged.entry.kind == "key.added"
    assert roles_of(house)["bob"] == [("ceo",), ("ceo",)]
    assert keyring_of(house.world()).check(logged.index, logged.entry) is None


def test_somebody_adds_a_further_key_of_their_own(house: House):
    signer = a_signer()
    add_key(house.world(), key_request("bob", (), signer), house.actor("bob"))
    assert roles_of(house)["bob"] == [("ceo",), ()]


REFUSED = {
    "no keeper": (
        lambda h: add_key(h.world(), key_request("eve", ("board-member",), a_signer()), h.actor("bob")),
        "KEY006",
    ),
    "more than tidegate.yaml": (
        lambda h: add_key(h.world(), key_request("bob", ("safety-lead",), a_signer()), h.actor("ada")),
        "KEY004",
    ),
    "nobody": (lambda h: add_key(h.world(), key_request("zoe", (), a_signer()), h.actor("ada")), "KEY004"),
    "a stranger's key": (
        lambda h: add_key(h.world(), key_request("bob", (), a_signer()), Actor("ada", a_signer())),
        "KEY003",
    ),
    "another's key": (
        lambda h: add_key(h.world(), key_request("bob", (), a_signer()), Actor("ada", h.signers["bob"])),
        "KEY003",
    ),
    "a known key": (lambda h: add_key(h.world(), key_request("eve", (), h.signers["bob"]), h.actor("ada")), "KEY003"),
    "rotated without saying which": (
        lambda h: rotate_key(h.world(), key_request("bob", (), a_signer()), h.actor("bob")),
        "KEY003",
    ),
    "rotated by a colleague": (
        lambda h: rotate_key(h.world(), replacing(h, "bob", a_signer()), h.actor("eve")),
        "KEY006",
    ),
    "revoked by a colleague": (
        lambda h: revoke_key(h.world(), h.signers["bob"].fingerprint, "lost", h.actor("eve")),
        "KEY006",
    ),
    "revoked, though unknown": (
        lambda h: revoke_key(h.world(), a_signer().fingerprint, "lost", h.actor("ada")),
        "KEY003",
    ),
    "revoked from no time": (
        lambda h: revoke_key(h.world(), h.signers["bob"].fingerprint, "lost", h.actor("ada"), "2026-06-01"),
        "PRJ005",
    ),
    "revoked from tomorrow": (
        lambda h: revoke_key(h.world(), h.signers["bob"].fingerprint, "lost", h.actor("ada"), "2026-06-02T00:00:00Z"),
        "PRJ005",
    ),
}


def replacing(house: House, person: str, new: Signer):
    return key_request(person, (), new, house.signers[person].fingerprint)


@pytest.mark.parametrize(("attempt", "code"), REFUSED.values(), ids=REFUSED)
def test_what_would_have_no_effect_is_not_entered(house: House, attempt, code: str):
    before = keyring_of(house.world())
    assert code_of(attempt, house) == code
    assert keyring_of(house.world()) == before


@pytest.mark.parametrize("by", ["bob", "ada"])
def test_a_key_is_rotated(house: House, by: str):
    new = a_signer()
    rotate_key(house.world(), replacing(house, "bob", new), house.actor(by))
    assert roles_of(house)["bob"] == [("ceo",)]
    assert code_of(add_key, house.world(), key_request("bob", (), a_signer()), house.actor("bob")) == "KEY003"
    assert add_key(house.world(), key_request("bob", (), a_signer()), actor(house, "bob", new)).index > 0


def test_a_stolen_key_is_revoked_and_what_it_signed_is_named(house: House):
    kept = recuse(house, "bob", hour=9)
    recuse(house, "eve", hour=10)
    lost = recuse(house, "bob", hour=11)
    done = revoke_key(
        house.world(), house.signers["bob"].fingerprint, "stolen", house.actor("ada"), f"{TODAY}T10:00:00Z"
    )
    assert [one.index for one in done.no_longer] == [lost]
    assert (done.holding.ending, done.holding.void_from) == ("stolen", f"{TODAY}T10:00:00Z")
    ring = keyring_of(house.world())
    with_index = {one.index: one for one in (done.logged, *done.no_longer)}
    assert ring.check(lost, with_index[lost].entry) is not None
    assert kept not in with_index
    assert "bob" not in roles_of(house)


def test_a_key_is_revoked_by_its_owner(house: House):
    done = revoke_key(house.world(), house.signers["bob"].fingerprint, "left", house.actor("bob"))
    assert done.no_longer == ()
    found = problem_of(add_key, house.world(), key_request("bob", (), a_signer()), house.actor("bob"))
    assert (found.code, "no longer speaks for bob: left" in found.message) == ("KEY003", True)


def test_a_log_that_grew_in_the_meantime_is_not_written_to(house: House, monkeypatch):
    """Between the check and the entry, somebody else may have revoked the key."""
    world, enter = house.world(), keys.record_act

    def late(*args: object, **named: object) -> object:
        recuse(house, "eve")
        return enter(*args, **named)

    monkeypatch.setattr(keys, "record_act", late)
    with pytest.raises(LedgerError) as refused:
        add_key(world, key_request("bob", (), a_signer()), house.actor("ada"))
    assert refused.value.problems[0].code == "LED006"


def test_roles_are_those_of_the_project(house: House):
    assert roles_in(house.world(), "ada") == ("keeper", "safety-lead")
    assert roles_in(house.world(), "ada", ("keeper",)) == ("keeper",)
    assert code_of(roles_in, house.world(), "ada", ("ceo",)) == "KEY004"
    assert code_of(roles_in, house.world(), "zoe") == "KEY004"


def test_a_person_and_a_key_become_an_actor(house: House, tmp_path: Path):
    made = make_key(tmp_path / "k", None)
    found = actor_with(house.world(), "bob", str(made.file), Opening())
    assert (found.person, found.signer.fingerprint) == ("bob", made.fingerprint)
    assert code_of(actor_with, house.world(), "zoe", str(made.file), Opening()) == "KEY004"
