# SPDX-License-Identifier: Apache-2.0
"""Canonical bytes and digests: RFC 8785 (JSON Canonicalization Scheme) under SHA-256."""

import hashlib
import json
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


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def canonical_bytes(value: Any) -> bytes:
    """Give the RFC 8785 bytes of a record or of plain JSON data."""
    data = plain(value)
    if _is_simple(data):
        text = _encode(data)
        # RFC 8785 sorts keys by UTF-16 units, which for ASCII is what Python does, several times as fast.
        if text.isascii():
            return text.encode()
    return rfc8785.dumps(data)


def _is_simple(data: Any) -> bool:
    """Tell whether data holds no numbers that the two encoders write, or refuse, differently."""
    kind = type(data)
    if kind is dict:
        return all(type(key) is str and _is_simple(value) for key, value in data.items())
    if kind is list:
        return all(map(_is_simple, data))
    return kind is str or data is None or kind is bool or (kind is int and abs(data) < 2**53)


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
