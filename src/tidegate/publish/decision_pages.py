# SPDX-License-Identifier: Apache-2.0
"""Decisions as Markdown, for a terminal, and as data: who signed what, in which role, with which key, over what.

Every string that people wrote is escaped or shown as plain text. Dissent is shown verbatim.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tidegate.govern.decisions import Decision, DecisionState, signed_over
from tidegate.govern.records import DecisionRecord, Dissent
from tidegate.kernel.canonical import plain
from tidegate.publish.markdown import escaped
from tidegate.publish.words import ACTION_WORDS, clean, one_line, shortened

STATE_STYLES: dict[DecisionState, str] = {
    "proposed": "yellow",
    "in_review": "yellow",
    "effective": "green",
    "superseded": "dim",
    "expired": "dim",
    "revoked": "red",
}
QUESTION_COLUMNS = 48
"""More of a question does not fit beside its state."""


@dataclass(frozen=True)
class ShownDecision:
    """A decision, with what stands against it now."""

    record: DecisionRecord
    """What the log says."""
    against: tuple[str, ...] = ()
    """Why it does not count now: its state, what changed since it was signed."""
    missing: tuple[str, ...] = ()
    """Signatures and reviews that it lacks."""

    @property
    def counts(self) -> bool:
        """True if it is effective and nothing stands against it."""
        return self.record.state == "effective" and not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Everything that stands against it, each once."""
        ended = self.record.state in ("superseded", "expired", "revoked")
        return tuple(dict.fromkeys((*self.against, *(() if ended else self.missing))))


@dataclass(frozen=True)
class _Part:
    """A part of a page."""

    heading: str
    lines: Sequence[str] = ()
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    quotes: Sequence[tuple[str, str]] = ()
    """Who said it, and their words verbatim."""

    @property
    def is_empty(self) -> bool:
        return not (self.lines or self.rows or self.quotes)


# --- Markdown -----------------------------------------------------------------------------------------


def decision_markdown(shown: ShownDecision) -> str:
    """Give a decision as a Markdown page."""
    record = shown.record
    blocks = [f"# Decision {escaped(record.id)}: {_state(record)}", escaped(record.document.question)]
    for part in _parts(shown):
        if part.is_empty:
            continue
        blocks.append(f"## {escaped(part.heading)}")
        if part.lines:
            blocks.append("\n".join(f"- {escaped(line)}" for line in part.lines))
        if part.rows:
            rows = [part.heads, ["---"] * len(part.heads), *part.rows]
            cells = [[one if number == 1 else escaped(one) for one in row] for number, row in enumerate(rows)]
            blocks.append("\n".join(f"| {' | '.join(row)} |" for row in cells))
        for said_by, words in part.quotes:
            blocks += [f"{escaped(said_by)}:", _fenced(words)]
    return "\n\n".join(blocks) + "\n"


def _fenced(words: str) -> str:
    """Give text as a code block that nothing in it can end."""
    shown = clean(words)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


# --- terminal -----------------------------------------------------------------------------------------


def decisions_table(shown: Sequence[ShownDecision]) -> Table:
    """Give decisions, one per row, in their order."""
    table = _table("Decision", "Question", "Model", "State", "Signed by", "Counts")
    for one in shown:
        record = one.record
        about = record.document.model or "-"
        counts = Text("yes", "green") if one.counts else Text(shortened("; ".join(one.reasons) or "no", 60), "yellow")
        table.add_row(
            Text(one_line(record.id), "bold"),
            Text(shortened(record.document.question, QUESTION_COLUMNS)),
            Text(one_line(f"{about} {record.document.about or ''}")),
            Text(_state(record), STATE_STYLES[record.state]),
            Text(one_line(", ".join(f"{signed.person} ({signed.role})" for signed in record.in_force)) or "nobody"),
            counts,
        )
    return table


def decision_panel(shown: ShownDecision) -> Group:
    """Give a decision as text for a terminal or a plain log."""
    record = shown.record
    title = Text.assemble(
        Text(one_line(f"Decision {record.id}"), "bold"), ": ", Text(_state(record), STATE_STYLES[record.state])
    )
    blocks: list[RenderableType] = [title, Text(one_line(record.document.question))]
    for part in _parts(shown):
        if part.is_empty:
            continue
        blocks += [Text(""), Text(part.heading, "bold")]
        blocks += [_hanging(Text(one_line(line))) for line in part.lines]
        if part.rows:
            table = _table(*part.heads)
            for row in part.rows:
                table.add_row(*(Text(one_line(cell)) for cell in row))
            blocks.append(Padding(table, (0, 0, 0, 2)))
        for said_by, words in part.quotes:
            blocks += [_hanging(Text(one_line(f"{said_by}:"))), Padding(Text(clean(words)), (0, 0, 0, 6))]
    return Group(*blocks)


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(Text(head), overflow="fold")
    return table


def _hanging(text: Text) -> Padding:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row("-", text)
    return Padding(grid, (0, 0, 0, 2))


# --- data ---------------------------------------------------------------------------------------------


