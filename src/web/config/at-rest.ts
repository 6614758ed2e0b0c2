/**
 * Whether files have been left alone for a moment. One that is rewritten in place is empty, then half written, for a moment:
 * a configuration is taken only when size, times and inode of its files have not changed for `seconds`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { steadyMs, wallMs } from '../../runtime/clock.js';
import { filesSignature, youngestMs } from './config-file.js';

/** How long files must have been left alone. */
export const restSeconds = 1;

/** Who writes for longer than this while we wait writes all the time. Seconds. */
const patience = 10;

/** Returns whether files with this signature may be taken. Asked again and again; of another signature the time begins anew. */
export function createRest(seconds: number): (paths: readonly string[], signature: string) => boolean {
  let watched: { signature: string; since: number } | undefined;
  return (paths, signature) => {
    if (seconds === 0 || isOld(paths, seconds)) return true;
    // The wall clock may be set; what was seen here is older by this one.
    if (watched?.signature !== signature) watched = { signature, since: steadyMs() };
    return steadyMs() - watched.since >= seconds * 1000;
  };
}

function isOld(paths: readonly string[], seconds: number): boolean {
  return wallMs() - youngestMs(paths) >= seconds * 1000;
}

/** Before the start: waits until the file is at rest. False: it is written all the time. */
export async function comesToRest(path: string, seconds: number): Promise<boolean> {
  const isAtRest = createRest(seconds);
  for (const began = steadyMs(); steadyMs() - began < patience * 1000; await pause(50))
    if (isAtRest([path], filesSignature([path]))) return true;
  return false;
}
