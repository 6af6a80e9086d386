"""Points in the plane under a shaded surface, with things to drag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from backprop_lib.expressions import Expression, evaluate
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
from backprop_lib.live.picture import Picture, document

SIZE = (560, 440)
CELLS = 40
HANDLE_STEPS = 200

Point = tuple[float, float, int]


@dataclass(frozen=True)
class Surface:
    """A quantity shaded over the plane, with lines where it has certain values.

    Parameters
    ----------
    key : str
        The quantity, defined over the coordinates.
    levels : sequence of float
        Where lines are drawn: the boundary of a classifier, the contours of a loss.
    low, high : float
        The values at the ends of the shading.
    probability : bool
        Two colours that meet in the middle; otherwise one colour that deepens.

    Raises
    ------
    ValueError
        If the limits are not in order.

    Examples
    --------
    >>> Surface("p").levels
    (0.5,)
    """

    key: str
    levels: Sequence[float] = (0.5,)
    low: float = 0.0
    high: float = 1.0
    probability: bool = True

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(
                f"surface {self.key!r} runs from {self.low} to {self.high}, low < high"
            )

    def to_json(self) -> dict[str, Any]:
        """The surface as the page reads it."""
        return {
            "key": self.key,
            "levels": list(self.levels),
            "limits": [self.low, self.high],
            "ramp": "probability" if self.probability else "height",
        }


@dataclass(frozen=True)
class Path:
    """Steps repeated from the probe: the path of a descent.

    Parameters
    ----------
    label : str
        Its name.
    update : mapping
        Key -> expression of its next value, all read before any is written: the coordinates and
        whatever the method remembers.
    steps : int or str
        How many steps, or the key of a slider that says so.
    memory : mapping, optional
        First values of what the method remembers, such as a velocity.

    Examples
    --------
    >>> Path("descent", {"w": ("-", "w", "dw"), "b": "b"}, steps=20).memory
    {}
    """

    label: str
    update: Mapping[str, Expression]
    steps: int | str
    memory: Mapping[str, float] = field(default_factory=dict)


class Plane(LiveFigure):
    r"""A plane with points, a shaded quantity, a probe to drag and paths of repeated steps.

    Parameters
    ----------
    name : str
        Identifies the figure on its page and in shared addresses.
    alt : str
        What is drawn and the one thing to see.
    x, y : Axis
        The axes.
    coordinates : pair of str
        The keys by which expressions read the two coordinates.
    points : sequence of (x, y, class)
        What is drawn; the class, a whole number, chooses shape and colour and is what averages
        read as the target.
    classes : sequence of str, optional
        The names of the classes.
    draggable : bool
        Whether the points can be moved.
    definitions : mapping, optional
        Key -> expression over the coordinates, the target, the sliders and what stands before it.
    controls : sequence of Slider or Choice, optional
        What the reader can move beside the plane.
    surface : Surface, optional
        What is shaded.
    probe : (x, y), optional
        A point to drag; the readouts and the paths start from it.
    paths : sequence of Path, optional
        Steps repeated from the probe.
    readouts : sequence of Readout, optional
        Quantities where the probe stands, averages over the points, quantities at a path's end.
    target : str
        The key by which averages read a point's class.
    square : bool
        Whether the picture is as high as wide, for axes of one unit.

    Raises
    ------
    ValueError
        If an expression or a readout names what is not there, or a point lies outside the axes.

    Examples
    --------
    >>> figure = Plane(
    ...     "or-line",
    ...     "OR: one line separates the three ones from the zero.",
    ...     x=Axis("x\u2081", -0.5, 1.5),
    ...     y=Axis("x\u2082", -0.5, 1.5),
    ...     coordinates=("x1", "x2"),
    ...     points=[(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)],
    ...     controls=[Slider("w1", 1.0, -3, 3, 0.1), Slider("w2", 1.0, -3, 3, 0.1)],
    ...     definitions={"p": ("sigmoid", ("-", ("+", ("*", "w1", "x1"), ("*", "w2", "x2")), 0.5))},
    ...     surface=Surface("p"),
    ... )
    >>> figure
    <Plane or-line>

    Notes
    -----
    The page evaluates the same expressions as `backprop_lib.expressions.evaluate`.
    """

    kind: ClassVar[str] = "plane"

    def __init__(
        self,
        name: str,
        alt: str,
        *,
        x: Axis,
        y: Axis,
        coordinates: tuple[str, str] = ("x", "y"),
        points: Sequence[Point] = (),
        classes: Sequence[str] = (),
        draggable: bool = False,
        definitions: Definitions | None = None,
        controls: Sequence[Control] = (),
        surface: Surface | None = None,
        probe: tuple[float, float] | None = None,
        paths: Sequence[Path] = (),
        readouts: Sequence[Readout] = (),
        target: str = "target",
        square: bool = True,
    ) -> None:
        scene = _Scene(x, y, coordinates, list(points), draggable, probe, surface, target)
        sums = _Sums(scene, dict(definitions or {}), list(controls), list(paths))
        state = {**scene.state(), **sums.state(readouts), "classes": classes, "square": square}
        super().__init__(name, alt, state, image(_picture(scene, sums), alt, *SIZE))


@dataclass(frozen=True)
class _Scene:
    """What stands in the plane: axes, points, the probe, and what of it can be dragged."""

    x: Axis
    y: Axis
    coordinates: tuple[str, str]
    points: list[Point]
    draggable: bool
    probe: tuple[float, float] | None
    surface: Surface | None
    target: str

    def __post_init__(self) -> None:
        places = [(x, y) for x, y, _ in self.points] + ([self.probe] if self.probe else [])
        for place in places:
            inside = all(
                axis.low <= value <= axis.high
                for axis, value in zip((self.x, self.y), place, strict=True)
            )
            if not inside:
                raise ValueError(
                    f"the point {place} lies outside the axes, expected "
                    f"{self.x.low} to {self.x.high} and {self.y.low} to {self.y.high}"
                )

    def handles(self) -> list[tuple[dict[str, Any], list[Slider]]]:
        """Each thing to drag as the page reads it, with its two hidden sliders."""
        found = []
        if self.probe:
            found.append(self._handle("probe", ("probe.x", "probe.y"), self.probe, None))
        if self.draggable:
            for i, (x, y, _) in enumerate(self.points):
                keys = (f"point{i + 1}.x", f"point{i + 1}.y")
                found.append(self._handle(f"point {i + 1}", keys, (x, y), i))
        return found

    def _handle(
        self, name: str, keys: tuple[str, str], place: tuple[float, float], point: int | None
    ) -> tuple[dict[str, Any], list[Slider]]:
        sliders = [
            Slider(key, float(value), axis.low, axis.high, (axis.high - axis.low) / HANDLE_STEPS)
            for key, value, axis in zip(keys, place, (self.x, self.y), strict=True)
        ]
        return {"name": name, "keys": list(keys), "point": point}, sliders

    def state(self) -> dict[str, Any]:
        return {
            "x": self.x.to_json(),
            "y": self.y.to_json(),
            "coordinates": self.coordinates,
            "target": self.target,
            "points": self.points,
            "handles": [handle for handle, _ in self.handles()],
            "surface": self.surface.to_json() if self.surface else None,
        }


@dataclass(frozen=True)
class _Sums:
    """What is computed in the plane: definitions, the steps of paths, readouts."""

    scene: _Scene
    definitions: dict[str, Expression]
    controls: list[Control]
    paths: list[Path]

    def __post_init__(self) -> None:
        check_definitions(self.everything(), self.controls, self.free())
        surface = self.scene.surface
        if surface and surface.key not in self.definitions:
            raise ValueError(f"the surface shows {surface.key!r}, which is not defined")
        for path in self.paths:
            if missing := {*path.memory, *self.scene.coordinates} - {*path.update}:
                raise ValueError(f"path {path.label!r} does not update {sorted(missing)}")

    def free(self) -> list[str]:
        """Keys that have a value without being defined."""
        memory = [key for path in self.paths for key in path.memory]
        return [*self.scene.coordinates, self.scene.target, *memory]

    def everything(self) -> dict[str, Expression]:
        """The definitions and, under names of their own, the next values along the paths."""
        steps = {
            f"{path.label}: next {key}": expression
            for path in self.paths
            for key, expression in path.update.items()
        }
        return {**self.definitions, **steps}

    def state(self, readouts: Sequence[Readout]) -> dict[str, Any]:
        hidden = [slider for _, sliders in self.scene.handles() for slider in sliders]
        paths = [
            {
                "label": path.label,
                "start": path.memory,
                "update": [[key, f"{path.label}: next {key}"] for key in path.update],
                "steps": path.steps,
            }
            for path in self.paths
        ]
        shown = [self._readout(readout) for readout in readouts]
        common = common_state([*self.controls, *hidden], self.everything())
        return {**common, "paths": paths, "readouts": shown}

    def _readout(self, readout: Readout) -> dict[str, Any]:
        sliders = [c.key for c in self.controls if isinstance(c, Slider)]
        known = {*self.definitions, *sliders, *self.free()}
        labels = [path.label for path in self.paths]
        if readout.key not in known or (readout.path and readout.path not in labels):
            raise ValueError(
                f"readout {readout.label!r} shows {readout.key!r} {readout.path!r}, expected one "
                f"of {', '.join(sorted(known))} and a path of {labels}"
            )
        path = labels.index(readout.path) if readout.path else None
        head = {"label": readout.label, "key": readout.key, "format": readout.format}
        return {**head, "mean": readout.mean, "path": path}

    def at(self, x: float, y: float, memory: Mapping[str, float]) -> dict[str, float]:
        """Every quantity at a place."""
        given = dict(zip(self.scene.coordinates, (x, y), strict=True))
        first = dict.fromkeys(self.free(), 0.0)
        return compute(self.definitions, self.controls, {**first, **given, **memory})

    def walk(self, path: Path) -> list[tuple[float, float]]:
        """The places a path visits from the probe."""
        here = self.at(*(self.scene.probe or (0.0, 0.0)), path.memory)
        keys = self.scene.coordinates
        visited = [(here[keys[0]], here[keys[1]])]
        count = path.steps if isinstance(path.steps, int) else int(here[path.steps])
        for _ in range(count):
            following = {key: evaluate(tree, here) for key, tree in path.update.items()}
            memory = {key: following[key] for key in path.memory}
            here = self.at(following[keys[0]], following[keys[1]], memory)
            visited.append((here[keys[0]], here[keys[1]]))
        return visited


def _picture(scene: _Scene, sums: _Sums) -> str:
    picture = Picture(scene.x, scene.y, *SIZE)
    if scene.surface:
        rows = _grid(scene.surface.key, scene, sums)
        for level in scene.surface.levels:
            picture.boundary(rows, level)
    picture.axes()
    for i, path in enumerate(sums.paths):
        visited = sums.walk(path)
        picture.curve([x for x, _ in visited], [y for _, y in visited], i, path.label)
    picture.points(scene.points)
    return document([picture], *SIZE)


def _grid(key: str, scene: _Scene, sums: _Sums) -> list[list[float]]:
    """A quantity over the plane, first row on top."""

    def along(axis: Axis, i: int) -> float:
        return axis.low + (axis.high - axis.low) * i / CELLS

    return [
        [sums.at(along(scene.x, j), along(scene.y, CELLS - i), {})[key] for j in range(CELLS + 1)]
        for i in range(CELLS + 1)
    ]
