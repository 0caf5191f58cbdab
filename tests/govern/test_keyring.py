# SPDX-License-Identifier: Apache-2.0
"""Which key speaks for whom: a table of what has an effect and what has none, and laws over any sequence of entries."""

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.govern.keyring import Keyring, keyring
from tidegate.ledger.acts import DecisionRecused, KeyAdded, KeyRevoked, KeyRotated, LedgerOpened
from tidegate.ledger.entries import Entry, Signature, new_entry, signed_bytes
from tidegate.ledger.keys import TOKEN, fingerprint, public_parts, public_text, put_string
from tidegate.ledger.signing import proof_bytes, sign_entry

DAY = "2026-06-{:02d}T12:00:00Z"


@dataclass(frozen=True)
class Hand:
    """A key with a name."""

    name: str

    @property
    def key(self) -> Ed25519PrivateKey:
        return _private(self.name)

    @property
    def public_key(self) -> str:
        return _public(self.name)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)

    def sign(self, data: bytes) -> str:
        return base64.b64encode(self.key.sign(data)).decode()


@cache
def _private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


@cache
def _public(name: str) -> str:
    return public_text(_private(name).public_key().public_bytes_raw())


KIM, ADA, BEN, EVE = Hand("kim"), Hand("ada"), Hand("ben"), Hand("eve")


@dataclass
class Log:
    """A log that grows by one entry at a time."""

    entries: list[Entry] = field(default_factory=list)
    day: int = 1

    def put(self, entry: Entry) -> int:
        self.entries.append(entry)
        return len(self.entries) - 1

    def act(self, kind: str, body, by: str, signer: Hand, *, at: str | None = None) -> int:
        made = new_entry(kind, body, entry_id=f"{len(self.entries):032x}", acted_at=at or DAY.format(self.day), by=by)
        return self.put(sign_entry(made, signer))

    def add(
        self, person: str, key: Hand, roles: tuple[str, ...], by: str, signer: Hand, *, prover: Hand | None = None
    ) -> int:
        proof = (prover or key).sign(proof_bytes(person, roles, key.public_key))
        body = KeyAdded(person=person, roles=roles, public_key=key.public_key, proof=proof)
        return self.act("key.added", body, by, signer)

    def rotate(self, person: str, old: Hand, new: Hand, by: str, signer: Hand) -> int:
        proof = new.sign(proof_bytes(person, (), new.public_key, replaces=old.fingerprint))
        body = KeyRotated(person=person, old=old.fingerprint, public_key=new.public_key, proof=proof)
        return self.act("key.rotated", body, by, signer)

    def revoke(self, key: Hand, by: str, signer: Hand, *, since: str | None = None, reason: str = "stolen") -> int:
        body = KeyRevoked(key=key.fingerprint, reason=reason, since=since)
        return self.act("key.revoked", body, by, signer)

    def recuse(self, by: str, signer: Hand, *, at: str | None = None) -> int:
        return self.act("decision.recused", DecisionRecused(decision="d", reason="mine"), by, signer, at=at)

    def pass_time(self, day: int) -> int:
        self.day = day
        body = LedgerOpened(origin="example.org/log", organisation="Example")
        return self.put(
            new_entry("ledger.opened", body, entry_id=f"{len(self.entries):032x}", acted_at=DAY.format(day))
        )

    @property
    def ring(self) -> Keyring:
        return keyring(enumerate(self.entries))


def begun() -> Log:
    """Kim keeps the log; Ada is the responsible scaling officer; Ben is the chief executive."""
    log = Log()
    log.pass_time(1)
    log.add("kim", KIM, ("keeper",), "kim", KIM)
    log.add("ada", ADA, ("rso",), "kim", KIM)
    log.add("ben", BEN, ("ceo", "approver"), "kim", KIM)
    return log


def roles(ring: Keyring) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in ring.active():
        found.setdefault(one.person, set()).update(one.roles)
    return found


BEGUN = {"kim": {"keeper"}, "ada": {"rso"}, "ben": {"ceo", "approver"}}


