# SPDX-License-Identifier: Apache-2.0
"""The site in a real browser: readable by everybody, on any screen, without a script, without a request elsewhere."""

from pathlib import Path
from typing import Any

import pytest

PAGES = (
    "index.html",
    "sections/index.html",
    "sections/risk.html",
    "commitments/index.html",
    "commitments/hiroshima-coc.html",
    "models/index.html",
    "models/model-0.html",
    "models/model-0-evaluations.html",
    "records/record-0.html",
    "decisions/d-0-4fe471ae.html",
    "assessments.html",
    "compliance.html",
    "duties.html",
    "policy/index.html",
    "policy/3.0.html",
    "noncompliance.html",
    "redactions.html",
    "changes.html",
    "archive/index.html",
    "archive/2026-H2.html",
    "search.html",
    "search/p.html",
    "verify.html",
    "accessibility.html",
    "404.html",
)
"""One page of every kind, and some with other content."""
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
SCREENS = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
NARROWEST = 320


def faults(page: Any) -> list[str]:
    """Give what axe finds on a page: rule and element."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page, options=RULES).response
    assert found["passes"], "axe looked at nothing"
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    with browser.new_context() as context:
        opened = context.new_page()
        opened.emulate_media(reduced_motion="reduce")
        yield opened


def test_every_kind_of_page_is_looked_at(folder: Path, files: dict[str, bytes]) -> None:
    assert set(PAGES) <= set(files)
    kinds = {name.split("/")[0] if "/" in name else name for name in files if name.endswith(".html")}
    looked_at = {name.split("/")[0] if "/" in name else name for name in PAGES}
    assert kinds == looked_at


@pytest.mark.parametrize("name", PAGES)
def test_wcag_2_2_aa(page: Any, folder: Path, name: str) -> None:
    page.goto((folder / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    for screen, size in SCREENS.items():
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert faults(page) == [], f"{screen}, {scheme}"


def test_axe_would_see_a_fault(page: Any, folder: Path) -> None:
    page.goto((folder / "index.html").as_uri())
    page.emulate_media(color_scheme="light")
    page.evaluate("document.querySelector('h1').style.color = '#ddd'; document.documentElement.removeAttribute('lang')")
    assert {one.split(":")[0] for one in faults(page)} == {"color-contrast", "html-has-lang"}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_has_to_be_scrolled_sideways(page: Any, folder: Path, name: str) -> None:
    page.goto((folder / name).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    for width in (NARROWEST, 700, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{wide} at {width}"


@pytest.mark.parametrize("name", ["index.html", "models/model-0.html", "search.html", "404.html"])
def test_no_request_leaves_the_site(browser: Any, folder: Path, name: str) -> None:
    with browser.new_context() as context:
        asked: list[str] = []
        said: list[str] = []
        opened = context.new_page()
        opened.on("request", lambda request: asked.append(request.url))
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.goto((folder / name).as_uri(), wait_until="load")
        assert said == []
        assert asked
        assert all(one.startswith(folder.as_uri()) for one in asked)


def test_what_the_policy_forbids_is_refused(browser: Any, folder: Path, tmp_path: Path) -> None:
    """The page's own security policy stops a script and a request that somehow got in."""
    text = (folder / "index.html").read_text().replace("</main>", "<script>document.title = 'ran'</script></main>")
    (tmp_path / "index.html").write_text(text)
    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto((tmp_path / "index.html").as_uri())
        assert opened.title() != "ran"


@pytest.mark.parametrize("name", PAGES)
def test_works_without_script(browser: Any, folder: Path, name: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        opened = context.new_page()
        opened.goto((folder / name).as_uri())
        assert opened.locator("h1").is_visible()
        assert opened.locator(".finder").count() == 0 or not opened.locator(".finder").is_visible()


def test_search_finds_by_words_in_any_order_and_without_accents(browser: Any, folder: Path) -> None:
    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto((folder / "search.html").as_uri())
        field = opened.get_by_label("Find by words of the title")
        field.fill("house práctice 7")
        rows = opened.locator(".entries li")
        assert "Practice 7 of the house" in rows.first.inner_text()
        assert str(rows.count()) in opened.locator("[role=status]").inner_text()
        rows.first.locator("a").click()
        assert opened.locator("h3:target").inner_text() == "Practice 7 of the house"
        opened.go_back()
        opened.get_by_label("Find by words of the title").fill("nothing like that")
        assert opened.locator("[role=status]").inner_text() == "Nothing found."


def test_the_keyboard_reaches_the_content_first(page: Any, folder: Path) -> None:
    page.goto((folder / "models/model-0.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_print_shows_what_is_folded_and_leaves_out_the_navigation(page: Any, folder: Path) -> None:
    page.goto((folder / "compliance.html").as_uri())
    page.emulate_media(media="print")
    try:
        assert not page.locator("header.site nav").is_visible()
        assert page.locator(".verify pre").first.is_visible()
        page.goto((folder / "verify.html").as_uri())
        page.set_viewport_size({"width": 700, "height": 900})
        wide = page.evaluate("[...document.querySelectorAll('pre')].filter((one) => one.scrollWidth > one.clientWidth)")
        assert wide == [], "a sheet of paper cannot be scrolled"
    finally:
        page.emulate_media(media="screen")


@pytest.mark.parametrize("name", ["index.html", "models/model-0.html", "compliance.html"])
def test_a_language_from_right_to_left_has_nothing_to_scroll_to(browser: Any, turned: Path, name: str) -> None:
    """What stands outside the screen at the left is hidden where lines begin there, and can be scrolled to here."""
    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto((turned / name).as_uri())
        assert opened.evaluate("document.documentElement.dir") == "rtl"
        for width in (NARROWEST, 1280):
            opened.set_viewport_size({"width": width, "height": 800})
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
        heading, marks = (opened.locator(one).first.bounding_box() for one in ("h1", "nav.trail, header.site .name"))
        assert heading["x"] + heading["width"] > 1000
        assert marks["x"] + marks["width"] > 1000
