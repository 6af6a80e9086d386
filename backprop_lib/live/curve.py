"""Curves of one variable that answer to sliders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from backprop_lib.expressions import Expression
from backprop_lib.live.base import LiveFigure, image
from backprop_lib.live.controls import (
    Axis,
    Control,
    Definitions,
    Readout,
    Slider,
    check_definitions,
    common_state,
    compute,
)
from backprop_lib.live.encode import jsonable
from backprop_lib.live.picture import Picture, document

SIZE = (640, 340)
SAMPLES = 80

Line = Expression | Sequence[float]


class Curve(LiveFigure):
    r"""One or more curves, computed from expressions or given as tables, and a point on them.

    Parameters
    ----------
    name : str
        Identifies the figure on its page and in shared addresses.
    alt : str
        What is drawn and the one thing to see.
    x, y : Axis
        The axes.
    point : Slider
        The variable: its key is what the expressions read. On a slider with `options` the point
        goes from one to the next; tables have one number for each.
    curves : mapping
        Label -> the key of a definition, an expression, or a table.
    definitions : mapping, optional
        Key -> expression, each reading only the variable, the sliders and what stands before it.
    controls : sequence of Slider or Choice, optional
        What else the reader can move.
    readouts : sequence of Readout, optional
        Numbers at the point: a quantity's key or a curve's label. The curves, if not given.
    tangents : mapping, optional
        Label of a curve -> key of its slope; the tangent at the point is drawn.
    digits : int
        Significant digits kept of tables.

    Raises
    ------
    ValueError
        If an expression reads what is not there, or a table's length is not the point's.

    Examples
    --------
    >>> figure = Curve(
    ...     "sigmoid-slope",
    ...     "The sigmoid and its slope, at most 0.25 where z is 0.",
    ...     x=Axis("z", -6, 6),
    ...     y=Axis("value", 0, 1),
    ...     point=Slider("z", 0.0, -6, 6, 0.1),
    ...     definitions={"a": ("sigmoid", "z")},
    ...     curves={"sigmoid": "a", "slope": ("*", "a", ("-", 1, "a"))},
    ... )
    >>> figure
    <Curve sigmoid-slope>

    Notes
    -----
    The page evaluates the same expressions as `backprop_lib.expressions.evaluate`.
    """

    kind: ClassVar[str] = "curve"

    def __init__(
        self,
        name: str,
        alt: str,
        *,
        x: Axis,
        y: Axis,
        point: Slider,
        curves: Mapping[str, Line],
        definitions: Definitions | None = None,
        controls: Sequence[Control] = (),
        readouts: Sequence[Readout] | None = None,
        tangents: Mapping[str, str] | None = None,
        digits: int = 9,
    ) -> None:
        controls = [point, *controls]
        everything = {**(definitions or {}), **_own_definitions(curves)}
        check_definitions(everything, controls)
        lines = [_line(*item, point, tangents or {}, digits) for item in curves.items()]
        shown = [Readout(label, label) for label in curves] if readouts is None else readouts
        state = _state((x, y), point, lines, everything, controls)
        state["readouts"] = [_readout(r, list(curves), everything, controls) for r in shown]
        picture = _picture((x, y), point, lines, everything, controls)
        super().__init__(name, alt, state, image(picture, alt, *SIZE))


def _state(
    axes: tuple[Axis, Axis],
    point: Slider,
    lines: Sequence[Mapping[str, Any]],
    definitions: Definitions,
    controls: Sequence[Control],
) -> dict[str, Any]:
    """What the page draws; where one line is a table, all stand at the table's places."""
    return {
        **common_state(controls, definitions),
        "x": axes[0].to_json(),
        "y": axes[1].to_json(),
        "curves": lines,
        "table": list(point.options) if any(line["table"] for line in lines) else None,
        "point": point.key,
    }


def _own_definitions(curves: Mapping[str, Line]) -> dict[str, Expression]:
    """Curves given as an expression are quantities of their own, named by their label."""
    return {label: line for label, line in curves.items() if isinstance(line, tuple)}


def _line(
    label: str, line: Line, point: Slider, tangents: Mapping[str, str], digits: int
) -> dict[str, Any]:
    """One curve as the page reads it: a key or a table."""
    tangent = tangents.get(label)
    if isinstance(line, str | tuple):
        key = line if isinstance(line, str) else label
        return {"label": label, "key": key, "table": None, "tangent": tangent}
    table = jsonable(line, digits)
    if not isinstance(table, list) or len(table) != len(point.options):
        found = len(table) if isinstance(table, list) else table
        raise ValueError(
            f"curve {label!r} has a table of {found} numbers, expected {len(point.options)}: "
            f"one for each option of the slider {point.key!r}"
        )
    return {"label": label, "key": None, "table": table, "tangent": tangent}


def _readout(
    readout: Readout,
    labels: Sequence[str],
    definitions: Definitions,
    controls: Sequence[Control],
) -> dict[str, Any]:
    known = {*definitions, *(c.key for c in controls if isinstance(c, Slider))}
    if readout.key not in known and readout.key not in labels:
        raise ValueError(
            f"readout {readout.label!r} shows {readout.key!r}, expected a quantity or a curve: "
            f"{', '.join(sorted({*known, *labels}))}"
        )
    curve = labels.index(readout.key) if readout.key in labels else None
    return {"label": readout.label, "key": readout.key, "curve": curve, "format": readout.format}


def _picture(
    axes: tuple[Axis, Axis],
    point: Slider,
    lines: Sequence[Mapping[str, Any]],
    definitions: Definitions,
    controls: Sequence[Control],
) -> str:
    picture = Picture(*axes, *SIZE)
    picture.axes()
    spread = [_along(axes[0], i / SAMPLES) for i in range(SAMPLES + 1)]
    values = [compute(definitions, controls, {point.key: place}) for place in spread]
    for kind, line in enumerate(lines):
        if line["table"]:
            xs, ys = [float(v) for v in point.options], [float(v) for v in line["table"]]
        else:
            xs, ys = spread, [row[line["key"]] for row in values]
        picture.curve(xs, ys, kind, line["label"])
    return document([picture], *SIZE)


def _along(axis: Axis, share: float) -> float:
    if axis.log:
        return float(axis.low * (axis.high / axis.low) ** share)
    return axis.low + (axis.high - axis.low) * share
