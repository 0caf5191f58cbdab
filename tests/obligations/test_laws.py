# SPDX-License-Identifier: Apache-2.0
"""What holds whatever happened and whatever the rules are."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from obligations.making import waiver
from tidegate.obligations.engine import due
from tidegate.obligations.history import written
from tidegate.obligations.model import STATES, Duty, Event, Rule, Setting, Waiver
from tidegate.obligations.rules import shipped_calendars

CALENDARS = shipped_calendars()
FIRST = date(2026, 1, 1)
KINDS = ("a", "b", "c", "done:r0", "done:r1")
LENGTHS = ("0 days", "1 day", "15 days", "24 hours", "72 hours", "5 business days", "4 weeks", "1 month", "3 months")


@st.composite
def events(draw: Any, kinds: tuple[str, ...] = KINDS) -> Event:
    day = FIRST + timedelta(days=draw(st.integers(0, 400)))
    hour = draw(st.one_of(st.none(), st.integers(0, 23)))
    return Event(
        kind=draw(st.sampled_from(kinds)),
        at=day if hour is None else f"{day}T{hour:02}:30:00Z",
        subject=draw(st.sampled_from([None, "m", "n"])),
        facts=draw(st.frozensets(st.sampled_from(["x.one", "x.two"]))),
        amount=draw(st.sampled_from([None, 1.0, 4.0])),
        covers=draw(st.sampled_from([None, day, day - timedelta(days=20)])),
    )


@st.composite
def clocks(draw: Any, lengths: tuple[str, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {"on": draw(st.sampled_from(KINDS[:3])), "within": draw(st.sampled_from(lengths))}
    if draw(st.integers(0, 4)) == 0:
        made |= {"ratio": 4, "since": draw(st.sampled_from(KINDS[:3]))}
    if draw(st.integers(0, 4)) == 0:
        made["only_if"] = ["x.one"]
    return made


@st.composite
def rules(draw: Any, lengths: tuple[str, ...] = LENGTHS, *, recurs: bool = True) -> Rule:
    fields: dict[str, Any] = {
        "id": f"r{draw(st.integers(0, 1))}",
        "title": "R",
        "clocks": draw(st.lists(clocks(lengths), min_size=1, max_size=2)),
        "when": draw(st.sampled_from(["any", "all"])),
        "binds": draw(st.sampled_from(["earliest", "latest"])),
        "restart": draw(st.sampled_from(["each", "first", "latest", "once_met"] if recurs else ["each", "first"])),
        "per": draw(st.sampled_from(["subject", "organisation"])),
        "calendar": draw(st.sampled_from(["utc", "us-ca", "eu"])),
        "done_by": draw(st.sampled_from([(), ("c",)])) if recurs else (),
        "expects_start": draw(st.booleans()),
        "may_be_early": draw(st.booleans()),
        "not_if": draw(st.sampled_from([(), ("x.two",)])),
    }
    if recurs and draw(st.booleans()):
        fields |= {"every": draw(st.sampled_from(["1 week", "1 month", "3 months"])), "again": draw(st.sampled_from(["due", "done"]))}  # fmt: skip
        fields["ends_on"] = draw(st.sampled_from([(), ("b",)]))
        if fields["every"] != "1 week":
            fields["anchor"] = draw(st.sampled_from(["event", "quarter", "month"]))
    if recurs and draw(st.booleans()):
        fields["in_force_from"] = date(2026, 3, 1)
    return Rule.model_validate(fields)


MOMENTS = st.integers(0, 450).map(lambda days: f"{FIRST + timedelta(days=days)}T12:00:00Z")
MANY = st.lists(events(), max_size=8)
SETTING = Setting(calendars=CALENDARS)


@settings(max_examples=80, deadline=None)
@given(MANY, st.lists(rules(), max_size=3), MOMENTS, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(happened, chosen, at, shuffle):
    mixed = list(happened)
    shuffle.shuffle(mixed)
    assert due(mixed, chosen, at, SETTING) == due(happened, chosen, at, SETTING)


@settings(max_examples=80, deadline=None)
@given(MANY, st.lists(rules(), max_size=3), MOMENTS)
def test_nothing_later_than_the_moment_is_used(happened, chosen, at):
    known = [one for one in happened if written(one) <= at]
    assert due(happened, chosen, at, SETTING) == due(known, chosen, at, SETTING)


def kinder(before: Duty, after: Duty) -> bool:
    """Tell whether a duty stands no worse than before."""
    if before.done is not None and before.state != "unclear":
        return after.done is not None and (after.days_left or 0) >= (before.days_left or 0)
    return STATES.index(after.state) >= STATES.index(before.state)


@settings(max_examples=100, deadline=None)
@given(
    MANY,
    rules(("15 days", "5 business days", "1 month", "0 days"), recurs=False),
    MOMENTS,
    events(("done:r0", "done:r1")),
)
def test_something_done_makes_nothing_later(happened, one, at, done):
    before = {(duty.subject, duty.due_on, duty.started): duty for duty in due(happened, [one], at, SETTING)}
    after = {(duty.subject, duty.due_on, duty.started): duty for duty in due([*happened, done], [one], at, SETTING)}
    assert before.keys() == after.keys()
    assert all(kinder(before[key], after[key]) for key in before)


@settings(max_examples=60, deadline=None)
@given(MANY, st.lists(rules(), max_size=3), MOMENTS, st.integers(0, 500))
def test_a_waiver_without_signature_changes_nothing(happened, chosen, at, days):
    until = FIRST + timedelta(days=days)
    plain = due(happened, chosen, at, SETTING)
    unsigned: tuple[Waiver, ...] = tuple(waiver(rule=name, until=until, signed_by=[]) for name in ("r0", "r1"))
    assert due(happened, chosen, at, Setting(calendars=CALENDARS, waivers=unsigned)) == plain
    signed = tuple(waiver(rule=name, until=until) for name in ("r0", "r1"))
    relieved = due(happened, chosen, at, Setting(calendars=CALENDARS, waivers=signed))
    changed = {one.id for one in relieved if one.state == "waived"}
    assert sorted(one.id for one in relieved) == sorted(one.id for one in plain)
    assert all(one.state in ("late", "due", "due_soon") for one in plain if one.id in changed)
    kept = sorted((one.id, one.state) for one in relieved if one.id not in changed)
    assert kept == sorted((one.id, one.state) for one in plain if one.id not in changed)


@settings(max_examples=80, deadline=None)
@given(MANY, st.lists(rules(), max_size=3), MOMENTS)
def test_every_duty_says_why_and_agrees_with_itself(happened, chosen, at):
    found = due(happened, chosen, at, SETTING)
    assert {one.rule.id for one in found} == {one.id for one in chosen}
    for one in found:
        assert one.reason
        assert (one.due_on is None) == (one.due_at is None)
        if one.state == "late":
            assert one.done is None
            assert one.due_at < at
        if one.state in ("due", "due_soon"):
            assert one.due_at >= at
            assert one.days_left >= 0
        if one.state == "met_late":
            assert one.days_left <= 0
        assert one.state not in ("met", "met_late") or one.done is not None
    ranks = [STATES.index(one.state) for one in found]
    assert ranks == sorted(ranks)