def test_people_hold_what_keepers_gave_them():
    ring = begun().ring
    assert roles(ring) == BEGUN
    assert ring.voids == ()
    assert [(one.person, one.added, one.ended) for one in ring.history] == [
        ("kim", 1, None),
        ("ada", 2, None),
        ("ben", 3, None),
    ]
    assert ring.find(ADA.fingerprint).id == "ada"
    assert ring.find(EVE.fingerprint) is None


def test_an_empty_log_gives_nobody_a_key():
    assert keyring([]) == Keyring()
    assert keyring([]).active() == ()


# --- what has no effect -------------------------------------------------------------------------------

NEW = Hand("new")
VOID = {
    "a stranger adds a key": (lambda log: log.add("eve", EVE, ("rso",), "kim", EVE), "nobody has"),
    "a stranger begins anew": (lambda log: log.add("eve", EVE, ("keeper",), "eve", EVE), "nobody has"),
    "the added key adds itself": (lambda log: log.add("ada", NEW, ("rso",), "ada", NEW), "nobody has"),
    "a non-keeper adds another": (lambda log: log.add("eve", EVE, (), "ada", ADA), "ada is no keeper"),
    "a further key with more roles": (lambda log: log.add("ada", NEW, ("rso", "ceo"), "ada", ADA), "do not have: ceo"),
    "a keeper gives himself roles": (
        lambda log: log.add("kim", NEW, ("keeper", "rso"), "kim", KIM),
        "do not have: rso",
    ),
    "somebody in another's name": (lambda log: log.add("eve", EVE, ("rso",), "kim", ADA), "signed with a key of ada"),
    "in nobody's name": (lambda log: log.put(sign_entry(anonymous(), KIM)), "names nobody"),
    "without proof": (lambda log: log.add("eve", EVE, (), "kim", KIM, prover=KIM), "does not prove"),
    "a key of somebody else": (lambda log: log.add("eve", ADA, (), "kim", KIM), "no key comes twice"),
    "another spelling": (lambda log: log.add("ADA", NEW, ("rso",), "kim", KIM), "ADA is spelt ada"),
    "rotated by a stranger": (lambda log: log.rotate("ada", ADA, NEW, "eve", EVE), "nobody has"),
    "rotated by a colleague": (lambda log: log.rotate("ada", ADA, NEW, "ben", BEN), "with itself, or by a keeper"),
    "rotated for another": (lambda log: log.rotate("ben", ADA, NEW, "kim", KIM), "no such key to rotate"),
    "rotated to a known key": (lambda log: log.rotate("ada", ADA, BEN, "ada", ADA), "no key comes twice"),
    "rotated from nothing": (lambda log: log.rotate("ada", EVE, NEW, "ada", ADA), "no such key to rotate"),
    "revoked by a colleague": (lambda log: log.revoke(ADA, "ben", BEN), "by its owner, or by a keeper"),
    "revoked by a stranger": (lambda log: log.revoke(ADA, "ada", EVE), "nobody has"),
    "revoked though unknown": (lambda log: log.revoke(EVE, "kim", KIM), "no such key to revoke"),
}


def anonymous() -> Entry:
    body = KeyAdded(person="eve", public_key=EVE.public_key, proof=EVE.sign(proof_bytes("eve", (), EVE.public_key)))
    return new_entry("key.added", body, entry_id="f" * 32, acted_at=DAY.format(1))


@pytest.mark.parametrize(("break_a_rule", "said"), VOID.values(), ids=VOID)
def test_what_breaks_a_rule_has_no_effect(break_a_rule, said):
    log = begun()
    at = break_a_rule(log)
    ring = log.ring
    assert roles(ring) == BEGUN
    assert [(void.index, void.entry, void.kind) for void in ring.voids] == [
        (at, log.entries[at].id, log.entries[at].kind)
    ]
    assert said in ring.voids[0].reason
    assert ring.check(at, log.entries[at]) == ring.voids[0].reason


def test_a_changed_entry_has_no_effect():
    log = begun()
    at = log.add("eve", EVE, ("rso",), "kim", KIM)
    changed = log.entries[at].model_copy(update={"acted_at": DAY.format(2)})
    log.entries[at] = changed
    assert roles(log.ring) == BEGUN
    assert log.ring.check(at, changed) == "the signature does not hold"


