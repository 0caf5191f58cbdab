# SPDX-License-Identifier: Apache-2.0
"""Writes the catalogue of messages that a translation of the transparency hub starts from.

    python tools/extract_messages.py            # into src/tidegate/publish/locale
    python tools/extract_messages.py FILE       # elsewhere

Messages stand in the templates, in the code, and in the vocabularies of other parts of the program.
A test compares the committed catalogue with what this gives.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import write_po
from jinja2.ext import babel_extract

from tidegate.publish.hub.speech import VOCABULARIES

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "tidegate" / "publish"
CATALOGUE = PACKAGE / "locale" / "tidegate.pot"
HEADER = """\
# Messages of the transparency hub.
# SPDX-License-Identifier: Apache-2.0
# Places such as %(day)s stay as they are; a translation holds no markup.
#"""

Found = tuple[str | tuple[str, ...], str]
"""A message (with its plural), and where it stands."""


def in_templates() -> Iterator[Found]:
    for path in sorted((PACKAGE / "templates" / "hub").glob("*.j2")):
        with path.open("rb") as stream:
            options = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "newstyle_gettext": "true"}
            for _, _, message, _ in babel_extract(stream, tuple(DEFAULT_KEYWORDS), [], options):
                yield _plain(message), f"templates/hub/{path.name}"


def in_code() -> Iterator[Found]:
    keywords = {**DEFAULT_KEYWORDS, "say": None}
    for path in sorted((PACKAGE / "hub").glob("*.py")):
        with path.open("rb") as stream:
            for _, message, _, _ in extract("python", stream, keywords):
                yield _plain(message), f"hub/{path.name}"


def in_vocabularies() -> Iterator[Found]:
    for name, words in VOCABULARIES.items():
        yield from ((one, f"vocabulary {name}") for one in words.values())


def _plain(message: object) -> str | tuple[str, ...]:
    if isinstance(message, str):
        return message
    assert isinstance(message, tuple)
    strings = tuple(one for one in message if isinstance(one, str))
    return strings if len(strings) > 1 else strings[0]


def catalogue() -> bytes:
    """Give the catalogue: the same bytes for the same messages."""
    made = Catalog(header_comment=HEADER, charset="utf-8")
    for message, where in (*in_templates(), *in_code(), *in_vocabularies()):
        made.add(message, locations=[(where, 0)])
    written = io.BytesIO()
    write_po(written, made, sort_output=True, include_lineno=False, omit_header=True, width=110)
    fields = '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n"Language: \\n"'
    return f'{HEADER}\nmsgid ""\nmsgstr ""\n{fields}\n\n'.encode() + written.getvalue().lstrip()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else CATALOGUE
    target.write_bytes(catalogue())
    print(target)
