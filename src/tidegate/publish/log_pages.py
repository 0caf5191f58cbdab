# SPDX-License-Identifier: Apache-2.0
"""Entries of the log, and checks of a bundle, as lines for people."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from rich.table import Table
from rich.text import Text

from tidegate.ledger.entries import Entry
from tidegate.publish.verification import Check
from tidegate.publish.words import clean, one_line

_SHOWN = (
    "decision",
    "report",
    "critique",
    "case",
    "waiver",
    "hold",
    "label",
    "model",
    "supersedes",
    "person",
    "kept_as",
)
"""Fields of a body that name what an act is about, in the order in which the first one found is shown."""


class Placed(Protocol):
    """An entry with its place in the log."""

    @property
    def index(self) -> int:
        """Its place."""

    @property
    def entry(self) -> Entry:
        """The entry."""


def about(entry: Entry) -> str:
    """Give what an entry is about, in a few words."""
    words = [str(entry.body[name]) for name in _SHOWN if entry.body.get(name)][:2]
    moved = entry.body.get("to") or entry.body.get("verdict") or entry.body.get("role")
    return clean(" ".join([*words, *([f"({moved})"] if isinstance(moved, str) else [])]))


def entries_table(found: Iterable[Placed]) -> Table:
    """Give entries as a table: place, kind, who, when, about what."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("Entry", "Kind", "By", "When", "About"):
        table.add_column(name, justify="right" if name == "Entry" else "left", overflow="fold")
    for one in found:
        entry = one.entry
        cells = (str(one.index), entry.kind, clean(entry.by or ""), entry.acted_at, about(entry))
        table.add_row(*(Text(cell) for cell in cells))
    return table


def check_lines(checks: Sequence[Check]) -> list[str]:
    """Give one line for each check: whether it holds, what was checked, what was found."""
    width = max((len(one.name) for one in checks), default=0)
    return [f"{'ok  ' if one.holds else 'FAIL'} {one.name:<{width}}  {one_line(one.detail)}" for one in checks]
