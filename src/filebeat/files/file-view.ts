/**
 * The files as one Filebeat sees them: paths are absolute inside its root, and links never lead out of it. All of
 * `src/filebeat` reads files through this interface; `proc/files/root-files.ts` implements it on a host, and
 * `proc/files/file-cache.ts` remembers which files a prediction depends on.
 */
import type { Reading } from '../../model/model.js';
import type { Work } from './work.js';

export interface FileStat {
  /** After following links. FIFOs, sockets and devices are `other` and never opened. */
  kind: 'file' | 'directory' | 'other';
  /** Bytes. */
  size: number;
  /** Seconds since the epoch, with fractions. */
  mtime: number;
  /** Seconds since the epoch, with fractions; no tool can set it back. Absent for artificial files. */
  ctime?: number;
  /** Permission bits, e.g. 0o644. */
  mode: number;
  uid: number;
  gid?: number;
  /** `device:inode`: the same file in every root and mount namespace. */
  id?: string;
  /** Changes whenever the content may have: inode, size, mtime, ctime. */
  signature: string;
}

/** Detail of a `missing` gap: a file stands where the path needs a directory. */
export const FILE_IN_THE_WAY = 'a file is in the way';

export interface FileContent {
  bytes: Uint8Array;
  stat: FileStat;
}

/** All calls are synchronous, return Gaps instead of throwing, and never block on a FIFO or a device. */
export interface FileView {
  stat(path: string): Reading<FileStat>;
  /** Regular files only; larger than `limit` bytes is a `limit` gap. */
  read(path: string, limit: number): Reading<FileContent>;
  /** The first `count` bytes of a regular file, or fewer if it is shorter. */
  head(path: string, count: number): Reading<Uint8Array>;
  /**
   * Names in a directory, sorted bytewise, dot-files included, `.` and `..` not; more than `limit` is a `limit` gap.
   */
  list(path: string, limit: number): Reading<string[]>;
  /** Canonical path inside the root after following links; a gap if it does not exist. */
  resolve(path: string): Reading<string>;
  /** Budget of a prediction; absent: no limit. See `work.ts`. */
  work?: Work;
}
