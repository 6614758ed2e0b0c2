/**
 * Single settings as Filebeat converts and validates them. Each check returns Filebeat's complaint, or undefined. A
 * value that this program cannot know (keystore, unreadable environment) is no fault.
 */
import { get, readAs, toBool, toInt, toList, toText, toTree } from './read.js';
import { type Failure, failure, type Read, type Tree, type Value } from './tree.js';
import type { Scope } from './variables.js';

/** Filebeat's complaint about a setting; undefined if there is none. */
export type Complaint = Failure | undefined;

/** The first complaint of several checks. Does not run the checks after it. */
export function first(...checks: (() => Complaint)[]): Complaint {
  for (const check of checks) {
    const complaint = check();
    if (complaint) return complaint;
  }
  return undefined;
}

/** Checks the value of a key if it is present. `takes`: a description of valid values. */
function present(tree: Tree, key: string, scope: Scope, takes: string, check: (value: Value) => Complaint): Complaint {
  const found = get(tree, key, scope);
  if (!found.ok) return named(found, key);
  return found.value ? problemOf(check(found.value), takes) : undefined;
}

/** Adds a description of valid values to a complaint about a value. */
export function problemOf(complaint: Complaint, takes: string): Complaint {
  if (!complaint || !/^(?:wrong-type|bad-value)$/.test(complaint.fault.code)) return complaint;
  return { ...complaint, fault: { ...complaint.fault, takes } };
}

/** A failed conversion as a complaint about a key; undefined if the value is unknown. */
function named(read: Read<unknown>, key: string): Complaint {
  if (read.ok || read.unresolved) return undefined;
  return { ok: false, fault: { subject: key, ...read.fault } };
}

/** A string. Numbers and booleans count as well. */
export function text(tree: Tree, key: string, scope: Scope): Complaint {
  return present(tree, key, scope, 'a text', (value) => named(toText(value, scope), key));
}

/** A boolean. */
export function truth(tree: Tree, key: string, scope: Scope): Complaint {
  return present(tree, key, scope, 'true or false', (value) => named(toBool(value, scope), key));
}

/** A section (a map or a list). */
export function object(tree: Tree, key: string, scope: Scope): Complaint {
  return present(tree, key, scope, 'a section', (value) => named(toTree(value, scope), key));
}

/** A whole number, not below `min`. */
export function integer(tree: Tree, key: string, scope: Scope, min?: number): Complaint {
  const takes = min === undefined ? 'a whole number' : `a whole number, at least ${min}`;
  return present(tree, key, scope, takes, (value) => {
    const read = toInt(value, scope);
    if (read.ok && min !== undefined && read.value < min) return failure('bad-value', value.at, key);
    return named(read, key);
  });
}

/** One of a list of words; `loose` ignores case. */
export function oneOf(tree: Tree, key: string, scope: Scope, words: readonly string[], loose = false): Complaint {
  const takes = `one of ${words.filter((word) => word !== '').join(', ')}`;
  return present(tree, key, scope, takes, (value) => {
    const read = toText(value, scope);
    if (!read.ok) return named(read, key);
    return words.includes(loose ? read.value.toLowerCase() : read.value)
      ? undefined
      : failure('bad-value', value.at, key);
  });
}

/** A list of strings, or a single one. */
export function texts(tree: Tree, key: string, scope: Scope, allowed?: (word: string) => boolean): Complaint {
  return present(tree, key, scope, 'a list of texts', (value) => {
    const list = toList(value, scope);
    if (!list.ok) return named(list, key);
    for (const item of list.value) {
      const read = toText(item, scope);
      if (!read.ok) return named(read, key);
      if (allowed && !allowed(read.value)) return failure('bad-value', item.at, key);
    }
    return undefined;
  });
}

/** A size such as `10KiB`, or zero. */
export function size(tree: Tree, key: string, scope: Scope): Complaint {
  return present(tree, key, scope, 'a size such as 10MiB', (value) => {
    const read = toText(value, scope);
    if (!read.ok) return named(read, key);
    return parseSize(read.value) === undefined ? failure('bad-value', value.at, key) : undefined;
  });
}

