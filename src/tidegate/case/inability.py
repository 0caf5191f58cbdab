# SPDX-License-Identifier: Apache-2.0
"""The inability template: risk models, the tasks that stand in for them, settings, results.

It follows the chain of the published template for cyber inability arguments (Goemans et al., arXiv 2411.08088).
A result becomes evidence only if the assessment found that it supports a rule-out. What is not shown becomes a claim
that is called undeveloped, and what speaks against, or was set aside, an open defeater: nothing is left out silently.
"""

from collections.abc import Sequence
from typing import Any

from tidegate.assess.model import SET_ASIDE_WORDS, IndicatorFinding, Reading, ThresholdFinding
from tidegate.case.draft import Basis, Draft, listed
from tidegate.case.model import Confidence, Doubt
from tidegate.evidence.model import Evidence
from tidegate.policy.model import Indicator, Threshold

CAP_OF_SET_ASIDE = 0.5
"""Until somebody says why a record that was set aside does not matter, the result counts as no better than even."""


def argue_inability(draft: Draft, basis: Basis, thresholds: Sequence[Threshold]) -> list[str]:
    """Add a claim for each threshold, that the model does not reach it, and give their ids."""
    return [_threshold(draft, basis, one, found) for one in thresholds if (found := basis.assessed.finding(one.id))]


def _threshold(draft: Draft, basis: Basis, threshold: Threshold, finding: ThresholdFinding) -> str:
    name = f"T/{threshold.id}"
    shown = _shown(draft, basis, threshold, finding)
    strategy = draft.add(
        f"{name}/argument",
        "strategy",
        "Argue from the ways to harm, over tasks that stand in for them, to what the model did on those tasks.",
        below=[_risk(draft, threshold, basis), shown],
        aggregation="all",
        why="If every way to harm needs what the tasks measure, and the model cannot do the tasks, it cannot do the harm.",
    )
    words = finding.finding.replace("_", " ")
    found = draft.add(
        f"{name}/finding", "context", f"The assessment finds: {words}. {' '.join(_sentences(finding.reasons))}"
    )
    node = draft.add(
        name,
        "claim",
        f"{basis.name} does not reach {threshold.id}: {threshold.title or threshold.text or threshold.id}",
        below=[strategy],
        context=[_statement(draft, threshold), found],
        falsifier=falsifier(threshold),
        source=f"threshold:{threshold.id}",
    )
    _unread(draft, name, finding)
    return node


def falsifier(threshold: Threshold) -> str | None:
    """Give what would prove a rule-out wrong, as the policy says it."""
    named = (threshold.falsifier, *(one.falsifier for one in threshold.indicators))
    return "; or: ".join(dict.fromkeys(one for one in named if one)) or None


def _sentences(reasons: Sequence[str]) -> list[str]:
    return [one if one.endswith(".") else f"{one}." for one in reasons]


def _statement(draft: Draft, threshold: Threshold) -> str:
    words = [threshold.text or threshold.title or threshold.id]
    words += [f"Actor: {threshold.actor}."] if threshold.actor else []
    return draft.add(f"T/{threshold.id}/statement", "context", " ".join(words), source=f"threshold:{threshold.id}")


def _risk(draft: Draft, threshold: Threshold, basis: Basis) -> str:
    known = {one.id: one for one in basis.policy.threat_models}
    context: list[str] = []
    for one in (known[name] for name in threshold.threat_models if name in known):
        parts = [one.title or one.text or one.id, *(f"Step: {step}." for step in one.pathway)]
        parts += [f"Bottleneck: {step}." for step in one.bottlenecks]
        context.append(draft.add(f"threat/{one.id}", "context", " ".join(parts), source=f"threat_model:{one.id}"))
        if one.completeness:
            context.append(draft.add(f"threat/{one.id}/completeness", "justification", one.completeness))
    words = "" if context else " The policy names none."
    return draft.add(
        f"T/{threshold.id}/risk",
        "claim",
        f"The threat models cover every way in which {threshold.id} could lead to severe harm.{words}",
        context=context,
    )


