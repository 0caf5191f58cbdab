# SPDX-License-Identifier: Apache-2.0
"""`tidegate ledger`: the log of acts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting, signer_from
from tidegate.cli.shell import (
    EXIT_CLOSED,
    JsonOption,
    ProjectOption,
    clean,
    command,
    console,
    counted,
    print_json,
    progress,
    world,
)

app = typer.Typer(
    help="The log of acts: tamper-evident, and checked by anybody with its key.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

LogKeyOption = Annotated[
    Path, typer.Option("--log-key", metavar="FILE", help="The log's private key.", envvar="TIDEGATE_LOG_KEY")
]


@app.command("init")
@command
def init(
    origin: Annotated[
        str, typer.Option("--origin", help="Name of the log: an address without scheme that no other log has.")
    ],
    log_key: LogKeyOption,
    person: AsOption,
    key: KeyOption,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Database: a file in the project if not given, or postgresql+psycopg://..."),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin the log: its first entries are the keeper's key and everything that stands in the project's files.

    The keeper is a person in `tidegate.yaml` with the role `keeper`.

    Example: `tidegate ledger init --origin example.com/safety --log-key log.key --as ada --key ada.key`
    """
    from tidegate.flow.ledgers import open_log
    from tidegate.flow.logs import log_vkey

    surroundings = world(project)
    keeper = acting(surroundings, person, key)
    made = open_log(
        surroundings, origin=origin, log_key=log_vkey(origin, signer_from(str(log_key))), keeper=keeper, url=url
    )
    if as_json:
        print_json([_short(one) for one in made])
        return
    typer.echo(clean(f"Began the log {origin} with {counted(len(made), 'entry').replace('entrys', 'entries')}."))
    _print_entries(made)


