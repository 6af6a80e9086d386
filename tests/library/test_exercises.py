"""The exercises: right answers pass in any form, every misconception gets its own message, and
nothing passes by accident."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from backprop_lib.activations import sigmoid
from backprop_lib.backprop import backward
from backprop_lib.exercises import EXERCISES, Exercise, chapter_07, check, hint, question, solution
from backprop_lib.exercises.kinds import TRIALS, Slip, judge
from backprop_lib.gradcheck import check_gradients
from backprop_lib.network import forward

BY_KIND = {
    kind: [e.name for e in EXERCISES.values() if e.kind == kind]
    for kind in ("numbers", "words", "function")
}


def right_answer(exercise: Exercise) -> Any:
    return exercise.answer if exercise.kind == "function" else exercise.answer()


def wrong_answer(exercise: Exercise, slip: Slip) -> Any:
    return slip.answer if exercise.kind == "function" else slip.answer()


ALL_SLIPS = [
    pytest.param(exercise, slip, id=f"{exercise.name}: {slip.says}")
    for exercise in EXERCISES.values()
    for slip in exercise.slips()
]


# --- The exercises themselves ---------------------------------------------------------------------


def test_chapter_07_has_its_exercises() -> None:
    names = {name for name in EXERCISES if name.startswith("07-")}
    assert len(names) >= 6
    assert {"07-delta-output", "07-dw2", "07-delta-hidden", "07-dw1", "07-biases"} <= names
    assert {"07-second-step", "07-tanh", "07-which-loss", "07-early-update"} <= names


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_is_complete(name: str) -> None:
    exercise = EXERCISES[name]
    assert exercise.name == name
    assert str(question(name))[-1] in "?."
    assert len(exercise.hints) >= 2
    assert len(exercise.slips()) >= 3
    assert str(solution(name))
    assert all(slip.advice.endswith((".", "?")) for slip in exercise.slips())
    assert all(not slip.says.endswith(".") for slip in exercise.slips())


def test_the_right_answers_are_those_of_backward_and_of_differences() -> None:
    """The answers come from the trace; here the matrix route and the differences speak."""
    step = chapter_07.first().step
    back = backward(
        step.mlp, step.params, forward(step.mlp, step.params, step.x), step.y, step.loss
    )
    assert check_gradients(step.mlp, step.params, step.x, step.y, step.loss).ok
    witnesses = {
        "07-delta-output": back.delta[2],
        "07-dw2": back.grads.W[2],
        "07-delta-hidden": back.delta[1],
        "07-dw1": back.grads.W[1],
        "07-biases": [*back.grads.b[1], *back.grads.b[2]],
    }
    for name, witness in witnesses.items():
        np.testing.assert_allclose(
            np.ravel(EXERCISES[name].answer()), np.ravel(witness), rtol=1e-12
        )


# --- Verdicts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_correct(name: str) -> None:
    verdict = check(name, right_answer(EXERCISES[name]))
    assert verdict.ok
    assert repr(verdict) == "correct"


@pytest.mark.parametrize(("exercise", "slip"), ALL_SLIPS)
def test_every_misconception_gets_its_own_message(exercise: Exercise, slip: Slip) -> None:
    verdict = judge(exercise, wrong_answer(exercise, slip))
    assert verdict.grade == "not yet"
    assert slip.says in verdict.message
    assert f'hint("{exercise.name}")' in repr(verdict)


@pytest.mark.parametrize("name", EXERCISES)
def test_messages_of_different_misconceptions_differ(name: str) -> None:
    exercise = EXERCISES[name]
    messages = [judge(exercise, wrong_answer(exercise, slip)).message for slip in exercise.slips()]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("nothing", [None, ..., "", "  "], ids=repr)
def test_no_answer_is_not_attempted(name: str, nothing: Any) -> None:
    assert check(name, nothing).grade == "not attempted"
    assert check(name).grade == "not attempted"


UNREADABLE: list[tuple[str, Any, str]] = [
    ("07-delta-output", "about a seventh", "received the text 'about a seventh', expected numbers"),
    ("07-delta-output", 1j, "received 1j, expected numbers"),
    ("07-delta-output", True, "received True, expected numbers"),
    ("07-delta-output", float("nan"), "received nan, expected finite numbers"),
    ("07-delta-output", np.inf, "received inf, expected finite numbers"),
    ("07-delta-output", [0.1, 0.2], "received a list of 2 of shape (2,), expected one number"),
    ("07-delta-output", {"delta": 0.1}, "received a dict, expected numbers"),
    ("07-delta-output", lambda: 0.1385, "received the function <lambda>, expected numbers"),
    ("07-delta-output", "1/0", "received the text '1/0', expected numbers"),
    ("07-dw2", 0.0822, "received 0.0822 of shape (), expected 2 numbers"),
    ("07-dw2", [[0.1, 0.2], [0.3]], "received a list of 2, whose rows differ in length"),
    ("07-dw2", [], "received a list of 0, expected finite numbers"),
    ("07-dw1", np.zeros((3, 2)), "shape (3, 2), expected 2 x 2 numbers"),
    ("07-dw1", np.array([object()]), "expected numbers"),
    ("07-which-loss", "sign", "received 1 words, expected 4"),
    ("07-which-loss", 3, "received 3, expected 4 words"),
    ("07-hidden-line", 3.0, "received 3.0, expected a function"),
]


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    UNREADABLE,
    ids=[f"{name}-{number}" for number, (name, _, _) in enumerate(UNREADABLE)],
)
def test_what_cannot_be_checked_says_what_was_received(
    name: str, answer: Any, message: str
) -> None:
    verdict = check(name, answer)
    assert verdict.grade == "cannot be checked"
    assert message in verdict.message


def test_an_unknown_exercise_names_its_neighbours() -> None:
    with pytest.raises(
        ValueError, match=r"^there is no exercise '07-delta'; did you mean 07-delta-"
    ):
        check("07-delta", 1.0)


# --- Forms of an answer ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        0.1385, np.float32(0.1385), np.array(0.1385), np.array([0.1385]), np.array([[0.1385]]),
        [0.1385], (0.1385,), "0.1385", " .1385 ", "1385/10000", Fraction(1385, 10000),
        [Fraction(277, 2000)], ["0.1385"], 0.138499, "1.385e-1",
    ],
    ids=repr,
)  # fmt: skip
def test_a_number_may_come_in_any_form(form: Any) -> None:
    assert check("07-delta-output", form).ok


@pytest.mark.parametrize("name", BY_KIND["numbers"])
def test_numbers_may_come_in_any_form(name: str) -> None:
    right = np.asarray(EXERCISES[name].answer(), dtype=float)
    forms: list[Any] = [right, right.tolist(), right.ravel(), tuple(right.ravel()), right[None]]
    forms += [right.ravel()[:, None], " ".join(map(repr, right.ravel().tolist()))]
    forms += [str(right.ravel().tolist()), [str(number) for number in right.ravel()]]
    forms += [[Fraction(number) for number in right.ravel().tolist()]]
    assert [form for form in forms if not check(name, form).ok] == []


def test_a_tensor_of_a_framework_is_read() -> None:
    torch = pytest.importorskip("torch")
    assert check("07-dw2", torch.tensor([0.082167, 0.082668])).ok


@pytest.mark.parametrize(
    "form",
    [
        "output_slope_omitted missing_half bias_missing sign",
        "output_slope_omitted, missing_half, bias_missing, sign",
        ["output_slope_omitted", "missing_half", "bias_missing", "Sign"],
        ("OUTPUT_SLOPE_OMITTED", "missing_half ", "bias_missing", "sign"),
    ],
)
def test_words_may_come_in_any_form(form: Any) -> None:
    assert check("07-which-loss", form).ok


def test_the_answer_given_is_not_changed() -> None:
    answer = np.array([[0.5, 0.25], [0.125, 1.0]])
    answer.setflags(write=False)
    check("07-dw1", answer)
    assert answer.tolist() == [[0.5, 0.25], [0.125, 1.0]]


# --- Almost, partly, in general -------------------------------------------------------------------


def test_digits_are_asked_for() -> None:
    assert check("07-delta-output", 0.1385).ok
    assert "nearly: keep more digits" in check("07-delta-output", 0.139).message
    assert "give 6 significant ones" in check("07-new-output", 0.7284).message
    assert check("07-new-output", 0.728352).ok
    assert "nearly" not in check("07-new-output", 0.718).message


def test_every_number_must_be_right_not_only_the_large_ones() -> None:
    right = np.array(EXERCISES["07-biases"].answer())
    assert check("07-biases", right).ok
    small_one_off = right * [1.01, 1, 1]
    assert not check("07-biases", small_one_off).ok


def test_what_is_partly_right_is_told() -> None:
    first, second = EXERCISES["07-dw2"].answer()
    assert check("07-dw2", [first, 7.0]).message == (
        "1 of 2 numbers are right; look again at number 2."
    )
    assert (
        "3 of 4 are right"
        in check(
            "07-which-loss", "output_slope_omitted missing_half bias_missing early_update"
        ).message
    )
    assert "that is not it" in check("07-dw2", [7.0, 8.0]).message
    assert second > 0


def test_general_slips_are_told_where_no_exercise_names_them() -> None:
    right = np.array(EXERCISES["07-second-step"].answer())
    assert check("07-second-step", -right).message == "the size is right, the sign is not."
    assert check("07-second-step", 2 * right).message == "that is twice the right answer."
    assert check("07-second-step", 10 * right).message == "that is ten times the right answer."


def test_the_wrong_order_is_told_from_the_right_one_in_the_seventh_digit() -> None:
    assert check("07-early-update", 0.291027924).ok
    assert "the order is right" in check("07-early-update", 0.291027774).message


# --- Hints and solutions --------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_lead_on_to_the_solution(name: str) -> None:
    count = len(EXERCISES[name].hints)
    texts = [str(hint(name, number)) for number in range(1, count + 1)]
    assert all(text.startswith(f"Hint {i} of {count}: ") for i, text in enumerate(texts, start=1))
    assert texts[0].endswith(f'hint("{name}", 2)')
    assert texts[-1].endswith(f'solution("{name}")')
    for wrong in (0, count + 1, "1"):
        with pytest.raises(ValueError, match=rf"{name} has the hints 1\.\.{count}$"):
            hint(name, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BY_KIND["numbers"])
def test_no_question_or_hint_gives_the_answer_away(name: str) -> None:
    exercise = EXERCISES[name]
    shown = str(question(name)) + " ".join(exercise.hints)
    for number in np.ravel(exercise.answer()):
        assert f"{number:.4g}" not in shown


@pytest.mark.parametrize("name", BY_KIND["numbers"])
def test_the_solution_shows_the_numbers(name: str) -> None:
    exercise = EXERCISES[name]
    text = str(solution(name))
    for number in np.ravel(exercise.answer()):
        assert f"{number:.5f}"[:-1] in text


# --- Functions ------------------------------------------------------------------------------------


def test_other_ways_to_write_it_are_right() -> None:
    def with_loops(delta2: Any, W2: Any, a1: Any) -> list[list[float]]:
        N, n_1 = a1.shape
        return [
            [
                sum(W2[k, j] * delta2[n, k] for k in range(len(W2))) * a1[n, j] * (1 - a1[n, j])
                for j in range(n_1)
            ]
            for n in range(N)
        ]

    assert check("07-hidden-line", with_loops).ok
    assert check("07-hidden-line", lambda d, W, a: np.einsum("nk,kj->nj", d, W) * (a - a * a)).ok
    assert check(
        "07-gradient-line", lambda d, a: sum(np.outer(x, y) for x, y in zip(d, a, strict=True))
    ).ok


def test_the_first_counter_example_is_small_and_shown() -> None:
    verdict = check("07-hidden-line", lambda delta2, W2, a1: (delta2 @ W2) * a1)
    assert verdict.message.startswith("it returns [")
    assert "is right; for delta2 = [[" in verdict.message


def test_a_diagnosis_comes_with_the_counter_example() -> None:
    verdict = check("07-hidden-line", lambda delta2, W2, a1: delta2 @ W2)
    assert "the slope of the hidden activation is left out" in verdict.message
    assert "for delta2 = [[" in verdict.message


def test_the_transpose_is_found_where_it_fits_and_where_it_does_not() -> None:
    verdict = check("07-hidden-line", lambda delta2, W2, a1: (delta2 @ W2.T) * a1 * (1 - a1))
    assert "that is what you get when W2 is transposed" in verdict.message
    assert "it raises ValueError" in verdict.message


MISBEHAVING: dict[str, tuple[Callable[..., Any], str]] = {
    "nothing": (lambda *args: None, "it returns nothing"),
    "text": (lambda *args: "delta", "its result cannot be read"),
    "too few arguments": (lambda delta2: delta2, "it raises TypeError"),
    "a number": (lambda *args: 0.0, "it returns shape ()"),
    "nan": (lambda delta2, W2, a1: a1 * np.nan, "its result cannot be read"),
    "in place": (lambda delta2, W2, a1: np.multiply(a1, 2, out=a1), "it changes its arguments"),
}


@pytest.mark.parametrize("name", MISBEHAVING)
def test_a_function_that_misbehaves_is_told_so(name: str) -> None:
    function, message = MISBEHAVING[name]
    verdict = check("07-hidden-line", function)
    assert verdict.grade == "not yet"
    assert message in verdict.message


def test_a_function_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backprop_lib.exercises.kinds.TIME_LIMIT_S", 0.2)

    def endless(delta2: Any, W2: Any, a1: Any) -> Any:
        while True:
            try:
                delta2 = delta2 + 1
            except Exception:
                continue

    started = time.monotonic()
    assert "it takes more than 0.2 seconds" in check("07-hidden-line", endless).message
    assert time.monotonic() - started < 5


# --- Nothing passes by accident -------------------------------------------------------------------

CONSTANTS = [0.0, -0.0, 1.0, -1.0, 0.5, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.6]


@pytest.mark.parametrize("name", BY_KIND["numbers"])
def test_no_constant_passes(name: str) -> None:
    right = np.asarray(EXERCISES[name].answer(), dtype=float)
    given = [q.value for q in chapter_07.first() if q.phase == "given"]
    for constant in {*CONSTANTS, *given}:
        assert not check(name, np.full(right.shape, constant)).ok


@pytest.mark.parametrize("name", BY_KIND["numbers"])
def test_no_number_of_the_question_and_no_other_answer_passes(name: str) -> None:
    size = np.size(EXERCISES[name].answer())
    for other in BY_KIND["numbers"]:
        answer = np.ravel(EXERCISES[other].answer())
        if other != name and answer.size == size:
            assert not check(name, answer).ok


@pytest.mark.parametrize("name", BY_KIND["numbers"])
def test_random_answers_do_not_pass(name: str) -> None:
    rng = np.random.default_rng(0)
    shape = np.shape(EXERCISES[name].answer())
    assert not any(check(name, rng.random(shape)).ok for _ in range(50))


def test_no_single_word_and_no_order_of_the_list_passes() -> None:
    bugs = sorted(chapter_07.first().bugs)
    for word in bugs:
        assert not check("07-which-loss", [word] * 4).ok
    for start in range(len(bugs) - 3):
        assert not check("07-which-loss", bugs[start : start + 4]).ok


@pytest.mark.parametrize("name", BY_KIND["function"])
def test_no_constant_and_no_argument_passes(name: str) -> None:
    exercise = EXERCISES[name]
    assert exercise.inputs is not None
    inputs = exercise.inputs(np.random.default_rng(0), 0)
    expected = exercise.answer(*inputs)
    fakes: list[Callable[..., Any]] = [lambda *args, i=i: args[i] for i in range(len(inputs))]
    fakes += [lambda *args, i=i: args[i].T for i in range(len(inputs))]
    fakes += [lambda *args, c=c: np.full(exercise.answer(*args).shape, c) for c in (0, 1, -1, 0.5)]
    fakes += [lambda *args: expected, lambda *args: args, lambda *args: -exercise.answer(*args)]
    fakes += [lambda *args: exercise.answer(*args) * (1 + 1e-6)]
    assert [fake for fake in fakes if check(name, fake).ok] == []


@pytest.mark.parametrize("name", BY_KIND["function"])
def test_functions_are_tried_on_many_shapes(name: str) -> None:
    exercise = EXERCISES[name]
    assert exercise.inputs is not None
    trials = [exercise.inputs(np.random.default_rng(t), t) for t in range(TRIALS)]
    assert len({tuple(array.shape for array in inputs) for inputs in trials}) >= 12
    assert sum(array.size for array in trials[0]) <= 12
    assert len(trials[0]) == len(exercise.arguments)


def test_a_memorised_answer_does_not_pass_for_other_shapes() -> None:
    """Right for one sample, wrong for a batch."""
    verdict = check("07-gradient-line", lambda delta, a: np.outer(delta[0], a[0]))
    assert "only the first sample counts" in verdict.message


def test_the_slope_of_the_wrong_quantity_is_named() -> None:
    def of_a(delta2: Any, W2: Any, a1: Any) -> Any:
        return (delta2 @ W2) * sigmoid.f(a1) * (1 - sigmoid.f(a1))

    assert "taken at the activation a" in check("07-hidden-line", of_a).message
