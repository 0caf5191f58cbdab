# SPDX-License-Identifier: Apache-2.0
"""A small house: a project with a policy, people, keys and a ledger, whose gate opens once two people have signed."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from tidegate.flow import World
from tidegate.flow.cases import ReviewRequest, open_case, review_case
from tidegate.flow.evidence import import_files
from tidegate.flow.ledgers import Act, Actor, actor_for, open_log, record_act
from tidegate.flow.logs import log_vkey, sign_head
from tidegate.kernel.clock import fixed_clock
from tidegate.ledger.acts import KeyAdded
from tidegate.ledger.keys import Signer, load_signer, new_private_key
from tidegate.ledger.signing import proof_bytes
from tidegate.store.project import PROJECT_FILE, create_project

TODAY = date(2026, 6, 1)
ORIGIN = "example.com/house"
PEOPLE = {
    "ada": ("safety-lead", "keeper"),
    "bob": ("ceo",),
    "eve": ("board-member",),
    "kim": ("external-reviewer",),
}
POLICY = {
    "schema": "tidegate/policy/v1",
    "id": "house",
    "version": "1",
    "title": "House policy",
    "publisher": "House",
    "preregistration": "flagged",
    "domains": [{"id": "cyber", "title": "Cyber"}],
    "thresholds": [
        {
            "id": "T1",
            "title": "A capability",
            "domain": "cyber",
            "falsifier": "a higher result",
            "indicators": [
                {
                    "id": "T1.a",
                    "evaluation": "Eval A",
                    "falsifier": "a higher result",
                    "rule": {"rule_out": {"value": 0.5, "crossed_when": ">="}},
                }
            ],
            "requirements": [
                {
                    "id": "T1-deploy",
                    "kind": "safeguard",
                    "target": "guard",
                    "actions": ["limited", "general"],
                    "text": "A guard must be in place.",
                }
            ],
        }
    ],
    "safeguards": [{"id": "guard", "title": "Guard", "text": "A guard must be in place."}],
    "roles": [
        {"id": "safety-lead", "title": "Safety lead", "power": "decides"},
        {"id": "ceo", "title": "Chief executive", "power": "decides", "not_same_as": ["safety-lead"]},
        {"id": "board-member", "title": "Board member", "power": "approves"},
    ],
    "approvals": [
        {
            "id": "approve-deployment",
            "act": "deployment_decision",
            "text": "Two of three must sign before deployment.",
            "force": "must",
            "signers": ["safety-lead", "ceo", "board-member"],
            "quorum": 2,
            "before": ["limited", "general"],
        },
        {
            "id": "approve-measures",
            "act": "interim_measure",
            "text": "Two of three must sign a measure.",
            "force": "must",
            "signers": ["safety-lead", "ceo", "board-member"],
            "quorum": 2,
        },
    ],
}


def a_signer() -> Signer:
    data, _ = new_private_key(None)
    return load_signer(data, None, "key")


def counter(name: str = "") -> Callable[[], str]:
    """Ids that count up, so that a log is the same each time."""
    state = iter(range(10**9))
    return lambda: hashlib.sha256(f"{name} {next(state)}".encode()).hexdigest()[:32]


@dataclass
class House:
    """The project, its people with their keys, and its log's key."""

    root: Path
    signers: dict[str, Signer]
    log: Signer
    ids: Callable[[], str]

    def world(self, day: date = TODAY, hour: int = 12) -> World:
        return World(self.root, fixed_clock(day), lambda: f"{day.isoformat()}T{hour:02d}:00:00Z", self.ids)

    def actor(self, person: str) -> Actor:
        return actor_for(self.world(), person, self.signers[person])

    def checkpoint(self) -> str:
        return sign_head(self.world(), self.log)


def evidence_file(folder: Path, name: str, value: float, n: int = 200, **changes: object) -> Path:
    """A file of one record of Eval A."""
    record = {
        "id": name,
        "subject": {"model": "m", "snapshot": "s1"},
        "measurement": {
            "evaluation": "Eval A",
            "metric": "accuracy",
            "value": value,
            "n": n,
            "successes": value * n,
            "binary": True,
        },
        "finished": "2026-05-01",
        "evaluator": {"name": "House", "relation": "developer"},
        "provenance": {"format": "hand"},
        **changes,
    }
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"schema": "tidegate/evidence/v1", "records": [record]}))
    return path


def a_house(
    folder: Path,
    policy: dict[str, object] | None = None,
    origin: str = ORIGIN,
    signers: dict[str, Signer] | None = None,
) -> House:
    """Give a house whose log holds its files and everybody's keys, and whose evidence rules T1 out."""
    root = folder / "house"
    people = [{"id": name, "name": name.title(), "roles": list(roles)} for name, roles in PEOPLE.items()]
    project = {
        "schema": "tidegate/project/v1",
        "organisation": "House",
        "policy": {"file": "policy/house.yaml"},
        "people": people,
    }
    model = {"schema": "tidegate/model/v1", "id": "m", "snapshots": [{"id": "s1", "created": "2026-04-01"}]}
    create_project(
        root,
        {
            PROJECT_FILE: yaml.safe_dump(project, sort_keys=False),
            "policy/house.yaml": yaml.safe_dump(policy or POLICY, sort_keys=False),
            "models/m.yaml": yaml.safe_dump(model, sort_keys=False),
        },
    )
    house = House(root, signers or {name: a_signer() for name in PEOPLE}, a_signer(), counter(origin))
    world = house.world(date(2026, 5, 2))
    import_files(world, [evidence_file(folder, "r1", 0.05)])
    open_log(world, origin=origin, log_key=log_vkey(origin, house.log), keeper=Actor("ada", house.signers["ada"]))
    for name in ("bob", "eve", "kim"):
        signer, roles = house.signers[name], tuple(sorted(PEOPLE[name]))
        proof = signer.sign(proof_bytes(name, roles, signer.public_key))
        body = KeyAdded(person=name, roles=roles, public_key=signer.public_key, proof=proof)
        record_act(world, Act("key.added", body, house.actor("ada")))
    return house


def whole_case(house: House) -> None:
    """Write what only people know into the generated case, record it, and have it reviewed."""
    folder = next((house.root / "cases").iterdir())
    shown = {"digest": "sha256:" + "1" * 64, "producer": "Somebody", "produced_on": "2026-05-10", "model": "*"}
    sure = {"low": 0.95, "high": 0.99, "basis": "a study"}
    opened = open_case(house.world(), None)
    bare = [node.id for node in opened.case.nodes if node.undeveloped]
    support = {"supported_by": ["E/study"], "aggregation": "all", "why": "It was studied."}
    told = {
        "schema": "tidegate/case/v1",
        "id": opened.case.id,
        "model": "m",
        "author": "ada",
        "includes": ["generated.yaml"],
        "nodes": [{"id": "E/study", "kind": "evidence", "text": "A study.", "confidence": sure, "cited": shown}],
        "extends": {
            **dict.fromkeys(bare, support),
            "A/coverage": {"owner": "ada", "review_on": "2026-09-01"},
        },
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(told))
    review_case(house.world(), None, ReviewRequest(text="Read whole."), house.actor("kim"))
