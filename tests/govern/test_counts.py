# SPDX-License-Identifier: Apache-2.0
"""Counts for the board, and tables for the public in which no small number can be computed."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from tidegate.govern.counts import (
    CATEGORIES,
    OUTCOMES,
    Table,
    board_counts,
    parse_quarter,
    publishable,
    quarter_of,
    suppressed,
)
from tidegate.govern.noncompliance import CaseFile, Casework, Content, Retaliation, Step
from tidegate.kernel.errors import ProjectError


def a_case(name: str, *steps: tuple[str, Any] | tuple[str, Any, Any], **changes: Any) -> CaseFile:
    """Give a case by its steps: day, state, and the outcome of a closing."""
    made = tuple(
        Step(index=number, on=date.fromisoformat(day), state=state, outcome=rest[0] if rest else None)
        for number, (day, state, *rest) in enumerate(steps)
    )
    content = Content(index=0, on=made[0].on, direction="report", digest=f"sha256:{'0' * 64}")
    given = {"category": "other", "is_anonymous": True, "route": "case-manager", "managers": ("mia",)}
    return CaseFile(id=name, steps=made, contents=(content,), **{**given, **changes})


def work(*cases: CaseFile, retaliation: tuple[Retaliation, ...] = ()) -> Casework:
    return Casework({case.id: case for case in cases}, {one.id: one for one in retaliation})


def a_retaliation(name: str, *steps: tuple[str, Any]) -> Retaliation:
    return Retaliation(
        id=name, managers=("mia",), steps=tuple((date.fromisoformat(day), state) for day, state in steps)
    )


# --- the board -----------------------------------------------------------------------------------

YEAR = work(
    a_case("a", ("2026-01-10", "received"), ("2026-02-10", "closed", "withdrawn")),
    a_case(
        "b",
        ("2026-02-01", "received"),
        ("2026-02-20", "triaged"),
        ("2026-03-01", "investigating"),
        ("2026-04-05", "substantiated"),
        ("2026-05-01", "closed", "substantiated"),
        is_material=True,
        material_on=date(2026, 4, 5),
        is_anonymous=False,
    ),
    a_case("c", ("2026-03-21", "received")),
    a_case(
        "d",
        ("2026-05-01", "received"),
        ("2026-05-11", "closed", "unsubstantiated"),
        ("2026-07-01", "appealed"),
        ("2026-07-03", "closed", "unsubstantiated"),
    ),
    retaliation=(
        a_retaliation("r", ("2026-02-02", "reported"), ("2026-04-01", "investigating"), ("2026-04-02", "found")),
        a_retaliation("s", ("2026-04-03", "reported"), ("2026-08-01", "investigating"), ("2026-08-02", "not_found")),
    ),
)


@pytest.mark.parametrize(
    ("quarter", "expected"),
    [
        ("2025-Q4", {"opened": 0, "open": 0, "substantiated": 0, "material": 0, "closed": {}}),
        ("2026-Q1", {"opened": 3, "anonymous": 2, "open": 2, "substantiated": 0, "closed": {"withdrawn": 1}}),
        (
            "2026-Q2",
            {
                "opened": 1,
                "open": 1,
                "substantiated": 1,
                "material": 1,
                "closed": {"substantiated": 1, "unsubstantiated": 1},
            },
        ),
        ("2026-Q3", {"opened": 0, "open": 1, "closed": {"unsubstantiated": 1}, "median_days_to_close": 63.0}),
        ("2026-Q4", {"opened": 0, "open": 1, "closed": {}, "median_days_to_close": None}),
    ],
)
def test_the_board_hears_of_every_case(quarter, expected):
    found = board_counts(YEAR, quarter, date(2027, 1, 1))
    shown = {**found._asdict(), "closed": {name: count for name, count in found.closed.items() if count}}
    assert {name: shown[name] for name in expected} == expected
    assert set(found.closed) == set(OUTCOMES)


def test_medians():
    found = board_counts(YEAR, "2026-Q1", date(2027, 1, 1))
    # Open at the end of March: b for 58 days, c for 10. Closed: a after 31.
    assert found.median_days_open == 34.0
    assert found.median_days_to_close == 31.0
    empty = board_counts(work(), "2026-Q1", date(2027, 1, 1))
    assert (empty.median_days_open, empty.median_days_to_close) == (None, None)


def test_a_running_quarter_counts_up_to_today():
    found = board_counts(YEAR, "2026-Q1", date(2026, 2, 5))
    assert (found.as_of, found.opened, found.open) == (date(2026, 2, 5), 2, 2)
    # The reporter of "a" should have heard by the tenth of February.
    assert found.overdue == 0
    assert board_counts(YEAR, "2026-Q2", date(2026, 5, 2)).overdue >= 1
    assert board_counts(YEAR, "2026-Q1", date(2026, 5, 2)).overdue == 0


@pytest.mark.parametrize(
    ("quarter", "expected"),
    [
        ("2026-Q1", {"reported": 1, "open": 1, "found": 0, "not_found": 0, "remedied": 0}),
        ("2026-Q2", {"reported": 1, "open": 2, "found": 1, "not_found": 0, "remedied": 0}),
        ("2026-Q3", {"reported": 0, "open": 1, "found": 0, "not_found": 1, "remedied": 0}),
    ],
)
def test_the_register_of_retaliation_is_counted(quarter, expected):
    assert board_counts(YEAR, quarter, date(2027, 1, 1)).retaliation == expected


def test_quarters_as_people_write_them():
    assert parse_quarter("2026-q2") == date(2026, 6, 30)
    for text in ("2026", "2026-Q5", "26-Q1", "2026-Q", "Q1-2026", "0000-Q1", "٢٠٢٦-Q1"):
        with pytest.raises(ProjectError, match="PRJ005"):
            parse_quarter(text)


@given(st.dates())
def test_every_day_lies_in_its_quarter(day):
    end = parse_quarter(quarter_of(day))
    assert date(end.year, end.month - 2, 1) <= day <= end


# --- what can be published -----------------------------------------------------------------------


def possible(table: Table, highest: int) -> Iterator[dict[Any, int]]:
    """Give every table of counts that shows so, by trying all: the oracle."""
    keys = list(product(table.rows, table.columns))
    ranges = [values(table.cells[key], highest) for key in keys]
    for chosen in product(*ranges):
        cells: dict[Any, int] = dict(zip(keys, chosen, strict=True))
        full = with_totals(cells, table)
        if all(count in values(table.cells[key], highest * len(keys)) for key, count in full.items()):
            yield full


def values(shown: str, highest: int) -> range:
    if shown == "<5":
        return range(5)
    return range(5, highest + 1) if shown == "withheld" else range(int(shown), int(shown) + 1)


def with_totals(cells: Mapping[Any, int], table: Table) -> dict[Any, int]:
    full = dict(cells)
    full |= {(row, None): sum(cells[row, column] for column in table.columns) for row in table.rows}
    full |= {(None, column): sum(cells[row, column] for row in table.rows) for column in table.columns}
    full[None, None] = sum(cells.values())
    return full


def assert_safe(cells: Mapping[tuple[str, str], int], rows: tuple[str, ...], columns: tuple[str, ...]) -> None:
    table = suppressed(cells, rows, columns)
    true = with_totals(cells, table)
    assert {key: int(shown) for key, shown in table.cells.items() if shown.isdecimal()} == {
        key: count for key, count in true.items() if table.cells[key].isdecimal()
    }
    assert all(not shown.isdecimal() or int(shown) >= 5 for shown in table.cells.values())
    if all(shown == "withheld" for shown in table.cells.values()):
        return
    found: dict[Any, set[int]] = {key: set() for key, shown in table.cells.items() if not shown.isdecimal()}
    for full in possible(table, max(cells.values()) + 4):
        for key, seen in found.items():
            seen.add(full[key])
        if all(len(seen) > 1 for seen in found.values()):
            return
    assert not [key for key, seen in found.items() if len(seen) < 2], (cells, table.cells)


@pytest.mark.parametrize("counts", [*product(range(8), repeat=3)])
def test_every_row_of_three_is_safe(counts):
    assert_safe({("y", str(number)): count for number, count in enumerate(counts)}, ("y",), ("0", "1", "2"))


@pytest.mark.parametrize("first", range(10))
def test_every_table_of_two_by_two_is_safe(first):
    for rest in product((0, 1, 4, 5, 6, 9), repeat=3):
        cells = dict(zip(product("ab", "xy"), (first, *rest), strict=True))
        assert_safe(cells, ("a", "b"), ("x", "y"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=6, max_size=6))
def test_tables_of_two_by_three_are_safe(counts):
    assert_safe(dict(zip(product("ab", "xyz"), counts, strict=True)), ("a", "b"), ("x", "y", "z"))


CEILING = 10_000
"""No count of these tables comes near it."""


def extremes(table: Table, key: Any) -> tuple[float, float]:
    """Give the least and the greatest count that a hidden cell or total can have: a second oracle, for larger tables.

    Solved as an integer programme over the cells alone, so that it shares nothing with the code under test.
    """
    keys = list(product(table.rows, table.columns))
    sums, least, greatest = [], [], []
    for shown_key, shown in table.cells.items():
        row, column = shown_key
        sums.append([float(row in (None, one[0]) and column in (None, one[1])) for one in keys])
        low, high = {"<5": (0.0, 4.0), "withheld": (5.0, np.inf)}.get(shown) or (float(shown), float(shown))
        least.append(low)
        greatest.append(high)
    wanted = np.array([float(key[0] in (None, one[0]) and key[1] in (None, one[1])) for one in keys])
    # With a ceiling on each cell the solver cannot take an unbounded count for an impossible one.
    bounds = Bounds(0, CEILING)
    found = []
    for sign in (1, -1):
        rows = LinearConstraint(np.array(sums), least, greatest)
        solved = milp(sign * wanted, constraints=rows, bounds=bounds, integrality=1)
        assert solved.status == 0, solved.message
        found.append(round(sign * solved.fun))
    return found[0], found[1]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=12, max_size=12))
def test_larger_tables_are_safe(counts):
    cells = dict(zip(product("abcd", "xyz"), counts, strict=True))
    table = suppressed(cells, tuple("abcd"), tuple("xyz"))
    assert all(not shown.isdecimal() or int(shown) >= 5 for shown in table.cells.values())
    if not all(shown == "withheld" for shown in table.cells.values()):
        hidden = [key for key, shown in table.cells.items() if not shown.isdecimal()]
        assert [key for key in hidden if len(set(extremes(table, key))) == 1] == []


def test_both_oracles_agree():
    cells = dict(zip(product("ab", "xy"), (2, 6, 7, 9), strict=True))
    table = suppressed(cells, ("a", "b"), ("x", "y"))
    found = list(possible(table, 25))
    for key, shown in table.cells.items():
        if not shown.isdecimal():
            assert extremes(table, key)[0] == min(full[key] for full in found)


def test_the_oracle_finds_a_leak():
    """Hiding the small cell alone is not enough, and the oracle sees it."""
    leaky = Table(("y",), ("a", "b"), {("y", "a"): "<5", ("y", "b"): "7", ("y", None): "9"})
    cells = {**leaky.cells, (None, "a"): "<5", (None, "b"): "7", (None, None): "9"}
    assert len(list(possible(leaky._replace(cells=cells), 12))) == 1
    shown = suppressed({("y", "a"): 2, ("y", "b"): 7}, ("y",), ("a", "b")).cells
    assert shown["y", "a"] == "<5"
    assert shown["y", "b"] == "withheld" or shown["y", None] == "withheld"


def test_large_numbers_stay():
    cells = dict(zip(product("ab", "xy"), (10, 20, 30, 40), strict=True))
    table = suppressed(cells, ("a", "b"), ("x", "y"))
    assert table.cells["a", "x"] == "10"
    assert table.cells[None, None] == "100"
    assert set(table.cells.values()) == {"10", "20", "30", "40", "60", "70", "100"}


def test_what_follows_from_the_rule_itself_is_not_shown():
    """Five rows below five, and four columns of five: only one sum is possible, so nothing is said."""
    counts = {(row, column): 1 for row in "abcde" for column in "wxyz"}
    table = suppressed(counts, tuple("abcde"), tuple("wxyz"))
    assert set(table.cells.values()) == {"withheld"}


def test_a_year_is_published_by_quarter():
    cases = [
        a_case(f"n{number}", (f"2025-{month:02d}-03", "received"), category=category)
        for number, (month, category) in enumerate([(m, c) for m in (1, 5) for c in ("security", "other")] * 7)
    ]
    table = publishable(work(*cases), 2025, date(2026, 1, 1)).opened
    assert table.rows == ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")
    assert table.columns == CATEGORIES
    assert table.cells[None, None] == "28"
    assert table.cells["2025-Q3", "security"] == table.cells["2025-Q3", None] == "<5"
    # Of a quarter's 14 cases 7 and 7 are in two categories: shown whole, they would say that the others have none.
    assert table.cells["2025-Q1", None] == "withheld"


def test_closed_cases_and_retaliation_are_published_too():
    found = publishable(YEAR, 2026, date(2027, 1, 1))
    assert found.closed.columns == OUTCOMES
    assert found.retaliation.columns == ("reported", "investigating", "found", "not_found", "remedied")
    assert set(found.closed.cells.values()) == {"<5"}


@pytest.mark.parametrize("year", [2026, 2027, 0, -1])
def test_a_running_year_is_not_published(year):
    with pytest.raises(ProjectError, match="PRJ005"):
        publishable(work(), year, date(2026, 12, 31))
