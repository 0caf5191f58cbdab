# SPDX-License-Identifier: Apache-2.0
"""What would change a finding: found by moving figures and assessing again, not by a formula.

A change that is named here is real: put the moved record in place of the old one, assess, and the finding is another.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, TypeVar

from tidegate.assess.assessment import assess
from tidegate.assess.bounds import in_unit
from tidegate.assess.capability import applicable_bounds
from tidegate.assess.model import Assessment, Finding, IndicatorFinding, ThresholdFinding
from tidegate.evidence.model import Evidence, EvidenceSet, Interval, Measurement
from tidegate.evidence.models import Model
from tidegate.kernel.record import Record
from tidegate.policy.model import Policy

FINDING_WORDS: dict[Finding, str] = {
    "ruled_out": "ruled out",
    "not_ruled_out": "not ruled out",
    "reached": "reached",
    "reached_and_mitigated": "reached, with its requirements met",
    "inconclusive": "inconclusive",
    "not_assessed": "not assessed",
}
"""Each state in words."""

MOST_CHANGES = 5
"""Changes that are listed; a longer list hides the small ones."""

_MOST_HALVINGS = 60
_UNITS = {"fraction": "", "score": "", "percent": "%", "%": "%", "x": "x"}

RecordType = TypeVar("RecordType", bound=Record)


class Step(Record):
    """One record that would have to read otherwise."""

    evidence: str
    """Id of the record."""
    evaluation: str
    """Evaluation."""
    what: Literal["successes", "value", "withdrawn"]
    """What moves: the count of successes, the figure with its interval, or the record leaves the set."""
    before: float | None = None
    """As it is."""
    after: float | None = None
    """As it would be."""
    unit: str = ""
    """Unit of a figure."""
    n: int | None = None
    """Units behind a count."""
    words: str
    """The step in words."""


class Change(Record):
    """A change of the evidence that would make the finding another."""

    steps: tuple[Step, ...]
    """All of them together."""
    becomes: Finding
    """The finding after it."""
    size: float | None = None
    """How far figures move, as a share of their lines; none where a record is withdrawn."""
    words: str
    """The change in words."""


def quantity(value: float, unit: str, digits: int = 4) -> str:
    """Give a figure with its unit, short enough to read.

    >>> quantity(12.5, "percent"), quantity(0.1304348, "fraction"), quantity(96, "minutes")
    ('12.5%', '0.1304', '96 minutes')
    """
    shown = f"{value:.{digits}g}" if abs(value) < 10**6 else f"{value:,.0f}"
    return f"{shown}{_UNITS[unit]}" if unit in _UNITS else f"{shown} {unit}".strip()


def distance_words(value: float, unit: str, digits: int = 4) -> str:
    """Give a distance between two figures: the unit of a difference of percentages is the percentage point.

    >>> distance_words(17.0, "percent"), distance_words(0.27, "x")
    ('17 percentage points', '0.27x')
    """
    return f"{value:.{digits}g} percentage points" if unit in ("percent", "%") else quantity(value, unit, digits)


@dataclass(frozen=True)
class Case:
    """All that one finding depends on, and nothing else, so that it can be assessed many times."""

    policy: Policy
    evidence: EvidenceSet
    models: tuple[Model, ...]
    at: date
    model: str
    threshold: str
    snapshots: Mapping[str, str] | None = None

    def assessment(self) -> Assessment:
        """Assess what is in the case: the model and those that bound it."""
        return assess(self.policy, self.evidence, self.models, self.at, snapshots=self.snapshots)

    def finding(self) -> ThresholdFinding:
        """Give the finding."""
        made = assess(self.policy, self.evidence, self.models, self.at, only=(self.model,), snapshots=self.snapshots)
        found = made.models[0].finding(self.threshold)
        assert found is not None
        return found

    def with_record(self, record: Evidence) -> "Case":
        """Give the case with a record in place of the one that has its id."""
        records = tuple(record if one.id == record.id else one for one in self.evidence.records)
        return replace(self, evidence=_rebuilt(self.evidence, records=records))

    def without(self, record_id: str) -> "Case":
        """Give the case without a record."""
        records = tuple(one for one in self.evidence.records if one.id != record_id)
        return replace(self, evidence=_rebuilt(self.evidence, records=records))


def narrow(case: Case) -> Case:
    """Keep of a case only what its finding depends on.

    Requirements are left out: what is required does not change what the evidence says.
    """
    thresholds = tuple(
        _rebuilt(one, requirements=())
        for one in case.policy.thresholds
        if one.id == case.threshold or case.threshold in one.rules_out
    )
    policy = _rebuilt(
        case.policy, thresholds=thresholds, baseline=(), approvals=(), standards=(), safeguards=(), commitments=()
    )
    models = _closure(case)
    names = frozenset[str]().union(*(model.names for model in models), {model.id for model in models})
    own = [one for one in case.evidence.records if one.subject.model in names or one.subject.model.casefold() in names]
    evidence = _rebuilt(case.evidence, records=tuple(own), conclusions=())
    rough = replace(case, policy=policy, models=models, evidence=evidence)
    read = {name for name, *_ in _readings(rough.assessment())}
    restatements = tuple(one for one in evidence.restatements if one.supersedes in read)
    read |= {one.by for one in restatements if one.by is not None}
    kept = tuple(one for one in own if one.id in read)
    return replace(rough, evidence=_rebuilt(evidence, records=kept, restatements=restatements))


def _closure(case: Case) -> tuple[Model, ...]:
    """Give the model and all that bound it, at any remove."""
    pending, seen = [case.model], set[str]()
    while pending:
        current = pending.pop()
        for model in case.models:
            if model.id not in seen and (model.id == current or current.casefold() in model.names):
                seen.add(model.id)
                pending += [bound.by for bound in applicable_bounds(model, case.evidence, case.at)]
    return tuple(model for model in case.models if model.id in seen)


def _rebuilt(record: RecordType, **changes: Any) -> RecordType:
    """Give a changed copy that keeps no value cached from the original."""
    fields = {name: getattr(record, name) for name in type(record).model_fields}
    return type(record)(**(fields | changes))


def _readings(made: Assessment) -> Iterator[tuple[str, IndicatorFinding]]:
    for model in made.models:
        for finding in model.thresholds:
            for indicator in finding.indicators:
                for reading in indicator.readings:
                    yield reading.evidence, indicator


def changes(case: Case) -> tuple[Change, ...]:
    """Give what would make the finding another, the smallest first.

    A ruled-out threshold is tried with worse figures and with each load-bearing record gone; one that is not ruled
    out with better figures, together where one alone does not suffice; one that is not decided both ways.
    Sizes compare as shares of the lines. At most `MOST_CHANGES` are given.
    """
    small = narrow(case)
    now = small.finding()
    if now.finding == "not_assessed":
        return ()
    sides = {"ruled_out": (1,), "inconclusive": (1, -1)}.get(now.finding, (-1,))
    records = {record.id: record for record in small.evidence.records}
    pairs = {(name, one.rule_out, one.unit): one for name, one in _readings(small.assessment())}
    single = [
        found
        for (name, *_), indicator in pairs.items()
        for side in sides
        if (found := _single(small, now.finding, _Move(records[name], indicator, side))) is not None
    ]
    if not single and now.finding not in ("ruled_out", "inconclusive"):
        single = list(_together(small, now, records))
    ordered = sorted(single, key=lambda one: (one.size or 0.0, one.words))
    if now.finding == "ruled_out":
        ordered += list(_withdrawals(small, now, records))
    return tuple(ordered[:MOST_CHANGES])


# --- moving one record ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Move:
    """A record, the rule that reads it, and the side to which it is moved: 1 concerning, -1 safe."""

    record: Evidence
    indicator: IndicatorFinding
    side: int

    @property
    def measured(self) -> Measurement:
        assert self.record.measurement is not None
        return self.record.measurement

    @property
    def sign(self) -> int:
        """Direction of the figure: 1 up, -1 down."""
        return self.side if self.indicator.rule_out.higher_concerns else -self.side

    @property
    def unit(self) -> str:
        return self.measured.unit or self.indicator.unit

    @property
    def line(self) -> float | None:
        """The line in the record's own unit."""
        return in_unit(self.indicator.rule_out.value, self.indicator.unit or self.unit, self.unit)

    @property
    def whole(self) -> float | None:
        """How many of the record's unit are one whole, for shares."""
        return in_unit(1.0, "fraction", self.unit)

    @property
    def is_counted(self) -> bool:
        """True if the reading rests on a count of successes."""
        found = self.measured
        once = (found.attempts or 1) <= 1
        return bool(found.binary and found.successes is not None and found.n and self.whole is not None and once)

    @property
    def reach(self) -> float:
        """The farthest that the record is moved in the search."""
        found, line, whole = self.measured, self.line, self.whole
        assert line is not None
        assert found.value is not None
        if self.is_counted:
            assert found.successes is not None
            assert found.n is not None
            return float(int(found.n - found.successes if self.sign > 0 else found.successes))
        if whole is not None and 0 <= found.value <= whole:
            return whole - found.value if self.sign > 0 else found.value
        interval = found.interval
        ends = [] if interval is None else [end for end in (interval.low, interval.high) if end is not None]
        spread = max((abs(end - found.value) for end in ends), default=0.0) + 50 * (found.standard_error or 0.0)
        return 2 * abs(line - found.value) + 2 * spread + abs(line)

    def by(self, amount: float) -> Evidence:
        """Give the record moved by an amount of successes, or of its unit."""
        found = self.measured
        assert found.value is not None
        if not self.is_counted:
            return _rebuilt(self.record, measurement=_shifted(found, self.sign * amount))
        assert found.successes is not None
        assert found.n is not None
        assert self.whole is not None
        successes = found.successes + self.sign * round(amount)
        moved = _shifted(found, (successes - found.successes) / found.n * self.whole)
        return _rebuilt(self.record, measurement=_rebuilt(moved, successes=successes))


