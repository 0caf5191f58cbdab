# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the rules are Cedar policies in `rules.cedar`, over the schema in `rules.cedarschema`.

The rules speak about one person and one act. How many people have to sign, in which roles, is counted elsewhere.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple, Protocol

import cedarpy
from pydantic import Field, model_validator

from tidegate.kernel.record import Record

Action = Literal[
    "propose",
    "review",
    "recuse",
    "dissent",
    "sign",
    "reaffirm",
    "move",
    "record_waiver",
    "finalise_report",
    "criticise_report",
    "answer_criticism",
    "review_case",
    "manage_case",
    "close_case",
    "erase",
    "place_hold",
    "lift_hold",
    "add_key",
    "rotate_key",
    "revoke_key",
    "record_event",
    "waive",
    "record_incident",
    "close_incident",
]
"""What somebody wants to do."""
ResourceKind = Literal["decision", "report", "argument", "matter", "content", "key", "duty", "incident"]
"""What they want to do it to: a decision, a report, a safety case, a case of noncompliance, content outside the log,
a key, a duty, an incident."""

ACTIONS: Mapping[ResourceKind, tuple[Action, ...]] = {
    "decision": ("propose", "review", "recuse", "dissent", "sign", "reaffirm", "move", "record_waiver"),
    "report": ("finalise_report", "criticise_report", "answer_criticism"),
    "argument": ("review_case",),
    "matter": ("manage_case", "close_case"),
    "content": ("erase", "place_hold", "lift_hold"),
    "key": ("add_key", "rotate_key", "revoke_key"),
    "duty": ("record_event", "waive"),
    "incident": ("record_incident", "close_incident"),
}
"""Kind of resource -> what can be done to it."""
PEOPLE_ATTRIBUTES = ("authors", "proposer", "recused", "implicated", "managers", "risk_owners", "owners")
"""What may be known about a resource as people; who is not named is none of them."""
ROLE_ATTRIBUTES = ("roles", "signing_roles")
"""What may be known about a resource as roles: those that a key is to have, and those whose holders may sign."""


class Acting(Protocol):
    """Somebody who acts: a person of the project, or who a key speaks for."""

    @property
    def id(self) -> str:
        """Id of the person."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that the person holds."""


class Resource(Record):
    """What is acted on."""

    kind: ResourceKind
    """What it is."""
    id: str
    """Its id."""
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What is known about it: one of `PEOPLE_ATTRIBUTES` or `ROLE_ATTRIBUTES` -> ids of people, or roles."""

    @model_validator(mode="after")
    def _are_known(self) -> "Resource":
        unknown = set(self.attributes) - {*PEOPLE_ATTRIBUTES, *ROLE_ATTRIBUTES}
        if unknown:
            raise ValueError(f"the rules know no attribute {', '.join(sorted(unknown))}")
        return self


class Request(NamedTuple):
    """May this person do this?"""

    principal: Acting
    """Who wants to act."""
    action: Action
    """What they want to do."""
    resource: Resource
    """What they want to do it to."""
    role: str | None = None
    """Role in which they want to sign."""


def allowed(request: Request) -> str | None:
    """Give none if the rules allow it, or else in words why not.

    >>> from tidegate.govern.people import Person
    >>> decision = Resource(kind="decision", id="d-1", attributes={"recused": ("ada",)})
    >>> allowed(Request(Person(id="ada"), "review", decision))
    'ada is recused from d-1; only dissent stays open'
    >>> allowed(Request(Person(id="ada"), "dissent", decision)) is None
    True

    Raises:
        ValueError: the action is none that can be done to this kind of resource.
    """
    if request.action not in ACTIONS[request.resource.kind]:
        raise ValueError(f"{request.action} is not done to a {request.resource.kind}")
    rules = _rules()
    result = cedarpy.is_authorized(_asked(request), rules.policies, _entities(request), rules.schema)
    problems = result.diagnostics.errors
    if result.allowed and not problems:
        return None
    # A rule that could not be evaluated forbids nothing, so an error must not let anything through.
    reasons = [rules.reasons[name] for name in sorted(result.diagnostics.reasons, key=_position)]
    if problems or result.allowed:
        reasons = [f"the rules could not be applied: {problem}" for problem in problems]
    shown = "; ".join(reasons or rules.needs[request.action])
    return shown.replace("{person}", request.principal.id).replace("{resource}", request.resource.id)


def rules_text() -> tuple[str, str]:
    """Give the rules and their schema, as Cedar text."""
    folder = resources.files("tidegate.govern")
    return (folder / "rules.cedar").read_text("utf-8"), (folder / "rules.cedarschema").read_text("utf-8")


class _Rules(NamedTuple):
    policies: Any
    schema: Any
    reasons: Mapping[str, str]
    """Name that Cedar gives to a rule -> its reason."""
    needs: Mapping[str, tuple[str, ...]]
    """Action -> the reasons of the rules that could permit it."""


@cache
def _rules() -> _Rules:
    text, schema = rules_text()
    known = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    reasons = {name: str(rule["annotations"]["reason"]) for name, rule in known.items()}
    needs: dict[str, list[str]] = {}
    for name in sorted(known, key=_position):
        if known[name]["effect"] == "permit":
            scope = known[name]["action"]
            for action in scope.get("entities") or [scope["entity"]]:
                needs.setdefault(action["id"], []).append(reasons[name])
    permitted = {action: tuple(found) for action, found in needs.items()}
    return _Rules(cedarpy.PolicySet.from_str(text), cedarpy.Schema.from_str(schema), reasons, permitted)


def _position(name: str) -> int:
    return int(name.removeprefix("policy"))


def _person(name: str) -> dict[str, str]:
    # Ids that differ in case only are the same person everywhere else.
    return {"type": "Tidegate::Person", "id": name.casefold()}


def _named(request: Request) -> dict[str, str]:
    return {"type": f"Tidegate::{request.resource.kind.title()}", "id": request.resource.id}


def _asked(request: Request) -> dict[str, Any]:
    return {
        "principal": _person(request.principal.id),
        "action": {"type": "Tidegate::Action", "id": request.action},
        "resource": _named(request),
        "context": {} if request.role is None or request.action != "sign" else {"role": request.role},
    }


def _entities(request: Request) -> list[dict[str, Any]]:
    about = request.resource.attributes
    attributes: dict[str, list[Any]] = {
        name: [{"__entity": _person(one)} for one in about.get(name, ())] for name in PEOPLE_ATTRIBUTES
    }
    attributes |= {name: list(about.get(name, ())) for name in ROLE_ATTRIBUTES}
    return [
        {"uid": _person(request.principal.id), "attrs": {"roles": list(request.principal.roles)}, "parents": []},
        {"uid": _named(request), "attrs": attributes, "parents": []},
    ]
