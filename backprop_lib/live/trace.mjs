/**
 * A hand trace, evaluated: one gradient step, the steps after it, and what checks its gradients.
 *
 * All that is computed here is the value of the expressions that Python exported, and central
 * differences of the loss; the rules of backpropagation are in those expressions.
 */

import { compile, program } from "./expression.mjs";
import { fixed, general } from "./format.mjs";
import { write } from "./write.mjs";

const H = 1e-5;
export const NO_BUG = "none";

/** The step's lines in order of computation, with one bug or without, ready to run. */
export function makePlan({ quantities, bugs, gradients }, bug) {
  const { expressions = {}, order } = bug === NO_BUG ? {} : bugs[bug];
  const byKey = new Map(quantities.map((quantity) => [quantity.key, quantity]));
  const keys = order ?? [...byKey.keys()];
  const given = keys.filter((key) => byKey.get(key).phase === "given");
  const lines = keys.filter((key) => byKey.get(key).phase !== "given").map((key) => {
    const line = byKey.get(key);
    const bent = Object.hasOwn(expressions, key);
    return { ...line, bent, expression: bent ? expressions[key] : line.expression };
  });
  const compiled = program(given, lines.map(({ key, expression }) => [key, expression]));
  const slot = (key) => compiled.slots.get(key);
  const moves = Object.keys(gradients).map((key) => [slot(key), slot(`new_${key}`)]);
  return { ...compiled, given, lines, moves, loss: slot("C"), reordered: Boolean(order) };
}

/** Where each stage begins: forward, loss, back through each layer, update, verify. */
export function stagesOf({ lines, reordered }) {
  const titles = { forward: "Forward", loss: "Loss", verify: "Verify" };
  const stages = [];
  lines.forEach(({ phase, layer }, i) => {
    const update = reordered ? `Update, layer ${layer}` : "Update";
    const title = titles[phase] ?? (phase === "update" ? update : `Back, layer ${layer}`);
    if (stages.at(-1)?.title === title) stages.at(-1).lines.push(i);
    else stages.push({ title, lines: [i] });
  });
  return stages;
}

/** The values of the step after `steps` others, and the loss before each step of the horizon. */
function descend({ given, values, run, moves, loss }, start, steps, horizon) {
  const v = values();
  given.forEach((key, i) => { v[i] = start(key); });
  const losses = [];
  let here = null;
  for (let step = 0; step <= horizon; step += 1) {
    run(v);
    losses.push(v[loss]);
    if (step === steps) here = v.slice();
    const renewed = moves.map(([, from]) => v[from]);
    moves.forEach(([to], i) => { v[to] = renewed[i]; });
  }
  return { values: here, losses };
}

/** The slope of the loss along one given number, by a central difference. */
function centralDifference({ slots, run, values, given, loss }, at, key) {
  const [up, down] = [H, -H].map((h) => {
    const v = values();
    given.forEach((name, i) => { v[i] = at(name); });
    v[slots.get(key)] += h;
    return run(v)[loss];
  });
  return (up - down) / (2 * H);
}

/** Whether a claimed gradient is the slope, as far as a central difference can tell. */
export function agrees(claimed, slope) {
  const scale = Math.max(Math.abs(claimed), Math.abs(slope));
  return Math.abs(claimed - slope) <= 1e-6 * scale + 1e-10;
}

/** A number as the trace's table prints it: given numbers as given, others with fixed digits. */
function printed(value, given, digits) {
  const short = given ? general(value, 15) : "e";
  const exact = !short.includes("e") && (short.split(".")[1] ?? "").length <= digits;
  return exact ? short : fixed(value, digits);
}

/** One step of the descent, ready to be read: values, texts, checks, the losses of all steps. */
export function compute({ digits, horizon, gradients }, plans, store) {
  const [bug, steps] = [store.get("bug"), store.get("steps")];
  const [plan, right] = [plans(bug), plans(NO_BUG)];
  const { values, losses } = descend(plan, store.get, steps, horizon);
  const rightLosses = bug === NO_BUG ? losses : descend(right, store.get, steps, horizon).losses;
  const value = (key) => values[plan.slots.get(key)];
  const known = [...plan.slots].map(([key, slot], i) =>
    [key, printed(values[slot], i < plan.given.length, digits)]);
  const texts = new Map(known);
  const rounded = Float64Array.from(known, ([, text]) => Number(text));
  const checks = new Map(Object.entries(gradients).map(([key, gradient]) =>
    [gradient, centralDifference(right, value, key)]));
  return { plan, value, text: (key) => texts.get(key), rounded, checks, losses, rightLosses, bug };
}

/** Whether working a line out from its printed digits would end in another last digit. */
export function offByOne({ expression, key }, { plan, text, rounded }, digits) {
  return fixed(compile(expression, plan.slots)(rounded), digits) !== text(key);
}

/** The keys that a line reads. */
export function readsOf({ expression }) {
  return new Set(write(expression, String).flatMap(({ key }) => key ?? []));
}

/** The step as a program that a reader can run: the same numbers from the library itself. */
export function asPython({ network, digits }, store) {
  const { sizes, activations, loss, biases } = network;
  const float = (key) => {
    const text = String(store.get(key));
    return /[.e]/.test(text) ? text : `${text}.0`;
  };
  const list = (count, each) => `[${Array.from({ length: count }, (_, i) => each(i + 1)).join(", ")}]`;
  const row = (l, j) => list(sizes[l - 1], (i) => float(`w${l}[${j},${i}]`));
  const layers = sizes.length - 1;
  const W = list(layers, (l) => list(sizes[l], (j) => row(l, j)));
  const b = list(layers, (l) => list(sizes[l], (j) => float(`b${l}[${j}]`)));
  const names = ["MLP", "Params", ...new Set([...activations, loss]), "trace_step"];
  const tuple = (items) => `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
  const extra = biases === "each" ? "" : `, biases="${biases}"`;
  const [bug, steps] = [store.get("bug"), store.get("steps")];
  return [
    "import numpy as np",
    `from backprop_lib import ${names.join(", ")}`,
    "",
    `mlp = MLP(${tuple(sizes)}, ${tuple(activations)})`,
    `params = Params.of(W=${W}, b=${b})`,
    `x = np.array([${list(sizes[0], (i) => float(`x[${i}]`))}])`,
    `y = np.array([${list(sizes[layers], (k) => float(`y[${k}]`))}])`,
    `trace = trace_step(mlp, params, x, y, ${loss}, learning_rate=${float("eta")}${extra})`,
    ...(bug === NO_BUG ? [] : [`trace = trace.with_bug("${bug}")`]),
    ...(steps ? [`for _ in range(${steps}):`, "    trace = trace.next()"] : []),
    `print(trace.table(digits=${digits}))`,
    "",
  ].join("\n");
}
