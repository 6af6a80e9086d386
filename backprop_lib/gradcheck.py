r"""Is my gradient right? Four other ways to a derivative, and a report that names the worst entry.

All four are called alike, ``method(f, theta)``, and return all partial derivatives of ``f`` at
``theta``. May import `errors`, `activations`, `losses`, `network` and `backprop`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_lib.backprop import Backward, check_backward, propagate_back
from backprop_lib.errors import Array, ShapeError, check_array, check_positive
from backprop_lib.losses import Loss
from backprop_lib.network import MLP, Cache, Params, check_input, objective, propagate

Method = Callable[..., Array]  # method(f, theta) or method(f, theta, h)


def central_differences(f: Callable[[Array], float], theta: Array, h: float = 1e-5) -> Array:
    r"""Each partial derivative of f from two evaluations, one step to either side.

    .. math:: \frac{\partial f}{\partial \theta_i} =
        \frac{f(\theta + h e_i) - f(\theta - h e_i)}{2h} + O(h^2)

    Parameters
    ----------
    f : callable
        ``f(theta) -> float``.
    theta : ndarray of float64, shape (P,)
        Where; not modified.
    h : float
        The step. Halving it quarters the error, until rounding takes over near 1e-5.

    Returns
    -------
    ndarray, shape (P,)

    Raises
    ------
    TypeError, ValueError
        If theta is not a vector of finite float64 (in float32 the difference drowns in rounding),
        or h is not a positive number.

    Examples
    --------
    >>> np.round(central_differences(lambda t: t[0] ** 2 * t[1], np.array([3.0, 2.0])), 6)
    array([12.,  9.])

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    check_point(theta)
    check_positive("h", h)
    slope = np.empty_like(theta)
    for i in range(theta.size):
        e = one_step(theta.size, i, h)
        slope[i] = (f(theta + e) - f(theta - e)) / (2 * h)
    return slope


def forward_differences(f: Callable[[Array], float], theta: Array, h: float = 1e-8) -> Array:
    r"""Each partial derivative of f from one step forwards: half the work, half the digits.

    .. math:: \frac{\partial f}{\partial \theta_i} =
        \frac{f(\theta + h e_i) - f(\theta)}{h} + O(h)

    Parameters
    ----------
    f, theta
        As for `central_differences`.
    h : float
        The step; rounding takes over near 1e-8.

    Returns
    -------
    ndarray, shape (P,)

    Raises
    ------
    TypeError, ValueError
        As `central_differences`.

    Examples
    --------
    >>> np.round(forward_differences(lambda t: t[0] ** 2 * t[1], np.array([3.0, 2.0])), 6)
    array([12.,  9.])

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    check_point(theta)
    check_positive("h", h)
    here = f(theta.copy())
    slope = np.empty_like(theta)
    for i in range(theta.size):
        slope[i] = (f(theta + one_step(theta.size, i, h)) - here) / h
    return slope


def complex_step(f: Callable[[Array], complex], theta: Array, h: float = 1e-20) -> Array:
    r"""Each partial derivative of f from one step into the complex plane.

    .. math:: \frac{\partial f}{\partial \theta_i} =
        \frac{\operatorname{Im} f(\theta + i h e_i)}{h} + O(h^2)

    Nothing is subtracted, so nothing cancels: h may be so small that the answer is exact to the
    last digit or two. The price: f must be made of functions that know complex numbers.

    Parameters
    ----------
    f : callable
        ``f(theta) -> complex`` for complex theta; real for real theta.
    theta : ndarray of float64, shape (P,)
        Where; not modified.
    h : float
        The step.

    Returns
    -------
    ndarray, shape (P,)

    Raises
    ------
    TypeError, ValueError
        As `central_differences`; also if f drops the imaginary part.

    Examples
    --------
    >>> complex_step(lambda t: t[0] ** 2 * t[1], np.array([3.0, 2.0]))
    array([12.,  9.])

    Notes
    -----
    Squire & Trapp (1998); Chapter 8, *Checking gradients*.
    """
    check_point(theta)
    check_positive("h", h)
    slope = np.empty_like(theta)
    for i in range(theta.size):
        J = f(theta + 1j * one_step(theta.size, i, h))
        if not np.iscomplexobj(J):
            raise TypeError(
                f"f returned a {type(J).__name__} for a complex theta, expected a complex number; "
                "float(), abs() and .real drop the part that holds the derivative"
            )
        slope[i] = J.imag / h
    return slope


def one_step(P: int, i: int, h: float) -> Array:
    """The vector h e_i: a step along parameter i alone.

    Parameters
    ----------
    P : int
        Number of parameters.
    i : int
        Which one.
    h : float
        How far.

    Returns
    -------
    ndarray, shape (P,)

    Examples
    --------
    >>> one_step(3, 1, 0.5)
    array([0. , 0.5, 0. ])

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    step = np.zeros(P)
    step[i] = h
    return step


