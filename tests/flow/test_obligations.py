# SPDX-License-Identifier: Apache-2.0
"""What is due in a house: events from files and log with their sources, honest about what was known when."""

from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from house import POLICY, House, a_house, a_signer
from office import an_office
from tidegate.flow import World
from tidegate.flow.compliance import compliance_review
from tidegate.flow.decisions import DecisionFile, Proposal, propose, review, revoke, sign
from tidegate.flow.incidents import open_incident, update_incident
from tidegate.flow.keys import revoke_key
from tidegate.flow.ledgers import Act, record_act, record_files
from tidegate.flow.noncompliance import NewReport, close, move, report, write
from tidegate.flow.obligations import (
    NewEvent,
    NewWaiver,
    Standing,
    record_event,
    standing,
    take_back,
    waive,
)
from tidegate.govern.decisions import Condition, Measure, Notice
from tidegate.incidents.model import Said
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import fixed_clock, fixed_now
from tidegate.kernel.errors import ProjectError, TidegateError
from tidegate.ledger.acts import CaseRecorded, CaseReviewed, KeyAdded, ReportFinalised
from tidegate.ledger.signing import proof_bytes
from tidegate.store.project import create_project

DAY = date(2026, 6, 1)
OWN: dict[str, Any] = {
    "schema": "tidegate/obligations/v1",
    "rules": [
        {
            "id": "own.training",
            "title": "Train the staff",
            "clocks": [{"on": "training.held"}],
            "every": "1 year",
            "restart": "first",
            "done_by": ["training.held"],
            "expects_start": True,
        },
        {"id": "own.audit", "title": "Have an audit", "due": "2026-05-20", "owner": "bob", "is_public": False},
        {
            "id": "own.market",
            "title": "Tell the authority",
            "clocks": [{"on": "deployment.planned", "before": "2 weeks"}],
        },
        {
            "id": "own.risk",
            "title": "Risk report",
            "clocks": [{"on": "policy.adopted", "within": "3 months"}],
            "done_by": ["report.risk.published"],
            "coverage_at_most": "30 days",
        },
    ],
}


NO_FACTS = (
    "obligations.yaml does not say what is so of the organisation (`facts`), so that no law, code or standard "
    "applies; `facts: []` says that nothing is"
)


