"""The example of the guide for authors runs as it is printed, and moves."""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from backprop_lib.live import Curve

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXAMPLE = Path(__file__).with_name("own_figure.py")
GUIDE = Path(__file__).resolve().parents[2] / "live_figures.md"


def test_the_guide_prints_all_of_it_but_the_first_import_in_ten_lines() -> None:
    first, printed = EXAMPLE.read_text(encoding="utf-8").split("\n\n", 1)
    assert first == "from __future__ import annotations"
    assert len(printed.splitlines()) == 10
    include = "tests/live/own_figure.py\n:language: python\n:start-at: from backprop_lib\n```"
    assert include in GUIDE.read_text(encoding="utf-8")


def test_the_example_moves(live_page: Callable[..., Page]) -> None:
    figure = runpy.run_path(str(EXAMPLE))["figure"]
    assert isinstance(figure, Curve)
    page = live_page(figure)
    slider = page.locator("#tanh-slope input[type=range]").first
    slider.press("ArrowRight")
    text = page.locator("#tanh-slope").inner_text()
    assert f"{math.tanh(0.6):.6g}" in text
    assert f"{1 - math.tanh(0.6) ** 2:.6g}" in text
    assert page.log.clean
