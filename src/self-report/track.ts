/** A run of looks at one process's figures → how its output does and for how long. Pure. */
import type { OutputSituation, PipelineCounts, SelfReport } from '../model/model.js';
import type { Figures } from './pipeline-figures.js';
import { isFull, type Sample, type Situation, shortestWindow, situationBetween } from './situation.js';

/** Seconds of looks that are kept. */
const historySeconds = 330;
/** Events lost within the last 5 minutes. */
const lostWindow = 300;
const maxSamples = 400;

const failing: readonly OutputSituation[] = ['down', 'refusing', 'mute'];

export interface Track {
  /** Oldest first; all of one process and one source. */
  samples: readonly Sample[];
  /** The failing or slow situation that has not been seen to end. `looks`: how often it was found. */
  run?: { kind: 'failing' | 'slow'; output: OutputSituation; since: number; looks: number };
  situation?: Situation;
  /** Of the look that last saw an acknowledgement. */
  lastAck?: number;
}

export const emptyTrack: Track = { samples: [] };

/** A look later than the last one; an earlier one changes nothing. */
export function addSample(track: Track, look: Sample, leaks: boolean): Track {
  const last = track.samples.at(-1);
  if (last !== undefined && look.at <= last.at) return track;
  // Newest look that is far enough away; of looks that are close together the oldest says at least what moves.
  const from = track.samples.findLast(({ at }) => look.at - at >= shortestWindow) ?? track.samples[0];
  const looks = [...track.samples.filter(({ at }) => look.at - at <= historySeconds), look].slice(-maxSamples);
  // The last look stays whatever its age: scrapes may be minutes apart.
  const kept = last !== undefined && !looks.includes(last) ? [last, ...looks] : looks;
  if (from === undefined) return { ...track, samples: kept };
  const situation = situationBetween(from, look, leaks);
  const acked = last !== undefined && confirmed(look.figures) > confirmed(last.figures);
  const run = runAfter(track.run, situation, from.at);
  const { run: _, ...rest } = track;
  return {
    ...rest,
    samples: kept,
    situation,
    ...(run === undefined ? {} : { run }),
    ...(acked ? { lastAck: look.at } : {}),
  };
}

function confirmed({ acked, duplicate, deadLetter }: Figures): number {
  return acked + duplicate + deadLetter;
}

/**
 * "Can't tell" ends nothing that was found before; only what moves does. A slow output takes a bulk now and then, and the queue
 * has room for a moment: it is slow until the queue was full at neither of two looks.
 */
function runAfter(before: Track['run'], { output, wasFull }: Situation, since: number): Track['run'] {
  if (output === 'unknown') return before;
  if (output === 'flowing' && wasFull && before?.kind === 'slow') return before;
  const kind = failing.includes(output) ? 'failing' : output === 'slow' ? 'slow' : undefined;
  if (kind === undefined) return undefined;
  if (before?.kind !== kind) return { kind, output, since, looks: 1 };
  return { ...before, output, looks: before.looks + 1 };
}

/** Events that the output gave up within the last 5 minutes. */
export function lostRecently({ samples: looks }: Track): number {
  const last = looks.at(-1);
  if (last === undefined) return 0;
  const within = looks.find((look) => look !== last && last.at - look.at <= lostWindow);
  // Looks may be further apart than the window: then the one before is as near as can be told.
  const from = within ?? looks.at(-2) ?? last;
  return last.figures.dropped - from.figures.dropped;
}

/** Events per second over the window of the last verdict. */
export function ratesOf({ situation }: Track): { in: number; out: number } | undefined {
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

/** Counters of a period on top of what came before; gauges as they are now, the queue's size as last told. */
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

/** The counters before that period; gauges as they are now. */
export function subtractPeriod(sum: Figures, period: Figures): Figures {
  const before: Figures = { ...sum };
  for (const field of counters) before[field] = sum[field] - period[field];
  return before;
}

/** What a track says of now; `fresh`: its newest look is young enough to. */
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
  // What was found stands until it is seen to end: see `runAfter`.
  const stands = run !== undefined && situation?.output === (isFailing ? 'unknown' : 'flowing');
  return {
    output: stands ? run.output : (situation?.output ?? 'unknown'),
    ...(run !== undefined && (isFailing || run.looks > 1) ? { outputForSeconds: at - run.since } : {}),
    active: figures.active,
    ...(figures.queueMax ? { queueMax: figures.queueMax } : {}),
    ...(figures.outputType === undefined ? {} : { outputType: figures.outputType }),
    ...(isFull(figures, leaks) ? { full: true as const } : {}),
    ...(situation?.wasFull ? { wasFull: true as const } : {}),
    ...(lost > 0 ? { lostRecently: lost } : {}),
    ...(rates === undefined ? {} : { rates }),
  };
}
