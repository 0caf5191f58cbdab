# SPDX-License-Identifier: Apache-2.0
"""`tidegate report`: capability and safeguards reports, their critiques, and the answers."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting
from tidegate.cli.shell import (
    AsOfOption,
    JsonOption,
    ProjectOption,
    clean,
    command,
    counted,
    parse_day,
    print_json,
    print_problems,
    record_json,
    world,
)

if TYPE_CHECKING:
    from tidegate.govern.critiques import Criticised
    from tidegate.publish.report_pages import Shown

app = typer.Typer(
    help="Capability and safeguards reports: draft, make final, criticise, answer, show.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL[@SNAPSHOT]", help="The model.")]
ReportArgument = Annotated[str, typer.Argument(metavar="REPORT", help="Id of a final report.")]
DraftOption = Annotated[
    bool, typer.Option("--draft", help="Write a skeleton of the text that people have to write, and stop.")
]
FinalOption = Annotated[bool, typer.Option("--final", help="Make it final: refused while anything is missing.")]
MaybeAsOption = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="PERSON", help="Author, for --final: an id from tidegate.yaml.", envvar="TIDEGATE_PERSON"
    ),
]
MaybeKeyOption = Annotated[
    str | None,
    typer.Option("--key", metavar="FILE", help="Their key, for --final.", envvar="TIDEGATE_KEY"),
]
MarkdownOption = Annotated[bool, typer.Option("--markdown", help="Print Markdown.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML file.")]


class OutcomeName(StrEnum):
    """What became of a point."""

    answered = "answered"
    accepted = "accepted"
    stands = "stands"


@app.command("capability")
@command
def capability(
    model: ModelArgument,
    draft: DraftOption = False,
    final: FinalOption = False,
    person: MaybeAsOption = None,
    key: MaybeKeyOption = None,
    as_of: AsOfOption = None,
    markdown: MarkdownOption = False,
    html: HtmlOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report what a model can do: threat models, evaluations, results, margins, gaps, and what people say of it.

    Figures come from evidence. People write `reports/MODEL-capability.yaml`; `--draft` begins it.

    Examples: `tidegate report capability my-model --draft`, `tidegate report capability my-model --markdown`,
    `tidegate report capability my-model --final --as ada --key ada.key`
    """
    chosen = _Chosen("capability", model, draft=draft, final=final, person=person, key=key)
    _make(chosen, as_of, _Output(markdown=markdown, html=html, as_json=as_json), project)


