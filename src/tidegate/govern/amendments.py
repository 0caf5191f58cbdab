# SPDX-License-Identifier: Apache-2.0
"""Amendments of the policy: whoever may change its files does not thereby change its rules.

Where a policy has an approval for the act ``policy_change``, the next one takes its place only with a decision that
was signed under the first, as the first asks, and names the next by digest. The first policy of a log needs none.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from pydantic import ValidationError

from tidegate.govern.decisions import POLICY_CHANGE, content_digest, need_of
from tidegate.govern.quorum import missing
from tidegate.govern.records import DecisionRecord, Documents
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import day_of
from tidegate.ledger.acts import PolicyAdopted
from tidegate.ledger.entries import Entry
from tidegate.policy.model import Policy


def unsigned_amendment(
    logged: Iterable[tuple[int, Entry]], documents: Documents, decisions: Iterable[DecisionRecord]
) -> str | None:
    """Say which amendment lacks the signatures that the policy before it asks for; nothing if none does.

    Args:
        logged: entries with their positions, in their order.
        documents: gives the documents that they name by digest.
        decisions: the decisions as the log alone has them: who signed then may have left since, and what was adopted
            stays adopted, whatever became of the decision afterwards.
    """
    known = tuple(decisions)
    rules: Policy | None = None
    found: str | None = None
    for index, entry in logged:
        if entry.kind != "policy.adopted":
            continue
        act = cast(PolicyAdopted, entry.act)
        policy = _policy(act, documents)
        if policy is None:
            return f"the ledger does not hold the policy {act.label} that it says was adopted"
        then = [one for record in known if (one := record.before(index)) is not None]
        then = [one for one in then if one.document.expires >= day_of(entry.acted_at)]
        lacking = tuple(_lacking(rules, policy, then)) if rules is not None else ()
        found = f"{policy.label} was adopted, and {'; '.join(lacking)}" if lacking else None
        rules = rules if lacking else policy
    return found


def _policy(act: PolicyAdopted, documents: Documents) -> Policy | None:
    data = documents(act.document)
    if data is None or digest_bytes(data) != act.document:
        return None
    try:
        policy = Policy.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError):
        return None
    return policy if policy.digest == act.policy_digest else None


def _lacking(before: Policy, after: Policy, decisions: Sequence[DecisionRecord]) -> Iterator[str]:
    """Say which approvals of a policy are missing before another takes its place."""
    keeps_locks = set(before.locks) <= set(after.locks)
    if keeps_locks and content_digest(before) == content_digest(after):
        return
    signing = [one for one in decisions if _adopts(one, before, after)]
    for approval in before.approvals:
        if approval.act != POLICY_CHANGE or not approval.binds:
            continue
        need = need_of(before, approval)
        reasons = [missing(need, one.in_force, one.recused) for one in signing]
        if not keeps_locks:
            yield f"{approval.id} of {before.label} is not given: rules that were locked are not locked any more"
        elif None not in reasons:
            said = "; ".join(one for one in reasons if one is not None) or "no decision adopts it"
            yield f"{approval.id} of {before.label} is not given: {said}"


def _adopts(record: DecisionRecord, before: Policy, after: Policy) -> bool:
    document = record.document
    return (
        record.state == "effective"
        and document.opens
        and document.adopts == content_digest(after)
        and document.seen.policy_digest == before.as_of(document.seen.at).digest
    )
