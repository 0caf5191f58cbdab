# SPDX-License-Identifier: Apache-2.0
"""The compliance review of a period, from what is on record by now about the time up to its end."""

from datetime import date

from tidegate.flow.duty_events import Unrecorded
from tidegate.flow.logs import checkpoint_note
from tidegate.flow.obligations import Standing, end_of, standing
from tidegate.flow.world import World
from tidegate.kernel.clock import Instant, day_of
from tidegate.kernel.errors import Problem, ProjectError
from tidegate.obligations.model import Event
from tidegate.policy.model import EvaluationChange
from tidegate.publish.compliance import Departure, Granted, Material, Review, review


def compliance_review(
    world: World, start: date, end: date, *, is_public: bool = False, known: date | None = None
) -> Review:
    """Give the review of a period, whole or as it may be published.

    Args:
        world: the surroundings.
        start: first day.
        end: last day; of a period that goes on, the review tells how it stands now.
        is_public: True for the version without people's names and without what is not public.
        known: what was recorded after this day is not used; that is today, if none.

    Raises:
        ProjectError: PRJ005, the period ends before it begins, or has not begun.
        TidegateError: the project or its log is not in order.
    """
    if start > end:
        raise ProjectError(Problem("PRJ005", f"the period from {start} to {end} ends before it begins"))
    if start > world.today:
        raise ProjectError(Problem("PRJ005", f"the period from {start} has not begun", None, "see `tidegate due`"))
    at = min(end_of(end), world.now())
    until = end_of(known) if known is not None else max(world.now(), at)
    found = standing(world, min(at, until), known=until)
    material = Material(
        organisation=found.organisation,
        policy=found.policy,
        start=start,
        end=end,
        at=found.at,
        duties=found.duties,
        waivers=tuple(one for one in found.records.waivers if _was_signed(one.signatures[0].at, found.at)),
        granted=_granted(found),
        changes=_changes(found),
        unrecorded=tuple(_unrecorded(one) for one in found.unrecorded),
        adopted=tuple(one for one in found.events if one.kind == "policy.adopted" and start <= _day(one) <= end),
        recorded={f"entry {one.index}": day_of(one.at) for one in found.records.events},
        doubts=found.doubts,
        checkpoint=_checkpoint(world),
    )
    return review(material, is_public=is_public)


def _day(event: Event) -> date:
    return event.at if isinstance(event.at, date) else day_of(event.at)


def _was_signed(when: Instant, at: Instant) -> bool:
    return when <= at


def _changes(found: Standing) -> tuple[tuple[EvaluationChange, str], ...]:
    """Give the replacements that the policy of the period records, or a later one records about it, each once."""
    policies = ((found.policy, found.policy_source), found.newest)
    known = {
        one: f"{policy.label}, {source}" for policy, source in reversed(policies) for one in policy.evaluation_changes
    }
    return tuple(sorted(known.items(), key=lambda pair: (pair[0].on, pair[0].threshold, pair[0].now)))


def _unrecorded(one: Unrecorded) -> Departure:
    was, now = ", ".join(one.was) or "none", ", ".join(one.now) or "none"
    what = f"{now} in place of {was}" if one.was or one.now else "it is decided by another rule"
    return Departure(
        kind="unrecorded change",
        what=f"{one.threshold}: {what}",
        since=one.on,
        until=None,
        why="The policy does not record it.",
        signed_by=(),
        source=f"entry {one.entry}",
    )


def _granted(found: Standing) -> tuple[Granted, ...]:
    """Give the measures of decisions that took effect, with their entries."""
    entries = {
        (one.subject, one.note): int(one.source.removeprefix("entry "))
        for one in found.events
        if one.kind == "waiver.recorded" and one.source.startswith("entry ")
    }
    return tuple(
        Granted(measure, record, entries.get((record.id, f"{measure.kind.replace('_', ' ')} {measure.waiver}")))
        for _, record in sorted(found.governance.decisions.items())
        if record.effective_on is not None
        for measure in record.waivers
    )


def _checkpoint(world: World) -> tuple[str, ...]:
    if not world.has_ledger():
        return ("This project keeps no log, so nothing proves when this was recorded.",)
    note = checkpoint_note(world)
    if note is None:
        return ("No checkpoint of the log has been signed yet.",)
    origin, size, root, *_ = note.split("\n")
    return (f"Log checkpoint: {origin}, {size} entries, root {root}.",)
