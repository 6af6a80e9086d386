/**
 * A pad to draw on: an exported network reads what is drawn, and shows what every layer answers.
 *
 * Drawn with mouse, pen, finger or keyboard. A test image can be laid on the pad and painted over.
 */

import {
  announcer, button, choice, createStore, h, onTheme, onWidth, optionField,
} from "./controls.mjs";
import { bars, label, plot } from "./draw.mjs";
import { bytes, network } from "./forward.mjs";
import { format } from "./format.mjs";
import { centred, coarse, inkOf, SIDE } from "./ink.mjs";
import { colourOf, paint } from "./surface.mjs";
import { live } from "./widget.mjs";

const PIXELS = SIDE * SIDE;
const BRUSHES = { fine: 1 / 28, medium: 1.5 / 28, broad: 2.2 / 28 };
const KEY_STEP = 1 / 28;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SPEAKERS = 3;
const EMPTY = "The pad is empty: draw a digit, or take a test image.";
const HOW = "Pad to draw on. Arrow keys move the pen, space puts it down and lifts it.";
const LEGEND = "Ink times weight, pixel by pixel: orange pixels raise its sum, blue ones lower it.";
const GREY = ["--lf-paper", "--lf-ink"];
const BLUE = ["--lf-paper", "--lf-mid", "--lf-deep"];
const SIGNED = ["--lf-forward", "--lf-paper", "--lf-backward"];

const rowsOf = (list, columns) =>
  Array.from({ length: list.length / columns }, (_, i) => list.slice(i * columns, (i + 1) * columns));

/** A number with its sign, as Python's "+.2f" writes it. */
const signed = (x) => `${x < 0 ? "\u2212" : "+"}${format(Math.abs(x), ".2f")}`;

function picture(className) {
  return h("canvas", { class: `lf-sharp ${className}`, "aria-hidden": "true" });
}

/** The test images: as numbers from 0 to 1, each with its label. */
function testImages({ pixels, labels }) {
  const all = Array.from(bytes(pixels), (value) => value / 255);
  return labels.map((written, i) => ({ written, x: all.slice(i * PIXELS, (i + 1) * PIXELS) }));
}

// ---- what is on the pad

/** The strokes, and the image under them if there is one. */
function sheet() {
  let strokes = [];
  let known = null;
  const input = (below) => {
    const key = below?.x;
    if (known && known.key === key) return known.x;
    const cells = inkOf(strokes);
    const drawn = below ? coarse(cells).flat() : centred(cells).flat();
    known = { key, x: below ? drawn.map((ink, i) => Math.max(ink, below.x[i])) : drawn };
    return known.x;
  };
  const changed = () => { known = null; };
  return {
    input,
    strokes: () => strokes,
    begin(radius, point) {
      strokes.push({ radius, points: [point] });
      changed();
    },
    extend(point) {
      strokes.at(-1).points.push(point);
      changed();
    },
    undo() {
      strokes.pop();
      changed();
    },
    clear() {
      strokes = [];
      changed();
    },
  };
}

/** Draws paper, image, strokes and, for the keyboard, the pen. */
function drawSheet(canvas, el, { strokes, below, pen }) {
  const side = canvas.width;
  const ink = canvas.getContext("2d");
  const [paper, dark, mark] = [...GREY, "--lf-backward"].map((name) => colourOf(el, name));
  const css = (colour) => `rgb(${colour.join()})`;
  ink.fillStyle = css(paper);
  ink.fillRect(0, 0, side, side);
  if (below) {
    const small = document.createElement("canvas");
    paint(small, rowsOf(below.x, SIDE), [paper, dark]);
    ink.imageSmoothingEnabled = false;
    ink.drawImage(small, 0, 0, side, side);
  }
  Object.assign(ink, { strokeStyle: css(dark), lineCap: "round", lineJoin: "round" });
  for (const { radius, points } of strokes) {
    ink.lineWidth = 2 * radius * side;
    ink.beginPath();
    ink.moveTo(points[0][0] * side, points[0][1] * side);
    for (const [x, y] of points) ink.lineTo(x * side, y * side);
    ink.stroke();
  }
  if (!pen) return;
  Object.assign(ink, { strokeStyle: css(mark), lineWidth: pen.down ? side / 60 : side / 140 });
  ink.beginPath();
  ink.arc(pen.at[0] * side, pen.at[1] * side, side / 36, 0, 2 * Math.PI);
  ink.stroke();
}

