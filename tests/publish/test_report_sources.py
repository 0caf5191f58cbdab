# SPDX-License-Identifier: Apache-2.0
"""Sources of reports: they say what the records hold, and name what is missing."""

import json
import re
from dataclasses import replace
from datetime import date
from importlib import resources

import pytest
import yaml

from factories import a_conclusion, a_count, a_model, a_policy, a_record, a_set, a_threshold, an_indicator
from published import PAGE, model_m, published_content, the_content
from tidegate.assess import assess
from tidegate.evidence.formats import import_file
from tidegate.evidence.importing import Declared
from tidegate.evidence.model import Evidence, Provenance, Subject
from tidegate.evidence.models import Model, Snapshot
from tidegate.kernel.documents import parse_document
from tidegate.obligations.model import Duty, Rule
from tidegate.policy.frameworks import shipped_frameworks
from tidegate.policy.load import load_policy_text
from tidegate.policy.model import Requirement, SecurityLevel, ThreatModel
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.inventory import Inventory
from tidegate.publish.practices import ModelPage, Publication, Statement
from tidegate.publish.printing import printed
from tidegate.publish.report_blocks import Grid, Listing, Paragraph, Said
from tidegate.publish.report_filling import check_items, fill, find_template, parse_template
from tidegate.publish.report_sources import SOURCES

MINE = (
    "frontier-framework",
    "eu-framework",
    "eu-model-report",
    "risk-report",
    "system-card",
    "capability-summary",
    "safeguards-summary",
)
PROMISED = [
    "model.description",
    "model.languages",
    "model.inputs",
    "model.outputs",
    "model.licence",
    "model.intended_uses",
    "model.restrictions",
    "model.limits",
    "model.behaviour",
    "model.safeguards",
    "model.training_data",
    "model.released",
    "model.knowledge_cutoff",
    "organisation.website",
    "model.website",
    "organisation.contact",
    "policy.thresholds",
    "policy.mitigations",
    "policy.review",
    "policy.third_parties",
    "policy.triggers",
    "policy.security",
    "policy.incidents",
    "policy.governance",
    "policy.internal_use",
    "policy.standards",
    "policy.changes",
    "assessment.risks",
    "assessment.results",
    "assessment.evaluations",
    "assessment.third_parties",
    "assessment.steps",
    "assessment.margins",
    "assessment.outlook",
    "threat_models",
    "mitigations",
    "residual_risk",
    "deviations",
    "decisions",
    "external_reports",
    "cases",
    "incidents.counts",
    "noncompliance.counts",
    "redactions",
    "duties.open",
    "proofs",
]


def words(blocks) -> str:
    """Give everything that stands in blocks, as one text."""
    found: list[str] = []

    def cell(runs) -> str:
        return "".join(run if isinstance(run, str) else f"[{run[0]}]" for run in runs)

    for block in blocks:
        match block:
            case Paragraph():
                found.append(cell(block.words))
            case Said():
                found += [block.heading, *map(cell, block.paragraphs)]
            case Listing():
                found += [block.heading, *map(cell, block.lines)]
            case Grid():
                found += [block.caption, *block.heads, *(cell(one) for row in block.rows for one in row)]
    return "\n".join(found)


def bare() -> Content:
    """A policy, a model and nothing else."""
    model = a_model("m")
    made = assess(a_policy(), a_set(), [model], date(2026, 6, 1))
    content = the_content()
    return Content(
        organisation="Lab",
        at=date(2026, 6, 1),
        policy=a_policy(),
        publication=Publication(),
        sections=content.sections,
        crosswalk=content.crosswalk,
        models=(PublishedModel(model, made.models[0]),),
    )


# --- all sources -----------------------------------------------------------------------------------------


def test_every_promised_source_is_there():
    assert set(PROMISED) <= set(SOURCES)


@pytest.mark.parametrize("about", ["model", "organisation"])
@pytest.mark.parametrize("name", SOURCES)
def test_a_source_is_pure_plain_and_cites_what_exists(name, about):
    content = the_content()
    model = model_m(content) if about == "model" else None
    filling = SOURCES[name](content, model)
    if filling is None:
        assert name.startswith("model.") or name in ("policy.scope", "safeguards.criteria")
        return
    assert filling.blocks
    assert json.loads(json.dumps(filling.data, allow_nan=False)) == filling.data
    assert all(content.inventory.find(ref) is not None for ref in filling.refs)
    assert filling.as_of is not None
    assert filling.as_of <= content.at
    assert SOURCES[name](content, model) == filling


