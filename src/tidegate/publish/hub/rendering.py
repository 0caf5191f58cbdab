# SPDX-License-Identifier: Apache-2.0
"""Pages from templates: everything escaped and cleaned, nothing fetched, no script but the site's own."""

from functools import cached_property
from importlib import resources
from typing import Any

from jinja2 import Environment

from tidegate.kernel.canonical import digest_bytes
from tidegate.publish.hub.parts import Hub, Sheet
from tidegate.publish.report import page_environment, safe_url

PARTS_OF_SITE = ("front", "practices", "models", "commitments", "compliance", "policy", "changes", "search")


class Renderer:
    """Makes pages; its digest changes with everything that all pages share."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    @cached_property
    def digest(self) -> str:
        """Digest of templates, language, day and log: of all that every page shows."""
        folder = resources.files("tidegate.publish") / "templates" / "hub"
        sources = sorted((one.name, digest_bytes(one.read_bytes())) for one in folder.iterdir() if one.is_file())
        return digest_bytes(repr((sources, self._shared)).encode())

    def digest_of(self, sheet: Sheet) -> str:
        """Give the digest of everything that a page is made from."""
        return digest_bytes(f"{self.digest}{sheet!r}".encode())

    def render(self, sheet: Sheet) -> bytes:
        """Give the bytes of a page."""
        root = "../" * sheet.path.count("/")
        template = self._environment.get_template(f"hub/{sheet.template}.j2")
        return template.render(page=sheet, root=root, **self._shared, **sheet.view).encode()

    def asset(self, name: str) -> bytes:
        """Give a file that every page uses, as it ships."""
        return (resources.files("tidegate.publish") / "templates" / "hub" / name).read_bytes()

    @cached_property
    def _shared(self) -> dict[str, Any]:
        content, speech = self.hub.content, self.hub.speech
        head = content.head
        return {
            "organisation": content.organisation,
            "at": content.at.isoformat(),
            "website": safe_url(content.website),
            "contact": content.contact or "",
            "log": None if head is None else (head.origin, head.size, head.root),
            "lang": speech.tag,
            "dir": speech.direction,
            "is_english": speech.tag.split("-")[0] == "en",
            "base_url": self.hub.base_url,
            "speech_digest": speech.digest,
        }

    @cached_property
    def _environment(self) -> Environment:
        speech = self.hub.speech
        made = page_environment()
        made.add_extension("jinja2.ext.i18n")
        made.install_gettext_translations(speech.translations, newstyle=True)  # type: ignore[attr-defined]
        made.globals |= {"word": speech.word}
        return made
