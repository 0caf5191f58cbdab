# SPDX-License-Identifier: Apache-2.0
"""A comparison of two policy versions as tables for a terminal."""

from collections.abc import Iterator
from typing import cast

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.policy.diff import Outcome, PolicyDiff, TableRow
from tidegate.publish.words import clean

_STYLES = {"weakened": "red", "removed": "red", "relocated": "yellow", "strengthened": "green", "added": "cyan"}
_COLUMNS = (("clause", 24), ("on", 13), ("what changed, and why it is coded so", None), ("account", 10))


def diff_table(found: PolicyDiff, *, every: bool = False) -> Iterator[RenderableType]:
    """Give the figures first, then a table per outcome, then what the account leaves out.

    Args:
        found: the comparison.
        every: show retained clauses too.
    """
    yield Text(clean(f"{found.old.label} → {found.new.label}"), style="bold")
    yield Text(f"{found.old.version_id}\n{found.new.version_id}", style="dim")
    yield _counts(found)
    yield from _rates(found)
    groups: dict[str, list[TableRow]] = {}
    for row in found.table_rows(retained=every):
        groups.setdefault(row.outcome.split(",")[0], []).append(row)
    for outcome, rows in groups.items():
        yield _outcome_table(outcome, found.counts_by_outcome()[cast(Outcome, outcome)], rows)
    for note in found.notes:
        yield Text(clean(str(note)), style="yellow")
    for one in found.suggestions:
        yield Text(clean(f"perhaps the same: {one.old.id} and {one.new.id} (likeness {one.similarity:.0%})"))


def _counts(found: PolicyDiff) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="changes by dimension", title_justify="left")
    outcomes = [name for name in found.counts_by_outcome() if name != "retained"]
    table.add_column("")
    for name in outcomes:
        table.add_column(name, justify="right")
    for dimension, counts in found.counts_by_dimension().items():
        table.add_row(dimension, *(str(counts[name]) for name in outcomes))
    totals = found.counts_by_outcome()
    table.add_row("clauses", *(str(totals[name]) for name in outcomes), style="bold")
    table.caption = f"{totals['retained']} clauses are retained; a clause counts under each of its dimensions"
    table.caption_justify = "left"
    return table


def _outcome_table(outcome: str, clauses: int, rows: list[TableRow]) -> RenderableType:
    title = Text(f"{outcome}: {clauses} clauses", style=_STYLES.get(outcome, ""))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for heading, width in _COLUMNS:
        table.add_column(heading, width=width, overflow="fold")
    for row in rows:
        change = Text(clean(row.change))
        change.append(f"\n{clean(row.where)}", style="dim")
        coding = ", ".join(row.outcome.split(",")[1:]).strip()
        dimensions = Text(row.dimensions)
        if coding:
            dimensions.append(f"\n{coding}", style="dim")
        table.add_row(Text(clean(row.clause)), dimensions, change, Text(clean(row.account)))
    return table


def _rates(found: PolicyDiff) -> Iterator[RenderableType]:
    material = len(found.material)
    counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in found.counts_by_announcement().items() if n)
    yield Text(f"{material} material changes: {counts}" if material else "no material change", style="bold")
    if found.silent_rate_strict is not None and found.silent_rate_lenient is not None:
        yield Text(
            f"silent revision rate {found.silent_rate_strict:.1%} (a partial account counts as silent), "
            f"{found.silent_rate_lenient:.1%} (it does not)"
        )
        yield Text(
            clean(f"the account is the changelog in {found.new.file}: its entries name their sources"), style="dim"
        )
