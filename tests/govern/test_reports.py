# SPDX-License-Identifier: Apache-2.0
"""Reports: complete, recomputable, with every figure from a record, and final only when nothing is missing."""

import re
from collections.abc import Callable
from importlib import resources
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import a_count, a_record
from reporting import (
    AT,
    CAPABILITY_TEXT,
    SAFEGUARDS_TEXT,
    a_basis,
    a_house_policy,
    a_report,
    a_text,
    the_records,
)
from tidegate.assess import assess
from tidegate.assess.governed import Governed
from tidegate.evidence.about import evidence_about, models_about
from tidegate.evidence.model import Bound, PrintedLine, Remark, Restatement, ThreatAnswer
from tidegate.flow.demo import STATE_OF_RECORD, _make_project
from tidegate.flow.evidence import import_files
from tidegate.flow.world import World
from tidegate.govern.basis import Basis, seen_by
from tidegate.govern.critiques import Critique, Point, critique_problems, read_critique
from tidegate.govern.report_building import Asked, citable, elicited_with, expires_on, make_report
from tidegate.govern.report_checks import final_problems, text_problems, wanted
from tidegate.govern.report_text import REQUIRED, Claim, cited_in, claims, pieces, skeleton
from tidegate.govern.reports import Report, read_report
from tidegate.kernel.clock import fixed_clock
from tidegate.kernel.documents import parse_document
from tidegate.kernel.errors import AssessError, Problem, ReportError
from tidegate.policy.load import load_pack
from tidegate.policy.model import Policy
from tidegate.store.project import Project

# --- a report as data --------------------------------------------------------------------------------


def problems_of(source: str, basis: Basis | None = None, kind: Any = "capability") -> tuple[Problem, ...]:
    chosen = basis or a_basis()
    text, places = a_text(source)
    report = make_report(chosen, Asked(kind, "m", AT), text)
    return final_problems(report, chosen.policy, places, citable(report, chosen))


@pytest.mark.parametrize("kind", ["capability", "safeguards"])
def test_the_same_input_in_any_order_gives_the_same_bytes(kind: str) -> None:
    one = a_report(kind=kind)
    basis = a_basis()
    shuffled = Basis(
        basis.policy,
        basis.models[::-1],
        basis.evidence.model_copy(update={"records": basis.evidence.records[::-1]}),
    )
    assert a_report(shuffled, kind=kind).data == one.data
    assert read_report(one.data) == one
    assert read_report(one.data).data == one.data
    assert re.fullmatch(rf"{kind}-m-s2-[0-9a-f]{{8}}", one.id)
    assert one.id.endswith(one.digest.removeprefix("sha256:")[:8])
    assert b'"schema":"tidegate/report/v1"' in one.data


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b" ",
        lambda data: data.replace(b'"author"', b'"writer"', 1) if b'"author"' in data else data + b"\n",
        lambda _: b"[]",
        lambda _: b"\xff",
        lambda _: b"[" * 100_000,
    ],
    ids=["cut", "longer", "renamed", "list", "not text", "deep"],
)
def test_changed_bytes_are_no_report(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ReportError) as refused:
        read_report(change(a_report(author="ada").data))
    assert refused.value.problems[0].code == "REP003"


def test_a_report_rests_on_what_a_decision_rests_on() -> None:
    basis, report = a_basis(), a_report()
    seen = seen_by(basis)("m", None, AT)
    assert seen is not None
    assert (report.policy_digest, report.evidence_digest, report.models_digest) == (
        seen.policy_digest,
        seen.evidence_digest,
        seen.model_digest,
    )
    assert (report.assessment_digest, report.findings_digest) == (seen.assessment_digest, seen.findings_digest)
    assert report.snapshot == seen.snapshot == "s2"
    part = evidence_about(basis.evidence, basis.models, "m")
    about = models_about(basis.models, basis.evidence, "m")
    made = assess(basis.policy, part, about, AT, only=["m"], governed=Governed())
    assert report.assessment_digest == made.digest


def test_every_record_is_whole_and_none_is_about_another_model() -> None:
    report = a_report()
    recorded = {one.id: one for one in the_records()}
    assert [one.id for one in report.records] == ["net-1", "net-2", "other-1"]
    assert all(one == recorded[one.id] for one in report.records)
    assert {one.id for one in a_report(kind="safeguards").records} == {"attack-1", "review-1"}


