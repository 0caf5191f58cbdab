# SPDX-License-Identifier: Apache-2.0
"""Safety cases: make one from policy and assessment, check, draw, compare, review, export, record."""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from tidegate.case.build import build
from tidegate.case.checks import Examination, examine
from tidegate.case.diff import CaseDiff, diff
from tidegate.case.draft import CaseRequest
from tidegate.case.load import CaseFile, LoadedCase, case_text, hand_written_text, load_case
from tidegate.case.model import EDGE, Node, SafetyCase, Template
from tidegate.case.review import authors_of, is_second_person
from tidegate.case.setting import CaseContext, Setting
from tidegate.case.weighing import cap_of
from tidegate.flow.assessments import assess_project
from tidegate.flow.case_drawing import Layout, draw_svg
from tidegate.flow.decisions import Standing, act
from tidegate.flow.governing import governing
from tidegate.flow.ledgers import Act, Actor
from tidegate.flow.world import World, no_ledger
from tidegate.govern.argument import case_reviews
from tidegate.govern.governance import Governance
from tidegate.govern.people import find_person
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.documents import did_you_mean, read_document, validate_part
from tidegate.kernel.errors import CaseError, Problem, ProjectError, SigningError, Where
from tidegate.ledger.acts import CaseRecorded, CaseReviewed
from tidegate.ledger.entries import Signed
from tidegate.policy.model import Action
from tidegate.publish.case_graphs import Notation, case_d2, case_mermaid, part_of
from tidegate.publish.case_views import CaseView, Shown, case_json, case_markdown, gsn2x_yaml
from tidegate.store.project import PROJECT_FILE, read_settings, write_text

if TYPE_CHECKING:
    from tidegate.store.ledger import Logged

CASES = "cases"
"""Folder of the project that holds one folder for each case."""
HAND_WRITTEN = "case.yaml"
"""What people write; it is never written over."""
GENERATED = "generated.yaml"
"""What a template made; it is written anew each time."""
MAX_DRAWN = 2000
"""Nodes of one drawing: it takes about a second, and more than that nobody can read."""
MAX_REVIEWED = 200
"""Nodes in one entry of a review, so that it stays below the size of an entry."""

ExportFormat = Literal["gsn2x", "mermaid", "markdown", "json", "d2", "cae"]
"""Formats of a case: YAML for gsn2x, Mermaid, numbered Markdown, JSON, and D2 text in GSN or CAE."""


@dataclass(frozen=True)
class OpenedCase:
    """A case of the project, in its context."""

    loaded: LoadedCase
    examined: Examination
    governance: Governance | None
    """What the log says; none if the project keeps none."""

    @property
    def case(self) -> SafetyCase:
        """The case."""
        return self.loaded.case

    @property
    def at(self) -> date:
        """The day that it was looked at."""
        return self.examined.setting.context.at


# --- find and open ----------------------------------------------------------------------------------------


def case_names(world: World) -> tuple[str, ...]:
    """Give the names of the cases of the project: the folders in which one is kept."""
    folder = world.root / CASES
    return tuple(sorted(one.parent.name for one in folder.glob(f"*/{HAND_WRITTEN}"))) if folder.is_dir() else ()


def find_case(world: World, name: str | None) -> Path:
    """Give the file of a case: of this name, or the only one that the project has; or a file outside `cases`.

    Raises:
        CaseError: CAS002, there is none of this name, or the project has several.
    """
    known = case_names(world)
    if name is None:
        if len(known) == 1:
            return world.root / CASES / known[0] / HAND_WRITTEN
        hint = f"name one of {', '.join(known)}" if known else "make one with `tidegate case new MODEL`"
        raise CaseError(Problem("CAS002", f"the project has {len(known)} safety cases", Where(CASES), hint))
    if name in known:
        return world.root / CASES / name / HAND_WRITTEN
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return path
    hint = did_you_mean(name, known) or f"safety cases: {', '.join(known) or 'none; make one with `tidegate case new`'}"
    raise CaseError(Problem("CAS002", f"there is no safety case {name!r}", Where(CASES), hint))