def _shifted(measured: Measurement, shift: float) -> Measurement:
    """Give the figure with everything that stands around it moved along."""

    def moved(value: float | None) -> float | None:
        # A decimal figure stays decimal: 19.94 + 0.06 is 20, not a rounding error below it.
        return None if value is None else round(value + shift, 12)

    interval: Interval | None = measured.interval
    if interval is not None:
        interval = _rebuilt(interval, low=moved(interval.low), high=moved(interval.high))
    return _rebuilt(measured, value=moved(measured.value), interval=interval, worst_case=moved(measured.worst_case))


def _single(case: Case, now: Finding, move: _Move) -> Change | None:
    amount = _least(move, lambda record: case.with_record(record).finding().finding != now)
    if amount is None:
        return None
    becomes = case.with_record(move.by(amount)).finding().finding
    step = _step(move, amount)
    return Change(steps=(step,), becomes=becomes, size=_size(move, amount), words=_words((step,), becomes))


def _least(move: _Move, is_enough: Callable[[Evidence], bool]) -> float | None:
    """Give the least amount that is enough, or none if even the farthest is not."""
    record = move.record
    if record.measurement is None or record.measurement.value is None or move.line is None:
        return None
    high = move.reach
    if high <= 0 or not is_enough(move.by(high)):
        return None
    low, unit = 0.0, 1.0 if move.is_counted else 0.0
    for _ in range(_MOST_HALVINGS):
        if high - low <= max(unit, 1e-9 * high):
            break
        middle = (low + high) // 2 if unit else (low + high) / 2
        low, high = (low, middle) if is_enough(move.by(middle)) else (middle, high)
    return high if unit else _tidy(high, lambda amount: is_enough(move.by(amount)))


