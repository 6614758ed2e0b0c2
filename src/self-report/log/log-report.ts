/** Facts of a log, in order → figures over time, and reported failures. Pure. */
import type { BindReason, LogErrorKind } from '../../model/model.js';
import type { EntryFigures, Figures } from '../pipeline-figures.js';
import { noteSample } from '../silence.js';
import { addCounts, addEntry, type StoredReport } from '../stored-report.js';
import { deviceOf, idKey } from '../subject.js';
import { addPeriod, addSample, countsOf, emptyTrack, subtractPeriod, type Track } from '../track.js';
import type { LogFact } from './log-line.js';

/** What a process has logged since this exporter began to read. */
export interface LogState {
  track: Track;
  /** The sum of all periods read so far. */
  sum?: Figures;
  /** Time of the newest metrics line, seconds since the epoch. */
  at?: number;
  /** Seconds between the last two metrics lines. */
  period?: number;
  said: Partial<Record<LogErrorKind, number>>;
  /** Failed binds by protocol and host: `udp 0.0.0.0:514`. */
  binds: Record<string, { reason: BindReason; at: number }>;
  /** Inputs that failed, by host: `0.0.0.0:514` → time. */
  failed: Record<string, number>;
  /** Endpoint keys for which the newest metrics line has counters. */
  counted: ReadonlySet<string>;
  /** The size of the queue and the type of the output, which only the first metrics line after the start has. */
  once?: Pick<Figures, 'queueMax' | 'outputType'>;
  reloadFailedAt?: number;
  /** Two processes write to this file: it is unknown which line is whose. */
  shared?: true;
}

export const emptyLogState: LogState = { track: emptyTrack, said: {}, binds: {}, failed: {}, counted: new Set() };

export interface LogContext {
  /** Start of the process, seconds since the epoch; earlier lines are of an earlier process. */
  startTime: number;
  /** Releases up to 8.14: see `situationBetween`. */
  leaks: boolean;
  /** The endpoint key of an input; undefined: unknown. */
  keyOf: (entry: EntryFigures, devices: Readonly<Record<string, string>>) => string | undefined;
  /** Seconds since the epoch: no arrival is later, whatever time stamp a line has. */
  now?: number;
  /** Another source has the figures: only failures are taken from the log. */
  errorsOnly?: boolean;
}

/** A process writes its first line some milliseconds after its start, and time stamps are cut to milliseconds. Seconds. */
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

export interface LogResult {
  state: LogState;
  stored: StoredReport;
  /** Lines are missing between those that were counted before and these. */
  broken: boolean;
  /** Lines up to this time were counted before. It is fixed while facts are added, since many lines have the same time stamp. */
  countedTo: number;
}

/** Adds the facts of a scan. `head`: facts of the beginning of the file, where `facts` are of its end. */
export function reportFacts(
  state: LogState,
  stored: StoredReport,
  facts: readonly LogFact[],
  context: LogContext,
  head: readonly LogFact[] = [],
): LogResult {
  let result: LogResult = { ...reportHead(state, stored, head, context), broken: false, countedTo: stored.upTo };
  for (const fact of facts) {
    if (fact.at < context.startTime - startSlack) continue;
    result = fact.kind === 'metrics' ? addMetrics(result, fact, context) : addEvent(result, fact, context);
  }
  return result;
}

/** Takes the facts that are written only once, after the start. */
function reportHead(state: LogState, stored: StoredReport, head: readonly LogFact[], { startTime }: LogContext) {
  let memory = stored;
  let once = state.once;
  for (const fact of head) {
    if (fact.at < startTime - startSlack) continue;
    if (fact.kind === 'input-start') memory = withDevices(memory, [fact]);
    if (fact.kind !== 'metrics') continue;
    memory = withDevices(memory, fact.entries);
    once = { ...once, ...onceOf(fact.figures) };
  }
  return { state: once === state.once ? state : { ...state, once: once! }, stored: memory };
}

function onceOf({ queueMax, outputType }: Figures): NonNullable<LogState['once']> {
  return { ...(queueMax === undefined ? {} : { queueMax }), ...(outputType === undefined ? {} : { outputType }) };
}

function withDevices(
  stored: StoredReport,
  entries: readonly { id: string; type?: string; device?: string }[],
): StoredReport {
  const fresh = entries.flatMap((entry): [string, string][] => {
    const device = deviceOf(entry);
    if (device === undefined) return [];
    const key = idKey(entry.id);
    return stored.devices[key] === device ? [] : [[key, device]];
  });
  if (fresh.length === 0 || Object.keys(stored.devices).length + fresh.length > mostDevices) return stored;
  return { ...stored, devices: { ...stored.devices, ...Object.fromEntries(fresh) } };
}