def read_case(world: World, name: str | None) -> LoadedCase:
    """Read a case. Raises CAS001, CAS002, or whatever is not in order in its files."""
    path = find_case(world, name)
    inside = path.resolve()
    shown = inside.relative_to(world.root).as_posix() if inside.is_relative_to(world.root) else str(path)
    return load_case(path, name=shown)


def open_case(world: World, name: str | None, *, as_of: date | None = None) -> OpenedCase:
    """Read a case and look at it with the evidence, policy, models and reviews of the project.

    Args:
        world: the surroundings.
        name: its name or file; the only case of the project if none.
        as_of: another day than today: what became known later is not used.
    """
    loaded = read_case(world, name)
    project = world.project()
    found = governing(world, project, as_of=as_of)
    context = CaseContext(
        evidence=found.basis.evidence,
        at=as_of or world.today,
        models=tuple(found.basis.models),
        policy=found.basis.policy,
        reviews=case_reviews(found.read, loaded.case.id) if found.read is not None else (),
        places=loaded.places,
    )
    return OpenedCase(loaded, examine(loaded.case, context), found.read)


def _known_node(case: SafetyCase, name: str) -> Node:
    found = case.node(name)
    if found is None:
        raise CaseError(Problem("CAS002", f"{case.id} has no node {name!r}", None, did_you_mean(name, case.by_id)))
    return found


# --- what is shown ----------------------------------------------------------------------------------------


def case_view(opened: OpenedCase) -> CaseView:
    """Give a case for the views: every node with its confidence and with what a reader should know."""
    examined = opened.examined
    confidence, setting = examined.confidence, examined.setting
    marks: dict[str, list[str]] = {node.id: [] for node in opened.case.nodes}
    for name, why in confidence.unsupported.items():
        marks[name].append(why)
    for name, why in examined.suspects.items():
        if not any(one.startswith("suspect") for one in marks[name]):
            marks[name].append(f"suspect: {why}")
    for name, sources in confidence.shared.items():
        marks[name].append(f"its parts share {', '.join(sources)}")
    acting = {node.id: cap_of(setting, node) for node in opened.case.nodes if node.kind == "defeater"}
    for node in opened.case.nodes:
        _mark_doubt(setting, node, acting.get(node.id), marks)
    if setting.context.reviews:
        for name in examined.unreviewed:
            marks[name].append("not reviewed")
    shown = {
        node.id: Shown(
            **({"low": span.low, "high": span.high} if (span := _span(confidence.nodes, node)) else {}),
            marks=tuple(marks[node.id]),
            acts=acting[node.id] is not None if node.id in acting else None,
        )
        for node in opened.case.nodes
    }
    return CaseView(opened.case, shown, opened.at)


def _span(spans: Mapping[str, Any], node: Node) -> Any:
    """Give the confidence in a node, of the kinds of which one can be confident."""
    return spans.get(node.id) if node.kind in ("claim", "strategy", "evidence", "assumption") else None


def _mark_doubt(setting: Setting, node: Node, cap: float | None, marks: dict[str, list[str]]) -> None:
    """Note at a node, and at what it challenges, a doubt that takes confidence away; and a breach."""
    if node.is_breached:
        marks[node.id].append("breached")
    if node.kind != "defeater" or cap is None:
        return
    if node.doubted.state == "closed":
        marks[node.id].append("its closing does not count")
    effect = "blocks" if cap == 0 else f"caps at {cap:g}"
    for target in dict.fromkeys(node.challenges):
        above, _, below = target.partition(EDGE)
        if setting.case.node(above) is not None:
            marks[above].append(f"the doubt {node.id} {effect}" + (f" that {below} supports it" if below else ""))


# --- make and update --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewCase:
    """Which case is wanted."""

    model: str
    """Model, or ``model@snapshot``."""
    template: Template = "inability"
    """What is argued."""
    actions: tuple[Action, ...] = ()
    """Actions to argue for; those in which the model is deployed if none."""
    thresholds: tuple[str, ...] = ()
    """Thresholds to argue about; those that require something for the actions if none."""
    author: str | None = None
    """Who answers for it; the only person of the project if none."""
    name: str | None = None
    """Id; made from model and template if none."""
    as_of: date | None = None
    """Day that it is made for; today if none."""


