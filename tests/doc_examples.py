# SPDX-License-Identifier: Apache-2.0
"""Runs the console examples of a Markdown file, in order, in one temporary folder.

A fenced ``console`` block is run if its first line begins with ``$ tidegate`` or ``$ export TIDEGATE_``. After each
prompt comes the output (standard output, then standard error); ``...`` in it stands for anything. Besides `tidegate`,
a prompt may be ``cd FOLDER``, ``cat FILE``, ``ls [FOLDER]``, ``echo $?`` (the exit status of the last `tidegate`) or
``export TIDEGATE_NAME=VALUE`` (a setting, until the document ends); other lines would not be the same on every
machine, and are refused.

A fenced block with ``title="path"`` is written to that path in the folder first, so that a tutorial
can say "write this file, then run that". A block after the comment ``<!-- not run: reason -->`` is only shown.

After a wanted change of output, ``python tests/doc_examples.py FILE...`` writes what is printed now into the files;
it leaves alone what still matches, and what holds ``...`` has to be edited by hand.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 120
"""No example should take longer; one that hangs must not hang the suite."""

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}) *(?P<info>[^`\n]*)$")
_NOT_RUN = re.compile(r"^\s*<!-- not run: .+ -->\s*$")
_OPENINGS = ("$ tidegate", "$ export TIDEGATE_")
_SETTING = re.compile(r"(TIDEGATE_[A-Z_]+)=(.*)", re.DOTALL)
_SHELL = {"|", ">", ">>", "<", "&&", "||", ";", "&"}
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    line: int
    """Line of its first line of content, from 1."""
    info: str
    lines: tuple[str, ...]
    indent: int = 0
    is_run: bool = True

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def is_session(self) -> bool:
        words = self.info.split()
        return words[:1] == ["console"] and self.is_run and bool(self.lines) and self.lines[0].startswith(_OPENINGS)

    @property
    def file(self) -> str | None:
        """Path that the block is to be written to."""
        title = _TITLE.search(self.info)
        return title.group(1) if title and self.is_run and not self.info.startswith("console") else None


@dataclass(frozen=True)
class Step:
    """A command and what is expected of it."""

    line: int
    """Line of the prompt, from 1."""
    command: str
    expected: str
    length: int
    """Lines of output in the document."""


def blocks(text: str) -> Iterator[Block]:
    """Give the fenced blocks of a Markdown text."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        number += 1
        if opening is None:
            continue
        above = [line for line in lines[: number - 1] if line.strip()]
        is_run = not (above and _NOT_RUN.match(above[-1]))
        start, indent = number, len(opening["indent"])
        while number < len(lines) and lines[number].strip() != opening["ticks"]:
            number += 1
        content = tuple(line[indent:] if not line[:indent].strip() else line for line in lines[start:number])
        yield Block(start + 1, opening["info"].strip(), content, indent, is_run)
        number += 1


def steps(block: Block) -> Iterator[Step]:
    """Give the commands of a console block. A line that ends with a backslash goes on."""
    number, lines = 0, block.lines
    while number < len(lines):
        at = number
        command = lines[number].removeprefix("$ ")
        while command.endswith("\\") and number + 1 < len(lines):
            number += 1
            command = command[:-1] + lines[number].removeprefix("> ")
        number += 1
        output = number
        while number < len(lines) and not lines[number].startswith("$ "):
            number += 1
        expected = "".join(f"{line}\n" for line in lines[output:number])
        yield Step(block.line + at, command.strip(), expected, number - output)


