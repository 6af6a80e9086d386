"""The fallback pictures: small SVG drawings of a figure's first state, the same on every machine.

They are written by hand, not by matplotlib: a few kilobytes each, and no byte of them depends on
the version of a drawing library, so the stored outputs can be compared as text.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

from backprop_lib.live.controls import Axis

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#6E6E6E")
DASHES = ("", "7 4", "2 3", "9 3 2 3")
INK, SOFT = "#24292f", "#57606a"
LINE_HEIGHT = 15
LOW, HIGH = "#0072B2", "#D55E00"
_FAR = 4.0  # how many picture sizes away a point may lie before the pen is lifted

Rows = Sequence[Sequence[float]]


class Picture:
    """A pair of axes to draw on; coordinates are rounded to a tenth of a pixel.

    Parameters
    ----------
    x, y : Axis
        The axes.
    width, height : int
        Size of the whole picture in pixels.
    left, top : int
        Where it stands in a larger picture.

    Examples
    --------
    >>> picture = Picture(Axis("z", 0, 2), Axis("a", 0, 1), 300, 200)
    >>> picture.curve([0, 1, 2], [0.0, 1.0, float("nan")], 0)
    >>> "<path" in "".join(picture.parts)
    True
    """

    def __init__(
        self, x: Axis, y: Axis, width: int, height: int, *, left: int = 0, top: int = 0
    ) -> None:
        self.x, self.y = x, y
        self.left, self.top = left + 52, top + 28
        self.width, self.height = width - 52 - 90, height - 28 - 44
        self.parts: list[str] = []
        self._ends: list[float] = []

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point stands, in pixels."""
        h = self.left + _share(x, self.x) * self.width
        v = self.top + (1 - _share(y, self.y)) * self.height
        return h, v

    def axes(self, names: Sequence[str] = ()) -> None:
        """The lower and the left edge with their limits, or names, and their titles."""
        bottom, right = self.top + self.height, self.left + self.width
        self.parts.append(
            f'<path d="M{self.left} {self.top}V{bottom}H{right}" fill="none" stroke="{SOFT}"/>'
        )
        for i, name in enumerate(names):
            self.text(self.left + (i + 0.5) * self.width / len(names), bottom + 18, name, "middle")
        ends = ((self.x.low, self.left, "start"), (self.x.high, right, "end"))
        for value, h, anchor in () if names else ends:
            self.text(h, bottom + 18, f"{value:g}", anchor)
        for value, v in ((self.y.low, bottom), (self.y.high, self.top + 10)):
            self.text(self.left - 6, v, f"{value:g}", "end")
        self.text((self.left + right) / 2, bottom + 34, self.x.label, "middle", INK)
        self.text(self.left - 48, self.top - 12, self.y.label, "start", INK)

    def text(
        self, h: float, v: float, content: str, anchor: str = "start", colour: str = SOFT
    ) -> None:
        """A text whose characters are never read as markup."""
        self.parts.append(
            f'<text x="{h:.1f}" y="{v:.1f}" text-anchor="{anchor}" fill="{colour}">'
            f"{html.escape(content)}</text>"
        )

    def curve(self, xs: Iterable[float], ys: Iterable[float], kind: int, label: str = "") -> None:
        """A line through the points; the pen is lifted where there is none to draw."""
        runs: list[list[tuple[float, float]]] = [[]]
        for x, y in zip(xs, ys, strict=True):
            place = self.at(x, y)
            if self._drawable(place):
                runs[-1].append(place)
            elif runs[-1]:
                runs.append([])
        d = "".join("M" + "L".join(f"{h:.1f} {v:.1f}" for h, v in run) for run in runs if run)
        dash = f' stroke-dasharray="{DASHES[kind % 4]}"' if DASHES[kind % 4] else ""
        self._clipped(
            f'<path d="{d}" fill="none" stroke="{COLOURS[kind % 4]}" stroke-width="2"{dash}/>'
        )
        if label and runs[-1]:
            self._end_label(label, runs[-1][-1][1], COLOURS[kind % 4])

    def _clipped(self, part: str) -> None:
        """Draw only what lies inside the axes: an inner picture with the same coordinates."""
        x, y, width, height = self.left, self.top, self.width, self.height
        self.parts.append(
            f'<svg x="{x}" y="{y}" width="{width}" height="{height}" '
            f'viewBox="{x} {y} {width} {height}">{part}</svg>'
        )

    def _end_label(self, label: str, v: float, colour: str) -> None:
        """A curve's name at its right end, away from the names already there."""
        v = min(max(v, self.top), self.top + self.height)
        while any(abs(v - other) < LINE_HEIGHT for other in self._ends):
            v += LINE_HEIGHT / 2
        self._ends.append(v)
        self.text(self.left + self.width + 6, v + 4, label, "start", colour)

    def points(self, points: Iterable[Sequence[float]]) -> None:
        """Markers at [x, y, class]: circle, square, triangle, diamond."""
        shapes = (
            "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
            "m-4-4h8v8h-8z",
            "m0-5l5 9h-10z",
            "m0-5.5l5.5 5.5l-5.5 5.5l-5.5-5.5z",
        )
        for x, y, kind in points:
            place = self.at(x, y)
            if self._drawable(place):
                self.parts.append(
                    f'<path d="M{place[0]:.1f} {place[1]:.1f}{shapes[int(kind) % 4]}" '
                    f'fill="{COLOURS[int(kind) % 4]}"/>'
                )

    def bars(self, heights: Sequence[float]) -> None:
        """Bars from the lower edge, or from zero where the axis holds it."""
        slot = self.width / len(heights)
        base = max(self.y.low, min(0.0, self.y.high)) if not self.y.log else self.y.low
        floor = self.at(self.x.low, base)[1]
        for i, height in enumerate(heights):
            v = self.at(self.x.low, min(max(height, self.y.low), self.y.high))[1]
            if math.isfinite(v):
                self.parts.append(
                    f'<rect x="{self.left + (i + 0.18) * slot:.1f}" y="{min(v, floor):.1f}" '
                    f'width="{0.64 * slot:.1f}" height="{abs(floor - v):.1f}" fill="{COLOURS[0]}"/>'
                )

    def cells(self, shares: Rows, signed: bool) -> None:
        """A matrix of numbers in [0, 1] as shaded cells; neighbours of one shade are one cell."""
        down, across = self.height / len(shares), self.width / len(shares[0])
        for i, row in enumerate(shares):
            shades = [_shade(value, signed) for value in row]
            start = 0
            for j in range(1, len(shades) + 1):
                if j == len(shades) or shades[j] != shades[start]:
                    self.parts.append(
                        f'<rect x="{self.left + start * across:.1f}" '
                        f'y="{self.top + i * down:.1f}" width="{(j - start) * across:.1f}" '
                        f'height="{down:.1f}" fill="{shades[start]}" '
                        f'shape-rendering="crispEdges"/>'
                    )
                    start = j

    def boundary(self, rows: Rows, level: float) -> None:
        """Where a grid of values, first row on top, crosses `level`."""
        down, across = self.height / (len(rows) - 1), self.width / (len(rows[0]) - 1)
        d = []
        for i in range(len(rows) - 1):
            for j in range(len(rows[0]) - 1):
                corners = (rows[i][j], rows[i][j + 1], rows[i + 1][j + 1], rows[i + 1][j])
                ends = _crossings(corners, level)
                for (h1, v1), (h2, v2) in zip(ends[::2], ends[1::2], strict=False):
                    d.append(
                        f"M{self.left + (j + h1) * across:.1f} {self.top + (i + v1) * down:.1f}"
                        f"L{self.left + (j + h2) * across:.1f} {self.top + (i + v2) * down:.1f}"
                    )
        self.parts.append(f'<path d="{"".join(d)}" fill="none" stroke="{INK}" stroke-width="1.4"/>')

    def _drawable(self, place: tuple[float, float]) -> bool:
        return all(math.isfinite(c) and abs(c) < _FAR * 1000 for c in place)


