# SPDX-License-Identifier: Apache-2.0
"""The rules SC01 to SC16: what a safety case has to be before anybody decides on it.

Each rule looks at every node once, so that a case of ten thousand nodes takes a fraction of a second.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tidegate.case.confidence import CaseConfidence, confidence_of
from tidegate.case.graph import can_support
from tidegate.case.model import CONTEXTUAL, EDGE, Kind, Node, SafetyCase, Severity, Watch
from tidegate.case.review import authors_of, is_second_person, root_of
from tidegate.case.setting import CaseContext, Place, Setting
from tidegate.case.weighing import Pass, closing_faults, evaluate
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.duration import add
from tidegate.kernel.errors import CaseError, Problem, Where
from tidegate.kernel.record import Record

RULES: dict[str, str] = {
    "SC01": "There is exactly one root claim, and the case names its model, actions, period and thresholds.",
    "SC02": "Nothing rests on itself.",
    "SC03": "Every edge joins kinds that it may join, and nodes that exist.",
    "SC04": "A claim that nothing supports says that it is undeveloped, and only such a claim does.",
    "SC05": "Every argument says how its parts combine, and why they suffice.",
    "SC06": "An assumption has an owner and a day of review that has not passed.",
    "SC07": "Evidence has a digest, a producer, a date and a model, is what it was, and is within its validity.",
    "SC08": "Evidence about another model or snapshot says why it speaks for this one.",
    "SC09": "An open defeater blocks or caps; closing one needs a record and a second person.",
    "SC10": "What changed since its review, or what rests on it, is suspect until it is reviewed again.",
    "SC11": "For each threshold the case names the observation that would falsify it.",
    "SC12": "Lines of argument that converge do not share a source.",
    "SC13": "Every node was reviewed by somebody who did not write it.",
    "SC14": "Confidence is an interval with its ground, for every piece of evidence.",
    "SC15": "Every node has words and hangs under the top claim, so that every drawing shows it.",
    "SC16": "An indicator has a metric, a bound, a window and a claim; a breach opens a review.",
}
"""Rule -> what it asks for."""


class CaseFinding(Record):
    """One thing that a rule found."""

    code: str
    """Rule: ``SC01`` to ``SC16``."""
    severity: Severity
    """How grave it is."""
    message: str
    """What was found."""
    node: str | None = None
    """Node that it is about; none for the case as a whole."""
    where: Where | None = None
    """Where the node stands, if it was read from a file."""
    hint: str | None = None
    """What to do."""
    blocks: bool = False
    """True if it stands in the way of a decision."""
    opens_review: bool = False
    """True if somebody has to review the node because of it."""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        about = f"{self.node}: " if self.node else ""
        return f"{place}{self.severity} {self.code}: {about}{self.message}{hint}"


@dataclass(frozen=True)
class Examination:
    """A case looked at in its context: findings, confidence, reviews and hashes."""

    setting: Setting

    @cached_property
    def findings(self) -> tuple[CaseFinding, ...]:
        """Everything that the rules found, in the order of the rules and of the nodes."""
        found = (finding for rule in _CHECKS for finding in rule(self))
        return tuple(sorted(found, key=lambda one: one.code))

    @cached_property
    def weighed(self) -> Pass:
        """Confidence in each node, and which arguments share sources."""
        return evaluate(self.setting)

    @cached_property
    def confidence(self) -> CaseConfidence:
        """Confidence in the case."""
        return confidence_of(self.weighed)

    @property
    def hashes(self) -> Mapping[str, str]:
        """The content hash of every node."""
        return self.setting.hashes

    @cached_property
    def root(self) -> str:
        """The content digest of the case."""
        return root_of(self.setting.graph, self.setting.hashes)

    @property
    def suspects(self) -> dict[str, str]:
        """Nodes whose review no longer holds, and why."""
        return {name: one.why for name, one in self.setting.reviews.items() if one.state == "suspect"}

    @property
    def unreviewed(self) -> tuple[str, ...]:
        """Nodes that nobody but their author has reviewed."""
        return tuple(name for name, one in self.setting.reviews.items() if one.state == "unreviewed")

    @property
    def blocking(self) -> tuple[CaseFinding, ...]:
        """Findings that stand in the way of a decision."""
        return tuple(one for one in self.findings if one.blocks)


def examine(case: SafetyCase, context: CaseContext) -> Examination:
    """Give everything that there is to know about a case in its context, each part computed once."""
    return Examination(Setting(case, context))


def check(case: SafetyCase, context: CaseContext) -> tuple[CaseFinding, ...]:
    """Give what the rules SC01 to SC16 find in a case."""
    return examine(case, context).findings


def require_sound(looked: Examination) -> None:
    """Refuse a case on which nobody may decide yet.

    Raises:
        CaseError: CAS003, with every finding that stands in the way.
    """
    problems = [
        Problem("CAS003", f"{one.code}: {one.node + ': ' if one.node else ''}{one.message}", one.where, one.hint)
        for one in looked.blocking
    ]
    if problems:
        raise CaseError(*problems)


class _Said(NamedTuple):
    """What a finding says, and what to do about it."""

    message: str
    hint: str | None = None


def _finding(
    setting: Setting, code: str, place: Place, said: _Said, *, severity: Severity = "error", review: bool = False
) -> CaseFinding:
    key = place
    while key and key not in setting.context.places:
        key = key[:-1]
    return CaseFinding(
        code=code,
        severity=severity,
        message=said.message,
        node=str(place[0]) if place else None,
        where=setting.context.places.get(key),
        hint=said.hint,
        blocks=severity != "note" and code in setting.context.blocking,
        opens_review=review,
    )


# --- SC01 to SC05: the shape of the argument -----------------------------------------------------------


def _one_root(looked: Examination) -> Iterator[CaseFinding]:
    setting = looked.setting
    roots = setting.graph.roots
    if not roots:
        yield _finding(setting, "SC01", (), _Said("there is no root claim", "add a claim that supports nothing"))
    for extra in roots[1:]:
        said = _Said(f"{extra} is a second root claim, besides {roots[0]}", f"let it support {roots[0]}, or remove it")
        yield _finding(setting, "SC01", (extra,), said)
    top: Place = (roots[0],) if roots else ()
    yield from _named_scope(setting, top)
    yield from _known_scope(setting, top)


def _named_scope(setting: Setting, top: Place) -> Iterator[CaseFinding]:
    case, at = setting.case, setting.context.at
    parts = {"actions": case.actions, "period.from": case.period.from_, "period.until": case.period.until}
    for name, value in {**parts, "thresholds": case.thresholds}.items():
        if not value:
            yield _finding(setting, "SC01", top, _Said(f"the case does not state its {name}", f"add `{name}`"))
    if case.period.until is not None and case.period.until < at:
        said = _Said(f"its period ended on {case.period.until.isoformat()}", "renew the case")
        yield _finding(setting, "SC01", top, said)
    node = case.node(str(top[0])) if top else None
    names = {case.model, *((setting.model.title,) if setting.model else ())}
    if node is not None and not any(name.casefold() in node.text.casefold() for name in names):
        said = _Said(f"the root claim does not name the model {case.model}", "say of which model it is claimed")
        yield _finding(setting, "SC01", (node.id, "text"), said, severity="warning")


def _known_scope(setting: Setting, top: Place) -> Iterator[CaseFinding]:
    case, policy, models = setting.case, setting.context.policy, setting.context.models
    if models and setting.model is None:
        hint = did_you_mean(case.model, [one.id for one in models])
        yield _finding(setting, "SC01", top, _Said(f"there is no model {case.model!r}", hint))
    elif setting.model is not None and case.snapshot and setting.model.snapshot(case.snapshot) is None:
        yield _finding(setting, "SC01", top, _Said(f"{case.model} has no snapshot {case.snapshot!r}"))
    for name in case.thresholds if policy is not None else ():
        if policy is not None and policy.threshold(name) is None:
            hint = did_you_mean(name, [one.id for one in policy.thresholds])
            yield _finding(setting, "SC01", top, _Said(f"{policy.label} has no threshold {name!r}", hint))


def _no_circles(looked: Examination) -> Iterator[CaseFinding]:
    for cycle in looked.setting.graph.cycles:
        shown = f" {EDGE} ".join(sorted(cycle)[:6]) + (" ..." if len(cycle) > 6 else "")
        first = min(cycle)
        said = _Said(f"it rests on itself: {shown}", "take out one of the edges, or ask what really supports what")
        yield _finding(looked.setting, "SC02", (first, "supported_by"), said)


_MAY_BE_SUPPORTED: frozenset[Kind] = frozenset({"claim", "strategy", "defeater"})
_MAY_HAVE_CONTEXT: frozenset[Kind] = frozenset({"claim", "strategy"})


def _legal_edges(looked: Examination) -> Iterator[CaseFinding]:
    for node in looked.setting.case.nodes:
        yield from _legal_support(looked.setting, node)
        yield from _legal_pointers(looked.setting, node)


def _legal_support(setting: Setting, node: Node) -> Iterator[CaseFinding]:
    known = setting.case.by_id
    if node.supported_by and node.kind not in _MAY_BE_SUPPORTED:
        said = _Said(f"nothing can support {_an(node.kind)}", "let it support a claim instead")
        yield _finding(setting, "SC03", (node.id, "supported_by"), said)
    if node.in_context_of and node.kind not in _MAY_HAVE_CONTEXT:
        said = _Said(f"{_an(node.kind)} has no context of its own", "attach it to a claim or strategy")
        yield _finding(setting, "SC03", (node.id, "in_context_of"), said)
    for name, targets in (("supported_by", node.supported_by), ("in_context_of", node.in_context_of)):
        for number, target in enumerate(targets):
            other = known.get(target)
            is_legal = can_support(other) if name == "supported_by" else other is None or other.kind in CONTEXTUAL
            words = "support" if name == "supported_by" else "be the context of"
            if other is None:
                yield _finding(setting, "SC03", (node.id, name, number), _unknown(target, known))
            elif not is_legal:
                said = _Said(f"{target} is {_an(other.kind)}, which cannot {words} anything")
                yield _finding(setting, "SC03", (node.id, name, number), said)
        if len(set(targets)) < len(targets):
            said = _Said("it names one node twice", "name each once")
            yield _finding(setting, "SC03", (node.id, name), said, severity="warning")


def _legal_pointers(setting: Setting, node: Node) -> Iterator[CaseFinding]:
    known = setting.case.by_id
    for kind, name, targets in (("defeater", "challenges", node.challenges), ("indicator", "monitors", node.monitors)):
        if targets and node.kind != kind:
            said = _Said(f"only {_an(kind)} {name} something, and this is {_an(node.kind)}")
            yield _finding(setting, "SC03", (node.id, name), said)
        for number, target in enumerate(targets):
            place: Place = (node.id, name, number)
            parent, edge, child = target.partition(EDGE)
            missing = [one for one in ((parent, child) if edge else (parent,)) if one not in known]
            if missing:
                yield _finding(setting, "SC03", place, _unknown(missing[0], known))
            elif edge and child not in known[parent].supported_by:
                yield _finding(
                    setting, "SC03", place, _Said(f"{child} does not support {parent}: there is no such edge")
                )
            elif node.kind == "indicator" and known[target].kind not in ("claim", "assumption"):
                said = _Said(f"{target} is {_an(known[target].kind)}; an indicator watches claims and assumptions")
                yield _finding(setting, "SC03", place, said)
    if node.kind == "defeater" and not node.challenges:
        said = _Said("it challenges nothing", "add `challenges`: a node, or an edge `a->b`")
        yield _finding(setting, "SC03", (node.id,), said)


def _an(kind: str) -> str:
    if kind == "evidence":
        return "a piece of evidence"
    return f"{'an' if kind[0] in 'aei' else 'a'} {kind}"


def _unknown(name: str, known: Mapping[str, Node]) -> _Said:
    # Looking for similar names takes time with every name there is, so a case that is all gaps is spared it.
    return _Said(f"there is no node {name!r}", did_you_mean(name, known) if len(known) < 500 else None)


def _developed(looked: Examination) -> Iterator[CaseFinding]:
    setting = looked.setting
    for node in setting.case.nodes:
        argues = node.kind in ("claim", "strategy")
        if node.undeveloped and (not argues or node.supported_by):
            words = (
                "it is called undeveloped, yet something supports it" if argues else f"{_an(node.kind)} is not argued"
            )
            said = _Said(words, "drop `undeveloped` once its support is complete; until then it counts for nothing")
            yield _finding(setting, "SC04", (node.id, "undeveloped"), said, severity="warning")
        elif node.undeveloped:
            said = _Said("its support is still missing", "support it, or narrow what the case claims")
            yield _finding(setting, "SC04", (node.id, "undeveloped"), said, severity="warning")
        elif argues and not node.supported_by:
            said = _Said(
                "nothing supports it, and it is not called undeveloped", "support it, or say `undeveloped: true`"
            )
            yield _finding(setting, "SC04", (node.id,), said)


def _argued(looked: Examination) -> Iterator[CaseFinding]:
    for node in looked.setting.case.nodes:
        if node.kind == "strategy" or (node.kind == "claim" and len(node.supported_by) > 1):
            if node.aggregation is None:
                hint = "add `aggregation`: all, any, convergent or product; until then `all` is assumed"
                said = _Said("it does not say how its parts combine", hint)
                yield _finding(looked.setting, "SC05", (node.id,), said)
            if not (node.why or "").strip():
                said = _Said("it does not say why its parts suffice", "add `why`")
                yield _finding(looked.setting, "SC05", (node.id,), said)


# --- SC06 to SC09: what it rests on ----------------------------------------------------------------------


def _sound_grounds(looked: Examination) -> Iterator[CaseFinding]:
    setting = looked.setting
    for node_id, grounds in setting.grounds.items():
        for ground in grounds:
            yield _finding(setting, ground.code, (node_id, *ground.path), _Said(ground.message, ground.hint))
    for node in setting.case.nodes:
        cited = node.cited
        if cited is not None and setting.case.snapshot and cited.snapshot is None and cited.similarity is None:
            said = _Said("the snapshot that was observed is not stated", "add `snapshot` to `cited` if it is known")
            yield _finding(setting, "SC08", (node.id, "cited"), said, severity="note")


def _doubts(looked: Examination) -> Iterator[CaseFinding]:
    setting = looked.setting
    for node in setting.case.nodes:
        if node.kind != "defeater":
            continue
        doubt, about = node.doubted, ", ".join(node.challenges)
        place: Place = (node.id, "doubt")
        for fault in closing_faults(setting, node):
            hint = "until that is put right the defeater counts as open"
            yield _finding(setting, "SC09", place, _Said(f"its closing {fault}", hint))
        if doubt.state == "open":
            blocks = doubt.effect == "blocks"
            words = f"it is open and blocks {about}" if blocks else f"it is open and caps {about} at {doubt.cap}"
            said = _Said(words, "answer it with a record, and let a second person close it")
            yield _finding(setting, "SC09", place, said, severity="error" if blocks else "warning")
        elif doubt.state == "accepted" and doubt.cap is None:
            said = _Said(f"it is accepted without a cap, so it still blocks {about}", "say what it caps: `cap`")
            yield _finding(setting, "SC09", place, said)


# --- SC10 to SC16: review, falsifiers, confidence, indicators --------------------------------------------


def _not_suspect(looked: Examination) -> Iterator[CaseFinding]:
    hint = "a second person looks at it again: `tidegate case review`"
    for name, why in looked.suspects.items():
        yield _finding(looked.setting, "SC10", (name,), _Said(f"suspect: {why}", hint), review=True)


def _falsifiable(looked: Examination) -> Iterator[CaseFinding]:
    setting = looked.setting
    claims: dict[str, list[Node]] = {}
    for node in setting.case.nodes:
        kind, _, name = (node.source or "").partition(":")
        if kind == "threshold" and node.kind == "claim":
            claims.setdefault(_threshold(setting, name), []).append(node)
    top = setting.graph.roots[:1]
    for name in setting.case.thresholds:
        about = claims.get(_threshold(setting, name), [])
        if not about:
            said = _Said(f"no claim is about the threshold {name}", f"add one, with `source: threshold:{name}`")
            yield _finding(setting, "SC11", top, said)
        elif not any((one.falsifier or "").strip() for one in about):
            said = _Said(f"nothing is named that would prove it wrong about {name}", "add `falsifier`")
            yield _finding(setting, "SC11", (about[0].id,), said)


def _threshold(setting: Setting, name: str) -> str:
    found = setting.context.policy.threshold(name) if setting.context.policy else None
    return found.id if found is not None else name


def _distinct_sources(looked: Examination) -> Iterator[CaseFinding]:
    for name, sources in looked.weighed.shared.items():
        hint = "bring a line of evidence from elsewhere; until then they count as one"
        said = _Said(f"its lines of argument share {', '.join(sources)}", hint)
        yield _finding(looked.setting, "SC12", (name, "supported_by"), said, severity="warning")


def _second_person(looked: Examination) -> Iterator[CaseFinding]:
    setting = looked.setting
    own: dict[str, str] = {}
    for review in setting.context.reviews:
        node = setting.case.node(review.node)
        if node is not None and not is_second_person(review.reviewer, authors_of(setting.case, node)):
            own[node.id] = review.reviewer
    unreviewed = looked.unreviewed
    for name, who in own.items():
        if name in unreviewed:
            said = _Said(f"{who} reviewed it, who is not known to be a second person", "let somebody else review it")
            yield _finding(setting, "SC13", (name,), said, review=True)
    others = [name for name in unreviewed if name not in own]
    if others and len(others) == len(setting.case.nodes):
        said = _Said(f"none of its {len(others)} nodes has been reviewed", "a second person: `tidegate case review`")
        yield _finding(setting, "SC13", setting.graph.roots[:1], said, severity="warning", review=True)
        return
    for name in others:
        said = _Said("nobody but its author has reviewed it", "a second person: `tidegate case review`")
        yield _finding(setting, "SC13", (name,), said, severity="warning", review=True)


def _grounded_confidence(looked: Examination) -> Iterator[CaseFinding]:
    for node in looked.setting.case.nodes:
        if node.confidence is not None and not node.confidence.basis.strip():
            said = _Said("its confidence is stated without a ground", "add `basis`")
            yield _finding(looked.setting, "SC14", (node.id, "confidence"), said, severity="warning")
        elif node.kind == "evidence" and node.confidence is None:
            said = _Said("no confidence is stated, so that it counts as 0 to 1", "add `confidence`: low, high, basis")
            yield _finding(looked.setting, "SC14", (node.id,), said, severity="warning")


def _drawable(looked: Examination) -> Iterator[CaseFinding]:
    setting = looked.setting
    top = setting.graph.roots[:1]
    under = setting.graph.reachable(top[0]) if top else frozenset()
    for node in setting.case.nodes:
        if not node.text.strip():
            said = _Said("it has no words", "say in `text` what it claims")
            yield _finding(setting, "SC15", (node.id,), said, severity="warning")
        if top and node.id not in under:
            said = _Said(f"it does not hang under {top[0]}, so that no drawing shows it", "attach it, or remove it")
            yield _finding(setting, "SC15", (node.id,), said, severity="warning")


def _watched(looked: Examination) -> Iterator[CaseFinding]:
    setting = looked.setting
    for node in setting.case.nodes:
        if node.kind != "indicator":
            continue
        watch, at = node.watch or Watch(), setting.context.at
        for name, value in (("metric", watch.metric), ("bound", watch.bound), ("window", watch.window)):
            if value is None:
                said = _Said(f"it has no {name}", f"add `{name}` to `watch`")
                yield _finding(setting, "SC16", (node.id, "watch"), said)
        if not node.monitors:
            yield _finding(setting, "SC16", (node.id,), _Said("it watches nothing", "add `monitors`: the claim"))
        if watch.is_breached:
            reading = "" if watch.last is None else f" with {watch.last}"
            said = _Said(f"it is breached{reading}", f"review {', '.join(node.monitors) or 'what it watches'}")
            yield _finding(setting, "SC16", (node.id, "watch"), said, review=True)
        elif watch.window and (watch.last_on is None or add(watch.last_on, watch.window) < at):
            said = _Said(f"there is no reading of the last {watch.window}", "read it, and record `last` and `last_on`")
            yield _finding(setting, "SC16", (node.id, "watch"), said, severity="warning")


_CHECKS: tuple[Callable[[Examination], Iterator[CaseFinding]], ...] = (
    _one_root,
    _no_circles,
    _legal_edges,
    _developed,
    _argued,
    _sound_grounds,
    _doubts,
    _not_suspect,
    _falsifiable,
    _distinct_sources,
    _second_person,
    _grounded_confidence,
    _drawable,
    _watched,
)
