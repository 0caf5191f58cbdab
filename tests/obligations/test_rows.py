# SPDX-License-Identifier: Apache-2.0
"""Every clock that the laws, the code and the policies set, one row each, with dates written out by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from obligations.making import event, shipped, shown
from tidegate.kernel.documents import parse_document
from tidegate.obligations.model import Event
from tidegate.obligations.rules import shipped_calendars, shipped_packs, shipped_rules

CA = ("large_frontier_developer",)
NY = ("large_frontier_developer", "operates_in_new_york")
IL = ("large_frontier_developer", "operates_in_illinois")
EU = ("gpai_systemic_risk",)
SB53 = "sb53.critical_safety_incident"


class Row(NamedTuple):
    rule: str
    facts: tuple[str, ...]
    events: Sequence[Event]
    at: str
    expected: list[tuple[str, str]]
    """State and last day of each duty, in the order of their dates."""
    moment: str | None = None
    """Last moment of the first of them."""


def incident(name: str, at: str, *facts: str) -> Event:
    return event(f"incident.{name}", at, "I-1", *facts)


ROWS = {
    # SB 53: 15 days from discovery
    "SB 53, end of a month": Row(
        "sb53.incident", CA, [incident("discovered", "2026-02-20", SB53)], "2026-03-01", [("due_soon", "2026-03-07")]
    ),
    "SB 53, leap year": Row(
        "sb53.incident", CA, [incident("discovered", "2028-02-20", SB53)], "2028-03-01", [("due_soon", "2028-03-06")]
    ),
    "SB 53, turn of the year": Row(
        "sb53.incident", CA, [incident("discovered", "2026-12-20", SB53)], "2027-01-05T07:59:59Z",
        [("due_soon", "2027-01-04")], "2027-01-05T07:59:59Z",
    ),
    "SB 53, a second later": Row(
        "sb53.incident", CA, [incident("discovered", "2026-12-20", SB53)], "2027-01-05T08:00:00Z",
        [("late", "2027-01-04")],
    ),
    "SB 53, two in the morning in UTC is the day before": Row(
        "sb53.incident", CA, [incident("discovered", "2026-11-02T02:00:00Z", SB53)], "2026-11-10",
        [("due_soon", "2026-11-16")], "2026-11-17T07:59:59Z",
    ),
    "SB 53, summer time begins": Row(
        "sb53.incident", CA, [incident("discovered", "2026-03-08T07:30:00Z", SB53)], "2026-03-10",
        [("due_soon", "2026-03-22")], "2026-03-23T06:59:59Z",
    ),
    # 24 hours
    "SB 53, imminent danger": Row(
        "sb53.imminent-danger", CA, [incident("discovered", "2026-11-01T08:30:00Z", "sb53.imminent_danger")],
        "2026-11-02T08:30:00Z", [("due_soon", "2026-11-02")], "2026-11-02T08:30:00Z",
    ),
    "SB 53, danger found after discovery": Row(
        "sb53.imminent-danger", CA,
        [incident("discovered", "2026-11-01T08:30:00Z", "sb53.imminent_danger"),
         incident("imminent_risk_found", "2026-11-03T10:00:00Z", "sb53.imminent_danger")],
        "2026-11-03T12:00:00Z", [("due_soon", "2026-11-04")], "2026-11-04T10:00:00Z",
    ),
    "RAISE, imminent danger": Row(
        "raise.imminent-danger", NY, [incident("discovered", "2027-03-14T06:30:00Z", "raise.imminent_danger")],
        "2027-03-16", [("late", "2027-03-15")], "2027-03-15T06:30:00Z",
    ),
    "Illinois, imminent danger": Row(
        "il.imminent-danger", IL, [incident("discovered", "2027-06-01T00:00:00Z", "il.imminent_danger")],
        "2027-06-01T12:00:00Z", [("due_soon", "2027-06-01")], "2027-06-02T00:00:00Z",
    ),
    # 72 hours
    "RAISE, belief before determination": Row(
        "raise.incident", NY,
        [incident("determined", "2027-02-26T20:00:00Z", "raise.safety_incident"),
         incident("reasonable_belief", "2027-02-25T10:00:00Z", "raise.safety_incident")],
        "2027-02-27", [("due_soon", "2027-02-28")], "2027-02-28T10:00:00Z",
    ),
    "RAISE, determination alone": Row(
        "raise.incident", NY, [incident("determined", "2028-02-26T20:00:00Z", "raise.safety_incident")],
        "2028-02-27", [("due_soon", "2028-02-29")], "2028-02-29T20:00:00Z",
    ),
    "Illinois, incident": Row(
        "il.incident", IL, [incident("reasonable_belief", "2027-12-30T23:00:00Z", "il.incident")],
        "2028-01-01", [("due_soon", "2028-01-02")], "2028-01-02T23:00:00Z",
    ),
    # EU: 2, 5, 10 and 15 days, from half past midnight in Brussels
    **{
        f"EU, {kind}": Row(
            f"eu.incident.{kind}", EU,
            [incident("model_involvement_known", "2026-12-30T23:30:00Z", "eu.serious_incident", f"eu.{kind}")],
            "2026-12-31", [("due_soon", day)], f"{day}T22:59:59Z",
        )
        for kind, day in (
            ("infrastructure", "2027-01-02"), ("cybersecurity", "2027-01-05"), ("death", "2027-01-10"),
            ("harm", "2027-01-15"),
        )
    },
    "EU, unresolved": Row(
        "eu.incident.unresolved", EU,
        [event("done:eu.incident.death", "2026-03-02", "I-1"), event("done:eu.incident.unresolved", "2026-03-31", "I-1")],
        "2026-04-01", [("met_late", "2026-03-30"), ("due_soon", "2026-04-28")], "2026-03-30T21:59:59Z",
    ),
    "EU, resolved before the next report": Row(
        "eu.incident.unresolved", EU,
        [event("done:eu.incident.harm", "2026-03-02", "I-1"), event("done:eu.incident.unresolved", "2026-03-30", "I-1"),
         incident("resolved", "2026-04-20")],
        "2026-06-01", [("met", "2026-03-30")],
    ),
    "EU, final": Row(
        "eu.incident.final", EU, [incident("resolved", "2026-12-15", "eu.serious_incident")], "2027-01-01",
        [("due", "2027-02-13")],
    ),
    # EU framework and Model Report
    "EU, framework given, over Christmas": Row(
        "eu.framework.notice", EU, [event("framework.confirmed", "2026-12-22")], "2026-12-23", [("due_soon", "2026-12-30")]
    ),
    "EU, updated Model Report given, over Easter": Row(
        "eu.model-report.update", EU, [event("report.model.update_confirmed", "2026-03-31", "m")], "2026-04-01",
        [("due_soon", "2026-04-09")],
    ),
    "EU, framework confirmed: two weeks before the market is earlier": Row(
        "eu.framework.confirmed", EU,
        [event("notice.article52", "2026-08-10", "m"), event("deployment.planned", "2026-09-14", "m", "general")],
        "2026-08-20", [("due_soon", "2026-08-31")],
    ),
    "EU, framework confirmed: four weeks after the notice is earlier": Row(
        "eu.framework.confirmed", EU,
        [event("notice.article52", "2026-08-10", "m"), event("deployment.planned", "2026-12-01", "m", "general")],
        "2026-08-20", [("due_soon", "2026-09-07")],
    ),
    "EU, framework confirmed: on the market without it": Row(
        "eu.framework.confirmed", EU,
        [event("deployment.planned", "2026-06-15", "m", "general"), event("deployment.started", "2026-06-15", "m", "general")],
        "2026-06-20", [("late", "2026-06-01")],
    ),
    "EU, interim Model Report": Row(
        "eu.model-report.interim", EU, [event("deployment.started", "2026-12-01", "m", "general")], "2026-12-02",
        [("due_soon", "2026-12-22")],
    ),
    "EU, interim Model Report, over the turn of the year": Row(
        "eu.model-report.interim", EU, [event("deployment.started", "2026-12-10", "m", "general")], "2026-12-12",
        [("due_soon", "2027-01-04")],
    ),
    "EU, Model Report by the day itself": Row(
        "eu.model-report", EU,
        [event("deployment.planned", "2026-12-01", "m", "general"), event("deployment.started", "2026-12-10", "m", "general")],
        "2026-12-11", [("late", "2026-12-10")],
    ),
    "EU, refresh, end of February": Row(
        "eu.model-report.refresh", EU, [event("report.model.given", "2026-08-31", "m", "model.most_capable")],
        "2026-09-01", [("due", "2027-02-28")],
    ),
    "EU, refresh, leap year": Row(
        "eu.model-report.refresh", EU, [event("report.model.given", "2027-08-31", "m", "model.most_capable")],
        "2027-09-01", [("due", "2028-02-29")],
    ),
    "EU, review of the framework": Row(
        "eu.framework.review", EU, [event("deployment.started", "2026-05-22", "m", "general")], "2026-06-01",
        [("due", "2027-05-22")],
    ),
    # 30 days from a material change
    "California, changed framework": Row(
        "sb53.framework-change", CA, [event("policy.changed", "2026-01-31", "p@2")], "2026-02-01", [("due_soon", "2026-03-02")]
    ),
    "New York, changed framework": Row(
        "raise.framework-change", NY, [event("policy.changed", "2027-01-31", "p@2")], "2027-02-01",
        [("due_soon", "2027-03-02")],
    ),
    "Illinois, changed framework, leap year": Row(
        "il.framework-change", IL, [event("policy.changed", "2028-01-31", "p@2")], "2028-02-01",
        [("due_soon", "2028-03-01")],
    ),
    # three months, by the calendar
    "California, internal use": Row(
        "sb53.internal-use-summary", CA,
        [event("done:sb53.internal-use-summary", "2026-03-31"), event("done:sb53.internal-use-summary", "2026-07-03")],
        "2026-08-15", [("met", "2026-03-31"), ("met_late", "2026-06-30"), ("due", "2026-09-30")],
    ),
    "New York, internal use": Row(
        "raise.internal-use-summary", NY, [], "2027-03-15", [("due_soon", "2027-03-31")]
    ),
    "Illinois, internal use": Row("il.internal-use-summary", IL, [], "2027-04-02", [("late", "2027-03-31"), ("due", "2027-06-30")]),
    # audit
    "Illinois, summary of the audit": Row(
        "il.audit-summary", IL, [event("audit.received", "2028-12-05")], "2028-12-10", [("due_soon", "2029-01-04")]
    ),
    "Illinois, yearly audit": Row("il.audit", IL, [], "2028-05-01", [("due", "2028-12-31")]),
    # whistleblowers
    "California, status to the reporter": Row(
        "sb53.whistleblower-status", CA,
        [event("noncompliance.opened", "2026-01-31", "N-1"), event("noncompliance.told", "2026-02-28", "N-1")],
        "2026-03-01", [("met", "2026-02-28"), ("due", "2026-03-28")],
    ),
    "California, disclosures to officers": Row(
        "sb53.whistleblower-quarterly", CA,
        [event("noncompliance.opened", "2026-05-11", "N-1"), event("disclosures.shared", "2026-06-29")],
        "2026-07-01", [("met", "2026-06-30"), ("due", "2026-09-30")],
    ),
    "Connecticut, disclosures to officers": Row(
        "ct.whistleblower-quarterly", ("large_frontier_developer", "operates_in_connecticut"),
        [event("noncompliance.opened", "2027-02-11", "N-1")], "2027-03-01", [("due_soon", "2027-03-31")],
    ),
    # yearly review of the framework
    "California, review": Row(
        "sb53.framework-review", CA, [event("policy.effective", "2026-02-28", "p@1")], "2026-03-01", [("due", "2027-02-28")]
    ),
    "California, review of a framework older than the law": Row(
        "sb53.framework-review", CA, [event("policy.effective", "2024-10-15", "p@1")], "2026-03-01", [("due", "2027-01-01")]
    ),
    "New York, review": Row(
        "raise.framework-review", NY,
        [event("policy.effective", "2027-02-10", "p@1"), event("framework.reviewed", "2028-02-29")], "2028-03-01",
        [("met_late", "2028-02-10"), ("due", "2029-02-28")],
    ),
    "Illinois, review": Row(
        "il.framework-review", IL, [event("policy.effective", "2026-02-28", "p@1")], "2028-02-01", [("due", "2029-01-01")]
    ),
    # the policy's own
    "riskier internal model": Row(
        "practice.risk-report-internal", ("practice_risk_reports",),
        [event("model.riskier_internal_determined", "2026-11-20", "m")], "2026-11-21", [("due_soon", "2026-12-20")],
    ),
    "assessment interval": Row(
        "practice.assessment-interval", ("practice_assessments",),
        [event("assessment.comprehensive", "2026-08-31", "m", amount=1.0)], "2026-09-01", [("due", "2027-02-28")],
    ),
    "four times the effective compute": Row(
        "practice.assessment-compute", ("practice_assessments",),
        [event("assessment.comprehensive", "2026-01-10", "m", amount=1.0), event("snapshot.made", "2026-03-01", "m", amount=3.9),
         event("snapshot.made", "2026-03-31", "n", amount=4.0)],
        "2026-04-01", [("due_soon", "2026-04-30")],
    ),
    "six months of elicitation": Row(
        "practice.elicitation-interval", ("practice_assessments",), [event("elicitation.started", "2026-03-31", "m")],
        "2026-04-01", [("due", "2026-09-30")],
    ),
    "yearly approval of safeguards": Row(
        "practice.safeguards-reapproval", ("practice_safeguards_reports",),
        [event("report.safeguards.final", "2028-02-29", "m")], "2028-03-01", [("due", "2029-02-28")],
    ),
    "risk report": Row(
        "practice.risk-report", ("practice_risk_reports",),
        [event("report.risk.published", "2026-02-24", covers="2026-02-01"),
         event("report.risk.published", "2026-08-20", covers="2026-07-21")],
        "2026-11-21", [("met", "2026-08-24"), ("due_soon", "2027-02-20")],
    ),
    "noncompliance, by quarters": Row(
        "practice.noncompliance-quarter", ("practice_noncompliance",),
        [event("policy.effective", "2026-02-24", "p@1"), event("noncompliance.board_told", "2026-05-03")],
        "2026-06-01", [("met_late", "2026-04-30"), ("due", "2026-07-30")],
    ),
    "training": Row(
        "practice.training", ("practice_training",),
        [event("policy.effective", "2025-05-14", "p@1"), event("training.held", "2026-05-14")], "2026-05-15",
        [("met", "2026-05-14"), ("due", "2027-05-14")],
    ),
    "certificate": Row(
        "iso42001.recertification", ("iso42001_certified",), [event("certificate.issued", "2024-02-29", "C-1")], "2026-10-01",
        [("due_soon", "2027-02-28")],
    ),
    "surveillance of a certificate": Row(
        "iso42001.surveillance", ("iso42001_certified",),
        [event("certificate.issued", "2025-03-10", "C-1"), event("audit.surveillance", "2026-03-08")], "2026-03-09",
        [("met", "2026-03-10"), ("due", "2027-03-08")],
    ),
    "external review": Row(
        "practice.external-review", ("practice_external_review",), [event("policy.effective", "2025-12-19", "p@1")],
        "2026-12-20", [("late", "2026-12-19")],
    ),
    "drill": Row(
        "practice.drill", ("practice_drills",), [event("policy.effective", "2026-01-15", "p@1")], "2026-12-01",
        [("due_soon", "2027-01-15")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row(row):
    found = [one for one in shipped(row.rule, row.events, row.at, *row.facts) if one.due_on]
    assert shown(found) == row.expected
    if row.moment:
        assert found[0].due_at == row.moment


def test_one_summary_of_internal_use_meets_one_law_only():
    facts = ("large_frontier_developer", "operates_in_new_york", "operates_in_illinois")
    for law in ("sb53", "raise", "il"):
        sent = [event(f"done:{law}.internal-use-summary", "2027-03-30", covers="2027-03-30")]
        met = [one for one in ("sb53", "raise", "il") if any(
            duty.state == "met" for duty in shipped(f"{one}.internal-use-summary", sent, "2027-04-10", *facts)
        )]  # fmt: skip
        assert met == [law]
    assert not {kind for rule in shipped_rules() for kind in rule.done_by if "internal_use" in kind}


@pytest.mark.parametrize(
    ("rule", "fact", "starts"),
    [
        ("raise.incident", "raise.safety_incident", "determined"),
        ("il.incident", "il.incident", "reasonable_belief"),
        *((f"eu.incident.{kind}", f"eu.{kind}", "model_involvement_known") for kind in ("infrastructure", "cybersecurity", "death", "harm")),
    ],
)  # fmt: skip
def test_a_discovered_incident_without_the_start_of_its_clock_is_unclear(rule, fact, starts):
    facts = ("large_frontier_developer", "operates_in_new_york", "operates_in_illinois", "gpai_systemic_risk")
    about = (fact, "eu.serious_incident")
    found = [incident("discovered", "2027-06-03T09:00:00Z", *about)]
    (duty,) = shipped(rule, found, "2027-06-04", *facts)
    assert (duty.state, duty.subject) == ("unclear", "I-1")
    assert shown(shipped(rule, [incident("discovered", "2027-06-03T09:00:00Z")], "2027-06-04", *facts)) == [
        ("not_started", None)
    ]
    (duty,) = shipped(rule, [*found, event(f"done:{rule}", "2027-06-04T09:00:00Z", "I-1")], "2027-06-05", *facts)
    assert duty.state == "unclear"
    assert duty.reason.endswith(f"whether done:{rule} of 2027-06-04T09:00:00Z was in time cannot be told")
    (duty,) = shipped(rule, [*found, incident(starts, "2027-06-03T10:00:00Z", *about)], "2027-06-04", *facts)
    assert duty.due_on is not None


def test_an_incident_before_the_law_starts_and_asks_nothing():
    facts = ("large_frontier_developer", "operates_in_new_york")
    found = [incident("discovered", "2026-12-31T12:00:00Z", "raise.safety_incident")]
    assert shown(shipped("raise.incident", found, "2027-01-05", *facts)) == [("not_started", None)]


def test_a_report_on_an_incident_counts_also_where_it_came_before_the_start_of_its_clock():
    found = [incident("discovered", "2026-06-03", SB53), event("done:sb53.incident", "2026-06-02T09:00:00Z", "I-1")]
    assert shown(shipped("sb53.incident", found, "2026-06-10", *CA)) == [("met", "2026-06-18")]
    other = [incident("discovered", "2026-06-03", SB53), event("done:sb53.incident", "2026-06-04T09:00:00Z", "I-2")]
    assert shown(shipped("sb53.incident", other, "2026-06-10", *CA)) == [("due_soon", "2026-06-18")]


def test_a_disclosure_statement_that_nobody_recorded_is_unclear():
    assert shown(shipped("raise.disclosure-statement", [], "2027-02-01", *NY)) == [("unclear", None)]


# What the reference table of clocks lists, and the rule of each of its rows.
TABLE = {
    "SB 53 critical safety incident": ["sb53.incident"],
    "SB 53 imminent danger": ["sb53.imminent-danger"],
    "RAISE incident": ["raise.incident"],
    "RAISE / IL imminent danger": ["raise.imminent-danger", "il.imminent-danger"],
    "IL incident (secondary)": ["il.incident"],
    "EU infrastructure / cyber breach / death / other serious harm": [
        f"eu.incident.{kind}" for kind in ("infrastructure", "cybersecurity", "death", "harm")
    ],
    "EU unresolved": ["eu.incident.unresolved"],
    "EU final": ["eu.incident.final"],
    "EU framework notice / model report update": ["eu.framework.notice", "eu.model-report.update"],
    "EU framework confirmed": ["eu.framework.confirmed"],
    "EU interim model report": ["eu.model-report.interim"],
    "Framework change published (CA, NY, IL)": [f"{law}.framework-change" for law in ("sb53", "raise", "il")],
    "Internal-use risk summaries (CA, NY, IL)": [f"{law}.internal-use-summary" for law in ("sb53", "raise", "il")],
    "IL audit summary": ["il.audit-summary"],
    "Whistleblower status to reporter (CA) / officers and directors": [
        "sb53.whistleblower-status", "sb53.whistleblower-quarterly",
    ],
    "RSP v3 internal risky model": ["practice.risk-report-internal"],
    "EU model report refresh": ["eu.model-report.refresh"],
    "Framework review": ["sb53.framework-review", "raise.framework-review", "il.framework-review", "eu.framework.review"],
}  # fmt: skip


def test_every_row_of_the_reference_has_its_rules_and_every_rule_its_test(shared):
    text = (shared / "reference" / "governance.md").read_text(encoding="utf-8")
    table = text.partition("### 3.2 Clocks")[2].partition("\nSo an incident")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows == list(TABLE)
    tested = {row.rule for row in ROWS.values()}
    assert [one for rules in TABLE.values() for one in rules if one not in tested] == []


def test_every_source_is_an_item_of_its_framework(shared):
    items: dict[str, set[str]] = {}
    missing = []
    for rule in shipped_rules():
        framework, _, item = (rule.source or "").partition("#")
        if framework and framework not in items:
            text = (shared / "data" / "frameworks" / f"{framework}.yaml").read_bytes()
            items[framework] = {str(one["id"]) for one in parse_document(text, framework).data["items"]}
        if item and item not in items[framework]:
            missing.append(rule.source)
    assert missing == []
    assert {"sb53", "raise", "il-aisma", "ct-sb5", "eu-cop-safety", "iso42001-annex-a"} <= set(items)


def test_laws_that_are_not_in_force_say_from_when():
    for rule in ("raise.incident", "il.incident", "il.audit"):
        facts = NY if rule.startswith("raise") else IL
        (found,) = shipped(rule, [incident("determined", "2026-11-01", "raise.safety_incident", "il.incident")], "2026-11-21", *facts)  # fmt: skip
        first = "2028-01-01" if rule == "il.audit" else "2027-01-01"
        assert found.state == "not_started"
        assert found.reason.startswith(f"in force from {first}")
    (found,) = shipped("raise.internal-use-summary", [], "2026-11-21", *NY)
    assert found.reason == "in force from 2027-01-01; first due on 2027-03-31"
    assert {one.in_force_from.isoformat() for one in shipped_rules() if one.id.startswith("raise.") and one.in_force_from} == {"2027-01-01"}  # fmt: skip


def test_who_qualifies_later_begins_later():
    later = event("in_force:il.audit", "2029-05-01")
    assert shown(shipped("il.audit", [later], "2029-06-01", *IL)) == [("due", "2029-12-31")]


def test_every_rule_that_was_read_in_a_secondary_source_says_so():
    secondary = [
        "il.incident", "il.imminent-danger", "raise.incident", "raise.imminent-danger", "raise.internal-use-summary",
        "raise.disclosure-statement", "ct.whistleblower-quarterly", "ct.internal-channel",
    ]  # fmt: skip
    texts = {one.id: one.text for one in shipped_rules()}
    assert [one for one in secondary if "secondary" not in texts[one]] == []


def test_shipped_rules_name_shipped_calendars_and_have_text():
    known = {one.id for one in shipped_calendars()}
    assert {"utc", "us-ca", "us-ny", "us-il", "us-ct", "eu"} == known
    for pack in shipped_packs():
        for rule in pack.rules:
            assert rule.calendar in known
            assert rule.text
            assert rule.id.startswith(f"{pack.id}.")
            assert rule.only_if, f"{rule.id} would apply to everybody"


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.id)
def test_every_shipped_rule_is_listed(rule):
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "obligations.md").read_text(encoding="utf-8")
    row = next((line for line in page.splitlines() if line.startswith(f"| `{rule.id}` | {rule.title} |")), "")
    lengths = [one.within or one.before for one in rule.clocks or ()]
    wanted = [rule.calendar, *rule.only_if, *(one for one in (*lengths, rule.every) if one and one != "0 days")]
    wanted += [one.on for one in rule.clocks or ()] + [str(one) for one in (rule.in_force_from, rule.due) if one]
    assert row
    assert [one for one in wanted if one not in row] == []
