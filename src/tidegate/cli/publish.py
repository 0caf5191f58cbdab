# SPDX-License-Identifier: Apache-2.0
"""`tidegate publish`: the transparency hub, the HAIP report, and the reports that laws and policies ask for."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.shell import (
    EXIT_CANNOT_RUN,
    EXIT_CLOSED,
    JsonOption,
    ProjectOption,
    clean,
    command,
    counted,
    parse_day,
    print_json,
    print_problems,
    progress,
    world,
)

if TYPE_CHECKING:
    from tidegate.flow.public_reports import Made

app = typer.Typer(
    help="The transparency hub, the HAIP report, and the reports that laws and policies ask for.",
    no_args_is_help=True,
    epilog="Everything is made from the records of the project; what no record shows is called a statement.",
)

MOST_PROBLEMS = 6
"""An empty questionnaire has a problem for each question; the output lists them all."""
FormatOption = Annotated[str, typer.Option("--format", "-f", metavar="FORM", help="md, html, docx, pdf or json.")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="File to write; standard output if not given (md, html, json)."
    ),
]
FinalOption = Annotated[
    bool, typer.Option("--final", help="Refuse to write it while something that it has to say is missing.")
]
PublishAsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="State of this day; today if not given.")
]


@app.command("hub")
@command
def hub(  # what a site is made with
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the site: new, empty, or made by this before."),
    ] = Path("site"),
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="Where the site will stand; the feed needs it.")
    ] = None,
    catalogue: Annotated[
        Path | None,
        typer.Option("--catalogue", metavar="FILE", help="Message catalogue (.po) of another language than English."),
    ] = None,
    bundles: Annotated[
        bool,
        typer.Option("--bundles", help="Put a verifiable bundle for each model with decisions beside the site."),
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the transparency hub: a static site that needs no server and asks none for anything.

    Only pages that changed are written. Nothing is written if a withheld word would show anywhere.

    Example: `tidegate publish hub --output site --base-url https://trust.example.org`
    """
    from tidegate.flow.hub import HubOptions, publish_hub

    with progress("making the hub") as tell:
        options = HubOptions(base_url=base_url, catalogue=catalogue, bundles=bundles)
        made = publish_hub(world(project), output, options, tell)
    if as_json:
        print_json(made.to_json())
        return
    print_problems(made.warnings)
    pages, written = counted(len(made.pages), "page"), counted(len(made.written), "file")
    typer.echo(
        f"{clean(str(output))}/index.html: {pages} "
        f"({written} written, {len(made.unchanged)} unchanged, {len(made.removed)} removed)"
    )


@app.command("haip")
@command
def haip(
    form: FormatOption = "md",
    output: OutputOption = None,
    version: Annotated[
        str | None, typer.Option("--questionnaire", metavar="ID[@VERSION]", help="Questionnaire; haip if not given.")
    ] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="Whose questions, where a questionnaire asks several roles.")
    ] = None,
    final: FinalOption = False,
    as_of: PublishAsOf = None,
    project: ProjectOption = None,
) -> None:
    """Answer the questionnaire of the Hiroshima AI Process from practices and records.

    Example: `tidegate publish haip --format pdf --output haip.pdf`
    """
    from tidegate.flow.public_reports import make_haip

    _write(make_haip(world(project), form, final=final, version=version, role=role, at=parse_day(as_of)), output)


@app.command("report")
@command
def report(
    kind: Annotated[str, typer.Argument(help="Kind of report: see `tidegate publish kinds`.")],
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL", help="Model, for a report about a model.")
    ] = None,
    form: FormatOption = "md",
    output: OutputOption = None,
    final: FinalOption = False,
    as_of: PublishAsOf = None,
    project: ProjectOption = None,
) -> None:
    """Fill a report that a law, a code or the policy asks for; what is missing is named.

    Example: `tidegate publish report sb53-transparency --model adder --format html --output report.html`
    """
    from tidegate.flow.public_reports import make_report

    _write(make_report(world(project), kind, model, form, final=final, at=parse_day(as_of)), output)


