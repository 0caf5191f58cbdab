# SPDX-License-Identifier: Apache-2.0
"""The last check before publication: whether withheld words stand anywhere in what is about to be published.

Every output is read as its readers and their machines would: unescaped, without markup, unpacked, a PDF by its text
and its metadata. Case, white space and invisible characters make no difference.
"""

import base64
import binascii
import gzip
import html
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from tidegate.kernel.errors import Problem, Where
from tidegate.publish.pdf_words import LOST, words_in

SHORTEST = 4
"""Characters; what is shorter stands everywhere by chance, and is not looked for."""
DISTINCT = 12
"""Characters from which words are recognised even with other spaces between them, or as a part of what is withheld."""
MAX_UNPACKED = 100_000_000
"""Bytes of one packed part; our largest is a hundredth of this."""
MAX_DEPTH = 4
"""Archives within archives."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_PLAIN = re.compile(r"[\t-\r\x1c-\x7e]+")
"""ASCII without what nobody sees."""
_NOT_BARE = bytes(set(range(256)) - set(b"abcdefghijklmnopqrstuvwxyz0123456789"))
_TAG = re.compile(r"<[^<>]*>")
_BASE64 = re.compile(rb"base64,([A-Za-z0-9+/=\s]{8,})")
_UNICODE = re.compile(r"\\u([0-9A-Fa-f]{4})")
_QUOTED = re.compile(r"%[0-9A-Fa-f]{2}")
_BACKSLASH = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " "}
_FOLD = re.compile(r"\r?\n[ \t]")
_PARTS = re.compile(r"\{[^{}\n]*\}|\n\s*\n")
"""Between these, words are printed apart: citations, and ends of paragraphs."""

_Reader = tuple[str, Callable[[str], str]]
"""What must stand in a text for a reading to differ, and the reading."""


class _Sought(NamedTuple):
    """Words that must not be found."""

    words: str
    """Normalised, with single spaces."""
    squeezed: str
    """Without any space."""
    bare: bytes
    """Its plain letters and digits, in their order."""
    odd: frozenset[str]
    """Its other letters."""


def leaks(outputs: Mapping[str, bytes], secrets: Collection[str]) -> tuple[Problem, ...]:
    """Give a problem for each output that holds withheld words: it names the output, and never the words.

    Args:
        outputs: name of each output -> its bytes.
        secrets: what is withheld. Words of fewer than four characters are not looked for.
    """
    sought = _sought(secrets)
    if not sought:
        return ()
    found: list[Problem] = []
    hint = "mark the words there too as withheld, or take them out where they come from"
    for name, data in outputs.items():
        is_named = _is_in(name, sought, is_squeezed=False)
        if is_named or _holds(data, sought):
            where = Where("an output" if is_named else name)
            told = "its name holds withheld words" if is_named else "it holds withheld words"
            found.append(Problem("PUB006", told, where, hint))
    return tuple(found)


def _sought(secrets: Collection[str]) -> tuple[_Sought, ...]:
    made: set[_Sought] = set()
    for secret in secrets:
        for part in (secret, *_PARTS.split(secret)):
            words = _normal(part)
            squeezed = words.replace(" ", "")
            if len(squeezed) >= (SHORTEST if part == secret else DISTINCT):
                odd = frozenset(_PLAIN.sub("", squeezed))
                made.add(_Sought(words, squeezed, _bare(squeezed), odd))
    return tuple(sorted(made, key=lambda one: one.words))


def _normal(text: str) -> str:
    """Give text without case, invisible characters and compatibility forms, white space as single spaces."""
    return " ".join(_folded(text).split())


def _folded(text: str) -> str:
    """Give text without case, invisible characters and compatibility forms."""
    shown = text if text.isascii() else unicodedata.normalize("NFKC", text)
    for one in set(_PLAIN.sub("", shown)):
        if one == LOST or (unicodedata.category(one) in _INVISIBLE and not one.isspace()):
            shown = shown.replace(one, "")
    # Folding may undo the composition of some letters.
    return shown.lower() if shown.isascii() else unicodedata.normalize("NFKC", shown.casefold())


def _bare(folded: str) -> bytes:
    return folded.encode("ascii", "ignore").translate(None, _NOT_BARE)


def _is_in(text: str, sought: Collection[_Sought], *, is_squeezed: bool) -> bool:
    normal = _normal(text)
    squeezed = normal.replace(" ", "")
    return any(
        one.squeezed in squeezed if is_squeezed or len(one.squeezed) >= DISTINCT else one.words in normal
        for one in sought
    )


def _holds(data: bytes, sought: Collection[_Sought], depth: int = 0) -> bool:
    if data.startswith(b"%PDF-"):
        return _pdf_holds(words_in(data), sought)
    if depth < MAX_DEPTH and any(_holds(part, sought, depth + 1) for part in _unpacked(data)):
        return True
    text = data.decode("utf-8", "replace")
    near = _near(text, sought)
    return bool(near) and any(_is_in(form, near, is_squeezed=False) for form in _forms(text))


def _near(text: str, sought: Collection[_Sought]) -> list[_Sought]:
    """Give those words whose plain letters stand in a row, in some reading, and whose other letters stand anywhere.

    That is soon told, and so of all words that stand in the text.
    """
    found: dict[_Sought, None] = {}
    for form in _forms(text, _QUICK):
        folded = _folded(form)
        bare = _bare(folded)
        found |= {one: None for one in sought if one.bare in bare and all(odd in folded for odd in one.odd)}
    return list(found)


def _pdf_holds(text: str, sought: Collection[_Sought]) -> bool:
    if _is_in(text, sought, is_squeezed=True):
        return True
    # A character without a font may be lost where its neighbours are kept.
    parts = [_normal(one).replace(" ", "") for one in text.split(LOST)] if LOST in text else []
    whole = LOST.join(parts)
    return any(re.search(_with_losses(one.squeezed), whole) for one in sought if parts and not one.words.isascii())


def _with_losses(words: str) -> str:
    """Give a pattern for words of which some characters, though not all, are lost."""
    pattern = "".join(re.escape(one) if one.isascii() else f"[{re.escape(one)}{LOST}]" for one in words)
    return f"(?!{LOST}{{{len(words) - 2}}}){pattern}"


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Give what is packed in an output: members of an archive with their names, data within addresses."""
    if data.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield archive.comment
                for member in archive.infolist():
                    yield member.filename.encode()
                    with archive.open(member) as stream:
                        yield stream.read(MAX_UNPACKED)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError):
            return
    elif data.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(data)) as packed:
                yield packed.read(MAX_UNPACKED)
        except (OSError, EOFError, zlib.error):
            return
    for found in _BASE64.finditer(data):
        try:
            yield base64.b64decode(found[1] + b"==")
        except binascii.Error:
            continue


