/**
 * The circuit stepper: a computation graph whose inputs move, walked one line at a time.
 *
 * Values stand above the wires, gradients below them. Every line is an expression that Python
 * wrote, the gradients' lines too; this module only evaluates and draws them.
 */

import {
  announcer, button, choice, createStore, h, numberField, onWidth, optionField, slider,
} from "./controls.mjs";
import { label, svg } from "./draw.mjs";
import { program } from "./expression.mjs";
import { general } from "./format.mjs";
import { wireTexts } from "./network.mjs";
import { live } from "./widget.mjs";
import { pretty, write } from "./write.mjs";

const WIDE = 560;
const BOX = { width: 46, height: 34 };
const TAIL = 58;
const TWINS_APART = 20;
const DRAWN_DIGITS = 4;
const FIRST = "Every value is there. The next step goes backwards.";
const NOT_YET = "A gradient needs the values: step forward to the output first.";
const DONE = "Every gradient is there. Move an input, or start again.";
const NONE = "Only the inputs are known. Step forward.";

// ---- the drawing

/** Where every box stands: columns from left to right, or from top to bottom on a narrow page. */
function layout(boxes, width) {
  const wide = width >= WIDE;
  const most = (i) => Math.max(1, ...boxes.map(({ place }) => place[i]));
  const [columns, rows] = [most(0), most(1)];
  const along = wide ? (width - BOX.width - TAIL - 4) / columns : 116;
  const apart = wide ? 84 : (width - 2 * BOX.width - 40) / rows;
  const place = ([column, row]) => (wide
    ? { x: BOX.width / 2 + 2 + column * along, y: 46 + row * apart }
    : { x: BOX.width + 20 + row * apart, y: 24 + column * along });
  const height = wide ? 46 + rows * apart + 52 : 24 + columns * along + TAIL + 24;
  return { place, wide, height };
}

/** A point on the edge of a box, on the straight line to another point. */
function edge(from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const share = Math.min(BOX.width / 2 / Math.abs(dx || 1e-9), BOX.height / 2 / Math.abs(dy || 1e-9));
  return { x: from.x + share * dx, y: from.y + share * dy };
}

const shifted = ({ x, y }, dx, dy) => ({ x: x + dx, y: y + dy });

/** How far a wire bends: only where two join the same boxes, as in a product of x with itself. */
function bendOf(wires, i) {
  const twin = wires.findIndex(({ from, to }, j) => j !== i && from === wires[i].from && to === wires[i].to);
  if (twin < 0) return 0;
  return i < twin ? -TWINS_APART : TWINS_APART;
}

/** Where a fork's total stands: below its box, or beside it, on the side where there is room. */
function totalLabel(x, y, wide, inner) {
  const edgeX = x + (inner * BOX.width) / 2;
  if (!wide) return label("", edgeX + 5 * inner, y + 14, "", inner > 0 ? "start" : "end");
  const first = x < BOX.width;
  return label("", first ? 2 : x, y + 33, "", first ? "start" : "middle");
}

/** A box with its sign or name inside, its name and, at a fork, its total beside it. */
function boxParts({ key, sign, total }, { x, y }, wide, inner) {
  const corner = { x: x - BOX.width / 2, y: y - BOX.height / 2 };
  const frame = svg("rect", { ...corner, ...BOX, rx: sign ? 17 : 4, class: "lf-unit" });
  const inside = label(sign || key, x, y + 5, "lf-title", "middle");
  const side = x - BOX.width / 2 - 5;
  const name = wide ? label(key, x, y - 23, "lf-title", "middle") : label(key, side, y - 8, "lf-title", "end");
  const sum = totalLabel(x, y, wide, inner);
  return { frame, texts: sign ? [inside, name] : [inside], sum: total ? sum : null };
}