def test_what_was_learned_later_is_not_in_it() -> None:
    later = a_record("net-3", a_count(90, 100, "Range"), snapshot="s2", finished="2026-07-01")
    assert a_report(a_basis(later)).record("net-3") is None
    assert a_report(a_basis(later)).threshold("NET").finding == "ruled_out"  # type: ignore[union-attr]


def test_a_threshold_tells_everything() -> None:
    report = a_report()
    net = report.threshold("NET")
    assert net is not None
    assert net.finding == "ruled_out"
    assert net.load_bearing == ("net-1",)
    assert [one.id for one in net.threat_models] == ["small-firm"]
    assert net.indicators[0].elicitation == ("tools", "chain_of_thought")
    assert [reading.evidence for reading in net.indicators[0].readings] == ["net-1", "net-2"]
    assert net.alerts[0].state == "crossed"
    assert any("42 of 100" in words for words in net.changes)
    assert {(gap.kind, gap.about, gap.evidence) for gap in report.gaps} == {
        ("elicitation", "NET", "net-2"),
        ("set_aside", "NET", "net-2"),
        ("no_evidence", "BIO", None),
    }


def test_a_rule_out_by_another_model_shows_the_records_of_that_model() -> None:
    bound = Bound(model="m", by="n", reason="smaller")
    trial = a_record("trial-n", a_count(0, 100, "Uplift trial"), model="n")
    report = a_report(a_basis(trial, bounds=(bound,)))
    bio = report.threshold("BIO")
    assert bio is not None
    assert (bio.finding, bio.by, bio.load_bearing) == ("ruled_out", "n", ("trial-n",))
    assert report.record("trial-n") is not None


@pytest.mark.parametrize("name", ["gone", "m@gone"])
def test_what_is_not_known_cannot_be_reported(name: str) -> None:
    model, _, snapshot = name.partition("@")
    with pytest.raises(AssessError):
        make_report(a_basis(), Asked("capability", model, AT, snapshot or None))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("published") / "project"
    _make_project(root)
    world = World(root, fixed_clock(STATE_OF_RECORD))
    with resources.as_file(resources.files("tidegate.packs")) as packs:
        import_files(world, sorted((packs / "published").glob("*.yaml")))
    return world.project()


@pytest.mark.parametrize(
    ("pack", "model"),
    [("rsp-v2.2", "claude-opus-4-5"), ("gdm-fsf-v3.1", "gemini-2-5-pro"), ("meta-aasf-v2", "openai-o3")],
)
def test_published_figures_make_a_report_that_holds_all_that_it_shows(
    published: Project, pack: str, model: str
) -> None:
    basis = Basis(load_pack(pack).policy, published.models, published.evidence)
    for kind in ("capability", "safeguards"):
        report = make_report(basis, Asked(cast(Any, kind), model, STATE_OF_RECORD))
        assert read_report(report.data) == report
        held = {one.id for one in report.records}
        shown = {gap.evidence for gap in report.gaps if gap.evidence is not None}
        for one in report.thresholds:
            shown |= {*one.load_bearing, *(record.evidence for record in one.unread)}
            shown |= {reading.evidence for indicator in one.indicators for reading in indicator.readings}
        assert shown <= held
        made = assess(basis.policy, basis.evidence, basis.models, STATE_OF_RECORD, only=[model]).models[0]
        assert {one.threshold: one.finding for one in report.thresholds} == {
            one.threshold: one.finding for one in made.thresholds
        }
        assert skeleton(wanted(report)).count("margin:") == (
            sum(one.is_ruled_out for one in made.thresholds) if kind == "capability" else 0
        )


# --- safeguards --------------------------------------------------------------------------------------


def test_safeguards_tell_state_evidence_bound_and_expiry() -> None:
    report = a_report(kind="safeguards")
    states = {one.requirement: (one.threshold, one.state, one.is_due) for one in report.requirements}
    assert states == {"NET-deploy": ("NET", "met", False), "BIO-halt": ("BIO", "not_met", True)}
    robust, review = report.criteria
    need = robust.needs[0]
    assert (robust.state, need.kind, need.metric) == ("met", "red_team", "attack success")
    # Exact one-sided bound at 95% of 1 of 200, from a table of Clopper and Pearson.
    assert need.checks[0].bound == pytest.approx(0.02350, abs=5e-5)
    assert need.checks[0].expires is not None
    assert need.checks[0].expires.isoformat() == "2026-09-01"
    assert review.needs[0].checks[0].expires is None
    assert [(gap.kind, gap.about) for gap in report.gaps] == [("requirement", "BIO-halt")]


