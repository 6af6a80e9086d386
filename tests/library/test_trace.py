"""The hand trace: every number of the book, every reading of a line, every mistake."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from formulas import latex_to_text, tree_of
from hypothesis import assume, given
from hypothesis import strategies as st
from random_networks import HIDDEN, PAIRS, Array, Case, cases, repeatable

from backprop_lib.activations import identity, sigmoid, softmax, step, tanh
from backprop_lib.backprop import backward, propagate_back
from backprop_lib.expressions import Expression, evaluate, fold
from backprop_lib.losses import bce, cross_entropy, half_mse, sse
from backprop_lib.mistakes import MISTAKES
from backprop_lib.network import MLP, Params, cost, forward, predict, propagate
from backprop_lib.optimizers import sgd
from backprop_lib.trace import PHASES, Biases, Trace, format_number, trace_step
from backprop_lib.training import fit

SIGMOIDS = (sigmoid, sigmoid)
X1 = np.array([[0.05, 0.10]])

FIRST = trace_step(
    MLP((2, 2, 1), SIGMOIDS),
    Params.of(W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45]]], b=[[0.35, 0.35], [0.60]]),
    X1,
    np.array([[0.01]]),
    half_mse,
    0.5,
)
# The second network is published with inputs x hidden matrices: ours are their transposes.
SECOND = trace_step(
    MLP((2, 2, 1), SIGMOIDS),
    Params.of(
        W=[np.array([[0.3, 0.7], [0.5, 0.2]]).T, np.array([[0.4], [0.6]]).T], b=[[0.1, 0.1], [0.1]]
    ),
    np.array([[0.5, 0.8]]),
    np.array([[1.0]]),
    sse,
    0.1,
)
THIRD_MLP = MLP((2, 2, 2), SIGMOIDS)
THIRD_PARAMS = Params.of(
    W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]], b=[[0.35] * 2, [0.60] * 2]
)
THIRD_Y = np.array([[0.01, 0.99]])


def third(biases: Biases) -> Trace:
    return trace_step(THIRD_MLP, THIRD_PARAMS, X1, THIRD_Y, half_mse, 0.5, biases=biases)


def trace_of(case: Case, learning_rate: float = 0.5, biases: Biases = "each") -> Trace:
    """The trace of a case's first sample."""
    return trace_step(
        case.mlp, case.params, case.X[:1], case.y[:1], case.loss, learning_rate, biases=biases
    )


small_cases = cases(max_layers=3, max_width=3, max_rows=1)


# --- The numbers of the book ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a1[1]", 0.593270),
        ("a1[2]", 0.596884),
        ("a2[1]", 0.751365),
        ("C", 0.274811),
        ("delta2[1]", 0.138499),
        ("dw2[1,1]", 0.082167),
        ("dw2[1,2]", 0.082668),
        ("delta1[1]", 0.013368),
        ("delta1[2]", 0.014996),
        ("dw1[1,1]", 0.000668),
        ("dw1[1,2]", 0.001337),
        ("dw1[2,1]", 0.000750),
        ("dw1[2,2]", 0.001500),
        ("new_w2[1,1]", 0.358916),
        ("new_w2[1,2]", 0.408666),
        ("new_b2[1]", 0.530751),
        ("new_a2[1]", 0.728352),
        ("new_C", 0.258015),
    ],
)
def test_the_first_trace(key: str, value: float) -> None:
    assert FIRST[key] == pytest.approx(value, abs=5e-7)


def test_the_first_trace_as_printed() -> None:
    printed = {q.key: FIRST.number(q.key) for q in FIRST}
    expected = {
        "a2[1]": "0.75137",
        "C": "0.27481",
        "delta2[1]": "0.13850",
        "dw2[1,1]": "0.08217",
        "dw2[1,2]": "0.08267",
        "delta1[1]": "0.01337",
        "delta1[2]": "0.01500",
        "new_a2[1]": "0.72835",
        "new_C": "0.25801",
    }
    assert {key: printed[key] for key in expected} == expected


