"""The trace explorer: a hand trace whose every given number can be moved."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from backprop_lib.live.base import LiveFigure
from backprop_lib.trace import Trace

RANGES = {"x": (-2.0, 2.0), "y": (0.0, 1.0), "w": (-3.0, 3.0), "b": (-3.0, 3.0), "e": (0.01, 5.0)}
STEP = 0.01


class Explorer(LiveFigure):
    r"""A trace to explore: its network, its lines, its bugs, and the descent it is a step of.

    The page evaluates the trace's own expressions; it knows no rule of backpropagation. Beside
    each gradient stands a central difference of the loss, computed from the same expressions.

    Parameters
    ----------
    name : str
        Identifies the figure on its page and in shared addresses.
    alt : str
        What is drawn and the one thing to see.
    trace : Trace
        The step to explore, without a bug.
    digits : int
        Digits behind the point, as in `Trace.table`.
    horizon : int
        How many steps of the descent a reader can take.
    inputs : sequence of str, optional
        The given quantities that have a slider; all of them if not given.

    Raises
    ------
    ValueError
        If the trace has a bug, or an input is not a given quantity of it.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop_lib import MLP, Params, half_mse, sigmoid, trace_step
    >>> mlp = MLP((1, 1), (sigmoid,))
    >>> params = Params.of(W=[[[0.5]]], b=[[0.1]])
    >>> trace = trace_step(mlp, params, np.array([[1.0]]), np.array([[0.0]]), half_mse, 0.5)
    >>> Explorer("one-neuron", "One neuron and its gradient, 0.14772.", trace)
    <Explorer one-neuron>

    Notes
    -----
    Chapter 7, *The hand trace*.
    """

    kind: ClassVar[str] = "explorer"

    def __init__(
        self,
        name: str,
        alt: str,
        trace: Trace,
        *,
        digits: int = 5,
        horizon: int = 100,
        inputs: Sequence[str] | None = None,
    ) -> None:
        if trace.step.bug:
            raise ValueError(f"the trace has the bug {trace.step.bug!r}, expected the right trace")
        exported = json.loads(trace.to_json())
        state = {
            "quantities": [_line(quantity) for quantity in exported["quantities"]],
            "bugs": {bug: _bug(trace, bug, entry) for bug, entry in exported["bugs"].items()},
            "gradients": exported["gradients"],
            "network": exported["network"],
            "inputs": _inputs(trace, inputs),
            "digits": digits,
            "horizon": horizon,
        }
        super().__init__(name, alt, state, _fallback(trace, alt, digits))


def _line(quantity: Mapping[str, Any]) -> dict[str, Any]:
    """What the page needs of a quantity: the rest it computes."""
    return {key: quantity[key] for key in ("key", "phase", "layer", "expression")}


def _bug(trace: Trace, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """A bug; one that changes the order of computation says the new order."""
    order = [quantity.key for quantity in trace.with_bug(name)]
    if order == [quantity.key for quantity in trace]:
        return dict(entry)
    return {**entry, "order": order}


def _inputs(trace: Trace, shown: Sequence[str] | None) -> list[dict[str, Any]]:
    """A slider for each given number, wide enough for its value."""
    given = trace.select("given")
    unknown = set(shown or ()) - {quantity.key for quantity in given}
    if unknown:
        raise ValueError(
            f"inputs has {sorted(unknown)}, expected given quantities of the trace: "
            f"{', '.join(quantity.key for quantity in given)}"
        )
    sliders = []
    for key, value in ((quantity.key, quantity.value) for quantity in given):
        low, high = RANGES[key[0]]
        ends = {"low": min(low, math.floor(value)), "high": max(high, math.ceil(value))}
        head = {"key": key, "label": key, "value": value, "step": STEP}
        sliders.append({**head, **ends, "hidden": shown is not None and key not in shown})
    return sliders


def _fallback(trace: Trace, alt: str, digits: int) -> str:
    """The lines as a table that can be scrolled sideways, by keyboard too."""
    table = trace.to_html(digits=digits)
    caption = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return f'<div role="region" aria-label="{caption}" tabindex="0">\n{table}\n</div>'
