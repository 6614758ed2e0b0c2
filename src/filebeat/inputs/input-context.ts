/** What the reader of one input is given, and what the readers of the single types hand back. */
import type { Fault, Gap, Listener, Prediction } from '../../model/model.js';
import type { FileView } from '../files/file-view.js';
import type { NameTables } from '../net/name-tables.js';
import type { ReleaseVersion } from '../releases/releases.js';
import type { Scope } from '../tree/variables.js';

export interface InputContext {
  release: ReleaseVersion;
  scope: Scope;
  names: NameTables;
  files: FileView;
  /** Effective `path.*`, absolute. */
  paths: Prediction['paths'];
  /** Current directory: certificates and definitions are looked for in it. */
  cwd: string;
  /** `features.log_input_run_as_filestream.enabled` of the main file. */
  logAsFilestream: boolean;
  /** Set while Filebeat looks at owners and modes: the uid that may own what it reads, beside root. */
  strictUid?: number;
  /** Told what cannot be known from the files, where no process shows it. */
  unclear?: (gap: Gap) => void;
  /** What is wrong with processors at the top level that every input fails over when it starts. */
  processorFault?: Fault;
}

/**
 * When Filebeat finds a fault. `check`: already while included files are checked, so it stops the start there;
 * `create`: when the input is made, fatal for inputs of the main file alone; `run`: only that input ends.
 */
export type Phase = 'check' | 'create' | 'run';

/** What the parts for the single types hand back. */
export interface TypeResult {
  /** What the input asks for, whether or not it is refused. */
  listeners: Listener[];
  failure?: { phase: Phase; fault: Fault };
  url?: string;
}
