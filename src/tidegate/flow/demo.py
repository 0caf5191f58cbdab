# SPDX-License-Identifier: Apache-2.0
"""The demo: real public models, assessed from what their developers printed."""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tidegate.assess import Assessment, assess
from tidegate.assess.audit import ReportCard, by_developer, report_cards
from tidegate.assess.explain import Explanation, explain
from tidegate.evidence.formats import recognise
from tidegate.evidence.importing import Declared
from tidegate.evidence.models import Model
from tidegate.flow.demo_house import SignedDemo, build_signed_demo
from tidegate.flow.demo_published import PublishedDemo, build_published_demo
from tidegate.flow.evidence import import_files
from tidegate.flow.projects import project_file
from tidegate.flow.world import World
from tidegate.kernel.clock import fixed_clock
from tidegate.kernel.documents import parse_document, validate_part
from tidegate.kernel.errors import Problem, ProjectError, TidegateError, Where
from tidegate.policy.load import load_pack, load_policy, pack_names
from tidegate.policy.model import Source
from tidegate.publish.report import html_report
from tidegate.store.project import PROJECT_FILE, Project, create_project, write_text

MARK = ".tidegate-demo"
"""Marks a folder that the demo made, and may replace."""
STATE_OF_RECORD = date(2026, 11, 21)
"""The demo answers for this day, so that it gives the same everywhere: the bundled figures were read until the day
before, and the bundled runs were made on it."""
SHOWN = (
    "claude-3-7-sonnet",
    "claude-opus-4",
    "claude-opus-4-5",
    "openai-o3",
    "openai-gpt-5-thinking",
    "gemini-2-5-pro",
)
"""Models that the terminal shows; the report shows all."""
STAND_INS = ("stand-in-mostly-wrong", "stand-in-mostly-right", "stand-in-fails-on-some", "stand-in-edited-header")
"""Scripted stand-ins, not models; they are shown under the toy policy only."""
EXPLAINED = (("rsp-v2.2", "claude-opus-4", "CBRN-3"), ("rsp-v2.2", "claude-opus-4-5", "AIRD-4"))
"""Findings that are explained: one where conclusion and evidence agree, one where they do not."""
DEMO_POLICY = "policy/demo.yaml"


@dataclass(frozen=True)
class Demo:
    """What the demo found."""

    root: Path
    assessments: dict[str, Assessment]
    """Pack (or ``demo``) -> assessment of every model under it."""
    explanations: tuple[Explanation, ...]
    report_cards: tuple[ReportCard, ...]
    """Per developer, and for all."""
    own_policy: dict[str, str]
    """Model -> pack of its developer."""
    records: int
    formats: dict[str, int]
    """Format -> number of records."""
    refused: tuple[Problem, ...]
    """Problems of further files that could not be taken in."""
    report: Path
    signed: SignedDemo
    """From a report to a signed decision, and to an outsider who checks it."""
    published: PublishedDemo
    """What the same house owes, and what it says in public."""


def build_demo(root: Path, further: Sequence[Path] = (), progress: Callable[[str], None] = lambda _text: None) -> Demo:
    """Make the demo project, assess every model under every pack, and write the report.

    Args:
        root: folder of the project; replaced if an earlier demo made it.
        further: folders with more real runs; every file in them that a format recognises is taken in.
        progress: told what is being done.

    Raises:
        ProjectError: PRJ002, the folder is in use for something else.
    """
    # The first moment of the day: whoever looks at the demo on that day finds nothing in it that is still to come.
    world = World(root, fixed_clock(STATE_OF_RECORD), lambda: f"{STATE_OF_RECORD.isoformat()}T00:00:00Z")
    progress("making the project")
    _make_project(root)
    progress("importing published figures")
    with resources.as_file(resources.files("tidegate.packs")) as packs:
        import_files(world, sorted((packs / "published").glob("*.yaml")))
        for run in sorted((packs / "demo" / "runs").glob("*.eval")):
            import_files(world, [run], declared=Declared(model=run.stem))
    refused = _import_further(world, further, progress)
    project = world.project()
    formats = dict(Counter(record.provenance.format for record in project.evidence.records).most_common())
    progress("assessing")
    assessments = _assess_all(project)
    explanations = tuple(
        explain(load_pack(pack).policy, project.evidence, project.models, STATE_OF_RECORD, model, threshold)
        for pack, model, threshold in EXPLAINED
    )
    published = [record for record in project.evidence.records if record.provenance.format == "reported"]
    cards = report_cards(published, by=by_developer)
    progress("writing the report")
    report = root / "report.html"
    own = {model.id: model.policy for model in project.models if model.policy}
    page = html_report(
        "Public frontier models against published safety policies",
        tuple(assessments.values()),
        explanations,
        cards,
        STATE_OF_RECORD,
        _sources(project),
        own={model: assessments[pack].policy for model, pack in own.items()},
    )
    write_text(report, page)
    progress("signing a decision")
    signed = build_signed_demo(root / "house", world)
    progress("publishing the hub")
    public = build_published_demo(World(signed.root, world.clock, world.now_clock, world.ids))
    count = len(project.evidence.records)
    return Demo(root, assessments, explanations, cards, own, count, formats, refused, report, signed, public)


