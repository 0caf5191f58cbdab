# SPDX-License-Identifier: Apache-2.0
"""Exports: in-toto statements against the rules of the proposal, every_eval_ever against its JSON schema."""

import hashlib
import json
import struct
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.evidence.exports import (
    EVAL_RESULT_TYPE,
    OBSERVED_FIELD,
    Attestation,
    Claim,
    commitment,
    decimal_string,
    every_eval_ever,
    in_toto_statement,
)
from tidegate.evidence.formats import import_file
from tidegate.evidence.model import (
    Counts,
    Elicitation,
    Evaluator,
    Evidence,
    Interval,
    Measurement,
    PrintedLine,
    Provenance,
    Remark,
    Subject,
)
from tidegate.kernel.canonical import canonical_bytes, digest
from tidegate.kernel.errors import EvidenceError

SHA = "sha256:" + "ab" * 32
SALT = bytes(range(16))


def record(**more: Any) -> Evidence:
    """A record as an Inspect log gives it; parts can be replaced."""
    measurement: dict[str, Any] = {
        "evaluation": "quiz",
        "metric": "accuracy",
        "value": 0.1,
        "unit": "fraction",
        "n": 40,
        "attempts": 1.0,
        "standard_error": 0.05,
        "clustered": True,
        "task_version": "3",
        "worst_case": 0.2,
        "header_value": 0.1,
        "parameters": {"dataset": "quiz-set"},
    }
    parts: dict[str, Any] = {
        "id": "inspect:run:match:mean",
        "subject": Subject(model="lab/model-1", snapshot="2026-02"),
        "measurement": Measurement(**{**measurement, **more.pop("measurement", {})}),
        "elicitation": Elicitation(
            elements=("chain_of_thought", "tools"), attempts=2, token_budget=9, basis="extracted"
        ),
        "line": PrintedLine(value=0.3, crossed_when=">="),
        "finished": "2026-03-03",
        "quality": "recomputable",
        "counts": Counts(planned=44, completed=40, errored=4, scored=40),
        "provenance": Provenance(
            format="inspect",
            file="log.eval",
            digest=SHA,
            sample_root=SHA,
            tool="inspect_ai 0.3.285, inspect_evals 0.26.0",
        ),
    }
    return Evidence(**{**parts, **more})


def attestation(**more: Any) -> Attestation:
    return Attestation(**{"evaluator": "https://example.org/evals", "salt": SALT, **more})


# in-toto --------------------------------------------------------------------------------------------------------


def test_a_statement_says_everything_that_the_predicate_requires():
    found = in_toto_statement(record(), attestation())
    predicate = found["predicate"]
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["predicateType"] == EVAL_RESULT_TYPE == "https://in-toto.io/attestation/eval-result/v0.1"
    assert predicate["evaluator"] == {"id": "https://example.org/evals"}
    assert predicate["evaluatedAt"] == "2026-03-03T00:00:00Z"
    assert predicate["suite"] == {"name": "quiz", "version": "3"}
    below = {"comparator": "<", "threshold": "0.3", "passed": True}
    assert predicate["claims"] == [{"metric": "accuracy", **below}, {"metric": "accuracy (worst case)", **below}]
    assert predicate["sampleSize"] == 40
    assert predicate["assuranceLevel"] == "self_attested"
    assert predicate["subjectProfile"] == "receipt"
    assert predicate["harness"] == {"name": "inspect_ai", "version": "0.3.285"}


def test_the_subject_and_the_materials_are_the_record_and_its_log():
    one = record()
    found = in_toto_statement(one, attestation())
    own = hashlib.sha256(canonical_bytes(one)).hexdigest()
    assert found["subject"] == [{"name": "evidence-record", "digest": {"sha256": own}}]
    first, second = found["predicate"]["evidence"]
    assert first["digest"] == {"sha256": own}
    assert second == {"name": "log.eval", "digest": {"sha256": SHA[7:]}, "annotations": {"sampleMerkleRoot": SHA}}


def test_observed_figures_are_disclosed_as_decimal_text():
    observed = in_toto_statement(record(), attestation())["predicate"][OBSERVED_FIELD]
    assert observed["value"] == "0.1"
    assert observed["worstCase"] == "0.2"
    assert observed["counts"] == {"planned": 44, "completed": 40, "errored": 4, "scored": 40}
    assert not [value for value in observed.values() if isinstance(value, float)]