def dual_numbers(f: Callable[[Array], Any], theta: Array) -> Array:
    r"""All partial derivatives of f from one evaluation with dual numbers: exact, forward mode.

    Entry i of theta becomes $\theta_i + \varepsilon e_i$; what stands beside $\varepsilon$ in the
    result is the gradient. Every number on the way drags P slopes along, so the work grows with
    P, where one backward pass does not.

    Parameters
    ----------
    f : callable
        ``f(theta)`` made of arithmetic and of the functions that `Dual` knows; it is given an
        array of objects.
    theta : ndarray of float64, shape (P,)
        Where; not modified.

    Returns
    -------
    ndarray, shape (P,)

    Raises
    ------
    TypeError, ValueError
        As `central_differences`.

    Examples
    --------
    >>> dual_numbers(lambda t: t[0] ** 2 * t[1], np.array([3.0, 2.0]))
    array([12.,  9.])

    Notes
    -----
    Chapter 8, *Checking gradients*; Chapter 13, *Automatic differentiation*.
    """
    check_point(theta)
    directions = np.eye(theta.size)
    duals = [Dual(value, e) for value, e in zip(theta, directions, strict=True)]
    J = f(np.array(duals, dtype=object))
    return J.slope if isinstance(J, Dual) else np.zeros_like(theta)


def check_point(theta: Array) -> None:
    """Refuse a point at which no derivative can be checked.

    Parameters
    ----------
    theta : ndarray
        The point.

    Raises
    ------
    ShapeError, TypeError, ValueError
        With the repair.

    Examples
    --------
    >>> check_point(np.ones(3, dtype=np.float32))
    Traceback (most recent call last):
    TypeError: theta is float32; a gradient check needs float64: theta.astype(np.float64)
    """
    if check_array("theta", theta).dtype != np.float64:
        raise TypeError(
            f"theta is {theta.dtype}; a gradient check needs float64: theta.astype(np.float64)"
        )
    if theta.ndim != 1:
        raise ShapeError(f"theta has shape {theta.shape}, expected (P,): theta.ravel()")


