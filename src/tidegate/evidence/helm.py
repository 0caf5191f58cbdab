# SPDX-License-Identifier: Apache-2.0
"""Runs of HELM, recomputed from the statistics of each instance.

``stats.json`` is only compared with: its count is the number of train trials, not of instances,
and its standard deviation is taken over trials, so it is no sampling error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.evidence.formats import digest_file
from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.model import Elicitation, Evidence, EvidenceSet, Provenance, Remark
from tidegate.evidence.recompute import DuplicateSampleError, SampleRow, Summary
from tidegate.evidence.run_table import (
    BadRows,
    Recount,
    count_in,
    differs,
    elicitation_of,
    evaluator_of,
    json_document,
    list_in,
    malformed,
    mapping_in,
    measured,
    number_in,
    record_id,
    subject_of,
    text_in,
)
from tidegate.kernel.canonical import digest
from tidegate.kernel.errors import EvidenceError, Problem, Where

NAME = "helm"

_SPEC, _INSTANCES, _STATS, _STATE = "run_spec.json", "per_instance_stats.json", "stats.json", "scenario_state.json"
_BESIDE_METRICS = re.compile(
    r"(num_|inference_|training_|finish_reason_|batch_size\Z|prompt_truncated\Z|max_prob\Z|logprob\Z|estimated_)"
)
"""Statistics about the run itself rather than about what the model can do."""
_FRACTIONS = re.compile(
    r"(.*exact_match|.*accuracy|.*correct|f1|rouge|bleu|meteor|.*_f1|classification_|ndcg|rr@|recall|precision|toxic|"
    r"edit_similarity|pass)"
)
"""Names of metrics that are fractions; the unit must not depend on the data, because it is part of the identity."""


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the path is a run folder, or its run specification or statistics of instances."""
    if path.is_dir():
        return (path / _SPEC).is_file() and (path / _INSTANCES).is_file()
    if path.name == _SPEC:
        return b'"adapter_spec"' in head or b'"scenario_spec"' in head
    return path.name == _INSTANCES and b'"instance_id"' in head


def read(source: ImportSource) -> Import:
    """Give one record per metric: test instances without perturbation, train trials as attempts.

    Raises:
        EvidenceError: EVI001 if a file of the run is not there, EVI002 with every bad entry, or EVI003.
    """
    folder = source.path if source.path.is_dir() else source.path.parent
    for name in (_SPEC, _INSTANCES):
        if not (folder / name).is_file():
            message = f"{name} is not there"
            raise EvidenceError(Problem("EVI001", message, Where(source.name), "import the whole run folder"))
    run = _Run.of(source, folder)
    bad = BadRows(_INSTANCES)
    table = _instances(json_document(folder / _INSTANCES, _INSTANCES), bad)
    bad.refuse()
    split = "test" if "test" in table.splits else "valid"
    lost = run.lost_instances(split)
    metrics = sorted(metric for one, metric in table.recounts if one == split)
    if not metrics:
        raise malformed(_INSTANCES, "no metric of an unperturbed test instance was found", 1)
    records = tuple(run.record(metric, split, table, lost) for metric in metrics)
    return Import(NAME, EvidenceSet(records=records), tuple(_notices(source, table, split)), run.digest)


@dataclass
class _Instances:
    """What the instances say, per split and metric."""

    recounts: dict[tuple[str, str], Recount] = field(default_factory=dict)
    splits: dict[str, set[str]] = field(default_factory=dict)
    """Split -> ids of its instances, unperturbed."""
    perturbed: int = 0
    """Statistics left out because the instance was perturbed."""
    beside: set[str] = field(default_factory=set)
    """Statistics left out because they are about the run itself."""


def _instances(data: Any, bad: BadRows) -> _Instances:
    found = _Instances()
    if not isinstance(data, list):
        raise malformed(bad.file, "expected a list of instances", 1)
    for number, entry in enumerate(data, start=1):
        fault = _add_instance(found, mapping_in(entry))
        if fault:
            bad.add(None, f"instance {number}: {fault}")
    return found


def _add_instance(found: _Instances, entry: dict[str, Any]) -> str | None:
    """Take in the statistics of an instance in one train trial; give what is wrong with them, if anything is."""
    instance, trial = entry.get("instance_id"), entry.get("train_trial_index", 0)
    if not isinstance(instance, str) or not instance:
        return "instance_id is missing"
    if count_in(trial) is None:
        return f"train_trial_index: expected a whole number, not {trial!r}"
    for stat in list_in(entry.get("stats")):
        name = mapping_in(mapping_in(stat).get("name"))
        metric, split = text_in(name.get("name")), text_in(name.get("split"))
        if metric is None:
            return "a statistic has no name"
        if name.get("perturbation") is not None or entry.get("perturbation") is not None:
            found.perturbed += 1
        elif _BESIDE_METRICS.match(metric) or split is None or name.get("sub_split") is not None:
            found.beside.add(metric)
        else:
            found.splits.setdefault(split, set()).add(instance)
            row = SampleRow(instance, int(trial) + 1, metric, _mean(stat))
            try:
                found.recounts.setdefault((split, metric), Recount()).add(row)
            except DuplicateSampleError:
                return f"{metric} of {instance!r} occurs twice in train trial {trial}"
    return None


def _mean(stat: dict[str, Any]) -> float | None:
    total, count = number_in(stat.get("sum")), number_in(stat.get("count"))
    return number_in(total / count) if total is not None and count else None