def test_an_entry_without_signature_has_no_effect():
    log = begun()
    at = log.add("eve", EVE, ("rso",), "kim", KIM)
    log.entries[at] = log.entries[at].model_copy(update={"signature": None})
    assert roles(log.ring) == BEGUN
    assert log.ring.check(at, log.entries[at]) == "it is not signed"


@pytest.mark.parametrize("roles_of_the_first", [(), ("rso",), ("Keeper",)])
def test_the_first_key_is_a_keepers(roles_of_the_first):
    log = Log()
    log.add("eve", EVE, roles_of_the_first, "eve", EVE)
    log.add("kim", KIM, ("keeper",), "kim", KIM)
    ring = log.ring
    assert roles(ring) == {"kim": {"keeper"}}
    assert [void.index for void in ring.voids] == [0]


def test_the_first_key_signs_for_its_own_person():
    log = Log()
    log.add("kim", KIM, ("keeper",), "eve", KIM)
    assert log.ring.history == ()
    log = Log()
    log.add("kim", KIM, ("keeper",), "kim", EVE)
    assert log.ring.history == ()


def test_a_repeated_entry_has_no_effect():
    log = begun()
    log.revoke(ADA, "kim", KIM, reason="left")
    again = log.put(log.entries[2])
    assert roles(log.ring) == {"kim": {"keeper"}, "ben": {"ceo", "approver"}}
    assert log.ring.check(again, log.entries[again]) == "it repeats entry 2"
    first = log.recuse("ben", BEN)
    second = log.put(log.entries[first])
    assert log.ring.check(first, log.entries[first]) is None
    assert log.ring.check(second, log.entries[second]) == f"it repeats entry {first}"


def test_a_key_that_ended_never_comes_back():
    log = begun()
    log.revoke(ADA, "ada", ADA, reason="lost")
    back = log.add("ada", ADA, ("rso",), "kim", KIM)
    other = log.add("eve", ADA, (), "kim", KIM)
    rotated = log.rotate("ben", BEN, NEW, "ben", BEN)
    old = log.add("ben", BEN, ("ceo",), "kim", KIM)
    assert [void.index for void in log.ring.voids] == [back, other, old]
    assert log.ring.find(BEN.fingerprint).ended == rotated
    assert roles(log.ring) == {"kim": {"keeper"}, "ben": {"ceo", "approver"}}


def test_one_key_as_two_kinds_is_still_one_key():
    """The same point as a token's key would let one person sign as two."""
    log = begun()
    point = public_parts(ADA.public_key).point
    blob = put_string(TOKEN.encode()) + put_string(point) + put_string(b"ssh:")
    token = f"{TOKEN} {base64.b64encode(blob).decode()}"
    state = b"\x01\x00\x00\x00\x01"
    text = proof_bytes("eve", (), token)
    made = ADA.key.sign(hashlib.sha256(b"ssh:").digest() + state + hashlib.sha256(text).digest())
    proof = base64.b64encode(put_string(made) + state).decode()
    at = log.act("key.added", KeyAdded(person="eve", public_key=token, proof=proof), "kim", KIM)
    assert "no key comes twice" in log.ring.check(at, log.entries[at])
    assert roles(log.ring) == BEGUN


# --- what has an effect -------------------------------------------------------------------------------


def test_a_further_key_has_at_most_the_roles_of_the_one_that_signs():
    log = begun()
    log.add("ben", NEW, ("ceo",), "ben", BEN)
    log.add("ben", Hand("newer"), ("ceo",), "ben", NEW)
    refused = log.add("ben", Hand("newest"), ("approver",), "ben", NEW)
    assert [void.index for void in log.ring.voids] == [refused]
    assert [one.roles for one in log.ring.active() if one.person == "ben"] == [("approver", "ceo"), ("ceo",), ("ceo",)]


def test_a_keeper_may_give_more_roles_to_others():
    log = begun()
    log.add("ada", NEW, ("rso", "keeper"), "kim", KIM)
    log.add("eve", EVE, ("assurer",), "ada", NEW)
    assert roles(log.ring)["ada"] == {"rso", "keeper"}
    assert roles(log.ring)["eve"] == {"assurer"}


