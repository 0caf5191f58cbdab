# SPDX-License-Identifier: Apache-2.0
"""Reads members of a zip archive that may hold Zstandard, one at a time and within limits.

Python's zipfile reads the directory of the archive. The members are expanded here, because zipfile knows
Zstandard (method 93) only from Python 3.14 on, and because an archive from elsewhere is not to be trusted:
what it says about its sizes is checked while it expands.
"""

import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import zstandard

from tidegate.kernel.errors import EvidenceError, Problem, Where

STORED, DEFLATED, ZSTANDARD = 0, 8, 93
"""Compression methods that occur in evaluation logs."""


@dataclass(frozen=True)
class Limits:
    """How far an archive may expand. Each is far above what real logs need."""

    members: int = 250_000
    """The largest public evaluation has 58,492 samples."""
    directory_bytes: int = 64_000_000
    """The directory is read into memory before anything in it can be checked."""
    member_bytes: int = 1_000_000_000
    """One member is in memory at a time; long agent transcripts reach some hundred megabytes."""
    total_bytes: int = 100_000_000_000
    """All members, expanded: bounds the time that a file can cost."""
    json_bytes: int = 4_000_000_000
    """A log in one JSON file; larger ones should be written as archives."""
    ratio: int = 1000
    """Transcripts shrink by 5 to 200 times; deflate cannot reach more than 1032."""
    ratio_free_bytes: int = 16_000_000
    """Members up to this size may shrink by any ratio: they can do no harm."""


LIMITS = Limits()


@dataclass(frozen=True)
class Archive:
    """An open archive whose directory has been checked."""

    name: str
    """File name, for messages."""
    members: dict[str, zipfile.ZipInfo]
    """Member name -> its entry; of entries with the same name the last, as Inspect reads them."""
    size: int
    """Size of the file in bytes."""
    limits: Limits
    stream: BinaryIO = field(repr=False)
    repeated: tuple[str, ...] = ()
    """Names that more than one entry has."""

    def where(self, member: str | None = None, line: int | None = None, column: int | None = None) -> Where:
        """Give a place in the archive."""
        return Where(f"{self.name}!{member}" if member else self.name, line, column)

    def names(self, prefix: str, suffix: str = ".json") -> list[str]:
        """Give the names of the members under a folder, in the order of the archive."""
        return [name for name in self.members if name.startswith(prefix) and name.endswith(suffix)]

    def read(self, member: str) -> bytes:
        """Give the expanded bytes of a member, checked against its size and checksum.

        Raises:
            EvidenceError: EVI002 if the member is damaged, EVI007 if it expands beyond what it states.
        """
        info = self.members[member]
        raw = self._raw(info)
        expand = {STORED: _stored, DEFLATED: _inflate, ZSTANDARD: _zstandard}[info.compress_type]
        try:
            data = expand(raw, info.file_size + 1)
        except (zlib.error, zstandard.ZstdError) as error:
            raise self._damaged(member, f"does not expand: {error}") from None
        if len(data) > info.file_size:
            message = f"expands beyond the {info.file_size:,} bytes that the archive states"
            raise EvidenceError(Problem("EVI007", message, self.where(member)))
        if len(data) < info.file_size or zlib.crc32(data) != info.CRC:
            raise self._damaged(member, "differs from its checksum or size in the archive")
        return data

    def _raw(self, info: zipfile.ZipInfo) -> bytes:
        self.stream.seek(info.header_offset)
        header = self.stream.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise self._damaged(info.filename, f"has no header at byte {info.header_offset}")
        # Name and extra field may differ in length from those in the directory (APPNOTE 4.3.7).
        name_bytes, extra_bytes = struct.unpack("<HH", header[26:30])
        self.stream.seek(name_bytes + extra_bytes, os.SEEK_CUR)
        raw = self.stream.read(info.compress_size)
        if len(raw) < info.compress_size:
            raise self._damaged(info.filename, "is cut off")
        return raw

    def _damaged(self, member: str, what: str) -> EvidenceError:
        return EvidenceError(Problem("EVI002", f"the member {what}", self.where(member), "get the file again"))


def _stored(raw: bytes, at_most: int) -> bytes:
    return raw[:at_most]


def _inflate(raw: bytes, at_most: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw, at_most)


def _zstandard(raw: bytes, at_most: int) -> bytes:
    # Inspect writes large members as several frames.
    with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as reader:
        pieces, left = [], at_most
        while left and (piece := reader.read(left)):
            pieces.append(piece)
            left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@contextmanager