NOTHING = {
    *(name for name in SOURCES if name.startswith(("report.", "safeguards.", "incidents", "noncompliance"))),
    *(f"model.{one}" for one in ("description", "languages", "limits", "licence", "released", "versions", "website")),
    "assessment.evaluations",
    "assessment.samples",
    "assessment.third_parties",
    "assessment.outlook",
    "assessment.margins",
    "policy.review",
    "policy.triggers",
    "policy.security",
    "policy.changes",
    "policy.standards",
    "threat_models",
    "mitigation_effects",
    "decisions",
    "cases",
    "external_reports",
    "proofs",
    "changes",
    "commitments",
} - {"safeguards.criteria"}


@pytest.mark.parametrize("name", sorted(NOTHING))
def test_where_no_record_holds_anything_a_source_says_nothing(name):
    content = bare()
    filling = SOURCES[name](content, content.models[0])
    assert filling is None or (not filling.blocks and filling.lacks)


# --- figures ---------------------------------------------------------------------------------------------


def test_a_result_has_the_figures_of_its_record():
    content = the_content()
    filling = SOURCES["assessment.results"](content, model_m(content))
    net = next(one for one in filling.data if one["threshold"] == "NET")
    assert net["finding"] == "ruled_out"
    assert net["load_bearing"] == ["net-1"]
    figure = next(one for one in net["figures"] if one["evidence"] == "net-1")
    record = content.evidence["net-1"].measurement
    assert (figure["value"], figure["n"]) == (record.value, record.n) == (0.05, 100)
    assert figure["line"] == {"value": 0.5, "crossed_when": ">="}
    assert figure["distance"] == pytest.approx(0.5 - 0.05)
    assert figure["interval"]["high"] == 0.1
    assert 0.05 < figure["bound"] < 0.5
    set_aside = next(one for one in net["figures"] if one["evidence"] == "net-2")
    assert "under_elicited" in set_aside["set_aside"]
    assert filling.refs == ("assessment:m", "evidence:net-1")
    text = words(filling.blocks)
    assert "0.05, 5 of 100, 0.02 to 0.1 (95% confidence)" in text
    assert "0.45 to the line" in text
    assert "BIO Helps with pathogens" in text


def test_printed_figures_are_those_of_the_pack():
    """The oracle reads the pack of a real model by itself."""
    content = published_content()
    pack = resources.files("tidegate.packs") / "published" / "claude-opus-4.yaml"
    printed_figures = yaml.safe_load(pack.read_text(encoding="utf-8"))["figures"]
    filling = SOURCES["assessment.evaluations"](content, content.models[0])
    shown = {one["evidence"]: one for one in filling.data}
    tested = {one["evidence"] for one in SOURCES["mitigation_effects"](content, content.models[0]).data}
    numbered = [one for one in printed_figures if isinstance(one.get("value"), int | float)]
    assert len(numbered) > 10
    assert tested.isdisjoint(shown)
    for one in numbered:
        name = one["id"] if str(one["id"]).startswith("claude") else f"claude-opus-4.{one['id']}"
        if name not in tested:
            found = shown[name]
            assert (found["evaluation"], found["metric"], found["unit"]) == (one["eval"], one["metric"], one["unit"])
            assert found["value"] == pytest.approx(one["value"])
            assert found["n"] == (one["n"]["value"] if one.get("n") else None)


def test_the_bundled_run_becomes_a_result():
    packs = resources.files("tidegate.packs") / "demo"
    policy = load_policy_text((packs / "house" / "policy.yaml").read_text(encoding="utf-8")).policy
    with resources.as_file(packs / "runs" / "stand-in-mostly-wrong.eval") as path:
        evidence = import_file(path, declared=Declared(model="adder")).evidence
    model = Model(id="adder", name="Adder", snapshots=(Snapshot(id="adder-1"),))
    made = assess(policy, evidence, [model], date(2026, 11, 21))
    content = replace(
        bare(),
        policy=policy,
        at=date(2026, 11, 21),
        evidence={one.id: one for one in evidence.records},
        models=(PublishedModel(model, made.models[0]),),
    )
    results = SOURCES["assessment.results"](content, content.models[0])
    (found,) = results.data
    assert (found["threshold"], found["finding"]) == ("ADD-1", "ruled_out")
    (figure,) = found["figures"]
    assert figure["value"] == pytest.approx(evidence.records[0].measurement.value)
    samples = SOURCES["assessment.samples"](content, content.models[0])
    assert samples.data[0]["sample_root"].startswith("sha256:")
    assert "5 random samples" in samples.lacks[0]


