# SPDX-License-Identifier: Apache-2.0
"""OSCAL exports for tools of compliance teams: a component definition, and assessment results.

What people wrote becomes Markdown that shows it as it is, because OSCAL reads descriptions as Markdown. OSCAL says
``satisfied`` or ``not-satisfied`` and nothing between: whatever is not shown is not satisfied, and the remarks say why.
The same content gives the same bytes: ids are name-based (RFC 9562, section 5.5), times are those of the content.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tidegate.assess.explain import result_words, source_words
from tidegate.assess.model import RequirementFinding, ThresholdFinding
from tidegate.evidence.model import Evidence, EvidenceKind
from tidegate.kernel.canonical import digest
from tidegate.policy.framework import Framework
from tidegate.policy.model import Criterion, Item, Policy, Standard
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.inventory import BADGE_WORDS, worth
from tidegate.publish.markdown import escaped
from tidegate.publish.practices import Practice, Statement
from tidegate.publish.words import FINDING_WORDS, STATE_WORDS, one_line

OSCAL_VERSION = "1.1.3"
NAMESPACE = "urn:tidegate:oscal:v1"
"""Namespace of the properties that OSCAL has no name for."""
_URL_NAMESPACE = bytes.fromhex("6ba7b8119dad11d180b400c04fd430c8")
"""Namespace of names that are URLs or URNs (RFC 9562, section 6.6)."""
_TESTED: frozenset[EvidenceKind] = frozenset({"evaluation", "uplift_trial", "time_horizon", "red_team", "efficacy"})
"""Kinds of evidence that come from a test; the others were examined."""


def component_definition(content: Content) -> dict[str, Any]:
    """Give practices and safeguards as components, each with the items of frameworks that it implements."""
    made = _Document(content)
    components = [
        *(_practice_component(made, one) for one in content.publication.practices),
        *(_policy_component(made, one) for one in content.policy.standards),
        *(_policy_component(made, one) for one in content.policy.safeguards),
    ]
    body: dict[str, Any] = {
        "metadata": made.metadata(f"Components of {content.organisation}"),
        **_some("components", components),
        **made.back_matter(),
    }
    return {"component-definition": {"uuid": made.whole("component-definition", body), **body}}


def assessment_results(content: Content, model: PublishedModel | None = None) -> dict[str, Any]:
    """Give what was found about a model, or about every model: a result per model, with its evidence as observations.

    Raises:
        ValueError: there is no model, and OSCAL has no results without one.
    """
    models = (model,) if model is not None else content.models
    if not models:
        raise ValueError("the project has no model, so that there are no results")
    made = _Document(content)
    results = [_result(made, one) for one in models]
    body: dict[str, Any] = {
        "metadata": made.metadata(f"Assessments by {content.organisation}"),
        "import-ap": {
            "href": made.resource_of_policy(),
            "remarks": "The policy fixes evaluations, lines and requirements; it takes the place of an assessment plan.",
        },
        "results": results,
        **made.back_matter(),
    }
    return {"assessment-results": {"uuid": made.whole("assessment-results", body), **body}}


def oscal_bytes(document: Mapping[str, Any]) -> bytes:
    """Give a document as JSON: the same bytes for the same document."""
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


# --- names ---------------------------------------------------------------------------------------------


def name_based_id(name: str) -> str:
    """Give the version 5 UUID of a URN (RFC 9562, section 5.5): the same name has the same id everywhere.

    >>> name_based_id("urn:tidegate:oscal:v1")
    '6f965fb8-0349-5042-813a-355d5da55303'
    """
    made = bytearray(hashlib.sha1(_URL_NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    text = made.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def token(text: str) -> str:
    """Give an id as an OSCAL token: other characters by their number, and a letter or ``_`` at the start.

    >>> token("sb53#12.c.1D"), token("1-a")
    ('sb53_x23_12.c.1D', '_1-a')
    """
    shown = re.sub(r"[^A-Za-z0-9_.-]", lambda found: f"_x{ord(found.group()):x}_", text)
    return shown if re.match(r"[A-Za-z_]", shown) else f"_{shown}"


def moment_of(day: date) -> str:
    """Give a day as OSCAL writes times: its first moment, in UTC."""
    return f"{day.isoformat()}T00:00:00Z"


def _some(key: str, values: list[Any]) -> dict[str, Any]:
    """Give a list under its key; OSCAL has no empty lists."""
    return {key: values} if values else {}


def _prop(name: str, value: object) -> dict[str, str]:
    return {"name": token(name), "ns": NAMESPACE, "value": one_line(str(value)) or "none"}


def _props(**values: object) -> dict[str, Any]:
    return _some("props", [_prop(name.replace("_", "-"), one) for name, one in values.items() if one is not None])


def _line(text: str) -> str:
    """Give text as a line of Markdown that shows it as it is."""
    return escaped(text) or "not stated"


def _paragraphs(texts: Iterable[str]) -> str:
    """Give texts as Markdown paragraphs that show them as they are."""
    parts = [escaped(part) for text in texts for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    return "\n\n".join(parts) or "not stated"


# --- a document in the making --------------------------------------------------------------------------


@dataclass
class _Document:
    """A document in the making: the resources that it refers to are collected as they are named."""

    content: Content
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)

    def id(self, *parts: str) -> str:
        """Give the id of a subject; it stays the same through all editions of a document."""
        return name_based_id(":".join((NAMESPACE, digest([self.content.organisation, *parts]))))

    def whole(self, kind: str, body: Mapping[str, Any]) -> str:
        """Give the id of a document, which is another for another content."""
        return name_based_id(f"{NAMESPACE}:{kind}:{digest(json.dumps(body, sort_keys=True))}")

    def metadata(self, title: str) -> dict[str, Any]:
        content, head = self.content, self.content.head
        party: dict[str, Any] = {
            "uuid": self.id("organisation"),
            "type": "organization",
            "name": one_line(content.organisation) or "not named",
        }
        log = {"log": head.origin, "log_size": head.size, "log_root": head.root} if head else {}
        return {
            "title": _line(title),
            "last-modified": moment_of(content.at),
            "version": content.at.isoformat(),
            "oscal-version": OSCAL_VERSION,
            **_props(policy=content.policy.label, policy_digest=content.policy.digest, **log),
            **_some("roles", [{"id": one, "title": _line(title)} for one, title in sorted(self.roles.items())]),
            "parties": [party],
            **(
                {"remarks": f"The log cannot be relied on: {_line('; '.join(content.doubts))}."}
                if content.doubts
                else {}
            ),
        }

    def back_matter(self) -> dict[str, Any]:
        return {"back-matter": {"resources": list(self.resources.values())}} if self.resources else {}

    def role(self, name: str) -> list[dict[str, str]]:
        """Give a reference to a role or person that answers for something."""
        self.roles[token(name)] = name
        return [{"role-id": token(name)}]

    def refer(self, ref: str, resource: Mapping[str, Any]) -> str:
        """Give a reference to a resource, which then stands in the back matter."""
        made = self.id("resource", ref)
        self.resources.setdefault(ref, {"uuid": made, **resource})
        return f"#{made}"

    def resource_of_policy(self) -> str:
        policy = self.content.policy
        about = {
            "title": _line(policy.title),
            "description": f"The adopted policy, {_line(policy.label)}.",
            **_props(label=policy.label, digest=policy.digest),
        }
        return self.refer(f"policy:{policy.label}", about)

    def resource_of_framework(self, framework: Framework) -> str:
        about = {
            "title": _line(framework.title),
            "description": f"{_line(framework.source)}. Items are named by their own numbering.",
            **_props(id=framework.id, version=framework.version, status=framework.status),
        }
        return self.refer(f"framework:{framework.label}", about)

    def links(self, refs: Iterable[str]) -> dict[str, Any]:
        """Give links to records; references that name nothing are left out."""
        found = [self.content.inventory.find(ref) for ref in dict.fromkeys(refs)]
        links = []
        for one in found:
            if one is not None:
                record = self.content.evidence.get(one.ref.removeprefix("evidence:"))
                about = {
                    "title": _line(one.title),
                    "description": f"Record {_line(one.ref)}: {BADGE_WORDS[one.badge_on(self.content.at)]}.",
                    **_props(
                        ref=one.ref,
                        worth=one.badge_on(self.content.at),
                        on=one.on,
                        entry=one.entry,
                        digest=record.digest if record else None,
                    ),
                }
                links.append({"href": self.refer(one.ref, about), "rel": "reference", "text": _line(one.ref)})
        return _some("links", links)


# --- components ----------------------------------------------------------------------------------------


def _practice_component(made: _Document, one: Practice) -> dict[str, Any]:
    owner = {"responsible-roles": made.role(one.owner)} if one.owner else {}
    return {
        "uuid": made.id("practice", one.id),
        "type": "process-procedure",
        "title": _line(one.title),
        "description": _paragraphs(said.text for said in one.statements),
        **_props(practice=one.id, section=one.section, since=one.since, as_of=one.as_of, cadence=one.cadence),
        **made.links((*one.evidence, *(ref for said in one.statements for ref in said.evidence))),
        **owner,
        **_some("control-implementations", list(_implementations(made, one))),
    }


def _implementations(made: _Document, one: Practice) -> Iterator[dict[str, Any]]:
    """Give a practice's control implementations, one per framework that it answers items of."""
    content = made.content
    answered: dict[str, list[str]] = {}
    for ref in _answered(content, one):
        of, _, item = ref.partition("#")
        answered.setdefault(of, []).append(item)
    for name, items in sorted(answered.items()):
        framework = content.frameworks.get(name)
        if framework is None:
            continue
        yield {
            "uuid": made.id("implementation", one.id, name),
            "source": made.resource_of_framework(framework),
            "description": f"What {_line(one.title)} does for {_line(framework.title)}.",
            "implemented-requirements": [_implemented(made, one, framework, item) for item in items],
        }


