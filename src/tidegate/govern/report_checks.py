# SPDX-License-Identifier: Apache-2.0
"""What stands in the way of a report, each with its place: in the text of people, or in the policy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tidegate.govern.report_text import (
    REQUIRED,
    TITLES,
    Citable,
    Wanted,
    citation_problems,
    number_problems,
)
from tidegate.govern.reports import Report, ReportedThreshold
from tidegate.kernel.documents import Document, PathKey, did_you_mean
from tidegate.kernel.errors import Problem, Where
from tidegate.policy.model import Policy, Threat

UNLOCKED = frozenset({"rule_not_locked", "rule_locked_after_result", "rule_changed_after_result"})
"""Flags of a reading whose rule was not fixed before the result."""
PRINTED = "line_disclosed_with_result"


@dataclass(frozen=True)
class Places:
    """Where things stand that a report is made from."""

    text: Document
    """The text of people."""
    policy: Callable[[str], Where]
    """Gives the place of an item of the policy."""

    def said(self, *path: str | int) -> Where:
        """Give the place of a part of the text, or of its nearest parent."""
        return self.text.where(path)


def text_problems(report: Report, places: Places, citable: Citable) -> tuple[Problem, ...]:
    """Give what is wrong with the text itself (REP001): it is about something else, or names what is not there."""
    text = report.text
    found: list[Problem] = []
    for name, wanted in (("kind", report.kind), ("model", report.model), ("snapshot", report.snapshot)):
        said = getattr(text, name)
        if said is not None and said != wanted:
            message = f"the text is about the {name} {said!r}, and the report about {wanted!r}"
            found.append(Problem("REP001", message, places.said(name), "write a text of its own for each report"))
    known = [one.threshold for one in report.thresholds]
    found += _unknown("thresholds", [one.id for one in text.thresholds], known, places)
    if report.kind == "safeguards":
        named = [one.id for one in text.requirements]
        found += _unknown("requirements", named, [one.requirement for one in report.requirements], places)
    found += citation_problems(text, places.text, citable)
    return tuple(found)


def _unknown(part: str, named: list[str], known: list[str], places: Places) -> Iterator[Problem]:
    noun = part.removesuffix("s")
    for number, name in enumerate(named):
        where = places.said(part, number, "id")
        if name not in known:
            yield Problem("REP001", f"the policy has no {noun} {name!r}", where, did_you_mean(name, known))
        elif name in named[:number]:
            yield Problem("REP001", f"the {noun} {name!r} occurs twice", where, "join the two")


def final_problems(report: Report, policy: Policy, places: Places, citable: Citable) -> tuple[Problem, ...]:
    """Give every reason why the report cannot become final (REP001, REP002)."""
    found = [*text_problems(report, places, citable), *_empty_parts(report, places)]
    if report.kind == "capability":
        for one in report.thresholds:
            found += _threshold_problems(one, report, policy, places)
    for gap in report.gaps:
        if gap.kind == "remark":
            message = f"{gap.about}: the importer objects to {gap.evidence}: {gap.words}"
            hint = "import a log without this, or restate or retract the record"
            found.append(Problem("REP001", message, None, hint))
    found += (replace(one, severity="error") for one in number_problems(report.text, places.text, citable))
    return tuple(dict.fromkeys(found))


def draft_problems(report: Report, policy: Policy, places: Places, citable: Citable) -> tuple[Problem, ...]:
    """Give the same for a draft, as warnings, where the text itself is in order."""
    return tuple(replace(one, severity="warning") for one in final_problems(report, policy, places, citable))


def _empty_parts(report: Report, places: Places) -> Iterator[Problem]:
    text = report.text
    for name in REQUIRED[report.kind]:
        if not getattr(text, name).strip():
            yield Problem("REP001", f"the {TITLES[name]} is missing", places.said(name), f"write {name}")
    if not text.reviews and not text.no_reviews.strip():
        hint = "add what reviewers said under reviews, or say in no_reviews why nobody has reviewed it"
        yield Problem("REP001", "nothing is said of reviewers", places.said("reviews"), hint)
    for number, review in enumerate(text.reviews):
        if not review.text.strip():
            where = places.said("reviews", number, "text")
            yield Problem("REP001", f"the review by {review.by} is empty", where, "add their words, or remove it")


def _threshold_problems(one: ReportedThreshold, report: Report, policy: Policy, places: Places) -> Iterator[Problem]:
    name, where = one.threshold, places.policy(one.threshold)
    if one.is_ruled_out:
        yield from _rule_out_problems(one, report, policy, places)
    for threat in required_answers(one, report):
        said = report.text.threshold(name)
        if said is None or not said.answers.get(threat, "").strip():
            words = threat.replace("_", " ")
            hint = f"write thresholds, {name}, answers, {threat}"
            yield Problem("REP001", f"{name}: {words} is not answered", _said_of(name, report, places, threat), hint)
    # What is only watched has no line, so no rule could read a record that names it.
    for record in one.unread if one.kind != "watch" else ():
        message = f"{name}: {record.evidence} names it, and no rule reads it"
        hint = "give the evaluation a line in the policy, or restate the record without the threshold"
        yield Problem("REP001", message, where, hint)
    if any(gap.kind == "unmapped" and gap.about == name for gap in report.gaps):
        hint = "name the threat models behind it under threat_models"
        yield Problem("REP001", f"{name} is mapped to no threat model, and its domain has some", where, hint)


def _rule_out_problems(one: ReportedThreshold, report: Report, policy: Policy, places: Places) -> Iterator[Problem]:
    name, where = one.threshold, places.policy(one.threshold)
    if not one.has_falsifier:
        hint = "say in the policy, before results come in, what would prove a rule-out wrong"
        yield Problem("REP002", f"{name} is ruled out, and nothing says what would prove that wrong", where, hint)
    if policy.preregistration == "required":
        wrong = UNLOCKED | {PRINTED}
        loose = {
            reading.evidence: flag
            for indicator in one.indicators
            for reading in indicator.readings
            for flag in reading.flags
            if reading.supports and flag in wrong
        }
        for evidence, flag in loose.items():
            message = f"{name} is ruled out by {evidence}, and its rule was not fixed before: {flag.replace('_', ' ')}"
            hint = "lock the rules with `tidegate policy lock`, and take a new result"
            yield Problem("REP001", message, where, hint)
    said = report.text.threshold(name)
    if said is None or not said.margin.strip():
        message = f"{name} is ruled out, and nothing says why the distance to its line is enough"
        hint = f"write thresholds, {name}, margin; `not established` is an answer"
        yield Problem("REP001", message, _said_of(name, report, places, None), hint)


def _said_of(name: str, report: Report, places: Places, threat: Threat | None) -> Where:
    ids = [one.id for one in report.text.thresholds]
    if name not in ids:
        return places.said("thresholds")
    path: PathKey = ("thresholds", ids.index(name))
    return places.said(*path, *(("answers", threat) if threat is not None else ("margin",)))


def required_answers(one: ReportedThreshold, report: Report) -> tuple[Threat, ...]:
    """Give the validity threats that people have to answer: those the rules ask about, and those found in records."""
    found: dict[Threat, None] = {}
    for indicator in one.indicators:
        found |= dict.fromkeys(indicator.answers)
        for reading in indicator.readings:
            answers = getattr(report.record(reading.evidence), "threats", ())
            found |= {answer.threat: None for answer in answers if answer.status != "ruled_out"}
    return tuple(found)


def wanted(report: Report) -> Wanted:
    """Give what people have to write for a report."""
    margins: dict[str, str] = {}
    answers: dict[str, tuple[Threat, ...]] = {}
    if report.kind == "capability":
        margins = {
            one.threshold: f"Ruled out{f' by {one.by}' if one.by else ''}."
            for one in report.thresholds
            if one.is_ruled_out
        }
        answers = {one.threshold: required_answers(one, report) for one in report.thresholds}
    open_ones = tuple(dict.fromkeys(one.requirement for one in report.requirements if one.is_due))
    return Wanted(
        kind=report.kind,
        model=report.model,
        snapshot=report.snapshot,
        margins=margins,
        answers={name: threats for name, threats in answers.items() if threats},
        requirements=open_ones,
    )
