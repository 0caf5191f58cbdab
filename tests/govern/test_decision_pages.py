# SPDX-License-Identifier: Apache-2.0
"""Decisions as pages: everything a reader needs is there, and nothing that people wrote steers the reader's tool."""

import json

import pytest

from govern.factories import DAY, FixedKey, a_decision, a_log, a_measure, read, through
from tidegate.govern.decisions import Condition, Notice, Recommendation, signed_over
from tidegate.publish.decision_pages import (
    ShownDecision,
    decision_data,
    decision_markdown,
    decision_panel,
    decisions_table,
)
from tidegate.publish.markdown import escaped
from tidegate.publish.tables import plain

WORDS = "No:\n  ```\n# not a heading\n<script>alert(1)</script> \x1b[31m the margin is *too* small."
DOCUMENT = a_decision(
    question="May m | go out?",
    recommendation=Recommendation(text="Yes, with a watch.", by=("advisory-group",)),
    conditions=(Condition(text="Watch <b>closely</b>.", owner="ada", due=DAY),),
    notices=(Notice(to="board", due=DAY),),
    measures=(a_measure(),),
)


def shown(**changes: tuple[str, ...]) -> ShownDecision:
    log = through(a_log(), DOCUMENT)
    log.dissent(DOCUMENT, "cleo", WORDS)
    log.recuse("d-1", "kim")
    return ShownDecision(read(log).decision("d-1"), **changes)


def test_a_page_says_who_signed_what_in_which_role_with_which_key():
    page = decision_markdown(shown())
    assert page.startswith("# Decision d-1: effective\n\nMay m \\| go out?\n")
    assert f"| ben | ceo | 2026-05-01T12:00:00Z | {escaped(FixedKey('ben').fingerprint)} | " in page
    for one in signed_over(DOCUMENT):
        assert f"| {one.name} | {one.digest} |" in page
    assert escaped("dan supports (2026-05-01T12:00:00Z, entry 9): It holds.") in page
    assert "| 2026-05-01 | ada | Watch &lt;b&gt;closely&lt;/b&gt;. |" in page
    assert "| 2026-05-01 | to the board | is told |" in page
    assert "recommended by advisory-group: Yes, with a watch." in page
    assert "counts until 2026-12-31" in page
    assert "A friend asks." in page


def test_dissent_is_verbatim_and_inert():
    page = decision_markdown(shown())
    verbatim = WORDS.replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    assert f"````text\n{verbatim}\n````" in page
    text = plain(decision_panel(shown()))
    assert "      # not a heading" in text
    assert "the margin is *too* small." in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("changes", "said", "counts"),
    [
        ({}, "yes", True),
        ({"against": ("suspect: the evidence changed",)}, "suspect: the evidence changed", False),
        ({"missing": ("a: 1 of 2 signatures",)}, "1 of 2 signatures", False),
    ],
)
def test_what_stands_against_it_is_said(changes, said, counts):
    one = shown(**changes)
    assert one.counts == counts
    assert said in plain(decisions_table([one]), 200)
    assert ("## Why it does not count" in decision_markdown(one)) == (not counts)
    assert decision_data(one)["counts"] == counts


def test_the_terminal_shows_the_same_parts():
    text = plain(decision_panel(shown(against=("suspect: the evidence changed",))), 140)
    for heading in ("Why it does not count", "Decided", "Signatures", "Signed over", "Reviews", "Stepped back",
                    "Dissent", "Conditions and notices", "Measures", "History"):  # fmt: skip
        assert f"\n{heading}\n" in text
    assert "put by ada" in text
    assert "im-1, interim measure until 2026-06-01 for T1-deploy (limited deployment; not public)" in text


def test_the_data_is_plain():
    made = json.loads(json.dumps(decision_data(shown())))
    assert made["document"]["question"] == "May m | go out?"
    assert [one["person"] for one in made["signatures"]] == ["ada", "ben"]
    assert made["signatures"][0]["over"][0] == {"name": "decision", "digest": DOCUMENT.digest}
    assert made["dissents"][0]["text"] == WORDS


def test_a_decision_that_ended_lacks_nothing():
    log = through(a_log(), DOCUMENT, "proposed")
    log.move("d-1", "revoked", reason="Withdrawn.")
    record = read(log).decision("d-1")
    one = ShownDecision(record, ("is revoked",), record.missing())
    assert one.reasons == ("is revoked",)
    assert not one.counts
    assert "revoked, entered by ada: Withdrawn." in plain(decision_panel(one), 140)
