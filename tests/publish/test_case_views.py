# SPDX-License-Identifier: Apache-2.0
"""Views of safety cases: as written down here, valid for the tools that read them, and closed to what texts contain."""

import json
import re
from datetime import date
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tidegate.case.model import Cited, Doubt, MadeFrom, Node, Period, SafetyCase, Watch
from tidegate.policy.model import Line
from tidegate.publish.case_graphs import case_d2, case_mermaid, d2_text, mermaid_text, part_of
from tidegate.publish.case_views import (
    MAX_LEVELS,
    CaseView,
    Shown,
    case_json,
    case_markdown,
    case_schema,
    gsn2x_yaml,
    outline,
    tree_lines,
)
from tidegate.publish.words import clean

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>|`code`\n# heading\r\n[link](javascript:alert(3)) "
    "${x} ...@file %%{init: {'theme': 'x'}}%% \"]; click n0 href \"javascript:x\" --> &amp; &#60; ]]> \x1b[31m\x00 "
    '\u202eodd\u2066 - !!python/object:os.system {a: b} *alias "quote\' \\" \\n http://evil.example $$ %0A ::error::x'
)


def a_case(**changes: Any) -> SafetyCase:
    nodes = changes.pop("nodes", None) or (
        Node(id="G1", kind="claim", text="The model is safe.", supported_by=("S1",), in_context_of=("C1", "A1")),
        Node(
            id="S1",
            kind="strategy",
            text="Over each way to harm",
            supported_by=("G2", "G3"),
            in_context_of=("J1",),
            aggregation="all",
            why="there are two ways",
        ),
        Node(
            id="G2",
            kind="claim",
            text="It cannot plan",
            supported_by=("run", "E2"),
            aggregation="convergent",
            falsifier="60% of tasks solved",
        ),
        Node(id="G3", kind="claim", text="It cannot act", undeveloped=True),
        Node(
            id="run",
            kind="evidence",
            text="3 of 40 tasks",
            in_context_of=("C2",),
            cited=Cited(record="run-1", producer="Lab", produced_on=date(2026, 5, 1), model="m", ends_on=("incident",)),
        ),
        Node(id="E2", kind="evidence", text="No uplift in a trial"),
        Node(id="C1", kind="context", text="General deployment"),
        Node(id="C2", kind="context", text="Run in May"),
        Node(id="A1", kind="assumption", text="As able as attackers", owner="bob", review_on=date(2026, 12, 1)),
        Node(id="J1", kind="justification", text="Experts listed them"),
        Node(id="D1", kind="defeater", text="It held back", challenges=("G2",)),
        Node(
            id="D2",
            kind="defeater",
            text="Wrong tasks",
            challenges=("G2->run", "G1"),
            doubt=Doubt(state="closed", closed_by="eve", closed_record="run-2"),
        ),
        Node(
            id="I1",
            kind="indicator",
            text="Jailbreaks a week",
            monitors=("A1",),
            watch=Watch(metric="jailbreaks", bound=Line(value=3), window="P7D", last=4, last_on=date(2026, 6, 1)),
        ),
    )
    given_ = {
        "id": "m-inability",
        "title": "Case for m",
        "model": "m",
        "thresholds": ("CB-1",),
        "actions": ("general",),
    }
    return SafetyCase.model_validate({**given_, "nodes": nodes, "period": Period(until=date(2026, 12, 1)), **changes})


def a_view(case: SafetyCase | None = None) -> CaseView:
    shown = {
        "G1": Shown(0.1, 0.9, ("suspect: run below it changed",)),
        "G2": Shown(0.4, 0.8),
        "D1": Shown(acts=True),
        "D2": Shown(acts=False),
    }
    return CaseView(case or a_case(), shown, date(2026, 6, 2))


# --- as written down ----------------------------------------------------------------------------------


