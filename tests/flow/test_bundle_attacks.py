# SPDX-License-Identifier: Apache-2.0
"""Bundles by those who want to deceive: a sender who rebuilds every digest, an operator who has the log's key.

None of them has the keys of the people whom the outsider trusts, so nothing that these people did not sign over
may be shown as holding.
"""

import io
import json
import struct
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from house import ORIGIN, TODAY, House, a_house, a_signer, evidence_file
from tidegate.assess.model import Assessment
from tidegate.flow.bundles import make_bundle, trust_of
from tidegate.flow.decisions import DecisionFile, Proposal, propose, review, revoke, sign
from tidegate.flow.evidence import Withholding, import_files, redact, restate, restatement
from tidegate.flow.keys import key_request, revoke_key, rotate_key
from tidegate.flow.ledgers import Act, record_act, record_files
from tidegate.flow.logs import export_tiles
from tidegate.govern.governance import governance
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.clock import day_of
from tidegate.kernel.errors import TidegateError
from tidegate.ledger.acts import (
    DecisionMoved,
    DecisionSigned,
    EvidenceImported,
    LedgerOpened,
    PolicyAdopted,
    ReportFinalised,
)
from tidegate.ledger.entries import Entry, new_entry
from tidegate.ledger.keys import Signer
from tidegate.ledger.merkle import inclusion_proof, leaf_hash, root_of
from tidegate.ledger.notes import ED25519, Checkpoint, note_signer, sign_checkpoint
from tidegate.ledger.proofs import tlog_proof
from tidegate.ledger.signing import sign_entry
from tidegate.publish import verification
from tidegate.publish.bundle import (
    MANIFEST,
    LogPart,
    Manifest,
    document_name,
    entry_name,
    pack,
    proof_name,
    unpack,
    with_manifest,
)
from tidegate.publish.trust import Trust, read_trust
from tidegate.publish.verification import CHECKS, Verified, verify_bundle
from tidegate.store.project import read_redactions

Parts = dict[str, bytes]


def failing(found: Verified) -> list[str]:
    assert len(found.checks) == len(CHECKS)
    return [check.name for check in found.checks if not check.holds and "not made" not in check.detail]


def detail(found: Verified, name: str) -> str:
    return next(check.detail for check in found.checks if check.name == name)


def decided(house: House, model: str | None = "m", name: str = "D-1", **changes: Any) -> None:
    """Put a decision, review it, and sign it by two: it takes effect."""
    world = house.world()
    actions = ("general",) if model is not None else ()
    propose(world, Proposal(model, actions, name=name, **changes), house.actor("ada"))
    review(world, name, "supports", "The margin holds.", house.actor("kim"))
    for one in ("ada", "bob"):
        sign(world, name, None, house.actor(one))


def entries_of(house: House) -> list[Entry]:
    with closing(house.world().ledger()) as store:
        return [one.entry for one in store.entries()]


def rebuilt(data: bytes, change: Callable[[Parts], Any] = lambda _: None, **manifest: Any) -> bytes:
    """Change a bundle as a sender can: every digest fits again."""
    parts = unpack(data)
    told = Manifest.model_validate(json.loads(parts.pop(MANIFEST)))
    change(parts)
    return pack(with_manifest(told.model_copy(update=manifest), parts))


def by_operator(
    house: House,
    data: bytes,
    entries: Sequence[Entry],
    shown: Sequence[int] | None = None,
    change: Callable[[Parts], Any] = lambda _: None,
    **manifest: Any,
) -> bytes:
    """Give a bundle over a log that the operator made from any entries; all of them are shown, or some with proofs."""
    leaves = [leaf_hash(one.data) for one in entries]
    signer = note_signer(ORIGIN, ED25519, house.log)
    note = sign_checkpoint(Checkpoint(ORIGIN, len(leaves), root_of(leaves)), signer)

    def subtree(level: int, index: int) -> bytes:
        return root_of(leaves[index << level : (index + 1) << level])

    def make(parts: Parts) -> None:
        for name in [one for one in parts if one.startswith(("entries/", "proofs/"))]:
            del parts[name]
        for index in range(len(entries)) if shown is None else shown:
            parts[entry_name(index)] = entries[index].data
            if shown is not None:
                proof = tlog_proof(index, inclusion_proof(index, len(leaves), subtree), note)
                parts[proof_name(index)] = proof.encode()
        parts["checkpoint"] = note.encode()
        change(parts)

    log = LogPart(origin=ORIGIN, size=len(entries), is_whole=shown is None)
    return rebuilt(data, make, log=log, **manifest)


