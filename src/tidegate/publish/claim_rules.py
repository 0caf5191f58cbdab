# SPDX-License-Identifier: Apache-2.0
"""The rules of the claim linter, with what each means and what to do."""

from typing import NamedTuple

from tidegate.kernel.errors import Severity


class ClaimRule(NamedTuple):
    """A rule of the linter."""

    id: str
    title: str
    meaning: str
    """What is wrong, and why it matters."""
    hint: str
    """What to do."""
    severity: Severity


RULES: tuple[ClaimRule, ...] = (
    ClaimRule(
        "CL01",
        "Orphan commitment",
        "A framework stands in the list of commitments, and no part of the page cites it. "
        "Nobody can tell how it is met, or whether it is.",
        "name its items in the practices that answer them, or take it off the list",
        "error",
    ),
    ClaimRule(
        "CL02",
        "Dangling reference",
        "The text refers to something that is not there: metrics above, a record, an item or a practice by a wrong id.",
        "add what is referred to, or take out the reference",
        "error",
    ),
    ClaimRule(
        "CL03",
        "Frequency asked, not given",
        "The question asks how often, and the answer gives a place, a reason or nothing.",
        "say how often, or set `cadence` on the practice that answers it",
        "error",
    ),
    ClaimRule(
        "CL04",
        "Pointer beside the point",
        "The answer only points to a part whose text says nothing of what was asked, whatever its title promises.",
        "answer in words, or write the practice that the question asks about",
        "error",
    ),
    ClaimRule(
        "CL05",
        "Pointer that nobody can follow",
        "The answer points to a link without address, or to a part that no page given to the linter has. "
        "A reader of the answer cannot check it.",
        "link the page itself, or quote what it says",
        "error",
    ),
    ClaimRule(
        "CL06",
        "Bare yes, or a claim about all",
        "The answer says yes, all or always, and names no record that shows it.",
        "name the records that show it, or say what is done and for which share",
        "error",
    ),
    ClaimRule(
        "CL07",
        "Undated or outdated statement",
        "The statement names no day for which it was true, is older than it may be, or uses a name "
        "that has changed since.",
        "give the day (`as_of`), look at it again, and use today's names",
        "warning",
    ),
    ClaimRule(
        "CL08",
        "Modal wording",
        "The text says that the organisation may, could or aims to do something. That is no commitment: "
        "it is kept whatever happens.",
        "say what is done, or what will be done by when",
        "warning",
    ),
    ClaimRule(
        "CL09",
        "Reference by a title that does not match",
        "A part or framework is referred to by a title that is not the one it has. Such references break silently.",
        "refer to it by its id, or by its title exactly",
        "warning",
    ),
    ClaimRule(
        "CL10",
        "Commitments shared by several parts",
        "Several parts share one line of commitments, or a practice names a framework as a whole. "
        "Which part answers which item is unknown.",
        "name the items that each part answers",
        "warning",
    ),
    ClaimRule(
        "CL11",
        "Promise without owner, date or evidence",
        "The text promises something, and says not who answers for it, by when or how often, "
        "or what will show that it was kept.",
        "give the practice an owner, evidence, and a cadence or a date; or add a rule to obligations.yaml",
        "warning",
    ),
    ClaimRule(
        "CL12",
        "Count without a source",
        "The text gives a number, and names no record that it can be checked against.",
        "name the record that the number comes from",
        "warning",
    ),
    ClaimRule(
        "CL13",
        "Frequency in vague words",
        "The text says regularly, periodically or at defined intervals, and names no interval.",
        "say how often, or set `cadence`",
        "warning",
    ),
    ClaimRule(
        "CL14",
        "Answers that only point elsewhere",
        "The answers hold no words of their own, so that a reader has to look for each of them.",
        "answer in a few sentences, then point to the rest",
        "warning",
    ),
    ClaimRule(
        "CL15",
        "Answer out of proportion",
        "The answer is much longer than its kind should be, which makes reports hard to compare.",
        "keep what answers the question, and move the rest to the hub",
        "note",
    ),
)
"""Every rule, in the order of its id. Ids stay; a rule that is dropped leaves a gap."""
