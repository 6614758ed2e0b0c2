/**
 * Scans in a thread of their own, watched from here: all reading is synchronous, and a read may wait for ever. A thread
 * that stays in one call for seconds is given up; another one takes over and leaves alone what the first is stuck at, until
 * that comes back. So a hanging file costs the instances that need it, and neither the server nor the next scan.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '../../model/model.js';
import { newHeartbeat, type QuarantinedPath, readHeartbeat } from '../../proc/heartbeat.js';
import { parseStat } from '../../proc/process-files.js';
import { steadyMs } from '../../runtime/clock.js';
import { defectText } from '../../runtime/defect.js';
import type { Logger } from '../../runtime/log.js';
import type { Settings } from '../../settings/settings.js';
import type { Scanner, ScannerOptions } from '../host-scan.js';
import { ScanFailure } from '../scan-failure.js';
import { blockedAt, widened } from './blocked-path.js';
import { createUnpacker } from './snapshot-transfer.js';
import type { Order, WorkerMessage, WorkerStart } from './worker.js';

/**
 * V8 takes a program for busy that runs for ten milliseconds every quarter of a minute (docs/performance.md). Holds for
 * all threads, also those started before.
 */
const CALM = [
  // Some seconds after a scan it would tidy up and throw compiled code away, and each scrape would have to make it anew.
  '--no-memory-reducer',
  '--no-flush-bytecode',
  // It wakes helpers to tidy up a few young objects: on two cores that costs more than it saves.
  '--no-parallel-scavenge',
];
/** Until V8 12, which counts otherwise and does not know the flag: bytes of executed bytecode before it optimises. */
const PATIENT = '--interrupt-budget=1000000';

for (const flag of CALM) setFlagsFromString(flag);
// It would optimise functions that live for one scan over and over.
if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString(PATIENT);

export interface ThreadOptions {
  scanner: ScannerOptions;
  settings: () => Settings;
  log: Logger;
  /** Milliseconds inside of one call after which a thread counts as stuck. */
  patience?: number;
  /** Milliseconds for which something is left alone at least. */
  quarantineMs?: number;
}

export interface ThreadedScanner extends Scanner {
  /** Threads that wait for something that does not come: as long as there are some, the process cannot end by itself. */
  blocked(): number;
}

/** One call takes microseconds; on a disk that has to spin up, seconds. */
const PATIENCE_MS = 4000;
const REST_MS = 60_000;
/** Each stuck thread keeps its memory. */
const MOST_STUCK = 4;
const CHECKS = 4;
/** For what it has to write when the program ends, and for its end. */
const CLOSE_MS = 2000;
/** Measured (docs/design.md): more room for young objects costs memory and gains no time. Megabytes. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 1024 };

type Job =
  Exclude<Order, { kind: 'settings' }> extends infer O ? (O extends { id: number } ? Omit<O, 'id'> : never) : never;
type Done = Extract<WorkerMessage, { kind: 'done' }>;

interface Thread {
  worker: Worker;
  heartbeat: SharedArrayBuffer;
  settings: Settings;
  unpack: ReturnType<typeof createUnpacker>;
  job?: { id: number; resolve: (done: Done) => void; reject: (error: Error) => void };
}

/** What a job ends with when its thread was given up; the job is worth another try. */
class GivenUp extends Error {}

