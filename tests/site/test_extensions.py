"""The site's own extensions, each in isolation."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import book_katex
import book_pages
import pytest
import sphinxcontrib.katex
from built_pages import ROOT, soup
from docutils import nodes
from py_mini_racer import JSEvalException
from pygments.token import Comment, Keyword
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

VENDOR = ROOT / "website" / "vendor" / "katex"


def build(tmp_path: Path, text: str, **config: object) -> tuple[str, str]:
    """The HTML of a one-page project and the warnings of its build."""
    source = tmp_path / "source"
    source.mkdir(exist_ok=True)
    (source / "index.rst").write_text(f"Title\n=====\n\n{text}\n", encoding="utf-8")
    warnings = io.StringIO()
    settings = {
        "extensions": ["book_katex"],
        "html_math_renderer": "book_katex",
        "html_theme": "basic",
    }
    with docutils_namespace():
        app = Sphinx(
            source,
            None,
            tmp_path / "out",
            tmp_path / "doctrees",
            "html",
            confoverrides=settings | config,
            status=None,
            warning=warnings,
            freshenv=True,
        )
        app.build()
    return (tmp_path / "out" / "index.html").read_text(encoding="utf-8"), warnings.getvalue()


class TestFormulas:
    def test_is_rendered_with_mathml(self, tmp_path: Path) -> None:
        html, warnings = build(tmp_path, r":math:`\delta = a - y`")
        assert not warnings
        assert '<annotation encoding="application/x-tex">\\delta = a - y</annotation>' in html
        assert (tmp_path / "out/_static/katex/fonts/KaTeX_Main-Regular.woff2").is_file()

    @pytest.mark.parametrize(
        "formula", [r"\frac{1", r"\unknown", r"\begin{eqnarray}x\end{eqnarray}", "5 – 3"]
    )
    def test_a_mistake_is_a_warning(self, tmp_path: Path, formula: str) -> None:
        html, warnings = build(tmp_path, f":math:`{formula}`")
        assert "KaTeX cannot render" in warnings
        assert "index.rst:4" in warnings
        assert 'class="katex"' not in html

    def test_a_title_cannot_hold_one(self, tmp_path: Path) -> None:
        _, warnings = build(tmp_path, "", rst_prolog="Slope of :math:`z`\n==================\n\n")
        assert "a page title cannot hold a formula" in warnings

    def test_a_number_and_a_reference(self, tmp_path: Path) -> None:
        text = ".. math:: a = b\n   :label: one\n\nSee :eq:`one`."
        html, warnings = build(tmp_path, text)
        assert not warnings
        assert '<span class="eqno">(1)' in html
        assert 'id="equation-one"' in html
        assert 'href="#equation-one">(1)</a>' in html

    def test_what_touches_one_stays_with_it(self, tmp_path: Path) -> None:
        _, warnings = build(tmp_path, r"So (:math:`x`), :math:`n`\ -th and :math:`y` alone.")
        assert not warnings
        kept = soup(tmp_path / "out" / "index.html").select(".kept-together")
        assert [(tag.find_all(string=True, recursive=False)) for tag in kept] == [
            ["(", "),"],
            ["-th"],
        ]
        assert [tag.annotation.get_text() for tag in kept] == ["x", "n"]

    def test_a_long_one_is_marked_for_phones(self, tmp_path: Path) -> None:
        formulas = [r"\frac{\partial J}{\partial \delta}", " + ".join("abcdefghij")]
        build(tmp_path, ", ".join(f":math:`{formula}`" for formula in formulas) + ".")
        kept = soup(tmp_path / "out" / "index.html").select(".kept-together")
        assert [tag["class"] for tag in kept] == [["kept-together"], ["kept-together", "long"]]

    def test_style_sheet_only_where_needed(self, tmp_path: Path) -> None:
        html, _ = build(tmp_path, "No formula.")
        assert "katex" not in html

    @pytest.mark.parametrize(
        ("tex", "expected"),
        [
            (r"a = b", False),
            (r"a \\ b", True),
            (r"a &= b", True),
            (r"\begin{aligned} a \\ b \end{aligned}", False),
            (r"\sum_{\substack{i \\ j}} x", False),
            (r"\{a\} \& b", False),
            (r"\begin{cases} 1 \\ 0 \end{cases} \\ c", True),
            (r"a \\\begin{pmatrix} 1 & 2 \end{pmatrix}", True),
        ],
    )
    def test_alignment_is_added_where_a_bare_break_stands(self, tex: str, expected: bool) -> None:
        assert book_katex.needs_alignment(tex) is expected
        book_katex.render(book_katex.display_tex(tex), True)

    def test_numbered_environments_are_starred(self) -> None:
        tex = book_katex.display_tex(r"\begin{align} a &= b \\ c &= d \end{align}")
        assert tex == r"\begin{align*} a &= b \\ c &= d \end{align*}"

    def test_paragraphs_are_stacked(self) -> None:
        tex = book_katex.display_tex("a = b\n\nc &= d")
        expected = r"\begin{gathered}a = b\\[1ex]\begin{aligned}c &= d\end{aligned}\end{gathered}"
        assert tex == expected

    def test_the_error_is_not_drawn(self) -> None:
        with pytest.raises(JSEvalException, match="ParseError"):
            book_katex.render(r"\frac{1", False)


class TestVendoredFiles:
    def test_checksums(self) -> None:
        lines = (VENDOR / "CHECKSUMS").read_text(encoding="utf-8").splitlines()
        expected = dict(reversed(line.split("  ")) for line in lines)
        found = {
            path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in VENDOR.rglob("*")
            if path.is_file() and path.name not in ("CHECKSUMS", "README.md")
        }
        assert found == expected

    def test_another_version_stops_the_build(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sphinxcontrib.katex, "katex_version", "0.0.1")
        with pytest.raises(Exception, match=r"is not KaTeX 0\.0\.1"):
            build(tmp_path, "Text.")


class TestRepository:
    def test_unknown(self) -> None:
        assert book_pages.find_repository({}, "", "") is None

    def test_configured(self) -> None:
        found = book_pages.find_repository({}, "https://github.com/owner/book.git", "trunk")
        assert found == book_pages.Repository("https://github.com/owner/book", "trunk")
        assert found.binder_path == "gh/owner/book/trunk"

    def test_a_fork_points_to_itself(self) -> None:
        variables = {
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "fork/book",
            "GITHUB_REF": "refs/heads/fix/typo",
        }
        found = book_pages.find_repository(variables, "https://github.com/owner/book", "main")
        assert found == book_pages.Repository("https://github.com/fork/book", "fix/typo")
        assert found.binder_path == "gh/fork/book/fix%2Ftypo"

    def test_a_proposed_change_has_no_branch_of_its_own(self) -> None:
        variables = {"GITHUB_REPOSITORY": "owner/book", "GITHUB_REF": "refs/pull/7/merge"}
        found = book_pages.find_repository(variables, "", "main")
        assert found == book_pages.Repository("https://github.com/owner/book", "main")

    def test_other_forges(self) -> None:
        variables = {
            "CI_PROJECT_URL": "https://gitlab.com/group/team/book",
            "CI_COMMIT_BRANCH": "main",
        }
        found = book_pages.find_repository(variables, "", "")
        assert found.binder_path == "gl/group%2Fteam%2Fbook/main"
        elsewhere = book_pages.Repository("https://codeberg.org/owner/book", "main")
        assert elsewhere.binder_path == "git/https%3A%2F%2Fcodeberg.org%2Fowner%2Fbook/main"


class TestDescription:
    def document(self, *texts: str) -> nodes.document:
        from docutils.utils import new_document

        document = new_document("page")
        section = nodes.section()
        section += nodes.note("", nodes.paragraph(text="A box is not the first paragraph."))
        section += [nodes.paragraph(text=text) for text in texts]
        document += section
        return document

    def test_first_paragraph(self) -> None:
        assert book_pages.describe(self.document("One\ntwo.", "Three.")) == "One two."

    def test_is_cut_at_a_word(self) -> None:
        text = book_pages.describe(self.document("word " * 60))
        assert len(text) <= book_pages.DESCRIPTION_LENGTH + 2
        assert text.endswith("word …")


def test_a_changed_style_sheet_is_noticed(tmp_path: Path) -> None:
    sheet = tmp_path / "website" / "assets" / "book.css"
    sheet.parent.mkdir(parents=True)
    sheet.write_text("a", encoding="utf-8")
    before = book_pages.fingerprint(tmp_path)
    (tmp_path / "website" / "notes.txt").write_text("not a part of any page", encoding="utf-8")
    assert book_pages.fingerprint(tmp_path) == before
    sheet.write_text("b", encoding="utf-8")
    assert book_pages.fingerprint(tmp_path) != before


def test_a_cell_that_needs_a_package_is_python() -> None:
    tokens = list(book_pages.CellLexer().get_tokens("%%requires torch\nx = None  # why\n"))
    assert (Keyword, "requires") in tokens
    assert (Keyword.Constant, "None") in tokens
    assert (Comment.Single, "# why") in tokens
    assert "".join(text for _, text in tokens) == "%%requires torch\nx = None  # why\n"


class TestFoldedBoxes:
    def test_need_no_script(self, tmp_path: Path) -> None:
        text = ".. tip::\n   :class: dropdown\n   :name: here\n\n   Look at :math:`z`.\n"
        html, warnings = build(
            tmp_path, text, extensions=["book_katex", "book_pages"], html_theme="alabaster"
        )
        assert not warnings
        opening = '<details class="admonition tip dropdown" id="here">'
        assert f'{opening}<summary class="admonition-title">Tip</summary>' in html
        assert html.count("<details") == html.count("</details>") == 1
