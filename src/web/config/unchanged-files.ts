/**
 * Waits until files are no longer being written. A file rewritten in place is first empty, then incomplete, so a
 * configuration is read only when size, times and inode of its files have not changed for a moment.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { steadyMs, wallMs } from '../../runtime/clock.js';
import { filesSignature, lastChangeMs } from './config-file.js';

/** How long files must be unchanged. Seconds. */
export const quietSeconds = 1;

/** How long to wait for an unchanged file before the start. Seconds. */
const maxWait = 10;

/** Returns a function to be called repeatedly: whether files have had this signature for `seconds`. */
export function createQuietCheck(seconds: number): (paths: readonly string[], signature: string) => boolean {
  let watched: { signature: string; since: number } | undefined;
  return (paths, signature) => {
    if (seconds === 0 || isOld(paths, seconds)) return true;
    // The wall clock may be changed, so the age since the first call is measured by the steady clock.
    if (watched?.signature !== signature) watched = { signature, since: steadyMs() };
    return steadyMs() - watched.since >= seconds * 1000;
  };
}

function isOld(paths: readonly string[], seconds: number): boolean {
  return wallMs() - lastChangeMs(paths) >= seconds * 1000;
}

/** Before the start: waits until the file is unchanged. Returns false where it keeps changing. */
export async function becomesQuiet(path: string, seconds: number): Promise<boolean> {
  const isQuiet = createQuietCheck(seconds);
  for (const began = steadyMs(); steadyMs() - began < maxWait * 1000; await pause(50))
    if (isQuiet([path], filesSignature([path]))) return true;
  return false;
}
