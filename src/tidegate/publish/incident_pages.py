# SPDX-License-Identifier: Apache-2.0
"""Drafts of incident notices as pages: every field with its words, or said to be missing."""

from typing import Any

from tidegate.incidents.notices import Draft, DraftField
from tidegate.publish.printing import printed
from tidegate.publish.report_blocks import Block, Mark, Page, Paragraph, Section, facts, listing, said
from tidegate.publish.words import clean, one_line

DRAFT_STATUS = "Draft, made from the record. Nobody has sent it, and it is not legal advice."
SENT_STATUS = "As it was sent."
MISSING = "Missing: this is not known, or not on record, when this notice is made."
FOLLOWS = "To follow: this is not known yet, and a later report may give it."


def notice_page(draft: Draft, *, is_sent: bool = False) -> Page:
    """Give the page of a notice: as a draft, or in the words in which it is put on record as sent."""
    template = draft.template
    missing = listing("Fields that are missing", [f"{one.field.title}: {one.field.asks}" for one in _missing(draft)])
    sections = [Section("Notice", facts("", _about(draft)))]
    sections += [Section(one.field.title, (_words(one),)) for one in draft.fields]
    if missing:
        sections.append(Section("What is missing", missing))
    return Page(
        title=template.title,
        lead=f"From {draft.sender.organisation} to {template.to}.",
        status=SENT_STATUS if is_sent else DRAFT_STATUS,
        is_final=is_sent,
        problems=(),
        sections=tuple(sections),
        footer=(f"Made {draft.at} from the record of {draft.incident}; fields after {template.item}.",),
    )


def _missing(draft: Draft) -> list[DraftField]:
    return [one for one in draft.fields if one.is_missing]


def _about(draft: Draft) -> list[tuple[str, str]]:
    return [
        ("Incident", f"{draft.incident}: {one_line(draft.title)}" if draft.title else draft.incident),
        ("Kind", f"{draft.template.kind} report"),
        ("Duty", draft.rule),
        ("From", draft.sender.organisation),
        ("To", draft.template.to),
        ("Made", draft.at),
    ]


def _words(one: DraftField) -> Block:
    if one.is_missing:
        follows = one.field.may_follow
        return Paragraph((Mark("missing", "unknown"), f" {FOLLOWS if follows else MISSING}"))
    return said(clean(one.words))


def notice_markdown(draft: Draft, *, is_sent: bool = False) -> str:
    """Give a notice as Markdown."""
    return printed(notice_page(draft, is_sent=is_sent), "md").decode()


def notice_json(draft: Draft) -> dict[str, Any]:
    """Give a draft as data: every field, null where it is missing."""
    template = draft.template
    return {
        "notice": template.id,
        "title": template.title,
        "kind": template.kind,
        "rule": draft.rule,
        "to": template.to,
        "item": template.item,
        "incident": draft.incident,
        "incident_title": draft.title,
        "organisation": draft.sender.organisation,
        "made_at": draft.at,
        "is_draft": True,
        "status": DRAFT_STATUS,
        "fields": {one.field.id: one.words or None for one in draft.fields},
        "missing": list(draft.missing),
        "may_follow": [one.field.id for one in _missing(draft) if one.field.may_follow],
    }
