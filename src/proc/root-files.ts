/**
 * The files of one root (the host's, or a container's through `/proc/<pid>/root`) as a process inside sees them.
 * The kernel would follow an absolute link below `/proc/<pid>/root` in *our* root, so every link is resolved by
 * hand; what is opened is reached directory by directory with O_NOFOLLOW, so that nobody can swap a link in between.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { FILE_IN_THE_WAY, type FileContent, type FileStat, type FileView } from '../filebeat/files/file-view.js';
import type { Gap, GapReason, Reading } from '../model/model.js';
import { wallMs } from '../runtime/clock.js';
import { during, quarantinedPaths, quarantineGap } from './heartbeat.js';
import { mayUse, READ, type Reader, SEARCH } from './permissions.js';
import { gapOf } from './proc-fs.js';

export interface RootedView extends FileView {
  /** The directory that is `/` for whoever looks through this view. */
  readonly root: string;
  /** Who looks; absent: the exporter, with all that it may read. */
  readonly reader?: Reader;
}

/** Told every path (without links in it) that an answer depends on, and its mark; see `file-record.ts`. */
export type Observer = (canonical: string, mark: string) => void;

/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;
/** open(2) on Linux, all architectures; Node doesn't name it. */
const O_PATH = 0o10000000;

type Walk = { ok: true; canonical: string; stats: Stats } | { ok: false; gap: Gap };

/** Root → directories of which we see something else than the host does: what is missing there may exist. */
const veiled = new Map<string, readonly string[]>();

/** For all views of that root in this thread. */
export function veil(root: string, directories: readonly string[]): void {
  veiled.set(root, directories);
}

function absent(root: string, path: string): GapReason {
  const hidden = veiled.get(root)?.some((directory) => path === directory || path.startsWith(`${directory}/`));
  return hidden ? 'vantage' : 'missing';
}

