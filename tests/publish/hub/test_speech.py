# SPDX-License-Identifier: Apache-2.0
"""Every word of ours can be translated, and a catalogue can do no harm."""

import importlib.util
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po, write_po
from pydantic import BaseModel

from hub_factories import a_content
from tidegate.kernel.errors import PublicationError
from tidegate.publish.content import Content
from tidegate.publish.hub.archive import snapshot
from tidegate.publish.hub.site import SiteOptions, build, rendered
from tidegate.publish.hub.speech import ENGLISH, VOCABULARIES, Speech, read_catalogue

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "src" / "tidegate" / "publish" / "locale" / "tidegate.pot"
BEGIN, END = "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}", "\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}"


def extracted() -> bytes:
    spec = importlib.util.spec_from_file_location("extract_messages", ROOT / "tools" / "extract_messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: bytes = module.catalogue()
    return made


def test_the_catalogue_is_current() -> None:
    assert extracted() == TEMPLATE.read_bytes(), "run `python tools/extract_messages.py`"


# --- no word of ours is left out -----------------------------------------------------------------------------


def pseudo(locale: str = "eo") -> bytes:
    """Give a catalogue in which every translation shows that it is one."""
    catalogue = read_po(io.BytesIO(TEMPLATE.read_bytes()), locale=locale)
    for message in catalogue:
        if not message.id:
            continue
        message.flags.discard("fuzzy")
        one = message.id if isinstance(message.id, str) else message.id[0]
        marked = f"{BEGIN}{one}{END}"
        message.string = (marked,) * catalogue.num_plurals if isinstance(message.id, tuple) else marked
    written = io.BytesIO()
    write_po(written, catalogue)
    return written.getvalue()


class Words(HTMLParser):
    """The words of a page that are neither English by their mark nor code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in ("meta", "link", "input", "rect", "line", "circle", "path", "br"):
            apart = tag in ("style", "code", "script") or given.get("lang") == "en"
            self.open.append((tag, apart or any(one for _, one in self.open)))
        for name in ("aria-label", "title", "data-head", "data-some", "data-none", "placeholder", "alt"):
            if given.get(name):
                self.found.append(str(given[name]))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(apart for _, apart in self.open):
            self.found.append(data)


def strings(value: Any) -> Iterator[str]:
    """Give every string within what is published: these are words of others, or ids."""
    if isinstance(value, str):
        yield value
        return
    for one in parts(value):
        yield from strings(one)


def parts(value: Any) -> Iterator[Any]:
    if isinstance(value, BaseModel):
        yield from (getattr(value, name) for name in type(value).model_fields)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from (getattr(value, one.name) for one in fields(value))
    elif isinstance(value, Mapping):
        yield from (*value.keys(), *value.values())
    elif isinstance(value, tuple | list | frozenset | set):
        yield from value
    yield from (
        getattr(value, name)
        for name in ("label", "title", "name")
        if not isinstance(value, tuple) and isinstance(getattr(value, name, None), str)
    )


def ours(text: str, others: list[str]) -> str:
    """Give the letters of a page that are neither translated nor words of others."""
    left = text
    while BEGIN in left and (shorter := re.sub(f"{BEGIN}[^{BEGIN}{END}]*{END}", " ", left)) != left:
        left = shorter
    for one in others:
        if one in left:
            left = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", " ", left)
    return " ".join(re.findall(r"[^\W\d_]{2,}", left))


NAMES = {"Tidegate", "Atom", "checkpoint.txt", "trust.yaml", "log"}
"""Names, which no language changes."""


@pytest.fixture(scope="module")
def small() -> Content:
    return a_content(24, 2, 2, 12, 16)


def test_every_word_of_ours_is_translated(small: Content) -> None:
    speech = read_catalogue(pseudo(), "eo")
    files = rendered(build(small, SiteOptions(speech=speech, archives=(snapshot(small),))))
    spoken = {" ".join(one.removeprefix("url:").split()) for one in strings(small)}
    paragraphs = {" ".join(part.split()) for one in strings(small) for part in one.split("\n\n")}
    others = sorted({one for one in spoken | paragraphs | NAMES if len(one) > 1}, key=len, reverse=True)
    untranslated: dict[str, str] = {}
    for name, data in files.items():
        if name.endswith(".html"):
            for words in Words(data.decode()).found:
                rest = ours(" ".join(words.split()), others)
                if rest:
                    untranslated.setdefault(rest, f"{name}: {words.strip()[:160]}")
    assert untranslated == {}
    assert all('lang="eo" dir="ltr"' in data.decode() for name, data in files.items() if name.endswith(".html"))


def test_a_word_that_was_left_out_would_be_seen() -> None:
    assert ours(f"{BEGIN}Open{END} Model 0 late", ["Model 0"]) == "late"
    page = Words('<p>Forgotten <span lang="en">computed</span> <code>code</code></p><p aria-label="Also">x</p>')
    assert [one.strip() for one in page.found if one.strip()] == ["Forgotten", "Also", "x"]


def test_languages_from_right_to_left_say_so(small: Content) -> None:
    speech = read_catalogue(pseudo("ar"), "ar")
    assert (speech.tag, speech.direction) == ("ar", "rtl")
    page = build(small, SiteOptions(speech=speech))["index.html"].make().decode()
    assert '<html lang="ar" dir="rtl">' in page


def test_plurals_follow_the_language() -> None:
    catalogue = """
msgid ""
msgstr ""
"Language: pl\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"

msgid "%(n)s month"
msgid_plural "%(n)s months"
msgstr[0] "%(n)s miesiąc"
msgstr[1] "%(n)s miesiące"
msgstr[2] "%(n)s miesięcy"
"""
    speech = read_catalogue(catalogue.encode())
    said = [speech.translations.ngettext("%(n)s month", "%(n)s months", n) % {"n": n} for n in (1, 3, 5)]
    assert said == ["1 miesiąc", "3 miesiące", "5 miesięcy"]


def test_another_language_makes_other_pages(small: Content) -> None:
    english, other = build(small), build(small, SiteOptions(speech=read_catalogue(pseudo(), "eo")))
    assert all(english[name].digest != other[name].digest for name in english if name.endswith(".html"))


def test_words_of_a_vocabulary_that_grew_are_still_shown() -> None:
    assert ENGLISH.word("duty", "met_late") == "met late"
    assert ENGLISH.word("duty", "some_new_state") == "some new state"
    assert all(words for vocabulary in VOCABULARIES.values() for words in vocabulary.values())


# --- catalogues that do not do ---------------------------------------------------------------------------------

HEAD = 'msgid ""\nmsgstr ""\n"Language: fr\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def entry(message: str, said: str) -> str:
    return f'msgid "{message}"\nmsgstr "{said}"\n\n'


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        (HEAD + entry("Skip to the content", "<b>Aller</b>"), "holds markup", 6),
        (HEAD + entry("Skip to the content", "Aller &amp; venir"), "holds markup", 6),
        (HEAD + entry("As of %(day)s", "Au %(jour)s"), "has '%(jour)s', which the message has not", 6),
        (HEAD + entry("As of %(day)s", "Au %(day)s, 100 %"), "has '%', which the message has not", 6),
        (HEAD + entry("As of %(day)s", "Au %(day)s %s"), "has '%', which the message has not", 6),
        (entry("Models", "Modèles"), "'' is not the tag of a language", None),
        (HEAD + "msgid broken", "not a message catalogue", None),
        ("\x00\x01", "not", None),
        (
            HEAD.replace(
                '"Language: fr\\n"', '"Language: fr\\n"\n"Plural-Forms: nplurals=2; plural=__import__(1);\\n"'
            ),
            "not a message catalogue",
            None,
        ),
    ],
)
def test_a_catalogue_that_cannot_be_used(text: str, said: str, line: int | None) -> None:
    with pytest.raises(PublicationError) as refused:
        read_catalogue(text.encode(), name="fr.po")
    problem = refused.value.problems[0]
    assert problem.code == "PUB007"
    assert said in problem.message
    assert problem.where is not None
    assert problem.where.file == "fr.po"
    assert line is None or problem.where.line == line


def test_a_catalogue_has_a_limit() -> None:
    with pytest.raises(PublicationError, match="at most 2,000,000"):
        read_catalogue(b"#" * 2_000_001, "fr")


def test_the_tag_of_a_language_is_checked() -> None:
    with pytest.raises(PublicationError, match="is not the tag"):
        read_catalogue(HEAD.encode(), '"><script>')
    assert read_catalogue(HEAD.encode(), "pt_BR").tag == "pt-BR"


def test_what_is_not_translated_stays_english() -> None:
    speech = read_catalogue((HEAD + entry("Models", "Modèles") + entry("Search", "")).encode())
    assert isinstance(speech, Speech)
    assert (speech.gettext("Models"), speech.gettext("Search"), speech.gettext("Changes")) == (
        "Modèles",
        "Search",
        "Changes",
    )
