/** The state file on disk. A problem is kept as a gap and logged once when it begins and once when it ends. */
import { lstatSync, readFileSync, renameSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { limits } from '../model/limits.js';
import type { Gap } from '../model/model.js';
import { during, quarantineGap } from '../proc/heartbeat.js';
import type { State } from './memory-state.js';
import { loadState } from './memory-text.js';
import { codeOf, reasonOf, signatureOf, writeAtomically, writeAtomicallyLater } from './state-file.js';

/** Messages name the file, not its content. */
export type MemoryLog = (level: 'info' | 'warn', message: string) => void;

export interface StateFile {
  readonly path: string;
  /** Undefined: there is no file, or none that can be used. A corrupt file is renamed to `.corrupt`. */
  read(): State | undefined;
  /** False: the file is unreadable or of a newer version, and must stay as it is. */
  isWritable(): boolean;
  /** There was a file when it was last read, written or compared. */
  exists(): boolean;
  /** Another process has written the file since it was last read or written. */
  hasChanged(): boolean;
  /** Both return false after a failure. `now`: any steady seconds. */
  write(content: string, now: number): boolean;
  writeLater(content: string, now: number): Promise<boolean>;
  /** When a write failed, if none has succeeded since. */
  failedAt(): number | undefined;
  gap(): Gap | undefined;
}

export function createStateFile(path: string, log: MemoryLog): StateFile {
  /** Of the file when it was last read or written; undefined: there is none. */
  let signature: string | undefined;
  let gap: Gap | undefined;
  let lastFailure = Number.NEGATIVE_INFINITY;
  let isWritable = true;

  function note(next: Gap | undefined, message: string): void {
    if (next?.detail !== gap?.detail) log(next === undefined ? 'info' : 'warn', `state file ${path}: ${message}`);
    gap = next;
  }

  function refuse(reason: Gap['reason'], detail: string): undefined {
    isWritable = false;
    note({ reason, subject: path, detail }, `${detail}; state will not be saved, file left unchanged`);
  }

  function setAside(why: string): undefined {
    signature = undefined;
    try {
      renameSync(path, `${path}.corrupt`);
      log('warn', `state file ${path}: ${why}; set aside as ${path}.corrupt, starting afresh`);
    } catch (error) {
      refuse('malformed', `${why}, and cannot be set aside (${codeOf(error)})`);
    }
  }

  function read(): State | undefined {
    let content: string;
    try {
      const blocked = quarantineGap('/', path);
      if (blocked !== undefined) return refuse(blocked.reason, blocked.detail ?? '');
      const stats = during(path, () => lstatSync(path));
      signature = signatureOf(stats);
      if (!stats.isFile()) return refuse('malformed', 'not a regular file');
      if (stats.size > limits.stateBytes) return setAside('too large');
      content = during(path, () => readFileSync(path, 'utf8'));
    } catch (error) {
      signature = undefined;
      const code = codeOf(error);
      return code === 'ENOENT'
        ? undefined
        : refuse(code === 'EACCES' ? 'denied' : 'malformed', `cannot be read (${code})`);
    }
    const loaded = loadState(content);
    if (loaded.kind === 'newer')
      return refuse('malformed', `is of version ${loaded.version}, newer than this exporter knows`);
    if (loaded.kind === 'corrupt') return setAside('not readable as state');
    if (loaded.badRows > 0) log('warn', `state file ${path}: skipped ${loaded.badRows} malformed entries`);
    return loaded.state;
  }

  function hasChanged(): boolean {
    if (quarantineGap('/', path) !== undefined) return false;
    try {
      return signatureOf(during(path, () => lstatSync(path))) !== signature;
    } catch {
      signature = undefined; // It was removed: the next save writes it again.
      return false;
    }
  }

  function succeeded(): true {
    note(undefined, 'written again');
    return true;
  }

  function failed(error: unknown, now: number): false {
    lastFailure = now;
    const detail = `cannot be written (${codeOf(error)})`;
    note(
      { reason: reasonOf(error), subject: path, detail },
      `${detail}; continuing; new state will be lost at the next start`,
    );
    return false;
  }

  return {
    path,
    read,
    isWritable: () => isWritable,
    exists: () => signature !== undefined,
    hasChanged,
    write(content, now) {
      try {
        writeAtomically(path, content);
        signature = signatureOf(lstatSync(path));
      } catch (error) {
        return failed(error, now);
      }
      return succeeded();
    },
    async writeLater(content, now) {
      try {
        await writeAtomicallyLater(path, content);
        signature = signatureOf(await lstat(path));
      } catch (error) {
        return failed(error, now);
      }
      return succeeded();
    },
    failedAt: () => (gap === undefined ? undefined : lastFailure),
    gap: () => gap,
  };
}
