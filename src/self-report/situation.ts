/**
 * Two samples of a Filebeat's figures → what happens to its events between them. The rule was checked against recordings of
 * releases 7.13 to 9.6 in 35 situations; `unknown` is one of the answers. Pure.
 */
import type { OutputSituation } from '../model/model.js';
import type { Figures } from './pipeline-figures.js';

/** One sample. Its counters are totals since a beginning that all samples of a track share. */
export interface Sample {
  /** Seconds on a clock that all samples of a track share. */
  at: number;
  figures: Figures;
}

export interface Situation {
  output: OutputSituation;
  /** The queue was full in the second sample; in either of the two. */
  full: boolean;
  wasFull: boolean;
  /** Events between the samples. */
  lost: number;
  filtered: number;
  in: number;
  out: number;
  seconds: number;
}

/** Seconds. In less, a batch that waits for its flush timeout (10 s since 8.13) looks like one that the output does not take. */
export const shortestWindow = 25;

/** Defaults of `queue.mem.events`: 4,096, from 8.13 on 3,200. */
const defaultQueue = (leaks: boolean): number => (leaks ? 4096 : 3200);

/**
 * A disk queue has no size in events (`max_events` 0, 64,000 in 7.17); its fill level is known since 8.16. `leaks`: see
 * `situationBetween`.
 */
export function isFull({ queueMax, active, filledRatio }: Figures, leaks: boolean): boolean {
  if (queueMax === 0) return filledRatio !== undefined && filledRatio >= 0.99;
  return active >= (queueMax ?? defaultQueue(leaks));
}

function waiting({ queueMax, active, filledEvents }: Figures): number {
  return queueMax === 0 ? (filledEvents ?? 0) : active;
}

/** Events that the output has confirmed. */
export const confirmed = ({ acked, duplicate, deadLetter }: Figures): number => acked + duplicate + deadLetter;

/** `leaks`: releases up to 8.14, in which refused requests show only as unanswered ones. */
export function situationBetween(a: Sample, b: Sample, leaks: boolean): Situation {
  const [from, to] = [a.figures, b.figures];
  const seconds = b.at - a.at;
  const out = confirmed(to) - confirmed(from);
  const lost = to.dropped - from.dropped;
  const filtered = to.filtered - from.filtered;
  const arrived = to.events - from.events;
  const full = isFull(to, leaks);
  const wasFull = full || isFull(from, leaks);
  const facts = { full, wasFull, lost, filtered, in: arrived, out, seconds };
  if (out > 0) return { ...facts, output: full && isFull(from, leaks) ? 'slow' : 'flowing' };
  const backlog = Math.min(waiting(from), waiting(to));
  if (backlog === 0 || lost > 0) {
    if (lost > 0) return { ...facts, output: 'flowing' };
    // Events that arrived must wait or were filtered; an old disk queue does not say how many wait.
    return { ...facts, output: arrived === filtered && waiting(to) === 0 ? 'idle' : 'unknown' };
  }
  if (seconds < shortestWindow) return { ...facts, output: 'unknown' };
  return { ...facts, output: failing(from, to, leaks) };
}

function failing(from: Figures, to: Figures, leaks: boolean): OutputSituation {
  const tried = to.tried - from.tried;
  if (tried === 0 && to.outputActive === 0) return 'down';
  const leaked = leaks && tried > 0 && to.outputActive - from.outputActive === tried;
  if (tried > 0 && (to.failed > from.failed || leaked)) return 'refusing';
  return to.outputActive > 0 ? 'mute' : 'unknown';
}
