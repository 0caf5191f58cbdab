# SPDX-License-Identifier: Apache-2.0
"""Safety cases from YAML: one file and the modules that it includes, every node with its place.

A case has a generated module, which a template writes anew each time, and a hand-written file that includes it.
The hand-written file adds nodes of its own and extends generated ones by name, so that generating again never touches
what people wrote; if a node that they extended is gone, loading says so and where.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import yaml
from pydantic import Field

from tidegate.case.model import (
    EDGE,
    Aggregation,
    Confidence,
    MadeFrom,
    Node,
    NodeId,
    Period,
    Prose,
    SafetyCase,
    Template,
)
from tidegate.case.setting import Place
from tidegate.kernel.documents import Document, PathKey, did_you_mean, parse_document, read_bytes, validate_part
from tidegate.kernel.errors import CaseError, DocumentError, Problem, Where
from tidegate.kernel.record import Record
from tidegate.policy.model import Action

MAX_FILES = 50
"""A case of more files than this is refused: nobody could review it."""
MAX_NODES = 100_000
"""More nodes than this, over all files, are refused: every later step takes time with them."""
MAX_NAMES = 1_000
"""Beyond this many names no similar one is looked for: it would take time with each reference."""

Reader = Callable[[str], bytes]
"""Gives the content of a file by its path below the folder of the case, with ``/`` between its parts."""


class Extension(Record):
    """What a hand-written file adds to a node of another file. What the node says already it cannot change."""

    supported_by: tuple[NodeId, ...] = ()
    """Further nodes that support it."""
    in_context_of: tuple[NodeId, ...] = ()
    """Further context, assumptions and justifications."""
    undeveloped: bool | None = None
    """Whether its support is still missing. Left out, adding support says that it no longer is."""
    author: str | None = None
    """Who adds this; none means the author of the file."""
    aggregation: Aggregation | None = None
    """How its parts combine, if it does not say."""
    why: Prose | None = None
    """Why they suffice, if it does not say."""
    independence: Prose | None = None
    """Why they are independent, if it does not say."""
    confidence: Confidence | None = None
    """Its confidence, if it does not say."""
    falsifier: Prose | None = None
    """What would prove it wrong, if it does not say."""
    owner: str | None = None
    """Who answers for it, if it does not say."""
    review_on: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    """By when it is looked at again, if it does not say."""
    similarity: Prose | None = None
    """Why evidence about another model speaks for this one, if it does not say."""


class CaseFile(Record):
    """One file of a case. What it leaves out of the head of the case comes from the files that it includes."""

    schema_: Literal["tidegate/case/v1"] = Field(alias="schema")
    """Names this format."""
    id: NodeId | None = None
    """Names the case through all its versions."""
    title: Prose | None = None
    """Its title."""
    model: str | None = None
    """Model that it is about."""
    snapshot: str | None = None
    """Snapshot that it is about."""
    template: Template | None = None
    """Template that it was built from."""
    actions: tuple[Action, ...] | None = None
    """Deployment scope."""
    period: Period | None = None
    """For how long."""
    thresholds: tuple[str, ...] | None = None
    """Thresholds that it argues about."""
    author: str | None = None
    """Who wrote this file; nodes and extensions that name nobody are theirs."""
    made_from: MadeFrom | None = None
    """What it was generated from."""
    includes: tuple[str, ...] = ()
    """Files that belong to it, by their path from this file's folder."""
    nodes: tuple[Node, ...] = ()
    """Nodes."""
    extends: dict[str, Extension] = Field(default_factory=dict)
    """Node of another file -> what is added to it."""


@dataclass(frozen=True)
class LoadedCase:
    """A case, and where each of its nodes stands."""

    case: SafetyCase
    documents: tuple[Document, ...]
    """Its files, included ones first."""
    places: Mapping[Place, Where]
    """Where each node, and each part of it, stands."""

    def where(self, node_id: str, *path: str | int) -> Where:
        """Give the place of a node, or of a part of it (the file's first line if there is no such node)."""
        place: Place = (node_id, *path)
        while place:
            if place in self.places:
                return self.places[place]
            place = place[:-1]
        return self.documents[-1].where()


