# SPDX-License-Identifier: Apache-2.0
"""The log as a log: checkpoints, proofs, witnesses, tiles, and what happens when somebody rewrites it."""

import http.client
import sqlite3
import threading
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from house import ORIGIN, House, a_house, a_signer, evidence_file
from tidegate.flow.assessments import ask_gate
from tidegate.flow.decisions import Proposal, propose
from tidegate.flow.evidence import import_files
from tidegate.flow.governing import CHECKPOINT_FILE
from tidegate.flow.ledgers import Actor, open_log, record_files
from tidegate.flow.logs import (
    Witness,
    add_cosignature,
    entry_envelope,
    entry_json,
    export_tiles,
    find_entry,
    listed,
    log_vkey,
    prove,
    rebuild,
    sign_head,
    verify_log,
    witness_request,
    witness_vkey,
)
from tidegate.flow.witness_server import witness_server
from tidegate.kernel.errors import TidegateError
from tidegate.ledger.merkle import leaf_hash, root_of
from tidegate.ledger.notes import parse_vkey, verify_checkpoint
from tidegate.ledger.proofs import verify_proof
from tidegate.ledger.tiles import TileHashes, decode_bundle, tile_path
from tidegate.ledger.witnessing import Refusal
from tidegate.store.project import PROJECT_FILE

NOW = "2026-06-01T12:00:00Z"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return a_house(tmp_path)


def code(error: pytest.ExceptionInfo[TidegateError]) -> str:
    return error.value.problems[0].code


def rewrite(house: House, statement: str) -> None:
    """Change the database as its operator could, triggers out of the way."""
    with closing(sqlite3.connect(house.root / "ledger" / "ledger.db")) as raw:
        for (name,) in raw.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            raw.execute(f"drop trigger {name}")
        raw.execute(statement)
        raw.commit()


def test_the_log_begins_with_its_keeper_and_its_files(house: House) -> None:
    kinds = [one.entry.kind for one in listed(house.world())]
    assert kinds[:2] == ["ledger.opened", "key.added"]
    assert sorted(kinds[2:5]) == ["evidence.imported", "model.recorded", "policy.adopted"]
    assert kinds[5:] == ["key.added"] * 3
    assert [one.entry.by for one in listed(house.world(), kind="key")] == ["ada"] * 4
    assert [one.index for one in listed(house.world(), newest=2)] == [6, 7]
    assert [one.index for one in listed(house.world(), subject="model:m")] == [
        one.index for one in listed(house.world()) if one.entry.kind == "model.recorded"
    ]
    with pytest.raises(TidegateError) as refused:
        listed(house.world(), kind="cake")
    assert code(refused) == "LED009"


def test_a_log_is_begun_once_and_by_a_keeper(house: House) -> None:
    with pytest.raises(TidegateError) as refused:
        open_log(house.world(), origin=ORIGIN, log_key=log_vkey(ORIGIN, house.log), keeper=house.actor("ada"))
    assert code(refused) == "LED002"
    text = (house.root / PROJECT_FILE).read_text().split("ledger:")[0]
    (house.root / PROJECT_FILE).write_text(text)
    (house.root / "ledger" / "ledger.db").unlink()
    with pytest.raises(TidegateError) as refused:
        open_log(
            house.world(), origin=ORIGIN, log_key=log_vkey(ORIGIN, house.log), keeper=Actor("bob", house.signers["bob"])
        )
    assert code(refused) == "KEY004"


def test_a_project_without_a_log_says_so(house: House) -> None:
    (house.root / PROJECT_FILE).write_text((house.root / PROJECT_FILE).read_text().split("ledger:")[0])
    for ask in (lambda: listed(house.world()), lambda: propose(house.world(), Proposal("m"), house.actor("ada"))):
        with pytest.raises(TidegateError) as refused:
            ask()
        assert code(refused) == "LED002"


