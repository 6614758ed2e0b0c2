/** What a Filebeat reports in its log or at its stats endpoint, reduced to figures and classes. */

export type SelfReportSource = 'log' | 'http';

/** Classes of error lines. The text of a line is never stored. */
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

/** The outputs of Filebeat; any other word in an answer is ignored. */
export const outputTypes = ['console', 'discard', 'elasticsearch', 'file', 'kafka', 'logstash', 'redis'] as const;
export type OutputType = (typeof outputTypes)[number];

/**
 * What happened to the events between two scans. `down`: no attempt was made. `refusing`: attempts failed. `mute`: attempts got no
 * answer. `slow`: some were acknowledged while the queue stayed full. `idle`: no event arrived and none waits.
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
  /** Attempts that are repeated; up to 8.14 not those of a request that was refused as a whole. */
  failedAttempts: number;
  /** Bytes written by the output. */
  bytes: number;
}

/** What the counters of its input say about one listener. */
export interface ListenerReport {
  /** Datagrams (lines for TCP) read from the socket, monotonic. */
  received?: number;
  /** Payload bytes, monotonic. */
  bytes?: number;
  /** Events of it that processors dropped, monotonic. */
  filtered?: number;
  /** The last scan that saw something arrive, seconds since the epoch. */
  lastArrival?: number;
  /** Set while it has been silent for unusually long. */
  silent?: {
    /** Seconds since anything arrived, or since the socket was first seen. */
    forSeconds: number;
    /** It never received anything while this exporter watched. */
    never: boolean;
  };
}

/** The self-report of a running instance. */
export interface SelfReport {
  source: SelfReportSource;
  /** False: the source exists and could not be read in this scan. */
  success: boolean;
  /** Time of the newest figures, seconds since the epoch; absent while there are none. */
  at?: number;
  outputType?: OutputType;
  counts?: PipelineCounts;
  /** Waiting events: not acknowledged, or not accepted by the queue yet. */
  active?: number;
  /** Capacity of the queue in events; absent where unknown. */
  queueMax?: number;
  /** The last scan that saw an acknowledgement, seconds since the epoch. */
  lastAck?: number;
  output: OutputSituation;
  /** Seconds that the output has been in a failing or slow situation. */
  outputForSeconds?: number;
  /** The queue is full: the inputs wait and stop reading their sockets. */
  full?: true;
  /** It is full, or was in the previous scan. */
  wasFull?: true;
  /** Events lost at the output within the last 5 minutes. */
  lostRecently?: number;
  /** Events per second between the last two scans. */
  rates?: { in: number; out: number };
  logErrors?: Readonly<Record<LogErrorKind, number>>;
  /** Time of the newest line of each class, seconds since the epoch. */
  said?: Partial<Record<LogErrorKind, number>>;
  /** Time of the last line about a file that could not be loaded, unless it was loaded since; seconds since the epoch. */
  reloadFailedAt?: number;
  /** When an input last failed, by its host as configured (`0.0.0.0:514`); seconds since the epoch. */
  failedInputs?: Readonly<Record<string, number>>;
  /** Why a bind failed, by protocol and endpoint as Filebeat writes them (`udp 0.0.0.0:514`). */
  binds?: Readonly<Record<string, { reason: BindReason; at: number }>>;
  /** By endpoint key (`endpointKey`). */
  listeners: Readonly<Record<string, ListenerReport>>;
}

/** Why a bind failed: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export type BindReason = 'in-use' | 'denied' | 'no-address';

/** The subject of an `Exiting:` line; `exit`: something else. */
export type ExitReason = BindReason | 'locked' | 'config' | 'input' | 'module' | 'output' | 'exit';

/** The last `Exiting:` line of a Filebeat that does not run. */
export interface LastMessage {
  /** Seconds since the epoch. */
  at: number;
  why: ExitReason;
}
