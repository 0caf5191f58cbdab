# SPDX-License-Identifier: Apache-2.0
"""Every console example of the documentation prints what it says."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from doc_examples import Block, Folder, blocks, has_sessions, matches, run_document, steps, updated

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
WITH_SESSIONS = [path for path in DOCUMENTS if has_sessions(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", WITH_SESSIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_console_examples_print_what_they_say(path, tmp_path):
    if find_spec("tidegate.__main__") is None:
        pytest.skip("the command line is not there yet")
    wrong = [
        f"{path.relative_to(ROOT)}:{one.step.line}: $ {one.step.command}\n"
        f"--- expected\n{one.step.expected}--- printed\n{one.actual}"
        for one in run_document(path.read_text(encoding="utf-8"), Folder(tmp_path))
        if not one.as_expected
    ]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nb", True),
        ("a\n", "a  \n", True),
        ("a\n...\nz\n", "a\nb\nc\nz\n", True),
        ("took ... s\n", "took 0.3 s\n", True),
        ("...\n", "", True),
        ("", "", True),
        ("a\n", "a\nb\n", False),
        ("", "a\n", False),
        ("a.c\n", "abc\n", False),
        ("a\n...\nz\n", "a\nb\n", False),
    ],
)
def test_output_is_compared_with_ellipses(expected, actual, same):
    assert matches(expected, actual) is same


def test_blocks_are_found_with_line_and_indentation():
    text = 'x\n```console\n$ tidegate a\nout\n```\n\n- item\n\n    ```yaml title="m/a.yaml"\n    a: 1\n    ```\n'
    assert list(blocks(text)) == [
        Block(3, "console", ("$ tidegate a", "out")),
        Block(10, 'yaml title="m/a.yaml"', ("a: 1",), indent=4),
    ]


def test_a_marked_block_is_only_shown():
    text = "<!-- not run: it needs a live model -->\n\n```console\n$ tidegate a\n```\n"
    assert not has_sessions(text)


def test_steps_hold_commands_and_output():
    block = Block(1, "console", ("$ tidegate a \\", ">   b", "one", "$ echo $?", "0"))
    assert [(step.line, step.command, step.expected) for step in steps(block)] == [
        (1, "tidegate a   b", "one\n"),
        (4, "echo $?", "0\n"),
    ]


def test_files_are_written_and_the_folder_is_shared(tmp_path, monkeypatch):
    monkeypatch.setattr(Folder, "_tidegate", lambda self, arguments: f"{arguments} in {self.at.name}\n")
    text = (
        '```yaml title="p/a.yaml"\na: 1\n```\n'
        "```console\n$ tidegate x\n...\n$ cd p\n$ cat a.yaml\na: 1\n$ ls\na.yaml\n```\n"
        "```console\n$ tidegate y\n['y'] in p\n$ echo $?\n1\n```\n"
    )
    outcomes = list(run_document(text, Folder(tmp_path)))
    assert [one.as_expected for one in outcomes] == [True, True, True, True, True, False]
    assert updated(text, outcomes) == text.replace("$ echo $?\n1\n", "$ echo $?\n0\n")


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf x",
        "export PATH=/x",
        "tidegatex",
        "cat ../../x",
        "cd /",
        "tidegate list | sh",
        "tidegate list > x",
        "tidegate a && b",
    ],
)
def test_other_commands_are_refused(command, tmp_path):
    with pytest.raises(ValueError, match=r"may not use|leads out"):
        Folder(tmp_path).run(command)


def test_a_setting_holds_until_the_document_ends(tmp_path):
    if find_spec("tidegate.__main__") is None:
        pytest.skip("the command line is not there yet")
    text = "```console\n$ export TIDEGATE_TODAY=soon\n```\n\n```console\n$ tidegate assess\n...PRJ005: 'soon' is not a date\n...\n```\n"
    assert has_sessions(text)
    assert [one.as_expected for one in run_document(text, Folder(tmp_path))] == [True, True]


def test_the_folder_is_told_apart_from_the_machine(tmp_path, monkeypatch):
    if find_spec("tidegate.__main__") is None:
        pytest.skip("the command line is not there yet")
    folder = Folder(tmp_path)
    assert str(tmp_path) not in folder.run("tidegate assess")
    assert folder.status != 0
