# SPDX-License-Identifier: Apache-2.0
"""`tidegate review`: looking back on a period."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.shell import EXIT_CANNOT_RUN, AsOfOption, JsonOption, ProjectOption, clean, command, parse_day, world

if TYPE_CHECKING:
    from tidegate.publish.compliance import Review

app = typer.Typer(
    help="Reviews of a period: what was promised, done, late, deviated from, waived.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Form(StrEnum):
    """How a review is printed."""

    md = "md"
    html = "html"
    docx = "docx"
    pdf = "pdf"
    json = "json"


@app.callback()
def _reviews() -> None:
    """Reviews of a period: what was promised, done, late, deviated from, waived."""


@app.command("compliance")
@command
def compliance(
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="First day of the period.")],
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day of the period.")],
    public: Annotated[
        bool, typer.Option("--public", help="Leave out people's names, and what is not public; say how much.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", "-f", help="md, html, docx, pdf or json.")] = Form.md,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write; standard output if not given (not PDF)."),
    ] = None,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was promised in a period, done, late and by how much, deviated from, waived by whom, and unclear.

    Each line says where it is on record. What was recorded after the period about it counts, and is marked as such;
    --as-of leaves out what was recorded after a day.

    Examples: `tidegate review compliance --from 2026-01-01 --to 2026-06-30`,
    `tidegate review compliance --from 2026-01-01 --to 2026-06-30 --public --format html --output review.html`
    """
    from tidegate.flow.compliance import compliance_review
    from tidegate.flow.outputs import write_output
    from tidegate.publish.compliance import summary

    first, last = parse_day(start), parse_day(end)
    assert first is not None
    assert last is not None
    found = compliance_review(world(project), first, last, is_public=public, known=parse_day(as_of))
    chosen = Form.json if as_json else form
    if output is None and chosen in (Form.docx, Form.pdf):
        typer.echo("this form is no text: name a file with --output", err=True)
        raise typer.Exit(EXIT_CANNOT_RUN)
    data = _printed(found, chosen)
    if output is None:
        typer.echo(data.decode(), nl=False)
        return
    write_output(output, data)
    typer.echo(f"{clean(str(output))}: {summary(found)}", err=True)


def _printed(found: "Review", form: Form) -> bytes:
    import json

    from tidegate.publish.compliance import compliance_page, review_data
    from tidegate.publish.printing import FORMS, printed

    if form == Form.json:
        return (json.dumps(review_data(found), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
    return printed(compliance_page(found), next(one for one in FORMS if one == form.value))
