# SPDX-License-Identifier: Apache-2.0
"""Workflow commands: one per line whatever the text, and nothing in them starts another."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.kernel.errors import Where
from tidegate.publish.annotations import annotations, workflow_command
from tidegate.publish.words import clean

PLACES = {"BIO": Where("policy/p.yaml", 12, 5), "": Where("policy/p.yaml")}


def parsed(line):
    """Read a command as the runner does."""
    command, properties, message = re.fullmatch(r"::([a-z]+) ([^:]*)::(.*)", line).groups()

    def unescaped(text):
        for code, one in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(code, one)
        return text

    pairs = dict(pair.split("=", 1) for pair in properties.split(","))
    return command, {name: unescaped(value) for name, value in pairs.items()}, unescaped(message)


def test_gates_come_first_and_stand_at_the_policy(plain_case):
    lines = annotations(plain_case.assessment, PLACES).splitlines()
    commands = [parsed(line) for line in lines]
    assert [command for command, _, _ in commands[:6]] == ["error"] * 6
    assert commands[0][1] == {"file": "policy/p.yaml", "title": "Model M: limited deployment is closed"}
    finding = next(one for one in commands if one[1]["title"] == "Model M: BIO is not ruled out")
    assert finding[0] == "error"
    assert finding[1] == {"file": "policy/p.yaml", "line": "12", "col": "5", "title": "Model M: BIO is not ruled out"}
    assert finding[2].splitlines()[1].startswith("- 1 of 2 indicators cross")
    assert {title: command for command, properties, _ in commands for title in [properties["title"]]}[
        "Model M: NEW is not assessed"
    ] == "warning"


def test_one_action_annotates_only_its_gate(plain_case):
    assert "is closed" not in annotations(plain_case.assessment, action="train")
    assert annotations(plain_case.assessment, action="general").count("is closed%0A") == 2


def test_hostile_text_starts_no_command(hostile_case):
    text = annotations(hostile_case.assessment, PLACES)
    for line in text.splitlines():
        assert parsed(line)[0] in ("error", "warning", "notice")
    assert not set(text) & set("\x1b\x07\x00\r\u202e")


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_any_text_survives_the_round_trip(message, title, file):
    line = workflow_command("error", message, title, Where(file, 3))
    assert "\n" not in line
    assert "\r" not in line
    command, properties, shown = parsed(line)
    if not any(code in text for text in (message, title, file) for code in ("%3A", "%2C", "%0D", "%0A", "%25")):
        assert (command, shown) == ("error", clean(message))
        assert properties == {"file": clean(file), "line": "3", "title": clean(title)}


@pytest.mark.parametrize(
    ("text", "shown"), [("a%0Ab", "a%250Ab"), ("a\nb", "a%0Ab"), ("a\r\nb", "a%0Ab"), ("a::b,c", "a::b,c")]
)
def test_message_is_escaped(text, shown):
    assert workflow_command("notice", text, "t") == f"::notice title=t::{shown}"
