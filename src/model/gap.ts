/** What could not be seen, and where something stands in a file. */

/**
 * `blocked`: a call that does not return. `unclear`: files cannot tell it. `vantage`: this /proc or root is not the host's,
 * or two sources of one fact disagree.
 */
export type GapReason = 'denied' | 'vanished' | 'malformed' | 'missing' | 'limit' | 'blocked' | 'unclear' | 'vantage';

/** Something that could not be seen, and why. Never shown as "down". */
export interface Gap {
  reason: GapReason;
  /** What could not be seen: a path or a thing, never a configuration's value. */
  subject: string;
  /** One plain clause for people; never quotes a value. */
  detail?: string;
  /** Uid of the Filebeat that may not read it, where the exporter could. */
  deniedTo?: number;
  /** Identity (`Instance.id`) of the instance that this costs something. */
  instance?: string;
}

export type Reading<T> = { ok: true; value: T } | { ok: false; gap: Gap };

/** Why a Filebeat would not start, why an input is lost, or why something could not be told. The words are in `filebeat/faults.ts`. */
export interface Fault {
  code: string;
  /** A setting's name, a flag's name, a file: never a setting's value. */
  subject?: string;
  at?: Position;
  /** What a setting takes, in words of our own: `a duration such as 30s`. */
  takes?: string;
  /** Filebeat finds it before it comes to its inputs, and then always ends; after later ones some releases hang. */
  atOnce?: true;
}

/** Where something was declared. `file` as the Filebeat sees it, or `command line`, `unit NAME`. */
export interface Position {
  file: string;
  /** 1-based; absent where the whole file (or the command line) is meant. */
  line?: number;
}
