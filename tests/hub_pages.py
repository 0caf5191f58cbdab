# SPDX-License-Identifier: Apache-2.0
"""What a page of the hub holds, read from its HTML."""

import re
from html.parser import HTMLParser
from posixpath import dirname, join, normpath


class Read(HTMLParser):
    """What a page holds: its ids, links, addresses of what it loads, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.levels: list[int] = []
        self.handlers: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.handlers += [name for name in found if name.startswith("on") or name == "style"]
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag in ("script", "img", "link", "iframe", "source"):
            self.loads.append(found.get("src") or found.get("href", ""))
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def pages(files: dict[str, bytes]) -> dict[str, Read]:
    return {name: Read(data.decode()) for name, data in files.items() if name.endswith(".html")}


def lost(files: dict[str, bytes]) -> list[str]:
    """Give every link within the site that leads nowhere."""
    read = pages(files)
    found = []
    for name, page in read.items():
        for link in page.links:
            if "://" in link or link.startswith("mailto:"):
                continue
            path, _, fragment = link.partition("#")
            target = normpath(join(dirname(name), path)) if path else name
            if target.startswith("bundles/") or target == "trust.yaml":  # written beside the pages
                continue
            if target not in files or (fragment and fragment not in read[target].ids):
                found.append(f"{name}: {link}")
    return found
