/** Facts of a log, one after the other → figures over time, and what was said about failures. Pure. */
import type { BindReason, LogErrorKind } from '../model/model.js';
import type { LogFact } from './log-line.js';
import type { EntryFigures, Figures } from './pipeline-figures.js';
import { noteSample } from './silence.js';
import { addCounts, addEntry, type StoredReport } from './stored-report.js';
import { deviceOf, idKey } from './subject.js';
import { addPeriod, addSample, countsOf, emptyTrack, subtractPeriod, type Track } from './track.js';

/** What a process has said since this exporter began to read its log. */
export interface LogStory {
  track: Track;
  /** All periods read so far. */
  sum?: Figures;
  /** Of the newest metrics line, seconds since the epoch. */
  at?: number;
  /** Seconds between the last two metrics lines. */
  period?: number;
  said: Partial<Record<LogErrorKind, number>>;
  /** By protocol and host: `udp 0.0.0.0:514`. */
  binds: Record<string, { reason: BindReason; at: number }>;
  /** Inputs that failed, by their host: `0.0.0.0:514`. */
  failed: Record<string, number>;
  /** Endpoint keys that the newest metrics line has counters of. */
  counted: ReadonlySet<string>;
  /** The queue's size and the output's kind, which are written once, in the first line after the start. */
  once?: Pick<Figures, 'queueMax' | 'outputType'>;
  reloadFailedAt?: number;
  /** Two processes write into this file: whose line is whose cannot be told. */
  shared?: true;
}

export const emptyStory: LogStory = { track: emptyTrack, said: {}, binds: {}, failed: {}, counted: new Set() };

export interface StoryContext {
  /** Start of the process, seconds since the epoch; lines before it are an earlier one's. */
  startTime: number;
  /** Releases up to 8.14: see `situationBetween`. */
  leaks: boolean;
  /** Endpoint key of an input's id, or undefined where it is not known. */
  keyOf: (entry: EntryFigures, devices: Readonly<Record<string, string>>) => string | undefined;
  /** Seconds since the epoch: nothing arrived later than that, whatever clock a line was stamped by. */
  now?: number;
  /** Another source has the figures: only what is said about failures is taken from here. */
  wordsOnly?: boolean;
}

/** A process's own first line is written some milliseconds after its start, and times are cut to milliseconds. */
const startSlack = 1;
const mostBinds = 256;
const mostDevices = 4096;

const errorOf: Partial<Record<LogFact['kind'], LogErrorKind>> = {
  bind: 'bind',
  input: 'input',
  reload: 'reload',
  output_connect: 'output_connect',
  output_publish: 'output_publish',
  output_dropped: 'output_dropped',
  exiting: 'other',
  other: 'other',
};

export interface LogReport {
  story: LogStory;
  kept: StoredReport;
  /** Lines are missing between what was counted before and these. */
  broken: boolean;
  /** Lines up to this time were counted before these; many are written within one millisecond. */
  countedTo: number;
}

/** `head`: of the beginning of the file, where `facts` are of its end. */
export function reportFacts(
  story: LogStory,
  kept: StoredReport,
  facts: readonly LogFact[],
  context: StoryContext,
  head: readonly LogFact[] = [],
): LogReport {
  let told: LogReport = { ...reportHead(story, kept, head, context), broken: false, countedTo: kept.upTo };
  for (const fact of facts) {
    if (fact.at < context.startTime - startSlack) continue;
    told = fact.kind === 'metrics' ? addMetrics(told, fact, context) : addWord(told, fact, context);
  }
  return told;
}

/** What is written once after the start. */
function reportHead(story: LogStory, kept: StoredReport, head: readonly LogFact[], { startTime }: StoryContext) {
  let memory = kept;
  let once = story.once;
  for (const fact of head) {
    if (fact.at < startTime - startSlack) continue;
    if (fact.kind === 'input-start') memory = withDevices(memory, [fact]);
    if (fact.kind !== 'metrics') continue;
    memory = withDevices(memory, fact.entries);
    once = { ...once, ...onceOf(fact.figures) };
  }
  return { story: once === story.once ? story : { ...story, once: once! }, kept: memory };
}

function onceOf({ queueMax, outputType }: Figures): NonNullable<LogStory['once']> {
  return { ...(queueMax === undefined ? {} : { queueMax }), ...(outputType === undefined ? {} : { outputType }) };
}

function withDevices(
  kept: StoredReport,
  entries: readonly { id: string; type?: string; device?: string }[],
): StoredReport {
  const fresh = entries.flatMap((entry): [string, string][] => {
    const device = deviceOf(entry);
    if (device === undefined) return [];
    const key = idKey(entry.id);
    return kept.devices[key] === device ? [] : [[key, device]];
  });
  if (fresh.length === 0 || Object.keys(kept.devices).length + fresh.length > mostDevices) return kept;
  return { ...kept, devices: { ...kept.devices, ...Object.fromEntries(fresh) } };
}

