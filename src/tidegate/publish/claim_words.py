# SPDX-License-Identifier: Apache-2.0
"""Words that give a weak claim away, and bodies that have another name by now."""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Literal, NamedTuple

from pydantic import Field

from tidegate.kernel.documents import parse_document, validate_part
from tidegate.kernel.record import Record

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_US = r"\b(?:we|our (?:\w+ ){0,2}\w+|the (?:company|organi[sz]ation)|it is our policy that we)\b"
LINK = re.compile(r"\[([^\[\]]{1,200})\]\(([^()\s]{0,500})\)")
"""A link in Markdown: words and address."""
MODAL = re.compile(
    rf"{_US}(?: also| then)?,? (?:may|might|could|can)(?: also)?(?:,[^,.;]{{1,60}},)?(?! not\b) (?P<verb>[a-z]+)",
    re.IGNORECASE,
)
"""The organisation may do something: it promises nothing."""

_WORKING = r"(?:aim|strive|seek|endeavou?r|hope|aspire|try|intend)"
WISH = re.compile(rf"{_US}(?: also)?(?: (?:will|are|is))? {_WORKING}(?:s|ing)? (?:to|towards?|for)\b", re.IGNORECASE)
"""It aims to do something: nobody can check that."""

PROMISE = re.compile(
    rf"{_US}(?:['\u2019]ll| will(?! not\b)| commits? to| promises? to| plans? to| (?:are|is) going to)\b", re.IGNORECASE
)
"""It says that it will do something."""

CONDITION = re.compile(r"\b(?:when|whenever|if|once|upon|unless|until|before|after|in response to)\b", re.IGNORECASE)
"""A promise that something sets off has its date in that."""
ABOUT_THE_TEXT = re.compile(
    r"\b(?:this|the following|these) (?:page|section|report|document|hub)s?\b|\bbelow\b", re.IGNORECASE
)
"""The text speaks of itself."""

DAY = re.compile(
    r"\b(?:19|20)\d\d\b|\bwithin (?:\d+|\w+) (?:hours?|days?|weeks?|months?|years?)\b"
    r"|\bby (?:the end of|next|january|february|march|april|may|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)
"""A day, year or deadline."""

HOW_OFTEN = re.compile(
    r"\b(?:regularly|periodically|frequently(?! enough)|occasionally|from time to time|on an ongoing basis|as needed|as appropriate"
    r"|as necessary|when necessary|where appropriate|in a timely manner)\b"
    r"|\bon an? (?:regular|periodic|rolling) basis\b"
    r"|\bat (?:defined|regular|set|fixed|appropriate|specified|planned) intervals\b"
    r"|\b(?:regular|periodic|frequent|ongoing) (?:\w+ )?"
    r"(?:reviews?|updates?|evaluations?|tests?|testing|audits?|assessments?|training|reports?|monitoring)\b",
    re.IGNORECASE,
)
"""How often, in words that name no frequency."""

_THING = r"(?P<thing>metrics?|figures?|tables?|charts?|graphs?|numbers|statistics|diagrams?|data)"
ABOVE_OR_BELOW = re.compile(
    rf"\b(?:the|these|those|see) (?:\w+ ){{0,2}}?{_THING} (?P<where>above|below)\b"
    rf"|\b(?P<where2>above|below|preceding|aforementioned) {_THING.replace('thing', 'thing2')}\b",
    re.IGNORECASE,
)
"""Something that the page is said to hold above or below."""
_NUMBER = r"(?<![\w.:/-])(?<!\d,)"
"""A number begins here, and not within another one: else a long row of digits would be read over and over."""
FIGURES = re.compile(rf"{_NUMBER}\d[\d,.]*\d?(?:\s*%|\b)(?!:)")
DRAWN = re.compile(r"^\s*\||\b(?:table|figure|chart) \d", re.IGNORECASE)

_WORD_NUMBER = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens of|hundreds of|thousands of|millions of"
)
COUNT = re.compile(
    rf"{_NUMBER}(?:(?:over|more than|up to|at least|nearly|almost|about|around) )?"
    rf"(?:\d[\d,.]*\s?(?:%|percent\b|per cent\b)|(?:\d[\d,]*|{_WORD_NUMBER}) (?:[\w-]+ ){{0,3}}?(?P<noun>[a-z]+s)\b)",
    re.IGNORECASE,
)
"""A number of things, or a share."""
_NO_THINGS = re.compile(
    r"(?:areas|sections|parts|ways|categories|principles|points|themes|steps|kinds|types|things|reasons|days|weeks"
    r"|months|years|hours|minutes|numbers|digits|letters|words|sentences|lines|halves|sides|is|has|was|as|this|its|us)",
    re.IGNORECASE,
)
"""Words after a number that make it no count of anything that exists."""

