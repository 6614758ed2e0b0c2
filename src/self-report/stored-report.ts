/** The part of a self-report that outlives a scan and the program, in the state file: monotonic counters, and arrivals. Pure. */
import type { LogErrorKind, PipelineCounts } from '../model/model.js';
import { logErrorKinds } from '../model/self-report.js';
import { isRecord } from '../runtime/json.js';
import type { EntryFigures } from './pipeline-figures.js';
import type { Arrivals } from './silence.js';
import { noCounts } from './track.js';

/** A counter that never decreases, although each new process, entry or socket counts from 0. */
export interface MonotonicRow {
  /** The value that is shown. */
  total: number;
  /** The last value of the source, and which source that was. */
  raw: number;
  of: string;
}

/**
 * `fresh`: a new source has counted from 0, so all of its value is new. Otherwise it is another source about the same events,
 * and its first value is only the starting point. A value that decreased means that the source started again.
 */
function advanceRow(before: MonotonicRow | undefined, of: string, raw: number, fresh: boolean): MonotonicRow {
  if (before === undefined) return { total: raw, raw, of };
  if (before.of === of) {
    const more = raw >= before.raw ? raw - before.raw : raw;
    return more === 0 && raw === before.raw ? before : { total: before.total + more, raw, of };
  }
  return { total: before.total + (fresh ? raw : 0), raw, of };
}

export interface StoredListener {
  received?: MonotonicRow;
  bytes?: MonotonicRow;
  filtered?: MonotonicRow;
  arrivals?: Arrivals;
  /** Inodes of the sockets on which `arrivals` was last watched. */
  sockets?: string;
}

export interface StoredReport {
  /** Source and process of the figures: `log 4711:123456`, `http …`; `none …` before the first figures. */
  of: string;
  /** Time of the newest counted line of the log, seconds since the epoch. */
  upTo: number;
  /** The same for metrics lines. They come at regular intervals, so that a missing one is noticed. */
  metricsUpTo?: number;
  counts: PipelineCounts;
  /** The last values of the endpoint. */
  raw?: PipelineCounts;
  errors: Readonly<Record<LogErrorKind, number>>;
  lastAck?: number;
  /** Path of the log file that the process has open, below the host's root, and when that process started. */
  log?: { path: string; since: number };
  /** By `idKey`: where an input listens. The log says it only once, after the start. */
  devices: Readonly<Record<string, string>>;
  /** By endpoint key. */
  listeners: Readonly<Record<string, StoredListener>>;
}

/** By instance name. */
export type StoredReports = Readonly<Record<string, StoredReport>>;

const noErrors = Object.fromEntries(logErrorKinds.map((kind) => [kind, 0])) as Record<LogErrorKind, number>;

export function emptyStoredReport(of: string): StoredReport {
  return { of, upTo: 0, counts: noCounts, errors: noErrors, devices: {}, listeners: {} };
}

/** The same totals for another process or source. For the same process, the lines that were counted stay counted. */
export function storedReportFor(before: StoredReport | undefined, of: string): StoredReport {
  if (before === undefined) return emptyStoredReport(of);
  if (before.of === of) return before;
  const { raw: _, ...rest } = before;
  if (processOf(before.of) === processOf(of)) return { ...rest, of };
  const { metricsUpTo: __, ...totals } = rest;
  return { ...totals, of, upTo: 0, devices: {} };
}

/** `http 4711:123456` → `4711:123456`. */
function processOf(of: string): string {
  return of.slice(of.indexOf(' ') + 1);
}

const countFields = Object.keys(noCounts) as (keyof PipelineCounts)[];

/** Adds the counts of one period of the log. */
export function addCounts(counts: PipelineCounts, more: PipelineCounts): PipelineCounts {
  return Object.fromEntries(
    countFields.map((field) => [field, counts[field] + more[field]]),
  ) as unknown as PipelineCounts;
}

/** Adds what the endpoint has counted since its last answer. `fresh`: the process has counted from 0, so all is new. */
export function addRaw(stored: StoredReport, raw: PipelineCounts, fresh: boolean): StoredReport {
  const increase = (field: keyof PipelineCounts) => {
    const before = stored.raw?.[field];
    if (before === undefined) return fresh ? raw[field] : 0;
    return raw[field] >= before ? raw[field] - before : raw[field];
  };
  const added = Object.fromEntries(countFields.map((field) => [field, increase(field)])) as unknown as PipelineCounts;
  return { ...stored, counts: addCounts(stored.counts, added), raw };
}

/** `period`: the counts of one period, all new; otherwise totals of the source `of`, see `advanceRow`. */
export function addEntry(
  before: StoredListener | undefined,
  entry: EntryFigures,
  of: string,
  how: 'period' | 'fresh' | 'joined',
): StoredListener {
  const row = (known: MonotonicRow | undefined, value: number | undefined): MonotonicRow | undefined => {
    if (value === undefined) return known;
    if (how === 'period')
      return value === 0 && known !== undefined ? known : { total: (known?.total ?? 0) + value, raw: 0, of };
    return advanceRow(known, of, value, how === 'fresh');
  };
  const received = row(before?.received, entry.received);
  const bytes = row(before?.bytes, entry.bytes);
  const filtered = row(before?.filtered, entry.filtered);
  return {
    ...before,
    ...(received === undefined ? {} : { received }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(filtered === undefined ? {} : { filtered }),
  };
}

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isRow = (value: unknown): boolean =>
  value === undefined ||
  (isRecord(value) && isCount(value['total']) && isCount(value['raw']) && typeof value['of'] === 'string');
const isArrivals = (value: unknown): boolean =>
  value === undefined ||
  (isRecord(value) &&
    isCount(value['watchedSince']) &&
    (value['last'] === undefined || isCount(value['last'])) &&
    (value['unbrokenSince'] === undefined || isCount(value['unbrokenSince'])) &&
    Array.isArray(value['pauses']) &&
    value['pauses'].every((pause) => Array.isArray(pause) && pause.length === 2 && pause.every(isCount)));

/** Whether a row of the state file is well-formed. */
export function isStoredReport(row: Record<string, unknown>): boolean {
  const { of, upTo, metricsUpTo, log, counts, raw, errors, devices, listeners, lastAck } = row;
  const isCounts = (value: unknown) => isRecord(value) && countFields.every((field) => isCount(value[field]));
  return (
    typeof of === 'string' &&
    isCount(upTo) &&
    (metricsUpTo === undefined || isCount(metricsUpTo)) &&
    (log === undefined || (isRecord(log) && typeof log['path'] === 'string' && isCount(log['since']))) &&
    isCounts(counts) &&
    (raw === undefined || isCounts(raw)) &&
    (lastAck === undefined || isCount(lastAck)) &&
    isRecord(errors) &&
    logErrorKinds.every((kind) => isCount(errors[kind])) &&
    isRecord(devices) &&
    Object.values(devices).every((device) => typeof device === 'string') &&
    isRecord(listeners) &&
    Object.values(listeners).every(
      (one) =>
        isRecord(one) &&
        isRow(one['received']) &&
        isRow(one['bytes']) &&
        isRow(one['filtered']) &&
        (one['sockets'] === undefined || typeof one['sockets'] === 'string') &&
        isArrivals(one['arrivals']),
    )
  );
}
