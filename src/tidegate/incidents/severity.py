# SPDX-License-Identifier: Apache-2.0
"""How bad an incident is, by versioned scales that are data: conditions over answers, sums of axes, and CVSS vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from cvss import CVSS3, CVSS4  # type: ignore[import-untyped]
from cvss.exceptions import CVSSError  # type: ignore[import-untyped]
from pydantic import Field, StringConstraints, model_validator

from tidegate.incidents.model import Incident
from tidegate.incidents.questions import Answers, When, answers_of, questions, read_pack, weigh
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import IncidentError, Problem
from tidegate.kernel.record import Record

ScaleId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}@[a-z0-9][a-z0-9.-]{0,19}$")]
MAX_VECTOR = 400
"""The longest CVSS 4.0 vector has fewer characters."""


class Level(Record):
    """A level that answers lead to."""

    id: str
    """Names it."""
    title: str
    """In words."""
    when: When
    """When an incident is at least at this level."""


class Axis(Record):
    """One of several things that are rated."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,29}$")]
    """Names it in a vector: ``gain:3``."""
    title: str
    """In words."""
    most: Annotated[int, Field(ge=1, le=20)]
    """Highest rating; the lowest is 0."""


class Band(Record):
    """Sums of ratings that are one level."""

    id: str
    """Names it."""
    title: str
    """In words."""
    from_: Annotated[int, Field(alias="from", ge=0)]
    """Lowest sum that lies in it."""


class Scale(Record):
    """A scale of severity."""

    id: ScaleId
    """Names it, with its version: ``oecd@1``."""
    title: str
    """In words."""
    kind: Literal["answers", "axes", "cvss"]
    """Whether it follows from answers, from ratings that are added, or is a CVSS vector."""
    source: str = ""
    """Where it comes from, and what to know about it."""
    levels: tuple[Level, ...] = ()
    """Levels, lowest first."""
    axes: tuple[Axis, ...] = ()
    """What is rated."""
    bands: tuple[Band, ...] = ()
    """Bands, lowest first."""

    @model_validator(mode="after")
    def _is_whole(self) -> "Scale":
        if self.kind == "answers" and not self.levels:
            raise ValueError("a scale of answers has levels")
        if self.kind == "axes":
            starts = [one.from_ for one in self.bands]
            if not self.axes or not starts or starts[0] != 0 or starts != sorted(set(starts)):
                raise ValueError("a scale of axes has axes, and bands that begin with 0 and rise")
            if starts[-1] > sum(one.most for one in self.axes):
                raise ValueError("the highest band cannot be reached")
        if self.kind == "cvss" and self.id not in ("cvss@3.1", "cvss@4.0"):
            raise ValueError("a scale of CVSS is cvss@3.1 or cvss@4.0")
        return self


class ScaleFile(Record):
    """The pack of scales."""

    schema_: Literal["tidegate/severity-scales/v1"] = Field(alias="schema")
    """Names this format."""
    version: str
    """Version of the pack."""
    scales: tuple[Scale, ...]
    """Scales."""


class IncidentSettings(Record):
    """What a project sets for its incidents: `incidents.yaml`."""

    schema_: Literal["tidegate/incident-settings/v1"] = Field(alias="schema")
    """Names this format."""
    scales: tuple[Scale, ...] = ()
    """Scales that replace shipped ones of the same id, such as the bands of ``cjs@draft``, or add to them."""


@dataclass(frozen=True)
class Severity:
    """Where an incident stands on a scale."""

    scale: Scale
    level: str
    """Level or band; ``none`` if it is below the lowest, ``open`` if nothing can be told yet."""
    title: str
    basis: Literal["answers", "stated"]
    """Whether it follows from answers, or was stated."""
    detail: str = ""
    """Vector and score, or what it could still become."""


@cache
def shipped_scales() -> tuple[Scale, ...]:
    """Give the scales that ship with Tidegate."""
    return read_pack("severity", ScaleFile).scales


def scales(settings: IncidentSettings | None = None) -> tuple[Scale, ...]:
    """Give all scales: the project's over the shipped ones."""
    own = settings.scales if settings is not None else ()
    return tuple({one.id: one for one in (*shipped_scales(), *own)}.values())


def read_severity(scale: str, text: str, known: tuple[Scale, ...]) -> Severity:
    """Give a level or vector that somebody stated, checked and scored.

    Raises:
        IncidentError: INC003, there is no such scale or level, or the vector is malformed.
    """
    by_id = {one.id: one for one in known}
    if scale not in by_id:
        hint = did_you_mean(scale, by_id) or f"scales: {', '.join(by_id)}"
        raise IncidentError(Problem("INC003", f"there is no scale {scale!r}", None, hint))
    found = by_id[scale]
    match found.kind:
        case "answers":
            return _stated_level(found, text)
        case "axes":
            return _rated(found, text)
        case "cvss":
            return _scored(found, text)


