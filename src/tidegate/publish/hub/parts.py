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
    day: str = ""
    """Its day, where it has one."""


class SaidView(NamedTuple):
    """A statement of the organisation, with what it is worth."""

    paragraphs: tuple[str, ...]
    badge: str
    why: str
    """Why nothing shows it, or nothing does any more; empty where its badge says enough."""
    as_of: str
    records: tuple[Link, ...]


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
    made_with: tuple[str, ...] = ()
    """Options of the command that makes the same site again."""

    def say(self, message: str, **values: object) -> str:
        """Give one of the program's messages in the site's language."""
        return self.speech.gettext(message, **values)

    def link(self, ref: str, words: str | None = None) -> Link:
        """Give a link to a record by its reference."""
        known = self.content.inventory.find(ref)
        kind, _, name = ref.partition(":")
        if kind == "url":
            return Link(words or name, safe_url(name))
        title = words or self._title(kind, name, known)
        # A part of a record, such as the triggers of a policy, stands where the record stands.
        href = self.where.get(ref) or self.where.get(ref.partition("#")[0])
        return Link(title, href, known.on.isoformat() if known and known.on else "")

    def _title(self, kind: str, name: str, known: Known | None) -> str:
        record = self.content.evidence.get(name) if kind == "evidence" else None
        title = known.title if known else name
        return f"{title}, {record.subject.model}" if record is not None else title

    def item_address(self, ref: str) -> str | None:
        """Give where an item of a framework stands; its framework's page if it has no such item."""
        return self.where.get(f"framework:{ref}") or self.where.get(f"framework:{ref.partition('#')[0]}")

    def said(self, statement: Statement, practice: Practice | None = None, model: str | None = None) -> SaidView:
        """Give a statement with its badge and the records that it rests on.

        Args:
            statement: what is said.
            practice: the practice that it is said of.
            model: model on whose page it stands, and which its records have to be about.
        """
        content, models = self.content, () if model is None else (model,)
        found = worth(statement, practice, content.inventory, content.at, models)
        why = found.reason if found.badge in ("aged", "dangling") or statement.evidence else ""
        return SaidView(
            paragraphs=paragraphs(statement.text),
            badge=found.badge,
            why=found.outdated or ("" if found.badge in ("verified", "attested") else why),
            as_of=_day(found),
            records=self._rests_on(statement, found),
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
    made_with: tuple[str, ...] = (),
) -> Hub:
    """Give what pages are made from."""
    covered = coverage(content, facts=facts)
    return Hub(content, speech, base_url, addresses(content, covered), covered, made_with)


def paragraphs(text: str) -> tuple[str, ...]:
    """Give the paragraphs of a text: a blank line begins a new one."""
    return tuple(one.strip() for one in text.replace("\r\n", "\n").split("\n\n") if one.strip())


def _day(found: Worth) -> str:
    return found.as_of.isoformat() if found.as_of else ""


def _entry(content: Content, ref: str) -> int | None:
    known = content.inventory.find(ref)
    return known.entry if known else None
