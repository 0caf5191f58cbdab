# SPDX-License-Identifier: Apache-2.0
"""Policies compared by meaning: every field's direction, matching, reader's coding, and the account."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.kernel.errors import AssessError, PolicyError
from tidegate.policy import LoadedPolicy, load_pack, load_policy_text, pack_names
from tidegate.policy.clauses import POLICY_ID, clauses_of, span_days
from tidegate.policy.diff import DIMENSIONS, PolicyDiff, Row, diff
from tidegate.policy.views import d2, graph, mermaid, outline, render_markdown

Data = dict[str, Any]
Path = tuple[str | int, ...]
GONE: Any = object()

BASE: Data = {
    "schema": "tidegate/policy/v1",
    "id": "acme",
    "version": "1",
    "title": "Acme policy",
    "publisher": "Acme",
    "scope": {"models": ["public", "internal"], "minimum_training_flop": 1e25, "jurisdictions": ["EU", "US"]},
    "domains": [{"id": "bio", "title": "Biology"}, {"id": "cyber", "title": "Cyber"}],
    "threat_models": [
        {"id": "tm-novice", "domain": "bio", "completeness": "All routes considered."},
        {"id": "tm-state", "domain": "bio"},
    ],
    "roles": [
        {"id": "officer", "power": "decides", "duties": ["oversee implementation", "receive reports"]},
        {"id": "board", "power": "oversees"},
        {"id": "tester", "not_same_as": ["officer"]},
    ],
    "security_levels": [
        {"id": "sec-2", "rand": "SL2"},
        {
            "id": "sec-3",
            "rand": "SL3",
            "actors_in_scope": ["crime groups", "insiders"],
            "actors_out_of_scope": ["states"],
            "standard": "std-sec",
        },
        {"id": "sec-own", "rand": None},
    ],
    "standards": [
        {
            "id": "std-deploy",
            "criteria": [
                {
                    "id": "crit-red-team",
                    "force": "must",
                    "needs": [
                        {
                            "name": "jailbreaks",
                            "kind": "red_team",
                            "metric": "success",
                            "bound": {"value": 0.05, "crossed_when": ">="},
                            "confidence": 0.95,
                            "max_age": "P6M",
                            "minimum_quality": "attested",
                        },
                        {"name": "review"},
                    ],
                },
                {"id": "crit-monitor", "text": "Acme will monitor use."},
            ],
        },
        {"id": "std-sec", "includes": ["std-deploy"], "criteria": [{"id": "crit-keys", "force": "must"}]},
    ],
    "safeguards": [{"id": "sg-filter", "force": "must"}],
    "thresholds": [
        {
            "id": "bio-3",
            "domain": "bio",
            "kind": "threshold",
            "text": "Helps novices.",
            "baseline": {"year": 2023, "tools": "search engines"},
            "applies_to": ["chat", "agents"],
            "threat_models": ["tm-novice", "tm-state"],
            "falsifier": "A trial that shows uplift.",
            "combine": {"rule_out": 2, "reach": "any"},
            "alerts": [{"indicator": "ind-quiz", "line": {"value": 0.3}, "buffer": "one year", "action": "tell"}],
            "indicators": [
                {
                    "id": "ind-quiz",
                    "evaluation": "quiz",
                    "metric": "accuracy",
                    "unit": "fraction",
                    "rule": {
                        "rule_out": {"value": 0.5, "crossed_when": ">="},
                        "reach": {"value": 0.8},
                        "confidence": 0.9,
                        "margin": 0.05,
                    },
                    "elicitation": ["best_of_n", "tools"],
                    "answers": ["contamination", "sandbagging"],
                    "minimum_quality": "attested",
                    "minimum_n": 100,
                    "max_age": "P6M",
                    "max_compute_ratio": 4,
                    "same_snapshot": True,
                },
                {
                    "id": "ind-safe",
                    "evaluation": "refusals",
                    "rule": {"rule_out": {"value": 0.9, "crossed_when": "<="}},
                },
                {"id": "ind-lab", "evaluation": "lab", "rule": {"rule_out": {"value": 1}}},
            ],
            "requirements": [
                {
                    "id": "req-deploy",
                    "kind": "standard",
                    "target": "std-deploy",
                    "security_level": "sec-3",
                    "actions": ["limited", "general"],
                    "force": "must",
                    "max_age": "P1Y",
                },
                {"id": "req-halt", "kind": "halt", "actions": ["train"], "force": "must"},
            ],
        },
        {"id": "bio-check", "domain": "bio", "kind": "checkpoint", "rules_out": ["bio-3"]},
    ],
    "baseline": [{"id": "base-card", "kind": "report", "actions": ["general"], "force": "must"}],
    "triggers": [
        {
            "id": "trig-compute",
            "force": "must",
            "starts": "comprehensive_assessment",
            "events": [
                {"on": "effective_compute", "ratio": 4, "since": "last assessment"},
                {"on": "elapsed_time", "every": "P6M"},
                {"on": "discretion", "by": "officer"},
            ],
        }
    ],
    "approvals": [
        {
            "id": "app-report",
            "act": "capability_report",
            "force": "must",
            "signers": ["officer", "board"],
            "before": ["limited", "general"],
        }
    ],
    "commitments": [
        {
            "id": "com-publish",
            "force": "will",
            "actor": ["officer", "board"],
            "scope": ["public models", "internal models"],
            "disclosure": ["public", "government"],
            "unless": ["national security forbids it"],
            "deadline": {"within": "P30D", "starts": "release"},
            "cadence": "P1Y",
        }
    ],
}


def data(**changes: Any) -> Data:
    return {**copy.deepcopy(BASE), **changes}


def changed(path: Path, value: Any, base: Data = BASE, version: str = "2") -> Data:
    result = {**copy.deepcopy(base), "version": version}
    part: Any = result
    for key in path[:-1]:
        part = part[key]
    if value is GONE:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return result


def load(content: Data, file: str = "policy.yaml") -> LoadedPolicy:
    return load_policy_text(json.dumps(content, indent=1), file)


def compare(old: Data, new: Data, **options: Any) -> PolicyDiff:
    return diff(load(old, "old.yaml"), load(new, "new.yaml"), **options)


def row_of(found: PolicyDiff, name: str) -> Row:
    rows = [row for row in found.rows if row.id == name]
    assert len(rows) == 1
    return rows[0]


def only_material(found: PolicyDiff) -> Row:
    assert len(found.material) == 1, [(row.id, row.outcome) for row in found.material]
    return found.material[0]


T, IND, R = ("thresholds", 0), ("thresholds", 0, "indicators", 0), ("thresholds", 0, "requirements", 0)
C, G, A = ("commitments", 0), ("triggers", 0), ("approvals", 0)
N = ("standards", 0, "criteria", 0, "needs", 0)

WEAKENINGS: list[tuple[str, Path, Any, str]] = [
    ("force", (*C, "force"), "aim", "obligation"),
    ("force to recommend", (*C, "force"), "recommend", "obligation"),
    ("actor lost", (*C, "actor"), ["officer"], "actor"),
    ("actor unnamed", (*C, "actor"), [], "actor"),
    ("scope narrowed", (*C, "scope"), ["public models"], "scope"),
    ("audience lost", (*C, "disclosure"), ["public"], "disclosure"),
    ("audience other than public lost", (*C, "disclosure"), ["government"], "disclosure"),
    ("deferral added", (*C, "unless"), ["national security forbids it", "a rival deploys"], "consequence"),
    ("publication later", (*C, "deadline", "within"), "P60D", "disclosure"),
    ("deadline dropped", (*C, "deadline"), GONE, "disclosure"),
    ("deadline soft", (*C, "deadline", "soft"), True, "consequence"),
    ("cadence longer", (*C, "cadence"), "P2Y", "threshold"),
    ("cadence dropped", (*C, "cadence"), GONE, "threshold"),
    ("threshold only watched", (*T, "kind"), "watch", "threshold"),
    ("anchor year lost", (*T, "baseline", "year"), GONE, "threshold"),
    ("anchor tools lost", (*T, "baseline", "tools"), GONE, "threshold"),
    ("applies to less", (*T, "applies_to"), ["chat"], "scope"),
    ("threat model dropped", (*T, "threat_models"), ["tm-novice"], "scope"),
    ("fewer indicators decide", (*T, "combine", "rule_out"), "any", "threshold"),
    ("all indicators must show it", (*T, "combine", "reach"), "all", "threshold"),
    ("printed lines allowed", (*T, "printed_lines"), True, "threshold"),
    ("fewer printed lines needed", (*T, "printed_minimum"), 1, "threshold"),
    ("baseline recommended", ("baseline", 0, "force"), "recommend", "obligation"),
    ("alert dropped", (*T, "alerts"), [], "threshold"),
    ("alert later", (*T, "alerts", 0, "line", "value"), 0.4, "threshold"),
    ("buffer lost", (*T, "alerts", 0, "buffer"), GONE, "threshold"),
    ("checkpoint rules out more", ("thresholds", 1, "rules_out"), ["bio-3", "bio-4"], "threshold"),
    ("line raised", (*IND, "rule", "rule_out", "value"), 0.6, "threshold"),
    ("line exclusive", (*IND, "rule", "rule_out", "crossed_when"), ">", "threshold"),
    ("reach line raised", (*IND, "rule", "reach", "value"), 0.9, "threshold"),
    ("reach line dropped", (*IND, "rule", "reach"), GONE, "threshold"),
    ("low line lowered", ("thresholds", 0, "indicators", 1, "rule", "rule_out", "value"), 0.8, "threshold"),
    ("confidence lower", (*IND, "rule", "confidence"), 0.8, "threshold"),
    ("bare figure", (*IND, "rule", "confidence"), None, "threshold"),
    ("margin smaller", (*IND, "rule", "margin"), 0.01, "threshold"),
    ("errors as scored", (*IND, "rule", "error_policy"), "as_scored", "threshold"),
    ("elicitation dropped", (*IND, "elicitation"), ["tools"], "threshold"),
    ("threat unanswered", (*IND, "answers"), [], "threshold"),
    ("quality lower", (*IND, "minimum_quality"), "reported", "threshold"),
    ("fewer samples", (*IND, "minimum_n"), 50, "threshold"),
    ("any samples", (*IND, "minimum_n"), GONE, "threshold"),
    ("older evidence", (*IND, "max_age"), "P1Y", "threshold"),
    ("evidence of any age", (*IND, "max_age"), GONE, "threshold"),
    ("larger compute ratio", (*IND, "max_compute_ratio"), 8, "threshold"),
    ("any compute ratio", (*IND, "max_compute_ratio"), GONE, "threshold"),
    ("any snapshot", (*IND, "same_snapshot"), False, "threshold"),
    ("placeholder", (*IND, "placeholder"), True, "threshold"),
    ("requirement only reported", (*R, "kind"), "report", "consequence"),
    ("halt to notice", ("thresholds", 0, "requirements", 1, "kind"), "notice", "consequence"),
    ("requirement unspecified", (*R, "kind"), "not_yet_specified", "consequence"),
    ("requirement recommended", (*R, "force"), "recommend", "obligation"),
    ("action dropped", (*R, "actions"), ["general"], "scope"),
    ("lower security level", (*R, "security_level"), "sec-2", "consequence"),
    ("security level dropped", (*R, "security_level"), GONE, "consequence"),
    ("case may be older", (*R, "max_age"), "P2Y", "threshold"),
    ("criterion softer", ("standards", 0, "criteria", 0, "force"), "intend", "obligation"),
    ("need dropped", ("standards", 0, "criteria", 0, "needs"), BASE["standards"][0]["criteria"][0]["needs"][:1], "threshold"),
    ("bound raised", (*N, "bound", "value"), 0.1, "threshold"),
    ("bound dropped", (*N, "bound"), GONE, "threshold"),
    ("need confidence", (*N, "confidence"), 0.6, "threshold"),
    ("need age", (*N, "max_age"), "P1Y", "threshold"),
    ("need quality", (*N, "minimum_quality"), "reported", "threshold"),
    ("included standard dropped", ("standards", 1, "includes"), [], "scope"),
    ("attackers dropped", ("security_levels", 1, "actors_in_scope"), ["crime groups"], "scope"),
    ("attackers excluded", ("security_levels", 1, "actors_out_of_scope"), ["states", "insiders"], "scope"),
    ("level lower", ("security_levels", 1, "rand"), "SL2+", "threshold"),
    ("level without anchor", ("security_levels", 1, "rand"), None, "threshold"),
    ("level without standard", ("security_levels", 1, "standard"), None, "consequence"),
    ("all events needed", (*G, "when"), "all", "threshold"),
    ("event dropped", (*G, "events"), BASE["triggers"][0]["events"][:2], "threshold"),
    ("larger ratio", (*G, "events", 0, "ratio"), 6, "threshold"),
    ("ratio without anchor", (*G, "events", 0, "since"), GONE, "threshold"),
    ("longer interval", (*G, "events", 1, "every"), "P1Y", "threshold"),
    ("trigger soft", (*G, "soft"), True, "threshold"),
    ("discretion of nobody", (*G, "events", 2, "by"), GONE, "actor"),
    ("role only recommends", ("roles", 0, "power"), "recommends", "actor"),
    ("duty dropped", ("roles", 0, "duties"), ["receive reports"], "actor"),
    ("separation dropped", ("roles", 2, "not_same_as"), [], "actor"),
    ("signer dropped", (*A, "signers"), ["officer"], "actor"),
    ("quorum of one", (*A, "quorum"), 1, "actor"),
    ("act waits for less", (*A, "before"), ["general"], "scope"),
    ("models left out", ("scope", "models"), ["public"], "scope"),
    ("only larger models", ("scope", "minimum_training_flop"), 1e26, "scope"),
    ("revenue floor", ("scope", "minimum_revenue_usd"), 5e8, "scope"),
    ("fewer jurisdictions", ("scope", "jurisdictions"), ["EU"], "scope"),
    ("preregistration flagged", ("preregistration",), "flagged", "threshold"),
    ("completeness lost", ("threat_models", 0, "completeness"), GONE, "scope"),
]  # fmt: skip
BASE["thresholds"].append({"id": "bio-4", "domain": "bio"})


@pytest.mark.parametrize(
    ("path", "value", "dimension"), [case[1:] for case in WEAKENINGS], ids=[c[0] for c in WEAKENINGS]
)
def test_a_weakened_field_weakens_its_clause_and_the_reverse_strengthens_it(
    path: Path, value: Any, dimension: str
) -> None:
    weaker = changed(path, value)
    row = only_material(compare(data(), weaker))
    assert row.outcome == "weakened"
    assert row.dimensions == (dimension,)
    assert not row.both_directions
    assert not row.direction_unclear
    assert row.basis == "computed"
    assert row.reasons
    back = only_material(compare(weaker, data()))
    assert back.outcome == "strengthened"
    assert back.dimensions == row.dimensions


UNCLEAR: list[tuple[str, Path, Any]] = [
    ("another year", ("thresholds", 0, "baseline", "year"), 2024),
    ("another evaluation", (*IND, "evaluation"), "quiz-2"),
    ("another metric", (*IND, "metric"), "f1"),
    ("an aggregation", (*IND, "aggregation"), "pass@5"),
    ("line turned round", ("thresholds", 0, "indicators", 2, "rule", "rule_out", "crossed_when"), "<="),
    ("another standard", (*R, "target"), "std-sec"),
    ("a level without anchor", (*R, "security_level"), "sec-own"),
    ("a case instead of a standard", (*R, "kind"), "affirmative_case"),
    ("another start", (*C, "deadline", "starts"), "the decision"),
    ("reworded deferral", (*C, "unless"), ["a law forbids it"]),
    ("reworded scope", (*C, "scope"), ["public models", "models in use"]),
    ("another act", (*A, "act"), "safeguards_report"),
    ("another domain", ("thresholds", 0, "domain"), "cyber"),
    ("another need", (*N, "kind"), "audit"),
    ("another power", ("roles", 0, "power"), "approves"),
    ("compliance", ("kind",), "compliance"),
]


@pytest.mark.parametrize(("path", "value"), [case[1:] for case in UNCLEAR], ids=[case[0] for case in UNCLEAR])
def test_a_replacement_counts_as_weakened_until_a_person_codes_it(path: Path, value: Any) -> None:
    new = changed(path, value)
    row = only_material(compare(data(), new))
    assert row.outcome == "weakened"
    assert row.direction_unclear
    if path[0] in ("kind", "thresholds") and path[-1] == "domain":
        return
    if isinstance(path[1] if len(path) > 1 else None, int):
        item: Any = new
        for key in path:
            item = item[key] if not isinstance(item, dict) or key in item else item
            if isinstance(item, dict) and item.get("id") == row.id:
                item["was"] = [{"id": row.id, "outcome": "retained", "reason": "the same by another name"}]
                break
        coded = row_of(compare(data(), new), row.id)
        assert coded.outcome == "retained"
        assert coded.basis == "read"
        assert not coded.direction_unclear


WORDS: list[tuple[str, Path, Any]] = [
    ("text", ("thresholds", 0, "text"), "Helps beginners."),
    ("severity", ("thresholds", 0, "severity"), "severe"),
    ("falsifier reworded", ("thresholds", 0, "falsifier"), "A study that shows uplift."),
    ("definitions", ("definitions",), {"model": "a system"}),
    ("scope in words", ("scope", "text"), "All of it."),
    ("alert action", ("thresholds", 0, "alerts", 0, "action"), "tell them"),
]


@pytest.mark.parametrize(("path", "value"), [case[1:] for case in WORDS], ids=[case[0] for case in WORDS])
def test_changed_words_are_retained_and_shown_to_a_person(path: Path, value: Any) -> None:
    found = compare(data(), changed(path, value))
    assert not found.material
    (row,) = (row for row in found.rows if row.text_differs)
    assert row.outcome == "retained"
    assert "a person should look" in " ".join(row.reasons)
    assert [shown.outcome for shown in found.table_rows()] == ["retained"]


IMMATERIAL: list[tuple[str, Path, Any]] = [
    ("must for will", (*C, "force"), "must"),
    ("a year in months", (*C, "cadence"), "P12M"),
    ("a month in days", (*C, "deadline", "within"), "P1M"),
    ("a title", (*T, "title"), "Another name"),
    ("a note", (*T, "note"), "Remark."),
    ("order", (*C, "disclosure"), ["government", "public"]),
    ("case and spaces", (*C, "scope"), ["Public  models", "internal models."]),
    ("all by number", (*A, "quorum"), 2),
    ("any by number", (*T, "combine", "reach"), 1),
]


@pytest.mark.parametrize(("path", "value"), [case[1:] for case in IMMATERIAL], ids=[case[0] for case in IMMATERIAL])
def test_rewording_without_another_meaning_is_no_change(path: Path, value: Any) -> None:
    found = compare(data(), changed(path, value))
    assert not found.material
    assert not any(row.text_differs for row in found.rows)


def test_percent_and_fraction_are_one_line() -> None:
    new = changed((*IND, "unit"), "percent")
    indicator = new["thresholds"][0]["indicators"][0]
    indicator["rule"] |= {"rule_out": {"value": 50}, "reach": {"value": 80}, "margin": 5}
    new["thresholds"][0]["alerts"][0]["line"] = {"value": 30}
    assert not compare(data(), new).material


def test_a_change_in_both_directions_counts_as_weakened_and_says_so() -> None:
    new = changed((*C, "force"), "aim")
    new["commitments"][0]["cadence"] = "P6M"
    row = only_material(compare(data(), new))
    assert row.outcome == "weakened"
    assert row.both_directions
    assert row.dimensions == ("threshold", "obligation")
    assert "both directions: counts as weakened" in row.reasons


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*A, "signers"), ["officer", "tester"]),
        ((*C, "disclosure"), ["public", "board"]),
        ((*IND, "elicitation"), ["tools", "fine_tuning"]),
    ],
)
def test_a_set_that_neither_includes_the_other_changes_in_both_directions(path: Path, value: Any) -> None:
    row = only_material(compare(data(), changed(path, value)))
    assert row.outcome == "weakened"
    assert row.both_directions


def test_the_public_includes_every_other_audience() -> None:
    told = changed((*C, "disclosure"), ["government", "board"], version="1")
    row = only_material(compare(told, changed((*C, "disclosure"), ["public"])))
    assert (row.outcome, row.both_directions) == ("strengthened", False)
    assert only_material(compare(changed((*C, "disclosure"), ["public"]), told)).outcome == "weakened"


def test_a_limit_on_what_covered_everything_weakens() -> None:
    everything = changed((*C, "scope"), [], version="1")
    row = only_material(compare(everything, data(version="2")))
    assert row.outcome == "weakened"
    assert "it covered everything" in row.reasons[0]


def test_removed_and_added_clauses_have_positions_and_the_dimension_of_their_kind() -> None:
    new = data(version="2")
    del new["thresholds"][0]["requirements"][1]
    new["commitments"].append({"id": "com-new", "force": "will", "disclosure": ["public"]})
    found = compare(data(), new)
    gone, come = row_of(found, "req-halt"), row_of(found, "com-new")
    assert (gone.outcome, gone.dimensions, gone.new) == ("removed", ("consequence",), ())
    assert (come.outcome, come.dimensions, come.old) == ("added", ("disclosure",), None)
    assert gone.old is not None
    lines = json.dumps(BASE, indent=1).splitlines()
    assert gone.old.where.file == "old.yaml"
    assert '"id": "req-halt"' in lines[gone.old.where.line or 0]
    assert gone.within == ("bio-3", "bio")


# --- matching --------------------------------------------------------------------------------------


def renamed(new_id: str, **fields: Any) -> Data:
    new = data(version="2")
    new["commitments"][0] |= {"id": new_id, **fields}
    return new


def test_lineage_comes_before_equal_ids() -> None:
    new = renamed("com-tell", was=[{"id": "com-publish"}])
    found = compare(data(), new)
    row = row_of(found, "com-publish")
    assert (row.match, row.outcome, row.new[0].id) == ("lineage", "retained", "com-tell")
    assert not found.material
    assert [row.outcome for row in compare(data(), renamed("com-tell")).material] == ["removed", "added"]


def test_references_follow_a_renamed_item() -> None:
    new = json.loads(json.dumps(data(version="2")).replace('"officer"', '"head"').replace('"bio-3"', '"bio-three"'))
    new["roles"][0]["was"] = [{"id": "officer"}]
    new["thresholds"][0]["was"] = [{"id": "bio-3"}]
    new["domains"][0] |= {"id": "biology", "was": [{"id": "bio"}]}
    for item in (*new["thresholds"], *new["threat_models"]):
        item["domain"] = "biology"
    assert not compare(data(), new).material


def test_an_item_of_another_lineage_does_not_continue_the_one_whose_id_it_took() -> None:
    new = data(version="2")
    new["commitments"] = [{**BASE["commitments"][0], "was": [{"id": "crit-monitor"}]}]
    found = compare(data(), new)
    assert row_of(found, "com-publish").outcome == "removed"
    assert {side.id for side in row_of(found, "crit-monitor").new} == {"crit-monitor", "com-publish"}


def test_a_split_clause_takes_the_worst_of_its_successors() -> None:
    new = data(version="2")
    first = new["commitments"][0]
    second = {**copy.deepcopy(first), "id": "com-second", "force": "may", "was": [{"id": "com-publish"}]}
    new["commitments"].append(second)
    row = only_material(compare(data(), new))
    assert row.outcome == "weakened"
    assert [side.id for side in row.new] == ["com-second", "com-publish"]
    assert {change.into for change in row.changes} == {"com-second"}


def test_a_scope_shared_among_successors_is_not_narrowed() -> None:
    new = data(version="2")
    first = new["commitments"][0]
    second = {**copy.deepcopy(first), "id": "com-second", "was": [{"id": "com-publish"}]}
    first["scope"], second["scope"] = ["public models"], ["internal models"]
    new["commitments"].append(second)
    assert not compare(data(), new).material
    second["scope"] = ["public models"]
    assert only_material(compare(data(), new)).dimensions == ("scope",)


def test_merged_clauses_have_a_row_each_and_no_false_gain() -> None:
    old = data()
    second = {**copy.deepcopy(old["commitments"][0]), "id": "com-second", "scope": ["internal models"]}
    old["commitments"][0]["scope"] = ["public models"]
    old["commitments"].append(second)
    new = data(version="2")
    new["commitments"][0]["was"] = [{"id": "com-publish"}, {"id": "com-second"}]
    found = compare(old, new)
    assert not found.material
    assert row_of(found, "com-second").merged_with == ("com-publish",)
    new["commitments"][0]["scope"].append("partners' models")
    assert {row.outcome for row in compare(old, new).material} == {"strengthened"}


@pytest.mark.parametrize(
    ("field", "first", "second"),
    [
        ("disclosure", ["public"], ["board"]),
        ("disclosure", ["staff"], ["board"]),
        ("actor", ["officer"], ["board"]),
        ("scope", ["public models"], []),
    ],
)
def test_what_a_merged_clause_has_from_another_is_no_gain(field: str, first: list[str], second: list[str]) -> None:
    old = changed((*C, field), first, version="1")
    old["commitments"].append({**copy.deepcopy(old["commitments"][0]), "id": "com-second", field: second})
    new = changed((*C, field), first + second if second else ["public models", "models of partners"])
    new["commitments"][0]["was"] = [{"id": "com-publish"}, {"id": "com-second"}]
    assert row_of(compare(old, new), "com-publish").outcome == "retained"
    other = row_of(compare(old, new), "com-second").outcome
    assert other == ("retained" if second else "weakened")


def test_relocation_to_a_document_is_material_and_read() -> None:
    new = data(version="2", commitments=[], relocated=[{"id": "com-publish", "to": "Companion", "reason": "split off"}])
    row = only_material(compare(data(), new))
    assert (row.outcome, row.basis, row.relocated_to) == ("relocated", "read", "Companion")
    assert "split off" in row.reasons[0]


def test_relocation_into_a_recommendation_is_compared_with_it() -> None:
    new = renamed("rec-publish", force="recommend")
    new["relocated"] = [{"id": "com-publish", "to": "rec-publish"}]
    row = only_material(compare(data(), new))
    assert (row.outcome, row.match, row.dimensions) == ("relocated", "relocated", ("obligation",))


def test_a_commitment_kept_in_another_document_is_relocated() -> None:
    row = only_material(compare(data(), changed((*C, "document"), "Companion")))
    assert (row.outcome, row.basis, row.relocated_to) == ("relocated", "computed", "Companion")
    back = only_material(compare(changed((*C, "document"), "Companion"), data()))
    assert back.outcome == "strengthened"


def test_a_requirement_that_became_a_mere_promise_is_weakened() -> None:
    new = data(version="2")
    del new["thresholds"][0]["requirements"][1]
    new["commitments"].append({"id": "com-halt", "force": "must", "was": [{"id": "req-halt"}]})
    row = only_material(compare(data(), new))
    assert row.outcome == "weakened"
    assert "closes no gate" in row.reasons[0]


def test_a_trigger_that_waits_for_all_of_fewer_events_is_weakened_and_its_reverse_strengthened() -> None:
    new = changed((*G, "when"), "all")
    new["triggers"][0]["events"].pop()
    there, back = only_material(compare(data(), new)), only_material(compare(new, data()))
    assert (there.outcome, there.both_directions) == ("weakened", False)
    assert (back.outcome, back.direction_unclear) == ("strengthened", False)
    new["triggers"][0]["events"] = [{"on": "incident"}, {"on": "snapshot"}]
    assert only_material(compare(new, data())).direction_unclear


def test_a_requirement_of_every_model_that_moves_under_a_threshold_is_weakened() -> None:
    new = data(version="2")
    new["thresholds"][0]["requirements"].append(new["baseline"].pop())
    row = only_material(compare(data(), new))
    assert (row.outcome, row.dimensions) == ("weakened", ("scope",))
    assert (row.changes[0].old, row.changes[0].new) == (["every model"], ["bio-3"])
    assert only_material(compare(new, data())).outcome == "strengthened"


def test_statements_carried_along_are_about_an_earlier_revision() -> None:
    carried: Data = {
        "relocated": [{"id": "com-publish", "to": "Companion"}],
        "changelog": [{"summary": "Renamed.", "clauses": ["com-publish"], "kind": "weakened"}],
    }
    old = data(**carried)
    old["commitments"][0]["was"] = [{"id": "crit-monitor", "outcome": "weakened"}]
    new = {**copy.deepcopy(old), "version": "2"}
    found = compare(old, new)
    assert not found.material
    assert [entry.finding for entry in found.account] == ["other_revision"]
    new["commitments"][0]["force"] = "may"
    assert only_material(compare(old, new)).announcement.status == "no_account"  # type: ignore[union-attr]


def test_a_lineage_that_names_nothing_is_noted_with_its_place() -> None:
    found = compare(data(), renamed("com-publish", was=[{"id": "com-publsh"}]))
    (note,) = found.notes
    assert note.hint == "did you mean 'com-publish'?"
    assert note.where is not None
    assert note.where.file == "new.yaml"
    assert row_of(found, "com-publish").match == "same id"


def test_alike_words_are_suggested_and_change_no_code() -> None:
    text = "Acme will publish its reports within a month of every release"
    old = changed((*C, "text"), text, version="1")
    new = renamed("com-tell", text=text + " to all")
    found = compare(old, new, suggest=True)
    (suggestion,) = found.suggestions
    assert (suggestion.old.id, suggestion.new.id) == ("com-publish", "com-tell")
    assert [row.outcome for row in found.material] == ["removed", "added"]
    assert compare(old, new).suggestions == ()
    assert compare(old, renamed("com-tell", text="Something else altogether"), suggest=True).suggestions == ()


def test_one_label_for_two_contents_is_refused() -> None:
    with pytest.raises(PolicyError, match="POL004"):
        compare(data(), changed((*C, "force"), "aim", version="1"))


# --- what a person reads ---------------------------------------------------------------------------


def coded(outcome: str, *dimensions: str, **fields: Any) -> Data:
    lineage = {"id": "com-publish", "outcome": outcome, "dimensions": list(dimensions), "reason": "as I read it"}
    return renamed("com-publish", was=[lineage], **fields)


def test_a_reader_codes_what_fields_cannot_show() -> None:
    row = only_material(compare(data(), coded("weakened", "disclosure")))
    assert (row.outcome, row.basis, row.dimensions) == ("weakened", "read", ("disclosure",))
    assert "read as weakened: as I read it" in row.reasons
    assert only_material(compare(data(), coded("strengthened"))).outcome == "strengthened"


@pytest.mark.parametrize("outcome", ["retained", "strengthened"])
def test_a_reader_cannot_soften_what_the_fields_show(outcome: str) -> None:
    row = only_material(compare(data(), coded(outcome, force="may")))
    assert (row.outcome, row.basis) == ("weakened", "computed")
    assert row.readings[0].softer_than_computed
    assert any("does not soften" in reason for reason in row.reasons)


def test_a_reader_of_one_successor_does_not_speak_for_the_other() -> None:
    new = data(version="2")
    first = new["commitments"][0]
    second = {**copy.deepcopy(first), "id": "com-second", "was": [{"id": "com-publish", "outcome": "retained"}]}
    first["unless"] = ["a law forbids it"]
    new["commitments"].append(second)
    row = only_material(compare(data(), new))
    assert (row.outcome, row.direction_unclear) == ("weakened", True)


# --- the account -----------------------------------------------------------------------------------


def accounted(*entries: Data, old: Data = BASE, **fields: Any) -> PolicyDiff:
    new = renamed("com-publish", **(fields or {"force": "may", "cadence": "P2Y"}))
    new["changelog"] = [{"summary": "An entry.", **entry} for entry in entries]
    return compare(old, new)


ANNOUNCEMENTS: list[tuple[str, list[Data], str]] = [
    ("named with its direction", [{"clauses": ["com-publish"], "kind": "weakened"}], "announced"),
    ("as removed", [{"clauses": ["com-publish"], "kind": "removed"}], "announced"),
    ("no direction", [{"clauses": ["com-publish"]}], "partially_announced"),
    ("as a clarification", [{"clauses": ["com-publish"], "kind": "clarified"}], "partially_announced"),
    ("as the contrary", [{"clauses": ["com-publish"], "kind": "strengthened"}], "partially_announced"),
    (
        "one dimension of two",
        [{"clauses": ["com-publish"], "kind": "weakened", "dimensions": ["obligation"]}],
        "partially_announced",
    ),
    (
        "both dimensions in two entries",
        [
            {"clauses": ["com-publish"], "kind": "weakened", "dimensions": ["obligation"]},
            {"clauses": ["com-publish"], "kind": "weakened", "dimensions": ["threshold"]},
        ],
        "announced",
    ),
    ("another clause", [{"clauses": ["crit-keys"], "kind": "weakened"}], "silent"),
    ("a general line", [{"kind": "weakened"}], "silent"),
    ("no entry", [], "no_account"),
    ("an older revision", [{"clauses": ["com-publish"], "kind": "weakened", "version": "0.9"}], "no_account"),
    ("this revision", [{"clauses": ["com-publish"], "kind": "weakened", "version": "1.5"}], "announced"),
    ("a later revision", [{"clauses": ["com-publish"], "kind": "weakened", "version": "3"}], "no_account"),
]


@pytest.mark.parametrize(("entries", "status"), [case[1:] for case in ANNOUNCEMENTS], ids=[c[0] for c in ANNOUNCEMENTS])
def test_a_change_is_announced_by_an_entry_that_names_it_and_its_direction(entries: list[Data], status: str) -> None:
    found = accounted(*entries)
    announcement = only_material(found).announcement
    assert announcement is not None
    assert announcement.status == status
    assert bool(found.unaccounted) == (status != "announced")


def test_an_entry_of_the_contrary_is_marked() -> None:
    found = accounted({"clauses": ["com-publish"], "kind": "strengthened"})
    assert only_material(found).announcement.contradicted  # type: ignore[union-attr]
    assert [entry.finding for entry in found.account] == ["differs"]


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        ({"clauses": ["com-publish"], "kind": "rewritten"}, "no_direction"),
        ({"clauses": ["com-publish"]}, "no_direction"),
        ({"clauses": ["crit-monitor"], "kind": "clarified"}, "agrees"),
        ({"clauses": ["crit-monitor"], "kind": "weakened"}, "no_change_found"),
    ],
)
def test_an_entry_is_judged_by_the_direction_it_states(entry: Data, finding: str) -> None:
    new = renamed("com-publish", force="may")
    new["standards"][0]["criteria"][1]["text"] = "Acme will watch use."
    new["changelog"] = [{"summary": "An entry.", **entry}]
    assert [judged.finding for judged in compare(data(), new).account] == [finding]


def test_parts_that_went_with_the_whole_are_shown_with_it() -> None:
    new = data(version="2")
    del new["standards"][0]
    new["standards"][0]["includes"] = []
    new["thresholds"][0]["requirements"][0] |= {"target": "std-sec"}
    found = compare(data(), new)
    names = [row.clause for row in found.table_rows() if row.outcome == "removed"]
    assert names == ["std-deploy (with crit-red-team, crit-monitor)"]
    assert sum(map(len, found.groups())) == len(found.rows)


def test_clauses_that_became_one_in_the_same_way_are_shown_together() -> None:
    new = data(version="2")
    new["standards"][0]["criteria"] = [
        {"id": "crit-one", "force": "aim", "was": [{"id": "crit-red-team"}, {"id": "crit-monitor"}]}
    ]
    old = data()
    old["standards"][0]["criteria"][0] = {"id": "crit-red-team", "force": "must"}
    (row,) = compare(old, new).table_rows()
    assert row.clause == "crit-red-team + crit-monitor → crit-one"
    assert row.change.startswith("force: various → aim (weaker)")


def test_an_entry_about_the_whole_announces_its_parts_only_if_the_whole_went() -> None:
    entry = {"summary": "Gone.", "clauses": ["std-deploy"], "kind": "removed"}
    new = data(version="2", changelog=[entry])
    new["standards"][0]["criteria"].pop()
    part = row_of(compare(data(), new), "crit-monitor")
    assert part.announcement.status == "partially_announced"  # type: ignore[union-attr]
    del new["standards"][0]
    new["standards"][0]["includes"] = []
    new["thresholds"][0]["requirements"][0] |= {"target": "std-sec"}
    rows = {row.id: row.announcement for row in compare(data(), new).material}
    assert {rows[name].status for name in ("std-deploy", "crit-monitor", "crit-red-team")} == {"announced"}  # type: ignore[union-attr]
    new["relocated"] = [{"id": "crit-monitor", "to": "Companion"}]
    moved = row_of(compare(data(), new), "crit-monitor")
    assert (moved.outcome, moved.announcement.status) == ("relocated", "partially_announced")  # type: ignore[union-attr]
    assert rows["std-sec"].status == "silent"  # type: ignore[union-attr]


def test_rates_count_the_partly_announced_in_the_strict_one_only() -> None:
    new = data(version="2")
    new["commitments"][0]["force"] = "may"
    new["triggers"][0]["soft"] = True
    new["approvals"][0]["quorum"] = 1
    new["changelog"] = [
        {"summary": "Publication may be skipped.", "clauses": ["com-publish"], "kind": "weakened"},
        {"summary": "Triggers updated.", "clauses": ["trig-compute"]},
    ]
    found = compare(data(), new)
    assert found.silent_rate_strict == pytest.approx(2 / 3)
    assert found.silent_rate_lenient == pytest.approx(1 / 3)
    assert [row.id for row in found.unaccounted] == ["app-report", "trig-compute"]
    assert [row.id for row in found.rows[:3]] == ["app-report", "trig-compute", "com-publish"]


def test_without_an_account_there_is_no_rate() -> None:
    found = compare(data(), changed((*C, "force"), "may"))
    assert found.silent_rate_strict is None
    assert found.silent_rate_lenient is None
    assert len(found.unaccounted) == 1


def test_every_entry_of_the_account_is_judged() -> None:
    found = accounted(
        {"clauses": ["com-publish"], "kind": "weakened"},
        {"clauses": ["crit-keys"], "kind": "strengthened"},
        {"clauses": ["nothing-here"]},
        {},
    )
    assert [entry.finding for entry in found.account] == [
        "agrees",
        "no_change_found",
        "unknown_clauses",
        "names_nothing",
    ]
    assert found.account[2].unknown == ("nothing-here",)


def test_changes_of_the_policys_own_scope_are_announced_by_name() -> None:
    new = changed(("scope", "models"), ["public"])
    new["changelog"] = [{"summary": "Internal models left out.", "clauses": ["scope"], "kind": "weakened"}]
    row = only_material(compare(data(), new))
    assert row.id == POLICY_ID
    assert row.announcement.status == "announced"  # type: ignore[union-attr]


# --- laws ------------------------------------------------------------------------------------------

MUTATIONS = st.lists(st.sampled_from([case[:3] for case in WEAKENINGS]), max_size=5, unique_by=lambda case: case[0])


def mutated(cases: list[tuple[str, Path, Any]]) -> Data:
    result = data(version="2")
    for _, path, value in cases:
        part: Any = result
        try:
            for key in path[:-1]:
                part = part[key]
            if value is GONE:
                del part[path[-1]]
            else:
                part[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError):
            continue  # an earlier mutation took the field away
    return result


@st.composite
def revisions(draw: st.DrawFn) -> tuple[Data, Data]:
    """Two versions with random weakenings, lineages, relocations, removals and additions."""
    old, new = data(), mutated(draw(MUTATIONS))
    ids = ["com-publish", "crit-monitor", "req-halt", "sg-filter", "tester", "bio-4", "no-such"]
    count = draw(st.integers(0, 4))
    for number in range(count):
        was = [
            {"id": name, "outcome": draw(st.sampled_from([None, "retained", "strengthened", "weakened", "relocated"]))}
            for name in draw(st.lists(st.sampled_from(ids), max_size=3))
        ]
        new["commitments"].append({"id": f"com-{number}", "force": draw(st.sampled_from(["must", "may"])), "was": was})
    targets = st.sampled_from(["Companion", "com-0", "com-publish"])
    new["relocated"] = [
        {"id": name, "to": draw(targets)} for name in draw(st.lists(st.sampled_from(ids), max_size=2, unique=True))
    ]
    if draw(st.booleans()):
        new["safeguards"] = []
    if draw(st.booleans()):
        new["thresholds"][0]["requirements"].pop()
    return old, new


@settings(max_examples=60, deadline=None)
@given(revisions())
def test_every_clause_is_accounted_for_whatever_the_lineage(versions: tuple[Data, Data]) -> None:
    old, new = (load(content) for content in versions)
    found = diff(old, new)
    of_old = [(row.old.kind, row.old.id) for row in found.rows if row.old is not None]
    of_new = {(side.kind, side.id) for row in found.rows for side in row.new}
    assert sorted(of_old) == sorted((clause.kind, clause.id) for clause in clauses_of(old))
    assert of_new == {(clause.kind, clause.id) for clause in clauses_of(new)}
    assert all(row.announcement is not None for row in found.material)
    assert sum(found.counts_by_outcome().values()) == len(found.rows)
    for row in found.rows:
        assert (row.outcome == "added") == (row.old is None)
        assert row.outcome != "removed" or not row.new
        if any(change.way in ("weaker", "both") for change in row.changes):
            assert row.outcome in ("weakened", "relocated")
    json.dumps(found.to_json(), allow_nan=False)
    assert render_markdown(found).count("\n## ") >= 1 or not found.material


@settings(max_examples=30, deadline=None)
@given(revisions())
def test_a_policy_compared_with_itself_is_retained(versions: tuple[Data, Data]) -> None:
    loaded = load(versions[1])
    found = diff(loaded, loaded)
    assert {row.outcome for row in found.rows} == {"retained"}
    assert not any(row.text_differs or row.changes for row in found.rows)
    assert not found.notes


@settings(max_examples=60, deadline=None)
@given(MUTATIONS)
def test_exchanging_the_versions_exchanges_the_directions(cases: list[tuple[str, Path, Any]]) -> None:
    old, new = load(data()), load(mutated(cases))
    there, back = diff(old, new), diff(new, old)
    swap = {"weakened": "strengthened", "strengthened": "weakened", "removed": "added", "added": "removed"}
    assert bool(there.material) == bool(cases)
    returned = {(row.old or row.new[0]).kind + row.id: row for row in back.rows}
    for row in there.rows:
        other = returned[(row.old or row.new[0]).kind + row.id]
        if row.both_directions or row.direction_unclear:
            assert (other.outcome, other.dimensions) == ("weakened", row.dimensions)
        else:
            assert other.outcome == swap.get(row.outcome, row.outcome)


@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from("YMWD"))
def test_durations_of_one_unit_compare_as_numbers(first: int, second: int, unit: str) -> None:
    assert (span_days(f"P{first}{unit}") < span_days(f"P{second}{unit}")) == (first < second)


# --- views -----------------------------------------------------------------------------------------


def test_a_page_gives_figures_reasons_places_and_no_foreign_markup() -> None:
    new = changed((*C, "force"), "may")
    new["commitments"][0] |= {"title": "Tell | all <script>"}
    new["changelog"] = [{"summary": "Publication may be skipped.", "clauses": ["com-publish"], "kind": "weakened"}]
    page = render_markdown(compare(data(), new))
    assert page.startswith("# acme@1 → acme@2\n")
    assert "1 material change in" in page
    assert "Silent revision rate: 0.0% strict" in page
    assert "force: will → may (weaker)" in page
    assert "a lower step of the ladder of obligation" in page
    assert "old.yaml:" in page
    assert "new.yaml:" in page
    assert "Tell \\| all &lt;script&gt;" in page
    table = [line for line in page.splitlines() if line.startswith("| com-publish")]
    assert len(table) == 1


def test_table_rows_are_words_for_a_terminal() -> None:
    new = changed((*C, "force"), "may")
    new["commitments"][0]["cadence"] = "P6M"
    (row,) = compare(data(), new).table_rows()
    assert row.outcome == "weakened, both directions"
    assert row.clause == "com-publish"
    assert row.dimensions == "threshold, obligation"
    assert row.change == "force: will → may (weaker); cadence: P1Y → P6M (stronger)"
    assert row.account == "no account"
    assert len(compare(data(), new).table_rows(retained=True)) == len(clauses_of(load(data())))


def test_the_graph_leads_from_thresholds_to_criteria() -> None:
    shown = graph(load(data()).policy)
    edges = {(edge.start, edge.end, edge.label) for edge in shown.edges}
    assert ("threshold bio-3", "requirement req-deploy", "must: limited, general") in edges
    assert ("requirement req-deploy", "standard std-deploy", "") in edges
    assert ("standard std-deploy", "criterion crit-monitor", "") in edges
    assert ("requirement req-deploy", "security level sec-3", "") in edges
    assert ("security level sec-3", "standard std-sec", "") in edges
    assert ("standard std-sec", "standard std-deploy", "includes") in edges
    assert ("threshold bio-check", "threshold bio-3", "rules out") in edges
    assert {edge.start for edge in shown.edges} | {edge.end for edge in shown.edges} <= {n.key for n in shown.nodes}
    with pytest.raises(AssessError, match="ASM002"):
        graph(load(data()).policy, "bio-33")
    alone = graph(load(data()).policy, "bio-check")
    assert {node.key for node in alone.nodes} == {"threshold bio-check", "threshold bio-3"}


def test_graph_texts_quote_what_the_languages_would_interpret() -> None:
    new = changed(("thresholds", 1, "title"), 'A "quoted" ${x} #1 <b> \\')
    shown = graph(load(new).policy, "bio-check")
    assert 'n0: "bio-check\\nA \\"quoted\\" \\${x} #1 <b> \\\\" {shape: hexagon}' in d2(shown)
    assert 'n0 -> n1: "rules out" {style.stroke-dash: 4}' in d2(shown)
    assert 'n0{{"bio-check<br>A #quot;quoted#quot; $#123;x#125; #35;1 #lt;b#gt; \\"}}' in mermaid(shown)
    assert 'n0 -.->|"rules out"| n1' in mermaid(shown)


def test_the_outline_gives_every_item_with_its_place() -> None:
    loaded = load(data())
    found = outline(loaded)
    assert dict(found.heads)["policy"] == "acme@1"
    assert [entry.id for entry in found.entries] == [item.id for _, item in loaded.policy.located_items()]
    (publish,) = (entry for entry in found.entries if entry.id == "com-publish")
    assert dict(publish.fields)["disclosure"] == "public, government"
    assert publish.where.line is not None
    assert json.loads(json.dumps(found.to_json()))["heads"]["title"] == "Acme policy"


def test_dimensions_are_those_of_the_codebook() -> None:
    assert DIMENSIONS == ("scope", "threshold", "actor", "obligation", "disclosure", "consequence")


# --- the shipped versions --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def revision() -> PolicyDiff:
    if not {"rsp-v2.2", "rsp-v3.4"} <= set(pack_names()):
        pytest.skip("the two packs are not part of this build")
    return diff(load_pack("rsp-v2.2"), load_pack("rsp-v3.4"), suggest=True)


def test_the_revision_of_the_shipped_packs_has_its_known_figures(revision: PolicyDiff) -> None:
    # Counts of the packs as they stand; a reviewed change of a pack changes them.
    assert revision.counts_by_outcome() == {
        "weakened": 42,
        "removed": 34,
        "relocated": 3,
        "strengthened": 4,
        "added": 25,
        "retained": 16,
    }
    assert revision.counts_by_announcement() == {
        "announced": 7,
        "partially_announced": 44,
        "silent": 57,
        "no_account": 0,
    }
    assert revision.notes == ()
    assert not any(entry.unknown for entry in revision.account)
    assert not any(row.direction_unclear for row in revision.rows), "every replacement has been read by a person"


REVISION: list[tuple[str, str, str, tuple[str, ...], str]] = [
    ("pretraining-pause", "weakened", "computed", ("obligation", "consequence"), "partially_announced"),
    ("CBRN-3", "weakened", "computed", ("scope", "threshold"), "silent"),
    ("CBRN-3-security", "weakened", "computed", ("scope", "consequence"), "partially_announced"),
    ("AIRD-4", "weakened", "read", ("threshold",), "partially_announced"),
    ("CBRN-4-security", "relocated", "read", ("obligation", "consequence"), "partially_announced"),
    ("treat-as-crossed", "removed", "computed", ("obligation",), "silent"),
    ("trust", "strengthened", "computed", ("actor",), "announced"),
    ("internal-transparency", "strengthened", "read", ("disclosure",), "announced"),
    ("coverage-date", "added", "computed", ("disclosure",), "announced"),
]


@pytest.mark.parametrize(("name", "outcome", "basis", "dimensions", "status"), REVISION, ids=[c[0] for c in REVISION])
def test_rows_of_the_revision_that_were_checked_by_hand(
    revision: PolicyDiff, name: str, outcome: str, basis: str, dimensions: tuple[str, ...], status: str
) -> None:
    row = row_of(revision, name)
    assert (row.outcome, row.basis, row.dimensions) == (outcome, basis, dimensions)
    assert row.announcement is not None
    assert row.announcement.status == status


def test_the_pause_that_was_a_duty_became_discretionary(revision: PolicyDiff) -> None:
    row = row_of(revision, "pretraining-pause")
    force = next(change for change in row.changes if change.facet == "force")
    assert (force.old, force.new, force.way) == ("must", "may", "weaker")
    assert str(row.old.where).startswith("packs/rsp-v2.2.yaml:")  # type: ignore[union-attr]
    assert str(row.new[0].where).startswith("packs/rsp-v3.4.yaml:")


def test_the_page_of_the_revision_is_short_enough_to_read(revision: PolicyDiff) -> None:
    page = render_markdown(revision)
    assert "## Weakened (" in page
    assert "**" not in page.replace("\\*", "")
    assert len([row for row in revision.table_rows() if row.outcome != "retained"]) < 0.85 * len(revision.material)
