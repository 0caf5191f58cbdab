# SPDX-License-Identifier: Apache-2.0
"""What of the evidence can bear on one model's verdict, and nothing else.

A verdict rests on the model's own records, and on other models through bounds: what rules a bounding model out rules
the model out, and what a bounded model shows its bounding model has to be able to do. So all models that bound it
matter, at any remove, and all models that one of those bounds: a sibling that crosses a line takes away the bound.
A decision signed over this part is not put in doubt by news about models that have nothing to do with it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from tidegate.evidence.model import Evidence, EvidenceSet
from tidegate.evidence.models import Model

EVERY_MODEL = "*"
"""Subject of what is said of every model."""


def evidence_about(evidence: EvidenceSet, models: Sequence[Model], model_id: str) -> EvidenceSet:
    """Give the evidence that can bear on a model's verdict, on any day and under any policy; order is kept.

    These are records about the model by any of its names or about every model, records about the models of
    `models_about`, the conclusions and bounds stated for all of these, and restatements that touch their records.

    Args:
        evidence: everything recorded.
        models: every model of the project.
        model_id: the model, by id or alias; one that is not known has the records that name it.
    """
    related = models_about(models, evidence, model_id)
    named = frozenset[str]().union({EVERY_MODEL, model_id.casefold()}, *(model.names for model in related))
    kept = tuple(one for one in evidence.records if one.subject.model.casefold() in named)
    touched = _touched(kept, evidence)
    return EvidenceSet(
        records=kept,
        restatements=tuple(one for one in evidence.restatements if one.supersedes in touched or one.by in touched),
        conclusions=tuple(one for one in evidence.conclusions if one.model.casefold() in named),
        bounds=tuple(one for one in evidence.bounds if one.model.casefold() in named),
    )


def models_about(models: Sequence[Model], evidence: EvidenceSet, model_id: str) -> tuple[Model, ...]:
    """Give the model and those whose findings can change its own, in their order; nothing if it is not known.

    These are the models that bound it, at any remove, and whatever one of them or the model itself bounds, at any
    remove. Bounds count whenever they were stated and for whichever thresholds.
    """
    ids = {name: model.id for model in models for name in model.names}
    start = ids.get(model_id.casefold())
    if start is None:
        return ()
    above: dict[str, set[str]] = defaultdict(set)
    below: dict[str, set[str]] = defaultdict(set)
    for model in models:
        for bound in (*model.bounded_by, *evidence.bounds):
            by = ids.get(bound.by.casefold())
            if by is not None and bound.model.casefold() in model.names:
                above[model.id].add(by)
                below[by].add(model.id)
    kept = _reached(_reached({start}, above), below)
    return tuple(model for model in models if model.id in kept)


def _reached(start: Collection[str], following: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Give where one can come to from `start`, the start included."""
    pending, seen = list(start), set[str]()
    while pending:
        current = pending.pop()
        if current not in seen:
            seen.add(current)
            pending += following.get(current, ())
    return frozenset(seen)


def _touched(kept: Sequence[Evidence], evidence: EvidenceSet) -> frozenset[str]:
    """Give the kept records and all that restatements join to them: a circle may pass through any record."""
    joined: dict[str, set[str]] = defaultdict(set)
    for one in evidence.restatements:
        if one.by is not None:
            joined[one.supersedes].add(one.by)
            joined[one.by].add(one.supersedes)
    return _reached([record.id for record in kept], joined)
