# SPDX-License-Identifier: Apache-2.0
"""The rules SC01 to SC16: for each, cases that trip it, with the place, and a case that does not."""

from datetime import date
from typing import Any

import pytest

from case_factories import (
    OTHER,
    RECORD,
    a_case,
    a_claim,
    a_context,
    a_doubt,
    a_proof,
    a_top,
    agreed,
    loaded_case,
)
from factories import a_model, a_record, a_set
from tidegate.case.checks import RULES, CaseFinding, check, examine, require_sound
from tidegate.case.load import LoadedCase
from tidegate.case.model import CaseEvent, Node, Review, SafetyCase
from tidegate.case.review import hashes, root
from tidegate.evidence.model import Provenance, Remark, Restatement
from tidegate.evidence.models import Snapshot
from tidegate.kernel.errors import CaseError

CITED = f"cited: {{record: r1, digest: '{RECORD.digest}', producer: lab, produced_on: 2026-01-15, model: m}}"
SURE = "confidence: {low: 0.9, basis: judged}"
TOP = "  - {id: TOP, kind: claim, text: m is safe, supported_by: [E1], falsifier: x, source: 'threshold:T1'}\n"
E1 = f"  - {{id: E1, kind: evidence, text: a result, {SURE}, {CITED}}}\n"
"""Lines 9 and 10 of a case that passes every rule."""


def found_in(loaded: LoadedCase, code: str, **context: Any) -> list[CaseFinding]:
    return [one for one in check(loaded.case, a_context(loaded, **context)) if one.code == code]


def shown(findings: list[CaseFinding]) -> list[tuple[str, str, str]]:
    return [(one.severity, str(one.where), one.message) for one in findings]


def test_a_sound_case_passes_every_rule() -> None:
    loaded = loaded_case(TOP + E1)
    looked = examine(loaded.case, a_context(loaded))
    assert looked.findings == ()
    assert looked.confidence.span.low == 0.9
    assert (looked.suspects, looked.unreviewed, looked.blocking) == ({}, (), ())
    assert (looked.root, looked.hashes["E1"]) == (root(loaded.case), hashes(loaded.case)["E1"])
    require_sound(looked)


def cited(**parts: str) -> str:
    given = {"record": "r1", "digest": f"'{RECORD.digest}'", "producer": "lab", "produced_on": "2026-01-15"}
    given |= {"model": "m", **parts}
    return "cited: {" + ", ".join(f"{name}: {value}" for name, value in given.items() if value) + "}"


def evidence(link: str = CITED, sure: str = f"{SURE}, ") -> str:
    return TOP + f"  - {{id: E1, kind: evidence, text: a result, {sure}{link}}}\n"


def with_line(line: str, top: str = TOP) -> str:
    """Give the sound case with one more node, in line 11."""
    return f"{top}{E1}  - {line}\n"


ASSUMING = TOP.replace("falsifier", "in_context_of: [A], falsifier")
CAPPED = "{id: D, kind: defeater, text: but, author: bob, challenges: [TOP], doubt: {"