/** Pointers draw at once; keys move a pen that is up or down. */
function listen(canvas, page, radius, changed, say) {
  const pen = { at: [0.5, 0.25], down: false, seen: false };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  let pointer = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button) return;
    pointer = event.pointerId;
    Object.assign(pen, { down: false, seen: false });
    canvas.setPointerCapture(pointer);
    page.begin(radius(), place(event));
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    // Between two frames a fast pen reports several places.
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const moment of passed.length ? passed : [event]) page.extend(place(moment));
    changed();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId === pointer) pointer = null;
    });
  }
  const lift = () => Object.assign(pen, { down: false });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = ARROWS[event.key];
    if (!move && event.key !== " " && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    pen.seen = true;
    if (move) {
      pen.at = pen.at.map((value, i) => Math.min(1, Math.max(0, value + move[i] * KEY_STEP)));
      if (pen.down) page.extend(pen.at);
    } else {
      pen.down = event.key === " " && !pen.down;
      if (pen.down) page.begin(radius(), pen.at);
      say(pen.down ? "Pen down" : "Pen up");
    }
    changed();
  });
  canvas.addEventListener("blur", () => {
    Object.assign(pen, { seen: false, down: false });
    changed();
  });
  return { pen, lift };
}

// ---- what the network answers

/** The hidden units that add most to one output: number, activation, share, and what they saw. */
function speakers({ weights }, activations, answer) {
  const hidden = activations.at(-2);
  const adds = hidden.map((a, j) => a * weights.at(-1)[answer][j]);
  const order = [...adds.keys()].sort((i, j) => adds[j] - adds[i]).slice(0, SPEAKERS);
  return order.map((j) => ({
    unit: j + 1, a: hidden[j], adds: adds[j], seen: activations[0].map((x, i) => x * weights[0][j][i]),
  }));
}

/** A bar for each answer, its height above it unless that rounds to 0. */
function answerBars(names, title, width) {
  const ticks = names.map((text, i) => ({ value: i + 0.5, text }));
  const marks = [0, 0.5, 1].map((value) => ({ value, text: String(value) }));
  const y = { label: title, limits: [0, 1.12], ticks: marks }; // room for the number above a one
  const axes = plot({ x: { limits: [0, names.length], ticks }, y }, width, 190);
  const slot = axes.size.width / names.length;
  const show = (heights) => {
    axes.inside.replaceChildren(bars(axes, heights));
    // Ten numbers do not fit on a phone; where there is no bar, none is missed.
    axes.above.replaceChildren(...heights.flatMap((height, i) => (Math.abs(height) < 0.005 ? []
      : label(format(height, ".2f"), (i + 0.5) * slot, axes.y.at(height) - 4, "", "middle"))));
  };
  return { element: axes.element, show };
}

/** Every activation to seven decimals, for those who want numbers or cannot see the bars. */
function table(title, list, first) {
  const cells = list.map((a, j) => h("li", {}, `${first + j}: `, h("b", {}, format(a, ".7f"))));
  return h("div", {}, h("p", { class: "lf-title" }, title), h("ul", { class: "lf-numbers-of" }, ...cells));
}

function statusOf({ names }, image, outputs, answer) {
  const sorted = [...outputs.keys()].sort((i, j) => outputs[j] - outputs[i]);
  const next = `then ${names[sorted[1]]} (${format(outputs[sorted[1]], ".2f")})`;
  const read = `The network reads a ${names[answer]} (${format(outputs[answer], ".2f")}), ${next}.`;
  if (!image) return read;
  const verdict = image.written === answer ? "" : " That is wrong.";
  return `Test image: written ${names[image.written]}. ${read}${verdict}`;
}

