# SPDX-License-Identifier: Apache-2.0
"""Plain factories for what an organisation publishes: content with practices, answers and a model, as small as asked."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from factories import a_count, a_model, a_policy, a_record, a_set
from tidegate.assess import assess
from tidegate.evidence.models import Model
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import find_framework, shipped_frameworks
from tidegate.publish.content import Content, LogHead, PublishedModel
from tidegate.publish.inventory import Inventory, Known
from tidegate.publish.practices import Answer, ModelPage, Practice, Publication, Statement

AT = date(2026, 11, 21)
RECORD = Known("evidence:r1", "Eval A", "verified", date(2026, 10, 1), entry=7, href="evidence/r1.html")
ASSESSMENT = Known("assessment:m", "Assessment of Model M", "verified", AT)
HEAD = LogHead("lab.example/safety", 42, "cm9vdA==", "lab.example/safety\n42\ncm9vdA==\n")
WORDS = "We test every model before its release, and write down what was found."


def a_statement(text: str = WORDS, *evidence: str, **changes: Any) -> Statement:
    return Statement(text=text, evidence=evidence, **{"as_of": date(2026, 11, 1), **changes})


def a_practice(name: str = "testing", *commitments: str, **changes: Any) -> Practice:
    given = {
        "section": "risk.assessment",
        "title": name.replace("-", " ").capitalize(),
        "as_of": date(2026, 11, 1),
        "statements": (a_statement(WORDS, "evidence:r1"),),
        "commitments": commitments,
    }
    return Practice(id=name, **{**given, **changes})


def an_answer(to: str, text: str | None = WORDS, **changes: Any) -> Answer:
    return Answer(to=to, text=text, **{"as_of": date(2026, 11, 1), **changes})


def a_page(**changes: Any) -> ModelPage:
    given = {
        "model": "m",
        "languages": ("en", "fr"),
        "outputs": ("text",),
        "intended_uses": (a_statement("Work with text.", "evidence:r1"),),
        "restrictions": (a_statement("Not for medical advice."),),
    }
    return ModelPage(**{**given, **changes})


def a_published_model(page: ModelPage | None = None, **changes: Any) -> PublishedModel:
    model = Model(**{**a_model("m").model_dump(by_alias=True), "name": "Model M", "released": "2026-11-20", **changes})
    made = assess(a_policy(), a_set(a_record("r1", a_count(5, 200))), [model], AT)
    return PublishedModel(model, made.models[0], page)


def a_questionnaire(*items: dict[str, Any], **changes: Any) -> Framework:
    given = {
        "schema": "tidegate/framework/v1",
        "id": "ask",
        "version": "1",
        "title": "Questionnaire",
        "publisher": "Somebody",
        "date": "2026",
        "source": "made up",
        "kind": "questionnaire",
        "status": "active",
        "items": items,
    }
    return Framework.model_validate({**given, **changes})


def a_content(
    practices: Iterable[Practice] = (),
    answers: Iterable[Answer] = (),
    models: Iterable[PublishedModel] = (),
    **changes: Any,
) -> Content:
    given = {
        "organisation": "Example Lab",
        "at": AT,
        "policy": a_policy(),
        "publication": Publication(practices=tuple(practices), answers=tuple(answers)),
        "sections": find_framework("hub"),
        "crosswalk": find_framework("crosswalk"),
        "frameworks": shipped_frameworks(),
        "inventory": Inventory({one.ref: one for one in (RECORD, ASSESSMENT)}),
        "evidence": {"r1": a_record("r1", a_count(5, 200))},
        "models": tuple(models),
        "head": HEAD,
        "website": "https://lab.example",
        "contact": "safety@lab.example",
    }
    return Content(**{**given, **changes})