def with_verdict(data: bytes, trust: Trust, change: Callable[[Parts], Any], **manifest: Any) -> bytes:
    """Change a bundle, and put the assessment into it that the verifier comes to, as any attacker can."""
    made = rebuilt(data, change, **manifest)
    stated = attackers_view(made, trust)
    if stated is None:
        return made
    parts = {"assessment.json": canonical_bytes(stated)}
    return rebuilt(made, lambda one: one.update(parts), assessment_digest=stated.digest)


def attackers_view(data: bytes, trust: Trust) -> Assessment | None:
    """Give what the verifier would compute, whatever the bundle states; none if it does not come to that."""
    work = verification._Work(data, trust, "bundle")
    with suppress(TidegateError, verification._Failed):
        for _, check in CHECKS:
            check(work)
    if "governed" not in work.values:
        return None
    told: Manifest = work.values["manifest"]
    found: Assessment = work.values["basis"].assessed(
        told.model, told.snapshot, day_of(told.at), work.values["governed"]
    )
    return found


def is_shown_open(data: bytes, trust: Trust) -> bool:
    """Tell whether the outsider would be told that the model may be deployed to everybody."""
    found = verify_bundle(data, trust)
    return found.holds and found.assessment is not None and found.assessment.models[0].gate("general").open


@dataclass(frozen=True)
class Made:
    """A house whose gate is open, and its bundles."""

    house: House
    data: bytes
    whole: bytes
    trust: Trust


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    house = a_house(tmp_path_factory.mktemp("attacks"))
    decided(house)
    house.checkpoint()
    world = house.world()
    return Made(house, make_bundle(world, "m"), make_bundle(world, "m", whole_log=True), trust_of(world))


# --- what a sender says of the bundle -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "check"),
    [
        ({"policy": "strict@9"}, "contents"),
        ({"organisation": "Somebody else"}, "inclusion"),
        ({"model": "other"}, "signatures"),
        ({"model": ""}, "signatures"),
        ({"snapshot": "s9"}, "verdict"),
        ({"at": "2026-05-20T12:00:00Z"}, "signatures"),
    ],
    ids=["policy", "organisation", "model", "no model", "snapshot", "an earlier day"],
)
@pytest.mark.parametrize("whole", [False, True])
def test_what_the_manifest_says_has_to_be_what_was_signed(made: Made, told: Any, check: str, whole: bool) -> None:
    found = verify_bundle(rebuilt(made.whole if whole else made.data, **told), made.trust)
    assert failing(found) == [check], found.checks


EXTRA = b'{"report":"everything is fine"}'


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("report.html", "archive"),
        ("policy.json.bak", "archive"),
        (document_name(digest_bytes(EXTRA)), "inclusion"),
        ("documents/readme", "contents"),
        ("proofs/000000099.tlog-proof", "inclusion"),
        ("entries/readme", "inclusion"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_what_nobody_signed_has_no_place_in_a_bundle(made: Made, name: str, check: str, whole: bool) -> None:
    more = rebuilt(made.whole if whole else made.data, lambda parts: parts.update({name: EXTRA}))
    assert failing(verify_bundle(more, made.trust)) == [check]


def test_a_bundle_of_the_whole_log_has_no_proofs(made: Made) -> None:
    proofs = {name: data for name, data in unpack(made.data).items() if name.startswith("proofs/")}
    more = rebuilt(made.whole, lambda parts: parts.update(proofs))
    assert failing(verify_bundle(more, made.trust)) == ["inclusion"]


# --- entries in another order, at other places --------------------------------------------------------


def renumbered(places: Callable[[int], int]) -> Callable[[Parts], None]:
    def apply(parts: Parts) -> None:
        found = {name: parts.pop(name) for name in list(parts) if name.startswith("entries/")}
        for name, data in found.items():
            parts[entry_name(places(int(name[8:17])))] = data

    return apply


@pytest.mark.parametrize(
    "places",
    [lambda index: index + 1, lambda index: index * 2, lambda index: 10**9 + index],
    ids=["shifted", "with gaps", "beyond nine digits"],
)
def test_entries_of_a_whole_log_stand_at_their_places(made: Made, places: Callable[[int], int]) -> None:
    assert failing(verify_bundle(rebuilt(made.whole, renumbered(places)), made.trust)) == ["inclusion"]


def test_names_that_sort_otherwise_than_numbers_do_not_bring_a_revoked_key_back(tmp_path: Path) -> None:
    """The name of entry 1000000000 sorts before that of 999999999, so their order could seem to be the log's."""
    house = a_house(tmp_path)
    world = house.world()
    propose(world, Proposal("m", ("general",)), house.actor("ada"))
    review(world, "D-1", "supports", "Fine.", house.actor("kim"))
    sign(world, "D-1", None, house.actor("ada"))
    house.checkpoint()
    before, data = entries_of(house), make_bundle(world, "m")
    thief = house.signers["bob"]
    revoke_key(world, thief.fingerprint, "role_changed", house.actor("ada"))
    document = before[-1].over[0].digest
    body = DecisionSigned(decision="D-1", document=document, role="ceo")
    stolen = new_entry(
        "decision.signed",
        body,
        entry_id="f" * 32,
        acted_at=world.now(),
        by="bob",
        log=ORIGIN,
        over=before[-1].over,
    )
    entries = [*entries_of(house), sign_entry(stolen, thief)]
    read = governance(enumerate(entries), lambda _: None)
    assert len(entries) - 1 in read.problems, "in the log's own order the key had ended"
    last = len(entries) - 1

    def places(index: int) -> int:
        return {last - 1: 10**9, last: 10**9 - 1}.get(index, index)

    data = by_operator(house, data, entries, change=renumbered(places))
    assert failing(verify_bundle(data, trust_of(world))) == ["inclusion"]


# --- what was signed for another log, model or question -----------------------------------------------


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, made: Made) -> House:
    """The same people with the same keys, in another log: a rehearsal, in which they decided as well."""
    folder = tmp_path_factory.mktemp("elsewhere")
    other = a_house(folder, origin="example.com/rehearsal", signers=made.house.signers)
    decided(other)
    return other


