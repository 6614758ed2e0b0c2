/** Kinds of settings of outputs and related sections, for the tables of `tree/setting-tables.ts`. */
import { validUrl } from '../net/go-url.js';
import { checkCondition } from '../processors/conditions.js';
import { applies, type ReleaseVersion, type RuleId } from '../releases/releases.js';
import { type Complaint, duration, first, integer, problemOf, texts, toDuration } from '../tree/checks.js';
import { get, readAs, toInt, toText, toTree } from '../tree/read.js';
import { checkSettings, map, optionalCheck, type Setting, type Settings, textThat } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { validFormat } from './event-format.js';

/** A table for every release, for those with a rule (`since`) or for those without it (`until`). */
export interface Part {
  since?: RuleId;
  until?: RuleId;
  reads: Settings;
}

/** The first complaint about the settings that a release reads. */
export function checkParts(tree: Tree, parts: readonly Part[], scope: Scope, release: ReleaseVersion): Complaint {
  for (const { since, until, reads } of parts) {
    if ((since !== undefined && !applies(since, release)) || (until !== undefined && applies(until, release))) continue;
    const complaint = checkSettings(tree, reads, scope);
    if (complaint) return complaint;
  }
  return undefined;
}

/** A whole number from `least` to `most`. */
export const between =
  (least: number, most: number): Setting =>
  (tree, key, scope) =>
    first(
      () => integer(tree, key, scope, least),
      () => {
        const number = readAs(tree, key, scope, toInt);
        const takes = `a whole number from ${least} to ${most}`;
        return number !== undefined && number > most ? badValue(tree, key, scope, takes) : undefined;
      },
    );

/** A whole number that is not negative (Go's `uint`). */
export const natural = between(0, Number.MAX_SAFE_INTEGER);

/** A duration of at least `least` seconds. */
export const seconds =
  (least: number): Setting =>
  (tree, key, scope) =>
    first(
      () => duration(tree, key, scope),
      () => {
        const length = readAs(tree, key, scope, toDuration);
        const takes = `a duration of at least ${least}s`;
        return length !== undefined && length < least * 1e9 ? badValue(tree, key, scope, takes) : undefined;
      },
    );

/** A map of strings. A list has no names, so Filebeat reads nothing of it. */
export const textMap: Setting = (tree, key, scope) =>
  first(
    () => map(tree, key, scope),
    () => {
      for (const [name, value] of readAs(tree, key, scope, toTree)?.names ?? []) {
        const read = value.kind === 'nil' ? undefined : toText(value, scope);
        if (read && !read.ok && !read.unresolved) return failure('wrong-type', value.at, `${key}.${name}`);
      }
      return undefined;
    },
  );

/** A list of strings that pass a test. */
export const textsThat =
  (passes: (text: string) => boolean): Setting =>
  (tree, key, scope) =>
    texts(tree, key, scope, passes);

/** A format string, with `%{[field]}` and `%{+date}`. */
export const format = taking('a text in which every %{[field]} and %{+date} is closed', textThat(validFormat));

/** A URL, or an empty string. */
export const url = taking(
  'a URL such as http://proxy:3128',
  textThat((text) => text === '' || validUrl(text)),
);

/** Adds a description of valid values to a setting's complaints. */
export function taking(takes: string, setting: Setting): Setting {
  return optionalCheck((tree, key, scope) => problemOf(setting(tree, key, scope), takes));
}

/** A removed setting: its presence stops the start. */
export const removed: Setting = (tree, key, scope) => {
  const found = get(tree, key, scope);
  return found.ok && found.value ? failure('removed-setting', found.value.at, key) : undefined;
};

/** Filebeat's complaint about a condition, with the setting that contains it. */
export function checkConditionOf(tree: Tree, key: string, scope: Scope): Complaint {
  const found = get(tree, key, scope);
  const complaint = found.ok && found.value ? checkCondition(found.value, scope) : undefined;
  return complaint && { ...complaint, fault: { subject: key, ...complaint.fault } };
}

/** A complaint about the value of a setting, at its position, with a description of valid values. */
export function badValue(tree: Tree, key: string, scope: Scope, takes: string): NonNullable<Complaint> {
  const found = get(tree, key, scope);
  const { fault } = failure('bad-value', found.ok && found.value ? found.value.at : tree.at, key);
  return { ok: false, fault: { ...fault, takes } };
}
