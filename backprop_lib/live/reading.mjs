/**
 * Reading an answer, by the rules and with the sentences of `backprop_lib.exercises.reading`.
 *
 * What a form hands over is a text, or lists of texts in the shape of the answer.
 */

const NUMBER = /^[-+]?(\d+\/\d+|(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)$/i;
const DECIMAL_COMMA = /\d,\d/;
const SEPARATORS = /[\s,;[\]()]+/;
const UNPRINTABLE = /[^\P{C}\t\n\r]|[^\P{Z} ]/gu;
const SHORT = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** An answer that is none: the message says what was received. */
export class Unreadable extends Error {}

export function isMissing(answer) {
  if (Array.isArray(answer)) return answer.length > 0 && answer.every(isMissing);
  return !answer.trim();
}

function escaped(character) {
  const code = character.codePointAt(0);
  const [mark, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return `\\${mark}${code.toString(16).padStart(width, "0")}`;
}

/** A text between quotation marks, as Python writes it. */
export function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const short = text.replace(/[\\\t\n\r]/g, (character) => SHORT[character]);
  const plain = short.replace(UNPRINTABLE, escaped);
  return mark + plain.replaceAll(mark, `\\${mark}`) + mark;
}

const describe = (answer) => (Array.isArray(answer) ? `a list of ${answer.length}` : quoted(answer));

function valueOf(word) {
  if (!NUMBER.test(word)) return NaN;
  const [above, below] = word.split("/");
  const value = below === undefined ? Number(above) : Number(above) / Number(below);
  return below !== undefined && !Number.isFinite(value) ? NaN : value;
}

/** The pieces of a text that may be numbers. */
export function piecesOf(text) {
  return text.replaceAll("\u2212", "-").split(SEPARATORS).filter(Boolean);
}

function fromText(text) {
  const values = piecesOf(text).map(valueOf);
  if (values.some(Number.isNaN)) {
    throw new Unreadable(`received the text ${quoted(text)}, expected numbers`);
  }
  return values.length === 1 ? values[0] : values;
}

const plain = (answer) => (Array.isArray(answer) ? answer.map(plain) : fromText(answer));

/** The shape of nested lists; undefined where rows differ in length. */
export function shapeOf(nested) {
  if (!Array.isArray(nested)) return [];
  const shapes = nested.map(shapeOf);
  const same = shapes.every((shape) => shape && String(shape) === String(shapes[0]));
  return same ? [nested.length, ...(shapes[0] ?? [])] : undefined;
}

function aboutCommas(answer) {
  const commas = [answer].flat(Infinity).some((text) => DECIMAL_COMMA.test(text));
  return commas ? "; write decimals with a point: 0.5, not 0,5" : "";
}

function shapeText(shape) {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/** The numbers of an answer in one list, and the shape in which they came. */
function readNumbers(answer) {
  const missing = [answer].flat(Infinity).flatMap((text, i) => (isMissing(text) ? [i + 1] : []));
  if (missing.length) throw new Unreadable(`received nothing for number ${missing.join(", ")}`);
  const nested = plain(answer);
  const shape = shapeOf(nested);
  if (!shape) {
    throw new Unreadable(`received ${describe(answer)}, whose rows differ in length${aboutCommas(answer)}`);
  }
  const numbers = [nested].flat(Infinity);
  if (!numbers.length || !numbers.every(Number.isFinite)) {
    throw new Unreadable(`received ${describe(answer)}, expected finite numbers`);
  }
  return { numbers, shape };
}

const withoutOnes = (shape) => shape.filter((n) => n !== 1);

/** As many numbers as the shape holds, in one list. */
export function numbersInShape(answer, shape) {
  const { numbers, shape: came } = readNumbers(answer);
  const [wanted, found] = [withoutOnes(shape), withoutOnes(came)];
  const size = shape.reduce((product, n) => product * n, 1);
  if (String(found) === String(wanted) || (numbers.length === size && found.length === 1)) return numbers;
  const words = wanted.length ? `${wanted.join(" x ")} numbers` : "one number";
  const differ = `received ${describe(answer)} of shape ${shapeText(came)}, expected ${words}`;
  throw new Unreadable(differ + aboutCommas(answer));
}

/** As many words as asked for, in small letters. */
export function readWords(text, count) {
  const parts = text.trim().split(/[\s,;]+/);
  if (parts.length !== count) {
    throw new Unreadable(`received ${parts.length} words, expected ${count}`);
  }
  return parts.map((part) => part.toLowerCase());
}
