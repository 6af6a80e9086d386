/**
 * The trace explorer: a gradient step done by hand, every given number an input.
 *
 * The network with its numbers, below it the lines symbol = formula = numbers = value, a central
 * difference beside each gradient, a switch for classic bugs, and the descent the step is part of.
 */

import {
  announcer, button, choice, createStore, h, native, numberField, onWidth, optionField, slider,
} from "./controls.mjs";
import { curve, endLabels, plot, scatter } from "./draw.mjs";
import { fixed, general } from "./format.mjs";
import { drawNetwork } from "./network.mjs";
import {
  NO_BUG, agrees, asPython, compute, makePlan, offByOne, readsOf, stagesOf,
} from "./trace.mjs";
import { live } from "./widget.mjs";
import { pretty, symbol, write } from "./write.mjs";

const COLOURS = {
  given: "lf-forward", forward: "lf-forward", loss: "lf-forward", verify: "lf-forward",
  backward: "lf-backward", gradient: "lf-backward", update: "lf-parameter",
};
const TITLES = ["", "formula", "numbers", "value"];

// ---- the lines

/** A formula as elements: keys as `leaf` draws them, the signs between them as text. */
function formula(expression, textOf, leaf) {
  const parts = write(expression, textOf);
  return parts.map((part) => (typeof part === "string" ? pretty(part) : leaf(part)));
}

/** The comparison with a central difference: a sign, the number, and words where there is room. */
function verdict(claimed, slope, digits) {
  const good = agrees(claimed, slope);
  const said = good ? "the finite difference agrees: " : "but the finite difference is ";
  const words = h("span", { class: "lf-words" }, said);
  const number = h("b", {}, pretty(fixed(slope, digits)));
  const className = good ? "lf-check" : "lf-check lf-wrong";
  return h("span", { class: className }, good ? "\u2713 " : "\u2717 ", words, number);
}

/** symbol = formula = numbers = value; the numbers are left out where they are the value. */
function cells(line, scene, digits, colourOf) {
  const { key, expression, bent } = line;
  const number = ({ key: name, text }) =>
    h("span", { class: `lf-read ${colourOf(name)}`, "data-key": name }, pretty(text));
  const parts = write(expression, scene.text).map((part) => part.text ?? part);
  const alone = parts.join("") === scene.text(key);
  const numbers = alone ? [] : ["= ", ...formula(expression, scene.text, number)];
  const tag = bent ? [h("span", { class: "lf-tag" }, "bug")] : [];
  const value = h("b", { class: colourOf(key) }, pretty(scene.text(key)));
  return [
    h("span", { class: "lf-of" }, symbol(key)),
    h("span", { class: "lf-formula" }, "= ",
      ...formula(expression, String, ({ key: name }) => symbol(name)), ...tag),
    h("span", { class: "lf-numbers" }, ...numbers),
    h("span", { class: "lf-result" }, "= ", value, offByOne(line, scene, digits) ? "*" : ""),
  ];
}

/** One line, to be pressed to make it the current one. */
function lineElement(line, scene, digits, colourOf) {
  const { key } = line;
  const slope = scene.checks.get(key);
  const check = slope === undefined ? [] : [verdict(scene.value(key), slope, digits)];
  return native("button", { type: "button", class: "lf-line", "data-line": key },
    ...cells(line, scene, digits, colourOf), ...check);
}

/** The lines of a stage; what lies behind the line reached has no numbers yet. */
function listOfLines(list, store, state, colourOf) {
  const show = (scene, { lines }, at) => {
    const rows = lines.map((i) => {
      const row = lineElement(scene.plan.lines[i], scene, state.digits, colourOf);
      const current = i === at.line;
      row.setAttribute("aria-pressed", current);
      row.addEventListener("click", () => store.set({ line: current ? -1 : i, stage: at.stage }));
      const later = at.line >= 0 && i > at.line;
      return h("li", { class: current ? "lf-current" : later && "lf-later" }, row);
    });
    const checked = lines.some((i) => scene.checks.has(scene.plan.lines[i].key));
    const titles = [...TITLES, checked ? "finite difference" : ""];
    const names = titles.map((title) => h("span", {}, title));
    const head = h("li", { class: "lf-head", "aria-hidden": "true" }, ...names);
    keepFocus(list, () => list.replaceChildren(head, ...rows));
  };
  return show;
}

/** The list is drawn anew at each change; a reader on one of its lines stays there. */
function keepFocus(list, redraw) {
  const key = list.contains(document.activeElement) ? document.activeElement.dataset.line : null;
  redraw();
  const same = [...list.querySelectorAll("button")].find(({ dataset }) => dataset.line === key);
  same?.focus({ preventScroll: true });
}

// ---- where the reader stands

