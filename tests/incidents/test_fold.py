# SPDX-License-Identifier: Apache-2.0
"""Incidents from the log: merged in order, nothing lost, and nothing that a forged log could bend."""

import hashlib
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.diary import Diary, signers
from tidegate.incidents.fold import BEFORE, Content, contradictions, not_yet
from tidegate.incidents.model import MAX_SAID_BYTES, TIME_MEANINGS, Said, TimeName
from tidegate.kernel.errors import IncidentError
from tidegate.ledger.acts import IncidentOpened, KeyRevoked, Sealed
from tidegate.ledger.entries import new_entry

NOON = "2026-05-01T12:00:00Z"


def test_the_nine_times_are_there_with_their_meanings() -> None:
    assert list(TIME_MEANINGS) == list(get_args(TimeName))
    assert len(TIME_MEANINGS) == 9


def test_what_comes_later_stands_over_what_came_before_and_nothing_is_lost() -> None:
    diary = Diary()
    diary.opened(NOON, times={"discovered": "2026-05-01T11:00:00Z"}, answers={"death": "unknown"}, models=("m",))
    diary.updated(
        "2026-05-02T12:00:00Z", times={"discovered": "2026-05-01T09:00:00Z"}, answers={"death": "no"}, reason="a mail"
    )
    diary.updated("2026-05-03T12:00:00Z", times={"contained": "2026-05-03T08:00:00Z"}, models=("m", "n"))
    diary.updated("2026-05-04T12:00:00Z", times={"contained": None}, reason="it spread again")
    incident = diary.incident()
    assert (incident.title, incident.models, incident.answers) == ("Weights copied", ("m", "n"), {"death": "no"})
    assert {name: one.at for name, one in incident.times.items()} == {"discovered": "2026-05-01T09:00:00Z"}
    assert [(one.name, one.at, one.by, one.recorded_at, one.reason) for one in incident.history] == [
        ("discovered", "2026-05-01T11:00:00Z", "ada", NOON, None),
        ("discovered", "2026-05-01T09:00:00Z", "ada", "2026-05-02T12:00:00Z", "a mail"),
        ("contained", "2026-05-03T08:00:00Z", "ada", "2026-05-03T12:00:00Z", None),
        ("contained", None, "ada", "2026-05-04T12:00:00Z", "it spread again"),
    ]
    assert [one.kind for one in incident.revisions] == ["opened", "updated", "updated", "updated"]
    assert incident.problems == ()
    assert (incident.state, incident.retained_until) == ("open", None)


# --- times that cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), BEFORE)
def test_a_pair_the_wrong_way_round_is_told_with_a_hint(first: TimeName, second: TimeName) -> None:
    times: dict[TimeName, str] = {first: "2026-05-02T00:00:00Z", second: "2026-05-01T00:00:00Z"}
    (problem,) = contradictions(times, "inc-1")
    assert problem.code == "INC002"
    assert problem.hint is not None
    assert f"`{second}`" in problem.message
    assert contradictions({first: times[second], second: times[first]}) == ()
    assert contradictions({first: times[first], second: times[first]}) == ()


@pytest.mark.parametrize("name", get_args(TimeName))
def test_an_unknown_time_contradicts_nothing(name: TimeName) -> None:
    assert contradictions({name: NOON}) == ()


def test_containment_before_discovery_happens() -> None:
    times: dict[TimeName, str] = {"contained": "2026-05-01T00:00:00Z", "discovered": "2026-05-02T00:00:00Z"}
    assert contradictions(times) == ()


def test_a_time_after_its_own_entry_moves_no_date() -> None:
    diary = Diary()
    diary.opened(NOON, times={"discovered": "2026-05-01T09:00:00Z"})
    diary.updated("2026-05-02T12:00:00Z", times={"discovered": "2026-09-01T09:00:00Z"}, reason="later is nicer")
    incident = diary.incident()
    assert incident.times["discovered"].at == "2026-05-01T09:00:00Z"
    assert [one.code for one in incident.problems] == ["INC002"]
    assert len(incident.history) == 2
    assert not_yet("x", NOON, NOON) is None
    assert not_yet("x", "2026-05-01T12:00:01Z", NOON) is not None


