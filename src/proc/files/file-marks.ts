/**
 * Marks of files: a text for each path that an answer depends on, which changes whenever the file, link or directory may have
 * changed. The mark of a path that cannot be read is the errno of lstat(2).
 */
import type { Stats } from 'node:fs';
import { wallMs } from '../../runtime/clock.js';

/** Path inside the root, without links → its mark when it was read. */
export type FileRecord = Map<string, string>;

/** The mark of a path that does not exist. */
export const MISSING = 'ENOENT';

/** A mark that no file has: the failure to read it may pass although the file stays the same. */
export const UNREAD = 'unread';

/** Coarse clocks tick every 10 ms: a younger file may change again without a new time stamp. */
const SETTLED_MS = 50;

/** Inode, size and both times; of a fresh file a text that equals no later mark. */
export function markOf(stats: Stats): string {
  return isUnsettled(stats) ? 'unsettled' : signatureOf(stats);
}

/** Modified so recently that another change may leave its time stamps the same. */
export function isUnsettled({ ctimeMs }: Pick<Stats, 'ctimeMs'>): boolean {
  return Math.abs(wallMs() - ctimeMs) < SETTLED_MS;
}

/** Equal as long as the file was not changed or replaced. */
export function signatureOf(stats: Stats): string {
  return `${stats.isDirectory() ? 'directory ' : ''}${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}

const SEARCH = 'search ';

/** Of a directory on the way to a file: its entries do not matter, but who may search it does. */
export function searchMarkOf({ ino, mode, uid, gid }: Stats): string {
  return `${SEARCH}${ino} ${mode} ${uid} ${gid}`;
}

export function isSearchMark(mark: string): boolean {
  return mark.startsWith(SEARCH);
}

/** Whether a mark is of an existing path that is not a directory. */
export function isFile(mark: string): boolean {
  return /^\d/.test(mark);
}

export function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}

/** Adds a mark. If it contradicts an earlier one, the path changed between two reads and the answer is not reliable. */
export function addMark(record: FileRecord, path: string, mark: string): void {
  const before = record.get(path);
  record.set(path, before === undefined ? mark : bothOf(before, mark));
}

function bothOf(before: string, mark: string): string {
  if (before === mark || (isSearchMark(mark) && !isSearchMark(before))) return before;
  return isSearchMark(before) && !isSearchMark(mark) ? mark : 'changed while being read';
}