def test_what_expired_is_a_gap_once_it_is_due() -> None:
    late = a_basis(without="net-1", policy=a_house_policy())
    report = make_report(late, Asked("safeguards", "m", AT.replace(month=10)), a_text(SAFEGUARDS_TEXT)[0])
    assert {(gap.kind, gap.about) for gap in report.gaps} == {
        ("criterion", "GUARD.robust"),
        ("requirement", "BIO-halt"),
    }
    assert next(one for one in report.requirements if one.requirement == "NET-deploy").state == "expired"


def test_elicitation_follows_the_variant_and_what_is_said_to_be_absent() -> None:
    record = a_record("r")
    subject = record.subject.model_copy(update={"variant": "helpful_only"})
    made = record.model_copy(
        update={
            "subject": subject,
            "elicitation": record.elicitation.model_copy(update={"elements": ("tools",), "absent": ("tools",)}),
        }
    )
    assert elicited_with(made) == ("helpful_only",)
    tuned = made.model_copy(update={"subject": subject.model_copy(update={"variant": "fine_tuned"})})
    assert elicited_with(tuned) == ("fine_tuning",)


def test_a_record_expires_on_the_first_of_its_ends() -> None:
    record = a_record("r", finished="2026-01-31", valid_until=AT)
    assert str(expires_on(record, "P1M")) == "2026-02-28"
    assert expires_on(record, None) == AT
    assert expires_on(record.model_copy(update={"valid_until": None}), None) is None


# --- what stands in the way --------------------------------------------------------------------------


def test_a_complete_text_has_nothing_in_its_way() -> None:
    assert problems_of(CAPABILITY_TEXT) == ()
    assert problems_of(SAFEGUARDS_TEXT, kind="safeguards") == ()


def without_line(start: str, source: str = CAPABILITY_TEXT) -> str:
    lines = source.splitlines(keepends=True)
    kept = [line for line in lines if not line.strip().startswith(start)]
    assert len(kept) < len(lines)
    return "".join(kept)


TEXT_CASES: list[tuple[str, str, str, str]] = [
    ("forecast", without_line("forecast"), "the forecast is missing", "text.yaml:1:1"),
    (
        "empty",
        CAPABILITY_TEXT.replace("forecast: Tools may add 10% until autumn.", "forecast: ''"),
        "forecast is",
        ":6:1",
    ),
    ("null", CAPABILITY_TEXT.replace("forecast: Tools may add 10% until autumn.", "forecast:"), "forecast is", ":6:1"),
    ("risk", without_line("residual_risk"), "the residual risk is missing", "text.yaml:1:1"),
    ("margin", without_line("margin"), "nothing says why the distance to its line is enough", "text.yaml:13:5"),
    ("blank margin", CAPABILITY_TEXT.replace("margin: The", "margin: '  ' # The"), "why the distance", ":14:5"),
    ("answer", without_line("contamination"), "NET: contamination is not answered", "text.yaml:15:5"),
    ("null list", CAPABILITY_TEXT.partition("reviews:")[0] + "reviews:\n", "nothing is said of reviewers", ":19:1"),
    ("reviews", CAPABILITY_TEXT.partition("reviews:")[0], "nothing is said of reviewers", "text.yaml:1:1"),
    (
        "empty review",
        re.sub(r"text: We would.*", "text: ''", CAPABILITY_TEXT),
        "the review by Outside Lab is empty",
        "text.yaml:22:5",
    ),
    (
        "citation",
        CAPABILITY_TEXT.replace("on {net-1}", "on {net-9}"),
        "cites {net-9}, and there is no",
        "text.yaml:7:1",
    ),
    ("other model", CAPABILITY_TEXT.replace("on {net-1}", "on {n-1}"), "{n-1}, which is about another model", ":7:1"),
    ("bare", CAPABILITY_TEXT.replace("guard in place.", "guard at 3%."), "says '3%' and cites no record", ":7:1"),
    ("wrong", CAPABILITY_TEXT.replace("was 5.0%", "was 6.1%"), "'6.1%', which none of net-1 holds", "text.yaml:11:1"),
    ("wrong forecast", CAPABILITY_TEXT.replace("add 10%", "add 44% {net-1}"), "'44%', which none", "text.yaml:6:1"),
    ("threshold", CAPABILITY_TEXT.replace("id: BIO", "id: BOI"), "the policy has no threshold 'BOI'", "text.yaml:17:5"),
    ("twice", CAPABILITY_TEXT.replace("id: BIO", "id: NET"), "the threshold 'NET' occurs twice", "text.yaml:17:5"),
    ("kind", CAPABILITY_TEXT.replace("kind: cap", "kind: safeguards #"), "about the kind 'safeguards'", ":2:1"),
    ("model", CAPABILITY_TEXT.replace("model: m", "model: n"), "about the model 'n'", "text.yaml:3:1"),
    ("snapshot", CAPABILITY_TEXT.replace("snapshot: s2", "snapshot: s1"), "about the snapshot 's1'", "text.yaml:4:1"),
]


