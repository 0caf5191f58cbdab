# SPDX-License-Identifier: Apache-2.0
"""What fills a report about risk: threat models, claims, mitigations with their effect, what remains, departures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidegate.assess.explain import result_words
from tidegate.assess.model import ModelAssessment, RequirementFinding, ThresholdFinding
from tidegate.evidence.model import Evidence
from tidegate.ledger.acts import WaiverRecorded
from tidegate.obligations.model import STATE_WORDS as DUTY_WORDS
from tidegate.obligations.model import Duty, Waiver
from tidegate.policy.model import EvaluationChange, ThreatModel
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.report_blocks import Block, Cell, Cite, Mark, Paragraph, listing
from tidegate.publish.report_sources_assessment import falsifiers
from tidegate.publish.report_sources_words import (
    STATE_STYLES,
    assessment_refs,
    assessments_of,
    evidence_cites,
    finding_mark,
    findings_of,
    hidden_duties,
    iso,
    known,
    models_of,
    newest_reports,
    plain_list,
    policy_ref,
    records_of,
    tabled,
    threshold_title,
    worded,
)
from tidegate.publish.report_templates import Filling, Source
from tidegate.publish.words import ACTION_WORDS, FINDING_SHORT, FINDING_WORDS, STATE_WORDS

EFFECT_KINDS = frozenset({"red_team", "efficacy"})
"""Kinds of evidence that measure what a safeguard achieves."""
MISSED = frozenset({"late", "met_late", "unclear"})
"""States of duties that were not, or perhaps not, met in time."""


def _coverage(content: Content, model: PublishedModel | None) -> Filling | None:
    made = assessments_of(content, model)
    if not made:
        return None
    rows = [
        (one.name, one.snapshot or "no snapshot is recorded", iso_released(found), _uses(found))
        for one, found in zip(made, models_of(content, model), strict=True)
    ]
    day = content.at.isoformat()
    intro = Paragraph((f"Covers what is on record up to {day}. Nothing that became known later is used.",))
    data = {
        "coverage_date": day,
        "policy": content.policy.label,
        "models": [{"model": one.model, "snapshot": one.snapshot} for one in made],
    }
    table = tabled("Models covered", ("Model", "Snapshot assessed", "Released", "Used for"), rows)
    return Filling((intro, *table), data, assessment_refs(content, model), content.at)


def iso_released(one: PublishedModel) -> str:
    """Give when a model was released, in words."""
    return one.model.released or "not released, or not stated"


def _uses(one: PublishedModel) -> str:
    return ", ".join(dict.fromkeys(ACTION_WORDS[use.action] for use in one.model.deployments)) or "not stated"


# --- threat models and claims --------------------------------------------------------------------------


def _threat_models(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    if not policy.threat_models:
        return None
    mapped = {
        one.id: [item.id for item in policy.thresholds if one.id in item.threat_models] for one in policy.threat_models
    }
    blocks: list[Block] = []
    for one in policy.threat_models:
        title = f"{one.id} {one.title}".strip()
        blocks += tabled(title, ("Part", "What the policy says"), _threat_rows(one, mapped[one.id]))
    lacks = [
        f"{one.id} does not say why no substantial threat model is left out"
        for one in policy.threat_models
        if not one.completeness
    ]
    lacks += [
        f"no threat model is mapped to {one.id}"
        for one in policy.thresholds
        if one.kind == "threshold" and not one.threat_models
    ]
    data = [
        {**one.model_dump(mode="json", exclude_defaults=True), "thresholds": mapped[one.id]}
        for one in policy.threat_models
    ]
    return Filling(tuple(blocks), data, policy_ref(content), content.at, tuple(lacks))


def _threat_rows(one: ThreatModel, thresholds: list[str]) -> Iterator[tuple[str, str]]:
    rows = (
        ("Thresholds", plain_list(thresholds)),
        ("Scenario", one.text),
        ("Actor", one.actor),
        ("Skill", one.skill),
        ("Resources", one.resources),
        ("Pathway", " → ".join(one.pathway)),
        ("Bottlenecks", "; ".join(one.bottlenecks)),
        ("Enabling capabilities", "; ".join(one.enabling_capabilities)),
        ("Harm", one.harm),
        ("Why none is left out", one.completeness or "not stated"),
    )
    yield from ((name, words) for name, words in rows if words)


def _claims(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give what is claimed of each threshold, what carries it, and what would prove it wrong."""
    rows: list[tuple[str | Cell, ...]] = []
    data: list[dict[str, Any]] = []
    refs: list[str] = []
    for one in models_of(content, model):
        cases = [f"case:{record.case}" for record in one.cases]
        for finding in one.assessment.thresholds:
            claim = f"{one.model.title}: {threshold_title(finding)} is {FINDING_WORDS[finding.finding]}"
            fails = falsifiers(content, finding)
            rows.append(
                (
                    str(len(rows) + 1),
                    claim,
                    "; ".join(finding.reasons),
                    evidence_cites(finding.load_bearing) or finding.by or "no record",
                    "; ".join(fails) or "none stated",
                )
            )
            data.append({"model": one.model.id, "threshold": finding.threshold, "claim": finding.finding,
                         "rests_on": list(finding.load_bearing), "by": finding.by, "fails_if": fails})  # fmt: skip
            refs += [f"evidence:{name}" for name in finding.load_bearing]
        refs += cases
    heads = ("No.", "Claim", "Why", "Rests on", "It fails if")
    blocks = tabled("Claims", heads, rows, is_wide=True)
    found = (*assessment_refs(content, model), *known(content, refs))
    return Filling(blocks, data, found, content.at) if blocks else None


