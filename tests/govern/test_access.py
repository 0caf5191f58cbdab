# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the rules fit their schema, and each rule is a table of who is let through and who is not."""

import json
from typing import get_args

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tidegate.govern import access
from tidegate.govern.access import (
    ACTIONS,
    PEOPLE_ATTRIBUTES,
    Action,
    Request,
    Resource,
    ResourceKind,
    allowed,
    rules_text,
)
from tidegate.govern.people import Person

KIND = {action: kind for kind, actions in ACTIONS.items() for action in actions}


def person(*roles: str, name: str = "ada") -> Person:
    return Person(id=name, roles=roles)


def asked(action: str, *roles: str, role: str | None = None, **about: tuple[str, ...]) -> str | None:
    """Ask whether Ada, in these roles, may do this to something of which this is known."""
    return allowed(Request(person(*roles), action, Resource(kind=KIND[action], id="x-1", attributes=about), role))


# --- the rules as a text ------------------------------------------------------------------------------


def test_the_rules_fit_their_schema():
    rules, schema = rules_text()
    found = cedarpy.validate_policies(rules, schema)
    assert found.validation_passed, found.errors


@pytest.mark.parametrize(
    "broken", ["resource.recussed.contains(principal)", 'action == Tidegate::Action::"sing"', "resource.recused == 3"]
)
def test_the_schema_finds_a_slip(broken):
    _, schema = rules_text()
    assert not cedarpy.validate_policies(f"forbid (principal, action, resource) when {{ {broken} }};", schema)


def test_the_rules_are_laid_out_as_cedar_does():
    rules, _ = rules_text()
    assert cedarpy.format_policies(rules) == rules


def test_every_rule_has_a_name_and_a_reason():
    rules = json.loads(cedarpy.policies_to_json_str(rules_text()[0]))["staticPolicies"]
    names = [rule["annotations"]["id"] for rule in rules.values()]
    assert len(set(names)) == len(names)
    assert all(rule["annotations"]["reason"] for rule in rules.values())


def test_every_action_is_done_to_one_kind_of_thing_and_can_be_permitted():
    assert sorted(KIND) == sorted(get_args(Action))
    assert len(KIND) == sum(len(actions) for actions in ACTIONS.values())
    assert sorted(ACTIONS) == sorted(get_args(ResourceKind))
    assert set(access._rules().needs) == set(KIND)


# --- the rules as tables ------------------------------------------------------------------------------