@dataclass(frozen=True)
class _Part:
    """One file, read."""

    file: CaseFile
    document: Document


def load_case(path: Path, *, name: str | None = None) -> LoadedCase:
    """Load a case from a file and the files that it includes, shown in messages under `name` if one is given.

    Raises:
        DocumentError: a file is not a well-formed part of a case.
        CaseError: CAS001, the case refers to something that does not exist, or to itself.
    """
    folder = path.parent
    shown = PurePosixPath(name).parent if name is not None else PurePosixPath(folder.as_posix())

    def read(inside: str) -> bytes:
        if inside == path.name:
            return read_bytes(path)
        found = folder / inside
        if not found.resolve().is_relative_to(folder.resolve()):
            raise DocumentError(Problem("DOC001", f"{inside} lies outside the folder of the case", Where(str(path))))
        return read_bytes(found)

    return _load(path.name, read, lambda inside: name if inside == path.name and name else str(shown / inside))


def load_case_text(text: str, file: str = "case.yaml", modules: Mapping[str, str] | None = None) -> LoadedCase:
    """Load a case from text, and the modules that it includes from texts by path. Raises as `load_case` does."""
    texts = {**(modules or {}), file: text}

    def read(inside: str) -> bytes:
        if inside not in texts:
            raise DocumentError(Problem("DOC001", "there is no such file", Where(inside), "check `includes`"))
        return texts[inside].encode()

    return _load(file, read, str)


def _load(file: str, read: Reader, shown: Callable[[str], str]) -> LoadedCase:
    parts = _Parts(read, shown)
    parts.add(file, ())
    return _merged(list(parts.read.values()), tuple(parts.read)[:-1])


class _Parts:
    """Reads a file and everything that it includes, each once, included files first."""

    def __init__(self, read: Reader, shown: Callable[[str], str]) -> None:
        self._read = read
        self._shown = shown
        self.read: dict[str, _Part] = {}
        self._pending: set[str] = set()

    def add(self, path: str, chain: tuple[str, ...]) -> None:
        """Read a file, unless it is read already. Recursion is bounded by MAX_FILES."""
        if path in self.read:
            return
        document = parse_document(self._read(path), self._shown(path))
        if not isinstance(document.data, dict):
            raise DocumentError(Problem("DOC009", "expected a mapping with the keys of a case", document.where()))
        file = validate_part(document, CaseFile)
        self._pending.add(path)
        for number, named in enumerate(file.includes):
            inside = _inside(path, named, document, number)
            where = document.where(("includes", number))
            if inside in (*chain, path):
                raise CaseError(Problem("CAS001", f"{named} includes this file again", where, "remove one of the two"))
            if len(self._pending) >= MAX_FILES and inside not in self._pending:
                raise DocumentError(Problem("DOC006", f"more than {MAX_FILES} files", where, "join some of them"))
            self._include(inside, (*chain, path), where)
        self.read[path] = _Part(file, document)

    def _include(self, inside: str, chain: tuple[str, ...], where: Where) -> None:
        try:
            self.add(inside, chain)
        except DocumentError as error:
            first = error.problems[0]
            if first.code == "DOC001":
                raise DocumentError(Problem("DOC001", f"{inside}: {first.message}", where, first.hint)) from None
            raise


def _inside(path: str, named: str, document: Document, number: int) -> str:
    """Give the path of an included file below the folder of the case."""
    found = PurePosixPath(named)
    if found.is_absolute() or ".." in found.parts or "\\" in named or ":" in named or not named.strip():
        where = document.where(("includes", number))
        raise DocumentError(
            Problem("DOC009", f"{named!r} is not a path below this folder", where, "keep modules beside the case")
        )
    return (PurePosixPath(path).parent / found).as_posix()


# --- merging ---------------------------------------------------------------------------------------------


