/**
 * The files of one root as a process inside sees them. A file is opened directory by directory with O_NOFOLLOW after its path was
 * resolved (`root-walk.ts`), so that nobody can swap a link in between.
 */
import { closeSync, constants, fstatSync, opendirSync, openSync, readSync, type Stats } from 'node:fs';
import type { FileContent, FileStat, FileView } from '../../filebeat/files/file-view.js';
import type { Reading } from '../../model/model.js';
import { during } from '../heartbeat.js';
import { mayUse, READ, type Reader } from '../permissions.js';
import { gapOf } from '../proc-fs.js';
import { addMark, errnoOf, type FileRecord, markOf, signatureOf, UNREAD } from './file-marks.js';
import { denied, type Failure, malformed, type RootAccess, walk } from './root-walk.js';

export interface RootedView extends FileView {
  /** The directory that is `/` for the paths. */
  readonly root: string;
  /** Who reads; absent: the exporter, with all that it may read. */
  readonly reader?: Reader;
}

/** open(2) on Linux, all architectures; Node.js has no name for it. */
const O_PATH = 0o10000000;
/** Contents of smaller files are read each time. Bytes. */
const SHARED_FROM = 64 * 1024;
/** Contents of more bytes together are not shared: anybody may have many large files. */
const SHARED_IN_ALL = 32 * 1024 * 1024;

/** `root` is any directory; `/proc/<pid>/root` itself may be a (magic) link. `observe`: see `RootAccess`. */
export function openFileView(root: string, observe?: RootAccess['observe'], reader?: Reader): RootedView {
  const prefix = root.endsWith('/') ? root.slice(0, -1) : root;
  const isOwnRoot = prefix === '' && reader === undefined;
  // A view that is observed serves one answer.
  const foldersWithoutLinks = observe === undefined ? undefined : new Set<string>();
  const access: RootAccess = { root, prefix, isOwnRoot, reader, observe, foldersWithoutLinks };
  return {
    root,
    stat(path) {
      const found = walk(access, path);
      return found.ok ? { ok: true, value: fileStat(found.stats) } : found;
    },
    resolve(path) {
      const found = walk(access, path);
      return found.ok ? { ok: true, value: found.canonical } : found;
    },
    read: (path, limit) => readWhole(access, path, limit),
    head: (path, count) =>
      withFile(access, path, (pull) => {
        const bytes = Buffer.alloc(count);
        return { ok: true, value: bytes.subarray(0, pull(bytes, 0)) };
      }),
    list: (path, limit) => list(access, path, limit),
    ...(reader === undefined ? {} : { reader }),
  };
}

/** A view of the same files; `record` fills with everything that its answers depend on. */
export function recordFiles(root: string, reader?: Reader): { view: RootedView; record: FileRecord } {
  const record: FileRecord = new Map();
  return { view: openFileView(root, (canonical, mark) => addMark(record, canonical, mark), reader), record };
}

/**
 * Contents that were read in this turn of the event loop, by file and signature: all instances of a scan read the same package
 * list of megabytes.
 */
const recentContents = new Map<string, Buffer>();
let recentBytes = 0;

function remember(id: string, bytes: Buffer): void {
  if (recentBytes + bytes.length > SHARED_IN_ALL) return;
  if (recentContents.size === 0)
    setImmediate(() => {
      recentContents.clear();
      recentBytes = 0;
    });
  recentContents.set(id, bytes);
  recentBytes += bytes.length;
}

function readWhole(access: RootAccess, path: string, limit: number): Reading<FileContent> {
  return withFile(access, path, (pull, stats) => {
    if (stats.size > limit) return tooLarge(path, limit);
    const isShared = stats.size >= SHARED_FROM && markOf(stats) === signatureOf(stats);
    const id = `${stats.dev} ${signatureOf(stats)}`;
    const known = isShared ? recentContents.get(id) : undefined;
    // Each reader gets an object of its own: results derived from a content are kept by object.
    if (known !== undefined) return { ok: true, value: { bytes: known.subarray(), stat: fileStat(stats) } };
    // One byte more than the size, for files that grow and for files whose size is reported as 0.
    let bytes = Buffer.allocUnsafe(stats.size + 1);
    let length = 0;
    for (;;) {
      const got = pull(bytes, length);
      if (got === 0) break;
      length += got;
      if (length > limit) return tooLarge(path, limit);
      if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(bytes.length * 2, limit + 1));
    }
    const content = bytes.subarray(0, length);
    if (isShared && length === stats.size) remember(id, content);
    return { ok: true, value: { bytes: content, stat: fileStat(stats) } };
  });
}

