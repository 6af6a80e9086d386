r"""The hand trace: one gradient step of a small network, every line of it in four readings.

A trace is an ordered list of quantities. Each is built from one expression tree; the formula in
letters, the formula with numbers, the value and the list of what it reads are folds of that tree
(`expressions`). The values are plain Python floats, computed without a single array, so a trace
is a witness for `backprop` that shares no code with it. May import the rooms above it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from backprop_lib.errors import Array, ShapeError, check_positive
from backprop_lib.expressions import Expression, evaluate, fold, keys_of, to_latex, to_text
from backprop_lib.losses import Loss, check_targets
from backprop_lib.mistakes import MISTAKES
from backprop_lib.network import MLP, Params, check_input, check_pair

PHASES = ("given", "forward", "loss", "backward", "gradient", "update", "verify")
PAGE_WIDTH = 78  # characters of code that fit on the page of a book
Biases = Literal["each", "fixed", "shared"]


@dataclass(frozen=True)
class Quantity:
    """One line of a hand trace.

    Parameters
    ----------
    key : str
        Its name in plain text, unique in the trace: ``"w2[1,2]"``.
    phase : str
        given, forward, loss, backward, gradient, update or verify.
    layer : int
        The layer it belongs to; 0 for what belongs to none.
    latex : str
        Its name on the page.
    expression : number, str or tuple
        How it comes about; a number where it is given.
    value : float
        Its value.
    source : tuple
        Where the matrix route keeps the same number: ``("W", 2, (0, 1))``.

    Examples
    --------
    >>> Quantity("a1[1]", "forward", 1, "a", ("sigmoid", "z1[1]"), 0.5, ("a", 1, (0, 0))).reads
    ('z1[1]',)

    Notes
    -----
    Chapter 7, *The hand trace*.
    """

    key: str
    phase: str
    layer: int
    latex: str
    expression: Expression
    value: float
    source: tuple[Any, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """The keys it is computed from."""
        return keys_of(self.expression)


@dataclass(frozen=True, eq=False)
class Step:
    """What is traced: one network, one sample, one update.

    Parameters
    ----------
    mlp, params, x, y, loss, learning_rate, biases, bug
        As for `trace_step`; `bug` is the name of a mistake or None.

    Examples
    --------
    >>> Step.__name__
    'Step'
    """

    mlp: MLP
    params: Params
    x: Array
    y: Array
    loss: Loss
    learning_rate: float
    biases: Biases
    bug: str | None = None


def trace_step(
    mlp: MLP,
    params: Params,
    x: Array,
    y: Array,
    loss: Loss,
    learning_rate: float,
    *,
    biases: Biases = "each",
) -> Trace:
    """Write down one gradient step by hand: forward, loss, backward, update, and forward again.

    Parameters
    ----------
    mlp : MLP
        A small network: every single number gets a line.
    params : Params
        Its weights and biases.
    x : ndarray, shape (1, n_0)
        One sample, a row.
    y : ndarray, shape (1, n_L)
        Its target.
    loss : Loss
        Which loss.
    learning_rate : float
        The step's length per unit of gradient.
    biases : {"each", "fixed", "shared"}
        Whether every bias is updated by its own gradient, none is updated, or the units of a
        layer share one bias, which is updated by the sum of their errors.

    Returns
    -------
    Trace

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `forward` and `backward`; also for more than one sample, or shared biases that differ.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.losses import half_mse
    >>> mlp = MLP((1, 1), (sigmoid,))
    >>> params = Params.of(W=[[[0.5]]], b=[[0.1]])
    >>> trace = trace_step(mlp, params, np.array([[1.0]]), np.array([[0.0]]), half_mse, 0.5)
    >>> print(trace.table("backward"))
    delta1[1] = (a1[1] - y[1])*a1[1]*(1 - a1[1])
              = (0.64566 - 0)*0.64566*(1 - 0.64566) = 0.14772

    Notes
    -----
    Chapter 7, *The hand trace*.
    """
    check_input(mlp, params, x)
    check_pair(mlp, loss)
    check_targets(loss, y, len(x), mlp.sizes[-1])
    check_positive("learning_rate", learning_rate)
    if len(x) != 1:
        raise ShapeError(f"x has {len(x)} rows, expected 1; a hand trace follows one sample: x[:1]")
    if biases not in ("each", "fixed", "shared"):
        raise ValueError(f"biases is {biases!r}, expected 'each', 'fixed' or 'shared'")
    if biases == "shared":
        _check_shared(params)
    return Trace(Step(mlp, params, x, y, loss, float(learning_rate), biases))


def _check_shared(params: Params) -> None:
    for l, b in enumerate(params.b[1:], start=1):
        if (b != b[0]).any():
            raise ValueError(f"b[{l}] is {b}, expected equal numbers: its units share one bias")


# --------------------------------------------------------------------------------------------
# Names. The text key is also the name in tables; units are counted from 1 as on the page.


def _unit(letter: str, l: int, j: int, new: str = "") -> str:
    return f"{new}{letter}{l}[{j}]"


def _a(l: int, j: int, new: str = "") -> str:
    return f"x[{j}]" if l == 0 else _unit("a", l, j, new)


def _w(l: int, j: int, i: int, new: str = "") -> str:
    return f"{new}w{l}[{j},{i}]"


_KEY = re.compile(r"(new_)?(d(?=[wb]\d))?(delta|eta|[a-zC])(\d*)(?:\[([\d,]+)\])?")


def _latex_of(key: str) -> str:
    r"""``w2[1,3]`` -> w^{[2]}_{13}; a new value wears a tilde, a gradient is written dC/d..."""
    matched = _KEY.fullmatch(key)
    assert matched, key
    new, gradient, letter, layer, units = matched.groups()
    name = rf"\{letter}" if len(letter) > 1 else letter
    name = rf"\tilde{{{name}}}" if new else name
    name += f"^{{[{layer}]}}" if layer else ""
    if units:
        name += f"_{{{units if max(map(int, units.split(','))) > 9 else units.replace(',', '')}}}"
    return rf"\partial C/\partial {name}" if gradient else name


# --------------------------------------------------------------------------------------------
# Rules. Each law of backpropagation stands once; a bug replaces one of them by its caricature.


def _times(*factors: Expression) -> Expression:
    """One flat product, without its factors 1."""
    flat: list[Expression] = []
    for factor in factors:
        flat += factor[1:] if isinstance(factor, tuple) and factor[0] == "*" else [factor]
    kept = [factor for factor in flat if factor != 1]
    return ("*", *kept) if len(kept) > 1 else kept[0] if kept else 1


def _plus(terms: Sequence[Expression]) -> Expression:
    return ("+", *terms) if len(terms) > 1 else terms[0]


def _slope_from_output(name: str, a: Expression) -> Expression | None:
    """The slope in its short form, in terms of a = phi(z), where there is one."""
    forms: dict[str, Expression] = {
        "sigmoid": ("*", a, ("-", 1, a)),
        "tanh": ("-", 1, ("square", a)),
        "identity": 1,
        "step": 0,
    }
    return forms.get(name)


def _slope(name: str, z: str, a: str) -> Expression:
    short = _slope_from_output(name, a)
    if short is not None:
        return short
    return {
        "relu": ("positive", z),
        "leaky_relu": ("+", 0.01, ("*", 0.99, ("positive", z))),
    }[name]


def _slope_at_a(name: str, z: str, a: str) -> Expression:
    short = _slope_from_output(name, (name, a))
    return _slope(name, z, a) if short is None else short


def _slope_of_z(name: str, z: str, a: str) -> Expression:
    short = _slope_from_output(name, z)
    return _slope(name, z, a) if short is None else short


def _no_slope(name: str, z: str, a: str) -> Expression:
    return 1


def _loss_term(name: str, a: str, y: str) -> Expression:
    return {
        "half_mse": ("*", 0.5, ("square", ("-", a, y))),
        "sse": ("square", ("-", a, y)),
        "bce": ("neg", ("+", ("*", y, ("log", a)), ("*", ("-", 1, y), ("log", ("-", 1, a))))),
        "cross_entropy": ("neg", ("*", y, ("log", a))),
    }[name]


def _loss_slope(name: str, a: str, y: str) -> Expression:
    """dC/da, one output."""
    return {
        "half_mse": ("-", a, y),
        "sse": ("*", 2, ("-", a, y)),
        "bce": ("-", ("/", ("-", 1, y), ("-", 1, a)), ("/", y, a)),
    }[name]


def _delta_rule(net: Step, z: str, a: str, y: str, slope: Callable[..., Expression]) -> Expression:
    """dC/dz of one output: loss slope times activation slope, unless they have cancelled."""
    phi = net.mlp.phi[-1]
    if phi is net.loss.canonical and net.loss.name in ("bce", "cross_entropy"):
        return ("-", a, y)
    return _times(_loss_slope(net.loss.name, a, y), slope(phi.name, z, a))


def _flipped(net: Step, error: Expression) -> Expression:
    """Every a - y in an output error becomes y - a."""

    def operation(operator: str, parts: list[Expression]) -> Expression:
        names = all(isinstance(part, str) for part in parts)  # a - y, but not the 1 - y of bce
        if operator == "-" and names and str(parts[1]).startswith("y["):
            return ("-", parts[1], parts[0])
        return (operator, *parts)

    return fold(error, lambda x: x, lambda key: key, operation)


def _doubled(net: Step, error: Expression) -> Expression:
    """The 2 of the square, kept although a 1/2 stands in front of it."""
    return _times(2, error) if net.loss.name == "half_mse" else error


@dataclass(frozen=True)
class _Rules:
    """The laws that a bug may bend."""

    output_slope: Callable[[str, str, str], Expression] = _slope
    hidden_slope: Callable[[str, str, str], Expression] = _slope
    output_error: Callable[[Step, Expression], Expression] = lambda net, error: error
    fed: int = -1  # a weight's error meets the activation of the layer before it
    carry: Callable[[int, int, int], str] = lambda l, k, j: _w(l, k, j)
    updates_first: bool = False
    bias_slope: Callable[[str], Expression] = lambda delta: delta


_RULES: dict[str | None, _Rules] = {
    None: _Rules(),
    "early_update": _Rules(carry=lambda l, k, j: _w(l, k, j, "new_"), updates_first=True),
    "output_slope_omitted": _Rules(output_slope=_no_slope),
    "hidden_slope_omitted": _Rules(hidden_slope=_no_slope),
    "slope_at_a": _Rules(output_slope=_slope_at_a, hidden_slope=_slope_at_a),
    "slope_of_z": _Rules(output_slope=_slope_of_z, hidden_slope=_slope_of_z),
    "sign": _Rules(output_error=_flipped),
    "missing_half": _Rules(output_error=_doubled),
    "transposed": _Rules(carry=lambda l, k, j: _w(l, j, k)),
    "own_activation": _Rules(fed=0),
    "bias_missing": _Rules(bias_slope=lambda delta: 0),
}


# --------------------------------------------------------------------------------------------
# The lines, section by section. A line is (key, phase, layer, expression, source).

_Line = tuple[str, str, int, Expression, tuple[Any, ...]]


def _units(net: Step, l: int) -> range:
    return range(1, net.mlp.sizes[l] + 1)


def _layers(net: Step) -> range:
    return range(1, net.mlp.L + 1)


def _given(net: Step) -> Iterator[_Line]:
    for i in _units(net, 0):
        yield f"x[{i}]", "given", 0, float(net.x[0, i - 1]), ("a", 0, (0, i - 1))
    for k in _units(net, net.mlp.L):
        yield f"y[{k}]", "given", net.mlp.L, float(net.y[0, k - 1]), ("y", None, (0, k - 1))
    for l in _layers(net):
        for j in _units(net, l):
            for i in _units(net, l - 1):
                value = float(net.params.W[l][j - 1, i - 1])
                yield _w(l, j, i), "given", l, value, ("W", l, (j - 1, i - 1))
        for j in _units(net, l):
            value = float(net.params.b[l][j - 1])
            yield _unit("b", l, j), "given", l, value, ("b", l, (j - 1,))
    yield "eta", "given", 0, net.learning_rate, ("eta", None, ())


def _forward(net: Step, phase: str = "forward", new: str = "") -> Iterator[_Line]:
    for l in _layers(net):
        inputs = [_a(l - 1, i, new) for i in _units(net, l - 1)]
        for j in _units(net, l):
            terms = [("*", _w(l, j, i, new), a) for i, a in enumerate(inputs, start=1)]
            total = ("+", *terms, _unit("b", l, j, new))
            yield _unit("z", l, j, new), phase, l, total, (f"{new}z", l, (0, j - 1))
        name = net.mlp.phi[l].name.replace("step", "positive")
        scores = [("exp", _unit("z", l, j, new)) for j in _units(net, l)]
        for j in _units(net, l):
            z = _unit("z", l, j, new)
            value = ("/", scores[j - 1], _plus(scores)) if name == "softmax" else (name, z)
            yield _unit("a", l, j, new), phase, l, value, (f"{new}a", l, (0, j - 1))


def _loss(net: Step, phase: str = "loss", new: str = "") -> Iterator[_Line]:
    L = net.mlp.L
    terms = [_loss_term(net.loss.name, _a(L, k, new), f"y[{k}]") for k in _units(net, L)]
    yield f"{new}C", phase, L, _plus(terms), (f"{new}J", None, ())


def _errors(net: Step, l: int, rules: _Rules) -> Iterator[_Line]:
    for j in _units(net, l):
        z, a = _unit("z", l, j), _unit("a", l, j)
        if l == net.mlp.L:
            error = _delta_rule(net, z, a, f"y[{j}]", rules.output_slope)
            error = rules.output_error(net, error)
        else:
            after = _units(net, l + 1)
            terms = [("*", rules.carry(l + 1, k, j), _unit("delta", l + 1, k)) for k in after]
            error = _times(_plus(terms), rules.hidden_slope(net.mlp.phi[l].name, z, a))
        yield _unit("delta", l, j), "backward", l, error, ("delta", l, (0, j - 1))


def _gradients(net: Step, l: int, rules: _Rules) -> Iterator[_Line]:
    for j in _units(net, l):
        delta = _unit("delta", l, j)
        for i in _units(net, l - 1):
            product = ("*", delta, _a(l + rules.fed, i))
            yield f"d{_w(l, j, i)}", "gradient", l, product, ("dW", l, (j - 1, i - 1))
    for j in _units(net, l):
        slope = rules.bias_slope(_unit("delta", l, j))
        yield f"d{_unit('b', l, j)}", "gradient", l, slope, ("db", l, (j - 1,))


def _updates(net: Step, l: int) -> Iterator[_Line]:
    for j in _units(net, l):
        for i in _units(net, l - 1):
            w = _w(l, j, i)
            moved = ("-", w, ("*", "eta", f"d{w}"))
            yield f"new_{w}", "update", l, moved, ("new_W", l, (j - 1, i - 1))
    for j in _units(net, l):
        b = _unit("b", l, j)
        slopes = {
            "each": [f"d{b}"],
            "fixed": [],
            "shared": [f"d{_unit('b', l, k)}" for k in _units(net, l)],
        }[net.biases]
        kept: Expression = ("-", b, ("*", "eta", _plus(slopes))) if slopes else b
        yield f"new_{b}", "update", l, kept, ("new_b", l, (j - 1,))


def _lines(net: Step) -> Iterator[_Line]:
    """The whole step, in the order in which it is computed."""
    rules = _RULES[net.bug]
    yield from _given(net)
    yield from _forward(net)
    yield from _loss(net)
    for l in reversed(_layers(net)):
        yield from _errors(net, l, rules)
        yield from _gradients(net, l, rules)
        if rules.updates_first:
            yield from _updates(net, l)
    if not rules.updates_first:
        for l in _layers(net):
            yield from _updates(net, l)
    yield from _forward(net, "verify", "new_")
    yield from _loss(net, "verify", "new_")


# --------------------------------------------------------------------------------------------
# The trace


def format_number(value: float, digits: int = 5) -> str:
    """The one place where a trace's numbers are rounded: fixed point, never a negative zero.

    Parameters
    ----------
    value : float
        Any number.
    digits : int
        Digits behind the point.

    Returns
    -------
    str

    Examples
    --------
    >>> format_number(0.7513651, 5), format_number(-1e-9, 5), format_number(float("nan"))
    ('0.75137', '0.00000', 'nan')
    """
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


@dataclass(frozen=True)
class Lines:
    """Lines of a trace that typeset themselves where they can.

    Parameters
    ----------
    text : str
        For a terminal.
    latex : str
        For a page, without dollar signs.

    Examples
    --------
    >>> Lines("z = 0.5", "z &= 0.5")
    z = 0.5
    """

    text: str
    latex: str

    def __repr__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"


def _stacked(row: Sequence[str], width: int) -> str:
    """One line of a trace on two: the letters above, the numbers below."""
    symbol, formula, numbers, value = row
    below = " = ".join(cell for cell in (numbers, value) if cell)
    if not formula:
        return f"{symbol:<{width}} = {value}"
    return f"{symbol:<{width}} = {formula}\n{'':<{width}} = {below}"


def _quantity_json(q: Quantity) -> dict[str, Any]:
    return {
        "key": q.key,
        "phase": q.phase,
        "layer": q.layer,
        "latex": q.latex,
        "expression": q.expression,
        "reads": q.reads,
        "value": q.value,
    }


class Trace:
    """An ordered list of quantities, each computed once from those before it.

    Parameters
    ----------
    step : Step
        What to trace; `trace_step` makes one and checks it.

    Attributes
    ----------
    quantities : dict of str to Quantity
        In the order of computation, by key.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.losses import half_mse
    >>> mlp = MLP((2, 2, 1), (sigmoid, sigmoid))
    >>> params = Params.of(W=[[[0.15, 0.2], [0.25, 0.3]], [[0.4, 0.45]]], b=[[0.35, 0.35], [0.6]])
    >>> x, y = np.array([[0.05, 0.10]]), np.array([[0.01]])
    >>> trace = trace_step(mlp, params, x, y, half_mse, learning_rate=0.5)
    >>> print(trace.table("forward", layer=2))
    z2[1] = w2[1,1]*a1[1] + w2[1,2]*a1[2] + b2[1]
          = 0.4*0.59327 + 0.45*0.59688 + 0.6 = 1.10591*
    a2[1] = sigmoid(z2[1])
          = sigmoid(1.10591) = 0.75137
    >>> round(trace["C"], 6), round(trace["new_C"], 6)
    (0.274811, 0.258015)

    Notes
    -----
    Chapter 7, *The hand trace*.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.quantities: dict[str, Quantity] = {}
        values: dict[str, float] = {}
        for key, phase, layer, expression, source in _lines(step):
            if key in values:
                raise ValueError(f"{key} is computed twice; a trace computes each quantity once")
            values[key] = evaluate(expression, values)
            self.quantities[key] = Quantity(
                key, phase, layer, _latex_of(key), expression, values[key], source
            )

    def __getitem__(self, key: str) -> float:
        """The value of a quantity."""
        if key not in self.quantities:
            raise KeyError(f"{key}; a trace of this network has {', '.join(self.quantities)}")
        return self.quantities[key].value

    def __iter__(self) -> Iterator[Quantity]:
        return iter(self.quantities.values())

    def __len__(self) -> int:
        return len(self.quantities)

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.step.mlp.sizes))
        bug = f", bug {self.step.bug}" if self.step.bug else ""
        return f"<Trace of a {sizes} network, {len(self)} quantities{bug}>"

    # ---- other traces

    @property
    def bugs(self) -> tuple[str, ...]:
        """The mistakes that change something in this network, by name."""
        return tuple(name for name in _RULES if name and self._changed(name))

    def _changed(self, bug: str) -> dict[str, Expression]:
        """The expressions that a bug replaces; empty where it cannot be made in this network."""
        changed = {key: line for key, _, _, line, _ in _lines(replace(self.step, bug=bug))}
        known = set(changed)
        if any(not known.issuperset(keys_of(line)) for line in changed.values()):
            return {}
        right = {key: line for key, _, _, line, _ in _lines(replace(self.step, bug=None))}
        return {key: line for key, line in changed.items() if line != right[key]}

    def with_bug(self, name: str | None) -> Trace:
        """The same step done with one classic mistake.

        Parameters
        ----------
        name : str or None
            One of `bugs`; None gives the right trace again.

        Returns
        -------
        Trace

        Raises
        ------
        ValueError
            If there is no such mistake in this network.
        """
        if name is not None and name not in self.bugs:
            possible = ", ".join(self.bugs)
            raise ValueError(f"bug is {name!r}; in this network one can make {possible}")
        return Trace(replace(self.step, bug=name))

    def next(self) -> Trace:
        """The trace of the step after this one, from the updated weights and biases."""
        return Trace(replace(self.step, params=self.updated))

    @cached_property
    def updated(self) -> Params:
        """Weights and biases after the step."""
        return self._gather("new_W", "new_b")

    @cached_property
    def grads(self) -> Params:
        """The gradient, as the hand trace has it."""
        return self._gather("dW", "db")

    def _gather(self, weight: str, bias: str) -> Params:
        filled = self.step.params.like(np.zeros_like(self.step.params.theta))
        for quantity in self:
            name, l, index = quantity.source
            if name in (weight, bias):
                (filled.W if name == weight else filled.b)[l][index] = quantity.value
        return filled

    # ---- readings

    def select(self, phase: str | None = None, layer: int | None = None) -> list[Quantity]:
        """The quantities of a phase, or of one layer of it, in order.

        Parameters
        ----------
        phase : str, optional
            One of given, forward, loss, backward, gradient, update, verify; all by default.
        layer : int, optional
            1..L; all by default.

        Returns
        -------
        list of Quantity

        Raises
        ------
        ValueError
            If there is no such phase, or nothing in it.
        """
        if phase is not None and phase not in PHASES:
            raise ValueError(f"phase is {phase!r}, expected one of {', '.join(PHASES)}")
        found = [q for q in self if phase in (None, q.phase) and layer in (None, q.layer)]
        if not found:
            raise ValueError(f"nothing in phase {phase!r} belongs to layer {layer!r}")
        return found

    def table(self, phase: str | None = None, layer: int | None = None, digits: int = 5) -> str:
        """Lines of symbol = formula = numbers = value, in columns where these fit on a page.

        A star behind a value says that the digits printed on its line, worked out again, would
        end in another last digit: the value is right, it was computed from all the digits.

        Parameters
        ----------
        phase, layer
            As for `select`.
        digits : int
            Digits behind the point.

        Returns
        -------
        str
        """
        rows = [self.reading(q, digits) for q in self.select(phase, layer)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        if sum(widths) + 3 * len(" = ") > PAGE_WIDTH:
            return "\n".join(_stacked(row, widths[0]) for row in rows)
        lines = [
            " = ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if cell)
            for row in rows
        ]
        return "\n".join(line.rstrip() for line in lines)

    def reading(self, quantity: Quantity, digits: int = 5) -> tuple[str, str, str, str]:
        """A quantity as text: symbol, formula, formula with numbers, value.

        Parameters
        ----------
        quantity : Quantity
            One of this trace's.
        digits : int
            Digits behind the point.

        Returns
        -------
        tuple of str
            Formula and numbers are empty for a given value.
        """
        value = self._number(quantity, digits)
        if quantity.phase == "given":
            return quantity.key, "", "", value
        mark = "*" if self.off_by_one(quantity, digits) else ""
        formula = to_text(quantity.expression)
        numbers = to_text(quantity.expression, key=lambda key: self.number(key, digits))
        return quantity.key, formula, numbers if numbers != value else "", value + mark

    def number(self, key: str, digits: int = 5) -> str:
        """A quantity's value as it is printed: as given, or rounded.

        Parameters
        ----------
        key : str
            Which quantity.
        digits : int
            Digits behind the point.

        Returns
        -------
        str
        """
        return self._number(self.quantities[key], digits)

    def _number(self, quantity: Quantity, digits: int) -> str:
        short = f"{quantity.value:.15g}"
        exact = quantity.phase == "given" and len(short.partition(".")[2]) <= digits
        return short if exact and "e" not in short else format_number(quantity.value, digits)

    def off_by_one(self, quantity: Quantity, digits: int = 5) -> bool:
        """Whether working the line out from its printed digits gives another last digit.

        Parameters
        ----------
        quantity : Quantity
            One of this trace's.
        digits : int
            Digits behind the point.

        Returns
        -------
        bool
        """
        printed = {key: float(self.number(key, digits)) for key in quantity.reads}
        again = evaluate(quantity.expression, printed)
        return format_number(again, digits) != format_number(quantity.value, digits)

    def to_latex(self, phase: str | None = None, layer: int | None = None, digits: int = 5) -> str:
        r"""The same lines for a typeset page, one ``aligned`` block.

        Parameters
        ----------
        phase, layer, digits
            As for `table`.

        Returns
        -------
        str
            Without dollar signs.
        """
        lines = []
        for q in self.select(phase, layer):
            formula = to_latex(q.expression, key=_latex_of, times=r"\,")
            numbers = to_latex(q.expression, key=lambda key: self.number(key, digits))
            value = self._number(q, digits)
            steps = dict.fromkeys([value] if q.phase == "given" else [formula, numbers, value])
            lines.append(rf"{q.latex} &= " + r" \\ &= ".join(steps))
        return "\\begin{aligned}\n" + " \\\\[4pt]\n".join(lines) + "\n\\end{aligned}"

    def show(self, phase: str | None = None, layer: int | None = None, digits: int = 5) -> Lines:
        """The same lines for the end of a notebook cell: typeset there, a table elsewhere.

        Parameters
        ----------
        phase, layer, digits
            As for `table`.

        Returns
        -------
        Lines
        """
        return Lines(self.table(phase, layer, digits), self.to_latex(phase, layer, digits))

    def to_html(self, phase: str | None = None, layer: int | None = None, digits: int = 5) -> str:
        """The same lines as an HTML table: readable without any script.

        Parameters
        ----------
        phase, layer, digits
            As for `table`.

        Returns
        -------
        str
        """
        titles = ("symbol", "formula", "numbers", "value")
        head = "".join(f'<th scope="col">{title}</th>' for title in titles)
        body = "".join(
            f'<tr><th scope="row">{html.escape(cells[0])}</th>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells[1:])
            + "</tr>"
            for cells in (self.reading(q, digits) for q in self.select(phase, layer))
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_json(self) -> str:
        """Everything a live figure needs: the expressions themselves, and how they hang together.

        Returns
        -------
        str
            ``quantities`` in order of computation; ``bugs`` with the expressions each replaces;
            ``gradients``, the quantity that claims to be dC/dkey, for each given weight and bias;
            and ``network``: sizes, activations, loss, and ``units`` and ``wires`` for the drawing.
        """
        weights_and_biases = [q.key for q in self.select("given") if q.key[0] in "wb"]
        content = {
            "quantities": [_quantity_json(q) for q in self],
            "bugs": {name: self._bug_json(name) for name in self.bugs},
            "gradients": {key: f"d{key}" for key in weights_and_biases},
            "network": {
                "sizes": self.step.mlp.sizes,
                "activations": [phi.name for phi in self.step.mlp.activations],
                "loss": self.step.loss.name,
                "biases": self.step.biases,
                "units": self.units(),
                "wires": self.wires(),
            },
        }
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    def _bug_json(self, name: str) -> dict[str, Any]:
        mistake = MISTAKES[name]
        changed = self._changed(name)
        return {"title": mistake.title, "advice": mistake.advice, "expressions": changed}

    def units(self) -> list[dict[str, Any]]:
        """The circles of the network drawing: layer, position, and the keys of what they hold.

        Returns
        -------
        list of dict
            ``layer``, ``unit`` (from 1), ``forward`` (key of the activation), ``backward`` (key
            of the error, None for an input) and ``bias`` (None for an input).
        """
        return [
            {
                "layer": l,
                "unit": j,
                "forward": _a(l, j),
                "backward": _unit("delta", l, j) if l else None,
                "bias": _unit("b", l, j) if l else None,
            }
            for l, size in enumerate(self.step.mlp.sizes)
            for j in range(1, size + 1)
        ]

    def wires(self) -> list[dict[str, Any]]:
        """The lines of the network drawing: from unit i of layer l-1 to unit j of layer l.

        Returns
        -------
        list of dict
            ``layer`` (l), ``from`` (i), ``to`` (j), ``weight`` and ``gradient`` (keys).
        """
        return [
            {"layer": l, "from": i, "to": j, "weight": _w(l, j, i), "gradient": f"d{_w(l, j, i)}"}
            for l, (n_in, n_out) in enumerate(pairwise(self.step.mlp.sizes), start=1)
            for j in range(1, n_out + 1)
            for i in range(1, n_in + 1)
        ]
