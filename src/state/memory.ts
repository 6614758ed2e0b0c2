/** The memory between scans and starts: the state file (`--state.file`). No error with it stops a scan. */
import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../model/limits.js';
import type { Gap } from '../model/model.js';
import { sweepBeside } from '../runtime/atomic-file.js';
import { systemClock } from '../runtime/clock.js';
import { digestOf } from '../runtime/digest.js';
import { boundState } from './memory-bounds.js';
import { type MemoryLog, StateFile } from './memory-file.js';
import { mergeForeign } from './memory-forget.js';
import { emptyState, type State } from './memory-state.js';
import { differsUrgently, encodeState } from './memory-text.js';
import { throughLinks } from './state-file.js';

export interface Memory {
  /** The state for the next scan: `state` with changes that another process (`forget`) made to the file. */
  pull(state: State): State;
  /**
   * After a scan. Writes at once when an instance, a start or a learned listener changed, or a socket closed whose drops are
   * not written yet; all other changes at most every 30 s. Returns true when the file contains `state`. `now`: seconds on the
   * steady clock; `isUrgent`: the result of `isUrgent` for this state, where known.
   */
  save(state: State, now: number, isUrgent?: boolean): boolean;
  /** Whether `save` would write `state` at once. */
  isUrgent(state: State): boolean;
  /** Settles when no write is running, or after 0.3 s: a slow disk must not delay a scan. */
  settled(): Promise<void>;
  /** At the end of the program: writes everything. */
  flush(state: State): boolean;
  /** Settles when no write is running. */
  written(): Promise<void>;
  /** Why the file cannot be read or written at present. */
  gaps(): Gap[];
}

export interface MemoryOptions {
  /** `save` does not wait for the disk. */
  background?: boolean;
}

/** Without urgency, the shortest time between two writes, and between a failure and the next attempt. */
const slowSeconds = 30;
/** How long a report waits for an urgent write, which usually takes a few milliseconds. */
const PATIENCE_MS = 300;
const emptyContent = encodeState(emptyState);

/**
 * Opens the memory; without a path it lasts as long as the program. A corrupt file is renamed to `.corrupt`; an unreadable one
 * or one of a newer version is left unchanged, and nothing is written.
 */
export function openMemory(
  stateFile: string | undefined,
  log: MemoryLog,
  { background = false }: MemoryOptions = {},
): { memory: Memory; state: State } {
  if (stateFile === undefined) return { memory: withoutFile, state: emptyState };
  const path = throughLinks(stateFile);
  sweepBeside(path);
  const file = new StateFile(path, log);
  const state = file.read() ?? emptyState;
  return { memory: createMemory(file, state, background), state };
}

const withoutFile: Memory = {
  pull: (state) => state,
  save: () => true,
  isUrgent: () => false,
  settled: async () => undefined,
  flush: () => true,
  written: async () => undefined,
  gaps: () => [],
};

function createMemory(file: StateFile, initial: State, background: boolean): Memory {
  /** What the file contains. */
  let written = initial;
  /** The state that was last read or written; `written` may also be what `forget` left in the file. */
  let saved = initial;
  /** Digest of the text that was last written; the text itself may take megabytes. */
  let digest: string | undefined;
  let lastWrite = Number.NEGATIVE_INFINITY;
  /** The write under way, and when it began. */
  let writing: { since: number; done: Promise<void> } | undefined;

  function write(state: State, now: number, force: boolean): boolean {
    const bounded = boundState(state, limits.stateBytes);
    const content = encodeState(bounded);
    const present = digestOf(content, 64);
    if (present === digest && file.exists) return true;
    // An empty state is not written to a new file.
    if (!file.exists && digest === undefined && content === emptyContent) return true;
    const failedAt = file.failedAt;
    if (!force && failedAt !== undefined && now - failedAt < slowSeconds) return false;
    const noteWritten = (isWritten: boolean) => {
      if (isWritten) [digest, written, saved, lastWrite] = [present, bounded, state, now];
      return isWritten;
    };
    if (!background || force) return noteWritten(file.write(content, now));
    const done = file.writeLater(content, now).then((isWritten) => {
      noteWritten(isWritten);
      writing = undefined;
    });
    writing = { since: systemClock.steady(), done };
    return false;
  }

  return {
    pull(state) {
      if (!file.isWritable || writing !== undefined || !file.hasChanged()) return state;
      const theirs = file.read();
      if (theirs === undefined) return state;
      const merged = mergeForeign(state, written, theirs);
      written = theirs;
      digest = undefined;
      return merged;
    },
    save(state, now, isUrgent = differsUrgently(saved, state)) {
      if (!file.isWritable || writing !== undefined) return false;
      const isDue = !file.exists || now - lastWrite >= slowSeconds;
      return isDue || isUrgent ? write(state, now, false) : true;
    },
    isUrgent: (state) => file.isWritable && differsUrgently(saved, state),
    async settled() {
      if (writing === undefined) return;
      const left = PATIENCE_MS - 1000 * (systemClock.steady() - writing.since);
      if (left > 0) await within(left, writing.done);
    },
    flush: (state) => file.isWritable && write(state, lastWrite, true),
    written: async () => writing?.done,
    gaps: () => [file.gap, writing && slowWrite(file.path, writing.since)].filter((gap) => gap !== undefined),
  };
}

function slowWrite(path: string, since: number): Gap | undefined {
  if (systemClock.steady() - since < slowSeconds) return undefined;
  return { reason: 'blocked', subject: path, detail: 'a write to it has not returned' };
}

/** Settles with `done`, or after so many milliseconds. */
async function within(milliseconds: number, done: Promise<void>): Promise<void> {
  const patience = new AbortController();
  const timeout = pause(milliseconds, undefined, { signal: patience.signal }).catch(() => {});
  await Promise.race([done, timeout]);
  patience.abort();
}