/** Reads on from where the last call stopped; returns the number of bytes. */
type Pull = (into: Buffer, offset: number) => number;

/** Opens a regular file; nothing else, also if it was replaced meanwhile. */
function withFile<T>(access: RootAccess, path: string, use: (pull: Pull, stats: Stats) => Reading<T>): Reading<T> {
  const { prefix, reader } = access;
  const found = walk(access, path);
  if (!found.ok) return found;
  const { canonical } = found;
  if (found.stats.isDirectory()) return malformed(path, 'a directory, not a file');
  if (!found.stats.isFile()) return malformed(path, 'not a regular file');
  if (reader !== undefined && !mayUse(reader, found.stats, READ)) return denied(access, path);
  let descriptor: number;
  try {
    // Without O_NONBLOCK, opening a FIFO that replaced the file would block.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    descriptor = during(`${prefix}${canonical}`, () => open(access, canonical, flags));
  } catch (error) {
    return failure(access, error, path, canonical);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return malformed(path, 'not a regular file');
    const pull: Pull = (into, offset) =>
      during(`${prefix}${canonical}`, () => readSync(descriptor, into, offset, into.length - offset, null));
    return use(pull, stats);
  } catch (error) {
    return failure(access, error, path, canonical);
  } finally {
    closeSync(descriptor);
  }
}

function list(access: RootAccess, path: string, limit: number): Reading<string[]> {
  const { prefix, reader } = access;
  const found = walk(access, path);
  if (!found.ok) return found;
  const { canonical } = found;
  if (!found.stats.isDirectory()) return malformed(path, 'not a directory');
  if (reader !== undefined && !mayUse(reader, found.stats, READ)) return denied(access, path);
  try {
    const names = during(`${prefix}${canonical}`, () => namesIn(access, canonical, limit));
    if (names !== undefined) return { ok: true, value: names.sort(bytewise) };
    return { ok: false, gap: { reason: 'limit', subject: path, detail: `more than ${limit} entries` } };
  } catch (error) {
    return failure(access, error, path, canonical);
  }
}

/** Undefined: there are more than `limit`. */
function namesIn(access: RootAccess, canonical: string, limit: number): string[] | undefined {
  const names: string[] = [];
  const descriptor = open(access, canonical, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const directory = opendirSync(`/proc/self/fd/${descriptor}`);
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        if (names.length === limit) return undefined;
        names.push(entry.name);
      }
      return names;
    } finally {
      directory.closeSync();
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a resolved path; fails on a device or a FIFO that replaced it. */
function open({ prefix, isOwnRoot }: RootAccess, canonical: string, flags: number): number {
  if (!isOwnRoot) return openStepwise(prefix, canonical, flags);
  const found = openSync(canonical, O_PATH | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(found);
    if (!stats.isFile() && !stats.isDirectory()) throw Object.assign(new Error('replaced'), { code: 'ELOOP' });
    return openSync(`/proc/self/fd/${found}`, flags);
  } finally {
    closeSync(found);
  }
}

/** One directory after the other, without following links. */
function openStepwise(prefix: string, canonical: string, flags: number): number {
  const parts = canonical.split('/').filter((part) => part !== '');
  const last = parts.pop() ?? '.';
  let descriptor = openSync(`${prefix}/`, O_PATH | constants.O_DIRECTORY);
  try {
    for (const part of parts) {
      const inner = openSync(
        `/proc/self/fd/${descriptor}/${part}`,
        O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW,
      );
      closeSync(descriptor);
      descriptor = inner;
    }
    return openSync(`/proc/self/fd/${descriptor}/${last}`, flags | constants.O_NOFOLLOW);
  } finally {
    closeSync(descriptor);
  }
}

/** Errors that stay until somebody changes the file; all others (a lease, a lack of memory) may pass. */
const LASTING = new Set(['EACCES', 'EPERM']);

function failure({ observe }: RootAccess, error: unknown, path: string, canonical: string): Failure {
  if (!LASTING.has(errnoOf(error))) observe?.(canonical, UNREAD);
  return { ok: false, gap: gapOf(error, path, 'vanished') };
}

function fileStat(stats: Stats): FileStat {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    size: stats.size,
    mtime: stats.mtimeMs / 1000,
    ctime: stats.ctimeMs / 1000,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    id: `${stats.dev}:${stats.ino}`,
    signature: signatureOf(stats),
  };
}

function tooLarge(subject: string, limit: number): Failure {
  return { ok: false, gap: { reason: 'limit', subject, detail: `larger than ${limit} bytes` } };
}

/** As Go sorts: by UTF-8 bytes, which JavaScript's UTF-16 order is not for rare characters. */
function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
