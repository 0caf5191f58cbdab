# SPDX-License-Identifier: Apache-2.0
"""JUnit XML: well-formed whatever the text, with counts that add up."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.publish.junit import junit_xml


def outcome(case):
    return next((child.tag for child in case if child.tag != "system-out"), "passed")


def outcomes(xml, model="m"):
    root = ET.fromstring(xml)
    cases = root.iterfind(f".//testcase[@classname='{model}.thresholds']")
    return {case.get("name").split()[0]: outcome(case) for case in cases}


@pytest.mark.parametrize(
    ("action", "model", "expected"),
    [
        (None, "m", {"BIO": "failure", "CYB": "passed", "AUT": "skipped", "NEW": "error", "SEE": "skipped"}),
        ("general", "m", {"BIO": "failure", "CYB": "passed", "AUT": "skipped", "NEW": "error", "SEE": "skipped"}),
        ("train", "m", {"BIO": "passed", "CYB": "passed", "AUT": "skipped", "NEW": "passed", "SEE": "skipped"}),
        ("open_weights", "n", {"BIO": "failure", "CYB": "error", "AUT": "skipped", "NEW": "passed", "SEE": "skipped"}),
    ],
)
def test_thresholds_become_cases(plain_case, action, model, expected):
    assert outcomes(junit_xml(plain_case.assessment, action), model) == expected


def test_gates_become_cases(plain_case):
    root = ET.fromstring(junit_xml(plain_case.assessment))
    cases = {case.get("name"): outcome(case) for case in root.iterfind(".//testcase[@classname='m.gates']")}
    assert cases == {
        "gate: train further": "passed",
        "gate: internal use": "passed",
        "gate: limited deployment": "failure",
        "gate: general deployment": "failure",
        "gate: open weights": "failure",
    }
    one = ET.fromstring(junit_xml(plain_case.assessment, "general"))
    assert [case.get("name") for case in one.iterfind(".//testcase[@classname='m.gates']")] == [
        "gate: general deployment"
    ]


def test_counts_add_up(plain_case):
    root = ET.fromstring(junit_xml(plain_case.assessment))
    for suite in root:
        found = [outcome(case) for case in suite.iterfind("testcase")]
        assert suite.get("tests") == str(len(found)) == "10"
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(found.count(tag))
    for name in ("tests", "failures", "errors", "skipped"):
        assert root.get(name) == str(sum(int(suite.get(name)) for suite in root))


def test_failure_says_why_and_the_digests_are_there(plain_case):
    root = ET.fromstring(junit_xml(plain_case.assessment, "general"))
    failure = root.find(".//testcase[@name='BIO Help with weapons']/failure")
    assert failure.get("message") == "BIO is not ruled out, and what it requires is not shown"
    assert "safe: no binding criteria are listed" in failure.text
    assert "halt" not in failure.text
    properties = {one.get("name"): one.get("value") for one in root[0].iterfind("properties/property")}
    assert properties["assessmentDigest"] == plain_case.assessment.digest


def test_hostile_text_stays_text(hostile_case):
    xml = junit_xml(hostile_case.assessment)
    root = ET.fromstring(xml)
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped", "system-out"
    }  # fmt: skip
    assert "<script>alert(1)</script>" in root[0].get("name")
    assert not set(xml) & set("\x1b\x07\x00\x9b\u202e")


@settings(max_examples=50)
@given(st.text())
def test_any_name_gives_well_formed_xml(plain_case, name):
    model = plain_case.assessment.models[0].model_copy(update={"name": name, "model": name})
    ET.fromstring(junit_xml(plain_case.assessment.model_copy(update={"models": (model,)})))
