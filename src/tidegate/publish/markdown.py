# SPDX-License-Identifier: Apache-2.0
"""Assessments and explanations as Markdown. What comes from outside is escaped and can neither format nor link."""

from collections.abc import Iterable, Iterator, Sequence

from tidegate.assess.explain import ROLE_WORDS, ExplainedIndicator, Explanation
from tidegate.assess.model import Assessment, Gate, ModelAssessment
from tidegate.policy.model import ACTIONS
from tidegate.publish.words import (
    ACTION_WORDS,
    FINDING_SHORT,
    FINDING_WORDS,
    STATE_WORDS,
    one_line,
    relation_words,
)

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_ESCAPED = frozenset("\\`*_{}[]()#+!|~$^")


def escaped(text: str) -> str:
    r"""Give text that a Markdown reader shows as it is, on one line and within one cell.

    >>> escaped("a|b <i>")
    'a\\|b &lt;i&gt;'
    """
    shown = "".join(_ENTITIES.get(one, f"\\{one}" if one in _ESCAPED else one) for one in one_line(text))
    # Bare addresses become links in some readers; an entity for one character prevents that.
    shown = shown.replace("://", "&#58;//").replace("www.", "www&#46;")
    # A list or heading can only begin a line; `1.`, `-` and `=` are harmless elsewhere.
    return f"\\{shown}" if shown[:1] in ("-", "=") else shown


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(
        [_row(map(escaped, heads)), "|" + " --- |" * len(heads), *(_row(map(escaped, row)) for row in rows)]
    )


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(line)}" for line in lines)


# --- an assessment ----------------------------------------------------------------------------------------


def assessment_markdown(assessment: Assessment) -> str:
    """Give an assessment as a Markdown page: findings, gates with every reason, conclusions, digests."""
    return "\n\n".join(part for part in _assessed(assessment) if part) + "\n"


def _assessed(assessment: Assessment) -> Iterator[str]:
    models = assessment.models
    yield f"# Assessment under {escaped(assessment.policy)}"
    yield f"As of {assessment.at.isoformat()}: nothing that became known later is used."
    if not models:
        yield "No models are assessed."
        return
    yield "## Findings"
    yield _table(
        ("Threshold", *(model.name for model in models)),
        [
            (
                f"{finding.threshold} {finding.title}",
                *(FINDING_SHORT[model.thresholds[row].finding] for model in models),
            )
            for row, finding in enumerate(models[0].thresholds)
        ],
    )
    yield "## Gates"
    yield _table(
        ("Model", *(ACTION_WORDS[action] for action in ACTIONS)),
        [(model.name, *("open" if model.gate(action).open else "closed" for action in ACTIONS)) for model in models],
    )
    for model in models:
        yield from _reasons(model)
    concluded = [
        (
            model.name,
            one.threshold,
            one.concluded.status.replace("_", " "),
            FINDING_WORDS[one.finding],
            relation_words(one),
        )
        for model in models
        for one in model.thresholds
        if one.concluded is not None
    ]
    if concluded:
        yield "## Conclusions and printed evidence"
        yield _table(("Model", "Threshold", "Concluded", "On the printed evidence", "How they relate"), concluded)
    yield "## Recompute it"
    yield _table(
        ("What", "Digest"),
        [
            ("policy", assessment.policy_digest),
            ("evidence", assessment.evidence_digest),
            ("models", assessment.models_digest),
            ("assessment", assessment.digest),
        ],
    )


def _reasons(model: ModelAssessment) -> Iterator[str]:
    closed = [gate for gate in model.gates if not gate.open]
    if not closed:
        return
    yield f"### Why gates of {escaped(model.name)} are closed"
    grouped: dict[tuple[str, ...], list[Gate]] = {}
    for gate in closed:
        grouped.setdefault(tuple(reason.message for reason in gate.reasons if reason.closes), []).append(gate)
    for messages, gates in grouped.items():
        yield f"{escaped(', '.join(ACTION_WORDS[gate.action] for gate in gates))}:"
        yield _list(messages)


# --- an explanation ---------------------------------------------------------------------------------------


def explanation_markdown(explained: Explanation) -> str:
    """Give an explanation as a Markdown page."""
    return "\n\n".join(part for part in _explained(explained) if part) + "\n"


def _explained(explained: Explanation) -> Iterator[str]:
    yield f"# {escaped(explained.name)}, {escaped(explained.threshold)}: {FINDING_WORDS[explained.finding]}"
    yield f"{escaped(explained.title)} ({escaped(explained.policy)}, as of {explained.at.isoformat()})"
    yield escaped(explained.text)
    yield from _section("Why", (*explained.reasons, explained.combination))
    for one in explained.indicators:
        yield from _indicator(one)
    unread = (f"{one.evaluation}, {one.metric}: {one.result}" for one in explained.unread)
    yield from _section("Figures that meet no rule", unread)
    yield from _section("What a reader should know", explained.flags)
    stated = explained.concluded
    if stated is not None:
        by = [f"carried by: {stated.carried_by}"] if stated.carried_by else []
        by += [f"note: {stated.note}"] if stated.note else []
        lines = [f"the developer concluded: {stated.status.replace('_', ' ')}", *by, explained.agreement_words]
        yield from _section("The developer's conclusion", lines)
    yield from _section(
        "Required while it is not ruled out",
        (f"{one.requirement}: {STATE_WORDS[one.state]}; {one.reason}" for one in explained.requirements),
    )
    changes = [one.words for one in (explained.smallest_change, *explained.other_changes) if one is not None]
    yield from _section("What would change it", changes)
    yield from _section("What would settle it", explained.would_settle)
    yield from _section("Who signed what", explained.signed)
    yield f"Policy {escaped(explained.policy_digest)}, evidence {escaped(explained.evidence_digest)}."


def _section(heading: str, lines: Iterable[str]) -> Iterator[str]:
    shown = list(lines)
    if shown:
        yield f"## {heading}"
        yield _list(shown)


def _indicator(one: ExplainedIndicator) -> Iterator[str]:
    yield f"## {escaped(one.evaluation)}: {FINDING_WORDS[one.finding]}"
    lines = [f"Rule: {one.rule}.", f"Lock: {one.lock}.", f"Falsifier: {one.falsifier or 'none stated'}"]
    if one.conditions:
        lines.append(f"Asked of a record: {'; '.join(one.conditions)}.")
    yield _list(lines)
    if one.records:
        yield _table(
            ("Record", "Result", "Bound", "Margin", "What it does", "Set aside because"),
            [
                (
                    record.evidence,
                    f"{record.metric}: {record.result}",
                    record.bound,
                    record.margin_words,
                    ROLE_WORDS[record.role] + (", bears the finding" if record.is_load_bearing else ""),
                    "; ".join(record.reasons),
                )
                for record in one.records
            ],
        )
