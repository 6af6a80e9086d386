"""What an author gives a live figure to move and to read: sliders, choices, axes, readouts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backprop_lib.expressions import Expression, evaluate, keys_of
from backprop_lib.live.encode import jsonable

_FORMAT = re.compile(r"\.\d{1,2}[fg]|d")


@dataclass(frozen=True)
class Slider:
    """A number the reader can move: on a scale from low to high, or along a list.

    Parameters
    ----------
    key : str
        The name by which expressions read it.
    value : float
        Where it starts.
    low, high, step : float, optional
        Its limits and the size of a step, unless `options` are given.
    options : sequence of float, optional
        The numbers it can take, where they are not evenly spaced.
    label : str, optional
        What the page calls it; the key if not given.

    Raises
    ------
    ValueError
        If the limits are not in order or the value is not among the numbers it can take.

    Examples
    --------
    >>> Slider("w", 0.5, -2, 2, 0.1).to_json()["high"]
    2
    >>> Slider("w", 3.0, -2, 2, 0.1)
    Traceback (most recent call last):
    ValueError: slider 'w' starts at 3.0, expected a number from -2 to 2
    """

    key: str
    value: float
    low: float = math.nan
    high: float = math.nan
    step: float = math.nan
    options: Sequence[float] = ()
    label: str = ""

    def __post_init__(self) -> None:
        if len(self.options):
            if self.value not in list(self.options):
                raise ValueError(
                    f"slider {self.key!r} starts at {self.value}, expected one of its options "
                    f"{list(self.options)}"
                )
            return
        if not (-math.inf < self.low < self.high < math.inf and 0 < self.step < math.inf):
            raise ValueError(
                f"slider {self.key!r} has low={self.low}, high={self.high}, step={self.step}, "
                f"expected low < high and a positive step, or a list of options"
            )
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"slider {self.key!r} starts at {self.value}, "
                f"expected a number from {self.low} to {self.high}"
            )

    def to_json(self) -> dict[str, Any]:
        """The slider as the page reads it."""
        head = {"key": self.key, "label": self.label or self.key, "value": self.value}
        if len(self.options):
            return jsonable({**head, "options": list(self.options)})
        return jsonable({**head, "low": self.low, "high": self.high, "step": self.step})


@dataclass(frozen=True)
class Choice:
    """A drop-down list; each option replaces the expressions of some quantities.

    Parameters
    ----------
    key : str
        Its name, in shared addresses too.
    options : mapping
        For each option what it defines anew: ``{"tanh": {"a": ("tanh", "z")}}``. An option that
        changes nothing has an empty dict.
    value : str, optional
        The option at the start; the first if not given.
    label : str, optional
        What the page calls it; the key if not given.

    Raises
    ------
    ValueError
        If there is no option or the value is not one.

    Examples
    --------
    >>> Choice("activation", {"sigmoid": {}, "tanh": {"a": ("tanh", "z")}}).to_json()["value"]
    'sigmoid'
    """

    key: str
    options: Mapping[str, Mapping[str, Expression]]
    value: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        if not self.options or (self.value and self.value not in self.options):
            raise ValueError(
                f"choice {self.key!r} starts at {self.value!r}, expected one of its options "
                f"{list(self.options)}"
            )

    def to_json(self) -> dict[str, Any]:
        """The choice as the page reads it."""
        return {
            "key": self.key,
            "label": self.label or self.key,
            "options": list(self.options),
            "value": self.value or next(iter(self.options)),
            "alternatives": jsonable(self.options),
        }


@dataclass(frozen=True)
class Axis:
    """One axis of a picture.

    Parameters
    ----------
    label : str
        Its title.
    low, high : float
        Its limits.
    log : bool
        Whether it is logarithmic.

    Raises
    ------
    ValueError
        If the limits are not in order, or not positive on a logarithmic axis.

    Examples
    --------
    >>> Axis("h", 0, 1, log=True)
    Traceback (most recent call last):
    ValueError: axis 'h' runs from 0 to 1, expected low < high, both above 0 on a log axis
    """

    label: str
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf or (self.log and self.low <= 0):
            raise ValueError(
                f"axis {self.label!r} runs from {self.low} to {self.high}, "
                f"expected low < high, both above 0 on a log axis"
            )

    def to_json(self) -> dict[str, Any]:
        """The axis as the page reads it."""
        return jsonable({"label": self.label, "limits": [self.low, self.high], "log": self.log})


@dataclass(frozen=True)
class Readout:
    """A number written below the picture.

    Parameters
    ----------
    label : str
        What the page calls it.
    key : str
        The quantity, or the curve, whose value it shows.
    format : str
        Its digits, as in Python: ``".6f"``, ``".4g"``, or ``"d"`` for whole numbers.
    mean : bool
        In a `Plane`: the average of the quantity over the points, not its value at the probe.
    path : str
        In a `Plane`: the label of the path at whose end the quantity is read.

    Raises
    ------
    ValueError
        If the format is none of these.

    Examples
    --------
    >>> Readout("loss", "J", ".3")
    Traceback (most recent call last):
    ValueError: readout 'loss' has the format '.3', expected one such as '.6f', '.6g' or 'd'
    """

    label: str
    key: str
    format: str = ".6g"
    mean: bool = False
    path: str = ""

    def __post_init__(self) -> None:
        if not _FORMAT.fullmatch(self.format):
            raise ValueError(
                f"readout {self.label!r} has the format {self.format!r}, "
                f"expected one such as '.6f', '.6g' or 'd'"
            )


Control = Slider | Choice
Definitions = Mapping[str, Expression]


def common_state(controls: Iterable[Control], definitions: Definitions) -> dict[str, Any]:
    """What the state of every computing figure begins with.

    Parameters
    ----------
    controls : iterable of Slider or Choice
        What the reader can move.
    definitions : mapping
        Key -> expression.

    Returns
    -------
    dict

    Examples
    --------
    >>> common_state([], {"b": ("neg", "a")})
    {'controls': [], 'definitions': [['b', ('neg', 'a')]]}
    """
    return {
        "controls": [control.to_json() for control in controls],
        "definitions": [[key, tree] for key, tree in definitions.items()],
    }


def check_definitions(
    definitions: Definitions, controls: Iterable[Control], free: Iterable[str] = ()
) -> None:
    """See that every quantity reads only what stands before it, with every option of every choice.

    Parameters
    ----------
    definitions : mapping
        Key -> expression, in order of computation.
    controls : iterable of Slider or Choice
        What the reader can move.
    free : iterable of str
        Further keys that have a value, such as the coordinates.

    Raises
    ------
    ValueError
        If a key is unknown where it is read, or defined twice.

    Examples
    --------
    >>> check_definitions({"a": ("sigmoid", "z")}, [])
    Traceback (most recent call last):
    ValueError: 'a' reads 'z', which is neither a control nor defined before it
    """
    controls = list(controls)
    given = {c.key for c in controls if isinstance(c, Slider)} | set(free)
    alternatives = _alternatives(controls, definitions)
    for key, expression in definitions.items():
        if key in given:
            raise ValueError(f"{key!r} is defined twice, expected one definition of each quantity")
        for read in (r for e in (expression, *alternatives[key]) for r in keys_of(e)):
            if read not in given:
                raise ValueError(
                    f"{key!r} reads {read!r}, which is neither a control nor defined before it"
                )
        given.add(key)


def _alternatives(
    controls: Iterable[Control], definitions: Definitions
) -> dict[str, list[Expression]]:
    """The further expressions that the choices may put in the place of each definition."""
    found: dict[str, list[Expression]] = {key: [] for key in definitions}
    for choice in (c for c in controls if isinstance(c, Choice)):
        for key, expression in (item for o in choice.options.values() for item in o.items()):
            if key not in found:
                raise ValueError(f"choice {choice.key!r} replaces {key!r}, which is not defined")
            found[key].append(expression)
    return found


def compute(
    definitions: Definitions, controls: Iterable[Control], given: Mapping[str, float]
) -> dict[str, float]:
    """The value of every quantity, as the page computes it.

    Parameters
    ----------
    definitions : mapping
        Key -> expression, in order of computation.
    controls : iterable of Slider or Choice
        They stand at their first values, except where `given` says otherwise.
    given : mapping
        Values of keys: coordinates, or moved sliders.

    Returns
    -------
    dict
        The value of each slider, each given key and each defined quantity.

    Examples
    --------
    >>> compute({"a": ("*", "w", "x")}, [Slider("w", 2.0, 0, 4, 1)], {"x": 3.0})["a"]
    6.0
    """
    controls = list(controls)
    values = {c.key: float(c.value) for c in controls if isinstance(c, Slider)} | dict(given)
    chosen: dict[str, Expression] = {}
    for control in controls:
        if isinstance(control, Choice):
            chosen |= control.options[control.value or next(iter(control.options))]
    for key, expression in definitions.items():
        values[key] = evaluate(chosen.get(key, expression), values)
    return values
