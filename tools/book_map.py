"""The map of the book on its first page: `python -m tools.book_map` draws website/assets/map.svg.

Chapters stand on one line from the first neuron to the appendix. A test redraws the map and
compares it, and its parts with the contents of the book.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAP = ROOT / "website" / "assets" / "map.svg"

PARTS = {
    "One neuron": ("01_perceptron", "02_linear_regression", "03_logistic_regression"),
    "Many neurons": ("04_multilayer_perceptron",),
    "Backpropagation": (
        "05_chain_rule",
        "06_backpropagation",
        "07_hand_trace",
        "08_checking_gradients",
    ),
    "Training for real": (
        "09_mini_batches",
        "10_vanishing_and_exploding",
        "11_optimizers",
        "12_regularisation",
    ),
    "What is built on top": ("13_automatic_differentiation", "14_handwritten_digits"),
    "Appendix": ("15_claims_tested", "16_notation"),
}
TITLES = {
    "01_perceptron": "The perceptron",
    "02_linear_regression": "Linear regression",
    "03_logistic_regression": "Logistic regression and softmax",
    "04_multilayer_perceptron": "The multilayer perceptron",
    "05_chain_rule": "The chain rule on graphs",
    "06_backpropagation": "Backpropagation",
    "07_hand_trace": "The hand trace",
    "08_checking_gradients": "Checking gradients",
    "09_mini_batches": "Mini-batches and epochs",
    "10_vanishing_and_exploding": "Vanishing and exploding gradients",
    "11_optimizers": "Optimizers",
    "12_regularisation": "Overfitting and regularisation",
    "13_automatic_differentiation": "Automatic differentiation",
    "14_handwritten_digits": "Handwritten digits",
    "15_claims_tested": "Claims, tested",
    "16_notation": "Notation and conventions",
}
WIDTH, LINE, PART_LINE, SPINE = 440, 29, 40, 46
FORWARD, BACKWARD, GREY, INK = "#0072B2", "#D55E00", "#6E6E6E", "#222222"


def draw() -> str:
    """The map as SVG."""
    y, rows = 14, []
    for part, slugs in PARTS.items():
        y += PART_LINE
        rows.append(f'<text x="{SPINE + 24}" y="{y}" class="part">{escape(part)}</text>')
        for slug in slugs:
            y += LINE
            rows.append(_chapter(slug, y))
    height = y + 34
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<style>text{{font:16px system-ui,sans-serif;fill:{INK}}}"
            f".part{{font-weight:600;font-size:14px;fill:{GREY}}}"
            ".number{font-size:12px;font-weight:600;text-anchor:middle;fill:#ffffff}</style>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            _arrow(SPINE, 24, y + 18, FORWARD),
            _arrow(WIDTH - 30, y + 18, 24, BACKWARD, dashed=True),
            _sideways(WIDTH - 40, height / 2, "what went wrong comes back", BACKWARD),
            *rows,
            "</svg>\n",
        ]
    )


def _chapter(slug: str, y: int) -> str:
    circle = f'<circle cx="{SPINE}" cy="{y - 5}" r="11" fill="{FORWARD}"/>'
    number = f'<text x="{SPINE}" y="{y - 1}" class="number">{int(slug[:2])}</text>'
    return f'{circle}{number}<text x="{SPINE + 24}" y="{y}">{escape(TITLES[slug])}</text>'


def _sideways(x: float, y: float, text: str, colour: str) -> str:
    turned = f'transform="rotate(-90 {x} {y})" text-anchor="middle"'
    return f'<text x="{x}" y="{y}" {turned} style="fill:{colour};font-size:13px">{text}</text>'


def _arrow(x: int, start: int, end: int, colour: str, *, dashed: bool = False) -> str:
    away = -8 if end > start else 8
    dash = ' stroke-dasharray="7 5"' if dashed else ""
    line = f'<path d="M{x} {start}V{end}" stroke="{colour}" stroke-width="2" fill="none"{dash}/>'
    head = f'<path d="M{x - 6} {end + away}L{x} {end}L{x + 6} {end + away}" '
    return line + head + f'stroke="{colour}" stroke-width="2" fill="none"/>'


if __name__ == "__main__":
    MAP.write_text(draw(), encoding="utf-8")
    print(f"drawn: {MAP.relative_to(ROOT)}")
