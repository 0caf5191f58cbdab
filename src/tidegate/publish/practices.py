# SPDX-License-Identifier: Apache-2.0
"""What an organisation says in public, as records: practices, answers and pages about models, each with its evidence.

Every statement names the records that show it, and the day for which it was true. What names none stays a statement,
and is shown as one.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tidegate.evidence.redaction import Ground
from tidegate.kernel.duration import Duration, PartialDate
from tidegate.kernel.record import Record
from tidegate.policy.framework import FrameworkId, ItemRef
from tidegate.policy.model import Id

Ref = Annotated[
    str,
    StringConstraints(
        pattern=r"^(evidence|decision|report|case|policy|assessment|model|duty|rule|entry|incidents|noncompliance|"
        r"document|url):[^\s]{1,300}$"
    ),
]
"""A record that shows a statement: ``evidence:<id>``, ``decision:D-1``, ``report:R-1``, ``case:<id>``,
``policy:<label or adopted>``, ``assessment:<model>``, ``rule:<obligation rule>``, ``entry:<number in the log>``,
``incidents:<year>`` and ``noncompliance:<year>`` (published counts), ``document:sha256:<hex>``,
``url:https://...`` (a page of others, which nothing here can check)."""


def _says_something(text: str) -> str:
    if not any(one.isalnum() for one in text):
        raise ValueError("it holds no words")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_says_something)]
"""Words for the public. ``[[R-1|the words]]`` marks words that the redaction R-1 withholds."""


class Statement(Record):
    """Something that is said in public."""

    text: Text
    """The words; a blank line begins a new paragraph."""
    evidence: tuple[Ref, ...] = ()
    """Records that show it."""
    as_of: date | None = None
    """Day for which it was true; that of the practice if none."""


class Practice(Record):
    """What is done, since when, by whom, and what shows it: a file of `hub/`."""

    schema_: Literal["tidegate/practice/v1"] = Field(alias="schema", default="tidegate/practice/v1")
    """Names this format."""
    id: Id
    """Unique within the project; links use it, never the title."""
    section: Id
    """Section of the hub that it stands in."""
    title: str
    """A short name."""
    since: PartialDate | None = None
    """Since when it is done."""
    as_of: date | None = None
    """Day for which its statements were true."""
    owner: str | None = None
    """Person or role that answers for it."""
    cadence: Duration | None = None
    """How often it is done or reviewed."""
    statements: Annotated[tuple[Statement, ...], Field(min_length=1)]
    """What is said about it, in order."""
    evidence: tuple[Ref, ...] = ()
    """Records that show the practice as a whole, beside those of each statement."""
    commitments: tuple[ItemRef, ...] = ()
    """Items of frameworks that it answers: ``hiroshima-coc#1``, ``haip#1c``, ``crosswalk#evaluations`` (all items that
    the crosswalk lists there)."""
    models: tuple[str, ...] = ()
    """Models that it is about; empty means all."""
    max_age: Duration = "P1Y"
    """Older statements are shown as aged."""
    is_draft: bool = False
    """A draft is checked, and not published."""


class Answer(Record):
    """An answer to a question or field that practices and records do not answer by themselves."""

    to: ItemRef
    """Question or field: ``haip#1c``, ``sb53#12.c.1D``."""
    text: Text | None = None
    """The answer in words."""
    choice: Literal["yes", "no", "not_applicable"] | None = None
    """For a yes-or-no question, or one that does not apply; the words then say why."""
    practices: tuple[Id, ...] = ()
    """Practices whose statements answer it."""
    evidence: tuple[Ref, ...] = ()
    """Records that show it."""
    as_of: date | None = None
    """Day for which it was true."""
    model: str | None = None
    """Model that it is about, where the question is asked per model."""

    @model_validator(mode="after")
    def _says_something(self) -> "Answer":
        if self.text is None and self.choice is None and not self.practices:
            raise ValueError("an answer needs text, a choice or practices")
        return self


class AnswerFile(Record):
    """Answers to questionnaires and report fields: a file of `hub/`."""

    schema_: Literal["tidegate/answers/v1"] = Field(alias="schema", default="tidegate/answers/v1")
    """Names this format."""
    answers: tuple[Answer, ...]
    """The answers."""


