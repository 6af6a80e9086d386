"""The exercises of chapter 14, *Handwritten digits*.

Sizes, losses and errors are computed by the library; the prediction about writers by trainings on
the small digits, like the chapter's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from backprop_lib.activations import sigmoid, softmax
from backprop_lib.data import Images, load_digits
from backprop_lib.errors import Array
from backprop_lib.exercises.kinds import Exercise, Slip
from backprop_lib.losses import cross_entropy, one_hot
from backprop_lib.network import MLP, Params, cost, count_parameters, forward, predict
from backprop_lib.optimizers import sgd
from backprop_lib.training import accuracy, fit


def chosen(choice: str, says: str, advice: str) -> Slip:
    """What somebody means who makes this choice."""
    return Slip(says, advice, lambda: choice)


# --------------------------------------------------------------------------------------------
# Sizes and counts

SIZES = (784, 30, 10)
IMAGES, BATCH, EPOCHS = 50_000, 64, 30


def weights() -> int:
    """How many weights there are, without the biases."""
    return sum(n * m for n, m in pairwise(SIZES))


def _number_slips() -> Sequence[Slip]:
    return (
        Slip("the biases are forgotten", "Every unit after the inputs has a bias.", weights),
        Slip(
            "the inputs get biases, too",
            "An input is given; there is nothing to learn in it.",
            lambda: weights() + sum(SIZES),
        ),
        Slip(
            "only the first layer is counted",
            "There are weights and biases into the output layer as well.",
            lambda: SIZES[0] * SIZES[1] + SIZES[1],
        ),
        Slip(
            "each layer gets one bias",
            "Each unit has its own bias.",
            lambda: weights() + len(SIZES) - 1,
        ),
    )


def steps(images: int = IMAGES, batch: int = BATCH, epochs: int = EPOCHS) -> int:
    """Steps of a training whose last batch of an epoch may be short."""
    return epochs * math.ceil(images / batch)


def _step_slips() -> Sequence[Slip]:
    return (
        Slip(
            "the last, shorter batch is dropped",
            "Every image comes once an epoch; the rest makes a batch of its own.",
            lambda: EPOCHS * (IMAGES // BATCH),
        ),
        Slip("one epoch is counted", "There are 30 of them.", lambda: steps(epochs=1)),
        Slip(
            "the batches run on from one epoch to the next",
            "Each epoch shuffles and deals out anew, so each ends with a short batch.",
            lambda: math.ceil(EPOCHS * IMAGES / BATCH),
        ),
        Slip(
            "each image is a step", "A step takes a whole batch.", lambda: steps(batch=1, epochs=1)
        ),
    )


LETTERS = 26


def uniform_loss(classes: int = LETTERS) -> float:
    """The cross-entropy of an answer that gives every class the same probability."""
    answers = np.full((1, classes), 1 / classes)
    return float(cross_entropy(answers, one_hot(np.array([0]), classes)))


def _letter_slips() -> Sequence[Slip]:
    return (
        Slip("there are ten classes", "There are 26 letters.", lambda: uniform_loss(10)),
        Slip(
            "the logarithm is taken to base 10",
            "The loss is the natural logarithm.",
            lambda: math.log10(LETTERS),
        ),
        Slip(
            "the logarithm is taken to base 2",
            "The loss is the natural logarithm; base 2 would count bits.",
            lambda: math.log2(LETTERS),
        ),
        Slip(
            "the probability itself is given",
            "The loss is minus the logarithm of it.",
            lambda: 1 / LETTERS,
        ),
    )


LOW, HIGH, RATES = 0.1, 10.0, 5


def rate_factor(rates: int = RATES) -> float:
    """By which factor rates grow that lead from LOW to HIGH."""
    return float((HIGH / LOW) ** (1 / (rates - 1)))


def _rate_slips() -> Sequence[Slip]:
    return (
        Slip(
            "the rates are spaced by equal steps",
            "By the same factor: divide neighbours, do not subtract them.",
            lambda: (HIGH - LOW) / (RATES - 1),
        ),
        Slip(
            "as many factors are counted as there are rates",
            "Five rates have four gaps between them.",
            lambda: rate_factor(RATES + 1),
        ),
        Slip(
            "the whole way is shared out by division",
            "Four factors are multiplied: the fourth root of 100, not a quarter of it.",
            lambda: HIGH / LOW / (RATES - 1),
        ),
    )


SHARE, TESTED = 0.95, 10_000


def standard_error(tested: int = TESTED) -> float:
    """The standard error of an accuracy, in per cent."""
    return 100 * math.sqrt(SHARE * (1 - SHARE) / tested)


def _error_slips() -> Sequence[Slip]:
    return (
        Slip(
            "the square root is forgotten",
            "p(1 - p)/N is the variance; its root is the standard error.",
            lambda: 100 * standard_error() ** 2 / 100**2,
        ),
        Slip(
            "the training images are counted",
            "The share was measured on 10 000 test images.",
            lambda: standard_error(IMAGES),
        ),
        Slip(
            "the spread of a single image is given",
            "Divide by the root of the number of images.",
            lambda: standard_error(1),
        ),
        Slip(
            "a share is given, not per cent",
            "Multiply by 100.",
            lambda: standard_error() / 100,
        ),
    )


_COUNTS = (
    Exercise(
        "14-numbers",
        "A network with 784 inputs, 30 hidden units and 10 outputs: how many numbers does it "
        "have to learn?",
        answer=lambda: count_parameters(SIZES),
        slips=_number_slips,
        hints=(
            "Count weights and biases, layer by layer.",
            "The first layer has 30 rows of 784 weights and 30 biases.",
        ),
        solution=lambda: (
            f"30 x 784 + 30 = {30 * 784 + 30}, 10 x 30 + 10 = {10 * 30 + 10}, "
            f"together {count_parameters(SIZES)}"
        ),
        digits=5,
    ),
    Exercise(
        "14-steps",
        "30 epochs of 50 000 images in batches of 64, every image once an epoch: how many steps?",
        answer=steps,
        slips=_step_slips,
        hints=(
            "How many batches of 64 are there in 50 000, and how many images are left over?",
            "The left-over images make one more, shorter batch, in every epoch.",
        ),
        solution=lambda: (
            f"{IMAGES // BATCH} full batches and one of {IMAGES % BATCH}: {steps(epochs=1)} an "
            f"epoch, {steps()} in all"
        ),
        digits=5,
    ),
    Exercise(
        "14-letters",
        "A network for the 26 letters has just been initialised and gives every letter about the "
        "same probability. What cross-entropy do you expect before training?",
        answer=uniform_loss,
        slips=_letter_slips,
        hints=(
            "Which probability does the right letter get?",
            "The loss is minus the natural logarithm of 1/26.",
        ),
        solution=lambda: f"-ln(1/26) = ln 26 = {uniform_loss():.4f}",
    ),
    Exercise(
        "14-rates",
        "In a search by factors of ten, eta = 1 came out best. Now take five rates, the first 0.1 "
        "and the last 10, each larger than the one before by the same factor. By which?",
        answer=rate_factor,
        slips=_rate_slips,
        hints=(
            "How many factors lie between five rates, and what is their product?",
            "Four factors make 100, so each is the fourth root of 100.",
        ),
        solution=lambda: (
            f"100**(1/4) = {rate_factor():.5f}; the rates are "
            + ", ".join(f"{rate:.3g}" for rate in LOW * rate_factor() ** np.arange(RATES))
        ),
    ),
    Exercise(
        "14-standard-error",
        "A network reads 95 % of 10 000 test images correctly. How large is the standard error "
        "of this figure, the root of p(1 - p)/N, in per cent?",
        answer=standard_error,
        slips=_error_slips,
        hints=(
            "p is 0.95, N the number of images that were tested.",
            "Take the root of 0.95 x 0.05 / 10 000, then multiply by 100.",
        ),
        solution=lambda: (
            f"{standard_error():.4f} %: two networks that differ by less than about half a per "
            "cent cannot be told apart by one such test"
        ),
    ),
)


# --------------------------------------------------------------------------------------------
# Which check sees it

CHECKS = ("start", "gradient", "heart", "none")


def _which_slips() -> Sequence[Slip]:
    right = ("gradient", "start", "heart", "none")
    return (
        Slip(
            "the gradient check is thought to see shuffled labels",
            "The gradient is right, for the wrong labels; what suffers is held-out accuracy.",
            lambda: (*right[:3], "gradient"),
        ),
        Slip(
            "learning by heart is thought to see shuffled labels",
            "Twenty images can be learned by heart with any labels.",
            lambda: (*right[:3], "heart"),
        ),
        Slip(
            "the gradient check is thought to see gradients that are never zeroed",
            "It looks at one gradient of one batch, and that one is right.",
            lambda: (right[0], right[1], "gradient", right[3]),
        ),
        Slip(
            "learning by heart is thought to see the missing transpose first",
            "With a wrong gradient twenty images may still be learned; the gradient check cannot "
            "be fooled.",
            lambda: ("heart", *right[1:]),
        ),
    )


_WHICH = Exercise(
    "14-which-check",
    "Which of the checks sees it first: start (the loss at initialisation), gradient (a slice "
    "against differences), heart (twenty images learned by heart), or none of them? (a) W instead "
    "of W transposed in the backward pass of a square layer; (b) initial weights a hundred times "
    "too large; (c) gradients that are never set back to zero between steps; (d) the labels of all "
    "images shuffled. Four words, in this order.",
    answer=lambda: ("gradient", "start", "heart", "none"),
    slips=_which_slips,
    hints=(
        "Ask of each check what it looks at: one forward pass, one gradient, or many steps.",
        "A wrong gradient is seen by differences, a wrong use of a right gradient only by steps.",
    ),
    solution=lambda: (
        "(a) gradient: it is wrong. (b) start: far above the logarithm of the number of classes. "
        "(c) heart: each gradient is right, the steps are not. (d) none: everything works, but "
        "there is nothing to learn; only held-out images show it."
    ),
)


# --------------------------------------------------------------------------------------------
# Functions


def confusion(written: Array, read: Array) -> Array:
    """Counts of three classes: written downwards, read across."""
    counts = np.zeros((3, 3))
    np.add.at(counts, (written.astype(int), read.astype(int)), 1)
    return counts


def centre(image: Array) -> Array:
    """The centre of mass of the ink: (row, column)."""
    down, across = (np.arange(n) for n in image.shape)
    ink = image.sum()
    return np.array([image.sum(axis=1) @ down, image.sum(axis=0) @ across]) / ink


def _middle_of_box(image: Array) -> Array:
    rows, columns = np.nonzero(image)
    return np.array([rows.min() + rows.max(), columns.min() + columns.max()]) / 2


def _last_count(written: Array, read: Array) -> Array:
    counts = np.zeros((3, 3))
    counts[written.astype(int), read.astype(int)] += 1
    return counts


def _two_readings(rng: np.random.Generator, trial: int) -> tuple[Array, Array]:
    n = 4 if trial == 0 else int(rng.integers(5, 30))
    return rng.integers(0, 3, n), rng.integers(0, 3, n)


def _some_ink(rng: np.random.Generator, trial: int) -> tuple[Array, ...]:
    rows, columns = (2, 3) if trial == 0 else rng.integers(3, 8, 2)
    return (rng.integers(1, 5, (rows, columns)) / 4.0,)


def _confusion_slips() -> Sequence[Slip]:
    return (
        Slip(
            "rows and columns are exchanged",
            "What was written goes downwards: it is the first index.",
            lambda written, read: confusion(read, written),
        ),
        Slip(
            "counts[written, read] += 1 is written once for all images",
            "A pair that occurs twice in the index is then counted once; np.add.at counts it "
            "twice, and so does a loop.",
            _last_count,
        ),
        Slip(
            "shares of each row are given",
            "Asked are counts.",
            lambda written, read: (
                confusion(written, read)
                / np.maximum(confusion(written, read).sum(axis=1, keepdims=True), 1)
            ),
        ),
    )


def _centre_slips() -> Sequence[Slip]:
    return (
        Slip("row and column are exchanged", "The row comes first.", lambda i: centre(i)[::-1]),
        Slip(
            "the middle of the box around the ink is taken",
            "Weigh every pixel by its ink.",
            _middle_of_box,
        ),
        Slip(
            "pixels are counted from 1",
            "Count rows and columns from 0, as numpy does.",
            lambda image: centre(image) + 1,
        ),
    )


_FUNCTIONS = (
    Exercise(
        "14-confusion",
        "Write counts(written, read) for three classes: a 3 x 3 matrix whose entry [i, j] says "
        "how often i was written and j was read. Both arguments hold whole numbers from 0 to 2, "
        "shape (N,).",
        answer=confusion,
        slips=_confusion_slips,
        hints=(
            "Start from np.zeros((3, 3)); each image adds 1 to one entry.",
            "np.add.at(matrix, (written, read), 1) adds once for every pair.",
        ),
        solution=lambda: (
            "matrix = np.zeros((3, 3))\nnp.add.at(matrix, (written, read), 1)\nreturn matrix"
        ),
        inputs=_two_readings,
        arguments=("written", "read"),
    ),
    Exercise(
        "14-centre",
        "Write centre(image): the centre of mass of the ink as two numbers, row and column, both "
        "counted from 0. image has shape (rows, columns) and holds grey values.",
        answer=centre,
        slips=_centre_slips,
        hints=(
            "The mean of the row numbers, each weighted by the ink in its row.",
            "image.sum(axis=1) is the ink in each row; np.arange(len(image)) are their numbers.",
        ),
        solution=lambda: (
            "down = image.sum(axis=1) @ np.arange(image.shape[0])\n"
            "across = image.sum(axis=0) @ np.arange(image.shape[1])\n"
            "return np.array([down, across]) / image.sum()"
        ),
        inputs=_some_ink,
        arguments=("image",),
    ),
)


# --------------------------------------------------------------------------------------------
# Predictions

_ZERO, _LOG, _LARGE = "close to 0", "a little above ln 10, about 2.4", "10 or more"
_FEWER, _SAME, _MORE = "fewer", "about as many", "at least twice as many"


@cache
def start_loss() -> float:
    """The loss of a fresh softmax network on the small digits."""
    digits = load_digits()
    mlp = MLP((64, 32, 10), (sigmoid, softmax))
    params = mlp.init(np.random.default_rng(0))
    Y = one_hot(digits.y_train, 10)
    return float(cost(mlp, forward(mlp, params, digits.X_train), Y, cross_entropy))


def what_the_start_costs() -> str:
    """Where the loss of a fresh network lies."""
    if start_loss() < 1:
        return _ZERO
    return _LOG if start_loss() < 1.2 * math.log(10) else _LARGE


@cache
def misread(shuffled: bool) -> float:
    """The share of held-out small digits misread, the mean of three runs."""
    return float(np.mean([_misread_once(shuffled, seed) for seed in range(3)]))


def _misread_once(shuffled: bool, seed: int) -> float:
    images: Images = load_digits(np.random.default_rng(seed) if shuffled else None)
    rng, mlp = np.random.default_rng(seed), MLP((64, 32, 10), (sigmoid, softmax))
    Y = one_hot(images.y_train, 10)
    trained = fit(mlp, mlp.init(rng), images.X_train, Y, cross_entropy, sgd(0.5),
                  epochs=10, batch_size=10, rng=rng)  # fmt: skip
    return 1 - accuracy(predict(mlp, trained.params, images.X_test), images.y_test)


_TENTH, _HALF, _ALL = "about one in ten", "about half of them", "all, or nearly all"


def _about(share: float) -> str:
    """A share in words."""
    return _ALL if share > 0.9 else _TENTH if share < 0.2 else _HALF


def _trained(X: Array, labels: Array, epochs: int) -> tuple[MLP, Params]:
    """A small network after some epochs in batches of twenty at most."""
    rng, mlp = np.random.default_rng(0), MLP((64, 32, 10), (sigmoid, softmax))
    trained = fit(mlp, mlp.init(rng), X, one_hot(labels, 10), cross_entropy, sgd(0.5),
                  epochs=epochs, batch_size=20, rng=rng)  # fmt: skip
    return mlp, trained.params


@cache
def nonsense_by_heart() -> float:
    """The share of twenty shuffled labels that a network answers as it was told to."""
    digits = load_digits(np.random.default_rng(0))
    X, labels = digits.X_train[:20], np.random.default_rng(0).permutation(digits.y_train[:20])
    mlp, params = _trained(X, labels, epochs=500)
    return accuracy(predict(mlp, params, X), labels)


@cache
def moved_aside() -> float:
    """The share of held-out small digits read when each is moved by one of its eight pixels."""
    digits = load_digits(np.random.default_rng(0))
    mlp, params = _trained(digits.X_train, digits.y_train, epochs=20)
    moved = np.roll(digits.X_test.reshape(-1, 8, 8), 1, axis=2).reshape(-1, 64)
    return accuracy(predict(mlp, params, moved), digits.y_test)


def what_new_writers_cost() -> str:
    """How many more are misread if the writers are new."""
    ratio = misread(shuffled=False) / misread(shuffled=True)
    if ratio >= 2:
        return _MORE
    return _FEWER if ratio < 0.8 else _SAME


def _prediction(
    name: str,
    question: str,
    answer: Callable[[], str],
    slips: Sequence[Slip],
    hints: tuple[str, str],
    solution: Callable[[], str],
    choices: tuple[str, ...],
) -> Exercise:
    return Exercise(name, question, answer, lambda: slips, hints, solution, choices=choices)


_PREDICTIONS = (
    _prediction(
        "14-predict-start",
        "A softmax network for ten digits has small random weights and has learned nothing. What "
        "is its cross-entropy, averaged over all images?",
        cache(what_the_start_costs),
        (
            chosen(
                _ZERO,
                "a network without errors to learn from is thought to have none",
                "Loss 0 needs probability 1 for the right digit, and nothing is known about it.",
            ),
            chosen(
                _LARGE,
                "knowing nothing is thought to be the worst there is",
                "Being sure and wrong is worse: ten equal answers still give the right one 1/10.",
            ),
        ),
        (
            "Which probability does it give to the right digit, roughly?",
            "About 1/10. The loss is minus the logarithm of that.",
        ),
        lambda: f"about ln 10 = {math.log(10):.4f}; on the small digits {start_loss():.4f}",
        (_ZERO, _LOG, _LARGE),
    ),
    _prediction(
        "14-predict-heart",
        "Twenty images are given shuffled labels, without any system. A network of many more "
        "numbers is trained on them alone, for hundreds of epochs. How many of the twenty does it "
        "answer as it was told to?",
        lambda: _about(nonsense_by_heart()),
        (
            chosen(
                _TENTH,
                "what makes no sense is thought to be impossible to learn",
                "That holds for other images. These twenty it has seen, and it has room for each.",
            ),
            chosen(
                _HALF,
                "right and wrong labels are thought to hold each other back",
                "Each image differs from the others somewhere; that is enough to tell it apart.",
            ),
        ),
        (
            "How many numbers has the network, and how many answers must it remember?",
            "Learning by heart asks for no system, only for room.",
        ),
        lambda: f"{nonsense_by_heart():.0%}, on the small digits: labels need not make sense",
        (_TENTH, _HALF, _ALL),
    ),
    _prediction(
        "14-predict-moved",
        "A network reads more than 96 of 100 test images. Every one of them is moved to the right "
        "by about a tenth of its width. How many does it read now?",
        lambda: _about(moved_aside()),
        (
            chosen(
                _ALL,
                "the network is thought to see shapes",
                "Each weight belongs to a pixel: moved ink meets other weights.",
            ),
            chosen(
                _TENTH,
                "a moved digit is thought to have nothing in common with itself",
                "Strokes are wider than a pixel: much of the ink still falls where it did.",
            ),
        ),
        (
            "What does a hidden unit multiply with what?",
            "Its weights stay where they are, the ink moves on; but strokes are wide.",
        ),
        lambda: f"{moved_aside():.0%} of the small digits, moved by one pixel of eight",
        (_TENTH, _HALF, _ALL),
    ),
    _prediction(
        "14-predict-writers",
        "A network is trained on digits and tested on 360 others. Once they are held out at "
        "random, once they come mostly from people it has not learned from. Compared with the "
        "first case, how many does it misread in the second?",
        cache(what_new_writers_cost),
        (
            chosen(
                _FEWER,
                "other people are thought to write more legibly",
                "They write differently, and the network has seen nothing like it.",
            ),
            chosen(
                _SAME,
                "a digit is thought to be a digit, whoever writes it",
                "At random, the same person's digits stand in both parts: the test is easier.",
            ),
        ),
        (
            "What does a digit share with another digit by the same hand?",
            "Slant, width, pressure, the way a 4 is closed: with a random split the network has "
            "seen all of it.",
        ),
        lambda: (
            f"misread: {misread(True):.1%} at random, {misread(False):.1%} of other people's digits"
        ),
        (_FEWER, _SAME, _MORE),
    ),
)

EXERCISES = (*_COUNTS, _WHICH, *_FUNCTIONS, *_PREDICTIONS)
