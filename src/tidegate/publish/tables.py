# SPDX-License-Identifier: Apache-2.0
"""Findings, gates and explanations as tables for a terminal, or for a plain log of 100 columns.

Every string that comes from outside is cleaned and put into a `Text`, which reads no markup.
"""

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Literal

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tidegate.assess.audit import ReportCard
from tidegate.assess.explain import ROLE_WORDS, ExplainedIndicator, ExplainedRecord, Explanation
from tidegate.assess.gate import BASELINE
from tidegate.assess.model import Assessment, Finding, Gate, ModelAssessment, State
from tidegate.assess.whatif import quantity
from tidegate.evidence.model import Evidence
from tidegate.policy.model import ACTIONS
from tidegate.publish.words import (
    ACTION_WORDS,
    FINDING_SHORT,
    FINDING_WORDS,
    STATE_WORDS,
    clean,
    one_line,
    relation_words,
    shortened,
)

WIDTH = 100
"""Columns of a plain log."""
MODELS_PER_TABLE = 5
"""More models do not fit beside a threshold's name in `WIDTH` columns; they go into a further table."""

FINDING_STYLES: dict[Finding, str] = {
    "ruled_out": "green",
    "not_ruled_out": "red",
    "reached": "bold red",
    "reached_and_mitigated": "cyan",
    "inconclusive": "yellow",
    "not_assessed": "yellow",
}
STATE_STYLES: dict[State, str] = {"met": "green", "not_met": "red", "unknown": "yellow", "expired": "yellow"}


def plain(renderable: RenderableType, width: int = WIDTH) -> str:
    """Give a renderable as text without colour, the same on every machine."""
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        color_system=None,
        force_terminal=False,
        legacy_windows=False,
        emoji=False,
        highlight=False,
    )
    console.print(renderable)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _text(words: str, style: str = "") -> Text:
    return Text(clean(words), style=style)


def _flat(words: str, style: str = "") -> Text:
    return Text(one_line(words), style=style)


def _table(title: str, columns: Iterable[str | tuple[str, Literal["left", "right"]]]) -> Table:
    table = Table(
        title=_flat(title, "bold") if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1),
        collapse_padding=True,
    )
    for column in columns:
        name, justify = column if isinstance(column, tuple) else (column, "left")
        table.add_column(_flat(name, "bold"), justify=justify, overflow="fold")
    return table


# --- the matrix ------------------------------------------------------------------------------------------


def matrix(assessment: Assessment) -> Group:
    """Give the findings of every model and threshold under one policy, thresholds down and models across."""
    parts: list[RenderableType] = []
    models = assessment.models
    for start in range(0, len(models), MODELS_PER_TABLE):
        chunk = models[start : start + MODELS_PER_TABLE]
        title = f"Findings under {assessment.policy} as of {assessment.at.isoformat()}"
        # A title of the table itself would wrap at the width of a narrow table.
        parts.append(_flat(title + (" (continued)" if start else ""), "bold"))
        table = _table("", ["Threshold", *(model.name for model in chunk)])
        table.columns[0].min_width = 24
        for column in table.columns[1:]:
            column.max_width = len(FINDING_SHORT["not_ruled_out"])
        for row, finding in enumerate(chunk[0].thresholds):
            name = Text.assemble(_flat(finding.threshold, "bold"), " ", _flat(shortened(finding.title, 36)))
            table.add_row(name, *(_finding(model.thresholds[row].finding) for model in chunk))
        parts += [table, Text("")]
    return Group(*(parts[:-1] or [Text(f"{one_line(assessment.policy)}: no models")]))


def _finding(finding: Finding) -> Text:
    return Text(FINDING_SHORT[finding], style=FINDING_STYLES[finding])


def agreement_table(assessment: Assessment) -> Table:
    """Give, for every recorded conclusion, what was concluded, what is computed, and how the two relate."""
    columns = ("Model", "Threshold", "Concluded", "On the printed evidence", "How they relate")
    table = _table(f"Conclusions and printed evidence under {assessment.policy}", columns)
    for model in assessment.models:
        for finding in model.thresholds:
            if finding.concluded is None:
                continue
            relation = relation_words(finding)
            remark = finding.concluded.carried_by or finding.concluded.note
            if remark and finding.agreement == "contradicted":
                relation += f" ({shortened(remark, 120)})"
            table.add_row(
                _flat(model.name),
                _flat(finding.threshold),
                _flat(finding.concluded.status.replace("_", " ")),
                _finding(finding.finding),
                _flat(relation),
            )
    return table


