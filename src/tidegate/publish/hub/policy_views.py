# SPDX-License-Identifier: Apache-2.0
"""The policy, version by version: what it says, and what changed since the version before, by meaning."""

from collections.abc import Iterator
from typing import NamedTuple

from tidegate.policy.changes import OUTCOMES, PolicyDiff, Row, group_name, shown_value
from tidegate.policy.changes import shortened as cut
from tidegate.publish.content import PublishedPolicy
from tidegate.publish.hub.addresses import anchor, numbered, pieces, policy_page
from tidegate.publish.hub.parts import Hub, Link, Sheet

CLAUSES_EACH = 25
"""Changed clauses on one page, with their words before and after."""
WORDS_SHOWN = 900
"""Characters of a clause that are shown; the policy itself holds the rest."""


class FacetView(NamedTuple):
    """One field of a clause that changed."""

    facet: str
    old: str
    new: str
    way: str
    why: str


class ClauseView(NamedTuple):
    """What became of a clause, or of several that say one thing."""

    anchor: str
    name: str
    title: str
    outcome: str
    dimensions: tuple[str, ...]
    changes: tuple[FacetView, ...]
    reasons: tuple[str, ...]
    status: str
    """Whether the policy's own account says so."""
    contradicted: bool
    unclear: bool
    old: str
    new: str


class VersionView(NamedTuple):
    """A version of the policy."""

    link: Link
    version: str
    title: str
    effective: str
    adopted: str
    is_current: bool
    counts: tuple[tuple[str, int], ...]
    silent: int
    material: int


def policy_sheets(hub: Hub) -> Iterator[Sheet]:
    """Give the list of versions, and the page of each."""
    views = tuple(_version(hub, one) for one in hub.content.policies)
    yield Sheet("policy/index.html", "policies.html", hub.say("Policy"), {"versions": views}, nav="policy")
    for one, view in zip(hub.content.policies, views, strict=True):
        yield from _pages(hub, one, view)


def _pages(hub: Hub, one: PublishedPolicy, view: VersionView) -> Iterator[Sheet]:
    path = policy_page(one.policy.version)
    clauses = [_clause(group) for group in one.diff.groups() if group[0].is_material] if one.diff else []
    pages = pieces(clauses, CLAUSES_EACH)
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered(path, n)) for n in range(1, len(pages) + 1))
    for number, some in enumerate(pages, 1):
        yield Sheet(
            path=numbered(path, number),
            template="policy.html",
            title=view.title,
            view={
                "version": view,
                "is_first": number == 1,
                "facts": tuple(_facts(hub, one)),
                "digest": one.policy.digest,
                "thresholds": tuple((each.id, each.title, cut(each.text, 400)) for each in one.policy.thresholds),
                "account": tuple((each.summary, each.kind or "") for each in one.policy.changelog),
                "clauses": tuple(some),
                "since": one.diff.old.label if one.diff else "",
                "rates": _rates(one.diff),
            },
            nav="policy",
            proofs=hub.proofs_of((f"policy:{one.policy.label}",)),
            trail=(Link(hub.say("Policy"), "policy/index.html"),),
            parts=parts if len(pages) > 1 else (),
        )


def _rates(diff: PolicyDiff | None) -> tuple[str, str]:
    if diff is None or diff.silent_rate_strict is None or diff.silent_rate_lenient is None:
        return "", ""
    return f"{diff.silent_rate_strict:.0%}", f"{diff.silent_rate_lenient:.0%}"


def _version(hub: Hub, one: PublishedPolicy) -> VersionView:
    policy, diff = one.policy, one.diff
    counts = diff.counts_by_outcome() if diff else {}
    return VersionView(
        link=Link(f"{policy.title}, {policy.version}", policy_page(policy.version)),
        version=policy.version,
        title=f"{policy.title}, {policy.version}",
        effective=policy.effective.isoformat() if policy.effective else "",
        adopted=one.adopted_on.isoformat() if one.adopted_on else "",
        is_current=policy.version == hub.content.policy.version,
        counts=tuple((name, counts[name]) for name in OUTCOMES if name != "retained" and counts.get(name)),
        silent=len(diff.unaccounted) if diff else 0,
        material=len(diff.material) if diff else 0,
    )


def _facts(hub: Hub, one: PublishedPolicy) -> Iterator[tuple[str, str]]:
    policy = one.policy
    found = [
        (hub.say("Version"), policy.version),
        (hub.say("In effect from"), policy.effective.isoformat() if policy.effective else ""),
        (hub.say("In effect until"), policy.ended.isoformat() if policy.ended else ""),
        (hub.say("Adopted in the log on"), one.adopted_on.isoformat() if one.adopted_on else ""),
        (hub.say("Published by"), policy.publisher),
        (hub.say("Thresholds"), str(len(policy.thresholds))),
        (hub.say("Triggers and cadences"), str(len(policy.triggers))),
        (hub.say("Commitments"), str(len(policy.commitments))),
    ]
    return ((name, value) for name, value in found if value)


def _clause(group: tuple[Row, ...]) -> ClauseView:
    row = group[0]
    announced = row.announcement
    old, new = row.old, row.new[0] if row.new else None
    side = new or old
    return ClauseView(
        anchor=anchor("clause", row.id),
        name=group_name(group),
        title=side.title if side else "",
        outcome=row.outcome,
        dimensions=row.dimensions,
        changes=tuple(
            FacetView(one.facet, cut(shown_value(one.old)), cut(shown_value(one.new)), one.way, one.why)
            for one in row.typed_changes
        ),
        reasons=row.reasons,
        status=announced.status if announced else "",
        contradicted=bool(announced and announced.contradicted),
        unclear=row.direction_unclear,
        old=cut(old.text, WORDS_SHOWN) if old and (row.text_differs or not row.new) else "",
        new=cut(new.text, WORDS_SHOWN) if new and (row.text_differs or row.old is None) else "",
    )
