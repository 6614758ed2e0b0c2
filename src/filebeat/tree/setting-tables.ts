/**
 * Sections as tables: which settings Filebeat reads of one, and how it converts and checks each. What a table does not
 * name is not read, so nothing in it can be wrong. Follows go-ucfg 0.8 (`reify.go`, `validator.go`), which fills the
 * structs of Filebeat's sources.
 */
import { type Complaint, duration, integer, object, oneOf, size, text, texts, truth } from './checks.js';
import { get, toList, toPlain, toText, toTree } from './read.js';
import type { Tree, Value } from './tree.js';
import { failure, type Scope } from './variables.js';

/** Reads one setting, by its dotted key, and says what Filebeat would hold against it. */
export type Setting = (tree: Tree, key: string, scope: Scope) => Complaint;

/** Dotted key → how it is read. */
export type Settings = Readonly<Record<string, Setting>>;

interface Row {
  key: string;
  /** First name of the key: where a section lacks it, the setting is absent. */
  head: string;
  setting: Setting;
}

const rowsOf = new WeakMap<Settings, readonly Row[]>();
/** Settings that have nothing to say where they are absent, so that they need not be asked. */
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

/** Marks a setting that has nothing to say where it is absent. */
export function optionalCheck(setting: Setting): Setting {
  optionalChecks.add(setting);
  return setting;
}

/** What lies behind an undefined variable counts as absent. */
function hidden(tree: Tree, key: string, scope: Scope): boolean {
  const above = get(tree, key.slice(0, key.lastIndexOf('.')), scope);
  if (!above.ok) return above.fault.code === 'undefined-variable';
  if (above.value?.kind !== 'dynamic') return false;
  const settled = toTree(above.value, scope);
  return !settled.ok && settled.fault.code === 'undefined-variable';
}

/** Has to be there and not be empty: a text, list or map without anything in it counts as missing (`validate:"required"`). */
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
/** A list of texts, none of them empty, at least one. */
export const textsRequired: Setting = (tree, key, scope) => {
  const complaint = givenTexts(tree, key, scope);
  if (complaint) return complaint;
  const found = get(tree, key, scope);
  const list = found.ok && found.value ? toList(found.value, scope) : undefined;
  if (!list?.ok) return undefined;
  const blank = list.value.length === 0 ? found.ok && found.value : list.value.find((item) => isBlank(item, scope));
  return blank ? failure('missing-setting', blank.at, key) : undefined;
};

/** Text that is one of some words, in any case. */
export const word = (...words: string[]): Setting =>
  optionalCheck((tree, key, scope) => oneOf(tree, key, scope, words, true));

/** Text that is exactly one of some words. */
export const exactly = (...words: string[]): Setting =>
  optionalCheck((tree, key, scope) => oneOf(tree, key, scope, words));

/** A whole number from `least` on. */
export const atLeast = (least: number): Setting =>
  optionalCheck((tree, key, scope) => integer(tree, key, scope, least));

/** A duration that is not negative. */
export const notNegative: Setting = (tree, key, scope) => duration(tree, key, scope, { positive: true });

/** A duration above zero. */
export const lasting: Setting = (tree, key, scope) => duration(tree, key, scope, { positive: true, nonzero: true });

/** A text that passes a test. */
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

/** Anything, but every variable in it has to be defined. */
export const anything: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  const plain = found.value ? toPlain(found.value, scope) : undefined;
  return plain === undefined || plain.ok || plain.unresolved ? undefined : plain;
};

/** A map with anything in it. A list counts as an empty one, so its entries are not read. */
export const map: Setting = (tree, key, scope) =>
  withTree(tree, key, scope, (inner) => {
    const plain = toPlain({ ...inner, items: undefined }, scope);
    return plain.ok || plain.unresolved ? undefined : plain;
  });

/** A list of anything. A map counts as an empty one. */
export const list: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  const items = found.value ? toList(found.value, scope) : undefined;
  if (!items) return undefined;
  if (!items.ok) return items.unresolved ? undefined : items;
  for (const item of items.value) {
    const plain = toPlain(item, scope);
    if (!plain.ok && !plain.unresolved) return plain;
  }
  return undefined;
};

const givenMap = required(map);
/** A map that has at least one name with something behind it: null and an empty map are nothing. */
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

/** A section below this one, with settings of its own. */
export const section = (table: Settings, also?: (inner: Tree, scope: Scope) => Complaint): Setting =>
  optionalCheck((tree, key, scope) =>
    withTree(tree, key, scope, (inner) => under(key, checkSettings(inner, table, scope) ?? also?.(inner, scope))),
  );

/** A list of sections; a single one is a list of one only when written as a list. */
export const sections =
  (table: Settings, also?: (inner: Tree, scope: Scope) => Complaint): Setting =>
  (tree, key, scope) => {
    const found = get(tree, key, scope);
    if (!found.ok) return found.unresolved ? undefined : found;
    const list = found.value ? toList(found.value, scope) : undefined;
    if (!list) return undefined;
    if (!list.ok) return list.unresolved ? undefined : list;
    for (const item of list.value) {
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

/** Names the whole key in a complaint about a part; the name of a variable stays as it is. */
export function under(key: string, complaint: Complaint): Complaint {
  if (!complaint) return undefined;
  const { code, subject } = complaint.fault;
  if (code === 'undefined-variable' || code === 'reference-cycle' || subject === undefined) return complaint;
  return { ...complaint, fault: { ...complaint.fault, subject: `${key}.${subject}` } };
}
