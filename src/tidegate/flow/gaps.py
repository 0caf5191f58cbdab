# SPDX-License-Identifier: Apache-2.0
"""The elicitation gap: how much more a stronger elicitation shows, next to the margin that was declared for it."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from tidegate.assess.bounds import Question, bounds
from tidegate.assess.comparisons import ElicitationGap, Summary, elicitation_gap
from tidegate.evidence.model import Evidence
from tidegate.flow.evidence import find_evidence
from tidegate.flow.world import World
from tidegate.kernel.errors import AssessError, Problem

WORDS = {
    "within_margin": "the margin is shown to cover it",
    "beyond_margin": "the margin does not cover it",
    "not_determined": "the two runs do not settle whether the margin covers it, so it does not count as covered",
}


@dataclass(frozen=True)
class Gap:
    """The gap between two records."""

    weaker: str
    stronger: str
    unit: str
    found: ElicitationGap

    def to_json(self) -> dict[str, Any]:
        """Give the gap as plain data."""
        return {"weaker": self.weaker, "stronger": self.stronger, "unit": self.unit, **asdict(self.found)}

    def text(self) -> str:
        """Give the gap in words."""
        found = self.found
        return (
            f"{self.stronger} shows {found.gap:+.4g} {self.unit} against {self.weaker} "
            f"(one-sided {found.confidence:.0%} bounds {found.low:+.4g} to {found.high:+.4g}); "
            f"declared margin {found.margin:.4g}: {WORDS[found.verdict]}"
        )


def gap_between(world: World, weaker: str, stronger: str, margin: float, confidence: float) -> Gap:
    """Give the gap between two runs of one evaluation; which is the stronger elicitation is declared, not read off.

    Raises:
        EvidenceError: EVI006, a record does not exist.
        AssessError: ASM005, the two do not compare, or one gives no spread.
    """
    evidence = world.project().evidence
    one, other = find_evidence(evidence, weaker), find_evidence(evidence, stronger)
    first, second = one.measurement, other.measurement
    if first is None or second is None or first.evaluation != second.evaluation or first.unit != second.unit:
        message = f"{weaker} and {stronger} are not measurements of one evaluation in one unit"
        raise AssessError(Problem("ASM005", message, None, "give two runs of the same evaluation"))
    found = elicitation_gap(_summary(one), _summary(other), margin, confidence=confidence)
    return Gap(weaker, stronger, first.unit, found)


def _summary(record: Evidence) -> Summary:
    measured = record.measurement
    assert measured is not None
    asked = Question(measured.unit, 0.95, higher_concerns=True, worst_case=False)
    found = bounds(measured, record.counts, asked)
    units = measured.clusters or measured.n
    if found is None or found.standard_error is None or units is None or units < 2:
        message = f"{record.id} gives no spread: neither successes and n, nor a standard error with n"
        raise AssessError(Problem("ASM005", message, None, "import the log instead of the figure"))
    return Summary(found.value, found.standard_error * math.sqrt(units), units)
