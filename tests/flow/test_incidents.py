# SPDX-License-Identifier: Apache-2.0
"""Incidents in a project: one person records, corrects, notifies and closes; a forged store or key changes nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from house import House, a_house, a_signer
from tidegate.flow import World
from tidegate.flow.casework import signed_entry
from tidegate.flow.incidents import (
    _kept,
    all_clocks,
    clocks_of,
    close_incident,
    draft_of,
    incidents_in,
    incidents_of,
    open_incident,
    qualifying,
    record_notice,
    reopen_incident,
    said_from,
    settings_of,
    severities_of,
    take_notice_back,
    time_from,
    update_incident,
)
from tidegate.flow.ledgers import Act, Actor, record_act
from tidegate.flow.obligations import standing
from tidegate.flow.retention import contents, erase, lift_hold, place_hold
from tidegate.incidents.clocks import IncidentClock
from tidegate.incidents.model import Incident, Notice, Said
from tidegate.kernel.errors import (
    DocumentError,
    IncidentError,
    LedgerError,
    ProjectError,
    SigningError,
    TidegateError,
)
from tidegate.ledger.acts import EventRecorded, IncidentUpdated, KeyRevoked, Sealed
from tidegate.store.project import read_settings

NOW = "2026-06-01T12:00:00Z"
DECEIVED: dict[str, Any] = {
    "frontier_model": "yes",
    "deception": "yes",
    "deception_in_test": "no",
    "deception_raises_risk": "yes",
}
NOTHING_ELSE: dict[str, Any] = dict.fromkeys(
    (
        "model_involved",
        "imminent_danger",
        "death",
        "injury",
        "harm",
        "weights_taken",
        "loss_of_control",
        "mass_scale",
        "catastrophic_way",
    ),
    "no",
)
BINDING = ("frontier_developer", "large_frontier_developer", "gpai_systemic_risk", "operates_in_new_york")
LATER = date(2032, 1, 1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house that says what binds it."""
    made = a_house(tmp_path)
    rules = {"schema": "tidegate/obligations/v1", "facts": [*BINDING, "operates_in_illinois"]}
    (made.root / "obligations.yaml").write_text(yaml.safe_dump(rules))
    return made


def opened(house: House, by: str = "bob", **said: Any) -> Incident:
    given: dict[str, Any] = {"title": "It hid its steps", "times": {"discovered": "2026-05-31T09:00:00Z"}, **said}
    return open_incident(house.world(), Said.model_validate(given), house.actor(by))


def updated(house: House, incident: Incident, day: date = date(2026, 6, 2), **said: Any) -> Incident:
    return update_incident(house.world(day), incident.id, Said.model_validate(said), house.actor("bob"))


def a_notice(rule: str = "sb53.incident", at: str = NOW) -> Notice:
    return Notice(rule=rule, to="Cal OES", sent_at=at, text="We report.")


def refused(act: Callable[[], Any], code: str, kind: type[TidegateError] = IncidentError) -> str:
    with pytest.raises(kind) as caught:
        act()
    assert {one.code for one in caught.value.problems} == {code}
    return str(caught.value)