TRIPS = [
    ("SC01", with_line("{id: G2, kind: claim, text: n, supported_by: [E1]}"), "error", "11:{id", "second root claim"),
    ("SC01", TOP.replace("m is safe", "this is safe") + E1, "warning", "9:text", "does not name the model"),
    (
        "SC02",
        with_line("{id: G1, kind: claim, text: x, supported_by: [G2]}", TOP.replace("[E1]", "[E1, G1]"))
        + "  - {id: G2, kind: claim, text: x, supported_by: [G1]}\n",
        "error",
        "11:supported_by",
        "G1 -> G2",
    ),
    ("SC03", with_line("{id: C, kind: context, text: x, supported_by: [E1]}"), "error", "11:supported_by", "can support a context"),
    ("SC03", with_line("{id: C, kind: context, text: x, in_context_of: [C2]}") + "  - {id: C2, kind: context}\n",
     "error", "11:in_context_of", "no context of its own"),
    ("SC03", TOP.replace("[E1]", "[E1, C]") + E1 + "  - {id: C, kind: context, text: x}\n", "error", "9:C]",
     "C is a context, which cannot support"),
    ("SC03", TOP.replace("falsifier", "in_context_of: [E1], falsifier") + E1, "error", "9:E1], falsifier",
     "E1 is a piece of evidence, which cannot be the context"),
    ("SC03", TOP.replace("[E1]", "[E1, E1]") + E1, "warning", "9:supported_by", "names one node twice"),
    ("SC03", with_line("{id: G, kind: claim, text: x, challenges: [TOP]}"), "error", "11:challenges", "only a defeater"),
    ("SC03", with_line("{id: D, kind: defeater, text: x, challenges: [E1->TOP]}"), "error", "11:E1->TOP", "no such edge"),
    ("SC03", with_line("{id: D, kind: defeater, text: x}"), "error", "11:{id", "challenges nothing"),
    ("SC03", with_line("{id: I, kind: indicator, text: x, monitors: [E1]}"), "error", "11:E1]", "watches claims"),
    ("SC04", TOP.replace("supported_by: [E1], ", ""), "error", "9:{id", "not called undeveloped"),
    ("SC04", TOP.replace("supported_by: [E1]", "undeveloped: true"), "warning", "9:undeveloped", "still missing"),
    ("SC04", TOP.replace("[E1]", "[E1], undeveloped: true") + E1, "warning", "9:undeveloped", "something supports it"),
    ("SC04", with_line("{id: C, kind: context, text: x, undeveloped: true}"), "warning", "11:undeveloped", "is not argued"),
    ("SC05", with_line("{id: S, kind: strategy, text: x, supported_by: [E1], why: so}"), "error", "11:{id", "combine"),
    ("SC05", with_line("{id: S, kind: strategy, text: x, supported_by: [E1], aggregation: all}"), "error", "11:{id",
     "why its parts suffice"),
    ("SC05", TOP.replace("[E1]", "[E1, E2]") + E1 + E1.replace("E1", "E2"), "error", "9:{id", "combine"),
    ("SC06", with_line("{id: A, kind: assumption, text: x, review_on: 2026-12-01}", ASSUMING), "error", "11:{id",
     "nobody owns it"),
    ("SC06", with_line("{id: A, kind: assumption, text: x, owner: bob}", ASSUMING), "error", "11:{id", "no day of review"),
    ("SC06", with_line("{id: A, kind: assumption, text: x, owner: bob, review_on: 2026-05-31}", ASSUMING), "error",
     "11:review_on", "due on 2026-05-31"),
    ("SC07", evidence("author: bob"), "error", "10:{id", "cites no record"),
    ("SC07", evidence(cited(digest="")), "error", "10:cited", "digest is not stated"),
    ("SC07", evidence(cited(producer="")), "error", "10:cited", "producer is not stated"),
    ("SC07", evidence(cited(produced_on="")), "error", "10:cited", "date is not stated"),
    ("SC07", evidence(cited(model="")), "error", "10:cited", "model is not stated"),
    ("SC07", evidence(cited(record="r9")), "error", "10:record", "no record 'r9'"),
    ("SC07", evidence(cited(record="r2")), "error", "10:digest", "not what the cited digest says"),
    ("SC07", evidence(cited(valid_until="2026-05-31")), "error", "10:valid_until", "held until 2026-05-31"),
    ("SC07", evidence(cited(max_age="P4M")), "error", "10:max_age", "older than P4M"),
    ("SC07", evidence(cited(produced_on="2026-06-02", record="")), "error", "10:{id", "after the day asked about"),
    ("SC07", evidence(cited(ends_on="[incident]")), "error", "10:ends_on", "incident of 2026-05-01 ended it"),
    ("SC07", evidence(cited(ends_on="[new_snapshot]")), "error", "10:ends_on", "new_snapshot of 2026-03-01 ended it"),
    ("SC08", evidence(cited(model="other", record="")), "error", "10:cited", "about other"),
    ("SC09", with_line("{id: D, kind: defeater, text: but, author: bob, challenges: [TOP]}"), "error", "11:{id",
     "open and blocks TOP"),
    ("SC09", with_line(CAPPED + "effect: caps, cap: 0.4}}"), "warning", "11:doubt", "caps TOP at 0.4"),
    ("SC09", with_line(CAPPED + "state: closed, closed_by: carol}}"), "error", "11:doubt", "names no record"),
    ("SC09", with_line(CAPPED + "state: closed, closed_record: r2}}"), "error", "11:doubt", "does not say who"),
    ("SC09", with_line(CAPPED + "state: closed, closed_by: alice, closed_record: r2}}"), "error", "11:doubt", "to TOP"),
    ("SC09", with_line(CAPPED + "state: closed, closed_by: bob, closed_record: r2}}"), "error", "11:doubt", "to D"),
    ("SC09", with_line(CAPPED + "state: closed, closed_by: carol, closed_record: r9}}"), "error", "11:doubt", "'r9'"),
    ("SC09", with_line(CAPPED + "state: accepted, closed_by: carol, closed_record: r2}}"), "error", "11:doubt",
     "without a cap"),
    ("SC11", TOP.replace("falsifier: x, ", "") + E1, "error", "9:{id", "prove it wrong about T1"),
    ("SC11", TOP.replace(", source: 'threshold:T1'", "") + E1, "error", "9:{id", "no claim is about the threshold T1"),
    ("SC12", TOP.replace("[E1]", "[E1, E2], aggregation: convergent, why: so") + E1 + E1.replace("id: E1", "id: E2"),
     "warning", "9:supported_by", "share r1"),
    ("SC14", evidence(sure="confidence: {low: 0.9}, "), "warning", "10:confidence", "without a ground"),
    ("SC14", evidence(sure=""), "warning", "10:{id", "counts as 0 to 1"),
    ("SC15", with_line("{id: C, kind: context, text: x}"), "warning", "11:{id", "does not hang under TOP"),
    ("SC15", TOP + E1.replace("text: a result, ", ""), "warning", "10:{id", "no words"),
    ("SC16", with_line("{id: I, kind: indicator, text: x, monitors: [TOP]}"), "error", "11:{id", "has no metric"),
    ("SC16", with_line("{id: I, kind: indicator, text: x, watch: {metric: x}}"), "error", "11:watch", "has no bound"),
    ("SC16", with_line("{id: I, kind: indicator, text: x, watch: {metric: x, bound: {value: 1}}}"), "error", "11:watch",
     "has no window"),
    ("SC16", with_line("{id: I, kind: indicator, text: x}"), "error", "11:{id", "watches nothing"),
]  # fmt: skip
CONTEXT: dict[str, Any] = {
    "events": (CaseEvent(kind="incident", on=date(2026, 5, 1)), CaseEvent(kind="incident", on=date(2026, 9, 1))),
    "models": (a_model("m", Snapshot(id="s1", created="2026-03-01")),),
}


