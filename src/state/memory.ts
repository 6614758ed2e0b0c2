/** The memory between scans and starts: the state file (`--state.file`). No error with it stops a scan. */
import { lstatSync, readFileSync, renameSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../model/limits.js';
import type { Gap } from '../model/model.js';
import { during, quarantineGap } from '../proc/heartbeat.js';
import { sweepBeside } from '../runtime/atomic-file.js';
import { systemClock } from '../runtime/clock.js';
import { boundState } from './memory-bounds.js';
import { mergeForeign } from './memory-forget.js';
import { emptyState, type State } from './memory-state.js';
import { differsUrgently, encodeState, loadState } from './memory-text.js';
import { codeOf, reasonOf, signatureOf, throughLinks, writeAtomically, writeAtomicallyLater } from './state-file.js';

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

export type MemoryLog = (level: 'info' | 'warn', message: string) => void;

const slowSeconds = 30;
/** How long a report waits for an urgent write, which usually takes a few milliseconds. */
const PATIENCE_MS = 300;
const nothing = encodeState(emptyState);

/** A state, the part of it that is written, and that part as text. */
interface Written {
  state: State;
  bounded: State;
  content: string;
}

const sizeLimit = limits.stateBytes;

export interface MemoryOptions {
  /** `save` does not wait for the disk. */
  background?: boolean;
}

/**
 * Opens the memory; without a path it lasts as long as the program. A corrupt file is renamed to `.corrupt`; an unreadable one
 * or one of a newer version is left unchanged, and nothing is written. Messages name the file, not its content.
 */
export function openMemory(
  stateFile: string | undefined,
  log: MemoryLog,
  { background = false }: MemoryOptions = {},
): { memory: Memory; state: State } {
  const path = stateFile === undefined ? undefined : throughLinks(stateFile);
  let written: State = emptyState;
  /** The state last written or read; `written` may also be what `forget` left in the file. */
  let urgent: State = emptyState;
  let text: string | undefined;
  let lastWrite = Number.NEGATIVE_INFINITY;
  let lastFailure = Number.NEGATIVE_INFINITY;
  /** Signature of the file when it was last read or written; undefined where there is none. */
  let signature: string | undefined;
  let gap: Gap | undefined;
  /** The write under way, and when it began. */
  let writing: { since: number; done: Promise<void> } | undefined;
  /** Nothing is written to the file. */
  let closed = path === undefined;

  const trouble = (next: Gap | undefined, message: string) => {
    // Logged once when a problem begins and once when it ends.
    if (next?.detail !== gap?.detail) log(next === undefined ? 'info' : 'warn', message);
    gap = next;
  };

  function read(file: string): State | undefined {
    let content: string;
    try {
      const alone = quarantineGap('/', file);
      if (alone !== undefined) return refuse(file, alone.reason, alone.detail ?? '');
      const stats = during(file, () => lstatSync(file));
      signature = signatureOf(stats);
      if (!stats.isFile()) return refuse(file, 'malformed', 'not a regular file');
      if (stats.size > sizeLimit) return setAside(file, 'too large');
      content = during(file, () => readFileSync(file, 'utf8'));
    } catch (error) {
      signature = undefined;
      if (codeOf(error) === 'ENOENT') return undefined;
      return refuse(file, codeOf(error) === 'EACCES' ? 'denied' : 'malformed', `cannot be read (${codeOf(error)})`);
    }
    const loaded = loadState(content);
    if (loaded.kind === 'newer')
      return refuse(file, 'malformed', `is of version ${loaded.version}, newer than this exporter knows`);
    if (loaded.kind === 'corrupt') return setAside(file, 'not readable as state');
    if (loaded.badRows > 0) log('warn', `state file ${file}: skipped ${loaded.badRows} malformed entries`);
    return loaded.state;
  }

  function refuse(file: string, reason: Gap['reason'], detail: string): undefined {
    closed = true;
    trouble(
      { reason, subject: file, detail },
      `state file ${file}: ${detail}; state will not be saved, file left unchanged`,
    );
    return undefined;
  }

  function setAside(file: string, why: string): undefined {
    signature = undefined;
    try {
      renameSync(file, `${file}.corrupt`);
      log('warn', `state file ${file}: ${why}; set aside as ${file}.corrupt, starting afresh`);
    } catch (error) {
      refuse(file, 'malformed', `${why}, and cannot be set aside (${codeOf(error)})`);
    }
    return undefined;
  }

  function write(file: string, state: State, now: number, force: boolean): boolean {
    const bounded = boundState(state, sizeLimit);
    const content = encodeState(bounded);
    if (content === text && signature !== undefined) return true;
    // An empty state is not written to a new file.
    if (signature === undefined && text === undefined && content === nothing) return true;
    // After a failure the next attempt waits.
    if (!force && gap !== undefined && now - lastFailure < slowSeconds) return false;
    if (background && !force) {
      writing = { since: systemClock.steady(), done: writeLater(file, { state, bounded, content }, now) };
      return false;
    }
    try {
      writeAtomically(file, content);
      signature = signatureOf(lstatSync(file));
    } catch (error) {
      failed(file, error, now);
      return false;
    }
    noteWritten(file, { state, bounded, content }, now);
    return true;
  }

  async function writeLater(file: string, what: Written, now: number): Promise<void> {
    try {
      await writeAtomicallyLater(file, what.content);
      signature = signatureOf(await lstat(file));
      noteWritten(file, what, now);
    } catch (error) {
      failed(file, error, now);
    }
    writing = undefined;
  }

  function failed(file: string, error: unknown, now: number): void {
    lastFailure = now;
    trouble(
      { reason: reasonOf(error), subject: file, detail: `cannot be written (${codeOf(error)})` },
      `state file ${file}: cannot be written (${codeOf(error)}); continuing; new state will be lost at the next start`,
    );
  }

  function noteWritten(file: string, { state, bounded, content }: Written, now: number): void {
    text = content;
    written = bounded;
    urgent = state;
    lastWrite = now;
    trouble(undefined, `state file ${file}: written again`);
  }

  /** A write that takes longer than 30 s. */
  function slowWrite(): Gap[] {
    if (writing === undefined || systemClock.steady() - writing.since < slowSeconds) return [];
    return [{ reason: 'blocked', subject: path!, detail: 'a write to it does not come back' }];
  }

  const memory: Memory = {
    pull(state) {
      if (path === undefined || closed || writing !== undefined) return state;
      if (quarantineGap('/', path) !== undefined) return state;
      let now: string | undefined;
      try {
        now = signatureOf(during(path, () => lstatSync(path)));
      } catch {
        // The file was removed: the next save writes it again.
        signature = undefined;
        return state;
      }
      if (now === signature) return state;
      const theirs = read(path);
      if (theirs === undefined) return state;
      const merged = mergeForeign(state, written, theirs);
      written = theirs;
      text = undefined;
      return merged;
    },
    save(state, now, isUrgent = differsUrgently(urgent, state)) {
      if (path === undefined || closed) return path === undefined;
      if (writing !== undefined) return false;
      const due = signature === undefined || now - lastWrite >= slowSeconds;
      if (!due && !isUrgent) return true;
      return write(path, state, now, false);
    },
    isUrgent: (state) => path !== undefined && !closed && differsUrgently(urgent, state),
    async settled() {
      if (writing === undefined) return;
      const left = PATIENCE_MS - 1000 * (systemClock.steady() - writing.since);
      if (left <= 0) return;
      const patience = new AbortController();
      const enough = pause(left, undefined, { signal: patience.signal }).catch(() => {});
      await Promise.race([writing.done, enough]);
      patience.abort();
    },
    flush(state) {
      if (path === undefined || closed) return path === undefined;
      return write(path, state, lastWrite, true);
    },
    written: async () => writing?.done,
    gaps: () => [...(gap === undefined ? [] : [gap]), ...slowWrite()],
  };

  if (path === undefined) return { memory, state: emptyState };
  sweepBeside(path);
  const state = read(path) ?? emptyState;
  written = state;
  urgent = state;
  return { memory, state };
}
