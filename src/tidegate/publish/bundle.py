# SPDX-License-Identifier: Apache-2.0
"""A bundle: one archive with everything that a decision rests on, the same bytes for the same content.

The archive stores its parts uncompressed, in the order of their names, with fixed dates, so that content alone
decides its bytes. Reading rebuilds it and compares: a bundle in any other form is refused.
"""

import io
import zipfile
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from tidegate.evidence.redaction import Withheld
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.clock import Instant
from tidegate.kernel.errors import BundleError, Problem, Where
from tidegate.kernel.record import Record
from tidegate.ledger.acts import DigestText

MAX_BYTES = 400_000_000
"""A bundle larger than this is refused unread."""
MAX_PARTS = 200_000
"""More parts than this are refused: a whole log of so many entries is checked at its source."""
MAX_PART_BYTES = 60_000_000
"""One part of a bundle; a full import of evidence is smaller."""
MANIFEST = "manifest.json"
DOCUMENTED = ("decision.", "report.", "case.")
"""Kinds of entries whose documents a bundle shows: evidence is shown in the edition for outsiders, and not as it is
kept."""
_DIRECTORY_ENTRY = b"PK\x01\x02"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FOLDERS = ("documents/", "entries/", "proofs/")


class LogPart(Record):
    """The log, as far as the bundle shows it."""

    origin: str
    """Origin of the log."""
    size: int
    """Entries that the log checkpoint covers."""
    is_whole: bool = False
    """True if every one of them is in the bundle, so that none can have been left out."""


class Manifest(Record):
    """What a bundle is about, and the digest of each part of it."""

    schema_: Literal["tidegate/bundle/v1"] = Field(alias="schema", default="tidegate/bundle/v1")
    """Names this format."""
    organisation: str
    """Who made it."""
    model: str
    """Model."""
    snapshot: str | None = None
    """Snapshot; none if the project knows none."""
    at: Instant
    """When it was made; the verdict answers for its day."""
    policy: str
    """Label of the policy."""
    assessment_digest: DigestText
    """Digest of the assessment."""
    log: LogPart
    """The log."""
    withheld: tuple[Withheld, ...] = ()
    """Register of redactions."""
    parts: dict[str, DigestText]
    """Part -> digest of its bytes."""


def document_name(digest: str) -> str:
    """Give the part that holds a document: ``documents/<hex>``."""
    return f"documents/{digest.removeprefix('sha256:')}"


def entry_name(index: int) -> str:
    """Give the part that holds an entry's bytes: ``entries/000000012.json``."""
    return f"entries/{index:09d}.json"


def proof_name(index: int) -> str:
    """Give the part that holds an entry's proof: ``proofs/000000012.tlog-proof``."""
    return f"proofs/{index:09d}.tlog-proof"


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Give the archive of parts: the same bytes for the same parts, everywhere."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(parts):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, parts[name])
    return out.getvalue()


def with_manifest(manifest: Manifest, parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give the parts with the manifest that lists them."""
    listed = {name: digest_bytes(data) for name, data in sorted(parts.items())}
    return {**parts, MANIFEST: canonical_bytes(manifest.model_copy(update={"parts": listed}))}


def _refuse(code: str, message: str, name: str) -> BundleError:
    return BundleError(Problem(code, message, Where(name), "get the bundle again from whoever made it"))


def unpack(data: bytes, name: str = "bundle") -> dict[str, bytes]:
    """Give the parts of an archive.

    Raises:
        BundleError: BUN001, it is no archive, or not in the one form that `pack` gives; BUN002, it is too large,
            has too many parts, or a part's name is not one that a bundle has.
    """
    if len(data) > MAX_BYTES:
        raise _refuse("BUN002", f"{len(data):,} bytes; the limit is {MAX_BYTES:,}", name)
    # The directory is read as a whole, so its entries are counted before: there are at most as many as such marks.
    if data.count(_DIRECTORY_ENTRY) > MAX_PARTS:
        raise _refuse("BUN002", f"more than {MAX_PARTS:,} parts", name)
    try:
        parts = _read(data, name)
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - the reader of archives raises whatever it stumbles over
        raise _refuse("BUN001", f"not an archive: {str(error)[:200]}", name) from None
    if pack(parts) != data:
        raise _refuse(
            "BUN001",
            "the archive is not in the form that a bundle has: it was changed, or made by another program",
            name,
        )
    return parts


def _read(data: bytes, name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        # Parts that overlap in the file would be larger together than it is.
        if sum(info.file_size for info in listed) > len(data):
            raise _refuse("BUN002", "its parts are larger than the archive", name)
        parts: dict[str, bytes] = {}
        for info in listed:
            # Parts are stored as they are, so that no part can be larger than the archive.
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > MAX_PART_BYTES:
                raise _refuse("BUN002", f"{info.filename[:120]!r} is compressed or too large", name)
            if not is_part_name(info.filename) or info.filename in parts:
                raise _refuse("BUN002", f"{info.filename[:120]!r} is not the name of a part", name)
            parts[info.filename] = archive.read(info)
    return parts


def is_part_name(name: str) -> bool:
    """Tell whether a bundle may have a part of this name: a plain file, or one in a folder that it knows."""
    folder = next((one for one in _FOLDERS if name.startswith(one)), "")
    plain = name.removeprefix(folder)
    return (
        0 < len(plain) <= 120
        and plain.isascii()
        and plain[0] != "."
        and all(letter.isalnum() or letter in "-._" for letter in plain)
    )


def check_parts(manifest: Manifest, parts: Mapping[str, bytes]) -> tuple[Problem, ...]:
    """Give every part that is missing, that nobody listed, or that is not what its digest says (BUN003)."""
    problems = [
        Problem("BUN003", f"{name} is listed and missing", Where(name)) for name in manifest.parts if name not in parts
    ]
    for name, data in sorted(parts.items()):
        if name == MANIFEST:
            continue
        if name not in manifest.parts:
            problems.append(Problem("BUN003", f"{name} is in the bundle and not listed", Where(name)))
        elif manifest.parts[name] != digest_bytes(data):
            problems.append(Problem("BUN003", f"{name} is not what its digest says", Where(name)))
    return tuple(problems)
