# SPDX-License-Identifier: Apache-2.0
"""A policy as a flat list of clauses, each with facets that can be compared with another version's.

A facet is one typed field, with the dimension of change that it belongs to and the order in which its values
bind more or less. The dimensions and the ladder of obligation are those of the published codebook for
framework revisions (Zhu, Silent Revision, 2026, arXiv 2609.08789, codebook v0.2, sections 4 and 5).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tidegate.kernel.documents import PathKey
from tidegate.kernel.errors import Where
from tidegate.policy.load import LoadedPolicy
from tidegate.policy.model import (
    LADDER,
    QUALITY_ORDER,
    Approval,
    Baseline,
    Combination,
    Commitment,
    Criterion,
    Dimension,
    Domain,
    Indicator,
    Item,
    Line,
    Lineage,
    Need,
    Policy,
    Requirement,
    Role,
    SecurityLevel,
    Standard,
    ThreatModel,
    Threshold,
    Trigger,
    TriggerEvent,
)

POLICY_ID = "(policy)"
"""Names the clause that holds what the policy says about itself; no item can have this id."""

DOCUMENT = "document"
"""Name of the facet that says where a commitment is kept: leaving the policy is relocation."""

Space = Literal["policy", "domain", "item"]
Key = tuple[Space, str]
"""Name space and id: a domain may share its id with an item of another kind."""

ClauseKind = Literal[
    "policy",
    "domain",
    "threat model",
    "threshold",
    "indicator",
    "requirement",
    "standard",
    "criterion",
    "safeguard",
    "security level",
    "trigger",
    "role",
    "approval",
    "commitment",
]

Order = Literal[
    "up",  # a greater value binds more
    "down",  # a smaller value binds more
    "span",  # a shorter duration binds more
    "line",  # a line that is crossed earlier binds more
    "more",  # a larger set binds more
    "less",  # a smaller set binds more
    "cover",  # a larger set binds more, and the empty set stands for everything
    "audience",  # a larger set binds more, and the public includes every other audience
    "keep",  # losing a member weakens, gaining one is routine
    "tier",  # kinds of unequal weight
    "level",  # security levels, by the RAND level that they correspond to
    "same",  # any replacement changes the meaning, in a direction that the field cannot show
    "prose",  # wording, for a person to read
]


@dataclass(frozen=True, slots=True)
class Facet:
    """One comparable field of a clause."""

    name: str
    """Path of the field within its clause."""
    dimension: Dimension
    """Dimension of change that the field belongs to."""
    order: Order
    """How two values compare."""
    value: Any
    """What is compared; None if the field is not given."""
    shown: Any
    """What a person sees: plain JSON data."""
    space: Space | None = None
    """For references: the name space of the ids, which a new version may have renamed."""
    free_text: bool = False
    """True if the members of a set are sentences, whose rewording the fields cannot tell from a replacement."""
    absent: Literal["weakest", "strongest", "unclear"] = "weakest"
    """Where an absent value stands in the order."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One item of a policy, ready to be compared."""

    key: Key
    """Name space and id."""
    kind: ClauseKind
    """What sort of item it is."""
    title: str
    """Its short name."""
    where: Where
    """Where it stands."""
    within: tuple[Key, ...]
    """The items that it is part of, nearest first: a requirement's threshold, and that threshold's domain."""
    facets: tuple[Facet, ...]
    """Its comparable fields."""
    was: tuple[Lineage, ...]
    """Where its author says it comes from."""
    home: Dimension
    """The dimension that changes when the whole clause goes or comes."""
    text: str
    """What it says."""

    @property
    def id(self) -> str:
        """The item's id."""
        return self.key[1]


class _Here(NamedTuple):
    """An item with what is around it."""

    item: Item
    policy: Policy
    parent: Item | None


def clauses_of(loaded: LoadedPolicy) -> tuple[Clause, ...]:
    """Give every clause of a policy in document order, the policy's own first."""
    policy = loaded.policy
    found = [_policy_clause(loaded)]
    by_path: dict[PathKey, Item] = {}
    for path, item in policy.located_items():
        by_path[path] = item
        found.append(_clause(loaded, path, item, by_path.get(path[:-2])))
    return tuple(found)