@pytest.mark.parametrize(
    ("source", "words", "place"), [case[1:] for case in TEXT_CASES], ids=[c[0] for c in TEXT_CASES]
)
def test_each_thing_missing_is_named_with_its_place(source: str, words: str, place: str) -> None:
    (problem,) = problems_of(source)
    assert (problem.code, problem.severity) == ("REP001", "error")
    assert words in problem.message
    assert str(problem.where).endswith(place)
    assert problem.hint or "cites" in words


@pytest.mark.parametrize("name", REQUIRED["safeguards"])
def test_each_part_of_a_safeguards_report_is_needed(name: str) -> None:
    (problem,) = problems_of(without_line(f"{name}:", SAFEGUARDS_TEXT), kind="safeguards")
    assert name.replace("_", " ") in problem.message


def test_everything_that_is_missing_is_said_at_once() -> None:
    empty = "kind: capability\nmodel: m\n"
    found = [one.message for one in problems_of(empty)]
    assert len(found) == 6
    assert sum("missing" in one for one in found) == 3


def changed_policy(**changes: Any) -> Policy:
    policy = a_house_policy()
    net = policy.threshold("NET")
    assert net is not None
    made = net.model_copy(update=changes)
    others = tuple(one for one in policy.thresholds if one.id != "NET")
    return policy.model_copy(update={"thresholds": (made, *others)})


def test_not_established_is_an_answer() -> None:
    source = re.sub(r"margin: .*", "margin: not established", CAPABILITY_TEXT)
    assert problems_of(source) == ()


def test_a_threshold_without_a_threat_model_where_its_domain_has_one() -> None:
    (problem,) = problems_of(CAPABILITY_TEXT, a_basis(policy=changed_policy(threat_models=())))
    assert "NET is mapped to no threat model" in problem.message
    assert str(problem.where) == "policy.yaml:1:3"


def test_a_record_that_names_a_threshold_and_meets_no_rule() -> None:
    stray = a_record("stray", a_count(1, 9, "Elsewhere"), thresholds=("house#NET",))
    (problem,) = problems_of(CAPABILITY_TEXT, a_basis(stray))
    assert (problem.code, problem.message) == ("REP001", "NET: stray names it, and no rule reads it")


def test_what_is_only_watched_has_no_line_to_be_read_by() -> None:
    stray = a_record("stray", a_count(1, 9, "Elsewhere"), thresholds=("house#NET",))
    policy = changed_policy(kind="watch", indicators=())
    source = without_line("contamination", without_line("answers:", without_line("margin")))
    basis = a_basis(stray, policy=policy)
    assert a_report(basis, source).threshold("NET").unread  # type: ignore[union-attr]
    assert problems_of(source, basis) == ()


def test_an_importer_that_objects() -> None:
    spoilt = a_record(
        "spoilt",
        a_count(1, 90, "Range"),
        snapshot="s2",
        remarks=(Remark(code="EVI008", message="half is missing", blocks_rule_out=True),),
    )
    (problem,) = problems_of(CAPABILITY_TEXT, a_basis(spoilt))
    assert problem.message == "NET: the importer objects to spoilt: EVI008: half is missing"
    taken_back = Restatement(supersedes="spoilt", reason="retracted", approved_by=("lead",))
    assert problems_of(CAPABILITY_TEXT, a_basis(spoilt, restatements=(taken_back,))) == ()


def test_a_threat_found_in_a_record_has_to_be_answered() -> None:
    aware = a_record(
        "aware",
        a_count(1, 90, "Uplift trial"),
        snapshot="s2",
        threats=(ThreatAnswer(threat="evaluation_awareness", status="present", reason="it says so"),),
    )
    (problem,) = problems_of(CAPABILITY_TEXT, a_basis(aware))
    assert problem.message == "BIO: evaluation awareness is not answered"


