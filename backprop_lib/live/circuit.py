"""The circuit stepper: a small expression as a graph, walked forwards and back, line by line.

The derivatives are written here, one local rule an operator; the page evaluates what it is given.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from backprop_lib.expressions import Expression, evaluate, to_text
from backprop_lib.live.base import LiveFigure
from backprop_lib.live.controls import Slider

Operation = tuple[Any, ...]  # an operator and its arguments
Factors = Callable[..., Operation]

# One entry an operator, for each argument: how the rule is called, and the factors by which the
# gradient of the result is multiplied, given the result and the arguments.
RULES: dict[str, tuple[tuple[str, Factors], ...]] = {
    "+": (
        ("add distributes: the gradient goes on unchanged", lambda out, x, y: ()),
        ("add distributes: the gradient goes on unchanged", lambda out, x, y: ()),
    ),
    "-": (
        ("subtract: unchanged to what stands first", lambda out, x, y: ()),
        ("subtract: sign turned for what is taken away", lambda out, x, y: (-1,)),
    ),
    "*": (
        ("multiply swaps: times the other factor", lambda out, x, y: (y,)),
        ("multiply swaps: times the other factor", lambda out, x, y: (x,)),
    ),
    "/": (
        ("divide: over the divisor", lambda out, x, y: (("/", 1, y),)),
        ("divide: minus the result over the divisor", lambda out, x, y: (("neg", ("/", out, y)),)),
    ),
    "max": (
        ("max routes: all to the larger, half at a tie", lambda out, x, y: (("larger", x, y),)),
        ("max routes: all to the larger, half at a tie", lambda out, x, y: (("larger", y, x),)),
    ),
    "neg": (("the sign turns", lambda out, x: (-1,)),),
    "square": (("the slope of a square: twice its input", lambda out, x: (2, x)),),
    "exp": (("the slope of exp: its own value", lambda out, x: (out,)),),
    "log": (("the slope of ln: one over its input", lambda out, x: (("/", 1, x),)),),
    "relu": (("relu is a gate: open above zero", lambda out, x: (("positive", x),)),),
    "tanh": (("the slope of tanh: 1 - t^2", lambda out, x: (("-", 1, ("square", out)),)),),
    "sigmoid": (("the slope of the sigmoid: s(1 - s)", lambda out, x: (out, ("-", 1, out))),),
}
SIGNS = {"*": "\u00d7", "-": "\u2212", "/": "\u00f7", "neg": "\u2212", "square": "x\u00b2"}
SIGNS |= {"sigmoid": "\u03c3", "log": "ln"}


@dataclass(frozen=True)
class Line:
    """One line of the walk: a value on the way forwards, or a gradient on the way back.

    Parameters
    ----------
    key : str
        By which other lines read it.
    symbol : str
        How it is written.
    expression : number, str or tuple
        What it is, in the words of `RULES`.
    rule : str
        The local rule that made it; empty on the way forwards.
    node : str
        The node it belongs to.
    wire : int, optional
        The wire it belongs to, counted as in `Graph.wires`.
    """

    key: str
    symbol: str
    expression: Expression
    rule: str
    node: str
    wire: int | None = None

    @property
    def phase(self) -> str:
        """``"forward"`` or ``"backward"``."""
        return "backward" if self.rule else "forward"


@dataclass(frozen=True)
class Graph:
    """A computation graph: inputs, and nodes of one operation each.

    Parameters
    ----------
    nodes : mapping
        Key -> one operation on inputs, earlier nodes and numbers: ``("*", "q", "z")``. The last
        node is the output.
    inputs : sequence of Slider
        What is given.
    places : mapping
        Key -> (column, row), columns from left to right, rows from top to bottom.

    Raises
    ------
    ValueError
        If a node reads what does not stand before it, an operation has no rule, a node or input
        leads nowhere, or something has no place.

    Examples
    --------
    >>> graph = Graph(
    ...     {"q": ("+", "x", "y"), "f": ("*", "q", "z")},
    ...     [Slider("x", -2, -9, 9, 1), Slider("y", 5, -9, 9, 1), Slider("z", -4, -9, 9, 1)],
    ...     {"x": (0, 0), "y": (0, 1), "z": (1, 2), "q": (1, 0.5), "f": (2, 1)},
    ... )
    >>> values = graph.values()
    >>> values["f"], [values[graph.gradient(key)] for key in "xyz"]
    (-12.0, [-4.0, -4.0, 3.0])

    Notes
    -----
    Chapter 5, *The chain rule on graphs*.
    """

    nodes: Mapping[str, Operation]
    inputs: Sequence[Slider]
    places: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        known = {slider.key for slider in self.inputs}
        for key, expression in self.nodes.items():
            _check_node(key, expression, known)
            known.add(key)
        loose = known - {source for source, _, _ in self.wires} - {self.output}
        if loose:
            raise ValueError(f"{sorted(loose)} lead nowhere, expected every node to be read")
        if missing := known - set(self.places):
            raise ValueError(f"{sorted(missing)} have no place, expected (column, row) for each")

    @property
    def output(self) -> str:
        """The key of the last node."""
        return list(self.nodes)[-1]

    @property
    def wires(self) -> list[tuple[str, str, int]]:
        """Each wire as (from, to, which argument of it), in the order of the nodes."""
        return [
            (argument, key, position)
            for key, (_, *arguments) in self.nodes.items()
            for position, argument in enumerate(arguments)
            if isinstance(argument, str)
        ]

    def leaving(self, key: str) -> list[int]:
        """The wires that start at a node; more than one is a fork."""
        return [i for i, (source, _, _) in enumerate(self.wires) if source == key]

    def gradient(self, key: str) -> str:
        """The key of a node's gradient."""
        return f"d:{key}"

    def wire_gradient(self, wire: int) -> str:
        """The key of what comes back along a wire: where it is alone, the node's gradient."""
        source = self.wires[wire][0]
        alone = len(self.leaving(source)) == 1
        return self.gradient(source) if alone else f"d:{source}:{wire}"

    def lines(self) -> list[Line]:
        """The whole walk: every value, then every gradient, in an order that can be computed."""
        forward = [Line(key, key, tree, "", key) for key, tree in self.nodes.items()]
        start = "the start: the output follows itself at the rate 1"
        out = self.output
        backward = [Line(self.gradient(out), self._symbol(out), 1, start, out)]
        for key in reversed(list(self.nodes)):
            # By now every wire that leaves the node has its gradient.
            backward += self._sum_of_wires(key)
            backward += [self._along(i) for i, (_, to, _) in enumerate(self.wires) if to == key]
        for slider in self.inputs:
            backward += self._sum_of_wires(slider.key)
        return forward + backward

    def values(self, given: Mapping[str, float] | None = None) -> dict[str, float]:
        """The value of every input and line, as the page computes it."""
        values = {slider.key: float(slider.value) for slider in self.inputs} | dict(given or {})
        for line in self.lines():
            values[line.key] = evaluate(plain(line.expression), values)
        return values

    def symbols(self) -> dict[str, str]:
        """How every key is written."""
        return {line.key: line.symbol for line in self.lines()}

    def _symbol(self, key: str) -> str:
        return f"\u2202{self.output}/\u2202{key}"

    def _sum_of_wires(self, key: str) -> list[Line]:
        wires = self.leaving(key)
        if len(wires) < 2:
            return []
        total = ("+", *(self.wire_gradient(i) for i in wires))
        rule = "a fork copies forwards, so backwards the copies are summed"
        return [Line(self.gradient(key), self._symbol(key), total, rule, key)]

    def _along(self, wire: int) -> Line:
        """What comes back along a wire: the gradient behind it, times the local slope."""
        source, target, position = self.wires[wire]
        operator, *arguments = self.nodes[target]
        rule, factors = RULES[operator][position]
        slope = factors(target, *arguments)
        arriving = self.gradient(target)
        expression = ("*", arriving, *slope) if slope else arriving
        fork = len(self.leaving(source)) > 1
        side = (" (first)", " (second)")[position] if arguments.count(source) > 1 else ""
        symbol = self._symbol(source) + (f" by way of {target}{side}" if fork else "")
        return Line(self.wire_gradient(wire), symbol, expression, rule, source, wire)


