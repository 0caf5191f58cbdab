# SPDX-License-Identifier: Apache-2.0
"""What the words of an answer do: answer, only point elsewhere, only say yes, name a frequency, speak of a topic."""

import re
from collections.abc import Iterable

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?!\s*[a-z])")
_LEADS = r"(?:(?:also|further(?:more)?|in addition|specifically|please|and|kindly)[,\s]+)*"
_LOOK = (
    r"(?:see|refer to|visit|consult|read|go to|check|have a look at|find (?:it|this|more|details)|look (?:at|in|up))"
)
_SHOW = r"(?:describes?|documents?|explains?|sets? out|covers?|addresse?s?|answers?|gives?|has|have|holds?|contains?|provides?)"
_SHOWN = r"(?:described|documented|explained|set out|covered|addressed|answered|given|stated|discussed|detailed|noted)"
_POINTER = re.compile(
    rf"^{_LEADS}{_LOOK}\b"
    rf"|^{_LEADS}(?:for|on) [^.]*?,\s*{_LEADS}{_LOOK}\b"
    r"|\b(?:can|may|will) be found\b"
    r"|^(?:more|further|additional|all|the)?\s*(?:information|details?|answers?|this|it|these)\b[^.]*?\b(?:is|are) "
    r"(?:\w+ )?(?:described|documented|available|set out|explained|covered|given|stated|provided|found)? ?"
    r"(?:in|at|on|under) (?:our|the|this|https?:)"
    r"|^(?:\[[^\[\]]*\]\([^()]*\)|(?:https?://|www\.)\S+)$"
    rf"|^(?:as )?{_SHOWN} (?:in|at|on|under|above|below)\b[^,]*$"
    r"|^(?:same as|cf\.?|compare)\s[^,]*$"
    rf"|^{_LEADS}(?:you (?:can|may|will) find|we refer (?:you )?to)\b[^,]*$"
    r"|^(?:more|further|additional) (?:information|details?)\s*:"
    rf"|^we (?:\w+ )?{_SHOW} (?:this|these|it|them|the (?:details?|answers?)) (?:in|at|on|under)\b[^,]*$"
    rf"|^(?:our|the) [^,]*? {_SHOW} (?:this|these|it|them|(?:more|further|the|all)(?: the)? (?:information|details?))\W*$",
    re.IGNORECASE,
)
_YES = re.compile(
    r"^(?:yes|no|correct|indeed|absolutely|of course|certainly|definitely|we (?:certainly |fully |always )?do(?: so| that| this)?"
    r"|it does|(?:this|that) is (?:the case|correct|right|so)|applicable|all of (?:it|them|this|these|the above)|included)\b[\s.,;:!-]*",
    re.IGNORECASE,
)
_ALL_OF_IT = re.compile(
    r"^(?:yes[,.]?\s+)?all (?:of )?(?:the|this|these|it|them)\b[^.]*\b(?:included|covered|listed|published|available)\b",
    re.IGNORECASE,
)
_AROUND = " -*_•(\"'\N{LEFT DOUBLE QUOTATION MARK}"
"""What may stand before the words of a sentence."""
LONGEST_POINTER = 800
"""Whoever only says where to look needs fewer characters; what is longer says something, and would take long to read."""
FEWEST_WORDS = 4
"""An answer that has fewer words besides its yes says no more than yes."""
_UNIT = r"(?:hour|day|week|fortnight|month|quarter|half[- ]year|year)s?"
_FREQUENCY = re.compile(
    rf"\b(?:every|each|per|once an?|twice an?|times an?|at least an?)\s+(?:\w+[- ]){{0,2}}?{_UNIT}\b"
    r"|\b(?:hourly|daily|weekly|fortnightly|monthly|bimonthly|quarterly|annual|annually|yearly|biannually|semi-?annually"
    r"|half-yearly|continuous(?:ly)?|around the clock)\b"
    r"|\b(?:with|at|after|before|on) (?:each|every)\b"
    r"|\bwithin \d+ \w+ (?:of|after)\b"
    r"|\bno fixed (?:interval|frequency|schedule)\b",
    re.IGNORECASE,
)


def sentences(text: str) -> tuple[str, ...]:
    """Give the sentences of a text."""
    return tuple(one.strip() for one in _SENTENCE.split(text) if one.strip())


def is_only_a_pointer(text: str) -> bool:
    """Tell whether every sentence only says where to look.

    >>> is_only_a_pointer("Please see the section on risk in our hub.")
    True
    >>> is_only_a_pointer("We test each model for a month. Please see our hub.")
    False
    """
    found = sentences(text)
    return bool(found) and all(len(one) <= LONGEST_POINTER and _POINTER.search(one.lstrip(_AROUND)) for one in found)


def is_bare(text: str) -> bool:
    """Tell whether a text says no more than yes.

    >>> is_bare("Yes, we do."), is_bare("Yes: incidents that others report are read every week.")
    (True, False)
    """
    left = text.strip()
    while found := _YES.match(left):
        left = left[found.end() :]
    if len(left.split()) < FEWEST_WORDS:
        return True
    return len(sentences(text)) == 1 and _ALL_OF_IT.match(text.strip()) is not None


def names_frequency(text: str) -> bool:
    """Tell whether a text says how often.

    >>> names_frequency("Reviewed twice a year."), names_frequency("Reviewed regularly.")
    (True, False)
    """
    return _FREQUENCY.search(text) is not None


def speaks_of(topic: Iterable[str], text: str) -> bool:
    """Tell whether one of the words of a topic stands in a text, as the beginning of a word."""
    return any(re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE) for word in topic)


def covers_part(part: str, text: str) -> bool:
    """Tell whether a text names a part of a question: each longer word of its name begins a word of the text."""
    words = [one for one in re.split(r"[^a-z]+", part.casefold()) if len(one) > 3]
    return bool(words) and all(re.search(rf"\b{one[:6]}", text, re.IGNORECASE) for one in words)
