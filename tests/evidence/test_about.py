# SPDX-License-Identifier: Apache-2.0
"""What can bear on one model's verdict is all that is needed for it, and not much more."""

import itertools
from importlib import resources
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import (
    TODAY,
    a_check,
    a_conclusion,
    a_count,
    a_model,
    a_policy,
    a_record,
    a_set,
    a_threshold,
    an_indicator,
)
from tidegate.assess import assess
from tidegate.assess.model import ModelAssessment
from tidegate.evidence.about import evidence_about, models_about
from tidegate.evidence.model import Bound, Evidence, EvidenceSet, Restatement
from tidegate.evidence.models import Model
from tidegate.flow.demo import STATE_OF_RECORD, _make_project
from tidegate.flow.evidence import import_files
from tidegate.flow.world import World
from tidegate.kernel.clock import fixed_clock
from tidegate.policy.load import load_pack, pack_names
from tidegate.policy.model import Policy
from tidegate.store.project import Project

NAMES = ("m", "n", "o", "p", "q")
"""Models of the law: chains of four, siblings and strangers all occur."""

POLICY = a_policy(
    a_threshold("T0", kind="checkpoint", rules_out=("T1",), requirements=(), indicators=(an_indicator("T0.a"),)),
    a_threshold("T1", indicators=(an_indicator("T1.a"), an_indicator("T1.b", "Eval B"))),
    a_threshold("T2", indicators=(an_indicator("T2.a", "Eval B"),)),
)


def the_model(made: Any) -> ModelAssessment:
    (model,) = made.models
    return model


def from_all(policy: Policy, evidence: EvidenceSet, models: tuple[Model, ...], name: str) -> ModelAssessment:
    return the_model(assess(policy, evidence, models, TODAY, only=[name]))


def from_part(policy: Policy, evidence: EvidenceSet, models: tuple[Model, ...], name: str) -> ModelAssessment:
    part, about = evidence_about(evidence, models, name), models_about(models, evidence, name)
    return the_model(assess(policy, part, about, TODAY, only=[name]))


# --- the law -----------------------------------------------------------------------------------------

SPELLINGS = {name: (name, name.upper(), f"vendor/{name}") for name in NAMES}
THRESHOLDS = st.sampled_from([(), (), ("T1",), ("T2",)])


@st.composite
def bounds(draw: st.DrawFn, most: int = 5) -> tuple[Bound, ...]:
    pairs = draw(st.lists(st.sampled_from(list(itertools.permutations(NAMES, 2))), max_size=most))
    on = st.sampled_from([None, None, "2026-03", "2027-01-01"])
    return tuple(
        Bound(
            model=draw(st.sampled_from(SPELLINGS[bounded])),
            by=draw(st.sampled_from(SPELLINGS[by])),
            thresholds=draw(THRESHOLDS),
            reason="smaller",
            on=draw(on),
        )
        for bounded, by in pairs
    )


@st.composite
def records(draw: st.DrawFn) -> tuple[Evidence, ...]:
    made: list[Evidence] = []
    for number in range(draw(st.integers(0, 12))):
        about = draw(st.sampled_from([*NAMES, *NAMES, "*", "stranger"]))
        name, model = f"r{number}", draw(st.sampled_from(SPELLINGS.get(about, (about,))))
        if draw(st.integers(0, 5)) == 0:
            made.append(a_check(name, model=model, outcome=draw(st.sampled_from(["pass", "pass", "fail"]))))
            continue
        figure = a_count(draw(st.sampled_from([0, 0, 2, 30, 55])), 60, draw(st.sampled_from(["Eval A", "Eval B"])))
        made.append(a_record(name, figure, model=model, finished=draw(st.sampled_from(["2026-02", "2027-01"]))))
    return tuple(made)