def open_archive(path: Path, limits: Limits = LIMITS) -> Iterator[Archive]:
    """Give an open archive after its directory was checked.

    Raises:
        EvidenceError: EVI002 if it is no readable archive, EVI007 if it is unsafe.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        _check_directory_size(stream, size, path.name, limits)
        try:
            with zipfile.ZipFile(stream) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, UnicodeDecodeError, struct.error, ValueError, NotImplementedError) as error:
            problem = Problem("EVI002", f"not a readable zip archive: {error}", Where(path.name), "get the file again")
            raise EvidenceError(problem) from None
        problems = list(_problems(entries, size, path.name, limits))
        if problems:
            raise EvidenceError(*problems[:20])
        names = Counter(entry.filename for entry in entries)
        repeated = tuple(name for name, times in names.items() if times > 1)
        yield Archive(path.name, {entry.filename: entry for entry in entries}, size, limits, stream, repeated)


def _check_directory_size(stream: BinaryIO, size: int, name: str, limits: Limits) -> None:
    """Refuse a huge directory before it is read. The end record stands in the last 64 kB (APPNOTE 4.3.16)."""
    stream.seek(max(0, size - 66_000))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise EvidenceError(Problem("EVI002", "not a complete zip archive", Where(name), "was the run cut off?"))
    directory_bytes = struct.unpack("<I", tail[at + 12 : at + 16])[0]
    # The long form counts wherever its locator stands before the end record, whatever that record says.
    if directory_bytes == 0xFFFFFFFF or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        stated = [
            struct.unpack("<Q", tail[place + 40 : place + 48])[0]
            for place in (tail.rfind(b"PK\x06\x06", 0, at), at - 76)
            if place >= 0 and tail.startswith(b"PK\x06\x06", place)
        ]
        if not stated:
            raise EvidenceError(Problem("EVI002", "not a complete zip archive", Where(name)))
        directory_bytes = max(stated)
    if directory_bytes > limits.directory_bytes:
        message = f"the directory of the archive has {directory_bytes:,} bytes; the limit is {limits.directory_bytes:,}"
        raise EvidenceError(Problem("EVI007", message, Where(name)))


def _problems(entries: list[zipfile.ZipInfo], size: int, name: str, limits: Limits) -> Iterator[Problem]:
    if len(entries) > limits.members:
        message = f"the archive has {len(entries):,} members; the limit is {limits.members:,}"
        yield Problem("EVI007", message, Where(name))
    total = sum(entry.file_size for entry in entries)
    if total > limits.total_bytes:
        message = f"the archive expands to {total:,} bytes; the limit is {limits.total_bytes:,}"
        yield Problem("EVI007", message, Where(name))
    if sum(entry.compress_size for entry in entries) > size:
        yield Problem("EVI007", "the members overlap: together they are longer than the archive", Where(name))
    for entry in entries:
        if not 0 <= entry.header_offset < size:
            yield Problem("EVI002", "the member lies outside the file", Where(f"{name}!{entry.filename}"))
        for code, message in _entry_problems(entry, limits):
            yield Problem(code, message, Where(f"{name}!{entry.filename}"))


def _entry_problems(entry: zipfile.ZipInfo, limits: Limits) -> Iterator[tuple[str, str]]:
    if _escapes(entry.orig_filename):
        yield "EVI007", "the name leads out of the archive"
    if entry.flag_bits & 0x1:
        yield "EVI002", "the member is encrypted"
    if entry.compress_type not in (STORED, DEFLATED, ZSTANDARD):
        yield "EVI002", f"compression method {entry.compress_type} is none that evaluation logs use"
    if entry.file_size > limits.member_bytes:
        yield "EVI007", f"expands to {entry.file_size:,} bytes; the limit is {limits.member_bytes:,}"
    elif entry.file_size > limits.ratio_free_bytes and entry.file_size > limits.ratio * max(1, entry.compress_size):
        yield "EVI007", f"expands more than {limits.ratio:,} times, from {entry.compress_size:,} bytes"


def _escapes(name: str) -> bool:
    """True if a name would leave the folder it is unpacked in. Nothing is unpacked here; such a file is not a log."""
    plain = name.replace("\\", "/")
    return plain.startswith("/") or "\0" in plain or ":" in plain[:2] or ".." in PurePosixPath(plain).parts
