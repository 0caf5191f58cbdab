# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON documents with positions: strict, bounded, all errors at once.

Parsing is libyaml's; the tree is built here from its events, iteratively and with limits,
so that neither nesting nor aliases can exhaust the machine.
Scalars follow the YAML 1.2 core schema: ``no`` and ``2025-05-14`` stay strings.
"""

import difflib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tidegate.kernel.errors import DocumentError, Problem, Where

MAX_BYTES = 5_000_000
"""A policy or evidence document larger than this is refused: people could not review it."""
MAX_DEPTH = 40
"""Deeper nesting than this occurs in no policy; it is refused."""
MAX_NODES = 500_000
"""Counted after aliases are expanded, so that a small file cannot grow without limit."""
MAX_INTEGER = 2**53 - 1
"""Beyond this a whole number has no exact canonical JSON form (RFC 8785), so that no digest could hold it."""

PathKey = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SURROGATE_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")
_PLAIN: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_PLAIN |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_TAGS = {"tag:yaml.org,2002:str", "!"}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """A parsed document: plain data, and where each part of it stands."""

    file: str
    data: Any
    positions: Mapping[PathKey, tuple[int, int]] = field(repr=False)
    """Path of a value (or, for a mapping's member, of its key) -> line and column, from 1."""
    origins: Mapping[PathKey, str] = field(default_factory=dict, repr=False)
    """Path -> file, for the parts of a merged document that come from another file than `file`."""

    def where(self, path: Iterable[str | int] = ()) -> Where:
        """Give the place of the value at `path`, or of its nearest parent."""
        key = tuple(path)
        while key and key not in self.positions:
            key = key[:-1]
        line, column = self.positions.get(key, (1, 1))
        return Where(self.origins.get(key, self.file), line, column)


class _Node:
    __slots__ = ("depth_below", "is_mapping", "items", "mark", "size", "value")

    def __init__(
        self, mark: Any, *, is_mapping: bool = False, items: list[Any] | None = None, value: Any = None
    ) -> None:
        self.mark = mark
        self.is_mapping = is_mapping
        self.items = items
        self.value = value
        self.size = 1
        self.depth_below = 0


def _refuse(code: str, message: str, file: str, mark: Any, hint: str | None = None) -> DocumentError:
    where = Where(file, mark.line + 1, mark.column + 1) if mark is not None else Where(file)
    return DocumentError(Problem(code, message, where, hint))


def _scalar(event: Any, file: str) -> Any:
    if event.tag is not None and event.tag not in _TAGS:
        raise _refuse("DOC010", f"the tag {event.tag!r} is not allowed", file, event.start_mark, "write plain data")
    text: str = event.value
    if event.tag is not None or not event.implicit[0]:
        return text
    if text in _PLAIN:
        return _PLAIN[text]
    if _INTEGER.match(text):
        if len(text) > 4000:
            raise _refuse("DOC009", "the number has too many digits", file, event.start_mark)
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        if math.isinf(number):
            raise _refuse("DOC009", "the number is too large", file, event.start_mark)
        return number
    return text


def _build(text: str, file: str, max_nodes: int) -> _Node | None:  # noqa: C901, PLR0912 - one case per kind of event
    """Build the tree from libyaml's events without recursion."""
    root: _Node | None = None
    stack: list[_Node] = []
    anchors: dict[str, _Node] = {}
    event: Any
    for event in yaml.parse(text, Loader=_LOADER):
        kind = type(event)
        node: _Node | None = None
        if kind is yaml.ScalarEvent:
            node = _Node(event.start_mark, value=_scalar(event, file))
        elif kind is yaml.AliasEvent:
            if event.anchor not in anchors:
                raise _refuse("DOC004", f"the alias *{event.anchor} has no anchor", file, event.start_mark)
            node = anchors[event.anchor]
        elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            if event.tag is not None and event.tag != "!":
                raise _refuse("DOC010", f"the tag {event.tag!r} is not allowed", file, event.start_mark)
            stack.append(_Node(event.start_mark, is_mapping=kind is yaml.MappingStartEvent, items=[]))
            if event.anchor:
                stack[-1].value = event.anchor
            if len(stack) > MAX_DEPTH:
                raise _refuse("DOC006", f"nested deeper than {MAX_DEPTH} levels", file, event.start_mark)
            continue
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            node = stack.pop()
            if isinstance(node.value, str):
                anchors[node.value] = node
        elif kind is yaml.DocumentStartEvent and root is not None:
            raise _refuse("DOC004", "a second document begins here", file, event.start_mark, "keep one per file")
        if node is None:
            continue
        if kind is yaml.ScalarEvent and event.anchor:
            anchors[event.anchor] = node
        if not stack:
            root = node
            continue
        parent = stack[-1]
        assert parent.items is not None
        parent.items.append(node)
        parent.size += node.size
        parent.depth_below = max(parent.depth_below, node.depth_below + 1)
        if parent.size > max_nodes or len(stack) + node.depth_below > MAX_DEPTH:
            raise _refuse(
                "DOC006",
                f"expands beyond {max_nodes:,} values or {MAX_DEPTH} levels",
                file,
                event.start_mark,
                "split the file, and use fewer aliases",
            )
    return root


def _tree(text: str, file: str, max_nodes: int) -> _Node | None:
    """Build the tree, also of JSON whose escapes libyaml does not know."""
    try:
        return _build(text, file, max_nodes)
    except yaml.MarkedYAMLError as error:
        if "escape code" not in str(error.problem) or not _is_json(text):
            raise
    # JSON writes a character beyond U+FFFF as two escapes, YAML as one. In JSON every string is in double quotes,
    # so that joining the pairs changes no value.
    return _build(_SURROGATE_PAIR.sub(_joined, text), file, max_nodes)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair.group(2), 16), int(pair.group(3), 16)
    return f"{pair.group(1)}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