def test_a_rule_out_by_a_checkpoint_needs_its_own_falsifier() -> None:
    policy = changed_policy(rules_out=("BIO",), kind="checkpoint")
    bio = policy.thresholds[1].model_copy(update={"falsifier": None, "indicators": ()})
    bare = policy.model_copy(update={"thresholds": (policy.thresholds[0], bio)})
    source = CAPABILITY_TEXT.replace("    remarks: Not", "    margin: Not")
    locked = bare.model_copy(
        update={
            "locks": tuple(one.model_copy(update={"digest": bare.thresholds[0].decision_digest}) for one in bare.locks)
        }
    )
    problems = problems_of(source, a_basis(policy=locked))
    assert [(one.code, str(one.where)) for one in problems] == [("REP002", "policy.yaml:1:3")]
    stated = bio.model_copy(update={"falsifier": "A trial that finds uplift."})
    complete = locked.model_copy(update={"thresholds": (locked.thresholds[0], stated)})
    assert problems_of(source, a_basis(policy=complete)) == ()


def flagged(report: Report, flag: str) -> Report:
    """Give a report whose bearing record was read by a rule with this flag, as a faulty program might."""
    net = report.thresholds[0]
    indicator = net.indicators[0]
    readings = tuple(
        one.model_copy(update={"flags": (*one.flags, flag)}) if one.supports else one for one in indicator.readings
    )
    changed = net.model_copy(update={"indicators": (indicator.model_copy(update={"readings": readings}),)})
    return report.model_copy(update={"thresholds": (changed, *report.thresholds[1:])})


@pytest.mark.parametrize("flag", ["rule_not_locked", "rule_locked_after_result", "line_disclosed_with_result"])
@pytest.mark.parametrize("preregistration", ["required", "flagged"])
def test_a_rule_out_on_a_rule_that_was_not_fixed_before(flag: str, preregistration: str) -> None:
    basis = a_basis()
    policy = basis.policy.model_copy(update={"preregistration": preregistration})
    text, places = a_text(CAPABILITY_TEXT)
    report = flagged(make_report(basis, Asked("capability", "m", AT), text), flag)
    problems = final_problems(report, policy, places, citable(report, basis))
    assert len(problems) == (preregistration == "required")
    assert all(flag.replace("_", " ") in one.message for one in problems)


# --- the skeleton ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["capability", "safeguards"])
def test_a_skeleton_names_every_part_and_leaves_it_empty(kind: str) -> None:
    source = skeleton(wanted(a_report(source=f"kind: {kind}\nmodel: m\n", kind=kind)))
    text, places = a_text(source)
    basis = a_basis()
    report = make_report(basis, Asked(text.kind, "m", AT), text)
    assert text_problems(report, places, citable(report, basis)) == ()
    problems = final_problems(report, basis.policy, places, citable(report, basis))
    assert len(problems) == {"capability": 6, "safeguards": 5}[kind]
    lines = source.splitlines()
    for problem in problems:
        assert problem.where is not None
        assert problem.where.line is not None
        shown = lines[problem.where.line - 1]
        assert shown.endswith(('""', "[]")), "it points at a part that is left empty"
    filled = source.replace('""', "Words.").replace("reviews: []", "reviews: [{by: X, text: Fine.}]")
    assert problems_of(filled, kind=kind) == ()


@pytest.mark.parametrize("name", ["on", "1.0", "a: b", "x#y", "'", "Ünïcode", "null", "vendor/m-1", "a\nb", "~"])
def test_a_skeleton_reads_back_whatever_the_model_is_called(name: str) -> None:
    made = wanted(a_report())
    text, _ = a_text(skeleton(type(made)(made.kind, name, name, made.margins, made.answers)))
    assert (text.model, text.snapshot) == (name, name)


# --- citations and numbers ---------------------------------------------------------------------------


@given(st.lists(st.text(alphabet="ab {}-1", max_size=6), max_size=6).map("".join))
def test_pieces_lose_nothing(words: str) -> None:
    shown = "".join(f"{{{one.words}}}" if one.is_citation else one.words for one in pieces(words))
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", words)
    assert cited_in(words) == tuple(dict.fromkeys(one.words for one in pieces(words) if one.is_citation))


