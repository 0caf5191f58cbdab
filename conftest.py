# SPDX-License-Identifier: Apache-2.0
"""Runs the Python examples of documents and docstrings as tests.

Console examples are run by tests/test_docs_examples.py.
"""

from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

import pytest
from sybil import Document, Region, Sybil
from sybil.document import PythonDocStringDocument
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.integration.pytest import SybilItem
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown import CodeBlockParser
from sybil.parsers.rest import DocTestParser

FLAGS = ELLIPSIS | NORMALIZE_WHITESPACE


def pycon_blocks(document: Document) -> Iterator[Region]:
    """Give one region for each prompt in the pycon blocks of a Markdown document."""
    parse = DocTestStringParser(DocTestEvaluator(FLAGS))
    for block in CodeBlockParser("pycon", lambda _: None)(document):
        for region in parse(block.parsed, document.path):
            region.adjust(block, block.parsed)
            yield region


_documents = Sybil(parsers=[pycon_blocks], patterns=["*.md"])
_docstrings = Sybil(
    parsers=[DocTestParser(FLAGS)],
    path="src",
    patterns=["*.py"],
    document_types={".py": PythonDocStringDocument},
)

pytest_collect_file = (_documents + _docstrings).pytest()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the examples of one document in one process: later ones build on earlier ones."""
    for item in items:
        if isinstance(item, SybilItem):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
