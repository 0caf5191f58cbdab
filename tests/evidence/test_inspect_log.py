# SPDX-License-Identifier: Apache-2.0
"""The Inspect importer: on logs made here, on real ones, and beside inspect-ai itself."""

import importlib.util
import json
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.evidence.formats import digest_file, recognise
from tidegate.evidence.importing import Declared, Import, ImportSource
from tidegate.evidence.inspect_log import read, read_within, recognises
from tidegate.evidence.inspect_zip import LIMITS, Limits
from tidegate.evidence.model import Elicitation, Evidence
from tidegate.evidence.recompute import SampleRow, canonical_row
from tidegate.kernel.canonical import merkle_root
from tidegate.kernel.errors import EvidenceError

needs_inspect = pytest.mark.skipif(
    importlib.util.find_spec("inspect_ai") is None, reason="inspect-ai, the oracle, is not installed"
)

# Factories ------------------------------------------------------------------------------------------------------

Entry = tuple[str, bytes, int]
"""Name, content, compression method."""


def pack(data: bytes, method: int) -> bytes:
    if method == 8:
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return deflate.compress(data) + deflate.flush()
    return zstandard.ZstdCompressor().compress(data) if method == 93 else data


def zip_bytes(entries: list[Entry], *, claim_size: int | None = None, flags: int = 0) -> bytes:
    """A zip archive, written field by field, so that any method and any lie can be put in it."""
    out, directory = bytearray(), bytearray()
    for name, content, method in entries:
        packed, label = pack(content, method), name.encode()
        size = len(content) if claim_size is None else claim_size
        common = struct.pack(
            "<HHHHHIIIHH", 63, flags, method, 0, 33, zlib.crc32(content), len(packed), size, len(label), 0
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 63) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(out))
        directory += label
        out += b"PK\x03\x04" + common + label + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(out), 0)
    return bytes(out + directory + b"PK\x05\x06" + end)


def sample(number: int | str, value: Any = "C", epoch: int = 1, **more: Any) -> dict[str, Any]:
    scores = {} if value is None else {"scores": {"match": {"value": value, "answer": "x", "history": []}}}
    return {"id": number, "epoch": epoch, "input": "q", "target": "a", "messages": [{"content": "…"}], **scores, **more}


def header(samples: int = 4, accuracy: float | None = 0.5, **more: Any) -> dict[str, Any]:
    """A header as Inspect writes it; keys with dots reach into it."""
    score = {"name": "match", "scorer": "match", "params": {}, "scored_samples": samples}
    metrics = {} if accuracy is None else {"accuracy": {"name": "accuracy", "value": accuracy, "params": {}}}
    data: dict[str, Any] = {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": "EvalId",
            "created": "2026-03-01T10:00:00+00:00",
            "task": "quiz",
            "task_version": 0,
            "dataset": {"name": "quiz-set", "samples": samples},
            "model": "lab/model-1",
            "model_generate_config": {},
            "config": {"epochs": 1, "epochs_reducer": ["mean"]},
            "revision": {"type": "git", "origin": "o", "commit": "abc123", "dirty": True},
            "packages": {"inspect_evals": "0.26.0", "inspect_ai": "0.3.285"},
        },
        "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": {}},
        "results": {"total_samples": samples, "scores": [{**score, "metrics": metrics}]},
        "stats": {"started_at": "2026-03-02T23:00:00+00:00", "completed_at": "2026-03-03T01:00:00+00:00"},
    }
    for path, value in more.items():
        *parents, last = path.split("__")
        place = data
        for parent in parents:
            place = place[parent]
        place[last] = value
    return data


def eval_bytes(head: dict[str, Any] | None, samples: list[dict[str, Any]], method: int = 93, **extra: Any) -> bytes:
    entries: list[Entry] = []
    if "start" in extra:
        entries.append(("_journal/start.json", json.dumps(extra.pop("start")).encode(), method))
    entries += [(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one).encode(), method) for one in samples]
    entries += [(name, json.dumps(data).encode(), method) for name, data in extra.items()]
    if head is not None:
        entries.append(("header.json", json.dumps(head).encode(), method))
    return zip_bytes(entries)


def load(path: Path, content: bytes, declared: Declared | None = None) -> Import:
    path.write_bytes(content)
    return read(ImportSource(path, digest_file(path), declared or Declared()))


def one(taken: Import) -> Evidence:
    (record,) = taken.evidence.records
    return record


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.eval"


def codes(taken: Import) -> list[str]:
    return [notice.code for notice in taken.notices]


FOUR = [sample(1), sample(2, "I"), sample(3), sample(4, "I")]

# What a log gives -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [0, 8, 93], ids=["stored", "deflate", "zstandard"])
@pytest.mark.parametrize("version", [2, 3, None])
def test_a_log_gives_one_record_with_everything_in_it(log: Path, method: int, version: int | None):
    record = one(load(log, eval_bytes(header(version=version), FOUR, method)))
    measurement = record.measurement
    assert measurement is not None
    assert record.id == "inspect:EvalId:match:mean"
    assert (measurement.evaluation, measurement.metric, measurement.value) == ("quiz", "accuracy", 0.5)
    assert (measurement.header_value, measurement.worst_case, measurement.n) == (0.5, 0.5, 4)
    assert (measurement.successes, measurement.attempts, measurement.binary) == (2.0, 1.0, True)
    assert measurement.aggregation is None
    assert measurement.parameters["dataset"] == "quiz-set"
    assert record.subject.model == "lab/model-1"
    assert record.quality == "recomputable"
    assert (record.started, record.finished) == ("2026-03-02", "2026-03-03")
    assert record.provenance.tool == "inspect_ai 0.3.285, inspect_evals 0.26.0"
    assert record.provenance.revision == "abc123 (dirty)"
    assert record.provenance.digest == digest_file(log)
    assert record.remarks == ()
    rows = [SampleRow(str(s["id"]), 1, "match", float(s["scores"]["match"]["value"] == "C")) for s in FOUR]
    assert record.provenance.sample_root == merkle_root(canonical_row(one) for one in rows)


def test_the_same_log_gives_the_same_records_and_the_order_of_its_samples_does_not_matter(log: Path):
    first = load(log, eval_bytes(header(), FOUR))
    assert load(log, eval_bytes(header(), FOUR)) == first
    turned = one(load(log, eval_bytes(header(), FOUR[::-1])))
    assert turned.measurement == one(first).measurement
    assert turned.provenance.sample_root == one(first).provenance.sample_root


def test_a_json_log_gives_the_same_as_the_archive(tmp_path: Path, log: Path):
    archived = one(load(log, eval_bytes(header(), FOUR)))
    for indent in (None, 2):
        tree = {**header(), "samples": FOUR, "reductions": []}
        plain = one(load(tmp_path / "log.json", json.dumps(tree, indent=indent).encode()))
        assert plain.measurement == archived.measurement
        assert plain.provenance.sample_root == archived.provenance.sample_root


def test_a_word_samples_inside_a_json_log_is_not_taken_for_the_samples(tmp_path: Path):
    tricky = '"samples": [ {"id": 9} ] \\" }'
    tree = {
        **header(),
        "metadata": {"samples": [1], "note": tricky},
        "samples": [{**one, "input": tricky} for one in FOUR],
    }
    record = one(load(tmp_path / "log.json", json.dumps(tree).encode()))
    assert record.measurement is not None
    assert (record.measurement.value, record.measurement.n) == (0.5, 4)