@dataclass(frozen=True, eq=False)
class Dual:
    r"""A number with its slope, $u + u'\varepsilon$ where $\varepsilon^2 = 0$.

    Arithmetic on such pairs is the calculus: $(u + u'\varepsilon)(v + v'\varepsilon) = uv +
    (uv' + u'v)\varepsilon$ is the product rule. numpy hands ``np.exp(u)`` to the method
    ``u.exp()``, also inside an array of objects, so code written for arrays runs on duals.

    Parameters
    ----------
    value : float
        The number.
    slope : float or ndarray
        Its derivative, or one for each parameter.

    Examples
    --------
    >>> x = Dual(3.0, slope=1.0)
    >>> x * x + 2
    Dual(value=11.0, slope=6.0)

    Notes
    -----
    Chapter 8, *Checking gradients*; Chapter 13, *Automatic differentiation*.
    """

    value: float
    slope: Any

    def __add__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> Dual:
        other = _dual(other)
        slope = self.value * other.slope + self.slope * other.value
        return Dual(self.value * other.value, slope)

    def __truediv__(self, other: Any) -> Dual:
        other = _dual(other)
        ratio = self.value / other.value
        return Dual(ratio, (self.slope - ratio * other.slope) / other.value)

    def __pow__(self, n: Any) -> Dual:
        if isinstance(n, Dual):
            return (n * self.log()).exp()
        return self.through(self.value**n, n * self.value ** (n - 1) if n else 0.0)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -other

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Dual:
        return -self + other

    def __rtruediv__(self, other: Any) -> Dual:
        return _dual(other) / self

    def __rpow__(self, base: float) -> Dual:
        return _dual(base) ** self

    # Which branch is taken depends on the values alone.
    def __lt__(self, other: Any) -> bool:
        return self.value < _dual(other).value

    def __le__(self, other: Any) -> bool:
        return self.value <= _dual(other).value

    def __gt__(self, other: Any) -> bool:
        return self.value > _dual(other).value

    def __ge__(self, other: Any) -> bool:
        return self.value >= _dual(other).value

    def through(self, value: float, slope: float) -> Dual:
        """The chain rule: the value of a function of this number, from its value and slope here."""
        return Dual(value, slope * self.slope)

    def exp(self) -> Dual:
        """What ``np.exp`` does to a dual number."""
        e = np.exp(self.value)
        return self.through(e, e)

    def log(self) -> Dual:
        """What ``np.log`` does."""
        return self.through(np.log(self.value), 1 / self.value)

    def log1p(self) -> Dual:
        """What ``np.log1p`` does."""
        return self.through(np.log1p(self.value), 1 / (1 + self.value))

    def sqrt(self) -> Dual:
        """What ``np.sqrt`` does."""
        root = np.sqrt(self.value)
        return self.through(root, 0.5 / root)

    def tanh(self) -> Dual:
        """What ``np.tanh`` does."""
        t = np.tanh(self.value)
        return self.through(t, 1 - t * t)

    def sin(self) -> Dual:
        """What ``np.sin`` does."""
        return self.through(np.sin(self.value), np.cos(self.value))

    def cos(self) -> Dual:
        """What ``np.cos`` does."""
        return self.through(np.cos(self.value), -np.sin(self.value))


def _dual(number: Any) -> Dual:
    """A constant is a dual number whose slope is 0."""
    return number if isinstance(number, Dual) else Dual(number, 0.0)


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
        0 for equal vectors (two zeros included), 1 if one of them is 0, 2 for opposite ones;
        nan if either holds nan, which is below no tolerance.

    Raises
    ------
    ShapeError
        If the shapes differ.

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
    if np.shape(u) != np.shape(v):
        raise ShapeError(f"u has shape {np.shape(u)} and v {np.shape(v)}, expected the same shape")
    longer = np.maximum(np.linalg.norm(u), np.linalg.norm(v))  # unlike max(), lets nan through
    return float(np.linalg.norm(u - v) / longer) if longer != 0 else 0.0


# Up to which relative distance of a gradient from central differences what is usual.
BANDS = (
    (1e-7, "right"),
    (1e-4, "right if a kink is near, else suspicious"),
    (1e-2, "suspicious"),
    (np.inf, "wrong"),
)


