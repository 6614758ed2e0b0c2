/** Gaps, faults and positions in files. */

/**
 * `blocked`: a call that does not return. `unclear`: files do not tell. `vantage`: this /proc or root is not the host's, or
 * two sources of one fact disagree.
 */
export type GapReason = 'denied' | 'vanished' | 'malformed' | 'missing' | 'limit' | 'blocked' | 'unclear' | 'vantage';

/** Something that could not be observed, and why. Never shown as "down". */
export interface Gap {
  reason: GapReason;
  /** A path or name, never a value of a configuration. */
  subject: string;
  /** One clause for people; never quotes a value. */
  detail?: string;
  /** Uid of the Filebeat that may not read it, where the exporter could. */
  deniedTo?: number;
  /** The affected instance (`Instance.id`). */
  instance?: string;
}

/** A value, or why it could not be read. */
export type Reading<T> = { ok: true; value: T } | { ok: false; gap: Gap };

/** Why a Filebeat would not start, why it refuses an input, or why something is unknown. `filebeat/faults.ts` has the texts. */
export interface Fault {
  code: string;
  /** The name of a setting, flag or file; never a value. */
  subject?: string;
  at?: Position;
  /** What a setting accepts: `a duration such as 30s`. */
  takes?: string;
  /** Found before the inputs are started, which always ends Filebeat; after later faults some releases hang. */
  atOnce?: true;
}

/** Where something was declared. `file`: as the Filebeat sees it, or `command line`, `unit NAME`. */
export interface Position {
  file: string;
  /** 1-based; absent for a whole file or the command line. */
  line?: number;
}
