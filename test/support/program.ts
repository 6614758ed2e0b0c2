/** The whole program without the server: from `/proc` and files to the report, in this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mismatch, PortVerdict, Report } from '../../src/model/model.js';
import { createFileCache, type FileCache } from '../../src/proc/files/file-cache.js';
import { createReporter } from '../../src/report/reporter.js';
import { systemClock } from '../../src/runtime/clock.js';
import { createSnapshotTaker } from '../../src/scan/take-snapshot.js';
import { defaultSettings } from '../../src/settings/settings.js';
import { openMemory } from '../../src/state/memory.js';

export interface Program {
  /** One scan, without a grace period for new processes. */
  scan(): Promise<Report>;
  end(): void;
}

/** The report of one instance, by its main file. */
export interface Told {
  up: boolean | undefined;
  pid: number | undefined;
  ports: PortVerdict[];
  mismatches: Mismatch[];
}

/** `interrupt`: called during each scan, after processes are listed and before sockets are. */
export function createProgram(options: { procfs?: string; interrupt?: () => void } = {}): Program {
  const folder = mkdtempSync(join(tmpdir(), 'program-'));
  const { memory, state } = openMemory(join(folder, 'state.json'), () => undefined);
  // Otherwise, exited Filebeats of other tests would be remembered for a week.
  const settled = { ...defaultSettings, discovery: { ...defaultSettings.discovery, remember: 60 } };
  const files = createFileCache();
  let isInterrupted = false;
  /** The first file of a scan is read when the processes are listed. */
  const fileCache: FileCache = {
    ...files,
    read: (...question) => {
      if (!isInterrupted) options.interrupt?.();
      isInterrupted = true;
      return files.read(...question);
    },
  };
  const taker = createSnapshotTaker({
    procfs: options.procfs ?? '/proc',
    rootfs: '/',
    settings: () => settled,
    memory,
    state,
    clock: systemClock,
    grace: 0,
    fileCache,
  });
  const thresholds = { receiveQueueRatio: 0.8, grace: 0, isSingleScan: false };
  const reporter = createReporter(taker.take, {
    clock: systemClock,
    freshness: 0,
    thresholds: () => thresholds,
  });
  return {
    scan: () => {
      isInterrupted = false;
      return reporter.get();
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function toldOf({ snapshot, verdict }: Report, config: string): Told | undefined {
  const at = snapshot.instances.findIndex((instance) => instance.config === config);
  const instance = snapshot.instances[at];
  const judged = verdict.instances[at];
  if (instance === undefined || judged === undefined) return undefined;
  const mismatches = verdict.mismatches.filter(({ name }) => name === instance.name);
  return { up: judged.up, pid: instance.process?.pid, ports: judged.ports, mismatches };
}
