# SPDX-License-Identifier: Apache-2.0
"""Classes from plain answers: each by its own table, three values by their law, every reference resolved."""

from collections.abc import Iterator
from importlib import resources
from itertools import product
from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError

from incidents.diary import an_incident
from tidegate.incidents.model import TIME_MEANINGS, Yes
from tidegate.incidents.questions import (
    AllOf,
    AnyOf,
    ClassFile,
    IncidentClass,
    NotOf,
    When,
    answers_of,
    class_file,
    classify,
    find_question,
    open_questions,
    questions,
    weigh,
)
from tidegate.kernel.errors import IncidentError

CLASSES = {one.id: one for one in class_file().classes}
DECEPTION: dict[str, Yes] = {
    "frontier_model": "yes",
    "deception": "yes",
    "deception_in_test": "no",
    "deception_raises_risk": "yes",
}


def named(when: When) -> Iterator[str]:
    match when:
        case str():
            yield when
        case NotOf():
            yield from named(when.not_)
        case AllOf():
            yield from (name for one in when.all for name in named(one))
        case AnyOf():
            yield from (name for one in when.any for name in named(one))


def verdicts(answers: dict[str, Yes], **times: str) -> dict[str, str]:
    found = classify(an_incident(answers=answers, times=times))
    return {one.kind.id: one.verdict for one in found}


def applying(answers: dict[str, Yes]) -> set[str]:
    """Give what applies when everything else is answered with no."""
    rest: dict[str, Yes] = {one.id: "no" for one in questions()}
    return {name for name, verdict in verdicts({**rest, **answers}).items() if verdict == "applies"}


US = ("sb53", "raise", "il")


@pytest.mark.parametrize(
    ("yes", "expected"),
    [
        (set(), set()),
        # California, New York, Illinois: the four kinds of critical safety incident.
        ({"frontier_model", "weights_taken", "death"}, {f"{law}.weights" for law in US}),
        ({"frontier_model", "weights_taken", "injury"}, {f"{law}.weights" for law in US}),
        ({"frontier_model", "weights_taken"}, set()),
        ({"weights_taken", "death"}, set()),
        ({"frontier_model", "mass_scale", "catastrophic_way", "harm"}, {f"{law}.catastrophe" for law in US}),
        ({"frontier_model", "mass_scale", "catastrophic_way"}, set()),
        ({"frontier_model", "mass_scale", "harm"}, set()),
        ({"frontier_model", "loss_of_control", "injury"}, {f"{law}.control" for law in US}),
        ({"frontier_model", "loss_of_control"}, set()),
        # Deception counts though nobody was hurt; not inside a test for it.
        ({"frontier_model", "deception", "deception_raises_risk"}, {f"{law}.deception" for law in US}),
        ({"frontier_model", "deception", "deception_raises_risk", "deception_in_test"}, set()),
        ({"frontier_model", "deception"}, set()),
        ({"frontier_model", "imminent_danger"}, {f"{law}.imminent" for law in US}),
        # The EU code: four kinds of serious incident.
        ({"model_involved", "infrastructure"}, {"eu.infrastructure"}),
        ({"model_involved", "security_breach"}, {"eu.cybersecurity"}),
        ({"model_involved", "weights_taken"}, {"eu.cybersecurity"}),
        ({"model_involved", "death"}, {"eu.death"}),
        ({"model_involved", "health"}, {"eu.harm"}),
        ({"model_involved", "rights"}, {"eu.harm"}),
        ({"model_involved", "property"}, {"eu.harm"}),
        ({"infrastructure", "security_breach", "death", "health"}, set()),
    ],
)
def test_what_applies(yes: set[str], expected: set[str]) -> None:
    assert applying(dict.fromkeys(yes, "yes")) == expected


@pytest.mark.parametrize("kind", CLASSES.values(), ids=lambda kind: kind.id)
def test_a_class_is_open_exactly_while_its_answers_could_still_go_both_ways(kind: IncidentClass) -> None:
    names = tuple(dict.fromkeys(named(kind.when)))
    assert 2 <= len(names) <= 7
    for given in product(get_args(Yes), repeat=len(names)):
        answers = dict(zip(names, given, strict=True))
        free = [name for name in names if answers[name] == "unknown"]
        ways = {
            weigh(kind.when, {**answers, **dict(zip(free, filled, strict=True))}).value
            for filled in product(("yes", "no"), repeat=len(free))
        }
        value, because = weigh(kind.when, answers)
        assert ways == ({True, False} if value is None else {value})
        assert because
        assert set(because) <= (set(free) if value is None else set(names) - set(free))


