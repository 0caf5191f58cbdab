# SPDX-License-Identifier: Apache-2.0
"""`tidegate decide`: decisions, from proposal to signature."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting
from tidegate.cli.assess import ActionName
from tidegate.cli.shell import (
    EXIT_CLOSED,
    JsonOption,
    ProjectOption,
    clean,
    command,
    console,
    parse_day,
    print_json,
    world,
)

if TYPE_CHECKING:
    from tidegate.govern.records import DecisionRecord

app = typer.Typer(
    help="Decisions: put one, review it, step back, disagree, sign it.", no_args_is_help=True, rich_markup_mode=None
)

DecisionArgument = Annotated[str, typer.Argument(metavar="DECISION", help="Id of the decision, as D-1.")]
TextOption = Annotated[str, typer.Option("--text", "-t", help="In words; they are kept as they are.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why.")]


class Verdict(StrEnum):
    """What a reviewer thinks."""

    supports = "supports"
    opposes = "opposes"
    comments = "comments"


@app.command("propose")
@command
def propose(
    person: AsOption,
    key: KeyOption,
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL[@SNAPSHOT]]", help="The model, if it is about one.")
    ] = None,
    action: Annotated[
        list[ActionName] | None, typer.Option("--action", "-a", help="What a yes opens; may be repeated.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="YAML with question, options, conditions, measures, expiry and so on."),
    ] = None,
    question: Annotated[str | None, typer.Option("--question", "-q", help="What is decided.")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DATE", help="Last day; six months if not given.")
    ] = None,
    name: Annotated[str | None, typer.Option("--id", help="Its id; the next free D-1, D-2 ... if not given.")] = None,
    supersedes: Annotated[
        str | None, typer.Option("--supersedes", metavar="DECISION", help="Whose place it takes.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Do not put it to review yet.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a decision to those whom the policy names, over everything that it rests on now.

    What they will sign over is fixed by digest: policy, evidence, models, assessment, final reports, safety case.

    Examples: `tidegate decide propose my-model -a deploy --as ada --key ada.key`,
    `tidegate decide propose my-model -a limited --file waiver.yaml --as ada --key ada.key`
    """
    from tidegate.flow.decisions import DecisionFile, Proposal, as_actions, read_decision_file
    from tidegate.flow.decisions import propose as put

    surroundings = world(project)
    text = read_decision_file(file) if file is not None else DecisionFile()
    given: dict[str, Any] = {}
    if question is not None:
        given["question"] = question
    if expires is not None:
        given["expires"] = parse_day(expires)
    chosen = as_actions([one.value for one in action or ()])
    asked = Proposal(model, chosen, text.model_copy(update=given), name, supersedes, draft)
    _print(put(surroundings, asked, acting(surroundings, person, key)), as_json=as_json)


