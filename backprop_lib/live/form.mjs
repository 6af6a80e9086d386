/**
 * The form of one exercise: fields for an answer, the verdict, hints, the solution.
 *
 * It judges by `judge.mjs` and remembers by `records.mjs`. The chapter's text asks the question;
 * the form repeats it to screen readers only.
 */

import { button, h, native } from "./controls.mjs";
import { judge } from "./judge.mjs";
import { showCount } from "./count.mjs";
import { piecesOf, shapeOf } from "./reading.mjs";
import { now, recall, remember } from "./records.mjs";
import { unsealed } from "./seal.mjs";
import { live } from "./widget.mjs";

const MOST_COLUMNS = 4;
const MOST_FIELDS = 12;
const TEXT = { type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false" };

// --- Fields: {element, read(), write(answer), focus()} -----------------------------------------

function field(label, seen) {
  const input = native("input", { ...TEXT, ...(seen ? {} : { "aria-label": label }) });
  return { input, element: seen ? h("label", { class: "lf-named" }, h("span", {}, label), input) : input };
}

/** One line of text for the whole answer. */
function lineOfText(label) {
  const { input, element } = field(label, true);
  return {
    element,
    read: () => input.value,
    write: (answer) => { input.value = String(answer); },
  };
}

/** Lists in the given shape, filled one after the other. */
function shaped(values, [rows, ...rest]) {
  if (rows === undefined) return values[0];
  const size = values.length / rows;
  return Array.from({ length: rows }, (_, i) => shaped(values.slice(i * size, (i + 1) * size), rest));
}

function nameOfPlace(i, columns, size, rows) {
  if (size === 1) return "a number";
  return rows > 1 ? `row ${Math.floor(i / columns) + 1}, column ${(i % columns) + 1}` : `number ${i + 1} of ${size}`;
}

/** Several numbers pasted into one field go to all of them. */
function spreadPasted(inputs) {
  for (const input of inputs) {
    input.addEventListener("paste", (event) => {
      const pieces = piecesOf(event.clipboardData.getData("text"));
      if (pieces.length !== inputs.length || pieces.length === 1) return;
      event.preventDefault();
      inputs.forEach((other, i) => { other.value = pieces[i]; });
    });
  }
}

/** A field for each number, laid out as the answer is. */
function grid(shape) {
  const size = shape.reduce((product, n) => product * n, 1);
  const columns = shape.at(-1) ?? 1;
  const rows = size / columns;
  const fields = Array.from({ length: size }, (_, i) => field(nameOfPlace(i, columns, size, rows), false));
  const inputs = fields.map(({ input }) => input);
  spreadPasted(inputs);
  const cells = fields.map(({ element }) => element);
  return {
    element: h("div", { class: `lf-grid-of lf-columns-${columns}` }, ...cells),
    read: () => shaped(inputs.map(({ value }) => value), shape),
    write: (answer) => [answer].flat(Infinity).forEach((text, i) => {
      if (inputs[i]) inputs[i].value = String(text);
    }),
  };
}

function numberFields({ right }) {
  const shape = shapeOf(right);
  const size = shape.reduce((product, n) => product * n, 1);
  const fits = shape.length < 3 && (shape.at(-1) ?? 1) <= MOST_COLUMNS && size <= MOST_FIELDS;
  return fits ? grid(shape) : lineOfText(`${size} numbers, row by row`);
}

function choiceFields({ choices }, name) {
  const radios = choices.map((choice) => native("input", { type: "radio", name, value: choice }));
  const lines = radios.map((radio, i) => h("label", { class: "lf-radio" }, radio, h("span", {}, choices[i])));
  return {
    element: h("div", { class: "lf-radios" }, ...lines),
    read: () => radios.find(({ checked }) => checked)?.value ?? "",
    write: (answer) => radios.forEach((radio) => { radio.checked = radio.value === answer; }),
  };
}

const FIELDS = {
  numbers: numberFields,
  words: ({ right }) => lineOfText(right.length === 1 ? "one word" : `${right.length} words, in this order`),
  choice: choiceFields,
};

// --- What the form says --------------------------------------------------------------------------

function verdictLine() {
  const element = h("p", { class: "lf-verdict", role: "status" });
  const show = ({ grade, message }) => {
    element.dataset.grade = grade;
    element.replaceChildren(h("b", {}, grade), message ? `: ${message}` : "");
  };
  return { element, show };
}

/** A button for the next hint, and the hints so far. */
function hintList(name, hints) {
  const list = h("div", { class: "lf-hints", "aria-live": "polite" });
  let given = 0;
  const next = button("Hint", () => {
    if (given === hints.length) return;
    list.append(h("p", {}, `Hint ${given + 1} of ${hints.length}: ${hints[given]}`));
    given += 1;
    next.textContent = "Plainer hint";
    if (given === hints.length) next.setAttribute("aria-disabled", "true");
    remember(name, { hints: Math.max(given, recall(name).hints ?? 0) });
  });
  return { list, next };
}

/** Lets the keyboard reach a text that scrolls sideways, and no other. */
function reachable(text) {
  if (text.scrollWidth > text.clientWidth + 1) text.tabIndex = 0;
}

/** The solution: folded, and not in the page before it is asked for or `reveal` is called. */
function solutionFold(name, solution) {
  const text = h("pre", {});
  const fold = h("details", { class: "lf-solution" }, h("summary", {}, "Show solution"), text);
  // Setting `open` announces itself only later (as a task): who opens it fills it in the same breath.
  const reveal = () => {
    fold.open = true;
    text.textContent = solution;
    reachable(text);
    if (!recall(name).solution) remember(name, { solution: now() });
  };
  fold.addEventListener("toggle", () => { if (fold.open) reveal(); });
  return { fold, reveal };
}

/** The chapter's own folded solution would stand there twice. */
function hideFoldedCell(figure, name) {
  const next = figure?.closest(".cell")?.nextElementSibling;
  const code = next?.matches(".tag_hide-cell") ? next.querySelector(".cell_input pre")?.textContent : "";
  if (code?.trim() === `solution("${name}")`) next.hidden = true;
}

// --- The form ------------------------------------------------------------------------------------

function onlyInPython(name, { call }) {
  const [answer] = call.split("(");
  const code = `def ${call}:\n    return ...\n\ncheck("${name}", ${answer})`;
  const where = "This one is judged by Python, which tries your function on many inputs. Open the chapter as a notebook (the buttons at the top of the page lead there), write the function, and hand it over:";
  return [h("p", {}, where), h("pre", {}, code)];
}

/** Fields, a button and the verdict; `judgedOnce` is called after each verdict. */
function judged({ name, kind }, exercise, judgedOnce) {
  const fields = FIELDS[kind](exercise, `choice-${name}`);
  const verdict = verdictLine();
  const { answer, grade } = recall(name);
  if (grade && answer !== undefined) {
    fields.write(answer);
    verdict.show(judge(kind, exercise, fields.read()));
  }
  const check = () => {
    const given = fields.read();
    const result = judge(kind, exercise, given);
    verdict.show(result);
    if (result.grade === "not attempted") return;
    const { tries = 0, solved } = recall(name);
    const first = result.grade === "correct" && !solved ? { solved: now() } : {};
    remember(name, { grade: result.grade, answer: given, tries: tries + 1, time: now(), ...first });
    judgedOnce();
  };
  return { fields: fields.element, verdict: verdict.element, check };
}

function build({ state, el }) {
  const { name, kind, alt } = state;
  const exercise = unsealed(name, state.sealed);
  const { fold, reveal } = exercise.solution ? solutionFold(name, exercise.solution) : {};
  const { list, next } = hintList(name, exercise.hints);
  const buttons = h("div", { class: "lf-buttons" }, next);
  const title = kind === "function" ? "Your answer, in Python" : "Your answer";
  const group = h("fieldset", {}, h("legend", {}, title, h("span", { class: "lf-unseen" }, ` to: ${alt}`)));
  const form = h("form", { class: `lf-form lf-of-${kind}`, novalidate: "" }, group);
  form.addEventListener("submit", (event) => event.preventDefault());
  if (kind === "function") {
    group.append(...onlyInPython(name, exercise), buttons);
  } else {
    // Who has chosen may read why.
    const judgedOnce = () => { if (kind === "choice") reveal?.(); };
    const { fields, verdict, check } = judged(state, exercise, judgedOnce);
    form.addEventListener("submit", check);
    buttons.prepend(native("button", { type: "submit" }, "Check"));
    group.append(fields, buttons, verdict);
  }
  group.append(list, ...(fold ? [fold] : []));
  el.append(form);
  el.querySelectorAll("pre").forEach(reachable);
  hideFoldedCell(el.parentElement, name);
  showCount();
}

export default live(build);
