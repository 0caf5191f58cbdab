# SPDX-License-Identifier: Apache-2.0
"""Cases by template, from the published figures and the demo's own runs."""

from datetime import date
from typing import Any, get_args

import pytest

from case_factories import AT, World, a_context, agreed, world
from factories import (
    TODAY,
    a_check,
    a_count,
    a_line,
    a_model,
    a_policy,
    a_record,
    a_requirement,
    a_set,
    a_threshold,
    an_indicator,
)
from tidegate.assess import assess
from tidegate.case.build import build
from tidegate.case.checks import examine
from tidegate.case.draft import MAX_ID, CaseRequest, listed, short
from tidegate.case.load import case_text, hand_written_text, load_case_text
from tidegate.case.model import NodeId, SafetyCase, Template
from tidegate.case.review import root
from tidegate.evidence.model import Bound, Evaluator, Evidence, Provenance
from tidegate.evidence.models import Deployment, Snapshot
from tidegate.kernel.errors import AssessError
from tidegate.policy.model import Combination, Rule, ThreatModel, Trigger

TEMPLATES: tuple[Template, ...] = get_args(Template)
PACKS = ("rsp-v2.2", "rsp-v3.4", "openai-pf2", "gdm-fsf-v3.1", "meta-aasf-v2", "starter", "demo")
SOME = ("claude-opus-4", "openai-o3", "gemini-2-5-pro", "stand-in-mostly-wrong", "stand-in-mostly-right")


def built(found: World, model: str, template: Template = "inability", **parts: Any) -> SafetyCase:
    request = CaseRequest(model=model, template=template, author="alice", **parts)
    return build(found.policy, found.assessment, found.evidence, found.models, request)


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_builds_a_whole_case_under_every_policy(pack: str, template: Template) -> None:
    """What is missing is said: undeveloped, unowned, doubted, without falsifier. Nothing else is wrong."""
    found = world(pack)
    for model in SOME:
        case = built(found, model, template)
        looked = examine(case, found.context)
        assert {one.code for one in looked.findings} <= {"SC04", "SC06", "SC09", "SC11", "SC13", "SC14"}
        assert {one.severity for one in looked.findings if one.code == "SC04"} <= {"warning"}
        assert looked.setting.graph.top == "TOP"
        assert looked.confidence.span.low == 0
        assert load_case_text(case_text(case)).case == case
        assert root(built(found, model, template)) == root(case)


@pytest.mark.parametrize("pack", PACKS)
def test_no_reading_is_left_out(pack: str) -> None:
    """Every record that was read is evidence, an open defeater, or listed among what decides nothing."""
    found = world(pack)
    for assessed in found.assessment.models:
        case = built(found, assessed.model, thresholds=tuple(one.id for one in found.policy.thresholds))
        doubts = {one.source for one in case.nodes if one.kind == "defeater" and one.doubted.state == "open"}
        cited = {one.cited.record for one in case.nodes if one.cited}
        listed_ = " ".join(one.text for one in case.nodes if one.kind == "context")
        for finding in assessed.thresholds:
            for reading in (one for indicator in finding.indicators for one in indicator.readings):
                against = reading.crosses or reading.shows or bool(reading.set_aside)
                assert not against or f"evidence:{reading.evidence}" in doubts
                assert reading.supports <= (reading.evidence in cited)
                assert reading.evidence in listed_
            unread = " ".join(one.text for one in case.nodes if one.id.endswith("/unread"))
            assert all(record in unread for record in finding.unread)


@pytest.mark.parametrize("pack", PACKS)
def test_a_threshold_that_is_not_ruled_out_is_never_shown(pack: str) -> None:
    """Even if people developed every gap and owned every assumption, it would stay at no more than even."""
    found = world(pack)
    for model in SOME:
        case = developed(built(found, model))
        looked = examine(case, found.context)
        assessed = found.assessment.model(model)
        assert assessed is not None
        for name in case.thresholds:
            finding = assessed.finding(name)
            assert finding is not None
            if not finding.is_ruled_out:
                low = looked.confidence.nodes[f"T/{name}"].low
                assert low <= 0.5, (model, name, finding.finding)