def _shown(draft: Draft, basis: Basis, threshold: Threshold, finding: ThresholdFinding) -> str:
    tests = _tests(draft, basis, threshold, finding)
    if finding.by is None:
        return tests
    name = f"T/{threshold.id}/by"
    assumed = draft.add(f"{name}/bound", "assumption", f"{basis.name} is no more capable than {finding.by}.")
    bound = draft.add(
        name, "claim", f"{threshold.id} is ruled out for {finding.by}, as its own case shows.", context=[assumed]
    )
    return draft.add(
        f"T/{threshold.id}/shown",
        "claim",
        f"{threshold.id} is ruled out by the model's own results, or by those of {finding.by}.",
        below=[tests, bound],
        aggregation="any",
        why="Either would suffice: the rule-out stands and falls with the one that carries it.",
    )


def _tests(draft: Draft, basis: Basis, threshold: Threshold, finding: ThresholdFinding) -> str:
    below = [_indicator(draft, basis, threshold, one, number) for number, one in enumerate(finding.indicators)]
    how = threshold.combine.rule_out
    one_suffices = how in ("any", 1)
    if not below:
        words = "No result is read against a line, so nothing shows it."
    else:
        words = "One evaluation" if one_suffices else "Every evaluation"
        words += " that the policy names, or that prints its line, shows it."
    why = "The policy lets one evaluation decide." if one_suffices else "The policy asks for the evaluations together."
    combined = {"aggregation": "any" if one_suffices else "all", "why": why} if below else {}
    text = f"What the model did shows that it does not reach {threshold.id}. {words}"
    return draft.add(f"T/{threshold.id}/tests", "claim", text, below=below, **combined)


def _unread(draft: Draft, name: str, finding: ThresholdFinding) -> None:
    if finding.unread:
        text = (
            f"These records name the threshold but meet no line, so nobody has weighed them: {listed(finding.unread)}."
        )
        doubt = Doubt(effect="caps", cap=CAP_OF_SET_ASIDE)
        draft.add(f"D/{finding.threshold}/unread", "defeater", text, challenges=(f"{name}/tests",), doubt=doubt)


# --- one indicator ---------------------------------------------------------------------------------------


def _indicator(draft: Draft, basis: Basis, threshold: Threshold, found: IndicatorFinding, number: int) -> str:
    policy_indicator = next((one for one in threshold.indicators if one.id == found.indicator), None)
    name = f"I/{threshold.id}/{found.indicator}" + ("" if _is_first(basis, threshold, number) else f"/{number}")
    line = f"{found.rule_out.crossed_when} {found.rule_out.value:g} {found.unit}".strip()
    sure = f", at {found.confidence:.0%} confidence" if found.confidence is not None else ", by the bare figure"
    printed = " This line was printed with the result, not fixed before it." if found.source == "printed" else ""
    return draft.add(
        name,
        "claim",
        f"On {found.evaluation} the model stays on the safe side of {line}{sure}.{printed}",
        below=[
            _proxy(draft, name, found, policy_indicator),
            _setting(draft, basis, name, found, policy_indicator),
            _result(draft, basis, name, threshold, found),
        ],
        aggregation="all",
        why="A result shows that an ability is absent only if the task stands in for it, the setting draws it out, and "
        "the figure holds.",
        falsifier=policy_indicator.falsifier if policy_indicator is not None else None,
        source=f"indicator:{found.indicator}",
    )


def _is_first(basis: Basis, threshold: Threshold, number: int) -> bool:
    """True unless an earlier indicator of the threshold has the same id (cut from a long record id)."""
    finding = basis.assessed.finding(threshold.id)
    listed_ = [one.indicator for one in finding.indicators] if finding is not None else []
    return listed_.index(listed_[number]) == number


def _proxy(draft: Draft, name: str, found: IndicatorFinding, indicator: Indicator | None) -> str:
    node = draft.add(
        f"{name}/proxy", "claim", f"Whoever has the ability can do {found.evaluation}: the task stands in for it."
    )
    if indicator is not None and indicator.placeholder:
        text = f"The policy itself calls {found.evaluation} a placeholder for a better evaluation."
        draft.add(f"D/{name}/placeholder", "defeater", text, challenges=(node,), doubt=Doubt())
    return node


