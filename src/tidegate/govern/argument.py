# SPDX-License-Identifier: Apache-2.0
"""The safety case behind a decision: what stands in its way, by the evidence and the reviews of now.

A case flags itself when its evidence ages, is retracted, or when a part changes that somebody had reviewed.
"""

import json
from collections.abc import Callable
from datetime import date

from pydantic import ValidationError

from tidegate.case.checks import examine
from tidegate.case.model import Review, SafetyCase
from tidegate.case.setting import CaseContext
from tidegate.govern.basis import Basis
from tidegate.govern.decisions import SeenCase
from tidegate.govern.governance import Governance
from tidegate.govern.records import Documents
from tidegate.kernel.canonical import canonical_bytes

Faults = Callable[[SeenCase], tuple[str, ...]]
"""Gives what stands in the way of a decision that rests on a version of a case; nothing if nothing does."""


def case_reviews(read: Governance, case: str) -> tuple[Review, ...]:
    """Give the reviews of a case that the log holds, in its order."""
    record = read.cases.get(case)
    return tuple(
        Review(node=node, digest=digest, reviewer=one.by, verdict=one.verdict)
        for one in (record.reviews if record is not None else ())
        for node, digest in one.nodes.items()
    )


def case_faults(basis: Basis, read: Governance, documents: Documents, at: date) -> Faults:
    """Give what to ask about a case, as things stand on a day."""

    def faults(seen: SeenCase) -> tuple[str, ...]:
        data = documents(seen.document)
        if data is None:
            return (f"the safety case {seen.case} is not kept with the log",)
        try:
            case = SafetyCase.model_validate(json.loads(data))
        except (ValidationError, ValueError, RecursionError):
            return (f"the safety case {seen.case} cannot be read",)
        if canonical_bytes(case) != data:
            return (f"the safety case {seen.case} is not in canonical form",)
        context = CaseContext(
            evidence=basis.evidence,
            at=at,
            models=tuple(basis.models),
            policy=basis.policy,
            reviews=case_reviews(read, seen.case),
        )
        return tuple(
            f"safety case {seen.case}: {one.code} {one.node + ': ' if one.node else ''}{one.message}"
            for one in examine(case, context).blocking
        )

    return faults
