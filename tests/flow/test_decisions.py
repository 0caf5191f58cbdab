# SPDX-License-Identifier: Apache-2.0
"""From proposal to an open gate, and back: whatever a decision rests on may change at any moment."""

import shutil
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from house import POLICY, TODAY, House, a_house, evidence_file, whole_case
from tidegate.flow import World
from tidegate.flow.assessments import ask_gate, assess_project, explain_finding
from tidegate.flow.cases import NewCase, new_case, record_case
from tidegate.flow.decisions import (
    DecisionFile,
    Proposal,
    act,
    dissent,
    effect,
    find_decision,
    governance_now,
    propose,
    reaffirm,
    recuse,
    review,
    revoke,
    shown,
    sign,
    submit,
)
from tidegate.flow.evidence import Withholding, import_files, redact, restate, restatement
from tidegate.flow.ledgers import Act, record_act, record_files
from tidegate.govern.decisions import Condition, Measure, signed_over
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.errors import TidegateError
from tidegate.ledger.acts import DecisionMoved, DecisionSigned, EvidenceImported
from tidegate.ledger.entries import new_entry
from tidegate.store.project import PROJECT_FILE, RESTATEMENTS


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def codes(error: pytest.ExceptionInfo[TidegateError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def is_open(world: World, action: Any = "general", **options: Any) -> bool:
    return ask_gate(world, "m", action, **options).gate.open


def closing_words(world: World, action: Any = "general", **options: Any) -> str:
    return "\n".join(one.message for one in ask_gate(world, "m", action, **options).gate.reasons if one.closes)


def decided(house: House, *signers: str, **changes: Any) -> str:
    """Put, review and sign a decision; give its id."""
    world = house.world()
    record = propose(world, Proposal("m", ("general",), **changes), house.actor("ada"))
    review(world, record.id, "supports", "The margin holds.", house.actor("kim"))
    for name in signers or ("ada", "bob"):
        sign(world, record.id, None, house.actor(name))
    return record.id


def test_two_of_three_open_the_gate(house: House) -> None:
    world = house.world()
    assert "no decision gives it" in closing_words(world)
    record = propose(world, Proposal("m", ("general",)), house.actor("ada"))
    assert (record.id, record.state) == ("D-1", "in_review")
    assert "May m be deployed to everybody?" in record.document.question
    sign(world, "D-1", None, house.actor("ada"))
    assert not is_open(world)
    sign(world, "D-1", None, house.actor("bob"))
    assert not is_open(world), "nobody has reviewed it"
    assert review(world, "D-1", "supports", "Fine.", house.actor("kim")).state == "effective"
    assert is_open(world)
    assert not is_open(world, "limited"), "the decision says nothing of limited deployment"
    told = explain_finding(world, "m", "T1").signed
    assert any("general: approve-deployment: signed by" in line and "ada (safety-lead" in line for line in told)


def test_without_a_ledger_nothing_changes(house: House) -> None:
    text = (house.root / PROJECT_FILE).read_text().split("ledger:")[0]
    (house.root / PROJECT_FILE).write_text(text)
    shutil.rmtree(house.root / "ledger")
    assert "0 of 2 signatures recorded" in closing_words(house.world())


def evidence_added(house: House, folder: Path) -> None:
    import_files(house.world(), [evidence_file(folder, "r2", 0.04)])


def evidence_retracted(house: House, _folder: Path) -> None:
    made = restatement("r0", by=None, reason="retracted", approved_by=("ceo",), note=None, on=TODAY)
    restate(house.world(), made)


def evidence_redacted(house: House, _folder: Path) -> None:
    redact(house.world(), Withholding("r0", "note", "privacy", "a remark", "it names somebody"))


def snapshot_replaced(house: House, _folder: Path) -> None:
    snapshots = [{"id": "s1"}, {"id": "s2", "equivalent_to": ["s1"]}]
    text = yaml.safe_dump({"schema": "tidegate/model/v1", "id": "m", "snapshots": snapshots})
    (house.root / "models" / "m.yaml").write_text(text)
    record_files(house.world())


def policy_amended(house: House, _folder: Path) -> None:
    (house.root / "policy" / "house.yaml").write_text(yaml.safe_dump({**POLICY, "version": "2"}))
    record_files(house.world())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (evidence_added, "the evidence changed"),
        (evidence_retracted, "the evidence changed"),
        (evidence_redacted, "the evidence changed"),
        (snapshot_replaced, "snapshot"),
        (policy_amended, "the policy was amended"),
    ],
)
def test_a_change_of_what_was_signed_closes_the_gate_until_it_is_put_anew(house, tmp_path, change, words) -> None:
    world = house.world()
    import_files(world, [evidence_file(tmp_path, "r0", 0.03, note="said Jane")])
    decided(house)
    assert is_open(world)
    change(house, tmp_path)
    assert words in closing_words(world)
    assert words in " ".join(shown(world, ("D-1",))[0].reasons)
    with pytest.raises(TidegateError) as refused:
        sign(world, "D-1", None, house.actor("eve"))
    assert "DEC003" in codes(refused)
    assert reaffirm(world, "D-1", "looked again", house.actor("ada")).state == "in_review"
    assert not is_open(world)
    review(world, "D-1", "supports", "Still holds.", house.actor("kim"))
    for name in ("ada", "bob"):
        sign(world, "D-1", None, house.actor(name))
    assert is_open(world)