@st.composite
def restatements(draw: st.DrawFn, ids: list[str]) -> tuple[Restatement, ...]:
    made: list[Restatement] = []
    for _ in range(draw(st.integers(0, 4)) if len(ids) > 1 else 0):
        old, new = draw(st.permutations(ids))[:2]
        approved = draw(st.sampled_from([(), ("board",), ("board",)]))
        if draw(st.integers(0, 4)) == 0:
            made.append(Restatement(supersedes=old, reason="retracted", approved_by=approved))
        else:
            made.append(Restatement(supersedes=old, by=new, reason="error", approved_by=approved))
    return tuple(made)


@st.composite
def everything(draw: st.DrawFn) -> tuple[EvidenceSet, tuple[Model, ...]]:
    own = draw(bounds(3))
    models = tuple(
        a_model(
            name,
            aliases=(f"vendor/{name}",),
            bounded_by=tuple(one for one in own if one.model.casefold() in (name, f"vendor/{name}")),
        )
        for name in draw(st.permutations(NAMES))
    )
    found = draw(records())
    evidence = a_set(
        *found,
        restatements=draw(restatements([record.id for record in found])),
        bounds=draw(bounds()),
        conclusions=tuple(
            a_conclusion(status).model_copy(update={"model": name})
            for name, status in draw(
                st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["ruled_out", "reached"])), max_size=3)
            )
        ),
    )
    return evidence, models


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(everything(), st.sampled_from(NAMES))
def test_the_part_gives_the_same_verdict_as_the_whole(
    given_all: tuple[EvidenceSet, tuple[Model, ...]], name: str
) -> None:
    evidence, models = given_all
    assert from_part(POLICY, evidence, models, name) == from_all(POLICY, evidence, models, name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(everything(), st.sampled_from(NAMES), records())
def test_news_about_unrelated_models_changes_no_digest(
    given_all: tuple[EvidenceSet, tuple[Model, ...]], name: str, news: tuple[Evidence, ...]
) -> None:
    evidence, models = given_all
    related = {known for model in models_about(models, evidence, name) for known in model.names} | {"*"}
    elsewhere = tuple(
        one.model_copy(update={"id": f"news-{one.id}"}) for one in news if one.subject.model.casefold() not in related
    )
    more = evidence.model_copy(update={"records": (*evidence.records, *elsewhere)})
    assert evidence_about(more, models, name).digest == evidence_about(evidence, models, name).digest


@settings(max_examples=100, deadline=None)
@given(everything(), st.sampled_from(NAMES))
def test_the_part_of_the_part_is_itself(given_all: tuple[EvidenceSet, tuple[Model, ...]], name: str) -> None:
    evidence, models = given_all
    part, about = evidence_about(evidence, models, name), models_about(models, evidence, name)
    assert models_about(about, part, name) == about
    assert evidence_about(part, about, name) == part


# --- examples ----------------------------------------------------------------------------------------

BY_O = (Bound(model="m", by="o", reason="smaller"), Bound(model="n", by="o", reason="smaller"))
CASES: list[tuple[str, tuple[Bound, ...], str, set[str]]] = [
    ("alone", (), "m", {"m"}),
    ("what bounds it", BY_O[:1], "m", {"m", "o"}),
    ("a sibling can take the bound away", BY_O, "m", {"m", "n", "o"}),
    ("what it bounds can raise it", BY_O, "o", {"m", "n", "o"}),
    ("a chain upward", (*BY_O[:1], Bound(model="o", by="p", reason="smaller")), "m", {"m", "o", "p"}),
    ("not what bounds what it bounds", (Bound(model="q", by="m", reason="smaller"), BY_O[1]), "m", {"m", "q"}),
    (
        "nor what bounds a sibling",
        (*BY_O, Bound(model="n", by="p", reason="smaller")),
        "m",
        {"m", "n", "o"},
    ),
    ("a bound by a name that nobody has", (Bound(model="m", by="gone", reason="smaller"),), "m", {"m"}),
]


@pytest.mark.parametrize(("stated", "name", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_which_models_matter(stated: tuple[Bound, ...], name: str, expected: set[str]) -> None:
    models = tuple(a_model(one) for one in NAMES)
    evidence = a_set(bounds=stated)
    assert {model.id for model in models_about(models, evidence, name)} == expected


def test_a_sibling_that_crosses_a_line_is_part_of_the_verdict() -> None:
    models = tuple(a_model(name) for name in ("m", "n", "o"))
    low, high = a_count(0, 100), a_count(90, 100)
    evidence = a_set(a_record("o1", low, model="o"), a_record("n1", high, model="n"), bounds=BY_O)
    policy = a_policy()
    for name in ("m", "o"):
        assert from_part(policy, evidence, models, name) == from_all(policy, evidence, models, name)
        assert not from_part(policy, evidence, models, name).thresholds[0].is_ruled_out
    without = evidence.model_copy(update={"bounds": BY_O[:1]})
    assert from_part(policy, without, models, "m").thresholds[0].is_ruled_out


def test_a_circle_of_restatements_through_another_model_stays_one() -> None:
    models = (a_model("m"), a_model("n"))
    circle = [("a", "b"), ("b", "c"), ("c", "a")]
    evidence = a_set(
        a_record("a", a_count(90, 100)),
        a_record("b", a_count(0, 100)),
        a_record("c", model="n"),
        restatements=tuple(
            Restatement(supersedes=old, by=new, reason="error", approved_by=("board",)) for old, new in circle
        ),
    )
    part = evidence_about(evidence, models, "m")
    assert [record.id for record in part.records] == ["a", "b"]
    assert len(part.restatements) == 3
    assert from_part(a_policy(), evidence, models, "m") == from_all(a_policy(), evidence, models, "m")
    assert from_part(a_policy(), evidence, models, "m").thresholds[0].finding == "not_ruled_out"


def test_names_and_order() -> None:
    models = (a_model("n"), a_model("m", aliases=("Vendor/M-1",)))
    evidence = a_set(
        a_record("r4", model="*"),
        a_record("r3", model="VENDOR/m-1"),
        a_record("r2", model="n"),
        a_record("r1", model="M"),
        conclusions=(*(a_conclusion().model_copy(update={"model": name}) for name in ("vendor/m-1", "n")),),
    )
    for name in ("m", "vendor/M-1"):
        part = evidence_about(evidence, models, name)
        assert [record.id for record in part.records] == ["r4", "r3", "r1"]
        assert [one.model for one in part.conclusions] == ["vendor/m-1"]
        assert [model.id for model in models_about(models, evidence, name)] == ["m"]


def test_a_model_that_is_not_known_has_the_records_that_name_it() -> None:
    evidence = a_set(a_record("r1", model="New"), a_record("r2", model="m"), a_record("r3", model="*"))
    assert models_about((a_model("m"),), evidence, "new") == ()
    assert [record.id for record in evidence_about(evidence, (a_model("m"),), "new").records] == ["r1", "r3"]


# --- published figures -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("published") / "project"
    _make_project(root)
    world = World(root, fixed_clock(STATE_OF_RECORD))
    with resources.as_file(resources.files("tidegate.packs")) as packs:
        import_files(world, sorted((packs / "published").glob("*.yaml")))
    return world.project()


@pytest.mark.parametrize("pack", pack_names())
def test_published_figures_give_the_same_verdicts(published: Project, pack: str) -> None:
    policy = load_pack(pack).policy
    models, evidence = published.models, published.evidence
    whole = {one.model: one for one in assess(policy, evidence, models, STATE_OF_RECORD).models}
    smaller = 0
    for model in models:
        part, about = evidence_about(evidence, models, model.id), models_about(models, evidence, model.id)
        made = assess(policy, part, about, STATE_OF_RECORD, only=[model.id])
        assert the_model(made) == whole[model.id]
        smaller += len(part.records) < len(evidence.records)
    assert smaller == len(models) > 10
