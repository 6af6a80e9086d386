r"""The network: its architecture, its parameters in one flat vector, and the forward pass.

Slots carry the page's numbers: layer 0 is the input, so ``a[0] is X`` and ``W[0] is None``.
Rows are samples: ``z[l] = a[l-1] @ W[l].T + b[l]``. May import `errors`, `activations`
and `losses`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop_lib.activations import Activation, softmax
from backprop_lib.errors import (
    Array,
    ShapeError,
    check_array,
    check_rng,
    check_rows,
    check_same_dtype,
)
from backprop_lib.losses import Loss, check_targets, cross_entropy

Layers = tuple[Any, ...]  # slot 0 is None (or the input), slot l an array of layer l


@dataclass(frozen=True, eq=False)
class Params:
    r"""All weights and biases of a network: one flat vector, and views into it.

    ``W[l]`` of shape (n_l, n_{l-1}) and ``b[l]`` of shape (n_l,) share memory with ``theta``.
    A gradient, a velocity or a moment is a `Params` of the same sizes, so an optimizer's rule
    is one line of vector arithmetic on ``theta``.

    Parameters
    ----------
    theta : ndarray, shape (P,)
        W[1], b[1], W[2], b[2], ... one after the other, each row by row. Not copied.
    sizes : tuple of int
        (n_0, ..., n_L).

    Attributes
    ----------
    W, b : tuple
        ``W[l]`` and ``b[l]`` for l = 1..L; slot 0 is None.

    Raises
    ------
    ShapeError
        If `theta` is not one vector of exactly P numbers.

    Examples
    --------
    >>> params = Params.of(W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45]]], b=[[0.35, 0.35], [0.6]])
    >>> params.sizes
    (2, 2, 1)
    >>> params.W[2]
    array([[0.4 , 0.45]])
    >>> params.theta
    array([0.15, 0.2 , 0.25, 0.3 , 0.35, 0.35, 0.4 , 0.45, 0.6 ])
    >>> params.name(1)
    'W[1][0, 1]'

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """  # noqa: E501 - one example a line

    theta: Array
    sizes: tuple[int, ...]
    W: Layers = field(init=False, repr=False)
    b: Layers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        P = count_parameters(self.sizes)
        if not isinstance(self.theta, np.ndarray):
            raise TypeError(
                f"theta is a {type(self.theta).__name__}, expected an array of {P} floats; "
                "gather matrices and vectors with Params.of(W, b)"
            )
        if self.theta.shape != (P,):
            raise ShapeError(
                f"theta has shape {self.theta.shape}, expected ({P},): "
                f"the weights and biases of sizes {self.sizes}"
            )
        W: list[Array | None] = [None]
        b: list[Array | None] = [None]
        start = 0
        for n_in, n_out in pairwise(self.sizes):
            middle, stop = start + n_out * n_in, start + n_out * n_in + n_out
            W.append(self.theta[start:middle].reshape(n_out, n_in))
            b.append(self.theta[middle:stop])
            start = stop
        object.__setattr__(self, "W", tuple(W))
        object.__setattr__(self, "b", tuple(b))

    @classmethod
    def of(cls, W: Sequence[ArrayLike], b: Sequence[ArrayLike]) -> Params:
        """Gather matrices W[1..L] and vectors b[1..L], given as lists or arrays, in a new vector.

        Parameters
        ----------
        W : sequence of array_like
            One (n_l, n_{l-1}) matrix a layer, without a slot 0.
        b : sequence of array_like
            One vector of n_l numbers a layer.

        Returns
        -------
        Params
            Of the dtype of the arrays; lists become float64.

        Raises
        ------
        ShapeError
            If neighbouring layers do not fit, naming the two.
        TypeError
            If they are not numbers, or float32 and float64 are mixed.

        Examples
        --------
        >>> Params.of(W=[[[1.0, 2.0]]], b=[[3.0]]).theta
        array([1., 2., 3.])
        """
        matrices = [_number_array(f"W[{l}]", w) for l, w in enumerate(W, start=1)]
        vectors = [_number_array(f"b[{l}]", v) for l, v in enumerate(b, start=1)]
        sizes = _sizes_of(matrices, vectors)
        for l, (w, v) in enumerate(zip(matrices, vectors, strict=True), start=1):
            check_same_dtype(f"W[{l}]", w, "W[1]", matrices[0])
            check_same_dtype(f"b[{l}]", v, "W[1]", matrices[0])
        parts = [part.ravel() for pair in zip(matrices, vectors, strict=True) for part in pair]
        return cls(np.concatenate(parts), sizes)

    def like(self, theta: Array) -> Params:
        """The same network with other numbers.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            The other numbers; not copied.

        Returns
        -------
        Params

        Examples
        --------
        >>> Params.of(W=[[[1.0]]], b=[[3.0]]).like(np.zeros(2)).b[1]
        array([0.])
        """
        return Params(theta, self.sizes)

    def name(self, i: int) -> str:
        """What the page calls entry i of `theta`, as it would be written in code.

        Parameters
        ----------
        i : int
            0 <= i < P.

        Returns
        -------
        str

        Examples
        --------
        >>> Params.of(W=[[[1.0]]], b=[[3.0]]).name(1)
        'b[1][0]'
        """
        for l, (n_in, n_out) in enumerate(pairwise(self.sizes), start=1):
            if 0 <= i < n_out * n_in:
                return f"W[{l}][{i // n_in}, {i % n_in}]"
            i -= n_out * n_in
            if 0 <= i < n_out:
                return f"b[{l}][{i}]"
            i -= n_out
        raise IndexError(f"theta has {self.theta.size} entries; there is no such index")


def _number_array(name: str, value: ArrayLike) -> Array:
    try:
        array = value if isinstance(value, np.ndarray) else np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} cannot be read as an array, expected numbers, equally many in every row"
        ) from None
    return check_array(name, array)


def _sizes_of(matrices: list[Array], vectors: list[Array]) -> tuple[int, ...]:
    """(n_0, ..., n_L), read off the matrices and checked against the vectors."""
    if not matrices or len(matrices) != len(vectors):
        raise ShapeError(
            f"found {len(matrices)} matrices W and {len(vectors)} vectors b, "
            "expected one of each for every layer 1..L"
        )
    for l, (w, v) in enumerate(zip(matrices, vectors, strict=True), start=1):
        if w.ndim != 2:
            raise ShapeError(f"W[{l}] has shape {w.shape}, expected (n_{l}, n_{l - 1})")
        if v.shape != w.shape[:1]:
            raise ShapeError(f"b[{l}] has shape {v.shape}, expected (n_{l}={w.shape[0]},)")
        if l > 1 and w.shape[1] != matrices[l - 2].shape[0]:
            raise ShapeError(
                f"W[{l}] has shape {w.shape}, expected (n_{l}, n_{l - 1}={len(matrices[l - 2])}) "
                f"because W[{l - 1}] has {len(matrices[l - 2])} rows"
            )
    return (matrices[0].shape[1], *(w.shape[0] for w in matrices))


def count_parameters(sizes: Sequence[int]) -> int:
    r"""P, the number of weights and biases: $\sum_l n_l (n_{l-1} + 1)$.

    Parameters
    ----------
    sizes : sequence of int
        (n_0, ..., n_L).

    Returns
    -------
    int

    Examples
    --------
    >>> count_parameters((784, 30, 10))
    23860

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """
    return sum(n_out * (n_in + 1) for n_in, n_out in pairwise(sizes))


Initialiser = Callable[[np.random.Generator, int, int], Array]


def normal(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Weights from the standard normal distribution.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness; its state moves on.
    n_in, n_out : int
        Number of inputs and outputs of the layer.

    Returns
    -------
    ndarray, shape (n_out, n_in)

    Examples
    --------
    >>> normal(np.random.default_rng(0), 2, 1)
    array([[ 0.12573022, -0.13210486]])

    Notes
    -----
    Chapter 4, *Multilayer perceptron*; why this is too large for deep networks, Chapter 10.
    """
    return rng.standard_normal((n_out, n_in))