def error_band(distance: float) -> str:
    """What a relative distance from central differences (in float64) usually means.

    Parameters
    ----------
    distance : float
        As `relative_distance` gives it.

    Returns
    -------
    str

    Examples
    --------
    >>> error_band(3e-10), error_band(0.5), error_band(float("nan"))
    ('right', 'wrong', 'wrong')

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    return next((meaning for limit, meaning in BANDS if distance <= limit), "wrong")


def error_curve(
    method: Method, f: Callable[[Array], Any], theta: Array, exact: Array, steps: Sequence[float]
) -> Array:
    """The relative error of a numerical derivative for one step h after another: the V-curve.

    Parameters
    ----------
    method : callable
        `central_differences`, `forward_differences` or `complex_step`.
    f, theta
        As for `central_differences`.
    exact : ndarray, shape (P,)
        The right derivatives.
    steps : sequence of float
        The values of h.

    Returns
    -------
    ndarray
        One relative distance for each h.

    Examples
    --------
    >>> from backprop_lib.activations import sigmoid
    >>> z = np.array([0.7])
    >>> slope = sigmoid.d(z, sigmoid.f(z))
    >>> errors = error_curve(central_differences, lambda t: sigmoid.f(t)[0], z, slope, [1e-5, 1e-15])
    >>> [f"{error:.0e}" for error in errors]
    ['4e-12', '2e-01']

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """  # noqa: E501 - one example a line
    return np.array([relative_distance(method(f, theta, h), exact) for h in steps])


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
    unseen : tuple of str
        Arrays that differ by less than the method's own rounding noise. Nothing is known about
        them but that their gradient is tiny; they do not count against it.

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
    unseen: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every array that the method can see is within the tolerance."""
        return all(self.verdict(name) != "WRONG" for name in self.by_array)

    def verdict(self, name: str) -> str:
        """What the check says about one array: ok, WRONG, or too small to see."""
        if self.by_array[name] <= self.tolerance:
            return "ok"
        return "too small to see" if name in self.unseen else "WRONG"

    def __str__(self) -> str:
        lines = [
            f"{name:<6} {self._shown(name):>8}  {self.verdict(name)}" for name in self.by_array
        ]
        if self.ok:
            head = f"gradients agree: relative distance at most {self.tolerance:.0e} in each array"
            return "\n".join([head, *lines])
        head = (
            f"gradients DISAGREE: relative distance {self.distance:.1e}, "
            f"allowed {self.tolerance:.0e} in each array"
        )
        worst = f"{self.worst}: {self.worst_given:.6g}, numerically {self.worst_expected:.6g}"
        return "\n".join([head, *lines, f"furthest off is {worst}"])

    def _shown(self, name: str) -> str:
        """A distance where it means something: below the tolerance it is the machine's noise."""
        distance, verdict = self.by_array[name], self.verdict(name)
        if verdict == "WRONG":
            return f"{distance:.1e}"
        return f"<= {self.tolerance:.0e}" if verdict == "ok" else "noise"


EPS = float(np.finfo(float).eps)  # the relative rounding of a float64

# What a method can promise: the tolerance, and, where it divides a difference by h and so blows
# its rounding up, the usual h.
_PROMISES: dict[Method, tuple[float, float | None]] = {
    central_differences: (1e-7, 1e-5),
    forward_differences: (1e-5, 1e-8),
    complex_step: (1e-12, None),
    dual_numbers: (1e-12, None),
}


def check_gradients(
    mlp: MLP,
    params: Params,
    X: Array,
    y: Array,
    loss: Loss,
    *,
    gradient: Params | None = None,
    method: Method = central_differences,
    h: float | None = None,
    tolerance: float | None = None,
) -> GradientReport:
    """Compare a gradient with one that was found in another way, array by array.

    Parameters
    ----------
    mlp, params, X, y, loss
        The network, its parameters (float64), the batch and the loss.
    gradient : Params, optional
        The gradient to check; without it, the library's own `backward`.
    method : callable
        `central_differences`, `forward_differences`, `complex_step` or `dual_numbers`.
    h : float, optional
        The method's step; its usual one by default. (`dual_numbers` has none.)
    tolerance : float, optional
        Largest relative distance that counts as agreement. By default what the method can
        promise: 1e-7 central, 1e-5 forward, 1e-12 the exact two.

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
    >>> check_gradients(mlp, mlp.init(rng), X, y, half_mse, method=complex_step).ok
    True

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    check_input(mlp, params, X)
    cache = propagate(mlp, params, X)
    check_backward(mlp, params, cache, y, loss)
    back = propagate_back(mlp, params, cache, y, loss)

    def J(theta: Array) -> float:
        return objective(mlp, propagate(mlp, params.like(theta), X), y, loss)

    slope = method(J, params.theta) if h is None else method(J, params.theta, h)
    promised, step = _PROMISES.get(method, (1e-7, None))
    noise = _rounding(sum_of_sizes(cache, back), params.theta, J, step and (h or step))
    given = back.grads if gradient is None else gradient
    return compare(given, params.like(slope), promised if tolerance is None else tolerance, noise)


def _rounding(sizes: Array, theta: Array, J: Callable[[Array], float], h: float | None) -> Array:
    """How much of each entry of a numerical gradient may be rounding; h where it divides by it."""
    noise = 10 * EPS * sizes
    if h is None:
        return noise
    # Each weight's product is rounded by a share of itself, and so is J; then comes 1/h.
    return noise + 10 * EPS * (abs(J(theta)) + sizes @ np.abs(theta)) / h


def sum_of_sizes(cache: Cache, back: Backward) -> Array:
    """Each entry of the gradient summed over the batch without signs: what its rounding is part of.

    Where the samples cancel, as they do at a minimum, the sum is mostly rounding.

    Parameters
    ----------
    cache, back
        What `forward` and `backward` returned.

    Returns
    -------
    ndarray, shape (P,)

    Examples
    --------
    >>> cache = Cache((None,), (np.array([[1.0], [2.0]]),))
    >>> back = Backward((None, np.array([[0.5], [-0.25]])), Params(np.zeros(2), (1, 1)))
    >>> sum_of_sizes(cache, back)
    array([1.  , 0.75])

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    sizes = back.grads.like(np.empty_like(back.grads.theta))
    for l in range(1, len(back.delta)):
        delta = np.abs(back.delta[l])
        sizes.W[l][:] = delta.T @ np.abs(cache.a[l - 1])
        sizes.b[l][:] = delta.sum(axis=0)
    return sizes.theta


