# SPDX-License-Identifier: Apache-2.0
"""Before the run: can this suite rule the line out at all, and how many samples would it need."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tidegate.assess.bounds import in_unit
from tidegate.assess.power import Design, Plan, plan
from tidegate.flow.assessments import find_threshold
from tidegate.flow.policies import find_policy
from tidegate.flow.world import World
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import AssessError, Problem
from tidegate.policy.model import Indicator


@dataclass(frozen=True)
class PlanRequest:
    """What is asked of a plan."""

    indicator: str | None = None
    n: int | None = None
    attempts: int = 1
    agreement: float = 1.0
    clustering: float = 1.0
    rates: tuple[float, ...] = ()
    power: float = 0.8


@dataclass(frozen=True)
class IndicatorPlan:
    """The plan for one indicator; no plan where its line is not a share."""

    indicator: Indicator
    plan: Plan | None

    def to_json(self) -> dict[str, Any]:
        """Give the plan as plain data."""
        return {
            "indicator": self.indicator.id,
            "evaluation": self.indicator.evaluation,
            "rule": self.indicator.rule.model_dump(mode="json"),
            "plan": None if self.plan is None else asdict(self.plan),
        }

    def lines(self) -> Iterator[str]:
        """Give the plan in words."""
        line = self.indicator.rule.rule_out
        unit = self.indicator.unit or "fraction"
        yield f"{self.indicator.id}: {self.indicator.evaluation}"
        if self.plan is None:
            yield f"  its line ({line.crossed_when} {line.value:g} {unit}) is not a share: plan with intervals from a pilot run"
            return
        made = self.plan
        yield f"  line {line.crossed_when} {line.value:g} {unit}, confidence {made.confidence:.0%}"
        if made.questions is not None:
            verdict = (
                "can rule the line out" if made.can_rule_out else "CANNOT rule the line out, even with a perfect result"
            )
            yield f"  {made.questions} questions ({made.independent_samples} independent samples) {verdict}"
            if made.can_rule_out:
                yield f"  at most {made.most_successes} results on the concerning side"
            elif made.best_bound is not None:
                yield f"  the best bound it can give is {made.best_bound:.3g}"
        for needed in made.needed:
            yield f"  with {needed.successes} on the concerning side it takes {needed.questions or 'too many'} questions"
        for one in made.powers:
            at_size = "" if one.power is None else f"power {one.power:.2f} at this size; "
            yield f"  true rate {one.true_rate:g}: {at_size}{one.questions or 'too many'} questions for power {made.target:g}"


def plan_threshold(
    world: World, threshold: str, asked: PlanRequest, *, policy: str | None = None
) -> tuple[IndicatorPlan, ...]:
    """Give a plan per indicator of a threshold.

    Raises:
        AssessError: ASM002 for an unknown threshold or indicator, ASM004 if no rule stands in the policy,
            PRJ005-like bad numbers as ASM004.
    """
    loaded = find_policy(world, policy)
    found = find_threshold(loaded, threshold)
    indicators = [one for one in found.indicators if asked.indicator in (None, one.id)]
    if asked.indicator is not None and not indicators:
        known = [one.id for one in found.indicators]
        raise AssessError(
            Problem(
                "ASM002", f"{found.id} has no indicator {asked.indicator!r}", None, did_you_mean(asked.indicator, known)
            )
        )
    if not indicators:
        hint = "its lines are printed with results" if found.printed_lines else "add an indicator with a rule"
        raise AssessError(
            Problem("ASM004", f"{found.id} has no rule in the policy to plan for", loaded.where(found.id), hint)
        )
    return tuple(IndicatorPlan(one, _plan(one, asked)) for one in indicators)


def _plan(indicator: Indicator, asked: PlanRequest) -> Plan | None:
    rule = indicator.rule
    margin = rule.margin if rule.rule_out.higher_concerns else -rule.margin
    line = in_unit(rule.rule_out.value - margin, indicator.unit or "fraction", "fraction")
    if line is None or not 0 < line < 1:
        return None
    if any(not 0 <= rate <= 1 for rate in asked.rates):
        raise AssessError(Problem("ASM004", "a true rate lies between 0 and 1", None, "for example --rate 0.05"))
    return plan(
        line,
        rule.confidence or 0.95,
        Design(questions=asked.n, attempts=asked.attempts, agreement=asked.agreement, clustering=asked.clustering),
        true_rates=asked.rates,
        target=asked.power,
        higher_concerns=rule.rule_out.higher_concerns,
    )
