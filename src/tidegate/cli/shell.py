# SPDX-License-Identifier: Apache-2.0
"""What every command shares: options, output, errors, exit codes."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from tidegate.flow import World
    from tidegate.kernel.errors import Problem

EXIT_CLOSED = 1
"""The answer is no: a gate is closed, a check found something."""
EXIT_CANNOT_RUN = 2
"""The question could not be answered: bad input, no project, unknown name."""

P = ParamSpec("P")
T = TypeVar("T")

ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-C",
        metavar="DIR",
        help="Project folder; found from here upward if not given.",
        envvar="TIDEGATE_PROJECT",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PolicyOption = Annotated[
    str | None,
    typer.Option("--policy", "-p", metavar="POLICY", help="Pack, file or label; the adopted policy if not given."),
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Answer for this day: what became known later is not used."),
]


def world(project: Path | None) -> "World":
    """Give the surroundings that a command runs in."""
    from tidegate.flow import World

    day = os.environ.get("TIDEGATE_TODAY")
    if day is not None:
        from tidegate.kernel.clock import fixed_clock, fixed_now

        today = parse_day(day) or date.min
        return World(project or Path.cwd(), fixed_clock(today), fixed_now(today))
    return World(project or Path.cwd())


def parse_day(text: str | None) -> date | None:
    """Give the day that a person wrote.

    Raises:
        ProjectError: PRJ005, it is not a date.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        from tidegate.kernel.errors import Problem, ProjectError

        raise ProjectError(Problem("PRJ005", f"{text!r} is not a date", None, "write it as 2025-05-22")) from None


def console(*, stderr: bool = False) -> "Console":
    """Give a console: colour on a terminal only, 100 columns elsewhere."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else int(os.environ.get("COLUMNS", "100"))
    return Console(stderr=stderr, highlight=False, soft_wrap=False, width=width, emoji=False)


def print_json(data: Any) -> None:
    """Print JSON for scripts: sorted keys, one document."""
    typer.echo(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, default=str))


def record_json(record: Any) -> Any:
    """Give a record as JSON data, by the names that its schema uses."""
    return record.model_dump(mode="json", by_alias=True)


def print_problems(problems: "list[Problem] | tuple[Problem, ...]", *, as_json: bool = False) -> None:
    """Print problems, each with its place and hint; as GitHub annotations too when run there."""
    if as_json:
        print_json({"problems": [problem.to_json() for problem in problems]})
        return
    out = console(stderr=True)
    styles = {"error": "red", "warning": "yellow", "note": "blue"}
    for problem in problems:
        place = f"{problem.where}: " if problem.where else ""
        out.print(f"{place}", end="", markup=False, style="bold", soft_wrap=True)
        out.print(
            f"{problem.severity} {problem.code}", end="", markup=False, style=styles[problem.severity], soft_wrap=True
        )
        out.print(f": {clean(problem.message)}", markup=False, soft_wrap=True)
        if problem.hint:
            out.print(f"  hint: {clean(problem.hint)}", markup=False, soft_wrap=True)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from tidegate.publish.annotations import workflow_command

            level = {"error": "error", "warning": "warning", "note": "notice"}[problem.severity]
            typer.echo(workflow_command(level, problem.message, problem.code, problem.where))


def counted(number: int, noun: str) -> str:
    """Give a number with its noun: ``1 record``, ``2 records``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def clean(text: str) -> str:
    """Give text without control characters, so that no file can drive the terminal."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def command(function: Callable[P, T]) -> Callable[P, T]:
    """Turn every known error into a message and exit code 2; nothing shows a stack trace to a user."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        from tidegate.kernel.errors import TidegateError

        try:
            return function(*args, **kwargs)
        except TidegateError as error:
            print_problems(error.problems, as_json=bool(kwargs.get("as_json")))
            raise typer.Exit(EXIT_CANNOT_RUN) from None
        except BrokenPipeError:
            # The reader of a pipe has seen enough.
            sys.stderr.close()
            raise typer.Exit(0) from None

    return run


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a progress bar on a terminal, on stderr; elsewhere show nothing."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.progress import Progress

    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(clean(label), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