def test_contradictions_in_a_log_are_told_and_the_incident_stands() -> None:
    diary = Diary()
    diary.opened(NOON, times={"occurred": "2026-05-01T10:00:00Z", "discovered": "2026-05-01T09:00:00Z"})
    incident = diary.incident()
    assert [one.code for one in incident.problems] == ["INC002"]
    assert set(incident.times) == {"occurred", "discovered"}


# --- forged and broken logs -----------------------------------------------------------------------------


def test_what_is_missing_or_changed_is_told_and_the_rest_stands() -> None:
    diary = Diary()
    diary.opened(NOON)
    gone = diary.updated("2026-05-02T12:00:00Z", answers={"death": "yes"})
    changed = diary.updated("2026-05-03T12:00:00Z", answers={"injury": "yes"})
    del diary.kept[gone]
    diary.kept[changed] = Content(diary.kept[changed].salt, b'{"answers":{"injury":"no"}}')
    incident = diary.incident()
    assert [one.code for one in incident.problems] == ["INC005", "INC005"]
    assert ["missing" in one.message for one in incident.problems] == [True, False]
    assert incident.answers == {}
    assert [one.said is None for one in incident.revisions] == [False, True, True]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"title":"x","extra":1}',
        b'{"times":{"sometime":null}}',
        b'{ "title":"x"}',
        b'{"notice":{"rule":"x y","sent_at":"2026-05-01T00:00:00Z","text":"x","to":"x"}}',
        b"\xff\xfe",
        b"x",
    ],
)
def test_content_that_is_no_record_is_told(data: bytes) -> None:
    diary = Diary()
    salt = b"s" * 32
    digest = f"sha256:{hashlib.sha256(salt + data).hexdigest()}"
    diary.kept[digest] = Content(salt, data)
    diary.add("incident.opened", IncidentOpened(incident="inc-1", content=Sealed(digest=digest)), at=NOON)
    assert [one.code for one in diary.incident().problems] == ["INC005"]


def test_content_that_is_too_large_is_told_and_not_read() -> None:
    diary = Diary()
    salt, data = b"s" * 32, b" " * (MAX_SAID_BYTES + 1)
    digest = f"sha256:{hashlib.sha256(salt + data).hexdigest()}"
    diary.kept[digest] = Content(salt, data)
    diary.add("incident.opened", IncidentOpened(incident="inc-1", content=Sealed(digest=digest)), at=NOON)
    assert "larger" in diary.incident().problems[0].message


def test_an_entry_whose_key_does_not_speak_for_its_person_has_no_effect_and_is_listed() -> None:
    diary = Diary()
    diary.opened(NOON)
    diary.tell("updated", NOON, Said(answers={"death": "no"}), by="ada", signer="eve")
    diary.tell("opened", NOON, Said(title="Forged"), name="inc-2", by="eve")
    key = signers()["ada"].fingerprint
    diary.add("key.revoked", KeyRevoked(key=key, reason="stolen"), at="2026-05-02T00:00:00Z")
    diary.tell("updated", "2026-05-03T00:00:00Z", Said(title="Nothing happened"))
    found = diary.fold()
    assert set(found.incidents) == {"inc-1"}
    assert found.incidents["inc-1"].answers == {}
    assert found.incidents["inc-1"].title == "Weights copied"
    assert [(one.entry, one.incident) for one in found.voids] == [(3, "inc-1"), (4, "inc-2"), (6, "inc-1")]
    assert all(one.reason for one in found.voids)


def test_an_entry_that_is_not_signed_has_no_effect() -> None:
    diary = Diary()
    diary.opened(NOON)
    body = diary.entries[-1].act
    bare = new_entry("incident.opened", body, entry_id="f" * 32, acted_at=NOON, by="ada")
    diary.entries[-1] = bare
    assert [one.reason for one in diary.fold().voids] == ["not signed"]


def test_what_is_said_once_counts_once() -> None:
    diary = Diary()
    digest = diary.opened(NOON)
    body = IncidentOpened(incident="inc-2", content=Sealed(digest=digest))
    diary.add("incident.opened", body, at=NOON)
    diary.entries.append(diary.entries[2])
    found = diary.fold()
    assert set(found.incidents) == {"inc-1"}
    assert [one.entry for one in found.voids] == [3, 4]


