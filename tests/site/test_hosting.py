"""The whole site where books end up: under a path, behind a strict policy, opened as files.

The policy is the one that the page for teachers promises. Pages are visited one after the other in
one tab, so that these tests stay quick.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from accessibility import accessibility_violations
from built_pages import CHAPTERS, PAGES, START, TEXTS, soup

from tools.serve import Handler

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PREFIX = "book"
HAND_TRACE = "chapters/07_hand_trace.html"
NEURON = "figure/07_hand_trace/neuron.html"
# Live figures start when they come near the view; here all of them are told that they are.
ALL_IN_VIEW = """
window.IntersectionObserver = class {
  constructor(seen) { this.seen = seen; }
  observe(target) {
    const boundingClientRect = target.getBoundingClientRect();
    queueMicrotask(() => this.seen([{ target, boundingClientRect, isIntersecting: true }]));
  }
  unobserve() {}
  disconnect() {}
};"""
ALL_STARTED = "() => !document.querySelector('[data-live]:not([data-ready])')"
THEME = "document.documentElement.dataset.theme"
INSIDE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>|<style\b|\son[a-z]+=\"|=\"javascript:")
# What a browser says of a page that was opened as a file, where modules and preloaded fonts are
# refused; the figures come by another script, and the fonts by the style sheet.
OF_FILES = re.compile(
    r"from origin 'null' has been blocked by CORS policy|Failed to load resource: net::ERR_FAILED"
    r"|^warning: (?:A preload for '|The resource )file:"
)


def figure_pages(site: Path) -> list[str]:
    return sorted(path.relative_to(site).as_posix() for path in site.glob("figure/*/*.html"))


def promised_policy(site: Path) -> str:
    """The policy as the page for teachers names it."""
    blocks = [block.get_text() for block in soup(site / "classroom.html").select("pre")]
    (policy,) = [block for block in blocks if block.startswith("default-src")]
    return " ".join(policy.split())


@pytest.fixture(scope="module")
def strict(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site under a path, on a server with the strict policy."""
    root = tmp_path_factory.mktemp("server")
    (root / PREFIX).symlink_to(site)
    policy = promised_policy(site)

    class Strict(Handler):
        protocol_version = "HTTP/1.1"

        def end_headers(self) -> None:
            if self.path.startswith(f"/{PREFIX}/"):
                self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    # Somebody else's page with a figure of the book.
    frame = (
        f'<iframe src="/{PREFIX}/{NEURON}?theme=dark" width="700" height="800" SANDBOX></iframe>'
    )
    course = f'<!doctype html><link rel="icon" href="data:,"><title>A course</title>{frame}'
    for name, sandbox in (("course", ""), ("sandbox", 'sandbox="allow-scripts"')):
        (root / f"{name}.html").write_text(course.replace("SANDBOX", sandbox), encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Strict, directory=str(root))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{PREFIX}"
        server.shutdown()


def test_the_policy_allows_no_script_and_no_style_sheet_inside_a_page(site: Path) -> None:
    rules = dict(part.split(maxsplit=1) for part in promised_policy(site).split("; "))
    assert rules.pop("style-src-attr") == "'unsafe-inline'"
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
    }


@pytest.mark.parametrize("name", PAGES)
def test_no_script_and_no_style_sheet_stands_inside_a_page(name: str, site: Path) -> None:
    html = (site / name).read_text(encoding="utf-8")
    assert INSIDE.findall(html) == []


def test_every_page_runs_under_a_path_and_the_policy(
    site: Path, strict: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{strict}/{START}", init_script=ALL_IN_VIEW)
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url))
    for name in [*PAGES, *figure_pages(site)]:
        page.emulate_media(color_scheme="light")
        page.goto(f"{strict}/{name}")
        page.wait_for_function(ALL_STARTED)
        assert page.evaluate(THEME) == "light", name
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(f"() => {THEME} === 'dark'")
        assert page.log.clean, f"{name}: {page.log}"
    assert [url for url in outside if not url.startswith((f"{strict}/", "data:", "blob:"))] == []


def answer(page: Page) -> str:
    """The verdict on the right answer to an exercise of the hand trace."""
    form = page.locator("#exercise-07-delta-output")
    form.scroll_into_view_if_needed()
    form.get_by_label("a number").fill("0.1385")
    form.get_by_label("a number").press("Enter")
    return form.locator(".lf-verdict").inner_text()


def moved(page: Page) -> tuple[str, str]:
    """The answer of a neuron before and after its weight is moved."""
    shown = page.locator("#neuron [data-line='a1[1]'] .lf-result")
    page.locator("#neuron").scroll_into_view_if_needed()
    page.wait_for_selector("#neuron[data-ready]")
    before = shown.inner_text()
    page.locator("#neuron .lf-inputs input[type=range]").nth(2).press("ArrowRight")
    return before, shown.inner_text()