def test_what_is_entered_is_entered_once(house: House, tmp_path: Path) -> None:
    assert record_files(house.world()) == ()
    path = evidence_file(tmp_path, "r2", 0.04)
    import_files(house.world(), [path])
    assert record_files(house.world()) == ()
    assert [one.entry.kind for one in listed(house.world(), newest=1)] == ["evidence.imported"]
    import_files(house.world(), [path])
    assert len(listed(house.world(), kind="evidence.imported")) == 2


def test_an_entry_is_proven_offline(house: House) -> None:
    with pytest.raises(TidegateError) as refused:
        prove(house.world(), "1")
    assert code(refused) == "LED007"
    house.checkpoint()
    logged = find_entry(house.world(), "1")
    proof = prove(house.world(), logged.entry.id)
    key = parse_vkey(log_vkey(ORIGIN, house.log))
    assert verify_proof(proof, logged.entry.data, key).checkpoint.size == 8
    with pytest.raises(TidegateError):
        verify_proof(proof, find_entry(house.world(), "2").entry.data, key)
    assert entry_json(logged)["index"] == 1
    assert entry_envelope(logged)["payloadType"] == "application/vnd.in-toto+json"
    with pytest.raises(TidegateError) as refused:
        entry_envelope(find_entry(house.world(), "0"))
    assert code(refused) == "LED005"


def test_only_the_log_s_own_key_signs_it(house: House) -> None:
    with pytest.raises(TidegateError) as refused:
        sign_head(house.world(), a_signer())
    assert code(refused) == "LED007"


def test_a_log_that_was_rewritten_is_not_signed_and_opens_nothing(house: House) -> None:
    house.checkpoint()
    note = (house.root / CHECKPOINT_FILE).read_text()
    (house.root.parent / "twin").mkdir()
    other = a_house(house.root.parent / "twin")
    # Another history under the same origin and key: the checkpoint in the project's files does not fit it.
    (house.root / "ledger" / "ledger.db").write_bytes((other.root / "ledger" / "ledger.db").read_bytes())
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (house.root / "ledger" / name).unlink(missing_ok=True)
    with pytest.raises(TidegateError) as refused:
        sign_head(house.world(), house.log)
    assert code(refused) == "LED003"
    assert (house.root / CHECKPOINT_FILE).read_text() == note
    assert any("does not continue its checkpoint" in one for one in verify_log(house.world()).unsound)


def test_a_changed_entry_is_found(house: House) -> None:
    assert verify_log(house.world()).unsound == ()
    rewrite(house, "update entries set data = cast(replace(cast(data as text), 'House', 'Haus') as blob)")
    words = [one.message for one in ask_gate(house.world(), "m", "train").gate.reasons if one.closes]
    assert any("does not fit" in one or "not what" in one or "hash" in one for one in words), words
    with pytest.raises(TidegateError) as refused:
        verify_log(house.world())
    assert code(refused) == "LED003"


def test_projections_are_made_anew(house: House) -> None:
    before = [one.index for one in listed(house.world(), subject="person:ada")]
    assert rebuild(house.world()) == 8
    assert [one.index for one in listed(house.world(), subject="person:ada")] == before != []


# --- witnesses ----------------------------------------------------------------------------------------


def a_witness(house: House, folder: Path) -> Witness:
    return Witness("witness.example/w", a_signer(), log_vkey(ORIGIN, house.log), folder / "state.json")


def trusting(house: House, witness: Witness) -> None:
    path = house.root / PROJECT_FILE
    path.write_text(f"{path.read_text()}  witnesses: ['{witness_vkey(witness.name, witness.signer)}']\n")


