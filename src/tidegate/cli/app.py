# SPDX-License-Identifier: Apache-2.0
"""The `tidegate` command."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate import __version__
from tidegate.cli import (
    assess,
    bundle,
    case,
    commitments,
    decide,
    due,
    evidence,
    incident,
    key,
    ledger,
    noncompliance,
    policy,
    publish,
    report,
    retention,
    review,
)
from tidegate.cli.shell import JsonOption, clean, command, print_json

app = typer.Typer(
    name="tidegate",
    help="Makes a frontier AI developer's safety policy run: policy as code, evaluations as evidence, "
    "a verdict that explains itself.",
    epilog="Start with `tidegate demo` or `tidegate new DIR`. Exit codes: 0 yes, 1 no (a gate is closed, "
    "a check found something), 2 the question could not be answered.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(policy.app, name="policy")
app.add_typer(evidence.app, name="evidence")
app.add_typer(report.app, name="report")
app.add_typer(case.app, name="case")
app.add_typer(decide.app, name="decide")
app.add_typer(ledger.app, name="ledger")
app.add_typer(key.app, name="key")
app.add_typer(noncompliance.app, name="noncompliance")
app.add_typer(retention.app, name="sealed")
app.add_typer(publish.app, name="publish")
app.add_typer(incident.app, name="incident")
app.add_typer(due.app, name="due")
app.add_typer(review.app, name="review")
app.add_typer(commitments.app, name="commitments")
app.command("assess", short_help="Findings and gates of models.")(assess.assess)
app.command("gate", short_help="May this action go ahead? Exit 0, 1 or 2.")(assess.gate)
app.command("explain", short_help="Why a finding is as it is.")(assess.explain)
app.command("plan", short_help="Can a suite rule a line out at all?")(assess.plan)
app.command("bundle", short_help="One file with all that a verdict rests on.")(bundle.bundle)
app.command("verify", short_help="Check a bundle offline. Exit 0, 1 or 2.")(bundle.verify)
app.command("trust", short_help="The keys that outsiders need.")(bundle.trust)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"tidegate {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


@app.command("new")
@command
def new(
    directory: Annotated[Path, typer.Argument(help="Folder to make; it must be new or empty.")],
    policy_name: Annotated[
        str, typer.Option("--policy", "-p", metavar="PACK", help="Policy to adopt: see `tidegate policy list`.")
    ] = "starter",
    organisation: Annotated[str, typer.Option("--organisation", help="Who runs the project.")] = "My organisation",
    as_json: JsonOption = False,
) -> None:
    """Make a project that adopts a policy.

    Example: `tidegate new safety --policy starter`
    """
    from tidegate.flow.projects import new_project

    written = new_project(directory, policy_name, organisation)
    if as_json:
        print_json({"project": str(directory), "files": sorted(written)})
        return
    typer.echo(f"Made {clean(str(directory))} with {len(written)} files. It adopts the pack {policy_name!r}.")
    typer.echo("Next:")
    for line in (
        f"  cd {directory}",
        "  tidegate policy show                 # what was adopted",
        "  tidegate policy lock                 # fix the decision rules before results come in",
        "  tidegate evidence import FILE...     # evaluation logs, reported figures",
        "  tidegate assess                      # findings and gates",
        "  tidegate due                         # what is due, once obligations.yaml says who you are",
    ):
        typer.echo(clean(line))


@app.command("demo", short_help="Real public models, from published figures.")
@command
def demo(
    directory: Annotated[
        Path, typer.Argument(help="Folder for the demo project; replaced if an earlier demo made it.")
    ] = Path("demo-project"),
    runs: Annotated[
        list[Path] | None,
        typer.Option("--runs", metavar="DIR", help="Folder with further real logs and run tables; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Assess real public models from their published figures, and write a report.

    Builds a project, imports the figures that ship with Tidegate and runs that it made itself, assesses each model
    under its developer's policy and under the others, and writes an HTML report.
    """
    from tidegate.cli.demo import run_demo

    run_demo(directory, further=tuple(runs or ()), as_json=as_json)


def main() -> None:
    """Run the command line."""
    app()
