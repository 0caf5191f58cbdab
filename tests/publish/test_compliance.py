# SPDX-License-Identifier: Apache-2.0
"""The review of a period: what belongs to it, what the public version leaves out, and where each line comes from."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from factories import a_policy
from govern.factories import a_decision, a_log, a_measure, read, through
from publish.duty_factories import a_duty, a_rule, a_waiver, an_event
from tidegate.govern.duties import WaiverRecord, WaiverSignature
from tidegate.ledger.acts import ObligationWaived, WaiverRecorded
from tidegate.obligations.model import Clock
from tidegate.policy.model import EvaluationChange
from tidegate.publish.compliance import Granted, Material, compliance_page, review, review_data, summary
from tidegate.publish.printing import printed

START, END = date(2026, 4, 1), date(2026, 6, 30)
AT = "2026-06-30T23:59:59Z"
CHANGE = EvaluationChange(
    threshold="T1", was="Eval A", now="Eval B", on=date(2026, 5, 3), reason="It leaked.", approved_by=("safety-lead",)
)


def a_material(*duties: Any, **changes: Any) -> Material:
    given: dict[str, Any] = {
        "organisation": "Example Lab",
        "policy": a_policy(),
        "start": START,
        "end": END,
        "at": AT,
        "duties": duties,
    }
    return Material(**{**given, **changes})


def a_record(*people: tuple[str, str], missing: str | None = None, **changes: Any) -> WaiverRecord:
    given: dict[str, Any] = {"rule": "own.drill", "until": date(2026, 9, 1), "reason": "The trainer is ill."}
    terms = ObligationWaived(**{**given, **changes}, role="ceo")
    at = "2026-05-05T10:00:00Z"
    signed = tuple(WaiverSignature(who, role, frozenset(), 50 + n, at) for n, (who, role) in enumerate(people))
    return WaiverRecord(terms, signed, missing, None if missing else at, None if missing else 51)


def a_granted(**changes: Any) -> Granted:
    measure = a_measure(**changes)
    record = read(through(a_log(), a_decision(measures=(measure,)))).decisions["d-1"]
    made = WaiverRecorded(
        waiver=measure.id,
        kind=measure.kind,
        decision="d-1",
        requirements=measure.requirements,
        actions=measure.actions,
        model="m",
        until=measure.until,
        is_public=measure.is_public,
        reason=measure.reason,
    )
    return Granted(made, record, 9)


def text(found: Any, form: Any = "md") -> str:
    return printed(compliance_page(found), form).decode()


def states(found: Any) -> list[str]:
    return [one.state for one in found.promised]


@pytest.mark.parametrize(
    ("duty", "section"),
    [
        (a_duty("met", date(2026, 5, 1), done=an_event(at=date(2026, 4, 28))), "done"),
        (a_duty("met", date(2026, 7, 1), done=an_event(at=date(2026, 6, 28))), "done"),
        (a_duty("met", date(2026, 3, 31), done=an_event(at=date(2026, 3, 28))), None),
        (a_duty("met", date(2026, 7, 1), done=an_event(at=date(2026, 3, 28))), None),
        (a_duty("met_late", date(2026, 3, 1), done=an_event(at=date(2026, 4, 1))), "late"),
        (a_duty("met_late", date(2026, 3, 1), done=an_event(at=date(2026, 3, 31))), None),
        (a_duty("late", date(2025, 1, 1)), "late"),
        (a_duty("waived", date(2026, 6, 30), waiver=a_waiver()), "waived"),
        (a_duty("waived", date(2026, 7, 1), waiver=a_waiver()), None),
        (a_duty("due", date(2026, 6, 30)), "coming"),
        (a_duty("due_soon", date(2026, 7, 1)), None),
        (a_duty("unclear", None), "unclear"),
        (a_duty("not_started", None), None),
        (a_duty("not_applicable", None), None),
    ],
)
def test_a_duty_belongs_to_the_period_or_not(duty, section):
    found = review(a_material(duty))
    named = [name for name in ("done", "late", "waived", "unclear", "coming") if getattr(found, name)]
    assert named == ([section] if section else [])
    assert len(found.promised) == (1 if section else 0)


def test_each_line_says_how_late_and_where_it_is_on_record():
    done = an_event(at=date(2026, 6, 8), source="entry 77")
    found = review(a_material(a_duty("met_late", date(2026, 6, 5), days_left=-3, done=done, subject="m")))
    shown = text(found)
    assert "met 3 days late" in shown
    assert "entry 41, entry 77" in shown
    assert "own.drill" in shown
    [line] = review_data(found)["late"]
    assert (line["words"], line["source"], line["subject"]) == ("met 3 days late", "entry 41, entry 77", "m")


@pytest.mark.parametrize(
    ("recorded", "words"),
    [(date(2026, 7, 2), "2026-05-28, put on record on 2026-07-02"), (date(2026, 6, 1), "2026-05-28")],
)
def test_what_was_put_on_record_after_its_date_is_marked(recorded, words):
    duty = a_duty("met", date(2026, 6, 5), done=an_event(at=date(2026, 5, 28), source="entry 77"))
    found = review(a_material(duty, recorded={"entry 77": recorded}))
    assert review_data(found)["done"][0]["done"] == words


def test_waivers_name_who_signed_until_when_and_why():
    found = review(a_material(a_duty(), waivers=(a_record(("ada", "safety-lead"), ("ben", "ceo")),)))
    [waiver] = found.waivers
    assert (waiver.signed_by, waiver.until) == (("ada (safety-lead)", "ben (ceo)"), date(2026, 9, 1))
    assert (waiver.why, waiver.source) == ("The trainer is ill.", "entry 50, entry 51")
    assert "ada (safety-lead), ben (ceo)" in text(found).replace("\\", "")


@pytest.mark.parametrize(
    ("due_on", "words"),
    [
        (date(2026, 5, 5), "until 2026-09-01"),
        (date(2026, 5, 4), "until 2026-09-01, signed 1 day after its date"),
        (date(2026, 5, 2), "until 2026-09-01, signed 3 days after its date"),
    ],
)
def test_a_waiver_that_came_after_the_date_is_marked(due_on, words):
    record = a_record(("ada", "safety-lead"), ("ben", "ceo"))
    found = review(a_material(a_duty("waived", due_on, waiver=record.waiver), waivers=(record,)))
    assert review_data(found)["waived"][0]["waived"] == words
    assert words in text(found)


def test_a_waiver_that_lacks_signatures_counts_for_nothing():
    found = review(a_material(a_duty(), waivers=(a_record(("ada", "safety-lead"), missing="1 of 2"),)))
    assert found.waivers == ()
    assert [one.note for one in found.asked] == ["does not count: 1 of 2"]
    assert "Asked for, and not granted" in text(found)
    assert review(found.material, is_public=True).asked == ()


@pytest.mark.parametrize("until", [date(2026, 3, 31), date(2026, 4, 1)])
def test_waivers_of_other_times_are_left_to_them(until):
    record = a_record(("ada", "safety-lead"), until=until)
    early = WaiverRecord(record.terms, record.signatures, None, "2026-01-01T10:00:00Z", 50)
    assert len(review(a_material(a_duty(), waivers=(early,))).waivers) == (until >= START)


def test_measures_of_decisions_and_changed_evaluations_are_departures():
    waiver = a_granted(id="w-1", kind="waiver")._replace(entry=12)
    found = review(
        a_material(changes=((CHANGE, "test@1, policy/house.yaml"),), granted=(a_granted(is_public=True), waiver)),
    )
    measure, change = found.deviations
    assert (measure.kind, measure.since, measure.until) == ("interim measure", date(2026, 5, 1), date(2026, 6, 1))
    assert measure.what == "T1-deploy for m (limited)"
    assert (measure.source, measure.signed_by) == ("decision d-1, entry 9", ("ada (safety-lead)", "ben (ceo)"))
    assert (change.kind, change.what) == ("changed evaluation", "T1: Eval B in place of Eval A")
    assert (change.source, change.until) == ("test@1, policy/house.yaml", None)
    assert [one.kind for one in found.waivers] == ["waiver"]


def test_a_measure_ends_with_its_decision():
    log = through(a_log(), a_decision(measures=(a_measure(until=date(2026, 6, 20)),)))
    log.now = "2026-05-10T12:00:00Z"
    log.move("d-1", "revoked", reason="A jailbreak was found.")
    record = read(log).decisions["d-1"]
    granted = a_granted(until=date(2026, 6, 20))._replace(decision=record)
    [one] = review(a_material(granted=(granted,))).deviations
    assert (one.until, one.note) == (date(2026, 5, 10), "ended with d-1, which is revoked")
    assert review(a_material(granted=(granted,), start=date(2026, 5, 11))).deviations == ()


def test_a_decision_that_was_put_anew_counts_from_the_first_time():
    log = through(a_log(), a_decision(measures=(a_measure(),)))
    [first] = [one for one in read(log).decisions["d-1"].moves if one.to == "effective"]
    again = replace(first, at="2026-07-10T12:00:00Z")
    record = read(log).decisions["d-1"]
    granted = a_granted()._replace(decision=replace(record, moves=(*record.moves, again)))
    assert [one.since for one in review(a_material(granted=(granted,))).deviations] == [date(2026, 5, 1)]


def test_a_policy_adopted_in_the_period_is_told():
    event = an_event("policy.adopted", "2026-05-09T12:00:00Z", subject="test@1", source="entry 30")
    found = review(a_material(adopted=(event,)))
    assert "test@1 was adopted on 2026-05-09 (entry 30)" in text(found).replace("\\", "").replace("&#64;", "@")
    assert review_data(found)["adopted"] == [{"policy": "test@1", "on": "2026-05-09", "source": "entry 30"}]


def test_a_changed_evaluation_belongs_to_its_day():
    changes = ((CHANGE, "policy/house.yaml"),)
    assert len(review(a_material(changes=changes)).deviations) == 1
    assert review(a_material(changes=changes, start=date(2026, 5, 4))).deviations == ()
    assert review(a_material(changes=changes, at="2026-05-02T12:00:00Z")).deviations == ()


def test_the_public_version_names_no_people_and_says_how_much_is_left_out():
    secret = a_rule("own.secret", title="Secret drill", is_public=False, owner="ada")
    duties = (a_duty("late", date(2026, 5, 1)), a_duty("late", date(2026, 5, 1), rule=secret))
    waivers = (
        a_record(("ada", "safety-lead"), ("ben", "ceo")),
        a_record(("ada", "safety-lead"), ("ben", "ceo"), is_public=False, reason="Kept inside."),
        a_record(("ada", "safety-lead"), ("ben", "ceo"), rule="own.secret", reason="Of the secret one."),
    )
    granted = (a_granted(is_public=True, reason="Public."), a_granted(id="im-2", reason="Inside."))
    material = a_material(*duties, waivers=waivers, granted=granted)
    found = review(material, is_public=True)
    assert found.left_out == 4
    assert [one.signed_by for one in (*found.waivers, *found.deviations)] == [("safety-lead", "ceo")] * 2
    for shown in (text(found), text(found, "html"), json.dumps(review_data(found))):
        for word in ("ada", "ben (", "Secret", "Kept inside", "Of the secret", "Inside."):
            assert word not in shown, word
    assert "Left out, because they are not public: 4." in text(found)
    assert "Nothing is left out." in text(review(a_material(), is_public=True))
    whole = review(material)
    assert "Secret drill" in text(whole)
    assert "it names people" in text(whole)


def test_neither_an_incident_nor_a_reason_of_the_house_is_published():
    counting = a_rule("own.incident", title="Look into it", clocks=(Clock(on="incident.discovered", within="5 days"),))
    secret = a_record(("ada", "safety-lead"), is_public=False, reason="The audit failed.")
    duties = (a_duty("late", date(2026, 5, 1), rule=counting, subject="inc-7"), a_duty("late", date(2026, 5, 1)))
    of_it = a_record(("ada", "safety-lead"), rule="own.incident", subject="inc-7", reason="It was nothing.")
    found = review(a_material(*duties, waivers=(secret, of_it)), is_public=True)
    assert (len(found.late), found.waivers, found.left_out) == (1, (), 3)
    assert all(word not in json.dumps(review_data(found)) for word in ("inc-7", "The audit", "It was nothing"))
    assert "inc-7" in json.dumps(review_data(review(a_material(*duties))))


def test_the_page_says_what_it_rests_on():
    material = a_material(
        a_duty("late", date(2026, 5, 1)), doubts=("the ledger lacks entry 3",), checkpoint=("Log x.",)
    )
    page = compliance_page(review(material))
    assert not page.is_final
    assert page.problems == ("the ledger lacks entry 3",)
    assert page.footer[-1] == "Log x."
    goes_on = compliance_page(review(a_material(at="2026-06-01T12:00:00Z")))
    assert not goes_on.is_final
    assert "the period goes on, and this is how it stood on 2026-06-01" in goes_on.status
    assert compliance_page(review(a_material())).is_final
    assert "Nothing was late." in text(review(a_material()))


def test_the_summary_counts():
    duties = (
        a_duty("met", date(2026, 5, 1), done=an_event()),
        a_duty("met_late", date(2026, 5, 2), done=an_event(at=date(2026, 5, 5))),
        a_duty("late", date(2026, 5, 3)),
        a_duty("unclear", None),
    )
    assert summary(review(a_material(*duties))) == (
        "4 promised, 1 done in time, 1 done late, 1 late and still open, 0 waived, 0 deviations, 1 unclear."
    )


def test_words_of_others_stay_words():
    rule = a_rule(title="<script>|# x\nBEGIN", text="y")
    found = review(a_material(a_duty("late", date(2026, 5, 1), rule=rule)))
    assert "<script>" not in text(found)
    assert "<script>" not in text(found, "html")
    assert text(found) == text(review(found.material))
