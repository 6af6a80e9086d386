"""Reverse-mode automatic differentiation, small enough to read: chapter 13 prints this file.

Every operation on a `Tensor` computes its result *and* records, there and then, where the result
came from and how a gradient gets back. So the graph is complete before anybody asks for a
derivative; `gradients` walks it once, from the output to the inputs.

In the order of a first reading: `RULES`, `record`, `Tensor`, `gradients` and what it calls.
Imports numpy and the doors in `errors`, nothing else of the house: it is an independent witness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from backprop_lib.errors import Array, ShapeError, check_array, check_same_dtype

NUMBER = (int, float, np.integer, np.floating)


# The calculus, all of it. A row computes the result, called `out` where it is needed again, and
# one way back for each operand: what reaches it when g = dJ/d(result) reaches the result.
# fmt: off
RULES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "+":       lambda x, y: (x + y,           lambda g: g,       lambda g: g),
    "-":       lambda x, y: (x - y,           lambda g: g,       lambda g: -g),
    "*":       lambda x, y: (x * y,           lambda g: g * y,   lambda g: g * x),
    "/":       lambda x, y: (out := x / y,    lambda g: g / y,   lambda g: -g * out / y),
    "@":       lambda x, y: (_matmul(x, y),   lambda g: g @ y.T, lambda g: x.T @ g),
    "max":     lambda x, y: (np.maximum(x, y),
                             lambda g: g * np.heaviside(x - y, 0.5),
                             lambda g: g * np.heaviside(y - x, 0.5)),
    "neg":     lambda x: (-x,                 lambda g: -g),
    "exp":     lambda x: (out := np.exp(x),   lambda g: g * out),
    "log":     lambda x: (np.log(x),          lambda g: g / x),
    "tanh":    lambda x: (out := np.tanh(x),  lambda g: g * (1 - out**2)),
    "sigmoid": lambda x: (out := _sigmoid(x), lambda g: g * out * (1 - out)),
    "relu":    lambda x: (np.maximum(x, 0),   lambda g: g * (x > 0)),
    "T":       lambda x: (x.T,                lambda g: g.T),
    "[]":      lambda x, key: (x[key],        lambda g: _put_back(g, x, key)),
    "**":      lambda x, n: (x**n,
                             lambda g: g * (n * x ** (n - 1) if n else 0)),
    "reshape": lambda x, shape: (x.reshape(*shape),
                                 lambda g: g.reshape(x.shape)),
    "sum":     lambda x, axis: (x.sum(axis, keepdims=True),
                                lambda g: np.broadcast_to(g, x.shape)),
    "log_softmax":
               lambda x, axis: (out := _log_softmax(x, axis),
                                lambda g: g - np.exp(out) * g.sum(axis, keepdims=True)),
}
# fmt: on


def record(op: str, *operands: Tensor | Array | float, **options: Any) -> Tensor:
    """Execute one operation and record how a gradient gets back through it.

    Only tensors become parents: a plain number or array is a constant, and no work is spent on
    its derivative.

    Parameters
    ----------
    op : str
        A key of `RULES`.
    *operands : Tensor, ndarray or number
        At least one tensor. A number, an integer as well, takes the tensor's dtype (``2 * x``);
        an array must have that dtype already. Constants are kept by reference: do not change
        them in place before the backward pass.
    **options
        What the rule needs to know besides: an axis, a shape, an exponent.

    Returns
    -------
    Tensor
        The result, with its parents and its way back.

    Raises
    ------
    TypeError
        If no operand is a tensor, or an operand has another dtype.
    ValueError
        If a constant holds nan or inf.

    Notes
    -----
    Chapter 13, *Automatic differentiation*. A new operation is a new row of `RULES`.

    Examples
    --------
    >>> y = record("*", 2, Tensor(3.0))
    >>> y, y.op, y.parents
    (Tensor(6.), '*', (Tensor(3.),))
    """
    parents = tuple(x for x in operands if isinstance(x, Tensor))
    if not parents:
        raise TypeError(f"no operand of {op!r} is a Tensor, expected at least one: Tensor(x)")
    values = [_value(x, parents[0].data) for x in operands]
    out, *ways = RULES[op](*values, **options)
    out = np.asarray(out, dtype=values[0].dtype)
    out.flags.writeable = False  # some ways back read it again
    ways = [way for x, way in zip(operands, ways, strict=True) if isinstance(x, Tensor)]

    def pullback(g: Array) -> list[Array]:
        return [way(g) for way in ways]

    return Tensor(out, op=op, parents=parents, pullback=pullback)


def _value(operand: Tensor | Array | float, beside: Array) -> Array:
    if isinstance(operand, Tensor):
        array = operand.data
    elif isinstance(operand, NUMBER):
        array = check_array("operand", np.asarray(operand, dtype=beside.dtype))
    else:
        array = check_array("operand", operand)
    check_same_dtype("operand", array, "the tensor beside it", beside)
    return array


def _matmul(x: Array, y: Array) -> Array:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[0]:
        raise ShapeError(
            f"x @ y has shapes {x.shape} and {y.shape}, expected (n, k) and (k, m); "
            "a sample is a row, x[None, :], and W of shape (n_out, n_in) enters as W.T"
        )
    product: Array = x @ y
    return product


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _log_softmax(x: Array, axis: int) -> Array:
    shifted: Array = x - x.max(axis=axis, keepdims=True)  # the largest exponent is 0
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _put_back(g: Array, x: Array, key: Any) -> Array:
    at = np.zeros_like(x)
    np.add.at(at, key, g)  # unlike at[key] += g, an entry picked twice is paid twice
    return at


def _operators(op: str) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    # Python calls the second, with the operands exchanged, where only the right one is a Tensor.
    return lambda x, y: record(op, x, y), lambda y, x: record(op, x, y)


class Tensor:
    """An array that remembers how it was computed.

    Operations as in numpy: ``+ - * / @``, ``**`` with a plain number, indexing, `T`, and the
    methods below. Shapes broadcast as in numpy; `gradients` undoes it.

    Parameters
    ----------
    data : ndarray or float
        Finite float64 or float32 numbers; float32 stays float32. Integers are refused, so that
        nothing is converted unasked: ``Tensor(3.0)``, not ``Tensor(3)``. The array is copied.
    name : str, optional
        A label for drawings of the graph.
    op, parents, pullback
        Filled in by `record`: the row of `RULES`, the tensors the result was computed from, and
        the function that turns dJ/d(this) into one array for each parent.

    Attributes
    ----------
    grad : ndarray or None
        What `backward` has accumulated since the last `zero_grad`.

    Raises
    ------
    TypeError
        If `data` does not consist of floats.
    ValueError
        If `data` is empty or holds nan or inf.

    Notes
    -----
    Chapter 13, *Automatic differentiation*. Tensors compare by identity (they are the nodes of a
    graph); compare values through `data`.

    Examples
    --------
    >>> a = Tensor(3.0)
    >>> b = a**2
    >>> y = b**2 + b
    >>> y.backward()
    >>> y, a.grad
    (Tensor(90.), array(114.))
    >>> Tensor(3)
    Traceback (most recent call last):
    TypeError: data is a int, expected a numpy array of floats; convert it: np.array(data, dtype=float)
    """  # noqa: E501 - a message is one line

    __slots__ = ("_data", "grad", "name", "op", "parents", "pullback")
    __array_ufunc__ = None  # array * tensor is left to Tensor.__rmul__
    __iter__ = None  # so that gradients(y, x) without the [] is an error, not a loop over rows

    def __init__(
        self,
        data: Array | float,
        name: str = "",
        *,
        op: str = "",
        parents: tuple[Tensor, ...] = (),
        pullback: Callable[[Array], list[Array]] = lambda g: [],
    ) -> None:
        self._data: Array = np.asarray(data) if parents else _leaf(data)
        self.grad: Array | None = None
        self.name, self.op, self.parents, self.pullback = name, op, parents, pullback

    def __repr__(self) -> str:
        return f"Tensor({np.array2string(self.data, separator=', ', prefix='Tensor(')})"

    @property
    def data(self) -> Array:
        """The value: read-only, because the backward pass reads it again.

        A training step gives a tensor another value, ``W.data = W.data - eta * W.grad``, checked
        and copied as in ``Tensor(...)``; graphs recorded before keep the old one.
        """
        return self._data

    @data.setter
    def data(self, value: Array | float) -> None:
        self._data = _leaf(value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `data`."""
        return self.data.shape

    __add__, __radd__ = _operators("+")
    __sub__, __rsub__ = _operators("-")
    __mul__, __rmul__ = _operators("*")
    __truediv__, __rtruediv__ = _operators("/")
    __matmul__, __rmatmul__ = _operators("@")

    def __neg__(self) -> Tensor:
        return record("neg", self)

    def __pow__(self, n: float) -> Tensor:
        if not isinstance(n, NUMBER):
            raise TypeError(
                f"exponent is a {type(n).__name__}, expected a plain number; "
                "for x > 0 write (n * x.log()).exp()"
            )
        return record("**", self, n=n)

    def __getitem__(self, key: Any) -> Tensor:
        return record("[]", self, key=key)

    @property
    def T(self) -> Tensor:
        """The transpose."""
        return record("T", self)

    def reshape(self, *shape: int | tuple[int, ...]) -> Tensor:
        """Return the same numbers in another shape; one length may be -1."""
        return record("reshape", self, shape=shape)

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
        """Sum over one axis, several, or all."""
        total = record("sum", self, axis=axis)  # the axis stays, with length 1
        return total if keepdims else total.reshape(total.data.squeeze(axis).shape)

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
        """Mean over one axis, several, or all."""
        total = self.sum(axis, keepdims)
        return total / (self.data.size / total.data.size)

    def exp(self) -> Tensor:
        """Exponential of each entry."""
        return record("exp", self)

    def log(self) -> Tensor:
        """Natural logarithm; at 0 it is -inf, with numpy's warning."""
        return record("log", self)

    def tanh(self) -> Tensor:
        """Hyperbolic tangent, slope 1 - tanh(x)^2."""
        return record("tanh", self)

    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x)), slope a (1 - a) of its own result a."""
        return record("sigmoid", self)

    def relu(self) -> Tensor:
        """max(x, 0), with slope 0 at x = 0: any value in [0, 1] would do, frameworks take 0."""
        return record("relu", self)

    def maximum(self, other: Tensor | Array | float) -> Tensor:
        """Entrywise maximum; at a tie each side gets half of the gradient, as in the frameworks.

        So the order of the two does not matter, and max(x, x) has slope 1, as x has. It also
        means that ``x.maximum(0)`` has slope 1/2 at 0, where ``x.relu()`` has 0.
        """
        return record("max", self, other)

    def log_softmax(self, axis: int = -1) -> Tensor:
        """Logarithm of softmax, x - log(sum(exp(x))) along an axis, without overflow."""
        return record("log_softmax", self, axis=axis)

    def softmax(self, axis: int = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along an axis, without overflow."""
        return self.log_softmax(axis).exp()

    def backward(self, seed: Array | float | None = None) -> None:
        """Add dJ/dt to ``t.grad`` of every tensor t this one was computed from, J being this one.

        A second call adds the same amounts again, as in the frameworks; `zero_grad` starts
        afresh. (The frameworks keep `grad` on leaves only, to save memory.)
        Parameters and errors as in `gradients`.
        """
        nodes = topological_order(self)
        for node, g in zip(nodes, gradients(self, nodes, seed), strict=True):
            node.grad = g if node.grad is None else np.asarray(node.grad + g)