def _answered(content: Content, one: Practice) -> tuple[str, ...]:
    """Give the items that a practice answers: those that it names, by the crosswalk too, and answers that name it."""
    found: list[str] = []
    for ref in one.commitments:
        framework, _, item = ref.partition("#")
        row = content.crosswalk.item(item) if framework == content.crosswalk.id else None
        found += row.see if row is not None else [ref]
    found += [
        answer.to
        for answer in content.publication.answers
        if one.id in answer.practices and answer.choice not in ("no", "not_applicable")
    ]
    kinds = {"sections", "crosswalk"}
    shown = content.frameworks
    return tuple(
        ref
        for ref in dict.fromkeys(found)
        if (name := ref.partition("#")[0]) in shown and shown[name].kind not in kinds and name != content.sections.id
    )


def _implemented(made: _Document, one: Practice, framework: Framework, item: str) -> dict[str, Any]:
    asked = framework.item(item) if item else None
    badges = {_badge(made.content, said, one) for said in one.statements}
    missing = [
        ref for said in one.statements for ref in worth(said, one, made.content.inventory, made.content.at).missing
    ]
    remarks = {"remarks": f"Cites what does not exist: {_line(', '.join(dict.fromkeys(missing)))}."} if missing else {}
    return {
        "uuid": made.id("implemented", one.id, framework.id, item),
        "control-id": token(f"{framework.id}#{item}" if item else framework.id),
        "description": _paragraphs(said.text for said in one.statements),
        **_props(
            item=f"{framework.id}#{item}" if item else framework.id,
            item_title=asked.title if asked else framework.title,
            shown_by=", ".join(sorted(badges)),
        ),
        **made.links((*one.evidence, *(ref for said in one.statements for ref in said.evidence))),
        **remarks,
    }


