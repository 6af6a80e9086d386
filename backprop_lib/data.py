"""Data: penguins, handwritten digits, MNIST, and small synthetic sets.

Every file is verified against its checksum when it is read, so a page that loads data computes
from the data it says it does. May import `errors`.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backprop_lib.errors import Array, ShapeError, check_array, check_rng

_DATASETS = Path(__file__).parent / "datasets"
_SHA256 = {
    "penguins.csv": "f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93",
    "digits.npz": "dff739c317c3d7a561cd1d11ae22ab4ac7f0557489c9e3935e97bec510d05737",
    "mnist.npz": "58c05ffd9880e3b6ddfe8c74b89ccc40c0da6f6152f4c5203a7c6a12919c2344",
}
MEASUREMENTS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
SPECIES = ("Adelie", "Chinstrap", "Gentoo")


def _verified(path: Path) -> Path:
    """The path itself, once its content has been compared with the checksum."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != _SHA256[path.name]:
        raise ValueError(
            f"{path.name} has sha256 {found[:12]}..., expected {_SHA256[path.name][:12]}...; "
            "the file was changed or cut short: restore it from the repository"
        )
    return path


@dataclass(frozen=True, eq=False)
class Penguins:
    """Measurements of penguins: one row a bird.

    Parameters
    ----------
    X : ndarray of float64, shape (N, number of columns)
        The measurements asked for, in the units of their names.
    species : ndarray of str, shape (N,)
        What each bird is.
    columns : tuple of str
        Names of the columns of X.

    Examples
    --------
    >>> load_penguins().columns
    ('bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g')
    """

    X: Array
    species: Array
    columns: tuple[str, ...]


