/** How long a process has run. Pure. */
import type { FilebeatProcess } from './model.js';

/** Start times are cut to 10 ms, and the wall clock drifts. Seconds. */
const blur = 1;

/**
 * Seconds at `now` (since the epoch). One that began in the future was told by a clock that cannot be right: its age is
 * unknown, not small. Where the start is not sure, it is at least so old.
 */
export function ageOf({ startTime }: Pick<FilebeatProcess, 'startTime'>, now: number): number | undefined {
  const age = now - startTime;
  return age < -blur ? undefined : Math.max(0, age);
}

/** Seconds since the epoch; undefined where it is not sure. */
export function sureStart(process: FilebeatProcess | undefined): number | undefined {
  return process?.startUnsure ? undefined : process?.startTime;
}
