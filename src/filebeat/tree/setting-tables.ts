/**
 * Sections as tables: which settings Filebeat reads, and how it converts and checks each. Filebeat ignores settings
 * that a table does not name. Follows go-ucfg 0.8 (`reify.go`, `validator.go`), which fills the structs of Filebeat's
 * sources.
 */
import { type Complaint, duration, integer, object, oneOf, size, text, texts, truth } from './checks.js';
import { get, getAs, toList, toPlain, toText, toTree } from './read.js';
import { failure, type Tree, type Value } from './tree.js';
import type { Scope } from './variables.js';

/** Checks one setting by its dotted key; returns Filebeat's complaint. */
export type Setting = (tree: Tree, key: string, scope: Scope) => Complaint;

/** Dotted key → how it is read. */
export type Settings = Readonly<Record<string, Setting>>;

interface Row {
  key: string;
  /** First name of the key: a section without it lacks the setting. */
  head: string;
  setting: Setting;
}

const rowsOf = new WeakMap<Settings, readonly Row[]>();
/** Checks that never complain about an absent setting, so that they need not run. */
const optionalChecks = new WeakSet<Setting>([text, texts, truth, integer, duration, size, object]);

/** The first complaint about the settings of a section. */
export function checkSettings(tree: Tree, table: Settings, scope: Scope): Complaint {
  let rows = rowsOf.get(table);
  if (!rows) {
    rows = Object.entries(table).map(([key, setting]) => ({ key, head: key.split('.', 1)[0]!, setting }));
    rowsOf.set(table, rows);
  }
  for (const { key, head, setting } of rows) {
    if (!tree.names.has(head) && optionalChecks.has(setting)) continue;
    if (head.length < key.length && hidden(tree, key, scope)) continue;
    const complaint = setting(tree, key, scope);
    if (complaint) return complaint;
  }
  return undefined;
}

/** Marks a check that never complains about an absent setting. */
export function optionalCheck(setting: Setting): Setting {
  optionalChecks.add(setting);
  return setting;
}

/** Settings below an undefined variable count as absent. */
function hidden(tree: Tree, key: string, scope: Scope): boolean {
  const above = get(tree, key.slice(0, key.lastIndexOf('.')), scope);
  if (!above.ok) return above.fault.code === 'undefined-variable';
  if (above.value?.kind !== 'dynamic') return false;
  const settled = toTree(above.value, scope);
  return !settled.ok && settled.fault.code === 'undefined-variable';
}

/** Present and not empty: an empty string, list or map counts as missing (`validate:"required"`). */
export function required(setting: Setting): Setting {
  return (tree, key, scope) => {
    const found = get(tree, key, scope);
    if (found.ok && (!found.value || isBlank(found.value, scope)))
      return failure('missing-setting', (found.value ?? tree).at, key);
    return setting(tree, key, scope);
  };
}

function isBlank(value: Value, scope: Scope): boolean {
  const read = toText(value, scope);
  if (read.ok) return read.value === '';
  const tree = toTree(value, scope);
  return tree.ok && tree.value.names.size === 0 && (tree.value.items ?? []).length === 0;
}

const givenTexts = required(texts);
/** A list of at least one string, none of them empty. */
export const textsRequired: Setting = (tree, key, scope) => {
  const complaint = givenTexts(tree, key, scope);
  if (complaint) return complaint;
  const found = get(tree, key, scope);
  const list = found.ok && found.value ? toList(found.value, scope) : undefined;
  if (!list?.ok) return undefined;
  const blank = list.value.length === 0 ? found.ok && found.value : list.value.find((item) => isBlank(item, scope));
  return blank ? failure('missing-setting', blank.at, key) : undefined;
};

/** One of some words, in any case. */
export const word = (...words: string[]): Setting =>
  optionalCheck((tree, key, scope) => oneOf(tree, key, scope, words, true));

/** One of some words, in this case. */
export const exactly = (...words: string[]): Setting =>
  optionalCheck((tree, key, scope) => oneOf(tree, key, scope, words));

/** A whole number of at least `least`. */
export const atLeast = (least: number): Setting =>
  optionalCheck((tree, key, scope) => integer(tree, key, scope, least));

