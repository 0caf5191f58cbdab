# SPDX-License-Identifier: Apache-2.0
"""Frameworks from YAML: those that ship with Tidegate, and those of a project."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from tidegate.kernel.documents import Document, did_you_mean, parse_document, validate_part
from tidegate.kernel.errors import Problem, PublicationError, Where
from tidegate.policy.framework import Framework, FrameworkItem

PACK_SUFFIX = ".yaml"


def framework_names() -> tuple[str, ...]:
    """Give the ids of the frameworks that ship with Tidegate, sorted."""
    return tuple(sorted(shipped_frameworks()))


def shipped_frameworks() -> Mapping[str, Framework]:
    """Give every framework that ships with Tidegate, by id, each in its newest version."""
    return _newest(_shipped())


def find_framework(name: str, extra: Iterable[Framework] = ()) -> Framework:
    """Give a framework by ``id`` (its newest version) or ``id@version``; those of `extra` come before shipped ones.

    Raises:
        PublicationError: PUB002, there is no such framework or version.
    """
    known = (*extra, *_shipped())
    framework_id, at, version = name.partition("@")
    same = [one for one in known if one.id == framework_id]
    if not same:
        names = sorted({one.id for one in known})
        hint = did_you_mean(framework_id, names) or f"known: {', '.join(names)}"
        raise PublicationError(Problem("PUB002", f"there is no framework {framework_id!r}", None, hint))
    if not at:
        return _newest(same)[framework_id]
    found = next((one for one in same if one.version == version), None)
    if found is None:
        hint = f"versions: {', '.join(dict.fromkeys(one.version for one in same))}"
        raise PublicationError(Problem("PUB002", f"there is no version {version!r} of {framework_id}", None, hint))
    return found


def find_item(ref: str, frameworks: Mapping[str, Framework]) -> tuple[Framework, FrameworkItem | None]:
    """Give the framework and item that a reference such as ``sb53#12.c.1D`` names; no item for a whole framework.

    Raises:
        PublicationError: PUB002, there is no such framework or item.
    """
    framework_id, hash_sign, item_id = ref.partition("#")
    framework = frameworks.get(framework_id)
    if framework is None:
        hint = did_you_mean(framework_id, frameworks) or f"known: {', '.join(sorted(frameworks))}"
        raise PublicationError(Problem("PUB002", f"there is no framework {framework_id!r}", None, hint))
    if not hash_sign:
        return framework, None
    item = framework.item(item_id)
    if item is None:
        near = did_you_mean(item_id, [one.id for one in framework.items])
        raise PublicationError(Problem("PUB002", f"{framework.label} has no item {item_id!r}", None, near))
    return framework, item


def parse_framework(document: Document) -> Framework:
    """Give the framework that a document holds.

    Raises:
        DocumentError: DOC007 to DOC009, with line and column.
        PublicationError: PUB003 or PUB004, two items have one id, or a part names a parent or section that is not there.
    """
    framework = validate_part(document, Framework)
    problems = tuple(_inconsistencies(framework, document))
    if problems:
        raise PublicationError(*problems)
    return framework


def dangling_references(frameworks: Mapping[str, Framework]) -> tuple[str, ...]:
    """Give every reference from one item to another that names nothing, as ``from -> to``."""
    return tuple(
        f"{framework.id}#{item.id} -> {ref}"
        for framework in frameworks.values()
        for item in framework.items
        for ref in item.see
        if not _resolves(ref, frameworks)
    )


def _resolves(ref: str, frameworks: Mapping[str, Framework]) -> bool:
    framework_id, hash_sign, item_id = ref.partition("#")
    framework = frameworks.get(framework_id)
    return framework is not None and (not hash_sign or framework.item(item_id) is not None)


def _inconsistencies(framework: Framework, document: Document) -> Iterator[Problem]:
    ids = [item.id for item in framework.items]
    first: dict[str, int] = {}
    for number, item in enumerate(framework.items):
        if first.setdefault(item.id, number) != number:
            line = document.where(("items", first[item.id])).line
            where = document.where(("items", number, "id"))
            yield Problem("PUB003", f"the id {item.id!r} occurs twice", where, f"the first is on line {line}")
        if item.parent is not None and item.parent not in ids:
            yield _unknown("item", item.parent, ids, document.where(("items", number, "parent")))
        if item.section is not None and item.section not in framework.sections:
            where = document.where(("items", number, "section"))
            yield _unknown("section", item.section, framework.sections, where)


def _unknown(kind: str, name: str, known: Iterable[str], where: Where) -> Problem:
    return Problem("PUB004", f"there is no {kind} {name!r}", where, did_you_mean(name, known))


@lru_cache(maxsize=1)
def _shipped() -> tuple[Framework, ...]:
    # Packs are part of the installed program: what they hold does not change while it runs.
    folder = resources.files("tidegate.packs") / "frameworks"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(PACK_SUFFIX))
    return tuple(
        parse_framework(parse_document((folder / name).read_bytes(), f"packs/frameworks/{name}")) for name in names
    )


def _newest(frameworks: Iterable[Framework]) -> Mapping[str, Framework]:
    newest: dict[str, Framework] = {}
    for one in frameworks:
        before = newest.get(one.id)
        if before is None or _order(before.version) < _order(one.version):
            newest[one.id] = one
    return MappingProxyType(newest)


def _order(version: str) -> tuple[tuple[int, str], ...]:
    """Give what versions sort by: numbers by value, so that 10 comes after 9."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"[.\-_+]", version))