def _clause(loaded: LoadedPolicy, path: PathKey, item: Item, parent: Item | None) -> Clause:
    here = _Here(item, loaded.policy, parent)
    return Clause(
        key=("domain" if path[0] == "domains" else "item", item.id),
        kind=_kind(path, item),
        title=item.title,
        where=loaded.document.where(path),
        within=_within(item, parent),
        facets=tuple(_facets(here)),
        was=item.was,
        home=_home(item),
        text=item.text,
    )


def _policy_clause(loaded: LoadedPolicy) -> Clause:
    return Clause(
        key=("policy", POLICY_ID),
        kind="policy",
        title=loaded.policy.title,
        where=loaded.document.where(("scope",)),
        within=(),
        facets=tuple(_policy_facets(loaded.policy)),
        was=(),
        home="scope",
        text=loaded.policy.scope.text,
    )


_KINDS: tuple[tuple[type[Item], ClauseKind, Dimension], ...] = (
    (Domain, "domain", "scope"),
    (ThreatModel, "threat model", "scope"),
    (Threshold, "threshold", "threshold"),
    (Indicator, "indicator", "threshold"),
    (Requirement, "requirement", "consequence"),
    (Standard, "standard", "consequence"),
    (Criterion, "criterion", "consequence"),
    (SecurityLevel, "security level", "consequence"),
    (Trigger, "trigger", "threshold"),
    (Role, "role", "actor"),
    (Approval, "approval", "actor"),
)


def _kind(path: PathKey, item: Item) -> ClauseKind:
    if path[0] == "safeguards":
        return "safeguard"
    return next((kind for record, kind, _ in _KINDS if isinstance(item, record)), "commitment")


def _home(item: Item) -> Dimension:
    for record, _, dimension in _KINDS:
        if isinstance(item, record):
            return dimension
    return "disclosure" if isinstance(item, Commitment) and item.disclosure else "obligation"


def _within(item: Item, parent: Item | None) -> tuple[Key, ...]:
    found: list[Key] = []
    if parent is not None:
        found.append(("item", parent.id))
    domain = getattr(parent if parent is not None else item, "domain", None)
    if domain is not None:
        found.append(("domain", domain))
    return tuple(found)


# --- facets, by kind of item -----------------------------------------------------------------------


def _facets(here: _Here) -> Iterator[Facet]:
    yield _prose("text", "obligation", here.item.text or None)
    for record, facets in _FACETS:
        if isinstance(here.item, record):
            yield from facets(here)


def _policy_facets(policy: Policy) -> Iterator[Facet]:
    scope = policy.scope
    yield _set("models", "scope", "cover", scope.models)
    for name in ("minimum_training_flop", "minimum_revenue_usd"):
        value = getattr(scope, name)
        yield Facet(name, "scope", "down", value, value, absent="strongest")
    yield _texts("jurisdictions", "scope", "cover", scope.jurisdictions)
    yield _up("preregistration", "threshold", int(policy.preregistration == "required"), policy.preregistration)
    yield _same("kind", "obligation", policy.kind)
    yield _prose("scope", "scope", scope.text or None)
    yield _prose("definitions", "scope", policy.definitions or None)
    locks = tuple(f"{lock.threshold}/{lock.indicator} {lock.digest} {lock.locked_on}" for lock in policy.locks)
    yield _set("locks", "threshold", "keep", locks)
    changes = tuple(f"{item.threshold}: {item.was} to {item.now} {item.on}" for item in policy.evaluation_changes)
    yield _set("evaluation_changes", "threshold", "keep", changes)


def _of_domain(_here: _Here) -> Iterator[Facet]:
    yield from ()


def _of_threat_model(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, ThreatModel)
    yield _refs("domain", "scope", "same", (item.domain,), "domain")
    for name in ("actor", "skill", "resources", "harm"):
        yield _prose(name, "scope", getattr(item, name))
    for name in ("pathway", "bottlenecks", "enabling_capabilities"):
        yield _prose(name, "scope", list(getattr(item, name)) or None)
    yield _prose("completeness", "scope", item.completeness, loss_weakens=True)


_THRESHOLD_TIERS = {"threshold": 2, "outcome_scenario": 2, "checkpoint": 1, "tracked": 1, "watch": 0}


