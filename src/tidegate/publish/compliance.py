# SPDX-License-Identifier: Apache-2.0
"""The compliance review of a period: what was promised, done, late, deviated from, waived; each with its source.

The public version names roles where the other names people, and leaves out what is not public; it says how much.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from tidegate.govern.duties import WaiverRecord
from tidegate.govern.records import DecisionRecord
from tidegate.kernel.clock import Instant, day_of
from tidegate.ledger.acts import WaiverRecorded
from tidegate.obligations.model import Duty, Event, State
from tidegate.policy.model import EvaluationChange, Policy
from tidegate.publish.due_pages import KIND_WORDS, date_words, duty_words, waiver_name
from tidegate.publish.report_blocks import Block, Page, Paragraph, Section, grid
from tidegate.publish.words import one_line

ENDED = frozenset({"superseded", "revoked"})
"""States in which a decision, and what it granted, no longer counts."""


class Granted(NamedTuple):
    """A measure of a decision that took effect."""

    measure: WaiverRecorded
    decision: DecisionRecord
    entry: int | None
    """Entry that put it on record."""


@dataclass(frozen=True)
class Departure:
    """A waiver, interim measure or deviation, of a duty or of a requirement."""

    kind: str
    """``waiver``, ``interim measure``, ``deviation``, ``changed evaluation`` or ``unrecorded change``."""
    what: str
    """What it is about."""
    since: date
    """From when."""
    until: date | None
    """Last day on which it counts; none for what stays."""
    why: str
    signed_by: tuple[str, ...]
    """People with their roles; roles alone in the public version."""
    source: str
    """Where it is on record."""
    note: str = ""
    """What became of it, or what it lacks."""


@dataclass(frozen=True)
class Material:
    """What a review is made from: everything on record, as of the end of its period."""

    organisation: str
    policy: Policy
    start: date
    """First day of the period."""
    end: date
    """Last day of the period."""
    at: Instant
    """The moment for which duties were computed: the end of the period, or now, if it goes on."""
    duties: Sequence[Duty] = ()
    waivers: Sequence[WaiverRecord] = ()
    granted: Sequence[Granted] = ()
    changes: Sequence[tuple[EvaluationChange, str]] = ()
    """Replacements of evaluations that the policy records, with where."""
    unrecorded: Sequence[Departure] = ()
    """Changes of what decides that the policy does not record."""
    adopted: Sequence[Event] = ()
    """Policies that were adopted in the period."""
    recorded: Mapping[str, date] = field(default_factory=dict)
    """Source of an event -> day on which it was put on record."""
    doubts: Sequence[str] = ()
    """Why the record cannot be relied on."""
    checkpoint: Sequence[str] = ()
    """The log's newest checkpoint, in lines for the foot of the page."""


@dataclass(frozen=True)
class Review:
    """The review of a period."""

    material: Material
    is_public: bool
    done: tuple[Duty, ...] = ()
    """Done in time."""
    late: tuple[Duty, ...] = ()
    """Done late, or still open after its date."""
    waived: tuple[Duty, ...] = ()
    """Set aside by signature when their date came."""
    unclear: tuple[Duty, ...] = ()
    """Ought to have run, without a start on record."""
    coming: tuple[Duty, ...] = ()
    """Due in the period, in what is left of it."""
    waivers: tuple[Departure, ...] = ()
    deviations: tuple[Departure, ...] = ()
    asked: tuple[Departure, ...] = ()
    """Waivers that lack signatures, and count for nothing; never in the public version."""
    left_out: int = 0
    """How many of these are left out because they are not public."""

    @property
    def promised(self) -> tuple[Duty, ...]:
        """Everything that fell due in the period, was done in it, or was open in it."""
        found = (*self.done, *self.late, *self.waived, *self.unclear, *self.coming)
        return tuple(sorted(found, key=lambda one: (one.due_on or date.max, one.rule.id, one.subject or "")))

    @property
    def is_over(self) -> bool:
        """True if the period has ended."""
        return day_of(self.material.at) >= self.material.end