def test_the_second_trace() -> None:
    values = [SECOND[key] for key in ("a1[1]", "a1[2]", "a2[1]", "C")]
    assert values == pytest.approx([0.657010, 0.647941, 0.679520, 0.102707], abs=5e-7)


def test_the_second_trace_goes_on_for_twenty_steps_as_training_does() -> None:
    given = SECOND.step
    trace = SECOND
    for _ in range(19):
        trace = trace.next()
    run = fit(
        given.mlp,
        given.params,
        given.x,
        given.y,
        given.loss,
        sgd(0.1),
        epochs=20,
        batch_size=1,
        rng=np.random.default_rng(0),
    )
    np.testing.assert_allclose(trace.updated.theta, run.params.theta, rtol=1e-13)
    assert trace["new_C"] == pytest.approx(run.history.loss[-1], rel=1e-12)


@pytest.mark.parametrize(
    ("biases", "bug", "after"),
    [
        ("fixed", None, 0.291027774),
        ("each", None, 0.280471447),
        ("shared", None, 0.285750887),
        ("fixed", "early_update", 0.291027924),
    ],
)
def test_the_third_trace_in_all_its_published_endings(
    biases: Biases, bug: str | None, after: float
) -> None:
    trace = third(biases).with_bug(bug)
    assert trace["C"] == pytest.approx(0.298371109, abs=5e-10)
    assert trace["new_C"] == pytest.approx(after, abs=5e-10)


def weights_only(params: Params, early: bool) -> Params:
    """One step of the third network by matrices; `early` goes back through the updated W[2]."""
    cache = propagate(THIRD_MLP, params, X1)
    grads = propagate_back(THIRD_MLP, params, cache, THIRD_Y, half_mse).grads
    stepped = Params.of(
        [params.W[l] - 0.5 * grads.W[l] for l in (1, 2)], [params.b[1], params.b[2]]
    )
    if early:
        a = cache.a
        delta2 = (a[2] - THIRD_Y) * a[2] * (1 - a[2])
        delta1 = (delta2 @ stepped.W[2]) * a[1] * (1 - a[1])
        stepped.W[1][:] = params.W[1] - 0.5 * delta1.T @ a[0]
    return stepped


@pytest.mark.parametrize(
    ("early", "outputs"),
    [(False, (0.015913620, 0.984064274)), (True, (0.015912196, 0.984065735))],
)
def test_the_third_network_after_ten_thousand_steps(
    early: bool, outputs: tuple[float, float]
) -> None:
    trace = third("fixed").with_bug("early_update" if early else None)
    params = THIRD_PARAMS
    for steps in range(1, 10_001):
        params = weights_only(params, early)
        if steps <= 3:
            np.testing.assert_allclose(trace.updated.theta, params.theta, rtol=1e-13)
            trace = trace.next()
    np.testing.assert_allclose(predict(THIRD_MLP, params, X1)[0], outputs, atol=5e-10)


def test_the_class_with_samples_in_columns_is_the_library_with_samples_in_rows() -> None:
    rng = np.random.default_rng(0)
    X, y = np.array([[0.05, 0.10], [0.10, 0.20], [0.15, 0.30]]), np.array([[0.01], [0.02], [0.03]])
    mlp = MLP((2, 3, 1), SIGMOIDS)
    start = Params.of(
        [0.1 * rng.standard_normal((3, 2)), 0.1 * rng.standard_normal((1, 3))],
        [np.zeros(3), np.zeros(1)],
    )
    W1, W2 = start.W[1].copy(), start.W[2].copy()
    b1, b2 = np.zeros((3, 1)), np.zeros((1, 1))
    losses = []
    for _ in range(1000):
        a1 = 1 / (1 + np.exp(-(W1 @ X.T + b1)))
        a2 = 1 / (1 + np.exp(-(W2 @ a1 + b2)))
        losses.append(float(np.square(a2 - y.T).sum() / 6))
        delta2 = (a2 - y.T) / 3 * a2 * (1 - a2)
        delta1 = (W2.T @ delta2) * a1 * (1 - a1)
        W2, b2 = W2 - 0.5 * delta2 @ a1.T, b2 - 0.5 * delta2.sum(axis=1, keepdims=True)
        W1, b1 = W1 - 0.5 * delta1 @ X, b1 - 0.5 * delta1.sum(axis=1, keepdims=True)
    run = fit(mlp, start, X, y, half_mse, sgd(0.5), epochs=1000, batch_size=3, rng=rng)
    np.testing.assert_allclose(run.history.loss[:-1], losses, rtol=1e-11)
    every_200 = run.history.loss[::200]
    assert all(later < earlier for earlier, later in pairwise(every_200))


