/** One scan of the two sources of an instance's self-report: its stats endpoint and its log. */
import { processKey } from '../model/instance-rules.js';
import type { Gap, SelfReport } from '../model/model.js';
import type { Clock } from '../runtime/clock.js';
import type { SeenDrops } from './arrivals.js';
import type { EndpointPoller } from './endpoint/endpoint-poller.js';
import { type EndpointState, reportAnswer } from './endpoint/endpoint-report.js';
import type { EndpointTargets } from './endpoint/endpoint-target.js';
import type { LogReader } from './log/log-reader.js';
import { type LogState, reportFacts } from './log/log-report.js';
import { type StoredReport, storedReportFor } from './stored-report.js';
import { byKey, leaksOf, type Subject } from './subject.js';
import { figuresOf } from './track.js';

export interface Sources {
  logs: LogReader;
  endpoints: EndpointPoller;
  targets: EndpointTargets;
  clock: Clock;
}

/** What is known of one process while this program runs. */
export interface ProcessState {
  startTicks: number;
  log: LogState;
  endpoint: EndpointState;
  drops: SeenDrops;
}

/** What one source says in this scan. */
export interface SourceResult {
  stored: StoredReport;
  gaps: Gap[];
  report?: Omit<SelfReport, 'listeners'>;
  /** Endpoint keys with counters; absent where the figures are too old to say which listeners are silent. */
  counted?: ReadonlySet<string>;
  /** Nothing that arrived since the last scan is missing from the figures. */
  unbroken: boolean;
}

/** Figures of a log that are older than 4 of its periods, and older than 150 s, say nothing about the present. */
const stalePeriods = 4;
const staleSeconds = 150;

/** Takes the newest answer of the endpoint, if there is one. */
export function pollEndpoint(
  { endpoints, targets }: Sources,
  subject: Subject,
  state: ProcessState,
  before: StoredReport | undefined,
): SourceResult {
  const answered = endpoints.answer(subject.process);
  const key = processKey(subject.process);
  // The counters of an endpoint are totals: between two answers of one process none is missed.
  const unbroken = before?.of === `http ${key}`;
  // Before its first answer nothing counts as of this source.
  let stored = before?.of.endsWith(` ${key}`) ? before : storedReportFor(before, `none ${key}`);
  const gaps: Gap[] = [];
  if (answered !== undefined) {
    const identity = { uuid: targets.uuidOf(subject), holds: targets.holds(subject.process, subject.stats!) };
    const result = reportAnswer(subject, state.endpoint, before, answered, identity);
    state.endpoint = result.state;
    stored = result.stored ?? stored;
    if (result.gap !== undefined) gaps.push(result.gap);
  }
  const { track, at, failed, counted } = state.endpoint;
  // The first query is still under way, which is no failure.
  if (at === undefined && !failed) return { stored, gaps, unbroken };
  const report = {
    source: 'http' as const,
    success: !failed && at !== undefined,
    ...(at === undefined ? {} : { at }),
    // After a failure the earlier figures say nothing about the present.
    ...figuresOf(track, !failed, leaksOf(subject.release)),
  };
  return { stored, gaps, report, unbroken, ...(failed ? {} : { counted }) };
}

/** Reads what was appended to the log. `errorsOnly`: the endpoint has the figures. Undefined: it writes no log file. */
export function pollLog(
  { logs, clock }: Sources,
  subject: Subject,
  state: ProcessState,
  before: StoredReport | undefined,
  errorsOnly: boolean,
): SourceResult | undefined {
  const seen = logs.read(subject.process, subject.logs);
  if (seen.kind === 'none') return undefined;
  const of = `log ${processKey(subject.process)}`;
  const known = errorsOnly ? before! : storedReportFor(before, of);
  const failed = { source: 'log' as const, success: false, output: 'unknown' as const };
  if (seen.kind === 'failed') return { stored: known, gaps: [seen.gap], report: failed, unbroken: false };
  const leaks = leaksOf(subject.release);
  const context = {
    startTime: subject.process.startTime,
    now: clock.wall(),
    leaks,
    keyOf: (entry: Parameters<typeof byKey>[0][number], devices: StoredReport['devices']) =>
      [...byKey([entry], subject, devices).keys()][0],
    errorsOnly,
  };
  const result = reportFacts(state.log, known, seen.facts, context, seen.head);
  const log = result.state;
  state.log = log;
  const detail = 'more was appended than is read at once';
  const gaps: Gap[] = seen.skipped ? [{ reason: 'limit', subject: `log of ${subject.name}`, detail }] : [];
  if (log.shared) return { stored: known, gaps, report: failed, unbroken: false };
  const longest = Math.max(staleSeconds, stalePeriods * (log.period ?? 30));
  const isFresh = log.at !== undefined && clock.wall() - log.at <= longest;
  return {
    stored: withLog(subject, result.stored, seen.path),
    gaps,
    unbroken: before?.of === of && !result.broken && isFresh,
    report: {
      source: 'log',
      success: true,
      ...(log.at === undefined ? {} : { at: log.at }),
      ...figuresOf(log.track, isFresh, leaks),
      ...failuresOf(log, result.stored),
    },
    ...(isFresh ? { counted: log.counted } : {}),
  };
}

/** With the path of the log, so that it can be found when the process is gone. */
function withLog({ process, onHost }: Subject, stored: StoredReport, path: string): StoredReport {
  const { log } = stored;
  // Each scan computes the start time again, and corrections of the clock move it a little.
  if (!onHost || (log?.path === path && Math.abs(log.since - process.startTime) < 2)) return stored;
  return { ...stored, log: { path, since: process.startTime } };
}

/** What a log says about failures. */
export function failuresOf(
  { said, binds, failed, reloadFailedAt }: LogState,
  { errors }: StoredReport,
): Pick<SelfReport, 'said' | 'binds' | 'failedInputs' | 'logErrors' | 'reloadFailedAt'> {
  return {
    said,
    binds,
    failedInputs: failed,
    logErrors: errors,
    ...(reloadFailedAt === undefined ? {} : { reloadFailedAt }),
  };
}
