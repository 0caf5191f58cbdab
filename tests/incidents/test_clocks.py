# SPDX-License-Identifier: Apache-2.0
"""Every clock of the four laws, scenario by scenario, with the dates written out by hand.

Hours are counted to the second. Days are counted in the zone of whoever receives the report, the day of the event not
counted, to the end of the last: 23:59:59 in California is 06:59:59 UTC of the next day in summer, 07:59:59 in winter;
in Brussels it is 21:59:59 and 22:59:59 UTC of the same day.
"""

from typing import Any

import pytest

from incidents.diary import Diary, an_incident
from tidegate.incidents.clocks import (
    IncidentClock,
    clocks,
    events_of,
    incident_rules,
    law_of,
    state_words,
    time_words,
)
from tidegate.incidents.model import Incident, Yes
from tidegate.incidents.notices import notice_templates
from tidegate.incidents.questions import class_file, questions
from tidegate.obligations.calendars import span
from tidegate.obligations.model import Rule, Setting
from tidegate.obligations.rules import shipped_calendars, shipped_rules

RULES = shipped_rules()
FACTS = (
    "frontier_developer",
    "large_frontier_developer",
    "gpai_systemic_risk",
    "operates_in_new_york",
    "operates_in_illinois",
)
ORGANISATION = Setting(facts=frozenset(FACTS), calendars=shipped_calendars())
DECEPTION = ("frontier_model", "deception", "deception_raises_risk")
WEIGHTS = ("frontier_model", "weights_taken", "injury")
CONTROL = ("frontier_model", "loss_of_control", "death")
CATASTROPHE = ("frontier_model", "mass_scale", "catastrophic_way", "harm")


def answered(*yes: str, unknown: tuple[str, ...] = ()) -> dict[str, Yes]:
    """Give answers to every question: yes, unknown, and no to the rest."""
    return {one.id: "yes" if one.id in yes else "unknown" if one.id in unknown else "no" for one in questions()}


def shown(incident: Incident, at: str, setting: Setting = ORGANISATION) -> dict[str, IncidentClock]:
    return {one.rule.id: one for one in clocks(incident, RULES, at, setting)}


def running(incident: Incident, at: str, setting: Setting = ORGANISATION) -> dict[str, tuple[str, str]]:
    """Give state and last moment of every clock that has one."""
    found = shown(incident, at, setting)
    return {name: (one.state, one.due_at) for name, one in found.items() if one.due_at is not None}


# --- scenarios: one per class and law ----------------------------------------------------------------

