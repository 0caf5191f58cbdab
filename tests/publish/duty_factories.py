# SPDX-License-Identifier: Apache-2.0
"""Rules, events and duties as small as a test can name them."""

from datetime import date
from typing import Any

from tidegate.obligations.model import Clock, Duty, Event, Rule, Waiver

AT = "2026-06-01T12:00:00Z"


def a_rule(name: str = "own.drill", **changes: Any) -> Rule:
    given = {"title": "Readiness drill", "clocks": (Clock(on="drill.held", within="6 months"),), **changes}
    return Rule(id=name, **given)


def an_event(kind: str = "drill.held", at: Any = date(2025, 12, 5), **changes: Any) -> Event:
    return Event(kind=kind, at=at, **{"source": "entry 41", **changes})


def a_duty(state: Any = "due", due_on: date | None = date(2026, 6, 13), **changes: Any) -> Duty:
    rule = changes.pop("rule", None) or a_rule()
    left = None if due_on is None else (due_on - date(2026, 6, 1)).days
    given: dict[str, Any] = {
        "subject": None,
        "reason": "6 months from drill.held on 2025-12-05",
        "due_on": due_on,
        "due_at": f"{due_on.isoformat()}T23:59:59Z" if due_on else None,
        "started": (an_event(),),
        "days_left": left,
    }
    return Duty(rule, **{**given, **changes}, state=state)


def a_waiver(**changes: Any) -> Waiver:
    given: dict[str, Any] = {"rule": "own.drill", "until": date(2026, 9, 1), "reason": "Ill.", "signed_by": ("ceo",)}
    return Waiver(**{**given, **changes})
