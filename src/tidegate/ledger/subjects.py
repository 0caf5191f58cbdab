# SPDX-License-Identifier: Apache-2.0
"""What an entry is about, as names by which it can be found: ``decision:D-1``, ``model:m``, ``person:ada``."""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from typing import Any

from tidegate.ledger.entries import Entry

MAX_SUBJECT_BYTES = 400
"""An index of PostgreSQL takes keys of up to about 2,700 bytes, and nobody types a longer name."""

_NAMED = {
    "by_decision": "decision",
    "case": "case",
    "content": "sealed",
    "critique": "critique",
    "decision": "decision",
    "hold": "hold",
    "incident": "incident",
    "kept_as": "file",
    "key": "key",
    "label": "policy",
    "managers": "person",
    "model": "model",
    "old": "key",
    "person": "person",
    "public_key": "key",
    "report": "report",
    "rule": "duty",
    "supersedes": "evidence",
    "waiver": "waiver",
}
"""Field of a body -> what it names."""
_NAMED_IN = {
    "event.recorded": {"kind": "event"},
    "evidence.restated": {"by": "evidence"},
    "hold.placed": {"digests": "sealed"},
    "noncompliance.closed": {"case": "noncompliance"},
    "noncompliance.moved": {"case": "noncompliance"},
    "noncompliance.noted": {"case": "noncompliance"},
    "noncompliance.opened": {"case": "noncompliance"},
    "noncompliance.retaliation": {"case": "noncompliance", "report": "retaliation"},
    "sealed.erased": {"digest": "sealed"},
}
"""The same for fields that name something else in some kinds."""


def subject(kind: str, name: str) -> str:
    """Give the name of a subject; one that no index takes is replaced by its digest.

    >>> subject("decision", "D-1")
    'decision:D-1'
    """
    made = f"{kind}:{name}"
    data = made.encode("utf-8", "surrogatepass")
    if len(data) <= MAX_SUBJECT_BYTES and b"\0" not in data and data.decode("utf-8", "replace") == made:
        return made
    return f"{kind}:sha256:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def subjects_of(entry: Entry) -> tuple[str, ...]:
    """Give what an entry is about, sorted, each name once; who acted, and with which key, is part of it."""
    names = {f"person:{entry.by}"} if entry.by else set()
    if entry.signature is not None:
        names.add(f"key:{entry.signature.key}")
    special = _NAMED_IN.get(entry.kind, {})
    for field, value in entry.body.items():
        kind = special.get(field) or _NAMED.get(field)
        if kind is not None:
            names.update(subject(kind, name) for name in _names(field, value))
    return tuple(sorted(names))


def _names(field: str, value: Any) -> Iterator[str]:
    """Give the names that a field of a body holds: text, a list of text, a reference to sealed content, or a key."""
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield value["digest"]
    elif field == "public_key":
        yield from _fingerprint(value)
    else:
        yield value


def _fingerprint(public_key: str) -> Iterator[str]:
    """Give the fingerprint of an OpenSSH public key; nothing if its base64 is broken, for the log may hold that."""
    try:
        blob = base64.b64decode(public_key.split(" ")[1], validate=True)
    except binascii.Error:
        return
    yield "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