SCENARIOS: dict[str, tuple[tuple[str, ...], dict[str, str], str, dict[str, tuple[str, str]]]] = {
    # (what is answered with yes, times, as of, every clock that has a date)
    "SB 53, deception, nobody hurt": (
        DECEPTION,
        {"occurred": "2026-03-01T10:00:00Z", "discovered": "2026-03-02T18:00:00Z"},
        "2026-03-10T00:00:00Z",
        # 2 March in California, and 15 days; summer time has begun by then.
        {"sb53.incident": ("due_soon", "2026-03-18T06:59:59Z")},
    ),
    "SB 53, discovered late in the evening": (
        DECEPTION,
        # 23:30 of 1 March in California, though 2 March in UTC.
        {"discovered": "2026-03-02T07:30:00Z"},
        "2026-03-17T06:59:59Z",
        {"sb53.incident": ("due_soon", "2026-03-17T06:59:59Z")},
    ),
    "SB 53, one second too late": (
        DECEPTION,
        {"discovered": "2026-03-02T07:30:00Z"},
        "2026-03-17T07:00:00Z",
        {"sb53.incident": ("late", "2026-03-17T06:59:59Z")},
    ),
    "SB 53, weights stolen and a person hurt; also a breach for the EU": (
        (*WEIGHTS, "model_involved"),
        {"discovered": "2026-11-20T20:00:00Z", "model_involvement_known": "2026-11-21T09:00:00Z"},
        "2026-11-21T10:00:00Z",
        {
            # 5 December, winter time in California; five days after 21 November in Brussels.
            "sb53.incident": ("due_soon", "2026-12-06T07:59:59Z"),
            "eu.incident.cybersecurity": ("due_soon", "2026-11-26T22:59:59Z"),
        },
    ),
    "SB 53, loss of control and a death": (
        CONTROL,
        {"discovered": "2026-06-01T16:00:00Z"},
        "2026-06-02T00:00:00Z",
        {"sb53.incident": ("due_soon", "2026-06-17T06:59:59Z")},
    ),
    "SB 53, catastrophic risk come true": (
        CATASTROPHE,
        {"discovered": "2026-06-01T16:00:00Z"},
        "2026-06-02T00:00:00Z",
        {"sb53.incident": ("due_soon", "2026-06-17T06:59:59Z")},
    ),
    "SB 53, imminent danger at discovery": (
        ("frontier_model", "imminent_danger"),
        {"discovered": "2026-03-02T18:00:00Z"},
        "2026-03-03T17:00:00Z",
        {"sb53.imminent-danger": ("due_soon", "2026-03-03T18:00:00Z")},
    ),
    "SB 53, danger found three days after discovery": (
        ("frontier_model",),
        {"discovered": "2026-03-02T18:00:00Z", "imminent_risk_found": "2026-03-05T08:15:30Z"},
        "2026-03-06T08:15:31Z",
        {"sb53.imminent-danger": ("late", "2026-03-06T08:15:30Z")},
    ),
    "RAISE and Illinois before they are in force": (
        WEIGHTS,
        {"discovered": "2026-12-30T15:00:00Z", "reasonable_belief": "2026-12-30T15:00:00Z"},
        "2027-01-02T00:00:00Z",
        # 30 December and 15 days in California.
        {"sb53.incident": ("due_soon", "2027-01-15T07:59:59Z")},
    ),
    "RAISE, reasonable belief before it was determined": (
        WEIGHTS,
        {
            "discovered": "2027-01-04T15:00:00Z",
            "reasonable_belief": "2027-01-04T16:30:00Z",
            "determined": "2027-01-06T09:00:00Z",
        },
        "2027-01-05T00:00:00Z",
        {
            "sb53.incident": ("due_soon", "2027-01-20T07:59:59Z"),
            "raise.incident": ("due_soon", "2027-01-07T16:30:00Z"),
            "il.incident": ("due_soon", "2027-01-07T16:30:00Z"),
        },
    ),
    "RAISE, determined without belief": (
        DECEPTION,
        {"discovered": "2027-01-04T15:00:00Z", "determined": "2027-01-05T09:00:00Z"},
        "2027-01-08T09:00:01Z",
        {
            "sb53.incident": ("due_soon", "2027-01-20T07:59:59Z"),
            "raise.incident": ("late", "2027-01-08T09:00:00Z"),
            "il.incident": ("late", "2027-01-08T09:00:00Z"),
        },
    ),
    "Illinois, sufficient reason to believe": (
        CONTROL,
        {"discovered": "2027-02-10T19:00:00Z", "reasonable_belief": "2027-02-10T20:00:00Z"},
        "2027-02-11T00:00:00Z",
        {
            # 10 February and 15 days: 25 February in California.
            "sb53.incident": ("due_soon", "2027-02-26T07:59:59Z"),
            "raise.incident": ("due_soon", "2027-02-13T20:00:00Z"),
            "il.incident": ("due_soon", "2027-02-13T20:00:00Z"),
        },
    ),
    "EU, infrastructure": (
        ("model_involved", "infrastructure"),
        {"discovered": "2026-03-01T10:00:00Z", "model_involvement_known": "2026-03-02T10:00:00Z"},
        "2026-03-03T00:00:00Z",
        {"eu.incident.infrastructure": ("due_soon", "2026-03-04T22:59:59Z")},
    ),
    "EU, cybersecurity": (
        ("model_involved", "security_breach"),
        {"discovered": "2026-03-01T10:00:00Z", "model_involvement_known": "2026-03-02T10:00:00Z"},
        "2026-03-03T00:00:00Z",
        {"eu.incident.cybersecurity": ("due_soon", "2026-03-07T22:59:59Z")},
    ),
    "EU, death": (
        ("model_involved", "death"),
        {"discovered": "2026-03-01T10:00:00Z", "model_involvement_known": "2026-03-02T10:00:00Z"},
        "2026-03-03T00:00:00Z",
        {"eu.incident.death": ("due_soon", "2026-03-12T22:59:59Z")},
    ),
    "EU, other serious harm": (
        ("model_involved", "rights"),
        # Half past eleven at night in UTC on the 20th is the 21st in Brussels; 15 days lead into summer time.
        {"discovered": "2026-03-01T10:00:00Z", "model_involvement_known": "2026-03-20T23:30:00Z"},
        "2026-03-21T00:00:00Z",
        {"eu.incident.harm": ("due_soon", "2026-04-05T21:59:59Z")},
    ),
    "EU, several kinds: the shortest runs alone": (
        ("model_involved", "infrastructure", "death", "property"),
        {"discovered": "2026-03-01T10:00:00Z", "model_involvement_known": "2026-03-02T10:00:00Z"},
        "2026-03-05T12:00:00Z",
        {"eu.incident.infrastructure": ("late", "2026-03-04T22:59:59Z")},
    ),
    "several laws at once, a person in danger": (
        (*WEIGHTS, "model_involved", "imminent_danger"),
        {
            "occurred": "2027-05-02T02:00:00Z",
            "detected": "2027-05-03T08:00:00Z",
            "discovered": "2027-05-03T09:00:00Z",
            "reasonable_belief": "2027-05-03T09:30:00Z",
            "model_involvement_known": "2027-05-03T11:00:00Z",
        },
        "2027-05-03T12:00:00Z",
        {
            "sb53.imminent-danger": ("due_soon", "2027-05-04T09:00:00Z"),
            "raise.imminent-danger": ("due_soon", "2027-05-04T09:00:00Z"),
            "il.imminent-danger": ("due_soon", "2027-05-04T09:00:00Z"),
            "raise.incident": ("due_soon", "2027-05-06T09:30:00Z"),
            "il.incident": ("due_soon", "2027-05-06T09:30:00Z"),
            "eu.incident.cybersecurity": ("due_soon", "2027-05-08T21:59:59Z"),
            "sb53.incident": ("due_soon", "2027-05-19T06:59:59Z"),
        },
    ),
    "nothing of what the laws name": (
        ("internal_use", "could_harm"),
        {"discovered": "2027-05-03T09:00:00Z", "reasonable_belief": "2027-05-03T09:30:00Z"},
        "2027-05-04T12:00:00Z",
        {},
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    yes, times, at, expected = SCENARIOS[name]
    incident = an_incident(times=times, answers=answered(*yes))
    assert running(incident, at) == expected
    assert not any(one.is_possible for one in shown(incident, at).values() if one.due_at)


def a_diary(*yes: str, **times: str) -> Diary:
    diary = Diary()
    diary.opened("2026-03-03T00:00:00Z", times=times, answers=answered(*yes))
    return diary


EU = {"discovered": "2026-03-01T10:00:00Z", "model_involvement_known": "2026-03-02T10:00:00Z"}


def test_eu_reports_every_four_weeks_until_resolved_and_the_final_one_after_60_days() -> None:
    diary = a_diary("model_involved", "infrastructure", **EU)
    assert "eu.incident.unresolved" not in running(diary.incident(), "2026-03-03T00:00:00Z")
    diary.noticed("2026-03-04T09:00:00Z", "eu.incident.infrastructure")
    # 4 March and four weeks: 1 April, summer time.
    assert running(diary.incident(), "2026-03-10T00:00:00Z") == {
        "eu.incident.infrastructure": ("met", "2026-03-04T22:59:59Z"),
        "eu.incident.unresolved": ("due_soon", "2026-04-01T21:59:59Z"),
    }
    assert running(diary.incident(), "2026-04-02T00:00:00Z")["eu.incident.unresolved"][0] == "late"
    diary.noticed("2026-03-30T09:00:00Z", "eu.incident.unresolved", kind="interim")
    # 30 March and four weeks: 27 April.
    assert running(diary.incident(), "2026-04-02T00:00:00Z")["eu.incident.unresolved"] == (
        "due_soon",
        "2026-04-27T21:59:59Z",
    )
    diary.updated("2026-04-10T12:00:00Z", times={"resolved": "2026-04-10T08:00:00Z"})
    # 10 April and 60 days: 9 June.
    found = running(diary.incident(), "2026-04-11T00:00:00Z")
    assert found["eu.incident.final"] == ("due", "2026-06-09T21:59:59Z")
    assert found.get("eu.incident.unresolved", ("met", ""))[0] == "met"
    diary.noticed("2026-06-01T12:00:00Z", "eu.incident.final", kind="final")
    assert running(diary.incident(), "2026-06-02T00:00:00Z")["eu.incident.final"][0] == "met"


def test_a_notice_that_came_too_late_is_met_late() -> None:
    diary = a_diary("model_involved", "infrastructure", **EU)
    diary.noticed("2026-03-05T09:00:00Z", "eu.incident.infrastructure")
    assert running(diary.incident(), "2026-03-10T00:00:00Z")["eu.incident.infrastructure"][0] == "met_late"


def test_a_correction_of_a_time_recomputes_the_clock_and_keeps_the_history() -> None:
    diary = a_diary(*DECEPTION, discovered="2026-03-02T18:00:00Z")
    assert running(diary.incident(), "2026-03-10T00:00:00Z")["sb53.incident"] == ("due_soon", "2026-03-18T06:59:59Z")
    diary.updated("2026-03-11T00:00:00Z", times={"discovered": "2026-02-20T18:00:00Z"}, reason="an older mail")
    # 20 February and 15 days: 7 March, winter time still.
    assert running(diary.incident(), "2026-03-11T00:00:00Z")["sb53.incident"] == ("late", "2026-03-08T07:59:59Z")
    assert [one.at for one in diary.incident().history] == ["2026-03-02T18:00:00Z", "2026-02-20T18:00:00Z"]


def test_one_report_stands_for_all_kinds_of_the_eu_code() -> None:
    diary = a_diary("model_involved", "infrastructure", "death", **EU)
    diary.noticed("2026-03-04T09:00:00Z", "eu.incident.infrastructure")
    assert running(diary.incident(), "2026-03-20T00:00:00Z")["eu.incident.infrastructure"][0] == "met"
    diary.updated("2026-03-21T00:00:00Z", answers={"infrastructure": "no"}, reason="it was a drill")
    found = running(diary.incident(), "2026-03-21T00:00:00Z")
    assert found["eu.incident.death"] == ("met", "2026-03-12T22:59:59Z")
    assert "eu.incident.infrastructure" not in found


# --- what is not known yet ----------------------------------------------------------------------------


def test_an_unanswered_question_lets_the_clock_run_and_is_named() -> None:
    incident = an_incident(
        times={"discovered": "2026-03-02T18:00:00Z"},
        answers=answered(*DECEPTION, unknown=("deception_in_test",)),
    )
    clock = shown(incident, "2026-03-10T00:00:00Z")["sb53.incident"]
    assert (clock.state, clock.due_at) == ("due_soon", "2026-03-18T06:59:59Z")
    assert (clock.is_possible, clock.open_questions) == (True, ("deception_in_test",))
    assert clock.why.endswith("would run: answer deception_in_test")
    assert state_words(clock) == "would run, due soon"
    assert shown(incident, "2026-04-10T00:00:00Z")["sb53.incident"].state == "late"


def test_an_incident_about_which_nothing_was_said_may_be_everything() -> None:
    diary = Diary()
    diary.opened("2027-03-02T18:00:00Z")
    found = shown(diary.incident(), "2027-03-03T00:00:00Z")
    # Nobody said when it was discovered: at the latest when it was put on record.
    assert {name: one.due_at for name, one in found.items() if one.due_at} == {
        "sb53.imminent-danger": "2027-03-03T18:00:00Z",
        "raise.imminent-danger": "2027-03-03T18:00:00Z",
        "il.imminent-danger": "2027-03-03T18:00:00Z",
        "sb53.incident": "2027-03-18T06:59:59Z",
    }
    assert all(one.is_possible for one in found.values() if one.due_at)
    assert {name for name, one in found.items() if one.state == "unclear"} == {
        "raise.incident",
        "il.incident",
        "eu.incident.infrastructure",
        "eu.incident.cybersecurity",
        "eu.incident.death",
        "eu.incident.harm",
    }


def test_a_certain_kind_leaves_only_shorter_ones_open() -> None:
    incident = an_incident(times=EU, answers=answered("model_involved", "security_breach", unknown=("infrastructure",)))
    found = shown(incident, "2026-03-03T00:00:00Z")
    assert [(one.rule.id, one.is_possible) for one in found.values() if one.due_at] == [
        ("eu.incident.infrastructure", True),
        ("eu.incident.cybersecurity", False),
    ]
    longer = an_incident(times=EU, answers=answered("model_involved", "security_breach", unknown=("death", "health")))
    assert set(running(longer, "2026-03-03T00:00:00Z")) == {"eu.incident.cybersecurity"}


# --- why a clock does not run --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "yes", "times", "setting", "why"),
    [
        ("raise.incident", WEIGHTS, {"determined": "2026-12-31T12:00:00Z"}, {}, "not in force until 2027-01-01"),
        ("il.incident", WEIGHTS, {"reasonable_belief": "2026-12-31T12:00:00Z"}, {}, "not in force until 2027-01-01"),
        ("sb53.incident", (), {}, {}, "no class of it applies: `frontier_model` was answered no"),
        ("sb53.incident", ("frontier_model",), {}, {}, "`loss_of_control` was answered no"),
        ("eu.incident.death", ("model_involved",), {}, {}, "no class of it applies: `death` was answered no"),
        (
            "eu.incident.harm",
            ("model_involved", "death", "health"),
            EU,
            {},
            "the shorter clock runs: eu.incident.death",
        ),
        (
            "raise.incident",
            WEIGHTS,
            {},
            {"facts": frozenset(FACTS[:3])},
            "`operates_in_new_york` is so, which obligations.yaml",
        ),
        ("sb53.incident", DECEPTION, {}, {"facts": frozenset()}, "`frontier_developer` is so, which obligations.yaml"),
        ("sb53.incident", DECEPTION, {}, {"without": (("sb53.incident", "pre-empted"),)}, "by the project: pre-empted"),
        (
            "eu.incident.death",
            ("model_involved", "death"),
            {},
            {},
            "not recorded yet: `model_involvement_known` (it was",
        ),
        ("raise.incident", WEIGHTS, {}, {}, "not recorded yet: `determined` (it was determined to be one) or `reas"),
        ("eu.incident.final", ("model_involved", "death"), EU, {}, "not recorded yet: `resolved` (it was over"),
        ("eu.incident.unresolved", ("model_involved", "death"), EU, {}, "a first report that it is counted from"),
    ],
)
def test_a_clock_that_does_not_run_says_why(
    rule: str, yes: tuple[str, ...], times: dict[str, str], setting: dict[str, Any], why: str
) -> None:
    given = Setting(**{"facts": frozenset(FACTS), "calendars": ORGANISATION.calendars, **setting})
    told = {"discovered": "2026-02-01T00:00:00Z", **times}
    clock = shown(an_incident(times=told, answers=answered(*yes)), "2027-02-01T00:00:00Z", given)[rule]
    assert why in clock.why
    assert (clock.due_at, clock.left("2027-02-01T00:00:00Z")) == (None, None)
    expected = "not_started" if rule in ("eu.incident.final", "eu.incident.unresolved") else None
    assert clock.state == (expected or ("unclear" if "not recorded" in why else "not_applicable"))


def test_every_rule_of_incidents_is_shown_whatever_happened() -> None:
    names = {one.id for one in incident_rules(RULES)}
    assert {rule for one in notice_templates() for rule in one.rules} <= names
    assert set(shown(an_incident(), "2026-03-10T00:00:00Z")) == names
    assert not {one for one in names if one.startswith("sb53.") and "report" in one}


# --- data and words ------------------------------------------------------------------------------------


def test_the_facts_of_classes_are_those_that_rules_ask_for() -> None:
    asked = {fact for rule in incident_rules(RULES) for fact in rule.only_if} - set(FACTS)
    assert asked <= {fact for kind in class_file().classes for fact in kind.facts}
    assert {fact for kind in class_file().classes for fact in kind.facts} <= asked


def test_competing_clocks_stand_shortest_first() -> None:
    by_id = {rule.id: rule for rule in RULES}
    for group in class_file().shortest:
        lengths = [span((by_id[one.rule].clocks or ())[0].within or "0 days").count for one in group]
        assert lengths == sorted(lengths)
        assert all(one.fact in by_id[one.rule].only_if for one in group)


def test_events_carry_their_entry_their_facts_and_their_places() -> None:
    diary = a_diary(*DECEPTION, discovered="2026-03-02T18:00:00Z")
    diary.updated("2026-03-03T00:00:00Z", jurisdictions=("us-ca", "eu"))
    diary.noticed("2026-03-04T00:00:00Z", "sb53.incident")
    found = events_of(diary.incident())
    assert [(one.kind, str(one.at), one.subject) for one in found] == [
        ("incident.discovered", "2026-03-02T18:00:00Z", "inc-1"),
        ("done:sb53.incident", "2026-03-04T00:00:00Z", "inc-1"),
    ]
    facts = {"sb53.critical_safety_incident", "raise.safety_incident", "il.incident", "us-ca", "eu"}
    assert all(one.facts == facts for one in found)
    assert found[0].source == "entry 2"
    assert found[0].note == "`discovered` was put on record on 2026-03-03"
    assert (found[1].source, found[1].note) == ("entry 4", "initial notice to the office")


def test_an_open_class_is_noted_on_its_events() -> None:
    (event,) = events_of(an_incident(times={"discovered": "2026-03-02T18:00:00Z"}, answers={"frontier_model": "no"}))
    assert event.note is not None
    assert "model_involved" in event.note
    assert "eu.serious_incident" in event.facts
    assert "sb53.critical_safety_incident" not in event.facts


def test_a_rule_of_the_project_may_count_from_an_incident() -> None:
    own = Rule.model_validate(
        {
            "id": "own.review",
            "title": "Review it",
            "clocks": [{"on": "incident.contained", "within": "5 business days"}],
            "kind": "policy",
        }
    )
    incident = an_incident(times={"discovered": EU["discovered"], "contained": "2026-03-06T12:00:00Z"})
    (clock,) = clocks(incident, [own], "2026-03-07T00:00:00Z")
    assert (clock.state, clock.due_at, clock.law) == ("due_soon", "2026-03-13T23:59:59Z", "policy")
    assert not clock.is_possible


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"not_if": ["exempt"]}, "it does not bind where `exempt` is so"),
        ({"in_force_until": "2026-03-01"}, "no longer in force since 2026-03-01"),
        ({"in_force_from": "2026-03-07"}, "not in force until 2026-03-07"),
    ],
)
def test_a_rule_of_the_project_that_does_not_bind_says_why(more: dict[str, Any], why: str) -> None:
    start = {"on": "incident.contained", "within": "5 days"}
    own = Rule.model_validate({"id": "own.review", "title": "Review it", "clocks": [start], **more})
    incident = an_incident(times={"discovered": EU["discovered"], "contained": "2026-03-06T12:00:00Z"})
    (clock,) = clocks(incident, [own], "2026-03-08T00:00:00Z", Setting(facts=frozenset({"exempt"})))
    assert (clock.state, clock.due_at, clock.why) == ("not_applicable", None, why)


def test_the_law_of_a_rule_is_read_from_its_id() -> None:
    found = {rule.id: law_of(rule) for rule in incident_rules(RULES)}
    assert {law.id for law in found.values() if law} == {"sb53", "raise", "il", "eu"}


def test_what_is_late_or_nearest_comes_first() -> None:
    yes, times, at, _ = SCENARIOS["several laws at once, a person in danger"]
    found = clocks(an_incident(times=times, answers=answered(*yes)), RULES, at, ORGANISATION)
    dates = [one.due_at for one in found if one.due_at]
    assert dates == sorted(dates)
    assert [one.due_at is None for one in found] == sorted(one.due_at is None for one in found)


def test_left_is_what_is_left() -> None:
    incident = an_incident(
        times={"discovered": "2026-03-02T18:00:00Z"}, answers=answered("frontier_model", "imminent_danger")
    )
    clock = shown(incident, "2026-03-03T15:30:00Z")["sb53.imminent-danger"]
    left, late = clock.left("2026-03-03T15:30:00Z"), clock.left("2026-03-04T18:00:01Z")
    assert left is not None
    assert late is not None
    assert (time_words(left), time_words(late)) == ("2 h 30 min", "late by 1 d 0 h")
