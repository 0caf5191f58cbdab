# SPDX-License-Identifier: Apache-2.0
"""Starting the command line loads nothing heavy: a gate in a release pipeline should answer at once."""

import json
import resource
import subprocess
import sys
from importlib.util import find_spec

import pytest

HEAVY = {
    "altair",
    "duckdb",
    "hypothesis",
    "inspect_ai",
    "jinja2",
    "jsonschema",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "statsmodels",
    "vl_convert",
    "yaml",
    "zstandard",
}
STAGES = ("kernel", "policy", "evidence", "assess", "flow", "store")


def loaded_by(statement: str) -> set[str]:
    """Give the modules that a fresh interpreter has loaded after a statement."""
    program = f"import sys, json\n{statement}\nsys.stdout.write('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout.splitlines()[-1]))


def heavy(modules: set[str]) -> set[str]:
    return {name.split(".")[0] for name in modules} & HEAVY


def the_command_line() -> None:
    if find_spec("tidegate.cli.app") is None:
        pytest.skip("the command line is not there yet")


def test_a_heavy_module_would_be_seen():
    assert "numpy" in heavy(loaded_by("import numpy"))


@pytest.mark.parametrize("module", ["tidegate.cli", "tidegate.cli.app"])
def test_the_command_line_loads_nothing_heavy(module):
    the_command_line()
    assert heavy(loaded_by(f"import {module}")) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments):
    the_command_line()
    run = f"sys.argv = ['tidegate', *{arguments!r}]\nfrom tidegate.__main__ import main\n"
    run += "try:\n    main()\nexcept SystemExit:\n    pass"
    assert heavy(loaded_by(run)) == set()


def test_help_answers(capsys):
    """The user time is printed, not judged: another process on the machine must not fail a test."""
    the_command_line()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [sys.executable, "-m", "tidegate", "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    with capsys.disabled():
        print(f" tidegate --help: {spent:.2f} s of user time ", end="")
    assert done.returncode == 0, done.stderr
    assert "assess" in done.stdout


@pytest.mark.parametrize("module", [f"tidegate.{name}" for name in STAGES])
def test_no_stage_loads_what_only_one_command_needs(module):
    if find_spec(module) is None:
        pytest.skip(f"{module} is not there yet")
    lazily = {"altair", "inspect_ai", "pandas", "pyarrow", "sklearn", "statsmodels", "vl_convert"}
    assert heavy(loaded_by(f"import {module}")) & lazily == set()
