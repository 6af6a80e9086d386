"""The exercises that the page *For teachers* shows; a test runs them."""

from __future__ import annotations

import numpy as np

from backprop_lib.exercises import Exercise, Slip

prediction, target = np.array([0.9, 0.4, 0.2]), np.array([1.0, 0.0, 0.0])

mean_error = Exercise(
    name="07-mean-error",
    question="A network answers 0.9, 0.4, 0.2 where 1, 0, 0 is right. What is the mean error?",
    answer=lambda: np.mean(np.abs(prediction - target)),
    slips=lambda: (
        Slip(
            "the errors are added up only",
            "A mean is divided by how many there are.",
            lambda: np.sum(np.abs(prediction - target)),
        ),
        Slip(
            "errors of opposite sign cancel",
            "Take each error without its sign first.",
            lambda: np.mean(prediction - target),
        ),
        Slip(
            "the errors are squared",
            "Asked is the mean of the errors, not of their squares.",
            lambda: np.mean((prediction - target) ** 2),
        ),
    ),
    hints=("How far is each answer off?", "Add the three distances and divide by 3."),
    solution=lambda: f"(0.1 + 0.4 + 0.2)/3 = {np.mean(np.abs(prediction - target)):.5f}",
)


def worst_of_three() -> str:
    """The choice is computed as well."""
    return ("the first", "the second", "the third")[np.argmax(np.abs(prediction - target))]


worst = Exercise(
    name="07-worst-answer",
    question="Which of the three answers is farthest off?",
    answer=worst_of_three,
    slips=lambda: (
        Slip("the largest answer is taken", "Asked is the error.", lambda: "the first"),
        Slip("the smallest answer is taken", "Asked is the error.", lambda: "the third"),
    ),
    hints=("Subtract.", "The errors are 0.1, 0.4 and 0.2."),
    solution=lambda: f"{worst_of_three()}, by {np.max(np.abs(prediction - target)):.1f}",
    choices=("the first", "the second", "the third"),
)
