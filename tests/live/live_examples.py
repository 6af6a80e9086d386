"""One figure of each kind, as a chapter would make it; and what a notebook stores of it."""

from __future__ import annotations

import math

import numpy as np

from backprop_lib import MLP, Params, half_mse, load_digits, sigmoid, softmax, tanh, trace_step
from backprop_lib.live import (
    Axis,
    Bars,
    Choice,
    Circuit,
    Curve,
    EightBits,
    Explorer,
    Film,
    Graph,
    LiveFigure,
    Matrix,
    Pad,
    Path,
    Plane,
    Readout,
    Scatter,
    Series,
    Slider,
    Surface,
    eight_bits,
)
from backprop_lib.trace import Trace

SIGMOID = {"a": ("sigmoid", ("*", "w", "z")), "s": ("*", "w", "a", ("-", 1, "a"))}
TANH = {"a": ("tanh", ("*", "w", "z")), "s": ("*", "w", ("-", 1, ("square", "a")))}


def html_of(figure: LiveFigure) -> str:
    return figure._repr_mimebundle_()[0]["text/html"]


def curve(name: str = "sigmoid-slope") -> Curve:
    return Curve(
        name,
        "The sigmoid and its slope, at most a quarter.",
        x=Axis("pre-activation z", -6, 6),
        y=Axis("value", -1, 1),
        point=Slider("z", 1.0, -6, 6, 0.1),
        controls=[
            Slider("w", 1.0, -3, 3, 0.1, label="weight w"),
            Choice("phi", {"sigmoid": {}, "tanh": TANH}, label="activation"),
        ],
        definitions=SIGMOID,
        curves={"activation": "a", "slope": "s"},
        tangents={"activation": "s"},
        readouts=[Readout("a", "a", ".6f"), Readout("slope", "s", ".6g")],
    )


STEPS = [10.0**-k for k in range(16)]


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def v_curve() -> Curve:
    slope = logistic(0.7) * (1 - logistic(0.7))
    central = [(logistic(0.7 + h) - logistic(0.7 - h)) / (2 * h) for h in STEPS]
    return Curve(
        "v-curve",
        "The error of central differences, smallest near a step of 1e-5.",
        x=Axis("step h", 1e-15, 1, log=True),
        y=Axis("relative error", 1e-13, 1, log=True),
        point=Slider("h", 1e-5, options=STEPS),
        curves={"central": [abs(c - slope) / slope for c in central]},
    )


XOR = {
    "z1": ("+", ("*", "w11", "x1"), ("*", "w12", "x2"), "b1"),
    "z2": ("+", ("*", "w21", "x1"), ("*", "w22", "x2"), "b2"),
    "a1": ("sigmoid", "z1"),
    "a2": ("sigmoid", "z2"),
    "p": ("sigmoid", ("+", ("*", "v1", "a1"), ("*", "v2", "a2"), "c")),
    "loss": ("*", 0.5, ("square", ("-", "p", "target"))),
}
XOR_POINTS = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
XOR_WEIGHTS = {
    "w11": 8.0, "w12": 8.0, "b1": -4.0, "w21": 8.0, "w22": 8.0, "b2": -12.0,
    "v1": 10.0, "v2": -12.0, "c": -4.0,
}  # fmt: skip


def plane(draggable: bool = False) -> Plane:
    return Plane(
        "xor-network",
        "The band in which a 2-2-1 network answers one.",
        x=Axis("x₁", -0.5, 1.5),
        y=Axis("x₂", -0.5, 1.5),
        coordinates=("x1", "x2"),
        points=XOR_POINTS,
        classes=["XOR is 0", "XOR is 1"],
        draggable=draggable,
        definitions=XOR,
        controls=[Slider(key, value, -15, 15, 0.1) for key, value in XOR_WEIGHTS.items()],
        surface=Surface("p"),
        probe=(0.3, 1.2),
        readouts=[
            Readout("a₁", "a1", ".6f"),
            Readout("p", "p", ".6f"),
            Readout("mean loss", "loss", ".6g", mean=True),
        ],
    )


