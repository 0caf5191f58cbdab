# SPDX-License-Identifier: Apache-2.0
"""What the header of an Inspect log says: the task, the plan, the limits, and how the model was elicited.

Only what is used is read; other keys may come and go. Field names are Inspect's.
The header states intentions. What happened is counted from the samples, never taken from here.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeGuard, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tidegate.evidence.model import Elicitation
from tidegate.policy.model import ElicitationElement

VERSIONS = (2, 3)
"""Versions of the log schema that are read."""

_SCAFFOLDS = frozenset({"react", "deepagent", "basic_agent", "human_agent", "human_cli", "handoff", "bridge", "fork"})
_AGENT = re.compile(r"(^|_)agent(s|_|$)")
_LIMITS = ("message_limit", "turn_limit", "token_limit", "time_limit", "working_limit", "cost_limit")
_GENERATION = ("temperature", "top_p", "top_k", "seed", "max_tokens", "num_choices", "best_of", "reasoning_effort")
MAX_WHOLE = 2**53 - 1
_ELEMENTS: tuple[ElicitationElement, ...] = get_args(ElicitationElement)


def _none_to_empty(value: Any) -> Any:
    return {} if value is None else value


Data = Annotated[dict[str, Any], BeforeValidator(_none_to_empty)]
"""A mapping that older logs write as null."""


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Whole = Annotated[int, Field(ge=-MAX_WHOLE, le=MAX_WHOLE)]
"""A whole number that canonical JSON can hold."""
Figure = Annotated[float | None, BeforeValidator(_finite_or_none)]
"""A figure; not-a-number means that there is none."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=(), allow_inf_nan=False)


class Dataset(_Part):
    """The dataset that was run."""

    name: str | None = None
    samples: Annotated[Whole, Field(ge=0)] | None = None
    sample_ids: list[int | str] | None = None
    shuffled: bool | None = None


class Config(_Part):
    """Limits, epochs and reducers."""

    limit: Whole | list[Whole] | None = None
    sample_id: int | str | list[int | str] | None = None
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    epochs_reducer: list[str] | None = None
    message_limit: Whole | None = None
    turn_limit: Whole | None = None
    token_limit: Whole | dict[str, Any] | None = None
    time_limit: float | None = None
    working_limit: float | None = None
    cost_limit: float | None = None


class Revision(_Part):
    """Revision of the evaluation's code."""

    commit: str
    dirty: bool | None = None


class Spec(_Part):
    """What was run: Inspect's ``EvalSpec``."""

    eval_id: str | None = None
    created: str | None = None
    task: str
    task_version: Whole | str = 0
    task_args: Data = Field(default_factory=dict)
    solver: str | None = None
    dataset: Dataset = Dataset()
    model: str
    model_generate_config: Data = Field(default_factory=dict)
    model_roles: Data = Field(default_factory=dict)
    config: Config = Config()
    revision: Revision | None = None
    packages: Annotated[dict[str, str], BeforeValidator(_none_to_empty)] = Field(default_factory=dict)
    scorers: list[dict[str, Any]] | None = None


class Step(_Part):
    """A solver of the plan."""

    solver: str
    params: Data = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name without the package."""
        return self.solver.rsplit("/", 1)[-1]


class Plan(_Part):
    """The solvers, in order."""

    steps: list[Step] = Field(default_factory=list)
    config: Data = Field(default_factory=dict)


class Metric(_Part):
    """A metric as the header states it."""

    name: str = ""
    value: Figure = None
    group: str | None = None
    params: Data = Field(default_factory=dict)
    options: Data = Field(default_factory=dict)

    @property
    def is_plain_mean(self) -> bool:
        """True if it is Inspect's own mean with its own reading of scores, so that it can be recomputed."""
        custom = {**self.options, **self.params}.get("to_float") is not None
        return self.name in ("accuracy", "mean", "inspect_ai/accuracy", "inspect_ai/mean") and not custom


class Score(_Part):
    """The results of one scorer under one reducer, as the header states them."""

    name: str
    scorer: str
    reducer: str | None = None
    metrics: dict[str, Metric] = Field(default_factory=dict)


class Results(_Part):
    """Results as the header states them."""

    total_samples: Annotated[Whole, Field(ge=0)] | None = None
    scores: list[Score] = Field(default_factory=list)


class Stats(_Part):
    """When it ran and what it used."""

    started_at: str | None = None
    completed_at: str | None = None
    model_usage: Data = Field(default_factory=dict)


