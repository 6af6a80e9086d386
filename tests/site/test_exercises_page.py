"""The page of all exercises, and the forms on the chapters' pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from built_pages import CHAPTERS, soup

from backprop_lib.exercises import EXERCISES, check, question

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "exercises.html"
HAND_TRACE = "chapters/07_hand_trace.html"


def forms_of(site: Path, page: str) -> list[str]:
    found = soup(site / page).select("[data-live=form]")
    return [json.loads(form["data-state"])["name"] for form in found]


def test_every_exercise_is_listed_once_with_its_question(site: Path) -> None:
    html = soup(site / PAGE)
    listed = [mark["data-exercise"] for mark in html.select("[data-exercise]")]
    assert sorted(listed) == sorted(EXERCISES)
    text = " ".join(html.get_text().split())
    for name in EXERCISES:
        # Typography turns straight quotation marks into others.
        words = " ".join(str(question(name)).split()).split("'")[0].split('"')[0]
        assert words in text


def test_every_form_of_a_chapter_is_linked_to(site: Path) -> None:
    links = {a["href"] for a in soup(site / PAGE).select(".exercise-list a")}
    forms = [(page, name) for page in CHAPTERS for name in forms_of(site, page)]
    assert {f"{page}#exercise-{name}" for page, name in forms} == links
    assert len(forms) >= 11


def test_the_overview_leads_to_the_exercises_of_each_chapter_and_counts_them(site: Path) -> None:
    html = soup(site / PAGE)
    overview = html.select(".exercise-chapters li")
    sections = html.select("section[id^='chapter-']")
    assert len(overview) == len(sections) == len({name[:2] for name in EXERCISES})
    for line, section in zip(overview, sections, strict=True):
        assert line.a["href"] == f"#{section['id']}"
        assert line.span["data-chapter"] == section["id"]
        listed = section.select("[data-exercise]")
        assert line.get_text(" ", strip=True).endswith(f"{len(listed)} exercises")


def test_an_exercise_that_stands_in_no_chapter_is_one_for_a_notebook(site: Path) -> None:
    marks = soup(site / PAGE).select("[data-exercise]")
    unplaced = {mark["data-exercise"] for mark in marks if mark["data-kind"] == "notebook"}
    assert unplaced == set(EXERCISES) - {n for page in CHAPTERS for n in forms_of(site, page)}
    for mark in marks:
        said = mark.parent.get_text()
        assert said.strip().endswith("in a notebook)") == (mark["data-exercise"] in unplaced)
        assert bool(mark.parent.a) == (mark["data-exercise"] not in unplaced)


def test_forms_on_the_page_are_those_that_python_writes(site: Path) -> None:
    for form in soup(site / HAND_TRACE).select("[data-live=form]"):
        state = json.loads(form["data-state"])
        written = check(state["name"])._repr_mimebundle_()["text/html"]
        assert state["sealed"] in written
        assert form.get_text().strip() == str(check(state["name"]))


def test_a_chapter_counts_and_the_list_shows_what_is_solved(
    site: Path, serve: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{serve(site)}/{PAGE}")
    page.get_by_role("link", name="07-delta-output").click()
    form = page.locator("#exercise-07-delta-output")
    form.get_by_label("a number").fill("0.1385")
    form.get_by_label("a number").press("Enter")
    assert form.locator(".lf-verdict").inner_text() == "correct"
    count = page.locator("#check-yourself > h2 + .lf-count")
    judged = [n for n in forms_of(site, HAND_TRACE) if EXERCISES[n].kind != "function"]
    assert count.inner_text().startswith(f"1 of {len(judged)} solved")
    cell = page.locator(".tag_hide-cell", has_text='solution("07-delta-output")')
    assert not cell.is_visible()
    count.get_by_role("link").click()
    page.wait_for_function(
        "() => document.querySelector('[data-exercise=\"07-delta-output\"]')?.textContent"
    )
    assert page.locator('[data-exercise="07-delta-output"]').inner_text() == "solved"
    forms = [name for chapter in CHAPTERS for name in forms_of(site, chapter)]
    everywhere = sum(EXERCISES[name].kind != "function" for name in forms)
    assert page.locator(f"text=1 of {everywhere} solved in this browser.").is_visible()
    overview = page.locator("[data-chapter=chapter-07]")
    assert overview.inner_text() == f"1 of {len(judged)} solved"
    assert page.log.clean


def test_the_site_opened_as_a_file_has_its_forms(site: Path) -> None:
    whole = (site / "_static" / "live" / "classic.js").read_text(encoding="utf-8")
    assert "form: form_module" in whole
    assert "import(" not in whole
    assert "import.meta" not in whole
