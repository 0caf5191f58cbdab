# SPDX-License-Identifier: Apache-2.0
"""What the commands about noncompliance share: options, and how words, keys and people come in."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.acting import acting, signer_from
from tidegate.cli.shell import clean, print_json

if TYPE_CHECKING:
    from tidegate.flow import World
    from tidegate.flow.ledgers import Actor
    from tidegate.govern.intake import Route
    from tidegate.govern.sealing import CaseKey
    from tidegate.ledger.keys import Signer

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Id of the case, as nc-1f0c...")]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", "-f", metavar="FILE", help="Text in a file; from standard input if not given."),
]
AnonymousOption = Annotated[bool, typer.Option("--anonymous", help="Name yourself to nobody.")]
ReporterOption = Annotated[
    str | None,
    typer.Option("--as", metavar="PERSON", help="Who reports; only those who handle the report learn it."),
]
ReporterKeyOption = Annotated[
    str | None, typer.Option("--key", metavar="FILE", help="Key of who reports, which vouches for the name.")
]
ImplicatesOption = Annotated[
    list[str] | None,
    typer.Option("--implicates", metavar="PERSON", help="Who is involved, and must not get it; may be repeated."),
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="PERSON", help="Who is to get it; routed by role if not given.")
]
RetainOption = Annotated[str, typer.Option("--retain", metavar="DURATION", help="How long it is kept at least.")]
LookOption = Annotated[bool, typer.Option("--look", help="Say who would get it, and file nothing.")]
CaseKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--case-key-file", metavar="FILE", help="The reporter's case key; or TIDEGATE_CASE_KEY; or asked for."
    ),
]
ManagerOption = Annotated[
    str | None,
    typer.Option("--as", metavar="PERSON", help="Who handles the case.", envvar="TIDEGATE_PERSON"),
]
ManagerKeyOption = Annotated[
    str | None,
    typer.Option("--key", metavar="FILE", help="Their key, as for other commands.", envvar="TIDEGATE_KEY"),
]
ReadWithOption = Annotated[
    Path | None,
    typer.Option(
        "--read-with", metavar="FILE", help="Another key file of theirs, if that key cannot decrypt or is too new."
    ),
]


# --- what comes in -------------------------------------------------------------------------------


def text_from(file: Path | None) -> str:
    """Give the text of a file, or of standard input."""
    from tidegate.govern.intake import MAX_TEXT_BYTES
    from tidegate.kernel.documents import read_bytes
    from tidegate.kernel.errors import DocumentError, Problem, Where

    if file is not None:
        data = read_bytes(file, max_bytes=MAX_TEXT_BYTES)
    else:
        if sys.stdin.isatty():
            typer.echo("Write the text; end with Ctrl-D on a line of its own.", err=True)
        data = sys.stdin.buffer.read(MAX_TEXT_BYTES + 1)
    if len(data) > MAX_TEXT_BYTES:
        message = f"larger than the limit of {MAX_TEXT_BYTES:,} bytes"
        raise DocumentError(Problem("DOC002", message, Where("standard input"), "shorten the text"))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        where = Where(str(file) if file is not None else "standard input")
        raise DocumentError(Problem("DOC003", "the text is not UTF-8", where, "save it as plain text")) from None


def case_key_from(file: Path | None, manager: str | None) -> "CaseKey | None":
    """Give the case key of a reporter, from a file, the environment or the terminal; none for a manager."""
    from tidegate.govern.sealing import parse_case_key
    from tidegate.kernel.documents import read_bytes

    if file is not None:
        return parse_case_key(read_bytes(file, max_bytes=1_000).decode("utf-8", "replace"))
    given = os.environ.get("TIDEGATE_CASE_KEY")
    if given is not None:
        return parse_case_key(given)
    if manager is None and sys.stdin.isatty() and sys.stderr.isatty():
        return parse_case_key(typer.prompt("Case key", hide_input=True, err=True))
    return None


def actor_from(surroundings: "World", person: str | None, key: str | None) -> "Actor":
    """Give who acts, as a command line names them."""
    if person is None or key is None:
        from tidegate.kernel.errors import Problem, ProjectError

        hint = "managers: --as PERSON --key FILE; reporters: --case-key-file FILE, or TIDEGATE_CASE_KEY"
        raise ProjectError(Problem("PRJ005", "say who acts", None, hint))
    return acting(surroundings, person, key)


def reading_from(read_with: Path | None) -> "Signer | None":
    """Give the further key that a command line names for decrypting."""
    return None if read_with is None else signer_from(str(read_with))


def reporter_from(surroundings: "World", person: str | None, key: str | None, *, anonymous: bool) -> "Actor | None":
    """Give who reports; none for an anonymous report. The environment does not decide which."""
    from tidegate.kernel.errors import Problem, ProjectError

    if anonymous == (person is not None):
        hint = "--anonymous, or --as PERSON --key FILE; the environment does not decide this"
        raise ProjectError(Problem("PRJ005", "say whether the report carries your name", None, hint))
    return None if anonymous else actor_from(surroundings, person, key or os.environ.get("TIDEGATE_KEY"))


def route_json(route: "Route") -> dict[str, Any]:
    """Give where a report goes, as data."""
    return {"route": route.role, "managers": list(route.managers), "keyless": list(route.keyless)}


def print_route(route: "Route", *, as_json: bool) -> None:
    """Print where a report goes."""
    if as_json:
        print_json(route_json(route))
        return
    typer.echo(clean(f"Goes to {', '.join(route.managers)} ({route.role})."))
    if route.keyless:
        typer.echo(clean(f"Not to {', '.join(route.keyless)}."))
