# SPDX-License-Identifier: Apache-2.0
"""The demo's second part: from a report to a signed decision, and to an outsider who checks it."""

import shutil
from contextlib import closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import yaml

from tidegate.assess.model import Gate
from tidegate.evidence.importing import Declared
from tidegate.flow.assessments import ask_gate
from tidegate.flow.bundles import make_bundle, trust_of, verify_file
from tidegate.flow.cases import NewCase, ReviewRequest, new_case, open_case, review_case
from tidegate.flow.decisions import Proposal, propose, review, shown, sign
from tidegate.flow.evidence import import_files
from tidegate.flow.keys import Opening, add_key, key_request, make_key, open_signer
from tidegate.flow.ledgers import Actor, actor_for, open_log
from tidegate.flow.logs import log_vkey, sign_head
from tidegate.flow.outputs import write_output
from tidegate.flow.reports import Target, finalise
from tidegate.flow.world import World
from tidegate.govern.records import ReportRecord
from tidegate.kernel.documents import read_document, validate_part
from tidegate.ledger.keys import Signer
from tidegate.policy.model import Action
from tidegate.publish.decision_pages import ShownDecision
from tidegate.publish.verification import Verified
from tidegate.store.project import PROJECT_FILE, ProjectRecord, create_project

MODEL = "adder"
ACTION: Action = "general"
ORIGIN = "demo.example/house"
RUN = "stand-in-mostly-wrong.eval"
PEOPLE = {
    "ada": ("Ada Example", ("scaling-officer", "keeper")),
    "bob": ("Bob Example", ("ceo",)),
    "eve": ("Eve Example", ("external-reviewer",)),
}
COMMITMENTS = (
    ("hiroshima-coc", "adhered"),
    ("fasc", "adhered"),
    ("seoul-pledge", "adhered"),
    ("wh-voluntary", "adhered"),
    ("munich", "adhered"),
    ("thorn", "adhered"),
    ("wh-ibsa", "adhered"),
    ("christchurch", "adhered"),
    ("sb53", "bound"),
    ("raise", "watched"),
)
NOT_APPLICABLE = {
    "wh-ibsa": {"1": "It was trained on nothing.", "3": "It was trained on nothing."},
    "munich": {"3": "The house runs no platform.", "1": "It makes no pictures, sound or text."},
    "christchurch": {"4": "The house runs no livestream.", "6": "The house recommends nothing to anybody."},
}
"""What the numbers of a scripted stand-in cannot touch."""


@dataclass(frozen=True)
class SignedDemo:
    """What the second part of the demo did."""

    root: Path
    before: Gate
    """The gate before anybody signed."""
    confidence: tuple[float, float]
    """In the top claim of the safety case: lower and upper end."""
    reports: tuple[ReportRecord, ...]
    decision: ShownDecision
    after: Gate
    """The gate after two had signed."""
    entries: int
    """How many entries the log has."""
    bundle: Path
    """The bundle, in a folder with nothing but the keys to trust."""
    trust: Path
    verified: Verified


def build_signed_demo(root: Path, world_of: World) -> SignedDemo:
    """Make a project with people, let two of them sign a decision, and check its bundle as an outsider would.

    Args:
        root: folder to make.
        world_of: whose clock counts.
    """
    world = World(root, world_of.clock, world_of.now_clock, world_of.ids)
    signers = _make_house(root)
    with resources.as_file(resources.files("tidegate.packs")) as packs:
        import_files(world, [packs / "demo" / "runs" / RUN], declared=Declared(model=MODEL))
    _open(world, signers)
    before = ask_gate(world, MODEL, ACTION).gate
    ada, bob, eve = (actor_for(world, name, signers[name]) for name in PEOPLE)
    _argue(world, eve)
    filed = [finalise(world, Target(kind, MODEL), ada).record for kind in ("capability", "safeguards")]
    name = propose(world, Proposal(MODEL, (ACTION,)), ada).id
    review(world, name, "supports", "The bound lies far below the line.", eve)
    for actor in (ada, bob):
        sign(world, name, None, actor)
    sign_head(world, signers["log"])
    return _checked(world, before, tuple(filed), name)


