"""The catalogue of classic mistakes: what each is called, and one sentence of advice.

The hand trace (`trace`) and the gradient doctor (`diagnose`) share it, so a mistake has one name
wherever a reader meets it. Imports nothing from the house.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One classic mistake in a gradient.

    Parameters
    ----------
    name : str
        Short name, used in calls: ``trace.with_bug("early_update")``.
    title : str
        What was done, in words that continue "the gradient you get when ...".
    advice : str
        The repair, one sentence.
    chapter : str
        Slug of the chapter that shows it.

    Examples
    --------
    >>> MISTAKES["early_update"].title
    'the weights are updated before the error has passed through them'
    """

    name: str
    title: str
    advice: str
    chapter: str


_CATALOGUE = (
    Mistake(
        "early_update",
        "the weights are updated before the error has passed through them",
        "Compute every error with the weights of the forward pass, then update all of them.",
        "07_hand_trace",
    ),
    Mistake(
        "output_slope_omitted",
        "the slope of the output activation is left out",
        "Multiply the loss's gradient by phi'(z) at the output, unless the loss has cancelled it.",
        "06_backpropagation",
    ),
    Mistake(
        "hidden_slope_omitted",
        "the slope of the hidden activation is left out",
        "Multiply the error that comes back through the weights by phi'(z) of the hidden layer.",
        "06_backpropagation",
    ),
    Mistake(
        "slope_at_a",
        "the slope is taken at the activation a instead of at z",
        "The slope is phi'(z): for the sigmoid a(1 - a), not s(a)(1 - s(a)).",
        "07_hand_trace",
    ),
    Mistake(
        "slope_of_z",
        "the short form of the slope is fed z instead of a",
        "a(1 - a) is the sigmoid's slope in terms of its output a; z(1 - z) is not a slope of it.",
        "07_hand_trace",
    ),
    Mistake(
        "sign",
        "the error is target minus output",
        "With J falling along -gradient the output error starts with (a - y), not (y - a).",
        "02_linear_regression",
    ),
    Mistake(
        "missing_half",
        "the factor 2 of the square is kept although the loss has a 1/2",
        "The derivative of (a - y)^2/2 is (a - y); with no 1/2 in the loss it is 2(a - y).",
        "02_linear_regression",
    ),
    Mistake(
        "transposed",
        "the error goes back through W instead of its transpose",
        "Going back, unit j collects over the weights that leave it: column j of W, not row j.",
        "06_backpropagation",
    ),
    Mistake(
        "own_activation",
        "the error is multiplied by the layer's own activation",
        "A weight's gradient is its error times what the weight was fed: a[l-1], not a[l].",
        "06_backpropagation",
    ),
    Mistake(
        "bias_missing",
        "the biases get no gradient",
        "A bias's gradient is the error itself, summed over the batch; its input is 1.",
        "06_backpropagation",
    ),
)
MISTAKES = {mistake.name: mistake for mistake in _CATALOGUE}
