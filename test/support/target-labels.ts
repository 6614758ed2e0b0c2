/** Series as Prometheus stores them if targets have labels, some of which the exporter uses too. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { parseExposition } from './exposition.js';
import { vocabulary } from './promql.js';
import { alerts, prometheusFolder, recorded, testName } from './rules.js';
import { labelsOfSeries } from './table-words.js';

export type Labels = Record<string, string>;

/** Labels of the Prometheus Operator, and other common labels. */
export const targetLabels: Labels = {
  container: 'sidecar',
  pod: 'exporter-x7f2k',
  namespace: 'monitoring',
  service: 'exporters',
  endpoint: 'metrics',
  version: '7.7.7',
  unit: 'rack-12',
  origin: 'inventory',
  name: 'edge',
};

export interface Attach {
  labels: Labels;
  /** `honor_labels` of the scrape configuration: whose label is kept if both have it. */
  honor: boolean;
}

interface Sample {
  labels: string;
  value: number;
}

interface RuleTest {
  input_series?: { series: string; values: string }[];
  promql_expr_test?: { expr: string; exp_samples?: Sample[] }[];
  alert_rule_test?: { alertname: string; exp_alerts?: { exp_labels: Labels }[] }[];
}

export function parseSeries(text: string): { metric: string; labels: Labels } {
  const [, metric = '', inner = ''] = /^([\w:]*)\{(.*)\}$/s.exec(text) ?? [];
  const found = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return { metric, labels: Object.fromEntries(found.map(([, label = '', value = '']) => [label, value])) };
}

export function seriesText({ metric, labels }: { metric: string; labels: Labels }): string {
  const inner = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return `${metric}{${inner.join(', ')}}`;
}

/**
 * Labels of a scraped sample as Prometheus stores them (its `mutateSampleLabels`). An empty label of the exporter counts
 * as present with honor_labels, and as absent without.
 */
export function attach(labels: Labels, { labels: more, honor }: Attach, own: readonly string[]): Labels {
  const stored = { ...labels };
  for (const [label, value] of Object.entries(more)) {
    if (honor && own.includes(label)) continue;
    if (stored[label]) stored[`exported_${label}`] = stored[label];
    stored[label] = value;
  }
  return stored;
}

const fixtures = fileURLToPath(new URL('../../../fixtures/', import.meta.url));

/** The series of all scenarios, each as a host of its own, in promtool's notation; `how`: labels of the targets. */
export function scrapedSeries(job: string, how?: Attach): { series: string; values: string }[] {
  return readdirSync(fixtures).flatMap((host) => {
    const scraped = parseExposition(readFileSync(`${fixtures}${host}/expected/metrics.txt`, 'utf8'));
    return [{ name: 'up', labels: new Map<string, string>(), value: 1 }, ...scraped].map(({ name, labels, value }) => {
      const own = Object.fromEntries(labels);
      const stored = how === undefined ? own : attach(own, how, Object.keys(own));
      return {
        series: seriesText({ metric: name, labels: { ...stored, job, instance: `${host}:9117` } }),
        values: `${value}x60`,
      };
    });
  });
}

const expressionOf = (name: string): string =>
  alerts.find((rule) => rule.alert === name)?.expr ?? recorded.get(name) ?? '';

/** Labels of an alert: those of the left side that its expression keeps. */
function ofAlert(name: string, labels: Labels, how: Attach): Labels {
  const expr = expressionOf(name);
  if (expr.startsWith('absent(')) return labels;
  const own = labelsOfSeries(vocabulary(expr).selectors[0]!.metric) ?? [];
  const dropped = [...expr.matchAll(/without \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  return Object.fromEntries(
    Object.entries(attach(labels, how, own)).filter(([label]) => label in labels || !dropped.includes(label)),
  );
}

/** The labels of `count by (…) (ALERTS)`, with the renamed ones. */
const by = ['alertname', 'instance', 'name', 'exported_name', 'port'];

function expectedSample({ labels, value }: Sample, how: Attach): Sample {
  const alert = parseSeries(labels).labels;
  const told = Object.entries(ofAlert(alert['alertname'] ?? '', alert, how)).filter(([label]) => by.includes(label));
  return { labels: seriesText({ metric: '', labels: Object.fromEntries(told) }), value };
}

/** The unit tests of the rules with these labels on every target; `texts`: including the annotations. JSON is YAML. */
export function testsWithTargetLabels(how: Attach, texts: boolean): string {
  const file = load(readFileSync(prometheusFolder + testName, 'utf8')) as { tests: RuleTest[] };
  const tests = file.tests.map((test) => ({
    ...test,
    input_series: test.input_series?.map(({ series, values }) => {
      const { metric, labels } = parseSeries(series);
      return { series: seriesText({ metric, labels: attach(labels, how, labelsOfSeries(metric) ?? []) }), values };
    }),
    promql_expr_test: test.promql_expr_test?.map((one) => ({
      ...one,
      expr: one.expr.replace('name, port', 'name, exported_name, port'),
      exp_samples: one.exp_samples?.map((sample) => expectedSample(sample, how)),
    })),
    alert_rule_test: (texts ? test.alert_rule_test : [])?.map((one) => ({
      ...one,
      exp_alerts: one.exp_alerts?.map((alert) => ({
        ...alert,
        exp_labels: ofAlert(one.alertname, alert.exp_labels, how),
      })),
    })),
  }));
  return JSON.stringify({ ...file, tests });
}