def test_a_file_that_is_not_what_was_entered_closes_every_gate(house: House) -> None:
    decided(house)
    path = next((house.root / "evidence" / "records").glob("*.json"))
    text = path.read_text()
    path.write_text(text.replace('"n": 200', '"n": 2000').replace('"successes": 10.0', '"successes": 100.0'))
    assert path.read_text() != text
    assert "is not what the ledger holds" in closing_words(house.world())
    with pytest.raises(TidegateError) as refused:
        record_files(house.world())
    assert codes(refused) == ["PRJ006"]
    with pytest.raises(TidegateError) as refused:
        propose(house.world(), Proposal("m", ("general",)), house.actor("ada"))
    assert set(codes(refused)) == {"PRJ006"}
    path.unlink()
    assert "missing from the files" in closing_words(house.world())
    path.write_text(text)
    assert is_open(house.world())


def test_a_restatement_removed_from_the_files_closes_the_gate(house: House, tmp_path: Path) -> None:
    import_files(house.world(), [evidence_file(tmp_path, "r2", 0.04)])
    restate(house.world(), restatement("r2", by=None, reason="retracted", approved_by=("ceo",), note=None, on=TODAY))
    decided(house)
    assert is_open(house.world())
    (house.root / RESTATEMENTS).unlink()
    assert "a restatement in the ledger is missing from the files" in closing_words(house.world())


def test_yesterday_is_shown_as_it_stood(house: House, tmp_path: Path) -> None:
    decided(house)
    later = date(2026, 6, 10)
    import_files(house.world(later), [evidence_file(tmp_path, "bad", 0.9, finished="2026-05-20")])
    assert not is_open(house.world(later))
    assert is_open(house.world(later), as_of=TODAY), "the figure came into the log later"
    before = assess_project(house.world(later), ("m",), as_of=TODAY).assessment
    assert before.evidence_digest != assess_project(house.world(later), ("m",)).assessment.evidence_digest
    assert not is_open(house.world(later), as_of=date(2026, 5, 3)), "nobody had signed then"


def test_a_decision_ends(house: House) -> None:
    name = decided(house)
    assert is_open(house.world())
    assert not is_open(house.world(date(2027, 3, 1))), "it has expired"
    assert revoke(house.world(), name, "A jailbreak was found.", house.actor("eve")).state == "revoked"
    assert not is_open(house.world())
    with pytest.raises(TidegateError) as refused:
        sign(house.world(), name, None, house.actor("eve"))
    assert codes(refused) == ["DEC002"]


def test_a_later_decision_takes_the_place_of_an_earlier(house: House) -> None:
    first = decided(house)
    second = decided(house, supersedes=first)
    assert find_decision(house.world(), first).state == "superseded"
    assert find_decision(house.world(), second).state == "effective"
    assert is_open(house.world())


def test_drafts_wait(house: House) -> None:
    record = propose(house.world(), Proposal("m", ("general",), as_draft=True), house.actor("ada"))
    assert record.state == "proposed"
    with pytest.raises(TidegateError) as refused:
        effect(house.world(), record.id, house.actor("ada"))
    assert codes(refused) == ["DEC002"]
    assert submit(house.world(), record.id, house.actor("ada")).state == "in_review"


