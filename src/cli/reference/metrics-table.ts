/** The reference of metrics as Markdown tables, from the metric table. Pure. */
import { labelsOf, type MetricName, metricTable } from '../../exporter/metrics/metric-table.js';

/** Heading and pattern of the metrics below it. The first pattern that matches wins. */
const groups: readonly [string, RegExp][] = [
  ['Filebeats', /^filebeat_instance_/],
  ['The exporter itself', /^filebeat_port_exporter_/],
  ['Ports', /^filebeat_port_/],
  ['Mismatches', /^filebeat_mismatch/],
  ['The kernel', /^filebeat_udp_/],
  ['Plain ports', /^(filebeat_static_port_up|PORT)$/],
];

const order = ['Filebeats', 'Ports', 'Mismatches', 'The kernel', 'Plain ports', 'The exporter itself'];

function groupOf(name: MetricName): string {
  const group = groups.find(([, pattern]) => pattern.test(name))?.[0];
  if (group === undefined) throw new Error(`${name} belongs to no group of the reference`);
  return group;
}

function row(name: MetricName): string {
  const labels = labelsOf(name).map((label) => `\`${label}\``);
  return `| \`${name}\` | ${metricTable[name].type} | ${metricTable[name].help} | ${labels.join(' ')} |`;
}

/** The table of one group. */
export function metricsMarkdown(group: string): string {
  const names = (Object.keys(metricTable) as MetricName[]).filter((name) => groupOf(name) === group);
  return ['| metric | type | value | labels |', '|---|---|---|---|', ...names.map(row), ''].join('\n');
}

export const metricGroups: readonly string[] = order;