/** The stage shown and the line reached; -1 stands for all lines. */
function position(store, { lines }, stages) {
  const line = Math.min(store.get("line"), lines.length - 1);
  const own = stages.findIndex((stage) => stage.lines.includes(line));
  return { line, stage: own >= 0 ? own : Math.min(store.get("stage"), stages.length - 1) };
}

/** The line to which one step back or on leads; past either end, all lines. */
function neighbour({ line, stage }, stages, count, by) {
  const first = stages[stage].lines[0];
  const next = line >= 0 ? line + by : by > 0 ? first : first - 1;
  return next >= count ? -1 : Math.max(next, -1);
}

/** The stages, and one step back or on through the lines. */
function toolbar(store, plans) {
  const stageButtons = h("div", { class: "lf-stages", role: "group", "aria-label": "Stages" });
  const move = (by) => {
    const plan = plans(store.get("bug"));
    const stages = stagesOf(plan);
    const at = position(store, plan, stages);
    store.set({ line: neighbour(at, stages, plan.lines.length, by), stage: at.stage });
  };
  const back = button("\u2190 Line back", () => move(-1));
  const on = button("Line forward \u2192", () => move(1));
  const all = button("Show all", () => {
    const plan = plans(store.get("bug"));
    store.set({ line: -1, stage: position(store, plan, stagesOf(plan)).stage });
  });
  const show = (stages, { stage, line }) => {
    if (stageButtons.childElementCount !== stages.length) {
      const choose = (i) => () => store.set({ stage: i, line: -1 });
      stageButtons.replaceChildren(...stages.map((_, i) => button("", choose(i))));
    }
    stages.forEach(({ title }, i) => {
      stageButtons.children[i].textContent = title;
      stageButtons.children[i].setAttribute("aria-pressed", i === stage);
    });
    all.disabled = line < 0;
  };
  const steps = h("div", { class: "lf-buttons" }, back, on, all);
  return { element: h("div", { class: "lf-toolbar" }, stageButtons, steps), show };
}

// ---- the drawing

const summed = (key) => key.replace(/^(new_)?a(?=\d)/, "$1z");
const PREFIXES = [[/^(new_)?z/, "z "], [/^y/, "y "], [/^(new_)?b/, "+ "]];

/** What stands in the drawing for a key: its number if the reader has come so far, else its sum. */
function drawingView({ plan, text, value }, { line }, { title }, colourOf) {
  const reached = new Map(plan.lines.map(({ key }, i) => [key, i]));
  const known = (key) => line < 0 || (reached.get(key) ?? -1) <= line;
  const current = plan.lines[line];
  const reads = current ? readsOf(current) : new Set();
  const late = /^(Update|Verify)/.test(title);
  const named = (key) => {
    const renewed = `new_${key}`;
    const choices = [...(late ? [renewed, summed(renewed)] : []), key, summed(key)];
    return choices.find((name) => plan.slots.has(name) && known(name)) ?? null;
  };
  return (key) => {
    const shown = named(key);
    if (shown === null) return { text: "", className: "", mark: "" };
    const same = [shown, summed(shown)];
    const read = same.some((name) => reads.has(name)) ? "lf-reads" : "";
    const mark = same.includes(current?.key) ? "lf-made" : read;
    const digits = Math.abs(value(shown)) < 1e6 ? text(shown) : general(value(shown), 4);
    const prefix = PREFIXES.find(([pattern]) => pattern.test(shown))?.[1] ?? "";
    return { text: prefix + pretty(digits), className: `${colourOf(shown)} ${mark}`, mark };
  };
}

/** The loss over the steps: right, and with the bug if one is on. */
function drawDescent({ losses, rightLosses, bug }, steps, width) {
  const series = bug === NO_BUG ? [rightLosses] : [rightLosses, losses];
  const finite = series.flat().filter((value) => value < 1e9);
  const top = Math.max(...finite, 1e-12) * 1.05;
  const xs = rightLosses.map((_, i) => i);
  const named = series.length > 1;
  const x = { label: "step", limits: [0, xs.length - 1] };
  const axes = plot({ x, y: { label: "loss C", limits: [0, top] }, right: named ? 80 : 16 }, width, 190);
  axes.inside.append(...series.flatMap((row, i) => [
    curve(axes, xs, row, `lf-faint lf-c${i}`), curve(axes, xs, row.slice(0, steps + 1), `lf-c${i}`),
  ]));
  const ends = series.map((row, i) => {
    const last = axes.y.at(Math.min(row.at(-1), top));
    return { text: ["right", "with bug"][i], x: axes.size.width, y: last, className: `lf-c${i}` };
  });
  const here = scatter(axes, series.map((row, i) => [steps, row[steps], i]));
  axes.above.append(here, ...(named ? endLabels(ends, axes.size) : []));
  return axes.element;
}

// ---- the whole