def test_samples_count_once_a_document_holds_them():
    content = the_content()
    model = model_m(content)
    before = SOURCES["assessment.samples"](content, model)
    assert before.lacks == ("5 random samples of input and output are missing for: net-1, net-2, other-1, out-1",)
    held = Evidence(
        id="samples-1",
        kind="document",
        subject=Subject(model="m"),
        outcome="pass",
        need="samples",
        criteria=("net-1", "net-2", "other-1", "out-1"),
        provenance=Provenance(format="hand", title="Samples", url="https://house.example/samples"),
    )
    after = SOURCES["assessment.samples"](replace(content, evidence={**content.evidence, "samples-1": held}), model)
    assert after.lacks == ()
    assert {one["samples"] for one in after.data} == {"samples-1"}


# --- what is missing -------------------------------------------------------------------------------------


def with_policy(**changes) -> Content:
    content = the_content()
    return replace(content, policy=content.policy.model_copy(update=changes))


def with_model(**changes) -> Content:
    content = the_content()
    return replace(content, models=(replace(model_m(content), **changes),))


def reports_with(**changes) -> Content:
    """Give content whose final reports have other words."""
    model = model_m(the_content())
    made = tuple(
        (record, report.model_copy(update={"text": report.text.model_copy(update=changes)}))
        for record, report in model.reports
    )
    return with_model(reports=made)


WITHOUT_FALSIFIER = {
    "thresholds": tuple(
        one.model_copy(
            update={
                "falsifier": None,
                "indicators": tuple(rule.model_copy(update={"falsifier": None}) for rule in one.indicators),
            }
        )
        for one in the_content().policy.thresholds
    )
}
MISSING = [
    ("policy.thresholds", with_policy(thresholds=(a_threshold("X", indicators=()),)), "does not say how X is assessed"),
    ("policy.mitigations", with_policy(thresholds=(a_threshold("X", requirements=()),)), "ties no mitigation to X"),
    ("policy.evaluations", with_policy(thresholds=(a_threshold("X"),)), "X.a does not say how it is elicited"),
    (
        "policy.review",
        with_policy(approvals=tuple(one.model_copy(update={"before": ("internal_use",)}) for one in
                    the_content().policy.approvals[:1])),
        "no approval has to come before a deployment",
    ),
    (
        "policy.review",
        with_policy(approvals=tuple(one.model_copy(update={"before": ("general",)}) for one in
                    the_content().policy.approvals[:1])),
        "nothing in the policy has to come before internal use",
    ),
    ("policy.governance", with_policy(roles=()), "names no role"),
    (
        "policy.triggers",
        with_policy(triggers=the_content().policy.triggers[1:]),
        "when a changed model is assessed anew",
    ),
    ("policy.triggers", with_policy(approvals=()), "when and by whom it is changed"),
    (
        "policy.security",
        with_policy(security_levels=(SecurityLevel(id="SL"),)),
        "SL does not say against whom it is meant to hold",
    ),
    ("policy.changes", the_content(), "the changelog of house@2 does not fully account for: NET.range"),
    ("assessment.evaluations", the_content(), "nothing says how these were elicited: net-2, other-1, out-1"),
    ("assessment.evaluations", the_content(), "neither an interval nor the number of units is given for: other-1"),
    ("assessment.margins", with_policy(**WITHOUT_FALSIFIER), "nothing states what would prove the rule-out of NET"),
    ("assessment.margins", with_model(reports=()), "no final report says why the margin of NET"),
    ("threat_models", the_content(), "no threat model is mapped to BIO"),
    (
        "threat_models",
        with_policy(threat_models=(ThreatModel(id="tm", domain="cyber"),)),
        "tm does not say why no substantial threat model is left out",
    ),
    ("residual_risk", with_model(reports=()), "no final report says what risk remains with Model M"),
    ("assessment.outlook", replace(the_content(), at=date(2026, 12, 2)), "more than 6 months ago"),
    ("deviations", replace(the_content(), head=None), "keeps no log"),
    ("cases", with_model(cases=tuple(replace(one, reviews=()) for one in model_m(the_content()).cases)), "nobody has"),
    ("model.behaviour", the_content(), "evidence:gone, which does not exist"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "expected"), MISSING, ids=[f"{one[0]}-{n}" for n, one in enumerate(MISSING)]
)
def test_what_is_missing_is_named(name, content, expected):
    filling = SOURCES[name](content, model_m(content))
    assert any(expected in one for one in filling.lacks), filling.lacks


