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
import re
from collections.abc import Iterator
from typing import Any

from backprop_lib.exercises.kinds import Exercise, Slip, listed, stated

NO_SOLUTION = "The solution is not part of this edition."
# Where this variable of the environment says "no", chapters are made without solutions.
SWITCH = "BOOK_SOLUTIONS"
_32_BITS = 0xFFFFFFFF
_PREFIX = "base64,"
_STATE = re.compile(r"""(?<= data-live="form" data-state=')[^']*""")


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
    return (
        f'<div class="exercise" id="exercise-{html.escape(exercise.name)}" data-live="form" '
        f"data-state='{_attribute({**state, 'sealed': sealed(exercise)})}'>\n"
        f"<pre>{html.escape(fallback)}</pre>\n</div>"
    )


def without_solution(form: str) -> str:
    """A form as `to_html` wrote it, less its solution.

    Parameters
    ----------
    form : str
        HTML; where it holds no form, nothing changes.

    Returns
    -------
    str
        What `to_html` writes where the variable BOOK_SOLUTIONS is "no".

    Examples
    --------
    >>> two = Exercise("00-two", "1 + 1?", lambda: 2.0, lambda: (), ("Count.",), lambda: "2")
    >>> form = to_html(two, "not attempted")
    >>> len(form) - len(without_solution(form)) == len('"solution":"2",') // 3 * 4
    True
    """

    def less(found: re.Match[str]) -> str:
        state = json.loads(html.unescape(found[0]))
        name = state["name"]
        judged = unsealed(name, state["sealed"])
        judged.pop("solution", None)
        return _attribute({**state, "sealed": _seal(name, judged)})

    return _STATE.sub(less, form)


def _attribute(state: dict[str, Any]) -> str:
    return html.escape(json.dumps(state, separators=(",", ":")), quote=True)


def sealed(exercise: Exercise) -> str:
    """All that the page needs to judge, not to be read in passing; no protection whatsoever."""
    return _seal(exercise.name, exported(exercise))


def _seal(name: str, judged: dict[str, Any]) -> str:
    text = json.dumps(judged, ensure_ascii=False, separators=(",", ":"))
    return _PREFIX + base64.b64encode(_mixed(name, text.encode("utf-8"))).decode("ascii")


def unsealed(name: str, text: str) -> dict[str, Any]:
    """What `sealed` hid, as `exported` wrote it."""
    plain = _mixed(name, base64.b64decode(text.removeprefix(_PREFIX)))
    judged: dict[str, Any] = json.loads(plain)
    return judged


def _mixed(name: str, plain: bytes) -> bytes:
    """The bytes, each changed by the key's; the same once more gives them back."""
    return bytes(a ^ b for a, b in zip(plain, _key_bytes(name), strict=False))


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
