"""Recorded runs that a reader can play, step through and compare."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

from backprop_lib.live.base import LiveFigure, image
from backprop_lib.live.controls import Axis
from backprop_lib.live.encode import jsonable
from backprop_lib.live.picture import INK, Picture, document

PANEL_SIZE = (400, 280)
SQUARE_SIZE = (330, 280)

Option = float | str
Frame = Mapping[str, Any]
Place = Mapping[str, int]


@dataclass(frozen=True)
class Series:
    """Lines over the frames, one number a line in each frame: a loss, an accuracy.

    Parameters
    ----------
    key : str
        The entry of a frame that it draws: a number, or a list with one number for each line.
    y : Axis
        The vertical axis; its label is the panel's title.
    lines : sequence of str
        The names of the lines.
    format : str
        The digits of the readouts, as in Python.

    Examples
    --------
    >>> Series("loss", Axis("loss", 0.01, 1, log=True), ["training", "validation"]).lines
    ['training', 'validation']
    """

    key: str
    y: Axis
    lines: Sequence[str]
    format: str = ".6g"
    kind: ClassVar[str] = "series"

    def to_json(self, values: Sequence[float]) -> dict[str, Any]:
        """The panel as the page reads it."""
        low, high = values[0], values[-1]
        x = {"label": "", "limits": [low, high if high > low else low + 1], "log": False}
        return {"lines": list(self.lines), "x": x, "y": {**self.y.to_json(), "label": ""}}

    def check(self, entry: Any) -> list[float]:
        """The entry of one frame as a list of numbers, one for each line."""
        numbers = list(entry) if isinstance(entry, list) else [entry]
        if len(numbers) != len(self.lines):
            raise ValueError(
                f"frame entry {self.key!r} has {len(numbers)} numbers, expected one for each of "
                f"the lines {list(self.lines)}"
            )
        return numbers


@dataclass(frozen=True)
class Scatter:
    """Points and lines in the plane: some that stay, some that each frame brings.

    Parameters
    ----------
    key : str
        The entry of a frame: a dict with ``"lines"``, pairs of lists (xs, ys), and ``"points"``,
        triples (x, y, class); either may be missing.
    title : str
        The panel's title.
    x, y : Axis
        The axes.
    points : sequence of (x, y, class)
        The points that stay.
    classes : sequence of str
        The names of the classes.

    Examples
    --------
    >>> Scatter("line", "AND", Axis("x", 0, 1), Axis("y", 0, 1), [(0, 0, 0), (1, 1, 1)]).kind
    'plane'
    """

    key: str
    title: str
    x: Axis
    y: Axis
    points: Sequence[tuple[float, float, int]] = ()
    classes: Sequence[str] = ()
    kind: ClassVar[str] = "plane"

    def to_json(self, values: Sequence[float]) -> dict[str, Any]:
        """The panel as the page reads it."""
        square = self.x.high - self.x.low == self.y.high - self.y.low
        head = {"x": self.x.to_json(), "y": self.y.to_json(), "square": square}
        return {**head, "points": self.points, "classes": self.classes}

    def check(self, entry: Any) -> Frame:
        """The entry of one frame, which may hold lines and points and nothing else."""
        if not isinstance(entry, Mapping) or set(entry) - {"lines", "points"}:
            raise ValueError(
                f"frame entry {self.key!r} is {entry!r}, expected a dict with lines and points"
            )
        return entry


@dataclass(frozen=True)
class Bars:
    """A bar for each name.

    Parameters
    ----------
    key : str
        The entry of a frame: a list of heights.
    labels : sequence of str
        The names of the bars.
    y : Axis
        The vertical axis; its label is the panel's title.
    format : str
        The digits written above the bars.

    Examples
    --------
    >>> Bars("norms", ["1", "2"], Axis("gradient norm", 1e-6, 1, log=True)).labels
    ['1', '2']
    """

    key: str
    labels: Sequence[str]
    y: Axis
    format: str = ".2g"
    kind: ClassVar[str] = "bars"

    def to_json(self, values: Sequence[float]) -> dict[str, Any]:
        """The panel as the page reads it."""
        y = {**self.y.to_json(), "label": ""}
        return {"labels": list(self.labels), "y": y, "format": self.format}

    def check(self, entry: Any) -> list[float]:
        """The entry of one frame as a list of numbers, one for each bar."""
        heights = list(entry)
        if len(heights) != len(self.labels):
            raise ValueError(
                f"frame entry {self.key!r} has {len(heights)} heights, expected one for each of "
                f"the {len(self.labels)} labels"
            )
        return heights


@dataclass(frozen=True)
class Matrix:
    """A matrix as shaded cells: a digit, a layer's weights, a confusion matrix.

    Parameters
    ----------
    key : str
        The entry of a frame: rows of numbers.
    title : str
        The panel's title.
    low, high : float
        The numbers at the ends of the shading; opposite numbers shade in two colours.
    shape : (rows, columns)
        Its size.
    rows, columns : sequence of str, optional
        Names of the rows and columns; a picture without names has no axes.
    x, y : str
        What the columns and the rows are.
    format : str
        The digits written into the cells; none if empty.

    Examples
    --------
    >>> Matrix("weights", "first unit", -1, 1, (8, 8)).to_json([])["signed"]
    True
    """

    key: str
    title: str
    low: float
    high: float
    shape: tuple[int, int]
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    x: str = ""
    y: str = ""
    format: str = ""
    kind: ClassVar[str] = "image"

    def to_json(self, values: Sequence[float]) -> dict[str, Any]:
        """The panel as the page reads it."""
        height, width = self.shape
        names = {"rows": self.rows or [""] * height, "columns": self.columns or [""] * width}
        head = {"limits": [self.low, self.high], "signed": self.low == -self.high}
        return {**head, **names, "x": self.x, "y": self.y, "format": self.format}

    def check(self, entry: Any) -> list[list[float]]:
        """The entry of one frame as rows of the right lengths."""
        rows = [list(row) for row in entry]
        if len(rows) != self.shape[0] or any(len(row) != self.shape[1] for row in rows):
            raise ValueError(
                f"frame entry {self.key!r} has {len(rows)} rows of "
                f"{sorted({len(row) for row in rows})} numbers, expected the shape {self.shape}"
            )
        return rows


Panel = Series | Scatter | Bars | Matrix


class Film(LiveFigure):
    r"""Recorded runs: sliders choose a run, a player walks through its frames.

    Parameters
    ----------
    name : str
        Identifies the figure on its page and in shared addresses.
    alt : str
        What is drawn and the one thing to see.
    record : callable
        ``record(*options) -> frames``: called once for every combination of the sliders'
        options. A frame is a dict with an entry for each panel.
    panels : sequence of Series, Scatter, Bars or Matrix
        What is drawn of a frame.
    sliders : mapping, optional
        Label -> the numbers, or names, among which the reader chooses.
    frames : str
        What a frame is: ``"epoch"``, ``"step"``.
    values : sequence of float, optional
        The numbers of the frames; 0, 1, 2, ... if not given.
    start : sequence, optional
        The option at which each slider starts; the first if not given.
    frame : int
        The frame at which it starts; the last if negative.
    speed : float
        Frames a second.
    digits : int
        Significant digits kept of the recorded numbers.

    Raises
    ------
    ValueError
        If a run has no frames, a frame lacks a panel's entry, or an entry's shape is wrong.

    Examples
    --------
    >>> def descend(rate):
    ...     return [{"w": (1 - rate) ** step} for step in range(5)]
    >>> Film(
    ...     "descent",
    ...     "The weight on its way to 0 for three learning rates.",
    ...     record=descend,
    ...     sliders={"learning rate": [0.1, 0.5, 1.5]},
    ...     panels=[Series("w", Axis("w", -1, 1), ["w"])],
    ...     frames="step",
    ... )
    <Film descent>

    Notes
    -----
    The page draws the recorded numbers and computes nothing.
    """

    kind: ClassVar[str] = "film"

    def __init__(
        self,
        name: str,
        alt: str,
        *,
        record: Callable[..., Sequence[Frame]],
        panels: Sequence[Panel],
        sliders: Mapping[str, Sequence[Option]] | None = None,
        frames: str = "frame",
        values: Sequence[float] | None = None,
        start: Sequence[Option] = (),
        frame: int = -1,
        speed: float = 8.0,
        digits: int = 6,
    ) -> None:
        sliders = sliders or {}
        runs = [_run(record(*options), panels) for options in product(*sliders.values())]
        runs = jsonable(runs, digits)
        numbers = _frame_values(values, max(run["length"] for run in runs))
        controls = [_control(*item, start) for item in enumerate(sliders.items())]
        first = runs[_index(controls)]
        at = min(frame, first["length"] - 1) if frame >= 0 else first["length"] - 1
        state = {**_state(panels, numbers, frames), "runs": runs, "speed": speed}
        state["controls"] = [*controls, _scrubber(frames, numbers, at)]
        super().__init__(name, alt, state, _fallback(panels, first, numbers, at, alt))


def _state(panels: Sequence[Panel], values: Sequence[float], frames: str) -> dict[str, Any]:
    return {
        "frames": {"label": frames, "values": values},
        "panels": [_panel(panel, values) for panel in panels],
        "readouts": _readouts(panels),
    }


def _scrubber(label: str, values: Sequence[float], at: int) -> dict[str, Any]:
    """The slider over the frames."""
    limits = {"low": 0, "high": len(values) - 1, "step": 1}
    return {"key": "frame", "label": label, "value": at, **limits}


def _run(frames: Sequence[Frame], panels: Sequence[Panel]) -> dict[str, Any]:
    """One run, its numbers gathered by panel: a series as lines, anything else frame by frame."""
    if not len(frames):
        raise ValueError(
            "a run has no frames, expected at least one; record returned an empty list"
        )
    data: list[Any] = []
    for panel in panels:
        for i, frame in enumerate(frames):
            if panel.key not in frame:
                raise ValueError(f"frame {i} has no entry {panel.key!r}, found {sorted(frame)}")
        entries = [panel.check(jsonable(frame[panel.key])) for frame in frames]
        data.append(list(zip(*entries, strict=True)) if isinstance(panel, Series) else entries)
    return {"length": len(frames), "data": data}


def _frame_values(values: Sequence[float] | None, length: int) -> list[float]:
    numbers = list(range(length)) if values is None else jsonable(values)
    if len(numbers) < length:
        raise ValueError(
            f"values has {len(numbers)} numbers, expected {length}: one for each frame"
        )
    return list(numbers)


def _control(
    place: int, slider: tuple[str, Sequence[Option]], start: Sequence[Option]
) -> dict[str, Any]:
    """A slider over the recorded options."""
    label, options = slider[0], list(slider[1])
    key = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or f"slider-{place + 1}"
    value = start[place] if start else options[0]
    if value not in options:
        raise ValueError(f"slider {label!r} starts at {value!r}, expected one of {options}")
    return jsonable({"key": key, "label": label, "options": options, "value": value})


def _index(controls: Sequence[Mapping[str, Any]]) -> int:
    """Where the run stands that the controls name: the last control turns fastest."""
    index = 0
    for control in controls:
        index = index * len(control["options"]) + control["options"].index(control["value"])
    return index


def _panel(panel: Panel, values: Sequence[float]) -> dict[str, Any]:
    title = panel.title if isinstance(panel, Scatter | Matrix) else panel.y.label
    return {"kind": panel.kind, "title": title, **panel.to_json(values)}


def _readouts(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """The number of every line of every series in the frame that is shown."""
    return [
        {"label": line, "panel": place, "line": i, "format": panel.format}
        for place, panel in enumerate(panels)
        if isinstance(panel, Series)
        for i, line in enumerate(panel.lines)
    ]


def _fallback(
    panels: Sequence[Panel], run: Mapping[str, Any], values: Sequence[float], at: int, alt: str
) -> str:
    """The panels, two in a row, as the first frame shown has them."""
    wide, high = PANEL_SIZE
    pictures = [
        _DRAW[panel.kind](panel, data, values, at, {"left": i % 2 * wide, "top": i // 2 * high})
        for i, (panel, data) in enumerate(zip(panels, run["data"], strict=True))
    ]
    size = (wide * min(len(panels), 2), high * math.ceil(len(panels) / 2))
    return image(document(pictures, *size), alt, *size)


def _draw_series(
    panel: Series, data: Any, values: Sequence[float], at: int, place: Place
) -> Picture:
    low, high = values[0], values[-1]
    x = Axis("", low, high if high > low else low + 1)
    picture = Picture(x, panel.y, *PANEL_SIZE, **place)
    picture.axes()
    for i, (name, row) in enumerate(zip(panel.lines, data, strict=True)):
        picture.curve(values[: len(row)], [float(v) for v in row], i, name)
    return picture


def _draw_scatter(
    panel: Scatter, data: Any, values: Sequence[float], at: int, place: Place
) -> Picture:
    picture = Picture(panel.x, panel.y, *SQUARE_SIZE, **place)
    picture.axes()
    picture.points([*panel.points, *data[at].get("points", [])])
    for i, (xs, ys) in enumerate(data[at].get("lines", [])):
        picture.curve([float(x) for x in xs], [float(y) for y in ys], i + 2)
    return picture


def _draw_bars(panel: Bars, data: Any, values: Sequence[float], at: int, place: Place) -> Picture:
    picture = Picture(Axis("", 0, len(panel.labels)), panel.y, *PANEL_SIZE, **place)
    picture.bars([float(height) for height in data[at]])
    picture.axes(panel.labels)
    return picture


def _draw_matrix(
    panel: Matrix, data: Any, values: Sequence[float], at: int, place: Place
) -> Picture:
    height, width = panel.shape
    picture = Picture(Axis("", 0, width), Axis("", 0, height), *SQUARE_SIZE, **place)
    span = panel.high - panel.low
    shares = [[(float(value) - panel.low) / span for value in row] for row in data[at]]
    picture.cells(shares, signed=panel.low == -panel.high)
    picture.text(picture.left, picture.top - 12, panel.title, colour=INK)
    return picture


_DRAW: dict[str, Callable[..., Picture]] = {
    "series": _draw_series,
    "plane": _draw_scatter,
    "bars": _draw_bars,
    "image": _draw_matrix,
}
