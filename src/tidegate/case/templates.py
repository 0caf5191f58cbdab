# SPDX-License-Identifier: Apache-2.0
"""The other templates: control, trustworthiness, deference, and safeguards against misuse.

The first three are the classes of argument of Clymer et al. (arXiv 2403.10462) besides inability; the parts of the
control argument follow Korbak et al. (arXiv 2501.17315), those about misuse Clymer et al. (arXiv 2505.18003).
Their claims are undeveloped and their assumptions have no owner until people give them both. Only what the policy
requires and the assessment found met is cited at once.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tidegate.assess.model import CriterionFinding, NeedFinding, RequirementFinding
from tidegate.case.draft import Basis, Draft
from tidegate.case.model import Template
from tidegate.policy.model import Threshold


class Part(NamedTuple):
    """A standard claim or assumption of a template."""

    id: str
    """Its id."""
    text: str
    """What it says."""


class Argument(NamedTuple):
    """What a template argues."""

    top: str
    """The top claim, about ``{model}`` and ``{actions}``."""
    threshold: str
    """The claim about one threshold, ``{threshold}``."""
    falsifier: str
    """What would prove it wrong."""
    why: str
    """Why the parts suffice."""
    claims: tuple[Part, ...]
    """Parts that have to be shown."""
    assumptions: tuple[Part, ...]
    """Parts that somebody has to own."""


ARGUMENTS: dict[Template, Argument] = {
    "control": Argument(
        top="Even if {model} tried to cause severe harm, the control measures would prevent it throughout {actions}.",
        threshold="Whatever {model} would do with {threshold}, control measures stop it before severe harm.",
        falsifier="An attempt, in deployment or in a control evaluation, that comes further than the measures allow "
        "before it is noticed.",
        why="A model that may try anything is kept from harm if its ways are known, the measures were tested against "
        "somebody at least as able, those measures are the ones in use, and what they notice is answered in time.",
        claims=(
            Part("ways", "The ways in which a misaligned model could cause severe harm from its deployment are known."),
            Part(
                "red-team",
                "In control evaluations a red team that plays the model succeeds no more often than allowed.",
            ),
            Part("strength", "The red team was at least as able and as free as the model is in deployment."),
            Part("same-measures", "The measures in use are those that were evaluated, and stay so."),
            Part("response", "What the measures notice is answered before it becomes severe harm."),
        ),
        assumptions=(
            Part("no-collusion", "Monitors that are models do not collude with the model that they watch."),
            Part("no-sandbagging", "The model did not hold back in the evaluations of its ability to subvert control."),
        ),
    ),
    "trustworthiness": Argument(
        top="Although {model} could cause severe harm, it will not, when used as intended, throughout {actions}.",
        threshold="{model} does not use {threshold} to cause severe harm, although it could.",
        falsifier="An instance in which the model pursues a harmful end that nobody gave it, or behaves better where it "
        "can tell that it is evaluated.",
        why="A model does not cause harm that it could cause if it behaves as intended where it was looked at, cannot tell "
        "that it is looked at, and carries that behaviour over to where it is used.",
        claims=(
            Part("behaviour", "Where it was evaluated, the model behaves as intended, also under pressure."),
            Part("no-faking", "The model does not behave better because it can tell that it is evaluated."),
            Part("incentives", "Its training gave no incentive to hide ends of its own."),
            Part("generalises", "What was seen in evaluation carries over to the situations of deployment."),
            Part("robust", "Its good behaviour survives adversarial input and long use."),
        ),
        assumptions=(
            Part("stable", "The model does not change its ends through its use, memory or further training."),
            Part("noticed", "If its behaviour drifted, somebody would notice in time."),
        ),
    ),
    "deference": Argument(
        top="A trusted AI adviser judges {model} safe for {actions}, and its judgement can be relied on.",
        threshold="A trusted AI adviser judges that {threshold} in {model} does not lead to severe harm.",
        falsifier="A judgement of the adviser, on a question whose answer is known, that is wrong where it was sure.",
        why="A judgement can be deferred to if the adviser is able, honest and independent, was asked without bias, and "
        "was checked where people can check.",
        claims=(
            Part("able", "The adviser is at least as able as people to judge the safety of such a model."),
            Part("honest", "The adviser says what it holds to be true: it has its own case for being trustworthy."),
            Part("independent", "The adviser has no ties to the model that it judges, and does not collude with it."),
            Part("asked-fairly", "It was shown everything that matters, and was not led to its answer."),
            Part("judgement", "It judges the deployment safe, with the confidence that is stated."),
            Part("checked", "Where people can check its judgements, they hold."),
        ),
        assumptions=(Part("scope", "The question asked lies within what the adviser was tested on."),),
    ),
    "safeguards-for-misuse": Argument(
        top="Although {model} could help people to cause severe harm, safeguards keep that risk acceptable throughout {actions}.",
        threshold="With its safeguards, {model} gives those who would misuse {threshold} no substantial help.",
        falsifier="A jailbreak, leak or route around the safeguards that costs less than the red team's estimate and "
        "stays open longer than the response allows.",
        why="Misuse stays rare if the ways of misuse are known, getting round the safeguards costs more than those who "
        "would misuse the model can give, and new ways are found and closed in time.",
        claims=(
            Part("misuse-ways", "The ways in which people would misuse the model are known, with what they can spend."),
            Part("evasion-cost", "Red teams, given realistic means, find getting round the safeguards this costly."),
            Part("uplift", "At that cost the help that gets through stays below what is acceptable."),
            Part("in-use", "The safeguards in use are those that were tested, for every user and route."),
            Part("response", "New ways round them are found and closed within the time that the estimate allows."),
            Part("weights", "Nobody gets round the safeguards by taking the weights."),
        ),
        assumptions=(
            Part("attackers", "Those who would misuse the model have no better means than the red teams had."),
            Part("reporting", "Ways round the safeguards that circulate become known."),
        ),
    ),
}
"""Template -> its argument. Inability is built from the evaluations instead."""


def argue_by_template(draft: Draft, basis: Basis, template: Template, thresholds: Sequence[Threshold]) -> list[str]:
    """Add a claim for each threshold as the template argues it, and give their ids."""
    argument = ARGUMENTS[template]
    words = {"model": basis.name, "actions": basis.deployment}
    shared = [draft.add(f"{template}/{one.id}", "claim", one.text) for one in argument.claims]
    assumed = [draft.add(f"A/{one.id}", "assumption", one.text) for one in argument.assumptions]
    found: list[str] = []
    for threshold in thresholds:
        name = f"T/{threshold.id}"
        required = _required(draft, basis, threshold) if template == "safeguards-for-misuse" else []
        strategy = draft.add(
            f"{name}/argument",
            "strategy",
            f"Argue over the parts of the {template} argument.",
            below=[*shared, *required],
            context=assumed,
            aggregation="all",
            why=argument.why,
        )
        title = f"{threshold.id} ({threshold.title})" if threshold.title else threshold.id
        found.append(
            draft.add(
                name,
                "claim",
                argument.threshold.format(**words, threshold=title),
                below=[strategy],
                falsifier=argument.falsifier,
                source=f"threshold:{threshold.id}",
            )
        )
    return found


def _required(draft: Draft, basis: Basis, threshold: Threshold) -> list[str]:
    """Add a claim for every requirement that governs the actions."""
    asked = basis.assessed.requirements.get(threshold.id, ())
    return [_requirement(draft, basis, one) for one in asked if set(one.actions) & set(basis.actions)]


def _requirement(draft: Draft, basis: Basis, required: RequirementFinding) -> str:
    below = [_criterion(draft, basis, one) for one in required.criteria]
    target = f" ({required.target})" if required.target else ""
    text = f"{required.requirement}{target} is in place."
    if not below:
        text += f" The assessment says: {required.state.replace('_', ' ')}, {required.reason}."
    combined: dict[str, Any] = {}
    if len(below) > 1:
        combined = {"aggregation": "all", "why": "The policy asks for every one of these criteria."}
    source = f"requirement:{required.requirement}"
    return draft.add(f"R/{required.requirement}", "claim", text, below=below, source=source, **combined)


def _criterion(draft: Draft, basis: Basis, criterion: CriterionFinding) -> str:
    below = [_need(draft, basis, criterion.criterion, one) for one in criterion.needs]
    combined: dict[str, Any] = {}
    if len(below) > 1:
        combined = {"aggregation": "all", "why": "The policy asks for each of these pieces of evidence."}
    text = f"{criterion.title or criterion.criterion} is met."
    source = f"criterion:{criterion.criterion}"
    return draft.add(f"K/{criterion.criterion}", "claim", text, below=below, source=source, **combined)


def _need(draft: Draft, basis: Basis, criterion: str, need: NeedFinding) -> str:
    """Add what a criterion needs: records if it is met by some, else a claim that says what is missing."""
    records = [basis.records[one] for one in need.evidence if one in basis.records] if need.state == "met" else []
    below = [draft.cite(one) for one in records if one.outcome != "fail"]
    combined: dict[str, Any] = {}
    if len(below) > 1:
        combined = {"aggregation": "any", "why": "The assessment counts the newest, or the one that suffices."}
    text = f"{need.need}: {need.state.replace('_', ' ')}, {need.reason}."
    return draft.add(f"K/{criterion}/{need.need}", "claim", text, below=below, **combined)