def xavier(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    r"""Normal weights of variance $2/(n_{in} + n_{out})$.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness; its state moves on.
    n_in, n_out : int
        Number of inputs and outputs of the layer.

    Returns
    -------
    ndarray, shape (n_out, n_in)

    Examples
    --------
    >>> bool(abs(xavier(np.random.default_rng(0), 400, 400).std() - 0.05) < 1e-3)
    True

    Notes
    -----
    Glorot & Bengio (2010); Chapter 10, *Vanishing and exploding gradients*.
    """
    return np.sqrt(2 / (n_in + n_out)) * rng.standard_normal((n_out, n_in))


def he(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    r"""Normal weights of variance $2/n_{in}$: what ReLU layers need.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness; its state moves on.
    n_in, n_out : int
        Number of inputs and outputs of the layer.

    Returns
    -------
    ndarray, shape (n_out, n_in)

    Examples
    --------
    >>> bool(abs(he(np.random.default_rng(0), 200, 800).std() - 0.1) < 1e-3)
    True

    Notes
    -----
    He et al. (2015); Chapter 10, *Vanishing and exploding gradients*.
    """
    return np.sqrt(2 / n_in) * rng.standard_normal((n_out, n_in))


def zeros(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
    """All weights 0: the start from which no hidden weight ever moves.

    Parameters
    ----------
    rng : numpy.random.Generator
        Not used; every initialiser has the same signature.
    n_in, n_out : int
        Number of inputs and outputs of the layer.

    Returns
    -------
    ndarray, shape (n_out, n_in)

    Examples
    --------
    >>> zeros(np.random.default_rng(0), 2, 1)
    array([[0., 0.]])

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """
    return np.zeros((n_out, n_in))


def constant(value: float) -> Initialiser:
    """An initialiser that gives every weight the same value: hidden units stay twins for ever.

    Parameters
    ----------
    value : float
        The one value.

    Returns
    -------
    callable
        ``initialise(rng, n_in, n_out)``.

    Examples
    --------
    >>> constant(0.5)(np.random.default_rng(0), 2, 1)
    array([[0.5, 0.5]])

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """

    def initialise(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        return np.full((n_out, n_in), float(value))

    return initialise


def _layer_sizes(sizes: Any) -> tuple[int, ...]:
    """The sizes as plain whole numbers, or what is wrong with them."""
    found = tuple(sizes) if isinstance(sizes, Iterable) else (sizes,)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in found)
    if len(found) < 2 or not whole or min(found) < 1:
        raise ValueError(
            f"sizes are {sizes!r}, expected at least two positive whole numbers (n_0, ..., n_L)"
        )
    return tuple(map(int, found))


def _one_a_layer(activations: Any, L: int) -> tuple[Activation, ...]:
    """The activations as a tuple, or what is wrong with them."""
    found = tuple(activations) if isinstance(activations, Iterable) else (activations,)
    for l, phi in enumerate(found, start=1):
        if not isinstance(phi, Activation):
            raise TypeError(
                f"activation of layer {l} is {phi!r}, expected an Activation "
                "such as sigmoid or relu"
            )
        if phi is softmax and l < L:
            raise ValueError(f"layer {l} of {L} is softmax; it belongs at the output only")
    if isinstance(activations, Activation) or len(found) != L:
        raise ValueError(
            f"activations are {activations!r}, expected a tuple with one for each of the {L} layers"
        )
    return found


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron's architecture: how many units a layer has, and which activation.

    Parameters
    ----------
    sizes : tuple of int
        (n_0, n_1, ..., n_L), the number of inputs first.
    activations : tuple of Activation
        One for each of the layers 1..L.

    Raises
    ------
    ValueError, TypeError
        If sizes or activations cannot be a network.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> mlp = MLP((2, 2, 1), (sigmoid, sigmoid))
    >>> mlp.L
    2
    >>> mlp.phi[2]
    sigmoid

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """

    sizes: tuple[int, ...]
    activations: tuple[Activation, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", _layer_sizes(self.sizes))
        object.__setattr__(self, "activations", _one_a_layer(self.activations, self.L))

    @property
    def L(self) -> int:
        """Number of layers with weights."""
        return len(self.sizes) - 1

    @property
    def phi(self) -> tuple[Any, ...]:
        """Activations by layer; slot 0 is None."""
        return (None, *self.activations)

    def init(self, rng: np.random.Generator, initialise: Initialiser = xavier) -> Params:
        """Fresh parameters: weights drawn layer by layer, biases 0.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness; its state moves on.
        initialise : callable
            One of `normal`, `xavier`, `he`, `zeros`, ``constant(value)``.

        Returns
        -------
        Params

        Examples
        --------
        >>> from backprop_lib.activations import tanh
        >>> MLP((2, 1), (tanh,)).init(np.random.default_rng(0), normal).theta
        array([ 0.12573022, -0.13210486,  0.        ])
        """
        check_rng(rng)
        if not callable(initialise):
            raise TypeError(f"initialise is {initialise!r}, expected a function such as xavier")
        W = [initialise(rng, n_in, n_out) for n_in, n_out in pairwise(self.sizes)]
        return Params.of(W, [np.zeros(n) for n in self.sizes[1:]])


@dataclass(frozen=True, eq=False)
class Cache:
    """What the forward pass leaves for the backward pass: every z[l] and every a[l].

    Parameters
    ----------
    z, a : tuple of ndarray
        ``z[l]`` and ``a[l]`` of shape (N, n_l); ``z[0]`` is None and ``a[0]`` is X.

    Examples
    --------
    >>> Cache(z=(None,), a=(np.zeros((4, 2)),)).a[0].shape
    (4, 2)

    Notes
    -----
    Chapter 6, *Backpropagation*.
    """

    z: Layers
    a: Layers


def forward(mlp: MLP, params: Params, X: Array) -> Cache:
    r"""Run the network forwards and keep every intermediate value.

    .. math:: z^{[l]} = a^{[l-1]} W^{[l]\top} + b^{[l]}, \qquad a^{[l]} = \varphi_l(z^{[l]})

    Parameters
    ----------
    mlp : MLP
        The architecture.
    params : Params
        Its weights and biases.
    X : ndarray, shape (N, n_0)
        One sample a row.

    Returns
    -------
    Cache
        ``a[L]`` is the network's answer, of shape (N, n_L).

    Raises
    ------
    ShapeError, TypeError, ValueError
        If X is not a finite float matrix of n_0 columns, or the parameters are not the network's.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> params = Params.of(W=[[[2.0, -1.0]]], b=[[0.5]])
    >>> forward(MLP((2, 1), (identity,)), params, np.array([[1.0, 3.0]])).a[1]
    array([[-0.5]])

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """
    check_input(mlp, params, X)
    return propagate(mlp, params, X)


def propagate(mlp: MLP, params: Params, X: Array) -> Cache:
    """`forward` without its door: for callers that have checked their arguments once already.

    Parameters
    ----------
    mlp, params, X
        As for `forward`; `X` and `params.theta` may also be complex (see `gradcheck`).

    Returns
    -------
    Cache

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> params = Params.of(W=[[[2.0]]], b=[[0.5]])
    >>> propagate(MLP((1, 1), (identity,)), params, np.array([[1.0]])).a[1]
    array([[2.5]])

    Notes
    -----
    Chapter 6, *Backpropagation*.
    """
    W, b, phi = params.W, params.b, mlp.phi
    z: list[Any] = [None]
    a: list[Any] = [X]
    for l in range(1, mlp.L + 1):
        z.append(a[l - 1] @ W[l].T + b[l])
        a.append(phi[l].f(z[l]))
    return Cache(tuple(z), tuple(a))


def predict(mlp: MLP, params: Params, X: Array) -> Array:
    """The network's answer a[L] alone.

    Parameters
    ----------
    mlp, params, X
        As for `forward`.

    Returns
    -------
    ndarray, shape (N, n_L)

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> predict(MLP((1, 1), (sigmoid,)), Params.of(W=[[[2.0]]], b=[[0.0]]), np.array([[0.0]]))
    array([[0.5]])

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """
    return forward(mlp, params, X).a[-1]


def cost(mlp: MLP, cache: Cache, y: Array, loss: Loss) -> float:
    """J of a forward pass, taken from z[L] where the loss and the last activation are partners.

    Parameters
    ----------
    mlp : MLP
        The architecture.
    cache : Cache
        What `forward` returned.
    y : ndarray, shape (N, n_L)
        The targets.
    loss : Loss
        Which loss.

    Returns
    -------
    float
        Finite even where ``loss(a[L], y)`` is inf because a[L] has rounded to 0 or 1.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If the targets do not fit the answers, or loss and output do not go together.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.losses import bce
    >>> mlp, params = MLP((1, 1), (sigmoid,)), Params.of(W=[[[1000.0]]], b=[[0.0]])
    >>> cost(mlp, forward(mlp, params, np.array([[1.0]])), np.array([[0.0]]), bce)
    1000.0

    Notes
    -----
    Chapter 3, *Logistic regression*.
    """
    check_pair(mlp, loss)
    check_targets(loss, y, *cache.a[-1].shape)
    check_answers(mlp, cache, loss)
    return objective(mlp, cache, y, loss)


def objective(mlp: MLP, cache: Cache, y: Array, loss: Loss) -> float:
    """`cost` without its door: for callers that have checked their arguments once already.

    Parameters
    ----------
    mlp, cache, y, loss
        As for `cost`.

    Returns
    -------
    float

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> from backprop_lib.losses import half_mse
    >>> cache = Cache(z=(None, np.array([[0.75]])), a=(None, np.array([[0.75]])))
    >>> objective(MLP((1, 1), (identity,)), cache, np.array([[0.25]]), half_mse)
    0.125

    Notes
    -----
    Chapter 3, *Logistic regression*.
    """
    if mlp.phi[-1] is loss.canonical:
        return loss.from_logits(cache.z[-1], y)
    return loss.value(cache.a[-1], y)


def check_pair(mlp: MLP, loss: Loss) -> None:
    """Refuse softmax without cross-entropy, and cross-entropy without softmax.

    Parameters
    ----------
    mlp : MLP
        The architecture.
    loss : Loss
        The loss.

    Raises
    ------
    TypeError
        If `loss` is not a loss.
    ValueError
        Naming the pair and the repair.

    Examples
    --------
    >>> from backprop_lib.losses import half_mse
    >>> check_pair(MLP((1, 2), (softmax,)), half_mse)
    Traceback (most recent call last):
    ValueError: the output layer is softmax and the loss half_mse; softmax goes with cross_entropy
    """
    if not isinstance(loss, Loss):
        raise TypeError(f"loss is {loss!r}, expected a Loss such as half_mse or bce")
    if (mlp.phi[-1] is softmax) != (loss is cross_entropy):
        repair = (
            "softmax goes with cross_entropy"
            if mlp.phi[-1] is softmax
            else "cross_entropy needs a softmax output (bce goes with sigmoid)"
        )
        raise ValueError(f"the output layer is {mlp.phi[-1]} and the loss {loss}; {repair}")


def check_answers(mlp: MLP, cache: Cache, loss: Loss) -> None:
    """Refuse answers a[L] that the loss has no value for, such as -0.3 for a probability.

    Parameters
    ----------
    mlp, cache, loss
        As for `cost`.

    Raises
    ------
    ValueError
        Naming the first such answer.

    Examples
    --------
    >>> from backprop_lib.activations import tanh
    >>> from backprop_lib.losses import bce
    >>> check_answers(MLP((1, 1), (tanh,)), Cache((None,), (np.array([[-0.3]]),)), bce)
    Traceback (most recent call last):
    ValueError: a[L] holds -0.3, expected numbers between 0 and 1 for bce
    """
    if mlp.phi[-1] is not loss.canonical:
        loss.check("a[L]", cache.a[-1])


def check_params(mlp: MLP, params: Params) -> None:
    """Refuse parameters that are not finite, or of another network.

    Parameters
    ----------
    mlp, params
        As for `forward`.

    Raises
    ------
    ShapeError, TypeError, ValueError
        With the repair.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> check_params(MLP((1, 1), (sigmoid,)), np.zeros(2))
    Traceback (most recent call last):
    TypeError: params is a ndarray, expected Params: mlp.init(rng), Params.of(W, b) or params.like(theta)
    """  # noqa: E501 - a message is one line
    if not isinstance(mlp, MLP):
        raise TypeError(f"mlp is a {type(mlp).__name__}, expected an MLP: MLP((2, 1), (sigmoid,))")
    if not isinstance(params, Params):
        raise TypeError(
            f"params is a {type(params).__name__}, expected Params: "
            "mlp.init(rng), Params.of(W, b) or params.like(theta)"
        )
    if params.sizes != mlp.sizes:
        raise ShapeError(f"params are for sizes {params.sizes}, expected the network's {mlp.sizes}")
    check_array("theta", params.theta)


def check_input(mlp: MLP, params: Params, X: Array) -> None:
    """Refuse parameters of another network, and inputs that are not rows of n_0 finite floats.

    Parameters
    ----------
    mlp, params, X
        As for `forward`.

    Raises
    ------
    ShapeError, TypeError, ValueError
        With the repair.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> check_input(MLP((2, 1), (sigmoid,)), Params(np.zeros(2), (1, 1)), np.zeros((1, 2)))
    Traceback (most recent call last):
    backprop_lib.errors.ShapeError: params are for sizes (1, 1), expected the network's (2, 1)
    """
    check_params(mlp, params)
    check_rows("X", X, mlp.sizes[0], "n_0")
    check_same_dtype("X", X, "theta", params.theta)
