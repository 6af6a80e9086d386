"""Kinds of exercises and how each is judged: numbers, words, choices, and functions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from backprop_lib.errors import Array
from backprop_lib.exercises.reading import (
    Unreadable,
    describe,
    fit_shape,
    is_missing,
    read_choice,
    read_numbers,
    read_words,
)

Grade = Literal["correct", "not yet", "not attempted", "cannot be checked"]
TIME_LIMIT_S = 2.0
TRIALS = 20
NEARLY = 0.005  # an answer this near is more likely rounded too early than wrong


@dataclass(frozen=True)
class Slip:
    """A misconception: the answer it gives, and what to say to it.

    Parameters
    ----------
    says : str
        What was done, in words that continue "that is what you get when ...".
    advice : str
        One sentence that helps.
    answer : callable
        ``answer()`` computes the wrong answer; for an exercise that asks for a function, the
        wrong function itself.

    Examples
    --------
    >>> Slip("the sign is turned", "Look at a - y.", lambda: -1.0).answer()
    -1.0
    """

    says: str
    advice: str
    answer: Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """One exercise: what is asked, what is right, what goes wrong, and what helps.

    Parameters
    ----------
    name : str
        Chapter and topic: ``"07-delta-hidden"``.
    question : str or callable
        What is asked; a callable where the question holds computed numbers.
    answer : callable
        ``answer()`` computes the right answer; for an exercise that asks for a function, a right
        function itself; for a choice, one of the choices.
    slips : callable
        ``slips()`` gives the misconceptions, a sequence of `Slip`.
    hints : tuple of str
        From gentle to plain.
    solution : callable
        ``solution()`` writes the way to the answer.
    digits : int
        How many significant digits an answer must have.
    inputs : callable, optional
        For a function: ``inputs(rng, trial)`` draws its arguments, small ones for trial 0.
    arguments : tuple of str
        For a function: what its arguments are called.
    choices : tuple of str
        For a choice: what there is to choose from. Every wrong one has its own slip.

    Raises
    ------
    ValueError
        If there is only one choice, or two cannot be told apart.

    Examples
    --------
    >>> Exercise("00-two", "1 + 1?", lambda: 2.0, lambda: (), ("Count.",), lambda: "2").kind
    'numbers'
    """

    name: str
    question: str | Callable[[], str]
    answer: Callable[..., Any]
    slips: Callable[[], Sequence[Slip]]
    hints: tuple[str, ...]
    solution: Callable[[], str]
    digits: int = 4
    inputs: Callable[[np.random.Generator, int], tuple[Array, ...]] | None = None
    arguments: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        different = {choice.strip().lower() for choice in self.choices}
        if self.choices and (len(self.choices) < 2 or len(different) < len(self.choices)):
            raise ValueError(
                f"choices of {self.name} are {self.choices}, expected two or more that differ "
                "in more than capitals"
            )

    @property
    def kind(self) -> str:
        """What is asked for: numbers, words, a choice or a function."""
        if self.inputs is not None:
            return "function"
        if self.choices:
            return "choice"
        return "words" if isinstance(self.answer(), tuple) else "numbers"


@dataclass(frozen=True, repr=False)
class Verdict:
    """What `check` says; it prints itself at the end of a cell.

    Parameters
    ----------
    grade : str
        "correct", "not yet", "not attempted" or "cannot be checked".
    message : str
        Why; empty for what needs no words.
    more : str
        Where to find more help.
    form : callable, optional
        ``form()`` writes the form that judges an answer on a page without Python.

    Examples
    --------
    >>> Verdict("not yet", "that is what you get when ...", 'hint("07-dw2")')
    not yet: that is what you get when ...
    more help: hint("07-dw2")
    """

    grade: Grade
    message: str = ""
    more: str = ""
    form: Callable[[], str] | None = field(default=None, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the answer is right."""
        return self.grade == "correct"

    def __repr__(self) -> str:
        first = f"{self.grade}: {self.message}" if self.message else self.grade
        return first + (f"\nmore help: {self.more}" if self.more else "")

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        page = {"text/html": self.form()} if self.form else {}
        return {"text/plain": repr(self), **page}


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """The verdict on an answer of any kind; never an exception."""
    more = f'hint("{exercise.name}")'
    if is_missing(answer):
        return Verdict("not attempted", listed(exercise), more)
    try:
        problem = JUDGES[exercise.kind](exercise, answer)
    except Unreadable as reason:
        return Verdict("cannot be checked", str(reason), more)
    return Verdict("not yet", problem, more) if problem else Verdict("correct")


