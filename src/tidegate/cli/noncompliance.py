# SPDX-License-Identifier: Apache-2.0
"""`tidegate noncompliance`: report, with or without a name; answer; investigate; count."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli import retaliation
from tidegate.cli.acting import AsOption, KeyOption, acting
from tidegate.cli.casework import (
    AnonymousOption,
    CaseArgument,
    CaseKeyOption,
    FileOption,
    ImplicatesOption,
    LookOption,
    ManagerKeyOption,
    ManagerOption,
    ReadWithOption,
    ReporterKeyOption,
    ReporterOption,
    RetainOption,
    ToOption,
    actor_from,
    case_key_from,
    print_route,
    reading_from,
    reporter_from,
    route_json,
    text_from,
)
from tidegate.cli.shell import (
    EXIT_CLOSED,
    JsonOption,
    ProjectOption,
    clean,
    command,
    console,
    counted,
    print_json,
    record_json,
    world,
)

if TYPE_CHECKING:
    from tidegate.flow import World
    from tidegate.flow.casework import Reading, ReadMessage
    from tidegate.govern.counts import Table
    from tidegate.govern.noncompliance import CaseFile

app = typer.Typer(
    help="Reports of noncompliance: named or anonymous, around whoever is implicated, readable by few.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(retaliation.app, name="retaliation")


class Category(StrEnum):
    """What kind of commitment is said to be broken."""

    evaluation = "evaluation"
    safeguards = "safeguards"
    security = "security"
    governance = "governance"
    reporting = "reporting"
    retaliation = "retaliation"
    other = "other"


class ToState(StrEnum):
    """States that a case can be brought into."""

    triaged = "triaged"
    investigating = "investigating"
    substantiated = "substantiated"
    corrective_action = "corrective_action"
    appealed = "appealed"


class Outcome(StrEnum):
    """How a case ended."""

    substantiated = "substantiated"
    partly_substantiated = "partly_substantiated"
    unsubstantiated = "unsubstantiated"
    withdrawn = "withdrawn"
    out_of_scope = "out_of_scope"


# --- reporters -----------------------------------------------------------------------------------


@app.command("report")
@command
def report(
    category: Annotated[Category, typer.Option("--category", "-c", help="What is said to be broken.")] = Category.other,
    file: FileOption = None,
    anonymous: AnonymousOption = False,
    person: ReporterOption = None,
    key: ReporterKeyOption = None,
    implicates: ImplicatesOption = None,
    to: ToOption = None,
    retain: RetainOption = "P5Y",
    look: LookOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report that a commitment is broken. The words are encrypted to those who handle it; the log gets a digest.

    Shows the case key once: with it, and only with it, you read answers and add to your report. No command shows who
    reported; with `--as`, your name is inside the encrypted words.

    Examples: `tidegate noncompliance report -c safeguards --file report.md --anonymous --implicates bob`,
    `tidegate noncompliance report -c evaluation --as ada --key ada.key < report.md`
    """
    from tidegate.flow.noncompliance import NewReport, routed
    from tidegate.flow.noncompliance import report as take_in

    surroundings = world(project)
    reporter = reporter_from(surroundings, person, key, anonymous=anonymous)
    named = tuple(implicates or ())
    if look:
        print_route(routed(surroundings, NewReport("", category.value, named, to, reporter, retain)), as_json=as_json)
        return
    filed = take_in(surroundings, NewReport(text_from(file), category.value, named, to, reporter, retain))
    if as_json:
        print_json({"case": filed.case, "case_key": filed.key.text, **route_json(filed.route)})
        return
    typer.echo(f"Case {filed.case}")
    print_route(filed.route, as_json=False)
    typer.echo(f"\nCase key, shown only now:\n\n  {filed.key.text}\n")
    typer.echo("Keep it where nobody else looks. Nobody can give it to you again, and whoever has it can read")
    typer.echo("your report and write in your place. With it:")
    typer.echo(f"  tidegate noncompliance read {filed.case}       # answers to you")
    typer.echo(f"  tidegate noncompliance reply {filed.case}      # add to your report")


