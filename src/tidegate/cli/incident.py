# SPDX-License-Identifier: Apache-2.0
"""`tidegate incident`: one record of what happened, every clock that it starts, and the notices that are due."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting
from tidegate.cli.incident_views import (
    clock_json,
    incident_json,
    next_date,
    print_clocks,
    print_incident,
    severity_json,
    title_of,
)
from tidegate.cli.shell import (
    EXIT_CANNOT_RUN,
    EXIT_CLOSED,
    JsonOption,
    ProjectOption,
    clean,
    command,
    print_json,
    print_problems,
    world,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidegate.flow import World
    from tidegate.incidents.model import Incident

app = typer.Typer(
    help="Incidents: one record with nine times, the classes of four laws, every clock, drafts of the notices.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

IncidentArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the incident, as inc-1")]
TimeOption = Annotated[
    list[str] | None,
    typer.Option("--time", metavar="NAME=TIME", help="A time that became known, as contained=now; may be repeated."),
]
AnswerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--answer",
        "-a",
        metavar="QUESTION=yes|no|unknown",
        help="Answer to a question, see `tidegate incident questions`; may be repeated.",
    ),
]
ModelOption = Annotated[
    list[str] | None, typer.Option("--model", "-m", metavar="MODEL", help="Model involved; may be repeated.")
]
JurisdictionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--jurisdiction", "-j", metavar="PLACE", help="Where it is a concern, as us-ca or eu; may be repeated."
    ),
]
EvidenceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--evidence", "-e", metavar="RECORD", help="Record that it rests on, as evidence:r1; may be repeated."
    ),
]
_TIMES = "now, `2 hours ago`, a day, or 2026-11-21T09:30:00Z"


class NoticeForm(StrEnum):
    """What a draft is written as."""

    md = "md"
    json = "json"
    html = "html"


# --- adding --------------------------------------------------------------------------------------------


@app.command("open")
@command
def open_(
    title: Annotated[str, typer.Option("--title", "-t", help="A short name.")],
    discovered: Annotated[
        str, typer.Option("--discovered", "-d", metavar="TIME", help=f"When somebody knew of it: {_TIMES}.")
    ],
    person: AsOption,
    key: KeyOption,
    summary: Annotated[str | None, typer.Option("--summary", "-s", help="What happened, short and plain.")] = None,
    occurred: Annotated[
        str | None, typer.Option("--occurred", metavar="TIME", help="When it happened or began, if that is known.")
    ] = None,
    times: TimeOption = None,
    answers: AnswerOption = None,
    models: ModelOption = None,
    jurisdictions: JurisdictionOption = None,
    evidence: EvidenceOption = None,
    threshold: Annotated[
        str | None, typer.Option("--threshold", help="Threshold of the policy that it bears on.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put an incident on record. Only a title and the time of discovery are needed; leave out what is unknown.

    The words stand outside the log, where whoever reads the project's store can read them; the log holds digests.

    Example: `tidegate incident open --title "Weights copied" --discovered now --answer weights_taken=yes --as ada --key
    ada.key`
    """
    from tidegate.flow.incidents import open_incident, said_from

    surroundings = world(project)
    stated = {"discovered": discovered, **({"occurred": occurred} if occurred else {}), **_pairs(times)}
    said = said_from(
        {
            "title": title,
            "summary": summary,
            "times": _times(surroundings, stated),
            "answers": _pairs(answers),
            "models": models,
            "jurisdictions": jurisdictions,
            "evidence": evidence,
            "threshold": threshold,
        }
    )
    _print_recorded(open_incident(surroundings, said, acting(surroundings, person, key)), "Opened", as_json=as_json)