def test_progress_is_told(log: Path):
    told: list[tuple[int, int | None]] = []
    log.write_bytes(eval_bytes(header(), FOUR))
    source = ImportSource(log, digest_file(log))
    read(replace(source, progress=lambda done, total: told.append((done, total))))
    assert told == [(4, 4)]


# What the header hides ------------------------------------------------------------------------------------------


def test_a_header_that_was_edited_is_found_out(log: Path):
    taken = load(log, eval_bytes(header(accuracy=0.1), FOUR))
    record = one(taken)
    assert record.measurement is not None
    assert (record.measurement.value, record.measurement.header_value) == (0.5, 0.1)
    (remark,) = record.remarks
    assert (remark.code, remark.blocks_rule_out) == ("EVI004", True)
    assert remark.message == "match: the header states accuracy 0.1; the samples give 0.5"
    assert [notice.severity for notice in taken.notices if notice.code == "EVI004"] == ["warning"]


def test_errors_are_counted_though_the_header_is_silent_about_them(log: Path):
    """Three errors in ten: the header says 0.857; counted as failures it is 0.6, and at worst 0.9."""
    samples = [sample(n, "C" if n < 6 else "I") for n in range(7)]
    samples += [sample(n, None, error={"message": "boom", "traceback": ""}) for n in (7, 8, 9)]
    record = one(load(log, eval_bytes(header(10, 6 / 7), samples)))
    assert record.measurement is not None
    assert record.measurement.value == pytest.approx(6 / 7)
    assert record.measurement.parameters["errors_as_zero"] == 0.6
    assert record.measurement.worst_case == 0.9
    assert record.counts is not None
    assert (record.counts.planned, record.counts.errored, record.counts.without_score) == (10, 3, 3)
    assert record.remarks == ()


def test_errors_that_were_scored_do_not_count_as_answers(log: Path):
    """With score_on_error the header says 0.6, and that is what Inspect computes: no disagreement."""
    samples = [sample(n, "C" if n < 6 else "I") for n in range(7)]
    samples += [sample(n, "I", error={"message": "boom"}) for n in (7, 8, 9)]
    record = one(load(log, eval_bytes(header(10, 0.6), samples)))
    assert record.measurement is not None
    assert (record.measurement.value, record.measurement.worst_case) == (pytest.approx(6 / 7), 0.9)
    assert record.remarks == ()


@pytest.mark.parametrize(
    ("samples", "count"),
    [
        ([*FOUR[:3], sample(4, "I", invalidation={"timestamp": "t", "author": "a"})], "invalidated"),
        ([*FOUR[:3], sample(4, "I", model_fallbacks=[{"model": "other", "count": 1}])], "fallback"),
        ([*FOUR[:3], sample(4, float("nan"))], "unscored"),
        ([*FOUR[:3], sample(4, None)], "unscored"),
        (FOUR[:3], "missing"),
    ],
    ids=["invalidated", "fallback", "not a number", "no score", "missing"],
)
def test_every_lost_sample_is_counted(log: Path, samples: list[dict[str, Any]], count: str):
    record = one(load(log, eval_bytes(header(), samples)))
    assert record.measurement is not None
    assert record.counts is not None
    assert record.measurement.value == pytest.approx(2 / 3)
    assert record.measurement.worst_case == 0.75
    assert getattr(record.counts, count) == 1


@pytest.mark.parametrize(
    ("more", "planned"),
    [
        ({"eval__dataset": {"samples": 100, "sample_ids": [1, 2, 3, 4]}}, 4),
        ({"eval__dataset": {"samples": 100}, "eval__config": {"limit": 6}}, 6),
        ({"eval__dataset": {"samples": 100}, "eval__config": {"limit": [10, 15]}}, 5),
        ({"eval__dataset": {"samples": 100}, "eval__config": {"sample_id": ["a", "b", "c", "d", "e"]}}, 5),
        ({"eval__dataset": {"samples": 4}, "results__total_samples": 9}, 9),
        ({"eval__dataset": {"samples": 4}, "eval__config": {"epochs": 3}}, 12),
        ({"eval__dataset": {"samples": 2}, "results__total_samples": 2}, 4),
    ],
)
def test_what_was_planned(log: Path, more: dict[str, Any], planned: int):
    record = one(load(log, eval_bytes(header(**{"results__total_samples": None, **more}), FOUR)))
    assert record.counts is not None
    assert record.counts.planned == planned


def test_a_log_that_does_not_say_what_was_planned_can_rule_nothing_out(log: Path):
    record = one(load(log, eval_bytes(header(eval__dataset={}, results__total_samples=None), FOUR)))
    assert [(remark.code, remark.blocks_rule_out) for remark in record.remarks] == [("EVI008", True)]


@pytest.mark.parametrize("status", ["error", "cancelled", "started", None])
def test_an_incomplete_run_is_imported_and_can_rule_nothing_out(log: Path, status: str | None):
    record = one(load(log, eval_bytes(header(status=status), FOUR)))
    assert [(remark.code, remark.blocks_rule_out) for remark in record.remarks] == [("EVI008", True)]


def test_a_run_that_was_killed_has_no_header_and_is_read_from_its_journal(log: Path):
    start = {key: header()[key] for key in ("version", "eval", "plan")}
    record = one(load(log, eval_bytes(None, FOUR[:3], start=start)))
    assert record.measurement is not None
    assert (record.measurement.value, record.measurement.worst_case) == (pytest.approx(2 / 3), 0.75)
    assert any(remark.code == "EVI008" and remark.blocks_rule_out for remark in record.remarks)


def test_a_header_that_contradicts_the_beginning_of_the_run_is_found_out(log: Path):
    start = {key: header()[key] for key in ("version", "eval", "plan")}
    assert one(load(log, eval_bytes(header(), FOUR, start=start))).remarks == ()
    edited = header(eval__model="lab/model-2")
    (remark,) = one(load(log, eval_bytes(edited, FOUR, start=start))).remarks
    assert (remark.code, remark.blocks_rule_out) == ("EVI004", True)
    assert "model" in remark.message


def blocking(taken: Import) -> list[str]:
    return [remark.message for remark in one(taken).remarks if remark.blocks_rule_out]


def test_a_log_that_was_declared_invalid_can_rule_nothing_out_though_no_sample_says_so(log: Path):
    (message,) = blocking(load(log, eval_bytes(header(invalidated=True), FOUR)))
    assert "declared invalid" in message
    marked = [*FOUR[:3], sample(4, "I", invalidation={"reason": "broken"})]
    taken = load(log, eval_bytes(header(invalidated=True), marked))
    assert one(taken).counts.invalidated == 1  # type: ignore[union-attr]
    assert blocking(taken) == []


@pytest.mark.parametrize(
    ("config", "dataset", "says", "blocks"),
    [
        ({"sample_id": [1, 2, 3, 4]}, {}, "chosen by their ids", True),
        ({"sample_id": "1"}, {}, "chosen by their ids", True),
        ({"limit": 4}, {}, "4 of 100 samples, not a random choice", True),
        ({"limit": [10, 14]}, {"sample_ids": None}, "4 of 100 samples, not a random choice", True),
        ({}, {}, "4 of 100 samples, not a random choice", True),
        ({"limit": 4}, {"shuffled": True}, "4 of 100 samples, after shuffling", False),
    ],
)
def test_a_part_of_the_dataset_is_named_and_must_not_be_chosen_by_hand(
    log: Path, config: dict[str, Any], dataset: dict[str, Any], says: str, blocks: bool
):
    chosen = {"samples": 100, "sample_ids": [1, 2, 3, 4], "shuffled": False, **dataset}
    head = header(eval__config={"epochs": 1, **config}, eval__dataset=chosen)
    (remark,) = one(load(log, eval_bytes(head, FOUR))).remarks
    assert (remark.code, remark.blocks_rule_out) == ("EVI008", blocks)
    assert says in remark.message


