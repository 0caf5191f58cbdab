# SPDX-License-Identifier: Apache-2.0
"""Decisions: what people are asked, what they see, what they say yes to, and the states that a decision goes through.

A decision is a document. Whoever signs it signs its digest and the digests of everything that it rests on, so that
nobody can say later that they were shown something else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator

from tidegate.assess.governed import NEVER_RELIEVED
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.clock import Instant, day_of
from tidegate.kernel.errors import DecisionError, Problem
from tidegate.kernel.record import Record
from tidegate.ledger.acts import DigestText, Name, Text
from tidegate.ledger.entries import Signed
from tidegate.policy.model import Action, Approval, Id, Policy

SCHEMA_ID: Literal["tidegate/decision/v1"] = "tidegate/decision/v1"
MAX_DECISION_BYTES = 1_000_000
"""A decision is read by the people who sign it; what is longer belongs into a report that it names."""

ReportKind = Literal["capability", "safeguards"]
MeasureKind = Literal["interim_measure", "waiver", "deviation"]
Recipient = Literal["board", "trust", "government", "public"]

REPORT_ACTS: Mapping[str, ReportKind] = {"capability_report": "capability", "safeguards_report": "safeguards"}
"""Act of an approval -> kind of the final report that whoever signs it has to see."""
POLICY_CHANGE = "policy_change"
"""Act of an approval that an amendment of the policy takes."""
_RECIPIENTS: tuple[Recipient, ...] = ("board", "trust", "government", "public")


class Need(Record):
    """Signatures that a decision needs: an approval, as the policy states it."""

    approval: Id
    """Id of the approval."""
    act: str
    """Act that is approved."""
    signers: tuple[Id, ...] = ()
    """Roles that may sign."""
    quorum: Annotated[int, Field(ge=1)] | None = None
    """How many of them must; none means all."""
    apart: tuple[tuple[Id, Id], ...] = ()
    """Pairs of roles that one person may not hold in one decision."""


class SeenReport(Record):
    """A final report that the signers see."""

    kind: ReportKind
    """What it is about."""
    report: Name
    """Its id."""
    document: DigestText
    """Digest of the report."""


class SeenCase(Record):
    """A version of a safety case that the signers see."""

    case: Name
    """Its id."""
    root: DigestText
    """Content digest of the whole case."""
    document: DigestText
    """Digest of the case as data."""


class Seen(Record):
    """What a decision rests on, by digest."""

    policy: str
    """Label of the policy."""
    policy_digest: DigestText
    """Digest of its content."""
    evidence_digest: DigestText | None = None
    """Digest of the evidence about the model."""
    model_digest: DigestText | None = None
    """Digest of the model as the project describes it."""
    snapshot: str | None = None
    """Snapshot that was assessed."""
    assessment_digest: DigestText | None = None
    """Digest of the assessment."""
    findings_digest: DigestText | None = None
    """Digest of what it concludes, which does not change with the day alone."""
    at: date
    """Day of the assessment."""
    reports: tuple[SeenReport, ...] = ()
    """Final reports."""
    case: SeenCase | None = None
    """Safety case."""


class Recommendation(Record):
    """What somebody whose part is to recommend recommends."""

    text: Text
    """In words."""
    by: Annotated[tuple[Name, ...], Field(min_length=1)]
    """People or bodies."""


class Condition(Record):
    """Something that has to be done because of the decision."""

    text: Text
    """What."""
    owner: Name
    """Who answers for it."""
    due: date
    """By when."""


class Notice(Record):
    """Somebody has to be told of the decision."""

    to: Recipient
    """Who."""
    due: date
    """By when."""
    text: Text | None = None
    """What they are told."""


class Measure(Record):
    """An interim measure, waiver or deviation that the decision grants if it says yes."""

    id: Name
    """Its id."""
    kind: MeasureKind
    """Another measure of the same assurance, a requirement set aside, or a departure that is only stated."""
    requirements: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Requirements of the policy that it is about."""
    actions: tuple[Action, ...] = ()
    """Actions for which it holds."""
    snapshot: str | None = None
    """Snapshot for which it holds: the one that its decision is about, named or not."""
    until: date
    """Last day on which it counts."""
    is_public: bool = False
    """True if it is published."""
    reason: Text
    """Why."""