@app.command("update")
@command
def update(
    name: IncidentArgument,
    person: AsOption,
    key: KeyOption,
    times: TimeOption = None,
    corrections: Annotated[
        list[str] | None,
        typer.Option(
            "--correct",
            metavar="NAME=TIME",
            help="A time that was wrong, or `NAME=none` to take it back; needs --reason.",
        ),
    ] = None,
    answers: AnswerOption = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            "-f",
            metavar="NAME=TEXT",
            help="Title, summary, threshold, or a field of a notice; `NAME=@FILE` reads a file; may be repeated.",
        ),
    ] = None,
    severity: Annotated[
        list[str] | None,
        typer.Option("--severity", metavar="SCALE=LEVEL", help="A level or vector, as cvss@4.0=CVSS:4.0/AV:N/..."),
    ] = None,
    models: ModelOption = None,
    jurisdictions: JurisdictionOption = None,
    evidence: EvidenceOption = None,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why something on record changes.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add to an incident, or correct it: clocks are computed anew, and what was said before stays on record.

    Models, jurisdictions and evidence take the place of those before.

    Example: `tidegate incident update inc-1 --correct discovered=2026-05-30T09:00Z --reason "an earlier mail" --as
    ada --key ada.key`
    """
    from tidegate.flow.incidents import said_from, update_incident

    surroundings = world(project)
    words = {name: _words(text) for name, text in _pairs(fields).items()}
    own: dict[str, object] = {name: words.pop(name) for name in ("title", "summary", "threshold") if name in words}
    said = said_from(
        {
            **own,
            "times": {**_times(surroundings, _new(times)), **_times(surroundings, _corrected(corrections, reason))},
            "answers": _pairs(answers),
            "fields": words,
            "severity": _pairs(severity),
            "models": models,
            "jurisdictions": jurisdictions,
            "evidence": evidence,
            "reason": reason,
        }
    )
    made = update_incident(surroundings, name, said, acting(surroundings, person, key))
    _print_recorded(made, "Updated", as_json=as_json)


def _pairs(given: "Sequence[str] | None") -> dict[str, str]:
    """Give names with their values; each name once."""
    from tidegate.kernel.errors import Problem, ProjectError

    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not (equals and name and value):
            raise ProjectError(Problem("PRJ005", f"{text[:60]!r} is not NAME=VALUE"))
        if name in found:
            raise ProjectError(Problem("PRJ005", f"{name!r} is given twice", None, "give it once"))
        found[name] = value
    return found


def _new(times: "Sequence[str] | None") -> dict[str, str]:
    from tidegate.kernel.errors import IncidentError, Problem

    found = _pairs(times)
    if "none" in found.values():
        message = "a time is taken back as a correction"
        raise IncidentError(Problem("INC004", message, None, "write --correct NAME=none --reason ..."))
    return found


def _corrected(corrections: "Sequence[str] | None", reason: str | None) -> dict[str, str]:
    from tidegate.kernel.errors import IncidentError, Problem

    found = _pairs(corrections)
    if found and reason is None:
        raise IncidentError(Problem("INC004", "a correction needs its reason", None, "say why: --reason"))
    return found


def _times(surroundings: "World", given: dict[str, str]) -> dict[str, str | None]:
    from tidegate.flow.incidents import time_from

    now = surroundings.now()
    return {name: None if text == "none" else time_from(text, now) for name, text in given.items()}


def _words(text: str) -> str:
    from tidegate.kernel.documents import read_bytes

    if not text.startswith("@"):
        return text
    return read_bytes(Path(text[1:]), max_bytes=100_000).decode()


def _print_recorded(incident: "Incident", verb: str, *, as_json: bool) -> None:
    if as_json:
        print_json(incident_json(incident))
        return
    typer.echo(clean(f"{verb} {incident.id}: {incident.title}"))
    if incident.state == "open":
        typer.echo(clean(f"See what runs: tidegate incident clocks {incident.id}"))
    for question in _open_questions(incident):
        typer.echo(clean(f"  open: {question}"))


def _open_questions(incident: "Incident") -> list[str]:
    from tidegate.incidents.questions import classify, open_questions

    return [f"{one.id}: {one.asks}" for one in open_questions(classify(incident))]


# --- clocks --------------------------------------------------------------------------------------------


@app.command("clocks")
@command
def clocks(
    name: IncidentArgument,
    at: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="TIME", help=f"Compute for this moment, or the end of a day: {_TIMES}; now if not given."
        ),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every clock of an incident: from which event, until when, or why it does not run.

    Exit 1 if one is late, or if what the log says of the incident is missing, changed or contradicts itself.

    A clock that depends on a question that nobody has answered is shown as one that would run, and counts as running.
    With --as-of, nothing that was recorded later is used.

    Example: `tidegate incident clocks inc-1`
    """
    from tidegate.flow.incidents import clocks_of, incidents_of

    surroundings = world(project)
    moment = _as_of(at, surroundings)
    found = clocks_of(surroundings, name, moment)
    problems = incidents_of(surroundings).find(name).problems
    if as_json:
        shown = [clock_json(one, moment) for one in found]
        print_json({"incident": name, "at": moment, "clocks": shown, "problems": [one.to_json() for one in problems]})
    else:
        print_clocks(name, found, moment)
        print_problems(list(problems))
    if problems or any(one.state == "late" for one in found):
        raise typer.Exit(EXIT_CLOSED)


def _as_of(text: str | None, surroundings: "World") -> str:
    """Give the moment that is asked about; of a day, its end."""
    from tidegate.flow.incidents import time_from
    from tidegate.flow.obligations import end_of
    from tidegate.kernel.clock import day_of

    if text is None:
        return surroundings.now()
    found = time_from(text, surroundings.now())
    return end_of(day_of(found)) if len(text.strip()) == len("2026-06-01") and text.strip() != "now" else found


