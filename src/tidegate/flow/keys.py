# SPDX-License-Identifier: Apache-2.0
"""Keys: make one, open one, and say in the log for whom it speaks."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field

from tidegate.flow.agent import agent_signer
from tidegate.flow.ledgers import Act, Actor, actor_for, record_act
from tidegate.flow.world import World
from tidegate.govern.access import Action, Request, Resource, allowed
from tidegate.govern.keyring import KeyHolding, Keyring, keyring
from tidegate.govern.people import find_person
from tidegate.kernel.clock import Instant, moment
from tidegate.kernel.documents import parse_document, read_bytes, validate_part
from tidegate.kernel.errors import DocumentError, Problem, ProjectError, SigningError, Where
from tidegate.kernel.record import Record
from tidegate.ledger.acts import Fingerprint, KeyAdded, KeyRevoked, KeyRotated, Name, PublicKey
from tidegate.ledger.entries import Entry, new_entry
from tidegate.ledger.keys import (
    MAX_KEY_FILE_BYTES,
    Signer,
    file_public_key,
    fingerprint,
    load_signer,
    new_private_key,
    public_parts,
    verify_signature,
)
from tidegate.ledger.signing import proof_bytes
from tidegate.store.project import read_settings

if TYPE_CHECKING:
    from tidegate.store.ledger import Logged

RevocationReason = Literal["lost", "stolen", "left", "role_changed", "replaced"]
"""Why a key is revoked."""


@dataclass(frozen=True)
class Opening:
    """What it takes to use a key."""

    passphrase: Callable[[], bytes] | None = field(default=None, repr=False)
    """Gives the passphrase of a key file, and is asked only if the file is encrypted."""
    agent: Path | None = None
    """Socket of the key agent."""


@dataclass(frozen=True)
class MadeKey:
    """A key that was made."""

    file: Path
    """The private key, readable by its owner only."""
    public_file: Path
    """The public key, with a comment."""
    public_key: str
    """The public key, as OpenSSH text."""
    fingerprint: str
    """Its fingerprint."""


class KeyRequest(Record):
    """What the holder of a new key gives to whoever enters it in the log: it holds no secret."""

    schema_: Literal["tidegate/key-request/v1"] = Field(alias="schema", default="tidegate/key-request/v1")
    """Names this format."""
    person: Name
    """Whom the key is to speak for."""
    roles: tuple[Name, ...] = ()
    """Roles that it is to have; none if it takes those of the key that it replaces."""
    public_key: PublicKey
    """The new key."""
    replaces: Fingerprint | None = None
    """The key whose place it takes, if it takes one."""
    proof: str
    """Signature of the new key over all of this, in base64."""


# --- files and agents ---------------------------------------------------------------------------------


def make_key(file: Path, passphrase: bytes | None, *, comment: str = "") -> MadeKey:
    """Make a key: `file` holds the private half, and beside it a file with ``.pub`` added holds the public one.

    Raises:
        ProjectError: PRJ004, one of the files is there already, or cannot be written. No file is ever overwritten.
    """
    public_file = file.with_name(f"{file.name}.pub")
    for path in (file, public_file):
        if os.path.lexists(path):
            hint = "choose another name; a key file is never overwritten"
            raise ProjectError(Problem("PRJ004", "there is a file of this name already", Where(str(path)), hint))
    private, public_key = new_private_key(passphrase)
    line = " ".join((public_key, *comment.split()))
    _write_new(file, private, 0o600)
    try:
        _write_new(public_file, f"{line}\n".encode(), 0o644)
    except ProjectError:
        file.unlink(missing_ok=True)
        raise
    return MadeKey(file, public_file, public_key, fingerprint(public_key))


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ProjectError(Problem("PRJ004", f"cannot be written: {error.strerror}", Where(str(path)))) from None


def read_public_key(key: str) -> str:
    """Give the public key that a name stands for: a private key file (no passphrase is needed), or a ``.pub`` file.

    Raises:
        SigningError: KEY001, the file cannot be read or holds no key.
    """
    data = _read_key(Path(key))
    text = _public_line(data)
    return file_public_key(data, key) if text is None else _with_place(lambda: public_parts(text).text, key)


def open_signer(key: str, opening: Opening) -> Signer:
    """Give the key that a name stands for.

    Args:
        key: a private key file; or a ``.pub`` file or a fingerprint, for a key that the agent holds.
        opening: the passphrase, and the agent.

    Raises:
        SigningError: KEY001, the file cannot be read or is no key, or others than its owner may read it; KEY002, the
            passphrase is missing or wrong; KEY005, the agent cannot be reached or does not hold the key.
    """
    if key.startswith("SHA256:"):
        return agent_signer(_agent(opening), key)
    path = Path(key)
    data = _read_key(path)
    text = _public_line(data)
    if text is not None:
        return agent_signer(_agent(opening), _with_place(lambda: public_parts(text).text, key))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        message = "others than its owner may read the private key"
        raise SigningError(Problem("KEY001", message, Where(key), f"chmod 600 {path.name}"))
    return load_signer(data, opening.passphrase, key)


def _with_place(read: Callable[[], str], key: str) -> str:
    try:
        return read()
    except SigningError as error:
        raise SigningError(*(replace(one, where=Where(key)) for one in error.problems)) from None


def _agent(opening: Opening) -> Path:
    if opening.agent is None:
        hint = "start ssh-agent, add the key with ssh-add, or name a private key file"
        raise SigningError(Problem("KEY005", "no key agent is running here: SSH_AUTH_SOCK is not set", None, hint))
    return opening.agent


def _read_key(path: Path) -> bytes:
    try:
        return read_bytes(path, max_bytes=MAX_KEY_FILE_BYTES)
    except DocumentError as error:
        hint = "name a private key file, a .pub file, or the fingerprint of a key in the agent"
        raise SigningError(Problem("KEY001", error.problems[0].message, Where(str(path)), hint)) from None


def _public_line(data: bytes) -> str | None:
    """Give kind and key of a ``.pub`` file, without its comment; none if it is not one."""
    words = data.decode("utf-8", "replace").split()
    return " ".join(words[:2]) if data.startswith((b"ssh-", b"sk-")) and len(data.splitlines()) == 1 else None


def actor_with(world: World, person: str, key: str, opening: Opening) -> Actor:
    """Give somebody of the project with the key that they name: what ``--as`` and ``--key`` stand for.

    Raises:
        SigningError: KEY004, `tidegate.yaml` does not know the person; or what `open_signer` raises.
    """
    find_person(read_settings(world.root).people, person)
    return actor_for(world, person, open_signer(key, opening))


# --- requests -----------------------------------------------------------------------------------------


def key_request(person: str, roles: Iterable[str], signer: Signer, replaces: str | None = None) -> KeyRequest:
    """Give the request that a new key be entered, with the proof that its holder agrees to it."""
    held = () if replaces is not None else tuple(sorted(set(roles)))
    proof = signer.sign(proof_bytes(person, held, signer.public_key, replaces=replaces))
    made = {"person": person, "roles": held, "public_key": signer.public_key, "replaces": replaces, "proof": proof}
    try:
        return KeyRequest.model_validate(made)
    except ValueError:
        raise SigningError(
            Problem("KEY004", f"{person!r} is not the id of a person", None, "see tidegate.yaml")
        ) from None


def write_request(file: Path, request: KeyRequest) -> None:
    """Write a request to a new file.

    Raises:
        ProjectError: PRJ004, there is such a file already, or it cannot be written.
    """
    _write_new(file, f"{request.model_dump_json(by_alias=True, indent=2)}\n".encode(), 0o644)


def read_request(file: Path) -> KeyRequest | None:
    """Give the request that a file holds; none if it is no request, but perhaps a key.

    Raises:
        DocumentError: it begins as one, and is not well-formed.
        SigningError: KEY001, its key or its proof does not hold.
    """
    data = _read_key(file)
    if not data.lstrip().startswith(b"{"):
        return None
    found = validate_part(parse_document(data, str(file)), KeyRequest)
    _with_place(lambda: public_parts(found.public_key).text, str(file))
    text = proof_bytes(found.person, found.roles, found.public_key, replaces=found.replaces)
    if not verify_signature(found.public_key, text, found.proof):
        message = "the new key does not prove that its holder agrees: the request was changed after it was made"
        raise SigningError(Problem("KEY001", message, Where(str(file)), "ask for a new one: `tidegate key show --for`"))
    return found


def roles_in(world: World, person: str, roles: Sequence[str] = ()) -> tuple[str, ...]:
    """Give the roles that a key of a person is to have: those named, or all that `tidegate.yaml` gives the person.

    Raises:
        SigningError: KEY004, the person is not known or does not hold a role.
    """
    held = find_person(read_settings(world.root).people, person).roles
    missing = sorted(set(roles) - set(held))
    if missing:
        hint = f"roles of {person} in tidegate.yaml: {', '.join(held) or 'none'}"
        raise SigningError(Problem("KEY004", f"{person} does not hold the role {', '.join(missing)}", None, hint))
    return tuple(sorted(set(roles or held)))


# --- the log ------------------------------------------------------------------------------------------


def keyring_of(world: World) -> Keyring:
    """Give the keyring of the project's log."""
    with closing(world.ledger()) as store:
        return keyring((one.index, one.entry) for one in store.entries())


