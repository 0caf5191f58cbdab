# SPDX-License-Identifier: Apache-2.0
"""Incidents as they are shown on a terminal and as JSON."""

from typing import TYPE_CHECKING, Any

import typer

from tidegate.cli.shell import clean, console, counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from tidegate.incidents.clocks import IncidentClock
    from tidegate.incidents.model import Incident, Stated
    from tidegate.incidents.severity import Severity


def clock_json(clock: "IncidentClock", at: str) -> dict[str, Any]:
    """Give a clock as data."""
    left = clock.left(at)
    started, duty = clock.started, clock.duty
    return {
        "rule": clock.rule.id,
        "title": clock.rule.title,
        "law": clock.law,
        "to": clock.rule.to,
        "state": clock.state,
        "would_run": clock.is_possible,
        "open_questions": list(clock.open_questions),
        "from": {"event": started.kind, "at": str(started.at)} if started else None,
        "due_on": str(duty.due_on) if duty and duty.due_on else None,
        "due_at": clock.due_at,
        "due_local": _local(clock),
        "timezone": clock.timezone,
        "seconds_left": int(left.total_seconds()) if left is not None else None,
        "done_at": str(duty.done.at) if duty and duty.done else None,
        "why": clock.why,
    }


def _local(clock: "IncidentClock") -> str | None:
    """Give the last moment in the zone in which the rule's days are counted."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from tidegate.kernel.clock import moment

    if clock.due_at is None:
        return None
    try:
        return moment(clock.due_at).astimezone(ZoneInfo(clock.timezone)).strftime("%Y-%m-%d %H:%M %Z")
    except ZoneInfoNotFoundError:
        return None


def print_clocks(name: str, found: "Sequence[IncidentClock]", at: str) -> None:
    """Print the clocks that have a date as a table, and why each other one has none."""
    running = [one for one in found if one.due_at is not None]
    out = console()
    typer.echo(clean(f"Clocks of {name} at {at}"))
    if running:
        out.print(_clock_table(running, at))
        _reasons("How they are counted", running)
    else:
        typer.echo("No clock runs.\n")
    for heading, states in (("Cannot be computed", ("unclear",)), ("Not running", ("not_started", "not_applicable"))):
        _reasons(heading, [one for one in found if one.due_at is None and one.state in states])


def _reasons(heading: str, found: "Sequence[IncidentClock]") -> None:
    if found:
        typer.echo(f"\n{heading}:")
    for one in found:
        typer.echo(clean(f"  {one.rule.id}: {one.why}"))


def _clock_table(running: "Sequence[IncidentClock]", at: str) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1), collapse_padding=True)
    for head in ("Clock", "From", "Due", "Left", "State"):
        table.add_column(Text(head, "bold"), overflow="fold", no_wrap=head in ("Clock", "From", "Due"))
    for one in running:
        started = one.started
        counted_from = f"{started.kind.removeprefix('incident.')}\n{started.at}" if started else "-"
        cells = (
            f"{one.rule.id}\n{one.law}",
            counted_from,
            _due(one),
            _left(one.left(at)),
            _state(one).replace(", ", ",\n"),
        )
        style = {"late": "bold red", "due_soon": "yellow"}.get(one.state, "")
        table.add_row(*(Text(clean(cell), style if number == 4 else "") for number, cell in enumerate(cells)))
    return table


def _due(clock: "IncidentClock") -> str:
    return "\n".join(one for one in (clock.due_at, _local(clock) if clock.timezone != "UTC" else None) if one)


def _left(left: "timedelta | None") -> str:
    from tidegate.incidents.clocks import time_words

    return "-" if left is None else time_words(left)


def _state(clock: "IncidentClock") -> str:
    from tidegate.incidents.clocks import state_words

    return state_words(clock)


def title_of(incident: "Incident") -> str:
    """Give the title of an incident on one line, or why it has none."""
    from tidegate.incidents.clocks import is_gone

    if is_gone(incident):
        return "(erased after its retention)"
    words = " ".join(incident.title.split()) or "(its title cannot be read)"
    return f"{words}  ({counted(len(incident.problems), 'problem')})" if incident.problems else words


def next_date(found: "Sequence[IncidentClock]", now: str) -> str:
    """Give the clock that ends first, with the time that is left."""
    running = [one for one in found if one.left(now) is not None]
    if not running:
        return ""
    first = min(running, key=lambda one: one.due_at or "")
    return f"  {first.rule.id}: {_left(first.left(now))} ({_state(first)})"


def print_incident(incident: "Incident", severity: "Sequence[Severity]") -> None:
    """Print everything on record about an incident."""
    from tidegate.incidents.questions import VERDICT_WORDS, classify

    typer.echo(clean(f"{incident.id}: {title_of(incident)}"))
    typer.echo(clean(f"{incident.state}, put on record {incident.opened_at} by {incident.opened_by}"))
    if incident.retained_until:
        typer.echo(f"kept until {incident.retained_until}")
    for words in clean(incident.summary).splitlines():
        typer.echo(f"  | {words}")
    for head, several in (
        ("Models", incident.models),
        ("Jurisdictions", incident.jurisdictions),
        ("Evidence", incident.evidence),
        ("Threshold", (incident.threshold,) if incident.threshold else ()),
    ):
        if several:
            typer.echo(clean(f"{head}: {', '.join(several)}"))
    _listed("Times, as they were stated", [_stated(one, incident) for one in incident.history])
    _listed("Answers", [f"{question}: {answer}" for question, answer in sorted(incident.answers.items())])
    verdicts = [f"{one.kind.id}: {VERDICT_WORDS[one.verdict]} ({', '.join(one.because)})" for one in classify(incident)]
    _listed("Classes", verdicts)
    _listed("Severity", [f"{one.scale.id}: {one.title}{_detail(one)}" for one in severity])
    _listed("Fields", [f"{name}: {' '.join(text.split())}" for name, text in sorted(incident.fields.items())])
    _listed("Notices", _notices(incident))
    _listed("Entries", [f"{one.index}: {one.kind} by {one.by} at {one.at}" for one in incident.revisions])


def _notices(incident: "Incident") -> list[str]:
    """Give every notice with its entry, also what was taken back."""
    found = [(one, one.notice) for one in incident.revisions]
    return [
        f"{notice.rule} ({notice.kind}) to {notice.to} at {notice.sent_at}, put on record {one.at} by {one.by} "
        f"(entry {one.index}){_lacks(notice.missing)}{', taken back' if one.index in incident.taken_back else ''}"
        for one, notice in found
        if notice is not None
    ]


def _listed(heading: str, lines: "Sequence[str]") -> None:
    if lines:
        typer.echo(f"{heading}:")
    for line in lines:
        typer.echo(f"  {clean(' '.join(line.split()))}")


def _stated(one: "Stated", incident: "Incident") -> str:
    holds = incident.times.get(one.name) == one
    what = one.at or "taken back"
    why = f" because {one.reason}" if one.reason else ""
    return (
        f"{one.name}: {what}, by {one.by} at {one.recorded_at} (entry {one.index}){why}{'' if holds else ', replaced'}"
    )


def _detail(one: "Severity") -> str:
    return f" ({one.detail})" if one.detail else ""


def _lacks(missing: "Sequence[str]") -> str:
    return f"; stated as missing: {', '.join(missing)}" if missing else ""


def severity_json(one: "Severity") -> dict[str, str]:
    """Give where an incident stands on a scale, as data."""
    return {"scale": one.scale.id, "level": one.level, "title": one.title, "basis": one.basis, "detail": one.detail}


def incident_json(incident: "Incident") -> dict[str, Any]:
    """Give an incident as data."""
    from dataclasses import asdict

    from tidegate.incidents.clocks import is_gone
    from tidegate.incidents.questions import classify

    hold = {name: asdict(one) for name, one in incident.times.items()}
    findings = classify(incident)
    return {
        "id": incident.id,
        "state": incident.state,
        "opened_at": incident.opened_at,
        "opened_by": incident.opened_by,
        "title": incident.title,
        "summary": incident.summary,
        "times": hold,
        "history": [asdict(one) for one in incident.history],
        "answers": incident.answers,
        "classes": {one.kind.id: {"verdict": one.verdict, "because": list(one.because)} for one in findings},
        "jurisdictions": list(incident.jurisdictions),
        "models": list(incident.models),
        "evidence": list(incident.evidence),
        "threshold": incident.threshold,
        "fields": incident.fields,
        "stated_severity": incident.severity,
        "notices": [one.model_dump(mode="json") for one in incident.notices],
        "notices_taken_back": sorted(incident.taken_back),
        "entries": [
            {"index": one.index, "kind": one.kind, "by": one.by, "at": one.at, "digest": one.digest}
            for one in incident.revisions
        ],
        "retained_until": str(incident.retained_until) if incident.retained_until else None,
        "is_erased": is_gone(incident),
        "problems": [one.to_json() for one in incident.problems],
    }
