# SPDX-License-Identifier: Apache-2.0
"""What fills fields about assessments: which risks, with which evaluations, what was found, how far from each line.

Every figure is one of an evidence record, and is printed with the id of that record.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tidegate.assess.explain import result_words
from tidegate.assess.model import IndicatorFinding, ModelAssessment, Reading, ThresholdFinding
from tidegate.assess.whatif import distance_words, quantity
from tidegate.evidence.model import CAPABILITY_KINDS, Evidence
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.report_blocks import Block, Cell, Cite, Paragraph, Run, listing
from tidegate.publish.report_sources_words import (
    about_line,
    assessment_refs,
    assessments_of,
    evidence_cites,
    evidence_refs,
    finding_mark,
    findings_of,
    known,
    newest_reports,
    records_of,
    spaced,
    tabled,
    threshold_title,
    words_cell,
)
from tidegate.publish.report_templates import Filling, Source
from tidegate.publish.words import FINDING_SHORT, FLAG_WORDS, STATE_WORDS

# --- which risks were assessed -------------------------------------------------------------------------


def _risks(content: Content, model: PublishedModel | None) -> Filling | None:
    made = assessments_of(content, model)
    if not made:
        return None
    rows, data = [], []
    for one in made:
        for domain in content.policy.domains:
            found = [finding for finding in one.thresholds if finding.domain == domain.id]
            read = sorted({name for finding in found for name in _read(finding)})
            if found:
                rows.append((one.name, domain.title or domain.id, _findings_cell(found), str(len(read))))
                data.append(_risk_data(one, domain.id, found, read))
    heads = ("Model", "Risk", "Thresholds and findings", "Evaluation records read")
    how = (
        f"Assessed under {content.policy.title} ({content.policy.label}). The policy's rules are applied to the "
        "records of evidence; a capability that is not ruled out counts as reached."
    )
    refs = (*assessment_refs(content, model), *known(content, (f"policy:{content.policy.label}",)))
    lines = [about_line(content, one) for one in made]
    blocks = (Paragraph((how,)), *listing("Assessed", lines), *tabled("Risks that were assessed", heads, rows))
    return Filling(blocks, data, refs, content.at, _unassessed(made))


def _unassessed(made: Iterable[ModelAssessment]) -> tuple[str, ...]:
    """Name the models of which nothing is assessed: a table of them alone is no result."""
    untouched = (one.name for one in made if all(finding.finding == "not_assessed" for finding in one.thresholds))
    return tuple(f"no threshold is assessed for {name}" for name in untouched)


def _findings_cell(found: list[ThresholdFinding]) -> Cell:
    runs: list[Any] = []
    for one in found:
        runs += ["; "] if runs else []
        runs += [f"{threshold_title(one)}: ", finding_mark(one)]
    return tuple(runs)


def _read(finding: ThresholdFinding) -> Iterator[str]:
    yield from (reading.evidence for one in finding.indicators for reading in one.readings)


def _risk_data(made: ModelAssessment, domain: str, found: list[ThresholdFinding], read: list[str]) -> dict[str, Any]:
    return {
        "model": made.model,
        "snapshot": made.snapshot,
        "domain": domain,
        "thresholds": {one.threshold: one.finding for one in found},
        "evaluations": read,
    }


# --- what was found ------------------------------------------------------------------------------------


def _results(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give every finding with the records that bear it: figure, interval, line, distance."""
    made = assessments_of(content, model)
    if not made:
        return None
    blocks: list[Block] = []
    for one in made:
        rows = [
            (threshold_title(finding), (finding_mark(finding),), finding.by or "", "; ".join(finding.reasons))
            for finding in one.thresholds
        ]
        blocks += tabled(f"Findings for {about_line(content, one)}", ("Threshold", "Finding", "Rests on", "Why"), rows)
        figures = [row for finding in one.thresholds for row in _figures(content, finding)]
        heads = ("Threshold", "Record", "Result", "Bound", "Line", "Distance", "Bears the finding")
        blocks += tabled(f"Figures behind them, for {one.name}", heads, figures, is_wide=True)
    bearing = (name for _, finding in findings_of(content, model) for name in finding.load_bearing)
    refs = (*assessment_refs(content, model), *evidence_refs(content, bearing))
    data = [_result_data(content, one, finding) for one, finding in findings_of(content, model)]
    return Filling(tuple(blocks), data, refs, content.at, _unassessed(made))


