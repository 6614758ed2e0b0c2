/** Arguments and results of the functions that read inputs. */
import type { Fault, Gap, Listener, Prediction } from '../../model/model.js';
import type { FileView } from '../files/file-view.js';
import type { NameTables } from '../net/name-tables.js';
import type { ReleaseVersion } from '../releases/releases.js';
import type { Scope } from '../tree/variables.js';

/** What reading an input depends on, apart from its settings. */
export interface InputContext {
  release: ReleaseVersion;
  scope: Scope;
  names: NameTables;
  files: FileView;
  /** Effective `path.*`, absolute. */
  paths: Prediction['paths'];
  /** Current directory; relative paths of certificates and definitions start here. */
  cwd: string;
  /** `features.log_input_run_as_filestream.enabled` of the main file. */
  logAsFilestream: boolean;
  /** Set while Filebeat checks owners and modes of files: the uid that may own them, beside root. */
  strictUid?: number;
  /** Receives what the files leave open; absent if a running process settles it. */
  unclear?: (gap: Gap) => void;
  /** A fault of the top-level processors; every input fails because of it when it starts. */
  processorFault?: Fault;
}

/**
 * When Filebeat finds a fault. `check`: while it checks included files, so that the fault ends the process there, too;
 * `create`: when it creates the input, fatal only for inputs of the main file; `run`: only that input ends.
 */
export type Phase = 'check' | 'create' | 'run';

/** Result for one type of input. */
export interface TypeResult {
  /** The listeners that the input declares, refused or not. */
  listeners: Listener[];
  failure?: { phase: Phase; fault: Fault };
  /** See `InputResult`. */
  url?: string;
}
