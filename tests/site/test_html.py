"""What can be seen in the built HTML without a browser."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from built_pages import CHAPTERS, PAGES, ROOT, TEXTS, notebook_of, places, soup

CHAPTER_BUDGET = 250_000
SCRIPT_BUDGET = 40_000
LOADED = {"img": ["src"], "script": ["src"], "source": ["src"], "iframe": ["src"], "video": ["src"]}
LOADING_RELS = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}
CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)['"]?\s*\)|@import\s+['"]([^'"]+)['"]""")
MODULE_IMPORT = re.compile(r"""from\s+['"]\./([\w.-]+\.mjs)['"]""")
RAW_FORMULA = re.compile(r"\$\$|\\\(|\\\[|\\begin\{|\\frac|\\sigma")
FILE_NAME = re.compile(r"[0-9a-f]{16}|\.(png|svg|jpe?g|gif)\b|[/\\]|^_")
BUTTONS = {
    "search-button__button",
    "theme-switch-button",
    "sidebar-toggle",
}


@pytest.fixture
def html(site: Path, page: str) -> BeautifulSoup:
    return soup(site / page)


def subresources(html: BeautifulSoup) -> list[str]:
    """Addresses that a browser fetches by itself."""
    found = [
        element[attribute]
        for name, attributes in LOADED.items()
        for element in html.find_all(name)
        for attribute in attributes
        if element.get(attribute)
    ]
    found += [
        link["href"] for link in html.find_all("link") if LOADING_RELS & set(link.get("rel", []))
    ]
    found += [
        part.split()[0]
        for element in html.find_all(srcset=True)
        for part in element["srcset"].split(",")
    ]
    styles = [tag.get_text() for tag in html.find_all("style")]
    styles += [element["style"] for element in html.find_all(style=True)]
    found += [first or second for style in styles for first, second in CSS_URL.findall(style)]
    return found


def is_external(address: str) -> bool:
    return address.startswith("//") or urlsplit(address).scheme in ("http", "https", "ws", "wss")


def local_target(site: Path, page: str, address: str) -> tuple[Path, str]:
    path, fragment = urldefrag(address)
    target = (site / page).parent / unquote(urlsplit(path).path) if path else site / page
    return target.resolve(), unquote(fragment)


def prose(html: BeautifulSoup) -> str:
    """The text a reader sees, without code and without the formulas' own markup."""
    copy = BeautifulSoup(str(html.find("article")), "html.parser")
    for element in copy.select("pre, code, script, style, .katex"):
        element.decompose()
    return copy.get_text(" ")


def test_the_site_has_exactly_the_pages_of_the_table_of_contents(site: Path) -> None:
    built = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    aside = ("_static/", "_sources/", "figure/", "lite/")
    own = {name for name in built if not name.startswith(aside)}
    assert own == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_local_address_leads_somewhere(html: BeautifulSoup, site: Path, page: str) -> None:
    addresses = subresources(html) + [link["href"] for link in html.find_all("a", href=True)]
    local = [a for a in addresses if not is_external(a) and not a.startswith(("data:", "mailto:"))]
    assert local
    broken = []
    for address in local:
        target, fragment = local_target(site, page, address)
        if not target.is_file():
            broken.append(f"{address}: no such file")
        elif fragment and fragment not in places(target):
            broken.append(f"{address}: no such place")
    assert not broken


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_fetched_from_elsewhere(html: BeautifulSoup, page: str) -> None:
    assert [address for address in subresources(html) if is_external(address)] == []
    scripts = " ".join(tag.get_text() for tag in html.find_all("script"))
    assert "http://" not in scripts
    assert "https://" not in scripts


def test_style_sheets_name_only_files_that_are_there(site: Path) -> None:
    sheets = {
        local_target(site, page, link["href"])[0]
        for page in PAGES
        for link in soup(site / page).find_all("link", rel="stylesheet")
    }
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        for first, second in CSS_URL.findall(text):
            address = first or second
            assert not is_external(address), f"{sheet.name}: {address}"
            if not address.startswith("data:"):
                assert (sheet.parent / urlsplit(address).path).is_file(), f"{sheet.name}: {address}"


@pytest.mark.parametrize("page", PAGES)
def test_one_main_heading_title_language_and_description(html: BeautifulSoup, page: str) -> None:
    assert len(html.find_all("h1")) == 1
    assert html.html["lang"] == "en"
    title = html.title.get_text()
    assert "Every Number Checked" in title
    assert html.h1.get_text().rstrip("#").split(". ")[-1][:12] in title
    description = html.find("meta", attrs={"name": "description"})["content"]
    assert 10 <= len(description) <= 160


def test_titles_and_descriptions_tell_pages_apart(site: Path) -> None:
    titles = [soup(site / page).title.get_text() for page in TEXTS]
    assert len(set(titles)) == len(TEXTS)


@pytest.mark.parametrize("page", PAGES)
def test_ids_are_unique(html: BeautifulSoup, page: str) -> None:
    ids = [element["id"] for element in html.find_all(id=True)]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("page", PAGES)
