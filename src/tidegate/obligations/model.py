# SPDX-License-Identifier: Apache-2.0
"""Rules that say what is due, events that start and end it, and what follows on a day.

A rule has one or more clocks. A clock counts from an event, forwards (``within``) or backwards from something
planned (``before``). A rule may recur (``every``). What was promised and what a law asks for have the same form.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from tidegate.kernel.clock import Instant
from tidegate.kernel.record import Record

Length = Annotated[
    str, StringConstraints(pattern=r"^(0 days|[1-9][0-9]{0,3} (hours?|days?|business days?|weeks?|months?|years?))$")
]
"""A length of time: ``24 hours``, ``15 days``, ``5 business days``, ``4 weeks``, ``6 months``, ``1 year``. ``0 days``
is the end of the same day."""
EventKind = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9_.:+@/#-]{0,119}$")]
"""What happened: ``incident.discovered``, ``report.published``, ``policy.changed``, ``done:<rule id>`` ..."""
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9._/-]{0,99}$")]
"""Id of a rule: ``sb53.incident``, ``raise.imminent-danger``, ``policy/TR-1`` ..."""
Fact = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,79}$")]
"""Something that is so of the organisation, ``large_frontier_developer``, or, with a dot, of an event, ``eu.death``."""


class Event(Record):
    """Something that happened, or is planned, on record."""

    kind: EventKind
    """What happened."""
    # Left to right: read from JSON, an instant at midnight would otherwise pass as a bare day and lose its hour.
    at: Annotated[Instant | date, Field(union_mode="left_to_right")]
    """When: a day, or an instant where the record has one."""
    subject: str | None = None
    """What it is about: a model, a report, an incident; none for the organisation as a whole."""
    facts: frozenset[Fact] = frozenset()
    """What is so of it."""
    amount: float | None = None
    """A quantity that it carries, such as effective compute, in the project's unit."""
    covers: date | None = None
    """For a report: the day up to which it covers what is known."""
    source: str = ""
    """Where it is on record: an entry of the log, a file of the project."""
    note: str | None = None
    """In words."""


class Clock(Record):
    """Counts from an event."""

    on: EventKind
    """Event that it counts from."""
    within: Length | None = None
    """Due at the latest so long after the event."""
    before: Length | None = None
    """Due at the latest so long before the event, which is planned."""
    ratio: Annotated[float, Field(gt=0)] | None = None
    """The event counts only where its amount is at least so many times that of the last event of kind `since`."""
    since: EventKind | None = None
    """Event whose amount the ratio is taken to; where it carries none, the last amount known of its subject."""
    only_if: tuple[Fact, ...] = ()
    """The event counts only if all of these are so, of the event or of the organisation."""
    not_if: tuple[Fact, ...] = ()
    """The event does not count if any of these is so."""
    replaced_by: EventKind | None = None
    """Once an event of this kind is on record about the same subject, this clock no longer counts: what was planned
    has happened, what was estimated is known."""

    @model_validator(mode="after")
    def _counts_one_way(self) -> "Clock":
        if self.within is not None and self.before is not None:
            raise ValueError("a clock counts either `within` or `before`, not both")
        if (self.ratio is None) != (self.since is None):
            raise ValueError("`ratio` and `since` go together")
        return self


CONFIDENTIAL = ("incident.", "noncompliance.opened", "noncompliance.material", "noncompliance.told", "disclosure.")
"""Events about one incident, case or disclosure: whoever reads of a duty that counts from them knows that there is one."""
CONFIDENTIAL_RULES = ("eu.incident.", "sb53.incident", "raise.incident", "il.incident")
"""Rules that are met by a report on an incident; what counts from that report is about the incident too."""


