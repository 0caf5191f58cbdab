# SPDX-License-Identifier: Apache-2.0
"""`tidegate noncompliance retaliation`: the register of retaliation."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting
from tidegate.cli.casework import (
    AnonymousOption,
    FileOption,
    ImplicatesOption,
    ReporterKeyOption,
    ReporterOption,
    RetainOption,
    ToOption,
    print_route,
    reporter_from,
    route_json,
    text_from,
)
from tidegate.cli.shell import JsonOption, ProjectOption, clean, command, print_json, record_json, world

if TYPE_CHECKING:
    from tidegate.govern.noncompliance import Retaliation

app = typer.Typer(help="The register of retaliation.", no_args_is_help=True, rich_markup_mode=None)


class ToRetaliationState(StrEnum):
    """States that a report of retaliation can be brought into."""

    investigating = "investigating"
    found = "found"
    not_found = "not_found"
    remedied = "remedied"


@app.command("report")
@command
def report(
    case: Annotated[str | None, typer.Option("--case", metavar="CASE", help="Case that it is about.")] = None,
    file: FileOption = None,
    anonymous: AnonymousOption = False,
    person: ReporterOption = None,
    key: ReporterKeyOption = None,
    implicates: ImplicatesOption = None,
    to: ToOption = None,
    retain: RetainOption = "P5Y",
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report retaliation. It goes to those who handle the case, or is routed like any report.

    For a dialogue without your name, report a case of the category `retaliation` instead: that gives a case key.

    Example: `tidegate noncompliance retaliation report --case nc-1f0c --file what.md --anonymous`
    """
    from tidegate.flow.noncompliance import NewReport
    from tidegate.flow.noncompliance import report_retaliation as take_in

    surroundings = world(project)
    reporter = reporter_from(surroundings, person, key, anonymous=anonymous)
    given = NewReport(text_from(file), "retaliation", tuple(implicates or ()), to, reporter, retain)
    found = take_in(surroundings, given, case)
    if as_json:
        print_json({"report": found.report, **route_json(found.route)})
        return
    typer.echo(f"Report {found.report}")
    print_route(found.route, as_json=False)


@app.command("move")
@command
def move(
    name: Annotated[str, typer.Argument(metavar="REPORT", help="Id of the report, as rt-1f0c...")],
    to: Annotated[ToRetaliationState, typer.Option("--to", help="State.")],
    person: AsOption,
    key: KeyOption,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="A note to go with it.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a report of retaliation into its next state.

    Example: `tidegate noncompliance retaliation move rt-1f0c --to investigating --as mia --key mia.key`
    """
    from tidegate.flow.noncompliance import move_retaliation as bring

    surroundings = world(project)
    actor = acting(surroundings, person, key)
    found = bring(surroundings, name, to.value, actor, text_from(file) if file is not None else None)
    _print_register([found], as_json=as_json)


@app.command("list")
@command
def list_(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the register of retaliation, as the log knows it."""
    from tidegate.flow.casework import casework_of

    _print_register(list(casework_of(world(project)).retaliation.values()), as_json=as_json)


def _print_register(reports: "list[Retaliation]", *, as_json: bool) -> None:
    if as_json:
        print_json([{**record_json(one), "state": one.state} for one in reports])
        return
    if not reports:
        typer.echo("The register of retaliation is empty.")
    for one in reports:
        about = f", about {one.case}" if one.case else ""
        typer.echo(
            clean(
                f"{one.id}: {one.state.replace('_', ' ')}, reported {one.reported}{about}; with {', '.join(one.managers)}"
            )
        )
