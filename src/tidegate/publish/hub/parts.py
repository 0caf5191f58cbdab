# SPDX-License-Identifier: Apache-2.0
"""What pages are made of. Everything here is text, numbers, days and tuples, so that a page's digest is exact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tidegate.publish.content import Content
from tidegate.publish.coverage import FrameworkCoverage, coverage
from tidegate.publish.hub.addresses import addresses, proof_file
from tidegate.publish.hub.speech import ENGLISH, Speech
from tidegate.publish.inventory import Known, Worth, worth
from tidegate.publish.practices import Practice, Statement
from tidegate.publish.report import safe_url


class Link(NamedTuple):
    """Words that lead somewhere, or stand alone where there is nothing to lead to."""

    words: str
    href: str | None = None
    """From the site's root, or a page of others."""
    note: str = ""
    """A remark beside it: the day, the kind."""


class SaidView(NamedTuple):
    """A statement of the organisation, with what it is worth."""

    paragraphs: tuple[str, ...]
    badge: str
    reason: str
    as_of: str
    records: tuple[Link, ...]
    missing: tuple[str, ...]


class RecordProof(NamedTuple):
    """A record of a page whose entry in the log can be proven."""

    words: str
    entry: int | None
    file: str


@dataclass(frozen=True)
class Sheet:
    """A page of the site, before it is rendered."""

    path: str
    template: str
    title: str
    view: Mapping[str, Any]
    """What the template shows."""
    nav: str = ""
    """Part of the site that it belongs to."""
    proofs: tuple[RecordProof, ...] = ()
    """Records on it that the log proves."""
    trail: tuple[Link, ...] = ()
    """Pages above it."""
    parts: tuple[Link, ...] = ()
    """Pages that it continues on or from, where it is split."""


@dataclass(frozen=True)
class Hub:
    """What is published, with what every page needs to know."""

    content: Content
    speech: Speech = ENGLISH
    base_url: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    """Reference -> address."""
    covered: tuple[FrameworkCoverage, ...] = ()
    """What answers each framework."""

    def say(self, message: str, **values: object) -> str:
        """Give one of the program's messages in the site's language."""
        return self.speech.gettext(message, **values)

    def link(self, ref: str, words: str | None = None) -> Link:
        """Give a link to a record by its reference."""
        known = self.content.inventory.find(ref)
        kind, _, name = ref.partition(":")
        if kind == "url":
            return Link(words or name, safe_url(name))
        title = words or (known.title if known else name)
        return Link(title, self.where.get(ref) or _inner(known), _note(ref, known))

    def item_address(self, ref: str) -> str | None:
        """Give where an item of a framework stands; its framework's page if it has no such item."""
        return self.where.get(f"framework:{ref}") or self.where.get(f"framework:{ref.partition('#')[0]}")

    def said(self, statement: Statement, practice: Practice | None = None) -> SaidView:
        """Give a statement with its badge and the records that it rests on."""
        found = worth(statement, practice, self.content.inventory, self.content.at)
        return SaidView(
            paragraphs(statement.text),
            found.badge,
            found.reason,
            _day(found),
            self._rests_on(statement, found),
            found.missing,
        )

    def _rests_on(self, statement: Statement, found: Worth) -> tuple[Link, ...]:
        pages = [one for one in statement.evidence if one.startswith("url:")]
        return tuple(self.link(one) for one in dict.fromkeys((*(known.ref for known in found.records), *pages)))

    def proofs_of(self, refs: Iterable[str]) -> tuple[RecordProof, ...]:
        """Give the proofs that are published for records, each once."""
        found = dict.fromkeys(one for one in refs if one in self.content.proofs)
        return tuple(RecordProof(self.link(one).words, _entry(self.content, one), proof_file(one)) for one in found)


def hub_of(
    content: Content,
    speech: Speech = ENGLISH,
    base_url: str | None = None,
    facts: frozenset[str] = frozenset(),
) -> Hub:
    """Give what pages are made from."""
    covered = coverage(content, facts=facts)
    return Hub(content, speech, base_url, addresses(content, covered), covered)


def paragraphs(text: str) -> tuple[str, ...]:
    """Give the paragraphs of a text: a blank line begins a new one."""
    return tuple(one.strip() for one in text.replace("\r\n", "\n").split("\n\n") if one.strip())


def _inner(known: Known | None) -> str | None:
    return safe_url(known.href) if known is not None else None


def _note(ref: str, known: Known | None) -> str:
    kind = ref.partition(":")[0]
    return " ".join(one for one in (kind, known.on.isoformat() if known and known.on else "") if one)


def _day(found: Worth) -> str:
    return found.as_of.isoformat() if found.as_of else ""


def _entry(content: Content, ref: str) -> int | None:
    known = content.inventory.find(ref)
    return known.entry if known else None