/** A duration. `nonzero` and `positive` (not negative) are the names of Filebeat's validators. */
export function duration(
  tree: Tree,
  key: string,
  scope: Scope,
  limits: { nonzero?: boolean; positive?: boolean } = {},
): Complaint {
  return present(tree, key, scope, 'a duration such as 30s', (value) => {
    const read = toDuration(value, scope);
    if (!read.ok) return named(read, key);
    const bad = (limits.nonzero && read.value === 0) || (limits.positive && read.value < 0);
    return bad ? failure('bad-value', value.at, key) : undefined;
  });
}

const SIZE_UNITS: Record<string, number> = { b: 1, '': 1 };
for (const [power, letter] of [...'kmgtpe'].entries()) {
  SIZE_UNITS[letter] = SIZE_UNITS[`${letter}b`] = 1000 ** (power + 1);
  SIZE_UNITS[`${letter}i`] = SIZE_UNITS[`${letter}ib`] = 1024 ** (power + 1);
}

/** `10KiB`, `1 MB`, `1,000` → bytes; undefined for anything else. */
export function parseSize(input: string): number | undefined {
  const [, digits = '', unit = ''] = /^([\p{Nd}.,]*)([\s\S]*)$/u.exec(input) ?? [];
  const number = digits.replaceAll(',', '');
  const factor = SIZE_UNITS[unit.trim().toLowerCase()];
  if (!/^(?:\d+(?:\.\d*)?|\.\d+)$/.test(number) || factor === undefined) return undefined;
  const bytes = Number(number) * factor;
  return bytes < 2 ** 64 ? Math.trunc(bytes) : undefined;
}

const DURATION_UNITS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Go's `time.ParseDuration` → nanoseconds; undefined if it fails. */
export function parseDuration(input: string): number | undefined {
  const body = input.replace(/^[-+]/, '');
  const sign = input.startsWith('-') ? -1 : 1;
  if (body === '0') return 0;
  if (body === '' || !/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0;
  for (const [, number, unit] of body.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(number) * DURATION_UNITS[unit!]!;
  }
  return total < 2 ** 63 ? sign * total : undefined;
}

/** A duration in nanoseconds. A bare number counts as seconds, but one from a variable is an error. */
export function toDuration(value: Value, scope: Scope): Read<number> {
  if (value.kind === 'int' || value.kind === 'float') return { ok: true, value: Number(value.value) * 1e9 };
  const read = toText(value, scope);
  if (!read.ok) return read;
  const nanoseconds = parseDuration(read.value);
  return nanoseconds === undefined ? failure('bad-value', value.at) : { ok: true, value: nanoseconds };
}

/** The one enabled child of a key that allows only one (`output`, `queue`, `protocol`). */
export function singleChoice(tree: Tree, key: string, scope: Scope): Read<{ name: string; tree: Tree } | undefined> {
  const found = get(tree, key, scope);
  if (!found.ok) return found;
  if (!found.value) return { ok: true, value: undefined };
  const branch = toTree(found.value, scope);
  if (!branch.ok) return failure('wrong-type', found.value.at, key);
  return chooseOne(branch.value, key, scope);
}

/** Children that are no sections are errors only if there is no section; disabled sections do not count. */
export function chooseOne(branch: Tree, key: string, scope: Scope): Read<{ name: string; tree: Tree } | undefined> {
  let chosen: { name: string; tree: Tree } | undefined;
  let lastError: Failure | undefined;
  for (const [name, value] of branch.names) {
    const section = toTree(value, scope);
    if (!section.ok) {
      if (section.unresolved) return section;
      lastError = failure('wrong-type', value.at, `${key}.${name}`);
      continue;
    }
    lastError = undefined;
    if (!isEnabled(section.value, scope)) continue;
    if (chosen) return failure('more-than-one-choice', value.at, key);
    chosen = { name, tree: section.value };
  }
  return !chosen && lastError ? lastError : { ok: true, value: chosen };
}

/** `enabled` of a section or an input; true also for anything but a boolean. */
export function isEnabled(tree: Tree, scope: Scope): boolean {
  return readAs(tree, 'enabled', scope, toBool) ?? true;
}
