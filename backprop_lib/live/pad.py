"""A pad to draw digits on, read by a trained network that the page carries along."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from backprop_lib.errors import Array, ShapeError, check_array
from backprop_lib.live.base import LiveFigure, image
from backprop_lib.live.controls import Axis
from backprop_lib.live.export import SIDE, EightBits, packed
from backprop_lib.live.picture import Picture, document
from backprop_lib.network import predict

PIXELS = SIDE * SIDE
SIZE = (660, 280)


class Pad(LiveFigure):
    r"""A pad to draw on; the exported network answers with the activations of every layer.

    What is drawn is brought into the form of the MNIST images (`backprop_lib.live.export.centred`).
    A test image can be laid on the pad instead, and painted over.

    Parameters
    ----------
    name : str
        Identifies the figure on its page and in shared addresses.
    alt : str
        What is drawn and the one thing to see.
    network : EightBits
        The exported network: 784 inputs, one hidden layer or more, one output a digit.
    images : ndarray of float, shape (N, 784)
        Test images, grey values in steps of 1/255; the first is shown at the start.
    labels : sequence of int
        What was written, one digit an image.
    outputs : str
        What the outputs are called: probabilities, or activations.

    Raises
    ------
    ShapeError, ValueError
        If network, images and labels do not fit together, or an image holds other grey values.

    Examples
    --------
    >>> from backprop_lib import MLP, sigmoid, softmax
    >>> from backprop_lib.live.export import eight_bits
    >>> mlp = MLP((784, 3, 10), (sigmoid, softmax))
    >>> small = eight_bits(mlp, mlp.init(np.random.default_rng(0)))
    >>> Pad("draw", "A pad to draw on.", small, np.zeros((1, 784)), [7])
    <Pad draw>

    Notes
    -----
    Chapter 14, *Handwritten digits*.
    """

    kind: ClassVar[str] = "pad"

    def __init__(
        self,
        name: str,
        alt: str,
        network: EightBits,
        images: Array,
        labels: Sequence[int],
        *,
        outputs: str = "probability",
    ) -> None:
        digits = [int(label) for label in labels]
        pixels = _grey_values(network, images, digits)
        answers = predict(network.mlp, network.params, images)
        names = [str(k) for k in range(network.mlp.sizes[-1])]
        hidden = network.mlp.sizes[-2]
        state: dict[str, Any] = {
            "network": network.to_json(),
            "images": {"pixels": packed(pixels), "labels": digits},
            "names": names,
            "titles": {"answers": outputs, "hidden": f"Hidden units, 1 to {hidden}: activation"},
        }
        picture = image(_picture(images[0], answers[0], names, outputs), alt, *SIZE)
        super().__init__(name, alt, state, picture + _table(answers, digits, outputs))


def _grey_values(network: EightBits, images: Array, labels: Sequence[int]) -> Array:
    """The images as whole numbers from 0 to 255, once everything fits together."""
    sizes, shape = network.mlp.sizes, (len(labels), PIXELS)
    if len(sizes) < 3 or sizes[0] != PIXELS or sizes[-1] != 10:
        raise ValueError(f"network has sizes {sizes}, expected ({PIXELS}, hidden units, ..., 10)")
    if check_array("images", images).shape != shape or not labels:
        raise ShapeError(
            f"images have shape {images.shape}, expected (N={len(labels)}, {PIXELS}) with at "
            "least one image: one row for each label"
        )
    if not set(labels) <= set(range(10)):
        raise ValueError(f"labels are {list(labels)}, expected digits from 0 to 9")
    pixels = np.round(images * 255)
    if pixels.min() < 0 or pixels.max() > 255 or not np.allclose(pixels, images * 255, atol=1e-9):
        raise ValueError("images hold other grey values, expected multiples of 1/255 from 0 to 1")
    return np.asarray(pixels.astype(np.uint8))


def _picture(x: Array, answers: Array, names: Sequence[str], outputs: str) -> str:
    """The first image and a bar for each answer."""
    paper = Picture(Axis("", 0, SIDE), Axis("", 0, SIDE), 200 + 52 + 90, 200 + 28 + 44)
    paper.left = 20
    paper.cells(x.reshape(SIDE, SIDE).tolist(), signed=False)
    paper.text(20, 20, "test image 1")
    bars = Picture(Axis("answer of the network", 0, 10), Axis(outputs, 0, 1), 480, 272, left=240)
    bars.width = 340
    bars.axes(names)
    bars.bars(answers.tolist())
    return document([paper, bars], *SIZE)


def _table(answers: Array, labels: Sequence[int], outputs: str) -> str:
    """What was written and what was read, for every test image."""
    rows = [
        f'<tr><th scope="row">{n}</th><td>{label}</td><td>{row.argmax()}</td>'
        f"<td>{row.max():.3f}</td></tr>"
        for n, (label, row) in enumerate(zip(labels, answers, strict=True), start=1)
    ]
    titles = ("test image", "written", "read as", f"{outputs} of the answer")
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in titles)
    return (
        f"\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n"
        "</table>"
    )
