# SPDX-License-Identifier: Apache-2.0
"""What is due, from what happened and the rules: pure, as of a moment."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from operator import itemgetter

from tidegate.kernel.clock import Instant
from tidegate.kernel.errors import ObligationError, Problem
from tidegate.obligations import reasons
from tidegate.obligations.calendars import Reckoning, period_end
from tidegate.obligations.history import History, written
from tidegate.obligations.model import STATES, CalendarSpec, Duty, Event, Rule, Setting, State, Waiver
from tidegate.obligations.recurrence import fixed, recurring
from tidegate.obligations.starts import Begun, Reading, Starts, starts_of
from tidegate.obligations.working import Work, date_of, duty_of, is_before, met_by

UTC_CALENDAR = CalendarSpec(id="utc", title="Coordinated Universal Time, weekends only")
_RANK: dict[State, int] = {state: number for number, state in enumerate(STATES)}
_NO_SETTING = Setting()


def due(
    events: Iterable[Event], rules: Iterable[Rule], at: Instant, setting: Setting = _NO_SETTING
) -> tuple[Duty, ...]:
    """Give every duty that the rules make of what had happened by a moment, the worst and nearest first.

    Events after the moment count only where a clock runs before them, as what is planned.

    Args:
        events: what happened, in any order.
        rules: what has to be done by when.
        at: the moment.
        setting: facts of the organisation, calendars, waivers, and rules that do not apply.

    Raises:
        ObligationError: OBL002, a calendar, its time zone or its holidays are not known.

    >>> rule = Rule.model_validate({"id": "report", "title": "Report",
    ...     "clocks": [{"on": "incident.discovered", "within": "15 days"}]})
    >>> event = Event.model_validate({"kind": "incident.discovered", "at": "2026-11-01"})
    >>> duty = due([event], [rule], "2026-11-10T12:00:00Z")[0]
    >>> duty.state, duty.due_on.isoformat(), duty.days_left
    ('due_soon', '2026-11-16', 6)
    """
    chosen = tuple(rules)
    run = _Run(events, chosen, at, setting)
    keyed = [(_order(duty), duty) for rule in chosen for duty in _duties(rule, run)]
    keyed.sort(key=itemgetter(0))
    return tuple(duty for _, duty in keyed)


def _order(duty: Duty) -> tuple[int, str, str, str]:
    return (_RANK[duty.state], duty.due_at or "~", duty.rule.id, duty.subject or "")


class _Run:
    """Everything that one computation reads, indexed once."""

    def __init__(self, events: Iterable[Event], rules: Sequence[Rule], at: Instant, setting: Setting) -> None:
        self.at = at
        self.facts = setting.facts
        self.history = History(events, frozenset(_kinds(rules)), at)
        self.without = dict(setting.without)
        self._waivers: dict[str, tuple[Waiver, ...]] = {}
        for one in setting.waivers:
            if one.signed_by:
                self._waivers[one.rule] = (*self._waivers.get(one.rule, ()), one)
        self._specs = {one.id: one for one in (UTC_CALENDAR, *setting.calendars)}
        self._reckonings: dict[str, Reckoning] = {}

    def reckoning(self, rule: Rule) -> Reckoning:
        """Give what counts in a rule's calendar."""
        found = self._reckonings.get(rule.calendar)
        if found is None:
            if rule.calendar not in self._specs:
                message = f"the calendar {rule.calendar!r} of the rule {rule.id!r} is not known"
                raise ObligationError(Problem("OBL002", message, None, f"known: {', '.join(self._specs)}"))
            found = self._reckonings[rule.calendar] = Reckoning(self._specs[rule.calendar])
        return found

    def work(self, rule: Rule) -> Work:
        """Give all that counts for the duties of a rule."""
        days = self.reckoning(rule)
        soon_day, soon_at = days.counted(self.at, rule.soon)
        done = self.history.past_of((f"done:{rule.id}", *rule.done_by))
        ends = self.history.past_of(rule.ends_on)
        waivers = self._waivers.get(rule.id, ())
        return Work(rule, days, self.at, days.day(self.at), done, ends, soon_day, soon_at, waivers)