NOW = re.compile(
    r"\b(?:currently|at present|at the moment|to date|so far|recently|in the process of|are (?:now )?implementing)\b",
    re.IGNORECASE,
)
"""Words that are true on some day only."""

_WHOM = (
    r"(?:staff|employees?|personnel|workers|teams?|engineers?|contractors|models?|systems?|releases?|incidents?|reports?"
    r"|requests?|information|documents?|vendors?|suppliers?|vulnerabilit(?:y|ies)|evaluations?|requirements?|risks?)"
)
ALL = re.compile(
    rf"\b(?:all|every)(?: of)?(?: the| our| its)?(?: \w+)? {_WHOM}\b|\balways\b|\bnever\b|\b100\s?%"
    r"|\bin (?:all|every) cases?\b|\bwithout exception\b|\bfully compl(?:y|ies|iant)\b|\bat all times\b",
    re.IGNORECASE,
)
"""A claim about all of something."""


class Count(NamedTuple):
    """A number of things that a text gives."""

    start: int
    words: str
    is_share: bool
    """True for a percentage."""


def counts_in(text: str) -> Iterator[Count]:
    """Give the counts in a text: ``two private programs``, ``over 160 countries``, ``up to 25%``.

    >>> [one.words for one in counts_in("We run two private bug bounty programs since 2023, under ISO 42001 rules.")]
    ['two private bug bounty programs']
    """
    for found in COUNT.finditer(text):
        words, noun = found.group(), found.group("noun")
        if noun is not None and (_NO_THINGS.fullmatch(noun) or _is_a_name(text, found.start(), words)):
            continue
        yield Count(found.start(), words, noun is None)


def _is_a_name(text: str, start: int, words: str) -> bool:
    """Tell whether a number belongs to a name or a date: ``SB 53``, ``Claude 3``, ``September 2023``, ``in 2024``."""
    if re.match(r"(?:19|20)\d\d\b", words):
        return True
    before = text[:start].rstrip().rsplit(" ", 1)[-1]
    return words[0].isdigit() and before[:1].isupper() and before[-1:] not in ".:;" and start > len(before) + 1


class RenamedBody(Record):
    """A body that has another name by now."""

    names: tuple[str, ...]
    """Names that it had."""
    now: str
    """Its name today."""
    since: date
    """First day of the new name."""
    source: str
    """Where that is stated."""


class RenamedBodies(Record):
    """The list of renamed bodies."""

    schema_: Literal["tidegate/renamed-bodies/v1"] = Field(alias="schema")
    """Names this format."""
    bodies: tuple[RenamedBody, ...]
    """The bodies."""


@lru_cache(maxsize=1)
def renamed_bodies() -> tuple[RenamedBody, ...]:
    """Give the bodies that have another name by now."""
    # The list is part of the installed program: it does not change while it runs.
    source = resources.files("tidegate.packs") / "claims" / "renamed.yaml"
    document = parse_document(source.read_bytes(), "packs/claims/renamed.yaml")
    return validate_part(document, RenamedBodies).bodies


def old_names_in(text: str, at: date) -> Iterator[tuple[int, str, RenamedBody]]:
    """Give the names in a text that were replaced by a day: where, the words, and the body."""
    taken: list[range] = []
    for body in renamed_bodies():
        for name in sorted(body.names, key=len, reverse=True):
            for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
                span = range(found.start(), found.end())
                if body.since <= at and not any(span.start < one.stop and one.start < span.stop for one in taken):
                    taken.append(span)
                    yield found.start(), name, body


def plain_words(title: str) -> str:
    """Give what two ways of writing one title have in common.

    >>> plain_words("Security & Privacy") == plain_words("security and privacy")
    True
    """
    text = title.casefold().replace("&", " and ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("'s", "")
    return " ".join(re.findall(r"[a-z0-9]+", text))
