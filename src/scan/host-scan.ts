/** The looking half of the exporter: `/proc`, configuration and the state file, in the thread that calls it. */

import { type PredictOptions, predict } from '../filebeat/predict.js';
import type { Prediction, Snapshot } from '../model/model.js';
import { openFileView } from '../proc/root-files.js';
import { systemClock } from '../runtime/clock.js';
import type { Level } from '../runtime/log.js';
import type { Settings } from '../settings/settings.js';
import { type Memory, type MemoryOptions, openMemory } from '../state/memory.js';
import { forget } from '../state/memory-forget.js';
import type { State } from '../state/memory-state.js';
import { createSnapshotTaker } from './take-snapshot.js';

export interface Scanner {
  take(): Promise<Snapshot>;
  /** Drops what is remembered of a name; of an instance that is wanted only what was learned. False: there is nothing. */
  forget(name: string, keepInstance: boolean): Promise<boolean>;
  /** Writes what must outlive the process. */
  close(): Promise<void>;
}

export interface LocalScanner extends Scanner {
  /** See `Host.predictAgain`. */
  predictAgain(id: string, options: PredictOptions): Prediction | undefined;
}

/** Plain data: it crosses into another thread. */
export interface ScannerOptions {
  procfs: string;
  rootfs: string;
  /** See `Sources.unchecked`. */
  unchecked?: boolean;
  /** Empty: nothing is remembered. */
  stateFile: string;
  /** Write to the state file. */
  remember: boolean;
  /** A scan does not wait for that write. */
  background?: boolean;
  /** `--scan.grace`, seconds. */
  grace?: number;
  /** See `Sources.isSingleScan`. */
  isSingleScan?: boolean;
}

export type ScannerLog = (level: Level, message: string) => void;

/** Empty: remembered as long as the program lasts. */
export function openStateFile(
  path: string,
  log: ScannerLog,
  options: MemoryOptions = {},
): { memory: Memory; state: State } {
  return openMemory(path === '' ? undefined : path, log, options);
}

/** Reads the state, writes nothing. */
function readOnly(memory: Memory): Memory {
  return { ...memory, save: () => true, flush: () => true };
}

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
    isSingleScan: isSingleScan,
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