def floats(data: Any) -> Iterable[float]:
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        for part in data:
            yield from floats(part)
    elif isinstance(data, float):
        yield data


@pytest.mark.parametrize(
    "given", [{}, {"model_digest": SHA}, {"dataset_digest": SHA}, {"model_digest": SHA, "dataset_digest": SHA}]
)
def test_model_and_dataset_are_each_identified_exactly_once(given: dict[str, str]):
    found = in_toto_statement(record(), attestation(**given))
    predicate = found["predicate"]
    for kind in ("model", "dataset"):
        openly, hidden = kind in predicate, kind in predicate.get("commitments", {})
        assert openly != hidden
        assert openly == (f"{kind}_digest" in given)
    assert not list(floats(found))
    assert predicate["subjectProfile"] == ("public-model" if "model_digest" in given else "receipt")
    if "model_digest" not in given:
        assert "lab/model-1" not in json.dumps(found)


def test_a_commitment_is_the_salted_hash_and_tells_nothing_without_the_salt():
    found = commitment("lab/model-1", SALT)
    assert found == {
        "alg": "sha256-salted-v1",
        "value": hashlib.sha256(SALT + b"lab/model-1").hexdigest(),
        "salted": True,
    }
    assert commitment("lab/model-1", SALT[::-1])["value"] != found["value"]


@pytest.mark.parametrize(
    ("claim", "metric", "passed"),
    [
        (Claim("<", 0.1), "accuracy", False),
        (Claim("<=", 0.1), "accuracy", True),
        (Claim(">=", 0.1), "accuracy", True),
        (Claim(">", 0.1), "accuracy", False),
        (Claim("<", 0.15, on="worst_case"), "accuracy (worst case)", False),
        (Claim("<", 0.25, on="worst_case"), "accuracy (worst case)", True),
    ],
)
def test_claims_are_judged_at_the_line(claim: Claim, metric: str, passed: bool):
    (found,) = in_toto_statement(record(), attestation(claims=(claim,)))["predicate"]["claims"]
    assert (found["metric"], found["comparator"], found["passed"]) == (metric, claim.comparator, passed)


@pytest.mark.parametrize(
    ("crossed_when", "value", "comparator", "passed"),
    [
        (">=", 0.3, "<", False),
        (">=", 0.2, "<", True),
        (">", 0.3, "<=", True),
        ("<=", 0.3, ">", False),
        ("<", 0.3, ">=", True),
    ],
)
def test_the_printed_line_gives_the_claim_that_it_is_not_crossed(
    crossed_when: Any, value: float, comparator: str, passed: bool
):
    one = record(measurement={"value": value}, line=PrintedLine(value=0.3, crossed_when=crossed_when))
    found, *_ = in_toto_statement(one, attestation())["predicate"]["claims"]
    assert (found["comparator"], found["threshold"], found["passed"]) == (comparator, "0.3", passed)


@pytest.mark.parametrize(
    ("crossed_when", "worst_case", "passed"),
    [
        (">=", 0.2, [True, True]),
        (">=", 0.4, [True, False]),
        (">=", 0.1, [True]),
        (">=", None, [True]),
        ("<", 0.4, [False]),
    ],
)
def test_the_worst_case_is_claimed_too_where_samples_were_lost(crossed_when: Any, worst_case: Any, passed: list[bool]):
    one = record(measurement={"worst_case": worst_case}, line=PrintedLine(value=0.3, crossed_when=crossed_when))
    assert [claim["passed"] for claim in in_toto_statement(one, attestation())["predicate"]["claims"]] == passed


def test_nothing_passes_on_a_record_that_can_rule_nothing_out():
    doubt = Remark(code="EVI004", message="the header was edited", blocks_rule_out=True)
    predicate = in_toto_statement(record(remarks=(doubt,)), attestation())["predicate"]
    assert [claim["passed"] for claim in predicate["claims"]] == [False, False]
    assert predicate["tidegateObserved"]["doubts"] == ["EVI004: the header was edited"]
    noted = record(remarks=(doubt.model_copy(update={"blocks_rule_out": False}),))
    assert in_toto_statement(noted, attestation())["predicate"]["claims"][0]["passed"]