def _badge(content: Content, said: Statement, one: Practice) -> str:
    return worth(said, one, content.inventory, content.at).badge


def _policy_component(made: _Document, one: Standard | Criterion) -> dict[str, Any]:
    """Give a standard or safeguard of the policy, with the requirements of the policy that it is meant to meet."""
    policy = made.content.policy
    asked = [
        {
            "uuid": made.id("implemented", policy.id, one.id, requirement.id),
            "control-id": token(requirement.id),
            "description": _paragraphs((requirement.text or requirement.title,)),
            **_props(requirement=requirement.id, force=requirement.force),
        }
        for requirement in _requirements(policy)
        if requirement.target == one.id
    ]
    implementation = {
        "uuid": made.id("implementation", policy.id, one.id),
        "source": made.resource_of_policy(),
        "description": f"Requirements of {_line(policy.title)}.",
        "implemented-requirements": asked,
    }
    return {
        "uuid": made.id("policy-item", one.id),
        "type": "standard" if isinstance(one, Standard) else "policy",
        "title": _line(one.title or one.id),
        "description": _paragraphs(_texts(one)),
        **_props(item=one.id),
        **_some("control-implementations", [implementation] if asked else []),
    }


def _texts(one: Item) -> Iterator[str]:
    yield one.text or one.title or one.id
    if isinstance(one, Standard):
        yield from (f"{item.id}: {item.text or item.title}" for item in one.criteria)


