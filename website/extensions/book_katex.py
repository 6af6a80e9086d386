"""Render formulas while the site is built, with KaTeX in an embedded V8.

A page then needs a stylesheet and a few fonts for its formulas, but no script, and it does not
move while it loads. Each formula carries MathML beside its visible form, which is what a screen
reader reads. A formula that KaTeX refuses is a Sphinx warning, so a strict build fails.

The script comes from the package ``sphinxcontrib-katex``; the stylesheet and fonts of the same
version are kept in ``website/vendor/katex``.
"""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import sphinxcontrib.katex
from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

VENDOR = Path(__file__).resolve().parents[1] / "vendor" / "katex"
STYLESHEET = "katex/katex.min.css"
NUMBERED_ENVIRONMENT = re.compile(r"\\(begin|end)\{(align|alignat|equation|gather)\}")
NESTING = re.compile(r"\\\\|\\[{}&]|\\begin\b|\\end\b|[{}&]")
# Nearly every formula needs these. The page's head asks for them early (layout.html, book-head.js):
# lines that were broken before they arrive are broken anew, and the text moves.
FIRST_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic", "KaTeX_Size1-Regular")
# A comma, a bracket, the "th" of "n-th".
TOUCHING_START, TOUCHING_END = re.compile(r"^\S{1,8}(?!\S)"), re.compile(r"(?<!\S)\S{1,8}$")
COMMAND = re.compile(r"\\[A-Za-z]+")
SHORT = 24  # signs: less than a phone's line
OLD_FONT_FORMATS = re.compile(r',url\([^)]*\) format\("(?:woff|truetype)"\)')

logger = logging.getLogger(__name__)


@cache
def _katex() -> MiniRacer:
    script = Path(sphinxcontrib.katex.__file__).with_name("katex.min.js")
    engine = MiniRacer()
    engine.eval(script.read_text(encoding="utf-8"))
    return engine


@cache
def render(tex: str, display: bool) -> str:
    """HTML with MathML for one formula; raises ``JSEvalException`` where KaTeX refuses it."""
    options = {
        "displayMode": display,
        "output": "htmlAndMathml",
        "throwOnError": True,
        "strict": "error",
    }
    return _katex().call("katex.renderToString", tex, options)


def needs_alignment(tex: str) -> bool:
    """Whether a line break or an alignment mark stands outside every environment and group."""
    depth = 0
    for found in NESTING.findall(tex):
        if found in (r"\begin", "{"):
            depth += 1
        elif found in (r"\end", "}"):
            depth -= 1
        elif found in (r"\\", "&") and depth == 0:
            return True
    return False


def display_tex(source: str) -> str:
    """What KaTeX is given for a displayed formula.

    Sphinx prints the number, so numbered environments lose theirs; paragraphs are stacked.
    """
    starred = NUMBERED_ENVIRONMENT.sub(r"\\\1{\2*}", source)
    parts = [part.strip() for part in re.split(r"\n[ \t]*\n", starred) if part.strip()]
    rows = [
        rf"\begin{{aligned}}{part}\end{{aligned}}" if needs_alignment(part) else part
        for part in parts
    ]
    if len(rows) == 1:
        return rows[0]
    return r"\begin{gathered}" + r"\\[1ex]".join(rows) + r"\end{gathered}"


def _html(translator: HTML5Translator, node: nodes.Element, tex: str, display: bool) -> str:
    try:
        return render(tex, display)
    except JSEvalException as error:
        reason = str(error).partition("ParseError: ")[2] or str(error)
        logger.warning(
            "KaTeX cannot render %r: %s",
            node.astext(),
            reason.splitlines()[0],
            location=node,
            type="katex",
        )
        return f"<code>{translator.encode(node.astext())}</code>"


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write an inline formula."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_html(self, node, node.astext(), display=False))
    self.body.append("</span>")
    raise nodes.SkipNode


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula, with its number where it has one."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    formula = _html(self, node, display_tex(node.astext()), display=True)
    self.body.append(f'<div class="formula">{formula}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


class KeepPunctuation(SphinxPostTransform):
    """Hold together a formula and what touches it: browsers would begin a line with its comma.

    On a phone, a long formula may have to be broken itself.
    """

    default_priority = 800
    formats: ClassVar[tuple[str, ...]] = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Put every such formula into an element that the style sheet keeps in one line."""
        for formula in list(self.document.findall(nodes.math)):
            parent, place = formula.parent, formula.parent.index(formula)
            opening = _cut(parent, place - 1, TOUCHING_END)
            closing = _cut(parent, place + 1, TOUCHING_START)
            if opening or closing:
                length = len(COMMAND.sub("x", formula.astext()))
                group = nodes.inline(classes=["kept-together"] + ["long"] * (length > SHORT))
                parent[place] = group
                group += [nodes.Text(opening), formula, nodes.Text(closing)]


def _cut(parent: nodes.Element, place: int, pattern: re.Pattern[str]) -> str:
    """Take what touches a formula out of the text at a place; nothing where no text is."""
    beside = parent[place] if 0 <= place < len(parent) else None
    text = beside.astext() if isinstance(beside, nodes.Text) else ""
    found = pattern.search(text)
    if found is None:
        return ""
    parent[place] = nodes.Text(text[: found.start()] + text[found.end() :])
    return found[0]


def copy_stylesheet(app: Sphinx) -> None:
    """Put the stylesheet and its fonts into the site; refuse those of another version."""
    if app.builder.format != "html":
        return
    stylesheet = (VENDOR / "katex.min.css").read_text(encoding="utf-8")
    version = sphinxcontrib.katex.katex_version
    if f'content:"{version}"' not in stylesheet:
        raise ExtensionError(
            f"website/vendor/katex is not KaTeX {version}, the version of the installed script; "
            "website/vendor/katex/README.md says how to renew it"
        )
    target = Path(app.outdir) / "_static" / "katex"
    shutil.copytree(VENDOR / "fonts", target / "fonts", dirs_exist_ok=True)
    shutil.copy2(VENDOR / "LICENSE", target / "LICENSE")
    sheet = OLD_FONT_FORMATS.sub("", stylesheet)
    (target / "katex.min.css").write_text(sheet, encoding="utf-8")


def add_stylesheet(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Link the stylesheet, and the first fonts, on pages that have a formula."""
    if 'class="katex' in context.get("body", ""):
        app.add_css_file(STYLESHEET, priority=300)
        context["fonts"] = [f"_static/katex/fonts/{name}.woff2" for name in FIRST_FONTS]


def refuse_formula_in_title(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn of a formula in a page's title, which menus and the browser's tab cannot show."""
    title = doctree.next_node(nodes.title)
    if title is not None and title.next_node(nodes.math) is not None:
        logger.warning("a page title cannot hold a formula", location=title, type="katex")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("book_katex", (visit_math, None), (visit_displaymath, None))
    app.add_post_transform(KeepPunctuation)
    app.connect("builder-inited", copy_stylesheet)
    app.connect("html-page-context", add_stylesheet)
    app.connect("doctree-resolved", refuse_formula_in_title)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
