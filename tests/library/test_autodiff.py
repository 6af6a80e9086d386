"""The engine of chapter 13 against complex steps, differences, PyTorch, autograd and JAX."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_lib.autodiff import (
    RULES,
    Tensor,
    gradients,
    record,
    topological_order,
    unbroadcast,
    zero_grad,
)
from backprop_lib.errors import ShapeError

repeatable = settings(
    derandomize=True, print_blob=False, database=None, deadline=None, max_examples=100
)


def relative_error(found: list[Any], expected: list[Any], floor: float = 1e-2) -> float:
    """Largest difference over the largest expected entry of all the gradients together."""
    assert [np.shape(g) for g in found] == [np.shape(g) for g in expected]
    flat_found, flat_expected = (
        np.concatenate([np.ravel(g) for g in side]) for side in (found, expected)
    )
    scale = max(np.abs(flat_expected).max(), floor)  # a gradient of exactly 0 has no relative error
    return float(np.abs(flat_found - flat_expected).max() / scale)


# The same expressions for every witness: `F` holds the functions, operators speak for themselves.


class Methods:
    """Functions that are methods of the value: ours and PyTorch's have the same names."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda x, *args, **options: getattr(x, name)(*args, **options)


class Formulas:
    """The textbook formulas in a numpy-like namespace; analytic, so that complex steps work."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp
        self.exp, self.log, self.tanh = xp.exp, xp.log, xp.tanh
        self.sum, self.mean, self.reshape = xp.sum, xp.mean, xp.reshape

    def sigmoid(self, x: Any) -> Any:
        return 1 / (1 + self.xp.exp(-x))

    def relu(self, x: Any) -> Any:
        return self.xp.where(self.xp.real(x) > 0, x, 0 * x)

    def maximum(self, x: Any, y: Any) -> Any:
        x, y = x + 0 * y, y + 0 * x  # autograd's `where` does not undo broadcasting
        larger = self.xp.where(self.xp.real(x) > self.xp.real(y), x, y)
        return self.xp.where(self.xp.real(x) == self.xp.real(y), (x + y) / 2, larger)

    def log_softmax(self, x: Any, axis: int) -> Any:
        return x - self.xp.log(self.xp.sum(self.xp.exp(x), axis=axis, keepdims=True))

    def softmax(self, x: Any, axis: int) -> Any:
        return self.xp.exp(self.log_softmax(x, axis))


Function = Callable[..., Any]  # (F, *inputs) -> output
METHODS, NUMPY = Methods(), Formulas(np)


def by_autodiff(
    function: Function, inputs: list[np.ndarray], seed: np.ndarray | None = None
) -> list[np.ndarray]:
    tensors = [Tensor(x) for x in inputs]
    return gradients(function(METHODS, *tensors), tensors, seed)


def entry_by_entry(inputs: list[np.ndarray], slope: Callable[[list[Any], int, Any], float]) -> Any:
    return [
        np.array([slope(inputs, k, i) for i in np.ndindex(x.shape)]).reshape(x.shape)
        for k, x in enumerate(inputs)
    ]


def moved(inputs: list[np.ndarray], k: int, i: tuple[int, ...], step: complex) -> list[np.ndarray]:
    shifted = [x.astype(np.result_type(x, type(step))) for x in inputs]
    shifted[k][i] += step
    return shifted


def by_complex_step(
    function: Function, inputs: list[np.ndarray], seed: np.ndarray | float = 1.0
) -> list[np.ndarray]:
    def slope(at: list[Any], k: int, i: Any) -> float:
        return float(np.sum(seed * function(NUMPY, *moved(at, k, i, 1e-30j)).imag) / 1e-30)

    return entry_by_entry(inputs, slope)


def by_central_differences(
    function: Function, inputs: list[np.ndarray], seed: np.ndarray | float = 1.0, h: float = 1e-5
) -> list[np.ndarray]:
    def slope(at: list[Any], k: int, i: Any) -> float:
        ahead, behind = (function(NUMPY, *moved(at, k, i, step)) for step in (h, -h))
        return float(np.sum(seed * (ahead - behind)) / (2 * h))

    return entry_by_entry(inputs, slope)


def by_torch(function: Function, inputs: list[np.ndarray]) -> list[np.ndarray]:
    torch = pytest.importorskip("torch")
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    function(METHODS, *leaves).backward()
    return [np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in leaves]


def by_autograd(function: Function, inputs: list[np.ndarray]) -> list[np.ndarray]:
    autograd = pytest.importorskip("autograd")
    formulas = Formulas(autograd.numpy)
    slope = autograd.grad(lambda xs: function(formulas, *xs))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Output seems independent of input")
        return list(slope(list(inputs)))


def by_jax(function: Function, inputs: list[np.ndarray]) -> list[np.ndarray]:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        formulas = Formulas(jax.numpy)
        slope = jax.jit(jax.grad(lambda xs: function(formulas, *xs)))
        return [np.asarray(g) for g in slope([jax.numpy.asarray(x) for x in inputs])]


# ------------------------------------------------------------------------------------------------
# Each row of the table of rules


class Case:
    def __init__(
        self, op: str, function: Function, *shapes: tuple[int, ...], positive: bool = False
    ) -> None:
        self.op, self.function, self.shapes, self.positive = op, function, shapes, positive

    def inputs(self) -> list[np.ndarray]:
        rng = np.random.default_rng(7)
        draw = (lambda s: rng.uniform(0.5, 2.0, s)) if self.positive else rng.standard_normal
        return [np.array(draw(shape)) for shape in self.shapes]


ROWS = np.array([0, 1, 1, 0, 1])
COLUMNS = np.array([2, 0, 0, 1, 2])
CONSTANT = np.array([[0.5, -2.0, 1.5]])
CASES = [
    Case("+", lambda F, x, y: x + y, (2, 3), (2, 3)),
    Case("+", lambda F, x, y: x + y, (2, 3), (3,)),
    Case("-", lambda F, x, y: x - y, (2, 1), (3,)),
    Case("*", lambda F, x, y: x * y, (3,), (2, 3)),
    Case("*", lambda F, x, y: x * y, (4, 1, 3), (2, 1)),
    Case("/", lambda F, x, y: x / y, (2, 3), (1, 3), positive=True),
    Case("@", lambda F, x, y: x @ y, (2, 3), (3, 4)),
    Case("@", lambda F, x: x @ x, (3, 3)),
    Case("max", lambda F, x, y: F.maximum(x, y), (2, 3), (3,)),
    Case("neg", lambda F, x: -x, (2, 3)),
    Case("exp", lambda F, x: F.exp(x), (2, 3)),
    Case("log", lambda F, x: F.log(x), (2, 3), positive=True),
    Case("tanh", lambda F, x: F.tanh(x), (2, 3)),
    Case("sigmoid", lambda F, x: F.sigmoid(x), (2, 3)),
    Case("relu", lambda F, x: F.relu(x), (2, 3)),
    Case("**", lambda F, x: x**2, (2, 3)),
    Case("**", lambda F, x: x**3, (), positive=True),
    Case("**", lambda F, x: x**-1.5, (2, 3), positive=True),
    Case("**", lambda F, x: x**1 + x**0, (2, 3)),
    Case("T", lambda F, x: x.T, (2, 3)),
    Case("T", lambda F, x: x.T, (2, 3, 4)),
    Case("reshape", lambda F, x: x.reshape(3, 2), (2, 3)),
    Case("reshape", lambda F, x: x.reshape(-1), (2, 3)),
    Case("[]", lambda F, x: x[1], (2, 3)),
    Case("[]", lambda F, x: x[:, ::-2], (2, 3)),
    Case("[]", lambda F, x: x[..., None, -1], (2, 3)),
    Case("[]", lambda F, x: x[[True, False]], (2, 3)),
    Case("[]", lambda F, x: x[ROWS, COLUMNS], (2, 3)),
    Case("[]", lambda F, x: x[ROWS], (2, 3)),
    Case("sum", lambda F, x: F.sum(x), (2, 3)),
    Case("sum", lambda F, x: F.sum(x), ()),
    Case("sum", lambda F, x: F.sum(x, axis=0), (2, 3)),
    Case("sum", lambda F, x: F.sum(x, axis=-1, keepdims=True), (2, 3)),
    Case("sum", lambda F, x: F.sum(x, axis=(0, -1)), (2, 3, 4)),
    Case("sum", lambda F, x: F.mean(x), (2, 3)),
    Case("sum", lambda F, x: F.mean(x, axis=1), (2, 3)),
    Case("sum", lambda F, x: F.mean(x, axis=(0, 2), keepdims=True), (2, 3, 4)),
    Case("log_softmax", lambda F, x: F.log_softmax(x, axis=-1), (2, 3)),
    Case("log_softmax", lambda F, x: F.log_softmax(x, axis=0), (2, 3)),
    Case("log_softmax", lambda F, x: F.softmax(x, axis=1), (2, 3)),
]
WITH_CONSTANTS = [
    Case("+", lambda F, x: CONSTANT + x + CONSTANT, (2, 1)),
    Case("-", lambda F, x: CONSTANT - x - CONSTANT, (2, 3)),
    Case("*", lambda F, x: CONSTANT * x * CONSTANT, (2, 1)),
    Case("/", lambda F, x: CONSTANT / x / CONSTANT, (2, 3), positive=True),
    Case("@", lambda F, x: CONSTANT @ x @ CONSTANT, (3, 1)),
    Case("max", lambda F, x: F.maximum(x, CONSTANT), (2, 3)),
]


def test_every_rule_has_a_case() -> None:
    assert {case.op for case in CASES} == set(RULES)


@pytest.mark.parametrize("case", CASES + WITH_CONSTANTS, ids=lambda case: case.op)
def test_value_and_gradient_of_each_operation(case: Case) -> None:
    inputs = case.inputs()
    expected = case.function(NUMPY, *inputs)
    output = case.function(METHODS, *(Tensor(x) for x in inputs))
    assert case.op in {node.op for node in topological_order(output)}
    assert output.shape == expected.shape
    assert relative_error([output.data], [expected]) < 1e-15

    seed = np.random.default_rng(8).standard_normal(output.shape)
    found = by_autodiff(case.function, inputs, seed)
    assert relative_error(found, by_complex_step(case.function, inputs, seed)) < 1e-14
    assert relative_error(found, by_central_differences(case.function, inputs, seed)) < 1e-8


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.op)
def test_float32_stays_float32(case: Case) -> None:
    tensors = [Tensor(x.astype(np.float32)) for x in case.inputs()]
    output = case.function(METHODS, *tensors)
    found = gradients(output, tensors, np.ones(output.shape, np.float32))
    assert {node.data.dtype for node in topological_order(output)} == {np.dtype(np.float32)}
    assert {g.dtype for g in found} == {np.dtype(np.float32)}


@pytest.mark.parametrize("key", [1, np.s_[:, 1:], np.s_[None, ..., 0], np.array([1, 1, 0, 1])])
def test_indexing_adds_up_an_entry_that_is_picked_more_than_once(key: Any) -> None:
    x = Tensor(np.arange(6.0).reshape(2, 3))
    (found,) = gradients(x[key].sum(), [x])
    times_picked = np.bincount(np.arange(6).reshape(2, 3)[key].ravel(), minlength=6).reshape(2, 3)
    assert found.tolist() == times_picked.tolist()


def test_powers_0_and_1_have_slopes_at_0() -> None:
    x = Tensor(np.array([0.0, 2.0]))
    assert [gradients((x**n).sum(), [x])[0].tolist() for n in (0, 1, 2)] == [[0, 0], [1, 1], [0, 4]]


def test_functions_do_not_overflow() -> None:
    x = Tensor(np.array([-1000.0, 0.0, 1000.0]))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a, p = x.sigmoid(), x.log_softmax()
        slopes = [gradients(y.sum(), [x])[0] for y in (a, p, x.softmax(), x.tanh())]
    assert a.data.tolist() == [0.0, 0.5, 1.0]
    assert p.data.tolist() == [-2000.0, -1000.0, 0.0]
    assert slopes[0].tolist() == [0.0, 0.25, 0.0]
    assert all(np.isfinite(slope).all() for slope in slopes)


def test_sigmoid_and_softmax_keep_their_digits_far_from_zero() -> None:
    assert Tensor(-40.0).sigmoid().data == pytest.approx(np.exp(-40), rel=1e-15)
    logits = Tensor(np.array([1000.0, 990.0]))
    assert logits.log_softmax().data[0] == pytest.approx(-np.log1p(np.exp(-10)), rel=1e-12)


# ------------------------------------------------------------------------------------------------
# Kinks: what is said at the points where there is no slope


def test_relu_has_slope_0_at_0() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    expected = [np.array([0.0, 0.0, 1.0])]
    assert relative_error(by_autodiff(lambda F, x: F.relu(x).sum(), [x]), expected) == 0
    torch = pytest.importorskip("torch")
    leaf = torch.tensor(x, requires_grad=True)
    leaf.relu().sum().backward()
    assert leaf.grad.tolist() == expected[0].tolist()


def test_a_tie_at_maximum_is_shared() -> None:
    def function(F: Any, x: Any, y: Any) -> Any:
        return F.maximum(x, y).sum()

    inputs = [np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 4.0])]
    expected = [np.array([0.5, 1.0, 0.0]), np.array([0.5, 0.0, 1.0])]
    assert relative_error(by_autodiff(function, inputs), expected) == 0
    assert relative_error(by_torch(function, inputs), expected) == 0


def test_the_maximum_of_x_and_itself_has_slope_1() -> None:
    x = Tensor(np.array([-1.0, 0.0, 2.0]))
    assert gradients(x.maximum(x).sum(), [x])[0].tolist() == [1.0, 1.0, 1.0]


def test_a_tie_with_a_constant_gives_half() -> None:
    x = Tensor(np.array([-1.0, 0.0, 2.0]))
    assert gradients(x.maximum(0).sum(), [x])[0].tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("framework", ["autograd.numpy", "jax.numpy"])
def test_frameworks_share_ties_too(framework: str) -> None:
    pytest.importorskip(framework)
    if framework == "jax.numpy":
        import jax

        assert float(jax.grad(jax.numpy.maximum)(1.0, 1.0)) == 0.5
        assert float(jax.grad(jax.nn.relu)(0.0)) == 0.0
    else:
        import autograd
        import autograd.numpy as anp

        assert float(autograd.grad(anp.maximum)(1.0, 1.0)) == 0.5


# ------------------------------------------------------------------------------------------------
# Forks, paths, depth


def test_a_fork_is_a_sum_over_paths() -> None:
    a = Tensor(3.0)
    b = a**2
    y = b**2 + b
    assert [float(g) for g in gradients(y, [a, b, y])] == [114.0, 19.0, 1.0]


def naive_backward(node: Tensor, adjoint: dict[Tensor, Any]) -> None:
    """The classic mistake: push on from a node before its own gradient is complete."""
    for parent, arriving in zip(node.parents, node.pullback(adjoint[node]), strict=True):
        adjoint[parent] = adjoint.get(parent, 0.0) + arriving
    for parent in node.parents:
        naive_backward(parent, adjoint)


def test_recursion_without_an_order_counts_again() -> None:
    a = Tensor(3.0)
    b = a * a
    y = b * b + b
    adjoint: dict[Tensor, Any] = {y: 1.0}
    naive_backward(y, adjoint)
    assert float(adjoint[a]) == 342  # b is visited three times, each time with all it has
    assert float(gradients(y, [a])[0]) == 114


def counting_visits(output: Tensor) -> dict[Tensor, int]:
    visits: dict[Tensor, int] = {}

    def counted(node: Tensor) -> Callable[[Any], list[Any]]:
        pullback = node.pullback

        def counting(g: Any) -> list[Any]:
            visits[node] = visits.get(node, 0) + 1
            return pullback(g)

        return counting

    for node in topological_order(output):
        node.pullback = counted(node)
    return visits


def test_two_to_the_60_paths_take_61_visits() -> None:
    first = x = Tensor(1.0)
    for _ in range(60):
        x = x + x
    visits = counting_visits(x)
    assert float(gradients(x, [first])[0]) == 2.0**60
    assert len(topological_order(x)) == 61
    assert set(visits.values()) == {1}
    assert len(visits) == 61


def test_a_chain_of_100_000_operations() -> None:
    first = x = Tensor(1.0)
    for _ in range(100_000):
        x = -x
    assert float(gradients(x, [first])[0]) == 1.0
    with pytest.raises(RecursionError):
        naive_backward(x, {x: 1.0})


@repeatable
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=40))
def test_parents_come_before_children_and_each_node_once(edges: list[tuple[int, int]]) -> None:
    nodes = [Tensor(1.0)]
    for i, j in edges:
        nodes.append(nodes[i % len(nodes)] + nodes[j % len(nodes)])
    order = topological_order(nodes[-1])
    place = {node: k for k, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is nodes[-1]
    assert all(place[parent] < place[node] for node in order for parent in node.parents)


def test_the_graph_is_there_before_anything_runs_backwards() -> None:
    x, y = Tensor(2.0, name="x"), Tensor(5.0, name="y")
    z = x * y
    assert (z.op, z.parents) == ("*", (x, y))
    assert [parent.name for parent in z.parents] == ["x", "y"]
    assert [float(g) for g in z.pullback(np.array(10.0))] == [50.0, 20.0]
    assert (x.op, x.parents) == ("", ())


def test_constants_are_not_part_of_the_graph() -> None:
    x = Tensor(np.ones((3, 2)))
    y = np.ones((4, 3)) @ (2 * x)
    assert [node.op for node in topological_order(y)] == ["", "*", "@"]


# ------------------------------------------------------------------------------------------------
# Broadcasting


@st.composite
def broadcast_shapes(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    wide = tuple(draw(st.lists(st.integers(1, 4), max_size=4)))
    kept = wide[draw(st.integers(0, len(wide))) :]
    return tuple(draw(st.sampled_from((1, n))) for n in kept), wide


@repeatable
@given(broadcast_shapes())
def test_unbroadcast_is_the_transpose_of_broadcasting(shapes: tuple[Any, Any]) -> None:
    narrow, wide = shapes
    rng = np.random.default_rng(3)
    x, g = np.array(rng.standard_normal(narrow)), np.array(rng.standard_normal(wide))
    back = unbroadcast(g, narrow)
    assert back.shape == narrow
    assert np.isclose((np.broadcast_to(x, wide) * g).sum(), (x * back).sum(), rtol=1e-12)


@pytest.mark.parametrize(("wide", "narrow"), [((2, 3), (3, 2)), ((3,), (1, 3)), ((2, 3), (2,))])
def test_unbroadcast_refuses_what_broadcasting_cannot_do(wide: Any, narrow: Any) -> None:
    with pytest.raises(ShapeError, match="cannot come from broadcasting"):
        unbroadcast(np.ones(wide), narrow)


def test_a_rule_that_returns_the_wrong_shape_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "T", lambda x: (x.T, lambda g: g))
    x = Tensor(np.ones((2, 3)))
    with pytest.raises(ShapeError, match=r"\(3, 2\) cannot come from broadcasting \(2, 3\)"):
        gradients(x.T.sum(), [x])


def test_a_new_rule_is_a_new_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "sin", lambda x: (np.sin(x), lambda g: g * np.cos(x)))
    x = Tensor(0.3)
    (found,) = gradients(record("sin", x) * 2, [x])
    assert found == pytest.approx(2 * np.cos(0.3), rel=1e-15)


# ------------------------------------------------------------------------------------------------
# gradients, backward, zero_grad


def test_gradients_change_nothing() -> None:
    x = np.array([1.0, 2.0])
    tensor = Tensor(x)
    y = (tensor.exp() * tensor).sum()
    first, second = gradients(y, [tensor]), gradients(y, [tensor])
    assert first[0].tolist() == second[0].tolist()
    assert all(node.grad is None for node in topological_order(y))
    assert x.tolist() == [1.0, 2.0]
    assert x.flags.writeable


def test_gradients_never_share_memory() -> None:
    x, y = Tensor(np.ones(3)), Tensor(np.ones(3))
    seed = np.ones(3)
    arrays = [*gradients(x + y, [x, y, x], seed), seed]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k])
    arrays[0] *= 5
    assert [a.tolist() for a in arrays[1:]] == [[1.0] * 3] * 3


def test_gradients_takes_any_iterable_and_any_node() -> None:
    x = Tensor(np.array([1.0, 2.0]))
    square = x**2
    y = square.sum()
    found = gradients(y, (node for node in (y, square, x, Tensor(np.ones((2, 2))))))
    expected = [1.0, [1.0, 1.0], [2.0, 4.0], [[0.0, 0.0], [0.0, 0.0]]]
    assert [g.tolist() for g in found] == expected


def test_a_seed_weighs_the_outputs() -> None:
    x = Tensor(np.array([1.0, 2.0, 3.0]))
    seed = np.array([1.0, 0.0, -1.0])
    assert gradients(x**2, [x], seed)[0].tolist() == [2.0, 0.0, -6.0]
    (x**2).backward(seed)
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 0.0, -6.0]
    y = Tensor(3.0)
    assert float(gradients(y * y, [y], 2)[0]) == 12.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_number_needs_no_seed_whatever_its_shape(dtype: type) -> None:
    x = Tensor(np.array([[2.0], [3.0]], dtype))
    for y in (x.sum(), x.sum(keepdims=True), x.sum(axis=0)):
        own, at_x = gradients(y, [y, x])
        assert (own.shape, own.dtype) == (y.shape, dtype)
        assert (at_x.shape, at_x.dtype) == ((2, 1), dtype)


def test_second_backward_doubles() -> None:
    a = Tensor(3.0)
    b = a**2
    y = b**2 + b
    for times in (1, 2, 3):
        y.backward()
        assert [float(t.grad) for t in (a, b, y)] == [114.0 * times, 19.0 * times, times]
    zero_grad(a)
    y.backward()
    assert [float(t.grad) for t in (a, b)] == [114.0, 19.0 * 4]


def test_backward_of_two_losses_adds_up_like_their_sum() -> None:
    x = Tensor(np.array([0.5, -1.0]))
    first, second = (x**2).sum(), x.exp().sum()
    first.backward()
    second.backward()
    (expected,) = gradients(first + second, [x])
    assert x.grad is not None
    assert x.grad.tolist() == expected.tolist()


def test_zero_grad_forgets_only_what_it_is_given() -> None:
    x, y = Tensor(1.0), Tensor(2.0)
    (x * y).backward()
    zero_grad(x)
    assert x.grad is None
    assert isinstance(y.grad, np.ndarray)
    zero_grad()


def test_the_framework_loop_and_the_functional_loop_are_one() -> None:
    rng = np.random.default_rng(0)
    X, y, start = rng.standard_normal((8, 3)), rng.standard_normal((8, 1)), np.ones((1, 3)) / 3
    W = Tensor(start)
    for _ in range(5):
        zero_grad(W)
        J = ((X @ W.T - y) ** 2).mean() / 2
        J.backward()
        W.data = W.data - 0.1 * W.grad
    V = Tensor(start)
    for _ in range(5):
        J = ((X @ V.T - y) ** 2).mean() / 2
        (dV,) = gradients(J, [V])
        V = Tensor(V.data - 0.1 * dV)
    assert W.data.tolist() == V.data.tolist()
    closed = start.copy()
    for _ in range(5):
        closed -= 0.1 * (X @ closed.T - y).T @ X / 8
    assert np.allclose(V.data, closed, rtol=1e-13, atol=0)


# ------------------------------------------------------------------------------------------------
# What the tape has read stays as it was


def test_data_is_a_copy_and_read_only() -> None:
    x = np.array([1.0, 2.0])
    tensor = Tensor(x)
    x[0] = 50.0
    assert tensor.data.tolist() == [1.0, 2.0]
    for node in (tensor, tensor.exp(), tensor * 2, tensor.sum(), tensor[0]):
        with pytest.raises(ValueError, match="read-only"):
            node.data += 1
    tensor.data = x
    x[0] = 60.0
    with pytest.raises(ValueError, match="read-only"):
        tensor.data -= 1
    assert tensor.data.tolist() == [50.0, 2.0]


def test_a_new_value_leaves_the_recorded_graph_alone() -> None:
    x = Tensor(3.0)
    y = x.exp() * x
    before = gradients(y, [x])
    x.data = 5.0
    assert gradients(y, [x]) == before
    assert float(gradients(x * x, [x])[0]) == 10.0


# ------------------------------------------------------------------------------------------------
# Numbers and arrays beside a tensor


def test_plain_numbers_take_the_dtype_of_the_tensor() -> None:
    for dtype in (np.float64, np.float32):
        x = Tensor(np.array([2.0, 4.0], dtype))
        for number in (2, 2.0, np.int64(2), np.float64(2), np.float32(2)):
            for y in (number * x, x * number, number + x, number - x, x / number, number / x):
                assert isinstance(y, Tensor)
                assert y.data.dtype == dtype
    assert (2 / Tensor(4.0)).data == 0.5
    assert Tensor(np.float32(3)).data.dtype == np.float32


def test_an_array_on_the_left_leaves_the_work_to_the_tensor() -> None:
    x = Tensor(np.ones((2, 2)))
    for y in (CONSTANT.T[:2] * x, np.eye(2) @ x, np.eye(2) - x, np.eye(2) / x, np.eye(2) + x):
        assert isinstance(y, Tensor)
        assert y.shape == (2, 2)


X23, X3 = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: Tensor(3), TypeError, "data is a int, expected a numpy array of floats"),
    (lambda: Tensor([1.0, 2.0]), TypeError, "data is a list, expected a numpy array of floats"),
    (lambda: Tensor(X3), TypeError, "data is a Tensor, expected a numpy array of floats"),
    (lambda: Tensor(np.arange(3)), TypeError, "data has dtype int64, expected float64 or float32"),
    (lambda: Tensor(np.array([X3])), TypeError, "data has dtype object, expected float64"),
    (lambda: Tensor(np.array([1j])), TypeError, "data has dtype complex128, expected float64"),
    (lambda: Tensor(np.empty((0, 2))), ValueError, "data is empty"),
    (lambda: Tensor(np.array([1.0, np.nan])), ValueError, r"data\[1\] is nan, expected finite"),
    (lambda: Tensor(float("inf")), ValueError, "is inf, expected finite numbers"),
    (lambda: setattr(X3, "data", 3), TypeError, "data is a int"),
    (lambda: X3 * np.arange(3), TypeError, "operand has dtype int64, expected float64"),
    (lambda: X3 * [1.0, 2.0, 3.0], TypeError, "operand is a list, expected a numpy array"),
    (lambda: X3 + None, TypeError, "operand is a NoneType, expected a numpy array"),
    (lambda: X3 + np.array([0.0, np.inf, 0.0]), ValueError, r"operand\[1\] is inf"),
    (lambda: X3 * float("nan"), ValueError, "is nan, expected finite numbers"),
    (lambda: X3 * np.ones(3, np.float32), TypeError, "operand is float32 and .* is float64"),
    (lambda: X3 * Tensor(np.ones(3, np.float32)), TypeError, "operand is float32 and"),
    (lambda: X3**X3, TypeError, r"exponent is a Tensor, .* write \(n \* x.log\(\)\).exp\(\)"),
    (lambda: X3 ** np.ones(3), TypeError, "exponent is a ndarray, expected a plain number"),
    (lambda: X23 @ X23, ShapeError, r"\(2, 3\) and \(2, 3\), expected \(n, k\) and \(k, m\)"),
    (lambda: X23 @ X3, ShapeError, r"x @ y has shapes \(2, 3\) and \(3,\)"),
    (lambda: X23 @ 2, ShapeError, r"x @ y has shapes \(2, 3\) and \(\)"),
    (lambda: X23 + Tensor(np.ones(2)), ValueError, "could not be broadcast together"),
    (lambda: X23.backward(), ShapeError, r"output has shape \(2, 3\), expected one number"),
    (lambda: gradients(X23, [X23]), ShapeError, "sum or average it first, or pass a seed"),
    (lambda: X23.backward(np.ones(3)), ShapeError, r"seed has shape \(3,\), .* \(2, 3\)"),
    (lambda: X23.backward(1.0), ShapeError, r"seed has shape \(\), expected .* \(2, 3\)"),
    (lambda: X3.backward(np.ones(3, np.float32)), TypeError, "is float32 and .* is float64"),
    (lambda: X3.backward(np.array([1.0, np.nan, 0.0])), ValueError, r"\[1\] is nan"),
    (lambda: gradients(1.0, [X3]), TypeError, "found a float, expected a Tensor"),
    (lambda: gradients(X3.sum(), [np.ones(3)]), TypeError, "found a ndarray, expected a Tensor"),
    (lambda: gradients(X3.sum(), X3), TypeError, "not iterable"),
    (lambda: record("+", 1.0, 2.0), TypeError, "no operand of '\\+' is a Tensor"),
    (lambda: np.exp(X3), TypeError, "does not support ufuncs"),
    (lambda: setattr(X3, "gard", 0.0), AttributeError, "gard"),
    (lambda: X3 > 0, TypeError, "not supported between"),
]


@pytest.mark.parametrize(("mistake", "error", "text"), MISTAKES, ids=[m[2] for m in MISTAKES])
def test_mistakes_are_explained(
    mistake: Callable[[], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        mistake()


# ------------------------------------------------------------------------------------------------
# Random graphs and random networks, every witness

SHAPES = [(), (3,), (2, 1), (2, 3)]
STEPS: dict[str, Function] = {
    # Bounded, so that a long program neither overflows nor loses its digits.
    "+": lambda F, x, y: (x + y) / 2,
    "-": lambda F, x, y: x - 0.5 * y,
    "1-": lambda F, x, y: 1 - x,
    "neg": lambda F, x, y: -x,
    "*": lambda F, x, y: F.tanh(x) * y,
    "/": lambda F, x, y: x / (y * y + 1),
    "1/": lambda F, x, y: 2 / (x**2 + 1),
    "**": lambda F, x, y: (x * x + 1) ** -0.5,
    "exp": lambda F, x, y: F.exp(F.tanh(x)),
    "log": lambda F, x, y: F.log(x * x + 1),
    "sigmoid": lambda F, x, y: F.sigmoid(3 * x),
    "relu": lambda F, x, y: F.relu(x),
    "max": lambda F, x, y: F.maximum(x, y),
    "mean": lambda F, x, y: F.mean(x),
    "columns": lambda F, x, y: F.mean(x, axis=0, keepdims=True) if x.shape else x,
    "rows": lambda F, x, y: F.sum(x, axis=-1) / 3 if x.shape else x,
    "T": lambda F, x, y: x.T if len(x.shape) == 2 else x,
    "reshape": lambda F, x, y: F.reshape(x, (-1,)),
    "pick": lambda F, x, y: x[[0, -1, 0]] if x.shape else x,
    "softmax": lambda F, x, y: F.softmax(x, axis=-1) if x.shape else x,
    "@": lambda F, x, y: (x.T @ x) / 3 if len(x.shape) == 2 else x,
}
Program = list[tuple[str, int, int]]
programs = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 99), st.integers(0, 99)),
    min_size=1,
    max_size=15,
)


def run(program: Program, F: Any, leaves: tuple[Any, ...]) -> Any:
    """Execute the steps on a growing pool of values; every value may be used again."""
    pool = list(leaves)
    for name, i, j in program:
        x, y = pool[i % len(pool)], pool[j % len(pool)]
        pool.append(STEPS[name](F, x, y if fits(x, y) else F.mean(y)))
    return F.sum(pool[-1]) + sum(F.mean(x) for x in pool[:-1]) / len(pool)


def fits(x: Any, y: Any) -> bool:
    try:
        return np.broadcast_shapes(x.shape, y.shape) is not None
    except ValueError:
        return False


class Kinks(Formulas):
    """Remembers how close an expression comes to a point without a slope."""

    def __init__(self) -> None:
        super().__init__(np)
        self.distance = np.inf

    def relu(self, x: Any) -> Any:
        return self.maximum(x, 0.0)

    def maximum(self, x: Any, y: Any) -> Any:
        self.distance = min(self.distance, np.abs(x - y).min())
        return super().maximum(x, y)


def away_from_kinks(program: Program, leaves: list[np.ndarray]) -> Program:
    """Leave out the steps that end on a kink or next to one, where differences say nothing."""
    kept: Program = []
    for step in program:
        kinks = Kinks()
        run([*kept, step], kinks, tuple(leaves))
        if kinks.distance > 1e-3:
            kept.append(step)
    return kept


def random_leaves(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.array(rng.uniform(-1.5, 1.5, shape)) for shape in SHAPES]


@repeatable
@given(programs, st.integers(0, 2**32 - 1))
def test_random_graphs(program: Program, seed: int) -> None:
    leaves = random_leaves(seed)
    program = away_from_kinks(program, leaves)

    def function(F: Any, *inputs: Any) -> Any:
        return run(program, F, inputs)

    found = by_autodiff(function, leaves)
    assert relative_error(found, by_complex_step(function, leaves)) < 1e-12
    assert relative_error(found, by_central_differences(function, leaves)) < 1e-7


@pytest.mark.parametrize("witness", [by_torch, by_autograd])
@repeatable
@given(programs, st.integers(0, 2**32 - 1))
def test_random_graphs_in_the_frameworks(
    witness: Callable[..., list[np.ndarray]], program: Program, seed: int
) -> None:
    leaves = random_leaves(seed)
    program = away_from_kinks(program, leaves)

    def function(F: Any, *inputs: Any) -> Any:
        return run(program, F, inputs)

    found, expected = by_autodiff(function, leaves), witness(function, leaves)
    assert relative_error(found, expected) < 1e-12


@st.composite
def networks(
    draw: st.DrawFn, activations: tuple[str, ...] = ("sigmoid", "tanh", "relu")
) -> tuple[Function, list[np.ndarray]]:
    """Draw a network with its data and its loss, a function of W[1], b[1], W[2], ..."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    phi = draw(st.sampled_from(activations))
    classes = sizes[-1] > 1 and draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    N = draw(st.integers(1, 6))
    X, y = rng.standard_normal((N, sizes[0])), rng.standard_normal((N, sizes[-1]))
    labels = rng.integers(0, sizes[-1], N)
    layers = range(1, len(sizes))
    theta = [
        rng.standard_normal(shape)
        for l in layers
        for shape in ((sizes[l], sizes[l - 1]), (sizes[l],))
    ]

    def loss(F: Any, *theta: Any, X: Any = X, y: Any = y) -> Any:
        a = as_constant(F, X, theta)
        for l in layers:
            z = a @ theta[2 * l - 2].T + theta[2 * l - 1]
            a = z if l == layers[-1] else getattr(F, phi)(z)
        if classes:
            return -F.mean(F.log_softmax(a, axis=-1)[np.arange(N), labels])
        return F.sum((a - as_constant(F, y, theta)) ** 2) / (2 * N)

    return loss, theta


