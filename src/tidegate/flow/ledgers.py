# SPDX-License-Identifier: Apache-2.0
"""The log of acts: who acts, what is entered, and whether the project's files are what was entered."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.evidence.model import EvidenceSet, Restatement, merge
from tidegate.evidence.models import Model
from tidegate.flow.world import World, ledger_url
from tidegate.govern.files import FILE_KINDS, FilesOfRecord, disagreements, logged_files
from tidegate.govern.governance import Governance, governance
from tidegate.govern.keyring import KEEPER
from tidegate.govern.people import Person, find_person
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.clock import day_of
from tidegate.kernel.errors import LedgerError, Problem, ProjectError, SigningError, Where
from tidegate.kernel.record import Record
from tidegate.ledger.acts import (
    EvidenceImported,
    EvidenceRestated,
    EvidenceRetracted,
    KeyAdded,
    LedgerOpened,
    ModelRecorded,
    PolicyAdopted,
)
from tidegate.ledger.entries import KINDS, Entry, Signed, new_entry
from tidegate.ledger.keys import Signer
from tidegate.ledger.signing import proof_bytes, sign_entry
from tidegate.policy.model import Policy
from tidegate.store.project import (
    PROJECT_FILE,
    LedgerSettings,
    Project,
    RecordFile,
    read_restatements,
    read_settings,
    write_text,
)

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore, Logged, SealedContent

ATTEMPTS = 8
"""How often an act is tried again when others add to the log in between."""


@dataclass(frozen=True)
class Actor:
    """Somebody who acts, with the key that signs for them."""

    person: str
    signer: Signer


@dataclass(frozen=True)
class Act:
    """Something to enter in the log."""

    kind: str
    body: Record
    actor: Actor | None = None
    over: tuple[Signed, ...] = ()
    documents: Sequence[bytes] = field(default=(), repr=False)
    sealed: "Sequence[SealedContent]" = field(default=(), repr=False)
    acted_at: str | None = None
    """When; the present instant if none."""


def actor_for(world: World, person: str, signer: Signer) -> Actor:
    """Give a person of the project with their key.

    Raises:
        SigningError: KEY004, `tidegate.yaml` does not know the person.
    """
    return Actor(find_person(read_settings(world.root).people, person).id, signer)


def entry_of(world: World, act: Act, origin: str | None = None) -> Entry:
    """Give the entry of an act for the project's log (or for the one named), signed where its kind asks for it.

    Raises:
        LedgerError: LED005, it has to be signed and nobody acts; LED004, it is too large.
    """
    made = new_entry(
        act.kind,
        act.body,
        entry_id=world.ids(),
        acted_at=act.acted_at or world.now(),
        by=act.actor.person if act.actor else None,
        log=origin or world.log_origin(),
        over=act.over,
    )
    if not KINDS[act.kind].is_signed:
        return made
    if act.actor is None:
        raise LedgerError(
            Problem("LED005", f"{act.kind} has to be signed", None, "say who acts: --as PERSON --key FILE")
        )
    return sign_entry(made, act.actor.signer)


def record_acts(world: World, acts: Sequence[Act], *, expect_size: int | None = None) -> "tuple[Logged, ...]":
    """Enter acts in the log, all or none, and give them as they stand there.

    Raises:
        LedgerError: LED006, the log has grown since `expect_size`; LED002, LED004, LED005.
    """
    with closing(world.ledger()) as store:
        entries = [entry_of(world, act) for act in acts]
        indexes = store.append(
            entries,
            documents=[document for act in acts for document in act.documents],
            sealed=[one for act in acts for one in act.sealed],
            expect_size=expect_size,
        )
        return tuple(store.find(index) for index in indexes)


def record_act(world: World, act: Act, *, expect_size: int | None = None) -> "Logged":
    """Enter one act. Raises as `record_acts` does."""
    return record_acts(world, (act,), expect_size=expect_size)[0]


def governance_in(store: "LedgerStore", people: Sequence[Person], until: date | None = None) -> Governance:
    """Give who decided what, from the log as it stood at the end of a day (now, if none)."""
    found = ((one.index, one.entry) for one in store.entries())
    if until is not None:
        found = ((index, entry) for index, entry in found if day_of(entry.acted_at) <= until)
    return governance(found, store.documents_get, people)


def governance_of(world: World) -> Governance:
    """Give who decided what, from the project's log."""
    with closing(world.ledger()) as store:
        return governance_in(store, read_settings(world.root).people)


