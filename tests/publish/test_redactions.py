# SPDX-License-Identifier: Apache-2.0
"""Withheld words: replaced everywhere, told in a register, and found if they stand anywhere all the same."""

import base64
import gzip
import hashlib
import html
import io
import json
import unicodedata
import zipfile
from datetime import date
from typing import get_args
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pypdf import PdfReader

from tidegate.evidence.redaction import Ground, Withheld
from tidegate.kernel.errors import PublicationError
from tidegate.publish.leaks import leaks
from tidegate.publish.markdown import escaped
from tidegate.publish.page_layout import plain_text
from tidegate.publish.practices import (
    Answer,
    Change,
    ChangeFile,
    ModelPage,
    Practice,
    Publication,
    Statement,
    TextRedaction,
)
from tidegate.publish.printing import FORMS, printed
from tidegate.publish.redactions import GROUND_WORDS, apply, is_revealed, register_page_section, survey
from tidegate.publish.report_blocks import (
    Code,
    Link,
    Mark,
    Page,
    Paragraph,
    Picture,
    Section,
    facts,
    grid,
    listing,
    said,
)

SALT = "5a" * 32


def a_redaction(name="R-1", **changes) -> TextRedaction:
    given = {
        "id": name,
        "ground": "trade_secret",
        "character": "name of a supplier",
        "justification": "the contract forbids it",
        "salt": SALT,
    }
    return TextRedaction(**(given | changes))


def a_practice(*texts: str, **changes) -> Practice:
    given = {"id": "hardening", "section": "security", "title": "Hardening"}
    return Practice(**(given | {"statements": tuple(Statement(text=one) for one in texts or ("Done.",))} | changes))


def a_publication(*texts: str, redactions=None, **changes) -> Publication:
    given = {"practices": (a_practice(*texts),), "redactions": (a_redaction(),) if redactions is None else redactions}
    return Publication(**(given | changes))


# --- the edition ---------------------------------------------------------------------------------------


def test_marked_words_are_replaced_and_told():
    made = apply(a_publication("Made by [[R-1|Acme Vaults]] in 2026.", "Again: [[ R-1 |Acme Vaults]]"))
    assert [one.text for one in made.publication.practices[0].statements] == [
        "Made by [withheld R-1: trade secret] in 2026.",
        "Again: [withheld R-1: trade secret]",
    ]
    (told,) = made.withheld
    assert told.digest == "sha256:" + hashlib.sha256(bytes.fromhex(SALT) + b"Acme Vaults").hexdigest()
    assert told.where == ("practice hardening",)
    assert made.secrets == {"Acme Vaults", SALT}
    assert made.publication.redactions == ()
    assert "Acme" not in repr(made.publication)
    assert made.problems == ()


def test_without_marks_nothing_changes():
    given = a_publication(redactions=())
    made = apply(given)
    assert made.publication == given
    assert made.publication.practices[0] is given.practices[0]
    assert (made.withheld, made.secrets, made.problems) == ((), frozenset(), ())


def texts_in(value, path=()):
    """Give the path of every text that may hold words, found by another way than the code's."""
    if isinstance(value, BaseModel):
        value = value.__dict__
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from texts_in(one, (*path, key))
    elif isinstance(value, list | tuple):
        for key, one in enumerate(value):
            yield from texts_in(one, (*path, key))


def changed(value, path, text):
    """Give a record with another text in one place, unchecked, as a reader of files might have let it in."""
    if not path:
        return text
    key, *rest = path
    if isinstance(value, BaseModel):
        return value.model_copy(update={key: changed(getattr(value, key), rest, text)})
    if isinstance(value, dict):
        return value | {key: changed(value[key], rest, text)}
    return tuple(changed(one, rest, text) if at == key else one for at, one in enumerate(value))


