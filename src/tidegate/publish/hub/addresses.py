# SPDX-License-Identifier: Apache-2.0
"""Where everything stands on the site. Addresses are made from ids, so that a new title breaks no link."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from tidegate.kernel.canonical import digest_bytes
from tidegate.policy.framework import Framework, FrameworkItem
from tidegate.publish.content import Content
from tidegate.publish.coverage import Answering, FrameworkCoverage, ItemCoverage, coverage
from tidegate.publish.practices import Practice

MAX_PAGE_BYTES = 150_000
"""A page is at most so large, so that it opens at once on a slow line."""
PAGE_ROOM = 100_000
"""What the parts of one page take together, in bytes as they are estimated: the rest is for what all pages share."""
ITEM_BYTES, ANSWER_BYTES = 1_200, 550
"""What an item of a framework takes, and each answer to it."""
WORDS_SHOWN, RECORDS_SHOWN = 40, 5
"""Practices and answers, and bare records, that are shown for one item, so that none outgrows a page."""
LIST = "list"
"""Section of the tree that is the list of commitments, unless practices stand in it."""
RULES_PAGE = "duties.html"
"""Page of every duty and promise, rule by rule."""
RULES_EACH = 120
"""Rules on one page."""
TRUST_FILE = "trust.yaml"
"""Keys of the log and of people, for those who check a bundle."""
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}\Z")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|index)(\.|\Z)|.*-(evaluations|part-[0-9]+)\Z")
"""What some file systems keep for themselves, and what our own pages beside that of an id are called."""
T = TypeVar("T")


def slug(name: str) -> str:
    """Give a file name that stands for an id and for no other, on every file system.

    >>> slug("model-1"), slug("Model 1")
    ('model-1', 'model-1-381eae76')
    """
    if _PLAIN.match(name) and not name.endswith(".") and not _RESERVED.match(name):
        return name
    readable = re.sub(r"[^a-z0-9._-]+", "-", name.casefold())[:60].strip("-.") or "x"
    return f"{readable}-{digest_bytes(name.encode()).removeprefix('sha256:')[:8]}"


def anchor(kind: str, name: str) -> str:
    """Give the anchor of something on its page."""
    return f"{kind}-{slug(name)}"


def pieces(things: Sequence[T], each: int) -> list[Sequence[T]]:
    """Give things in runs of at most so many, one empty run if there are none."""
    return [things[start : start + each] for start in range(0, len(things), each)] or [()]


def packed(things: Iterable[T], size: Callable[[T], int], room: int = PAGE_ROOM) -> list[list[T]]:
    """Give things in runs that each fit a page, in their order; a thing larger than a page has one of its own.

    >>> packed([3, 4, 5, 1], lambda one: one, 8)
    [[3, 4], [5, 1]]
    """
    runs: list[list[T]] = [[]]
    left = room
    for one in things:
        taken = size(one)
        if taken > left and runs[-1]:
            runs.append([])
            left = room
        runs[-1].append(one)
        left -= taken
    return runs


def numbered(path: str, number: int) -> str:
    """Give the address of the n-th part of a page; the first keeps the plain one."""
    return path if number == 1 else f"{path.removesuffix('.html')}-part-{number}.html"


# --- pages ----------------------------------------------------------------------------------------------


def model_page(model: str) -> str:
    """Give the page of a model."""
    return f"models/{slug(model)}.html"


def evaluations_page(model: str) -> str:
    """Give the page of a model's evaluations."""
    return f"models/{slug(model)}-evaluations.html"


def record_page(evidence: str) -> str:
    """Give the page of an evidence record."""
    return f"records/{slug(evidence)}.html"


def decision_page(decision: str) -> str:
    """Give the page of a decision."""
    return f"decisions/{slug(decision)}.html"


def policy_page(version: str) -> str:
    """Give the page of a version of the policy."""
    return f"policy/{slug(version)}.html"


def framework_page(framework: str) -> str:
    """Give the page of a framework."""
    return f"commitments/{slug(framework)}.html"


def bundle_file(name: str) -> str:
    """Give where a bundle stands."""
    return f"bundles/{name}"


def proof_file(ref: str) -> str:
    """Give the file that holds the inclusion proof of a record."""
    return f"proofs/{slug(ref.replace(':', '-', 1))}.tlog-proof"


# --- the section tree --------------------------------------------------------------------------------------


def top_of(sections: Framework, section: str) -> str | None:
    """Give the top section that a section belongs to; none if the tree does not know it."""
    parents = {one.id: one.parent for one in sections.items}
    if section not in parents:
        return None
    seen: set[str] = set()
    while (parent := parents[section]) is not None and parent in parents and parent not in seen:
        seen.add(section)
        section = parent
    return section


def tops_of(content: Content) -> tuple[FrameworkItem, ...]:
    """Give the top sections, but for the one that the list of commitments stands for."""
    practices = placed(content)
    tops = (one for one in content.sections.items if one.parent is None)
    return tuple(one for one in tops if one.id != LIST or LIST in practices)


def placed(content: Content) -> dict[str, list[Practice]]:
    """Give the practices of each section, in the order of the publication."""
    found: dict[str, list[Practice]] = {}
    for one in content.publication.practices:
        found.setdefault(one.section, []).append(one)
    return found