def test_nothing_answered_leaves_every_class_open() -> None:
    assert set(verdicts({}).values()) == {"open"}
    assert {one.id for one in open_questions(classify(an_incident()))} == {
        name for kind in CLASSES.values() for name in named(kind.when)
    }


def test_one_answer_can_close_what_many_questions_opened() -> None:
    found = verdicts({"frontier_model": "no"})
    assert {name for name, verdict in found.items() if verdict == "open"} == {
        "eu.infrastructure",
        "eu.cybersecurity",
        "eu.death",
        "eu.harm",
    }


def test_a_stated_time_answers_its_question_whatever_was_answered() -> None:
    incident = an_incident(
        answers={"imminent_danger": "no", "frontier_model": "yes"},
        times={"imminent_risk_found": "2026-05-01T00:00:00Z"},
    )
    assert answers_of(incident)["imminent_danger"] == "yes"
    assert {one.kind.id: one.verdict for one in classify(incident)}["sb53.imminent"] == "applies"


def test_the_reason_names_the_question() -> None:
    found = {one.kind.id: one for one in classify(an_incident(answers={**DECEPTION, "deception_in_test": "yes"}))}
    assert (found["sb53.deception"].verdict, found["sb53.deception"].because) == ("does_not", ("deception_in_test",))
    assert found["sb53.control"].verdict == "open"
    assert set(found["sb53.control"].because) == {"loss_of_control", "death", "injury"}


# --- the data -----------------------------------------------------------------------------------------


def items() -> set[str]:
    folder = resources.files("tidegate.packs") / "frameworks"
    names = ("sb53", "raise", "il-aisma", "eu-cop-safety")
    read = {name: yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8")) for name in names}
    return {f"{name}#{item['id']}" for name, data in read.items() for item in data["items"]}


def test_every_item_that_is_served_exists() -> None:
    known = {*items(), "oecd@1"}
    assert [(one.id, ref) for one in questions() for ref in one.serves if ref not in known] == []
    assert [one.item for one in class_file().classes if one.item not in known] == []
    assert all(one.serves for one in questions())


def test_every_class_names_questions_and_a_law_that_exist() -> None:
    known, laws = {one.id for one in questions()}, {one.id for one in class_file().laws}
    assert len(known) == len(questions())
    assert [(one.id, name) for one in CLASSES.values() for name in named(one.when) if name not in known] == []
    assert {one.law for one in CLASSES.values()} == laws
    assert len(CLASSES) == len(class_file().classes)
    assert all(one.yes_if in (None, *TIME_MEANINGS) for one in questions())


def test_every_question_decides_something() -> None:
    severity = yaml.safe_load((resources.files("tidegate.packs") / "incidents" / "severity.yaml").read_text("utf-8"))
    used = {name for kind in CLASSES.values() for name in named(kind.when)} | {"internal_use"}
    assert {one.id for one in questions()} - used <= {"could_harm", "could_harm_seriously", "overwhelmed"}
    assert "overwhelmed" in str(severity)


@pytest.mark.parametrize("name", ["deaths", "", "eval"])
def test_an_unknown_question_is_refused(name: str) -> None:
    with pytest.raises(IncidentError) as caught:
        find_question(name)
    assert caught.value.problems[0].code == "INC003"


@pytest.mark.parametrize(
    "when",
    [{"all": []}, {"any": [1]}, {"not": "x", "all": ["x"]}, {"eval": "x"}, "X", "__import__('os')", {"not": None}],
)
def test_a_condition_is_a_question_or_all_any_not_and_nothing_else(when: Any) -> None:
    kind = {"id": "x", "law": "x", "title": "x", "item": "x", "facts": ["x"], "when": when}
    data = {"schema": "tidegate/incident-classes/v1", "version": "1", "laws": [], "classes": [kind]}
    with pytest.raises(ValidationError):
        ClassFile.model_validate(data)


def test_a_danger_that_has_passed_is_asked_for_as_well():
    (found,) = (one for one in questions() if one.id == "imminent_danger")
    assert "or was anybody when this was found" in found.asks
    assert "has passed" in found.help
