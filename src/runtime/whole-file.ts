/** Writes a file so that nobody, whatever happens, ever reads half of it: rename(2) puts the new one in place of the old. */
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';

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

/** The same without making this thread wait for the disk. Nobody else may write the file meanwhile. */
export async function writeWholeLater(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const remove = () => unlink(temporary).catch(() => undefined); // It is not there, mostly.
  await remove();
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await remove();
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
