"""The exercises: right answers pass in any form, every misconception gets its own message, and
nothing passes by accident."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import own_exercise
import pytest

from backprop_lib.activations import sigmoid
from backprop_lib.backprop import backward
from backprop_lib.exercises import EXERCISES, Exercise, chapter_07, check, hint, question, solution
from backprop_lib.exercises.__main__ import main
from backprop_lib.exercises.form import SWITCH, exported, sealed
from backprop_lib.exercises.kinds import TRIALS, Slip, choice_problems, judge, stated
from backprop_lib.gradcheck import check_gradients
from backprop_lib.network import forward

BY_KIND = {
    kind: [e.name for e in EXERCISES.values() if e.kind == kind]
    for kind in ("numbers", "words", "choice", "function")
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
    assert len(exercise.slips()) >= (len(exercise.choices) - 1 if exercise.choices else 3)
    assert not exercise.choices or choice_problems(exercise) == []
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
@pytest.mark.parametrize("nothing", [None, ..., "", "  ", [..., ...], [["", ""]]], ids=repr)
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
    ("07-delta-output", "1e400", "received '1e400', expected finite numbers"),
    ("07-delta-output", "0,1385", "expected one number; write decimals with a point: 0.5, not 0,5"),
    ("07-dw2", ["0,08", "0,09"], "expected 2 numbers; write decimals with a point"),
    ("07-dw2", ["0,08", "0.09"], "whose rows differ in length; write decimals with a point"),
    ("07-dw2", [0.08, ...], "received nothing for number 2"),
    ("07-dw1", [["", "1"], ["2", " "]], "received nothing for number 1, 4"),
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
        [Fraction(277, 2000)], ["0.1385"], "+0.1385", 0.138499, "1.385e-1",
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


def test_a_minus_sign_as_the_page_prints_it_is_read() -> None:
    verdict = check("07-delta-output", "\u22120.1385")
    assert verdict == check("07-delta-output", -0.1385)


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


# --- Choices --------------------------------------------------------------------------------------


def falling(**changes: Any) -> Exercise:
    parts: dict[str, Any] = {
        "name": "00-falls",
        "question": "Does a stone fall or rise?",
        "answer": lambda: "it falls",
        "slips": lambda: (
            Slip("up is taken for down", "Let one go.", lambda: "it rises"),
            Slip("the hand is not opened", "Open it.", lambda: "it stays where it is"),
        ),
        "hints": ("Which way does it pull?", "Down."),
        "solution": lambda: "it falls",
        "choices": ("it rises", "it falls", "it stays where it is"),
    }
    return Exercise(**parts | changes)


@pytest.mark.parametrize(
    "form", ["it falls", "It Falls", " it  FALLS ", "it f", 2, np.int64(2), "2", " 2 "], ids=repr
)
def test_a_choice_is_named_by_its_words_their_beginning_or_its_number(form: Any) -> None:
    assert falling().kind == "choice"
    assert judge(falling(), form).ok


@pytest.mark.parametrize(
    ("form", "says"),
    [("it rises", "up is taken for down. Let one go."), (3, "the hand is not opened. Open it.")],
)
def test_every_wrong_choice_has_its_own_message(form: Any, says: str) -> None:
    verdict = judge(falling(), form)
    assert verdict.grade == "not yet"
    assert verdict.message == f"that is what you get when {says}"


@pytest.mark.parametrize("form", ["it", "down", 0, 4, "4", True, 2.0, ["it falls"], -1], ids=repr)
def test_what_is_none_of_the_choices_cannot_be_checked(form: Any) -> None:
    verdict = judge(falling(), form)
    assert verdict.grade == "cannot be checked"
    assert "expected one of: 1. it rises, 2. it falls, 3. it stays" in verdict.message


def test_a_whole_choice_goes_before_the_beginning_of_a_longer_one_and_before_a_number() -> None:
    layers = falling(choices=("2", "20", "1"), answer=lambda: "2")
    assert judge(layers, "2").ok  # the first choice, not the second, nor the beginning of "20"
    assert judge(layers, 1).ok


def test_what_there_is_to_choose_from_is_listed() -> None:
    assert repr(judge(falling(), ...)) == (
        "not attempted: choose one\n1. it rises\n2. it falls\n3. it stays where it is\n"
        'more help: hint("00-falls")'
    )


def test_an_exercise_with_one_choice_or_two_alike_cannot_be_made() -> None:
    for choices in (("it falls",), ("it falls", "It falls ")):
        with pytest.raises(ValueError, match=r"^choices of 00-falls are .*expected two or more"):
            falling(choices=choices)


def test_choices_without_their_slip_are_found() -> None:
    up, stay = falling().slips()
    assert choice_problems(falling()) == []
    assert choice_problems(falling(slips=lambda: (up,))) == [
        "'it stays where it is' is wrong and has 0 slips"
    ]
    assert choice_problems(falling(slips=lambda: (up, stay, stay))) == [
        "'it stays where it is' is wrong and has 2 slips"
    ]
    right = Slip("it is right", "Indeed.", lambda: "it falls")
    assert choice_problems(falling(slips=lambda: (up, stay, right))) == [
        "'it falls' is right and has 1 slips"
    ]
    assert choice_problems(falling(answer=lambda: "it sinks"))[-1] == (
        "'it sinks' is not among the choices"
    )


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
        whole = float(number).is_integer() and re.search(rf"(?<![\d.]){number:.0f}(?!\d)", text)
        assert whole or f"{number:.5f}"[:-1] in text


# --- For the page ---------------------------------------------------------------------------------


def unsealed(name: str, text: str) -> dict[str, Any]:
    """What was sealed, by the recipe and not by the code."""
    state = 2166136261
    for byte in name.encode():
        state = (state ^ byte) * 16777619 % 2**32
    plain = bytearray()
    for byte in base64.b64decode(text.removeprefix("base64,")):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        plain.append(byte ^ state % 256)
    return json.loads(plain)


@pytest.mark.parametrize("name", EXERCISES)
def test_what_the_page_gets_is_what_python_compares_with(name: str) -> None:
    exercise = EXERCISES[name]
    page = unsealed(name, sealed(exercise))
    assert page["hints"] == list(exercise.hints)
    assert page["solution"] == str(solution(name))
    if exercise.kind == "function":
        assert page["call"].endswith(f"({', '.join(exercise.arguments)})")
        assert {"right", "slips"}.isdisjoint(page)
        return
    assert judge(exercise, page["right"]).ok
    for slip in page["slips"]:
        assert slip["says"] in judge(exercise, slip["answer"]).message
        assert slip["advice"]


@pytest.mark.parametrize("name", EXERCISES)
def test_only_a_cell_without_an_answer_shows_a_form(name: str) -> None:
    bundle = check(name)._repr_mimebundle_()
    assert bundle["text/plain"] == repr(check(name))
    assert bundle["text/html"].startswith(f'<div class="exercise" id="exercise-{name}" data-live=')
    assert bundle == check(name)._repr_mimebundle_()
    answered = check(name, right_answer(EXERCISES[name]))
    assert answered._repr_mimebundle_() == {"text/plain": "correct"}


@pytest.mark.parametrize("name", [*BY_KIND["numbers"], *BY_KIND["words"]])
def test_answers_are_not_readable_in_the_form(name: str) -> None:
    exercise = EXERCISES[name]
    written = check(name)._repr_mimebundle_()["text/html"]
    asked = str(question(name))
    secrets = [str(solution(name)), *(slip.advice for slip in exercise.slips())]
    secrets += [str(part) for part in np.ravel(exercise.answer()).tolist()]
    assert [secret for secret in secrets if secret not in asked and len(secret) > 4 and
            secret in html.unescape(written)] == []  # fmt: skip


def test_an_edition_without_solutions_has_none_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = EXERCISES["07-dw2"]
    assert "solution" in exported(exercise)
    monkeypatch.setenv("BOOK_SOLUTIONS", "no")
    assert str(solution("07-dw2")) == "The solution is not part of this edition."
    assert "solution" not in exported(exercise)
    assert exported(exercise)["hints"] == list(exercise.hints)
    assert check("07-dw2", exercise.answer()).ok


def test_what_differs_between_machines_decides_nothing() -> None:
    given = np.array([1 / 3, 1e-17, -1e-20, 2.0])
    np.testing.assert_array_equal(stated(given, 4), [0.3333333, 0.0, 0.0, 2.0])
    np.testing.assert_array_equal(stated(np.nextafter(given, 3), 4), stated(given, 4))
    assert stated(0.0, 4).shape == ()


# --- The guide for teachers -----------------------------------------------------------------------

OWN = [own_exercise.mean_error, own_exercise.worst]
GUIDE = Path(__file__).parents[2] / "teachers.md"
CLASSROOM = GUIDE.with_name("classroom.md")


@pytest.mark.parametrize("exercise", OWN, ids=lambda exercise: exercise.name)
def test_the_exercises_of_the_guide_are_complete(exercise: Exercise) -> None:
    assert judge(exercise, exercise.answer()).ok
    for slip in exercise.slips():
        assert slip.says in judge(exercise, slip.answer()).message
    assert exercise.name not in EXERCISES
    assert not exercise.choices or choice_problems(exercise) == []
    assert unsealed(exercise.name, sealed(exercise))["solution"] == exercise.solution()


@pytest.mark.skipif(not GUIDE.is_file(), reason="the guide lies beside the chapters")
def test_the_guide_says_what_there_is() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert "tests/library/own_exercise.py" in guide
    assert own_exercise.mean_error.name in guide
    classroom = CLASSROOM.read_text(encoding="utf-8")
    assert "python -m backprop_lib.exercises summary" in classroom
    assert f"`{SWITCH}`" in classroom


def saved(folder: Path, reader: str, **records: Any) -> Path:
    exercises = {name.replace("_", "-").removeprefix("n"): r for name, r in records.items()}
    content = {"format": 1, "reader": reader, "saved": "2026-03-01T10:00:00Z"}
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps({**content, "exercises": exercises}), encoding="utf-8")
    return path


def test_results_of_readers_are_judged_again_and_put_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right, wrong = ["0.0821670", "0.0826684"], ["-0.0821670", "-0.0826684"]
    at, later = "2026-03-01T09:00:00Z", "2026-03-01T09:30:00Z"
    ada = saved(
        tmp_path, "Ada\n\x1b[31m",
        n07_dw2={"answer": right, "grade": "correct", "tries": 2, "solved": at, "solution": later},
        n07_which_loss={"answer": "sign", "tries": 1},
    )  # fmt: skip
    ben = saved(
        tmp_path, "",
        n07_dw2={"answer": wrong, "grade": "correct", "tries": 1, "solution": at, "hints": 2},
        n99_unknown={"answer": "1"}, n07_dw1={"hints": 1},
    )  # fmt: skip
    assert main(["summary", str(ada), str(ben)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["reader", "solved", "answered", "tries", "hints", "solutions", "saved"],
        ["Ada[31m", "1", "2", "3", "0", "0", "2026-03-01"],
        ["1", "0", "1", "1", "2", "1", "2026-03-01"],
    ]
    mistake = check("07-dw2", wrong).message
    assert lines[5].split(maxsplit=3) == ["07-dw2", "1", "2", f"1 x {mistake}"]
    assert lines[6].startswith("07-which-loss")
    assert len(lines) == 7


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 2, "exercises": {}}'])
def test_a_file_without_results_is_named(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    path.write_text(content, encoding="utf-8")
    assert main(["summary", str(path)]) == 1
    assert f"{path} holds no results, expected a file" in capsys.readouterr().err


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
    fakes += [
        lambda *args, c=c: np.full(np.shape(exercise.answer(*args)), c) for c in (0, 1, -1, 0.5)
    ]
    fakes += [lambda *args: expected, lambda *args: args, lambda *args: -exercise.answer(*args)]
    fakes += [lambda *args: exercise.answer(*args) * (1 + 1e-6)]
    assert [fake for fake in fakes if check(name, fake).ok] == []


@pytest.mark.parametrize("name", BY_KIND["function"])
def test_functions_are_tried_on_many_shapes(name: str) -> None:
    exercise = EXERCISES[name]
    assert exercise.inputs is not None
    trials = [exercise.inputs(np.random.default_rng(t), t) for t in range(TRIALS)]
    # Vectors of one length have few shapes, several of independent sizes many.
    assert len({tuple(array.shape for array in inputs) for inputs in trials}) >= 5
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