class Header(_Part):
    """The header of a log."""

    version: int | None = None
    status: str | None = None
    invalidated: bool | None = None
    eval: Spec
    plan: Plan = Plan()
    results: Results | None = None
    stats: Stats = Stats()

    @property
    def reducers(self) -> tuple[str, ...]:
        """Reducers that the run set out to use; ``none`` if epochs were not to be reduced."""
        stated = self.eval.config.epochs_reducer
        return ("mean",) if stated is None else tuple(stated) or ("none",)

    @property
    def scores(self) -> tuple[Score, ...]:
        """Stated results."""
        return tuple(self.results.scores) if self.results else ()

    @property
    def cluster_key(self) -> str | None:
        """Key of the sample metadata by which a stated metric clusters its error."""
        options = [spec for scorer in self.eval.scorers or () for spec in _metric_options(scorer.get("metrics"))]
        options += [{**m.options, **m.params} for score in self.scores for m in score.metrics.values()]
        return next((key for entry in options if isinstance(key := entry.get("cluster"), str)), None)


def _metric_options(metrics: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(metrics, Mapping):
        metrics = [metric for group in metrics.values() if isinstance(group, list) for metric in group]
    for metric in metrics if isinstance(metrics, list) else ():
        options = metric.get("options") if isinstance(metric, Mapping) else None
        if isinstance(options, Mapping):
            yield options


def planned_samples(header: Header, epochs: int) -> int | None:
    """Give samples times epochs that the run set out to do; none if the header does not say.

    Of several statements the largest counts, because samples that are missing must not go unnoticed.
    """
    stated, units = header.results.total_samples if header.results else None, _planned_units(header)
    known = [number for number in (stated, None if units is None else units * epochs) if number is not None]
    return max(known, default=None)


def _planned_units(header: Header) -> int | None:
    config, dataset = header.eval.config, header.eval.dataset
    if dataset.sample_ids:
        return len(dataset.sample_ids)
    if isinstance(config.sample_id, list):
        return len(config.sample_id)
    return _limited(dataset.samples, config.limit)


def selection(header: Header) -> tuple[str, bool] | None:
    """Give in words which part of the dataset was run, and whether chance chose it; none if it was run whole."""
    config, dataset = header.eval.config, header.eval.dataset
    units = _planned_units(header)
    if config.sample_id is not None:
        return "the samples were chosen by their ids, not by chance", False
    if units is None or dataset.samples is None or units >= dataset.samples:
        return None
    by_chance = dataset.shuffled is True and config.limit is not None
    which = "after shuffling" if by_chance else "not a random choice"
    return f"limited run: {units:,} of {dataset.samples:,} samples, {which}", by_chance


def _limited(samples: int | None, limit: int | list[int] | None) -> int | None:
    if samples is None or limit is None:
        return samples
    if isinstance(limit, int):
        return min(samples, max(0, limit))
    first, last = (limit[0], limit[1]) if len(limit) == 2 else (0, samples)
    return max(0, min(samples, last) - max(0, first))


def task_key(version: int | str) -> str:
    """Give the part of a task's version that says whether scores compare.

    inspect_evals writes ``N-X``: N changes when scores stop being comparable, X tracks the interface.
    """
    return str(version).split("-", 1)[0]


def tool(header: Header) -> str:
    """Give the packages that made the log, with their versions, Inspect first."""
    packages = header.eval.packages
    ordered = sorted(packages, key=lambda name: (name != "inspect_ai", name))
    return ", ".join(f"{name} {packages[name]}" for name in ordered) or "inspect_ai"


def revision(header: Header) -> str | None:
    """Give the commit of the evaluation's code, and whether it had uncommitted changes."""
    found = header.eval.revision
    return None if found is None else f"{found.commit} (dirty)" if found.dirty else found.commit


def limits(header: Header) -> dict[str, Any]:
    """Give the limits that each sample ran under."""
    config = header.eval.config
    return {name: value for name in _LIMITS if isinstance(value := getattr(config, name), int | float)}


def generation(header: Header) -> dict[str, Any]:
    """Give how the model was sampled."""
    config = _generate_config(header)
    return {name: config[name] for name in _GENERATION if _is_plain(config.get(name))}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int | float) and -MAX_WHOLE <= value <= MAX_WHOLE)


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and 0 < value <= MAX_WHOLE