BOWL = {"J": ("*", 0.5, ("+", ("square", "u"), ("*", 6, ("square", "v")))), "dv": ("*", 6, "v")}


def bowl() -> Plane:
    return Plane(
        "bowl",
        "Two descents in a long valley.",
        x=Axis("u", -4, 4),
        y=Axis("v", -3, 3),
        coordinates=("u", "v"),
        square=False,
        definitions=BOWL,
        controls=[
            Slider("eta", 0.1, 0.01, 0.4, 0.01, label="learning rate"),
            Slider("n", 12, 0, 60, 1, label="steps"),
        ],
        surface=Surface("J", [0.5, 2, 5, 10], 0, 30, probability=False),
        probe=(-3.0, 1.5),
        paths=[
            Path(
                "plain",
                {"u": ("-", "u", ("*", "eta", "u")), "v": ("-", "v", ("*", "eta", "dv"))},
                "n",
            ),
            Path(
                "momentum",
                {
                    "u": ("+", "u", ("-", ("*", 0.8, "mu"), ("*", "eta", "u"))),
                    "v": ("+", "v", ("-", ("*", 0.8, "mv"), ("*", "eta", "dv"))),
                    "mu": ("-", ("*", 0.8, "mu"), ("*", "eta", "u")),
                    "mv": ("-", ("*", 0.8, "mv"), ("*", "eta", "dv")),
                },
                "n",
                {"mu": 0.0, "mv": 0.0},
            ),
        ],
        readouts=[
            Readout("J at the start", "J"),
            Readout("J, plain", "J", path="plain"),
            Readout("J, momentum", "J", path="momentum"),
        ],
    )  # fmt: skip


RATES = [0.05, 0.1, 0.3]
WIDTHS = ["few", "many"]
EPOCHS = 12


def losses(rate: float, width: str, epoch: int) -> list[float]:
    slower = 0.8 if width == "few" else 0.9
    return [math.exp(-rate * epoch) + 0.02, math.exp(-rate * slower * epoch) + 0.05]


def record(rate: float, width: str) -> list[dict[str, object]]:
    weights = np.linspace(-1, 1, 64).reshape(8, 8)
    return [
        {
            "loss": losses(rate, width, epoch),
            "norms": [10 ** (-k * rate) for k in range(1, 4)],
            "weights": weights * (epoch + 1) / EPOCHS,
            "confusion": [[10 + epoch, 3], [2, 12 + epoch]],
            "line": {"lines": [([-1, 2], [2.5 - epoch * 0.05, -0.5])]},
        }
        for epoch in range(EPOCHS)
    ]


def film(start: int = -1) -> Film:
    return Film(
        "training",
        "A training, epoch by epoch, for three learning rates.",
        record=record,
        sliders={"learning rate": RATES, "units": WIDTHS},
        start=[0.1, "few"],
        frame=start,
        frames="epoch",
        speed=4,
        panels=[
            Series("loss", Axis("loss", 0.01, 1.2, log=True), ["training", "validation"], ".6f"),
            Bars("norms", ["layer 1", "layer 2", "layer 3"], Axis("norm", 1e-3, 1, log=True)),
            Matrix("weights", "weights of one unit", -1, 1, (8, 8)),
            Matrix(
                "confusion", "confusion matrix", 0, 40, (2, 2), ["0", "1"], ["0", "1"],
                "predicted", "true", "d",
            ),
            Scatter(
                "line", "the line", Axis("x₁", -0.5, 1.5), Axis("x₂", -0.5, 1.5),
                [(0, 0, 0), (1, 1, 1)], ["no", "yes"],
            ),
        ],
    )  # fmt: skip


