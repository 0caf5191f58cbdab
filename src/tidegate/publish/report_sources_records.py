# SPDX-License-Identifier: Apache-2.0
"""What fills fields about what is on record: decisions, safety cases, reports of others, counts, redactions, proofs."""

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.govern.counts import Table
from tidegate.obligations.model import STATE_WORDS, Duty
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.decision_pages import ShownDecision
from tidegate.publish.report_blocks import Block, Cell, Cite, Link, Paragraph, listing
from tidegate.publish.report_sources_words import (
    hidden_duties,
    iso,
    known,
    models_of,
    plain_list,
    records_of,
    spaced,
    tabled,
)
from tidegate.publish.report_templates import Filling, Source
from tidegate.publish.words import ACTION_WORDS

OPEN_STATES = frozenset({"unclear", "late", "due_soon", "due"})
FRAMEWORK_REVIEW = frozenset({"sb53#12.b.1", "raise#1421.2.a", "il-aisma#10.b", "eu-cop-safety#M1.3"})
"""Items that ask to review the framework once a year."""
MODEL_REPORT = frozenset({"eu-cop-safety#M7.6", "eu-cop-safety#M7.7"})
"""Items that ask to keep a model report current, and to give access to it."""


# --- decisions and cases -------------------------------------------------------------------------------


