"""Errors that teach: each message names what was found, what was expected, and the repair.

This room imports nothing from the house. Every other room checks its arguments here, at the
door, and trusts them inside. Nothing is clipped, coerced or broadcast on the caller's behalf.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class ShapeError(ValueError):
    """An array does not have the shape that the page's letters say it has.

    Examples
    --------
    >>> raise ShapeError("X has shape (3,), expected (N, n_0=3); one sample is a row: X[None, :]")
    Traceback (most recent call last):
    backprop_lib.errors.ShapeError: X has shape (3,), expected (N, n_0=3); one sample is a row: X[None, :]
    """  # noqa: E501 - a message is one line


class Diverged(ArithmeticError):
    """Training left the numbers a float can hold; the message says when, and what usually cures it.

    Examples
    --------
    >>> raise Diverged("the loss is nan after epoch 3; a smaller learning rate usually cures it")
    Traceback (most recent call last):
    backprop_lib.errors.Diverged: the loss is nan after epoch 3; a smaller learning rate usually cures it
    """  # noqa: E501 - a message is one line


def check_array(name: str, value: Any) -> Array:
    """Return `value` itself if it is a finite, non-empty array of floats; say what is wrong if not.

    Parameters
    ----------
    name : str
        What the page calls the array; it opens the message.
    value : Any
        What the caller passed.

    Returns
    -------
    ndarray
        The same object: no copy, no conversion.

    Raises
    ------
    TypeError
        If `value` is not an array of float64 or float32.
    ValueError
        If it is empty or holds nan or inf; the first such entry is named.

    Examples
    --------
    >>> check_array("X", [[1.0, 2.0]])
    Traceback (most recent call last):
    TypeError: X is a list, expected a numpy array of floats; convert it: np.array(X, dtype=float)
    >>> check_array("X", np.array([[1, 2]]))
    Traceback (most recent call last):
    TypeError: X has dtype int64, expected float64 or float32; convert it: X.astype(float)
    """
    # A masked array would hide numbers, and a matrix multiplies where `*` is written.
    if not isinstance(value, np.ndarray) or isinstance(value, np.matrix) or hasattr(value, "mask"):
        raise TypeError(
            f"{name} is a {type(value).__name__}, expected a numpy array of floats; "
            f"convert it: np.array({name}, dtype=float)"
        )
    if value.dtype not in (np.float64, np.float32):
        raise TypeError(
            f"{name} has dtype {value.dtype}, expected float64 or float32; "
            f"convert it: {name}.astype(float)"
        )
    if value.size == 0:
        raise ValueError(f"{name} is empty (shape {value.shape}), expected at least one number")
    finite = np.isfinite(value)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(
            f"{name}[{', '.join(map(str, where))}] is {value[where]}, expected finite numbers; "
            f"{finite.size - int(finite.sum())} of {finite.size} entries are not"
        )
    return value


def check_rows(name: str, value: Any, columns: int, letter: str, rows: int | None = None) -> Array:
    """Return `value` itself if it is a matrix of `columns` columns, one sample a row.

    Parameters
    ----------
    name : str
        The page's letter for the array, e.g. ``"X"``.
    value : Any
        What the caller passed.
    columns : int
        Expected number of columns.
    letter : str
        The page's letter for that number, e.g. ``"n_0"``.
    rows : int, optional
        Expected number of rows N, where it is known.

    Returns
    -------
    ndarray
        The same object.

    Raises
    ------
    ShapeError
        With the repair that fits the sizes, where one does.
    TypeError, ValueError
        As `check_array`.

    Examples
    --------
    >>> check_rows("y", np.zeros(4), columns=1, letter="n_L", rows=4)
    Traceback (most recent call last):
    backprop_lib.errors.ShapeError: y has shape (4,), expected (N=4, n_L=1); one number per sample is a column: y[:, None]
    """  # noqa: E501 - a message is one line
    # The shape first: where it is wrong, its repair often settles the dtype as well.
    shape: tuple[int, ...] | None = value.shape if isinstance(value, np.ndarray) else None
    if shape is None or (len(shape) == 2 and shape[1] == columns and rows in (None, shape[0])):
        return check_array(name, value)
    wanted = f"(N, {letter}={columns})" if rows is None else f"(N={rows}, {letter}={columns})"
    message = f"{name} has shape {shape}, expected {wanted}"
    repair = _repair(name, shape, columns, rows)
    raise ShapeError(f"{message}; {repair}" if repair else message)


def _repair(name: str, shape: tuple[int, ...], columns: int, rows: int | None) -> str:
    """The one change that turns `shape` into (rows, columns), in words; empty if none does."""
    if len(shape) == 1 and columns == 1 and rows in (None, shape[0]):
        return f"one number per sample is a column: {name}[:, None]"
    if len(shape) == 1 and shape[0] == columns and rows in (None, 1):
        return f"one sample is a row: {name}[None, :]"
    if len(shape) == 1 and name == "y" and shape[0] == rows:
        return f"class labels become rows of 0 and 1: one_hot(y, {columns})"
    if shape == (rows, 1) and name == "y":
        return f"class labels become rows of 0 and 1: one_hot(y[:, 0], {columns})"
    if len(shape) == 2 and shape[0] == columns and rows in (None, shape[1]):
        return f"samples are rows: {name}.T"
    if len(shape) > 2 and int(np.prod(shape[1:])) == columns:
        return f"one sample is one row of numbers: {name}.reshape({shape[0]}, -1)"
    if len(shape) == 2 and rows is not None and shape[0] != rows and shape[1] == columns:
        return f"X and {name} need one row per sample each"
    return ""


def check_same_dtype(name: str, array: Array, other_name: str, other: Array) -> None:
    """Refuse to mix float32 with float64, which numpy would silently promote.

    Parameters
    ----------
    name, other_name : str
        What the page calls the two arrays.
    array, other : ndarray
        The arrays.

    Raises
    ------
    TypeError
        If their dtypes differ.

    Examples
    --------
    >>> check_same_dtype("X", np.zeros(2, np.float32), "theta", np.zeros(2))
    Traceback (most recent call last):
    TypeError: X is float32 and theta is float64; convert one: X.astype(np.float64)
    """
    if array.dtype != other.dtype:
        raise TypeError(
            f"{name} is {array.dtype} and {other_name} is {other.dtype}; "
            f"convert one: {name}.astype(np.{other.dtype})"
        )


def check_positive(name: str, value: float) -> None:
    """Refuse a step size, a width or a count that is not a positive finite number.

    Parameters
    ----------
    name : str
        The argument's name.
    value : float
        What the caller passed.

    Raises
    ------
    ValueError
        If `value` is not a finite number above 0.

    Examples
    --------
    >>> check_positive("learning_rate", -0.5)
    Traceback (most recent call last):
    ValueError: learning_rate is -0.5, expected a finite number above 0
    """
    if not (_is_number(value) and 0 < value < np.inf):
        raise ValueError(f"{name} is {value!r}, expected a finite number above 0")


def check_rng(rng: Any) -> None:
    """Refuse a seed, or nothing, where a source of randomness is due.

    Parameters
    ----------
    rng : Any
        What the caller passed.

    Raises
    ------
    TypeError
        If it is not a numpy Generator.

    Examples
    --------
    >>> check_rng(0)
    Traceback (most recent call last):
    TypeError: rng is 0, expected a Generator; make one: np.random.default_rng(seed)
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng is {rng!r}, expected a Generator; make one: np.random.default_rng(seed)"
        )


