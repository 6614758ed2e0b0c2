/**
 * Asks several endpoints at once, beside the scan: no scan waits for an answer, the next one finds it. A frozen endpoint costs
 * nobody else anything.
 */
import type { ProcessId } from '../model/model.js';
import { askEndpoint, type EndpointResult, type EndpointTarget } from './endpoint-client.js';

/** Seconds between two questions to one endpoint. */
const restSeconds = 5;
/** More instances than this are asked in turn. */
const mostAtOnce = 64;

export interface Answered {
  /** Seconds, of the steady clock: when it was asked. */
  askedAt: number;
  /** Seconds since the epoch. */
  at: number;
  result: EndpointResult;
}

export interface Asker {
  /** Begins a question unless one is under way or was answered just now. */
  ask(process: ProcessId, target: EndpointTarget, withInputs: boolean): void;
  /** The newest answer, once. */
  answer(process: ProcessId): Answered | undefined;
  /** For a program that looks once: until all answers are there. */
  settled(): Promise<void>;
  keepOnly(pids: ReadonlySet<number>): void;
}

interface Slot {
  startTicks: number;
  pending?: Promise<void>;
  askedAt: number;
  answered?: Answered;
}

export function createAsker(
  clock: { wall(): number; steady(): number },
  ask: (target: EndpointTarget, withInputs: boolean) => Promise<EndpointResult> = askEndpoint,
): Asker {
  const slots = new Map<number, Slot>();

  return {
    ask({ pid, startTicks }, target, withInputs) {
      let slot = slots.get(pid);
      if (slot?.startTicks !== startTicks) {
        slot = { startTicks, askedAt: Number.NEGATIVE_INFINITY };
        slots.set(pid, slot);
      }
      const now = clock.steady();
      const busy = [...slots.values()].filter(({ pending }) => pending !== undefined).length;
      if (slot.pending !== undefined || now - slot.askedAt < restSeconds || busy >= mostAtOnce) return;
      slot.askedAt = now;
      const at = clock.wall();
      const own = slot;
      own.pending = ask(target, withInputs).then((result) => {
        own.answered = { askedAt: now, at, result };
        delete own.pending;
      });
    },
    answer({ pid, startTicks }) {
      const slot = slots.get(pid);
      if (slot?.startTicks !== startTicks) return undefined;
      const { answered } = slot;
      delete slot.answered;
      return answered;
    },
    async settled() {
      await Promise.all([...slots.values()].map(({ pending }) => pending));
    },
    keepOnly(pids) {
      for (const pid of slots.keys()) if (!pids.has(pid)) slots.delete(pid);
    },
  };
}