class Rule(Record):
    """Something that has to be done by a date."""

    id: RuleId
    """Names the rule."""
    title: str
    """What has to be done, in a few words."""
    text: str = ""
    """The same in full, in our own words."""
    kind: Literal["law", "code", "standard", "policy", "commitment"] = "commitment"
    """Where the duty comes from: law, a code of practice, a standard, the own policy, a promise of the project."""
    source: str | None = None
    """Item of a framework or policy that it implements: ``sb53#13.c.1``."""
    to: str | None = None
    """Who has to receive it."""
    owner: str | None = None
    """Person or role that answers for it."""
    evidence: tuple[str, ...] = ()
    """Records that show that it is done, for a promise of the project."""
    clocks: Annotated[tuple[Clock, ...], Field(min_length=1)] | None = None
    """What starts it; none for a promise with a fixed date."""
    due: date | None = None
    """Fixed date of a promise."""
    when: Literal["any", "all"] = "any"
    """Whether one of the clocks' events suffices, or all of them have to have happened."""
    binds: Literal["earliest", "latest"] = "earliest"
    """Which of several running clocks decides."""
    every: Length | None = None
    """Recurs: due again so long after."""
    again: Literal["done", "due"] = "done"
    """From what a recurrence is counted: from the day on which it was done, or from the day on which it was due. What
    is anchored in the calendar is always counted from the day on which it was due."""
    anchor: Literal["event", "month", "quarter", "half_year", "year"] = "event"
    """Whether it is counted from the event itself, or from the end of the calendar period that the event lies in. What
    recurs without `within` is due at the end of each such period."""
    per: Literal["subject", "organisation"] = "subject"
    """Whether each subject of an event has a duty of its own, or the organisation has one, whatever events are about."""
    restart: Literal["each", "first", "latest", "once_met"] = "each"
    """Several events about one subject: each is a duty of its own; the first counts; each starts it anew; or those
    that come while it is open start nothing, and the next one after it was met does."""
    done_by: tuple[EventKind, ...] = ()
    """Events that meet it, besides ``done:<rule id>``; about the same subject where the starting event has one."""
    may_be_early: bool = False
    """True if what meets it may also lie before what starts it, such as a report that is there already."""
    ends_on: tuple[EventKind, ...] = ()
    """Events after which it does not recur any more."""
    coverage_at_most: Length | None = None
    """What meets it has to cover everything up to at most so long before its own day."""
    only_if: tuple[Fact, ...] = ()
    """It applies only if all of these are so, of the organisation or of the event."""
    not_if: tuple[Fact, ...] = ()
    """It does not apply if any of these is so."""
    in_force_from: date | None = None
    """First day on which it binds; events before start nothing, save that what recurs then begins on that day."""
    in_force_until: date | None = None
    """First day on which it no longer binds."""
    calendar: str = "utc"
    """Calendar by which days and business days are counted."""
    soft: bool = False
    """True if missing it is not itself a breach."""
    expects_start: bool = False
    """True if the starting event must have happened by now: without it the state is unclear, not ``not started``."""
    expects_start_after: tuple[EventKind, ...] = ()
    """Events after which the starting event must have happened too, about the same subject: until it is on record, the
    state is unclear for that subject."""
    soon: Length = "30 days"
    """How long before its date it counts as due soon."""
    is_public: bool = True
    """True if its state is published; what counts from an incident or a case never is."""

    @property
    def is_published(self) -> bool:
        """True if its state may be published: it says so, and counts from no incident, case or disclosure."""
        return self.is_public and not self.is_confidential

    @property
    def is_confidential(self) -> bool:
        """True if it counts from an incident, case or disclosure: even how many such duties there are tells of one."""
        return any(
            one.on.startswith(CONFIDENTIAL) or one.on.removeprefix("done:").startswith(CONFIDENTIAL_RULES)
            for one in self.clocks or ()
        )

    @model_validator(mode="after")
    def _has_a_start(self) -> "Rule":
        if (self.clocks is None) == (self.due is None):
            raise ValueError("a rule has either `clocks` or a fixed `due` date")
        for clock in self.clocks or ():
            if clock.within is None and clock.before is None and self.every is None:
                raise ValueError("a clock needs `within` or `before`, unless the rule recurs (`every`)")
        return self


