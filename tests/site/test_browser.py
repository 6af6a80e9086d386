"""What only a browser can tell: requests, console, layout, access by keyboard and screen reader."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from accessibility import accessibility_violations
from built_pages import CHAPTERS, PAGES, START, TEXTS, soup

if TYPE_CHECKING:
    from playwright.sync_api import Page

LARGEST_SHIFT = 0.02
WEIGHT_BUDGET = 250_000
COMPRESSED = (".html", ".css", ".js", ".mjs", ".svg", ".json")
PHONE = 390
WIDE = 1280

COUNT_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""
# The next frame; but a browser that draws none for a while must not hold the tests for ever.
FRAME = """const frame = () => new Promise((done) => {
    requestAnimationFrame(done);
    setTimeout(done, 250);
  });"""
# As a reader scrolls: live figures start before they come into view.
SCROLL_THROUGH = (
    "async () => { "
    + FRAME
    + """
  const starting = () => [...document.querySelectorAll("[data-live]:not([data-ready])")]
    .some((figure) => figure.getBoundingClientRect().top < innerHeight + 300);
  for (let y = 0; y < document.documentElement.scrollHeight; y += 300) {
    scrollTo(0, y);
    await frame();
    for (let wait = 0; starting() && wait < 300; wait++) await frame();
    await frame();  // what has just started is drawn before the next step
  }
  scrollTo(0, 0);
  await document.fonts.ready;
}"""
)
START_FIGURES = (
    "async () => { "
    + FRAME
    + """
  for (const figure of document.querySelectorAll("[data-live]")) {
    figure.scrollIntoView();
    for (let wait = 0; !figure.dataset.ready && wait < 300; wait++) await frame();
  }
  scrollTo(0, 0);
  await document.fonts.ready;
}"""
)
TOO_WIDE = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll("main *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 120));
}"""
UNREACHABLE = """() => [...document.querySelectorAll("main *")]
  .filter((box) => /auto|scroll/.test(getComputedStyle(box).overflowX))
  .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
  .filter((box) => box.tabIndex < 0 && !box.querySelector("[tabindex='0'], a, button, input"))
  .map((box) => box.outerHTML.slice(0, 120))"""
NEEDLESS_STOPS = """() => [...document.querySelectorAll(".formula, pre, main [class*=container]")]
  .filter((box) => box.tabIndex >= 0 && box.checkVisibility())
  .filter((box) => box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight)
  .map((box) => box.outerHTML.slice(0, 120))"""
BROKEN_PICTURES = """() => [...document.images]
  .filter((image) => image.checkVisibility() && !image.naturalWidth).map((image) => image.src)"""
FOCUSED = "() => document.activeElement.outerHTML.slice(0, 200)"


