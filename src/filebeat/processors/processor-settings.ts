/** Kinds of settings that several processors have, for the tables of `tree/setting-tables.ts`. */
import { type Complaint, integer, text, texts } from '../tree/checks.js';
import { parseGoFloat, parseGoInt } from '../tree/go-number.js';
import { validGoRegexp } from '../tree/go-regexp.js';
import { get, listedTexts, readAs, toInt, toList, toPlain, toText, toTree } from '../tree/read.js';
import { anything, map, required, type Setting, type Settings, sections, textThat } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import { isGoFloat, type Plain } from '../tree/value.js';
import type { Scope } from '../tree/variables.js';

export type Check = (tree: Tree, scope: Scope) => Complaint;

/** Null counts as absent. */
export function has(tree: Tree, name: string): boolean {
  const value = tree.names.get(name);
  return value !== undefined && value.kind !== 'nil';
}

export function textsOf(tree: Tree, key: string, scope: Scope): string[] {
  return listedTexts(tree, key, scope).map(({ text }) => text);
}

export function positionOfName(tree: Tree, name: string) {
  return (tree.names.get(name) ?? tree).at;
}

/** A number with or without a fraction. */
export const decimal: Setting = (tree, key, scope) => {
  const bad = text(tree, key, scope);
  if (bad) return bad;
  const number = readAs(tree, key, scope, toText);
  const isValid = number === undefined || parseGoFloat(number) !== undefined || parseGoInt(number, true) !== undefined;
  return isValid ? undefined : failure('wrong-type', positionOfName(tree, key), key);
};

/** A whole number from 0 to `most`. */
export const upTo =
  (most: number): Setting =>
  (tree, key, scope) => {
    const bad = integer(tree, key, scope, 0);
    if (bad) return bad;
    const number = readAs(tree, key, scope, toInt);
    return number !== undefined && number > most ? failure('bad-value', positionOfName(tree, key), key) : undefined;
  };

/** A required string that may be empty. */
export const written: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  if (found.ok && !found.value) return failure('missing-setting', tree.at, key);
  return text(tree, key, scope);
};

/** An optional string that must not be empty. */
export const notEmpty: Setting = (tree, key, scope) =>
  text(tree, key, scope) ??
  (readAs(tree, key, scope, toText) === '' ? failure('missing-setting', positionOfName(tree, key), key) : undefined);

/** A list of at least one section. */
export const sectionsRequired = (table: Settings, also?: Check): Setting => {
  const each = sections(table, also);
  return (tree, key, scope) => {
    const missing = required(anything)(tree, key, scope);
    if (missing) return missing;
    if (readAs(tree, key, scope, toList)?.length === 0)
      return failure('missing-setting', positionOfName(tree, key), key);
    return each(tree, key, scope);
  };
};

/** A list of strings, none of them empty. */
export const filledTexts: Setting = (tree, key, scope) =>
  texts(tree, key, scope) ??
  (textsOf(tree, key, scope).includes('') ? failure('missing-setting', positionOfName(tree, key), key) : undefined);

const regexp = textThat(validGoRegexp);

/** A regular expression that Filebeat unpacks as a struct: a list or a map counts as an empty one. */
export const pattern: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  if (found.ok && found.value && toTree(found.value, scope).ok) return undefined;
  return regexp(tree, key, scope);
};

/** The same, required. */
export const patternRequired: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  if (found.ok && found.value && toTree(found.value, scope).ok) return undefined;
  return required(pattern)(tree, key, scope);
};

/** A regular expression with exactly one capturing group. */
export const onePartPattern = textThat(
  (text) =>
    validGoRegexp(text) &&
    [...text.matchAll(/\\.|\((?!\?)|\(\?P?</gs)].filter(([part]) => part[0] === '(').length === 1,
);

/** All leaves of a map; lists count as leaves. */
function* leaves(value: Plain): Generator<Plain> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isGoFloat(value)) {
    for (const inner of Object.values(value)) yield* leaves(inner);
  } else yield value;
}

function leavesOf(tree: Tree, key: string, scope: Scope): Plain[] | undefined {
  const inner = readAs(tree, key, scope, toTree);
  if (!inner || inner.names.size === 0) return [];
  const plain = toPlain({ ...inner, items: undefined }, scope);
  if (!plain.ok) return undefined;
  // Null at the top of the map counts as absent.
  return Object.values(plain.value ?? {}).flatMap((value: Plain) => (value === null ? [] : [...leaves(value)]));
}

/** A map from field names to field names. */
export const targets =
  (needsOne: boolean): Setting =>
  (tree, key, scope) => {
    const bad = map(tree, key, scope);
    if (bad) return bad;
    const values = leavesOf(tree, key, scope);
    if (!values) return undefined;
    if (needsOne && values.length === 0) return failure('missing-setting', positionOfName(tree, key), key);
    return values.every((leaf) => typeof leaf === 'string')
      ? undefined
      : failure('wrong-type', positionOfName(tree, key), key);
  };

/** extract_array: a map from field names to indexes of a list, at least one. */
export const positions: Setting = (tree, key, scope) => {
  const bad = map(tree, key, scope);
  if (bad) return bad;
  const values = leavesOf(tree, key, scope);
  if (!values) return undefined;
  if (values.length === 0) return failure('missing-setting', positionOfName(tree, key), key);
  const isValid = values.every((leaf) =>
    typeof leaf === 'string'
      ? /^\+?\d+$/.test(leaf)
      : (typeof leaf === 'number' || typeof leaf === 'bigint') && leaf >= 0,
  );
  return isValid ? undefined : failure('bad-value', positionOfName(tree, key), key);
};
