/** Holds an expression's words against the metric table: what it asks for must be something that the exporter says. */
import { labelsOf, type MetricName, metricTable } from '../../src/exporter/metrics/metric-table.js';
import { mismatchCodes, mismatches } from '../../src/model/mismatches.js';
import type { GapReason, PortStatus } from '../../src/model/model.js';
import { type Selector, vocabulary } from './promql.js';
import { recorded } from './rules.js';

/** Every status, checked by the compiler. */
export const statuses = {
  listening: 0,
  missing: 0,
  taken: 0,
  narrower: 0,
  owner_hidden: 0,
  instance_down: 0,
  starting: 0,
  deaf: 0,
  unknown: 0,
  invalid: 0,
  refused: 0,
  unresolved: 0,
} satisfies Record<PortStatus, 0>;

const reasons = {
  denied: 0,
  vanished: 0,
  malformed: 0,
  missing: 0,
  limit: 0,
  blocked: 0,
  unclear: 0,
  vantage: 0,
} satisfies Record<GapReason, 0>;

/** Values that a label can have, where they are few. */
const values: Record<string, readonly string[]> = {
  code: mismatchCodes,
  severity: Object.values(mismatches).map((m) => m.severity),
  status: Object.keys(statuses),
  reason: Object.keys(reasons),
  protocol: ['udp', 'tcp'],
};

/** Labels that Prometheus attaches. */
const ofTargets = ['job', 'instance'];
/** Series that Prometheus itself makes. */
const ofPrometheus: Record<string, string[]> = { up: [], ALERTS: ['alertname', 'alertstate'] };

/** Labels of a series that the exporter, Prometheus or a recording rule makes; undefined when nobody does. */
export function labelsOfSeries(metric: string): string[] | undefined {
  if (metric in metricTable) return [...labelsOf(metric as MetricName), ...ofTargets];
  if (metric in ofPrometheus) return [...ofPrometheus[metric]!, ...ofTargets];
  const expr = recorded.get(metric);
  return expr === undefined ? undefined : labelsIn(expr);
}

/** Every label that a series of this expression could have. */
export function labelsIn(expr: string): string[] {
  return [...new Set(vocabulary(expr).selectors.flatMap(({ metric }) => labelsOfSeries(metric) ?? []))];
}

function strangeMatchers({ metric, matchers }: Selector): string[] {
  const labels = labelsOfSeries(metric);
  if (labels === undefined) return [`nobody makes the series ${metric}`];
  return matchers.flatMap(({ label, operator, value }) => {
    if (!labels.includes(label)) return [`${metric} has no label ${label}`];
    const allowed = values[label];
    if (allowed === undefined || value.includes('.*')) return [];
    const wanted = operator.endsWith('~') ? value.split('|') : [value];
    return wanted.filter((one) => one !== '' && !allowed.includes(one)).map((one) => `${label} is never ${one}`);
  });
}

/** What an expression asks for that does not exist: sentences, none when all is well. */
export function strangeWords(expr: string): string[] {
  const { selectors, grouping } = vocabulary(expr);
  const labels = labelsIn(expr);
  return [
    ...selectors.flatMap(strangeMatchers),
    // A target's label pushes the exporter's aside, which is then called so.
    ...grouping
      .filter((label) => !labels.includes(label.replace(/^exported_/, '')))
      .map((label) => `no series here has the label ${label}`),
  ];
}