@pytest.mark.parametrize(("code", "nodes", "severity", "place", "words"), TRIPS)
def test_a_rule_trips_with_its_place(code: str, nodes: str, severity: str, place: str, words: str) -> None:
    loaded = loaded_case(nodes)
    found = [one for one in found_in(loaded, code, **CONTEXT) if words in one.message]
    assert [one.severity for one in found] == [severity], [str(one) for one in found_in(loaded, code, **CONTEXT)]
    line, _, token = place.partition(":")
    where = found[0].where
    assert where is not None
    assert (where.file, where.line) == ("case.yaml", int(line))
    assert nodes.splitlines()[int(line) - 9][(where.column or 0) - 1 :].startswith(token)
    assert all(one.hint or code == "SC03" for one in found)


PASSES = [
    ("SC05", with_line("{id: S, kind: strategy, text: x, supported_by: [E1], aggregation: any, why: so}")),
    ("SC06", with_line("{id: A, kind: assumption, text: x, owner: bob, review_on: 2026-06-01}", ASSUMING)),
    ("SC07", evidence(cited(valid_until="2026-06-01", max_age="P1Y", ends_on="[policy_change]"))),
    ("SC07", evidence(cited(record="", digest=f"'sha256:{'0' * 64}'"))),
    ("SC08", evidence(cited(model="other", record="", similarity="the same weights"))),
    ("SC09", with_line(CAPPED + "state: closed, closed_by: carol, closed_record: r2}}")),
    ("SC09", with_line(CAPPED + f"state: closed, closed_by: carol, closed_record: 'sha256:{'1' * 64}'" + "}}")),
    ("SC09", with_line(CAPPED + "state: accepted, cap: 0.5, closed_by: carol, closed_record: r2}}")),
    ("SC12", TOP.replace("[E1]", "[E1, E2], aggregation: all, why: so") + E1 + E1.replace("id: E1", "id: E2")),
    ("SC16", with_line("{id: I, kind: indicator, text: x, monitors: [TOP], watch: {metric: x, bound: {value: 1}, "
                       "window: P30D, last: 0.5, last_on: 2026-05-20}}")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "nodes"), PASSES)
def test_a_rule_is_content(code: str, nodes: str) -> None:
    loaded = loaded_case(nodes)
    assert shown(found_in(loaded, code, **CONTEXT)) == []


def test_every_rule_trips_somewhere() -> None:
    tested_below = {"SC10", "SC13"}
    assert {code for code, *_ in TRIPS} | tested_below == set(RULES) == {f"SC{n:02}" for n in range(1, 17)}


