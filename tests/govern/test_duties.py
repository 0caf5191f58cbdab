# SPDX-License-Identifier: Apache-2.0
"""Events that people record and duties that they set aside: what counts, what does not, and why."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import a_policy
from govern.factories import FixedKey, Log, a_log, a_role, an_approval, an_entry_id
from tidegate.govern.duties import DutyRecords, Ground, duty_records, waiver_needs
from tidegate.govern.keyring import keyring
from tidegate.govern.people import Person
from tidegate.kernel.errors import LedgerError, ObligationError, SigningError
from tidegate.ledger.acts import EventRecorded, ObligationWaived, PolicyAdopted
from tidegate.ledger.entries import new_entry
from tidegate.obligations.model import Clock, Rule, Waiver

SIGNERS = ("safety-lead", "ceo", "board-member")
PAIR = {"roles": (a_role("safety-lead", not_same_as=("ceo",)), a_role("ceo"), a_role("board-member"))}
TWO = a_policy(**PAIR, approvals=(an_approval("waivers", act="waiver", signers=SIGNERS, quorum=2, before=()),))
PEOPLE = tuple(
    Person(id=name, name="Cleo Board" if name == "cleo" else None, roles=roles)
    for name, roles in {
        "ada": ("safety-lead",),
        "ben": ("ceo",),
        "cleo": ("board-member",),
        "dan": ("external-reviewer",),
        "kim": ("keeper",),
    }.items()
)


def a_rule(name: str = "own.training", **changes: Any) -> Rule:
    return Rule(id=name, title=name, clocks=(Clock(on="policy.effective", within="30 days"),), **changes)


RULES = {
    one.id: one
    for one in (
        a_rule(),
        a_rule("own.by-ada", owner="ada"),
        a_rule("own.by-ceo", owner="ceo", kind="policy"),
        a_rule("own.by-two", owner="external-reviewer, Cleo Board"),
        a_rule("sb53.incident", kind="law"),
    )
}


def a_duty_log(policy: Any = TWO) -> Log:
    log = a_log()
    if policy is not None:
        adopt(log, policy)
    return log


def adopt(log: Log, policy: Any) -> int:
    body = PolicyAdopted(label=policy.label, policy_digest=policy.digest, document=log.keep(policy))
    return log.add("policy.adopted", body)


def event(log: Log, kind: str = "training.held", *, by: str = "ada", key: Any = None, name: Any = None, **changes: Any):
    given = {"kind": kind, "on": date(2026, 5, 1), **changes}
    return log.add("event.recorded", EventRecorded.model_validate(given), by, key=key, name=name)


def waive(log: Log, by: str, role: str, rule: str = "own.training", **changes: Any) -> int:
    key = changes.pop("key", None)
    given = {"rule": rule, "until": date(2026, 7, 1), "reason": "The trainer is ill.", "role": role, **changes}
    return log.add("obligation.waived", ObligationWaived.model_validate(given), by, key=key)


def read(log: Log, people: Any = PEOPLE) -> DutyRecords:
    return duty_records(log.logged, Ground(keyring(log.logged), log.contents.get, RULES, people))


def why(found: DutyRecords) -> list[tuple[str, str]]:
    return [(one.problem.code, one.problem.message) for one in found.voids]


# --- events -------------------------------------------------------------------------------------------


def test_an_event_says_what_happened_and_where_it_stands():
    log = a_duty_log()
    at = event(log, subject="m", amount="4e26", covers=date(2026, 4, 30), facts=("general",), note="In Zurich.")
    [found] = read(log).events
    made = found.event
    assert (made.kind, made.at, made.subject) == ("training.held", date(2026, 5, 1), "m")
    assert (made.amount, made.covers, made.facts) == (4e26, date(2026, 4, 30), frozenset({"general"}))
    assert (made.source, made.note, found.by) == (f"entry {at}", "In Zurich.", "ada")


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"on": date(2026, 5, 2)}, "OBL003", "training.held on 2026-05-02 lies in the future"),
        ({"amount": "much"}, "OBL003", "the amount 'much' is no decimal number"),
        ({"amount": "nan"}, "OBL003", "the amount 'nan' is no decimal number"),
        ({"amount": "1e999"}, "OBL003", "the amount '1e999' is no decimal number"),
        ({"facts": ("Not a fact",)}, "OBL003", "facts are lower-case words such as `general`, not Not a fact"),
        ({"kind": "incident.discovered"}, "OBL003", "incident.discovered is read from the log itself"),
        ({"kind": "decision.effective"}, "OBL003", "decision.effective is read from the log itself"),
        ({"takes_back": an_entry_id("none")}, "OBL003", f"there is no event {an_entry_id('none')} to take back"),
    ],
)
def test_an_event_that_cannot_be_has_no_effect(changes, code, said):
    log = a_duty_log()
    at = event(log, **changes)
    found = read(log)
    assert found.recorded == ()
    assert why(found) == [(code, said)]
    with pytest.raises(ObligationError) as refused:
        found.refuse_void(at)
    assert refused.value.problems[0].code == code


@pytest.mark.parametrize(
    "changes", [{"is_planned": True}, {"kind": "deployment.planned"}], ids=["said to be planned", "a kind of plans"]
)
def test_what_is_planned_may_lie_ahead(changes):
    log = a_duty_log()
    event(log, on=date(2027, 1, 1), **changes)
    assert len(read(log).events) == 1


def test_a_signature_has_to_count():
    log = a_duty_log()
    forged = event(log, key=FixedKey("mallory"))
    unsigned = log.put(
        new_entry(
            "event.recorded",
            EventRecorded(kind="drill.held", on=date(2026, 5, 1)),
            entry_id=an_entry_id("x"),
            acted_at=log.now,
            by="ada",
        )
    )
    foreign = event(log, by="ada", key=FixedKey("ben"))
    found = read(log)
    assert found.recorded == ()
    assert [(one.index, one.problem.code) for one in found.voids] == [
        (forged, "KEY003"),
        (unsigned, "LED005"),
        (foreign, "KEY003"),
    ]
    with pytest.raises(SigningError):
        found.refuse_void(forged)
    with pytest.raises(LedgerError):
        found.refuse_void(unsigned)


def test_what_a_stolen_key_recorded_is_taken_out():
    log = a_duty_log()
    event(log)
    assert len(read(log).events) == 1
    log.revoke("ada", "stolen", since="2026-05-01T11:00:00Z")
    assert read(log).events == ()


def test_saying_the_same_again_takes_it_back_and_the_history_stays():
    log = a_duty_log()
    first = event(log, name="a")
    event(log, takes_back=an_entry_id("a"), note="It was put off.", name="b")
    found = read(log)
    assert found.events == ()
    assert [(one.index, one.replaced_by, one.is_retraction) for one in found.recorded] == [
        (first, first + 1, False),
        (first + 1, None, True),
    ]


def test_saying_something_else_corrects_it():
    log = a_duty_log()
    event(log, name="a")
    event(log, on=date(2026, 4, 28), takes_back=an_entry_id("a"))
    assert [one.act.on for one in read(log).events] == [date(2026, 4, 28)]


def test_only_the_same_kind_takes_the_place_of_an_event():
    log = a_duty_log()
    first = event(log, name="a")
    event(log, "drill.held", takes_back=an_entry_id("a"))
    found = read(log)
    assert why(found) == [("OBL003", f"entry {first} is about training.held, and drill.held cannot take its place")]
    assert [one.act.kind for one in found.events] == ["training.held"]


def test_taking_back_what_took_something_back_lets_it_stand_again():
    log = a_duty_log()
    event(log, name="a")
    event(log, takes_back=an_entry_id("a"), name="b")
    event(log, takes_back=an_entry_id("b"), note="It was held after all.", name="c")
    assert [one.id for one in read(log).events] == [an_entry_id("a")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=8))
def test_the_last_word_about_an_event_counts(steps):
    """Whatever is taken back in whatever order: an event counts just if nothing that counts names it."""
    log = a_duty_log()
    names: list[int] = []
    for number, (of, corrects) in enumerate(steps):
        named = names[of] if of < len(names) else None
        day = date(2026, 4, 1 + number) if corrects or named is None else None
        on = day or next(e.body["on"] for e in log.entries if e.id == an_entry_id(f"e{named}"))
        event(log, on=on, takes_back=an_entry_id(f"e{named}") if named is not None else None, name=f"e{number}")
        names.append(number)
    found = {one.index: one for one in read(log).recorded}
    in_effect: dict[int, bool] = {}
    for index in sorted(found, reverse=True):
        in_effect[index] = not any(
            later.replaces == index and in_effect[at] for at, later in found.items() if at > index
        )
    assert {index: one.counts for index, one in found.items()} == {
        index: in_effect[index] and not one.is_retraction for index, one in found.items()
    }


# --- waivers ------------------------------------------------------------------------------------------


def test_a_waiver_counts_with_the_last_signature_that_it_needs():
    log = a_duty_log()
    waive(log, "ada", "safety-lead")
    [half] = read(log).waivers
    assert half.missing == "waivers: 1 of 2 signatures; open: ceo, board-member"
    assert read(log).waivers_at("2026-05-03T00:00:00Z") == ()
    log.now = "2026-05-02T09:00:00Z"
    last = waive(log, "cleo", "board-member")
    [whole] = read(log).waivers
    assert (whole.missing, whole.since, whole.entry) == (None, "2026-05-02T09:00:00Z", last)
    expected = Waiver(
        rule="own.training",
        until=date(2026, 7, 1),
        reason="The trainer is ill.",
        signed_by=("safety-lead", "board-member"),
    )
    assert read(log).waivers_at("2026-05-02T09:00:00Z") == (expected,)
    assert read(log).waivers_at("2026-05-02T08:59:59Z") == ()


def test_further_signatures_change_nothing_about_when_it_began_to_count():
    log = a_duty_log()
    waive(log, "ada", "safety-lead")
    last = waive(log, "cleo", "board-member")
    log.now = "2026-05-09T09:00:00Z"
    waive(log, "ben", "ceo")
    [whole] = read(log).waivers
    assert (whole.entry, whole.since, len(whole.signatures)) == (last, "2026-05-01T12:00:00Z", 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"until": date(2026, 7, 2)},
        {"reason": "The trainer is on leave."},
        {"subject": "m"},
        {"due": date(2026, 5, 31)},
        {"is_public": False},
        {"rule": "own.by-ceo"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_signatures_under_different_words_do_not_add_up(changes):
    log = a_duty_log()
    waive(log, "ada", "safety-lead")
    waive(log, "cleo", "board-member", **changes)
    found = read(log).waivers
    assert len(found) == 2
    assert all(one.missing for one in found)


@pytest.mark.parametrize(
    ("by", "role", "rule", "changes", "code", "said"),
    [
        ("ada", "safety-lead", "own.trainin", {}, "OBL002", "there is no rule 'own.trainin'"),
        ("ada", "safety-lead", "sb53.incident", {}, "OBL004", "sb53.incident is a duty by law"),
        ("ada", "safety-lead", "own.training", {"until": date(2026, 4, 30)}, "OBL004", "before it was signed"),
        ("ada", "safety-lead", "own.training", {"due": date(2026, 7, 2)}, "OBL004", "before the date that it is about"),
        ("dan", "external-reviewer", "own.training", {}, "OBL004", "external-reviewer does not sign waivers"),
        ("dan", "ceo", "own.training", {}, "KEY004", "dan does not hold the role ceo"),
        ("ada", "safety-lead", "own.by-ada", {}, "KEY006", "ada answers for own.by-ada"),
        ("ben", "ceo", "own.by-ceo", {}, "KEY006", "ben answers for own.by-ceo"),
        ("cleo", "board-member", "own.by-two", {}, "KEY006", "cleo answers for own.by-two"),
        ("ada", "safety-lead", "own.training", {"key": FixedKey("ben")}, "KEY003", "is signed with a key of ben"),
    ],
)
def test_a_waiver_that_cannot_count_has_no_effect(by, role, rule, changes, code, said):
    log = a_duty_log()
    waive(log, by, role, rule, **changes)
    found = read(log)
    assert found.waivers == ()
    [(is_code, words)] = why(found)
    assert is_code == code
    assert said in words


def test_nobody_signs_twice():
    log = a_duty_log()
    waive(log, "ada", "safety-lead")
    waive(log, "ada", "safety-lead")
    assert why(read(log)) == [("OBL004", "ada has signed this waiver as safety-lead already")]
    assert read(log).waivers[0].missing is not None


def test_one_person_with_two_roles_is_one_person():
    log = a_log("ada", "cleo")
    log.key("bea", "board-member", "safety-lead")
    adopt(log, TWO)
    people = (*PEOPLE, Person(id="bea", roles=("board-member", "safety-lead")))
    waive(log, "bea", "board-member")
    waive(log, "bea", "safety-lead")
    assert read(log, people).waivers[0].missing is not None
    waive(log, "cleo", "board-member")
    assert read(log, people).waivers[0].missing is None


def test_roles_that_the_policy_keeps_apart_do_not_count_in_one_person():
    log = a_log("cleo")
    log.key("bea", "ceo", "safety-lead")
    adopt(log, TWO)
    people = (*PEOPLE, Person(id="bea", roles=("ceo", "safety-lead")))
    waive(log, "bea", "ceo")
    waive(log, "cleo", "board-member")
    assert "bea holds ceo and safety-lead" in (read(log, people).waivers[0].missing or "")


@pytest.mark.parametrize("people", [PEOPLE[1:], (Person(id="ada", roles=("ceo",)), *PEOPLE[1:])])
def test_who_is_not_in_the_project_in_that_role_helps_no_waiver(people):
    log = a_duty_log()
    waive(log, "ada", "safety-lead")
    assert [code for code, _ in why(read(log, people))] == ["KEY004"]
    assert read(log, None).waivers != ()


def test_a_policy_that_names_nobody_lets_nobody_waive():
    log = a_duty_log(a_policy())
    waive(log, "ada", "safety-lead")
    [one] = read(log).voids
    assert one.problem.code == "OBL004"
    assert one.problem.message == "test@1 names nobody who may set a duty aside"
    assert "act: waiver" in (one.problem.hint or "")
    bare = a_duty_log(None)
    waive(bare, "ada", "safety-lead")
    assert why(read(bare)) == [("OBL004", "the log names nobody who may set a duty aside")]


def test_the_policy_of_that_time_says_who_signs():
    log = a_duty_log()
    waive(log, "ada", "safety-lead")
    waive(log, "cleo", "board-member")
    adopt(log, a_policy(version="2", **PAIR))
    assert read(log).waivers[0].missing is None, "what was signed rightly stays so"
    waive(log, "ada", "safety-lead", reason="Again.")
    assert why(read(log)) == [("OBL004", "test@2 names nobody who may set a duty aside")]


@pytest.mark.parametrize(
    ("acts", "chosen"),
    [
        (("interim_measure",), ["interim_measure"]),
        (("interim_measure", "deviation"), ["deviation"]),
        (("deviation", "waiver", "interim_measure"), ["waiver"]),
        (("waiver", "waiver"), ["waiver", "waiver"]),
        (("policy_change",), []),
    ],
)
def test_the_nearest_approval_of_the_policy_is_asked(acts, chosen):
    approvals = tuple(an_approval(f"a{number}", act=act, before=()) for number, act in enumerate(acts))
    assert [one.act for one in waiver_needs(a_policy(**PAIR, approvals=approvals))] == chosen


def test_a_policy_that_is_not_what_its_digest_says_is_not_believed():
    log = a_duty_log(None)
    body = PolicyAdopted(label="test@1", policy_digest=TWO.digest, document=log.keep(b"{}"))
    log.add("policy.adopted", body)
    waive(log, "ada", "safety-lead")
    assert why(read(log)) == [("OBL004", "the log names nobody who may set a duty aside")]
    gone = a_duty_log()
    gone.contents.clear()
    waive(gone, "ada", "safety-lead")
    assert [code for code, _ in why(read(gone))] == ["OBL004"]
