# SPDX-License-Identifier: Apache-2.0
"""`tidegate case`: safety cases."""

import os
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting
from tidegate.cli.assess import ActionName
from tidegate.cli.shell import (
    EXIT_CLOSED,
    AsOfOption,
    JsonOption,
    ProjectOption,
    clean,
    command,
    console,
    counted,
    parse_day,
    print_json,
    record_json,
    world,
)

if TYPE_CHECKING:
    from tidegate.case.checks import CaseFinding
    from tidegate.case.diff import CaseDiff, FieldChange
    from tidegate.flow import World
    from tidegate.flow.cases import MadeCase
    from tidegate.publish.case_views import CaseView

app = typer.Typer(
    help="Safety cases: the argument that a model is safe enough, checked, drawn, reviewed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

CaseArgument = Annotated[
    str | None, typer.Argument(metavar="[CASE]", help="Its name or file; the project's only case if not given.")
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="NODE", help="Only the part of the argument under this node.")
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.", dir_okay=False)
]


AuthorOption = Annotated[
    str | None,
    typer.Option(
        "--author",
        metavar="PERSON",
        help="Who answers for it: an id from tidegate.yaml; not needed if that names one person only.",
        envvar="TIDEGATE_PERSON",
    ),
]


class TemplateName(StrEnum):
    """What the case argues."""

    inability = "inability"
    control = "control"
    trustworthiness = "trustworthiness"
    deference = "deference"
    safeguards = "safeguards"


class ExportName(StrEnum):
    """Formats of a case."""

    gsn2x = "gsn2x"
    mermaid = "mermaid"
    markdown = "markdown"
    json = "json"
    d2 = "d2"
    cae = "cae"


class NotationName(StrEnum):
    """Notations of a drawing."""

    gsn = "gsn"
    cae = "cae"


class LayoutName(StrEnum):
    """How a drawing is laid out."""

    elk = "elk"
    dagre = "dagre"


_TEMPLATES: dict[
    TemplateName, Literal["inability", "control", "trustworthiness", "deference", "safeguards-for-misuse"]
] = {
    TemplateName.inability: "inability",
    TemplateName.control: "control",
    TemplateName.trustworthiness: "trustworthiness",
    TemplateName.deference: "deference",
    TemplateName.safeguards: "safeguards-for-misuse",
}
_EXPORTS: dict[ExportName, Literal["gsn2x", "mermaid", "markdown", "json", "d2", "cae"]] = {
    ExportName.gsn2x: "gsn2x",
    ExportName.mermaid: "mermaid",
    ExportName.markdown: "markdown",
    ExportName.json: "json",
    ExportName.d2: "d2",
    ExportName.cae: "cae",
}
_NOTATIONS: dict[NotationName, Literal["gsn", "cae"]] = {NotationName.gsn: "gsn", NotationName.cae: "cae"}
_LAYOUTS: dict[LayoutName, Literal["elk", "dagre"]] = {LayoutName.elk: "elk", LayoutName.dagre: "dagre"}


