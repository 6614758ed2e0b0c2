/** Writing the state file: whole, atomically (temporary file, fsync, rename, fsync of the directory) and for its owner only. */
import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, type Stats } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Gap } from '../model/model.js';
import { writeFileAtomically, writeFileAtomicallyAsync } from '../runtime/atomic-file.js';

/** The path behind links, so that the file is replaced and the link stays. */
export function throughLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // It does not exist yet.
  }
}

export function writeAtomically(path: string, content: string): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileAtomically(path, Buffer.from(content), 0o600);
  syncDirectory(directory);
}

export async function writeAtomicallyLater(path: string, content: string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFileAtomicallyAsync(path, Buffer.from(content), 0o600);
  // As in `syncDirectory`.
  const handle = await open(directory, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}

/** Without it a power failure may undo the rename; the file is complete in either case. */
function syncDirectory(directory: string): void {
  try {
    const descriptor = openSync(directory, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Some file systems cannot sync a directory, and a directory may be writable without being readable.
  }
}

/** A text that changes with the content of the file. */
export function signatureOf(stats: Stats): string {
  return `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

/** The reason of a gap for an error of writing. */
export function reasonOf(error: unknown): Gap['reason'] {
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'denied';
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'limit';
    default:
      return 'malformed';
  }
}