@dataclass(frozen=True)
class MadeCase:
    """A case that was made or made anew."""

    name: str
    """Its name: that of its folder."""
    files: tuple[str, ...]
    """Files that were written, in the project."""
    nodes: int
    """How many nodes it has."""
    open: tuple[str, ...]
    """What the template leaves to people: undeveloped claims, and assumptions without an owner."""


def new_case(world: World, wanted: NewCase) -> MadeCase:
    """Make a case from policy, assessment and evidence: a generated module, and a file for people to write in.

    Raises:
        AssessError: ASM001 or ASM002, the model or a threshold is not known.
        ProjectError: PRJ002, there is a case of this name; nothing was written.
        SigningError: KEY004, nobody is named who answers for it, or the project does not know them.
    """
    author = _author(world, wanted.author)
    case = _built(world, wanted, author)
    if wanted.name is not None:
        case = _named(case, wanted.name)
    name = re.sub(r"[^A-Za-z0-9._-]", "-", case.id)
    folder = world.root / CASES / name
    if (folder / HAND_WRITTEN).exists() or (folder / GENERATED).exists():
        hint = f"make it anew with `tidegate case update {name}`, or give another --id"
        raise ProjectError(Problem("PRJ002", "there is a safety case of this name", Where(f"{CASES}/{name}"), hint))
    files = {GENERATED: _generated_text(case), HAND_WRITTEN: hand_written_text(case, GENERATED, author)}
    for file, text in files.items():
        write_text(folder / file, text)
    return _made(name, case, tuple(files))


def update_case(
    world: World, name: str | None, *, thresholds: tuple[str, ...] = (), as_of: date | None = None
) -> MadeCase:
    """Write the generated module of a case anew, from what is known by now; what people wrote stays as it is.

    Raises:
        CaseError: CAS002, there is no such case, or it has no generated module.
        CaseError: CAS001, what people wrote names a node that is gone. The module is written all the same.
    """
    path = find_case(world, name)
    module = path.with_name(GENERATED)
    if not module.is_file():
        hint = "only cases that `tidegate case new` made can be made anew"
        raise CaseError(Problem("CAS002", f"{path.parent.name} has no {GENERATED}", Where(str(path)), hint))
    before = load_case(module, name=f"{CASES}/{path.parent.name}/{GENERATED}").case
    # A case follows the newest snapshot, unless what people wrote names one.
    pinned = validate_part(read_document(path), CaseFile).snapshot
    wanted = NewCase(
        model=f"{before.model}@{pinned}" if pinned else before.model,
        template=before.template or "inability",
        actions=before.actions,
        thresholds=thresholds,
        as_of=as_of,
    )
    case = _built(world, wanted, _author(world, before.author))
    case = _named(case, before.id)
    write_text(module, _generated_text(case))
    return _made(path.parent.name, read_case(world, name).case, (GENERATED,))


def _named(case: SafetyCase, name: str) -> SafetyCase:
    try:
        return SafetyCase.model_validate({**case.model_dump(), "id": name})
    except ValidationError:
        hint = "letters, digits and ._+@:/-, at most 120, and a letter or digit first"
        raise ProjectError(Problem("PRJ005", f"{name!r} cannot name a safety case", None, hint)) from None


def _built(world: World, wanted: NewCase, author: str) -> SafetyCase:
    found = governing(world, world.project(), as_of=wanted.as_of).basis
    assessment = assess_project(world, (wanted.model,), as_of=wanted.as_of).assessment
    request = CaseRequest(
        model=assessment.models[0].model,
        template=wanted.template,
        author=author,
        actions=wanted.actions,
        thresholds=wanted.thresholds,
    )
    return build(found.policy, assessment, found.evidence, found.models, request)


def _author(world: World, name: str | None) -> str:
    people = read_settings(world.root).people
    if name is not None and not people:
        return name
    if name is None and len(people) != 1:
        hint = "say who: --author PERSON"
        raise SigningError(Problem("KEY004", "nobody is named who answers for the case", Where(PROJECT_FILE), hint))
    return find_person(people, name if name is not None else people[0].id).id


def _generated_text(case: SafetyCase) -> str:
    return case_text(case, "Made by `tidegate case`, and made anew by `tidegate case update`: write in case.yaml.")