def test_a_line_in_another_unit_is_not_compared():
    line = PrintedLine(value=20, unit="percent", crossed_when=">=")
    with pytest.raises(EvidenceError, match="line is in percent, its figure in fraction"):
        in_toto_statement(record(line=line), attestation())
    assert in_toto_statement(record(line=line), attestation(claims=(Claim("<", 0.2),)))["predicate"]["claims"]


def test_assurance_and_pre_registration():
    independent = record(evaluator=Evaluator(name="Lab", relation="independent"))
    assert in_toto_statement(independent, attestation())["predicate"]["assuranceLevel"] == "third_party"
    reproduced = in_toto_statement(record(), attestation(assurance="reproduced", pre_registration=SHA))["predicate"]
    assert reproduced["assuranceLevel"] == "reproduced"
    assert reproduced["preRegistration"] == {"alg": "sha256", "value": SHA[7:]}


@pytest.mark.parametrize(
    ("changed", "given", "says"),
    [
        ({"measurement": {"value": None}}, {}, "no figure"),
        ({"measurement": {"n": None}}, {}, "how many samples"),
        ({"line": None}, {}, "no line"),
        ({"finished": "2026-03"}, {}, "day it was finished"),
        ({"measurement": {"worst_case": None}}, {"claims": (Claim("<", 1, on="worst_case"),)}, "no worst case"),
        ({}, {"salt": b"short"}, "the salt has 5 bytes"),
        ({}, {"evaluator": "us"}, "is no URI"),
        ({}, {"model_digest": "md5:00"}, "is no digest"),
    ],
)
def test_what_is_lacking_is_named(changed: dict[str, Any], given: dict[str, Any], says: str):
    with pytest.raises(EvidenceError) as caught:
        in_toto_statement(record(**changed), attestation(**given))
    (problem,) = caught.value.problems
    assert problem.code == "EVI012"
    assert says in problem.message
    assert problem.hint


def test_everything_that_is_lacking_is_named_at_once():
    with pytest.raises(EvidenceError) as caught:
        in_toto_statement(record(line=None, finished=None), attestation(salt=b""))
    assert len(caught.value.problems) == 3


def test_what_is_not_known_is_left_out_rather_than_made_up():
    source = Provenance(format="reported", url="https://example.org/log.eval", digest=SHA)
    one = record(counts=None, provenance=source, measurement={"aggregation": "pass@5", "task_version": None})
    predicate = in_toto_statement(one, attestation())["predicate"]
    assert "harness" not in predicate
    assert predicate["suite"]["version"] == "unknown"
    assert predicate["evidence"][1]["uri"] == "https://example.org/log.eval"
    assert "annotations" not in predicate["evidence"][1]
    assert predicate[OBSERVED_FIELD]["aggregation"] == "pass@5"
    assert "counts" not in predicate[OBSERVED_FIELD]
    bare = record(provenance=Provenance(format="reported", tool="harness"))
    predicate = in_toto_statement(bare, attestation())["predicate"]
    assert predicate["harness"] == {"name": "harness", "version": "unknown"}
    assert len(predicate["evidence"]) == 1


def test_a_statement_is_the_same_every_time():
    assert digest(in_toto_statement(record(), attestation())) == digest(in_toto_statement(record(), attestation()))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimal_text_reads_back_as_the_same_number(number: float):
    text = decimal_string(number)
    assert "e" not in text.lower()
    assert struct.pack("<d", float(text)) == struct.pack("<d", number)
    assert Decimal(text) == Decimal(repr(number))


