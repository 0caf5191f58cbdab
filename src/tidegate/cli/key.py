# SPDX-License-Identifier: Apache-2.0
"""`tidegate key`: make keys, and say in the ledger for whom they speak."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.acting import AsOption, KeyOption, acting, new_passphrase, signer_from
from tidegate.cli.shell import JsonOption, ProjectOption, clean, command, counted, print_json, record_json, world

if TYPE_CHECKING:
    from tidegate.flow.keys import KeyRequest
    from tidegate.govern.keyring import KeyHolding, Keyring

app = typer.Typer(help="Keys: make, show, add, rotate, revoke, list.", no_args_is_help=True, rich_markup_mode=None)


class Reason(StrEnum):
    """Why a key is revoked."""

    lost = "lost"
    stolen = "stolen"
    left = "left"
    role_changed = "role_changed"
    replaced = "replaced"


@app.command("new")
@command
def new(
    file: Annotated[Path, typer.Argument(help="File to write; the public half goes to the same name with .pub.")],
    comment: Annotated[str, typer.Option("--comment", help="Words to put behind the public key.")] = "",
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the file open to whoever can read it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key: Ed25519, in OpenSSH's format, encrypted under a passphrase. Never overwrites a file.

    The passphrase is asked for at the terminal, or taken from the variable TIDEGATE_PASSPHRASE.

    Example: `tidegate key new ada.key --comment "Ada, laptop"`
    """
    from tidegate.flow.keys import make_key
    from tidegate.kernel.errors import Problem, SigningError

    secret = None if no_passphrase else new_passphrase()
    if secret == b"":
        hint = "set TIDEGATE_PASSPHRASE or run this on a terminal; --no-passphrase leaves the file open"
        raise SigningError(Problem("KEY002", "a new key needs a passphrase", None, hint))
    made = make_key(file, secret, comment=comment)
    if as_json:
        print_json(
            {
                "file": str(made.file),
                "public_file": str(made.public_file),
                "public_key": made.public_key,
                "fingerprint": made.fingerprint,
                "is_encrypted": secret is not None,
            }
        )
        return
    typer.echo(clean(f"Made {made.file} and {made.public_file}."))
    typer.echo(f"Fingerprint: {made.fingerprint}")
    if secret is None:
        typer.echo("The file is not encrypted: whoever can read it can sign with it.")