def documents_of(house: House, entries: Sequence[Entry]) -> Parts:
    with closing(house.world().ledger()) as store:
        found = {one.body["document"] for one in entries if one.kind.startswith("decision.") and "document" in one.body}
        return {document_name(one): data for one in found if (data := store.documents_get(one)) is not None}


@pytest.mark.parametrize("shown", [True, False], ids=["without the first entry", "whole"])
@pytest.mark.parametrize("first", ["example.com/rehearsal", ORIGIN])
def test_what_was_signed_for_another_log_does_not_count(
    tmp_path: Path, made: Made, elsewhere: House, first: str, shown: bool
) -> None:
    house = House(made.house.root, made.house.signers, made.house.log, made.house.ids)
    opened = new_entry(
        "ledger.opened",
        LedgerOpened(origin=first, organisation="House"),
        entry_id="1" * 32,
        acted_at="2026-05-01T12:00:00Z",
    )
    rehearsed = entries_of(elsewhere)
    entries = [opened, *rehearsed[1:]]

    def swap(parts: Parts) -> None:
        for name in [one for one in parts if one.startswith("documents/")]:
            del parts[name]
        parts.update(documents_of(elsewhere, rehearsed))

    places = range(1, len(entries)) if shown else None
    data = by_operator(house, made.data, entries, places, swap)
    found = verify_bundle(data, made.trust)
    assert not found.holds
    assert failing(found)[0] in ("inclusion", "keys", "signatures"), found.checks


def worse(parts: Parts) -> None:
    """The evidence becomes another: what is concluded from it would be another thing."""
    value = json.loads(parts["evidence.json"])
    value["records"][0]["measurement"].update(value=0.01, successes=2)
    parts["evidence.json"] = canonical_bytes(value)


