/**
 * What a reader has done, kept by the reader's own browser and nowhere else.
 *
 * Where a browser keeps nothing (switched off, full, a file opened in private), everything works
 * until the page is left.
 */

const PREFIX = "backprop-book/exercise/";
const here = new Map(); // only what the browser did not take

function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function parsed(text) {
  const record = attempt(() => JSON.parse(text ?? "{}"));
  return record && typeof record === "object" && !Array.isArray(record) ? record : {};
}

/** What is known of an exercise: {grade, answer, tries, solved, hints, solution, time}, or less. */
export function recall(name) {
  return here.get(name) ?? parsed(attempt(() => localStorage.getItem(PREFIX + name)));
}

/** Adds to what is known. */
export function remember(name, changes) {
  const record = { ...recall(name), ...changes };
  const stored = attempt(() => (localStorage.setItem(PREFIX + name, JSON.stringify(record)), true));
  if (stored) here.delete(name);
  else here.set(name, record);
  tell();
}

/** Forgets everything. */
export function forget() {
  here.clear();
  const kept = attempt(() => Object.keys(localStorage)) ?? [];
  for (const key of kept) if (key.startsWith(PREFIX)) attempt(() => localStorage.removeItem(key));
  tell();
}

const listeners = new Set();
const tell = () => listeners.forEach((listener) => listener());

/** Calls `listener` whenever something has been added or forgotten, in another tab as well. */
export function onRecords(listener, signal) {
  listeners.add(listener);
  const other = () => listener();
  addEventListener("storage", other, { signal });
  signal?.addEventListener("abort", () => listeners.delete(listener));
}

/** The moment, to the second. */
export const now = () => `${new Date().toISOString().slice(0, 19)}Z`;
