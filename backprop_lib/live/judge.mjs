/**
 * Comparing an answer with what Python computed: the rules of `backprop_lib.exercises.kinds`.
 *
 * No value is worked out here. What is right, what each misconception gives and what is said to
 * it come with the exercise; a test compares every verdict with Python's, sentence by sentence.
 */

import { Unreadable, isMissing, numbersInShape, readWords, shapeOf } from "./reading.mjs";

const NEARLY = 0.005;
const FACTORS = [[2, "twice"], [0.5, "half"], [10, "ten times"], [0.1, "a tenth of"]];

function whatItIs(slips) {
  return `that is what you get when ${slips.map(({ says }) => says).join(", or when ")}. ${slips[0].advice}`;
}

const largest = (numbers) => Math.max(...numbers.map(Math.abs));

function distance(given, wanted) {
  return largest(given.map((number, i) => number - wanted[i])) / (largest(wanted) || 1);
}

function entryErrors(given, wanted) {
  const scale = largest(wanted) || 1;
  return given.map((number, i) => Math.abs(number - wanted[i]) / (Math.abs(wanted[i]) || scale));
}

function inGeneral(given, right, allowed, digits) {
  const times = (factor) => distance(given, right.map((number) => factor * number));
  if (times(-1) <= allowed) return "the size is right, the sign is not.";
  const factor = FACTORS.find(([size]) => times(size) <= allowed);
  if (factor) return `that is ${factor[1]} the right answer.`;
  const errors = entryErrors(given, right);
  if (errors.every((error) => error <= NEARLY)) {
    return `nearly: keep more digits on the way and give ${digits} significant ones.`;
  }
  const wrong = errors.flatMap((error, i) => (error <= allowed ? [] : [i + 1]));
  if (wrong.length < right.length) {
    const good = `${right.length - wrong.length} of ${right.length} numbers are right`;
    return `${good}; look again at number ${wrong.join(", ")}.`;
  }
  return "that is not it, nor what one of the usual mistakes gives.";
}

function judgeNumbers({ right, slips, digits }, answer) {
  const shape = shapeOf(right);
  const given = numbersInShape(answer, shape);
  const wanted = [right].flat(Infinity);
  const allowed = Number(`5e-${digits}`);
  if (entryErrors(given, wanted).every((error) => error <= allowed)) return "";
  const far = (wrong) => {
    const same = String(shapeOf(wrong)) === String(shape);
    return same ? distance(given, [wrong].flat(Infinity)) : Infinity;
  };
  const near = slips.map((slip) => [far(slip.answer), slip]);
  const nearest = Math.min(...near.map(([size]) => size));
  if (nearest > allowed) return inGeneral(given, wanted, allowed, digits);
  return whatItIs(near.filter(([size]) => size <= 2 * nearest + 1e-12).map(([, slip]) => slip));
}

function judgeWords({ right, slips }, answer) {
  const given = readWords(answer, right.length);
  const good = right.filter((word, i) => word === given[i]).length;
  if (good === right.length) return "";
  const slip = slips.find(({ answer: wrong }) => String(wrong) === String(given));
  return slip ? whatItIs([slip]) : `${good} of ${right.length} are right.`;
}

function judgeChoice({ right, slips }, answer) {
  return answer === right ? "" : whatItIs([slips.find(({ answer: wrong }) => wrong === answer)]);
}

const JUDGES = { numbers: judgeNumbers, words: judgeWords, choice: judgeChoice };

/** The verdict on an answer to an exercise of this kind: {grade, message}, as `check` gives it. */
export function judge(kind, exercise, answer) {
  if (isMissing(answer)) return { grade: "not attempted", message: exercise.listed ?? "" };
  try {
    const problem = JUDGES[kind](exercise, answer);
    return { grade: problem ? "not yet" : "correct", message: problem };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { grade: "cannot be checked", message: error.message };
  }
}
