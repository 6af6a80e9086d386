/** Curves of one variable: sliders change them, a point moves along them. */

import { onWidth, snap } from "./controls.mjs";
import { curve, endLabels, marker, plot, svg } from "./draw.mjs";
import { frame, legend, quantities, showReadouts } from "./figure.mjs";
import { handle, pressToMove } from "./handle.mjs";
import { live } from "./widget.mjs";

const SAMPLES = 240;
const NARROW = 480;

/** Where curves are drawn: at the table's own places, or evenly spread along the axis. */
function places({ table, x }) {
  if (table) return table.map(Number);
  const [low, high] = x.limits;
  return Array.from({ length: SAMPLES + 1 }, (_, i) => {
    const share = i / SAMPLES;
    return x.log ? low * (high / low) ** share : low + (high - low) * share;
  });
}

/** Each curve's heights at the places, from its table or from the definitions. */
function heights({ curves, point }, xs, worker) {
  const computed = curves.map(({ table }) => (table ? table.map(Number) : []));
  const open = curves.flatMap(({ table, key }, i) => (table ? [] : [[i, worker.slots.get(key)]]));
  for (const x of open.length ? xs : []) {
    worker.set(point, x);
    const v = worker.run();
    for (const [i, slot] of open) computed[i].push(v[slot]);
  }
  return computed;
}

/** What stands at the point: its place, each curve's height there, any quantity by key. */
function standing({ curves, point }, store, xs, ys, worker) {
  const x = store.get(point);
  worker.set(point, x);
  worker.run();
  const row = xs.indexOf(x);
  const own = curves.map(({ table, key }, i) => (table ? ys[i][row] : worker.get(key)));
  return { x, ys: own, get: worker.get };
}

const within = (value, { low, high }) => Math.min(Math.max(value, low), high);

function drawLines(axes, { curves }, xs, ys, here) {
  const lines = ys.map((values, i) => curve(axes, xs, values, `lf-c${i % 4}`));
  const ends = [axes.x.low, axes.x.high];
  const tangents = curves.flatMap(({ tangent }, i) => {
    const along = (x) => here.ys[i] + here.get(tangent) * (x - here.x);
    return tangent ? [curve(axes, ends, ends.map(along), `lf-thin lf-c${i % 4}`)] : [];
  });
  const drop = svg("path", { d: `M${axes.x.at(here.x)} 0V${axes.size.height}`, class: "lf-drop" });
  const dots = here.ys.flatMap((value, i) => {
    const height = axes.y.at(value);
    return Math.abs(height) < 1e5 ? [marker(i, axes.x.at(here.x), height)] : [];
  });
  axes.inside.replaceChildren(drop, ...tangents, ...lines, ...dots);
}

/** The names at the curves' right ends. */
function names(axes, { curves }, ys) {
  return endLabels(curves.map(({ label }, i) => {
    const last = ys[i].filter(Number.isFinite).at(-1) ?? NaN;
    const height = axes.y.at(within(last, axes.y));
    return { text: label, x: axes.size.width, y: height, className: `lf-c${i % 4}` };
  }), axes.size);
}

/** A point that moves sideways only; on a list of places it goes from one to the next. */
function sideways(axes, { point }, store, control) {
  const { options, label: name, step } = control;
  const distance = (option, x) => Math.abs(axes.x.at(option) - axes.x.at(x));
  const nearest = (x) => options.reduce((a, b) => (distance(b, x) < distance(a, x) ? b : a));
  const move = (x) => store.set({ [point]: options ? nearest(x) : snap(x, control) });
  const nudge = (by) => {
    const here = store.get(point);
    if (!options) return move(here + by * step);
    const next = within(options.indexOf(here) + by, { low: 0, high: options.length - 1 });
    return store.set({ [point]: options[next] });
  };
  return handle(axes, { name: `${name}, point`, move, nudge });
}

function build(context) {
  const { state, signal } = context;
  const { store, ...parts } = frame(context, { kind: "curve" });
  const xs = places(state);
  const workerFor = quantities(state, store, [state.point]);
  const control = state.controls.find(({ key }) => key === state.point);
  let draw = () => {};
  const show = () => {
    const worker = workerFor();
    const ys = heights(state, xs, worker);
    const here = standing(state, store, xs, ys, worker);
    showReadouts(parts, state.readouts, ({ key, curve: i }) => (i === null ? here.get(key) : here.ys[i]));
    draw(ys, here);
  };
  onWidth(parts.pictures, (width) => {
    const labels = state.curves.map(({ label }) => label);
    const wide = width >= NARROW;
    const right = wide ? 20 + 7 * Math.max(...labels.map(({ length }) => length)) : 14;
    const axes = plot({ ...state, right }, width, wide ? 340 : 270);
    const tags = svg("g");
    axes.above.append(tags);
    const grip = sideways(axes, state, store, control);
    pressToMove(axes, [grip]);
    const below = wide ? [] : [legend(labels, { line: true, dot: false })];
    parts.pictures.replaceChildren(axes.element, ...below);
    draw = (ys, here) => {
      drawLines(axes, state, xs, ys, here);
      if (wide) tags.replaceChildren(...names(axes, state, ys));
      const height = within(here.ys[0], axes.y);
      grip.place(here.x, Number.isFinite(height) ? height : axes.y.low);
    };
    show();
  }, signal);
  store.onChange(show);
}

export default live(build);
