# SPDX-License-Identifier: Apache-2.0
"""OSCAL exports: valid for compliance-trestle, the same bytes each time, every reference leads somewhere."""

import json
import re
import uuid
import warnings
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from published import model_m, published_content, the_content
from tidegate.policy.model import Standard
from tidegate.publish.content import Content
from tidegate.publish.oscal import (
    assessment_results,
    component_definition,
    name_based_id,
    oscal_bytes,
    token,
)
from tidegate.publish.practices import Practice, Publication, Statement

TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def trestle():
    """The models of compliance-trestle; what its own imports warn about is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trestle.oscal import assessment_results as results  # noqa: PLC0415 - its warnings end here
        from trestle.oscal import component  # noqa: PLC0415
    return {"assessment-results": results.Model, "component-definition": component.Model}


def validated(trestle, document):
    """Give what compliance-trestle makes of a document, or fail."""
    (kind,) = document
    made = trestle[kind].model_validate_json(oscal_bytes(document))
    again = json.loads(made.model_dump_json(by_alias=True, exclude_none=True))
    assert set(again) == {kind}
    assert set(again[kind]) == set(document[kind])
    return made


def without_practices() -> Content:
    return replace(the_content(), publication=Publication())


CONTENTS = {"house": the_content, "published": published_content, "no practices": without_practices}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("make", [assessment_results, component_definition], ids=lambda one: one.__name__)
def test_trestle_accepts_it(trestle, make, name):
    validated(trestle, make(CONTENTS[name]()))


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("make", [assessment_results, component_definition], ids=lambda one: one.__name__)
def test_the_same_content_gives_the_same_bytes(make, name):
    content = CONTENTS[name]()
    assert oscal_bytes(make(content)) == oscal_bytes(make(content))
    assert oscal_bytes(make(content)).isascii()


def parts(value, key=None):
    """Give every (key, value) of a document."""
    yield key, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from parts(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from parts(one, key)


@pytest.mark.parametrize("make", [assessment_results, component_definition], ids=lambda one: one.__name__)
def test_every_reference_leads_somewhere(make):
    document = make(the_content())
    ids = [value for key, value in parts(document) if key == "uuid"]
    assert len(ids) == len(set(ids))
    assert all(UUID.fullmatch(one) for one in ids)
    refs = [value for key, value in parts(document) if key in ("observation-uuid", "subject-uuid")]
    refs += [value.removeprefix("#") for key, value in parts(document) if key in ("href", "source")]
    assert set(refs) <= set(ids)
    named = {one["id"] for one in next(iter(document.values()))["metadata"].get("roles", [])}
    assert {value for key, value in parts(document) if key == "role-id"} <= named


@given(st.text(max_size=60))
def test_ids_are_name_based_as_the_standard_says(name):
    name = name.encode("utf-8", "ignore").decode()
    assert name_based_id(name) == str(uuid.uuid5(uuid.NAMESPACE_URL, name))


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_a_token_is_one(one, other):
    assert TOKEN.match(token(one))
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", one) is None or token(one) in (one, f"_{one}")


# --- results ---------------------------------------------------------------------------------------------


def findings(document, number=0):
    return {one["target"]["target-id"]: one for one in document["assessment-results"]["results"][number]["findings"]}


def test_a_threshold_is_satisfied_only_if_it_is_ruled_out():
    content = the_content()
    found = findings(assessment_results(content, model_m(content)))
    for one in model_m(content).assessment.thresholds:
        status = found[one.threshold]["target"]["status"]
        assert (status["state"] == "satisfied") == one.is_ruled_out
    assert found["NET"]["target"]["status"]["reason"] == "pass"
    assert found["BIO"]["target"]["status"] == {
        "state": "not-satisfied",
        "reason": "other",
        "remarks": "not assessed\n\n1 of 1 indicators have no evidence: Uplift trial",
    }


def test_requirements_count_only_while_they_are_due():
    content = the_content()
    document = assessment_results(content)
    first, second = findings(document, 0), findings(document, 1)
    assert "NET-deploy" not in first
    assert first["BIO-halt"]["target"]["status"]["reason"] == "fail"
    assert second["NET-deploy"]["target"]["status"]["state"] == "not-satisfied"
    assert second["NET-deploy"]["target"]["status"]["reason"] == "other"
    reviewed = [one["reviewed-controls"]["control-selections"][0] for one in document["assessment-results"]["results"]]
    assert [one["control-id"] for one in reviewed[0]["include-controls"]] == ["NET", "BIO", "BIO-halt"]


def test_evidence_becomes_observations_with_figure_day_and_digest():
    content = the_content()
    (result,) = assessment_results(content, model_m(content))["assessment-results"]["results"]
    observed = {one["props"][0]["value"]: one for one in result["observations"]}
    assert set(observed) == {"net-1", "net-2", "attack-1", "review-1"}
    net = observed["net-1"]
    assert net["methods"] == ["TEST"]
    assert net["collected"] == "2026-01-15T00:00:00Z"
    assert "0.05, 5 of 100" in net["description"]
    assert content.evidence["net-1"].digest in {one["value"] for one in net["props"]}
    assert observed["review-1"]["methods"] == ["EXAMINE"]
    related = findings({"assessment-results": {"results": [result]}})["NET"]["related-observations"]
    assert [one["observation-uuid"] for one in related] == [observed["net-1"]["uuid"], observed["net-2"]["uuid"]]


def test_an_undated_record_says_that_its_time_is_none():
    content = the_content()
    bare = content.evidence["net-1"].model_copy(update={"finished": None})
    document = assessment_results(replace(content, evidence={**content.evidence, "net-1": bare}), model_m(content))
    observed = document["assessment-results"]["results"][0]["observations"]
    undated = next(one for one in observed if one["props"][0]["value"] == "net-1")
    assert undated["collected"] == "2026-06-01T00:00:00Z"
    assert undated["remarks"].startswith("The record is not dated")


def test_the_document_names_the_checkpoint_and_gets_another_id_with_other_content():
    content = the_content()
    document = assessment_results(content)["assessment-results"]
    told = {one["name"]: one["value"] for one in document["metadata"]["props"]}
    assert (told["log"], told["log-size"], told["log-root"]) == ("example.com/house", "42", "cm9vdA==")
    other = assessment_results(replace(content, organisation="Other"))["assessment-results"]
    fewer = assessment_results(content, model_m(content))["assessment-results"]
    assert len({document["uuid"], other["uuid"], fewer["uuid"]}) == 3
    assert document["results"][0]["uuid"] == fewer["results"][0]["uuid"]


def test_no_results_without_a_model():
    with pytest.raises(ValueError, match="no model"):
        assessment_results(replace(the_content(), models=()))


# --- components ------------------------------------------------------------------------------------------


def components(content):
    return {one["title"]: one for one in component_definition(content)["component-definition"]["components"]}


def test_a_practice_implements_the_items_that_it_answers():
    content = the_content()
    testing = components(content)["Testing"]
    answered = {
        ref["value"]
        for one in testing["control-implementations"]
        for each in one["implemented-requirements"]
        for ref in each["props"]
        if ref["name"] == "item"
    }
    assert {"sb53#12.a.2", "hiroshima-coc#1", "sb53#12.a.9"} <= answered
    assert {"sb53#12.a.1", "raise#1421.1.a", "hiroshima-coc#10"} <= answered, "by the crosswalk"
    assert not any(one.startswith(("crosswalk#", "hub#")) for one in answered)
    assert testing["responsible-roles"] == [{"role-id": "Safety_x20_lead"}]
    assert [one["text"] for one in testing["links"]] == ["evidence:net-1"]


def test_what_a_practice_cites_and_there_is_not_is_told():
    training = components(the_content())["Training"]
    assert "links" not in training
    (made,) = training["control-implementations"][0]["implemented-requirements"]
    assert "evidence:gone" in made["remarks"]
    assert {one["name"]: one["value"] for one in made["props"]}["shown-by"] == "dangling"


def test_a_standard_implements_the_requirements_that_name_it():
    guard = components(the_content())["Guard on answers"]
    (implementation,) = guard["control-implementations"]
    assert [one["control-id"] for one in implementation["implemented-requirements"]] == ["NET-deploy"]


HOSTILE = "x <script>alert(1)</script> [a](javascript:alert(1))\n\n# heading\n\x1b[31m\u202e {{ value }}"


def test_hostile_words_are_valid_and_format_nothing(trestle):
    content = the_content()
    practice = Practice(
        id="p", section="s", title=HOSTILE, owner=HOSTILE, statements=(Statement(text=HOSTILE),), commitments=("sb53",)
    )
    policy = content.policy.model_copy(update={"title": HOSTILE, "standards": (Standard(id="GUARD", title=HOSTILE),)})
    model = model_m(content)
    model = replace(model, model=model.model.model_copy(update={"name": HOSTILE}))
    content = replace(
        content,
        organisation=HOSTILE,
        policy=policy,
        models=(model,),
        publication=Publication(practices=(practice,)),
    )
    for document in (component_definition(content), assessment_results(content)):
        validated(trestle, document)
        for key, value in parts(document):
            # Values and names of parties are plain text, all else that a person wrote is Markdown.
            if isinstance(value, str) and key not in ("value", "name"):
                assert "<script" not in value
                assert "](" not in value.replace("\\]\\(", "")
                assert "\x1b" not in value
                assert not re.search(r"^# ", value, re.MULTILINE)


@pytest.mark.parametrize("make", [assessment_results, component_definition], ids=lambda one: one.__name__)
def test_doubts_about_the_log_are_exported(trestle, make):
    document = make(replace(the_content(), doubts=("the ledger lacks entry 3",)))
    validated(trestle, document)
    (told,) = document.values()
    assert "the ledger lacks entry 3" in told["metadata"]["remarks"]
    (calm,) = make(the_content()).values()
    assert "remarks" not in calm["metadata"]