def review(material: Material, *, is_public: bool = False) -> Review:
    """Give the review of a period, whole or as it may be published."""
    inside = [one for one in material.duties if _is_inside(one, material)]
    shown = [one for one in inside if one.rule.is_published or not is_public]
    waivers = [one for one in material.waivers if _touches(_since(one), one.terms.until, material)]
    public_rules = {one.rule.id for one in material.duties if one.rule.is_published}
    open_ones = [one for one in waivers if not is_public or (one.terms.is_public and one.terms.rule in public_rules)]
    granted = [one for one in material.granted if _touches_granted(one, material)]
    open_granted = [one for one in granted if one.measure.is_public or not is_public]
    measures = [_of_decision(one, is_public=is_public) for one in open_granted]
    left_out = len(inside) - len(shown) + len(granted) - len(open_granted)
    left_out += sum(one.missing is None for one in waivers) - sum(one.missing is None for one in open_ones)

    def standing(*states: State) -> tuple[Duty, ...]:
        return tuple(one for one in shown if one.state in states)

    return Review(
        material,
        is_public,
        done=standing("met"),
        late=standing("late", "met_late"),
        waived=standing("waived"),
        unclear=standing("unclear"),
        coming=standing("due", "due_soon"),
        waivers=(
            *(_of_duty(one, is_public=is_public) for one in open_ones if one.missing is None),
            *(one for one in measures if one.kind == "waiver"),
        ),
        deviations=(
            *(one for one in measures if one.kind != "waiver"),
            *_changes(material),
        ),
        asked=() if is_public else tuple(_of_duty(one, is_public=False) for one in open_ones if one.missing),
        left_out=left_out,
    )


def _is_inside(duty: Duty, material: Material) -> bool:
    """Tell whether a duty belongs to the period: it fell due or was done in it, or was open from before."""
    if duty.state == "unclear":
        return True
    if duty.due_on is None or duty.state in ("not_started", "not_applicable"):
        return False
    is_due = material.start <= duty.due_on <= material.end
    done = _day(duty.done) if duty.done is not None else None
    match duty.state:
        case "late" | "waived":
            return duty.due_on <= material.end
        case "met_late":
            return duty.due_on <= material.end and (done is None or done >= material.start)
        case "met":
            return is_due or (done is not None and material.start <= done <= material.end)
        case _:
            return is_due


def _day(event: Event) -> date:
    return event.at if isinstance(event.at, date) else day_of(event.at)


# --- departures -----------------------------------------------------------------------------------------


def _touches(since: date, until: date | None, material: Material) -> bool:
    return since <= material.end and (until is None or until >= material.start)


def _touches_granted(one: Granted, material: Material) -> bool:
    return _touches(_took_effect(one), _ended(one), material)


def _took_effect(one: Granted) -> date:
    """Give the day on which a measure's decision first took effect."""
    return min(day_of(move.at) for move in one.decision.moves if move.to == "effective")


def _ended(one: Granted) -> date:
    """Give the last day of a measure: its own, or that on which its decision ended."""
    over = [day_of(move.at) for move in one.decision.moves if move.to in ENDED]
    return min([one.measure.until, one.decision.document.expires, *over])


def _since(one: WaiverRecord) -> date:
    return day_of(one.since or one.signatures[0].at)


def _of_duty(one: WaiverRecord, *, is_public: bool) -> Departure:
    entries = [f"entry {signed.index}" for signed in one.signatures]
    return Departure(
        kind="waiver",
        what=waiver_name(one),
        since=_since(one),
        until=one.terms.until,
        why=one.terms.reason,
        signed_by=_signers(((signed.person, signed.role) for signed in one.signatures), is_public=is_public),
        source=", ".join(entries),
        note=f"does not count: {one.missing}" if one.missing else "",
    )


def _of_decision(one: Granted, *, is_public: bool) -> Departure:
    measure, record = one.measure, one.decision
    until = _ended(one)
    early = f"ended with {record.id}, which is {record.state}" if until < measure.until else ""
    about = f"{', '.join(measure.requirements)} for {measure.model}"
    return Departure(
        kind=measure.kind.replace("_", " "),
        what=about + (f" ({', '.join(measure.actions).replace('_', ' ')})" if measure.actions else ""),
        since=_took_effect(one),
        until=until,
        why=measure.reason,
        signed_by=_signers(((signed.person, signed.role) for signed in record.in_force), is_public=is_public),
        source=f"decision {record.id}" + (f", entry {one.entry}" if one.entry is not None else ""),
        note=early,
    )


def _changes(material: Material) -> Iterator[Departure]:
    """Give what was changed in the period about what decides, recorded as a change or not."""
    last = min(material.end, day_of(material.at))
    found = (*(_of_policy(one, source) for one, source in material.changes), *material.unrecorded)
    return (one for one in found if material.start <= one.since <= last)


