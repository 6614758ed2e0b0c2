/** A small regular file of the operator's: the web configuration, a certificate, a key. */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';

export type FileResult = { ok: true; bytes: Buffer } | { ok: false; what: string };

/** Never waits for a FIFO or a device; `what` is a clause without the path. */
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

/** Changes whenever the content of one of them may have, and when one comes or goes. About 3 µs a file. */
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

/** When one of them was last written to or put in its place, in milliseconds of the wall clock; 0 when none is there. */
export function youngestMs(paths: readonly string[]): number {
  return Math.max(0, ...paths.map(ctimeMs));
}

function ctimeMs(path: string): number {
  try {
    return statSync(path).ctimeMs;
  } catch {
    return 0; // Told when it is read.
  }
}
