"""Exercises that say why an answer is wrong: ``check("07-delta-hidden", answer)``.

An exercise is declared in one place, the file of its chapter: the question, the right answer and
the answer that each misconception gives, all computed (by the trace, by the library, by the
catalogue of mistakes), and hints. `check` compares and says what an answer amounts to; `hint`
helps further when asked, `solution` shows the way. Nothing is remembered between calls. May
import the rooms above it.
"""

from backprop_lib.exercises.desk import EXERCISES, check, hint, question, solution
from backprop_lib.exercises.kinds import Exercise, Slip, Verdict

__all__ = ["EXERCISES", "Exercise", "Slip", "Verdict", "check", "hint", "question", "solution"]
