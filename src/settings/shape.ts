/**
 * What a file of ours may say, as small readers put together: each takes a YAML node, gives a value, and complains with
 * key, line and what was expected. A complaint never quotes a value: our files can stand beside secrets.
 */
import type { YamlNode } from '../filebeat/yaml/yaml.js';

export interface Complaint {
  /** `instances[1].name`; empty for the document itself. */
  key: string;
  line: number;
  /** `expected a duration such as 10m`. */
  problem: string;
}

/** Undefined means that something was complained about. */
export type Shape<T> = (node: YamlNode, key: string, complain: (complaint: Complaint) => void) => T | undefined;

function expected(node: YamlNode, key: string, complain: (complaint: Complaint) => void, what: string): undefined {
  complain({ key, line: node.line, problem: `expected ${what}` });
}

const isNull = (node: YamlNode): boolean => node.kind === 'scalar' && node.type === 'null';

/** A string for which `parse` gives a value. Numbers must be quoted: YAML has changed `0644` before we see it. */
export function parsed<T>(what: string, parse: (text: string) => T | undefined): Shape<T> {
  return (node, key, complain) => {
    const value = node.kind === 'scalar' && node.type === 'string' ? parse(String(node.value)) : undefined;
    if (value !== undefined) return value;
    const quote =
      node.kind === 'scalar' && node.type !== 'string' && node.type !== 'null'
        ? ' (in quotes, if it looks like something else)'
        : '';
    return expected(node, key, complain, what + quote);
  };
}

export const nonEmpty: Shape<string> = parsed('a string that is not empty', (text) => (text === '' ? undefined : text));
export const anyString: Shape<string> = parsed('a string', (text) => text);

export const boolean: Shape<boolean> = (node, key, complain) =>
  node.kind === 'scalar' && node.type === 'bool' ? node.value === true : expected(node, key, complain, 'true or false');

export function number(what: string, accepts: (value: number) => boolean): Shape<number> {
  return (node, key, complain) => {
    if (node.kind !== 'scalar' || (node.type !== 'int' && node.type !== 'float'))
      return expected(node, key, complain, what);
    const value = Number(node.value);
    return accepts(value) ? value : expected(node, key, complain, what);
  };
}

export function choice<const C extends readonly string[]>(...names: C): Shape<C[number]> {
  return parsed(`one of ${names.join(', ')}`, (text) => names.find((name) => name === text));
}

/** Nothing at all (`key:`) is an empty list. Complained about items are left out. */
export function list<T>(item: Shape<T>): Shape<T[]> {
  return (node, key, complain) => {
    if (isNull(node)) return [];
    if (node.kind !== 'list') return expected(node, key, complain, 'a list');
    return node.items.flatMap((child, i) => {
      const value = item(child, `${key}[${i}]`, complain);
      return value === undefined ? [] : [value];
    });
  };
}

/** YAML readers disagree about which of two equal keys counts. */
function refuseRepeated(
  { duplicates = [] }: YamlNode & { kind: 'map' },
  at: string,
  complain: (complaint: Complaint) => void,
): void {
  for (const { key, line } of duplicates)
    complain({ key: at === '' ? key : `${at}.${key}`, line, problem: 'expected once' });
}

/** Any keys, one shape of values. */
export function record<T>(value: Shape<T>): Shape<Record<string, T>> {
  return (node, key, complain) => {
    if (isNull(node)) return {};
    if (node.kind !== 'map') return expected(node, key, complain, 'a map');
    refuseRepeated(node, key, complain);
    return Object.fromEntries(
      node.entries.flatMap((entry) => {
        const read = value(entry.value, `${key}.${entry.key}`, complain);
        return read === undefined ? [] : [[entry.key, read]];
      }),
    );
  };
}

/** Known keys, each with its shape; all may be missing but the required ones. Nothing at all is an empty map. */
export function map<F extends Record<string, unknown>, const R extends readonly (keyof F & string)[] = []>(
  shapes: { [K in keyof F]: Shape<F[K]> },
  ...required: R
): Shape<Partial<F> & Pick<F, R[number]>> {
  return (node, key, complain) => {
    if (node.kind !== 'map' && !isNull(node)) return expected(node, key, complain, 'a map');
    const entries = node.kind === 'map' ? node.entries : [];
    const inside = (name: string) => (key === '' ? name : `${key}.${name}`);
    const values: Record<string, unknown> = {};
    if (node.kind === 'map') refuseRepeated(node, key, complain);
    for (const entry of entries) {
      const shape = Object.hasOwn(shapes, entry.key) ? shapes[entry.key] : undefined;
      if (shape === undefined) {
        const problem = `unknown key; expected ${Object.keys(shapes).join(', ')}`;
        complain({ key: inside(entry.key), line: entry.line, problem });
        continue;
      }
      const value = shape(entry.value, inside(entry.key), complain);
      if (value !== undefined) values[entry.key] = value;
    }
    const missing = required.filter((name) => !entries.some((entry) => entry.key === name));
    for (const name of missing) complain({ key: inside(name), line: node.line, problem: 'expected, but missing' });
    // Keys and types are those of `shapes`; what is required and was complained about makes the whole unusable.
    return required.every((name) => name in values) ? (values as Partial<F> & Pick<F, R[number]>) : undefined;
  };
}