@app.command("new")
@command
def new(
    model: Annotated[str, typer.Argument(metavar="MODEL[@SNAPSHOT]", help="The model.")],
    template: Annotated[
        TemplateName, typer.Option("--template", "-t", help="What is argued.")
    ] = TemplateName.inability,
    action: Annotated[
        list[ActionName] | None,
        typer.Option("--action", "-a", help="Action to argue for; may be repeated. Those in use if not given."),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option("--threshold", help="Threshold to argue about; may be repeated. All that matter if not given."),
    ] = None,
    author: AuthorOption = None,
    name: Annotated[str | None, typer.Option("--id", help="Its name; the model's if not given.")] = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a safety case from the policy, the assessment and the evidence.

    It comes in two files: `generated.yaml`, which `tidegate case update` writes anew, and `case.yaml`, in which
    people add to it and which is never written over.

    Example: `tidegate case new my-model --template inability --author ada`
    """
    from tidegate.flow.assessments import as_action
    from tidegate.flow.cases import NewCase, new_case

    wanted = NewCase(
        model=model,
        template=_TEMPLATES[template],
        actions=tuple(as_action(one.value) for one in action or ()),
        thresholds=tuple(threshold or ()),
        author=author,
        name=name,
        as_of=parse_day(as_of),
    )
    made = new_case(world(project), wanted)
    _print_made(made, as_json=as_json, verb="Made")


@app.command("update")
@command
def update(
    case: CaseArgument = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option("--threshold", help="Threshold to argue about; may be repeated. All that matter if not given."),
    ] = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Generate a case anew from what is known by now; what people wrote stays as it is.

    Nodes whose content changes are suspect until they are reviewed again.

    Example: `tidegate case update my-model`
    """
    from tidegate.flow.cases import update_case

    made = update_case(world(project), case, thresholds=tuple(threshold or ()), as_of=parse_day(as_of))
    _print_made(made, as_json=as_json, verb="Updated")


def _print_made(made: "MadeCase", *, as_json: bool, verb: str) -> None:
    if as_json:
        print_json({"case": made.name, "files": list(made.files), "nodes": made.nodes, "open": list(made.open)})
        return
    typer.echo(clean(f"{verb} the safety case {made.name}: {counted(made.nodes, 'node')}."))
    for file in made.files:
        typer.echo(clean(f"  {file}"))
    if made.open:
        shown = ", ".join(made.open[:8]) + (f" and {len(made.open) - 8} more" if len(made.open) > 8 else "")
        typer.echo(clean(f"Left to people: {shown}"))
    typer.echo(clean(f"Next: tidegate case check {made.name}"))


@app.command("check")
@command
def check(
    case: CaseArgument = None,
    strict: Annotated[bool, typer.Option("--strict", help="Every warning fails the check.")] = False,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a case by the rules SC01 to SC16. Exit 0 in order, 1 something stands in the way of a decision, 2 cannot run.

    Reviews count if the project keeps a ledger.

    Example: `tidegate case check my-model`
    """
    from tidegate.flow.cases import open_case

    opened = open_case(world(project), case, as_of=parse_day(as_of))
    findings, confidence = opened.examined.findings, opened.examined.confidence
    failed = bool(opened.examined.blocking) or (strict and any(one.severity != "note" for one in findings))
    if as_json:
        print_json(
            {
                "case": opened.case.id,
                "model": opened.case.model,
                "root": opened.examined.root,
                "at": opened.at,
                "nodes": len(opened.case.nodes),
                "in_order": not failed,
                "confidence": record_json(confidence.span),
                "findings": [record_json(one) for one in findings],
            }
        )
    else:
        _print_findings(findings)
        blocking = len(opened.examined.blocking)
        typer.echo(
            clean(
                f"{opened.case.id}: {counted(len(opened.case.nodes), 'node')}, {counted(len(findings), 'finding')}, "
                f"{blocking} in the way of a decision; "
                f"confidence {confidence.span.low:.2f} to {confidence.span.high:.2f}"
            )
        )
        typer.echo(f"  {opened.examined.root}")
    if failed:
        raise typer.Exit(EXIT_CLOSED)


def _print_findings(findings: "Sequence[CaseFinding]") -> None:
    """Print findings with place and hint; as GitHub annotations too when run there."""
    out = console(stderr=True)
    styles = {"error": "red", "warning": "yellow", "note": "blue"}
    for one in findings:
        place = f"{one.where}: " if one.where else ""
        about = f"{one.node}: " if one.node else ""
        out.print(clean(place), end="", markup=False, style="bold", soft_wrap=True)
        out.print(f"{one.severity} {one.code}", end="", markup=False, style=styles[one.severity], soft_wrap=True)
        blocks = " (in the way of a decision)" if one.blocks and one.severity != "error" else ""
        out.print(f": {clean(about + one.message)}{blocks}", markup=False, soft_wrap=True)
        if one.hint:
            out.print(f"  hint: {clean(one.hint)}", markup=False, soft_wrap=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from tidegate.publish.annotations import workflow_command

            level = {"error": "error", "warning": "warning", "note": "notice"}[one.severity]
            typer.echo(workflow_command(level, f"{about}{one.message}", one.code, one.where))


@app.command("show")
@command
def show(
    case: CaseArgument = None,
    start: FromOption = None,
    leaves: Annotated[int, typer.Option("--leaves", min=0, help="How many leaves to list.")] = 5,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a case as a tree: confidence in every claim, what is suspect or doubted, and what it all hangs on.

    Example: `tidegate case show my-model`
    """
    from tidegate.flow.cases import case_view, chosen_part, open_case
    from tidegate.publish.case_views import tree_lines

    opened = open_case(world(project), case, as_of=parse_day(as_of))
    view = chosen_part(case_view(opened), start)
    confidence = opened.examined.confidence
    if as_json:
        print_json(
            {
                "case": opened.case.id,
                "at": opened.at,
                "root": opened.examined.root,
                "confidence": record_json(confidence),
                "nodes": [
                    {"id": node.id, "kind": node.kind, "text": node.text, **_shown_json(view, node.id)}
                    for node in view.case.nodes
                ],
            }
        )
        return
    out = console()
    for line in tree_lines(view, width=out.width):
        out.print(clean(line), markup=False, soft_wrap=True)
    span = confidence.span
    out.print(f"confidence in the top claim: {span.low:.2f} to {span.high:.2f}", markup=False, soft_wrap=True)
    moving = [leaf for leaf in confidence.leaves if leaf.gain or leaf.loss][:leaves]
    for leaf in moving:
        least = "" if leaf.is_exact else "at least "
        gain, loss = f"certain, it would add {least}{leaf.gain:.2f}", f"without it, {least}{leaf.loss:.2f} less"
        out.print(clean(f"  {leaf.node} has {leaf.low:.2f}: {gain}; {loss}"), markup=False, soft_wrap=True)
    if leaves and not moving:
        out.print("  no leaf alone would move its lower bound", markup=False, soft_wrap=True)


def _shown_json(view: "CaseView", node: str) -> dict[str, Any]:
    found = view.of(node)
    return {"low": found.low, "high": found.high, "marks": list(found.marks)}


@app.command("draw")
@command
def draw(
    case: CaseArgument = None,
    output: OutputOption = None,
    notation: Annotated[NotationName, typer.Option("--notation", "-n", help="GSN, or CAE.")] = NotationName.gsn,
    layout: Annotated[LayoutName, typer.Option("--layout", help="How the nodes are placed.")] = LayoutName.elk,
    start: FromOption = None,
    levels: Annotated[int | None, typer.Option("--levels", min=0, help="Only so many levels below the top.")] = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a case as SVG, beside its file if no other is named; - prints it.

    Nothing is fetched from anywhere, and nothing in the drawing runs, links or loads.

    Examples: `tidegate case draw my-model`, `tidegate case draw --from BIO-1 --notation cae -o bio.svg`
    """
    from tidegate.flow.cases import DrawRequest, draw_case, find_case, open_case
    from tidegate.flow.outputs import write_output

    surroundings = world(project)
    opened = open_case(surroundings, case, as_of=parse_day(as_of))
    request = DrawRequest(_NOTATIONS[notation], _LAYOUTS[layout], start, levels)
    drawn = draw_case(opened, request)
    if output is not None and str(output) == "-":
        typer.echo(drawn, nl=False)
        return
    file = output or find_case(surroundings, case).with_name(f"{notation.value}.svg")
    write_output(file, drawn)
    if as_json:
        print_json({"case": opened.case.id, "file": str(file), "bytes": len(drawn.encode())})
        return
    typer.echo(clean(f"Drew {opened.case.id} to {_inside(surroundings, file)}."))


def _inside(surroundings: "World", file: Path) -> str:
    """Give the name of a file, shorter if it is in the project."""
    found = file.resolve()
    return found.relative_to(surroundings.root).as_posix() if found.is_relative_to(surroundings.root) else str(file)


@app.command("export")
@command
def export(
    case: CaseArgument = None,
    output: Annotated[ExportName, typer.Option("--format", "-f", help="Format.")] = ExportName.markdown,
    file: OutputOption = None,
    start: FromOption = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a case and stop.")] = False,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a case in another format: YAML for gsn2x, Mermaid, numbered Markdown, JSON, D2 in GSN or CAE.

    Examples: `tidegate case export my-model -f gsn2x -o case.gsn.yaml`, `tidegate case export --schema`
    """
    from tidegate.flow.cases import export_case, open_case
    from tidegate.flow.outputs import write_output

    if schema:
        from tidegate.publish.case_views import case_schema

        print_json(case_schema())
        return
    opened = open_case(world(project), case, as_of=parse_day(as_of))
    text = export_case(opened, "json" if as_json else _EXPORTS[output], start=start)
    if file is None or str(file) == "-":
        typer.echo(text, nl=False)
        return
    write_output(file, text)
    typer.echo(clean(f"Wrote {opened.case.id} to {file}."))


@app.command("diff")
@command
def diff(
    case: CaseArgument = None,
    other: Annotated[
        str | None,
        typer.Option(
            "--with", metavar="CASE", help="What to compare with: a case or file; the newest in the log if none."
        ),
    ] = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changed in a case since its newest version in the log: nodes, support, confidence, and what is suspect.

    Examples: `tidegate case diff my-model`, `tidegate case diff my-model --with earlier.yaml --json`
    """
    from tidegate.flow.cases import diff_case

    found = diff_case(world(project), case, other, as_of=parse_day(as_of))
    if as_json:
        print_json(record_json(found))
        return
    for line in _diff_lines(found):
        typer.echo(clean(line))


def _diff_lines(found: "CaseDiff") -> Iterator[str]:
    if found.is_empty:
        yield f"nothing changed: {found.new_root}"
        return
    yield f"{found.old_root} -> {found.new_root}"
    for change in found.head:
        yield f"case {_changed(change)}"
    for node in found.nodes:
        yield f"{node.kind} {node.node}: {' '.join(node.text.split())}"
        yield from (f"  {_changed(change)}" for change in node.fields)
        yield from (f"  + {name}" for name in node.support_added)
        yield from (f"  - {name}" for name in node.support_removed)
    old, new = found.old_top, found.new_top
    yield f"confidence in the top claim: {old.low:.2f} to {old.high:.2f} -> {new.low:.2f} to {new.high:.2f}"
    for name, why in found.newly_suspect.items():
        yield f"now suspect {name}: {why}"
    for name in found.no_longer_suspect:
        yield f"no longer suspect {name}"


def _changed(change: "FieldChange") -> str:
    return f"{change.field}: {_value(change.old)} -> {_value(change.new)}"


def _value(value: Any) -> str:
    return "none" if value is None else " ".join(str(value).split())


@app.command("record")
@command
def record(
    case: CaseArgument = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse while anything stands in the way of a decision.")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter a case as it is now in the log, whole; decisions rest on the newest version there.

    Example: `tidegate case record my-model`
    """
    from tidegate.flow.cases import record_case

    made = record_case(world(project), case, strict=strict)
    if as_json:
        print_json({"entry": made.index if made else None, **(made.entry.body if made else {})})
    elif made is None:
        typer.echo("The log holds it as it is already.")
    else:
        typer.echo(clean(f"Entry {made.index}: {made.entry.body['case']} {made.entry.body['root']}"))


@app.command("review")
@command
def review(
    person: AsOption,
    key: KeyOption,
    case: CaseArgument = None,
    nodes: Annotated[
        list[str] | None, typer.Argument(metavar="[NODE]...", help="Nodes; every one that they may review if none.")
    ] = None,
    agrees: Annotated[bool | None, typer.Option("--agrees/--disagrees", help="What they think.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="In their own words.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Review a case, or nodes of it, as a second person: signed, over their content and all that they rest on.

    Nobody reviews what they wrote. A change afterwards makes the nodes suspect. The case is recorded first if the log
    does not hold it as it is.

    Example: `tidegate case review my-model BIO-1 --agrees --as eve --key eve.key`
    """
    from tidegate.flow.cases import ReviewRequest, review_case

    if agrees is None:
        raise typer.BadParameter("say --agrees or --disagrees")
    surroundings = world(project)
    actor = acting(surroundings, person, key)
    done = review_case(surroundings, case, ReviewRequest(tuple(nodes or ()), agrees, text), actor)
    if as_json:
        entries = [one.index for one in done.entries]
        print_json({"entries": entries, "reviewed": dict(done.nodes), "left": dict(done.left)})
        return
    verdict = "agrees with" if agrees else "disagrees with"
    typer.echo(clean(f"{actor.person} {verdict} {counted(len(done.nodes), 'node')}:"))
    for node, seen in done.nodes.items():
        typer.echo(clean(f"  {seen[:19]} {node}"))
    for node, why in done.left.items():
        typer.echo(clean(f"  left out {node}: {why}"))
