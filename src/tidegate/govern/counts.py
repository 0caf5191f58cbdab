# SPDX-License-Identifier: Apache-2.0
"""Counts of noncompliance cases: what the board hears each quarter, and what can be published.

Published tables hide small numbers, and as many further numbers as it takes that none of the hidden ones follows
from the others. A table is a circulation in a graph: rows and columns are nodes, cells and totals are edges.
A hidden number is determined exactly if no residual cycle runs through its edge, so that the audit is exact
(for network flows the values that fit the rest are all the whole numbers of an interval).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from statistics import median
from typing import Literal, NamedTuple, get_args

from tidegate.govern.noncompliance import CaseFile, Casework, Outcome
from tidegate.kernel.duration import add
from tidegate.kernel.errors import Problem, ProjectError
from tidegate.ledger.acts import NoncomplianceOpened

STATUS_CADENCE = "P1M"
"""California asks for a monthly status to the reporter."""
SMALL = 5
"""Counts below this are not published: they could point at somebody."""
CATEGORIES: tuple[str, ...] = get_args(NoncomplianceOpened.model_fields["category"].annotation)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
UPHELD = frozenset({"substantiated", "partly_substantiated"})


# --- dates that are due --------------------------------------------------------------------------


class Duty(NamedTuple):
    """Somebody has to hear about a case."""

    what: Literal["reporter_status", "board_quarter", "board_prompt"]
    """A status to the reporter, the quarterly account to the board, or prompt notice to it."""
    to: Literal["reporter", "board"]
    """Who has to hear."""
    due: date
    """Last day."""
    is_overdue: bool = False
    """True if the day has passed and the log shows no message since."""


def duties(case: CaseFile, at: date) -> tuple[Duty, ...]:
    """Give who has to hear about a case, and when.

    The reporter hears once a month while the case is open, and once after its end. The board hears about every
    case at the end of each quarter in which it was open; about a case that is substantiated and materially unsafe,
    at once. Days are calendar days; counsel sets holidays.
    """
    told = [one for one in case.contents if one.direction == "to_reporter"]
    base = max((case.opened, *(one.on for one in told)))
    found: list[Duty] = []
    if case.closed is None:
        due = add(base, STATUS_CADENCE)
        found.append(Duty("reporter_status", "reporter", due, due < at))
        found.append(Duty("board_quarter", "board", quarter_end(at)))
    elif not told or told[-1].index < case.steps[-1].index:
        due = add(case.closed, STATUS_CADENCE)
        found.append(Duty("reporter_status", "reporter", due, due < at))
    if case.closed is not None and at <= quarter_end(case.closed):
        found.append(Duty("board_quarter", "board", quarter_end(case.closed)))
    upheld = next((step.on for step in case.steps if step.state == "substantiated"), None)
    if upheld is not None and case.material_on is not None:
        found.append(Duty("board_prompt", "board", max(upheld, case.material_on)))
    return tuple(found)


def quarter_of(day: date) -> str:
    """Give the quarter of a day: ``2026-Q4``."""
    return f"{day.year:04d}-Q{(day.month + 2) // 3}"


def quarter_end(day: date) -> date:
    """Give the last day of the quarter that a day lies in."""
    first = date(day.year, (day.month + 2) // 3 * 3 - 2, 1)
    return add(first, "P2M").replace(day={3: 31, 6: 30, 9: 30, 12: 31}[first.month + 2])


def parse_quarter(text: str) -> date:
    """Give the last day of a quarter such as ``2026-Q4``.

    Raises:
        ProjectError: PRJ005, it is not a quarter.
    """
    year, _, number = text.upper().partition("-Q")
    if len(year) == 4 and year.isdecimal() and year.isascii() and year != "0000" and number in ("1", "2", "3", "4"):
        return quarter_end(date(int(year), 3 * int(number), 1))
    raise ProjectError(Problem("PRJ005", f"{text!r} is not a quarter", None, "write it as 2026-Q4"))


# --- what the board hears ------------------------------------------------------------------------


class BoardCounts(NamedTuple):
    """One quarter, as the board hears of it: whether reports were substantiated or not."""

    quarter: str
    """Quarter."""
    as_of: date
    """Day up to which it counts: the end of the quarter, or today."""
    opened: int
    """Reports that came in."""
    anonymous: int
    """How many of them are anonymous."""
    open: int
    """Cases that are open at its end."""
    closed: Mapping[str, int]
    """Cases that were closed in it and are closed at its end, by outcome."""
    substantiated: int
    """Cases that were found substantiated in it, in whole or in part."""
    material: int
    """Cases that were found materially unsafe in it."""
    median_days_open: float | None
    """Of the cases open at its end: half of them came in longer ago."""
    median_days_to_close: float | None
    """Of the cases closed in it: from coming in to closing."""
    overdue: int
    """Cases whose reporter has not heard in time, as of `as_of`; only counted for a quarter that still runs."""
    retaliation: Mapping[str, int]
    """Reports of retaliation: that came in, that are open at its end, found, remedied."""


def board_counts(work: Casework, quarter: str, at: date) -> BoardCounts:
    """Give the counts of a quarter, as of its end or, while it runs, as of `at`.

    Raises:
        ProjectError: PRJ005, there is no such quarter.
    """
    last = parse_quarter(quarter)
    first = date(last.year, last.month - 2, 1)
    end = min(last, at)
    cases = [case for case in work.cases.values() if case.opened <= end]
    stood = [(case, step) for case in cases if (step := case.at(end)) is not None]
    still = [case for case, step in stood if step.state != "closed"]
    shut = [(case, step) for case, step in stood if step.state == "closed" and first <= step.on]
    fresh = [case for case in cases if first <= case.opened]
    return BoardCounts(
        quarter=quarter_of(last),
        as_of=end,
        opened=len(fresh),
        anonymous=sum(case.is_anonymous for case in fresh),
        open=len(still),
        closed={outcome: sum(step.outcome == outcome for _, step in shut) for outcome in OUTCOMES},
        substantiated=sum(_upheld_between(case, first, end) for case in cases),
        material=sum(case.material_on is not None and first <= case.material_on <= end for case in cases),
        median_days_open=_median((end - case.opened).days for case in still),
        median_days_to_close=_median((step.on - case.opened).days for case, step in shut),
        overdue=sum(duty.is_overdue for case in cases for duty in duties(case, at)) if at <= last else 0,
        retaliation=_retaliation_counts(work, first, end),
    )


def _upheld_between(case: CaseFile, first: date, end: date) -> bool:
    return any(
        first <= step.on <= end and (step.state == "substantiated" or step.outcome in UPHELD) for step in case.steps
    )


def _median(values: Iterable[int]) -> float | None:
    found = list(values)
    return float(median(found)) if found else None


def _retaliation_counts(work: Casework, first: date, end: date) -> Mapping[str, int]:
    reports = [one for one in work.retaliation.values() if one.reported <= end]
    steps = [(on, state) for one in reports for on, state in one.steps if first <= on <= end]
    return {
        "reported": sum(one.reported >= first for one in reports),
        "open": sum(one.at(end) in ("reported", "investigating", "found") for one in reports),
        "found": sum(state == "found" for _, state in steps),
        "not_found": sum(state == "not_found" for _, state in steps),
        "remedied": sum(state == "remedied" for _, state in steps),
    }


# --- what can be published -----------------------------------------------------------------------

Key = tuple[str | None, str | None]
"""Row and column; none stands for the total over all of them."""
Mark = Literal["shown", "small", "withheld"]
"""Shown; small, so that only this is said; or withheld, so that no small one follows from it."""


class Table(NamedTuple):
    """A table of counts that can be published."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[Key, str]
    """What is shown: a count, ``<5`` or ``withheld``. A row or column of none is a total."""


