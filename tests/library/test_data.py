"""Data sets are what they say they are: counts, ranges, checksums, shapes."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_networks import repeatable

from backprop_lib import data
from backprop_lib.data import (
    MEASUREMENTS,
    SPECIES,
    load_digits,
    load_mnist,
    load_penguins,
    load_xor,
    make_moons,
    make_spirals,
    standardise,
)

DATASETS = Path(data.__file__).parent / "datasets"
MNIST = Path(data.__file__).parents[1] / "chapters" / "data" / "mnist.npz"
needs_mnist = pytest.mark.skipif(not MNIST.is_file(), reason="MNIST lies beside the chapters")


# --- Penguins -------------------------------------------------------------------------------------


def test_342_of_344_penguins_were_measured() -> None:
    penguins = load_penguins()
    assert penguins.X.shape == (342, 4)
    assert penguins.X.dtype == np.float64
    names, counts = np.unique(penguins.species, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "Adelie": 151,
        "Chinstrap": 68,
        "Gentoo": 123,
    }
    assert np.isfinite(penguins.X).all()
    # Millimetres of bill and flipper, grams of body.
    assert penguins.X.min(axis=0).tolist() == [32.1, 13.1, 172.0, 2700.0]
    assert penguins.X.max(axis=0).tolist() == [59.6, 21.5, 231.0, 6300.0]


def test_columns_come_in_the_order_asked_for() -> None:
    every = load_penguins()
    some = load_penguins(["body_mass_g", "bill_length_mm"], ["Gentoo", "Adelie"])
    assert some.columns == ("body_mass_g", "bill_length_mm")
    rows = every.species != "Chinstrap"
    np.testing.assert_array_equal(some.X, every.X[rows][:, [3, 0]])
    np.testing.assert_array_equal(some.species, every.species[rows])
    assert every.columns == MEASUREMENTS
    assert set(every.species) == set(SPECIES)


def test_two_calls_share_nothing() -> None:
    first, second = load_penguins(), load_penguins()
    first.X[:] = 0
    assert second.X.all()


# --- Digits ---------------------------------------------------------------------------------------


def test_digits_are_1437_and_360_small_images() -> None:
    digits = load_digits()
    assert (digits.X_train.shape, digits.y_train.shape) == ((1437, 64), (1437,))
    assert (digits.X_test.shape, digits.y_test.shape) == ((360, 64), (360,))
    for X, y in ((digits.X_train, digits.y_train), (digits.X_test, digits.y_test)):
        assert X.dtype == np.float64
        assert y.dtype == np.int64
        assert (X.min(), X.max()) == (0.0, 1.0)
        np.testing.assert_array_equal(X * 16, np.round(X * 16))
        assert set(y) == set(range(10))


def test_shuffled_digits_are_the_same_images_dealt_again() -> None:
    plain, shuffled = load_digits(), load_digits(np.random.default_rng(0))
    again = load_digits(np.random.default_rng(0))
    np.testing.assert_array_equal(shuffled.X_test, again.X_test)
    assert (shuffled.X_train[:10] != plain.X_train[:10]).any()

    def signature(images: data.Images) -> list[tuple[float, ...]]:
        X = np.vstack([images.X_train, images.X_test])
        y = np.concatenate([images.y_train, images.y_test])
        return sorted(map(tuple, np.column_stack([X, y]).tolist()))

    assert signature(plain) == signature(shuffled)


@needs_mnist
def test_mnist_is_60000_and_10000_images() -> None:
    mnist = load_mnist(MNIST)
    assert (mnist.X_train.shape, mnist.X_test.shape) == ((60000, 784), (10000, 784))
    assert mnist.X_train.dtype == np.float64
    assert (mnist.X_test.min(), mnist.X_test.max()) == (0.0, 1.0)
    assert np.bincount(mnist.y_test).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]


def test_where_mnist_was_looked_for_is_said(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as raised:
        load_mnist("elsewhere.npz")
    assert str(raised.value) == (
        "mnist.npz is not at elsewhere.npz; pass its path: load_mnist(path)"
    )


# --- Checksums ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "load"), [("penguins.csv", load_penguins), ("digits.npz", load_digits)]
)
def test_a_changed_file_is_refused(monkeypatch, tmp_path: Path, name: str, load) -> None:
    shutil.copy(DATASETS / name, tmp_path / name)
    monkeypatch.setattr(data, "_DATASETS", tmp_path)
    load()  # an exact copy is welcome
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="the file was changed or cut short") as raised:
        load()
    assert hashlib.sha256(content).hexdigest()[:12] in str(raised.value)


def test_the_readme_states_the_checksums() -> None:
    readme = (DATASETS / "README.md").read_text(encoding="utf-8")
    for name in ("penguins.csv", "digits.npz"):
        assert hashlib.sha256((DATASETS / name).read_bytes()).hexdigest() in readme
        assert data._SHA256[name] in readme


# --- Synthetic sets -------------------------------------------------------------------------------


def test_xor_is_true_where_exactly_one_input_is() -> None:
    X, y = load_xor()
    assert X.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert y.tolist() == [[0], [1], [1], [0]]


@pytest.mark.parametrize("make", [make_moons, make_spirals])
@repeatable(20)
@given(half=st.integers(1, 40), seed=st.integers(0, 1000))
def test_half_of_the_points_are_of_each_class(make, half: int, seed: int) -> None:
    X, y = make(2 * half, 0.1, np.random.default_rng(seed))
    assert X.shape == (2 * half, 2)
    assert y.tolist() == [[0.0]] * half + [[1.0]] * half
    again, _ = make(2 * half, 0.1, np.random.default_rng(seed))
    np.testing.assert_array_equal(X, again)
    still, _ = make(2 * half, 0.0, np.random.default_rng(seed))
    assert np.abs(X - still).max() < 0.6


def test_moons_lie_on_circles_of_radius_one() -> None:
    X, y = make_moons(60, 0.0, np.random.default_rng(0))
    centres = np.where(y == 0, [[0.0, 0.0]], [[1.0, 0.5]])
    np.testing.assert_allclose(np.linalg.norm(X - centres, axis=1), 1)
    assert (X[:30, 1] >= 0).all()
    assert (X[30:, 1] <= 0.5 + 1e-12).all()


def test_spirals_are_opposite_arms_of_growing_radius() -> None:
    X, _ = make_spirals(60, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(X[:30], -X[30:])
    np.testing.assert_allclose(np.linalg.norm(X[:30], axis=1), np.linspace(0.1, 1, 30))


# --- Standardising --------------------------------------------------------------------------------


@repeatable(40)
@given(seed=st.integers(0, 2**32 - 1), N=st.integers(2, 20), columns=st.integers(1, 4))
def test_standardised_columns_have_mean_0_and_deviation_1(seed: int, N: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    X = 1000 + rng.uniform(1, 50, columns) * rng.standard_normal((N, columns))
    kept = X.copy()
    Z = standardise(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(Z.std(axis=0), 1, rtol=1e-12)
    np.testing.assert_array_equal(X, kept)
    assert not np.shares_memory(X, Z)
    np.testing.assert_allclose(standardise(3 * X - 7), Z, atol=1e-8)
