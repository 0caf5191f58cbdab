# SPDX-License-Identifier: Apache-2.0
"""One evidence record: what was measured, how it was drawn out, by whom, and what it can and cannot show."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tidegate.assess.model import ModelAssessment
from tidegate.assess.whatif import quantity
from tidegate.evidence.model import Evidence
from tidegate.publish.hub.addresses import record_page
from tidegate.publish.hub.evaluation_views import figure_words, interval_words
from tidegate.publish.hub.parts import Hub, Link, Sheet
from tidegate.publish.hub.speech import Speech
from tidegate.publish.report import safe_url

Fact = tuple[str, str]


class ReadAs(NamedTuple):
    """How a rule read the record."""

    model: Link
    threshold: str
    title: str
    verdict: str
    reasons: tuple[str, ...]


def record_sheets(hub: Hub) -> Iterator[Sheet]:
    """Give a page for every evidence record."""
    read = _readings(hub)
    models = {name: one.model.id for one in hub.content.models for name in one.model.names}
    cited = _cited(hub)
    words = _words(hub)
    for record in hub.content.evidence.values():
        model = models.get(record.subject.model.casefold())
        measured = record.measurement
        yield Sheet(
            path=record_page(record.id),
            template="record.html",
            title=measured.evaluation if measured else hub.speech.word("evidence", record.kind),
            view={
                "id": record.id,
                "digest": record.digest,
                "kind": record.kind,
                "withdrawn": record.id in hub.content.withdrawn,
                "facts": _facts(words, record),
                "elicitation": _elicitation(words, record),
                "source": safe_url(record.provenance.url),
                "source_title": record.provenance.title or record.provenance.file or "",
                "note": record.note or "",
                "threats": tuple((one.threat, one.status, one.reason) for one in record.threats),
                "remarks": tuple(one.message for one in record.remarks),
                "read": read.get(record.id, ()),
                "cited": cited.get(record.id, ()),
            },
            nav="models",
            proofs=hub.proofs_of((f"evidence:{record.id}",)),
            trail=(Link(hub.say("Models"), "models/index.html"), *((hub.link(f"model:{model}"),) if model else ())),
        )


@dataclass(frozen=True)
class _Words:
    """The names of facts, looked up once: there are thousands of records."""

    speech: Speech
    labels: Mapping[str, str]

    def named(self, found: Iterable[tuple[str, str | None]]) -> tuple[Fact, ...]:
        return tuple((self.labels[name], value) for name, value in found if value)

    def listed(self, vocabulary: str, names: Iterable[str]) -> str:
        return ", ".join(self.speech.word(vocabulary, one) for one in names)


def _words(hub: Hub) -> _Words:
    labels = {
        "model": hub.say("Model"),
        "snapshot": hub.say("Snapshot"),
        "variant": hub.say("Variant"),
        "metric": hub.say("Metric"),
        "figure": hub.say("Figure"),
        "interval": hub.say("Interval"),
        "line": hub.say("Line that the source states"),
        "n": hub.say("Independent units (n)"),
        "baseline": hub.say("Baseline"),
        "outcome": hub.say("Outcome"),
        "by": hub.say("Measured by"),
        "relation": hub.say("Relation to the developer"),
        "conflicts": hub.say("Conflicts of interest"),
        "finished": hub.say("Finished"),
        "published": hub.say("Published"),
        "until": hub.say("Holds until"),
        "quality": hub.say("How far it can be checked"),
        "signed": hub.say("Attested by"),
        "techniques": hub.say("Techniques used"),
        "absent": hub.say("Techniques not used"),
        "attempts": hub.say("Attempts per task"),
        "tools": hub.say("Tools"),
        "scaffold": hub.say("Scaffold"),
        "statement": hub.say("In words"),
    }
    return _Words(hub.speech, labels)


def _facts(words: _Words, record: Evidence) -> tuple[Fact, ...]:
    measured, subject, say = record.measurement, record.subject, words.speech.word
    found: list[tuple[str, str | None]] = [("model", subject.model), ("snapshot", subject.snapshot)]
    if subject.variant != "unstated":
        found.append(("variant", say("variant", subject.variant)))
    if measured is not None:
        found += [
            ("metric", measured.metric),
            ("figure", figure_words(measured)),
            ("interval", interval_words(measured)),
            ("line", _printed(record)),
            ("n", None if measured.n is None else str(measured.n)),
            ("baseline", None if measured.baseline is None else f"{measured.baseline:g} {measured.baseline_who or ''}"),
        ]
    return words.named(
        (
            *found,
            ("outcome", say("outcome_of_check", record.outcome) if record.outcome else None),
            ("by", record.evaluator.name),
            ("relation", say("relation", record.evaluator.relation)),
            ("conflicts", record.evaluator.conflicts),
            ("finished", record.finished),
            ("published", record.published),
            ("until", record.valid_until.isoformat() if record.valid_until else None),
            ("quality", say("quality", record.quality)),
            ("signed", ", ".join(record.signed_by)),
        )
    )


def _printed(record: Evidence) -> str:
    line, measured = record.line, record.measurement
    if line is None or line.value is None or measured is None:
        return ""
    return f"{line.crossed_when or ''} {quantity(line.value, line.unit or measured.unit)}".strip()


def _elicitation(words: _Words, record: Evidence) -> tuple[Fact, ...]:
    drawn = record.elicitation
    return words.named(
        (
            ("techniques", words.listed("technique", drawn.elements)),
            ("absent", words.listed("technique", drawn.absent)),
            ("attempts", "" if drawn.attempts is None else str(drawn.attempts)),
            ("tools", ", ".join(drawn.tools)),
            ("scaffold", drawn.scaffold),
            ("statement", drawn.statement),
        )
    )


def _readings(hub: Hub) -> dict[str, tuple[ReadAs, ...]]:
    found: dict[str, list[ReadAs]] = {}
    for model in hub.content.models:
        link = hub.link(f"model:{model.model.id}", model.model.title)
        for record, one in _of(model.assessment, link):
            found.setdefault(record, []).append(one)
    return {name: tuple(them) for name, them in found.items()}


def _of(assessment: ModelAssessment, link: Link) -> Iterator[tuple[str, ReadAs]]:
    for finding in assessment.thresholds:
        for indicator in finding.indicators:
            for one in indicator.readings:
                verdict = "crosses" if one.crosses or one.shows else "ruled_out" if one.supports else "undetermined"
                yield one.evidence, ReadAs(link, finding.threshold, finding.title, verdict, one.detail or ())


def _cited(hub: Hub) -> dict[str, tuple[Link, ...]]:
    found: dict[str, dict[Link, None]] = {}
    for practice in hub.content.publication.practices:
        refs = (*practice.evidence, *(ref for one in practice.statements for ref in one.evidence))
        for ref in refs:
            if ref.startswith("evidence:"):
                link = Link(practice.title, hub.where.get(f"practice:{practice.id}"))
                found.setdefault(ref.removeprefix("evidence:"), {})[link] = None
    return {name: tuple(them) for name, them in found.items()}
