/** How long a process has run. */
import type { FilebeatProcess } from './model.js';

/** Start times are cut to 10 ms, and the wall clock drifts. Seconds. */
const blur = 1;

/**
 * Seconds at `now` (since the epoch). The age of a process that started in the future is unknown, since a clock is wrong.
 * Where the start time is not certain, the result is a minimum.
 */
export function ageOf({ startTime }: Pick<FilebeatProcess, 'startTime'>, now: number): number | undefined {
  const age = now - startTime;
  return age < -blur ? undefined : Math.max(0, age);
}

/** Seconds since the epoch; undefined where it is not sure. */
export function sureStart(process: FilebeatProcess | undefined): number | undefined {
  return process?.startUnsure ? undefined : process?.startTime;
}
