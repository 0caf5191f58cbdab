# SPDX-License-Identifier: Apache-2.0
"""Tables read the same without a terminal, fit into 100 columns, and no text in them reaches the terminal raw."""

from io import StringIO

import pytest
from rich.console import Console

from tidegate.assess.gate import BASELINE
from tidegate.assess.model import Gate
from tidegate.publish.tables import (
    WIDTH,
    agreement_table,
    evidence_table,
    explanation_panel,
    gate_table,
    gates_table,
    matrix,
    plain,
    report_card_table,
    requirement_table,
)


def test_matrix_as_plain_text(plain_case):
    assert (
        plain(matrix(plain_case.assessment))
        == """\
Findings under p@1 as of 2025-06-01
Threshold                 Model M        Model N
─────────────────────────────────────────────────────
BIO Help with weapons     not ruled out  reached
CYB Cyber operations      ruled out      not assessed
AUT Autonomy              inconclusive   not assessed
NEW Not measured yet      not assessed   not assessed
SEE Watched               not assessed   not assessed
"""
    )


def test_gates_as_plain_text(plain_case):
    assert (
        plain(gates_table(plain_case.assessment))
        == """\
Gates under p@1
Model    train further  internal use  limited deployment  general deployment  open weights
──────────────────────────────────────────────────────────────────────────────────────────
Model M  open           open          closed (2)          closed (2)          closed (1)
Model N  open           open          closed (2)          closed (2)          closed (2)
"""
    )


def test_one_gate_names_every_reason_with_closing_ones_first(plain_case):
    model = plain_case.assessment.model("m")
    shown = plain(gate_table(model, model.gate("general")))
    assert shown.splitlines()[0] == "Model M: general deployment is closed"
    marks = [line.split()[0] for line in shown.splitlines()[3:] if line and not line.startswith(" ")]
    assert marks == ["closes", "closes", "holds", "holds"]
    assert "the policy asks for nothing before this action" in plain(gate_table(model, Gate(action="train", open=True)))


def test_requirements_name_criteria_that_are_not_met(plain_case):
    shown = plain(requirement_table(plain_case.assessment.model("m")))
    assert "advised (advisory)" in shown
    assert "no evidence" in shown
    assert BASELINE not in shown


def test_conclusions_stand_beside_what_is_computed(plain_case):
    shown = " ".join(plain(agreement_table(plain_case.assessment)).split())
    assert "Model M BIO ruled out not ruled out" in shown
    assert "(a survey)" in shown
    assert "unclear inconclusive the conclusion is of another kind" in shown


def test_explanation_names_everything_that_a_reader_needs(plain_case):
    shown = plain(explanation_panel(plain_case.explanation))
    flat = " ".join(shown.split())
    assert shown.startswith("Model M, BIO: not ruled out\nHelp with weapons (p@1, as of 2025-06-01)\n")
    for part in (
        "rule: ruled out if the upper bound (one-sided 0.95) is below 0.2; shown if even the lower bound is at or above 0.5",
        "falsifier: a passing run",
        (
            "solved: 0.05, 10 of 200; bound 0.08334 (exact binomial, 10 of 200); 0.15 to the line, 9.4 standard errors; "
            "supports the rule-out [m-suite]"
        ),
        "crosses the rule-out line, bears the finding [m-trial]",
        "the developer concluded: ruled out, carried by a survey",
        "printed lines are crossed; something else carried the conclusion",
        "safe: no evidence;",
        "Smallest change",
        "Would settle it",
    ):
        assert part in flat


def test_evidence_and_report_card(plain_case):
    shown = plain(evidence_table(plain_case.evidence.records))
    assert "m-suite  m      suite, solved    0.05  200  reported  2025-05-01" in shown
    cards = plain(report_card_table(plain_case.cards))
    assert cards.splitlines()[-1].split() == [
        "all",
        "5",
        "2",
        "(40%)",
        "4",
        "(80%)",
        "4",
        "(80%)",
        "5",
        "(100%)",
        "5",
        "(100%)",
        "0",
        "(0%)",
    ]


def renderables(case):
    model = case.assessment.model("m")
    yield matrix(case.assessment)
    yield gates_table(case.assessment)
    yield agreement_table(case.assessment)
    yield explanation_panel(case.explanation)
    yield evidence_table(case.evidence.records)
    yield report_card_table(case.cards)
    yield requirement_table(model)
    yield from (gate_table(model, gate) for gate in model.gates)


def test_every_table_fits_into_a_plain_log(plain_case, hostile_case):
    for case in (plain_case, hostile_case):
        for renderable in renderables(case):
            assert max(len(line) for line in plain(renderable).splitlines()) <= WIDTH


def test_hostile_text_neither_steers_the_terminal_nor_is_read_as_markup(hostile_case):
    for renderable in renderables(hostile_case):
        shown = plain(renderable)
        assert not set(shown) & set("\x1b\x07\x00\x08\x9b\r\u202e\u2066")
        terminal = StringIO()
        Console(file=terminal, force_terminal=True, width=WIDTH, color_system="standard").print(renderable)
        # Colours are rich's own; links and titles would come from the text.
        assert "\x1b]" not in terminal.getvalue()
        assert "\x1b[31mred" not in terminal.getvalue()
    assert "[bold]rich[/bold]" in "".join(plain(agreement_table(hostile_case.assessment)).split())


def test_colour_only_on_a_terminal(plain_case):
    assert "\x1b" not in plain(matrix(plain_case.assessment))
    terminal = StringIO()
    Console(file=terminal, force_terminal=True, width=WIDTH, color_system="standard").print(
        matrix(plain_case.assessment)
    )
    assert "\x1b[31m" in terminal.getvalue()


@pytest.mark.parametrize(("count", "tables"), [(0, 0), (5, 1), (6, 2), (11, 3)])
def test_many_models_go_into_further_tables(plain_case, count, tables):
    model = plain_case.assessment.models[0]
    many = plain_case.assessment.model_copy(
        update={
            "models": tuple(model.model_copy(update={"name": f"A model called {number}"}) for number in range(count))
        }
    )
    shown = plain(matrix(many))
    assert shown.count("Findings under p@1") == tables
    assert max(len(line) for line in shown.splitlines()) <= WIDTH
    assert "no models" in shown or count