def _argue(world: World, reviewer: Actor) -> None:
    """Make the safety case by template, add what only people know, and have it reviewed."""
    new_case(world, NewCase(MODEL, author="ada", actions=(ACTION,)))
    written = resources.files("tidegate.packs") / "demo" / "house" / "case" / "case.yaml"
    write_output(world.root / "cases" / f"{MODEL}-inability" / "case.yaml", written.read_text(encoding="utf-8"))
    review_case(world, None, ReviewRequest(text="Read whole, with the run."), reviewer)


def _checked(world: World, before: Gate, filed: tuple[ReportRecord, ...], name: str) -> SignedDemo:
    after = ask_gate(world, MODEL, ACTION).gate
    outside = world.root / "outside"
    outside.mkdir()
    bundle, trust = outside / f"{MODEL}.tidegate", outside / "trust.yaml"
    bundle.write_bytes(make_bundle(world, MODEL, whole_log=True))
    told = trust_of(world).model_dump(mode="json", by_alias=True)
    trust.write_text(yaml.safe_dump(told, sort_keys=False, width=1000), encoding="utf-8")
    with closing(world.ledger()) as store:
        entries = store.size
    decision = shown(world, (name,))[0]
    span = open_case(world, None).examined.confidence.span
    confidence = (span.low, span.high)
    verified = verify_file(bundle, trust)
    return SignedDemo(world.root, before, confidence, filed, decision, after, entries, bundle, trust, verified)


def _make_house(root: Path) -> dict[str, Signer]:
    """Make the project's files, and a key for each person and for the log. The keys of a demo have no passphrase."""
    if root.exists():
        shutil.rmtree(root)
    packs = resources.files("tidegate.packs") / "demo" / "house"
    people = [{"id": one, "name": name, "roles": list(roles)} for one, (name, roles) in PEOPLE.items()]
    project = {
        "schema": "tidegate/project/v1",
        "organisation": "Demo house",
        "policy": {"file": "policy/house.yaml"},
        "people": people,
        "website": "https://demo.example",
        "contact": "safety@demo.example",
        "commitments": [
            {"framework": name, "since": "2026-11", "stance": stance, "not_applicable": NOT_APPLICABLE.get(name, {})}
            for name, stance in COMMITMENTS
        ],
    }
    files = {
        PROJECT_FILE: yaml.safe_dump(project, sort_keys=False),
        "policy/house.yaml": (packs / "policy.yaml").read_text(encoding="utf-8"),
        "models/adder.yaml": (packs / "model.yaml").read_text(encoding="utf-8"),
        "obligations.yaml": (packs / "obligations.yaml").read_text(encoding="utf-8"),
    }
    files |= {f"hub/{one.name}": one.read_text(encoding="utf-8") for one in (packs / "hub").iterdir()}
    for kind in ("capability", "safeguards"):
        name = f"{MODEL}-{kind}.yaml"
        files[f"reports/{name}"] = (packs / "reports" / name).read_text(encoding="utf-8")
    create_project(root, files)
    validate_part(read_document(root / PROJECT_FILE), ProjectRecord)
    made = {name: make_key(root / "keys" / f"{name}.key", None) for name in (*PEOPLE, "log")}
    return {name: open_signer(str(one.file), Opening()) for name, one in made.items()}


def _open(world: World, signers: dict[str, Signer]) -> None:
    keeper = Actor("ada", signers["ada"])
    open_log(world, origin=ORIGIN, log_key=log_vkey(ORIGIN, signers["log"]), keeper=keeper)
    for name, (_, roles) in PEOPLE.items():
        if name != "ada":
            add_key(world, key_request(name, roles, signers[name]), actor_for(world, "ada", signers["ada"]))