def _merged(parts: list[_Part], includes: tuple[str, ...]) -> LoadedCase:
    places: dict[Place, Where] = {}
    nodes: dict[str, Node] = {}
    problems: list[Problem] = []
    for part in parts:
        problems += _take_nodes(part, nodes, places)
    for part in parts:
        problems += _extend(part, nodes, places)
    if problems:
        raise CaseError(*problems)
    dangling = list(_dangling(nodes, places))
    if dangling:
        raise CaseError(*dangling)
    top = parts[-1]
    head = _head([part.file for part in reversed(parts)], top.document)
    case = SafetyCase(**head, includes=includes, nodes=tuple(nodes.values()))
    return LoadedCase(case, tuple(part.document for part in parts), places)


def _take_nodes(part: _Part, nodes: dict[str, Node], places: dict[Place, Where]) -> Iterator[Problem]:
    document = part.document
    starts: dict[int, str] = {}
    for number, node in enumerate(part.file.nodes):
        where = document.where(("nodes", number))
        if node.id in nodes:
            first = places[(node.id,)]
            hint = "give it another id, or add to the other with `extends`"
            yield Problem("CAS001", f"the node {node.id} exists already, at {first}", where, hint)
            continue
        if len(nodes) >= MAX_NODES:
            raise DocumentError(Problem("DOC006", f"more than {MAX_NODES:,} nodes", where, "split the case"))
        starts[number] = node.id
        nodes[node.id] = node if node.author or not part.file.author else _with(node, author=part.file.author)
        places[(node.id,)] = where
    for path, (line, column) in document.positions.items():
        if len(path) > 2 and path[0] == "nodes" and isinstance(path[1], int) and path[1] in starts:
            places[(starts[path[1]], *path[2:])] = Where(document.file, line, column)


def _with(node: Node, **changes: Any) -> Node:
    """Give a copy of a node that computes its own content."""
    copy = node.model_copy(update=changes)
    copy.__dict__.pop("content", None)
    return copy


def _extend(part: _Part, nodes: dict[str, Node], places: dict[Place, Where]) -> Iterator[Problem]:
    for name, extension in part.file.extends.items():
        at: PathKey = ("extends", name)
        where = part.document.where(at)
        node = nodes.get(name)
        author = extension.author or part.file.author
        if node is None:
            message = f"`extends` names the node {name!r}, which does not exist"
            hint = did_you_mean(name, nodes) or "generating anew may have removed it: attach this elsewhere"
            yield Problem("CAS001", message, where, hint)
        elif author is None:
            raise DocumentError(Problem("DOC008", "'author' is missing", where, "say who extends the node"))
        else:
            _refuse_overwriting(node, extension, part.document, at)
            nodes[name] = _extended(node, extension, author)
            for field in ("supported_by", "in_context_of"):
                before = len(getattr(node, field))
                for number in range(len(getattr(extension, field))):
                    places[(name, field, before + number)] = part.document.where((*at, field, number))
            for field in _OWN:
                if getattr(extension, field) is not None:
                    places[(name, field)] = part.document.where((*at, field))


_OWN = ("aggregation", "why", "independence", "confidence", "falsifier", "owner", "review_on")
"""Fields that an extension may fill in."""


def _refuse_overwriting(node: Node, extension: Extension, document: Document, at: PathKey) -> None:
    said = [name for name in _OWN if getattr(extension, name) is not None and getattr(node, name) is not None]
    if extension.similarity is not None and (node.cited is None or node.cited.similarity is not None):
        said.append("similarity")
    if said:
        hint = "what a node says stands; add a defeater, or a node of your own"
        raise DocumentError(
            *(
                Problem(
                    "DOC009", f"{name}: an extension cannot set this of {node.id}", document.where((*at, name)), hint
                )
                for name in said
            )
        )


