/** The example rules as data, and as text without single rules. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';

export const prometheusFolder = fileURLToPath(new URL('../../../examples/prometheus/', import.meta.url));
export const rulesName = 'filebeat-port-exporter.rules.yml';
export const testName = 'filebeat-port-exporter.test.yml';

export interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export type Alert = Rule & { alert: string };

export const rulesText = readFileSync(prometheusFolder + rulesName, 'utf8');
export const rules = (load(rulesText) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
export const alerts = rules.filter((rule): rule is Alert => rule.alert !== undefined);
/** Name of a recorded series → its expression. */
export const recorded = new Map(rules.flatMap(({ record, expr }) => (record === undefined ? [] : [[record, expr]])));

/** The rules file without one alert or recording rule. */
export function rulesWithout(name: string): string {
  const block = new RegExp(`^ {6}- (?:alert|record): ${name}\\n(?: {8}.*\\n)+`, 'm');
  if (!block.test(rulesText)) throw new Error(`no rule ${name}`);
  return rulesText.replace(block, '');
}

/** The alert itself, or the alerts whose expression reads that recorded series. */
export function alertsThatNeed(name: string): string[] {
  const readers = rules.filter((rule) => rule.alert === name || rule.expr.includes(name));
  return readers.flatMap((rule) => rule.alert ?? alertsThatNeed(rule.record!));
}

/** Only the unit tests in which one of these alerts is expected, as a file of their own (JSON is YAML). */
export function testsAbout(names: readonly string[]): string {
  const file = load(readFileSync(prometheusFolder + testName, 'utf8')) as { tests: unknown[] };
  const concerned = (one: unknown) => names.some((name) => JSON.stringify(one).includes(`\\"${name}\\"`));
  return JSON.stringify({ ...file, tests: file.tests.filter(concerned) });
}
