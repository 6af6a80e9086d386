/**
 * Expressions as a reader sees them: the formula in symbols, the formula with numbers.
 *
 * The parentheses are those of the library's `to_text`, so a line on the page is the chapter's
 * line; only the signs differ: a raised dot for *, a true minus, a small 2 for ^2.
 */

import { h } from "./controls.mjs";
import { general } from "./format.mjs";

// How tightly an expression binds: what begins with a minus binds least.
const [SIGNED, SUM, PRODUCT, POWER, ATOM] = [0, 1, 2, 3, 4];
const NAMES = { sigmoid: "\u03c3", log: "ln" };
const GREEK = { delta: "\u03b4", eta: "\u03b7" };
const KEY = /^(new_)?(d(?=[wb]\d))?(delta|eta|[a-zC])(\d*)(?:\[([\d,]+)\])?$/;

/** True minus signs and raised dots. */
export const pretty = (text) => text.replaceAll("-", "\u2212");

const signed = ([first]) => (first.text ?? first).startsWith("-");
const grouped = ({ parts, binding }, least) => (binding >= least ? parts : ["(", ...parts, ")"]);
const between = (lists, sign) => lists.flatMap((list, i) => (i ? [sign, ...list] : list));

function sum(operator, [first, ...rest]) {
  const terms = [first.parts, ...rest.map((term) => grouped(term, PRODUCT))];
  const parts = between(terms, ` ${operator} `);
  return { parts, binding: signed(parts) ? SIGNED : SUM };
}

function product(operator, terms) {
  const parts = between(terms.map((term) => grouped(term, PRODUCT)), "\u00b7");
  return { parts, binding: PRODUCT };
}

function fraction(operator, [first, ...rest]) {
  const pieces = [grouped(first, PRODUCT), ...rest.map((term) => grouped(term, POWER))];
  return { parts: between(pieces, "/"), binding: PRODUCT };
}

const WRITERS = {
  "+": sum,
  "-": sum,
  "*": product,
  "/": fraction,
  neg: (operator, [term]) => ({ parts: ["-", ...grouped(term, PRODUCT)], binding: SIGNED }),
  square: (operator, [term]) => ({ parts: [...grouped(term, ATOM), "\u00b2"], binding: POWER }),
};

function call(operator, terms) {
  const within = between(terms.map(({ parts }) => parts), ", ");
  return { parts: [`${NAMES[operator] ?? operator}(`, ...within, ")"], binding: ATOM };
}

function written(expression, textOf) {
  if (Array.isArray(expression)) {
    const [operator, ...args] = expression;
    return (WRITERS[operator] ?? call)(operator, args.map((part) => written(part, textOf)));
  }
  const literal = typeof expression === "number";
  const text = literal ? general(expression) : textOf(expression);
  const part = literal ? text : { key: expression, text };
  return { parts: [part], binding: text.startsWith("-") ? SIGNED : ATOM };
}

/** An expression as strings and {key, text}, in reading order; `textOf(key)` says the text. */
export function write(expression, textOf) {
  return written(expression, textOf).parts;
}

/** What a key consists of: letter, layer, units, and whether it is a new value or a gradient. */
export function parseKey(key) {
  const [, renewed, gradient, letter, layer, units] = KEY.exec(key) ?? [null, "", "", key, "", ""];
  const crowded = (units ?? "").split(",").some((unit) => unit.length > 1);
  return {
    letter: (GREEK[letter] ?? letter) + (renewed ? "\u0303" : ""),
    gradient: Boolean(gradient),
    layer: layer ? `[${layer}]` : "",
    units: crowded ? units : (units ?? "").replace(",", ""),
  };
}

/** A key as it is written on the page: a letter with its layer above and its units below. */
export function symbol(key) {
  const { letter, gradient, layer, units } = parseKey(key);
  const indices = [...(layer ? [h("sup", {}, layer)] : []), ...(units ? [h("sub", {}, units)] : [])];
  const behind = indices.length > 1 ? [h("span", { class: "lf-stack" }, ...indices)] : indices;
  const before = gradient ? ["\u2202C/\u2202"] : [];
  return h("span", { class: "lf-symbol", "data-key": key }, ...before, h("i", {}, letter), ...behind);
}
