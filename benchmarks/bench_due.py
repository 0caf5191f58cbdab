# SPDX-License-Identifier: Apache-2.0
"""What is due over 10,000 events and 500 rules: hours, days, business days and months in five calendars.

A tenth of the rules recur, a fifth count hours, a tenth business days of the EU; each kind of event has its share of the
events, about 300 models. The peer applies every rule to every event in turn, with no index and no memory, by the same
calendar functions; it is timed on fewer rules, and both are compared on those.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tidegate.obligations.calendars import after, before
from tidegate.obligations.engine import due
from tidegate.obligations.model import CalendarSpec, Duty, Event, Rule, Setting
from tidegate.obligations.rules import shipped_calendars

AT = "2026-11-21T12:00:00Z"
EVENTS, RULES, KINDS, SUBJECTS, PEER_RULES = 10_000, 500, 120, 300, 20
TARGET_SECONDS = 0.5
CALENDARS = ("utc", "us-ca", "us-ny", "us-il", "eu")
LENGTHS = ("15 days", "72 hours", "5 business days", "4 weeks", "6 months", "1 year", "30 days", "24 hours", "10 days", "3 months")  # fmt: skip


def some_events() -> tuple[Event, ...]:
    first = date(2025, 1, 1)
    made = []
    for number in range(EVENTS):
        day = first + timedelta(days=number * 7 % 690)
        at = day.isoformat() if number % 3 == 0 else f"{day.isoformat()}T{number % 24:02}:{number % 60:02}:00Z"
        kind = f"kind{number % KINDS}" if number % 4 else f"done:rule{number % RULES}"
        made.append(Event.model_validate({"kind": kind, "at": at, "subject": f"m{number * 13 % SUBJECTS}"}))
    return tuple(made)


def some_rules(count: int) -> tuple[Rule, ...]:
    made = []
    for number in range(count):
        length = LENGTHS[number % len(LENGTHS)]
        calendar = "eu" if "business" in length else CALENDARS[number % 4]
        fields: dict[str, Any] = {"id": f"rule{number}", "title": "Rule", "calendar": calendar}
        fields["clocks"] = [{"on": f"kind{number % KINDS}", "within": length}]
        fields["done_by"] = [f"kind{(number + 1) % KINDS}"] if number % 2 else []
        if number % 10 == 5:
            fields |= {"every": length, "again": "due" if number % 20 == 5 else "done"}
        made.append(Rule.model_validate(fields))
    return tuple(made)


def naive(
    events: tuple[Event, ...], rules: tuple[Rule, ...], calendars: dict[str, CalendarSpec]
) -> list[tuple[str, date]]:
    """Give rule and date of each duty that does not recur, looking at every event for every rule."""
    found = []
    for rule in rules:
        for clock in rule.clocks or ():
            for event in events:
                if event.kind == clock.on and str(event.at) <= AT:
                    length, count = (clock.within, after) if clock.within else (clock.before, before)
                    on, _ = count(event.at, str(length), calendars[rule.calendar])
                    met = [one for one in events if one.kind in (f"done:{rule.id}", *rule.done_by)
                           and one.subject == event.subject and str(one.at) >= str(event.at)]  # fmt: skip
                    min((str(one.at) for one in met), default=None)
                    found.append((rule.id, on))
    return sorted(found)


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    events, rules = some_events(), some_rules(RULES)
    setting = Setting(calendars=shipped_calendars())
    calendars = {one.id: one for one in setting.calendars}
    first = seconds(lambda: due(events, rules, AT, setting))
    made: list[tuple[Duty, ...]] = []
    spent = min(seconds(lambda: made.append(due(events, rules, AT, setting))) for _ in range(5))
    few = tuple(rule for rule in rules if rule.every is None)[:PEER_RULES]
    quick = min(seconds(lambda: due(events, few, AT, setting)) for _ in range(3))
    listed: list[list[tuple[str, date]]] = []
    slow = seconds(lambda: listed.append(naive(events, few, calendars)))
    dated = sorted((one.rule.id, one.due_on) for one in due(events, few, AT, setting) if one.due_on)
    assert dated == listed[0], "the two do not agree"
    found = {"events": len(events), "rules": len(rules), "duties": len(made[0]), "seconds": round(spent, 3),
             "first_seconds": round(first, 3), "peer_rules": len(few), "seconds_on_those": round(quick, 4),
             "peer_seconds": round(slow, 2), "times_faster_than_peer": round(slow / quick), "target_seconds": TARGET_SECONDS}  # fmt: skip
    if arguments.json:
        print(json.dumps(found))
    else:
        print(f"due: {len(events):,} events, {len(rules)} rules, {len(made[0]):,} duties, CPU seconds")
        print(f"  {spent:.3f} s; the first time {first:.3f} s (target {TARGET_SECONDS} s)")
        print(
            f"  {len(few)} rules: {quick:.4f} s; every rule on every event, in turn: {slow:.2f} s ({slow / quick:.0f} times)"
        )
    return 0 if first < TARGET_SECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())