FULL = Publication(
    practices=(
        a_practice(
            since="2026",
            as_of=date(2026, 1, 1),
            owner="somebody",
            cadence="P1Y",
            evidence=("evidence:e1",),
            commitments=("haip#1a",),
            models=("m",),
        ),
    ),
    answers=(
        Answer(
            to="haip#1a", text="Yes.", choice="yes", practices=("hardening",), evidence=("decision:D-1",), model="m"
        ),
    ),
    pages=(
        ModelPage(
            model="m",
            description=(Statement(text="A model.", evidence=("policy:adopted",)),),
            licence="Apache-2.0",
            languages=("en",),
            inputs=("text",),
            outputs=("text",),
            base_model="base",
            knowledge_cutoff="2025",
        ),
    ),
    redactions=(a_redaction(),),
    changes=ChangeFile(
        changes=(Change(on=date(2026, 1, 1), title="Something", about="practice:x"),),
        published={"practice:x": "sha256:1"},
    ),
)
PLACES = [one for one in texts_in(FULL) if one[0] != "redactions"]
WORDS = {"title", "owner", "text", "licence", "languages", "inputs", "outputs", "base_model", "published"}
"""Fields whose text is words, or may be; all others name something."""


def test_the_full_publication_has_every_field():
    for kind, one in (
        (Practice, FULL.practices[0]),
        (Answer, FULL.answers[0]),
        (Change, FULL.changes.changes[0]),
        (Statement, FULL.pages[0].description[0]),
    ):
        left = {name for name in kind.model_fields if getattr(one, name) in (None, ())}
        assert not left - {"as_of"}, "give the new field a value above"


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_no_field_is_forgotten(path):
    marked = changed(FULL, path, "before [[R-1|Acme Vaults]]")
    name = next(one for one in reversed(path) if isinstance(one, str) and ":" not in one)
    if name in WORDS:
        made = apply(marked)
        assert "Acme" not in repr(made.publication)
        assert "before [withheld R-1: trade secret]" in repr(made.publication)
    else:
        with pytest.raises(PublicationError) as refused:
            apply(marked)
        assert refused.value.problems[0].code == "PUB005"
        assert "Acme" not in str(refused.value)


def test_a_mark_in_a_name_of_a_mapping_is_refused():
    changes = ChangeFile(published={"practice:[[R-1|Acme]]": "sha256:1"})
    with pytest.raises(PublicationError, match="a mark stands in a name"):
        apply(Publication(changes=changes, redactions=(a_redaction(),)))


def test_a_block_may_be_longer_than_a_text_may_be():
    made = apply(a_publication("x" * 19_980 + "[[R-1|Acme Vault]]"))
    assert made.publication.practices[0].statements[0].text.endswith("[withheld R-1: trade secret]")


@pytest.mark.parametrize(
    ("text", "said_of_it"),
    [
        ("[[R-2|Acme Vaults]]", "the register has no redaction R-2"),
        ("[[R-1|Acme Vaults]", "a mark is not closed"),
        ("[[R-1|Acme Vaults", "a mark is not closed"),
        ("[R-1|Acme Vaults]]", "`]]` closes no mark"),
        ("[R-1|Acme Vaults]", "`R-1|` stands outside a mark: a bracket is missing"),
        ("R-1|Acme Vaults]", "`R-1|` stands outside a mark: a bracket is missing"),
        ("[[R-1|Acme [[R-1|Vaults]]]]", "a mark stands within a mark"),
        ("[[R-1 Acme Vaults]]", "a mark lacks its name or its words"),
        ("[[R-1|]]", "a mark lacks its name or its words"),
        ("[[R-1| \n ]]", "a mark lacks its name or its words"),
        ("[[|Acme Vaults]]", "a mark lacks its name or its words"),
        ("[[R-1|Acme[0]]]", "a mark ends with three brackets, so that it is not clear what it holds"),
        ("[[R-1|Acme]] and [[R-1|Vaults]]", "R-1 withholds other words elsewhere"),
    ],
)
def test_a_mark_that_is_not_in_order_is_refused(text, said_of_it):
    with pytest.raises(PublicationError) as refused:
        apply(a_publication(text))
    problems = refused.value.problems
    assert [one.code for one in problems] == ["PUB005"]
    assert problems[0].message == f"practice hardening, statements.0.text: {said_of_it}"
    assert "Acme" not in str(refused.value)


