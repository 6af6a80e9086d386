"""The pad: what it exports, what the page computes from strokes and images, how it is used."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import live_examples as examples
import numpy as np
import pytest

from backprop_lib import MLP, forward, identity, predict, relu, sigmoid, softmax, tanh
from backprop_lib.errors import ShapeError
from backprop_lib.live import EightBits, Pad, centred, eight_bits

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

LivePage = Callable[..., "Page"]
CELLS = 112


# ---- what is exported


def test_eight_bits_are_whole_multiples_of_one_step_a_layer() -> None:
    mlp = MLP((5, 4, 3), (tanh, softmax))
    params = mlp.init(np.random.default_rng(3))
    before = params.theta.copy()
    small = eight_bits(mlp, params)
    for l, (step, codes) in enumerate(zip(small.steps, small.codes, strict=True), start=1):
        assert codes.dtype == np.int8
        assert np.abs(codes).max() >= 120
        np.testing.assert_array_equal(small.params.W[l], step * codes.astype(float))
        assert np.abs(small.params.W[l] - params.W[l]).max() <= step / 2 * (1 + 1e-12)
    np.testing.assert_array_equal(params.theta, before)


def test_last_bits_of_a_training_decide_nothing() -> None:
    mlp = MLP((30, 20, 10), (sigmoid, softmax))
    params = mlp.init(np.random.default_rng(4))
    noise = 1 + 1e-13 * np.random.default_rng(5).standard_normal(params.theta.size)
    one, other = eight_bits(mlp, params), eight_bits(mlp, params.like(params.theta * noise))
    assert one.to_json()[0]["codes"] == other.to_json()[0]["codes"]
    np.testing.assert_array_equal(one.params.theta, other.params.theta)


def test_weights_that_are_all_zero_stay_zero() -> None:
    mlp = MLP((2, 1), (sigmoid,))
    params = mlp.init(np.random.default_rng(0))
    assert (eight_bits(mlp, params.like(0 * params.theta)).params.theta == 0).all()


def test_centred_images_have_their_longer_side_and_their_mass_in_place() -> None:
    rng = np.random.default_rng(6)
    for _ in range(40):
        ink = np.zeros((CELLS, CELLS))
        rows, columns = (np.sort(rng.choice(CELLS, 2, replace=False)) for _ in range(2))
        ink[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1] = 1
        image = centred(ink)
        down, across = np.nonzero(image)
        assert max(np.ptp(down), np.ptp(across)) + 1 == 20
        for axis in (0, 1):
            mass = image.sum(axis=1 - axis)
            assert abs(mass @ np.arange(28) / mass.sum() - 14) <= 0.51
        assert image.max() == pytest.approx(1)


def test_an_empty_pad_stays_paper_and_a_dot_fills_the_box() -> None:
    assert not centred(np.zeros((CELLS, CELLS))).any()
    dot = np.zeros((CELLS, CELLS))
    dot[111, 0] = 1
    assert centred(dot).sum() == pytest.approx(400)


WIDE = MLP((784, 4, 10), (sigmoid, softmax))
SMALL = eight_bits(WIDE, WIDE.init(np.random.default_rng(0)))
STEP = MLP((784, 10), (softmax,))
PAPER = np.zeros((1, 784))
BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: Pad("p", "alt", SMALL, PAPER, [1, 2]), ShapeError, "expected \\(N=2, 784\\)"),
    (lambda: Pad("p", "alt", SMALL, PAPER, []), ShapeError, "at least one image"),
    (lambda: Pad("p", "alt", SMALL, PAPER + 0.3001, [1]), ValueError, "multiples of 1/255"),
    (lambda: Pad("p", "alt", SMALL, PAPER - 1, [1]), ValueError, "multiples of 1/255"),
    (lambda: Pad("p", "alt", SMALL, PAPER, [10]), ValueError, "digits from 0 to 9"),
    (
        lambda: Pad("p", "alt", eight_bits(STEP, STEP.init(np.random.default_rng(0))), PAPER, [1]),
        ValueError,
        "hidden units",
    ),
    (lambda: eight_bits(STEP, SMALL.params), ShapeError, "expected those of mlp"),
    (lambda: centred(np.zeros(4)), ShapeError, "expected \\(rows, columns\\)"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD)
def test_bad_pads_are_named(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_the_state_is_light() -> None:
    assert len(gzip.compress(examples.pad().to_html().encode())) < 40_000


# ---- the page


FORWARD = """([layers, rows]) => import("/live/forward.mjs").then(({ network }) => {
  const net = network(layers);
  return rows.map((row) => net.activations(row));
})"""
INK = """(drawings) => import("/live/ink.mjs").then(({ inkOf, centred }) =>
  drawings.map((strokes) => { const ink = inkOf(strokes); return [ink, centred(ink)]; }))"""
NUMBERS = """(figure) => [...figure.querySelectorAll(".lf-numbers-of")].map((list) =>
  [...list.querySelectorAll("b")].map((e) => Number(e.textContent)))"""
# Two frames on; but a browser that draws none for a while must not hold the tests for ever.
DRAWN = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done));
  setTimeout(done, 500);
})"""


