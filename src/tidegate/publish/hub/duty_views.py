# SPDX-License-Identifier: Apache-2.0
"""What is owed and how it stands, noncompliance in numbers, and what is withheld."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tidegate.govern.counts import Table
from tidegate.obligations.model import Duty, State
from tidegate.publish.hub.addresses import RULES_PAGE, anchor, numbered, pieces, rule_runs
from tidegate.publish.hub.decision_views import measures_of
from tidegate.publish.hub.parts import Hub, Link, Sheet

DUTIES_EACH = 100
"""Duties on one page."""
SHORTFALLS: tuple[State, ...] = ("late", "unclear", "waived", "met_late")
"""States that a reader wants to see first: what was not done as promised, or not in time."""
AHEAD: tuple[State, ...] = ("due_soon", "due")


class DutyView(NamedTuple):
    """A duty, and how it stands."""

    title: str
    text: str
    rule: str
    kind: str
    source: Link
    subject: str
    state: str
    due: str
    days: int | None
    """Days from the day of the page to its date, negative if it is late."""
    done: str
    reason: str
    waiver: str
    is_soft: bool


class RuleView(NamedTuple):
    """A rule with all its duties."""

    anchor: str
    id: str
    title: str
    text: str
    kind: str
    source: Link
    to: str
    states: tuple[tuple[str, int], ...]
    next_due: str
    last_done: str


def duty_sheets(hub: Hub) -> Iterator[Sheet]:
    """Give the pages on compliance, noncompliance and redactions."""
    yield from _compliance(hub)
    yield from _rules(hub)
    yield _noncompliance(hub)
    yield from _redactions(hub)


def _compliance(hub: Hub) -> Iterator[Sheet]:
    order = {state: place for place, state in enumerate((*SHORTFALLS, *AHEAD))}
    duties = [one for one in hub.content.duties if one.state in order]
    found = [duty_view(hub, one) for one in sorted(duties, key=lambda one: order[one.state])]
    pages = pieces(found, DUTIES_EACH)
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered("compliance.html", n)) for n in range(1, len(pages) + 1))
    counts = {state: sum(one.state == state for one in hub.content.duties) for state in (*order, "met")}
    for number, some in enumerate(pages, 1):
        yield Sheet(
            path=numbered("compliance.html", number),
            template="compliance.html",
            title=hub.say("Compliance"),
            view={
                "groups": tuple((state, tuple(one for one in some if one.state == state)) for state in order),
                "counts": tuple(counts.items()),
                "measures": measures_of(hub) if number == 1 else (),
                "waivers": _waivers(hub) if number == 1 else (),
                "is_first": number == 1,
                "rules": RULES_PAGE,
            },
            nav="compliance",
            parts=parts if len(pages) > 1 else (),
        )


def _waivers(hub: Hub) -> tuple[tuple[str, str, str, str], ...]:
    return tuple((one.rule, one.until.isoformat(), one.reason, ", ".join(one.signed_by)) for one in hub.content.waivers)


def duty_view(hub: Hub, one: Duty) -> DutyView:
    """Give a duty as lists show it."""
    return DutyView(
        title=one.rule.title,
        text=one.rule.text,
        rule=one.rule.id,
        kind=one.rule.kind,
        source=_source(hub, one),
        subject=one.subject or "",
        state=one.state,
        due=str(one.due_at)
        if one.due_at and one.hours_left is not None
        else one.due_on.isoformat()
        if one.due_on
        else "",
        days=_days(one, hub.content.at),
        done=str(one.done.at)[:10] if one.done else "",
        reason=one.reason,
        waiver=one.waiver.reason if one.waiver is not None and one.waiver.is_public else "",
        is_soft=one.rule.soft,
    )


def _days(one: Duty, at: date) -> int | None:
    """Give the days to its date: by the calendar, so that the page is the same at every hour of its day."""
    if one.due_on is None:
        return None
    days = (one.due_on - at).days
    return min(days, 0) if one.state == "late" else max(days, 0)


def _source(hub: Hub, one: Duty) -> Link:
    source = one.rule.source or ""
    framework = source.partition("#")[0]
    known = hub.content.frameworks.get(framework)
    if known is None:
        return Link(source)
    words = f"{known.name}, {source.partition('#')[2]}".rstrip(", ")
    return Link(words, hub.item_address(source))


def _rules(hub: Hub) -> Iterator[Sheet]:
    runs = rule_runs(hub.content)
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered(RULES_PAGE, n)) for n in range(1, len(runs) + 1))
    by_rule: dict[str, list[Duty]] = {}
    for one in hub.content.duties:
        by_rule.setdefault(one.rule.id, []).append(one)
    for number, run in enumerate(runs, 1):
        yield Sheet(
            path=numbered(RULES_PAGE, number),
            template="rules.html",
            title=hub.say("Every duty and promise"),
            view={"rules": tuple(_rule(hub, by_rule[name]) for name in run)},
            nav="compliance",
            trail=(Link(hub.say("Compliance"), "compliance.html"),),
            parts=parts if len(runs) > 1 else (),
        )


def _rule(hub: Hub, duties: list[Duty]) -> RuleView:
    rule = duties[0].rule
    states: dict[str, int] = {}
    for one in duties:
        states[one.state] = states.get(one.state, 0) + 1
    ahead = sorted(one.due_on.isoformat() for one in duties if one.due_on and one.state in ("due", "due_soon", "late"))
    done = sorted(str(one.done.at)[:10] for one in duties if one.done)
    return RuleView(
        anchor=anchor("rule", rule.id),
        id=rule.id,
        title=rule.title,
        text=rule.text,
        kind=rule.kind,
        source=_source(hub, duties[0]),
        to=rule.to or "",
        states=tuple(states.items()),
        next_due=ahead[0] if ahead else "",
        last_done=done[-1] if done else "",
    )


# --- noncompliance and incidents in numbers ------------------------------------------------------------------


def _noncompliance(hub: Hub) -> Sheet:
    counts = hub.content.noncompliance
    tables = () if counts is None else (
        (hub.say("Reports that came in"), *_cells(hub, counts.opened)),
        (hub.say("Cases that were closed"), *_cells(hub, counts.closed)),
        (hub.say("Reports of retaliation, by their state at the year's end"), *_cells(hub, counts.retaliation)),
    )  # fmt: skip
    incidents = tuple((year, tuple(laws.items())) for year, laws in sorted(hub.content.incidents.items(), reverse=True))
    view = {"year": counts.year if counts else None, "tables": tables, "incidents": incidents}
    return Sheet(
        "noncompliance.html", "noncompliance.html", hub.say("Noncompliance and incidents"), view, nav="compliance"
    )


def _cells(hub: Hub, table: Table) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Give a table by category and quarter: few columns, so that it fits a narrow screen."""
    heads = ("", *(one.partition("-")[2] for one in table.rows), hub.say("Year"))
    named: list[tuple[str | None, str]] = [(one, hub.speech.word("case", one)) for one in table.columns]
    named.append((None, hub.say("All")))
    rows = tuple(
        (words, *(_count(hub, table.cells[quarter, column]) for quarter in (*table.rows, None)))
        for column, words in named
    )
    return heads, rows