def summary(number: int, value: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "epoch": 1, "scores": {"match": {"value": value}}, **more}


SUMMARIES = [summary(1, "C"), summary(2, "I"), summary(3, "C"), summary(4, "I")]


@pytest.mark.parametrize(
    ("summaries", "differing"),
    [
        (SUMMARIES, None),
        (SUMMARIES[::-1], None),
        ([*SUMMARIES[:3], summary(4, "C")], "1 samples"),
        ([*SUMMARIES[:3], summary(4, "I", error="boom")], "1 samples"),
        ([*SUMMARIES, summary(5, "C"), summary(6, "C")], "2 samples"),
        (SUMMARIES[:1], "3 samples"),
    ],
    ids=["same", "another order", "a score", "an error", "samples taken out", "samples put in"],
)
def test_samples_that_contradict_the_logs_own_summaries_are_found_out(
    log: Path, summaries: list[dict[str, Any]], differing: str | None
):
    taken = load(log, eval_bytes(header(), FOUR, **{"summaries.json": summaries}))
    assert [message.split(" differ")[0] for message in blocking(taken)] == ([differing] if differing else [])


def reduction(*values: float | str, reducer: str = "mean") -> dict[str, Any]:
    rows = [{"sample_id": number, "value": value} for number, value in enumerate(values, start=1)]
    return {"scorer": "match", "reducer": reducer, "samples": rows}


@pytest.mark.parametrize(
    ("found", "differing"),
    [
        (reduction(1.0, 0.0, 1.0, 0.0), None),
        (reduction("C", "I", "C", "I"), None),
        (reduction(1.0, 1.0, 1.0, 1.0, reducer="max"), None),
        (reduction(1.0, 1.0, 1.0, 0.0), "match: 1 samples"),
        (reduction(1.0, 0.0, 1.0, 0.0, 1.0), "match: 1 samples"),
        (reduction(1.0), "match: 3 samples"),
    ],
)
@pytest.mark.parametrize("form", ["eval", "json"])
def test_samples_that_contradict_the_logs_own_reduced_scores_are_found_out(
    tmp_path: Path, form: str, found: dict[str, Any], differing: str | None
):
    whole = {**header(), "samples": FOUR, "reductions": [found]}
    content = eval_bytes(header(), FOUR, **{"reductions.json": [found]})
    taken = load(tmp_path / f"log.{form}", json.dumps(whole).encode() if form == "json" else content)
    assert [message.split(" differ")[0] for message in blocking(taken)] == ([differing] if differing else [])


def test_reduced_scores_of_mappings_are_compared_by_key(log: Path):
    samples = [sample(1, {"a": 1, "b": 0}), sample(2, {"a": 0, "b": 0})]
    scores = [
        {"name": key, "scorer": "match", "metrics": {"mean": {"name": "mean", "value": value}}}
        for key, value in (("a", 0.5), ("b", 0.0))
    ]
    head = header(2, results={"total_samples": 2, "scores": scores})
    stated = [{"sample_id": 1, "value": {"a": 1, "b": 0}}, {"sample_id": 2, "value": {"a": 0, "b": 1}}]
    found = {"reductions.json": [{"scorer": "match", "reducer": "mean", "samples": stated}]}
    first, second = load(log, eval_bytes(head, samples, **found)).evidence.records
    assert [len(record.remarks) for record in (first, second)] == [0, 1]


def test_a_sample_that_stands_twice_in_the_archive_is_found_out(log: Path):
    (message,) = blocking(load(log, eval_bytes(header(), [sample(2), *FOUR])))
    assert "1 samples stand twice" in message


def test_a_stated_figure_without_any_score_behind_it_is_no_evidence(log: Path):
    record = one(load(log, eval_bytes(header(accuracy=0.7), [sample(1, None)])))
    assert record.measurement is not None
    assert (record.measurement.value, record.measurement.header_value) == (None, 0.7)
    assert any(remark.code == "EVI004" and remark.blocks_rule_out for remark in record.remarks)


def test_a_log_without_samples_gives_nothing_and_says_why(log: Path):
    taken = load(log, eval_bytes(header(), []))
    assert taken.evidence.records == ()
    assert codes(taken) == ["EVI008"]
    assert "no samples" in taken.notices[0].message


@pytest.mark.parametrize("name", ["summaries.json", "_journal/summaries/1.json"])
def test_summaries_stand_in_for_samples_only_with_a_remark(log: Path, name: str):
    record = one(load(log, eval_bytes(header(), [], **{name: FOUR})))
    assert record.measurement is not None
    assert (record.measurement.value, record.quality) == (0.5, "reported")
    assert [remark.code for remark in record.remarks] == ["EVI011"]


def test_samples_are_preferred_to_summaries(log: Path):
    flattering = [sample(n, "I") for n in (1, 2, 3, 4)]
    record = one(load(log, eval_bytes(header(), FOUR, **{"summaries.json": flattering})))
    assert record.measurement is not None
    assert record.measurement.value == 0.5


def test_reduced_scores_stand_in_last_and_can_rule_nothing_out(tmp_path: Path):
    reductions = [{"scorer": "match", "samples": [{"sample_id": n, "value": n % 2} for n in range(4)]}]
    record = one(load(tmp_path / "log.json", json.dumps({**header(), "reductions": reductions}).encode()))
    assert record.measurement is not None
    assert record.measurement.value == 0.5
    assert [(remark.code, remark.blocks_rule_out) for remark in record.remarks] == [("EVI011", True)]


# Scorers, reducers, metrics -------------------------------------------------------------------------------------


def epochs_header(scores: list[dict[str, Any]], reducers: list[str], epochs: int = 4) -> dict[str, Any]:
    config = {"epochs": epochs, "epochs_reducer": reducers}
    return header(2, eval__config=config, results__scores=scores, results__total_samples=2 * epochs)


def stated(value: float, reducer: str | None, metric: str = "accuracy", name: str = "match") -> dict[str, Any]:
    metrics = {metric: {"name": metric, "value": value}}
    return {"name": name, "scorer": "match", "reducer": reducer, "metrics": metrics}


EPOCHS = [sample(n, "C" if epoch <= n else "I", epoch) for n in (1, 3) for epoch in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("reducer", "value", "aggregation"),
    [
        ("mean", 0.5, "mean of 4"),
        ("median", 0.5, "median of 4"),
        ("mode", 0.5, "mode of 4"),
        ("max", 1.0, "max of 4"),
        ("at_least_2", 0.5, "at least 2 of 4"),
        ("pass_at_2", 0.75, "pass@2"),
        ("pass_k_2", 0.25, "pass^2"),
    ],
)
def test_each_reducer_gives_a_record_of_its_own(log: Path, reducer: str, value: float, aggregation: str):
    scores = [stated(0.5, "mean"), stated(value, reducer)] if reducer != "mean" else [stated(0.5, "mean")]
    records = load(log, eval_bytes(epochs_header(scores, list({"mean": 0, reducer: 0})), EPOCHS)).evidence.records
    assert [record.remarks for record in records] == [()] * len(records)
    found = records[-1].measurement
    assert found is not None
    assert (found.value, found.aggregation, found.attempts, found.n) == (pytest.approx(value), aggregation, 4.0, 2)
    assert not found.binary
    assert records[-1].id == f"inspect:EvalId:match:{reducer}"


