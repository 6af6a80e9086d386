"""The exercises of chapter 12, *Overfitting and regularisation*.

Every answer is computed: the steps by the rules of the chapter, the predictions by training runs
like the chapter's own, the leaks by asking which rows had a say before the split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from backprop_lib.activations import relu, softmax
from backprop_lib.data import load_digits
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.gradcheck import central_differences
from backprop_lib.losses import cross_entropy, one_hot
from backprop_lib.network import MLP, Params, cost, forward, he
from backprop_lib.optimizers import sgd
from backprop_lib.regularization import (
    EarlyStopping,
    Gradient,
    backprop_gradient,
    dropout_forward,
    dropout_masks,
)
from backprop_lib.training import fit


def chosen(choice: str, says: str, advice: str) -> Slip:
    """What somebody means who makes this choice."""
    return Slip(says, advice, lambda: choice)


# --------------------------------------------------------------------------------------------
# L2: a step with decay, and where it comes to rest

WEIGHT, DATA_GRADIENT, ETA, STRENGTH = 2.0, 0.3, 0.4, 0.1


def decay_step() -> float:
    """The weight after one step of plain descent on data and penalty."""
    return (1 - ETA * STRENGTH) * WEIGHT - ETA * DATA_GRADIENT


def _decay_slips() -> Sequence[Slip]:
    return (
        Slip(
            "the penalty is left out",
            "The penalty's share of the gradient is lambda times the weight.",
            lambda: WEIGHT - ETA * DATA_GRADIENT,
        ),
        Slip(
            "the weight shrinks by 1 - lambda",
            "The penalty is part of the gradient, so the learning rate multiplies it, too.",
            lambda: (1 - STRENGTH) * WEIGHT - ETA * DATA_GRADIENT,
        ),
        Slip(
            "the sign of the penalty is turned",
            "The penalty pulls towards 0: a positive weight becomes smaller.",
            lambda: (1 + ETA * STRENGTH) * WEIGHT - ETA * DATA_GRADIENT,
        ),
        Slip(
            "the 1/2 of the penalty is forgotten",
            "The penalty is lambda/2 times the square; its derivative is lambda w, not 2 lambda w.",
            lambda: (1 - 2 * ETA * STRENGTH) * WEIGHT - ETA * DATA_GRADIENT,
        ),
        Slip(
            "the data gradient shrinks as well",
            "Only the weight shrinks; the data gradient takes its full step.",
            lambda: (1 - ETA * STRENGTH) * (WEIGHT - ETA * DATA_GRADIENT),
        ),
    )


GOAL, PULL = 3.0, 0.4


def standstill() -> list[float]:
    """Where w - goal + lambda w is 0, and the data gradient w - goal there."""
    w = GOAL / (1 + PULL)
    return [w, w - GOAL]


def _standstill_slips() -> Sequence[Slip]:
    shrunk, subtracted, doubled = (1 - PULL) * GOAL, GOAL - PULL, GOAL / (1 + 2 * PULL)
    return (
        Slip(
            "the data gradient is thought to be 0 at rest",
            "At rest the sum is 0: the data gradient cancels lambda w.",
            lambda: [GOAL / (1 + PULL), 0.0],
        ),
        Slip(
            "the goal is thought to shrink once, by 1 - lambda",
            "It shrinks in every step; solve w - 3 + lambda w = 0.",
            lambda: [shrunk, shrunk - GOAL],
        ),
        Slip(
            "the penalty is taken for lambda |w|",
            "The derivative of lambda/2 w^2 is lambda w, not lambda.",
            lambda: [subtracted, subtracted - GOAL],
        ),
        Slip(
            "the 1/2 of the penalty is forgotten",
            "The derivative of lambda/2 w^2 is lambda w, not 2 lambda w.",
            lambda: [doubled, doubled - GOAL],
        ),
    )


_DECAY = (
    Exercise(
        "12-decay-step",
        "A weight is 2, its data gradient 0.3. What is it after one step of plain descent with "
        "learning rate 0.4 and an L2 penalty of strength 0.1?",
        answer=decay_step,
        slips=_decay_slips,
        hints=(
            "What is the gradient of data and penalty together?",
            "The gradient is 0.3 + 0.1 * 2; the step is 0.4 times that.",
        ),
        solution=lambda: (
            f"(1 - {ETA} * {STRENGTH}) * {WEIGHT} - {ETA} * {DATA_GRADIENT} = {decay_step():.4f}"
        ),
    ),
    Exercise(
        "12-standstill",
        "The loss of the data alone is (w - 3)^2 / 2. With an L2 penalty of strength 0.4: where "
        "does w come to rest, and what is the data gradient there? Two numbers.",
        answer=standstill,
        slips=_standstill_slips,
        hints=(
            "At rest, data gradient and penalty gradient cancel.",
            "Solve w - 3 + 0.4 w = 0; the data gradient is w - 3.",
        ),
        solution=lambda: (
            f"w = {GOAL} / (1 + {PULL}) = {standstill()[0]:.5f}\n"
            f"data gradient {standstill()[0]:.5f} - {GOAL} = {standstill()[1]:.5f}\n"
            f"penalty gradient {PULL} * {standstill()[0]:.5f} = {PULL * standstill()[0]:.5f}"
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# Dropout: forward and back through one mask

DROPPED_SHARE = 0.2
HANDED_ON = np.array([0.6, 0.2, 0.5])
KEPT = np.array([1.0, 0.0, 1.0])
OUT_WEIGHTS, OUT_BIAS, OUT_ERROR = np.array([1.0, -2.0, 0.4]), 0.1, 0.5


def through_mask(there: Array, back: Array) -> list[float]:
    """The output's z through one mask, and the errors that come back through another."""
    z = OUT_WEIGHTS @ (there * HANDED_ON) + OUT_BIAS
    return [float(z), *(float(error) + 0.0 for error in OUT_ERROR * OUT_WEIGHTS * back)]


