# SPDX-License-Identifier: Apache-2.0
"""What fills fields about the policy's thresholds: what they say, how they are assessed, what they require."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tidegate.assess.whatif import quantity
from tidegate.policy.model import Policy, Requirement, Threshold
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.report_blocks import Block, Paragraph
from tidegate.publish.report_sources_words import policy_ref, spaced, tabled, threshold_title
from tidegate.publish.report_templates import Filling, Source
from tidegate.publish.words import ACTION_WORDS


def policy_filling(content: Content, blocks: Iterable[Block], data: Any, lacks: Iterable[str] = ()) -> Filling | None:
    """Give what the policy says; none if it says nothing."""
    made = tuple(blocks)
    return Filling(made, data, policy_ref(content), content.at, tuple(lacks)) if made else None


def _thresholds(content: Content, _model: PublishedModel | None) -> Filling | None:
    thresholds = content.policy.thresholds
    rows = [
        (threshold_title(one), one.kind.replace("_", " "), one.domain, one.text, _judged(one), _assessed_by(one))
        for one in thresholds
    ]
    heads = ("Threshold", "Kind", "Area", "What it says", "Judged against", "Assessed by")
    intro = Paragraph(("A threshold that is not ruled out counts as reached.",))
    lacks = [
        f"the policy does not say how {one.id} is assessed: it has no evaluation with a line"
        for one in thresholds
        if one.kind == "threshold" and not one.indicators and not one.printed_lines
    ]
    data = [_threshold_data(one) for one in thresholds]
    return policy_filling(content, (intro, *tabled("Thresholds", heads, rows, is_wide=True)), data, lacks)


def _judged(one: Threshold) -> str:
    base = one.baseline
    year = f"the year {base.year}" if base and base.year else None
    parts = (one.actor, *((year, base.tools, base.time, base.money, base.note) if base else ()))
    return "; ".join(part for part in parts if part) or "not stated"


def _assessed_by(one: Threshold) -> str:
    lines = [
        f"{rule.evaluation}: the line is crossed by a result {rule.rule.rule_out.crossed_when} "
        f"{quantity(rule.rule.rule_out.value, rule.unit or '')}"
        for rule in one.indicators
    ]
    if one.printed_lines:
        lines.append("figures printed with a line of their own")
    return "; ".join(lines) or "no evaluation is fixed"


def _evaluations(content: Content, _model: PublishedModel | None) -> Filling | None:
    """Give the rule of every evaluation that the policy fixes: its line, and what a result has to bring."""
    rules = [(threshold, rule) for threshold in content.policy.thresholds for rule in threshold.indicators]
    rows = [
        (
            threshold.id,
            rule.evaluation + (f", {rule.metric}" if rule.metric else ""),
            f"{rule.rule.rule_out.crossed_when} {quantity(rule.rule.rule_out.value, rule.unit or '')}",
            "the bare figure" if rule.rule.confidence is None else f"one-sided {rule.rule.confidence:.3g}",
            quantity(rule.rule.margin, rule.unit or "") if rule.rule.margin else "none",
            spaced(rule.elicitation) or "not stated",
            rule.falsifier or threshold.falsifier or "none stated",
        )
        for threshold, rule in rules
    ]
    heads = ("Threshold", "Evaluation", "Crossed when", "Confidence", "Margin", "Elicited with", "A rule-out fails if")
    lacks = [f"{rule.id} does not say how it is elicited" for _, rule in rules if not rule.elicitation]
    data = [_threshold_data(one) for one in content.policy.thresholds]
    return policy_filling(content, tabled("Evaluations that the policy fixes", heads, rows, is_wide=True), data, lacks)


def _threshold_data(one: Threshold) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "text": one.text,
        "kind": one.kind,
        "domain": one.domain,
        "actor": one.actor,
        "baseline": one.baseline.model_dump(mode="json", exclude_none=True) if one.baseline else None,
        "falsifier": one.falsifier,
        "evaluations": [
            {
                "id": rule.id,
                "evaluation": rule.evaluation,
                "metric": rule.metric,
                "unit": rule.unit,
                "rule_out": rule.rule.rule_out.model_dump(mode="json"),
                "reach": rule.rule.reach.model_dump(mode="json") if rule.rule.reach else None,
                "confidence": rule.rule.confidence,
                "margin": rule.rule.margin,
                "elicitation": list(rule.elicitation),
                "falsifier": rule.falsifier,
            }
            for rule in one.indicators
        ],
    }


def requirements_of(policy: Policy) -> Iterator[tuple[Threshold | None, Requirement]]:
    """Give every requirement with its threshold; none for what every model needs."""
    yield from ((None, one) for one in policy.baseline)
    yield from ((threshold, one) for threshold in policy.thresholds for one in threshold.requirements)


def _mitigations(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    listed = tuple(requirements_of(policy))
    rows = [
        (
            threshold_title(threshold) if threshold else "every model",
            f"{one.id} {one.title}".strip(),
            spaced([one.kind]) + (f": {one.target}" if one.target else ""),
            ", ".join(ACTION_WORDS[action] for action in one.actions),
            one.text,
        )
        for threshold, one in listed
    ]
    heads = ("While this is not ruled out", "Requirement", "Kind", "Before", "What it says")
    blocks = [*tabled("What is required, and when", heads, rows, is_wide=True), *criteria_tables(policy)]
    lacks = [
        f"the policy ties no mitigation to {one.id}"
        for one in policy.thresholds
        if one.kind == "threshold" and not one.requirements
    ]
    data = {
        "requirements": [
            {
                "id": one.id,
                "threshold": threshold.id if threshold else None,
                "kind": one.kind,
                "target": one.target,
                "actions": list(one.actions),
                "force": one.force,
                "text": one.text,
            }
            for threshold, one in listed
        ],
        "standards": [
            {"id": one.id, "title": one.title, "aim": one.aim, "criteria": [item.id for item in one.criteria]}
            for one in policy.standards
        ],
    }
    return policy_filling(content, blocks, data, lacks)


def criteria_tables(policy: Policy, only: Iterable[str] | None = None) -> Iterator[Block]:
    """Give the criteria of standards, of all or of those named, and the safeguards that stand alone."""
    wanted = None if only is None else set(only)
    for one in policy.standards:
        if wanted is None or one.id in wanted:
            rows = [(f"{item.id} {item.title}".strip(), item.force or "not stated", item.text) for item in one.criteria]
            title = f"{one.id} {one.title}".strip() + (f": {one.aim}" if one.aim else "")
            yield from tabled(f"Criteria of {title}", ("Criterion", "Force", "What it says"), rows)
    if wanted is None and policy.safeguards:
        rows = [(f"{one.id} {one.title}".strip(), one.force or "not stated", one.text) for one in policy.safeguards]
        yield from tabled("Safeguards", ("Safeguard", "Force", "What it says"), rows)


SOURCES: Mapping[str, Source] = {
    "policy.thresholds": _thresholds,
    "policy.evaluations": _evaluations,
    "policy.mitigations": _mitigations,
}
"""Sources about the policy's thresholds."""
