/**
 * Everything under `/proc`, below a mountable root (`--path.procfs`): text, links, listings.
 * Synchronous on purpose: procfs never waits for a device, and the promise API costs six times as much.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { limits } from '../model/limits.js';
import type { Gap, GapReason, Reading } from '../model/model.js';
import { during, enter, leave, quarantineGap } from './heartbeat.js';
import { type ProcessStat, parseStat } from './process-files.js';

export interface ProcFs {
  /** The folder that stands for `/proc`. */
  readonly root: string;
  /** False for a folder of fixtures, whose inode numbers and directory sizes mean nothing. */
  readonly real: boolean;
  /** A whole file, e.g. `4242/net/udp`; at most 64 MiB. `until` may end the reading early. */
  text(path: string, until?: Until): Reading<string>;
  /** A file that the kernel writes in one piece (`stat`, `status`, `cmdline`, …): one `read` where it fits. */
  piece(path: string): Reading<string>;
  /** Target of a symbolic link, e.g. `4242/fd/7` → `socket:[1187448]`. */
  link(path: string): Reading<string>;
  /** Names in a directory, in the kernel's order. */
  list(path: string): Reading<string[]>;
  /** Whether there is a process, or a thread, of that number: at a fraction of what a failing `stat` costs. */
  hasProcess(pid: number): boolean;
  /** The kernel itself answers here: nothing (lxcfs, a bind mount) is mounted over this file. */
  isKernelFile(path: string): boolean;
  /** After following links; `uid` of `4242` is the process's effective one. */
  stat(path: string): Reading<{ dev: number; ino: number; size: number; uid: number }>;
  /** At most `most` bytes from `from` on of the regular file behind a descriptor (`4242/fd/7`); anything else is `malformed`. */
  bytes(path: string, from: number, most: number): Reading<Buffer>;
}

/** Asked after each read(2): `length` bytes are there, `got` of them came last. True: no more are needed. */
export type Until = (bytes: Buffer, length: number, got: number) => boolean;

const PROC_SUPER_MAGIC = 0x9fa0;
const FIRST_BUFFER = 1 << 18;
const LARGEST = limits.procBytes;
/** No kernel hands out more than a page (of at most 64 KiB) at a time where it hands out pieces. */
const ROOM = 1 << 16;

/** @see https://docs.kernel.org/filesystems/proc.html */
export function openProcFs(root: string): ProcFs {
  let buffer = Buffer.allocUnsafe(FIRST_BUFFER);
  const at = (path: string) => `${root}/${path}`;

  /** What is read here is a file of the kernel's, but `cmdline` and `environ` wait for whoever holds up that memory. */
  const avoided = (path: string): Gap | undefined => quarantineGap('/', at(path), `/proc/${path}`);

  /** A link's target is told by the kernel alone: reading it waits for nobody. */
  function attempt<T>(path: string, read: () => T, mayWait = true): Reading<T> {
    const alone = mayWait ? avoided(path) : undefined;
    if (alone !== undefined) return { ok: false, gap: alone };
    try {
      return { ok: true, value: mayWait ? during(at(path), read) : read() };
    } catch (error) {
      return { ok: false, gap: gapOf(error, `/proc/${path}`, isOfProcess(path) ? 'vanished' : 'missing') };
    }
  }

  function slurp(path: string, whole: boolean, until?: Until): Reading<string> {
    const alone = avoided(path);
    if (alone !== undefined) return { ok: false, gap: alone };
    let descriptor: number;
    enter(at(path));
    try {
      descriptor = openSync(at(path), 'r');
    } catch (error) {
      leave();
      return { ok: false, gap: gapOf(error, `/proc/${path}`, isOfProcess(path) ? 'vanished' : 'missing') };
    }
    try {
      let length = 0;
      for (;;) {
        // A piece that is short for want of room would look like the last one.
        if (buffer.length - length < ROOM) buffer = Buffer.concat([buffer], buffer.length * 2);
        const asked = buffer.length - length;
        const got = readSync(descriptor, buffer, length, asked, null);
        length += got;
        if (got === 0 || until?.(buffer, length, got)) break;
        if (!whole && got < asked) break;
        if (length >= LARGEST) return { ok: false, gap: { reason: 'limit', subject: `/proc/${path}` } };
      }
      return { ok: true, value: buffer.toString('utf8', 0, length) };
    } catch (error) {
      return { ok: false, gap: gapOf(error, `/proc/${path}`, isOfProcess(path) ? 'vanished' : 'missing') };
    } finally {
      closeSync(descriptor);
      leave();
    }
  }

  return {
    root,
    real: isProc(root),
    text: (path, until) => slurp(path, true, until),
    piece: (path) => slurp(path, false),
    link: (path) => attempt(path, () => readlinkSync(at(path)), false),
    list: (path) => attempt(path, () => readdirSync(at(path))),
    hasProcess: (pid) => pathExists(at(`${pid}`)),
    isKernelFile: (path) => isProc(at(path)),
    stat: (path) =>
      attempt(path, () => {
        const { dev, ino, size, uid } = statSync(at(path));
        return { dev, ino, size, uid };
      }),
    bytes: (path, from, most) => attempt(path, () => pieceOf(at(path), from, most)),
  };
}

/** Undefined where there is no such process, or it cannot be read. */
export function statOf(procfs: ProcFs, pid: number | 'self'): ProcessStat | undefined {
  const text = procfs.piece(`${pid}/stat`);
  return text.ok ? parseStat(text.value) : undefined;
}

/** Unlike `existsSync`: access(2) ignores the capabilities of every user but root, and then finds nothing behind hidepid or mode 0700. */
export function pathExists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // It ends at this very moment, or we may not know.
  }
}

/** Neither waits for a FIFO's other end nor takes a terminal, whatever stands behind the link by now. */
function pieceOf(path: string, from: number, most: number): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!fstatSync(descriptor).isFile()) throw Object.assign(new Error('not a regular file'), { code: 'EINVAL' });
    const piece = Buffer.allocUnsafe(most);
    let length = 0;
    while (length < most) {
      const got = readSync(descriptor, piece, length, most - length, from + length);
      if (got === 0) break;
      length += got;
    }
    return piece.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function isProc(root: string): boolean {
  try {
    return statfsSync(root).type === PROC_SUPER_MAGIC;
  } catch {
    return false; // A root that is not there fails again, with a gap, at the first listing.
  }
}

/** Paths that begin with a pid: what is not there has gone, rather than never been. */
function isOfProcess(path: string): boolean {
  const first = path.charCodeAt(0);
  return first >= 48 && first <= 57;
}

/** What an errno means for somebody who looks. `absent` says how "not there" is to be understood. */
export function gapOf(error: unknown, subject: string, absent: GapReason): Gap {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { reason: absent, subject };
    case 'ESRCH':
      return { reason: 'vanished', subject };
    case 'EACCES':
    case 'EPERM':
      return { reason: 'denied', subject };
    case 'EMFILE':
    case 'ENFILE':
      return { reason: 'limit', subject, detail: 'no file descriptor left' };
    default:
      return { reason: 'malformed', subject, detail: code ?? 'unknown failure' };
  }
}