/** A duration that is not negative. */
export const notNegative: Setting = (tree, key, scope) => duration(tree, key, scope, { positive: true });

/** A duration above zero. */
export const lasting: Setting = (tree, key, scope) => duration(tree, key, scope, { positive: true, nonzero: true });

/** A string that passes a test. */
export const textThat = (passes: (text: string) => boolean): Setting =>
  optionalCheck((tree, key, scope) => {
    const bad = text(tree, key, scope);
    if (bad) return bad;
    const found = get(tree, key, scope);
    const read = found.ok && found.value ? toText(found.value, scope) : undefined;
    return read?.ok && !passes(read.value) && found.ok && found.value
      ? failure('bad-value', found.value.at, key)
      : undefined;
  });

/** Any value, if all of its variables are defined. */
export const anything: Setting = (tree, key, scope) => {
  const plain = getAs(tree, key, scope, toPlain);
  return plain.ok || plain.unresolved ? undefined : plain;
};

/** A map with any values. A list counts as an empty map; Filebeat does not read its items. */
export const map: Setting = (tree, key, scope) =>
  withTree(tree, key, scope, (inner) => {
    const plain = toPlain({ ...inner, items: undefined }, scope);
    return plain.ok || plain.unresolved ? undefined : plain;
  });

/** A list of any values. A map counts as an empty list. */
export const list: Setting = (tree, key, scope) => {
  const items = getAs(tree, key, scope, toList);
  if (!items.ok) return items.unresolved ? undefined : items;
  for (const item of items.value ?? []) {
    const plain = toPlain(item, scope);
    if (!plain.ok && !plain.unresolved) return plain;
  }
  return undefined;
};

const givenMap = required(map);
/** A map with at least one value other than null or an empty map. */
export const mapRequired: Setting = (tree, key, scope) => {
  const complaint = givenMap(tree, key, scope);
  if (complaint) return complaint;
  return withTree(tree, key, scope, (inner) =>
    [...inner.names.values()].every((value) => isNothing(value, scope))
      ? failure('missing-setting', inner.at, key)
      : undefined,
  );
};

function isNothing(value: Value, scope: Scope): boolean {
  const plain = toPlain(value, scope);
  return plain.ok && plain.value === null;
}

/** A section inside this one, with its own table. */
export const section = (table: Settings, also?: (inner: Tree, scope: Scope) => Complaint): Setting =>
  optionalCheck((tree, key, scope) =>
    withTree(tree, key, scope, (inner) => under(key, checkSettings(inner, table, scope) ?? also?.(inner, scope))),
  );

/** A list of sections. A single section must be written as a list, too. */
export const sections =
  (table: Settings, also?: (inner: Tree, scope: Scope) => Complaint): Setting =>
  (tree, key, scope) => {
    const list = getAs(tree, key, scope, toList);
    if (!list.ok) return list.unresolved ? undefined : list;
    for (const item of list.value ?? []) {
      const inner = toTree(item, scope);
      if (!inner.ok) {
        if (inner.unresolved) continue;
        return failure(inner.fault.code, item.at, inner.fault.subject ?? key);
      }
      const complaint = under(key, checkSettings(inner.value, table, scope) ?? also?.(inner.value, scope));
      if (complaint) return complaint;
    }
    return undefined;
  };

function withTree(tree: Tree, key: string, scope: Scope, check: (inner: Tree) => Complaint): Complaint {
  const found = get(tree, key, scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  if (!found.value) return undefined;
  const inner = toTree(found.value, scope);
  if (inner.ok) return check(inner.value);
  if (inner.unresolved) return undefined;
  return failure(inner.fault.code, found.value.at, inner.fault.subject ?? key);
}

for (const setting of [notNegative, lasting, anything, map, list]) optionalCheck(setting);

/** Adds the section's key to the subject of a complaint; leaves the name of a variable as it is. */
export function under(key: string, complaint: Complaint): Complaint {
  if (!complaint) return undefined;
  const { code, subject } = complaint.fault;
  if (code === 'undefined-variable' || code === 'reference-cycle' || subject === undefined) return complaint;
  return { ...complaint, fault: { ...complaint.fault, subject: `${key}.${subject}` } };
}
