"""Give each page what its body uses, and nothing else.

* one style sheet of our own in place of the theme's 400 KB; scripts are files, and wait;
* images say their size, so that the text does not move when they arrive;
* the loader of live figures comes with pages that hold one, and only with those;
* a search engine gets the first paragraph as description;
* buttons that lead to a repository or Binder appear only where the build knows the repository;
* a cell that needs a package (``%%requires torch``) has the colours of Python;
* folded admonitions are native ``<details>`` elements, which need no script;
* the book opens at ``index.html`` without a redirection, and old pages go.
"""

from __future__ import annotations

import hashlib
import html
import importlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from ipython_pygments_lexers import IPython3Lexer
from pygments.lexer import bygroups, using
from pygments.lexers import Python3Lexer
from pygments.token import Keyword, Operator, Text
from sphinx.locale import admonitionlabels
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.images import get_image_size

# The site's buttons and the package's addresses must agree on where the sources live.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from tools.repository import Repository, find_repository

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

    Context = dict[str, Any]

# A file named here goes only to pages whose body contains the text beside it.
NEEDED_BY = {
    "pygments.css": 'class="highlight',
    "sphinx-design.min.css": 'class="sd-',
    "design-tabs.js": "sd-tab-set",
    "book-hub.js": 'id="hub-link"',
}
# book.css and book.js do what these do. The theme's script also blurs every clicked button, which
# loses the keyboard's place.
UNWANTED = {"mystnb.css", "sphinx-book-theme.css", "sphinx-book-theme.js"}
# Widgets of a kernel have no place on a static page; live figures bring their own loader.
UNWANTED |= {"require.min.js", "embed-amd.js"}
NOT_DEFERRED = {"book-head.js", "documentation_options.js"}
# What the theme writes into pages for features that this site does not have.
NEEDLESS_INLINE = "DOCUMENTATION_OPTIONS."
IMAGE = re.compile(r'<img (?![^>]*\bwidth=)([^>]*\bsrc="[^"]*_images/([^"/]+)"[^>]*?) ?/>')
# The visible text of a folded cell is its name; this label says something else.
WRONG_LABEL = ' aria-label="Toggle hidden content"'
CHECKSUM = re.compile(r"\.[0-9a-f]{32,}(?=\.)")
SHAPING = {".css", ".js", ".mjs", ".svg", ".html", ".py", ".woff2"}
NOT_PAGES = {"_static", "_sources", "figure"}
LITE_PAGE = "notebooks/index.html"
LITE_TITLE = (
    "Run this chapter in this browser: Python comes from here, numpy and matplotlib from the "
    "public server of Pyodide, cdn.jsdelivr.net"
)
LIVE_MARK = "data-live="
LIVE_MODULES = Path("backprop_lib") / "live"
# What is written for those who read the sources need not travel to every phone.
DOC_COMMENT = re.compile(r"^[ ]*/\*\*.*?\*/\n", re.DOTALL | re.MULTILINE)
DESCRIPTION_LENGTH = 155
EARLY = 100
LATE = 900

logger = logging.getLogger(__name__)


def take_repository(app: Sphinx, config: Config) -> None:
    """Move the repository out of the theme's options: its own buttons fail on unknown forges."""
    options = config.html_theme_options
    config.book_repository = find_repository(
        os.environ, options.get("repository_url", ""), options.get("repository_branch", "")
    )
    if "repository_url" in options:
        options["repository_url"] = ""


def find_lite(app: Sphinx, config: Config) -> None:
    """Forget the site that runs chapters in the browser where none lies beside the pages; where
    one does, text that stands in ``{only} lite`` is shown."""
    if (Path(app.outdir) / config.book_lite / LITE_PAGE).is_file():
        app.tags.add("lite")
    else:
        config.book_lite = ""


def fingerprint(source: Path) -> str:
    """A digest of every file that shapes the pages beside their text."""
    digest = hashlib.sha256()
    for file in sorted([*(source / "website").rglob("*"), *(source / LIVE_MODULES).glob("*.*")]):
        if file.suffix in SHAPING:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def note_changed_files(app: Sphinx, config: Config) -> None:
    """Let Sphinx write all pages again when one of these files changed; it watches text only."""
    config.book_fingerprint = fingerprint(Path(app.srcdir))


