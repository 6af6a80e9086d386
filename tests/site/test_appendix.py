"""The pages of the appendix: what they list is what the book has, and their links go both ways."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import book_bibliography
import book_checks
import book_glossary
import pytest
from bs4 import BeautifulSoup, Tag
from built_pages import CHAPTERS, ROOT, soup
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace

from tools.notebooks import read_notebook, slugs, source_path

GLOSSARY_TEXT = (ROOT / "glossary.md").read_text(encoding="utf-8")
ENTRIES = book_glossary.parse(
    GLOSSARY_TEXT.partition(book_glossary.OPENING)[2].partition("\n```")[0]
)
WORKS = book_bibliography.parse((ROOT / "references.bib").read_text(encoding="utf-8"))
FORMS = {entry.term: [form.lower() for form in entry.forms] for entry in ENTRIES}
# Terms that their chapter has in a heading, a recap or an output only, where no term is linked.
NOT_IN_RUNNING_TEXT = {
    "bias correction",
    "confusion matrix",
    "data augmentation",
    "forward mode",
    "hand trace",
    "leaky ReLU",
    "local minimum",
    "mutant",
    "reverse mode",
}
PAGE_OF = {int(Path(page).name[:2]): page for page in CHAPTERS}
YEAR = re.compile(r"(?<![\d–-])(?:1[89]|20)\d\d(?![\d–-])")
# Years in the sources' prose that are not the years of a work.
NOT_A_WORK = {"02_linear_regression": {"1795"}}


# --- The glossary: its entries --------------------------------------------------------------------


def glossary(*heads: str) -> list[book_glossary.Entry]:
    return book_glossary.parse("\n\n".join(f"{head}\nWhat it is." for head in heads))


def found_in(text: str, *heads: str) -> list[str]:
    pattern, groups = book_glossary.matcher(glossary(*heads))
    return [groups[str(match.lastgroup)].term for match in pattern.finditer(text)]


def test_there_are_enough_terms_and_each_is_said_in_a_sentence_or_two() -> None:
    assert len(ENTRIES) >= 60
    for entry in ENTRIES:
        assert 4 <= len(entry.definition.split()) <= 60, entry.term
        assert entry.definition.endswith("."), entry.term


@pytest.mark.parametrize("text", ["term\nNo chapter.", "term {3}", "term {three}\nText."])
def test_an_entry_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ExtensionError, match="glossary: expected"):
        book_glossary.parse(text)


def test_two_entries_cannot_claim_the_same_word() -> None:
    with pytest.raises(ExtensionError, match="'Units' leads to 'neuron' and 'cell'"):
        glossary("neuron; units {1}", "cell; Units {1}")


def test_the_longest_term_wins() -> None:
    heads = ("entropy {1}", "binary cross-entropy {1}", "cross-entropy {1}", "weight {1}")
    assert found_in("a binary cross-entropy", *heads) == ["binary cross-entropy"]
    assert found_in("the cross-entropy", *heads) == ["cross-entropy"]


def test_terms_are_whole_words() -> None:
    assert found_in("weighted, counterweight, pre-weight, weight-free", "weight {1}") == []
    assert found_in("(weight), weight. weight's", "weight {1}") == ["weight"] * 3


def test_names_keep_their_capitals_and_words_may_begin_a_sentence() -> None:
    assert found_in("Adam met adam", "Adam {1}") == ["Adam"]
    assert found_in("Gradient and gradient", "gradient {1}") == ["gradient"] * 2
    assert found_in("gradient\n  descent", "gradient descent {1}") == ["gradient descent"]


# --- The glossary: links in a small book ----------------------------------------------------------

CHAPTER = """\
# A weight in the title

