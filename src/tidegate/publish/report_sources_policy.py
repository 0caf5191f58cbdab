# SPDX-License-Identifier: Apache-2.0
"""What fills fields about the adopted policy: thresholds, mitigations, review, security, governance, its changes.

Where a policy has a field of its own for something, that is read. Where it has none, the clauses are given whose
words speak of it, as the policy words them; the reader is told that they were found by words.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tidegate.policy.model import ACTIONS, Approval, Item, Policy, Trigger, TriggerEvent
from tidegate.publish.content import Content, PublishedModel, PublishedPolicy
from tidegate.publish.report_blocks import Block, Paragraph, listing
from tidegate.publish.report_sources_thresholds import criteria_tables, policy_filling, requirements_of
from tidegate.publish.report_sources_words import (
    CLAUSE_HEADS,
    clause_data,
    clause_rows,
    clauses_about,
    iso,
    plain_list,
    spaced,
    tabled,
    threshold_title,
)
from tidegate.publish.report_templates import Filling, Source
from tidegate.publish.words import ACTION_WORDS

DEPLOYMENTS = frozenset({"limited", "general", "open_weights"})
RENEWED_BY = frozenset({"effective_compute", "snapshot", "new_affordance", "deployment_change", "elapsed_time"})
"""Events of a trigger that say when a changed model is assessed anew."""

_WORDS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(words, re.IGNORECASE)
    for name, words in {
        "third_parties": r"\bthird[ -]part(?:y|ies)\b|\bexternal\b|\boutside\b|\bindependent\b|\baudit",
        "security": r"\bsecurity\b|\bweights?\b",
        "incidents": r"\bincidents?\b",
        "internal_use": r"\binternal(?:ly)?[ -](?:use|deploy\w*)\b|\bused? internally\b|\boversight\b",
        "updates": r"\b(?:this|the) (?:policy|framework)\b.*\b(?:chang|updat|revis|review)"
        r"|\b(?:chang\w*|updat\w*|revis\w*|review\w*) (?:of|to) (?:this|the) (?:policy|framework)\b",
        "standards": r"\bISO\b|\bIEC\b|\bNIST\b|\bRAND\b|\bSOC ?2\b|\bMITRE\b|\bOWASP\b|\bCIS\b|\bCERT\b|\bETSI\b",
        "speaking_up": r"\bnoncompliance\b|\bwhistle|\bretaliat|\bspeak|\bgag|\banonym",
    }.items()
}


def _by_words(
    content: Content, about: str, caption: str, but: Iterable[Item] = ()
) -> tuple[tuple[Block, ...], list[dict[str, Any]]]:
    """Give the clauses that speak of something, and say that they were found by their words."""
    found = clauses_about(content.policy, _WORDS[about], {one.id for one in but})
    return tabled(f"{caption} (clauses found by their words)", CLAUSE_HEADS, clause_rows(found)), clause_data(found)


# --- the policy as a whole -----------------------------------------------------------------------------


def _identity(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    known = content.inventory.find(f"policy:{policy.label}")
    adopted = next((one.adopted_on for one in content.policies if one.policy.digest == policy.digest), None)
    entry = known.entry if known else None
    data = {
        "id": policy.id,
        "version": policy.version,
        "title": policy.title,
        "publisher": policy.publisher,
        "kind": policy.kind,
        "status": policy.status,
        "effective": iso(policy.effective),
        "supersedes": policy.supersedes,
        "digest": policy.digest,
        "adopted_on": iso(adopted),
        "log_entry": entry,
    }
    rows = [(name.replace("_", " "), str(value).replace("_", " ")) for name, value in data.items() if value is not None]
    blocks: list[Block] = [*tabled("The policy", ("What", "Value"), rows)]
    if entry is None:
        blocks.append(Paragraph(("No entry of a log shows its adoption.",)))
    return policy_filling(content, blocks, data)


def _scope(content: Content, _model: PublishedModel | None) -> Filling | None:
    scope = content.policy.scope
    rows = (
        ("In words", scope.text),
        ("Models", spaced(scope.models)),
        (
            "From a training compute of",
            f"{scope.minimum_training_flop:g} operations" if scope.minimum_training_flop else "",
        ),
        (
            "From a revenue of",
            f"{scope.minimum_revenue_usd:,.0f} US dollars a year" if scope.minimum_revenue_usd else "",
        ),
        ("Jurisdictions", plain_list(scope.jurisdictions)),
    )
    shown = [row for row in rows if row[1]]
    return policy_filling(content, tabled("What it covers", ("What", "Value"), shown), scope.model_dump(mode="json"))


def _domains(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    rows = [
        (
            f"{one.id} {one.title}".strip(),
            one.text,
            plain_list(item.id for item in policy.thresholds if item.domain == one.id) or "none",
            "; ".join(f"{name}: {there}" for name, there in one.maps_to.items()),
        )
        for one in policy.domains
    ]
    data = [
        {
            "id": one.id,
            "title": one.title,
            "thresholds": [t.id for t in policy.thresholds if t.domain == one.id],
            "maps_to": one.maps_to,
        }
        for one in policy.domains
    ]
    heads = ("Area of risk", "What it is", "Thresholds", "Called elsewhere")
    return policy_filling(content, tabled("Areas of risk", heads, rows), data)


# --- who reviews, who decides --------------------------------------------------------------------------


def _approvals(policy: Policy, chosen: Iterable[Approval]) -> Iterator[Block]:
    titles = {one.id: one.title or one.id for one in policy.roles}
    rows = [
        (
            f"{one.id} {one.title}".strip(),
            spaced([one.act]),
            plain_list(titles.get(name, name) for name in one.signers) or "not stated",
            str(one.quorum) if one.quorum else "all",
            ", ".join(ACTION_WORDS[action] for action in one.before) or "not tied to a use",
            one.text,
        )
        for one in chosen
    ]
    heads = ("Approval", "Of", "Who may sign", "How many must", "Before", "What it says")
    yield from tabled("Approvals", heads, rows, is_wide=True)


def _approval_data(chosen: Iterable[Approval]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "act": one.act,
            "signers": list(one.signers),
            "quorum": one.quorum,
            "before": list(one.before),
            "text": one.text,
        }
        for one in chosen
    ]


def _review(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    chosen = [one for one in policy.approvals if one.before]
    covered = {action for one in chosen for action in one.before}
    governed = {action for _, one in requirements_of(policy) for action in one.actions}
    lacks = []
    if not covered & DEPLOYMENTS:
        lacks.append("no approval has to come before a deployment")
    if "internal_use" not in covered | governed:
        lacks.append("nothing in the policy has to come before internal use")
    data = {"approvals": _approval_data(chosen), "before": [one for one in ACTIONS if one in covered]}
    return policy_filling(content, _approvals(policy, chosen), data, lacks)


def _roles(policy: Policy) -> Iterator[Block]:
    rows = [
        (one.title or one.id, one.power, "; ".join(one.duties) or one.text or "not stated", plain_list(one.not_same_as))
        for one in policy.roles
    ]
    heads = ("Role", "Its word", "What it is charged with", "Not the same person as")
    yield from tabled("Roles", heads, rows)


def _governance(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    told, clauses = _by_words(content, "speaking_up", "Raising concerns", (*policy.roles, *policy.approvals))
    blocks = [*_roles(policy), *_approvals(policy, policy.approvals), *told]
    data = {
        "roles": [
            {
                "id": one.id,
                "title": one.title,
                "power": one.power,
                "duties": list(one.duties),
                "not_same_as": list(one.not_same_as),
            }
            for one in policy.roles
        ],
        "approvals": _approval_data(policy.approvals),
        "clauses": clauses,
    }
    lacks = () if policy.roles else ("the policy names no role that answers for it",)
    return policy_filling(content, blocks, data, lacks)


def _third_parties(content: Content, _model: PublishedModel | None) -> Filling | None:
    blocks, data = _by_words(content, "third_parties", "Assessment by third parties")
    return policy_filling(content, blocks, data)


# --- when, and when anew -------------------------------------------------------------------------------


def event_words(one: TriggerEvent) -> str:
    """Give an event of a trigger in words.

    >>> event_words(TriggerEvent(on="effective_compute", ratio=4, since="last assessed model"))
    'effective compute 4 times that of: last assessed model'
    """
    since = f" that of: {one.since}" if one.since else ""
    match one.on:
        case "effective_compute":
            return f"effective compute {one.ratio:g} times{since}"
        case "elapsed_time":
            return f"{one.every} have passed" + (f" since: {one.since}" if one.since else "")
        case "discretion":
            return f"at the discretion of {one.by or 'whoever is in charge'}"
        case _:
            return one.on.replace("_", " ")


def _trigger_rows(chosen: Iterable[Trigger]) -> Iterator[tuple[str, str, str, str]]:
    for one in chosen:
        joint = " and " if one.when == "all" else ", or "
        due = one.deadline
        by = "not stated" if due is None else f"within {due.within} of: {due.starts}" + (" (soft)" if due.soft else "")
        yield (
            f"{one.id} {one.title}".strip(),
            spaced([one.starts]),
            joint.join(event_words(event) for event in one.events),
            by,
        )


def _trigger_data(chosen: Iterable[Trigger]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "starts": one.starts,
            "when": one.when,
            "events": [event.model_dump(mode="json", exclude_none=True) for event in one.events],
            "deadline": one.deadline.model_dump(mode="json") if one.deadline else None,
        }
        for one in chosen
    ]


_TRIGGER_HEADS = ("Trigger", "Starts", "When", "By when")


def _triggers(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    changes = [one for one in policy.approvals if one.act == "policy_change"]
    found, clauses = _by_words(
        content, "updates", "Review and change of the policy itself", (*policy.triggers, *changes)
    )
    lacks = []
    if not any(event.on in RENEWED_BY for one in policy.triggers for event in one.events):
        lacks.append("no trigger says when a changed model is assessed anew")
    if not changes and not clauses:
        lacks.append("the policy does not say when and by whom it is changed")
    data = {"triggers": _trigger_data(policy.triggers), "changes": _approval_data(changes), "clauses": clauses}
    table = tabled("When an assessment or review is due", _TRIGGER_HEADS, _trigger_rows(policy.triggers))
    return policy_filling(content, (*table, *_approvals(policy, changes), *found), data, lacks)


def _incidents(content: Content, _model: PublishedModel | None) -> Filling | None:
    chosen = [one for one in content.policy.triggers if any(event.on == "incident" for event in one.events)]
    found, clauses = _by_words(content, "incidents", "Incidents", chosen)
    table = tabled("What an incident starts", _TRIGGER_HEADS, _trigger_rows(chosen))
    return policy_filling(content, (*table, *found), {"triggers": _trigger_data(chosen), "clauses": clauses})


# --- security and internal use -------------------------------------------------------------------------


def _security(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    rows = [
        (
            f"{one.id} {one.title}".strip(),
            one.rand or "none stated",
            plain_list(one.actors_in_scope) or "not stated",
            plain_list(one.actors_out_of_scope) or "not stated",
            one.standard or "not stated",
        )
        for one in policy.security_levels
    ]
    heads = ("Level", "RAND level", "Meant to hold against", "Not meant to hold against", "Standard")
    named = {one.standard for one in policy.security_levels if one.standard}
    named |= {one.id for one in policy.standards if re.search(r"secur", f"{one.id} {one.title}", re.IGNORECASE)}
    blocks = [*tabled("Levels of protection of model weights", heads, rows), *criteria_tables(policy, named)]
    found, clauses = _by_words(content, "security", "Security of model weights")
    data = {
        "levels": [
            {
                "id": one.id,
                "rand": one.rand,
                "actors_in_scope": list(one.actors_in_scope),
                "actors_out_of_scope": list(one.actors_out_of_scope),
                "standard": one.standard,
            }
            for one in policy.security_levels
        ],
        "standards": sorted(named),
        "clauses": clauses,
    }
    lacks = [
        f"{one.id} does not say against whom it is meant to hold"
        for one in policy.security_levels
        if not one.actors_in_scope
    ]
    return policy_filling(content, blocks or found, data, lacks)


def _internal_use(content: Content, _model: PublishedModel | None) -> Filling | None:
    policy = content.policy
    rows = [
        (threshold_title(threshold) if threshold else "every model", f"{one.id} {one.title}".strip(), one.text)
        for threshold, one in requirements_of(policy)
        if "internal_use" in one.actions
    ]
    chosen = [one for one in policy.approvals if "internal_use" in one.before]
    stated = [one for _, one in requirements_of(policy) if "internal_use" in one.actions]
    found, clauses = _by_words(content, "internal_use", "Internal use and oversight", (*stated, *chosen))
    heads = ("While this is not ruled out", "Requirement", "What it says")
    table = tabled("What is required before internal use", heads, rows)
    data = {
        "requirements": [one.id for one in stated],
        "approvals": _approval_data(chosen),
        "clauses": clauses,
    }
    return policy_filling(content, (*table, *_approvals(policy, chosen), *found), data)


def _standards_used(content: Content, _model: PublishedModel | None) -> Filling | None:
    kept = [
        content.frameworks[one.framework]
        for one in content.commitments
        if one.framework in content.frameworks
        and one.stance in ("adhered", "bound")
        and content.frameworks[one.framework].kind == "standard"
    ]
    levels = [
        f"{one.id}: {one.rand} of the RAND report on securing model weights"
        for one in content.policy.security_levels
        if one.rand
    ]
    found, clauses = _by_words(content, "standards", "Standards that the policy names")
    blocks = (
        *listing("Standards that the organisation stands by", (f"{one.title} ({one.version})" for one in kept)),
        *listing("Levels taken from published scales", levels),
        *found,
    )
    data = {"standards": [one.label for one in kept], "levels": levels, "clauses": clauses}
    return policy_filling(content, blocks, data)


# --- its changes ---------------------------------------------------------------------------------------


def _changes(content: Content, _model: PublishedModel | None) -> Filling | None:
    """Give what changed between versions, by meaning; what the newest one's own account leaves out is missing."""
    if not content.policies:
        return None
    data = [_version_data(one) for one in content.policies]
    rows = [
        (
            one.policy.label,
            iso(one.policy.effective) or "not stated",
            iso(one.adopted_on) or "not on record",
            "first version on record" if one.diff is None else _counts(one),
            one.policy.digest.removeprefix("sha256:")[:12],
        )
        for one in content.policies
    ]
    heads = ("Version", "In effect from", "Adopted", "Changes by meaning", "Digest")
    blocks = [*tabled("Versions", heads, rows), *(block for one in content.policies for block in _diff(one))]
    newest = content.policies[0].diff
    silent = [row.id for row in newest.unaccounted] if newest else []
    lacks = [f"the changelog of {content.policies[0].policy.label} does not fully account for: {plain_list(silent)}"]
    return policy_filling(content, blocks, data, lacks if silent else ())


