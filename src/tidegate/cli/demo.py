# SPDX-License-Identifier: Apache-2.0
"""`tidegate demo`: what the terminal shows of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tidegate.cli.shell import clean, console, print_json, print_problems

if TYPE_CHECKING:
    from tidegate.flow.demo import Demo
    from tidegate.flow.demo_house import SignedDemo
    from tidegate.flow.demo_published import PublishedDemo


def run_demo(directory: Path, *, further: tuple[Path, ...], as_json: bool) -> None:
    """Build the demo and print what it found."""
    from tidegate.flow.demo import build_demo, demo_json

    err = console(stderr=True)
    with err.status("making the project") as status:
        demo = build_demo(directory, further, lambda text: status.update(clean(text)))
    if as_json:
        print_json(demo_json(demo))
        return
    _show(demo)


def _show(demo: "Demo") -> None:
    from tidegate.flow.demo import EXPLAINED, STATE_OF_RECORD, sheets
    from tidegate.publish.tables import agreement_table, explanation_panel, gates_table, matrix, report_card_table

    out = console()
    kinds = ", ".join(f"{n} {name}" for name, n in demo.formats.items())
    real = [model for model, pack in demo.own_policy.items() if pack != "demo"]
    out.print(f"{len(real)} public models, {demo.records} evidence records ({kinds})")
    out.print(f"answered as of {STATE_OF_RECORD.isoformat()}, under {len(demo.assessments)} policies")
    for sheet in sheets(demo):
        out.rule(clean(sheet.title))
        out.print(matrix(sheet.every), gates_table(sheet.every), sep="\n")
        if sheet.own and any(one.concluded for model in sheet.own.models for one in model.thresholds):
            out.print(agreement_table(sheet.own))
    for explanation in demo.explanations:
        out.rule(clean(f"why: {explanation.name}, {explanation.threshold}"))
        out.print(explanation_panel(explanation))
    out.rule("what the public record leaves out")
    out.print(report_card_table(demo.report_cards))
    print_problems(demo.refused)
    typer.echo(clean(f"Report: {demo.report}"))
    _show_signed(demo.signed)
    _show_published(demo.published)
    pack, model, threshold = EXPLAINED[0]
    typer.echo(clean(f"Ask on: tidegate explain {model} {threshold} --policy {pack} --project {demo.root}"))


def _show_signed(signed: "SignedDemo") -> None:
    from tidegate.publish.log_pages import check_lines

    console().rule("from a report to a signed decision")
    record = signed.decision.record
    closing = sum(reason.closes for reason in signed.before.reasons)
    typer.echo(f"the gate for general deployment was closed ({closing} reasons), and two people had to sign")
    for report in signed.reports:
        typer.echo(clean(f"report {report.report}, final, by {report.author}"))
    low, high = signed.confidence
    typer.echo(f"safety case, reviewed by a second person: confidence in its top claim {low:.2f} to {high:.2f}")
    typer.echo(clean(f"decision {record.id}: {record.document.question}"))
    for review in record.reviews:
        typer.echo(clean(f"  reviewed by {review.by}: {review.text}"))
    for one in record.in_force:
        typer.echo(clean(f"  signed by {one.person} as {one.role}, entry {one.index}, key {one.key}"))
    typer.echo(f"the gate is {'open' if signed.after.open else 'closed'} now; the ledger has {signed.entries} entries")
    typer.echo("an outsider, with nothing but the bundle and the keys:")
    for line in check_lines(signed.verified.checks):
        typer.echo(line)
    typer.echo(clean(f"Check it yourself: tidegate verify {signed.bundle} --trust {signed.trust}"))


def _show_published(made: "PublishedDemo") -> None:
    from tidegate.publish.due_pages import duty_words
    from tidegate.publish.inventory import BADGE_WORDS

    console().rule("what is due, and what is public")
    for duty in made.duties:
        typer.echo(clean(f"{duty_words(duty)}: {duty.rule.title}" + (f" ({duty.subject})" if duty.subject else "")))
    worth = ", ".join(f"{made.badges[badge]} {words}" for badge, words in BADGE_WORDS.items() if badge in made.badges)
    typer.echo(f"{sum(made.badges.values())} public statements: {worth}")
    typer.echo(clean(f"Transparency hub: {made.site} ({len(made.hub.pages)} pages)"))
    typer.echo(clean(f"HAIP report: {', '.join(map(str, made.haip))} ({made.haip_status})"))
    typer.echo(clean(f"SB 53 transparency report: {made.report} ({made.report_status})"))
