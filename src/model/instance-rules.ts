/** Rules over instances and their processes that several rooms share. */
import type { FilebeatProcess, Instance, InstanceOrigin, ProcessId } from './model.js';

/** USER_HZ, the unit of `startTicks`: 100 on every architecture that Node.js runs on. */
export const TICKS_PER_SECOND = 100;

/** `4711:123456`: pid and start ticks, the key of a process within one boot. */
export function processKey({ pid, startTicks }: ProcessId): string {
  return `${pid}:${startTicks}`;
}

/** Within one boot. False where either is missing. */
export function isSameProcess(a: ProcessId | undefined, b: ProcessId | undefined): boolean {
  return a !== undefined && b !== undefined && a.pid === b.pid && a.startTicks === b.startTicks;
}

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

/** Seconds since the epoch; undefined if it was never seen. `takenAt`: of the scan. */
export function lastSeenOf({ process, lastSeen }: Instance, takenAt: number): number | undefined {
  return process === undefined ? lastSeen : takenAt;
}

/** The network namespace of its process, else of its last process, else the host's where that is given. */
export function netnsOf({ process, netns }: Instance, hostNetns?: number): number | undefined {
  return process?.netns ?? netns ?? hostNetns;
}

/** Root configured it, in a unit or in the settings. */
export function isConfiguredByRoot({ origins }: { origins: readonly InstanceOrigin[] }): boolean {
  return origins.includes('systemd') || origins.includes('declared');
}

/** Nothing but the memory expects it. */
export function isOnlyRemembered({ origins }: { origins: readonly InstanceOrigin[] }): boolean {
  return origins.every((origin) => origin === 'remembered');
}
