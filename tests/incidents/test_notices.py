# SPDX-License-Identifier: Apache-2.0
"""Drafts of notices: every field that a law lists, filled from the record, and what is missing named."""

import json

import pytest

from incidents.diary import Diary, an_incident
from tidegate.incidents.model import Incident, Yes
from tidegate.incidents.notices import (
    Draft,
    Sender,
    draft,
    field_names,
    find_template,
    notice_templates,
    refuse_unknown_fields,
)
from tidegate.kernel.errors import IncidentError
from tidegate.publish.incident_pages import DRAFT_STATUS, notice_json, notice_markdown, notice_page
from tidegate.publish.printing import printed

NOW = "2026-05-02T12:00:00Z"
SENDER = Sender("House <b>", "safety@example.com")
DECEPTION: dict[str, Yes] = {
    "frontier_model": "yes",
    "deception": "yes",
    "deception_in_test": "no",
    "deception_raises_risk": "yes",
    "internal_use": "yes",
}
NINE = [
    "start_end_dates",
    "harm_and_victims",
    "chain_of_events",
    "model",
    "involvement_evidence",
    "response",
    "recommendations_to_authorities",
    "root_cause",
    "monitoring_patterns",
]


def a_draft(incident: Incident, rule: str = "sb53.incident") -> Draft:
    return draft(incident, rule, SENDER, NOW)


def words(made: Draft) -> dict[str, str]:
    return {one.field.id: one.words for one in made.fields}


@pytest.mark.parametrize("rule", ["sb53.incident", "raise.incident", "il.incident"])
def test_four_fields_are_missing_and_named_while_nothing_is_known(rule: str) -> None:
    made = a_draft(an_incident(), rule)
    assert [one.field.id for one in made.fields] == ["date", "qualifying_reason", "plain_statement", "internal_use"]
    assert list(made.missing) == [one.field.id for one in made.fields]


def test_the_four_fields_of_california_are_filled_from_the_record() -> None:
    incident = an_incident(summary="It hid its steps.", times={"occurred": "2026-05-01T08:00:00Z"}, answers=DECEPTION)
    made = a_draft(incident)
    assert made.missing == ()
    found = words(made)
    assert found["date"].startswith("2026-05-01T08:00:00Z")
    assert "sb53#11.d.4" in found["qualifying_reason"]
    assert found["plain_statement"] == "It hid its steps."
    assert found["internal_use"] == "Yes."
    assert "11.d.4" not in words(a_draft(incident, "raise.incident"))["qualifying_reason"]


def test_an_open_class_is_no_qualifying_reason_and_an_open_answer_is_missing() -> None:
    made = a_draft(an_incident(summary="x", answers={"deception": "yes", "internal_use": "unknown"}))
    assert set(made.missing) == {"date", "qualifying_reason", "internal_use"}


@pytest.mark.parametrize(
    ("rule", "kind", "follows"),
    [
        ("eu.incident.infrastructure", "initial", ["root_cause", "monitoring_patterns"]),
        ("eu.incident.cybersecurity", "initial", ["root_cause", "monitoring_patterns"]),
        ("eu.incident.death", "initial", ["root_cause", "monitoring_patterns"]),
        ("eu.incident.harm", "initial", ["root_cause", "monitoring_patterns"]),
        ("eu.incident.unresolved", "interim", []),
        ("eu.incident.final", "final", []),
    ],
)
def test_the_nine_fields_of_the_eu_code(rule: str, kind: str, follows: list[str]) -> None:
    incident = an_incident(models=("m",), evidence=("evidence:r1",), fields={"response": "Taken offline."})
    made = a_draft(incident, rule)
    assert [one.field.id for one in made.fields] == NINE
    assert made.template.kind == kind
    assert [one.field.id for one in made.fields if one.field.may_follow] == follows
    found = words(made)
    assert (found["model"], found["response"]) == ("m", "Taken offline.")
    assert "evidence:r1" in found["involvement_evidence"]
    assert set(made.missing) == set(NINE) - {"model", "response", "involvement_evidence"}