def tampered(house: House, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(house.root / "ledger" / "ledger.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement, values)
        database.commit()


# --- recording -----------------------------------------------------------------------------------------


def test_one_person_with_a_key_records_an_incident_and_its_notice(house: House) -> None:
    incident = opened(house, answers=DECEIVED, models=("m",), jurisdictions=("us-ca",), evidence=("evidence:r1",))
    assert (incident.state, incident.opened_by, incident.opened_at) == ("open", "bob", NOW)
    assert qualifying(incident) == ("California SB 53", "New York RAISE", "Illinois AISMA")
    record_notice(house.world(), incident.id, a_notice(), house.actor("bob"))
    found = incidents_of(house.world())
    assert found.voids == ()
    assert [one.rule for one in found.find(incident.id).notices] == ["sb53.incident"]


def test_the_log_holds_digests_only_and_the_store_holds_the_words_as_they_are(house: House) -> None:
    incident = opened(house, summary="A secret thing happened.")
    with closing(house.world().ledger()) as store:
        logged = b"".join(one.entry.data for one in store.entries())
        (revision,) = incident.revisions
        kept = store.sealed(revision.digest)
    assert b"secret thing" not in logged
    assert b"hid its steps" not in logged
    assert kept is not None
    assert b"A secret thing happened." in kept.data
    assert len(kept.salt) == 32
    assert Said.model_validate_json(kept.data).title == "It hid its steps"


def test_nothing_but_a_title_is_needed(house: House) -> None:
    incident = open_incident(house.world(), Said(title="x"), house.actor("kim"))
    assert incident.times == {}
    refused(lambda: open_incident(house.world(), Said(summary="x"), house.actor("kim")), "INC004")


def test_a_correction_is_kept_beside_what_was_said_first(house: House) -> None:
    incident = opened(house)
    said = {"times": {"discovered": "2026-05-30T09:00:00Z"}}
    assert "on record otherwise" in refused(lambda: updated(house, incident, **said), "INC004")
    made = updated(house, incident, **said, reason="an earlier mail")
    assert made.times["discovered"].at == "2026-05-30T09:00:00Z"
    assert [(one.at, one.by, one.reason) for one in made.history] == [
        ("2026-05-31T09:00:00Z", "bob", None),
        ("2026-05-30T09:00:00Z", "bob", "an earlier mail"),
    ]


def test_an_answer_that_changes_needs_a_reason_and_one_that_becomes_known_does_not(house: House) -> None:
    incident = opened(house, answers={"death": "yes", "injury": "unknown"})
    updated(house, incident, answers={"injury": "no", "harm": "yes"})
    refused(lambda: updated(house, incident, answers={"death": "no"}), "INC004")
    made = updated(house, incident, answers={"death": "no"}, reason="they are alive")
    assert made.answers == {"death": "no", "injury": "no", "harm": "yes"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"times": {"occurred": "2026-06-01T00:00:00Z"}}, "INC002"),
        ({"times": {"occurred": "2026-05-02T00:00:00Z", "contained": "2026-05-01T00:00:00Z"}}, "INC002"),
        ({"times": {"resolved": "2026-05-01T00:00:00Z"}}, "INC002"),
        ({"times": {"contained": "2026-07-01T00:00:00Z"}}, "INC002"),
        ({"answers": {"deaths": "yes"}}, "INC003"),
        ({"fields": {"responses": "x"}}, "INC003"),
        ({"severity": {"oecd@1": "awful"}}, "INC003"),
        ({"severity": {"awful@1": "x"}}, "INC003"),
        ({}, "INC004"),
        ({"reason": "why not"}, "INC004"),
    ],
)
def test_only_what_cannot_be_is_refused(house: House, said: dict[str, Any], code: str) -> None:
    incident = opened(house)
    size = len(incidents_of(house.world()).find(incident.id).revisions)
    assert "hint: " in refused(lambda: updated(house, incident, **said), code)
    assert len(incidents_of(house.world()).find(incident.id).revisions) == size
    updated(house, incident, times={"contained": "2026-05-01T00:00:00Z"})


def test_an_old_contradiction_keeps_nobody_from_saying_more(house: House) -> None:
    incident = opened(house)
    wrong = Said(times={"occurred": "2026-06-01T00:00:00Z"})
    kept = _kept(house.world(), wrong)
    body = IncidentUpdated(incident=incident.id, content=kept.sealed)
    with closing(house.world().ledger()) as store:
        entry = signed_entry(house.world(), "incident.updated", body, house.actor("bob"))
        store.append([entry], sealed=[kept.content])
    made = updated(house, incident, times={"contained": "2026-06-01T06:00:00Z"})
    assert [one.code for one in made.problems] == ["INC002"]
    made = updated(house, incident, times={"occurred": "2026-05-30T00:00:00Z"}, reason="a slip")
    assert made.problems == ()


def test_what_is_too_long_is_refused(house: House) -> None:
    incident = opened(house)
    notice = a_notice().model_copy(update={"text": "\N{SNOWMAN}" * 499_000})
    refused(lambda: record_notice(house.world(), incident.id, notice, house.actor("bob")), "INC004")