def add_key(world: World, request: KeyRequest, actor: Actor) -> "Logged":
    """Enter a new key in the log.

    Raises:
        SigningError: KEY003, the actor's key does not speak for them, or the new key cannot be added; KEY004, the
            person is not known or does not hold the roles; KEY006, the rules do not allow it.
        LedgerError: LED002, LED006.
    """
    roles = tuple(sorted(set(request.roles)))
    if roles:
        roles_in(world, request.person, roles)
    body = KeyAdded(
        person=find_person(read_settings(world.root).people, request.person).id,
        roles=roles,
        public_key=request.public_key,
        proof=request.proof,
    )
    about = Resource(
        kind="key", id=fingerprint(request.public_key), attributes={"owners": (request.person,), "roles": roles}
    )
    return _enter(world, Act("key.added", body, actor), "add_key", about)


def rotate_key(world: World, request: KeyRequest, actor: Actor) -> "Logged":
    """Enter that a new key takes the place of the one that the request names. Raises as `add_key` does."""
    if request.replaces is None:
        hint = "make it with `tidegate key show NEW --for PERSON --replaces FINGERPRINT`"
        raise SigningError(Problem("KEY003", "the request does not say which key it replaces", None, hint))
    body = KeyRotated(person=request.person, old=request.replaces, public_key=request.public_key, proof=request.proof)
    about = Resource(kind="key", id=request.replaces, attributes={"owners": (request.person,)})
    return _enter(world, Act("key.rotated", body, actor), "rotate_key", about)