@app.command("show")
@command
def show(
    key: Annotated[str, typer.Argument(help="Private key file, .pub file, or fingerprint of a key in ssh-agent.")],
    person: Annotated[
        str | None, typer.Option("--for", metavar="PERSON", help="Print the request to add this key for a person.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", "-r", help="Role to ask for; may be repeated. All of the person's roles if not given."),
    ] = None,
    replaces: Annotated[
        str | None,
        typer.Option("--replaces", metavar="FINGERPRINT", help="Ask that it takes the place of this key of theirs."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the request to a new file.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a key's fingerprint and public half; or, with --for, the request that a keeper adds.

    A request holds no secret. It is signed with the new key, so that nobody adds a key that its holder did not offer.

    Examples: `tidegate key show ada.key`, `tidegate key show ada.key --for ada --output ada.request.json`
    """
    from tidegate.flow.keys import key_request, read_public_key, roles_in, write_request
    from tidegate.ledger.keys import fingerprint

    if person is not None:
        asked = tuple(role or ())
        roles = asked if asked or replaces is not None else roles_in(world(project), person)
        request = key_request(person, roles, signer_from(key), replaces)
        if output is not None:
            write_request(output, request)
        if output is None or as_json:
            print_json(record_json(request))
        else:
            typer.echo(clean(f"Wrote {output}: give it to a keeper, and compare the fingerprint by another way."))
            typer.echo(fingerprint(request.public_key))
        return
    text = signer_from(key).public_key if key.startswith("SHA256:") else read_public_key(key)
    if as_json:
        print_json({"public_key": text, "fingerprint": fingerprint(text)})
        return
    typer.echo(text)
    typer.echo(fingerprint(text))


@app.command("add")
@command
def add(
    new_key: Annotated[str, typer.Argument(metavar="KEY", help="Request of its holder, or the new key itself.")],
    by: AsOption,
    key: KeyOption,
    person: Annotated[
        str | None, typer.Option("--for", metavar="PERSON", help="Whom it is to speak for; who acts, if not given.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", "-r", help="Role; may be repeated. All of the person's roles if not given."),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter in the ledger that a key speaks for a person, in roles that `tidegate.yaml` gives them.

    A keeper adds keys of others. Everybody adds further keys of their own, with no role that the signing key lacks.

    Examples: `tidegate key add ada.request.json --as kim --key kim.key`,
    `tidegate key add laptop.key --as ada --key ada.key`
    """
    from tidegate.flow.keys import add_key, roles_in

    surroundings = world(project)
    request = _requested(new_key, None)
    if request is None:
        whose = person or by
        from tidegate.flow.keys import key_request

        request = key_request(whose, roles_in(surroundings, whose, tuple(role or ())), signer_from(new_key))
    else:
        _refuse_other(request, person, role)
    logged = add_key(surroundings, request, acting(surroundings, by, key))
    _print_change(request, logged.index, "Added", as_json=as_json)


@app.command("rotate")
@command
def rotate(
    new_key: Annotated[str, typer.Argument(metavar="KEY", help="Request of its holder, or the new key itself.")],
    by: AsOption,
    key: KeyOption,
    old: Annotated[
        str | None,
        typer.Option("--old", metavar="FINGERPRINT", help="The key that stops; the one that signs, if not given."),
    ] = None,
    person: Annotated[
        str | None, typer.Option("--for", metavar="PERSON", help="Whose key it is; who acts, if not given.")
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter that a new key takes the place of an older one, with its roles. What the older one signed still counts.

    The older key signs this itself, or a keeper does.

    Example: `tidegate key rotate new.key --as ada --key ada.key`
    """
    from tidegate.flow.keys import key_request, rotate_key

    surroundings = world(project)
    actor = acting(surroundings, by, key)
    request = _requested(new_key, old)
    if request is None:
        request = key_request(person or by, (), signer_from(new_key), old or actor.signer.fingerprint)
    else:
        _refuse_other(request, person, None)
    logged = rotate_key(surroundings, request, actor)
    _print_change(request, logged.index, "Rotated", as_json=as_json)


@app.command("revoke")
@command
def revoke(
    ended: Annotated[str, typer.Argument(metavar="KEY", help="Fingerprint, .pub file or private key file.")],
    reason: Annotated[Reason, typer.Option("--reason", help="Why.")],
    by: AsOption,
    key: KeyOption,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="INSTANT", help="What it signed from then on has no effect; as 2026-11-21T09:30:00Z."
        ),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter that a key no longer speaks for its person. Its owner or a keeper does this; it cannot be undone.

    For a stolen key, give the last time at which it surely was with its owner. Entries count by the latest time that
    the ledger states up to them, so that a thief cannot date one before those that stand before it.

    Example: `tidegate key revoke SHA256:... --reason stolen --since 2026-11-20T18:00:00Z --as kim --key kim.key`
    """
    from tidegate.flow.keys import read_public_key, revoke_key
    from tidegate.ledger.keys import fingerprint

    surroundings = world(project)
    named = ended if ended.startswith("SHA256:") else fingerprint(read_public_key(ended))
    done = revoke_key(surroundings, named, reason.value, acting(surroundings, by, key), since)
    if as_json:
        gone = [{"index": one.index, "kind": one.entry.kind} for one in done.no_longer]
        print_json({"entry": done.logged.index, "key": _holding_json(done.holding), "no_longer_count": gone})
        return
    typer.echo(clean(f"Revoked the key {named} of {done.holding.person} ({reason.value}); entry {done.logged.index}."))
    if done.no_longer:
        entries = counted(len(done.no_longer), "entry").replace("entrys", "entries")
        typer.echo(f"{entries} no longer {'counts' if len(done.no_longer) == 1 else 'count'}:")
        for one in done.no_longer:
            typer.echo(clean(f"  {one.index}  {one.entry.acted_at}  {one.entry.kind}  by {one.entry.by}"))


@app.command("list")
@command
def list_(
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Keys that ended too, and entries about keys that have no effect.")
    ] = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the keys that speak for people, with the roles that they give.

    Example: `tidegate key list --all`
    """
    from tidegate.flow.keys import keyring_of

    found = keyring_of(world(project))
    shown = found.history if everything else found.active()
    if as_json:
        print_json(_list_json(found, shown, everything=everything))
        return
    width = max((len(one.person) for one in shown), default=0)
    for one in shown:
        typer.echo(clean(f"{one.person:{width}}  {one.fingerprint}  {', '.join(one.roles) or 'no role'}{_end(one)}"))
    if not shown:
        typer.echo("no keys")
    for void in found.voids if everything else ():
        typer.echo(clean(f"entry {void.index} ({void.kind}) has no effect: {void.reason}"))


def _requested(key: str, replaces: str | None) -> "KeyRequest | None":
    """Give the request that a file holds; none if it is a key."""
    from tidegate.flow.keys import read_request

    found = None if key.startswith("SHA256:") else read_request(Path(key))
    if found is not None and replaces is not None and found.replaces != replaces:
        _refuse("the request names another key that it replaces")
    return found


def _refuse_other(request: "KeyRequest", person: str | None, role: list[str] | None) -> None:
    # The proof in the request is over person and roles, so neither can be changed here.
    if person not in (None, request.person) or (role and set(role) != set(request.roles)):
        _refuse(f"the request is for {request.person} with the roles {', '.join(request.roles) or 'none'}")


def _refuse(message: str) -> None:
    from tidegate.kernel.errors import Problem, ProjectError

    raise ProjectError(Problem("PRJ005", message, None, "leave the option out, or ask for another request"))


def _print_change(request: "KeyRequest", index: int, what: str, *, as_json: bool) -> None:
    from tidegate.ledger.keys import fingerprint

    named = fingerprint(request.public_key)
    if as_json:
        print_json(
            {
                "entry": index,
                "person": request.person,
                "roles": request.roles,
                "fingerprint": named,
                "replaces": request.replaces,
            }
        )
        return
    instead = f", in place of {request.replaces}" if request.replaces else f" ({', '.join(request.roles) or 'no role'})"
    typer.echo(clean(f"{what} the key {named} of {request.person}{instead}; entry {index}."))


def _holding_json(one: "KeyHolding") -> dict[str, Any]:
    return {
        "person": one.person,
        "roles": one.roles,
        "public_key": one.public_key,
        "fingerprint": one.fingerprint,
        "added": one.added,
        "ended": one.ended,
        "ending": one.ending,
        "void_from": one.void_from,
    }


def _list_json(found: "Keyring", shown: "tuple[KeyHolding, ...]", *, everything: bool) -> dict[str, Any]:
    voids = [{"index": one.index, "entry": one.entry, "kind": one.kind, "reason": one.reason} for one in found.voids]
    return {"keys": [_holding_json(one) for one in shown], **({"voids": voids} if everything else {})}


def _end(one: "KeyHolding") -> str:
    if one.ended is None:
        return ""
    void = f", what it signed from {one.void_from} on has no effect" if one.void_from else ""
    return f"; ended at entry {one.ended} ({one.ending}{void})"