# --- The trace is the matrix route ----------------------------------------------------------------


def matrix_route(trace: Trace) -> dict[str, Any]:
    """Every number of a step by `forward` and `backward`, under the names that sources use."""
    given = trace.step
    mlp, params, loss = given.mlp, given.params, given.loss
    cache = forward(mlp, params, given.x)
    back = backward(mlp, params, cache, given.y, loss)
    W = [None, *(params.W[l] - given.learning_rate * back.grads.W[l] for l in range(1, mlp.L + 1))]
    b: list[Any] = [None]
    for l in range(1, mlp.L + 1):
        slope = back.grads.b[l]
        moved = {"each": slope, "fixed": 0 * slope, "shared": np.full_like(slope, slope.sum())}
        b.append(params.b[l] - given.learning_rate * moved[given.biases])
    new_params = Params.of(W[1:], b[1:])
    new = forward(mlp, new_params, given.x)
    return {
        "a": cache.a,
        "z": cache.z,
        "W": params.W,
        "b": params.b,
        "y": given.y,
        "eta": given.learning_rate,
        "J": cost(mlp, cache, given.y, loss),
        "delta": back.delta,
        "dW": back.grads.W,
        "db": back.grads.b,
        "new_W": W,
        "new_b": b,
        "new_z": new.z,
        "new_a": new.a,
        "new_J": loss.value(new.a[-1], given.y),
    }


def in_the_arrays(route: dict[str, Any], source: tuple[Any, ...]) -> float:
    name, l, index = source
    place = route[name] if l is None else route[name][l]
    return float(place[index]) if index else float(place)


@repeatable(80)
@given(small_cases)
def test_every_quantity_stands_in_the_arrays_where_its_source_says(case: Case) -> None:
    # An answer may leave 0..1 in the step; then cross-entropy has no value to compare.
    trace = trace_of(case, learning_rate=0.01 if case.loss is bce else 0.5)
    route = matrix_route(trace)
    for q in trace:
        expected = in_the_arrays(route, q.source)
        assert q.value == pytest.approx(expected, rel=1e-11, abs=1e-13), q.key


@repeatable(40)
@given(cases(max_layers=3, max_width=3, max_rows=1, pairs=[(sigmoid, half_mse), (tanh, sse)]))
def test_every_way_with_biases_stands_in_the_arrays(case: Case) -> None:
    for b in case.params.b[1:]:
        b[:] = b[0]
    for biases in ("fixed", "shared", "each"):
        trace = trace_of(case, biases=biases)
        route = matrix_route(trace)
        for q in trace.select("update") + trace.select("verify"):
            assert q.value == pytest.approx(in_the_arrays(route, q.source), rel=1e-11, abs=1e-13)


