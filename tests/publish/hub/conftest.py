# SPDX-License-Identifier: Apache-2.0
"""A site in a folder, and a browser that looks at it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub_factories import a_content
from tidegate.publish.content import Content
from tidegate.publish.hub.archive import snapshot
from tidegate.publish.hub.site import SiteOptions, build, rendered
from tidegate.publish.hub.speech import Speech


def write_site(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def content() -> Content:
    return a_content()


@pytest.fixture(scope="session")
def files(content: Content) -> dict[str, bytes]:
    """Every file of a site, by its address."""
    return rendered(build(content, SiteOptions(archives=(snapshot(content),))))


@pytest.fixture(scope="session")
def folder(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site on disk."""
    return write_site(tmp_path_factory.mktemp("hub"), files)


@pytest.fixture(scope="session")
def turned(content: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site in a language that is written from right to left."""
    return write_site(tmp_path_factory.mktemp("turned"), rendered(build(content, SiteOptions(speech=Speech("ar")))))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as run:
        # The pages are our own and come from a disk; without this, nobody could run the tests as root.
        found = run.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()