def _of_policy(change: EvaluationChange, source: str) -> Departure:
    return Departure(
        kind="changed evaluation",
        what=f"{change.threshold}: {change.now} in place of {change.was}",
        since=change.on,
        until=None,
        why=change.reason,
        signed_by=change.approved_by,
        source=source,
    )


def _signers(signed: Iterable[tuple[str, str]], *, is_public: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys(role if is_public else f"{person} ({role})" for person, role in signed))


# --- the page -------------------------------------------------------------------------------------------


def compliance_page(found: Review) -> Page:
    """Give the page of a review, before it is printed as anything."""
    material = found.material
    version = "Public version" if found.is_public else "Internal version: it names people"
    as_of = "" if found.is_over else f"; the period goes on, and this is how it stood on {day_of(material.at)}"
    return Page(
        title=f"Compliance review: {material.start.isoformat()} to {material.end.isoformat()}",
        lead=f"{material.organisation}, under {material.policy.title} ({material.policy.label}).",
        status=f"{version}{as_of}.",
        is_final=found.is_over and not material.doubts,
        problems=tuple(material.doubts),
        sections=tuple(_sections(found)),
        footer=(*_footer(found), *material.checkpoint),
    )


def _footer(found: Review) -> Iterator[str]:
    yield f"Computed from the record for {found.material.at}; each line says where it is on record."
    if found.is_public:
        yield f"Left out, because they are not public: {found.left_out}." if found.left_out else "Nothing is left out."


def _sections(found: Review) -> Iterator[Section]:
    yield Section("In short", (Paragraph((summary(found),)), *_adopted(found.material)), anchor="short")
    yield _section("done", "Done in time", _done(found), "Nothing.")
    yield _section("late", "Late", _late(found), "Nothing was late.")
    yield _section("deviated", "Deviations and interim measures", _departures(found.deviations), "None.")
    yield _section("waived", "Waived", _waived(found), "Nothing was waived.")
    yield _section(
        "unclear", "Unclear", _unclear(found), "Nothing: every duty that ought to run has its start on record."
    )
    if found.coming:
        yield _section("coming", "Still to come in this period", _coming(found), "")
    if found.asked:
        yield _section("asked", "Asked for, and not granted", _departures(found.asked), "")


def _adopted(material: Material) -> Iterator[Block]:
    for one in material.adopted:
        words = f"{one.subject} was adopted on {_day(one).isoformat()} ({one.source})."
        yield Paragraph((f"{words} Duties under the policy are told as {material.policy.label} has them.",))


def summary(found: Review) -> str:
    """Give a review in one sentence."""
    still = sum(one.state == "late" for one in found.late)
    words = [
        f"{len(found.promised)} promised",
        f"{len(found.done)} done in time",
        f"{len(found.late) - still} done late",
        f"{still} late and still open",
        f"{len(found.waived)} waived",
        f"{len(found.deviations)} {'deviation' if len(found.deviations) == 1 else 'deviations'}",
        f"{len(found.unclear)} unclear",
    ]
    return f"{', '.join(words)}."


def _section(anchor: str, title: str, blocks: Sequence[Block], nothing: str) -> Section:
    return Section(title, tuple(blocks) or (Paragraph((nothing,)),), anchor=anchor)


def _what(duty: Duty) -> str:
    about = f": {duty.subject}" if duty.subject else ""
    return one_line(f"{duty.rule.title}{about}")


def _from(duty: Duty) -> str:
    source = f" {duty.rule.source}" if duty.rule.source else ""
    return f"{duty.rule.id} ({KIND_WORDS[duty.rule.kind]}{source})"


def _sources(duty: Duty) -> str:
    """Give where the start of a duty, and what met it, is on record."""
    events = (*duty.started, *((duty.done,) if duty.done is not None else ()))
    return (
        ", ".join(dict.fromkeys(one.source for one in events if one.source)) or duty.rule.source or "obligations.yaml"
    )


def _when_done(duty: Duty, found: Review) -> str:
    if duty.done is None:
        return "not done"
    on = _day(duty.done)
    recorded = found.material.recorded.get(duty.done.source)
    is_later = recorded is not None and duty.due_on is not None and recorded > max(duty.due_on, on)
    return f"{on.isoformat()}{f', put on record on {recorded}' if is_later else ''}"


