# SPDX-License-Identifier: Apache-2.0
"""Canonical bytes, digests and the Merkle tree, each against an independent statement of the same."""

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.kernel.canonical import canonical_bytes, digest, digest_bytes, merkle_root, plain
from tidegate.kernel.record import Record

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


class Part(Record):
    name: str
    size: int = 0


class Whole(Record):
    parts: tuple[Part, ...] = ()
    note: str | None = None


def test_the_example_of_the_standard_has_its_bytes() -> None:
    # RFC 8785, section 3.2.2 and 3.2.4.
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert canonical_bytes(value) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@given(VALUES)
def test_without_fractions_canonical_bytes_are_sorted_compact_json(value: Any) -> None:
    def sort(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: sort(part[key]) for key in sorted(part, key=lambda name: name.encode("utf-16-be"))}
        return [sort(item) for item in part] if isinstance(part, list) else part

    expected = json.dumps(sort(value), ensure_ascii=False, separators=(",", ":"))
    assert canonical_bytes(value).decode() == expected


@given(st.dictionaries(TEXTS, VALUES, min_size=2, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@given(VALUES, VALUES)
def test_different_values_have_different_digests(first: Any, second: Any) -> None:
    assert (digest(first) == digest(second)) == (
        json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    )


def test_a_digest_names_its_algorithm_and_stays_the_same() -> None:
    assert digest({"a": [1, "x"], "b": None}) == "sha256:" + hashlib.sha256(b'{"a":[1,"x"],"b":null}').hexdigest()
    assert digest_bytes(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_defaults_are_left_out_so_that_new_optional_fields_keep_digests() -> None:
    class Wider(Whole):
        added: int = 7

    assert plain(Whole(parts=(Part(name="a"),))) == {"parts": [{"name": "a"}]}
    assert digest(Whole(parts=(Part(name="a"),))) == digest(Wider(parts=(Part(name="a", size=0),)))
    assert digest(Wider(added=8)) != digest(Whole())


def test_numbers_that_json_has_not_are_refused() -> None:
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"\w"):
            canonical_bytes({"a": number})


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as the text defines it: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_streamed_root_is_that_of_the_recursive_definition(leaves: list[bytes]) -> None:
    assert merkle_root(iter(leaves)) == f"sha256:{naive_root(leaves).hex()}"


def test_roots_of_the_published_test_vector() -> None:
    # Leaves and roots of the Certificate Transparency reference implementation's tree test.
    texts = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [bytes.fromhex(text) for text in texts]
    assert merkle_root(leaves[:1]) == "sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle_root(leaves) == "sha256:5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=20), st.data())
def test_a_changed_leaf_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:position], leaves[position] + b"x", *leaves[position + 1 :]]
    assert merkle_root(changed) != merkle_root(leaves)
    assert merkle_root([*leaves, b""]) != merkle_root(leaves)


TEXT = st.text(st.characters(codec="utf-8")) | st.text(st.characters(max_codepoint=0x7F))
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.integers() | TEXT
SCALARS |= st.floats(allow_nan=False, allow_infinity=False)
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=25)


def result(encode, value):
    try:
        return encode(value)
    except ValueError as error:
        return type(error)


@settings(max_examples=500, deadline=None)
@given(DATA)
def test_the_fast_way_gives_the_bytes_of_the_library(value):
    assert result(canonical_bytes, value) == result(rfc8785.dumps, plain(value))


@pytest.mark.parametrize(
    "value",
    [{"\x7f\x1f\b\n": "\u2028"}, {"b": 1, "a": [True, None, -0]}, {"\U0001f600": 1, "\ufb33": 2}, 2**53, 1.0, ["é"]],
)
def test_the_edges_of_the_fast_way(value):
    assert result(canonical_bytes, value) == result(rfc8785.dumps, value)
