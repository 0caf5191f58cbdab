# SPDX-License-Identifier: Apache-2.0
"""Attempts to open the gate of a project with a ledger: by its files, by its database, by names, by haste."""

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, text

from house import POLICY, TODAY, House, a_house, evidence_file, whole_case
from tidegate.flow import World
from tidegate.flow import decisions as flow_decisions
from tidegate.flow import evidence as flow_evidence
from tidegate.flow import ledgers as flow_ledgers
from tidegate.flow.assessments import ask_gate, explain_finding
from tidegate.flow.cases import NewCase, new_case
from tidegate.flow.decisions import (
    DecisionFile,
    Proposal,
    act,
    effect,
    find_decision,
    propose,
    reaffirm,
    recuse,
    review,
    revoke,
    sign,
)
from tidegate.flow.evidence import import_files
from tidegate.flow.ledgers import Act, record_act, record_files
from tidegate.flow.policies import lock_rules
from tidegate.govern.decisions import Measure, signed_over
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.errors import LedgerError, TidegateError
from tidegate.ledger.acts import (
    CaseRecorded,
    DecisionMoved,
    DecisionReaffirmed,
    DecisionSigned,
    PolicyAdopted,
    ReportFinalised,
)
from tidegate.policy.model import Policy
from tidegate.store.ledger import open_ledger
from tidegate.store.project import LOCKS, PROJECT_FILE