@dataclass(frozen=True)
class Revoked:
    """A key that was revoked, and what became of what it had signed."""

    logged: "Logged"
    holding: KeyHolding
    """The key, as it stands now."""
    no_longer: "tuple[Logged, ...]"
    """Entries that counted until now, and no longer do."""


def revoke_key(world: World, key: str, reason: RevocationReason, actor: Actor, since: str | None = None) -> Revoked:
    """Enter that a key no longer speaks for anybody.

    Args:
        world: the surroundings.
        key: its fingerprint.
        reason: why.
        actor: its owner, or a keeper.
        since: instant from which what it signed has no effect; none leaves what it signed so far as it is.

    Raises:
        ProjectError: PRJ005, `since` is no instant, or lies in the future.
        SigningError: as `add_key`.
    """
    from_then = _past(since, world.now()) if since is not None else None
    before = keyring_of(world)
    target = before.find(key)
    if target is None:
        raise SigningError(
            Problem("KEY003", f"nobody has this key in the ledger: {key}", None, "see `tidegate key list --all`")
        )
    body = KeyRevoked.model_validate({"key": key, "reason": reason, "since": from_then})
    about = Resource(kind="key", id=key, attributes={"owners": (target.person,)})
    logged = _enter(world, Act("key.revoked", body, actor), "revoke_key", about, before)
    with closing(world.ledger()) as store:
        entries = tuple(store.entries(stop=logged.index + 1))
    after = keyring((one.index, one.entry) for one in entries)
    counted = [one for one in entries if one.entry.signature is not None and one.index != logged.index]
    gone = tuple(
        one for one in counted if before.check(one.index, one.entry) is None and after.check(one.index, one.entry)
    )
    return Revoked(logged, cast("KeyHolding", after.find(key)), gone)


def _past(text: str, now: Instant) -> Instant:
    try:
        if moment(text) <= moment(now):
            return text
    except ValueError as error:
        raise ProjectError(Problem("PRJ005", f"{text!r}: {error}")) from None
    raise ProjectError(Problem("PRJ005", f"{text} lies in the future", None, "name a time up to now"))


def _enter(world: World, act: Act, action: Action, about: Resource, known: Keyring | None = None) -> "Logged":
    """Enter an act about keys, if it would have its effect: the log keeps for good what it takes."""
    held = keyring_of(world) if known is None else known
    actor = act.actor
    assert actor is not None
    if held.history:
        speaks = speaking(held, actor)
        refused = allowed(Request(speaks, action, about))
        if refused:
            raise SigningError(Problem("KEY006", refused, None, "see `tidegate key list` for who holds which role"))
    entry = _unsigned(world, act)
    reason = held.judge(entry, actor.signer.fingerprint)
    if reason is not None:
        raise SigningError(
            Problem("KEY003", f"this would have no effect: {reason}", None, "see `tidegate key list --all`")
        )
    return record_act(world, act, expect_size=held.size)


def _unsigned(world: World, act: Act) -> Entry:
    by: Any = act.actor.person if act.actor else None
    log = world.log_origin()
    return new_entry(act.kind, act.body, entry_id=world.ids(), acted_at=world.now(), by=by, log=log, over=act.over)


def speaking(held: Keyring, actor: Actor) -> KeyHolding:
    """Give what the keyring says of an actor whose key speaks for them now.

    Raises:
        SigningError: KEY003, it does not.
    """
    key = actor.signer.fingerprint
    found = next((one for one in held.active() if one.fingerprint == key and one.person == actor.person), None)
    if found is not None:
        return found
    known = held.find(key)
    if known is None:
        message = f"the key {key} is not in the ledger"
        hint = f"a keeper enters it: `tidegate key add`, with what `tidegate key show --for {actor.person}` prints"
    elif known.person != actor.person:
        message, hint = f"the key {key} speaks for {known.person}, not for {actor.person}", None
    else:
        message, hint = f"the key {key} no longer speaks for {actor.person}: {known.ending}", "use the newer key"
    raise SigningError(Problem("KEY003", message, None, hint))