# --- the project's files and the log ------------------------------------------------------------------


def files_of(project: Project) -> FilesOfRecord:
    """Give what a project is made of, by digest."""
    policy = project.policy.policy
    return FilesOfRecord(
        policy=policy.digest,
        policy_document=digest_bytes(canonical_bytes(policy)),
        imports={
            name: digest_bytes(canonical_bytes(one)) for name, one in zip(project.paths, project.imports, strict=True)
        },
        restatements=tuple(digest_bytes(canonical_bytes(one)) for one in read_restatements(project.root)),
        models={model.id: digest_bytes(canonical_bytes(model)) for model in project.models},
    )


def files_in(store: "LedgerStore", until: date | None = None, size: int | None = None) -> FilesOfRecord:
    """Give the same from the log, as it stood at the end of a day (now, if none), or when it had `size` entries."""
    entries = (one.entry for one in store.entries(stop=size, kinds=FILE_KINDS))
    return logged_files(entry for entry in entries if until is None or day_of(entry.acted_at) <= until)


def doubts(project: Project, store: "LedgerStore") -> tuple[str, ...]:
    """Say why the project's files cannot be relied on: where they are not what was entered in the log."""
    enter, restore = (
        "; if the files are right, enter them with `tidegate ledger record`",
        "; put the file back as it was",
    )
    return tuple(
        f"{one}{restore if is_broken(one) else enter}" for one in disagreements(files_of(project), files_in(store))
    )


def is_broken(disagreement: str) -> bool:
    """Tell whether a file of record was changed or is gone, which is never entered over."""
    changed = "evidence file" in disagreement and "is not in the ledger" not in disagreement
    return changed or "missing from the files" in disagreement