def _tidy(amount: float, is_enough: Callable[[float], bool]) -> float:
    """Give the amount with as few decimals as keep it within a hundredth, and still enough."""
    for decimals in range(-6, 13):
        rounded = round(amount, decimals)
        for candidate in (rounded, round(rounded + 10.0**-decimals, max(decimals, 0))):
            if 0.999 * amount <= candidate <= 1.01 * amount and is_enough(candidate):
                return candidate
    return amount


def _size(move: _Move, amount: float) -> float:
    line = move.line
    assert line is not None
    if move.is_counted:
        assert move.measured.n is not None
        assert move.whole is not None
        amount = amount / move.measured.n * move.whole
    return amount / abs(line) if line else amount


def _step(move: _Move, amount: float) -> Step:
    found, after = move.measured, move.by(amount).measurement
    assert after is not None
    assert found.value is not None
    assert after.value is not None
    if move.is_counted:
        assert found.successes is not None
        count = round(amount)
        more = "more" if move.sign > 0 else "fewer"
        noun = "success" if count == 1 else "successes"
        words = f"{count} {more} {noun} ({found.successes:g} → {after.successes:g} of {found.n}) in {found.evaluation}"
        return Step(
            evidence=move.record.id, evaluation=found.evaluation, what="successes", before=found.successes,
            after=after.successes, n=found.n, words=words,
        )  # fmt: skip
    moved = distance_words(abs(amount), move.unit, 6)
    along = " with its interval" if found.interval is not None else ""
    ends = f"{quantity(found.value, move.unit, 6)} → {quantity(after.value, move.unit, 6)}"
    sign = "+" if move.sign > 0 else "-"
    words = f"{sign}{moved}{along} ({ends}) in {found.evaluation}, {found.metric}"
    return Step(
        evidence=move.record.id, evaluation=found.evaluation, what="value", before=found.value, after=after.value,
        unit=move.unit, n=found.n, words=words,
    )  # fmt: skip


