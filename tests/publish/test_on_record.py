# SPDX-License-Identifier: Apache-2.0
"""What is on record counts as long as it holds: what was done until it is due again, a case while nobody disagrees."""

from dataclasses import replace
from datetime import date

import pytest

from publish.duty_factories import a_duty, a_rule, an_event
from published import model_m, the_content
from tidegate.govern.records import CaseReview
from tidegate.publish.inventory import Known, worth
from tidegate.publish.on_record import OnRecord, inventory_of
from tidegate.publish.practices import Statement

CONTENT = the_content()
AT = CONTENT.at
RULE = a_rule("own.review")


def listed(**given: object) -> dict[str, Known]:
    return dict(inventory_of(OnRecord(CONTENT.policy, AT, **given)).records)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("next_due", "state", "badge"),
    [
        (None, "due", "attested"),
        (date(AT.year + 1, 1, 1), "due", "attested"),
        (date(AT.year - 1, 12, 31), "late", "aged"),
    ],
)
def test_what_was_done_counts_until_it_is_due_again(next_due: date | None, state: str, badge: str) -> None:
    done = an_event(at=date(AT.year - 1, 6, 1))
    duties = [a_duty("met", date(AT.year - 1, 6, 30), rule=RULE, done=done)]
    if next_due is not None:
        duties.append(a_duty(state, next_due, rule=RULE))
    found = inventory_of(OnRecord(CONTENT.policy, AT, duties=duties))
    said = Statement(text="It is reviewed.", evidence=("rule:own.review",), as_of=AT)
    assert worth(said, None, found, AT).badge == badge


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({}, "attested"),
        ({"kim": "agrees"}, "verified"),
        ({"kim": "agrees", "bob": "disagrees"}, "attested"),
        ({"ada": "agrees"}, "attested"),
    ],
)
def test_a_case_is_worth_what_its_readers_say(verdicts: dict[str, str], expected: str) -> None:
    case = model_m(CONTENT).cases[0]
    reviews = tuple(
        CaseReview(by, {}, verdict, None, 90 + number, "2026-06-01T12:00:00Z")
        for number, (by, verdict) in enumerate(verdicts.items())
    )
    found = listed(cases=[replace(case, authors=("ada",), reviews=reviews)], logged=True)
    assert found[f"case:{case.case}"].worth == expected


def test_nothing_assessed_is_no_record() -> None:
    assessed = model_m(CONTENT).assessment
    ref = f"assessment:{assessed.model}"
    assert ref in listed(assessments=[assessed])
    blank = tuple(one.model_copy(update={"finding": "not_assessed"}) for one in assessed.thresholds)
    assert ref not in listed(assessments=[assessed.model_copy(update={"thresholds": blank})])


def test_the_policys_own_standards_are_no_technical_standards() -> None:
    artifacts = {one.artifact for one in listed().values()}
    assert "policy.threshold" in artifacts
    assert not {"policy.standards", "policy.domain"} & artifacts
