"""The circuit stepper: its lines against two other witnesses, and the page against its lines."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import live_examples as examples
import pytest

from backprop_lib.autodiff import Tensor, record
from backprop_lib.live import Circuit, Graph, Slider
from backprop_lib.live.circuit import RULES

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

LivePage = Callable[..., "Page"]


# ---- the lines, in Python


def tensors(graph: Graph, given: Mapping[str, float]) -> dict[str, Tensor]:
    """The same graph, recorded by the book's automatic differentiation."""
    known = {key: Tensor(float(value)) for key, value in given.items()}
    for key, (operator, *arguments) in graph.nodes.items():
        operands = [known.get(argument, argument) for argument in arguments]
        square = operator == "square"
        known[key] = operands[0] ** 2 if square else record(operator, *operands)
    known[graph.output].backward()
    return known


def random_graph(rng: random.Random) -> Graph:
    """Inputs a, b, c and a dozen nodes, in which everything is read and forks are frequent."""
    inputs = [Slider(key, round(rng.uniform(0.3, 1.5), 3), -9, 9, 0.001) for key in "abc"]
    loose = ["a", "b", "c"]
    names = list(loose)
    nodes: dict[str, tuple[Any, ...]] = {}
    while len(loose) > 1 or len(nodes) < 8:
        key = f"n{len(nodes)}"
        operator = rng.choice(["+", "-", "*", "max", "square", "tanh", "sigmoid", "exp", "neg"])
        operator = operator if len(nodes) < 12 else rng.choice("+-*")
        first, second = loose[0], rng.choice(loose[1:] + names)
        nodes[key] = (operator, first, second)[: 1 + len(RULES[operator])]
        if operator in ("square", "exp") and len(nodes) > 2:
            nodes[key] = ("tanh", first)  # so that nothing grows without bounds
        loose = [name for name in loose if name not in nodes[key]] + [key]
        names.append(key)
    return Graph(nodes, inputs, dict.fromkeys(names, (0, 0)))


def test_gradients_of_random_circuits_are_those_of_automatic_differentiation() -> None:
    rng = random.Random(5)
    forks = 0
    for _ in range(150):
        graph = random_graph(rng)
        values = graph.values()
        witness = tensors(graph, {slider.key: slider.value for slider in graph.inputs})
        for key in [*"abc", *graph.nodes]:
            forks += len(graph.leaving(key)) > 1
            assert values[key] == pytest.approx(float(witness[key].data), rel=1e-12)
            wanted = float(witness[key].grad)
            assert values[graph.gradient(key)] == pytest.approx(wanted, rel=1e-10, abs=1e-13)
    assert forks > 100


@pytest.mark.parametrize("name", examples.CIRCUITS)
def test_gradients_of_the_examples_are_slopes(name: str) -> None:
    graph = examples.CIRCUITS[name]
    given = {slider.key: float(slider.value) for slider in graph.inputs}
    values = graph.values()
    h = 1e-6
    for key, value in given.items():
        above = graph.values(given | {key: value + h})[graph.output]
        below = graph.values(given | {key: value - h})[graph.output]
        assert values[graph.gradient(key)] == pytest.approx((above - below) / (2 * h), rel=1e-7)


def test_every_rule_agrees_with_automatic_differentiation_at_ties_too() -> None:
    for operator, rules in RULES.items():
        keys = "xy"[: len(rules)]
        inputs = [Slider(key, 0.75, -9, 9, 0.25) for key in keys]
        graph = Graph({"f": (operator, *keys)}, inputs, {"x": (0, 0), "y": (0, 1), "f": (1, 0)})
        for x, y in [(0.75, 0.75), (2.0, 0.5), (0.5, 2.0)]:
            given = dict(zip(keys, (x, y), strict=False))
            values, witness = graph.values(given), tensors(graph, given)
            assert values["f"] == pytest.approx(float(witness["f"].data), rel=1e-14)
            for key in keys:
                assert values[f"d:{key}"] == pytest.approx(float(witness[key].grad), rel=1e-14)


