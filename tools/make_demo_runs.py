# SPDX-License-Identifier: Apache-2.0
"""Makes the runs that the demo bundles: Inspect with a scripted stand-in for a model, offline.

Nothing here measures a real model. Four stand-ins answer sums of two three-digit numbers:
one mostly wrong, one mostly right, one that fails on some sums, and one whose log is edited afterwards.

    python tools/make_demo_runs.py src/tidegate/packs/demo/runs
"""

import json
import random
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zipfile_zstd  # noqa: F401 - teaches zipfile to read Zstandard members
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate

SUMS = 60


def task(seed: int) -> Task:
    rng = random.Random(seed)
    pairs = [(rng.randint(100, 999), rng.randint(100, 999)) for _ in range(SUMS)]
    samples = [Sample(id=f"sum-{n:02}", input=f"{a} + {b} =", target=str(a + b)) for n, (a, b) in enumerate(pairs)]
    return Task(dataset=MemoryDataset(samples), solver=generate(), scorer=match(), name="three_digit_sums", version=1)


def scripted(right_of: Callable[[int], bool], fails_on: frozenset[int] = frozenset()) -> Callable[..., ModelOutput]:
    def answer(messages: Any, *_: Any) -> ModelOutput:
        question = messages[-1].text
        a, b = (int(part) for part in question.removesuffix("=").split("+"))
        if (a + b) % 97 in fails_on:
            raise RuntimeError("the stand-in fails on purpose")
        total = a + b if right_of(a * 1000 + b) else a + b + 1
        output = ModelOutput.from_content("mockllm/stand-in", str(total))
        output.usage = ModelUsage(input_tokens=8, output_tokens=2, total_tokens=10)
        return output

    return answer


RUNS: dict[str, Callable[..., ModelOutput]] = {
    "mostly-wrong": scripted(lambda key: key % 40 == 0),
    "mostly-right": scripted(lambda key: key % 20 != 0),
    "edited-header": scripted(lambda key: key % 20 != 0),
    "fails-on-some": scripted(lambda key: key % 40 == 0, frozenset(range(0, 97, 4))),
}


def run(name: str, answer: Callable[..., ModelOutput], folder: Path) -> Path:
    model = get_model("mockllm/stand-in", custom_outputs=answer, memoize=False)
    with tempfile.TemporaryDirectory() as logs:
        log = eval(
            task(7), model=model, log_dir=logs, display="none", fail_on_error=False, max_samples=1, score=True,
            metadata={"stand_in": name, "note": "made by Tidegate with Inspect's mock model; no real model was measured"},
            log_format="eval", log_realtime=False,
        )[0]  # fmt: skip
        target = folder / f"stand-in-{name}.eval"
        rewrite(Path(log.location), target, 0.05 if name == "edited-header" else None)
    return target


def rewrite(source: Path, target: Path, accuracy: float | None) -> None:
    """Copy a log without the folders of the machine that made it.

    With an accuracy, its header is made to state that one, as anybody could without a trace.
    """
    folders = [
        str(Path(part).resolve()).encode() for part in (__file__, Path.cwd(), sys.prefix, sys.base_prefix, Path.home())
    ]
    folders.append(str(Path(__file__).resolve().parents[1]).encode())
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            for path in sorted(folders, key=len, reverse=True):
                content = content.replace(path, b"/demo") if len(path) > 1 else content
            if accuracy is not None and member.filename == "header.json":
                header = json.loads(content)
                header["results"]["scores"][0]["metrics"]["accuracy"]["value"] = accuracy
                content = json.dumps(header).encode()
            new.writestr(zipfile.ZipInfo(member.filename), content, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)


def main() -> int:
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name, answer in RUNS.items():
        run(name, answer, folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