def _requirements(policy: Policy) -> Iterator[Any]:
    yield from policy.baseline
    yield from (one for threshold in policy.thresholds for one in threshold.requirements)


# --- results -------------------------------------------------------------------------------------------


def _result(made: _Document, one: PublishedModel) -> dict[str, Any]:
    content, assessed = made.content, one.assessment
    subject = made.id("model", assessed.model)
    due = list(_due(one))
    records = _observed(content, one)
    observations = [_observation(made, subject, record) for record in records]
    known = {record.id for record in records}
    findings = [_threshold(made, one, finding, known) for finding in assessed.thresholds]
    findings += [_requirement(made, one, required, known) for required in due]
    controls = [{"control-id": token(finding.threshold)} for finding in assessed.thresholds]
    controls += [{"control-id": token(required.requirement)} for required in due]
    snapshot = f", snapshot {_line(assessed.snapshot)}" if assessed.snapshot else ""
    days = [record.earliest_day for record in records if record.earliest_day]
    decided = [f"decision:{shown.record.id}" for shown in one.decisions]
    reported = [f"report:{record.report}" for record, _ in one.reports]
    return {
        "uuid": made.id("result", assessed.model, assessed.snapshot or "", content.at.isoformat()),
        "title": _line(f"Assessment of {assessed.name}"),
        "description": f"{_line(assessed.name)}{snapshot}, under {_line(content.policy.label)}. "
        "A threshold is satisfied if the capability is ruled out; a requirement, if it is shown to be met.",
        "start": moment_of(min([*days, content.at])),
        "end": moment_of(content.at),
        **_props(model=assessed.model, snapshot=assessed.snapshot),
        **made.links((*decided, *reported, *(f"case:{case.case}" for case in one.cases))),
        "local-definitions": {"components": [_model_component(subject, one)]},
        "reviewed-controls": {
            "control-selections": [{"include-controls": _unique(controls)}],
            "remarks": "Thresholds of the policy, and requirements that are due because a threshold is not ruled out.",
        },
        **_some("observations", observations),
        **_some("findings", findings),
    }


def _unique(controls: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"control-id": name} for name in dict.fromkeys(one["control-id"] for one in controls)]


def _model_component(subject: str, one: PublishedModel) -> dict[str, Any]:
    state = "operational" if one.model.deployments else "other"
    words = [said.text for said in one.page.description] if one.page else []
    remarks = {} if one.model.deployments else {"remarks": "No deployment is on record."}
    return {
        "uuid": subject,
        "type": "software",
        "title": _line(one.model.title),
        "description": _paragraphs(words),
        **_props(model=one.model.id, released=one.model.released),
        "status": {"state": state, **remarks},
    }


def _due(one: PublishedModel) -> Iterator[RequirementFinding]:
    seen: set[str] = set()
    for name, required in one.assessment.requirements.items():
        finding = one.assessment.finding(name)
        if finding is None or not finding.is_ruled_out:
            for each in required:
                if each.requirement not in seen:
                    seen.add(each.requirement)
                    yield each


