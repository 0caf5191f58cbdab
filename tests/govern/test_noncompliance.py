# SPDX-License-Identifier: Apache-2.0
"""Cases: every way that states may and may not go, what a forged log can do (nothing), and whom a report goes around."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.govern.counts import Duty, duties, quarter_end, quarter_of
from tidegate.govern.intake import Message, Reader, Route, day_only, is_signed_by_reporter, named_bytes, route, tiers
from tidegate.govern.keyring import keyring
from tidegate.govern.noncompliance import (
    CLOSINGS,
    COPY,
    MOVES,
    RETALIATION_MOVES,
    STATES,
    CaseFile,
    Casework,
    Content,
    Outcome,
    RetaliationState,
    Step,
    casework,
    checked_by,
    find_case,
    why_not_closed,
    why_not_moved,
    why_not_retaliation,
)
from tidegate.govern.sealing import CaseKey
from tidegate.kernel.errors import CaseworkError
from tidegate.ledger.acts import (
    HoldLifted,
    HoldPlaced,
    KeyAdded,
    LedgerOpened,
    NoncomplianceClosed,
    NoncomplianceMoved,
    NoncomplianceNoted,
    NoncomplianceOpened,
    RetaliationRecorded,
    Sealed,
    SealedErased,
)
from tidegate.ledger.entries import Entry, Signed, new_entry
from tidegate.ledger.keys import TOKEN, Signer, load_signer, new_private_key, put_string
from tidegate.ledger.signing import proof_bytes, sign_entry
from tidegate.policy.model import Role

REPORTER = CaseKey(hashlib.sha256(b"reporter").digest())
SIGNERS: dict[str, Signer] = {
    name: load_signer(new_private_key(None)[0], None, name) for name in ("kim", "mia", "max", "eve", "ola")
}
ROLES_OF = {"kim": ("keeper",), "mia": ("case-manager",), "max": ("case-manager",), "eve": (), "ola": ("board",)}


def a_digest(of: Any) -> str:
    return f"sha256:{hashlib.sha256(str(of).encode()).hexdigest()}"


def a_token_key() -> str:
    point = base64.b64decode(SIGNERS["eve"].public_key.split()[1])[-32:]
    blob = put_string(TOKEN.encode()) + put_string(point) + put_string(b"ssh:")
    return f"{TOKEN} {base64.b64encode(blob).decode()}"


def a_seal(of: Any, until: date | None = None) -> Sealed:
    return Sealed(digest=a_digest(of), retain_until=until)


@dataclass
class Log:
    """A log under construction; every act is signed by whom it names, unless said otherwise."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, kind: str, body: Any, by: str | None = None, day: str = "2026-05-01", **more: Any) -> int:
        signer = more.pop("signer", by)
        name = more.pop("name", f"entry {len(self.entries)}")
        made = new_entry(
            kind, body, entry_id=a_digest(name)[7:39], acted_at=day_only(date.fromisoformat(day)), by=by, **more
        )
        self.entries.append(sign_entry(made, SIGNERS[signer]) if signer else made)
        return len(self.entries) - 1

    def key(self, person: str) -> None:
        roles, public = tuple(sorted(ROLES_OF[person])), SIGNERS[person].public_key
        proof = SIGNERS[person].sign(proof_bytes(person, roles, public))
        self.add("key.added", KeyAdded(person=person, roles=roles, public_key=public, proof=proof), "kim")

    def opened(self, case: str = "nc-1", day: str = "2026-05-01", **changes: Any) -> int:
        given = {
            "is_anonymous": True,
            "reporter_key": REPORTER.public_key,
            "content": a_seal(f"report {case}"),
            "managers": ("mia",),
            "route": "case-manager",
            **changes,
        }
        return self.add("noncompliance.opened", NoncomplianceOpened(case=case, **given), None, day)

    def moved(self, to: Any, by: str = "mia", day: str = "2026-05-02", case: str = "nc-1", **changes: Any) -> int:
        more = {name: changes.pop(name) for name in ("signer", "name") if name in changes}
        return self.add("noncompliance.moved", NoncomplianceMoved(case=case, to=to, **changes), by, day, **more)

    def closed(self, outcome: Any, by: str = "mia", day: str = "2026-05-09", case: str = "nc-1", **changes: Any) -> int:
        more = {name: changes.pop(name) for name in ("signer", "name") if name in changes}
        body = NoncomplianceClosed(case=case, outcome=outcome, **changes)
        return self.add("noncompliance.closed", body, by, day, **more)

    def noted(self, direction: Any, by: str | None = None, day: str = "2026-05-03", **changes: Any) -> int:
        more = {name: changes.pop(name) for name in ("signer", "over", "name") if name in changes}
        given = {"case": "nc-1", "content": a_seal(f"note {len(self.entries)}"), **changes}
        body = NoncomplianceNoted(direction=direction, **given)
        return self.add("noncompliance.noted", body, by, day, **more)

    def from_reporter(self, of: str = "more", key: CaseKey = REPORTER, case: str = "nc-1", **changes: Any) -> int:
        proof = key.proof(case, a_digest(of))
        given = {"content": a_seal(of), "proof": proof, "case": case, **changes}
        return self.noted("from_reporter", **given)

    @property
    def work(self) -> Casework:
        logged = list(enumerate(self.entries))
        return casework(logged, checked_by(keyring(logged)))

    @property
    def case(self) -> CaseFile:
        return self.work.cases["nc-1"]

    @property
    def void(self) -> str | None:
        """Why the newest entry has no effect."""
        last = len(self.entries) - 1
        return next((one.reason for one in self.work.voids if one.entry == last), None)


