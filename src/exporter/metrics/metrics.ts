/** Report → exposition: every series of `metric-table.ts`. Only this file imports prom-client, for the exporter's own runtime metrics. */

import { endpointKey } from '../../model/endpoint.js';
import { lastSeenOf, netnsOf, sureStart } from '../../model/instance-rules.js';
import { mismatchCodes, severityOf, mismatches as table } from '../../model/mismatches.js';
import type { GapReason, Instance, PortVerdict, Report, Severity } from '../../model/model.js';
import { perObject } from '../../runtime/unchanged.js';
import { positionText } from '../../words/words.js';
import { type InstanceView, instanceViews, namespaceText, ownerOf, ownSocket } from '../view.js';
import { createExposition, type Exposition, type Format, labelText, type Part, portLabels } from './exposition.js';
import { addSelfReport } from './self-report-metrics.js';

export interface MetricsOptions {
  version: string;
  nodeVersion: string;
  /** Also export `PORT{label="6984"}` for plain ports and every expected UDP listener. */
  legacyPortMetric: boolean;
}

const gapReasons: readonly GapReason[] = [
  'denied',
  'vanished',
  'malformed',
  'missing',
  'limit',
  'blocked',
  'unclear',
  'vantage',
];

const flag = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value));

/** What a verdict says of an instance as a whole. */
interface Standing {
  up: boolean | undefined;
  healthy: boolean | undefined;
  configValid: boolean | undefined;
  pendingRestart: boolean;
}

/** `namespace`: `namespaceText`. */
function addInstance(out: Exposition, instance: Instance, verdict: Standing, namespace: string): void {
  const { name, config, process, prediction } = instance;
  const pid = process === undefined ? '' : String(process.pid);
  const scoped = labelText('instance', [name, config]);
  const live = labelText('process', [name, config, pid]);
  const { paths, release } = prediction;
  out.add('filebeat_instance_up', live, flag(verdict.up));
  out.add('filebeat_instance_healthy', live, flag(verdict.healthy));
  out.add(
    'filebeat_instance_info',
    live,
    1,
    release.version ?? '',
    process?.executable ?? '',
    paths.home,
    paths.config,
    paths.data,
    instance.unit ?? '',
    instance.container ?? '',
    namespace,
    instance.origins[0] ?? '',
  );
  out.add('filebeat_instance_start_time_seconds', live, sureStart(process));
  out.add('filebeat_instance_cpu_seconds_total', live, process?.cpuSeconds);
  out.add('filebeat_instance_resident_memory_bytes', live, process?.residentBytes);
  out.add('filebeat_instance_open_fds', live, process?.openFds);
  out.add('filebeat_instance_max_fds', live, process?.maxFds);
  out.add('filebeat_instance_restarts_total', scoped, instance.restarts);
  out.add('filebeat_instance_config_valid', scoped, flag(verdict.configValid));
  const newest = Math.max(...prediction.files.map((file) => file.mtime ?? -Infinity));
  out.add(
    'filebeat_instance_config_last_modified_timestamp_seconds',
    scoped,
    Number.isFinite(newest) ? newest : undefined,
  );
  out.add('filebeat_instance_config_pending_restart', scoped, Number(verdict.pendingRestart));
}

function addPorts(out: Exposition, ports: readonly PortVerdict[], name: string, config: string, pid: string): void {
  const base = labelText('instance', [name, config]);
  const tally = { udp: { expected: 0, up: 0 }, tcp: { expected: 0, up: 0 } };
  const written = new Set<string>();
  for (const port of ports) {
    // Two samples with the same labels would make the exposition invalid.
    const key = endpointKey(port);
    if (written.has(key)) continue;
    written.add(key);
    if (port.up !== undefined) tally[port.protocol].expected++;
    if (port.up) tally[port.protocol].up++;
    const scoped = portLabels(base, port);
    const owner = ownerOf(port);
    const socket = ownSocket(port);
    out.add('filebeat_port_up', scoped, flag(port.up), pid, port.input);
    out.add(
      'filebeat_port_info',
      scoped,
      1,
      port.input,
      port.status,
      positionText(port.listeners[0]?.declaredIn),
      owner === undefined ? '' : String(owner.pid),
      owner?.comm ?? '',
    );
    out.add('filebeat_port_drops_total', scoped, port.dropsTotal);
    out.add('filebeat_port_receive_queue_bytes', scoped, socket?.receiveQueue);
    out.add('filebeat_port_receive_buffer_bytes', scoped, socket === undefined ? undefined : port.receiveBuffer);
  }
  for (const protocol of ['udp', 'tcp'] as const) {
    out.add('filebeat_instance_expected_ports', base, tally[protocol].expected, protocol);
    out.add('filebeat_instance_up_ports', base, tally[protocol].up, protocol);
  }
}