def test_epochs_that_were_not_reduced_weigh_every_attempt_alike(log: Path):
    ragged = [*EPOCHS[:4], EPOCHS[4]]
    record = one(load(log, eval_bytes(epochs_header([stated(0.4, None)], []), ragged)))
    assert record.measurement is not None
    assert record.measurement.value == pytest.approx(0.4)
    assert not [remark for remark in record.remarks if remark.code == "EVI004"]


def test_what_cannot_be_recomputed_is_left_out_and_named(log: Path):
    metrics = {
        "accuracy": {"name": "accuracy", "value": 0.5},
        "stderr": {"name": "stderr", "value": 0.3},
        "mean": {"name": "mine/mean", "value": 0.9},
    }
    scores = [{"name": "match", "scorer": "match", "metrics": metrics}]
    taken = load(log, eval_bytes(header(results__scores=scores), FOUR))
    assert one(taken).measurement is not None
    assert [notice.message for notice in taken.notices] == ["match: not recomputed: stderr, mean"]
    assert [notice.severity for notice in taken.notices] == ["note"]


@pytest.mark.parametrize(
    "entry",
    [
        stated(0.5, None, "f1"),
        stated(0.5, "top_5"),
        {**stated(0.5, None), "metrics": {"accuracy": {"name": "accuracy", "value": 1, "params": {"to_float": "f"}}}},
    ],
    ids=["metric", "reducer", "own reading of scores"],
)
def test_a_scorer_of_which_nothing_can_be_recomputed_gives_no_record_and_a_warning(log: Path, entry: dict[str, Any]):
    taken = load(log, eval_bytes(header(results__scores=[entry]), FOUR))
    assert taken.evidence.records == ()
    assert [(notice.code, notice.severity) for notice in taken.notices] == [("EVI011", "warning")]


def test_a_score_that_is_a_mapping_gives_a_record_per_key(log: Path):
    samples = [sample(1, {"speed": 1, "care": "C"}), sample(2, {"speed": 0, "care": "I"}), sample(3, float("nan"))]
    scores = [stated(0.5, None, name="speed"), stated(0.5, None, "mean", name="care")]
    records = load(log, eval_bytes(header(3, results__scores=scores), samples)).evidence.records
    assert [record.id for record in records] == ["inspect:EvalId:match/care:mean", "inspect:EvalId:match/speed:mean"]
    assert [record.measurement.metric for record in records if record.measurement] == [
        "match/care/mean",
        "match/speed/accuracy",
    ]
    for record in records:
        assert record.measurement is not None
        assert record.counts is not None
        assert (record.measurement.value, record.counts.unscored, record.remarks) == (0.5, 1, ())


def test_a_scorer_that_the_header_leaves_out_is_imported_and_named(log: Path):
    extra = [{**one, "scores": {**one["scores"], "judge": {"value": 1.0}}} for one in FOUR]
    taken = load(log, eval_bytes(header(), extra))
    assert [record.id for record in taken.evidence.records] == [
        "inspect:EvalId:judge:mean",
        "inspect:EvalId:match:mean",
    ]
    assert [notice.message for notice in taken.notices] == [
        "judge: the header states no result for it; the figure is the samples'"
    ]


def test_text_that_is_no_number_is_no_score_though_inspect_counts_it_as_zero(log: Path):
    record = one(load(log, eval_bytes(header(accuracy=0.5), [*FOUR[:3], sample(4, "refused")])))
    assert record.measurement is not None
    assert record.measurement.value == pytest.approx(2 / 3)
    assert [(remark.code, remark.blocks_rule_out) for remark in record.remarks] == [("EVI011", False)]


def test_lists_are_left_out_and_named(log: Path):
    taken = load(log, eval_bytes(header(accuracy=None), [sample(1, [1, 0])]))
    assert taken.evidence.records == ()
    assert "lists are not recomputed" in taken.notices[0].message


def test_partial_credit_is_not_binary_and_other_scales_have_no_worst_case(log: Path):
    partial = one(load(log, eval_bytes(header(2, 0.75), [sample(1), sample(2, "P")]))).measurement
    assert partial is not None
    assert (partial.value, partial.binary, partial.unit) == (0.75, False, "fraction")
    record = one(load(log, eval_bytes(header(2, 8.0), [sample(1, 8), sample(2, None)])))
    assert record.measurement is not None
    assert (record.measurement.unit, record.measurement.worst_case) == ("score", None)
    assert any(remark.blocks_rule_out for remark in record.remarks)


def test_a_scale_other_than_0_to_1_is_recorded_because_its_mean_may_look_like_a_share(log: Path):
    measured = one(
        load(log, eval_bytes(header(accuracy=0.0), [sample(n, value) for n, value in enumerate((-1, 1, 1, -1))]))
    )
    assert measured.measurement is not None
    assert (measured.measurement.value, measured.measurement.unit) == (0.0, "score")
    assert [measured.measurement.parameters[f"{end}_score"] for end in ("lowest", "highest")] == [-1.0, 1.0]
    plain = one(load(log, eval_bytes(header(), FOUR))).measurement
    assert plain is not None
    assert "lowest_score" not in plain.parameters


def test_related_samples_are_clustered_by_the_key_that_the_log_names(log: Path):
    samples = [{**one, "metadata": {"topic": one["id"] % 2}} for one in FOUR]
    scorers = [{"name": "match", "metrics": [{"name": "stderr", "options": {"cluster": "topic"}}]}]
    measurement = one(load(log, eval_bytes(header(eval__scorers=scorers), samples))).measurement
    assert measurement is not None
    assert measurement.clusters == 2


def test_edits_of_scores_are_told(log: Path):
    edited = {"match": {"value": "C", "history": [{"value": "I"}]}}
    record = one(load(log, eval_bytes(header(), [{**FOUR[0], "scores": edited}, *FOUR[1:]])))
    assert [remark.message for remark in record.remarks] == ["1 scores were edited after the run"]


# Elicitation and declarations -----------------------------------------------------------------------------------

AGENT = {"solver": "inspect_ai/react", "params": {"attempts": 3, "tools": [{"name": "bash"}, "web/search"]}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"scaffold": "generate"}),
        (
            {"plan__steps": [{"solver": "chain_of_thought"}, {"solver": "generate"}]},
            {"elements": ("chain_of_thought",), "scaffold": "chain_of_thought > generate"},
        ),
        ({"plan__steps": [{"solver": "multiple_choice", "params": {"cot": True}}]}, {"elements": ("chain_of_thought",)}),
        (
            {"plan__steps": [AGENT]},
            {"elements": ("tools", "scaffolding", "multiple_attempts"), "tools": ("bash", "search"), "attempts": 3},
        ),
        ({"plan__steps": [{"solver": "agent_with_check"}]}, {"elements": ("scaffolding",)}),
        (
            {"eval__model_generate_config": {"reasoning_effort": "high", "num_choices": 5}},
            {"elements": ("chain_of_thought", "best_of_n"), "n_samples": 5, "reasoning": "effort high"},
        ),
        (
            {"stats__model_usage": {"lab/model-1": {"reasoning_tokens": 90}}},
            {"elements": ("chain_of_thought",), "reasoning": "90 reasoning tokens used in all"},
        ),
        (
            {"eval__config": {"token_limit": 1000, "cost_limit": 2.5}},
            {"token_budget": 1000, "cost_budget_usd": 2.5, "statement": "log header: token_limit 1000, cost_limit 2.5"},
        ),
    ],
)  # fmt: skip
def test_elicitation_is_extracted_from_the_header(log: Path, more: dict[str, Any], expected: dict[str, Any]):
    found = one(load(log, eval_bytes(header(**more), FOUR))).elicitation
    assert found.basis == "extracted"
    assert {"elements": (), **expected} == {name: getattr(found, name) for name in {"elements": (), **expected}}


