# SPDX-License-Identifier: Apache-2.0
"""Canonical bytes and digests: RFC 8785 (JSON Canonicalization Scheme) under SHA-256."""

import hashlib
from collections.abc import Iterable
from typing import Any

import rfc8785
from pydantic import BaseModel


def plain(value: Any) -> Any:
    """Give a record as plain JSON data, defaults left out.

    Leaving defaults out keeps digests stable when a later version adds an optional field.
    """
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def canonical_bytes(value: Any) -> bytes:
    """Give the RFC 8785 bytes of a record or of plain JSON data."""
    return rfc8785.dumps(plain(value))


def digest_bytes(data: bytes) -> str:
    """Give the digest of bytes as ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest(value: Any) -> str:
    """Give the digest of the canonical bytes of a record or of plain JSON data."""
    return digest_bytes(canonical_bytes(value))


def merkle_root(leaves: Iterable[bytes]) -> str:
    """Give the RFC 6962 tree hash (section 2.1) of the leaves as ``sha256:<hex>``.

    Holds one hash per tree level, so that leaves may be streamed.
    """
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves:
        node = (0, hashlib.sha256(b"\x00" + leaf).digest())
        while stack and stack[-1][0] == node[0]:
            node = (node[0] + 1, hashlib.sha256(b"\x01" + stack.pop()[1] + node[1]).digest())
        stack.append(node)
    if not stack:
        return f"sha256:{hashlib.sha256(b'').hexdigest()}"
    root = stack.pop()[1]
    while stack:
        root = hashlib.sha256(b"\x01" + stack.pop()[1] + root).digest()
    return f"sha256:{root.hex()}"
