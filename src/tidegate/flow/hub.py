# SPDX-License-Identifier: Apache-2.0
"""The transparency hub in a folder: made from what the project publishes, checked for what is withheld, then written.

Nothing is written before everything is made and checked. Only what changed is written, and only what this wrote
before is removed.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tidegate.flow.commitments import places_of
from tidegate.flow.hub_bundles import with_bundles
from tidegate.flow.publishing import Collected, collect
from tidegate.flow.world import World
from tidegate.kernel.canonical import plain
from tidegate.kernel.documents import did_you_mean, parse_document, read_bytes, validate_part
from tidegate.kernel.errors import Problem, ProjectError, PublicationError, Where
from tidegate.publish.content import Content
from tidegate.publish.hub.addresses import MAX_PAGE_BYTES
from tidegate.publish.hub.archive import Snapshot, half_of, snapshot
from tidegate.publish.hub.changes import changed
from tidegate.publish.hub.manifest import MAX_MANIFEST_BYTES, NAME, Manifest, Plan, plan, read_manifest
from tidegate.publish.hub.site import SiteOptions, build
from tidegate.publish.hub.speech import ENGLISH, MAX_CATALOGUE_BYTES, Speech, read_catalogue
from tidegate.publish.practices import ChangeFile
from tidegate.publish.redactions import leaks
from tidegate.store.project import alone, write_bytes, write_record
from tidegate.store.publication import read_changes, write_changes

ARCHIVE = Path("hub") / "archive"
STAGING = ".tidegate-hub-new"
"""Folder within the site that holds new files until all of them are there."""
MAX_SNAPSHOT_BYTES = 20_000_000
"""A half-year of sixty practices takes a tenth of a megabyte."""
MAX_SNAPSHOTS = 200
"""Half-years of a century."""

Tell = Callable[[int, int | None], None]
"""Is told how many of how many files are written."""


@dataclass(frozen=True)
class HubOptions:
    """How the hub is made."""

    base_url: str | None = None
    """Where the site will stand, for the ids and links of its feed."""
    catalogue: Path | None = None
    """Message catalogue of the site's language; English if none."""
    locale: str | None = None
    """Language of the catalogue, if its header does not say it."""
    bundles: bool = False
    """True to put a verifiable bundle for each model with decisions beside the site, with the keys to trust."""

    @property
    def words(self) -> tuple[str, ...]:
        """Options of the command that makes the same site."""
        found = [*(("--base-url", self.base_url) if self.base_url else ())]
        found += [*(("--catalogue", self.catalogue.name) if self.catalogue else ())]
        return (*found, *(("--bundles",) if self.bundles else ()))


@dataclass(frozen=True)
class PublishedHub:
    """What was done to the folder."""

    written: tuple[str, ...]
    """Files that are new or changed."""
    unchanged: tuple[str, ...]
    """Files that stayed as they were."""
    removed: tuple[str, ...]
    """Files that are gone."""
    pages: tuple[str, ...]
    """Every page of the site."""
    warnings: tuple[Problem, ...] = ()
    """What a person should know."""

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "written": list(self.written),
            "unchanged": len(self.unchanged),
            "removed": list(self.removed),
            "pages": len(self.pages),
            "warnings": [one.to_json() for one in self.warnings],
        }


@dataclass(frozen=True)
class _Prepared:
    """A hub, ready to be made."""

    content: Content
    options: SiteOptions
    changes: ChangeFile
    """The changelog as the project keeps it, with what is new."""
    archived: Snapshot
    """The half-year of the day."""
    is_newest: bool
    """False if something later was published before: then the project keeps what it has."""


def publish_hub(
    world: World, output: Path, options: HubOptions = HubOptions(), tell: Tell = lambda _done, _total: None
) -> PublishedHub:
    """Write the transparency hub into a folder, and keep changelog and half-year in the project.

    As of a day before the last publication, the site is made as it was then as far as the project still knows, and
    the project keeps what it has.

    Raises:
        PublicationError: PUB006, withheld words would show; PUB007, the catalogue cannot be used; PUB008, the folder
            holds something else, or cannot be written. Nothing is written.
        PublicationError: PUB004, a practice names a section that the hub does not have.
        TidegateError: the project, its publication files or its log are not in order.
    """
    with alone(world.root):
        return _publish(world, output, options, tell)


