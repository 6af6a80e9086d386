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

/** What the pointer's place on the screen is in values. */
function valuesAt({ x, y, picture, box }, event) {
  const edge = picture.getBoundingClientRect();
  const zoom = edge.width / picture.viewBox.baseVal.width;
  const [h, v] = [(event.clientX - edge.left) / zoom, (event.clientY - edge.top) / zoom];
  return [x.invert(h - box.left), y.invert(v - box.top)];
}

/**
 * A point to move: by pointer, and by arrow keys one step (with Shift ten).
 *
 * `move(x, y)` receives values, not pixels; `nudge(right, up)` receives steps. In the result,
 * `place(x, y)` puts the point where the numbers say.
 */
export function handle(axes, { name, move, nudge, group = null }) {
  const element = grip(name, group);
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    element.focus({ preventScroll: true });
    event.preventDefault();
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) move(...valuesAt(axes, event));
  });
  element.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const times = event.shiftKey ? 10 : 1;
    nudge(arrow[0] * times, arrow[1] * times);
  });
  axes.above.append(element);
  const place = (...values) => {
    const [h, v] = [axes.x.at(values[0]), axes.y.at(values[1])];
    element.setAttribute("transform", `translate(${px(h)} ${px(v)})`);
    element.setAttribute("aria-valuenow", fixed(values[0]));
    element.setAttribute("aria-valuetext", values.map((value) => general(value)).join(", "));
  };
  return { place, move, element };
}

/** A press anywhere in the picture brings the nearest point there: nobody has to drag. */
export function pressToMove(axes, handles) {
  const distance = ({ element }, event) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return Math.hypot(event.clientX - left - width / 2, event.clientY - top - height / 2);
  };
  axes.element.addEventListener("click", (event) => {
    if (event.target.closest(".lf-handle")) return;
    const [nearest] = [...handles].sort((a, b) => distance(a, event) - distance(b, event));
    nearest?.move(...valuesAt(axes, event));
  });
}