def a_log(*cases: str) -> Log:
    log = Log()
    log.add("ledger.opened", LedgerOpened(origin="log.example/test", organisation="Test"))
    for person in SIGNERS:
        log.key(person)
    for case in cases:
        log.opened(case)
    return log


def a_case(state: Any = "received", *before: Any, outcome: Any = None, **changes: Any) -> CaseFile:
    steps = [Step(index=0, on=date(2026, 5, 1), state="received")]
    steps += [Step(index=1, on=date(2026, 5, 1), state="closed", outcome=one) for one in before]
    if state != "received" or before:
        steps.append(Step(index=2, on=date(2026, 5, 1), state=state, outcome=outcome))
    content = Content(index=0, on=date(2026, 5, 1), direction="report", digest=a_digest("x"))
    given = {"id": "nc-1", "category": "other", "is_anonymous": True, "route": "case-manager", "managers": ("mia",)}
    return CaseFile(steps=tuple(steps), contents=(content,), **{**given, **changes})


# --- states --------------------------------------------------------------------------------------

LEGAL = {
    ("received", "triaged"),
    ("triaged", "investigating"),
    ("investigating", "substantiated"),
    ("substantiated", "corrective_action"),
    ("closed", "appealed"),
    ("appealed", "investigating"),
}


@pytest.mark.parametrize(("state", "to"), [pair for pair in product(STATES, STATES) if pair[1] != "closed"])
def test_every_way_from_state_to_state(state, to):
    reason = why_not_moved(a_case(state, *(["withdrawn"] if state == "appealed" else [])), _move(to))
    assert (reason is None) == ((state, to) in LEGAL), reason
    if reason:
        assert state.replace("_", " ") in reason


def _move(to, **changes):
    return NoncomplianceMoved(case="nc-1", to=to, **changes)


CLOSABLE = {
    "received": {"withdrawn", "out_of_scope"},
    "triaged": {"withdrawn", "out_of_scope"},
    "investigating": {"unsubstantiated", "withdrawn", "out_of_scope"},
    "substantiated": {"substantiated", "partly_substantiated"},
    "corrective_action": {"substantiated", "partly_substantiated"},
    "appealed": {"unsubstantiated"},
    "closed": set(),
}


@pytest.mark.parametrize(("state", "outcome"), [*product(STATES, get_args(Outcome))])
def test_every_way_to_close(state, outcome):
    case = a_case(state, *(["unsubstantiated"] if state == "appealed" else []))
    body = NoncomplianceClosed(case="nc-1", outcome=outcome)
    assert (why_not_closed(case, body) is None) == (outcome in CLOSABLE[state])