def test_who_steps_back_does_not_sign_and_who_disagrees_is_kept(house: House) -> None:
    world = house.world()
    record = propose(world, Proposal("m", ("general",)), house.actor("ada"))
    recuse(world, record.id, "I hold shares.", house.actor("bob"))
    with pytest.raises(TidegateError) as refused:
        sign(world, record.id, None, house.actor("bob"))
    assert codes(refused) == ["DEC005"]
    words = "Zwölf Versuche\nsind zu wenige. <b>"
    dissent(world, record.id, words, house.actor("bob"))
    review(world, record.id, "opposes", "Thin.", house.actor("kim"))
    sign(world, record.id, None, house.actor("ada"))
    found = sign(world, record.id, None, house.actor("eve"))
    assert found.state == "effective"
    assert [one.text for one in found.dissents] == [words]


@pytest.mark.parametrize(
    ("person", "does", "code"),
    [
        ("ada", lambda w, n, a: review(w, n, "supports", "mine", a), "KEY006"),
        ("kim", lambda w, n, a: sign(w, n, None, a), "DEC005"),
        ("kim", lambda w, n, a: sign(w, n, "ceo", a), "KEY004"),
        ("eve", lambda w, n, a: sign(w, n, "kitchen", a), "DEC005"),
    ],
    ids=["own review", "no signing role", "another's role", "unknown role"],
)
def test_what_would_have_no_effect_is_refused(house: House, person: str, does: Any, code: str) -> None:
    record = propose(house.world(), Proposal("m", ("general",)), house.actor("ada"))
    with closing(house.world().ledger()) as store:
        size = store.size
    with pytest.raises(TidegateError) as refused:
        does(house.world(), record.id, house.actor(person))
    assert codes(refused) == [code]
    with closing(house.world().ledger()) as store:
        assert store.size == size, "nothing was entered"


def test_nobody_signs_twice(house: House) -> None:
    record = propose(house.world(), Proposal("m", ("general",)), house.actor("ada"))
    sign(house.world(), record.id, None, house.actor("ada"))
    with pytest.raises(TidegateError) as refused:
        sign(house.world(), record.id, "safety-lead", house.actor("ada"))
    assert codes(refused) == ["DEC005"]
    assert not is_open(house.world())


def test_an_operator_who_writes_to_the_log_opens_nothing(house: House) -> None:
    """Whoever can write to the database can add entries; what they did not sign has no effect."""
    world = house.world()
    record = propose(world, Proposal("m", ("general",)), house.actor("ada"))
    forger = house.actor("ada")
    over = signed_over(record.document)
    for person in ("ada", "bob"):
        body = DecisionSigned(decision=record.id, document=record.digest, role="ceo")
        made = new_entry("decision.signed", body, entry_id=world.ids(), acted_at=world.now(), by=person, over=over)
        with closing(world.ledger()) as store:
            store.append([made])
    record_act(world, Act("decision.moved", DecisionMoved(decision=record.id, to="effective"), forger))
    assert find_decision(world, record.id).state == "in_review"
    assert not is_open(world)


def test_an_interim_measure_stands_in_until_its_last_day(house: House, tmp_path: Path) -> None:
    import_files(house.world(), [evidence_file(tmp_path, "bad", 0.9)])
    assert "guard" in closing_words(house.world())
    until = date(2026, 7, 1)
    measure = Measure(
        id="W-1",
        kind="interim_measure",
        requirements=("T1-deploy",),
        actions=("general",),
        until=until,
        is_public=True,
        reason="A person reads every answer.",
    )
    condition = Condition(text="Build the guard.", owner="ada", due=until)
    decided(house, text=DecisionFile(measures=(measure,), conditions=(condition,), expires=date(2026, 12, 1)))
    assert is_open(house.world())
    assert is_open(house.world(until))
    assert not is_open(house.world(date(2026, 7, 2))), "an expired measure counts as none"
    assert not is_open(house.world(), "limited")