def as_constant(F: Any, array: np.ndarray, theta: tuple[Any, ...]) -> Any:
    return theta[0].new_tensor(array) if hasattr(theta[0], "new_tensor") else array


@repeatable
@given(networks())
def test_random_networks(network: tuple[Function, list[np.ndarray]]) -> None:
    loss, theta = network
    found = by_autodiff(loss, theta)
    assert relative_error(found, by_complex_step(loss, theta)) < 1e-12


@repeatable
@given(networks(activations=("sigmoid", "tanh")))
def test_random_networks_without_kinks_by_differences(
    network: tuple[Function, list[np.ndarray]],
) -> None:
    loss, theta = network
    found = by_autodiff(loss, theta)
    assert relative_error(found, by_central_differences(loss, theta)) < 1e-6


@pytest.mark.parametrize("witness", [by_torch, by_autograd])
@repeatable
@given(networks())
def test_random_networks_in_the_frameworks(
    witness: Callable[..., list[np.ndarray]], network: tuple[Function, list[np.ndarray]]
) -> None:
    loss, theta = network
    assert relative_error(by_autodiff(loss, theta), witness(loss, theta)) < 1e-12


@settings(repeatable, max_examples=10)  # JAX compiles each one
@given(networks())
def test_random_networks_in_jax(network: tuple[Function, list[np.ndarray]]) -> None:
    loss, theta = network
    assert relative_error(by_autodiff(loss, theta), by_jax(loss, theta)) < 1e-12