def _of_threshold(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Threshold)
    yield _tier("kind", "threshold", item.kind, _THRESHOLD_TIERS)
    yield _refs("domain", "scope", "same", (item.domain,), "domain")
    yield _prose("severity", "threshold", item.severity)
    yield _prose("actor", "threshold", item.actor)
    yield from _of_baseline(item.baseline or Baseline())
    yield _texts("applies_to", "scope", "cover", item.applies_to)
    yield _refs("threat_models", "scope", "more", item.threat_models)
    yield _refs("rules_out", "threshold", "less", item.rules_out)
    yield from _of_combination(item.combine, len(item.indicators))
    yield _up("printed_lines", "threshold", int(not item.printed_lines), item.printed_lines)
    yield _up("printed_minimum", "threshold", item.printed_minimum)
    yield _prose("falsifier", "threshold", item.falsifier, loss_weakens=True)
    yield _up("alerts", "threshold", len(item.alerts))
    for number, alert in enumerate(item.alerts):
        name = f"alerts.{number}"
        yield _refs(f"{name}.indicator", "threshold", "same", (alert.indicator,) if alert.indicator else ())
        unit = next((indicator.unit for indicator in item.indicators if indicator.id == alert.indicator), None)
        yield _line(f"{name}.line", alert.line, unit)
        yield _prose(f"{name}.action", "consequence", alert.action)
        yield _prose(f"{name}.buffer", "threshold", alert.buffer, loss_weakens=True)


def _of_baseline(baseline: Baseline) -> Iterator[Facet]:
    # Losing an anchor makes a quantitative threshold qualitative, which the codebook counts as weakening (example F).
    year = baseline.year
    yield Facet("baseline.year", "threshold", "same", year, year)
    for name in ("tools", "time", "money"):
        yield _prose(f"baseline.{name}", "threshold", getattr(baseline, name), loss_weakens=True)
    yield _prose("baseline.note", "threshold", baseline.note)


def _of_combination(combine: Combination, indicators: int) -> Iterator[Facet]:
    needed = indicators if combine.rule_out == "all" else 1 if combine.rule_out == "any" else combine.rule_out
    # "all" binds more than any number: it grows with the indicators, whose own loss is a row of its own.
    yield _up("combine.rule_out", "threshold", float("inf") if combine.rule_out == "all" else needed, combine.rule_out)
    spare = max(indicators - needed, 0)
    yield Facet("combine.indicators_that_may_fail", "threshold", "down", spare, spare)
    reached_by = {"any": 1, "all": float("inf")}.get(str(combine.reach), combine.reach)
    yield Facet("combine.reach", "threshold", "down", reached_by, combine.reach)


def _of_indicator(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Indicator)
    unit, scale = _unit(item.unit)
    identity = (item.evaluation, item.metric, unit, item.aggregation)
    yield _parent(here)
    for name, value in zip(("evaluation", "metric", "unit", "aggregation"), identity, strict=True):
        shown = getattr(item, name)
        yield Facet(name, "threshold", "same", value, shown, absent="unclear")
    rule = item.rule
    yield _line("rule.rule_out", rule.rule_out, item.unit, identity)
    yield _line("rule.reach", rule.reach, item.unit, identity)
    yield _up("rule.confidence", "threshold", rule.confidence)
    yield _up("rule.margin", "threshold", rule.margin * scale, rule.margin)
    yield _up("rule.error_policy", "threshold", int(rule.error_policy == "worst_case"), rule.error_policy)
    yield _prose("falsifier", "threshold", item.falsifier, loss_weakens=True)
    yield _set("elicitation", "threshold", "more", item.elicitation)
    yield _set("answers", "threshold", "more", item.answers)
    yield _up("minimum_quality", "threshold", QUALITY_ORDER[item.minimum_quality], item.minimum_quality)
    yield _up("minimum_n", "threshold", item.minimum_n)
    yield _span("max_age", "threshold", item.max_age)
    yield Facet("max_compute_ratio", "threshold", "down", item.max_compute_ratio, item.max_compute_ratio)
    yield _up("same_snapshot", "threshold", int(item.same_snapshot), item.same_snapshot)
    yield _up("placeholder", "threshold", int(not item.placeholder), item.placeholder)


def _of_commitment(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Commitment)
    yield _up("force", "obligation", 3 if item.force is None else LADDER[item.force], item.force)
    yield _refs("actor", "actor", "more", item.actor)
    yield _texts("scope", "scope", "cover", item.scope)
    yield _set("disclosure", "disclosure", "audience", item.disclosure)
    yield _texts("unless", "consequence", "less", item.unless)
    due = item.deadline
    told: Dimension = "disclosure" if item.disclosure else "threshold"
    yield _span("deadline.within", told, due.within if due else None)
    if due is not None:
        yield _same("deadline.starts", told, plain_words(due.starts), due.starts)
        yield _up("deadline.soft", "consequence", int(not due.soft), due.soft)
    yield _span("cadence", "threshold", item.cadence)
    yield Facet(DOCUMENT, "obligation", "tier", (int(item.document is None), item.document), item.document)


