/**
 * Reads below `/proc` or another root (`--path.procfs`): text, links, directories. Synchronous, because procfs never waits for a
 * device and the promise API costs six times as much.
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
import { type ProcessStat, parseNamespaceLink, parseStat } from './process-files.js';

/** Paths are relative to the root (`4242/stat`). Never throws; a failure is a gap. */
export interface ProcFs {
  /** The directory that is `/proc`. */
  readonly root: string;
  /** False for a directory of fixtures, whose inode numbers and directory sizes mean nothing. */
  readonly real: boolean;
  /** A whole file, e.g. `4242/net/udp`; at most 64 MiB. `until` may end the reading early. */
  text(path: string, until?: Until): Reading<string>;
  /** As `text`, but bytes; `before` itself where these are the same. */
  contents(path: string, before?: Buffer, until?: Until): Reading<Buffer>;
  /** A file that the kernel writes in one piece (`stat`, `status`, `cmdline`, …): one `read` where it fits. */
  piece(path: string): Reading<string>;
  /** Target of a symbolic link, e.g. `4242/fd/7` → `socket:[1187448]`. */
  link(path: string): Reading<string>;
  /** Whether a path, which is absolute here, is a symbolic link to exactly this target. Makes no result and no gap. */
  isLinkTo(absolute: string, target: string): boolean;
  /** Names in a directory, in the kernel's order. */
  list(path: string): Reading<string[]>;
  /** Whether a process or thread with that id exists; much cheaper than a `stat` that fails. */
  hasProcess(pid: number): boolean;
  /** Whether the file is the kernel's own: nothing (lxcfs, a bind mount) is mounted over it. */
  isKernelFile(path: string): boolean;
  /** After following links; `uid` of `4242` is the process's effective one. */
  stat(path: string): Reading<{ dev: number; ino: number; size: number; uid: number }>;
  /** At most `most` bytes from `from` on of the regular file behind a descriptor (`4242/fd/7`); anything else is `malformed`. */
  bytes(path: string, from: number, most: number): Reading<Buffer>;
}

/** Called after each read(2) with the number of bytes so far and of the last read; true ends the reading. */
export type Until = (bytes: Buffer, length: number, got: number) => boolean;

const PROC_SUPER_MAGIC = 0x9fa0;
const FIRST_BUFFER = 1 << 18;
const LARGEST = limits.procBytes;
/** The kernel returns at most a page (of at most 64 KiB) per read of a file that it generates in pieces. Bytes. */
const LARGEST_PIECE = 1 << 16;

/** @see https://docs.kernel.org/filesystems/proc.html */
export function openProcFs(root: string): ProcFs {
  const at = (path: string) => `${root}/${path}`;
  const reader = createFileReader();

  /** `cmdline` and `environ` may block while another program holds the memory of the process. */
  const quarantined = (path: string): Gap | undefined => quarantineGap('/', at(path), `/proc/${path}`);

  const failure = (error: unknown, path: string): { ok: false; gap: Gap } => ({
    ok: false,
    gap: gapOf(error, `/proc/${path}`, isOfProcess(path) ? 'vanished' : 'missing'),
  });

  function attempt<T>(path: string, read: () => T): Reading<T> {
    const gap = quarantined(path);
    if (gap !== undefined) return { ok: false, gap };
    try {
      return { ok: true, value: during(at(path), read) };
    } catch (error) {
      return failure(error, path);
    }
  }

  function read<T>(path: string, isWhole: boolean, take: Take<T>, until?: Until): Reading<T> {
    const gap = quarantined(path);
    if (gap !== undefined) return { ok: false, gap };
    enter(at(path));
    try {
      const length = reader.read(at(path), isWhole, until);
      return length === undefined
        ? { ok: false, gap: { reason: 'limit', subject: `/proc/${path}` } }
        : { ok: true, value: take(reader.buffer(), length) };
    } catch (error) {
      return failure(error, path);
    } finally {
      leave();
    }
  }

  /** The kernel knows the target of a link without reading anything, so this cannot block. */
  function link(path: string): Reading<string> {
    try {
      return { ok: true, value: readlinkSync(at(path)) };
    } catch (error) {
      return failure(error, path);
    }
  }

  return {
    root,
    real: isProc(root),
    text: (path, until) => read(path, true, asText, until),
    contents: (path, before, until) =>
      read(path, true, (bytes, length) => (isEqual(before, bytes, length) ? before : copyOf(bytes, length)), until),
    piece: (path) => read(path, false, asText),
    link,
    isLinkTo(absolute, target) {
      try {
        return readlinkSync(absolute) === target;
      } catch {
        return false;
      }
    },
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

/** What becomes of the first `length` bytes of a buffer that the next reading uses again. */
type Take<T> = (bytes: Buffer, length: number) => T;

const asText: Take<string> = (bytes, length) => bytes.toString('utf8', 0, length);
const copyOf: Take<Buffer> = (bytes, length) => Buffer.from(bytes.subarray(0, length));

function isEqual(before: Buffer | undefined, bytes: Buffer, length: number): before is Buffer {
  return before?.length === length && before.compare(bytes, 0, length) === 0;
}

/**
 * Reads files into one buffer, which grows to the largest of them. `isWhole`: reads until the end; otherwise until a read returns
 * less than there is room for. Returns the number of bytes; undefined: larger than `limits.procBytes`.
 */
function createFileReader() {
  let buffer = Buffer.allocUnsafe(FIRST_BUFFER);
  function read(path: string, isWhole: boolean, until?: Until): number | undefined {
    const descriptor = openSync(path, 'r');
    try {
      let length = 0;
      for (;;) {
        // A piece that is short for want of room would look like the last one.
        if (buffer.length - length < LARGEST_PIECE) buffer = Buffer.concat([buffer], buffer.length * 2);
        const room = buffer.length - length;
        const got = readSync(descriptor, buffer, length, room, null);
        length += got;
        if (got === 0 || until?.(buffer, length, got)) return length;
        if (!isWhole && got < room) return length;
        if (length >= LARGEST) return undefined;
      }
    } finally {
      closeSync(descriptor);
    }
  }
  return { read, buffer: () => buffer };
}

/** Undefined where there is no such process, or it cannot be read. */
export function statOf(procfs: ProcFs, pid: number | 'self'): ProcessStat | undefined {
  const text = procfs.piece(`${pid}/stat`);
  return text.ok ? parseStat(text.value) : undefined;
}

/** Inode of the network namespace of a process (a pid or `self`), which only privileged users may see; else undefined. */
export function netnsLink(procfs: ProcFs, process: string): number | undefined {
  const link = procfs.link(`${process}/ns/net`);
  return link.ok ? parseNamespaceLink(link.value, 'net') : undefined;
}

/** Not `existsSync`: access(2) ignores the capabilities of every user but root, and finds nothing behind hidepid or mode 0700. */
export function pathExists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // It has just exited, or may not be seen.
  }
}

/** The flags keep it from waiting for a FIFO's other end and from acquiring a terminal, whatever the link leads to by now. */
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
    return false; // A missing root becomes a gap at the first listing.
  }
}

/** Paths that begin with a pid: if one is missing, the process has exited. */
function isOfProcess(path: string): boolean {
  const first = path.charCodeAt(0);
  return first >= 48 && first <= 57;
}

/** The gap for an errno. `absent`: the reason where the file does not exist. */
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
