/**
 * Answers read from files, kept for as long as nothing that they were read from has changed: afterwards an answer
 * costs one `lstat` for each file, link, listed directory and absent path that it depends on.
 */
import type { FileView } from '../filebeat/files.js';
import { openFileView } from './files.js';
import { changed, type FileRecord, recordFiles } from './record.js';

interface Kept {
  question: string;
  answer: unknown;
  record: FileRecord;
}

export interface KeptReadings {
  /**
   * `key`: who asks. `question`: everything besides the files that the answer depends on. `rootDir`: the directory
   * that is `/` for the files. One key always asks for one kind of answer.
   */
  read<T>(key: string, question: unknown, rootDir: string, answer: (files: FileView) => T): T;
  /** Forgets whoever did not ask since the last call. */
  sweep(): void;
}

export function createKeptReadings(): KeptReadings {
  const kept = new Map<string, Kept>();
  let asked = new Set<string>();
  return {
    read<T>(key: string, question: unknown, rootDir: string, answer: (files: FileView) => T): T {
      asked.add(key);
      const view = openFileView(rootDir);
      const text = JSON.stringify([question, rootDir]);
      const before = kept.get(key);
      if (before?.question === text && !changed(before.record, view)) return before.answer as T;
      const recording = recordFiles(view);
      const fresh = answer(recording.view);
      kept.set(key, { question: text, answer: fresh, record: recording.record });
      return fresh;
    },
    sweep() {
      for (const key of kept.keys()) if (!asked.has(key)) kept.delete(key);
      asked = new Set();
    },
  };
}
