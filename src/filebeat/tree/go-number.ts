/** Numbers as Go's `strconv` reads and writes them. Pure. */

/**
 * Go's `%v` of a float64: shortest digits, exponent form below 1e-4 and from 1e6 on (`strconv.FormatFloat(v, 'g', -1,
 * 64)`).
 */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return String(value);
  const sign = exponent < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/**
 * Go's `strconv.ParseInt(text, 0, 64)`: prefixes 0x, 0o, 0b, a leading 0 for octal, `_` between digits.
 * Undefined for anything but a whole number of 64 bits (`signed`: -2^63 to 2^63-1, else 0 to 2^64-1).
 */
export function parseGoInt(text: string, signed: boolean): number | bigint | undefined {
  const match =
    /^([+-]?)(0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[bB]_?[01]+(?:_[01]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0|[1-9][0-9]*(?:_[0-9]+)*)$/.exec(
      text,
    );
  if (!match || text.length > 100) return undefined;
  const [, sign = '', raw = ''] = match;
  if (sign && !signed) return undefined;
  const digits = raw.replaceAll('_', '');
  const octal = /^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase();
  const magnitude = BigInt(octal);
  const value = sign === '-' ? -magnitude : magnitude;
  const [low, high] = signed ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  if (value < low || value > high) return undefined;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Go's `strconv.ParseFloat`: decimal and hexadecimal forms, inf and nan. Undefined if it fails. */
export function parseGoFloat(written: string): number | undefined {
  // Underscores may stand between digits.
  const text = written.replace(/(?<=[0-9a-fA-F])_(?=[0-9a-fA-F])/g, '');
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const hex = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(text);
  if (!hex || !(hex[2] || hex[3])) return undefined;
  const mantissa = Number.parseInt(`${hex[2]}${hex[3]}`, 16) * 2 ** (Number(hex[4]) - 4 * hex[3]!.length);
  return hex[1] === '-' ? -mantissa : mantissa;
}
