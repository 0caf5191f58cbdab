# SPDX-License-Identifier: Apache-2.0
"""Withholding words from what is published: the register, and how the texts of the hub fit it."""

from typing import NamedTuple, cast, get_args

from pydantic import ValidationError

from tidegate.evidence.redaction import Ground
from tidegate.flow.world import World
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import Problem, ProjectError, PublicationError, Where
from tidegate.publish.practices import TextRedaction, WithheldWords
from tidegate.publish.redactions import is_revealed, survey
from tidegate.store.publication import TEXT_REDACTIONS, add_text_redaction, read_publication

_WRONG = {"string_too_short": "it is empty", "string_too_long": "it is too long", "string_pattern_mismatch": "no id"}


class RedactionStatus(NamedTuple):
    """The register of redactions of words, and how the texts fit it."""

    used: tuple[WithheldWords, ...]
    """Redactions that texts mark, as outsiders see them."""
    unused: tuple[str, ...]
    """Redactions that no text marks yet."""
    problems: tuple[Problem, ...]
    """What does not fit: errors keep the project from publishing."""


def add_redaction(world: World, redaction_id: str, ground: str, character: str, justification: str) -> TextRedaction:
    """Add a redaction to the register, with a salt that nobody can guess; texts then mark words with its id.

    Raises:
        ProjectError: PRJ005, the ground is not one that is known.
        PublicationError: PUB005, the id is taken, or a part is missing or too long.
    """
    grounds = get_args(Ground)
    if ground not in grounds:
        hint = did_you_mean(ground, grounds) or f"grounds: {', '.join(grounds)}"
        raise ProjectError(Problem("PRJ005", f"{ground!r} is not a ground", None, hint))
    try:
        made = TextRedaction(
            id=redaction_id,
            ground=cast(Ground, ground),
            character=character,
            justification=justification,
            salt=world.ids() + world.ids(),
        )
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = (f"{one['loc'][0]}: {_WRONG.get(one['type'], one['msg'])}" for one in found)
        raise PublicationError(*(_problem(one, "see `tidegate publish redact --help`") for one in problems)) from None
    if not add_text_redaction(world.root, made):
        raise PublicationError(_problem(f"there is a redaction {redaction_id} already", "choose another id"))
    return made


def redaction_status(world: World) -> RedactionStatus:
    """Give the register, what each redaction withholds from where, and every problem.

    Raises:
        TidegateError: a file of the hub cannot be read.
    """
    found = survey(read_publication(world.root))
    return RedactionStatus(found.edition.withheld, found.unused, found.problems)


def reveals(world: World, redaction_id: str, words: str, salt: str) -> bool:
    """Tell whether words and salt are what the redaction of this id withholds.

    Raises:
        PublicationError: PUB005, the register has no such redaction, or no text marks anything with it.
    """
    used = redaction_status(world).used
    one = next((one for one in used if one.id == redaction_id), None)
    if one is None:
        hint = did_you_mean(redaction_id, [known.id for known in used])
        raise PublicationError(_problem(f"no text withholds anything as {redaction_id}", hint))
    return is_revealed(words, salt, one.digest)


def _problem(message: str, hint: str | None) -> Problem:
    return Problem("PUB005", message, Where(TEXT_REDACTIONS.as_posix()), hint)
