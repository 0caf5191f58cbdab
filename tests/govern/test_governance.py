# SPDX-License-Identifier: Apache-2.0
"""The log, folded: what counts, and what has no effect and why. Nothing in a log makes it raise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from govern.factories import (
    REPORT,
    ROLES,
    FixedKey,
    Log,
    a_decision,
    a_digest,
    a_log,
    a_measure,
    a_seen,
    an_entry_id,
    read,
    reasons,
    signed_by,
    through,
)
from tidegate.govern.decisions import Decision, SeenReport, signed_over
from tidegate.govern.governance import Governance, governance, replaces, waiver_of
from tidegate.govern.people import Person
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.errors import (
    CaseError,
    DecisionError,
    LedgerError,
    ReportError,
    SigningError,
    TidegateError,
)
from tidegate.ledger.acts import (
    CaseRecorded,
    CaseReviewed,
    CriticismAnswered,
    DecisionMoved,
    DecisionProposed,
    DecisionSigned,
    ReportCriticised,
    WaiverRecorded,
)
from tidegate.ledger.entries import Signed, new_entry

D1 = a_decision()
WITH_MEASURE = a_decision(measures=(a_measure(),))
ANEW = a_decision(seen=a_seen(evidence_digest=a_digest("newer evidence")), proposed_at="2026-05-02T12:00:00Z")


def in_review() -> Log:
    log = through(a_log(), D1, "in_review")
    log.review(D1)
    return log


def effective() -> Log:
    return through(a_log(), D1)


# --- what counts --------------------------------------------------------------------------------------


def test_a_decision_goes_from_proposal_to_effect():
    found = read(effective())
    record = found.decision("d-1")
    assert found.voids == ()
    assert record.state == "effective"
    assert record.proposer == "ada"
    assert [(one.was, one.to) for one in record.moves] == [("proposed", "in_review"), ("in_review", "effective")]
    assert [(one.person, one.role) for one in record.in_force] == [("ada", "safety-lead"), ("ben", "ceo")]
    assert {one.over for one in record.in_force} == {signed_over(D1)}
    assert {one.key for one in record.in_force} == {FixedKey("ada").fingerprint, FixedKey("ben").fingerprint}
    assert [one.by for one in record.independent_reviews] == ["dan"]
    assert record.missing() == ()
    assert record.effective_on == date(2026, 5, 1)
    assert found.holders["ben"] == {"ceo"}


def test_reports_critiques_and_answers_are_kept():
    log = a_log()
    log.report()
    critique = ReportCriticised(report="cap-1", critique="crit-1", points=2, document=log.keep(b"critique"))
    log.add("report.criticised", critique, "dan")
    log.add("report.answered", CriticismAnswered(critique="crit-1", point=1, outcome="answered", text="So."), "ada")
    log.add("report.answered", CriticismAnswered(critique="crit-1", point=1, outcome="stands", text="No."), "ada")
    found = read(log)
    (made,) = found.reports["cap-1"].critiques
    assert found.voids == ()
    assert (found.reports["cap-1"].author, made.author, made.points) == ("ada", "dan", 2)
    assert [one.outcome for one in made.answers] == ["answered", "stands"]
    assert (made.unanswered, made.standing) == ((2,), (1,))
    assert found.final_reports("m", "s1") == (
        SeenReport(kind="capability", report="cap-1", document=digest_bytes(REPORT)),
    )
    assert found.final_reports("m", "s2") == found.final_reports("n", "s1") == ()


def test_the_newest_final_report_of_each_kind_is_given():
    log = a_log()
    log.report("cap-1")
    log.report("safe-1", "safeguards", data=b"safe")
    log.report("cap-2", data=b"newer")
    assert [one.report for one in read(log).final_reports("m", "s1")] == ["cap-2", "safe-1"]


def test_cases_and_their_reviews_are_kept():
    log = a_log()
    for version in (b"case", b"case, longer"):
        body = CaseRecorded(case="case-m", model="m", root=a_digest(repr(version)), document=log.keep(version))
        log.put(new_entry("case.recorded", body, entry_id=an_entry_id(repr(version)), acted_at=log.now, by="ada"))
    review = CaseReviewed(case="case-m", nodes={"top": a_digest("top")}, verdict="agrees")
    log.add("case.reviewed", review, "dan")
    log.add("case.reviewed", review, "ada")
    found = read(log)
    made = found.cases["case-m"]
    assert (made.authors, len(made.earlier), made.document) == (("ada",), 1, digest_bytes(b"case, longer"))
    assert [one.by for one in made.reviews] == ["dan"]
    assert "nobody reviews their own work" in reasons(found)[0]
    newest = found.newest_case("m")
    assert newest is not None
    assert newest.root == made.root
    assert found.newest_case("n") is None
    assert found.seen(a_seen(), "m").case == newest


def test_dissent_stays_verbatim_and_stops_nothing():
    words = "I disagree:\n\tthe margin is *too* small; see <b>4.2</b>."
    log = in_review()
    log.dissent(D1, "cleo", words)
    log.recuse("d-1", "cleo")
    log.dissent(D1, "cleo", "Still.")
    for signer in ("ada", "ben"):
        log.sign(D1, signer)
    log.move("d-1", "effective")
    log.dissent(D1, "dan", "Afterwards too.")
    record = read(log).decision("d-1")
    assert record.state == "effective"
    assert [one.text for one in record.dissents] == [words, "Still.", "Afterwards too."]


def test_a_decision_put_anew_needs_its_signatures_and_its_review_again():
    log = effective()
    log.reaffirm(D1, ANEW)
    record = read(log).decision("d-1")
    assert (record.state, record.in_force, record.independent_reviews) == ("in_review", (), ())
    assert (len(record.signatures), len(record.reviews), len(record.versions)) == (2, 1, 2)
    log.move("d-1", "effective")
    log.sign(D1, "cleo")
    log.review(ANEW)
    log.sign(ANEW, "ada")
    log.sign(ANEW, "cleo")
    log.move("d-1", "effective")
    found = read(log)
    assert found.decision("d-1").state == "effective"
    assert [one.person for one in found.decision("d-1").in_force] == ["ada", "cleo"]
    assert len(found.voids) == 2
    assert "cannot become effective" in reasons(found)[0]
    assert "another version" in reasons(found)[1]


def test_a_decision_takes_the_place_of_another():
    after = a_decision("d-2", supersedes="d-1")
    log = effective()
    log.move("d-1", "superseded", by_decision="d-2")
    log = through(log, after)
    log.move("d-1", "superseded", by_decision="d-2")
    found = read(log)
    assert found.decision("d-1").state == "superseded"
    assert reasons(found) == ["the decision cannot become superseded: no effective decision takes its place"]


@pytest.mark.parametrize(("day", "state"), [("2026-12-31", "effective"), ("2027-01-01", "expired")])
def test_a_decision_expires_after_its_last_day(day, state):
    log = effective()
    log.move("d-1", "expired", at=f"{day}T00:00:00Z")
    assert read(log).decision("d-1").state == state


def test_measures_go_on_record_as_the_decision_contains_them():
    log = through(a_log(), WITH_MEASURE, "in_review")
    right = waiver_of(WITH_MEASURE.measures[0], WITH_MEASURE)
    log.add("waiver.recorded", right, "ada")
    log.add("waiver.recorded", right, "ada")
    log.add("waiver.recorded", right.model_copy(update={"until": date(2030, 1, 1)}), "ada")
    found = read(log)
    assert found.waivers == found.decision("d-1").waivers == (right,)
    assert reasons(found) == ["im-1 is on record already", "interim measure im-1 is not what d-1 contains"]
    log.reaffirm(WITH_MEASURE, WITH_MEASURE.model_copy(update={"seen": ANEW.seen}))
    assert read(log).waivers == (right,)
    log.reaffirm(WITH_MEASURE.model_copy(update={"seen": ANEW.seen}), ANEW)
    assert "put anew with another measures" in reasons(read(log))[-1]


# --- what has no effect -------------------------------------------------------------------------------

OTHER_NEEDS = D1.needs[0].model_copy(update={"signers": ("ceo",), "quorum": None})


def _tampered(log: Log) -> None:
    entry = log.entries[log.sign(D1, "ben")]
    log.entries[-1] = entry.model_copy(update={"acted_at": "2026-05-01T12:00:01Z"})


def _unsigned(log: Log) -> None:
    log.sign(D1, "ben")
    log.entries[-1] = log.entries[-1].model_copy(update={"signature": None})


def _by_another(log: Log) -> None:
    log.sign(D1, "ben", key=FixedKey("ada"))


def _in_a_role_not_held(log: Log) -> None:
    log.sign(D1, "ada", "ceo")


def _in_a_role_not_named(log: Log) -> None:
    log.sign(D1, "dan")


def _twice(log: Log) -> None:
    log.sign(D1, "ben")
    log.sign(D1, "ben")


def _over_less(log: Log) -> None:
    log.sign(D1, "ben", over=signed_over(D1)[:1])


def _over_nothing(log: Log) -> None:
    log.sign(D1, "ben", over=())


def _over_other_evidence(log: Log) -> None:
    over = [Signed(name=one.name, digest=a_digest("x")) if one.name == "evidence" else one for one in signed_over(D1)]
    log.sign(D1, "ben", over=tuple(over))


def _another_version(log: Log) -> None:
    log.sign(ANEW, "ben")


def _unknown_decision(log: Log) -> None:
    log.sign(a_decision("d-9"), "ben")


def _recused(log: Log) -> None:
    log.recuse("d-1", "ben")
    log.sign(D1, "ben")


def _recused_review(log: Log) -> None:
    log.recuse("d-1", "cleo")
    log.review(D1, "cleo")


def _long_before(log: Log) -> None:
    log.sign(D1, "ben", at="2026-05-01T11:00:00Z")


def _with_a_key_that_ended(log: Log) -> None:
    log.revoke("ben")
    log.sign(D1, "ben")


def _with_a_stolen_key(log: Log) -> None:
    log.sign(D1, "ben")
    log.revoke("ben", "stolen", since="2026-04-01T00:00:00Z")


def _repeated(log: Log) -> None:
    log.move("d-1", "revoked", reason="No.")
    log.put(log.entries[-1])


def _too_early(log: Log) -> None:
    log.sign(D1, "ben")
    log.move("d-1", "effective")


def _after_the_end(log: Log) -> None:
    log.move("d-1", "revoked", reason="No.")
    log.sign(D1, "ben")


def _back(log: Log) -> None:
    log.move("d-1", "in_review")


def _without_reason(log: Log) -> None:
    log.move("d-1", "revoked")


def _by_the_proposer(log: Log) -> None:
    log.review(D1, "ada")


def _id_again(log: Log) -> None:
    log.propose(a_decision(question="Something else?"))


def _no_document(log: Log) -> None:
    digest = log.propose(a_decision("d-2"))
    del log.contents[digest]


def _other_document(log: Log) -> None:
    digest = log.propose(a_decision("d-2"))
    log.contents[digest] = a_decision("d-2", question="Something else?").data


def _not_a_document(log: Log) -> None:
    body = DecisionProposed(decision="d-2", document=log.keep(b"{}"))
    log.add("decision.proposed", body, "ada")


def _says_otherwise(log: Log) -> None:
    body = DecisionProposed(decision="d-2", model="m", actions=("train",), document=log.keep(a_decision("d-2")))
    log.add("decision.proposed", body, "ada")


def _for_somebody_else(log: Log) -> None:
    log.propose(a_decision("d-2"), by="ben")


def _anew_as_another(log: Log) -> None:
    log.reaffirm(D1, a_decision(question="Something else?"))


def _anew_from_another(log: Log) -> None:
    log.reaffirm(ANEW, ANEW)


def _anew_as_it_was(log: Log) -> None:
    log.reaffirm(D1, D1)


def _dissent_from_nothing(log: Log) -> None:
    log.dissent(ANEW, "cleo")


def _report_again(log: Log) -> None:
    log.report("cap-1", data=b"another report")


def _report_without_document(log: Log) -> None:
    del log.contents[log.report("cap-2", data=b"gone")]


def _critic_of_themselves(log: Log) -> None:
    body = ReportCriticised(report="cap-1", critique="crit-1", points=2, document=log.keep(b"critique"))
    log.add("report.criticised", body, "ada")


def _critique_of_nothing(log: Log) -> None:
    body = ReportCriticised(report="cap-9", critique="crit-1", points=2, document=log.keep(b"critique"))
    log.add("report.criticised", body, "dan")


def _answer_to_no_point(log: Log) -> None:
    body = ReportCriticised(report="cap-1", critique="crit-1", points=2, document=log.keep(b"critique"))
    log.add("report.criticised", body, "dan")
    log.add("report.answered", CriticismAnswered(critique="crit-1", point=3, outcome="accepted", text="Yes."), "ada")


def _review_of_no_case(log: Log) -> None:
    log.add("case.reviewed", CaseReviewed(case="case-x", nodes={"a": a_digest()}, verdict="agrees"), "dan")


def _case_without_document(log: Log) -> None:
    log.add("case.recorded", CaseRecorded(case="c", model="m", root=a_digest(), document=a_digest("no")), "ada")


def _case_of_another_model(log: Log) -> None:
    document = log.keep(b"case")
    for model in ("m", "n"):
        log.add("case.recorded", CaseRecorded(case="c", model=model, root=a_digest(), document=document), "ada")


def _waiver_from_nowhere(log: Log) -> None:
    body = WaiverRecorded(
        waiver="w", kind="waiver", decision="d-1", requirements=("T1-deploy",), model="m", until=date(2030, 1, 1),
        reason="Because.",
    )  # fmt: skip
    log.add("waiver.recorded", body, "ada")


Act = Callable[[Log], None]

VOID: list[tuple[Act, str, str, type[TidegateError]]] = [
    (_tampered, "KEY003", "the signature does not hold", SigningError),
    (_unsigned, "LED005", "it is not signed", LedgerError),
    (_by_another, "KEY003", "is signed with a key of ada", SigningError),
    (_in_a_role_not_held, "KEY004", "ada does not hold the role ceo", SigningError),
    (_in_a_role_not_named, "DEC005", "the policy does not name external-reviewer as a signer", DecisionError),
    (_twice, "DEC005", "ben has signed d-1 as ceo already", DecisionError),
    (_over_less, "DEC003", "did not sign over exactly what d-1 rests on", DecisionError),
    (_over_nothing, "DEC003", "did not sign over exactly what d-1 rests on", DecisionError),
    (_over_other_evidence, "DEC003", "did not sign over exactly what d-1 rests on", DecisionError),
    (_another_version, "DEC003", "another version of d-1", DecisionError),
    (_unknown_decision, "DEC001", "there is no decision 'd-9'", DecisionError),
    (_recused, "DEC005", "ben is recused from d-1", DecisionError),
    (_recused_review, "KEY006", "cleo is recused from d-1", SigningError),
    (_long_before, "DEC005", "before this version was put", DecisionError),
    (_with_a_key_that_ended, "KEY003", "signed with a key that had ended", SigningError),
    (_with_a_stolen_key, "KEY003", "that key's signatures have no effect", SigningError),
    (_repeated, "KEY003", "it repeats entry", SigningError),
    (_too_early, "DEC002", "1 of 2 signatures", DecisionError),
    (_after_the_end, "DEC002", "d-1 is revoked, and is not signed any more", DecisionError),
    (_back, "DEC002", "cannot become in review", DecisionError),
    (_without_reason, "DEC004", "revoked without a reason", DecisionError),
    (_by_the_proposer, "KEY006", "nobody reviews their own work", SigningError),
    (_id_again, "DEC002", "there is a decision d-1 already", DecisionError),
    (_no_document, "LED009", "is not there", LedgerError),
    (_other_document, "LED009", "is not what its digest says", LedgerError),
    (_not_a_document, "DEC004", "not a decision", DecisionError),
    (_says_otherwise, "DEC004", "do not say the same", DecisionError),
    (_for_somebody_else, "DEC004", "the decision says that ada puts it, and ben does", DecisionError),
    (_anew_as_another, "DEC004", "put anew with another question", DecisionError),
    (_anew_from_another, "DEC003", "another version of d-1", DecisionError),
    (_anew_as_it_was, "DEC003", "had this version before", DecisionError),
    (_dissent_from_nothing, "DEC003", "d-1 has no version", DecisionError),
    (_report_again, "REP001", "the report cap-1 is final already", ReportError),
    (_report_without_document, "LED009", "is not there", LedgerError),
    (_critic_of_themselves, "KEY006", "nobody reviews their own work", SigningError),
    (_critique_of_nothing, "REP003", "there is no report 'cap-9'", ReportError),
    (_answer_to_no_point, "REP003", "no point 3", ReportError),
    (_review_of_no_case, "CAS002", "there is no safety case 'case-x'", CaseError),
    (_case_without_document, "LED009", "is not there", LedgerError),
    (_case_of_another_model, "CAS002", "is about m, not n", CaseError),
    (_waiver_from_nowhere, "DEC006", "waiver w is not what d-1 contains", DecisionError),
]


@pytest.mark.parametrize(("act", "code", "said", "kind"), VOID, ids=[act.__name__ for act, *_ in VOID])
def test_what_breaks_a_rule_has_no_effect(act, code, said, kind):
    log = in_review()
    before = len(log.entries)
    act(log)
    found = read(log)
    (void,) = found.voids
    assert said in void.reason
    assert void.index >= before
    with pytest.raises(kind) as refused:
        found.refuse_void(void.index)
    assert refused.value.problems[0].code == code
    without = read(replace_entry(log, void.index))
    assert _effect(found) == _effect(without)


def replace_entry(log: Log, index: int) -> Log:
    """Give the log with an entry that says nothing in the place of one that has no effect, so that positions stay."""
    filler = new_entry("case.recorded", CaseRecorded(case="x", model="x", root=a_digest(), document=a_digest("none")),
                       entry_id=an_entry_id("filler"), acted_at=log.entries[index].acted_at)  # fmt: skip
    return Log([filler if at == index else one for at, one in enumerate(log.entries)], log.contents)


def _effect(found: Governance) -> Any:
    return found.decisions, found.reports, found.cases, found.holders


def test_an_entry_with_effect_is_not_refused():
    found = read(effective())
    for index in range(found.size):
        found.refuse_void(index)


# --- people and their roles ---------------------------------------------------------------------------

PEOPLE = tuple(Person(id=name, roles=roles) for name, roles in ROLES.items())


def people(**changes: tuple[str, ...] | None) -> tuple[Person, ...]:
    """Give the people of the project with other roles, or without somebody."""
    roles = {one.id: changes.get(one.id, one.roles) for one in PEOPLE}
    return tuple(Person(id=name, roles=held) for name, held in roles.items() if held is not None)


@pytest.mark.parametrize(
    ("known", "lacks", "said"),
    [
        (PEOPLE, None, None),
        (people(ben=None), "1 of 2 signatures", "ben is nobody of this project"),
        (people(ben=()), "1 of 2 signatures", "ben does not hold the role ceo"),
        (people(ben=("safety-lead",)), "1 of 2 signatures", "ben does not hold the role ceo"),
        (people(dan=None), "nobody else than who put it has reviewed", "dan is nobody of this project"),
        # A pair that the policy keeps apart counts also if only one half of it is on the key.
        (people(ben=("ceo", "board-member")), "ben holds board-member and ceo, which the policy keeps apart", None),
        ((), "0 of 2 signatures", "ada is nobody of this project"),
    ],
)
def test_the_project_has_to_know_people_in_their_roles(known, lacks, said):
    found = read(effective(), people=known)
    record = found.decision("d-1")
    assert record.state == "effective", "what was entered stays entered"
    assert (lacks is None) == (record.missing() == ())
    assert lacks is None or lacks in "; ".join(record.missing())
    assert (said is None) == (found.voids == ())
    assert said is None or any(said in one for one in reasons(found))


@pytest.mark.parametrize("known", [people(cleo=None), people(cleo=()), ()], ids=["nobody", "no role", "no people"])
def test_what_speaks_against_a_decision_stands_whoever_the_project_names(known):
    log = effective()
    log.recuse("d-1", "cleo")
    log.report("cap-2", data=b"newer", by="cleo")
    log = through(log, a_decision("d-2", supersedes="d-1"), signers=("ada", "cleo"))
    log.move("d-2", "revoked", by="cleo", reason="An incident.")
    found = read(log, people=known)
    assert found.decision("d-1").recused == {"cleo"}
    assert [one.report for one in found.final_reports("m", "s1")] == ["cap-2"]
    assert found.decision("d-2").state == "revoked"
    assert replaces(found.decision("d-2"), "d-1"), "who ended it did not bring d-1 back"


def test_who_owns_a_risk_does_not_assure_it_with_another_key():
    log = a_log()
    second = FixedKey("ben, second")
    log.key("ben", "ceo", "risk-owner", key=second)
    log.key("ben", "ceo", "assurer", key=FixedKey("ben, third"))
    log = through(log, D1, "in_review")
    log.sign(D1, "ben", key=second)
    assert "who assures does not own" in reasons(read(log))[0]


def test_agreement_with_a_case_counts_while_the_project_names_who_agrees():
    log = a_log()
    log.add("case.recorded", CaseRecorded(case="c", model="m", root=a_digest("c"), document=log.keep(b"c")), "ada")
    for verdict in ("agrees", "disagrees"):
        log.add("case.reviewed", CaseReviewed(case="c", nodes={"top": a_digest("top")}, verdict=verdict), "dan")
    assert [one.verdict for one in read(log, people=PEOPLE).cases["c"].reviews] == ["agrees", "disagrees"]
    assert [one.verdict for one in read(log, people=people(dan=None)).cases["c"].reviews] == ["disagrees"]


def test_two_keys_of_one_person_in_roles_kept_apart_do_not_count():
    log = in_review()
    second = FixedKey("ben, second")
    log.key("ben", "board-member", key=second)
    log.sign(D1, "ben", "board-member", key=second)
    log.sign(D1, "ben")
    log.move("d-1", "effective")
    found = read(log)
    assert found.decision("d-1").state == "in_review"
    assert "ben holds board-member and ceo, which the policy keeps apart" in reasons(found)[0]


def test_a_key_that_signs_nothing_still_shows_that_its_person_holds_a_pair():
    log = in_review()
    log.key("ben", "board-member", key=FixedKey("ben, second"))
    log.sign(D1, "ben")
    log.sign(D1, "ada")
    (words,) = read(log).decision("d-1").missing()
    assert "ben holds board-member and ceo" in words


def test_one_person_with_two_keys_and_roles_counts_once():
    free = D1.needs[0].model_copy(update={"apart": ()})
    document = a_decision(needs=(free,))
    log = through(a_log(), document, "in_review")
    log.review(document)
    second = FixedKey("ben, second")
    log.key("ben", "board-member", key=second)
    log.sign(document, "ben", "board-member", key=second)
    log.sign(document, "ben")
    log.move("d-1", "effective")
    assert read(log).decision("d-1").state == "in_review"
    log.sign(document, "ada")
    log.move("d-1", "effective")
    assert read(log).decision("d-1").state == "effective"


def test_who_wrote_a_report_does_not_review_the_decision_on_it():
    log = a_log()
    log.report(by="dan")
    log.propose(D1)
    log.review(D1, "dan")
    log.review(D1, "cleo")
    found = read(log)
    assert [one.by for one in found.decision("d-1").reviews] == ["cleo"]
    assert "nobody reviews their own work" in reasons(found)[0]


def test_a_review_by_whoever_puts_it_anew_does_not_count():
    log = in_review()
    log.reaffirm(D1, ANEW.model_copy(update={"proposed_by": "dan"}), by="dan")
    log.review(ANEW.model_copy(update={"proposed_by": "dan"}), "dan")
    assert read(log).decision("d-1").independent_reviews == ()


def test_stepping_back_after_effect_takes_the_signature_back():
    log = effective()
    log.recuse("d-1", "ben")
    record = read(log).decision("d-1")
    assert any("ben is recused" in one for one in record.missing())


@pytest.mark.parametrize(("since", "state"), [("2026-04-30T00:00:00Z", "in_review"), (None, "effective")])
def test_a_stolen_key_takes_back_what_rested_on_it(since, state):
    log = effective()
    log.revoke("ben", "stolen", since=since)
    found = read(log)
    assert found.decision("d-1").state == state
    if since is not None:
        assert any("that key's signatures have no effect" in one for one in reasons(found))
        assert any("cannot become effective" in one for one in reasons(found))


def test_a_quorum_that_recusals_put_out_of_reach_is_called_so():
    log = in_review()
    log.recuse("d-1", "ben")
    log.recuse("d-1", "cleo")
    found = read(log)
    (words,) = found.decision("d-1").missing(found.holders)
    assert "it cannot be reached since ben, cleo stepped back" in words


def test_a_decision_without_needs_never_takes_effect():
    document = a_decision(needs=())
    log = through(a_log(), document, signers=())
    assert "nobody's signature counts" in reasons(read(log))[0]
    assert read(log).decision("d-1").state == "in_review"


# --- laws ---------------------------------------------------------------------------------------------

WHO = ("ada", "ben", "cleo", "dan", "mallory")
OWN = st.sampled_from((None, None, None, *WHO))
"""Whose key signs; mostly that of whoever acts."""


@st.composite
def acts(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Draw what people do with a decision, some of it with wrong keys, roles, versions or digests."""
    signing = st.tuples(st.just("sign"), st.sampled_from(WHO), OWN, st.sampled_from((None, None, "safety-lead", "ceo")))
    one = st.one_of(
        signing,
        signing,
        st.tuples(st.just("review"), st.sampled_from(WHO), OWN),
        st.tuples(st.just("move"), st.sampled_from(WHO[:4]), st.sampled_from(("effective", "in_review"))),
        st.tuples(st.just("recuse"), st.sampled_from(WHO)),
        st.tuples(st.just("reaffirm"), st.sampled_from(("ada", "ben"))),
    )
    willing = st.sampled_from(("ada", "ben", "cleo")).map(lambda name: ("sign", name, None, None))
    signed = draw(st.lists(willing, max_size=3, unique=True))
    return [*draw(st.lists(one, max_size=4)), *signed, *draw(st.lists(one, max_size=4))]


