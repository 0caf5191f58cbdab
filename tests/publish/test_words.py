# SPDX-License-Identifier: Apache-2.0
"""Cleaned text steers no terminal and fits into XML."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.assess.model import RequirementFinding
from tidegate.publish.words import clean, is_met_for, one_line, shortened


@given(st.text())
def test_clean_text_has_no_controls_and_keeps_the_rest(text):
    kept = clean(text)
    for one in kept:
        assert one in "\n\t‌‍" or unicodedata.category(one)[0] != "C"
    assert clean(kept) == kept
    visible = [one for one in text.replace("\r\n", "\n") if unicodedata.category(one)[0] not in "CZ"]
    assert visible == [one for one in kept if one in visible] or "�" in text


@given(st.text(), st.integers(2, 30))
def test_shortened_text_is_one_short_line(text, most):
    cut = shortened(text, most)
    assert len(cut) <= most
    assert "\n" not in cut
    assert cut == one_line(text) or cut.endswith("…")


def requirement(state, *actions, binds=True):
    return RequirementFinding(
        requirement="r", kind="halt", target=None, actions=actions, binds=binds, state=state, reason="x"
    )


@pytest.mark.parametrize(
    ("requirements", "action", "expected"),
    [
        ((), "general", True),
        ((requirement("not_met", "general"),), "general", False),
        ((requirement("unknown", "general"),), "train", True),
        ((requirement("unknown", "general"),), None, False),
        ((requirement("expired", "general", binds=False),), "general", True),
        ((requirement("met", "general"), requirement("expired", "general")), "general", False),
    ],
)
def test_requirements_of_an_action(requirements, action, expected):
    assert is_met_for(requirements, action) is expected