def _notices(source: ImportSource, table: _Instances, split: str) -> Iterator[Problem]:
    left_out = [f"{len(ids)} instances of the split {name!r}" for name, ids in table.splits.items() if name != split]
    if table.perturbed:
        left_out.append(f"{table.perturbed} statistics of perturbed instances")
    if table.beside:
        left_out.append(f"statistics about the run itself ({', '.join(sorted(table.beside))})")
    if left_out:
        yield Problem("EVI010", f"left out: {'; '.join(left_out)}", Where(source.name), severity="note")


@dataclass(frozen=True)
class _Lost:
    """Instances that the run asked about and has no valid statistics for."""

    planned: int | None = None
    failed: int = 0


@dataclass(frozen=True)
class _Run:
    """A run folder, as far as all its records share it."""

    source: ImportSource
    folder: Path
    spec: dict[str, Any]
    digest: str
    """Digest of the run: the same whether the folder or one of its files was named."""
    stats: dict[tuple[str, str], float]
    """Split and metric -> the figure in ``stats.json``."""

    @classmethod
    def of(cls, source: ImportSource, folder: Path) -> "_Run":
        spec = mapping_in(json_document(folder / _SPEC, _SPEC))
        if not text_in(mapping_in(spec.get("adapter_spec")).get("model")):
            raise malformed(_SPEC, "adapter_spec / model is missing", 1)
        members = {name: folder / name for name in (_SPEC, _INSTANCES, _STATS, _STATE)}
        listing = {name: digest_file(path) for name, path in members.items() if path.is_file()}
        stated = folder / _STATS
        stats = _stated(json_document(stated, _STATS)) if stated.is_file() else {}
        return cls(source, folder, spec, digest(listing), stats)

    def lost_instances(self, split: str) -> _Lost:
        """Count the instances that were asked about, and those whose request failed, if the requests are there."""
        path = self.folder / _STATE
        if not path.is_file():
            return _Lost()
        asked: set[str] = set()
        failed: set[str] = set()
        for request in list_in(mapping_in(json_document(path, _STATE)).get("request_states")):
            instance = mapping_in(mapping_in(request).get("instance"))
            if instance.get("split") != split or instance.get("perturbation") is not None:
                continue
            asked.add(str(instance.get("id")))
            if mapping_in(mapping_in(request).get("result")).get("success") is False:
                failed.add(str(instance.get("id")))
        return _Lost(len(asked), len(failed))

    def record(self, metric: str, split: str, table: _Instances, lost: _Lost) -> Evidence:
        """Give the record of a metric."""
        adapter = mapping_in(self.spec.get("adapter_spec"))
        name = text_in(self.spec.get("name")) or self.folder.name
        evaluation = re.sub(r"[,:]?model(_deployment)?=[^,]*", "", name)
        trials = count_in(adapter.get("num_train_trials")) or 1
        limit = count_in(adapter.get("max_eval_instances"))
        planned = None if lost.planned is None else lost.planned * trials
        summary = table.recounts[(split, metric)].summary(planned=planned)
        header = self.stats.get((split, metric))
        measurement = measured(
            evaluation,
            metric,
            summary,
            unit="fraction" if _FRACTIONS.match(metric) else "score",
            n_kind="instances",
            aggregation=None if split == "test" else f"{split} split",
            header_value=header,
            parameters={"max_eval_instances": limit, "num_train_trials": trials},
        )
        model = text_in(adapter.get("model")) or ""
        return Evidence(
            id=record_id(
                NAME, self.source.declared.model or model, evaluation, metric, self.digest, summary.sample_root
            ),
            subject=subject_of(self.source, model),
            thresholds=self.source.declared.thresholds,
            measurement=measurement,
            elicitation=elicitation_of(self.source, _elicitation(adapter)),
            evaluator=evaluator_of(self.source),
            quality="recomputable",
            counts=summary.counts,
            provenance=Provenance(
                format=NAME, file=self.folder.name, digest=self.digest, sample_root=summary.sample_root, tool="HELM"
            ),
            remarks=tuple(_remarks(summary, header, split, limit, lost)),
        )


def _stated(data: Any) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for stat in list_in(data):
        name = mapping_in(mapping_in(stat).get("name"))
        mean = _mean(mapping_in(stat))
        if mean is not None and name.get("perturbation") is None:
            found[(str(name.get("split")), str(name.get("name")))] = mean
    return found


def _elicitation(adapter: dict[str, Any]) -> Elicitation:
    shots, tokens = count_in(adapter.get("max_train_instances")), count_in(adapter.get("max_tokens"))
    method = text_in(adapter.get("method"))
    parts = [f"method {method}" if method else "", f"at most {shots}-shot" if shots is not None else ""]
    return Elicitation(
        token_budget=tokens,
        statement=", ".join(part for part in parts if part) or None,
        basis="extracted",
    )


def _remarks(summary: Summary, header: float | None, split: str, limit: int | None, lost: _Lost) -> Iterator[Remark]:
    if differs(header, summary.as_logged):
        message = f"stats.json says {header:g}, the instances say {summary.as_logged:g}"
        yield Remark(code="EVI004", message=message, blocks_rule_out=True)
    if split != "test":
        message = f"no test split in the run; these are the instances of the split {split!r}"
        yield Remark(code="EVI010", message=message)
    if lost.failed:
        message = f"the requests of {lost.failed} instances failed; HELM scores what came back"
        yield Remark(code="EVI008", message=message, blocks_rule_out=True)
    if summary.counts.without_score:
        message = f"{summary.counts.without_score} results of {summary.counts.planned} have no statistics"
        yield Remark(code="EVI008", message=message)
    if limit is not None:
        message = f"max_eval_instances is {limit}: the instances may be a random part of the data set"
        yield Remark(code="EVI010", message=message)