/** `root` is any directory; `/proc/<pid>/root` itself may be a (magic) link. */
export function openFileView(root: string, observe?: Observer, reader?: Reader): RootedView {
  const prefix = root.endsWith('/') ? root.slice(0, -1) : root;
  /** In our own root, with nobody's permissions to be judged, the kernel may walk: links lead where they lead for all. */
  const isOwnRoot = prefix === '' && reader === undefined;

  /** Undefined: not as simple as a path whose folder is reached without a link. */
  function walkOwnRoot(path: string): Walk | undefined {
    if (!isOwnRoot || quarantinedPaths().length > 0) return undefined;
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, slash) || '/';
    const name = path.slice(slash + 1);
    if (slash < 0 || name === '' || name === '.' || name === '..') return undefined;
    try {
      return during(path, () => {
        if (realpathSync.native(folder) !== folder) return undefined;
        const stats = lstatSync(path, { throwIfNoEntry: false });
        if (stats === undefined) {
          observe?.(path, 'ENOENT');
          return { ok: false, gap: { reason: absent(root, path), subject: path } };
        }
        if (stats.isSymbolicLink()) return undefined;
        observe?.(path, markOf(stats));
        return { ok: true, canonical: path, stats };
      });
    } catch {
      return undefined; // Step by step it comes out which part of the path fails, and how.
    }
  }

  /** Resolves links inside the root; the parts already walked never hold a link. */
  function walk(path: string): Walk {
    return walkOwnRoot(path) ?? walkStepwise(path);
  }

  function walkStepwise(path: string): Walk {
    const pending = path.split('/').reverse();
    let canonical = '';
    // The slash makes the kernel enter the root even where `<pid>/root` is a link.
    let stats: Stats | undefined;
    let links = 0;
    try {
      while (pending.length > 0) {
        const part = pending.pop()!;
        if (part === '' || part === '.') continue;
        if (part === '..') {
          canonical = canonical.slice(0, Math.max(0, canonical.lastIndexOf('/')));
          stats = undefined;
          continue;
        }
        const next = `${canonical}/${part}`;
        const alone = quarantineGap(root, next, path);
        if (alone !== undefined) return { ok: false, gap: alone };
        const here = `${prefix}${next}`;
        stats = during(here, () => lstatSync(here));
        if (stats.isSymbolicLink()) {
          observe?.(next, markOf(stats));
          if (++links > MOST_LINKS) return malformed(path, 'too many links');
          const target = during(here, () => readlinkSync(here));
          if (target.startsWith('/')) canonical = '';
          pending.push(...target.split('/').reverse());
          stats = undefined;
          continue;
        }
        if (!stats.isDirectory() && pending.some((rest) => rest !== '')) {
          observe?.(next, markOf(stats));
          return { ok: false, gap: { reason: 'missing', subject: path, detail: FILE_IN_THE_WAY } };
        }
        if (reader !== undefined && pending.some((rest) => rest !== '' && rest !== '.')) {
          // Everybody may search most directories: of these a change of mode is not looked for.
          if ((stats.mode & SEARCH) === 0) observe?.(next, searchMarkOf(stats));
          if (!mayUse(reader, stats, SEARCH)) return denied(path);
        }
        canonical = next;
      }
      const end = `${prefix}${canonical}/`;
      stats ??= during(end, () => lstatSync(end));
      observe?.(canonical === '' ? '/' : canonical, markOf(stats));
      return { ok: true, canonical: canonical === '' ? '/' : canonical, stats };
    } catch (error) {
      const failed = failedPath(error, prefix);
      if (failed !== undefined) observe?.(failed, errnoOf(error));
      return { ok: false, gap: gapOf(error, path, absent(root, failed ?? path)) };
    }
  }

  function denied(path: string): { ok: false; gap: Gap } {
    const uid = reader?.uid ?? 0;
    return { ok: false, gap: { reason: 'denied', subject: path, detail: `uid ${uid} may not read it`, deniedTo: uid } };
  }

  /** Opens what `walk` found; of a device or a FIFO that took its place, nothing. */
  function openWalked(canonical: string, flags: number): number {
    if (!isOwnRoot) return openStepwise(canonical, flags);
    const found = openSync(canonical, O_PATH | constants.O_NOFOLLOW);
    try {
      const stats = fstatSync(found);
      if (!stats.isFile() && !stats.isDirectory()) throw Object.assign(new Error('replaced'), { code: 'ELOOP' });
      return openSync(`/proc/self/fd/${found}`, flags);
    } finally {
      closeSync(found);
    }
  }

  /** One directory after the other, following nothing. */
  function openStepwise(canonical: string, flags: number): number {
    const parts = canonical.split('/').filter((part) => part !== '');
    const last = parts.pop();
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
      const target = last === undefined ? '.' : last;
      return openSync(`/proc/self/fd/${descriptor}/${target}`, flags | constants.O_NOFOLLOW);
    } finally {
      closeSync(descriptor);
    }
  }

  function stat(path: string): Reading<FileStat> {
    const found = walk(path);
    return found.ok ? { ok: true, value: fileStat(found.stats) } : found;
  }

  function resolve(path: string): Reading<string> {
    const found = walk(path);
    return found.ok ? { ok: true, value: found.canonical } : found;
  }

  /** Reads on from where the last call stopped; the number of bytes that came. */
  type Pull = (into: Buffer, offset: number) => number;

  /** Opens a regular file and nothing else that may stand there meanwhile. */
  function opened<T>(path: string, use: (pull: Pull, stats: Stats) => Reading<T>): Reading<T> {
    const found = walk(path);
    if (!found.ok) return found;
    if (found.stats.isDirectory()) return malformed(path, 'a directory, not a file');
    if (!found.stats.isFile()) return malformed(path, 'not a regular file');
    if (reader !== undefined && !mayUse(reader, found.stats, READ)) return denied(path);
    let descriptor: number;
    try {
      // Without O_NONBLOCK a FIFO that takes the file's place meanwhile would hold us up.
      const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
      descriptor = during(`${prefix}${found.canonical}`, () => openWalked(found.canonical, flags));
    } catch (error) {
      return failure(error, path, found.canonical);
    }
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) return malformed(path, 'not a regular file');
      const pull: Pull = (into, offset) =>
        during(`${prefix}${found.canonical}`, () => readSync(descriptor, into, offset, into.length - offset, null));
      return use(pull, stats);
    } catch (error) {
      return failure(error, path, found.canonical);
    } finally {
      closeSync(descriptor);
    }
  }

  function read(path: string, limit: number): Reading<FileContent> {
    return opened(path, (pull, stats) => {
      if (stats.size > limit) return tooLarge(path, limit);
      // One byte more than promised tells a file that grows, and files whose size is said to be 0.
      let bytes = Buffer.allocUnsafe(stats.size + 1);
      let length = 0;
      for (;;) {
        const got = pull(bytes, length);
        if (got === 0) break;
        length += got;
        if (length > limit) return tooLarge(path, limit);
        if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(bytes.length * 2, limit + 1));
      }
      return { ok: true, value: { bytes: bytes.subarray(0, length), stat: fileStat(stats) } };
    });
  }

  function head(path: string, count: number): Reading<Uint8Array> {
    return opened(path, (pull) => {
      const bytes = Buffer.alloc(count);
      return { ok: true, value: bytes.subarray(0, pull(bytes, 0)) };
    });
  }

  /** The file itself may stay as it is while this passes: what was made of it is not to be relied on. */
  function failure(error: unknown, path: string, canonical: string): { ok: false; gap: Gap } {
    if (!lasting.has(errnoOf(error))) observe?.(canonical, passing);
    return { ok: false, gap: gapOf(error, path, 'vanished') };
  }

  function list(path: string, limit: number): Reading<string[]> {
    const found = walk(path);
    if (!found.ok) return found;
    if (!found.stats.isDirectory()) return malformed(path, 'not a directory');
    if (reader !== undefined && !mayUse(reader, found.stats, READ)) return denied(path);
    const names: string[] = [];
    try {
      const whole = during(`${prefix}${found.canonical}`, () => listInto(names, found.canonical, limit));
      if (!whole) return { ok: false, gap: { reason: 'limit', subject: path, detail: `more than ${limit} entries` } };
      return { ok: true, value: names.sort(bytewise) };
    } catch (error) {
      return failure(error, path, found.canonical);
    }
  }

  /** False: there are more than `limit`. */
  function listInto(names: string[], canonical: string, limit: number): boolean {
    const descriptor = openWalked(canonical, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const directory = opendirSync(`/proc/self/fd/${descriptor}`);
      try {
        for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
          if (names.length === limit) return false;
          names.push(entry.name);
        }
        return true;
      } finally {
        directory.closeSync();
      }
    } finally {
      closeSync(descriptor);
    }
  }

  return { root, stat, read, head, list, resolve, ...(reader === undefined ? {} : { reader }) };
}