class YearStatistics(NamedTuple):
    """One year, as it can be published."""

    year: int
    opened: Table
    """Reports that came in, by quarter and category."""
    closed: Table
    """Cases that were closed, by quarter and outcome."""
    retaliation: Table
    """Reports of retaliation, by quarter and state at the year's end."""


def publishable(work: Casework, year: int, at: date) -> YearStatistics:
    """Give a year's statistics with small numbers hidden.

    Only a year that has ended: two editions of a running year could be subtracted from each other.

    Raises:
        ProjectError: PRJ005, the year has not ended, or is none.
    """
    if not 1 <= year < at.year:
        hint = f"the newest year that can be published is {at.year - 1}"
        raise ProjectError(Problem("PRJ005", f"{year} has not ended, or is no year", None, hint))
    end = date(year, 12, 31)
    cases = [case for case in work.cases.values() if case.opened <= end]
    stood = [step for case in cases if (step := case.at(end)) is not None]
    opened = [(quarter_of(case.opened), case.category) for case in cases if case.opened.year == year]
    closed = [(quarter_of(step.on), str(step.outcome)) for step in stood if step.outcome and step.on.year == year]
    reports = [one for one in work.retaliation.values() if one.reported.year == year]
    states = [(quarter_of(one.reported), str(one.at(end))) for one in reports]
    quarters = tuple(f"{year:04d}-Q{number}" for number in (1, 2, 3, 4))
    return YearStatistics(
        year,
        suppressed(_counted(opened), quarters, CATEGORIES),
        suppressed(_counted(closed), quarters, OUTCOMES),
        suppressed(_counted(states), quarters, ("reported", "investigating", "found", "not_found", "remedied")),
    )


