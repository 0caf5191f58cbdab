# SPDX-License-Identifier: Apache-2.0
"""What is due, in words: as tables for a terminal or a plain log, and as data.

Every string that comes from outside is cleaned and put into a `Text`, which reads no markup.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tidegate.govern.duties import RecordedEvent, WaiverRecord
from tidegate.obligations.model import STATES, CalendarSpec, Clock, Duty, Event, Rule, State
from tidegate.publish.words import clean, one_line

GROUP_TITLES: dict[State, str] = {
    "unclear": "Unclear",
    "late": "Late",
    "due_soon": "Due soon",
    "due": "Due",
    "waived": "Waived",
    "met_late": "Met late",
    "met": "Met",
    "not_started": "Not started",
    "not_applicable": "Not applicable",
}
STATE_STYLES: dict[State, str] = {
    "unclear": "bold yellow",
    "late": "bold red",
    "due_soon": "yellow",
    "due": "",
    "waived": "cyan",
    "met_late": "yellow",
    "met": "green",
    "not_started": "dim",
    "not_applicable": "dim",
}
OPEN: frozenset[State] = frozenset({"unclear", "late", "due_soon", "due", "waived"})
"""States of what is still to be done; the others are shown only if somebody asks for all."""
GROUPS: tuple[State, ...] = ("late", "unclear", *(one for one in STATES if one not in ("late", "unclear")))
"""States in the order in which they are shown."""
KIND_WORDS = {
    "law": "law",
    "code": "code of practice",
    "standard": "standard",
    "policy": "own policy",
    "commitment": "commitment",
}
UNDATED: frozenset[State] = frozenset({"unclear", "not_started", "not_applicable"})
"""States of what has no date, but a reason why it has none."""
HOURS_UNTIL_DAYS = 72
"""What is due or late by more hours than this is told in days."""
NAME_COLUMNS = 30
"""Longer names of rules are broken."""


# --- words ----------------------------------------------------------------------------------------------


def duty_words(duty: Duty) -> str:
    """Give how a duty stands: ``late by 3 days``, ``due in 12 days``, ``met 2 days early``, ``waived until ...``."""
    match duty.state:
        case "late":
            return f"late by {_length(duty)}"
        case "due" | "due_soon":
            return "due today" if _is_today(duty) else f"due in {_length(duty)}"
        case "met":
            return "met on its last day" if _is_today(duty) else _met(duty, "early")
        case "met_late":
            return _met(duty, "late")
        case "waived":
            return f"waived until {duty.waiver.until.isoformat()}" if duty.waiver is not None else "waived"
        case _:
            return GROUP_TITLES[duty.state].lower()


def _met(duty: Duty, how: str) -> str:
    return "met" if duty.days_left is None and duty.hours_left is None else f"met {_length(duty)} {how}"


def _is_today(duty: Duty) -> bool:
    return duty.hours_left is None and duty.days_left == 0


def _length(duty: Duty) -> str:
    """Give how far away a date is, whichever way: in hours where they count and are few, else in days."""
    hours, days = abs(duty.hours_left or 0), abs(duty.days_left or 0)
    if duty.hours_left is None or hours > HOURS_UNTIL_DAYS:
        return _counted(days, "day")
    return _counted(hours, "hour") if hours else "less than an hour"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def date_words(duty: Duty) -> str:
    """Give the date of a duty, with its hour where the length is in hours."""
    if duty.due_on is None:
        return "-"
    if duty.hours_left is not None and duty.due_at is not None:
        return duty.due_at[:16].replace("T", " ") + "Z"
    return duty.due_on.isoformat()


def clock_words(clock: Clock, rule: Rule) -> str:
    """Give how a clock counts, in words."""
    if clock.before is not None:
        words = f"{clock.before} before {clock.on}"
    elif clock.within is not None:
        words = f"within {clock.within} of {clock.on}"
    else:
        words = f"{rule.every} after {clock.on}"
    if clock.ratio is not None:
        words += f" of at least {clock.ratio:g} times the amount of the last {clock.since}"
    return words


def rule_words(rule: Rule) -> str:
    """Give from what a rule counts, and how often."""
    if rule.clocks is None:
        words = f"on {rule.due.isoformat() if rule.due else '?'}"
    else:
        words = f" {'and' if rule.when == 'all' else 'or'} ".join(clock_words(one, rule) for one in rule.clocks)
    if rule.every is not None and any(one.within is not None or one.before for one in rule.clocks or ()):
        words += f", then every {rule.every}"
    if rule.anchor != "event":
        words += f", by the calendar ({rule.anchor.replace('_', '-')})"
    return words


def event_words(event: Event) -> str:
    """Give an event with its time and where it stands."""
    about = f" of {event.subject}" if event.subject else ""
    where = f" ({event.source})" if event.source else ""
    note = f": {event.note}" if event.note else ""
    return f"{event.kind}{about}, {event.at}{where}{note}"


# --- what is due ----------------------------------------------------------------------------------------


def due_tables(duties: Sequence[Duty]) -> Group:
    """Give duties in groups: late and unclear first, then what is due soon, due, and the rest that is there."""
    parts: list[RenderableType] = []
    owned = any(one.rule.owner for one in duties)
    for state in GROUPS:
        found = [one for one in duties if one.state == state]
        if found:
            parts += [Text(f"{GROUP_TITLES[state]} ({len(found)})", f"bold {STATE_STYLES[state]}".strip())]
            parts += [Padding(_group(found, owned=owned), (0, 0, 1, 0))]
    return Group(*parts)


def _group(duties: Iterable[Duty], *, owned: bool) -> Table:
    found = tuple(duties)
    is_dated = found[0].state not in UNDATED
    rows = [_row(one, is_dated=is_dated, owned=owned) for one in found]
    table = Table(box=None, pad_edge=False, show_edge=False, show_header=False, padding=(0, 2, 0, 0), expand=True)
    # What it is takes the room that dates, names and owners leave, so that these are not broken.
    wide = {2} if is_dated else {0, 1}
    for number, cells in enumerate(zip(*rows, strict=True)):
        if number in wide:
            table.add_column(ratio=1, overflow="fold")
        else:
            table.add_column(width=min(max(map(len, cells)), NAME_COLUMNS), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _row(one: Duty, *, is_dated: bool, owned: bool) -> list[Text]:
    name = Text(one_line(one.rule.id), "dim")
    soft = " (soft)" if one.rule.soft and one.state == "late" else ""
    if is_dated:
        cells = [Text(duty_words(one) + soft), Text(date_words(one)), Text(_what(one)), name]
    else:
        cells = [Text(_what(one)), Text(one_line(one.reason)), name]
    return [*cells, *([Text(one_line(one.rule.owner or ""))] if owned else [])]


def _what(duty: Duty) -> str:
    return one_line(duty.rule.title + (f": {duty.subject}" if duty.subject else ""))


def due_summary(duties: Iterable[Duty], hidden: int = 0) -> str:
    """Give how many duties are in each state, and how many are not shown."""
    count: dict[State, int] = {}
    for one in duties:
        count[one.state] = count.get(one.state, 0) + 1
    words = [f"{count[state]} {GROUP_TITLES[state].lower()}" for state in GROUPS if state in count]
    shown = ", ".join(words) or "Nothing is due"
    return f"{shown}; {hidden} more with --all." if hidden else f"{shown}."


def duty_data(duty: Duty) -> dict[str, Any]:
    """Give a duty as plain data."""
    return {
        "id": duty.id,
        "rule": duty.rule.id,
        "title": duty.rule.title,
        "kind": duty.rule.kind,
        "subject": duty.subject,
        "state": duty.state,
        "words": duty_words(duty),
        "due_on": duty.due_on.isoformat() if duty.due_on else None,
        "due_at": duty.due_at,
        "days_left": duty.days_left,
        "hours_left": duty.hours_left,
        "reason": duty.reason,
        "owner": duty.rule.owner,
        "to": duty.rule.to,
        "soft": duty.rule.soft,
        "public": duty.rule.is_published,
        "started": [event_data(one) for one in duty.started],
        "done": event_data(duty.done) if duty.done is not None else None,
        "waiver": duty.waiver.model_dump(mode="json") if duty.waiver is not None else None,
    }


def event_data(event: Event) -> dict[str, Any]:
    """Give an event as plain data."""
    return event.model_dump(mode="json", exclude={"facts"}) | {"facts": sorted(event.facts)}


# --- one rule -------------------------------------------------------------------------------------------


def explanation(rule: Rule, duties: Sequence[Duty], calendar: CalendarSpec | None) -> Group:
    """Give a rule, and for each of its duties how its date follows from what is on record."""
    head = Text.assemble(Text(one_line(rule.id), "bold"), ": ", Text(one_line(rule.title)))
    lines = [*_about(rule), f"Days count by: {calendar_words(rule, calendar)}"]
    parts: list[RenderableType] = [head]
    if rule.text:
        parts.append(Padding(Text(clean(rule.text)), (0, 0, 0, 2)))
    parts += [_indented(line) for line in lines]
    for duty in duties:
        about = f" {one_line(duty.subject)}" if duty.subject else ""
        title = Text.assemble(Text(duty_words(duty), STATE_STYLES[duty.state]), Text(about))
        parts += [Text(""), title, *(_indented(line) for line in duty_lines(duty))]
    if not duties:
        parts += [Text(""), Text("Nothing follows from it now.")]
    return Group(*parts)


def _indented(line: str) -> Padding:
    return Padding(Text(one_line(line)), (0, 0, 0, 2))


def _about(rule: Rule) -> Iterator[str]:
    yield f"Due: {rule_words(rule)}"
    yield f"From: {KIND_WORDS[rule.kind]}{f', {rule.source}' if rule.source else ''}"
    if rule.to:
        yield f"To: {rule.to}"
    if rule.owner:
        yield f"Owner: {rule.owner}"
    if rule.evidence:
        yield f"Evidence: {', '.join(rule.evidence)}"
    yield f"Met by: {', '.join((*rule.done_by, f'done:{rule.id}'))}"
    if rule.coverage_at_most:
        yield f"What meets it covers everything up to at most {rule.coverage_at_most} before its day"
    if rule.only_if:
        yield f"Applies only if: {', '.join(rule.only_if)}"
    if rule.not_if:
        yield f"Does not apply if: {', '.join(rule.not_if)}"
    if rule.in_force_from:
        yield f"In force from {rule.in_force_from.isoformat()}"
    if rule.soft:
        yield "Missing it is not itself a breach (soft)"


def calendar_words(rule: Rule, calendar: CalendarSpec | None) -> str:
    """Give the calendar by which a rule counts; where it counts business days, which days are none."""
    if calendar is None:
        return f"the calendar {rule.calendar}"
    words = f"{calendar.title or calendar.id} ({calendar.timezone})"
    lengths = [rule.every, *(length for one in rule.clocks or () for length in (one.within, one.before))]
    if not any(length is not None and "business" in length for length in lengths):
        return words
    holidays = [f"the holidays of {calendar.computed}"] if calendar.computed else []
    holidays += [_counted(len(calendar.holidays), "listed holiday")] if calendar.holidays else []
    return f"{words}; no business days: {', '.join((*calendar.weekend, *holidays))}"


def duty_lines(duty: Duty) -> Iterator[str]:
    """Give how the date of a duty follows, line by line."""
    if duty.due_on is not None:
        yield f"Date: {date_words(duty)}"
    yield f"How: {duty.reason}"
    for event in duty.started:
        yield f"Started by: {event_words(event)}"
    if duty.done is not None:
        covers = f"; covers up to {duty.done.covers.isoformat()}" if duty.done.covers else ""
        yield f"Met by: {event_words(duty.done)}{covers}"
    if duty.waiver is not None:
        signers = ", ".join(duty.waiver.signed_by)
        yield f"Waived until {duty.waiver.until.isoformat()} by {signers}: {duty.waiver.reason}"


# --- rules, waivers, events -----------------------------------------------------------------------------


def rules_table(rules: Iterable[Rule], without: dict[str, str]) -> Table:
    """Give rules, one per row, in their order."""
    table = _table("Rule", "From", "What, and when")
    for one in rules:
        words = f"does not apply: {without[one.id]}" if one.id in without else rule_words(one)
        owner = f" ({one.owner})" if one.owner else ""
        table.add_row(
            Text(one_line(one.id), "bold"),
            Text(KIND_WORDS[one.kind]),
            Text.assemble(Text(one_line(one.title + owner)), "\n", Text(one_line(words), "dim")),
        )
    return table


def waivers_table(waivers: Iterable[WaiverRecord]) -> Table:
    """Give waivers with who signed them and what they lack."""
    table = _table("Rule", "Until", "Signed by", "Counts", "Why")
    for one in waivers:
        counts = f"since {one.since}" if one.since is not None else f"no; {one.missing}"
        signers = ", ".join(f"{signed.person} ({signed.role}, entry {signed.index})" for signed in one.signatures)
        table.add_row(
            Text(one_line(waiver_name(one)), "bold"),
            Text(one.terms.until.isoformat()),
            Text(one_line(signers)),
            Text(one_line(counts)),
            Text(one_line(one.terms.reason)),
        )
    return table


def waiver_name(one: WaiverRecord) -> str:
    """Give what a waiver is about."""
    about = f" of {one.terms.subject}" if one.terms.subject else ""
    on = f" due {one.terms.due.isoformat()}" if one.terms.due else ""
    return f"{one.terms.rule}{about}{on}"


def waiver_data(one: WaiverRecord) -> dict[str, Any]:
    """Give a waiver as plain data."""
    return {
        **one.terms.model_dump(mode="json", exclude={"role"}),
        "signatures": [
            {"person": signed.person, "role": signed.role, "entry": signed.index, "at": signed.at}
            for signed in one.signatures
        ],
        "missing": one.missing,
        "since": one.since,
    }


def recorded_table(recorded: Iterable[RecordedEvent]) -> Table:
    """Give recorded events with who recorded them, those taken back too."""
    table = _table("Entry", "What", "On", "About", "Recorded", "By", "Counts")
    for one in recorded:
        table.add_row(
            Text(str(one.index), "bold"),
            Text(one_line(one.act.kind)),
            Text(one.act.on.isoformat() + (" (planned)" if one.act.is_planned else "")),
            Text(one_line(one.act.subject or "")),
            Text(one.at[:10]),
            Text(one_line(one.by)),
            Text(recorded_words(one)),
        )
    return table


def recorded_words(one: RecordedEvent) -> str:
    """Give whether a recorded event counts, and what became of it."""
    if one.replaced_by is not None:
        return f"no, since entry {one.replaced_by}"
    if one.is_retraction:
        return f"takes back entry {one.replaces}"
    return "yes" if one.replaces is None else f"yes, in place of entry {one.replaces}"


def recorded_data(one: RecordedEvent) -> dict[str, Any]:
    """Give a recorded event as plain data."""
    return {
        "entry": one.index,
        "id": one.id,
        "by": one.by,
        "at": one.at,
        **one.act.model_dump(mode="json"),
        "counts": one.counts,
        "replaces": one.replaces,
        "replaced_by": one.replaced_by,
    }


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
