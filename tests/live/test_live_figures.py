"""Curve, plane and film in the browser: every control moved, every number compared."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import live_examples as examples
import pytest

from backprop_lib.expressions import evaluate
from backprop_lib.live.controls import compute

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

LivePage = Callable[..., "Page"]

# Sets controls by their accessible names and returns the texts of the readouts, once a row.
SWEEP = """(figure, [names, rows]) => {
  const controls = names.map((name) => [...figure.querySelectorAll("input, select")].find((e) =>
    e.getAttribute("aria-label") === name || (!e.hasAttribute("aria-label") &&
      e.closest("label")?.textContent.startsWith(name) && e.type !== "range") ));
  return rows.map((row) => {
    row.forEach((value, i) => {
      const control = controls[i];
      if (control.tagName === "SELECT") control.selectedIndex = value;
      else control.value = value;
      control.dispatchEvent(new Event(control.tagName === "SELECT" ? "change" : "input"));
    });
    return [...figure.querySelectorAll("dd")].map((e) => e.textContent);
  });
}"""


def sweep(figure: Locator, names: list[str], rows: list[tuple[float, ...]]) -> list[list[str]]:
    return figure.evaluate(SWEEP, [names, rows])


def pythons(number: float, spec: str) -> str:
    text = f"{number:{spec}}"
    return text.lstrip("-") if re.fullmatch(r"-0(\.0+)?", text) else text


def readouts(figure: Locator) -> dict[str, str]:
    names, texts = figure.locator("dt"), figure.locator("dd")
    return dict(zip(names.all_text_contents(), texts.all_text_contents(), strict=True))


def spread(low: float, high: float, count: int) -> list[float]:
    return [round(low + (high - low) * i / (count - 1), 6) for i in range(count)]


# ---- curve


def test_curve_prints_pythons_numbers_over_a_grid(live_page: LivePage) -> None:
    page = live_page(examples.curve())
    grid = list(itertools.product(spread(-6, 6, 13), spread(-3, 3, 7), [0, 1]))
    names = ["z, exact", "weight w, exact", "activation"]
    shown = sweep(page.locator("#sigmoid-slope"), names, grid)
    for (z, w, choice), texts in zip(grid, shown, strict=True):
        tree = examples.TANH if choice else examples.SIGMOID
        a = evaluate(tree["a"], {"z": z, "w": w})
        s = evaluate(tree["s"], {"z": z, "w": w, "a": a})
        assert texts == [pythons(a, ".6f"), pythons(s, ".6g")], (z, w, choice)
    assert page.log.clean


def test_curve_follows_keyboard_mouse_and_fields(live_page: LivePage) -> None:
    page = live_page(examples.curve())
    figure = page.locator("#sigmoid-slope")
    at = lambda z: pythons(examples.logistic(z), ".6f")  # noqa: E731
    slider = figure.get_by_label("z", exact=True)
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert readouts(figure)["a"] == at(1.1)
    page.keyboard.press("End")
    assert readouts(figure)["a"] == at(6.0)
    figure.get_by_label("z, exact").fill("-2.34")
    assert readouts(figure)["a"] == at(-2.34)
    figure.get_by_role("button", name="Reset").click()
    assert readouts(figure)["a"] == at(1.0)
    assert figure.get_by_label("z, exact").input_value() == "1"
    figure.get_by_label("activation").select_option("tanh")
    assert readouts(figure)["a"] == "0.761594"


def handle(figure: Locator, name: str) -> Locator:
    return figure.locator(f"g[role=slider][aria-label='{name}']")


def drag(page: Page, point: Locator, dx: float, dy: float) -> None:
    box = point.locator("circle").last.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def test_point_of_a_curve_is_dragged_and_stepped(live_page: LivePage) -> None:
    page = live_page(examples.curve())
    figure = page.locator("#sigmoid-slope")
    point = handle(figure, "z, point")
    drag(page, point, 100, 40)
    moved = float(point.get_attribute("aria-valuenow"))
    assert 2 < moved < 4
    assert readouts(figure)["a"] == pythons(examples.logistic(moved), ".6f")
    page.keyboard.press("ArrowLeft")
    assert float(point.get_attribute("aria-valuenow")) == pytest.approx(moved - 0.1)
    page.keyboard.press("Shift+ArrowRight")
    assert float(point.get_attribute("aria-valuenow")) == pytest.approx(moved + 0.9)
    drag(page, point, -2000, 0)
    assert point.get_attribute("aria-valuetext").split(", ")[0] == "-6"


def test_point_on_a_table_goes_from_row_to_row(live_page: LivePage) -> None:
    figure_object = examples.v_curve()
    page = live_page(figure_object)
    figure = page.locator("#v-curve")
    table = figure_object.state["curves"][0]["table"]
    slider = figure.get_by_label("h", exact=True)
    for i in range(len(examples.STEPS)):
        slider.fill(str(i))
        assert readouts(figure) == {"central": pythons(table[i], ".6g")}
        assert figure.locator(".lf-value").text_content() == pythons(examples.STEPS[i], ".6g")
    handle(figure, "h, point").focus()
    page.keyboard.press("ArrowLeft")
    assert readouts(figure)["central"] == pythons(table[14], ".6g")
    drag(page, handle(figure, "h, point"), 10_000, 0)
    assert readouts(figure)["central"] == pythons(table[0], ".6g")


# ---- plane


def xor_texts(weights: dict[str, float], place: tuple[float, float]) -> list[str]:
    """The readouts of the XOR figure, computed by Python."""

    def at(x1: float, x2: float, target: float) -> dict[str, float]:
        return compute(examples.XOR, [], {**weights, "x1": x1, "x2": x2, "target": target})

    here = at(*place, 0)
    total = 0.0
    for point in examples.XOR_POINTS:
        total += at(*point)["loss"]
    mean = total / len(examples.XOR_POINTS)
    return [pythons(here["a1"], ".6f"), pythons(here["p"], ".6f"), pythons(mean, ".6g")]


def test_plane_prints_pythons_numbers_over_a_grid(live_page: LivePage) -> None:
    page = live_page(examples.plane())
    figure = page.locator("#xor-network")
    names = list(examples.XOR_WEIGHTS)
    rows = []
    for name in names:
        for value in spread(-15, 15, 4):
            rows.append(tuple({**examples.XOR_WEIGHTS, name: value}.values()))
    shown = sweep(figure, [f"{name}, exact" for name in names], rows)
    for row, texts in zip(rows, shown, strict=True):
        assert texts == xor_texts(dict(zip(names, row, strict=True)), (0.3, 1.2)), row
    assert page.log.clean


def test_probe_moves_by_mouse_and_keyboard(live_page: LivePage) -> None:
    page = live_page(examples.plane())
    figure = page.locator("#xor-network")
    probe = handle(figure, "probe")
    for keys in ["ArrowRight", "ArrowDown", "Shift+ArrowDown", "Shift+ArrowLeft", "ArrowUp"]:
        probe.press(keys)
    place = tuple(float(v) for v in probe.get_attribute("aria-valuetext").split(", "))
    assert place == pytest.approx((0.3 + 0.01 * (1 - 10), 1.2 + 0.01 * (-1 - 10 + 1)))
    assert list(readouts(figure).values()) == xor_texts(examples.XOR_WEIGHTS, place)
    drag(page, probe, 60, 80)
    place = tuple(float(v) for v in probe.get_attribute("aria-valuetext").split(", "))
    assert list(readouts(figure).values()) == xor_texts(examples.XOR_WEIGHTS, place)
    drag(page, probe, 5000, -5000)
    assert probe.get_attribute("aria-valuetext") == "1.5, 1.5"


def test_a_press_brings_the_nearest_point(live_page: LivePage) -> None:
    page = live_page(examples.plane(), examples.curve())
    figure = page.locator("#xor-network")
    area = figure.locator("canvas").bounding_box()
    page.mouse.click(area["x"] + area["width"] / 4, area["y"] + area["height"] / 2)
    place = [float(v) for v in handle(figure, "probe").get_attribute("aria-valuetext").split(", ")]
    assert place == pytest.approx([0, 0.5], abs=0.02)
    base = page.locator("#sigmoid-slope .lf-base")
    base.scroll_into_view_if_needed()
    line = base.bounding_box()
    page.mouse.click(line["x"] + line["width"] * 0.75, line["y"] - 30)
    assert float(page.get_by_label("z, exact").input_value()) == pytest.approx(3, abs=0.1)


def test_boundary_lies_where_python_says(live_page: LivePage) -> None:
    page = live_page(examples.plane())
    path = page.locator("#xor-network .lf-contour").get_attribute("d")
    view = page.locator("#xor-network svg svg")
    width, height = (float(view.get_attribute(name)) for name in ("width", "height"))
    corners = re.findall(r"[ML]([\d.]+) ([\d.]+)", path)
    assert len(corners) > 50
    for h, v in corners[::7]:
        x1, x2 = -0.5 + 2 * float(h) / width, 1.5 - 2 * float(v) / height
        value = compute(examples.XOR, [], {**examples.XOR_WEIGHTS, "x1": x1, "x2": x2, "target": 0})
        assert value["p"] == pytest.approx(0.5, abs=0.06)


def test_points_can_be_dragged_where_it_teaches(live_page: LivePage) -> None:
    page = live_page(examples.plane(draggable=True))
    figure = page.locator("#xor-network")
    before = readouts(figure)["mean loss"]
    point = handle(figure, "point 4")
    drag(page, point, -80, 0)
    assert float(point.get_attribute("aria-valuetext").split(",")[0]) < 1
    assert readouts(figure)["mean loss"] != before
    figure.get_by_role("button", name="Reset").click()
    assert readouts(figure)["mean loss"] == before


def descend(rate: float, steps: int, momentum: float) -> float:
    """The height of the bowl after some steps from (-3, 1.5)."""
    u, v, mu, mv = -3.0, 1.5, 0.0, 0.0
    for _ in range(steps):
        mu, mv = momentum * mu - rate * u, momentum * mv - rate * (6 * v)
        u, v = u + mu, v + mv
    return 0.5 * (u * u + 6 * (v * v))


def test_paths_end_where_python_ends(live_page: LivePage) -> None:
    page = live_page(examples.bowl())
    grid = list(itertools.product([0.01, 0.1, 0.2, 0.33, 0.4], [0, 1, 7, 30]))
    shown = sweep(page.locator("#bowl"), ["learning rate, exact", "steps, exact"], grid)
    for (rate, steps), texts in zip(grid, shown, strict=True):
        wanted = [descend(rate, 0, 0), descend(rate, steps, 0.0), descend(rate, steps, 0.8)]
        for text, number in zip(texts, wanted, strict=True):
            assert float(text) == pytest.approx(number, rel=2e-5)
    assert page.log.clean


# ---- film


def film_texts(rate: float, width: str, epoch: int) -> dict[str, str]:
    train, validation = (float(f"{v:.6g}") for v in examples.losses(rate, width, epoch))
    return {"training": f"{train:.6f}", "validation": f"{validation:.6f}"}


def test_film_shows_the_recorded_numbers_of_every_frame(live_page: LivePage) -> None:
    page = live_page(examples.film())
    figure = page.locator("#training")
    scrub = figure.get_by_label("epoch", exact=True)
    for i, rate in enumerate(examples.RATES):
        figure.get_by_label("learning rate", exact=True).fill(str(i))
        for width in examples.WIDTHS:
            figure.get_by_label("units").select_option(width)
            for epoch in (0, 5, 11):
                scrub.fill(str(epoch))
                assert readouts(figure) == film_texts(rate, width, epoch)
                assert figure.locator(".lf-player output").text_content() == f"epoch {epoch}"
    cells = figure.locator(".lf-panel").nth(3).locator(".lf-label").all_text_contents()
    assert cells == ["21", "3", "2", "23"]
    assert page.log.clean


def test_film_steps_by_buttons_and_keys(live_page: LivePage) -> None:
    page = live_page(examples.film(start=3))
    figure = page.locator("#training")
    figure.get_by_role("button", name="Step forward").click()
    assert readouts(figure) == film_texts(0.1, "few", 4)
    figure.get_by_role("button", name="Step back").press("Enter")
    figure.get_by_role("button", name="Step back").press("Space")
    assert readouts(figure) == film_texts(0.1, "few", 2)
    figure.get_by_label("epoch", exact=True).press("ArrowRight")
    assert readouts(figure) == film_texts(0.1, "few", 3)
    figure.get_by_label("epoch", exact=True).press("Home")
    figure.get_by_role("button", name="Step back").click()
    assert readouts(figure) == film_texts(0.1, "few", 0)


def test_film_plays_to_its_end_and_can_be_paused(live_page: LivePage) -> None:
    page = live_page(examples.film())
    figure = page.locator("#training")
    figure.get_by_role("button", name="Play").click()
    pause = figure.get_by_role("button", name="Pause")
    shown = figure.locator(".lf-player output")
    page.wait_for_function("e => e.textContent === 'epoch 2'", arg=shown.element_handle())
    pause.click()
    epoch = shown.text_content()
    page.wait_for_timeout(400)
    assert shown.text_content() == epoch
    figure.get_by_role("button", name="Play").click()
    page.wait_for_function("e => e.textContent === 'epoch 11'", arg=shown.element_handle())
    figure.get_by_role("button", name="Play").wait_for()


def test_film_has_no_motion_where_none_is_wanted(live_page: LivePage) -> None:
    page = live_page(examples.film(), reduced_motion="reduce")
    figure = page.locator("#training")
    assert figure.get_by_role("button", name="Play").count() == 0
    figure.get_by_role("button", name="Step back").click()
    assert readouts(figure) == film_texts(0.1, "few", 10)


# ---- addresses


def test_address_carries_the_state_and_brings_it_back(live_page: LivePage) -> None:
    page = live_page(examples.curve(), examples.film())
    page.get_by_label("z, exact").fill("2.5")
    page.get_by_label("activation").select_option("tanh")
    page.get_by_label("epoch", exact=True).fill("4")
    page.wait_for_function("() => location.search.includes('training.frame')")
    address = page.evaluate("location.href")
    assert "sigmoid-slope.z=2.5" in address
    page.reload()
    page.wait_for_selector("#sigmoid-slope[data-ready]")
    assert page.get_by_label("z, exact").input_value() == "2.5"
    assert readouts(page.locator("#sigmoid-slope"))["a"] == "0.986614"
    page.locator("#training").scroll_into_view_if_needed()
    page.wait_for_selector("#training[data-ready]")
    assert page.get_by_label("epoch", exact=True).input_value() == "4"
    page.locator("#sigmoid-slope").get_by_role("button", name="Reset").click()
    page.wait_for_function("() => !location.search.includes('sigmoid-slope')")
    assert "training.frame=4" in page.evaluate("location.search")


@pytest.mark.parametrize("value", ["nan", "1e999", "", "<b>", "99", "0x10", "[object Object]"])
def test_address_with_nonsense_changes_nothing(live_page: LivePage, value: str) -> None:
    page = live_page(
        examples.curve(), query=f"?sigmoid-slope.z={value}&sigmoid-slope.phi={value}&other=1"
    )
    assert page.get_by_label("z, exact").input_value() == "1"
    assert page.locator("b").count() == 0
    assert page.log.clean


def test_two_curves_of_one_page_do_not_share_their_state(live_page: LivePage) -> None:
    page = live_page(examples.curve("one"), examples.curve("two"))
    page.locator("#one").get_by_label("z, exact").fill("3")
    assert page.locator("#two").get_by_label("z, exact").input_value() == "1"


def test_field_refuses_what_is_no_number_in_range(live_page: LivePage) -> None:
    page = live_page(examples.curve())
    field: Any = page.get_by_label("z, exact")
    field.fill("77")
    assert field.get_attribute("aria-invalid") == "true"
    assert readouts(page.locator("#sigmoid-slope"))["a"] == "0.731059"
    field.blur()
    assert field.input_value() == "1"
    assert field.get_attribute("aria-invalid") == "false"
