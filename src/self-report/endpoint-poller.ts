/**
 * Asks several endpoints at once, in a thread of its own. A scan waits a moment for those that answered in time before, and
 * for nobody else: the answer of a frozen endpoint, if there is one, is found by the next scan.
 */
import { Worker } from 'node:worker_threads';
import type { ProcessId } from '../model/model.js';
import type { EndpointResult, EndpointTarget } from './endpoint-client.js';
import type { Question, Reply } from './endpoint-worker.js';

/** Seconds between two questions to one endpoint. */
const minInterval = 5;
/** Who answers later than this is not waited for the next time. */
export const quickSeconds = 0.1;
/** So many are asked at once, the others after them. */
const mostAtOnce = 64;

export interface Answered {
  /** Seconds, of the steady clock: when it was asked. */
  askedAt: number;
  /** Seconds since the epoch. */
  at: number;
  result: EndpointResult;
}

export type Query = (target: EndpointTarget, withInputs: boolean) => Promise<EndpointResult>;

export interface EndpointPoller {
  /** Whether `ask` would begin a question: none is under way, and none was answered just now. */
  mayQuery(process: ProcessId): boolean;
  query(process: ProcessId, target: EndpointTarget, withInputs: boolean): void;
  /** The newest answer, once. */
  answer(process: ProcessId): Answered | undefined;
  /** Until those that answered in time before have answered, or so many milliseconds. `all`: whoever was asked. */
  settled(milliseconds: number, all?: boolean): Promise<void>;
  keepOnly(pids: ReadonlySet<number>): void;
}

interface Slot {
  startTicks: number;
  pending?: Promise<void>;
  askedAt: number;
  answered?: Answered;
  /** Its last answer came in time. */
  isQuick?: boolean;
}

export function createAsker(
  clock: { wall(): number; steady(): number },
  ask: Query = createThreadedQuery(),
): EndpointPoller {
  const slots = new Map<number, Slot>();
  let busy = 0;
  const waiting: (() => void)[] = [];

  async function inTurn(question: () => Promise<void>): Promise<void> {
    if (busy >= mostAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    busy++;
    try {
      await question();
    } finally {
      busy--;
      waiting.shift()?.();
    }
  }

  function slotOf({ pid, startTicks }: ProcessId): Slot | undefined {
    const slot = slots.get(pid);
    return slot?.startTicks === startTicks ? slot : undefined;
  }

  const mayAsk = (process: ProcessId) => {
    const slot = slotOf(process);
    return slot === undefined || (slot.pending === undefined && clock.steady() - slot.askedAt >= minInterval);
  };

  return {
    mayQuery: mayAsk,
    query(process, target, withInputs) {
      if (!mayAsk(process)) return;
      const { pid, startTicks } = process;
      const slot = slotOf(process) ?? { startTicks, askedAt: 0 };
      slots.set(pid, slot);
      slot.askedAt = clock.steady();
      slot.pending = inTurn(async () => {
        const [askedAt, at] = [clock.steady(), clock.wall()];
        const result = await ask(target, withInputs);
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
      const asked = [...slots.values()].filter(({ pending }) => pending !== undefined);
      const awaited = asked.filter(({ isQuick }) => all || isQuick);
      if (awaited.length > 0) {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, milliseconds);
        });
        await Promise.race([Promise.all(awaited.map(({ pending }) => pending)), late]);
        clearTimeout(timer);
      }
      for (const slot of awaited) if (slot.pending !== undefined) slot.isQuick = false;
    },
    keepOnly(pids) {
      for (const pid of slots.keys()) if (!pids.has(pid)) slots.delete(pid);
    },
  };
}

/** Asks in a thread that is started with the first question, and again if it should end. */
function createThreadedQuery(): Query {
  const open = new Map<number, (result: EndpointResult) => void>();
  let worker: Worker | undefined;
  let last = 0;

  function start(): Worker {
    const made = new Worker(new URL('./endpoint-worker.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 },
    });
    made.unref();
    made.on('message', ({ id, result }: Reply) => {
      open.get(id)?.(result);
      open.delete(id);
      if (open.size === 0) made.unref();
    });
    const end = () => {
      if (worker === made) worker = undefined;
      for (const resolve of open.values()) resolve({ ok: false, why: 'limit' });
      open.clear();
    };
    made.on('error', end);
    made.on('exit', end);
    return made;
  }

  return (target, withInputs) => {
    worker ??= start();
    const id = ++last;
    const asked = worker;
    return new Promise((resolve) => {
      open.set(id, resolve);
      // Only while an answer is open does the thread keep the program from ending.
      asked.ref();
      asked.postMessage({ id, target, withInputs } satisfies Question);
    });
  };
}