@repeatable(60)
@given(small_cases)
def test_the_trace_covers_every_entry_of_every_array_once(case: Case) -> None:
    trace = trace_of(case, learning_rate=0.01)
    sources = [q.source for q in trace]
    assert len(set(sources)) == len(sources) == len(trace)
    for name in ("W", "b", "dW", "db", "new_W", "new_b"):
        found = sum(source[0] == name for source in sources)
        arrays = (case.params.W if name.endswith("W") else case.params.b)[1:]
        assert found == sum(array.size for array in arrays)
    units = sum(case.mlp.sizes[1:])
    for name in ("z", "delta", "new_z"):
        assert sum(source[0] == name for source in sources) == units
    np.testing.assert_allclose(
        trace.grads.theta,
        backward(
            case.mlp, case.params, forward(case.mlp, case.params, case.X), case.y, case.loss
        ).grads.theta,
        rtol=1e-11,
        atol=1e-14,
    )


def test_a_step_activation_can_be_traced() -> None:
    mlp = MLP((2, 2, 1), (step, sigmoid))
    params = Params.of([[[1.0, 2.0], [-3.0, 1.0]], [[0.5, -0.5]]], [[0.1, 0.2], [0.3]])
    trace = trace_step(mlp, params, np.array([[0.5, 0.25]]), np.array([[1.0]]), bce, 0.5)
    assert [trace["a1[1]"], trace["a1[2]"]] == [1.0, 0.0]
    assert trace["a2[1]"] == pytest.approx(predict(mlp, params, np.array([[0.5, 0.25]]))[0, 0])
    assert trace["dw1[1,1]"] == 0


@repeatable(40)
@given(small_cases)
def test_a_quantity_reads_only_what_stands_above_it(case: Case) -> None:
    trace = trace_of(case, learning_rate=0.01)
    known: set[str] = set()
    phases = []
    for q in trace:
        assert known.issuperset(q.reads), q.key
        known.add(q.key)
        phases.append(PHASES.index(q.phase))
    assert [trace.select(phase) != [] for phase in PHASES] == [True] * 7
    assert phases[0] == 0
    assert phases[-1] == 6


def test_asking_for_an_unknown_quantity_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"a9\[1\]; a trace of this network has x\[1\], x\[2\]"):
        FIRST["a9[1]"]


def test_a_trace_introduces_itself() -> None:
    assert repr(FIRST) == f"<Trace of a 2-2-1 network, {len(FIRST)} quantities>"
    assert repr(FIRST.with_bug("sign")).endswith("bug sign>")
    assert len(FIRST) == len(list(FIRST)) == 48


# --- All readings of a line are one formula -------------------------------------------------------


def values_of(trace: Trace) -> dict[str, float]:
    return {q.key: q.value for q in trace}


def computed(trace: Trace) -> list[Any]:
    return [q for q in trace if q.phase != "given"]


@repeatable(40)
@given(small_cases)
def test_the_text_formula_gives_the_value_to_the_last_bit(case: Case) -> None:
    trace = trace_of(case, learning_rate=0.01)
    values = values_of(trace)
    for q in computed(trace):
        symbol, formula, _, _ = trace.reading(q)
        assert symbol == q.key
        assert evaluate(tree_of(formula), values) == q.value, formula


@repeatable(40)
@given(small_cases)
def test_the_latex_formula_gives_the_value_to_the_last_bit(case: Case) -> None:
    trace = trace_of(case, learning_rate=0.01)
    values, names = values_of(trace), {q.latex: q.key for q in trace}
    assert len(names) == len(trace)  # no two quantities are written alike
    blocks = latex_lines(trace)
    assert len(blocks) == len(trace)
    for q, (symbol, *steps) in zip(trace, blocks, strict=True):
        assert names[symbol] == q.key
        assert steps[-1] == trace.number(q.key)
        if q.phase != "given":
            formula = latex_to_text(steps[0], names)
            assert evaluate(tree_of(formula), values) == q.value, formula


def latex_lines(trace: Trace, **selection: Any) -> list[list[str]]:
    """Symbol, formula, numbers, value of each line of the aligned block."""
    block = trace.to_latex(**selection)
    assert block.startswith("\\begin{aligned}\n")
    assert block.endswith("\n\\end{aligned}")
    body = block.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    return [re.split(r" (?:\\\\ )?&= ", line) for line in body.split(" \\\\[4pt]\n")]