def test_a_witness_cosigns_what_continues_and_nothing_else(house: House, tmp_path: Path) -> None:
    witness = a_witness(house, tmp_path)
    trusting(house, witness)
    house.checkpoint()
    line = witness.answer(witness_request(house.world(), 0), NOW)
    assert isinstance(line, str)
    note = add_cosignature(house.world(), line)
    keys = [parse_vkey(witness_vkey(witness.name, witness.signer))]
    assert [one.name for one in verify_checkpoint(note, parse_vkey(witness.log_key), keys).cosignatures] == [
        witness.name
    ]
    import_files(house.world(), [evidence_file(tmp_path, "r2", 0.04)])
    house.checkpoint()
    refused = witness.answer(witness_request(house.world(), 0), NOW)
    assert isinstance(refused, Refusal)
    assert (refused.status, refused.body) == (409, "8\n")
    assert isinstance(witness.answer(witness_request(house.world(), 8), NOW), str)
    again = Witness(witness.name, witness.signer, witness.log_key, witness.state_file)
    stale = again.answer(witness_request(house.world(), 8), NOW)
    assert isinstance(stale, Refusal), "what was seen is remembered"
    with pytest.raises(TidegateError) as error:
        witness_request(house.world(), 99)
    assert code(error) == "LED008"


def test_a_cosignature_of_a_stranger_is_not_added(house: House, tmp_path: Path) -> None:
    house.checkpoint()
    line = a_witness(house, tmp_path).answer(witness_request(house.world(), 0), NOW)
    assert isinstance(line, str)
    with pytest.raises(TidegateError) as refused:
        add_cosignature(house.world(), line)
    assert code(refused) == "LED007"


def test_a_witness_that_lost_its_memory_signs_nothing(house: House, tmp_path: Path) -> None:
    witness = a_witness(house, tmp_path)
    witness.state_file.write_text("{}")
    house.checkpoint()
    with pytest.raises(TidegateError) as refused:
        witness.answer(witness_request(house.world(), 0), NOW)
    assert code(refused) == "LED008"


def test_a_witness_answers_over_http(house: House, tmp_path: Path) -> None:
    witness = a_witness(house, tmp_path)
    house.checkpoint()
    asked = witness_request(house.world(), 0).encode()
    with witness_server(witness, "127.0.0.1:0", lambda: NOW) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:

            def post(path: str, body: bytes) -> tuple[int, str | None, bytes]:
                with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)) as client:
                    client.request("POST", path, body)
                    answer = client.getresponse()
                    return answer.status, answer.getheader("Content-Type"), answer.read()

            status, _, line = post("/add-checkpoint", asked)
            assert (status, line.startswith("— witness.example/w ".encode())) == (200, True)
            assert post("/add-checkpoint", asked) == (409, "text/x.tlog.size", b"8\n")
            assert post("/add-checkpoint", b"nonsense")[0] == 400
            assert post("/other", asked)[0] == 404
            assert post("/add-checkpoint", b"x" * 1_000_001)[0] == 400
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("address", ["8080", "host:", "127.0.0.1:99999", "127.0.0.1:http"])
def test_an_address_is_a_host_and_a_port(house: House, tmp_path: Path, address: str) -> None:
    with pytest.raises(TidegateError) as refused:
        witness_server(a_witness(house, tmp_path), address, lambda: NOW)
    assert code(refused) == "PRJ005"


# --- export -------------------------------------------------------------------------------------------


def test_exported_tiles_are_the_log(house: House, tmp_path: Path) -> None:
    with pytest.raises(TidegateError) as refused:
        export_tiles(house.world(), tmp_path / "tiles")
    assert code(refused) == "LED007"
    house.checkpoint()
    assert export_tiles(house.world(), tmp_path / "tiles") == 3
    folder = tmp_path / "tiles"
    found = verify_checkpoint((folder / "checkpoint").read_text(), parse_vkey(log_vkey(ORIGIN, house.log))).checkpoint
    entries = decode_bundle((folder / "tile" / "entries" / "000.p" / "8").read_bytes())
    assert root_of(leaf_hash(one) for one in entries) == found.root
    hashes = TileHashes(lambda level, index, width: (folder / tile_path(level, index, width)).read_bytes(), found.size)
    assert hashes(3, 0) == found.root


def test_a_day_in_the_future_is_not_that_of_the_log(house: House) -> None:
    """Clocks may differ; the log's order does not depend on them."""
    import_files(house.world(date(2026, 5, 1)), [evidence_file(house.root.parent, "early", 0.1)])
    assert listed(house.world(), newest=1)[0].entry.acted_at == "2026-05-01T12:00:00Z"
    assert verify_log(house.world()).unsound == ()