def _what_it_is(slips: Sequence[Slip]) -> str:
    """The sentence for an answer that these misconceptions give, all of them alike."""
    first = "that is what you get when " + ", or when ".join(slip.says for slip in slips)
    return f"{first}. {slips[0].advice}"


# --------------------------------------------------------------------------------------------
# Numbers


def _distance(given: Array, wanted: Array) -> float:
    """The largest difference, measured by the largest number; of another shape: infinitely far."""
    if given.shape != wanted.shape:
        return float("inf")
    scale = float(np.abs(wanted).max())
    return float(np.abs(given - wanted).max()) / (scale or 1.0)


def _entry_errors(given: Array, wanted: Array) -> Array:
    """Each number's own relative error, zeros measured by the largest number."""
    scale = np.where(wanted != 0, np.abs(wanted), np.abs(wanted).max() or 1.0)
    return np.abs(given - wanted) / scale


def stated(numbers: Any, digits: int) -> Array:
    """Numbers as an answer is compared with them, in a cell and on the page.

    Three digits more than asked for are kept, and what is nothing but rounding noise beside the
    largest number is zero: the last bits, which differ between machines, decide nothing.
    """
    array = np.asarray(numbers, dtype=float)
    noise = 1e-12 * np.abs(array).max()
    kept = [float(f"{x:.{digits + 3}g}") if abs(x) > noise else 0.0 for x in array.ravel()]
    return np.array(kept).reshape(array.shape)


def _judge_numbers(exercise: Exercise, answer: Any) -> str:
    """What is wrong with the numbers; empty if nothing is."""
    right = stated(exercise.answer(), exercise.digits)
    given = fit_shape(read_numbers(answer), right.shape, answer)
    allowed = float(f"5e-{exercise.digits}")
    if (_entry_errors(given, right) <= allowed).all():
        return ""
    near = [
        (_distance(given, stated(slip.answer(), exercise.digits)), slip)
        for slip in exercise.slips()
    ]
    nearest = min((distance for distance, _ in near), default=np.inf)
    if nearest <= allowed:
        return _what_it_is([slip for distance, slip in near if distance <= 2 * nearest + 1e-12])
    return _in_general(given, right, allowed, exercise.digits)


def _in_general(given: Array, right: Array, allowed: float, digits: int) -> str:
    """What can be said of numbers that no misconception of the exercise gives."""
    if _distance(given, -right) <= allowed:
        return "the size is right, the sign is not."
    for factor, word in ((2.0, "twice"), (0.5, "half"), (10.0, "ten times"), (0.1, "a tenth of")):
        if _distance(given, factor * right) <= allowed:
            return f"that is {word} the right answer."
    errors = _entry_errors(given, right)
    if (errors <= NEARLY).all():
        return f"nearly: keep more digits on the way and give {digits} significant ones."
    good = int((errors <= allowed).sum())
    if good:
        wrong = ", ".join(str(i + 1) for i in np.flatnonzero(errors.ravel() > allowed))
        return f"{good} of {right.size} numbers are right; look again at number {wrong}."
    return "that is not it, nor what one of the usual mistakes gives."


# --------------------------------------------------------------------------------------------
# Words


def _judge_words(exercise: Exercise, answer: Any) -> str:
    right = exercise.answer()
    given = read_words(answer, len(right))
    if given == right:
        return ""
    for slip in exercise.slips():
        if given == slip.answer():
            return _what_it_is([slip])
    good = sum(g == r for g, r in zip(given, right, strict=True))
    return f"{good} of {len(right)} are right."


# --------------------------------------------------------------------------------------------
# Choices


def listed(exercise: Exercise) -> str:
    """The choices with their numbers; empty for every other kind."""
    lines = [f"{number}. {choice}" for number, choice in enumerate(exercise.choices, start=1)]
    return "\n".join(["choose one", *lines]) if lines else ""


def choice_problems(exercise: Exercise) -> list[str]:
    """What is wrong with an exercise's choices: each is right, or has exactly one slip."""
    right, slips = exercise.answer(), [slip.answer() for slip in exercise.slips()]
    problems = [
        f"{choice!r} is {'right and has' if choice == right else 'wrong and has'} "
        f"{slips.count(choice)} slips"
        for choice in exercise.choices
        if slips.count(choice) != (choice != right)
    ]
    strangers = {answer for answer in (right, *slips) if answer not in exercise.choices}
    return problems + [f"{answer!r} is not among the choices" for answer in sorted(strangers)]


