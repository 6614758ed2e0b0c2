/** Checks an expression against the metric table: its series, labels and values must exist. */
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

/** The possible values of labels with few values. */
const values: Record<string, readonly string[]> = {
  code: mismatchCodes,
  severity: Object.values(mismatches).map((m) => m.severity),
  status: Object.keys(statuses),
  reason: Object.keys(reasons),
  protocol: ['udp', 'tcp'],
};

/** Labels that Prometheus adds. */
const ofTargets = ['job', 'instance'];
/** Series that Prometheus itself makes. */
const ofPrometheus: Record<string, string[]> = { up: [], ALERTS: ['alertname', 'alertstate'] };

/** Labels of a series of the exporter, of Prometheus or of a recording rule; undefined if there is no such series. */
export function labelsOfSeries(metric: string): string[] | undefined {
  if (metric in metricTable) return [...labelsOf(metric as MetricName), ...ofTargets];
  if (metric in ofPrometheus) return [...ofPrometheus[metric]!, ...ofTargets];
  const expr = recorded.get(metric);
  return expr === undefined ? undefined : labelsIn(expr);
}

/** All labels that a result of this expression can have. */
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

/** One sentence for each series, label or value in the expression that does not exist. */
export function strangeWords(expr: string): string[] {
  const { selectors, grouping } = vocabulary(expr);
  const labels = labelsIn(expr);
  return [
    ...selectors.flatMap(strangeMatchers),
    // If a target has the label, Prometheus renames the exporter's.
    ...grouping
      .filter((label) => !labels.includes(label.replace(/^exported_/, '')))
      .map((label) => `no series here has the label ${label}`),
  ];
}