def test_a_measure_that_the_policy_does_not_provide_for_is_refused(house: House) -> None:
    measure = Measure(
        id="W-1", kind="waiver", requirements=("T1-deploy",), actions=("general",), until=TODAY, reason="In a hurry."
    )
    with pytest.raises(TidegateError) as refused:
        propose(house.world(), Proposal("m", ("general",), DecisionFile(measures=(measure,))), house.actor("ada"))
    assert "DEC006" in codes(refused)


def test_evidence_that_comes_between_the_look_and_the_signature_is_not_signed_over(
    house: House, tmp_path: Path
) -> None:
    """The check and the entry are one step: who is overtaken looks again, and then refuses."""
    world = house.world()
    record = propose(world, Proposal("m", ("general",)), house.actor("ada"))
    overtaken: list[str] = []

    def make(standing: Any) -> list[Act]:
        found = standing.governance.decision(record.id)
        changed = standing.changed(found)
        if changed:
            overtaken.extend(changed)
            return [
                Act("decision.moved", DecisionMoved(decision=record.id, to="revoked", reason="x"), house.actor("ada"))
            ]
        import_files(house.world(), [evidence_file(tmp_path, "between", 0.9)])
        body = DecisionSigned(decision=record.id, document=found.digest, role="safety-lead")
        return [Act("decision.signed", body, house.actor("ada"), signed_over(found.document))]

    act(world, make)
    assert "suspect: the evidence changed" in overtaken
    assert find_decision(world, record.id).signatures == ()


def test_an_entry_that_breaks_no_rule_stays_what_it_is(house: House) -> None:
    """An import entered by hand for a file that is not there is a disagreement, not evidence."""
    decided(house)
    body = EvidenceImported(
        file="x",
        file_digest="sha256:" + "0" * 64,
        format="x",
        records=1,
        kept_as="evidence/records/x.json",
        document=digest_bytes(b"something"),
    )
    record_act(house.world(), Act("evidence.imported", body, documents=(b"something",)))
    assert "missing from the files" in closing_words(house.world())


def test_an_entry_that_was_signed_for_another_log_has_no_effect_here(house: House, tmp_path: Path) -> None:
    """Staging and production have the same people: what they sign in one opens nothing in the other."""
    (tmp_path / "twin").mkdir()
    twin = a_house(tmp_path / "twin", origin="example.com/staging", signers=house.signers)
    decided(twin)
    with closing(twin.world().ledger()) as store:
        logged = list(store.entries())
        signed = [one.entry for one in logged if one.entry.kind.startswith("decision.")]
        documents = [store.document(one.body["document"]) for one in signed if "document" in one.body]
    with closing(house.world().ledger()) as store:
        store.append(signed, documents=documents)
    assert not is_open(house.world())
    found = governance_now(house.world())
    assert found.decisions == {}
    assert len(found.voids) == len(signed)
    assert all("made for the log example.com/staging" in one.reason for one in found.voids)


def test_a_decision_is_signed_on_another_day_than_it_was_put(house: House) -> None:
    record = propose(house.world(), Proposal("m", ("general",)), house.actor("ada"))
    later = house.world(date(2026, 6, 20))
    review(later, record.id, "supports", "Fine.", house.actor("kim"))
    sign(later, record.id, None, house.actor("ada"))
    assert sign(house.world(date(2026, 6, 21)), record.id, None, house.actor("bob")).state == "effective"
    assert is_open(house.world(date(2026, 7, 1)))


def test_a_safety_case_that_does_not_hold_stands_in_the_way(house: House, tmp_path: Path) -> None:
    world = house.world()
    new_case(world, NewCase("m", author="ada", actions=("general",)))
    record_case(world, None)
    with pytest.raises(TidegateError) as refused:
        propose(world, Proposal("m", ("general",)), house.actor("ada"))
    assert set(codes(refused)) == {"CAS003"}
    whole_case(house)
    decided(house)
    assert is_open(world)
    assert not is_open(house.world(date(2026, 9, 2))), "the assumption was to be looked at again by the first"


def test_nobody_decides_in_their_own_case(house: House) -> None:
    record = propose(house.world(), Proposal("m", ("general",), DecisionFile(accused=("bob",))), house.actor("ada"))
    with pytest.raises(TidegateError, match="accused") as refused:
        sign(house.world(), record.id, None, house.actor("bob"))
    assert codes(refused) == ["KEY006"]
    assert sign(house.world(), record.id, None, house.actor("eve")).in_force