def test_a_decision_about_no_model_vouches_for_no_evidence(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    decided(house, None, text=DecisionFile(acts=("deployment_decision",), question="Do we go on?"))
    house.checkpoint()
    world, trust = house.world(), trust_of(house.world())
    data = make_bundle(world, "m")
    for bundle in (data, with_verdict(data, trust, worse)):
        found = verify_bundle(bundle, trust)
        assert failing(found) == ["signatures"], found.checks
        assert "nobody whom you trust signed over" in detail(found, "signatures")


def test_a_decision_about_another_model_vouches_for_nothing(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    (house.root / "models" / "other.yaml").write_text("schema: tidegate/model/v1\nid: other\n")
    record_files(house.world())
    decided(house, "other")
    house.checkpoint()
    world, trust = house.world(), trust_of(house.world())
    other = unpack(make_bundle(world, "other"))
    told = Manifest.model_validate(json.loads(other.pop(MANIFEST)))

    def both(parts: Parts) -> None:
        mine = unpack(make_bundle(world, "m"))
        models = json.loads(mine["models.json"]) + json.loads(other["models.json"])
        parts.update({"models.json": canonical_bytes(models), "evidence.json": mine["evidence.json"]})

    data = with_verdict(pack(with_manifest(told, other)), trust, both, model="m", snapshot=None)
    assert failing(verify_bundle(data, trust)) == ["signatures"]


def bound_by_another(house: House, folder: Path) -> None:
    """Model m is no more capable than `big`, which rests on evidence of its own; m's file says so."""
    text = {
        "schema": "tidegate/model/v1",
        "id": "m",
        "snapshots": [{"id": "s1", "created": "2026-04-01"}],
        "bounded_by": [{"model": "m", "by": "big", "reason": "smaller", "on": "2026-04-01"}],
    }
    (house.root / "models" / "m.yaml").write_text(yaml.safe_dump(text))
    (house.root / "models" / "big.yaml").write_text("schema: tidegate/model/v1\nid: big\n")
    record_files(house.world())
    import_files(house.world(), [evidence_file(folder, "big1", 0.3, subject={"model": "big"})])


@pytest.mark.parametrize("left", ["evidence.json", "models.json"])
def test_what_a_bounding_model_shows_cannot_be_left_out(tmp_path: Path, left: str) -> None:
    house = a_house(tmp_path)
    bound_by_another(house, tmp_path)
    decided(house)
    house.checkpoint()
    world, trust = house.world(), trust_of(house.world())
    data = make_bundle(world, "m")
    assert verify_bundle(data, trust).holds

    def leave(parts: Parts) -> None:
        value = json.loads(parts[left])
        if left == "models.json":
            value = [one for one in value if one["id"] != "big"]
        else:
            value["records"] = [one for one in value["records"] if one["subject"]["model"] != "big"]
        parts[left] = canonical_bytes(value)

    assert failing(verify_bundle(with_verdict(data, trust, leave), trust)) == ["signatures"]


def test_evidence_that_has_no_bearing_is_not_smuggled_in(made: Made) -> None:
    def add(parts: Parts) -> None:
        models = [*json.loads(parts["models.json"]), {"id": "other"}]
        parts["models.json"] = canonical_bytes(models)

    assert failing(verify_bundle(with_verdict(made.data, made.trust, add), made.trust)) == ["signatures"]


@pytest.mark.parametrize("field", ["models", "thresholds", "at"])
def test_an_assessment_that_says_otherwise_is_found(made: Made, field: str) -> None:
    def change(parts: Parts) -> None:
        value = json.loads(parts["assessment.json"])
        if field == "at":
            value["at"] = "2026-06-02"
        elif field == "models":
            value["models"][0]["name"] = "Another"
        else:
            value["models"][0]["thresholds"][0]["finding"] = "reached"
        parts["assessment.json"] = canonical_bytes(value)

    stated = {}

    def keep(parts: Parts) -> None:
        change(parts)
        stated["digest"] = digest_bytes(parts["assessment.json"])

    rebuilt(made.data, keep)
    for told in ({}, {"assessment_digest": stated["digest"]}):
        assert failing(verify_bundle(rebuilt(made.data, change, **told), made.trust)) == ["verdict"]


# --- the operator's own entries -----------------------------------------------------------------------


def operators(kind: str, body: Any, number: int, by: str | None = None, signer: Signer | None = None) -> Entry:
    entry = new_entry(kind, body, entry_id=f"{number:032x}", acted_at="2026-06-01T12:00:00Z", by=by, log=ORIGIN)
    return entry if signer is None else sign_entry(entry, signer)


def test_a_policy_that_the_operator_adopts_is_not_the_one_that_was_signed(made: Made) -> None:
    entries = entries_of(made.house)
    softer = json.loads(unpack(made.data)["policy.json"])
    softer["approvals"][0].update(quorum=1)
    data = canonical_bytes(softer)
    was = next(one.body["policy_digest"] for one in entries if one.kind == "policy.adopted")
    # The digest of a policy is that of its canonical bytes, or else this would test nothing.
    assert digest_bytes(unpack(made.data)["policy.json"]) == was
    adopted = operators(
        "policy.adopted",
        PolicyAdopted(label="house@1", policy_digest=digest_bytes(data), document=digest_bytes(data), was=was),
        7,
    )
    bundle = by_operator(
        made.house, made.data, [*entries, adopted], None, lambda parts: parts.update({"policy.json": data})
    )
    found = verify_bundle(with_verdict(bundle, made.trust, lambda _: None), made.trust)
    assert failing(found) == ["signatures"], found.checks


def test_entries_that_the_operator_writes_for_others_have_no_effect_and_are_counted(made: Made) -> None:
    document = canonical_bytes({"anything": 1})
    finalised = ReportFinalised(
        report="R", kind="capability", model="m", snapshot="s1", document=digest_bytes(document)
    )
    forged = [
        operators("report.finalised", finalised, 1, "ada", a_signer()),
        operators("decision.moved", DecisionMoved(decision="D-1", to="revoked", reason="x"), 2, "bob", a_signer()),
    ]
    entries = [*entries_of(made.house), *forged]
    data = by_operator(
        made.house,
        made.whole,
        entries,
        None,
        lambda parts: parts.update({document_name(digest_bytes(document)): document}),
    )
    found = verify_bundle(data, made.trust)
    assert found.holds, found.checks
    assert "2 of the entries shown have no effect" in detail(found, "keys")


def test_an_entry_that_stands_twice_counts_once(made: Made) -> None:
    entries = entries_of(made.house)
    signed = next(one for one in entries if one.kind == "decision.signed")
    found = verify_bundle(by_operator(made.house, made.whole, [*entries, signed, signed]), made.trust)
    assert found.holds
    assert "2 of the entries shown have no effect" in detail(found, "keys")


def test_proofs_of_another_tree_do_not_hold(made: Made) -> None:
    entries = entries_of(made.house)
    longer = [*entries, operators("evidence.imported", imported("x"), 3)]
    first = unpack(by_operator(made.house, made.data, entries, range(len(entries))))
    second = by_operator(made.house, made.data, longer, range(len(entries)))
    proofs = {name: data for name, data in first.items() if name.startswith("proofs/")}
    found = verify_bundle(rebuilt(second, lambda parts: parts.update(proofs)), made.trust)
    assert failing(found) == ["inclusion"]


def imported(name: str) -> EvidenceImported:
    digest = digest_bytes(b"")
    return EvidenceImported(file=name, file_digest=digest, format="x", records=1, kept_as=name, document=digest)


# --- keys ---------------------------------------------------------------------------------------------


def signed_with(house: House, signer: Signer, person: str, role: str) -> list[Entry]:
    """Give the log with a signature under D-1 that somebody made with a key of this person."""
    entries = entries_of(house)
    over = next(one.over for one in entries if one.kind == "decision.proposed")
    body = DecisionSigned(decision="D-1", document=over[0].digest, role=role)
    made = new_entry(
        "decision.signed", body, entry_id="e" * 32, acted_at="2026-06-01T12:00:00Z", by=person, log=ORIGIN, over=over
    )
    done = new_entry(
        "decision.moved",
        DecisionMoved(decision="D-1", to="effective"),
        entry_id="d" * 32,
        acted_at="2026-06-01T12:00:00Z",
        by="ada",
        log=ORIGIN,
    )
    return [*entries, sign_entry(made, signer), sign_entry(done, house.signers["ada"])]


def test_a_key_that_was_replaced_does_not_count_though_its_successor_is_not_trusted(tmp_path: Path) -> None:
    """The trust file is older than the rotation; whoever found the old key signs with it afterwards."""
    house = a_house(tmp_path)
    world, trust = house.world(), trust_of(house.world())
    propose(world, Proposal("m", ("general",)), house.actor("ada"))
    review(world, "D-1", "supports", "Fine.", house.actor("kim"))
    sign(world, "D-1", None, house.actor("ada"))
    old, new = house.signers["bob"], a_signer()
    rotate_key(world, key_request("bob", (), new, old.fingerprint), house.actor("bob"))
    house.checkpoint()
    honest = verify_bundle(make_bundle(world, "m", whole_log=True), trust)
    assert honest.holds
    for key in (old, new):
        data = by_operator(house, make_bundle(world, "m"), signed_with(house, key, "bob", "ceo"))
        made = with_verdict(data, trust, lambda _: None)
        assert not is_shown_open(made, trust)
    trusted = by_operator(house, make_bundle(world, "m"), signed_with(house, new, "bob", "ceo"))
    later = trust_of(world)
    assert is_shown_open(with_verdict(trusted, later, lambda _: None), later), "or else this would show nothing"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda people: [*people, {**people[0], "person": people[0]["person"].upper()}], "twice"),
        (lambda people: [*people, {**people[1], "person": "zoe"}], "two people"),
        (lambda people: [{**people[0], "keys": ["ssh-ed25519 " + "A" * 60]}, *people[1:]], "another kind"),
    ],
    ids=["a person twice", "a key of two", "no key"],
)
def test_a_trust_file_that_contradicts_itself_is_refused(made: Made, change: Any, words: str) -> None:
    told = made.trust.model_dump(mode="json", by_alias=True)
    with pytest.raises(TidegateError) as refused:
        read_trust(json.dumps({**told, "people": change(told["people"])}).encode(), "trust.yaml")
    assert {one.code for one in refused.value.problems} == {"BUN004"}
    assert words in str(refused.value)
    assert all(one.where is not None and one.where.line for one in refused.value.problems)