/** What can be moved: the given numbers, the bug, the steps taken, and where the reader stands. */
function fieldsOf({ inputs, bugs, horizon }) {
  const any = { low: -Number.MAX_VALUE, high: Number.MAX_VALUE };
  const whole = (key, low, high, value) => {
    const field = numberField({ key, low, high, value });
    return { ...field, clean: (raw) => (Number.isInteger(Number(raw)) ? field.clean(raw) : undefined) };
  };
  return [
    ...inputs.map(({ key, value }) => numberField({ key, value, ...any })),
    optionField({ key: "bug", options: [NO_BUG, ...Object.keys(bugs)], value: NO_BUG }),
    whole("steps", 0, horizon, 0),
    whole("stage", 0, 99, 0),
    whole("line", -1, 999, -1),
  ];
}

/** The button that gives the program, and the field that shows it. */
function copyButton(state, store, say) {
  const shown = native("textarea", {
    class: "lf-code", readonly: "", rows: 12, hidden: "", "aria-label": "The step in Python",
  });
  const copy = button("Copy as Python", async () => {
    shown.value = asPython(state, store);
    shown.hidden = false;
    shown.select();
    // A browser may refuse; the program stands selected in the field all the same.
    await navigator.clipboard?.writeText(shown.value).then(() => say("Copied"), () => {});
  });
  store.onChange(() => { shown.hidden = true; });
  return { copy, shown };
}

/** The bugs to choose from, and the advice on the one chosen. */
function bugChoice({ bugs }, store) {
  const names = ["none: the right gradient", ...Object.values(bugs).map(({ title }) => title)];
  const advice = h("p", { class: "lf-advice" });
  store.onChange(() => { advice.textContent = bugs[store.get("bug")]?.advice ?? ""; });
  const options = [NO_BUG, ...Object.keys(bugs)];
  const select = choice(store, { key: "bug", label: "Bug", options, names });
  return [h("div", { class: "lf-controls lf-single" }, select), advice];
}

/** How many steps of the descent have been taken. */
function stepControls({ horizon }, store) {
  const take = button("Take the step", () =>
    store.set({ steps: Math.min(store.get("steps") + 1, horizon) }));
  const steps = slider(store, { key: "steps", label: "steps taken", low: 0, high: horizon, step: 1 });
  const place = h("p", { class: "lf-advice" });
  store.onChange(() => {
    const taken = store.get("steps");
    const where = "the sliders set where the first one starts.";
    place.textContent = taken ? `Step ${taken + 1} of the descent; ${where}` : "";
  });
  return [place, h("div", { class: "lf-run" }, take, h("div", { class: "lf-controls lf-single" }, steps))];
}

function build({ state, model, el, signal }) {
  const store = createStore(model, fieldsOf(state), signal);
  const voice = announcer(signal);
  const cache = new Map();
  const plans = (bug) => cache.get(bug) ?? cache.set(bug, makePlan(state, bug)).get(bug);
  const phases = new Map(state.quantities.map(({ key, phase }) => [key, phase]));
  const colourOf = (key) => COLOURS[phases.get(key)];
  const drawing = h("div", { class: "lf-pictures", role: "group", "aria-label": state.alt });
  const descent = h("div", { class: "lf-pictures" });
  const list = h("ol", { class: "lf-lines" });
  const showLines = listOfLines(list, store, state, colourOf);
  const tools = toolbar(store, plans);
  const [place, steps] = stepControls(state, store);
  const { copy, shown } = copyButton(state, store, voice.say);
  const visible = state.inputs.filter(({ hidden }) => !hidden);
  const inputs = visible.map((input) => slider(store, input, symbol(input.key)));
  const buttons = h("div", { class: "lf-buttons" }, button("Reset", () => store.reset()), copy);
  const givens = h("div", { class: "lf-controls lf-inputs" }, ...inputs);
  el.append(h("div", { class: "lf-body" }, tools.element, drawing, place, list,
    ...bugChoice(state, store), givens, steps, descent, buttons, shown), voice.element);

  let network = null;
  const show = () => {
    const scene = compute(state, plans, store);
    const stages = stagesOf(scene.plan);
    const at = position(store, scene.plan, stages);
    tools.show(stages, at);
    showLines(scene, stages[at.stage], at);
    const { key } = scene.plan.lines[at.line] ?? { key: "new_C" };
    voice.say(`${key} = ${scene.text(key)}`);
    if (!network) return;
    network.show(drawingView(scene, at, stages[at.stage], colourOf));
    descent.replaceChildren(drawDescent(scene, store.get("steps"), descent.clientWidth));
  };
  onWidth(drawing, (width) => {
    network = drawNetwork(state.network, width);
    drawing.replaceChildren(network.element);
    show();
  }, signal);
  store.onChange(show);
}

export default live(build);
