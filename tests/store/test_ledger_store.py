# SPDX-License-Identifier: Apache-2.0
"""The log in its database, on SQLite and PostgreSQL alike."""

import base64
import hashlib
import subprocess
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert
from sqlalchemy.exc import DBAPIError

from store.ledger_factories import (
    AT,
    a_case_entry,
    a_hold,
    a_lift,
    a_model_entry,
    an_entry,
    an_erasure,
    an_id,
    content_of,
    rows_of,
    run_sql,
    some_entries,
)
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.errors import LedgerError
from tidegate.ledger.acts import DecisionDissented
from tidegate.ledger.entries import MAX_ENTRY_BYTES, Entry, new_entry
from tidegate.ledger.merkle import EMPTY_ROOT, extends, includes, leaf_hash, root_of, tree_root
from tidegate.ledger.subjects import subjects_of
from tidegate.ledger.tiles import decode_bundle
from tidegate.store import writing
from tidegate.store.ledger import LedgerStore, SealedContent, open_ledger
from tidegate.store.schema import concerns, metadata
from tidegate.store.schema import entries as entries_table
from tidegate.store.tree import grow, read_head, read_tile
from tidegate.store.writing import submission


def refused(code: str, action, *arguments, **keywords) -> LedgerError:
    with pytest.raises(LedgerError) as error:
        action(*arguments, **keywords)
    assert {problem.code for problem in error.value.problems} == {code}, error.value
    return error.value


def a_note(store: LedgerStore, size: int, *, origin: str = "example.org/log") -> str:
    root = base64.b64encode(store.root(size)).decode()
    return f"{origin}\n{size}\n{root}\n\n— {origin} AAAA\n"


# --- opening ------------------------------------------------------------------------------------------


def test_an_empty_log_has_the_root_of_the_empty_tree(store):
    assert (store.size, store.root(), store.root(0)) == (0, EMPTY_ROOT, EMPTY_ROOT)
    assert list(store.entries()) == []
    assert store.verify().size == 0


def test_a_log_is_there_when_it_is_opened_again(ledger_url):
    with open_ledger(ledger_url, create=True) as store:
        store.append(some_entries(3))
    with open_ledger(ledger_url) as store:
        assert [one.entry for one in store.entries()] == some_entries(3)
    with open_ledger(ledger_url, create=True) as store:
        assert store.size == 3


def test_there_has_to_be_a_log(ledger_url):
    assert "ledger init" in (refused("LED002", open_ledger, ledger_url).problems[0].hint or "")