function addEvent(result: LogResult, fact: Exclude<LogFact, { kind: 'metrics' }>, context: LogContext): LogResult {
  const { state, stored } = result;
  if (fact.kind === 'start')
    return fact.startedAt !== undefined && fact.startedAt > context.startTime + 2
      ? { ...result, state: { ...state, shared: true } }
      : result;
  if (fact.kind === 'input-start') return { ...result, stored: withDevices(stored, [fact]) };
  if (fact.kind === 'output_established') {
    const { output_connect: _, ...said } = state.said;
    return { ...result, state: { ...state, said } };
  }
  const kind = errorOf[fact.kind];
  if (kind === undefined) return result;
  const next: LogState = { ...state, said: { ...state.said, [kind]: fact.at } };
  if (fact.kind === 'reload') next.reloadFailedAt = fact.at;
  if (fact.kind === 'bind')
    next.binds = withRow(state.binds, `${fact.protocol} ${fact.address}`, { reason: fact.reason, at: fact.at });
  const device = fact.kind === 'input' ? (fact.device ?? stored.devices[idKey(fact.id ?? '')]) : undefined;
  if (device !== undefined) next.failed = withRow(state.failed, device, fact.at);
  if (fact.at <= result.countedTo) return { ...result, state: next };
  return {
    ...result,
    state: next,
    stored: {
      ...stored,
      upTo: Math.max(stored.upTo, fact.at),
      errors: { ...stored.errors, [kind]: stored.errors[kind] + 1 },
    },
  };
}

function withRow<T>(rows: Record<string, T>, key: string, row: T): Record<string, T> {
  return Object.hasOwn(rows, key) || Object.keys(rows).length < mostBinds ? { ...rows, [key]: row } : rows;
}

/** Seconds between two metrics lines, where the line does not say so. */
const usualPeriod = 30;

/** No metrics line is missing between the two; a busy machine may write one late. */
function follows(before: number, { at, period = usualPeriod }: { at: number; period?: number }): boolean {
  return at - before <= 1.5 * period + 2;
}

function addMetrics(result: LogResult, fact: Extract<LogFact, { kind: 'metrics' }>, context: LogContext): LogResult {
  const { stored: before, state: known } = result;
  // A later line with an earlier time: the clock was set back.
  const setBack = known.at !== undefined && fact.at < known.at;
  const state: LogState = setBack ? { ...known, track: emptyTrack } : known;
  const isBehind = setBack && fact.at < before.upTo;
  const stored = isBehind ? { ...before, upTo: 0, metricsUpTo: 0 } : before;
  const countedTo = isBehind ? 0 : result.countedTo;
  const period = fact.period ?? usualPeriod;
  const once = { ...state.once, ...onceOf(fact.figures) };
  const figures = { ...once, ...fact.figures };
  const sum = addPeriod(state.sum, figures);
  const continues = state.at !== undefined && !setBack && follows(state.at, fact);
  const sample = { at: fact.at, figures: sum };
  const track = continues
    ? addSample(state.track, sample, context.leaks)
    : withoutDoubt(addSample(withBegin(state.track, sum, figures, fact.at - period), sample, context.leaks));
  const rhythm = continues && state.at !== undefined && fact.at > state.at ? fact.at - state.at : undefined;
  const next: LogState = {
    ...state,
    track,
    sum,
    once,
    at: fact.at,
    ...(rhythm === undefined ? {} : { period: rhythm }),
  };
  const memory = withDevices(stored, fact.entries);
  if (fact.at <= stored.upTo && fact.at <= (stored.metricsUpTo ?? 0))
    return { ...result, state: next, stored: memory, countedTo };
  if (context.errorsOnly)
    return { ...result, state: next, stored: { ...memory, upTo: fact.at, metricsUpTo: fact.at }, countedTo };
  const since = stored.metricsUpTo || context.startTime;
  const counted = countEntries(memory, fact, context);
  return {
    state: { ...next, counted: counted.keys },
    broken: result.broken || !follows(since, fact),
    countedTo,
    stored: {
      ...memory,
      upTo: Math.max(stored.upTo, fact.at),
      metricsUpTo: fact.at,
      counts: addCounts(stored.counts, countsOf(fact.figures)),
      listeners: counted.listeners,
      ...(track.lastAck === undefined ? {} : { lastAck: track.lastAck }),
    },
  };
}

/** After a break, a run continues only if this period shows the same situation. */
function withoutDoubt(track: Track): Track {
  if (track.situation?.output !== 'unknown') return track;
  const { run: _, ...rest } = track;
  return rest;
}

function countEntries(
  stored: StoredReport,
  fact: Extract<LogFact, { kind: 'metrics' }>,
  { keyOf, now = fact.at }: LogContext,
) {
  const listeners = { ...stored.listeners };
  const keys = new Set<string>();
  for (const entry of fact.entries) {
    const key = keyOf(entry, stored.devices);
    if (key === undefined) continue;
    keys.add(key);
    // An entry without the counter received nothing in this period.
    const received = entry.received ?? 0;
    const row = addEntry(listeners[key], { ...entry, received }, stored.of, 'period');
    listeners[key] =
      received === 0 ? row : { ...row, arrivals: noteSample(row.arrivals, Math.min(fact.at, now), true, true) };
  }
  return { listeners, keys };
}

/**
 * For a metrics line whose predecessor is unknown: replaces all samples by one at the beginning of the line's period. How many
 * events waited then follows from how many arrived and left.
 */
function withBegin(track: Track, sum: Figures, line: Figures, at: number): Track {
  const { acked, duplicate, deadLetter, dropped } = line;
  const waited = Math.max(0, line.active - (line.events - line.filtered) + acked + duplicate + deadLetter + dropped);
  const begin = { ...subtractPeriod(sum, line), active: waited, outputActive: 0 };
  // Earlier samples are dropped: what happened between them and this period is unknown.
  return { ...track, samples: [{ at, figures: begin }] };
}
