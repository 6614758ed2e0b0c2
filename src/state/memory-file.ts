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

export class StateFile {
  readonly path: string;
  private readonly log: MemoryLog;
  /** Of the file when it was last read or written; undefined: there is none. */
  private signature: string | undefined;
  private problem: Gap | undefined;
  private lastFailure = Number.NEGATIVE_INFINITY;
  private isRefused = false;

  constructor(path: string, log: MemoryLog) {
    this.path = path;
    this.log = log;
  }

  /** Undefined: there is no file, or none that can be used. A corrupt file is renamed to `.corrupt`. */
  read(): State | undefined {
    let content: string;
    try {
      const blocked = quarantineGap('/', this.path);
      if (blocked !== undefined) return this.refuse(blocked.reason, blocked.detail ?? '');
      const stats = during(this.path, () => lstatSync(this.path));
      this.signature = signatureOf(stats);
      if (!stats.isFile()) return this.refuse('malformed', 'not a regular file');
      if (stats.size > limits.stateBytes) return this.setAside('too large');
      content = during(this.path, () => readFileSync(this.path, 'utf8'));
    } catch (error) {
      this.signature = undefined;
      const code = codeOf(error);
      if (code === 'ENOENT') return undefined;
      return this.refuse(code === 'EACCES' ? 'denied' : 'malformed', `cannot be read (${code})`);
    }
    const loaded = loadState(content);
    if (loaded.kind === 'newer')
      return this.refuse('malformed', `is of version ${loaded.version}, newer than this exporter knows`);
    if (loaded.kind === 'corrupt') return this.setAside('not readable as state');
    if (loaded.badRows > 0) this.say('warn', `skipped ${loaded.badRows} malformed entries`);
    return loaded.state;
  }

  /** False: the file is unreadable or of a newer version, and must stay as it is. */
  get isWritable(): boolean {
    return !this.isRefused;
  }

  /** There was a file when it was last read, written or compared. */
  get exists(): boolean {
    return this.signature !== undefined;
  }

  /** Why it cannot be read or written at present. */
  get gap(): Gap | undefined {
    return this.problem;
  }

  /** When a write failed, if none has succeeded since. */
  get failedAt(): number | undefined {
    return this.problem === undefined ? undefined : this.lastFailure;
  }

  /** Another process has written the file since it was last read or written. */
  hasChanged(): boolean {
    if (quarantineGap('/', this.path) !== undefined) return false;
    try {
      return signatureOf(during(this.path, () => lstatSync(this.path))) !== this.signature;
    } catch {
      this.signature = undefined; // It was removed: the next save writes it again.
      return false;
    }
  }

  /** Returns false after a failure. `now`: seconds on the steady clock. */
  write(content: string, now: number): boolean {
    try {
      writeAtomically(this.path, content);
      this.signature = signatureOf(lstatSync(this.path));
    } catch (error) {
      return this.failed(error, now);
    }
    return this.succeeded();
  }

  /** The same without blocking this thread. */
  async writeLater(content: string, now: number): Promise<boolean> {
    try {
      await writeAtomicallyLater(this.path, content);
      this.signature = signatureOf(await lstat(this.path));
    } catch (error) {
      return this.failed(error, now);
    }
    return this.succeeded();
  }

  private succeeded(): true {
    this.note(undefined, 'written again');
    return true;
  }

  private failed(error: unknown, now: number): false {
    this.lastFailure = now;
    const detail = `cannot be written (${codeOf(error)})`;
    const gap = { reason: reasonOf(error), subject: this.path, detail };
    this.note(gap, `${detail}; continuing; new state will be lost at the next start`);
    return false;
  }

  private refuse(reason: Gap['reason'], detail: string): undefined {
    this.isRefused = true;
    this.note({ reason, subject: this.path, detail }, `${detail}; state will not be saved, file left unchanged`);
  }

  private setAside(why: string): undefined {
    this.signature = undefined;
    try {
      renameSync(this.path, `${this.path}.corrupt`);
      this.say('warn', `${why}; set aside as ${this.path}.corrupt, starting afresh`);
    } catch (error) {
      this.refuse('malformed', `${why}, and cannot be set aside (${codeOf(error)})`);
    }
  }

  private note(gap: Gap | undefined, message: string): void {
    if (gap?.detail !== this.problem?.detail) this.say(gap === undefined ? 'info' : 'warn', message);
    this.problem = gap;
  }

  private say(level: 'info' | 'warn', message: string): void {
    this.log(level, `state file ${this.path}: ${message}`);
  }
}
