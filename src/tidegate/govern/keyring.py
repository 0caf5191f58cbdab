# SPDX-License-Identifier: Apache-2.0
"""Which key speaks for whom, in which roles, at which position of the log: folded from the log alone.

Whoever operates the log can write into it, so nothing in it is taken on trust: an entry that breaks a rule has no
effect, and is listed with its reason.

- The first key stands on its own signature, and its person is a keeper.
- Every later key is added by a keeper for somebody else, or by somebody for themselves with a key of theirs, and
  then with no role that this key lacks.
- A key is rotated by itself or by a keeper, and keeps its roles; it is revoked by its owner or by a keeper.
- A key that ended never comes back, and a key belongs to one person.
- What a stolen key signed from a given time on has no effect, also on this keyring. The time that counts for an
  entry is the latest that any entry up to it states, so that nobody puts an entry before those that stand before it.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from tidegate.kernel.clock import Instant
from tidegate.kernel.errors import SigningError
from tidegate.ledger.acts import KeyAdded, KeyRevoked, KeyRotated
from tidegate.ledger.entries import KINDS, Entry
from tidegate.ledger.keys import fingerprint, public_parts, verify_signature
from tidegate.ledger.signing import holds, proof_bytes

KEEPER = "keeper"
"""Role of those who keep the log and its keys."""
KEY_KINDS = ("key.added", "key.rotated", "key.revoked")
"""Kinds of entries that make the keyring."""

STOLEN = "it was signed with a key at a time from which on that key's signatures have no effect"


@dataclass(frozen=True, slots=True)
class KeyHolding:
    """A key that speaks, or spoke, for a person."""

    person: str
    """Person."""
    roles: tuple[str, ...]
    """Roles that the person has with this key, sorted."""
    public_key: str
    """The key, as OpenSSH text."""
    fingerprint: str
    """Its fingerprint."""
    added: int
    """Index of the entry after which it speaks."""
    ended: int | None = None
    """Index of the entry after which it no longer speaks; that entry itself it may sign."""
    ending: str | None = None
    """Why it ended: ``rotated``, or the reason of its revocation."""
    void_from: Instant | None = None
    """From when its signatures have no effect, wherever they stand."""

    @property
    def id(self) -> str:
        """The person, by the name that access rules use."""
        return self.person

    def speaks(self, index: int, moment: Instant) -> bool:
        """Tell whether it speaks for its person in an entry at a position, given the time that counts for it."""
        is_open = self.added < index and (self.ended is None or index <= self.ended)
        return is_open and (self.void_from is None or moment < self.void_from)


@dataclass(frozen=True, slots=True, order=True)
class Void:
    """An entry about keys that has no effect."""

    index: int
    """Position in the log."""
    entry: str
    """Its id."""
    kind: str
    """Its kind."""
    reason: str
    """Why it has none."""


@dataclass(frozen=True)
class Keyring:
    """Every key that the log ever gave to somebody, and what became of it."""

    history: tuple[KeyHolding, ...] = ()
    """Every key in the order in which they were added, with its end if it has one."""
    voids: tuple[Void, ...] = ()
    """Entries about keys that have no effect, in the order of the log."""
    size: int = 0
    """Position of the next entry."""
    origin: str | None = None
    """Name of the log, as its first entry gives it."""
    _clock: tuple[tuple[int, Instant], ...] = field(default=(), repr=False)
    _first: Mapping[str, int] = field(default_factory=dict, repr=False)
    _judged: "Mapping[int, _Seen]" = field(default_factory=dict, repr=False)
    _by_key: Mapping[str, KeyHolding] = field(default_factory=dict, repr=False)

    def moment(self, index: int, acted_at: Instant = "") -> Instant:
        """Give the time that counts for a position: the latest that any entry up to it states."""
        found = bisect_right(self._clock, index, key=lambda one: one[0])
        return max(self._clock[found - 1][1] if found else "", acted_at)

    def holder(self, key: str, index: int, moment: Instant) -> KeyHolding | None:
        """Give whom a key speaks for in an entry at a position, given the time that counts for it."""
        found = self._by_key.get(key)
        return found if found is not None and found.speaks(index, moment) else None

    def active(self, index: int | None = None) -> tuple[KeyHolding, ...]:
        """Give the keys that speak for somebody in an entry at a position: the next one, if none is given."""
        at = self.size if index is None else index
        return tuple(one for one in self.history if one.speaks(at, self.moment(at)))

    def find(self, key: str) -> KeyHolding | None:
        """Give what is known of a key, whether it speaks or not."""
        return self._by_key.get(key)

    def check(self, index: int, entry: Entry) -> str | None:
        """Give in words why the signature of an entry does not count; none if it does, or if none is needed."""
        if entry.signature is None:
            return "it is not signed" if KINDS[entry.kind].is_signed else None
        if _is_foreign(entry, self.origin):
            return f"it was made for the log {entry.log}"
        first = self._first.get(entry.id, index)
        if first < index:
            return f"it repeats entry {first}"
        if index in self._judged and self._judged[index].entry == entry:
            return next((one.reason for one in self.voids if one.index == index), None)
        key, moment = entry.signature.key, self.moment(index, entry.acted_at)
        holding = self.holder(key, index, moment)
        if holding is None:
            return self._silent(key, index)
        if entry.by != holding.person:
            return f"it names {entry.by or 'nobody'}, and is signed with a key of {holding.person}"
        return None if holds(entry, holding.public_key) else "the signature does not hold"

    def judge(self, entry: Entry, key: str) -> str | None:
        """Give why an entry about keys would have no effect if it came next; none if it would have its effect.

        Args:
            entry: the entry; it need not be signed yet.
            key: fingerprint of the key that is to sign it.
        """
        if _is_foreign(entry, self.origin):
            return f"it was made for the log {entry.log}"
        seen = _Seen(self.size, self.moment(self.size, entry.acted_at), entry)
        settled = _settle((*self._judged.values(), seen), self._first, {self.size: key})
        return next((one.reason for one in settled.voids if one.index == self.size), None)

    def _silent(self, key: str, index: int) -> str:
        known = self.find(key)
        if known is None:
            return f"it is signed with a key that nobody has in this log ({key})"
        if index <= known.added:
            return f"it is signed with a key that was added only later ({key})"
        if known.ended is not None and index > known.ended:
            return f"it is signed with a key that had ended ({key}, {known.ending})"
        return STOLEN


def keyring(logged: Iterable[tuple[int, Entry]], counts: Callable[[Entry], bool] = lambda _: True) -> Keyring:
    """Give the keyring of a log: of its entries in their order, with their positions.

    All entries are needed, not only those about keys: the time that counts for an entry depends on all before it.

    Args:
        logged: the entries.
        counts: tells which of those about keys the reader lets count; the others have no effect.
    """
    clock: list[tuple[int, Instant]] = []
    first: dict[str, int] = {}
    seen: dict[int, _Seen] = {}
    foreign: list[Void] = []
    size, origin = 0, None
    for index, entry in logged:
        size = index + 1
        if index == 0 and entry.kind == "ledger.opened":
            origin = str(entry.body["origin"])
        if not clock or entry.acted_at > clock[-1][1]:
            clock.append((index, entry.acted_at))
        if KINDS[entry.kind].is_signed:
            first.setdefault(entry.id, index)
        if entry.kind not in KEY_KINDS or not counts(entry):
            continue
        if _is_foreign(entry, origin):
            foreign.append(Void(index, entry.id, entry.kind, f"it was made for the log {entry.log}"))
        else:
            seen[index] = _Seen(index, clock[-1][1], entry)
    settled = _settle(tuple(seen.values()), first)
    held, voids = settled.holdings, tuple(sorted((*settled.voids, *foreign)))
    return Keyring(tuple(held.values()), voids, size, origin, tuple(clock), first, seen, held)


def _is_foreign(entry: Entry, origin: str | None) -> bool:
    """Tell whether an entry was signed for another log, and only copied into this one."""
    return entry.log is not None and origin is not None and entry.log != origin


# --- folding ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """An entry about keys, with the time that counts for it."""

    index: int
    moment: Instant
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Act:
    """The same, with all that can be said of it without knowing whose keys are whose."""

    index: int
    moment: Instant
    entry: Entry
    body: KeyAdded | KeyRotated | KeyRevoked
    signer: str
    """Fingerprint of the key whose signature over it holds."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """A revocation that takes effect before the entry that states it."""

    index: int
    key: str
    since: Instant

    def covers(self, act: _Act) -> bool:
        """Tell whether an act has no effect for it. The revocation itself may be signed with the key that it ends."""
        return act.signer == self.key and act.moment >= self.since and act.index != self.index


@dataclass
class _Fold:
    """The keyring while it is being made."""

    root: int
    """Position of the first key."""
    holdings: dict[str, KeyHolding] = field(default_factory=dict)
    voids: list[Void] = field(default_factory=list)
    spent: set[str] = field(default_factory=set)
    """Keys that were revoked though no valid entry adds them."""
    points: set[bytes] = field(default_factory=set)
    """Keys that ever belonged to somebody, whatever their kind."""
    spellings: dict[str, str] = field(default_factory=dict)
    """Person without regard to case -> person."""

    def signer(self, act: _Act) -> KeyHolding | str:
        """Give who signed an act, or why it does not count."""
        found = self.holdings.get(act.signer)
        if found is None or found.ended is not None:
            how = "nobody has in this log" if found is None else "had ended"
            return f"it is signed with a key that {how} ({act.signer})"
        if found.person != act.entry.by:
            return f"it names {act.entry.by or 'nobody'}, and is signed with a key of {found.person}"
        return found


def _settle(seen: Sequence[_Seen], first: Mapping[str, int], unsigned: Mapping[int, str] | None = None) -> _Fold:
    """Fold the entries. A revocation that reaches back changes what came before it, so the fold begins anew then.

    A revocation that was valid when it came stays so, unless a later one takes back the signature under it: a thief
    is not spared because the act that caught them rests on something that they did. So every round settles one more
    revocation, and the rounds end.
    """
    unsound: list[Void] = []
    acts = list(_acts(seen, first, unsound, unsigned or {}))
    root = next((act.index for act in acts if _stands_alone(act)), -1)
    cuts: dict[int, _Cut] = {}
    while True:
        fold = _Fold(root)
        fresh = _round(fold, acts, cuts)
        if fresh is None:
            fold.voids = sorted([*unsound, *fold.voids])
            return fold
        cuts[fresh.index] = fresh


def _acts(
    seen: Sequence[_Seen], first: Mapping[str, int], unsound: list[Void], unsigned: Mapping[int, str]
) -> Iterator[_Act]:
    """Give the entries whose signatures and proofs hold; what does not goes to `unsound`.

    Of an entry that is still to be signed, `unsigned` says with which key.
    """
    publics = dict(_publics(one.entry) for one in seen)
    for one in seen:
        index, entry, body = one.index, one.entry, _body(one.entry)
        signer = unsigned.get(index) or (entry.signature.key if entry.signature is not None else "")
        reason = None
        if first.get(entry.id, index) < index:
            reason = f"it repeats entry {first[entry.id]}"
        elif not signer:
            reason = "it is not signed"
        elif signer not in publics:
            reason = f"it is signed with a key that nobody has in this log ({signer})"
        elif index not in unsigned and not holds(entry, publics[signer]):
            reason = "the signature does not hold"
        elif body is None or not _is_proven(body):
            reason = "the new key does not prove that its holder agrees"
        if reason is None and body is not None:
            yield _Act(index, one.moment, entry, body, signer)
        else:
            unsound.append(Void(index, entry.id, entry.kind, reason or ""))


def _body(entry: Entry) -> KeyAdded | KeyRotated | KeyRevoked | None:
    try:
        found = entry.act
    except ValidationError:
        return None
    return found if isinstance(found, KeyAdded | KeyRotated | KeyRevoked) else None


def _publics(entry: Entry) -> tuple[str, str]:
    """Give fingerprint and text of the key that an entry brings; empty if it brings none."""
    text = entry.body.get("public_key", "")
    try:
        return fingerprint(text), text
    except (SigningError, AttributeError, TypeError):
        return "", ""


def _is_proven(body: KeyAdded | KeyRotated | KeyRevoked) -> bool:
    if isinstance(body, KeyRevoked):
        return True
    if isinstance(body, KeyRotated):
        expected = proof_bytes(body.person, (), body.public_key, replaces=body.old)
    else:
        expected = proof_bytes(body.person, body.roles, body.public_key)
    return verify_signature(body.public_key, expected, body.proof)


def _stands_alone(act: _Act) -> bool:
    """Tell whether an act can be the first: a keeper's key that adds itself."""
    body = act.body
    return (
        isinstance(body, KeyAdded)
        and act.entry.by == body.person
        and KEEPER in body.roles
        and act.signer == fingerprint(body.public_key)
    )


