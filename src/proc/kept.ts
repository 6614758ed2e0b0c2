/**
 * Answers read from files, kept for as long as nothing that they were read from has changed: afterwards an answer
 * costs one `lstat` for each file, link, listed directory and absent path that it depends on, and that only once in
 * a scan for all who see the same files.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FileView } from '../filebeat/files.js';
import { openFileView } from './files.js';
import { markNow, recordFiles } from './record.js';

export interface ReadOptions<T> {
  /** Who has the same sees the same files below its root, by whatever path to it: mount namespace and root. */
  view?: string | undefined;
  /**
   * Of the paths that `answer` depends on, those that hardly bear on it: a change of one is seen CALM_MS later at the
   * latest, the work spread evenly over that time.
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
export function createKeptReadings(now: () => number = () => performance.now()): KeptReadings {
  const kept = new Map<string, Kept>();
  let asked = new Set<string>();
  /** Of this scan, by view and path. */
  let marks = new Map<string, string>();

  function stands(one: Kept, view: string): boolean {
    const prefix = one.rootDir.endsWith('/') ? one.rootDir.slice(0, -1) : one.rootDir;
    const isAsItWas = ([path, before]: Marked): boolean => {
      const place = `${view} ${path}`;
      let mark = marks.get(place);
      if (mark === undefined) {
        mark = markNow(`${prefix}${path}`);
        marks.set(place, mark);
      }
      return mark === before;
    };
    if (!one.marks.every(isAsItWas)) return false;
    const time = now();
    for (let turns = Math.ceil(one.calm.length * Math.min(1, (time - one.lookedAt) / CALM_MS)); turns > 0; turns--) {
      if (!isAsItWas(one.calm[one.next]!)) return false;
      one.next = (one.next + 1) % one.calm.length;
    }
    one.lookedAt = time;
    return true;
  }

  return {
    read<T>(
      key: string,
      question: unknown,
      rootDir: string,
      answer: (files: FileView) => T,
      { view = rootDir, isCalm = () => false }: ReadOptions<T> = {},
    ): T {
      asked.add(key);
      const before = kept.get(key);
      const isAskedAgain = before?.rootDir === rootDir && isDeepStrictEqual(before.question, question);
      if (isAskedAgain && stands(before, view)) return before.answer as T;
      const recording = recordFiles(openFileView(rootDir));
      const fresh = answer(recording.view);
      const all = [...recording.record];
      kept.set(key, {
        question,
        rootDir,
        answer: fresh,
        marks: all.filter(([path]) => !isCalm(fresh, path)),
        calm: all.filter(([path]) => isCalm(fresh, path)),
        next: 0,
        lookedAt: now(),
      });
      return fresh;
    },
    sweep() {
      for (const key of kept.keys()) if (!asked.has(key)) kept.delete(key);
      asked = new Set();
      marks = new Map();
    },
  };
}