@pytest.mark.parametrize(("by", "signer"), [("ben", BEN), ("kim", KIM)])
def test_a_rotated_key_keeps_its_roles(by, signer):
    log = begun()
    at = log.rotate("ben", BEN, NEW, by, signer)
    ring = log.ring
    assert ring.voids == ()
    assert ring.check(at, log.entries[at]) is None
    held = ring.find(NEW.fingerprint)
    assert (held.person, held.roles, held.added) == ("ben", ("approver", "ceo"), at)
    assert (ring.find(BEN.fingerprint).ended, ring.find(BEN.fingerprint).ending) == (at, "rotated")
    assert log.ring.check(log.recuse("ben", NEW), log.entries[-1]) is None
    late = log.recuse("ben", BEN)
    assert "had ended" in log.ring.check(late, log.entries[late])


def test_another_key_of_the_same_person_does_not_rotate():
    log = begun()
    log.add("ben", NEW, (), "ben", BEN)
    refused = log.rotate("ben", BEN, Hand("newer"), "ben", NEW)
    assert "with itself" in log.ring.check(refused, log.entries[refused])


@pytest.mark.parametrize(("by", "signer"), [("ada", ADA), ("kim", KIM)])
def test_a_revoked_key_signs_no_more(by, signer):
    log = begun()
    before = log.recuse("ada", ADA)
    at = log.revoke(ADA, by, signer, reason="left")
    after = log.recuse("ada", ADA)
    ring = log.ring
    assert ring.check(before, log.entries[before]) is None
    assert ring.check(at, log.entries[at]) is None
    assert "had ended" in ring.check(after, log.entries[after])
    assert roles(ring) == {"kim": {"keeper"}, "ben": {"ceo", "approver"}}


def test_history_answers_for_every_position():
    log = begun()
    ended = log.rotate("ada", ADA, NEW, "ada", ADA)
    log.pass_time(3)
    ring = log.ring
    holders = [ring.holder(ADA.fingerprint, index, DAY.format(1)) for index in range(ring.size + 1)]
    assert [one is not None for one in holders] == [2 < index <= ended for index in range(ring.size + 1)]
    assert [sorted({one.person for one in ring.active(index)}) for index in (1, 2, 3, 4)] == [
        [],
        ["kim"],
        ["ada", "kim"],
        ["ada", "ben", "kim"],
    ]
    assert ring.active(100) == ring.active()


# --- other entries ------------------------------------------------------------------------------------


def test_signatures_count_after_the_key_was_added():
    log = Log()
    log.add("kim", KIM, ("keeper",), "kim", KIM)
    early = log.recuse("ada", ADA)
    log.add("ada", ADA, ("rso",), "kim", KIM)
    late = log.recuse("ada", ADA)
    assert "added only later" in log.ring.check(early, log.entries[early])
    assert log.ring.check(late, log.entries[late]) is None


def test_signatures_count_for_the_person_who_is_named():
    log = begun()
    wrong, strange = log.recuse("ben", ADA), log.recuse("eve", EVE)
    assert log.ring.check(wrong, log.entries[wrong]) == "it names ben, and is signed with a key of ada"
    assert "nobody has in this log" in log.ring.check(strange, log.entries[strange])
    forged = log.entries[log.recuse("ben", BEN)]
    forged = forged.model_copy(update={"id": "e" * 32})
    assert log.ring.check(len(log.entries), forged) == "the signature does not hold"


def test_kinds_that_need_no_signature_are_not_asked_for_one():
    log = begun()
    assert log.ring.check(0, log.entries[0]) is None
    signed = log.entries[0].model_copy(update={"signature": Signature(key=EVE.fingerprint, value=EVE.sign(b"x"))})
    assert "nobody has" in log.ring.check(0, signed)


def test_what_comes_next_is_judged_before_it_is_entered():
    log = begun()
    ring = log.ring
    last = log.add("eve", EVE, ("rso",), "kim", KIM)
    entry = log.entries[last]
    unsigned = entry.model_copy(update={"signature": None})
    assert ring.judge(unsigned, KIM.fingerprint) is None
    assert ring.judge(entry, KIM.fingerprint) is None
    assert "ada is no keeper" in ring.judge(unsigned.model_copy(update={"by": "ada"}), ADA.fingerprint)
    assert "signed with a key of ada" in ring.judge(unsigned, ADA.fingerprint)
    assert "nobody has" in ring.judge(unsigned, EVE.fingerprint)
    assert ring == keyring(enumerate(log.entries[:last]))


