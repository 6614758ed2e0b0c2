/** What a Filebeat does with its files: whether it starts, and its listeners. */
import type { Fault, Gap } from './gap.js';
import type { Listener } from './listener.js';

export type { Fault } from './gap.js';

/** A fault of an input or a file with which Filebeat keeps running. */
export interface Refusal extends Fault {
  /** The refused listeners. Empty: the input opens no socket. Absent: unknown. */
  costs?: Listener[];
}

/** A prediction that a running process has disproved, for one content of one file and one release. */
export interface Refutation extends Fault {
  /** Digest of the file with the fault. */
  content: string;
  /** `8.19.21`; empty where unknown. */
  release: string;
}

/** One file that affects an instance's listeners. */
export interface ConfigFile {
  /** As the Filebeat sees it. */
  path: string;
  role: 'main' | 'inputs' | 'modules' | 'manifest' | 'keystore' | 'unit';
  /** Modification time, seconds since the epoch; absent where the file could not be read. */
  mtime?: number;
  /** Change time, seconds since the epoch, which no tool can set back. */
  ctime?: number;
  /** Of its content, where it was read. */
  digest?: string;
  /** Filebeat reloads it by itself. */
  reloaded: boolean;
}

/** The Filebeat release of an instance. */
export interface Release {
  /** `8.19.21`; absent where unknown, in which case the newest rules were applied. */
  version?: string;
  /** Where it was found. */
  source: 'readme' | 'package' | 'option' | 'hint' | 'remembered' | 'assumed';
}

/** For one command line with the files on disk. */
export interface Prediction {
  /** `runs`; `exits`: Filebeat refuses to start; `dynamic`: inputs come from elsewhere; `ambiguous`: Filebeat itself decides by chance; `unknown`: could not be read. */
  outcome: 'runs' | 'exits' | 'dynamic' | 'ambiguous' | 'unknown';
  /** The one reason for `exits`, `dynamic`, `ambiguous`, `unknown`. */
  reason?: Fault;
  listeners: Listener[];
  /** Faults of inputs or files with which Filebeat keeps running. */
  faults: Refusal[];
  /**
   * Of `exits`, where a process runs: what the files ask for, for the case that the reason is wrong. Absent where they
   * cannot be read.
   */
  declared?: { listeners: Listener[]; faults: Refusal[]; files: ConfigFile[] };
  /** Where the release is unknown: inputs that other possible releases refuse and the one applied does not. */
  doubts?: Refusal[];
  /** Faults that a running process has disproved, and that do not count. */
  refuted?: Fault[];
  files: ConfigFile[];
  /** The `-c` files, canonical inside the instance's root where they exist: part of its identity. */
  mainFiles?: string[];
  release: Release;
  /** Where the release is unknown: the one whose rules were applied, the newest under which it could run. */
  guessed?: string;
  paths: { home: string; config: string; data: string; logs: string };
  /** Path of the unix socket of its stats endpoint (`http.host: unix:///…`), as the Filebeat sees it. */
  statsSocket?: string;
  gaps: Gap[];
  /** Facts were taken from the program's own fileset table because the home could not be read. */
  filesetFallback?: true;
}

/** Releases one after the other that make the same of the files. `from`, `to`: the oldest and the newest known one. */
export interface ReleaseOutcome {
  from: string;
  to: string;
  prediction: Prediction;
}
