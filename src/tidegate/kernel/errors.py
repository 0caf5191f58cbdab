# SPDX-License-Identifier: Apache-2.0
"""Every error that Tidegate shows to a person: one tree, stable codes.

    TidegateError
    ├── DocumentError    DOC  a file that cannot be read as what it claims to be
    ├── PolicyError      POL  a policy that contradicts itself
    ├── EvidenceError    EVI  evidence that cannot be taken in
    ├── AssessError      ASM  a question that cannot be answered
    ├── ProjectError     PRJ  a project that is not in order
    ├── LedgerError      LED  a log that is not what it was, or an entry that it cannot take
    ├── SigningError     KEY  a key, signature or person that does not do
    ├── ReportError      REP  a report that cannot become final
    ├── CaseError        CAS  a safety case that does not hold together
    ├── DecisionError    DEC  a decision that cannot go this way
    ├── CaseworkError    NCP  a noncompliance report that cannot be handled so
    ├── BundleError      BUN  a bundle that does not verify
    ├── ObligationError  OBL  a rule, event or calendar that a date cannot be computed from
    ├── IncidentError    INC  an incident that cannot be recorded so
    └── PublicationError PUB  something that cannot be published as it is

An error carries one or more problems, so that a person sees all of them at once.
A problem says where it is, what was expected and what to do.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

CODES: dict[str, str] = {
    "DOC001": "The file cannot be read.",
    "DOC002": "The file is larger than the limit.",
    "DOC003": "The file is not UTF-8 text.",
    "DOC004": "The file is not well-formed YAML or JSON.",
    "DOC005": "A key occurs twice in one mapping.",
    "DOC006": "The document is nested too deeply, or expands to too many nodes.",
    "DOC007": "A key is not known here.",
    "DOC008": "A required field is missing.",
    "DOC009": "A value is not of the expected type or form.",
    "DOC010": "A YAML tag is not allowed: documents are plain data.",
    "POL001": "Two items have the same id.",
    "POL002": "A reference names an item that does not exist.",
    "POL003": "A threshold has a rule-out line but no falsifier.",
    "POL004": "The same policy label stands for different content.",
    "POL005": "The modal verb of a commitment is missing, or contradicts its text.",
    "POL006": "The lines of a decision rule contradict each other.",
    "POL007": "Items refer to each other in a circle.",
    "POL008": "The policy or pack cannot be found.",
    "POL009": "A duration, date or cadence does not make sense.",
    "POL010": "An indicator is pinned to a placeholder evaluation.",
    "EVI001": "The format of the file is not recognised.",
    "EVI002": "The file is malformed.",
    "EVI003": "The file is larger than the limit of its importer.",
    "EVI004": "The summary in the header disagrees with the samples.",
    "EVI005": "The same evidence id stands for different content.",
    "EVI006": "A restatement or retraction lacks its reason, or names no known record.",
    "EVI007": "The archive is unsafe: a path escapes, or it expands beyond the limit.",
    "EVI008": "The run is incomplete.",
    "EVI010": "The result shows less than it seems to: a stand-in answered, answers were reused, or other data was used.",
    "EVI011": "A figure in the file was not recomputed from its samples, and is left out or marked.",
    "EVI012": "The record lacks what this export needs.",
    "ASM001": "The model is not known.",
    "ASM002": "The threshold or indicator is not known.",
    "ASM004": "The indicator has no line that a plan could be made for.",
    "ASM005": "Two records do not compare.",
    "PRJ001": "No project was found here or in a folder above.",
    "PRJ002": "The folder is not empty.",
    "PRJ003": "The adopted policy is not the one that the project pins.",
    "PRJ004": "Something that the project names is missing, ambiguous, outside it or cannot be written.",
    "PRJ005": "A value given on the command line is not understood.",
    "PRJ006": "The files of the project and the ledger disagree.",
    "LED001": "The bytes are not an entry in canonical form.",
    "LED002": "There is no ledger here, or it cannot be opened.",
    "LED003": "The ledger is not what it was: a hash, a tile, a root or a checkpoint does not fit its entries.",
    "LED004": "The entry is too large, or the log cannot take it.",
    "LED005": "An entry lacks its signature, or its signature does not hold.",
    "LED006": "Somebody else added to the log in the meantime.",
    "LED007": "A signed note, checkpoint, cosignature or proof is malformed or does not verify.",
    "LED008": "The log does not continue the one that the witness knows.",
    "LED009": "There is no such entry, document or content.",
    "LED010": "Erasing is forbidden by a legal hold, or by a retention that has not ended.",
    "KEY001": "The key file cannot be read, or is not a key of a supported kind.",
    "KEY002": "The passphrase is missing or wrong.",
    "KEY003": "The key does not speak for this person: it is unknown, revoked or replaced.",
    "KEY004": "The person is not known, or does not hold the role.",
    "KEY005": "The key agent cannot be reached, refuses, or does not hold the key.",
    "KEY006": "The rules do not allow this person to do this.",
    "REP001": "The report is not complete, so it cannot become final.",
    "REP002": "A threshold is ruled out without a falsifier.",
    "REP003": "The report, critique or point is not known.",
    "CAS001": "The safety case refers to something that does not exist, or to itself.",
    "CAS002": "The safety case or a node of it is not known.",
    "CAS003": "The case does not pass its checks.",
    "CAS004": "The safety case cannot be drawn.",
    "DEC001": "The decision is not known.",
    "DEC002": "A decision in this state cannot go there.",
    "DEC003": "What the decision rests on has changed.",
    "DEC004": "The decision lacks a part: a report, a reason, a date.",
    "DEC005": "The signature cannot count: recused, not named by the policy, or given already.",
    "DEC006": "The policy does not provide for this measure.",
    "NCP001": "The case is not known, or the case key does not open it.",
    "NCP002": "Nobody who may handle the report has a key that it can be encrypted to.",
    "NCP003": "The case cannot go into this state.",
    "BUN001": "The bundle is not an archive of the expected form.",
    "BUN002": "The bundle is unsafe: a path escapes, or it expands beyond the limit.",
    "BUN003": "A part of the bundle is missing, or is not what its digest says.",
    "BUN004": "The keys to trust cannot be read.",
    "OBL001": "A rule contradicts itself, or two rules have the same id.",
    "OBL002": "A rule, event, owner, calendar or fact is not known.",
    "OBL003": "An event lies in the future, or lacks what its rule counts from.",
    "OBL004": "A duty cannot be waived so.",
    "INC001": "The incident is not known.",
    "INC002": "The times of an incident contradict each other, or lie in the future.",
    "INC003": "A question, answer, field, scale or notice of an incident is not known.",
    "INC004": "The incident cannot go there: it is closed, or something is missing.",
    "INC005": "What the log says of an incident is not kept, or is not what it was.",
    "PUB001": "The output is not complete, so it cannot become final.",
    "PUB002": "A framework, item, section, questionnaire or template is not known.",
    "PUB003": "Two practices, answers or pages have the same id, or answer the same.",
    "PUB004": "What is referred to does not exist.",
    "PUB005": "A redaction does not fit the text, or the register lacks it.",
    "PUB006": "Withheld words stand in what was about to be published.",
    "PUB007": "The message catalogue cannot be used.",
    "PUB008": "The output cannot be made, or the folder holds something else.",
}
"""Stable code -> what it means. The reference page of errors is generated from this."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file. Lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it."""

    code: str
    message: str
    where: Where | None = None
    hint: str | None = None
    severity: Severity = "error"

    def __post_init__(self) -> None:
        assert self.code in CODES, f"undocumented error code {self.code}"

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.severity} {self.code}: {self.message}{hint}"

    def to_json(self) -> dict[str, Any]:
        """Give the problem as plain data, absent parts left out."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class TidegateError(Exception):
    """Base of every error that is shown to a person."""

    prefix: ClassVar[str] = ""

    def __init__(self, *problems: Problem) -> None:
        assert problems, "an error needs at least one problem"
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    @classmethod
    def of(cls, code: str, message: str, *, where: Where | None = None, hint: str | None = None) -> "TidegateError":
        """Make an error of one problem."""
        return cls(Problem(code, message, where, hint))


class DocumentError(TidegateError):
    """A file cannot be read as what it claims to be."""

    prefix = "DOC"


class PolicyError(TidegateError):
    """A policy contradicts itself or cannot be found."""

    prefix = "POL"


class EvidenceError(TidegateError):
    """Evidence cannot be taken in; nothing of it was."""

    prefix = "EVI"


class AssessError(TidegateError):
    """A question cannot be answered from what is known."""

    prefix = "ASM"


class ProjectError(TidegateError):
    """A project is not in order."""

    prefix = "PRJ"


class LedgerError(TidegateError):
    """A log is not what it was, or cannot take an entry."""

    prefix = "LED"


class SigningError(TidegateError):
    """A key, signature or person does not do."""

    prefix = "KEY"


class ReportError(TidegateError):
    """A report cannot become final."""

    prefix = "REP"


class CaseError(TidegateError):
    """A safety case does not hold together."""

    prefix = "CAS"


class DecisionError(TidegateError):
    """A decision cannot go this way."""

    prefix = "DEC"


class CaseworkError(TidegateError):
    """A noncompliance report cannot be handled so."""

    prefix = "NCP"


class BundleError(TidegateError):
    """A bundle does not verify."""

    prefix = "BUN"


class ObligationError(TidegateError):
    """A date cannot be computed from what was given."""

    prefix = "OBL"


class IncidentError(TidegateError):
    """An incident cannot be recorded so."""

    prefix = "INC"


class PublicationError(TidegateError):
    """Something cannot be published as it is."""

    prefix = "PUB"