# --- notices -------------------------------------------------------------------------------------------


@app.command("notice")
@command
def notice(
    name: IncidentArgument,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Rule whose notice is meant, as sb53.incident.")],
    form: Annotated[NoticeForm, typer.Option("--format", help="What the draft is written as.")] = NoticeForm.md,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write.")] = None,
    sent: Annotated[bool, typer.Option("--sent", help="Put on record that it was sent; one person suffices.")] = False,
    to: Annotated[
        str | None, typer.Option("--to", help="With --sent: who received it; whom the law names if not given.")
    ] = None,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help=f"With --sent: when: {_TIMES}.")] = "now",
    text: Annotated[
        Path | None,
        typer.Option(
            "--text", metavar="FILE", help="With --sent: the notice as it was sent; what was drafted if not given."
        ),
    ] = None,
    not_sent: Annotated[
        int | None,
        typer.Option("--not-sent", metavar="ENTRY", help="Take back the notice that this entry says was sent."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="With --not-sent: why.")] = None,
    person: Annotated[
        str | None,
        typer.Option("--as", metavar="PERSON", help="With --sent or --not-sent: who acts.", envvar="TIDEGATE_PERSON"),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="FILE", help="With --sent or --not-sent: their key.", envvar="TIDEGATE_KEY"),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft a notice from the record, what is missing named as missing; or put on record that it was sent.

    A draft is not legal advice.

    Examples: `tidegate incident notice inc-1 sb53.incident --output notice.md`,
    `tidegate incident notice inc-1 sb53.incident --sent --to "Cal OES" --at now --as ada --key ada.key`,
    `tidegate incident notice inc-1 sb53.incident --not-sent 41 --reason "it bounced" --as ada --key ada.key`
    """
    surroundings = world(project)
    if not_sent is not None:
        _take_back(surroundings, (name, rule, not_sent), reason, (person, key), as_json=as_json)
        return
    if sent:
        _record_sent(surroundings, name, rule, _Sending(to, at, text, person, key), as_json=as_json)
        return
    _print_draft(surroundings, name, rule, NoticeForm.json if as_json else form, output)


def _take_back(
    surroundings: "World",
    which: tuple[str, str, int],
    reason: str | None,
    actor: tuple[str | None, str | None],
    *,
    as_json: bool,
) -> None:
    from tidegate.flow.incidents import take_notice_back
    from tidegate.kernel.errors import IncidentError, Problem

    name, rule, entry = which
    person, key = actor
    if person is None or key is None:
        typer.echo("say who takes it back: --as PERSON --key FILE", err=True)
        raise typer.Exit(EXIT_CANNOT_RUN)
    if reason is None:
        raise IncidentError(Problem("INC004", "a notice is taken back with its reason", None, "say why: --reason"))
    incident = take_notice_back(surroundings, (name, rule), entry, reason, acting(surroundings, person, key))
    if as_json:
        print_json(incident_json(incident))
        return
    typer.echo(clean(f"Taken back: the notice of entry {entry}. It meets nothing; see what runs:"))
    typer.echo(clean(f"  tidegate incident clocks {name}"))


class _Sending(NamedTuple):
    """What was given about a notice that was sent."""

    to: str | None
    at: str
    text: Path | None
    person: str | None
    key: str | None


def _print_draft(surroundings: "World", name: str, rule: str, form: NoticeForm, output: Path | None) -> None:
    import json

    from tidegate.flow.incidents import draft_of
    from tidegate.flow.outputs import write_output
    from tidegate.publish.incident_pages import notice_json, notice_page
    from tidegate.publish.printing import printed

    made = draft_of(surroundings, name, rule)
    if form is NoticeForm.json:
        data = (json.dumps(notice_json(made), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
    else:
        data = printed(notice_page(made), "html" if form is NoticeForm.html else "md")
    if output is None:
        typer.echo(data.decode(), nl=False)
        return
    write_output(output, data)
    missing = f"; missing: {', '.join(made.missing)}" if made.missing else ""
    typer.echo(clean(f"Wrote {output}: a draft{missing}"))


def _record_sent(surroundings: "World", name: str, rule: str, given: _Sending, *, as_json: bool) -> None:
    from tidegate.flow.incidents import draft_of, record_notice, time_from
    from tidegate.incidents.model import Notice
    from tidegate.publish.incident_pages import notice_markdown

    if given.person is None or given.key is None:
        typer.echo("say who sent it: --as PERSON --key FILE", err=True)
        raise typer.Exit(EXIT_CANNOT_RUN)
    made = draft_of(surroundings, name, rule)
    text = _words(f"@{given.text}") if given.text else notice_markdown(made, is_sent=True)
    sent = Notice(
        rule=rule,
        to=given.to or made.template.to,
        sent_at=time_from(given.at, surroundings.now()),
        kind=made.template.kind,
        text=text,
        missing=() if given.text else made.missing,
    )
    incident = record_notice(surroundings, name, sent, acting(surroundings, given.person, given.key))
    if as_json:
        print_json(incident_json(incident))
        return
    typer.echo(clean(f"Recorded: {rule} of {name} went to {sent.to} at {sent.sent_at}."))


# --- looking -------------------------------------------------------------------------------------------


@app.command("list")
@command
def list_(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the incidents with their next date, and entries that have no effect. Exit 1 if a clock is late.

    Example: `tidegate incident list`
    """
    from tidegate.flow.incidents import all_clocks, incidents_of

    surroundings = world(project)
    found, running, now = incidents_of(surroundings), all_clocks(surroundings), surroundings.now()
    if as_json:
        shown = [
            {**incident_json(one), "clocks": [clock_json(clock, now) for clock in running[one.id]]}
            for one in found.incidents.values()
        ]
        print_json({"incidents": shown, "without_effect": [one._asdict() for one in found.voids]})
    else:
        for incident in found.incidents.values():
            typer.echo(
                clean(f"{incident.id}  {incident.state}  {title_of(incident)}{next_date(running[incident.id], now)}")
            )
        if not found.incidents:
            typer.echo("There are no incidents.")
        for void in found.voids:
            typer.echo(clean(f"Entry {void.entry} ({void.kind} of {void.incident}) has no effect: {void.reason}"))
    if any(clock.state == "late" for each in running.values() for clock in each):
        raise typer.Exit(EXIT_CLOSED)