def test_claims_are_numbered():
    found = {one.node.id: (one.number, one.level) for one in outline(a_case())}
    assert found == {
        "G1": ("1", 0),
        "S1": ("1", 1),
        "G2": ("1.1", 2),
        "run": ("1.1", 3),
        "E2": ("1.1", 3),
        "G3": ("1.2", 2),
    }


def test_a_shared_node_stands_once_and_is_named_again():
    nodes = (
        Node(id="top", kind="claim", supported_by=("a", "b")),
        Node(id="a", kind="claim", supported_by=("both",)),
        Node(id="b", kind="claim", supported_by=("both",)),
        Node(id="both", kind="claim"),
    )
    lines = [(one.node.id, one.number, one.is_again) for one in outline(a_case(nodes=nodes))]
    assert lines == [
        ("top", "1", False),
        ("a", "1.1", False),
        ("both", "1.1.1", False),
        ("b", "1.2", False),
        ("both", "1.1.1", True),
    ]
    assert "    1.1.1 both: see 1.1.1" in list(tree_lines(CaseView(a_case(nodes=nodes))))


def test_circles_and_depth_end():
    ring = (Node(id="a", kind="claim", supported_by=("b",)), Node(id="b", kind="claim", supported_by=("a",)))
    assert [(one.node.id, one.is_again) for one in outline(a_case(nodes=ring))] == [
        ("a", False),
        ("b", False),
        ("a", True),
    ]
    count = 3000
    chain = tuple(
        Node(id=f"n{at}", kind="claim", supported_by=(f"n{at + 1}",) if at + 1 < count else ()) for at in range(count)
    )
    lines = outline(a_case(nodes=chain))
    assert sorted(one.node.id for one in lines if not one.is_again) == sorted(node.id for node in chain)
    assert max(one.number.count(".") for one in lines) == MAX_LEVELS
    assert len(case_markdown(CaseView(a_case(nodes=chain)))) < 1_000_000


def test_markdown():
    assert case_markdown(a_view()).startswith(
        """# Case for m

- Model: m
- Scope: general deployment
- Period: no first day to 2026-12-01
- Thresholds: CB-1
- States: as of 2026-06-02

## Argument

### 1 G1: The model is safe.

Confidence 0.10 to 0.90; suspect: run below it changed.

- context: C1
- assumption: A1
- doubt: D2
- argument S1: Over each way to harm
  - how it suffices: all are needed; there are two ways
  - justification: J1
  - 1.1 G2: It cannot plan (confidence 0.40 to 0.80)
  - 1.2 G3: It cannot act

#### 1.1 G2: It cannot plan

Confidence 0.40 to 0.80.

It would be wrong if: 60% of tasks solved

- doubt: D1, D2
- how it suffices: several lines point to the same
- evidence run: 3 of 40 tasks
  - context: C2
- evidence E2: No uplift in a trial

#### 1.2 G3: It cannot act

## Evidence

- run: 3 of 40 tasks
  - record: run\\-1
""".replace("run\\-1", "run-1")
    )


def test_markdown_lists_particulars():
    text = case_markdown(a_view())
    for line in (
        "  - ended by: incident",
        "  - owner: bob",
        "  - used in: 1 \\(G1\\)",
        "  - on the ground of: run-2",
        "  - breached when: &gt;= 3",
        "  - state: breached",
    ):
        assert line in text.splitlines(), line


def test_what_does_not_exist_is_said():
    case = a_case(nodes=(Node(id="G1", kind="claim", supported_by=("gone",)),))
    assert "- gone, which does not exist" in case_markdown(CaseView(case)).splitlines()