def a_policy(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = deepcopy(POLICY)
    return {**made, "effective": "2026-01-15", **changes}


def owe(root: Path, **changes: Any) -> None:
    (root / "obligations.yaml").write_text(yaml.safe_dump({**OWN, **changes}))


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = a_house(tmp_path, a_policy())
    owe(made.root)
    return made


def bare(folder: Path, models: dict[str, Any], **changes: Any) -> World:
    """A project without a log."""
    project = {
        "schema": "tidegate/project/v1",
        "organisation": "House",
        "policy": {"file": "policy/house.yaml"},
    }
    files = {f"models/{name}.yaml": yaml.safe_dump(one) for name, one in models.items()}
    create_project(
        folder / "bare",
        {
            "tidegate.yaml": yaml.safe_dump(project),
            "policy/house.yaml": yaml.safe_dump(a_policy(**changes)),
            **files,
        },
    )
    return World(folder / "bare", fixed_clock(DAY), fixed_now(DAY))


def told(found: Standing, *kinds: str) -> list[tuple[str, str, str | None, str]]:
    """Give events of these kinds as (kind, when, subject, source)."""
    return [(one.kind, str(one.at), one.subject, one.source) for one in found.events if one.kind in kinds]


def the(found: Standing, rule: str) -> Any:
    [duty] = [one for one in found.duties if one.rule.id == rule]
    return duty


def codes(refused: pytest.ExceptionInfo[TidegateError]) -> list[str]:
    return [one.code for one in refused.value.problems]


# --- files ----------------------------------------------------------------------------------------------


def test_files_alone_tell_what_happened(tmp_path: Path) -> None:
    model = {
        "schema": "tidegate/model/v1",
        "id": "m",
        "released": "2026-05",
        "snapshots": [{"id": "s1", "created": "2026-04-01", "effective_compute": 4e26}, {"id": "s2"}],
        "deployments": [
            {"action": "general", "since": "2026-05-20"},
            {"action": "open_weights", "since": "2026-08-01"},
            {"action": "limited"},
        ],
    }
    world = bare(tmp_path, {"m": model}, supersedes="0")
    found = standing(world)
    assert told(found, "policy.effective", "policy.changed") == [
        ("policy.effective", "2026-01-15", "house@1", "policy/house.yaml"),
        ("policy.changed", "2026-01-15", "house@1", "policy/house.yaml"),
    ]
    assert told(found, "snapshot.made", "model.released") == [
        ("snapshot.made", "2026-04-01", "m", "models/m.yaml"),
        ("model.released", "2026-05-01", "m", "models/m.yaml"),
    ]
    [made] = [one for one in found.events if one.kind == "snapshot.made"]
    assert (made.amount, made.note) == (4e26, "snapshot s1")
    [released] = [one for one in found.events if one.kind == "model.released"]
    assert released.note == "dated 2026-05 only; counted from its first day"
    deployed = [(one.kind, str(one.at), sorted(one.facts)) for one in found.events if one.kind.startswith("deploy")]
    assert deployed == [
        ("deployment.planned", "2026-05-20", ["general"]),
        ("deployment.started", "2026-05-20", ["general"]),
        ("deployment.planned", "2026-08-01", ["open_weights"]),
        ("deployment.started", "2026-08-01", ["open_weights"]),
    ]
    assert found.gaps == (
        NO_FACTS,
        "models/m.yaml: the snapshot s2 of m has no day (`created`)",
        "models/m.yaml: the deployment limited of m has no day (`since`)",
    )


def test_a_planned_deployment_is_counted_back_from(tmp_path: Path) -> None:
    model = {"schema": "tidegate/model/v1", "id": "m", "deployments": [{"action": "general", "since": "2026-06-20"}]}
    world = bare(tmp_path, {"m": model})
    owe(world.root)
    duty = the(standing(world), "own.market")
    assert (duty.state, str(duty.due_on), duty.days_left) == ("due_soon", "2026-06-06", 5)
    late = the(standing(world, "2026-06-25T12:00:00Z"), "own.market")
    assert (late.state, late.days_left) == ("late", -19), "it does not vanish when the plan comes about"


def test_what_has_no_date_is_told_and_not_guessed(tmp_path: Path) -> None:
    world = bare(tmp_path, {}, effective=None)
    owe(world.root, events=[{"kind": "trainig.held", "at": "2026-05-01"}], facts=[])
    found = standing(world)
    assert found.gaps == (
        "policy/house.yaml: house@1 says not since when it is in effect (`effective`)",
        "obligations.yaml: no rule counts from trainig.held; did you mean 'training.held'?",
    )
    assert the(found, "own.training").state == "unclear"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("facts:\n  - frontier_developer\n  - large_frontier_develper\n", 4),
        ("facts: []\nwithout:\n  sb53.incidnt: no\n", 4),
        ("facts: []\ncalendars:\n  - {id: here, timezone: Mars/Phobos}\n", 4),
    ],
)
def test_what_contradicts_itself_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    world = bare(tmp_path, {})
    (world.root / "obligations.yaml").write_text(f"schema: tidegate/obligations/v1\n{text}")
    with pytest.raises(TidegateError) as refused:
        standing(world)
    [problem] = refused.value.problems
    assert problem.where is not None
    assert (problem.code, problem.where.line) == ("OBL002", line)


def test_events_of_the_file_count_and_may_not_lie_ahead(tmp_path: Path) -> None:
    world = bare(tmp_path, {})
    owe(world.root, events=[{"kind": "training.held", "at": "2026-05-01"}])
    assert told(standing(world), "training.held") == [("training.held", "2026-05-01", None, "obligations.yaml")]
    assert the(standing(world), "own.training").due_on == date(2027, 5, 1)
    owe(world.root, events=[{"kind": "training.held", "at": "2026-06-02"}])
    with pytest.raises(TidegateError) as refused:
        standing(world)
    assert codes(refused) == ["OBL003"]
    [problem] = refused.value.problems
    assert problem.where is not None
    assert (problem.where.file, problem.where.line) == ("obligations.yaml", 2)
    owe(world.root, events=[{"kind": "deployment.planned", "at": "2026-07-01", "subject": "m"}])
    assert the(standing(world), "own.market").due_on == date(2026, 6, 17)


# --- the log --------------------------------------------------------------------------------------------


def decided(house: House, day: date = DAY, **text: Any) -> str:
    world = house.world(day)
    record = propose(world, Proposal("m", ("general",), DecisionFile(**text)), house.actor("ada"))
    review(world, record.id, "supports", "The margin holds.", house.actor("kim"))
    for name in ("ada", "bob"):
        sign(world, record.id, None, house.actor(name))
    return record.id