/** Unchanged verdicts are the same objects in every report: see `correlate/verdict-cache.ts`. */
const portSeries = perObject((ports: readonly PortVerdict[], name: string, config: string, pid: string): Part => {
  const own = createExposition();
  addPorts(own, ports, name, config, pid);
  return own.part();
});

/** Without its ports. */
const instanceSeries = perObject(
  (
    instance: Instance,
    ports: readonly PortVerdict[],
    up: boolean | undefined,
    healthy: boolean | undefined,
    configValid: boolean | undefined,
    pendingRestart: boolean,
    namespace: string,
  ): Part => {
    const own = createExposition();
    addInstance(own, instance, { up, healthy, configValid, pendingRestart }, namespace);
    addSelfReport(own, instance, ports);
    return own.part();
  },
);

function addInstanceOf(out: Exposition, report: Report, { instance, verdict }: InstanceView): void {
  const { ports, up, healthy, configValid, pendingRestart } = verdict;
  const namespace = namespaceText(report, instance);
  out.append(instanceSeries(instance, ports, up, healthy, configValid, pendingRestart, namespace));
  const scoped = labelText('instance', [instance.name, instance.config]);
  const lastSeen = lastSeenOf(instance, report.snapshot.takenAt);
  out.add('filebeat_instance_last_seen_timestamp_seconds', scoped, lastSeen);
}

function addPortsOf(out: Exposition, { instance, verdict }: InstanceView): void {
  const { name, config, process } = instance;
  out.append(portSeries(verdict.ports, name, config, process === undefined ? '' : String(process.pid)));
}

function addMismatches(out: Exposition, report: Report): void {
  // Each code has a series with its usual severity, even at 0; a mismatch with a lower severity is counted there.
  const counts = new Map(mismatchCodes.map((code) => [code, new Map<Severity, number>([[table[code].severity, 0]])]));
  const written = new Set<string>();
  for (const m of report.verdict.mismatches) {
    const severity = severityOf(m);
    const ofCode = counts.get(m.code)!;
    ofCode.set(severity, (ofCode.get(severity) ?? 0) + 1);
    const labels: [string, string, string, string, string, string, string, string] = [
      m.code,
      severity,
      m.name ?? '',
      m.config ?? '',
      String(m.pid ?? ''),
      m.protocol ?? '',
      m.address ?? '',
      String(m.port ?? ''),
    ];
    const key = JSON.stringify(labels);
    if (written.has(key)) continue;
    written.add(key);
    out.add('filebeat_mismatch', '', 1, ...labels);
  }
  for (const [code, ofCode] of counts)
    for (const [severity, count] of ofCode) out.add('filebeat_mismatches', '', count, code, severity);
}

function addNamespaces(out: Exposition, report: Report): void {
  const written = new Set<string>();
  for (const { netns, host, counters } of report.snapshot.namespaces) {
    const label = host ? 'host' : String(netns);
    if (counters === undefined || written.has(label)) continue;
    written.add(label);
    out.add('filebeat_udp_in_datagrams_total', '', counters.inDatagrams, label);
    out.add('filebeat_udp_no_ports_total', '', counters.noPorts, label);
    out.add('filebeat_udp_in_errors_total', '', counters.inErrors, label);
    out.add('filebeat_udp_receive_buffer_errors_total', '', counters.receiveBufferErrors, label);
  }
}