def _forms(text: str, readers: tuple[_Reader, ...] = ()) -> Iterator[str]:
    """Give a text as it stands, and as each reader of it sees it."""
    seen = {text}
    fresh = [text]
    for _ in range(3):  # a feed holds escaped HTML, and a script may hold a feed
        fresh = [made for one in fresh for made in _readings(one, readers or _READERS) if made not in seen]
        fresh = list(dict.fromkeys(fresh))
        seen.update(fresh)
    yield from seen


def _readings(text: str, readers: tuple[_Reader, ...]) -> Iterator[str]:
    for mark, read in readers:
        if mark in text:
            yield read(text)


def _unescaped(text: str) -> str:
    """Give the text of a JSON or script string, pairs of surrogates joined."""
    decoded = _UNICODE.sub(lambda found: chr(int(found[1], 16)), text)
    joined = decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _BACKSLASH.sub(lambda found: _CONTROL.get(found[1], found[1]), joined)


_QUICK: tuple[_Reader, ...] = (
    ("&", html.unescape),
    ("<", lambda text: _TAG.sub("", text)),
    ("\\", lambda text: _BACKSLASH.sub(r"\1", text)),
    ("\\", _unescaped),
    ("%", lambda text: unquote(text) if _QUOTED.search(text) else text),
    ("\r\n ", lambda text: _FOLD.sub("", text)),
)
"""Readings that differ in more than spaces."""
_READERS: tuple[_Reader, ...] = (
    *_QUICK,
    ("<", lambda text: _TAG.sub(" ", text)),
    ("\n ", lambda text: _FOLD.sub("", text)),
)
