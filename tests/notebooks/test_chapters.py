"""Every stored chapter: executed once from top to bottom, normalised, and fit to be compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import allowances
import pytest
from nbformat import NotebookNode

from tools.comparison import form_differences, twin_differences
from tools.notebooks import code_cells, figure_metadata, notebook_path, read_notebook, slugs, tags

# hide-cell folds the solution of an exercise with its output: shown at once, it were no exercise.
TAGS = {"hide-input", "hide-cell", "remove-cell", "raises-exception", "nbval-ignore-output"}
AUTHORS_METADATA = {"tags", "mystnb", "reason"}
# What nbval compares as text, and PNG, which is compared by its pixels.
COMPARED = {"text/plain", "text/html", "text/latex", "text/markdown", "image/svg+xml", "image/png"}
PICTURES = {"image/png", "image/svg+xml"}
SHORTEST_ALTERNATIVE_TEXT = 40
SHORTEST_REASON = 20
WIDEST_LINE = 79

EXECUTED = [slug for slug in slugs() if notebook_path(slug).exists()]

Cells = list[tuple[str, NotebookNode]]


@pytest.fixture(params=EXECUTED)
def slug(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def notebook(slug: str) -> NotebookNode:
    return read_notebook(slug)


@pytest.fixture(scope="module")
def book() -> Cells:
    """Every cell of the book with its place, e.g. '07_hand_trace, cell 12'."""
    return [place for slug in EXECUTED for place in placed(read_notebook(slug), slug)]


def placed(notebook: NotebookNode, slug: str = "") -> Cells:
    prefix = f"{slug}, " if slug else ""
    return [(f"{prefix}cell {n}", cell) for n, cell in enumerate(notebook.cells, start=1)]


def code(cells: Cells) -> Cells:
    return [(place, cell) for place, cell in cells if cell.cell_type == "code"]


def markdown(cells: Cells) -> Cells:
    return [(place, cell) for place, cell in cells if cell.cell_type == "markdown"]


def data_of(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    for output in cell.get("outputs", []):
        yield from output.get("data", {}).items()


def has_figure(cell: NotebookNode) -> bool:
    return any(kind in PICTURES for kind, _ in data_of(cell))


# --- Twins and form -------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", slugs())
def test_twins_are_equal(slug: str) -> None:
    assert twin_differences(slug) == []


def test_notebook_is_in_normal_form(slug: str) -> None:
    """Ids from chapter and position, no times, no versions, no widget state, final newline."""
    assert form_differences(slug) == []


def test_every_code_cell_was_executed_in_order(notebook: NotebookNode) -> None:
    """A cell without a count would be run by nbval, and compared with nothing."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_ids_are_unique(book: Cells) -> None:
    ids = Counter(cell.id for _, cell in book)
    assert [name for name, times in ids.items() if times > 1] == []


# --- Outputs --------------------------------------------------------------------------------------


def test_every_output_can_be_compared(notebook: NotebookNode) -> None:
    kinds = {(place, kind) for place, cell in placed(notebook) for kind, _ in data_of(cell)}
    assert {(place, kind) for place, kind in kinds if kind not in COMPARED} == set()


def test_nothing_is_said_on_stderr(notebook: NotebookNode) -> None:
    """Warnings and progress bars are noise on a page, and differ between machines."""
    noisy = [
        (place, output.text)
        for place, cell in code(placed(notebook))
        for output in cell.outputs
        if output.output_type == "stream" and output.name != "stdout"
    ]
    assert noisy == []


def test_errors_are_announced(notebook: NotebookNode) -> None:
    """An error stands exactly where the tag `raises-exception` promises one."""
    for place, cell in code(placed(notebook)):
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert bool(errors) == ("raises-exception" in tags(cell)), place
        for error in errors:
            assert error.traceback == [f"{error.ename}: {error.evalue}"], place


def test_no_bare_numpy_scalars(notebook: NotebookNode) -> None:
    for place, cell in code(placed(notebook)):
        printed = [output.get("text", "") for output in cell.outputs]
        printed += [text for kind, text in data_of(cell) if kind.startswith("text/")]
        assert not re.search(r"\bnp\.(?:float|int|bool)\w*\(", "\n".join(printed)), place


def test_no_live_figure_holds_last_digits(notebook: NotebookNode) -> None:
    """The last of sixteen digits differ between machines, and this output is compared."""
    for place, cell in code(placed(notebook)):
        states = re.findall(r"data-state='([^']*)'", "".join(text for _, text in data_of(cell)))
        numbers = re.findall(r"\d+\.\d+", "".join(states))
        assert [x for x in numbers if len(x.replace(".", "").strip("0")) > 13] == [], place


# --- Cells ----------------------------------------------------------------------------------------


def test_only_known_tags_and_metadata(notebook: NotebookNode) -> None:
    for place, cell in placed(notebook):
        assert set(tags(cell)) <= TAGS, place
        assert set(cell.metadata) <= AUTHORS_METADATA, place
        assert cell.cell_type == "code" or not cell.metadata, place


def test_one_hidden_set_up_cell(notebook: NotebookNode) -> None:
    removed = [place for place, cell in placed(notebook) if "remove-cell" in tags(cell)]
    assert len(removed) <= 1


