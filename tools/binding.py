"""Bind the pages of the built site into one HTML document, ready to be printed.

A title page, a table of contents, and every page as tools/paper.py gives it, in the order of
_toc.yml. The text of a page begins a new sheet, with its title as running head.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import chain
from pathlib import Path
from typing import Any

from bs4 import Tag

from tools.paper import fragment, paper_page


@dataclass(frozen=True)
class Part:
    """A part of the book: its caption and the names of its pages."""

    caption: str
    pages: tuple[str, ...]


def parts_of(contents: Mapping[str, Any]) -> list[Part]:
    """The parts that _toc.yml names; its root, which stands before them, is not among them."""
    return [
        Part(part["caption"], tuple(chapter["file"] for chapter in part["chapters"]))
        for part in contents["parts"]
    ]


@dataclass(frozen=True)
class Book:
    """What the first two pages say; `imprint` holds the lines of the second."""

    title: str
    author: str
    logo: str
    language: str
    imprint: tuple[str, ...]


def bind(
    book: Book, site: Path, contents: Mapping[str, Any], styles: Iterable[str], fonts: str
) -> str:
    """The whole book as one HTML document.

    Parameters
    ----------
    book : Book
        What the first two pages say.
    site : Path
        The folder of the built site.
    contents : mapping
        The content of _toc.yml.
    styles : iterable of str
        Addresses of style sheets.
    fonts : str
        The style sheet that names the fonts.
    """
    parts, root = parts_of(contents), contents["root"]
    pages = [root, *(page for part in parts for page in part.pages)]
    preface = paper_page(site, root, pages)
    bound = {
        part: [paper_page(site, page, pages, below=1) for page in part.pages] for part in parts
    }
    for part, texts in bound.items():
        heading = f'<h1 class="book-part" id="{_part_anchor(part)}">{escape(part.caption)}</h1>'
        texts[0].insert(0, fragment(heading))
    texts = [preface, *chain.from_iterable(bound.values())]
    links = "".join(f'<link rel="stylesheet" href="{address}">' for address in styles)
    heads = [f"@page {{ @top-left {{ content: {_quoted(book.title)} }} }}"]
    heads += [_running_head(text) for text in texts]
    return (
        f'<!DOCTYPE html>\n<html lang="{book.language}" data-theme="light"><head>'
        f'<meta charset="utf-8"><title>{escape(book.title)}</title>'
        f"<style>{fonts}{''.join(heads)}</style>{links}</head>\n<body>"
        f"{_first_pages(book)}{_contents(preface, bound)}{''.join(map(str, texts))}</body></html>\n"
    )


def _part_anchor(part: Part) -> str:
    return f"part--{part.pages[0]}"


def _title(text: Tag) -> Tag:
    title = text.select_one(".book-page-title")
    assert title is not None, f"{text['id']} has no title"
    return title


def _running_head(text: Tag) -> str:
    """Let a page's text have paper of its own, with the title at its top."""
    name = f"paper-{text['id']}"
    text["style"] = f"page: {name}"
    return f"@page {name} {{ @top-right {{ content: {_quoted(_title(text).get_text())} }} }}"


def _quoted(text: str) -> str:
    """As a string of a style sheet."""
    return json.dumps(text, ensure_ascii=False)


def _first_pages(book: Book) -> str:
    """The title page, and what stands on its back."""
    title, _, subtitle = book.title.partition(", ")
    lines = "".join(f"<p>{escape(line)}</p>" for line in book.imprint)
    return (
        f'<header class="book-title"><p class="book-name">{escape(title)}</p>'
        f'<p class="book-subtitle">{escape(subtitle)}</p>'
        f'<img src="{book.logo}" alt=""><p>{escape(book.author)}</p></header>'
        f'<section class="book-imprint">{lines}</section>'
    )


def _contents(preface: Tag, bound: Mapping[Part, list[Tag]]) -> str:
    """The table of contents; whoever prints it fills in the numbers of the pages."""
    lines = _entries(preface)
    for part, texts in bound.items():
        lines += [_line("part", _part_anchor(part), escape(part.caption))]
        lines += [line for text in texts for line in _entries(text)]
    return f'<nav class="book-contents"><h1>Contents</h1><ul>{"".join(lines)}</ul></nav>'


def _entries(text: Tag) -> list[str]:
    """A page's title; of a chapter the sections, too."""
    title = _title(text)
    lines = [_line("chapter", str(text["id"]), title.decode_contents())]
    if title.select_one(".section-number"):
        for heading in text.find_all(f"h{int(title.name[1]) + 1}"):
            section = heading.find_parent("section", id=True)
            assert section is not None, f"{heading.get_text()} has no section"
            lines.append(_line("section", str(section["id"]), heading.decode_contents()))
    return lines


def _line(kind: str, anchor: str, html: str) -> str:
    return (
        f'<li class="contents-{kind}"><a href="#{anchor}">{html}</a>'
        f'<span class="page-number" data-of="{anchor}"></span></li>'
    )
