# SPDX-License-Identifier: Apache-2.0
"""`tidegate evidence`: import, list, show, check, audit, export, restate."""

import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.shell import (
    EXIT_CLOSED,
    JsonOption,
    ProjectOption,
    clean,
    command,
    console,
    counted,
    print_json,
    print_problems,
    progress,
    record_json,
    world,
)

app = typer.Typer(
    help="Evidence: import, list, show, check, audit, export, restate.", no_args_is_help=True, rich_markup_mode=None
)


class Reason(StrEnum):
    """Why a figure is restated."""

    error = "error"
    harness = "harness"
    rubric = "rubric"
    n = "n"
    unexplained = "unexplained"
    retracted = "retracted"


class ExportFormat(StrEnum):
    """Formats that evidence can be exported to."""

    in_toto = "in-toto"
    every_eval_ever = "every-eval-ever"


class AuditGroup(StrEnum):
    """What report cards are counted per."""

    developer = "developer"
    threshold = "threshold"


@app.command("import")
@command
def import_(
    files: Annotated[list[Path], typer.Argument(help="Evaluation logs, reported figures, run tables, attestations.")],
    project: ProjectOption = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="Format, if it is not recognised: tidegate, reported, inspect, lm-eval, helm, garak, promptfoo, pyrit, run-table.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Model id to record instead of the name in the file.")
    ] = None,
    snapshot: Annotated[str | None, typer.Option("--snapshot", help="Snapshot that was measured.")] = None,
    variant: Annotated[
        str | None,
        typer.Option("--variant", help="released, helpful_only, earlier_snapshot, fine_tuned or safeguards_off."),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option("--threshold", "-t", help="Threshold that the results speak to; may be repeated."),
    ] = None,
    elicitation: Annotated[
        list[str] | None,
        typer.Option(
            "--elicitation",
            "-e",
            help="Elicitation that no log shows (fine_tuning, helpful_only ...); may be repeated.",
        ),
    ] = None,
    evaluator: Annotated[str | None, typer.Option("--evaluator", help="Who measured.")] = None,
    independent: Annotated[
        bool | None, typer.Option("--independent/--own", help="Whether they are independent of the developer.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show notes too, not only warnings.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take in evidence: all files or none. Importing the same file twice changes nothing.

    Example: `tidegate evidence import logs/*.eval --model my-model -e helpful_only`
    """
    from tidegate.flow.evidence import declare, import_files

    declared = declare(
        model=model,
        snapshot=snapshot,
        variant=variant,
        thresholds=tuple(threshold or ()),
        elements=tuple(elicitation or ()),
        evaluator=evaluator,
        independent=independent,
    )
    with progress("importing") as bar:
        taken = import_files(
            world(project), files, format_name=format_name, declared=declared, progress=lambda _path: bar
        )
    if as_json:
        print_json(
            [
                {
                    "file": one.file,
                    "format": one.format,
                    "records": one.records,
                    "conclusions": one.conclusions,
                    "new": one.new,
                    "kept_as": one.kept_as,
                    "notices": [notice.to_json() for notice in one.notices],
                }
                for one in taken
            ]
        )
        return
    for one in taken:
        print_problems([notice for notice in one.notices if verbose or notice.severity != "note"])
        what = counted(one.records, "record") + (
            f", {counted(one.conclusions, 'conclusion')}" if one.conclusions else ""
        )
        some = f", {one.new} of them new" if one.kept_as and one.new < one.records else ""
        outcome = f"kept as {one.kept_as}{some}" if one.kept_as else "nothing new, nothing changed"
        typer.echo(clean(f"{one.file} ({one.format}): {what}; {outcome}"))


@app.command("list")
@command
def list_(
    project: ProjectOption = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Only this model.")] = None,
    threshold: Annotated[str | None, typer.Option("--threshold", "-t", help="Only what names this threshold.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the evidence of the project."""
    from tidegate.flow.evidence import select

    records = select(world(project).project(), model=model, threshold=threshold)
    if as_json:
        print_json([record_json(record) for record in records])
        return
    from tidegate.publish.tables import evidence_table

    console().print(evidence_table(records))


@app.command("show")
@command
def show(
    evidence_id: Annotated[str, typer.Argument(help="Id of a record.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one record whole: figure, elicitation, counts, provenance, remarks."""
    from tidegate.flow.evidence import find_evidence

    record = find_evidence(world(project).project().evidence, evidence_id)
    if as_json:
        print_json({"digest": record.digest, "record": record_json(record)})
        return
    from tidegate.flow.policies import record_text

    typer.echo(clean(record_text(record)))
    typer.echo(record.digest)


@app.command("check")
@command
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files to read without keeping them; the project's evidence if none is given."),
    ] = None,
    project: ProjectOption = None,
    format_name: Annotated[
        str | None, typer.Option("--format", "-f", metavar="FORMAT", help="Format, if it is not recognised.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check evidence: importers' remarks, and figures that disagree. Exit 1 if there is a warning.

    Example: `tidegate evidence check run.eval`
    """
    from tidegate.flow.evidence import check_files, evidence_problems

    problems = (
        check_files(files, format_name=format_name) if files else evidence_problems(world(project).project().evidence)
    )
    if as_json:
        print_problems(problems, as_json=True)
    else:
        print_problems(problems)
        typer.echo(counted(len(problems), "remark"))
    if any(problem.severity != "note" for problem in problems):
        raise typer.Exit(EXIT_CLOSED)


@app.command("audit")
@command
def audit(
    by: Annotated[
        AuditGroup, typer.Option("--by", help="Count per developer or per threshold.")
    ] = AuditGroup.developer,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count what the record leaves out: figures without n, interval, line, baseline or elicitation."""
    from tidegate.flow.evidence import audit as count

    developers, thresholds = count(world(project).project().evidence)
    cards = developers if by is AuditGroup.developer else thresholds
    if as_json:
        print_json([record_json(card) for card in cards])
        return
    from tidegate.publish.tables import report_card_table

    console().print(report_card_table(cards))


@app.command("export")
@command
def export(
    evidence_id: Annotated[str, typer.Argument(help="Id of a record.")],
    output: Annotated[
        ExportFormat, typer.Option("--format", "-f", help="in-toto statement or every_eval_ever JSON.")
    ] = ExportFormat.in_toto,
    evaluator: Annotated[
        str, typer.Option("--evaluator", help="URI of who ran the evaluation, for in-toto.")
    ] = "urn:tidegate:evaluator:unstated",
    salt: Annotated[
        str | None,
        typer.Option("--salt", metavar="HEX", help="Secret that hides model and dataset names; made if not given."),
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Print a record as an in-toto statement or as every_eval_ever JSON.

    Example: `tidegate evidence export ID --format in-toto > statement.json`
    """
    from tidegate.flow.evidence import as_every_eval_ever, as_in_toto, find_evidence

    surroundings = world(project)
    record = find_evidence(surroundings.project().evidence, evidence_id)
    if output is ExportFormat.every_eval_ever:
        print_json(as_every_eval_ever(record, surroundings))
        return
    used = salt or secrets.token_hex(32)
    print_json(as_in_toto(record, evaluator, used))
    if salt is None:
        typer.echo(f"salt, to be kept secret by the issuer: {used}", err=True)


@app.command("gap")
@command
def gap(
    weaker: Annotated[str, typer.Argument(help="Id of the record with the weaker elicitation.")],
    stronger: Annotated[str, typer.Argument(help="Id of the record with the stronger elicitation.")],
    margin: Annotated[float, typer.Option("--margin", min=0, help="Gap that was allowed for, in the figures' unit.")],
    confidence: Annotated[
        float, typer.Option("--confidence", min=0.51, max=0.999, help="One-sided confidence of each bound.")
    ] = 0.95,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two runs that differ in elicitation with a declared margin. Exit 1 unless it is shown to suffice.

    Example: `tidegate evidence gap run.plain run.scaffolded --margin 0.1`
    """
    from tidegate.flow.gaps import gap_between

    found = gap_between(world(project), weaker, stronger, margin, confidence)
    if as_json:
        print_json(found.to_json())
    else:
        typer.echo(clean(found.text()))
    if found.found.verdict != "within_margin":
        raise typer.Exit(EXIT_CLOSED)


@app.command("restate")
@command
def restate(
    evidence_id: Annotated[str, typer.Argument(help="The record that no longer counts.")],
    reason: Annotated[
        Reason, typer.Option("--reason", "-r", help="Why; `retracted` takes it out without a successor.")
    ],
    by: Annotated[str | None, typer.Option("--by", help="The record that counts instead.")] = None,
    approved_by: Annotated[
        list[str] | None,
        typer.Option(
            "--approved-by", help="Role that agreed; may be repeated. Without it, adverse evidence keeps counting."
        ),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="In words.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a restatement or a retraction: the only way in which adverse evidence leaves the set.

    Example: `tidegate evidence restate m.12 --by m.40 --reason error --approved-by rso --note "printing error"`
    """
    from tidegate.flow.evidence import restate as record
    from tidegate.flow.evidence import restatement

    surroundings = world(project)
    made = restatement(
        evidence_id, by=by, reason=reason.value, approved_by=tuple(approved_by or ()), note=note, on=surroundings.today
    )
    path = record(surroundings, made)
    if as_json:
        print_json(record_json(made))
        return
    typer.echo(
        clean(
            f"recorded in {path.name}: {evidence_id} {'is retracted' if by is None else f'is superseded by {by}'} ({reason.value})"
        )
    )
    if not approved_by:
        typer.echo(
            "nobody is named as having approved it, so an adverse figure keeps counting until --approved-by is given"
        )


@app.command("redact")
@command
def redact(
    evidence_id: Annotated[str, typer.Argument(help="The record.")],
    field: Annotated[str, typer.Argument(help="Field whose words are withheld, as `note` or `provenance.title`.")],
    ground: Annotated[
        str,
        typer.Option(
            "--ground",
            "-g",
            help="public_safety, national_security, cybersecurity, trade_secret, privacy or legal.",
        ),
    ],
    character: Annotated[str, typer.Option("--character", help="What kind of thing is withheld; it is published.")],
    why: Annotated[str, typer.Option("--why", help="Why; it is published.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withhold words of a record from what outsiders see. A salted digest stands in their place.

    Only words that no rule reads can be withheld, so that outsiders can still recompute the verdict.

    Example: `tidegate evidence redact bio.7 note -g public_safety --character "names of agents" --why "hazardous"`
    """
    from tidegate.flow.evidence import Withholding
    from tidegate.flow.evidence import redact as withhold

    path, made = withhold(world(project), Withholding(evidence_id, field, ground, character, why))
    if as_json:
        print_json(record_json(made))
        return
    typer.echo(clean(f"kept in {path.name}: outsiders see {made.digest[:19]}... in place of {evidence_id} {field}"))