@pytest.mark.parametrize(
    ("reducer", "elements", "attempts"),
    [
        ("mean", (), None),
        ("max", ("best_of_n", "multiple_attempts"), 4),
        ("pass_at_2", ("multiple_attempts",), 2),
        ("pass_at_1", (), None),
        ("pass_k_2", (), None),
    ],
)
def test_epochs_elicit_more_only_where_the_best_counts(
    log: Path, reducer: str, elements: tuple[str, ...], attempts: int | None
):
    values = {"mean": 0.5, "max": 1.0, "pass_at_2": 0.75, "pass_at_1": 0.5, "pass_k_2": 0.25}
    found = one(load(log, eval_bytes(epochs_header([stated(values[reducer], reducer)], [reducer]), EPOCHS)))
    assert found.remarks == ()
    assert (found.elicitation.elements, found.elicitation.attempts) == (elements, attempts)


def test_declarations_are_joined_and_kept_apart_in_words(log: Path):
    declared = Declared(
        model="model-one",
        snapshot="2026-02",
        variant="helpful_only",
        thresholds=("cbrn",),
        elicitation=Elicitation(elements=("fine_tuning",), absent=("tools",), statement="200 examples"),
        evaluator="Lab A",
        independent=True,
    )
    record = one(load(log, eval_bytes(header(plan__steps=[AGENT]), FOUR), declared))
    assert (record.subject.model, record.subject.snapshot, record.subject.variant) == (
        "model-one",
        "2026-02",
        "helpful_only",
    )
    assert record.thresholds == ("cbrn",)
    assert (record.evaluator.name, record.evaluator.relation) == ("Lab A", "independent")
    # What the log shows cannot be declared away.
    assert record.elicitation.elements == ("tools", "scaffolding", "fine_tuning", "multiple_attempts")
    assert record.elicitation.absent == ()
    assert record.elicitation.statement == "log header: no limits; declared: fine_tuning: 200 examples"
    assert record.measurement is not None
    assert record.measurement.parameters["model_in_log"] == "lab/model-1"


@pytest.mark.parametrize(("version", "key"), [(0, "0"), ("3-B", "3"), ("2", "2")])
def test_the_version_of_the_task_is_cut_to_what_says_whether_scores_compare(log: Path, version: Any, key: str):
    measurement = one(load(log, eval_bytes(header(eval__task_version=version), FOUR))).measurement
    assert measurement is not None
    assert measurement.task_version == key


def test_graders_and_hit_limits_are_noted(log: Path):
    head = header(eval__model_roles={"grader": {"model": "lab/judge"}}, eval__config={"message_limit": 30})
    measurement = one(load(log, eval_bytes(head, [*FOUR[:3], sample(4, "I", limit={"type": "message"})]))).measurement
    assert measurement is not None
    assert measurement.parameters["model_roles"] == {"grader": "lab/judge"}
    assert measurement.parameters["limits"] == {"message_limit": 30}
    assert measurement.parameters["limits_hit"] == {"message": 1}


def test_ids_are_stable_and_legal_whatever_a_scorer_is_called(log: Path):
    odd = [{**one, "scores": {"größe: a b": one["scores"]["match"]}} for one in FOUR]
    head = header(results__scores=[])
    first, second = one(load(log, eval_bytes(head, odd))).id, one(load(log, eval_bytes(head, odd))).id
    assert first == second
    assert first.startswith("inspect:EvalId:gr-e-a-b:mean:")
    unnamed = one(load(log, eval_bytes(header(eval__eval_id=None), FOUR)))
    assert unnamed.id == f"inspect:{digest_file(log)[7:19]}:match:mean"


# What is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "where", "says"),
    [
        (b"", "EVI002", "log.eval", "empty"),
        (b"PK\x03\x04 cut off", "EVI002", "log.eval", "not a complete zip archive"),
        (eval_bytes(header(), FOUR)[:-40], "EVI002", "log.eval", "not a complete zip archive"),
        (eval_bytes(None, FOUR), "EVI002", "log.eval", "no header.json"),
        (zip_bytes([("header.json", b'{"eval": 1', 8)]), "EVI002", "log.eval!header.json:1:10", "EOF"),
        (zip_bytes([("header.json", b'{"eval": 1}', 8)]), "EVI002", "log.eval!header.json:1:1", "eval:"),
        (eval_bytes(header(version=4), FOUR), "EVI002", "log.eval!header.json", "schema version 4"),
        (
            zip_bytes([("header.json", json.dumps(header()).encode(), 8), ("samples/1_epoch_1.json", b'{\n "id":', 8)]),
            "EVI002",
            "log.eval!samples/1_epoch_1.json:2:6",
            "EOF",
        ),
        (eval_bytes(header(), [{"id": 1, "epoch": "first"}]), "EVI002", "log.eval!samples/1_epoch_first.json:1:1", "epoch"),
        (eval_bytes(header(), [{**FOUR[0], "scores": {"m": 1}}]), "EVI002", "log.eval!samples/1_epoch_1.json:1:1", "scores.m"),
        (eval_bytes(header(), [sample(1), sample("1", epoch=1)]), None, "", ""),
        (
            zip_bytes([("header.json", json.dumps(header()).encode(), 8)]
                      + [(f"samples/{n}.json", json.dumps(FOUR[0]).encode(), 8) for n in "ab"]),
            "EVI002", "log.eval", "sample '1' occurs twice in epoch 1",
        ),
        (zip_bytes([("../header.json", b"{}", 8)]), "EVI007", "log.eval!../header.json", "out of the archive"),
        (zip_bytes([("/etc/header.json", b"{}", 8)]), "EVI007", "log.eval!/etc/header.json", "out of the archive"),
        (zip_bytes([("a\\..\\b", b"{}", 8)]), "EVI007", "log.eval!a\\..\\b", "out of the archive"),
        (zip_bytes([("header.json", b"{}", 12)]), "EVI002", "log.eval!header.json", "method 12"),
        (zip_bytes([("header.json", b"{}", 0)], flags=1), "EVI002", "log.eval!header.json", "encrypted"),
        (zip_bytes([("header.json", b" " * 999, 8)], claim_size=10), "EVI007", "log.eval!header.json", "beyond the 10"),
        (zip_bytes([("header.json", b" " * 999, 93)], claim_size=10), "EVI007", "log.eval!header.json", "beyond the 10"),
        (zip_bytes([("header.json", b"{}", 93)], claim_size=10), "EVI002", "log.eval!header.json", "differs"),
    ],
)  # fmt: skip
def test_malformed_and_unsafe_files_are_refused_with_their_place(
    log: Path, content: bytes, code: str | None, where: str, says: str
):
    if code is None:
        # The last of two members of one name counts, as in Inspect.
        assert one(load(log, content)).counts is not None
        return
    with pytest.raises(EvidenceError) as caught:
        load(log, content)
    problem = caught.value.problems[0]
    assert (problem.code, str(problem.where)) == (code, where)
    assert says in problem.message


def test_a_json_log_that_is_malformed_is_refused_with_the_line_of_the_sample(tmp_path: Path):
    text = json.dumps({**header(), "samples": FOUR}, indent=1).replace('"epoch": 1,\n   "input": "q"', '"epoch": x', 1)
    line = next(number for number, one in enumerate(text.splitlines(), start=1) if '"epoch": x' in one)
    with pytest.raises(EvidenceError) as caught:
        load(tmp_path / "log.json", text.encode())
    assert str(caught.value.problems[0].where) == f"log.json:{line}:13"


