# SPDX-License-Identifier: Apache-2.0
"""Results of promptfoo, as JSON or JSON lines: how often a prompt passes its assertions, per provider.

With ``--repeat`` each repetition has a test index of its own, so a test is known by its prompt and
variables instead. What came from the cache was not answered anew.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.model import Elicitation, Evidence, EvidenceSet, Provenance, Remark
from tidegate.evidence.recompute import SampleRow, Summary, Tally
from tidegate.evidence.run_table import (
    BadRows,
    Row,
    check_one_model,
    content_key,
    count_in,
    day_in,
    elicitation_of,
    evaluator_of,
    json_document,
    json_lines,
    list_in,
    malformed,
    mapping_in,
    measured,
    record_id,
    stand_in,
    subject_of,
    text_in,
)

NAME = "promptfoo"
_ERROR = 2
"""``failureReason`` of a row that ended in an error; 0 is none, 1 a failed assertion."""
_LABEL_CHARS = 80
"""A prompt without a label is labelled by its own text, which may be long."""

Group = tuple[str, str]
"""Provider id and prompt id."""


@dataclass
class _Tests:
    """What the rows of one provider and prompt say."""

    label: str
    tally: Tally = field(default_factory=Tally)
    repeats: dict[str, int] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    """Test -> answers that did not come from the cache."""
    passed: int = 0
    failed: int = 0
    errors: int = 0
    cached: int = 0
    without_assertions: int = 0
    is_red_team: bool = False


@dataclass(frozen=True)
class _File:
    """What a file says beside its rows; JSON lines say nothing."""

    description: str
    version: str | None = None
    day: str | None = None
    is_red_team: bool = False
    stated: dict[Group, tuple[int, int, int]] = field(default_factory=dict)
    """Group -> tests that passed, failed and ended in an error, as ``prompts`` states them."""


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the file begins as promptfoo's results do."""
    if path.suffix == ".jsonl":
        keys = (b'"gradingResult"', b'"promptIdx"', b'"testIdx"', b'"failureReason"', b'"latencyMs"')
        return sum(key in head for key in keys) >= 2
    return path.suffix == ".json" and b'"evalId"' in head and b'"results"' in head


def read(source: ImportSource) -> Import:
    """Give one record per provider and prompt: the pass rate, or the attack success rate of a red team run.

    Raises:
        EvidenceError: EVI002 with every bad row, or EVI003.
    """
    bad = BadRows(source.name)
    if source.path.suffix == ".jsonl":
        file = _File(source.path.stem)
        rows: Iterable[Row] = json_lines(source.path, bad, source.progress)
    else:
        data = mapping_in(json_document(source.path, source.name))
        results = mapping_in(data.get("results"))
        if not isinstance(results.get("results"), list):
            raise malformed(
                source.name, "expected results / results, a list of rows", 1, hint="promptfoo 0.100 or later"
            )
        file = _file(data, results, source)
        rows = ((number, mapping_in(row)) for number, row in enumerate(results["results"], start=1))
    in_lines = source.path.suffix == ".jsonl"
    groups: dict[Group, _Tests] = {}
    ids: set[str] = set()
    for number, row in rows:
        fault = _repeated(ids, row) or _add_row(groups, row)
        if fault:
            bad.add(number if in_lines else None, fault if in_lines else f"results / results / {number}: {fault}")
    bad.refuse()
    if not groups:
        raise malformed(source.name, "the file has no rows", 1)
    check_one_model(source, (provider for provider, _ in groups))
    records = tuple(_record(source, file, group, tests) for group, tests in groups.items())
    return Import(NAME, EvidenceSet(records=records))


def _file(data: dict[str, Any], results: dict[str, Any], source: ImportSource) -> _File:
    config, about = mapping_in(data.get("config")), mapping_in(data.get("metadata"))
    stated: dict[Group, tuple[int, int, int]] = {}
    for prompt in map(mapping_in, list_in(results.get("prompts"))):
        metrics = mapping_in(prompt.get("metrics"))
        counts = [count_in(metrics.get(name)) for name in ("testPassCount", "testFailCount", "testErrorCount")]
        passed, failed, errors = counts
        if passed is not None and failed is not None and errors is not None:
            stated[(str(prompt.get("provider")), str(prompt.get("id")))] = (passed, failed, errors)
    return _File(
        description=text_in(config.get("description")) or source.path.stem,
        version=text_in(about.get("promptfooVersion")),
        day=day_in(about.get("evaluationCreatedAt")) or day_in(results.get("timestamp")),
        is_red_team=bool(config.get("redteam")),
        stated=stated,
    )


def _repeated(ids: set[str], row: dict[str, Any]) -> str | None:
    """Note the row's id; give a fault if it was there: the same answer must not count twice."""
    name = text_in(row.get("id"))
    if name is None:
        return None
    if name in ids:
        return f"the row {name!r} is there already"
    ids.add(name)
    return None