ME, OTHER = ("ada",), ("ben",)
ALLOWED = [
    ("propose", (), {}),
    ("review", (), {"authors": OTHER, "proposer": OTHER}),
    ("dissent", (), {"recused": ME}),
    ("recuse", (), {"recused": ME}),
    ("dissent", (), {"implicated": ME}),
    ("sign", ("rso",), {"signing_roles": ("rso", "ceo")}),
    ("sign", ("ceo", "keeper"), {"signing_roles": ("rso", "ceo"), "authors": ME}),
    ("sign", ("assurer",), {"signing_roles": ("assurer",), "risk_owners": OTHER}),
    ("sign", ("risk-owner",), {"signing_roles": ("risk-owner",), "risk_owners": ME}),
    ("move", (), {}),
    ("reaffirm", (), {"authors": ME}),
    ("record_waiver", (), {"authors": ME}),
    ("finalise_report", (), {"authors": ME}),
    ("criticise_report", (), {"authors": OTHER}),
    ("answer_criticism", (), {"authors": ME}),
    ("review_case", (), {"authors": OTHER}),
    ("manage_case", (), {"managers": ME}),
    ("close_case", (), {"managers": ("ben", "ada"), "implicated": OTHER}),
    ("erase", ("keeper",), {}),
    ("place_hold", ("keeper",), {}),
    ("lift_hold", ("keeper",), {}),
    ("add_key", ("keeper",), {"owners": OTHER, "roles": ("rso",)}),
    ("add_key", ("rso", "ceo"), {"owners": ME, "roles": ("rso",)}),
    ("add_key", (), {"owners": ME}),
    ("rotate_key", (), {"owners": ME}),
    ("rotate_key", ("keeper",), {"owners": OTHER}),
    ("revoke_key", (), {"owners": ME}),
    ("revoke_key", ("keeper",), {"owners": OTHER}),
    ("record_event", (), {}),
    ("waive", ("rso",), {"signing_roles": ("rso", "ceo"), "owners": OTHER}),
    ("record_incident", (), {}),
    ("close_incident", (), {}),
]
REFUSED = [
    ("review", (), {"authors": ME}, "nobody reviews their own work"),
    ("review", (), {"proposer": ME}, "nobody reviews their own work"),
    ("criticise_report", (), {"authors": ("ben", "ada")}, "nobody reviews their own work"),
    ("review_case", ("assurer",), {"authors": ME}, "nobody reviews their own work"),
    *(
        (action, ("rso",), {"recused": ME, "signing_roles": ("rso",)}, "recused")
        for action in ("propose", "review", "sign", "reaffirm", "move", "record_waiver")
    ),
    ("review_case", (), {"recused": ME}, "recused"),
    ("finalise_report", (), {"recused": ME}, "recused"),
    ("sign", ("rso",), {"signing_roles": ("rso",), "implicated": ME}, "accused"),
    ("review", (), {"implicated": ME}, "accused"),
    ("move", (), {"implicated": ME}, "accused"),
    ("reaffirm", (), {"implicated": ME}, "accused"),
    ("sign", ("risk-owner", "rso"), {"signing_roles": ()}, "decide or approve"),
    ("sign", ("rso",), {"signing_roles": ("ceo",)}, "decide or approve"),
    ("sign", (), {"signing_roles": ("ceo",)}, "decide or approve"),
    ("sign", ("assurer", "ceo"), {"signing_roles": ("ceo",), "risk_owners": ME}, "who assures does not own"),
    ("manage_case", ("case-manager",), {"managers": OTHER}, "only who manages the case"),
    ("close_case", ("case-manager", "keeper"), {}, "only who manages the case"),
    ("manage_case", (), {"managers": ME, "implicated": ME}, "implicated in x-1"),
    ("close_case", (), {"managers": ME, "implicated": ME}, "implicated in x-1"),
    ("erase", ("ceo",), {}, "only a keeper"),
    ("place_hold", (), {}, "only a keeper"),
    ("lift_hold", ("Keeper",), {}, "only a keeper"),
    ("add_key", ("rso",), {"owners": OTHER}, "only a keeper"),
    ("add_key", ("keeper",), {"owners": ME, "roles": ("rso",)}, "no role that the signing key lacks"),
    ("rotate_key", ("rso",), {"owners": OTHER}, "only its owner or a keeper"),
    ("revoke_key", (), {}, "only its owner or a keeper"),
    ("waive", ("rso",), {"signing_roles": ("ceo",)}, "sign waivers"),
    ("waive", ("rso",), {"signing_roles": ("rso",), "owners": ME}, "nobody sets their own duty aside"),
]


@pytest.mark.parametrize(("action", "roles", "about"), ALLOWED)
def test_who_is_let_through(action, roles, about):
    assert asked(action, *roles, **about) is None


@pytest.mark.parametrize(("action", "roles", "about", "said"), REFUSED)
def test_who_is_not(action, roles, about, said):
    reason = asked(action, *roles, **about)
    assert reason is not None
    assert said in reason
    assert "{" not in reason


def test_every_rule_refuses_or_permits_somewhere_in_the_tables():
    """A rule that no row needs could be left out unnoticed."""
    rules = json.loads(cedarpy.policies_to_json_str(rules_text()[0]))
    for name, rule in rules["staticPolicies"].items():
        others = {key: one for key, one in rules["staticPolicies"].items() if key != name}
        text = cedarpy.policies_from_json_str(json.dumps({**rules, "staticPolicies": others}))
        assert changes_a_row(text), rule["annotations"]["id"]


def changes_a_row(text: str) -> bool:
    rows = [(*row[:3], None, True) for row in ALLOWED] + [(*row[:3], None, False) for row in REFUSED]
    rows.append(("sign", ("assurer", "risk-owner"), {"signing_roles": ("risk-owner",)}, "risk-owner", False))
    for action, roles, about, role, expected in rows:
        request = Request(person(*roles), action, Resource(kind=KIND[action], id="x", attributes=about), role)
        result = cedarpy.is_authorized(access._asked(request), text, access._entities(request), rules_text()[1])
        assert not result.diagnostics.errors
        if result.allowed != expected:
            return True
    return False