function addWord(told: LogReport, fact: Exclude<LogFact, { kind: 'metrics' }>, context: StoryContext): LogReport {
  const { story, kept } = told;
  if (fact.kind === 'start')
    return fact.startedAt !== undefined && fact.startedAt > context.startTime + 2
      ? { ...told, story: { ...story, shared: true } }
      : told;
  if (fact.kind === 'input-start') return { ...told, kept: withDevices(kept, [fact]) };
  if (fact.kind === 'output_established') {
    const { output_connect: _, ...said } = story.said;
    return { ...told, story: { ...story, said } };
  }
  const kind = errorOf[fact.kind];
  if (kind === undefined) return told;
  const next: LogStory = { ...story, said: { ...story.said, [kind]: fact.at } };
  if (fact.kind === 'reload') next.reloadFailedAt = fact.at;
  if (fact.kind === 'bind')
    next.binds = withRow(story.binds, `${fact.protocol} ${fact.address}`, { reason: fact.reason, at: fact.at });
  const device = fact.kind === 'input' ? (fact.device ?? kept.devices[idKey(fact.id ?? '')]) : undefined;
  if (device !== undefined) next.failed = withRow(story.failed, device, fact.at);
  if (fact.at <= told.countedTo) return { ...told, story: next };
  return {
    ...told,
    story: next,
    kept: { ...kept, upTo: Math.max(kept.upTo, fact.at), errors: { ...kept.errors, [kind]: kept.errors[kind] + 1 } },
  };
}

function withRow<T>(rows: Record<string, T>, key: string, row: T): Record<string, T> {
  return Object.hasOwn(rows, key) || Object.keys(rows).length < mostBinds ? { ...rows, [key]: row } : rows;
}

/** Seconds between two metrics lines, where the line does not say. */
const usualPeriod = 30;

/** No line is missing between the two: a busy machine may write one late. */
function follows(before: number, { at, period = usualPeriod }: { at: number; period?: number }): boolean {
  return at - before <= 1.5 * period + 2;
}

function addMetrics(told: LogReport, fact: Extract<LogFact, { kind: 'metrics' }>, context: StoryContext): LogReport {
  const { kept: before, story: known } = told;
  // Later in the file and earlier in time: the clock was set back.
  const setBack = known.at !== undefined && fact.at < known.at;
  const story: LogStory = setBack ? { ...known, track: emptyTrack } : known;
  const isBehind = setBack && fact.at < before.upTo;
  const kept = isBehind ? { ...before, upTo: 0, metricsUpTo: 0 } : before;
  const countedTo = isBehind ? 0 : told.countedTo;
  const period = fact.period ?? usualPeriod;
  const once = { ...story.once, ...onceOf(fact.figures) };
  const figures = { ...once, ...fact.figures };
  const sum = addPeriod(story.sum, figures);
  const continues = story.at !== undefined && !setBack && follows(story.at, fact);
  const look = { at: fact.at, figures: sum };
  const track = continues
    ? addSample(story.track, look, context.leaks)
    : withoutDoubt(addSample(withBegin(story.track, sum, figures, fact.at - period), look, context.leaks));
  const rhythm = continues && story.at !== undefined && fact.at > story.at ? fact.at - story.at : undefined;
  const next: LogStory = {
    ...story,
    track,
    sum,
    once,
    at: fact.at,
    ...(rhythm === undefined ? {} : { period: rhythm }),
  };
  const memory = withDevices(kept, fact.entries);
  if (fact.at <= kept.upTo && fact.at <= (kept.metricsUpTo ?? 0))
    return { ...told, story: next, kept: memory, countedTo };
  if (context.wordsOnly)
    return { ...told, story: next, kept: { ...memory, upTo: fact.at, metricsUpTo: fact.at }, countedTo };
  const since = kept.metricsUpTo || context.startTime;
  const counted = countEntries(memory, fact, context);
  return {
    story: { ...next, counted: counted.keys },
    broken: told.broken || !follows(since, fact),
    countedTo,
    kept: {
      ...memory,
      upTo: Math.max(kept.upTo, fact.at),
      metricsUpTo: fact.at,
      counts: addCounts(kept.counts, countsOf(fact.figures)),
      listeners: counted.listeners,
      ...(track.lastAck === undefined ? {} : { lastAck: track.lastAck }),
    },
  };
}

/** After a break what was found before stands only where this period shows the same. */
function withoutDoubt(track: Track): Track {
  if (track.situation?.output !== 'unknown') return track;
  const { run: _, ...rest } = track;
  return rest;
}

function countEntries(
  kept: StoredReport,
  fact: Extract<LogFact, { kind: 'metrics' }>,
  { keyOf, now = fact.at }: StoryContext,
) {
  const listeners = { ...kept.listeners };
  const keys = new Set<string>();
  for (const entry of fact.entries) {
    const key = keyOf(entry, kept.devices);
    if (key === undefined) continue;
    keys.add(key);
    // An entry without the counter received nothing in this period.
    const received = entry.received ?? 0;
    const row = addEntry(listeners[key], { ...entry, received }, kept.of, 'period');
    listeners[key] =
      received === 0 ? row : { ...row, arrivals: noteSample(row.arrivals, Math.min(fact.at, now), true, true) };
  }
  return { listeners, keys };
}

/**
 * The look at the beginning of a line's own period, for a line whose predecessor is not known: each line is a period of its
 * own. What waited then follows from what came and what left.
 */
function withBegin(track: Track, sum: Figures, line: Figures, at: number): Track {
  const { acked, duplicate, deadLetter, dropped } = line;
  const waited = Math.max(0, line.active - (line.events - line.filtered) + acked + duplicate + deadLetter + dropped);
  const begin = { ...subtractPeriod(sum, line), active: waited, outputActive: 0 };
  // What lies between is not known: no look before this one may be compared with a later one.
  return { ...track, samples: [{ at, figures: begin }] };
}
