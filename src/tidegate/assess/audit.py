# SPDX-License-Identifier: Apache-2.0
"""The report card of a record: how many figures lack what a reader needs to check a conclusion."""

from collections.abc import Callable, Iterable, Mapping

from tidegate.assess.bounds import in_unit
from tidegate.assess.statistics import wilson
from tidegate.evidence.model import CAPABILITY_KINDS, Evidence, Measurement
from tidegate.kernel.record import Record


class ReportCard(Record):
    """Counts over a group of figures that have a value and are tied to a threshold."""

    group: str
    """Developer or threshold."""
    figures: int = 0
    """Figures in the group."""
    without_n: int = 0
    """No number of units is given."""
    without_interval: int = 0
    """No interval is given, and none can be computed because successes and n are not both given."""
    without_printed_interval: int = 0
    """No interval is printed."""
    without_line: int = 0
    """No line with its number is given."""
    without_baseline: int = 0
    """No baseline is given."""
    without_elicitation: int = 0
    """Nothing is said about elicitation."""
    complete: int = 0
    """n, printed interval and line are all given."""
    bare: int = 0
    """None of n, printed interval and line is given."""
    n_below_30: int = 0
    """n is given and below 30."""
    line_inside_interval: int = 0
    """The line lies inside the interval, so that the figure does not decide."""
    unspecified_interval: int = 0
    """The interval's meaning is not stated."""


def _has_line(record: Evidence) -> bool:
    return record.line is not None and record.line.value is not None


def _line_inside(record: Evidence) -> bool:
    measured, line = record.measurement, record.line
    if measured is None or line is None or line.value is None:
        return False
    ends = _ends(measured)
    value = in_unit(line.value, line.unit or measured.unit, measured.unit)
    return ends is not None and value is not None and ends[0] <= value <= ends[1]


def _ends(measured: Measurement) -> tuple[float, float] | None:
    """Give the printed interval, or Wilson's at 95% where successes and n are printed."""
    interval = measured.interval
    if interval is not None and interval.low is not None and interval.high is not None:
        return interval.low, interval.high
    if measured.successes is None or not measured.n:
        return None
    low, high = wilson(measured.successes, measured.n, 0.95)
    scale = in_unit(1.0, "fraction", measured.unit)
    return None if scale is None else (float(low) * scale, float(high) * scale)


def _computable(record: Evidence) -> bool:
    measured = record.measurement
    return measured is not None and (
        measured.interval is not None or (measured.successes is not None and measured.n is not None)
    )


_COUNTS: Mapping[str, Callable[[Evidence], bool]] = {
    "figures": lambda _record: True,
    "without_n": lambda record: record.measurement is not None and record.measurement.n is None,
    "without_interval": lambda record: not _computable(record),
    "without_printed_interval": lambda record: record.measurement is not None and record.measurement.interval is None,
    "without_line": lambda record: not _has_line(record),
    "without_baseline": lambda record: record.measurement is not None and record.measurement.baseline is None,
    "without_elicitation": lambda record: not (record.elicitation.statement or record.elicitation.elements),
    "complete": lambda record: (
        record.measurement is not None
        and record.measurement.n is not None
        and record.measurement.interval is not None
        and _has_line(record)
    ),
    "bare": lambda record: (
        record.measurement is not None
        and record.measurement.n is None
        and record.measurement.interval is None
        and not _has_line(record)
    ),
    "n_below_30": lambda record: (
        record.measurement is not None and record.measurement.n is not None and record.measurement.n < 30
    ),
    "line_inside_interval": _line_inside,
    "unspecified_interval": lambda record: (
        record.measurement is not None
        and record.measurement.interval is not None
        and record.measurement.interval.level is None
    ),
}


def report_card(group: str, records: Iterable[Evidence]) -> ReportCard:
    """Count what is missing over figures that have a value and name a threshold."""
    counted = [
        record
        for record in records
        if record.kind in CAPABILITY_KINDS
        and record.thresholds
        and record.measurement is not None
        and record.measurement.value is not None
    ]
    return ReportCard(group=group, **{name: sum(map(test, counted)) for name, test in _COUNTS.items()})


def report_cards(records: Iterable[Evidence], *, by: Callable[[Evidence], Iterable[str]]) -> tuple[ReportCard, ...]:
    """Give a report card per group, and one for all, in the order of the groups' names.

    Args:
        records: the evidence.
        by: the groups that a record belongs to.
    """
    everything = tuple(records)
    groups: dict[str, list[Evidence]] = {}
    for record in everything:
        for group in by(record):
            groups.setdefault(group, []).append(record)
    cards = tuple(report_card(group, members) for group, members in sorted(groups.items()))
    return (*(card for card in cards if card.figures), report_card("all", everything))


def by_developer(record: Evidence) -> tuple[str, ...]:
    """Group a record by who published it."""
    return (record.evaluator.name or "not stated",)


def by_threshold(record: Evidence) -> tuple[str, ...]:
    """Group a record by every threshold it names."""
    return record.thresholds