@pytest.mark.parametrize(
    "address",
    ["", "ledger.db", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:////nowhere/at/all/ledger.db"],
)
def test_an_address_that_is_none_is_refused(address):
    refused("LED002", open_ledger, address, create=True)


def test_a_server_that_does_not_answer_is_said_without_its_password():
    error = refused("LED002", open_ledger, "postgresql+psycopg://ada:hunter2@/log?host=/nowhere", create=True)
    assert "hunter2" not in str(error)


def test_the_missing_driver_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = refused("LED002", open_ledger, "postgresql+psycopg://ada@host/log")
    assert "tidegate[postgresql]" in (error.problems[0].hint or "")


def test_a_file_of_another_sort_is_refused(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"not a database at all, but long enough to be looked at " * 100)
    refused("LED002", open_ledger, f"sqlite:///{tmp_path / 'ledger.db'}")


def test_a_database_newer_than_the_program_is_refused(store, ledger_url):
    store.append(some_entries(2))
    run_sql(store, "UPDATE ledger_version SET version_num = '9999'")
    error = refused("LED002", open_ledger, ledger_url)
    assert "schema 9999; this program knows up to" in str(error)
    refused("LED002", open_ledger, ledger_url, create=True)


def test_alembic_is_loaded_only_when_the_schema_differs(store, ledger_url):
    program = (
        "import sys; from tidegate.store.ledger import open_ledger;"
        f"store = open_ledger({ledger_url!r}); store.size; store.close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_the_scripts_make_the_tables_that_the_program_knows(store):
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "ledger_version", "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_commits_are_durable(store):
    with store._database.writing() as connection:
        if store._database.is_sqlite:
            asked = ("journal_mode", "synchronous", "secure_delete", "trusted_schema")
            found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
            assert found == ["wal", 2, 1, 0]
        else:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_weaker_setting_of_the_server_is_not_taken_over(cluster):
    address = f"{cluster.new_address()}%20-csynchronous_commit%3Doff"
    with open_ledger(address, create=True) as store, store._database.writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


# --- adding -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(1, 1, 1), (255, 1, 1), (300,), (3, 700), (256, 256)])
def test_what_is_added_is_there_in_order(store, sizes):
    everything: list[Entry] = []
    for count in sizes:
        new = some_entries(count, len(everything))
        assert store.append(new) == tuple(range(len(everything), len(everything) + count))
        everything += new
    assert [one.entry for one in store.entries()] == everything
    assert [one.index for one in store.entries()] == list(range(len(everything)))
    assert all(one.leaf == leaf_hash(one.entry.data) for one in store.entries())
    assert store.root() == root_of(leaf_hash(one.data) for one in everything)
    store.verify()


def test_ten_thousand_entries_go_in_at_once_and_no_more(sqlite_store):
    many = some_entries(10_001)
    refused("LED004", sqlite_store.append, many)
    assert sqlite_store.size == 0
    assert len(sqlite_store.append(many[:-1])) == 10_000
    assert sqlite_store.verify().tiles == 39


def test_an_entry_is_taken_once(store):
    first = an_entry(1)
    assert store.append([first]) == (0,)
    assert store.append([an_entry(2), first, an_entry(2)]) == (1, 0, 1)
    assert store.append([first]) == (0,)
    assert store.size == 2


def test_the_same_id_with_other_content_is_refused(store):
    store.append([an_entry(1)])
    refused("LED004", store.append, [an_entry(2), an_entry(1, reason="changed")])
    refused("LED004", store.append, [an_entry(3), an_entry(3, reason="changed")])
    assert store.size == 1


def test_all_or_nothing(store):
    content = content_of()
    refused("LED009", store.append, [a_case_entry(content), a_model_entry(b"gone")], documents=[b"x"], sealed=[content])
    assert (store.size, store.documents_get(digest_bytes(b"x")), store.sealed(content.digest)) == (0, None, None)
    store.verify()


@pytest.mark.parametrize("expected", [0, 2, -1])
def test_another_size_than_expected_is_refused(store, expected):
    store.append([an_entry(1)])
    refused("LED006", store.append, [an_entry(2)], expect_size=expected)
    assert store.size == 1
    assert store.append([an_entry(2)], expect_size=1) == (1,)


def test_a_repeated_call_is_fine_whatever_size_it_expects(store):
    store.append([an_entry(1)], expect_size=0)
    store.append([an_entry(2)])
    assert store.append([an_entry(1)], expect_size=0) == (0,)


def test_nothing_is_added_by_nothing(store):
    assert store.append([]) == ()
    refused("LED006", store.append, [], expect_size=1)


def a_large_entry(length: int) -> Entry:
    body = {"decision": "D-1", "document": "sha256:" + "a" * 64, "text": "x"}
    made = new_entry("decision.dissented", DecisionDissented.model_validate(body), entry_id=an_id("large"), acted_at=AT)
    over = [{"name": f"n{number}", "digest": "sha256:" + "a" * 64} for number in range(650)]
    made = Entry.model_validate(made.model_dump(mode="json") | {"over": over})
    return made.model_copy(update={"body": body | {"text": "x" * (1 + length - len(made.data))}})


def test_an_entry_has_a_largest_size(store):
    store.append([], documents=[b"x"])
    largest = a_large_entry(MAX_ENTRY_BYTES)
    assert len(largest.data) == MAX_ENTRY_BYTES
    # Large enough to be refused for the missing document, not for its size.
    refused("LED009", store.append, [largest])
    error = refused("LED004", store.append, [a_large_entry(MAX_ENTRY_BYTES + 1)])
    assert "65,536 bytes" in str(error)


@pytest.mark.parametrize(
    "change",
    [{"decision": 7}, {"decision": ""}, {"more": 1}, {"reason": "\ud800"}, {"reason": {1}}, {"reason": float("nan")}],
)
def test_what_could_not_be_read_back_is_refused(store, change):
    """An entry's body is a dictionary, which careless code can change after it was checked."""
    good = an_entry(1)
    refused("LED004", store.append, [good.model_copy(update={"body": good.body | change})])
    assert store.size == 0


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_what_would_be_read_back_as_another_entry_is_refused(sqlite_store):
    """Its bytes would name a default, and so would not be canonical."""
    error = refused("LED004", sqlite_store.append, [an_entry(1).model_copy(update={"over": []})])
    assert "another one" in str(error)


def test_documents_are_kept_by_digest(store):
    document = b'{"id": "m"}'
    store.append([a_model_entry(document)], documents=[document, document])
    assert store.document(digest_bytes(document)) == document
    assert store.documents_get(digest_bytes(document)) == document
    store.append([a_model_entry(document, 2)], documents=[document])
    store.append([a_model_entry(document, 3)])
    assert store.verify().documents == 1


def test_a_document_that_is_named_has_to_be_kept(store):
    error = refused("LED009", store.append, [a_model_entry(b"gone")])
    assert digest_bytes(b"gone") in str(error)
    refused("LED009", store.document, digest_bytes(b"gone"))
    assert store.documents_get(digest_bytes(b"gone")) is None


def test_a_document_has_a_largest_size(store, monkeypatch):
    monkeypatch.setattr(writing, "MAX_DOCUMENT_BYTES", 10)
    store.append([], documents=[b"x" * 10])
    refused("LED004", store.append, [], documents=[b"x" * 11])
    content = content_of(b"x" * 11)
    refused("LED004", store.append, [a_case_entry(content)], sealed=[content])


# --- sealed content -----------------------------------------------------------------------------------


def test_sealed_content_is_kept_beside_the_log(store):
    content = content_of(until=date(2027, 1, 1))
    store.append([a_case_entry(content)], sealed=[content])
    assert store.sealed(content.digest) == content
    assert store.sealed(content_of(b"other").digest) is None
    assert store.verify().sealed == 1


@pytest.mark.parametrize(
    "content",
    [
        content_of()._replace(data=b"other"),
        content_of()._replace(salt=b"t" * 32),
        # Salt and content joined are the same bytes, divided in another way.
        SealedContent(content_of().digest, b"s" * 31, b"s" + content_of().data),
    ],
)
def test_sealed_content_has_to_be_what_its_digest_says(store, content):
    refused("LED004", store.append, [a_case_entry(content)], sealed=[content])


def test_sealed_content_that_is_named_has_to_be_there(store):
    refused("LED009", store.append, [a_case_entry(content_of())])


def test_erased_content_is_gone_and_the_log_stays_valid(store):
    content = content_of()
    store.append([a_case_entry(content), an_entry(1)], sealed=[content])
    root = store.root()
    assert store.erase(content.digest, an_erasure(content.digest)) == 2
    assert store.sealed(content.digest) is None
    assert store.root(2) == root
    assert store.verify() == (3, store.root(), 0, 0, 0, 0)
    assert [one.index for one in store.entries(subject=f"sealed:{content.digest}")] == [0, 2]


def test_erasing_may_be_repeated_and_stays_done(store):
    content = content_of()
    store.append([a_case_entry(content)], sealed=[content])
    erasure = an_erasure(content.digest)
    assert store.erase(content.digest, erasure) == store.erase(content.digest, erasure) == 1
    # The call that brought the content may be repeated as well, and does not bring it back.
    assert store.append([a_case_entry(content)], sealed=[content]) == (0,)
    assert store.sealed(content.digest) is None
    refused("LED004", store.append, [a_case_entry(content, "again")], sealed=[content])
    refused("LED009", store.erase, content.digest, an_erasure(content.digest, "second"))
    store.verify()


def test_erasing_needs_an_entry_that_says_so(store):
    content, other = content_of(), content_of(b"other")
    store.append([a_case_entry(content), a_case_entry(other, 2)], sealed=[content, other])
    refused("LED004", store.erase, content.digest, an_erasure(other.digest))
    refused("LED004", store.erase, content.digest, an_entry(1))
    refused("LED009", store.erase, content_of(b"never").digest, an_erasure(content_of(b"never").digest))
    assert store.size == 2


def test_an_appended_erasure_erases(store):
    content = content_of()
    store.append([a_case_entry(content)], sealed=[content])
    store.append([an_erasure(content.digest)])
    assert store.sealed(content.digest) is None


@pytest.mark.parametrize("named", [True, False], ids=["that one", "everything"])
def test_a_hold_forbids_erasing_until_it_is_lifted(store, named):
    content, other = content_of(), content_of(b"other")
    store.append([a_case_entry(content), a_case_entry(other, 2)], sealed=[content, other])
    store.append([a_hold([content.digest] if named else [])])
    error = refused("LED010", store.erase, content.digest, an_erasure(content.digest))
    assert "H-1" in str(error)
    assert store.sealed(content.digest) == content
    if named:
        store.erase(other.digest, an_erasure(other.digest, "other"))
    else:
        refused("LED010", store.erase, other.digest, an_erasure(other.digest, "other"))
    store.append([a_lift()])
    store.erase(content.digest, an_erasure(content.digest))
    assert store.sealed(content.digest) is None


def test_every_hold_has_to_be_lifted(store):
    content = content_of()
    holds = [a_hold([content.digest]), a_hold(hold="H-2", name=2), a_lift("H-1"), a_lift("H-3", "other")]
    store.append([a_case_entry(content), *holds], sealed=[content])
    assert "H-2" in str(refused("LED010", store.erase, content.digest, an_erasure(content.digest)))
    # A hold may be placed anew, and then covers what it said before or says now.
    store.append([a_lift("H-2", "lift 2"), a_hold([content.digest], name=3), a_hold([content_of(b"x").digest], name=4)])
    refused("LED010", store.erase, content.digest, an_erasure(content.digest))


def test_a_hold_counts_from_the_moment_it_is_in_the_log(store):
    content = content_of()
    store.append([a_case_entry(content)], sealed=[content])
    refused("LED010", store.append, [a_hold(), an_erasure(content.digest)])
    assert store.size == 1
    store.append([an_erasure(content.digest), a_hold()])


@pytest.mark.parametrize(
    ("kept", "said", "is_over"),
    [
        (date(2026, 6, 1), None, False),
        (date(2026, 5, 31), None, True),
        (None, date(2026, 6, 1), False),
        (None, date(2026, 5, 31), True),
        (date(2026, 5, 31), date(2026, 6, 1), False),
        (date(2026, 6, 1), date(2026, 5, 31), False),
    ],
)
def test_retention_ends_after_its_last_day(store, kept, said, is_over):
    """The later counts of what the store was told and what the log says."""
    content = content_of(until=kept)
    store.append([a_case_entry(content, until=said)], sealed=[content])
    erasure = an_erasure(content.digest, at="2026-06-01T23:59:59Z")
    if is_over:
        store.erase(content.digest, erasure)
    else:
        assert "2026-06-01" in str(refused("LED010", store.erase, content.digest, erasure))
    assert (store.sealed(content.digest) is None) == is_over


def test_what_is_sealed_and_erased_in_one_call_is_under_its_retention_too(store):
    content = content_of(until=date(2026, 6, 1))
    refused("LED010", store.append, [a_case_entry(content), an_erasure(content.digest)], sealed=[content])
    assert store.size == 0


@pytest.mark.parametrize("length", [40, 3_000, 200_000])
def test_no_file_holds_erased_bytes(tmp_path, length):
    """Content of several sizes, beside others, so that pages are divided and joined."""

    def secret(number: int) -> bytes:
        return f"<<secret {number}>>".encode() * (length // 12)

    contents = [content_of(secret(number), salt=hashlib.sha256(b"%d" % number).digest()) for number in range(40)]
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", create=True) as store:
        for number, content in enumerate(contents):
            store.append([a_case_entry(content, number)], sealed=[content])
        assert any(b"<<secret 0>>" in path.read_bytes() for path in tmp_path.iterdir()), "the test would see nothing"
        for number in range(0, 40, 3):
            store.erase(contents[number].digest, an_erasure(contents[number].digest, f"erasure {number}"))
        on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        for number, content in enumerate(contents):
            assert (f"<<secret {number}>>".encode() in on_disk) == (number % 3 != 0), number
            assert (content.salt in on_disk) == (number % 3 != 0), number
        store.verify()


def test_erasing_while_somebody_reads_says_that_bytes_linger(tmp_path):
    content = content_of()
    erasure = an_erasure(content.digest)
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", create=True, busy_seconds=0.1) as store:
        store.append([a_case_entry(content)], sealed=[content])
        with store._database.reading() as reading:
            assert reading.exec_driver_sql("SELECT count(*) FROM sealed").scalar() == 1
            assert "repeated" in str(refused("LED002", store.erase, content.digest, erasure))
            assert store.sealed(content.digest) is None
            # Who only adds in the same write is not troubled.
            added, erased = store.commit([submission([one], (), (), None) for one in (an_entry(1), erasure)])
            assert added == (2,)
            assert isinstance(erased, LedgerError)
        assert store.erase(content.digest, erasure) == 1
        assert content.data not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


# --- reading ------------------------------------------------------------------------------------------


def test_entries_by_place_kind_and_subject(store):
    document = b"{}"
    store.append([*some_entries(1200), a_model_entry(document)], documents=[document])
    assert [one.index for one in store.entries(5, 8)] == [5, 6, 7]
    assert [one.index for one in store.entries(1199)] == [1199, 1200]
    assert list(store.entries(8, 5)) == list(store.entries(10**30)) == []
    assert [one.index for one in store.entries(1198, 10**30)] == [1198, 1199, 1200]
    assert [one.index for one in store.entries(kinds=["model.recorded"])] == [1200]
    assert [one.index for one in store.entries(kinds=["model.recorded", "decision.recused"])] == list(range(1201))
    assert list(store.entries(kinds=[])) == list(store.entries(kinds=["hold.placed"])) == []
    assert [one.index for one in store.entries(subject="model:m")] == [1200]
    assert [one.index for one in store.entries(subject="person:ada")] == list(range(0, 1200, 2))
    assert [one.index for one in store.entries(700, subject="decision:D-3")] == [
        index for index in range(700, 1200) if index % 7 == 3
    ]
    assert list(store.entries(kinds=["model.recorded"], subject="person:ada")) == []
    for nonsense in ("nonsense", "", ":", "model:", "model:\0", "model:\udcff", "\udcff:m", "\0:m"):
        assert list(store.entries(subject=nonsense)) == []


def test_entries_are_those_that_were_there_when_reading_began(store):
    store.append(some_entries(3))
    found = store.entries()
    first = next(found)
    store.append(some_entries(2, 3))
    assert [first.index, *(one.index for one in found)] == [0, 1, 2]


def test_a_subject_too_long_for_an_index_is_found_all_the_same(store):
    document, model = b"{}", "m" * 10_000
    store.append([a_model_entry(document, model=model)], documents=[document])
    assert [one.index for one in store.entries(subject=f"model:{model}")] == [0]
    store.verify()


def test_an_entry_is_found_by_index_id_or_beginning(store):
    store.append(some_entries(50))
    for index in (0, 17, 49):
        name = an_id(index)
        for asked in (index, str(index), name, name[:8]):
            assert store.find(asked).index == index
    for unknown in (50, "50", -1, "-1", 10**30, "f" * 33, "", "zz", an_id(1)[:3], an_id(1).upper(), "%", "²"):
        refused("LED009", store.find, unknown)


def test_a_beginning_that_several_ids_share_is_refused(store):
    ids = ("abcd" + "0" * 28, "abcd" + "1" * 28, "abce" + "0" * 28)
    store.append([an_entry().model_copy(update={"id": one}) for one in ids])
    assert "several" in str(refused("LED009", store.find, "abcd"))
    assert store.find("abcd1").index == 1
    assert store.find("abce").index == 2


def test_digits_are_an_index_where_there_is_one_and_else_the_beginning_of_an_id(store):
    store.append([an_entry().model_copy(update={"id": "1234" + "a" * 28})])
    assert store.find("1234").index == 0
    refused("LED009", store.find, 1234)


# --- the tree -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_roots_and_proofs_of_every_earlier_tree(store, size):
    everything = some_entries(size)
    store.append(everything)
    leaves = [leaf_hash(one.data) for one in everything]
    for earlier in sorted({0, 1, size // 2, min(size, 256), size - 1, size}):
        root = root_of(leaves[:earlier])
        assert store.root(earlier) == tree_root(earlier, store.hashes(earlier)) == root
        assert extends(earlier, root, size, store.root(), store.consistency_proof(earlier, size))
        for index in {0, earlier // 2, earlier - 1} if earlier else ():
            assert includes(leaves[index], index, earlier, store.inclusion_proof(index, earlier), root)


def test_what_the_tree_does_not_have_is_refused(store):
    store.append(some_entries(300))
    for action, arguments in (
        (store.root, (301,)),
        (store.root, (-1,)),
        (store.hashes, (301,)),
        (store.inclusion_proof, (300, 300)),
        (store.inclusion_proof, (-1,)),
        (store.inclusion_proof, (0, 301)),
        (store.consistency_proof, (301,)),
        (store.consistency_proof, (-1, 300)),
        (store.consistency_proof, (1, 301)),
        *((store.tile, one) for one in ((0, 1), (0, 1, 45), (1, 0), (1, 0, 2), (0, 2, 1), (0, 0, 0), (0, 0, 257))),
        *((store.tile, one) for one in ((-1, 0, 1), (0, -1, 1), (99, 0, 1), (0, 10**30, 1))),
        *((store.bundle, one) for one in ((1,), (1, 45), (2, 1), (0, 0), (0, 257), (-1, 1), (10**30, 1))),
    ):
        refused("LED009", action, *arguments)


def test_tiles_and_bundles_are_those_of_tlog_tiles(store):
    everything = some_entries(600)
    store.append(everything)
    leaves = [leaf_hash(one.data) for one in everything]
    assert store.tile(0, 0) == b"".join(leaves[:256])
    assert store.tile(0, 0, 7) == b"".join(leaves[:7])
    assert store.tile(0, 2, 88) == b"".join(leaves[512:600])
    assert store.tile(1, 0, 2) == root_of(leaves[:256]) + root_of(leaves[256:512])
    assert decode_bundle(store.bundle(1)) == [one.data for one in everything[256:512]]
    assert decode_bundle(store.bundle(2, 88)) == [one.data for one in everything[512:]]


def test_tiles_of_higher_levels(store):
    """A tree of more than 65,536 leaves, whose entries are left out."""
    size = 65_536 + 700
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    row = {"kind": "k", "acted_at": AT, "actor": None, "data": b""}
    with store._database.writing() as connection:
        for start, stop in ((0, 255), (255, 256), (256, 1000), (1000, 65_535), (65_535, 65_536), (65_536, size)):
            rows = [row | {"position": at, "id": str(at), "leaf": leaves[at]} for at in range(start, stop)]
            connection.execute(insert(entries_table), rows)
            frontier, _ = read_head(connection)
            grow(connection, frontier, leaves[start:stop])
        assert read_tile(connection, 1, 0) == b"".join(root_of(leaves[at : at + 256]) for at in range(0, 65_536, 256))
        assert read_tile(connection, 2, 0, 1) == root_of(leaves[:65_536])
    assert store.root() == root_of(leaves)
    for earlier in (65_535, 65_536, 65_537, 66_000):
        assert store.root(earlier) == root_of(leaves[:earlier])
    proof = store.inclusion_proof(300, size)
    assert includes(leaves[300], 300, size, proof, store.root())


# --- checkpoints --------------------------------------------------------------------------------------


def test_checkpoints_are_kept_in_order(store):
    store.append(some_entries(300))
    notes = [
        (300, a_note(store, 300)),
        (7, a_note(store, 7)),
        (300, a_note(store, 300) + "— w BBBB\n"),
        (0, a_note(store, 0)),
    ]
    for size, note in [*notes, notes[0]]:
        store.add_checkpoint(note, size)
    assert list(store.checkpoints()) == [notes[3], notes[1], notes[0], notes[2]]
    assert store.verify().checkpoints == 4


def test_a_checkpoint_of_another_tree_is_refused(store):
    store.append(some_entries(3))
    note = a_note(store, 3)
    refused("LED003", store.add_checkpoint, note.replace("\n3\n", "\n4\n"), 4)
    refused("LED003", store.add_checkpoint, note.replace("\n3\n", "\n2\n"), 2)
    refused("LED007", store.add_checkpoint, note, 2)
    for text in (
        "",
        "x",
        "o\n3\n",
        "o\nthree\n" + "A" * 44,
        "o\n3\nAAAA\n",
        "o\n03\n" + note.split("\n")[2],
        "o\n3\n\0\n",
    ):
        refused("LED007", store.add_checkpoint, text, 3)
    assert store.checkpoints() == ()


# --- only ever added ----------------------------------------------------------------------------------


def a_full_store(store: LedgerStore) -> LedgerStore:
    """Have one row at least in every table, and two full tiles."""
    document, content = b'{"id": "m"}', content_of()
    store.append(
        [*some_entries(518), a_model_entry(document), a_case_entry(content)], documents=[document], sealed=[content]
    )
    store.add_checkpoint(a_note(store, 300), 300)
    return store


REFUSED = [
    "UPDATE entries SET data = data",
    "UPDATE entries SET actor = 'eve' WHERE position = 3",
    "DELETE FROM entries WHERE position = 519",
    "DELETE FROM entries",
    "INSERT INTO entries SELECT 600, 'x', kind, acted_at, actor, leaf, data FROM entries WHERE position = 0",
    "INSERT INTO entries SELECT 520, id, kind, acted_at, actor, leaf, data FROM entries WHERE position = 0",
    "UPDATE tiles SET root = hashes",
    "DELETE FROM tiles",
    "UPDATE documents SET data = data",
    "DELETE FROM documents",
    "UPDATE checkpoints SET size = 7",
    "DELETE FROM checkpoints",
    "UPDATE sealed SET data = salt",
    "UPDATE head SET size = 519",
    "UPDATE head SET root = frontier",
    "UPDATE head SET id = 2, size = 521",
    "DELETE FROM head",
    "INSERT INTO head SELECT 2, size, frontier, root FROM head",
]
REFUSED_BY_SQLITE = [
    "INSERT OR REPLACE INTO entries SELECT 0, 'x', kind, acted_at, actor, leaf, data FROM entries WHERE position = 1",
    "REPLACE INTO entries SELECT 520, id, kind, acted_at, actor, leaf, data FROM entries WHERE position = 1",
    "REPLACE INTO tiles SELECT level, number, root, root FROM tiles",
    "REPLACE INTO documents SELECT digest, digest FROM documents",
    "REPLACE INTO sealed SELECT digest, data, data, retain_until FROM sealed",
    "REPLACE INTO checkpoints SELECT number, 7, note FROM checkpoints",
    "REPLACE INTO head SELECT 1, 0, frontier, root FROM head",
    "INSERT OR IGNORE INTO entries SELECT 600, 'x', kind, acted_at, actor, leaf, data FROM entries LIMIT 1",
]
REFUSED_BY_POSTGRESQL = [
    *(f"TRUNCATE {table}" for table in ("entries", "tiles", "documents", "checkpoints", "head", "sealed")),
    "INSERT INTO documents SELECT digest, digest::bytea FROM documents ON CONFLICT (digest) DO UPDATE SET data = ''",
]


def test_triggers_keep_what_is_written(store):
    a_full_store(store)
    more = REFUSED_BY_SQLITE if store._database.is_sqlite else REFUSED_BY_POSTGRESQL
    for statement in [*REFUSED, *more]:
        with pytest.raises(DBAPIError):
            run_sql(store, statement)
    store.verify()
    run_sql(store, "DELETE FROM sealed")
    assert "no entry says that it was erased" in str(refused("LED003", store.verify))


# --- what was tampered with is found ------------------------------------------------------------------

TAMPERED = {
    "an entry's bytes": (["UPDATE entries SET data = :other WHERE position = 3"], "ledger entry 3"),
    "an entry's bytes and leaf": (
        ["UPDATE entries SET data = :other, leaf = :leaf WHERE position = 3"], "ledger tile 0/0"
    ),
    "bytes that are no entry": (["UPDATE entries SET data = :nonsense WHERE position = 400"], "ledger entry 400"),
    "a leaf": (["UPDATE entries SET leaf = :leaf WHERE position = 519"], "ledger entry 519"),
    "a kind": (["UPDATE entries SET kind = 'hold.placed' WHERE position = 5"], "ledger entry 5"),
    "an id": (["UPDATE entries SET id = 'x' WHERE position = 5"], "ledger entry 5"),
    "a time": (["UPDATE entries SET acted_at = '2020' WHERE position = 5"], "ledger entry 5"),
    "an actor": (["UPDATE entries SET actor = NULL WHERE position = 5"], "ledger entry 5"),
    "a missing entry": (["DELETE FROM entries WHERE position = 100"], "ledger entry 100"),
    "a missing first entry": (["DELETE FROM entries WHERE position = 0"], "ledger entry 0"),
    "an entry before the first": (
        ["INSERT INTO entries SELECT -1, 'x', kind, acted_at, actor, leaf, data FROM entries WHERE position = 0"],
        "ledger entry 0",
    ),
    "a missing last entry": (["DELETE FROM entries WHERE position = 519"], "ledger head"),
    "two entries exchanged": (
        ["UPDATE entries SET position = 9000 WHERE position = 3", "UPDATE entries SET position = 3 WHERE position = 4",
         "UPDATE entries SET position = 4 WHERE position = 9000"],
        "ledger tile 0/0",
    ),
    "a tile": (["UPDATE tiles SET hashes = root WHERE number = 1"], "ledger tile 0/1"),
    "a tile's root": (["UPDATE tiles SET root = :leaf WHERE number = 1"], "ledger tile 0/1"),
    "a missing tile": (["DELETE FROM tiles WHERE number = 1"], "ledger tile 0/1"),
    "one tile more": (["INSERT INTO tiles SELECT 1, 0, hashes, root FROM tiles WHERE number = 0"], "ledger tiles"),
    "the head's size": (["UPDATE head SET size = 521"], "ledger head"),
    "the head's root": (["UPDATE head SET root = :leaf"], "ledger head"),
    "the head's frontier": (["UPDATE head SET frontier = :leaf"], "ledger head"),
    "a missing head": (["DELETE FROM head"], "ledger head"),
    "a checkpoint's size": (["UPDATE checkpoints SET size = 299"], "checkpoint 0 of 299 entries"),
    "a checkpoint beyond the end": (["UPDATE checkpoints SET size = 900"], "checkpoint of 900 entries"),
    "a checkpoint's note": (["UPDATE checkpoints SET note = 'x'"], "checkpoint 0 of 300 entries"),
    "a document": (["UPDATE documents SET data = :other"], "document sha256:"),
    "a missing document": (["DELETE FROM documents"], "ledger entry 518"),
    "sealed content": (["UPDATE sealed SET data = :other"], "sealed content sha256:"),
    "salt": (["UPDATE sealed SET salt = :other"], "sealed content sha256:"),
    "missing sealed content": (["DELETE FROM sealed"], "ledger entry 519"),
    "a missing concern": (["DELETE FROM concerns WHERE position = 3 AND subject = 'person:bob'"], "ledger entry 3"),
    "one concern more": (["INSERT INTO concerns (position, subject) VALUES (3, 'model:x')"], "ledger entry 3"),
    "a concern of no entry": (["INSERT INTO concerns (position, subject) VALUES (520, 'm')"], "ledger entry 520"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_is_named(store, what):
    a_full_store(store).verify()
    statements, place = TAMPERED[what]
    other = an_entry(3, reason="changed").data
    values = {"other": other, "leaf": leaf_hash(other), "nonsense": b"\xff{"}
    for statement in statements:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        run_sql(store, statement, unguarded=True, **used)
    error = refused("LED003", store.verify)
    places = [str(problem.where) for problem in error.problems]
    assert any(one.startswith(place) for one in places), places
    assert all(problem.hint or "rebuild" in problem.message for problem in error.problems)


def test_content_that_came_back_after_it_was_erased_is_found(store):
    content = content_of()
    store.append([a_case_entry(content)], sealed=[content])
    store.erase(content.digest, an_erasure(content.digest))
    insert_again = "INSERT INTO sealed (digest, salt, data) VALUES (:digest, :salt, :data)"
    run_sql(store, insert_again, digest=content.digest, salt=content.salt, data=content.data)
    assert "still here" in str(refused("LED003", store.verify))


def test_a_log_that_was_shortened_consistently_is_found_by_its_checkpoint(store):
    """Whoever can write to the database can make a shorter log that fits itself; the checkpoint gives it away."""
    store.append(some_entries(10))
    store.add_checkpoint(a_note(store, 8), 8)
    leaves = [one.leaf for one in store.entries(stop=5)]
    values = {"frontier": root_of(leaves[:4]) + leaves[4], "root": root_of(leaves)}
    run_sql(store, "DELETE FROM entries WHERE position > 4", unguarded=True)
    run_sql(store, "DELETE FROM concerns WHERE position > 4", unguarded=True)
    run_sql(store, "UPDATE head SET size = 5, frontier = :frontier, root = :root", unguarded=True, **values)
    error = refused("LED003", store.verify)
    assert [str(problem.where) for problem in error.problems] == ["checkpoint of 8 entries"]


def test_only_the_first_differences_are_shown(store):
    store.append(some_entries(100))
    run_sql(store, "UPDATE entries SET kind = 'x'", unguarded=True)
    assert len(refused("LED003", store.verify).problems) == 20


def test_an_entry_that_cannot_be_read_is_said(store):
    store.append(some_entries(2))
    run_sql(store, "UPDATE entries SET data = :data WHERE position = 1", unguarded=True, data=b"{}")
    found = store.entries()
    next(found)
    assert "ledger entry 1" in str(refused("LED001", next, found))
    refused("LED001", store.rebuild)
    assert len(rows_of(store, "SELECT * FROM concerns")) == 4


def test_a_head_that_does_not_fit_stops_writing(store):
    store.append(some_entries(3))
    run_sql(store, "UPDATE head SET size = 2, frontier = :frontier", unguarded=True, frontier=b"x" * 32)
    if not store._database.is_sqlite:
        assert "at the end" in str(refused("LED003", store.append, [an_entry(9)]))
    run_sql(store, "DELETE FROM head", unguarded=True)
    refused("LED003", store.append, [an_entry(9)])
    refused("LED003", lambda: store.size)


def test_progress_is_told(store):
    store.append(some_entries(1100))
    told: list[tuple[int, int]] = []
    store.verify(lambda done, total: told.append((done, total)))
    assert told == [(500, 1100), (1000, 1100), (1100, 1100)]


# --- projections --------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), NAMES, NAMES, st.integers()), max_size=12))
def test_rebuilt_projections_are_what_they_were(store, drawn):
    """Every example adds to the same log."""
    document = b"{}"
    kinds = [
        lambda one, two, number: an_entry(f"{one}{two}{number}", decision=one, by=two),
        lambda one, two, number: a_model_entry(document, f"model {one}{number}", model=two + one),
        lambda one, _two, number: a_hold([digest_bytes(one.encode())], hold=one, name=f"hold {one}{number}"),
        lambda one, _two, number: a_lift(one, f"lift {one}{number}"),
    ]
    for kind, one, two, number in drawn:
        with suppress(LedgerError):  # the same number may be drawn twice
            store.append([kinds[kind](one, two, number)], documents=[document])
    before = sorted(rows_of(store, "SELECT position, subject FROM concerns"))
    store.rebuild()
    assert sorted(rows_of(store, "SELECT position, subject FROM concerns")) == before
    assert before == sorted((one.index, name) for one in store.entries() for name in subjects_of(one.entry))


def test_rebuilding_mends_whatever_was_done_to_the_projections(store):
    a_full_store(store)
    before = sorted(rows_of(store, "SELECT position, subject FROM concerns"))
    run_sql(store, "DELETE FROM concerns WHERE position % 3 = 1", "UPDATE concerns SET subject = 'x' || subject")
    refused("LED003", store.verify)
    store.rebuild()
    assert sorted(rows_of(store, "SELECT position, subject FROM concerns")) == before
    store.verify()
    run_sql(store, "DROP TABLE concerns")
    store.rebuild()
    assert sorted(rows_of(store, "SELECT position, subject FROM concerns")) == before
    assert concerns.c.subject is not None


# --- failures of the database -------------------------------------------------------------------------


def test_a_full_disk_is_said_and_adds_nothing(sqlite_store, tmp_path):
    sqlite_store.append(some_entries(3))

    def limited(connection, _):
        connection.execute("PRAGMA max_page_count=60")

    sqlite_store._database.engine.dispose()
    event.listen(sqlite_store._database.engine, "connect", limited)
    document = b"x" * 500_000
    error = refused("LED002", sqlite_store.append, [a_model_entry(document)], documents=[document])
    assert "make room" in (error.problems[0].hint or "")
    assert sqlite_store.size == 3
    sqlite_store.append([an_entry("small")])
    assert sqlite_store.verify().size == 4


def test_a_damaged_file_is_said(sqlite_store, tmp_path):
    path = tmp_path / "ledger.db"
    sqlite_store.append(some_entries(2000))
    sqlite_store.close()
    with open_ledger(f"sqlite:///{path}") as store:
        store._database.forget_deleted()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\xaa" * (len(data) - len(data) // 2)
    path.write_bytes(data)
    with open_ledger(f"sqlite:///{path}") as store:
        with pytest.raises(LedgerError) as error:
            store.verify()
        assert {problem.code for problem in error.value.problems} == {"LED003"}


def test_a_file_that_may_not_be_written_is_said(tmp_path: Path):
    """A folder in place of the file is what even root cannot write to."""
    (tmp_path / "ledger.db").mkdir()
    error = refused("LED002", open_ledger, f"sqlite:///{tmp_path / 'ledger.db'}", create=True)
    assert error.problems[0].hint