CLAIMS = [
    ("It solves 12% of tasks.", ["12%"]),
    ("It solves 12.5 percent, or .5 per cent less.", ["12.5 percent", ".5 per cent"]),
    ("An accuracy of 0.35, up from 0.3", ["0.35", "0.3"]),
    ("1,234.5 points", ["1,234.5"]),
    ("3.5x uplift", ["3.5"]),
    ("Seven of 40, four times, 2026-05-14, 14.05.2026", []),
    ("rsp-v2.2, v3.4, version 3.4, section 2.1, sections 2.1, § 5.2, table 3.1", []),
    ("`gpt-5.2` and `99%`", []),
    ("Claude Opus 4.5 and opus 4.5 do", []),
    ("see 192.168.0.1 or 1.2.3", []),
    ("99% {r1}", ["99%"]),
    ("{run-0.5} and {99%}", []),
    ("(40%)", ["40%"]),
    ("~40%, >40%, ±2.5", ["40%", "40%", "2.5"]),
]


@pytest.mark.parametrize(("words", "expected"), CLAIMS)
def test_numbers_that_read_as_results(words: str, expected: list[str]) -> None:
    assert [one.shown.strip() for one in claims(words, ["Opus 4.5", "m", "a"])] == expected


@given(
    st.floats(0, 1).map(lambda value: round(value, 6)),
    st.integers(0, 4),
    st.booleans(),
)
def test_a_figure_as_it_is_printed_is_recognised(value: float, decimals: int, is_percent: bool) -> None:
    shown = f"{value * 100:.{decimals}f}%" if is_percent else f"{value:.{max(decimals, 1)}f}"
    (claim,) = claims(f"It is {shown} now")
    assert claim.is_from([value])
    assert claim.is_from([0.5, value * 100]), "a figure in percent is recognised too"


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_another_figure_is_not(one: int, other: int) -> None:
    claim = Claim(f"{one / 10}%", one / 10, is_percent=True, decimals=1)
    near = [abs(one / 10 - scale * other / 1000) <= 0.05 + 1e-9 for scale in (1, 100)]
    assert claim.is_from([other / 1000]) == any(near)


def test_reviewers_are_quoted_as_they_spoke() -> None:
    source = CAPABILITY_TEXT.replace("we saw 7% ourselves", "we saw 77.7%, 88% {net-1}")
    assert problems_of(source) == ()


def test_a_printed_line_may_be_cited() -> None:
    printed = a_record("printed", a_count(1, 9, "Elsewhere"), line=PrintedLine(value=0.77, crossed_when=">="))
    source = CAPABILITY_TEXT.replace("scope: Four", "scope: Line at 77% {printed}. Four")
    assert problems_of(source, a_basis(printed)) == ()


def test_bounds_that_were_computed_may_be_cited() -> None:
    # 10.2% is the exact bound of 5 of 100, which stands in no record.
    basis = a_basis()
    found = citable(a_report(basis), basis).figures["net-1"]
    assert any(abs(one - 0.1023) < 5e-5 for one in found)


# --- critiques ---------------------------------------------------------------------------------------


def test_a_critique_names_only_what_the_report_has() -> None:
    source = (
        "independence: Paid by nobody here.\n"
        "points:\n"
        "  - {severity: major, text: Too small., thresholds: [NET], records: [net-1]}\n"
        "  - severity: minor\n"
        "    text: And this?\n"
        "    thresholds: [NTE]\n"
        "    records: [net-1, net-9]\n"
    )
    document = parse_document(source, "critique.yaml")
    found = list(critique_problems(Critique.model_validate(document.data), a_report(), document))
    assert [(one.code, one.message, str(one.where)) for one in found] == [
        ("REP003", "point 2: the report has no threshold 'NTE'", "critique.yaml:6:18"),
        ("REP003", "point 2: the report has no record 'net-9'", "critique.yaml:7:22"),
    ]


def test_a_critique_is_known_by_its_bytes() -> None:
    point = Point(severity="blocking", text="No.")
    made = Critique(report="r", report_document="sha256:0", independence="None needed.", points=(point,))
    assert read_critique(made.data) == made
    assert made.id == f"critique-{made.digest[7:19]}"
    for data in (made.data[:-1], made.data + b" ", b"{}"):
        with pytest.raises(ReportError) as refused:
            read_critique(data)
        assert refused.value.problems[0].code == "REP003"