def big(members: int = 1, size: int = 1000) -> bytes:
    entries = [
        (f"samples/{n}_epoch_1.json", json.dumps(sample(n, input="x" * size)).encode(), 8) for n in range(members)
    ]
    return zip_bytes([*entries, ("header.json", json.dumps(header(members)).encode(), 8)])


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(members=3), "4 members"),
        (Limits(directory_bytes=100), "the directory"),
        (Limits(member_bytes=900), "the limit is 900"),
        (Limits(total_bytes=3000), "the limit is 3,000"),
        (Limits(ratio=5, ratio_free_bytes=500), "more than 5 times"),
    ],
)
def test_archives_that_expand_too_far_are_refused(log: Path, limits: Limits, says: str):
    log.write_bytes(big(3))
    source = ImportSource(log, digest_file(log))
    assert read_within(source, LIMITS).evidence.records
    with pytest.raises(EvidenceError) as caught:
        read_within(source, limits)
    assert {problem.code for problem in caught.value.problems} == {"EVI007"}
    assert says in caught.value.problems[0].message


def test_members_that_overlap_are_refused(log: Path):
    content = bytearray(zip_bytes([("header.json", b"{}", 0)]))
    at = content.index(b"PK\x01\x02")
    content[at + 20 : at + 28] = struct.pack("<II", 50_000, 50_000)
    with pytest.raises(EvidenceError, match="overlap") as caught:
        load(log, bytes(content))
    assert caught.value.problems[0].code == "EVI007"


def test_zstandard_in_several_frames_is_read_whole(log: Path):
    text = json.dumps(sample(1, input="word " * 3000)).encode()
    frames = b"".join(zstandard.ZstdCompressor().compress(text[at : at + 4000]) for at in range(0, len(text), 4000))
    whole = bytearray(
        zip_bytes([("samples/1_epoch_1.json", text, 93), ("header.json", json.dumps(header(1, 1.0)).encode(), 8)])
    )
    single = pack(text, 93)
    head = whole.index(single)
    content = whole.replace(single, frames)
    shift = len(frames) - len(single)
    for mark, size_at, offset_at in ((b"PK\x03\x04", 18, None), (b"PK\x01\x02", 20, None)):
        at = content.index(mark)
        assert offset_at is None
        content[at + size_at : at + size_at + 4] = struct.pack("<I", len(frames))
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    offset = struct.unpack("<I", content[second + 42 : second + 46])[0]
    content[second + 42 : second + 46] = struct.pack("<I", offset + shift)
    end = content.rindex(b"PK\x05\x06")
    start = struct.unpack("<I", content[end + 16 : end + 20])[0]
    content[end + 16 : end + 20] = struct.pack("<I", start + shift)
    assert head
    record = one(load(log, bytes(content)))
    assert record.measurement is not None
    assert record.measurement.value == 1.0


def outcome(path: Path, content: bytes) -> Import | set[str]:
    """What was imported, or the codes of what was refused."""
    try:
        return load(path, content)
    except EvidenceError as error:
        return {problem.code for problem in error.problems}


@settings(deadline=None)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_damage_is_refused_or_harmless_and_never_a_crash(tmp_path_factory: Any, place: int, noise: bytes):
    path = tmp_path_factory.getbasetemp() / "damaged.eval"
    content = bytearray(eval_bytes(header(), FOUR, 8))
    place %= len(content)
    content[place : place + len(noise)] = noise
    taken = outcome(path, bytes(content))
    if isinstance(taken, set):
        assert taken <= {"EVI002", "EVI007"}
        return
    # Only names, dates and padding may differ without a checksum noticing.
    for record in taken.evidence.records:
        assert record.measurement is not None
        assert record.measurement.value in (0.5, pytest.approx(2 / 3), pytest.approx(1 / 3))


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_in_place_of_a_sample_is_read_or_refused(tmp_path_factory: Any, data: Any):
    path = tmp_path_factory.getbasetemp() / "odd.eval"
    samples = [
        (
            "samples/1_epoch_1.json",
            json.dumps({"id": "1", "epoch": 1, "scores": {"match": {"value": data}}}).encode(),
            8,
        )
    ]
    content = zip_bytes([*samples, ("header.json", json.dumps(header(1)).encode(), 8)])
    taken = outcome(path, content)
    assert isinstance(taken, Import) or taken == {"EVI002"}


@settings(deadline=None)
@given(
    st.sampled_from(
        [
            "version", "status", "plan", "plan__steps", "plan__config", "results", "results__total_samples",
            "results__scores", "stats", "stats__started_at", "stats__completed_at", "stats__model_usage",
            "eval__eval_id", "eval__created", "eval__task_version", "eval__task_args", "eval__dataset",
            "eval__model_generate_config", "eval__model_roles", "eval__config", "eval__revision", "eval__packages",
            "eval__scorers", "eval__solver",
        ]
    ),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda part: st.lists(part, max_size=3)
        | st.dictionaries(
            st.sampled_from(["grader", "epochs", "limit", "token_limit", "num_choices", "reasoning_tokens", "samples",
                             "sample_ids", "name", "scorer", "metrics", "accuracy", "value", "solver", "params", "cluster"])
            , part, max_size=4),
        max_leaves=8,
    ),
)  # fmt: skip
def test_any_json_in_place_of_a_part_of_the_header_is_read_or_refused(tmp_path_factory: Any, key: str, data: Any):
    taken = outcome(tmp_path_factory.getbasetemp() / "head.eval", eval_bytes(header(**{key: data}), FOUR, 0))
    if isinstance(taken, set):
        assert taken == {"EVI002"}
        return
    for record in taken.evidence.records:
        assert record.digest
        assert record.result_day is None or record.result_day.year > 0


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(sample(1)).replace('"id": 1', '"id": 1' + "0" * 5000),
        json.dumps(sample(1)).replace('"C"', "1" + "0" * 5000),
        json.dumps(sample(1, limit={"type": "x"})).replace('"x"', "1" + "0" * 5000),
        json.dumps(sample(1)).replace('"id": 1', r'"id": "\ud800"'),
        json.dumps(sample(1, {f"key{n}": 1 for n in range(1001)})),
        "[" * 5000,
    ],
    ids=["huge id", "huge score", "huge limit", "half a character", "scores without end", "deep"],
)
def test_hostile_samples_are_read_or_refused(log: Path, text: str):
    content = zip_bytes(
        [("samples/1_epoch_1.json", text.encode(), 8), ("header.json", json.dumps(header(1)).encode(), 8)]
    )
    taken = outcome(log, content)
    assert isinstance(taken, Import) or taken == {"EVI002"}


@pytest.mark.parametrize(
    "key",
    ["eval__task_args", "eval__model_generate_config", "plan__steps", "eval__model_roles", "stats__model_usage"],
)
def test_numbers_of_thousands_of_digits_in_the_header_do_no_harm(log: Path, key: str):
    huge = {"grader": "HUGE", "num_choices": "HUGE", "reasoning_tokens": "HUGE", "seed": "HUGE"}
    steps = [{"solver": "react", "params": {"attempts": "HUGE"}}]
    usage = {"lab/model-1": huge}
    head = header(**{key: {"plan__steps": steps, "stats__model_usage": usage}.get(key, huge)})
    text = json.dumps(head).replace('"HUGE"', "1" + "0" * 4000)
    entries = [(f"samples/{n}.json", json.dumps(part).encode(), 8) for n, part in enumerate(FOUR)]
    record = one(load(log, zip_bytes([*entries, ("header.json", text.encode(), 8)])))
    assert record.digest
    assert record.measurement is not None
    assert record.measurement.value == 0.5