def test_the_head_says_what_is_known():
    made = MadeFrom(policy="p@1", policy_digest="sha256:a", assessment_digest="sha256:b", at=date(2026, 6, 1))
    case = a_case(snapshot="s1", author="ada", made_from=made, period=Period.model_validate({"from": date(2026, 6, 1)}))
    assert case_markdown(CaseView(case)).split("\n\n")[1] == (
        "- Model: m, snapshot s1\n- Scope: general deployment\n- Period: 2026-06-01 to no last day\n"
        "- Thresholds: CB\\-1\n- Answers for it: ada\n- Made from: p&#64;1, assessment sha256:b, as of 2026-06-01"
    ).replace("\\-", "-")
    bare = SafetyCase(id="x", model="m", nodes=(Node(id="E1", kind="evidence"),))
    assert case_markdown(CaseView(bare)).startswith("# x\n\n- Model: m\n\n## Argument\n\n### 1 evidence E1\n")


def test_edges_that_lead_nowhere_are_not_drawn():
    nodes = (
        Node(id="G1", kind="claim", supported_by=("gone",), in_context_of=("gone",)),
        Node(id="D1", kind="defeater", challenges=("gone", "gone->G1")),
        Node(id="I1", kind="indicator", monitors=("gone",)),
    )
    view = CaseView(a_case(nodes=nodes))
    assert "n1" in case_d2(view)
    assert "->" not in case_d2(view)
    assert "<-" not in case_d2(view)
    assert "--" not in case_mermaid(view)
    assert [node.id for node in part_of(view.case, ["G1"]).nodes] == ["G1"]


def test_an_argument_below_an_argument_is_indented():
    nodes = (
        Node(id="G1", kind="claim", supported_by=("S1", "S2")),
        Node(id="S1", kind="strategy", supported_by=("S3",), aggregation="all"),
        Node(id="S2", kind="strategy", supported_by=("S3",), why="it does"),
        Node(id="S3", kind="strategy", aggregation="any", independence="two teams"),
    )
    assert case_markdown(CaseView(a_case(nodes=nodes))).split("\n\n")[4].splitlines() == [
        "- argument S1",
        "  - how it suffices: all are needed",
        "  - argument S3",
        "    - how it suffices: one suffices; independent because two teams",
        "- argument S2",
        "  - how it suffices: it does",
        "  - argument S3: see 1",
    ]


def test_the_tree():
    assert list(tree_lines(a_view()))[:6] == [
        "1 G1: The model is safe.",
        "  [confidence 0.10 to 0.90; suspect: run below it changed]",
        "  - context C1: General deployment",
        "  - assumption A1: As able as attackers",
        "  - doubt D2: Wrong tasks",
        "  argument (all) S1: Over each way to harm",
    ]


def test_mermaid():
    text = case_mermaid(a_view())
    assert text.startswith("flowchart TD\n  %% Case for m\n")
    for line in (
        '  n1[/"S1<br>Over each way to harm<br>#91;all#93;"/]',
        '  n4(("run<br>3 of 40 tasks"))',
        "  n0 --> n1",
        '  n0 -.->|"in context of"| n6',
        '  n2 -.-x|"challenged that run supports it"| n11',
        '  n3o{"open"}',
        "  class n10 doubt",
        "  class n0 looked",
    ):
        assert line in text.splitlines(), line


@pytest.mark.parametrize(
    ("notation", "shape", "arrow"),
    [("gsn", "shape: parallelogram", "n0 -> n1"), ("cae", "shape: rectangle; style.border-radius: 16", "n0 <- n1")],
)
def test_d2(notation, shape, arrow):
    lines = case_d2(a_view(), notation).splitlines()
    assert next(line for line in lines if line.startswith("n1: ")).split("{")[1].startswith(shape)
    assert any(line.startswith(arrow) for line in lines)
    assert any(line.startswith('n2 <- n11: "challenges: that run supports it"') for line in lines)
    assert any("n3-open" in line for line in lines) is (notation == "gsn")


def test_a_part_keeps_what_stands_beside_it():
    part = part_of(a_case(), ["G2"])
    assert [node.id for node in part.nodes] == ["G2", "run", "E2", "C2", "D1"]
    flat = part_of(a_case(), ["G1"], 1)
    assert [node.id for node in flat.nodes] == ["G1", "S1", "C1", "A1", "J1", "I1"]
    assert "n1-open" not in case_d2(CaseView(flat))


