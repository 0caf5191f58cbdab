# SPDX-License-Identifier: Apache-2.0
"""Evaluations of a model: every figure with its interval, its line, and where it lies against it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tidegate.assess.model import IndicatorFinding, Reading, ThresholdFinding
from tidegate.assess.whatif import quantity
from tidegate.evidence.model import Evidence, Measurement
from tidegate.policy.model import Line
from tidegate.publish.chart import FARTHEST, Mark, on_scale
from tidegate.publish.content import PublishedModel
from tidegate.publish.hub.addresses import evaluations_page, model_page, numbered, pieces, record_page
from tidegate.publish.hub.parts import Hub, Link, Sheet

ROWS_EACH = 50
"""Figures on one page: a row with its drawing takes about 2 kB."""
WIDTH = 200.0
"""Width of a drawing, in its own units: the line stands in the middle."""
NONE, TO = "\N{EN DASH}", " \N{EN DASH} "
"""Stand for a figure that is not there, and between the ends of an interval."""
_SIGNS = {">=": "≥", "<=": "≤"}


class Drawing(NamedTuple):
    """Where a figure lies against its line: the line is in the middle, right is the concerning side."""

    x: float
    mark: str
    low: float | None
    high: float | None
    reach: float | None
    told: str


class FigureView(NamedTuple):
    """A figure, read against a line or not."""

    record: Link
    metric: str
    figure: str
    interval: str
    n: str
    line: str
    mark: str
    drawing: Drawing | None
    by: str
    day: str
    bears: bool
    """True if the finding rests on it."""
    withdrawn: bool
    """True if it was restated or retracted."""


class ThresholdFigures(NamedTuple):
    """The figures of one threshold."""

    threshold: str
    title: str
    finding: str
    figures: tuple[FigureView, ...]


Figures = Mapping[str, tuple[FigureView, ...]]
"""Threshold -> its figures."""


def figures_of(hub: Hub, finding: ThresholdFinding) -> tuple[FigureView, ...]:
    """Give every figure that was read for a threshold, those that the finding rests on first."""
    found = [
        _read(hub, finding, indicator, reading) for indicator in finding.indicators for reading in indicator.readings
    ]
    return tuple(sorted(found, key=lambda one: not one.bears))


def evaluation_sheets(hub: Hub, model: PublishedModel, read: Figures) -> Iterator[Sheet]:
    """Give the pages that list every figure about a model.

    Args:
        hub: what is published.
        model: the model.
        read: its figures that a rule reads, by threshold.
    """
    groups = [
        ThresholdFigures(one.threshold, one.title, one.finding, read[one.threshold])
        for one in model.assessment.thresholds
    ]
    listed = {one.record.href for group in groups for one in group.figures}
    names = model.model.names
    others = tuple(
        _bare(hub, one)
        for one in hub.content.evidence.values()
        if one.subject.model.casefold() in names and record_page(one.id) not in listed
    )
    groups.append(ThresholdFigures("", hub.say("Other records"), "", others))
    path, name = evaluations_page(model.model.id), model.model.title
    pages = _paged([one for one in groups if one.figures])
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered(path, n)) for n in range(1, len(pages) + 1))
    for number, page in enumerate(pages, 1):
        yield Sheet(
            path=numbered(path, number),
            template="evaluations.html",
            title=hub.say("Evaluations of %(model)s", model=name),
            view={"groups": tuple(page), "total": sum(len(one.figures) for one in groups)},
            nav="models",
            trail=(Link(hub.say("Models"), "models/index.html"), Link(name, model_page(model.model.id))),
            parts=parts if len(pages) > 1 else (),
        )


def _paged(groups: list[ThresholdFigures]) -> list[list[ThresholdFigures]]:
    pages: list[list[ThresholdFigures]] = [[]]
    room = ROWS_EACH
    for group in groups:
        for run in pieces(group.figures, ROWS_EACH):
            if len(run) > room:
                pages.append([])
                room = ROWS_EACH
            pages[-1].append(group._replace(figures=tuple(run)))
            room -= len(run)
    return pages


def _read(hub: Hub, finding: ThresholdFinding, indicator: IndicatorFinding, reading: Reading) -> FigureView:
    record = hub.content.evidence.get(reading.evidence)
    mark: Mark = "crosses" if reading.crosses or reading.shows else "ruled_out" if reading.supports else "undetermined"
    line = line_words(indicator.rule_out, indicator.unit)
    figure = NONE if reading.value is None else quantity(reading.value, indicator.unit)
    made = FigureView(
        record=Link(indicator.evaluation, record_page(reading.evidence)),
        metric=indicator.metric or "",
        figure=figure,
        interval=_bounds(reading, indicator),
        n=_n(record),
        line=line,
        mark=mark,
        drawing=None,
        by=_by(record),
        day=_day(record),
        bears=reading.evidence in finding.load_bearing,
        withdrawn=reading.evidence in hub.content.withdrawn,
    )
    return made._replace(drawing=_drawn(hub, made, indicator, reading))


def _drawn(hub: Hub, view: FigureView, indicator: IndicatorFinding, reading: Reading) -> Drawing | None:
    line = indicator.rule_out
    x = None if reading.value is None else on_scale(reading.value, line)
    if x is None:
        return None
    ends = [None if end is None else on_scale(end, line) for end in (reading.lower_bound, reading.bound)]
    known = sorted(end for end in ends if end is not None)
    reach = indicator.reach
    reach_x = on_scale(reach.value, line) if reach is not None and reach != line else None
    told = hub.say(
        "%(name)s: %(figure)s, interval %(interval)s, line %(line)s: %(mark)s",
        name=view.record.words,
        figure=view.figure,
        interval=view.interval or hub.say("not given"),
        line=view.line,
        mark=hub.speech.word("mark", view.mark),
    )
    return Drawing(
        x=_place(x),
        mark=view.mark,
        low=_place(known[0]) if known else None,
        high=_place(known[-1]) if known else None,
        reach=_place(reach_x) if reach_x is not None and reach_x <= FARTHEST else None,
        told=told,
    )


def _place(x: float) -> float:
    return round(min(max(x, 0.0), FARTHEST) / FARTHEST * WIDTH, 1)


def line_words(line: Line, unit: str) -> str:
    """Give a line in words: crossed from where on."""
    return f"{_SIGNS.get(line.crossed_when, line.crossed_when)} {quantity(line.value, unit)}"


def _bounds(reading: Reading, indicator: IndicatorFinding) -> str:
    ends = [quantity(end, indicator.unit) for end in (reading.lower_bound, reading.bound) if end is not None]
    if len(ends) == 2:
        # On the scale of the figure, whichever side is the concerning one.
        low, high = ends if indicator.rule_out.higher_concerns else reversed(ends)
        return f"{low}{TO}{high}"
    return "".join(ends)


def _bare(hub: Hub, record: Evidence) -> FigureView:
    measured = record.measurement
    return FigureView(
        record=Link(
            measured.evaluation if measured else hub.speech.word("evidence", record.kind), record_page(record.id)
        ),
        metric=measured.metric if measured else "",
        figure=figure_words(measured) if measured else _outcome(hub, record),
        interval=interval_words(measured) if measured else "",
        n=_n(record),
        line="",
        mark="",
        drawing=None,
        by=_by(record),
        day=_day(record),
        bears=False,
        withdrawn=record.id in hub.content.withdrawn,
    )


def _outcome(hub: Hub, record: Evidence) -> str:
    return hub.speech.word("outcome_of_check", record.outcome) if record.outcome else ""


def figure_words(measured: Measurement) -> str:
    """Give a figure with its unit."""
    return NONE if measured.value is None else quantity(measured.value, measured.unit)


def interval_words(measured: Measurement) -> str:
    """Give an interval as its source states it."""
    interval = measured.interval
    if interval is None or interval.low is None or interval.high is None:
        return ""
    level = f" ({interval.level:.0%})" if interval.level else ""
    return f"{quantity(interval.low, measured.unit)}{TO}{quantity(interval.high, measured.unit)}{level}"


def _n(record: Evidence | None) -> str:
    n = record.measurement.n if record and record.measurement else None
    return "" if n is None else f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _by(record: Evidence | None) -> str:
    return (record.evaluator.name or "") if record else ""


def _day(record: Evidence | None) -> str:
    return (record.finished or record.published or record.recorded or "") if record else ""
