/** A snapshot with its verdict, and what earlier scans saw: what every view renders. */
import type { Endpoint } from './listener.js';
import type { Owner } from './process.js';
import type { Snapshot } from './snapshot.js';
import type { Verdict } from './verdict.js';

/** `[sample, value, sample, value, …]`: a value holds from its sample to the next change. */
export type Changes = readonly number[];

/** The history of one port. */
export interface PortTrack {
  /** 1 up, 0 down, -1 unknown. */
  up: Changes;
  /** Datagrams dropped between a sample and the one before. */
  drops: Changes;
  /** Eighths of the receive buffer, 0 to 8. */
  queue: Changes;
  /** Drops altogether at the last sample. */
  total: number;
  /** Datagrams that Filebeat read since the sample before, by order of magnitude: 0 none, 1 up to 9, 2 up to 99 … */
  came?: Changes;
  /** Of them, those altogether at the last sample. */
  cameTotal?: number;
}

export interface InstanceTrack {
  up: Changes;
}

/** A bounded memory of past scans. Samples are numbered for ever; `times[i]` is when sample `first + i` was taken. */
export interface History {
  first: number;
  /** Seconds since the epoch, oldest first. */
  times: readonly number[];
  /** By `Instance.id`. */
  instances: Readonly<Record<string, InstanceTrack>>;
  /** By `Instance.id` and endpoint key. */
  ports: Readonly<Record<string, Readonly<Record<string, PortTrack>>>>;
}

/** What happened. `not_bound`: a port was not bound after the start of its process. */
export type EntryKind =
  | 'appeared'
  | 'forgotten'
  | 'started'
  | 'stopped'
  | 'restarted'
  | 'edited'
  | 'bound'
  | 'not_bound'
  | 'lost'
  | 'taken'
  | 'drops_began'
  | 'drops_ended';

/** One change that a scan saw. */
export interface Entry {
  /** Seconds since the epoch: the scan that saw it. */
  at: number;
  kind: EntryKind;
  /** Instance; absent for plain ports. */
  name?: string;
  pid?: number;
  /** The process before a restart. */
  former?: number;
  end?: 'clean' | 'crash';
  file?: string;
  /** Ports concerned, the first few of `count`. */
  ports?: readonly Endpoint[];
  /** Ports or files. */
  count?: number;
  /** Who has taken the ports. */
  by?: Owner;
}

/** Oldest first. */
export interface Journal {
  failures: readonly Entry[];
  successes: readonly Entry[];
}

/** What every view renders. */
export interface Report {
  snapshot: Snapshot;
  verdict: Verdict;
  history?: History;
  journal?: Journal;
  /** The newest scan failed or did not finish in time: this is the report of the last complete one. */
  stale?: true;
}