LEDGER = Path("ledger")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def codes(error: pytest.ExceptionInfo[TidegateError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def is_open(world: World, action: Any = "general", model: str = "m", **options: Any) -> bool:
    return ask_gate(world, model, action, **options).gate.open


def closing_words(world: World, action: Any = "general", model: str = "m", **options: Any) -> str:
    return "\n".join(one.message for one in ask_gate(world, model, action, **options).gate.reasons if one.closes)


def signed(house: House, name: str, *signers: str, day: date = TODAY) -> str:
    """Review and sign a decision that is put; give its id."""
    review(house.world(day), name, "supports", "The margin holds.", house.actor("kim"))
    for signer in signers or ("ada", "bob"):
        sign(house.world(day), name, None, house.actor(signer))
    return name


def decided(house: House, *signers: str, target: str | None = "m", by: str = "ada", **changes: Any) -> str:
    """Put, review and sign a decision; give its id."""
    actions = changes.pop("actions", ("general",))
    record = propose(house.world(), Proposal(target, actions, **changes), house.actor(by))
    return signed(house, record.id, *signers)


def settings(house: House) -> dict[str, Any]:
    return yaml.safe_load((house.root / PROJECT_FILE).read_text())


def set_settings(house: House, changed: dict[str, Any]) -> None:
    (house.root / PROJECT_FILE).write_text(yaml.safe_dump(changed, sort_keys=False))


def set_people(house: House, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Change what tidegate.yaml says of people; who becomes none is struck out."""
    found = settings(house)
    found["people"] = [made for one in found["people"] if (made := change(one)) is not None]
    set_settings(house, found)


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    return lambda one: None if one["id"] == name else one


def without_roles(name: str) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    return lambda one: {**one, "roles": []} if one["id"] == name else one


def tampered(house: House, *statements: str) -> None:
    """Do to the database what nobody may do: whoever owns the file can take its guards away."""
    engine = create_engine(f"sqlite:///{house.root / 'ledger' / 'ledger.db'}")
    with engine.begin() as connection:
        for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0, statement
    engine.dispose()


# --- the section `ledger` -----------------------------------------------------------------------------


def drop_section(house: House) -> None:
    found = settings(house)
    del found["ledger"]
    set_settings(house, found)


@pytest.mark.parametrize("left", ["database", "checkpoint"])
def test_a_project_that_names_its_ledger_no_more_is_closed(house: House, tmp_path: Path, left: str) -> None:
    """Without the section, attestations would do in place of signatures."""
    attested = evidence_file(
        tmp_path,
        "a1",
        0.05,
        kind="attestation",
        measurement=None,
        criteria=["approve-deployment"],
        outcome="pass",
        signed_by=["safety-lead", "ceo"],
    )
    house.checkpoint()
    drop_section(house)
    import_files(house.world(), [attested])
    if left == "checkpoint":
        (house.root / LEDGER / "ledger.db").unlink()
    else:
        (house.root / LEDGER / "checkpoint").unlink()
    assert not is_open(house.world())
    assert "tidegate.yaml names no ledger" in closing_words(house.world())
    explained = explain_finding(house.world(), "m", "T1").signed
    assert explained == () or not any("signed by" in line for line in explained)
    shutil.rmtree(house.root / LEDGER)
    assert is_open(house.world()), "a project that never kept one reads attestations"


def test_a_folder_of_that_name_alone_closes_nothing(house: House) -> None:
    drop_section(house)
    shutil.rmtree(house.root / LEDGER)
    (house.root / LEDGER).mkdir()
    (house.root / LEDGER / "README.md").write_text("Our bookkeeping.")
    assert "tidegate.yaml names no ledger" not in closing_words(house.world())


# --- another log --------------------------------------------------------------------------------------


def twin_of(house: House, tmp_path: Path) -> House:
    """A staging project with the same people and files, in which everything is signed."""
    (tmp_path / "twin").mkdir()
    twin = a_house(tmp_path / "twin", origin="example.com/staging", signers=house.signers)
    decided(twin)
    return twin


def test_the_log_of_another_project_opens_nothing(house: House, tmp_path: Path) -> None:
    twin = twin_of(house, tmp_path)
    shutil.copy(twin.root / LEDGER / "ledger.db", house.root / LEDGER / "ledger.db")
    with pytest.raises(LedgerError) as refused:
        is_open(house.world())
    assert codes(refused) == ["LED002"]


def test_a_log_without_a_beginning_takes_no_entries_of_another(house: House, tmp_path: Path) -> None:
    """Without its first entry a log has no name, and whatever was signed for some log would count in it."""
    twin = twin_of(house, tmp_path)
    with closing(twin.world().ledger()) as store:
        entries = [one.entry for one in store.entries()][1:]
        documents = [found for one in entries if (found := store.documents_get(one.body.get("document", "")))]
    database = house.root / LEDGER / "ledger.db"
    database.unlink()
    with closing(open_ledger(f"sqlite:///{database}", create=True)) as store:
        store.append(entries, documents=documents)
    assert "the ledger is not example.com/house" in closing_words(house.world())


# --- the database -------------------------------------------------------------------------------------


def test_a_cut_off_end_of_the_log_is_noticed(house: House) -> None:
    name = decided(house)
    revoke(house.world(), name, "A jailbreak was found.", house.actor("eve"))
    assert not is_open(house.world())
    tampered(house, "DELETE FROM entries WHERE position = (SELECT max(position) FROM entries)")
    assert "the ledger lacks entry" in closing_words(house.world())


def test_an_older_database_does_not_continue_the_checkpoint(house: House, tmp_path: Path) -> None:
    name, database = decided(house), house.root / LEDGER / "ledger.db"
    shutil.copy(database, tmp_path / "older.db")
    revoke(house.world(), name, "A jailbreak was found.", house.actor("eve"))
    house.checkpoint()
    for path in database.parent.glob("ledger.db*"):
        path.unlink()
    shutil.copy(tmp_path / "older.db", database)
    assert "the ledger does not continue its checkpoint" in closing_words(house.world())
    with pytest.raises(TidegateError) as refused:
        propose(house.world(), Proposal("m", ("general",)), house.actor("ada"))
    assert set(codes(refused)) == {"PRJ006"}


@pytest.mark.parametrize("deed", ["DELETE FROM documents", "UPDATE documents SET data = x'00'"])
def test_a_document_that_is_gone_takes_nothing_back(house: House, deed: str) -> None:
    """The entry that a newer decision or report is in would have no effect, and the earlier decision would count."""
    first = decided(house)
    second = decided(house, "ada", "bob", supersedes=first, text=DecisionFile(choice="no", opens=False))
    assert not is_open(house.world())
    digest = find_decision(house.world(), second).digest
    tampered(house, f"{deed} WHERE digest = '{digest}'")
    assert not is_open(house.world())
    assert "the document that entry" in closing_words(house.world())


def test_yesterday_is_not_read_from_changed_documents(house: House, tmp_path: Path) -> None:
    later = house.world(date(2026, 6, 10))
    import_files(house.world(), [evidence_file(tmp_path, "bad", 0.9)])
    decided(house)
    assert not is_open(later, as_of=TODAY)
    with closing(later.ledger()) as store:
        bad = next(one.entry.body for one in store.entries() if one.entry.body.get("file") == "bad.yaml")
        data = store.document(bad["document"])
    better = data.replace(b'"value":0.9', b'"value":0.0').replace(b'"successes":180.0', b'"successes":0.0')
    assert better != data
    tampered(house, f"UPDATE documents SET data = x'{better.hex()}' WHERE digest = '{bad['document']}'")
    with pytest.raises(LedgerError) as refused:
        is_open(later, as_of=TODAY)
    assert codes(refused) == ["LED009"]


def test_a_day_before_the_log_is_not_answered_from_files_that_it_does_not_know(tmp_path: Path) -> None:
    """Before its first policy the log says nothing, so the files have to be what it holds."""
    house = a_house(tmp_path, {**POLICY, "approvals": []})
    before = date(2026, 5, 1)
    (house.root / "policy" / "house.yaml").write_text(
        yaml.safe_dump({**POLICY, "approvals": [], "title": "Tampered"}, sort_keys=False)
    )
    assert "the adopted policy is not the one in the ledger" in closing_words(house.world(), as_of=before)


# --- people in tidegate.yaml --------------------------------------------------------------------------


@pytest.mark.parametrize("change", [without("eve"), without_roles("eve")], ids=["person", "roles"])
def test_striking_out_who_revoked_takes_nothing_back(house: House, change: Any) -> None:
    name = decided(house)
    revoke(house.world(), name, "A jailbreak was found.", house.actor("eve"))
    set_people(house, change)
    assert find_decision(house.world(), name).state == "revoked"
    assert not is_open(house.world())


@pytest.mark.parametrize("change", [without("eve"), without_roles("eve")], ids=["person", "roles"])
def test_striking_out_who_said_no_takes_nothing_back(house: House, change: Any) -> None:
    first = decided(house)
    no = DecisionFile(choice="no", opens=False)
    second = propose(house.world(), Proposal("m", ("general",), no, supersedes=first), house.actor("eve")).id
    review(house.world(), second, "supports", "Too thin.", house.actor("bob"))
    for name in ("ada", "eve"):
        sign(house.world(), second, None, house.actor(name))
    assert find_decision(house.world(), first).state == "superseded"
    set_people(house, change)
    assert not is_open(house.world())


def test_striking_out_who_wrote_a_newer_report_takes_nothing_back(house: House) -> None:
    world = house.world()

    def report(name: str, data: bytes, by: str) -> None:
        body = ReportFinalised(report=name, kind="capability", model="m", snapshot="s1", document=digest_bytes(data))
        record_act(world, Act("report.finalised", body, house.actor(by), documents=(data,)))

    report("cap-1", b"first", "ada")
    decided(house)
    assert is_open(world)
    report("cap-2", b"second", "eve")
    assert "newer final capability report" in closing_words(world)
    # Nor does a third one with the words of the first.
    report("cap-3", b"first", "ada")
    assert "newer final capability report" in closing_words(world)
    set_people(house, without("eve"))
    assert "newer final capability report" in closing_words(world)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("bob"), "1 of 2 signatures"),
        (without_roles("bob"), "1 of 2 signatures"),
        (without("kim"), "nobody else than who put it has reviewed"),
        (lambda one: {**one, "roles": [*one["roles"], "ceo"]} if one["id"] == "ada" else one, "keeps apart"),
        (lambda _one: None, "0 of 2 signatures"),
    ],
    ids=["person", "role", "reviewer", "a pair", "everybody"],
)
def test_who_the_project_does_not_name_counts_for_nothing(house: House, change: Any, words: str) -> None:
    decided(house)
    assert is_open(house.world())
    set_people(house, change)
    assert words in closing_words(house.world())


def test_who_has_left_can_be_replaced(house: House) -> None:
    """Bob is gone for good; the decision is put anew, and others sign it."""
    name = decided(house)
    set_people(house, without("bob"))
    assert not is_open(house.world())
    sign(house.world(), name, None, house.actor("eve"))
    assert is_open(house.world())


# --- decisions ----------------------------------------------------------------------------------------


def test_ending_a_no_does_not_bring_back_the_yes_before_it(house: House) -> None:
    """One person ends a decision; it takes a quorum to open."""
    first = decided(house)
    no = propose(
        house.world(),
        Proposal("m", ("general",), DecisionFile(choice="no", opens=False), supersedes=first),
        house.actor("ada"),
    ).id
    review(house.world(), no, "supports", "Too thin.", house.actor("kim"))

    def bare(standing: Any) -> list[Act]:
        return [Act("decision.moved", DecisionMoved(decision=no, to="effective"), house.actor("ada"))]

    # Signed without the program's help, so that nobody moves the first one to `superseded`.
    def by(name: str, role: str) -> Callable[[Any], list[Act]]:
        def make(standing: Any) -> list[Act]:
            found = standing.governance.decision(no)
            body = DecisionSigned(decision=no, document=found.digest, role=role)
            return [Act("decision.signed", body, house.actor(name), signed_over(found.document))]

        return make

    act(house.world(), by("ada", "safety-lead"))
    act(house.world(), by("bob", "ceo"))
    act(house.world(), bare)
    assert find_decision(house.world(), first).state == "effective"
    assert f"{no} takes its place" in closing_words(house.world())
    revoke(house.world(), no, "In a hurry.", house.actor("bob"))
    assert f"{no} takes its place" in closing_words(house.world())


def test_a_no_that_is_said_to_open_is_refused(house: House) -> None:
    with pytest.raises(TidegateError) as refused:
        propose(house.world(), Proposal("m", ("general",), DecisionFile(choice="no", opens=True)), house.actor("ada"))
    assert codes(refused) == ["DEC004"]


@pytest.mark.parametrize(
    ("options", "choice", "opens"),
    [
        (("yes", "no"), "yes", True),
        (("yes", "no"), "no", False),
        (("Yes, with care", "No, wait"), "No, wait", False),
        (("Yes, with care", "No, wait"), "Yes, with care", True),
        (("release", "hold"), "hold", None),
        (("release", "hold"), "release", None),
    ],
)
def test_what_a_choice_means_is_not_guessed(house: House, options: Any, choice: str, opens: bool | None) -> None:
    asked = Proposal("m", ("general",), DecisionFile(options=options, choice=choice))
    if opens is None:
        with pytest.raises(TidegateError, match="opens") as refused:
            propose(house.world(), asked, house.actor("ada"))
        assert codes(refused) == ["DEC004"]
    else:
        assert propose(house.world(), asked, house.actor("ada")).document.opens is opens


def test_a_measure_reaches_no_further_than_what_its_signers_saw(house: House, tmp_path: Path) -> None:
    """Its decision is about the newest snapshot; the older one was not before those who signed."""
    snapshots = [{"id": "s0"}, {"id": "s1", "created": "2026-04-01"}]
    (house.root / "models" / "m.yaml").write_text(
        yaml.safe_dump({"schema": "tidegate/model/v1", "id": "m", "snapshots": snapshots})
    )
    record_files(house.world())
    import_files(house.world(), [evidence_file(tmp_path, "bad", 0.9)])
    decided(house, target="m@s0")
    assert not is_open(house.world(), model="m@s0")
    measure = Measure(
        id="W-1",
        kind="interim_measure",
        requirements=("T1-deploy",),
        actions=("general",),
        until=date(2026, 7, 1),
        reason="A person reads every answer.",
    )
    decided(house, target="m@s1", text=DecisionFile(measures=(measure,)))
    assert is_open(house.world(), model="m@s1")
    assert not is_open(house.world(), model="m@s0")
    other = DecisionFile(measures=(measure.model_copy(update={"id": "W-2", "snapshot": "s0"}),))
    with pytest.raises(TidegateError) as refused:
        propose(house.world(), Proposal("m@s1", ("general",), other), house.actor("ada"))
    assert codes(refused) == ["DEC006"]


def test_putting_anew_changes_nothing_but_what_it_rests_on(house: House, tmp_path: Path) -> None:
    """Entered by hand: a version with more actions, under the name that people know."""
    name = decided(house, actions=("limited",))
    import_files(house.world(), [evidence_file(tmp_path, "r2", 0.04)])

    def wider(standing: Any) -> list[Act]:
        record = standing.governance.decision(name)
        seen = standing.look("m", None)
        document = record.document.model_copy(update={"seen": seen, "actions": ("limited", "general")})
        body = DecisionReaffirmed(decision=name, was=record.digest, document=document.digest, reason="Looked again.")
        return [Act("decision.reaffirmed", body, house.actor("ada"), documents=(document.data,))]

    with pytest.raises(TidegateError, match="actions") as refused:
        act(house.world(), wider)
    assert codes(refused) == ["DEC004"]


def test_a_version_of_a_case_that_was_replaced_does_not_come_back_by_itself(house: House) -> None:
    """Anybody who can write to the log can enter a version of a case, an earlier one too."""
    world = house.world()
    new_case(world, NewCase("m", author="ada", actions=("general",)))
    whole_case(house)
    decided(house)
    assert is_open(world)
    with closing(world.ledger()) as store:
        first = CaseRecorded.model_validate(list(store.entries(kinds={"case.recorded"}))[-1].entry.body)
    record_act(world, Act("case.recorded", first))
    assert is_open(world), "entered once more, it is no new version"
    worse = b"{}"
    changed = CaseRecorded(case=first.case, model="m", root=digest_bytes(b"x"), document=digest_bytes(worse))
    record_act(world, Act("case.recorded", changed, documents=(worse,)))
    assert "another version of the safety case" in closing_words(world)
    record_act(world, Act("case.recorded", first))
    assert "other versions of the safety case" in closing_words(world)
    tomorrow = house.world(date(2026, 6, 2))
    reaffirm(tomorrow, "D-1", "The first version holds.", house.actor("ada"))
    signed(house, "D-1", day=date(2026, 6, 2))
    assert is_open(tomorrow)


# --- what is asked about ------------------------------------------------------------------------------


def test_an_alias_does_not_take_the_place_of_a_snapshot(house: House) -> None:
    """`m@s1` is a snapshot of m, whatever another model is called."""
    (house.root / "models" / "tiny.yaml").write_text(
        yaml.safe_dump({"schema": "tidegate/model/v1", "id": "tiny", "aliases": ["m@s1"]})
    )
    record_files(house.world())
    with pytest.raises(TidegateError) as refused:
        ask_gate(house.world(), "m@s1", "general")
    assert codes(refused) == ["ASM001"]


# --- a refusal ----------------------------------------------------------------------------------------


def test_a_refusal_that_nobody_with_a_say_took_back_still_closes(house: House, tmp_path: Path) -> None:
    refusal = evidence_file(
        tmp_path,
        "refusal",
        0.05,
        kind="attestation",
        measurement=None,
        criteria=["approve-deployment"],
        outcome="fail",
        signed_by=["board-member"],
    )
    import_files(house.world(), [refusal])
    (house.root / "evidence" / "restatements.yaml").write_text(
        yaml.safe_dump(
            {
                "schema": "tidegate/restatements/v1",
                "restatements": [{"supersedes": "refusal", "reason": "retracted", "on": "2026-05-20"}],
            }
        )
    )
    record_files(house.world())
    decided(house)
    assert "refused by board-member" in closing_words(house.world())


# --- amendments of the policy -------------------------------------------------------------------------

CHANGE = {
    "id": "approve-policy-change",
    "act": "policy_change",
    "text": "Two of three must sign a change of this policy.",
    "force": "must",
    "signers": ["safety-lead", "ceo", "board-member"],
    "quorum": 2,
}
STRICT: dict[str, Any] = {**POLICY, "approvals": [*POLICY["approvals"], CHANGE]}  # type: ignore[misc]
OPEN: dict[str, Any] = {**POLICY, "version": "2", "approvals": []}


@pytest.fixture
def strict(tmp_path: Path) -> House:
    return a_house(tmp_path, STRICT)


def amend(house: House, policy: dict[str, Any]) -> None:
    (house.root / "policy" / "house.yaml").write_text(yaml.safe_dump(policy, sort_keys=False))
    record_files(house.world())


def test_an_amendment_that_nobody_signed_opens_nothing(strict: House) -> None:
    amend(strict, OPEN)
    assert "house@2 was adopted, and approve-policy-change of house@1" in closing_words(strict.world())
    amend(strict, STRICT)
    assert "was adopted" not in closing_words(strict.world()), "it was taken back"


def coming(house: House, policy: dict[str, Any]) -> DecisionFile:
    path = house.root / "policy" / "next.yaml"
    path.write_text(yaml.safe_dump(policy, sort_keys=False))
    return DecisionFile(acts=("policy_change",), adopts="policy/next.yaml")


def test_an_amendment_that_was_signed_before_is_adopted(strict: House) -> None:
    decided(strict, target=None, actions=(), text=coming(strict, OPEN))
    amend(strict, OPEN)
    assert is_open(strict.world())
    assert is_open(strict.world(date(2027, 6, 1))), "what was adopted stays adopted"
    amend(strict, {**OPEN, "version": "3"})
    assert is_open(strict.world()), "the second version asks for no signatures"


def test_a_signature_under_one_amendment_is_none_under_another(strict: House) -> None:
    decided(strict, target=None, actions=(), text=coming(strict, {**STRICT, "version": "2"}))
    amend(strict, OPEN)
    assert "approve-policy-change of house@1" in closing_words(strict.world())


def test_an_amendment_that_was_refused_or_lacks_signatures_opens_nothing(strict: House) -> None:
    text = coming(strict, OPEN).model_copy(update={"choice": "no", "opens": False})
    decided(strict, target=None, actions=(), text=text)
    record = propose(strict.world(), Proposal(None, (), coming(strict, OPEN)), strict.actor("ada"))
    sign(strict.world(), record.id, None, strict.actor("ada"))
    amend(strict, OPEN)
    assert "approve-policy-change of house@1" in closing_words(strict.world())


def test_who_signed_an_amendment_may_leave(strict: House) -> None:
    decided(strict, target=None, actions=(), text=coming(strict, OPEN))
    amend(strict, OPEN)
    set_people(strict, without("bob"))
    assert is_open(strict.world())


@pytest.mark.parametrize("deed", ["revoked", "recused", "expired", "locks"])
def test_an_amendment_is_adopted_only_while_its_decision_counts(strict: House, deed: str) -> None:
    if deed == "locks":
        lock_rules(strict.world())
    name = decided(strict, target=None, actions=(), text=coming(strict, OPEN))
    day = TODAY
    if deed == "revoked":
        revoke(strict.world(), name, "Not so fast.", strict.actor("eve"))
    elif deed == "recused":
        recuse(strict.world(), name, "I gain by it.", strict.actor("bob"))
    elif deed == "expired":
        day = date(2027, 1, 1)
    else:
        (strict.root / LOCKS).unlink()
    (strict.root / "policy" / "house.yaml").write_text(yaml.safe_dump(OPEN, sort_keys=False))
    record_files(strict.world(day))
    assert "approve-policy-change of house@1 is not given" in closing_words(strict.world(day))


def test_an_amendment_entered_by_hand_in_the_database_opens_nothing(strict: House) -> None:
    """The operator enters the adoption and its return, and the files say what they say."""
    policy = Policy.model_validate(OPEN)
    data = canonical_bytes(policy)
    body = PolicyAdopted(label=policy.label, policy_digest=policy.digest, document=digest_bytes(data))
    record_act(strict.world(), Act("policy.adopted", body, documents=(data,)))
    (strict.root / "policy" / "house.yaml").write_text(yaml.safe_dump(OPEN, sort_keys=False))
    assert "approve-policy-change of house@1" in closing_words(strict.world())


def test_rules_may_be_locked_without_a_signature_and_not_unlocked(strict: House) -> None:
    assert lock_rules(strict.world())
    decided(strict)
    assert is_open(strict.world())
    (strict.root / LOCKS).unlink()
    record_files(strict.world())
    assert "approve-policy-change of house@1" in closing_words(strict.world())


def test_people_go_on_acting_while_an_amendment_waits(strict: House) -> None:
    amend(strict, {**STRICT, "version": "2"})
    assert not is_open(strict.world())
    assert propose(strict.world(), Proposal("m", ("general",)), strict.actor("ada")).state == "in_review"


# --- races --------------------------------------------------------------------------------------------


def test_what_comes_between_the_check_and_the_look_is_seen(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence is taken in after files and log were compared, and before the log is read for the act."""
    name = propose(house.world(), Proposal("m", ("general",)), house.actor("ada")).id
    real, came = flow_decisions.governing, []

    def slow(world: World, project: Any) -> Any:
        found = real(world, project)
        if not came:
            came.append(True)
            import_files(house.world(), [evidence_file(tmp_path, "between", 0.04)])
        return found

    monkeypatch.setattr(flow_decisions, "governing", slow)
    with pytest.raises(TidegateError) as refused:
        sign(house.world(), name, None, house.actor("ada"))
    assert codes(refused) == ["DEC003"]
    assert find_decision(house.world(), name).signatures == ()


def test_files_that_others_enter_meanwhile_are_not_entered_over(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody amends the policy and enters it after another has read the project to enter what they imported."""
    real, came = flow_ledgers.files_in, []

    def slow(*given: Any, **more: Any) -> Any:
        if not came:
            came.append(True)
            amend(house, {**POLICY, "version": "2"})
            import_files(house.world(), [evidence_file(tmp_path, "other", 0.04)])
        return real(*given, **more)

    monkeypatch.setattr(flow_ledgers, "files_in", slow)
    record_files(house.world())
    with closing(house.world().ledger()) as store:
        labels = [one.entry.body["label"] for one in store.entries(kinds={"policy.adopted"})]
    assert labels == ["house@1", "house@2"]
    assert "ledger" not in closing_words(house.world())


def test_who_comes_second_with_the_last_signature_is_told_nothing_wrong(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sign at once: either may move the decision into effect, and neither fails."""
    name = propose(house.world(), Proposal("m", ("general",)), house.actor("ada")).id
    review(house.world(), name, "supports", "Fine.", house.actor("kim"))
    sign(house.world(), name, None, house.actor("ada"))
    real, calls = flow_decisions.act, []

    def overtaken(world: World, make: Any) -> Any:
        calls.append(make)
        if len(calls) == 2:
            monkeypatch.setattr(flow_decisions, "act", real)
            effect(world, name, house.actor("eve"))
        return real(world, make)

    monkeypatch.setattr(flow_decisions, "act", overtaken)
    assert sign(house.world(), name, None, house.actor("bob")).state == "effective"
    assert len(calls) == 2
    assert is_open(house.world())


def test_an_amendment_stays_adopted_though_one_person_ends_its_decision(strict: House) -> None:
    name = decided(strict, target=None, actions=(), text=coming(strict, OPEN))
    amend(strict, OPEN)
    revoke(strict.world(), name, "Too late.", strict.actor("eve"))
    assert is_open(strict.world())


def test_whoever_is_accused_is_a_person_of_the_project(house: House) -> None:
    """A name that is misspelt would let them sign."""
    with pytest.raises(TidegateError) as refused:
        propose(house.world(), Proposal("m", ("general",), DecisionFile(accused=("bobb",))), house.actor("ada"))
    assert codes(refused) == ["KEY004"]


def test_evidence_that_is_just_being_taken_in_stops_nobody(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is kept before it is entered, and somebody acts between the two."""
    real, came = flow_decisions.governing, []

    def slow(world: World, project: Any) -> Any:
        if came:
            return real(world, project)
        came.append(True)
        with monkeypatch.context() as patched:
            patched.setattr(flow_evidence, "entered", lambda _world: None)
            import_files(world, [evidence_file(tmp_path, "just-now", 0.04)])
        found = real(world, world.project())
        record_files(world)
        return found

    monkeypatch.setattr(flow_decisions, "governing", slow)
    assert propose(house.world(), Proposal("m", ("general",)), house.actor("ada")).state == "in_review"
