/**
 * Numbers written with Python's own digits: the page prints what the chapter prints.
 *
 * JavaScript's toFixed and toPrecision round ties upwards, switch to exponents at other sizes
 * and keep the sign of a rounded zero. So the digits are taken from the exact binary value here,
 * as Python does it.
 */

const buffer = new DataView(new ArrayBuffer(8));

/** The exact value of a finite double: |x| = mantissa * 2 ** exponent. */
function exactParts(x) {
  buffer.setFloat64(0, x);
  const fraction = buffer.getBigUint64(0) & 0xfffffffffffffn;
  const biased = (buffer.getUint16(0) >> 4) & 0x7ff;
  return biased ? [fraction + 2n ** 52n, biased - 1075] : [fraction, -1074];
}

/** |x| * 10 ** decimals as an integer; a tie goes to the even neighbour. */
function scaledInteger(x, decimals) {
  const [mantissa, exponent] = exactParts(x);
  const powers = [[10n, decimals], [2n, exponent]];
  let above = mantissa;
  let below = 1n;
  for (const [base, power] of powers) {
    if (power >= 0) above *= base ** BigInt(power);
    else below *= base ** BigInt(-power);
  }
  const whole = above / below;
  const twiceRest = 2n * (above % below);
  const up = twiceRest > below || (twiceRest === below && whole % 2n === 1n);
  return up ? whole + 1n : whole;
}

/** nan, inf and -inf, spelled as Python spells them. */
function notFinite(x) {
  if (Number.isNaN(x)) return "nan";
  return x > 0 ? "inf" : "-inf";
}

function withPoint(digits, decimals) {
  if (decimals <= 0) return digits;
  const padded = digits.padStart(decimals + 1, "0");
  return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}

/** Python's f"{x:.6f}", except that a zero never has a sign. */
export function fixed(x, decimals = 6) {
  if (!Number.isFinite(x)) return notFinite(x);
  const whole = scaledInteger(x, decimals);
  return (x < 0 && whole ? "-" : "") + withPoint(whole.toString(), decimals);
}

/** The decimal exponent and the `digits` significant digits of a positive double. */
function significant(x, digits) {
  // The shortest decimal may sit one power above the exact value, and rounding may carry.
  let exponent = Number(x.toExponential().split("e")[1]) - 1;
  let whole = scaledInteger(x, digits - 1 - exponent);
  while (whole >= 10n ** BigInt(digits)) {
    exponent += 1;
    whole = scaledInteger(x, digits - 1 - exponent);
  }
  return [exponent, whole.toString()];
}

/** Python's f"{x:.6g}", except that a zero never has a sign. */
export function general(x, digits = 6) {
  if (!Number.isFinite(x)) return notFinite(x);
  if (x === 0) return "0";
  const [exponent, whole] = significant(Math.abs(x), digits);
  const sign = x < 0 ? "-" : "";
  const short = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent >= -4 && exponent < digits) {
    return sign + short(withPoint(whole, digits - 1 - exponent));
  }
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${sign}${short(withPoint(whole, digits - 1))}e${exponent < 0 ? "-" : "+"}${power}`;
}

/** A number as a format names it: ".6f", ".4g", "d" (whole numbers). */
export function format(x, spec = ".6g") {
  const parts = /^\.(\d{1,2})([fg])$/.exec(spec);
  if (!parts) return fixed(x, 0);
  const digits = Number(parts[1]);
  return parts[2] === "f" ? fixed(x, digits) : general(x, Math.max(digits, 1));
}
