# SPDX-License-Identifier: Apache-2.0
"""Whom an outsider trusts: the key of a log, keys of witnesses, and people with their keys and roles.

It is obtained elsewhere than the bundle, or it proves nothing.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from tidegate.govern.people import PersonId
from tidegate.kernel.documents import Document, parse_document, validate_part
from tidegate.kernel.errors import BundleError, Problem, TidegateError
from tidegate.kernel.record import Record
from tidegate.ledger.acts import PublicKey
from tidegate.ledger.keys import public_parts
from tidegate.ledger.notes import VerifierKey, check_independent, parse_vkey
from tidegate.policy.model import Id


class TrustedLog(Record):
    """A log that is trusted."""

    origin: str
    """Its origin."""
    key: str
    """Verifier key of its checkpoints."""


class TrustedPerson(Record):
    """A person whose keys are trusted, in these roles."""

    person: PersonId
    """Person."""
    roles: tuple[Id, ...] = ()
    """Roles that they hold."""
    keys: Annotated[tuple[PublicKey, ...], Field(min_length=1)]
    """Their public keys, as OpenSSH writes them."""


class Trust(Record):
    """Whom an outsider trusts. It is obtained elsewhere than the bundle, or it proves nothing."""

    schema_: Annotated[Literal["tidegate/trust/v1"], Field(alias="schema")] = "tidegate/trust/v1"
    """Names this format."""
    log: TrustedLog
    """The log."""
    witnesses: tuple[str, ...] = ()
    """Verifier keys of witnesses."""
    witness_quorum: Annotated[int, Field(ge=0)] = 0
    """How many witnesses have to have cosigned."""
    people: Annotated[tuple[TrustedPerson, ...], Field(min_length=1)]
    """People."""


Path = tuple[str | int, ...]


def read_trust(text: bytes, name: str) -> Trust:
    """Give the keys that a file says are trusted.

    Raises:
        DocumentError: it is not of this form; BundleError: BUN004, a key in it is malformed, the quorum is more than
            the witnesses, or a person or a key stands in it twice.
    """
    document = parse_document(text, name)
    trust = validate_part(document, Trust)
    problems = [Problem("BUN004", message, document.where(path)) for path, message in _contradictions(trust)]
    if problems:
        raise BundleError(*problems)
    _check_parties(trust, document)
    return trust


def log_keys(trust: Trust) -> tuple[VerifierKey, list[VerifierKey]]:
    """Give the keys of the log and of its witnesses. Raises LED007 for one that is malformed."""
    return parse_vkey(trust.log.key), [parse_vkey(one) for one in dict.fromkeys(trust.witnesses)]


def _contradictions(trust: Trust) -> Iterator[tuple[Path, str]]:
    names = len(set(trust.witnesses))
    if trust.witness_quorum > names:
        yield ("witness_quorum",), f"a quorum of {trust.witness_quorum} of {names} witnesses cannot be met"
    yield from _malformed(trust)
    seen: dict[str, int] = {}
    points: dict[bytes, int] = {}
    for number, one in enumerate(trust.people):
        # Ids that differ in case only are the same person everywhere else.
        if seen.setdefault(one.person.casefold(), number) != number:
            yield ("people", number, "person"), f"{one.person} stands here twice: give all their keys in one place"
        for place, key in enumerate(one.keys):
            try:
                point = public_parts(key).point
            except TidegateError as error:
                yield ("people", number, "keys", place), error.problems[0].message
                continue
            if points.setdefault(point, number) != number:
                yield ("people", number, "keys", place), "two people have this key: nobody could tell who signed"


def _malformed(trust: Trust) -> Iterator[tuple[Path, str]]:
    keys: list[tuple[Path, str]] = [(("log", "key"), trust.log.key)]
    keys += [(("witnesses", number), one) for number, one in enumerate(trust.witnesses)]
    for path, key in keys:
        try:
            parse_vkey(key)
        except TidegateError as error:
            yield path, error.problems[0].message


def _check_parties(trust: Trust, document: Document) -> None:
    try:
        check_independent(*log_keys(trust))
    except TidegateError as error:
        raise BundleError(Problem("BUN004", error.problems[0].message, document.where(("witnesses",)))) from None