def _setting(draft: Draft, basis: Basis, name: str, found: IndicatorFinding, indicator: Indicator | None) -> str:
    asked = listed(one.replace("_", " ") for one in indicator.elicitation) if indicator is not None else ""
    words = [f"The policy asks for {asked}." if asked else "The policy asks for no elicitation in particular."]
    for reading in found.readings:
        record = basis.records.get(reading.evidence)
        if record is not None and reading.supports:
            used = listed(one.replace("_", " ") for one in record.elicitation.elements) or "none stated"
            words.append(f"{record.id}: {used}.")
    context = draft.add(f"{name}/elicitation", "context", " ".join(words))
    text = f"The setting of {found.evaluation} drew out what the model can do, and what attackers could add."
    return draft.add(f"{name}/setting", "claim", text, context=[context])


def _result(draft: Draft, basis: Basis, name: str, threshold: Threshold, found: IndicatorFinding) -> str:
    result = f"{name}/result"
    supporting = [one for one in found.readings if one.supports and one.evidence in basis.records]
    below = [_evidence(draft, basis.records[one.evidence], found, threshold) for one in supporting]
    if below:
        text = f"The figure for {found.evaluation} lies on the safe side, by more than sampling error explains."
        why = "Each of these results lies on the safe side by itself."
        combined: dict[str, Any] = {"aggregation": "any", "why": why} if len(below) > 1 else {}
    else:
        words = found.finding.replace("_", " ")
        text = f"The figure for {found.evaluation} lies on the safe side. No record shows it: the finding is {words}."
        combined = {}
    context = [draft.add(f"{name}/read", "context", _read(found.readings))] if found.readings else []
    node = draft.add(result, "claim", text, below=below, context=context, **combined)
    for reading in found.readings:
        _against(draft, basis, threshold, node, reading)
    return node


def _evidence(draft: Draft, record: Evidence, found: IndicatorFinding, threshold: Threshold) -> str:
    indicator = next((one for one in threshold.indicators if one.id == found.indicator), None)
    if found.confidence is None:
        confidence = Confidence(low=0, basis="A bare figure was compared; nothing is known of its error.")
    else:
        basis = f"One-sided bound at {found.confidence:.0%}, against sampling error alone."
        confidence = Confidence(low=found.confidence, basis=basis)
    if indicator is None:
        return draft.cite(record, confidence)
    ends_on = ("new_snapshot",) if indicator.same_snapshot else ()
    return draft.cite(record, confidence, max_age=indicator.max_age, ends_on=ends_on)


def _read(readings: Sequence[Reading]) -> str:
    return "Read: " + "; ".join(f"{one.evidence} {_verdict(one)}" for one in readings) + "."


def _verdict(reading: Reading) -> str:
    figure = f"({reading.value:g})" if reading.value is not None else "(no figure)"
    if reading.shows:
        return f"{figure} shows the ability"
    if reading.crosses:
        return f"{figure} crosses the line"
    if reading.supports:
        return f"{figure} supports"
    return f"{figure} was set aside" if reading.set_aside else f"{figure} decides nothing"


def _against(draft: Draft, basis: Basis, threshold: Threshold, result: str, reading: Reading) -> None:
    """Add what a reading says against the claim: an open defeater."""
    against = reading.shows or reading.crosses
    if not against and not reading.set_aside:
        return
    record = basis.records.get(reading.evidence)
    words = [f"{reading.evidence} {_verdict(reading)}."]
    details = reading.detail or tuple(SET_ASIDE_WORDS[one] for one in reading.set_aside)
    words += [f"Set aside: {'; '.join(details)}."] if reading.set_aside else []
    words += [f"Digest {record.digest}."] if record is not None else []
    # A line that is crossed stands against the threshold, whatever the others say, unless the policy outvotes it.
    target = f"T/{threshold.id}" if against and not threshold.combine.outvotes_crossed else result
    below: list[str] = []
    if against and record is not None:
        below = [draft.cite(record, Confidence(low=0, basis="It speaks against the claim; nobody has weighed it."))]
    draft.add(
        f"D/{result.removeprefix('I/').removesuffix('/result')}/{reading.evidence}",
        "defeater",
        " ".join(words),
        below=below,
        challenges=(target,),
        doubt=Doubt() if against else Doubt(effect="caps", cap=CAP_OF_SET_ASIDE),
        source=f"evidence:{reading.evidence}",
    )
