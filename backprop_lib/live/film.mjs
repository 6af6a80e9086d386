/**
 * Recorded runs: sliders choose the run, the player walks through its frames.
 *
 * Every frame is numbers that Python recorded; the panels draw them, nothing is computed.
 */

import { button, h, native, onTheme, onWidth } from "./controls.mjs";
import { bars, curve, endLabels, label, plot, scatter, svg } from "./draw.mjs";
import { frame, legend, showReadouts } from "./figure.mjs";
import { format } from "./format.mjs";
import { colourOf, paint, underlay } from "./surface.mjs";
import { live } from "./widget.mjs";

const WIDE = 400;
const ICONS = {
  back: "M11 3L4 8L11 13zM3 3V13",
  on: "M5 3L12 8L5 13zM13 3V13",
  play: "M5 2.5L13 8L5 13.5z",
  pause: "M5 3V13M11 3V13",
};
const ONE_COLOUR = ["--lf-paper", "--lf-mid", "--lf-deep"];
const TWO_COLOURS = ["--lf-forward", "--lf-paper", "--lf-backward"];

const numbers = (list) => list.map(Number);

/** Lines over the frames: the whole run faint, the part already played in full. */
function seriesPanel({ lines, x, y }, width) {
  const named = lines.length > 1;
  const aside = named && width >= WIDE;
  const right = aside ? 20 + 7 * Math.max(...lines.map(({ length }) => length)) : 16;
  const axes = plot({ x, y, right }, width, 230);
  const below = named && !aside ? [legend(lines, { line: true })] : [];
  const show = (series, at, values) => {
    const rows = series.map(numbers);
    const whole = rows.map((row, i) => curve(axes, values, row, `lf-faint lf-c${i % 4}`));
    const played = rows.map((row, i) => curve(axes, values, row.slice(0, at + 1), `lf-c${i % 4}`));
    const points = rows.map((row, i) => [values[at], row[at], i]);
    axes.inside.replaceChildren(...whole, ...played);
    axes.above.replaceChildren(scatter(axes, points, 4), ...(aside ? namesAtEnd(rows, values) : []));
  };
  const namesAtEnd = (rows, values) => endLabels(rows.map((row, i) => {
    const height = axes.y.at(Math.min(Math.max(row.at(-1), axes.y.low), axes.y.high));
    return { text: lines[i], x: axes.x.at(values[row.length - 1]), y: height, className: `lf-c${i % 4}` };
  }), axes.size);
  return { element: axes.element, below, show };
}

/** Points and lines in the plane, those that stay and those of the frame. */
function planePanel({ x, y, points, classes, square }, width) {
  const inner = Math.min(width - 50, 380);
  const axes = plot({ x, y }, square ? inner + 50 : width, Math.round(inner * (square ? 1 : 0.62)) + 60);
  const still = scatter(axes, points);
  const show = (frames, at) => {
    const { lines = [], points: moved = [] } = frames[at];
    const drawn = lines.map(([xs, ys], i) => curve(axes, numbers(xs), numbers(ys), `lf-c${(i + 2) % 4}`));
    axes.inside.replaceChildren(still, ...drawn, scatter(axes, moved.map(numbers)));
  };
  return { element: axes.element, below: classes.length ? [legend(classes)] : [], show };
}

/** A bar for each name, its height written above it while there is room. */
function barsPanel({ labels, y, format: spec }, width) {
  const ticks = labels.map((text, i) => ({ value: i + 0.5, text }));
  const thin = Math.ceil((ticks.length * 30) / width);
  const x = { limits: [0, labels.length], ticks: ticks.filter((_, i) => i % thin === 0) };
  const axes = plot({ x, y }, width, 230);
  const slot = axes.size.width / labels.length;
  const show = (frames, at) => {
    const heights = numbers(frames[at]);
    const texts = heights.map((height) => format(height, spec));
    const fits = Math.max(...texts.map(({ length }) => length)) * 7 < slot;
    const above = (height) => Math.min(Math.max(axes.y.at(height) || 0, 4), axes.size.height) - 5;
    const write = (text, i) => label(text, (i + 0.5) * slot, above(heights[i]), "", "middle");
    const written = fits ? texts.map(write) : [];
    axes.inside.replaceChildren(bars(axes, heights));
    axes.above.replaceChildren(...written);
  };
  return { element: axes.element, below: [], show };
}

/** An axis of cells, each with its name in its middle. */
function cellAxis(label, names, flip = false) {
  const place = (i) => (flip ? names.length - 1 - i : i) + 0.5;
  const ticks = names.map((text, i) => ({ value: place(i), text }));
  return { label, limits: [0, names.length], ticks };
}

