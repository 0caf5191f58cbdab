# SPDX-License-Identifier: Apache-2.0
"""Who decided what: the log, folded. What breaks a rule has no effect, and is listed with its reason.

Whoever operates the log can write into it, so no entry is believed for standing there. An act counts only with the
signature of a key that spoke for its person, in a role that they held, as the rules of access and of the decision
allow. A key that turns out to be stolen takes back what was done with it, and all that rested on that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from tidegate.govern.access import Action, Request, Resource, allowed
from tidegate.govern.decisions import (
    Decision,
    Facts,
    Measure,
    Seen,
    SeenCase,
    SeenReport,
    moved,
    read_decision,
    reaffirmed,
    signed_over,
)
from tidegate.govern.keyring import KEY_KINDS, Keyring, keyring
from tidegate.govern.narrowing import Narrowing, taken_back
from tidegate.govern.people import Person
from tidegate.govern.records import (
    Answer,
    CaseRecord,
    CaseReview,
    Critique,
    DecisionRecord,
    Dissent,
    Documents,
    Move,
    Recusal,
    ReportRecord,
    Review,
    SignatureRecord,
    Version,
    Void,
)
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import day_of, moment
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import (
    CaseError,
    DecisionError,
    LedgerError,
    Problem,
    ReportError,
    SigningError,
    TidegateError,
)
from tidegate.ledger.acts import (
    CaseRecorded,
    CaseReviewed,
    CriticismAnswered,
    DecisionDissented,
    DecisionMoved,
    DecisionProposed,
    DecisionReaffirmed,
    DecisionRecused,
    DecisionReviewed,
    DecisionSigned,
    ReportCriticised,
    ReportFinalised,
    WaiverRecorded,
)
from tidegate.ledger.entries import KINDS, Entry, act_of

CLOCK_SKEW_SECONDS = 300
"""Clocks of people who sign differ; a signature further before the version that it is under cannot be genuine."""
RISK_OWNER = "risk-owner"


@dataclass(frozen=True)
class Governance:
    """Everything that the log says of who decided what."""

    keyring: Keyring
    """Which key speaks for whom."""
    decisions: Mapping[str, DecisionRecord] = field(default_factory=dict)
    """Decisions by id, with what the people of the project carry."""
    logged: Mapping[str, DecisionRecord] = field(default_factory=dict, repr=False)
    """The same as the log alone has them."""
    reports: Mapping[str, ReportRecord] = field(default_factory=dict)
    """Final reports by id."""
    cases: Mapping[str, CaseRecord] = field(default_factory=dict)
    """Safety cases by id."""
    voids: tuple[Void, ...] = ()
    """Entries without effect, in the log's order."""
    holders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Person -> roles that they hold at the end of the log."""
    size: int = 0
    """How many entries were read."""
    taken_back: Mapping[str, int] = field(default_factory=dict, repr=False)
    """``decision:D-1`` or ``model:m`` -> newest entry about it, or about a report on it, that a stolen key took back."""
    problems: Mapping[int, Problem] = field(default_factory=dict, repr=False)
    """Position -> why that entry has no effect, with its code."""

    @property
    def waivers(self) -> tuple[WaiverRecorded, ...]:
        """Measures put on record, with decisions in any state."""
        return tuple(one for record in self.decisions.values() for one in record.waivers)

    def decision(self, name: str) -> DecisionRecord:
        """Give a decision.

        Raises:
            DecisionError: DEC001, there is none of this id.
        """
        return _known(self.decisions, name, DecisionError, "DEC001", "decision")

    def final_reports(self, model: str, snapshot: str | None) -> tuple[SeenReport, ...]:
        """Give the newest final report of each kind about a model and snapshot."""
        newest: dict[str, ReportRecord] = {}
        for one in sorted(self.reports.values(), key=lambda report: report.index):
            if one.model == model and one.snapshot == snapshot:
                newest[one.kind] = one
        return tuple(
            SeenReport(kind=one.kind, report=one.report, document=one.document) for _, one in sorted(newest.items())
        )

    def newest_case(self, model: str) -> SeenCase | None:
        """Give the newest version of the safety case about a model that was recorded last."""
        found = [one for one in self.cases.values() if one.model == model]
        if not found:
            return None
        newest = max(found, key=lambda one: one.index)
        return SeenCase(case=newest.case, root=newest.root, document=newest.document)

    def seen(self, looked: Seen, model: str) -> Seen:
        """Give what somebody sees of a model, with its final reports and safety case."""
        case, reports = self.newest_case(model), self.final_reports(model, looked.snapshot)
        return looked.model_copy(update={"reports": reports, "case": case})

    def refuse_void(self, index: int) -> None:
        """Raise why the entry at a position has no effect; nothing if it has its effect."""
        if index in self.problems:
            raise _error_of(self.problems[index])


def governance(
    logged: Iterable[tuple[int, Entry]],
    documents: Documents,
    people: Sequence[Person] | None = None,
    counts: Callable[[Entry], bool] = lambda _: True,
) -> Governance:
    """Give who decided what, from a log. Whatever stands in the log, this does not raise.

    Args:
        logged: entries with their positions, in their order, all of them.
        documents: gives the documents that entries name by digest.
        people: people of the project; with them, what anybody else says helps no decision, nor what they say in a
            role that they do not have there. What speaks against a decision stands, whoever said it.
        counts: tells which entries the reader lets count; the others have no effect, and only tell the time.
    """
    entries = list(logged)
    ring = keyring(entries, counts)
    fold = _Fold(ring, documents)
    problems: dict[int, Problem] = {one.index: Problem("KEY003", f"{one.kind}: {one.reason}") for one in ring.voids}
    for index, entry in entries:
        if not counts(entry):
            problems[index] = Problem("KEY003", f"{entry.kind}: it is signed with a key that does not count here")
            continue
        try:
            _apply(fold, index, entry)
        except TidegateError as error:
            problems[index] = error.problems[0]
    decisions, cases, holders = fold.decisions, fold.cases, fold.holders()
    if people is not None:
        narrowing = Narrowing({one.id.casefold(): one for one in people})
        decisions = {name: narrowing.decision(one) for name, one in decisions.items()}
        cases = {name: narrowing.case(one) for name, one in cases.items()}
        holders = narrowing.holders(holders)
        problems |= narrowing.problems
    return Governance(
        keyring=ring,
        decisions=decisions,
        logged=fold.decisions,
        taken_back=taken_back(entries, ring, fold.decisions, documents),
        reports=fold.reports,
        cases=cases,
        voids=tuple(Void(index, problems[index].message) for index in sorted(problems)),
        holders=holders,
        size=len(entries),
        problems=problems,
    )


def _error_of(problem: Problem) -> TidegateError:
    kinds = {kind.prefix: kind for kind in (SigningError, DecisionError, ReportError, CaseError)}
    return kinds.get(problem.code[:3], LedgerError)(problem)


T = TypeVar("T")


def _known(items: Mapping[str, T], name: str, error: type[TidegateError], code: str, noun: str) -> T:
    if name not in items:
        raise error(Problem(code, f"there is no {noun} {name!r}", None, did_you_mean(name, items)))
    return items[name]


# --- the fold -----------------------------------------------------------------------------------------


class _Actor(NamedTuple):
    """Whoever acted, after their signature was checked."""

    id: str
    roles: tuple[str, ...]
    """Roles in which they may act: those of the key."""
    holds: frozenset[str]
    """Every role that they held by any key: what must be kept apart is judged by these."""
    key: str


@dataclass(frozen=True)
class _Said:
    """An act that counts as far as its signature goes."""

    index: int
    entry: Entry
    by: _Actor


@dataclass
class _Fold:
    """What is known while the log is read."""

    keyring: Keyring
    documents: Documents
    decisions: dict[str, DecisionRecord] = field(default_factory=dict)
    reports: dict[str, ReportRecord] = field(default_factory=dict)
    cases: dict[str, CaseRecord] = field(default_factory=dict)

    def document(self, digest: str) -> bytes:
        data = self.documents(digest)
        if data is None:
            raise LedgerError(Problem("LED009", f"the document {digest[:19]}... is not there"))
        if digest_bytes(data) != digest:
            raise LedgerError(Problem("LED009", f"the document {digest[:19]}... is not what its digest says"))
        return data

    def actor(self, index: int, entry: Entry) -> _Actor:
        reason = self.keyring.check(index, entry)
        if reason is not None or entry.signature is None or entry.by is None:
            code = "LED005" if entry.signature is None else "KEY003"
            raise SigningError(Problem(code, f"{entry.kind}: {reason or 'it names nobody'}"))
        time = self.keyring.moment(index, entry.acted_at)
        holding = self.keyring.holder(entry.signature.key, index, time)
        roles = set(holding.roles) if holding is not None else set[str]()
        held = {role for one in self.keyring.active(index) if one.person == entry.by for role in one.roles} | roles
        return _Actor(entry.by, tuple(sorted(roles)), frozenset(held), entry.signature.key)

    def holders(self, index: int | None = None) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for one in self.keyring.active(index):
            found.setdefault(one.person, set()).update(one.roles)
        return {person: frozenset(roles) for person, roles in sorted(found.items())}

    def decision(self, said: _Said, name: str, action: Action, role: str | None = None) -> DecisionRecord:
        """Give the decision, if the rules let whoever acted do this to it."""
        record = _known(self.decisions, name, DecisionError, "DEC001", "decision")
        cited = {one.report for one in record.document.seen.reports}
        about = {
            "authors": tuple(sorted({self.reports[one].author for one in cited if one in self.reports})),
            "proposer": tuple(sorted(record.proposers)),
            "recused": tuple(sorted(record.recused)),
            "implicated": record.document.accused,
            "risk_owners": tuple(person for person, roles in self.holders(said.index).items() if RISK_OWNER in roles),
            "signing_roles": tuple(sorted({role for need in record.document.needs for role in need.signers})),
        }
        self.permit(said, action, Resource(kind="decision", id=name, attributes=about), role)
        return record

    def permit(self, said: _Said, action: Action, resource: Resource, role: str | None = None) -> None:
        # What is forbidden to a role is forbidden with whichever key its holder signs.
        whole = said.by._replace(roles=tuple(sorted(said.by.holds)))
        reason = allowed(Request(whole, action, resource, role))
        if reason is not None:
            raise SigningError(Problem("KEY006", f"{said.entry.kind}: {reason}"))


def _apply(fold: _Fold, index: int, entry: Entry) -> None:
    """Let an entry have its effect, or raise why it has none."""
    if entry.kind == "case.recorded":
        _case_recorded(fold, index, entry)
    elif entry.kind in KEY_KINDS or not KINDS[entry.kind].is_signed:
        return
    else:
        actor = fold.actor(index, entry)
        if entry.kind in _HANDLERS:
            _HANDLERS[entry.kind](fold, _Said(index, entry, actor))


# --- decisions ----------------------------------------------------------------------------------------

_PUT_ANEW = frozenset({"seen", "needs", "notices", "proposed_by", "proposed_at"})
"""What may differ when a decision is put anew (notices are only added); with anything else it is another one."""


def _load(fold: _Fold, said: _Said, digest: str) -> Decision:
    document = read_decision(fold.document(digest))
    if document.proposed_by != said.by.id:
        message = f"the decision says that {document.proposed_by} puts it, and {said.by.id} does"
        raise DecisionError(Problem("DEC004", message))
    return document


def _proposed(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, DecisionProposed)
    if act.decision in fold.decisions:
        raise DecisionError(Problem("DEC002", f"there is a decision {act.decision} already", None, "choose another id"))
    fold.permit(said, "propose", Resource(kind="decision", id=act.decision))
    document = _load(fold, said, act.document)
    stated = (act.decision, act.model, act.snapshot, act.actions, act.approvals)
    approvals = tuple(one.approval for one in document.needs)
    if stated != (document.id, document.model, document.snapshot, document.actions, approvals):
        raise DecisionError(Problem("DEC004", f"the entry and the document of {act.decision} do not say the same"))
    version = Version(act.document, document, said.index, said.by.id, said.entry.acted_at)
    fold.decisions[act.decision] = DecisionRecord(act.decision, (version,))


def _reviewed(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, DecisionReviewed)
    record = fold.decision(said, act.decision, "review")
    _refuse_ended(record, "reviewed")
    _refuse_other_version(record, act.document)
    made = Review(said.by.id, act.verdict, act.text, act.document, said.index, said.entry.acted_at)
    fold.decisions[record.id] = replace(record, reviews=(*record.reviews, made))


def _recused(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, DecisionRecused)
    record = fold.decision(said, act.decision, "recuse")
    made = Recusal(said.by.id, act.reason, said.index, said.entry.acted_at)
    fold.decisions[record.id] = replace(record, recusals=(*record.recusals, made))


def _dissented(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, DecisionDissented)
    record = fold.decision(said, act.decision, "dissent")
    if act.document not in {one.digest for one in record.versions}:
        raise DecisionError(Problem("DEC003", f"{record.id} has no version {act.document[:19]}..."))
    made = Dissent(said.by.id, act.text, act.document, said.index, said.entry.acted_at)
    fold.decisions[record.id] = replace(record, dissents=(*record.dissents, made))


def _signed(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, DecisionSigned)
    record = _known(fold.decisions, act.decision, DecisionError, "DEC001", "decision")
    who, entry = said.by, said.entry
    if who.id in record.recused:
        raise DecisionError(Problem("DEC005", f"{who.id} is recused from {record.id}"))
    if not any(act.role in need.signers for need in record.document.needs):
        raise DecisionError(Problem("DEC005", f"the policy does not name {act.role} as a signer of {record.id}"))
    if act.role not in who.roles:
        raise SigningError(Problem("KEY004", f"{who.id} does not hold the role {act.role}"))
    fold.decision(said, act.decision, "sign", act.role)
    _refuse_ended(record, "signed")
    _refuse_other_version(record, act.document)
    if entry.over != signed_over(record.document):
        raise DecisionError(Problem("DEC003", f"{who.id} did not sign over exactly what {record.id} rests on"))
    if (moment(record.current.at) - moment(entry.acted_at)).total_seconds() > CLOCK_SKEW_SECONDS:
        raise DecisionError(Problem("DEC005", f"{who.id} says to have signed before this version was put"))
    if any((one.person, one.role) == (who.id, act.role) for one in record.in_force):
        raise DecisionError(Problem("DEC005", f"{who.id} has signed {record.id} as {act.role} already"))
    made = SignatureRecord(who.id, act.role, who.key, who.holds, act.document, entry.over, said.index, entry.acted_at)
    fold.decisions[record.id] = replace(record, signatures=(*record.signatures, made))


def _moved(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, DecisionMoved)
    record = fold.decision(said, act.decision, "move")
    if act.to == "revoked" and act.reason is None:
        raise DecisionError(Problem("DEC004", f"{record.id} is revoked without a reason"))
    successor = fold.decisions.get(act.by_decision) if act.by_decision is not None else None
    facts = Facts(
        missing=record.missing(),
        is_replaced=successor is not None and replaces(successor, record.id),
        is_past=day_of(said.entry.acted_at) > record.document.expires,
    )
    state = moved(record.state, act.to, facts)
    made = Move(
        record.state, state, said.by.id, said.index, said.entry.acted_at, reason=act.reason, by_decision=act.by_decision
    )
    fold.decisions[record.id] = replace(record, state=state, moves=(*record.moves, made))


def replaces(successor: DecisionRecord, name: str) -> bool:
    """Tell whether a decision took the place of the one of this id, whatever became of it since."""
    return successor.document.supersedes == name and successor.effective_on is not None


def _reaffirmed(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, DecisionReaffirmed)
    record = fold.decision(said, act.decision, "reaffirm")
    state = reaffirmed(record.state)
    _refuse_other_version(record, act.was)
    if act.document in {one.digest for one in record.versions}:
        raise DecisionError(Problem("DEC003", f"{record.id} had this version before"))
    document, before = _load(fold, said, act.document), record.document
    kept = [name for name in Decision.model_fields if name not in _PUT_ANEW]
    changed = [name for name in kept if getattr(document, name) != getattr(before, name)]
    if not set(before.notices) <= set(document.notices):
        changed.append("notices")
    if changed:
        message = f"{record.id} is put anew with another {' and '.join(changed)}"
        raise DecisionError(Problem("DEC004", message, None, "that is another decision: propose it"))
    version = Version(act.document, document, said.index, said.by.id, said.entry.acted_at, act.reason)
    move = Move(record.state, state, said.by.id, said.index, said.entry.acted_at, reason=act.reason)
    fold.decisions[record.id] = replace(
        record,
        versions=(*record.versions, version),
        state=state,
        moves=record.moves if state == record.state else (*record.moves, move),
    )


def _waiver_recorded(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, WaiverRecorded)
    record = fold.decision(said, act.decision, "record_waiver")
    _refuse_ended(record, "given further measures")
    if act not in _waivers_of(record.document):
        message = f"{act.kind.replace('_', ' ')} {act.waiver} is not what {record.id} contains"
        raise DecisionError(Problem("DEC006", message))
    if act in record.waivers:
        raise DecisionError(Problem("DEC006", f"{act.waiver} is on record already"))
    fold.decisions[record.id] = replace(record, waivers=(*record.waivers, act))


def _waivers_of(document: Decision) -> tuple[WaiverRecorded, ...]:
    return tuple(waiver_of(one, document) for one in document.measures)


def waiver_of(measure: Measure, document: Decision) -> WaiverRecorded:
    """Give what goes on record for a measure of a decision."""
    assert document.model is not None, "a decision with measures names its model"
    return WaiverRecorded(
        waiver=measure.id,
        kind=measure.kind,
        decision=document.id,
        requirements=measure.requirements,
        actions=measure.actions,
        model=document.model,
        snapshot=measure.snapshot,
        until=measure.until,
        is_public=measure.is_public,
        reason=measure.reason,
    )


def _refuse_other_version(record: DecisionRecord, digest: str) -> None:
    if digest != record.digest:
        message = f"that is about another version of {record.id} than the current one"
        raise DecisionError(Problem("DEC003", message, None, "read it again with `tidegate decide show`"))


def _refuse_ended(record: DecisionRecord, done: str) -> None:
    if record.state in ("superseded", "expired", "revoked"):
        raise DecisionError(Problem("DEC002", f"{record.id} is {record.state}, and is not {done} any more"))


# --- reports and cases --------------------------------------------------------------------------------


def _finalised(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, ReportFinalised)
    fold.permit(said, "finalise_report", Resource(kind="report", id=act.report))
    if act.report in fold.reports:
        raise ReportError(Problem("REP001", f"the report {act.report} is final already", None, "give it another id"))
    fold.document(act.document)
    fold.reports[act.report] = ReportRecord(
        report=act.report,
        kind=act.kind,
        model=act.model,
        snapshot=act.snapshot,
        document=act.document,
        author=said.by.id,
        index=said.index,
        at=said.entry.acted_at,
    )


def _criticised(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, ReportCriticised)
    record = _known(fold.reports, act.report, ReportError, "REP003", "report")
    about = Resource(kind="report", id=act.report, attributes={"authors": (record.author,)})
    fold.permit(said, "criticise_report", about)
    if any(one.critique == act.critique for report in fold.reports.values() for one in report.critiques):
        raise ReportError(Problem("REP003", f"there is a critique {act.critique} already", None, "give it another id"))
    fold.document(act.document)
    made = Critique(
        act.critique, act.report, said.by.id, act.points, act.document, index=said.index, at=said.entry.acted_at
    )
    fold.reports[act.report] = replace(record, critiques=(*record.critiques, made))


def _answered(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, CriticismAnswered)
    found = {one.critique: (report, one) for report in fold.reports.values() for one in report.critiques}
    record, critique = _known(found, act.critique, ReportError, "REP003", "critique")
    if act.point > critique.points:
        raise ReportError(Problem("REP003", f"{act.critique} has {critique.points} points, and no point {act.point}"))
    about = Resource(kind="report", id=record.report, attributes={"authors": (record.author,)})
    fold.permit(said, "answer_criticism", about)
    made = Answer(act.point, act.outcome, act.text, said.by.id, said.index, said.entry.acted_at)
    answered = replace(critique, answers=(*critique.answers, made))
    critiques = tuple(answered if one.critique == act.critique else one for one in record.critiques)
    fold.reports[record.report] = replace(record, critiques=critiques)


def _case_recorded(fold: _Fold, index: int, entry: Entry) -> None:
    reason = fold.keyring.check(index, entry)
    if reason is not None:
        raise SigningError(Problem("KEY003", f"{entry.kind}: {reason}"))
    act = act_of(entry, CaseRecorded)
    fold.document(act.document)
    known = fold.cases.get(act.case)
    if known is not None and known.model != act.model:
        raise CaseError(Problem("CAS002", f"the case {act.case} is about {known.model}, not {act.model}"))
    author = (entry.by,) if entry.by is not None else ()
    newest = max((one.index for one in fold.cases.values() if one.model == act.model), default=index)
    is_same = known is not None and (known.index, known.root, known.document) == (newest, act.root, act.document)
    if known is not None and is_same:
        # Entered once more, and nothing else since: that is no new version.
        fold.cases[act.case] = replace(known, authors=tuple(dict.fromkeys((*known.authors, *author))))
        return
    fold.cases[act.case] = CaseRecord(
        case=act.case,
        model=act.model,
        root=act.root,
        document=act.document,
        authors=tuple(dict.fromkeys((*(known.authors if known else ()), *author))),
        index=index,
        at=entry.acted_at,
        earlier=(*known.earlier, known.document) if known else (),
        reviews=known.reviews if known else (),
    )


def _case_reviewed(fold: _Fold, said: _Said) -> None:
    act = act_of(said.entry, CaseReviewed)
    record = _known(fold.cases, act.case, CaseError, "CAS002", "safety case")
    about = Resource(kind="argument", id=act.case, attributes={"authors": record.authors})
    fold.permit(said, "review_case", about)
    made = CaseReview(said.by.id, act.nodes, act.verdict, act.text, said.index, said.entry.acted_at)
    fold.cases[act.case] = replace(record, reviews=(*record.reviews, made))


_HANDLERS: Mapping[str, Callable[[_Fold, _Said], None]] = {
    "decision.proposed": _proposed,
    "decision.reviewed": _reviewed,
    "decision.recused": _recused,
    "decision.dissented": _dissented,
    "decision.signed": _signed,
    "decision.moved": _moved,
    "decision.reaffirmed": _reaffirmed,
    "waiver.recorded": _waiver_recorded,
    "report.finalised": _finalised,
    "report.criticised": _criticised,
    "report.answered": _answered,
    "case.reviewed": _case_reviewed,
}
"""Kind of entry -> what it does, once its signature is checked."""
