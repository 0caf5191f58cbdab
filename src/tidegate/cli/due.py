# SPDX-License-Identifier: Apache-2.0
"""`tidegate due`: what is due, why, and what to put on record about it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting
from tidegate.cli.shell import (
    EXIT_CLOSED,
    AsOfOption,
    JsonOption,
    ProjectOption,
    clean,
    command,
    console,
    parse_day,
    print_json,
    print_problems,
    world,
)

if TYPE_CHECKING:
    from datetime import date

    from tidegate.flow import World
    from tidegate.flow.duty_events import Unrecorded
    from tidegate.flow.obligations import Standing
    from tidegate.obligations.model import Duty

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

MOST_GAPS = 5
"""Of what has no date, so many are told; the rest is in the data."""
RuleArgument = Annotated[str, typer.Argument(metavar="RULE", help="Id of a rule, as `tidegate due rules` lists them.")]


class Form(StrEnum):
    """How duties are printed."""

    table = "table"
    json = "json"
    ical = "ical"


class Kind(StrEnum):
    """Where duties come from."""

    law = "law"
    code = "code"
    standard = "standard"
    policy = "policy"
    commitment = "commitment"


@app.callback()
@command
def due(
    context: typer.Context,
    as_of: AsOfOption = None,
    within: Annotated[
        str | None, typer.Option("--within", metavar="LENGTH", help="Only what is due so soon: 30d, 6w, 3m, 1y.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Also what is met, has not started or does not apply.")
    ] = False,
    kind: Annotated[list[Kind] | None, typer.Option("--kind", "-k", help="Only such duties; may be repeated.")] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="WHO", help="Only what this person, or role, answers for.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="table, json, or ical for calendars.")] = Form.table,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write instead of printing.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 if something is late or unclear, or the record is in doubt.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --check: also for what is late and soft (no breach in itself).")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is late, unclear, due soon and due. With --check, exit 0 (nothing late or unclear), 1 or 2.

    Late and unclear duties are always shown, whatever --within says. A duty is unclear if it ought to run and the
    event that it is counted from is not on record.

    Examples: `tidegate due`, `tidegate due --within 30d --owner ada`, `tidegate due --check`,
    `tidegate due --format ical --output due.ics`
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    if as_json and form == Form.ical:
        from tidegate.kernel.errors import Problem, ProjectError

        raise ProjectError(Problem("PRJ005", "--json and --format ical exclude each other", None, "leave one out"))
    surroundings = world(project)
    standing = _standing(surroundings, as_of)
    duties = _chosen(standing, parse_length(within, standing.at), [one.value for one in kind or ()], owner)
    if as_json or form == Form.json:
        _print_data(standing, _listed(duties, everything=everything), output)
    elif form == Form.ical:
        _print_calendar(standing, duties, output)
    else:
        _print_table(standing, duties, output, everything=everything)
    if check and _fails(standing, duties, strict=strict):
        raise typer.Exit(EXIT_CLOSED)


def _refuse_options(context: typer.Context) -> None:
    """Refuse options before the name of a command, which it would not see.

    Raises:
        ProjectError: PRJ005.
    """
    from tidegate.kernel.errors import Problem, ProjectError

    given = [
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    ]
    if given:
        name = context.invoked_subcommand
        raise ProjectError(Problem("PRJ005", f"options stand after {name}: tidegate due {name} --..."))


def _standing(surroundings: "World", as_of: str | None) -> "Standing":
    from tidegate.flow.obligations import end_of, standing

    day = parse_day(as_of)
    return standing(surroundings, end_of(day) if day is not None else None)


def parse_length(text: str | None, at: str) -> "date | None":
    """Give the day that lies so far ahead.

    Raises:
        ProjectError: PRJ005, it is no length of time.
    """
    import re

    from tidegate.kernel.clock import day_of
    from tidegate.kernel.duration import add
    from tidegate.kernel.errors import Problem, ProjectError

    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,3}) ?(d|days?|w|weeks?|m|months?|y|years?)", text.strip().lower())
    if found is None:
        raise ProjectError(
            Problem("PRJ005", f"{text!r} is not a length of time", None, "write it as 30d, 6w, 3m or 1y")
        )
    return add(day_of(at), f"P{found[1]}{found[2][0].upper()}")


def _chosen(standing: "Standing", until: "date | None", kinds: list[str], owner: str | None) -> "list[Duty]":
    """Give the duties that were asked for, in their order."""
    owners = _owners(standing, owner)
    return [
        one
        for one in standing.duties
        if (not kinds or one.rule.kind in kinds)
        and (
            owners is None
            or not owners.isdisjoint(name.strip().casefold() for name in (one.rule.owner or "").split(","))
        )
        and (until is None or one.state in ("late", "unclear") or (one.due_on is not None and one.due_on <= until))
    ]


def _owners(standing: "Standing", owner: str | None) -> frozenset[str] | None:
    """Give every name under which somebody answers for duties: their id, name and roles, or just the role named."""
    if owner is None:
        return None
    asked = owner.casefold()
    found = {asked}
    for one in standing.people:
        if asked in (one.id.casefold(), (one.name or "").casefold()):
            found |= {one.id.casefold(), (one.name or one.id).casefold(), *(role.casefold() for role in one.roles)}
    return frozenset(found)


def _listed(duties: "list[Duty]", *, everything: bool) -> "list[Duty]":
    from tidegate.publish.due_pages import OPEN

    return [one for one in duties if everything or one.state in OPEN]


def _fails(standing: "Standing", duties: "list[Duty]", *, strict: bool) -> bool:
    return bool(standing.doubts) or any(
        one.state in ("late", "unclear") and (strict or not one.rule.soft) for one in duties
    )


def _print_data(standing: "Standing", duties: "list[Duty]", output: Path | None) -> None:
    from tidegate.publish.due_pages import duty_data

    data = {
        "at": standing.at,
        "organisation": standing.organisation,
        "policy": standing.policy.label,
        "duties": [duty_data(one) for one in duties],
        "doubts": list(standing.doubts),
        "gaps": list(standing.gaps),
    }
    if output is None:
        print_json(data)
        return
    import json

    _write(output, json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def _print_calendar(standing: "Standing", duties: "list[Duty]", output: Path | None) -> None:
    from tidegate.publish.calendar_feed import calendar_feed

    _warn(standing)
    data = calendar_feed(duties, standing.organisation, standing.at)
    if output is None:
        typer.echo(data, nl=False)
        return
    _write(output, data)


def _print_table(standing: "Standing", duties: "list[Duty]", output: Path | None, *, everything: bool) -> None:
    from tidegate.publish.due_pages import due_summary, due_tables
    from tidegate.publish.tables import plain

    shown = _listed(duties, everything=everything)
    summary = due_summary(shown, len(duties) - len(shown))
    _warn(standing)
    if output is not None:
        _write(output, plain(due_tables(shown)) + f"{summary}\n")
        return
    out = console()
    if shown:
        out.print(due_tables(shown))
    typer.echo(summary)


def _write(output: Path, data: str | bytes) -> None:
    from tidegate.flow.outputs import write_output

    write_output(output, data)
    typer.echo(clean(str(output)), err=True)


def _warn(standing: "Standing") -> None:
    from tidegate.kernel.errors import Problem

    print_problems([Problem("PRJ006", one, None, None, "warning") for one in standing.doubts])
    print_problems([Problem("OBL003", _changed(one), None, _RECORD_IT, "warning") for one in standing.unrecorded])
    print_problems([Problem("OBL003", one, None, None, "note") for one in standing.gaps[:MOST_GAPS]])
    if len(standing.gaps) > MOST_GAPS:
        typer.echo(f"{len(standing.gaps) - MOST_GAPS} more of these: see `gaps` of `tidegate due --json`.", err=True)


_RECORD_IT = (
    "record it under `evaluation_changes` of the policy, with the reason; `tidegate review compliance` lists it"
)


def _changed(one: "Unrecorded") -> str:
    """Say what was exchanged within a version of the policy without being recorded as a change."""
    was, now = ", ".join(one.was) or "none", ", ".join(one.now) or "none"
    what = f"{now} in place of {was}" if one.was or one.now else "it is decided by another rule"
    return f"{one.threshold}: {what} since {one.on}, which the policy does not record (entry {one.entry})"


# --- looking ---------------------------------------------------------------------------------------------


@app.command("explain")
@command
def explain(
    rule: RuleArgument,
    subject: Annotated[
        str | None, typer.Option("--subject", "-s", metavar="WHAT", help="Only about this model, report or incident.")
    ] = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how each date of a rule follows: the event that it is counted from, where that stands, the calendar.

    Example: `tidegate due explain eu.framework-review`
    """
    from tidegate.publish.due_pages import duty_data, explanation

    standing = _standing(world(project), as_of)
    found = standing.rule(rule)
    duties = [one for one in standing.duties if one.rule.id == found.id and subject in (None, one.subject)]
    calendar = next((one for one in standing.setting.calendars if one.id == found.calendar), None)
    if as_json:
        shown = calendar.model_dump(mode="json") if calendar is not None else None
        given = found.model_dump(mode="json")
        print_json({"rule": given, "calendar": shown, "duties": [duty_data(one) for one in duties]})
        return
    _warn(standing)
    console().print(explanation(found, duties, calendar))