def test_a_figure_that_is_not_a_number_agrees_with_there_being_none(log: Path):
    record = one(load(log, eval_bytes(header(2, float("nan")), [sample(1, float("nan")), sample(2, float("nan"))])))
    assert record.measurement is not None
    assert (record.measurement.value, record.measurement.header_value) == (None, None)
    assert not [remark for remark in record.remarks if remark.code == "EVI004"]
    doubted = one(load(log, eval_bytes(header(2, float("nan")), FOUR[:2])))
    assert [remark.message for remark in doubted.remarks] == [
        "match: the header states accuracy no figure; the samples give 0.5"
    ]


@pytest.mark.parametrize(
    ("limits", "code"),
    [(Limits(json_bytes=100), "EVI003"), (Limits(member_bytes=200), "EVI003"), (Limits(members=3), "EVI003")],
)
def test_json_logs_that_are_too_large_are_refused(tmp_path: Path, limits: Limits, code: str):
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**header(), "samples": FOUR}), encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        read_within(ImportSource(path, digest_file(path)), limits)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_file_of_nothing_is_refused(tmp_path: Path):
    assert outcome(tmp_path / "log.json", b"") == {"EVI002"}


@pytest.mark.parametrize(
    ("directory_bytes", "expected"), [(None, None), (10**9, {"EVI007"}), ("no record", {"EVI002"})]
)
def test_the_long_form_of_the_directory_is_read(log: Path, directory_bytes: Any, expected: set[str] | None):
    """Archives beyond 4 GB state the size of their directory in a record of its own (APPNOTE 4.3.14)."""
    content = eval_bytes(header(), FOUR)
    end = content.rindex(b"PK\x05\x06")
    count, _, size, offset = struct.unpack("<HHII", content[end + 8 : end + 20])
    size = directory_bytes if isinstance(directory_bytes, int) else size
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 63, 63, 0, 0, count, count, size, offset)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    short = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    body = content[:end] + (b"" if directory_bytes == "no record" else record + locator)
    taken = outcome(log, body + short)
    assert taken == expected if expected else isinstance(taken, Import)


def test_reduced_scores_in_an_archive_speak_only_for_the_reducer_that_made_them(log: Path):
    rows = [{"sample_id": n, "value": value} for n, value in ((1, 0.25), (3, 0.75))]
    reductions = [
        {"scorer": "match", "reducer": "mean", "samples": rows},
        {"scorer": "match", "reducer": "max", "samples": [{**row, "value": 1.0} for row in rows]},
    ]
    head = epochs_header([stated(0.5, "mean"), stated(1.0, "max")], ["mean", "max"])
    record = one(load(log, eval_bytes(head, [], **{"summaries.json": [], "reductions.json": reductions})))
    assert record.measurement is not None
    assert record.counts is not None
    assert (record.measurement.value, record.counts.planned) == (0.5, 2)
    assert [remark.code for remark in record.remarks] == ["EVI011"]


# Recognition ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.eval", b"PK\x03\x04", True),
        ("a.zip", b"PK\x03\x04....._journal/start.json", True),
        ("a.xlsx", b"PK\x03\x04[Content_Types].xml", False),
        ("a.json", b'{"version":2,"status":"success","eval":{"run_id":"x"', True),
        ("a.json", b' {\n "eval" : {\n "task": "x"', True),
        ("a.json", b'{"schema_version": "0.3.0", "eval_library": {"name"', False),
        ("a.json", b'{"evalId": "x", "results": {', False),
        ("a.json", b"[]", False),
    ],
)
def test_recognition(name: str, head: bytes, expected: bool):
    assert recognises(Path(name), head) is expected


# Real logs, and inspect-ai as oracle ----------------------------------------------------------------------------

ORACLE = """
import json, sys
from inspect_ai.log import read_eval_log
from inspect_ai.scorer import value_to_float
number = value_to_float()
for path in sys.argv[1:]:
    found = {}
    for sample in read_eval_log(path).samples or ():
        for scorer, score in (sample.scores or {}).items():
            found.setdefault(scorer, {})[f"{sample.id}/{sample.epoch}"] = number(score.value)
    print(json.dumps(found))
"""


def oracle(paths: list[Path]) -> Iterator[dict[str, dict[str, float]]]:
    """Scores per scorer and sample as inspect-ai itself reads them, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", ORACLE, *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return (json.loads(line) for line in done.stdout.splitlines())


def real_logs(shared: Path) -> list[Path]:
    folder = shared / "data" / "evaluations"
    paths = [*(folder / "inspect").glob("*.eval"), *(folder / "inspect").glob("*.json")]
    return sorted([*paths, *(folder / "every_eval_ever" / "inspect").glob("*.json")])


@needs_inspect
def test_real_logs_have_the_scores_that_inspect_reads(shared: Path):
    paths = real_logs(shared)
    assert len(paths) >= 30
    # This one lacks keys that inspect-ai requires; it has no samples.
    paths = [path for path in paths if path.name != "data_with_llm_scoring.json"]
    compared = 0
    for path, scores in zip(paths, oracle(paths), strict=True):
        assert recognise(path) == "inspect"
        records = read(ImportSource(path, digest_file(path))).evidence.records
        for scorer, values in scores.items():
            record = next(record for record in records if f":{scorer}:" in record.id)
            assert record.measurement is not None
            assert record.counts is not None
            assert record.counts.scored == len(values)
            assert record.measurement.value == pytest.approx(sum(values.values()) / len(values))
            rows = [
                SampleRow(name.rsplit("/", 1)[0], int(name.rsplit("/", 1)[1]), scorer, value)
                for name, value in values.items()
            ]
            leaves = [canonical_row(row) for row in sorted(rows, key=lambda row: (row.id, row.epoch))]
            assert record.provenance.sample_root == merkle_root(leaves)
            compared += 1
    assert compared >= 25


def test_of_the_real_logs_only_the_trimmed_ones_disagree_with_their_headers(shared: Path):
    doubted, agreeing = set(), 0
    for path in real_logs(shared):
        for record in read(ImportSource(path, digest_file(path))).evidence.records:
            if any(remark.code == "EVI004" for remark in record.remarks):
                doubted.add(path.name)
            else:
                agreeing += 1
    assert doubted == {
        "data_cvebench_empty_choices.json",
        "data_cyse2_vuln_exploit_challenges.json",
        "data_intercode_ctf_local_path.json",
        "tests_log_test_eval_log_log_tool_call_error.json",
    }
    assert agreeing == 27


def test_a_real_log_whose_header_was_edited_is_found_out(shared: Path, tmp_path: Path):
    """0.63 becomes 0.10 in the header; inspect-ai reads it back without a word."""
    (original,) = (shared / "data/evaluations/inspect").glob("scout_*_popularity_*.eval")
    edited = tmp_path / "edited.eval"
    with zipfile.ZipFile(original) as old, zipfile.ZipFile(edited, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "header.json":
                tree = json.loads(data)
                assert tree["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 0.63
                tree["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.10
                data = json.dumps(tree).encode()
            new.writestr(name, data)
    record = one(read(ImportSource(edited, digest_file(edited))))
    assert record.measurement is not None
    assert (record.measurement.value, record.measurement.header_value) == (0.63, 0.1)
    assert [remark.message for remark in record.remarks] == [
        "match: the header states accuracy 0.1; the samples give 0.63"
    ]


RUN = """
import sys
from inspect_ai import Epochs, Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import accuracy, match, mean, scorer, Score, stderr
from inspect_ai.solver import chain_of_thought, generate, solver

