# SPDX-License-Identifier: Apache-2.0
"""The changelog as an Atom feed (RFC 4287)."""

from datetime import date
from xml.etree import ElementTree as ET

from tidegate.kernel.canonical import digest_bytes
from tidegate.publish.hub.parts import Hub
from tidegate.publish.practices import Change
from tidegate.publish.words import clean

ATOM = "http://www.w3.org/2005/Atom"
NEWEST = 50
"""Entries of the feed; older changes stand on the site."""


def feed(hub: Hub) -> bytes:
    """Give the feed; without an address of the site, ids are names made from content, and links are relative."""
    ET.register_namespace("", ATOM)
    content = hub.content
    changes = content.publication.changes.changes[:NEWEST]
    root = ET.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": hub.speech.tag})
    _add(root, "title", f"{content.organisation}: {hub.say('Transparency hub')}")
    _add(root, "id", hub.base_url or _name(content.organisation, hub.speech.tag))
    _add(root, "updated", _instant(max((one.on for one in changes), default=content.at)))
    author = _add(root, "author")
    _add(author, "name", content.organisation)
    _add(root, "generator", "Tidegate")
    _add(root, "link", rel="alternate", type="text/html", href=_address(hub, "changes.html"))
    if hub.base_url:
        _add(root, "link", rel="self", type="application/atom+xml", href=_address(hub, "feed.atom"))
    for number, one in enumerate(changes):
        _entry(root, hub, one, sum(one == other for other in changes[number + 1 :]))
    ET.indent(root, " ")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode").encode() + b"\n"


def _entry(root: ET.Element, hub: Hub, one: Change, repeat: int) -> None:
    entry = _add(root, "entry")
    _add(entry, "title", one.title)
    told = (hub.content.organisation, one.on.isoformat(), one.kind, one.title, one.about or "", str(repeat))
    _add(entry, "id", _name(*told))
    _add(entry, "updated", _instant(one.on))
    _add(entry, "category", term=one.kind, label=hub.speech.word("change", one.kind))
    _add(
        entry,
        "link",
        rel="alternate",
        type="text/html",
        href=_address(hub, hub.where.get(one.about or "") or "changes.html"),
    )
    _add(entry, "summary", f"{hub.speech.word('change', one.kind)}: {one.title}")


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, f"{{{ATOM}}}{name}", {key: clean(value) for key, value in attributes.items()})
    if text:
        made.text = clean(text)
    return made


def _address(hub: Hub, path: str) -> str:
    return f"{hub.base_url}{path}" if hub.base_url else path


def _instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _name(*parts: str) -> str:
    """Give a UUID (version 8, RFC 9562) that stands for the parts, and for no others."""
    found = digest_bytes("\x1f".join(parts).encode()).removeprefix("sha256:")
    variant = "89ab"[int(found[16], 16) % 4]
    return f"urn:uuid:{found[:8]}-{found[8:12]}-8{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"