Some *weight of evidence* and `weight`, [weight](https://example.org), $weight$.

> Weights pull; another weight does not.

- a *loss*, another loss

```{figure} picture.png
:alt: nothing

The bias of a caption.
```

## Check yourself

What is a bias?
"""


def build(folder: Path, chapter: str, glossary: str) -> tuple[BeautifulSoup, str]:
    """A book of one chapter and a glossary; the chapter's page."""
    source = folder / "source"
    (source / "chapters").mkdir(parents=True, exist_ok=True)
    (source / "picture.png").write_bytes((ROOT / "website/assets/page.png").read_bytes())
    (source / "chapters" / "picture.png").write_bytes((source / "picture.png").read_bytes())
    (source / "chapters" / "01_one.md").write_text(chapter, encoding="utf-8")
    page = f"# Glossary\n\n{book_glossary.OPENING}{glossary}\n```\n"
    (source / "glossary.md").write_text(page, encoding="utf-8")
    contents = "# Book\n\n```{toctree}\nchapters/01_one\nglossary\n```\n"
    (source / "index.md").write_text(contents, encoding="utf-8")
    settings = {
        "extensions": ["myst_parser", "book_glossary"],
        "html_theme": "basic",
        "myst_enable_extensions": ["dollarmath"],
    }
    with docutils_namespace():
        places = (source, None, folder / "out", folder / "doctrees")
        app = Sphinx(*places, "html", confoverrides=settings, status=None, warningiserror=True)
        app.build()
    html = (folder / "out" / "chapters" / "01_one.html").read_text(encoding="utf-8")
    return BeautifulSoup(html, "html.parser"), html


THREE = "weight; weights {1}\nA factor.\n\nbias {1}\nA summand.\n\nloss {2}\nA number."


def test_the_first_use_in_running_text_is_linked_and_nothing_else(tmp_path: Path) -> None:
    page, _ = build(tmp_path, CHAPTER, THREE)
    links = page.select("a.book-term")
    assert [link.get_text() for link in links] == ["Weights", "loss"]
    assert [link["href"] for link in links] == [
        "../glossary.html#term-weight",
        "../glossary.html#term-loss",
    ]
    assert links[1].parent.name == "em"


def test_a_changed_glossary_links_the_chapters_anew(tmp_path: Path) -> None:
    build(tmp_path, CHAPTER, THREE)
    page, _ = build(tmp_path, CHAPTER, "pull {1}\nA force.")
    assert [link.get_text() for link in page.select("a.book-term")] == ["pull"]


def test_an_entry_leads_to_its_chapter_where_the_book_has_it(tmp_path: Path) -> None:
    build(tmp_path, CHAPTER, THREE)
    page = soup(tmp_path / "out" / "glossary.html")
    texts = {term.get_text(): term.find_next("dd") for term in page.select("dt")}
    assert texts["weight"].a["href"] == "chapters/01_one.html"
    assert texts["loss"].a is None
    assert texts["loss"].get_text().strip() == "A number. Chapter\N{NO-BREAK SPACE}2."


def test_each_letter_leads_to_its_first_entry(site: Path) -> None:
    page = soup(site / "glossary.html")
    letters = {a.get_text(): a["href"] for a in page.select(".book-letters a")}
    terms = [(term.get_text(), f"#{term['id']}") for term in page.select(".book-glossary > dt")]
    first = {term[0].upper(): place for term, place in reversed(terms)}
    assert letters == first
    assert list(letters) == sorted(letters)


# --- The glossary: links in this book -------------------------------------------------------------


def terms_linked_on(site: Path, page: str) -> list[str]:
    links = soup(site / page).select("a.book-term")
    return [link["href"].partition("glossary.html#")[2] for link in links]


def prose_of(site: Path, page: str) -> str:
    """The paragraphs of a chapter that teach, without what never becomes a link."""
    article = BeautifulSoup(str(soup(site / page).find("article")), "html.parser")
    for name in ("check-yourself", "recap", "where-it-came-from"):
        for section in article.find_all("section", id=name):
            section.decompose()
    out = ".cell, code, em, .math, .admonition-title, summary, figcaption, table"
    for element in article.select(f"{out}, a:not(.book-term)"):
        element.decompose()
    return " ".join(" ".join(p.get_text() for p in article.find_all("p")).split())


@pytest.mark.parametrize("page", CHAPTERS)
def test_each_term_is_linked_once_in_a_chapter_that_uses_it(site: Path, page: str) -> None:
    linked = terms_linked_on(site, page)
    assert len(linked) == len(set(linked))
    text = prose_of(site, page)
    pattern, groups = book_glossary.matcher(ENTRIES)
    used = {groups[str(match.lastgroup)].anchor for match in pattern.finditer(text)}
    assert used <= set(linked)


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_link_stands_at_the_first_use(site: Path, page: str) -> None:
    """Before it, no paragraph has the term."""
    pattern, groups = book_glossary.matcher(ENTRIES)
    for link in soup(site / page).select("p > a.book-term"):
        anchor = link["href"].partition("#")[2]
        parts = reversed([part for part in link.previous_siblings if is_plain(part)])
        before = " | ".join(part.get_text() for part in parts)
        assert anchor not in {groups[str(m.lastgroup)].anchor for m in pattern.finditer(before)}


def is_plain(part: object) -> bool:
    return not isinstance(part, Tag) or part.name == "strong"


def test_a_term_is_linked_in_the_chapter_that_introduces_it(site: Path) -> None:
    linked = {page: set(terms_linked_on(site, page)) for page in CHAPTERS}
    missing = [
        (entry.term, entry.chapter)
        for entry in ENTRIES
        if entry.chapter in PAGE_OF and entry.anchor not in linked[PAGE_OF[entry.chapter]]
    ]
    assert {term for term, _ in missing} <= NOT_IN_RUNNING_TEXT
    for term, chapter in missing:
        text = soup(site / PAGE_OF[chapter]).find("article").get_text().lower()
        assert any(form in text for form in FORMS[term]), term


# --- The bibliography -----------------------------------------------------------------------------


def paragraphs_of_sources(slug: str) -> list[str]:
    """Each item or paragraph at the end of a chapter, as a reader sees it."""
    text = source_path(slug).read_text(encoding="utf-8")
    section = text.partition("\n## Where it came from\n")[2].partition("\n## ")[0]
    blocks = re.split(r"\n\s*\n|^- ", section, flags=re.MULTILINE)
    return [re.sub(r"[*`]", "", " ".join(block.split())) for block in blocks if block.strip()]


@pytest.mark.parametrize("slug", slugs())
def test_every_work_that_a_chapter_names_is_in_the_bibliography(slug: str) -> None:
    missing = []
    for text in paragraphs_of_sources(slug):
        places = {place for _, place in book_bibliography.cited(WORKS, text)}
        years = {found.span() for found in YEAR.finditer(text)}
        unknown = {text[slice(*place)] for place in years - places}
        unknown -= NOT_A_WORK.get(slug, set()) | other_years(text)
        missing += [(year, text) for year in unknown]
    assert missing == []


def other_years(text: str) -> set[str]:
    """The further years of works that were presented and printed in different ones."""
    return {year for work, _ in book_bibliography.cited(WORKS, text) for year in work.years[1:]} | {
        work.years[0] for work, _ in book_bibliography.cited(WORKS, text) if len(work.years) > 1
    }


def test_every_chapter_names_its_sources() -> None:
    silent = [slug for slug in slugs() if not paragraphs_of_sources(slug)]
    assert silent == []


def test_an_entry_says_who_what_where_and_when() -> None:
    for work in WORKS:
        assert work.authors, work.key
        assert work.title, work.key
        assert work.venue, work.key
        assert re.fullmatch(r"\d{4}", work.years[0]), work.key
        assert work.years[0] in work.key, work.key
        assert not work.address or re.match(r"https?://", work.address), work.key
        doi = work.address.removeprefix(book_bibliography.DOI)
        assert doi == work.address or re.fullmatch(r"10\.\d{4,5}/[\w.()/-]+", doi), work.key


PARTS = "booktitle = {Book}, volume = {2}, publisher = {House}, pages = {3--4}"
PAPER = "journal = {Journal}, volume = {2}, number = {1}, pages = {3--4}"


@pytest.mark.parametrize(
    ("kind", "fields", "venue"),
    [
        ("incollection", PARTS, "in Book, volume 2, House, 3–4"),
        ("inproceedings", PARTS, "in Book 2, House, 3–4"),
        ("article", PAPER, "Journal 2(1), 3–4"),
        ("book", "publisher = {House}", "House"),
    ],
)
def test_a_venue_says_where_to_look(kind: str, fields: str, venue: str) -> None:
    who_and_when = "author = {Doe, J.}, title = {Title}, year = {2000}"
    (work,) = book_bibliography.parse(f"@{kind}{{doe-2000, {who_and_when}, {fields}}}")
    assert work.venue == venue


def test_a_question_is_not_followed_by_a_comma(site: Path) -> None:
    entries = soup(site / "bibliography.html").select(".book-bibliography li")
    for entry in entries:
        title = entry.em.get_text()
        assert str(entry.em.next_sibling).startswith(" " if title.endswith("?") else ", "), title


def works_in(text: str) -> list[str]:
    return sorted(work.key for work, _ in book_bibliography.cited(WORKS, text))


def test_works_of_one_author_and_year_are_told_apart_by_their_titles() -> None:
    assert works_in("Y. LeCun and others, Efficient BackProp (1998)") == ["lecun-1998-efficient"]
    assert works_in("K. He, Delving (2015); K. He, Deep (2016)") == ["he-2015", "he-2016"]
    nature = "D. E. Rumelhart and others, Learning representations by errors, Nature (1986)"
    assert works_in(nature) == ["rumelhart-1986-nature"]


def test_page_numbers_and_pronouns_are_no_citations() -> None:
    assert works_in("He found in 2015, and K. He, pages 2015–2030") == []
    assert works_in("N. Srivastava, JMLR 15, 1929–1958 (2014)") == ["srivastava-2014"]


def test_two_works_of_one_year_in_one_sentence_have_their_own_years() -> None:
    text = "G. Cybenko (1989); K. Hornik, M. Stinchcombe, H. White (1989)"
    places = {work.key: place for work, place in book_bibliography.cited(WORKS, text)}
    assert places["cybenko-1989"] < places["hornik-1989"]


def test_chapters_and_bibliography_lead_to_each_other(site: Path) -> None:
    page = soup(site / "bibliography.html")
    backwards = {
        (link["href"].partition("#")[0], item["id"])
        for item in page.select(".book-bibliography li")
        for link in item.select(".book-back a")
    }
    forwards = {
        (chapter, link["href"].partition("#")[2])
        for chapter in CHAPTERS
        for link in soup(site / chapter).select("a[href^='../bibliography.html#ref-']")
    }
    assert backwards == forwards
    assert {chapter for chapter, _ in forwards} == set(CHAPTERS)
    assert {work for _, work in forwards} == {work.anchor for work in WORKS}
    assert [item["id"] for item in page.select(".book-bibliography li")] == [
        w.anchor for w in WORKS
    ]


# --- Figures --------------------------------------------------------------------------------------


def test_every_figure_is_listed_with_its_number(site: Path) -> None:
    listed = {}
    for link in soup(site / "figures.html").select(".book-figures li > p > a:first-child"):
        page, _, name = link["href"].partition("#")
        number = soup(site / page).find(id=name).select_one(".caption-number").get_text()
        listed[page, number.strip()] = link.get_text()
    there = {
        (page, number.get_text().strip())
        for page in CHAPTERS
        for number in soup(site / page).select("figcaption .caption-number")
        if number.get_text().startswith("Figure")
    }
    assert there == set(listed)
    assert all(number == text for (_, number), text in listed.items())


def test_every_figure_that_moves_is_listed(site: Path) -> None:
    links = {a["href"] for a in soup(site / "figures.html").select("section > p > a[href*='#']")}
    there = {
        f"{page}#{figure['id']}"
        for page in CHAPTERS
        for figure in soup(site / page).select("div.live[data-live]")
    }
    assert there
    assert there == links


# --- How this book is checked ---------------------------------------------------------------------


def rows_of(name: str) -> list[list[str]]:
    with (ROOT / "tests" / "mutants" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_witness_table_is_the_stored_one(site: Path) -> None:
    table = soup(site / "checks.html").select_one("table.book-witnesses")
    shown = [[cell.get_text() for cell in row.select("td")] for row in table.select("tbody tr")]
    stored = rows_of("witnesses.tsv")
    assert [cell.get_text() for cell in table.select("th")] == stored[0]
    assert [row[1:] for row in shown] == [row[1:] for row in stored[1:]]
    names = [row[0].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") for row in shown]
    for name, row in zip(names, stored[1:], strict=True):
        assert name.endswith(row[0])


def test_the_mutant_tables_are_the_stored_ones(site: Path) -> None:
    bugs, rooms = soup(site / "checks.html").select("table.book-mutants")
    named, automatic = book_checks.named_and_automatic(rows_of("killers.tsv")[1:])
    assert len(bugs.select("tbody tr")) == len(named) >= 40
    counted = {
        row.code.get_text(): int(row.select("td")[1].get_text()) for row in rooms.select("tbody tr")
    }
    assert counted == {f"{room}.py": number for room, number in automatic.items()}
    assert len(named) + automatic.total() == len(rows_of("killers.tsv")) - 1


def test_a_check_is_written_in_words() -> None:
    check = "tests/library/test_losses.py::test_the_gradient_is_that_of_the_value[half_mse]"
    assert book_checks.in_words(check) == "the gradient is that of the value [half_mse]"
    assert book_checks.in_words("doctest backprop_lib.errors") == "doctest backprop_lib.errors"


def commands() -> list[str]:
    text = (ROOT / "checks.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_page_exist(command: str) -> None:
    program, *words = command.split()
    if program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE)
    elif words[1] == "pytest":
        paths = [word for word in words[2:] if not word.startswith("-")]
        assert paths
        assert [path for path in paths if not (ROOT / path).exists()] == []
    else:
        assert (ROOT / f"{words[1].replace('.', '/')}.py").is_file()


# --- The symbols ----------------------------------------------------------------------------------


def symbols() -> list[list[str]]:
    """The rows of the stored symbol table, without its heading."""
    for cell in read_notebook("16_notation").cells:
        for output in cell.get("outputs", []):
            if table := output.get("data", {}).get("text/markdown"):
                return [
                    [word.strip() for word in re.split(r"(?<!\\)\|", line)[1:-1]]
                    for line in table.splitlines()[2:]
                ]
    raise AssertionError("chapter 16 has no symbol table")


def letters_of_some_chapters() -> list[tuple[str, int]]:
    """Each letter of the second table, with each chapter that is said to use it."""
    text = source_path("16_notation").read_text(encoding="utf-8")
    rows = text.partition("| letter | what it is | chapters |\n|---|---|---|\n")[2]
    found = []
    for row in rows.partition("\n\n")[0].splitlines():
        letters, _, chapters = row.strip("| ").split(" | ")
        for letter in letters.split(", "):
            found += [(letter.strip("$"), int(number)) for number in chapters.split(", ")]
    return found


def stands_in_a_formula(symbol: str, chapter: int) -> bool:
    slug = next(slug for slug in slugs() if int(slug[:2]) == chapter)
    text = source_path(slug).read_text(encoding="utf-8")
    formulas = " ".join(re.findall(r"\$\$?[^$]+\$\$?", text))
    return bool(re.search(rf"(?<![A-Za-z\\]){re.escape(symbol)}(?![A-Za-z])", formulas))


@pytest.mark.parametrize(("letter", "chapter"), letters_of_some_chapters())
def test_a_letter_stands_in_the_chapters_that_are_said_to_use_it(letter: str, chapter: int) -> None:
    assert stands_in_a_formula(letter, chapter)


@pytest.mark.parametrize("row", symbols(), ids=lambda row: row[1])
def test_a_symbol_stands_in_the_chapter_that_is_said_to_introduce_it(row: list[str]) -> None:
    symbol = re.split(r" = |/", row[0].strip("$"))[0]
    assert stands_in_a_formula(symbol, int(row[4]))
