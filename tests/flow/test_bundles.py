# SPDX-License-Identifier: Apache-2.0
"""Bundles: what an outsider can check with nothing but the bundle, and that nothing else passes."""

import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from house import House, a_house, evidence_file
from tidegate.flow.bundles import make_bundle, trust_of
from tidegate.flow.decisions import Proposal, propose, review, revoke, sign
from tidegate.flow.evidence import Withholding, import_files, redact
from tidegate.flow.ledgers import record_files
from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.errors import TidegateError
from tidegate.publish.bundle import (
    MANIFEST,
    MAX_PARTS,
    Manifest,
    check_parts,
    is_part_name,
    pack,
    unpack,
    with_manifest,
)
from tidegate.publish.trust import Trust, read_trust
from tidegate.publish.verification import CHECKS, Verified, verify_bundle

SEED = 20261121


@dataclass(frozen=True)
class Made:
    """A bundle of an open gate, and the keys to check it with."""

    house: House
    data: bytes
    whole: bytes
    trust: Trust


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("bundles")
    house = a_house(folder)
    world = house.world()
    import_files(world, [evidence_file(folder, "r2", 0.04, note="The run was supervised by Jane Roe.")])
    redact(world, Withholding("r2", "note", "privacy", "a name", "It names a person who did not agree."))
    propose(world, Proposal("m", ("general",)), house.actor("ada"))
    review(world, "D-1", "supports", "The margin holds.", house.actor("kim"))
    for name in ("ada", "bob"):
        sign(world, "D-1", None, house.actor(name))
    house.checkpoint()
    return Made(house, make_bundle(world, "m"), make_bundle(world, "m", whole_log=True), trust_of(world))


def failing(found: Verified) -> list[str]:
    return [check.name for check in found.checks if not check.holds and "not made" not in check.detail]


def rebuilt(data: bytes, change: Callable[[dict[str, bytes]], None], **manifest: Any) -> bytes:
    """Change parts of a bundle, and list what came of it as an attacker would: every digest fits again."""
    parts = unpack(data)
    told = Manifest.model_validate(json.loads(parts.pop(MANIFEST)))
    change(parts)
    return pack(with_manifest(told.model_copy(update=manifest), parts))


def test_a_bundle_verifies_with_nothing_but_itself_and_the_keys(made: Made) -> None:
    found = verify_bundle(made.data, made.trust)
    assert [(check.name, check.holds) for check in found.checks] == [(name, True) for name, _ in CHECKS]
    assert found.holds
    assert found.assessment is not None
    assert [gate.action for gate in found.assessment.models[0].gates if gate.open] == [
        "train",
        "internal_use",
        "general",
        "open_weights",
    ]
    words = {check.name: check.detail for check in found.checks}
    assert "D-1 signed by ada (safety-lead), bob (ceo)" in words["signatures"]
    assert "1 withheld, each with its ground (privacy)" in words["redactions"]


def test_the_same_content_gives_the_same_bytes(made: Made) -> None:
    assert make_bundle(made.house.world(), "m") == made.data
    assert pack(unpack(made.data)) == made.data


def test_a_whole_log_shows_that_nothing_was_left_out(made: Made) -> None:
    found = verify_bundle(made.whole, made.trust)
    assert found.holds
    assert "none can have been left out" in next(check.detail for check in found.checks if check.name == "inclusion")
    dropped = rebuilt(made.whole, lambda parts: parts.pop(max(one for one in parts if one.startswith("entries/"))))
    assert failing(verify_bundle(dropped, made.trust)) == ["inclusion"]


def test_what_is_withheld_is_nowhere_in_the_bundle(made: Made) -> None:
    for data in (made.data, made.whole):
        assert b"Jane Roe" not in data
    evidence = json.loads(unpack(made.data)["evidence.json"])
    note = next(one["note"] for one in evidence["records"] if one["id"] == "r2")
    assert note.startswith("[withheld sha256:")


