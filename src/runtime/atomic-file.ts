/** Writes a file so that nobody, whatever happens, ever reads half of it: rename(2) puts the new one in place of the old. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, lstatSync, openSync, readdirSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { wallMs } from './clock.js';

/** In a folder that others may write to, a name that can be guessed can be taken. */
const temporaryName = (path: string) => `${path}.${randomBytes(8).toString('hex')}.tmp`;

/** Beside the file first, synced, then renamed. Throws what the system says; then the old file stays and nothing is left beside it. */
export function writeFileAtomically(path: string, bytes: Uint8Array, mode: number): void {
  const temporary = temporaryName(path);
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
export async function writeFileAtomicallyAsync(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const temporary = temporaryName(path);
  const file = await open(temporary, 'wx', mode);
  try {
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined); // As `removeQuietly`.
    throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or the file system is read-only.
  }
}

/** Temporary files of writers that were killed; a living one's is younger. */
const staleSeconds = 60;

/** Removes what writers that were killed have left beside the file. */
export function sweepBeside(path: string): void {
  const prefix = `${basename(path)}.`;
  try {
    for (const name of readdirSync(dirname(path))) {
      if (!name.startsWith(prefix) || !/^([0-9a-f]{16}|\d+)\.tmp$/.test(name.slice(prefix.length))) continue;
      const left = join(dirname(path), name);
      if (wallMs() - lstatSync(left).mtimeMs > staleSeconds * 1000) removeQuietly(left);
    }
  } catch {
    // No directory yet, or not ours to list: then there is nothing to sweep.
  }
}
