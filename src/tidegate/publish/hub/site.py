# SPDX-License-Identifier: Apache-2.0
"""The whole site: every file with the digest of what it is made from, rendered only when somebody wants it.

The same content gives the same bytes. A file whose digest has not changed need not be made again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tidegate.kernel.canonical import digest_bytes
from tidegate.publish.content import Content
from tidegate.publish.hub.addresses import proof_file
from tidegate.publish.hub.archive import Snapshot, archive_sheets
from tidegate.publish.hub.commitment_views import commitment_sheets
from tidegate.publish.hub.duty_views import duty_sheets
from tidegate.publish.hub.feed import feed
from tidegate.publish.hub.front_views import front_sheets
from tidegate.publish.hub.model_views import model_sheets
from tidegate.publish.hub.parts import Hub, Sheet, hub_of
from tidegate.publish.hub.policy_views import policy_sheets
from tidegate.publish.hub.practice_views import section_sheets
from tidegate.publish.hub.rendering import Renderer
from tidegate.publish.hub.search import entries, index_files, search_sheets
from tidegate.publish.hub.speech import ENGLISH, Speech

ASSETS = ("hub.css", "hub.js")


@dataclass(frozen=True)
class SiteOptions:
    """How the site is made."""

    speech: Speech = ENGLISH
    """Language of the program's own words."""
    base_url: str | None = None
    """Where the site will stand, with a slash at its end: for the ids and links of the feed."""
    archives: tuple[Snapshot, ...] = ()
    """Half-years that are kept, the present one with them."""
    facts: frozenset[str] = frozenset()
    """What is so of the organisation, which decides what binds it."""
    made_with: tuple[str, ...] = ()
    """Options of the command that makes the same site again."""


@dataclass(frozen=True)
class Leaf:
    """A file of the site."""

    path: str
    digest: str
    """Digest of everything that it is made from."""
    make: Callable[[], bytes]
    """Gives its bytes."""


Site = Mapping[str, Leaf]
"""Address from the site's root -> file."""


def build(content: Content, options: SiteOptions = SiteOptions()) -> Site:
    """Give the site of what an organisation publishes; nothing is rendered yet."""
    hub = hub_of(content, options.speech, options.base_url, options.facts, options.made_with)
    renderer = Renderer(hub)
    found: dict[str, Leaf] = {}
    for one in (*_pages(hub, renderer, options), *_files(hub, renderer)):
        found.setdefault(one.path, one)
    return found


def rendered(site: Site) -> dict[str, bytes]:
    """Give every file of a site."""
    return {path: leaf.make() for path, leaf in site.items()}


def _pages(hub: Hub, renderer: Renderer, options: SiteOptions) -> Iterator[Leaf]:
    for sheet in _sheets(hub, options):
        yield Leaf(sheet.path, renderer.digest_of(sheet), partial(renderer.render, sheet))


def _sheets(hub: Hub, options: SiteOptions) -> Iterator[Sheet]:
    yield from front_sheets(hub)
    yield from section_sheets(hub)
    yield from commitment_sheets(hub)
    yield from model_sheets(hub)
    yield from policy_sheets(hub)
    yield from duty_sheets(hub)
    yield from archive_sheets(hub, options.archives)
    yield from search_sheets(hub, entries(hub))


def _files(hub: Hub, renderer: Renderer) -> Iterator[Leaf]:
    yield from (_leaf(f"assets/{name}", renderer.asset(name)) for name in ASSETS)
    yield _leaf("feed.atom", feed(hub))
    yield from (_leaf(name, data) for name, data in index_files(entries(hub)))
    if hub.content.head is not None:
        yield _leaf("log/checkpoint.txt", hub.content.head.note.encode())
    yield from (_leaf(proof_file(ref), text.encode()) for ref, text in hub.content.proofs.items())


def _leaf(path: str, data: bytes) -> Leaf:
    return Leaf(path, digest_bytes(data), lambda: data)
