/** Points to move: by pointer and by keyboard. */

import { marker, px, svg } from "./draw.mjs";
import { fixed, general } from "./format.mjs";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** What is dragged: a ring, around the marker of its class if it has one. */
function grip(name, group) {
  const inner = group === null ? svg("circle", { r: 2.5, class: "lf-dot" }) : marker(group, 0, 0);
  return svg("g", {
    class: "lf-handle", tabindex: 0, role: "slider", "aria-label": name,
    "data-lm-suppress-shortcuts": "true",
  }, svg("circle", { r: 20, class: "lf-reach" }), svg("circle", { r: 9, class: "lf-ring" }), inner);
}

/**
 * A point to move: by pointer, and by arrow keys one step (with Shift ten).
 *
 * `move(x, y)` receives values, not pixels; `nudge(right, up)` receives steps. The function
 * returned, `place(x, y)`, puts the point where the numbers say.
 */
export function handle({ x, y, above, picture, box }, { name, move, nudge, group = null }) {
  const element = grip(name, group);
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    element.focus({ preventScroll: true });
    event.preventDefault();
  });
  element.addEventListener("pointermove", (event) => {
    if (!element.hasPointerCapture(event.pointerId)) return;
    const edge = picture.getBoundingClientRect();
    const zoom = edge.width / picture.viewBox.baseVal.width;
    const [h, v] = [(event.clientX - edge.left) / zoom, (event.clientY - edge.top) / zoom];
    move(x.invert(h - box.left), y.invert(v - box.top));
  });
  element.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const times = event.shiftKey ? 10 : 1;
    nudge(arrow[0] * times, arrow[1] * times);
  });
  above.append(element);
  return (...place) => {
    element.setAttribute("transform", `translate(${px(x.at(place[0]))} ${px(y.at(place[1]))})`);
    element.setAttribute("aria-valuenow", fixed(place[0]));
    element.setAttribute("aria-valuetext", place.map((value) => general(value)).join(", "));
  };
}
