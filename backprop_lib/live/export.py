"""A trained network small enough for a page, and a drawing in the form the network has learned.

The page does both of these itself (``forward.mjs``, ``ink.mjs``); tests compare the two.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_lib.errors import Array, ShapeError, check_array
from backprop_lib.network import MLP, Params

LARGEST_CODE = 126  # of 127: the step is rounded, and may be rounded down
ON_PAGE = ("sigmoid", "softmax", "tanh", "relu", "identity")
SIDE, BOX = 28, 20


@dataclass(frozen=True, eq=False)
class EightBits:
    r"""A network whose weights are whole multiples of one step a layer, -127 to 127 of them.

    .. math:: W^{[l]}_{ji} = s^{[l]} q^{[l]}_{ji}

    Parameters
    ----------
    mlp : MLP
        The architecture.
    steps : tuple of float
        $s^{[l]}$, one number a layer.
    codes : tuple of ndarray of int8
        $q^{[l]}$, shape (n_l, n_{l-1}).
    biases : tuple of ndarray
        $b^{[l]}$, shape (n_l,), to four decimals.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> params = Params.of(W=[[[1.26, -0.5]]], b=[[0.12346]])
    >>> small = eight_bits(MLP((2, 1), (sigmoid,)), params)
    >>> small.codes[0].tolist(), small.steps
    ([[126, -50]], (0.01,))
    >>> small.params.W[1].tolist(), small.params.b[1].tolist()
    ([[1.26, -0.5]], [0.1235])

    Notes
    -----
    Chapter 14, *Handwritten digits*.
    """

    mlp: MLP
    steps: tuple[float, ...]
    codes: tuple[Array, ...]
    biases: tuple[Array, ...]

    @property
    def params(self) -> Params:
        """The parameters that the page computes with, for `forward` and `predict`."""
        W = [step * q.astype(np.float64) for step, q in zip(self.steps, self.codes, strict=True)]
        return Params.of(W=W, b=list(self.biases))

    def to_json(self) -> list[dict[str, Any]]:
        """The layers as the page reads them."""
        layers = zip(self.steps, self.codes, self.biases, self.mlp.phi[1:], strict=True)
        return [
            {"step": s, "codes": packed(q), "biases": b, "activation": phi.name}
            for s, q, b, phi in layers
        ]


def eight_bits(mlp: MLP, params: Params) -> EightBits:
    r"""Round every weight to one of 253 values, so that it needs one byte instead of eight.

    .. math:: q = \operatorname{round}(w / s), \qquad s = \max |w| / 126

    Parameters
    ----------
    mlp : MLP
        The architecture; its activations must be among those that the page knows.
    params : Params
        Trained parameters, left as they are.

    Returns
    -------
    EightBits

    Raises
    ------
    ShapeError, ValueError
        If the sizes do not fit, a weight is not finite, or the page lacks an activation.

    Examples
    --------
    >>> from backprop_lib.activations import softmax
    >>> mlp = MLP((3, 2), (softmax,))
    >>> rng = np.random.default_rng(0)
    >>> params = mlp.init(rng)
    >>> error = np.abs(eight_bits(mlp, params).params.W[1] - params.W[1]).max()
    >>> bool(error <= eight_bits(mlp, params).steps[0] / 2)
    True

    Notes
    -----
    The step is rounded to three digits, so that the last bits of a training run, which differ
    between machines, decide nothing. Chapter 14, *Handwritten digits*.
    """
    if params.sizes != mlp.sizes:
        raise ShapeError(f"params have sizes {params.sizes}, expected those of mlp: {mlp.sizes}")
    check_array("params.theta", params.theta)
    if unknown := [phi.name for phi in mlp.phi[1:] if phi.name not in ON_PAGE]:
        raise ValueError(f"activation {unknown[0]!r} is not on the page, expected one of {ON_PAGE}")
    layers = range(1, len(mlp.sizes))
    steps = [float(f"{np.abs(params.W[l]).max() / LARGEST_CODE:.3g}") or 1.0 for l in layers]
    codes = [np.round(params.W[l] / s).astype(np.int8) for l, s in zip(layers, steps, strict=True)]
    biases = [np.round(params.b[l].astype(np.float64), 4) for l in layers]
    return EightBits(mlp, tuple(steps), tuple(codes), tuple(biases))


def packed(numbers: Array) -> str:
    """Whole numbers of one byte each as text: base64, row after row.

    Parameters
    ----------
    numbers : ndarray of int8 or uint8
        Codes of weights, or grey values.

    Returns
    -------
    str

    Examples
    --------
    >>> packed(np.array([[1, -1]], dtype=np.int8))
    'Af8='
    """
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode("ascii")


def centred(ink: Array) -> Array:
    """Bring a drawing into the form of the MNIST images.

    What is drawn is cut out, shrunk or enlarged until its longer side is 20 pixels (each new
    pixel is the mean of the ink it covers), and put into 28x28 pixels of paper so that its centre
    of mass lies at pixel 14 of 0 to 27, to the right and below of the middle: as in MNIST.

    Parameters
    ----------
    ink : ndarray, shape (rows, columns)
        How much ink there is, 0 to 1.

    Returns
    -------
    ndarray, shape (28, 28)
        All paper where nothing is drawn.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If ink is not a matrix of finite floats.

    Examples
    --------
    >>> stroke = np.zeros((112, 112))
    >>> stroke[10:90, 30:38] = 1
    >>> image = centred(stroke)
    >>> image.shape, float(image.sum())
    ((28, 28), 40.0)
    >>> rows, columns = np.nonzero(image)
    >>> [int(side.min()) for side in (rows, columns)], [int(s.max()) for s in (rows, columns)]
    ([4, 13], [23, 14])

    Notes
    -----
    LeCun et al. (1998), section III.A. Chapter 14, *Handwritten digits*.
    """
    if check_array("ink", ink).ndim != 2:
        raise ShapeError(f"ink has shape {ink.shape}, expected (rows, columns)")
    image = np.zeros((SIDE, SIDE))
    if not ink.any():
        return image
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    down, across = (max(1, _nearest(BOX * n / max(cut.shape))) for n in cut.shape)
    small = _averages(cut.shape[0], down) @ cut @ _averages(cut.shape[1], across).T
    top, left = (_start(small.sum(axis=axis)) for axis in (1, 0))
    image[top : top + down, left : left + across] = small
    return image


def _nearest(x: float) -> int:
    """The nearest whole number, halves upwards, as JavaScript's Math.round has it."""
    return math.floor(x + 0.5)


def _averages(n: int, pixels: int) -> Array:
    """Row i holds the shares that n cells have in pixel i; every row sums to 1."""
    edges = np.arange(pixels + 1) * n / pixels
    cells = np.arange(n)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    return np.asarray(np.maximum(overlap, 0) * pixels / n)


def _start(mass: Array) -> int:
    """Where a row of ink begins if its centre of mass is to lie at pixel 14, counted from 0."""
    centre = (np.arange(len(mass)) * mass).sum() / mass.sum()
    # The ten-thousandth decides ties alike however the sums were rounded.
    return min(max(_nearest(SIDE / 2 - centre - 1e-4), 0), SIDE - len(mass))