def _mask_slips() -> Sequence[Slip]:
    mask = KEPT / (1 - DROPPED_SHARE)
    return (
        Slip(
            "the factor 1/(1 - p) is lost on the way back",
            "The error goes through the very mask of the forward pass, its factor included.",
            lambda: through_mask(mask, KEPT),
        ),
        Slip(
            "the mask is lost on the way back",
            "A dropped unit had no influence, so no error reaches it.",
            lambda: through_mask(mask, np.ones(3)),
        ),
        Slip(
            "the factor is left out in both passes",
            "What survives is enlarged by 1/(1 - p), here 1.25, in both passes.",
            lambda: through_mask(KEPT, KEPT),
        ),
        Slip(
            "the factor is taken for 1/p",
            "The share that survives is 1 - p; divide by that.",
            lambda: through_mask(KEPT / DROPPED_SHARE, KEPT / DROPPED_SHARE),
        ),
    )


def hidden_error(delta2: Array, W2: Array, a1: Array, m1: Array) -> Array:
    """The hidden errors of a batch with dropout: back along the wires, the mask, the slope."""
    return (delta2 @ W2) * m1 * a1 * (1 - a1)


def _line_inputs(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    N, n_1, n_2 = (1, 3, 1) if trial == 0 else rng.integers(2, 6, 3)
    share = (0.2, 0.4, 0.5)[trial % 3]
    kept = rng.random((N, n_1)) >= share
    kept[0, :2] = True, False  # in every trial some unit stays and some unit drops
    a1 = rng.uniform(0.1, 0.9, (N, n_1))
    return rng.standard_normal((N, n_2)), rng.standard_normal((n_2, n_1)), a1, kept / (1 - share)


def _line_slips() -> Sequence[Slip]:
    return (
        Slip(
            "the factor 1/(1 - p) is lost on the way back",
            "Multiply by the mask itself, not by whether it is positive.",
            lambda delta2, W2, a1, m1: (delta2 @ W2) * (m1 > 0) * a1 * (1 - a1),
        ),
        Slip(
            "the mask is lost on the way back",
            "A dropped unit had no influence, so it has no error.",
            lambda delta2, W2, a1, m1: (delta2 @ W2) * a1 * (1 - a1),
        ),
        Slip(
            "the mask is applied twice",
            "The slope is that of the sigmoid before the mask, a1 (1 - a1); the mask comes once.",
            lambda delta2, W2, a1, m1: (delta2 @ W2) * m1 * m1 * a1 * (1 - a1),
        ),
        Slip(
            "the slope is taken at the masked activation",
            "The mask stands behind the sigmoid: the slope is a1 (1 - a1) of the unmasked a1.",
            lambda delta2, W2, a1, m1: (delta2 @ W2) * m1 * (m1 * a1) * (1 - m1 * a1),
        ),
        Slip(
            "the slope is left out",
            "Behind the mask comes the sigmoid's slope a1 (1 - a1).",
            lambda delta2, W2, a1, m1: (delta2 @ W2) * m1,
        ),
    )


CHECKED, STEP, LIVE_MASK = 3.0, 0.01, 2.0


def _half_square(w: float, mask: float) -> float:
    return (mask * w) ** 2 / 2


def frozen_and_live() -> list[float]:
    """The quotient with the masks 2 and 0 on the two sides, and with 2 on both."""
    up, down = _half_square(CHECKED + STEP, LIVE_MASK), _half_square(CHECKED - STEP, 0.0)
    frozen = central_differences(lambda w: _half_square(w[0], LIVE_MASK), np.array([CHECKED]), STEP)
    return [(up - down) / (2 * STEP), float(frozen[0])]


def _frozen_slips() -> Sequence[Slip]:
    live, frozen = frozen_and_live()
    return (
        Slip(
            "the difference is divided by h",
            "The two sides are 2h apart.",
            lambda: [2 * live, 2 * frozen],
        ),
        Slip(
            "the mask is forgotten in the loss with frozen mask",
            "The loss is (2 w)^2 / 2, so its slope is 4 w.",
            lambda: [live, CHECKED],
        ),
        Slip(
            "the factor of the mask is used once",
            "The mask multiplies w and, on the way back, the error: 2 * 2 * w.",
            lambda: [live, LIVE_MASK * CHECKED],
        ),
        Slip(
            "the two answers are exchanged",
            "First the live quotient, then the frozen one.",
            lambda: [frozen, live],
        ),
    )


_DROPOUT = (
    Exercise(
        "12-mask-by-hand",
        "Three hidden units hand on a = (.6, .2, .5) under dropout with p = 1/5; the second is "
        "dropped. The output unit has weights (1, -2, .4), bias .1 and error 1/2. What are its z "
        "and the errors that arrive at the three a, before the slopes? Four numbers.",
        answer=lambda: through_mask(KEPT / (1 - DROPPED_SHARE), KEPT / (1 - DROPPED_SHARE)),
        slips=_mask_slips,
        hints=(
            "Which factor makes up for a dropped share of 1/5?",
            "Whoever stays is multiplied by 5/4, forwards and backwards; who drops has no error.",
        ),
        solution=lambda: (
            "z = 1.25*0.6*1 + 0 + 1.25*0.5*0.4 + 0.1, then 0.5 * weight * mask:\n"
            + ", ".join(
                f"{x:.4f}" for x in through_mask(KEPT / (1 - DROPPED_SHARE), KEPT / (1 - 0.2))
            )
        ),
    ),
    Exercise(
        "12-dropout-line",
        "Write hidden_error(delta2, W2, a1, m1) in one line: the hidden errors (N, n_1) under "
        "dropout, from delta2 (N, n_2), W2 (n_2, n_1), the sigmoids' activations a1 (N, n_1) "
        "before the mask, and the mask m1 (N, n_1), which holds its factor 1/(1 - p).",
        answer=hidden_error,
        slips=_line_slips,
        hints=(
            "What was a1 multiplied by on the way there?",
            "Without dropout it is (delta2 @ W2) * a1 * (1 - a1); one factor is missing.",
        ),
        solution=lambda: "return (delta2 @ W2) * m1 * a1 * (1 - a1)",
        inputs=_line_inputs,
        arguments=("delta2", "W2", "a1", "m1"),
    ),
    Exercise(
        "12-frozen-and-live",
        "One weight w = 3, input 1, target 0, loss (m w)^2 / 2, p = 0.5. A central difference "
        "with h = 0.01 draws the mask m = 2 for w + h and m = 0 for w - h. What does it give, and "
        "what would it give with m = 2 on both sides? Two numbers.",
        answer=frozen_and_live,
        slips=_frozen_slips,
        hints=(
            "Write down the two losses first; with m = 0 the loss is 0.",
            "Live: (2 * 3.01)^2 / 2 divided by 0.02. Frozen: the slope of 2 w^2 at 3.",
        ),
        solution=lambda: (
            f"live:   ({_half_square(CHECKED + STEP, 2.0):.4f} - 0) / 0.02 = "
            f"{frozen_and_live()[0]:.4f}\n"
            f"frozen: ({_half_square(CHECKED + STEP, 2.0):.4f} - "
            f"{_half_square(CHECKED - STEP, 2.0):.4f}) / 0.02 = {frozen_and_live()[1]:.4f}"
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# Early stopping: when, and with what

HELD_OUT = (0.9, 0.7, 0.6, 0.62, 0.58, 0.6, 0.61, 0.59, 0.57)


def stops(patience: int, losses: Sequence[float] = HELD_OUT) -> tuple[int, int]:
    """After which epoch training stops, and the epoch whose parameters it hands back."""
    best = 0
    for epoch, loss in enumerate(losses):
        best = epoch if loss < losses[best] else best
        if epoch - best >= patience:
            break
    return epoch + 1, best + 1


def first_rise() -> int:
    """The first epoch after which the held-out loss is higher than before."""
    return next(e + 1 for e in range(1, len(HELD_OUT)) if HELD_OUT[e] > HELD_OUT[e - 1])


def _ends(stopped: int, handed_back: int) -> str:
    return f"stops after epoch {stopped}, hands back epoch {handed_back}"


def _patience_slips() -> Sequence[Slip]:
    end, _ = stops(3)
    return (
        chosen(
            _ends(first_rise(), first_rise() - 1),
            "training stops at the first rise",
            "Patience 3 allows three epochs in a row without a new best.",
        ),
        chosen(
            _ends(end, end),
            "the last parameters are handed back",
            "What is handed back is the copy made at the best epoch.",
        ),
        chosen(
            _ends(*stops(len(HELD_OUT))),
            "training runs to the end and the best of all is taken",
            "Nobody can look ahead: after three epochs without a new best it is over.",
        ),
    )


_STOPPING = (
    Exercise(
        "12-patience",
        "The validation losses after epochs 1, 2, 3, ... are 0.9, 0.7, 0.6, 0.62, 0.58, 0.6, "
        "0.61, 0.59, 0.57. With patience 3: after which epoch does training stop, and from which "
        "epoch are the parameters handed back?",
        answer=lambda: _ends(*stops(3)),
        slips=_patience_slips,
        hints=(
            "Go through the epochs and mark every new best.",
            "The first three epochs are new bests, the fourth is not; go on, and count three "
            "epochs from the last new best.",
        ),
        solution=lambda: (
            f"The last new best comes after epoch {stops(3)[1]}. Three epochs later, after epoch "
            f"{stops(3)[0]}, it is over; epoch {len(HELD_OUT)}, which would be better still, is "
            "never reached."
        ),
        choices=(
            _ends(first_rise(), first_rise() - 1),
            _ends(stops(3)[0], stops(3)[0]),
            _ends(*stops(3)),
            _ends(*stops(len(HELD_OUT))),
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# Leaks: which rows had a say before they were judged


@dataclass(frozen=True)
class Report:
    """What somebody did: the parts that had a say in the model, and the part it is judged on."""

    did: str
    had_a_say: frozenset[str]
    judged_on: str

    @property
    def verdict(self) -> str:
        """A leak, if the images that judge had a say before."""
        return "leak" if self.judged_on in self.had_a_say else "clean"


_TWO, _ONE = frozenset({"learned", "held out"}), frozenset({"learned"})
REPORTS = (
    Report(
        "shifts all images, then splits: copies of held-out images are learned", _TWO, "held out"
    ),
    Report("takes mean and scale from the training images only", _ONE, "held out"),
    Report("chooses pixels by the labels of all images", _TWO, "held out"),
    Report("tunes on the second part and reports on it", _TWO, "held out"),
)


def leaks() -> tuple[str, ...]:
    """The verdicts, in the order of the question."""
    return tuple(report.verdict for report in REPORTS)


def _leaks_except(*places: int) -> Callable[[], tuple[str, ...]]:
    """The right verdicts with those at some places turned round."""
    other = {"leak": "clean", "clean": "leak"}
    turned = [other[v] if i in places else v for i, v in enumerate(leaks())]
    return lambda: tuple(turned)


def _leak_slips() -> Sequence[Slip]:
    return (
        Slip(
            "a shifted copy is taken for a new image",
            "After (a) the held-out images have near copies among those that were learned.",
            _leaks_except(0),
        ),
        Slip(
            "every normalisation is taken for a leak",
            "In (b) the held-out images had no say in mean and scale; they are only transformed.",
            _leaks_except(1),
        ),
        Slip(
            "choosing inputs is not seen as learning",
            "In (c) the labels of the held-out images helped to choose the pixels.",
            _leaks_except(2),
        ),
        Slip(
            "the winner's own score is believed",
            "In (d) the second part chose among 50; its best score is partly luck. Use the third.",
            _leaks_except(3),
        ),
        Slip(
            "only copied images are seen as a leak",
            "Whatever had a say in any choice has been seen: labels in (c), scores in (d).",
            _leaks_except(2, 3),
        ),
    )


_LEAKS = (
    Exercise(
        "12-find-the-leak",
        "Four reports of an error on held-out images: (a) shifts all images, then splits; "
        "(b) splits, computes mean and scale of the training images, and normalises both parts "
        "with these; (c) keeps the ten pixels that go best with the labels of all images, then "
        "splits; (d) splits into three, tunes 50 settings on the second part and reports the "
        "winner's error on that part. For each, in this order: leak or clean?",
        answer=leaks,
        slips=_leak_slips,
        hints=(
            "Ask of each: did the images that judge have a say before?",
            "Copies, labels and scores of the judging images are all a say; one report is free "
            "of them.",
        ),
        solution=lambda: "\n".join(
            f"({letter}) {report.verdict}: {report.did}"
            for letter, report in zip("abcd", REPORTS, strict=True)
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# Predictions: small runs of the chapter's kind

_NETWORK = MLP((64, 64, 10), (relu, softmax))


@cache
def _images() -> tuple[Array, Array, Array, Array]:
    """200 images of which a fifth are labelled wrongly, and 600 that are held out."""
    digits, rng = load_digits(np.random.default_rng(12)), np.random.default_rng(0)
    chosen_rows = rng.choice(837, 200, replace=False)
    labels = digits.y_train[chosen_rows].copy()
    labels[:40] = (labels[:40] + rng.integers(1, 10, 40)) % 10
    held_out = one_hot(digits.y_train[837:], 10)
    return digits.X_train[chosen_rows], one_hot(labels, 10), digits.X_train[837:], held_out


@cache
def _held_out_losses() -> list[float]:
    X, Y, X_val, Y_val = _images()
    watch = EarlyStopping(_NETWORK, X_val, Y_val, cross_entropy, patience=80)
    _train(X, Y, backprop_gradient(_NETWORK, cross_entropy), 80, watch)
    return watch.losses


def _train(
    X: Array, Y: Array, gradient: Gradient, epochs: int, callback: EarlyStopping | None = None
) -> Params:
    rng = np.random.default_rng(0)
    start = _NETWORK.init(rng, he)
    return fit(
        _NETWORK, start, X, Y, cross_entropy, sgd(0.2), epochs=epochs, batch_size=20, rng=rng,
        gradient=gradient, callback=callback, progress=False,
    ).params  # fmt: skip


_DOWN, _LEVEL, _UP_AGAIN = "falls all the way", "falls and then stays", "falls and then rises"


def _what_validation_does() -> str:
    losses = _held_out_losses()
    if losses[-1] > 1.1 * min(losses):
        return _UP_AGAIN
    return _DOWN if min(losses) < 0.9 * losses[39] else _LEVEL


def _factor_lost(params: Params, X: Array, Y: Array, m: tuple[Array | float, ...]) -> Params:
    """The gradient through the mask without its factor on the way back."""
    cache = dropout_forward(_NETWORK, params, X, m)
    delta2 = (cache.a[2] - Y) / len(X)
    delta1 = (delta2 @ params.W[2]) * (np.asarray(m[1]) > 0) * (cache.z[1] > 0)
    return Params.of(
        W=[delta1.T @ X, delta2.T @ (cache.a[1] * m[1])],
        b=[delta1.sum(axis=0), delta2.sum(axis=0)],
    )


_TRAINS, _STANDS, _CLIMBS = "the loss falls all the same", "the loss stays", "the loss grows"


def _what_the_bug_does() -> str:
    X, Y, _, _ = _images()
    rng = np.random.default_rng(0)

    def gradient(params: Params, X: Array, Y: Array) -> Params:
        return _factor_lost(params, X, Y, dropout_masks(_NETWORK, X, 0.5, rng))

    before = _NETWORK.init(np.random.default_rng(0), he)
    after = _train(X, Y, gradient, 20)
    first, last = (
        cost(_NETWORK, forward(_NETWORK, p, X), Y, cross_entropy) for p in (before, after)
    )
    if last < 0.8 * first:
        return _TRAINS
    return _STANDS if last < 1.2 * first else _CLIMBS


_PREDICTIONS = (
    Exercise(
        "12-predict-validation",
        "A network learns 200 images, of which a fifth carry a wrong label. The training loss "
        "falls over all 80 epochs. What does the loss on held-out images do?",
        answer=cache(_what_validation_does),
        slips=lambda: (
            chosen(
                _DOWN,
                "training is thought to help on every image",
                "The last things to be learned are the wrong labels; they help on no other image.",
            ),
            chosen(
                _LEVEL,
                "learning by heart is thought to do no harm",
                "To answer an exception as asked, the network bends its answers near it, too.",
            ),
        ),
        hints=(
            "What is left to learn once all that the images have in common is learned?",
            "The wrong labels are what is left. Does learning them help on other images?",
        ),
        solution=lambda: (
            f"lowest {min(_held_out_losses()):.3f}, after 80 epochs {_held_out_losses()[-1]:.3f}"
        ),
        choices=(_DOWN, _LEVEL, _UP_AGAIN),
    ),
    Exercise(
        "12-predict-lost-factor",
        "In dropout with p = 0.5 the factor 1/(1 - p) is lost on the way back, in a network with "
        "one hidden layer. What does a training run show?",
        answer=cache(_what_the_bug_does),
        slips=lambda: (
            chosen(
                _STANDS,
                "a wrong gradient is thought to teach nothing",
                "Half of the right error still points downhill, and the last layer's is right.",
            ),
            chosen(
                _CLIMBS,
                "a wrong gradient is thought to lead uphill",
                "A positive factor changes no sign: the hidden weights go the right way, slower.",
            ),
        ),
        hints=(
            "Which gradients are wrong, and by which factor?",
            "Those of the first layer are half as long; their direction is right.",
        ),
        solution=lambda: (
            "The hidden layer's gradient is half the right one, the last layer's is right: "
            f"{_what_the_bug_does()}. A falling loss proves no gradient."
        ),
        choices=(_TRAINS, _STANDS, _CLIMBS),
    ),
)

EXERCISES = (*_DECAY, *_DROPOUT, *_STOPPING, *_LEAKS, *_PREDICTIONS)
