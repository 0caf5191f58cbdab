# SPDX-License-Identifier: Apache-2.0
"""The front page, and the pages about the site itself."""

from collections.abc import Iterator

from tidegate.obligations.model import Duty
from tidegate.publish.hub.addresses import (
    TRUST_FILE,
    bundle_file,
    numbered,
    pieces,
    placed,
    proof_file,
    section_page,
    top_of,
    tops_of,
)
from tidegate.publish.hub.duty_views import duty_view
from tidegate.publish.hub.model_views import model_views
from tidegate.publish.hub.parts import Hub, Link, Sheet
from tidegate.publish.hub.practice_views import badge_counts
from tidegate.publish.practices import Change

CHANGES_SHOWN, DUTIES_SHOWN, MODELS_SHOWN = 6, 8, 12
"""What the front page shows of each; the pages that it leads to have the rest."""
CHANGES_EACH = 250
PROOFS_EACH = 300


def front_sheets(hub: Hub) -> Iterator[Sheet]:
    """Give the front page and the pages about the site."""
    yield _front(hub)
    yield from _changes(hub)
    yield from _verify(hub)
    yield Sheet("accessibility.html", "accessibility.html", hub.say("Accessibility"), {})
    yield Sheet("404.html", "missing.html", hub.say("This page is not here"), {})


def _front(hub: Hub) -> Sheet:
    content = hub.content
    counts = badge_counts(hub)
    pressing = [one for one in content.duties if one.state in ("late", "unclear", "due_soon")]
    models = model_views(hub)
    view = {
        "counts": counts,
        "total": sum(n for _, n in counts),
        "models": models[:MODELS_SHOWN],
        "more_models": max(0, len(models) - MODELS_SHOWN),
        "duties": tuple(duty_view(hub, one) for one in pressing[:DUTIES_SHOWN]),
        "more_duties": max(0, len(pressing) - DUTIES_SHOWN),
        "owed": _owed(content.duties),
        "changes": tuple(change_views(hub, content.publication.changes.changes[:CHANGES_SHOWN])),
        "sections": tuple(_doors(hub)),
        "commitments": len(hub.covered),
        "policy": hub.link("policy:adopted", f"{content.policy.title}, {content.policy.version}"),
    }
    refs = [f"decision:{one.record.id}" for model in content.models for one in model.decisions if one.counts]
    return Sheet("index.html", "front.html", hub.say("Transparency hub"), view, proofs=hub.proofs_of(refs[:12]))


def _owed(duties: tuple[Duty, ...]) -> tuple[tuple[str, int], ...]:
    states = ("late", "unclear", "due_soon", "due", "waived", "met")
    found = [(state, sum(one.state == state for one in duties)) for state in states]
    return tuple((state, count) for state, count in found if count)


def _doors(hub: Hub) -> Iterator[tuple[Link, str, int]]:
    sections, practices = hub.content.sections, placed(hub.content)
    for item in tops_of(hub.content):
        below = [one for one in sections.items if top_of(sections, one.id) == item.id]
        names = ", ".join(one.title for one in below if one.parent == item.id)
        yield Link(item.title, section_page(item.id)), names, sum(len(practices.get(one.id, ())) for one in below)


def change_views(hub: Hub, changes: tuple[Change, ...]) -> Iterator[tuple[str, str, Link]]:
    """Give changes as (day, kind, words with a link to what they are about)."""
    for one in changes:
        yield one.on.isoformat(), one.kind, Link(one.title, hub.where.get(one.about or ""))


def _changes(hub: Hub) -> Iterator[Sheet]:
    pages = pieces(hub.content.publication.changes.changes, CHANGES_EACH)
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered("changes.html", n)) for n in range(1, len(pages) + 1))
    for number, some in enumerate(pages, 1):
        yield Sheet(
            numbered("changes.html", number),
            "changes.html",
            hub.say("Changes"),
            {"changes": tuple(change_views(hub, tuple(some)))},
            nav="changes",
            parts=parts if len(pages) > 1 else (),
        )


def _verify(hub: Hub) -> Iterator[Sheet]:
    head = hub.content.head
    proofs = [(ref.replace(":", " ", 1), proof_file(ref)) for ref in sorted(hub.content.proofs)]
    bundles = tuple((one.model.title, bundle_file(one.bundle)) for one in hub.content.models if one.bundle)
    pages = pieces(proofs, PROOFS_EACH)
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered("verify.html", n)) for n in range(1, len(pages) + 1))
    for number, some in enumerate(pages, 1):
        view = {
            "note": head.note if head else "", "files": tuple(some), "bundles": bundles, "trust": TRUST_FILE,
            "is_first": number == 1,
        }  # fmt: skip
        yield Sheet(
            numbered("verify.html", number), "verify.html", hub.say("How to verify what stands here"), view,
            parts=parts if len(pages) > 1 else (),
        )  # fmt: skip
