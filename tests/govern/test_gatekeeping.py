# SPDX-License-Identifier: Apache-2.0
"""What the gate reads: approvals and measures count only as long as everything is as it was when people signed."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import a_count, a_model, a_record, a_set
from govern.factories import (
    DAY,
    LATER,
    POLICY,
    Log,
    a_decision,
    a_digest,
    a_governed_policy,
    a_log,
    a_measure,
    a_seen,
    an_approval,
    read,
    through,
)
from tidegate.assess import assess
from tidegate.assess.governed import Governed, Target
from tidegate.evidence.models import Snapshot
from tidegate.govern.basis import Basis, seen_by
from tidegate.govern.decisions import NEXT, Decision, Seen, SeenReport, needs_for
from tidegate.govern.gatekeeping import SeenNow, Setting, governed, standing
from tidegate.kernel.canonical import digest_bytes
from tidegate.ledger.acts import CaseRecorded
from tidegate.policy.model import Policy

D1 = a_decision()
APPROVAL = POLICY.approvals[0]
TARGET = Target(model="m", snapshot="s1", at=LATER)


def looking(**changes: Any) -> SeenNow:
    """Give what somebody sees now: what they saw when they signed, with changes."""

    def look(model: str, snapshot: str | None, at: date) -> Seen | None:
        found = a_seen(**{"at": at, "reports": (), **changes})
        return found if model == "m" and snapshot in (None, found.snapshot) else None

    return look


def effective(*documents: Decision, log: Log | None = None) -> Log:
    log = log or a_log()
    for document in documents or (D1,):
        log = through(log, document)
    return log


def asked(log: Log, *, policy: Policy = POLICY, now: SeenNow | None = None, at: date = LATER) -> Governed:
    return governed(read(log), policy, now or looking(), at)


def why_not(found: Governed, target: Target = TARGET, action: Any = "limited") -> str | None:
    return found.missing(APPROVAL, action, target)[1]


# --- approvals ----------------------------------------------------------------------------------------


def test_an_effective_decision_gives_its_approval():
    found = asked(effective())
    (signoff,) = found.signoffs
    assert why_not(found) is None
    assert (signoff.approval, signoff.decision, signoff.model, signoff.snapshot) == (APPROVAL.id, "d-1", "m", "s1")
    assert [(one.person, one.role, one.on) for one in signoff.signers] == [
        ("ben", "ceo", DAY),
        ("ada", "safety-lead", DAY),
    ]
    assert signoff.until == D1.expires
    assert found.size == len(effective().entries)


@pytest.mark.parametrize(
    ("action", "target", "said"),
    [
        ("general", TARGET, "does not say yes to general"),
        ("limited", TARGET.model_copy(update={"snapshot": "s2"}), "no decision gives it"),
        ("limited", TARGET.model_copy(update={"model": "n"}), "no decision gives it"),
    ],
)
def test_it_gives_nothing_else(action, target, said):
    assert said in str(why_not(asked(effective()), target, action))


def _proposed(log: Log) -> Log:
    return through(log, D1, "proposed")


def _in_review(log: Log) -> Log:
    return through(log, D1, "in_review")


def _one_signature(log: Log) -> Log:
    log = through(log, D1, "in_review")
    log.sign(D1, "ada")
    return log


def _revoked(log: Log) -> Log:
    log = through(log, D1)
    log.move("d-1", "revoked", reason="An incident.")
    return log


def _anew(log: Log) -> Log:
    log = through(log, D1)
    log.reaffirm(D1, a_decision(proposed_at="2026-05-02T12:00:00Z"))
    return log


def _stepped_back(log: Log) -> Log:
    log = through(log, D1)
    log.recuse("d-1", "ben")
    return log


def _reviewer_stepped_back(log: Log) -> Log:
    log = through(log, D1)
    log.recuse("d-1", "dan")
    return log


def _stolen(log: Log) -> Log:
    log = through(log, D1)
    log.revoke("ben", "stolen", since="2026-04-30T00:00:00Z")
    return log


def _replaced(log: Log) -> Log:
    return through(through(log, D1), a_decision("d-2", supersedes="d-1", opens=False, choice="no"))


def _no(log: Log) -> Log:
    return through(log, a_decision(choice="no", opens=False))


def _newer_report(log: Log) -> Log:
    log = through(log, D1)
    log.report("cap-2", data=b"newer")
    return log


def _report_of_another_snapshot(log: Log) -> Log:
    log.report(snapshot="s0")
    return through(log, D1)


def _report_that_is_not_final(log: Log) -> Log:
    log = through(log, D1)
    del log.contents[digest_bytes(b"report cap-1")]
    return log


def _too_late(log: Log) -> Log:
    log.now = "2026-06-02T00:00:00Z"
    return through(log, D1)


@pytest.mark.parametrize(
    ("built", "said"),
    [
        (_proposed, "is proposed, not effective"),
        (_in_review, "0 of 2 signatures"),
        (_in_review, "nobody else than who put it has reviewed"),
        (_one_signature, "1 of 2 signatures; open: ceo, board-member"),
        (_revoked, "is revoked"),
        (_anew, "is in review, not effective"),
        (_anew, "0 of 2 signatures"),
        (_stepped_back, "ben is recused"),
        (_reviewer_stepped_back, "nobody else than who put it has reviewed"),
        (_stolen, "is in review, not effective"),
        (_stolen, "1 of 2 signatures"),
        (_replaced, "d-2 takes its place"),
        (_no, "does not say yes to limited"),
        (_newer_report, "suspect: there is a newer final capability report"),
        (_report_of_another_snapshot, "suspect: its capability report is not final"),
        (_report_that_is_not_final, "suspect: its capability report is not final"),
        (_too_late, "took effect on 2026-06-02, after the day asked about"),
    ],
)
def test_why_an_approval_is_not_given(built, said):
    assert said in str(why_not(asked(built(a_log()))))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"evidence_digest": a_digest("more")}, "suspect: the evidence changed"),
        ({"model_digest": a_digest("other")}, "suspect: the model is described otherwise"),
        ({"findings_digest": a_digest("other")}, "suspect: the assessment comes to other findings"),
        ({"snapshot": "s2"}, "the model or snapshot is not in the project any more"),
    ],
)
def test_what_changes_makes_it_suspect(changes, said):
    found = asked(effective(), now=looking(**changes))
    assert said in str(why_not(found))
    assert found.reliefs == ()


AMENDED = a_governed_policy(version="2")
LENIENT = a_governed_policy(approvals=(an_approval(quorum=1), *POLICY.approvals[1:]))
STRICT = a_governed_policy(approvals=(an_approval(quorum=3), *POLICY.approvals[1:]))
SILENT = a_governed_policy(approvals=())


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (AMENDED, "suspect: the policy was amended (test@1, now test@2)"),
        (LENIENT, "suspect: the policy was amended (test@1)"),
        (STRICT, "2 of 3 signatures"),
        (SILENT, "the policy has no approval approve-capability-report"),
    ],
)
def test_the_policy_that_is_asked_under_decides(policy, said):
    assert said in str(why_not(asked(effective(), policy=policy)))


def test_a_decision_cannot_ask_for_fewer_signatures_than_the_policy():
    weaker = D1.needs[0].model_copy(update={"signers": ("ceo",), "quorum": None, "apart": ()})
    document = a_decision(needs=(weaker,))
    log = through(a_log(), document, signers=("ben",))
    assert read(log).decision("d-1").state == "effective"
    words = str(why_not(asked(log)))
    assert "asks for other signatures than the policy does" in words
    assert "1 of 2 signatures" in words


def test_without_the_report_that_it_approves_nothing_is_approved():
    words = why_not(asked(effective(a_decision(seen=a_seen(reports=())))))
    assert "approves a capability report, and no final one is among what was seen" in str(words)


@pytest.mark.parametrize(("at", "counts"), [(date(2026, 12, 31), True), (date(2027, 1, 1), False)])
def test_past_its_last_day_it_counts_as_expired_though_nobody_recorded_it(at, counts):
    found = asked(effective(), at=at)
    assert (why_not(found, TARGET.model_copy(update={"at": at})) is None) == counts
    if not counts:
        assert found.signoffs[0].missing == "expired on 2026-12-31"


def test_a_decision_about_an_older_snapshot_says_so():
    model = {None: "s2", "s1": "s1"}

    def look(name: str, snapshot: str | None, at: date) -> Seen | None:
        return a_seen(at=at, snapshot=model[snapshot], reports=())

    found = asked(effective(), now=look)
    assert why_not(found) is None
    newer = why_not(found, TARGET.model_copy(update={"snapshot": "s2"}))
    assert newer == "d-1: is about the snapshot s1, not s2"
    floating = asked(effective(a_decision(snapshot=None)), now=look)
    assert "the snapshot was replaced (s1, now s2)" in str(why_not(floating))


def test_a_case_that_grew_makes_it_suspect():
    log = a_log()
    for number, content in enumerate((b"case", b"case, longer")):
        body = CaseRecorded(case="case-m", model="m", root=a_digest(str(number)), document=log.keep(content))
        log.add("case.recorded", body, "ada")
        if number == 0:
            case = read(log).newest_case("m")
            log = effective(a_decision(seen=a_seen(case=case)), log=log)
            assert why_not(asked(log)) is None
    assert "another version of the safety case case-m" in str(why_not(asked(log)))


def test_a_decision_about_no_model_opens_nothing():
    document = a_decision(model=None, snapshot=None, actions=(), needs=needs_for(POLICY, ("limited",)))
    found = asked(effective(document))
    assert found.signoffs[0].missing is None
    assert "does not say yes to limited" in str(why_not(found))


def test_doubts_are_handed_on():
    assert governed(read(a_log()), POLICY, looking(), DAY, ["the log does not verify"]).doubts == (
        "the log does not verify",
    )


def test_a_decision_stands_or_says_why_not():
    governance = read(effective())
    record = governance.decision("d-1")
    assert standing(record, Setting(governance, POLICY, looking(), LATER)) == ()
    changed = Setting(governance, POLICY, looking(evidence_digest=a_digest("x")), LATER)
    assert standing(record, changed) == ("suspect: the evidence changed",)


# --- measures -----------------------------------------------------------------------------------------


def relieved(document: Decision, signers: tuple[str, ...] = ("ada", "ben"), **more: Any) -> Governed:
    return asked(through(a_log(), document, signers=signers), **more)


def test_a_measure_of_an_effective_decision_is_in_force():
    found = relieved(a_decision(measures=(a_measure(is_public=True),)))
    (relief,) = found.reliefs
    assert (relief.waiver, relief.kind, relief.decision) == ("im-1", "interim_measure", "d-1")
    assert (relief.model, relief.snapshot, relief.until, relief.is_public) == ("m", "s1", LATER, True)
    assert found.relief(POLICY.thresholds[0].requirements[0], "limited", TARGET) == relief
    assert found.relief(POLICY.thresholds[0].requirements[0], "general", TARGET) is None
    assert found.relief(POLICY.thresholds[0].requirements[1], "open_weights", TARGET) is None


@pytest.mark.parametrize(
    ("document", "more"),
    [
        (a_decision(measures=(a_measure(),), opens=False, choice="no"), {}),
        (a_decision(measures=(a_measure(),)), {"at": date(2026, 6, 2)}),
        (a_decision(measures=(a_measure(),)), {"signers": ("ada",)}),
        (a_decision(measures=(a_measure(),)), {"now": looking(evidence_digest=a_digest("x"))}),
        (a_decision(measures=(a_measure(),)), {"policy": AMENDED}),
        (a_decision(measures=(a_measure(kind="deviation"),)), {}),
        (a_decision(measures=(a_measure(kind="waiver"),)), {}),
        (a_decision(measures=(a_measure(requirements=("T1-halt",)),)), {}),
        (a_decision(measures=(a_measure(requirements=("T1-deploy", "T1-halt")),)), {}),
        (a_decision(measures=(a_measure(),), needs=needs_for(POLICY, ("limited",))), {}),
    ],
    ids=["no", "past", "one signature", "suspect", "amended", "deviation", "waiver", "halt", "also halt", "no need"],
)
def test_a_measure_is_not_in_force(document, more):
    assert relieved(document, **more).reliefs == ()


def test_a_measure_that_needs_somebody_else_is_not_in_force_by_the_same_signatures():
    approvals = (
        an_approval(),
        an_approval("board-approves", act="interim_measure", before=(), signers=("board-member",), quorum=1),
    )
    policy = a_governed_policy(approvals=approvals)
    seen = a_seen(policy_digest=policy.digest)
    document = a_decision(policy=policy, measures=(a_measure(),), seen=seen)
    assert relieved(document, policy=policy).reliefs == ()
    assert len(relieved(document, ("ada", "ben", "cleo"), policy=policy).reliefs) == 1


# --- with assessments ---------------------------------------------------------------------------------

MODEL = a_model("m", Snapshot(id="s1"))
EVIDENCE = a_set(a_record("r1", a_count(5, 200), snapshot="s1"))


def put(basis: Basis, **changes: Any) -> Decision:
    """Give a decision that rests on what somebody who looks on the day sees."""
    looked = seen_by(basis)("m", "s1", DAY)
    assert looked is not None
    report = SeenReport(kind="capability", report="cap-1", document=digest_bytes(b"report cap-1"))
    return a_decision(policy=basis.policy, seen=looked.model_copy(update={"reports": (report,)}), **changes)


def gate_open(basis: Basis, log: Log, at: date = LATER) -> bool:
    found = governed(read(log), basis.policy, seen_by(basis), at)
    made = assess(basis.policy, basis.evidence, basis.models, at, governed=found)
    model = made.model("m")
    assert model is not None
    return model.gate("limited").open


def test_the_gate_opens_by_signatures_and_closes_when_something_changes():
    basis = Basis(POLICY, (MODEL,), EVIDENCE)
    document = put(basis)
    log = through(a_log(), document)
    assert gate_open(basis, log)
    assert not gate_open(basis, through(a_log(), document, "in_review"))
    assert not gate_open(Basis(POLICY, (MODEL,), a_set(*EVIDENCE.records, a_record("r2"))), log)
    assert not gate_open(Basis(POLICY, (a_model("m", Snapshot(id="s1"), Snapshot(id="s2")),), EVIDENCE), log)
    assert not gate_open(Basis(a_governed_policy(title="Amended"), (MODEL,), EVIDENCE), log)
    log.revoke("ada", "stolen", since="2026-01-01T00:00:00Z")
    assert not gate_open(basis, log)


def test_evidence_that_goes_stale_makes_a_decision_suspect():
    fresh = POLICY.thresholds[0].indicators[0].model_copy(update={"max_age": "P6M"})
    threshold = POLICY.thresholds[0].model_copy(update={"indicators": (fresh,)})
    policy = a_governed_policy(
        thresholds=(threshold,),
        locks=tuple(one.model_copy(update={"digest": threshold.decision_digest}) for one in POLICY.locks),
    )
    basis = Basis(policy, (MODEL,), EVIDENCE)
    log = through(a_log(), put(basis))
    assert gate_open(basis, log, date(2026, 7, 1))
    found = governed(read(log), policy, seen_by(basis), date(2026, 9, 1))
    assert found.signoffs[0].missing == "suspect: the assessment comes to other findings"


@given(st.lists(st.sampled_from(("evidence_digest", "model_digest", "findings_digest", "policy")), min_size=1))
@settings(deadline=None, max_examples=25)
def test_whatever_changes_nothing_is_given(changed):
    log = effective(a_decision(measures=(a_measure(),)))
    digests = {name: a_digest("changed") for name in changed if name != "policy"}
    policy = AMENDED if "policy" in changed else POLICY
    found = asked(log, policy=policy, now=looking(**digests))
    assert all(one.missing is not None and "suspect" in one.missing for one in found.signoffs)
    assert found.reliefs == ()


@given(st.floats(0, 200).map(int), st.text("abc", min_size=1, max_size=3))
@settings(deadline=None, max_examples=25)
def test_any_further_evidence_makes_it_suspect(successes, name):
    basis = Basis(POLICY, (MODEL,), EVIDENCE)
    log = through(a_log(), put(basis))
    more = a_set(*EVIDENCE.records, a_record(f"r-{name}", a_count(successes, 200), snapshot="s1"))
    found = governed(read(log), POLICY, seen_by(Basis(POLICY, (MODEL,), more)), LATER)
    assert "the evidence changed" in str(found.signoffs[0].missing)


def test_every_state_but_effective_gives_nothing():
    states = set(NEXT) - {"effective"}
    built = {"proposed": _proposed, "in_review": _in_review, "revoked": _revoked}
    for state in states & set(built):
        assert asked(built[state](a_log())).signoffs[0].missing is not None
    log = effective()
    log.move("d-1", "expired", at="2027-01-01T00:00:00Z")
    assert asked(log).signoffs[0].missing == "is expired"
    log = through(effective(), a_decision("d-2", supersedes="d-1"))
    log.move("d-1", "superseded", by_decision="d-2")
    assert [one.missing for one in asked(log).signoffs] == ["is superseded", None]