def test_what_is_not_met_is_a_finding_and_what_nothing_shows_is_missing():
    content = the_content()
    filling = SOURCES["mitigations"](content, None)
    assert "BIO-halt" in words(filling.blocks)
    assert filling.lacks == ("n: nothing shows NET-deploy: of 2 criteria 2 without evidence",)
    assert SOURCES["mitigations"](content, model_m(content)).lacks == ()


def test_a_duty_of_another_model_is_not_this_ones():
    content = the_content()
    rule = Rule(id="x", title="Of n alone", due=date(2026, 5, 1))
    content = replace(content, duties=(*content.duties, Duty(rule, "n", "late", "late", date(2026, 5, 1))))
    assert "Of n alone" not in words(SOURCES["duties.open"](content, model_m(content)).blocks)
    assert "Of n alone" not in words(SOURCES["deviations"](content, model_m(content)).blocks)
    assert "Of n alone" in words(SOURCES["deviations"](content, None).blocks)


# --- single fields ---------------------------------------------------------------------------------------

SHOWN = [
    ("model.languages", ["English (en)", "Portuguese (Brazil) (pt-BR)", "Norwegian (no)"]),
    ("model.released", ["Released 2026-05-30."]),
    ("model.versions", ["s2 (assessed)", "s1"]),
    ("model.gates", ["open weights", "closed", "the policy halts this action"]),
    ("policy.identity", ["house", "2026-01-01"]),
    ("policy.review", ["Safety lead, Chief executive", "internal use, limited deployment, general deployment"]),
    ("policy.triggers", ["effective compute 4 times that of: last assessed model", "approve-change"]),
    ("policy.third_parties", ["found by their words", "let somebody outside check"]),
    ("policy.incidents", ["after-incident", "incident"]),
    ("policy.security", ["SL3", "crime groups", "GUARD.robust"]),
    ("policy.internal_use", ["approve-deployment"]),
    ("policy.standards", ["ISO/IEC 42001:2023", "SL: SL3 of the RAND report", "The house will follow ISO/IEC 42001."]),
    ("policy.changes", ["1 weakened", ">= 0.5 → >= 0.6"]),
    ("assessment.risks", ["Cyber", "NET Attacks networks alone", "House policy"]),
    ("assessment.margins", ["0.45 to the line", "a fifth of the line", "A better scaffold.", "more successes"]),
    ("assessment.third_parties", ["1 of 4 evaluation records", "Outside Lab", "n of 500"]),
    ("assessment.steps", ["BIO-halt for BIO (not assessed)", "capability report", "D-1", "m-inability"]),
    ("assessment.outlook", ["expectations of the authors", "Tools may add 10%"]),
    ("assessment.scope", ["Four times the effective compute"]),
    ("report.capability", ["ada, 2026-05-09T10:00:00Z", "s2"]),
    ("report.gaps", ["BIO"]),
    ("report.reviews", ["We would want n of 500", "0 of 2 points", "The reviewer is engaged for July."]),
    ("claims", ["NET Attacks networks alone is ruled out", "[evidence:net-1]", "A better scaffold."]),
    ("mitigation_effects", ["Attacks, attack success", "1 of 200", "GUARD.robust"]),
    ("residual_risk", ["BIO Helps with pathogens", "A better scaffold may lift", "Attackers improve."]),
    ("deviations", ["W-1", "31 days late", "The office moves."]),
    ("decisions", ["May m be deployed?", "safety-lead", "entry 10 of the log", "1 disagreed on record", "Test again."]),
    ("cases", ["m-inability", "kim agrees (entry 21)"]),
    ("external_reports", ["Auditors", "Audit of weights", "critique of capability"]),
    ("incidents.counts", ["California SB 53", "6"]),
    ("noncompliance.counts", ["12", "Small numbers are withheld"]),
    ("redactions", ["2 passages", "R-1", "net-1, note", "trade secret"]),
    ("duties.open", ["Tell the AI Office", "31 days late", "Hold a drill"]),
    ("duties.framework_review", ["Review the framework", "met", "2026-04-01"]),
    ("proofs", ["example.com/house", "42", "tidegate verify m.tidegate --trust FILE", "decision:D-1"]),
    ("risk_conclusion", ["open for train further", "BIO (not assessed)"]),
]