def developed(case: SafetyCase) -> SafetyCase:
    """Give the case as if people had supported every gap that is not about a result, and owned every assumption."""
    nodes = []
    for node in case.nodes:
        data = node.model_dump()
        if node.kind == "assumption":
            data |= {"owner": "bob", "review_on": "2027-01-01"}
        if node.undeveloped and not node.id.endswith(("/result", "/tests", "/by")):
            proof = f"{node.id}/proof"
            data |= {"undeveloped": False, "supported_by": (proof,)}
            link = {"digest": f"sha256:{'0' * 64}", "producer": "x", "produced_on": "2026-11-01", "model": case.model}
            sure = {"low": 1.0, "basis": "judged"}
            nodes.append({"id": proof, "kind": "evidence", "text": "x", "cited": link, "confidence": sure})
        nodes.append(data)
    return SafetyCase.model_validate({**case.model_dump(by_alias=True), "nodes": nodes})


def test_the_demo_run_that_rules_out_carries_its_case_once_the_gaps_are_filled() -> None:
    case = built(world("demo"), "stand-in-mostly-wrong")
    (result,) = [one for one in case.nodes if one.kind == "evidence"]
    record = next(one for one in world("demo").evidence.records if result.cited and one.id == result.cited.record)
    assert result.cited is not None
    assert (result.cited.digest, result.cited.model) == (record.digest, "stand-in-mostly-wrong")
    assert result.confidence is not None
    assert result.confidence.low == 0.95
    whole = developed(case)
    looked = examine(whole, a_context(evidence=world("demo").evidence, at=AT, models=world("demo").models,
                                      policy=world("demo").policy, reviews=agreed(whole)))  # fmt: skip
    assert [str(one) for one in looked.findings] == []
    assert looked.confidence.span.low == pytest.approx(0.95)
    assert looked.confidence.worst == result.id


def test_a_run_that_shows_the_capability_blocks_the_claim() -> None:
    case = built(world("demo"), "stand-in-mostly-right")
    (doubt,) = [one for one in case.nodes if one.kind == "defeater"]
    assert doubt.challenges == ("T/ADD-1",)
    assert (doubt.doubted.state, doubt.doubted.effect) == ("open", "blocks")
    (proof,) = doubt.supported_by
    assert case.by_id[proof].kind == "evidence"
    assert not case.by_id["I/ADD-1/ADD-1.sums/result"].supported_by
    assert case.by_id["I/ADD-1/ADD-1.sums/result"].undeveloped


# --- from small inputs -----------------------------------------------------------------------------------


def small(*records: Evidence, model: Any = None, **policy: Any) -> World:
    thresholds = policy.pop("thresholds", (a_threshold(),))
    made = a_policy(*thresholds, **policy)
    models = (model or a_model("m"), a_model("big"))
    evidence = a_set(*records)
    return World(made, assess(made, evidence, models, TODAY), evidence, models)


def test_scope_and_period_come_from_model_and_policy() -> None:
    deployed = a_model("m", deployments=(Deployment(action="limited", since=date(2026, 1, 1)),
                                         Deployment(action="general", until=date(2026, 1, 1))))  # fmt: skip
    event = {"on": "elapsed_time", "every": "P3M"}
    trigger = Trigger.model_validate({"id": "t", "starts": "assessment", "events": [event], "force": "must"})
    case = built(small(model=deployed, triggers=(trigger,)), "m")
    assert case.actions == ("limited",)
    assert (case.period.from_, case.period.until) == (TODAY, date(2026, 9, 1))
    assert built(small(), "m").actions == ("general",)
    assert built(small(), "m").period.until == date(2026, 12, 1)
    assert built(small(), "m", actions=("train",)).actions == ("train",)


def test_thresholds_are_those_that_require_something_or_those_named() -> None:
    free = a_threshold("T2", requirements=())
    found = small(thresholds=(a_threshold(), free))
    assert built(found, "m").thresholds == ("T1",)
    assert built(found, "m", actions=("train",)).thresholds == ("T1", "T2")
    assert built(found, "m", thresholds=("test#T2", "t2")).thresholds == ("T2",)


