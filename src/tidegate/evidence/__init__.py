# SPDX-License-Identifier: Apache-2.0
"""What was observed, with provenance, elicitation and an expiry; and the importers that take it in."""

from tidegate.evidence.importing import Declared, Import, ImportSource
from tidegate.evidence.model import (
    Bound,
    Conclusion,
    Elicitation,
    Evidence,
    EvidenceSet,
    Measurement,
    Restatement,
    merge,
)

__all__ = [
    "Bound",
    "Conclusion",
    "Declared",
    "Elicitation",
    "Evidence",
    "EvidenceSet",
    "Import",
    "ImportSource",
    "Measurement",
    "Restatement",
    "merge",
]