def test_a_notice_of_the_future_or_for_no_rule_is_refused(house: House) -> None:
    incident = opened(house)
    actor = house.actor("bob")
    refused(lambda: record_notice(house.world(), incident.id, a_notice(at="2026-06-01T12:00:01Z"), actor), "INC002")
    refused(lambda: record_notice(house.world(), incident.id, a_notice("sb53.audit"), actor), "INC003")
    refused(lambda: record_notice(house.world(), "inc-0", a_notice(), actor), "INC001")


def test_a_project_without_a_ledger_is_told_how_to_make_one(house: House) -> None:
    file = house.root / "tidegate.yaml"
    settings = yaml.safe_load(file.read_text())
    del settings["ledger"]
    file.write_text(yaml.safe_dump(settings))
    assert "tidegate ledger init" in refused(lambda: opened(house), "LED002", LedgerError)


# --- who may -------------------------------------------------------------------------------------------


def test_strangers_and_silent_keys_record_nothing(house: House) -> None:
    incident = opened(house)
    said = Said(answers={"death": "no"})
    stranger = Actor("bob", a_signer())
    refused(lambda: update_incident(house.world(), incident.id, said, stranger), "KEY003", SigningError)
    nobody = Actor("nobody", house.signers["bob"])
    refused(lambda: update_incident(house.world(), incident.id, said, nobody), "KEY004", SigningError)
    key = house.signers["bob"].fingerprint
    record_act(house.world(), Act("key.revoked", KeyRevoked(key=key, reason="lost"), house.actor("ada")))
    refused(lambda: update_incident(house.world(), incident.id, said, house.actor("bob")), "KEY003", SigningError)
    assert incidents_of(house.world()).find(incident.id).answers == {}
    assert incidents_of(house.world()).find(incident.id).title == "It hid its steps"


def test_what_a_stolen_key_said_has_no_effect_once_that_is_known(house: House) -> None:
    incident = opened(house, answers=DECEIVED)
    updated(house, incident, date(2026, 6, 5), answers={"deception": "no"}, reason="all is well")
    assert qualifying(incidents_of(house.world()).find(incident.id)) == ()
    body = KeyRevoked(key=house.signers["bob"].fingerprint, reason="stolen", since="2026-06-04T00:00:00Z")
    record_act(house.world(date(2026, 6, 6)), Act("key.revoked", body, house.actor("ada")))
    found = incidents_of(house.world())
    assert qualifying(found.find(incident.id))
    assert [one.kind for one in found.voids] == ["incident.updated"]


def test_content_changed_or_taken_in_the_store_is_told(house: House) -> None:
    incident = updated(house, opened(house), answers={"death": "no"})
    first, second = (one.digest for one in incident.revisions)
    tampered(house, "UPDATE sealed SET data = CAST(replace(data, 'hid', 'lost') AS BLOB) WHERE digest = ?", first)
    tampered(house, "DELETE FROM sealed WHERE digest = ?", second)
    found = incidents_of(house.world()).find(incident.id)
    assert [one.code for one in found.problems] == ["INC005", "INC005"]
    assert (found.title, found.answers) == ("", {})
    assert {one.state for one in contents(house.world())} == {"kept", "missing"}
    doubts = standing(house.world()).doubts
    assert len(doubts) == 2, "what is due says so too, for a clock may have gone with it"
    assert all(incident.id in one for one in doubts)
    # What runs is counted from the moment in which it was put on record, at the latest.
    events = {one.rule.id: one.started for one in clocks_of(house.world(), incident.id) if one.started}
    assert str(events["sb53.incident"].at) == NOW


def test_content_of_one_entry_stands_for_no_other(house: House) -> None:
    incident = opened(house)
    body = IncidentUpdated(incident=incident.id, content=Sealed(digest=incident.revisions[0].digest))
    record_act(house.world(), Act("incident.updated", body, house.actor("eve")))
    assert [one.reason for one in incidents_of(house.world()).voids] == ["its content belongs to another entry"]


# --- clocks --------------------------------------------------------------------------------------------


def clock_states(world: World, name: str) -> dict[str, str]:
    return {one.rule.id: one.state for one in clocks_of(world, name)}