@app.command("show")
@command
def show(
    name: IncidentArgument,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an incident: its times with who stated them, classes, severity, notices and history.

    Exit 1 if what the log says of it is missing, changed or contradicts itself.

    Example: `tidegate incident show inc-1`
    """
    from tidegate.flow.incidents import incidents_of, severities_of

    surroundings = world(project)
    incident = incidents_of(surroundings).find(name)
    severity = severities_of(surroundings, incident)
    if as_json:
        print_json({**incident_json(incident), "severity": [severity_json(one) for one in severity]})
    else:
        print_incident(incident, severity)
    if incident.problems:
        if not as_json:
            print_problems(list(incident.problems))
        raise typer.Exit(EXIT_CLOSED)


@app.command("questions")
@command
def questions(
    name: Annotated[str | None, typer.Argument(metavar="ID", help="Incident: only what is open for it.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the questions from whose answers the classes follow, the nine times, and the fields of the notices.

    Example: `tidegate incident questions`
    """
    from tidegate.incidents.model import TIME_MEANINGS
    from tidegate.incidents.notices import field_names
    from tidegate.incidents.questions import classify, open_questions
    from tidegate.incidents.questions import questions as all_questions

    asked = all_questions()
    if name is not None:
        from tidegate.flow.incidents import incidents_of

        asked = open_questions(classify(incidents_of(world(project)).find(name)))
    if as_json:
        print_json(
            {
                "questions": [one.model_dump(mode="json") for one in asked],
                "times": TIME_MEANINGS,
                "fields": list(field_names()),
            }
        )
        return
    for one in asked:
        typer.echo(f"{one.id}: {one.asks}\n    {one.help} (for {', '.join(one.serves)})")
    if name is not None:
        typer.echo("" if asked else "Nothing is open: every class applies or does not.", nl=not asked)
        return
    typer.echo("\nTimes:")
    for time, meaning in TIME_MEANINGS.items():
        typer.echo(f"  {time}: {meaning}")
    typer.echo(f"\nFields of notices: {', '.join(field_names())}")


@app.command("close")
@command
def close(
    name: IncidentArgument,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, and what was learned.")],
    person: AsOption,
    key: KeyOption,
    anyway: Annotated[bool, typer.Option("--anyway", help="Close it though clocks still run; they go on.")] = False,
    reopen: Annotated[bool, typer.Option("--reopen", help="Open a closed incident again.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close an incident: from then on it is kept for five years. Refused while a clock of it still runs.

    Example: `tidegate incident close inc-1 --reason "cause removed, drill held" --as ada --key ada.key`
    """
    from tidegate.flow.incidents import close_incident, reopen_incident

    surroundings = world(project)
    actor = acting(surroundings, person, key)
    if reopen:
        made = reopen_incident(surroundings, name, reason, actor)
    else:
        made = close_incident(surroundings, name, reason, actor, anyway=anyway)
    _print_recorded(made, "Reopened" if reopen else "Closed", as_json=as_json)
    if made.retained_until and not as_json:
        typer.echo(f"Kept until {made.retained_until}.")
