# SPDX-License-Identifier: Apache-2.0
"""The words of a PDF that was made here, read from its bytes, so that a last check sees what readers and machines see.

It reads what typst writes (one dictionary per object, fonts with a map to Unicode), and is no reader of the PDF files
of others.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

MAX_INFLATED = 50_000_000
"""Bytes of one part, unpacked; a long page has a thousandth of this."""
LOST = "\N{REPLACEMENT CHARACTER}"
"""Stands for a glyph that shows no character, because no font had one."""

_OPENING = re.compile(rb"(?:\A|(?<=[\r\n]))(\d+) 0 obj\s")
_CLOSING = re.compile(rb"\bstream\r?\n|\bendobj")
_LENGTH = re.compile(rb"/Length (\d+)\b(?! \d+ R)")
_OPENED = re.compile(rb"\(|(?<!<)<[0-9A-Fa-f\s]+>")
_TOKEN = re.compile(
    rb"/(?P<font>[A-Za-z]+\d+) [\d.]+ Tf|(?P<told>/ActualText\b)|(?P<string>\(|(?<!<)<[0-9A-Fa-f\s]+>)"
    rb"|(?P<begun>\bBT\b)|(?P<end>\bET\b)|(?P<over>\bEMC\b)|(?P<turned>/ReversedChars\b)|(?P<line>[-\d.]+) cm\b"
)
_BRACKET = re.compile(rb"\\.|[()]", re.DOTALL)
_ONE = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")
_RANGE = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")
_ONES, _RANGES = (re.compile(rb"begin%b(.*?)end%b" % (one, one), re.DOTALL) for one in (b"bfchar", b"bfrange"))
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r\n": b"", b"\r": b""}


class _Part(NamedTuple):
    """An object of the file."""

    body: bytes
    """Its dictionary or array."""
    stream: bytes
    """Its stream, unpacked; empty if it has none."""


Glyphs = Mapping[int, str]
"""Number of a glyph -> what it shows."""


def words_in(data: bytes) -> str:
    """Give every word that the PDF shows or holds: text, titles, addresses, descriptions, metadata."""
    parts = dict(_parts(data))
    fonts = {
        number: _glyphs(parts[int(to[1])].stream)
        for number, part in parts.items()
        if (to := re.search(rb"/ToUnicode (\d+) 0 R", part.body)) and int(to[1]) in parts
    }
    owners = {
        int(one): part.body
        for part in parts.values()
        for listed in re.findall(rb"/Contents (\d+ 0 R|\[[^\]]*\])", part.body)
        for one in re.findall(rb"(\d+) 0 R", listed)
    }
    found: list[str] = []
    for number, part in parts.items():
        found += (_words(_bytes_of(one)) for one in _strings(part.body))
        if b"/XML" in part.body:
            found.append(part.stream.decode("utf-8", "replace"))
        elif b"/ToUnicode" not in part.body and re.search(rb"\bBT\b", part.stream):
            found.append(_shown(part.stream, _named(owners.get(number, part.body), parts, fonts)))
    return "\n".join(one for one in found if one)


def _parts(data: bytes) -> Iterator[tuple[int, _Part]]:
    at = 0
    while (found := _OPENING.search(data, at)) and (ended := _CLOSING.search(data, found.end())):
        body, stream, at = data[found.end() : ended.start()], b"", ended.end()
        length = _LENGTH.search(body)
        if ended[0].startswith(b"stream") and length:
            at += int(length[1])
            stream = data[ended.end() : at]
        yield int(found[1]), _Part(body, _unpacked(stream) if b"/FlateDecode" in body else stream)


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, MAX_INFLATED)
    except zlib.error:
        return stream


def _glyphs(cmap: bytes) -> Glyphs:
    """Give what the glyphs of a font show, from its map to Unicode."""
    made: dict[int, str] = {}
    for block in _ONES.findall(cmap):
        made |= {int(glyph, 16): _utf16(to) for glyph, to in _ONE.findall(block)}
    for block in _RANGES.findall(cmap):
        for first, last, to in _RANGE.findall(block):
            text, glyphs = _utf16(to), range(int(first, 16), int(last, 16) + 1)
            made |= {glyph: text[:-1] + chr(ord(text[-1]) + step) for step, glyph in enumerate(glyphs)}
    return made


def _utf16(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be", "replace") or LOST


def _named(owner: bytes, parts: Mapping[int, _Part], fonts: Mapping[int, Glyphs]) -> Mapping[bytes, Glyphs]:
    """Give the fonts that a stream names: its own, or those of the page that it is the content of."""
    to = re.search(rb"/Resources (\d+) 0 R", owner)
    resources = parts[int(to[1])].body if to and int(to[1]) in parts else owner
    named = re.search(rb"/Font\s*<<(.*?)>>", resources, re.DOTALL)
    pairs = re.findall(rb"/([A-Za-z]+\d+) (\d+) 0 R", named[1]) if named else []
    return {name: fonts.get(int(to), {}) for name, to in pairs}


@dataclass
class _Drawn:
    """Glyphs that were drawn in one go."""

    line: bytes
    """Height on the page."""
    shown: list[str] = field(default_factory=list)
    """What each shows."""
    copied: list[str] = field(default_factory=list)
    """What is copied from it, where that is told besides."""
    is_turned: bool = False
    """True if they are read from right to left."""

    @property
    def read(self) -> str:
        """What is read, in the order of reading."""
        return "".join(reversed(self.shown) if self.is_turned else self.shown)


@dataclass
class _Pen:
    """Where a content stream stands."""

    fonts: Mapping[bytes, Glyphs]
    glyphs: Glyphs = field(default_factory=dict)
    line: bytes = b""
    is_text: bool = False
    is_next_told: bool = False
    is_told: bool = False
    made: list[_Drawn] = field(default_factory=lambda: [_Drawn(b"")])

    def draw(self, stream: bytes) -> list[_Drawn]:
        """Give everything that a stream draws."""
        at = 0
        while one := _TOKEN.search(stream, at):
            at = one.end()
            if one["string"]:
                at = _string_end(stream, one.start(), at)
                self.write(_bytes_of(stream[one.start() : at]))
            else:
                self.turn(str(one.lastgroup), one)
        return self.made

    def turn(self, kind: str, one: re.Match[bytes]) -> None:
        match kind:
            case "font":
                self.glyphs = self.fonts.get(one["font"], {})
            case "line":
                self.line = one["line"]
            case "turned":
                self.made[-1].is_turned = True
            case "told":
                self.is_next_told = True
            case "over":
                self.is_told = False
            case "begun":
                self.is_text = True
                self.made.append(_Drawn(self.line))
            case _:
                self.is_text = False

    def write(self, text: bytes) -> None:
        if self.is_next_told:
            self.made[-1].copied.append(_words(text))
            self.is_next_told, self.is_told = False, True
        elif self.is_text:  # strings elsewhere name languages and the like
            shown = [self.glyphs.get(high << 8 | low, LOST) for high, low in zip(text[::2], text[1::2], strict=False)]
            self.made[-1].shown += shown
            self.made[-1].copied += [] if self.is_told else shown


def _shown(stream: bytes, fonts: Mapping[bytes, Glyphs]) -> str:
    """Give the words of a stream: as they are copied, as they are seen, and with lines read from right to left."""
    drawn = _Pen(fonts).draw(stream)
    lines = [list(one) for _, one in groupby(drawn, key=lambda one: one.line)]
    forms = (
        " ".join("".join(one.copied) for one in drawn),
        " ".join("".join(one.shown) for one in drawn),
        " ".join(one.read for one in drawn),
        " ".join(one.read for line in lines for one in reversed(line) if any(part.is_turned for part in line)),
    )
    return "\n".join(dict.fromkeys(forms))


def _strings(data: bytes) -> Iterator[bytes]:
    """Give every string, with its brackets."""
    at = 0
    while one := _OPENED.search(data, at):
        at = _string_end(data, one.start(), one.end())
        yield data[one.start() : at]


def _string_end(data: bytes, start: int, end: int) -> int:
    """Give where a string ends: brackets within it are escaped, or occur in pairs."""
    if data[start : start + 1] != b"(":
        return end
    depth = 1
    for one in _BRACKET.finditer(data, end):
        depth += {b"(": 1, b")": -1}.get(one[0], 0)
        if not depth:
            return one.end()
    return len(data)


def _bytes_of(string: bytes) -> bytes:
    """Give the bytes that a string of a PDF stands for."""
    if string.startswith(b"<"):
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", string).decode()
        return bytes.fromhex(digits + "0" * (len(digits) % 2))
    return _ESCAPE.sub(_unescaped, string[1:-1])


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 255]) if code.isdigit() else _ESCAPED.get(code, code)


def _words(text: bytes) -> str:
    """Give text that is written in UTF-16 with its mark, or in PDFDocEncoding, which for letters is Latin-1."""
    return text.decode("utf-16", "replace") if text.startswith(b"\xfe\xff") else text.decode("latin-1")