@repeatable(40)
@given(small_cases, st.integers(2, 8))
def test_text_latex_and_html_print_the_same_numbers(case: Case, digits: int) -> None:
    trace = trace_of(case, learning_rate=0.01)
    rows = [trace.reading(q, digits) for q in trace]
    html = BeautifulSoup(trace.to_html(digits=digits), "html.parser").find_all("tr")[1:]
    assert [tuple(cell.text for cell in row.find_all(["th", "td"])) for row in html] == rows
    for (_, _, numbers, value), (_, *steps) in zip(
        rows, latex_lines(trace, digits=digits), strict=True
    ):
        assert steps[-1] == value.removesuffix("*")
        if numbers:
            assert evaluate_like(tree_of(latex_to_text(steps[1]))) == evaluate_like(
                tree_of(numbers)
            )


def evaluate_like(tree: Expression) -> float:
    value = evaluate(tree, {})
    return 0.0 if math.isnan(value) else value


@repeatable(15)
@given(small_cases)
def test_the_json_evaluates_to_the_values_in_order(case: Case) -> None:
    """What the page's script does: evaluate each expression from those before it."""
    trace = trace_of(case, learning_rate=0.01)
    content = json.loads(trace.to_json())
    values: dict[str, float] = {}
    for entry, q in zip(content["quantities"], trace, strict=True):
        values[entry["key"]] = evaluate(tuples(entry["expression"]), values)
        assert values[entry["key"]] == entry["value"] == q.value
        assert entry["reads"] == list(q.reads)
        assert (entry["phase"], entry["layer"], entry["latex"]) == (q.phase, q.layer, q.latex)
    weights_and_biases = [q.key for q in trace.select("given") if q.source[0] in ("W", "b")]
    assert list(content["gradients"]) == weights_and_biases
    assert all(values.keys() >= {gradient} for gradient in content["gradients"].values())
    for name, bug in content["bugs"].items():
        buggy = trace.with_bug(name)
        changed = {key: tuples(line) for key, line in bug["expressions"].items()}
        expressions = {q.key: q.expression for q in trace} | changed
        assert expressions == {q.key: q.expression for q in buggy}
        assert bug["title"] == MISTAKES[name].title
        assert bug["advice"] == MISTAKES[name].advice


def tuples(part: Any) -> Expression:
    return tuple(map(tuples, part)) if isinstance(part, list) else part


def test_the_json_describes_the_drawing() -> None:
    network = json.loads(third("fixed").to_json())["network"]
    assert network["sizes"] == [2, 2, 2]
    assert network["activations"] == ["sigmoid", "sigmoid"]
    assert (network["loss"], network["biases"]) == ("half_mse", "fixed")
    keys = {q.key for q in third("fixed")}
    assert len(network["units"]) == 6
    assert len(network["wires"]) == 8
    for unit in network["units"]:
        assert unit["forward"] in keys
        assert (unit["backward"] in keys) == (unit["bias"] in keys) == (unit["layer"] > 0)
    for wire in network["wires"]:
        assert {wire["weight"], wire["gradient"]} <= keys
        assert wire["weight"] == f"w{wire['layer']}[{wire['to']},{wire['from']}]"


@pytest.mark.parametrize("trace", [FIRST, SECOND, third("each")], ids=["first", "second", "third"])
def test_tables_hold_every_line_and_nothing_else(trace: Trace) -> None:
    for phase in PHASES:
        table = " ".join(trace.table(phase).split())
        for q in trace.select(phase):
            cells = [cell for cell in trace.reading(q) if cell]
            assert " = ".join(cells) in table
        assert table.count(" = ") == sum(
            len([cell for cell in trace.reading(q) if cell]) - 1 for q in trace.select(phase)
        )
    assert not any(line.endswith(" ") for line in trace.table().splitlines())


