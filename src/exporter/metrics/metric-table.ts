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
    '1 while a process of this Filebeat runs, 0 when it ought to and none does.',
    [],
  ),
  filebeat_instance_healthy: gauge(
    'process',
    '1 when it is up, every expected port is up and no critical mismatch stands.',
    [],
  ),
  filebeat_instance_info: gauge('process', 'Facts about a Filebeat; origin is the strongest reason it is expected.', [
    'version',
    'executable',
    'path_home',
    'path_config',
    'path_data',
    'unit',
    'container',
    'network_namespace',
    'origin',
  ]),
  filebeat_instance_start_time_seconds: gauge('process', 'Start of its process, seconds since the epoch.', []),
  filebeat_instance_cpu_seconds_total: counter(
    'process',
    'User and system time that its process has spent, in seconds.',
    [],
  ),
  filebeat_instance_resident_memory_bytes: gauge('process', 'Resident memory of its process.', []),
  filebeat_instance_open_fds: gauge('process', 'Open descriptors of its process.', []),
  filebeat_instance_max_fds: gauge('process', 'Soft limit of open descriptors of its process.', []),
  filebeat_instance_last_seen_timestamp_seconds: gauge(
    'instance',
    'When its process was last seen, seconds since the epoch.',
    [],
  ),
  filebeat_instance_restarts_total: counter(
    'instance',
    'Replacements of its process that this exporter has observed.',
    [],
  ),
  filebeat_instance_config_valid: gauge(
    'instance',
    '1 when Filebeat would accept the configuration on disk, 0 when it would refuse to start with it.',
    [],
  ),
  filebeat_instance_config_last_modified_timestamp_seconds: gauge(
    'instance',
    'Modification time of the newest file that bears on its listeners, seconds since the epoch.',
    [],
  ),
  filebeat_instance_config_pending_restart: gauge(
    'instance',
    '1 when the listeners on disk differ from those it started with and only a restart applies them.',
    [],
  ),
  filebeat_instance_expected_ports: gauge('instance', 'Ports that it ought to hold and that could be judged.', [
    'protocol',
  ]),
  filebeat_instance_up_ports: gauge('instance', 'Ports that it ought to hold and does.', ['protocol']),
  filebeat_port_up: gauge('port', '1 when a socket of this Filebeat serves the expected port, 0 when none does.', [
    'pid',
    'input',
  ]),
  filebeat_port_info: gauge('port', 'What is known about an expected port; status says how it stands.', [
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
    'Limit of the receive queue, derived from read_buffer and net.core.rmem_*; the kernel does not tell it.',
    [],
  ),
  filebeat_instance_pipeline_events_total: counter('instance', 'Events that reached the pipeline.', []),
  filebeat_instance_pipeline_filtered_events_total: counter('instance', 'Events that processors dropped.', []),
  filebeat_instance_pipeline_active_events: gauge(
    'instance',
    'Events that are not yet acknowledged, and those that wait to be let into the queue.',
    [],
  ),
  filebeat_instance_pipeline_queue_max_events: gauge('instance', 'Capacity of the queue in events.', []),
  filebeat_instance_output_events_total: counter('instance', 'Events by what finally became of them at the output.', [
    'result',
  ]),
  filebeat_instance_output_failed_attempts_total: counter(
    'instance',
    'Attempts that the output repeats; releases up to 8.14 count 0 where a whole request was refused.',
    [],
  ),
  filebeat_instance_output_bytes_total: counter('instance', 'Bytes that the output has written.', []),
  filebeat_instance_output_last_ack_timestamp_seconds: gauge(
    'instance',
    'When an event was last seen to be acknowledged, seconds since the epoch.',
    [],
  ),
  filebeat_instance_output_info: gauge('instance', 'Kind of the output.', ['type']),
  filebeat_instance_log_errors_total: counter('instance', 'Lines of its log that tell of a failure, by kind.', [
    'kind',
  ]),
  filebeat_instance_self_report_success: gauge(
    'instance',
    '1 when what Filebeat says of itself could be read, 0 when that failed; absent where there is no such source.',
    ['source'],
  ),
  filebeat_instance_self_report_timestamp_seconds: gauge(
    'instance',
    'When the figures that Filebeat says of itself were made, seconds since the epoch.',
    ['source'],
  ),
  filebeat_port_received_datagrams_total: counter(
    'port',
    'Datagrams that Filebeat has read at this port, as it says itself; absent where the release does not count them.',
    [],
  ),
  filebeat_port_received_bytes_total: counter('port', 'Payload bytes that Filebeat has read at this port.', []),
  filebeat_port_last_arrival_timestamp_seconds: gauge(
    'port',
    'When something was last seen to arrive at this port, seconds since the epoch.',
    [],
  ),
  filebeat_port_filtered_events_total: counter('port', 'Events of this port that processors dropped.', []),
  filebeat_mismatches: gauge('none', 'How many mismatches of each kind stand; 0 when none does.', ['code', 'severity']),
  filebeat_mismatch: gauge('none', '1 while a mismatch with these labels stands.', [
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
  filebeat_udp_no_ports_total: counter('none', 'Datagrams that arrived for a port nobody had bound.', [
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
    '1 while a plain port of the settings is bound (by its process, where one is named).',
    ['protocol', 'address', 'port', 'pid', 'process'],
  ),
  PORT: gauge('none', 'Sockets bound on exactly this port; 0 when it is dead.', ['label']),
  filebeat_port_exporter_build_info: gauge('none', 'The exporter that speaks.', ['version', 'nodeversion']),
  filebeat_port_exporter_scan_duration_seconds: gauge('none', 'How long the scan behind these figures took.', []),
  filebeat_port_exporter_scan_success: gauge('none', '1 when the last scan could look at the host.', []),
  filebeat_port_exporter_last_scan_timestamp_seconds: gauge(
    'none',
    'When the scan behind these figures was taken, seconds since the epoch.',
    [],
  ),
  filebeat_port_exporter_gaps: gauge('none', 'Things that could not be seen in this scan, by reason.', ['reason']),
  filebeat_port_exporter_socket_table_reads: gauge('none', 'Readings of socket tables in this scan.', []),
  filebeat_port_exporter_full_fd_scans_total: counter(
    'none',
    'Walks over the descriptors of every process since the exporter started.',
    [],
  ),
} as const satisfies Record<string, MetricFamily>;

export type MetricName = keyof typeof metricTable;

/** All labels of a family, in the order they are written. */
export function labelsOf(name: MetricName): string[] {
  const { scope, extra } = metricTable[name];
  return [...scopeLabels[scope], ...extra];
}