def test_json_keeps_the_case_and_fits_its_schema():
    case = a_case()
    data = json.loads(case_json(case))
    assert SafetyCase.model_validate(data) == case
    jsonschema.Draft202012Validator.check_schema(case_schema())
    jsonschema.validate(data, case_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "nodes": [{"id": "G1", "kind": "goal"}]}, case_schema())


# --- gsn2x --------------------------------------------------------------------------------------------

PREFIXES = {"CSn": "CounterSolution", "CG": "CounterGoal", "Sn": "Solution", "G": "Goal", "S": "Strategy"}
PREFIXES |= {"C": "Context", "A": "Assumption", "J": "Justification"}
CONTEXTS = ("Context", "Assumption", "Justification")
KEYS = {
    "text",
    "supportedBy",
    "inContextOf",
    "challenges",
    "undeveloped",
    "defeated",
    "confidence",
    "state",
    "combines",
}


def type_of(name: str) -> str | None:
    return next((kind for prefix, kind in PREFIXES.items() if name.startswith(prefix)), None)


def gsn2x_faults(text: str) -> set[str]:
    """Check the rules that gsn2x documents for its input, as far as they concern what a case can contain."""
    data = yaml.safe_load(text)
    assert set(data.pop("module")) == {"name", "brief"}
    found: set[str] = set()
    used: set[str] = set()
    for name, element in data.items():
        kind = type_of(name)
        assert set(element) <= KEYS
        assert isinstance(element["text"], str)
        if kind is None:
            found.add(f"V01 {name}")
        support, context = element.get("supportedBy", []), element.get("inContextOf", [])
        challenged = [element["challenges"]] if "challenges" in element else []
        if kind in ("Goal", "Strategy") and bool(support) is bool(element.get("undeveloped", False)):
            found.add(f"V02/V03 {name}")
        goals = ("Goal", "Strategy", "Solution")
        allowed = (("CounterGoal", "CounterSolution") if kind == "CounterGoal" else goals, CONTEXTS)
        for targets, kinds in zip((support, context), allowed, strict=True):
            if targets and kind not in ("Goal", "Strategy", "CounterGoal"):
                found.add(f"V04 {name}")
            found |= {f"V04 {name} {one}" for one in targets if type_of(one) not in kinds}
            found |= {f"V05 {name}"} if len(set(targets)) < len(targets) else set()
        if name in (*support, *context, *challenged):
            found.add(f"V06/C13 {name}")
        if challenged and kind not in ("CounterGoal", "CounterSolution"):
            found.add(f"V12 {name}")
        found |= {f"C03 {name} {one}" for one in (*support, *context, *challenged) if one not in data}
        used |= {*support, *context}
    defeated = {name for name, element in data.items() if element.get("defeated")}
    found |= {f"V10 {name}" for name in defeated - {element.get("challenges") for element in data.values()}}
    tops = [name for name, element in data.items() if name not in used and "challenges" not in element]
    if [type_of(name) for name in tops] != ["Goal"]:
        found.add(f"C01/C02 {tops}")
    return found | circles(data)


def circles(data: dict[str, Any]) -> set[str]:
    done: set[str] = set()
    while True:
        new = {name for name, one in data.items() if name not in done and set(one.get("supportedBy", [])) <= done}
        if not new:
            return {f"C04 {name}" for name in data if name not in done}
        done |= new


def test_gsn2x_accepts_a_case():
    text = gsn2x_yaml(a_view())
    assert gsn2x_faults(text) == set()
    data = yaml.safe_load(text)
    assert data["G1"]["inContextOf"] == ["C1", "A1", "C-I1"]
    assert data["G2"]["inContextOf"] == ["C2"], "the context of evidence moves to its claim"
    assert data["G2"]["defeated"] is True
    assert data["CG-D1"] == {
        "text": "It held back",
        "challenges": "G2",
        "undeveloped": True,
        "state": "open; blocks",
    }
    assert data["CG-D2"]["text"] == "Wrong tasks\n(that run supports it)"
    assert data["CG-D2"]["defeated"] is True
    assert data["CSn-D2"] == {"text": "Refuted by run-2", "challenges": "CG-D2"}
    assert "defeated" not in data["G1"]