@pytest.mark.parametrize(
    ("roles", "role", "said"),
    [
        (("rso", "ceo"), "rso", None),
        (("rso", "ceo"), "ceo", "decide or approve"),
        (("ceo",), "rso", "decide or approve"),
        (("rso",), "keeper", "decide or approve"),
        (("risk-owner",), "risk-owner", None),
        (("risk-owner", "assurer"), "risk-owner", "cannot sign as a risk owner"),
        (("rso", "assurer"), "rso", None),
    ],
)
def test_signing_is_in_a_role(roles, role, said):
    reason = asked("sign", *roles, role=role, signing_roles=("rso", "risk-owner"))
    assert (reason is None) == (said is None)
    assert said is None or said in reason


def test_case_does_not_make_another_person():
    assert "recused" in asked("review", recused=("ADA",))
    assert "only who" in asked("manage_case", managers=("adam",))


def test_all_reasons_are_given():
    reason = asked("sign", "rso", "assurer", signing_roles=("rso",), recused=ME, implicated=ME, risk_owners=ME)
    assert all(said in reason for said in ("recused", "accused", "who assures"))


def test_what_is_not_done_to_a_thing_is_an_error():
    with pytest.raises(ValueError, match="erase is not done to a decision"):
        allowed(Request(person("keeper"), "erase", Resource(kind="decision", id="x")))
    with pytest.raises(ValidationError, match="no attribute recussed"):
        Resource(kind="decision", id="x", attributes={"recussed": ME})
    with pytest.raises(ValidationError):
        Resource(kind="dream", id="x")


def test_a_rule_that_fails_lets_nobody_through(monkeypatch):
    """Cedar leaves out a rule that it cannot evaluate; a forbidding rule must not vanish that way."""
    rules = access._rules()
    failing = (
        "permit (principal, action, resource); forbid (principal, action, resource) when { resource.missing == 1 };"
    )
    names = {"policy0": "permitted", "policy1": "forbidden"}
    monkeypatch.setattr(
        access, "_rules", lambda: rules._replace(policies=cedarpy.PolicySet.from_str(failing), reasons=names)
    )
    assert "could not be applied" in asked("propose")


# --- laws ---------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["ada", "Ben", "o'neil", 'quo"te', "{person}", "ünï", "a\\b", "x::y", ""])
MANY = st.lists(NAMES, max_size=3).map(tuple)
ROLE_NAMES = st.lists(st.sampled_from(["keeper", "rso", "assurer", "risk-owner", 'a"b', ""]), max_size=3).map(tuple)
ABOUT = st.dictionaries(st.sampled_from(PEOPLE_ATTRIBUTES), MANY) | st.dictionaries(
    st.sampled_from(["roles", "signing_roles"]), ROLE_NAMES
)


class Somebody:
    def __init__(self, name: str, roles: tuple[str, ...]):
        self.id, self.roles = name, roles


@given(st.sampled_from(sorted(KIND)), NAMES, ROLE_NAMES, NAMES, ABOUT, st.none() | st.sampled_from(["rso", 'a"b']))
def test_every_question_has_an_answer(action, name, roles, resource, about, role):
    found = allowed(
        Request(Somebody(name, roles), action, Resource(kind=KIND[action], id=resource, attributes=about), role)
    )
    assert found is None or "could not be applied" not in found


@given(st.sampled_from(sorted(set(KIND) - {"dissent", "recuse"})), ROLE_NAMES, ABOUT)
def test_nobody_acts_on_what_they_are_recused_from(action, roles, about):
    resource = Resource(kind=KIND[action], id="x", attributes={**about, "recused": ("ben", "ada")})
    assert allowed(Request(Somebody("ada", roles), action, resource)) is not None


@given(st.sampled_from(["erase", "place_hold", "lift_hold"]), ROLE_NAMES, ABOUT)
def test_only_keepers_touch_what_is_kept(action, roles, about):
    resource = Resource(kind="content", id="x", attributes={**about, "recused": ()})
    assert (allowed(Request(Somebody("ada", roles), action, resource)) is None) == ("keeper" in roles)