function addStatics(out: Exposition, report: Report): void {
  const written = new Set<string>();
  for (const { protocol, address, port, process, up, owner } of report.verdict.statics) {
    const labels: [string, string, string, string, string] = [
      protocol,
      address ?? '*',
      String(port),
      String((up ? owner?.pid : undefined) ?? ''),
      (up ? owner?.comm : undefined) ?? process ?? '',
    ];
    const key = JSON.stringify(labels);
    if (written.has(key)) continue;
    written.add(key);
    out.add('filebeat_static_port_up', '', Number(up), ...labels);
  }
}

/** The series of the script that this exporter replaces: the number of sockets bound to a port, on any address. */
function addLegacyPorts(out: Exposition, { snapshot, verdict }: Report): void {
  const host = snapshot.namespaces.find((n) => n.host)?.netns;
  const bound = new Map<string, number>();
  for (const { netns, protocol, port } of snapshot.sockets) {
    const key = `${netns}|${protocol}|${port}`;
    bound.set(key, (bound.get(key) ?? 0) + 1);
  }
  const keysByPort = new Map<number, Set<string>>();
  const addKey = (port: number, key: string) => keysByPort.set(port, (keysByPort.get(port) ?? new Set()).add(key));
  for (const { protocol, port } of verdict.statics) addKey(port, `${host}|${protocol}|${port}`);
  snapshot.instances.forEach((instance, i) => {
    const netns = netnsOf(instance, host);
    for (const { protocol, port } of verdict.instances[i]!.ports) {
      if (protocol === 'udp' && port !== undefined && port > 0) addKey(port, `${netns}|udp|${port}`);
    }
  });
  for (const [port, keys] of [...keysByPort].sort(([a], [b]) => a - b)) {
    const sockets = [...keys].reduce((sum, key) => sum + (bound.get(key) ?? 0), 0);
    out.add('PORT', '', sockets, String(port));
  }
}

function addExporter(out: Exposition, { snapshot, stale }: Report, options: MetricsOptions): void {
  out.add('filebeat_port_exporter_build_info', '', 1, options.version, options.nodeVersion);
  out.add('filebeat_port_exporter_scan_duration_seconds', '', snapshot.durationSeconds);
  out.add('filebeat_port_exporter_scan_success', '', Number(snapshot.usable && stale !== true));
  out.add('filebeat_port_exporter_last_scan_timestamp_seconds', '', snapshot.takenAt);
  for (const reason of gapReasons) {
    out.add('filebeat_port_exporter_gaps', '', snapshot.gaps.filter((gap) => gap.reason === reason).length, reason);
  }
  out.add('filebeat_port_exporter_socket_table_reads', '', snapshot.tableReads);
  out.add('filebeat_port_exporter_full_fd_scans_total', '', snapshot.fullFdScans);
}

/** The exposition of one Report. `more`: complete families in the same format, appended to it. */
export function renderMetrics(report: Report, options: MetricsOptions, format: Format = 'text', more = ''): Buffer {
  return Buffer.concat(metricsPieces(report, options, format, more));
}

/** The same in pieces, most of which are those of the last report. */
export function metricsPieces(report: Report, options: MetricsOptions, format: Format, more = ''): Buffer[] {
  const out = createExposition();
  for (const view of instanceViews(report)) {
    addInstanceOf(out, report, view);
    addPortsOf(out, view);
  }
  addMismatches(out, report);
  addNamespaces(out, report);
  addStatics(out, report);
  if (options.legacyPortMetric) addLegacyPorts(out, report);
  addExporter(out, report, options);
  const end = Buffer.from(`${more}${format === 'openmetrics' ? '# EOF\n' : ''}`);
  return [...out.pieces(format), end];
}

/**
 * The exporter's own Node.js runtime metrics, from prom-client's default collectors. Loaded on demand, because
 * prom-client costs 40 ms of start-up. One registry per format, because rendering OpenMetrics permanently removes
 * `_total` from the names of the counters (prom-client 15.1).
 */
export async function createNodeMetrics(): Promise<(format: Format) => Promise<string>> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const text = new Registry();
  const openmetrics = new Registry();
  openmetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as unknown as typeof Registry.PROMETHEUS_CONTENT_TYPE);
  collectDefaultMetrics({ register: text });
  collectDefaultMetrics({ register: openmetrics });
  return async (format) => (format === 'text' ? text.metrics() : (await openmetrics.metrics()).replace(/# EOF\n$/, ''));
}
