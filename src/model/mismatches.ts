/** What each mismatch code means to an operator: the one table of severities, titles and meanings (docs are checked against it). */
import type { MismatchCode, Severity } from './model.js';

export interface MismatchInfo {
  severity: Severity;
  /** A few words: a heading. */
  title: string;
  /** One sentence: when it stands. */
  meaning: string;
}

export const mismatches = {
  instance_down: {
    severity: 'critical',
    title: 'Filebeat is not running',
    meaning: 'An instance that is expected to run has no process; none of its ports are served.',
  },
  instance_flapping: {
    severity: 'warning',
    title: 'Filebeat keeps restarting',
    meaning: 'Its process was replaced several times within a short time.',
  },
  config_invalid: {
    severity: 'critical',
    title: 'Filebeat would refuse to start',
    meaning: 'The next start of this Filebeat would fail with the configuration that is on disk now.',
  },
  config_unreadable: {
    severity: 'warning',
    title: 'A configuration file could not be read',
    meaning: 'Only part of what this Filebeat should listen on is known.',
  },
  config_unresolved: {
    severity: 'warning',
    title: 'A listener cannot be determined',
    meaning:
      'It depends on a keystore entry, an undefined variable, a name lookup, an ambiguous merge, or an unknown release.',
  },
  config_dynamic: {
    severity: 'info',
    title: 'Inputs come from elsewhere',
    meaning: 'Elastic Agent or autodiscover decides what this Filebeat listens on; the exporter learns its sockets.',
  },
  restart_pending: {
    severity: 'warning',
    title: 'Edited, but not restarted',
    meaning: 'The listeners in the files on disk differ from those at the start, and only a restart applies them.',
  },
  data_path_conflict: {
    severity: 'critical',
    title: 'Two Filebeats share a data path',
    meaning: 'Since 7.6 the second one to start exits at once; older releases corrupt each other’s registry.',
  },
  port_missing: {
    severity: 'critical',
    title: 'Nothing is listening',
    meaning: 'The Filebeat runs, but no socket serves this listener: what is sent there is lost.',
  },
  input_refused: {
    severity: 'critical',
    title: 'Filebeat runs without a configured input',
    meaning: 'Filebeat refuses or ignores an input of its files and runs on without it; at most its log says so.',
  },
  prediction_refuted: {
    severity: 'info',
    title: 'The exporter misread the configuration',
    meaning: 'The running process does what the exporter predicted that it could not do; the process is right.',
  },
  lookalike: {
    severity: 'warning',
    title: 'A process imitates another Filebeat',
    meaning:
      'Its command line is that of an expected instance, but its user, namespace or program shows that it is another one.',
  },
  instance_frozen: {
    severity: 'critical',
    title: 'Filebeat is frozen',
    meaning: 'Its process exists but makes no progress: its sockets are open, but nothing reads from them.',
  },
  learned_port_gone: {
    severity: 'warning',
    title: 'A learned listener is gone',
    meaning: 'This Filebeat runs, but a socket that it held for a long time is gone.',
  },
  listener_invalid: {
    severity: 'critical',
    title: 'The configured host cannot be bound',
    meaning:
      'Its host, port or an option of the input rules out a socket; Filebeat logs one error and runs on without this listener.',
  },
  port_taken: {
    severity: 'critical',
    title: 'Another process has the port',
    meaning: 'What is sent there reaches that process, not this Filebeat.',
  },
  listener_deaf: {
    severity: 'critical',
    title: 'Listening, but discarding everything',
    meaning: 'This release discards everything that a netflow input receives once its first bind has failed.',
  },
  port_narrower: {
    severity: 'warning',
    title: 'Served on a narrower address',
    meaning: 'The socket serves only some of the addresses that the configuration asks for.',
  },
  port_random: {
    severity: 'warning',
    title: 'A random port',
    meaning: 'The configuration names no port, so the kernel picks another one at every start.',
  },
  port_conflict: {
    severity: 'critical',
    title: 'Two listeners want the same endpoint',
    meaning: 'Only one of them can be bound; which one depends on chance or on the order of their starts.',
  },
  socket_unexpected: {
    severity: 'warning',
    title: 'A socket that the configuration does not declare',
    meaning: 'This Filebeat listens on an endpoint that its files do not declare.',
  },
  owner_hidden: {
    severity: 'warning',
    title: 'Bound, but the owner is not visible',
    meaning: 'The socket exists; the exporter lacks the permission to see which process holds it.',
  },
  queue_high: {
    severity: 'warning',
    title: 'The receive queue is nearly full',
    meaning: 'Datagrams arrive faster than Filebeat reads them; when the buffer is full they are dropped.',
  },
  drops: {
    severity: 'warning',
    title: 'Datagrams are being dropped',
    meaning: 'The kernel discarded datagrams because the socket’s receive buffer was full.',
  },
  buffer_capped: {
    severity: 'warning',
    title: 'The receive buffer is smaller than configured',
    meaning: 'read_buffer asks for more than the kernel grants.',
  },
  output_failing: {
    severity: 'critical',
    title: 'The output acknowledges nothing',
    meaning: 'Events are waiting, and none has been acknowledged for a minute or more.',
  },
  output_slow: {
    severity: 'warning',
    title: 'The output is too slow',
    meaning: 'The queue is full: events are acknowledged, but more slowly than they arrive.',
  },
  events_dropped: {
    severity: 'warning',
    title: 'Events were lost at the output',
    meaning: 'Filebeat gave up on events within the last 5 minutes.',
  },
  port_silent: {
    severity: 'warning',
    title: 'A port no longer receives data',
    meaning: 'Nothing has arrived at this listener for an unusually long time.',
  },
  reload_failed: {
    severity: 'warning',
    title: 'Filebeat could not load an edited file',
    meaning: 'It continues with what it had loaded before.',
  },
  static_port_down: {
    severity: 'critical',
    title: 'A port of the settings is not bound',
    meaning: 'A port listed in the exporter’s settings is not bound, or not by the process named there.',
  },
} as const satisfies Record<MismatchCode, MismatchInfo>;

export const mismatchCodes = Object.keys(mismatches) as MismatchCode[];

const rank: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** A mismatch may be milder than its code. */
export function severityOf({ code, severity }: { code: MismatchCode; severity?: Severity }): Severity {
  return severity ?? mismatches[code].severity;
}

/** Worst first; then by code, instance, endpoint: the order of every view. */
export function bySeverity(
  a: { code: MismatchCode; severity?: Severity },
  b: { code: MismatchCode; severity?: Severity },
): number {
  return rank[severityOf(a)] - rank[severityOf(b)];
}