def _extended(node: Node, extension: Extension, author: str) -> Node:
    changes: dict[str, Any] = {
        "supported_by": (*node.supported_by, *extension.supported_by),
        "in_context_of": (*node.in_context_of, *extension.in_context_of),
        "extended_by": tuple(dict.fromkeys((*node.extended_by, author))),
        **{name: getattr(extension, name) for name in _OWN if getattr(extension, name) is not None},
    }
    if extension.undeveloped is not None:
        changes["undeveloped"] = extension.undeveloped
    elif extension.supported_by:
        changes["undeveloped"] = False
    if extension.similarity is not None and node.cited is not None:
        changes["cited"] = node.cited.model_copy(update={"similarity": extension.similarity})
    return Node.model_validate({**node.model_dump(), **_plain_parts(changes)})


def _plain_parts(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.model_dump() if isinstance(value, Record) else value for name, value in changes.items()}


def _dangling(nodes: Mapping[str, Node], places: Mapping[Place, Where]) -> Iterator[Problem]:
    """Give every reference to a node that does not exist, or of a node to itself."""
    for node in nodes.values():
        for field in ("supported_by", "in_context_of", "challenges", "monitors"):
            for number, target in enumerate(getattr(node, field)):
                where = places.get((node.id, field, number)) or places[(node.id,)]
                ends = [end for end in target.partition(EDGE) if end and end != EDGE]
                for missing in (end for end in ends if end not in nodes):
                    hint = did_you_mean(missing, nodes) if len(nodes) <= MAX_NAMES else None
                    yield Problem("CAS001", f"{node.id} names the node {missing!r}, which does not exist", where, hint)
                if node.id in ends:
                    yield Problem("CAS001", f"{node.id} names itself in `{field}`", where, "remove it")


def _head(files: list[CaseFile], document: Document) -> dict[str, Any]:
    """Give the head of the case: what the outermost file says, else what the files that it includes say."""
    head: dict[str, Any] = {}
    for name in ("id", "title", "model", "snapshot", "template", "actions", "period", "thresholds", "author"):
        head[name] = next((value for file in files if (value := getattr(file, name)) is not None), None)
    head["made_from"] = next((file.made_from for file in files if file.made_from is not None), None)
    missing = [name for name in ("id", "model") if head[name] is None]
    if missing:
        where = document.where()
        raise DocumentError(*(Problem("DOC008", f"{name!r} is missing", where, f"add {name!r}") for name in missing))
    strange = [file.model for file in files if file.model not in (None, head["model"])]
    if strange:
        message = f"one of its files is about {strange[0]}, the case about {head['model']}"
        raise CaseError(Problem("CAS001", message, document.where(("model",)), "include modules about one model only"))
    return {name: value for name, value in head.items() if value is not None}


# --- writing ---------------------------------------------------------------------------------------------


def case_text(case: SafetyCase, comment: str = "") -> str:
    """Give the YAML of a case or module: the same text for the same case, which loads to the same case."""
    data = case.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    ordered = {"schema": case.schema_, **{name: value for name, value in data.items() if name != "includes"}}
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    return lines + yaml.dump(ordered, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120)


def hand_written_text(case: SafetyCase, module: str, author: str) -> str:
    """Give the text of a file for people to write in, which includes the generated module."""
    gaps = [node.id for node in case.nodes if node.undeveloped]
    unowned = [node.id for node in case.nodes if node.kind == "assumption" and not node.owner]
    lines = [
        "# Written by people. Generating the module anew never changes this file.",
        "schema: tidegate/case/v1",
        f"id: {_quoted(case.id)}",
        f"model: {_quoted(case.model)}",
        f"author: {_quoted(author)}",
        f"includes: [{_quoted(module)}]",
        "# Your own claims, strategies, evidence, assumptions, defeaters and indicators.",
        "nodes: []",
        "# What you add to generated nodes, by their id: support, context, an owner, a confidence.",
        f"# Still undeveloped: {', '.join(gaps) or 'nothing'}.",
        f"# Assumptions without an owner: {', '.join(unowned) or 'none'}.",
        "extends: {}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Give text as a YAML scalar: JSON's strings are YAML's."""
    return yaml.dump(text, Dumper=_DUMPER, default_style='"', allow_unicode=True, width=10_000).strip()


_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
