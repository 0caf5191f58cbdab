# SPDX-License-Identifier: Apache-2.0
"""Findings that rest on others: on a checkpoint, or on a model that is at least as capable.

A checkpoint that is ruled out rules out the thresholds behind it. If m is bounded by n, what is ruled out for n is
ruled out for m; and what m shows, n has to be able to do. What speaks against safety is carried first, so that
nothing rests on a finding that falls. Support is the least that follows: models that only bound each other support
nothing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidegate.assess.model import Finding, ThresholdFinding

Findings = dict[str, dict[str, ThresholdFinding]]
"""Model id -> threshold id -> finding."""

UNDECIDED: frozenset[Finding] = frozenset({"not_assessed", "inconclusive"})
"""Only these are decided by something else: nothing overrules what a model's own evidence says against safety."""


class Relation(NamedTuple):
    """One model is bounded by another, for some thresholds or (if none are named) for all."""

    model: str
    by: str
    thresholds: frozenset[str]

    def holds_for(self, threshold: str) -> bool:
        """Tell whether the bound was stated for a threshold."""
        return not self.thresholds or threshold in self.thresholds


def related(
    own: Mapping[str, Mapping[str, ThresholdFinding]],
    relations: Sequence[Relation],
    checkpoints: Mapping[str, Sequence[str]],
) -> Findings:
    """Give every model's findings with what its bounds and checkpoints add.

    Args:
        own: findings from each model's own evidence.
        relations: the bounds, in any order.
        checkpoints: checkpoint id -> thresholds that are ruled out when it is.
    """
    found = {model: dict(findings) for model, findings in own.items()}
    ordered = sorted(relations, key=lambda one: (one.model, one.by, sorted(one.thresholds)))
    # Each pass settles at least one finding, and there are only so many.
    passes = sum(map(len, found.values())) + 1
    for _ in range(passes):
        if not _raise_what_is_shown_below(found, ordered):
            break
    for _ in range(passes):
        by_checkpoint = _rule_out_by_checkpoint(found, checkpoints)
        if not _rule_out_from_above(found, ordered) and not by_checkpoint:
            break
    _say_what_bounds(found, ordered)
    return found


def _rule_out_by_checkpoint(found: Findings, checkpoints: Mapping[str, Sequence[str]]) -> bool:
    changed = False
    for findings in found.values():
        for checkpoint, targets in checkpoints.items():
            for target in targets:
                finding = findings.get(target)
                if finding is None or findings[checkpoint].finding != "ruled_out" or finding.finding not in UNDECIDED:
                    continue
                changed = True
                findings[target] = _ruled_out(
                    finding, checkpoint, findings[checkpoint], "ruled out by the checkpoint {}"
                )
    return changed


def _ruled_out(finding: ThresholdFinding, by: str, other: ThresholdFinding, words: str) -> ThresholdFinding:
    update = {
        "finding": "ruled_out",
        "by": by,
        "reasons": (words.format(by), *finding.reasons),
        "load_bearing": other.load_bearing,
    }
    return finding.model_copy(update=update)


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
        and finding.finding in UNDECIDED
        and found[relation.by][threshold].finding == "ruled_out"
    ]
    for relation, threshold in ruled:
        finding, other = found[relation.model][threshold], found[relation.by][threshold]
        if finding.finding in UNDECIDED:
            words = "bounded by {}, for which it is ruled out"
            found[relation.model][threshold] = _ruled_out(finding, relation.by, other, words)
    return bool(ruled)


def _say_what_bounds(found: Findings, relations: Sequence[Relation]) -> None:
    for relation in relations:
        for threshold, finding in found[relation.model].items():
            if relation.holds_for(threshold) and finding.finding in UNDECIDED:
                state = found[relation.by][threshold].finding.replace("_", " ")
                reason = f"bounded by {relation.by}, for which it is {state}"
                found[relation.model][threshold] = finding.model_copy(update={"reasons": (reason, *finding.reasons)})
