/**
 * A cache of answers read from files, valid as long as none of those files has changed. A cached answer costs one `lstat` for each
 * file, link, listed directory and missing path that it depends on, once per scan for all processes with the same files.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FileView } from '../filebeat/files/file-view.js';
import { steadyMs } from '../runtime/clock.js';
import { changed, isFile, markNow, recordFiles } from './file-record.js';
import type { Reader } from './permissions.js';
import { openFileView } from './root-files.js';

export interface ReadOptions<T> {
  /** Mount namespace and root: processes with the same view see the same files. */
  view?: string | undefined;
  /** The user who reads; absent: the exporter. Part of the question. */
  reader?: Reader | undefined;
  /**
   * Files that hardly matter to `answer`: a change of one is noticed within CALM_MS, and checking them is spread evenly over
   * that time. Directories and missing paths are checked in every scan.
   */
  isCheckedRarely?: (answer: T, path: string) => boolean;
}

export interface FileCache {
  /**
   * `key`: the cache entry, always for the same kind of answer. `question`: everything but files that the answer depends on.
   * `rootDir`: the directory that is `/` for the files.
   */
  read<T>(key: string, question: unknown, rootDir: string, answer: (files: FileView) => T, options?: ReadOptions<T>): T;
  /** Runs `act`; `keep` marks the entries that it read as used in the present scan, without checking them. */
  tracked<T>(act: () => T): { value: T; keep: () => void };
  /** At the end of each scan: removes entries that were not used since the last call. */
  sweep(): void;
}

export const RARE_CHECK_MS = 60_000;

type Marked = [path: string, mark: string];

interface CacheEntry {
  question: unknown;
  rootDir: string;
  answer: unknown;
  marks: Marked[];
  calm: Marked[];
  /** The rarely checked file that is next. */
  next: number;
  checkedAt: number;
}

/** `now`: milliseconds on a steady clock. */
export function createFileCache(now: () => number = steadyMs): FileCache {
  const kept = new Map<string, CacheEntry>();
  let asked = new Set<string>();
  /** Keys read within `tracked`. */
  let tracking: string[] | undefined;
  /** Results of this scan, by view and path. */
  let seen = new Map<string, string>();

  function stands(one: CacheEntry, view: string): boolean {
    const look = (path: string, canonical: string, isSearch: boolean): string => {
      const place = `${view} ${isSearch ? 'search ' : ''}${canonical}`;
      let mark = seen.get(place);
      if (mark === undefined) {
        mark = markNow(path, isSearch);
        seen.set(place, mark);
      }
      return mark;
    };
    if (changed(one.marks, { root: one.rootDir }, look)) return false;
    const time = now();
    const turns = Math.ceil(one.calm.length * Math.min(1, (time - one.checkedAt) / RARE_CHECK_MS));
    const due = Array.from({ length: turns }, (_, turn) => one.calm[(one.next + turn) % one.calm.length]!);
    one.next += turns;
    one.checkedAt = time;
    return !changed(due, { root: one.rootDir }, look);
  }

  return {
    read<T>(
      key: string,
      question: unknown,
      rootDir: string,
      answer: (files: FileView) => T,
      { view = rootDir, isCheckedRarely: isCalm = () => false, reader }: ReadOptions<T> = {},
    ): T {
      asked.add(key);
      tracking?.push(key);
      const before = kept.get(key);
      const asking = reader === undefined ? question : [question, reader];
      const isAskedAgain = before?.rootDir === rootDir && isDeepStrictEqual(before.question, asking);
      if (isAskedAgain && stands(before, view)) return before.answer as T;
      const recording = recordFiles(openFileView(rootDir, undefined, reader));
      const fresh = answer(recording.view);
      const marks: Marked[] = [];
      const calm: Marked[] = [];
      for (const one of recording.record) (isFile(one[1]) && isCalm(fresh, one[0]) ? calm : marks).push(one);
      kept.set(key, {
        question: asking,
        rootDir,
        answer: fresh,
        marks,
        calm,
        next: 0,
        checkedAt: now(),
      });
      return fresh;
    },
    tracked<T>(act: () => T) {
      const outer = tracking;
      const keys: string[] = [];
      tracking = keys;
      try {
        const value = act();
        return { value, keep: () => keys.forEach((key) => void asked.add(key)) };
      } finally {
        tracking = outer;
      }
    },
    sweep() {
      for (const key of kept.keys()) if (!asked.has(key)) kept.delete(key);
      asked = new Set();
      seen = new Map();
    },
  };
}