def test_the_evidence_of_a_doubt_is_no_part_of_the_argument():
    nodes = (
        Node(id="G1", kind="claim", supported_by=("E1", "E2")),
        Node(id="E1", kind="evidence", text="For"),
        Node(id="E2", kind="evidence", text="For and against"),
        Node(id="E3", kind="evidence", text="Against"),
        Node(id="D1", kind="defeater", text="Doubt", supported_by=("E2", "E3"), challenges=("G1",)),
    )
    view = CaseView(a_case(nodes=nodes))
    assert [one.node.id for one in outline(view.case)] == ["G1", "E1", "E2"]
    assert "  - doubt D1: Doubt [rests on E2, E3]" in list(tree_lines(view))
    assert "  - rests on: E2, E3" in case_markdown(view).splitlines()
    text = gsn2x_yaml(view)
    assert gsn2x_faults(text) == set()
    data = yaml.safe_load(text)
    assert data["CG-D1"]["supportedBy"] == ["CSn-E2", "CSn-E3"]
    assert data["CSn-E3"]["text"] == "Against"
    assert set(data) == {"module", "G1", "Sn-E1", "Sn-E2", "CG-D1", "CSn-E2", "CSn-E3"}


def test_a_closing_that_does_not_count_refutes_nothing():
    view = CaseView(a_case(), {"D2": Shown(acts=True)})
    data = yaml.safe_load(gsn2x_yaml(view))
    assert "CSn-D2" not in data
    assert data["G1"]["defeated"] is True


@pytest.mark.parametrize(
    ("node_id", "kind", "name"),
    [
        ("G1", "claim", "G1"),
        ("T/CB-1", "claim", "G-T/CB-1"),
        ("S1", "strategy", "S1"),
        ("Snow", "strategy", "S-Snow"),
        ("CG1", "context", "C-CG1"),
        ("CSn1", "context", "C-CSn1"),
        ("module", "claim", "G-module"),
        ("null", "claim", "G-null"),
    ],
)
def test_names_tell_gsn2x_the_kind(node_id, kind, name):
    support = () if node_id == "top" else (node_id,)
    top = Node(id="Gtop", kind="claim", **{"in_context_of" if kind == "context" else "supported_by": support})
    data = yaml.safe_load(gsn2x_yaml(CaseView(a_case(nodes=(top, Node(id=node_id, kind=kind))))))
    assert set(data) == {"module", "Gtop", name}


def test_names_stay_apart():
    nodes = (
        Node(id="G-x", kind="claim", supported_by=("x",)),
        Node(id="x", kind="claim"),
        Node(id="D", kind="defeater", challenges=("x", "G-x", "G-x->x")),
        Node(id="CG-D_", kind="defeater", challenges=("x",)),
    )
    data = yaml.safe_load(gsn2x_yaml(CaseView(a_case(nodes=nodes))))
    assert len(data) == 1 + 2 + 3 + 1
    assert data["G-x"]["supportedBy"] == ["G-x_"]


def test_what_gsn_has_no_place_for_is_named():
    nodes = (
        Node(id="G1", kind="claim", supported_by=("G1", "C1", "E1"), in_context_of=("E1",)),
        Node(id="C1", kind="context"),
        Node(id="E1", kind="evidence", supported_by=("G1",)),
        Node(id="D1", kind="defeater", challenges=("nobody",)),
    )
    text = gsn2x_yaml(CaseView(a_case(nodes=nodes)))
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# left out: G1 supported by G1",
        "# left out: G1 supported by C1",
        "# left out: G1 in context of E1",
        "# left out: what supports E1: evidence has no support in GSN",
        "# left out: D1 challenges nobody",
    ]
    assert {one for one in gsn2x_faults(text) if not one.startswith("C01")} == set()


def test_the_checker_checks():
    broken = (
        "module: {name: a, brief: b}\nG1: {text: x, supportedBy: [G2, G2, C1, Sn9]}\nG2: {text: y}\nC1: {text: z}\n"
    )
    assert {one.split(" ")[0] for one in gsn2x_faults(broken)} == {"V02/V03", "V04", "V05", "C03", "C04"}


# --- texts from outside -------------------------------------------------------------------------------

TEXTS = st.one_of(st.text(max_size=80), st.sampled_from([HOSTILE, "yes", "0o7", "1e3", "null", "- a", "%%{init}%%"]))


def hostile_case(text: str) -> CaseView:
    """Give a case with `text` wherever a text can stand."""
    nodes = []
    for node in a_case().nodes:
        given_: dict[str, Any] = {"text": text, "why": text, "independence": text, "falsifier": text, "owner": text}
        if node.cited:
            given_["cited"] = node.cited.model_copy(update={"record": text, "producer": text, "similarity": text})
        if node.doubt:
            given_["doubt"] = node.doubt.model_copy(update={"closed_by": text, "closed_record": text})
        nodes.append(node.model_copy(update=given_))
    case = a_case(nodes=tuple(nodes), title=text, model=text, snapshot=text, author=text, thresholds=(text,))
    return CaseView(case, {node.id: Shown(0, 1, (text,)) for node in nodes})


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not attrs, attrs


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_markdown_shows_texts_and_nothing_else(text):
    found = Tags()
    found.feed(
        MarkdownIt("commonmark", {"html": True})
        .enable(["table", "strikethrough"])
        .render(case_markdown(hostile_case(text)))
    )
    assert found.tags <= {"h1", "h2", "h3", "h4", "p", "ul", "li"}


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_yaml_reads_back_what_it_says(text):
    view = hostile_case(text)
    source = gsn2x_yaml(view)
    data = yaml.safe_load(source)
    shown = clean(text or "G1").replace("://", ": //").replace("](", "] (")
    assert data["G1"]["text"] == shown
    assert set(data) == {"module", *(name for name in data if type_of(name))}
    assert gsn2x_faults(source) == set()


def words_of_mermaid(text: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found.group(1))), text)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_mermaid_labels_hold_everything(text):
    view = hostile_case(text)
    source = case_mermaid(view)
    assert "%%{" not in source
    line = re.compile(r'  n\d+[\[(/]+"([^"<>`{}]|<br>)*"[\])/]+|  n\d+ \S+(\|"([^"<>`{}]|<br>)*"\|)? n\d+|'
                      r'  n\d+o\{"open"\}|  n\d+ --- n\d+o|  class(Def)? [\w,]+ \S+')  # fmt: skip
    assert all(line.fullmatch(one) for one in source.splitlines()[2:])
    assert source.splitlines()[1].startswith("  %% ")
    assert len(source.splitlines()) == len(case_mermaid(a_view(view.case)).splitlines())
    assert words_of_mermaid(mermaid_text(["a<b>&#c"])) == "a<b>&#c"


@settings(max_examples=60, deadline=None)
@given(TEXTS)
@pytest.mark.parametrize("notation", ["gsn", "cae"])
def test_d2_labels_hold_everything(notation, text):
    source = case_d2(hostile_case(text), notation)
    outside = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', source.split("\n", 1)[1])
    assert not set(outside) & set("$@<>`'|\\") - {"<", ">"}
    assert re.fullmatch(r"[\w\s:;{}\"<>.-]*", outside), outside
    assert "\n" not in source.split("\n")[0]
    assert "${" not in d2_text([text]).replace("\\$", "")


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_the_tree_has_no_control_characters(text):
    for line in tree_lines(hostile_case(text)):
        assert "\n" not in line
        assert clean(line) == line
