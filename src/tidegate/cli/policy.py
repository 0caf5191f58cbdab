# SPDX-License-Identifier: Apache-2.0
"""`tidegate policy`: check, show, list, compare, and lock rules."""

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
    print_json,
    print_problems,
    record_json,
    world,
)

app = typer.Typer(
    help="Policies as code: check, show, list, compare, lock.", no_args_is_help=True, rich_markup_mode=None
)


class DiffFormat(StrEnum):
    """How a comparison is printed."""

    table = "table"
    markdown = "markdown"
    json = "json"


class GraphFormat(StrEnum):
    """How a graph is printed."""

    mermaid = "mermaid"
    d2 = "d2"


@app.command("check")
@command
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Policy files; those of the project if none is given.")
    ] = None,
    project: ProjectOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail the check too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check policies: every problem at once, at file:line:column. Exit 1 if a warning fails a strict check, 2 on errors.

    Example: `tidegate policy check policy/*.yaml`
    """
    from tidegate.flow.policies import check_files, check_project_policies

    surroundings = world(project)
    loaded = check_files(files) if files else check_project_policies(surroundings)
    notices = [notice for one in loaded for notice in one.notices]
    if as_json:
        print_json(
            {
                "policies": [
                    {"label": one.policy.label, "digest": one.policy.digest, "file": one.document.file}
                    for one in loaded
                ],
                "problems": [notice.to_json() for notice in notices],
            }
        )
    else:
        print_problems(notices)
        for one in loaded:
            counts = f"{len(one.policy.thresholds)} thresholds, {len(one.policy.standards)} standards, {len(one.policy.commitments)} commitments"
            typer.echo(clean(f"{one.document.file}: {one.policy.label} is in order ({counts})"))
            typer.echo(f"  {one.policy.digest}")
    if strict and notices:
        raise typer.Exit(EXIT_CLOSED)


@app.command("show")
@command
def show(
    policy: Annotated[str | None, typer.Argument(help="Pack, file or label; the adopted policy if not given.")] = None,
    item: Annotated[str | None, typer.Option("--item", "-i", metavar="ID", help="Show one item whole.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a policy says: thresholds with their rules, what they require, and who decides.

    Example: `tidegate policy show rsp-v2.2 --item CBRN-3`
    """
    from tidegate.flow.policies import find_item, find_policy, policy_text, record_text

    loaded = find_policy(world(project), policy)
    if item is not None:
        found, where = find_item(loaded, item)
        if as_json:
            print_json({"item": record_json(found), "where": str(where)})
        else:
            typer.echo(clean(str(where)))
            typer.echo(clean(record_text(found)))
        return
    if as_json:
        print_json({"digest": loaded.policy.digest, "policy": record_json(loaded.policy)})
        return
    typer.echo(clean(policy_text(loaded)))


@app.command("list")
@command
def list_policies(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the packs that ship with Tidegate, and the project's own policies."""
    from tidegate.flow.policies import all_policies

    loaded = all_policies(world(project))
    if as_json:
        print_json(
            [
                {
                    "label": one.policy.label,
                    "title": one.policy.title,
                    "publisher": one.policy.publisher,
                    "status": one.policy.status,
                    "digest": one.policy.digest,
                    "file": one.document.file,
                    "thresholds": len(one.policy.thresholds),
                }
                for one in loaded
            ]
        )
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "label", "publisher", "status", "thresholds"):
        table.add_column(heading)
    for one in loaded:
        name = one.document.file.removeprefix("packs/").removesuffix(".yaml")
        table.add_row(
            *map(
                clean,
                (
                    name,
                    one.policy.label,
                    one.policy.publisher,
                    one.policy.status.replace("_", " "),
                    str(len(one.policy.thresholds)),
                ),
            )
        )
    console().print(table)


@app.command("schema")
@command
def schema() -> None:
    """Print the JSON schema of a policy file, for editors.

    Example: `tidegate policy schema > policy.schema.json`
    """
    from tidegate.flow.policies import policy_schema

    print_json(policy_schema())


@app.command("graph")
@command
def graph(
    policy: Annotated[str | None, typer.Argument(help="Pack, file or label; the adopted policy if not given.")] = None,
    output: Annotated[GraphFormat, typer.Option("--format", "-f", help="Language of the graph.")] = GraphFormat.mermaid,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print thresholds, what they require and what they rule out, as a graph.

    Example: `tidegate policy graph rsp-v2.2 --format d2 > rsp.d2`
    """
    from tidegate.flow.policies import find_policy, graph_data, graph_text

    loaded = find_policy(world(project), policy)
    if as_json:
        print_json(graph_data(loaded.policy))
        return
    typer.echo(clean(graph_text(loaded.policy, output.value)))


@app.command("diff")
@command
def diff(
    old: Annotated[str, typer.Argument(help="Earlier version: pack, file or label.")],
    new: Annotated[str, typer.Argument(help="Later version: pack, file or label.")],
    output: Annotated[DiffFormat, typer.Option("--format", "-f", help="How to print it.")] = DiffFormat.table,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 while the changelog leaves a material change unaccounted for.")
    ] = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Also list removed and added clauses whose words are alike.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Show retained items too.")] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions by meaning, and check the changelog against what changed.

    Each commitment is retained, strengthened, weakened, removed, relocated or added, on which of six dimensions, and
    why. Each material change is announced, partially announced or silent.

    Example: `tidegate policy diff rsp-v2.2 rsp-v3.4`
    """
    from tidegate.flow.policies import diff_policies

    found = diff_policies(world(project), old, new, suggest=suggest)
    if as_json or output is DiffFormat.json:
        print_json(found.to_json())
    elif output is DiffFormat.markdown:
        from tidegate.policy.views import render_markdown

        typer.echo(clean(render_markdown(found)))
    else:
        from tidegate.publish.policy_diff import diff_table

        out = console()
        for part in diff_table(found, every=every):
            out.print(part)
    if strict and found.unaccounted:
        raise typer.Exit(EXIT_CLOSED)


@app.command("lock")
@command
def lock(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Fix the decision rules of the adopted policy, as of today, before results come in.

    A rule that changes afterwards is shown on every finding that uses it.
    """
    from tidegate.flow.policies import lock_rules

    locks = lock_rules(world(project))
    if as_json:
        print_json([record_json(one) for one in locks])
        return
    for one in locks:
        typer.echo(clean(f"locked {one.threshold} / {one.indicator} {one.digest[:19]} on {one.locked_on.isoformat()}"))
    if not locks:
        typer.echo("every rule is locked already")