def perform(log: Log, act: tuple[str, Any], number: int) -> None:
    version = read(log).decision("d-1").document
    match act:
        case ("sign", person, key, role):
            log.sign(version, person, role or ROLES.get(person, ("ceo",))[0], key=FixedKey(key or person))
        case ("review", person, key):
            log.review(version, person, key=FixedKey(key or person))
        case ("move", person, to):
            log.move("d-1", to, person, reason="So.")
        case ("recuse", person):
            log.recuse("d-1", person)
        case ("reaffirm", person):
            at = f"2026-05-02T12:00:{number:02}Z"
            log.reaffirm(version, version.model_copy(update={"proposed_by": person, "proposed_at": at}))


def genuine(log: Log) -> set[str]:
    """Give who signed the current version with a key of their own in a role of theirs, counted without the fold."""
    digests = [one.digest for one in read(log).decision("d-1").versions[-1:]]
    return {
        str(one.by)
        for one in log.entries
        if one.kind == "decision.signed"
        and one.by in ROLES
        and one.signature is not None
        and one.signature.key == FixedKey(str(one.by)).fingerprint
        and one.body["role"] in ROLES[str(one.by)]
        and one.body["document"] in digests
    }


@given(acts())
@settings(deadline=None, max_examples=60)
def test_nothing_takes_effect_without_the_signatures_of_enough_people(drawn):
    log = a_log()
    log.report()
    log.propose(D1)
    log.move("d-1", "in_review")
    log.review(D1)
    for number, act in enumerate((*drawn, ("move", "ada", "effective"))):
        perform(log, act, number)
    found = read(log)
    record = found.decision("d-1")
    event(f"ends {record.state}")
    if record.state == "effective":
        assert len(genuine(log) - record.recused) >= 2 or record.missing()
        assert len(genuine(log)) >= 2
        assert any(one.by != record.proposer for one in record.reviews)
    # Whatever has no effect can be left out, or be replaced by something that says nothing.
    for void in found.voids:
        log = replace_entry(log, void.index)
        log.entries[void.index] = log.entries[void.index].model_copy(update={"id": an_entry_id(f"f{void.index}")})
    assert _effect(read(log)) == _effect(found)


