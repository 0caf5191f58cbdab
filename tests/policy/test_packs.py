# SPDX-License-Identifier: Apache-2.0
"""The policies that ship: what they hold, that they load, and that published figures find their thresholds."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tidegate.policy import ACTIONS, LoadedPolicy, Policy, load_pack, load_policy_text, pack_names
from tidegate.policy.diff import diff
from tidegate.policy.load import items_by_id
from tidegate.policy.model import Approval, Commitment, Item, Requirement, Trigger

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "packs.md"

PUBLISHED = ("gdm-fsf-v3.1", "meta-aasf-v2", "openai-pf2", "rsp-v2.2", "rsp-v3.4")
ALL = (*PUBLISHED, "starter")


def policy_of(name: str) -> Policy:
    return load_pack(name).policy


def item(name: str, item_id: str) -> Any:
    return items_by_id(policy_of(name))[item_id]


# --- golden counts ---------------------------------------------------------------------------------

LABELS = {
    "gdm-fsf-v3.1": ("gdm-fsf@3.1", "in_effect", "2026-04-17"),
    "meta-aasf-v2": ("meta-aasf@2", "in_effect", "2026-04-07"),
    "openai-pf2": ("openai-preparedness@2", "in_effect", "2025-04-15"),
    "rsp-v2.2": ("anthropic-rsp@2.2", "superseded", "2025-05-14"),
    "rsp-v3.4": ("anthropic-rsp@3.4", "in_effect", "2026-07-08"),
    "starter": ("starter@1", "draft", "None"),
}

# domains, threat models, thresholds, indicators, requirements, standards, criteria, levels, triggers, roles,
# approvals, commitments
COUNTS = {
    "gdm-fsf-v3.1": (5, 2, 7, 0, 18, 0, 0, 3, 3, 2, 2, 12),
    "meta-aasf-v2": (3, 8, 16, 0, 33, 0, 3, 0, 2, 3, 1, 12),
    "openai-pf2": (5, 3, 11, 0, 10, 2, 13, 1, 2, 3, 2, 14),
    "rsp-v2.2": (5, 0, 7, 0, 10, 4, 26, 2, 2, 7, 4, 31),
    "rsp-v3.4": (3, 0, 4, 0, 10, 1, 2, 2, 4, 7, 4, 27),
    "starter": (5, 3, 6, 10, 12, 4, 14, 2, 2, 3, 4, 8),
}
KINDS = [
    "Domain",
    "ThreatModel",
    "Threshold",
    "Indicator",
    "Requirement",
    "Standard",
    "Criterion",
    "SecurityLevel",
    "Trigger",
    "Role",
    "Approval",
    "Commitment",
]


def test_exactly_these_packs_ship() -> None:
    assert pack_names() == ALL


@pytest.mark.parametrize("name", ALL)
def test_labels(name: str) -> None:
    policy = policy_of(name)
    assert (policy.label, policy.status, str(policy.effective)) == LABELS[name]
    assert policy.preregistration == ("required" if name == "starter" else "flagged")


@pytest.mark.parametrize("name", ALL)
def test_counts_per_kind_of_item(name: str) -> None:
    found = Counter(type(one).__name__ for _, one in policy_of(name).located_items())
    assert tuple(found[kind] for kind in KINDS) == COUNTS[name]
    assert sum(found.values()) == sum(COUNTS[name])


# --- thresholds and what they require --------------------------------------------------------------

_DEPLOY = ("limited", "general", "open_weights")
_KEEP = ("internal_use", *_DEPLOY)


def on(actions: Iterable[str], *kinds: str) -> set[tuple[str, str]]:
    return {(action, kind) for action in actions for kind in kinds}


_META_HIGH = on(_KEEP, "safeguard")
_META_CRITICAL = on(("train", "internal_use"), "safeguard") | on(_DEPLOY, "halt")
_GDM_MISUSE = on(_DEPLOY, "report", "affirmative_case") | on(_KEEP, "safeguard?")
_GDM_RESEARCH = on(_KEEP, "report", "affirmative_case") | on(ACTIONS, "safeguard?")
_SCENARIOS = ("CYBER1", "CYBER2", "CYBER3", "CB1", "CB2", "CB3", "LOC1", "LOC2")

# A question mark: the force does not bind, so the gate stays open without it.
REQUIREMENTS: dict[str, dict[str, tuple[str, set[tuple[str, str]]]]] = {
    "rsp-v2.2": {
        "CBRN-3": ("threshold", on(ACTIONS, "standard")),
        "CBRN-4": ("threshold", on(ACTIONS, "not_yet_specified")),
        "AIRD-4": ("threshold", on(ACTIONS, "standard") | on(_KEEP, "affirmative_case")),
        "AIRD-5": ("threshold", on(ACTIONS, "not_yet_specified") | on(_KEEP, "affirmative_case?")),
        "AUTONOMY": ("checkpoint", set()),
        "CYBER": ("watch", set()),
        "PERSUASION": ("watch", set()),
    },
    "rsp-v3.4": {
        "CB-NONNOVEL": ("threshold", on(_KEEP, "standard") | on(_DEPLOY, "affirmative_case?")),
        "CB-NOVEL": ("threshold", on(_DEPLOY, "standard") | on(ACTIONS, "safeguard?")),
        "MISALIGN": ("threshold", on(_KEEP, "report", "affirmative_case?")),
        "AUTO-RND": ("threshold", on(_KEEP, "report") | on(ACTIONS, "affirmative_case?")),
    },
    "openai-pf2": {
        "BC.HIGH": ("threshold", on(_KEEP, "standard")),
        "BC.CRIT": ("threshold", on(ACTIONS, "halt")),
        "CY.HIGH": ("threshold", on(_KEEP, "standard") | on(("internal_use",), "affirmative_case")),
        "CY.CRIT": ("threshold", on(ACTIONS, "halt")),
        "SI.HIGH": ("threshold", on(_KEEP, "standard")),
        "SI.CRIT": ("threshold", on(ACTIONS, "halt")),
    }
    | {f"RC.{name}": ("watch", set()) for name in ("LRA", "SAND", "ARA", "UNDER", "NR")},
    "gdm-fsf-v3.1": {
        "CCL.CBRN1": ("threshold", _GDM_MISUSE),
        "TCL.CBRN": ("tracked", on(_DEPLOY, "report")),
        "CCL.CYBER1": ("threshold", _GDM_MISUSE),
        "CCL.MANIP1": ("threshold", _GDM_MISUSE),
        "TCL.STEALTH": ("tracked", on(_KEEP, "report")),
        "CCL.RND-ACC1": ("threshold", _GDM_RESEARCH),
        "CCL.RND-AUTO1": ("threshold", _GDM_RESEARCH),
    },
    "meta-aasf-v2": {f"{name}.HIGH": ("outcome_scenario", _META_HIGH) for name in _SCENARIOS}
    | {f"{name}.CRIT": ("outcome_scenario", _META_CRITICAL) for name in _SCENARIOS},
    "starter": {
        "CB-1": (
            "threshold",
            on(("internal_use", "limited", "general"), "standard")
            | on(("open_weights",), "halt")
            | on(("train",), "notice"),
        ),
        "CY-1": ("threshold", on(("internal_use", "limited", "general"), "standard") | on(("open_weights",), "halt")),
        "AU-1": ("checkpoint", on(ACTIONS, "standard")),
        "LC-1": ("threshold", on(_KEEP, "affirmative_case") | on(("internal_use", "limited", "general"), "safeguard")),
        "CS-1": ("watch", set()),
        "MAN-1": ("watch", set()),
    },
}


def required(requirements: Iterable[Requirement]) -> set[tuple[str, str]]:
    return {(action, one.kind + ("" if one.binds else "?")) for one in requirements for action in one.actions}


@pytest.mark.parametrize("name", ALL)
def test_thresholds_and_the_kinds_of_requirement_per_action(name: str) -> None:
    found = {one.id: (one.kind, required(one.requirements)) for one in policy_of(name).thresholds}
    assert found == REQUIREMENTS[name]


BASELINES = {
    "gdm-fsf-v3.1": on(_DEPLOY, "report"),
    "meta-aasf-v2": on(_DEPLOY, "report"),
    "openai-pf2": on(_DEPLOY, "report"),
    "rsp-v2.2": on(ACTIONS, "standard"),
    "rsp-v3.4": on(_DEPLOY, "report"),
    "starter": on(ACTIONS, "standard"),
}


@pytest.mark.parametrize("name", ALL)
def test_what_every_model_needs(name: str) -> None:
    assert required(policy_of(name).baseline) == BASELINES[name]


# --- key facts, each checked by hand against the reference -----------------------------------------


def events(trigger: Trigger) -> set[tuple[str, object]]:
    return {(event.on, event.ratio or event.every or event.by) for event in trigger.events}


def signatures(approval: Approval) -> tuple[set[str], int]:
    return set(approval.signers), approval.quorum or len(approval.signers)


FACTS: dict[str, Callable[[], object]] = {
    "2.2: four times the effective compute, six months, or the officer": lambda: (
        events(item("rsp-v2.2", "notably-more-capable"))
        == {("effective_compute", 4.0), ("elapsed_time", "P6M"), ("discretion", "RSO")}
        and item("rsp-v2.2", "notably-more-capable").when == "any"
    ),
    "2.2: about a month, not a breach": lambda: (
        item("rsp-v2.2", "assessment-duration").deadline.model_dump(include={"within", "soft"})
        == {"within": "P1M", "soft": True}
        and item("rsp-v2.2", "assessment-duration").force == "aim"
    ),
    "2.2: chief executive and officer both sign, before deployment": lambda: all(
        signatures(item("rsp-v2.2", f"approve-{report}-report")) == ({"CEO", "RSO"}, 2)
        and item("rsp-v2.2", f"approve-{report}-report").before == _DEPLOY
        for report in ("capability", "safeguards")
    ),
    "2.2: safeguards are approved again each year": lambda: item("rsp-v2.2", "safeguards-report").cadence == "P1Y",
    "2.2: the checkpoint rules out both thresholds": lambda: (
        item("rsp-v2.2", "AUTONOMY").rules_out == ("AIRD-4", "AIRD-5")
    ),
    "2.2: baseline of CBRN-3": lambda: item("rsp-v2.2", "CBRN-3").baseline.year == 2023,
    "2.2: who is out of scope": lambda: (
        {"sophisticated insiders", "state-compromised insiders"} <= set(item("rsp-v2.2", "ASL-3").actors_out_of_scope)
        and "untargeted state programmes" in item("rsp-v2.2", "ASL-3").actors_in_scope
    ),
    "2.2: no training at once the compute without security": lambda: (
        item("rsp-v2.2", "pretraining-pause").force == "must"
        and events(item("rsp-v2.2", "pretraining-monitor")) == {("effective_compute", 1.0)}
    ),
    "2.2: five parts of the security frameworks": lambda: (
        sum(one.parent == "asl3-security-frameworks" for one in policy_of("rsp-v2.2").criteria_of("ASL-3-security"))
        == 5
    ),
    "2.2: government and the board are told": lambda: (
        item("rsp-v2.2", "government-notice").disclosure == ("government",)
        and item("rsp-v2.2", "share-before-moving-on").disclosure == ("board", "trust")
    ),
    "3.4: Risk Reports every three to six months": lambda: (
        events(item("rsp-v3.4", "risk-report-due")) == {("elapsed_time", "P3M")}
        and item("rsp-v3.4", "risk-report-due").deadline.within == "P6M"
        and item("rsp-v3.4", "risk-report-cadence").cadence == "P6M"
    ),
    "3.4: coverage date at most thirty days old": lambda: item("rsp-v3.4", "coverage-date").deadline.within == "P30D",
    "3.4: thirty days for a riskier internal model": lambda: (
        item("rsp-v3.4", "off-cycle-internal").deadline.within == "P30D"
    ),
    "3.4: reviewers get the report in a week and comment in thirty days": lambda: (
        item("rsp-v3.4", "review-sharing").deadline.within == "P1W"
        and item("rsp-v3.4", "review-comment").deadline.within == "P30D"
    ),
    "3.4: board and trust both approve a marginal-risk analysis": lambda: (
        signatures(item("rsp-v3.4", "approve-marginal-risk")) == ({"board", "trust"}, 2)
    ),
    "3.4: quarterly updates to the board": lambda: item("rsp-v3.4", "noncompliance-reporting").cadence == "P3M",
    "3.4: pausing is discretionary": lambda: item("rsp-v3.4", "pause-discretion").force == "may",
    "3.4: what depends on competitors can be set aside": lambda: all(
        item("rsp-v3.4", name).unless for name in ("lead-delay", "match-rivals", "uplevel")
    ),
    "3.4: RAND level 4 is only recommended": lambda: (
        item("rsp-v3.4", "CB-NOVEL-security").force == "recommend" and item("rsp-v3.4", "RAND-SL4").rand == "SL4"
    ),
    "OpenAI: baselines": lambda: (
        item("openai-pf2", "BC.HIGH").baseline.year == 2021 and item("openai-pf2", "SI.HIGH").baseline.year == 2024
    ),
    "OpenAI: who recommends, decides, reverses": lambda: (
        [item("openai-pf2", role).power for role in ("SAG", "leadership", "SSC")]
        == ["recommends", "decides", "reverses"]
    ),
    "OpenAI: Critical halts training too": lambda: "train" in item("openai-pf2", "BC.CRIT-halt").actions,
    "OpenAI: yearly review": lambda: item("openai-pf2", "yearly-framework-review").cadence == "P1Y",
    "Google: security levels": lambda: (
        [
            item("gdm-fsf-v3.1", f"CCL.{name}-security").security_level
            for name in ("CBRN1", "CYBER1", "MANIP1", "RND-ACC1", "RND-AUTO1")
        ]
        == ["SL2+", "SL2+", "SL2+", "SL3", "SL4"]
    ),
    "Google: alert thresholds at critical levels only, none printed": lambda: all(
        bool(one.alerts) == (one.kind == "threshold") and all(alert.line is None for alert in one.alerts)
        for one in policy_of("gdm-fsf-v3.1").thresholds
    ),
    "Meta: who decides, runs, oversees": lambda: (
        [item("meta-aasf-v2", role).power for role in ("CAIO", "DAR", "board")] == ["decides", "operates", "oversees"]
    ),
    "Meta: not high is not critical": lambda: all(
        item("meta-aasf-v2", f"{name}.HIGH").rules_out == (f"{name}.CRIT",) for name in _SCENARIOS
    ),
    "starter: two of three sign": lambda: all(
        signatures(one) == ({"safety-lead", "ceo", "board-member"}, 2) for one in policy_of("starter").approvals
    ),
    "starter: elevated standards include the baseline": lambda: (
        {"refusals", "child-safety", "classifiers"}
        <= {one.id for one in policy_of("starter").criteria_of("elevated-safeguards")}
    ),
}


@pytest.mark.parametrize("fact", FACTS)
def test_key_facts(fact: str) -> None:
    assert FACTS[fact]() is True


# --- every pack is sound ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_policies_load_without_notices(name: str) -> None:
    assert load_pack(name).notices == ()


def test_the_starter_names_its_one_placeholder() -> None:
    assert [(notice.code, "Covert action" in notice.message) for notice in load_pack("starter").notices] == [
        ("POL010", True)
    ]


@pytest.mark.parametrize("name", ALL)
def test_a_dumped_policy_loads_to_the_same_digest(name: str) -> None:
    policy = policy_of(name)
    for text in (
        policy.model_dump_json(by_alias=True),
        json.dumps(policy.model_dump(mode="json", by_alias=True, exclude_defaults=True)),
    ):
        again = load_policy_text(text).policy
        assert again == policy
        assert again.version_id == policy.version_id


@pytest.mark.parametrize("name", ALL)
def test_every_item_says_something(name: str) -> None:
    for path, one in policy_of(name).located_items():
        assert one.title, path
        if isinstance(one, Commitment) or path[0] == "thresholds":
            assert one.text or one.note, path
        if isinstance(one, Commitment):
            assert one.force, path


@pytest.mark.parametrize("name", ALL)
def test_sources_say_how_the_file_relates_to_them(name: str) -> None:
    sources = policy_of(name).sources
    assert sources
    assert all(source.note for source in sources)


def test_printed_lines_and_their_falsifiers() -> None:
    deciding = {
        (name, one.id) for name in ALL for one in policy_of(name).thresholds if one.printed_lines and one.falsifier
    }
    assert deciding == {
        ("rsp-v2.2", "CBRN-3"),
        ("rsp-v2.2", "CBRN-4"),
        ("rsp-v2.2", "AIRD-4"),
        ("rsp-v2.2", "AUTONOMY"),
        ("rsp-v3.4", "CB-NONNOVEL"),
        ("rsp-v3.4", "CB-NOVEL"),
        ("rsp-v3.4", "AUTO-RND"),
        ("openai-pf2", "BC.HIGH"),
    }


def test_every_line_of_the_starter_is_argued() -> None:
    policy = policy_of("starter")
    indicators = [one for threshold in policy.thresholds for one in threshold.indicators]
    bounded = [
        one
        for standard in policy.standards
        for one in standard.criteria
        if any(need.bound is not None for need in one.needs)
    ]
    bounded += [one for one in policy.safeguards if any(need.bound is not None for need in one.needs)]
    assert (len(indicators), len(bounded)) == (10, 5)
    for one in (*indicators, *bounded):
        assert "starting point to be argued" in " ".join((one.note or "").lower().split()), one.id
    for one in indicators:
        assert one.falsifier, one.id
        assert one.max_age, one.id
        assert one.rule.confidence == 0.95, one.id
    alerts = [alert for threshold in policy.thresholds for alert in threshold.alerts]
    assert all(alert.buffer and alert.line and alert.indicator for alert in alerts)


def test_alerts_of_the_starter_come_before_their_lines() -> None:
    for threshold in policy_of("starter").thresholds:
        lines = {one.id: one.rule.rule_out for one in threshold.indicators}
        for alert in threshold.alerts:
            assert alert.line is not None
            assert alert.indicator is not None
            assert lines[alert.indicator].is_crossed_by(alert.line.value) is False


def test_names_of_thresholds_never_mean_two_packs() -> None:
    meant: defaultdict[str, set[str]] = defaultdict(set)
    for name in ALL:
        for threshold in policy_of(name).thresholds:
            for alias in threshold.aliases:
                meant[alias.casefold()].add(f"{name}: {threshold.id}")
    assert {alias: where for alias, where in meant.items() if len(where) > 1} == {}
    assert len(meant) == 46


# --- lineage from 2.2 to 3.4 -----------------------------------------------------------------------


def test_lineage_names_real_items_of_the_earlier_version() -> None:
    assert diff(load_pack("rsp-v2.2"), load_pack("rsp-v3.4")).notes == ()


def test_the_changelog_names_real_items() -> None:
    old, new = (items_by_id(policy_of(name)) for name in ("rsp-v2.2", "rsp-v3.4"))
    for name, known in (("rsp-v2.2", set(old)), ("rsp-v3.4", set(old) | set(new))):
        for change in policy_of(name).changelog:
            assert set(change.clauses) <= known, change.summary
            assert change.source is not None
            assert "not the developer's own account" in change.source
            assert change.version is not None


NO_LONGER_MENTIONED = {
    "ASL-2", "ASL-2-deployment", "ASL-2-security", "AUTONOMY", "CYBER", "PERSUASION", "approve-interim-measures",
    "asl2-compartments", "asl2-fine-tuning", "asl2-harmlessness", "asl2-infrastructure", "asl2-offices",
    "asl2-operations", "asl2-reporting-channels", "asl2-supply-chain", "asl2-usage-policy", "asl2-workforce",
    "assessment-duration", "autonomy", "autonomy-full-tests", "autonomy-near-security", "autonomy-update",
    "baseline-deployment", "baseline-security", "cyber", "cyber-investigation", "cyber-tiered-access",
    "follow-up-assessment", "government-notice", "interim-measures", "persuasion", "readiness",
    "stronger-restrictions", "treat-as-crossed",
}  # fmt: skip


def test_what_became_of_the_items_of_2_2() -> None:
    found = diff(load_pack("rsp-v2.2"), load_pack("rsp-v3.4"))
    outcomes = {row.old.id: row.outcome for row in found.rows if row.old is not None}
    assert {old for old, outcome in outcomes.items() if outcome == "removed"} == NO_LONGER_MENTIONED
    assert {old for old, outcome in outcomes.items() if outcome == "relocated"} == {
        "AIRD-4-security", "AIRD-5-security", "CBRN-4-security",
    }  # fmt: skip
    some = {
        "pretraining-pause": "weakened",
        "CBRN-3": "weakened",
        "policy-publication": "weakened",
        "notably-more-capable": "weakened",
        "internal-transparency": "strengthened",
        "noncompliance-reporting": "strengthened",
        "public-disclosures": "strengthened",
        "approve-policy-change": "retained",
        "employee-agreements": "retained",
    }
    assert {old: outcomes[old] for old in some} == some
    assert not any(row.direction_unclear for row in found.rows)


# --- published data --------------------------------------------------------------------------------

OLDER_FRAMEWORK = {
    "gdm-fsf-2025#CyberAutonomy1": "a level of its own in 2025, without a counterpart in 3.1",
    "gdm-fsf-2025#InstrumentalReasoning1": "in 3.1 a tracked level on stealth, with another meaning",
    "gdm-fsf (2025-02)#Cyber Autonomy 1": "a level of its own in 2025, without a counterpart in 3.1",
    "gdm-fsf (2025-02)#Instrumental Reasoning 1 and 2": "in 3.1 a tracked level on stealth, with another meaning",
    "gdm-fsf (2025-02)#ML R&D Uplift 1": "acceleration in 3.1 asks for use that has happened; nothing ties the two",
}
NO_THRESHOLD = {
    "rsp-v2.2#ASL-3 (all domains)": "a statement about a standard in all domains at once",
    "rsp-v2.2#notably_more_capable (trigger)": "a statement about a trigger",
}


def published_references(folder: Path) -> set[str]:
    found: set[str] = set()
    for path in sorted(folder.glob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        if isinstance(document, dict):
            found |= {f"{one['framework']}#{one['threshold']}" for one in document["conclusions"]}
            found |= {name for figure in document["figures"] for name in figure["thresholds"]}
    return found


def test_every_published_reference_means_one_threshold(shared: Path) -> None:
    references = published_references(shared / "data" / "published")
    meant = {
        reference: [name for name in ALL if policy_of(name).threshold(reference) is not None]
        for reference in references
    }
    unresolved = {reference for reference, packs in meant.items() if not packs}
    assert unresolved == set(OLDER_FRAMEWORK) | set(NO_THRESHOLD)
    assert all(len(packs) == 1 for reference, packs in meant.items() if reference not in unresolved)
    assert len(references) == 35


def test_evaluations_of_the_starter_bind_published_figures(shared: Path) -> None:
    published: set[str] = set()
    for path in (shared / "data" / "published").glob("*.yaml"):
        document = yaml.safe_load(path.read_text())
        if isinstance(document, dict):
            published |= {figure["eval"] for figure in document["figures"]}
    bound = {
        one.id: sorted(published & set(one.names))
        for threshold in policy_of("starter").thresholds
        for one in threshold.indicators
    }
    assert bound == {
        "vct": ["VCT (SecureBio)", "VCT (SecureBio), helpful-only", "VCT multiple select"],
        "protocol-qa": ["LAB-Bench ProtocolQA"],
        "wmdp-bio": [],
        "cybench": ["Cybench", "Cybench subset"],
        "cybergym": ["CyberGym"],
        "time-horizon": ["METR 50 percent time horizon", "Time horizon p50"],
        "swe-bench-hard": ["SWE-bench Verified hard subset"],
        "re-bench": ["RE-Bench (Experimental 03-25)", "RE-Bench subset"],
        "shade-arena": ["SHADE-Arena"],
        "covert-action": ["Covert action (Apollo)", "Covert action (Apollo), helpful-only"],
    }


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_item_of_the_framework_list_stands_in_the_pack(name: str, shared: Path) -> None:
    listed = {one["id"] for one in yaml.safe_load((shared / "data/frameworks" / f"{name}.yaml").read_text())["items"]}
    refs = {
        ref.strip() for _, one in policy_of(name).located_items() if one.ref is not None for ref in one.ref.split(";")
    }
    assert listed - refs == set()
    named = {ref for ref in refs if not ref.startswith(("s2", "s3", "version "))}
    assert named - listed == set()


# --- the vocabulary is used ------------------------------------------------------------------------


def has_items(*names: str) -> Callable[[Policy], bool]:
    return lambda policy: all(bool(getattr(policy, name)) for name in names)


def threshold_kind(kind: str) -> Callable[[Policy], bool]:
    return lambda policy: any(one.kind == kind for one in policy.thresholds)


def requirement_kind(*kinds: str) -> Callable[[Policy], bool]:
    return lambda policy: any(one.kind in kinds for threshold in policy.thresholds for one in threshold.requirements)


def event(kind: str) -> Callable[[Policy], bool]:
    return lambda policy: any(one.on == kind for trigger in policy.triggers for one in trigger.events)


def act(name: str) -> Callable[[Policy], bool]:
    return lambda policy: any(one.act == name for one in policy.approvals)


GDM, META, OPENAI, RSP2, RSP3, STARTER = ALL
CONCEPTS: dict[str, tuple[Callable[[Policy], bool], tuple[str, ...]]] = {
    "1 policy with definitions": (has_items("definitions", "sources"), ALL),
    "1 changelog": (has_items("changelog"), (RSP2, RSP3)),
    "2 domains with mapping": (lambda policy: all(one.maps_to for one in policy.domains), ALL),
    "3 threat models": (has_items("threat_models"), (GDM, META, OPENAI, STARTER)),
    "4 baseline": (lambda policy: any(one.baseline for one in policy.thresholds), ALL),
    "4 checkpoint": (threshold_kind("checkpoint"), (RSP2, STARTER)),
    "4 rules out": (lambda policy: any(one.rules_out for one in policy.thresholds), (META, RSP2, STARTER)),
    "4 tracked": (threshold_kind("tracked"), (GDM,)),
    "4 watch": (threshold_kind("watch"), (OPENAI, RSP2, STARTER)),
    "4 outcome scenario": (threshold_kind("outcome_scenario"), (META,)),
    "4 severity": (lambda policy: any(one.severity for one in policy.thresholds), (GDM, META, OPENAI)),
    "5 alert thresholds": (lambda policy: any(one.alerts for one in policy.thresholds), (GDM, OPENAI, STARTER)),
    "6 standard": (requirement_kind("standard"), (OPENAI, RSP2, RSP3, STARTER)),
    "6 safeguard": (requirement_kind("safeguard"), (GDM, META, RSP3, STARTER)),
    "6 affirmative case": (requirement_kind("affirmative_case"), (GDM, OPENAI, RSP2, RSP3, STARTER)),
    "6 report or notice": (requirement_kind("report", "notice"), (GDM, RSP3, STARTER)),
    "6 not yet specified": (requirement_kind("not_yet_specified"), (RSP2,)),
    "7 standards": (has_items("standards"), (OPENAI, RSP2, RSP3, STARTER)),
    "8 security levels": (has_items("security_levels"), (GDM, OPENAI, RSP2, RSP3, STARTER)),
    "9 safeguards": (has_items("safeguards"), (META, OPENAI, STARTER)),
    "10 effective compute": (event("effective_compute"), (RSP2, STARTER)),
    "10 elapsed time": (event("elapsed_time"), ALL),
    "10 snapshot": (event("snapshot"), (GDM, OPENAI, RSP3)),
    "10 deployment change": (event("deployment_change"), (GDM, META, OPENAI, RSP3, STARTER)),
    "10 discretion": (event("discretion"), (OPENAI, RSP2, RSP3, STARTER)),
    "14 interim measure": (act("interim_measure"), (RSP2, STARTER)),
    "15 halt": (requirement_kind("halt"), (META, OPENAI, STARTER)),
    "16 roles and approvals": (has_items("roles", "approvals"), ALL),
    "16 advisory role": (lambda policy: any(one.power in ("recommends", "consults") for one in policy.roles), (GDM, OPENAI, RSP2, RSP3)),
    "17 marginal-risk claim": (act("marginal_risk_claim"), (OPENAI, RSP3)),
    "17 set aside under a condition": (
        lambda policy: any(one.unless for _, one in policy.located_items() if isinstance(one, Commitment)),
        (META, OPENAI, RSP2, RSP3),
    ),
}  # fmt: skip
"""Concepts that a frontier safety policy needs, and which packs use each; measurement, findings, decisions and
cases (11 to 13 and 18) are not part of a policy file."""


def which_use(holds: Callable[[Policy], bool]) -> tuple[str, ...]:
    return tuple(name for name in ALL if holds(policy_of(name)))


@pytest.mark.parametrize("concept", CONCEPTS)
def test_concepts_and_the_packs_that_use_them(concept: str) -> None:
    holds, expected = CONCEPTS[concept]
    assert which_use(holds) == expected


_OWN_LINES = "the five published policies fix no evaluation and no line; a company's own policy does"
_VERSIONS = "only one policy family ships in two versions"
ONE_FAMILY = {
    "Indicator.*": _OWN_LINES,
    "Rule.*": _OWN_LINES,
    "Line.*": _OWN_LINES,
    "Threshold.indicators": _OWN_LINES,
    "Threshold.combine": _OWN_LINES,
    "Combination.*": _OWN_LINES,
    "Alert.indicator": _OWN_LINES,
    "Alert.line": _OWN_LINES,
    "Need.bound": _OWN_LINES,
    "Need.max_age": "no published policy dates the evidence of its criteria",
    "Need.minimum_quality": "no published policy grades evidence",
    "Change.*": _VERSIONS,
    "Lineage.*": _VERSIONS,
    "Relocation.*": _VERSIONS,
    "Policy.changelog": _VERSIONS,
    "Policy.relocated": _VERSIONS,
    "Policy.supersedes": _VERSIONS,
    "Policy.ended": _VERSIONS,
    "Approval.quorum": "elsewhere all signers sign; k of n is what a small company needs",
    "Approval.scope": "one policy limits an approval to high-risk internal deployment",
    "Role.not_same_as": "separation of duties is asked of a small company, where one person may hold two roles",
    "Standard.includes": "the published standards stand side by side",
    "Criterion.cadence": "inherited from commitments, where several use it",
    "Trigger.soft": "elsewhere the soft deadline is a commitment of its own",
}
"""Fields that only one policy family uses, and why that is no sign of a field made for it alone."""

_PROSE = frozenset(Item.model_fields)


def fields_used() -> dict[str, set[str]]:
    used: defaultdict[str, set[str]] = defaultdict(set)

    def collect(record: BaseModel, family: str) -> None:
        for name, info in type(record).model_fields.items():
            value = getattr(record, name)
            if value == info.get_default(call_default_factory=True):
                continue
            used[f"{type(record).__name__}.{name}"].add(family)
            for member in value if isinstance(value, tuple) else (value,):
                if isinstance(member, BaseModel):
                    collect(member, family)

    for name in ALL:
        collect(policy_of(name), policy_of(name).id)
    return used


def test_no_field_serves_one_policy_only_without_a_reason() -> None:
    alone = {
        name
        for name, families in fields_used().items()
        if len(families) == 1 and not (name.partition(".")[2] in _PROSE and name.partition(".")[0] not in ("Indicator", "Lineage", "Relocation"))
    }  # fmt: skip
    explained = {
        pattern: {name for name in alone if name == pattern or name.partition(".")[0] + ".*" == pattern}
        for pattern in ONE_FAMILY
    }
    assert alone - set().union(*explained.values()) == set()
    assert {pattern for pattern, names in explained.items() if not names} == set()


# --- the page about packs --------------------------------------------------------------------------


def adapted() -> LoadedPolicy:
    example = DOCS.read_text().split("```yaml\n")[1].split("```")[0]
    return load_policy_text(example, "policy/example.yaml")


def test_the_documented_adaptation_loads() -> None:
    loaded, base = adapted(), policy_of("starter")
    horizon = next(
        one for threshold in loaded.policy.thresholds for one in threshold.indicators if one.id == "time-horizon"
    )
    assert horizon.rule.rule_out.value == 120
    assert horizon.rule.reach is not None
    assert horizon.rule.reach.value == 480
    assert loaded.policy.label == "example-lab@1"
    assert {one.id for one in base.thresholds} - {one.id for one in loaded.policy.thresholds} == {"MAN-1"}
    assert loaded.where("CB-1").file == "packs/starter.yaml"


def test_the_page_names_every_pack_and_its_label() -> None:
    page = DOCS.read_text()
    for name in ALL:
        assert f"`{name}`" in page
        assert f"`{policy_of(name).label}`" in page
