# SPDX-License-Identifier: Apache-2.0
"""What a verdict and a decision rest on: policy, models and evidence, in the edition that outsiders see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from tidegate.assess import Assessment, assess
from tidegate.assess.governed import Governed
from tidegate.evidence.about import evidence_about, models_about
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model
from tidegate.govern.decisions import Seen
from tidegate.govern.governance import Governance
from tidegate.kernel.canonical import digest
from tidegate.policy.model import Policy


@dataclass(frozen=True)
class Basis:
    """What a verdict is made from."""

    policy: Policy
    models: Sequence[Model]
    evidence: EvidenceSet

    def about(self, model_id: str) -> "Basis":
        """Give what of it can bear on a model."""
        return Basis(
            self.policy,
            models_about(self.models, self.evidence, model_id),
            evidence_about(self.evidence, self.models, model_id),
        )

    def assessed(self, model_id: str, snapshot: str | None, at: date, governed: Governed | None) -> Assessment:
        """Give the assessment of one model, with what was decided about it."""
        chosen = {model_id: snapshot} if snapshot else {}
        heard = governed.about(model_id) if governed is not None else None
        return assess(self.policy, self.evidence, self.models, at, only=[model_id], snapshots=chosen, governed=heard)


Look = Callable[[str, str | None, date], Seen | None]
"""Gives what somebody who looks at a model and snapshot on a day sees; none if there is no such thing."""


def seen_by(basis: Basis) -> Look:
    """Give what a decision about a model rests on: digests of policy, evidence, models and findings.

    The assessment is that without any decision: what the signers had before them.
    """
    known: dict[str, Basis] = {}

    def look(model_id: str, snapshot: str | None, at: date) -> Seen | None:
        model = next((one for one in basis.models if one.id == model_id), None)
        if model is None or (snapshot is not None and model.snapshot(snapshot) is None):
            return None
        about = known.setdefault(model_id, basis.about(model_id))
        made = about.assessed(model_id, snapshot, at, Governed())
        return Seen(
            policy=basis.policy.label,
            policy_digest=basis.policy.as_of(at).digest,
            evidence_digest=about.evidence.digest,
            model_digest=made.models_digest,
            snapshot=made.models[0].snapshot,
            assessment_digest=made.digest,
            findings_digest=findings_digest(made),
            at=at,
        )

    return look


def findings_digest(assessment: Assessment) -> str:
    """Give the digest of what an assessment concludes: every finding and the state of every requirement.

    Unlike the assessment's own digest it does not change with the day alone.
    """
    return digest(
        {
            one.model: {
                "findings": {finding.threshold: finding.finding for finding in one.thresholds},
                "requirements": {
                    f"{threshold}/{found.requirement}": found.state
                    for threshold, listed in one.requirements.items()
                    for found in listed
                },
            }
            for one in assessment.models
        }
    )


@dataclass(frozen=True)
class Governing:
    """A verdict's basis, with what people decided about it."""

    basis: Basis
    governed: Governed | None
    read: Governance | None = None
    doubts: tuple[str, ...] = ()
    """Why nobody can act on it either: the log is not the one it was, or the files are not what it holds."""
