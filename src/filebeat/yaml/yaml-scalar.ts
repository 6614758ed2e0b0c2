/**
 * YAML scalars as gopkg.in/yaml.v2 resolves them (resolve.go): the booleans of YAML 1.1, Go's integer spellings,
 * no base 60; dates stay text. An explicit tag that does not fit the text is an error.
 */
import { YamlRefusal } from './yaml-cursor.js';

export type ScalarType = 'string' | 'int' | 'float' | 'bool' | 'null';
export type ScalarValue = string | number | boolean | null;
export interface Scalar {
  type: ScalarType;
  value: ScalarValue;
}

const words = new Map<string, Scalar>();
const capitalised = (word: string) => [word, word.charAt(0).toUpperCase() + word.slice(1), word.toUpperCase()];
for (const word of ['y', 'yes', 'true', 'on'].flatMap(capitalised)) words.set(word, { type: 'bool', value: true });
for (const word of ['n', 'no', 'false', 'off'].flatMap(capitalised)) words.set(word, { type: 'bool', value: false });
for (const word of ['', '~', ...capitalised('null')]) words.set(word, { type: 'null', value: null });
for (const word of ['.nan', '.NaN', '.NAN']) words.set(word, { type: 'float', value: Number.NaN });
for (const word of capitalised('inf')) {
  for (const sign of ['', '+']) words.set(`${sign}.${word}`, { type: 'float', value: Number.POSITIVE_INFINITY });
  words.set(`-.${word}`, { type: 'float', value: Number.NEGATIVE_INFINITY });
}

/** Go's strconv.ParseInt(text, 0, 64), then ParseUint. `0x`, `0o`, `0b` and a leading 0 select the base. */
function parseInteger(text: string): number | undefined {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (!match) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const size = hex
    ? BigInt(`0x${hex}`)
    : binary
      ? BigInt(`0b${binary}`)
      : octal
        ? BigInt(`0o${octal}`)
        : BigInt(decimal ?? 0);
  // ParseUint takes no sign.
  const limit = sign === '-' ? 1n << 63n : sign === '+' ? (1n << 63n) - 1n : (1n << 64n) - 1n;
  if (size > limit) return undefined;
  return Number(sign === '-' ? -size : size);
}

function parseFloatText(text: string): number | undefined {
  if (!/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A plain scalar without a tag. */
export function resolvePlain(text: string): Scalar {
  const word = words.get(text);
  if (word) return word;
  if (text.startsWith('.')) {
    const value = parseFloatText(text);
    return value === undefined ? { type: 'string', value: text } : { type: 'float', value };
  }
  if (/^[0-9+-]/.test(text)) {
    // Nobody configures numbers this long; BigInt would take minutes for megabytes of digits.
    const plain = text.length > 1000 ? '' : text.replaceAll('_', '');
    const integer = parseInteger(plain);
    if (integer !== undefined) return { type: 'int', value: integer };
    const float = parseFloatText(plain);
    if (float !== undefined) return { type: 'float', value: float };
  }
  return { type: 'string', value: text };
}

const yamlTag = 'tag:yaml.org,2002:';
const date = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9:]+(?:\.[0-9]*)?(?:Z|[-+][0-9:]+)?)?$/;

/**
 * A scalar with an explicit tag, written out (`tag:yaml.org,2002:int`). An unknown tag leaves the text. Throws
 * YamlRefusal.
 */
export function resolveTagged(tag: string, text: string, line: number): Scalar {
  const refuse = (): never => {
    throw new YamlRefusal('yaml-tag', line);
  };
  const name = tag.startsWith(yamlTag) ? tag.slice(yamlTag.length) : '';
  if (name === 'binary') {
    const packed = text.replace(/[\r\n]/g, '');
    if (packed.length % 4 !== 0 || !/^[0-9A-Za-z+/]*={0,2}$/.test(packed)) refuse();
    return { type: 'string', value: Buffer.from(packed, 'base64').toString('utf8') };
  }
  if (!['bool', 'int', 'float', 'null', 'timestamp'].includes(name)) return { type: 'string', value: text };
  if (name === 'timestamp') return date.test(text) ? { type: 'string', value: text } : refuse();
  const resolved = resolvePlain(text);
  if (resolved.type === name) return resolved;
  if (name === 'float' && resolved.type === 'int') return { type: 'float', value: resolved.value };
  return refuse();
}
