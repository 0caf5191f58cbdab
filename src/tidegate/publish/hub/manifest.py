# SPDX-License-Identifier: Apache-2.0
"""What a folder holds of a site: for each file what it was made from, so that only what changed is made again."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, ValidationError

from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.errors import Problem, PublicationError, Where
from tidegate.kernel.record import Record
from tidegate.publish.hub.site import Site

NAME = ".tidegate-hub.json"
"""File of the folder that holds it; a folder with it is one that a hub was published to."""
MAX_MANIFEST_BYTES = 50_000_000
"""A site of 2,000 records takes about half a megabyte."""
_PATH = re.compile(r"(?!.*(^|/)\.\.?(/|$))[^\x00-\x1f\\/:]+(/[^\x00-\x1f\\/:]+){0,4}\Z")

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class Written(Record):
    """A file that was written."""

    source: Digest
    """Digest of everything that it was made from."""
    content: Digest
    """Digest of its bytes."""


class Manifest(Record):
    """All files of a site in a folder."""

    schema_: Literal["tidegate/hub-manifest/v1"] = Field(alias="schema", default="tidegate/hub-manifest/v1")
    """Names this format."""
    files: dict[str, Written] = Field(default_factory=dict)
    """Address from the site's root -> how it was written."""


class Plan(NamedTuple):
    """What has to be done to a folder."""

    write: dict[str, bytes]
    """Files to write, with their bytes."""
    keep: dict[str, bytes]
    """Files that stay as they are."""
    remove: tuple[str, ...]
    """Files that are gone from the site."""
    manifest: Manifest
    """What the folder then holds."""


def read_manifest(data: bytes) -> Manifest:
    """Give the manifest of a folder.

    Raises:
        PublicationError: PUB008, it is none, or names files outside the folder.
    """
    hint = "publish into a new folder"
    try:
        if len(data) > MAX_MANIFEST_BYTES:
            raise ValueError(f"{len(data):,} bytes; at most {MAX_MANIFEST_BYTES:,}")
        found = Manifest.model_validate_json(data)
    except (ValidationError, ValueError) as error:
        message = f"not the manifest of a hub: {str(error).splitlines()[0]}"
        raise PublicationError(Problem("PUB008", message, Where(NAME), hint)) from None
    strange = next((one for one in found.files if not is_inside(one)), None)
    if strange is not None:
        raise PublicationError(Problem("PUB008", f"{strange!r} is no file of a site", Where(NAME), hint))
    return found


def is_inside(path: str) -> bool:
    """Tell whether an address can only mean a file below the site's root.

    >>> is_inside("models/m.html"), is_inside("../m.html"), is_inside("/m.html")
    (True, False, False)
    """
    return _PATH.match(path) is not None


def plan(site: Site, before: Manifest, existing: Mapping[str, bytes]) -> Plan:
    """Give what changes in a folder: files whose sources changed, or that are not as they were written.

    Args:
        site: the site as it should be.
        before: what was written last.
        existing: files of the manifest that are there, with their bytes.
    """
    write: dict[str, bytes] = {}
    keep: dict[str, bytes] = {}
    files: dict[str, Written] = {}
    for path, leaf in sorted(site.items()):
        known, there = before.files.get(path), existing.get(path)
        if (
            known is not None
            and there is not None
            and known.source == leaf.digest
            and digest_bytes(there) == known.content
        ):
            keep[path], files[path] = there, known
            continue
        data = leaf.make()
        files[path] = Written(source=leaf.digest, content=digest_bytes(data))
        (keep if there == data else write)[path] = data
    gone = tuple(one for one in sorted(before.files) if one not in site)
    return Plan(write, keep, gone, Manifest(files=files))
