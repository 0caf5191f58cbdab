# SPDX-License-Identifier: Apache-2.0
"""What changed between two versions of a case: nodes, support, confidence, and what has to be reviewed again."""

from typing import Any, Literal

from pydantic import Field

from tidegate.case.checks import Examination, examine
from tidegate.case.model import Node, SafetyCase
from tidegate.case.review import header
from tidegate.case.setting import CaseContext
from tidegate.case.weighing import Span
from tidegate.kernel.canonical import plain
from tidegate.kernel.record import Record


class FieldChange(Record):
    """One part that changed."""

    field: str
    """Its name."""
    old: Any = None
    """What it was; none if it was not stated."""
    new: Any = None
    """What it is; none if it is no longer stated."""


class NodeChange(Record):
    """What became of one node."""

    node: str
    """Its id."""
    kind: Literal["added", "removed", "changed"]
    """What happened."""
    text: str
    """What it says, or said."""
    fields: tuple[FieldChange, ...] = ()
    """Parts that changed, apart from its support."""
    support_added: tuple[str, ...] = ()
    """Nodes that now support it or are its context, and defeaters that now challenge it."""
    support_removed: tuple[str, ...] = ()
    """Nodes that no longer do."""


class CaseDiff(Record):
    """What changed between two versions of a case."""

    old_root: str
    """Content digest before."""
    new_root: str
    """Content digest after."""
    head: tuple[FieldChange, ...] = ()
    """Changes of model, scope, period, thresholds."""
    nodes: tuple[NodeChange, ...] = ()
    """Nodes that were added, removed or changed, by id."""
    old_top: Span
    """Confidence in the top claim before."""
    new_top: Span
    """Confidence in the top claim after."""
    newly_suspect: dict[str, str] = Field(default_factory=dict)
    """Nodes that are suspect after and were not before, and why."""
    no_longer_suspect: tuple[str, ...] = ()
    """Nodes that were suspect before, still exist, and are no longer."""

    @property
    def is_empty(self) -> bool:
        """True if nothing that the content digest covers changed."""
        return self.old_root == self.new_root

    def of_kind(self, kind: Literal["added", "removed", "changed"]) -> tuple[NodeChange, ...]:
        """Give the changes of one kind."""
        return tuple(one for one in self.nodes if one.kind == kind)


def diff(old: SafetyCase, new: SafetyCase, context: CaseContext) -> CaseDiff:
    """Give what changed from one version of a case to another, both looked at in the same context."""
    before, after = examine(old, context), examine(new, context)
    was, is_ = before.suspects, after.suspects
    return CaseDiff(
        old_root=before.root,
        new_root=after.root,
        head=_fields(header(old), header(new)),
        nodes=_nodes(before, after),
        old_top=before.confidence.span,
        new_top=after.confidence.span,
        newly_suspect={name: why for name, why in is_.items() if name not in was},
        no_longer_suspect=tuple(name for name in was if name not in is_ and name in new.by_id),
    )


def _nodes(before: Examination, after: Examination) -> tuple[NodeChange, ...]:
    old, new = before.setting.case.by_id, after.setting.case.by_id
    found: list[NodeChange] = []
    for name in sorted({*old, *new}):
        if name not in old:
            found.append(NodeChange(node=name, kind="added", text=new[name].text))
        elif name not in new:
            found.append(NodeChange(node=name, kind="removed", text=old[name].text))
        else:
            was, now = before.setting.graph.below[name], after.setting.graph.below[name]
            added = tuple(sorted(set(now) - set(was)))
            removed = tuple(sorted(set(was) - set(now)))
            fields = _fields(_own(old[name]), _own(new[name]))
            if fields or added or removed:
                found.append(
                    NodeChange(
                        node=name,
                        kind="changed",
                        text=new[name].text,
                        fields=fields,
                        support_added=added,
                        support_removed=removed,
                    )
                )
    return tuple(found)


def _own(node: Node) -> dict[str, Any]:
    """Give the parts of a node that are not its support."""
    return {name: value for name, value in plain(node).items() if name not in ("supported_by", "in_context_of")}


def _fields(old: dict[str, Any], new: dict[str, Any]) -> tuple[FieldChange, ...]:
    names = dict.fromkeys((*old, *new))
    return tuple(
        FieldChange(field=name, old=old.get(name), new=new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )
