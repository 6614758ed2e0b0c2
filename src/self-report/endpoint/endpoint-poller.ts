/**
 * Polls stats endpoints in a thread of their own, several at once. A scan waits a moment for endpoints whose last answer came
 * quickly, and for no others: the answer of a frozen endpoint, if it ever comes, is for the next scan.
 */
import { Worker } from 'node:worker_threads';
import type { ProcessId } from '../../model/model.js';
import type { EndpointResult, EndpointTarget } from './endpoint-client.js';
import type { Question, Reply } from './endpoint-worker.js';

/** The shortest time between two queries of one endpoint. Seconds. */
const minInterval = 5;
/** An endpoint that answers later is not waited for the next time. Seconds. */
export const quickSeconds = 0.1;
/** How many endpoints are queried at once. */
const mostAtOnce = 64;

export interface Answered {
  /** When the endpoint was queried, seconds on the steady clock. */
  askedAt: number;
  /** The same in seconds since the epoch. */
  at: number;
  result: EndpointResult;
}

export type Query = (target: EndpointTarget, withInputs: boolean) => Promise<EndpointResult>;

export interface EndpointPoller {
  /** Whether `query` would start one: none is under way, and the last is at least 5 s ago. */
  mayQuery(process: ProcessId): boolean;
  query(process: ProcessId, target: EndpointTarget, withInputs: boolean): void;
  /** The newest answer, once. */
  answer(process: ProcessId): Answered | undefined;
  /** Settles when the quick endpoints have answered, or with `all` every endpoint; at the latest after so many milliseconds. */
  settled(milliseconds: number, all?: boolean): Promise<void>;
  keepOnly(pids: ReadonlySet<number>): void;
}

interface Slot {
  startTicks: number;
  pending?: Promise<void>;
  askedAt: number;
  answered?: Answered;
  /** Its last answer came within `quickSeconds`. */
  isQuick?: boolean;
}

export function createEndpointPoller(
  clock: { wall(): number; steady(): number },
  query: Query = createThreadedQuery(),
): EndpointPoller {
  const slots = new Map<number, Slot>();
  const inTurn = createQueue(mostAtOnce);

  function slotOf({ pid, startTicks }: ProcessId): Slot | undefined {
    const slot = slots.get(pid);
    return slot?.startTicks === startTicks ? slot : undefined;
  }

  function mayQuery(process: ProcessId): boolean {
    const slot = slotOf(process);
    return slot === undefined || (slot.pending === undefined && clock.steady() - slot.askedAt >= minInterval);
  }

  return {
    mayQuery,
    query(process, target, withInputs) {
      if (!mayQuery(process)) return;
      const { pid, startTicks } = process;
      const slot = slotOf(process) ?? { startTicks, askedAt: 0 };
      slots.set(pid, slot);
      slot.askedAt = clock.steady();
      slot.pending = inTurn(async () => {
        const [askedAt, at] = [clock.steady(), clock.wall()];
        const result = await query(target, withInputs);
        slot.answered = { askedAt, at, result };
        slot.isQuick = result.ok && clock.steady() - askedAt < quickSeconds;
        delete slot.pending;
      });
    },
    answer(process) {
      const slot = slotOf(process);
      const answered = slot?.answered;
      if (slot !== undefined) delete slot.answered;
      return answered;
    },
    async settled(milliseconds, all = false) {
      const awaited = [...slots.values()].filter(({ pending, isQuick }) => pending !== undefined && (all || isQuick));
      if (awaited.length > 0) {
        let timer: NodeJS.Timeout | undefined;
        const timeout = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, milliseconds);
        });
        await Promise.race([Promise.all(awaited.map(({ pending }) => pending)), timeout]);
        clearTimeout(timer);
      }
      for (const slot of awaited) if (slot.pending !== undefined) slot.isQuick = false;
    },
    keepOnly(pids) {
      for (const pid of slots.keys()) if (!pids.has(pid)) slots.delete(pid);
    },
  };
}

/** Runs at most `most` tasks at once; the others wait in their order. */
function createQueue(most: number): (task: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      await task();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}

/** Queries in a thread that starts with the first query, and again if it ends. */
function createThreadedQuery(): Query {
  const open = new Map<number, (result: EndpointResult) => void>();
  let worker: Worker | undefined;
  let lastId = 0;

  function start(): Worker {
    const thread = new Worker(new URL('./endpoint-worker.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 },
    });
    thread.unref();
    thread.on('message', ({ id, result }: Reply) => {
      open.get(id)?.(result);
      open.delete(id);
      if (open.size === 0) thread.unref();
    });
    const end = () => {
      if (worker === thread) worker = undefined;
      for (const resolve of open.values()) resolve({ ok: false, why: 'limit' });
      open.clear();
    };
    thread.on('error', end);
    thread.on('exit', end);
    return thread;
  }

  return (target, withInputs) => {
    worker ??= start();
    const id = ++lastId;
    const thread = worker;
    return new Promise((resolve) => {
      open.set(id, resolve);
      // The thread keeps the program from ending only while a query is open.
      thread.ref();
      thread.postMessage({ id, target, withInputs } satisfies Question);
    });
  };
}