def test_keys_that_could_be_neither_log_nor_witness_are_refused(made: Made) -> None:
    told = made.trust.model_dump(mode="json", by_alias=True)
    log = told["log"]["key"]
    for witnesses in ([log], [log, log]):
        with pytest.raises(TidegateError) as refused:
            read_trust(json.dumps({**told, "witnesses": witnesses}).encode(), "trust.yaml")
        assert [one.code for one in refused.value.problems] == ["BUN004"]


def without_people(trust: Trust, *names: str) -> Trust:
    return trust.model_copy(update={"people": tuple(one for one in trust.people if one.person not in names)})


def test_who_revokes_a_decision_need_not_be_known_to_the_outsider(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    decided(house)
    revoke(house.world(), "D-1", "A jailbreak was found.", house.actor("eve"))
    house.checkpoint()
    trust = without_people(trust_of(house.world()), "eve")
    data = make_bundle(house.world(), "m", whole_log=True)
    found = verify_bundle(data, trust)
    assert found.holds, found.checks
    assert "is revoked" in detail(found, "signatures")
    assert not is_shown_open(with_verdict(data, trust, lambda _: None), trust)


def test_a_stranger_whom_no_trusted_keeper_let_in_revokes_nothing(made: Made) -> None:
    moved = DecisionMoved(decision="D-1", to="revoked", reason="x")
    entries = [*entries_of(made.house), operators("decision.moved", moved, 4, "zoe", a_signer())]
    found = verify_bundle(by_operator(made.house, made.whole, entries), made.trust)
    assert found.holds, found.checks
    assert "D-1 signed by" in detail(found, "signatures")


# --- an older state shown as that of a whole log ------------------------------------------------------


def test_older_evidence_is_not_shown_as_that_of_the_log(tmp_path: Path) -> None:
    """The house signed over newer, worse evidence since; the sender has the whole log, and shows the older."""
    house = a_house(tmp_path)
    decided(house)
    house.checkpoint()
    world, trust = house.world(), trust_of(house.world())
    older = unpack(make_bundle(world, "m"))["evidence.json"]
    import_files(world, [evidence_file(tmp_path, "r2", 0.9)])
    decided(house, name="D-2")
    house.checkpoint()
    for whole in (False, True):
        data = make_bundle(world, "m", whole_log=whole)
        assert verify_bundle(data, trust).holds
        shown = with_verdict(data, trust, lambda parts: parts.update({"evidence.json": older}))
        assert failing(verify_bundle(shown, trust)) == ["signatures"]


def test_a_retraction_that_the_log_shows_cannot_be_left_out(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    import_files(house.world(), [evidence_file(tmp_path, "r2", 0.04)])
    decided(house)
    house.checkpoint()
    world, trust = house.world(), trust_of(house.world())
    older = unpack(make_bundle(world, "m"))["evidence.json"]
    restate(world, restatement("r2", by=None, reason="retracted", approved_by=("ceo",), note=None, on=TODAY))
    house.checkpoint()
    data = make_bundle(world, "m", whole_log=True)
    shown = with_verdict(data, trust, lambda parts: parts.update({"evidence.json": older}))
    assert failing(verify_bundle(shown, trust)) == ["policy"]


def test_a_model_that_the_log_describes_otherwise_is_not_the_one(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    decided(house)
    house.checkpoint()
    world, trust = house.world(), trust_of(house.world())
    older = unpack(make_bundle(world, "m"))["models.json"]
    text = {"schema": "tidegate/model/v1", "id": "m", "snapshots": [{"id": "s1"}, {"id": "s2"}]}
    (house.root / "models" / "m.yaml").write_text(yaml.safe_dump(text))
    record_files(world)
    house.checkpoint()
    data = make_bundle(world, "m", whole_log=True)
    shown = with_verdict(data, trust, lambda parts: parts.update({"models.json": older}))
    assert failing(verify_bundle(shown, trust)) == ["policy"]


def test_evidence_that_came_later_into_the_log_is_named(tmp_path: Path) -> None:
    """What it is about, an outsider cannot see; that it came, they are told."""
    house = a_house(tmp_path)
    decided(house)
    house.checkpoint()
    world, trust = house.world(), trust_of(house.world())
    older = unpack(make_bundle(world, "m"))["evidence.json"]
    import_files(world, [evidence_file(tmp_path, "bad", 0.9)])
    house.checkpoint()
    data = make_bundle(world, "m", whole_log=True)
    assert failing(verify_bundle(data, trust)) == ["signatures"], "nobody has signed over it"
    shown = with_verdict(data, trust, lambda parts: parts.update({"evidence.json": older}))
    assert "evidence came into the log since (entry 14)" in detail(verify_bundle(shown, trust), "signatures")


# --- withheld -----------------------------------------------------------------------------------------

MARK = "[withheld sha256:" + "0" * 64 + "]"


@pytest.mark.parametrize("field", ["subject.snapshot", "measurement.evaluation", "provenance.format", "domain"])
def test_only_words_that_decide_nothing_may_be_withheld(tmp_path: Path, field: str) -> None:
    """Everybody signs over evidence whose deciding words are marked as withheld; the outsider is told all the same."""
    house = a_house(tmp_path)
    changes: dict[str, Any] = {"domain": MARK} if field == "domain" else {}
    if field == "provenance.format":
        changes["provenance"] = {"format": MARK}
    if field == "subject.snapshot":
        changes["subject"] = {"model": "m", "snapshot": MARK}
    if field == "measurement.evaluation":
        changes["measurement"] = {"evaluation": MARK, "metric": "accuracy", "value": 0.1, "n": 10}
    import_files(house.world(), [evidence_file(tmp_path, "r2", 0.04, **changes)])
    decided(house)
    house.checkpoint()
    found = verify_bundle(make_bundle(house.world(), "m"), trust_of(house.world()))
    assert failing(found) == ["redactions"], found.checks


def test_words_withheld_after_an_import_are_in_no_part_of_the_bundle(tmp_path: Path) -> None:
    """The log names imported files; a name that is withheld must not be shown by the log's entries either."""
    house = a_house(tmp_path)
    path = evidence_file(tmp_path, "JaneRoe", 0.04, provenance={"format": "hand", "file": "JaneRoe.yaml"})
    import_files(house.world(), [path])
    redact(house.world(), Withholding("JaneRoe", "provenance.file", "privacy", "a name", "It names a person."))
    decided(house)
    house.checkpoint()
    assert b"JaneRoe.yaml" not in make_bundle(house.world(), "m")
    with pytest.raises(TidegateError, match="withheld") as refused:
        make_bundle(house.world(), "m", whole_log=True)
    assert [one.code for one in refused.value.problems] == ["BUN002"]


def finalised(house: House, name: str, words: str) -> str:
    document = canonical_bytes({"words": words})
    body = ReportFinalised(report=name, kind="capability", model="m", snapshot="s1", document=digest_bytes(document))
    record_act(house.world(), Act("report.finalised", body, house.actor("eve"), (), (document,)))
    return document_name(digest_bytes(document))


def test_a_document_made_before_its_words_were_withheld_stays_in_the_house(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    world = house.world()
    import_files(world, [evidence_file(tmp_path, "r2", 0.04, note="The run was supervised by Jane Roe.")])
    old = finalised(house, "R-1", "supervised by Jane Roe. And so on: The run was supervised by Jane Roe.")
    redact(world, Withholding("r2", "note", "privacy", "a name", "It names a person."))
    new = finalised(house, "R-2", "supervised by somebody")
    decided(house)
    house.checkpoint()
    for whole in (False, True):
        data = make_bundle(world, "m", whole_log=whole)
        assert new in unpack(data)
        assert old not in unpack(data)
        assert b"Jane Roe" not in data
        assert verify_bundle(data, trust_of(world)).holds
    finalised(house, "R-3", "The run was supervised by Jane Roe.")
    decided(house, name="D-2", supersedes="D-1")
    house.checkpoint()
    with pytest.raises(TidegateError, match="shows what is withheld: r2: note") as refused:
        make_bundle(world, "m")
    assert "Jane Roe" not in str(refused.value)


def test_documents_about_other_models_stay_in_the_house(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    (house.root / "models" / "other.yaml").write_text("schema: tidegate/model/v1\nid: other\n")
    world = house.world()
    record_files(world)
    decided(house, "other", text=DecisionFile(question="Is the secret weapon ready?"))
    decided(house, "m", "D-2")
    house.checkpoint()
    for whole in (False, True):
        data = make_bundle(world, "m", whole_log=whole)
        assert b"secret weapon" not in data
        assert verify_bundle(data, trust_of(world)).holds


def test_a_bundle_holds_no_secret_of_the_house(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    world = house.world()
    import_files(world, [evidence_file(tmp_path, "r2", 0.04, note="said Jane Roe")])
    redact(world, Withholding("r2", "note", "privacy", "a name", "It names a person."))
    decided(house)
    house.checkpoint()
    salts = [one.salt for one in read_redactions(house.root)]
    assert len(salts) == 1
    export_tiles(world, tmp_path / "mirror")
    mirror = b"".join(path.read_bytes() for path in (tmp_path / "mirror").rglob("*") if path.is_file())
    for data in (make_bundle(world, "m"), make_bundle(world, "m", whole_log=True), mirror):
        assert b"decision.signed" in data, "or else this would show nothing"
        assert b"Jane Roe" not in data
        assert salts[0].encode() not in data
        assert bytes.fromhex(salts[0]) not in data
        assert b"PRIVATE KEY" not in data


# --- what must not stop the verifier ------------------------------------------------------------------


def raw_entry(**body: Any) -> bytes:
    value = {"id": "a" * 32, "kind": "evidence.imported", "acted_at": "2026-06-01T12:00:00Z", "body": body}
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


HOSTILE = {
    "huge number": b'{"a":' + b"9" * 5000 + b"}",
    "number beyond the exact": raw_entry(records=2**60, file="f"),
    "float": b'{"a":1e999}',
    "not a number": b'{"a":NaN}',
    "surrogate": b'{"schema":"\\ud800"}',
    "deep list": b"[" * 200_000,
    "deep mapping": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "bytes": bytes(range(256)),
    "nothing": b"",
    "null": b"null",
    "text": b'"x"',
    "number": b"1",
    "list": b"[]",
    "empty": b"{}",
    "nul": b"\x00",
    "utf-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize(
    "part",
    [
        "policy.json",
        "models.json",
        "evidence.json",
        "assessment.json",
        "checkpoint",
        "entries/000000000.json",
        "proofs/000000000.tlog-proof",
    ],
)
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_parts_become_a_check_that_does_not_hold(made: Made, part: str, kind: str) -> None:
    found = verify_bundle(rebuilt(made.data, lambda parts: parts.update({part: HOSTILE[kind]})), made.trust)
    assert not found.holds
    assert len(failing(found)) == 1
    assert all(len(one.detail) < 2000 for one in found.checks)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_manifests_become_a_check_that_does_not_hold(made: Made, kind: str) -> None:
    parts = unpack(made.data)
    parts[MANIFEST] = HOSTILE[kind]
    assert failing(verify_bundle(pack(parts), made.trust)) == ["archive"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from leaves(item, (*path, key))


REPLACEMENTS = (None, True, -1, 2**53, 2**70, 1e308, 0.5, "", "x", "\ud800", "\x1b[2J", [], {}, [[]], "9" * 5000)


@pytest.mark.parametrize("part", ["policy.json", "models.json", "evidence.json", "assessment.json", MANIFEST])
def test_any_value_anywhere_may_be_replaced_by_anything(made: Made, part: str) -> None:
    original = json.loads(unpack(made.data)[part])
    places = list(leaves(original))
    for number, path in enumerate(places):
        value = json.loads(json.dumps(original))
        holder = value
        for one in path[:-1]:
            holder = holder[one]
        before = holder[path[-1]]
        replacement = REPLACEMENTS[number % len(REPLACEMENTS)]
        if replacement == before and type(replacement) is type(before):
            continue
        holder[path[-1]] = replacement
        data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
        with suppress(ValueError):
            data = canonical_bytes(value)
        parts = unpack(made.data)
        if part == MANIFEST:
            parts[MANIFEST] = data
            bundle = pack(parts)
        else:
            bundle = rebuilt(made.data, lambda inner, data=data: inner.update({part: data}))
        if bundle == made.data:
            continue
        assert not verify_bundle(bundle, made.trust).holds, (part, path, replacement)


def test_archives_whose_parts_overlap_are_refused_before_they_are_read() -> None:
    """Each part holds all those after it: a small file would become a large one."""
    count, body = 400, b"x" * 200_000
    names = [f"p{number}".encode() for number in range(count)]
    heads: list[bytes] = []
    data = body
    offsets: list[int] = []
    crc = __import__("zlib").crc32
    tails: list[tuple[bytes, int, int]] = []
    for name in reversed(names):
        head = (
            struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 33, crc(data), len(data), len(data), len(name), 0)
            + name
        )
        tails.append((name, crc(data), len(data)))
        data = head + data
        heads.append(head)
    tails.reverse()
    position = 0
    for name, _, _ in tails:
        offsets.append(position)
        position += 30 + len(name)
    directory = b"".join(
        struct.pack(
            "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 33, check, size, size, len(name), 0, 0, 0, 0, 0, offset
        )
        + name
        for (name, check, size), offset in zip(tails, offsets, strict=True)
    )
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), len(data), 0)
    archive = data + directory + end
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert sum(one.file_size for one in opened.infolist()) > 50 * len(archive)
    with pytest.raises(TidegateError) as refused:
        unpack(archive)
    assert refused.value.problems[0].code == "BUN002"


def test_a_directory_of_millions_is_refused_before_it_is_read() -> None:
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    data = entry * 1_000_000
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, len(data), 0, 0)
    started = time.process_time()
    with pytest.raises(TidegateError) as refused:
        unpack(data + end)
    assert refused.value.problems[0].code == "BUN002"
    assert time.process_time() - started < 5


def test_bounds_by_the_thousand_do_not_stop_the_verifier(made: Made) -> None:
    """Who bounds whom is only followed through what somebody signed over."""
    bounds = [{"model": f"a{n}", "by": "m", "reason": "x"} for n in range(4000)]
    models = [{"id": f"a{n}", "bounded_by": bounds[n : n + 1]} for n in range(4000)]

    def add(parts: Parts) -> None:
        parts["models.json"] = canonical_bytes([*json.loads(parts["models.json"]), *models])
        evidence = json.loads(parts["evidence.json"])
        parts["evidence.json"] = canonical_bytes({**evidence, "bounds": bounds})

    started = time.process_time()
    assert failing(verify_bundle(rebuilt(made.data, add), made.trust)) == ["signatures"]
    assert time.process_time() - started < 5
