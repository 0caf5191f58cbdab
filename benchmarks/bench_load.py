# SPDX-License-Identifier: Apache-2.0
"""Loading and checking every pack after imports, cold and from the cache by content.

The peer is PyYAML's own safe loader in pure Python, which gives no positions and no checks.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from importlib import resources

import yaml

from tidegate.kernel.documents import parse_document
from tidegate.policy.load import load_pack, load_policy_text, pack_names

TARGET_MS = 150.0


def best_ms(action: Callable[[], object], times: int = 5) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        found.append((time.perf_counter() - start) * 1000)
    return min(found)


def uncached(source: bytes) -> object:
    """Load text that was never loaded before: a comment with the time makes it new."""
    return load_policy_text(source + f"\n# {time.perf_counter_ns()}\n".encode())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = {}
    for name in pack_names():
        source = (resources.files("tidegate.packs") / "policies" / f"{name}.yaml").read_bytes()
        load_pack(name)
        rows[name] = {
            "lines": source.count(b"\n"),
            "load_and_check_ms": round(best_ms(partial(uncached, source)), 2),
            "cached_ms": round(best_ms(partial(load_pack, name)), 2),
            "parse_with_positions_ms": round(best_ms(partial(parse_document, source, name)), 2),
            "pure_python_parse_ms": round(best_ms(partial(yaml.load, source, Loader=yaml.SafeLoader), 2), 2),
        }
    worst = max(row["load_and_check_ms"] for row in rows.values())
    if arguments.json:
        print(json.dumps({"packs": rows, "worst_ms": worst, "target_ms": TARGET_MS}))
    else:
        print("loading a pack, milliseconds: all checks, from the cache, parse alone, PyYAML's pure-Python parse")
        for name, row in rows.items():
            ratio = row["pure_python_parse_ms"] / row["load_and_check_ms"]
            print(
                f"  {name:<14}{row['lines']:>5} lines {row['load_and_check_ms']:>8} {row['cached_ms']:>7} "
                f"{row['parse_with_positions_ms']:>7} {row['pure_python_parse_ms']:>8}  ({ratio:.1f} times faster than the pure parse)"
            )
    return 0 if worst < TARGET_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