def record_files(world: World, kinds: frozenset[str] = FILE_KINDS) -> "tuple[Logged, ...]":
    """Enter what stands in the project's files and is not in the log yet; give the new entries.

    Args:
        world: the surroundings.
        kinds: kinds of entries that are meant; others stay out, and keep the gate closed until they are entered.

    Raises:
        ProjectError: PRJ006, a file of record is not what was entered, or is gone: that is never entered over.
        LedgerError: LED006, others kept adding to the log.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _record_files(world, kinds)
        except LedgerError as error:
            if error.problems[0].code != "LED006" or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def _record_files(world: World, kinds: frozenset[str]) -> "tuple[Logged, ...]":
    with closing(world.ledger()) as store:
        # The size comes first: what others enter from here on is noticed, and everything is looked at again.
        size = store.size
        project = world.project()
        logged = files_in(store, size=size)
    files = files_of(project)
    broken = [one for one in disagreements(files, logged) if is_broken(one)]
    if broken:
        hint = "put the file back as it was; records are corrected by `tidegate evidence restate`"
        raise ProjectError(*(Problem("PRJ006", one, Where(PROJECT_FILE), hint) for one in broken))
    acts = [*_policy_acts(project.policy.policy, files, logged), *_model_acts(project.models, files, logged)]
    acts += _import_acts(project, files, logged)
    acts += _restatement_acts(read_restatements(project.root), logged)
    chosen = [act for act in acts if act.kind in kinds]
    return record_acts(world, chosen, expect_size=size) if chosen else ()


def _policy_acts(policy: Policy, files: FilesOfRecord, logged: FilesOfRecord) -> Iterable[Act]:
    if files.policy != logged.policy:
        document = canonical_bytes(policy)
        body = PolicyAdopted(
            label=policy.label, policy_digest=policy.digest, document=digest_bytes(document), was=logged.policy
        )
        yield Act("policy.adopted", body, documents=(document,))


def _model_acts(models: Sequence[Model], files: FilesOfRecord, logged: FilesOfRecord) -> Iterable[Act]:
    for model in models:
        if logged.models.get(model.id) != files.models[model.id]:
            document = canonical_bytes(model)
            snapshots = tuple(one.id for one in model.snapshots)
            body = ModelRecorded(model=model.id, snapshots=snapshots, document=digest_bytes(document))
            yield Act("model.recorded", body, documents=(document,))


def _import_acts(project: Project, files: FilesOfRecord, logged: FilesOfRecord) -> Iterable[Act]:
    for kept_as, one in zip(project.paths, project.imports, strict=True):
        if kept_as in logged.imports:
            continue
        document = canonical_bytes(one)
        body = EvidenceImported(
            file=one.file,
            file_digest=one.digest,
            format=one.format,
            records=len(one.evidence.records),
            kept_as=kept_as,
            document=files.imports[kept_as],
        )
        yield Act("evidence.imported", body, documents=(document,))


def _restatement_acts(restatements: Sequence[Restatement], logged: FilesOfRecord) -> Iterable[Act]:
    for one in restatements:
        document = canonical_bytes(one)
        named = digest_bytes(document)
        if named in logged.restatements:
            continue
        if one.by is None:
            yield Act(
                "evidence.retracted",
                EvidenceRetracted(supersedes=one.supersedes, reason=one.reason, document=named),
                documents=(document,),
            )
        else:
            yield Act(
                "evidence.restated",
                EvidenceRestated(supersedes=one.supersedes, by=one.by, reason=one.reason, document=named),
                documents=(document,),
            )


@dataclass(frozen=True)
class AsLogged:
    """A project as its log shows it."""

    policy: Policy
    models: tuple[Model, ...]
    evidence: EvidenceSet


def as_logged(store: "LedgerStore", until: date) -> AsLogged | None:
    """Give policy, models and evidence as the log held them at the end of a day; none if it held no policy yet."""
    files = files_in(store, until)
    if files.policy_document is None:
        return None

    def document(named: str) -> bytes:
        data = store.document(named)
        if digest_bytes(data) != named:
            raise LedgerError(Problem("LED009", f"the document {named[:19]}... is not what its digest says"))
        return data

    policy = Policy.model_validate_json(document(files.policy_document))
    models = tuple(Model.model_validate_json(document(one)) for _, one in sorted(files.models.items()))
    imports = [RecordFile.model_validate_json(document(one)).evidence for _, one in sorted(files.imports.items())]
    stated = tuple(Restatement.model_validate_json(document(one)) for one in files.restatements)
    return AsLogged(policy, models, merge([*imports, EvidenceSet(restatements=stated)]))


# --- begin a log --------------------------------------------------------------------------------------


def open_log(world: World, *, origin: str, log_key: str, keeper: Actor, url: str | None = None) -> "tuple[Logged, ...]":
    """Begin the project's log: its first entries, the keeper's key, and everything that stands in the files.

    Raises:
        LedgerError: LED002, the project has a log already.
        SigningError: KEY004, the keeper is not a person of the project with the role ``keeper``.
    """
    from tidegate.store.ledger import open_ledger  # noqa: PLC0415 - a project without a log need not load it

    settings = read_settings(world.root)
    if settings.ledger is not None:
        raise LedgerError(
            Problem("LED002", "this project keeps a ledger already", Where(PROJECT_FILE), "see `tidegate ledger log`")
        )
    person = find_person(settings.people, keeper.person)
    if KEEPER not in person.roles:
        hint = f"give somebody the role `{KEEPER}` in tidegate.yaml: who keeps the log enters the keys of others"
        raise SigningError(Problem("KEY004", f"{person.id} does not hold the role {KEEPER}", Where(PROJECT_FILE), hint))
    chosen = LedgerSettings.model_validate({"origin": origin, "log_key": log_key, **({"url": url} if url else {})})
    address = ledger_url(world.root, chosen.url)
    if address.startswith("sqlite:///"):
        Path(address.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    added = KeyAdded(
        person=person.id,
        roles=tuple(sorted(person.roles)),
        public_key=keeper.signer.public_key,
        proof=keeper.signer.sign(proof_bytes(person.id, tuple(sorted(person.roles)), keeper.signer.public_key)),
    )
    acts = (
        Act("ledger.opened", LedgerOpened(origin=origin, organisation=settings.organisation)),
        Act("key.added", added, keeper),
    )
    entries = [entry_of(world, act, origin) for act in acts]
    with closing(open_ledger(address, create=True)) as store:
        indexes = store.append(entries, expect_size=0)
        first = tuple(store.find(index) for index in indexes)
    _add_settings(world.root, chosen)
    return (*first, *record_files(world))


def _add_settings(root: Path, settings: LedgerSettings) -> None:
    """Write the section `ledger` at the end of `tidegate.yaml`; nothing else in it is touched."""
    import yaml  # noqa: PLC0415 - only here

    text = (root / PROJECT_FILE).read_text(encoding="utf-8")
    section = yaml.safe_dump(
        {"ledger": settings.model_dump(mode="json", exclude_defaults=False, exclude={"witnesses"})}, sort_keys=False
    )
    write_text(root / PROJECT_FILE, text.rstrip("\n") + "\n" + section)
