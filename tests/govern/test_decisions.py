# SPDX-License-Identifier: Apache-2.0
"""Decisions as documents, what they lack under a policy, what makes them suspect, and every move between states."""

import itertools
from datetime import date

import pytest
from pydantic import ValidationError

from factories import a_policy
from govern.factories import DAY, POLICY, a_decision, a_digest, a_governed_policy, a_measure, a_seen, an_approval
from tidegate.govern.decisions import (
    MAX_DECISION_BYTES,
    NEXT,
    Condition,
    Decision,
    Facts,
    Notice,
    SeenCase,
    SeenReport,
    incomplete,
    moved,
    need_of,
    needs_for,
    notices_for,
    read_decision,
    reaffirmed,
    signed_over,
    suspect,
)
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.errors import DecisionError

STATES = tuple(NEXT)
READY = Facts(missing=(), is_replaced=True, is_past=True)
NOT_READY = Facts(missing=("a signature",), is_replaced=False, is_past=False)
LEGAL = {
    ("proposed", "in_review"),
    ("proposed", "revoked"),
    ("in_review", "effective"),
    ("in_review", "revoked"),
    ("effective", "superseded"),
    ("effective", "expired"),
    ("effective", "revoked"),
}


# --- the document -------------------------------------------------------------------------------------


def test_a_decision_is_known_by_its_canonical_bytes():
    made = a_decision(conditions=(Condition(text="Watch.", owner="ada", due=DAY),))
    assert read_decision(made.data) == made
    assert made.digest == digest_bytes(made.data) == digest_bytes(canonical_bytes(made))
    assert b'"schema":"tidegate/decision/v1"' in made.data


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"choice": "perhaps"}, "the choice is none of the options"),
        ({"options": ("yes", "yes")}, "two of its options are the same"),
        ({"choice": "no"}, "the choice is 'no', and it is said to open"),
        ({"options": ("No, not yet", "yes"), "choice": "No, not yet"}, "it is said to open"),
        ({"adopts": a_digest("policy")}, "an amendment of the policy is about no model"),
        ({"options": ("yes",)}, "at least 2"),
        ({"model": None, "snapshot": None}, "name the model"),
        ({"snapshot": "s2"}, "rests on an assessment of another"),
        ({"seen": a_seen(evidence_digest=None)}, "names the digests"),
        ({"seen": a_seen(findings_digest=None)}, "names the digests"),
        ({"supersedes": "d-1"}, "cannot take its own place"),
        ({"needs": needs_for(POLICY, ("limited",)) * 2}, "two of its approvals are the same"),
        ({"measures": (a_measure(), a_measure())}, "two of its measures are the same"),
        ({"expires": None}, "valid date"),
    ],
)
def test_a_decision_that_contradicts_itself_is_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        a_decision(**changes)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "not a decision"),
        (b"[]", "not a decision"),
        (b'{"id":"d-1"}', "Field required"),
        (b"\xff", "not a decision"),
        (b"[" * 100_000, "not a decision"),
        (b" " + a_decision().data, "canonical form"),
        (a_decision().data.replace(b'"opens":true', b'"opens":true,"x":1'), "not permitted"),
        (b" " * (MAX_DECISION_BYTES + 1), "at most"),
    ],
)
def test_bytes_that_are_no_decision_are_refused(data, said):
    with pytest.raises(DecisionError, match=said) as refused:
        read_decision(data)
    assert refused.value.problems[0].code == "DEC004"


def test_a_signer_signs_over_everything_that_the_decision_rests_on():
    case = SeenCase(case="case-m", root=a_digest("root"), document=a_digest("case"))
    reports = (
        SeenReport(kind="capability", report="cap-1", document=a_digest("cap")),
        SeenReport(kind="safeguards", report="safe-1", document=a_digest("safe")),
        SeenReport(kind="safeguards", report="safe-2", document=a_digest("safe 2")),
    )
    made = a_decision(seen=a_seen(reports=reports, case=case))
    assert [(one.name, one.digest) for one in signed_over(made)] == [
        ("decision", made.digest),
        ("policy", POLICY.digest),
        ("evidence", a_digest("evidence")),
        ("models", a_digest("model")),
        ("assessment", a_digest("assessment")),
        ("report:capability", a_digest("cap")),
        ("report:safeguards", a_digest("safe")),
        ("report:safeguards:2", a_digest("safe 2")),
        ("case", a_digest("case")),
    ]


# --- what the policy asks -----------------------------------------------------------------------------