/** A matrix as shaded cells, with its numbers where asked for. */
function imagePanel(panel, width, el) {
  const { rows, columns, limits: [low, high], signed, format: spec } = panel;
  const bare = [...rows, ...columns].every((name) => name === "");
  const [beside, below] = bare ? [2, 2] : [50, 66];
  const side = Math.min((width - beside) / columns.length, 300 / rows.length);
  const spaces = { x: cellAxis(panel.x, columns), y: cellAxis(panel.y, rows, true) };
  const [across, up] = [side * columns.length + beside, side * rows.length + below];
  const axes = plot({ ...spaces, bare, clean: true }, across, up);
  const canvas = underlay(axes, "lf-sharp");
  const number = (share, value, i, j) => {
    const [h, v] = [(j + 0.5) / columns.length, (i + 0.5) / rows.length];
    const place = [h * axes.size.width, v * axes.size.height + 4];
    return label(format(value, spec), ...place, share > 0.55 ? "lf-on" : "", "middle");
  };
  const show = (frames, at) => {
    const matrix = frames[at].map(numbers);
    const shares = matrix.map((row) => row.map((value) => (value - low) / (high - low)));
    paint(canvas, shares, (signed ? TWO_COLOURS : ONE_COLOUR).map((name) => colourOf(el, name)));
    const written = matrix.flatMap((row, i) => row.map((value, j) => number(shares[i][j], value, i, j)));
    axes.inside.replaceChildren(...(spec ? written : []));
  };
  return { element: axes.element, below: [], show };
}

const PANELS = { series: seriesPanel, plane: planePanel, bars: barsPanel, image: imagePanel };

function icon(name) {
  const size = { viewBox: "0 0 16 16", width: 16, height: 16 };
  const path = svg("path", { d: ICONS[name] });
  return svg("svg", { ...size, "aria-hidden": "true", class: "lf-icon" }, path);
}

/** Advances the frame at the film's own speed until it ends, is paused or the figure goes away. */
function motor(store, length, speed, onStop, signal) {
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    onStop();
  };
  const advance = () => {
    const next = store.get("frame") + 1;
    if (next < length()) store.set({ frame: next });
    if (next >= length() - 1) stop();
  };
  signal.addEventListener("abort", () => clearInterval(timer));
  return {
    stop,
    running: () => timer !== 0,
    start() {
      if (store.get("frame") >= length() - 1) store.set({ frame: 0 });
      timer = setInterval(advance, 1000 / speed);
    },
  };
}

/** Step back, play or pause, step on, and a range over the frames. No motion where it is unwanted. */
function player({ frames, speed }, store, length, signal) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const range = native("input", { type: "range", min: 0, step: 1, "aria-label": frames.label });
  const shown = h("output", { class: "lf-value" });
  const play = button("", () => (drive.running() ? drive.stop() : (drive.start(), face())));
  const face = () => {
    play.replaceChildren(icon(drive.running() ? "pause" : "play"));
    play.setAttribute("aria-label", drive.running() ? "Pause" : "Play");
  };
  const drive = motor(store, length, speed, () => face(), signal);
  const step = (by) => {
    drive.stop();
    store.set({ frame: Math.min(Math.max(store.get("frame") + by, 0), length() - 1) });
  };
  range.addEventListener("input", () => {
    drive.stop();
    store.set({ frame: Number(range.value) });
  });
  const show = (at) => {
    range.max = length() - 1;
    range.value = at;
    shown.textContent = `${frames.label} ${frames.values[at]}`;
    range.setAttribute("aria-valuetext", shown.textContent);
  };
  face();
  const back = button("", () => step(-1), { "aria-label": "Step back" });
  const on = button("", () => step(1), { "aria-label": "Step forward" });
  back.append(icon("back"));
  on.append(icon("on"));
  const element = h("div", { class: "lf-player" }, back, ...(still ? [] : [play]), on, range, shown);
  return { element, show, stop: drive.stop, running: drive.running };
}

/** Which recorded run the sliders name: the last control turns fastest. */
function runIndex(controls, store) {
  const place = ({ key, options }) => options.indexOf(store.get(key));
  return controls.reduce((index, control) => index * control.options.length + place(control), 0);
}

function build(context) {
  const { state, signal, el } = context;
  const choices = state.controls.filter(({ key }) => key !== "frame");
  const { store, ...parts } = frame(context, { kind: "film", hidden: ["frame"] });
  const run = () => state.runs[runIndex(choices, store)];
  const length = () => run().length;
  const film = player(state, store, length, signal);
  if (state.frames.values.length > 1) parts.pictures.after(film.element);
  const values = numbers(state.frames.values);
  let panels = [];
  const show = () => {
    const { data } = run();
    const at = Math.min(store.get("frame"), length() - 1);
    film.show(at);
    showReadouts(parts, state.readouts, ({ panel, line }) => Number(data[panel][line][at]));
    panels.forEach((panel, i) => panel.show(data[i], at, values));
  };
  onWidth(parts.pictures, () => {
    const places = state.panels.map(({ title }) =>
      h("div", { class: "lf-panel" }, h("p", { class: "lf-title" }, title)));
    parts.pictures.replaceChildren(...places);
    panels = state.panels.map((panel, i) => PANELS[panel.kind](panel, places[i].clientWidth, el));
    panels.forEach(({ element, below }, i) => places[i].append(element, ...below));
    show();
  }, signal);
  onTheme(show, signal);
  store.onChange(show);
}

export default live(build);