# --- gates and requirements -------------------------------------------------------------------------------


def gates_table(assessment: Assessment) -> Table:
    """Give the answer of every gate for every model, with the number of reasons that close it."""
    table = _table(f"Gates under {assessment.policy}", ["Model", *(ACTION_WORDS[action] for action in ACTIONS)])
    for model in assessment.models:
        table.add_row(_flat(model.name), *(_gate(model.gate(action)) for action in ACTIONS))
    return table


def _gate(gate: Gate) -> Text:
    if gate.open:
        return Text("open", style="green")
    return Text(f"closed ({sum(reason.closes for reason in gate.reasons)})", style="red")


def gate_table(model: ModelAssessment, gate: Gate) -> Table:
    """Give one gate with every reason, closing ones first."""
    answer = "open" if gate.open else "closed"
    table = _table(f"{model.name}: {ACTION_WORDS[gate.action]} is {answer}", ("", "Threshold", "Reason"))
    # As wide as the title, which would wrap otherwise.
    table.columns[2].min_width = 60
    for reason in gate.reasons:
        mark = Text("closes", style="red") if reason.closes else Text("holds", style="green")
        table.add_row(mark, _flat(reason.threshold or "-"), _flat(reason.message))
    if not gate.reasons:
        table.add_row("", "-", "the policy asks for nothing before this action")
    return table


def requirement_table(model: ModelAssessment) -> Table:
    """Give every requirement of a model's thresholds with its state, and the criteria that are not met."""
    table = _table(f"{model.name}: requirements", ("Threshold", "Requirement", "State", "Why"))
    for threshold, requirements in model.requirements.items():
        for one in requirements:
            state = Text(STATE_WORDS[one.state], style=STATE_STYLES[one.state])
            advisory = "" if one.binds else " (advisory)"
            table.add_row(
                _flat("every model" if threshold == BASELINE else threshold),
                _flat(f"{one.requirement}{advisory}"),
                state,
                _flat(one.reason),
            )
            for criterion in one.criteria:
                if criterion.state != "met":
                    because = next((need.reason for need in criterion.needs if need.state != "met"), "its parts")
                    words = Text(STATE_WORDS[criterion.state], style=STATE_STYLES[criterion.state])
                    table.add_row("", _flat(f"  {criterion.criterion}"), words, _flat(because))
    return table


# --- evidence ---------------------------------------------------------------------------------------------


def evidence_table(records: Sequence[Evidence], title: str = "Evidence") -> Table:
    """Give evidence records, one per row, in their order."""
    table = _table(title, ("Record", "Model", "Evaluation", ("Result", "right"), ("n", "right"), "Quality", "Day"))
    for record in records:
        found = record.measurement
        result = (record.outcome or "-") if found is None or found.value is None else quantity(found.value, found.unit)
        name = record.kind.replace("_", " ") if found is None else f"{found.evaluation}, {found.metric}"
        table.add_row(
            _flat(record.id),
            _flat(record.subject.model),
            _flat(shortened(name, 60)),
            _flat(result),
            str(found.n) if found is not None and found.n is not None else "-",
            record.quality,
            _flat(record.finished or record.published or "-"),
        )
    return table


def report_card_table(cards: Sequence[ReportCard], title: str = "Report card of the public record") -> Table:
    """Give how many figures of each group lack what a reader needs."""
    names = (
        "Group",
        "Figures",
        "No n",
        "No interval",
        "No line",
        "No baseline",
        "No elicitation",
        "n, interval and line",
    )
    table = _table(title, [names[0], *((name, "right") for name in names[1:])])
    for card in cards:
        missing = (
            card.without_n,
            card.without_printed_interval,
            card.without_line,
            card.without_baseline,
            card.without_elicitation,
            card.complete,
        )
        shares = (f"{count} ({count / card.figures:.0%})" if card.figures else "0" for count in missing)
        table.add_row(_flat(card.group), str(card.figures), *shares, style="bold" if card.group == "all" else "")
    return table


