/**
 * Answers read from files, kept for as long as nothing that they were read from has changed: afterwards an answer
 * costs one `lstat` for each file, link, listed directory and absent path that it depends on, and that only once in
 * a scan for all who see the same files.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FileView } from '../filebeat/files/file-view.js';
import { steadyMs } from '../runtime/clock.js';
import { changed, isFile, markNow, recordFiles } from './file-record.js';
import type { Reader } from './permissions.js';
import { openFileView } from './root-files.js';

export interface ReadOptions<T> {
  /** Who has the same sees the same files below its root, by whatever path to it: mount namespace and root. */
  view?: string | undefined;
  /** Who looks; absent: the exporter. Part of the question. */
  reader?: Reader | undefined;
  /**
   * Of the files that `answer` depends on, those that hardly bear on it: a change of one is seen CALM_MS later at the
   * latest, the work spread evenly over that time. Directories and what is not there are looked at every time.
   */
  isCalm?: (answer: T, path: string) => boolean;
}

export interface KeptReadings {
  /**
   * `key`: who asks. `question`: everything besides the files that the answer depends on. `rootDir`: the directory
   * that is `/` for the files. One key always asks for one kind of answer.
   */
  read<T>(key: string, question: unknown, rootDir: string, answer: (files: FileView) => T, options?: ReadOptions<T>): T;
  /** Once in a scan, at its end: forgets whoever did not ask since the last call. */
  sweep(): void;
}

export const CALM_MS = 60_000;

type Marked = [path: string, mark: string];

interface Kept {
  question: unknown;
  rootDir: string;
  answer: unknown;
  marks: Marked[];
  calm: Marked[];
  /** The calm one whose turn is next. */
  next: number;
  lookedAt: number;
}

/** `now`: milliseconds, never going back. */
export function createKeptReadings(now: () => number = steadyMs): KeptReadings {
  const kept = new Map<string, Kept>();
  let asked = new Set<string>();
  /** Of this scan, by view and path. */
  let seen = new Map<string, string>();

  function stands(one: Kept, view: string): boolean {
    const look = (path: string, canonical: string): string => {
      const place = `${view} ${canonical}`;
      let mark = seen.get(place);
      if (mark === undefined) {
        mark = markNow(path);
        seen.set(place, mark);
      }
      return mark;
    };
    if (changed(one.marks, { root: one.rootDir }, look)) return false;
    const time = now();
    const turns = Math.ceil(one.calm.length * Math.min(1, (time - one.lookedAt) / CALM_MS));
    const due = Array.from({ length: turns }, (_, turn) => one.calm[(one.next + turn) % one.calm.length]!);
    one.next += turns;
    one.lookedAt = time;
    return !changed(due, { root: one.rootDir }, look);
  }

  return {
    read<T>(
      key: string,
      question: unknown,
      rootDir: string,
      answer: (files: FileView) => T,
      { view = rootDir, isCalm = () => false, reader }: ReadOptions<T> = {},
    ): T {
      asked.add(key);
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
        lookedAt: now(),
      });
      return fresh;
    },
    sweep() {
      for (const key of kept.keys()) if (!asked.has(key)) kept.delete(key);
      asked = new Set();
      seen = new Map();
    },
  };
}
