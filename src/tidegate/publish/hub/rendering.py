# SPDX-License-Identifier: Apache-2.0
"""Pages from templates: everything escaped and cleaned, nothing fetched, no script but the site's own."""

import shlex
from functools import cached_property, partial
from importlib import resources
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from tidegate.kernel.canonical import digest_bytes
from tidegate.publish.hub.addresses import slug
from tidegate.publish.hub.parts import Hub, Sheet, paragraphs
from tidegate.publish.report import page_environment, safe_url
from tidegate.publish.words import clean


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
            "doubts": content.doubts,
            "hidden": content.hidden_duties,
            "again": _again(content.at.isoformat(), self.hub.made_with),
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
        made.newstyle_gettext = True  # type: ignore[attr-defined]
        made.globals |= {"word": speech.word, "gettext": self._gettext, "ngettext": self._ngettext}
        made.filters |= {
            "action_word": partial(speech.word, "action"),
            "coverage_word": partial(speech.word, "coverage"),
            "paragraphs": paragraphs,
            "slug": slug,
        }
        return made

    def _gettext(self, message: str, /, **values: object) -> Markup:
        # A catalogue holds no markup: that was checked when it was read.
        return Markup(self.hub.speech.translations.gettext(message)) % _shown(values)  # noqa: S704

    def _ngettext(self, one: str, many: str, n: int, /, **values: object) -> Markup:
        found = self.hub.speech.translations.ngettext(one, many, n)
        return Markup(found) % _shown({"num": n, **values})  # noqa: S704


def _again(day: str, options: tuple[str, ...]) -> str:
    """Give the command that makes the site again."""
    return f"TIDEGATE_TODAY={day} " + shlex.join(("tidegate", "publish", "hub", "--output", "copy", *options))


def _shown(values: dict[str, object]) -> dict[str, object]:
    """Clean what stands within a message; what leaves a template otherwise is cleaned there."""
    return {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
