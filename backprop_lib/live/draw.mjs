/**
 * Drawing in SVG, one user unit a CSS pixel: text keeps its size on a phone and when zoomed,
 * the picture is laid out anew for each width. Given numbers are drawn, none are computed.
 *
 * Colours are classes (lf-c0 ... lf-c3) over CSS variables; each comes with its own dash and
 * its own marker, so that colour is never the only difference.
 */

import { general } from "./format.mjs";

const NAMESPACE = "http://www.w3.org/2000/svg";
const LETTER_PX = 7;
const RAISED = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";
const RAISED_MINUS = "\u207b";

/** An SVG element with attributes and children; strings become text. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Two decimals are a hundredth of a pixel: enough, and short. */
export const px = (value) => Math.round(value * 100) / 100;

function linearTicks(low, high, count) {
  const raw = high / count - low / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((nice) => nice * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const value = Number(((first + i) * step).toPrecision(12));
    return { value, text: general(value, 6).replace("-", "\u2212") };
  });
}

function logTicks(low, high, count) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / count));
  const raised = (n) => String(n).replace(/./g, (c) => RAISED[c] ?? RAISED_MINUS);
  const ticks = [];
  for (let n = first; n <= last; n += stride) ticks.push({ value: 10 ** n, text: `10${raised(n)}` });
  return ticks;
}

/** From values to pixels and back; `ticks(count)` are round values inside the limits. */
export function scale([low, high], [from, to], log = false) {
  // Halves, because the difference of two doubles may be too large for a double.
  const half = log ? (v) => Math.log10(v) / 2 : (v) => v / 2;
  const [start, span] = [half(low), half(high) - half(low)];
  const at = (value) => from + ((half(value) - start) / span) * (to - from);
  const invert = (pixel) => {
    const value = 2 * (start + ((pixel - from) / (to - from)) * span);
    return log ? 10 ** value : value;
  };
  const ticks = (count) => (log ? logTicks : linearTicks)(low, high, count);
  return { at, invert, ticks, low, high, log };
}

/** The space left for drawing: the left margin fits the longest tick. */
function margins({ x, y, right = 14 }, width, height) {
  const ticks = y.ticks ?? scale(y.limits, [1, 0], y.log).ticks(4);
  const longest = Math.max(0, ...ticks.map(({ text }) => text.length));
  // However long the labels are, half of the width is left for drawing.
  const left = Math.min(Math.max(30, 12 + LETTER_PX * longest), width / 4);
  const end = width - Math.min(right, width / 4);
  return { left, top: y.label ? 28 : 12, right: end, bottom: height - (x.label ? 42 : 24) };
}

/**
 * A pair of axes ready to draw on.
 *
 * `spec` is {x: {label, limits, log, ticks}, y: {...}, right, clean, bare}: `right` is the margin
 * left for labels, `clean` leaves the grid lines out, `bare` the axes too. The result holds the
 * element to place, the scales `x` and `y`, `inside` (a layer clipped to the axes) and `above`
 * (not clipped, for labels and things to drag).
 */
export function plot(spec, width, height) {
  const edges = { left: 1, top: 1, right: width - 1, bottom: height - 1 };
  const box = spec.bare ? edges : margins(spec, width, height);
  const x = scale(spec.x.limits, [0, box.right - box.left], spec.x.log);
  const y = scale(spec.y.limits, [box.bottom - box.top, 0], spec.y.log);
  const size = { width: box.right - box.left, height: box.bottom - box.top };
  const inside = svg("svg", { x: box.left, y: box.top, ...size, "aria-hidden": "true" });
  const above = svg("g", { transform: `translate(${box.left} ${box.top})` });
  const lines = spec.bare ? [] : [...axisX(spec.x, x, box), ...axisY(spec.y, y, box, spec.clean)];
  const frame = svg("g", { "aria-hidden": "true" }, ...lines);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height }, frame, inside, above);
  const element = document.createElement("div");
  element.className = "lf-stage";
  element.append(picture);
  return { element, picture, x, y, box, size, inside, above };
}