@app.command("rules")
@command
def rules(
    kind: Annotated[list[Kind] | None, typer.Option("--kind", "-k", help="Only such rules; may be repeated.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every rule with its source: those that ship with Tidegate, of the policy, of the project, of decisions.

    Example: `tidegate due rules --kind law`
    """
    from tidegate.publish.due_pages import rules_table

    standing = _standing(world(project), None)
    kinds = [one.value for one in kind or ()]
    found = [one for one in standing.rules if not kinds or one.kind in kinds]
    without = dict(standing.setting.without)
    if as_json:
        print_json([{**one.model_dump(mode="json"), "does_not_apply": without.get(one.id)} for one in found])
        return
    console().print(rules_table(found, without))


@app.command("events")
@command
def events(
    recorded: Annotated[
        bool, typer.Option("--recorded", "-r", help="Only what people recorded, with what was taken back.")
    ] = False,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what happened, as duties are counted from it, and where it stands.

    Examples: `tidegate due events`, `tidegate due events --recorded`
    """
    from tidegate.publish.due_pages import event_data, event_words, recorded_data, recorded_table

    standing = _standing(world(project), as_of)
    if recorded:
        history, voids = standing.records.recorded, standing.records.voids
        if as_json:
            print_json([recorded_data(one) for one in history])
            return
        if history:
            console().print(recorded_table(history))
        else:
            typer.echo("Nobody has recorded an event yet. Do so with `tidegate due record`.")
        for void in voids:
            typer.echo(clean(f"entry {void.index} has no effect: {void.problem.message}"))
        return
    found = sorted(standing.events, key=lambda one: (str(one.at), one.kind, one.subject or ""))
    if as_json:
        print_json([event_data(one) for one in found])
        return
    _warn(standing)
    for one in found:
        typer.echo(clean(event_words(one)))


@app.command("waivers")
@command
def waivers(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List duties that somebody signed to set aside: who signed, until when, why, and what is missing.

    Example: `tidegate due waivers`
    """
    from tidegate.publish.due_pages import waiver_data, waivers_table

    found = _standing(world(project), None).records.waivers
    if as_json:
        print_json([waiver_data(one) for one in found])
        return
    if not found:
        typer.echo("No duty is set aside.")
        return
    console().print(waivers_table(found))


# --- recording --------------------------------------------------------------------------------------------


@app.command("record")
@command
def record(
    kind: Annotated[str, typer.Argument(help="What happened: an event of a rule, or done:RULE.")],
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="When.")],
    person: AsOption,
    key: KeyOption,
    subject: Annotated[
        str | None, typer.Option("--subject", "-s", metavar="WHAT", help="Model, report or incident that it is about.")
    ] = None,
    covers: Annotated[
        str | None, typer.Option("--covers", metavar="DATE", help="For a report: the day up to which it covers.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="NUMBER", help="A quantity, such as effective compute.")
    ] = None,
    fact: Annotated[
        list[str] | None, typer.Option("--fact", help="What is so of it, as general; may be repeated.")
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(
            "--document", metavar="FILE", help="What shows it; kept with the log, and handed out with the whole of it."
        ),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="In words.")] = None,
    planned: Annotated[bool, typer.Option("--planned", help="It lies ahead.")] = False,
    corrects: Annotated[
        str | None, typer.Option("--corrects", metavar="ENTRY", help="Recorded event that it takes the place of.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put on record that something happened, or is planned: staff were trained, a drill was held, a report was sent.

    Examples: `tidegate due record training.held --on 2026-05-20 --as ada --key ada.key`,
    `tidegate due record done:own.audit --on 2026-05-20 --document audit.pdf --as ada --key ada.key`
    """
    from tidegate.flow.obligations import NewEvent, record_event

    surroundings = world(project)
    day = parse_day(on)
    assert day is not None
    given = NewEvent(
        kind=kind,
        on=day,
        subject=subject,
        covers=parse_day(covers),
        amount=amount,
        facts=tuple(fact or ()),
        document=document,
        note=note,
        is_planned=planned,
        corrects=corrects,
    )
    surroundings.ledger().close()
    made = record_event(surroundings, given, acting(surroundings, person, key))
    _print_recorded(surroundings, made.index, f"Entry {made.index}: {made.act.kind} on {made.act.on}", as_json=as_json)


@app.command("take-back")
@command
def take_back(
    entry: Annotated[str, typer.Argument(help="Number of the entry that recorded it.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why.")],
    person: AsOption,
    key: KeyOption,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a recorded event back: nothing is counted from it any more, and the history stays.

    Example: `tidegate due take-back 41 -r "It was put off." --as ada --key ada.key`
    """
    from tidegate.flow.obligations import take_back as strike

    surroundings = world(project)
    made = strike(surroundings, entry, reason, acting(surroundings, person, key))
    words = f"Entry {made.index} takes back entry {made.replaces}: {made.act.kind} on {made.act.on}"
    _print_recorded(surroundings, made.index, words, as_json=as_json)


def _print_recorded(surroundings: "World", index: int, words: str, *, as_json: bool) -> None:
    """Say what was entered, and which duties it starts or meets."""
    from tidegate.flow.obligations import standing
    from tidegate.publish.due_pages import date_words, duty_data, duty_words, recorded_data

    now = standing(surroundings)
    source = f"entry {index}"
    met = [one for one in now.duties if one.done is not None and one.done.source == source]
    begun = [one for one in now.duties if any(event.source == source for event in one.started)]
    made = next(one for one in now.records.recorded if one.index == index)
    if as_json:
        data: dict[str, Any] = {"meets": [duty_data(one) for one in met], "starts": [duty_data(one) for one in begun]}
        print_json({**recorded_data(made), **data})
        return
    typer.echo(clean(words))
    for one in met:
        typer.echo(clean(f"  meets {one.rule.id}, due {date_words(one)}: {duty_words(one)}"))
    for one in begun:
        typer.echo(clean(f"  starts {one.rule.id}, due {date_words(one)}: {duty_words(one)}"))
    if made.counts and not met and not begun:
        typer.echo("  no duty is started or met by it now")


@app.command("waive")
@command
def waive(
    rule: RuleArgument,
    person: AsOption,
    key: KeyOption,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="Last day; if not given, the waiver that waits is signed."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why.")] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="Role in which you sign, if you hold several that may.")
    ] = None,
    due_on: Annotated[
        str | None,
        typer.Option("--due", metavar="DATE", help="The date that is waived; all up to --until if not given."),
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", "-s", metavar="WHAT", help="Only about this model, report or incident.")
    ] = None,
    internal: Annotated[bool, typer.Option("--internal", help="Do not publish it.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign that a duty is set aside. It counts once all have signed the same whom the policy asks for.

    The policy names them in an approval with the act `waiver` (else `deviation`, else `interim_measure`). Nobody waives
    a law, nor a duty that they answer for themselves. Who signs next need not repeat the words.

    Examples: `tidegate due waive own.drill --until 2026-09-01 -r "The trainer is ill." --as ada --key ada.key`,
    `tidegate due waive own.drill --as bob --key bob.key`
    """
    from tidegate.flow.obligations import NewWaiver
    from tidegate.flow.obligations import waive as put_name
    from tidegate.publish.due_pages import waiver_data, waiver_name

    surroundings = world(project)
    given = NewWaiver(rule, parse_day(until), reason, role, parse_day(due_on), subject, not internal)
    made = put_name(surroundings, given, acting(surroundings, person, key))
    if as_json:
        print_json(waiver_data(made))
        return
    signers = ", ".join(f"{one.person} ({one.role})" for one in made.signatures)
    typer.echo(clean(f"Waiver of {waiver_name(made)} until {made.terms.until}, signed by {signers}"))
    typer.echo(clean(f"  missing: {made.missing}" if made.missing else "  it counts"))
