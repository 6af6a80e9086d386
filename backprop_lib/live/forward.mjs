/**
 * The forward pass of an exported network, the only rule of a network that a page computes by
 * itself: z = W a + b, then the activation. Tests compare every layer with Python.
 */

const ACTIVATIONS = {
  identity: (z) => z,
  relu: (z) => z.map((x) => (x > 0 ? x : 0)),
  sigmoid: (z) => z.map((x) => 1 / (1 + Math.exp(-x))),
  tanh: (z) => z.map(Math.tanh),
  softmax: (z) => {
    const most = Math.max(...z);
    const powers = z.map((x) => Math.exp(x - most));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  },
};

/** The bytes of a text in base64. */
export function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function layer({ step, codes, biases, activation }) {
  const whole = new Int8Array(bytes(codes).buffer);
  const inputs = whole.length / biases.length;
  const phi = ACTIVATIONS[activation];
  if (!phi || !Number.isInteger(inputs)) throw new Error("the network does not fit together");
  const row = (j) => Array.from(whole.subarray(j * inputs, (j + 1) * inputs), (code) => step * code);
  const W = biases.map((_, j) => row(j));
  const sum = (w, a, b) => w.reduce((total, weight, i) => total + weight * a[i], 0) + b;
  return { W, apply: (a) => phi(W.map((w, j) => sum(w, a, biases[j]))) };
}

/** {weights, activations(x)}: the matrices, and what every layer answers, the input first. */
export function network(layers) {
  const built = layers.map(layer);
  const activations = (x) =>
    built.reduce((found, { apply }) => [...found, apply(found[found.length - 1])], [x]);
  return { weights: built.map(({ W }) => W), activations };
}
