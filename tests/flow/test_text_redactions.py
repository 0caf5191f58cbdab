# SPDX-License-Identifier: Apache-2.0
"""The register of withheld words: adding to it, how the texts fit, and showing what was withheld."""

from datetime import date
from itertools import count
from pathlib import Path

import pytest

from tidegate.flow import World
from tidegate.flow.text_redactions import add_redaction, redaction_status, reveals
from tidegate.kernel.clock import fixed_clock
from tidegate.kernel.errors import ProjectError, PublicationError
from tidegate.store.project import create_project
from tidegate.store.publication import read_text_redactions

PROJECT = "schema: tidegate/project/v1\norganisation: Example\npolicy: {pack: starter}\n"
PRACTICE = """\
schema: tidegate/practice/v1
id: hardening
section: security
title: Hardening
statements:
  - text: Keys are kept in [[R-1|the Acme vault]].
"""
WHY = ("trade_secret", "name of a supplier", "the contract forbids it")


def a_world(folder: Path, practice: str = PRACTICE) -> World:
    create_project(folder / "p", {"tidegate.yaml": PROJECT, "hub/hardening.yaml": practice})
    numbers = count(1)
    return World(folder / "p", fixed_clock(date(2026, 6, 1)), ids=lambda: f"{next(numbers):032x}")


def test_a_redaction_is_added_with_a_salt_of_its_own(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    first, second = add_redaction(world, "R-1", *WHY), add_redaction(world, "R-2", *WHY)
    assert first.salt == f"{1:032x}{2:032x}"
    assert second.salt == f"{3:032x}{4:032x}"
    assert read_text_redactions(world.root).redactions == (first, second)


def test_status_tells_what_is_used_and_what_not(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    found = redaction_status(world)
    assert [one.message for one in found.problems] == [
        "practice hardening, statements.0.text: the register has no redaction R-1"
    ]
    add_redaction(world, "R-1", *WHY)
    add_redaction(world, "R-2", *WHY)
    found = redaction_status(world)
    assert [(one.id, one.where) for one in found.used] == [("R-1", ("practice hardening",))]
    assert found.unused == ("R-2",)
    assert [one.severity for one in found.problems] == ["warning"]
    assert "Acme" not in repr(found)


def test_words_and_salt_reveal_a_redaction(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    salt = add_redaction(world, "R-1", *WHY).salt
    assert reveals(world, "R-1", "the Acme vault", salt)
    assert not reveals(world, "R-1", "another vault", salt)
    assert not reveals(world, "R-1", "the Acme vault", "00" * 32)
    with pytest.raises(PublicationError, match="no text withholds anything as R-2") as refused:
        reveals(world, "R-2", "the Acme vault", salt)
    assert refused.value.problems[0].code == "PUB005"


def test_an_id_is_given_once(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    add_redaction(world, "R-1", *WHY)
    with pytest.raises(PublicationError, match="there is a redaction R-1 already"):
        add_redaction(world, "R-1", *WHY)
    assert len(read_text_redactions(world.root).redactions) == 1


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (("R-1", "trade_secrets", "c", "j"), "PRJ005", "'trade_secrets' is not a ground"),
        (("R|1", "privacy", "c", "j"), "PUB005", "id: no id"),
        (("R-1", "privacy", "", "j"), "PUB005", "character: it is empty"),
        (("R-1", "privacy", "c", "j" * 2001), "PUB005", "justification: it is too long"),
    ],
)
def test_what_is_not_in_order_is_refused_and_nothing_written(tmp_path: Path, given, code: str, told: str) -> None:
    world = a_world(tmp_path)
    with pytest.raises((ProjectError, PublicationError), match=told) as refused:
        add_redaction(world, *given)
    assert refused.value.problems[0].code == code
    assert read_text_redactions(world.root).redactions == ()