def _round(fold: _Fold, acts: Sequence[_Act], cuts: Mapping[int, _Cut]) -> _Cut | None:
    """Fold acts under what is known of stolen keys; stop at the first revocation that reaches back and is new."""
    standing = _standing(acts, cuts)
    for act in acts:
        if act.index in standing:
            _end(fold, act)
            continue
        reason: str | None
        if act.index != fold.root and any(cut.covers(act) for cut in standing.values()):
            reason = STOLEN
        else:
            reason = _apply(fold, act)
            if reason is None and isinstance(act.body, KeyRevoked) and act.body.since is not None:
                return _Cut(act.index, act.body.key, act.body.since)
        if reason is not None:
            fold.voids.append(Void(act.index, act.entry.id, act.entry.kind, reason))
    return None


def _standing(acts: Sequence[_Act], cuts: Mapping[int, _Cut]) -> dict[int, _Cut]:
    """Give the revocations that stand: those that no later one takes back."""
    standing: dict[int, _Cut] = {}
    for act in reversed(acts):
        if act.index in cuts and not any(later.covers(act) for later in standing.values()):
            standing[act.index] = cuts[act.index]
    return standing


def _apply(fold: _Fold, act: _Act) -> str | None:
    """Let an act have its effect, or give why it has none."""
    if act.index == fold.root:
        return _admit(fold, act, act.body.person, act.body.roles) if isinstance(act.body, KeyAdded) else None
    signer = fold.signer(act)
    if isinstance(signer, str):
        return signer
    match act.body:
        case KeyAdded():
            return _add(fold, act, act.body, signer)
        case KeyRotated():
            return _rotate(fold, act, act.body, signer)
        case KeyRevoked():
            return _revoke(fold, act, act.body, signer)