def test_what_a_reader_does_works_under_the_policy(
    strict: str, open_page: Callable[..., Page]
) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    page = open_page(f"{strict}/{HAND_TRACE}", init_script=ALL_IN_VIEW, permissions=allowed)
    before, after = moved(page)
    assert before != after
    assert answer(page) == "correct"

    cell = page.locator(".cell_input .highlight").first
    cell.hover()
    cell.locator(".book-copy").click()
    cell.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == cell.locator("pre").inner_text().rstrip()

    page.locator(".theme-switch-button").click()
    chosen = page.evaluate(THEME)
    page.locator(".book-turn__next").click()
    page.wait_for_url("**/08_checking_gradients.html")
    assert page.evaluate(THEME) == chosen == "dark"

    page.keyboard.press("Control+k")
    page.keyboard.type("gradient")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=gradient")
    page.locator("#search-results .search li .context").first.wait_for()

    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".primary-toggle").click()
    page.locator("#pst-primary-sidebar-modal").get_by_role("link", name="All exercises").click()
    page.wait_for_url("**/exercises.html")
    solved = page.locator('[data-exercise="07-delta-output"]', has_text="solved")
    solved.wait_for()
    assert page.log.clean, page.log


@pytest.mark.parametrize("course", ["course", "sandbox"])
def test_a_live_figure_stands_in_a_strangers_page(
    course: str, strict: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(strict.replace(PREFIX, f"{course}.html"))
    frame = page.frame_locator("iframe")
    frame.locator("#neuron[data-ready]").wait_for()
    assert frame.locator("html").get_attribute("data-theme") == "dark"
    assert frame.locator(".lf-inputs").count() == 1
    assert frame.locator(".book-figure__code").count() == 0
    assert "CC BY 4.0" in frame.locator(".book-figure__source").inner_text()
    link = frame.locator(".book-figure__source a").first
    assert link.evaluate("link => link.href") == f"{strict}/{HAND_TRACE}#neuron"
    assert not page.log.errors
    assert [said for said in page.log.console if not OF_FILES.search(said)] == []


def test_the_code_for_a_frame_keeps_what_was_moved(
    strict: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{strict}/{NEURON}", permissions=["clipboard-read", "clipboard-write"])
    _, after = moved(page)
    page.get_by_label("Colours").select_option("dark")
    assert page.evaluate(THEME) == "dark"
    page.wait_for_url("**neuron.w1*")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Copied").wait_for()
    code = page.evaluate("navigator.clipboard.readText()")
    assert page.locator(".book-figure__code pre").inner_text() == code
    slides = f'<!doctype html><link rel="icon" href="data:,"><title>Slides</title>{code}'
    page.route("**/slides.html", lambda route: route.fulfill(body=slides, content_type="text/html"))
    page.goto(strict.replace(PREFIX, "slides.html"))
    frame = page.frame_locator("iframe")
    shown = frame.locator("#neuron[data-ready] [data-line='a1[1]'] .lf-result")
    assert shown.inner_text() == after
    assert frame.locator("html").get_attribute("data-theme") == "dark"
    # The frame is as high as the figure: nothing in it must be scrolled.
    assert frame.locator("html").evaluate("page => page.scrollHeight <= innerHeight + 20")
    assert page.log.clean, page.log


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_of_a_figure_is_accessible(
    scheme: str, width: int, strict: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{strict}/{NEURON}", color_scheme=scheme, width=width)
    page.wait_for_function(ALL_STARTED)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert accessibility_violations(page) == []


@pytest.fixture
def file_page(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A tab for pages opened as files, and what it complains of beyond the unavoidable."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    said: list[str] = []

    def listen(message: Any) -> None:
        text = f"{message.type}: {message.text}"
        if message.type in ("warning", "error") and not OF_FILES.search(text):
            said.append(f"{page.url}: {text}")

    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    yield page, said
    context.close()


def test_every_page_can_be_opened_as_a_file(site: Path, file_page: tuple[Page, list[str]]) -> None:
    page, said = file_page
    for name in [*TEXTS, *figure_pages(site)]:
        page.goto((site / name).as_uri())
        if name.startswith("figure/"):
            page.wait_for_function(ALL_STARTED)
        assert page.evaluate("[...document.images].every((image) => image.naturalWidth)"), name
        if page.query_selector(".katex"):
            page.wait_for_function("() => document.fonts.check('1em KaTeX_Main')")
    assert said == []


def test_what_a_reader_does_works_in_files(site: Path, file_page: tuple[Page, list[str]]) -> None:
    page, said = file_page
    page.goto((site / HAND_TRACE).as_uri())
    before, after = moved(page)
    assert before != after
    assert answer(page) == "correct"
    page.locator(".theme-switch-button").click()
    assert page.evaluate(THEME) == "dark"
    page.locator(".bd-docs-nav").get_by_role("link", name="1. The perceptron").click()
    page.wait_for_url(f"**/{CHAPTERS[0]}")
    page.keyboard.press("Control+k")
    page.keyboard.type("gradient")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=gradient")
    page.locator("#search-results .search li a").first.click()
    page.wait_for_url(re.compile(r"html(#|$)"))
    assert said == []