def _made(name: str, case: SafetyCase, files: tuple[str, ...]) -> MadeCase:
    left = [node.id for node in case.nodes if node.undeveloped or (node.kind == "assumption" and not node.owner)]
    return MadeCase(name, tuple(f"{CASES}/{name}/{file}" for file in files), len(case.nodes), tuple(left))


# --- compare ----------------------------------------------------------------------------------------------


def diff_case(world: World, name: str | None, other: str | None = None, *, as_of: date | None = None) -> CaseDiff:
    """Give what changed in a case since the newest version in the log, or since another file or case.

    Raises:
        CaseError: CAS002, there is no such case, or the log holds no version of it.
        LedgerError: LED002, the project keeps no ledger, and nothing else is named to compare with.
    """
    opened = open_case(world, name, as_of=as_of)
    before = read_case(world, other).case if other is not None else recorded_case(world, opened.case.id)
    return diff(before, opened.case, opened.examined.setting.context)


# --- draw and export --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DrawRequest:
    """How a case is drawn."""

    notation: Notation = "gsn"
    """Goal Structuring Notation, or claims, arguments and evidence."""
    layout: Layout = "elk"
    """How the nodes are placed."""
    start: str | None = None
    """Node whose part of the argument is drawn; everything if none."""
    levels: int | None = None
    """How far below it; to the leaves if none."""


def chosen_part(view: CaseView, start: str | None, levels: int | None = None) -> CaseView:
    """Give the part of a case under a node.

    Raises:
        CaseError: CAS002, there is no such node.
    """
    if start is None and levels is None:
        return view
    tops = [start] if start is not None else _tops(view.case)
    for name in tops:
        _known_node(view.case, name)
    return replace(view, case=part_of(view.case, tops, levels))


def _tops(case: SafetyCase) -> list[str]:
    used = {child for node in case.nodes for child in node.supported_by}
    return [node.id for node in case.nodes if node.kind == "claim" and node.id not in used]


def draw_case(opened: OpenedCase, request: DrawRequest) -> str:
    """Give a case, or a part of it, as SVG: the same bytes for the same case and day.

    Raises:
        CaseError: CAS002, there is no such node; CAS004, it is too large, or d2 is missing or fails.
    """
    view = chosen_part(case_view(opened), request.start, request.levels)
    count = len(view.case.nodes)
    if count > MAX_DRAWN:
        hint = "draw a part of it with --from NODE or --levels N"
        raise CaseError(Problem("CAS004", f"{count:,} nodes; one drawing holds {MAX_DRAWN:,}", None, hint))
    return draw_svg(case_d2(view, request.notation), layout=request.layout)


def export_case(opened: OpenedCase, output: ExportFormat, *, start: str | None = None) -> str:
    """Give a case, or the part of it under a node, in another format.

    Raises:
        CaseError: CAS002, there is no such node.
    """
    view = chosen_part(case_view(opened), start)
    match output:
        case "gsn2x":
            return gsn2x_yaml(view)
        case "mermaid":
            return case_mermaid(view)
        case "json":
            return case_json(view.case)
        case "d2":
            return case_d2(view)
        case "cae":
            return case_d2(view, "cae")
        case _:
            return case_markdown(view)


# --- record and review ------------------------------------------------------------------------------------


def _recorded(opened: OpenedCase) -> Act | None:
    """Give the act that records a case as it is; none if the log holds it so already."""
    case, known = opened.case, None
    if opened.governance is not None:
        known = opened.governance.cases.get(case.id)
    document = canonical_bytes(case)
    named = digest_bytes(document)
    if known is not None and known.document == named:
        return None
    body = CaseRecorded(case=case.id, model=case.model, root=opened.examined.root, document=named)
    return Act("case.recorded", body, over=(Signed(name="case", digest=named),), documents=(document,))


