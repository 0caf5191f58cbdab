# SPDX-License-Identifier: Apache-2.0
"""A system card as model hubs read it: Markdown with a block of metadata in front.

The keys are those of the model card specification of the Hugging Face Hub (`modelcard.md` of its documentation):
`language`, `license` with `license_name` and `license_link`, `base_model`, `pipeline_tag`, and `model-index` with
results of evaluations. A key that no record fills is left out; a result has the names and the value of its record.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from tidegate.evidence.model import CAPABILITY_KINDS, Evidence
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.words import one_line

KNOWN_LICENCES = frozenset(
    {
        "apache-2.0", "mit", "openrail", "bigscience-openrail-m", "creativeml-openrail-m",
        "bigscience-bloom-rail-1.0", "bigcode-openrail-m", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd",
        "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "c-uda", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5",
        "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0",
        "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
        "cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0",
        "etalab-2.0", "eupl-1.1", "agpl-3.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0",
        "isc", "lppl-1.3c", "ms-pl", "mpl-2.0", "odc-by", "odbl", "openrail++", "osl-3.0", "postgresql", "ofl-1.1",
        "ncsa", "unlicense", "zlib", "pddl", "lgpl-lr", "deepfloyd-if-license", "llama2", "gemma", "unknown", "other",
    }
)  # fmt: skip
"""Licence identifiers that the documentation of the Hub lists for `license`; any other is `other`, with its name."""

_PIPELINES: Mapping[tuple[frozenset[str], frozenset[str]], str] = {
    (frozenset({"text"}), frozenset({"text"})): "text-generation",
    (frozenset({"text", "image"}), frozenset({"text"})): "image-text-to-text",
    (frozenset({"text", "video"}), frozenset({"text"})): "video-text-to-text",
    (frozenset({"text", "audio"}), frozenset({"text"})): "audio-text-to-text",
    (frozenset({"text"}), frozenset({"image"})): "text-to-image",
    (frozenset({"text"}), frozenset({"video"})): "text-to-video",
    (frozenset({"text"}), frozenset({"audio"})): "text-to-audio",
}
"""Inputs and outputs -> task of the Hub, where they leave no doubt."""
_SAME = {"images": "image", "texts": "text", "code": "text", "speech": "audio", "videos": "video"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?=-|\Z)")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?\Z", re.ASCII)
_VARIANTS = frozenset({"released", "unstated"})
"""Variants whose figures are the model's own; those of a helpful-only or fine-tuned one stay in the text."""
OTHER_TASK = "other"
"""Task of a result where inputs and outputs leave doubt: the specification asks for one."""


def system_card(content: Content, model: PublishedModel, body: str) -> str:
    """Give a card: the metadata block, then the body in Markdown as it is printed from the filled template."""
    return f"{front_matter(card_metadata(content, model))}\n{body.lstrip()}"


def front_matter(metadata: Mapping[str, Any]) -> str:
    """Give metadata as a YAML block between two lines of dashes, which no value can end."""
    shown = yaml.safe_dump(_on_one_line(metadata), sort_keys=False, allow_unicode=True, width=10**9)
    return f"---\n{shown}---\n"


def _on_one_line(value: Any) -> Any:
    """Give data whose texts, keys among them, have no line breaks and steer nothing."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Mapping):
        return {one_line(str(key)): _on_one_line(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_on_one_line(item) for item in value]
    return value


def card_metadata(content: Content, model: PublishedModel) -> dict[str, Any]:
    """Give what a model hub reads of a model: only what is on record."""
    page = model.page
    metadata: dict[str, Any] = {"model_name": model.model.title}
    if page is not None:
        metadata |= _languages(page.languages)
        metadata |= _licence(page.licence)
        if page.base_model and _REPOSITORY.match(page.base_model):
            metadata["base_model"] = page.base_model
        task = pipeline_tag(page.inputs, page.outputs)
        if task is not None:
            metadata["pipeline_tag"] = task
    results = list(_results(content, model, metadata.get("pipeline_tag", OTHER_TASK)))
    if results:
        metadata["model-index"] = [{"name": model.model.title, "results": results}]
    return metadata


def _languages(tags: Iterable[str]) -> dict[str, list[str]]:
    """Give languages as ISO 639 codes, as the Hub names them: without script and region."""
    codes = [found.group().lower() for tag in tags if (found := _LANGUAGE.match(tag))]
    return {"language": list(dict.fromkeys(codes))} if codes else {}


def _licence(given: str | None) -> dict[str, str]:
    if not given or not given.strip():
        return {}
    name = given.strip()
    if name.casefold() in KNOWN_LICENCES:
        return {"license": name.casefold()}
    if name.startswith(("https://", "http://")):
        return {"license": "other", "license_link": name}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.-]+", "-", name.casefold()).strip("-.")[:96] or "own"}


def pipeline_tag(inputs: Iterable[str], outputs: Iterable[str]) -> str | None:
    """Give the task of the Hub for inputs and outputs; none where they leave doubt.

    >>> pipeline_tag(["text", "images"], ["text"])
    'image-text-to-text'
    """
    return _PIPELINES.get((_kinds(inputs), _kinds(outputs)))


def _kinds(names: Iterable[str]) -> frozenset[str]:
    return frozenset(_SAME.get(one.strip().casefold(), one.strip().casefold()) for one in names)


# --- results of evaluations ----------------------------------------------------------------------------


def _results(content: Content, model: PublishedModel, task: str) -> Iterator[dict[str, Any]]:
    """Give the model's own results as the specification has them, in the order of their records' ids."""
    snapshots = _snapshots(model)
    gone = content.withdrawn | {
        reading.evidence
        for finding in model.assessment.thresholds
        for indicator in finding.indicators
        for reading in indicator.readings
        if "superseded" in reading.set_aside
    }
    for name, one in sorted(content.evidence.items()):
        about = one.subject
        is_own = about.model.casefold() in model.model.names and about.variant in _VARIANTS
        if is_own and about.snapshot in snapshots and one.kind in CAPABILITY_KINDS and name not in gone:
            yield from _result(one, task)


def _snapshots(model: PublishedModel) -> frozenset[str | None]:
    """Give the snapshots whose figures are the card's: the assessed one, its equals, and what names none."""
    assessed = model.model.snapshot(model.assessment.snapshot) if model.assessment.snapshot else None
    return frozenset({None, model.assessment.snapshot, *(assessed.equivalent_to if assessed else ())})


def _result(one: Evidence, task: str) -> Iterator[dict[str, Any]]:
    found = one.measurement
    if found is None or found.value is None:
        return
    named = ", ".join(part for part in (found.metric, found.aggregation, found.unit) if part)
    result: dict[str, Any] = {
        "task": {"type": task},
        "dataset": {"type": found.evaluation, "name": found.evaluation},
        "metrics": [{"type": found.metric, "value": found.value, "name": named}],
    }
    if found.task_version:
        result["dataset"]["revision"] = found.task_version
    made = one.provenance
    if made.url and made.url.startswith(("https://", "http://")):
        result["source"] = {"name": made.title or made.url, "url": made.url}
    yield result