MEASURE = Measure(
    id="im-1",
    kind="interim_measure",
    requirements=("T1-deploy",),
    actions=("general",),
    until=date(2026, 7, 1),
    reason="A stricter monitor stands in.",
    is_public=True,
)


def test_decisions_bring_events_and_what_they_ask_for(house: House) -> None:
    condition = Condition(text="Watch it for a month.", owner="bob", due=date(2026, 7, 1))
    notice = Notice(to="board", due=date(2026, 6, 10))
    decided(house, conditions=(condition,), notices=(notice,), measures=(MEASURE,), expires=date(2026, 8, 1))
    found = standing(house.world())
    size = found.governance.size
    effective = told(found, "decision.effective")
    assert effective == [("decision.effective", "2026-06-01T12:00:00Z", "D-1", f"entry {size - 1}")]
    assert told(found, "decision.expired")[0][1:3] == ("2026-08-02", "D-1")
    assert [(one.kind, one.facts, one.note) for one in found.events if one.kind == "waiver.recorded"] == [
        ("waiver.recorded", frozenset({"interim_measure"}), "interim measure im-1")
    ]
    asked = the(found, "decision/d-1/condition-1")
    assert (asked.state, asked.due_on, asked.rule.owner) == ("due_soon", date(2026, 7, 1), "bob")
    assert the(found, "decision/d-1/notice-board").due_on == date(2026, 6, 10)
    record_event(
        house.world(),
        NewEvent("done:decision/d-1/notice-board", DAY, document=house.root / "tidegate.yaml"),
        house.actor("eve"),
    )
    after = standing(house.world())
    assert the(after, "decision/d-1/notice-board").state == "met"
    assert after.records.recorded[0].act.document == digest_bytes((house.root / "tidegate.yaml").read_bytes())
    revoke(house.world(date(2026, 6, 2)), "D-1", "A jailbreak was found.", house.actor("ada"))
    ended = standing(house.world(date(2026, 6, 2)))
    assert not any(one.rule.id.startswith("decision/") for one in ended.duties)
    assert told(ended, "decision.expired") == []
    assert told(ended, "decision.effective") == effective, "that it was in effect stays so"


def test_reports_and_cases_bring_events(house: House) -> None:
    (house.root / "models" / "m.yaml").write_text(
        yaml.safe_dump(
            {
                "schema": "tidegate/model/v1",
                "id": "m",
                "snapshots": [{"id": "s1", "created": "2026-04-01", "effective_compute": 1e26}],
            }
        )
    )
    world = house.world()
    record_files(world)
    made = b"a report"
    body = ReportFinalised(report="R-1", kind="capability", model="m", snapshot="s1", document=digest_bytes(made))
    final = record_act(world, Act("report.finalised", body, house.actor("ada"), documents=(made,)))
    case = CaseRecorded(case="c-1", model="m", root=digest_bytes(b"root"), document=digest_bytes(b"case"))
    record_act(world, Act("case.recorded", case, documents=(b"case",)))
    seen = CaseReviewed(case="c-1", nodes={"C": digest_bytes(b"node")}, verdict="agrees")
    looked = record_act(world, Act("case.reviewed", seen, house.actor("kim")))
    found = standing(world)
    at, source = "2026-06-01T12:00:00Z", f"entry {final.index}"
    assert told(found, "report.final", "report.capability.final", "assessment.comprehensive") == [
        ("report.final", at, "m", source),
        ("report.capability.final", at, "m", source),
        ("assessment.comprehensive", at, "m", source),
    ]
    assert {one.amount for one in found.events if one.kind == "assessment.comprehensive"} == {1e26}
    assert told(found, "case.reviewed") == [("case.reviewed", at, "m", f"entry {looked.index}")]


def test_a_change_of_the_policy_is_one_and_locking_its_rules_is_none(house: House) -> None:
    path = house.root / "policy" / "house.yaml"
    path.write_text(yaml.safe_dump(a_policy(version="2", title="House policy, amended")))
    record_files(house.world())
    found = standing(house.world())
    assert [one[1:3] for one in told(found, "policy.adopted")] == [
        ("2026-05-02T12:00:00Z", "house@1"),
        ("2026-06-01T12:00:00Z", "house@2"),
    ]
    assert [one[2] for one in told(found, "policy.changed")] == ["house@2"]
    assert [one[2:] for one in told(found, "policy.effective")] == [
        ("house@2", "policy/house.yaml"),
        ("house@1", "entry 2"),
    ]
    lock = {
        "threshold": "T1",
        "indicator": "T1.a",
        "evaluation": "Eval A",
        "digest": "sha256:" + "0" * 64,
        "locked_on": "2026-06-02",
    }
    (house.root / "policy" / "rules.lock.yaml").write_text(
        yaml.safe_dump({"schema": "tidegate/locks/v1", "locks": [lock]})
    )
    later = house.world(date(2026, 6, 2))
    assert [one.entry.kind for one in record_files(later)] == ["policy.adopted"]
    assert len(told(standing(later), "policy.adopted", "policy.changed")) == 3