def _add(fold: _Fold, act: _Act, body: KeyAdded, signer: KeyHolding) -> str | None:
    if body.person != signer.person and KEEPER not in signer.roles:
        return f"{signer.person} is no keeper, and adds a key for {body.person}"
    more = sorted(set(body.roles) - set(signer.roles))
    if body.person == signer.person and more:
        return f"{signer.person} adds a key for themselves with roles that they do not have: {', '.join(more)}"
    return _admit(fold, act, body.person, body.roles)


def _rotate(fold: _Fold, act: _Act, body: KeyRotated, signer: KeyHolding) -> str | None:
    old = fold.holdings.get(body.old)
    if old is None or old.ended is not None or old.person != body.person:
        return f"{body.person} has no such key to rotate ({body.old})"
    if signer.fingerprint != body.old and KEEPER not in signer.roles:
        return "a key is rotated with itself, or by a keeper"
    reason = _admit(fold, act, body.person, old.roles)
    if reason is None:
        fold.holdings[body.old] = replace(old, ended=act.index, ending="rotated")
    return reason


def _revoke(fold: _Fold, act: _Act, body: KeyRevoked, signer: KeyHolding) -> str | None:
    target = fold.holdings.get(body.key)
    if target is None:
        return f"there is no such key to revoke ({body.key})"
    if signer.person != target.person and KEEPER not in signer.roles:
        return "a key is revoked by its owner, or by a keeper"
    is_earlier = body.since is not None and (target.void_from is None or body.since < target.void_from)
    if target.ended is not None and not is_earlier:
        return f"the key had ended already ({body.key}, {target.ending})"
    _end(fold, act)
    return None