def record_case(world: World, name: str | None, *, strict: bool = False) -> "Logged | None":
    """Enter a case as it is in the log; give the entry, or none if it is there already.

    Args:
        world: the surroundings.
        name: its name or file.
        strict: refuse while anything in the case stands in the way of a decision.

    Raises:
        CaseError: CAS003, something stands in the way of a decision.
        LedgerError: LED002, the project keeps no ledger.
    """
    opened = open_case(world, name)
    if strict and opened.examined.blocking:
        raise CaseError(
            *(
                Problem(
                    "CAS003", f"{one.code}: {one.node + ': ' if one.node else ''}{one.message}", one.where, one.hint
                )
                for one in opened.examined.blocking
            )
        )
    made = _recorded(opened)
    return act(world, lambda _: (made,))[0] if made is not None else None


@dataclass(frozen=True)
class ReviewRequest:
    """What somebody says of parts of a case."""

    nodes: tuple[str, ...] = ()
    """Nodes; every node that they may review if none."""
    agrees: bool = True
    """Whether they agree."""
    text: str | None = None
    """In words."""


@dataclass(frozen=True)
class Reviewed:
    """What was reviewed."""

    entries: "tuple[Logged, ...]"
    """Entries of the log."""
    nodes: Mapping[str, str]
    """Node -> content hash that was reviewed."""
    left: Mapping[str, str]
    """Nodes that the person may not review, and why."""


def review_case(world: World, name: str | None, request: ReviewRequest, actor: Actor) -> Reviewed:
    """Enter a review of a case, over its content as it is now; the case is recorded first if it is not.

    Raises:
        CaseError: CAS002, there is no such case or node.
        SigningError: KEY006, the person wrote what they want to review, or nobody is known to have written it.
        LedgerError: LED002, the project keeps no ledger.
    """
    opened = open_case(world, name)
    case, hashes = opened.case, opened.examined.hashes
    chosen = [_known_node(case, one) for one in request.nodes] or list(case.nodes)
    left = {node.id: why for node in chosen if (why := _why_not(case, node, actor.person)) is not None}
    if left and (request.nodes or len(left) == len(chosen)):
        raise _refused_review(opened, left)
    nodes = {node.id: hashes[node.id] for node in chosen if node.id not in left}

    def make(_: Standing) -> Sequence[Act]:
        made = _recorded(opened)
        acts = [made] if made is not None else []
        names = list(nodes)
        for start in range(0, len(names), MAX_REVIEWED):
            part = {one: nodes[one] for one in names[start : start + MAX_REVIEWED]}
            verdict: Literal["agrees", "disagrees"] = "agrees" if request.agrees else "disagrees"
            body = CaseReviewed(case=case.id, nodes=part, verdict=verdict, text=request.text)
            over = (Signed(name="case", digest=digest_bytes(canonical_bytes(case))),)
            acts.append(Act("case.reviewed", body, actor, over))
        return acts

    return Reviewed(act(world, make), nodes, left)


def _refused_review(opened: OpenedCase, left: Mapping[str, str]) -> SigningError:
    """Give why nodes may not be reviewed: each reason once, at the first node that it holds for."""
    first: dict[str, list[str]] = {}
    for node, why in left.items():
        first.setdefault(why, []).append(node)
    hint = "a second person has to review it"
    return SigningError(
        *(
            Problem("KEY006", f"{nodes[0]}{_and_more(nodes)}: {why}", opened.loaded.where(nodes[0]), hint)
            for why, nodes in first.items()
        )
    )


def _and_more(nodes: Sequence[str]) -> str:
    return f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""


def _why_not(case: SafetyCase, node: Node, person: str) -> str | None:
    authors = authors_of(case, node)
    if is_second_person(person, authors):
        return None
    return f"{person} wrote it" if authors else "it does not say who wrote it; add `author` to its file"


def recorded_case(world: World, case_id: str) -> SafetyCase:
    """Give the newest version of a case that the log holds.

    Raises:
        CaseError: CAS002, the log holds none.
        LedgerError: LED002, the project keeps no ledger.
    """
    project = world.project()
    read = governing(world, project).read
    if read is None:
        raise no_ledger("name a file to compare with: --with FILE")
    if case_id not in read.cases:
        hint = "record it with `tidegate case record`, or name a file to compare with: --with FILE"
        raise CaseError(Problem("CAS002", f"the log holds no version of the safety case {case_id}", None, hint))
    with closing(world.ledger()) as store:
        return SafetyCase.model_validate_json(store.document(read.cases[case_id].document))