def test_noncompliance_brings_days_and_no_names(tmp_path: Path) -> None:
    house = an_office(tmp_path)
    world = house.world()
    filed = report(world, NewReport("The monitor was off.", "safeguards", to="mia"))
    mia = house.actor("mia")
    write(world, filed.case, "We look into it.", mia, to_reporter=True)
    move(world, filed.case, "triaged", mia, is_material=True)
    close(world, filed.case, "withdrawn", mia)
    found = standing(world)
    kinds = ("noncompliance.opened", "noncompliance.material", "noncompliance.told", "noncompliance.closed")
    assert [one[:3] for one in told(found, *kinds)] == [
        ("noncompliance.opened", "2026-06-01", filed.case),
        ("noncompliance.material", "2026-06-01", filed.case),
        ("noncompliance.told", "2026-06-01", filed.case),
        ("noncompliance.closed", "2026-06-01", filed.case),
    ]
    assert "mia" not in repr(found.events)
    assert "monitor was off" not in repr(found.events)


def test_incidents_start_the_clocks_of_the_law(house: House) -> None:
    owe(house.root, facts=["large_frontier_developer"])
    said = Said(
        title="Weights copied",
        times={"discovered": "2026-06-01T08:00:00Z", "imminent_risk_found": "2026-06-01T09:00:00Z"},
        jurisdictions=("us-ca",),
    )
    made = open_incident(house.world(), said, house.actor("ada"))
    found = standing(house.world())
    discovered = told(found, "incident.discovered")
    assert discovered == [
        ("incident.discovered", "2026-06-01T08:00:00Z", made.id, f"entry {found.governance.size - 1}")
    ]
    duty = the(found, "sb53.incident")
    assert (duty.subject, str(duty.due_on)) == (made.id, "2026-06-16")
    assert told(standing(house.world(), "2026-05-31T23:59:59Z"), "incident.discovered") == []


def test_an_incident_whose_clock_nobody_can_compute_is_unclear_and_not_silent(house: House) -> None:
    owe(house.root, facts=["large_frontier_developer", "gpai_systemic_risk"])
    answers: Any = {
        "model_involved": "yes",
        "death": "yes",
        "infrastructure": "no",
        "security_breach": "no",
        "weights_taken": "no",
    }
    said = Said(title="Somebody died", times={"discovered": "2026-06-01T08:00:00Z"}, answers=answers)
    made = open_incident(house.world(), said, house.actor("ada"))
    duty = the(standing(house.world()), "eu.incident.death")
    assert (duty.state, duty.subject) == ("unclear", made.id)
    assert "no incident.model_involvement_known is on record to count from" in duty.reason
    known = Said(times={"model_involvement_known": "2026-06-01T09:00:00Z"})
    update_incident(house.world(), made.id, known, house.actor("ada"))
    duty = the(standing(house.world()), "eu.incident.death")
    assert (duty.state, str(duty.due_on)) == ("due_soon", "2026-06-11")


def test_that_no_law_applies_for_want_of_facts_is_told(tmp_path: Path) -> None:
    world = bare(tmp_path, {})
    assert standing(world).gaps == (NO_FACTS,)
    owe(world.root, facts=[])
    assert standing(world).gaps == ()


def test_a_new_version_neither_forgets_what_was_missed_nor_backdates_what_is_new(tmp_path: Path) -> None:
    yearly = {"id": "C.train", "title": "Training", "text": "We train.", "cadence": "P1Y", "force": "will"}
    made = a_house(tmp_path, a_policy(effective="2025-01-10", commitments=[yearly]))
    owe(made.root, facts=["practice_training"])
    assert the(standing(made.world()), "practice.training").state == "late"
    later = {**yearly, "id": "C.drill", "title": "Drills"}
    changed = a_policy(version="2", effective="2026-06-05", commitments=[yearly, later], supersedes="house@1")
    (made.root / "policy" / "house.yaml").write_text(yaml.safe_dump(changed))
    record_files(made.world(date(2026, 6, 3)))
    found = standing(made.world(date(2026, 6, 10)))
    for rule, due_on in (
        ("practice.training", "2026-01-10"),
        ("policy/C.train", "2026-01-10"),
        ("policy/C.drill", "2027-06-05"),
    ):
        assert str(the(found, rule).due_on) == due_on, rule


