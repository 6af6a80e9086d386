"""Every door refuses every malformed input, in one sentence that says how to repair it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from backprop_lib import (
    MLP,
    Cache,
    Params,
    ShapeError,
    backward,
    bce,
    central_differences,
    check_gradients,
    constant,
    cost,
    cross_entropy,
    delta_of,
    fit,
    forward,
    half_mse,
    load_digits,
    load_penguins,
    make_moons,
    make_spirals,
    minibatches,
    one_hot,
    predict,
    relative_distance,
    sgd,
    sigmoid,
    softmax,
    sse,
    standardise,
    tanh,
    trace_step,
)
from backprop_lib.errors import (
    check_array,
    check_positive,
    check_rng,
    check_rows,
    check_same_dtype,
)
from backprop_lib.gradcheck import complex_step, dual_numbers, forward_differences

RNG = np.random.default_rng(0)
MLP_ = MLP((2, 3, 1), (tanh, sigmoid))
PARAMS = MLP_.init(RNG)
X = RNG.standard_normal((4, 2))
Y = RNG.random((4, 1))
CACHE = forward(MLP_, PARAMS, X)

CLASSIFIER = MLP((2, 3), (softmax,))
CLASSIFIER_PARAMS = CLASSIFIER.init(RNG)
LABELS = np.array([0, 1, 2, 1])
CLASSES = one_hot(LABELS, 3)


def forward_of(inputs: Any, mlp: MLP = MLP_, params: Any = PARAMS) -> Callable[[], Any]:
    return lambda: forward(mlp, params, inputs)


def backward_of(targets: Any, loss: Any = half_mse) -> Callable[[], Any]:
    return lambda: backward(MLP_, PARAMS, CACHE, targets, loss)


def classify(targets: Any, loss: Any = cross_entropy) -> Callable[[], Any]:
    cache = forward(CLASSIFIER, CLASSIFIER_PARAMS, X)
    return lambda: backward(CLASSIFIER, CLASSIFIER_PARAMS, cache, targets, loss)


def with_entry(array: Any, value: float) -> Any:
    changed = array.copy()
    changed[1, 0] = value
    return changed


IMAGES = np.zeros((5, 2, 2))
FOR_IMAGES = MLP((4, 1), (sigmoid,))

INPUTS = [
    (
        "a list",
        forward_of([[1.0, 2.0]]),
        TypeError(
            "X is a list, expected a numpy array of floats; convert it: np.array(X, dtype=float)"
        ),
    ),
    (
        "nothing",
        forward_of(None),
        TypeError(
            "X is a NoneType, expected a numpy array of floats; "
            "convert it: np.array(X, dtype=float)"
        ),
    ),
    (
        "a masked array",
        forward_of(np.ma.masked_array(X, mask=X > 0)),
        TypeError(
            "X is a MaskedArray, expected a numpy array of floats; "
            "convert it: np.array(X, dtype=float)"
        ),
    ),
    (
        "objects",
        forward_of(X.astype(object)),
        TypeError("X has dtype object, expected float64 or float32; convert it: X.astype(float)"),
    ),
    (
        "integers",
        forward_of(np.ones((4, 2), dtype=np.int64)),
        TypeError("X has dtype int64, expected float64 or float32; convert it: X.astype(float)"),
    ),
    (
        "truth values",
        forward_of(X > 0),
        TypeError("X has dtype bool, expected float64 or float32; convert it: X.astype(float)"),
    ),
    (
        "half precision",
        forward_of(X.astype(np.float16)),
        TypeError("X has dtype float16, expected float64 or float32; convert it: X.astype(float)"),
    ),
    (
        "complex numbers",
        forward_of(X + 0j),
        TypeError(
            "X has dtype complex128, expected float64 or float32; convert it: X.astype(float)"
        ),
    ),
    (
        "float32 beside float64",
        forward_of(X.astype(np.float32)),
        TypeError("X is float32 and theta is float64; convert one: X.astype(np.float64)"),
    ),
    (
        "nan",
        forward_of(with_entry(X, np.nan)),
        ValueError("X[1, 0] is nan, expected finite numbers; 1 of 8 entries are not"),
    ),
    (
        "inf",
        forward_of(with_entry(X, -np.inf)),
        ValueError("X[1, 0] is -inf, expected finite numbers; 1 of 8 entries are not"),
    ),
    (
        "no rows",
        forward_of(X[:0]),
        ValueError("X is empty (shape (0, 2)), expected at least one number"),
    ),
    (
        "transposed",
        forward_of(X.T),
        ShapeError("X has shape (2, 4), expected (N, n_0=2); samples are rows: X.T"),
    ),
    (
        "one sample as a vector",
        forward_of(X[0]),
        ShapeError("X has shape (2,), expected (N, n_0=2); one sample is a row: X[None, :]"),
    ),
    (
        "one column as a vector",
        forward_of(X[:, 0], MLP((1, 1), (tanh,)), Params(np.zeros(2), (1, 1))),
        ShapeError(
            "X has shape (4,), expected (N, n_0=1); one number per sample is a column: X[:, None]"
        ),
    ),
    (
        "images",
        forward_of(IMAGES, FOR_IMAGES, FOR_IMAGES.init(RNG)),
        ShapeError(
            "X has shape (5, 2, 2), expected (N, n_0=4); "
            "one sample is one row of numbers: X.reshape(5, -1)"
        ),
    ),
    (
        "too many columns",
        forward_of(np.zeros((4, 5))),
        ShapeError("X has shape (4, 5), expected (N, n_0=2)"),
    ),
    (
        "a single number",
        forward_of(np.array(1.0)),
        ShapeError("X has shape (), expected (N, n_0=2)"),
    ),
]

TARGETS = [
    (
        "a list",
        backward_of([[0.0]] * 4),
        TypeError(
            "y is a list, expected a numpy array of floats; convert it: np.array(y, dtype=float)"
        ),
    ),
    (
        "one column as a vector",
        backward_of(Y[:, 0]),
        ShapeError(
            "y has shape (4,), expected (N=4, n_L=1); one number per sample is a column: y[:, None]"
        ),
    ),
    (
        "integers",
        backward_of(np.ones((4, 1), dtype=np.int64)),
        TypeError("y has dtype int64, expected float64 or float32; convert it: y.astype(float)"),
    ),
    (
        "float32 beside float64",
        backward_of(Y.astype(np.float32)),
        TypeError("y is float32 and theta is float64; convert one: y.astype(np.float64)"),
    ),
    (
        "nan",
        backward_of(with_entry(Y, np.nan)),
        ValueError("y[1, 0] is nan, expected finite numbers; 1 of 4 entries are not"),
    ),
    (
        "a row too few",
        backward_of(Y[:3]),
        ShapeError(
            "y has shape (3, 1), expected (N=4, n_L=1); X and y need one row per sample each"
        ),
    ),
    (
        "transposed",
        backward_of(Y.T),
        ShapeError("y has shape (1, 4), expected (N=4, n_L=1); samples are rows: y.T"),
    ),
    (
        "one sample with several targets as a vector",
        lambda: half_mse(np.zeros((1, 2)), np.zeros(2)),
        ShapeError("y has shape (2,), expected (N=1, n_L=2); one sample is a row: y[None, :]"),
    ),
    (
        "a row too many, as many rows as columns",
        lambda: half_mse(np.zeros((2, 2)), np.zeros((3, 2))),
        ShapeError(
            "y has shape (3, 2), expected (N=2, n_L=2); X and y need one row per sample each"
        ),
    ),
    (
        "integer labels for one-hot rows",
        classify(LABELS),
        ShapeError(
            "y has shape (4,), expected (N=4, n_L=3); "
            "class labels become rows of 0 and 1: one_hot(y, 3)"
        ),
    ),
    (
        "a column of labels for one-hot rows",
        classify(LABELS[:, None]),
        ShapeError(
            "y has shape (4, 1), expected (N=4, n_L=3); "
            "class labels become rows of 0 and 1: one_hot(y[:, 0], 3)"
        ),
    ),
    (
        "one-hot columns",
        classify(CLASSES.T.copy()),
        ShapeError("y has shape (3, 4), expected (N=4, n_L=3); samples are rows: y.T"),
    ),
    (
        "one-hot rows of integers",
        classify(CLASSES.astype(np.int64)),
        TypeError("y has dtype int64, expected float64 or float32; convert it: y.astype(float)"),
    ),
    (
        "probabilities that do not sum to 1",
        classify(CLASSES * 0.9),
        ValueError(
            "row 0 of y sums to 0.9 or is negative somewhere, "
            "expected one probability a class (one 1, the rest 0) for cross_entropy"
        ),
    ),
    (
        "a negative probability",
        classify(CLASSES + np.array([[0.5, -0.5, 0.0]])),
        ValueError(
            "row 0 of y sums to 1 or is negative somewhere, "
            "expected one probability a class (one 1, the rest 0) for cross_entropy"
        ),
    ),
    (
        "bce above 1",
        backward_of(Y + 2, bce),
        ValueError(f"y holds {Y[0, 0] + 2}, expected numbers between 0 and 1 for bce"),
    ),
    (
        "bce below 0",
        backward_of(-Y, bce),
        ValueError(f"y holds {-Y[0, 0]}, expected numbers between 0 and 1 for bce"),
    ),
    (
        "cost of a vector of targets",
        lambda: cost(MLP_, CACHE, Y[:, 0], half_mse),
        ShapeError(
            "y has shape (4,), expected (N=4, n_L=1); one number per sample is a column: y[:, None]"
        ),
    ),
    (
        "delta_of a vector of targets",
        lambda: delta_of(1, MLP_, PARAMS, CACHE, Y[:, 0], half_mse),
        ShapeError(
            "y has shape (4,), expected (N=4, n_L=1); one number per sample is a column: y[:, None]"
        ),
    ),
]

ANSWERS = [
    (
        "a vector",
        lambda: half_mse(Y[:, 0], Y[:, 0]),
        ShapeError("a has shape (4,), expected (N, n_L): one sample a row"),
    ),
    (
        "a vector beside a column",
        lambda: half_mse(Y, Y[:, 0]),
        ShapeError(
            "y has shape (4,), expected (N=4, n_L=1); one number per sample is a column: y[:, None]"
        ),
    ),
    (
        "images",
        lambda: half_mse(IMAGES, IMAGES),
        ShapeError("a has shape (5, 2, 2), expected (N, n_L): one sample a row"),
    ),
    (
        "float32 beside float64",
        lambda: half_mse(Y.astype(np.float32), Y),
        TypeError("y is float64 and a is float32; convert one: y.astype(np.float32)"),
    ),
    (
        "no probability",
        lambda: bce(np.array([[1.5]]), np.array([[1.0]])),
        ValueError("a holds 1.5, expected numbers between 0 and 1 for bce"),
    ),
    (
        "no probabilities",
        lambda: cross_entropy(np.array([[-1.0, 2.0]]), np.array([[1.0, 0.0]])),
        ValueError(
            "row 0 of a sums to 1 or is negative somewhere, "
            "expected one probability a class (one 1, the rest 0) for cross_entropy"
        ),
    ),
]

SIGNED = MLP((2, 1), (tanh,))
SIGNED_PARAMS = Params.of([[[1.0, 0.0]]], [[-5.0]])
SIGNED_CACHE = forward(SIGNED, SIGNED_PARAMS, np.zeros((4, 2)))

PAIRS = [
    (
        "softmax with squared error",
        classify(CLASSES, half_mse),
        ValueError(
            "the output layer is softmax and the loss half_mse; softmax goes with cross_entropy"
        ),
    ),
    (
        "softmax with summed squares",
        classify(CLASSES, sse),
        ValueError("the output layer is softmax and the loss sse; softmax goes with cross_entropy"),
    ),
    (
        "softmax with bce",
        classify(CLASSES, bce),
        ValueError("the output layer is softmax and the loss bce; softmax goes with cross_entropy"),
    ),
    (
        "cross-entropy without softmax",
        backward_of(Y, cross_entropy),
        ValueError(
            "the output layer is sigmoid and the loss cross_entropy; "
            "cross_entropy needs a softmax output (bce goes with sigmoid)"
        ),
    ),
    (
        "cost of cross-entropy without softmax",
        lambda: cost(MLP_, CACHE, Y, cross_entropy),
        ValueError(
            "the output layer is sigmoid and the loss cross_entropy; "
            "cross_entropy needs a softmax output (bce goes with sigmoid)"
        ),
    ),
    (
        "the name of a loss",
        backward_of(Y, "bce"),
        TypeError("loss is 'bce', expected a Loss such as half_mse or bce"),
    ),
    (
        "cost of answers that are no probabilities",
        lambda: cost(SIGNED, SIGNED_CACHE, Y, bce),
        ValueError(f"a[L] holds {np.tanh(-5.0)}, expected numbers between 0 and 1 for bce"),
    ),
    (
        "gradient of answers that are no probabilities",
        lambda: backward(SIGNED, SIGNED_PARAMS, SIGNED_CACHE, Y, bce),
        ValueError(f"a[L] holds {np.tanh(-5.0)}, expected numbers between 0 and 1 for bce"),
    ),
]

WIDER = MLP((2, 1, 1), (tanh, sigmoid))
FLOAT32 = PARAMS.like(PARAMS.theta.astype(np.float32))

NETWORKS = [
    (
        "no size for the output",
        lambda: MLP((2,), ()),
        ValueError("sizes are (2,), expected at least two positive whole numbers (n_0, ..., n_L)"),
    ),
    (
        "a fractional size",
        lambda: MLP((2.5, 1), (sigmoid,)),
        ValueError(
            "sizes are (2.5, 1), expected at least two positive whole numbers (n_0, ..., n_L)"
        ),
    ),
    (
        "an empty layer",
        lambda: MLP((2, 0, 1), (sigmoid, sigmoid)),
        ValueError(
            "sizes are (2, 0, 1), expected at least two positive whole numbers (n_0, ..., n_L)"
        ),
    ),
    (
        "a truth value as a size",
        lambda: MLP((True, 1), (sigmoid,)),
        ValueError(
            "sizes are (True, 1), expected at least two positive whole numbers (n_0, ..., n_L)"
        ),
    ),
    (
        "a number for the sizes",
        lambda: MLP(3, (sigmoid,)),
        ValueError("sizes are 3, expected at least two positive whole numbers (n_0, ..., n_L)"),
    ),
    (
        "an activation for the input layer as well",
        lambda: MLP((2, 1), (sigmoid, sigmoid)),
        ValueError(
            "activations are (sigmoid, sigmoid), expected a tuple with one for each of the 1 layers"
        ),
    ),
    (
        "one activation for all",
        lambda: MLP((2, 2, 1), sigmoid),
        ValueError("activations are sigmoid, expected a tuple with one for each of the 2 layers"),
    ),
    (
        "the name of an activation",
        lambda: MLP((2, 1), ("sigmoid",)),
        TypeError(
            "activation of layer 1 is 'sigmoid', expected an Activation such as sigmoid or relu"
        ),
    ),
    (
        "softmax inside",
        lambda: MLP((2, 3, 1), (softmax, sigmoid)),
        ValueError("layer 1 of 2 is softmax; it belongs at the output only"),
    ),
    (
        "a seed",
        lambda: MLP_.init(0),
        TypeError("rng is 0, expected a Generator; make one: np.random.default_rng(seed)"),
    ),
    (
        "numpy's old random state",
        lambda: MLP_.init(np.random),
        TypeError(
            f"rng is {np.random!r}, expected a Generator; make one: np.random.default_rng(seed)"
        ),
    ),
    (
        "the name of an initialiser",
        lambda: MLP_.init(RNG, "xavier"),
        TypeError("initialise is 'xavier', expected a function such as xavier"),
    ),
    (
        "parameters of another network",
        forward_of(X, MLP((2, 1), (sigmoid,))),
        ShapeError("params are for sizes (2, 3, 1), expected the network's (2, 1)"),
    ),
    (
        "a vector for parameters",
        forward_of(X, params=PARAMS.theta),
        TypeError(
            "params is a ndarray, expected Params: "
            "mlp.init(rng), Params.of(W, b) or params.like(theta)"
        ),
    ),
    (
        "no network",
        lambda: forward((2, 3, 1), PARAMS, X),
        TypeError("mlp is a tuple, expected an MLP: MLP((2, 1), (sigmoid,))"),
    ),
    (
        "parameters that are nan",
        forward_of(X, params=PARAMS.like(np.full(13, np.nan))),
        ValueError("theta[0] is nan, expected finite numbers; 13 of 13 entries are not"),
    ),
    (
        "parameters that are integers",
        forward_of(X, params=PARAMS.like(np.ones(13, dtype=np.int64))),
        TypeError(
            "theta has dtype int64, expected float64 or float32; convert it: theta.astype(float)"
        ),
    ),
    (
        "a vector that is too short",
        lambda: Params(np.zeros(12), (2, 3, 1)),
        ShapeError(
            "theta has shape (12,), expected (13,): the weights and biases of sizes (2, 3, 1)"
        ),
    ),
    (
        "a matrix for theta",
        lambda: Params(np.zeros((13, 1)), (2, 3, 1)),
        ShapeError(
            "theta has shape (13, 1), expected (13,): the weights and biases of sizes (2, 3, 1)"
        ),
    ),
    (
        "a list for theta",
        lambda: Params([0.0, 0.0], (1, 1)),
        TypeError(
            "theta is a list, expected an array of 2 floats; "
            "gather matrices and vectors with Params.of(W, b)"
        ),
    ),
    (
        "an entry that theta does not have",
        lambda: PARAMS.name(13),
        IndexError("theta has 13 entries; there is no such index"),
    ),
    (
        "an entry counted from the end",
        lambda: PARAMS.name(-1),
        IndexError("theta has 13 entries; there is no such index"),
    ),
    (
        "layers that do not fit",
        lambda: Params.of(W=[[[1.0], [2.0]], [[1.0, 2.0, 3.0]]], b=[[1.0, 1.0], [1.0]]),
        ShapeError("W[2] has shape (1, 3), expected (n_2, n_1=2) because W[1] has 2 rows"),
    ),
    (
        "biases that do not fit",
        lambda: Params.of(W=[[[1.0]]], b=[[1.0, 2.0]]),
        ShapeError("b[1] has shape (2,), expected (n_1=1,)"),
    ),
    (
        "a vector for a matrix",
        lambda: Params.of(W=[[1.0, 2.0]], b=[[1.0]]),
        ShapeError("W[1] has shape (2,), expected (n_1, n_0)"),
    ),
    (
        "a layer without biases",
        lambda: Params.of(W=[[[1.0]]], b=[]),
        ShapeError("found 1 matrices W and 0 vectors b, expected one of each for every layer 1..L"),
    ),
    (
        "rows of different lengths",
        lambda: Params.of(W=[[[1.0, 2.0], [3.0]]], b=[[1.0, 1.0]]),
        TypeError("W[1] cannot be read as an array, expected numbers, equally many in every row"),
    ),
    (
        "words",
        lambda: Params.of(W=[[["one"]]], b=[[1.0]]),
        TypeError("W[1] cannot be read as an array, expected numbers, equally many in every row"),
    ),
    (
        "nan in a list",
        lambda: Params.of(W=[[[np.nan]]], b=[[1.0]]),
        ValueError("W[1][0, 0] is nan, expected finite numbers; 1 of 1 entries are not"),
    ),
    (
        "float32 matrices with float64 vectors",
        lambda: Params.of(W=[np.ones((1, 1), np.float32)], b=[np.ones(1)]),
        TypeError("b[1] is float64 and W[1] is float32; convert one: b[1].astype(np.float32)"),
    ),
    (
        "float64 in the second layer",
        lambda: Params.of(
            W=[np.ones((1, 1), np.float32), np.ones((1, 1))], b=[np.ones(1, np.float32)] * 2
        ),
        TypeError("W[2] is float64 and W[1] is float32; convert one: W[2].astype(np.float32)"),
    ),
    (
        "a cache of fewer layers",
        lambda: backward(MLP_, PARAMS, Cache((None,), (X,)), Y, half_mse),
        ShapeError("the cache holds 0 layers, expected 2; run forward with this network first"),
    ),
    (
        "a cache of another width, which would broadcast",
        lambda: backward(
            MLP_, PARAMS, forward(WIDER, WIDER.init(RNG, constant(1.0)), X), Y, half_mse
        ),
        ShapeError(
            "the cache is of sizes (2, 1, 1), expected (2, 3, 1); "
            "run forward with this network first"
        ),
    ),
    (
        "backward with parameters of another network",
        lambda: backward(MLP_, WIDER.init(RNG), CACHE, Y, half_mse),
        ShapeError("params are for sizes (2, 1, 1), expected the network's (2, 3, 1)"),
    ),
    (
        "a float64 cache with float32 parameters",
        lambda: backward(MLP_, FLOAT32, CACHE, Y.astype(np.float32), half_mse),
        TypeError("X is float64 and theta is float32; convert one: X.astype(np.float32)"),
    ),
    (
        "the error of the input layer",
        lambda: delta_of(0, MLP_, PARAMS, CACHE, Y, half_mse),
        ValueError("there is no delta[0]; layers with an error are 1..2"),
    ),
    (
        "the error of a layer beyond the last",
        lambda: delta_of(3, MLP_, PARAMS, CACHE, Y, half_mse),
        ValueError("there is no delta[3]; layers with an error are 1..2"),
    ),
]

GRADIENT = backward(MLP_, PARAMS, CACHE, Y, half_mse).grads
NO_STEP = "h is 0.0, expected a finite number above 0"
ONE = np.ones(1)


def first(theta: Any) -> Any:
    return theta[0]


CHECKS = [
    (
        "a vector for a gradient",
        lambda: check_gradients(MLP_, PARAMS, X, Y, half_mse, gradient=GRADIENT.theta),
        TypeError(
            "gradient is a ndarray, expected Params: params.like(vector) or Params.of(dW, db)"
        ),
    ),
    (
        "the gradient of another network",
        lambda: check_gradients(MLP_, PARAMS, X, Y, half_mse, gradient=WIDER.init(RNG)),
        ShapeError("gradient is for sizes (2, 1, 1), expected (2, 3, 1)"),
    ),
    (
        "a check in float32",
        lambda: check_gradients(
            MLP_, FLOAT32, X.astype(np.float32), Y.astype(np.float32), half_mse
        ),
        TypeError("theta is float32; a gradient check needs float64: theta.astype(np.float64)"),
    ),
    (
        "a list of parameters",
        lambda: central_differences(first, [1.0]),
        TypeError(
            "theta is a list, expected a numpy array of floats; "
            "convert it: np.array(theta, dtype=float)"
        ),
    ),
    (
        "a matrix of parameters",
        lambda: central_differences(first, np.ones((2, 2))),
        ShapeError("theta has shape (2, 2), expected (P,): theta.ravel()"),
    ),
    (
        "a point that is nan",
        lambda: central_differences(first, np.array([np.nan])),
        ValueError("theta[0] is nan, expected finite numbers; 1 of 1 entries are not"),
    ),
    ("no central step", lambda: central_differences(first, ONE, 0.0), ValueError(NO_STEP)),
    ("no forward step", lambda: forward_differences(first, ONE, 0.0), ValueError(NO_STEP)),
    ("no complex step", lambda: complex_step(first, ONE, 0.0), ValueError(NO_STEP)),
    (
        "duals in float32",
        lambda: dual_numbers(first, ONE.astype(np.float32)),
        TypeError("theta is float32; a gradient check needs float64: theta.astype(np.float64)"),
    ),
    (
        "a function that drops the imaginary part",
        lambda: complex_step(lambda t: float(t[0].real), ONE),
        TypeError(
            "f returned a float for a complex theta, expected a complex number; "
            "float(), abs() and .real drop the part that holds the derivative"
        ),
    ),
    (
        "vectors that would broadcast",
        lambda: relative_distance(np.ones((2, 1)), np.ones(2)),
        ShapeError("u has shape (2, 1) and v (2,), expected the same shape"),
    ),
]


def trace_of(**changed: Any) -> Callable[[], Any]:
    arguments: dict[str, Any] = {"x": X[:1], "y": Y[:1], "learning_rate": 0.5, "biases": "each"}
    arguments |= changed
    return lambda: trace_step(MLP_, PARAMS, loss=half_mse, **arguments)


def fit_of(**changed: Any) -> Callable[[], Any]:
    arguments: dict[str, Any] = {"X": X, "y": Y, "epochs": 1, "batch_size": 2}
    arguments |= changed
    return lambda: fit(
        MLP_, PARAMS, loss=half_mse, optimizer=sgd(0.1), rng=np.random.default_rng(0), **arguments
    )


STEPS = [
    (
        "two samples in a hand trace",
        trace_of(x=X[:2], y=Y[:2]),
        ShapeError("x has 2 rows, expected 1; a hand trace follows one sample: x[:1]"),
    ),
    (
        "uphill",
        trace_of(learning_rate=-0.5),
        ValueError("learning_rate is -0.5, expected a finite number above 0"),
    ),
    (
        "an unknown way with biases",
        trace_of(biases="all"),
        ValueError("biases is 'all', expected 'each', 'fixed' or 'shared'"),
    ),
    (
        "shared biases that differ",
        lambda: trace_step(
            MLP((1, 2), (sigmoid,)),
            Params.of([[[1.0], [1.0]]], [[0.5, 0.75]]),
            np.ones((1, 1)),
            np.ones((1, 2)),
            half_mse,
            0.5,
            biases="shared",
        ),
        ValueError("b[1] is [0.5  0.75], expected equal numbers: its units share one bias"),
    ),
    (
        "a mistake that is not known",
        lambda: trace_of()().with_bug("typo"),
        ValueError(
            "bug is 'typo'; in this network one can make early_update, output_slope_omitted, "
            "hidden_slope_omitted, slope_at_a, slope_of_z, sign, missing_half, bias_missing"
        ),
    ),
    (
        "an unknown phase",
        lambda: trace_of()().select("sideways"),
        ValueError(
            "phase is 'sideways', expected one of "
            "given, forward, loss, backward, gradient, update, verify"
        ),
    ),
    (
        "a layer that is not there",
        lambda: trace_of()().select("forward", 3),
        ValueError("nothing in phase 'forward' belongs to layer 3"),
    ),
    (
        "a batch larger than the data",
        fit_of(batch_size=5),
        ValueError("batch_size is 5, expected a whole number from 1 to N=4"),
    ),
    (
        "an empty batch",
        fit_of(batch_size=0),
        ValueError("batch_size is 0, expected a whole number from 1 to N=4"),
    ),
    (
        "a fractional batch",
        fit_of(batch_size=2.0),
        ValueError("batch_size is 2.0, expected a whole number from 1 to N=4"),
    ),
    (
        "a true batch",
        lambda: minibatches(4, True, RNG),
        ValueError("batch_size is True, expected a whole number from 1 to N=4"),
    ),
    (
        "training with a vector of targets",
        fit_of(y=Y[:, 0]),
        ShapeError(
            "y has shape (4,), expected (N=4, n_L=1); one number per sample is a column: y[:, None]"
        ),
    ),
    (
        "a negative learning rate",
        lambda: sgd(-0.1),
        ValueError("learning_rate is -0.1, expected a finite number above 0"),
    ),
    (
        "an infinite learning rate",
        lambda: sgd(np.inf),
        ValueError("learning_rate is inf, expected a finite number above 0"),
    ),
    (
        "a true learning rate",
        lambda: sgd(True),
        ValueError("learning_rate is True, expected a finite number above 0"),
    ),
    (
        "a word for a learning rate",
        lambda: sgd("0.1"),
        ValueError("learning_rate is '0.1', expected a finite number above 0"),
    ),
    (
        "a complex learning rate",
        lambda: sgd(np.complex128(1)),
        ValueError("learning_rate is np.complex128(1+0j), expected a finite number above 0"),
    ),
]

DATA = [
    (
        "a list of labels",
        lambda: one_hot([0, 1], 3),
        TypeError("labels are a list, expected an array of integers: np.array(labels).astype(int)"),
    ),
    (
        "floating labels",
        lambda: one_hot(np.array([0.0, 1.0]), 3),
        TypeError(
            "labels are float64, expected an array of integers: np.array(labels).astype(int)"
        ),
    ),
    (
        "a column of labels",
        lambda: one_hot(LABELS[:, None], 3),
        ShapeError("labels have shape (4, 1), expected (N,): one integer a sample"),
    ),
    (
        "no labels",
        lambda: one_hot(LABELS[:0], 3),
        ShapeError("labels have shape (0,), expected (N,): one integer a sample"),
    ),
    (
        "labels out of range",
        lambda: one_hot(LABELS, 2),
        ValueError("labels run from 0 to 2, expected 0 to 1"),
    ),
    (
        "labels counted from -1",
        lambda: one_hot(LABELS - 1, 3),
        ValueError("labels run from -1 to 1, expected 0 to 2"),
    ),
    (
        "no classes",
        lambda: one_hot(LABELS, 0),
        ValueError("K is 0, expected the number of classes: a whole number, 1 or more"),
    ),
    (
        "standardising a vector",
        lambda: standardise(X[0]),
        ShapeError("X has shape (2,), expected (N, n_0): one sample a row"),
    ),
    (
        "standardising a constant column",
        lambda: standardise(np.column_stack([X[:, 0], np.full(4, 0.1)])),
        ValueError("column 1 of X is constant and has no scale; leave it out"),
    ),
    (
        "standardising integers",
        lambda: standardise(np.array([[1], [2]])),
        TypeError("X has dtype int64, expected float64 or float32; convert it: X.astype(float)"),
    ),
    (
        "an odd number of points",
        lambda: make_moons(3, 0.1, RNG),
        ValueError("N is 3, expected an even positive number: half the points a class"),
    ),
    (
        "no points",
        lambda: make_spirals(0, 0.1, RNG),
        ValueError("N is 0, expected an even positive number: half the points a class"),
    ),
    (
        "negative noise",
        lambda: make_moons(4, -0.1, RNG),
        ValueError("noise is -0.1, expected a finite number, 0 or more"),
    ),
    (
        "noise that is nan",
        lambda: make_spirals(4, np.nan, RNG),
        ValueError("noise is nan, expected a finite number, 0 or more"),
    ),
    (
        "a seed",
        lambda: make_moons(4, 0.1, 7),
        TypeError("rng is 7, expected a Generator; make one: np.random.default_rng(seed)"),
    ),
    (
        "a seed for the digits",
        lambda: load_digits(0),
        TypeError("rng is 0, expected a Generator; make one: np.random.default_rng(seed)"),
    ),
    (
        "one name for the columns",
        lambda: load_penguins("body_mass_g"),
        ValueError(
            "found 'body_mass_g', expected a list of columns: "
            "bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g"
        ),
    ),
    (
        "no columns",
        lambda: load_penguins([]),
        ValueError(
            "found [], expected a list of columns: "
            "bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g"
        ),
    ),
    (
        "an unknown column",
        lambda: load_penguins(["wing_mm"]),
        ValueError(
            "'wing_mm' is none of the columns: "
            "bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g"
        ),
    ),
    (
        "an unknown species",
        lambda: load_penguins(species=["Emperor"]),
        ValueError("'Emperor' is none of the species: Adelie, Chinstrap, Gentoo"),
    ),
]

DOORS = {
    "inputs": INPUTS,
    "targets": TARGETS,
    "answers": ANSWERS,
    "pairs": PAIRS,
    "networks": NETWORKS,
    "checks": CHECKS,
    "steps": STEPS,
    "data": DATA,
}


def refusals() -> Iterator[Any]:
    for door, rows in DOORS.items():
        for name, call, error in rows:
            yield pytest.param(call, error, id=f"{door}: {name}")


@pytest.mark.parametrize(("call", "error"), list(refusals()))
def test_a_door_refuses(call: Callable[[], Any], error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        call()
    assert raised.type is type(error)
    assert str(raised.value) == str(error)


def test_a_refusal_is_one_line() -> None:
    messages = [str(error) for rows in DOORS.values() for _, _, error in rows]
    assert [message for message in messages if "\n" in message] == []


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_is_refused_because_its_product_is_another() -> None:
    with pytest.raises(TypeError, match="X is a matrix, expected a numpy array of floats"):
        predict(MLP_, PARAMS, np.matrix(X))


def test_good_arrays_pass_the_doors_as_they_are() -> None:
    assert check_array("X", X) is X
    assert check_rows("X", X, 2, "n_0") is X
    assert check_rows("X", X, 2, "n_0", rows=4) is X
    check_same_dtype("X", X, "y", Y)
    check_positive("h", 1e-300)
    check_positive("h", np.float32(2))
    check_rng(RNG)


def test_doors_accept_every_memory_layout() -> None:
    layouts = [np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X[::-1][::-1]]
    for inputs in layouts:
        np.testing.assert_array_equal(predict(MLP_, PARAMS, inputs), CACHE.a[-1])


def locked(*arrays: Any) -> None:
    for array in arrays:
        array.setflags(write=False)


def test_no_argument_is_ever_changed() -> None:
    """Every function of the core works on arrays that cannot be written to."""
    rng = np.random.default_rng(1)
    mlp = MLP((2, 3, 1), (tanh, sigmoid))
    params, inputs, targets = mlp.init(rng), rng.standard_normal((6, 2)), rng.random((6, 1))
    locked(params.theta, inputs, targets)
    locked(*params.W[1:], *params.b[1:])
    before = [array.copy() for array in (params.theta, inputs, targets)]
    for loss in (half_mse, sse, bce):
        cache = forward(mlp, params, inputs)
        locked(*cache.a, *cache.z[1:])
        gradient = backward(mlp, params, cache, targets, loss).grads
        locked(gradient.theta)
        delta_of(1, mlp, params, cache, targets, loss, {})
        cost(mlp, cache, targets, loss)
        loss(cache.a[-1], targets)
        for method in (central_differences, forward_differences, complex_step, dual_numbers):
            check_gradients(
                mlp, params, inputs, targets, loss, gradient=gradient, method=method, tolerance=1e-4
            )
        trace_step(mlp, params, inputs[:1], targets[:1], loss, 0.5).table()
        fit(mlp, params, inputs, targets, loss, sgd(0.1), epochs=2, batch_size=4, rng=rng)
    standardise(inputs)
    for array, copy in zip((params.theta, inputs, targets), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_no_warning_escapes_on_ordinary_data() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache = forward(MLP_, PARAMS, 1e6 * X)
        for loss in (half_mse, bce):
            backward(MLP_, PARAMS, cache, Y, loss)
            cost(MLP_, cache, Y, loss)
