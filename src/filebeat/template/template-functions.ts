/** The functions of module templates: Go's own, and Filebeat's `tojson`, `inList` and `IngestPipeline`. */
import { isGoFloat, isPlainMap, type Plain, type PlainMap } from '../tree/value.js';
import { fail } from './template-lex.js';
import { goFormat, goJson, goPrint } from './template-print.js';

/** Go's truth of a value: false for zero, null, and anything empty. */
export function isTrue(value: Plain): boolean {
  if (value === null || typeof value !== 'object') return Boolean(value);
  if (isGoFloat(value)) return value.float !== 0;
  return (Array.isArray(value) ? value.length : Object.keys(value).length) > 0;
}

/** `values`: the arguments; a piped value comes last. `root`: the variables of the template. */
type Run = (values: Plain[], root: PlainMap) => Plain;

export const functions: Record<string, Run> = {
  not: ([value = fail()]) => !isTrue(value),
  eq: ([first = fail(), ...others]) => (others.length > 0 ? others.some((other) => same(first, other)) : fail()),
  ne: ([first = fail(), second = fail()]) => !same(first, second),
  lt: ([first = fail(), second = fail()]) => order(first, second) < 0,
  le: ([first = fail(), second = fail()]) => order(first, second) <= 0,
  gt: ([first = fail(), second = fail()]) => order(first, second) > 0,
  ge: ([first = fail(), second = fail()]) => order(first, second) >= 0,
  len: ([value = fail()]) => {
    if (typeof value === 'string') return Buffer.byteLength(value);
    return Array.isArray(value) ? value.length : isPlainMap(value) ? Object.keys(value).length : fail();
  },
  index: ([value = fail(), ...keys]) => keys.reduce(indexOf, value),
  print: (values) =>
    values
      .map(
        (value, i) =>
          (i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string' ? ' ' : '') + goPrint(value),
      )
      .join(''),
  println: (values) => `${values.map(goPrint).join(' ')}\n`,
  printf: ([format = fail(), ...values]) =>
    typeof format === 'string' ? (goFormat(format, values) ?? fail(true)) : fail(),
  tojson: ([value = fail(), extra]) => (extra === undefined ? (goJson(value) ?? fail()) : fail()),
  inList: ([list = fail(), item = fail()]) =>
    Array.isArray(list) && typeof item === 'string' ? list.includes(item) : fail(),
  IngestPipeline: ([name = fail()], root) => {
    const { prefix, beatVersion, module, fileset } = root['builtin'] as PlainMap;
    return typeof name === 'string' ? [prefix, beatVersion, module, fileset, name].map(String).join('-') : fail();
  },
};

/** True also for functions that Go has and this program does not support. */
export function isFunction(name: string): boolean {
  return Object.hasOwn(functions, name) || ['and', 'or', 'call', 'html', 'js', 'slice', 'urlquery'].includes(name);
}

type Basic = 'null' | 'bool' | 'int' | 'float' | 'string' | 'other';

function basicOf(value: Plain): Basic {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (typeof value !== 'object') return 'int';
  return isGoFloat(value) ? 'float' : 'other';
}

/** Values of different kinds cannot be compared; null is equal to nothing else. */
function same(a: Plain, b: Plain): boolean {
  const kind = basicOf(a);
  if (kind === 'null' || b === null) return a === b;
  if (kind !== basicOf(b) || kind === 'other') return fail();
  return kind === 'float'
    ? floatOf(a) === floatOf(b)
    : a === b || (kind === 'int' && BigInt(a as number) === BigInt(b as number));
}

function order(a: Plain, b: Plain): number {
  const kind = basicOf(a);
  if (kind !== basicOf(b)) return fail();
  if (kind === 'string') return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
  if (kind === 'int') return Number(a) - Number(b);
  return kind === 'float' ? floatOf(a) - floatOf(b) : fail();
}

function floatOf(value: Plain): number {
  return (value as { float: number }).float;
}

function indexOf(value: Plain, key: Plain): Plain {
  if (Array.isArray(value)) return (typeof key === 'number' ? value[key] : undefined) ?? fail();
  if (!isPlainMap(value) || typeof key !== 'string') return fail();
  return Object.hasOwn(value, key) ? value[key]! : null;
}
