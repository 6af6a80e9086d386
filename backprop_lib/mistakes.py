"""The catalogue of classic mistakes: what each is called, and one sentence of advice.

The hand trace (`trace`), the gradient doctor (`diagnose`) and the exercises share it, so a mistake
has one name wherever a reader meets it. Imports nothing from the house.
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
    # ---- the size of the output error
    Mistake(
        "sum_not_mean",
        "the samples of the batch are added up where the loss takes their mean",
        "Divide by N exactly once, best where the loss is: delta[L] starts with (a - y)/N.",
        "09_mini_batches",
    ),
    Mistake(
        "averaged_twice",
        "the mean over the batch is taken twice",
        "The loss has divided by N already; later lines sum over the batch and divide no more.",
        "09_mini_batches",
    ),
    Mistake(
        "mean_not_sum",
        "the mean over the batch is taken where the loss is a plain sum",
        "A loss that sums over the batch has a gradient that sums: leave out the 1/N.",
        "09_mini_batches",
    ),
    Mistake(
        "mean_over_outputs",
        "the mean runs over all N K numbers instead of the N samples",
        "Divide by the number of rows: np.mean over the whole array divides by K once too often.",
        "09_mini_batches",
    ),
    Mistake(
        "missing_half",
        "the factor 2 of the square is kept although the loss has a 1/2",
        "The derivative of (a - y)^2/2 is (a - y); with no 1/2 in the loss it is 2(a - y).",
        "02_linear_regression",
    ),
    Mistake(
        "missing_two",
        "the square is differentiated without its factor 2",
        "The derivative of (a - y)^2 is 2(a - y); a 1/2 in the loss cancels that 2, once.",
        "02_linear_regression",
    ),
    Mistake(
        "sign",
        "the error is target minus output",
        "With J falling along -gradient the output error starts with (a - y), not (y - a).",
        "02_linear_regression",
    ),
    # ---- the shape of the output error
    Mistake(
        "output_slope_omitted",
        "the slope of the output activation is left out",
        "Multiply the loss's gradient by phi'(z) at the output, unless the loss has cancelled it.",
        "06_backpropagation",
    ),
    Mistake(
        "extra_slope",
        "the slope of the output activation is multiplied in once too often",
        "For softmax with cross-entropy (sigmoid with bce) the error is p - y: no p(1 - p) behind.",
        "03_logistic_regression",
    ),
    Mistake(
        "softmax_twice",
        "the output is squashed a second time by the loss",
        "Hand the loss either probabilities or raw z, whichever it expects, and squash once.",
        "03_logistic_regression",
    ),
    Mistake(
        "labels_misaligned",
        "the targets stand in another order than the inputs",
        "Shuffle, sort and cut X and y with the same row numbers: X[rows], y[rows].",
        "09_mini_batches",
    ),
    # ---- the way back
    Mistake(
        "early_update",
        "the weights are updated before the error has passed through them",
        "Compute every error with the weights of the forward pass, then update all of them.",
        "07_hand_trace",
    ),
    Mistake(
        "transposed",
        "the error goes back through W instead of its transpose",
        "Going back, unit j collects over the weights that leave it: column j of W, not row j.",
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
        "relu_ge",
        "the slope of ReLU is taken as 1 wherever a >= 0, which is everywhere",
        "ReLU passes the error where z > 0 (or a > 0); a >= 0 also holds where the unit is off.",
        "08_checking_gradients",
    ),
    Mistake(
        "dropout_factor_lost",
        "the factor 1/(1 - p) of dropout is used going forward but not going back",
        "Multiply the error by the very mask of the forward pass, its factor 1/(1 - p) included.",
        "12_regularisation",
    ),
    Mistake(
        "dropout_mask_lost",
        "the dropout mask is used going forward but not going back",
        "A dropped unit has no influence, so no error: multiply delta by the mask as well.",
        "12_regularisation",
    ),
    # ---- from errors to gradients
    Mistake(
        "own_activation",
        "the error is multiplied by the layer's own activation",
        "A weight's gradient is its error times what the weight was fed: a[l-1], not a[l].",
        "06_backpropagation",
    ),
    Mistake(
        "gradient_transposed",
        "the weight gradient of a square layer is transposed",
        "dW[l] has the layout of W[l]: with W (n_out, n_in) and samples in rows, delta.T @ a.",
        "06_backpropagation",
    ),
    Mistake(
        "bias_missing",
        "the biases get no gradient",
        "A bias's gradient is the error itself, summed over the batch; its input is 1.",
        "06_backpropagation",
    ),
    Mistake(
        "bias_averaged_twice",
        "the bias gradient is averaged over a batch whose error holds its 1/N already",
        "A bias's gradient is delta.sum(axis=0); .mean(axis=0) divides by N once more.",
        "06_backpropagation",
    ),
    Mistake(
        "bias_not_averaged",
        "the bias gradient lacks the 1/N that the weights have",
        "Weights and biases share one error: put the 1/N into delta[L] and both have it.",
        "06_backpropagation",
    ),
    Mistake(
        "bias_wrong_axis",
        "the bias gradient is summed over the units instead of the samples",
        "With samples in rows, sum over axis 0: one number a unit is left.",
        "06_backpropagation",
    ),
    Mistake(
        "bias_over_all_axes",
        "the bias gradient is summed over samples and units, one number for all biases",
        "np.sum without an axis adds up everything; a bias a unit needs delta.sum(axis=0).",
        "06_backpropagation",
    ),
    # ---- what is added to the gradient
    Mistake(
        "accumulated",
        "the gradient of an earlier step is still in it",
        "Start every step from zero: .zero_grad() in a framework, a fresh array by hand.",
        "13_automatic_differentiation",
    ),
    Mistake(
        "l2_on_biases",
        "the L2 penalty is taken on the biases too",
        "The penalty is on weights: add lambda W to dW[l] and nothing to db[l].",
        "12_regularisation",
    ),
    Mistake(
        "l2_missing",
        "the L2 penalty is in the loss but not in the gradient",
        "The derivative of (lambda/2) W^2 is lambda W: add it to every dW[l].",
        "12_regularisation",
    ),
    Mistake(
        "l2_strength",
        "the L2 penalty has another strength than the loss",
        "Look for a 2, a 1/2 or a 1/N on one side only: (lambda/2) W^2 goes with lambda W.",
        "12_regularisation",
    ),
)
MISTAKES = {mistake.name: mistake for mistake in _CATALOGUE}
