/**
 * Shares scans among requests: requests join a scan in flight, a fresh report is served again, and a request with a deadline
 * gets the last report with a gap rather than nothing.
 */
import { correlate } from '../correlate/correlate.js';
import { emptyScanHistory, nextScanHistory, type ScanHistory, shiftScanHistory } from '../correlate/scan-history.js';
import type { Thresholds } from '../correlate/verdict-context.js';
import type { Gap, History, Journal, Report, Snapshot } from '../model/model.js';
import { type Clock, type Moment, stepBetween } from '../runtime/clock.js';
import { emptyHistory, nextHistory, shiftHistory } from './history.js';
import { emptyJournal, nextJournal, shiftJournal } from './journal.js';

/** `get` rejects where a scan fails as a whole and there is no earlier report. */
export interface Reporter {
  /**
   * A report no older than the freshness window. With `withinMs`: if the scan takes longer, the last report with a gap; throws if
   * there is none.
   */
  get(withinMs?: number): Promise<Report>;
  /** The last finished report; never starts a scan. */
  latest(): Report | undefined;
  /** Call after a deliberate change: requests from now on get a scan that began after this call. */
  outdate(): void;
}

export interface ReporterOptions {
  clock: Clock;
  /** Seconds within which requests share one scan. */
  freshness: number;
  thresholds: () => Thresholds;
  /** Called after each scan. */
  onReport?: (report: Report) => void;
  /** Called when a scan failed as a whole. */
  onError?: (error: unknown) => void;
}

/** What earlier scans left for the next one. */
interface Past {
  scans: ScanHistory;
  history: History;
  journal: Journal;
  report?: Report;
}

/** `take`: one scan; never called twice at once. */
export function createReporter(take: () => Promise<Snapshot>, options: ReporterOptions): Reporter {
  let past: Past = { scans: emptyScanHistory, history: emptyHistory, journal: emptyJournal };
  let running: { since: number; report: Promise<Report> } | undefined;
  /** Number of deliberate changes: now, and when the scan of the last report began. */
  let changes = 0;
  let changesSeen = 0;

  async function scan(): Promise<Report> {
    const thresholds = options.thresholds();
    const since = changes;
    const snapshot = await take();
    const next = reported(past, snapshot, thresholds);
    past = next;
    changesSeen = since;
    options.onReport?.(next.report);
    return next.report;
  }

  /** By both clocks: the steady one stops while the machine sleeps, the wall clock may be set. */
  function isFresh({ takenAt, moment }: Snapshot): boolean {
    const age = options.clock.wall() - takenAt;
    const steadyAge = moment === undefined ? age : options.clock.steady() - moment.steady;
    return age >= 0 && age < options.freshness && steadyAge < options.freshness;
  }

  function start(): Promise<Report> {
    if (running?.since === changes) return running.report;
    // Never two scans at once.
    const before = running?.report.catch(() => undefined);
    const report = (before === undefined ? scan() : before.then(scan))
      .catch((error: unknown) => {
        options.onError?.(error);
        if (past.report === undefined) throw error;
        return stale(past.report, 'the scan failed; this is the last one');
      })
      .finally(() => {
        if (running === own) running = undefined;
      });
    const own = { since: changes, report };
    running = own;
    return report;
  }

  return {
    latest: () => past.report,
    outdate: () => void changes++,
    async get(withinMs) {
      const last = past.report;
      const isCurrent = running === undefined && changesSeen === changes;
      if (last !== undefined && isCurrent && isFresh(last.snapshot)) return last;
      const report = start();
      if (withinMs === undefined) return report;
      const result = await within(report, withinMs);
      if (result !== timedOut) return result;
      if (past.report === undefined) throw new Error('the first scan did not finish in time');
      return stale(past.report, 'the scan did not finish in time; this is the last one');
    },
  };
}

/** The past after one more scan, with its report. */
function reported(past: Past, snapshot: Snapshot, thresholds: Thresholds): Past & { report: Report } {
  const { scans, history, journal, report } = shifted(past, snapshot);
  const verdict = correlate(snapshot, scans, thresholds);
  const scan = { snapshot, verdict };
  const views = { history: nextHistory(history, scan), journal: nextJournal(journal, report, scan) };
  return {
    scans: nextScanHistory(scans, snapshot, verdict, thresholds.grace),
    ...views,
    report: { ...scan, ...views },
  };
}

/** After the wall clock was set, moves all time stamps with it. */
function shifted(past: Past, snapshot: Snapshot): Past {
  const last = past.report?.snapshot;
  const step = last === undefined ? 0 : stepBetween(momentOfScan(last), momentOfScan(snapshot));
  if (step === 0) return past;
  return {
    ...past,
    scans: shiftScanHistory(past.scans, step),
    history: shiftHistory(past.history, step),
    journal: shiftJournal(past.journal, step),
  };
}

function momentOfScan({ takenAt: at, moment }: Snapshot): Moment {
  return { at, ...(moment ?? { steady: at }) };
}

/** The last report, with a gap that says why it is not newer. */
function stale(report: Report, detail: string): Report {
  const gap: Gap = { reason: 'limit', subject: 'scan', detail };
  return { ...report, stale: true, snapshot: { ...report.snapshot, gaps: [...report.snapshot.gaps, gap] } };
}

const timedOut = Symbol('timed out');

/** Settles with `promise`, or with `timedOut` after so many milliseconds. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | typeof timedOut> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<typeof timedOut>((resolve) => {
    timer = setTimeout(resolve, milliseconds, timedOut);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