_REQUIREMENT_TIERS = {
    "halt": 4,
    "standard": 3,
    "safeguard": 3,
    "affirmative_case": 3,
    "report": 2,
    "notice": 1,
    "not_yet_specified": 0,
}


def _of_requirement(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Requirement)
    yield _parent(here)
    yield _tier("kind", "consequence", item.kind, _REQUIREMENT_TIERS)
    yield _refs("target", "consequence", "same", (item.target,) if item.target else ())
    level = item.security_level
    rand = next((_rand(known.rand) for known in here.policy.security_levels if known.id == level), None)
    yield Facet("security_level", "consequence", "level", (level, rand) if level else None, level, space="item")
    yield _set("actions", "scope", "more", item.actions)
    yield _span("max_age", "threshold", item.max_age)


def _of_standard(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Standard)
    yield _prose("aim", "consequence", item.aim)
    yield _refs("includes", "scope", "more", item.includes)


def _of_criterion(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Criterion)
    if here.parent is not None:
        yield _parent(here)
    yield _texts("needs", "threshold", "more", tuple(need.name for need in item.needs))
    for need in item.needs:
        yield from _of_need(need)


def _of_need(need: Need) -> Iterator[Facet]:
    name = f"needs.{need.name}"
    yield _same(f"{name}.kind", "threshold", need.kind)
    yield _same(f"{name}.metric", "threshold", need.metric)
    yield _line(f"{name}.bound", need.bound, None, (need.metric,))
    yield _up(f"{name}.confidence", "threshold", need.confidence)
    yield _span(f"{name}.max_age", "threshold", need.max_age)
    yield _up(f"{name}.minimum_quality", "threshold", QUALITY_ORDER[need.minimum_quality], need.minimum_quality)


def _of_security_level(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, SecurityLevel)
    rand = _rand(item.rand)
    yield Facet("rand", "threshold", "tier", (rand, rand or item.rand) if item.rand else None, item.rand)
    yield _texts("actors_in_scope", "scope", "more", item.actors_in_scope)
    yield _texts("actors_out_of_scope", "scope", "less", item.actors_out_of_scope)
    yield _refs("standard", "consequence", "same", (item.standard,) if item.standard else ())


def _of_trigger(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Trigger)
    any_suffices = item.when == "any" or len(item.events) == 1
    yield _same("starts", "consequence", plain_words(item.starts), item.starts)
    yield _up("when", "threshold", int(any_suffices), item.when)
    yield _set("events", "threshold", "more" if any_suffices else "less", tuple(event.on for event in item.events))
    yield _up("soft", "threshold", int(not item.soft), item.soft)
    for kind in dict.fromkeys(event.on for event in item.events):
        same_kind = [event for event in item.events if event.on == kind]
        yield from _of_events(f"events.{kind}", same_kind, any_suffices=any_suffices)


def _of_events(name: str, events: list[TriggerEvent], *, any_suffices: bool) -> Iterator[Facet]:
    # Of several events of one kind the earliest counts where any suffices, the latest where all must hold.
    choose: Callable[..., Any] = min if any_suffices else max
    ratio = choose((event.ratio for event in events if event.ratio is not None), default=None)
    yield Facet(f"{name}.ratio", "threshold", "down", ratio, ratio)
    every = choose((event.every for event in events if event.every is not None), default=None, key=span_days)
    yield _span(f"{name}.every", "threshold", every)
    since = sorted({event.since for event in events if event.since is not None})
    yield _same(f"{name}.since", "threshold", tuple(map(plain_words, since)) or None, since or None)
    yield _refs(f"{name}.by", "actor", "more", tuple(event.by for event in events if event.by is not None))


_POWER_TIERS = {"decides": 3, "approves": 3, "reverses": 3, "oversees": 2, "recommends": 1, "consults": 1}


def _of_role(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Role)
    yield _tier("power", "actor", item.power, _POWER_TIERS)
    yield _texts("duties", "actor", "more", item.duties)
    yield _refs("not_same_as", "actor", "more", item.not_same_as)


