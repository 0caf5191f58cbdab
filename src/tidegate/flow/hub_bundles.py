# SPDX-License-Identifier: Apache-2.0
"""Verifiable bundles beside the hub, so that readers find on the site what the command on it names."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import yaml

from tidegate.flow.bundles import make_bundle, trust_of
from tidegate.flow.world import World
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import Instant
from tidegate.publish.content import Content
from tidegate.publish.hub.addresses import TRUST_FILE, bundle_file, slug
from tidegate.publish.hub.site import Leaf


def with_bundles(world: World, content: Content) -> tuple[Content, tuple[Leaf, ...]]:
    """Give the content that names a bundle for each model with decisions, and those bundles with the keys to trust.

    The same records give the same bundles all day: a bundle says to be of the last moment that the log shows.

    Raises:
        LedgerError: LED002, the project keeps no ledger; LED007, its checkpoint is missing, or older than what a
            bundle has to show.
        ProjectError: PRJ006, files and log disagree.
        BundleError: BUN002, a bundle would show what is withheld, or be too large.
    """
    decided = {one.model.id: f"{slug(one.model.id)}.tidegate" for one in content.models if one.decisions}
    models = tuple(replace(one, bundle=decided.get(one.model.id)) for one in content.models)
    return replace(content, models=models), tuple(_files(world, decided))


def _files(world: World, decided: dict[str, str]) -> Iterator[Leaf]:
    told = trust_of(world).model_dump(mode="json", by_alias=True)
    yield _leaf(TRUST_FILE, yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=1000).encode())
    moment = _moment(world)
    then = replace(world, now_clock=lambda: moment)
    for model, name in decided.items():
        yield _leaf(bundle_file(name), make_bundle(then, model))


def _moment(world: World) -> Instant:
    """Give the last moment of today that the log shows; the day's beginning, if it shows none."""
    with closing(world.ledger()) as store:
        acted = [one.entry.acted_at for one in store.entries()]
    return max((*acted, f"{world.today.isoformat()}T00:00:00Z"))


def _leaf(path: str, data: bytes) -> Leaf:
    return Leaf(path, digest_bytes(data), lambda: data)