def decision_data(shown: ShownDecision) -> dict[str, Any]:
    """Give a decision as plain data."""
    record = shown.record
    versions = [
        {"digest": one.digest, "by": one.by, "at": one.at, "index": one.index, "reason": one.reason}
        for one in record.versions
    ]
    signatures = [
        {**asdict(one), "holds": sorted(one.holds), "over": [plain(signed) for signed in one.over]}
        for one in record.signatures
    ]
    return {
        "decision": record.id,
        "state": record.state,
        "counts": shown.counts,
        "against": list(shown.against),
        "missing": list(shown.missing),
        "digest": record.digest,
        "document": plain(record.document),
        "versions": versions,
        "signatures": signatures,
        "reviews": [asdict(one) for one in record.reviews],
        "recusals": [asdict(one) for one in record.recusals],
        "dissents": [asdict(one) for one in record.dissents],
        "moves": [asdict(one) for one in record.moves],
        "waivers": [plain(one) for one in record.waivers],
    }


# --- the parts of a page ------------------------------------------------------------------------------


def _parts(shown: ShownDecision) -> Iterator[_Part]:
    record, document = shown.record, shown.record.document
    yield _Part("Why it does not count" if not shown.counts else "Counts", shown.reasons)
    yield _Part("Decided", tuple(_decided(document, record)))
    yield _signatures(record)
    yield _Part("Signed over", heads=("What", "Digest"), rows=[(one.name, one.digest) for one in signed_over(document)])
    yield _Part("Reviews", tuple(_reviews(record)))
    yield _Part("Stepped back", [f"{one.by} ({one.at}): {one.reason}" for one in record.recusals])
    yield _Part("Dissent", quotes=[(_dissenter(one, record), one.text) for one in record.dissents])
    yield _Part(
        "Conditions and notices",
        heads=("Due", "Who", "What"),
        rows=sorted(_due(document), key=lambda row: (row[0], row[1])),
    )
    yield _Part(
        "Measures",
        [
            f"{one.id}, {one.kind.replace('_', ' ')} until {one.until.isoformat()} for {', '.join(one.requirements)}"
            f" ({', '.join(ACTION_WORDS[action] for action in one.actions) or 'no action'};"
            f" {'public' if one.is_public else 'not public'}): {one.reason}"
            for one in document.measures
        ],
    )
    yield _Part("History", tuple(_history(record)))


def _state(record: DecisionRecord) -> str:
    return record.state.replace("_", " ")


def _decided(document: Decision, record: DecisionRecord) -> Iterator[str]:
    answer = "says yes to" if document.opens else "says no to"
    actions = ", ".join(ACTION_WORDS[one] for one in document.actions)
    yield f"chosen: {document.choice} (of: {'; '.join(document.options)})"
    if document.model is not None:
        yield f"about: {document.model}, snapshot {document.about or 'none'}"
    if actions:
        yield f"{answer}: {actions}"
    if document.adopts is not None:
        yield f"{answer}: the policy whose content has the digest {document.adopts}"
    yield f"proposed by {record.proposer} on {document.proposed_at}; counts until {document.expires.isoformat()}"
    yield f"rests on {document.seen.policy}, assessed as of {document.seen.at.isoformat()}"
    if document.recommendation is not None:
        yield f"recommended by {', '.join(document.recommendation.by)}: {document.recommendation.text}"
    if document.supersedes is not None:
        yield f"takes the place of {document.supersedes}"


def _signatures(record: DecisionRecord) -> _Part:
    heads = ("Who", "Role", "When", "Key", "Entry")
    rows = [
        (
            one.person,
            one.role if one.document == record.digest else f"{one.role} (earlier version)",
            one.at,
            one.key,
            str(one.index),
        )
        for one in record.signatures
    ]
    return _Part("Signatures", heads=heads, rows=rows)


def _reviews(record: DecisionRecord) -> Iterator[str]:
    counted = record.independent_reviews
    for one in record.reviews:
        note = (
            "" if one in counted else ", of an earlier version" if one.document != record.digest else ", does not count"
        )
        yield f"{one.by} {one.verdict} ({one.at}, entry {one.index}{note}): {one.text}"


def _dissenter(one: Dissent, record: DecisionRecord) -> str:
    note = "" if one.document == record.digest else ", of an earlier version"
    return f"{one.by} ({one.at}, entry {one.index}{note})"


def _due(document: Decision) -> Iterator[tuple[str, str, str]]:
    def day(due: date) -> str:
        return due.isoformat()

    for condition in document.conditions:
        yield day(condition.due), condition.owner, condition.text
    for notice in document.notices:
        yield day(notice.due), f"to the {notice.to}", notice.text or "is told"


def _history(record: DecisionRecord) -> Iterator[str]:
    told = [
        (one.index, f"{one.at}: put by {one.by}" + (f" anew: {one.reason}" if one.reason else ""))
        for one in record.versions
    ]
    for move in record.moves:
        by = f" by {move.by_decision}" if move.by_decision is not None else ""
        reason = f": {move.reason}" if move.reason is not None else ""
        told.append((move.index, f"{move.at}: {move.to.replace('_', ' ')}{by}, entered by {move.by}{reason}"))
    yield from (f"{words} (entry {index})" for index, words in sorted(told))
