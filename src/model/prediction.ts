/** What a Filebeat does with its files: whether it starts, and every listener that comes of them. */
import type { Fault, Gap } from './gap.js';
import type { Listener } from './listener.js';

export type { Fault } from './gap.js';

/** A fault that costs an input or a file, while Filebeat runs on. */
export interface Refusal extends Fault {
  /** The listeners that are lost. Empty: what is lost opens no socket. Absent: nobody can tell what is lost. */
  costs?: Listener[];
}

/** A rule of the exporter's that a running process has proved wrong, for one content of one file and one release. */
export interface Refutation extends Fault {
  /** Digest of the file that the fault stands in. */
  content: string;
  /** `8.19.21`; empty where it is not known. */
  release: string;
}

/** One file that bears on an instance's listeners. */
export interface ConfigFile {
  /** As the Filebeat sees it. */
  path: string;
  role: 'main' | 'inputs' | 'modules' | 'manifest' | 'keystore' | 'unit';
  /** Seconds since the epoch; absent when the file could not be looked at. */
  mtime?: number;
  /** Seconds since the epoch when its content or its owner, mode or name last changed: no tool can set it back. */
  ctime?: number;
  /** Of its content, where that was read. */
  digest?: string;
  /** Filebeat re-reads it by itself. */
  reloaded: boolean;
}

export interface Release {
  /** `8.19.21`; absent when it could not be known and the newest rules were applied. */
  version?: string;
  /** What told it. */
  source: 'readme' | 'package' | 'option' | 'hint' | 'remembered' | 'assumed';
}

export interface Prediction {
  /** `runs`; `exits`: Filebeat refuses to start; `dynamic`: inputs come from elsewhere; `ambiguous`: Filebeat itself decides by chance; `unknown`: could not be read. */
  outcome: 'runs' | 'exits' | 'dynamic' | 'ambiguous' | 'unknown';
  /** The one reason for `exits`, `dynamic`, `ambiguous`, `unknown`. */
  reason?: Fault;
  listeners: Listener[];
  /** Things that cost an input or a file, while Filebeat runs on. */
  faults: Refusal[];
  /**
   * Of `exits`, where a process runs: what the files ask for, for the case that the reason is wrong. Absent where they
   * cannot be read.
   */
  asked?: { listeners: Listener[]; faults: Refusal[]; files: ConfigFile[] };
  /** Where the release is not known: what newer ones of the possible releases would go without, and the one applied would not. */
  doubts?: Refusal[];
  /** Faults that a running process has proved wrong: they count for nothing here. */
  refuted?: Fault[];
  files: ConfigFile[];
  /** The `-c` files, canonical inside the instance's root where they exist: part of its identity. */
  mainFiles?: string[];
  release: Release;
  /** The release whose rules were applied, where it is not known: the newest under which it could run. */
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