def test_everything_that_is_wrong_is_told_at_once():
    given = a_publication(
        "[[R-9|x]]", "[[R-1|", redactions=(a_redaction(), a_redaction(), a_redaction("R-3", character="[[R-1|it]]"))
    )
    with pytest.raises(PublicationError) as refused:
        apply(given)
    assert {one.message for one in refused.value.problems} == {
        "two redactions are called R-1",
        "R-3: a mark stands in the register, whose words are published",
        "practice hardening, statements.0.text: the register has no redaction R-9",
        "practice hardening, statements.1.text: a mark is not closed",
    }


def test_what_the_register_does_not_need_is_a_warning():
    made = survey(a_publication("[[R-1|ab]]", redactions=(a_redaction(), a_redaction("R-2"))))
    assert made.unused == ("R-2",)
    assert [(one.code, one.severity) for one in made.problems] == [("PUB005", "warning")] * 2
    assert made.problems[0].message == "no text marks anything as R-2"
    assert made.problems[1].message.startswith("R-1 withholds fewer than 4 characters")
    assert apply(a_publication("[[R-1|ab]]", redactions=(a_redaction(), a_redaction("R-2")))).problems == made.problems


@pytest.mark.parametrize(
    ("words", "salt", "expected"),
    [
        ("Acme Vaults", SALT, True),
        ("Acme", SALT, False),
        ("Acme Vaults", "00" * 32, False),
        ("Acme Vaults", "x", False),
    ],
)
def test_words_and_salt_show_what_was_withheld(words, salt, expected):
    told = apply(a_publication("[[R-1|Acme Vaults]]")).withheld[0]
    assert is_revealed(words, salt, told.digest) is expected


# --- the register --------------------------------------------------------------------------------------


def test_the_register_tells_counts_and_reasons():
    words = apply(a_publication("[[R-1|Acme Vaults]]")).withheld
    evidence = Withheld(
        record="e1",
        field="note",
        ground="public_safety",
        justification="hazardous",
        character="agents",
        digest=words[0].digest,
    )
    text = plain_text(Page("T", "", "", True, (), (register_page_section(words, (evidence,)),)))
    for told in (
        "2 passages are withheld. The originals are kept.",
        "trade secret\t1",
        "public safety\t1",
        f"R-1\ttrade secret\tname of a supplier\tthe contract forbids it\t{words[0].digest}",
        f"e1, note\tpublic safety\tagents\thazardous\t{words[0].digest}",
    ):
        assert told in text
    assert "1 passage is withheld." in plain_text(Page("T", "", "", True, (), (register_page_section(words),)))
    empty = register_page_section(())
    assert empty.blocks == (Paragraph(("Nothing is withheld.",)),)


def test_every_ground_has_its_words():
    assert set(GROUND_WORDS) == set(get_args(Ground))


# --- the last check ------------------------------------------------------------------------------------

SECRET = "Zephyr & <Sons> “Vault” no. 7"