def test_clocks_run_from_the_record_and_a_correction_moves_them(house: House) -> None:
    incident = opened(house, answers={**NOTHING_ELSE, **DECEIVED})
    (first,) = (one for one in clocks_of(house.world(), incident.id) if one.rule.id == "sb53.incident")
    assert first.duty is not None
    assert (first.state, str(first.duty.due_on), first.is_possible) == ("due_soon", "2026-06-15", False)
    updated(house, incident, times={"discovered": "2026-05-15T09:00:00Z"}, reason="an earlier mail")
    (then,) = (one for one in clocks_of(house.world(date(2026, 6, 2)), incident.id) if one.rule.id == "sb53.incident")
    assert then.duty is not None
    assert (then.state, str(then.duty.due_on)) == ("late", "2026-05-30")
    assert set(all_clocks(house.world())) == {incident.id}


def test_a_sent_notice_meets_its_clock_and_only_its_own(house: House) -> None:
    incident = opened(house, answers={**NOTHING_ELSE, **DECEIVED, "imminent_danger": "yes"})
    record_notice(house.world(), incident.id, a_notice(), house.actor("bob"))
    states = clock_states(house.world(), incident.id)
    assert states["sb53.incident"] == "met"
    assert states["sb53.imminent-danger"] == "late"


def test_an_event_that_people_record_meets_a_rule_of_the_project(house: House) -> None:
    rule = {"id": "own.review", "title": "Review", "clocks": [{"on": "incident.discovered", "within": "10 days"}]}
    file = {"schema": "tidegate/obligations/v1", "rules": [rule]}
    (house.root / "obligations.yaml").write_text(yaml.safe_dump(file))
    incident, other = settled(house), settled(house)
    assert clock_states(house.world(), incident.id)["own.review"] == "due_soon"
    body = EventRecorded(kind="done:own.review", on=date(2026, 6, 1), subject=incident.id)
    record_act(house.world(), Act("event.recorded", body, house.actor("bob")))
    assert clock_states(house.world(), incident.id)["own.review"] == "met"
    assert clock_states(house.world(), other.id)["own.review"] == "due_soon"


def test_files_that_are_out_of_order_keep_nobody_from_the_clocks(house: House) -> None:
    incident = opened(house)
    (house.root / "policy" / "house.yaml").write_text("nonsense: [")
    assert clock_states(house.world(), incident.id)
    assert draft_of(house.world(), incident.id, "sb53.incident").missing


# --- closing and keeping -------------------------------------------------------------------------------


def settled(house: House) -> Incident:
    """Give an incident of no class, so that nothing runs."""
    return opened(house, answers={**NOTHING_ELSE, "frontier_model": "no"})


def test_an_incident_with_running_clocks_is_closed_only_anyway(house: House) -> None:
    incident = opened(house, answers=DECEIVED)
    actor = house.actor("bob")
    assert "sb53.incident" in refused(lambda: close_incident(house.world(), incident.id, "over", actor), "INC004")
    made = close_incident(house.world(), incident.id, "over", actor, anyway=True)
    assert (made.state, made.retained_until) == ("closed", date(2031, 6, 1))
    assert clock_states(house.world(), incident.id)["sb53.incident"] == "due_soon"


def test_closed_is_closed_until_it_is_opened_again(house: House) -> None:
    incident, actor = settled(house), house.actor("bob")
    refused(lambda: reopen_incident(house.world(), incident.id, "more", actor), "INC004")
    close_incident(house.world(), incident.id, "over", actor)
    refused(lambda: close_incident(house.world(), incident.id, "over", actor), "INC004")
    refused(lambda: updated(house, incident, answers={"health": "no"}), "INC004")
    record_notice(house.world(), incident.id, a_notice(), actor)
    made = reopen_incident(house.world(), incident.id, "more came up", actor)
    assert (made.state, made.retained_until) == ("open", None)
    assert [one.kind for one in made.revisions] == ["opened", "closed", "noticed", "reopened"]
    updated(house, incident, answers={"health": "no"})


