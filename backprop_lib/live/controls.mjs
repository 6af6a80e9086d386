/**
 * What a reader can move, and where the moved values are kept.
 *
 * Every control is a native element with a visible label, so that keyboards and screen readers
 * work without further code. Text enters the page as text, never as markup.
 */

import { general } from "./format.mjs";

/** An element with attributes and children; strings become text nodes. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A native control. JupyterLab would take its arrow keys for cell shortcuts without the mark. */
export function native(tag, attributes, ...children) {
  return h(tag, { "data-lm-suppress-shortcuts": "true", ...attributes }, ...children);
}

/**
 * The moved values of a figure, shared with the model (the page's address, or a live kernel).
 *
 * A field is {key, initial, clean}; `clean` turns what came from outside into a valid value or
 * undefined. Only values that differ from the initial ones are stored.
 */
export function createStore(model, fields, signal) {
  const current = new Map();
  const listeners = new Set();
  const moved = () => {
    const differing = fields.filter(({ key, initial }) => current.get(key) !== initial);
    return Object.fromEntries(differing.map(({ key }) => [key, current.get(key)]));
  };
  const read = () => {
    const outside = model.get("values") ?? {};
    for (const { key, initial, clean } of fields) {
      const value = Object.hasOwn(outside, key) ? clean(outside[key]) : undefined;
      current.set(key, value ?? initial);
    }
  };
  const tell = () => listeners.forEach((listener) => listener());
  const save = () => {
    model.set("values", moved());
    model.save_changes();
    tell();
  };
  const reread = () => {
    const before = JSON.stringify(moved());
    read();
    if (JSON.stringify(moved()) !== before) tell();
  };
  read();
  model.on("change:values", reread);
  signal?.addEventListener("abort", () => model.off("change:values", reread));
  return {
    get: (key) => current.get(key),
    field: (key) => fields.find((field) => field.key === key),
    set(changes) {
      for (const [key, value] of Object.entries(changes)) current.set(key, value);
      save();
    },
    reset() {
      for (const { key, initial } of fields) current.set(key, initial);
      save();
    },
    onChange(listener) {
      listeners.add(listener);
      listener();
    },
  };
}

/** A number between two limits. */
export function numberField({ key, low, high, value }) {
  const clean = (raw) => {
    const number = raw === "" || raw === null ? NaN : Number(raw);
    return number >= low && number <= high ? number : undefined;
  };
  return { key, initial: value, clean };
}

/** One value of a list. */
export function optionField({ key, options, value }) {
  const clean = (raw) => options.find((option) => String(option) === String(raw));
  return { key, initial: value, clean };
}

/** The nearest multiple of `step` above `low`, without binary crumbs, inside the limits. */
export function snap(value, { low, high, step }) {
  const onStep = Number((low + Math.round((value - low) / step) * step).toPrecision(12));
  return Math.min(high, Math.max(low, onStep));
}

/**
 * A range and a number field with one visible label; the two always agree.
 *
 * `written` is the label as elements, where text alone cannot hold it.
 */
export function slider(store, field, written = field.label) {
  const { key, label, low, high, step } = field;
  const range = native("input", { type: "range", min: low, max: high, step });
  const number = native("input", { type: "number", step, "aria-label": `${label}, exact` });
  const { clean } = store.field(key);
  const take = (raw) => {
    const value = clean(raw);
    number.setAttribute("aria-invalid", value === undefined);
    if (value !== undefined) store.set({ [key]: value });
  };
  const show = () => {
    const text = String(store.get(key));
    range.value = text;
    if (document.activeElement !== number || clean(number.value) !== store.get(key)) {
      number.value = text;
    }
  };
  range.addEventListener("input", () => take(range.value));
  number.addEventListener("input", () => take(number.value));
  number.addEventListener("change", () => {
    number.setAttribute("aria-invalid", "false");
    number.value = String(store.get(key));
  });
  store.onChange(show);
  const named = h("label", {}, h("span", {}, written), range);
  return h("div", { class: "lf-slider" }, named, number);
}

/** A range over a list of values; the value itself is written beside it. */
export function listSlider(store, { key, label, options }) {
  const range = native("input", { type: "range", min: 0, max: options.length - 1, step: 1 });
  const shown = h("output", { class: "lf-value" });
  range.addEventListener("input", () => store.set({ [key]: options[Number(range.value)] }));
  store.onChange(() => {
    const text = general(store.get(key), 6);
    range.value = String(options.indexOf(store.get(key)));
    range.setAttribute("aria-valuetext", text);
    shown.textContent = text;
  });
  const named = h("label", {}, h("span", {}, label), range);
  return h("div", { class: "lf-slider" }, named, shown);
}

/** A drop-down list of named options. */
export function choice(store, { key, label, options, names = options }) {
  const items = options.map((option, i) => h("option", { value: i }, String(names[i])));
  const select = native("select", {}, ...items);
  select.addEventListener("change", () => store.set({ [key]: options[select.selectedIndex] }));
  store.onChange(() => {
    select.selectedIndex = options.indexOf(store.get(key));
  });
  return h("div", { class: "lf-choice" }, h("label", {}, h("span", {}, label), select));
}

/** A button. */
export function button(text, onClick, attributes = {}) {
  const element = native("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", onClick);
  return element;
}

/** Named numbers in a row: the texts change, the layout stays. */
export function readouts(labels) {
  const cells = labels.map(() => h("dd"));
  const pairs = labels.map((label, i) => h("div", {}, h("dt", {}, label), cells[i]));
  const list = h("dl", { class: "lf-readouts" }, ...pairs);
  const show = (texts) => cells.forEach((cell, i) => { cell.textContent = texts[i]; });
  return { list, show };
}

/** Tells a screen reader the outcome once the reader has stopped moving things. */
export function announcer(signal) {
  const element = h("output", { class: "lf-unseen", "aria-live": "polite" });
  let timer = 0;
  signal?.addEventListener("abort", () => clearTimeout(timer));
  const say = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { element.textContent = text; }, 500);
  };
  return { element, say };
}

/** Calls `draw(width)` now, if the element is in a page, and whenever its width changes. */
export function onWidth(element, draw, signal) {
  let last = 0;
  const measure = () => {
    const width = Math.round(element.clientWidth);
    if (width && width !== last) draw((last = width));
  };
  measure();
  const observer = new ResizeObserver(measure);
  observer.observe(element);
  signal?.addEventListener("abort", () => observer.disconnect());
}

/** Calls `draw()` whenever the page turns light or dark. */
export function onTheme(draw, signal) {
  const options = { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light"] };
  const observer = new MutationObserver(draw);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, options);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw, { signal });
  signal?.addEventListener("abort", () => observer.disconnect());
}