def _publish(world: World, output: Path, options: HubOptions, tell: Tell) -> PublishedHub:
    before = _manifest_of(output)
    speech = _speech(options)
    collected = collect(world)
    _check_sections(collected.content, world.root)
    content, bundles = with_bundles(world, collected.content) if options.bundles else (collected.content, ())
    prepared = _prepared(world, collected._replace(content=content), options, speech)
    site = {**build(prepared.content, prepared.options), **{one.path: one for one in bundles}}
    found = plan(site, before, _existing(output, before))
    refuse_leaks(found, prepared, collected.secrets)
    _write(output, found, before, tell)
    if prepared.is_newest and prepared.changes != read_changes(world.root):
        write_changes(world.root, prepared.changes)
    if prepared.is_newest and prepared.archived not in _kept(world):
        write_record(world.root / ARCHIVE / f"{prepared.archived.half}.json", prepared.archived)
    pages = tuple(one for one in site if one.endswith(".html"))
    return PublishedHub(tuple(found.write), tuple(found.keep), found.remove, pages, _warnings(found))


def _check_sections(content: Content, root: Path) -> None:
    """Refuse practices that would stand nowhere. Raises PUB004 for all of them."""
    known = {one.id for one in content.sections.items}
    lost = [one for one in content.publication.practices if one.section not in known]
    places = places_of(root, "section") if lost else {}
    problems = [
        Problem(
            "PUB004",
            f"the practice {one.id} names the section {one.section!r}, which the hub does not have",
            places.get(f"practice:{one.id}", Where("hub")),
            did_you_mean(one.section, known) or f"sections: {', '.join(sorted(known))}",
        )
        for one in lost
    ]
    if problems:
        raise PublicationError(*problems)


def _speech(options: HubOptions) -> Speech:
    if options.catalogue is None:
        return ENGLISH
    data = read_bytes(options.catalogue, max_bytes=MAX_CATALOGUE_BYTES)
    return read_catalogue(data, options.locale, options.catalogue.name)


def _prepared(world: World, collected: Collected, options: HubOptions, speech: Speech) -> _Prepared:
    """Give the content with its changelog brought up to date, and the half-years that the site shows."""
    content, archived = collected.content, _kept(world)
    is_newest = all(one.at <= content.at for one in archived)
    known = content.publication.changes
    now = changed(content, speech) if is_newest else _until(known, content.at)
    new = () if not is_newest else now.changes[: len(now.changes) - len(known.changes)]
    # The project's own file keeps the marks of its redactions, which the published edition has lost.
    kept = read_changes(world.root)
    changes = kept.model_copy(update={"changes": (*new, *kept.changes), "published": now.published})
    publication = content.publication.model_copy(update={"changes": now})
    content = replace(content, publication=publication)
    present = snapshot(content)
    archives = (*(one for one in archived if one.half < present.half), present)
    made = SiteOptions(speech, _base_url(options.base_url), archives, collected.facts, options.words)
    return _Prepared(content, made, changes, present, is_newest)


def _until(changes: ChangeFile, day: date) -> ChangeFile:
    """Give the changelog as it was on a day."""
    return changes.model_copy(update={"changes": tuple(one for one in changes.changes if one.on <= day)})


def _base_url(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        parts = urlsplit(given)
    except ValueError:
        parts = urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or parts.query
        or parts.fragment
        or not given.isprintable()
    ):
        hint = "as in https://trust.example.org/hub/"
        raise ProjectError(Problem("PRJ005", f"{given!r} is not the address of a site", None, hint))
    return f"{given.rstrip('/')}/"


def _kept(world: World) -> tuple[Snapshot, ...]:
    """Give the half-years that the project keeps.

    Raises:
        PublicationError: PUB008, a file holds another half-year than its name says.
    """
    folder = world.root / ARCHIVE
    found: list[Snapshot] = []
    for path in sorted(folder.glob("*.json"))[:MAX_SNAPSHOTS] if folder.is_dir() else ():
        name = f"{ARCHIVE.as_posix()}/{path.name}"
        data = read_bytes(path, max_bytes=MAX_SNAPSHOT_BYTES)
        one = validate_part(parse_document(data, name, max_bytes=MAX_SNAPSHOT_BYTES), Snapshot)
        if one.half != path.stem or half_of(one.at) != one.half:
            raise PublicationError(Problem("PUB008", f"it holds {one.half}, published on {one.at}", Where(name)))
        found.append(one)
    return tuple(found)