folder = sys.argv[1]

def model(answers):
    def answer(input, tools, tool_choice, config):
        output = ModelOutput.from_content("mockllm/model", answers(input[-1].text))
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output
    return get_model("mockllm/model", custom_outputs=answer)

@solver
def fails():
    async def solve(state, generate):
        if state.sample_id >= 7:
            raise ValueError("boom")
        return state
    return solve

@scorer(metrics={"first": [accuracy(), stderr()], "second": [mean()]})
def two():
    async def score(state, target):
        return Score(value={"first": "C" if state.sample_id % 2 else "I", "second": state.sample_id / 10})
    return score

def samples(number):
    return [Sample(id=n, input=f"question {n}", target="yes") for n in range(number)]

seen = {}
def changing(text):
    seen[text] = seen.get(text, 0) + 1
    return "yes" if (hash(text[:12]) + len(text) + seen[text] * 7) % 3 else "no"

def six(text):
    return "yes" if int(text.split()[1]) < 6 else "no"

def run(name, task, answers, **options):
    (log,) = eval(task, model=model(answers), log_dir=f"{folder}/{name}", display="none", **options)
    print(name, log.status, file=sys.stderr)

run("errors", Task(dataset=samples(10), solver=[generate(), fails()], scorer=match()), six, fail_on_error=False)
run("scored", Task(dataset=samples(10), solver=[generate(), fails()], scorer=match()), six, fail_on_error=False,
    score_on_error=True)
reducers = ["mean", "median", "mode", "max", "at_least_2", "pass_at_2", "pass_k_2"]
run("epochs", Task(dataset=samples(9), solver=[chain_of_thought(), generate()], scorer=match(),
    epochs=Epochs(5, reducers), version="3-B"), changing)
run("mapping", Task(dataset=samples(5), solver=[generate()], scorer=two()), six, log_format="json")
run("failed", Task(dataset=samples(10), solver=[generate(), fails()], scorer=match()), six)
"""


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs that Inspect itself has just written, with its mock model."""
    folder = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    assert [line for line in done.stderr.splitlines() if line.endswith(("success", "error"))] == [
        "errors success", "scored success", "epochs success", "mapping success", "failed error",
    ]  # fmt: skip
    return folder


def fresh(folder: Path, name: str) -> Import:
    (path,) = [path for path in (folder / name).iterdir() if not path.name.startswith("evidence-")]
    return read(ImportSource(path, digest_file(path)))


@needs_inspect
@pytest.mark.parametrize(("name", "stated_value"), [("errors", 6 / 7), ("scored", 0.6)])
def test_a_fresh_run_with_errors(runs: Path, name: str, stated_value: float):
    record = one(fresh(runs, name))
    assert record.measurement is not None
    assert record.measurement.header_value == pytest.approx(stated_value)
    assert record.measurement.value == pytest.approx(6 / 7)
    assert (record.measurement.parameters["errors_as_zero"], record.measurement.worst_case) == (0.6, 0.9)
    assert record.remarks == ()


@needs_inspect
def test_a_fresh_run_with_epochs_agrees_with_inspect_under_every_reducer(runs: Path):
    taken = fresh(runs, "epochs")
    assert [record.id.rsplit(":", 1)[1] for record in taken.evidence.records] == [
        "mean", "median", "mode", "max", "at_least_2", "pass_at_2", "pass_k_2",
    ]  # fmt: skip
    for record in taken.evidence.records:
        assert record.measurement is not None
        assert record.measurement.header_value == pytest.approx(record.measurement.value)
        assert record.remarks == ()
        assert record.measurement.task_version == "3"
        assert "chain_of_thought" in record.elicitation.elements


@needs_inspect
def test_a_fresh_json_log_with_mappings(runs: Path):
    first, second = fresh(runs, "mapping").evidence.records
    assert first.measurement is not None
    assert second.measurement is not None
    assert (first.measurement.value, second.measurement.value) == (0.4, pytest.approx(0.2))
    assert (first.measurement.header_value, second.measurement.header_value) == (0.4, pytest.approx(0.2))


@needs_inspect
def test_a_fresh_run_that_failed_can_rule_nothing_out(runs: Path):
    taken = fresh(runs, "failed")
    assert "EVI008" in codes(taken)
    assert all(any(remark.blocks_rule_out for remark in record.remarks) for record in taken.evidence.records)


def test_a_large_log_is_read_in_little_memory(log: Path):
    """Of 2,000 samples with 40 kB of text each (80 MB), only numbers stay."""
    chance = random.Random(1)
    filler = "".join(chance.choices("abcdefgh ", k=2000)) * 20
    samples = [sample(n, "C" if n % 2 else "I", input=filler) for n in range(2000)]
    log.write_bytes(eval_bytes(header(2000), samples, 93))
    del samples
    source = ImportSource(log, digest_file(log))
    tracemalloc.start()
    record = one(read(source))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert record.counts is not None
    assert record.counts.scored == 2000
    assert peak < 8_000_000


@pytest.mark.parametrize(
    "samples",
    ["[null, X]", "[X, 3]", '[X, "x"]', "[X X]", "[X,, X]", "[, X]"],
)
def test_what_is_no_sample_in_the_list_of_samples_is_refused_with_its_place(tmp_path: Path, samples: str):
    written = samples.replace("X", json.dumps(sample(1)), 1).replace("X", json.dumps(sample(2)))
    text = json.dumps(header())[:-1] + f',\n"samples": {written}}}'
    with pytest.raises(EvidenceError) as caught:
        load(tmp_path / "log.json", text.encode())
    assert (caught.value.problems[0].code, caught.value.problems[0].where.line) == ("EVI002", 2)  # type: ignore[union-attr]


@pytest.mark.parametrize("second", ['"samples": []', '"\\u0073amples": []', '"status": "success"'])
def test_a_json_log_that_says_something_twice_is_refused(tmp_path: Path, second: str):
    text = json.dumps({**header(), "samples": FOUR})[:-1] + f", {second}}}"
    with pytest.raises(EvidenceError, match="occurs twice"):
        load(tmp_path / "log.json", text.encode())


def test_text_that_never_ends_is_refused_in_time(tmp_path: Path):
    """Each quote in it once began a search to the end of the file: 120 kB took half a minute, 2 MB two hours."""
    text = json.dumps(header())[:-1] + ', "error": "' + '\\"' * 1_000_000
    assert outcome(tmp_path / "log.json", text.encode()) == {"EVI002"}
    assert outcome(tmp_path / "log.json", text.encode() + b"\\") == {"EVI002"}


def test_a_huge_directory_behind_a_modest_end_record_is_refused_before_it_is_read(log: Path):
    """Where the locator of the long form stands, zipfile takes the long form, whatever the short one says."""
    content = eval_bytes(header(), FOUR)
    end = content.rindex(b"PK\x05\x06")
    count, _, size, offset = struct.unpack("<HHII", content[end + 8 : end + 20])
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 63, 63, 0, 0, count, count, size, offset)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    short = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, 10, offset, 0)
    log.write_bytes(content[:end] + record + locator + short)
    with pytest.raises(EvidenceError) as caught:
        read_within(ImportSource(log, digest_file(log)), replace(LIMITS, directory_bytes=size - 1))
    assert caught.value.problems[0].code == "EVI007"
    assert "directory" in caught.value.problems[0].message