def _judge_choice(exercise: Exercise, answer: Any) -> str:
    chosen = read_choice(answer, exercise.choices)
    if chosen == exercise.answer():
        return ""
    slip = next(slip for slip in exercise.slips() if slip.answer() == chosen)
    return _what_it_is([slip])


# --------------------------------------------------------------------------------------------
# Functions


class _TooSlow(BaseException):
    """Raised inside an answer that runs too long; no `except Exception` may catch it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Stop Python code that takes longer; works in any thread and on any platform."""
    deadline, before = time.monotonic() + seconds, sys.gettrace()

    def watch(frame: Any, event: str, argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise _TooSlow
        return watch

    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)


def _judge_function(exercise: Exercise, answer: Any) -> str:
    if not callable(answer):
        raise Unreadable(f"received {describe(answer)}, expected a function")
    assert exercise.inputs is not None
    trials = [exercise.inputs(np.random.default_rng(t), t) for t in range(TRIALS)]
    results = _results(answer, trials)
    for inputs, result in zip(trials, results, strict=False):
        problem = _difference(result, np.asarray(exercise.answer(*inputs), dtype=float))
        if problem:
            counter_example = f"{problem}; {_shown(exercise, inputs)}"
            found = [s for s in exercise.slips() if _reproduces(s.answer, trials, results)]
            return f"{_what_it_is(found)}\n{counter_example}" if found else counter_example
    return ""


def _results(answer: Callable[..., Any], trials: Sequence[tuple[Array, ...]]) -> list[Array | str]:
    """What a function returns for each trial, or why that is nothing; none after a slow one."""
    results: list[Array | str] = []
    for inputs in trials:
        try:
            results.append(_call(answer, inputs))
        except Unreadable as reason:
            results.append(str(reason))
        except _TooSlow:
            return [*results, f"it takes more than {TIME_LIMIT_S:g} seconds"]
    return results


def _call(answer: Callable[..., Any], inputs: tuple[Array, ...]) -> Array:
    """The function's value on copies of its inputs; every misbehaviour becomes `Unreadable`."""
    copies = tuple(array.copy() for array in inputs)
    try:
        with time_limit(TIME_LIMIT_S), np.errstate(all="ignore"):
            value = answer(*copies)
    except Exception as error:
        raise Unreadable(f"it raises {type(error).__name__}: {error}") from None
    if any((copy != array).any() for copy, array in zip(copies, inputs, strict=True)):
        raise Unreadable("it changes its arguments; make new arrays instead")
    if value is None:
        raise Unreadable("it returns nothing; end it with `return`")
    try:
        return read_numbers(value)
    except Unreadable as reason:
        raise Unreadable(f"its result cannot be read: {reason}") from None


def _difference(given: Array | str, right: Array) -> str:
    """What is wrong with a result; empty if nothing is."""
    if isinstance(given, str):
        return given
    if given.shape != right.shape:
        return f"it returns shape {given.shape} where {right.shape} is right"
    if _distance(given, right) <= 1e-9:
        return ""
    return f"it returns {_numbers(given)} where {_numbers(right)} is right"


def _numbers(array: Array) -> str:
    """A few numbers on one line."""
    text = np.array2string(array.ravel()[:4], precision=5, separator=", ", floatmode="maxprec")
    return text.replace("\n", "") + (" and so on" if array.size > 4 else "")


def _shown(exercise: Exercise, inputs: tuple[Array, ...]) -> str:
    """The arguments of a counter-example: in full while they are small, else their shapes."""
    small = sum(array.size for array in inputs) <= 12
    parts = [
        f"{name} = {np.round(array, 3).tolist()}" if small else f"{name} of shape {array.shape}"
        for name, array in zip(exercise.arguments, inputs, strict=True)
    ]
    return f"for {', '.join(parts)}"


def _reproduces(
    wrong: Callable[..., Any],
    trials: Sequence[tuple[Array, ...]],
    results: Sequence[Array | str],
) -> bool:
    """Whether a wrong function returns the same, wherever both return something."""
    compared = 0
    for inputs, given in zip(trials, results, strict=False):
        try:
            expected = np.asarray(wrong(*inputs), dtype=float)
        except ValueError:  # its shapes do not fit here: nobody could have made this mistake
            continue
        if isinstance(given, str) or _distance(given, expected) > 1e-9:
            return False
        compared += 1
    return compared > 0


JUDGES: dict[str, Callable[[Exercise, Any], str]] = {
    "numbers": _judge_numbers,
    "words": _judge_words,
    "choice": _judge_choice,
    "function": _judge_function,
}