def test_the_walk_of_the_fork_is_114_and_sums_at_the_fork() -> None:
    graph = examples.CIRCUITS["fork"]
    values = graph.values()
    assert values["d:a"] == 114
    assert [values[graph.wire_gradient(wire)] for wire in graph.leaving("b")] == [18, 1]
    assert values["d:b"] == 19


def test_a_line_reads_only_what_stands_before_it() -> None:
    for graph in [*examples.CIRCUITS.values(), random_graph(random.Random(6))]:
        keys = [line.key for line in graph.lines()]
        assert len(keys) == len(set(keys))
        wires = [line.wire for line in graph.lines() if line.wire is not None]
        assert sorted(wires) == list(range(len(graph.wires)))


def test_a_number_stands_in_the_box_that_reads_it() -> None:
    graph = Graph(
        {"d": ("*", 2, "x"), "e": ("-", "d", 1), "f": ("square", "e")},
        [Slider("x", 3, 0, 9, 1)],
        {"x": (0, 0), "d": (1, 0), "e": (2, 0), "f": (3, 0)},
    )
    boxes = Circuit("c", "alt", {"numbers": graph}).state["circuits"][0]["boxes"]
    assert [box["sign"] for box in boxes] == ["", "2\u00d7", "\u22121", "x\u00b2"]
    assert graph.values()["d:x"] == 2 * 5 * 2