# --- SC01: the head of the case ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"actions": ()}, "does not state its actions"),
        ({"thresholds": ()}, "does not state its thresholds"),
        ({"period": {"until": "2026-12-31"}}, "does not state its period.from"),
        ({"period": {"from": "2026-01-01"}}, "does not state its period.until"),
        ({"period": {"from": "2026-01-01", "until": "2026-05-31"}}, "ended on 2026-05-31"),
        ({"thresholds": ("T1", "T9")}, "test@1 has no threshold 'T9'"),
        ({"model": "n"}, "there is no model 'n'"),
        ({"snapshot": "s9"}, "m has no snapshot 's9'"),
        ({"nodes": (a_proof(),)}, "there is no root claim"),
    ],
)
def test_the_case_names_its_scope(parts: dict[str, Any], words: str) -> None:
    case = SafetyCase.model_validate({**a_case().model_dump(by_alias=True), **parts})
    messages = [one.message for one in check(case, a_context(case)) if one.code == "SC01"]
    assert words in " ".join(messages)


def test_a_reference_to_nothing_is_found_in_a_case_made_in_memory_too() -> None:
    case = a_case(a_top("E1", "gone"), a_proof(), a_doubt("D", "away"), Node(id="I", kind="indicator", monitors=("x",)))
    messages = [one.message for one in check(case, a_context(case)) if one.code == "SC03"]
    assert messages == ["there is no node 'gone'", "there is no node 'away'", "there is no node 'x'"]


# --- SC07 and SC08: what the record itself says ----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"valid_until": "2026-03-01"}, "held until 2026-03-01"),
        ({"ended_by_event": "2026-03-01", "valid_until_event": "safeguard_changed"}, "safeguard_changed ended it"),
        ({"valid_until_event": "incident"}, "incident of 2026-05-01 ended it"),
        ({"published": "2026-07-01", "finished": None}, "was not known yet"),
        ({"remarks": (Remark(code="EVI010", message="x", blocks_rule_out=True),)}, "unfit to carry a rule-out"),
        ({"measurement": None, "outcome": "fail"}, "reports a failure"),
    ],
)
def test_a_record_that_does_not_hold(changes: dict[str, Any], words: str) -> None:
    record = RECORD.model_validate({**RECORD.model_dump(), **changes})
    case = a_case(a_top("E1"), a_proof("E1", record))
    looked = examine(case, a_context(case, **CONTEXT, evidence=a_set(record)))
    assert words in " ".join(one.message for one in looked.findings if one.code == "SC07")
    assert looked.confidence.span.low == 0


@pytest.mark.parametrize(
    ("by", "on", "words"),
    [
        ("r2", "2026-02-01", "restated by r2"),
        (None, "2026-02", "retracted"),
        ("r2", None, "restated"),
        (None, "2026-07", ""),
    ],
)
def test_a_restated_record_is_none(by: str | None, on: str | None, words: str) -> None:
    restated = Restatement(supersedes="r1", by=by, on=on, reason="error" if by else "retracted")
    evidence_set = a_set(RECORD, OTHER, restatements=(restated,))
    case = a_case()
    found = [one.message for one in check(case, a_context(case, evidence=evidence_set)) if one.code == "SC07"]
    assert bool(found) == bool(words)
    assert words in " ".join(found)


@pytest.mark.parametrize(
    ("snapshot", "link", "codes"),
    [
        ("s2", {"snapshot": "s2"}, []),
        ("s2", {"snapshot": "s1"}, []),
        ("s2", {"snapshot": "s0"}, ["error"]),
        ("s2", {"snapshot": "s0", "similarity": "only the prompt differs"}, []),
        ("s2", {}, ["note"]),
        (None, {"snapshot": "s0"}, []),
    ],
)
def test_snapshots(snapshot: str | None, link: dict[str, str], codes: list[str]) -> None:
    model = a_model("m", Snapshot(id="s0"), Snapshot(id="s1"), Snapshot(id="s2", equivalent_to=("s1",)))
    case = a_case(a_top("E1"), a_proof(cited=link), snapshot=snapshot)
    found = [one for one in check(case, a_context(case, models=(model,))) if one.code == "SC08"]
    assert [one.severity for one in found] == codes
    assert not any(one.blocks for one in found if one.severity == "note")


def test_a_record_about_another_model_is_found_out_whatever_the_node_says() -> None:
    record = a_record("r1", model="other")
    case = a_case(a_top("E1"), a_proof("E1", record))
    found = [one.message for one in check(case, a_context(case, evidence=a_set(record))) if one.code == "SC08"]
    assert found == ["it is about other, and no warrant of similarity is given"]


