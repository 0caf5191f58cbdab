# SPDX-License-Identifier: Apache-2.0
"""What every command shares: options, output, errors, exit codes."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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

    if project is not None and not project.is_dir():
        # A project in a folder above it is not the one that was meant.
        from tidegate.kernel.errors import Problem, ProjectError, Where

        raise ProjectError(Problem("PRJ001", "there is no such folder", Where(str(project)), "correct --project"))
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

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            # Whoever reads a part of the output has asked for no more; that is not an answer of no.
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else int(os.environ.get("COLUMNS", "100"))
    return Plain(stderr=stderr, highlight=False, soft_wrap=False, width=width, emoji=False)


def print_json(data: Any) -> None:
    """Print JSON for scripts: sorted keys, one document."""
    text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    # Names of files, and what was typed, may hold bytes that are no text.
    typer.echo(text.encode(errors="replace").decode())


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
        place = clean(f"{problem.where}: ") if problem.where else ""
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
            problems = error.problems
        except BrokenPipeError:
            # The reader of a pipe has seen enough.
            sys.stderr.close()
            raise typer.Exit(0) from None
        except (OSError, ValueError) as error:
            found = _brought_about(error)
            if found is None:
                raise
            problems = found
        _report(problems, as_json=bool(kwargs.get("as_json")))
        raise typer.Exit(EXIT_CANNOT_RUN)

    return run


def _report(problems: "tuple[Problem, ...]", *, as_json: bool) -> None:
    try:
        print_problems(problems, as_json=as_json)
    except OSError:
        # There is no room for it, or nobody reads any more; the exit code says it too.
        with suppress(OSError):
            sys.stderr.write("".join(f"{clean(str(one))}\n" for one in problems))


def _brought_about(error: Exception) -> "tuple[Problem, ...] | None":
    """Give what is wrong with what a person typed, or with their machine; none if the fault is elsewhere."""
    from pydantic import ValidationError

    from tidegate.kernel.errors import Problem, Where

    if isinstance(error, ValidationError):
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
        return tuple(dict.fromkeys(Problem("PRJ005", _refused(one["loc"], one["type"], one["msg"])) for one in wrong))
    if isinstance(error, UnicodeError) or "non-UTF-8" in str(error):
        return (Problem("PRJ005", "a value holds bytes that are no text", None, "write it in UTF-8"),)
    if isinstance(error, ValueError) and "null" in str(error):
        return (Problem("PRJ005", "a name of a file cannot hold a null character"),)
    if isinstance(error, OSError):
        where = Where(str(error.filename)[:200]) if error.filename else None
        return (Problem("PRJ004", error.strerror or str(error), where, "check the name, the space and the rights"),)
    return None


def _refused(place: tuple[int | str, ...], kind: str, message: str) -> str:
    words = {
        "string_too_short": "it is empty",
        "string_pattern_mismatch": "it holds characters that it may not hold, or is too long",
    }
    name = str(place[-1]).rstrip("_") if place else "value"
    return f"{name}: {words.get(kind, message.removeprefix('Value error, '))}"


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
