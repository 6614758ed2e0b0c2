/** Reads small regular files and detects changes: the web configuration, certificates, keys. */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';

export type FileResult = { ok: true; bytes: Buffer } | { ok: false; what: string };

/** Reads a file of at most `limit` bytes. Does not wait for a FIFO or a device. `what` is a clause without the path. */
export function readRegularFile(path: string, limit: number): FileResult {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return { ok: false, what: 'is not a regular file' };
    if (stat.size > limit) return { ok: false, what: `is larger than ${limit} bytes` };
    return { ok: true, bytes: readFileSync(descriptor) };
  } catch (error) {
    return { ok: false, what: `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Changes whenever a file may have changed, appears or is removed. Takes about 3 µs per file. */
export function filesSignature(paths: readonly string[]): string {
  return paths.map(signature).join(' ');
}

function signature(path: string): string {
  try {
    const stat = statSync(path, { bigint: true });
    return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

/** Latest time at which one of the files was written or renamed, in milliseconds since the epoch; 0 without a file. */
export function lastChangeMs(paths: readonly string[]): number {
  return Math.max(0, ...paths.map(ctimeMs));
}

function ctimeMs(path: string): number {
  try {
    return statSync(path).ctimeMs;
  } catch {
    return 0; // Reading the file reports the error.
  }
}
