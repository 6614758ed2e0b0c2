/** Writes a file so that no reader ever sees half of it, even after a crash: rename(2) replaces the old file by the new one. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, lstatSync, openSync, readdirSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { wallMs } from './clock.js';

/** Not predictable: in a directory that others may write to, they could create a file of a known name first. */
const temporaryName = (path: string) => `${path}.${randomBytes(8).toString('hex')}.tmp`;

/** Writes a temporary file beside the file, syncs and renames it. Throws the system's error; then the old file stays. */
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

/** The same without blocking this thread. The file must not be written by anything else meanwhile. */
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
    await unlink(temporary).catch(() => undefined); // As in `removeQuietly`.
    throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not created, or the file system is read-only.
  }
}

/** A temporary file that is older belongs to a writer that was killed. */
const staleSeconds = 60;

/** Removes temporary files that killed writers have left beside the file. */
export function sweepBeside(path: string): void {
  const prefix = `${basename(path)}.`;
  try {
    for (const name of readdirSync(dirname(path))) {
      if (!name.startsWith(prefix) || !/^([0-9a-f]{16}|\d+)\.tmp$/.test(name.slice(prefix.length))) continue;
      const temporary = join(dirname(path), name);
      if (wallMs() - lstatSync(temporary).mtimeMs > staleSeconds * 1000) removeQuietly(temporary);
    }
  } catch {
    // The directory does not exist yet or may not be listed: there is nothing to remove.
  }
}