# --- stolen keys --------------------------------------------------------------------------------------


def test_what_a_stolen_key_signed_has_no_effect():
    log = begun()
    log.pass_time(3)
    own = log.recuse("ada", ADA)
    log.pass_time(5)
    thief = log.recuse("ada", ADA)
    backdated = log.recuse("ada", ADA, at=DAY.format(2))
    log.pass_time(9)
    log.revoke(ADA, "kim", KIM, since=DAY.format(4))
    ring = log.ring
    assert ring.check(own, log.entries[own]) is None
    assert "no effect" in ring.check(thief, log.entries[thief])
    assert "no effect" in ring.check(backdated, log.entries[backdated])
    assert ring.find(ADA.fingerprint).void_from == DAY.format(4)
    assert ring.moment(backdated) == DAY.format(5)


def test_a_thief_cannot_date_an_entry_before_one_of_another_kind():
    """The entry between may be unsigned, of anybody: it shows how late it was."""
    log = begun()
    log.pass_time(6)
    thief = log.recuse("ada", ADA, at=DAY.format(1))
    log.revoke(ADA, "kim", KIM, since=DAY.format(5))
    assert "no effect" in log.ring.check(thief, log.entries[thief])


def test_keys_that_a_thief_added_go_too():
    log = begun()
    log.add("ada", NEW, ("keeper",), "kim", KIM)
    log.pass_time(5)
    added = log.add("eve", EVE, ("ceo",), "kim", KIM)
    signed = log.recuse("eve", EVE)
    log.pass_time(6)
    log.revoke(KIM, "ada", NEW, since=DAY.format(4))
    ring = log.ring
    assert roles(ring) == {"ada": {"rso", "keeper"}, "ben": {"ceo", "approver"}}
    assert "no effect" in ring.check(added, log.entries[added])
    assert "nobody has" in ring.check(signed, log.entries[signed])


def test_what_a_thief_revoked_speaks_again():
    log = begun()
    log.add("ada", NEW, ("keeper",), "kim", KIM)
    log.pass_time(5)
    theirs = log.revoke(BEN, "kim", KIM, since=DAY.format(1))
    during = log.recuse("ben", BEN)
    assert log.ring.check(during, log.entries[during]) is not None
    log.pass_time(6)
    log.revoke(KIM, "ada", NEW, since=DAY.format(4))
    ring = log.ring
    assert roles(ring)["ben"] == {"ceo", "approver"}
    assert ring.check(theirs, log.entries[theirs]) is not None
    assert ring.check(during, log.entries[during]) is None


def test_the_one_who_caught_the_thief_need_not_be_untouched():
    """Ada's keeper key was added with the stolen key; her revocation stands, and her key goes too."""
    log = begun()
    log.pass_time(5)
    log.add("ada", NEW, ("keeper",), "kim", KIM)
    at = log.revoke(KIM, "ada", NEW, since=DAY.format(4))
    ring = log.ring
    assert roles(ring) == {"ada": {"rso"}, "ben": {"ceo", "approver"}}
    assert ring.check(at, log.entries[at]) is None
    assert ring.find(KIM.fingerprint).void_from == DAY.format(4)


def test_a_key_that_was_revoked_stays_so_even_if_it_never_was_added():
    log = begun()
    log.add("ada", NEW, ("keeper",), "kim", KIM)
    log.pass_time(5)
    log.add("eve", EVE, ("ceo",), "kim", KIM)
    log.revoke(EVE, "ada", NEW, since=DAY.format(5))
    log.revoke(KIM, "ada", NEW, since=DAY.format(4))
    back = log.add("eve", EVE, (), "ada", NEW)
    assert log.ring.find(EVE.fingerprint) is None
    assert "no key comes twice" in log.ring.check(back, log.entries[back])


def test_a_stolen_key_may_be_revoked_with_itself():
    log = begun()
    log.pass_time(5)
    at = log.revoke(ADA, "ada", ADA, since=DAY.format(2))
    assert log.ring.check(at, log.entries[at]) is None
    assert log.ring.voids == ()
    assert "ada" not in roles(log.ring)


