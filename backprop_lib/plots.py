"""Pictures: the only room that imports matplotlib. It draws given numbers and computes none.

Colours are the book's: blue for what flows forwards, vermillion for what flows backwards, green
for parameters; colour is always the second channel, after a label, a dash or a shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from backprop_lib.errors import Array
from backprop_lib.trace import Trace

FORWARD, BACKWARD, PARAMETER, GREY = "#0072B2", "#D55E00", "#009E73", "#6E6E6E"
DASHES = ("-", "--", "-.", ":")
SIGNS = {"*": "\u00d7", "square": "x\u00b2", "sigmoid": "\u03c3"}

_STYLE: dict[Any, Any] = {
    "figure.figsize": (5.2, 3.2),
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": "#333333",
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.prop_cycle": cycler(color=[FORWARD, BACKWARD, PARAMETER, GREY], linestyle=list(DASHES)),
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "lines.linewidth": 2,
    "svg.hashsalt": "backprop",  # the same drawing always gets the same bytes
}


def use_book_style() -> None:
    """Make every figure of a notebook look like the book's: vector graphics, white face.

    Examples
    --------
    >>> use_book_style()
    >>> plt.rcParams["svg.hashsalt"]
    'backprop'
    """
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    plt.rcParams.update(_STYLE)
    # No date and no version number in the file: the picture is its data.
    nameless = {"Date": None, "Creator": None}
    set_matplotlib_formats("svg", metadata=nameless)  # type: ignore[no-untyped-call]


def network(trace: Trace, show: str = "forward", digits: int = 4) -> Figure:
    """A network drawn from its trace, with its numbers on the units and the wires.

    Parameters
    ----------
    trace : Trace
        Where every number comes from.
    show : {"given", "forward", "backward"}
        Weights on the wires and nothing in the hidden units; weights and activations; or
        gradients on the wires and errors under the units.
    digits : int
        Digits behind the point.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If `show` is none of the three.

    Notes
    -----
    Chapter 7, *The hand trace*.
    """
    if show not in ("given", "forward", "backward"):
        raise ValueError(f"show is {show!r}, expected 'given', 'forward' or 'backward'")
    sizes = trace.step.mlp.sizes
    figure, axes = plt.subplots(figsize=(1.85 * len(sizes), 1.55 * max(sizes)))
    for wire in trace.wires():
        _draw_wire(axes, trace, sizes, wire, show, digits)
    for unit in trace.units():
        _draw_unit(axes, trace, sizes, unit, show, digits)
    edge = (max(sizes) - 1) / 2
    axes.set(xlim=(-0.35, len(sizes) - 0.65), ylim=(-edge - 0.55, edge + 0.25))
    axes.set_axis_off()
    return figure


def _place(sizes: Sequence[int], l: int, j: int) -> tuple[float, float]:
    """Where unit j of layer l stands: layers from left to right, units from top to bottom."""
    return float(l), (sizes[l] - 1) / 2 - (j - 1)


def _draw_wire(
    axes: Axes, trace: Trace, sizes: Sequence[int], wire: Mapping[str, Any], show: str, digits: int
) -> None:
    l, backward = wire["layer"], show == "backward"
    start, end = _place(sizes, l - 1, wire["from"]), _place(sizes, l, wire["to"])
    colour, dash = (BACKWARD, "--") if backward else (PARAMETER, "-")
    axes.plot(*zip(start, end, strict=True), color=GREY, linestyle=dash, linewidth=1, zorder=1)
    # Labels of crossing wires must not meet: each sits nearer to the unit it starts from.
    share = 0.41 if sizes[l - 1] > 1 and sizes[l] > 1 else 0.45
    text = trace.number(wire["gradient" if backward else "weight"], digits)
    axes.text(
        start[0] + share * (end[0] - start[0]),
        start[1] + share * (end[1] - start[1]),
        text,
        color=colour,
        ha="center",
        va="center",
        fontsize=11,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
        zorder=2,
    )


def _draw_unit(
    axes: Axes, trace: Trace, sizes: Sequence[int], unit: Mapping[str, Any], show: str, digits: int
) -> None:
    l, j = unit["layer"], unit["unit"]
    x, y = _place(sizes, l, j)
    axes.plot(x, y, "o", markersize=34, markerfacecolor="white", markeredgecolor=GREY, zorder=3)
    name = f"${trace.quantities[unit['forward']].latex}$"
    axes.text(x, y, name, ha="center", va="center", fontsize=12, zorder=4)
    notes = []
    if l == 0 or show == "forward":
        notes.append((trace.number(unit["forward"], digits), FORWARD))
    if l and show == "backward":
        notes.append((f"$\\delta$ = {trace.number(unit['backward'], digits)}", BACKWARD))
    if l and show != "backward":
        notes.append((f"b = {trace.number(unit['bias'], digits)}", PARAMETER))
    if l == len(sizes) - 1 and show == "given":
        notes.append((f"target {trace.number(f'y[{j}]', digits)}", GREY))
    for row, (text, colour) in enumerate(notes):
        axes.text(
            x, y - 0.29 - 0.16 * row, text, color=colour, ha="center", va="center", fontsize=11,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, zorder=4,
        )  # fmt: skip


def circuit(
    nodes: Mapping[str, Sequence[str]],
    places: Mapping[str, tuple[float, float]],
    values: Mapping[str, float],
    gradients: Mapping[tuple[str, str], float] | None = None,
    digits: int = 4,
) -> Figure:
    """A computation graph: values in blue above the wires, gradients in vermillion below them.

    Parameters
    ----------
    nodes : mapping
        Key -> operator and the keys it reads: ``{"q": ("+", "x", "y")}``; the last is the output.
    places : mapping
        Key -> (column, row) of every node and input, rows from top to bottom.
    values : mapping
        Key -> the number that goes forwards.
    gradients : mapping, optional
        (from, to) -> the number that comes back along that wire; without it none are drawn.
    digits : int
        Significant digits.

    Returns
    -------
    Figure

    Raises
    ------
    KeyError
        If a node has no place or no value, or a wire no gradient.

    Examples
    --------
    >>> figure = circuit(
    ...     {"f": ("*", "x", "y")},
    ...     {"x": (0, 0), "y": (0, 1), "f": (1, 0.5)},
    ...     {"x": 3.0, "y": -4.0, "f": -12.0},
    ...     {("x", "f"): -4.0, ("y", "f"): 3.0},
    ... )
    >>> sorted(text.get_text() for text in figure.axes[0].texts)
    ['1', '3', '3', 'f', 'x', 'y', '×', '−12', '−4', '−4']
    >>> plt.close(figure)

    Notes
    -----
    Chapter 5, *The chain rule on graphs*.
    """
    columns, rows = (max(place[axis] for place in places.values()) for axis in (0, 1))
    figure, axes = plt.subplots(figsize=(5.2, 1.1 + 1.1 * rows))
    axes.set(xlim=(-0.25, columns + 0.85), ylim=(rows + 0.55, -0.6))
    axes.set_axis_off()
    output = list(nodes)[-1]
    tail = (places[output][0] + 0.75, places[output][1])
    wires = [(source, target) for target, (_, *reads) in nodes.items() for source in reads]
    for source, target in wires:
        back = None if gradients is None else gradients[source, target]
        _draw_numbers(axes, places[source], places[target], (values[source], back), digits)
    _draw_numbers(axes, places[output], tail, (values[output], 1 if gradients else None), digits)
    for key, place in places.items():
        _draw_box(axes, key, place, nodes[key][0] if key in nodes else "")
    return figure


def _draw_numbers(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    numbers: tuple[float, float | None],
    digits: int,
) -> None:
    """A wire with its two numbers, nearer to where it starts, so that those of others are clear."""
    axes.plot(*zip(start, end, strict=True), color=GREY, linestyle="-", linewidth=1, zorder=1)
    x, y = (a + 0.48 * (b - a) for a, b in zip(start, end, strict=True))
    sides = ((numbers[0], FORWARD, 10), (numbers[1], BACKWARD, -10))
    for number, colour, offset in sides:
        if number is not None:
            axes.annotate(
                f"{number:.{digits}g}".replace("-", "\u2212"), (x, y), xytext=(0, offset),
                textcoords="offset points", color=colour, ha="center", va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=2,
            )  # fmt: skip


def _draw_box(axes: Axes, key: str, place: tuple[float, float], operator: str) -> None:
    """An input as a square with its name inside, a node as a circle with its name above."""
    shape, text = ("o", SIGNS.get(operator, operator)) if operator else ("s", key)
    axes.plot(*place, shape, markersize=27, markerfacecolor="white", markeredgecolor=GREY, zorder=3)
    size = 11 if len(text) < 3 else 8
    axes.text(*place, text, ha="center", va="center", fontsize=size, zorder=4)
    if operator:
        axes.annotate(
            key, place, xytext=(0, 21), textcoords="offset points", ha="center", va="center",
            style="italic", zorder=4,
        )  # fmt: skip


def curves(
    lines: Mapping[str, tuple[Array, Array]],
    xlabel: str,
    ylabel: str,
    *,
    logy: bool = False,
    title: str = "",
) -> Figure:
    """Curves with their names at their right ends.

    Parameters
    ----------
    lines : mapping of str to (x, y)
        Each curve's name, and its points.
    xlabel, ylabel : str
        Axis titles, with units where there are any.
    logy : bool
        Whether the vertical axis is logarithmic; the axis title then says so.
    title : str
        What to see, in a few words.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots()
    for name, (x, y) in lines.items():
        (line,) = axes.plot(x, y)
        axes.annotate(
            name, (x[-1], y[-1]), xytext=(6, 0), textcoords="offset points",
            color=line.get_color(), va="center",
        )  # fmt: skip
    if all(np.issubdtype(np.asarray(x).dtype, np.integer) for x, _ in lines.values()):
        axes.locator_params(axis="x", integer=True)  # there is no epoch 2.5
    if logy:
        axes.set_yscale("log")
    axes.set(xlabel=xlabel, ylabel=f"{ylabel} (log scale)" if logy else ylabel, title=title)
    return figure


