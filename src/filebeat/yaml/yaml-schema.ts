/**
 * Schemas of the exporter's own YAML files. A schema is a function: it takes a node, returns its value, and reports
 * problems with key, line and what was expected. A problem never quotes a value, which may be a secret.
 */
import type { YamlNode } from './yaml.js';

/** A key of the file. */
export interface KeyPosition {
  /** `instances[1].name`; empty for the document itself. */
  key: string;
  /** 1-based. */
  line: number;
}

/** A problem with the file. Without position: it concerns the whole file. */
export interface Problem extends Partial<KeyPosition> {
  /** A clause: `expected a duration such as 10m`. */
  what: string;
}

export type ReportProblem = (problem: Problem) => void;

/** Returns undefined after reporting a problem; `optional` also returns it where there is no value. */
export type Schema<T> = (node: YamlNode, at: KeyPosition, report: ReportProblem) => T | undefined;

/** `web.yml:3: rate_limit.burst: expected a whole number`. Keys come from the file and may be long. */
export function problemText(file: string, { key = '', line, what }: Problem): string {
  const position = line === undefined ? file : `${file}:${line}`;
  const shownKey = key.length > 200 ? `${key.slice(0, 200)}…` : key;
  return `${position}: ${shownKey === '' ? '' : `${shownKey}: `}${what}`;
}

const isNull = (node: YamlNode): boolean => node.kind === 'scalar' && node.type === 'null';

function expected(at: KeyPosition, report: ReportProblem, what: string): undefined {
  report({ ...at, what: `expected ${what}` });
}

/** A string for which `parse` returns a value. Numbers must be quoted: YAML turns an unquoted `0644` into 420. */
export function parsed<T>(what: string, parse: (text: string) => T | undefined): Schema<T> {
  return (node, at, report) => {
    const isString = node.kind === 'scalar' && node.type === 'string';
    const value = isString ? parse(String(node.value)) : undefined;
    if (value !== undefined) return value;
    const isUnquoted = node.kind === 'scalar' && !isString && !isNull(node);
    return expected(at, report, what + (isUnquoted ? ' (in quotes, if it looks like something else)' : ''));
  };
}

export const nonEmptyText = (what: string): Schema<string> => parsed(what, (text) => (text === '' ? undefined : text));
export const nonEmpty: Schema<string> = nonEmptyText('a string that is not empty');
export const anyString: Schema<string> = parsed('a string', (text) => text);

/** `true` or `false`, also spelled as YAML 1.1 allows. */
export const boolean: Schema<boolean> = (node, at, report) =>
  node.kind === 'scalar' && node.type === 'bool' ? node.value === true : expected(at, report, 'true or false');

/** A number that passes the test. `what`: a description of valid ones. */
export function number(what: string, accepts: (value: number) => boolean): Schema<number> {
  return (node, at, report) => {
    const isNumber = node.kind === 'scalar' && (node.type === 'int' || node.type === 'float');
    return isNumber && accepts(Number(node.value)) ? Number(node.value) : expected(at, report, what);
  };
}

/** One of these names; returns the value that the name stands for. */
export function oneOf<T>(choices: ReadonlyMap<string, T>): Schema<T> {
  return parsed(`one of ${[...choices.keys()].join(', ')}`, (text) => choices.get(text));
}

/** One of these strings. */
export function choice<const C extends readonly string[]>(...names: C): Schema<C[number]> {
  return oneOf(new Map(names.map((name) => [name, name])));
}

/** A key without a value (`key:`) counts as absent. */
export function optional<T>(schema: Schema<T>): Schema<T> {
  return (node, at, report) => (isNull(node) ? undefined : schema(node, at, report));
}

/** A key that is present, with its position for checks across keys. `value` is absent if it is empty or wrong. */
export interface Located<T> extends KeyPosition {
  value?: T;
  /** It has no value: `key:`. */
  isNull: boolean;
}

/** Adds the position to the value, for checks across keys. */
export function located<T>(schema: Schema<T>): Schema<Located<T>> {
  return (node, at, report) => {
    const value = isNull(node) ? undefined : schema(node, at, report);
    return { ...at, isNull: isNull(node), ...(value === undefined ? {} : { value }) };
  };
}

/** No value (`key:`) is an empty list. Items with problems are left out. */
export function list<T>(item: Schema<T>): Schema<T[]> {
  return (node, at, report) => {
    if (isNull(node)) return [];
    if (node.kind !== 'list') return expected(at, report, 'a list');
    return node.items.flatMap((child, i) => {
      const value = item(child, { key: `${at.key}[${i}]`, line: child.line }, report);
      return value === undefined ? [] : [value];
    });
  };
}

/**
 * The entries of a map; none if there is no value. A repeated key is a problem: YAML libraries disagree on which one
 * counts.
 */
function entriesOf(node: YamlNode, at: KeyPosition, report: ReportProblem, keyText: (name: string) => string) {
  if (isNull(node)) return [];
  if (node.kind !== 'map') return expected(at, report, 'a map');
  for (const { key, line } of node.duplicates ?? []) report({ key: keyText(key), line, what: 'expected once' });
  return node.entries.map(({ key, line, value }) => ({ name: key, at: { key: keyText(key), line }, value }));
}

const inside = (at: KeyPosition) => (name: string) => (at.key === '' ? name : `${at.key}.${name}`);

/** Any keys, one schema of values. `hideKeys`: problems name the map instead of the key, which may be a secret. */
export function record<T>(
  value: Schema<T>,
  {
    hideKeys = false,
    checkKey = () => undefined,
  }: { hideKeys?: boolean; checkKey?: (key: string) => string | undefined } = {},
): Schema<Record<string, T>> {
  return (node, at, report) => {
    const entries = entriesOf(node, at, report, hideKeys ? () => at.key : inside(at));
    return (
      entries &&
      Object.fromEntries(
        entries.flatMap((entry) => {
          const read = value(entry.value, entry.at, report);
          const what = checkKey(entry.name);
          if (what !== undefined) report({ ...entry.at, what });
          return read === undefined || what !== undefined ? [] : [[entry.name, read]];
        }),
      )
    );
  };
}

/** Known keys with their schemas; only the required ones must be present. No value is an empty map. */
export function map<F extends Record<string, unknown>, const R extends readonly (keyof F & string)[] = []>(
  schemas: { [K in keyof F]: Schema<F[K]> },
  ...required: R
): Schema<Partial<F> & Pick<F, R[number]>> {
  return (node, at, report) => {
    const known = (name: string) => (Object.hasOwn(schemas, name) ? name : printable(name));
    const entries = entriesOf(node, at, report, (name) => inside(at)(known(name)));
    if (entries === undefined) return undefined;
    const values: Record<string, unknown> = {};
    for (const entry of entries) {
      const schema = Object.hasOwn(schemas, entry.name) ? schemas[entry.name] : undefined;
      if (schema === undefined) {
        report({ ...entry.at, what: `unknown key; expected ${Object.keys(schemas).join(', ')}` });
        continue;
      }
      const value = schema(entry.value, entry.at, report);
      if (value !== undefined) values[entry.name] = value;
    }
    const missing = required.filter((name) => !entries.some((entry) => entry.name === name));
    for (const name of missing) report({ key: inside(at)(name), line: node.line, what: 'expected, but missing' });
    // `values` has the keys and types of `schemas`.
    return required.every((name) => name in values) ? (values as Partial<F> & Pick<F, R[number]>) : undefined;
  };
}

/** In a broken file a password may end up where a key belongs: print only what looks like a key. */
function printable(name: string): string {
  return /^\w[\w-]{0,39}$/.test(name) ? name : '(no name)';
}