def test_no_comment_changes_the_comparison(notebook: NotebookNode) -> None:
    marks = re.compile(r"#\s*(?:NBVAL_\w+|PYTEST_VALIDATE_\w+)")
    assert [place for place, cell in code(placed(notebook)) if marks.search(cell.source)] == []


def test_no_empty_cells(notebook: NotebookNode) -> None:
    assert [place for place, cell in placed(notebook) if not cell.source.strip()] == []


def test_no_trailing_semicolon(notebook: NotebookNode) -> None:
    """It hides an output from a reader, but not from nbval."""
    ends = re.compile(r";\s*(?:#.*)?$", flags=re.MULTILINE)
    assert [place for place, cell in code(placed(notebook)) if ends.search(cell.source)] == []


def is_shown(cell: NotebookNode) -> bool:
    return not {"hide-input", "remove-cell"} & set(tags(cell))


def is_long(cell: NotebookNode) -> bool:
    return is_shown(cell) and len(cell.source.splitlines()) > allowances.LONGEST_CELL


def is_not_compared(cell: NotebookNode) -> bool:
    return "nbval-ignore-output" in tags(cell)


def test_code_that_is_shown_does_not_scroll(notebook: NotebookNode) -> None:
    too_long = [
        (place, line)
        for place, cell in code(placed(notebook))
        for line in cell.source.splitlines()
        if is_shown(cell) and len(line) > WIDEST_LINE
    ]
    assert too_long == []


def test_exceptions_have_a_reason_and_nothing_else_has(book: Cells) -> None:
    for place, cell in code(book):
        reason = cell.metadata.get("reason", "")
        excused = is_long(cell) or is_not_compared(cell)
        assert len(reason) >= SHORTEST_REASON if excused else not reason, place


def test_long_cells_are_counted(book: Cells) -> None:
    """One idea a cell. More than 15 visible lines only with a reason, and never more often."""
    long = [place for place, cell in code(book) if is_long(cell)]
    assert len(long) == allowances.LONG, long


def test_uncompared_cells_are_counted(book: Cells) -> None:
    uncompared = [place for place, cell in code(book) if is_not_compared(cell)]
    assert len(uncompared) == allowances.NOT_COMPARED, uncompared
    assert len(uncompared) <= allowances.NOT_COMPARED_SHARE * len(code(book))


# --- Figures --------------------------------------------------------------------------------------


def test_every_figure_has_an_alternative_text(notebook: NotebookNode) -> None:
    for place, cell in code(placed(notebook)):
        alt = figure_metadata(cell).get("image", {}).get("alt", "")
        if has_figure(cell):
            assert len(alt) >= SHORTEST_ALTERNATIVE_TEXT, f"{place}: {alt!r}"
        else:
            assert not alt, f"{place} has an alternative text but no figure"


def test_alternative_texts_and_names_are_not_repeated(book: Cells) -> None:
    alts = Counter(figure_metadata(cell).get("image", {}).get("alt") for _, cell in book)
    names = Counter(figure_metadata(cell).get("figure", {}).get("name") for _, cell in book)
    repeated = [text for counted in (alts, names) for text, n in counted.items() if text and n > 1]
    assert repeated == []


def test_captioned_figures_can_be_referred_to(notebook: NotebookNode) -> None:
    for place, cell in code(placed(notebook)):
        metadata = figure_metadata(cell)
        assert set(metadata) <= {"image", "figure"}, place
        if figure := metadata.get("figure"):
            assert figure.get("caption", "").strip(), place
            assert re.fullmatch(r"fig-[a-z0-9-]+", figure.get("name", "")), place


def test_pictures_in_html_have_an_alternative_text(notebook: NotebookNode) -> None:
    for place, cell in code(placed(notebook)):
        for kind, markup in data_of(cell):
            if kind == "text/html":
                for image in re.findall(r"<img\b[^>]*>", markup):
                    assert re.search(r"\balt=(?:\"[^\"]+\"|'[^']+')", image), place


# --- Text -----------------------------------------------------------------------------------------


def headings(text: str) -> list[str]:
    without_code = re.sub(r"^(`{3,}|~{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^# .+$", without_code, flags=re.MULTILINE)


def test_one_title_at_the_top(notebook: NotebookNode) -> None:
    cells = [cell for cell in notebook.cells if "remove-cell" not in tags(cell)]
    assert cells[0].cell_type == "markdown"
    assert len(headings(cells[0].source)) == 1
    assert sum(len(headings(cell.source)) for _, cell in markdown(placed(notebook))) == 1


def test_nothing_is_loaded_from_elsewhere(notebook: NotebookNode) -> None:
    """Links may lead out of the book; pictures, scripts and styles may not come from outside."""
    loaded = re.compile(
        r"!\[[^\]]*\]\(\s*<?(?:https?:)?//|(?:src|srcset|poster)\s*=\s*[\"']?(?:https?:)?//"
        r"|<link\b|@import|^:{0,3}`{3,}\{(?:image|figure)\}\s*(?:https?:)?//",
        flags=re.IGNORECASE | re.MULTILINE,
    )
    for place, cell in placed(notebook):
        shown = [cell.source] if cell.cell_type == "markdown" else []
        shown += [text for kind, text in data_of(cell) if kind in ("text/html", "text/markdown")]
        assert not [text for text in shown if loaded.search(text)], place


def test_there_are_chapters() -> None:
    assert EXECUTED