def _count(hub: Hub, cell: str) -> str:
    return hub.say("withheld") if cell == "withheld" else cell


# --- what is withheld -------------------------------------------------------------------------------------------


class WithheldView(NamedTuple):
    """Something that is withheld."""

    anchor: str
    id: str
    ground: str
    character: str
    justification: str
    digest: str
    where: tuple[Link, ...]


WITHHELD_EACH = 120
"""Entries of the register on one page."""


def _redactions(hub: Hub) -> Iterator[Sheet]:
    content = hub.content
    found = [
        WithheldView(
            anchor("redaction", one.id), one.id, one.ground, one.character, one.justification, one.digest,
            tuple(Link(place, hub.where.get(place)) for place in one.where),
        )
        for one in content.withheld_words
    ]  # fmt: skip
    found += [
        WithheldView(
            anchor("redaction", f"{one.record}/{one.field}"), one.field, one.ground, one.character, one.justification,
            one.digest, (hub.link(f"evidence:{one.record}", one.record),),
        )
        for one in content.withheld_evidence
    ]  # fmt: skip
    grounds: dict[str, int] = {}
    for one in found:
        grounds[one.ground] = grounds.get(one.ground, 0) + 1
    pages = pieces(found, WITHHELD_EACH)
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered("redactions.html", n)) for n in range(1, len(pages) + 1))
    for number, some in enumerate(pages, 1):
        view = {"withheld": tuple(some), "grounds": tuple(sorted(grounds.items())), "total": len(found)}
        yield Sheet(
            numbered("redactions.html", number), "redactions.html", hub.say("What is withheld"), view,
            nav="compliance", parts=parts if len(pages) > 1 else (),
        )  # fmt: skip