def test_a_line_ends_a_cell_typeset_or_as_text() -> None:
    lines = FIRST.show("loss")
    assert repr(lines) == FIRST.table("loss")
    assert lines._repr_latex_() == f"$${FIRST.to_latex('loss')}$$"


# --- Rounding -------------------------------------------------------------------------------------


def worked_out_again(tree: Expression) -> Fraction | float:
    """Exact where the line holds only arithmetic; a float where a function stands in it."""

    def operation(operator: str, parts: list[Any]) -> Any:
        arithmetic: Mapping[str, Any] = {
            "+": lambda x, y: x + y,
            "-": lambda x, y: x - y,
            "*": lambda x, y: x * y,
            "/": lambda x, y: x / y,
        }
        if operator == "neg":
            return -parts[0]
        if operator == "square":
            return parts[0] * parts[0]
        if operator in arithmetic:
            return arithmetic[operator](parts[0], parts[1])
        return evaluate((operator, float(parts[0])), {})

    return fold(tree, lambda x: Fraction(str(x)), lambda key: Fraction(0), operation)


@repeatable(80)
@given(small_cases, st.integers(3, 6))
def test_a_star_stands_exactly_where_the_printed_digits_give_another_last_one(
    case: Case, digits: int
) -> None:
    trace = trace_of(case, learning_rate=0.01)
    for q in computed(trace):
        _, formula, numbers, value = trace.reading(q, digits)
        printed = Fraction(value.removesuffix("*"))
        if not numbers:  # one quantity passed on: the same digits
            assert not value.endswith("*")
            continue
        try:
            again = worked_out_again(tree_of(numbers))
        except ZeroDivisionError:
            assume(False)
        if isinstance(again, float) and not math.isfinite(again):
            continue
        off = abs(Fraction(again) - printed) * 10**digits
        if abs(off - Fraction(1, 2)) > Fraction(1, 10**6):  # a tie may be rounded either way
            assert value.endswith("*") == (off > Fraction(1, 2)), f"{q.key}: {formula} {numbers}"


def test_the_stars_of_the_first_trace() -> None:
    starred = [q.key for q in FIRST if FIRST.reading(q)[3].endswith("*")]
    assert starred == [q.key for q in computed(FIRST) if FIRST.off_by_one(q)]
    assert "z2[1]" in starred
    assert 0 < len(starred) < 10