function axisX({ label = "", ticks }, x, box) {
  const count = Math.max(2, Math.floor((box.right - box.left) / 70));
  const marks = (ticks ?? x.ticks(count)).map(({ value, text }) => {
    const at = px(box.left + x.at(value));
    return svg("g", {},
      svg("path", { d: `M${at} ${box.bottom}v4`, class: "lf-tick" }),
      svg("text", { x: at, y: box.bottom + 17, "text-anchor": "middle" }, text));
  });
  const middle = (box.left + box.right) / 2;
  const below = { x: middle, y: box.bottom + 35, "text-anchor": "middle", class: "lf-name" };
  const name = svg("text", below, label);
  return [svg("path", { d: `M${box.left} ${box.bottom}H${box.right}`, class: "lf-base" }), ...marks, name];
}

function axisY({ label = "", ticks }, y, box, clean) {
  const marks = (ticks ?? y.ticks(4)).map(({ value, text }) => {
    const at = px(box.top + y.at(value));
    return svg("g", {},
      svg("path", clean
        ? { d: `M${box.left} ${at}h-4`, class: "lf-tick" }
        : { d: `M${box.left} ${at}H${box.right}`, class: "lf-grid" }),
      svg("text", { x: box.left - 7, y: at + 4, "text-anchor": "end" }, text));
  });
  const name = svg("text", { x: 2, y: 13, class: "lf-name" }, label);
  return [...marks, name];
}

/** A curve through the points; where a value is missing or not finite, the pen is lifted. */
export function curve({ x, y }, xs, ys, className = "lf-c0") {
  let pen = "M";
  const path = xs.map((value, i) => {
    const [h, v] = [x.at(value), y.at(ys[i])];
    if (!(Math.abs(h) < 1e5 && Math.abs(v) < 1e5)) {
      pen = "M";
      return "";
    }
    const step = `${pen}${px(h)} ${px(v)}`;
    pen = "L";
    return step;
  });
  return svg("path", { d: path.join(""), class: `lf-curve ${className}` });
}

const MARKERS = [
  (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (r) => `M0 ${-1.2 * r}L${1.15 * r} ${0.9 * r}H${-1.15 * r}z`,
  (r) => `M0 ${-1.35 * r}L${1.35 * r} 0L0 ${1.35 * r}L${-1.35 * r} 0z`,
];

/** The marker of a class: circle, square, triangle, diamond, each in its own colour. */
export function marker(group, h, v, r = 4.5) {
  const kind = group % MARKERS.length;
  const d = MARKERS[kind](r);
  return svg("path", { d, transform: `translate(${px(h)} ${px(v)})`, class: `lf-marker lf-c${kind}` });
}

/** Points [x, y, class] as markers. */
export function scatter({ x, y }, points, r) {
  const drawable = points.filter(([a, b]) => Math.abs(x.at(a)) < 1e5 && Math.abs(y.at(b)) < 1e5);
  return svg("g", {}, ...drawable.map(([a, b, group = 0]) => marker(group, x.at(a), y.at(b), r)));
}

/** Bars from the lower edge, or from zero where the axis holds it. */
export function bars({ x, y, size }, heights, className = "lf-c0") {
  const slot = size.width / heights.length;
  const floor = y.log || y.low >= 0 ? size.height : y.at(0);
  return svg("g", { class: className }, ...heights.map((height, i) => {
    const top = Math.min(Math.max(y.at(height), -9), size.height + 9);
    const attributes = { x: px(i * slot + slot * 0.18), width: px(slot * 0.64), class: "lf-bar" };
    const drawn = Number.isFinite(top) ? Math.abs(floor - top) : 0;
    return svg("rect", { ...attributes, y: px(Math.min(top, floor) || 0), height: px(drawn) });
  }));
}

/** A text with a halo of the page's colour, legible over lines. */
export function label(text, x, y, className = "", anchor = "start") {
  return svg("text", { x: px(x), y: px(y), "text-anchor": anchor, class: `lf-label ${className}` }, text);
}

/** Labels at the right ends of curves, moved apart until none covers another. */
export function endLabels(ends, size, gap = 15) {
  const drawable = ends.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  const placed = drawable.map((end) => ({ ...end })).sort((a, b) => a.y - b.y);
  placed.forEach((end, i) => {
    end.y = Math.max(Math.min(end.y, size.height), 4, i ? placed[i - 1].y + gap : 0);
  });
  for (let i = placed.length - 1, floor = size.height; i >= 0; i -= 1, floor -= gap) {
    placed[i].y = Math.min(placed[i].y, floor);
  }
  return placed.map(({ text, x, y, className }) => label(text, x + 6, y + 4, className));
}
