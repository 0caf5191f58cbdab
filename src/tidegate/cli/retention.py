# SPDX-License-Identifier: Apache-2.0
"""`tidegate sealed`: content outside the log, how long it is kept, and erasing it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting
from tidegate.cli.shell import JsonOption, ProjectOption, clean, command, counted, print_json, world

if TYPE_CHECKING:
    from tidegate.flow.retention import KeptContent
    from tidegate.govern.noncompliance import Hold

app = typer.Typer(
    help="Content outside the log: kept as long as it has to be, then erased, while the log stays valid.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; it stands in the log, so name nobody.")]


@app.command("list")
@command
def list_(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List sealed content and legal holds: what is kept until when, what is held, what was erased and why."""
    from tidegate.flow.casework import casework_of
    from tidegate.flow.retention import contents

    surroundings = world(project)
    found, holds = contents(surroundings), casework_of(surroundings).holds
    if as_json:
        print_json({"contents": [_json(one) for one in found], "holds": [_hold_json(one) for one in holds.values()]})
        return
    if not found:
        typer.echo("There is no sealed content.")
    for one in found:
        until = f"until {one.until}" if one.until else "while the case is open, and five years on"
        why = (
            f"erased {one.erased.on} by {one.erased.by}: {one.erased.ground}" if one.erased else f"{one.state} {until}"
        )
        copy = " (copy)" if one.copy_of else ""
        typer.echo(clean(f"{one.digest}  {one.case}{copy}  {why}"))
    for hold in holds.values():
        _print_hold(hold)


def _json(one: "KeptContent") -> dict[str, Any]:
    erased = one.erased._asdict() if one.erased else None
    return {**one._asdict(), "erased": erased}


def _hold_json(hold: "Hold") -> dict[str, Any]:
    return hold._asdict()


def _print_hold(hold: "Hold") -> None:
    over = counted(len(hold.digests), "content") if hold.digests else "everything"
    ended = f", lifted {hold.lifted}" if hold.lifted else ""
    typer.echo(clean(f"{hold.hold}: over {over}, since {hold.placed}{ended}: {hold.reason}"))


@app.command("erase")
@command
def erase(
    name: Annotated[str, typer.Argument(help="Id of a case, report or incident, or digest of one content.")],
    ground: Annotated[str, typer.Option("--ground", "-g", help="Why; it stands in the log, so name nobody.")],
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase what a case holds, or one content with its copies. Refused under a hold, or before its time.

    The entries and salted digests stay, so the log verifies as before. Copies in backups are yours to erase.

    Example: `tidegate sealed erase nc-1f0c --ground "five years are over" --as ada --key ada.key`
    """
    from tidegate.flow.retention import erase as remove

    surroundings = world(project)
    found = remove(surroundings, name, ground, acting(surroundings, person, key))
    if as_json:
        print_json({"erased": [one.digest for one in found]})
        return
    typer.echo(
        clean(f"Erased {counted(len(found), 'content')} of {', '.join(dict.fromkeys(one.case for one in found))}.")
    )


@app.command("hold")
@command
def hold(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Ids of cases, digests, or `everything`.")],
    reason: ReasonOption,
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Place a legal hold: until it is lifted, nothing that it covers can be erased.

    What comes into a case later is covered only by a hold over `everything`, or by a further hold.

    Example: `tidegate sealed hold nc-1f0c --reason "a court asked for it" --as ada --key ada.key`
    """
    from tidegate.flow.retention import place_hold

    surroundings = world(project)
    made = place_hold(surroundings, names, reason, acting(surroundings, person, key))
    if as_json:
        print_json(_hold_json(made))
        return
    _print_hold(made)


@app.command("lift")
@command
def lift(
    name: Annotated[str, typer.Argument(metavar="HOLD", help="Id of the hold, as hold-1f0c...")],
    reason: ReasonOption,
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lift a legal hold.

    Example: `tidegate sealed lift hold-1f0c --reason "the case is settled" --as ada --key ada.key`
    """
    from tidegate.flow.retention import lift_hold

    surroundings = world(project)
    made = lift_hold(surroundings, name, reason, acting(surroundings, person, key))
    if as_json:
        print_json(_hold_json(made))
        return
    _print_hold(made)
