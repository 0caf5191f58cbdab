# SPDX-License-Identifier: Apache-2.0
"""`tidegate assess`, `gate`, `explain`, `plan`."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from tidegate.cli.shell import (
    EXIT_CLOSED,
    AsOfOption,
    JsonOption,
    PolicyOption,
    ProjectOption,
    clean,
    command,
    console,
    parse_day,
    print_json,
    record_json,
    world,
)


class ActionName(StrEnum):
    """What the gate answers for; `deploy` means general deployment."""

    train = "train"
    internal_use = "internal_use"
    limited = "limited"
    general = "general"
    open_weights = "open_weights"
    deploy = "deploy"


class OutputFormat(StrEnum):
    """How an assessment is printed."""

    table = "table"
    markdown = "markdown"
    json = "json"
    junit = "junit"
    sarif = "sarif"
    github = "github"


FormatOption = Annotated[OutputFormat, typer.Option("--format", "-f", help="How to print it.")]


@command
def assess(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL[@SNAPSHOT]]...", help="Models; all if none is given.")
    ] = None,
    policy: PolicyOption = None,
    as_of: AsOfOption = None,
    output: FormatOption = OutputFormat.table,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of an assessment and stop.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a finding for every model and threshold, and a gate for every action.

    Examples: `tidegate assess`, `tidegate assess my-model --policy rsp-v3.4 --as-of 2026-06-30 --json`
    """
    from tidegate.flow.assessments import assess_project, assessment_schema, rendered

    if schema:
        print_json(assessment_schema())
        return
    assessed = assess_project(world(project), tuple(models or ()), policy=policy, as_of=parse_day(as_of))
    chosen = OutputFormat.json if as_json else output
    if chosen is OutputFormat.json:
        print_json({**record_json(assessed.assessment), "digest": assessed.assessment.digest})
    elif chosen is OutputFormat.table:
        from tidegate.publish.tables import agreement_table, gates_table, matrix

        out = console()
        out.print(matrix(assessed.assessment), gates_table(assessed.assessment), sep="\n")
        if any(one.concluded for model in assessed.assessment.models for one in model.thresholds):
            out.print(agreement_table(assessed.assessment))
        out.print(
            f"as of {assessed.assessment.at.isoformat()} · assessment {assessed.assessment.digest}", soft_wrap=True
        )
        _annotate(rendered(assessed, "github"))
    else:
        typer.echo(clean(rendered(assessed, chosen.value)))


def _annotate(text: str) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        typer.echo(text)


@command
def gate(
    model: Annotated[str, typer.Argument(metavar="MODEL[@SNAPSHOT]", help="The model.")],
    action: Annotated[ActionName, typer.Option("--action", "-a", help="What is about to happen.")],
    policy: PolicyOption = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    output: FormatOption = OutputFormat.table,
    as_json: JsonOption = False,
) -> None:
    """Ask whether an action may go ahead. Exit 0 open, 1 closed, 2 cannot run.

    Example: `tidegate gate my-model --action deploy && ./release.sh`
    """
    from tidegate.flow.assessments import as_action, ask_gate, gate_text

    answer = ask_gate(world(project), model, as_action(action.value), policy=policy, as_of=parse_day(as_of))
    chosen = OutputFormat.json if as_json else output
    if chosen is OutputFormat.json:
        print_json(
            {
                "model": answer.model.model,
                "snapshot": answer.model.snapshot,
                "policy": answer.assessed.assessment.policy,
                "at": answer.assessed.assessment.at.isoformat(),
                "assessment_digest": answer.assessed.assessment.digest,
                **record_json(answer.gate),
            }
        )
    elif chosen is OutputFormat.table:
        from tidegate.publish.tables import gate_table

        console().print(gate_table(answer.model, answer.gate))
        _annotate(gate_text(answer, "github"))
    else:
        typer.echo(clean(gate_text(answer, chosen.value)))
    if not answer.gate.open:
        raise typer.Exit(EXIT_CLOSED)


@command
def explain(
    model: Annotated[str, typer.Argument(metavar="MODEL[@SNAPSHOT]", help="The model.")],
    threshold: Annotated[str, typer.Argument(help="The threshold.")],
    policy: PolicyOption = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain a finding: rule, falsifier, evidence used and set aside, margins, and what would change it.

    Example: `tidegate explain claude-opus-4 CBRN-3 --policy rsp-v2.2`
    """
    from tidegate.flow.assessments import explain_finding

    found = explain_finding(world(project), model, threshold, policy=policy, as_of=parse_day(as_of))
    if as_json:
        print_json(record_json(found))
    elif markdown:
        from tidegate.publish.markdown import explanation_markdown

        typer.echo(clean(explanation_markdown(found)))
    else:
        from tidegate.publish.tables import explanation_panel

        console().print(explanation_panel(found))


@command
def plan(
    threshold: Annotated[str, typer.Argument(help="The threshold.")],
    indicator: Annotated[
        str | None, typer.Option("--indicator", "-i", help="One of its indicators; all if not given.")
    ] = None,
    n: Annotated[int | None, typer.Option("--n", min=1, help="Questions that the suite has.")] = None,
    attempts: Annotated[int, typer.Option("--attempts", min=1, help="Attempts per question.")] = 1,
    agreement: Annotated[
        float, typer.Option("--agreement", min=0, max=1, help="Correlation of attempts at one question.")
    ] = 1.0,
    clustering: Annotated[
        float, typer.Option("--clustering", min=1, help="Design effect of questions that go together.")
    ] = 1.0,
    rate: Annotated[
        list[float] | None, typer.Option("--rate", "-r", help="True rate to plan for; may be repeated.")
    ] = None,
    power: Annotated[float, typer.Option("--power", min=0.01, max=0.99, help="Wanted power.")] = 0.8,
    policy: PolicyOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Before the run: can this suite rule the line out at all, and how many samples would it need?

    Exit 1 if a suite of the given size cannot rule the line out, even with a perfect result.

    Example: `tidegate plan BIO-1 --n 40 --rate 0.05`
    """
    from tidegate.flow.planning import PlanRequest, plan_threshold

    asked = PlanRequest(indicator, n, attempts, agreement, clustering, tuple(rate or ()), power)
    plans = plan_threshold(world(project), threshold, asked, policy=policy)
    if as_json:
        print_json([one.to_json() for one in plans])
    else:
        for line in (line for one in plans for line in one.lines()):
            typer.echo(clean(line))
    if any(one.plan is not None and one.plan.can_rule_out is False for one in plans):
        raise typer.Exit(EXIT_CLOSED)
