/**
 * What every kind of live figure shares: the frame, the controls, the computed quantities.
 */

import { program } from "./expression.mjs";
import { format } from "./format.mjs";
import { svg, marker } from "./draw.mjs";
import {
  announcer, button, choice, createStore, h, listSlider, numberField, optionField, readouts, slider,
} from "./controls.mjs";

/** What the store must know of a control: a number between limits, or one of a list. */
function fieldOf(control) {
  return control.options ? optionField(control) : numberField(control);
}

/** The element for a control: numbers slide, names are chosen from a list. */
function controlFor(store, control) {
  if (!control.options) return slider(store, control);
  const numeric = control.options.every((option) => typeof option === "number");
  return numeric ? listSlider(store, control) : choice(store, control);
}

/**
 * The frame: pictures, controls, readouts, a reset button and what screen readers hear.
 *
 * `hidden` names controls that are moved in the picture and have no element of their own;
 * `beside` puts the controls beside the picture where there is room.
 */
export function frame({ state, model, el, signal }, { kind, hidden = [], beside = false }) {
  const { controls, readouts: specs, alt } = state;
  const store = createStore(model, controls.map(fieldOf), signal);
  const voice = announcer(signal);
  const numbers = readouts(specs.map(({ label }) => label));
  const pictures = h("div", { class: `lf-pictures lf-kind-${kind}`, role: "group", "aria-label": alt });
  const visible = controls.filter(({ key }) => !hidden.includes(key));
  const rows = h("div", { class: "lf-controls" }, ...visible.map((control) => controlFor(store, control)));
  const buttons = h("div", { class: "lf-buttons" }, button("Reset", () => store.reset()));
  const side = h("div", { class: "lf-side" }, rows, numbers.list, buttons);
  el.append(h("div", { class: beside ? "lf-body lf-beside" : "lf-body" }, pictures, side), voice.element);
  return { store, pictures, buttons, numbers, voice };
}

/**
 * The quantities of a figure: its definitions over the numeric controls and the `free` keys,
 * with the alternative expressions that chosen options bring.
 *
 * The result makes workers: {slots, v, set(key, number), run(), get(key)}, each with values of
 * its own, so that one may sweep over a picture while another holds what the reader points at.
 */
export function quantities({ controls, definitions }, store, free = []) {
  const numeric = controls.filter(({ value }) => typeof value === "number").map(({ key }) => key);
  const keys = [...new Set([...numeric, ...free])];
  const switches = controls.filter(({ alternatives }) => alternatives);
  const programs = new Map();
  const compiled = () => {
    const chosen = switches.map(({ key, alternatives }) => alternatives[store.get(key)]);
    const name = JSON.stringify(chosen);
    if (!programs.has(name)) programs.set(name, program(keys, definitions, Object.assign({}, ...chosen)));
    return programs.get(name);
  };
  return () => {
    const { slots, values, run } = compiled();
    const v = values();
    for (const key of numeric) v[slots.get(key)] = store.get(key);
    return {
      slots,
      v,
      set: (key, value) => { v[slots.get(key)] = value; },
      run: () => run(v),
      get: (key) => v[slots.get(key)],
    };
  };
}

/** Writes the readouts and tells a screen reader about them, once things have come to rest. */
export function showReadouts({ numbers, voice }, specs, valueOf) {
  const texts = specs.map((spec) => format(valueOf(spec), spec.format));
  numbers.show(texts);
  voice.say(specs.map(({ label }, i) => `${label} ${texts[i]}`).join(", "));
}

/** The key to a picture: names with a sample of the marker, of the line, or of both. */
export function legend(names, { line = false, dot = true } = {}) {
  const sample = (i) => svg("svg", { viewBox: "0 0 28 14", width: 28, height: 14, "aria-hidden": "true" },
    ...(line ? [svg("path", { d: "M1 7H27", class: `lf-curve lf-c${i % 4}` })] : []),
    ...(dot ? [marker(i, 14, 7, line ? 3 : 4.5)] : []));
  return h("ul", { class: "lf-legend" }, ...names.map((name, i) => h("li", {}, sample(i), name)));
}
