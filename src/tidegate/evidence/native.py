# SPDX-License-Identifier: Apache-2.0
"""Evidence written by hand or by Tidegate itself: attestations, control checks, restatements, any record."""

import re
from pathlib import Path
from typing import Any

from tidegate.evidence.importing import Declared, Import, ImportSource
from tidegate.evidence.model import SCHEMA_ID, EvidenceSet
from tidegate.kernel.documents import Document, parse_document, read_bytes, validate_part
from tidegate.kernel.errors import DocumentError, EvidenceError, Problem, Where

NAME = "tidegate"
MAX_BYTES = 50_000_000
"""An evidence set of 20,000 records takes about half of this."""
MAX_NODES = 3_000_000
"""A record with every field is about a hundred values; 20,000 of them fit."""


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the file says that it is an evidence set."""
    text = head.decode("utf-8", "replace")
    return path.suffix.lower() in (".yaml", ".yml", ".json") and bool(
        re.search(rf"""["']?schema["']?\s*:\s*["']?{re.escape(SCHEMA_ID)}""", text)
    )


def read(source: ImportSource) -> Import:
    """Give the evidence set in the file; records that state no provenance get the file's.

    Raises:
        DocumentError: the file is not an evidence set; every problem with its position.
        EvidenceError: EVI005, two records share an id.
    """
    if source.declared != Declared():
        message = "an evidence set states model, variant, thresholds, elicitation and evaluator itself"
        raise EvidenceError(Problem("EVI002", message, Where(source.name), "write them in its records"))
    document = parse_document(
        read_bytes(source.path, max_bytes=MAX_BYTES), source.name, max_bytes=MAX_BYTES, max_nodes=MAX_NODES
    )
    if not isinstance(document.data, dict):
        raise DocumentError(Problem("DOC009", "expected a mapping with records", document.where()))
    records = document.data.get("records") or []
    for number, record in enumerate(records if isinstance(records, list) else ()):
        _add_provenance(record, source, document, number)
    evidence = validate_part(document, EvidenceSet)
    seen: dict[str, int] = {}
    repeated = [
        Problem(
            "EVI005", f"the id {record.id!r} occurs twice", document.where(("records", number)), "give it another id"
        )
        for number, record in enumerate(evidence.records)
        if seen.setdefault(record.id, number) != number
    ]
    if repeated:
        raise EvidenceError(*repeated)
    return Import(NAME, evidence)


def _add_provenance(record: Any, source: ImportSource, document: Document, number: int) -> None:
    if isinstance(record, dict) and "provenance" not in record:
        where = document.where(("records", number))
        record["provenance"] = {
            "format": NAME,
            "file": source.name,
            "digest": source.digest,
            "position": f"{where.line}:{where.column}",
        }