def _counted(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for pair in pairs:
        found[pair] = found.get(pair, 0) + 1
    return found


def suppressed(counts: Mapping[tuple[str, str], int], rows: Sequence[str], columns: Sequence[str]) -> Table:
    """Give a table with totals in which no count below five can be read or computed.

    A small count shows as ``<5``. Further counts are withheld, the smallest of the same row or column first, until
    no hidden count is determined by what is shown; that a withheld count is five or more is taken as known.
    """
    values = _with_totals(counts, rows, columns)
    marks: dict[Key, Mark] = {key: "small" if value < SMALL else "shown" for key, value in values.items()}
    while found := [key for key in values if marks[key] != "shown" and not _is_open(key, values, marks)]:
        shown = [key for key in values if marks[key] == "shown"]
        if not shown:
            # What is left follows from the rule itself, so nothing is said about any count.
            marks = dict.fromkeys(values, "withheld")
            break
        marks[min(shown, key=lambda key: _cost(key, found[0], values))] = "withheld"
    words = {"small": f"<{SMALL}", "withheld": "withheld"}
    cells = {key: words.get(marks[key], str(value)) for key, value in values.items()}
    return Table(tuple(rows), tuple(columns), cells)


def _with_totals(counts: Mapping[tuple[str, str], int], rows: Sequence[str], columns: Sequence[str]) -> dict[Key, int]:
    values: dict[Key, int] = {(row, column): counts.get((row, column), 0) for row, column in product(rows, columns)}
    values |= {(row, None): sum(counts.get((row, column), 0) for column in columns) for row in rows}
    values |= {(None, column): sum(counts.get((row, column), 0) for row in rows) for column in columns}
    values[None, None] = sum(counts.get(pair, 0) for pair in product(rows, columns))
    return values


def _cost(key: Key, beside: Key, values: Mapping[Key, int]) -> tuple[bool, int, int]:
    """Order what could be withheld: in the same sum first, cells before totals, small counts before large ones."""
    apart = key[0] != beside[0] and key[1] != beside[1]
    return apart, key.count(None), values[key]


def _is_open(key: Key, values: Mapping[Key, int], marks: Mapping[Key, Mark]) -> bool:
    """Tell whether a hidden count could be another one: whether a residual cycle runs through its edge."""
    arcs: dict[str, set[str]] = {}
    for other, mark in marks.items():
        if other == key:
            continue
        tail, head = _edge(other)
        if _can_grow(mark, values[other]):
            arcs.setdefault(tail, set()).add(head)
        if _can_shrink(mark, values[other]):
            arcs.setdefault(head, set()).add(tail)
    tail, head = _edge(key)
    grows = _can_grow(marks[key], values[key]) and _leads(arcs, head, tail)
    return grows or (_can_shrink(marks[key], values[key]) and _leads(arcs, tail, head))


def _edge(key: Key) -> tuple[str, str]:
    """Give the edge of a count: source -> row -> column -> sink, and the grand total back from the sink."""
    row, column = (
        None if part is None else f"{kind} {part}" for kind, part in zip(("row", "column"), key, strict=True)
    )
    if column is None:
        return ("sink", "source") if row is None else ("source", row)
    return (column, "sink") if row is None else (row, column)


def _can_grow(mark: Mark, value: int) -> bool:
    return mark == "withheld" or (mark == "small" and value < SMALL - 1)


def _can_shrink(mark: Mark, value: int) -> bool:
    return (mark == "withheld" and value > SMALL) or (mark == "small" and value > 0)


def _leads(arcs: Mapping[str, set[str]], start: str, goal: str) -> bool:
    """Tell whether a path leads from one node to another."""
    seen, waiting = {start}, [start]
    while waiting:
        for node in arcs.get(waiting.pop(), ()):
            if node == goal:
                return True
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return start == goal