@pytest.mark.parametrize(
    ("parts", "code"), [({"model": "x"}, "ASM001"), ({"model": "m", "thresholds": ("T9",)}, "ASM002")]
)
def test_what_is_not_known_is_refused(parts: dict[str, Any], code: str) -> None:
    with pytest.raises(AssessError) as caught:
        built(small(), **parts)
    assert caught.value.problems[0].code == code


def test_set_aside_records_cap_and_crossing_ones_block() -> None:
    old = a_record("old", finished="2020-01-15")
    high = a_record("high", a_count(80, 100))
    threshold = a_threshold(indicators=(an_indicator(max_age="P1Y"),))
    case = built(small(old, high, a_record("good"), thresholds=(threshold,)), "m")
    doubts = {one.source: (one.challenges, one.doubted.effect, one.doubted.cap) for one in case.nodes if one.doubt}
    assert doubts == {
        "evidence:old": (("I/T1/T1.a/result",), "caps", 0.5),
        "evidence:high": (("T/T1",), "blocks", None),
    }
    assert case.by_id["E/good"].cited.max_age == "P1Y"  # type: ignore[union-attr]
    assert case.by_id["I/T1/T1.a/result"].supported_by == ("E/good",)


def test_an_outvoted_line_blocks_only_its_own_evaluation() -> None:
    two = (an_indicator("T1.a"), an_indicator("T1.b", "Eval B"))
    threshold = a_threshold(indicators=two, combine=Combination(rule_out="any", outvotes_crossed=True))
    high = a_record("high", a_count(80, 100, "Eval B"))
    case = built(small(a_record("good"), high, thresholds=(threshold,)), "m")
    assert case.by_id["T/T1/tests"].aggregation == "any"
    assert [one.challenges for one in case.nodes if one.kind == "defeater"] == [("I/T1/T1.b/result",)]


def test_a_bare_figure_gives_no_confidence() -> None:
    rule = Rule(rule_out=a_line(0.5), confidence=None)
    case = built(small(a_record("good"), thresholds=(a_threshold(indicators=(an_indicator(rule=rule),)),)), "m")
    confidence = case.by_id["E/good"].confidence
    assert confidence is not None
    assert confidence.low == 0


def test_a_placeholder_is_an_open_doubt() -> None:
    threshold = a_threshold(indicators=(an_indicator(placeholder=True),))
    case = built(small(a_record("good"), thresholds=(threshold,)), "m")
    assert case.by_id["D/I/T1/T1.a/placeholder"].challenges == ("I/T1/T1.a/proxy",)


def test_a_rule_out_by_another_model_rests_on_an_assumption_without_owner() -> None:
    bounded = a_model("m", bounded_by=(Bound(model="m", by="big", reason="smaller"),))
    case = built(small(a_record("r", model="big"), model=bounded), "m")
    assert case.by_id["T/T1/by"].undeveloped
    assert case.by_id["T/T1/by"].in_context_of == ("T/T1/by/bound",)
    assert case.by_id["T/T1/shown"].aggregation == "any"
    assert case.by_id["T/T1/by/bound"].owner is None


def test_threat_models_are_context_and_their_completeness_a_justification() -> None:
    threat = ThreatModel(id="tm", domain="cyber", title="Worm", pathway=("find", "spread"), bottlenecks=("find",),
                         completeness="others were ruled out")  # fmt: skip
    case = built(small(thresholds=(a_threshold(threat_models=("tm",)),), threat_models=(threat,)), "m")
    assert case.by_id["T/T1/risk"].in_context_of == ("threat/tm", "threat/tm/completeness")
    assert case.by_id["threat/tm"].text == "Worm Step: find. Step: spread. Bottleneck: find."


def test_safeguards_cite_what_the_assessment_found_met() -> None:
    case = built(small(a_check("c1")), "m", "safeguards-for-misuse")
    assert case.by_id["K/S1.1/S1.1"].supported_by == ("E/c1",)
    assert "R/T1-deploy" in case.by_id["T/T1/argument"].supported_by
    without = built(small(a_check("c1", outcome="fail")), "m", "safeguards-for-misuse")
    assert without.by_id["K/S1.1/S1.1"].undeveloped
    assert "not met" in without.by_id["K/S1.1/S1.1"].text
    halting = a_threshold(requirements=(a_requirement(kind="halt", target=None),))
    halted = built(small(thresholds=(halting,)), "m", "safeguards-for-misuse").by_id["R/T1-deploy"]
    assert halted.undeveloped
    assert "not met" in halted.text