@pytest.mark.parametrize("state", STATES)
def test_only_what_was_acted_on_is_corrected(state):
    case = a_case(state, *(["substantiated"] if state == "appealed" else []))
    reason = why_not_closed(case, NoncomplianceClosed(case="nc-1", outcome="substantiated", corrected=True))
    assert (reason is None) == (state in ("corrective_action", "appealed"))


@pytest.mark.parametrize("state", [one for one in STATES if one != "closed"])
def test_a_case_may_stay_for_other_managers_or_as_material(state):
    case = a_case(state, *(["withdrawn"] if state == "appealed" else []))
    assert why_not_moved(case, _move(state, managers=("max",))) is None
    assert why_not_moved(case, _move(state, is_material=True)) is None
    assert why_not_moved(case, _move(state)) is not None


@pytest.mark.parametrize(("was", "to"), [*product(get_args(RetaliationState), repeat=2)])
def test_every_way_of_a_retaliation_report(was, to):
    known = Log()
    known = a_log("nc-1")
    known.add("noncompliance.retaliation", RetaliationRecorded(report="r-1", case="nc-1", state="reported"))
    report = known.work.retaliation["r-1"].model_copy(update={"steps": ((date(2026, 5, 1), was),)})
    legal = {
        ("reported", "investigating"),
        ("investigating", "found"),
        ("investigating", "not_found"),
        ("found", "remedied"),
        ("not_found", "investigating"),
    }
    reason = why_not_retaliation(report, RetaliationRecorded(report="r-1", state=to))
    assert (reason is None) == ((was, to) in legal)
    assert (why_not_retaliation(None, RetaliationRecorded(report="r-1", state=to)) is None) == (to == "reported")


def test_the_machines_name_every_state():
    assert set(MOVES) == set(CLOSINGS) == set(STATES)
    assert set(RETALIATION_MOVES) == set(get_args(RetaliationState))


# --- the fold ------------------------------------------------------------------------------------


def test_a_case_from_report_to_appeal():
    log = a_log("nc-1")
    log.moved("triaged")
    log.from_reporter()
    log.noted("to_reporter", "mia")
    log.noted("internal", "mia")
    log.moved("investigating", day="2026-05-04")
    log.moved("substantiated", day="2026-05-05", is_material=True)
    log.moved("corrective_action", day="2026-05-06")
    log.closed("substantiated", corrected=True)
    assert log.work.voids == ()
    case = log.case
    assert (case.state, case.outcome, case.closed) == ("closed", "substantiated", date(2026, 5, 9))
    assert (case.is_material, case.material_on) == (True, date(2026, 5, 5))
    assert [one.direction for one in case.contents] == ["report", "from_reporter", "to_reporter", "internal"]
    assert [one.by for one in case.contents] == [None, None, "mia", "mia"]
    assert case.at(date(2026, 5, 4)).state == "investigating"
    assert case.at(date(2026, 4, 30)) is None
    log.moved("appealed", day="2026-06-01")
    log.closed("substantiated", day="2026-06-02")
    assert log.void is None
    assert log.case.last_outcome == "substantiated"