/** Draws a circuit; the result's `show(view)` writes the numbers and marks what a line is about. */
function drawCircuit({ boxes, wires }, output, width) {
  const { place, wide, height } = layout(boxes, width);
  const at = new Map(boxes.map(({ key, place: own }) => [key, place(own)]));
  const numbers = [];
  const marks = [];
  const parts = { wires: [], boxes: [], texts: [] };
  const wire = (start, end, keys, name, bend = 0) => {
    const [dx, dy] = wide ? [0, bend] : [bend, 0];
    const middle = `${(start.x + end.x) / 2 + 2 * dx} ${(start.y + end.y) / 2 + 2 * dy}`;
    const line = svg("path", { d: `M${start.x} ${start.y}Q${middle} ${end.x} ${end.y}` });
    const slots = wireTexts(shifted(start, dx, dy), shifted(end, dx, dy), wide);
    slots.forEach((slot, i) => numbers.push([slot, keys[i], i ? "lf-backward" : "lf-forward", ""]));
    marks.push([line, "lf-wire", name]);
    parts.wires.push(line);
    parts.texts.push(...slots);
  };
  wires.forEach(({ from, to, gradient }, i) => {
    const [a, b] = [at.get(from), at.get(to)];
    wire(edge(a, b), edge(b, a), [from, gradient], `wire ${i}`, bendOf(wires, i));
  });
  const last = at.get(output);
  const [dx, dy] = wide ? [1, 0] : [0, 1];
  const start = { x: last.x + (dx * BOX.width) / 2, y: last.y + (dy * BOX.height) / 2 };
  wire(start, { x: start.x + dx * TAIL, y: start.y + dy * TAIL }, [output, `d:${output}`], "tail");
  for (const box of boxes) {
    const { frame, texts, sum } = boxParts(box, at.get(box.key), wide, at.get(box.key).x < width / 2 ? 1 : -1);
    parts.boxes.push(frame);
    parts.texts.push(...texts, ...(sum ? [sum] : []));
    marks.push([frame, "lf-unit", `box ${box.key}`]);
    if (sum) numbers.push([sum, box.total, "lf-backward", "\u03a3 "]);
  }
  const size = { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" };
  const element = svg("svg", size, ...parts.wires, ...parts.boxes, ...parts.texts);
  const show = ({ textOf, markOf }) => {
    for (const [slot, key, className, before] of numbers) {
      const text = textOf(key);
      slot.textContent = text === "" ? "" : before + text;
      slot.setAttribute("class", `lf-label lf-number ${className}`);
    }
    for (const [shape, className, name] of marks) {
      shape.setAttribute("class", `${className} ${markOf(name)}`);
    }
  };
  return { element, show };
}

/** Which shapes the current line is about: what it makes and what it reads. */
function marksOf(circuit, line, output) {
  if (!line) return () => "";
  const made = line.wire === null ? `box ${line.node}` : `wire ${line.wire}`;
  const forward = line.phase === "forward";
  const incoming = circuit.wires.map(({ to }, i) => [to, `wire ${i}`]).filter(([to]) => to === line.node);
  const leaving = circuit.wires.map(({ from }, i) => [from, `wire ${i}`]).filter(([from]) => from === line.node);
  const target = line.wire === null ? null : `box ${circuit.wires[line.wire].to}`;
  const around = (forward ? incoming : leaving).map(([, name]) => name);
  const read = new Set(line.wire === null ? around : [target]);
  if (!forward && line.wire === null && line.node === output) read.add("tail");
  return (name) => (name === made ? "lf-made" : read.has(name) ? "lf-reads" : "");
}

// ---- the lines

/** What has been computed for one circuit, and how to write it. */
function sceneOf(state, store, programs) {
  const index = state.titles.indexOf(store.get("circuit"));
  const circuit = state.circuits[index];
  const { lines, inputs } = circuit;
  const { slots, values, run } = programs(index);
  const v = values();
  for (const { key } of inputs) v[slots.get(key)] = store.get(`${index}.${key}`);
  run(v);
  const step = Math.min(store.get("step"), lines.length);
  const symbols = new Map(lines.map(({ key, symbol }) => [key, symbol]));
  const known = new Set([...inputs, ...lines.slice(0, step)].map(({ key }) => key));
  const ahead = lines.filter(({ phase }) => phase === "forward").length;
  return {
    index, circuit, step, ahead, known,
    output: lines[ahead - 1].key,
    symbol: (key) => symbols.get(key) ?? key,
    text: (key, digits = state.digits) => general(v[slots.get(key)], digits),
  };
}

/** A formula as one text; `textOf(key)` says what stands for a key. */
function formula(expression, textOf) {
  return pretty(write(expression, textOf).map((part) => part.text ?? part).join(""));
}

/** symbol = formula = numbers = value, what would stand there twice left out. */
function partsOf({ key, expression, written }, { symbol, text }) {
  const tree = written ?? expression;
  const parts = [formula(tree, symbol), formula(tree, (name) => text(name)), pretty(text(key))];
  return [symbol(key), ...parts.filter((part, i) => part !== parts[i - 1])];
}

/** The lines reached so far; the last one is the current one. */
function listed({ circuit, step, ...scene }) {
  return circuit.lines.slice(0, step).map((line, i) => {
    const [first, ...rest] = partsOf(line, scene);
    const colour = line.phase === "forward" ? "lf-forward" : "lf-backward";
    const value = h("b", { class: colour }, rest.pop());
    const middle = rest.map((part) => `= ${part} `).join("");
    const equation = h("span", {}, h("i", {}, first), ` ${middle}= `, value);
    const rule = h("span", { class: "lf-rule" }, line.rule);
    return h("li", { class: i === step - 1 && "lf-current", "data-line": line.key }, equation, rule);
  });
}

function statusOf({ circuit, step, ahead, ...scene }) {
  if (!step) return NONE;
  const line = circuit.lines[step - 1];
  const end = step === ahead ? FIRST : step === circuit.lines.length ? DONE : "";
  const said = [partsOf(line, scene).join(" = "), line.rule].filter(Boolean).join(": ");
  return `${said}. ${end}`.trim();
}

// ---- the whole

/** What can be moved: the circuit, the lines taken, and the inputs of every circuit. */
function fieldsOf({ titles, circuits }) {
  const step = numberField({ key: "step", low: 0, high: 999, value: 0 });
  const whole = (raw) => (Number.isInteger(Number(raw)) ? step.clean(raw) : undefined);
  const inputs = circuits.flatMap((circuit, i) =>
    circuit.inputs.map((input) => numberField({ ...input, key: `${i}.${input.key}` })));
  const which = optionField({ key: "circuit", options: titles, value: titles[0] });
  return [which, { ...step, clean: whole }, ...inputs];
}

/** One program a circuit, compiled when it is first shown. */
function compiled({ circuits }) {
  const cache = new Map();
  return (index) => {
    if (!cache.has(index)) {
      const { inputs, lines } = circuits[index];
      const definitions = lines.map(({ key, expression }) => [key, expression]);
      cache.set(index, program(inputs.map(({ key }) => key), definitions));
    }
    return cache.get(index);
  };
}

/** The buttons; one that cannot go on says why instead of falling silent. */
function stepButtons(store, scene, say) {
  const to = (step) => store.set({ step });
  const forward = () => {
    const { step, ahead, circuit } = scene();
    if (step < ahead) to(step + 1);
    else say(step === circuit.lines.length ? DONE : FIRST);
  };
  const backward = () => {
    const { step, ahead, circuit } = scene();
    if (step < ahead) say(NOT_YET);
    else if (step < circuit.lines.length) to(step + 1);
    else say(DONE);
  };
  return h("div", { class: "lf-buttons" },
    button("Step forward \u2192", forward),
    button("\u2190 Step back", backward),
    button("Undo", () => to(Math.max(scene().step - 1, 0))),
    button("All", () => to(scene().circuit.lines.length)),
    button("Reset", () => store.reset()));
}

/** The sliders of the circuit shown; those of the others wait. */
function inputGroups({ circuits }, store) {
  const groups = circuits.map(({ inputs }, i) => h("div", { class: "lf-controls" },
    ...inputs.map((input) => slider(store, { ...input, key: `${i}.${input.key}` }))));
  const show = (index) => groups.forEach((group, i) => { group.hidden = i !== index; });
  return { groups, show };
}

function build({ state, model, el, signal }) {
  const { titles } = state;
  const store = createStore(model, fieldsOf(state), signal);
  const voice = announcer(signal);
  const programs = compiled(state);
  const scene = () => sceneOf(state, store, programs);
  const status = h("p", { class: "lf-advice lf-status" });
  const say = (text) => {
    status.textContent = text;
    voice.say(text);
  };
  const drawing = h("div", { class: "lf-pictures", role: "group", "aria-label": state.alt });
  const list = h("ol", { class: "lf-steps", "aria-label": "Lines so far" });
  const { groups, show: showInputs } = inputGroups(state, store);
  const which = choice(store, { key: "circuit", label: "Circuit", options: titles });
  el.append(h("div", { class: "lf-body" }, h("div", { class: "lf-controls lf-single" }, which),
    drawing, stepButtons(store, scene, say), status, ...groups, list), voice.element);

  let drawn = null;
  let shown = store.get("circuit");
  const draw = () => {
    const now = scene();
    const width = drawing.clientWidth;
    if (!width) return;
    if (drawn?.index !== now.index || drawn.width !== width) {
      drawn = { index: now.index, width, ...drawCircuit(now.circuit, now.output, width) };
      drawing.replaceChildren(drawn.element);
    }
    const textOf = (key) => (now.known.has(key) ? pretty(now.text(key, DRAWN_DIGITS)) : "");
    drawn.show({ textOf, markOf: marksOf(now.circuit, now.circuit.lines[now.step - 1], now.output) });
  };
  store.onChange(() => {
    if (store.get("circuit") !== shown) {
      shown = store.get("circuit");
      store.set({ step: 0 }); // another circuit starts at its beginning, and calls this again
      return;
    }
    const now = scene();
    showInputs(now.index);
    list.replaceChildren(...listed(now));
    say(statusOf(now));
    draw();
  });
  onWidth(drawing, draw, signal);
}

export default live(build);
