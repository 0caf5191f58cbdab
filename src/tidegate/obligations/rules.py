# SPDX-License-Identifier: Apache-2.0
"""Rules and calendars that ship, and those of a project put together with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from tidegate.kernel.documents import Document, PathKey, did_you_mean, parse_document, validate_part
from tidegate.kernel.errors import ObligationError, Problem, Where
from tidegate.obligations.calendars import COMPUTED, known_calendars, span, zone_of
from tidegate.obligations.engine import UTC_CALENDAR
from tidegate.obligations.model import CalendarSpec, ObligationFile, Rule, RulePack, Setting
from tidegate.obligations.reasons import IN_FORCE

FILE = "obligations.yaml"
IMPLIED: dict[str, tuple[str, ...]] = {"large_frontier_developer": ("frontier_developer",)}
"""Fact -> facts that are then so as well."""
FACTS: tuple[str, ...] = (
    "frontier_developer",
    "large_frontier_developer",
    "gpai_systemic_risk",
    "operates_in_california",
    "operates_in_new_york",
    "operates_in_illinois",
    "operates_in_connecticut",
)
"""Facts of an organisation that may be named although no rule asks for them."""


@lru_cache(maxsize=1)
def shipped_packs() -> tuple[RulePack, ...]:
    """Give the packs of rules that ship with Tidegate, by name."""
    folder = resources.files("tidegate.packs") / "obligations"
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".yaml")), key=lambda one: one.name)
    return tuple(
        validate_part(parse_document(one.read_bytes(), f"packs/obligations/{one.name}"), RulePack) for one in files
    )


def shipped_rules() -> tuple[Rule, ...]:
    """Give every rule that ships."""
    return tuple(rule for pack in shipped_packs() for rule in pack.rules)


def shipped_calendars() -> tuple[CalendarSpec, ...]:
    """Give every calendar that ships."""
    return tuple(calendar for pack in shipped_packs() for calendar in pack.calendars)


def with_implied(facts: Iterable[str]) -> frozenset[str]:
    """Give facts with those that follow from them: a large frontier developer is a frontier developer."""
    given = frozenset(facts)
    return given.union(*(IMPLIED.get(one, ()) for one in given))


def merged(
    file: ObligationFile, policy_rules: Iterable[Rule] = (), *, document: Document | None = None
) -> tuple[tuple[Rule, ...], Setting]:
    """Give all rules that hold for a project, and what they are read against; without waivers, which the log holds.

    Args:
        file: what the project adds.
        policy_rules: rules of the adopted policy.
        document: the file with its positions, for messages.

    Raises:
        ObligationError: OBL001, a rule contradicts itself, or two have the same id; OBL002, a calendar, a rule that is
            set aside, or a fact is not known. All problems at once.

    >>> rules, setting = merged(ObligationFile(schema_="tidegate/obligations/v1", facts=("large_frontier_developer",)))
    >>> "sb53.incident" in {rule.id for rule in rules}, sorted(setting.facts)
    (True, ['frontier_developer', 'large_frontier_developer'])
    """
    given = _Given(file, (*shipped_rules(), *policy_rules), document)
    calendars = known_calendars((UTC_CALENDAR, *shipped_calendars()), file.calendars)
    rules = (*given.others, *file.rules)
    problems = [
        *_calendar_problems(given),
        *_duplicates(given),
        *_rule_problems(given, calendars),
        *_unknown_names(given, rules),
    ]
    if problems:
        raise ObligationError(*problems)
    return rules, Setting(with_implied(file.facts), tuple(file.without.items()), calendars)


@dataclass(frozen=True)
class _Given:
    file: ObligationFile
    others: tuple[Rule, ...]
    document: Document | None

    def where(self, path: PathKey) -> Where:
        return self.document.where(path) if self.document is not None else Where(FILE)

    def located(self) -> Iterator[tuple[Rule, Where]]:
        """Give every rule with where it stands."""
        for rule in self.others:
            yield rule, Where(f"rule {rule.id}")
        for number, rule in enumerate(self.file.rules):
            yield rule, self.where(("rules", number))


def _calendar_problems(given: _Given) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, one in enumerate(given.file.calendars):
        where = given.where(("calendars", number))
        if one.id in seen:
            yield Problem("OBL001", f"the calendar {one.id!r} occurs twice", where, "keep one of them")
        seen.add(one.id)
        try:
            zone_of(one)
        except ObligationError as error:
            yield from (Problem(found.code, found.message, where, found.hint) for found in error.problems)
        if one.computed is not None and one.computed not in COMPUTED:
            hint = did_you_mean(one.computed, COMPUTED) or f"known: {', '.join(COMPUTED)}; others go under `holidays`"
            yield Problem("OBL002", f"no holidays can be computed for {one.computed!r}", where, hint)


def _duplicates(given: _Given) -> Iterator[Problem]:
    seen: set[str] = set()
    for rule, where in given.located():
        if rule.id in seen:
            hint = "give it another id; a rule that ships is set aside under `without`, with the reason"
            yield Problem("OBL001", f"two rules have the id {rule.id!r}", where, hint)
        seen.add(rule.id)


def _rule_problems(given: _Given, calendars: tuple[CalendarSpec, ...]) -> Iterator[Problem]:
    known = [one.id for one in calendars]
    for rule, where in given.located():
        if rule.calendar not in known:
            hint = did_you_mean(rule.calendar, known) or f"known: {', '.join(known)}"
            yield Problem(
                "OBL002", f"{rule.id!r} counts by the calendar {rule.calendar!r}, which is not known", where, hint
            )
        for message, hint in _contradictions(rule):
            yield Problem("OBL001", f"{rule.id!r} {message}", where, hint)


def _contradictions(rule: Rule) -> Iterator[tuple[str, str]]:
    clocks = rule.clocks or ()
    if rule.in_force_from and rule.in_force_until and rule.in_force_until <= rule.in_force_from:
        yield "is out of force before it comes into force", "exchange or correct the two dates"
    both = {*rule.only_if}.intersection(rule.not_if)
    for one in clocks:
        both |= {*rule.only_if, *one.only_if}.intersection((*rule.not_if, *one.not_if))
    if both:
        yield f"asks for {', '.join(sorted(both))} and excludes it", "keep one of the two"
    if rule.ends_on and rule.every is None:
        yield "ends on an event and does not recur", "give `every`, or leave out `ends_on`"
    if rule.every is not None and (span(rule.every).count == 0 or any(one.before for one in clocks)):
        yield "recurs without an interval, or before something planned", "give a length, and count `within`"
    if rule.anchor != "event" and (rule.due or any(one.before for one in clocks)):
        yield "counts from the end of a calendar period and from a fixed or planned day", "leave out `anchor`"
    if rule.anchor != "event" and rule.every is not None and span(rule.every).unit != "months":
        yield "recurs by the calendar in days", "give `every` in months or years, or leave out `anchor`"
    if rule.in_force_from is None and any(one.on == IN_FORCE for one in clocks):
        yield "counts from coming into force and says no day", "give `in_force_from`"


def _unknown_names(given: _Given, rules: tuple[Rule, ...]) -> Iterator[Problem]:
    ids = [rule.id for rule in rules]
    for name in given.file.without:
        if name not in ids:
            hint = did_you_mean(name, ids) or "see the list of rules"
            yield Problem("OBL002", f"there is no rule {name!r} to set aside", given.where(("without", name)), hint)
    facts = sorted({*FACTS, *(fact for rule in rules for fact in _facts(rule))})
    for number, fact in enumerate(given.file.facts):
        if fact not in facts:
            hint = did_you_mean(fact, facts) or f"known: {', '.join(one for one in facts if '.' not in one)}"
            yield Problem("OBL002", f"no rule asks for the fact {fact!r}", given.where(("facts", number)), hint)


def _facts(rule: Rule) -> Iterator[str]:
    yield from (*rule.only_if, *rule.not_if)
    for clock in rule.clocks or ():
        yield from (*clock.only_if, *clock.not_if)
