# SPDX-License-Identifier: Apache-2.0
"""`tidegate commitments`: frameworks, what answers their items, and what in public words would not hold up."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.shell import (
    EXIT_CLOSED,
    AsOfOption,
    JsonOption,
    ProjectOption,
    clean,
    command,
    console,
    counted,
    parse_day,
    print_json,
    record_json,
    world,
)

if TYPE_CHECKING:
    from tidegate.flow.commitments import Known
    from tidegate.publish.claims import ClaimProblem
    from tidegate.publish.coverage import FrameworkCoverage, ItemCoverage

app = typer.Typer(
    help="Frameworks, laws and promises: what answers them, and what in public words would not hold up.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
@command
def list_frameworks(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """List the frameworks that are known, and how the project stands to each. Works without a project too.

    Example: `tidegate commitments list`
    """
    from tidegate.flow.commitments import known_frameworks

    known = known_frameworks(world(project))
    if as_json:
        print_json([_known_json(one) for one in known])
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("framework", "version", "kind", "status", "items", "stance"):
        table.add_column(heading, justify="right" if heading == "items" else "left")
    for one in known:
        framework = one.framework
        table.add_row(
            *map(
                clean,
                (
                    framework.id,
                    framework.version,
                    framework.kind.replace("_", " "),
                    framework.status.replace("_", " "),
                    str(len(framework.items)),
                    one.made.stance.replace("_", " ") if one.made else "",
                ),
            )
        )
    console().print(table)


@app.command("show")
@command
def show(
    framework: Annotated[str, typer.Argument(metavar="FRAMEWORK[@VERSION]", help="Id of the framework.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a framework asks, item by item, in our own words.

    Example: `tidegate commitments show sb53`
    """
    from tidegate.flow.commitments import one_framework

    known = one_framework(world(project), framework)
    found = known.framework
    if as_json:
        print_json({"framework": record_json(found), "made": record_json(known.made) if known.made else None})
        return
    lines = [found.title, f"{found.label}, {found.publisher}, {found.date}, {found.status.replace('_', ' ')}"]
    if found.in_force_from:
        lines.append(f"in force from {found.in_force_from}")
    if known.made is not None:
        lines.append(f"stance: {known.made.stance.replace('_', ' ')}")
    lines += [text for text in (found.note, f"Source: {found.source}") if text]
    lines.append("")
    for item in found.items:
        lines.append(f"{item.id}  {item.title}")
        facts = (item.asks, item.applies_to and f"binds: {item.applies_to.replace('_', ' ')}", item.due)
        lines += [f"    {text}" for text in facts if text]
    typer.echo(clean("\n".join(lines)))


