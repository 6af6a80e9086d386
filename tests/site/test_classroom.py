"""The page for teachers: what it says of licences and citation, and the links it makes."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import book_classroom
import pytest
import yaml
from built_pages import CHAPTERS, ROOT, soup
from pybtex.database import parse_string

from tools import figure
from tools.repository import Repository

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "classroom.html"
SVG = "{http://www.w3.org/2000/svg}"
KNOWN = Repository("https://github.com/owner/book", "main")
READMES = ("backprop_lib/datasets/README.md", "chapters/data/README.md")
# Drawings made of pixels that are no one's handwriting: a table of counts, weights.
NOT_OF_THE_DATA = {"fig-confusion", "fig-hidden-units"}
OF_THE_PROJECT = {"LICENSE": "MIT", "LICENSE-TEXT": "CC BY 4.0"}


def table_under(site: Path, section: str) -> list[list[str]]:
    rows = soup(site / PAGE).select(f"#{section} tbody tr")
    return [[" ".join(cell.get_text().split()) for cell in row.select("td")] for row in rows]


def licences_of_data() -> dict[str, str]:
    """The licence of every file of data, as the file beside it says."""
    found = {}
    for name in READMES:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if row := re.match(r"\| `([\w.]+)` \|.*\| ([^|]+) \| [0-9a-f]{64} \|$", line):
                found[row[1]] = row[2]
    return found


def test_the_table_of_licences_says_what_the_files_say(site: Path) -> None:
    listed = table_under(site, "licences")
    wanted = licences_of_data() | OF_THE_PROJECT
    assert len(wanted) == 5
    for name, licence in wanted.items():
        (row,) = [row for row in listed if re.search(rf"(?<![\w.-]){name}(?![\w.-])", str(row))]
        assert row[1].startswith(licence), row
    katex = (ROOT / "website" / "vendor" / "katex" / "LICENSE").read_text(encoding="utf-8")
    assert "MIT License" in katex
    assert [row[1] for row in listed if "KaTeX" in row[0]] == ["MIT"]


def test_figures_that_show_images_of_the_data_are_named(site: Path) -> None:
    named = {a["href"].partition("#")[2] for a in soup(site / PAGE).select("#licences td a")}
    with_pixels = {
        path.stem for path in site.glob("figure/*/*.svg") if "<image" in path.read_text("utf-8")
    }
    assert named - {""} == with_pixels - NOT_OF_THE_DATA


# --- Citation -------------------------------------------------------------------------------------


def citation() -> dict[str, Any]:
    work: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return work


def test_the_citation_is_that_of_the_file(site: Path) -> None:
    section = soup(site / PAGE).select_one("#how-to-cite")
    work = citation()
    said = " ".join(section.select_one("blockquote").get_text().split())
    for part in (work["title"], f"version {work['version']}", f"({work['date-released']:.4})"):
        assert part in said
    (entry,) = parse_string(section.select_one("pre").get_text(), "bibtex").entries.values()
    assert entry.fields["title"].strip("{}") == work["title"]
    assert entry.fields["version"] == work["version"]
    assert [str(person) for person in entry.persons["author"]] == [
        f"{{{author['name']}}}" for author in work["authors"]
    ]


def test_an_address_is_cited_where_one_is_known() -> None:
    assert "url" not in book_classroom.bibtex(citation(), "")
    assert f"url = {{{KNOWN.url}}}" in book_classroom.bibtex(citation(), KNOWN.url)
    assert book_classroom.sentence(citation(), KNOWN.url).endswith(f"{KNOWN.url}.")
    assert ". ." not in book_classroom.sentence(citation(), "")


# --- The link for a hub ---------------------------------------------------------------------------

TEMPLATE = "https://HUB/git-pull?repo=REPOSITORY&branch=BRANCH&urlpath=lab/tree/FOLDER/a.ipynb"


def test_what_is_known_of_the_repository_is_filled_in() -> None:
    assert book_classroom.filled_in(TEMPLATE, None) == TEMPLATE
    assert book_classroom.filled_in(TEMPLATE, KNOWN) == (
        "https://HUB/git-pull?repo=https://github.com/owner/book&branch=main"
        "&urlpath=lab/tree/book/a.ipynb"
    )
    form = book_classroom.form({"chapters/01_a": "1. A"}, KNOWN)
    assert f'name="repository" value="{KNOWN.url}"' in form
    assert 'name="repository" value=""' in book_classroom.form({}, None)


def test_the_form_makes_the_link(
    site: Path, serve: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{serve(site)}/{PAGE}")
    form = page.locator("#hub-link")
    offered = form.locator("option").evaluate_all("options => options.map((o) => o.value)")
    assert [name.replace(".ipynb", ".html") for name in offered] == CHAPTERS
    form.get_by_label("Repository").fill(f"{KNOWN.url}.git")
    form.get_by_label("Branch").fill("spring & summer")
    form.get_by_label("Chapter").select_option(offered[6])
    link = form.locator("output a")
    for wrong in ("", "hub.example.org", "javascript:alert(1)"):
        form.get_by_label("Address of the hub").fill(wrong)
        assert link.count() == 0
        assert "appears here" in form.locator("output").inner_text()
    form.get_by_label("Address of the hub").fill("https://hub.example.org/")
    address = urlsplit(link.get_attribute("href") or "")
    assert f"{address.netloc}{address.path}" == "hub.example.org/hub/user-redirect/git-pull"
    assert parse_qs(address.query) == {
        "repo": [KNOWN.url],
        "branch": ["spring & summer"],
        "urlpath": [f"lab/tree/book/{offered[6]}"],
    }
    assert page.log.clean, page.log


# --- Figures as files -----------------------------------------------------------------------------


def files_listed(site: Path) -> list[str]:
    return [a["href"] for a in soup(site / "figures.html").select("a[href^='figure/']")]


def test_every_drawn_figure_is_a_file_that_says_where_it_is_from(site: Path) -> None:
    listed = files_listed(site)
    known = [f"figure/{slug}/{name}.svg" for name, slug, _ in figure.figures()]
    assert sorted(listed) == sorted(known)
    for address in listed:
        folder, name = address.split("/")[1:]
        place = soup(site / "chapters" / f"{folder}.html").find(id=Path(name).stem)
        number = place.select_one(".caption-number").get_text().strip()
        picture = ET.parse(site / address).getroot()
        title, description = (picture.findtext(f"{SVG}{part}") or "" for part in ("title", "desc"))
        assert title.startswith(f"{number}: ")
        assert description.startswith(place.img["alt"])
        assert f"{number} of Backpropagation" in description
        assert "creativecommons.org/licenses/by/4.0/" in (site / address).read_text("utf-8")
        assert not list(picture.iter(f"{SVG}style")), "servers may forbid style sheets inside"


def drawn(path: Path) -> ET.Element:
    (picture,) = [part for part in ET.parse(path).iter() if part.get("id") == "figure_1"]
    return picture


def test_a_file_holds_the_drawing_of_the_page(site: Path) -> None:
    html = soup(site / "chapters" / "07_hand_trace.html")
    on_page = site / "chapters" / html.find(id="fig-backward").img["src"]
    file = site / "figure" / "07_hand_trace" / "fig-backward.svg"
    assert ET.tostring(drawn(on_page)) == ET.tostring(drawn(file))
    assert len(list(drawn(file).iter(f"{SVG}path"))) > 10


def test_every_live_figure_has_a_page_of_its_own(site: Path) -> None:
    listed = soup(site / "live_figures.html").select(".live-gallery dt")
    for term in listed:
        place, alone = (link["href"] for link in term.select("a"))
        name = re.escape(Path(alone).stem)
        state = re.compile(rf"""id="{name}" data-live="\w+" data-state='([^']+)'""")
        pages = [site / alone, site / place.partition("#")[0]]
        there, here = (state.findall(page.read_text(encoding="utf-8")) for page in pages)
        assert len(there) == 1
        assert there == here
    assert len(listed) == len(list(site.glob("figure/*/*.html")))


def test_a_figure_is_drawn_again_in_another_size(tmp_path: Path) -> None:
    figure.draw("fig-backward", tmp_path / "wide.svg", figure.parse_size("8x2.5"))
    assert ET.parse(tmp_path / "wide.svg").getroot().get("viewBox") == "0 0 576 180"
    assert len(list(drawn(tmp_path / "wide.svg").iter(f"{SVG}path"))) > 10


@pytest.mark.parametrize("size", ["8", "8x", "x4", "0x3", "8x-1", "1e3x2", "800x400"])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no size; expected width x height"):
        figure.parse_size(size)


def test_an_unknown_figure_or_kind_of_file_is_refused() -> None:
    with pytest.raises(SystemExit, match="there is no figure 'fig-none'; there are: fig-"):
        figure.find("fig-none")
    with pytest.raises(argparse.ArgumentTypeError, match="ends in none of"):
        figure.parse_path("slide.docx")