def task_args_digest(header: Header) -> str | None:
    """Give a digest of the task's arguments: runs with other arguments may not compare, and some are secret."""
    if not header.eval.task_args:
        return None
    text = json.dumps(header.eval.task_args, sort_keys=True, ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def graders(header: Header) -> dict[str, str]:
    """Give the models in other roles than the one under test, such as graders."""
    entries = sorted(header.eval.model_roles.items())
    named = {role: entry.get("model") if isinstance(entry, Mapping) else entry for role, entry in entries}
    return {role: model if isinstance(model, str) else "unnamed" for role, model in named.items()}


def elicitation(header: Header, reducer: str, epochs: int) -> Elicitation:
    """Give how the model was elicited, as far as a header shows it.

    Repeating a question elicits more only if the best of the answers counts. Under a mean, epochs make
    the figure surer, not larger, so they are no ``multiple_attempts`` there.
    """
    tools = _tools(header)
    scaffold = any(_is_scaffold(step.name) for step in header.plan.steps)
    reasoning = _reasoning(header)
    n_samples, attempts = _best_of(header, reducer, epochs), _attempts(header, reducer, epochs)
    used: dict[ElicitationElement, bool] = {
        "chain_of_thought": reasoning is not None or any(_is_chain_of_thought(step) for step in header.plan.steps),
        "best_of_n": n_samples is not None,
        "tools": bool(tools),
        "scaffolding": scaffold,
        "multiple_attempts": attempts is not None,
    }
    config = header.eval.config
    budget = config.token_limit if isinstance(config.token_limit, int) and config.token_limit >= 0 else None
    return Elicitation(
        elements=tuple(element for element in _ELEMENTS if used.get(element)),
        n_samples=n_samples,
        attempts=attempts,
        tools=tools,
        scaffold=" > ".join(step.name for step in header.plan.steps) or header.eval.solver,
        reasoning=reasoning,
        token_budget=budget,
        cost_budget_usd=config.cost_limit if config.cost_limit is not None and config.cost_limit >= 0 else None,
        statement=_statement(header),
        basis="extracted",
    )


def with_declared(extracted: Elicitation, declared: Elicitation | None) -> Elicitation:
    """Give what the log shows together with what a person declares; the statement says which is which."""
    if declared is None:
        return extracted
    elements = {*extracted.elements, *declared.elements}
    said = ", ".join(declared.elements) or "no further element"
    note = f": {declared.statement}" if declared.statement else ""
    own = extracted.model_dump(exclude={"elements", "absent", "statement", "basis", "tools"}, exclude_defaults=True)
    other = declared.model_dump(exclude={"elements", "absent", "statement", "basis", "tools"}, exclude_defaults=True)
    return Elicitation(
        elements=tuple(element for element in _ELEMENTS if element in elements),
        absent=tuple(element for element in declared.absent if element not in elements),
        tools=tuple(dict.fromkeys((*extracted.tools, *declared.tools))),
        statement="; ".join(filter(None, (extracted.statement, f"declared: {said}{note}"))),
        basis="extracted",
        **{**other, **own},
    )


def _generate_config(header: Header) -> dict[str, Any]:
    return {key: value for key, value in {**header.plan.config, **header.eval.model_generate_config}.items() if value}


def _is_scaffold(name: str) -> bool:
    return name in _SCAFFOLDS or _AGENT.search(name) is not None


def _is_chain_of_thought(step: Step) -> bool:
    return step.name == "chain_of_thought" or (step.name == "multiple_choice" and step.params.get("cot") is True)


def _tools(header: Header) -> tuple[str, ...]:
    """Give the tools in the parameters of solvers: names, or entries with a name."""
    names = [_tool_name(entry) for step in header.plan.steps for entry in _listed(step.params.get("tools"))]
    return tuple(dict.fromkeys(name for name in names if name))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _tool_name(entry: Any) -> str | None:
    if isinstance(entry, Mapping):
        entry = entry.get("name")
    return entry.rsplit("/", 1)[-1] if isinstance(entry, str) else None


def _reasoning(header: Header) -> str | None:
    config = _generate_config(header)
    effort, budget = config.get("reasoning_effort"), config.get("reasoning_tokens")
    usage = header.stats.model_usage.get(header.eval.model)
    spent = usage.get("reasoning_tokens") if isinstance(usage, Mapping) else None
    parts = [
        f"effort {effort}" if isinstance(effort, str) and effort != "none" else "",
        f"budget {budget} tokens" if _is_count(budget) else "",
        f"{spent} reasoning tokens used in all" if _is_count(spent) else "",
    ]
    return ", ".join(filter(None, parts)) or None


def _best_of(header: Header, reducer: str, epochs: int) -> int | None:
    config = _generate_config(header)
    given = [config.get(key) for key in ("best_of", "num_choices")]
    number = max([epochs if reducer == "max" else 1, *(value for value in given if _is_count(value))])
    return number if number > 1 else None


def _attempts(header: Header, reducer: str, epochs: int) -> int | None:
    passed = re.fullmatch(r"pass_at_(\d{1,6})", reducer)
    by_reducer = int(passed.group(1)) if passed else epochs if reducer in ("max", "at_least_1") else 1
    given = [step.params.get(key) for step in header.plan.steps for key in ("attempts", "max_attempts")]
    number = max([by_reducer, *(value for value in given if _is_count(value))])
    return number if number > 1 else None


def _statement(header: Header) -> str:
    shown = [f"{name} {value}" for name, value in {**limits(header), **generation(header)}.items()]
    return f"log header: {', '.join(shown)}" if shown else "log header: no limits"