@pytest.fixture(scope="session")
def address(site: Path, serve: Callable[[Path], str]) -> str:
    return serve(site)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("scheme", "width"), [("light", WIDE), ("dark", WIDE), ("light", PHONE), ("dark", PHONE)]
)
def test_page(
    name: str, scheme: str, width: int, address: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(
        f"{address}/{name}", width=width, color_scheme=scheme, init_script=COUNT_SHIFTS
    )
    page.evaluate(SCROLL_THROUGH if scheme == "light" else START_FIGURES)
    assert page.log.clean, page.log
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(BROKEN_PICTURES) == []
    if scheme == "light":
        assert page.evaluate("window.shift") < LARGEST_SHIFT
    assert page.evaluate(UNREACHABLE) == []
    assert page.evaluate(NEEDLESS_STOPS) == []
    # Colours do not depend on the width, nor the rest on colours; measuring them takes most time.
    if width == WIDE or scheme == "light":
        assert accessibility_violations(page, colours=width == WIDE) == []


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_no_line_begins_with_the_comma_behind_a_formula(
    width: int, address: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{address}/{CHAPTERS[1]}", width=width)
    # On a phone a long formula may have to be broken itself.
    kept = ".kept-together" if width == WIDE else ".kept-together:not(.long)"
    lines = page.locator(kept).evaluate_all(
        """groups => groups.map((group) =>
          new Set([...group.getClientRects()].map((box) => Math.round(box.bottom))).size)"""
    )
    assert len(lines) > 50
    assert set(lines) <= {0, 1}, "0: folded away"


@pytest.mark.parametrize("name", TEXTS)
def test_without_scripts_everything_can_be_read(
    name: str, address: str, site: Path, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{address}/{name}", javascript=False)
    html = soup(site / name)
    assert page.log.clean, page.log
    assert page.locator("h1").is_visible()
    for paragraph in page.locator(".bd-article section > p").all()[:20]:
        assert paragraph.is_visible()
    formulas = page.locator(".bd-article .katex-html:not(details:not([open]) *)")
    assert formulas.count() == len(html.select(".bd-article .katex-html")) - len(
        html.select(".bd-article details:not([open]) .katex-html")
    )
    for formula in formulas.all()[:5]:
        assert formula.is_visible()
    for picture in page.locator(".bd-article img").all():
        if picture.is_visible():
            assert picture.bounding_box()["height"] > 20
    for control in page.locator("button").all():
        assert not control.is_visible(), "a button that needs a script"
    chapters = page.locator(".bd-docs-nav a")
    assert chapters.first.is_visible()


@pytest.mark.parametrize("name", CHAPTERS)
def test_weight_of_a_chapter(
    name: str, address: str, site: Path, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{address}/{name}")
    page.evaluate(START_FIGURES)
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [url for url in loaded if "fontawesome" in url]
    files = {name, *(urlsplit(url).path.lstrip("/") for url in loaded if url.startswith(address))}
    weight = 0
    for file in files:
        content = (site / file).read_bytes()
        if not file.endswith(".png"):
            weight += len(gzip.compress(content, 6) if file.endswith(COMPRESSED) else content)
    assert weight <= WEIGHT_BUDGET


def test_keyboard_reaches_the_text_and_the_search(
    address: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{address}/{CHAPTERS[0]}")
    page.keyboard.press("Tab")
    assert "Skip to main content" in page.evaluate(FOCUSED)
    assert page.locator(".skip-link a").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")

    page.keyboard.press("Control+k")
    field = page.locator("#pst-search-dialog input")
    assert field.is_visible()
    assert "Search this book" in page.evaluate(FOCUSED)
    page.keyboard.press("Escape")
    assert not field.is_visible()

    page.locator(".book-search").focus()
    page.keyboard.press("Enter")
    word = re.findall(r"[A-Za-z]{4,}", page.locator("h1").inner_text())[-1]
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    page.locator("#search-results .search li a").first.wait_for()
    assert page.log.clean, page.log


def test_the_colour_mode_can_be_chosen_and_stays(
    address: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{address}/{START}")
    theme = "document.documentElement.dataset.theme"
    button = page.locator(".theme-switch-button")
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate(theme) == "dark"
    assert "theme-switch-button" in page.evaluate(FOCUSED)
    page.reload()
    assert page.evaluate(theme) == "dark"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    button.click()
    assert page.evaluate(theme) == "light"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background


def is_dark(page: Page, which: str) -> bool:
    """Whether the page's ``color`` or ``backgroundColor`` is darker than a middle grey."""
    colour = page.evaluate(f"getComputedStyle(document.body).{which}")
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) < 3 * 128


def with_contents(site: Path) -> str:
    """A page that has sections, and so contents of its own."""
    return next(name for name in TEXTS if soup(site / name).select("#pst-page-toc-nav a"))


@pytest.mark.parametrize("menu", ["primary", "secondary"])
def test_menus_on_a_phone(
    menu: str, address: str, site: Path, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{address}/{with_contents(site)}", width=PHONE, height=844)
    button = page.locator(f".{menu}-toggle")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.locator(f"#pst-{menu}-sidebar-modal")
    assert dialog.locator("nav a").first.is_visible()
    assert accessibility_violations(page, colours=False) == []
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert f"{menu}-toggle" in page.evaluate(FOCUSED)


def test_the_sidebar_can_be_put_away(address: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{address}/{START}")
    sidebar = page.locator("#pst-primary-sidebar")
    button = page.locator(".primary-toggle")
    assert sidebar.is_visible()
    button.click()
    assert not sidebar.is_visible()
    assert button.get_attribute("aria-expanded") == "false"
    button.click()
    assert sidebar.is_visible()


def test_code_can_be_copied(address: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{address}/{CHAPTERS[0]}", permissions=["clipboard-read", "clipboard-write"])
    cell = page.locator(".cell_input .highlight").first
    cell.hover()
    code = cell.locator("pre").inner_text().rstrip()
    cell.locator(".book-copy").click()
    cell.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == code


def test_print_shows_folded_text_and_no_menus(address: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{address}/{CHAPTERS[0]}", color_scheme="dark")
    assert is_dark(page, "backgroundColor")
    page.emulate_media(media="print")
    assert is_dark(page, "color"), "light letters on paper"
    assert not page.locator("#pst-primary-sidebar").is_visible()
    assert not page.locator(".book-bar").is_visible()
    for folded in page.locator("details").all():
        assert folded.evaluate("(box) => box.lastElementChild.offsetHeight") > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_system_chooses_the_colours_without_scripts(
    scheme: str, address: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{address}/{START}", color_scheme=scheme, javascript=False)
    assert is_dark(page, "backgroundColor") == (scheme == "dark")
    assert is_dark(page, "color") == (scheme == "light")
