/**
 * Scans in a thread of their own and watches it: all reading is synchronous, and a read may block for ever. A thread that stays in
 * one call for seconds is given up; another one takes over and skips the path until that call returns. So a hanging file costs the
 * instances that need it, but neither the server nor the next scan.
 */
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '../../model/model.js';
import { newHeartbeat } from '../../proc/heartbeat.js';
import { defectText } from '../../runtime/defect.js';
import type { Logger } from '../../runtime/log.js';
import type { Settings } from '../../settings/settings.js';
import type { Scanner, ScannerOptions } from '../host-scan.js';
import { ScanFailure } from '../scan-failure.js';
import { createQuarantine, pathToSkip, watchForBlock } from './blocked-threads.js';
import { createUnpacker } from './snapshot-transfer.js';
import { setHeapFlagsAside } from './v8-flags.js';
import type { Order, WorkerMessage, WorkerStart } from './worker.js';

setHeapFlagsAside();

export interface ThreadOptions {
  scanner: ScannerOptions;
  settings: () => Settings;
  log: Logger;
  /** Milliseconds in one call after which a thread counts as blocked. */
  patience?: number;
  /** Milliseconds for which a path is skipped at least. */
  quarantineMs?: number;
}

export interface ThreadedScanner extends Scanner {
  /** Number of threads inside of a call: while there are any, the process cannot end by itself. */
  blocked(): number;
}

/** One call takes microseconds; on a disk that has to spin up, seconds. */
const PATIENCE_MS = 4000;
const QUARANTINE_MS = 60_000;
/** Each blocked thread keeps its memory. */
const MOST_BLOCKED = 4;
/** For writing the state and for ending the thread, when the program ends. */
const CLOSE_MS = 2000;
/**
 * Megabytes. Young objects get three semi-spaces of 1 MiB, as in the main thread with the flags of the systemd unit: more would
 * cost memory and save little time.
 */
const MEMORY_LIMITS = {
  maxYoungGenerationSizeMb: 3,
  maxOldGenerationSizeMb: Math.min(1024, Math.floor(getHeapStatistics().heap_size_limit / 2 ** 20)),
};

type WithoutId<O> = O extends { id: number } ? Omit<O, 'id'> : never;
type Job = WithoutId<Order>;
type Done = Extract<WorkerMessage, { kind: 'done' }>;

interface Thread {
  worker: Worker;
  heartbeat: SharedArrayBuffer;
  settings: Settings;
  unpack: ReturnType<typeof createUnpacker>;
  job?: { id: number; resolve: (done: Done) => void; reject: (error: Error) => void };
}

/** The thread of a job was given up; another thread may do the job. */
class GivenUp extends Error {}

/** The thread loads its modules at once and scans on demand. */
export function startScanThread(options: ThreadOptions): ThreadedScanner {
  const { scanner, settings, log, patience = PATIENCE_MS, quarantineMs = QUARANTINE_MS } = options;
  const quarantine = createQuarantine<Worker>(quarantineMs);
  const blocked = new Set<Worker>();
  let thread: Thread | undefined = start();
  let lastId = 0;
  /** A job was done, so there may be state to write at the end. */
  let hasWorked = false;
  let isClosing = false;
  let queue: Promise<unknown> = Promise.resolve();

  function start(): Thread {
    const heartbeat = newHeartbeat();
    const data: WorkerStart = { scanner, settings: settings(), heartbeat, avoid: quarantine.paths() };
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: data,
      resourceLimits: MEMORY_LIMITS,
    });
    const started: Thread = { worker, heartbeat, settings: data.settings, unpack: createUnpacker() };
    const end = (error: Error) => {
      if (thread === started) thread = undefined;
      started.job?.reject(error);
    };
    worker.unref();
    worker.on('message', (message: WorkerMessage) => receive(started, message));
    worker.on('error', (error) => end(new ScanFailure(defectText(error))));
    worker.on('exit', () => {
      blocked.delete(worker);
      quarantine.returned(worker);
      end(new ScanFailure('the scanning thread ended'));
    });
    return started;
  }

  function receive({ job }: Thread, message: WorkerMessage): void {
    if (message.kind === 'log') log[message.level](message.message);
    else if (message.id !== job?.id) return;
    else if (message.kind === 'done') job.resolve(message);
    else job.reject(new ScanFailure(message.message));
  }

  /** A thread knows only the quarantine that it was started with, so a new one takes over. */
  function retryReleased(): void {
    const released = quarantine.release();
    for (const { path } of released) log.info('retrying a path that blocked before', () => ({ path }));
    if (released.length === 0 || thread === undefined) return;
    void thread.worker.terminate();
    thread = undefined;
  }

  function giveUp({ worker, job }: Thread, path: string): void {
    thread = undefined;
    blocked.add(worker);
    void worker.terminate();
    const skipped = pathToSkip(path, scanner);
    if (skipped !== undefined) quarantine.add(skipped, worker);
    log.warn('a read blocks; its path is skipped until the read returns', () => ({ path: skipped?.path ?? path }));
    job?.reject(new GivenUp('the scan is blocked'));
  }

  function readyThread(): Thread {
    retryReleased();
    if (isClosing && thread === undefined) throw new ScanFailure('the program ends');
    if (thread === undefined && blocked.size >= MOST_BLOCKED)
      throw new ScanFailure(`${blocked.size} scans are blocked; there is no further one before one of them returns`);
    thread ??= start();
    if (thread.settings !== settings()) {
      thread.settings = settings();
      thread.worker.postMessage({ kind: 'settings', settings: thread.settings } satisfies Order);
    }
    return thread;
  }

  /** Repeats the job in another thread while it blocks. */
  async function perform(job: Job): Promise<{ done: Done; by: Thread }> {
    for (;;) {
      const by = readyThread();
      const id = ++lastId;
      const endWatch = watchForBlock(by.heartbeat, patience, (path) => giveUp(by, path));
      by.worker.ref();
      try {
        const done = await new Promise<Done>((resolve, reject) => {
          by.job = { id, resolve, reject };
          by.worker.postMessage({ ...job, id });
        });
        hasWorked = true;
        return { done, by };
      } catch (error) {
        if (!(error instanceof GivenUp)) throw error;
      } finally {
        endWatch();
        delete by.job;
        by.worker.unref();
      }
    }
  }

  /** One job at a time, in the order of the calls. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const result = queue.then(act);
    queue = result.catch(() => undefined); // The caller gets the error.
    return result;
  }

  return {
    take: () =>
      inTurn(async (): Promise<Snapshot> => {
        const { done, by } = await perform({ kind: 'take' });
        return by.unpack(done.transfer!);
      }),
    forget: (name, keepInstance) =>
      inTurn(async () => (await perform({ kind: 'forget', name, keepInstance })).done.forgot === true),
    async close() {
      isClosing = true;
      if (thread === undefined) return;
      // Before the first scan has ended there is no state to write.
      if (hasWorked) await withinTime(inTurn(() => perform({ kind: 'close' })));
      // Ends a scan that takes long; one that is blocked in a read cannot be ended.
      const { job, worker } = thread ?? {};
      if (worker !== undefined && (job !== undefined || !hasWorked)) await withinTime(worker.terminate());
    },
    blocked: () => blocked.size + Number(thread?.job !== undefined),
  };
}

/** Waits up to CLOSE_MS; ignores a failure. */
async function withinTime(act: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([act.catch(() => undefined), timeout]);
  clearTimeout(timer);
}