def test_nothing_is_erased_before_its_time_or_under_a_hold(house: House) -> None:
    incident, keeper = settled(house), house.actor("ada")
    refused(lambda: erase(house.world(LATER), incident.id, "over", keeper), "LED010", LedgerError)
    close_incident(house.world(), incident.id, "over", house.actor("bob"))
    refused(lambda: erase(house.world(date(2031, 6, 1)), incident.id, "over", keeper), "LED010", LedgerError)
    hold = place_hold(house.world(), [incident.id], "a court asked", keeper)
    assert {one.state for one in contents(house.world())} == {"held"}
    refused(lambda: erase(house.world(LATER), incident.id, "over", keeper), "LED010", LedgerError)
    lift_hold(house.world(), hold.hold, "settled", keeper)
    refused(lambda: erase(house.world(LATER), incident.id, "over", house.actor("bob")), "KEY006", SigningError)
    assert len(erase(house.world(LATER), incident.id, "over", keeper)) == 2


def test_an_erased_incident_shows_as_erased_and_breaks_nothing(house: House) -> None:
    gone, left = settled(house), settled(house)
    close_incident(house.world(), gone.id, "over", house.actor("bob"))
    erase(house.world(LATER), gone.id, "five years are over", house.actor("ada"))
    found = incidents_of(house.world(LATER))
    assert (found.find(gone.id).erased, found.find(gone.id).title, found.find(gone.id).problems) == (True, "", ())
    assert found.find(left.id).title == "It hid its steps"
    assert {one.state for one in clocks_of(house.world(LATER), gone.id)} <= {"not_started", "not_applicable", "unclear"}
    assert {one.case: one.state for one in contents(house.world())} == {gone.id: "erased", left.id: "kept"}
    with closing(house.world().ledger()) as store:
        store.verify()
        people = read_settings(house.root).people
        assert {one.id for one in incidents_in(store, people)} == {gone.id, left.id}


# --- words and settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", NOW),
        (" now ", NOW),
        ("1 hour ago", "2026-06-01T11:00:00Z"),
        ("90 minutes ago", "2026-06-01T10:30:00Z"),
        ("2 days ago", "2026-05-30T12:00:00Z"),
        ("2026-05-30", "2026-05-30T00:00:00Z"),
        ("2026-05-30T09:30:00Z", "2026-05-30T09:30:00Z"),
        ("2026-05-30T09:30Z", "2026-05-30T09:30:00Z"),
        ("2026-05-30 01:30-08:00", "2026-05-30T09:30:00Z"),
        ("2026-05-30T09:30:00.999+02:00", "2026-05-30T07:30:00Z"),
    ],
)
def test_times_as_people_write_them(text: str, instant: str) -> None:
    assert time_from(text, NOW) == instant


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-05-30T09:30", "2026-13-01", "0001-01-01T00:00+14:00", "99999 days ago", "now\x00"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert "hint: " in refused(lambda: time_from(text, NOW), "PRJ005", ProjectError)


@pytest.mark.parametrize(
    "data",
    [
        {"times": {"sometime": NOW}},
        {"times": {"discovered": "noon"}},
        {"answers": {"death": "maybe"}},
        {"jurisdictions": ["California"]},
        {"title": "x" * 201},
        {"colour": "red"},
    ],
)
def test_names_and_values_that_are_none_are_refused(data: dict[str, Any]) -> None:
    refused(lambda: said_from(data), "INC003")


def test_a_project_sets_the_bands_of_a_scale(house: House) -> None:
    scale = {
        "id": "cjs@draft",
        "title": "Ours",
        "kind": "axes",
        "axes": [{"id": "gain", "title": "Gain", "most": 4}],
        "bands": [{"id": "all", "title": "All", "from": 0}],
    }
    incident = opened(house)
    assert settings_of(house.world()).scales == ()
    refused(lambda: updated(house, incident, severity={"cjs@draft": "gain:4"}), "INC003")
    (house.root / "incidents.yaml").write_text(
        yaml.safe_dump({"schema": "tidegate/incident-settings/v1", "scales": [scale]})
    )
    made = updated(house, incident, severity={"cjs@draft": "gain:4"})
    assert [(one.scale.id, one.level) for one in severities_of(house.world(), made)][1:] == [("cjs@draft", "all")]
    (house.root / "incidents.yaml").write_text("scales: []")
    refused(lambda: settings_of(house.world()), "DOC008", DocumentError)


