# SPDX-License-Identifier: Apache-2.0
"""Rules of a project put together with those that ship: contradictions and unknown names, all at once."""

from typing import Any

import pytest

from obligations.making import rule
from tidegate.kernel.documents import parse_document, validate_part
from tidegate.kernel.errors import ObligationError
from tidegate.obligations.model import ObligationFile
from tidegate.obligations.rules import merged, shipped_calendars, shipped_rules


def file(**fields: Any) -> ObligationFile:
    return ObligationFile.model_validate({"schema": "tidegate/obligations/v1", **fields})


def problems(**fields: Any) -> list[tuple[str, str, str | None]]:
    with pytest.raises(ObligationError) as caught:
        merged(file(**fields))
    return [(one.code, one.message, one.hint) for one in caught.value.problems]


def test_everything_is_put_together():
    own, of_policy = rule("start +1 day", id="own"), rule("start +2 days", id="policy/x")
    given = file(
        facts=["large_frontier_developer", "gpai_systemic_risk"], rules=[own], without={"eu.access-check": "no weights"},
        calendars=[{"id": "eu", "timezone": "Europe/Berlin"}, {"id": "ours"}],
    )  # fmt: skip
    rules, setting = merged(given, [of_policy])
    assert [one.id for one in rules] == [*(one.id for one in shipped_rules()), "policy/x", "own"]
    assert setting.facts == {"large_frontier_developer", "frontier_developer", "gpai_systemic_risk"}
    assert setting.without == (("eu.access-check", "no weights"),)
    zones = {one.id: one.timezone for one in setting.calendars}
    assert (zones["eu"], zones["ours"], zones["us-ca"]) == ("Europe/Berlin", "UTC", "America/Los_Angeles")
    assert len(zones) == len(shipped_calendars()) + 1
    assert setting.waivers == ()


@pytest.mark.parametrize(
    ("fields", "code", "message", "hint"),
    [
        ({"rules": [rule("a +1 day", id="sb53.incident")]}, "OBL001", "two rules have the id 'sb53.incident'", "another id"),
        ({"rules": [rule("a +1 day"), rule("b +1 day")]}, "OBL001", "two rules have the id 'r'", "another id"),
        ({"calendars": [{"id": "x"}, {"id": "x"}]}, "OBL001", "the calendar 'x' occurs twice", "keep one"),
        ({"rules": [rule("a +1 day", in_force_from="2026-01-02", in_force_until="2026-01-02")]}, "OBL001", "out of force before", "dates"),
        ({"rules": [rule("a +1 day", only_if=["x"], not_if=["x"])]}, "OBL001", "asks for x and excludes it", "keep one"),
        ({"rules": [rule([{"on": "a", "within": "1 day", "only_if": ["x"]}], not_if=["x"])]}, "OBL001", "asks for x", "keep one"),
        ({"rules": [rule("a +1 day", ends_on=["b"])]}, "OBL001", "ends on an event and does not recur", "every"),
        ({"rules": [rule("a", every="0 days")]}, "OBL001", "without an interval", "within"),
        ({"rules": [rule([{"on": "a", "before": "1 day"}], every="1 day")]}, "OBL001", "before something planned", "within"),
        ({"rules": [rule([{"on": "a", "before": "1 day"}], anchor="year")]}, "OBL001", "fixed or planned day", "anchor"),
        ({"rules": [rule(None, due="2026-01-01", anchor="year")]}, "OBL001", "fixed or planned day", "anchor"),
        ({"rules": [rule("a", every="2 weeks", anchor="quarter")]}, "OBL001", "by the calendar in days", "months"),
        ({"rules": [rule("in_force", every="1 year")]}, "OBL001", "says no day", "in_force_from"),
        ({"rules": [rule("a +1 day", calendar="us-cal")]}, "OBL002", "'us-cal', which is not known", "did you mean 'us-ca'?"),
        ({"calendars": [{"id": "x", "timezone": "Europe/Brussel"}]}, "OBL002", "time zone 'Europe/Brussel'", "America/New_York"),
        ({"calendars": [{"id": "x", "computed": "US-CAL"}]}, "OBL002", "no holidays can be computed for 'US-CAL'", "did you mean 'US-CA'?"),
        ({"without": {"sb53.incidents": "x"}}, "OBL002", "no rule 'sb53.incidents' to set aside", "did you mean 'sb53.incident'?"),
        ({"facts": ["frontier_develper"]}, "OBL002", "no rule asks for the fact 'frontier_develper'", "did you mean 'frontier_developer'?"),
        ({"facts": ["zzzzz"]}, "OBL002", "'zzzzz'", "known: "),
    ],
)  # fmt: skip
def test_what_contradicts_itself_or_is_not_known_is_refused(fields, code, message, hint):
    ((found_code, found_message, found_hint),) = problems(**fields)
    assert found_code == code
    assert message in found_message
    assert hint in (found_hint or "")


def test_all_problems_are_told_at_once_with_their_places():
    text = (
        "schema: tidegate/obligations/v1\n"
        "facts: [large_frontier_developer, gpai]\n"
        "rules:\n"
        "  - {id: own, title: Own, clocks: [{on: a, within: 1 day}], calendar: mars}\n"
        "without:\n"
        "  sb54.incident: not ours\n"
    )
    document = parse_document(text, "obligations.yaml")
    with pytest.raises(ObligationError) as caught:
        merged(validate_part(document, ObligationFile), document=document)
    assert [(one.code, str(one.where)) for one in caught.value.problems] == [
        ("OBL002", "obligations.yaml:4:5"), ("OBL002", "obligations.yaml:6:3"), ("OBL002", "obligations.yaml:2:35"),
    ]  # fmt: skip


def test_facts_of_own_rules_and_events_are_known():
    rules, setting = merged(file(facts=["ours"], rules=[rule("a +1 day", only_if=["ours"])]))
    assert setting.facts == {"ours"}
    assert rules[-1].id == "r"
