# SPDX-License-Identifier: Apache-2.0
"""The program's own words on the site, in any language: a message catalogue, and the vocabularies of other parts.

Words of the organisation stand as they were written. Sentences that were computed elsewhere (why a gate is closed, why
a duty is late) are English, and are marked as English where the site speaks another language.
"""

import gettext
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from tidegate.assess.explain import FLAG_WORDS
from tidegate.assess.model import AGREEMENT_WORDS, SET_ASIDE_WORDS
from tidegate.assess.whatif import FINDING_WORDS
from tidegate.evidence.model import EvidenceKind, Subject
from tidegate.evidence.redaction import Ground
from tidegate.govern.counts import CATEGORIES
from tidegate.govern.counts import OUTCOMES as OUTCOMES_OF_CASES
from tidegate.govern.decisions import DecisionState, MeasureKind, ReportKind
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.errors import Problem, PublicationError, Where
from tidegate.obligations.model import STATE_WORDS as DUTY_WORDS
from tidegate.obligations.model import Rule
from tidegate.policy.changes import OUTCOMES, Status, Way
from tidegate.policy.framework import FrameworkKind
from tidegate.policy.framework import Status as FrameworkStatus
from tidegate.policy.model import Dimension, ElicitationElement, Threat
from tidegate.publish.chart import MARK_WORDS
from tidegate.publish.coverage import STATE_WORDS as COVERAGE_WORDS
from tidegate.publish.inventory import BADGE_WORDS
from tidegate.publish.practices import Change, CommitmentMade
from tidegate.publish.words import ACTION_WORDS, FINDING_SHORT, STATE_WORDS

MAX_CATALOGUE_BYTES = 2_000_000
"""A catalogue of the site's few hundred messages takes less than a tenth of this."""
RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
"""Languages that are written from right to left."""
_PLACE = re.compile(r"%\((\w+)\)[sd]|%%|%")
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*\Z")


RETALIATION = ("reported", "investigating", "found", "not_found", "remedied")
"""States of a report of retaliation, as the published counts name them."""


def _spaced(values: object) -> dict[str, str]:
    return {str(one): str(one).replace("_", " ") for one in get_args(values)}


def _named(words: Mapping[Any, str]) -> dict[str, str]:
    return dict(words)


VOCABULARIES: Mapping[str, Mapping[str, str]] = {
    "action": _named(ACTION_WORDS),
    "agreement": _named(AGREEMENT_WORDS),
    "announcement": _spaced(Status),
    "badge": _named(BADGE_WORDS),
    "choice": {"yes": "yes", "no": "no", "not_applicable": "not applicable"},
    "coverage": _named(COVERAGE_WORDS),
    "case": {one: one.replace("_", " ") for one in (*CATEGORIES, *OUTCOMES_OF_CASES, *RETALIATION)},
    "change": _spaced(Change.model_fields["kind"].annotation),
    "decision": _spaced(DecisionState),
    "dimension": _spaced(Dimension),
    "duty": _named(DUTY_WORDS),
    "evidence": _spaced(EvidenceKind),
    "finding": _named(FINDING_SHORT),
    "finding_full": _named(FINDING_WORDS),
    "flag": _named(FLAG_WORDS),
    "framework_kind": _spaced(FrameworkKind),
    "framework_status": _spaced(FrameworkStatus),
    "gate": {"open": "open", "closed": "closed"},
    "ground": _spaced(Ground),
    "mark": _named(MARK_WORDS),
    "measure": _spaced(MeasureKind),
    "outcome": {one: one for one in OUTCOMES},
    "outcome_of_check": {"pass": "passed", "fail": "failed", "partial": "passed in part"},
    "quality": {
        "reported": "reported: printed only",
        "attested": "attested: somebody signs for it",
        "recomputable": "recomputable from its samples",
    },
    "recipient": {"board": "board", "trust": "trust", "government": "government", "public": "public"},
    "verdict": {"supports": "supports", "opposes": "opposes", "comments": "comments"},
    "relation": {
        "developer": "the developer's own team",
        "independent": "independent of the developer",
        "unstated": "not stated",
    },
    "report": {one: f"{one} report" for one in get_args(ReportKind)},
    "requirement": _named(STATE_WORDS),
    "rule": _spaced(Rule.model_fields["kind"].annotation),
    "set_aside": _named(SET_ASIDE_WORDS),
    "stance": _spaced(CommitmentMade.model_fields["stance"].annotation),
    "technique": _spaced(ElicitationElement),
    "threat": _spaced(Threat),
    "threat_status": {"ruled_out": "ruled out", "present": "present", "unknown": "not known"},
    "variant": _spaced(Subject.model_fields["variant"].annotation),
    "way": _spaced(Way),
}
"""Words that other parts of the program give to their states, each with the message that is translated."""


