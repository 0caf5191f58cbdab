# SPDX-License-Identifier: Apache-2.0
"""SARIF 2.1.0: the parts of the standard that a reader relies on, checked by hand."""

import json
import re

import pytest

from tidegate.kernel.errors import Where
from tidegate.publish.sarif import sarif_json

PLACES = {"BIO": Where("policy/our policy.yaml", 12, 5), "CYB": Where("policy/p.yaml", 40), "": Where("policy/p.yaml")}


def log(case, **fields):
    return json.loads(sarif_json(case.assessment, **fields))


def check(data):
    """Check what the standard demands of the parts that are used."""
    assert data["version"] == "2.1.0"
    assert data["$schema"].endswith("sarif-2.1.0.json")
    for run in data["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"]
        names = [rule["id"] for rule in driver["rules"]]
        assert len(set(names)) == len(names)
        assert all(isinstance(rule["shortDescription"]["text"], str) for rule in driver["rules"])
        for result in run["results"]:
            assert names[result["ruleIndex"]] == result["ruleId"]
            assert result["kind"] == "fail"
            assert result["level"] in ("error", "warning", "note")
            # Section 3.11: braces are doubled, and an unescaped bracket pair would be a link.
            text = result["message"]["text"]
            assert not re.search(r"(?<!\{)\{(?!\{)|(?<!\\)\[", text)
            assert all(re.fullmatch(r"[0-9A-Za-z]+(/v\d+)?", key) for key in result["partialFingerprints"])
            for location in result["locations"]:
                assert location["logicalLocations"][0]["name"]
                physical = location.get("physicalLocation")
                if physical is not None:
                    uri = physical["artifactLocation"]["uri"]
                    assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)
                    assert not uri.startswith("/")
                    assert physical.get("region", {"startLine": 1})["startLine"] >= 1


def test_log_has_the_form_that_the_standard_demands(plain_case, hostile_case):
    for case in (plain_case, hostile_case):
        check(log(case))
        check(log(case, places=PLACES, action="general"))


def test_findings_and_gates_become_results(plain_case):
    results = log(plain_case)["runs"][0]["results"]
    found = [(one["ruleId"], one["level"]) for one in results if "Model M" in one["message"]["text"]]
    assert found == [
        ("BIO", "error"),
        ("AUT", "note"),
        ("NEW", "warning"),
        ("SEE", "note"),
        ("gate/limited", "error"),
        ("gate/general", "error"),
        ("gate/open_weights", "error"),
    ]


def test_one_action_shows_only_its_gate_and_its_requirements(plain_case):
    run = log(plain_case, action="train")["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]][-1] == "gate/train"
    assert {one["level"] for one in run["results"]} == {"note"}


def test_results_stand_where_the_policy_states_them(plain_case):
    results = log(plain_case, places=PLACES)["runs"][0]["results"]
    by_rule = {one["ruleId"]: one["locations"][0].get("physicalLocation") for one in results}
    assert by_rule["BIO"] == {
        "artifactLocation": {"uri": "policy/our%20policy.yaml"},
        "region": {"startLine": 12, "startColumn": 5},
    }
    assert by_rule["CYB"]["region"] == {"startLine": 40}
    assert by_rule["gate/general"] == {"artifactLocation": {"uri": "policy/p.yaml"}}
    assert by_rule["NEW"] is None


@pytest.mark.parametrize(
    ("file", "uri"), [("/srv/p.yaml", "srv/p.yaml"), ("a\\b.yaml", "a/b.yaml"), ("ü?#.yaml", "%C3%BC%3F%23.yaml")]
)
def test_paths_become_relative_references(plain_case, file, uri):
    results = log(plain_case, places={"BIO": Where(file, 1)})["runs"][0]["results"]
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_fingerprints_are_stable_over_days_and_differ_between_models(plain_case):
    later = plain_case.assessment.model_copy(update={"at": plain_case.assessment.at.replace(year=2026)})
    now, then = (json.loads(sarif_json(one))["runs"][0]["results"] for one in (plain_case.assessment, later))
    prints = [one["partialFingerprints"]["tidegate/v1"] for one in now]
    assert prints == [one["partialFingerprints"]["tidegate/v1"] for one in then]
    assert len(set(prints)) == len(prints)