def zipped(data: bytes, name: str = "inner.xml", comment: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
        archive.comment = comment
    return made.getvalue()


def pdf_of(*blocks, title="T") -> bytes:
    return printed(Page(title, "", "", True, (), (Section("S", blocks),)), "pdf")


PLANTED = {
    "plain": SECRET.encode(),
    "other case": SECRET.upper().encode(),
    "other spaces": SECRET.replace(" ", "\n   ").encode(),
    "no spaces": SECRET.replace(" ", "").encode(),
    "soft hyphens": SECRET.replace("phyr", "ph\u00adyr").encode(),
    "soft hyphen as entity": html.escape(SECRET).replace("phyr", "ph&shy;yr").encode(),
    "wide letters": SECRET.replace("Zephyr", "\uff3aephyr").encode(),
    "html": f"<p>{html.escape(SECRET)}</p>".encode(),
    "html in parts": f"<p>{html.escape(SECRET).replace('Vault', '<b>Va</b>ult')}</p>".encode(),
    "html with places to break": html.escape(SECRET).replace("Zephyr", "Zep<wbr>hyr").encode(),
    "html twice": html.escape(html.escape(SECRET)).encode(),
    "numeric entities": "".join(f"&#{ord(one)};" if not one.isalnum() else one for one in SECRET).encode(),
    "attribute": f'<a title="{html.escape(SECRET)}">x</a>'.encode(),
    "comment": f"<!-- {SECRET} -->".encode(),
    "markdown": escaped(SECRET).encode(),
    "json": json.dumps({"x": SECRET}).encode(),
    "json kept": json.dumps({"x": SECRET}, ensure_ascii=False).encode(),
    "html in json": json.dumps({"x": html.escape(SECRET)}).encode(),
    "json in html": html.escape(json.dumps({"x": SECRET})).encode(),
    "script": SECRET.replace("&", "\\u0026").replace("<", "\\u003c").encode(),
    "address": f"https://example.org/?q={quote(SECRET)}".encode(),
    "calendar": f"SUMMARY:{SECRET[:9]}\r\n {SECRET[9:]}".encode(),
    "data in an address": b"data:text/plain;base64," + base64.b64encode(SECRET.encode()),
    "archive": zipped(html.escape(SECRET).encode()),
    "archive in an archive": zipped(zipped(SECRET.encode())),
    "name in an archive": zipped(b"", f"{SECRET}.txt"),
    "comment of an archive": zipped(b"", comment=SECRET.encode()),
    "packed": gzip.compress(SECRET.encode()),
    "picture": b"\x89PNG\r\n\x1a\n" + SECRET.encode() + b"\xff\x00",
    "pdf text": pdf_of(Paragraph((f"words {SECRET} words",))),
    "pdf over lines": pdf_of(*grid("T", ("A",) * 7, [(SECRET,) * 7])),
    "pdf title": pdf_of(title=SECRET),
    "pdf heading": printed(Page("T", "", "", True, (), (Section(SECRET),)), "pdf"),
    "pdf address": pdf_of(Paragraph((Link("x", f"https://example.org/{SECRET.replace(' ', '')}"),))),
    "pdf picture": pdf_of(Picture("<svg xmlns='http://www.w3.org/2000/svg'/>", SECRET)),
    "pdf within a picture": pdf_of(
        Picture(
            f"<svg xmlns='http://www.w3.org/2000/svg' width='900' height='40'><text y='20'>{html.escape(SECRET)}</text></svg>",
            "x",
        )
    ),
    "pdf code": pdf_of(Code("", SECRET)),
}


@pytest.mark.parametrize("form", PLANTED)
def test_planted_words_are_found(form):
    (found,) = leaks({"clean.html": b"<p>nothing</p>", "planted": PLANTED[form]}, {SECRET})
    assert (found.code, found.where.file) == ("PUB006", "planted")
    assert "Zephyr" not in str(found)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "secret", [SECRET, "Acme", "Ångström-Fabrik", "שלום עולם טוב", "شركة المثال الكبرى", "東京工場第三"]
)
def test_planted_words_are_found_in_every_form(form, secret):
    pages = {
        "text": Page("T", "", "", True, (), (Section("S", (Paragraph((f"a {secret} b",)),)),)),
        "title": Page(secret, "", "", True, (), ()),
        "cell": Page("T", "", "", True, (), (Section("S", grid("C", ("H",), [(secret,)])),)),
        "foot": Page("T", "", "", True, (), (), footer=(f"x {secret}",)),
    }
    outputs = {name: printed(page, form) for name, page in pages.items()}
    assert [one.where.file for one in leaks(outputs, {secret})] == list(pages)


def test_parts_that_are_printed_apart_are_found():
    secret = "The first paragraph is long.\n\nThe second cites {r1} in its middle."
    outputs = {
        "one": b"<p>The first paragraph is long.</p>",
        "two": b"> The second cites \\[r1\\] in its middle.",
        "none": b"The second; first.",
    }
    assert [one.where.file for one in leaks(outputs, {secret})] == ["one", "two"]


def test_a_name_of_an_output_is_searched_and_not_told():
    (found,) = leaks({"site/acme-vaults.html": b""}, {"acme-vaults"})
    assert "acme" not in str(found).casefold()
    assert found.message == "its name holds withheld words"


@pytest.mark.parametrize(
    ("data", "secret"),
    [(b"abc", "abc"), (b"anything", ""), (b"any thing", "  "), (b"on esc ape", "ones"), (b"Acme", "Acme Vaults")],
)
def test_nothing_is_found_by_chance(data, secret):
    assert leaks({"x": data}, {secret}) == ()