VOIDS = {
    "a stranger moves": (lambda log: log.moved("triaged", "eve"), "eve does not handle nc-1"),
    "a keeper moves": (lambda log: log.moved("triaged", "kim"), "kim does not handle nc-1"),
    "an unsigned move": (lambda log: log.moved("triaged", signer=None), "not signed"),
    "a forged move": (lambda log: log.moved("triaged", signer="eve"), "signed with a key of eve"),
    "an illegal move": (lambda log: log.moved("substantiated"), "goes to triaged or closed, not to substantiated"),
    "a move of no case": (lambda log: log.moved("triaged", case="nc-9"), "there is no such case"),
    "a stranger closes": (lambda log: log.closed("withdrawn", "eve"), "eve does not handle nc-1"),
    "a forged closing": (lambda log: log.closed("withdrawn", signer="eve"), "signed with a key of eve"),
    "an illegal closing": (lambda log: log.closed("substantiated"), "out of scope or withdrawn, not as substantiated"),
    "a closing of no case": (lambda log: log.closed("withdrawn", case="nc-9"), "there is no such case"),
    "a stranger notes": (lambda log: log.noted("internal", "eve"), "eve does not handle nc-1"),
    "an unsigned note": (lambda log: log.noted("internal", "mia", signer=None), "not signed"),
    "nobody answers": (lambda log: log.noted("to_reporter"), "names nobody"),
    "a forged answer": (lambda log: log.noted("to_reporter", "mia", signer="eve"), "signed with a key of eve"),
    "a note to no case": (lambda log: log.noted("internal", "mia", case="nc-9"), "there is no such case"),
    "another case's key": (lambda log: log.from_reporter(key=CaseKey(bytes(32))), "proof does not hold"),
    "another content's proof": (lambda log: log.from_reporter(content=a_seal("other")), "proof does not hold"),
    "no proof": (lambda log: log.from_reporter(proof=None), "lacks the reporter's proof"),
    "a broken proof": (lambda log: log.from_reporter(proof="?"), "proof does not hold"),
    "a named reporter's message": (lambda log: log.from_reporter(by="eve"), "names nobody"),
    "the report again as note": (lambda log: log.noted("internal", "mia", content=a_seal("report nc-1")), "elsewhere"),
    "a case twice": (lambda log: log.opened(content=a_seal("z"), managers=("eve",)), "came in before"),
    "another case's content": (lambda log: log.opened("nc-2", content=a_seal("report nc-1")), "another report"),
    "a copy of nothing": (
        lambda log: log.noted("internal", "mia", over=(Signed(name=COPY, digest=a_digest("?")),)),
        "copies what does not belong",
    ),
    "a stranger erases": (
        lambda log: log.add("sealed.erased", SealedErased(digest=a_digest(1), ground="x"), "eve"),
        "eve is no keeper",
    ),
    "a forged erasure": (
        lambda log: log.add("sealed.erased", SealedErased(digest=a_digest(1), ground="x"), "kim", signer="eve"),
        "key of eve",
    ),
    "a stranger holds": (lambda log: log.add("hold.placed", HoldPlaced(hold="h", reason="x"), "mia"), "no keeper"),
    "no hold is lifted": (lambda log: log.add("hold.lifted", HoldLifted(hold="h", reason="x"), "kim"), "no such hold"),
    "no retaliation": (
        lambda log: log.add("noncompliance.retaliation", RetaliationRecorded(report="r", state="found"), "mia"),
        "never reported",
    ),
    "retaliation that nobody handles": (
        lambda log: log.add("noncompliance.retaliation", RetaliationRecorded(report="r", state="reported")),
        "nobody handles it",
    ),
    "retaliation with another's words": (
        lambda log: log.add(
            "noncompliance.retaliation",
            RetaliationRecorded(report="r", case="nc-1", state="reported", content=a_seal("report nc-1")),
        ),
        "elsewhere",
    ),
}


@pytest.mark.parametrize("name", VOIDS)
def test_what_breaks_the_rules_has_no_effect(name):
    act, reason = VOIDS[name]
    log = a_log("nc-1")
    before = log.work
    act(log)
    after = log.work
    assert reason in (log.void or "")
    assert (after.cases, after.retaliation, after.erased, after.holds) == (
        before.cases,
        before.retaliation,
        before.erased,
        before.holds,
    )


def test_a_message_counts_once():
    log = a_log("nc-1", "nc-2")
    log.from_reporter()
    assert log.void is None
    log.from_reporter()
    assert "elsewhere" in log.void
    # The proof names the case, so that a message cannot be put into another one.
    log.noted("from_reporter", case="nc-2", content=a_seal("new"), proof=REPORTER.proof("nc-1", a_digest("new")))
    assert "proof does not hold" in log.void


def test_an_entry_counts_once():
    log = a_log("nc-1")
    log.moved("triaged", name="first")
    log.moved("investigating", name="second")
    log.closed("withdrawn", name="third")
    log.moved("appealed", name="fourth")
    log.moved("investigating", name="second")
    assert log.case.state == "appealed"
    assert log.void == "entered before"


