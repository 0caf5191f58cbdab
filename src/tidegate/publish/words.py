# SPDX-License-Identifier: Apache-2.0
"""Words and cleaned text that every output shares."""

import unicodedata

from tidegate.assess.explain import FLAG_WORDS, relation_words
from tidegate.assess.model import Finding, RequirementFinding, State
from tidegate.assess.whatif import FINDING_WORDS
from tidegate.policy.model import Action

__all__ = [
    "ACTION_WORDS",
    "FINDING_SHORT",
    "FINDING_WORDS",
    "FLAG_WORDS",
    "STATE_WORDS",
    "clean",
    "is_met_for",
    "one_line",
    "relation_words",
    "shortened",
]

FINDING_SHORT: dict[Finding, str] = {
    "ruled_out": "ruled out",
    "not_ruled_out": "not ruled out",
    "reached": "reached",
    "reached_and_mitigated": "mitigated",
    "inconclusive": "inconclusive",
    "not_assessed": "not assessed",
}
"""Each state in at most two short words, for matrices."""

STATE_WORDS: dict[State, str] = {
    "met": "met",
    "not_met": "not met",
    "unknown": "no evidence",
    "expired": "expired",
}
"""State of a requirement or criterion, in words."""

ACTION_WORDS: dict[Action, str] = {
    "train": "train further",
    "internal_use": "internal use",
    "limited": "limited deployment",
    "general": "general deployment",
    "open_weights": "open weights",
}
"""Each action in words."""

_REPLACED = "\N{REPLACEMENT CHARACTER}"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that can move the cursor, reorder text or hide it: controls, formats (among them the
bidirectional overrides), surrogates, private use, unassigned, and the two separators."""
_KEPT = frozenset("\n\t\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")


def clean(text: str) -> str:
    """Give text without characters that steer a terminal, reorder a line or are not allowed in XML.

    Each is replaced by U+FFFD, so that a reader sees that something stood there.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        one if one in _KEPT or unicodedata.category(one) not in _INVISIBLE else _REPLACED
        for one in text.replace("\r\n", "\n")
    )


def one_line(text: str) -> str:
    """Give cleaned text with every run of white space as one space."""
    return " ".join(clean(text).split())


def shortened(text: str, most: int) -> str:
    """Give cleaned text on one line of at most `most` characters, cut with an ellipsis."""
    flat = one_line(text)
    return flat if len(flat) <= most else f"{flat[: most - 1].rstrip()}…"


def is_met_for(requirements: tuple[RequirementFinding, ...], action: Action | None) -> bool:
    """Tell whether every binding requirement that governs the action (any action if none) is met."""
    return all(one.state == "met" for one in requirements if one.binds and (action is None or action in one.actions))
