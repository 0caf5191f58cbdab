# SPDX-License-Identifier: Apache-2.0
"""The project's own files keep their promises: locks, changelog fragments, documentation."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock")
FRAGMENTS = sorted(path for path in (ROOT / "changelog.d").glob("*.md") if path.name != "README.md")
DOCUMENTS = sorted(path for path in [ROOT / "README.md", *ROOT.glob("[CS]*.md"), *(ROOT / "docs").rglob("*.md")])


def pins(lock: str) -> dict[str, set[str]]:
    """Give the versions that a lock pins, by package."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_fits_every_machine(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.findall(r"://|^ *-[if] |--(?:extra-)?index|--find-links|(?:^|[ =@])/[a-z]", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock):
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_both_locks_agree():
    small, large = pins(LOCKS[0]), pins(LOCKS[1])
    assert {name: found for name, found in small.items() if large.get(name) != found} == {}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        (LOCKS[0], [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]),
        (LOCKS[1], [one for extra in PROJECT["project"]["optional-dependencies"].values() for one in extra]),
    ],
)
def test_a_lock_holds_what_the_project_asks_for(lock, wanted):
    names = {re.split(r"[\[<>=~! ;]", one)[0].lower() for one in wanted}
    assert names - set(pins(lock)) == set(), "run make lock"


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_changelog_fragment_is_one_sentence(path):
    kinds = {one["directory"] for one in PROJECT["tool"]["towncrier"]["type"]}
    assert path.name.split(".")[-2] in kinds
    text = path.read_text(encoding="utf-8").strip()
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text.split()) <= 35
    assert not re.search(r"[.!?] [A-Z]", text), "more than one sentence"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_prose_has_one_sentence_per_line(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`|\([^()\n]*\)|\*\*[^*\n]+\*\*", "", text)
    abbreviations = r"(?<!e\.g)(?<!i\.e)(?<!cf)(?<!vs)(?<! al)(?<!No)(?<!\b[A-Z])(?<!\d)"
    crowded = [
        line
        for line in text.splitlines()
        if not line.lstrip().startswith(("|", "#")) and re.search(rf"{abbreviations}[.!?] [A-Z]", line)
    ]
    assert crowded == []
