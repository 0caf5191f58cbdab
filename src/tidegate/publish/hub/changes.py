# SPDX-License-Identifier: Apache-2.0
"""What changed since the last publication: computed from digests of what was published, never from memory."""

from collections.abc import Iterator, Mapping

from tidegate.kernel.canonical import digest
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.hub.speech import ENGLISH, Speech
from tidegate.publish.practices import Change, ChangeFile

OPEN, CLOSED = digest("open"), digest("closed")


def published(content: Content) -> dict[str, str]:
    """Give everything whose changes are told, each with the digest of how it stands: subject -> digest."""
    return dict(_subjects(content))


def _subjects(content: Content) -> Iterator[tuple[str, str]]:
    for practice in content.publication.practices:
        yield f"practice:{practice.id}", digest(practice)
    for one in content.models:
        yield f"model:{one.model.id}", digest([one.model, one.page])
        yield from _of_model(one)
    for version in content.policies:
        yield f"policy:{version.policy.label}", digest({"digest": version.policy.digest})
    for made in content.commitments:
        yield f"framework:{made.framework}", digest(made)


def _of_model(one: PublishedModel) -> Iterator[tuple[str, str]]:
    name = one.model.id
    for gate in one.assessment.gates:
        yield f"gate:{name}/{gate.action}", OPEN if gate.open else CLOSED
    for finding in one.assessment.thresholds:
        yield f"finding:{name}/{finding.threshold}", digest(finding.finding)
    for shown in one.decisions:
        yield f"decision:{shown.record.id}", digest([shown.record.state, shown.counts])
    for report, _ in one.reports:
        yield f"report:{report.report}", digest(report.document)


def changed(content: Content, speech: Speech = ENGLISH) -> ChangeFile:
    """Give the changelog with what changed since the last publication, newest first; unchanged if nothing did.

    The first publication is one entry, not hundreds. What people wrote into the changelog stays as it is.
    """
    before = content.publication.changes
    now = published(content)
    if not before.published:
        first = Change(on=content.at, title=speech.gettext("The transparency hub was published"), kind="added")
        told = () if before.changes else (first,)
        return before.model_copy(update={"changes": (*told, *before.changes), "published": now})
    found = tuple(_Told(content, speech, before.published, now).changes())
    if not found and before.published == now:
        return before
    return before.model_copy(update={"changes": (*found, *before.changes), "published": now})


class _Told:
    """Changes in words."""

    def __init__(self, content: Content, speech: Speech, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        self.content, self.speech, self.old, self.new = content, speech, old, new
        self.models = {one.model.id: one for one in content.models}
        self.practices = {one.id: one.title for one in content.publication.practices}
        self.policies = {one.policy.label: f"{one.policy.title}, {one.policy.version}" for one in content.policies}
        self.decisions = {one.record.id: model for model in content.models for one in model.decisions}

    def changes(self) -> Iterator[Change]:
        for subject in dict.fromkeys((*self.new, *self.old)):
            old, new = self.old.get(subject), self.new.get(subject)
            if old == new:
                continue
            kind = "added" if old is None else "removed" if new is None else "changed"
            words = self._words(subject, kind)
            if words is not None:
                yield Change(on=self.content.at, title=words, kind=kind, about=self._about(subject))

    def _words(self, subject: str, kind: str) -> str | None:
        what, _, name = subject.partition(":")
        say = self.speech.gettext
        match what:
            case "practice":
                return say("Practice: %(title)s", title=self.practices.get(name, name))
            case "model":
                known = self.models.get(name)
                return say("Model: %(title)s", title=known.model.title if known else name)
            case "policy":
                return say("Policy: %(title)s", title=self.policies.get(name, name))
            case "framework":
                framework = self.content.frameworks.get(name)
                return say("Commitment: %(title)s", title=framework.title if framework else name)
            case "decision" | "report":
                return say("Decision %(name)s", name=name) if what == "decision" else say("Report %(name)s", name=name)
            case "gate" | "finding" if kind == "changed":
                return self._of_model(what, name)
            case _:
                return None

    def _of_model(self, what: str, name: str) -> str | None:
        """Say what became of a gate or a finding; those that come and go with their model are not told apart."""
        model, _, part = name.partition("/")
        known = self.models.get(model)
        if known is None:
            return None
        if what == "gate":
            now = self.new[f"gate:{name}"] == OPEN
            message = (
                "%(model)s: the gate for %(action)s is open" if now else "%(model)s: the gate for %(action)s is closed"
            )
            return self.speech.gettext(message, model=known.model.title, action=self.speech.word("action", part))
        finding = known.assessment.finding(part)
        state = self.speech.word("finding", finding.finding) if finding else ""
        return self.speech.gettext(
            "%(model)s: %(threshold)s is now %(finding)s", model=known.model.title, threshold=part, finding=state
        )

    def _about(self, subject: str) -> str:
        what, _, name = subject.partition(":")
        return f"model:{name.partition('/')[0]}" if what in ("gate", "finding") else subject