def _add_row(groups: dict[Group, _Tests], row: dict[str, Any]) -> str | None:
    """Take in a row; give what is wrong with it, if anything is."""
    provider = row.get("provider")
    provider_id = text_in(mapping_in(provider).get("id")) or text_in(provider)
    prompt, success, reason = mapping_in(row.get("prompt")), row.get("success"), row.get("failureReason", 0)
    prompt_id = text_in(row.get("promptId")) or (content_key(prompt["raw"]) if "raw" in prompt else None)
    if provider_id is None or prompt_id is None:
        return "a row needs provider and promptId"
    if not isinstance(success, bool) or type(reason) is not int:
        return "a row needs success (true or false) and failureReason (a number)"
    if success and reason == _ERROR:
        return "a row cannot both succeed and end in an error"
    label = text_in(prompt.get("label")) or text_in(prompt.get("raw")) or prompt_id
    tests = groups.setdefault((provider_id, prompt_id), _Tests(" ".join(label.split())[:_LABEL_CHARS]))
    _count(tests, row, success=success, is_error=reason == _ERROR)
    return None


def _count(tests: _Tests, row: dict[str, Any], *, success: bool, is_error: bool) -> None:
    response, case = mapping_in(row.get("response")), mapping_in(row.get("testCase"))
    key = content_key([row.get("promptId"), row.get("vars")])
    tests.repeats[key] = tests.repeats.get(key, 0) + 1
    asserted = bool(
        list_in(mapping_in(row.get("gradingResult")).get("componentResults")) or list_in(case.get("assert"))
    )
    tests.passed += success
    tests.failed += not success and not is_error
    tests.errors += is_error
    cached = response.get("cached") is True
    tests.cached += cached
    tests.fresh[key] = tests.fresh.get(key, 0) + (not cached)
    # What nothing was asserted about passes by default; that is no score.
    tests.without_assertions += success and not asserted
    tests.is_red_team = tests.is_red_team or "pluginId" in mapping_in(row.get("metadata"))
    tests.tally.add(
        SampleRow(
            key,
            tests.repeats[key],
            "assertions",
            None if is_error or (success and not asserted) else float(success),
            error=str(row.get("error") or "error") if is_error else None,
        )
    )


def _record(source: ImportSource, file: _File, group: Group, tests: _Tests) -> Evidence:
    provider, prompt = group
    is_red_team = file.is_red_team or tests.is_red_team
    summary = tests.tally.summary(reducer="none")
    passed, failed, errors = file.stated.get(group, (None, None, None))
    rate = passed / (passed + failed) if passed is not None and failed is not None and passed + failed else None
    metric = "pass rate"
    measurement = measured(
        file.description,
        metric,
        summary,
        n_kind="tests",
        aggregation=f"prompt {tests.label}",
        header_value=rate,
    )
    if is_red_team:
        metric = "attack success rate"
        measurement = measurement.model_copy(update=_turned(measurement.model_dump(), summary) | {"metric": metric})
    threats, stands_in = stand_in("promptfoo's echo provider") if provider == "echo" else ((), ())
    remarks = (*stands_in, *_remarks(tests, (passed, failed, errors)))
    attempts = max(1, *tests.fresh.values())
    return Evidence(
        id=record_id(NAME, source.declared.model or provider, file.description, metric, prompt, source.digest),
        kind="red_team" if is_red_team else "evaluation",
        subject=subject_of(source, provider),
        thresholds=source.declared.thresholds,
        measurement=measurement,
        elicitation=elicitation_of(
            source,
            Elicitation(elements=("multiple_attempts",) if attempts > 1 else (), attempts=attempts, basis="extracted"),
        ),
        evaluator=evaluator_of(source),
        finished=file.day,
        quality="recomputable",
        threats=threats,
        counts=summary.counts,
        provenance=Provenance(
            format=NAME,
            file=source.name,
            digest=source.digest or None,
            sample_root=summary.sample_root,
            tool=f"promptfoo {file.version}" if file.version else "promptfoo",
        ),
        remarks=remarks,
    )


def _turned(fields: dict[str, Any], summary: Summary) -> dict[str, Any]:
    """Give the figures of a red team run the other way round: what does not pass is an attack that succeeded."""
    value, header, successes = fields["value"], fields["header_value"], fields["successes"]
    return {
        "value": None if value is None else 1 - value,
        "header_value": None if header is None else 1 - header,
        "successes": None if successes is None else fields["n"] - successes,
        "worst_case": None if summary.errors_as_zero is None else 1 - summary.errors_as_zero,
    }


def _remarks(tests: _Tests, stated: tuple[int | None, int | None, int | None]) -> Iterator[Remark]:
    found = (tests.passed, tests.failed, tests.errors)
    if None not in stated and stated != found:
        message = "the summary counts {} passed, {} failed, {} errors; the rows {}, {}, {}".format(*stated, *found)
        yield Remark(code="EVI004", message=message, blocks_rule_out=True)
    if tests.errors:
        yield Remark(code="EVI008", message=f"{tests.errors} tests ended in an error and have no score")
    if tests.without_assertions:
        message = f"{tests.without_assertions} tests passed because nothing was asserted; they have no score"
        yield Remark(code="EVI010", message=message, blocks_rule_out=True)
    if tests.cached:
        message = f"{tests.cached} of {sum(found)} answers came from the cache; repetitions of them are not independent attempts"
        yield Remark(code="EVI010", message=message)