def _stated_level(scale: Scale, text: str) -> Severity:
    levels = {one.id: one for one in scale.levels}
    if text not in levels:
        hint = did_you_mean(text, levels) or f"levels: {', '.join(levels)}"
        raise IncidentError(Problem("INC003", f"{scale.id} has no level {text!r}", None, hint))
    return Severity(scale, text, levels[text].title, "stated")


def _rated(scale: Scale, text: str) -> Severity:
    """Add ratings up and find the band: ``gain:3/breadth:1/weaponisation:2/discoverability:0``."""
    hint = "write " + "/".join(f"{one.id}:0-{one.most}" for one in scale.axes)
    pairs = [part.partition(":") for part in text.split("/")]
    given = {name: value for name, _, value in pairs}
    if len(given) != len(pairs) or given.keys() != {one.id for one in scale.axes}:
        raise IncidentError(
            Problem("INC003", f"{text[:MAX_VECTOR]!r} does not rate each axis of {scale.id} once", None, hint)
        )
    total = 0
    for axis in scale.axes:
        value = given[axis.id]
        if not (value.isascii() and value.isdecimal() and len(value) <= 2 and int(value) <= axis.most):
            message = f"{axis.id} is rated 0 to {axis.most} by {scale.id}, not {value[:20]!r}"
            raise IncidentError(Problem("INC003", message, None, hint))
        total += int(value)
    band = next(one for one in reversed(scale.bands) if one.from_ <= total)
    return Severity(scale, band.id, band.title, "stated", f"{text}, sum {total}")


def _scored(scale: Scale, text: str) -> Severity:
    """Score a CVSS vector by the library (FIRST, CVSS 3.1 and 4.0 specifications)."""
    version = scale.id.partition("@")[2]
    hint = f"write the whole vector: CVSS:{version}/AV:N/..."
    try:
        if len(text) > MAX_VECTOR or not text.startswith(f"CVSS:{version}/"):
            raise IncidentError(Problem("INC003", f"{text[:40]!r} is no vector of CVSS {version}", None, hint))
        found = CVSS4(text) if version == "4.0" else CVSS3(text)
    except CVSSError as error:
        message = f"{text!r} is no vector of CVSS {version}: {str(error)[:200]}"
        raise IncidentError(Problem("INC003", message, None, hint)) from None
    # Temporal and environmental metrics, where they are given, make the last of the scores.
    score, word = found.scores()[-1], found.severities()[-1]
    return Severity(scale, str(word).lower(), str(word), "stated", f"{score} ({found.clean_vector()})")


def from_answers(scale: Scale, answers: Answers) -> Severity:
    """Give the highest level that the answers lead to, and what it could still become."""
    weighed = [(one, weigh(one.when, answers)) for one in scale.levels]
    sure = [number for number, (_, found) in enumerate(weighed) if found.value is True]
    reached = max(sure, default=-1)
    higher = [(one, found.because) for one, found in weighed[reached + 1 :] if found.value is None]
    detail = ""
    if higher:
        waited = {name for _, because in higher for name in because}
        names = [one.id for one in questions() if one.id in waited]
        detail = f"could be {higher[-1][0].title.lower()}: answer {', '.join(names)}"
    if reached < 0:
        return Severity(scale, "open" if higher else "none", "cannot tell yet" if higher else "none", "answers", detail)
    return Severity(scale, weighed[reached][0].id, weighed[reached][0].title, "answers", detail)


def severities(incident: Incident, known: tuple[Scale, ...]) -> tuple[Severity, ...]:
    """Give where an incident stands: on each scale of answers, and on each on which somebody stated something.

    What was stated on a scale that is no longer there, or with ratings that it no longer takes, is left out.
    """
    computed = [from_answers(one, answers_of(incident)) for one in known if one.kind == "answers"]
    return (*computed, *_stated(incident.severity, known))


def _stated(given: Mapping[str, str], known: tuple[Scale, ...]) -> tuple[Severity, ...]:
    found: list[Severity] = []
    for scale, text in given.items():
        try:
            found.append(read_severity(scale, text, known))
        except IncidentError:
            missing = Scale.model_construct(id=scale, title=scale, kind="axes")
            found.append(
                Severity(missing, "unknown", "unknown", "stated", f"{text}: not read by the scales that are set now")
            )
    return tuple(found)
