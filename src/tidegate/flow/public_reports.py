# SPDX-License-Identifier: Apache-2.0
"""Reports for the public, made from what the project publishes: those of laws and policies, and questionnaires.

Nothing is given back that holds withheld words, and nothing as final that lacks something.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, NamedTuple, get_args

from tidegate.flow.publishing import Collected, collect
from tidegate.flow.world import World
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import AssessError, Problem, ProjectError, PublicationError
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import find_framework, shipped_frameworks
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.haip import FilledQuestionnaire, haip_report
from tidegate.publish.oscal import assessment_results, component_definition, oscal_bytes
from tidegate.publish.page_layout import plain_text
from tidegate.publish.printing import FORMS, Form, printed
from tidegate.publish.redactions import leaks
from tidegate.publish.report_blocks import Page
from tidegate.publish.report_filling import FilledReport, check_items, fill, find_template, template_names, templates
from tidegate.publish.report_schemas import questionnaire_schema
from tidegate.publish.report_schemas import report_schema as schema_of_template
from tidegate.publish.report_templates import ReportTemplate
from tidegate.publish.system_card import system_card
from tidegate.store.publication import read_frameworks

QUESTIONNAIRE = "haip"
"""The questionnaire that is answered if none is named."""
SYSTEM_CARD = "system-card"
"""The report that, as Markdown, begins with the block of metadata that model hubs read."""
OutputForm = Literal["md", "html", "docx", "pdf", "json"]
"""What a report can be made as."""
_TEXT = frozenset({"md", "html", "json"})


@dataclass(frozen=True)
class Made:
    """An output, with what a person should know of it."""

    data: bytes
    """Its bytes: the same for the same records."""
    page: Page | None
    """What it shows, before it is printed as anything; none for an export that has no page."""
    problems: tuple[Problem, ...]
    """What a draft lacks, as warnings; nothing for a final one."""
    summary: str
    """How it stands, in a few words."""
    is_text: bool
    """True if it can be shown on a terminal."""


class Kind(NamedTuple):
    """Something that can be made."""

    id: str
    title: str
    version: str
    subject: str
    """``organisation`` or ``model``; ``questionnaire`` for what `make_haip` answers."""


def report_kinds(world: World | None = None) -> tuple[Kind, ...]:
    """Give every kind of report, then every questionnaire; those of the project too, if one is given."""
    reports = tuple(Kind(one.id, one.title, one.version, one.subject) for one in templates())
    asked = {one.label: one for one in (*_own(world), *shipped_frameworks().values()) if one.kind == "questionnaire"}
    return (*reports, *(Kind(label, one.title, one.version, "questionnaire") for label, one in sorted(asked.items())))


def report_schema(kind: str, world: World | None = None) -> dict[str, Any]:
    """Give the JSON Schema of a report's machine-readable form, or of a questionnaire's.

    Raises:
        PublicationError: PUB002, there is no such kind of report or questionnaire.
    """
    own = _own(world)
    if kind not in template_names() and kind.partition("@")[0] in _questionnaires(own):
        return questionnaire_schema(find_framework(kind, own))
    return schema_of_template(find_template(kind))


def make_report(  # noqa: PLR0913 - each is an option of the command
    world: World,
    kind: str,
    model: str | None,
    form: str,
    *,
    final: bool = False,
    at: date | None = None,
    hub: str = "",
) -> Made:
    """Make a report that a law, a code or the policy asks for; a draft names what is missing in it.

    ``hub`` is the address of the hub, for links from a report that does not stand at its root.

    Raises:
        PublicationError: PUB002, there is no such kind; PUB001, it is to be final and something is missing; PUB006, it
            would hold withheld words.
        AssessError: ASM001, the model is not known.
        ProjectError: PRJ005, the form is not known, or a model is named or lacking against the kind of report.
    """
    chosen = _form(form)
    template = _template(kind, world)
    collected = collect(world, at)
    check_items(template, collected.content.frameworks)
    filled = fill(template, collected.content, _subject(template, collected.content, model), collected.facts)
    return _made(filled, filled.to_page(is_final=final, hub=hub), chosen, collected)


def make_haip(  # noqa: PLR0913 - each is an option of the command
    world: World,
    form: str,
    *,
    final: bool = False,
    version: str | None = None,
    role: str | None = None,
    at: date | None = None,
    hub: str = "",
) -> Made:
    """Answer a questionnaire: that of the Hiroshima AI Process, or the one named as ``id`` or ``id@version``.

    ``hub`` is the address of the hub, for links from a report that does not stand at its root.

    Raises:
        PublicationError: PUB002, there is no such questionnaire, version or role; PUB001, it is to be final and a
            question has no answer that counts; PUB006, it would hold withheld words.
        ProjectError: PRJ005, the form is not known.
    """
    chosen = _form(form)
    collected = collect(world, at)
    questionnaire = _questionnaire(version, collected.content, _own(world))
    filled = haip_report(collected.content, questionnaire, role=role)
    return _made(filled, filled.to_page(is_final=final, hub=hub), chosen, collected)


def make_oscal(world: World, what: str, *, at: date | None = None) -> Made:
    """Export what is published to OSCAL: ``assessment-results`` or ``component-definition``.

    Raises:
        ProjectError: PRJ005, there is no such export.
        AssessError: ASM001, the project has no model to give results of.
        PublicationError: PUB006, it would hold withheld words.
    """
    if what not in _OSCAL:
        hint = did_you_mean(what, _OSCAL) or f"exports: {', '.join(_OSCAL)}"
        raise ProjectError(Problem("PRJ005", f"there is no export {what!r}", None, hint))
    collected = collect(world, at)
    if what == "assessment-results" and not collected.content.models:
        message = "the project has no model to give results of"
        raise AssessError(Problem("ASM001", message, None, "add models/NAME.yaml"))
    document = _OSCAL[what](collected.content)
    data = _checked(f"the export as OSCAL {what}", oscal_bytes(document), collected)
    return Made(data, None, (), f"OSCAL {what.replace('-', ' ')}", is_text=True)


_OSCAL: Mapping[str, Callable[[Content], dict[str, Any]]] = {
    "assessment-results": assessment_results,
    "component-definition": component_definition,
}


# --- what was meant -------------------------------------------------------------------------------------


def _form(form: str) -> OutputForm:
    known: tuple[OutputForm, ...] = get_args(OutputForm)
    for one in known:
        if one == form:
            return one
    hint = did_you_mean(form, known) or f"forms: {', '.join(known)}"
    raise ProjectError(Problem("PRJ005", f"there is no form {form!r}", None, hint))


def _own(world: World | None) -> tuple[Framework, ...]:
    return read_frameworks(world.root) if world is not None else ()


def _template(kind: str, world: World) -> ReportTemplate:
    if kind not in template_names() and kind.partition("@")[0] in _questionnaires(_own(world)):
        hint = f"answer it with `tidegate publish haip --questionnaire {kind}`"
        raise PublicationError(Problem("PUB002", f"{kind} is a questionnaire, and no report", None, hint))
    return find_template(kind)


def _questionnaires(own: tuple[Framework, ...]) -> frozenset[str]:
    return frozenset(one.id for one in (*shipped_frameworks().values(), *own) if one.kind == "questionnaire")


def _questionnaire(name: str | None, content: Content, own: tuple[Framework, ...]) -> Framework:
    """Give the questionnaire that is meant: without a version, the one that the project's commitments name."""
    wanted = name or QUESTIONNAIRE
    if "@" in wanted:
        return find_framework(wanted, own)
    return content.frameworks.get(wanted) or find_framework(wanted, own)


