"""What axe says of a page in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe_playwright_python

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What makes axe slow and tells it nothing: of coloured words in code that look alike, one stands
# for all, and the drawn half of a formula is hidden from screen readers and takes its colours from
# the text around it. A chapter has thousands of both.
THIN_OUT = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll(".highlight span")) {
    const look = word.className + word.closest(".cell_input, .output, section, div").className;
    if (seen.has(look)) word.replaceWith(...word.childNodes);
    seen.add(look);
  }
  for (const drawn of document.querySelectorAll(".katex-html")) drawn.replaceChildren();
}"""


def accessibility_violations(page: Page, *, colours: bool = True) -> list[str]:
    """What axe finds; the page is thinned out for it, so this comes last."""
    page.evaluate(THIN_OUT)
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        """([tags, colours]) => axe.run(document, {
          runOnly: {type: "tag", values: tags},
          rules: {"color-contrast": {enabled: colours}},
          resultTypes: ["violations"],
        })""",
        [AXE_TAGS, colours],
    )
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
