# SPDX-License-Identifier: Apache-2.0
"""Reported figures: what is printed is kept, what is not printed stays null, and nothing is lost."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tidegate.assess.audit import by_developer, by_threshold, report_cards
from tidegate.evidence import reported
from tidegate.evidence.formats import import_file, recognise
from tidegate.evidence.importing import Declared, Import, ImportSource
from tidegate.evidence.model import Elicitation, Evidence
from tidegate.kernel.errors import DocumentError, EvidenceError


def a_figure(number: int = 1, **changes: Any) -> dict[str, Any]:
    given = {
        "id": f"new-model.{number:02}",
        "eval": "Some evaluation",
        "domain": "cbrn",
        "thresholds": ["acme#T1"],
        "metric": "accuracy",
        "value": 0.25,
        "unit": "fraction",
        "n": {"value": 40, "kind": "tasks"},
        "interval": None,
        "line": None,
        "baseline": None,
        "elicitation": None,
        "source": "CARD",
        "location": "p12",
        "provenance": "primary",
        "check": "read",
    }
    return {**given, **changes}


def a_file(*figures: dict[str, Any], **changes: Any) -> dict[str, Any]:
    given = {
        "id": "new-model",
        "name": "New Model",
        "organisation": "Acme AI",
        "released": "2026-11-30",
        "sources": {"CARD": {"title": "Card", "date": "2026-11", "url": "https://example.org/card"}},
        "conclusions": [],
        "remarks": [],
        "figures": list(figures) or [a_figure()],
    }
    return {**given, **changes}


def read(tmp_path: Path, content: dict[str, Any], declared: Declared | None = None) -> Import:
    path = tmp_path / "new-model.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return import_file(path, declared=declared)


def one(tmp_path: Path, **changes: Any) -> Evidence:
    return read(tmp_path, a_file(a_figure(**changes))).evidence.records[0]


def test_a_model_and_developer_never_seen(tmp_path: Path) -> None:
    record = one(tmp_path)
    assert record.id == "new-model.01"
    assert record.subject.model == "new-model"
    assert record.evaluator.name == "Acme AI"
    assert record.measurement is not None
    assert record.measurement.identity == ("Some evaluation", "accuracy", "fraction", None)
    assert (record.measurement.n, record.measurement.n_kind, record.measurement.binary) == (40, "tasks", False)
    assert record.published == "2026-11"
    assert record.provenance.title == "Card"
    assert record.provenance.position == "13:3"


@pytest.mark.parametrize(
    ("given", "low", "high", "level", "kind"),
    [
        ({"kind": "ci95", "low": 0.1, "high": 0.4}, 0.1, 0.4, 0.95, "confidence"),
        ({"kind": "bootstrap_95", "low": 0.1, "high": None}, 0.1, None, 0.95, "bootstrap"),
        ({"kind": "plus_minus_unspecified", "half_width": 0.1}, 0.15, 0.35, None, "plus_minus_unspecified"),
        ({"kind": "sd_over_runs", "half_width": 0.05}, 0.2, 0.3, None, "standard_deviation"),
        ({"kind": "a kind never seen", "low": 0, "high": 1}, 0.0, 1.0, None, "a kind never seen"),
    ],
)
def test_intervals_keep_their_kind(
    tmp_path: Path, given: dict[str, Any], low: float | None, high: float | None, level: float | None, kind: str
) -> None:
    record = one(tmp_path, interval=given)
    assert record.measurement is not None
    interval = record.measurement.interval
    assert interval is not None
    assert interval.low == pytest.approx(low)
    assert interval.high == pytest.approx(high)
    assert (interval.level, interval.kind) == (level, kind)
    assert interval.is_confidence == (level is not None)


@pytest.mark.parametrize(
    ("elicitation", "elements", "absent", "variant"),
    [
        (None, (), (), "unstated"),
        ({"variant": "helpful-only, extended thinking", "aggregation": "best of 30"}, {"helpful_only", "chain_of_thought", "best_of_n"}, (), "helpful_only"),
        ({"variant": "earlier snapshot", "aggregation": None}, set(), (), "earlier_snapshot"),
        ({"variant": "safeguards removed", "aggregation": None}, set(), (), "safeguards_off"),
        ({"variant": "no tools, scaffold", "aggregation": "pass@1"}, {"scaffolding"}, ("tools",), "unstated"),
        ({"variant": "without extended thinking", "aggregation": None}, set(), ("chain_of_thought",), "unstated"),
        ({"variant": "production and helpful-only", "aggregation": None}, {"helpful_only"}, (), "unstated"),
    ],
)  # fmt: skip
def test_elicitation_is_read_from_words(
    tmp_path: Path, elicitation: Any, elements: Any, absent: tuple[str, ...], variant: str
) -> None:
    record = one(tmp_path, elicitation=elicitation)
    assert set(record.elicitation.elements) == set(elements)
    assert record.elicitation.absent == absent
    assert record.subject.variant == variant
    assert record.elicitation.basis == ("declared" if elicitation else "unstated")


def test_aggregation_is_part_of_the_identity(tmp_path: Path) -> None:
    figures = [
        a_figure(n, elicitation={"variant": None, "aggregation": how}) for n, how in enumerate(("max of 5", "pass@5"))
    ]
    records = read(tmp_path, a_file(*figures)).evidence.records
    identities = {record.measurement.identity for record in records if record.measurement}
    assert len(identities) == 2


def test_a_figure_without_a_value_is_kept(tmp_path: Path) -> None:
    record = one(tmp_path, value=None, baseline={"value": "8/40", "who": "earlier model"})
    assert record.measurement is not None
    assert record.measurement.value is None
    assert (record.measurement.baseline, record.measurement.baseline_who) == (None, "8/40; earlier model")


def test_lines_carry_their_version_and_disclosure(tmp_path: Path) -> None:
    line = {"value": 0.5, "crossed_when": ">=", "kind": "rule_out", "crossed_derived": False}
    record = one(tmp_path, line=line)
    assert record.line is not None
    assert (record.line.value, record.line.version, record.line.disclosure) == (0.5, "CARD", "printed")
    unprinted = one(tmp_path, line={"value": None, "crossed_when": ">=", "kind": "early_warning"})
    assert unprinted.line is not None
    assert unprinted.line.disclosure == "exists_unprinted"


def test_conclusions_keep_their_own_status(tmp_path: Path) -> None:
    given = {"framework": "acme", "threshold": "T1", "standard": None, "source": "CARD", "signed_by": "Safety Board"}
    file = a_file(
        conclusions=[
            {**given, "status": "cannot_be_ruled_out (inherited)", "decided_on": "2026-11 (day not printed)"},
            {**given, "status": "a status never seen", "decided_on": None},
        ]
    )
    taken = read(tmp_path, file)
    first, second = taken.evidence.conclusions
    assert (first.status, first.stated, first.decided_on) == (
        "cannot_be_ruled_out",
        "cannot_be_ruled_out (inherited)",
        "2026-11",
    )
    assert first.signed_by == ("Safety Board",)
    assert (second.status, second.stated) == ("other", "a status never seen")
    assert [notice.severity for notice in taken.notices] == ["warning"]


@pytest.mark.parametrize(
    ("change", "code", "line", "word"),
    [
        ({"source": "CARDS"}, "EVI002", 28, "CARDS"),
        ({"valu": 3}, "DOC007", 32, "did you mean 'value'?"),
        ({"value": "high"}, "DOC009", 19, "value"),
        ({"successes": 41}, "EVI002", 13, "41"),
        ({"thresholds": "acme#T1"}, "DOC009", 16, "list"),
        ({"interval": {"kind": "ci95", "half_width": -1}}, "DOC009", 26, "half_width"),
    ],
)
def test_malformed_figures_are_refused_with_their_place(
    tmp_path: Path, change: dict[str, Any], code: str, line: int, word: str
) -> None:
    with pytest.raises((DocumentError, EvidenceError)) as caught:
        read(tmp_path, a_file(a_figure(), a_figure(2)) | {"figures": [a_figure(**change)]})
    problem = caught.value.problems[0]
    assert problem.code == code
    assert problem.where is not None
    assert (problem.where.file, problem.where.line) == ("new-model.yaml", line)
    assert word in str(problem)


def test_repeated_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="EVI005"):
        read(tmp_path, a_file(a_figure(), a_figure()))


def test_all_problems_at_once(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, a_file(a_figure(1, value="x"), a_figure(2, metrik="y")))
    assert len(caught.value.problems) == 2


def test_what_a_person_declares_goes_into_the_records(tmp_path: Path) -> None:
    declared = Declared(model="other", snapshot="s1", thresholds=("T9",))
    record = read(tmp_path, a_file(), declared).evidence.records[0]
    assert (record.subject.model, record.subject.snapshot) == ("other", "s1")
    assert record.thresholds == ("acme#T1", "T9")


def test_what_is_declared_is_applied_or_refused(tmp_path: Path) -> None:
    declared = Declared(variant="helpful_only", evaluator="Lab B", independent=True)
    record = read(tmp_path, a_file(), declared).evidence.records[0]
    assert record.subject.variant == "helpful_only"
    assert (record.evaluator.name, record.evaluator.relation) == ("Lab B", "independent")
    with pytest.raises(EvidenceError, match="states the elicitation of each figure itself"):
        read(tmp_path, a_file(), Declared(elicitation=Elicitation(elements=("tools",))))


def test_report_cards_count_what_is_missing(tmp_path: Path) -> None:
    line = {"value": 0.3, "crossed_when": ">=", "kind": "rule_out"}
    file = a_file(
        a_figure(1, n=None),
        a_figure(2, line=line, interval={"kind": "ci95", "low": 0.1, "high": 0.4}),
        a_figure(3, line=line, successes=10),
        a_figure(4, line={**line, "value": 0.9}, n={"value": 10, "kind": "tasks"}),
        a_figure(5, value=None),
        a_figure(6, thresholds=[]),
    )
    records = read(tmp_path, file).evidence.records
    card = report_cards(records, by=by_developer)[0]
    assert (card.group, card.figures) == ("Acme AI", 4)
    assert (card.without_n, card.without_printed_interval, card.without_line) == (1, 3, 1)
    assert (card.complete, card.bare, card.n_below_30) == (1, 1, 1)
    assert card.line_inside_interval == 2, "one printed interval, one computed from 10 of 40"
    assert [one.group for one in report_cards(records, by=by_threshold)] == ["acme#T1", "all"]


def test_every_published_file_imports(shared: Path) -> None:
    paths = [path for path in sorted((shared / "data" / "published").glob("*.yaml")) if path.name != "index.yaml"]
    listed = {
        entry["id"]: entry for entry in yaml.safe_load((shared / "data" / "published" / "index.yaml").read_text())
    }
    assert len(paths) == len(listed) > 20
    for path in paths:
        assert recognise(path) == "reported"
        taken = reported.read(ImportSource(path, "sha256:" + "0" * 64))
        expected = listed[path.stem]
        assert len(taken.evidence.records) == expected["figures"]
        assert len(taken.evidence.conclusions) == expected["conclusions"]
        primary = sum(record.provenance.reading == "primary" for record in taken.evidence.records)
        assert primary == expected["primary"]
        assert not taken.notices, f"{path.name}: {taken.notices}"


def test_the_bundled_figures_are_the_published_ones(shared: Path) -> None:
    bundled = Path(reported.__file__).parents[1] / "packs" / "published"
    for path in sorted(bundled.glob("*.yaml")):
        assert path.read_text() == (shared / "data" / "published" / path.name).read_text()