def compare(
    given: Params, expected: Params, tolerance: float, noise: Array | float = 0.0
) -> GradientReport:
    """Report how far one gradient is from another, by array and by entry.

    Parameters
    ----------
    given, expected : Params
        The gradient in question, and the one it is measured against.
    tolerance : float
        Largest relative distance that counts as agreement.
    noise : ndarray of shape (P,), or float
        Rounding noise in the entries of `expected`; smaller differences prove nothing.

    Returns
    -------
    GradientReport

    Raises
    ------
    ShapeError, TypeError
        If the two are not `Params` of the same sizes.

    Examples
    --------
    >>> right, wrong = Params(np.array([1.0, 2.0]), (1, 1)), Params(np.array([1.0, 2.5]), (1, 1))
    >>> print(compare(wrong, right, 1e-7))
    gradients DISAGREE: relative distance 1.9e-01, allowed 1e-07 in each array
    W[1]   <= 1e-07  ok
    b[1]    2.0e-01  WRONG
    furthest off is b[1][0]: 2.5, numerically 2

    Notes
    -----
    Chapter 8, *Checking gradients*.
    """
    if not isinstance(given, Params):
        raise TypeError(
            f"gradient is a {type(given).__name__}, expected Params: "
            "params.like(vector) or Params.of(dW, db)"
        )
    if given.sizes != expected.sizes:
        raise ShapeError(f"gradient is for sizes {given.sizes}, expected {expected.sizes}")
    off = np.abs(given.theta - expected.theta)
    seen = given.like(~(off <= noise))  # nan is seen
    i = int(off.argmax())
    right = by_name(expected)
    return GradientReport(
        distance=relative_distance(given.theta, expected.theta),
        by_array={name: relative_distance(u, right[name]) for name, u in by_name(given).items()},
        worst=given.name(i),
        worst_given=float(given.theta[i]),
        worst_expected=float(expected.theta[i]),
        tolerance=tolerance,
        unseen=tuple(name for name, entries in by_name(seen).items() if not entries.any()),
    )


def by_name(params: Params) -> dict[str, Array]:
    """The matrices and vectors of some parameters by what the page calls them.

    Parameters
    ----------
    params : Params
        Any.

    Returns
    -------
    dict of str to ndarray

    Examples
    --------
    >>> by_name(Params(np.array([1.0, 2.0]), (1, 1)))
    {'W[1]': array([[1.]]), 'b[1]': array([2.])}

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """
    arrays = {}
    for l in range(1, len(params.sizes)):
        arrays[f"W[{l}]"] = params.W[l]
        arrays[f"b[{l}]"] = params.b[l]
    return arrays