def copy_live_modules(app: Sphinx) -> None:
    """Put the modules of the live figures, less their comments, and their style sheet into the
    site."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "live"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in (Path(app.srcdir) / LIVE_MODULES).glob("*.css"):
        shutil.copy2(file, target)
    for file in (Path(app.srcdir) / LIVE_MODULES).glob("*.mjs"):
        source = DOC_COMMENT.sub("", file.read_text(encoding="utf-8"))
        (target / file.name).write_text(source, encoding="utf-8")
    whole = importlib.import_module("backprop_lib.live.modules").classic()
    (target / "classic.js").write_text(DOC_COMMENT.sub("", whole), encoding="utf-8")


def _name(asset: Any) -> str:
    """File name without the checksum that some extensions put into it."""
    name = Path(os.fspath(asset.filename)).name if asset.filename else ""
    return CHECKSUM.sub("", name)


def _is_used(asset: Any, body: str) -> bool:
    name = _name(asset)
    return name not in UNWANTED and NEEDED_BY.get(name, "") in body


def _is_inline(script: Any) -> bool:
    """Whether a script has no file; warns of one that the site would lose."""
    if not script.filename and not str(script.attributes.get("body")).startswith(NEEDLESS_INLINE):
        logger.warning("a script inside the page, which servers may forbid: %r", script.attributes)
    return not script.filename


def _deferred(script: Any) -> Any:
    """A copy that waits for the text: the original is shared between pages."""
    if _name(script) in NOT_DEFERRED or "type" in script.attributes:
        return script
    attributes = {key: value for key, value in script.attributes.items() if key != "async"}
    attributes["defer"] = "defer"
    return type(script)(script.filename, priority=script.priority, **attributes)


def slim(
    app: Sphinx, pagename: str, templatename: str, context: Context, doctree: nodes.document | None
) -> None:
    """Drop what the body does not use, and let the rest wait."""
    body = context.get("body", "")
    context["css_files"] = [css for css in context["css_files"] if _is_used(css, body)]
    files = [script for script in context["script_files"] if not _is_inline(script)]
    context["script_files"] = [_deferred(script) for script in files if _is_used(script, body)]


def finish_body(
    app: Sphinx, pagename: str, templatename: str, context: Context, doctree: nodes.document | None
) -> None:
    """Write the size of each image into its tag, and let folded cells be called what they show."""
    sources = {target: source for source, target in app.builder.images.items()}

    def sized(match: re.Match[str]) -> str:
        attributes, name = match.groups()
        size = get_image_size(Path(app.srcdir) / sources[name]) if name in sources else None
        if size is None:
            return match[0]
        return f'<img {attributes} width="{size[0]}" height="{size[1]}" />'

    if "body" in context:
        context["body"] = IMAGE.sub(sized, context["body"]).replace(WRONG_LABEL, "")


def add_live_loader(
    app: Sphinx, pagename: str, templatename: str, context: Context, doctree: nodes.document | None
) -> None:
    """Load the live figures' module on pages that have one."""
    if LIVE_MARK not in context.get("body", ""):
        return
    if not (Path(app.outdir) / "_static" / "live" / "loader.mjs").is_file():
        logger.warning("%s has a live figure, but there is no loader.mjs", pagename)
    app.add_js_file("live/loader.mjs", type="module")


def describe(doctree: nodes.document) -> str:
    """The first paragraph of a page, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            text = " ".join(paragraph.astext().split())
            if len(text) <= DESCRIPTION_LENGTH:
                return text
            return text[:DESCRIPTION_LENGTH].rpartition(" ")[0].rstrip(" ,.;:") + " …"
    return ""


def add_description(
    app: Sphinx, pagename: str, templatename: str, context: Context, doctree: nodes.document | None
) -> None:
    """Add the description that search engines show."""
    if doctree is None:
        text = f"{context.get('title', '')}: {app.config.html_title}"
    else:
        text = describe(doctree) or app.config.html_title
    if 'name="description"' not in context.get("metatags", ""):
        tag = f'<meta name="description" content="{html.escape(text, quote=True)}" />'
        context["metatags"] = context.get("metatags", "") + f"\n    {tag}"


def add_links(
    app: Sphinx, pagename: str, templatename: str, context: Context, doctree: nodes.document | None
) -> None:
    """Hand the header its links: the notebook, Binder, the browser's own Python, the sources."""
    links = []
    is_notebook = context.get("page_source_suffix") == ".ipynb"
    notebook = f"{pagename}.ipynb"
    repository: Repository | None = app.config.book_repository
    if is_notebook and repository and app.config.book_binderhub:
        address = f"{app.config.book_binderhub}/v2/{repository.binder_path}"
        url = f"{address}?urlpath=lab/tree/{notebook}"
        links.append({"name": "Binder", "icon": "play", "url": url, "title": "Run on Binder"})
    if is_notebook and app.config.book_lite:
        url = f"{context['pathto'](app.config.book_lite, 1)}/{LITE_PAGE}?path={notebook}"
        link = {"name": "Run here", "icon": "play", "url": url, "title": LITE_TITLE}
        links.append(link | {"served": True})
    if is_notebook:
        url = context["pathto"](f"_sources/{notebook}", 1)
        title = "Download this chapter as a Jupyter notebook"
        links.append(
            {"name": "Notebook", "icon": "download", "url": url, "title": title, "download": True}
        )
    if repository:
        url = repository.url
        links.append({"name": "Source", "icon": "code", "url": url, "title": "Source repository"})
    context["book_links"] = links