/** The thread begins to load at once, and to look when it is asked to. */
export function startScanThread(options: ThreadOptions): ThreadedScanner {
  const { scanner: look, settings, log, patience = PATIENCE_MS, quarantineMs: rest = REST_MS } = options;
  /** What is left alone, until its thread is back and for a while after it got stuck. */
  const avoided = new Map<string, { heartbeat: QuarantinedPath; thread: Worker | undefined; until: number }>();
  const lost = new Set<Worker>();
  let thread: Thread | undefined = start();
  let lastId = 0;
  /** Something was done that is to be written at the end. */
  let worked = false;
  let closing = false;
  let queue: Promise<unknown> = Promise.resolve();

  function start(): Thread {
    const place = newHeartbeat();
    const data: WorkerStart = {
      scanner: look,
      settings: settings(),
      heartbeat: place,
      avoid: [...avoided.values()].map(({ heartbeat: one }) => one),
    };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: data, resourceLimits: LIMITS });
    const made: Thread = { worker, heartbeat: place, settings: data.settings, unpack: createUnpacker() };
    worker.unref();
    worker.on('message', (told: WorkerMessage) => {
      if (told.kind === 'log') log[told.level](told.message);
      else if (told.id === made.job?.id) {
        if (told.kind === 'done') made.job.resolve(told);
        else made.job.reject(new ScanFailure(told.message));
      }
    });
    const end = (error: Error) => {
      if (thread === made) thread = undefined;
      made.job?.reject(error);
    };
    worker.on('error', (error) => end(new ScanFailure(defectText(error))));
    worker.on('exit', () => {
      lost.delete(worker);
      for (const entry of avoided.values()) if (entry.thread === worker) entry.thread = undefined;
      end(new ScanFailure('the scanning thread ended'));
    });
    return made;
  }

  /** What may be looked at again; a thread knows only what it was started with, so it gives way to a new one. */
  function forgive(): void {
    const before = avoided.size;
    for (const [key, { heartbeat: place, thread: waiting, until }] of avoided) {
      if (waiting !== undefined || steadyMs() < until) continue;
      avoided.delete(key);
      log.info('looked at again', () => ({ path: place.path }));
    }
    if (avoided.size === before || thread === undefined) return;
    void thread.worker.terminate();
    thread = undefined;
  }

  function giveUp(of: Thread, path: string): void {
    thread = undefined;
    lost.add(of.worker);
    void of.worker.terminate();
    const stuck = blockedAt(path, look);
    const mounts = stuck.mountsOf === undefined ? '' : textOf(`${look.procfs}/${stuck.mountsOf}/mountinfo`);
    const place = widened(stuck, mounts);
    if (place !== undefined)
      avoided.set(`${place.space} ${place.path}`, { heartbeat: place, thread: of.worker, until: steadyMs() + rest });
    log.warn('a read does not come back; what it waits for is left alone until it does', () => ({
      path: place?.path ?? path,
    }));
    of.job?.reject(new GivenUp('the scan hangs'));
  }

  /**
   * Stuck is who stays inside of one call and neither gets processor time nor waits for it: whoever computes, writes the
   * state or starves on a busy machine comes back by himself. Looks several times in the span of patience: after the
   * whole machine was asleep one look alone would be wrong.
   */
  function watch(watched: Thread): NodeJS.Timeout {
    let before = '';
    let still = 0;
    return setInterval(() => {
      const { steps, inside, thread: id } = readHeartbeat(watched.heartbeat);
      const { state, cpuTicks } = activityOf(id);
      const now = `${steps} ${cpuTicks}`;
      still = inside !== undefined && state !== 'R' && now === before ? still + 1 : 0;
      before = now;
      if (still >= CHECKS) giveUp(watched, inside!);
    }, patience / CHECKS);
  }

  async function ask(job: Job): Promise<{ done: Done; by: Thread }> {
    for (;;) {
      forgive();
      if (closing && thread === undefined) throw new ScanFailure('the program ends');
      if (thread === undefined && lost.size >= MOST_STUCK)
        throw new ScanFailure(`${lost.size} scans hang; there is no other before one of them comes back`);
      thread ??= start();
      const by = thread;
      if (by.settings !== settings()) {
        by.settings = settings();
        by.worker.postMessage({ kind: 'settings', settings: by.settings } satisfies Order);
      }
      const id = ++lastId;
      const watching = watch(by);
      by.worker.ref();
      try {
        const done = await new Promise<Done>((resolve, reject) => {
          by.job = { id, resolve, reject };
          by.worker.postMessage({ ...job, id });
        });
        worked = true;
        return { done, by };
      } catch (error) {
        if (!(error instanceof GivenUp)) throw error;
      } finally {
        clearInterval(watching);
        delete by.job;
        by.worker.unref();
      }
    }
  }

  /** One job at a time, in the order of asking. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = queue.then(act);
    queue = mine.catch(() => undefined); // Its own caller is told.
    return mine;
  }

  return {
    take: () =>
      inTurn(async (): Promise<Snapshot> => {
        const { done, by } = await ask({ kind: 'take' });
        return by.unpack(done.transfer!);
      }),
    forget: (name, keepInstance) =>
      inTurn(async () => (await ask({ kind: 'forget', name, keepInstance })).done.forgot === true),
    async close() {
      closing = true;
      if (thread === undefined) return;
      // A first scan that is still under way has nothing to remember.
      if (worked) await withinTime(inTurn(() => ask({ kind: 'close' })));
      // A scan that takes long, on a busy machine say, is ended; one that waits inside of a read cannot be.
      const { job, worker } = thread ?? {};
      if (worker !== undefined && (job !== undefined || !worked)) await withinTime(worker.terminate());
    },
    blocked: () => lost.size + Number(thread?.job !== undefined),
  };
}

/** Waits for it, but not for ever. That it fails is no matter. */
async function withinTime(act: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([act.catch(() => undefined), late]);
  clearTimeout(timer);
}

/** What a thread of ours does, by its line in `/proc`: nothing known where that cannot be read. */
function activityOf(thread: number): { state?: string; cpuTicks?: number } {
  return thread === 0 ? {} : (parseStat(textOf(`/proc/self/task/${thread}/stat`)) ?? {});
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process is gone, or its mounts are hidden: the path alone is left alone.
  }
}