@pytest.mark.parametrize(
    ("acts", "void"),
    [
        ([("updated", {})], "there is no such incident"),
        ([("noticed", {})], "there is no such incident"),
        ([("closed", {})], "there is no such incident"),
        ([("opened", {}), ("opened", {})], "an incident of this id was opened before"),
        ([("opened", {}), ("closed", {"reopened": True})], "it is open already"),
        ([("opened", {}), ("closed", {}), ("updated", {})], "it is closed"),
        ([("opened", {}), ("closed", {}), ("closed", {})], "it is closed"),
        ([("opened", {}), ("closed", {}), ("noticed", {})], None),
        ([("opened", {}), ("closed", {}), ("closed", {"reopened": True}), ("updated", {})], None),
    ],
)
def test_what_may_follow_what(acts: list[tuple[str, dict[str, Any]]], void: str | None) -> None:
    diary = Diary()
    for kind, more in acts:
        diary.tell(kind, NOON, **more)
    assert [one.reason for one in diary.fold().voids] == ([void] if void else [])


def test_an_unknown_incident_is_refused_with_a_hint() -> None:
    diary = Diary()
    diary.opened(NOON)
    with pytest.raises(IncidentError) as caught:
        diary.fold().find("inc-11")
    assert caught.value.problems[0].code == "INC001"
    assert caught.value.problems[0].hint == "did you mean 'inc-1'?"


# --- retention -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closed", "after", "until", "kept"),
    [
        ("2026-06-01T00:00:00Z", None, None, date(2031, 6, 1)),
        # A notice after closing is part of the record: the later of the two begins the five years.
        ("2026-06-01T00:00:00Z", "2026-07-10T00:00:00Z", None, date(2031, 7, 10)),
        ("2026-06-01T00:00:00Z", None, date(2040, 1, 1), date(2040, 1, 1)),
        ("2024-02-29T00:00:00Z", None, None, date(2029, 2, 28)),
    ],
)
def test_retention_is_five_years_from_the_later_of_record_and_incident(
    closed: str, after: str | None, until: date | None, kept: date
) -> None:
    diary = Diary()
    diary.tell("opened", "2024-02-01T00:00:00Z", Said(title="x"), until=until)
    diary.tell("closed", closed, Said(reason="over"))
    if after:
        diary.noticed(after, "sb53.incident")
    assert diary.incident().retained_until == kept


def test_an_erased_incident_shows_as_erased_and_breaks_nothing() -> None:
    diary = Diary()
    first = diary.opened(NOON, times={"discovered": NOON})
    last = diary.tell("closed", "2026-06-01T00:00:00Z", Said(reason="over"))
    diary.erase(first)
    diary.erase(last)
    incident = diary.incident()
    assert incident.erased
    assert (incident.title, incident.times, incident.problems) == ("", {}, ())
    assert (incident.state, incident.opened_by) == ("closed", "ada")


# --- laws ----------------------------------------------------------------------------------------------

NAMES = st.sampled_from(get_args(TimeName))
TIMES = st.integers(1, 28).map(lambda day: f"2026-04-{day:02d}T00:00:00Z")
SAYINGS = st.lists(
    st.dictionaries(NAMES, st.none() | TIMES, min_size=1, max_size=3),
    min_size=1,
    max_size=5,
)


@given(SAYINGS)
def test_the_last_word_on_each_time_holds_and_every_word_stays(sayings: list[dict[TimeName, str | None]]) -> None:
    diary = Diary()
    diary.opened(NOON)
    for said in sayings:
        diary.updated(NOON, times=said)
    incident = diary.incident()
    last: dict[TimeName, str | None] = {}
    for said in sayings:
        last |= said
    assert {name: one.at for name, one in incident.times.items()} == {name: at for name, at in last.items() if at}
    assert len(incident.history) == sum(map(len, sayings))
    holding = {name: one.at for name, one in incident.times.items() if one.at}
    assert [one.code for one in incident.problems] == ["INC002"] * len(contradictions(holding))
