# SPDX-License-Identifier: Apache-2.0
"""Who acts on the command line, and with which key."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tidegate.flow import World
    from tidegate.flow.keys import Opening
    from tidegate.flow.ledgers import Actor
    from tidegate.ledger.keys import Signer

AsOption = Annotated[
    str,
    typer.Option("--as", metavar="PERSON", help="Who acts: an id from tidegate.yaml.", envvar="TIDEGATE_PERSON"),
]
KeyOption = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="FILE",
        help="Their key: a private key file; or a .pub file or a fingerprint, for a key in ssh-agent.",
        envvar="TIDEGATE_KEY",
    ),
]


def passphrase() -> bytes:
    """Give the passphrase of a key: from TIDEGATE_PASSPHRASE if it is set, else from the person at the terminal."""
    given = os.environ.get("TIDEGATE_PASSPHRASE")
    if given is not None:
        return os.fsencode(given)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return b""
    typed: str = typer.prompt("Passphrase", hide_input=True, err=True, default="", show_default=False)
    return typed.encode()


def new_passphrase() -> bytes:
    """Give the passphrase for a new key, asked for twice at a terminal."""
    if os.environ.get("TIDEGATE_PASSPHRASE") is not None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return passphrase()
    typed: str = typer.prompt(
        "Passphrase", hide_input=True, err=True, default="", show_default=False, confirmation_prompt=True
    )
    return typed.encode()


def opening() -> "Opening":
    """Give what it takes to use a key here: the passphrase, and the agent."""
    from tidegate.flow.keys import Opening

    socket = os.environ.get("SSH_AUTH_SOCK")
    return Opening(passphrase, Path(socket) if socket else None)


def signer_from(key: str) -> "Signer":
    """Give the key that a command line names."""
    from tidegate.flow.keys import open_signer

    return open_signer(key, opening())


def acting(surroundings: "World", person: str, key: str) -> "Actor":
    """Give who acts, as a command line names them."""
    from tidegate.flow.keys import actor_with

    return actor_with(surroundings, person, key, opening())
