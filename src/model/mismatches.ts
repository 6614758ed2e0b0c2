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
    meaning: 'A Filebeat that ought to run has no process; none of its ports are served.',
  },
  instance_flapping: {
    severity: 'warning',
    title: 'Filebeat keeps restarting',
    meaning: 'Its process was replaced several times within a short time.',
  },
  config_invalid: {
    severity: 'critical',
    title: 'Filebeat would refuse to start',
    meaning: 'With the configuration that is on disk now, the next start of this Filebeat fails.',
  },
  config_unreadable: {
    severity: 'warning',
    title: 'A configuration file could not be read',
    meaning: 'What this Filebeat should listen on is known only in part.',
  },
  config_unresolved: {
    severity: 'warning',
    title: 'A listener cannot be worked out from outside',
    meaning: 'It depends on a keystore entry, an undefined variable, a name look-up or an ambiguous merge.',
  },
  config_dynamic: {
    severity: 'info',
    title: 'Inputs come from elsewhere',
    meaning: 'Elastic Agent or autodiscover decides what this Filebeat listens on; what it holds is learned.',
  },
  restart_pending: {
    severity: 'warning',
    title: 'Edited, but not restarted',
    meaning: 'The listeners on disk differ from those it started with, and only a restart applies them.',
  },
  data_path_conflict: {
    severity: 'critical',
    title: 'Two Filebeats share a data path',
    meaning: 'Since 7.6 the second one to start exits at once; before, they corrupt each other’s registry.',
  },
  port_missing: {
    severity: 'critical',
    title: 'Nothing is listening',
    meaning: 'The Filebeat runs, but no socket serves this listener: what is sent there is lost.',
  },
  input_refused: {
    severity: 'critical',
    title: 'Filebeat runs without something it was asked for',
    meaning:
      'The files ask for an input that this Filebeat refuses; it goes on without it and says so in its log only.',
  },
  prediction_refuted: {
    severity: 'info',
    title: 'The exporter misread the configuration',
    meaning: 'The running process does what the exporter predicts it cannot do: the process is believed.',
  },
  lookalike: {
    severity: 'warning',
    title: 'A process imitates another Filebeat',
    meaning:
      'Its command line claims to be an expected instance, but something about it shows that it cannot be that one.',
  },
  instance_frozen: {
    severity: 'critical',
    title: 'Filebeat is frozen',
    meaning: 'Its process exists but makes no progress: the sockets are open and nobody reads them.',
  },
  learned_port_gone: {
    severity: 'warning',
    title: 'A learned listener is gone',
    meaning: 'A socket that this Filebeat held for long is no longer there although it runs.',
  },
  listener_invalid: {
    severity: 'critical',
    title: 'The configured host can never become a socket',
    meaning: 'Filebeat logs one error and runs on without this listener.',
  },
  port_taken: {
    severity: 'critical',
    title: 'Another process has the port',
    meaning: 'What is sent there reaches that process, not this Filebeat.',
  },
  listener_deaf: {
    severity: 'critical',
    title: 'Listening, but discarding everything',
    meaning: 'This release is known to throw away what a netflow input receives after its first bind failed.',
  },
  port_narrower: {
    severity: 'warning',
    title: 'Served on a narrower address',
    meaning: 'The socket serves only part of what the configuration asks for.',
  },
  port_random: {
    severity: 'warning',
    title: 'A random port',
    meaning: 'The configuration names no port, so the system picks another one at every start.',
  },
  port_conflict: {
    severity: 'critical',
    title: 'Two listeners want the same endpoint',
    meaning: 'Only one of them can be bound; which one is decided by chance or by order of start.',
  },
  socket_unexpected: {
    severity: 'warning',
    title: 'A socket that the configuration does not explain',
    meaning: 'The Filebeat listens on something that its files do not ask for.',
  },
  owner_hidden: {
    severity: 'warning',
    title: 'Bound, but by whom cannot be seen',
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
    meaning: 'The kernel threw datagrams away because the socket’s receive buffer was full.',
  },
  buffer_capped: {
    severity: 'warning',
    title: 'The receive buffer is smaller than configured',
    meaning: 'read_buffer asks for more than the kernel grants.',
  },
  output_failing: {
    severity: 'critical',
    title: 'The output takes nothing',
    meaning: 'For a minute or more no event was acknowledged while events wait.',
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
    title: 'A port has gone quiet',
    meaning: 'Nothing has arrived at this listener for unusually long.',
  },
  reload_failed: {
    severity: 'warning',
    title: 'Filebeat could not load an edited file',
    meaning: 'It goes on with what it had loaded before.',
  },
  static_port_down: {
    severity: 'critical',
    title: 'A plain port is not bound',
    meaning: 'A port of the exporter’s own settings file is bound by nothing, or not by the process it names.',
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