def _of_approval(here: _Here) -> Iterator[Facet]:
    item = here.item
    assert isinstance(item, Approval)
    required = len(item.signers) if item.quorum is None else item.quorum
    spare = len(item.signers) - required
    yield _same("act", "consequence", plain_words(item.act), item.act)
    yield _refs("signers", "actor", "more", item.signers)
    yield _up("signatures_required", "actor", required)
    yield Facet("signers_that_may_be_passed_over", "actor", "down", spare, spare)
    yield _set("before", "scope", "more", item.before)


_FACETS: tuple[tuple[type[Item], Callable[[_Here], Iterator[Facet]]], ...] = (
    (Domain, _of_domain),
    (ThreatModel, _of_threat_model),
    (Threshold, _of_threshold),
    (Indicator, _of_indicator),
    (Commitment, _of_commitment),
    (Requirement, _of_requirement),
    (Criterion, _of_criterion),
    (Standard, _of_standard),
    (SecurityLevel, _of_security_level),
    (Trigger, _of_trigger),
    (Role, _of_role),
    (Approval, _of_approval),
)


# --- kinds of facets -------------------------------------------------------------------------------


def _up(name: str, dimension: Dimension, value: Any, shown: Any = None) -> Facet:
    return Facet(name, dimension, "up", value, value if shown is None else shown)


def _span(name: str, dimension: Dimension, value: str | None) -> Facet:
    return Facet(name, dimension, "span", value, value)


def _set(name: str, dimension: Dimension, order: Order, members: Iterable[str]) -> Facet:
    given = tuple(members)
    return Facet(name, dimension, order, frozenset(given), list(given))


def _texts(name: str, dimension: Dimension, order: Order, members: tuple[str, ...]) -> Facet:
    return Facet(name, dimension, order, frozenset(map(plain_words, members)), list(members), free_text=True)


def _refs(
    name: str, dimension: Dimension, order: Order, ids: tuple[str, ...], space: Literal["domain", "item"] = "item"
) -> Facet:
    return Facet(name, dimension, order, frozenset(ids), list(ids), space=space)


def _tier(name: str, dimension: Dimension, value: str, tiers: dict[str, int]) -> Facet:
    return Facet(name, dimension, "tier", (tiers.get(value), value), value)


def _same(name: str, dimension: Dimension, value: Any, shown: Any = None) -> Facet:
    return Facet(name, dimension, "same", value, value if shown is None else shown)


def _prose(name: str, dimension: Dimension, value: Any, *, loss_weakens: bool = False) -> Facet:
    # Where a loss weakens, absence is the weakest value; elsewhere words may come and go.
    words = " ".join(str(value).split()) if value is not None else None
    return Facet(name, dimension, "prose", None if words is None else (loss_weakens, words), value)


def _parent(here: _Here) -> Facet:
    # What holds for every model binds more than what hangs on one threshold.
    parent = here.parent
    if parent is None:
        return Facet("within", "scope", "same", frozenset(), ["every model"], space="item", absent="strongest")
    return Facet("within", "scope", "same", frozenset({parent.id}), [parent.id], space="item", absent="strongest")


def _line(name: str, line: Line | None, unit: str | None, identity: tuple[Any, ...] = ()) -> Facet:
    if line is None:
        return Facet(name, "threshold", "line", None, None)
    _, scale = _unit(unit)
    sign = 1 if line.higher_concerns else -1
    exclusive = int(line.crossed_when in (">", "<"))
    value = ((identity, line.higher_concerns), (sign * line.value * scale, exclusive))
    return Facet(name, "threshold", "line", value, f"{line.crossed_when} {line.value:g}")


def _unit(unit: str | None) -> tuple[str | None, float]:
    return ("fraction", 0.01) if unit in ("percent", "%") else (unit, 1.0)


def _rand(name: str | None) -> float | None:
    found = re.fullmatch(r"(?:RAND )?SL-?([1-5])(\+?)", name or "")
    return int(found.group(1)) + 0.5 * bool(found.group(2)) if found else None


def plain_words(text: str) -> str:
    """Give the words of a text without case, spacing and punctuation."""
    return " ".join(re.findall(r"\w+|[<>=%.+-]+(?=\d)", text.casefold()))


def span_days(duration: str) -> float:
    """Give the mean length of a calendar duration in days, so that ``P12M`` equals ``P1Y``."""
    length = {"Y": 365.25, "M": 365.25 / 12, "W": 7, "D": 1}
    return sum(int(count) * length[unit] for count, unit in re.findall(r"(\d+)([YMWD])", duration))
