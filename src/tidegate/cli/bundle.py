# SPDX-License-Identifier: Apache-2.0
"""`tidegate bundle`, `tidegate verify`, `tidegate trust`: what an outsider gets, and how they check it."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.shell import EXIT_CLOSED, JsonOption, ProjectOption, clean, command, print_json, record_json, world


@command
def bundle(
    model: Annotated[str, typer.Argument(metavar="MODEL[@SNAPSHOT]", help="The model.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; MODEL.tidegate if not given.")
    ] = None,
    whole_log: Annotated[
        bool,
        typer.Option("--whole-log", help="Show every entry of the log, so that none can have been left out."),
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one file with all that a verdict rests on: policy, evidence, decisions, signatures, proofs of the log.

    Needs a log checkpoint that covers the decisions: `tidegate ledger checkpoint --log-key FILE`.

    Example: `tidegate bundle my-model -o my-model.tidegate`
    """
    from tidegate.flow.bundles import make_bundle
    from tidegate.flow.outputs import write_output
    from tidegate.kernel.canonical import digest_bytes

    data = make_bundle(world(project), model, whole_log=whole_log)
    path = output or Path(f"{model.replace('/', '-')}.tidegate")
    write_output(path, data)
    if as_json:
        print_json({"bundle": str(path), "bytes": len(data), "digest": digest_bytes(data)})
        return
    typer.echo(clean(f"{path}: {len(data):,} bytes, {digest_bytes(data)}"))
    typer.echo(clean(f"Check it anywhere: tidegate verify {path} --trust trust.yaml"))


@command
def verify(
    bundle_file: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle.")],
    trust: Annotated[
        Path, typer.Option("--trust", "-t", metavar="FILE", help="Keys that you trust, obtained by another way.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Check a bundle offline, with nothing but the bundle and the keys that you trust. Exit 1 if a check fails.

    Checks form, digests, the log checkpoint and its witnesses, inclusion of every entry, keys, redactions, signatures
    and their quorum, and computes the verdict again from the evidence.

    Example: `tidegate verify my-model.tidegate --trust trust.yaml`
    """
    from tidegate.flow.bundles import verify_file
    from tidegate.publish.log_pages import check_lines
    from tidegate.publish.words import one_line

    found = verify_file(bundle_file, trust)
    manifest = found.manifest
    if as_json:
        print_json(
            {
                "holds": found.holds,
                "checks": [record_json(one) for one in found.checks],
                "model": manifest.model if manifest else None,
                "snapshot": manifest.snapshot if manifest else None,
                "at": manifest.at if manifest else None,
                "gates": [record_json(one) for one in found.assessment.models[0].gates] if found.assessment else [],
            }
        )
    else:
        if manifest is not None:
            # What a stranger wrote must not look like further lines.
            about = f"{manifest.model}@{manifest.snapshot}" if manifest.snapshot else manifest.model
            typer.echo(one_line(f"{about} of {manifest.organisation}, under {manifest.policy}, as of {manifest.at}"))
        for line in check_lines(found.checks):
            typer.echo(line)
        words = "Every check holds." if found.holds else "Do not rely on this bundle."
        typer.echo(words)
    if not found.holds:
        raise typer.Exit(EXIT_CLOSED)


@command
def trust(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it here.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the keys of this project, for those who check its bundles.

    Hand them over by another way than the bundle: on paper, on your web page, in a contract.

    Example: `tidegate trust -o trust.yaml`
    """
    import yaml

    from tidegate.flow.bundles import trust_of
    from tidegate.flow.outputs import write_output

    made = trust_of(world(project)).model_dump(mode="json", by_alias=True)
    text = yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=1000)
    if output is not None:
        write_output(output, text)
    if as_json:
        print_json(made)
    elif output is None:
        typer.echo(clean(text), nl=False)
    else:
        typer.echo(clean(f"kept in {output}"))