class NativeDetails(SphinxPostTransform):
    """Turn admonitions of class ``dropdown`` into ``<details>``, folded until opened."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Replace each one by its contents between raw tags."""
        for node in list(self.document.findall(nodes.Admonition)):
            if "dropdown" in node["classes"]:
                node.parent.replace(node, self.unfold(node))

    def unfold(self, node: nodes.Element) -> list[nodes.Node]:
        """The opening tag, the title as summary, the contents, the closing tag."""
        children = list(node.children)
        if children and isinstance(children[0], nodes.title):
            title = list(children.pop(0).children)
        else:
            title = [nodes.Text(admonitionlabels[node.tagname])]
        kind = "" if node.tagname == "admonition" else f"{node.tagname} "
        ids = "".join(f' id="{html.escape(name)}"' for name in node["ids"][:1])
        classes = html.escape(" ".join(node["classes"]))
        opening = f'<details class="admonition {kind}{classes}"{ids}>'
        return [
            nodes.raw("", f'{opening}<summary class="admonition-title">', format="html"),
            *title,
            nodes.raw("", "</summary>", format="html"),
            *children,
            nodes.raw("", "</details>", format="html"),
        ]


def remove_old_pages(app: Sphinx, exception: Exception | None) -> None:
    """Delete pages of chapters that are no longer in the table of contents."""
    if exception is not None or app.builder.name != "html":
        return
    current = {f"{name}.html" for name in (*app.env.found_docs, "index", "search")}
    for page in Path(app.outdir).rglob("*.html"):
        name = page.relative_to(app.outdir).as_posix()
        if name not in current and name.partition("/")[0] not in NOT_PAGES | {app.config.book_lite}:
            page.unlink()


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Let the book open at its first page without a redirection."""
    start = Path(app.outdir) / f"{app.config.root_doc}.html"
    index = Path(app.outdir) / "index.html"
    if exception is None and app.builder.name == "html" and start != index:
        shutil.copy2(start, index)


class CellLexer(IPython3Lexer):
    """IPython's lexer, which takes what follows an unknown magic for plain text."""

    REQUIRES = (
        r"(?s)(%%)(requires)([^\n]*\n)(.*)",
        bygroups(Operator, Keyword, Text, using(Python3Lexer)),
    )
    tokens: ClassVar = {
        **IPython3Lexer.tokens,
        "root": [REQUIRES, *IPython3Lexer.tokens["root"]],
    }


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect everything; pages are slimmed last."""
    app.add_config_value("book_repository", None, "html")
    app.add_config_value("book_binderhub", "https://mybinder.org", "html")
    app.add_config_value("book_lite", "lite", "html")
    app.add_config_value("book_fingerprint", "", "html")
    app.add_post_transform(NativeDetails)
    app.add_lexer("ipython3", CellLexer)
    app.connect("config-inited", take_repository)
    app.connect("config-inited", find_lite)
    app.connect("config-inited", note_changed_files)
    app.connect("builder-inited", copy_live_modules)
    app.connect("html-page-context", finish_body)
    app.connect("html-page-context", add_live_loader)
    app.connect("html-page-context", add_description)
    app.connect("html-page-context", add_links)
    app.connect("html-page-context", slim, priority=LATE)
    app.connect("build-finished", remove_old_pages)
    # Before sphinx-external-toc, which would write a redirection.
    app.connect("build-finished", write_index, priority=EARLY)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
