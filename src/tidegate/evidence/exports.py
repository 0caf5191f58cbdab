# SPDX-License-Identifier: Apache-2.0
"""Evidence for others: as an in-toto statement, and as every_eval_ever JSON.

Pure functions from records to plain data. Nothing is signed here: a statement becomes an attestation
when it is put in a signed envelope.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal

from tidegate.evidence.model import Evidence, Interval, Measurement
from tidegate.kernel.errors import EvidenceError, Problem
from tidegate.ledger.entries import STATEMENT_TYPE
from tidegate.policy.model import Operator

EVAL_RESULT_TYPE = "https://in-toto.io/attestation/eval-result/v0.1"
"""The predicate proposed to in-toto in pull request 575 (text of September 2026); not accepted yet."""
OBSERVED_FIELD = "tidegateObserved"
"""Our own field, which consumers that do not know it ignore (in-toto Statement v1, parsing rules)."""
COMMITMENT_ALGORITHM = "sha256-salted-v1"
MIN_SALT_BYTES = 16
"""With a shorter salt, a hidden model could be found by trying names."""
EVERY_EVAL_EVER_VERSION = "0.3.0"

Assurance = Literal["self_attested", "third_party", "reproduced", "enclave_attested"]
_OPPOSITE: dict[Operator, Operator] = {">=": "<", ">": "<=", "<=": ">", "<": ">="}
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True)
class Claim:
    """A claim about a figure: it holds if ``value <operator> threshold``."""

    comparator: Operator
    threshold: float
    on: Literal["value", "worst_case"] = "value"
    """Which figure is compared: as scored, or with lost samples counted as successes."""


@dataclass(frozen=True)
class Attestation:
    """What a statement needs that no record knows."""

    evaluator: str
    """URI of the party that ran the evaluation."""
    salt: bytes
    """Secret bytes that hide the names of model and dataset; they stay with the issuer."""
    claims: tuple[Claim, ...] = ()
    """Claims; if there are none, that the printed line is not crossed, by the figure nor by its worst case."""
    model_digest: str | None = None
    """Digest of the model, if it is to be named openly."""
    dataset_digest: str | None = None
    """Digest of the dataset, if it is to be named openly."""
    assurance: Assurance | None = None
    """How it was checked; if none is given, from who measured."""
    pre_registration: str | None = None
    """Digest of the rule that was fixed before the run."""


def decimal_string(number: float) -> str:
    """Give a number as the shortest decimal text that reads back as the same number, without an exponent."""
    return format(Decimal(repr(number)), "f")


def commitment(identifier: str, salt: bytes) -> dict[str, Any]:
    """Give a salted commitment to a name: only who has the salt can show what it stands for."""
    value = hashlib.sha256(salt + identifier.encode()).hexdigest()
    return {"alg": COMMITMENT_ALGORITHM, "value": value, "salted": True}


def in_toto_statement(record: Evidence, attestation: Attestation) -> dict[str, Any]:
    """Give an in-toto Statement v1 with the proposed ``eval-result/v0.1`` predicate.

    The subject is the evidence record itself, or the model where its digest is given.
    Numbers are decimal strings, so that no reader rounds them.

    Raises:
        EvidenceError: EVI012, the record or the attestation lacks a required part; all that is lacking at once.
    """
    measurement = record.measurement
    problems = list(_lacking(record, attestation))
    if problems or measurement is None:
        raise EvidenceError(*problems)
    claims = attestation.claims or _line_claims(record)
    predicate: dict[str, Any] = {
        "evaluator": {"id": attestation.evaluator},
        "evaluatedAt": f"{record.finished}T00:00:00Z",
        "suite": {"name": measurement.evaluation, "version": measurement.task_version or "unknown"},
        "claims": [_claim(record, measurement, claim) for claim in claims],
        "sampleSize": measurement.n,
        **_identities(record, attestation),
        "assuranceLevel": attestation.assurance or _assurance(record),
        "subjectProfile": "public-model" if attestation.model_digest else "receipt",
        "evidence": _materials(record),
    }
    if attestation.pre_registration:
        predicate["preRegistration"] = {"alg": "sha256", "value": _hex(attestation.pre_registration)}
    if harness := _harness(record.provenance.tool):
        predicate["harness"] = {"name": harness[0], "version": harness[1]}
    predicate[OBSERVED_FIELD] = _observed(record, measurement)
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(record, attestation)],
        "predicateType": EVAL_RESULT_TYPE,
        "predicate": predicate,
    }


def _lacking(record: Evidence, attestation: Attestation) -> Iterator[Problem]:
    for message, hint in (*_lacking_in_record(record, attestation), *_lacking_in_attestation(attestation)):
        yield Problem("EVI012", f"{record.id}: {message}", None, hint)


def _lacking_in_record(record: Evidence, attestation: Attestation) -> Iterator[tuple[str, str]]:
    measurement = record.measurement
    if measurement is None or measurement.value is None:
        yield "it has no figure", "export records with a value"
    elif measurement.n is None:
        yield "it does not say how many samples it rests on", "import the log, not the printed figure"
    elif record.line and not attestation.claims and record.line.unit not in (None, measurement.unit):
        yield (
            f"its line is in {record.line.unit}, its figure in {measurement.unit}",
            "give a claim in the figure's unit",
        )
    elif measurement.worst_case is None and any(claim.on == "worst_case" for claim in attestation.claims):
        yield "it has no worst case", "claim something about the value"
    if not attestation.claims and not _line_claims(record):
        yield "it has no line to claim anything about", "give a claim: comparator and threshold"
    if not _DAY.match(record.finished or ""):
        yield "the day it was finished is not known", "add `finished`"


def _lacking_in_attestation(attestation: Attestation) -> Iterator[tuple[str, str]]:
    if len(attestation.salt) < MIN_SALT_BYTES:
        yield f"the salt has {len(attestation.salt)} bytes", f"give at least {MIN_SALT_BYTES} random bytes"
    if ":" not in attestation.evaluator:
        yield f"{attestation.evaluator!r} is no URI", "name the evaluator by an address, as https://example.org"
    for given in (attestation.model_digest, attestation.dataset_digest, attestation.pre_registration):
        if given is not None and not _SHA256.match(given):
            yield f"{given!r} is no digest", "write sha256: and 64 hexadecimal digits"


def _line_claims(record: Evidence) -> tuple[Claim, ...]:
    line = record.line
    if line is None or line.value is None or line.crossed_when is None:
        return ()
    measurement, comparator = record.measurement, _OPPOSITE[line.crossed_when]
    claim = Claim(comparator, line.value)
    worst = None if measurement is None else measurement.worst_case
    if worst is None or measurement is None or worst == measurement.value or comparator in (">", ">="):
        return (claim,)
    return (claim, Claim(comparator, line.value, on="worst_case"))


def _claim(record: Evidence, measurement: Measurement, claim: Claim) -> dict[str, Any]:
    """Give a claim and whether it passed: never on a record whose own log contradicts it or broke off."""
    worst = claim.on == "worst_case"
    figure = measurement.worst_case if worst else measurement.value
    assert figure is not None
    return {
        "metric": f"{measurement.metric} (worst case)" if worst else measurement.metric,
        "comparator": claim.comparator,
        "threshold": decimal_string(claim.threshold),
        "passed": _holds(figure, claim.comparator, claim.threshold) and not _doubts(record),
    }


def _doubts(record: Evidence) -> list[str]:
    return [f"{remark.code}: {remark.message}" for remark in record.remarks if remark.blocks_rule_out]


def _holds(figure: float, comparator: Operator, threshold: float) -> bool:
    if comparator == ">=":
        return figure >= threshold
    if comparator == ">":
        return figure > threshold
    return figure <= threshold if comparator == "<=" else figure < threshold


def _identities(record: Evidence, attestation: Attestation) -> dict[str, Any]:
    """Give each of model and dataset exactly once: openly by its digest, or as a commitment."""
    assert record.measurement is not None
    dataset = str(record.measurement.parameters.get("dataset") or record.measurement.evaluation)
    entries = [
        ("model", record.subject.model, attestation.model_digest),
        ("dataset", dataset, attestation.dataset_digest),
    ]
    hidden = {kind: commitment(name, attestation.salt) for kind, name, given in entries if given is None}
    shown = {kind: {"name": name, "digest": {"sha256": _hex(given)}} for kind, name, given in entries if given}
    return {**({"commitments": hidden} if hidden else {}), **shown}


def _assurance(record: Evidence) -> Assurance:
    return "third_party" if record.evaluator.relation == "independent" else "self_attested"


def _subject(record: Evidence, attestation: Attestation) -> dict[str, Any]:
    if attestation.model_digest:
        return {"name": record.subject.model, "digest": {"sha256": _hex(attestation.model_digest)}}
    return {"name": "evidence-record", "digest": {"sha256": _hex(record.digest)}}


def _materials(record: Evidence) -> list[dict[str, Any]]:
    """Give what supports the result: the record in canonical JSON, and the log it was made from."""
    found: list[dict[str, Any]] = [
        {"name": "evidence-record", "digest": {"sha256": _hex(record.digest)}, "mediaType": "application/json"}
    ]
    source = record.provenance
    if source.digest and _SHA256.match(source.digest):
        log: dict[str, Any] = {"name": source.file or "log", "digest": {"sha256": _hex(source.digest)}}
        if source.url:
            log["uri"] = source.url
        if source.sample_root:
            log["annotations"] = {"sampleMerkleRoot": source.sample_root}
        found.append(log)
    return found


def _observed(record: Evidence, measurement: Measurement) -> dict[str, Any]:
    numbers = {
        "value": measurement.value,
        "worstCase": measurement.worst_case,
        "headerValue": measurement.header_value,
        "standardError": measurement.standard_error,
    }
    found: dict[str, Any] = {name: decimal_string(number) for name, number in numbers.items() if number is not None}
    found |= {"unit": measurement.unit, "quality": record.quality}
    if measurement.aggregation:
        found["aggregation"] = measurement.aggregation
    if record.counts:
        found["counts"] = {_camel(name): number for name, number in record.counts.model_dump().items() if number}
    found["elicitation"] = list(record.elicitation.elements)
    if doubts := _doubts(record):
        found["doubts"] = doubts
    return found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _hex(found: str) -> str:
    return found.removeprefix("sha256:")


def _harness(tool: str | None) -> tuple[str, str] | None:
    """Give name and version of the first tool in ``name version, name version``."""
    name, _, version = (tool or "").split(",", 1)[0].strip().rpartition(" ")
    return (name, version) if name else ((version, "unknown") if version else None)


@dataclass(frozen=True)
class EveryEvalEver:
    """Records in the shape of every_eval_ever, and those it has no place for."""

    documents: tuple[dict[str, Any], ...]
    """One per model and source."""
    skipped: tuple[str, ...]
    """Ids of records without a single figure, which the schema requires."""


def every_eval_ever(records: Sequence[Evidence], *, organisation: str, retrieved: int) -> EveryEvalEver:
    """Give records in the shape of every_eval_ever, version 0.3.0.

    Args:
        records: evidence records.
        organisation: who provides the data.
        retrieved: when they were taken, in seconds since 1970.
    """
    kept = [record for record in records if _has_figure(record)]
    skipped = tuple(record.id for record in records if not _has_figure(record))
    ordered = sorted(kept, key=_document_key)
    documents = [_document(list(group), organisation, retrieved) for _, group in groupby(ordered, key=_document_key)]
    return EveryEvalEver(tuple(documents), skipped)


def _has_figure(record: Evidence) -> bool:
    return record.measurement is not None and record.measurement.value is not None


def _document_key(record: Evidence) -> tuple[str, ...]:
    source = record.provenance
    origin = source.digest or source.url or source.title or source.file or ""
    return (record.subject.model, origin, record.subject.snapshot or "", record.subject.variant, record.quality)


def _document(records: list[Evidence], organisation: str, retrieved: int) -> dict[str, Any]:
    first = records[0]
    harness = _harness(first.provenance.tool) or ("unknown", "unknown")
    model = {"name": first.subject.model, "id": first.subject.model}
    evaluations = sorted({record.measurement.evaluation for record in records if record.measurement})
    library = {"name": harness[0], "version": harness[1]}
    document: dict[str, Any] = {
        "schema_version": EVERY_EVAL_EVER_VERSION,
        "evaluation_id": f"{'+'.join(evaluations[:3])}/{first.subject.model}/{retrieved}",
        "retrieved_timestamp": str(retrieved),
        "source_metadata": _source_metadata(first, organisation),
        "model_info": {**model, "additional_details": _model_details(first)},
        "eval_library": library,
        "evaluation_results": [_result(record) for record in records],
    }
    if first.provenance.tool:
        library["additional_details"] = {"packages": first.provenance.tool}  # type: ignore[assignment]
    if first.finished:
        document["evaluation_timestamp"] = first.finished
    return document


def _source_metadata(record: Evidence, organisation: str) -> dict[str, Any]:
    relation = {"developer": "first_party", "independent": "third_party"}.get(record.evaluator.relation, "other")
    source = record.provenance
    details = {
        "importer": source.format,
        "file": source.file,
        "digest": source.digest,
        "url": source.url,
        "revision": source.revision,
        "quality": record.quality,
    }
    return {
        "source_name": source.title or source.file or source.format,
        "source_type": "evaluation_run" if record.quality == "recomputable" else "documentation",
        "source_organization_name": organisation,
        "evaluator_relationship": relation,
        "additional_details": _texts(details),
    }


def _model_details(record: Evidence) -> dict[str, str]:
    known = {"deployment_type": "unknown", "model_availability": "unknown", "variant": record.subject.variant}
    return _texts({**known, "snapshot": record.subject.snapshot})


def _result(record: Evidence) -> dict[str, Any]:
    measurement = record.measurement
    assert measurement is not None
    result: dict[str, Any] = {
        "evaluation_result_id": record.id,
        "evaluation_name": measurement.evaluation,
        "source_data": _source_data(record, measurement),
        "metric_config": _metric(measurement),
        "score_details": _score(record, measurement),
        "generation_config": _generation(record),
    }
    if record.finished:
        result["evaluation_timestamp"] = record.finished
    return result


def _source_data(record: Evidence, measurement: Measurement) -> dict[str, Any]:
    name = str(measurement.parameters.get("dataset") or measurement.evaluation)
    if record.provenance.url:
        return {"dataset_name": name, "source_type": "url", "url": [record.provenance.url]}
    return {"dataset_name": name, "source_type": "other"}


def _metric(measurement: Measurement) -> dict[str, Any]:
    ends = {"fraction": (0.0, 1.0), "percent": (0.0, 100.0)}.get(measurement.unit)
    return {
        "metric_name": measurement.metric,
        "metric_unit": {"fraction": "proportion"}.get(measurement.unit, measurement.unit),
        # The schema asks for a direction; Tidegate reads a higher figure as more of what is measured.
        "lower_is_better": False,
        "score_type": "continuous",
        "min_score": ends[0] if ends else None,
        "max_score": ends[1] if ends else None,
        "additional_details": _texts(
            {"aggregation": measurement.aggregation, "task_version": measurement.task_version}
        ),
    }


def _score(record: Evidence, measurement: Measurement) -> dict[str, Any]:
    numbers = {"worst_case": measurement.worst_case, "header_value": measurement.header_value}
    counts = record.counts.model_dump() if record.counts else {}
    details = {
        **{name: decimal_string(number) for name, number in numbers.items() if number is not None},
        **{f"samples_{name}": number for name, number in counts.items() if number is not None},
        "sample_root": record.provenance.sample_root,
        "remarks": "; ".join(remark.message for remark in record.remarks) or None,
    }
    score: dict[str, Any] = {"score": measurement.value, "details": _texts(details)}
    if uncertainty := _uncertainty(measurement):
        score["uncertainty"] = uncertainty
    return score


def _uncertainty(measurement: Measurement) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if measurement.standard_error is not None:
        method = "analytic, clustered" if measurement.clustered else "analytic"
        found["standard_error"] = {"value": measurement.standard_error, "method": method}
    interval = measurement.interval
    if interval is not None and interval.is_confidence and interval.low is not None and interval.high is not None:
        found["confidence_interval"] = _interval(interval)
    if measurement.n is not None:
        found["num_samples"] = measurement.n
    return found


def _interval(interval: Interval) -> dict[str, Any]:
    found: dict[str, Any] = {"lower": interval.low, "upper": interval.high, "confidence_level": interval.level}
    return found | ({"method": interval.method} if interval.method else {})


def _generation(record: Evidence) -> dict[str, Any]:
    elicitation = record.elicitation
    arguments: dict[str, Any] = {}
    if "chain_of_thought" in elicitation.elements:
        arguments["reasoning"] = True
    if elicitation.attempts is not None:
        arguments["max_attempts"] = elicitation.attempts
    if elicitation.token_budget is not None:
        arguments["eval_limits"] = {"token_limit": elicitation.token_budget}
    details = _texts(
        {
            "elicitation": ", ".join(elicitation.elements) or None,
            "elicitation_basis": elicitation.basis,
            "scaffold": elicitation.scaffold,
            "tools": ", ".join(elicitation.tools) or None,
        }
    )
    return {"generation_args": arguments, "additional_details": details}


def _texts(values: dict[str, Any]) -> dict[str, str]:
    """Give the values that are there, as text: the schema allows nothing else in details."""
    return {name: str(value) for name, value in values.items() if value is not None}
