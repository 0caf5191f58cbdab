# SPDX-License-Identifier: Apache-2.0
"""What fills fields about single evaluations: how each was made and elicited, with which result, with which samples."""

from collections.abc import Mapping
from typing import Any

from tidegate.assess.explain import result_words, source_words
from tidegate.assess.whatif import quantity
from tidegate.evidence.model import CAPABILITY_KINDS, Evidence
from tidegate.govern.report_building import elicited_with
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.report_blocks import Cell, Cite, cell
from tidegate.publish.report_sources_words import evidence_refs, plain_list, records_of, spaced, tabled
from tidegate.publish.report_templates import Filling, Source

SAMPLES_PER_EVALUATION = 5
"""Random inputs and outputs that the EU code asks for, for each evaluation (measure 7.3)."""
SAMPLES_NEED = "samples"
"""Need that a record of kind ``document`` names if it holds the samples of the evaluations that it lists."""


def evaluations_of(content: Content, model: PublishedModel | None) -> tuple[Evidence, ...]:
    """Give the evaluations of capabilities on record."""
    return tuple(one for one in records_of(content, model) if one.kind in CAPABILITY_KINDS and one.measurement)


def _evaluations(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give every evaluation: what was measured on what, how it was elicited, by whom, with which result."""
    found = evaluations_of(content, model)
    if not found:
        return None
    heads = (
        "Record", "Evaluation and metric", "Measured on", "Result", "Elicited with", "Baseline", "By", "Day", "Source",
    )  # fmt: skip
    blocks = tabled("Evaluations", heads, [_evaluation_row(one) for one in found], is_wide=True)
    bare = [one.id for one in found if one.elicitation.basis == "unstated" and not elicited_with(one)]
    unsure = [one.id for one in found if _has_no_interval(one)]
    lacks = []
    if bare:
        lacks.append(f"nothing says how these were elicited: {plain_list(bare)}")
    if unsure:
        lacks.append(f"neither an interval nor the number of units is given for: {plain_list(unsure)}")
    data = [_evaluation_data(one) for one in found]
    refs = evidence_refs(content, (one.id for one in found))
    return Filling(blocks, data, refs, content.at, tuple(lacks))


def _has_no_interval(one: Evidence) -> bool:
    found = one.measurement
    return found is not None and found.interval is None and found.n is None and found.standard_error is None


def _evaluation_row(one: Evidence) -> tuple[str | Cell, ...]:
    found = one.measurement
    assert found is not None
    base = "none stated"
    if found.baseline is not None:
        base = f"{quantity(found.baseline, found.unit)} ({found.baseline_who or 'whose is not stated'})"
    relation = "" if one.evaluator.relation == "unstated" else f" ({one.evaluator.relation})"
    return (
        (Cite(f"evidence:{one.id}"),),
        f"{found.evaluation}, {found.metric}",
        f"{one.subject.snapshot or 'snapshot not stated'}, {spaced([one.subject.variant])}",
        result_words(one),
        elicitation_words(one),
        base,
        f"{one.evaluator.name or 'not stated'}{relation}",
        one.finished or one.published or "not dated",
        f"{source_words(one) or one.provenance.format}; {one.quality}",
    )


def elicitation_words(one: Evidence) -> str:
    """Give how a result was drawn out, and what the source says was not done."""
    made = one.elicitation
    details = (
        ("attempts", made.attempts),
        ("best of", made.n_samples),
        ("tools", plain_list(made.tools)),
        ("scaffold", made.scaffold),
        ("reasoning", made.reasoning),
        ("tokens", made.token_budget),
        ("US dollars", made.cost_budget_usd),
        ("not used", spaced(made.absent)),
    )
    words = [spaced(elicited_with(one)) or "not stated"]
    words += [f"{name}: {value}" for name, value in details if value]
    return "; ".join(words)


def _evaluation_data(one: Evidence) -> dict[str, Any]:
    found = one.measurement
    assert found is not None
    return {
        "evidence": one.id,
        "digest": one.digest,
        "kind": one.kind,
        "model": one.subject.model,
        "snapshot": one.subject.snapshot,
        "variant": one.subject.variant,
        "evaluation": found.evaluation,
        "metric": found.metric,
        "value": found.value,
        "unit": found.unit,
        "aggregation": found.aggregation,
        "n": found.n,
        "interval": found.interval.model_dump(mode="json") if found.interval else None,
        "baseline": found.baseline,
        "baseline_who": found.baseline_who,
        "elicitation": one.elicitation.model_dump(mode="json", exclude_none=True),
        "evaluator": one.evaluator.model_dump(mode="json", exclude_none=True),
        "day": one.finished or one.published,
        "quality": one.quality,
        "threats": [threat.model_dump(mode="json") for threat in one.threats],
    }


def _samples(content: Content, model: PublishedModel | None) -> Filling | None:
    """Say for each evaluation where its random inputs and outputs are; those without any are missing."""
    found = evaluations_of(content, model)
    if not found:
        return None
    held = {
        name: one
        for one in content.evidence.values()
        if one.kind == "document" and one.need == SAMPLES_NEED and one.id not in content.withdrawn
        for name in one.criteria
    }
    rows: list[tuple[str | Cell, ...]] = []
    for one in found:
        shown = held.get(one.id)
        root = one.provenance.sample_root
        where: str | Cell = "missing" if shown is None else cell(Cite(f"evidence:{shown.id}"), _place(shown))
        rows.append(((Cite(f"evidence:{one.id}"),), where, root or "not committed to"))
    heads = ("Evaluation", f"{SAMPLES_PER_EVALUATION} random samples", "Digest over all samples")
    missing = [one.id for one in found if one.id not in held]
    lacks = (f"{SAMPLES_PER_EVALUATION} random samples of input and output are missing for: {plain_list(missing)}",)
    data = [
        {
            "evidence": one.id,
            "samples": held[one.id].id if one.id in held else None,
            "sample_root": one.provenance.sample_root,
        }
        for one in found
    ]
    refs = evidence_refs(content, (held[one.id].id for one in found if one.id in held))
    return Filling(tabled("Samples", heads, rows), data, refs, content.at, lacks if missing else ())


def _place(record: Evidence) -> str:
    words = record.provenance.url or source_words(record)
    return f" ({words})" if words else ""


SOURCES: Mapping[str, Source] = {
    "assessment.evaluations": _evaluations,
    "assessment.samples": _samples,
}
"""Sources about evaluations."""
