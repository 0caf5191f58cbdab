# SPDX-License-Identifier: Apache-2.0
"""The card's metadata block is what model hubs document, holds only what is on record, and cannot be broken out of."""

import re
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from factories import a_count, a_record
from published import PAGE, model_m, published_content, the_content
from tidegate.evidence.model import Measurement, Provenance, Subject
from tidegate.publish.printing import printed
from tidegate.publish.report_filling import fill, find_template
from tidegate.publish.system_card import card_metadata, front_matter, pipeline_tag, system_card
from tidegate.publish.words import one_line

HUB_BLOCK = re.compile(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\n|$))")
"""How the client of the Hub finds the metadata block of a card."""


def block_of(card: str):
    """Give the metadata and the rest, as a reader of the Hub takes them apart."""
    found = HUB_BLOCK.match(card)
    assert found is not None
    return yaml.safe_load(found.group(2)), card[found.end() :]


def check_structure(metadata) -> None:
    """Fail unless the block has the structure that the documented specification asks for."""
    for key in ("license", "license_name", "license_link", "base_model", "pipeline_tag", "model_name"):
        assert isinstance(metadata.get(key, ""), str)
    assert all(re.fullmatch(r"[a-z]{2,3}", one) for one in metadata.get("language", []))
    for entry in metadata.get("model-index", []):
        assert isinstance(entry["name"], str)
        assert entry["results"]
        for result in entry["results"]:
            assert isinstance(result["task"]["type"], str)
            assert isinstance(result["dataset"]["type"], str)
            assert isinstance(result["dataset"]["name"], str)
            for metric in result["metrics"]:
                assert isinstance(metric["type"], str)
                assert isinstance(metric["value"], int | float)
                assert not isinstance(metric["value"], bool)
            assert set(result) <= {"task", "dataset", "metrics", "source"}


def with_page(**changes):
    content = the_content()
    return replace(model_m(content), page=PAGE.model_copy(update=changes))


def test_a_card_is_a_block_and_the_filled_template():
    content = the_content()
    body = printed(fill(find_template("system-card"), content, model_m(content)).to_page(), "md").decode()
    metadata, rest = block_of(system_card(content, model_m(content), body))
    check_structure(metadata)
    assert rest.lstrip().startswith("# System card: Model M")
    assert {key: value for key, value in metadata.items() if key != "model-index"} == {
        "model_name": "Model M",
        "language": ["en", "pt", "no"],
        "license": "apache-2.0",
        "base_model": "lab/m-base",
        "pipeline_tag": "text-generation",
    }
    assert metadata["model-index"] == [
        {
            "name": "Model M",
            "results": [
                {
                    "task": {"type": "text-generation"},
                    "dataset": {"type": "Range", "name": "Range"},
                    "metrics": [{"type": "accuracy", "value": 0.05, "name": "accuracy, fraction"}],
                },
                {
                    "task": {"type": "text-generation"},
                    "dataset": {"type": "Chess", "name": "Chess"},
                    "metrics": [{"type": "Elo", "value": 1500.0, "name": "Elo, points"}],
                },
                {
                    "task": {"type": "text-generation"},
                    "dataset": {"type": "Eval A", "name": "Eval A"},
                    "metrics": [{"type": "accuracy", "value": 0.05, "name": "accuracy, fraction"}],
                },
            ],
        }
    ]


def test_what_is_not_on_record_is_left_out():
    content = the_content()
    model = replace(model_m(content), page=None)
    assert set(card_metadata(replace(content, evidence={}), model)) == {"model_name"}


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": Subject(model="m", snapshot="s1")},
        {"subject": Subject(model="m", snapshot="s2", variant="helpful_only")},
        {"subject": Subject(model="n")},
        {"kind": "red_team"},
        {"measurement": Measurement(evaluation="Eval B", metric="accuracy", value=None)},
    ],
    ids=["other snapshot", "other variant", "other model", "of a safeguard", "no figure"],
)
def test_only_the_models_own_figures_are_its_results(changes):
    content = the_content()
    own = a_record("x", a_count(1, 10, "Eval B"), snapshot="s2")
    with_it = replace(content, evidence={"x": own})
    assert "Eval B" in str(card_metadata(with_it, model_m(content)))
    without = replace(content, evidence={"x": own.model_copy(update=changes)})
    assert "model-index" not in card_metadata(without, model_m(content))