def _sources(project: Project) -> list[Source]:
    """Give every published source that the evidence cites, once, and those of the packs."""
    cited: dict[tuple[str, str | None], Source] = {}
    for name in pack_names():
        for source in load_pack(name).policy.sources:
            if source.publisher or source.url:
                cited.setdefault((source.title, source.url), source)
    for record in project.evidence.records:
        origin = record.provenance
        if origin.title is not None:
            made = Source(title=origin.title, publisher=record.evaluator.name, date=record.published, url=origin.url)
            cited.setdefault((origin.title, origin.url), made)
    return list(cited.values())


def _make_project(root: Path) -> None:
    if (root / MARK).is_file():
        shutil.rmtree(root)
    packs = resources.files("tidegate.packs")
    files = {
        PROJECT_FILE: project_file("The public record", "starter", load_pack("starter")),
        MARK: "Made by `tidegate demo`, which replaces this folder when it runs again.\n",
        DEMO_POLICY: (packs / "demo" / "policy.yaml").read_text(encoding="utf-8"),
    }
    document = parse_document((packs / "demo" / "models.yaml").read_bytes(), "packs/demo/models.yaml")
    for number, data in enumerate(document.data["models"]):
        model = validate_part(document, Model, ("models", number))
        files[f"models/{model.id}.yaml"] = yaml.safe_dump({"schema": "tidegate/model/v1", **data}, sort_keys=False)
    try:
        create_project(root, files)
    except ProjectError as error:
        hint = "name another folder: tidegate demo DIR"
        raise ProjectError(*(Problem(one.code, one.message, one.where, hint) for one in error.problems)) from None


def _assess_all(project: Project) -> dict[str, Assessment]:
    policies = {name: load_pack(name).policy for name in pack_names()}
    policies["demo"] = load_policy(project.root / DEMO_POLICY).policy
    return {
        name: assess(policy, project.evidence, project.models, STATE_OF_RECORD) for name, policy in policies.items()
    }


def _import_further(world: World, folders: Sequence[Path], progress: Callable[[str], None]) -> tuple[Problem, ...]:
    """Take in every file that a format recognises; what is refused is listed, not lost."""
    refused: list[Problem] = []
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if recognise(path) in (None, "reported"):
            continue
        progress(f"importing {path.name}")
        try:
            import_files(world, [path])
        except TidegateError as error:
            one = error.problems[0]
            refused.append(Problem(one.code, one.message, one.where or Where(path.name), one.hint, "warning"))
    return tuple(refused)


def demo_json(demo: Demo) -> dict[str, Any]:
    """Give the demo's findings as plain data."""
    return {
        "project": str(demo.root),
        "report": str(demo.report),
        "records": demo.records,
        "assessments": {
            name: {"digest": made.digest, **made.model_dump(mode="json", by_alias=True)}
            for name, made in demo.assessments.items()
        },
        "report_cards": [card.model_dump(mode="json") for card in demo.report_cards],
        "explanations": [one.model_dump(mode="json") for one in demo.explanations],
        "refused": [problem.to_json() for problem in demo.refused],
        "signed": {
            "project": str(demo.signed.root),
            "bundle": str(demo.signed.bundle),
            "trust": str(demo.signed.trust),
            "decision": demo.signed.decision.record.id,
            "state": demo.signed.decision.record.state,
            "open_before": demo.signed.before.open,
            "open_after": demo.signed.after.open,
            "checks": [check.model_dump(mode="json") for check in demo.signed.verified.checks],
        },
        "published": {
            "duties": {duty.id: duty.state for duty in demo.published.duties},
            "badges": dict(demo.published.badges),
            "hub": str(demo.published.site),
            "pages": len(demo.published.hub.pages),
            "haip": [str(path) for path in demo.published.haip],
            "report": str(demo.published.report),
        },
    }


class Sheet(NamedTuple):
    """What the terminal shows of one policy."""

    title: str
    every: Assessment
    """The models that are shown."""
    own: Assessment | None
    """Those of the policy's own developer, if there are any."""


def sheets(demo: Demo) -> list[Sheet]:
    """Give what the terminal shows: the chosen models under every policy, the stand-ins under theirs."""
    found: list[Sheet] = []
    for pack, made in demo.assessments.items():
        chosen = STAND_INS if pack == "demo" else SHOWN
        every = tuple(one for one in made.models if one.model in chosen)
        own = tuple(one for one in every if demo.own_policy.get(one.model) == pack)
        found.append(
            Sheet(
                f"under {made.policy}",
                made.model_copy(update={"models": every}),
                made.model_copy(update={"models": own}) if own else None,
            )
        )
    return found
