"""An exercise for a page without Python: its question, what is right, and every misconception.

The page knows the rules of comparison and nothing else. Right answers, the answer of each
misconception and all sentences about them are computed here and handed over, so a cell and the
form on the page say the same. The form itself is ``live/form.mjs``.
"""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Iterator
from typing import Any

from backprop_lib.exercises.kinds import Exercise, Slip, listed, stated

NO_SOLUTION = "The solution is not part of this edition."
# Where this variable of the environment says "no", chapters are made without solutions.
SWITCH = "BOOK_SOLUTIONS"
_32_BITS = 0xFFFFFFFF


def question_of(exercise: Exercise) -> str:
    """What the exercise asks."""
    asked = exercise.question
    return asked if isinstance(asked, str) else asked()


def solution_of(exercise: Exercise) -> str:
    """The way to the answer, unless this edition is made without."""
    return NO_SOLUTION if os.environ.get(SWITCH) == "no" else exercise.solution()


def to_html(exercise: Exercise, fallback: str) -> str:
    """The exercise as a static page finds it: out of sight for the form, and as text.

    Parameters
    ----------
    exercise : Exercise
        What is asked.
    fallback : str
        What stands there without scripts.

    Returns
    -------
    str
        One ``div`` without scripts and without addresses.

    Examples
    --------
    >>> two = Exercise("00-two", "1 + 1?", lambda: 2.0, lambda: (), ("Count.",), lambda: "2")
    >>> print(to_html(two, "not attempted"))  # doctest: +ELLIPSIS
    <div class="exercise" id="exercise-00-two" data-live="form" data-state='{&quot;name...}'>
    <pre>not attempted</pre>
    </div>
    """
    state = {"name": exercise.name, "kind": exercise.kind, "alt": question_of(exercise)}
    text = json.dumps({**state, "sealed": sealed(exercise)}, separators=(",", ":"))
    return (
        f'<div class="exercise" id="exercise-{html.escape(exercise.name)}" data-live="form" '
        f"data-state='{html.escape(text, quote=True)}'>\n"
        f"<pre>{html.escape(fallback)}</pre>\n</div>"
    )


def sealed(exercise: Exercise) -> str:
    """All that the page needs to judge, not to be read in passing; no protection whatsoever."""
    text = json.dumps(exported(exercise), ensure_ascii=False, separators=(",", ":"))
    plain = text.encode("utf-8")
    hidden = bytes(a ^ b for a, b in zip(plain, _key_bytes(exercise.name), strict=False))
    return "base64," + base64.b64encode(hidden).decode("ascii")


def _key_bytes(name: str) -> Iterator[int]:
    """Endless bytes that depend on the name: a hash of it, stirred by shifts."""
    state = 2166136261
    for byte in name.encode("utf-8"):
        state = ((state ^ byte) * 16777619) & _32_BITS
    while True:
        state ^= (state << 13) & _32_BITS
        state ^= state >> 17
        state ^= (state << 5) & _32_BITS
        yield state & 0xFF


def exported(exercise: Exercise) -> dict[str, Any]:
    """An exercise as JSON holds it.

    Parameters
    ----------
    exercise : Exercise
        Of any kind; a function is not judged on the page, so only its name goes there.

    Returns
    -------
    dict
    """
    common: dict[str, Any] = {"hints": list(exercise.hints)}
    if os.environ.get(SWITCH) != "no":
        common["solution"] = exercise.solution()
    if exercise.kind == "function":
        return common | {"call": _signature(exercise)}
    judged = {
        "right": _value(exercise, exercise.answer()),
        "slips": [_slip(exercise, slip) for slip in exercise.slips()],
    }
    if exercise.kind == "numbers":
        judged["digits"] = exercise.digits
    if exercise.kind == "choice":
        judged |= {"choices": list(exercise.choices), "listed": listed(exercise)}
    return common | judged


def _slip(exercise: Exercise, slip: Slip) -> dict[str, Any]:
    value = _value(exercise, slip.answer())
    return {"says": slip.says, "advice": slip.advice, "answer": value}


def _value(exercise: Exercise, answer: Any) -> Any:
    """An answer as it is compared."""
    if exercise.kind == "numbers":
        return stated(answer, exercise.digits).tolist()
    return list(answer) if exercise.kind == "words" else answer


def _signature(exercise: Exercise) -> str:
    name = getattr(exercise.answer, "__name__", "answer")
    arguments = ", ".join(exercise.arguments)
    return f"{name if name.isidentifier() else 'answer'}({arguments})"