@app.command("safeguards")
@command
def safeguards(
    model: ModelArgument,
    draft: DraftOption = False,
    final: FinalOption = False,
    person: MaybeAsOption = None,
    key: MaybeKeyOption = None,
    as_of: AsOfOption = None,
    markdown: MarkdownOption = False,
    html: HtmlOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report what is in place: each requirement and criterion with its evidence, efficacy figures, expiry, gaps.

    Figures come from evidence. People write `reports/MODEL-safeguards.yaml`; `--draft` begins it.

    Examples: `tidegate report safeguards my-model --draft`, `tidegate report safeguards my-model --html safeguards.html`
    """
    chosen = _Chosen("safeguards", model, draft=draft, final=final, person=person, key=key)
    _make(chosen, as_of, _Output(markdown=markdown, html=html, as_json=as_json), project)


@dataclass(frozen=True)
class _Chosen:
    """What somebody asks of a report."""

    kind: Literal["capability", "safeguards"]
    model: str
    draft: bool
    final: bool
    person: str | None
    key: str | None


@dataclass(frozen=True)
class _Output:
    """In which form it is shown."""

    markdown: bool
    html: Path | None
    as_json: bool


def _make(chosen: _Chosen, as_of: str | None, output: _Output, project: Path | None) -> None:
    from tidegate.flow.reports import Target, draft_text, finalise, preview
    from tidegate.publish.report_pages import Shown

    _refuse_contradictions(chosen, as_of)
    surroundings, target = world(project), Target(chosen.kind, chosen.model)
    if chosen.draft:
        path = draft_text(surroundings, target)
        typer.echo(clean(f"Wrote {path.relative_to(surroundings.root)}. Fill it in, then look at the report again."))
        return
    if chosen.final:
        assert chosen.person is not None
        assert chosen.key is not None
        filed = finalise(surroundings, target, acting(surroundings, chosen.person, chosen.key))
        _show(Shown(filed.report, filed.record, (), filed.critiques), output)
        return
    made = preview(surroundings, target, parse_day(as_of))
    _show(Shown(made.report, None, made.problems), output)
    if not (output.as_json or output.markdown):
        print_problems(made.problems)


def _refuse_contradictions(chosen: _Chosen, as_of: str | None) -> None:
    from tidegate.kernel.errors import Problem, ProjectError

    if chosen.draft and chosen.final:
        raise ProjectError(Problem("PRJ005", "--draft and --final exclude each other", None, "choose one"))
    if chosen.final and as_of is not None:
        raise ProjectError(Problem("PRJ005", "a report is made final as of today", None, "leave --as-of out"))
    if chosen.final and (chosen.person is None or chosen.key is None):
        raise ProjectError(
            Problem("PRJ005", "--final needs its author", None, "say who makes it final: --as PERSON --key FILE")
        )


def _show(shown: "Shown", output: _Output) -> None:
    from tidegate.publish.report_pages import report_html, report_markdown

    if output.html is not None:
        from tidegate.flow.outputs import write_output

        write_output(output.html, report_html(shown))
    if output.as_json:
        print_json(_json(shown))
    elif output.markdown:
        typer.echo(clean(report_markdown(shown)), nl=False)
    else:
        for line in _summary(shown):
            typer.echo(clean(line))
        if output.html is not None:
            typer.echo(clean(f"wrote {output.html}"))


def _json(shown: "Shown") -> dict[str, Any]:
    record = shown.record
    return {
        "id": record.report if record is not None else None,
        "digest": shown.report.digest,
        "final": record is not None,
        "author": record.author if record is not None else None,
        "problems": [one.to_json() for one in shown.problems],
        "critiques": [_critique_json(one) for one in shown.critiques],
        "report": record_json(shown.report),
    }


def _critique_json(one: "Criticised") -> dict[str, Any]:
    return {
        "id": one.record.critique,
        "author": one.record.author,
        "independence": one.document.independence,
        "standing": list(one.standing),
        "points": [
            {
                "number": number,
                **record_json(point),
                "outcome": one.outcome(number),
                "answer": answer.text if (answer := one.record.answer(number)) is not None else None,
            }
            for number, point in enumerate(one.document.points, 1)
        ],
    }


def _summary(shown: "Shown") -> list[str]:
    from tidegate.publish.words import FINDING_WORDS, STATE_WORDS

    report, record = shown.report, shown.record
    about = report.name + (f" {report.snapshot}" if report.snapshot else "")
    if record is None:
        lines = [f"{report.kind} report, draft: {about} under {report.policy} as of {report.at.isoformat()}"]
    else:
        lines = [f"{record.report}", f"  final: by {record.author}, {record.at}"]
    lines.append(f"  digest: {report.digest}")
    if report.kind == "capability":
        lines += [f"  {one.threshold}: {FINDING_WORDS[one.finding]}" for one in report.thresholds]
    else:
        lines += [f"  {one.requirement}: {STATE_WORDS[one.state]}" for one in report.requirements]
    lines.append(f"  {counted(len(report.records), 'record')}, {counted(len(report.gaps), 'gap')}")
    lines += [f"  {_critique_line(one)}" for one in shown.critiques]
    return lines


def _critique_line(one: "Criticised") -> str:
    standing = one.standing
    verb = "stands" if len(standing) == 1 else "stand"
    points = counted(len(one.document.points), "point")
    return f"{one.record.critique} by {one.record.author}: {len(standing)} of {points} {verb}"


@app.command("criticise")
@command
def criticise(
    report: ReportArgument,
    file: Annotated[Path, typer.Option("--file", "-f", help="YAML with independence and points.")],
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Attach an independent critique to a final report. Who wrote the report may not.

    Example: `tidegate report criticise REPORT --file critique.yaml --as dan --key dan.key`
    """
    from tidegate.flow.reports import criticise as attach

    surroundings = world(project)
    _print_critique(attach(surroundings, report, file, acting(surroundings, person, key)), as_json=as_json)


@app.command("answer")
@command
def answer_point(
    critique: Annotated[str, typer.Argument(metavar="CRITIQUE", help="Id of the critique.")],
    point: Annotated[int, typer.Argument(metavar="POINT", min=1, help="Number of the point.")],
    outcome: Annotated[OutcomeName, typer.Option("--outcome", "-o", help="What becomes of it.")],
    text: Annotated[str, typer.Option("--text", "-t", help="The answer; it is kept as it is.")],
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a point of a critique, accept it, or let it stand as open disagreement.

    Example: `tidegate report answer CRITIQUE 1 --outcome answered --text "Rerun with tools." --as ada --key ada.key`
    """
    from tidegate.flow.reports import answer as give

    surroundings = world(project)
    actor = acting(surroundings, person, key)
    _print_critique(give(surroundings, critique, point, outcome.value, text, actor), as_json=as_json)


def _print_critique(one: "Criticised", *, as_json: bool) -> None:
    if as_json:
        print_json(_critique_json(one))
        return
    typer.echo(clean(_critique_line(one)))
    for number, point in enumerate(one.document.points, 1):
        typer.echo(clean(f"  {number} {point.severity}: {one.outcome(number) or 'not answered'}"))


@app.command("show")
@command
def show(
    report: ReportArgument,
    markdown: MarkdownOption = False,
    html: HtmlOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a final report, with its critiques and what became of each point.

    Example: `tidegate report show REPORT --html report.html`
    """
    from tidegate.flow.reports import find_report
    from tidegate.publish.report_pages import Shown

    filed = find_report(world(project), report)
    shown = Shown(filed.report, filed.record, (), filed.critiques)
    _show(shown, _Output(markdown=markdown, html=html, as_json=as_json))


@app.command("list")
@command
def list_(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List final reports, the oldest first.

    Example: `tidegate report list`
    """
    from tidegate.flow.reports import list_reports

    found = list_reports(world(project))
    if as_json:
        print_json(
            [
                {
                    "id": one.report,
                    "kind": one.kind,
                    "model": one.model,
                    "snapshot": one.snapshot,
                    "author": one.author,
                    "at": one.at,
                    "digest": one.document,
                    "critiques": [critique.critique for critique in one.critiques],
                }
                for one in found
            ]
        )
        return
    if not found:
        typer.echo("No final reports.")
    for one in found:
        critiques = f", {counted(len(one.critiques), 'critique')}" if one.critiques else ""
        typer.echo(clean(f"{one.report}  {one.kind}, by {one.author}, {one.at}{critiques}"))
