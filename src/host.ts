/** The host as the commands use it: settings, memory and the reporter put together from flags. */
import { readFileSync } from 'node:fs';
import { type Memory, openMemory } from './discovery/memory.js';
import { forget } from './discovery/memory-forget.js';
import type { State } from './discovery/memory-state.js';
import { type PredictOptions, predict } from './filebeat/predict.js';
import type { Flags } from './flags.js';
import type { Logger } from './log.js';
import type { Prediction } from './model.js';
import { openFileView } from './proc/files.js';
import { createReporter, type Reporter } from './report.js';
import { defaultSettings, parseSettings, type Settings } from './settings.js';
import { createSnapshotTaker } from './snapshot.js';

/** A start-up option that cannot be honoured: `main` prints the message and exits with 2. */
export class StartError extends Error {}

export interface Host {
  reporter: Reporter;
  settings(): Settings;
  /** Reads the settings file again; when it is bad the old settings stay, and the sentence says why. */
  reload(): { ok: true } | { ok: false; message: string };
  /** Forgets a remembered instance, or learned listeners of one that runs or ought to. */
  forget(name: string): Promise<{ ok: true } | { ok: false; message: string }>;
  /**
   * The same instance (`Instance.id` of the last report) under another release. Undefined: nothing but the memory
   * knows it, so there are no files to ask.
   */
  predictAgain(id: string, options: PredictOptions): Prediction | undefined;
  /** Writes what must outlive the process. */
  close(): void;
}

export interface HostOptions {
  flags: Flags;
  log: Logger;
  /** One look alone: nothing is written, and what would need a second look is judged by the age of processes. */
  oneLook: boolean;
  /** Write to the state file. */
  remember: boolean;
}

const clock = () => Date.now() / 1000;

/** Throws `StartError`: the file cannot be read, or says something that cannot be honoured. */
export function readSettings(file: string | undefined): Settings {
  if (file === undefined) return defaultSettings;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new StartError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  const parsed = parseSettings(bytes, file);
  if (!parsed.ok) throw new StartError(parsed.errors.join('\n'));
  return parsed.settings;
}

export function openStateFile(flags: Flags, log: Logger): { memory: Memory; state: State } {
  const path = flags['state.file'] === '' ? undefined : flags['state.file'];
  return openMemory(path, (level, message) => log[level](message));
}

/** Reads the state, writes nothing. */
function readOnly(memory: Memory): Memory {
  return { pull: memory.pull, save: () => true, flush: () => true, gaps: memory.gaps };
}

export function openHost({ flags, log, oneLook, remember }: HostOptions): Host {
  let settings = readSettings(flags['config.file']);
  const opened = openStateFile(flags, log);
  const memory = remember ? opened.memory : readOnly(opened.memory);
  const taker = createSnapshotTaker({
    procfs: flags['path.procfs'],
    rootfs: flags['path.rootfs'],
    settings: () => settings,
    memory,
    state: opened.state,
    clock,
  });
  const reporter = createReporter(taker.take, {
    clock,
    freshness: oneLook ? 0 : (flags['scan.freshness'] ?? 0),
    thresholds: () => ({
      receiveQueueRatio: settings.thresholds.receiveQueueRatio,
      grace: flags['scan.grace'],
      restartsWithin: settings.thresholds.restarts.within,
      oneLook,
    }),
    onError: (error) =>
      log.error('the scan failed', () => ({ error: error instanceof Error ? error.message : 'unknown' })),
  });

  return {
    reporter,
    settings: () => settings,
    reload() {
      try {
        settings = readSettings(flags['config.file']);
        log.info('settings read');
        reporter.outdate();
        return { ok: true };
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        log.error('the settings stay as they were', () => ({ error: error.message }));
        return { ok: false, message: error.message };
      }
    },
    async forget(name) {
      // What ran when somebody last asked says nothing of now.
      reporter.outdate();
      const { snapshot } = await reporter.get();
      const instance = snapshot.instances.find((one) => one.name === name);
      const wanted =
        instance !== undefined && (instance.process !== undefined || instance.origins.some((o) => o !== 'remembered'));
      const { state, forgot } = forget(taker.state(), name, { keepInstance: wanted });
      if (!forgot)
        return {
          ok: false,
          message: wanted
            ? `${name} runs or ought to run; there is nothing learned to forget.`
            : 'There is no remembered instance of that name.',
        };
      taker.replace(state);
      memory.save(state, clock());
      reporter.outdate();
      return { ok: true };
    },
    predictAgain(id, options) {
      const start = taker.startOf(id);
      return start && predict(start.command, openFileView(start.rootDir), options);
    },
    close: () => void memory.flush(memory.pull(taker.state())),
  };
}