@app.command("coverage")
@command
def show_coverage(
    framework: Annotated[
        list[str] | None,
        typer.Option("--framework", "-f", metavar="ID", help="This framework only; may be repeated."),
    ] = None,
    uncovered: Annotated[bool, typer.Option("--uncovered", help="Show uncovered items only.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 if an item that counts by now is uncovered.")] = False,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show, framework by framework, what is covered by evidence, by a statement only, by nothing, or does not apply.

    The frameworks are those of `commitments` in tidegate.yaml, if none is named. With --check, what is adhered to or
    binding and in force has to be covered.

    Examples: `tidegate commitments coverage`, `tidegate commitments coverage -f hiroshima-coc --uncovered`
    """
    from tidegate.flow.commitments import commitment_coverage

    found = commitment_coverage(world(project), framework or (), parse_day(as_of))
    missing = [item for one in found for item in one.open]
    if as_json:
        print_json(
            {"frameworks": [_coverage_json(one, uncovered) for one in found], "open": [one.ref for one in missing]}
        )
    elif not found:
        typer.echo(
            "The project has made no commitments: add `commitments` to tidegate.yaml, or name one with --framework."
        )
    else:
        _print_counts(found)
        for one in found:
            _print_items(one, only_uncovered=uncovered)
    if check and missing:
        raise typer.Exit(EXIT_CLOSED)


@app.command("lint")
@command
def lint(
    page: Annotated[
        list[Path] | None,
        typer.Option("--page", metavar="FILE", help="Plain text or Markdown of a hub page; may be repeated."),
    ] = None,
    answers: Annotated[
        list[Path] | None,
        typer.Option("--answers", metavar="FILE", help="Markdown of a report that answers a questionnaire."),
    ] = None,
    questionnaire: Annotated[
        str, typer.Option("--questionnaire", "-q", metavar="ID[@VERSION]", help="Questionnaire of --answers.")
    ] = "haip",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings give exit 1 too.")] = False,
    as_of: AsOfOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what a careful reader would object to in public words: of the project's hub/, or of the texts given.

    Exit 1 if there are errors. Texts are read together: answers are held against the pages that they point to.

    Examples: `tidegate commitments lint`, `tidegate commitments lint --page hub.txt --answers report.md`
    """
    from tidegate.flow.commitments import lint_project, lint_texts

    surroundings = world(project)
    day = parse_day(as_of)
    if page or answers:
        found = lint_texts(surroundings, page or (), answers or (), questionnaire, day)
    else:
        found = lint_project(surroundings, day)
    if as_json:
        print_json({"problems": [one.to_json() for one in found]})
    else:
        _print_problems(found)
    if any(one.rule.severity == "error" or (strict and one.rule.severity == "warning") for one in found):
        raise typer.Exit(EXIT_CLOSED)


def _known_json(one: "Known") -> dict[str, Any]:
    framework = one.framework
    return {
        "id": framework.id,
        "version": framework.version,
        "title": framework.title,
        "kind": framework.kind,
        "status": framework.status,
        "inForceFrom": framework.in_force_from,
        "items": len(framework.items),
        "stance": one.made.stance if one.made else None,
    }


def _coverage_json(one: "FrameworkCoverage", only_uncovered: bool) -> dict[str, Any]:
    items = one.of("uncovered") if only_uncovered else one.items
    return {
        "framework": one.framework.id,
        "version": one.framework.version,
        "stance": one.made.stance if one.made else None,
        "counts": dict(one.counts),
        "items": [_item_json(item) for item in items],
        "asAWhole": [by.id for by in one.whole],
    }


def _item_json(item: "ItemCoverage") -> dict[str, Any]:
    return {
        "ref": item.ref,
        "title": item.item.title,
        "state": item.state,
        "reason": item.reason,
        "inForceFrom": item.from_day,
        "by": [
            {
                "kind": by.kind,
                "id": by.id,
                "title": by.title,
                "badge": by.badge,
                "via": by.via,
                "records": [known.ref for known in by.records],
            }
            for by in item.by
        ],
    }


def _print_counts(found: "Sequence[FrameworkCoverage]") -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("framework")
    table.add_column("stance")
    for heading in ("evidence", "statement only", "uncovered", "not applicable"):
        table.add_column(heading, justify="right")
    for one in found:
        stance = one.made.stance.replace("_", " ") if one.made else "no commitment"
        table.add_row(clean(one.framework.label), stance, *(str(number) for number in one.counts.values()))
    console().print(table)


def _print_items(one: "FrameworkCoverage", *, only_uncovered: bool) -> None:
    from tidegate.publish.coverage import STATE_WORDS

    for state, words in STATE_WORDS.items():
        items = one.of(state)
        if not items or (only_uncovered and state != "uncovered"):
            continue
        typer.echo(clean(f"{one.framework.id}: {words}"))
        for item in items:
            later = f" (in force from {item.from_day})" if item.from_day else ""
            typer.echo(clean(f"  {item.item.id}  {item.item.title}{later}"))
            names = ", ".join(f"{by.kind} {by.id}" + (f" via {by.via}" if by.via else "") for by in item.by)
            if names and state == "uncovered":
                typer.echo(clean(f"      {names}: not enough to cover it"))
            elif names or state != "uncovered":
                typer.echo(clean(f"      {names}: {item.reason}" if names else f"      {item.reason}"))
    if one.whole and not only_uncovered:
        names = ", ".join(by.id for by in one.whole)
        typer.echo(clean(f"{one.framework.id}: named as a whole, so for no item of it, by {names}"))


def _print_problems(found: "Sequence[ClaimProblem]") -> None:
    out = console()
    styles = {"error": "red", "warning": "yellow", "note": "blue"}
    for one in found:
        out.print(f"{clean(str(one.where))}: ", end="", markup=False, style="bold", soft_wrap=True)
        label = f"{one.rule.severity} {one.rule.id}"
        out.print(label, end="", markup=False, style=styles[one.rule.severity], soft_wrap=True)
        ref = f" [{one.ref}]" if one.ref else ""
        out.print(clean(f"{ref}: {one.words!r}: {one.message}"), markup=False, soft_wrap=True)
    seen = {one.rule.id: one.rule for one in found}
    for name in sorted(seen):
        out.print(clean(f"{name}, {seen[name].title.lower()}: {seen[name].hint}"), markup=False, soft_wrap=True)
    errors = sum(one.rule.severity == "error" for one in found)
    typer.echo(f"{counted(errors, 'error')}, {counted(len(found) - errors, 'other objection')}")