def test_an_alias_is_the_model_and_its_own_snapshot_ends_nothing() -> None:
    model = a_model("m", Snapshot(id="s1", created="2026-01-15"), aliases=("M-one",))
    link = {"model": "m-ONE", "snapshot": "s1", "ends_on": ["new_snapshot"], "record": None}
    case = a_case(a_top("E1"), a_proof(cited=link), snapshot="s1")
    assert [str(one) for one in check(case, a_context(case, models=(model,)))] == []
    later = a_model("m", *model.snapshots, Snapshot(id="s2", created="2026-02-01"), aliases=("M-one",))
    assert [one.code for one in check(case, a_context(case, models=(later,)))] == ["SC07"]


# --- SC10, SC13: reviews -----------------------------------------------------------------------------


def test_suspect_nodes_open_a_review() -> None:
    loaded = loaded_case(TOP + E1)
    reviews = agreed(loaded.case)
    anew = loaded_case(TOP + E1.replace("a result", "another result"))
    found = found_in(anew, "SC10", reviews=reviews)
    assert [(one.severity, str(one.where), one.opens_review, one.blocks) for one in found] == [
        ("error", "case.yaml:10:5", True, True),
        ("error", "case.yaml:9:5", True, True),
    ]
    assert examine(anew.case, a_context(anew, reviews=reviews)).confidence.span.low == 0
    assert found_in(loaded, "SC10") == []


def test_reviews_by_second_persons() -> None:
    loaded = loaded_case(TOP + E1)
    (whole,) = found_in(loaded, "SC13", reviews=())
    assert (whole.message, whole.severity, whole.blocks) == ("none of its 2 nodes has been reviewed", "warning", True)
    some = tuple(one for one in agreed(loaded.case) if one.node == "E1")
    assert shown(found_in(loaded, "SC13", reviews=some)) == [
        ("warning", "case.yaml:9:5", "nobody but its author has reviewed it")
    ]
    own = (*some, Review(node="TOP", digest="sha256:x", reviewer="alice", verdict="agrees"))
    assert shown(found_in(loaded, "SC13", reviews=own)) == [
        ("error", "case.yaml:9:5", "alice reviewed it, who is not known to be a second person")
    ]
    assert found_in(loaded, "SC13") == []


# --- SC16: indicators ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("watch", "expected"),
    [
        ("last: 1.0, last_on: 2026-05-20", ("error", "it is breached with 1.0", True)),
        ("breached: true", ("error", "it is breached", True)),
        ("last: 0.5, last_on: 2026-04-20", ("warning", "there is no reading of the last P30D", False)),
        ("last: 0.5", ("warning", "there is no reading of the last P30D", False)),
    ],
)
def test_indicators(watch: str, expected: tuple[str, str, bool]) -> None:
    node = "{id: I, kind: indicator, text: x, monitors: [TOP], watch: {metric: x, bound: {value: 1}, window: P30D, "
    loaded = loaded_case(with_line(f"{node}{watch}}}}}"))
    (found,) = found_in(loaded, "SC16")
    assert (found.severity, found.message, found.opens_review) == expected
    assert str(found.where) == "case.yaml:11:56"


# --- what blocks -------------------------------------------------------------------------------------


def test_which_rules_block_is_data() -> None:
    loaded = loaded_case(TOP.replace("[E1]", "[E1], undeveloped: true") + E1)
    looked = examine(loaded.case, a_context(loaded))
    assert [one.code for one in looked.blocking] == ["SC04"]
    with pytest.raises(CaseError) as caught:
        require_sound(looked)
    (problem,) = caught.value.problems
    assert (problem.code, str(problem.where)) == ("CAS003", "case.yaml:9:65")
    assert problem.message == "SC04: TOP: it is called undeveloped, yet something supports it"
    lenient = examine(loaded.case, a_context(loaded, blocking=frozenset({"SC09"})))
    assert [one.code for one in lenient.findings] == ["SC04"]
    assert lenient.blocking == ()
    require_sound(lenient)


def test_a_finding_is_read_in_one_line() -> None:
    (found,) = found_in(loaded_case(evidence(sure="")), "SC14")
    assert str(found) == (
        "case.yaml:10:5: warning SC14: E1: no confidence is stated, so that it counts as 0 to 1\n"
        "  hint: add `confidence`: low, high, basis"
    )


def test_shared_files_are_shared_sources() -> None:
    both = [a_record(name, provenance=Provenance(format="t", digest="sha256:log")) for name in ("r1", "r2")]
    nodes = [a_claim(f"G{number}", f"E{number}") for number in (0, 1)]
    proofs = [a_proof(f"E{number}", record) for number, record in enumerate(both)]
    case = a_case(a_top("G0", "G1", aggregation="convergent"), *nodes, *proofs)
    found = [one.message for one in check(case, a_context(case, evidence=a_set(*both))) if one.code == "SC12"]
    assert found == ["its lines of argument share sha256:log"]
