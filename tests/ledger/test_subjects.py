# SPDX-License-Identifier: Apache-2.0
"""What entries are about, by name."""

import base64
import hashlib
from typing import Any

import pytest

from tidegate.ledger.entries import KINDS, Entry, Signature
from tidegate.ledger.subjects import MAX_SUBJECT_BYTES, subject, subjects_of

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0 " + b"k" * 32
KEY = "ssh-ed25519 " + base64.b64encode(BLOB).decode()
FINGERPRINT = "SHA256:" + base64.b64encode(hashlib.sha256(BLOB).digest()).decode().rstrip("=")
OLD = "SHA256:" + "o" * 43
CONTENT = {"digest": DIGEST}

CASES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "ledger.opened": ({"origin": "example.org/log", "organisation": "Example"}, set()),
    "evidence.imported": (
        {"file": "a.eval", "file_digest": "x", "format": "inspect", "records": 1, "kept_as": "evidence/a.json",
         "document": DIGEST},
        {"file:evidence/a.json"},
    ),
    "evidence.restated": (
        {"supersedes": "r1", "by": "r2", "reason": "wrong", "document": DIGEST}, {"evidence:r1", "evidence:r2"},
    ),
    "evidence.retracted": ({"supersedes": "r1", "reason": "wrong", "document": DIGEST}, {"evidence:r1"}),
    "policy.adopted": ({"label": "p 1", "policy_digest": DIGEST, "document": DIGEST}, {"policy:p 1"}),
    "model.recorded": ({"model": "m", "document": DIGEST}, {"model:m"}),
    "report.finalised": (
        {"report": "R", "kind": "capability", "model": "m", "document": DIGEST}, {"report:R", "model:m"},
    ),
    "report.criticised": (
        {"report": "R", "critique": "X", "points": 2, "document": DIGEST}, {"report:R", "critique:X"},
    ),
    "report.answered": ({"critique": "X", "point": 1, "outcome": "stands", "text": "no"}, {"critique:X"}),
    "case.recorded": ({"case": "C", "model": "m", "root": DIGEST, "document": DIGEST}, {"case:C", "model:m"}),
    "case.reviewed": ({"case": "C", "nodes": {"n": DIGEST}, "verdict": "agrees"}, {"case:C"}),
    "decision.proposed": ({"decision": "D-1", "model": "m", "document": DIGEST}, {"decision:D-1", "model:m"}),
    "decision.reviewed": (
        {"decision": "D-1", "document": DIGEST, "verdict": "opposes", "text": "no"}, {"decision:D-1"},
    ),
    "decision.recused": ({"decision": "D-1", "reason": "kin"}, {"decision:D-1"}),
    "decision.dissented": ({"decision": "D-1", "document": DIGEST, "text": "no"}, {"decision:D-1"}),
    "decision.signed": ({"decision": "D-1", "document": DIGEST, "role": "ceo"}, {"decision:D-1"}),
    "decision.moved": (
        {"decision": "D-1", "to": "superseded", "by_decision": "D-2"}, {"decision:D-1", "decision:D-2"},
    ),
    "decision.reaffirmed": (
        {"decision": "D-1", "was": DIGEST, "document": OTHER, "reason": "new evidence"}, {"decision:D-1"},
    ),
    "waiver.recorded": (
        {"waiver": "W", "kind": "waiver", "decision": "D-1", "requirements": ["S1"], "model": "m",
         "until": "2026-07-01", "reason": "soon"},
        {"waiver:W", "decision:D-1", "model:m"},
    ),
    "noncompliance.opened": (
        {"case": "N", "is_anonymous": True, "reporter_key": KEY, "content": CONTENT, "managers": ["eve", "bob"],
         "route": "board"},
        {"noncompliance:N", f"sealed:{DIGEST}", "person:eve", "person:bob"},
    ),
    "noncompliance.noted": (
        {"case": "N", "direction": "internal", "content": CONTENT}, {"noncompliance:N", f"sealed:{DIGEST}"},
    ),
    "noncompliance.moved": (
        {"case": "N", "to": "triaged", "managers": ["eve"]}, {"noncompliance:N", "person:eve"},
    ),
    "noncompliance.closed": ({"case": "N", "outcome": "withdrawn"}, {"noncompliance:N"}),
    "noncompliance.retaliation": (
        {"report": "T", "case": "N", "state": "reported", "content": CONTENT},
        {"retaliation:T", "noncompliance:N", f"sealed:{DIGEST}"},
    ),
    "event.recorded": ({"kind": "training.held", "on": "2026-06-01", "subject": "m"}, {"event:training.held"}),
    "obligation.waived": (
        {"rule": "own.report", "until": "2026-07-01", "reason": "moved", "role": "ceo"}, {"duty:own.report"},
    ),
    "incident.opened": ({"incident": "inc-1", "content": CONTENT}, {"incident:inc-1", f"sealed:{DIGEST}"}),
    "incident.updated": ({"incident": "inc-1", "content": CONTENT}, {"incident:inc-1", f"sealed:{DIGEST}"}),
    "incident.noticed": ({"incident": "inc-1", "content": CONTENT}, {"incident:inc-1", f"sealed:{DIGEST}"}),
    "incident.closed": ({"incident": "inc-1", "content": CONTENT}, {"incident:inc-1", f"sealed:{DIGEST}"}),
    "key.added": ({"person": "ada", "public_key": KEY, "proof": "x"}, {"person:ada", f"key:{FINGERPRINT}"}),
    "key.rotated": (
        {"person": "ada", "old": OLD, "public_key": KEY, "proof": "x"},
        {"person:ada", f"key:{OLD}", f"key:{FINGERPRINT}"},
    ),
    "key.revoked": ({"key": OLD, "reason": "lost"}, {f"key:{OLD}"}),
    "sealed.erased": ({"digest": DIGEST, "ground": "asked"}, {f"sealed:{DIGEST}"}),
    "hold.placed": ({"hold": "H", "digests": [DIGEST], "reason": "lawsuit"}, {"hold:H", f"sealed:{DIGEST}"}),
    "hold.lifted": ({"hold": "H", "reason": "over"}, {"hold:H"}),
}  # fmt: skip