def test_the_first_key_cannot_be_made_to_never_have_been():
    """Else whoever writes next could begin the keyring anew."""
    log = begun()
    log.pass_time(5)
    log.revoke(KIM, "kim", KIM, since=DAY.format(1))
    log.add("eve", EVE, ("keeper",), "eve", EVE)
    ring = log.ring
    assert ring.active() == ()
    assert [one.person for one in ring.history] == ["kim"]


def test_a_theft_may_be_found_late_or_found_earlier_still():
    log = begun()
    log.pass_time(3)
    early = log.recuse("ada", ADA)
    log.pass_time(5)
    late = log.recuse("ada", ADA)
    log.rotate("ada", ADA, NEW, "ada", ADA)
    log.revoke(ADA, "kim", KIM, since=DAY.format(4))
    assert [log.ring.check(one, log.entries[one]) is None for one in (early, late)] == [True, False]
    log.revoke(ADA, "kim", KIM, since=DAY.format(2))
    assert [log.ring.check(one, log.entries[one]) is None for one in (early, late)] == [False, False]
    back = log.revoke(ADA, "kim", KIM, since=DAY.format(4))
    assert "had ended already" in log.ring.check(back, log.entries[back])
    assert log.ring.find(ADA.fingerprint).void_from == DAY.format(2)


def test_a_revocation_from_a_later_time_on_acts_at_once():
    log = begun()
    log.revoke(ADA, "kim", KIM, since=DAY.format(20))
    late = log.recuse("ada", ADA)
    assert "had ended" in log.ring.check(late, log.entries[late])


# --- laws ---------------------------------------------------------------------------------------------

PEOPLE = ("kim", "ada", "eve")
KEYS = tuple(Hand(name) for name in ("k1", "k2", "k3", "k4", "k5"))
ROLES = st.lists(st.sampled_from(["keeper", "rso"]), max_size=2, unique=True).map(tuple)
PERSON, KEY = st.sampled_from(PEOPLE), st.sampled_from(KEYS)
ADD = st.tuples(st.just("add"), PERSON, KEY, ROLES, PERSON, KEY)
ROTATE = st.tuples(st.just("rotate"), PERSON, KEY, KEY, PERSON, KEY)
REVOKE = st.tuples(st.just("revoke"), KEY, PERSON, KEY)
SINCE = st.tuples(st.just("since"), KEY, PERSON, KEY, st.integers(1, 9))
REPEAT = st.tuples(st.just("repeat"), st.integers(0, 8))
TIME = st.tuples(st.just("time"), st.integers(1, 9))
STEPS = st.lists(st.one_of(ADD, ADD, ROTATE, REVOKE, REPEAT, TIME), max_size=14)
STEPS_WITH_THEFT = st.lists(st.one_of(ADD, ADD, ROTATE, REVOKE, SINCE, SINCE, REPEAT, TIME), max_size=14)


def grown(steps) -> Log:
    """Give a log in which k1 is the first keeper's, and then anybody tries anything."""
    log = Log()
    log.add("kim", KEYS[0], ("keeper",), "kim", KEYS[0])
    log.add("ada", KEYS[1], ("keeper", "rso"), "kim", KEYS[0])
    for name, *rest in steps:
        match name:
            case "add":
                log.add(*rest)
            case "rotate":
                log.rotate(*rest)
            case "revoke":
                log.revoke(*rest)
            case "since":
                log.revoke(*rest[:3], since=DAY.format(rest[3]))
            case "repeat":
                log.put(log.entries[rest[0] % len(log.entries)])
            case "time":
                log.pass_time(rest[0])
    return log


@given(STEPS_WITH_THEFT)
@settings(max_examples=150, deadline=None)
def test_every_role_goes_back_to_a_keeper(steps):
    """Nobody outside the keepers gains a role through any sequence of entries."""
    log = grown(steps)
    ring = log.ring
    held = {one.fingerprint: one for one in ring.history}
    for one in ring.history[1:]:
        entry = log.entries[one.added]
        giver = held[entry.signature.key]
        assert giver.added < one.added
        assert entry.by == giver.person
        if entry.kind == "key.rotated":
            before = held[entry.body["old"]]
            assert (before.person, before.roles) == (one.person, one.roles)
            assert "keeper" in giver.roles or giver == before
        elif giver.person == one.person:
            assert set(one.roles) <= set(giver.roles)
        else:
            assert "keeper" in giver.roles


