/** What a Filebeat says of itself, in its log or at its stats endpoint, reduced to figures and classes. */

export type SelfReportSource = 'log' | 'http';

/** Classes of error lines. No text of a line is ever kept. */
export const logErrorKinds = [
  'bind',
  'input',
  'reload',
  'output_connect',
  'output_publish',
  'output_dropped',
  'other',
] as const;
export type LogErrorKind = (typeof logErrorKinds)[number];

/** Outputs that Filebeat has; another word in an answer is not passed on. */
export const outputTypes = ['console', 'discard', 'elasticsearch', 'file', 'kafka', 'logstash', 'redis'] as const;
export type OutputType = (typeof outputTypes)[number];

/**
 * What becomes of the events between two looks. `down`: nothing is even tried. `refusing`: attempts fail. `mute`: attempts get
 * no answer. `slow`: some are acknowledged while the queue stays full. `idle`: nothing came and nothing waits.
 */
export type OutputSituation = 'flowing' | 'idle' | 'down' | 'refusing' | 'mute' | 'slow' | 'unknown';

/** Counts that never fall: events, attempts, bytes. */
export interface PipelineCounts {
  /** Events that reached the pipeline. */
  events: number;
  /** Events that processors dropped. */
  filtered: number;
  acked: number;
  duplicate: number;
  deadLetter: number;
  /** Events given up at the output. */
  dropped: number;
  /** Attempts that are repeated; 0 up to 8.14 where a whole request was refused. */
  failedAttempts: number;
  /** Bytes written by the output. */
  bytes: number;
}

/** What is known of one listener from its input's own counters. */
export interface ListenerReport {
  /** Datagrams (lines for TCP) read from the socket, monotonic. */
  received?: number;
  /** Payload bytes, monotonic. */
  bytes?: number;
  /** Events of it that processors dropped, monotonic. */
  filtered?: number;
  /** Seconds since the epoch of the look that last saw something arrive. */
  lastArrival?: number;
  /** Set while it is silent for longer than is usual. */
  silent?: {
    /** Seconds since anything arrived, or since the socket was first seen. */
    forSeconds: number;
    /** It never received anything while this exporter watched. */
    never: boolean;
  };
}

export interface SelfReport {
  source: SelfReportSource;
  /** False: there is a source, and it could not be read this time. */
  success: boolean;
  /** Seconds since the epoch of the newest figures; absent while there are none. */
  at?: number;
  outputType?: OutputType;
  counts?: PipelineCounts;
  /** Events that wait: not yet acknowledged, or not yet let in. */
  active?: number;
  /** Capacity of the queue in events; absent where it is not known. */
  queueMax?: number;
  /** Seconds since the epoch of the look that last saw an acknowledgement. */
  lastAck?: number;
  output: OutputSituation;
  /** Seconds that the output has been in a failing or slow situation. */
  outputForSeconds?: number;
  /** The queue is full: the inputs wait and stop reading their sockets. */
  full?: true;
  /** It was full now or at the look before. */
  wasFull?: true;
  /** Events lost at the output within the last 5 minutes. */
  lostRecently?: number;
  /** Events per second between the last two looks. */
  rates?: { in: number; out: number };
  logErrors?: Readonly<Record<LogErrorKind, number>>;
  /** The newest of each class of line that explains something, seconds since the epoch. */
  said?: Partial<Record<LogErrorKind, number>>;
  /** Seconds since the epoch of the last line that says that a file on disk could not be loaded, unless it was mended since. */
  reloadFailedAt?: number;
  /** When an input failed for whatever reason, by its host as configured (`0.0.0.0:514`), seconds since the epoch. */
  failedInputs?: Readonly<Record<string, number>>;
  /** Why a bind failed, by protocol and endpoint as Filebeat writes them (`udp 0.0.0.0:514`). */
  binds?: Readonly<Record<string, { reason: BindReason; at: number }>>;
  /** By endpoint key (`endpointKey`). */
  listeners: Readonly<Record<string, ListenerReport>>;
}

export type BindReason = 'in-use' | 'denied' | 'no-address';

/** What an `Exiting:` line is about; `exit`: something else. */
export type ExitReason = BindReason | 'locked' | 'config' | 'input' | 'module' | 'output' | 'exit';

/** The last `Exiting:` line of a Filebeat that does not run. */
export interface LastMessage {
  /** Seconds since the epoch. */
  at: number;
  why: ExitReason;
}