# --- mitigations ---------------------------------------------------------------------------------------


def _due(made: ModelAssessment) -> Iterator[tuple[ThresholdFinding | None, RequirementFinding]]:
    """Give every requirement that is due: those of thresholds that are ruled out are not."""
    for name, required in made.requirements.items():
        finding = made.finding(name)
        if finding is None or not finding.is_ruled_out:
            yield from ((finding, one) for one in required)


def _mitigations(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give what is required because a threshold is not ruled out, where it stands, and what its effect is."""
    rows: list[tuple[str | Cell, ...]] = []
    data: list[dict[str, Any]] = []
    lacks: list[str] = []
    refs: list[str] = []
    for made in assessments_of(content, model):
        for finding, one in _due(made):
            shown = list(dict.fromkeys(name for item in one.criteria for need in item.needs for name in need.evidence))
            about = threshold_title(finding) if finding else "every model"
            target = f"{one.requirement}: {one.kind.replace('_', ' ')}{f' {one.target}' if one.target else ''}"
            mark = Mark(STATE_WORDS[one.state], STATE_STYLES[one.state])
            uses = ", ".join(ACTION_WORDS[action] for action in one.actions)
            rows.append((made.name, about, target, uses, (mark,), one.reason, evidence_cites(shown)))
            data.append({"model": made.model, "threshold": finding.threshold if finding else None,
                         "requirement": one.requirement, "state": one.state, "evidence": shown})  # fmt: skip
            refs += [f"evidence:{name}" for name in shown]
            # What is not met is a finding, and a halt is itself the mitigation; only what no record shows is missing.
            if one.binds and one.kind != "halt" and one.state in ("unknown", "expired"):
                shown_by = "nothing shows" if one.state == "unknown" else "what showed has expired:"
                lacks.append(f"{made.name}: {shown_by} {one.requirement}: {one.reason}")
    heads = ("Model", "Because this is not ruled out", "Required", "Before", "State", "Why", "Records")
    table = tabled("Mitigations that are due", heads, rows, is_wide=True)
    blocks: tuple[Block, ...] = table or (Paragraph(("Every threshold is ruled out, so that none is due.",)),)
    if not assessments_of(content, model):
        return None
    found = (*assessment_refs(content, model), *known(content, refs))
    return Filling(blocks, data, found, content.at, tuple(lacks))


def _effects(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give what red teams and efficacy tests measured of the safeguards."""
    found = [one for one in records_of(content, model) if one.kind in EFFECT_KINDS]
    rows = [_effect_row(one) for one in found]
    heads = ("Record", "What was measured", "Result", "Of", "By", "Day")
    blocks = tabled("Red-team and efficacy results", heads, rows, is_wide=True)
    data = [
        {
            "evidence": one.id,
            "kind": one.kind,
            "value": one.measurement.value if one.measurement else None,
            "n": one.measurement.n if one.measurement else None,
            "outcome": one.outcome,
            "criteria": list(one.criteria),
        }
        for one in found
    ]
    refs = known(content, (f"evidence:{one.id}" for one in found))
    return Filling(blocks, data, refs, content.at) if blocks else None


def _effect_row(one: Evidence) -> tuple[str | Cell, ...]:
    found = one.measurement
    relation = "" if one.evaluator.relation == "unstated" else f" ({one.evaluator.relation})"
    return (
        (Cite(f"evidence:{one.id}"),),
        one.kind.replace("_", " ") if found is None else f"{found.evaluation}, {found.metric}",
        (one.outcome or "") if found is None else result_words(one),
        plain_list(one.criteria) or "not tied to a criterion",
        f"{one.evaluator.name or 'not stated'}{relation}",
        one.finished or one.published or "not dated",
    )


# --- what remains --------------------------------------------------------------------------------------


def _residual_risk(content: Content, model: PublishedModel | None) -> Filling | None:
    """Say which thresholds are not ruled out and what mitigates them, then what the authors of reports say remains."""
    made = assessments_of(content, model)
    if not made:
        return None
    rows: list[tuple[str | Cell, ...]] = []
    data: list[dict[str, Any]] = []
    for one, finding in findings_of(content, model):
        if finding.is_ruled_out:
            continue
        required = [each for at, each in _due(one) if at is finding]
        met = [each.requirement for each in required if each.state == "met"]
        open_ = [f"{each.requirement} ({STATE_WORDS[each.state]})" for each in required if each.state != "met"]
        rows.append((one.name, threshold_title(finding), (finding_mark(finding),),
                     plain_list(met) or "nothing on record", plain_list(open_) or "nothing"))  # fmt: skip
        data.append({"model": one.model, "threshold": finding.threshold, "finding": finding.finding,
                     "mitigated_by": met,
                     "not_in_place": [each.requirement for each in required if each.state != "met"]})  # fmt: skip
    heads = ("Model", "Not ruled out", "Finding", "Mitigated by", "Required and not in place")
    table: tuple[Block, ...] = tabled("What is not ruled out", heads, rows)
    table = table or (Paragraph(("Every threshold of the policy is ruled out on what is recorded.",)),)
    said, refs, lacks = _remaining(content, model)
    found = (*assessment_refs(content, model), *refs)
    return Filling((*table, *said), {"thresholds": data, "words": _remaining_data(content, model)}, found, content.at,
                   lacks)  # fmt: skip


def _remaining(
    content: Content, model: PublishedModel | None
) -> tuple[tuple[Block, ...], tuple[str, ...], tuple[str, ...]]:
    """Give what authors of final reports say remains, their reports, and the models about which nobody says it."""
    blocks: list[Block] = []
    refs: list[str] = []
    told: set[str] = set()
    for kind in ("capability", "safeguards"):
        for one, record, report in newest_reports(content, model, kind):
            made = worded(report.text.residual_risk, f"{one.model.title}, {kind} report of {report.at.isoformat()}")
            blocks += made
            refs += [f"report:{record.report}"] if made else []
            told |= {one.model.id} if made else set()
    lacks = [
        f"no final report says what risk remains with {one.model.title}"
        for one in models_of(content, model)
        if one.model.id not in told
    ]
    return tuple(blocks), known(content, refs), tuple(lacks)


def _remaining_data(content: Content, model: PublishedModel | None) -> list[dict[str, str]]:
    return [
        {"model": report.model, "report": record.report, "text": report.text.residual_risk}
        for kind in ("capability", "safeguards")
        for _, record, report in newest_reports(content, model, kind)
        if report.text.residual_risk.strip()
    ]


# --- departures ----------------------------------------------------------------------------------------


def _deviations(content: Content, model: PublishedModel | None) -> Filling:
    """Give where the organisation departed from its policy and its duties; a project without a log cannot know."""
    wanted = {name for one in models_of(content, model) for name in one.model.names}
    measures = [one for one in content.measures if one.model.casefold() in wanted]
    missed = [one for one in content.duties if one.state in MISSED and _is_about(one.subject, model)]
    replaced = content.policy.evaluation_changes
    blocks = (*_measures(measures), *_missed(missed), *_waived(content.waivers), *_replaced(replaced))
    if not blocks:
        blocks = (Paragraph((f"None that is public is on record as of {content.at.isoformat()}.",)),)
    blocks += hidden_duties(content)
    data = {
        "measures": [one.model_dump(mode="json") for one in measures],
        "missed": [
            {"rule": one.rule.id, "about": one.subject, "due": iso(one.due_on), "state": one.state} for one in missed
        ],
        "waivers": [one.model_dump(mode="json") for one in content.waivers],
        "evaluation_changes": [one.model_dump(mode="json") for one in replaced],
    }
    lacks = () if content.head else ("the project keeps no log, so that departures from the policy are not on record",)
    refs = known(content, (f"decision:{one.decision}" for one in measures))
    return Filling(blocks, data, refs, content.at, lacks)


def _measures(measures: Sequence[WaiverRecorded]) -> tuple[Block, ...]:
    rows: list[tuple[str | Cell, ...]] = [
        (
            one.waiver,
            one.kind.replace("_", " "),
            plain_list(one.requirements),
            ", ".join(ACTION_WORDS[action] for action in one.actions) or "no use",
            one.until.isoformat(),
            (Cite(f"decision:{one.decision}"),),
            one.reason,
        )
        for one in measures
    ]
    heads = ("What", "Kind", "Of", "For", "Until", "Decision", "Reason")
    return tabled("Measures, waivers and deviations of decisions", heads, rows, is_wide=True)


def _missed(duties: Sequence[Duty]) -> tuple[Block, ...]:
    rows = [
        (
            one.rule.title,
            one.subject or "the organisation",
            iso(one.due_on) or "no date",
            DUTY_WORDS[one.state],
            one.reason,
        )
        for one in duties
    ]
    heads = ("Duty", "About", "Due", "State", "How it was computed")
    return tabled("Duties that were missed, met late, or whose start is not on record", heads, rows)


def _waived(waivers: Sequence[Waiver]) -> tuple[Block, ...]:
    rows = [
        (one.rule, one.subject or "any", one.until.isoformat(), plain_list(one.signed_by) or "nobody", one.reason)
        for one in waivers
    ]
    return tabled("Duties that were waived", ("Rule", "About", "Until", "Signed by", "Reason"), rows)


def _replaced(changes: Sequence[EvaluationChange]) -> tuple[Block, ...]:
    rows = [
        (one.threshold, one.was, one.now, one.on.isoformat(), one.reason, plain_list(one.approved_by) or "nobody")
        for one in changes
    ]
    heads = ("Threshold", "Was", "Is", "On", "Reason", "Approved by")
    return tabled("Evaluations that were replaced after the policy had fixed them", heads, rows)


def _is_about(subject: str | None, model: PublishedModel | None) -> bool:
    """Tell whether a duty concerns a model; those of the organisation concern every model."""
    return model is None or subject is None or subject.casefold() in model.model.names


def _conclusion(content: Content, model: PublishedModel | None) -> Filling | None:
    """Say in one list for which uses the policy's gates are open, and which thresholds keep others closed."""
    made = assessments_of(content, model)
    lines = []
    for one in made:
        opened = [ACTION_WORDS[gate.action] for gate in one.gates if gate.open]
        left = [f"{item.threshold} ({FINDING_SHORT[item.finding]})" for item in one.thresholds if not item.is_ruled_out]
        lines.append(
            f"{one.name}: open for {plain_list(opened) or 'no use'}; not ruled out: {plain_list(left) or 'no threshold'}"
        )
    data = [
        {"model": one.model, "open": [gate.action for gate in one.gates if gate.open],
         "not_ruled_out": [item.threshold for item in one.thresholds if not item.is_ruled_out]}
        for one in made
    ]  # fmt: skip
    blocks = listing("What the policy allows on what is recorded", lines)
    return Filling(blocks, data, assessment_refs(content, model), content.at) if blocks else None


SOURCES: Mapping[str, Source] = {
    "coverage": _coverage,
    "threat_models": _threat_models,
    "claims": _claims,
    "mitigations": _mitigations,
    "mitigation_effects": _effects,
    "residual_risk": _residual_risk,
    "risk_conclusion": _conclusion,
    "deviations": _deviations,
}
"""Sources about risk."""
