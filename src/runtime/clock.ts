/**
 * The clocks of the program: the only module that asks what time it is. Ages, deadlines and freshness come from a clock
 * that never goes back; the wall clock is for time stamps that people read and that outlive the process.
 */

export interface Clock {
  /** Seconds since the epoch. Somebody may set it at any time, back too. */
  wall(): number;
  /** Seconds since some moment, the same one in all threads: CLOCK_MONOTONIC, which stands still while the machine sleeps. */
  steady(): number;
  /** Of a test’s clock: seconds that it is ahead of the kernel’s. */
  ahead?(): number;
}

export const systemClock: Clock = {
  wall: () => Date.now() / 1000,
  steady: () => Number(process.hrtime.bigint()) / 1e9,
};

/** A clock that a test turns by hand: nothing ever sets it. */
export function handClock(seconds: () => number): Clock {
  return { wall: seconds, steady: seconds };
}

/** Milliseconds since the epoch. */
export const wallMs = (): number => Date.now();

/** Milliseconds, never going back; of this thread. */
export const steadyMs = (): number => performance.now();

/** Seconds since this process started, in whichever thread. */
export const sinceStart = (): number => process.uptime();

/** One moment on every clock. */
export interface Moment {
  /** Wall clock, seconds since the epoch. */
  at: number;
  /** `Clock.steady`. */
  steady: number;
  /** Seconds since boot, sleep included (CLOCK_BOOTTIME, from `/proc/uptime`); absent where it cannot be read. */
  uptime?: number;
}

/** Read apart by more than this, two clocks say nothing about each other: the thread got no processor in between. Seconds. */
const apart = 0.05;
const tries = 5;

/** `uptime` is asked last. */
export function momentOf(clock: Clock, uptime: () => number | undefined = () => undefined): Moment {
  for (let left = tries; ; left--) {
    const steady = clock.steady();
    const at = clock.wall();
    const up = uptime();
    if (left > 1 && clock.steady() - steady > apart) continue;
    return { at, steady, ...(up === undefined ? {} : { uptime: up }) };
  }
}

/** Less than this is drift, and the slow correction of it. Seconds. */
const drift = 1;

/** Seconds from one moment to a later one, sleep included where that is known. */
export function elapsedBetween(before: Moment, now: Moment): number {
  const steady = now.steady - before.steady;
  if (before.uptime === undefined || now.uptime === undefined) return steady;
  // One that lags behind the other is not the kernel's (a container that was started anew, lxcfs).
  const up = now.uptime - before.uptime;
  return up > steady - apart ? up : steady;
}

/** By how many seconds somebody set the wall clock between two moments; 0 while it only drifts. */
export function stepBetween(before: Moment | undefined, now: Moment): number {
  if (before === undefined) return 0;
  const step = now.at - before.at - elapsedBetween(before, now);
  return Math.abs(step) > drift ? step : 0;
}

/** A stored time stamp lies in the future: when that was is not known. Clocks drift by less than `drift`. */
export function isFuture(stamp: number, now: number): boolean {
  return stamp > now + drift;
}
