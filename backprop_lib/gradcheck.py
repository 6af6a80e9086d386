r"""Is my gradient right? Numerical derivatives, and a report that names the worst entry.

May import `errors`, `activations`, `losses`, `network` and `backprop`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backprop_lib.backprop import check_backward, propagate_back
from backprop_lib.errors import Array, check_positive
from backprop_lib.losses import Loss
from backprop_lib.network import MLP, Params, check_input, cost, propagate


def central_differences(f: Callable[[Array], float], theta: Array, h: float = 1e-5) -> Array:
    r"""Each partial derivative of f from two evaluations, one step to either side.

    .. math:: \frac{\partial f}{\partial \theta_i} \approx
        \frac{f(\theta + h e_i) - f(\theta - h e_i)}{2h} + O(h^2)

    Parameters
    ----------
    f : callable
        ``f(theta) -> float``.
    theta : ndarray of float64, shape (P,)
        Where; not modified.
    h : float
        The step.

    Returns
    -------
    ndarray, shape (P,)

    Raises
    ------
    TypeError
        If theta is not float64: in float32 the difference drowns in rounding.
    ValueError
        If h is not a positive number.

    Examples
    --------
    >>> np.round(central_differences(lambda t: float(t[0] ** 2 * t[1]), np.array([3.0, 2.0])), 6)
    array([12.,  9.])

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    check_positive("h", h)
    if theta.dtype != np.float64:
        raise TypeError(
            f"theta is {theta.dtype}; a gradient check needs float64: theta.astype(np.float64)"
        )
    slope = np.empty_like(theta)
    for i in range(theta.size):
        shifted = theta.copy()
        shifted[i] = theta[i] + h
        above = f(shifted)
        shifted[i] = theta[i] - h
        slope[i] = (above - f(shifted)) / (2 * h)
    return slope


def relative_distance(u: Array, v: Array) -> float:
    r"""How far two vectors are apart, measured by the longer one.

    .. math:: \frac{\lVert u - v \rVert}{\max(\lVert u \rVert, \lVert v \rVert)}

    Parameters
    ----------
    u, v : ndarray
        Of the same shape.

    Returns
    -------
    float
        0 for equal vectors (two zeros included), 1 if one of them is 0, 2 for opposite ones.

    Examples
    --------
    >>> relative_distance(np.array([3.0, 4.0]), np.array([3.0, 4.0]))
    0.0
    >>> relative_distance(np.array([3.0, 4.0]), np.array([-3.0, -4.0]))
    2.0

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    longer = max(float(np.linalg.norm(u)), float(np.linalg.norm(v)))
    return float(np.linalg.norm(u - v)) / longer if longer > 0 else 0.0


@dataclass(frozen=True)
class GradientReport:
    """The verdict of `check_gradients`; printing it gives the table.

    Parameters
    ----------
    distance : float
        Relative distance of the whole gradient from the numerical one.
    by_array : dict of str to float
        The same for each W[l] and b[l].
    worst : str
        Name of the entry that is furthest off, e.g. ``"W[2][0, 1]"``.
    worst_given, worst_expected : float
        Its value in the checked gradient, and the numerical one.
    tolerance : float
        What was demanded of every array.

    Examples
    --------
    >>> GradientReport(0.5, {"W[1]": 0.5}, "W[1][0, 0]", 2.0, 1.0, 1e-7).ok
    False

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """

    distance: float
    by_array: dict[str, float]
    worst: str
    worst_given: float
    worst_expected: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether every array is within the tolerance."""
        return all(distance <= self.tolerance for distance in self.by_array.values())

    def __str__(self) -> str:
        lines = [
            f"{name:<6} {distance:8.1e}  {'ok' if distance <= self.tolerance else 'WRONG'}"
            for name, distance in self.by_array.items()
        ]
        verdict = "agree" if self.ok else "DISAGREE"
        worst = f"{self.worst}: {self.worst_given:.6g}, numerically {self.worst_expected:.6g}"
        return "\n".join(
            [
                f"gradients {verdict}: relative distance {self.distance:.1e}, "
                f"allowed {self.tolerance:.0e} in each array",
                *lines,
                f"furthest off is {worst}",
            ]
        )


def check_gradients(
    mlp: MLP,
    params: Params,
    X: Array,
    y: Array,
    loss: Loss,
    *,
    gradient: Params | None = None,
    h: float = 1e-5,
    tolerance: float = 1e-7,
) -> GradientReport:
    """Compare a gradient with central differences, array by array.

    Parameters
    ----------
    mlp, params, X, y, loss
        The network, its parameters (float64), the batch and the loss.
    gradient : Params, optional
        The gradient to check; without it, the library's own `backward`.
    h : float
        The step of the differences.
    tolerance : float
        Largest relative distance that counts as agreement.

    Returns
    -------
    GradientReport

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `forward` and `backward`; also if the parameters are float32.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> from backprop_lib.losses import half_mse
    >>> rng = np.random.default_rng(0)
    >>> mlp = MLP((3, 4, 2), (sigmoid, sigmoid))
    >>> X, y = rng.standard_normal((5, 3)), rng.random((5, 2))
    >>> check_gradients(mlp, mlp.init(rng), X, y, half_mse).ok
    True

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    check_input(mlp, params, X)
    cache = propagate(mlp, params, X)
    check_backward(mlp, params, cache, y, loss)
    given = gradient or propagate_back(mlp, params, cache, y, loss).grads

    def J(theta: Array) -> float:
        return cost(mlp, propagate(mlp, params.like(theta), X), y, loss)

    expected = params.like(central_differences(J, params.theta, h))
    return compare(given, expected, tolerance)


def compare(given: Params, expected: Params, tolerance: float) -> GradientReport:
    """Report how far one gradient is from another, by array and by entry.

    Parameters
    ----------
    given, expected : Params
        The gradient in question, and the one it is measured against.
    tolerance : float
        Largest relative distance that counts as agreement.

    Returns
    -------
    GradientReport

    Examples
    --------
    >>> right, wrong = Params(np.array([1.0, 2.0]), (1, 1)), Params(np.array([1.0, 2.5]), (1, 1))
    >>> print(compare(wrong, right, 1e-7))
    gradients DISAGREE: relative distance 1.9e-01, allowed 1e-07 in each array
    W[1]    0.0e+00  ok
    b[1]    2.0e-01  WRONG
    furthest off is b[1][0]: 2.5, numerically 2

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    by_array = {}
    for l in range(1, len(given.sizes)):
        by_array[f"W[{l}]"] = relative_distance(given.W[l], expected.W[l])
        by_array[f"b[{l}]"] = relative_distance(given.b[l], expected.b[l])
    i = int(np.abs(given.theta - expected.theta).argmax())
    return GradientReport(
        distance=relative_distance(given.theta, expected.theta),
        by_array=by_array,
        worst=given.name(i),
        worst_given=float(given.theta[i]),
        worst_expected=float(expected.theta[i]),
        tolerance=tolerance,
    )