def _figures(content: Content, finding: ThresholdFinding) -> Iterator[tuple[str | Cell, ...]]:
    """Give every figure that was read for a finding, once for each line that it was read against."""
    for indicator in finding.indicators:
        for reading in indicator.readings:
            record = content.evidence.get(reading.evidence)
            bears = "yes" if reading.evidence in finding.load_bearing else "no"
            if bears == "no" and (reading.supports if finding.is_ruled_out else reading.crosses):
                bears = "with others"
            if reading.set_aside and not (reading.crosses or reading.shows):
                bears = f"set aside: {'; '.join(reading.detail)}"
            yield (
                finding.threshold,
                (Cite(f"evidence:{reading.evidence}"),),
                _result_of(record, indicator, reading),
                "none" if reading.bound is None else f"{quantity(reading.bound, indicator.unit)} ({reading.basis})",
                line_words(indicator),
                distance_of(reading, indicator),
                bears,
            )


def _result_of(record: Evidence | None, indicator: IndicatorFinding, reading: Reading) -> str:
    if record is None or record.measurement is None:
        return "no figure" if reading.value is None else quantity(reading.value, indicator.unit)
    return f"{record.measurement.evaluation}, {record.measurement.metric}: {result_words(record)}"


def line_words(indicator: IndicatorFinding) -> str:
    """Give the line of a rule in words."""
    how = "the bare figure" if indicator.confidence is None else f"one-sided {indicator.confidence:.3g}"
    shown = quantity(indicator.rule_out.value, indicator.unit)
    return f"crossed when {indicator.rule_out.crossed_when} {shown} ({how})"


def distance_of(reading: Reading, indicator: IndicatorFinding) -> str:
    """Give how far a figure is from its line, in words."""
    if reading.distance is None:
        return "cannot be given"
    words = f"{distance_words(abs(reading.distance), indicator.unit)} {'beyond' if reading.crosses else 'to'} the line"
    if reading.distance_se is not None:
        words += f", {abs(reading.distance_se):.2g} standard errors"
    return f"{words}; its bound lies beyond it" if _is_near(reading, indicator) else words


def _is_near(reading: Reading, indicator: IndicatorFinding) -> bool:
    """Tell whether a figure is on the safe side of its line and its bound is not."""
    line = indicator.rule_out
    return not reading.crosses and reading.bound is not None and line.is_crossed_by(reading.bound)


def _result_data(content: Content, made: ModelAssessment, finding: ThresholdFinding) -> dict[str, Any]:
    return {
        "model": made.model,
        "snapshot": made.snapshot,
        "threshold": finding.threshold,
        "title": finding.title,
        "domain": finding.domain,
        "finding": finding.finding,
        "reasons": list(finding.reasons),
        "rests_on": finding.by,
        "load_bearing": list(finding.load_bearing),
        "remarks": [FLAG_WORDS[flag] for flag in finding.flags],
        "figures": [
            _figure_data(content, indicator, reading)
            for indicator in finding.indicators
            for reading in indicator.readings
        ],
    }


def _figure_data(content: Content, indicator: IndicatorFinding, reading: Reading) -> dict[str, Any]:
    record = content.evidence.get(reading.evidence)
    measured = record.measurement if record else None
    return {
        "evidence": reading.evidence,
        "evaluation": indicator.evaluation,
        "value": measured.value if measured else reading.value,
        "unit": measured.unit if measured else indicator.unit,
        "n": measured.n if measured else None,
        "interval": measured.interval.model_dump(mode="json") if measured and measured.interval else None,
        "bound": reading.bound,
        "bound_basis": reading.basis,
        "line": indicator.rule_out.model_dump(mode="json"),
        "line_unit": indicator.unit,
        "read_as": reading.value,
        "confidence": indicator.confidence,
        "distance": reading.distance,
        "distance_standard_errors": reading.distance_se,
        "crosses": reading.crosses,
        "supports": reading.supports,
        "set_aside": list(reading.set_aside),
    }


# --- margins and the conditions of failure --------------------------------------------------------------


def _margins(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give for each finding how far it is from its line, and what would show that the conclusion fails."""
    found = tuple(findings_of(content, model))
    if not found:
        return None
    said = {
        (report.model, one.id): one.margin
        for _, _, report in newest_reports(content, model, "capability")
        for one in report.text.thresholds
        if one.margin.strip()
    }
    changes = {
        (report.model, one.threshold): one.changes
        for _, _, report in newest_reports(content, model, "capability")
        for one in report.thresholds
    }
    rows, data, lacks = [], [], []
    for made, one in found:
        if one.finding == "not_assessed":
            continue
        fails = falsifiers(content, one)
        rows.append(
            (
                f"{made.name}: {threshold_title(one)}",
                (finding_mark(one),),
                _distances(one) or "none can be given",
                words_cell(said.get((made.model, one.threshold))),
                "; ".join(fails) or "none stated",
                "; ".join(changes.get((made.model, one.threshold), ())) or "not in a final report",
            )
        )
        data.append(
            {
                "model": made.model,
                "threshold": one.threshold,
                "finding": one.finding,
                "margin": said.get((made.model, one.threshold)),
                "fails_if": fails,
                "changes": list(changes.get((made.model, one.threshold), ())),
            }
        )
        if one.is_ruled_out and not fails:
            lacks.append(f"nothing states what would prove the rule-out of {one.threshold} for {made.name} wrong")
        if one.is_ruled_out and (made.model, one.threshold) not in said:
            lacks.append(f"no final report says why the margin of {one.threshold} for {made.name} is enough")
    heads = ("Conclusion", "Finding", "Distance to the line", "Why that is enough", "It fails if", "It changes if")
    bearing = (name for _, one in found for name in one.load_bearing)
    reports = (f"report:{record.report}" for _, record, _ in newest_reports(content, model, "capability"))
    refs = (*assessment_refs(content, model), *evidence_refs(content, bearing), *known(content, reports))
    blocks = tabled("Margins, and when a conclusion no longer holds", heads, rows, is_wide=True)
    return Filling(blocks, data, refs, content.at, tuple(lacks)) if blocks else None


def falsifiers(content: Content, finding: ThresholdFinding) -> list[str]:
    """Give what would prove a rule-out of a threshold wrong, as the policy states it, each once."""
    stated = content.policy.threshold(finding.threshold)
    if stated is None:
        return []
    read = {one.indicator for one in finding.indicators}
    words = [stated.falsifier, *(one.falsifier for one in stated.indicators if one.id in read)]
    return list(dict.fromkeys(one for one in words if one))


def _distances(finding: ThresholdFinding) -> Cell:
    runs: list[Run] = []
    for indicator in finding.indicators:
        for reading in indicator.readings:
            if reading.evidence in finding.load_bearing:
                runs += ["; "] if runs else []
                distance = f": {distance_of(reading, indicator)}"
                runs += [f"{indicator.evaluation} ", Cite(f"evidence:{reading.evidence}"), distance]
    return tuple(runs)


# --- other people, other steps -------------------------------------------------------------------------


def _third_parties(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give what people outside did: evaluations, audits and reviews; none if no record shows any."""
    outside = [one for one in records_of(content, model) if one.evaluator.relation == "independent"]
    reviews = [
        (report, record, review)
        for kind in ("capability", "safeguards")
        for _, record, report in newest_reports(content, model, kind)
        for review in report.text.reviews
        if review.relation == "independent"
    ]
    if not outside and not reviews:
        return None
    every = [one for one in records_of(content, model) if one.kind in CAPABILITY_KINDS]
    share = sum(one.evaluator.relation == "independent" for one in every)
    unsaid = sum(one.evaluator.relation == "unstated" for one in every)
    counted = (
        f"{share} of {len(every)} evaluation records were made by somebody independent of the developer; "
        f"for {unsaid} it is not stated who made them."
    )
    rows: list[tuple[str | Cell, ...]] = [
        (
            one.evaluator.name or "not named",
            spaced([one.kind]),
            (Cite(f"evidence:{one.id}"),),
            result_words(one) if one.measurement else one.outcome or "",
            one.evaluator.conflicts or "none declared",
            one.finished or one.published or "not dated",
        )
        for one in outside
    ]
    rows += [
        (
            review.by,
            "review of a report",
            (Cite(f"report:{record.report}"),),
            words_cell(review.text),
            "",
            record.at[:10],
        )
        for _, record, review in reviews
    ]
    heads = ("Who", "What", "Record", "Result or words", "Conflicts of interest", "Day")
    data = {
        "independent_evaluations": share,
        "evaluations": len(every),
        "evaluator_not_stated": unsaid,
        "records": [{"by": one.evaluator.name, "kind": one.kind, "evidence": one.id} for one in outside],
        "reviews": [{"by": review.by, "report": record.report} for _, record, review in reviews],
    }
    refs = evidence_refs(content, (one.id for one in outside))
    refs += known(content, (f"report:{record.report}" for _, record, _ in reviews))
    table = tabled("What others did", heads, rows, is_wide=True)
    return Filling((Paragraph((counted,)), *table), data, refs, content.at)


def _steps(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give the other steps under the policy: what it requires and where that stands, decisions, reports, cases."""
    rows: list[tuple[str | Cell, ...]] = []
    data: list[dict[str, Any]] = []
    refs: list[str] = []
    for one in (model,) if model is not None else content.models:
        for step in _steps_of(one):
            rows.append((one.model.title, step["kind"], step["what"], step["state"], evidence_cites(step["evidence"])))
            data.append({"model": one.model.id, **step})
        refs += [f"decision:{shown.record.id}" for shown in one.decisions]
        refs += [f"report:{record.report}" for record, _ in one.reports]
        refs += [f"case:{record.case}" for record in one.cases]
    blocks = tabled("Steps under the policy", ("Model", "Step", "What", "State", "Records"), rows)
    found = (*assessment_refs(content, model), *known(content, refs))
    is_taken = bool(refs) or any(step["evidence"] for step in data)
    lacks = () if is_taken else ("no step is on record: no evidence for a requirement, no report, case or decision",)
    return Filling(blocks, data, found, content.at, lacks) if blocks else None


def _steps_of(one: PublishedModel) -> Iterator[dict[str, Any]]:
    for threshold, required in one.assessment.requirements.items():
        finding = one.assessment.finding(threshold)
        if finding is not None and finding.is_ruled_out:
            continue
        for each in required:
            records = [name for item in each.criteria for need in item.needs for name in need.evidence]
            about = f"for {threshold} ({FINDING_SHORT[finding.finding]})" if finding else "for every model"
            yield {
                "kind": spaced([each.kind]),
                "what": f"{each.requirement} {about}",
                "state": f"{STATE_WORDS[each.state]}: {each.reason}",
                "evidence": list(dict.fromkeys(records)),
            }
    for record, report in one.reports:
        yield _step(f"{record.kind} report", record.report, f"final since {record.at[:10]}, as of {report.at}")
    for case in one.cases:
        agreed = sum(review.verdict == "agrees" for review in case.reviews)
        yield _step("safety case", case.case, f"recorded {case.at[:10]}; {agreed} reviews agree")
    for shown in one.decisions:
        state = shown.record.state.replace("_", " ")
        counts = "counts" if shown.counts else f"does not count: {'; '.join(shown.reasons) or 'it has ended'}"
        yield _step("decision", f"{shown.record.id}: {shown.record.document.choice}", f"{state}; {counts}")


def _step(kind: str, what: str, state: str) -> dict[str, Any]:
    return {"kind": kind, "what": what, "state": state, "evidence": []}


SOURCES: Mapping[str, Source] = {
    "assessment.risks": _risks,
    "assessment.results": _results,
    "assessment.margins": _margins,
    "assessment.third_parties": _third_parties,
    "assessment.steps": _steps,
}
"""Sources about assessments."""