@app.command("reply")
@command
def reply(
    case: CaseArgument,
    file: FileOption = None,
    case_key: CaseKeyOption = None,
    implicates: ImplicatesOption = None,
    person: ManagerOption = None,
    key: ManagerKeyOption = None,
    read_with: ReadWithOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write to the other side: as the reporter with the case key, or as a manager with your own key.

    Examples: `tidegate noncompliance reply nc-1f0c --case-key-file key.txt --file more.md`,
    `tidegate noncompliance reply nc-1f0c --file answer.md --as mia --key mia.key`
    """
    from tidegate.flow.noncompliance import reply as from_reporter
    from tidegate.flow.noncompliance import write

    surroundings = world(project)
    secret = case_key_from(case_key, person)
    if secret is not None:
        digest = from_reporter(surroundings, case, text_from(file), secret, tuple(implicates or ()))
    else:
        actor = actor_from(surroundings, person, key)
        digest = write(surroundings, case, text_from(file), actor, to_reporter=True, reading=reading_from(read_with))
    _print_written(case, digest, as_json=as_json)


def _print_written(case: str, digest: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"case": case, "digest": digest})
        return
    typer.echo(clean(f"Added to {case}: {digest}"))


@app.command("read")
@command
def read(
    case: CaseArgument,
    case_key: CaseKeyOption = None,
    person: ManagerOption = None,
    key: ManagerKeyOption = None,
    read_with: ReadWithOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a case, or a report of retaliation. Exit 1 if something in it is damaged or missing.

    Examples: `tidegate noncompliance read nc-1f0c --case-key-file key.txt`,
    `tidegate noncompliance read nc-1f0c --as mia --key mia.key`
    """
    from tidegate.flow.noncompliance import read_as_manager, read_as_reporter

    surroundings = world(project)
    secret = case_key_from(case_key, person)
    if secret is not None:
        found = read_as_reporter(surroundings, case, secret)
    else:
        found = read_as_manager(surroundings, case, actor_from(surroundings, person, key), reading_from(read_with))
    if as_json:
        print_json({"case": found.case.id, "state": found.case.state, "messages": _messages_json(found)})
    else:
        _print_reading(found)
    if any(one.is_damaged for one in found.messages):
        raise typer.Exit(EXIT_CLOSED)


def _messages_json(found: "Reading") -> list[dict[str, Any]]:
    return [
        {
            "on": one.content.on.isoformat(),
            "direction": one.content.direction,
            "by": one.content.by,
            "text": one.message.text if one.message else None,
            "reporter": one.message.reporter if one.message else None,
            "implicated": list(one.message.implicated) if one.message else [],
            "vouched": one.vouched,
            "copied_by": one.copied_by,
            "problem": one.problem,
        }
        for one in found.messages
    ]


def _print_reading(found: "Reading") -> None:
    typer.echo(clean(f"{found.case.id}: {found.case.state.replace('_', ' ')}"))
    for one in found.messages:
        typer.echo(clean(f"\n{one.content.on}  {_writer(one)}"))
        if one.message is None:
            typer.echo(clean(f"  ({one.problem})"))
            continue
        for line in _about(one):
            typer.echo(clean(f"  {line}"))
        # Indented, so that no message can pass for the head of another one.
        for line in clean(one.message.text).rstrip("\n").split("\n"):
            typer.echo(f"  | {line}")


def _writer(one: "ReadMessage") -> str:
    words = {
        "report": "report",
        "from_reporter": "from the reporter",
        "to_reporter": f"{one.content.by} to the reporter",
        "internal": f"note by {one.content.by}",
    }
    return words[one.content.direction]


def _about(one: "ReadMessage") -> list[str]:
    assert one.message is not None
    lines = []
    if one.message.reporter is not None:
        proof = "signed with their key" if one.vouched else "NOT proven: the signature does not hold"
        lines.append(f"reported by {one.message.reporter} ({proof})")
    if one.message.implicated:
        lines.append(f"implicates {', '.join(one.message.implicated)}")
    if one.copied_by is not None:
        lines.append(f"from a copy that {one.copied_by} made")
    return lines


# --- those who handle cases ----------------------------------------------------------------------


@app.command("list")
@command
def list_(
    everything: Annotated[bool, typer.Option("--all", "-a", help="Closed cases too, and void entries.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List cases, as the log knows them: no words, no names of reporters. Exit 0 also if there are none."""
    from tidegate.flow.casework import casework_of
    from tidegate.govern.counts import duties

    surroundings = world(project)
    work = casework_of(surroundings)
    cases = [case for case in work.cases.values() if everything or case.closed is None]
    if as_json:
        voids = [one._asdict() for one in work.voids]
        print_json({"cases": [_case_json(case, surroundings.today) for case in cases], "voids": voids})
        return
    from rich import box
    from rich.table import Table as Shown

    table = Shown(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("case", "opened", "category", "state", "managers", "reporter hears by"):
        table.add_column(heading)
    for case in cases:
        due = next((one for one in duties(case, surroundings.today) if one.to == "reporter"), None)
        shown = "" if due is None else f"{due.due}{' (overdue)' if due.is_overdue else ''}"
        state = case.outcome or case.state
        row = (case.id, str(case.opened), case.category, state.replace("_", " "), ", ".join(case.managers), shown)
        table.add_row(*map(clean, row))
    console().print(table)
    if work.voids:
        typer.echo(f"{counted(len(work.voids), 'entry').replace('entrys', 'entries')} without effect (--all shows why)")
    for void in work.voids if everything else ():
        typer.echo(clean(f"  entry {void.entry}, {void.kind} {void.case}: {void.reason}"))


def _case_json(case: "CaseFile", today: Any) -> dict[str, Any]:
    from tidegate.govern.counts import duties

    due = [{**one._asdict(), "due": one.due.isoformat()} for one in duties(case, today)]
    return {**record_json(case), "state": case.state, "outcome": case.outcome, "due": due}


@app.command("show")
@command
def show(case: CaseArgument, project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Show what the log says about a case: states, messages by date, what is due. No words: see `read`."""
    from tidegate.flow.casework import casework_of
    from tidegate.govern.counts import duties
    from tidegate.govern.noncompliance import find_case

    surroundings = world(project)
    found = find_case(casework_of(surroundings), case)
    if as_json:
        print_json(_case_json(found, surroundings.today))
        return
    _print_case(found)
    for step in found.steps:
        ending = f" ({step.outcome.replace('_', ' ')}{', corrected' if step.corrected else ''})" if step.outcome else ""
        by = f", by {step.by}" if step.by else ""
        typer.echo(clean(f"  {step.on}  {step.state.replace('_', ' ')}{ending}{by}"))
    for one in found.contents:
        writer = {"report": "report", "from_reporter": "from the reporter", "to_reporter": "to the reporter"}
        kind = "copy for other keys" if one.copy_of else writer.get(one.direction, "note")
        typer.echo(clean(f"  {one.on}  {kind}{f', by {one.by}' if one.by else ''}"))
    for due in duties(found, surroundings.today):
        words = {
            "reporter_status": "a status",
            "board_quarter": "the quarter's account",
            "board_prompt": "prompt notice",
        }
        typer.echo(f"  due {due.due}: {words[due.what]} to the {due.to}{' (overdue)' if due.is_overdue else ''}")


def _print_case(case: "CaseFile") -> None:
    material = ", materially unsafe" if case.is_material else ""
    reporter = "anonymous" if case.is_anonymous else "named to those who handle it"
    typer.echo(clean(f"{case.id}: {case.state.replace('_', ' ')}{material}"))
    typer.echo(clean(f"  {case.category}; reporter {reporter}; with {', '.join(case.managers)} ({case.route})"))


@app.command("note")
@command
def note(
    case: CaseArgument,
    person: AsOption,
    key: KeyOption,
    file: FileOption = None,
    read_with: ReadWithOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a note that only those who handle the case can read.

    Example: `tidegate noncompliance note nc-1f0c --file note.md --as mia --key mia.key`
    """
    from tidegate.flow.noncompliance import write

    surroundings = world(project)
    actor = acting(surroundings, person, key)
    digest = write(surroundings, case, text_from(file), actor, to_reporter=False, reading=reading_from(read_with))
    _print_written(case, digest, as_json=as_json)


@app.command("move")
@command
def move(
    case: CaseArgument,
    person: AsOption,
    key: KeyOption,
    to: Annotated[ToState | None, typer.Option("--to", help="State; as it is, if not given.")] = None,
    material: Annotated[
        bool, typer.Option("--material", help="It is materially unsafe: the board hears at once.")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a case into its next state.

    Example: `tidegate noncompliance move nc-1f0c --to triaged --as mia --key mia.key`
    """
    from tidegate.flow.noncompliance import move as bring

    surroundings = world(project)
    actor = acting(surroundings, person, key)
    _print_moved(
        surroundings,
        bring(surroundings, case, to.value if to else None, actor, is_material=material),
        as_json=as_json,
    )


def _print_moved(surroundings: "World", case: "CaseFile", *, as_json: bool) -> None:
    if as_json:
        print_json(_case_json(case, surroundings.today))
        return
    _print_case(case)


@app.command("assign")
@command
def assign(
    case: CaseArgument,
    managers: Annotated[list[str], typer.Argument(metavar="PERSON...", help="Who handles it from now on.")],
    person: AsOption,
    key: KeyOption,
    read_with: ReadWithOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a case to others, everything in it encrypted anew to them; or to the same, once they have new keys.

    Example: `tidegate noncompliance assign nc-1f0c eve max --as mia --key mia.key`
    """
    from tidegate.flow.noncompliance import assign as give

    surroundings = world(project)
    actor = acting(surroundings, person, key)
    _print_moved(surroundings, give(surroundings, case, managers, actor, reading_from(read_with)), as_json=as_json)


@app.command("close")
@command
def close(
    case: CaseArgument,
    outcome: Annotated[Outcome, typer.Option("--outcome", "-o", help="How it ended.")],
    person: AsOption,
    key: KeyOption,
    corrected: Annotated[bool, typer.Option("--corrected", help="What was wrong has been put right.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a case. It comes back with `move --to appealed`.

    Example: `tidegate noncompliance close nc-1f0c -o unsubstantiated --as mia --key mia.key`
    """
    from tidegate.flow.noncompliance import close as end

    surroundings = world(project)
    actor = acting(surroundings, person, key)
    _print_moved(surroundings, end(surroundings, case, outcome.value, actor, corrected=corrected), as_json=as_json)


# --- counts --------------------------------------------------------------------------------------


@app.command("stats")
@command
def stats(
    quarter: Annotated[
        str | None, typer.Option("--quarter", "-q", help="As 2026-Q4; the present one if not given.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="A year's tables with small numbers hidden.")] = False,
    year: Annotated[int | None, typer.Option("--year", help="For --public; the last one if not given.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count a quarter for the board, or a year for the public.

    Examples: `tidegate noncompliance stats --quarter 2026-Q3`, `tidegate noncompliance stats --public --year 2025`
    """
    from tidegate.flow.noncompliance import counts_for_board, counts_for_public

    surroundings = world(project)
    if public or year is not None:
        found = counts_for_public(surroundings, year)
        tables = {"opened": found.opened, "closed": found.closed, "retaliation": found.retaliation}
        if as_json:
            print_json({"year": found.year, **{name: _table_json(table) for name, table in tables.items()}})
            return
        for name, table in tables.items():
            typer.echo(f"\n{found.year}, {name}")
            _print_table(table)
        return
    counts = counts_for_board(surroundings, quarter)._asdict()
    if as_json:
        print_json({**counts, "as_of": counts["as_of"].isoformat()})
        return
    for name, value in counts.items():
        shown = (
            ", ".join(f"{one.replace('_', ' ')} {count}" for one, count in value.items() if count)
            if isinstance(value, dict)
            else value
        )
        typer.echo(f"{name.replace('_', ' '):22}{'none' if shown in (None, '') else shown}")


def _table_json(table: "Table") -> dict[str, dict[str, str]]:
    return {
        row or "all": {column or "all": table.cells[row, column] for column in (*table.columns, None)}
        for row in (*table.rows, None)
    }


def _print_table(table: "Table") -> None:
    from rich import box
    from rich.table import Table as Shown

    shown = Shown(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", *(column.replace("_", " ") for column in table.columns), "all"):
        shown.add_column(heading, justify="right" if heading else "left")
    for row in (*table.rows, None):
        shown.add_row(row or "all", *(table.cells[row, column] for column in (*table.columns, None)))
    console().print(shown)
