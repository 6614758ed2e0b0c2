/** Every series of the exposition in one table: name, type, help, labels. The reference and the tests are checked against it. */

/** Labels that several families begin with. */
export const scopeLabels = {
  none: [],
  /** `config` is the main configuration path(s) as Filebeat was given them. */
  instance: ['name', 'config'],
  /** `pid` is empty while nothing runs. */
  process: ['name', 'config', 'pid'],
  port: ['name', 'config', 'protocol', 'address', 'port'],
} as const;

export type Scope = keyof typeof scopeLabels;

export interface MetricFamily {
  type: 'gauge' | 'counter';
  help: string;
  scope: Scope;
  /** Labels after those of the scope, in order. */
  extra: readonly string[];
}

const gauge = <const L extends readonly string[]>(scope: Scope, help: string, extra: L) => ({
  type: 'gauge' as const,
  scope,
  help,
  extra,
});
const counter = <const L extends readonly string[]>(scope: Scope, help: string, extra: L) => ({
  type: 'counter' as const,
  scope,
  help,
  extra,
});

/** In the order of the exposition. */
export const metricTable = {
  filebeat_instance_up: gauge(
    'process',
    '1 while a process of this Filebeat runs, 0 while none runs although one is expected.',
    [],
  ),
  filebeat_instance_healthy: gauge(
    'process',
    '1 when the instance is up, every expected port is up and it has no critical mismatch.',
    [],
  ),
  filebeat_instance_info: gauge(
    'process',
    'Facts about an instance; origin is the strongest reason why it is expected.',
    [
      'version',
      'executable',
      'path_home',
      'path_config',
      'path_data',
      'unit',
      'container',
      'network_namespace',
      'origin',
    ],
  ),
  filebeat_instance_start_time_seconds: gauge('process', 'Start time of the process, in seconds since the epoch.', []),
  filebeat_instance_cpu_seconds_total: counter('process', 'User and system CPU time of the process, in seconds.', []),
  filebeat_instance_resident_memory_bytes: gauge('process', 'Resident memory of the process.', []),
  filebeat_instance_open_fds: gauge('process', 'Open file descriptors of the process.', []),
  filebeat_instance_max_fds: gauge('process', 'Soft limit on open file descriptors of the process.', []),
  filebeat_instance_last_seen_timestamp_seconds: gauge(
    'instance',
    'When the process was last seen, in seconds since the epoch.',
    [],
  ),
  filebeat_instance_restarts_total: counter(
    'instance',
    'Times that this exporter has seen the process replaced by a new one.',
    [],
  ),
  filebeat_instance_config_valid: gauge(
    'instance',
    '1 when Filebeat would start with the configuration on disk, 0 when it would not.',
    [],
  ),
  filebeat_instance_config_last_modified_timestamp_seconds: gauge(
    'instance',
    'Modification time of the newest file that affects the listeners, in seconds since the epoch.',
    [],
  ),
  filebeat_instance_config_pending_restart: gauge(
    'instance',
    '1 when the listeners in the files on disk differ from those at the start and only a restart applies them.',
    [],
  ),
  filebeat_instance_expected_ports: gauge('instance', 'Expected ports whose state is known.', ['protocol']),
  filebeat_instance_up_ports: gauge('instance', 'Expected ports that are served.', ['protocol']),
  filebeat_port_up: gauge('port', '1 when a socket of this Filebeat serves the expected port, 0 when none does.', [
    'pid',
    'input',
  ]),
  filebeat_port_info: gauge('port', 'Facts about an expected port; status is its state.', [
    'input',
    'status',
    'declared_in',
    'owner_pid',
    'owner_process',
  ]),
  filebeat_port_drops_total: counter(
    'port',
    'Datagrams that the kernel dropped at this port, across restarts and re-binds; a lower bound.',
    [],
  ),
  filebeat_port_receive_queue_bytes: gauge(
    'port',
    'Bytes waiting in the receive queue, as the kernel accounts them.',
    [],
  ),
  filebeat_port_receive_buffer_bytes: gauge(
    'port',
    'Limit of the receive queue, derived from read_buffer and net.core.rmem_*, because /proc does not show it.',
    [],
  ),
  filebeat_instance_pipeline_events_total: counter('instance', 'Events that entered the pipeline.', []),
  filebeat_instance_pipeline_filtered_events_total: counter('instance', 'Events that processors dropped.', []),
  filebeat_instance_pipeline_active_events: gauge(
    'instance',
    'Events that are not yet acknowledged, including those that wait to enter the queue.',
    [],
  ),
  filebeat_instance_pipeline_queue_max_events: gauge('instance', 'Capacity of the queue, in events.', []),
  filebeat_instance_output_events_total: counter('instance', 'Events by their final result at the output.', ['result']),
  filebeat_instance_output_failed_attempts_total: counter(
    'instance',
    'Failed attempts that the output retries; releases up to 8.14 count 0 when a whole request is refused.',
    [],
  ),
  filebeat_instance_output_bytes_total: counter('instance', 'Bytes that the output has written.', []),
  filebeat_instance_output_last_ack_timestamp_seconds: gauge(
    'instance',
    'When an event was last seen to be acknowledged, in seconds since the epoch.',
    [],
  ),
  filebeat_instance_output_info: gauge('instance', 'Type of the output.', ['type']),
  filebeat_instance_log_errors_total: counter('instance', 'Log lines that report a failure, by kind.', ['kind']),
  filebeat_instance_self_report_success: gauge(
    'instance',
    '1 when the self-report could be read from this source, 0 when that failed; absent without such a source.',
    ['source'],
  ),
  filebeat_instance_self_report_timestamp_seconds: gauge(
    'instance',
    'Timestamp of the figures in the self-report, in seconds since the epoch.',
    ['source'],
  ),
  filebeat_port_received_datagrams_total: counter(
    'port',
    'Datagrams that Filebeat reports to have read at this port; absent if its release does not count them.',
    [],
  ),
  filebeat_port_received_bytes_total: counter(
    'port',
    'Payload bytes that Filebeat reports to have read at this port.',
    [],
  ),
  filebeat_port_last_arrival_timestamp_seconds: gauge(
    'port',
    'When data was last seen to arrive at this port, in seconds since the epoch.',
    [],
  ),
  filebeat_port_filtered_events_total: counter('port', 'Events of this port that processors dropped.', []),
  filebeat_mismatches: gauge('none', 'Current mismatches by code and severity; 0 if there are none.', [
    'code',
    'severity',
  ]),
  filebeat_mismatch: gauge('none', '1 while there is a mismatch with these labels.', [
    'code',
    'severity',
    'name',
    'config',
    'pid',
    'protocol',
    'address',
    'port',
  ]),
  filebeat_udp_in_datagrams_total: counter('none', 'Datagrams delivered in a network namespace.', [
    'network_namespace',
  ]),
  filebeat_udp_no_ports_total: counter('none', 'Datagrams for a port that no socket was bound to.', [
    'network_namespace',
  ]),
  filebeat_udp_in_errors_total: counter('none', 'Datagrams that could not be delivered for another reason.', [
    'network_namespace',
  ]),
  filebeat_udp_receive_buffer_errors_total: counter('none', 'Datagrams dropped because a receive buffer was full.', [
    'network_namespace',
  ]),
  filebeat_static_port_up: gauge(
    'none',
    '1 while a port listed in the settings is bound (by the process that the settings name, if they do).',
    ['protocol', 'address', 'port', 'pid', 'process'],
  ),
  PORT: gauge('none', 'Number of sockets bound to exactly this port; 0 if none is.', ['label']),
  filebeat_port_exporter_build_info: gauge('none', 'Version of this exporter and of its Node.js; always 1.', [
    'version',
    'nodeversion',
  ]),
  filebeat_port_exporter_scan_duration_seconds: gauge(
    'none',
    'Duration of the scan that produced these metrics, in seconds.',
    [],
  ),
  filebeat_port_exporter_scan_success: gauge('none', '1 when the last scan succeeded.', []),
  filebeat_port_exporter_last_scan_timestamp_seconds: gauge(
    'none',
    'When the scan that produced these metrics was taken, in seconds since the epoch.',
    [],
  ),
  filebeat_port_exporter_gaps: gauge('none', 'Things that could not be seen in this scan, by reason.', ['reason']),
  filebeat_port_exporter_socket_table_reads: gauge('none', 'Socket tables read in this scan.', []),
  filebeat_port_exporter_full_fd_scans_total: counter(
    'none',
    'Scans of the file descriptors of all processes since the exporter started.',
    [],
  ),
} as const satisfies Record<string, MetricFamily>;

export type MetricName = keyof typeof metricTable;

/** All labels of a family, in the order they are written. */
export function labelsOf(name: MetricName): string[] {
  const { scope, extra } = metricTable[name];
  return [...scopeLabels[scope], ...extra];
}
