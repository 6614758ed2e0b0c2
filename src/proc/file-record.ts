/** The files that an answer depends on, and whether any of them may have changed since. */
import { lstatSync } from 'node:fs';
import type { FileView } from '../filebeat/files/file-view.js';
import { during } from './heartbeat.js';
import { errnoOf, isSearchMark, openFileView, type RootedView, searchMarkOf, signatureOf } from './root-files.js';

/** Path inside the root, without links → its mark (inode, size, mtime, ctime) or errno when it was read. */
export type FileRecord = Map<string, string>;

/** A view of the same root; `record` fills with everything its answers depend on. */
export function recordFiles(view: RootedView): { view: FileView; record: FileRecord } {
  const record: FileRecord = new Map();
  const observe = (canonical: string, mark: string) => {
    const before = record.get(canonical);
    record.set(canonical, before === undefined ? mark : bothOf(before, mark));
  };
  const recording = openFileView(view.root, observe, view.reader);
  return { view: recording, record };
}

/** Two marks of one path. Where they contradict each other it changed between two reads, and the answer is not reliable. */
function bothOf(before: string, mark: string): string {
  if (before === mark || (isSearchMark(mark) && !isSearchMark(before))) return before;
  return isSearchMark(before) && !isSearchMark(mark) ? mark : 'changed while being read';
}

/**
 * Whether a recorded answer may have changed. A file modified less than 50 ms before it was read counts as changed, since
 * another edit may leave its time stamps the same. `root` may be another path to the same files; `look` may cache marks.
 */
export function changed(
  record: Iterable<readonly [canonical: string, mark: string]>,
  { root }: { root: string },
  look: (path: string, canonical: string, isSearch: boolean) => string = (path, _, isSearch) => markNow(path, isSearch),
): boolean {
  const prefix = root.endsWith('/') ? root.slice(0, -1) : root;
  for (const [canonical, mark] of record)
    if (look(`${prefix}${canonical}`, canonical, isSearchMark(mark)) !== mark) return true;
  return false;
}

/** Whether a mark is of an existing path that is not a directory. */
export function isFile(mark: string): boolean {
  return /^\d/.test(mark);
}

/** The present mark of a path, or the errno of lstat. `isSearch`: the kind that a directory on the way has. */
export function markNow(path: string, isSearch = false): string {
  try {
    const stats = during(path, () => lstatSync(path, { throwIfNoEntry: false }));
    if (stats === undefined) return 'ENOENT';
    return isSearch ? searchMarkOf(stats) : signatureOf(stats);
  } catch (error) {
    return errnoOf(error);
  }
}
