/**
 * What a reading of files depended on, and whether any of it may have changed since: the reason why a
 * configuration is parsed once and afterwards costs one `lstat` per file, link, listed directory and absent path.
 */
import { lstatSync } from 'node:fs';
import type { FileView } from '../filebeat/files/file-view.js';
import { during } from './place.js';
import { errnoOf, openFileView, type RootedView, signatureOf } from './root-files.js';

/** Path inside the root, without links in it → mark (inode, size, mtime, ctime) or errno when it was looked at. */
export type FileRecord = Map<string, string>;

/** A view of the same root; `record` fills with everything its answers depend on. */
export function recordFiles(view: RootedView): { view: FileView; record: FileRecord } {
  const record: FileRecord = new Map();
  const observe = (canonical: string, mark: string) => {
    const before = record.get(canonical);
    // Looked at twice and not the same: whatever was made of it is not to be relied on.
    record.set(canonical, before === undefined || before === mark ? mark : 'changed while being read');
  };
  const recording = openFileView(view.root, observe, view.reader);
  return { view: recording, record };
}

/**
 * True when an answer that was recorded may be another one now. What changed less than 50 ms before it was read
 * counts as changed, since its time stamps could stay the same through one more edit. `root` may be another way to the
 * same files, `look` one that knows some marks already.
 */
export function changed(
  record: Iterable<readonly [canonical: string, mark: string]>,
  { root }: { root: string },
  look: (path: string, canonical: string) => string = markNow,
): boolean {
  const prefix = root.endsWith('/') ? root.slice(0, -1) : root;
  for (const [canonical, mark] of record) if (look(`${prefix}${canonical}`, canonical) !== mark) return true;
  return false;
}

/** A mark of something that is there, and no directory. */
export function isFile(mark: string): boolean {
  return /^\d/.test(mark);
}

/** The mark of what is there now, or the errno of looking at it. */
export function markNow(path: string): string {
  try {
    const stats = during(path, () => lstatSync(path, { throwIfNoEntry: false }));
    return stats === undefined ? 'ENOENT' : signatureOf(stats);
  } catch (error) {
    return errnoOf(error);
  }
}
