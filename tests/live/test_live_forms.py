"""The forms of exercises: the page says what Python says, remembers, and needs nothing to work."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from test_live_pages import SMALL_TARGETS, violations

from backprop_lib.exercises import EXERCISES, Exercise, Slip, check, hint, solution
from backprop_lib.exercises.__main__ import main
from backprop_lib.exercises.form import sealed, to_html
from backprop_lib.exercises.kinds import judge
from backprop_lib.live.modules import FOLDER, classic, dependencies

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

LivePage = Callable[..., "Page"]
JUDGED = [name for name, exercise in EXERCISES.items() if exercise.kind != "function"]
GARBAGE = [
    "about a seventh", "1/0", "1,5", "0,1385", "[", ",", "nan", "inf", "1e400", "1_000", "0x10",
    "it's", 'say "it"', "it's \"it\"", "\\", "tab\there", "\u00a0x", "\u2212", "1 2 3 4 5 6 7",
    "\U0001f600", "1/3/5", "--1", "1e", ".", "1.", ".5", "+.5E+1", "[1, 2", "3; 4", "\u0663",
]  # fmt: skip


def form_of(name: str) -> str:
    return check(name)._repr_mimebundle_()["text/html"]


# --- The same verdicts ----------------------------------------------------------------------------


def texts(numbers: Any) -> Any:
    """Numbers as a reader types them: texts, in lists of the same shape."""
    array = np.asarray(numbers, dtype=float)
    return np.array([repr(x) for x in array.ravel().tolist()]).reshape(array.shape).tolist()


def rounded(numbers: Any, digits: int) -> list[Any]:
    array = np.asarray(numbers, dtype=float)
    return np.array([float(f"{x:.{digits}g}") for x in array.ravel()]).reshape(array.shape)


def garbage_like(right: np.ndarray) -> Iterator[Any]:
    """Garbage alone, in every place, and in the last place of an answer that is right else."""
    for text in GARBAGE:
        yield text
        yield np.full(right.shape, text).tolist()
        if right.size > 1:
            spoiled = np.array(texts(right), dtype=object)
            spoiled.flat[-1] = text
            yield spoiled.tolist()


def number_answers(exercise: Exercise) -> Iterator[Any]:
    right = np.asarray(exercise.answer(), dtype=float)
    wrong = [np.asarray(slip.answer(), dtype=float) for slip in exercise.slips()]
    factors = (1, -1, 2, 0.5, 10, 0.1, 1.003, 1.02, 3)
    yield from (texts(factor * numbers) for numbers in [right, *wrong] for factor in factors)
    for digits in range(1, exercise.digits + 3):
        yield from (texts(rounded(numbers, digits)) for numbers in [right, *wrong])
    for place in range(right.size):
        one_off = right.copy()
        one_off.flat[place] += 7
        yield texts(one_off)
    blank = np.array(texts(right), dtype=object)
    blank.flat[0] = " "
    yield from (blank.tolist(), np.full(right.shape, "").tolist(), "", "  ", "[]")
    yield from (" ".join(np.ravel(texts(right))), str(right.tolist()), texts(right.ravel()[:1]))
    yield from (texts([[*right.ravel()]]), texts([[x] for x in right.ravel()]), texts([1, 2, 3]))
    yield from garbage_like(right)


def word_answers(exercise: Exercise) -> Iterator[str]:
    right = list(exercise.answer())
    for words in (right, *(list(slip.answer()) for slip in exercise.slips())):
        yield from (" ".join(words), ", ".join(words).upper(), "; ".join(words[:-1]))
        yield from (" ".join(words[::-1]), " ".join([*words[:-1], "nonsense"]))
    yield from ("", "   ", *GARBAGE)


def answers_of(exercise: Exercise) -> list[Any]:
    if exercise.kind == "numbers":
        return list(number_answers(exercise))
    return [*(word_answers(exercise) if exercise.kind == "words" else exercise.choices), ""]


JUDGE = """async ([kind, name, sealed, answers]) => {
  const { unsealed } = await import("/live/seal.mjs");
  const { judge } = await import("/live/judge.mjs");
  const exercise = unsealed(name, sealed);
  return answers.map((answer) => judge(kind, exercise, answer));
}"""


def differences(page: Page, exercise: Exercise) -> list[Any]:
    """Answers on which the page and Python do not say the same."""
    answers = answers_of(exercise)
    in_python = [(v.grade, v.message) for v in (judge(exercise, answer) for answer in answers)]
    assert {"correct", "not yet", "not attempted"} <= {grade for grade, _ in in_python}
    arguments = [exercise.kind, exercise.name, sealed(exercise), answers]
    on_page = [(v["grade"], v["message"]) for v in page.evaluate(JUDGE, arguments)]
    triples = zip(answers, in_python, on_page, strict=True)
    return [triple for triple in triples if triple[1] != triple[2]]


@pytest.mark.parametrize("chapter", sorted({name[:2] for name in JUDGED}))
def test_page_and_python_give_the_same_verdict_on_every_answer(
    chapter: str, live_page: LivePage
) -> None:
    page = live_page("<p>nothing</p>", wait=False)
    ours = [EXERCISES[name] for name in JUDGED if name.startswith(chapter)]
    found = {exercise.name: differences(page, exercise) for exercise in ours}
    assert {name: triples for name, triples in found.items() if triples} == {}


def test_a_difference_between_page_and_python_would_be_found(live_page: LivePage) -> None:
    page = live_page("<p>nothing</p>", wait=False)
    right = EXERCISES["07-dw2"]
    source = (FOLDER / "judge.mjs").read_text(encoding="utf-8")
    source = source.replace('[2, "twice"]', '[3, "twice"]')
    page.route("**/judge.mjs", lambda r: r.fulfill(body=source, content_type="text/javascript"))
    [(_, in_python, on_page)] = differences(page, right)
    assert "usual mistakes" in in_python[1]
    assert "twice" in on_page[1]


# --- The form -------------------------------------------------------------------------------------

FORMS = ["07-delta-output", "07-dw1", "07-which-loss", "07-predict-output", "07-hidden-line"]
ALL = [form_of(name) for name in FORMS]


def form_in(page: Page, name: str) -> Locator:
    return page.locator(f"#exercise-{name}")


def verdict_in(form: Locator) -> str:
    return form.locator(".lf-verdict").inner_text()


def in_cell(name: str) -> str:
    """The first line that a cell prints under ``check``."""
    return str(check(name, EXERCISES[name].answer()))


def test_a_number_is_judged_by_keyboard_alone(live_page: LivePage) -> None:
    page = live_page(*ALL)
    form = form_in(page, "07-delta-output")
    form.get_by_label("a number").focus()
    page.keyboard.type("0.741365")
    page.keyboard.press("Enter")
    assert verdict_in(form) == str(check("07-delta-output", 0.741365)).split("\n")[0]
    page.keyboard.press("Control+a")
    page.keyboard.type("1385/10000")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert verdict_in(form) == in_cell("07-delta-output") == "correct"
    assert page.log.clean


def test_a_matrix_has_a_named_field_for_each_number_and_takes_a_pasted_list(
    live_page: LivePage,
) -> None:
    page = live_page(*ALL)
    form = form_in(page, "07-dw1")
    inputs = form.locator("input")
    places = inputs.evaluate_all("list => list.map((e) => e.getAttribute('aria-label'))")
    assert places == ["row 1, column 1", "row 1, column 2", "row 2, column 1", "row 2, column 2"]
    right = np.asarray(EXERCISES["07-dw1"].answer()).round(7)
    inputs.first.evaluate(
        """(input, text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text", text);
          input.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
        }""",
        str(right.tolist()),
    )
    assert inputs.nth(3).input_value() == str(right[1, 1])
    form.get_by_role("button", name="Check").click()
    assert verdict_in(form) == "correct"
    inputs.nth(2).fill("")
    form.get_by_role("button", name="Check").click()
    assert verdict_in(form) == "cannot be checked: received nothing for number 3"
    inputs.nth(2).fill("0,00075")
    form.get_by_role("button", name="Check").click()
    assert verdict_in(form).endswith("; write decimals with a point: 0.5, not 0,5")


def test_words_are_judged(live_page: LivePage) -> None:
    page = live_page(*ALL)
    form = form_in(page, "07-which-loss")
    form.get_by_label("4 words").fill(", ".join(EXERCISES["07-which-loss"].answer()))
    form.get_by_label("4 words").press("Enter")
    assert verdict_in(form) == "correct"


def test_a_choice_is_made_before_the_reason_is_read(live_page: LivePage) -> None:
    page = live_page(*ALL)
    form = form_in(page, "07-predict-output")
    group = form.get_by_role(
        "group", name=re.compile(r"Your answer\s+to: The output is about 0.75")
    )
    assert group.get_by_role("radio").count() == 4
    form.get_by_role("button", name="Check").click()
    assert verdict_in(form) == str(check("07-predict-output")).rpartition("\nmore help")[0]
    assert not form.locator("pre").is_visible()
    form.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert verdict_in(form) == str(check("07-predict-output", 1)).split("\n")[0]
    assert form.locator("pre").inner_text() == str(solution("07-predict-output"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert verdict_in(form) == "correct"


# What stands in the fold in the same breath in which the answer is judged.
JUDGED_AND_READ = """(form) => {
  form.querySelector("input").checked = true;
  form.querySelector("button[type=submit]").click();
  return form.querySelector(".lf-solution pre").textContent;
}"""


def test_the_reason_of_a_choice_is_never_an_empty_box(live_page: LivePage) -> None:
    form = form_in(live_page(*ALL), "07-predict-output")
    assert form.evaluate(JUDGED_AND_READ) == str(solution("07-predict-output"))


def test_a_function_is_sent_to_python_with_its_signature(live_page: LivePage) -> None:
    page = live_page(*ALL)
    form = form_in(page, "07-hidden-line")
    assert "def hidden_error(delta2, W2, a1):" in form.locator("pre").first.inner_text()
    assert form.get_by_role("button", name="Check").count() == 0
    assert form.get_by_role("button", name="Hint").is_visible()
    assert form.locator("summary").inner_text() == "Show solution"


@pytest.mark.parametrize("name", FORMS)
def test_hints_and_solution_are_those_of_python_and_come_one_by_one(
    live_page: LivePage, name: str
) -> None:
    page = live_page(form_of(name))
    form = form_in(page, name)
    count = len(EXERCISES[name].hints)
    for number in range(1, count + 1):
        form.locator(".lf-buttons button").last.press("Enter")
        assert form.locator(".lf-hints p").count() == number
    shown = form.locator(".lf-hints p").all_inner_texts()
    assert shown == [str(hint(name, i)).split("\n")[0] for i in range(1, count + 1)]
    form.locator(".lf-buttons button").last.press("Enter")
    assert form.locator(".lf-hints p").count() == count
    assert str(solution(name)) not in page.content()
    form.locator("summary").press("Enter")
    form.locator(".lf-solution pre", has_text=re.compile(r"\S")).wait_for()
    assert form.locator(".lf-solution pre").inner_text() == str(solution(name))


@pytest.mark.parametrize("name", FORMS)
def test_no_answer_stands_in_the_page_before_it_is_asked_for(
    live_page: LivePage, name: str
) -> None:
    exercise = EXERCISES[name]
    page = live_page(form_of(name))
    texts_of_page = page.evaluate(
        """() => [...document.querySelectorAll("main *")].flatMap((e) =>
          [...e.attributes].filter((a) => a.name !== "data-state").map((a) => a.value)
            .concat(e.children.length ? [] : [e.textContent]))"""
    )
    secrets = [slip.advice for slip in exercise.slips()] + [exercise.solution()]
    if exercise.kind == "numbers":
        secrets += [f"{x:.4g}" for x in np.ravel(exercise.answer())]
    where = [(s, text) for s in secrets for text in [*texts_of_page, form_of(name)] if s in text]
    assert where == []


# --- Remembering ----------------------------------------------------------------------------------

HEADED = '<section id="check-yourself"><h2>Check yourself</h2>{}</section>'


def test_answers_are_remembered_and_counted(live_page: LivePage) -> None:
    page = live_page(HEADED.format("\n".join(ALL)))
    count = page.locator("h2 + .lf-count")
    assert count.inner_text() == "0 of 4 solved"  # the function is not judged here
    form = form_in(page, "07-delta-output")
    form.locator("input").fill("0.1385")
    form.locator("input").press("Enter")
    assert count.inner_text() == "1 of 4 solved"
    form_in(page, "07-which-loss").locator("input").fill("sign")
    form_in(page, "07-which-loss").locator("input").press("Enter")
    page.reload()
    wake_all(page)
    assert count.inner_text() == "1 of 4 solved"
    assert form.locator("input").input_value() == "0.1385"
    assert verdict_in(form) == "correct"
    assert "received 1 words" in verdict_in(form_in(page, "07-which-loss"))
    assert verdict_in(form_in(page, "07-dw1")) == ""


def wake_all(page: Page) -> None:
    for form in page.query_selector_all("[data-live]"):
        form.scroll_into_view_if_needed()
        page.wait_for_function("form => form.dataset.ready", arg=form)


NO_STORAGE = {
    "absent": "delete window.localStorage; "
    "Object.defineProperty(window, 'localStorage', { value: undefined });",
    "forbidden": "Object.defineProperty(window, 'localStorage', "
    "{ get() { throw new DOMException('no', 'SecurityError'); } });",
    "full": "Storage.prototype.setItem = () => { throw new DOMException('full'); };",
}


@pytest.mark.parametrize("script", NO_STORAGE.values(), ids=NO_STORAGE)
def test_everything_works_where_nothing_can_be_kept(live_page: LivePage, script: str) -> None:
    page = live_page(HEADED.format("\n".join(ALL)), init_script=script)
    form = form_in(page, "07-delta-output")
    form.locator("input").fill("0.1385")
    form.locator("input").press("Enter")
    assert verdict_in(form) == "correct"
    assert page.locator(".lf-count").inner_text() == "1 of 4 solved"
    assert page.log.clean


@pytest.mark.parametrize(
    "stored", ["{", "null", "[]", "7", '{"grade":"correct","answer":{"a":[1]}}',
               '{"grade":5,"answer":[[["<b>"]]],"hints":"x","tries":"y"}'],
)  # fmt: skip
def test_strange_memories_do_no_harm(live_page: LivePage, stored: str) -> None:
    keep = f"for (const n of {json.dumps(FORMS)}) "
    keep += f"localStorage.setItem(`backprop-book/exercise/${{n}}`, {json.dumps(stored)});"
    page = live_page(*ALL, init_script=keep)
    form = form_in(page, "07-delta-output")
    form.locator("input").fill("0.1385")
    form.locator("input").press("Enter")
    assert verdict_in(form) == "correct"
    assert page.log.clean


INDEX = (
    '<div id="progress" data-live="progress" data-state="{}"></div>'
    '<p>07-delta-output <b data-exercise="07-delta-output" data-kind="numbers"></b></p>'
    '<p>07-dw1 <b data-exercise="07-dw1" data-kind="numbers"></b></p>'
    '<p>07-hidden-line <b data-exercise="07-hidden-line" data-kind="function"></b></p>'
)


def test_results_are_listed_saved_and_forgotten(
    live_page: LivePage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = live_page(*ALL, INDEX)
    form = form_in(page, "07-delta-output")
    form.locator("input").fill("0.741365")
    form.locator("input").press("Enter")
    states = page.locator("[data-exercise]")
    assert states.all_inner_texts() == ["not yet", "", ""]
    form.locator("input").fill("0.1385")
    form.locator("input").press("Enter")
    form_in(page, "07-hidden-line").locator("summary").click()
    page.get_by_text("1 of 2 solved in this browser.").wait_for()
    page.wait_for_function(
        "() => document.querySelector('[data-kind=function]').textContent === 'solution read'"
    )
    assert states.all_inner_texts() == ["solved", "", "solution read"]
    page.get_by_label("Your name").fill("Ada L.")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save results").click()
    assert saving.value.suggested_filename == "exercises-Ada-L-.json"
    saving.value.save_as(tmp_path / "ada.json")
    saved = json.loads((tmp_path / "ada.json").read_text(encoding="utf-8"))
    record = saved["exercises"]["07-delta-output"]
    assert (record["answer"], record["grade"], record["tries"]) == ("0.1385", "correct", 2)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["solved"])
    assert main(["summary", str(tmp_path / "ada.json")]) == 0
    assert re.search(r"^Ada L\. +1 +1 +2 +0 +0 ", capsys.readouterr().out, re.MULTILINE)
    page.get_by_role("button", name="Forget everything").click()
    assert states.first.inner_text() == "solved"
    page.get_by_role("button", name="Press again").click()
    assert states.all_inner_texts() == ["", "", ""]
    assert page.evaluate("() => localStorage.length") == 0
    assert page.log.clean


# --- Everywhere -----------------------------------------------------------------------------------


def test_without_scripts_the_text_of_the_cell_is_there(live_page: LivePage) -> None:
    page = live_page(*ALL, javascript=False, wait=False)
    for name in FORMS:
        assert form_in(page, name).inner_text().strip() == str(check(name))


def test_the_chapters_own_folded_solution_does_not_stand_there_twice(live_page: LivePage) -> None:
    cell = '<div class="cell"><div class="cell_output">{}</div></div>'
    code = '<div class="cell_input"><pre>{1}\n</pre></div>'
    folded = '<div class="cell tag_hide-cell" id="{0}">' + code + "</div>"
    page = live_page(
        cell.format(form_of("07-dw2")),
        folded.format("own", 'solution("07-dw2")'),
        cell.format(form_of("07-dw1")),
        folded.format("other", "print(1)"),
    )
    assert not page.locator("#own").is_visible()
    assert page.locator("#other").is_visible()


def test_forms_work_in_a_page_opened_as_a_file(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "classic.js").write_text(classic(), encoding="utf-8")
    (tmp_path / "live" / "live.css").write_text("", encoding="utf-8")
    script = '<!DOCTYPE html><html><body>{}<script src="live/classic.js"></script></body></html>'
    file = tmp_path / "page.html"
    file.write_text(script.format("\n".join(ALL) + INDEX), encoding="utf-8")
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    wake_all(page)
    form = form_in(page, "07-delta-output")
    form.locator("input").fill("0.1385")
    form.locator("input").press("Enter")
    assert verdict_in(form) == "correct"
    page.get_by_text("1 of 2 solved in this browser.").wait_for()
    assert said == []
    page.close()


def test_markup_in_an_exercise_stays_text(live_page: LivePage) -> None:
    nasty = "<img src=x onerror=window.hit=1>'\"&"
    exercise = Exercise(
        "99-nasty", nasty, lambda: nasty, lambda: (Slip(nasty, nasty, lambda: "no"),),
        (nasty,), lambda: nasty, choices=(nasty, "no"),
    )  # fmt: skip
    page = live_page(to_html(exercise, nasty))
    form = form_in(page, "99-nasty")
    form.get_by_role("radio").last.check()
    form.get_by_role("button", name="Check").click()
    form.get_by_role("button", name="Hint").click()
    form.locator("pre").wait_for()
    assert page.evaluate("() => window.hit") is None
    assert page.locator("main img").count() == 0
    assert nasty in verdict_in(form)


@pytest.mark.parametrize("sealed_text", ["", "base64,", "base64,AAAA", "!"])
def test_a_broken_form_keeps_its_text(live_page: LivePage, sealed_text: str) -> None:
    state = json.dumps({"name": "x", "kind": "numbers", "alt": "x", "sealed": sealed_text})
    broken = f"<div id='x' data-live='form' data-state='{state}'><pre>not attempted</pre></div>"
    page = live_page(broken, *ALL, wait=False)
    page.locator("#x .lf-sorry").wait_for()
    assert page.locator("#x pre").is_visible()
    assert page.log.errors == []


def use_every_form(page: Page) -> None:
    for form in page.locator("[data-live=form]").all():
        check_button = form.get_by_role("button", name="Check")
        if check_button.count():
            for radio in form.get_by_role("radio").all()[:1]:
                radio.check()
            for field in form.get_by_role("textbox").all():
                field.fill("0,5")
            check_button.click()
        form.get_by_role("button", name="Hint").click()
        if not form.locator(".lf-solution").evaluate("e => e.open"):
            form.locator("summary").click()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390), ("light", 320)])
def test_forms_are_accessible_and_fit(live_page: LivePage, theme: str, width: int) -> None:
    page = live_page(*ALL, INDEX, theme=theme, color_scheme=theme, width=width)
    use_every_form(page)
    page.wait_for_timeout(100)
    assert violations(page) == []
    # The target of a radio button is its label.
    targets = SMALL_TARGETS.replace("main input", "main label, main input:not([type=radio])")
    assert page.evaluate(targets) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    controls = page.locator("main button, main input")
    marks = controls.evaluate_all("list => list.map((e) => e.dataset.lmSuppressShortcuts)")
    assert set(marks) == {"true"}


def test_a_solution_in_words_is_read_without_scrolling(live_page: LivePage) -> None:
    wordy = [name for name in JUDGED if name.startswith("15-")]
    page = live_page(*map(form_of, wordy), width=390)
    page.locator("summary").evaluate_all("list => list.forEach((e) => e.click())")
    boxes = page.locator(".lf-solution pre", has_text=re.compile(r"\S"))
    boxes.nth(len(wordy) - 1).wait_for()
    widths = boxes.evaluate_all("list => list.map((e) => e.scrollWidth - e.clientWidth)")
    assert len(widths) == len(wordy)
    assert set(widths) == {0}


def test_verdicts_are_announced(live_page: LivePage) -> None:
    page = live_page(*ALL)
    assert page.locator(".lf-verdict[role=status]").count() == 4
    assert page.locator(".lf-hints[aria-live=polite]").count() == len(FORMS)


def test_a_form_is_light() -> None:
    files = [FOLDER / f"{name}.mjs" for name in ["loader", *dependencies("form")]]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 16_000
    for name in EXERCISES:
        assert len(form_of(name)) < 9_000
