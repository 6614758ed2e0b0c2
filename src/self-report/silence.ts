/**
 * When a listener is silent for longer than is usual: the longest pause seen on each of the last seven days is kept, so that
 * nights and weekends become usual. Pure; times are seconds since the epoch.
 */

export interface Arrivals {
  /** When it was first watched. */
  watchedSince: number;
  /** When something last arrived; absent: never while it was watched. */
  last?: number;
  /** Since when nothing can have arrived unseen: not while the exporter was down, on another socket, in lines that are lost. */
  unbrokenSince?: number;
  /** `[day since the epoch, longest pause that ended on it in seconds]`, oldest first, seven days at most. */
  pauses: readonly (readonly [day: number, seconds: number])[];
}

const daySeconds = 86_400;
const historyDays = 7;
/** So many spans of `silent_after` have to be watched before its silence means anything. */
const spansToLearn = 6;

/**
 * `arrived`: since the look before, by a counter, the queue or the drops. `unbroken`: whatever arrived since that look, on this
 * socket, would have been seen.
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

/** Undefined: not silent, not for unusually long, or not watched for long enough to say. `after` 0: never told. */
export function silenceOf(arrivals: Arrivals, now: number, after: number): Silence | undefined {
  if (after === 0) return undefined;
  const from = Math.max(arrivals.last ?? arrivals.watchedSince, arrivals.unbrokenSince ?? 0);
  const forSeconds = now - from;
  // A time in the future, by a clock that was set back, says nothing.
  if (forSeconds < 0) return undefined;
  if (arrivals.last === undefined) return forSeconds > after ? { forSeconds, never: true } : undefined;
  if (arrivals.last - arrivals.watchedSince < spansToLearn * after) return undefined;
  const longest = arrivals.pauses.reduce((most, [, seconds]) => Math.max(most, seconds), 0);
  return forSeconds > Math.max(after, 3 * longest) ? { forSeconds, never: false } : undefined;
}
