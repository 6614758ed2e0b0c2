/**
 * A cache of answers read from files, valid as long as none of those files has changed. A cached answer costs one `lstat` for each
 * file, link and directory that it depends on, once per scan for all processes with the same files (`mark-table.ts`).
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import { steadyMs } from '../../runtime/clock.js';
import { isDeepEqual } from '../../runtime/unchanged.js';
import type { Reader } from '../permissions.js';
import { isFile } from './file-marks.js';
import { createMarkTable, type MarkRow } from './mark-table.js';
import { recordFiles } from './root-files.js';

export interface ReadOptions<T> {
  /** Mount namespace and root: processes with the same view see the same files. */
  view?: string | undefined;
  /** The user who reads, as part of the question; absent: the exporter. */
  reader?: Reader | undefined;
  /**
   * Files that hardly matter to `answer`: a change of one is noticed within RARE_CHECK_MS, and checking them is spread evenly over
   * that time. Directories and missing paths are checked in every scan.
   */
  isCheckedRarely?: (answer: T, path: string) => boolean;
}

/** For answers that depend on files and on nothing else but the question. */
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

/** A path that an answer depends on. */
interface Marked {
  row: MarkRow;
  /** Its mark when the answer was made. */
  mark: string;
}

interface CacheEntry {
  question: unknown;
  rootDir: string;
  view: string;
  answer: unknown;
  /** Checked in every scan. */
  marks: Marked[];
  rareMarks: Marked[];
  /** Index of the rarely checked file that is next. */
  next: number;
  /** Milliseconds. */
  checkedAt: number;
}

/** `now`: milliseconds on a steady clock. */
export function createFileCache(now: () => number = steadyMs): FileCache {
  const entries = new Map<string, CacheEntry>();
  /** Keys used in this scan. */
  let used = new Set<string>();
  /** Keys read within `tracked`. */
  let tracking: string[] | undefined;
  const table = createMarkTable();
  /** Whether the table has rows that no entry uses. */
  let hasUnused = false;

  function isCurrent(entry: CacheEntry): boolean {
    const { rootDir, view } = entry;
    const hasMark = ({ row, mark }: Marked) => table.mark(row, view, rootDir) === mark;
    return entry.marks.every(hasMark) && dueMarks(entry, now()).every(hasMark);
  }

  return {
    read<T>(
      key: string,
      question: unknown,
      rootDir: string,
      answer: (files: FileView) => T,
      { view = rootDir, isCheckedRarely = () => false, reader }: ReadOptions<T> = {},
    ): T {
      used.add(key);
      tracking?.push(key);
      const entry = entries.get(key);
      const whole = reader === undefined ? question : [question, reader];
      const isSame = entry?.rootDir === rootDir && entry.view === view && isDeepEqual(entry.question, whole);
      if (isSame && isCurrent(entry)) return entry.answer as T;
      const recording = recordFiles(rootDir, reader);
      const fresh = answer(recording.view);
      const isRare = ({ row, mark }: Marked) => isFile(mark) && isCheckedRarely(fresh, row.path);
      const record = [...recording.record].map(([path, mark]): Marked => ({ row: table.row(view, path, mark), mark }));
      hasUnused ||= entry !== undefined;
      entries.set(key, {
        question: whole,
        rootDir,
        view,
        answer: fresh,
        marks: record.filter((one) => !isRare(one)),
        rareMarks: record.filter(isRare),
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
        return { value: act(), keep: () => keys.forEach((key) => void used.add(key)) };
      } finally {
        tracking = outer;
      }
    },
    sweep() {
      for (const key of entries.keys()) if (!used.has(key)) hasUnused = entries.delete(key);
      used = new Set();
      table.endScan(hasUnused ? [...entries.values()].flatMap(rowsOf) : undefined);
      hasUnused = false;
    },
  };
}

function rowsOf({ marks, rareMarks }: CacheEntry): MarkRow[] {
  return [...marks, ...rareMarks].map(({ row }) => row);
}

/** The rarely checked files whose turn it is, so that each of them is checked once in RARE_CHECK_MS. */
function dueMarks(entry: CacheEntry, now: number): Marked[] {
  const { rareMarks, next } = entry;
  const turns = Math.ceil(rareMarks.length * Math.min(1, (now - entry.checkedAt) / RARE_CHECK_MS));
  entry.next += turns;
  entry.checkedAt = now;
  return Array.from({ length: turns }, (_, turn) => rareMarks[(next + turn) % rareMarks.length]!);
}