def test_what_is_recorded_later_than_it_was_says_so(house: House) -> None:
    ada = house.actor("ada")
    record_event(house.world(), NewEvent("training.held", date(2026, 5, 20), note="In two rooms."), ada)
    record_event(house.world(), NewEvent("training.held", DAY), ada)
    notes = [one.note for one in standing(house.world()).events if one.kind == "training.held"]
    assert notes == ["In two rooms.; put on record on 2026-06-01", None]


# --- what was known when --------------------------------------------------------------------------------


def test_an_earlier_day_uses_nothing_that_was_recorded_later(house: House) -> None:
    record_event(house.world(date(2026, 6, 5)), NewEvent("training.held", date(2026, 5, 20)), house.actor("ada"))
    today = house.world(date(2026, 6, 8))
    assert the(standing(today), "own.training").due_on == date(2027, 5, 20)
    assert the(standing(today, "2026-06-04T23:59:59Z"), "own.training").state == "unclear"
    assert the(standing(today, "2026-06-05T23:59:59Z"), "own.training").state == "due"
    known_since = standing(today, "2026-06-04T23:59:59Z", known="2026-06-08T12:00:00Z")
    assert the(known_since, "own.training").due_on == date(2027, 5, 20)


def test_an_earlier_day_has_the_models_of_that_day(house: House) -> None:
    path = house.root / "models" / "m.yaml"
    path.write_text(path.read_text().replace("2026-04-01", "2026-04-03"))
    record_files(house.world(date(2026, 6, 5)))
    today = house.world(date(2026, 6, 8))
    assert told(standing(today), "snapshot.made")[0][1] == "2026-04-03"
    assert told(standing(today, "2026-06-04T23:59:59Z"), "snapshot.made")[0][1] == "2026-04-01"


def test_files_that_are_not_what_was_entered_are_doubtful(house: House) -> None:
    assert standing(house.world()).doubts == ()
    path = house.root / "models" / "m.yaml"
    path.write_text(path.read_text().replace("2026-04-01", "2026-04-03"))
    [doubt] = standing(house.world()).doubts
    assert "m" in doubt
    assert standing(house.world(), "2026-05-20T23:59:59Z").doubts == ()


def test_what_was_planned_did_not_thereby_happen(house: House) -> None:
    given = NewEvent("training.held", date(2026, 6, 10), is_planned=True)
    record_event(house.world(), given, house.actor("ada"))
    for day in (date(2026, 6, 9), date(2026, 6, 11)):
        assert the(standing(house.world(day)), "own.training").state == "unclear"
    event = NewEvent("deployment.planned", date(2026, 6, 20), subject="m", is_planned=True)
    record_event(house.world(), event, house.actor("ada"))
    assert the(standing(house.world(date(2026, 6, 21))), "own.market").state == "late"


# --- recording ------------------------------------------------------------------------------------------


def test_an_event_is_recorded_corrected_and_taken_back(house: House) -> None:
    world, ada = house.world(), house.actor("ada")
    first = record_event(world, NewEvent("training.held", date(2026, 5, 1)), ada)
    second = record_event(world, NewEvent("training.held", date(2026, 5, 4), corrects=str(first.index)), ada)
    assert the(standing(world), "own.training").due_on == date(2027, 5, 4)
    assert second.replaces == first.index
    gone = take_back(world, second.id, "It was another team.", house.actor("eve"))
    assert gone.is_retraction
    found = standing(world)
    assert the(found, "own.training").due_on == date(2027, 5, 1), "what it had corrected stands again"
    assert [one.by for one in found.records.recorded] == ["ada", "ada", "eve"]


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"kind": "training.hold"}, "OBL002", "no rule counts from 'training.hold'"),
        ({"on": date(2026, 6, 2)}, "OBL003", "lies in the future"),
        ({"kind": "report.risk.published"}, "OBL003", "asks up to which day it covers what is known"),
        ({"corrects": "999"}, "OBL003", "entry 999 is no recorded event"),
        ({"corrects": "0"}, "OBL003", "entry 0 is no recorded event"),
        ({"document": Path("absent.pdf")}, "DOC001", ""),
    ],
)
def test_what_would_have_no_effect_is_refused_and_not_entered(house: House, changes: Any, code: str, said: str) -> None:
    before = standing(house.world()).governance.size
    given = {"kind": "training.held", "on": date(2026, 5, 1), **changes}
    with pytest.raises(TidegateError) as refused:
        record_event(house.world(), NewEvent(**given), house.actor("ada"))
    assert codes(refused) == [code]
    assert said in refused.value.problems[0].message
    assert standing(house.world()).governance.size == before


