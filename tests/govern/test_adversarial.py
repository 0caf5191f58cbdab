# SPDX-License-Identifier: Apache-2.0
"""Attempts to have a decision count though it was ended, replaced, overtaken or changed, or a policy unsigned."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from govern.factories import (
    DAY,
    LATER,
    POLICY,
    FixedKey,
    Log,
    a_decision,
    a_digest,
    a_governed_policy,
    a_log,
    a_seen,
    an_approval,
    read,
    reasons,
    through,
)
from tidegate.govern.amendments import unsigned_amendment
from tidegate.govern.decisions import Condition, Decision, Notice, Seen, content_digest, needs_for
from tidegate.govern.gatekeeping import governed
from tidegate.ledger.acts import CaseRecorded, DecisionProposed, PolicyAdopted
from tidegate.policy.model import Policy, RuleLock

D1 = a_decision()
NO = a_decision("d-2", choice="no", opens=False, supersedes="d-1", proposed_by="cleo")
THEFT = "2026-05-02T00:00:00Z"
AFTER = "2026-05-03T12:00:00Z"


def looking(model: str, snapshot: str | None, at: date) -> Seen | None:
    return a_seen(at=at, reports=()) if model == "m" and snapshot in (None, "s1") else None


def why_not(log: Log) -> str | None:
    (found,) = [one for one in governed(read(log), POLICY, looking, LATER).signoffs if one.decision == "d-1"]
    return found.missing


# --- a key that is said to be stolen ------------------------------------------------------------------


def _revoked(log: Log) -> None:
    log.move("d-1", "revoked", by="cleo", reason="An incident.")


def _recused(log: Log) -> None:
    log.recuse("d-1", "cleo")


def _newer_report(log: Log) -> None:
    log.report("cap-2", data=b"newer", by="cleo")


def _replaced(log: Log) -> None:
    through(log, NO, signers=("ada", "cleo"))


def _moved_into_effect(log: Log) -> None:
    log.propose(NO.model_copy(update={"proposed_by": "ada"}), by="ada")
    document = NO.model_copy(update={"proposed_by": "ada"})
    log.move("d-2", "in_review")
    log.review(document)
    log.sign(document, "ada")
    log.sign(document, "ben")
    log.move("d-2", "effective", by="cleo")


@pytest.mark.parametrize("against", [_revoked, _recused, _newer_report, _replaced, _moved_into_effect])
def test_what_a_stolen_key_takes_back_does_not_come_back_unseen(against: Callable[[Log], None]) -> None:
    """Whoever ended a decision says that their key was stolen: the decision counts again, and nobody looked."""
    signers = ("ada", "cleo") if against is _recused else ("ada", "ben")
    log = through(a_log(), D1, signers=signers)
    assert why_not(log) is None
    log.now = AFTER
    against(log)
    assert why_not(log) is not None
    log.revoke("cleo", "stolen", since=THEFT)
    assert "was taken back with a stolen key" in str(why_not(log))
    anew = D1.model_copy(update={"proposed_at": AFTER})
    log.reaffirm(D1, anew)
    log.review(anew)
    log.sign(anew, "ada")
    log.sign(anew, "ben")
    log.move("d-1", "effective")
    assert why_not(log) is None


def test_keys_that_a_stolen_key_added_take_nothing_back_unseen() -> None:
    """The keeper's key is said to be stolen, so that the keys it added since were nobody's."""
    log = through(a_log("ada", "ben", "dan"), D1)
    log.now = AFTER
    log.key("cleo")
    log.move("d-1", "revoked", by="cleo", reason="An incident.")
    log.key("kim", "keeper", key=FixedKey("kim, second"))
    log.revoke("kim", "stolen", since=THEFT)
    assert "was taken back with a stolen key" in str(why_not(log))


def test_a_stolen_key_without_a_part_in_a_decision_changes_nothing() -> None:
    log = through(a_log(), D1)
    log.now = AFTER
    log.propose(a_decision("d-3", proposed_by="cleo"))
    log.revoke("cleo", "stolen", since=THEFT)
    assert why_not(log) is None


@pytest.mark.parametrize("kept", [b"{", None], ids=["unreadable", "gone"])
def test_a_successor_that_cannot_be_read_replaces_nothing(kept: bytes | None) -> None:
    """What a stolen key put need not even be a decision."""
    log = through(a_log(), D1)
    log.now = AFTER
    body = DecisionProposed(decision="d-2", model="m", document=log.keep(b"{"))
    log.add("decision.proposed", body, "cleo")
    if kept is None:
        del log.contents[body.document]
    log.revoke("cleo", "stolen", since=THEFT)
    assert read(log).taken_back == {"decision:d-2": len(log.entries) - 2}
    assert why_not(log) is None


# --- putting anew -------------------------------------------------------------------------------------

TOLD = Notice(to="board", due=LATER)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"expires": date(2030, 1, 1)}, "expires"),
        ({}, {"actions": ("limited", "general")}, "actions"),
        ({"opens": False, "choice": "no"}, {"opens": True, "choice": "yes"}, "choice and opens"),
        ({"conditions": (Condition(text="Watch.", owner="ada", due=DAY),)}, {"conditions": ()}, "conditions"),
        ({"accused": ("ben",)}, {"accused": ()}, "accused"),
        ({"notices": (TOLD,)}, {"notices": ()}, "notices"),
        ({"notices": (TOLD,)}, {"notices": (TOLD.model_copy(update={"due": date(2030, 1, 1)}),)}, "notices"),
        ({"snapshot": "s1"}, {"snapshot": None}, "snapshot"),
    ],
)
def test_a_version_that_says_something_else_is_another_decision(
    before: dict[str, Any], after: dict[str, Any], said: str
) -> None:
    log = through(a_log(), a_decision(**before), "in_review")
    log.reaffirm(a_decision(**before), a_decision(**{**before, **after}, proposed_at=AFTER))
    assert reasons(read(log)) == [f"d-1 is put anew with another {said}"]


def test_notices_may_be_added_when_it_is_put_anew() -> None:
    log = through(a_log(), D1, "in_review")
    log.reaffirm(D1, a_decision(notices=(TOLD,), proposed_at=AFTER))
    assert reasons(read(log)) == []


# --- safety cases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        (("c1",), None),
        (("c1", "c1"), None),
        (("c1", "c1+", "c1"), "other versions of the safety case c1 were recorded since"),
        (("c1", "c2", "c1"), "other versions of the safety case c1 were recorded since"),
        (("c1", "c2"), "another safety case than c1"),
    ],
)
def test_a_version_of_a_case_does_not_come_back_by_itself(entered: tuple[str, ...], said: str | None) -> None:
    log = a_log()

    def enter(name: str) -> None:
        document = log.keep(name.encode())
        body = CaseRecorded(case=name.rstrip("+"), model="m", root=a_digest(name), document=document)
        log.add("case.recorded", body)

    enter(entered[0])
    document = a_decision(seen=a_seen(case=read(log).newest_case("m")))
    log = through(log, document)
    for name in entered[1:]:
        enter(name)
    assert (said is None) == (why_not(log) is None)
    assert said is None or said in str(why_not(log))


# --- amendments of the policy -------------------------------------------------------------------------

CHANGE = an_approval("approve-change", act="policy_change", before=())
STRICT = a_governed_policy(approvals=(*POLICY.approvals, CHANGE))
NEXT = a_governed_policy(version="2", approvals=())


def adopt(log: Log, policy: Policy, **changes: Any) -> None:
    given = {"label": policy.label, "policy_digest": policy.digest, "document": log.keep(policy), **changes}
    log.add("policy.adopted", PolicyAdopted(**given))


def amending(policy: Policy = NEXT, **changes: Any) -> Decision:
    """Give a decision that adopts a policy, under the strict one."""
    given: dict[str, Any] = {
        "model": None,
        "snapshot": None,
        "actions": (),
        "seen": Seen(policy=STRICT.label, policy_digest=STRICT.as_of(DAY).digest, at=DAY),
        "needs": needs_for(STRICT, (), ("policy_change",)),
        "adopts": content_digest(policy),
    }
    return a_decision("d-9", **{**given, **changes})


def unsigned(log: Log) -> str | None:
    return unsigned_amendment(log.logged, log.contents.get, read(log).logged.values())


def amended(document: Decision | None = None, then: Callable[[Log], Any] = lambda _log: None) -> Log:
    log = a_log()
    adopt(log, STRICT)
    if document is not None:
        through(log, document)
    then(log)
    adopt(log, NEXT)
    return log


def test_a_policy_that_was_signed_takes_the_place_of_the_one_before() -> None:
    assert unsigned(amended(amending())) is None


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (amended, "no decision adopts it"),
        (lambda: amended(amending(opens=False, choice="no")), "no decision adopts it"),
        (lambda: amended(amending(a_governed_policy(version="3"))), "no decision adopts it"),
        (lambda: amended(amending(adopts=None)), "no decision adopts it"),
        (lambda: amended(amending(seen=Seen(policy="x", policy_digest=a_digest("x"), at=DAY))), "no decision adopts"),
        (lambda: amended(amending(expires=date(2026, 4, 30))), "no decision adopts it"),
        (lambda: amended(amending(), lambda log: log.move("d-9", "revoked", reason="No.")), "no decision adopts it"),
        (lambda: amended(amending(), lambda log: log.recuse("d-9", "ben")), "1 of 2 signatures"),
        (lambda: amended(amending(), lambda log: log.reaffirm(amending(), LATEST)), "no decision adopts it"),
        (lambda: amended(amending(), lambda log: log.revoke("ben", "stolen", since="2026-01-01T00:00:00Z")), "no"),
    ],
    ids=["none", "no", "another", "no policy", "other rules", "expired", "revoked", "recused", "anew", "stolen"],
)
def test_a_policy_that_was_not_signed_does_not(log: Callable[[], Log], said: str) -> None:
    words = str(unsigned(log()))
    assert words.startswith("test@2 was adopted, and approve-change of test@1 is not given: ")
    assert said in words


LATEST = amending(proposed_at="2026-05-01T12:00:01Z")


@pytest.mark.parametrize(
    "later",
    [
        lambda log: log.move("d-9", "revoked", by="cleo", reason="Too late."),
        lambda log: log.recuse("d-9", "ben"),
        lambda log: log.reaffirm(amending(), LATEST),
        lambda log: log.revoke("ben", "left"),
        lambda log: adopt(log, NEXT),
    ],
    ids=["revoked", "recused", "anew", "left", "again"],
)
def test_what_was_adopted_stays_adopted(later: Callable[[Log], Any]) -> None:
    """One person can end a decision, and closes no gate of the house with it for good."""
    log = amended(amending())
    later(log)
    assert unsigned(log) is None


def test_signatures_that_come_after_the_adoption_are_for_the_next() -> None:
    log = amended()
    through(log, amending())
    assert unsigned(log) is not None
    adopt(log, STRICT)
    assert unsigned(log) is None
    adopt(log, NEXT)
    assert unsigned(log) is None


def test_the_first_policy_and_one_without_such_an_approval_need_none() -> None:
    log = a_log()
    adopt(log, POLICY)
    adopt(log, STRICT)
    assert unsigned(log) is None


def locked(policy: Policy, *days: int) -> Policy:
    one = policy.thresholds[0]
    locks = tuple(
        RuleLock(
            threshold=one.id,
            indicator=one.indicators[0].id,
            evaluation=one.indicators[0].evaluation,
            digest=one.decision_digest,
            locked_on=date(2026, 5, day),
        )
        for day in days
    )
    return policy.with_locks_only(locks)


def test_locks_are_added_without_signatures_and_never_taken_away() -> None:
    log = a_log()
    for policy in (locked(STRICT), locked(STRICT, 1), locked(STRICT, 1, 2)):
        adopt(log, policy)
        assert unsigned(log) is None
    adopt(log, locked(STRICT, 2))
    assert "not locked any more" in str(unsigned(log))
    adopt(log, locked(STRICT, 1, 2, 3))
    assert unsigned(log) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"document": a_digest("nowhere")},
        {"policy_digest": a_digest("other")},
    ],
)
def test_an_adoption_that_the_log_cannot_show_closes(changes: dict[str, str]) -> None:
    log = a_log()
    adopt(log, STRICT, **changes)
    assert "the ledger does not hold the policy test@1" in str(unsigned(log))


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"id": 1}', b"\xff"])
def test_an_adoption_of_something_else_closes(data: bytes) -> None:
    log = a_log()
    adopt(log, STRICT, document=log.keep(data))
    assert "the ledger does not hold the policy test@1" in str(unsigned(log))