def document(pictures: Iterable[Picture], width: int, height: int) -> str:
    """One SVG document with a white face, which is legible on a dark page too.

    Parameters
    ----------
    pictures : iterable of Picture
        What was drawn.
    width, height : int
        Its size in pixels.

    Returns
    -------
    str

    Examples
    --------
    >>> document([], 10, 20)[:4]
    '<svg'
    """
    parts = "".join(part for picture in pictures for part in picture.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="system-ui, sans-serif" font-size="13">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{parts}</svg>'
    )


def _share(value: float, axis: Axis) -> float:
    """How far along an axis a value stands: 0 at its low, 1 at its high end."""
    if axis.log:
        if not value > 0:
            return math.nan
        return (math.log10(value) - math.log10(axis.low)) / math.log10(axis.high / axis.low)
    return (value - axis.low) / (axis.high - axis.low)


def _shade(share: float, signed: bool) -> str:
    """A shade of blue; signed: blue below a half, white at it, vermillion above."""
    if not math.isfinite(share):
        return "#fff"
    share = min(max(share, 0.0), 1.0)
    full = LOW if not signed or share < 0.5 else HIGH
    strength = abs(2 * share - 1) if signed else share
    levels = [int(full[i : i + 2], 16) for i in (1, 3, 5)]
    # 32 shades are enough for the eye and let neighbours merge.
    step = round(strength * 31) / 31
    return "#" + "".join(f"{round(255 + step * (level - 255)):02x}" for level in levels)


def _crossings(corners: tuple[float, ...], level: float) -> list[tuple[float, float]]:
    """Where the four sides of a cell, clockwise from the top, are crossed."""
    found = []
    for side, (value, following) in enumerate(
        zip(corners, (*corners[1:], corners[0]), strict=True)
    ):
        if (value < level) != (following < level) and math.isfinite(following - value):
            share = (level - value) / (following - value)
            found.append(((share, 0.0), (1.0, share), (1 - share, 1.0), (0.0, 1 - share))[side])
    return found