def _check_node(key: str, expression: Operation, known: set[str]) -> None:
    operation = isinstance(expression, tuple) and expression[0] in RULES
    if not operation or len(RULES[expression[0]]) != len(expression) - 1:
        raise ValueError(
            f"node {key!r} is {expression!r}, expected one operation with its arguments: "
            f"{', '.join(f'{name} of {len(rules)}' for name, rules in RULES.items())}"
        )
    if key in known:
        raise ValueError(f"{key!r} is defined twice, expected one definition of each node")
    for argument in expression[1:]:
        if isinstance(argument, tuple) or (isinstance(argument, str) and argument not in known):
            raise ValueError(
                f"node {key!r} reads {argument!r}, expected an input, an earlier node or a number"
            )


def plain(expression: Expression) -> Expression:
    """An expression without max and larger, which the language of the pages does not have.

    Parameters
    ----------
    expression : number, str or tuple
        ``("max", x, y)`` is the larger of the two; ``("larger", x, y)`` is 1 where x is, 0 where
        it is not, and one half at a tie.

    Returns
    -------
    number, str or tuple

    Examples
    --------
    >>> evaluate(plain(("max", "x", "y")), {"x": 3.0, "y": 5.0})
    5.0
    >>> evaluate(plain(("larger", "x", "y")), {"x": 3.0, "y": 3.0})
    0.5
    """
    if not isinstance(expression, tuple):
        return expression
    operator, *arguments = expression[0], *map(plain, expression[1:])
    if operator == "larger":
        x, y = arguments
        above, below = ("positive", ("-", x, y)), ("positive", ("-", y, x))
        return ("*", 0.5, ("-", ("+", 1, above), below))
    if operator == "max":
        x, y = arguments
        larger = (plain(("larger", x, y)), plain(("larger", y, x)))
        return ("+", ("*", x, larger[0]), ("*", y, larger[1]))
    return (operator, *arguments)


