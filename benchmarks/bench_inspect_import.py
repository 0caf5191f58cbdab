# SPDX-License-Identifier: Apache-2.0
"""Imports an Inspect log of 5,000 samples, beside inspect-ai's own full read of it.

The log is made from one real run of 20 samples with the mock model: its sample files are cloned under new
ids, into the format that Inspect writes, so that making it takes seconds. Each reader runs in a process of
its own; imports are not counted, neither in time nor in memory.

    python benchmarks/bench_inspect_import.py [--samples N] [--json]
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

FASTER = 8.0
"""At least so many times faster than inspect-ai."""
SMALLER = 10.0
"""At least so many times less memory than inspect-ai."""
RUNS = 3


def peak_mb() -> float:
    """Give the highest resident memory of this process so far."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the peak of memory is not known here")


def make_real_log(folder: Path) -> Path:
    """Run Inspect with its mock model on 20 samples."""
    from inspect_ai import Task, eval  # noqa: A004, PLC0415
    from inspect_ai.dataset import Sample  # noqa: PLC0415
    from inspect_ai.model import ModelOutput, ModelUsage, get_model  # noqa: PLC0415
    from inspect_ai.scorer import match  # noqa: PLC0415
    from inspect_ai.solver import generate, system_message  # noqa: PLC0415

    chance = random.Random(7)

    def answer(*_: Any) -> ModelOutput:
        text = f"{chance.choice(('yes', 'no'))} {'because it follows from the premises ' * 40}"
        output = ModelOutput.from_content("mockllm/model", text)
        # Without usage Inspect counts tokens, and fetches a tokenizer for it.
        output.usage = ModelUsage(input_tokens=300, output_tokens=200, total_tokens=500)
        return output

    samples = [Sample(id=n, input=f"Question {n}. {'Consider the premises. ' * 40}", target="yes") for n in range(20)]
    task = Task(dataset=samples, solver=[system_message("Answer yes or no."), generate()], scorer=match("begin"))
    model = get_model("mockllm/model", custom_outputs=answer)
    (log,) = eval(task, model=model, log_dir=str(folder), display="none")
    assert log.status == "success", log.error
    return Path(log.location)


def clone(real: Path, target: Path, samples: int) -> None:
    """Write a log of many samples, each a copy of a real one under a new id."""
    import zipfile_zstd  # noqa: F401, PLC0415

    with zipfile.ZipFile(real) as archive:
        members = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    originals = [data for name, data in members.items() if name.startswith("samples/")]
    summaries = {row["id"]: row for row in members["summaries.json"]}
    reductions = {row["sample_id"]: row for row in members["reductions.json"][0]["samples"]}
    picked = [originals[n % len(originals)] for n in range(samples)]
    members["reductions.json"][0]["samples"] = [
        reductions[sample["id"]] | {"sample_id": n} for n, sample in enumerate(picked)
    ]
    members["summaries.json"] = [summaries[sample["id"]] | {"id": n} for n, sample in enumerate(picked)]
    values = [1.0 if sample["scores"]["match"]["value"] == "C" else 0.0 for sample in picked]
    _restate(members, samples, values)
    with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_ZSTANDARD) as archive:  # type: ignore[attr-defined]
        archive.writestr("_journal/start.json", json.dumps(members["_journal/start.json"]))
        for number, sample in enumerate(picked):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample | {"id": number}))
        for name in ("summaries.json", "reductions.json", "header.json"):
            archive.writestr(name, json.dumps(members[name]))


def _restate(members: dict[str, Any], samples: int, values: list[float]) -> None:
    for name in ("header.json", "_journal/start.json"):
        members[name]["eval"]["dataset"] |= {"samples": samples, "sample_ids": list(range(samples))}
    results = members["header.json"]["results"]
    results |= {"total_samples": samples, "completed_samples": samples}
    results["scores"][0] |= {"scored_samples": samples}
    results["scores"][0]["metrics"]["accuracy"]["value"] = statistics.mean(values)