# --- what was known when ------------------------------------------------------------------------------


def the_clock(
    house: House, name: str, rule: str, at: str | None = None, day: date = date(2026, 6, 20)
) -> IncidentClock:
    (found,) = (one for one in clocks_of(house.world(day), name, at) if one.rule.id == rule)
    return found


def test_clocks_of_an_earlier_moment_use_nothing_that_was_recorded_later(house: House) -> None:
    incident = opened(house, answers={**NOTHING_ELSE, **DECEIVED})
    updated(house, incident, date(2026, 6, 17), times={"discovered": "2026-05-31T20:00:00Z"}, reason="a typing error")
    record_notice(house.world(date(2026, 6, 18)), incident.id, a_notice(at="2026-06-02T00:00:00Z"), house.actor("bob"))
    assert the_clock(house, incident.id, "sb53.incident").state == "met"
    then = the_clock(house, incident.id, "sb53.incident", "2026-06-16T12:00:00Z")
    assert (then.state, then.due_at) == ("late", "2026-06-16T06:59:59Z")
    assert "corrected" not in then.why
    before = "2026-06-01T11:59:59Z"
    assert "was not on record at" in refused(lambda: clocks_of(house.world(), incident.id, before), "INC001")


def test_a_correction_and_a_late_entry_are_said_beside_the_date(house: House) -> None:
    incident = opened(house, answers={**NOTHING_ELSE, **DECEIVED})
    why = the_clock(house, incident.id, "sb53.incident").why
    assert "`discovered` was put on record on 2026-06-01" in why
    updated(house, incident, date(2026, 6, 17), times={"discovered": "2026-06-10T09:00:00Z"}, reason="it was another")
    record_notice(house.world(date(2026, 6, 19)), incident.id, a_notice(at="2026-06-14T00:00:00Z"), house.actor("bob"))
    found = the_clock(house, incident.id, "sb53.incident")
    assert found.state == "met", "by what is on record now"
    assert "stated before as 2026-05-31T09:00:00Z; corrected on 2026-06-17 (it was another)" in found.why
    assert "the notice was put on record on 2026-06-19" in found.why
    duties = standing(house.world(date(2026, 6, 20))).duties
    (duty,) = (one for one in duties if one.rule.id == "sb53.incident")
    assert duty.done is not None
    assert duty.done.source.startswith("entry ")
    assert duty.done.note == "initial notice to Cal OES, put on record on 2026-06-19"


def test_a_time_of_discovery_that_was_taken_back_is_told(house: House) -> None:
    incident = opened(house, answers={**NOTHING_ELSE, **DECEIVED})
    updated(house, incident, times={"discovered": None}, reason="nobody knows")
    why = the_clock(house, incident.id, "sb53.incident").why
    assert "`discovered` was stated as 2026-05-31T09:00:00Z, and taken back" in why


def test_a_notice_that_was_not_sent_is_taken_back_and_its_clock_runs_again(house: House) -> None:
    incident = opened(house, answers={**NOTHING_ELSE, **DECEIVED})
    ada, which = house.actor("ada"), (incident.id, "sb53.incident")
    made = record_notice(house.world(), incident.id, a_notice(), ada)
    entry = made.revisions[-1].index
    assert the_clock(house, incident.id, "sb53.incident").state == "met"
    after = take_notice_back(house.world(), which, entry, "it bounced", ada)
    assert (after.notices, after.taken_back) == ((), {entry})
    assert after.revisions[1].notice == a_notice(), "what was said stays"
    assert the_clock(house, incident.id, "sb53.incident").state == "late"
    with pytest.raises(IncidentError, match="no notice of"):
        take_notice_back(house.world(), which, entry, "again", ada)
    again = record_notice(house.world(), incident.id, a_notice(), ada)
    assert again.notices == (a_notice(),), "the same notice, sent after all, counts"
    with pytest.raises(IncidentError, match="no notice of"):
        take_notice_back(house.world(), (incident.id, "raise.incident"), again.revisions[-1].index, "x", ada)