def _decisions(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give who decided what, when, on which digests; none if no decision is on record."""
    shown = [one for each in models_of(content, model) for one in each.decisions]
    if not shown:
        return None
    blocks: list[Block] = []
    for one in shown:
        blocks += _decision(one)
    data = [_decision_data(one) for one in shown]
    refs = known(content, (f"decision:{one.record.id}" for one in shown))
    return Filling(tuple(blocks), data, refs, content.at)


def _decision(one: ShownDecision) -> Iterator[Block]:
    record, document = one.record, one.record.document
    standing = "counts" if one.counts else f"does not count: {'; '.join(one.reasons) or 'it has ended'}"
    lines: list[str | Cell] = [
        f"question: {document.question}",
        f"chosen: {document.choice} (of: {'; '.join(document.options)})",
        f"uses: {', '.join(ACTION_WORDS[use] for use in document.actions) or 'none'}",
        f"state: {record.state.replace('_', ' ')}; {standing}",
        f"counts until {document.expires.isoformat()}",
        f"rests on {document.seen.policy}, assessed as of {document.seen.at.isoformat()}",
        f"digest {record.digest}, entry {record.current.index} of the log",
        (Cite(f"decision:{record.id}"),),
    ]
    if document.recommendation is not None:
        lines.append(f"recommended by {plain_list(document.recommendation.by)}: {document.recommendation.text}")
    lines += [f"condition, {item.owner} by {item.due.isoformat()}: {item.text}" for item in document.conditions]
    if record.dissents:
        lines.append(f"{len(record.dissents)} disagreed on record")
    yield from listing(f"Decision {record.id}", lines)
    rows = [(signed.person, signed.role, signed.at, signed.key, str(signed.index)) for signed in record.in_force]
    rows += [
        (said.by, f"reviewed: {said.verdict}", said.at, "", str(said.index)) for said in record.independent_reviews
    ]
    rows += [(gone.by, "stepped back", gone.at, "", str(gone.index)) for gone in record.recusals]
    heads = ("Who", "In which role", "When", "Key", "Entry of the log")
    yield from tabled(f"Who signed and reviewed {record.id}", heads, rows)


def _decision_data(one: ShownDecision) -> dict[str, Any]:
    record, document = one.record, one.record.document
    return {
        "decision": record.id,
        "question": document.question,
        "choice": document.choice,
        "actions": list(document.actions),
        "state": record.state,
        "counts": one.counts,
        "against": list(one.reasons),
        "digest": record.digest,
        "entry": record.current.index,
        "effective_on": iso(record.effective_on),
        "expires": document.expires.isoformat(),
        "seen": document.seen.model_dump(mode="json", exclude_none=True),
        "signatures": [
            {"person": signed.person, "role": signed.role, "at": signed.at, "key": signed.key, "entry": signed.index}
            for signed in record.in_force
        ],
        "reviews": [{"by": said.by, "verdict": said.verdict, "entry": said.index} for said in record.reviews],
        "dissents": len(record.dissents),
    }


def _cases(content: Content, model: PublishedModel | None) -> Filling | None:
    found = [(each, one) for each in models_of(content, model) for one in each.cases]
    if not found:
        return None
    rows: list[tuple[str | Cell, ...]] = [
        (
            (Cite(f"case:{one.case}"),),
            each.model.title,
            plain_list(one.authors),
            one.root,
            str(one.index),
            "; ".join(f"{said.by} {said.verdict} (entry {said.index})" for said in one.reviews) or "none",
        )
        for each, one in found
    ]
    heads = ("Safety case", "Model", "Authors", "Digest of the whole", "Entry of the log", "Reviews")
    data = [
        {
            "case": one.case,
            "model": one.model,
            "root": one.root,
            "document": one.document,
            "entry": one.index,
            "authors": list(one.authors),
            "reviews": [{"by": said.by, "verdict": said.verdict, "entry": said.index} for said in one.reviews],
        }
        for _, one in found
    ]
    refs = known(content, (f"case:{one.case}" for _, one in found))
    lacks = tuple(f"nobody has reviewed the safety case {one.case}" for _, one in found if not one.reviews)
    return Filling(tabled("Safety cases", heads, rows, is_wide=True), data, refs, content.at, lacks)


def _external_reports(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give reports of outsiders: audits and documents on record, and independent critiques of final reports."""
    listed = [
        one
        for one in records_of(content, model)
        if one.kind == "audit" or (one.kind == "document" and one.evaluator.relation == "independent")
    ]
    critiques = [
        (record, one) for each in models_of(content, model) for record, _ in each.reports for one in record.critiques
    ]
    rows: list[tuple[str | Cell, ...]] = [
        (
            one.evaluator.name or "not named",
            spaced([one.kind]),
            (Cite(f"evidence:{one.id}"),),
            _where(one.provenance.title or one.provenance.file or "not stated", one.provenance.url),
            one.outcome or "",
            one.finished or one.published or "not dated",
        )
        for one in listed
    ]
    rows += [
        (
            one.author,
            f"critique of {record.report}",
            (Cite(f"report:{record.report}"),),
            f"digest {one.document}, entry {one.index}",
            f"{len(one.standing)} of {one.points} points stand, {len(one.unanswered)} are not answered",
            one.at[:10],
        )
        for record, one in critiques
    ]
    heads = ("Who", "What", "Record", "Where", "Outcome", "Day")
    data = {
        "records": [{"evidence": one.id, "kind": one.kind, "by": one.evaluator.name, "url": one.provenance.url}
                    for one in listed],
        "critiques": [{"report": record.report, "by": one.author, "points": one.points, "digest": one.document}
                      for record, one in critiques],
    }  # fmt: skip
    refs = known(content, (*(f"evidence:{one.id}" for one in listed), *(f"report:{r.report}" for r, _ in critiques)))
    blocks = tabled("Reports of others", heads, rows, is_wide=True)
    return Filling(blocks, data, refs, content.at) if blocks else None


def _where(title: str, url: str | None) -> Cell:
    return (Link(title, url),) if url and url.startswith(("https://", "http://")) else (title,)


# --- counts --------------------------------------------------------------------------------------------


def _incidents(content: Content, _model: PublishedModel | None) -> Filling | None:
    """Give how many incidents qualified under each law; a project without a log has no count."""
    if content.head is None:
        return None
    rows = [
        (year, law, str(count))
        for year, laws in sorted(content.incidents.items(), reverse=True)
        for law, count in sorted(laws.items())
    ]
    heads = ("Year", "Law", "Incidents that qualified")
    blocks: tuple[Block, ...] = tabled("Incidents", heads, rows)
    blocks = blocks or (Paragraph(("No year's count reaches the size from which counts are published.",)),)
    data = {year: dict(laws) for year, laws in content.incidents.items()}
    refs = known(content, (f"incidents:{year}" for year in content.incidents))
    return Filling(blocks, data, refs, content.at)


def _noncompliance(content: Content, _model: PublishedModel | None) -> Filling | None:
    counts = content.noncompliance
    if counts is None:
        return None
    tables = {"Reports that came in": counts.opened, "Cases that were closed": counts.closed,
              "Reports of retaliation": counts.retaliation}  # fmt: skip
    blocks = [block for title, table in tables.items() for block in _counted(f"{title}, {counts.year}", table)]
    blocks.append(Paragraph(("Small numbers are withheld, and others from which they could be computed.",)))
    data = {
        "year": counts.year,
        **{
            name: [{"quarter": row, "kind": column, "count": shown} for (row, column), shown in table.cells.items()]
            for name, table in zip(("opened", "closed", "retaliation"), tables.values(), strict=True)
        },
    }
    refs = known(content, (f"noncompliance:{counts.year}",))
    return Filling(tuple(blocks), data, refs, content.at)


def _counted(title: str, table: Table) -> tuple[Block, ...]:
    columns = (*table.columns, None)
    rows = [
        (row or "total", *(table.cells.get((row, column), "") for column in columns)) for row in (*table.rows, None)
    ]
    return tabled(title, ("Quarter", *(spaced([one]) if one else "total" for one in columns)), rows, is_wide=True)


# --- what is withheld, what is due ---------------------------------------------------------------------


def _redactions(content: Content, _model: PublishedModel | None) -> Filling:
    """Give how much is withheld and why, passage by passage."""
    rows = [
        (one.id, one.ground.replace("_", " "), one.character, one.justification, one.digest)
        for one in content.withheld_words
    ]
    rows += [
        (f"{one.record}, {one.field}", one.ground.replace("_", " "), one.character, one.justification, one.digest)
        for one in content.withheld_evidence
    ]
    heads = ("What", "Ground", "Character", "Justification", "Salted digest of the words")
    table = tabled("What is withheld", heads, rows, is_wide=True)
    count = f"{len(rows)} passages are withheld. The words are kept, and the digest shows later that they are the same."
    blocks: tuple[Block, ...] = (Paragraph((count,)), *table) if rows else (Paragraph(("Nothing is withheld.",)),)
    data = {
        "words": [one.model_dump(mode="json") for one in content.withheld_words],
        "evidence": [one.model_dump(mode="json") for one in content.withheld_evidence],
    }
    return Filling(blocks, data, (), content.at)


def _duties(content: Content, model: PublishedModel | None) -> Filling:
    found = [one for one in content.duties if one.state in OPEN_STATES and _concerns(one, model)]
    rows = [
        (one.rule.title, one.subject or "the organisation", STATE_WORDS[one.state], iso(one.due_on) or "no date",
         one.rule.owner or "not stated", one.reason)
        for one in found
    ]  # fmt: skip
    heads = ("Duty", "About", "State", "Due", "Owner", "How it was computed")
    blocks: tuple[Block, ...] = tabled("Duties that are open", heads, rows, is_wide=True)
    blocks = blocks or (Paragraph((f"No public duty is open as of {content.at.isoformat()}.",)),)
    blocks += hidden_duties(content)
    data = [
        {"rule": one.rule.id, "about": one.subject, "state": one.state, "due": iso(one.due_on), "reason": one.reason}
        for one in found
    ]
    return Filling(blocks, data, (), content.at)


def _concerns(one: Duty, model: PublishedModel | None) -> bool:
    return model is None or one.subject is None or one.subject.casefold() in model.model.names


def _duties_under(caption: str, items: frozenset[str]) -> Source:
    """Give a source for the duties that implement items of frameworks, done ones included."""

    def source(content: Content, model: PublishedModel | None) -> Filling | None:
        found = [
            one
            for one in content.duties
            if one.rule.source in items and one.state != "not_applicable" and _concerns(one, model)
        ]
        rows = [
            (one.rule.title, STATE_WORDS[one.state], iso(one.due_on) or "no date", _done(one), one.reason)
            for one in found
        ]
        heads = ("Duty", "State", "Due", "Done", "How it was computed")
        blocks = tabled(caption, heads, rows)
        data = [
            {"rule": one.rule.id, "source": one.rule.source, "state": one.state, "due": iso(one.due_on),
             "done": str(one.done.at) if one.done else None}
            for one in found
        ]  # fmt: skip
        refs = known(content, (f"duty:{one.id}" for one in found))
        return Filling(blocks, data, refs, content.at) if blocks else None

    return source


def _done(one: Duty) -> str:
    return str(one.done.at) if one.done else "not on record"


def _changes(content: Content, model: PublishedModel | None) -> Filling | None:
    names = model.model.names if model else frozenset()
    kept = [
        one
        for one in content.publication.changes.changes
        if model is None or (one.about or "").casefold() in {f"model:{name}" for name in names}
    ]
    rows = [(one.on.isoformat(), one.kind, one.title, one.about or "") for one in kept]
    data = [one.model_dump(mode="json") for one in kept]
    blocks = tabled("What changed, newest first", ("Day", "Kind", "What", "About"), rows)
    return Filling(blocks, data, (), content.at) if blocks else None


# --- proofs --------------------------------------------------------------------------------------------


def _proofs(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give the log's checkpoint, and how anybody checks what stands in it; none if the project keeps no log."""
    head = content.head
    if head is None:
        return None
    rows = [("Log", head.origin), ("Entries", str(head.size)), ("Root hash", head.root)]
    bundles = [one.bundle for one in models_of(content, model) if one.bundle]
    commands = [f"tidegate verify {name} --trust FILE" for name in bundles or ["BUNDLE"]]
    how = (
        "Anybody can check signatures, inclusion in the log and the verdict without asking the organisation. "
        "Take the trust file from another place than the bundle, or it proves nothing."
    )
    wanted = sorted(ref for ref in content.proofs if model is None or _is_of(ref, model))
    blocks = (
        *tabled("Checkpoint", ("What", "Value"), rows),
        Paragraph((how,)),
        *listing("Run", commands),
        *listing("Records with a proof of inclusion", wanted),
    )
    data = {
        "origin": head.origin,
        "size": head.size,
        "root": head.root,
        "checkpoint": head.note,
        "verify": commands,
        "proofs": {ref: content.proofs[ref] for ref in wanted},
    }
    return Filling(blocks, data, (), content.at)


def _is_of(ref: str, model: PublishedModel) -> bool:
    """Tell whether a record with a proof is one of a model's."""
    own = {f"decision:{one.record.id}" for one in model.decisions}
    own |= {f"report:{record.report}" for record, _ in model.reports}
    own |= {f"case:{one.case}" for one in model.cases}
    return any(ref == one or ref.startswith(f"{one}/") for one in own)


def _commitments(content: Content, _model: PublishedModel | None) -> Filling | None:
    rows, data = [], []
    for one in content.commitments:
        framework = content.frameworks.get(one.framework)
        title = framework.title if framework else one.framework
        rows.append((title, spaced([one.stance]), one.since or "not stated", one.reason or ""))
        data.append({"framework": one.framework, "stance": one.stance, "since": one.since, "reason": one.reason})
    blocks = tabled("Frameworks", ("Framework", "How it binds", "Since", "Reason"), rows)
    return Filling(blocks, data, (), content.at) if blocks else None


SOURCES: Mapping[str, Source] = {
    "decisions": _decisions,
    "cases": _cases,
    "external_reports": _external_reports,
    "incidents.counts": _incidents,
    "noncompliance.counts": _noncompliance,
    "redactions": _redactions,
    "duties.open": _duties,
    "duties.framework_review": _duties_under("Review of the framework", FRAMEWORK_REVIEW),
    "duties.model_report": _duties_under("Notification of the AI Office, and updates", MODEL_REPORT),
    "changes": _changes,
    "commitments": _commitments,
    "proofs": _proofs,
}
"""Sources about what is on record."""