@pytest.mark.parametrize("data", [b"PK\x03\x04broken", b"\x1f\x8bbroken", b"base64,AAAAAAAAA!", b"%PDF-broken"])
def test_a_damaged_output_is_searched_as_far_as_it_goes(data):
    assert leaks({"x": data}, {"words"}) == ()
    if not data.startswith(b"%PDF"):
        assert leaks({"x": data + b" words "}, {"words"})


HARD = {
    "tags within every word": "<i>Ze</i>p<b>hy</b>r &amp; &lt;S<i>on</i>s&gt; “V<u>aul</u>t” n<i></i>o. 7",
    "letters as entities": html.escape(SECRET).replace("e", "&#101;").replace("u", "&#x75;"),
    "letters as entities, twice": html.escape(SECRET).replace("y", "&amp;#121;"),
    "letters as escapes": json.dumps(SECRET).replace("Z", "\\u005a").replace("V", "\\u0056"),
    "a soft hyphen as an escape": json.dumps(SECRET.replace("phyr", "ph\u00adyr")),
    "a joiner as an entity": html.escape(SECRET).replace("phyr", "ph&zwj;yr"),
    "letters as bytes of an address": quote(SECRET).replace("Zephyr", "%5aephy%72"),
    "an escaped tag within a word": html.escape(html.escape(SECRET).replace("Vault", "Va<b>ult")),
    "a tag around an entity": html.escape(SECRET).replace("Vault", "V<b>&#97;</b>ult"),
    "a fold within a word": SECRET.replace("Zephyr", "Zep\r\n hyr"),
    "controls within a word": SECRET.replace("Zephyr", "Ze\x00ph\x1byr"),
    "a script": f'{{"x": "{html.escape(SECRET)}"}}'.replace("&", "\\u0026"),
}


@pytest.mark.parametrize("form", HARD)
def test_no_way_of_writing_hides_words_among_many(form):
    """The quick look at plain letters, which most pages end at, must pass on whatever the exact search would find."""
    page = f"<p>Seven of the sons keep a vault.</p>{HARD[form]}<p>Zephyr</p>".encode()
    others = {f"Supplier {number} of the vault" for number in range(20)}
    assert [
        one.where.file for one in leaks({"x": page, "y": b"<p>A zephyr. Sons, vault no. 7</p>"}, {SECRET, *others})
    ] == ["x"]


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("Straßenbahn", "STRASSENBAHN"),
        ("Strassenbahn", "Straßenbahn"),
        ("Ångström-Fabrik", "A\u030angstro\u0308m-Fabrik"),
        ("café au lait", "cafe\u200b\u0301 au lait"),
        ("ǰanne", "ǰanne".upper()),
        ("Kelvin", "\N{KELVIN SIGN}elvin"),
        ("東京工場第三", "<p>東京<b>工場</b>第三</p>"),
        ("שלום עולם", "&#1513;&#1500;&#1493;&#1501; עולם"),
        ("ΑΣΦΑΛΕΙΑΣ", "ασφαλειας"),
    ],
)
def test_letters_of_any_script_are_recognised(secret, text):
    assert leaks({"x": f"<p>a {text} b</p>".encode()}, {secret})


def normal(text: str) -> str:
    """Give what two texts have in common that read the same, character by character."""
    shown = unicodedata.normalize("NFKC", text)
    seen = "".join(
        one
        for one in shown
        if one.isspace() or (unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co", "Cn"} and one != "\ufffd")
    )
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())


@given(
    st.text(st.sampled_from("aZ7 é\u0301\u00ad\u200b\ufffd\x00\x1f\x7f\x85ßİ\u017f\N{KELVIN SIGN}ﬁ東"), max_size=9),
    st.text(min_size=4, max_size=9),
)
def test_exactly_what_reads_the_same_is_found(around, secret):
    text, sought = f"{around}{secret}{around}", normal(secret)
    assume(not set("&<\\%{\n") & set(text) and len(sought.replace(" ", "")) >= 4)
    assert bool(leaks({"x": text.encode()}, {secret})) == (sought in normal(text))


# --- the law -------------------------------------------------------------------------------------------

