/** The figures that a Filebeat reports about itself. An unknown figure is absent, never 0. */
import { endpointKey } from '../../model/endpoint.js';
import type { Instance, PortVerdict } from '../../model/model.js';
import { logErrorKinds } from '../../model/self-report.js';
import { type Exposition, labelText, portLabels } from './exposition.js';

export function addSelfReport(out: Exposition, instance: Instance, ports: readonly PortVerdict[]): void {
  const { name, config, selfReport } = instance;
  if (selfReport === undefined) return;
  const scoped = labelText('instance', [name, config]);
  const { counts, source } = selfReport;
  out.add('filebeat_instance_self_report_success', scoped, Number(selfReport.success), source);
  out.add('filebeat_instance_self_report_timestamp_seconds', scoped, selfReport.at, source);
  out.add('filebeat_instance_pipeline_active_events', scoped, selfReport.active);
  out.add('filebeat_instance_pipeline_queue_max_events', scoped, selfReport.queueMax);
  out.add('filebeat_instance_output_last_ack_timestamp_seconds', scoped, selfReport.lastAck);
  if (selfReport.outputType !== undefined) out.add('filebeat_instance_output_info', scoped, 1, selfReport.outputType);
  if (counts !== undefined && selfReport.at !== undefined) {
    out.add('filebeat_instance_pipeline_events_total', scoped, counts.events);
    out.add('filebeat_instance_pipeline_filtered_events_total', scoped, counts.filtered);
    out.add('filebeat_instance_output_events_total', scoped, counts.acked, 'acked');
    out.add('filebeat_instance_output_events_total', scoped, counts.duplicate, 'duplicate');
    out.add('filebeat_instance_output_events_total', scoped, counts.deadLetter, 'dead_letter');
    out.add('filebeat_instance_output_events_total', scoped, counts.dropped, 'dropped');
    out.add('filebeat_instance_output_failed_attempts_total', scoped, counts.failedAttempts);
    out.add('filebeat_instance_output_bytes_total', scoped, counts.bytes);
  }
  for (const kind of selfReport.logErrors === undefined ? [] : logErrorKinds)
    out.add('filebeat_instance_log_errors_total', scoped, selfReport.logErrors![kind], kind);
  const written = new Set<string>();
  for (const port of ports) {
    const key = endpointKey(port);
    const report = selfReport.listeners[key];
    if (report === undefined || written.has(key)) continue;
    written.add(key);
    const at = portLabels(scoped, port);
    out.add('filebeat_port_received_datagrams_total', at, port.protocol === 'udp' ? report.received : undefined);
    out.add('filebeat_port_received_bytes_total', at, report.bytes);
    out.add('filebeat_port_last_arrival_timestamp_seconds', at, report.lastArrival);
    out.add('filebeat_port_filtered_events_total', at, report.filtered);
  }
}
