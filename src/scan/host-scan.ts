/** A scanner that reads `/proc`, configurations and the state file in the calling thread. */

import { type PredictOptions, predict } from '../filebeat/predict.js';
import type { Prediction, Snapshot } from '../model/model.js';
import { openFileView } from '../proc/files/root-files.js';
import { systemClock } from '../runtime/clock.js';
import type { Level } from '../runtime/log.js';
import type { Settings } from '../settings/settings.js';
import { type Memory, type MemoryOptions, openMemory } from '../state/memory.js';
import { forget } from '../state/memory-forget.js';
import type { State } from '../state/memory-state.js';
import { createSnapshotTaker } from './take-snapshot.js';

/** Scans one host. `take` rejects with `ScanFailure` where a scan fails as a whole. */
export interface Scanner {
  take(): Promise<Snapshot>;
  /** Removes what is remembered of a name; with `keepInstance` only learned listeners. False: there was nothing to remove. */
  forget(name: string, keepInstance: boolean): Promise<boolean>;
  /** Writes the state file. */
  close(): Promise<void>;
}

export interface LocalScanner extends Scanner {
  /** See `Host.predictAgain`. */
  predictAgain(id: string, options: PredictOptions): Prediction | undefined;
}

/** Plain data, since it is passed to another thread. */
export interface ScannerOptions {
  procfs: string;
  rootfs: string;
  /** See `Sources.unchecked`. */
  unchecked?: boolean;
  /** Empty: the state is not written and lasts as long as the program. */
  stateFile: string;
  /** Write to the state file. */
  remember: boolean;
  /** A scan does not wait for the write. */
  background?: boolean;
  /** `--scan.grace`, seconds. */
  grace?: number;
  /** See `Sources.isSingleScan`. */
  isSingleScan?: boolean;
}

export type ScannerLog = (level: Level, message: string) => void;

/** With an empty path the state lasts as long as the program. */
export function openStateFile(
  path: string,
  log: ScannerLog,
  options: MemoryOptions = {},
): { memory: Memory; state: State } {
  return openMemory(path === '' ? undefined : path, log, options);
}

/** A memory that never writes. */
function readOnly(memory: Memory): Memory {
  return { ...memory, save: () => true, flush: () => true };
}

/** `settings` is called at the beginning of each scan. */
export function createScanner(options: ScannerOptions, settings: () => Settings, log: ScannerLog): LocalScanner {
  const {
    procfs,
    rootfs,
    stateFile,
    remember,
    unchecked = false,
    background = false,
    grace = 10,
    isSingleScan = false,
  } = options;
  const opened = openStateFile(stateFile, log, { background });
  const memory = remember ? opened.memory : readOnly(opened.memory);
  const taker = createSnapshotTaker({
    procfs,
    rootfs,
    unchecked,
    settings,
    memory,
    state: opened.state,
    clock: systemClock,
    grace,
    isSingleScan,
  });
  return {
    take: taker.take,
    async forget(name, keepInstance) {
      const { state, forgot } = forget(taker.state(), name, { keepInstance });
      if (!forgot) return false;
      taker.replace(state);
      memory.save(state, systemClock.steady());
      return true;
    },
    async close() {
      await memory.written();
      memory.flush(memory.pull(taker.state()));
    },
    predictAgain(id, predictOptions) {
      const start = taker.startOf(id);
      return start && predict(start.command, openFileView(start.rootDir, undefined, start.reader), predictOptions);
    },
  };
}