class Circuit(LiveFigure):
    r"""Small circuits to step through: a value a node forwards, a gradient a wire backwards.

    Parameters
    ----------
    name : str
        Identifies the figure on its page and in shared addresses.
    alt : str
        What is drawn and the one thing to see.
    circuits : mapping
        Name -> `Graph`; the reader chooses one, the first is shown at the start.
    digits : int
        Significant digits of the lines; the drawing shows four.

    Raises
    ------
    ValueError
        If there is no circuit.

    Examples
    --------
    >>> places = {"x": (0, 0), "y": (1, 0)}
    >>> square = Graph({"y": ("square", "x")}, [Slider("x", 3, 0, 9, 1)], places)
    >>> Circuit("square", "A square and its slope, 6 at 3.", {"x squared": square})
    <Circuit square>

    Notes
    -----
    Chapter 5, *The chain rule on graphs*.
    """

    kind: ClassVar[str] = "circuit"

    def __init__(
        self, name: str, alt: str, circuits: Mapping[str, Graph], *, digits: int = 6
    ) -> None:
        if not circuits:
            raise ValueError("circuits is empty, expected at least one named Graph")
        state = {
            "titles": list(circuits),
            "circuits": [_exported(graph) for graph in circuits.values()],
            "digits": digits,
        }
        title, first = next(iter(circuits.items()))
        super().__init__(name, alt, state, _fallback(title, first, alt, digits))


def _exported(graph: Graph) -> dict[str, Any]:
    """What the page evaluates, and where it draws what."""
    wires = [
        {"from": source, "to": target, "gradient": graph.wire_gradient(i)}
        for i, (source, target, _) in enumerate(graph.wires)
    ]
    return {
        "inputs": [slider.to_json() for slider in graph.inputs],
        "lines": [_exported_line(line) for line in graph.lines()],
        "boxes": [_box(graph, key) for key in [*(s.key for s in graph.inputs), *graph.nodes]],
        "wires": wires,
    }


def _box(graph: Graph, key: str) -> dict[str, Any]:
    """An input or a node: its sign, where it stands, and, at a fork, the key of its total."""
    sign = _sign(graph.nodes[key]) if key in graph.nodes else ""
    total = graph.gradient(key) if len(graph.leaving(key)) > 1 else None
    return {"key": key, "sign": sign, "place": graph.places[key], "total": total}


def _sign(operation: Operation) -> str:
    """What stands in a node's box: its operator, with a number where there is no wire for one."""
    operator, *arguments = operation
    numbers = ["" if isinstance(x, str) else f"{x:g}" for x in arguments]
    sign = SIGNS[operator] if operator in SIGNS else str(operator)
    return sign.join(numbers) if len(numbers) == 2 else sign


def _exported_line(line: Line) -> dict[str, Any]:
    expression = plain(line.expression)
    return {
        "key": line.key,
        "phase": line.phase,
        "symbol": line.symbol,
        "expression": expression,
        "written": None if expression == line.expression else line.expression,
        "rule": line.rule,
        "node": line.node,
        "wire": line.wire,
    }


def _fallback(title: str, graph: Graph, alt: str, digits: int) -> str:
    """All lines of a circuit as a table that can be scrolled sideways, by keyboard too."""
    values, symbols = graph.values(), graph.symbols()
    given = ", ".join(f"{s.key} = {s.value:.{digits}g}" for s in graph.inputs)
    rows = []
    for line in graph.lines():
        numbers = _written(line.expression, lambda key: f"{values[key]:.{digits}g}")
        formula = _written(line.expression, lambda key: symbols.get(key, key))
        cells = (formula, numbers, f"{values[line.key]:.{digits}g}", line.rule)
        texts = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{html.escape(line.symbol)}</th>{texts}</tr>')
    titles = ("quantity", "formula", "numbers", "value", "rule")
    head = "".join(f'<th scope="col">{name}</th>' for name in titles)
    return (
        f'<div role="region" aria-label="{html.escape(alt)}" tabindex="0">\n<table>\n'
        f"<caption>{html.escape(f'{title} at {given}')}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>\n</div>"
    )


def _written(expression: Expression, text_of: Callable[[str], str]) -> str:
    """A line's formula in plain text, its keys written by `text_of`."""
    return to_text(_with_texts(expression, text_of))


def _with_texts(expression: Expression, text_of: Callable[[str], str]) -> Expression:
    """Texts for keys; one text for a call of max or larger, which `to_text` cannot write."""
    if isinstance(expression, str):
        return text_of(expression)
    if not isinstance(expression, tuple):
        return expression
    parts = [_with_texts(part, text_of) for part in expression[1:]]
    if expression[0] in ("max", "larger"):
        return f"{expression[0]}({', '.join(to_text(part) for part in parts)})"
    return (expression[0], *parts)