def hand_trace() -> Trace:
    """The 2-2-1 network of the seventh chapter."""
    mlp = MLP((2, 2, 1), (sigmoid, sigmoid))
    params = Params.of(W=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45]]], b=[[0.35, 0.35], [0.60]])
    x, y = np.array([[0.05, 0.10]]), np.array([[0.01]])
    return trace_step(mlp, params, x, y, half_mse, learning_rate=0.5)


def square_trace() -> Trace:
    """Square layers and two outputs: every bug of the catalogue changes something."""
    mlp = MLP((2, 2, 2), (tanh, sigmoid))
    params = Params.of(
        W=[[[0.15, -0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, -0.55]]],
        b=[[0.35, -0.35], [0.60, 0.20]],
    )
    x, y = np.array([[0.5, -1.0]]), np.array([[0.01, 0.99]])
    return trace_step(mlp, params, x, y, half_mse, learning_rate=0.5)


def explorer(trace: Trace | None = None, name: str = "hand-trace") -> Explorer:
    trace = trace or hand_trace()
    return Explorer(name, "The hand trace of a small network.", trace, horizon=30)


CIRCUITS = {
    "sum times z": Graph(
        {"q": ("+", "x", "y"), "f": ("*", "q", "z")},
        [Slider("x", -2, -9, 9, 0.5), Slider("y", 5, -9, 9, 0.5), Slider("z", -4, -9, 9, 0.5)],
        {"x": (0, 0), "y": (0, 1), "z": (1, 2), "q": (1, 0.5), "f": (2, 1.25)},
    ),
    "fork": Graph(
        {"b": ("square", "a"), "s": ("square", "b"), "y": ("+", "s", "b")},
        [Slider("a", 3, -4, 4, 0.1)],
        {"a": (0, 1), "b": (1, 1), "s": (2, 0), "y": (3, 1)},
    ),
    "every rule": Graph(
        {
            "m": ("max", "u", "v"),
            "p": ("/", "m", "v"),
            "g": ("tanh", "u"),
            "r": ("relu", "g"),
            "e": ("exp", "r"),
            "n": ("neg", "e"),
            "d": ("-", "p", "n"),
            "c": ("*", 0.5, "d"),
            "l": ("log", "c"),
            "s": ("sigmoid", "l"),
            "w": ("*", "s", "s"),
        },
        [Slider("u", 1.5, -3, 3, 0.1), Slider("v", 0.5, 0.1, 3, 0.1)],
        {
            "u": (0, 0), "v": (0, 2), "m": (1, 1), "p": (2, 2), "g": (1, 0), "r": (2, 0),
            "e": (3, 0), "n": (4, 0), "d": (4, 2), "c": (5, 2), "l": (5, 1), "s": (6, 1),
            "w": (7, 1),
        },
    ),
}  # fmt: skip


def circuit() -> Circuit:
    return Circuit("stepper", "Small circuits to walk forwards and back.", CIRCUITS)


def pad_images() -> np.ndarray:
    """The small digits, three pixels for one, in the size and the grey values of MNIST."""
    small = np.round(load_digits().X_test[:12] * 255) / 255
    large = np.zeros((12, 28, 28))
    large[:, 2:26, 2:26] = np.kron(small.reshape(12, 8, 8), np.ones((1, 3, 3)))
    return large.reshape(12, 784)


def pad_network() -> EightBits:
    """Random weights, large enough that the answers differ."""
    mlp = MLP((784, 30, 10), (sigmoid, softmax))
    params = mlp.init(np.random.default_rng(2))
    return eight_bits(mlp, params.like(3 * params.theta))


def pad() -> Pad:
    labels = load_digits().y_test[:12]
    alt = "A pad to draw on, and a bar for each answer."
    return Pad("draw", alt, pad_network(), pad_images(), labels)


def all_kinds() -> list[Curve | Plane | Film | Explorer | Circuit | Pad]:
    return [curve(), v_curve(), plane(), bowl(), film(), explorer(), circuit(), pad()]
