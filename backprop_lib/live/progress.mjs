/** The list of all exercises: the state of each, a file for a teacher, and forgetting it all. */

import { button, h, native } from "./controls.mjs";
import { forget, now, onRecords, recall } from "./records.mjs";
import { live } from "./widget.mjs";

const FORMAT = 1;
/** What only Python can judge: functions, and what stands in no chapter. */
const BY_PYTHON = ["function", "notebook"];

function stateOf({ grade, solved, solution }) {
  if (solved) return solution && solution <= solved ? "solved, after the solution" : "solved";
  if (grade) return grade;
  return solution ? "solution read" : "";
}

/** "2 of 9 solved": of those that a page can judge. */
function counted(entries) {
  const judged = entries.filter(({ dataset }) => !BY_PYTHON.includes(dataset.kind));
  const solved = judged.filter(({ dataset }) => recall(dataset.exercise).solved);
  return `${solved.length} of ${judged.length} solved`;
}

function showStates(entries, summary) {
  for (const entry of entries) {
    const record = recall(entry.dataset.exercise);
    entry.textContent = stateOf(record);
    entry.dataset.grade = record.solved ? "correct" : (record.grade ?? "");
  }
  for (const count of document.querySelectorAll("[data-chapter]")) {
    const section = document.getElementById(count.dataset.chapter);
    count.textContent = counted(entries.filter((entry) => section.contains(entry)));
  }
  summary.textContent = `${counted(entries)} in this browser.`;
}

/** Everything that is known, as text. */
function report(entries, reader) {
  const known = entries.map(({ dataset }) => [dataset.exercise, recall(dataset.exercise)]);
  const exercises = Object.fromEntries(known.filter(([, record]) => Object.keys(record).length));
  return JSON.stringify({ format: FORMAT, reader, saved: now(), exercises }, null, 1);
}

function download(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Forgets at the second press only. */
function forgetButton(said) {
  const [ask, sure] = ["Forget everything", "Press again to forget everything"];
  const element = button(ask, () => {
    const certain = element.textContent === sure;
    element.textContent = certain ? ask : sure;
    if (!certain) return;
    forget();
    said.textContent = "All answers and results are gone from this browser.";
  });
  element.addEventListener("blur", () => { element.textContent = ask; });
  return element;
}

function build({ el, signal }) {
  const entries = [...document.querySelectorAll("[data-exercise]")];
  const summary = h("p", {});
  const said = h("p", { role: "status" });
  const reader = native("input", { type: "text", autocomplete: "name" });
  const named = h("label", { class: "lf-named" }, h("span", {}, "Your name, for the file only"), reader);
  const save = button("Save results as a file", () => {
    const name = reader.value.trim().replace(/[^\p{L}\p{N}]+/gu, "-") || "reader";
    download(report(entries, reader.value.trim()), `exercises-${name}.json`);
  });
  const buttons = h("div", { class: "lf-buttons" }, save, forgetButton(said));
  el.append(h("div", { class: "lf-form lf-progress" }, summary, named, buttons, said));
  const show = () => showStates(entries, summary);
  show();
  onRecords(show, signal);
}

export default live(build);
