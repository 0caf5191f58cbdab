# SPDX-License-Identifier: Apache-2.0
"""Pages in every form: Markdown, one HTML file that asks no server for anything, DOCX and PDF.

All print the same sections, and the same page gives the same bytes. What comes from outside is cleaned and escaped;
words of people stand as quotations, so that nobody takes them for what was computed.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal, get_args

from markupsafe import Markup

from tidegate.publish.markdown import escaped
from tidegate.publish.page_layout import Layout, is_register, is_right_to_left, language_tag
from tidegate.publish.pictures import safe_svg
from tidegate.publish.report import page_environment
from tidegate.publish.report_blocks import (
    Block,
    Cell,
    Cite,
    Code,
    Facts,
    Grid,
    Link,
    Listing,
    Mark,
    Page,
    Paragraph,
    Picture,
    Run,
    Said,
)
from tidegate.publish.words import clean

Form = Literal["md", "html", "docx", "pdf"]
"""What a page can be printed as."""
FORMS: tuple[Form, ...] = get_args(Form)


def printed(page: Page, form: Form) -> bytes:
    """Give a page in a form: the same bytes for the same page.

    Raises:
        PublicationError: PUB008, a picture on it cannot be shown.
    """
    match form:
        case "md":
            return markdown_page(page).encode()
        case "html":
            return html_page(page).encode()
        case "docx":
            from tidegate.publish.docx_pages import docx_page  # noqa: PLC0415 - only this form needs it

            return docx_page(page)
        case "pdf":
            from tidegate.publish.pdf import pdf_page  # noqa: PLC0415 - only this form needs it

            return pdf_page(page)


# --- HTML ----------------------------------------------------------------------------------------------


def html_page(page: Page) -> str:
    """Give a page as one HTML file: no script, no request.

    Raises:
        PublicationError: PUB008, a picture on it cannot be shown.
    """
    layout = Layout(page)
    template = page_environment().get_template("report_page.html.j2")
    return template.render(
        page=page,
        layout=layout,
        language=language_tag(page),
        is_right_to_left=is_right_to_left(page),
        is_register=is_register,
        kind_of=lambda part: type(part).__name__,
        picture=_picture,
    )


def _picture(block: Picture, number: int) -> Markup:
    # Every element and attribute was checked, and the whole written again as XML.
    return Markup(safe_svg(block.svg, block.alt, f"picture-{number}"))  # noqa: S704


# --- Markdown ------------------------------------------------------------------------------------------


def markdown_page(page: Page) -> str:
    """Give a page as Markdown. Pictures stand as what they show in words."""
    return "\n\n".join(_markdown(page)) + "\n"


def _markdown(page: Page) -> Iterator[str]:
    line = _line_printer(Layout(page))
    yield f"# {escaped(page.title)}"
    if page.lead:
        yield escaped(page.lead)
    if page.status:
        yield f"**{escaped(page.status)}**"
    if page.problems:
        yield "What stands in its way:"
        yield "\n".join(f"- {escaped(one)}" for one in page.problems)
    for section in page.sections:
        yield f"{'#' * section.level} {escaped(section.title)}"
        for block in section.blocks:
            yield _block(block, line)
    if page.footer:
        yield "---"
        yield "\n".join(f"- {escaped(one)}" for one in page.footer)


Line = Callable[[Cell], str]


def _block(block: Block, line: Line) -> str:
    match block:
        case Paragraph():
            return _begun(line(block.words))
        case Said():
            quoted = "\n>\n".join(f"> {_begun(line(one))}" for one in block.paragraphs)
            return _headed(block.heading, quoted)
        case Listing():
            return _headed(block.heading, "\n".join(f"- {_begun(line(one))}" for one in block.lines))
        case Grid():
            rows = [f"| {' | '.join(map(escaped, block.heads))} |", "|" + " --- |" * len(block.heads)]
            rows += [f"| {' | '.join(map(line, row))} |" for row in block.rows]
            return "\n".join([f"**{escaped(block.caption)}**", "", *rows])
        case Picture():
            told = f"Picture: {escaped(block.alt)}"
            return f"**{escaped(block.caption)}**\n\n{told}" if block.caption else told
        case Facts():
            lines = (f"- **{escaped(name)}:** {line(words)}" for name, words in block.rows)
            return _headed(block.heading, "\n".join(lines))
        case Code():
            return _headed(block.heading, _fenced(block.text))


def _headed(heading: str, words: str) -> str:
    return f"{escaped(heading)}:\n\n{words}" if heading else words


def _fenced(text: str) -> str:
    shown = clean(text).strip("\n")
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def _begun(words: str) -> str:
    """Give words that begin a line, and no numbered list."""
    return re.sub(r"^(\d{1,9})\.(?=\s|$)", r"\1\\.", words)


def _line_printer(layout: Layout) -> Line:
    return lambda words: _cell(words, layout)


def _cell(words: Cell, layout: Layout) -> str:
    """Give a cell on one line. White space between its runs is kept, which escaping each alone would lose."""
    found: list[str] = []
    for one in words:
        text = _run(one, layout)
        gap = isinstance(one, str) and one[:1].isspace() and found
        found.append(f" {text}" if gap else text)
        if isinstance(one, str) and one[-1:].isspace() and one.strip():
            found.append(" ")
    return "".join(found).strip().replace("  ", " ")


def _run(one: Run, layout: Layout) -> str:
    match one:
        case Cite():
            return f"\\[{escaped(one.record)}\\]"
        case Mark():
            return f"**{escaped(one.words)}**"
        case Link():
            # Readers of Markdown name headings each in their own way, so no link leads to one.
            to = None if one.href.startswith("#") else layout.destination(one.href)
            return f"[{escaped(one.words)}](<{_address(to)}>)" if to else escaped(one.words)
        case _:
            return escaped(one)


def _address(href: str) -> str:
    """Give an address that ends where it ends, in a table too."""
    return re.sub(r"[<>|\\`\s*_\[\]]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), href)
