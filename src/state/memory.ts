/**
 * The state file (`--state.file`): read once, written whole and atomically (temporary file beside it, fsync, rename, fsync of
 * the directory), owner-only, and only when something changed. What goes wrong with it never stops a scan.
 */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  type Stats,
} from 'node:fs';
import { lstat, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../model/limits.js';
import type { Gap } from '../model/model.js';
import { during, leftAlone } from '../proc/place.js';
import { systemClock } from '../runtime/clock.js';
import { sweepBeside, writeWhole, writeWholeLater } from '../runtime/whole-file.js';
import { boundState } from './memory-bounds.js';
import { mergeForeign } from './memory-forget.js';
import { emptyState, type State } from './memory-state.js';
import { differsUrgently, encodeState, loadState } from './memory-text.js';

export interface Memory {
  /** What the next scan starts from: `state` with what another process (`forget`) changed in the file meanwhile. */
  pull(state: State): State;
  /**
   * After a scan. Writes at once when an instance, a start or a learned listener changed, or a socket closed that had dropped
   * more than is written; time stamps, the ledger of open sockets and those on their way to being learned at most every 30 s. True when the file now says what `state` does.
   * `now`: seconds on a clock that never goes back; `isUrgent`: what `isUrgent` said of that state, to ask once.
   */
  save(state: State, now: number, isUrgent?: boolean): boolean;
  /** True when `save` would not let `state` wait for its turn. */
  isUrgent(state: State): boolean;
  /** Settles when no write is under way, or one has lasted for a moment: a slow disk must not hold up a scan. */
  settled(): Promise<void>;
  /** At the end of the program: everything. */
  flush(state: State): boolean;
  /** Settles when no write is under way. */
  atRest(): Promise<void>;
  /** Why nothing is remembered, while that is so. */
  gaps(): Gap[];
}

export type MemoryLog = (level: 'info' | 'warn', message: string) => void;

const slowSeconds = 30;
/** How long a report waits for an urgent write. A healthy disk takes a few milliseconds. */
const PATIENCE_MS = 300;
const nothing = encodeState(emptyState);

/** A state, what of it is written, and that as text. */
interface Written {
  state: State;
  bounded: State;
  content: string;
}

const sizeLimit = limits.stateBytes;

export interface MemoryOptions {
  /** `save` only begins to write: a slow disk makes no scan wait. */
  background?: boolean;
}

/**
 * Opens the memory; without a path it lasts as long as the program. A corrupt file is set aside as `.corrupt`; one of a newer
 * version, or that can't be read, is left alone and nothing is written. Messages name the file, never its content.
 */
export function openMemory(
  stateFile: string | undefined,
  log: MemoryLog,
  { background = false }: MemoryOptions = {},
): { memory: Memory; state: State } {
  const path = stateFile === undefined ? undefined : throughLinks(stateFile);
  let written: State = emptyState;
  /** What was written or read last, for `differsUrgently`; `written` is also what `forget` left in the file. */
  let urgent: State = emptyState;
  let text: string | undefined;
  let lastWrite = Number.NEGATIVE_INFINITY;
  let lastFailure = Number.NEGATIVE_INFINITY;
  /** Of the file as we read or wrote it last; undefined when there is none. */
  let signature: string | undefined;
  let gap: Gap | undefined;
  /** The write under way, and when it began. */
  let writing: { since: number; done: Promise<void> } | undefined;
  /** The file is not ours to write. */
  let closed = path === undefined;

  const trouble = (next: Gap | undefined, message: string) => {
    // One line when it begins, one when it ends.
    if (next?.detail !== gap?.detail) log(next === undefined ? 'info' : 'warn', message);
    gap = next;
  };

  function read(file: string): State | undefined {
    let content: string;
    try {
      const alone = leftAlone('/', file);
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
    if (loaded.badRows > 0)
      log('warn', `state file ${file}: ${loaded.badRows} entries left out, they are not what they ought to be`);
    return loaded.state;
  }

  function refuse(file: string, reason: Gap['reason'], detail: string): undefined {
    closed = true;
    trouble(
      { reason, subject: file, detail },
      `state file ${file}: ${detail}; running without memory, the file is left as it is`,
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
    // Nothing worth remembering yet is no reason to make a file.
    if (signature === undefined && text === undefined && content === nothing) return true;
    // Every failing attempt costs a system call or two: not on each scan.
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
    tellWritten(file, { state, bounded, content }, now);
    return true;
  }

  async function writeLater(file: string, what: Written, now: number): Promise<void> {
    try {
      await writeAtomicallyLater(file, what.content);
      signature = signatureOf(await lstat(file));
      tellWritten(file, what, now);
    } catch (error) {
      failed(file, error, now);
    }
    writing = undefined;
  }

  function failed(file: string, error: unknown, now: number): void {
    lastFailure = now;
    trouble(
      { reason: reasonOf(error), subject: file, detail: `cannot be written (${codeOf(error)})` },
      `state file ${file}: cannot be written (${codeOf(error)}); running on, what is learned now is lost at the next start`,
    );
  }

  function tellWritten(file: string, { state, bounded, content }: Written, now: number): void {
    text = content;
    written = bounded;
    urgent = state;
    lastWrite = now;
    trouble(undefined, `state file ${file}: written again`);
  }

  /** A disk that takes so long is told; what is remembered meanwhile is written once it is back. */
  function slowWrite(): Gap[] {
    if (writing === undefined || systemClock.steady() - writing.since < slowSeconds) return [];
    return [{ reason: 'blocked', subject: path!, detail: 'a write to it does not come back' }];
  }

  const memory: Memory = {
    pull(state) {
      if (path === undefined || closed || writing !== undefined) return state;
      if (leftAlone('/', path) !== undefined) return state;
      let now: string | undefined;
      try {
        now = signatureOf(during(path, () => lstatSync(path)));
      } catch {
        // Removed by somebody: what we know is written again at the next save.
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
    atRest: async () => writing?.done,
    gaps: () => [...(gap === undefined ? [] : [gap]), ...slowWrite()],
  };

  if (path === undefined) return { memory, state: emptyState };
  sweepBeside(path);
  const state = read(path) ?? emptyState;
  written = state;
  urgent = state;
  return { memory, state };
}

/** A link at the file's place stays: what it leads to is replaced. */
function throughLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // Not there yet.
  }
}

function writeAtomically(path: string, content: string): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeWhole(path, Buffer.from(content), 0o600);
  syncDirectory(directory);
}

async function writeAtomicallyLater(path: string, content: string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeWholeLater(path, Buffer.from(content), 0o600);
  // As `syncDirectory`.
  const handle = await open(directory, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}

/** Without it the rename may be lost with the power, but the file is whole either way. */
function syncDirectory(directory: string): void {
  try {
    const descriptor = openSync(directory, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Some file systems cannot sync a directory, and a directory may be writable without being readable.
  }
}

function signatureOf(stats: Stats): string {
  return `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

function reasonOf(error: unknown): Gap['reason'] {
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'denied';
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'limit';
    default:
      return 'malformed';
  }
}