def an_entry(kind: str, body: dict[str, Any], **more: Any) -> Entry:
    return Entry.model_validate(
        {"id": "0" * 32, "kind": kind, "acted_at": "2026-06-01T09:30:00Z", "body": body, **more}
    )


def test_every_kind_has_its_case():
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_an_entry_names_what_it_is_about(kind):
    body, expected = CASES[kind]
    found = subjects_of(an_entry(kind, body))
    assert set(found) == expected
    assert list(found) == sorted(expected)


def test_who_acted_and_with_which_key_is_part_of_it():
    signature = Signature(key=FINGERPRINT, value="A" * 88)
    found = subjects_of(
        an_entry("decision.recused", {"decision": "D-1", "reason": "kin"}, by="ada", signature=signature)
    )
    assert found == ("decision:D-1", f"key:{FINGERPRINT}", "person:ada")


def test_a_name_occurs_once():
    body = {"person": "ada", "public_key": KEY, "proof": "x"}
    assert subjects_of(an_entry("key.added", body, by="ada")).count("person:ada") == 1


def test_a_key_with_broken_base64_is_no_subject_and_no_failure():
    body = {"person": "ada", "public_key": "ssh-ed25519 " + "A" * 41, "proof": "x"}
    assert subjects_of(an_entry("key.added", body)) == ("person:ada",)


@pytest.mark.parametrize("name", ["x" * MAX_SUBJECT_BYTES, "é" * MAX_SUBJECT_BYTES, "a\0b"])
def test_a_name_that_no_index_takes_is_replaced_by_its_digest(name):
    expected = f"model:sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    assert subject("model", name) == expected
    assert subjects_of(an_entry("model.recorded", {"model": name, "document": DIGEST})) == (expected,)


def test_a_name_that_is_no_text_is_replaced_too():
    assert subject("model", "\udcff").startswith("model:sha256:")


def test_the_longest_name_stays():
    name = "x" * (MAX_SUBJECT_BYTES - len("model:"))
    assert subject("model", name) == f"model:{name}"