function build({ state, model, el, signal }) {
  const images = testImages(state.images);
  const net = network(state.network);
  const numbers = images.map((_, i) => i + 1);
  const store = createStore(model, [
    optionField({ key: "image", options: ["none", ...numbers], value: numbers[0] }),
    optionField({ key: "brush", options: Object.keys(BRUSHES), value: "medium" }),
  ], signal);
  const voice = announcer(signal);
  const page = sheet();
  const below = () => images[store.get("image") - 1] ?? null;
  const canvas = h("canvas", {
    class: "lf-pad", tabindex: 0, role: "application", "aria-label": HOW, "data-lm-suppress-shortcuts": "true",
  });
  const [seen, strip] = [picture("lf-seen"), picture("lf-strip")];
  const status = h("p", { class: "lf-advice lf-status" });
  const clear = (image) => {
    page.clear();
    hand.lift();
    store.set({ image });
  };
  const next = () => {
    const at = numbers.indexOf(store.get("image"));
    clear(numbers[(at + 1) % numbers.length]);
  };
  const buttons = h("div", { class: "lf-buttons" },
    button("Clear", () => clear("none")),
    button("Undo", () => { hand.lift(); page.undo(); update(); }),
    button("Next test image", next));
  const brush = choice(store, { key: "brush", label: "Brush", options: Object.keys(BRUSHES) });
  const titled = (text, ...rest) => h("div", { class: "lf-panel" }, h("p", { class: "lf-title" }, text), ...rest);
  const left = h("div", { class: "lf-side" }, canvas, buttons,
    h("div", { class: "lf-controls lf-single" }, brush), titled("What the network sees", seen));
  const voices = h("div", { class: "lf-speakers" });
  const answers = h("div", { class: "lf-panel" });
  const right = h("div", { class: "lf-side" }, status, answers, titled(state.titles.hidden, strip),
    titled("Hidden units that speak for the answer", voices, h("p", { class: "lf-advice" }, LEGEND)));
  const details = h("details", { class: "lf-details" }, h("summary", {}, "All activations as numbers"));
  el.append(h("div", { class: "lf-body lf-drawing", role: "group", "aria-label": state.alt }, left, right, details), voice.element);
  const say = (text) => {
    status.textContent = text;
    voice.say(text);
  };
  let drawnBars = null;
  let due = 0;

  const colours = (names) => names.map((name) => colourOf(el, name));
  const showSpeakers = (found) => {
    const most = Math.max(1e-9, ...found.flatMap(({ seen: list }) => list.map(Math.abs)));
    voices.replaceChildren(...found.map(({ unit, a, adds, seen: list }) => {
      const small = picture("lf-small");
      paint(small, rowsOf(list.map((value) => 0.5 + value / most / 2), SIDE), colours(SIGNED));
      const text = `unit ${unit}: a = ${format(a, ".2f")}, adds ${signed(adds)}`;
      return h("div", {}, small, h("span", {}, text));
    }));
  };
  const answer = () => {
    due = 0;
    const image = below();
    const x = page.input(image);
    const blank = !image && !page.strokes().length;
    const activations = net.activations(x);
    const outputs = activations.at(-1);
    const best = outputs.indexOf(Math.max(...outputs));
    const touched = page.strokes().length > 0;
    paint(seen, rowsOf(x, SIDE), colours(GREY));
    paint(strip, [activations.at(-2)], colours(BLUE));
    drawnBars?.show(blank ? outputs.map(() => 0) : outputs);
    showSpeakers(blank ? [] : speakers(net, activations, best));
    details.replaceChildren(details.firstChild,
      ...activations.slice(1, -1).map((list, l) => table(`Layer ${l + 1}`, list, 1)),
      table(`Layer ${activations.length - 1}, the answers`, outputs, 0));
    const text = blank ? EMPTY : statusOf(state, image, outputs, best);
    say(image && touched ? text.replace(".", ", painted over.") : text);
  };
  /** Draws the pad at once and asks the network once a frame. */
  const update = () => {
    drawSheet(canvas, el, { strokes: page.strokes(), below: below(), pen: hand.pen.seen ? hand.pen : null });
    due ||= requestAnimationFrame(answer);
  };
  const hand = listen(canvas, page, () => BRUSHES[store.get("brush")], update, (text) => voice.say(text));
  signal.addEventListener("abort", () => cancelAnimationFrame(due));
  onWidth(answers, (width) => {
    drawnBars = answerBars(state.names, state.titles.answers, width);
    answers.replaceChildren(drawnBars.element);
    update();
  }, signal);
  onWidth(canvas, (width) => {
    const side = Math.round(width * (globalThis.devicePixelRatio || 1));
    Object.assign(canvas, { width: side, height: side });
    update();
  }, signal);
  onTheme(update, signal);
  store.onChange(update);
}

export default live(build);