class Decision(Record):
    """A question to those who have to sign, with what they see and what follows from a yes."""

    schema_: Literal["tidegate/decision/v1"] = Field(alias="schema", default=SCHEMA_ID)
    """Names this format."""
    id: Name
    """Its id."""
    question: Text
    """What is decided."""
    options: Annotated[tuple[Text, ...], Field(min_length=2, max_length=20)]
    """What could be chosen."""
    choice: Text
    """What is put for signature: one of the options."""
    opens: bool = False
    """True if the choice says yes to the actions and measures."""
    recommendation: Recommendation | None = None
    """What was recommended, and by whom."""
    model: str | None = None
    """Model that it is about, if it is about one."""
    snapshot: str | None = None
    """Snapshot that it is about; none means the one that was assessed."""
    actions: tuple[Action, ...] = ()
    """Actions that a yes opens."""
    needs: tuple[Need, ...] = ()
    """Approvals of the policy that it gives, and whose signatures they take."""
    seen: Seen
    """What it rests on."""
    conditions: tuple[Condition, ...] = ()
    """What has to be done."""
    notices: tuple[Notice, ...] = ()
    """Who has to be told."""
    expires: date
    """Last day on which it counts."""
    measures: tuple[Measure, ...] = ()
    """Measures that it grants."""
    accused: tuple[Name, ...] = ()
    """People whose own conduct it is about: they neither sign nor review it."""
    adopts: DigestText | None = None
    """Policy that may take the place of the present one if it says yes: digest of its content without rule locks."""
    supersedes: Name | None = None
    """Decision whose place it takes."""
    proposed_by: Name
    """Who puts it."""
    proposed_at: Instant
    """When."""

    @model_validator(mode="after")
    def _holds_together(self) -> "Decision":
        problems = tuple(_contradictions(self))
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_serializer(mode="wrap")
    def _with_its_format(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Whoever finds the document by its digest alone should see what it is.
        return {**handler(self), "schema": SCHEMA_ID}

    @property
    def data(self) -> bytes:
        """The canonical bytes: what the store keeps and the digest is of."""
        return canonical_bytes(self)

    @property
    def digest(self) -> str:
        """Digest of the canonical bytes."""
        return digest_bytes(self.data)

    @property
    def about(self) -> str | None:
        """Snapshot that it is about: the one named, or the one that the signers saw."""
        return self.snapshot or self.seen.snapshot


def _contradictions(one: Decision) -> Sequence[str]:
    found: list[str] = []
    if one.choice not in one.options:
        found.append("the choice is none of the options")
    if one.opens and says(one.choice) is False:
        found.append(f"the choice is {one.choice!r}, and it is said to open")
    found += _about(one)
    if one.supersedes == one.id:
        found.append("it cannot take its own place")
    for noun, names in (
        ("options", one.options),
        ("approvals", [need.approval for need in one.needs]),
        ("measures", [measure.id for measure in one.measures]),
        ("reports", [f"{report.kind} {report.report}" for report in one.seen.reports]),
    ):
        if len(set(names)) < len(names):
            found.append(f"two of its {noun} are the same")
    return found


def _about(one: Decision) -> Sequence[str]:
    """Give where a decision does not agree with what it is about."""
    found: list[str] = []
    if one.adopts is not None and one.model is not None:
        found.append("an amendment of the policy is about no model")
    if one.model is None and (one.actions or one.measures or one.snapshot):
        found.append("actions, measures and snapshots belong to a model: name the model")
    seen = one.seen
    digests = (seen.evidence_digest, seen.model_digest, seen.assessment_digest, seen.findings_digest)
    if one.model is not None and None in digests:
        found.append("a decision about a model names the digests of its evidence, model, assessment and findings")
    if one.snapshot is not None and one.snapshot != one.seen.snapshot:
        found.append(f"it is about the snapshot {one.snapshot}, and rests on an assessment of another")
    return found


def says(choice: str) -> bool | None:
    """Tell whether a choice is a yes or a no by its first word; none if neither is."""
    first = re.match(r"\s*(yes|no)\b", choice, re.IGNORECASE)
    return None if first is None else first.group(1).casefold() == "yes"


def content_digest(policy: Policy) -> str:
    """Give the digest of what a policy says, whichever of its rules are locked."""
    return policy.with_locks_only(()).digest


def read_decision(data: bytes) -> Decision:
    """Give the decision that canonical bytes stand for.

    Raises:
        DecisionError: DEC004, they are no decision, or not in canonical form.
    """
    if len(data) > MAX_DECISION_BYTES:
        message = f"{len(data):,} bytes; a decision has at most {MAX_DECISION_BYTES:,}"
        raise DecisionError(Problem("DEC004", message, None, "put what is long into a report that it names"))
    try:
        made = Decision.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as error:
        lines = [one["msg"] for one in error.errors()] if isinstance(error, ValidationError) else str(error).split("\n")
        raise DecisionError(Problem("DEC004", f"not a decision: {'; '.join(lines[:3])}")) from None
    if made.data != data:
        raise DecisionError(Problem("DEC004", "the decision is not in canonical form"))
    return made


def signed_over(document: Decision) -> tuple[Signed, ...]:
    """Give what a signer's statement has as subjects: the decision, and everything that it rests on."""
    rests_on = document.seen
    named: list[tuple[str, str | None]] = [
        ("decision", document.digest),
        ("policy", rests_on.policy_digest),
        ("evidence", rests_on.evidence_digest),
        ("models", rests_on.model_digest),
        ("assessment", rests_on.assessment_digest),
    ]
    count: dict[str, int] = {}
    for report in rests_on.reports:
        number = count[report.kind] = count.get(report.kind, 0) + 1
        named.append((f"report:{report.kind}" if number == 1 else f"report:{report.kind}:{number}", report.document))
    if rests_on.case is not None:
        named.append(("case", rests_on.case.document))
    return tuple(Signed(name=name, digest=digest) for name, digest in named if digest is not None)


# --- what the policy asks of a decision ---------------------------------------------------------------


def need_of(policy: Policy, approval: Approval) -> Need:
    """Give the signatures that an approval takes, with the pairs of roles that the policy keeps apart."""
    pairs = {
        (min(role.id, other), max(role.id, other))
        for role in policy.roles
        for other in role.not_same_as
        if approval.signers and (role.id in approval.signers or other in approval.signers)
    }
    return Need(
        approval=approval.id,
        act=approval.act,
        signers=approval.signers,
        quorum=approval.quorum,
        apart=tuple(sorted(pairs)),
    )


def needs_for(policy: Policy, actions: Sequence[Action], acts: Sequence[str] = ()) -> tuple[Need, ...]:
    """Give the needs of a decision: approvals that must come before any of the actions, and those of the acts."""
    return tuple(
        need_of(policy, one)
        for one in policy.approvals
        if (one.binds and set(actions) & set(one.before)) or one.act in acts
    )


def notices_for(policy: Policy, needs: Sequence[Need], due: date) -> tuple[Notice, ...]:
    """Give the notices that the policy asks for with these approvals."""
    told = {
        recipient
        for one in policy.approvals
        for recipient in _RECIPIENTS
        if recipient in one.disclosure and any(need.approval == one.id for need in needs)
    }
    return tuple(Notice(to=one, due=due) for one in _RECIPIENTS if one in told)


def incomplete(document: Decision, policy: Policy) -> tuple[Problem, ...]:
    """Give what a decision lacks under a policy (DEC004), and measures that it does not provide for (DEC006)."""
    found = [Problem("DEC004", message, None, hint) for message, hint in _lacking(document, policy)]
    for measure in document.measures:
        found += _refused_measure(measure, document, policy)
    return tuple(found)


def _lacking(document: Decision, policy: Policy) -> Sequence[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    approvals = {one.id: one for one in policy.approvals}
    for need in document.needs:
        if need.approval not in approvals:
            found.append((f"the policy has no approval {need.approval}", None))
        elif need != need_of(policy, approvals[need.approval]):
            found.append((f"{need.approval} asks for other signatures than the policy does", "propose it anew"))
    if document.adopts is not None and all(need.act != POLICY_CHANGE for need in document.needs):
        found.append(("it adopts a policy, and the present one has no approval for that", "adopt it without one"))
    if not document.needs:
        found.append(("it gives no approval of the policy, so that nobody's signature would count", None))
    kinds = {one.kind for one in document.seen.reports}
    for need in document.needs:
        kind = REPORT_ACTS.get(need.act)
        if kind is not None and kind not in kinds:
            hint = f"make one with `tidegate report {kind} {document.model or 'MODEL'} --final`"
            found.append((f"{need.approval} approves a {kind} report, and no final one is among what was seen", hint))
    if document.expires < day_of(document.proposed_at):
        found.append((f"it expired on {document.expires.isoformat()}, before it was proposed", None))
    told = {one.to for one in document.notices}
    missing = [one.to for one in notices_for(policy, document.needs, document.expires) if one.to not in told]
    found += [
        (f"the policy says that the {one} is told, and no notice is due", f"add one to: {one}") for one in missing
    ]
    return found


def _refused_measure(measure: Measure, document: Decision, policy: Policy) -> Sequence[Problem]:
    name = f"{measure.kind.replace('_', ' ')} {measure.id}"
    listed = [*policy.baseline, *(one for threshold in policy.thresholds for one in threshold.requirements)]
    known = {one.id: one for one in listed}
    found: list[Problem] = []
    providing = [one for one in policy.approvals if one.act == measure.kind]
    asked = {one.approval for one in document.needs}
    if not providing:
        found.append(Problem("DEC006", f"{name}: the policy has no approval for the act {measure.kind}"))
    lacking = [one.id for one in providing if one.id not in asked]
    found += [Problem("DEC004", f"{name} takes {one}, which this decision does not give") for one in lacking]
    for requirement in measure.requirements:
        if requirement not in known:
            found.append(Problem("DEC006", f"{name}: the policy has no requirement {requirement}"))
        elif known[requirement].kind in NEVER_RELIEVED and measure.kind != "deviation":
            kind = known[requirement].kind.replace("_", " ")
            found.append(Problem("DEC006", f"{name}: nothing can stand in for {requirement} ({kind})"))
    if measure.snapshot not in (None, document.about):
        message = f"{name} is for {measure.snapshot}, and its signers look at {document.about or 'no snapshot'}"
        found.append(Problem("DEC006", message, None, "put a decision about that snapshot"))
    if measure.kind != "deviation" and not measure.actions:
        found.append(Problem("DEC004", f"{name} names no action for which it holds"))
    if measure.until > document.expires:
        message = f"{name} ends on {measure.until.isoformat()}, after the decision ({document.expires.isoformat()})"
        found.append(Problem("DEC004", message))
    if measure.until < day_of(document.proposed_at):
        found.append(Problem("DEC004", f"{name} ended on {measure.until.isoformat()}, before it was proposed"))
    return found


def suspect(document: Decision, now: Seen) -> tuple[str, ...]:
    """Say what changed since the decision was signed; nothing if it still rests on what the signers saw.

    Args:
        document: the decision.
        now: what somebody who looks now sees, newest final reports and case included. Its assessment is that of the
            day of the one signed over, by the evidence of now, so that the day alone makes no difference.
    """
    then = document.seen
    found = _changed(then, now) if document.model is not None else []
    if then.policy_digest != now.policy_digest:
        amended = f" ({then.policy}, now {now.policy})" if then.policy != now.policy else f" ({then.policy})"
        found.insert(0, f"the policy was amended{amended}")
    for kind in dict.fromkeys(one.kind for one in then.reports):
        known = {(one.report, one.document) for one in then.reports if one.kind == kind}
        current = {(one.report, one.document) for one in now.reports if one.kind == kind}
        if current - known:
            found.append(f"there is a newer final {kind} report")
        elif known - current:
            found.append(f"its {kind} report is not final")
    if then.case is not None and now.case is None:
        found.append(f"the safety case {then.case.case} is not recorded")
    elif then.case is not None and now.case is not None and then.case != now.case:
        what = "version of the safety case" if then.case.case == now.case.case else "safety case than"
        found.append(f"there is another {what} {then.case.case}")
    return tuple(found)


def _changed(then: Seen, now: Seen) -> list[str]:
    found: list[str] = []
    if then.snapshot != now.snapshot:
        found.append(f"the snapshot was replaced ({then.snapshot or 'none'}, now {now.snapshot or 'none'})")
    if then.model_digest != now.model_digest:
        found.append("the model is described otherwise")
    if then.evidence_digest != now.evidence_digest:
        found.append("the evidence changed")
    if then.findings_digest != now.findings_digest:
        found.append("the assessment comes to other findings")
    if then.assessment_digest != now.assessment_digest:
        found.append("the assessment of that day comes out otherwise")
    return found


# --- states -------------------------------------------------------------------------------------------

DecisionState = Literal["proposed", "in_review", "effective", "superseded", "expired", "revoked"]

NEXT: Mapping[DecisionState, tuple[DecisionState, ...]] = {
    "proposed": ("in_review", "revoked"),
    "in_review": ("effective", "revoked"),
    "effective": ("superseded", "expired", "revoked"),
    "superseded": (),
    "expired": (),
    "revoked": (),
}
"""State -> the states that it can go into. The last three end a decision."""


@dataclass(frozen=True)
class Facts:
    """What is true of a decision when somebody moves it."""

    missing: Sequence[str]
    """What it lacks before it can take effect: signatures, a review."""
    is_replaced: bool
    """True if a decision that takes its place is effective."""
    is_past: bool
    """True if its last day is over."""


def moved(state: DecisionState, to: DecisionState, facts: Facts) -> DecisionState:
    """Give the state that a decision comes into.

    Raises:
        DecisionError: DEC002, it cannot go there.
    """
    shown = to.replace("_", " ")
    if to not in NEXT[state]:
        allowed = " or ".join(one.replace("_", " ") for one in NEXT[state])
        hint = f"from here it can become {allowed}" if allowed else "this state is the last one; propose a new decision"
        message = f"a decision that is {state.replace('_', ' ')} cannot become {shown}"
        raise DecisionError(Problem("DEC002", message, None, hint))
    lacking: Mapping[DecisionState, Sequence[str]] = {
        "effective": facts.missing,
        "superseded": () if facts.is_replaced else ("no effective decision takes its place",),
        "expired": () if facts.is_past else ("its last day is not over",),
    }
    if lacking.get(to):
        message = f"the decision cannot become {shown}: {'; '.join(lacking[to])}"
        raise DecisionError(Problem("DEC002", message))
    return to


def reaffirmed(state: DecisionState) -> DecisionState:
    """Give the state of a decision that is put anew: it needs its signatures again.

    Raises:
        DecisionError: DEC002, it has ended.
    """
    if not NEXT[state]:
        message = f"a decision that is {state.replace('_', ' ')} cannot be put anew"
        raise DecisionError(Problem("DEC002", message, None, "propose a new decision"))
    return "proposed" if state == "proposed" else "in_review"
