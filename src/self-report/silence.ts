/**
 * Whether a listener is silent for longer than usual. The longest pause of each of the last seven days is stored, so that quiet
 * nights and weekends count as usual. Pure; times are seconds since the epoch.
 */

export interface Arrivals {
  /** When it was first watched. */
  watchedSince: number;
  /** When something last arrived; absent: nothing since `watchedSince`. */
  last?: number;
  /** Since when no arrival can have been missed: while the exporter was down, on another socket, or in lost lines of a log. */
  unbrokenSince?: number;
  /** `[day since the epoch, longest pause that ended on it in seconds]`, oldest first, seven days at most. */
  pauses: readonly (readonly [day: number, seconds: number])[];
}

const daySeconds = 86_400;
const historyDays = 7;
/** How many times `silent_after` a listener must have been watched before its silence means anything. */
const spansToLearn = 6;

/**
 * Adds one sample. `arrived`: something arrived since the last sample, by a counter, the queue or the drops. `unbroken`: no
 * arrival since the last sample can have been missed.
 */
export function noteSample(before: Arrivals | undefined, now: number, arrived: boolean, unbroken: boolean): Arrivals {
  if (before === undefined) return { watchedSince: now, ...(arrived ? { last: now } : {}), pauses: [] };
  const known: Arrivals = unbroken ? before : { ...before, unbrokenSince: now };
  if (!arrived || (known.last !== undefined && now <= known.last)) return known;
  const pause = known.last === undefined ? 0 : Math.max(0, now - Math.max(known.last, known.unbrokenSince ?? 0));
  return { ...known, last: now, pauses: withPause(known.pauses, pause, Math.floor(now / daySeconds)) };
}

function withPause(pauses: Arrivals['pauses'], pause: number, today: number): Arrivals['pauses'] {
  const recent = pauses.filter(([day]) => day > today - historyDays && day <= today);
  const longest = recent.find(([day]) => day === today)?.[1] ?? 0;
  if (pause > longest) return [...recent.filter(([day]) => day !== today), [today, pause] as const];
  return recent.length === pauses.length ? pauses : recent;
}

export interface Silence {
  forSeconds: number;
  never: boolean;
}

/** Undefined: not silent, not unusually long, or not watched for long enough. `after`: `silent_after` in seconds; 0: never. */
export function silenceOf(arrivals: Arrivals, now: number, after: number): Silence | undefined {
  if (after === 0) return undefined;
  const from = Math.max(arrivals.last ?? arrivals.watchedSince, arrivals.unbrokenSince ?? 0);
  const forSeconds = now - from;
  // In the future, since the clock was set back: unknown.
  if (forSeconds < 0) return undefined;
  if (arrivals.last === undefined) return forSeconds > after ? { forSeconds, never: true } : undefined;
  if (arrivals.last - arrivals.watchedSince < spansToLearn * after) return undefined;
  const longest = arrivals.pauses.reduce((most, [, seconds]) => Math.max(most, seconds), 0);
  return forSeconds > Math.max(after, 3 * longest) ? { forSeconds, never: false } : undefined;
}