# every_eval_ever ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def check(shared: Path) -> jsonschema.protocols.Validator:
    schema = json.loads((shared / "data/evaluations/every_eval_ever/schemas/eval.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft7Validator(schema)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"schema_version": "0.3.0"})
    return validator


RECORDS = [
    record(),
    record(
        id="reported:1",
        subject=Subject(model="lab/model-1"),
        measurement={"unit": "minutes", "value": 55.0, "standard_error": None, "task_version": None, "parameters": {}},
        quality="reported",
        evaluator=Evaluator(name="Lab", relation="developer"),
        provenance=Provenance(format="reported", title="System card", url="https://example.org/card.pdf"),
        finished=None,
        elicitation=Elicitation(),
        counts=None,
    ),
    record(
        id="other",
        measurement={
            "unit": "percent",
            "value": 12.0,
            "interval": Interval(low=5, high=20, kind="confidence", level=0.95, method="wilson"),
        },
        evaluator=Evaluator(relation="independent"),
    ),
    record(
        id="bare",
        subject=Subject(model="lab/model-2"),
        measurement={
            "n": None,
            "standard_error": None,
            "interval": Interval(low=0, high=1, kind="confidence", level=0.9),
        },
        elicitation=Elicitation(),
    ),
    record(id="check", measurement={"value": None}),
]


def test_documents_fit_the_schema(check: jsonschema.protocols.Validator):
    found = every_eval_ever(RECORDS, organisation="Lab", retrieved=1_772_000_000)
    assert found.skipped == ("check",)
    assert sorted(one["evaluation_result_id"] for doc in found.documents for one in doc["evaluation_results"]) == [
        "bare", "inspect:run:match:mean", "other", "reported:1",
    ]  # fmt: skip
    for document in found.documents:
        check.validate(json.loads(json.dumps(document)))


def test_one_document_per_model_and_source():
    documents = every_eval_ever(RECORDS, organisation="Lab", retrieved=0).documents
    assert sorted(len(document["evaluation_results"]) for document in documents) == [1, 1, 2]


def test_figures_counts_and_uncertainty_arrive():
    (document,) = every_eval_ever([record()], organisation="Lab", retrieved=7).documents
    (result,) = document["evaluation_results"]
    assert document["evaluation_id"] == "quiz/lab/model-1/7"
    assert document["eval_library"]["name"] == "inspect_ai"
    assert document["eval_library"]["version"] == "0.3.285"
    assert document["source_metadata"]["source_type"] == "evaluation_run"
    assert document["source_metadata"]["evaluator_relationship"] == "other"
    assert result["score_details"]["score"] == 0.1
    assert result["score_details"]["details"]["worst_case"] == "0.2"
    assert result["score_details"]["details"]["samples_errored"] == "4"
    assert result["score_details"]["uncertainty"] == {
        "standard_error": {"value": 0.05, "method": "analytic, clustered"},
        "num_samples": 40,
    }
    assert result["metric_config"]["min_score"] == 0.0
    assert result["generation_config"]["generation_args"] == {
        "reasoning": True,
        "max_attempts": 2,
        "eval_limits": {"token_limit": 9},
    }


def test_an_interval_arrives_and_a_range_without_a_level_does_not():
    with_level, without = (
        every_eval_ever([one], organisation="Lab", retrieved=0).documents[0]["evaluation_results"][0]
        for one in (RECORDS[2], record(measurement={"interval": Interval(low=0, high=1, kind="range")}))
    )
    assert with_level["score_details"]["uncertainty"]["confidence_interval"] == {
        "lower": 5.0, "upper": 20.0, "confidence_level": 0.95, "method": "wilson",
    }  # fmt: skip
    assert "confidence_interval" not in without["score_details"]["uncertainty"]


def test_no_uncertainty_is_stated_where_none_is_known():
    one = record(measurement={"n": None, "standard_error": None})
    (result,) = every_eval_ever([one], organisation="Lab", retrieved=0).documents[0]["evaluation_results"]
    assert "uncertainty" not in result["score_details"]


def test_real_logs_export_in_both_shapes(shared: Path, check: jsonschema.protocols.Validator):
    exported = 0
    for path in sorted((shared / "data/evaluations/inspect").glob("*.eval")):
        records = import_file(path, format_name="inspect").evidence.records
        for document in every_eval_ever(records, organisation="Lab", retrieved=1).documents:
            check.validate(document)
        for one in records:
            statement = in_toto_statement(one, attestation(claims=(Claim("<", 0.9),)))
            assert statement["predicate"]["sampleSize"] == (one.measurement.n if one.measurement else None)
            assert not list(floats(statement))
            exported += 1
    assert exported >= 12