def _counts(one: PublishedPolicy) -> str:
    assert one.diff is not None
    counts = one.diff.counts_by_outcome()
    return ", ".join(f"{n} {name}" for name, n in counts.items() if n and name != "retained") or "none"


def _diff(one: PublishedPolicy) -> Iterator[Block]:
    if one.diff is not None:
        rows = [(row.outcome, row.clause, row.change, row.account or "not material") for row in one.diff.table_rows()]
        caption = f"{one.diff.old.label} to {one.diff.new.label}"
        yield from tabled(caption, ("What became of it", "Clause", "What changed", "Own account"), rows, is_wide=True)


def _version_data(one: PublishedPolicy) -> dict[str, Any]:
    return {
        "label": one.policy.label,
        "digest": one.policy.digest,
        "effective": iso(one.policy.effective),
        "adopted_on": iso(one.adopted_on),
        "changes": one.diff.counts_by_outcome() if one.diff else None,
        "unaccounted": [row.id for row in one.diff.unaccounted] if one.diff else [],
    }


SOURCES: Mapping[str, Source] = {
    "policy.identity": _identity,
    "policy.scope": _scope,
    "policy.domains": _domains,
    "policy.review": _review,
    "policy.governance": _governance,
    "policy.third_parties": _third_parties,
    "policy.triggers": _triggers,
    "policy.incidents": _incidents,
    "policy.security": _security,
    "policy.internal_use": _internal_use,
    "policy.standards": _standards_used,
    "policy.changes": _changes,
}
"""Sources about the policy."""
