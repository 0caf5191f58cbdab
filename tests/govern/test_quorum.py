# SPDX-License-Identifier: Apache-2.0
"""k of n by role: distinct people in distinct roles, against counting by trying everything."""

from itertools import permutations
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.govern.decisions import Need
from tidegate.govern.quorum import counted, missing, needed


class Hand(NamedTuple):
    person: str
    role: str
    holds: frozenset[str] = frozenset()


def a_need(*signers: str, quorum: int | None = None, apart: tuple[tuple[str, str], ...] = ()) -> Need:
    return Need(approval="a", act="capability_report", signers=signers, quorum=quorum, apart=apart)


ALL_OF_TWO = a_need("ceo", "lead")
TWO_OF_THREE = a_need("ceo", "lead", "board", quorum=2)
APART = a_need("ceo", "lead", "board", quorum=2, apart=(("ceo", "lead"),))
ADA_LEADS, BEN_IS_CEO, CLEO_SITS = Hand("ada", "lead"), Hand("ben", "ceo"), Hand("cleo", "board")


@pytest.mark.parametrize(
    ("need", "signatures", "recused", "said"),
    [
        (ALL_OF_TWO, [ADA_LEADS, BEN_IS_CEO], (), None),
        (ALL_OF_TWO, [ADA_LEADS], (), "a: 1 of 2 signatures; open: ceo"),
        (ALL_OF_TWO, [], (), "a: 0 of 2 signatures; open: ceo, lead"),
        (ALL_OF_TWO, [ADA_LEADS, CLEO_SITS], (), "a: 1 of 2 signatures; open: ceo"),
        (TWO_OF_THREE, [BEN_IS_CEO, CLEO_SITS], (), None),
        (TWO_OF_THREE, [Hand("ada", "lead"), Hand("ada", "ceo")], (), "a: 1 of 2 signatures; open: ceo, board"),
        (TWO_OF_THREE, [Hand("ada", "lead"), Hand("bob", "lead")], (), "a: 1 of 2 signatures; open: ceo, board"),
        (TWO_OF_THREE, [Hand("ada", "lead"), Hand("ada", "ceo"), Hand("bob", "lead")], (), None),
        (TWO_OF_THREE, [ADA_LEADS, BEN_IS_CEO], ("ben",), "a: 1 of 2 signatures; open: ceo, board (ben is recused)"),
        (
            APART,
            [Hand("ada", "lead", frozenset({"lead", "ceo"})), CLEO_SITS],
            (),
            "a: 1 of 2 signatures; open: ceo, lead (ada holds ceo and lead, which the policy keeps apart)",
        ),
        (
            APART,
            [Hand("ada", "lead"), Hand("ada", "ceo"), CLEO_SITS],
            (),
            "a: 1 of 2 signatures; open: ceo, lead (ada holds ceo and lead, which the policy keeps apart)",
        ),
        (a_need(), [ADA_LEADS], (), "a: the policy names nobody who may sign"),
        (a_need("ceo", quorum=1), [BEN_IS_CEO, BEN_IS_CEO], (), None),
    ],
)
def test_what_is_missing(need, signatures, recused, said):
    assert missing(need, signatures, recused) == said


HOLDERS = {"ada": {"lead"}, "ben": {"ceo"}, "cleo": {"board"}}


@pytest.mark.parametrize(
    ("need", "recused", "holders", "said"),
    [
        (TWO_OF_THREE, ("ben",), HOLDERS, None),
        (TWO_OF_THREE, ("ben", "cleo"), HOLDERS, "it cannot be reached since ben, cleo stepped back"),
        (ALL_OF_TWO, ("ben",), HOLDERS, "it cannot be reached since ben stepped back"),
        (ALL_OF_TWO, (), {"ada": {"lead", "ceo"}}, "too few people hold these roles"),
        (APART, (), {"ada": {"lead", "ceo"}, "cleo": {"board"}}, "too few people hold these roles"),
        (TWO_OF_THREE, ("ben",), None, None),
    ],
)
def test_a_quorum_that_nobody_can_reach_is_called_so(need, recused, holders, said):
    words = missing(need, (), recused, holders)
    assert words is not None
    if said is None:
        assert "reached" not in words
    else:
        assert said in words


def test_the_signatures_that_count_are_given():
    found = counted(TWO_OF_THREE, [Hand("ada", "lead"), Hand("ada", "ceo"), Hand("bob", "lead"), Hand("eve", "other")])
    assert {(one.person, one.role) for one in found} == {("ada", "ceo"), ("bob", "lead")}


PEOPLE, ROLES = ("a", "b", "c", "d"), ("r", "s", "t", "u")
hands = st.lists(
    st.builds(Hand, st.sampled_from(PEOPLE), st.sampled_from(ROLES), st.frozensets(st.sampled_from(ROLES), max_size=2)),
    max_size=9,
)


@st.composite
def needs(draw: st.DrawFn) -> Need:
    signers = draw(st.lists(st.sampled_from(ROLES), min_size=1, max_size=4, unique=True))
    quorum = draw(st.none() | st.integers(1, len(signers)))
    pairs = [(one, other) for one in ROLES for other in ROLES if one < other]
    return a_need(*signers, quorum=quorum, apart=tuple(draw(st.lists(st.sampled_from(pairs), max_size=2, unique=True))))


def by_trying(need: Need, signatures: list[Hand], recused: frozenset[str]) -> int:
    """Give the largest number of signatures that count, by trying every order of people against every role."""
    roles_of = {one: {hand.role for hand in signatures if hand.person == one} for one in PEOPLE}
    held = {one: roles_of[one].union(*(hand.holds for hand in signatures if hand.person == one)) for one in PEOPLE}
    able = {
        one
        for one in PEOPLE
        if one not in recused and not any({left, right} <= held[one] for left, right in need.apart)
    }
    orders = permutations((*PEOPLE, *(None for _ in need.signers)), len(need.signers))
    return max(
        sum(
            person is not None and person in able and role in roles_of[person]
            for role, person in zip(need.signers, order, strict=True)
        )
        for order in orders
    )


@given(needs(), hands, st.frozensets(st.sampled_from(PEOPLE), max_size=2))
@settings(deadline=None, max_examples=150)
def test_counting_agrees_with_trying_everything(need, signatures, recused):
    found = counted(need, signatures, recused)
    most = by_trying(need, signatures, recused)
    assert len(found) == most
    assert len({one.person for one in found}) == len({one.role for one in found}) == len(found)
    assert (missing(need, signatures, recused) is None) == (most >= needed(need))


@given(needs(), hands, st.frozensets(st.sampled_from(PEOPLE), max_size=2), st.sampled_from(PEOPLE))
@settings(deadline=None, max_examples=100)
def test_stepping_back_never_completes_a_quorum(need, signatures, recused, person):
    if missing(need, signatures, recused) is not None:
        assert missing(need, signatures, recused | {person}) is not None


@given(needs(), hands)
@settings(deadline=None, max_examples=100)
def test_fewer_people_than_asked_for_never_suffice(need, signatures):
    if len({one.person for one in signatures}) < needed(need):
        assert missing(need, signatures) is not None