def load_penguins(
    columns: Sequence[str] = MEASUREMENTS, species: Sequence[str] = SPECIES
) -> Penguins:
    """Penguins of Palmer Station, without the two that were not measured.

    Parameters
    ----------
    columns : sequence of str
        Which of bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g; in this order.
    species : sequence of str
        Which of Adelie, Chinstrap, Gentoo.

    Returns
    -------
    Penguins

    Raises
    ------
    ValueError
        If a column or a species does not exist, or the file is damaged.

    Examples
    --------
    >>> penguins = load_penguins(["flipper_length_mm", "body_mass_g"], ["Gentoo"])
    >>> penguins.X.shape
    (123, 2)

    Notes
    -----
    Horst, Hill & Gorman (2020), *palmerpenguins*; Palmer Station LTER; CC0.
    """
    for names, known, what in ((columns, MEASUREMENTS, "columns"), (species, SPECIES, "species")):
        if isinstance(names, str) or not names:
            raise ValueError(f"found {names!r}, expected a list of {what}: {', '.join(known)}")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of the {what}: {', '.join(known)}")
    with _verified(_DATASETS / "penguins.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["species"] in species]
    measured = [row for row in rows if all(row[name] not in ("", "NA") for name in MEASUREMENTS)]
    X = np.array([[float(row[name]) for name in columns] for row in measured])
    return Penguins(X, np.array([row["species"] for row in measured]), tuple(columns))


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images, split into a training and a test part.

    Parameters
    ----------
    X_train, X_test : ndarray, shape (N, pixels)
        Grey values from 0 (paper) to 1 (ink), one image a row.
    y_train, y_test : ndarray of int, shape (N,)
        Which digit it is.

    Examples
    --------
    >>> load_digits().X_test.shape
    (360, 64)
    """

    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array


def load_digits(rng: np.random.Generator | None = None) -> Images:
    """Handwritten digits, 8x8 pixels: 1437 to learn from, 360 held out.

    Parameters
    ----------
    rng : numpy.random.Generator, optional
        Shuffles the images before they are split. Without it the file's order is kept, in which
        every person's digits stand together: the held-out images then come largely from people
        never seen in training, which is harder.

    Returns
    -------
    Images
        float64 grey values in steps of 1/16.

    Raises
    ------
    ValueError
        If the file is damaged.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.X_train.shape, int(digits.y_train[0])
    ((1437, 64), 0)

    Notes
    -----
    UCI Optical Recognition of Handwritten Digits (test part), CC BY 4.0. Chapter 14,
    *Handwritten digits*.
    """
    with np.load(_verified(_DATASETS / "digits.npz")) as file:
        X, y = file["X"] / 16.0, file["y"].astype(np.int64)
    if rng is not None:
        check_rng(rng)
    order = np.arange(len(X)) if rng is None else rng.permutation(len(X))
    train, test = order[:1437], order[1437:]
    return Images(X[train], y[train], X[test], y[test])


def load_mnist(path: str | Path | None = None) -> Images:
    """MNIST: 60 000 handwritten digits of 28x28 pixels to learn from, 10 000 held out.

    Parameters
    ----------
    path : path, optional
        Where ``mnist.npz`` is. By default ``data/`` in the working directory (where the chapters
        run), then beside the chapters of the checkout that holds this library.

    Returns
    -------
    Images
        float64 grey values in steps of 1/255.

    Raises
    ------
    FileNotFoundError
        Naming every place that was looked at.
    ValueError
        If the file is damaged.

    Examples
    --------
    >>> load_mnist("nowhere/mnist.npz")
    Traceback (most recent call last):
    FileNotFoundError: mnist.npz is not at nowhere/mnist.npz; pass its path: load_mnist(path)

    Notes
    -----
    LeCun, Cortes & Burges, CC BY-SA 3.0; LeCun et al. (1998).
    """
    beside_chapters = Path(__file__).parents[1] / "chapters" / "data" / "mnist.npz"
    places = [Path(path)] if path is not None else [Path("data/mnist.npz"), beside_chapters]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise FileNotFoundError(
            f"mnist.npz is not at {' or '.join(os.fspath(place) for place in places)}; "
            "pass its path: load_mnist(path)"
        )
    with np.load(_verified(found)) as file:
        return Images(
            file["X_train"] / 255.0,
            file["y_train"].astype(np.int64),
            file["X_test"] / 255.0,
            file["y_test"].astype(np.int64),
        )


def standardise(X: Array) -> Array:
    """Each column shifted to mean 0 and scaled to standard deviation 1.

    Parameters
    ----------
    X : ndarray, shape (N, n_0)
        One sample a row.

    Returns
    -------
    ndarray, shape (N, n_0)
        A new array.

    Raises
    ------
    ShapeError, TypeError, ValueError
        If X is not a matrix of finite floats, or a column is constant: it has no scale.

    Examples
    --------
    >>> standardise(np.array([[1.0], [3.0]]))
    array([[-1.],
           [ 1.]])

    Notes
    -----
    Chapter 2, *Linear regression*.
    """
    if check_array("X", X).ndim != 2:
        raise ShapeError(f"X has shape {X.shape}, expected (N, n_0): one sample a row")
    # Not std == 0: the standard deviation of equal numbers may round to a little more.
    constant = np.flatnonzero(X.max(axis=0) == X.min(axis=0))
    if constant.size:
        raise ValueError(f"column {constant[0]} of X is constant and has no scale; leave it out")
    return (X - X.mean(axis=0)) / X.std(axis=0)


def load_xor() -> tuple[Array, Array]:
    """The four points of XOR, and their targets.

    Returns
    -------
    X : ndarray, shape (4, 2)
        (0, 0), (0, 1), (1, 0), (1, 1).
    y : ndarray, shape (4, 1)
        0, 1, 1, 0.

    Examples
    --------
    >>> load_xor()[1].ravel()
    array([0., 1., 1., 0.])

    Notes
    -----
    Chapter 4, *Multilayer perceptron*.
    """
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return X, (X[:, :1] != X[:, 1:]).astype(float)


def make_moons(N: int, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Two interleaved half circles: the smallest picture that no straight line divides.

    Parameters
    ----------
    N : int
        Number of points; even, half of them a class.
    noise : float
        Standard deviation of the scatter around the half circles, whose radius is 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    X : ndarray, shape (N, 2)
        Points.
    y : ndarray, shape (N, 1)
        0 for the upper moon, 1 for the lower.

    Raises
    ------
    TypeError, ValueError
        If N is not an even positive number, the noise is negative, or `rng` is not a generator.

    Examples
    --------
    >>> X, y = make_moons(4, 0.0, np.random.default_rng(0))
    >>> X.round(2).tolist()
    [[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]]
    """
    _check_scatter(N, noise, rng)
    angle = np.linspace(0, np.pi, N // 2)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    X = np.vstack([upper, lower]) + noise * rng.standard_normal((N, 2))
    return X, np.repeat([[0.0], [1.0]], N // 2, axis=0)


def make_spirals(N: int, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Two arms of a spiral, three quarters of a turn each.

    Parameters
    ----------
    N : int
        Number of points; even, half of them a class.
    noise : float
        Standard deviation of the scatter around the arms, whose radius grows to 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    X : ndarray, shape (N, 2)
        Points.
    y : ndarray, shape (N, 1)
        Which arm, 0 or 1.

    Raises
    ------
    TypeError, ValueError
        If N is not an even positive number, the noise is negative, or `rng` is not a generator.

    Examples
    --------
    >>> X, y = make_spirals(100, 0.0, np.random.default_rng(0))
    >>> bool(np.allclose(X[:50], -X[50:]))
    True
    """
    _check_scatter(N, noise, rng)
    radius = np.linspace(0.1, 1, N // 2)
    angle = 1.5 * np.pi * radius
    arm = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    X = np.vstack([arm, -arm]) + noise * rng.standard_normal((N, 2))
    return X, np.repeat([[0.0], [1.0]], N // 2, axis=0)


def _check_scatter(N: int, noise: float, rng: np.random.Generator) -> None:
    if not isinstance(N, int) or N <= 0 or N % 2:
        raise ValueError(f"N is {N}, expected an even positive number: half the points a class")
    if not noise >= 0 or noise == np.inf:
        raise ValueError(f"noise is {noise}, expected a finite number, 0 or more")
    check_rng(rng)
