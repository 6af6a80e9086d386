"""The tests have teeth: every mistake planted in the library is noticed by one of them.

Named bugs (`named_bugs`), and one mutant at every operator and number of the central rooms
(`automatic_mutants`), are planted one by one in a copy of the library, and the tests of the library
run until one fails. Without the slow ones: all named bugs, and every so many automatic mutants.
"""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
from automatic_mutants import ROOMS, mutants_of
from equivalent_mutants import EQUIVALENT
from mutant_hunt import (
    KILLERS,
    LIBRARY,
    WITNESSES,
    Hunters,
    Prey,
    Verdict,
    all_checks,
    check_called,
    own_checks,
    read_killers,
    witness_checks,
    write_table,
)
from named_bugs import BUGS, CATALOGUE, GRADIENTS, Bug

from backprop_lib.mistakes import MISTAKES

STRIDE = 30  # every thirtieth automatic mutant belongs to the quick hunt
ONE_MUTANT_S = 120.0
ALL_KILLERS_S = 600.0


def source_of(file: str) -> str:
    return (LIBRARY / file).read_text(encoding="utf-8")


def fits(bug: Bug) -> bool:
    return source_of(bug.file).count(bug.old) == 1


def planted(bug: Bug) -> Prey:
    return Prey(bug.name, bug.room, bug.file, bug.applied_to(source_of(bug.file)))


NAMED = [planted(bug) for bug in BUGS if fits(bug)]
AUTOMATIC = [
    Prey(mutant.name, room, f"{room}.py", mutant.applied_to(source_of(f"{room}.py")))
    for room in ROOMS
    for mutant in mutants_of(room, source_of(f"{room}.py"))
]
QUICK = {prey.name for prey in NAMED + AUTOMATIC[::STRIDE]}
TO_KILL = [
    pytest.param(prey, id=prey.name, marks=[] if prey.name in QUICK else [pytest.mark.slow])
    for prey in NAMED + AUTOMATIC
    if prey.name not in EQUIVALENT
]
RIGHT = Prey("the library as it is", "errors", "errors.py", source_of("errors.py"))
TO_SURVIVE = [pytest.param(prey, id=prey.name) for prey in AUTOMATIC if prey.name in EQUIVALENT]


# --- The mutants themselves -----------------------------------------------------------------------


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_named_bug_changes_one_place_of_the_library(bug: Bug) -> None:
    assert source_of(bug.file).count(bug.old) == 1
    ast.parse(bug.applied_to(source_of(bug.file)))


def test_every_mistake_of_the_catalogue_is_planted() -> None:
    assert {bug.name for bug in CATALOGUE} == set(MISTAKES)


def test_no_two_mutants_have_the_same_name() -> None:
    counted = Counter(prey.name for prey in NAMED + AUTOMATIC)
    assert [name for name, number in counted.items() if number > 1] == []


@pytest.mark.slow
def test_every_automatic_mutant_is_python() -> None:
    for prey in AUTOMATIC:
        ast.parse(prey.source)


def test_operators_and_numbers_are_mutated_and_messages_are_not() -> None:
    source = (
        "def f(x: int | None = 3) -> float:\n"
        '    """1 + 1"""\n'
        "    if not isinstance(x, int | float) or x < 0:\n"
        '        raise ValueError(f"{x - 1}, 2 expected" + "!")\n'
        "    return x.sum(axis=-1) @ x.T ** -2.0\n"
    )
    assert [f"{mutant.old} {mutant.new}" for mutant in mutants_of("room", source)] == [
        "3 4",
        "not  ",
        "or and",
        "< <=",
        "0 1",
        "sum mean",
        "-1 0",
        "@ *",
        ".T ",
        "** *",
        "-2.0 -1.0",
    ]


def test_every_equivalent_mutant_exists_and_has_a_reason() -> None:
    assert set(EQUIVALENT) - {prey.name for prey in AUTOMATIC} == set()
    assert [name for name, reason in EQUIVALENT.items() if len(reason.split()) < 5] == []


