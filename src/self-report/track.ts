/** A series of samples of one process → the situation of its output, and for how long. Pure. */
import type { OutputSituation, PipelineCounts, SelfReport } from '../model/model.js';
import type { Figures } from './pipeline-figures.js';
import { confirmed, isFull, type Sample, type Situation, shortestWindow, situationBetween } from './situation.js';

/** How far back samples are kept. Seconds. */
const historySeconds = 330;
/** Events lost within the last 5 minutes. */
const lostWindow = 300;
const maxSamples = 400;

const failing: readonly OutputSituation[] = ['down', 'refusing', 'mute'];

export interface Track {
  /** Oldest first; all of one process and one source. */
  samples: readonly Sample[];
  /** A failing or slow situation that has not ended yet. `samples`: how often it was found. */
  run?: { kind: 'failing' | 'slow'; output: OutputSituation; since: number; samples: number };
  situation?: Situation;
  /** Time of the last sample with a new acknowledgement. */
  lastAck?: number;
}

export const emptyTrack: Track = { samples: [] };

/** Adds a sample, unless it is not later than the last one. */
export function addSample(track: Track, sample: Sample, leaks: boolean): Track {
  const last = track.samples.at(-1);
  if (last !== undefined && sample.at <= last.at) return track;
  // The newest sample that is far enough away; if none is, the oldest at least shows what changes.
  const from = track.samples.findLast(({ at }) => sample.at - at >= shortestWindow) ?? track.samples[0];
  const recent = [...track.samples.filter(({ at }) => sample.at - at <= historySeconds), sample].slice(-maxSamples);
  // The last sample stays at any age: scrapes may be minutes apart.
  const samples = last !== undefined && !recent.includes(last) ? [last, ...recent] : recent;
  if (from === undefined) return { ...track, samples };
  const situation = situationBetween(from, sample, leaks);
  const acked = last !== undefined && confirmed(sample.figures) > confirmed(last.figures);
  const run = runAfter(track.run, situation, from.at);
  const { run: _, ...others } = track;
  return {
    ...others,
    samples,
    situation,
    ...(run === undefined ? {} : { run }),
    ...(acked ? { lastAck: sample.at } : {}),
  };
}

/**
 * An unknown situation does not end a run; only events that move do. A slow output takes a bulk now and then, and for a moment
 * the queue is not full: it counts as slow until the queue was full in neither of two samples.
 */
function runAfter(before: Track['run'], { output, wasFull }: Situation, since: number): Track['run'] {
  if (output === 'unknown') return before;
  if (output === 'flowing' && wasFull && before?.kind === 'slow') return before;
  const kind = failing.includes(output) ? 'failing' : output === 'slow' ? 'slow' : undefined;
  if (kind === undefined) return undefined;
  if (before?.kind !== kind) return { kind, output, since, samples: 1 };
  return { ...before, output, samples: before.samples + 1 };
}

/** Events that the output dropped within the last 5 minutes. */
export function lostRecently({ samples }: Track): number {
  const last = samples.at(-1);
  if (last === undefined) return 0;
  const first = samples.find((sample) => sample !== last && last.at - sample.at <= lostWindow);
  // Samples may be further apart than the window: then the one before has to do.
  const from = first ?? samples.at(-2) ?? last;
  return last.figures.dropped - from.figures.dropped;
}

/** Events per second over the window of the last verdict. */
function ratesOf({ situation }: Track): { in: number; out: number } | undefined {
  if (situation === undefined || situation.seconds <= 0) return undefined;
  return { in: situation.in / situation.seconds, out: situation.out / situation.seconds };
}

export const noCounts: PipelineCounts = {
  events: 0,
  filtered: 0,
  acked: 0,
  duplicate: 0,
  deadLetter: 0,
  dropped: 0,
  failedAttempts: 0,
  bytes: 0,
};

export function countsOf(figures: Figures): PipelineCounts {
  const { events, filtered, acked, duplicate, deadLetter, dropped, failed, bytes } = figures;
  return { events, filtered, acked, duplicate, deadLetter, dropped, failedAttempts: failed, bytes };
}

const counters = [
  'events',
  'filtered',
  'published',
  'acked',
  'duplicate',
  'deadLetter',
  'dropped',
  'failed',
  'tried',
  'bytes',
  'reloads',
] as const;

/** Adds the counters of a period. Gauges are those of the period; the queue's size and the output's type stay if it has none. */
export function addPeriod(sum: Figures | undefined, period: Figures): Figures {
  if (sum === undefined) return period;
  const { queueMax = sum.queueMax, outputType = sum.outputType } = period;
  const next: Figures = {
    ...period,
    ...(queueMax === undefined ? {} : { queueMax }),
    ...(outputType === undefined ? {} : { outputType }),
  };
  for (const field of counters) next[field] = sum[field] + period[field];
  return next;
}

/** The counters before a period; gauges stay. */
export function subtractPeriod(sum: Figures, period: Figures): Figures {
  const before: Figures = { ...sum };
  for (const field of counters) before[field] = sum[field] - period[field];
  return before;
}

/** What a track says about the present. `fresh`: its newest sample is young enough. */
export function figuresOf(
  track: Track,
  fresh: boolean,
  leaks: boolean,
): Pick<
  SelfReport,
  'output' | 'outputForSeconds' | 'active' | 'queueMax' | 'outputType' | 'full' | 'wasFull' | 'lostRecently' | 'rates'
> {
  const last = track.samples.at(-1);
  if (last === undefined || !fresh) return { output: 'unknown' };
  const { situation, run } = track;
  const { figures, at } = last;
  const rates = ratesOf(track);
  const lost = lostRecently(track);
  const isFailing = run?.kind === 'failing';
  // A run continues until it is seen to end: see `runAfter`.
  const isContinuing = run !== undefined && situation?.output === (isFailing ? 'unknown' : 'flowing');
  return {
    output: isContinuing ? run.output : (situation?.output ?? 'unknown'),
    ...(run !== undefined && (isFailing || run.samples > 1) ? { outputForSeconds: at - run.since } : {}),
    active: figures.active,
    ...(figures.queueMax ? { queueMax: figures.queueMax } : {}),
    ...(figures.outputType === undefined ? {} : { outputType: figures.outputType }),
    ...(isFull(figures, leaks) ? { full: true as const } : {}),
    ...(situation?.wasFull ? { wasFull: true as const } : {}),
    ...(lost > 0 ? { lostRecently: lost } : {}),
    ...(rates === undefined ? {} : { rates }),
  };
}