class CalendarSpec(Record):
    """How days are counted in a jurisdiction."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    """Names the calendar."""
    title: str = ""
    """In words."""
    timezone: str = "UTC"
    """IANA time zone in which a day begins and ends."""
    weekend: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ("sat", "sun")
    """Days of the week that are no business days."""
    holidays: tuple[date, ...] = ()
    """Days that are no business days, as counsel lists them."""
    computed: str | None = None
    """Holidays that are computed besides: ``US-CA``, ``US-NY``, ``US-IL``, ``US-CT`` or ``ECB`` (TARGET closing days)."""

    @model_validator(mode="after")
    def _has_business_days(self) -> "CalendarSpec":
        if len(set(self.weekend)) == 7:
            raise ValueError("a week needs at least one business day")
        return self


class ObligationFile(Record):
    """What a project adds: `obligations.yaml`."""

    schema_: Literal["tidegate/obligations/v1"] = Field(alias="schema")
    """Names this format."""
    facts: tuple[Fact, ...] = ()
    """What is so of the organisation: ``frontier_developer``, ``large_frontier_developer``, ``gpai_systemic_risk``,
    ``operates_in_california`` ..."""
    rules: tuple[Rule, ...] = ()
    """Own promises and rules."""
    without: dict[RuleId, str] = Field(default_factory=dict)
    """Shipped rule -> why it does not apply here."""
    calendars: tuple[CalendarSpec, ...] = ()
    """Calendars that replace or add to the shipped ones."""
    events: tuple[Event, ...] = ()
    """Events on record in this file: for what no log holds."""


class RulePack(Record):
    """Rules that ship with Tidegate, or events and calendars."""

    schema_: Literal["tidegate/rules/v1"] = Field(alias="schema")
    """Names this format."""
    id: str
    """Names the pack."""
    title: str
    """Its title."""
    source: str = ""
    """Where the rules come from."""
    calendars: tuple[CalendarSpec, ...] = ()
    """Calendars."""
    rules: tuple[Rule, ...] = ()
    """Rules."""


class Waiver(Record):
    """A duty set aside by signature."""

    rule: RuleId
    """Rule."""
    subject: str | None = None
    """About what; none means whatever it is about."""
    due: date | None = None
    """The date that is waived; none means all dates up to `until`."""
    until: date
    """Last day on which the waiver counts."""
    reason: str
    """Why."""
    signed_by: tuple[str, ...] = ()
    """Who signed it."""
    is_public: bool = True
    """True if it is published."""


State = Literal["unclear", "late", "due_soon", "due", "waived", "met_late", "met", "not_started", "not_applicable"]
"""State of a duty. ``unclear``: it ought to run, but its starting event is not on record. ``due``: in more days than
count as soon. ``late`` from the first moment after its date on."""
STATES: tuple[State, ...] = (
    "unclear", "late", "due_soon", "due", "waived", "met_late", "met", "not_started", "not_applicable",
)  # fmt: skip
STATE_WORDS: dict[State, str] = {
    "unclear": "unclear",
    "late": "late",
    "due_soon": "due soon",
    "due": "due",
    "waived": "waived",
    "met_late": "met late",
    "met": "met",
    "not_started": "not started",
    "not_applicable": "not applicable",
}


@dataclass(frozen=True, slots=True)
class Duty:
    """A rule applied to what happened: one date, and how it stands."""

    rule: Rule
    subject: str | None
    state: State
    reason: str
    """How the date was computed, why there is none, or why the rule does not apply."""
    due_on: date | None = None
    """Last day on which it is done in time, in its calendar."""
    due_at: Instant | None = None
    """Last moment, where the length is in hours; else the last second of `due_on`, in UTC."""
    started: tuple[Event, ...] = ()
    """Events that it is counted from."""
    done: Event | None = None
    """Event that met it."""
    days_left: int | None = None
    """Whole days until its date; negative if it has passed. For what is done: how far ahead of its date it was."""
    hours_left: int | None = None
    """The same in hours, where the length is in hours."""
    waiver: Waiver | None = None
    """The waiver that it is under."""

    @property
    def id(self) -> str:
        """Names the duty: rule, subject and date."""
        return ":".join(str(one) for one in (self.rule.id, self.subject or "-", self.due_on or "-"))


@dataclass(frozen=True)
class Setting:
    """What rules are read against, besides events."""

    facts: frozenset[str] = frozenset()
    """What is so of the organisation."""
    without: "tuple[tuple[str, str], ...]" = ()
    """(rule, why it does not apply here)."""
    calendars: tuple[CalendarSpec, ...] = ()
    """Calendars by which rules count."""
    waivers: tuple[Waiver, ...] = ()
    """Waivers in force: with all the signatures that they need."""
