/** Facts of a log, one after the other → figures over time, and what was said about failures. Pure. */
import type { BindReason, LogErrorKind } from '../model/model.js';
import { addCounts, addEntry, type KeptReport } from './kept-report.js';
import type { LogFact } from './log-line.js';
import type { EntryFigures, Figures } from './pipeline-figures.js';
import { addLook, addPeriod, countsOf, emptyTrack, type Track } from './track.js';

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
  binds: Record<string, { reason: BindReason; at: number }>;
  reloadFailedAt?: number;
  /** Two processes write into this file: whose line is whose cannot be told. */
  shared?: true;
}

export const emptyStory: LogStory = { track: emptyTrack, said: {}, binds: {} };

export interface StoryContext {
  /** Start of the process, seconds since the epoch; lines before it are an earlier one's. */
  startTime: number;
  /** Releases up to 8.14: see `situationBetween`. */
  leaks: boolean;
  /** Endpoint key of an input's id, or undefined where it is not known. */
  keyOf: (entry: EntryFigures, devices: Readonly<Record<string, string>>) => string | undefined;
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

export function tellFacts(
  story: LogStory,
  kept: KeptReport,
  facts: readonly LogFact[],
  context: StoryContext,
): { story: LogStory; kept: KeptReport } {
  let now = { ...story, said: { ...story.said }, binds: { ...story.binds } };
  let memory = kept;
  for (const fact of facts) {
    if (fact.at < context.startTime - startSlack) continue;
    if (fact.kind === 'start') {
      if (fact.startedAt !== undefined && fact.startedAt > context.startTime + 2) now = { ...now, shared: true };
      continue;
    }
    if (fact.kind === 'input-start') {
      if (Object.keys(memory.devices).length < mostDevices)
        memory = { ...memory, devices: { ...memory.devices, [fact.id]: fact.device } };
      continue;
    }
    const isNew = fact.at > memory.upTo;
    if (fact.kind === 'metrics') {
      ({ story: now, kept: memory } = addMetrics(now, memory, fact, isNew, context));
      continue;
    }
    const kind = errorOf[fact.kind];
    if (fact.kind === 'output_established') {
      const { output_connect: _, ...said } = now.said;
      now.said = said;
    }
    if (kind === undefined) continue;
    now.said[kind] = fact.at;
    if (fact.kind === 'reload') now.reloadFailedAt = fact.at;
    if (fact.kind === 'bind' && (Object.hasOwn(now.binds, fact.address) || Object.keys(now.binds).length < mostBinds))
      now.binds[fact.address] = { reason: fact.reason, at: fact.at };
    if (isNew) memory = { ...memory, upTo: fact.at, errors: { ...memory.errors, [kind]: memory.errors[kind] + 1 } };
  }
  return { story: now, kept: memory };
}

function addMetrics(
  story: LogStory & Pick<LogStory, 'said' | 'binds'>,
  kept: KeptReport,
  fact: Extract<LogFact, { kind: 'metrics' }>,
  isNew: boolean,
  { leaks, keyOf }: StoryContext,
): { story: LogStory; kept: KeptReport } {
  const sum = addPeriod(story.sum, fact.figures);
  const track = addLook(story.track, { at: fact.at, figures: sum }, leaks);
  const period = story.at === undefined ? undefined : fact.at - story.at;
  const next = { ...story, track, sum, at: fact.at, ...(period === undefined || period <= 0 ? {} : { period }) };
  if (!isNew) return { story: next, kept };
  const told = fact.entries.filter(({ device }) => device !== undefined);
  const devices =
    told.length === 0
      ? kept.devices
      : { ...kept.devices, ...Object.fromEntries(told.slice(0, mostDevices).map(({ id, device }) => [id, device!])) };
  const listeners = { ...kept.listeners };
  for (const entry of fact.entries) {
    const key = keyOf(entry, devices);
    // An entry without the counter received nothing in this period.
    if (key !== undefined)
      listeners[key] = addEntry(listeners[key], { ...entry, received: entry.received ?? 0 }, kept.of, 'period');
  }
  return {
    story: next,
    kept: {
      ...kept,
      upTo: fact.at,
      counts: addCounts(kept.counts, countsOf(fact.figures)),
      devices,
      listeners,
      ...(track.lastAck === undefined ? {} : { lastAck: track.lastAck }),
    },
  };
}
