/**
 * Points in the plane, a shaded surface with its boundary, paths of repeated steps.
 *
 * The surface, the readouts and the steps are Python's expressions over the two coordinates,
 * the controls and, in averages over the points, the target.
 */

import { onTheme, onWidth, snap } from "./controls.mjs";
import { curve, plot, scatter } from "./draw.mjs";
import { frame, legend, quantities, showReadouts } from "./figure.mjs";
import { handle, pressToMove } from "./handle.mjs";
import { colourOf, contour, paint, underlay } from "./surface.mjs";
import { live } from "./widget.mjs";

const CELLS = 60;
const RAMPS = {
  probability: ["--lf-low", "--lf-paper", "--lf-high"],
  height: ["--lf-paper", "--lf-mid", "--lf-deep"],
};

/** The surface's values on a square grid, first row on top. */
function grid({ surface, x, y, coordinates }, worker) {
  const [across, up, out] = [...coordinates, surface.key].map((key) => worker.slots.get(key));
  const along = ([low, high], i) => low + ((high - low) * i) / CELLS;
  const steps = Array.from({ length: CELLS + 1 }, (_, i) => i);
  return steps.map((i) => {
    worker.v[up] = along(y.limits, CELLS - i);
    return steps.map((j) => {
      worker.v[across] = along(x.limits, j);
      return worker.run()[out];
    });
  });
}

/** Paints the surface under the axes and returns its lines of equal height. */
function shade({ surface }, rows, axes, canvas, el) {
  const { levels, limits: [low, high], ramp } = surface;
  const colours = RAMPS[ramp].map((name) => colourOf(el, name));
  // A pixel stands for the cell between four corners.
  const mean = (i, j) => (rows[i][j] + rows[i][j + 1] + rows[i + 1][j] + rows[i + 1][j + 1]) / 4;
  const share = (value) => (value - low) / (high - low);
  const cells = rows.slice(1).map((row, i) => row.slice(1).map((_, j) => share(mean(i, j))));
  paint(canvas, cells, colours);
  return levels.map((level) => contour(rows, level, axes.size));
}

/** Applies a path's step again and again, from the start to the number of steps asked for. */
function walk({ start, update, steps }, coordinates, worker, count = worker.get(steps) ?? steps) {
  for (const [key, value] of Object.entries(start)) worker.set(key, value);
  const here = () => coordinates.map((key) => worker.get(key));
  const visited = [here()];
  worker.run();
  for (let i = 0; i < count; i += 1) {
    const next = update.map(([key, from]) => [key, worker.get(from)]);
    for (const [key, value] of next) worker.set(key, value);
    worker.run();
    visited.push(here());
  }
  return visited;
}

function trail(axes, visited, i) {
  const line = curve(axes, visited.map(([x]) => x), visited.map(([, y]) => y), `lf-c${i % 4}`);
  const dots = visited.length > 60 ? [] : [scatter(axes, visited.slice(1).map(([x, y]) => [x, y, i]), 2.2)];
  return [line, ...dots];
}

/** The average of a quantity over the points [x, y, target]. */
function meanOver(points, { key }, { coordinates, target }, worker) {
  const total = points.reduce((sum, [x, y, wanted]) => {
    worker.set(coordinates[0], x);
    worker.set(coordinates[1], y);
    worker.set(target, wanted);
    worker.run();
    return sum + worker.get(key);
  }, 0);
  return total / points.length;
}

/** Everything the picture and the readouts need, from what the reader has set. */
function compute(state, store, workerFor) {
  const moved = (keys) => keys.map((key) => store.get(key));
  const points = state.points.map(([x, y, group], i) => {
    const own = state.handles.find(({ point }) => point === i);
    return own ? [...moved(own.keys), group] : [x, y, group];
  });
  const probe = state.handles.find(({ point }) => point === null);
  const standing = () => {
    const worker = workerFor();
    if (probe) state.coordinates.forEach((key, i) => worker.set(key, moved(probe.keys)[i]));
    return worker;
  };
  const paths = state.paths.map((path) => {
    const worker = standing();
    return { visited: walk(path, state.coordinates, worker), worker };
  });
  const still = standing();
  still.run();
  const valueOf = (spec) => {
    if (spec.mean) return meanOver(points, spec, state, workerFor());
    return (spec.path === null ? still : paths[spec.path].worker).get(spec.key);
  };
  return { points, paths, valueOf, moved };
}

/** The things to drag, each kept inside the axes and on its step. */
function handles(axes, state, store) {
  return state.handles.map(({ name, keys, point }) => {
    const fields = keys.map((key) => state.controls.find((control) => control.key === key));
    const move = (...place) =>
      store.set(Object.fromEntries(fields.map((field, i) => [field.key, snap(place[i], field)])));
    const nudge = (...by) => move(...fields.map(({ key, step }, i) => store.get(key) + by[i] * step));
    const group = point === null ? null : state.points[point][2];
    return handle(axes, { name, move, nudge, group });
  });
}

function build(context) {
  const { state, signal, el } = context;
  const hidden = state.handles.flatMap(({ keys }) => keys);
  const parts = frame(context, { kind: "plane", hidden, beside: true });
  const memory = state.paths.flatMap(({ start }) => Object.keys(start));
  const workerFor = quantities(state, parts.store, [...state.coordinates, state.target, ...memory]);
  let draw = () => {};
  const show = () => {
    const scene = compute(state, parts.store, workerFor);
    showReadouts(parts, state.readouts, scene.valueOf);
    draw(scene);
  };
  onWidth(parts.pictures, (width) => {
    const height = Math.round(Math.min(width - 44, 460) * (state.square ? 1 : 0.75)) + 66;
    const axes = plot({ ...state, clean: Boolean(state.surface) }, Math.min(width, height * 1.6), height);
    const canvas = state.surface && underlay(axes);
    const grips = handles(axes, state, parts.store);
    pressToMove(axes, grips);
    const paths = legend(state.paths.map(({ label }) => label), { line: true });
    parts.pictures.replaceChildren(axes.element, legend(state.classes), paths);
    draw = ({ points, paths, moved }) => {
      const lines = canvas ? shade(state, grid(state, workerFor()), axes, canvas, el) : [];
      const trails = paths.flatMap(({ visited }, i) => trail(axes, visited, i));
      const still = points.filter((_, i) => !state.handles.some(({ point }) => point === i));
      axes.inside.replaceChildren(...lines, ...trails, scatter(axes, still));
      state.handles.forEach(({ keys }, i) => grips[i].place(...moved(keys)));
    };
    show();
  }, signal);
  onTheme(show, signal);
  parts.store.onChange(show);
}

export default live(build);