def _leaf(data: Array | float) -> Array:
    number = isinstance(data, (float, np.floating))
    own = check_array("data", np.array(data) if number else data).copy()
    own.flags.writeable = False
    return own


def gradients(
    output: Tensor, inputs: Iterable[Tensor], seed: Array | float | None = None
) -> list[Array]:
    """Differentiate an output with respect to inputs: the whole backward pass.

    Walks the graph once, from the output back. When a node's turn comes, everything computed
    from it has had its turn, so its dJ/dnode is complete:

        dJ/dparent = sum over the children of  (their local rule applied to dJ/dchild)

    Changes nothing: no tensor, no `grad`; call it as often as you like.

    Parameters
    ----------
    output : Tensor
        J: one number, unless there is a `seed`.
    inputs : iterable of Tensor
        Any tensors, intermediate ones included; `topological_order(output)` asks for all.
    seed : ndarray, optional
        dJ/doutput, of the output's shape and dtype, if J is computed from the output elsewhere.

    Returns
    -------
    list of ndarray
        dJ/dinput, each a new array with its input's shape and dtype; zeros where the output was
        not computed from that input.

    Raises
    ------
    TypeError
        If the output or an input is not a Tensor, or the seed has another dtype.
    ShapeError
        If there is no seed for more than one number, or the seed has another shape.

    Notes
    -----
    Chapter 13, *Automatic differentiation*. Each recorded operation's rule is executed once, so
    the cost is a small multiple of the forward pass, however many paths the graph has.

    References
    ----------
    S. Linnainmaa, Taylor expansion of the accumulated rounding error, BIT 16, 1976.
    A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind, Automatic differentiation in
    machine learning: a survey, JMLR 18(153), 2018.

    Examples
    --------
    >>> W = Tensor(np.array([[1.0, -2.0, 3.0]]))
    >>> X = np.array([[0.5, 1.0, 0.0], [1.0, 1.0, 1.0]])
    >>> J = ((X @ W.T) ** 2).sum() / 2
    >>> gradients(J, [W])
    [array([[1.25, 0.5 , 2.  ]])]
    """
    inputs = list(inputs)
    _check_tensors(output, *inputs)
    adjoint = {output: _seed(output, seed)}
    for node in reversed(topological_order(output)):
        arrivals = node.pullback(adjoint[node])
        for parent, arriving in zip(node.parents, arrivals, strict=True):
            share = unbroadcast(arriving, parent.shape)
            adjoint[parent] = adjoint[parent] + share if parent in adjoint else share
    return [_own_copy(adjoint.get(x), x.data) for x in inputs]


