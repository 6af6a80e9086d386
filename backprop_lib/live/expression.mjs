/**
 * Arithmetic exported by Python, evaluated: the page has no formulas of its own.
 *
 * A number is itself, a string is the key of another quantity, an array is an operator and its
 * arguments. Expressions are compiled once into functions of an array of values, so that a
 * picture of thousands of points stays within one frame.
 */

const LEAK = 0.01;
const DEEPEST = 400;

/** The library's own sigmoid: below -700 the exponential alone is all that is left. */
const sigmoid = (z) => (z > -700 ? 1 / (1 + Math.exp(-z)) : Math.exp(z));

const FUNCTIONS = new Map([
  ["neg", (x) => -x],
  ["sigmoid", sigmoid],
  ["tanh", Math.tanh],
  ["relu", (x) => (x <= 0 ? 0 : x)],
  ["leaky_relu", (x) => (x > 0 ? x : LEAK * x)],
  ["exp", Math.exp],
  ["log", Math.log],
  ["square", (x) => x * x],
  ["sqrt", Math.sqrt],
  ["identity", (x) => x],
  ["positive", (x) => (x > 0 ? 1 : 0)],
]);

const FOLDS = new Map([
  ["+", (x, y) => x + y],
  ["-", (x, y) => x - y],
  ["*", (x, y) => x * y],
  ["/", (x, y) => x / y],
]);

/** Two or more arguments, folded from left to right as Python folds them. */
function compileFold(combine, [first, second, ...rest]) {
  if (!rest.length) return (v) => combine(first(v), second(v));
  const others = [second, ...rest];
  return (v) => others.reduce((total, part) => combine(total, part(v)), first(v));
}

function compileCall([operator, ...args], slots, depth) {
  const parts = args.map((part) => compile(part, slots, depth + 1));
  const combine = FOLDS.get(operator);
  if (combine && parts.length >= 2) return compileFold(combine, parts);
  const named = FUNCTIONS.get(operator);
  if (!named && !combine) throw new Error(`unknown operator ${JSON.stringify(operator)}`);
  if (!named || parts.length !== 1) throw new Error(`${operator} has ${parts.length} arguments`);
  const [argument] = parts;
  return (v) => named(argument(v));
}

/** An expression as a function of the array of values; `slots` says where each key stands. */
export function compile(expression, slots, depth = 0) {
  if (depth > DEEPEST) throw new Error(`an expression is nested deeper than ${DEEPEST}`);
  if (typeof expression === "number") return () => expression;
  if (Array.isArray(expression)) return compileCall(expression, slots, depth);
  const slot = slots.get(expression);
  if (slot === undefined) throw new Error(`unknown quantity ${JSON.stringify(expression)}`);
  return (v) => v[slot];
}

/**
 * A list of given keys and of definitions [key, expression] in order, ready to run.
 *
 * `run(v)` fills in every defined quantity from the given ones; each definition may read only
 * what stands before it. `overrides` replaces the expressions of some keys (a bug, a choice).
 */
export function program(given, definitions, overrides = {}) {
  const slots = new Map(given.map((key, i) => [key, i]));
  const steps = definitions.map(([key, original]) => {
    const compute = compile(Object.hasOwn(overrides, key) ? overrides[key] : original, slots);
    if (slots.has(key)) throw new Error(`${JSON.stringify(key)} is defined twice`);
    slots.set(key, slots.size);
    return [slots.get(key), compute];
  });
  return {
    slots,
    values: () => new Float64Array(slots.size),
    run(v) {
      for (const [slot, compute] of steps) v[slot] = compute(v);
      return v;
    },
  };
}