def _construct(
    node: _Node, path: PathKey, positions: dict[PathKey, tuple[int, int]], problems: list[Problem], file: str
) -> Any:
    # Recursion is bounded by MAX_DEPTH.
    positions.setdefault(path, (node.mark.line + 1, node.mark.column + 1))
    if node.items is None:
        return node.value
    if not node.is_mapping:
        return [_construct(item, (*path, i), positions, problems, file) for i, item in enumerate(node.items)]
    mapping: dict[str, Any] = {}
    pairs = iter(node.items)
    for key_node in pairs:
        value_node = next(pairs)
        where = Where(file, key_node.mark.line + 1, key_node.mark.column + 1)
        key = key_node.value
        if key_node.items is not None or not isinstance(key, str):
            if key_node.items is not None or key is None or isinstance(key, bool):
                problems.append(Problem("DOC009", "a key must be text", where, "put the key in quotes"))
                continue
            key = str(key)
        if key in mapping:
            first = positions[(*path, key)][0]
            problems.append(
                Problem("DOC005", f"the key {key!r} occurs twice (first on line {first})", where, "keep one of them")
            )
            continue
        positions[(*path, key)] = (where.line or 1, where.column or 1)
        mapping[key] = _construct(value_node, (*path, key), positions, problems, file)
    return mapping


