/**
 * The drawing of a network: units as boxes, weights on wires, forward numbers above the line,
 * backward numbers below it. Layers stand side by side where there is room, else one below the
 * other.
 */

import { label, svg } from "./draw.mjs";
import { parseKey } from "./write.mjs";

const WIDE = 560;
const BOX = { width: 76, height: 44 };
const SMALL_LETTER_PX = 3.6;

/** A unit's name, its layer above and its number below the line, as the formulas write it. */
function title(key, x, y, anchor) {
  const { letter, layer, units } = parseKey(key);
  const name = label("", x, y, "lf-title", anchor);
  name.append(letter);
  if (layer) name.append(svg("tspan", { dy: -5, dx: 1 }, layer));
  const below = layer ? { dy: 9, dx: -SMALL_LETTER_PX * layer.length } : { dy: 4 };
  if (units) name.append(svg("tspan", below, units));
  return name;
}

/** Where every unit stands; the loss is one more layer with one unit. */
function layout({ sizes }, width) {
  const counts = [...sizes, 1];
  const most = Math.max(...counts);
  const wide = width >= WIDE;
  const along = wide ? (width - BOX.width - 4) / sizes.length : 150;
  const apart = wide ? 124 : Math.min(170, (width - 218) / Math.max(1, most - 1));
  const first = wide ? BOX.width / 2 + 2 : 34;
  const middle = wide ? 50 + ((most - 1) * apart) / 2 : width / 2;
  const place = (layer, unit) => {
    const across = middle + (unit - (counts[layer] + 1) / 2) * apart;
    const onward = first + layer * along;
    return wide ? { x: onward, y: across } : { x: across, y: onward };
  };
  const height = wide ? 50 + (most - 1) * apart + 62 : first + sizes.length * along + 34;
  return { place, wide, height };
}

/** The two numbers of a wire or a unit: forward above, backward below. */
function pair(up, down, anchor = "middle") {
  return [
    label("", up[0], up[1], "lf-forward", anchor),
    label("", down[0], down[1], "lf-backward", down[2] ?? anchor),
  ];
}

/** Where a wire's numbers stand: slanting wires nearer to where they start, so that no two meet. */
export function wireTexts(from, to, wide) {
  const level = wide ? from.y === to.y : from.x === to.x;
  const share = level ? (wide ? 0.5 : 0.76) : wide ? 0.3 : 0.26;
  const [x, y] = [from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)];
  if (level && !wide) return pair([x - 6, y + 4], [x + 6, y + 4, "start"], "end");
  return pair([x, y - 6], [x, y + 15]);
}

/** The end points of a wire: from box to box. */
function ends(a, b, wide) {
  const [dx, dy] = wide ? [BOX.width / 2, 0] : [0, BOX.height / 2];
  return [{ x: a.x + dx, y: a.y + dy }, { x: b.x - dx, y: b.y - dy }];
}

/** A unit's box with its numbers inside, its name and its bias beside it. */
function unitParts({ x, y }, [key, backward], wide, side) {
  const corner = { x: x - BOX.width / 2, y: y - BOX.height / 2 };
  const frame = svg("rect", { ...corner, ...BOX, rx: 6, class: "lf-unit" });
  const inside = pair([x, backward ? y - 4 : y + 5], [x, y + 16]);
  const edge = x + side * (BOX.width / 2 + 5);
  const anchor = side > 0 ? "start" : "end";
  const name = wide ? title(key, x, y - 31, "middle") : title(key, edge, y - 9, anchor);
  const below = wide ? pair([x, y + 39], [x, y + 56]) : pair([edge, y + 7], [edge, y + 23], anchor);
  return { frame, inside, name, below };
}

/**
 * Draws a network; the result's `show(view)` writes the numbers.
 *
 * `view(key)` gives {text, className} for each key; the class marks what a line reads or makes.
 */
export function drawNetwork(network, width) {
  const { place, wide, height } = layout(network, width);
  const { units, wires, sizes } = network;
  const texts = [];
  const lines = [];
  const boxes = [];
  const parts = { wires: [], boxes: [], numbers: [] };
  const write = (slots, keys) => slots.forEach((slot, i) => keys[i] && texts.push([slot, keys[i]]));
  const wire = (a, b, keys) => {
    const [from, to] = ends(a, b, wide);
    const line = svg("path", { d: `M${from.x} ${from.y}L${to.x} ${to.y}`, class: "lf-wire" });
    const slots = wireTexts(from, to, wide);
    parts.wires.push(line);
    parts.numbers.push(...slots);
    lines.push([line, keys]);
    write(slots, keys);
  };
  const box = (at, keys, below) => {
    const side = at.x < width / 2 - 1 ? -1 : 1;
    const unit = unitParts(at, keys, wide, side);
    parts.boxes.push(unit.frame, unit.name);
    parts.numbers.push(...unit.inside, ...unit.below);
    boxes.push([unit.frame, keys]);
    write(unit.inside, keys);
    write(unit.below, below);
  };
  for (const { layer, from, to, weight, gradient } of wires) {
    wire(place(layer - 1, from), place(layer, to), [weight, gradient]);
  }
  for (const { layer, unit, forward, backward, bias } of units) {
    box(place(layer, unit), [forward, backward], bias ? [bias, `d${bias}`] : []);
    if (layer === sizes.length - 1) wire(place(layer, unit), place(sizes.length, 1), [`y[${unit}]`]);
  }
  box(place(sizes.length, 1), ["C"], []);
  const drawn = [...parts.wires, ...parts.boxes, ...parts.numbers];
  const size = { viewBox: `0 0 ${width} ${height}`, width, height };
  const element = svg("svg", { ...size, "aria-hidden": "true" }, ...drawn);
  const show = (view) => {
    for (const [slot, key] of texts) {
      const { text, className } = view(key);
      slot.textContent = text;
      slot.setAttribute("class", `lf-label lf-number ${className}`);
    }
    const marked = (keys) => keys.map((key) => (key ? view(key).mark : "")).find(Boolean) ?? "";
    for (const [line, keys] of lines) line.setAttribute("class", `lf-wire ${marked(keys)}`);
    for (const [frame, keys] of boxes) frame.setAttribute("class", `lf-unit ${marked(keys)}`);
  };
  return { element, show };
}
