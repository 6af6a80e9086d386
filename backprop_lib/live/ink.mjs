/**
 * From strokes to the form of the MNIST images: `centred` is the counterpart of Python's function
 * of that name, and tests compare the two.
 *
 * The pad is 1 wide and 1 high. A stroke is {radius, points: [[x, y], ...]}.
 */

export const SIDE = 28;
const BOX = 20;
const FINE = 4; // cells of ink along the edge of a pixel
export const CELLS = SIDE * FINE;

/** Squared distance from a point to the segment between two others. */
function distance2([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length2 = dx * dx + dy * dy;
  const along = length2 ? ((x - ax) * dx + (y - ay) * dy) / length2 : 0;
  const t = Math.min(Math.max(along, 0), 1);
  return (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2;
}

function inkSegment(cells, from, to, radius) {
  const reach = (i) => {
    const [low, high] = [Math.min(from[i], to[i]) - radius, Math.max(from[i], to[i]) + radius];
    return [Math.max(0, Math.floor(low * CELLS)), Math.min(CELLS - 1, Math.floor(high * CELLS))];
  };
  const [[left, right], [top, bottom]] = [reach(0), reach(1)];
  for (let i = top; i <= bottom; i += 1) {
    for (let j = left; j <= right; j += 1) {
      const middle = [(j + 0.5) / CELLS, (i + 0.5) / CELLS];
      if (distance2(middle, from, to) <= radius * radius) cells[i][j] = 1;
    }
  }
}

/** The inked cells of the pad: a cell is full of ink or empty. */
export function inkOf(strokes) {
  const cells = Array.from({ length: CELLS }, () => new Array(CELLS).fill(0));
  for (const { radius, points } of strokes) {
    points.forEach((point, i) => inkSegment(cells, points[Math.max(i - 1, 0)], point, radius));
  }
  return cells;
}

const transposed = (rows) => rows[0].map((_, j) => rows.map((row) => row[j]));

/** Each column of rows averaged down to so many pixels; a pixel is the mean of what it covers. */
function averagedDown(rows, pixels) {
  const n = rows.length;
  return Array.from({ length: pixels }, (_, i) => {
    const [start, end] = [(i * n) / pixels, ((i + 1) * n) / pixels];
    const sums = new Array(rows[0].length).fill(0);
    for (let k = Math.floor(start); k < Math.min(Math.ceil(end), n); k += 1) {
      const share = ((Math.min(end, k + 1) - Math.max(start, k)) * pixels) / n;
      rows[k].forEach((value, j) => { sums[j] += share * value; });
    }
    return sums;
  });
}

/** Rows of cells averaged to a smaller or larger picture. */
function averaged(rows, down, across) {
  return transposed(averagedDown(transposed(averagedDown(rows, down)), across));
}

/** The pad as 28x28 pixels where they are, nothing moved. */
export const coarse = (cells) => averaged(cells, SIDE, SIDE);

/** Where rows of ink begin if their centre of mass is to lie at pixel 14, as in MNIST. */
function startOf(mass) {
  const total = mass.reduce((sum, m) => sum + m, 0);
  const centre = mass.reduce((sum, m, i) => sum + i * m, 0) / total;
  const start = Math.round(SIDE / 2 - centre - 1e-4);
  return Math.min(Math.max(start, 0), SIDE - mass.length);
}

const sums = (rows) => rows.map((row) => row.reduce((sum, value) => sum + value, 0));

/** What is drawn, 20 pixels long or high, its centre of mass at pixel 14 of 0 to 27. */
export function centred(cells) {
  const image = Array.from({ length: SIDE }, () => new Array(SIDE).fill(0));
  const full = (rows) => rows.map((row) => row.some(Boolean));
  const [rows, columns] = [full(cells), full(transposed(cells))];
  if (!rows.includes(true)) return image;
  const [top, left] = [rows.indexOf(true), columns.indexOf(true)];
  const cut = cells.slice(top, rows.lastIndexOf(true) + 1)
    .map((row) => row.slice(left, columns.lastIndexOf(true) + 1));
  const longer = Math.max(cut.length, cut[0].length);
  const size = (n) => Math.max(1, Math.round((BOX * n) / longer));
  const small = averaged(cut, size(cut.length), size(cut[0].length));
  const [down, right] = [startOf(sums(small)), startOf(sums(transposed(small)))];
  small.forEach((row, i) => row.forEach((value, j) => { image[down + i][right + j] = value; }));
  return image;
}