def _observed(content: Content, one: PublishedModel) -> tuple[Evidence, ...]:
    """Give every record that a finding or a criterion of this model was read from, in the order of ids."""
    names = {
        reading.evidence
        for finding in one.assessment.thresholds
        for indicator in finding.indicators
        for reading in indicator.readings
    }
    for required in one.assessment.requirements.values():
        names |= set(_cited(required))
    return tuple(content.evidence[name] for name in sorted(names) if name in content.evidence)


def _cited(required: Iterable[RequirementFinding]) -> Iterator[str]:
    yield from (name for one in required for item in one.criteria for need in item.needs for name in need.evidence)


def _observation(made: _Document, subject: str, one: Evidence) -> dict[str, Any]:
    found = one.measurement
    words = result_words(one) if found else one.outcome or "not stated"
    what = f"{found.evaluation}, {found.metric}" if found else one.kind.replace("_", " ")
    day = one.result_day
    expires = {"expires": moment_of(one.valid_until)} if one.valid_until else {}
    undated = {} if day else {"remarks": "The record is not dated; the time given is that of this document."}
    about = {
        "title": _line(what),
        "description": f"Evidence record {_line(one.id)}, from {_line(source_words(one) or one.provenance.format)}.",
        **_props(ref=f"evidence:{one.id}", digest=one.digest, quality=one.quality),
    }
    return {
        "uuid": made.id("observation", one.id),
        "title": _line(what),
        "description": f"{_line(what)}: {_line(words)}.",
        **_props(evidence=one.id, digest=one.digest, kind=one.kind, quality=one.quality),
        "methods": ["TEST" if one.kind in _TESTED else "EXAMINE"],
        "types": ["finding"],
        "subjects": [{"subject-uuid": subject, "type": "component"}],
        "relevant-evidence": [{"href": made.refer(f"evidence:{one.id}", about), "description": _line(words)}],
        "collected": moment_of(day or made.content.at),
        **expires,
        **undated,
    }


def _threshold(made: _Document, one: PublishedModel, finding: ThresholdFinding, known: set[str]) -> dict[str, Any]:
    state = "pass" if finding.is_ruled_out else "fail" if finding.finding in ("not_ruled_out", "reached") else "other"
    read = [reading.evidence for indicator in finding.indicators for reading in indicator.readings]
    title = f"{finding.threshold} {finding.title}".strip()
    return {
        "uuid": made.id("finding", one.model.id, "threshold", finding.threshold),
        "title": _line(title),
        "description": f"{_line(title)} is {FINDING_WORDS[finding.finding]} for {_line(one.model.title)}.",
        **_props(finding=finding.finding, rests_on=finding.by, load_bearing=", ".join(finding.load_bearing) or None),
        "target": {
            "type": "objective-id",
            "target-id": token(finding.threshold),
            "title": "The capability is ruled out",
            "status": {
                "state": "satisfied" if finding.is_ruled_out else "not-satisfied",
                "reason": state,
                "remarks": _paragraphs((FINDING_WORDS[finding.finding], *finding.reasons)),
            },
        },
        **_related(made, read, known),
    }


def _requirement(made: _Document, one: PublishedModel, required: RequirementFinding, known: set[str]) -> dict[str, Any]:
    is_met = required.state == "met"
    target = f": {required.target}" if required.target else ""
    return {
        "uuid": made.id("finding", one.model.id, "requirement", required.requirement),
        "title": _line(f"{required.requirement}{target}"),
        "description": f"{_line(required.requirement)} is {STATE_WORDS[required.state]} for {_line(one.model.title)}.",
        **_props(state=required.state, kind=required.kind, binds="yes" if required.binds else "no"),
        "target": {
            "type": "objective-id",
            "target-id": token(required.requirement),
            "title": "The requirement is shown to be met",
            "status": {
                "state": "satisfied" if is_met else "not-satisfied",
                "reason": "pass" if is_met else "fail" if required.state == "not_met" else "other",
                "remarks": _paragraphs((required.reason,)),
            },
        },
        **_related(made, list(_cited((required,))), known),
    }


def _related(made: _Document, names: Iterable[str], known: set[str]) -> dict[str, Any]:
    found = [name for name in dict.fromkeys(names) if name in known]
    return _some("related-observations", [{"observation-uuid": made.id("observation", name)} for name in found])