def test_an_amount_is_asked_for_where_a_rule_counts_from_it(house: House) -> None:
    rule = {
        "id": "own.scale",
        "title": "Assess what is larger",
        "clocks": [{"on": "training.scaled", "within": "1 month", "ratio": 4, "since": "assessment.comprehensive"}],
    }
    owe(house.root, rules=[*OWN["rules"], rule])
    with pytest.raises(TidegateError) as refused:
        record_event(house.world(), NewEvent("training.scaled", DAY, subject="m"), house.actor("ada"))
    assert codes(refused) == ["OBL003"]
    record_event(house.world(), NewEvent("training.scaled", DAY, subject="m", amount="4e26"), house.actor("ada"))


def test_saying_the_same_again_corrects_nothing(house: House) -> None:
    world, ada = house.world(), house.actor("ada")
    made = record_event(world, NewEvent("training.held", date(2026, 5, 1)), ada)
    again = NewEvent("training.held", date(2026, 5, 1), corrects=str(made.index), note="Really.")
    with pytest.raises(TidegateError) as refused:
        record_event(world, again, ada)
    assert codes(refused) == ["OBL003"]
    take_back(world, str(made.index), "No.", ada)
    with pytest.raises(TidegateError) as refused:
        take_back(world, str(made.index), "No, really.", ada)
    assert codes(refused) == ["OBL003"]


def test_what_a_stolen_key_recorded_starts_nothing(house: House) -> None:
    record_event(house.world(), NewEvent("training.held", date(2026, 5, 1)), house.actor("eve"))
    assert the(standing(house.world()), "own.training").state == "due"
    key = house.signers["eve"].fingerprint
    revoke_key(house.world(date(2026, 6, 2)), key, "stolen", house.actor("ada"), "2026-06-01T00:00:00Z")
    assert the(standing(house.world(date(2026, 6, 2))), "own.training").state == "unclear"


def test_a_key_that_nobody_added_records_nothing(house: House) -> None:
    house.signers["eve"] = a_signer()
    with pytest.raises(TidegateError) as refused:
        record_event(house.world(), NewEvent("training.held", date(2026, 5, 1)), house.actor("eve"))
    assert codes(refused) == ["KEY003"]


# --- waivers --------------------------------------------------------------------------------------------


def test_a_duty_is_set_aside_once_two_have_signed(house: House) -> None:
    world = house.world()
    assert the(standing(world), "own.audit").state == "late"
    given = NewWaiver("own.audit", date(2026, 6, 15), "The auditor is ill.")
    half = waive(world, given, house.actor("ada"))
    assert half.missing == "approve-measures: 1 of 2 signatures; open: ceo, board-member"
    assert the(standing(world), "own.audit").state == "late"
    whole = waive(world, NewWaiver("own.audit"), house.actor("eve"))
    assert whole.missing is None
    found = standing(world)
    duty = the(found, "own.audit")
    assert (duty.state, duty.waiver.signed_by) == ("waived", ("safety-lead", "board-member"))
    assert [one.person for one in found.waiver_of(duty).signatures] == ["ada", "eve"]
    assert the(standing(house.world(date(2026, 6, 16))), "own.audit").state == "late"
    assert the(standing(world, "2026-05-31T23:59:59Z"), "own.audit").state == "late", "not before it was signed"


@pytest.mark.parametrize(
    ("given", "person", "code"),
    [
        (NewWaiver("own.audit", date(2026, 6, 15), "Why."), "bob", "KEY006"),
        (NewWaiver("own.audit", date(2026, 6, 15)), "ada", "OBL004"),
        (NewWaiver("own.audit"), "ada", "OBL004"),
        (NewWaiver("own.adit", date(2026, 6, 15), "Why."), "ada", "OBL002"),
        (NewWaiver("sb53.incident", date(2026, 6, 15), "Why."), "ada", "OBL004"),
        (NewWaiver("own.audit", date(2026, 6, 15), "Why."), "kim", "KEY004"),
        (NewWaiver("own.audit", date(2026, 6, 15), "Why.", role="ceo"), "ada", "KEY004"),
        (NewWaiver("own.audit", date(2026, 5, 15), "Why."), "ada", "OBL004"),
    ],
)
def test_a_waiver_that_cannot_count_is_refused(house: House, given: NewWaiver, person: str, code: str) -> None:
    with pytest.raises(TidegateError) as refused:
        waive(house.world(), given, house.actor(person))
    assert codes(refused) == [code]
    assert standing(house.world()).records.waivers == ()