def check_zero_or_more(name: str, value: float) -> float:
    """Refuse a strength, or a scheduled learning rate, that is negative or not finite.

    Parameters
    ----------
    name : str
        The argument's name.
    value : float
        What the caller passed.

    Returns
    -------
    float
        The value as a Python float.

    Raises
    ------
    ValueError
        Naming the range.

    Examples
    --------
    >>> check_zero_or_more("weight_decay", -0.1)
    Traceback (most recent call last):
    ValueError: weight_decay is -0.1, expected a finite number, 0 or more
    """
    if not (_is_number(value) and 0 <= value < np.inf):
        raise ValueError(f"{name} is {value!r}, expected a finite number, 0 or more")
    return float(value)


def check_fraction(name: str, value: float) -> float:
    """Refuse a share, of a memory or of the units, that is not in 0 <= value < 1.

    Parameters
    ----------
    name : str
        The argument's name.
    value : float
        What the caller passed.

    Returns
    -------
    float
        The value as a Python float.

    Raises
    ------
    ValueError
        Naming the range.

    Examples
    --------
    >>> check_fraction("beta1", 1.0)
    Traceback (most recent call last):
    ValueError: beta1 is 1.0, expected a number from 0 up to, but not including, 1
    """
    if not (_is_number(value) and 0 <= value < 1):
        raise ValueError(
            f"{name} is {value!r}, expected a number from 0 up to, but not including, 1"
        )
    return float(value)


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and not isinstance(value, bool)
