# SPDX-License-Identifier: Apache-2.0
"""Pages with everything that a page can hold."""

from tidegate.publish.report_blocks import (
    Cite,
    Code,
    Link,
    Mark,
    Page,
    Paragraph,
    Picture,
    Said,
    Section,
    facts,
    grid,
    listing,
)

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="80"><defs><clipPath id="c">'
    '<rect width="320" height="80"/></clipPath></defs><text x="2" y="20" font-family="system-ui" '
    'fill="currentColor">Inner words</text><rect x="10" y="30" width="300" height="20" fill="#2b7bba" '
    'clip-path="url(#c)"/></svg>'
)
DIGEST = "sha256:" + "0123456789abcdef" * 4


def a_page(text: str = "", parts: int = 1, **changes) -> Page:
    """Give a page with every kind of block; `text` is added to every free text."""
    sections = [one for number in range(parts) for one in _part(number, text)]
    evidence = grid("Records", ("Record", "Evaluation"), [("r1", f"Eval A{text}")])
    given = {
        "title": f"A page{text}",
        "lead": f"Its lead{text}",
        "status": f"Draft{text}",
        "is_final": False,
        "problems": (f"one thing{text}",),
        "sections": (*sections, Section("Evidence", evidence)),
        "anchors": {"r1": "record-1"},
        "footer": (f"As of 2026-06-01{text}", "Checkpoint example.com/house, 12 entries"),
    }
    return Page(**(given | changes))


def _part(number: int, text: str) -> list[Section]:
    cells = (
        "Words with ",
        Link(f"a page{text}", "https://example.org/a_b?c=d&e=f"),
        " and ",
        Link("the records", "#part-0"),
        " of ",
        Cite("r1"),
        ": ",
        Mark(f"met{text}", "ruled_out"),
    )
    rows = [(f"row {row}{text}", "words and words", DIGEST) for row in range(12)]
    blocks = (
        Paragraph(cells),
        Said(f"What they say{text}", ((f"First line\nsecond line{text}", Cite("r1")), ("1. Not a list.",))),
        *listing(f"A list{text}", [f"one{text}", "two"]),
        *grid(f"A table{text}", ("Name", "What", "Digest"), rows),
        Picture(SVG, f"A bar of 300{text}", f"The bar{text}"),
        *facts(f"Facts{text}", [("Name", f"value{text}"), ("Nothing", None), ("State", (Mark("late", "late"),))]),
        Code(f"To verify{text}", f"$ tidegate verify bundle.zip\n  --key ```{text}"),
    )
    return [Section(f"Part {number}{text}", blocks, anchor=f"part-{number}"), Section("More", (), level=3)]
