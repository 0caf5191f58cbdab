# SPDX-License-Identifier: Apache-2.0
"""Severity: published CVSS scores, every sum of the draft scale, and the OECD ladder by answers."""

from itertools import pairwise, product

import pytest
from pydantic import ValidationError

from incidents.diary import an_incident
from tidegate.incidents.model import Yes
from tidegate.incidents.questions import questions
from tidegate.incidents.severity import IncidentSettings, Scale, read_severity, scales, severities
from tidegate.kernel.errors import IncidentError

SHIPPED = scales()


# Scores as FIRST publishes them in its examples (CVSS 3.1 and 4.0), and NVD for Heartbleed (CVE-2014-0160).
@pytest.mark.parametrize(
    ("scale", "vector", "score", "level"),
    [
        ("cvss@3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "7.5", "high"),
        ("cvss@3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0", "critical"),
        ("cvss@3.1", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", "0.0", "none"),
        ("cvss@4.0", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "10.0", "critical"),
        ("cvss@4.0", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "9.3", "critical"),
        ("cvss@4.0", "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "7.3", "high"),
    ],
)
def test_cvss_by_published_scores(scale: str, vector: str, score: str, level: str) -> None:
    found = read_severity(scale, vector, SHIPPED)
    assert (found.level, found.detail) == (level, f"{score} ({vector})")


def test_the_draft_scale_covers_every_rating_in_rising_bands() -> None:
    ratings = product(range(5), range(3), range(3), range(3))
    by_sum: dict[int, set[str]] = {}
    for gain, breadth, weaponisation, discoverability in ratings:
        text = f"gain:{gain}/breadth:{breadth}/weaponisation:{weaponisation}/discoverability:{discoverability}"
        total = gain + breadth + weaponisation + discoverability
        by_sum.setdefault(total, set()).add(read_severity("cjs@draft", text, SHIPPED).level)
    assert sorted(by_sum) == list(range(11))
    bands = [by_sum[total] for total in range(11)]
    assert all(len(one) == 1 for one in bands)
    order = [one.pop() for one in bands]
    assert order == ["CJS-0", *["CJS-1"] * 2, *["CJS-2"] * 3, *["CJS-3"] * 3, *["CJS-4"] * 2]
    assert all(first <= second for first, second in pairwise(order))


def test_a_project_sets_its_own_bands() -> None:
    shipped = next(one for one in SHIPPED if one.id == "cjs@draft")
    bands = [{"id": "low", "title": "Low", "from": 0}, {"id": "high", "title": "High", "from": 5}]
    own = Scale.model_validate({**shipped.model_dump(by_alias=True), "bands": bands})
    known = scales(IncidentSettings(schema_="tidegate/incident-settings/v1", scales=(own,)))
    assert len(known) == len(SHIPPED)
    text = "gain:4/breadth:1/weaponisation:0/discoverability:0"
    assert read_severity("cjs@draft", text, known).level == "high"
    assert read_severity("cjs@draft", text, SHIPPED).level == "CJS-2"


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        ("oecd@2", "incident"),
        ("oecd@1", "Incident"),
        ("oecd@1", ""),
        ("cjs@draft", "gain:5/breadth:0/weaponisation:0/discoverability:0"),
        ("cjs@draft", "gain:-1/breadth:0/weaponisation:0/discoverability:0"),
        ("cjs@draft", "gain:1/breadth:0/weaponisation:0"),
        ("cjs@draft", "gain:1/gain:1/breadth:0/weaponisation:0/discoverability:0"),
        ("cjs@draft", "gain:\u0661/breadth:0/weaponisation:0/discoverability:0"),
        ("cjs@draft", "CJS-3"),
        ("cvss@3.1", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
        ("cvss@3.1", "CVSS:3.1/AV:N"),
        ("cvss@3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Z"),
        ("cvss@4.0", "CVSS:4.0/" + "AV:N/" * 1_000),
        ("cvss@4.0", "9.8"),
        ("cvss@4.0", "CVSS:4.0/AV:N/AC:L"),
    ],
)
def test_what_is_no_level_or_vector_is_refused(scale: str, text: str) -> None:
    with pytest.raises(IncidentError) as caught:
        read_severity(scale, text, SHIPPED)
    assert caught.value.problems[0].code == "INC003"
    assert caught.value.problems[0].hint


@pytest.mark.parametrize(
    ("yes", "level"),
    [
        ((), "none"),
        (("could_harm",), "hazard"),
        (("could_harm_seriously",), "serious-hazard"),
        (("imminent_danger",), "serious-hazard"),
        (("harm",), "incident"),
        (("injury",), "incident"),
        (("death",), "serious-incident"),
        (("infrastructure",), "serious-incident"),
        (("overwhelmed",), "none"),
        (("overwhelmed", "death"), "disaster"),
    ],
)
def test_the_oecd_ladder_by_answers(yes: tuple[str, ...], level: str) -> None:
    answers: dict[str, Yes] = {one.id: "yes" if one.id in yes else "no" for one in questions()}
    (found,) = severities(an_incident(answers=answers), SHIPPED)
    assert (found.scale.id, found.level, found.detail) == ("oecd@1", level, "")


def test_an_open_level_names_its_questions() -> None:
    (nothing,) = severities(an_incident(), SHIPPED)
    assert nothing.level == "open"
    (some,) = severities(an_incident(answers={"harm": "yes"}), SHIPPED)
    assert some.level == "incident"
    assert some.detail.startswith("could be disaster: answer death, infrastructure")
    assert "could_harm" not in some.detail


def test_what_was_stated_is_shown_and_a_scale_that_is_gone_breaks_nothing() -> None:
    given = {"cvss@3.1": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "gone@1": "9"}
    given["oecd@1"] = "serious-incident"
    found = severities(an_incident(severity=given), SHIPPED)
    assert [(one.scale.id, one.level) for one in found[1:]] == [
        ("cvss@3.1", "critical"),
        ("gone@1", "unknown"),
        ("oecd@1", "serious-incident"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"bands": []},
        {"bands": [{"id": "a", "title": "A", "from": 1}]},
        {"bands": [{"id": "a", "title": "A", "from": 0}, {"id": "b", "title": "B", "from": 0}]},
        {"bands": [{"id": "a", "title": "A", "from": 0}, {"id": "b", "title": "B", "from": 11}]},
        {"axes": []},
        {"kind": "answers"},
        {"kind": "cvss"},
    ],
)
def test_a_scale_that_cannot_be_used_is_refused(changes: dict[str, object]) -> None:
    shipped = next(one for one in SHIPPED if one.id == "cjs@draft")
    with pytest.raises(ValidationError):
        Scale.model_validate({**shipped.model_dump(by_alias=True), **changes})