def test_a_result_names_where_it_was_published():
    content = the_content()
    shown = a_record("x", provenance=Provenance(format="hand", title="Card", url="https://lab.example/card"))
    told = card_metadata(replace(content, evidence={"x": shown}), model_m(content))
    assert told["model-index"][0]["results"][0]["source"] == {"name": "Card", "url": "https://lab.example/card"}
    hidden = a_record("x", provenance=Provenance(format="hand", title="Card", url="javascript:alert(1)"))
    told = card_metadata(replace(content, evidence={"x": hidden}), model_m(content))
    assert "source" not in told["model-index"][0]["results"][0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("MIT", {"license": "mit"}),
        ("Our Terms 2.0", {"license": "other", "license_name": "our-terms-2.0"}),
        ("https://lab.example/terms", {"license": "other", "license_link": "https://lab.example/terms"}),
        ("…", {"license": "other", "license_name": "own"}),
        (" ", {}),
        (None, {}),
    ],
)
def test_a_licence_that_the_hub_does_not_know_is_other(given, expected):
    found = card_metadata(the_content(), with_page(licence=given))
    assert {key: value for key, value in found.items() if key.startswith("license")} == expected


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        (("text",), ("text",), "text-generation"),
        (("Text", "Images"), ("text",), "image-text-to-text"),
        (("text",), ("image",), "text-to-image"),
        (("text", "image", "audio"), ("text", "audio"), None),
        ((), ("text",), None),
    ],
)
def test_a_task_is_named_where_there_is_no_doubt(inputs, outputs, expected):
    assert pipeline_tag(inputs, outputs) == expected
    found = card_metadata(the_content(), with_page(inputs=inputs, outputs=outputs))
    assert found.get("pipeline_tag") == expected
    assert found["model-index"][0]["results"][0]["task"]["type"] == (expected or "other")


@pytest.mark.parametrize("name", ["a name", "a/b/c", "x\n---\nlicense: mit", "https://h/x", "../x"])
def test_a_base_model_that_is_no_repository_is_left_out(name):
    assert "base_model" not in card_metadata(the_content(), with_page(base_model=name))


HOSTILE = [
    "x\n---\nlicense: mit\n---\n",
    "---",
    "--- !!python/object/apply:os.system ['true']",
    "no",
    "1e3",
    "a: b",
    "- a",
    "&a *a",
    "\u2028---\u2028",
    "\x85---\x85license: mit",
    "\ud800",
    "#",
    "'\"",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_out_of_the_block(text):
    content = the_content()
    model = model_m(content)
    model = replace(model, model=model.model.model_copy(update={"name": text}))
    record = a_record("x", a_count(1, 10, text, metric=text), provenance=Provenance(format="x", title=text))
    metadata, rest = block_of(system_card(replace(content, evidence={"x": record}), model, "BODY\n"))
    check_structure(metadata)
    assert rest.strip() == "BODY"
    assert metadata["model_name"] == one_line(text)
    assert metadata["license"] == "apache-2.0"
    assert metadata["model-index"][0]["results"][0]["dataset"]["name"] == one_line(text)


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text(), max_size=3) | st.integers(), max_size=4))
def test_whatever_is_put_in_comes_out_on_one_line(values):
    expected = {
        one_line(key): [one_line(item) for item in one]
        if isinstance(one, list)
        else one_line(one)
        if isinstance(one, str)
        else one
        for key, one in values.items()
    }
    metadata, rest = block_of(front_matter(values) + "\nBODY")
    assert (metadata or {}) == expected
    assert rest.strip() == "BODY"


def test_published_figures_become_results_with_their_source():
    content = published_content()
    metadata = card_metadata(content, content.models[0])
    check_structure(metadata)
    results = metadata["model-index"][0]["results"]
    assert len(results) > 10
    values = {
        (one.measurement.evaluation, one.measurement.metric, one.measurement.value)
        for one in content.evidence.values()
        if one.measurement
    }
    shown = {(one["dataset"]["name"], one["metrics"][0]["type"], one["metrics"][0]["value"]) for one in results}
    assert shown <= values
    assert all(one["source"]["url"].startswith("https://") for one in results)