def test_needs_are_those_of_the_policy():
    found = needs_for(POLICY, ("limited",))
    assert [one.approval for one in found] == ["approve-capability-report"]
    assert found[0].apart == (("board-member", "ceo"), ("board-member", "safety-lead"), ("ceo", "safety-lead"))
    assert needs_for(POLICY, ("train",)) == ()
    assert [one.approval for one in needs_for(POLICY, (), ["deviation"])] == ["approve-deviations"]


def test_advisory_approvals_are_not_asked_for():
    policy = a_governed_policy(approvals=(an_approval(force="may"),))
    assert needs_for(policy, ("limited",)) == ()


TOLD = a_governed_policy(approvals=(an_approval(disclosure=("board", "public", "staff")),))
MEASURES = {"actions": ("limited",), "measures": (a_measure(),)}
ADOPTS = {
    "model": None,
    "snapshot": None,
    "actions": (),
    "adopts": a_digest("policy"),
    "needs": needs_for(POLICY, ("limited",)),
}
NO_MEASURES = a_governed_policy(approvals=(an_approval(),))


@pytest.mark.parametrize(
    ("policy", "changes", "found"),
    [
        (POLICY, {}, []),
        (POLICY, MEASURES, []),
        (POLICY, {"seen": a_seen(reports=())}, [("DEC004", "approves a capability report")]),
        (
            POLICY,
            {"seen": a_seen(reports=(SeenReport(kind="safeguards", report="s", document=a_digest()),))},
            [("DEC004", "approves a capability report")],
        ),
        (POLICY, {"needs": ()}, [("DEC004", "gives no approval")]),
        (a_policy(), {}, [("DEC004", "the policy has no approval approve-capability-report")]),
        (
            POLICY,
            {"needs": (needs_for(POLICY, ("limited",))[0].model_copy(update={"quorum": 1}),)},
            [("DEC004", "asks for other signatures than the policy does")],
        ),
        (POLICY, {"expires": date(2026, 4, 30)}, [("DEC004", "before it was proposed")]),
        (
            TOLD,
            {},
            [("DEC004", "says that the board is told"), ("DEC004", "says that the public is told")],
        ),
        (TOLD, {"notices": (Notice(to="board", due=DAY), Notice(to="public", due=DAY))}, []),
        (
            NO_MEASURES,
            {**MEASURES, "needs": needs_for(NO_MEASURES, ("limited",))},
            [("DEC006", "no approval for the act interim_measure")],
        ),
        (
            POLICY,
            {**MEASURES, "needs": needs_for(POLICY, ("limited",))},
            [("DEC004", "takes approve-interim-measures")],
        ),
        (POLICY, {"measures": (a_measure(kind="waiver"),)}, [("DEC006", "no approval for the act waiver")]),
        (POLICY, {"measures": (a_measure(requirements=("T9",)),)}, [("DEC006", "no requirement T9")]),
        (
            POLICY,
            {"measures": (a_measure(requirements=("T1-halt",)),)},
            [("DEC006", "nothing can stand in for T1-halt")],
        ),
        (POLICY, {"measures": (a_measure(actions=()),)}, [("DEC004", "names no action")]),
        (POLICY, {"measures": (a_measure(snapshot="s1"),)}, []),
        (POLICY, {"measures": (a_measure(snapshot="s0"),)}, [("DEC006", "is for s0, and its signers look at s1")]),
        (POLICY, ADOPTS, [("DEC004", "the present one has no approval for that")]),
        (POLICY, {"measures": (a_measure(until=date(2027, 1, 1)),)}, [("DEC004", "after the decision")]),
        (POLICY, {"measures": (a_measure(until=date(2026, 1, 1)),)}, [("DEC004", "before it was proposed")]),
        (POLICY, {"measures": (a_measure(kind="deviation", actions=(), requirements=("T1-halt",)),)}, []),
    ],
)
def test_what_a_decision_lacks(policy, changes, found):
    made = a_decision(policy=policy if policy.approvals else POLICY, **changes)
    problems = incomplete(made, policy)
    assert [one.code for one in problems] == [code for code, _ in found]
    for problem, (_, words) in zip(problems, found, strict=True):
        assert words in problem.message


def test_notices_that_the_policy_asks_for_are_given():
    needs = needs_for(TOLD, ("limited",))
    assert [one.to for one in notices_for(TOLD, needs, DAY)] == ["board", "public"]
    assert notices_for(TOLD, (), DAY) == ()


