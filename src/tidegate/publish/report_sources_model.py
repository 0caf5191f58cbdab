# SPDX-License-Identifier: Apache-2.0
"""What fills fields about the organisation and about a model: its page, its file, its deployments."""

from collections.abc import Callable, Mapping

from babel import Locale, UnknownLocaleError

from tidegate.kernel.duration import first_day
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.practices import ModelPage, Statement
from tidegate.publish.report_blocks import Paragraph, listing
from tidegate.publish.report_sources_words import known, plain_list, short, stated, tabled
from tidegate.publish.report_templates import Filling, Source
from tidegate.publish.words import ACTION_WORDS, one_line


def _statements(part: Callable[[ModelPage], tuple[Statement, ...]]) -> Source:
    def source(content: Content, model: PublishedModel | None) -> Filling | None:
        page = model.page if model else None
        return stated(part(page), content, (page.model,)) if page else None

    return source


def _names(title: str, part: Callable[[ModelPage], tuple[str, ...]]) -> Source:
    def source(content: Content, model: PublishedModel | None) -> Filling | None:
        page = model.page if model else None
        if model is None or page is None or not part(page):
            return None
        shown = part(page)
        # The page says so, and no record does.
        return Filling(listing(title, map(one_line, shown)), list(shown), (), content.at)

    return source


def _word(part: Callable[[ModelPage], str | None]) -> Source:
    def source(content: Content, model: PublishedModel | None) -> Filling | None:
        page = model.page if model else None
        if model is None or page is None:
            return None
        return short(part(page), part(page), (), content.at)

    return source


def _model_refs(content: Content, model: PublishedModel) -> tuple[str, ...]:
    return known(content, (f"model:{model.model.id}",))


def language_name(tag: str) -> str:
    """Give a language for readers: its English name where it is known, and the tag.

    >>> language_name("pt-BR"), language_name("xx")
    ('Portuguese (Brazil) (pt-BR)', 'xx')
    """
    try:
        name = Locale.parse(tag, sep="-").get_display_name("en")
    except (UnknownLocaleError, ValueError):
        return one_line(tag)
    return f"{name} ({tag})" if name else tag


def _languages(content: Content, model: PublishedModel | None) -> Filling | None:
    page = model.page if model else None
    if model is None or page is None or not page.languages:
        return None
    lines = [language_name(one) for one in page.languages]
    return Filling(listing("Languages", lines), list(page.languages), (), content.at)


def _released(content: Content, model: PublishedModel | None) -> Filling | None:
    if model is None:
        return None
    day = model.model.released
    is_later = day is not None and first_day(day) > content.at
    words = f"To be released {day}." if is_later else f"Released {day}."
    return short(words if day else None, day, _model_refs(content, model), content.at)


def _identity(content: Content, model: PublishedModel | None) -> Filling | None:
    if model is None:
        return None
    about = model.model
    data = {
        "id": about.id,
        "name": about.title,
        "developer": about.developer or content.organisation,
        "also_known_as": list(about.aliases),
        "assessed_snapshot": model.assessment.snapshot,
        "base_model": model.page.base_model if model.page else None,
    }
    rows = [(name.replace("_", " "), _shown(value)) for name, value in data.items() if value]
    return Filling(tabled("The model", ("What", "Value"), rows), data, _model_refs(content, model), content.at)


def _shown(value: object) -> str:
    return plain_list(value) if isinstance(value, list) else one_line(str(value))


def _versions(content: Content, model: PublishedModel | None) -> Filling | None:
    if model is None or not model.model.snapshots:
        return None
    snapshots = model.model.snapshots
    data = [{"id": one.id, "created": one.created, "effective_compute": one.effective_compute} for one in snapshots]
    rows = [
        (
            one.id + (" (assessed)" if one.id == model.assessment.snapshot else ""),
            one.created or "not dated",
            "not stated" if one.effective_compute is None else f"{one.effective_compute:g}",
        )
        for one in snapshots
    ]
    heads = ("Snapshot", "Made", "Effective compute, in the project's unit")
    return Filling(tabled("Snapshots", heads, rows), data, _model_refs(content, model), content.at)


def _deployments(content: Content, model: PublishedModel | None) -> Filling | None:
    if model is None or not model.model.deployments:
        return None
    uses = model.model.deployments
    data = [one.model_dump(mode="json", exclude_none=True) for one in uses]
    rows = [
        (
            ACTION_WORDS[one.action],
            one.since.isoformat() if one.since else "not stated",
            one.until.isoformat() if one.until else "",
            one.note or "",
        )
        for one in uses
    ]
    heads = ("Use", "Since", "Until", "Remark")
    return Filling(tabled("How it is used", heads, rows), data, _model_refs(content, model), content.at)


def _gates(content: Content, model: PublishedModel | None) -> Filling | None:
    if model is None:
        return None
    gates = model.assessment.gates
    rows = [
        (
            ACTION_WORDS[one.action],
            "open" if one.open else "closed",
            "; ".join(reason.message for reason in one.reasons if reason.closes == (not one.open)),
        )
        for one in gates
    ]
    data = [{"action": one.action, "open": one.open, "reasons": [r.message for r in one.reasons]} for one in gates]
    intro = Paragraph(("A closed gate means that the policy does not allow the use on what is recorded.",))
    refs = known(content, (f"assessment:{model.model.id}",))
    return Filling((intro, *tabled("Gates", ("Use", "Gate", "Why"), rows)), data, refs, content.at)


# --- the organisation ----------------------------------------------------------------------------------


def _organisation(content: Content, _model: PublishedModel | None) -> Filling | None:
    return short(content.organisation, content.organisation, (), content.at)


def _website(content: Content, _model: PublishedModel | None) -> Filling | None:
    return short(content.website, content.website, (), content.at)


def _contact(content: Content, _model: PublishedModel | None) -> Filling | None:
    return short(content.contact, content.contact, (), content.at)


SOURCES: Mapping[str, Source] = {
    "model.identity": _identity,
    "model.description": _statements(lambda page: page.description),
    "model.languages": _languages,
    "model.inputs": _names("Inputs", lambda page: page.inputs),
    "model.outputs": _names("Outputs", lambda page: page.outputs),
    "model.licence": _word(lambda page: page.licence),
    "model.base_model": _word(lambda page: page.base_model),
    "model.intended_uses": _statements(lambda page: page.intended_uses),
    "model.restrictions": _statements(lambda page: page.restrictions),
    "model.limits": _statements(lambda page: page.limits),
    "model.behaviour": _statements(lambda page: page.behaviour),
    "model.safeguards": _statements(lambda page: page.safeguards),
    "model.training_data": _statements(lambda page: page.training_data),
    "model.knowledge_cutoff": _word(lambda page: page.knowledge_cutoff),
    "model.released": _released,
    "model.versions": _versions,
    "model.deployments": _deployments,
    "model.gates": _gates,
    "organisation.name": _organisation,
    "organisation.website": _website,
    "organisation.contact": _contact,
    "model.website": _website,
    "model.contact": _contact,
}
"""Sources about the organisation and the model."""
