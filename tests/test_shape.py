# SPDX-License-Identifier: Apache-2.0
"""The code keeps its shape: short functions, modules of one idea, few parameters, documented names."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "tidegate"
MODULES = sorted(PACKAGE.rglob("*.py"))

BODY_LINES = 60
MODULE_LINES = 600
PARAMETERS = 7

ALLOWED: dict[str, tuple[int, str]] = {
    "policy/model.py": (800, "the vocabulary of a policy, told once; half of it is the documentation of fields"),
    "assess/judge.py::rogan_gladen()": (8, "the formula has six counts, a level and a seed, each a different thing"),
    "evidence/run_table.py": (850, "one format, three encodings and the fit of its columns belong together"),
}
"""Module, or `module::function` -> its own limit (lines, or parameters for `module::function()`), and why."""

COMMAND_PARAMETERS = 14
"""A command's parameters are its options, so the limit of ordinary functions does not fit them."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Found(NamedTuple):
    name: str
    size: int
    limit: int


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: Function) -> int:
    """Give the length of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def parameters(function: Function) -> int:
    """Give how many parameters a caller may have to think of."""
    taken = function.args
    names = [one.arg for one in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def measured(path: Path) -> Iterator[Found]:
    name = path.relative_to(PACKAGE).as_posix()
    text = path.read_text(encoding="utf-8")
    yield Found(name, len(text.splitlines()), MODULE_LINES)
    for function in functions(ast.parse(text)):
        yield Found(f"{name}::{function.name}", body_lines(function), BODY_LINES)
        limit = COMMAND_PARAMETERS if name.startswith("cli/") else PARAMETERS
        yield Found(f"{name}::{function.name}()", parameters(function), limit)


ALL = [found for path in MODULES for found in measured(path)]


def test_nothing_is_too_large():
    too_large = [
        f"{one.name}: {one.size}, at most {ALLOWED.get(one.name, (one.limit,))[0]}"
        for one in ALL
        if one.size > ALLOWED.get(one.name, (one.limit,))[0]
    ]
    assert not too_large, "\n".join(too_large)


@pytest.mark.parametrize("name", ALLOWED)
def test_every_allowance_is_still_needed(name):
    found = [one for one in ALL if one.name == name]
    assert found, f"{name} is gone"
    assert max(one.size for one in found) > min(one.limit for one in found), f"{name} fits by now"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n")
    assert ast.get_docstring(ast.parse(text)), "no docstring"


def test_the_measures_measure():
    tree = ast.parse(
        'def f(self, a, /, b, *rest, c=1, **more):\n    """Doc.\n\n    More."""\n    x = 1\n\n    return x\n'
    )
    function = next(functions(tree))
    assert body_lines(function) == 3
    assert parameters(function) == 3