class ModelPage(Record):
    """What is said in public about a model besides findings and figures: a file of `hub/`."""

    schema_: Literal["tidegate/model-page/v1"] = Field(alias="schema", default="tidegate/model-page/v1")
    """Names this format."""
    model: str
    """Model of `models/`."""
    description: tuple[Statement, ...] = ()
    """What it is."""
    licence: str | None = None
    """Licence or terms, as model hubs name it."""
    languages: tuple[str, ...] = ()
    """Languages that it supports, as BCP 47 tags."""
    inputs: tuple[str, ...] = ()
    """Input modalities: ``text``, ``image`` ..."""
    outputs: tuple[str, ...] = ()
    """Output modalities."""
    intended_uses: tuple[Statement, ...] = ()
    """Intended uses."""
    restrictions: tuple[Statement, ...] = ()
    """Generally applicable restrictions and conditions of use."""
    limits: tuple[Statement, ...] = ()
    """Known limits."""
    behaviour: tuple[Statement, ...] = ()
    """Safety-relevant behaviour: refusals, deception, reward hacking, sandbagging ..."""
    safeguards: tuple[Statement, ...] = ()
    """Safeguards in place."""
    training_data: tuple[Statement, ...] = ()
    """Training data, in outline."""
    base_model: str | None = None
    """Model that it was made from."""
    knowledge_cutoff: PartialDate | None = None
    """Last month of its training data."""


class TextRedaction(Record):
    """A redaction of words for the public, as the project keeps it; the salt is as secret as the words."""

    id: Id
    """Names it; ``[[<id>|...]]`` in a text marks what it withholds."""
    ground: Ground
    """Ground."""
    character: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    """What kind of thing is withheld, in words that may be published."""
    justification: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    """Why, in words that may be published."""
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Salt of 32 bytes, in hexadecimal."""


class TextRedactionFile(Record):
    """The register of redactions of words: `hub/redactions.yaml`."""

    schema_: Literal["tidegate/text-redactions/v1"] = Field(alias="schema", default="tidegate/text-redactions/v1")
    """Names this format."""
    redactions: tuple[TextRedaction, ...] = ()
    """Redactions."""


class WithheldWords(Record):
    """A redaction of words, as outsiders see it."""

    id: str
    """Names it."""
    ground: Ground
    """Ground."""
    character: str
    """What kind of thing is withheld."""
    justification: str
    """Why."""
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    """Salted digest of the words, which are kept."""
    where: tuple[str, ...] = ()
    """Outputs and places that it stands in."""


class Change(Record):
    """Something that changed in what is published."""

    on: date
    """Day."""
    title: str
    """What changed."""
    kind: Literal["added", "changed", "removed", "corrected", "note"] = "note"
    """How."""
    about: str | None = None
    """Practice, model or page concerned: ``practice:<id>``, ``model:<id>``, ``policy:<label>``."""


class ChangeFile(Record):
    """The hub's changelog, kept in git: `hub/changelog.yaml`."""

    schema_: Literal["tidegate/hub-changes/v1"] = Field(alias="schema", default="tidegate/hub-changes/v1")
    """Names this format."""
    changes: tuple[Change, ...] = ()
    """Newest first."""
    published: dict[str, str] = Field(default_factory=dict)
    """What was published last: subject (``practice:<id>`` ...) -> digest of it."""


class Publication(Record):
    """What `hub/` of a project holds, with redactions still in place."""

    practices: tuple[Practice, ...] = ()
    """Practices."""
    answers: tuple[Answer, ...] = ()
    """Answers."""
    pages: tuple[ModelPage, ...] = ()
    """Pages about models."""
    redactions: tuple[TextRedaction, ...] = ()
    """Register of redactions."""
    changes: ChangeFile = ChangeFile()
    """Changelog."""


class CommitmentMade(Record):
    """A framework that the organisation stands by or is bound by, in `tidegate.yaml`."""

    framework: FrameworkId
    """Framework."""
    since: PartialDate | None = None
    """Since when."""
    stance: Literal["adhered", "bound", "watched", "not_applicable"] = "adhered"
    """Adhered to by choice, binding by law, watched only, or not applicable."""
    reason: str | None = None
    """Why, where it does not apply."""
    version: str | None = None
    """Version; the shipped one if none."""
    not_applicable: dict[str, str] = Field(default_factory=dict)
    """Item -> why it does not apply here."""

    @model_validator(mode="after")
    def _gives_a_reason(self) -> "CommitmentMade":
        if self.stance == "not_applicable" and not (self.reason or "").strip():
            raise ValueError("say why the framework does not apply (`reason`)")
        for item, why in self.not_applicable.items():
            if not why.strip():
                raise ValueError(f"say why {item!r} does not apply")
        return self