X = Slider("x", 1, 0, 2, 1)
BAD = [
    (lambda: Graph({"y": ("sin", "x")}, [X], {}), "node 'y' is .* expected one operation"),
    (lambda: Graph({"y": ("+", "x")}, [X], {}), "expected one operation with its arguments"),
    (lambda: Graph({"y": ("square", "q")}, [X], {}), "node 'y' reads 'q', expected an input"),
    (lambda: Graph({"y": ("exp", ("neg", "x"))}, [X], {}), "expected an input, an earlier node"),
    (lambda: Graph({"x": ("exp", "x")}, [X], {}), "'x' is defined twice"),
    (lambda: Graph({"q": ("exp", "x"), "y": ("log", "x")}, [X], {}), r"\['q'\] lead nowhere"),
    (lambda: Graph({"y": ("exp", "x")}, [X], {"y": (1, 0)}), r"\['x'\] have no place"),
    (lambda: Circuit("c", "alt", {}), "circuits is empty"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_bad_circuits_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# ---- the page


def press(figure: Locator, name: str, times: int = 1) -> None:
    for _ in range(times):
        figure.get_by_role("button", name=name).click()


# Sets the inputs by their accessible names and returns the value of every line, once a row.
SWEEP = """(figure, [names, rows]) => rows.map((row) => {
  row.forEach((value, i) => {
    const field = [...figure.querySelectorAll("input[type=number]")].find((e) =>
      e.getAttribute("aria-label") === `${names[i]}, exact`);
    field.value = value;
    field.dispatchEvent(new Event("input"));
  });
  return Object.fromEntries([...figure.querySelectorAll("[data-line]")].map((e) =>
    [e.dataset.line, e.querySelector("b").textContent.replaceAll("\\u2212", "-")]));
})"""


@pytest.mark.parametrize("name", examples.CIRCUITS)
def test_page_prints_pythons_numbers_over_a_grid(live_page: LivePage, name: str) -> None:
    graph = examples.CIRCUITS[name]
    page = live_page(examples.circuit())
    figure = page.locator("#stepper")
    figure.get_by_role("combobox").select_option(name)
    press(figure, "All")
    rng = random.Random(7)
    rows = [[rng.choice([s.low, s.high, rng.uniform(s.low, s.high)]) for s in graph.inputs]
            for _ in range(12)]  # fmt: skip
    rows.append([1.0] * len(graph.inputs))  # a tie, where there is a max
    shown = figure.evaluate(SWEEP, [[slider.key for slider in graph.inputs], rows])
    for row, texts in zip(rows, shown, strict=True):
        values = graph.values({s.key: v for s, v in zip(graph.inputs, row, strict=True)})
        assert set(texts) == {line.key for line in graph.lines()}
        for key, text in texts.items():
            wanted = values[key]
            assert float(text) == pytest.approx(wanted, rel=1e-5, abs=1e-12), (row, key)
            assert math.isfinite(wanted)
    assert page.log.clean


def test_steps_go_forwards_first_then_back_and_name_their_rules(live_page: LivePage) -> None:
    page = live_page(examples.circuit())
    figure = page.locator("#stepper")
    status, lines = figure.locator(".lf-status"), figure.locator("[data-line]")
    press(figure, "Step back")
    assert status.text_content() == "A gradient needs the values: step forward to the output first."
    assert lines.count() == 0
    press(figure, "Step forward", 2)
    assert lines.all_text_contents() == ["q = x + y = −2 + 5 = 3", "f = q·z = 3·(−4) = −12"]
    press(figure, "Step forward")
    assert "goes backwards" in status.text_content()
    press(figure, "Step back", 2)
    assert "∂f/∂q = ∂f/∂f·z = 1·(−4) = −4" in lines.nth(3).text_content()
    assert "multiply swaps" in lines.nth(3).text_content()
    press(figure, "Undo")
    assert lines.count() == 3
    press(figure, "Step back", 9)
    assert lines.count() == 7
    assert "Every gradient is there" in status.text_content()
    drawn = figure.locator("svg .lf-backward").all_text_contents()
    assert sorted(drawn) == sorted(["−4", "−4", "−4", "3", "1"])
    press(figure, "Reset")
    assert lines.count() == 0


def test_stepper_is_worked_by_keyboard_and_speaks(live_page: LivePage) -> None:
    page = live_page(examples.circuit())
    figure = page.locator("#stepper")
    forward = figure.get_by_role("button", name="Step forward")
    forward.press("Enter")
    forward.press("Space")
    assert figure.locator("[data-line]").count() == 2
    voice = figure.locator("output[aria-live=polite]")
    page.wait_for_function(
        "e => e.textContent.startsWith('f = q·z = 3·(−4) = −12')", arg=voice.element_handle()
    )
    figure.get_by_label("z", exact=True).press("ArrowRight")
    assert figure.locator("[data-line=f] b").text_content() == "−10.5"


def test_another_circuit_starts_at_its_beginning_and_an_address_brings_it_back(
    live_page: LivePage,
) -> None:
    page = live_page(examples.circuit())
    figure = page.locator("#stepper")
    press(figure, "All")
    figure.get_by_role("combobox").select_option("fork")
    assert figure.locator("[data-line]").count() == 0
    assert (
        figure.get_by_label("x", exact=True).count() == 0
        or not figure.get_by_label("x", exact=True).is_visible()
    )
    figure.get_by_label("a, exact").fill("2")
    press(figure, "All")
    page.wait_for_function("() => location.search.includes('stepper.step')")
    page.reload()
    page.wait_for_selector("#stepper[data-ready]")
    assert figure.locator("[data-line='d:a'] b").text_content() == "36"
    assert "Σ 9" in figure.locator("svg .lf-backward").all_text_contents()


@pytest.mark.parametrize("value", ["nan", "-1", "1.5", "1e9", "<b>"])
def test_address_with_nonsense_changes_nothing(live_page: LivePage, value: str) -> None:
    query = f"?stepper.step={value}&stepper.circuit={value}&stepper.0.x={value}"
    page = live_page(examples.circuit(), query=query)
    figure = page.locator("#stepper")
    assert figure.locator("[data-line]").count() == 0
    assert page.log.clean