/** Why a file that is there cannot be read until somebody changes it; all other failures may pass (a lease, a lack of memory). */
const lasting = new Set(['EACCES', 'EPERM']);

/** A mark that nothing ever has. */
const passing = 'unread';

/** Younger than this, a file may change once more without its time stamps telling: coarse clocks tick every 10 ms. */
const SETTLED_MS = 50;

/** Changes whenever a file, a link or a directory's listing may have; of a fresh one it equals no signature at all. */
function markOf(stats: Stats): string {
  const fresh = Math.abs(wallMs() - stats.ctimeMs) < SETTLED_MS;
  return fresh ? 'unsettled' : signatureOf(stats);
}

/** Of a directory that is only passed: what is in it does not matter, but who may search it does. */
export function searchMarkOf({ ino, mode, uid, gid }: Stats): string {
  return `${SEARCH_MARK}${ino} ${mode} ${uid} ${gid}`;
}

const SEARCH_MARK = 'search ';

export function isSearchMark(mark: string): boolean {
  return mark.startsWith(SEARCH_MARK);
}

export function signatureOf(stats: Stats): string {
  return `${stats.isDirectory() ? 'directory ' : ''}${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
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

export function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}

/** The path below the root at which a walk ended: everything behind it hangs on it. */
function failedPath(error: unknown, prefix: string): string | undefined {
  const path = (error as NodeJS.ErrnoException).path;
  return path?.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined;
}

function malformed(subject: string, detail: string): { ok: false; gap: Gap } {
  return { ok: false, gap: { reason: 'malformed', subject, detail } };
}

function tooLarge(subject: string, limit: number): { ok: false; gap: Gap } {
  return { ok: false, gap: { reason: 'limit', subject, detail: `larger than ${limit} bytes` } };
}

/** As Go sorts: by UTF-8 bytes, which JavaScript's UTF-16 order is not for rare characters. */
function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