@given(st.sets(st.sampled_from(("ada", "ben", "cleo", "mallory")), max_size=4), st.booleans())
@settings(deadline=None, max_examples=30)
def test_a_forger_with_the_database_alone_changes_nothing(forged, unsigned):
    log = in_review()
    before = _effect(read(log))
    for name in sorted(forged):
        index = log.sign(D1, name, "ceo", key=FixedKey("mallory"))
        if unsigned:
            log.entries[index] = log.entries[index].model_copy(update={"signature": None})
    log.move("d-1", "effective", "mallory")
    after = _effect(read(log))
    assert before == after


def test_order_is_that_of_the_log():
    log = in_review()
    log.move("d-1", "effective")
    log.sign(D1, "ada")
    log.sign(D1, "ben")
    assert read(log).decision("d-1").state == "in_review"


def test_bodies_out_of_form_do_not_raise():
    log = in_review()
    good = log.entries[log.sign(D1, "ben")]
    log.entries[-1] = signed_by(good.model_copy(update={"body": {**good.body, "role": None}}), FixedKey("ben"))
    broken = log.entries[-1].model_copy(update={"kind": "decision.moved", "id": an_entry_id("other kind")})
    log.put(signed_by(broken, FixedKey("ben")))
    found = read(log)
    assert found.decision("d-1").signatures == ()
    assert all("canonical form" in one for one in reasons(found))
    assert len(found.voids) == 2


def test_what_is_folded_is_a_value():
    log = effective()
    assert read(log) == governance(iter(log.logged), log.contents.get)
    record = read(log).decision("d-1")
    assert isinstance(record.document, Decision)
    assert replace(record, state="revoked").state == "revoked"
    assert record.state == "effective"


def test_positions_may_have_gaps():
    log = effective()
    shown = [(index, entry) for index, entry in log.logged if index != 0]
    assert governance(shown, log.contents.get).decision("d-1").state == "effective"


def test_a_move_without_any_decision_is_void():
    log = a_log()
    log.add("decision.moved", DecisionMoved(decision="d-1", to="effective"), "ada")
    log.add("decision.signed", DecisionSigned(decision="d-1", document=a_digest(), role="ceo"), "ben")
    assert reasons(read(log)) == ["there is no decision 'd-1'", "there is no decision 'd-1'"]