def test_pictures_are_described_and_sized(html: BeautifulSoup, page: str) -> None:
    for image in html.find_all("img"):
        assert image.has_attr("alt"), image
        if image.find_parent("article"):
            alt = image["alt"]
            assert len(alt) >= 15, f"say what is drawn: {image}"
            assert not FILE_NAME.search(alt), f"a file name describes nothing: {alt}"
        if not image["src"].startswith("data:"):
            assert image.has_attr("width"), f"without a size the text moves: {image}"
            assert image.has_attr("height"), f"without a size the text moves: {image}"


@pytest.mark.parametrize("page", TEXTS)
def test_formulas_are_rendered(html: BeautifulSoup, page: str) -> None:
    for formula in html.select(".math"):
        assert formula.select_one(".katex-mathml annotation"), formula.get_text()
        assert formula.select_one(".katex-html[aria-hidden=true]"), formula.get_text()
    assert not html.select(".katex-error")
    assert not RAW_FORMULA.search(prose(html))


@pytest.mark.parametrize("page", PAGES)
def test_the_formula_style_comes_with_formulas_only(html: BeautifulSoup, page: str) -> None:
    sheets = [link["href"] for link in html.find_all("link", rel="stylesheet")]
    has_style = any("katex" in sheet for sheet in sheets)
    assert has_style == bool(html.select(".katex"))


def with_imports(module: Path) -> set[Path]:
    """A module and all that it imports."""
    found, waiting = set(), {module}
    while waiting:
        path = waiting.pop()
        found.add(path)
        names = MODULE_IMPORT.findall(path.read_text(encoding="utf-8"))
        waiting |= {path.parent / name for name in names} - found
    return found


def is_named(element: Tag) -> bool:
    return bool(element.get("aria-label") or element.get_text(strip=True))


@pytest.mark.parametrize("page", PAGES)
def test_no_dead_buttons_or_links(html: BeautifulSoup, page: str) -> None:
    for button in html.find_all("button"):
        assert is_named(button), button
        if not button.find_parent(attrs={"data-live": True}):
            assert BUTTONS & set(button["class"]), f"no script listens to {button}"
        assert not button.has_attr("data-bs-toggle"), "Bootstrap is not on the page"
    for link in html.find_all("a"):
        assert is_named(link) or link.find("img", alt=True), link
        assert link.get("href"), link
        if link["href"] == "#":
            assert link.get("aria-current") == "page", link


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_can_be_downloaded_and_run(html: BeautifulSoup, site: Path, page: str) -> None:
    notebook = notebook_of(page)
    assert notebook.is_file()
    download = html.select_one(".book-bar a[download]")
    target, _ = local_target(site, page, download["href"])
    assert target.read_bytes() == notebook.read_bytes()
    for link in html.select(".book-bar a[href*=urlpath]"):
        path = link["href"].partition("urlpath=lab/tree/")[2]
        assert (ROOT / path) == notebook


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_has_the_number_of_its_file(html: BeautifulSoup, page: str) -> None:
    number = int(Path(page).name[:2])
    assert html.select_one("h1 .section-number").get_text() == f"{number}. "
    for caption in html.select(".caption-number"):
        assert re.match(rf"(Figure|Table|Listing) {number}\.\d+ ", caption.get_text())
    for equation in html.select(".eqno"):
        assert equation.get_text().startswith(f"({number}.")


@pytest.mark.parametrize("page", PAGES)
def test_live_figures_bring_their_loader_and_a_fallback(
    html: BeautifulSoup, site: Path, page: str
) -> None:
    figures = html.find_all(attrs={"data-live": True})
    loaders = [tag for tag in html.find_all("script", src=True) if "live/" in tag["src"]]
    assert len(loaders) == bool(figures)
    for loader in loaders:
        assert loader["type"] == "module"
    for figure in figures:
        assert (site / "_static" / "live" / f"{figure['data-live']}.mjs").is_file()
        assert figure.find(["img", "table", "pre", "p"]), "a reader without scripts sees nothing"


@pytest.mark.parametrize("page", PAGES)
def test_page_weight(html: BeautifulSoup, site: Path, page: str) -> None:
    def zipped(path: Path) -> int:
        return len(gzip.compress(path.read_bytes(), 6))

    files = {local_target(site, page, a)[0] for a in subresources(html) if a[:5] != "data:"}
    scripts = {path for path in files if path.suffix in (".js", ".mjs")}
    for figure in html.find_all(attrs={"data-live": True}):
        scripts |= with_imports(site / "_static" / "live" / f"{figure['data-live']}.mjs")
    # The search page's index grows with the book; it is fetched on that page only.
    script = sum(zipped(path) for path in scripts if path.name != "searchindex.js")
    rest = sum(zipped(path) for path in files if path.suffix in (".css", ".svg"))
    assert script <= SCRIPT_BUDGET
    assert zipped(site / page) + script + rest <= CHAPTER_BUDGET


def test_the_icon_script_stays_away(site: Path) -> None:
    assert (site / "_static/scripts/fontawesome.js").stat().st_size < 1000
    for page in PAGES:
        assert "fontawesome" not in (site / page).read_text(encoding="utf-8")