@given(STEPS_WITH_THEFT)
@settings(max_examples=100, deadline=None)
def test_a_key_belongs_to_one_person_and_comes_once(steps):
    ring = grown(steps).ring
    assert len({one.fingerprint for one in ring.history}) == len(ring.history)
    for one in ring.history:
        assert one.ended is None or one.ended > one.added
        assert ring.active(one.added).count(one) == 0


@given(STEPS_WITH_THEFT)
@settings(max_examples=100, deadline=None)
def test_every_entry_about_keys_has_its_effect_or_its_reason(steps):
    log = grown(steps)
    ring = log.ring
    made = {one.added for one in ring.history}
    void = {one.index for one in ring.voids}
    for index, entry in enumerate(log.entries):
        if entry.kind.startswith("key."):
            assert (ring.check(index, entry) is not None) == (index in void)
        if entry.kind in ("key.added", "key.rotated"):
            assert (index in made) != (index in void)


@given(STEPS_WITH_THEFT)
@settings(max_examples=100, deadline=None)
def test_what_a_stolen_key_signed_since_never_counts(steps):
    log = grown(steps)
    ring = log.ring
    latest = ""
    for index, entry in enumerate(log.entries):
        latest = max(latest, entry.acted_at)
        assert ring.moment(index) == latest
        holding = ring.find(entry.signature.key) if entry.signature else None
        if holding is None or holding.void_from is None or latest < holding.void_from or index == 0:
            continue
        if ring.check(index, entry) is None:
            assert entry.kind == "key.revoked", "only revocations that caught a thief may stand"


@given(STEPS)
@settings(max_examples=100, deadline=None)
def test_what_has_no_effect_may_as_well_not_be_there(steps):
    log = grown(steps)
    ring = log.ring
    clean = Log(list(log.entries))
    for void in ring.voids:
        clean.entries[void.index] = new_entry(
            "ledger.opened",
            LedgerOpened(origin="x", organisation="x"),
            entry_id=f"{void.index + 2**64:032x}",
            acted_at=log.entries[void.index].acted_at,
        )
    assert clean.ring.history == ring.history
    assert clean.ring.voids == ()


@given(STEPS, STEPS)
@settings(max_examples=100, deadline=None)
def test_later_entries_do_not_change_what_counted(steps, later):
    log, longer = grown(steps), grown([*steps, *later])
    before, after = log.ring, longer.ring
    for index, entry in enumerate(log.entries):
        assert after.check(index, entry) == before.check(index, entry)
        assert [one.fingerprint for one in after.active(index)] == [one.fingerprint for one in before.active(index)]
    ended = {one.fingerprint for one in before.history if one.ended is not None}
    assert ended.isdisjoint({one.fingerprint for one in after.active()})


@given(STEPS_WITH_THEFT, st.sampled_from(["kind", "signature", "by", "body"]), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_no_content_of_the_log_stops_the_fold(steps, part, at):
    log = grown(steps)
    one = log.entries[at % len(log.entries)]
    garbled = {
        "kind": {"kind": "key.revoked"},
        "signature": {"signature": Signature(key=KEYS[0].fingerprint, value="A" * 88)},
        "by": {"by": None},
        "body": {"body": {"public_key": [7], "person": "kim"}},
    }[part]
    log.put(one.model_copy(update={**garbled, "id": "d" * 32}))
    log.put(
        sign_entry(
            new_entry(
                "key.revoked",
                KeyRevoked(key=EVE.fingerprint, reason="lost"),
                entry_id="c" * 32,
                acted_at=DAY.format(1),
                by="kim",
            ),
            KEYS[0],
        )
    )
    ring = log.ring
    assert log.entries[-2].id in {void.entry for void in ring.voids} or not log.entries[-2].kind.startswith("key.")


def test_signed_bytes_are_what_is_signed():
    """The tests sign with keys of their own: what they sign is what the ledger says is signed."""
    log = begun()
    entry = log.entries[2]
    KIM.key.public_key().verify(base64.b64decode(entry.signature.value), signed_bytes(entry))