@repeatable(60)
@given(small_cases, st.integers(1, 6))
def test_there_is_no_negative_zero(case: Case, digits: int) -> None:
    text = trace_of(case, learning_rate=0.01).table(digits=digits)
    assert re.search(r"-0(?:\.0+)?(?![\d.])", text) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-1e-9, "0.00000"),
        (-0.0, "0.00000"),
        (1e-9, "0.00000"),
        (-0.000005, "-0.00001"),
        (-0.00001, "-0.00001"),
        (0.7513651, "0.75137"),
        (-12.5, "-12.50000"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_numbers_are_rounded_in_one_place(value: float, text: str) -> None:
    assert format_number(value) == text


def test_given_numbers_are_printed_as_given() -> None:
    assert [FIRST.number(key) for key in ("x[1]", "w1[1,2]", "b2[1]", "eta")] == [
        "0.05",
        "0.2",
        "0.6",
        "0.5",
    ]


# --- Mistakes -------------------------------------------------------------------------------------


def differences(trace: Trace, h: float = 1e-5) -> dict[str, float]:
    """dC/dkey for each given weight and bias, by central differences through the expressions."""
    forwards = [q for q in trace if q.phase in ("forward", "loss")]
    given = {q.key: q.value for q in trace.select("given")}

    def C(key: str, value: float) -> float:
        values = given | {key: value}
        for q in forwards:
            values[q.key] = evaluate(q.expression, values)
        return values["C"]

    keys = [q.key for q in trace.select("given") if q.source[0] in ("W", "b")]
    return {k: (C(k, given[k] + h) - C(k, given[k] - h)) / (2 * h) for k in keys}


def disagreeing(trace: Trace, slopes: dict[str, float]) -> set[str]:
    """The weights and biases whose gradient line is not what the differences say."""
    return {
        key
        for key, slope in slopes.items()
        if abs(trace[f"d{key}"] - slope) > 1e-7 * max(1.0, abs(slope))
    }


@repeatable(60)
@given(small_cases)
def test_without_a_mistake_the_differences_agree(case: Case) -> None:
    assume(case.kink_distance > 1e-3)
    trace = trace_of(case, learning_rate=0.01)
    assert disagreeing(trace, differences(trace)) == set()


@repeatable(40)
@given(small_cases)
def test_the_differences_find_exactly_the_gradients_that_a_mistake_changes(case: Case) -> None:
    assume(case.kink_distance > 1e-3)
    right = trace_of(case, learning_rate=0.01)
    slopes = differences(right)
    for bug in right.bugs:
        wrong = right.with_bug(bug)
        changes = {key: abs(wrong[f"d{key}"] - right[f"d{key}"]) for key in slopes}
        changed = {k for k in slopes if changes[k] > 1e-6 * max(1.0, abs(slopes[k]))}
        unclear = {k for k in slopes if k not in changed and changes[k] > 0}
        assert disagreeing(wrong, slopes) - unclear == changed, bug


FIRST_LAYER = {"w1[1,1]", "w1[1,2]", "w1[2,1]", "w1[2,2]", "b1[1]", "b1[2]"}
SECOND_LAYER = {"w2[1,1]", "w2[1,2]", "w2[2,1]", "w2[2,2]", "b2[1]", "b2[2]"}
BIASES = {key for key in FIRST_LAYER | SECOND_LAYER if key.startswith("b")}


@pytest.mark.parametrize(
    ("bug", "touched"),
    [
        ("early_update", FIRST_LAYER),
        ("transposed", FIRST_LAYER),
        ("hidden_slope_omitted", FIRST_LAYER),
        ("output_slope_omitted", FIRST_LAYER | SECOND_LAYER),
        ("slope_at_a", FIRST_LAYER | SECOND_LAYER),
        ("slope_of_z", FIRST_LAYER | SECOND_LAYER),
        ("sign", FIRST_LAYER | SECOND_LAYER),
        ("missing_half", FIRST_LAYER | SECOND_LAYER),
        ("own_activation", (FIRST_LAYER | SECOND_LAYER) - BIASES),
        ("bias_missing", BIASES),
    ],
)
def test_what_a_mistake_touches_in_the_third_network(bug: str, touched: set[str]) -> None:
    wrong = third("each").with_bug(bug)
    assert disagreeing(wrong, differences(wrong)) == touched


def test_the_third_network_can_make_all_the_mistakes_of_a_trace() -> None:
    assert len(third("each").bugs) == 10
    assert set(third("each").bugs) <= set(MISTAKES)
    assert "transposed" not in FIRST.bugs  # there is no w2[2,1] in a 2-2-1 network
    assert "own_activation" not in FIRST.bugs


def caricature(bug: str) -> Params:
    """The gradient of the third network with a mistake, by matrices."""
    W, y = THIRD_PARAMS.W, THIRD_Y
    cache = forward(THIRD_MLP, THIRD_PARAMS, X1)
    z, a = cache.z, cache.a

    def s(t: Array) -> Array:
        return 1 / (1 + np.exp(-t))

    slope = [None] + [a[l] * (1 - a[l]) for l in (1, 2)]
    if bug == "slope_at_a":
        slope = [None] + [s(a[l]) * (1 - s(a[l])) for l in (1, 2)]
    if bug == "slope_of_z":
        slope = [None] + [z[l] * (1 - z[l]) for l in (1, 2)]
    error = y - a[2] if bug == "sign" else a[2] - y
    error = 2 * error if bug == "missing_half" else error
    delta2 = error if bug == "output_slope_omitted" else error * slope[2]
    through = W[2] - 0.5 * delta2.T @ a[1] if bug == "early_update" else W[2]
    carried = delta2 @ (through.T if bug == "transposed" else through)
    delta1 = carried if bug == "hidden_slope_omitted" else carried * slope[1]
    fed = (a[1], a[2]) if bug == "own_activation" else (a[0], a[1])
    silent = 0 if bug == "bias_missing" else 1
    return Params.of(
        [delta1.T @ fed[0], delta2.T @ fed[1]], [silent * delta1[0], silent * delta2[0]]
    )


@pytest.mark.parametrize("bug", third("each").bugs)
def test_a_mistake_in_the_trace_is_the_same_mistake_in_matrices(bug: str) -> None:
    found = third("each").with_bug(bug).grads.theta
    np.testing.assert_allclose(found, caricature(bug).theta, rtol=1e-12, atol=1e-16)


def test_a_mistake_changes_neither_the_forward_pass_nor_the_loss() -> None:
    right = third("each")
    for bug in right.bugs:
        wrong = right.with_bug(bug)
        for phase in ("given", "forward", "loss"):
            assert [q.value for q in wrong.select(phase)] == [q.value for q in right.select(phase)]
        assert wrong.with_bug(None)["new_C"] == right["new_C"]


@pytest.mark.parametrize(
    ("phi", "loss", "y"),
    [(sigmoid, bce, [[0.3]]), (softmax, cross_entropy, [[0.0, 1.0]])],
    ids=["sigmoid", "softmax"],
)
def test_where_the_slope_has_cancelled_it_cannot_be_forgotten(phi, loss, y) -> None:
    y = np.array(y)
    mlp = MLP((2, 2, y.shape[1]), (tanh, phi))
    trace = trace_step(mlp, mlp.init(np.random.default_rng(0)), X1, y, loss, 0.5)
    assert "output_slope_omitted" not in trace.bugs
    assert {"hidden_slope_omitted", "sign"} <= set(trace.bugs)
    for q in trace.with_bug("sign").select("backward", mlp.L):
        assert q.value == pytest.approx(-trace[q.key], rel=1e-12)


ERRORS = [pair for pair in PAIRS if pair[1] in (half_mse, sse) or pair == (sigmoid, bce)]


@pytest.mark.parametrize("pair", ERRORS, ids=str)
def test_the_sign_mistake_turns_every_gradient_round(pair) -> None:
    phi, loss = pair
    mlp = MLP((2, 2, 1), (tanh, phi))
    params = Params.of([[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45]]], [[0.35, 0.35], [0.10]])
    trace = trace_step(mlp, params, X1, np.array([[0.2]]), loss, 0.1)
    np.testing.assert_allclose(trace.with_bug("sign").grads.theta, -trace.grads.theta, rtol=1e-12)


def test_a_network_of_identities_has_no_slope_to_forget() -> None:
    mlp = MLP((2, 2, 1), (identity, identity))
    trace = trace_step(
        mlp, mlp.init(np.random.default_rng(0)), X1, np.array([[1.0]]), half_mse, 0.5
    )
    assert not {"hidden_slope_omitted", "output_slope_omitted", "slope_at_a"} & set(trace.bugs)


@pytest.mark.parametrize("phi", HIDDEN, ids=repr)
def test_any_activation_can_be_traced_twice(phi) -> None:
    mlp = MLP((2, 2, 1), (phi, phi))
    params = mlp.init(np.random.default_rng(1))
    trace = trace_step(mlp, params, X1, np.array([[0.5]]), half_mse, 0.5)
    second = trace.next()
    assert second["C"] == pytest.approx(trace["new_C"], rel=1e-14)
    np.testing.assert_array_equal(second.step.params.theta, trace.updated.theta)
    np.testing.assert_allclose(
        trace.updated.theta, params.theta - 0.5 * trace.grads.theta, rtol=1e-13, atol=1e-15
    )