def shown(page: Page) -> list[list[float]]:
    page.evaluate(DRAWN)
    return page.locator("#draw").evaluate(NUMBERS)


def status(page: Page) -> str:
    page.evaluate(DRAWN)
    return page.locator("#draw .lf-status").text_content() or ""


def press(page: Page, name: str) -> None:
    page.locator("#draw").get_by_role("button", name=name).click()


def drag(page: Page, *points: tuple[float, float]) -> None:
    box = page.locator("#draw canvas.lf-pad").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


@pytest.mark.parametrize("last", [softmax, sigmoid, identity])
@pytest.mark.parametrize("hidden", [sigmoid, tanh, relu])
def test_page_computes_pythons_activations(live_page: LivePage, hidden: Any, last: Any) -> None:
    mlp = MLP((40, 12, 7, 10), (hidden, hidden, last))
    small = eight_bits(mlp, mlp.init(np.random.default_rng(8)))
    X = np.random.default_rng(9).random((20, 40))
    page = live_page(wait=False)
    layers = [{**layer, "biases": layer["biases"].tolist()} for layer in small.to_json()]
    found = page.evaluate(FORWARD, [layers, X.tolist()])
    cache = forward(mlp, small.params, X)
    for n, activations in enumerate(found):
        for l, layer in enumerate(activations):
            np.testing.assert_allclose(layer, cache.a[l][n], rtol=1e-11, atol=1e-13)


def test_page_centres_drawings_as_python_does(live_page: LivePage) -> None:
    rng = np.random.default_rng(10)

    def stroke(points: int) -> dict[str, Any]:
        places = rng.uniform(-0.1, 1.1, (points, 2))
        return {"radius": float(rng.uniform(0.01, 0.1)), "points": places.tolist()}

    drawings = [[stroke(k) for k in rng.integers(1, 6, n)] for n in rng.integers(1, 4, 25)]
    page = live_page(wait=False)
    for strokes, (ink, image) in zip(drawings, page.evaluate(INK, drawings), strict=True):
        cells = np.array(ink, dtype=float)
        assert cells.shape == (CELLS, CELLS)
        inside = [p for s in strokes for p in s["points"] if min(p) > 0 and max(p) < 1]
        assert all(cells[int(y * CELLS), int(x * CELLS)] == 1 for x, y in inside)
        np.testing.assert_allclose(image, centred(cells), atol=1e-12)


def test_every_test_image_is_read_as_python_reads_it(live_page: LivePage) -> None:
    figure, small, images = examples.pad(), examples.pad_network(), examples.pad_images()
    cache = forward(small.mlp, small.params, images)
    page = live_page(figure)
    for n in range(len(images)):
        for l, layer in enumerate(shown(page), start=1):
            np.testing.assert_allclose(layer, cache.a[l][n], atol=1e-6)
        assert f"The network reads a {cache.a[2][n].argmax()} " in status(page)
        press(page, "Next test image")
    assert shown(page)[1] == pytest.approx(cache.a[2][0], abs=1e-6)
    assert page.log.clean


def test_strokes_are_read_undone_and_cleared(live_page: LivePage) -> None:
    page = live_page(examples.pad())
    first = shown(page)
    press(page, "Clear")
    assert "pad is empty" in status(page)
    drag(page, (0.3, 0.2), (0.7, 0.2), (0.5, 0.8))
    one = shown(page)
    assert one != first
    drag(page, (0.3, 0.5), (0.8, 0.5))
    assert shown(page) != one
    press(page, "Undo")
    assert shown(page) == one
    press(page, "Undo")
    assert "pad is empty" in status(page)
    assert page.log.clean