@app.command("submit")
@command
def submit(
    decision: DecisionArgument,
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a draft to review.

    Example: `tidegate decide submit D-1 --as ada --key ada.key`
    """
    from tidegate.flow.decisions import submit as put

    surroundings = world(project)
    _print(put(surroundings, decision, acting(surroundings, person, key)), as_json=as_json)


@app.command("review")
@command
def review(
    decision: DecisionArgument,
    verdict: Annotated[Verdict, typer.Option("--verdict", "-v", help="What you think.")],
    text: TextOption,
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Review a decision. Nobody reviews what they put themselves, and no decision takes effect without a review.

    Example: `tidegate decide review D-1 -v supports -t "The margin holds." --as eve --key eve.key`
    """
    from tidegate.flow.decisions import review as give

    surroundings = world(project)
    _print(give(surroundings, decision, verdict.value, text, acting(surroundings, person, key)), as_json=as_json)


@app.command("recuse")
@command
def recuse(
    decision: DecisionArgument,
    reason: ReasonOption,
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Step back from a decision: you no longer review or sign it.

    Example: `tidegate decide recuse D-1 -r "I hold shares of the customer." --as bob --key bob.key`
    """
    from tidegate.flow.decisions import recuse as step_back

    surroundings = world(project)
    _print(step_back(surroundings, decision, reason, acting(surroundings, person, key)), as_json=as_json)


@app.command("dissent")
@command
def dissent(
    decision: DecisionArgument,
    text: TextOption,
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Disagree, in words that are kept as they are, whatever is decided.

    Example: `tidegate decide dissent D-1 -t "Twelve attempts are too few." --as eve --key eve.key`
    """
    from tidegate.flow.decisions import dissent as disagree

    surroundings = world(project)
    _print(disagree(surroundings, decision, text, acting(surroundings, person, key)), as_json=as_json)


@app.command("sign")
@command
def sign(
    decision: DecisionArgument,
    person: AsOption,
    key: KeyOption,
    role: Annotated[
        str | None, typer.Option("--role", help="Role in which you sign, if you hold several that may.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a decision over exactly what it rests on. It takes effect with the last signature that it needs.

    If anything that it rests on has changed since it was put, nothing is signed.

    Example: `tidegate decide sign D-1 --as ada --key ada.key`
    """
    from tidegate.flow.decisions import sign as put_name

    surroundings = world(project)
    _print(put_name(surroundings, decision, role, acting(surroundings, person, key)), as_json=as_json)


@app.command("reaffirm")
@command
def reaffirm(
    decision: DecisionArgument,
    reason: ReasonOption,
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a suspect decision anew, over what it rests on by now. It needs its review and signatures again.

    Example: `tidegate decide reaffirm D-1 -r "One figure was corrected; the margin holds." --as ada --key ada.key`
    """
    from tidegate.flow.decisions import reaffirm as put_anew

    surroundings = world(project)
    _print(put_anew(surroundings, decision, reason, acting(surroundings, person, key)), as_json=as_json)


@app.command("revoke")
@command
def revoke(
    decision: DecisionArgument,
    reason: ReasonOption,
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a decision: the gates that it opened close.

    Example: `tidegate decide revoke D-1 -r "A jailbreak was found." --as ada --key ada.key`
    """
    from tidegate.flow.decisions import revoke as end

    surroundings = world(project)
    _print(end(surroundings, decision, reason, acting(surroundings, person, key)), as_json=as_json)


@app.command("show")
@command
def show(
    decision: DecisionArgument,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a decision: what was asked, what it rests on, who signed what, who disagreed. Exit 1 if it is suspect.

    Example: `tidegate decide show D-1`
    """
    from tidegate.flow.decisions import shown
    from tidegate.publish.decision_pages import decision_data, decision_markdown, decision_panel

    found = shown(world(project), (decision,))[0]
    if as_json:
        print_json(decision_data(found))
    elif markdown:
        typer.echo(clean(decision_markdown(found)))
    else:
        console().print(decision_panel(found))
    if found.record.state == "effective" and not found.counts:
        raise typer.Exit(EXIT_CLOSED)


@app.command("list")
@command
def list_(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List decisions with their state, what is missing, and what makes them suspect.

    Example: `tidegate decide list`
    """
    from tidegate.flow.decisions import shown
    from tidegate.publish.decision_pages import decision_data, decisions_table

    found = shown(world(project))
    if as_json:
        print_json([decision_data(one) for one in found])
        return
    if not found:
        typer.echo("No decisions yet. Put one with `tidegate decide propose`.")
        return
    console().print(decisions_table(found))


def _print(record: "DecisionRecord", *, as_json: bool) -> None:
    missing = record.missing() if record.state in ("proposed", "in_review") else ()
    if as_json:
        from tidegate.publish.decision_pages import ShownDecision, decision_data

        print_json(decision_data(ShownDecision(record, (), missing)))
        return
    typer.echo(clean(f"{record.id} is {record.state.replace('_', ' ')}: {record.document.question}"))
    for line in missing:
        typer.echo(clean(f"  missing: {line}"))
