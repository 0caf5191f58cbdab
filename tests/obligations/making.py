# SPDX-License-Identifier: Apache-2.0
"""Factories of events and rules for the tests of obligations."""

from typing import Any

from tidegate.obligations.engine import due
from tidegate.obligations.model import Duty, Event, ObligationFile, Rule, Setting, Waiver
from tidegate.obligations.rules import merged, shipped_calendars


def event(kind: str, at: str, subject: str | None = None, *facts: str, **more: Any) -> Event:
    return Event.model_validate({"kind": kind, "at": at, "subject": subject, "facts": facts, **more})


def rule(clocks: Any = None, **fields: Any) -> Rule:
    """Give a rule; a string such as ``start +15 days`` is its one clock."""
    if isinstance(clocks, str):
        on, _, length = clocks.partition(" +")
        clocks = [{"on": on, "within": length or None}]
    return Rule.model_validate({"id": "r", "title": "R", "clocks": clocks, **fields})


def waiver(**fields: Any) -> Waiver:
    given = {"rule": "r", "until": "2026-12-31", "reason": "it cannot be done", "signed_by": ["ada"], **fields}
    return Waiver.model_validate(given)


def duties(rules: Any, events: Any, at: str, **setting: Any) -> list[Duty]:
    rules = [rules] if isinstance(rules, Rule) else rules
    moment = at if "T" in at else f"{at}T12:00:00Z"
    return list(due(events, rules, moment, Setting(calendars=shipped_calendars(), **setting)))


def only(rules: Any, events: Any, at: str, **setting: Any) -> Duty:
    """Give the one duty that there is."""
    (found,) = duties(rules, events, at, **setting)
    return found


def shipped(rule_id: str, events: Any, at: str, *facts: str) -> list[Duty]:
    """Give the duties of a shipped rule for an organisation of which some facts are so."""
    rules, setting = merged(ObligationFile(schema_="tidegate/obligations/v1", facts=facts))
    moment = at if "T" in at else f"{at}T12:00:00Z"
    found = [one for one in due(events, rules, moment, setting) if one.rule.id == rule_id]
    return sorted(found, key=lambda one: (one.due_at or "", one.subject or ""))


def shown(found: list[Duty]) -> list[tuple[str, str | None]]:
    return [(one.state, one.due_on.isoformat() if one.due_on else None) for one in found]