# --- an explanation ---------------------------------------------------------------------------------------


def explanation_panel(explained: Explanation) -> Group:
    """Give an explanation as text: the finding, its rules and records, what would change it, what would settle it."""
    return Group(*_explained(explained))


def _explained(explained: Explanation) -> Iterator[RenderableType]:
    yield Text.assemble(
        _flat(f"{explained.name}, {explained.threshold}", "bold"),
        ": ",
        Text(FINDING_WORDS[explained.finding], style=FINDING_STYLES[explained.finding]),
    )
    yield _flat(f"{explained.title} ({explained.policy}, as of {explained.at.isoformat()})")
    yield from _listed("Why", explained.reasons)
    shared = _shared(explained)
    yield from _listed("Decides", (explained.combination, *shared))
    for one in explained.indicators:
        yield from _indicator(one, shared)
    unread = [f"{one.evaluation}, {one.metric}: {one.result} [{one.evidence}]" for one in explained.unread]
    yield from _listed("Figures that meet no rule", unread)
    yield from _listed("Know", explained.flags)
    yield from _listed("Conclusion", _concluded(explained))
    requirements = [
        f"{one.requirement}: {STATE_WORDS[one.state]}; {one.reason}{'' if one.binds else ' (advisory)'}"
        for one in explained.requirements
    ]
    yield from _listed("Required while it is not ruled out", requirements)
    changes = [one.words for one in (explained.smallest_change, *explained.other_changes) if one is not None]
    yield from _listed("Smallest change", changes[:1] or ("no change of recorded figures makes the finding another",))
    yield from _listed("Larger changes", changes[1:])
    yield from _listed("Would settle it", explained.would_settle)
    yield from _listed("Who signed what", explained.signed)


def _listed(heading: str, lines: Iterable[str]) -> Iterator[RenderableType]:
    shown = list(lines)
    if not shown:
        return
    yield Text("")
    yield Text(heading, style="bold")
    for line in shown:
        yield _hanging(_flat(line), 2)


def _hanging(text: Text, indent: int) -> Padding:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row("-", text)
    return Padding(grid, (0, 0, 0, indent))


def _concluded(explained: Explanation) -> Iterator[str]:
    stated = explained.concluded
    if stated is None:
        return
    by = f", carried by {stated.carried_by}" if stated.carried_by else ""
    note = f" ({stated.note})" if stated.note else ""
    yield f"the developer concluded: {stated.status.replace('_', ' ')}{by}{note}"
    yield explained.agreement_words


def _shared(explained: Explanation) -> tuple[str, ...]:
    """Give what every indicator has in common, so that it is said once."""
    found = [set(_common_lines(one)) for one in explained.indicators]
    if len(found) < 2:
        return ()
    return tuple(line for line in _common_lines(explained.indicators[0]) if all(line in lines for lines in found))


def _common_lines(one: ExplainedIndicator) -> tuple[str, str]:
    return f"lock: {one.lock}", f"falsifier: {one.falsifier or 'none stated'}"


def _indicator(one: ExplainedIndicator, shared: tuple[str, ...]) -> Iterator[RenderableType]:
    yield Text("")
    yield Text.assemble(
        _flat(one.evaluation, "bold"), ": ", Text(FINDING_WORDS[one.finding], style=FINDING_STYLES[one.finding])
    )
    lines = [f"rule: {one.rule}", *(line for line in _common_lines(one) if line not in shared)]
    if one.conditions:
        lines.append(f"asked of a record: {'; '.join(one.conditions)}")
    for line in lines:
        yield _hanging(_flat(line), 2)
    for record in one.records:
        yield _hanging(_record(record), 2)
        for reason in record.reasons:
            yield _hanging(_flat(reason, "yellow"), 6)


def _record(record: ExplainedRecord) -> Text:
    style = {"shows": "bold red", "crosses": "red", "supports": "green"}.get(record.role, "yellow")
    bearing = ", bears the finding" if record.is_load_bearing else ""
    return Text.assemble(
        _flat(f"{record.metric}: {record.result}", "bold"),
        _flat(f"; bound {record.bound}; {record.margin_words}"),
        "; ",
        _flat(f"{ROLE_WORDS[record.role]}{bearing}", style),
        " ",
        _flat(f"[{record.evidence}]"),
    )