@pytest.mark.parametrize(("name", "expected"), SHOWN, ids=[one[0] for one in SHOWN])
def test_a_source_shows_what_is_on_record(name, expected):
    content = the_content()
    text = words(SOURCES[name](content, model_m(content)).blocks)
    for one in expected:
        assert one in text, text


def test_nobody_reads_who_disagreed_or_a_proof_of_another_subject():
    content = the_content()
    assert "Too early" not in words(SOURCES["decisions"](content, model_m(content)).blocks)
    assert "report:other" not in SOURCES["proofs"](content, model_m(content)).data["proofs"]
    assert "report:other" in SOURCES["proofs"](content, None).data["proofs"]


def test_clauses_stand_once_in_a_field():
    content = the_content()
    filling = SOURCES["policy.incidents"](content, None)
    assert [one["id"] for one in filling.data["triggers"]] == ["after-incident"]
    assert filling.data["clauses"] == []


def test_nothing_withheld_says_so():
    content = replace(the_content(), withheld_words=(), withheld_evidence=())
    assert words(SOURCES["redactions"](content, None).blocks) == "Nothing is withheld."


def test_no_departure_says_so():
    content = replace(the_content(), measures=(), duties=(), waivers=())
    assert words(SOURCES["deviations"](content, None).blocks) == "None that is public is on record as of 2026-06-01."


def test_words_of_reports_keep_their_citations():
    content = the_content()
    blocks = SOURCES["residual_risk"](content, model_m(content)).blocks
    assert "5.0% [evidence:net-1]" in words(blocks)


def test_conclusions_of_developers_do_not_become_findings():
    """A recorded conclusion says ``ruled out``; without figures the finding stays what it is."""
    policy, model = a_policy(), a_model("m")
    made = assess(policy, a_set(conclusions=(a_conclusion("ruled_out"),)), [model], date(2026, 6, 1))
    content = replace(bare(), models=(PublishedModel(model, made.models[0]),))
    filling = SOURCES["assessment.results"](content, content.models[0])
    assert filling.data[0]["finding"] == "not_assessed"


# --- what people write steers nothing --------------------------------------------------------------------

HOSTILE = "x <script>alert(1)</script> [a](javascript:alert(1)) ![b](http://e.vil/i.png) | `c` \x1b[31m \u202e # h"


def hostile_content() -> Content:
    said = (Statement(text=f"{HOSTILE}\n\n---\n# Heading\n- item", as_of=date(2026, 5, 1)),)
    page = ModelPage(
        model="m",
        description=said,
        licence=HOSTILE,
        languages=(HOSTILE,),
        outputs=(HOSTILE,),
        intended_uses=said,
        base_model=HOSTILE,
    )
    threshold = a_threshold(
        "T1",
        title=HOSTILE,
        text=HOSTILE,
        falsifier=HOSTILE,
        indicators=(an_indicator("T1.a", HOSTILE, falsifier=HOSTILE),),
        requirements=(Requirement(id="R", kind="halt", actions=("general",), text=f"{HOSTILE} must"),),
    )
    policy = a_policy(threshold, title=HOSTILE, publisher=HOSTILE)
    record = a_record("r1", a_count(5, 100, HOSTILE), note=HOSTILE, provenance=Provenance(format="x", title=HOSTILE))
    model = Model(id="m", name=HOSTILE, aliases=("alias",))
    made = assess(policy, a_set(record), [model], date(2026, 6, 1))
    return replace(
        the_content(),
        organisation=HOSTILE,
        website=HOSTILE,
        contact=HOSTILE,
        policy=policy,
        evidence={"r1": record},
        inventory=Inventory(),
        models=(PublishedModel(model, made.models[0], page),),
    )