def test_decisions_about_other_models_are_not_shown_and_change_nothing(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    world = house.world()
    (house.root / "models" / "other.yaml").write_text("schema: tidegate/model/v1\nid: other\n")
    record_files(world)
    propose(world, Proposal("other", ("general",)), house.actor("ada"))
    house.checkpoint()
    before = make_bundle(world, "m")
    assert b"D-1" not in before
    propose(world, Proposal("m", ("general",)), house.actor("ada"))
    review(world, "D-2", "supports", "Fine.", house.actor("kim"))
    for name in ("ada", "bob"):
        sign(world, "D-2", None, house.actor(name))
    house.checkpoint()
    found = verify_bundle(make_bundle(world, "m"), trust_of(world))
    assert found.holds, found.checks


def test_the_bundle_after_a_revocation_opens_nothing(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    world = house.world()
    propose(world, Proposal("m", ("general",)), house.actor("ada"))
    review(world, "D-1", "supports", "Fine.", house.actor("kim"))
    for name in ("ada", "bob"):
        sign(world, "D-1", None, house.actor(name))
    revoke(world, "D-1", "A jailbreak was found.", house.actor("eve"))
    house.checkpoint()
    found = verify_bundle(make_bundle(world, "m"), trust_of(world))
    assert found.holds
    assert found.assessment is not None
    assert not found.assessment.models[0].gate("general").open


def test_a_bundle_needs_a_checkpoint_that_covers_it(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    with pytest.raises(TidegateError) as refused:
        make_bundle(house.world(), "m")
    assert refused.value.problems[0].code == "LED007"
    house.checkpoint()
    propose(house.world(), Proposal("m", ("general",)), house.actor("ada"))
    with pytest.raises(TidegateError, match="older than entry") as refused:
        make_bundle(house.world(), "m")
    with pytest.raises(TidegateError) as refused:
        make_bundle(house.world(), "nobody")
    assert refused.value.problems[0].code == "ASM001"


# --- what an attacker might send ----------------------------------------------------------------------


def change_json(name: str, change: Callable[[Any], None]) -> Callable[[dict[str, bytes]], None]:
    def apply(parts: dict[str, bytes]) -> None:
        value = json.loads(parts[name])
        change(value)
        parts[name] = canonical_bytes(value)

    return apply


def without(prefix: str, number: int = 0) -> Callable[[dict[str, bytes]], None]:
    def apply(parts: dict[str, bytes]) -> None:
        parts.pop(sorted(one for one in parts if one.startswith(prefix))[number])

    return apply


ATTACKS: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "better figure": (
        change_json("evidence.json", lambda one: one["records"][0]["measurement"].update(value=0.01, successes=2)),
        "signatures",
    ),
    "record dropped": (change_json("evidence.json", lambda one: one["records"].pop()), "redactions"),
    "softer policy": (
        change_json("policy.json", lambda one: one["approvals"][0].update(quorum=1)),
        "policy",
    ),
    "another snapshot": (change_json("models.json", lambda one: one[0]["snapshots"][0].update(id="s9")), "signatures"),
    "gate opened": (
        change_json(
            "assessment.json",
            lambda one: [gate.update(open=True) for gate in one["models"][0]["gates"]],
        ),
        "verdict",
    ),
    "unlisted redaction": (
        change_json("evidence.json", lambda one: one["records"][1].update(note="[withheld sha256:" + "0" * 64 + "]")),
        "redactions",
    ),
    "no checkpoint": (lambda parts: parts.pop("checkpoint"), "log checkpoint"),
    "no proof": (without("proofs/"), "inclusion"),
    "no decision": (without("documents/"), "signatures"),
    "unknown field": (change_json("policy.json", lambda one: one.update(extra=1)), "contents"),
    "not canonical": (lambda parts: parts.update({"policy.json": parts["policy.json"] + b"\n"}), "contents"),
    "not JSON": (lambda parts: parts.update({"models.json": b"{"}), "contents"),
    "models no list": (lambda parts: parts.update({"models.json": b"1"}), "contents"),
    "deep nesting": (lambda parts: parts.update({"models.json": b"[" * 100_000}), "contents"),
    "document renamed": (lambda parts: parts.update({"documents/" + "0" * 64: b"x"}), "contents"),
    "no entries": (
        lambda parts: [parts.pop(one) for one in list(parts) if one.startswith(("entries/", "proofs/"))],
        "inclusion",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_whose_digests_fit_is_found(made: Made, name: str) -> None:
    change, check = ATTACKS[name]
    found = verify_bundle(rebuilt(made.data, change), made.trust)
    assert not found.holds
    assert failing(found)[0] == check, found.checks


def test_a_forged_signature_is_found_by_its_place_in_the_log(made: Made) -> None:
    def swap(parts: dict[str, bytes]) -> None:
        for name in [one for one in parts if one.startswith("entries/")]:
            value = json.loads(parts[name])
            if value["kind"] == "decision.signed":
                value["body"]["role"] = "board-member"
                parts[name] = canonical_bytes(value)

    assert failing(verify_bundle(rebuilt(made.data, swap), made.trust)) == ["inclusion"]


def test_another_day_is_another_verdict(made: Made) -> None:
    later = rebuilt(made.data, lambda _: None, at="2027-06-01T12:00:00Z")
    assert failing(verify_bundle(later, made.trust)) == ["verdict"]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda one: {**one, "people": [person for person in one["people"] if person["person"] != "bob"]}, "verdict"),
        (lambda one: {**one, "people": [{**person, "roles": ["kitchen"]} for person in one["people"]]}, "keys"),
        (lambda one: {**one, "log": {**one["log"], "origin": "example.com/other"}}, "log checkpoint"),
    ],
    ids=["a signer who is not trusted", "roles that are not trusted", "another log"],
)
def test_only_what_is_trusted_counts(made: Made, change: Any, check: str) -> None:
    trust = Trust.model_validate(change(made.trust.model_dump(mode="json", by_alias=True)))
    assert failing(verify_bundle(made.data, trust))[0] == check


def test_witnesses_that_are_asked_for_have_to_be_there(made: Made) -> None:
    key = "witness.example/w+58c86ec2+BA+iIBMSdvbM0zXLSOTdFBFEqhOhVkk8VGOZjHlRaqx7"
    told = made.trust.model_dump(mode="json", by_alias=True)
    trust = read_trust(json.dumps({**told, "witnesses": [], "witness_quorum": 0}).encode(), "trust.yaml")
    assert verify_bundle(made.data, trust).holds
    with pytest.raises(TidegateError) as refused:
        read_trust(json.dumps({**told, "witness_quorum": 1}).encode(), "trust.yaml")
    assert refused.value.problems[0].code == "BUN004"
    with pytest.raises(TidegateError) as refused:
        read_trust(json.dumps({**told, "witnesses": [key + "x"]}).encode(), "trust.yaml")
    assert refused.value.problems[0].code == "BUN004"


def test_hundreds_of_mutated_bundles_are_all_refused_and_none_crashes_it(made: Made) -> None:
    """Takes some seconds: each mutation is checked as a bundle of its own."""
    dice = random.Random(SEED)
    for turn in range(600):
        data = bytearray(made.data if turn % 2 else made.whole)
        match dice.randrange(5):
            case 0:
                data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            case 1:
                del data[dice.randrange(len(data)) :]
            case 2:
                start = dice.randrange(len(data))
                del data[start : start + dice.randrange(1, 200)]
            case 3:
                start = dice.randrange(len(data))
                data[start:start] = dice.randbytes(dice.randrange(1, 50))
            case _:
                first, second = sorted(dice.randrange(len(data)) for _ in range(2))
                data[first:second] = bytes(reversed(data[first:second]))
        if bytes(data) in (made.data, made.whole):
            continue
        found = verify_bundle(bytes(data), made.trust)
        assert not found.holds
        assert len(found.checks) == len(CHECKS)


def test_mutated_parts_whose_digests_fit_are_refused(made: Made) -> None:
    dice = random.Random(SEED)
    parts = unpack(made.data)
    for _ in range(300):
        name = dice.choice(sorted(one for one in parts if one != MANIFEST))

        def flip(inner: dict[str, bytes], name: str = name) -> None:
            data = bytearray(inner[name])
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            inner[name] = bytes(data)

        assert not verify_bundle(rebuilt(made.data, flip), made.trust).holds, name


def archive(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, data in members:
            made.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "BUN001"),
        (b"not an archive", "BUN001"),
        (archive(("manifest.json", b"{}")), "BUN001"),
        (archive(("../../etc/passwd", b"x")), "BUN002"),
        (archive(("/etc/passwd", b"x")), "BUN002"),
        (archive(("entries/../x", b"x")), "BUN002"),
        (archive(("a\\b", b"x")), "BUN002"),
        (archive(("manifest.json", b"0" * 10_000_000), compression=zipfile.ZIP_DEFLATED), "BUN002"),
        (archive(*((f"p{n}", b"") for n in range(MAX_PARTS + 1))), "BUN002"),
    ],
    ids=["empty", "text", "other form", "escape", "absolute", "escape in folder", "backslash", "bomb", "many parts"],
)
def test_unsafe_archives_are_refused_unread(data: bytes, code: str) -> None:
    with pytest.raises(TidegateError) as refused:
        unpack(data)
    assert refused.value.problems[0].code == code


@pytest.mark.parametrize("name", ["", "entries/", ".hidden", "entries/.x", "a/b", "é", "a b", "x" * 200])
def test_names_of_parts_are_plain(name: str) -> None:
    assert not is_part_name(name)


def test_parts_that_are_missing_or_not_listed_are_named(made: Made) -> None:
    parts = unpack(made.data)
    del parts["policy.json"]
    found = verify_bundle(pack({**parts, "more.json": b"1"}), made.trust)
    assert failing(found) == ["archive"]
    assert "policy.json is listed and missing" in found.checks[0].detail
    assert "more.json is in the bundle and not listed" in found.checks[0].detail
    manifest = Manifest.model_validate(json.loads(parts[MANIFEST]))
    changed = {**unpack(made.data), "checkpoint": b"another"}
    assert [one.code for one in check_parts(manifest, changed)] == ["BUN003"]
    assert check_parts(manifest, unpack(made.data)) == ()
