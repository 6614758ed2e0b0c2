/** What a Filebeat does with its files: whether it starts, and every listener that comes of them. */
import type { Gap, Position } from './gap.js';
import type { Listener } from './listener.js';

/** Why a Filebeat would not start, or why something could not be told. The words are in `filebeat/faults.ts`. */
export interface Fault {
  code: string;
  /** A setting's name, a flag's name, a file: never a setting's value. */
  subject?: string;
  at?: Position;
}

/** One file that bears on an instance's listeners. */
export interface ConfigFile {
  /** As the Filebeat sees it. */
  path: string;
  role: 'main' | 'inputs' | 'modules' | 'manifest' | 'keystore' | 'unit';
  /** Seconds since the epoch; absent when the file could not be looked at. */
  mtime?: number;
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
  faults: Fault[];
  files: ConfigFile[];
  /** The `-c` files, canonical inside the instance's root where they exist: part of its identity. */
  mainFiles?: string[];
  release: Release;
  paths: { home: string; config: string; data: string; logs: string };
  gaps: Gap[];
  /** Facts were taken from the program's own fileset table because the home could not be read. */
  filesetFallback?: true;
}