def test_roles_kept_apart_are_those_around_the_signers():
    policy = a_governed_policy()
    only_ceo = need_of(policy, an_approval(signers=("ceo",), quorum=None))
    assert only_ceo.apart == (("board-member", "ceo"), ("ceo", "safety-lead"))


# --- what makes it suspect ----------------------------------------------------------------------------

CASE = SeenCase(case="case-m", root=a_digest("root"), document=a_digest("case"))
CAP_1_AGAIN = a_seen().reports[0].model_copy(update={"report": "cap-3"})
CAP_2 = SeenReport(kind="capability", report="cap-2", document=a_digest("cap-2"))


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ({}, {}, ()),
        ({}, {"at": date(2026, 9, 1)}, ()),
        ({}, {"assessment_digest": a_digest("other")}, ("the assessment of that day comes out otherwise",)),
        ({}, {"policy_digest": a_digest("amended")}, ("the policy was amended (test@1)",)),
        ({}, {"policy": "test@2", "policy_digest": a_digest("x")}, ("the policy was amended (test@1, now test@2)",)),
        ({}, {"evidence_digest": a_digest("more")}, ("the evidence changed",)),
        ({}, {"model_digest": a_digest("other")}, ("the model is described otherwise",)),
        ({}, {"snapshot": "s2"}, ("the snapshot was replaced (s1, now s2)",)),
        ({}, {"findings_digest": a_digest("other")}, ("the assessment comes to other findings",)),
        ({}, {"findings_digest": None}, ("the assessment comes to other findings",)),
        ({}, {"reports": (CAP_2,)}, ("there is a newer final capability report",)),
        ({}, {"reports": (CAP_1_AGAIN,)}, ("there is a newer final capability report",)),
        ({}, {"reports": ()}, ("its capability report is not final",)),
        ({"reports": ()}, {"reports": (CAP_2,)}, ()),
        ({"case": CASE}, {"case": None}, ("the safety case case-m is not recorded",)),
        (
            {"case": CASE},
            {"case": CASE.model_copy(update={"root": a_digest("grown")})},
            ("there is another version of the safety case case-m",),
        ),
        (
            {"case": CASE},
            {"case": CASE.model_copy(update={"case": "case-2"})},
            ("there is another safety case than case-m",),
        ),
        ({}, {"case": CASE}, ()),
    ],
)
def test_what_makes_a_decision_suspect(then, now, said):
    seen = a_seen(**then)
    assert suspect(a_decision(seen=seen), seen.model_copy(update=now)) == said


def test_a_decision_about_no_model_only_rests_on_the_policy():
    made = a_decision(model=None, snapshot=None, actions=(), seen=a_seen())
    assert suspect(made, made.seen.model_copy(update={"evidence_digest": None, "snapshot": None})) == ()
    assert suspect(made, made.seen.model_copy(update={"policy_digest": a_digest("x")})) != ()


# --- states -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "to"), list(itertools.product(STATES, STATES)))
def test_every_move_is_legal_or_refused(state, to):
    if (state, to) in LEGAL:
        assert moved(state, to, READY) == to
    else:
        with pytest.raises(DecisionError, match="cannot become") as refused:
            moved(state, to, READY)
        assert refused.value.problems[0].code == "DEC002"


@pytest.mark.parametrize(
    ("state", "to", "said"),
    [
        ("in_review", "effective", "a signature"),
        ("effective", "superseded", "no effective decision takes its place"),
        ("effective", "expired", "its last day is not over"),
    ],
)
def test_a_move_needs_its_facts(state, to, said):
    with pytest.raises(DecisionError, match=said) as refused:
        moved(state, to, NOT_READY)
    assert refused.value.problems[0].code == "DEC002"


@pytest.mark.parametrize("state", ["proposed", "in_review", "effective"])
def test_revoking_needs_no_facts(state):
    assert moved(state, "revoked", NOT_READY) == "revoked"


@pytest.mark.parametrize(
    ("state", "after"), [("proposed", "proposed"), ("in_review", "in_review"), ("effective", "in_review")]
)
def test_a_decision_put_anew_is_not_effective(state, after):
    assert reaffirmed(state) == after


@pytest.mark.parametrize("state", ["superseded", "expired", "revoked"])
def test_a_decision_that_ended_is_not_put_anew(state):
    with pytest.raises(DecisionError, match="cannot be put anew"):
        reaffirmed(state)


def test_the_schema_names_every_field():
    described = Decision.model_json_schema()["properties"]
    assert set(described) >= {"question", "options", "choice", "opens", "needs", "seen", "expires", "measures"}
    assert all("description" in one for name, one in described.items() if name != "seen")
