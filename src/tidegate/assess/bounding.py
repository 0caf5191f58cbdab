# SPDX-License-Identifier: Apache-2.0
"""Findings of models that are no more capable than others.

If m is bounded by n, what is ruled out for n is ruled out for m; and what m shows, n has to be able to do.
Support is the least that follows: models that only bound each other support nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidegate.assess.model import ThresholdFinding

Findings = dict[str, dict[str, ThresholdFinding]]
"""Model id -> threshold id -> finding."""


class Relation(NamedTuple):
    """One model is bounded by another, for some thresholds or (if none are named) for all."""

    model: str
    by: str
    thresholds: frozenset[str]

    def holds_for(self, threshold: str) -> bool:
        """Tell whether the bound was stated for a threshold."""
        return not self.thresholds or threshold in self.thresholds


def bounded(own: Mapping[str, Mapping[str, ThresholdFinding]], relations: Sequence[Relation]) -> Findings:
    """Give every model's findings with what its bounds add.

    Args:
        own: findings from each model's own evidence.
        relations: the bounds, in any order.
    """
    found = {model: dict(findings) for model, findings in own.items()}
    ordered = sorted(relations, key=lambda one: (one.model, one.by, sorted(one.thresholds)))
    for _ in range(len(found)):
        if not _raise_what_is_shown_below(found, ordered):
            break
    for _ in range(len(found)):
        if not _rule_out_from_above(found, ordered):
            break
    _say_what_bounds(found, ordered)
    return found


def _raise_what_is_shown_below(found: Findings, relations: Sequence[Relation]) -> bool:
    """A model cannot be ruled out for what a model that it bounds has crossed."""
    raised: list[tuple[Relation, str]] = [
        (relation, threshold)
        for relation in relations
        for threshold, finding in found[relation.model].items()
        if relation.holds_for(threshold)
        and finding.finding in ("reached", "not_ruled_out")
        and found[relation.by][threshold].finding not in ("reached", "not_ruled_out")
    ]
    for relation, threshold in raised:
        other = found[relation.by][threshold]
        reason = f"{relation.model}, which it bounds, crosses its lines"
        found[relation.by][threshold] = other.model_copy(
            update={"finding": "not_ruled_out", "by": relation.model, "reasons": (reason, *other.reasons)}
        )
    return bool(raised)


def _rule_out_from_above(found: Findings, relations: Sequence[Relation]) -> bool:
    ruled = [
        (relation, threshold)
        for relation in relations
        for threshold, finding in found[relation.model].items()
        if relation.holds_for(threshold)
        and finding.finding in ("not_assessed", "inconclusive")
        and found[relation.by][threshold].finding == "ruled_out"
    ]
    for relation, threshold in ruled:
        finding, other = found[relation.model][threshold], found[relation.by][threshold]
        if finding.finding == "ruled_out":
            continue
        reason = f"bounded by {relation.by}, for which it is ruled out"
        found[relation.model][threshold] = finding.model_copy(
            update={
                "finding": "ruled_out",
                "by": relation.by,
                "reasons": (reason, *finding.reasons),
                "load_bearing": other.load_bearing,
            }
        )
    return bool(ruled)


def _say_what_bounds(found: Findings, relations: Sequence[Relation]) -> None:
    for relation in relations:
        for threshold, finding in found[relation.model].items():
            if relation.holds_for(threshold) and finding.finding in ("not_assessed", "inconclusive"):
                state = found[relation.by][threshold].finding.replace("_", " ")
                reason = f"bounded by {relation.by}, for which it is {state}"
                found[relation.model][threshold] = finding.model_copy(update={"reasons": (reason, *finding.reasons)})