LETTERS = st.characters(
    codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp"), exclude_characters="[]|{}"
)
AROUND = st.text("0123456789 ,.;*_<>&\"'", max_size=20)
CORE = st.text("bcdfghjklmnpqrstvwxz", min_size=6, max_size=12).map(lambda one: f"qzx{one}")
"""Letters that no word of a page holds in such a row, so that nothing is found by chance."""
SECRETS = st.builds(
    lambda before, core, after: f"{before}{core}{after}",
    st.text(LETTERS, max_size=8),
    CORE,
    st.text(LETTERS, max_size=8),
)


@st.composite
def publications(draw):
    secrets = draw(st.lists(SECRETS, min_size=1, max_size=4, unique=True))
    ids = [f"R-{number}" for number in range(1, len(secrets) + 1)]
    grounds = st.sampled_from(list(GROUND_WORDS))
    register = tuple(a_redaction(name, ground=draw(grounds), salt=f"{number:064x}") for number, name in enumerate(ids))

    def text():
        marked = draw(st.lists(st.sampled_from(list(zip(ids, secrets, strict=True))), min_size=1, max_size=3))
        return "".join(f"{draw(AROUND)}[[{name}|{words}]]" for name, words in marked) + draw(AROUND)

    practice = a_practice(text(), text(), title=text(), owner=text())
    answer = Answer(to="haip#1a", text=text())
    page = ModelPage(model="m", licence=text(), description=(Statement(text=text()),), base_model=text())
    changes = ChangeFile(changes=(Change(on=date(2026, 1, 1), title=text()),))
    given = Publication(practices=(practice,), answers=(answer,), pages=(page,), redactions=register, changes=changes)
    used = {name: words for name, words in zip(ids, secrets, strict=True) if f"[[{name}|" in repr(given)}
    return given, frozenset(used.values())


def page_of(edition) -> Page:
    """Give a page on which every text of an edition stands, in every kind of block."""
    texts = [str(value_at(edition.publication, path)) for path in texts_in(edition.publication)]
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
    blocks = [
        block
        for one in texts
        for block in (
            said(one),
            Paragraph((Link(one, "https://example.org/"), Mark(one, "late"))),
            *grid(one, (one, "x"), [(one, one)]),
            *listing(one, [one]),
            *facts(one, [(one, one)]),
            Code(one, one),
        )
    ]
    blocks.append(Picture(svg, texts[0], texts[-1]))
    sections = (Section(texts[-1], tuple(blocks)), register_page_section(edition.withheld))
    return Page(texts[-1], texts[0], texts[-1], False, tuple(texts), sections, footer=tuple(texts))


def value_at(value, path):
    for key in path:
        value = getattr(value, key) if isinstance(value, BaseModel) else value[key]
    return value


@given(publications())
@settings(max_examples=20, deadline=None)
def test_no_output_holds_withheld_words(drawn):
    given_publication, secrets = drawn
    edition = apply(given_publication)
    assert secrets <= edition.secrets
    page = page_of(edition)
    outputs = {form: printed(page, form) for form in FORMS}
    assert leaks(outputs, edition.secrets) == ()
    # Not by the product's own search only.
    cores = {"qzx" + one.split("qzx", 1)[1][:6] for one in secrets}
    assert all(len(core) == 9 for core in cores)
    reader = PdfReader(io.BytesIO(outputs["pdf"]))
    with zipfile.ZipFile(io.BytesIO(outputs["docx"])) as archive:
        inside = [archive.read(one).decode("utf-8", "replace") for one in archive.namelist()]
    told = [outputs["md"].decode(), outputs["html"].decode(), plain_text(page), str(reader.metadata), *inside]
    told.append("".join("".join(one.extract_text().split()) for one in reader.pages))
    for core in cores:
        assert not [one for one in told if core in one]


@given(SECRETS, st.sampled_from(FORMS))
@settings(max_examples=40, deadline=None)
def test_the_check_fails_whenever_words_are_planted(secret, form):
    page = Page("T", "", "", True, (), (Section("S", (*listing("L", [f"a {secret} b"]),)),))
    assert [one.where.file for one in leaks({f"x.{form}": printed(page, form)}, {secret})] == [f"x.{form}"]
