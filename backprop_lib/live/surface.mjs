/** Shaded grids of numbers on a canvas under a plot, and the lines on which they are equal. */

import { px, svg } from "./draw.mjs";

/**
 * A colour as the canvas understands it: three numbers from 0 to 255. A probe resolves it first:
 * the variable itself may hold light-dark(...), which a canvas refuses and paints black.
 */
export function colourOf(element, variable) {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  element.append(probe);
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = getComputedStyle(probe).color;
  probe.remove();
  return [1, 3, 5].map((i) => parseInt(pen.fillStyle.slice(i, i + 2), 16));
}

/** t in [0, 1] through a list of colours; what is not a number becomes the first colour. */
export function mix(colours, t) {
  const place = Math.min(Math.max(t || 0, 0), 1) * (colours.length - 1);
  const i = Math.min(Math.floor(place), colours.length - 2);
  const share = place - i;
  return colours[i].map((c, k) => c + share * (colours[i + 1][k] - c));
}

/** Paints rows of numbers in [0, 1] (first row on top) on a canvas of that many pixels. */
export function paint(canvas, rows, colours) {
  const [height, width] = [rows.length, rows[0].length];
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  rows.forEach((row, i) => row.forEach((t, j) => {
    image.data.set([...mix(colours, t), 255], 4 * (i * width + j));
  }));
  pen.putImageData(image, 0, 0);
}

/** A canvas that lies under a plot, exactly inside its axes. */
export function underlay({ element, box, size }, className = "lf-smooth") {
  const canvas = document.createElement("canvas");
  canvas.className = `lf-under ${className}`;
  canvas.setAttribute("aria-hidden", "true");
  Object.assign(canvas.style, {
    left: `${box.left}px`, top: `${box.top}px`, width: `${size.width}px`, height: `${size.height}px`,
  });
  element.prepend(canvas);
  return canvas;
}

/** Where the four sides of a cell are crossed: [side, share of the way along it]. */
function crossings(corners, level) {
  return corners.flatMap((value, side) => {
    const next = corners[(side + 1) % 4];
    const crossed = value < level !== next < level && Number.isFinite(value - next);
    return crossed ? [[side, (level - value) / (next - value)]] : [];
  });
}

/** The line on which a grid of values (first row on top) equals `level`, over width x height. */
export function contour(rows, level, { width, height }) {
  const [down, across] = [height / (rows.length - 1), width / (rows[0].length - 1)];
  const point = (i, j, [side, share]) => {
    const [h, v] = [[share, 0], [1, share], [1 - share, 1], [0, 1 - share]][side];
    return `${px((j + h) * across)} ${px((i + v) * down)}`;
  };
  let d = "";
  for (let i = 0; i + 1 < rows.length; i += 1) {
    for (let j = 0; j + 1 < rows[i].length; j += 1) {
      const corners = [rows[i][j], rows[i][j + 1], rows[i + 1][j + 1], rows[i + 1][j]];
      const ends = crossings(corners, level).map((crossing) => point(i, j, crossing));
      for (let k = 0; k + 1 < ends.length; k += 2) d += `M${ends[k]}L${ends[k + 1]}`;
    }
  }
  return svg("path", { d, class: "lf-contour" });
}