@dataclass(frozen=True)
class Speech:
    """A language, and the messages in it."""

    locale: str = "en"
    """BCP 47 tag of the language."""
    translations: gettext.NullTranslations = field(default_factory=gettext.NullTranslations, compare=False)
    """Messages; English where there is none."""
    digest: str = ""
    """Digest of the catalogue; none for English."""

    @property
    def direction(self) -> str:
        """Give the direction of writing: ``ltr`` or ``rtl``."""
        return "rtl" if re.split("[-_]", self.locale)[0].lower() in RIGHT_TO_LEFT else "ltr"

    @property
    def tag(self) -> str:
        """Give the language as HTML and XML name it."""
        return self.locale.replace("_", "-")

    def gettext(self, message: str, **values: object) -> str:
        """Give a message in the language, its places filled."""
        found = self.translations.gettext(message)
        return found % values if values else found

    def word(self, vocabulary: str, name: str) -> str:
        """Give a state in words; what the vocabulary does not know, with spaces for underscores."""
        known = VOCABULARIES[vocabulary].get(name)
        return name.replace("_", " ") if known is None else self.translations.gettext(known)


ENGLISH = Speech()


def read_catalogue(data: bytes, locale: str | None = None, name: str = "catalogue") -> Speech:
    """Give the language of a gettext catalogue (a .po file); its header names it if no locale is given.

    A translation has to keep the places of its message, and holds no markup: what a catalogue says stands on every
    page, unescaped.

    Raises:
        PublicationError: PUB007, it is no catalogue, or a translation does not fit its message; all of them.
    """
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - only a site in another language needs it
    from babel.messages.pofile import PoFileError, read_po  # noqa: PLC0415

    if len(data) > MAX_CATALOGUE_BYTES:
        message = f"{len(data):,} bytes; a catalogue has at most {MAX_CATALOGUE_BYTES:,}"
        raise PublicationError(Problem("PUB007", message, Where(name)))
    try:
        catalogue = read_po(io.BytesIO(data), abort_invalid=True)
        problems = [
            Problem("PUB007", fault, Where(name, one.lineno), "keep the places of the message, and leave markup out")
            for one in catalogue
            if one.id and (fault := _fault(_strings(one.id), _strings(one.string)))
        ]
        written = io.BytesIO()
        write_mo(written, catalogue)
        made = gettext.GNUTranslations(io.BytesIO(written.getvalue()))
    except (PoFileError, ValueError, LookupError, TypeError, AttributeError, SyntaxError, OSError) as error:
        hint = "it has to be a .po file, as gettext and Babel write it"
        raise PublicationError(Problem("PUB007", f"not a message catalogue: {error}", Where(name), hint)) from None
    tag = locale or str(catalogue.locale_identifier or "")
    if not _TAG.match(tag):
        message = f"{tag!r} is not the tag of a language"
        problems.insert(0, Problem("PUB007", message, Where(name), "write `Language: fr` into its header"))
    if problems:
        raise PublicationError(*problems)
    return Speech(tag, made, digest_bytes(data))


def _strings(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value or ""),)


def _fault(messages: tuple[str, ...], said: tuple[str, ...]) -> str | None:
    allowed = {found.group(0) for one in messages for found in _PLACE.finditer(one)} | {"%%"}
    for one in said:
        if set("<>&") & set(one):
            return f"the translation of {messages[0]!r} holds markup"
        strange = [found.group(0) for found in _PLACE.finditer(one) if found.group(0) not in allowed]
        if strange:
            return f"the translation of {messages[0]!r} has {strange[0]!r}, which the message has not"
    return None
