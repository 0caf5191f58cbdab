# SPDX-License-Identifier: Apache-2.0
"""What the claim linter reads: a project's publication and a text from elsewhere have the same form here."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from tidegate.kernel.errors import Where
from tidegate.policy.framework import FrameworkItem


class Passage(NamedTuple):
    """Words and where they stand."""

    text: str
    where: Where
    """Where they begin."""
    lines: tuple[tuple[int, int], ...] = ()
    """Offset in the text -> line of the file, for words that run over several lines, in order."""

    def at(self, offset: int) -> Where:
        """Give where the word at an offset stands."""
        after = bisect_right(self.lines, offset, key=itemgetter(0))
        return Where(self.where.file, self.lines[after - 1][1] if after else self.where.line)


class Citation(NamedTuple):
    """A framework that a part says it answers, or that a list names."""

    words: str
    """As written."""
    framework: str | None
    """Id of the framework; none if it is not known."""
    where: Where
    is_whole: bool = False
    """True if an item could have been named, and was not."""


@dataclass(frozen=True)
class Part:
    """A section of a page, or a practice."""

    id: str
    """Names it among all parts."""
    title: str
    where: Where
    parent: str | None = None
    """Part that it belongs to."""
    cites: tuple[Citation, ...] = ()
    """Frameworks that it says it answers."""


@dataclass(frozen=True)
class Said:
    """Something that a page says."""

    passage: Passage
    part: str
    """Part that it stands in."""
    shown: bool = False
    """True if a record that counts stands behind it."""
    as_of: date | None = None
    """Day for which it was true."""
    aged: str | None = None
    """Why it counts as aged; none if it does not."""
    owner: str | None = None
    """Who answers for it."""
    cadence: str | None = None
    """How often it is done."""


class Pointer(NamedTuple):
    """Where an answer sends its reader."""

    words: str
    """Title of a section, or words of a link."""
    where: Where
    path: tuple[str, ...] = ()
    """Titles of the parts above it, as written, outermost first."""
    target: str | None = None
    """Address of a link; none for a title that is no link."""
    part: str | None = None
    """Id of the part, where it is named by its id."""


@dataclass(frozen=True)
class Reply:
    """An answer to a question."""

    question: FrameworkItem
    ref: str
    """The question: ``haip#2g.iv``."""
    passage: Passage
    own_words: str
    """What it says itself, without the sentences that only say where to look."""
    pointers: tuple[Pointer, ...] = ()
    shown: bool = False
    """True if a record that counts stands behind it."""
    as_of: date | None = None
    cadence: str | None = None
    """How often, where it is a field of its own."""
    shared_with: str | None = None
    """Question whose answer this is, where several share one."""


class Broken(NamedTuple):
    """A reference by id that names nothing."""

    words: str
    where: Where
    hint: str | None = None


@dataclass(frozen=True)
class Claims:
    """Everything that one text, or one project, claims."""

    parts: tuple[Part, ...] = ()
    said: tuple[Said, ...] = ()
    replies: tuple[Reply, ...] = ()
    listed: tuple[Citation, ...] = ()
    """Frameworks that it says it stands by."""
    broken: tuple[Broken, ...] = ()
    dated: date | None = None
    """Day for which the whole is true."""
    start: Where = field(default=Where(""))
    """Where the text begins."""
    by_id: bool = False
    """True if parts are referred to by id, as in a project."""
    knows_records: bool = False
    """True if statements could name records, as in a project."""