def test_other_managers_take_over():
    log = a_log("nc-1")
    log.moved("triaged", managers=("max",))
    log.moved("investigating", "mia")
    assert log.void == "mia does not handle nc-1"
    log.moved("investigating", "max")
    assert (log.case.state, log.case.managers) == ("investigating", ("max",))


def test_days_of_a_case_do_not_go_back():
    log = a_log()
    log.opened(day="2026-05-10")
    log.moved("triaged", day="2026-01-01")
    log.from_reporter(day="2026-01-01")
    assert log.case.steps[-1].on == log.case.contents[-1].on == date(2026, 5, 10)


def test_a_copy_says_what_it_copies():
    log = a_log("nc-1")
    report = log.case.contents[0].digest
    log.noted("internal", "mia", over=(Signed(name=COPY, digest=report),))
    assert log.case.contents[-1].copy_of == report


def test_erasures_and_holds():
    log = a_log("nc-1")
    digest = log.case.contents[0].digest
    log.add("hold.placed", HoldPlaced(hold="h-1", digests=(digest,), reason="a suit"), "kim")
    log.add("hold.placed", HoldPlaced(hold="h-1", reason="again"), "kim")
    assert "placed before" in log.void
    assert log.work.held_by(digest).reason == "a suit"
    assert log.work.held_by(a_digest("other")) is None
    log.add("hold.lifted", HoldLifted(hold="h-1", reason="settled"), "kim", "2026-06-01")
    assert log.work.held_by(digest) is None
    assert log.work.holds["h-1"].lifted == date(2026, 6, 1)
    log.add("hold.placed", HoldPlaced(hold="h-2", reason="everything"), "kim")
    assert log.work.held_by(digest).hold == "h-2"
    log.add("sealed.erased", SealedErased(digest=digest, ground="its time is over"), "kim", "2026-07-01")
    assert log.work.erased[digest] == (date(2026, 7, 1), "kim", "its time is over")


def test_retaliation_register():
    log = a_log("nc-1")

    def record(state, by=None, **more):
        changes = {"signer": more.pop("signer")} if "signer" in more else {}
        body = RetaliationRecorded(report="r-1", state=state, **more)
        return log.add("noncompliance.retaliation", body, by, **changes)

    record("reported", case="nc-1", content=a_seal("they moved my desk"))
    assert log.work.retaliation["r-1"].managers == ("mia",)
    for by, signer, reason in (("eve", "eve", "does not handle"), ("mia", None, "not signed"), ("mia", "eve", "eve")):
        record("investigating", by, signer=signer)
        assert reason in log.void
    record("investigating", "mia", managers=("max",))
    record("found", "mia")
    assert "mia does not handle r-1" in log.void
    record("found", "max", case="nc-9", content=a_seal("notes"))
    found = log.work.retaliation["r-1"]
    assert (found.state, found.case) == ("found", "nc-1")
    assert [one.direction for one in found.contents] == ["report", "internal"]
    assert found.at(date(2026, 4, 30)) is None
    record("reported", "max", case="nc-1")
    assert "found; from there it goes to remedied" in log.void


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(VOIDS)), max_size=8), st.randoms())
def test_nothing_in_a_log_raises_and_what_is_void_changes_nothing(names, random):
    """Void acts among valid ones, in any order: the case is as the valid ones alone make it."""
    valid = [
        lambda log: log.moved("triaged", name="v1"),
        lambda log: log.from_reporter("v2", name="v2"),
        lambda log: log.moved("investigating", name="v3"),
    ]
    harmless = [VOIDS[name][0] for name in names if name not in MAY_COUNT]
    mixed = [*valid, *harmless]
    random.shuffle(mixed)
    order = iter(valid)
    log = a_log("nc-1")
    for act in mixed:
        (next(order) if act in valid else act)(log)
    case = log.case
    assert case.state == "investigating"
    assert [one.digest for one in case.contents] == [a_digest("report nc-1"), a_digest("v2")]


MAY_COUNT = {"an illegal move", "an illegal closing", "a stranger holds", "a forged erasure"}
"""What is void in the first state only."""


def test_an_unknown_case_is_named():
    with pytest.raises(CaseworkError, match="NCP001: there is no case 'nc-7'"):
        find_case(a_log("nc-1").work, "nc-7")