def test_who_may_sign_in_two_roles_says_in_which(tmp_path: Path) -> None:
    house = a_house(tmp_path, a_policy())
    owe(house.root)
    file = house.root / "tidegate.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["people"].append({"id": "zoe", "roles": ["ceo", "board-member"]})
    file.write_text(yaml.safe_dump(settings))
    house.signers["zoe"] = signer = a_signer()
    roles = ("board-member", "ceo")
    proof = signer.sign(proof_bytes("zoe", roles, signer.public_key))
    body = KeyAdded(person="zoe", roles=roles, public_key=signer.public_key, proof=proof)
    record_act(house.world(), Act("key.added", body, house.actor("ada")))
    given = NewWaiver("own.market", date(2026, 6, 15), "Why.")
    with pytest.raises(TidegateError) as refused:
        waive(house.world(), given, house.actor("zoe"))
    assert codes(refused) == ["KEY004"]
    assert "say in which role" in (refused.value.problems[0].hint or "")
    made = waive(house.world(), replace(given, role="ceo"), house.actor("zoe"))
    assert [one.role for one in made.signatures] == ["ceo"]


def test_who_is_faster_does_not_undo_what_another_enters(house: House) -> None:
    rivals = iter(range(1))

    def ids() -> str:
        for _ in rivals:
            record_event(house.world(), NewEvent("training.held", date(2026, 5, 2)), house.actor("eve"))
        return house.ids()

    world = replace(house.world(), ids=ids)
    made = record_event(world, NewEvent("training.held", date(2026, 5, 1)), house.actor("ada"))
    recorded = standing(house.world()).records.recorded
    assert [(one.by, one.index) for one in recorded] == [("eve", made.index - 1), ("ada", made.index)]


def test_of_two_that_wait_one_has_to_be_named(house: House) -> None:
    world, ada = house.world(), house.actor("ada")
    for reason in ("One.", "Another."):
        waive(world, NewWaiver("own.audit", date(2026, 6, 15), reason), ada)
    with pytest.raises(TidegateError) as refused:
        waive(world, NewWaiver("own.audit"), house.actor("eve"))
    assert codes(refused) == ["OBL004"]
    assert waive(world, NewWaiver("own.audit", date(2026, 6, 15), "Another."), house.actor("eve")).missing is None


def test_a_policy_without_such_an_approval_says_what_to_add(tmp_path: Path) -> None:
    house = a_house(tmp_path, a_policy(approvals=[]))
    owe(house.root)
    with pytest.raises(TidegateError) as refused:
        waive(house.world(), NewWaiver("own.audit", date(2026, 6, 15), "Why."), house.actor("ada"))
    [problem] = refused.value.problems
    assert problem.code == "OBL004"
    assert "act: waiver" in (problem.hint or "")


# --- the review of a period -----------------------------------------------------------------------------


def test_a_review_tells_what_was_late_waived_and_deviated(house: House) -> None:
    path = house.root / "policy" / "house.yaml"
    change = {
        "threshold": "T1",
        "was": "Eval A",
        "now": "Eval B",
        "on": "2026-05-20",
        "reason": "The first one leaked.",
        "approved_by": ["safety-lead"],
    }
    path.write_text(yaml.safe_dump(a_policy(evaluation_changes=[change])))
    record_files(house.world())
    decided(house, measures=(MEASURE,), notices=(), expires=date(2026, 8, 1))
    waive(
        house.world(),
        NewWaiver("own.audit", date(2026, 6, 15), "The auditor is ill.", is_public=False),
        house.actor("ada"),
    )
    waive(house.world(), NewWaiver("own.audit"), house.actor("eve"))
    record_event(house.world(date(2026, 7, 3)), NewEvent("done:own.audit", date(2026, 6, 20)), house.actor("bob"))
    today = house.world(date(2026, 7, 5))
    found = compliance_review(today, date(2026, 5, 1), date(2026, 6, 30))
    [late] = [one for one in found.late if one.rule.id == "own.audit"]
    assert (late.state, late.days_left) == ("met_late", -31)
    assert [one.kind for one in found.deviations] == ["interim measure", "changed evaluation"]
    assert [(one.what, one.signed_by) for one in found.waivers] == [
        ("own.audit", ("ada (safety-lead)", "eve (board-member)"))
    ]
    assert found.deviations[0].signed_by == ("ada (safety-lead)", "bob (ceo)")
    assert found.deviations[0].source.startswith("decision D-1, entry ")
    assert [one.rule.id for one in found.unclear] == ["own.training"]
    before = compliance_review(today, date(2026, 5, 1), date(2026, 6, 30), known=date(2026, 7, 1))
    assert [one.state for one in before.late if one.rule.id == "own.audit"] == ["late"]
    public = compliance_review(today, date(2026, 5, 1), date(2026, 6, 30), is_public=True)
    assert public.waivers == ()
    assert not any(one.rule.id == "own.audit" for one in public.promised)
    assert public.deviations[0].signed_by == ("safety-lead", "ceo")
    assert public.left_out == 2