def parse_document(
    source: str | bytes, file: str, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES
) -> Document:
    """Parse YAML 1.2 (or JSON, its subset) into plain data with positions.

    Args:
        source: the text, or its UTF-8 bytes.
        file: the name to show in errors.
        max_bytes: the size limit.
        max_nodes: how many values it may hold.

    Raises:
        DocumentError: DOC002 to DOC006 or DOC010, with line and column.
    """
    # A lone surrogate survives as bytes that are not UTF-8, and is refused below with its line.
    raw = source.encode(errors="surrogatepass") if isinstance(source, str) else source
    if len(raw) > max_bytes:
        raise DocumentError(
            Problem("DOC002", f"{len(raw):,} bytes; the limit is {max_bytes:,}", Where(file), "split the file")
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DocumentError(Problem("DOC003", "not UTF-8 text", Where(file, line), "save the file as UTF-8")) from None
    try:
        root = _tree(text, file, max_nodes)
    except yaml.reader.ReaderError as error:
        line = text[: int(error.position)].count("\n") + 1
        raise DocumentError(
            Problem("DOC004", f"a character is not allowed: {error.reason}", Where(file, line))
        ) from None
    except yaml.MarkedYAMLError as error:
        message = " ".join(part for part in (error.context, error.problem) if part)
        raise _refuse("DOC004", message, file, error.problem_mark or error.context_mark) from None
    positions: dict[PathKey, tuple[int, int]] = {}
    problems: list[Problem] = []
    data = None if root is None else _construct(root, (), positions, problems, file)
    if problems:
        raise DocumentError(*problems)
    return Document(file, data, positions)


def read_bytes(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a file of at most `max_bytes`.

    Raises:
        DocumentError: DOC001 or DOC002.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise DocumentError(
            Problem("DOC001", error.strerror or str(error), Where(str(path)), "check the name and its permissions")
        ) from None
    if len(data) > max_bytes:
        raise DocumentError(
            Problem("DOC002", f"larger than the limit of {max_bytes:,} bytes", Where(str(path)), "split the file")
        )
    return data


def read_document(path: Path, *, name: str | None = None, max_bytes: int = MAX_BYTES) -> Document:
    """Read and parse a YAML or JSON file.

    Raises:
        DocumentError: it cannot be read or parsed.
    """
    return parse_document(read_bytes(path, max_bytes=max_bytes), name or str(path), max_bytes=max_bytes)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Give the known name nearest to `word`, as a question, if any is near."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[near[0]]!r}?" if near else None


def _resolve(data: Any, location: tuple[str | int, ...]) -> PathKey:
    """Drop the parts of a pydantic location that are not in the data (names of union members)."""
    path: list[str | int] = []
    for part in location:
        if isinstance(data, dict) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _known_fields(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """List the field names of the record at `location`, following annotations."""
    found: list[type[BaseModel]] = [model]
    for part in location:
        following: list[type[BaseModel]] = []
        for candidate in found:
            names = {info.alias or name: info for name, info in candidate.model_fields.items()}
            if isinstance(part, str) and part in names:
                following += _models_in(names[part].annotation)
        found = following or found
    return sorted({info.alias or name for candidate in found for name, info in candidate.model_fields.items()})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = getattr(annotation, "__args__", ()) or getattr(getattr(annotation, "__value__", None), "__args__", ())
    return [model for argument in arguments for model in _models_in(argument)]


_EXPECTED = {
    "string_type": "expected text",
    "date_type": "expected a date such as 2025-05-14",
    "date_from_datetime_parsing": "expected a date such as 2025-05-14",
    "float_type": "expected a number",
    "int_type": "expected a whole number",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
}


def _problem(document: Document, model: type[BaseModel], error: ErrorDetails, base: PathKey) -> Problem:
    location = tuple(error["loc"])
    path = base + _resolve(_at(document.data, base), location)
    where = document.where(path)
    kind = error["type"]
    # A place in a list has no name of its own: the list does, and the position shows which.
    names = [part for part in location if isinstance(part, str)]
    name = names[-1] if names else "the document"
    if kind == "extra_forbidden":
        known = _known_fields(model, location[:-1])
        nearest = did_you_mean(name, known) or f"known here: {', '.join(known)}"
        return Problem("DOC007", f"unknown key {name!r}", where, nearest)
    if kind == "missing":
        return Problem("DOC008", f"{name!r} is missing", where, f"add {name!r}")
    value = error.get("input")
    shown = repr(value) if isinstance(value, str | int | float | bool) else None
    message = _EXPECTED.get(kind) or error["msg"].removeprefix("Value error, ")
    hint: str | None = None
    if kind == "string_type" and isinstance(value, int | float):
        hint = f'put it in quotes: "{value}"'
    if kind == "literal_error":
        message = f"expected {error['ctx']['expected']}"
        allowed = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        hint = did_you_mean(str(value), allowed)
    return Problem("DOC009", f"{name}: {message}" + (f", not {shown}" if shown else ""), where, hint)


def _is_echo(data: Any, error: ErrorDetails) -> bool:
    """Tell whether a list only counts as too short because its members were refused."""
    if error["type"] != "too_short":
        return False
    given = _at(data, _resolve(data, tuple(error["loc"])))
    return isinstance(given, list) and len(given) >= error["ctx"]["min_length"]


def _at(data: Any, path: PathKey) -> Any:
    for part in path:
        data = data[part]
    return data


def _large_numbers(data: Any, path: PathKey) -> Iterator[PathKey]:
    """Give where the whole numbers stand that no record can hold. Nesting is bounded by MAX_DEPTH."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _large_numbers(value, (*path, name))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _large_numbers(value, (*path, number))
    elif isinstance(data, int) and abs(data) > MAX_INTEGER:
        yield path


def _too_large(document: Document, path: PathKey) -> Problem:
    message = "the whole number is larger than a record can hold exactly"
    return Problem("DOC009", message, document.where(path), "if it is a name, put it in quotes")


def validate_part(document: Document, model: type[Model], base: PathKey = ()) -> Model:
    """Make a record from the part of a document at `base`.

    Raises:
        DocumentError: DOC007 to DOC009, every problem with its line and column.
    """
    data = _at(document.data, base)
    beyond = [_too_large(document, path) for path in _large_numbers(data, base)]
    if beyond:
        raise DocumentError(*beyond)
    try:
        return model.model_validate(data if data is not None else {})
    except ValidationError as error:
        # A union reports one error per member; the same place is shown once per code and message.
        found = [item for item in error.errors(include_url=False) if not _is_echo(data, item)]
        problems = dict.fromkeys(_problem(document, model, item, base) for item in found)
        raise DocumentError(*problems) from None
