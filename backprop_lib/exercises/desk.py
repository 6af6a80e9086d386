"""The desk where a reader asks: `check`, `hint`, `question`, `solution`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from backprop_lib.exercises import (
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_06,
    chapter_07,
    chapter_08,
    chapter_09,
    chapter_10,
    chapter_11,
    chapter_12,
    chapter_13,
    chapter_14,
    chapter_15,
)
from backprop_lib.exercises.form import question_of, solution_of, to_html
from backprop_lib.exercises.kinds import Exercise, Verdict, judge

# A chapter's exercises stand in its own file; a new one is listed here.
CHAPTERS = (
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_06,
    chapter_07,
    chapter_08,
    chapter_09,
    chapter_10,
    chapter_11,
    chapter_12,
    chapter_13,
    chapter_14,
    chapter_15,
)
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for chapter in CHAPTERS for exercise in chapter.EXERCISES
}


@dataclass(frozen=True, repr=False)
class _Text:
    """Text that prints itself, without quotation marks, at the end of a cell."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _find(name: str) -> Exercise:
    if name in EXERCISES:
        return EXERCISES[name]
    near = get_close_matches(str(name), EXERCISES, n=3) or list(EXERCISES)
    raise ValueError(f"there is no exercise {name!r}; did you mean {', '.join(near)}?")


def check(name: str, answer: Any = None) -> Verdict:
    """Judge an answer, and say why where it is not right.

    Parameters
    ----------
    name : str
        Name of the exercise, e.g. ``"07-delta-hidden"``.
    answer : any
        Numbers in any form (number, list, tuple, array, fraction, text), words, or a function,
        whatever the exercise asks for; None or ``...`` if there is none yet.

    Returns
    -------
    Verdict
        "correct", "not yet" with a diagnosis, "not attempted", or "cannot be checked" with what
        was received. It prints itself.

    Raises
    ------
    ValueError
        If there is no such exercise, with names that are similar.

    Examples
    --------
    >>> check("07-delta-output", ...)
    not attempted
    more help: hint("07-delta-output")
    >>> check("07-delta-output", 0.1385)
    correct

    Notes
    -----
    Every chapter's section *Check yourself*.
    """
    exercise = _find(name)
    verdict = judge(exercise, answer)
    if verdict.grade != "not attempted":
        return verdict
    return replace(verdict, form=lambda: to_html(exercise, repr(verdict)))


def question(name: str) -> _Text:
    """What an exercise asks.

    Parameters
    ----------
    name : str
        Name of the exercise.

    Returns
    -------
    text
        Prints itself at the end of a cell.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> question("07-delta-output")
    In the first network, what is the error of the output unit, delta[2] = dC/dz[2]?

    Notes
    -----
    Every chapter's section *Check yourself*.
    """
    return _Text(question_of(_find(name)))


def hint(name: str, number: int = 1) -> _Text:
    """Help on asking: the first hint, or a plainer one.

    Parameters
    ----------
    name : str
        Name of the exercise.
    number : int
        Which hint; the last one is the plainest.

    Returns
    -------
    text
        Prints itself at the end of a cell.

    Raises
    ------
    ValueError
        If there is no such exercise, or no such hint.

    Examples
    --------
    >>> hint("07-delta-output", 1)
    Hint 1 of 2: How does C change with a, and a with z? Multiply the two.
    the next one: hint("07-delta-output", 2)

    Notes
    -----
    Every chapter's section *Check yourself*.
    """
    hints = _find(name).hints
    if number not in range(1, len(hints) + 1):
        raise ValueError(f"number is {number!r}; {name} has the hints 1..{len(hints)}")
    following = f'hint("{name}", {number + 1})' if number < len(hints) else f'solution("{name}")'
    text = f"Hint {number} of {len(hints)}: {hints[number - 1]}\nthe next one: {following}"
    return _Text(text)


def solution(name: str) -> _Text:
    """The way to the answer, and the answer, computed.

    Parameters
    ----------
    name : str
        Name of the exercise.

    Returns
    -------
    text
        Prints itself at the end of a cell.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> solution("07-delta-output")  # doctest: +ELLIPSIS
    delta2[1] = ...

    Notes
    -----
    Every chapter's section *Check yourself*.
    """
    return _Text(solution_of(_find(name)))