# --- The hunt -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hunters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hunters]:
    started = Hunters(tmp_path_factory.mktemp("mutants"), number=min(4, os.cpu_count() or 1))
    yield started
    started.stop()


Verdicts = dict[str, Future[Verdict]]


@pytest.fixture(scope="module")
def verdicts(hunters: Hunters, request: pytest.FixtureRequest) -> Iterator[Verdicts]:
    """The hunt for all mutants that this run asks for; each test waits for its own."""
    calls = [item.callspec for item in request.session.items if hasattr(item, "callspec")]
    asked = [call.params["mutant"] for call in calls if "mutant" in call.params]
    killers = read_killers()
    found = {
        prey.name: hunters.hunt(
            prey,
            [*check_called(killers.get(prey.name, "")), *all_checks(prey.room)],
            ONE_MUTANT_S,
        )
        for prey in asked
    }
    yield found
    if len(found) == len(TO_KILL):
        rows = [(name, verdict.result().killer or "") for name, verdict in found.items()]
        write_table(KILLERS, ("mutant", "killed by"), rows)


@pytest.mark.parametrize("mutant", TO_KILL)
def test_a_mutant_is_noticed(
    mutant: Prey, verdicts: Verdicts, record_property: Callable[[str, object], None]
) -> None:
    verdict = verdicts[mutant.name].result()
    record_property("killer", verdict.killer)
    assert verdict.killer is not None, f"no test notices {mutant.name}"


def test_who_kills_mutants_spares_the_right_library(hunters: Hunters, verdicts: Verdicts) -> None:
    killers = sorted({verdict.result().killer or "" for verdict in verdicts.values()})
    named = [check for killer in killers for check in check_called(killer)]
    tests = [words[0] for kind, *words in named if kind == "pytest"]
    examples = [check for check in named if check[0] == "doctest"]
    verdict = hunters.hunt(RIGHT, [["pytest", *tests], *examples], ALL_KILLERS_S).result()
    assert verdict.killer is None


@pytest.mark.slow
@pytest.mark.parametrize("equivalent", TO_SURVIVE)
def test_an_equivalent_mutant_survives(equivalent: Prey, hunters: Hunters) -> None:
    verdict = hunters.hunt(equivalent, own_checks(equivalent.room), ONE_MUTANT_S).result()
    assert verdict.killer is None, "it can be killed, so it is not equivalent: strike it off"


# --- Who sees a wrong gradient --------------------------------------------------------------------

# Made on the way from the gradient to the optimizer, behind everything that a witness looks at.
BEHIND = ("labels_misaligned", "accumulated", "l2_missing")
WRONG_GRADIENTS = [bug for bug in CATALOGUE + GRADIENTS if fits(bug) and bug.name not in BEHIND]


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, list[str]]]:
    """Bug -> the witnesses that saw it, filled in by the tests."""
    found: dict[str, list[str]] = {}
    yield found
    if len(found) == len(WRONG_GRADIENTS):
        names = list(witness_checks())
        rows = [
            [bug, *("yes" if name in witnesses else "no" for name in names)]
            for bug, witnesses in found.items()
        ]
        write_table(WITNESSES, ["mistake", *names], rows)


def witnesses_against(prey: Prey, hunters: Hunters) -> list[str]:
    verdicts = {
        name: hunters.hunt(prey, checks, ONE_MUTANT_S) for name, checks in witness_checks().items()
    }
    return [name for name, verdict in verdicts.items() if verdict.result().killer is not None]


@pytest.mark.slow
def test_no_witness_speaks_against_the_right_gradient(hunters: Hunters) -> None:
    assert witnesses_against(RIGHT, hunters) == []


@pytest.mark.slow
@pytest.mark.parametrize("bug", WRONG_GRADIENTS, ids=lambda bug: bug.name)
def test_a_wrong_gradient_is_seen_by_several_witnesses(
    bug: Bug, hunters: Hunters, seen: dict[str, list[str]]
) -> None:
    seen[bug.name] = witnesses_against(planted(bug), hunters)
    assert len(seen[bug.name]) >= 3, seen[bug.name]