@dataclass
class Folder:
    """The temporary folder of one document, and where its reader stands."""

    root: Path
    at: Path = field(init=False)
    status: int = 0
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = self.root.resolve()
        self.at = self.root

    def path(self, name: str) -> Path:
        """Give a path in the folder.

        Raises:
            ValueError: the path leads out of the folder.
        """
        found = (self.at / name).resolve()
        if not found.is_relative_to(self.root):
            raise ValueError(f"{name} leads out of the folder of the examples")
        return found

    def write(self, name: str, text: str) -> None:
        """Write a file of the document."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, command: str) -> str:
        """Run a command and give its output.

        Raises:
            ValueError: the command is not one that an example may use.
            RuntimeError: it broke down, which no document shows.
        """
        match shlex.split(command, comments=True):
            case ["tidegate", *arguments] if not _SHELL.intersection(arguments):
                return self._tidegate(arguments)
            case ["cd", name]:
                self.at = self.path(name)
                return ""
            case ["cat", name]:
                return self.path(name).read_text(encoding="utf-8")
            case ["ls"]:
                return "".join(f"{path.name}\n" for path in sorted(self.at.iterdir()))
            case ["ls", name]:
                return "".join(f"{path.name}\n" for path in sorted(self.path(name).iterdir()))
            case ["echo", "$?"]:
                return f"{self.status}\n"
            case ["export", assignment] if found := _SETTING.fullmatch(assignment):
                self.settings[found[1]] = found[2]
                return ""
        raise ValueError(f"an example may not use: {command}")

    def _tidegate(self, arguments: list[str]) -> str:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GITHUB_", "CI", "FORCE_", "TIDEGATE_"))
        }
        plain = {"COLUMNS": "120", "LINES": "50", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "tidegate", *arguments],
            cwd=self.at,
            env={**kept, **plain, **self.settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        if "Traceback (most recent call last)" in done.stderr:
            raise RuntimeError(f"tidegate {shlex.join(arguments)} broke down\n{done.stderr}")
        self.status = done.returncode
        shown = (done.stdout + done.stderr).replace(str(self.root) + os.sep, "").replace(str(self.root), ".")
        return "".join(f"{line.rstrip()}\n" for line in shown.splitlines())


def matches(expected: str, actual: str) -> bool:
    """Tell whether output is as expected; ``...`` stands for anything, and space at the ends of lines is ignored."""
    wanted, got = ("\n".join(line.rstrip() for line in text.strip("\n").split("\n")) for text in (expected, actual))
    pattern = ".*?".join(re.escape(part) for part in wanted.split("..."))
    return re.fullmatch(pattern, got, re.DOTALL) is not None


@dataclass(frozen=True)
class Outcome:
    """A command that was run."""

    step: Step
    actual: str
    indent: int

    @property
    def as_expected(self) -> bool:
        return matches(self.step.expected, self.actual)


def run_document(text: str, folder: Folder) -> Iterator[Outcome]:
    """Run a document's examples in order."""
    for block in blocks(text):
        if block.file is not None:
            folder.write(block.file, block.text)
        elif block.is_session:
            for step in steps(block):
                yield Outcome(step, folder.run(step.command), block.indent)


def has_sessions(text: str) -> bool:
    """Tell whether a document has anything to run."""
    return any(block.is_session for block in blocks(text))


def updated(text: str, outcomes: list[Outcome]) -> str:
    """Give the document with the printed output in place of what no longer matches."""
    lines = text.splitlines()
    for outcome in reversed(outcomes):
        step = outcome.step
        if not outcome.as_expected and "..." not in step.expected:
            prompt_lines = 1
            while lines[step.line - 2 + prompt_lines].endswith("\\"):
                prompt_lines += 1
            start = step.line - 1 + prompt_lines
            shown = [f"{' ' * outcome.indent}{line}".rstrip() for line in outcome.actual.splitlines()]
            lines[start : start + step.length] = shown
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        document = Path(name)
        with tempfile.TemporaryDirectory() as temporary:
            source = document.read_text(encoding="utf-8")
            found = list(run_document(source, Folder(Path(temporary))))
        document.write_text(updated(source, found), encoding="utf-8")
        for one in found:
            if not one.as_expected:
                print(f"{name}:{one.step.line}: {one.step.command}")