def _words(steps: Sequence[Step], becomes: Finding) -> str:
    together = "together " if len(steps) > 1 else ""
    return f"{'; '.join(step.words for step in steps)}: {together}would make it {FINDING_WORDS[becomes]}"


# --- several records, and records that go ---------------------------------------------------------------


def _together(case: Case, now: ThresholdFinding, records: Mapping[str, Evidence]) -> Iterator[Change]:
    """Move every record that speaks against safety until it no longer does."""
    steps: list[Step] = []
    size = 0.0
    for indicator in now.indicators:
        for reading in indicator.readings:
            if not (reading.crosses or reading.shows) or reading.evidence in {step.evidence for step in steps}:
                continue
            move = _Move(records[reading.evidence], indicator, -1)
            amount = _least(move, lambda record, case=case: not _is_adverse(case.with_record(record), record.id))  # type: ignore[misc]
            if amount is None:
                return
            case = case.with_record(move.by(amount))
            steps.append(_step(move, amount))
            size += _size(move, amount)
    becomes = case.finding().finding
    if steps and becomes != now.finding:
        yield Change(steps=tuple(steps), becomes=becomes, size=size, words=_words(steps, becomes))


def _is_adverse(case: Case, record_id: str) -> bool:
    readings = (reading for indicator in case.finding().indicators for reading in indicator.readings)
    return any(reading.evidence == record_id and (reading.crosses or reading.shows) for reading in readings)


def _withdrawals(case: Case, now: ThresholdFinding, records: Mapping[str, Evidence]) -> Iterator[Change]:
    for name in now.load_bearing:
        becomes = case.without(name).finding().finding
        measured = records[name].measurement
        if becomes == now.finding or measured is None:
            continue
        step = Step(
            evidence=name, evaluation=measured.evaluation, what="withdrawn", before=measured.value, unit=measured.unit,
            words=f"without {measured.evaluation}, {measured.metric}",
        )  # fmt: skip
        yield Change(steps=(step,), becomes=becomes, words=_words((step,), becomes))