def test_start_and_end_are_given_as_far_as_they_are_known() -> None:
    times = {"occurred": "2026-05-01T08:00:00Z", "resolved": "2026-05-02T08:00:00Z"}
    found = words(a_draft(an_incident(times=times), "eu.incident.final"))["start_end_dates"]
    assert "2026-05-01T08:00:00Z" in found
    assert "2026-05-02T08:00:00Z" in found


def test_words_for_a_field_take_the_place_of_the_summary() -> None:
    incident = an_incident(summary="Short.", fields={"chain_of_events": "Long.", "contact": "Call ada."})
    assert words(a_draft(incident, "eu.incident.harm"))["chain_of_events"] == "Long."
    danger = words(a_draft(incident, "sb53.imminent-danger"))
    assert (danger["danger"], danger["contact"]) == ("Short.", "Call ada.")
    assert words(a_draft(an_incident(), "il.imminent-danger"))["contact"] == "safety@example.com"


def test_every_incident_rule_of_a_law_has_its_notice() -> None:
    covered = {rule for one in notice_templates() for rule in one.rules}
    assert covered == {
        *(f"{law}.{what}" for law in ("sb53", "raise", "il") for what in ("incident", "imminent-danger")),
        *(
            f"eu.incident.{what}"
            for what in ("infrastructure", "cybersecurity", "death", "harm", "unresolved", "final")
        ),
    }


@pytest.mark.parametrize("rule", ["sb53", "", "eu.incident", "policy/TR-1"])
def test_a_rule_without_a_notice_is_refused(rule: str) -> None:
    with pytest.raises(IncidentError) as caught:
        find_template(rule)
    assert caught.value.problems[0].code == "INC003"


def test_an_unknown_field_is_refused() -> None:
    refuse_unknown_fields(field_names())
    with pytest.raises(IncidentError) as caught:
        refuse_unknown_fields(["respond"])
    assert (caught.value.problems[0].code, caught.value.problems[0].hint) == ("INC003", "did you mean 'response'?")


# --- as pages ------------------------------------------------------------------------------------------


def test_a_draft_says_that_it_is_one_and_no_legal_advice() -> None:
    made = a_draft(an_incident())
    text = notice_markdown(made)
    assert DRAFT_STATUS in text
    assert "not legal advice" in text
    assert text.count("Missing: this is not known") == 4
    html = printed(notice_page(made), "html").decode()
    assert DRAFT_STATUS in html
    assert "House &lt;b&gt;" in html
    sent = notice_markdown(made, is_sent=True)
    assert "Draft" not in sent
    assert "As it was sent." in sent


def test_what_may_follow_is_told_apart_from_what_is_missing() -> None:
    text = notice_markdown(a_draft(an_incident(), "eu.incident.death"))
    assert text.count("To follow: ") == 2
    assert text.count("Missing: ") == 7


def test_a_draft_as_data_names_what_is_missing() -> None:
    data = json.loads(json.dumps(notice_json(a_draft(an_incident(answers={"internal_use": "no"})))))
    assert data["is_draft"] is True
    assert data["missing"] == ["date", "qualifying_reason", "plain_statement"]
    assert data["fields"]["internal_use"] == "No."
    assert data["fields"]["date"] is None


@pytest.mark.parametrize("evil", ["\x1b[31mred", "\u202eevil", "<script>alert(1)</script>", "# A head\n\n- [x](y)"])
def test_words_from_outside_can_neither_steer_nor_format(evil: str) -> None:
    diary = Diary()
    diary.opened(title=evil, summary=evil)
    made = a_draft(diary.incident())
    for text in (notice_markdown(made), printed(notice_page(made), "html").decode()):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "<script>" not in text
        assert "\n# A head" not in text
        assert "[x](y)" not in notice_markdown(made)
