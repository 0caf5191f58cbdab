# SPDX-License-Identifier: Apache-2.0
"""Documents: whatever is read gives plain data with positions, or problems with places."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field

from tidegate.kernel.documents import (
    MAX_DEPTH,
    MAX_NODES,
    did_you_mean,
    parse_document,
    read_document,
    validate_part,
)
from tidegate.kernel.errors import CODES, DocumentError, Problem, Where
from tidegate.kernel.record import Record

TOKENS = (
    "a;b: ;- ;\n;  ;&x ;*x;[;];{;};,;: ;';\";|;>;#;!;!!str ;%YAML 1.2\n;---\n;...\n;? ;<<: ;1;1e9;~;\t;\\;\\ud83d;\\ude00"
    ";\u00e9;\x00;\x85;\ud800"
)
YAML_LIKE = st.lists(st.sampled_from(TOKENS.split(";")), max_size=25).map("".join)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


def refused(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(DocumentError) as caught:
        parse_document(text, "f")
    return caught.value.problems


def assert_document_or_problems(source: str | bytes) -> None:
    try:
        document = parse_document(source, "f")
    except DocumentError as error:
        problems = error.problems
    else:
        json.dumps(document.data, allow_nan=False)
        return
    assert all(problem.code in CODES for problem in problems)
    assert all(problem.where is not None and problem.where.file == "f" for problem in problems)


@given(st.text() | YAML_LIKE)
@settings(max_examples=400)
@example("\ud800")
@example("1e999")
@example("&a [*a]")
@example("? [a]\n: b")
def test_any_text_gives_a_document_or_problems(text: str) -> None:
    assert_document_or_problems(text)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_document_or_problems(data: bytes) -> None:
    assert_document_or_problems(data)


@given(JSON, st.booleans())
def test_json_comes_back_as_it_was(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    allowed = all(ch in "\t\n\r\x85" or " " <= ch <= "~" or (ch >= "\xa0" and ch not in "\ufffe\uffff") for ch in text)
    if allowed:
        assert parse_document(text, "f").data == value
    else:
        # YAML forbids some characters that JSON allows unescaped; they are refused with their line, not changed.
        assert {problem.code for problem in refused(text)} == {"DOC004"}


def test_json_may_write_a_character_as_two_escapes() -> None:
    text = r'{"a": "\ud83c\udf0a", "b": "\\\ud83c\uDF0A", "c": "\\ud83c\\udf0a"}'
    found = parse_document(text, "f").data
    assert found == json.loads(text)
    assert found["b"] == "\\\U0001f30a"
    assert [problem.code for problem in refused(r"""{a: "\ud83c\udf0a", b: '\ud83c\udf0a'}""")] == ["DOC004"]
    assert [problem.code for problem in refused(r'["\ud83c"]')] == ["DOC004"]
    assert [problem.code for problem in refused(r'["\ud83c\udf0a", ' + "[" * 100_000)] == ["DOC004"]


@given(JSON)
def test_every_part_has_a_place(value: Any) -> None:
    document = parse_document(json.dumps(value, indent=1), "f")
    lines = json.dumps(value, indent=1).splitlines()

    def check(part: Any, path: tuple[str | int, ...]) -> None:
        assert path in document.positions
        line, column = document.positions[path]
        assert 1 <= line <= len(lines)
        if path and isinstance(path[-1], str):
            assert lines[line - 1][column - 1 :].startswith(json.dumps(path[-1]) + ":")
        members = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for key, member in members:
            check(member, (*path, key))

    check(value, ())


SCALARS: list[tuple[str, Any]] = [
    *((word, word) for word in ("no", "yes", "on", "off", "y", "n", "No", "YES", "nUll", "tRue")),
    *((word, word) for word in ("2025-05-14", "2025-05-14T10:00:00Z", "12:30:45", "1_000", "0x1F", "0o17", "1.2.3")),
    *((word, word) for word in (".inf", ".nan", "1e", "e5", "+", ".", "<<", "=", "\u0661")),
    *((word, True) for word in ("true", "True", "TRUE")),
    *((word, False) for word in ("false", "False", "FALSE")),
    *((word, None) for word in ("", "~", "null", "Null", "NULL")),
    ("0", 0),
    ("-17", -17),
    ("+17", 17),
    ("017", 17),
    ("1.5", 1.5),
    (".5", 0.5),
    ("1.", 1.0),
    ("1e3", 1000.0),
    ("-1.5E-3", -0.0015),
    ("'1'", "1"),
    ('"null"', "null"),
    ("! 1", "1"),
    ("!!str true", "true"),
    ("|\n  no\n", "no\n"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[repr(text) for text, _ in SCALARS])
def test_scalars_follow_the_core_schema(text: str, value: Any) -> None:
    found = parse_document(f"key: {text}", "f").data["key"]
    assert found == value
    assert type(found) is type(value)


PROBLEMS: list[tuple[str, str, str, str]] = [
    ("key twice", "a: 1\nb:\n  a: 1\n  a: 2\n", "DOC005", "f:4:3"),
    ("key twice, as text and number", "{1: a, '1': b}", "DOC005", "f:1:8"),
    ("key of null", "~: 1", "DOC009", "f:1:1"),
    ("key of true", "a:\n - true: 1", "DOC009", "f:2:4"),
    ("key of a list", "? [a]\n: b", "DOC009", "f:1:3"),
    ("two documents", "a: 1\n---\nb: 1\n", "DOC004", "f:2:1"),
    ("open list", "a: [1,\n", "DOC004", "f:2:1"),
    ("tab", "a:\n\t- b", "DOC004", "f:2:1"),
    ("unknown alias", "a: *b", "DOC004", "f:1:4"),
    ("alias within itself", "a: &b [*b]", "DOC004", "f:1:8"),
    ("control character", "a: b\n\u00e9\u00e9\u00e9\nc: \x01", "DOC004", "f:3"),
    ("python object", "a:\n  !!python/name:os.system x", "DOC010", "f:2:3"),
    ("own tag", "a: !secret x", "DOC010", "f:1:4"),
    ("tag of a mapping", "a: !!set {b}", "DOC010", "f:1:4"),
    ("binary", "a: !!binary aGk=", "DOC010", "f:1:4"),
    ("too large a number", "a: -1e999", "DOC009", "f:1:4"),
    ("too many digits", "a: " + "1" * 4001, "DOC009", "f:1:4"),
    ("surrogate", "a: 1\nb: \ud800", "DOC003", "f:2"),
]


@pytest.mark.parametrize(("text", "code", "place"), [case[1:] for case in PROBLEMS], ids=[case[0] for case in PROBLEMS])
def test_a_problem_has_its_code_and_place(text: str, code: str, place: str) -> None:
    assert [(problem.code, str(problem.where)) for problem in refused(text)] == [(code, place)]


def test_all_wrong_keys_are_shown_at_once() -> None:
    assert [problem.code for problem in refused("a: 1\na: 2\n~: 3\n? [x]\n: 4\n")] == ["DOC005", "DOC009", "DOC009"]


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ("{a: ", "}"), ("- ", "")])
def test_nesting_is_bounded(before: str, after: str) -> None:
    fits = before * (MAX_DEPTH - 1) + "x" + after * (MAX_DEPTH - 1)
    assert parse_document(fits, "f").data is not None
    assert {problem.code for problem in refused(before * 100_000)} == {"DOC006"}


def test_nesting_through_aliases_is_bounded() -> None:
    text = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" if n else "a0: &a0 [x]\n" for n in range(MAX_DEPTH + 1))
    assert [problem.code for problem in refused(text)] == ["DOC006"]


def test_a_bomb_of_aliases_is_refused_before_it_expands() -> None:
    for member in ("*a{0}", "k{1}: *a{0}"):
        opening, closing = ("{", "}") if ":" in member else ("[", "]")
        lines = ["a0: &a0 lol"]
        for level in range(1, 12):
            members = ", ".join(member.format(level - 1, number) for number in range(9))
            lines.append(f"a{level}: &a{level} {opening}{members}{closing}")
        assert [problem.code for problem in refused("\n".join(lines))] == ["DOC006"]


def test_many_values_are_bounded() -> None:
    assert len(parse_document("[" + "1," * 1000 + "]", "f").data) == 1000
    assert [problem.code for problem in refused("[" + "1," * (MAX_NODES + 1) + "]")] == ["DOC006"]


def test_aliases_give_equal_data_and_the_place_of_their_anchor() -> None:
    document = parse_document("a: &x\n  b: 1\nc: *x\n", "f")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.where(("c",)) == Where("f", 3, 1)
    assert document.where(("c", "b")) == Where("f", 2, 3)


def test_a_missing_part_has_the_place_of_its_parent() -> None:
    document = parse_document("a:\n  b: 1\n", "f")
    assert document.where(("a", "x", "y")) == Where("f", 1, 1)
    assert document.where(("a", "b", 3)) == Where("f", 2, 3)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_document(b"\xef\xbb\xbfa: 1", "f").data == {"a": 1}
    assert [problem.code for problem in refused("a: 1".encode("utf-16"))] == ["DOC003"]


def test_sizes_are_limited(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("a: 1\n")
    assert read_document(path, max_bytes=5).data == {"a": 1}
    with pytest.raises(DocumentError, match="DOC002"):
        read_document(path, max_bytes=4)
    with pytest.raises(DocumentError, match="DOC002"):
        parse_document("a: 1\n", "f", max_bytes=4)
    with pytest.raises(DocumentError, match="DOC001"):
        read_document(tmp_path)
    assert read_document(path, name="shown").file == "shown"


class Inner(Record):
    size: int
    share: float = 0


class Outer(Record):
    name: str
    inner: tuple[Inner, ...] = Field(default=(), min_length=1)
    either: int | bool | None = None


def problems_of(text: str) -> list[tuple[str, str, str | None]]:
    with pytest.raises(DocumentError) as caught:
        validate_part(parse_document(text, "f"), Outer)
    return [(problem.code, str(problem.where), problem.hint) for problem in caught.value.problems]


def test_records_are_made_with_every_problem_at_its_place() -> None:
    assert validate_part(parse_document("name: a\ninner: [{size: 1}]", "f"), Outer).inner == (Inner(size=1),)
    assert validate_part(parse_document("a:\n - {size: 2}", "f"), Inner, ("a", 0)).size == 2
    found = problems_of("nme: a\ninner:\n  - siz: 1\n  - {size: x}\n")
    assert found == [
        ("DOC008", "f:1:1", "add 'name'"),
        ("DOC008", "f:3:5", "add 'size'"),
        ("DOC007", "f:3:5", "did you mean 'size'?"),
        ("DOC009", "f:4:6", None),
        ("DOC007", "f:1:1", "did you mean 'name'?"),
    ]


def test_a_list_is_too_short_only_if_it_is() -> None:
    assert [code for code, _, _ in problems_of("name: a\ninner: []")] == ["DOC009"]
    assert problems_of("name: a\ninner: [{}]") == [("DOC008", "f:2:9", "add 'size'")]


def test_numbers_where_text_is_expected_are_explained() -> None:
    assert problems_of("name: 1\ninner: [{size: 1}]") == [("DOC009", "f:1:1", 'put it in quotes: "1"')]


def test_one_place_is_shown_once_per_problem() -> None:
    found = problems_of("name: a\ninner: [{size: 1}]\neither: [x]\n")
    assert found == [("DOC009", "f:3:1", None)] * 2, "one for each member of the union"


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("treshold", ["threshold", "standard"], "did you mean 'threshold'?"),
        ("CBRN", ["cbrn-3"], "did you mean 'cbrn-3'?"),
        ("zzz", ["threshold"], None),
        ("", [], None),
    ],
)
def test_near_names_are_suggested(word: str, known: list[str], hint: str | None) -> None:
    assert did_you_mean(word, known) == hint


def test_an_error_says_where_what_and_what_to_do() -> None:
    problem = Problem("DOC001", "it is gone", Where("f", 3, 4), "look elsewhere")
    assert str(problem) == "f:3:4: error DOC001: it is gone\n  hint: look elsewhere"
    assert problem.to_json() == {
        "code": "DOC001",
        "message": "it is gone",
        "where": {"file": "f", "line": 3, "column": 4},
        "hint": "look elsewhere",
        "severity": "error",
    }