def test_retention_runs_from_closing_and_never_ends_before_what_was_set():
    log = a_log("nc-1")
    assert log.case.retained_until() is None
    log.closed("withdrawn", day="2027-01-31")
    assert log.case.retained_until() == date(2032, 1, 31)
    other = a_log()
    other.opened(content=a_seal("x", date(2040, 1, 1)))
    other.closed("withdrawn")
    assert other.case.retained_until() == date(2040, 1, 1)


# --- routing -------------------------------------------------------------------------------------

POLICY_ROLES = (
    Role(id="RSO", title="Officer", power="decides"),
    Role(id="CEO", title="Chief executive", power="decides"),
    Role(id="advisers", title="Advisers", power="recommends"),
    Role(id="reviewer", title="Reviewer", power="oversees"),
    Role(id="board", title="Board", power="approves"),
    Role(id="trust", title="Trust", power="reverses"),
)


def a_reader(person: str, *roles: str, keys: Any = None, vouched: Any = None) -> Reader:
    known = (SIGNERS["mia"].public_key,) if keys is None else keys
    return Reader(person, roles, known, roles if vouched is None else vouched)


HOUSE = (
    a_reader("mia", "case-manager"),
    a_reader("max", "case-manager"),
    a_reader("rosa", "RSO"),
    a_reader("carl", "CEO"),
    a_reader("ada", "advisers"),
    a_reader("bea", "board"),
    a_reader("tom", "trust"),
    a_reader("rex", "reviewer"),
    a_reader("eve"),
)


@pytest.mark.parametrize(
    ("implicated", "role", "managers"),
    [
        ((), "case-manager", ("mia", "max")),
        (("eve",), "case-manager", ("mia", "max")),
        (("mia",), "case-manager", ("max",)),
        (("mia", "max"), "RSO", ("rosa",)),
        (("rosa",), "trust", ("tom",)),
        (("carl",), "trust", ("tom",)),
        (("rosa", "tom"), "board", ("bea",)),
        (("rosa", "tom", "bea"), "reviewer", ("rex",)),
        (("rosa", "tom", "bea", "rex"), "case-manager", ("mia", "max")),
        (("mia", "max", "rosa", "tom", "bea", "rex"), "CEO", ("carl",)),
    ],
)
def test_a_report_goes_around_whoever_is_implicated(implicated, role, managers):
    assert route(HOUSE, POLICY_ROLES, implicated) == Route(role, managers, ())


def test_the_order_of_roles():
    assert tiers(POLICY_ROLES, HOUSE, ()) == ("case-manager", "RSO", "CEO", "trust", "board", "reviewer")
    assert tiers(POLICY_ROLES, HOUSE, ("carl",)) == ("trust", "board", "reviewer", "case-manager", "RSO", "CEO")


@given(st.sets(st.sampled_from([one.person for one in HOUSE])), st.sampled_from([None, *(one.person for one in HOUSE)]))
def test_nobody_who_is_implicated_ever_gets_it(implicated, to):
    able = {one.person for one in HOUSE} - {"ada", "eve"}
    if to in implicated or (to is None and able <= implicated):
        with pytest.raises(CaseworkError, match="NCP002"):
            route(HOUSE, POLICY_ROLES, implicated, to)
        return
    found = route(HOUSE, POLICY_ROLES, implicated, to)
    assert found.managers
    assert not set(found.managers) & implicated


def test_the_reporter_may_choose():
    assert route(HOUSE, POLICY_ROLES, (), "eve") == Route("chosen", ("eve",), ())
    with pytest.raises(CaseworkError, match="NCP002: carl cannot handle the report"):
        route(HOUSE, POLICY_ROLES, ("carl",), "carl")
    with pytest.raises(CaseworkError, match="NCP002: nobody cannot handle"):
        route(HOUSE, POLICY_ROLES, (), "nobody")