def read_with_tidegate(path: Path) -> dict[str, float]:
    """Measure the import, digest of the file included."""
    from tidegate.evidence.formats import digest_file  # noqa: PLC0415
    from tidegate.evidence.importing import ImportSource  # noqa: PLC0415
    from tidegate.evidence.inspect_log import read  # noqa: PLC0415

    before, start = peak_mb(), time.perf_counter()
    (record,) = read(ImportSource(path, digest_file(path))).evidence.records
    seconds = time.perf_counter() - start
    assert record.measurement is not None
    assert record.measurement.value is not None
    return {"seconds": seconds, "memory_mb": peak_mb() - before, "peak_mb": peak_mb(), "mean": record.measurement.value}


def read_with_inspect(path: Path) -> dict[str, float]:
    """Measure inspect-ai's full read, and take the mean over its samples."""
    from inspect_ai.log import read_eval_log  # noqa: PLC0415
    from inspect_ai.scorer import value_to_float  # noqa: PLC0415

    before, start = peak_mb(), time.perf_counter()
    log = read_eval_log(str(path))
    seconds = time.perf_counter() - start
    number = value_to_float()
    mean = statistics.mean(number(sample.scores["match"].value) for sample in log.samples or () if sample.scores)
    return {"seconds": seconds, "memory_mb": peak_mb() - before, "peak_mb": peak_mb(), "mean": mean}


READERS = {"tidegate": read_with_tidegate, "inspect-ai": read_with_inspect}


def measure(reader: str, path: Path, runs: int) -> dict[str, float]:
    """Run a reader several times, each in a new process; give the fastest time and the median memory."""
    command = [sys.executable, __file__, "--reader", reader, str(path)]
    found = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(runs)]
    best = min(found, key=lambda result: result["seconds"])
    return best | {"memory_mb": statistics.median(result["memory_mb"] for result in found)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--reader", choices=[*READERS, "make"], help=argparse.SUPPRESS)
    parser.add_argument("path", type=Path, nargs="?", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reader == "make":
        make_real_log(options.path)
        return 0
    if options.reader:
        print(json.dumps(READERS[options.reader](options.path)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cloned.eval"
        # In a process of its own, because Inspect greets on standard output, which is for the result.
        command = [sys.executable, __file__, "--reader", "make", f"{folder}/real"]
        subprocess.run(command, check=True, capture_output=True)
        (real,) = Path(folder, "real").glob("*.eval")
        clone(real, path, options.samples)
        size = path.stat().st_size / 1e6
        ours, theirs = measure("tidegate", path, RUNS), measure("inspect-ai", path, 1)
    faster, smaller = theirs["seconds"] / ours["seconds"], theirs["memory_mb"] / max(0.1, ours["memory_mb"])
    assert abs(ours["mean"] - theirs["mean"]) < 1e-12, (ours["mean"], theirs["mean"])
    held = faster >= FASTER and smaller >= SMALLER
    result = {"samples": options.samples, "tidegate": ours, "inspect-ai": theirs}
    result |= {"times_faster": faster, "times_less_memory": smaller, "held": held}
    print(json.dumps(result, indent=2) if options.json else table(result, size))
    return 0 if held else 1


def table(result: dict[str, Any], size: float) -> str:
    """Give the result for people."""
    lines = [f"{result['samples']:,} samples, {size:.1f} MB .eval (Zstandard)", ""]
    lines.append(f"{'reader':<12}{'seconds':>10}{'memory MB':>12}{'mean score':>12}")
    for reader in READERS:
        found = result[reader]
        lines.append(f"{reader:<12}{found['seconds']:>10.2f}{found['memory_mb']:>12.1f}{found['mean']:>12.4f}")
    lines += ["", f"{result['times_faster']:.1f} times faster (at least {FASTER:g})"]
    lines += [f"{result['times_less_memory']:.1f} times less memory (at least {SMALLER:g})"]
    return "\n".join([*lines, "held" if result["held"] else "NOT held"])


if __name__ == "__main__":
    sys.exit(main())