def images(
    pixels: Array, titles: Sequence[str], columns: int = 6, colours: Sequence[str] | None = None
) -> Figure:
    """Small square images with a caption each.

    Parameters
    ----------
    pixels : ndarray, shape (N, side * side)
        Grey values, 0 paper and 1 ink, one image a row.
    titles : sequence of str
        One caption an image.
    columns : int
        Images a row.
    colours : sequence of str, optional
        One colour a caption.

    Returns
    -------
    Figure
    """
    side = int(np.sqrt(pixels.shape[1]))
    rows = -(-len(pixels) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(1.1 * columns, 1.35 * rows), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for n, (axes, row, title) in enumerate(zip(grid.flat, pixels, titles, strict=False)):
        axes.imshow(row.reshape(side, side), cmap="gray_r", vmin=0, vmax=1, interpolation="none")
        axes.set_title(title, fontsize=10, loc="center", color=colours[n] if colours else "black")
    return figure


def confusion(counts: Array) -> Figure:
    """A confusion matrix: true classes downwards, answers across, every count printed.

    Parameters
    ----------
    counts : ndarray of int, shape (K, K)
        ``counts[i, j]``: how often class i was answered with class j.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots(figsize=(5, 5))
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    axes.imshow(wrong, cmap="Oranges", vmin=0, vmax=max(int(wrong.max()) * 1.6, 1))
    for i, j in np.ndindex(*counts.shape):
        if counts[i, j]:
            weight = "bold" if i == j else "normal"
            axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontweight=weight)
    ticks = range(len(counts))
    axes.set(xlabel="answer of the network", ylabel="true digit", xticks=ticks, yticks=ticks)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure
