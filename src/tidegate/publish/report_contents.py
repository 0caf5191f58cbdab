# SPDX-License-Identifier: Apache-2.0
"""What stands in a capability or safeguards report, section by section, whatever it is printed as."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from tidegate.assess.explain import ROLE_WORDS, ExplainedRecord, result_words, source_words
from tidegate.assess.whatif import quantity
from tidegate.evidence.model import Evidence
from tidegate.govern.critiques import OUTCOME_WORDS, Criticised
from tidegate.govern.report_building import elicited_with
from tidegate.govern.reports import (
    GapKind,
    Report,
    ReportedCheck,
    ReportedCriterion,
    ReportedIndicator,
    ReportedNeed,
    ReportedRequirement,
    ReportedThreshold,
)
from tidegate.policy.model import Baseline, ElicitationElement, Line, ThreatModel
from tidegate.publish.report_blocks import Block, Cell, Cite, Mark, Paragraph, Section, cell, cites, grid, listing, said
from tidegate.publish.words import ACTION_WORDS, FINDING_SHORT, FINDING_WORDS, STATE_WORDS

KIND_TITLES = {"capability": "Capability report", "safeguards": "Safeguards report"}
GAP_WORDS: dict[GapKind, str] = {
    "no_evidence": "no evidence",
    "elicitation": "elicitation",
    "set_aside": "set aside",
    "unread": "meets no rule",
    "threat": "validity threat",
    "remark": "importer's objection",
    "unmapped": "no threat model",
    "completeness": "completeness",
    "requirement": "requirement",
    "criterion": "criterion",
}
_STATE_STYLES = {"met": "ruled_out", "not_met": "not_ruled_out", "unknown": "inconclusive", "expired": "inconclusive"}


def sections(report: Report, critiques: Sequence[Criticised]) -> tuple[Section, ...]:
    """Give the sections of a report, in their order."""
    made = _capability(report) if report.kind == "capability" else _safeguards(report)
    return (*made, *_reviewed(report, critiques), *_records(report), _recompute(report))


def _finding(one: ReportedThreshold) -> Mark:
    return Mark(FINDING_SHORT[one.finding], one.finding)


def _state(state: str) -> Mark:
    return Mark(STATE_WORDS[state], _STATE_STYLES[state])  # type: ignore[index]


# --- capability ----------------------------------------------------------------------------------------


def _capability(report: Report) -> Iterator[Section]:
    yield Section("Findings at a glance", tuple(_glance(report)))
    yield Section("Recommendation", (said(report.text.recommendation),))
    if report.text.scope.strip():
        yield Section("What was assessed, and why", (said(report.text.scope),))
    yield Section("Threat models", tuple(_threat_models(report)))
    yield Section("Evaluations and elicitation", tuple(_evaluations(report)))
    intro = "Each finding is computed by the policy's rules from the records named beside it."
    yield Section("Results and findings", (Paragraph((intro,)),))
    for one in report.thresholds:
        title = f"{one.threshold}: {FINDING_WORDS[one.finding]}"
        yield Section(title, tuple(_threshold(one, report)), level=3)
    lead = Paragraph(("Figures here are expectations of the author, and not results.",))
    yield Section("Forecast", (lead, said(report.text.forecast)))
    yield Section("Gaps", tuple(_gaps(report)))
    yield Section("Residual risk", (said(report.text.residual_risk),))


def _glance(report: Report) -> Iterator[Block]:
    rows = [
        (f"{one.threshold} {one.title}", (_finding(one),), one.by or "", _bearing(one)) for one in report.thresholds
    ]
    heads = ("Threshold", "Finding", "Rests on", "Records that bear it, and how far they are from their line")
    yield from grid("Findings", heads, rows)


def _bearing(one: ReportedThreshold) -> Cell:
    margins = {read.evidence: read.margin_words for indicator in one.indicators for read in indicator.explained.records}
    runs: list[str | Cite | Mark] = []
    for name in one.load_bearing:
        runs += ["; "] if runs else []
        runs += [Cite(name), f" {margins[name]}" if name in margins else ""]
    return tuple(run for run in runs if run)


def _threat_models(report: Report) -> Iterator[Block]:
    used: dict[str, list[str]] = {}
    models: dict[str, ThreatModel] = {}
    for one in report.thresholds:
        for model in one.threat_models:
            models[model.id] = model
            used.setdefault(model.id, []).append(one.threshold)
    if not models:
        yield Paragraph(("The policy maps no threat model to its thresholds.",))
    for name, model in models.items():
        yield from grid(f"{name} {model.title}".strip(), ("Part", "What the policy says"), _mapping(model, used[name]))
    unmapped = [one.about for one in report.gaps if one.kind == "unmapped"]
    yield from listing("Thresholds without a threat model, though their domain has some", unmapped)


def _mapping(model: ThreatModel, thresholds: Sequence[str]) -> Iterator[tuple[str, str]]:
    rows = (
        ("Thresholds", ", ".join(thresholds)),
        ("Scenario", model.text),
        ("Actor", model.actor),
        ("Skill", model.skill),
        ("Resources", model.resources),
        ("Pathway", " → ".join(model.pathway)),
        ("Bottlenecks", "; ".join(model.bottlenecks)),
        ("Enabling capabilities", "; ".join(model.enabling_capabilities)),
        ("Harm", model.harm),
        ("Why none is left out", model.completeness or "not stated"),
    )
    yield from ((name, words) for name, words in rows if words)


def _evaluations(report: Report) -> Iterator[Block]:
    wanted: dict[str, tuple[ElicitationElement, ...]] = {}
    for one in report.thresholds:
        for indicator in one.indicators:
            for reading in indicator.readings:
                known = wanted.get(reading.evidence, ())
                wanted[reading.evidence] = tuple(dict.fromkeys((*known, *indicator.elicitation)))
    listed = [one for one in report.records if one.measurement is not None and not one.criteria]
    rows = [_elicited(record, wanted.get(record.id)) for record in listed]
    if not rows:
        yield Paragraph(("No evaluation is recorded.",))
    heads = ("Record", "Evaluation", "Measured on", "Used", "Required and missing", "Said to be absent", "Details")
    yield from grid("How each result was elicited", heads, rows, is_wide=True)


def _elicited(record: Evidence, wanted: tuple[ElicitationElement, ...] | None) -> tuple[str | Cell, ...]:
    assert record.measurement is not None
    used = elicited_with(record)
    missing = None if wanted is None else [one for one in wanted if one not in used]
    shown = "not read by any rule" if missing is None else _spaced(missing) or "none"
    about = record.subject
    made = record.elicitation
    details = (
        ("best of", made.n_samples),
        ("attempts", made.attempts),
        ("tools", ", ".join(made.tools)),
        ("scaffold", made.scaffold),
        ("reasoning", made.reasoning),
        ("tokens", made.token_budget),
        ("US dollars", made.cost_budget_usd),
    )
    words = [f"{name}: {value}" for name, value in details if value]
    words += [made.statement] if made.statement else []
    words.append(f"{made.basis} by the source" if made.basis == "unstated" else made.basis)
    return (
        (Cite(record.id),),
        f"{record.measurement.evaluation}, {record.measurement.metric}",
        f"{about.model} {about.snapshot or 'snapshot not stated'}, {_spaced([about.variant])}",
        _spaced(used) or "none stated",
        shown,
        _spaced(made.absent) or "none",
        "; ".join(words),
    )


def _spaced(names: Iterable[str]) -> str:
    return ", ".join(names).replace("_", " ")


def _threshold(one: ReportedThreshold, report: Report) -> Iterator[Block]:
    yield Paragraph(cell(one.title, ". " if one.text else None, one.text or None))
    about = (("Whose ability is judged", one.actor), ("Against what", _baseline(one.baseline)))
    yield from listing("Judged", [f"{name}: {words}" for name, words in about if words])
    yield from listing("Why", (*one.reasons, one.combination))
    for indicator in one.indicators:
        yield from _indicator(indicator)
    yield from listing("What would prove a rule-out wrong", (one.falsifier,) if one.falsifier else ())
    crossed = [
        cell(
            f"{alert.indicator or 'judgement'}: {alert.state.replace('_', ' ')}; {alert.action}",
            *_after(alert.evidence),
        )
        for alert in one.alerts
    ]
    yield from listing("Alert lines", crossed)
    yield from _spoken(one, report)
    yield from listing("What would change the finding", one.changes)
    yield from listing("What would settle it", one.would_settle)
    unread = [
        cell(f"{record.evaluation}, {record.metric}: {record.result} ", Cite(record.evidence)) for record in one.unread
    ]
    yield from listing("Records that name it and meet no rule", unread)
    yield from listing("What a reader should know", one.flags)
    if one.concluded is not None:
        words = f"{one.concluded.status.replace('_', ' ')}; {one.agreement}"
        yield from listing("Concluded before", (words,))


def _after(names: Sequence[str]) -> Cell:
    return (" ", *cites(names)) if names else ()


def _baseline(given: Baseline | None) -> str:
    if given is None:
        return ""
    parts = (str(given.year) if given.year else None, given.tools, given.time, given.money, given.note)
    return "; ".join(part for part in parts if part)


def _indicator(one: ReportedIndicator) -> Iterator[Block]:
    explained = one.explained
    lines = [f"rule: {explained.rule}", f"lock: {explained.lock}", f"falsifier: {explained.falsifier or 'none stated'}"]
    lines += [f"asked of a record: {'; '.join(explained.conditions)}"] if explained.conditions else []
    yield from listing(f"{explained.evaluation}: {FINDING_WORDS[explained.finding]}", lines)
    heads = ("Record", "Result", "Bound", "Distance to the line", "What it does")
    rows = [_read(record) for record in explained.records]
    yield from grid(f"Results of {explained.evaluation}", heads, rows, is_wide=True)


def _read(record: ExplainedRecord) -> tuple[str | Cell, ...]:
    does = ROLE_WORDS[record.role] + (", bears the finding" if record.is_load_bearing else "")
    because = f" ({'; '.join(record.reasons)})" if record.reasons else ""
    style = {"supports": "ruled_out", "shows": "reached", "crosses": "not_ruled_out"}.get(record.role, "inconclusive")
    return (
        (Cite(record.evidence),),
        f"{record.metric}: {record.result}",
        record.bound,
        record.margin_words,
        cell(Mark(does, style), because or None),
    )


def _spoken(one: ReportedThreshold, report: Report) -> Iterator[Block]:
    text = report.text.threshold(one.threshold)
    if one.is_ruled_out or (text is not None and text.margin.strip()):
        yield said(text.margin if text is not None else "", "Why the distance to the line is enough")
    if text is None:
        return
    for threat, words in text.answers.items():
        yield said(words, f"Answer to {threat.replace('_', ' ')}")
    if text.remarks.strip():
        yield said(text.remarks, "Remarks")


def _gaps(report: Report) -> Iterator[Block]:
    if not report.gaps:
        yield Paragraph(("None was found.",))
    rows = [
        (GAP_WORDS[one.kind], one.about, one.words, cites((one.evidence,) if one.evidence else ()))
        for one in report.gaps
    ]
    yield from grid("What is missing", ("Kind", "About", "What", "Record"), rows)


# --- safeguards ----------------------------------------------------------------------------------------


def _safeguards(report: Report) -> Iterator[Section]:
    yield Section("Requirements at a glance", tuple(_requirements(report)))
    yield Section("Recommendation", (said(report.text.recommendation),))
    if report.text.scope.strip():
        yield Section("What was assessed, and why", (said(report.text.scope),))
    yield Section("Standards and criteria", tuple(_criteria(report)))
    for one in report.criteria:
        yield Section(f"{one.criterion}: {STATE_WORDS[one.state]}", tuple(_criterion(one, report)), level=3)
    yield Section("Red-teaming and efficacy", tuple(_efficacy(report)))
    yield Section("Trusted users", (said(report.text.trusted_users),))
    yield Section("Third parties", (said(report.text.third_parties),))
    yield Section("Residual gaps", (*_gaps(report), *_residual(report)))
    yield Section("Residual risk", (said(report.text.residual_risk),))


def _requirements(report: Report) -> Iterator[Block]:
    if not report.requirements:
        yield Paragraph(("The policy requires nothing.",))
    titles = {one.threshold: one for one in report.thresholds}
    rows = [_requirement(one, titles.get(one.threshold or "")) for one in report.requirements]
    heads = ("Requirement", "For", "Before", "State", "Why", "Records that name it")
    yield from grid("Requirements", heads, rows, is_wide=True)


def _requirement(one: ReportedRequirement, threshold: ReportedThreshold | None) -> tuple[str | Cell, ...]:
    target = f": {one.kind.replace('_', ' ')}{f' {one.target}' if one.target else ''}"
    advisory = "" if one.binds else " (advisory)"
    due = "every model" if threshold is None else f"{threshold.threshold} "
    return (
        f"{one.requirement}{target}{advisory}",
        (due,) if threshold is None else (due, _finding(threshold)),
        ", ".join(ACTION_WORDS[action] for action in one.actions),
        (_state(one.state),),
        one.reason,
        _checks(one.checks),
    )


def _checks(checks: Sequence[ReportedCheck]) -> Cell:
    runs: list[str | Cite | Mark] = []
    for one in checks:
        runs += ["; "] if runs else []
        runs += [Cite(one.evidence), _until(one.expires)]
    return tuple(runs)


def _until(day: date | None) -> str:
    return "" if day is None else f" until {day.isoformat()}"


def _criteria(report: Report) -> Iterator[Block]:
    if not report.criteria:
        yield Paragraph(("No requirement names a standard with criteria.",))
    rows = [
        (f"{one.criterion} {one.title}" + ("" if one.binds else " (advisory)"), (_state(one.state),))
        for one in report.criteria
    ]
    yield from grid("Criteria", ("Criterion", "State"), rows)


def _criterion(one: ReportedCriterion, report: Report) -> Iterator[Block]:
    yield Paragraph((one.text or one.title,))
    rows = [row for need in one.needs for row in _need(need, report)]
    heads = ("Need", "State", "Line", "Record", "Result", "Confidence bound", "Holds until", "Why")
    yield from grid(f"Evidence for {one.criterion}", heads, rows, is_wide=True)


def _need(need: ReportedNeed, report: Report) -> Iterator[tuple[str | Cell, ...]]:
    name = f"{need.need}: {need.kind.replace('_', ' ')}{f', {need.metric}' if need.metric else ''}"
    start: tuple[str | Cell, ...] = (name, (_state(need.state),), _line(need.line, need.confidence))
    if not need.checks:
        yield (*start, "", "none is recorded", "", "", need.reason)
    for check in need.checks:
        record = report.record(check.evidence)
        bound = "" if check.bound is None else f"{check.bound:.4g}"
        until = check.expires.isoformat() if check.expires is not None else "no end is set"
        yield (*start, (Cite(check.evidence),), _result(record), bound, until, need.reason)


def _line(line: Line | None, confidence: float | None) -> str:
    if line is None:
        return "none"
    how = "the bare figure" if confidence is None else f"one-sided {confidence:.3g}"
    return f"not {line.crossed_when} {line.value:g} ({how})"


def _result(record: Evidence | None) -> str:
    if record is None:
        return ""
    if record.measurement is None:
        return record.outcome or ""
    return result_words(record) + (f", {record.outcome}" if record.outcome else "")


def _efficacy(report: Report) -> Iterator[Block]:
    listed = [one for one in report.records if one.kind in ("red_team", "efficacy")]
    bounds = {
        (check.evidence, need.need): (check.bound, need)
        for criterion in report.criteria
        for need in criterion.needs
        for check in need.checks
    }
    if not listed:
        yield Paragraph(("No red-team or efficacy result is recorded.",))
    rows = []
    for one in listed:
        judged = [(bound, need) for (name, _), (bound, need) in bounds.items() if name == one.id]
        lines = "; ".join(dict.fromkeys(_line(need.line, need.confidence) for _, need in judged)) or "none"
        shown = "; ".join(dict.fromkeys(f"{bound:.4g}" for bound, _ in judged if bound is not None)) or "none"
        found = one.measurement
        name = one.kind.replace("_", " ") if found is None else f"{found.evaluation}, {found.metric}"
        rows.append(((Cite(one.id),), name, _result(one), shown, lines, _who(one), _day(one)))
    heads = ("Record", "What was measured", "Result", "Confidence bound", "Line", "By", "Day")
    yield from grid("Red-team and efficacy results", heads, rows, is_wide=True)


def _residual(report: Report) -> Iterator[Block]:
    for one in report.text.requirements:
        if one.residual_gaps.strip():
            yield said(one.residual_gaps, f"What stays open of {one.id}")


# --- both ----------------------------------------------------------------------------------------------


def _reviewed(report: Report, critiques: Sequence[Criticised]) -> Iterator[Section]:
    text = report.text
    blocks: list[Block] = []
    for review in text.reviews:
        relation = "" if review.relation == "unstated" else f", {review.relation}"
        blocks.append(said(review.text, f"{review.by}{relation}"))
        if review.answer.strip():
            blocks.append(said(review.answer, f"Answer to {review.by}"))
    if not text.reviews:
        blocks += [
            Paragraph(("No review is recorded.",)),
            *([said(text.no_reviews)] if text.no_reviews.strip() else []),
        ]
    yield Section("What reviewers said", tuple(blocks))
    nobody = (Paragraph(("No independent critique is attached.",)),)
    yield Section("Independent critique", nobody if not critiques else ())
    for one in critiques:
        yield Section(f"Critique by {one.record.author}", tuple(_critique(one)), level=3)


def _critique(one: Criticised) -> Iterator[Block]:
    yield from listing("Independence", (one.document.independence,))
    if one.document.summary.strip():
        yield said(one.document.summary)
    standing = one.standing
    yield Paragraph((f"{len(standing)} of {len(one.document.points)} points stand.",))
    rows: list[tuple[str | Cell, ...]] = []
    for number, point in enumerate(one.document.points, 1):
        answer, outcome = one.record.answer(number), one.outcome(number)
        style = "not_ruled_out" if number in standing else "ruled_out"
        about = cell(", ".join(point.thresholds) or None, " " if point.thresholds else None, *cites(point.records))
        said_by = "" if answer is None else f"{answer.by}: {answer.text}"
        rows.append((str(number), point.severity, about, point.text, (Mark(OUTCOME_WORDS[outcome], style),), said_by))
    yield from grid(
        f"Points of {one.record.critique}",
        ("Point", "Severity", "About", "What it says", "State", "Answer"),
        rows,
        is_wide=True,
    )


def _records(report: Report) -> Iterator[Section]:
    rows = [_record(one) for one in report.records]
    heads = ("Record", "About", "What", "Result", "n", "By", "Day", "Quality", "Source", "Digest")
    blocks: tuple[Block, ...] = grid("Evidence shown or cited", heads, rows, is_wide=True)
    yield Section("Evidence", blocks or (Paragraph(("No record is shown or cited.",)),))


def _record(one: Evidence) -> tuple[str | Cell, ...]:
    found = one.measurement
    what = one.kind.replace("_", " ") if found is None else f"{found.evaluation}, {found.metric}"
    return (
        one.id,
        f"{one.subject.model} {one.subject.snapshot or ''}".strip(),
        what,
        _result(one),
        "" if found is None or found.n is None else quantity(found.n, ""),
        _who(one),
        _day(one),
        one.quality + (f", signed by {', '.join(one.signed_by)}" if one.signed_by else ""),
        source_words(one) or one.provenance.format,
        one.digest.removeprefix("sha256:")[:12],
    )


def _who(one: Evidence) -> str:
    relation = "" if one.evaluator.relation == "unstated" else f" ({one.evaluator.relation})"
    return f"{one.evaluator.name or 'not stated'}{relation}"


def _day(one: Evidence) -> str:
    return one.finished or one.published or "not dated"


def _recompute(report: Report) -> Section:
    rows = [
        ("Policy", report.policy, report.policy_digest),
        ("Evidence about the model", "", report.evidence_digest),
        ("Models", report.model, report.models_digest),
        ("Assessment", report.at.isoformat(), report.assessment_digest),
        ("Findings", "", report.findings_digest),
        ("This report", "", report.digest),
    ]
    lead = "The same policy, evidence and day give the same digests on any machine."
    return Section("Recompute it", (Paragraph((lead,)), *grid("Digests", ("What", "Which", "Digest"), rows)))