def _check_tensors(*tensors: Tensor) -> None:
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"found a {type(tensor).__name__}, expected a Tensor: Tensor(x)")


def _own_copy(g: Array | None, x: Array) -> Array:
    # The rule of "+" hands the same array to both operands; and numpy 1 turns a single float32
    # number into float64 when it meets a Python float.
    return np.zeros_like(x) if g is None else np.array(g, x.dtype)


def _seed(output: Tensor, seed: Array | float | None) -> Array:
    if seed is None:
        if output.data.size != 1:
            raise ShapeError(
                f"the output has shape {output.shape}, expected one number; "
                "sum or average it first, or pass a seed of that shape"
            )
        return np.ones_like(output.data)
    value = _value(seed, output.data)
    if value.shape != output.shape:
        raise ShapeError(f"seed has shape {value.shape}, expected the output's, {output.shape}")
    return value


def topological_order(output: Tensor) -> list[Tensor]:
    """List every tensor that `output` was computed from, parents before children, output last.

    Each tensor appears once, however many paths lead to it. A stack instead of recursion: Python
    gives up at about a thousand nested calls, a graph may be far deeper.

    Parameters
    ----------
    output : Tensor
        The last node.

    Returns
    -------
    list of Tensor
        The nodes of the graph, in an order in which they can be computed.

    Notes
    -----
    Chapter 13, *Automatic differentiation*.

    Examples
    --------
    >>> x = Tensor(1.0)
    >>> for _ in range(60):
    ...     x = x + x  # 2**60 paths lead back to the first x
    >>> len(topological_order(x))
    61
    """
    order: list[Tensor] = []
    seen: set[Tensor] = set()
    stack = [(output, False)]
    while stack:
        node, parents_are_listed = stack.pop()
        if parents_are_listed:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))  # comes up again when all its parents are done
            stack.extend((parent, False) for parent in reversed(node.parents))
    return order


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Undo broadcasting: a number that was copied gets the sum of its copies' gradients.

    Parameters
    ----------
    g : ndarray
        Gradient with respect to the broadcast array.
    shape : tuple of int
        Shape before broadcasting.

    Returns
    -------
    ndarray
        Gradient with respect to the array before broadcasting; `g` itself if nothing was copied.

    Raises
    ------
    ShapeError
        If an array of that shape cannot be broadcast to the shape of `g`.

    Notes
    -----
    Chapter 13, *Automatic differentiation*. The bias gradient of chapter 6, a sum over the
    batch, is the case (N, n) -> (n,).

    Examples
    --------
    >>> unbroadcast(np.array([[1.0, 2.0], [3.0, 4.0]]), (2,))
    array([4., 6.])
    >>> unbroadcast(np.array([[1.0, 2.0], [3.0, 4.0]]), (2, 1))
    array([[3.],
           [7.]])
    """
    if g.shape == shape:
        return g
    added = g.ndim - len(shape)
    copied = tuple(i for i in range(g.ndim) if i < added or shape[i - added] == 1)
    total: Array = g.sum(axis=copied, keepdims=True)
    if total.shape != (1,) * added + shape:
        raise ShapeError(f"a gradient of shape {g.shape} cannot come from broadcasting {shape}")
    return total.reshape(shape)


def zero_grad(*tensors: Tensor) -> None:
    """Forget the gradients that `backward` has accumulated.

    They become None, not zeros, so that a step without a backward pass fails instead of
    standing still.

    Parameters
    ----------
    *tensors : Tensor
        Usually all parameters.

    Notes
    -----
    Chapter 13, *Automatic differentiation*. Accumulating is meant: the gradients of several
    mini-batches, or of several losses, add up.

    Examples
    --------
    >>> x = Tensor(3.0)
    >>> for _ in range(2):
    ...     (x * x).backward()
    >>> x.grad
    array(12.)
    >>> zero_grad(x)
    >>> x.grad is None
    True
    """
    for tensor in tensors:
        tensor.grad = None