def _done(found: Review) -> Sequence[Block]:
    rows = [(_what(one), _from(one), date_words(one), _when_done(one, found), _sources(one)) for one in found.done]
    return grid("Done by its date", ("What", "Promised in", "Due", "Done", "On record"), rows, is_wide=True)


def _late(found: Review) -> Sequence[Block]:
    heads = ("What", "Promised in", "Due", "How late", "Done", "On record")
    rows = [
        (_what(one), _from(one), date_words(one), _how_late(one), _when_done(one, found), _sources(one))
        for one in found.late
    ]
    return grid("Not done by its date", heads, rows, is_wide=True)


def _how_late(duty: Duty) -> str:
    soft = ", which is not itself a breach" if duty.rule.soft else ""
    return f"{duty_words(duty)}{soft}"


def _waived(found: Review) -> Sequence[Block]:
    rows = [(_what(one), _from(one), date_words(one), _how_waived(one, found), _sources(one)) for one in found.waived]
    heads = ("What", "Promised in", "Due", "Waived", "On record")
    return (*_departures(found.waivers), *grid("Not done by its date, under a waiver", heads, rows, is_wide=True))


def _how_waived(duty: Duty, found: Review) -> str:
    """Give until when a duty is set aside, and whether that was signed only after its date."""
    if duty.waiver is None:
        return ""
    words = f"until {duty.waiver.until.isoformat()}"
    signed = next((_since(one) for one in found.material.waivers if one.waiver == duty.waiver), None)
    if signed is None or duty.due_on is None or signed <= duty.due_on:
        return words
    days = (signed - duty.due_on).days
    return f"{words}, signed {days} {'day' if days == 1 else 'days'} after its date"


def _departures(departures: Sequence[Departure]) -> Sequence[Block]:
    rows = [
        (
            one.kind,
            one_line(one.what),
            one.since.isoformat(),
            one.until.isoformat() if one.until else "for good",
            ", ".join(one.signed_by) or "nobody is named",
            one_line(f"{one.why}{f' ({one.note})' if one.note else ''}"),
            one.source,
        )
        for one in departures
    ]
    heads = ("Kind", "What", "Since", "Until", "Signed by", "Why", "On record")
    return grid("Departures", heads, rows, is_wide=True)


def _unclear(found: Review) -> Sequence[Block]:
    rows = [(_what(one), _from(one), one_line(one.reason)) for one in found.unclear]
    return grid("It cannot be said whether these are late", ("What", "Promised in", "Why"), rows)


def _coming(found: Review) -> Sequence[Block]:
    rows = [(_what(one), _from(one), date_words(one), duty_words(one), _sources(one)) for one in found.coming]
    return grid("Due by the end of the period", ("What", "Promised in", "Due", "How it stands", "On record"), rows)


# --- data -----------------------------------------------------------------------------------------------


def review_data(found: Review) -> dict[str, Any]:
    """Give a review as plain data."""
    material = found.material
    return {
        "organisation": material.organisation,
        "policy": material.policy.label,
        "from": material.start.isoformat(),
        "to": material.end.isoformat(),
        "at": material.at,
        "public": found.is_public,
        "is_over": found.is_over,
        "left_out": found.left_out,
        "doubts": list(material.doubts),
        "summary": summary(found),
        "adopted": [
            {"policy": one.subject, "on": _day(one).isoformat(), "source": one.source} for one in material.adopted
        ],
        **{
            name: [_line_data(one, found) for one in getattr(found, name)]
            for name in ("promised", "done", "late", "waived", "unclear", "coming")
        },
        **{name: [_departure_data(one) for one in getattr(found, name)] for name in ("waivers", "deviations", "asked")},
        "checkpoint": list(material.checkpoint),
    }


def _line_data(duty: Duty, found: Review) -> dict[str, Any]:
    return {
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
        "done": _when_done(duty, found),
        "waived": _how_waived(duty, found) or None,
        "soft": duty.rule.soft,
        "reason": duty.reason,
        "source": _sources(duty),
    }


def _departure_data(one: Departure) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "what": one.what,
        "since": one.since.isoformat(),
        "until": one.until.isoformat() if one.until else None,
        "why": one.why,
        "signed_by": list(one.signed_by),
        "source": one.source,
        "note": one.note,
    }