@pytest.mark.parametrize("template", [one for one in TEMPLATES if one != "inability"])
def test_other_templates_leave_their_claims_to_people(template: Template) -> None:
    case = built(small(), "m", template)
    gaps = [one for one in case.nodes if one.id.startswith(f"{template}/")]
    assert len(gaps) >= 5
    assert all(one.undeveloped for one in gaps)
    assert all(one.owner is None for one in case.nodes if one.kind == "assumption")
    assert case.by_id["T/T1"].falsifier
    assert len({one.text for one in case.nodes}) == len(case.nodes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"evaluator": Evaluator(name="METR"), "signed_by": ("x",)}, "METR"),
        ({"signed_by": ("lab", "auditor")}, "lab, auditor"),
        ({"provenance": Provenance(format="t", title="System card", tool="t 1")}, "System card"),
        ({"provenance": Provenance(format="t", tool="tool 1")}, "tool 1"),
        ({"evaluator": Evaluator(relation="independent")}, "independent evaluator"),
        ({}, None),
    ],
)
def test_producers(changes: dict[str, Any], expected: str | None) -> None:
    cited = built(small(a_record("good", **changes)), "m").by_id["E/good"].cited
    assert cited is not None
    assert cited.producer == expected


def test_generating_anew_keeps_what_people_wrote() -> None:
    before, after = small(), small(a_record("good"))
    first, second = built(before, "m"), built(after, "m")
    people = hand_written_text(first, "gen.yaml", "bob").replace(
        "extends: {}", "extends:\n  A/coverage: {owner: bob, review_on: 2026-12-01}"
    )
    for generated in (first, second):
        case = load_case_text(people, "case.yaml", {"gen.yaml": case_text(generated)}).case
        assert case.by_id["A/coverage"].owner == "bob"
        assert case.by_id["A/coverage"].authors == {"alice", "bob"}
        assert {one.id for one in case.nodes} == {one.id for one in generated.nodes}
    assert root(first) != root(second)


@pytest.mark.parametrize("name", ["x" * 300, "a b", "ä/ö", "a->b", f"E/{'r' * MAX_ID}"])
def test_any_name_becomes_an_id_of_its_own(name: str) -> None:
    from pydantic import TypeAdapter  # noqa: PLC0415

    made = short(f"N{name}")
    TypeAdapter(NodeId).validate_python(made)
    assert made != short(f"N{name}!")


def test_names_are_listed() -> None:
    assert [listed(names) for names in ((), ("a",), ("a", "b"), ("a", "b", "c"))] == ["", "a", "a and b", "a, b and c"]


def test_a_record_that_two_rules_read_counts_by_the_stricter_one() -> None:
    lax = an_indicator("T1.b", rule=Rule(rule_out=a_line(0.5), confidence=0.8), max_age="P2Y")
    strict = an_indicator("T1.a", same_snapshot=True, max_age="P12M")
    found = small(
        a_record("good", snapshot="s1", valid_until_event="incident"),
        model=a_model("m", Snapshot(id="s1")),
        thresholds=(a_threshold(indicators=(lax, strict)),),
    )
    node = built(found, "m").by_id["E/good"]
    assert node.confidence is not None
    assert node.cited is not None
    assert node.confidence.low == 0.8
    assert (node.cited.max_age, node.cited.ends_on) == ("P12M", ("incident", "new_snapshot"))


def test_several_records_for_one_need_suffice_one_by_one() -> None:
    case = built(small(a_check("c1"), a_check("c2", finished="2026-02-15")), "m", "safeguards-for-misuse")
    need = case.by_id["K/S1.1/S1.1"]
    assert set(need.supported_by) == {"E/c1", "E/c2"}
    assert need.aggregation == "any"