def _subject(template: ReportTemplate, content: Content, name: str | None) -> PublishedModel | None:
    known = [one.model.id for one in content.models]
    if template.subject == "organisation":
        if name is not None:
            raise ProjectError(Problem("PRJ005", f"{template.id} is about the organisation, not about a model"))
        return None
    if name is None:
        if len(content.models) == 1:
            return content.models[0]
        hint = f"name one with --model: {', '.join(known) or 'there is none yet; add models/NAME.yaml'}"
        raise ProjectError(Problem("PRJ005", f"{template.id} is about one model", None, hint))
    found = content.model(name)
    if found is None:
        hint = did_you_mean(name, known) or f"models: {', '.join(known) or 'none yet; add models/NAME.yaml'}"
        raise AssessError(Problem("ASM001", f"there is no model {name!r}", None, hint))
    return found


# --- the output -----------------------------------------------------------------------------------------


def _made(filled: FilledReport | FilledQuestionnaire, page: Page, form: OutputForm, collected: Collected) -> Made:
    is_final = page.is_final
    if is_final and collected.content.doubts:
        hint = "see `tidegate ledger verify` and `tidegate ledger record`"
        raise PublicationError(
            *(Problem("PUB001", f"the log is in doubt: {one}", None, hint) for one in collected.content.doubts)
        )
    data = _json_bytes(filled.to_json(is_final=is_final)) if form == "json" else _printed(filled, page, form)
    warnings = () if is_final else tuple(replace(one, severity="warning") for one in filled.problems)
    # Words in pictures are pixels in some forms, so that the page's own words are searched as well.
    _checked(f"the text of the output as {form}", plain_text(page).encode(), collected)
    return Made(_checked(f"the output as {form}", data, collected), page, warnings, page.status, form in _TEXT)


def _printed(filled: FilledReport | FilledQuestionnaire, page: Page, form: OutputForm) -> bytes:
    data = printed(page, _page_form(form))
    if form == "md" and isinstance(filled, FilledReport) and filled.template.id == SYSTEM_CARD and filled.model:
        return system_card(filled.content, filled.model, data.decode()).encode()
    return data


def _checked(name: str, data: bytes, collected: Collected) -> bytes:
    """Give an output back, only if it holds no withheld words.

    Raises:
        PublicationError: PUB006, it does.
    """
    found = leaks({name: data}, collected.secrets)
    if found:
        raise PublicationError(*found)
    return data


def _page_form(form: OutputForm) -> Form:
    return next(one for one in FORMS if one == form)


def _json_bytes(data: Mapping[str, Any]) -> bytes:
    # ASCII only: what people write cannot steer a terminal that shows it.
    return (json.dumps(data, indent=2) + "\n").encode()