def test_a_review_of_a_period_that_goes_on_tells_how_it_stands(house: House) -> None:
    house.checkpoint()
    found = compliance_review(house.world(), date(2026, 5, 1), date(2026, 12, 31))
    [line] = found.material.checkpoint
    assert line.startswith("Log checkpoint: example.com/house, ")
    assert not found.is_over
    assert found.material.at == "2026-06-01T12:00:00Z"
    assert [one.rule.id for one in found.coming] == ["own.risk"]


def test_a_review_is_held_under_the_policy_of_its_period(house: House) -> None:
    path = house.root / "policy" / "house.yaml"
    change = {"id": "C-1", "title": "Review it", "text": "We will review it.", "force": "will", "cadence": "P3M"}
    path.write_text(yaml.safe_dump(a_policy(commitments=[change])))
    record_files(house.world(date(2026, 5, 3)))
    path.write_text(yaml.safe_dump(a_policy(version="2", commitments=[])))
    record_files(house.world())
    today = house.world(date(2026, 6, 8))
    before = compliance_review(today, date(2026, 4, 1), date(2026, 5, 31))
    assert before.material.policy.label == "house@1"
    assert "policy/C-1" in [one.rule.id for one in before.late]
    sources = {one.source for duty in before.late for one in duty.started if one.kind == "policy.effective"}
    assert [one.split()[0] for one in sources] == ["entry"]
    after = compliance_review(today, date(2026, 6, 1), date(2026, 6, 8))
    assert after.material.policy.label == "house@2"
    assert [one.subject for one in after.material.adopted] == ["house@2"]
    assert [one.subject for one in before.material.adopted] == ["house@1", "house@1"]


CHANGE = {"threshold": "T1", "was": "Eval A", "now": "Eval B", "on": "2026-05-20", "reason": "It leaked."}


@pytest.mark.parametrize(
    ("changes", "told_as"),
    [
        ({}, [("unrecorded change", "T1: Eval B in place of Eval A", "The policy does not record it.")]),
        ({"evaluation_changes": [CHANGE]}, [("changed evaluation", "T1: Eval B in place of Eval A", "It leaked.")]),
        ({"version": "2"}, []),
    ],
    ids=["silent", "recorded", "amended"],
)
def test_an_evaluation_is_not_exchanged_in_silence(house: House, changes: Any, told_as: Any) -> None:
    made = a_policy(**changes)
    made["thresholds"][0]["indicators"][0]["evaluation"] = "Eval B"
    (house.root / "policy" / "house.yaml").write_text(yaml.safe_dump(made))
    record_files(house.world(date(2026, 5, 20)))
    found = compliance_review(house.world(), date(2026, 5, 1), date(2026, 5, 31), is_public=True)
    assert [(one.kind, one.what, one.why) for one in found.deviations] == told_as


def test_a_line_is_not_moved_in_silence(house: House) -> None:
    made = a_policy()
    made["thresholds"][0]["indicators"][0]["rule"] = {"rule_out": {"value": 0.9, "crossed_when": ">="}}
    (house.root / "policy" / "house.yaml").write_text(yaml.safe_dump(made))
    record_files(house.world(date(2026, 5, 20)))
    [one] = compliance_review(house.world(), date(2026, 5, 1), date(2026, 5, 31)).deviations
    assert (one.kind, one.what) == ("unrecorded change", "T1: it is decided by another rule")
    assert one.source.startswith("entry ")


@pytest.mark.parametrize(("start", "end"), [(date(2026, 6, 1), date(2026, 5, 1)), (date(2026, 7, 1), date(2026, 8, 1))])
def test_a_review_needs_a_period(house: House, start: date, end: date) -> None:
    with pytest.raises(ProjectError) as refused:
        compliance_review(house.world(), start, end)
    assert codes(refused) == ["PRJ005"]
