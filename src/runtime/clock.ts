/**
 * The clocks of the program; no other module reads the time. Ages and deadlines use the steady clock; the wall clock is for
 * time stamps that people read or that outlive the process.
 */

export interface Clock {
  /** Seconds since the epoch. It may be set at any time, also backwards. */
  wall(): number;
  /** CLOCK_MONOTONIC in seconds, the same in all threads; it stops while the machine sleeps. */
  steady(): number;
  /** Only in tests: seconds ahead of the kernel’s clock. */
  ahead?(): number;
}

export const systemClock: Clock = {
  wall: () => Date.now() / 1000,
  steady: () => Number(process.hrtime.bigint()) / 1e9,
};

/** Milliseconds since the epoch. */
export const wallMs = (): number => Date.now();

/** Steady milliseconds of this thread. */
export const steadyMs = (): number => performance.now();

/** Seconds since this process started, in whichever thread. */
export const sinceStart = (): number => process.uptime();

/** One moment on all clocks. */
export interface Moment {
  /** Wall clock, seconds since the epoch. */
  at: number;
  /** `Clock.steady`. */
  steady: number;
  /** Seconds since boot, sleep included (CLOCK_BOOTTIME, from `/proc/uptime`); absent where it cannot be read. */
  uptime?: number;
}

/** Two clocks read further apart cannot be compared, as when the thread was suspended between them. Seconds. */
const apart = 0.05;
const tries = 5;

/** `uptime` is read last. */
export function momentOf(clock: Clock, uptime: () => number | undefined = () => undefined): Moment {
  for (let left = tries; ; left--) {
    const steady = clock.steady();
    const at = clock.wall();
    const up = uptime();
    if (left > 1 && clock.steady() - steady > apart) continue;
    return { at, steady, ...(up === undefined ? {} : { uptime: up }) };
  }
}

/** A smaller difference is drift or its correction. Seconds. */
const drift = 1;

/** Seconds from one moment to a later one, including sleep where known. */
export function elapsedBetween(before: Moment, now: Moment): number {
  const steady = now.steady - before.steady;
  if (before.uptime === undefined || now.uptime === undefined) return steady;
  // An uptime that lags behind is not the kernel's (a restarted container, lxcfs).
  const up = now.uptime - before.uptime;
  return up > steady - apart ? up : steady;
}

/** By how many seconds the wall clock was set between two moments; 0 for drift. */
export function stepBetween(before: Moment | undefined, now: Moment): number {
  if (before === undefined) return 0;
  const step = now.at - before.at - elapsedBetween(before, now);
  return Math.abs(step) > drift ? step : 0;
}

/** Whether a stored time stamp is in the future, so that its age is unknown. */
export function isFuture(stamp: number, now: number): boolean {
  return stamp > now + drift;
}