@pytest.mark.parametrize("name", ["system-card", "frontier-framework", "risk-report", "eu-model-report"])
@pytest.mark.parametrize("form", ["md", "html"])
def test_hostile_words_neither_format_nor_link(name, form):
    content = hostile_content()
    template = find_template(name)
    filled = fill(template, content, content.models[0] if template.subject == "model" else None)
    text = printed(filled.to_page(), form).decode()
    assert "alert(1)" in text.replace("\\", "")
    assert "<script>alert" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    if form == "md":
        assert not re.search(r"(?<!\\)\]\((?!<)", text)
        assert "http://e.vil" not in text
        assert not re.search(r"^# Heading", text, re.MULTILINE)
    else:
        assert 'href="javascript' not in text
        assert '<img src="http' not in text


# --- templates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MINE)
def test_a_template_reads_and_names_what_exists(name):
    source = resources.files("tidegate.packs") / "reports" / f"{name}.yaml"
    template = parse_template(parse_document(source.read_bytes(), f"{name}.yaml"))
    assert template.id == name
    check_items(template, shipped_frameworks())
    used = [one.source for section in template.sections for one in section.fields if one.source]
    assert len(used) == len(set(used)), "two fields say the same"


def items_of(name: str) -> set[str]:
    return {ref for section in find_template(name).sections for one in section.fields for ref in one.items}


def test_the_frontier_framework_has_the_ten_elements_of_all_three_laws():
    frameworks = shipped_frameworks()
    for law, prefix in (("sb53", "12.a."), ("raise", "1421.1."), ("il-aisma", "10.a.")):
        asked = {f"{law}#{one.id}" for one in frameworks[law].items if one.id.startswith(prefix)}
        assert len(asked) == 10
        assert asked <= items_of("frontier-framework")


def test_the_model_report_has_every_measure_of_commitment_seven():
    asked = {f"eu-cop-safety#{one.id}" for one in shipped_frameworks()["eu-cop-safety"].items if one.parent == "C7"}
    assert len(asked) == 7
    assert asked <= items_of("eu-model-report")


def test_the_model_report_names_what_is_missing_by_its_item():
    content = the_content()
    filled = fill(find_template("eu-model-report"), content, model_m(content))
    missing = {one.spec.id: one for one in filled.missing}
    assert missing["landscape"].spec.items == ("eu-cop-safety#M7.5",)
    assert missing["samples"].state == "partial"
    assert "eu-cop-safety#M7.5" in str(filled.problems)
    assert "decision" not in missing


@pytest.mark.parametrize("name", MINE)
def test_a_report_about_published_figures_prints(name):
    content = published_content()
    template = find_template(name)
    about = content.models[0] if template.subject == "model" else None
    filled = fill(template, content, about, {"frontier_developer", "large_frontier_developer"})
    text = printed(filled.to_page(), "md").decode()
    assert "Claude Opus 4" in text or template.subject == "organisation"
    assert filled.missing


def test_a_page_without_statements_fills_nothing():
    content = with_model(page=PAGE.model_copy(update={"limits": ()}))
    assert SOURCES["model.limits"](content, model_m(content)) is None


@pytest.mark.parametrize("name", ["assessment.risks", "assessment.results"])
def test_a_model_of_which_nothing_is_assessed_has_no_results(name: str) -> None:
    content = the_content()
    model = model_m(content)
    blank = tuple(one.model_copy(update={"finding": "not_assessed"}) for one in model.assessment.thresholds)
    untouched = replace(model, assessment=model.assessment.model_copy(update={"thresholds": blank}))
    filling = SOURCES[name](replace(content, models=(untouched,)), untouched)
    assert filling is not None
    assert filling.lacks == (f"no threshold is assessed for {model.assessment.name}",)


def test_requirements_without_evidence_are_no_steps() -> None:
    content = the_content()
    model = model_m(content)
    bare = {
        threshold: tuple(one.model_copy(update={"criteria": ()}) for one in required)
        for threshold, required in model.assessment.requirements.items()
    }
    assessed = model.assessment.model_copy(update={"requirements": bare})
    alone = replace(model, decisions=(), reports=(), cases=(), assessment=assessed)
    filling = SOURCES["assessment.steps"](replace(content, models=(alone,)), alone)
    assert filling is not None
    assert filling.lacks