def section_parts(content: Content) -> dict[str, list[list[tuple[str, Sequence[Practice]]]]]:
    """Give, for each top section, its pages: each a list of (section, practices) in the order of the tree."""
    practices = placed(content)
    found: dict[str, list[list[tuple[str, Sequence[Practice]]]]] = {}
    for top in (one.id for one in tops_of(content)):
        rows: list[tuple[str, Practice | None]] = []
        for name in _below(content.sections, top):
            rows += [(name, one) for one in practices.get(name, ())] or [(name, None)]
        pages = packed(rows, lambda row: practice_bytes(row[1]))
        found[top] = [
            [(name, [one for _, one in same if one]) for name, same in groupby(page, key=lambda row: row[0])]
            for page in pages
        ]
    return found


def practice_bytes(practice: Practice | None) -> int:
    """Give about how many bytes a practice takes on a page."""
    if practice is None:
        return 200
    said = sum(1.1 * len(one.text.encode()) + 500 + 120 * len(one.evidence) for one in practice.statements)
    return int(said) + 600 + 120 * (len(practice.evidence) + len(practice.models)) + 800 * len(practice.commitments)


def _below(sections: Framework, top: str) -> Iterator[str]:
    return (one.id for one in sections.items if top_of(sections, one.id) == top)


def section_page(top: str, number: int = 1) -> str:
    """Give a page of a top section."""
    return numbered(f"sections/{slug(top)}.html", number)


# --- everything by reference ----------------------------------------------------------------------------------


def addresses(content: Content, covered: Sequence[FrameworkCoverage] | None = None) -> Mapping[str, str]:
    """Give where the site shows each record, practice and section: reference -> address from the site's root.

    References are those that statements use, and ``section:<id>``, ``framework:<id or item>``.

    Args:
        content: what is published.
        covered: what answers each framework; found here if it is not given.
    """
    return dict(_all(content, coverage(content) if covered is None else covered))


def _all(content: Content, covered: Sequence[FrameworkCoverage]) -> Iterator[tuple[str, str]]:
    yield f"section:{LIST}", "commitments/index.html"
    for top, pages in section_parts(content).items():
        for number, page in enumerate(pages, 1):
            yield from _of_section(section_page(top, number), page)
    for model in content.models:
        name = model.model.id
        yield f"model:{name}", model_page(name)
        yield f"assessment:{name}", f"{model_page(name)}#thresholds"
        yield from (
            (f"report:{one.report}", f"{model_page(name)}#{anchor('report', one.report)}") for one, _ in model.reports
        )
        yield from ((f"case:{one.case}", f"{model_page(name)}#{anchor('case', one.case)}") for one in model.cases)
        yield from ((f"decision:{one.record.id}", decision_page(one.record.id)) for one in model.decisions)
    yield from ((f"evidence:{name}", record_page(name)) for name in content.evidence)
    for version in content.policies:
        yield f"policy:{version.policy.label}", policy_page(version.policy.version)
    yield "policy:adopted", policy_page(content.policy.version)
    yield from _of_duties(content)
    for framework in covered:
        yield from _of_framework(framework, content)
    if content.noncompliance is not None:
        yield f"noncompliance:{content.noncompliance.year}", "noncompliance.html"
    yield from ((f"incidents:{year}", "noncompliance.html#incidents") for year in content.incidents)


def _of_section(path: str, page: Iterable[tuple[str, Sequence[Practice]]]) -> Iterator[tuple[str, str]]:
    for section, practices in page:
        yield f"section:{section}", f"{path}#{anchor('section', section)}"
        for one in practices:
            yield f"practice:{one.id}", f"{path}#{anchor('practice', one.id)}"


def _of_framework(one: FrameworkCoverage, content: Content) -> Iterator[tuple[str, str]]:
    name = one.framework.id
    yield f"framework:{name}", framework_page(name)
    for number, run in enumerate(item_runs(one, content), 1):
        page = numbered(framework_page(name), number)
        yield from ((f"framework:{each.ref}", f"{page}#{anchor('item', each.item.id)}") for each in run)


def _of_duties(content: Content) -> Iterator[tuple[str, str]]:
    places = {
        name: f"{numbered(RULES_PAGE, number)}#{anchor('rule', name)}"
        for number, run in enumerate(rule_runs(content), 1)
        for name in run
    }
    for one in content.duties:
        yield f"rule:{one.rule.id}", places[one.rule.id]
        yield f"duty:{one.id}", places[one.rule.id]


def rule_runs(content: Content) -> list[Sequence[str]]:
    """Give the rules with duties, by id, in the runs that one page takes."""
    return pieces(sorted({one.rule.id for one in content.duties}), RULES_EACH)


def answers_shown(by: Sequence[Answering]) -> tuple[Answering, ...]:
    """Give the answers to an item that its page shows: what was written about it first, then bare records."""
    written = [one for one in by if one.kind != "record"]
    records = [one for one in by if one.kind == "record"]
    return (*written[:WORDS_SHOWN], *records[:RECORDS_SHOWN])


def item_runs(covered: FrameworkCoverage, content: Content) -> list[list[ItemCoverage]]:
    """Give the items of a framework in the runs that one page takes: the more answers, the fewer items."""
    said = {one.to: len((one.text or "").encode()) for one in content.publication.answers}

    def size(one: ItemCoverage) -> int:
        shown = answers_shown(one.by)
        texts = sum(said.get(each.id, 0) for each in shown if each.kind == "answer")
        return ITEM_BYTES + ANSWER_BYTES * len(shown) + int(1.1 * texts)

    return packed(covered.items, size)