def _kinds(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        yield from rule.done_by
        yield from (*rule.ends_on, *rule.expects_start_after)
        yield f"done:{rule.id}"
        yield f"{reasons.IN_FORCE}:{rule.id}"
        for clock in rule.clocks or ():
            yield from (kind for kind in (clock.on, clock.since, clock.replaced_by) if kind is not None)


def _duties(rule: Rule, run: _Run) -> Iterable[Duty]:
    work = run.work(rule)
    lacking = frozenset(rule.only_if) - run.facts
    why = _set_aside(rule, run)
    if why is None and lacking and rule.due is not None:
        why = reasons.missing(lacking)
    if why is not None:
        return [Duty(rule, None, "not_applicable", why)]
    if rule.due is not None:
        return fixed(work, rule.due)
    starts = starts_of(Reading(rule, run.history, work.days, run.facts))
    own = [fact for fact in lacking if "." not in fact]
    if own and not starts.begun:
        return [Duty(rule, None, "not_applicable", reasons.missing(own))]
    return [*_running(work, starts.begun), *_standing(work, starts)]


def _set_aside(rule: Rule, run: _Run) -> str | None:
    """Say why a rule as a whole does not apply."""
    if rule.id in run.without:
        return run.without[rule.id]
    barred = run.facts.intersection(rule.not_if)
    return reasons.excluded(barred) if barred else None


# --- what does not run -----------------------------------------------------------------------------


def _standing(work: Work, starts: Starts) -> Iterator[Duty]:
    """Give what does not run: not applicable to a subject, unclear, or not started."""
    rule = work.rule
    by_subject = rule.per == "subject"
    unclear: dict[str | None, str] = {}
    for subject, why in starts.unknown.items():
        unclear.setdefault(subject if by_subject else None, why)
    for subject, event in starts.awaited.items():
        unclear.setdefault(subject if by_subject else None, _unstarted(work, event))
    yield from (Duty(rule, subject, "unclear", why) for subject, why in unclear.items())
    running = {one.event.subject for one in starts.begun}
    refused = {one: why for one, why in starts.refused.items() if by_subject and one is not None and one not in running}
    yield from (Duty(rule, subject, "not_applicable", why) for subject, why in refused.items())
    if not starts.begun and not unclear and not refused:
        yield _waiting(work, starts)


def _unstarted(work: Work, event: Event) -> str:
    """Say that a rule ought to run about a subject, and what is on record about it."""
    why = f"{reasons.unclear(work.rule)}; {event.kind} of {event.at} is"
    done = work.done.about(event.subject).events if event.subject is not None else []
    return why + (f"; whether {done[0].kind} of {done[0].at} was in time cannot be told" if done else "")


def _waiting(work: Work, starts: Starts) -> Duty:
    rule = work.rule
    if rule.in_force_from is not None and work.today < rule.in_force_from:
        return Duty(rule, None, "not_started", f"in force from {rule.in_force_from}{_first_date(work)}")
    if rule.in_force_until is not None and work.today >= rule.in_force_until:
        return Duty(rule, None, "not_applicable", f"no longer in force since {rule.in_force_until}")
    if rule.expects_start and starts.short is None:
        return Duty(rule, None, "unclear", reasons.unclear(rule))
    reason = reasons.waits(rule)
    if starts.short is not None:
        reason += f"; {starts.short}"
    if starts.early is not None:
        reason += f"; {starts.early} lies before {rule.in_force_from}, when it came into force"
    return Duty(rule, None, "not_started", reason)


def _first_date(work: Work) -> str:
    """Say when something is due first that begins by itself when its rule comes into force."""
    first = work.rule.in_force_from
    assert first is not None
    for clock in work.rule.clocks or ():
        if clock.on == reasons.IN_FORCE:
            event = Event.model_construct(kind=reasons.IN_FORCE, at=first)
            return f"; first due on {date_of(work, Begun(clock, event, first)).on}"
    return ""


# --- what runs -------------------------------------------------------------------------------------


def _running(work: Work, begun: list[Begun]) -> Iterable[Duty]:
    """Give the duties of the clocks that run."""
    rule = work.rule
    if rule.every is None and rule.restart == "each" and rule.when == "any":
        own = rule.per == "subject"
        return [_once(work, one.event.subject if own else None, [one]) for one in begun]
    how: Callable[[Work, str | None, list[Begun]], Iterable[Duty]] = _together
    if rule.every is not None:
        how = recurring
    elif len(rule.clocks or ()) == 1 and rule.restart in ("latest", "once_met"):
        how = _sequence
    return [duty for subject, some in _by_subject(work, begun) for duty in how(work, subject, some)]


def _by_subject(work: Work, begun: list[Begun]) -> Iterable[tuple[str | None, list[Begun]]]:
    found: dict[str | None, list[Begun]] = {}
    own = work.rule.per == "subject"
    for one in begun:
        found.setdefault(one.event.subject if own else None, []).append(one)
    return found.items()


def _once(work: Work, subject: str | None, bound: list[Begun]) -> Duty:
    """Give the one duty of clocks of which the earliest, or the latest, binds."""
    one = bound[0]
    due = date_of(work, one)
    if len(bound) > 1:
        dates = [(date_of(work, other), other) for other in bound]
        pick = min if work.rule.binds == "earliest" else max
        due, one = pick(dates, key=lambda pair: pair[0].moment)
        started = tuple(other.event for other in bound)
        due = due._replace(started=started, how=f"{due.how}, the {work.rule.binds} of {len(dates)} dates")
    is_early = work.rule.may_be_early or one.clock.before is not None
    is_early = is_early or (len(bound) > 1 and any(other.clock.before is not None for other in bound))
    since = None if is_early else _counted_from(work, bound, one)
    return duty_of(work, subject, due, met_by(work, work.done.about(subject), since))


def _counted_from(work: Work, bound: list[Begun], one: Begun) -> Begun:
    """Give what a deed has to follow to meet a duty: the first or, where all are needed, the last of its events."""
    if work.rule.anchor != "event":
        return one._replace(at=period_end(work.days.day(one.at), work.rule.anchor))
    if len(bound) == 1:
        return one
    return (max if work.rule.when == "all" else min)(bound, key=lambda other: written(other.event))


def _together(work: Work, subject: str | None, begun: list[Begun]) -> Iterator[Duty]:
    """Give the one duty of several clocks about a subject: the first, or the latest, event of each counts."""
    by_clock: dict[int, Begun] = {}
    for one in begun:
        if id(one.clock) not in by_clock or work.rule.restart == "latest":
            by_clock[id(one.clock)] = one
    absent = [clock.on for clock in work.rule.clocks or () if id(clock) not in by_clock]
    if work.rule.when == "all" and absent:
        there = reasons.listed(one.event.kind for one in by_clock.values())
        yield Duty(work.rule, subject, "not_started", f"waits for {reasons.listed(absent)}; on record: {there}")
    else:
        yield _once(work, subject, list(by_clock.values()))


def _sequence(work: Work, subject: str | None, begun: list[Begun]) -> Iterator[Duty]:
    """Give the duties of events about a subject of which one takes the place of another."""
    is_replaced = work.rule.restart == "latest"
    duty: Duty | None = None
    for number, one in enumerate(begun):
        if not is_replaced and duty is not None:
            if duty.done is None:
                return
            if is_before(work, one.event.at, duty.done.at):
                continue
        duty = _once(work, subject, [one])
        following = begun[number + 1] if number + 1 < len(begun) else None
        is_open = duty.done is None and duty.due_on is not None
        if is_replaced and is_open and following and work.days.day(following.at) <= (duty.due_on or date.min):
            continue
        yield duty
