# SPDX-License-Identifier: Apache-2.0
"""The demo on real figures: verdicts that agree with the published decisions where the evidence supports them."""

from pathlib import Path

import pytest

from tidegate.flow.demo import SHOWN, STAND_INS, Demo, build_demo, demo_json, sheets
from tidegate.kernel.errors import ProjectError
from tidegate.publish.tables import matrix, plain


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One demo for all tests; building it takes some seconds, most of them for the charts of the report."""
    return build_demo(tmp_path_factory.mktemp("demo") / "project")


GOLDEN = [
    ("rsp-v2.2", "claude-3-7-sonnet", "CBRN-3", "not_ruled_out", "contradicted"),
    ("rsp-v2.2", "claude-3-7-sonnet", "AUTONOMY", "inconclusive", "points_only"),
    ("rsp-v2.2", "claude-opus-4", "CBRN-3", "not_ruled_out", "same_caution"),
    ("rsp-v2.2", "claude-opus-4", "CBRN-4", "inconclusive", "points_only"),
    ("rsp-v2.2", "claude-opus-4", "AIRD-4", "not_ruled_out", "contradicted"),
    ("rsp-v2.2", "claude-opus-4-5", "CBRN-3", "not_ruled_out", "same_caution"),
    ("rsp-v2.2", "claude-opus-4-5", "AIRD-4", "not_ruled_out", "contradicted"),
    ("rsp-v2.2", "claude-3-5-sonnet-20241022", "CBRN-3", "inconclusive", "no_conclusion"),
    ("openai-pf2", "openai-gpt-5-thinking", "BC.HIGH", "inconclusive", "same_caution"),
    ("openai-pf2", "openai-o3", "CY.HIGH", "inconclusive", "not_carried"),
    ("gdm-fsf-v3.1", "gemini-2-5-pro", "CCL.CYBER1", "inconclusive", "not_carried"),
    ("rsp-v3.4", "claude-opus-4-7", "CB-NOVEL", "not_assessed", "not_carried"),
    ("demo", "stand-in-mostly-wrong", "ADD-1", "ruled_out", "no_conclusion"),
    ("demo", "stand-in-mostly-right", "ADD-1", "reached", "no_conclusion"),
    ("demo", "stand-in-fails-on-some", "ADD-1", "inconclusive", "no_conclusion"),
    ("demo", "stand-in-edited-header", "ADD-1", "reached", "no_conclusion"),
]


@pytest.mark.parametrize(("pack", "model", "threshold", "finding", "agreement"), GOLDEN)
def test_findings(demo: Demo, pack: str, model: str, threshold: str, finding: str, agreement: str) -> None:
    assessed = demo.assessments[pack].model(model)
    assert assessed is not None
    found = assessed.finding(threshold)
    assert found is not None
    assert (found.finding, found.agreement) == (finding, agreement), found.reasons


def test_no_rule_out_rests_on_figures_that_do_not_carry_it(demo: Demo) -> None:
    """Wherever a published figure rules something out, successes and n, or an interval, were printed."""
    for assessment in demo.assessments.values():
        for model in assessment.models:
            for finding in model.thresholds:
                for indicator in finding.indicators:
                    for reading in indicator.readings:
                        assert not reading.supports or reading.bound is not None


def test_every_model_meets_every_policy(demo: Demo) -> None:
    counts = {len(assessment.models) for assessment in demo.assessments.values()}
    assert counts == {20 + len(STAND_INS)}
    assert {sheet.title for sheet in sheets(demo)} == {f"under {made.policy}" for made in demo.assessments.values()}
    assert set(SHOWN) <= {model.model for model in demo.assessments["starter"].models}


def test_the_readme_shows_what_is_printed(demo: Demo) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert f"{sum(pack != 'demo' for pack in demo.own_policy.values())} public models" in readme
    excerpt = readme.split("An excerpt of what it prints:")[1].split("Beside every")[0]
    (sheet,) = [sheet for sheet in sheets(demo) if "rsp@2.2" in sheet.title]
    shown = [line.rstrip() for line in plain(matrix(sheet.every)).splitlines()]
    lines = [line.removeprefix("    ").rstrip() for line in excerpt.strip("\n").splitlines()]
    start = shown.index(lines[0])
    assert shown[start : start + len(lines)] == lines


def test_the_report_card_is_computed(demo: Demo) -> None:
    cards = {card.group: card for card in demo.report_cards}
    assert cards["all"].figures == sum(card.figures for name, card in cards.items() if name != "all") > 250
    assert cards["all"].complete == 0, "no figure tied to a threshold prints n, interval and line together"
    assert cards["all"].without_printed_interval > 0.9 * cards["all"].figures


def test_the_report_is_one_page_without_requests(demo: Demo) -> None:
    page = demo.report.read_text()
    assert "Claude Opus 4" in page
    assert "<script" not in page
    assert 'src="http' not in page


def test_the_demo_gives_the_same_digests_again(demo: Demo, tmp_path: Path) -> None:
    again = demo_json(build_demo(tmp_path / "again"))
    for name, made in demo_json(demo)["assessments"].items():
        assert again["assessments"][name]["digest"] == made["digest"]


def test_it_replaces_only_its_own_folder(demo: Demo, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("ten years of work")
    with pytest.raises(ProjectError, match="PRJ002"):
        build_demo(mine)
    assert (mine / "thesis.txt").read_text() == "ten years of work"
    assert demo.root.is_dir()


def test_further_real_runs_come_in_and_refusals_are_listed(shared: Path, tmp_path: Path) -> None:
    made = build_demo(tmp_path / "with-runs", [shared / "data" / "evaluations", shared / "data" / "horizon"])
    assert made.records > 700
    assert {"inspect", "run-table", "lm-eval", "helm", "garak", "promptfoo", "pyrit"} <= set(made.formats)
    assert not made.refused