@app.command("record")
@command
def record(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Enter what stands in the project's files and not in the log yet: an amended policy, models, evidence.

    A file of record that was changed or is gone is never entered over: it is an error.

    Example: `tidegate ledger record`
    """
    from tidegate.flow.ledgers import record_files

    made = record_files(world(project))
    if as_json:
        print_json([_short(one) for one in made])
        return
    typer.echo("Nothing new." if not made else f"Entered {len(made)}:")
    _print_entries(made)


@app.command("log")
@command
def log(
    kind: Annotated[
        str | None, typer.Option("--kind", "-k", help="Only this kind, as `decision` or `key.added`.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--about", help="Only this subject, as `decision:D-1`, `model:m` or `person:ada`.")
    ] = None,
    newest: Annotated[int | None, typer.Option("--newest", "-n", min=1, help="Only the newest.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List entries, oldest first.

    Examples: `tidegate ledger log -n 20`, `tidegate ledger log --about decision:D-1`
    """
    from tidegate.flow.logs import entry_json, listed

    found = listed(world(project), kind=kind, subject=subject, newest=newest)
    if as_json:
        print_json([entry_json(one) for one in found])
        return
    if not found:
        typer.echo("No such entries.")
    _print_entries(found)


@app.command("show")
@command
def show(
    entry: Annotated[str, typer.Argument(help="Number or id of the entry.")],
    envelope: Annotated[
        bool, typer.Option("--envelope", help="Print its DSSE envelope, for tools that know in-toto.")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an entry whole.

    Examples: `tidegate ledger show 12`, `tidegate ledger show 12 --envelope`
    """
    from tidegate.flow.logs import entry_envelope, entry_json, find_entry

    del as_json  # an entry is JSON
    found = find_entry(world(project), entry)
    print_json(entry_envelope(found) if envelope else entry_json(found))


@app.command("verify")
@command
def verify(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Recompute the whole log: entries, tree, checkpoint, projections, signatures. Exit 1 if anything does not fit.

    Entries that break a rule stay in the log and have no effect; they are listed.

    Example: `tidegate ledger verify`
    """
    from tidegate.flow.logs import verify_log
    from tidegate.kernel.errors import LedgerError

    try:
        with progress("verifying") as bar:
            found = verify_log(world(project), bar)
    except LedgerError as error:
        if error.problems[0].code != "LED003":
            raise
        from tidegate.cli.shell import print_problems

        print_problems(error.problems, as_json=as_json)
        raise typer.Exit(EXIT_CLOSED) from None
    if as_json:
        print_json(
            {
                "size": found.size,
                "root": found.root,
                "without_effect": [{"index": index, "reason": reason} for index, reason in found.voids],
                "problems": list(found.unsound),
            }
        )
    else:
        typer.echo(f"{found.size} entries, root {found.root}")
        for index, reason in found.voids:
            typer.echo(clean(f"entry {index} has no effect: {reason}"))
        for reason in found.unsound:
            typer.echo(clean(f"not sound: {reason}"))
        if not found.unsound:
            typer.echo("The log is what it was.")
    if found.unsound:
        raise typer.Exit(EXIT_CLOSED)


@app.command("checkpoint")
@command
def checkpoint(
    log_key: Annotated[
        Path | None,
        typer.Option(
            "--log-key", metavar="FILE", help="Sign the log as it stands with its key.", envvar="TIDEGATE_LOG_KEY"
        ),
    ] = None,
    request: Annotated[
        int | None,
        typer.Option("--request", metavar="SIZE", min=0, help="Print what a witness that knows SIZE entries is asked."),
    ] = None,
    cosignature: Annotated[
        Path | None, typer.Option("--cosignature", metavar="FILE", help="Add the line that a witness gave.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign the log's head, show the newest checkpoint, or have it witnessed. It is kept in `ledger/checkpoint`.

    Commit that file, print it in reports, give it away: a log whose checkpoints leave the house cannot be rewritten
    unnoticed.

    Examples: `tidegate ledger checkpoint --log-key log.key`, `tidegate ledger checkpoint --request 0 > request.txt`
    """
    from tidegate.flow.logs import add_cosignature, checkpoint_note, sign_head, witness_request
    from tidegate.flow.world import no_checkpoint
    from tidegate.kernel.documents import read_bytes

    surroundings = world(project)
    if request is not None:
        asked = witness_request(surroundings, request)
        if as_json:
            print_json({"request": asked})
        else:
            typer.echo(asked, nl=False)
        return
    if cosignature is not None:
        note = add_cosignature(surroundings, read_bytes(cosignature, max_bytes=100_000).decode(errors="replace"))
    elif log_key is not None:
        note = sign_head(surroundings, signer_from(str(log_key)))
    else:
        found = checkpoint_note(surroundings)
        if found is None:
            raise no_checkpoint()
        note = found
    if as_json:
        print_json({"checkpoint": note})
    else:
        typer.echo(note, nl=False)


@app.command("prove")
@command
def prove(
    entry: Annotated[str, typer.Argument(help="Number or id of the entry.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it here.")] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the proof that an entry is in the log, as a tlog-proof file that anybody can check offline.

    Example: `tidegate ledger prove 12 -o 12.tlog-proof`
    """
    from tidegate.flow.logs import prove as proof_of
    from tidegate.flow.outputs import write_output

    proof = proof_of(world(project), entry)
    if output is not None:
        write_output(output, proof)
    if as_json:
        print_json({"proof": proof})
    elif output is None:
        typer.echo(proof, nl=False)


@app.command("witness")
@command
def witness(
    name: Annotated[str, typer.Option("--name", help="Name of the witness: an address without scheme.")],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Private key of the witness.")],
    log: Annotated[str, typer.Option("--log", metavar="VKEY", help="Verifier key of the log, from its tidegate.yaml.")],
    state: Annotated[
        Path, typer.Option("--state", metavar="FILE", help="Where the witness remembers what it saw.")
    ] = Path("witness-state.json"),
    request: Annotated[
        Path | None, typer.Option("--request", metavar="FILE", help="Answer this request and stop.")
    ] = None,
    serve: Annotated[
        str | None, typer.Option("--serve", metavar="HOST:PORT", help="Answer requests at POST /add-checkpoint.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Be an independent witness of a log: cosign its checkpoints, and refuse any that does not continue what it saw.

    Needs no project. Exit 1 if a request is refused.

    Examples: `tidegate ledger witness --name w.example --key w.key --log VKEY --request request.txt`,
    `tidegate ledger witness --name w.example --key w.key --log VKEY --serve 127.0.0.1:8080`
    """
    from tidegate.flow.logs import Witness, witness_vkey
    from tidegate.flow.witness_server import serve_witness
    from tidegate.kernel.clock import system_now
    from tidegate.kernel.documents import read_bytes
    from tidegate.ledger.witnessing import MAX_REQUEST_BYTES, Refusal

    signer = signer_from(str(key))
    being = Witness(name, signer, log, state)
    if serve is not None:
        typer.echo(clean(f"witness key: {witness_vkey(name, signer)}"), err=True)
        serve_witness(being, serve, system_now, lambda text: typer.echo(clean(text), err=True))
        return
    if request is None:
        vkey = witness_vkey(name, signer)
        if as_json:
            print_json({"witness": vkey})
        else:
            typer.echo(clean(vkey))
        return
    now = world(None).now()
    answer = being.answer(read_bytes(request, max_bytes=MAX_REQUEST_BYTES), now)
    if isinstance(answer, Refusal):
        if as_json:
            print_json({"refused": answer.reason, "status": answer.status})
        else:
            typer.echo(clean(f"refused ({answer.status}): {answer.reason}"), err=True)
        raise typer.Exit(EXIT_CLOSED)
    if as_json:
        print_json({"cosignature": answer})
    else:
        typer.echo(answer, nl=False)


@app.command("rebuild")
@command
def rebuild(project: ProjectOption = None, as_json: JsonOption = False) -> None:
    """Make every projection anew from the entries.

    Example: `tidegate ledger rebuild`
    """
    from tidegate.flow.logs import rebuild as make_anew

    size = make_anew(world(project))
    if as_json:
        print_json({"entries": size})
    else:
        typer.echo(f"made anew from {size} entries")


@app.command("export")
@command
def export(
    folder: Annotated[Path, typer.Argument(help="Folder for the files.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the log as static files in the layout of tiled logs (C2SP tlog-tiles), for monitors and mirrors.

    Example: `tidegate ledger export public/log`
    """
    from tidegate.flow.logs import export_tiles

    written = export_tiles(world(project), folder)
    if as_json:
        print_json({"files": written, "folder": str(folder)})
    else:
        typer.echo(clean(f"{written} files in {folder}"))


def _short(logged: Any) -> dict[str, Any]:
    return {"index": logged.index, "kind": logged.entry.kind, "id": logged.entry.id}


def _print_entries(found: Any) -> None:
    from tidegate.publish.log_pages import entries_table

    if found:
        console().print(entries_table(found))
