# SPDX-License-Identifier: Apache-2.0
"""Nodes and cases as records, and cases from YAML: modules, extensions, and every problem with its place."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from case_factories import a_case, a_claim, a_proof, a_top, loaded_case
from tidegate.case.graph import find_node, graph
from tidegate.case.load import MAX_FILES, case_text, hand_written_text, load_case, load_case_text
from tidegate.case.model import Confidence, Doubt, Node, Watch
from tidegate.kernel.errors import CaseError, DocumentError, TidegateError

HEAD = "schema: tidegate/case/v1\n"
GENERATED = """\
schema: tidegate/case/v1
id: c
model: m
author: gen
thresholds: [T1]
nodes:
  - {id: TOP, kind: claim, text: m is safe, supported_by: [G1], origin: generated}
  - {id: G1, kind: claim, text: it cannot, undeveloped: true, origin: generated}
  - {id: A1, kind: assumption, text: all is covered, origin: generated}
"""


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (Confidence, {"low": 0.6, "high": 0.5}),
        (Confidence, {"low": -0.1}),
        (Doubt, {"effect": "caps"}),
        (Node, {"id": "a->b", "kind": "claim"}),
        (Node, {"id": "a", "kind": "goal"}),
        (Node, {"id": "a", "kind": "claim", "challenges": ["a->b->c"]}),
        (Node, {"id": "a", "kind": "claim", "colour": "red"}),
    ],
)
def test_what_no_record_holds(kind: Any, parts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(parts)


def test_ids_are_unique() -> None:
    with pytest.raises(ValidationError, match="two nodes have the id 'E1'"):
        a_case(a_top("E1"), a_proof(), a_proof())


def test_a_breach_is_content_and_a_reading_is_not() -> None:
    def watching(**watch: Any) -> dict[str, object]:
        given = {"metric": "x", "bound": {"value": 1.0}, "window": "P30D", **watch}
        return Node(id="I", kind="indicator", watch=Watch.model_validate(given)).content

    quiet = watching(last=0.1, last_on="2026-01-01")
    assert quiet == watching(last=0.9, last_on="2026-02-01") == watching()
    assert quiet != watching(last=1.0)
    assert watching(last=1.0) == watching(last=2.0) == watching(breached=True)


def test_the_graph_of_a_case() -> None:
    doubt = Node(id="D", kind="defeater", challenges=("G1->E1",))
    watcher = Node(id="I", kind="indicator", monitors=("TOP",))
    drawn = graph(a_case(a_top("G1", "gone"), a_claim("G1", "E1"), a_proof(), doubt, watcher))
    assert drawn.below == {"TOP": ("G1", "I"), "G1": ("E1", "D"), "E1": (), "D": (), "I": ()}
    assert (drawn.top, drawn.roots, drawn.cycles) == ("TOP", ("TOP",), ())
    assert drawn.order.index("E1") < drawn.order.index("G1") < drawn.order.index("TOP")
    assert drawn.reachable("G1") == {"G1", "E1", "D"}
    assert drawn.reachable(None) == frozenset()


def test_find_node_knows_similar_names() -> None:
    case = a_case()
    assert find_node(case, "E1").kind == "evidence"
    with pytest.raises(CaseError, match=r"CAS002.*\n.*did you mean 'E1'"):
        find_node(case, "E11")


# --- loading -----------------------------------------------------------------------------------------


def test_nodes_have_places_and_authors() -> None:
    found = loaded_case("  - {id: TOP, kind: claim, supported_by: [E1]}\n  - {id: E1, kind: evidence, author: bob}\n")
    assert str(found.where("E1")) == "case.yaml:10:5"
    assert str(found.where("TOP", "supported_by", 0)) == "case.yaml:9:43"
    assert str(found.where("E1", "cited", "digest")) == "case.yaml:10:5"
    assert str(found.where("none")) == "case.yaml:1:1"
    assert [node.author for node in found.case.nodes] == ["alice", "bob"]


def extended(text: str, generated: str = GENERATED) -> Any:
    return load_case_text(f"{HEAD}includes: [gen.yaml]\n{text}", "case.yaml", {"gen.yaml": generated})


def test_people_extend_what_was_generated() -> None:
    found = extended(
        """\
author: alice
title: Ours
nodes:
  - {id: E1, kind: evidence, text: a result}
  - {id: D1, kind: defeater, text: but, challenges: [G1]}
extends:
  G1: {supported_by: [E1]}
  A1: {owner: bob, review_on: 2026-12-01}
"""
    )
    case = found.case
    assert (case.id, case.model, case.title, case.author, case.includes) == ("c", "m", "Ours", "alice", ("gen.yaml",))
    claim, assumed = case.by_id["G1"], case.by_id["A1"]
    assert (claim.supported_by, claim.undeveloped, claim.origin) == (("E1",), False, "generated")
    assert claim.authors == {"gen", "alice"}
    assert (assumed.owner, assumed.review_on) == ("bob", date(2026, 12, 1))
    assert case.by_id["D1"].author == "alice"
    assert str(found.where("G1")) == "gen.yaml:8:5"
    assert str(found.where("G1", "supported_by", 0)) == "case.yaml:9:23"


def test_support_that_is_not_enough_leaves_a_claim_undeveloped() -> None:
    text = "author: a\nnodes: [{id: E1, kind: evidence}]\nextends: {G1: {supported_by: [E1], undeveloped: true}}\n"
    assert extended(text).case.by_id["G1"].undeveloped


def test_generating_anew_says_what_hangs_in_the_air() -> None:
    anew = GENERATED.replace("id: G1", "id: G2").replace("[G1]", "[G2]")
    with pytest.raises(CaseError) as caught:
        extended("author: a\nextends: {G1: {falsifier: x}}\n", anew)
    (problem,) = caught.value.problems
    assert (problem.code, str(problem.where)) == ("CAS001", "case.yaml:4:11")
    assert problem.hint == "generating anew may have removed it: attach this elsewhere"


REFUSED = [
    ("nodes: [{id: X, kind: claim, supported_by: [nope]}]", "CAS001", "case.yaml:3:45"),
    ("nodes: [{id: X, kind: claim, in_context_of: [nope]}]", "CAS001", "case.yaml:3:46"),
    ("nodes: [{id: X, kind: defeater, challenges: [nope]}]", "CAS001", "case.yaml:3:46"),
    ('nodes: [{id: X, kind: defeater, challenges: ["TOP->nope"]}]', "CAS001", "case.yaml:3:46"),
    ("nodes: [{id: X, kind: indicator, monitors: [nope]}]", "CAS001", "case.yaml:3:45"),
    ("nodes: [{id: X, kind: claim, supported_by: [X]}]", "CAS001", "case.yaml:3:45"),
    ("nodes: [{id: G1, kind: claim}]", "CAS001", "case.yaml:3:9"),
    ("author: a\nextends: {nope: {why: x}}", "CAS001", "case.yaml:4:11"),
    ("extends: {G1: {why: x}}", "DOC008", "case.yaml:3:11"),
    ("author: a\nextends: {TOP: {similarity: x}}", "DOC009", "case.yaml:4:17"),
    ("author: a\nextends: {G1: {text: x}}", "DOC007", "case.yaml:4:16"),
    ("model: other", "CAS001", "case.yaml:3:1"),
    ("nodes: [{id: X}]", "DOC008", "case.yaml:3:9"),
]


@pytest.mark.parametrize(("text", "code", "where"), REFUSED)
def test_what_does_not_load(text: str, code: str, where: str) -> None:
    with pytest.raises(TidegateError) as caught:
        extended(text + "\n")
    assert [(one.code, str(one.where)) for one in caught.value.problems] == [(code, where)]


def test_what_a_node_says_stands() -> None:
    said = GENERATED.replace("text: it cannot,", "text: it cannot, falsifier: it does,")
    with pytest.raises(DocumentError, match="falsifier: an extension cannot set this of G1"):
        extended("author: a\nextends: {G1: {falsifier: never}}\n", said)


@pytest.mark.parametrize(
    ("name", "code"),
    [("../secret.yaml", "DOC009"), ("/etc/passwd", "DOC009"), ("C:/x.yaml", "DOC009"), ("none.yaml", "DOC001")],
)
def test_modules_stand_below_the_case(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.yaml").write_text(GENERATED)
    case = tmp_path / "in" / "case.yaml"
    case.write_text(f"{HEAD}id: c\nmodel: m\nincludes: [{name}]\n")
    with pytest.raises(DocumentError) as caught:
        load_case(case, name="case.yaml")
    assert (caught.value.problems[0].code, str(caught.value.problems[0].where)) == (code, "case.yaml:4:12")


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.yaml").write_text(GENERATED)
    (tmp_path / "in" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    case = tmp_path / "in" / "case.yaml"
    case.write_text(f"{HEAD}id: c\nmodel: m\nincludes: [link.yaml]\n")
    with pytest.raises(DocumentError, match="outside the folder"):
        load_case(case)


def test_files_are_read_once_and_below_each_other(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "deep.yaml").write_text(GENERATED)
    (tmp_path / "parts" / "mid.yaml").write_text(f"{HEAD}includes: [deep.yaml]\n")
    case = tmp_path / "case.yaml"
    case.write_text(f"{HEAD}includes: [parts/mid.yaml, parts/deep.yaml]\n")
    found = load_case(case, name="cases/case.yaml")
    assert found.case.includes == ("parts/deep.yaml", "parts/mid.yaml")
    assert str(found.where("G1")) == "cases/parts/deep.yaml:8:5"


def test_files_that_include_each_other_are_refused() -> None:
    other = f"{HEAD}includes: [case.yaml]\n"
    with pytest.raises(CaseError, match=r"CAS001: case\.yaml includes this file again"):
        load_case_text(f"{HEAD}includes: [b.yaml]\n", "case.yaml", {"b.yaml": other})


def test_there_are_not_too_many_files() -> None:
    files = {f"m{number}.yaml": f"{HEAD}" for number in range(MAX_FILES)}
    with pytest.raises(DocumentError, match="DOC006"):
        load_case_text(f"{HEAD}id: c\nmodel: m\nincludes: [{', '.join(files)}]\n", "case.yaml", files)


@pytest.mark.parametrize("text", ["- 1\n", HEAD, f"{HEAD}id: c\n"])
def test_a_case_says_what_it_is(text: str) -> None:
    with pytest.raises(DocumentError):
        load_case_text(text)


def test_a_case_is_written_as_it_loads() -> None:
    case = a_case(a_top("E1", why="ends: with, [signs] # and 'quotes'\nand lines"), a_proof())
    text = case_text(case, "Generated.\nDo not edit.")
    assert text.startswith("# Generated.\n# Do not edit.\nschema: tidegate/case/v1\n")
    assert load_case_text(text).case == case
    assert text == case_text(load_case_text(text).case, "Generated.\nDo not edit.")


def test_the_file_for_people_loads_as_it_is() -> None:
    case = a_case(a_top(undeveloped=True), model='m: "1"', title="t")
    text = hand_written_text(case, "gen.yaml", "no")
    assert "Still undeveloped: TOP." in text
    found = load_case_text(text, "case.yaml", {"gen.yaml": case_text(case)}).case
    assert (found.model, found.author, found.nodes, found.title) == ('m: "1"', "no", case.nodes, "t")


def test_a_warrant_of_similarity_can_be_added_by_hand() -> None:
    module = GENERATED + "  - {id: E1, kind: evidence, text: x, cited: {model: other}}\n"
    found = extended("author: alice\nextends: {E1: {similarity: the same weights}}\n", module)
    cited = found.case.by_id["E1"].cited
    assert cited is not None
    assert (cited.model, cited.similarity) == ("other", "the same weights")


def test_there_are_not_too_many_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.case.load.MAX_NODES", 2)
    with pytest.raises(DocumentError, match="more than 2 nodes"):
        extended("")


def test_a_module_that_is_no_yaml_is_refused_where_it_is() -> None:
    with pytest.raises(DocumentError) as caught:
        extended("", "schema: [\n")
    assert (caught.value.problems[0].code, caught.value.problems[0].where.file) == ("DOC004", "gen.yaml")  # type: ignore[union-attr]