def test_a_test_image_can_be_painted_over_and_comes_back(live_page: LivePage) -> None:
    page = live_page(examples.pad())
    first = shown(page)
    drag(page, (0.1, 0.9), (0.9, 0.9))
    assert "painted over" in status(page)
    assert shown(page) != first
    press(page, "Undo")
    assert shown(page) == first


def test_drawings_of_one_form_are_read_alike_wherever_they_stand(live_page: LivePage) -> None:
    page = live_page(examples.pad(), query="?draw.image=none&draw.brush=fine")
    drag(page, (0.1, 0.1), (0.1, 0.6), (0.4, 0.6))
    corner = np.array(shown(page)[1])
    press(page, "Clear")
    drag(page, (0.5, 0.35), (0.5, 0.85), (0.8, 0.85))
    np.testing.assert_allclose(shown(page)[1], corner, atol=0.2)


def test_the_pad_is_worked_by_keyboard_and_speaks(live_page: LivePage) -> None:
    page = live_page(examples.pad(), query="?draw.image=none")
    pad: Locator = page.locator("#draw canvas.lf-pad")
    pad.focus()
    page.keyboard.press("ArrowDown")
    assert "pad is empty" in status(page)
    page.keyboard.press("Space")
    for _ in range(10):
        page.keyboard.press("ArrowDown")
    stroke = shown(page)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert shown(page) == stroke, "a lifted pen paints nothing"
    image = page.evaluate(INK, [[{"radius": 1.5 / 28, "points": [
        [0.5, 0.25 + k / 28] for k in range(1, 12)]}]])[0][1]  # fmt: skip
    small = examples.pad_network()
    wanted = predict(small.mlp, small.params, np.array(image).reshape(1, 784))[0]
    np.testing.assert_allclose(stroke[1], wanted, atol=1e-6)
    voice = page.locator("#draw output[aria-live=polite]")
    page.wait_for_function(
        "e => e.textContent.startsWith('The network reads a')", arg=voice.element_handle()
    )
    assert page.log.clean


def test_a_finger_draws_and_does_not_scroll(live_page: LivePage) -> None:
    page = live_page(examples.pad(), query="?draw.image=none", width=390)
    pad = page.locator("#draw canvas.lf-pad")
    assert pad.evaluate("e => getComputedStyle(e).touchAction") == "none"
    box = pad.bounding_box()
    for kind, share in (("pointerdown", 0.2), ("pointermove", 0.7), ("pointerup", 0.7)):
        place = {
            "clientX": box["x"] + box["width"] / 2, "clientY": box["y"] + share * box["height"],
            "pointerType": "touch", "pointerId": 7, "isPrimary": True, "bubbles": True,
        }  # fmt: skip
        # An invented pointer cannot be captured; a real finger can.
        page.evaluate("() => { Element.prototype.setPointerCapture = () => {}; }")
        pad.dispatch_event(kind, place)
    assert "The network reads a" in status(page)


@pytest.mark.parametrize("value", ["nan", "13", "-1", "1.5", "<b>", "0"])
def test_address_with_nonsense_changes_nothing(live_page: LivePage, value: str) -> None:
    page = live_page(examples.pad(), query=f"?draw.image={value}&draw.brush={value}")
    assert "Test image" in status(page)
    assert page.log.clean


def test_dark_paper_and_light_ink(live_page: LivePage) -> None:
    corner = """() => [...document.querySelector("canvas.lf-pad").getContext("2d")
      .getImageData(3, 3, 1, 1).data].slice(0, 3)"""
    light = live_page(examples.pad()).evaluate(corner)
    dark = live_page(examples.pad(), theme="dark", color_scheme="dark").evaluate(corner)
    assert min(light) > 240
    assert max(dark) < 60


def test_fallback_shows_the_first_image_and_every_reading(live_page: LivePage) -> None:
    page = live_page(examples.pad(), javascript=False, wait=False)
    assert page.locator("main img").bounding_box()["width"] > 200
    rows = page.locator("main table tbody tr")
    small: EightBits = examples.pad_network()
    answers = predict(small.mlp, small.params, examples.pad_images())
    assert rows.count() == len(answers)
    for row, answer in zip(rows.all(), answers, strict=True):
        assert row.locator("td").nth(1).inner_text() == str(answer.argmax())
        assert row.locator("td").nth(2).inner_text() == f"{answer.max():.3f}"