def refuse_leaks(found: Plan, prepared: _Prepared, secrets: frozenset[str]) -> None:
    """Look for withheld words in everything that the folder and the project will hold.

    Raises:
        PublicationError: PUB006, an output holds some.
    """
    kept = {
        "hub/changelog.yaml": json.dumps(plain(prepared.content.publication.changes), ensure_ascii=False).encode(),
        f"hub/archive/{prepared.archived.half}.json": json.dumps(plain(prepared.archived), ensure_ascii=False).encode(),
    }
    problems = leaks({**found.write, **found.keep, **kept}, secrets)
    if problems:
        raise PublicationError(*problems)


def _warnings(found: Plan) -> tuple[Problem, ...]:
    hint = "divide it: give its practices to several sections, or shorten what they say"
    return tuple(
        Problem(
            "PUB008",
            f"{len(data):,} bytes; a page should have at most {MAX_PAGE_BYTES:,}",
            Where(path),
            hint,
            "warning",
        )
        for path, data in {**found.write, **found.keep}.items()
        if path.endswith(".html") and len(data) > MAX_PAGE_BYTES
    )


# --- the folder -----------------------------------------------------------------------------------------------


def _manifest_of(output: Path) -> Manifest:
    """Give what a folder holds of a hub: nothing, if it is new or empty.

    Raises:
        PublicationError: PUB008, it holds something else.
    """
    where = Where(str(output))
    try:
        if not output.exists():
            return Manifest()
        if not output.is_dir():
            raise PublicationError(Problem("PUB008", "it is not a folder", where, "name a new folder"))
        if (output / NAME).is_file():
            return read_manifest(read_bytes(output / NAME, max_bytes=MAX_MANIFEST_BYTES))
        if any(output.iterdir()):
            hint = "name a new folder, or one that a hub was published to"
            raise PublicationError(Problem("PUB008", "the folder holds something else than a hub", where, hint))
    except (OSError, ValueError) as error:
        raise PublicationError(Problem("PUB008", f"cannot be read: {_words(error)}", where)) from None
    return Manifest()


def _existing(output: Path, before: Manifest) -> Mapping[str, bytes]:
    """Give the files of the manifest that are there; a link or a folder in their place is not one of them."""
    found: dict[str, bytes] = {}
    for name in before.files:
        path = output / name
        try:
            if path.is_file() and not path.is_symlink():
                found[name] = path.read_bytes()
        except OSError:
            # It is written again, which says what is wrong if it still is.
            continue
    return found


def _write(output: Path, found: Plan, before: Manifest, tell: Tell) -> None:
    staging = output / STAGING
    try:
        output.mkdir(parents=True, exist_ok=True)
        _refuse_links(output, (*found.write, *found.remove))
        _refuse_strangers(output, found, before)
        shutil.rmtree(staging, ignore_errors=True)
        for number, (name, data) in enumerate(found.write.items(), 1):
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            tell(number, len(found.write))
        # Whoever is interrupted from here on leaves a folder that the next run knows as a hub, and puts in order.
        _keep_manifest(output, Manifest(files={**before.files, **found.manifest.files}))
        for name in found.write:
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).replace(output / name)
        for name in found.remove:
            (output / name).unlink(missing_ok=True)
        _remove_empty(output, found.remove)
        _keep_manifest(output, found.manifest)
    except (OSError, ValueError) as error:
        raise PublicationError(Problem("PUB008", f"cannot be written: {_words(error)}", Where(str(output)))) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _keep_manifest(output: Path, manifest: Manifest) -> None:
    data = json.dumps({"schema": manifest.schema_, **plain(manifest)}, indent=0, sort_keys=True).encode()
    write_bytes(output / NAME, data)


def _refuse_strangers(output: Path, found: Plan, before: Manifest) -> None:
    """Refuse to write over files that this did not write."""
    problems = [
        Problem(
            "PUB008", "a file stands there that this did not write", Where(name), "move it away, or publish elsewhere"
        )
        for name, data in found.write.items()
        if name not in before.files and _is_other(output / name, data)
    ]
    if problems:
        raise PublicationError(*problems)


def _is_other(path: Path, data: bytes) -> bool:
    return path.is_symlink() or (path.exists() and not (path.is_file() and path.read_bytes() == data))


def _refuse_links(output: Path, names: Iterable[str]) -> None:
    """Refuse folders of the site that lead out of it."""
    root = output.resolve()
    for folder in sorted({(output / name).parent for name in names} | {output / STAGING}):
        if not folder.resolve().is_relative_to(root):
            raise PublicationError(Problem("PUB008", "a link leads out of the folder", Where(str(folder)), "remove it"))


def _remove_empty(output: Path, names: Iterable[str]) -> None:
    for folder in sorted({(output / name).parent for name in names}, reverse=True):
        if folder != output and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _words(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
