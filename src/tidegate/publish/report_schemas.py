# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of the machine-readable reports, made from template or questionnaire: one property per field."""

from typing import Any

from tidegate.kernel.duration import PARTIAL_DATE_PATTERN
from tidegate.policy.framework import Framework
from tidegate.publish.haip import FAULT_WORDS, questionnaire_schema_name
from tidegate.publish.inventory import BADGE_WORDS
from tidegate.publish.report_filling import STATE_WORDS, schema_name
from tidegate.publish.report_templates import FieldSpec, ReportTemplate

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT = {"type": "string"}
_DAY = {"type": "string", "format": "date"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_DAY = {"type": ["string", "null"], "format": "date"}
_BADGE = {
    "enum": list(BADGE_WORDS),
    "description": "What shows it: a record that outsiders can check, a record on which somebody says so, nothing, "
    "something that is too old, or something that does not exist.",
}
_MAYBE_BADGE = {"enum": [*BADGE_WORDS, None]}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 0}


def report_schema(template: ReportTemplate) -> dict[str, Any]:
    """Give the schema of the machine-readable form of a kind of report."""
    fields = [one for section in template.sections for one in section.fields]
    properties = {
        **_heading(schema_name(template), template.title),
        "model": _model(template),
        "facts": {**_TEXTS, "description": "What is so of the organisation, by which fields are required."},
        "frameworks": {"type": "array", "items": _framework()},
        "fields": _object({one.id: _field(one) for one in fields}, "One property per field of the report."),
        "missing": {
            "type": "array",
            "description": "Fields that keep the report from being complete; empty in a final report.",
            "items": _missing(
                "field", [one.id for one in fields], {"items": _TEXTS, "state": {"enum": ["missing", "partial"]}}
            ),
        },
    }
    return _schema(schema_name(template), template.title, properties)


def questionnaire_schema(questionnaire: Framework) -> dict[str, Any]:
    """Give the schema of the machine-readable form of a questionnaire's answers."""
    name = questionnaire_schema_name(questionnaire)
    role = {"type": ["string", "null"], "description": "Whom the questions that are answered ask."}
    framework = _framework()
    asked = {**framework, "properties": {**framework["properties"], "role": role}}
    ids = [one.id for one in questionnaire.items]
    answers = {
        "type": "object",
        "description": "One property per question; questions that are asked only of other roles are left out.",
        "properties": {one.id: {**_answer(one.parts), "title": one.title} for one in questionnaire.items},
        "required": [one.id for one in questionnaire.items if one.applies_to is None],
        "additionalProperties": False,
    }
    properties = {
        **_heading(name, questionnaire.title),
        "questionnaire": {**asked, "required": [*framework["required"], "role"]},
        "answers": answers,
        "missing": {
            "type": "array",
            "description": "Questions without an answer that counts; empty in a final report.",
            "items": _missing("question", ids, {"fault": {"enum": list(FAULT_WORDS)}}),
        },
    }
    return _schema(name, questionnaire.title, properties)


def _schema(name: str, title: str, properties: dict[str, Any]) -> dict[str, Any]:
    # A final report has nothing missing: whoever validates one need not read the fields for that.
    is_final = {"properties": {"status": {"const": "final"}}, "required": ["status"]}
    whole = {"properties": {"missing": {"maxItems": 0}, "doubts": {"maxItems": 0}, "is_complete": {"const": True}}}
    body = _object(properties)
    return {"$schema": DIALECT, "$id": name, "title": title, **body, "if": is_final, "then": whole}


def _object(properties: dict[str, Any], description: str = "") -> dict[str, Any]:
    said = {"description": description} if description else {}
    return {
        "type": "object",
        **said,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _heading(name: str, title: str) -> dict[str, Any]:
    log = _object({"origin": _TEXT, "size": _COUNT, "root": _TEXT}, "Checkpoint of the log when it was made.")
    grounds = {"type": "object", "additionalProperties": _COUNT}
    withheld = {"passages": _COUNT, "evidence_fields": _COUNT, "grounds": grounds}
    return {
        "schema": {"const": name},
        "title": {"const": title},
        "organisation": _TEXT,
        "at": {**_DAY, "description": "Nothing that became known later is used."},
        "policy": _object({"label": _TEXT, "digest": _TEXT}),
        "log": {**log, "type": ["object", "null"]},
        "doubts": {**_TEXTS, "description": "Why the log cannot be relied on; nothing in a final output."},
        "withheld": _object(withheld, "How much is withheld in all that is published."),
        "status": {"enum": ["draft", "final"]},
        "is_complete": {"type": "boolean"},
    }


def _model(template: ReportTemplate) -> dict[str, Any]:
    if template.subject == "organisation":
        return {"type": "null"}
    return _object({"id": _TEXT, "name": _TEXT})


def _framework() -> dict[str, Any]:
    return _object(
        {
            "id": _TEXT,
            "version": _TEXT,
            "title": _TEXT,
            "status": _TEXT,
            "in_force_from": {**_MAYBE_TEXT, "pattern": PARTIAL_DATE_PATTERN},
            "is_in_force": {"type": "boolean", "description": "Whether it binds on the day of the report."},
        }
    )


def _statement() -> dict[str, Any]:
    return _object(
        {
            "text": _TEXT,
            "badge": _BADGE,
            "reason": _TEXT,
            "evidence": _TEXTS,
            "as_of": _MAYBE_DAY,
            "practice": {**_MAYBE_TEXT, "description": "Practice of the hub that it stands in."},
        }
    )


def _field(spec: FieldSpec) -> dict[str, Any]:
    field = _object(
        {
            "title": {"const": spec.title},
            "items": {"const": list(spec.items), "description": "Items of frameworks that it answers."},
            "state": {"enum": list(STATE_WORDS)},
            "reason": _MAYBE_TEXT,
            "is_required": {"type": "boolean"},
            "badge": _MAYBE_BADGE,
            "as_of": _MAYBE_DAY,
            "statements": {"type": "array", "items": _statement()},
            "data": {"description": "What was computed from records."},
            "records": {**_TEXTS, "description": "Records that it was computed from."},
            "lacks": _TEXTS,
        },
        spec.asks,
    )
    return {**field, "title": spec.title}


def _answer(parts: tuple[str, ...]) -> dict[str, Any]:
    return _object(
        {
            "title": _TEXT,
            "asks": _TEXT,
            "section": _MAYBE_TEXT,
            "parent": _MAYBE_TEXT,
            "state": {"enum": ["answered", "missing"]},
            "choice": {"enum": ["yes", "no", "not_applicable", None]},
            "text": _TEXT,
            "words": _COUNT,
            "badge": _MAYBE_BADGE,
            "as_of": _MAYBE_DAY,
            "statements": {"type": "array", "items": _statement()},
            "frequency": _TEXTS,
            "parts": _object({one: {"type": "boolean"} for one in parts}, "Whether the text names each part."),
            "evidence": _TEXTS,
            "faults": {"type": "array", "items": {"enum": list(FAULT_WORDS)}},
            "notes": _TEXTS,
        }
    )


def _missing(kind: str, ids: list[str], further: dict[str, Any]) -> dict[str, Any]:
    return _object({kind: {"enum": ids}, "title": _TEXT, **further, "reason": _TEXT, "to_do": _TEXT})
