"""Figures on a bare page: what the site serves, without the site."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from live_examples import html_of

from backprop_lib.live import LiveFigure
from backprop_lib.live.modules import FOLDER

if TYPE_CHECKING:
    from playwright.sync_api import Page

# As strict as a page can be: no inline script, no inline style, nothing from elsewhere.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:"
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="{theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Live figures</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<script type="module" src="live/loader.mjs"></script>
</head>
<body><main><h1>Live figures</h1>
{body}
</main></body>
</html>
"""
STYLE = """
body { font: 16px sans-serif; margin: 0; background: #fff; color: #222832; }
html { color-scheme: light; --pst-color-background: light-dark(#fff, #14181e); }
html[data-theme="dark"] { color-scheme: dark; }
html[data-theme="dark"] body { background: #14181e; color: #ced6dd; }
main { max-width: 44rem; margin: 0 auto; padding: 0 1rem; }
main img { max-width: 100%; height: auto; }
"""


@pytest.fixture(scope="session")
def live_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the modules and the style sheet as the site serves them; pages go beside."""
    root = tmp_path_factory.mktemp("live")
    (root / "live").mkdir()
    for source in [*FOLDER.glob("*.mjs"), FOLDER / "live.css"]:
        shutil.copy(source, root / "live")
    (root / "page.css").write_text(STYLE, encoding="utf-8")
    (root / "empty.html").write_text("<!DOCTYPE html><title>empty</title>", encoding="utf-8")
    return root


@pytest.fixture
def live_page(
    live_root: Path, serve: Callable[..., str], open_page: Callable[..., Page]
) -> Callable[..., Page]:
    """``live_page(*figures, theme="light", wait=True, query="", **options)``: a page of figures.

    A figure is a `LiveFigure` or HTML; the other options are those of ``open_page``.
    """

    def make(
        *figures: LiveFigure | str,
        theme: str = "light",
        wait: bool = True,
        query: str = "",
        **options: Any,
    ) -> Page:
        body = "\n".join(f if isinstance(f, str) else html_of(f) for f in figures)
        name = f"page{len(list(live_root.iterdir()))}.html"
        text = PAGE.format(theme=theme, policy=POLICY, body=body)
        (live_root / name).write_text(text, encoding="utf-8")
        page = open_page(f"{serve(live_root)}/{name}{query}", **options)
        if wait:
            wake(page)
        return page

    return make


def wake(page: Page) -> None:
    """Bring every figure into view, one after the other, until all have started."""
    for figure in page.query_selector_all("[data-live]"):
        figure.scroll_into_view_if_needed()
        page.wait_for_function("figure => figure.dataset.ready", arg=figure)
