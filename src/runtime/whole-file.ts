/** Writes a file so that nobody, whatever happens, ever reads half of it: rename(2) puts the new one in place of the old. */
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';

/** Beside the file first, synced, then renamed. Throws what the system says; then the old file stays and nothing is left beside it. */
export function writeWhole(path: string, bytes: Uint8Array, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  // In containers pids are few: it may be that of one that was killed.
  removeQuietly(temporary);
  const descriptor = openSync(temporary, 'wx', mode);
  try {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
}

export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or the file system is read-only.
  }
}