def _end(fold: _Fold, act: _Act) -> None:
    body = act.body
    assert isinstance(body, KeyRevoked)
    target = fold.holdings.get(body.key)
    if target is None:
        fold.spent.add(body.key)
        return
    void_from = min((one for one in (target.void_from, body.since) if one is not None), default=None)
    is_open = target.ended is None
    fold.holdings[body.key] = replace(
        target,
        ended=act.index if is_open else target.ended,
        ending=body.reason if is_open or body.since is not None else target.ending,
        void_from=void_from,
    )


def _admit(fold: _Fold, act: _Act, person: str, roles: Iterable[str]) -> str | None:
    """Give a key to a person, unless it belonged to somebody before."""
    assert not isinstance(act.body, KeyRevoked)
    key = public_parts(act.body.public_key)
    if key.fingerprint in fold.spent or key.point in fold.points:
        return f"the key was in the log before, and no key comes twice ({key.fingerprint})"
    # Two spellings of one person could sign twice.
    spelt = fold.spellings.setdefault(person.casefold(), person)
    if spelt != person:
        return f"{person} is spelt {spelt} in this log"
    held = tuple(sorted(set(roles)))
    fold.points.add(key.point)
    fold.holdings[key.fingerprint] = KeyHolding(person, held, act.body.public_key, key.fingerprint, act.index)
    return None
