# SPDX-License-Identifier: Apache-2.0
"""Reports as their reporters, case managers, culprits and operators see them, over a real log."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from house import TODAY, House, a_signer
from office import an_office, bytes_of
from tidegate.flow import noncompliance
from tidegate.flow.casework import casework_of, keep, signed_entry
from tidegate.flow.ledgers import Act, Actor, record_act
from tidegate.flow.noncompliance import (
    Filed,
    NewReport,
    assign,
    close,
    counts_for_board,
    counts_for_public,
    move,
    move_retaliation,
    read_as_manager,
    read_as_reporter,
    reply,
    report,
    report_retaliation,
    routed,
    write,
)
from tidegate.flow.retention import contents, erase, lift_hold, place_hold, retained_until
from tidegate.govern.intake import MAX_TEXT_BYTES, Message
from tidegate.govern.sealing import CaseKey, reading_key
from tidegate.kernel.duration import add
from tidegate.kernel.errors import CaseworkError, DocumentError, LedgerError, ProjectError, SigningError, TidegateError
from tidegate.ledger.acts import KeyAdded, KeyRotated, NoncomplianceNoted, SealedErased
from tidegate.ledger.signing import proof_bytes

WORDS = "Carl Culprit switched the monitor off before the evaluation."
LATER = date(2032, 1, 1)


@pytest.fixture
def office(tmp_path: Path) -> House:
    return an_office(tmp_path)


def code(error: pytest.ExceptionInfo[Any]) -> str:
    assert isinstance(error.value, TidegateError)
    return error.value.problems[0].code


def filed(office: House, text: str = WORDS, **changes: Any) -> Filed:
    return report(office.world(), NewReport(text, **{"category": "evaluation", "implicated": ("carl",), **changes}))


def texts(reading: Any) -> list[str | None]:
    return [one.message.text if one.message else one.problem for one in reading.messages]


def investigated(office: House, case: str, by: str = "mia") -> None:
    for state in ("triaged", "investigating"):
        move(office.world(), case, state, office.actor(by))  # type: ignore[arg-type]


# --- what the database says --------------------------------------------------------------------------


def test_nothing_on_disk_names_reporter_culprit_or_words(office: House) -> None:
    before = bytes_of(office)
    made = filed(office)
    reply(office.world(), made.case, "It was on the third of May.", made.key)
    write(office.world(), made.case, "Did Rita see it?", office.actor("mia"), to_reporter=False)
    named = filed(office, "I am Rita Reporter.", reporter=office.actor("rita"))
    report_retaliation(office.world(), NewReport("Carl Culprit moved my desk.", implicated=("carl",)))
    after = bytes_of(office)
    for secret in (WORDS, "monitor", "third of May", "Did Rita", "Rita Reporter", "Carl", "culprit", "moved my desk"):
        assert secret.encode() not in after, secret
        assert secret.encode() not in before, secret
    assert made.case.encode() in after
    assert made.key.secret not in after
    assert made.key.text.encode() not in after
    # The ids of people stand in the entries that added their keys, and nowhere else.
    with closing(office.world().ledger()) as store:
        for one in store.entries():
            if one.entry.kind.startswith("noncompliance"):
                assert b"rita" not in one.entry.data
                assert b"carl" not in one.entry.data
        assert named.case != made.case


def test_acts_of_reporters_have_no_name_and_no_time(office: House) -> None:
    made = filed(office, reporter=office.actor("rita"))
    reply(office.world(hour=17), made.case, "More.", made.key)
    report_retaliation(office.world(hour=18), NewReport("They moved my desk."), made.case)
    with closing(office.world().ledger()) as store:
        acts = [one.entry for one in store.entries() if one.entry.kind.startswith("noncompliance")]
    assert [one.by for one in acts] == [None] * 3
    assert [one.signature for one in acts] == [None] * 3
    assert {one.acted_at for one in acts} == {"2026-06-01T00:00:00Z"}


# --- who gets a report ---------------------------------------------------------------------------------


def test_a_report_goes_to_the_case_managers(office: House) -> None:
    made = filed(office)
    assert (made.route.role, made.route.managers) == ("case-manager", ("mia", "max"))
    for name in ("mia", "max"):
        assert texts(read_as_manager(office.world(), made.case, office.actor(name))) == [WORDS]


@pytest.mark.parametrize(
    ("implicated", "role", "managers"),
    [
        (("mia",), "case-manager", ("max",)),
        (("Mia Manager",), "case-manager", ("max",)),
        (("MIA", "max"), "safety-lead", ("ada",)),
        (("ada",), "board-member", ("eve",)),
        (("bob",), "board-member", ("eve",)),
    ],
)
def test_who_is_implicated_neither_gets_nor_can_read_it(office, implicated, role, managers) -> None:
    made = filed(office, implicated=implicated)
    assert made.route[:2] == (role, managers)
    with closing(office.world().ledger()) as store:
        (sealed,) = [store.sealed(one.digest) for one in casework_of(office.world()).cases[made.case].contents]
        assert sealed is not None
        for name, signer in office.signers.items():
            assert (reading_key(signer).unseal(sealed.data) is not None) == (name in managers)
    for name in set(office.signers) - set(managers) - {"carl"}:
        with pytest.raises(SigningError) as error:
            read_as_manager(office.world(), made.case, office.actor(name))
        assert code(error) == "KEY006"


def test_a_misspelt_name_is_not_taken_for_nobody(office: House) -> None:
    with pytest.raises(SigningError, match="KEY004: there is no person 'mai'") as error:
        filed(office, implicated=("mai",))
    assert "did you mean 'mia'?" in str(error.value)


def test_people_of_one_name_are_all_gone_around(office: House) -> None:
    file = office.root / "tidegate.yaml"
    file.write_text(file.read_text().replace("name: Max Meier", "name: Mia Manager"))
    assert filed(office, implicated=("mia manager",)).route.managers == ("ada",)


def test_the_reporter_may_choose_and_may_look_first(office: House) -> None:
    given = NewReport(WORDS, to="eve")
    size = len(casework_of(office.world()).cases)
    assert routed(office.world(), given)[:2] == ("chosen", ("eve",))
    assert len(casework_of(office.world()).cases) == size
    assert report(office.world(), given).route.managers == ("eve",)
    with pytest.raises(CaseworkError, match="NCP002"):
        filed(office, to="carl", implicated=())
    with pytest.raises(CaseworkError, match="NCP002"):
        filed(office, to="eve", implicated=("eve",))
    with pytest.raises(SigningError, match="KEY004"):
        filed(office, to="nobody")


def test_nobody_investigates_their_own_report(office: House) -> None:
    assert filed(office, reporter=office.actor("mia")).route.managers == ("max",)


def test_without_anybody_to_read_it_nothing_is_filed(tmp_path: Path) -> None:
    office = an_office(tmp_path, keyless=("mia", "max", "carl"))
    assert filed(office).route.keyless == ("mia (no key)", "max (no key)")
    with pytest.raises(CaseworkError, match="NCP002"):
        filed(office, implicated=("ada", "bob", "eve"))
    assert len(casework_of(office.world()).cases) == 1


def test_a_project_out_of_order_still_takes_reports(office: House) -> None:
    (office.root / "models" / "m.yaml").write_text("not a model")
    (office.root / "policy" / "house.yaml").write_text("not a policy")
    assert filed(office).route.role == "case-manager"


@pytest.mark.parametrize(
    ("text", "expected"), [("", "DOC009"), (" \n", "DOC009"), ("x" * (MAX_TEXT_BYTES + 1), "DOC002")]
)
def test_texts_have_words_and_an_end(office: House, text: str, expected: str) -> None:
    with pytest.raises(DocumentError) as error:
        filed(office, text)
    assert code(error) == expected
    assert len(filed(office, "\x00" * MAX_TEXT_BYTES).case) == 15


# --- the dialogue --------------------------------------------------------------------------------------


def test_a_dialogue_without_names(office: House) -> None:
    world, made = office.world(), filed(office)
    write(world, made.case, "When was it?", office.actor("mia"), to_reporter=True)
    write(world, made.case, "Ask for the logs.", office.actor("max"), to_reporter=False)
    reply(world, made.case, "On the third of May.", made.key)
    assert texts(read_as_reporter(world, made.case, made.key)) == [WORDS, "When was it?", "On the third of May."]
    assert texts(read_as_manager(world, made.case, office.actor("max"))) == [
        WORDS,
        "When was it?",
        "Ask for the logs.",
        "On the third of May.",
    ]
    assert casework_of(world).voids == ()


def test_a_wrong_case_key_opens_nothing(office: House) -> None:
    made, other = filed(office), filed(office, "Something else.")
    for key in (other.key, CaseKey(bytes(32))):
        with pytest.raises(CaseworkError) as error:
            read_as_reporter(office.world(), made.case, key)
        assert code(error) == "NCP001"
        with pytest.raises(CaseworkError, match="NCP001"):
            reply(office.world(), made.case, "x", key)
    with pytest.raises(CaseworkError, match="NCP001"):
        read_as_reporter(office.world(), "nc-0", made.key)


def test_what_implicates_a_manager_later_does_not_reach_them(office: House) -> None:
    world, made = office.world(), filed(office)
    reply(world, made.case, "Max helped him.", made.key, implicated=("max",))
    assert texts(read_as_manager(world, made.case, office.actor("max"))) == [WORDS, "not encrypted to this key"]
    assert texts(read_as_manager(world, made.case, office.actor("mia"))) == [WORDS, "Max helped him."]
    # The reporter's key knows, and so does Mia's: neither writes to Max any more.
    reply(world, made.case, "He said so.", made.key)
    write(world, made.case, "Max is out.", office.actor("mia"), to_reporter=False)
    assert texts(read_as_manager(world, made.case, office.actor("max")))[2:] == ["not encrypted to this key"] * 2
    with pytest.raises(SigningError, match=r"KEY006: max is implicated"):
        assign(world, made.case, ["mia", "max"], office.actor("mia"))
    assert assign(world, made.case, ["mia"], office.actor("mia")).managers == ("mia",)
    with pytest.raises(CaseworkError, match="NCP002: nobody who handles"):
        reply(world, made.case, "Mia too.", made.key, implicated=("mia",))


def test_a_named_report_is_signed_and_a_false_name_is_seen(office: House) -> None:
    made = filed(office, reporter=office.actor("rita"))
    (read,) = read_as_manager(office.world(), made.case, office.actor("mia")).messages
    assert read.message is not None
    assert (read.message.reporter, read.vouched) == ("rita", True)
    assert casework_of(office.world()).cases[made.case].is_anonymous is False
    with pytest.raises(SigningError, match="KEY003"):
        filed(office, reporter=Actor("rita", office.signers["carl"]))
    with pytest.raises(SigningError, match="KEY003"):
        filed(office, reporter=Actor("rita", office.signers["bob"]))
    (plain,) = read_as_manager(office.world(), filed(office).case, office.actor("mia")).messages
    assert plain.vouched is None


# --- handling ------------------------------------------------------------------------------------------


def test_a_case_is_investigated_closed_and_appealed(office: House) -> None:
    world, made = office.world(), filed(office)
    investigated(office, made.case)
    assert move(world, made.case, "substantiated", office.actor("max"), is_material=True).is_material
    move(world, made.case, "corrective_action", office.actor("mia"))
    assert close(world, made.case, "substantiated", office.actor("mia"), corrected=True).outcome == "substantiated"
    assert move(world, made.case, "appealed", office.actor("mia")).state == "appealed"
    assert casework_of(world).voids == ()


@pytest.mark.parametrize(
    "act",
    [
        lambda office, case: move(office.world(), case, "substantiated", office.actor("mia")),
        lambda office, case: move(office.world(), case, "closed", office.actor("mia")),
        lambda office, case: move(office.world(), case, None, office.actor("mia")),
        lambda office, case: close(office.world(), case, "substantiated", office.actor("mia")),
        lambda office, case: close(office.world(), case, "withdrawn", office.actor("mia"), corrected=True),
    ],
    ids=["too far", "closed as a state", "nowhere", "another outcome", "corrected nothing"],
)
def test_illegal_ways_are_refused(office: House, act: Any) -> None:
    made = filed(office)
    with pytest.raises(CaseworkError) as error:
        act(office, made.case)
    assert code(error) == "NCP003"
    assert casework_of(office.world()).cases[made.case].state == "received"


@pytest.mark.parametrize(
    "act",
    [
        lambda office, case, who: move(office.world(), case, "triaged", who),
        lambda office, case, who: close(office.world(), case, "withdrawn", who),
        lambda office, case, who: write(office.world(), case, "x", who, to_reporter=True),
        lambda office, case, who: assign(office.world(), case, ["bob"], who),
        lambda office, case, who: read_as_manager(office.world(), case, who),
    ],
    ids=["move", "close", "write", "assign", "read"],
)
def test_strangers_do_nothing(office: House, act: Any) -> None:
    made = filed(office)
    for who, expected in ((office.actor("bob"), "KEY006"), (Actor("mia", office.signers["bob"]), "KEY003")):
        with pytest.raises(SigningError) as error:
            act(office, made.case, who)
        assert code(error) == expected
    with pytest.raises(CaseworkError, match="NCP001"):
        act(office, "nc-0", office.actor("mia"))
    assert casework_of(office.world()).voids == ()


def test_material_is_marked_where_a_case_stands(office: House) -> None:
    made = filed(office)
    case = move(office.world(), made.case, None, office.actor("mia"), is_material=True)
    assert (case.state, case.material_on) == ("received", TODAY)


def test_a_case_goes_to_others_with_all_that_is_in_it(office: House) -> None:
    world, made = office.world(), filed(office, reporter=office.actor("rita"))
    reply(world, made.case, "More.", made.key)
    with pytest.raises(SigningError, match="KEY006"):
        read_as_manager(world, made.case, office.actor("eve"))
    case = assign(world, made.case, ["eve"], office.actor("mia"))
    assert (case.managers, case.state) == (("eve",), "received")
    reading = read_as_manager(world, made.case, office.actor("eve"))
    assert texts(reading) == [WORDS, "More."]
    assert [one.copied_by for one in reading.messages] == ["mia", "mia"]
    assert [one.vouched for one in reading.messages] == [True, None]
    with pytest.raises(SigningError, match="KEY006"):
        move(world, made.case, "triaged", office.actor("mia"))
    assert texts(read_as_reporter(world, made.case, made.key)) == [WORDS, "More."]
    assert casework_of(world).voids == ()


def test_who_cannot_read_gets_no_case(office: House) -> None:
    made = filed(office, implicated=())
    for managers in (["carl"], []):
        with pytest.raises(CaseworkError, match="NCP002"):
            assign(office.world(), made.case, managers, office.actor("mia"))
    close(office.world(), made.case, "withdrawn", office.actor("mia"))
    with pytest.raises(CaseworkError, match="NCP003"):
        assign(office.world(), made.case, ["eve"], office.actor("mia"))


def test_a_new_key_reads_once_the_case_is_encrypted_anew(office: House) -> None:
    world, made = office.world(), filed(office)
    old, new = office.signers["mia"], a_signer()
    proof = new.sign(proof_bytes("mia", (), new.public_key, replaces=old.fingerprint))
    body = KeyRotated(person="mia", old=old.fingerprint, public_key=new.public_key, proof=proof)
    record_act(world, Act("key.rotated", body, office.actor("mia")))
    office.signers["mia"] = new
    assert texts(read_as_manager(world, made.case, office.actor("mia"))) == ["not encrypted to this key"]
    assert texts(read_as_manager(world, made.case, office.actor("mia"), old)) == [WORDS]
    assign(world, made.case, ["mia", "max"], office.actor("mia"), old)
    assert texts(read_as_manager(world, made.case, office.actor("mia"))) == [WORDS]


def test_a_key_that_cannot_decrypt_says_so(office: House) -> None:
    made = filed(office)
    signer = office.signers["mia"]

    class Token:
        public_key, fingerprint, sign = signer.public_key, signer.fingerprint, signer.sign

    with pytest.raises(CaseworkError, match="NCP002: a key on a hardware token"):
        read_as_manager(office.world(), made.case, Actor("mia", Token()))
    assert texts(read_as_manager(office.world(), made.case, Actor("mia", Token()), signer)) == [WORDS]


def test_a_second_key_reads_too(office: House) -> None:
    second = a_signer()
    proof = second.sign(proof_bytes("mia", (), second.public_key))
    record_act(
        office.world(),
        Act("key.added", KeyAdded(person="mia", public_key=second.public_key, proof=proof), office.actor("mia")),
    )
    made = filed(office)
    assert texts(read_as_manager(office.world(), made.case, Actor("mia", second))) == [WORDS]


def test_two_who_move_at_once_do_not_both_succeed(office: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = filed(office)
    original = noncompliance.signed_entry

    def slow(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(noncompliance, "signed_entry", original)
        move(office.world(), made.case, "triaged", office.actor("max"))
        return original(*arguments, **options)

    monkeypatch.setattr(noncompliance, "signed_entry", slow)
    with pytest.raises(LedgerError, match="LED006"):
        close(office.world(), made.case, "withdrawn", office.actor("mia"))
    assert casework_of(office.world()).cases[made.case].state == "triaged"


# --- an operator who writes into the database ------------------------------------------------------------


def tampered(office: House, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(office.root / "ledger" / "ledger.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement, values)
        database.commit()


def test_changed_and_missing_content_is_found(office: House) -> None:
    made = filed(office)
    digest = casework_of(office.world()).cases[made.case].contents[0].digest
    tampered(office, "UPDATE sealed SET data = CAST(data || x'00' AS BLOB) WHERE digest = ?", digest)
    (read,) = read_as_manager(office.world(), made.case, office.actor("mia")).messages
    assert (read.problem, read.is_damaged) == ("the content is not what the log's digest says", True)
    tampered(office, "DELETE FROM sealed")
    (read,) = read_as_reporter(office.world(), made.case, made.key).messages
    assert read.is_damaged
    assert "no entry says that it was erased" in str(read.problem)
    assert [one.state for one in contents(office.world())] == ["missing"]


def test_another_cases_content_does_not_count(office: House) -> None:
    """Somebody who handles one case puts its content under another: it names its own case inside."""
    first, second = filed(office), filed(office, "Other words.")
    kept = keep(
        office.world(),
        Message(case=first.case, kind="note", text="Forged."),
        (office.signers["mia"].public_key,),
    )
    body = NoncomplianceNoted(case=second.case, direction="internal", content=kept.sealed)
    with closing(office.world().ledger()) as store:
        entry = signed_entry(office.world(), "noncompliance.noted", body, office.actor("mia"))
        store.append([entry], sealed=[kept.content])
    assert texts(read_as_manager(office.world(), second.case, office.actor("mia")))[1:] == [
        "the content was written for another case"
    ]


# --- retention -------------------------------------------------------------------------------------------


def closed_case(office: House) -> Filed:
    made = filed(office)
    reply(office.world(), made.case, "More.", made.key)
    assign(office.world(), made.case, ["mia"], office.actor("mia"))
    close(office.world(), made.case, "withdrawn", office.actor("mia"))
    return made


def test_erasing_leaves_the_log_valid_and_the_reason_visible(office: House) -> None:
    made = closed_case(office)
    with closing(office.world().ledger()) as store:
        kept = [store.sealed(one.digest) for one in contents(office.world())]
    assert len(kept) == 4
    assert len(erase(office.world(LATER), made.case, "its time is over", office.actor("ada"))) == 4
    reading = read_as_reporter(office.world(LATER), made.case, made.key)
    assert texts(reading) == ["content erased on 2032-01-01 because its time is over"] * 2
    assert not any(one.is_damaged for one in reading.messages)
    assert {one.state for one in contents(office.world())} == {"erased"}
    with closing(office.world().ledger()) as store:
        store.verify()
    left = bytes_of(office)
    for one in kept:
        assert one is not None
        assert one.data not in left
        assert one.data[300:400] not in left
        assert one.salt not in left
    with pytest.raises(LedgerError, match="LED009"):
        erase(office.world(LATER), made.case, "again", office.actor("ada"))


def test_one_content_is_erased_with_its_copies(office: House) -> None:
    made = closed_case(office)
    digest = casework_of(office.world()).cases[made.case].contents[0].digest
    gone = erase(office.world(LATER), digest, "a name", office.actor("ada"))
    assert [one.copy_of for one in gone] == [None, digest]
    assert texts(read_as_manager(office.world(), made.case, office.actor("mia"))) == [
        "content erased on 2032-01-01 because a name",
        "More.",
    ]


def test_what_has_to_be_kept_is_kept(office: House) -> None:
    open_case, made = filed(office), closed_case(office)
    keeper = office.actor("ada")
    for name, day, reason in (
        (open_case.case, LATER, "is open"),
        (made.case, TODAY, "has to be kept until 2031-06-01"),
        (made.case, date(2031, 6, 1), "has to be kept until 2031-06-01"),
    ):
        with pytest.raises(LedgerError, match=reason) as error:
            erase(office.world(day), name, "x", keeper)
        assert code(error) == "LED010"
    held = place_hold(office.world(), [made.case], "a suit", keeper)
    with pytest.raises(LedgerError, match=f"LED010: the hold {held.hold} covers"):
        erase(office.world(LATER), made.case, "x", keeper)
    assert {one.state for one in contents(office.world()) if one.case == made.case} == {"held"}
    assert {one.state for one in contents(office.world()) if one.case != made.case} == {"kept"}
    lift_hold(office.world(), held.hold, "settled", keeper)
    everything = place_hold(office.world(), ["everything"], "a second suit", keeper)
    assert everything.digests == ()
    with pytest.raises(LedgerError, match="LED010"):
        erase(office.world(LATER), made.case, "x", keeper)
    lift_hold(office.world(), everything.hold, "settled", keeper)
    assert erase(office.world(date(2031, 6, 2)), made.case, "x", keeper)


def test_only_a_keeper_erases_and_holds(office: House) -> None:
    made = closed_case(office)
    for act in (
        lambda who: erase(office.world(LATER), made.case, "x", who),
        lambda who: place_hold(office.world(), [made.case], "x", who),
        lambda who: lift_hold(office.world(), "h", "x", who),
    ):
        with pytest.raises(SigningError, match="KEY006"):
            act(office.actor("mia"))
        with pytest.raises(SigningError, match="KEY003"):
            act(Actor("ada", office.signers["mia"]))
    for unknown in (
        lambda: erase(office.world(LATER), "nc-0", "x", office.actor("ada")),
        lambda: place_hold(office.world(), ["nc-0"], "x", office.actor("ada")),
        lambda: lift_hold(office.world(), "h", "x", office.actor("ada")),
    ):
        with pytest.raises(LedgerError, match="LED009"):
            unknown()


def test_a_longer_retention_counts(office: House) -> None:
    made = filed(office, retention="P10Y")
    close(office.world(), made.case, "withdrawn", office.actor("mia"))
    assert retained_until(casework_of(office.world()).cases[made.case]) == add(TODAY, "P10Y")
    with pytest.raises(ProjectError, match="PRJ005"):
        filed(office, retention="ten years")


# --- retaliation and counts ------------------------------------------------------------------------------


def test_retaliation_goes_to_who_handles_the_case(office: House) -> None:
    world, made = office.world(), filed(office)
    found = report_retaliation(world, NewReport("They moved my desk.", implicated=("max",)), made.case)
    assert found.route.managers == ("mia",)
    assert texts(read_as_manager(world, found.report, office.actor("mia"))) == ["They moved my desk."]
    with pytest.raises(SigningError, match="KEY006"):
        read_as_manager(world, found.report, office.actor("max"))
    assert move_retaliation(world, found.report, "investigating", office.actor("mia")).state == "investigating"
    moved = move_retaliation(world, found.report, "found", office.actor("mia"), "It was so.")
    assert (moved.state, moved.case) == ("found", made.case)
    assert texts(read_as_manager(world, found.report, office.actor("mia")))[1:] == ["It was so."]
    assert retained_until(moved) is None
    assert retained_until(move_retaliation(world, found.report, "remedied", office.actor("mia"))) == date(2031, 6, 1)


def test_retaliation_goes_around_who_is_implicated(office: House) -> None:
    world, made = office.world(), filed(office)
    everybody = NewReport("Both did it.", implicated=("mia", "max"))
    assert report_retaliation(world, everybody, made.case).route.managers == ("ada",)
    chosen = report_retaliation(world, NewReport("x", to="eve", reporter=office.actor("rita")))
    assert chosen.route.managers == ("eve",)
    (read,) = read_as_manager(world, chosen.report, office.actor("eve")).messages
    assert read.vouched is True
    for act, expected in (
        (lambda: report_retaliation(world, NewReport("x"), "nc-0"), "NCP001"),
        (lambda: move_retaliation(world, "rt-0", "found", office.actor("mia")), "NCP001"),
        (lambda: move_retaliation(world, chosen.report, "found", office.actor("eve")), "NCP003"),
        (lambda: move_retaliation(world, chosen.report, "investigating", office.actor("mia")), "KEY006"),
    ):
        with pytest.raises(TidegateError) as error:
            act()
        assert code(error) == expected


def test_the_board_and_the_public_get_counts(office: House) -> None:
    made = filed(office)
    filed(office)
    close(office.world(), made.case, "withdrawn", office.actor("mia"))
    counts = counts_for_board(office.world())
    assert (counts.quarter, counts.opened, counts.open, counts.closed["withdrawn"]) == ("2026-Q2", 2, 1, 1)
    assert counts_for_board(office.world(), "2026-Q1").opened == 0
    public = counts_for_public(office.world(date(2027, 2, 1)))
    assert public.year == 2026
    assert set(public.opened.cells.values()) == {"<5"}
    with pytest.raises(ProjectError, match="PRJ005"):
        counts_for_public(office.world(), 2026)


def test_what_is_erased_is_not_read_from_a_copy_either(office: House) -> None:
    made = closed_case(office)
    digest = casework_of(office.world()).cases[made.case].contents[0].digest
    record_act(
        office.world(LATER), Act("sealed.erased", SealedErased(digest=digest, ground="a name"), office.actor("ada"))
    )
    assert [one.state for one in contents(office.world()) if one.copy_of == digest] == ["kept"]
    assert texts(read_as_manager(office.world(), made.case, office.actor("mia")))[0] == (
        "content erased on 2032-01-01 because a name"
    )
