"""Which pages the site has, and how a page is read without a browser."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]


def _files(node: Any) -> list[str]:
    """Every `file:` of a table of contents, in order."""
    if isinstance(node, list):
        return [name for item in node for name in _files(item)]
    if isinstance(node, dict):
        here = [node["file"]] if "file" in node else []
        return here + [name for value in node.values() for name in _files(value)]
    return []


TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
START = f"{TOC['root']}.html"
CHAPTERS = [f"{name}.html" for name in _files(TOC) if name.startswith("chapters/")]
TEXTS = [START, *(f"{name}.html" for name in _files(TOC))]
PAGES = ["index.html", *TEXTS, "search.html"]


@cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def places(path: Path) -> frozenset[str]:
    """Everything on a page that an address can lead to."""
    return frozenset(element["id"] for element in soup(path).find_all(id=True))


def notebook_of(page: str) -> Path:
    return (ROOT / page).with_suffix(".ipynb")