@app.command("kinds")
@command
def kinds(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the kinds of reports.

    Example: `tidegate publish kinds`
    """
    from tidegate.cli.shell import console
    from tidegate.flow.public_reports import report_kinds

    found = report_kinds(world(project) if project else None)
    if as_json:
        print_json(
            [{"id": one.id, "title": one.title, "version": one.version, "subject": one.subject} for one in found]
        )
        return
    from rich.table import Table

    table = Table("Kind", "About", "Title", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.id, one.subject, one.title)
    console().print(table)


@app.command("schema")
@command
def schema(
    kind: Annotated[str, typer.Argument(help="Kind of report, or `haip`.")],
    output: OutputOption = None,
    project: ProjectOption = None,
) -> None:
    """Give the JSON Schema of a report's machine-readable form.

    Example: `tidegate publish schema sb53-transparency`
    """
    import json

    from tidegate.flow.outputs import write_output
    from tidegate.flow.public_reports import report_schema

    text = json.dumps(report_schema(kind, world(project) if project else None), indent=2, sort_keys=True) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_output(output, text)


@app.command("oscal")
@command
def oscal(
    what: Annotated[str, typer.Argument(help="assessment-results or component-definition.")],
    output: OutputOption = None,
    as_of: PublishAsOf = None,
    project: ProjectOption = None,
) -> None:
    """Export to OSCAL, for tools of compliance teams.

    Example: `tidegate publish oscal assessment-results --output results.json`
    """
    from tidegate.flow.public_reports import make_oscal

    _write(make_oscal(world(project), what, at=parse_day(as_of)), output)


@app.command("redact")
@command
def redact(
    name: Annotated[str, typer.Argument(help="Id of the redaction; `[[ID|the words]]` in a text marks them.")],
    ground: Annotated[
        str,
        typer.Option(
            "--ground",
            help="public_safety, national_security, cybersecurity, trade_secret, privacy or legal.",
        ),
    ],
    character: Annotated[str, typer.Option("--character", help="What kind of thing is withheld; it is published.")],
    justification: Annotated[str, typer.Option("--justification", help="Why; it is published.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter a redaction of words in the register, with a salt that nobody can guess.

    Example: `tidegate publish redact R-1 --ground cybersecurity --character "A parameter" --justification "It helps."`
    """
    from tidegate.flow.text_redactions import add_redaction

    made = add_redaction(world(project), name, ground, character, justification)
    if as_json:
        print_json({"id": made.id, "ground": made.ground, "character": made.character})
        return
    typer.echo(f"Entered {clean(made.id)}. Mark the words in a text: [[{clean(made.id)}|the words]]")


@app.command("redactions")
@command
def redactions(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the register of redactions, as outsiders see it.

    Exit code 1 if a text and the register do not fit each other.

    Example: `tidegate publish redactions`
    """
    from tidegate.flow.text_redactions import redaction_status

    found = redaction_status(world(project))
    is_broken = any(one.severity == "error" for one in found.problems)
    if as_json:
        used = [one.model_dump(mode="json") for one in found.used]
        print_json({"used": used, "unused": found.unused, "problems": [one.to_json() for one in found.problems]})
        raise typer.Exit(EXIT_CLOSED if is_broken else 0)
    for one in found.used:
        typer.echo(clean(f"{one.id}  {one.ground}: {one.character}; in {', '.join(one.where)}; {one.digest}"))
    for name in found.unused:
        typer.echo(clean(f"{name}  is marked in no text yet"))
    if not found.used and not found.unused:
        typer.echo("No words are withheld.")
    print_problems(found.problems)
    raise typer.Exit(EXIT_CLOSED if is_broken else 0)


@app.command("reveal")
@command
def reveal(
    name: Annotated[str, typer.Argument(help="Id of the redaction.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File with the words, exactly as they were withheld.")],
    salt: Annotated[str, typer.Option("--salt", help="Its salt, 64 hexadecimal digits, as the house has told it.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that words which somebody was shown are those that a redaction withholds.

    Exit code 1 if they are not.

    Example: `tidegate publish reveal R-1 words.txt --salt 5f0c...`
    """
    from tidegate.flow.text_redactions import reveals
    from tidegate.kernel.documents import read_bytes

    words = read_bytes(file).decode("utf-8", errors="replace").rstrip("\n")
    is_same = reveals(world(project), name, words, salt)
    if as_json:
        print_json({"redaction": name, "is_what_it_withholds": is_same})
    else:
        typer.echo(clean(f"{name} withholds {'exactly these words' if is_same else 'other words'}."))
    raise typer.Exit(0 if is_same else EXIT_CLOSED)


def _write(made: "Made", output: Path | None) -> None:
    from tidegate.flow.outputs import write_output

    print_problems(made.problems[:MOST_PROBLEMS])
    if len(made.problems) > MOST_PROBLEMS:
        typer.echo(f"... and {len(made.problems) - MOST_PROBLEMS} more; the output names them all", err=True)
    if output is not None:
        write_output(output, made.data)
        typer.echo(f"{clean(str(output))}: {clean(made.summary)}", err=True)
        return
    if made.is_text:
        typer.echo(made.data.decode(), nl=False)
        return
    if sys.stdout.isatty():
        typer.echo("this form is no text: name a file with --output", err=True)
        raise typer.Exit(EXIT_CANNOT_RUN)
    sys.stdout.buffer.write(made.data)