def test_who_lacks_a_key_is_named_and_passed_over():
    token, bare = a_reader("mia", "case-manager", keys=(a_token_key(),)), a_reader("max", "case-manager", keys=())
    found = route((token, bare, a_reader("rosa", "RSO")), POLICY_ROLES, ())
    assert (found.role, found.managers) == ("RSO", ("rosa",))
    assert found.keyless == ("mia (only hardware-token keys, which cannot decrypt)", "max (no key)")
    with pytest.raises(CaseworkError) as error:
        route((token, bare), POLICY_ROLES, ())
    assert "NCP002" in str(error.value)
    assert "mia (only hardware-token keys, which cannot decrypt), max (no key)" in str(error.value)
    assert "--to PERSON" in str(error.value)
    with pytest.raises(CaseworkError, match="nobody is left"):
        route((a_reader("eve"),), POLICY_ROLES, ())


def test_a_role_in_a_file_alone_gets_no_report():
    """Whoever can edit the project's files must not become a case manager by it."""
    false = a_reader("eve", "case-manager", vouched=())
    found = route((false, *HOUSE), POLICY_ROLES, ())
    assert found.managers == ("mia", "max")
    assert found.keyless == ("eve (no key that was added for the role case-manager)",)


# --- named reporters -----------------------------------------------------------------------------


def test_a_named_report_is_signed_by_its_reporter():
    signer = SIGNERS["eve"]
    plain = Message(case="nc-1", kind="report", text="It was me who saw it.", reporter="eve", implicated=("max",))
    named = plain.model_copy(update={"reporter_key": signer.public_key})
    signed = named.model_copy(update={"signature": signer.sign(named_bytes(named))})
    assert is_signed_by_reporter(signed)
    assert not is_signed_by_reporter(plain)
    for change in ({"text": "other"}, {"implicated": ()}, {"reporter": "ola"}, {"case": "nc-2"}, {"signature": "x"}):
        assert not is_signed_by_reporter(signed.model_copy(update=change))
    assert Message.model_validate_json(signed.model_dump_json(by_alias=True)) == signed


# --- dates that are due --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "quarter", "end"),
    [
        ("2026-01-01", "2026-Q1", "2026-03-31"),
        ("2026-03-31", "2026-Q1", "2026-03-31"),
        ("2026-04-01", "2026-Q2", "2026-06-30"),
        ("2026-09-15", "2026-Q3", "2026-09-30"),
        ("2026-12-31", "2026-Q4", "2026-12-31"),
    ],
)
def test_quarters(day, quarter, end):
    assert quarter_of(date.fromisoformat(day)) == quarter
    assert quarter_end(date.fromisoformat(day)) == date.fromisoformat(end)


def due(log: Log, at: str) -> list[Duty]:
    return list(duties(log.case, date.fromisoformat(at)))


def test_the_reporter_hears_once_a_month_and_once_after_the_end():
    log = a_log("nc-1")
    assert due(log, "2026-05-20")[0] == Duty("reporter_status", "reporter", date(2026, 6, 1), False)
    assert due(log, "2026-06-01")[0].is_overdue is False
    assert due(log, "2026-06-02")[0].is_overdue is True
    log.noted("to_reporter", "mia", "2026-06-10")
    assert due(log, "2026-06-11")[0] == Duty("reporter_status", "reporter", date(2026, 7, 10), False)
    log.closed("withdrawn", day="2026-06-20")
    assert due(log, "2026-06-21")[0] == Duty("reporter_status", "reporter", date(2026, 7, 20), False)
    log.noted("to_reporter", "mia", "2026-06-21")
    assert [one.to for one in due(log, "2026-06-22")] == ["board"]
    assert due(log, "2026-07-01") == []


def test_the_board_hears_each_quarter_and_at_once_of_what_is_material():
    log = a_log("nc-1")
    assert due(log, "2026-05-20")[1:] == [Duty("board_quarter", "board", date(2026, 6, 30))]
    assert due(log, "2026-08-20")[1:] == [Duty("board_quarter", "board", date(2026, 9, 30))]
    log.moved("triaged", is_material=True)
    log.moved("investigating")
    assert "board_prompt" not in [one.what for one in due(log, "2026-05-20")]
    log.moved("substantiated", day="2026-05-08")
    assert due(log, "2026-05-20")[-1] == Duty("board_prompt", "board", date(2026, 5, 8))
