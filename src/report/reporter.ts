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

export interface Reporter {
  /** A report no older than the freshness window; with `withinMs`, the last one known (and a gap) when a pass takes longer. */
  get(withinMs?: number): Promise<Report>;
  /** The last finished report; never starts a pass. */
  latest(): Report | undefined;
  /** Call after a deliberate change: requests from now on get a scan that began after this call. */
  outdate(): void;
}

export interface ReporterOptions {
  clock: Clock;
  /** Seconds within which requests share one pass. */
  freshness: number;
  thresholds: () => Thresholds;
  /** Called after each pass, e.g. to write what must outlive the process. */
  onReport?: (report: Report) => void;
  /** Called when a pass failed as a whole. */
  onError?: (error: unknown) => void;
}

/** The last report, with a gap that says why it is not newer. */
function stale(report: Report, detail: string): Report {
  const gap: Gap = { reason: 'limit', subject: 'scan', detail };
  return { ...report, stale: true, snapshot: { ...report.snapshot, gaps: [...report.snapshot.gaps, gap] } };
}

function momentOfScan({ takenAt: at, moment }: Snapshot): Moment {
  return { at, ...(moment ?? { steady: at }) };
}

const timedOut = Symbol('timed out');

/** Settles with `promise`, or with `timedOut` after so many milliseconds. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | typeof timedOut> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof timedOut>((resolve) => {
    timer = setTimeout(resolve, milliseconds, timedOut);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export function createReporter(take: () => Promise<Snapshot>, options: ReporterOptions): Reporter {
  let trail: ScanHistory = emptyScanHistory;
  let history: History = emptyHistory;
  let journal: Journal = emptyJournal;
  let last: Report | undefined;
  let flight: { since: number; report: Promise<Report> } | undefined;
  /** Number of deliberate changes: now, and when the scan of the last report began. */
  let changes = 0;
  let changesSeen = 0;

  async function pass(): Promise<Report> {
    const thresholds = options.thresholds();
    const since = changes;
    const snapshot = await take();
    shiftTimestamps(snapshot);
    const verdict = correlate(snapshot, trail, thresholds);
    trail = nextScanHistory(trail, snapshot, verdict, thresholds.grace);
    const scan = { snapshot, verdict };
    history = nextHistory(history, scan);
    journal = nextJournal(journal, last, scan);
    last = { ...scan, history, journal };
    changesSeen = since;
    options.onReport?.(last);
    return last;
  }

  /** Of what former scans saw, after somebody has set the clock. */
  function shiftTimestamps(now: Snapshot): void {
    const step = last === undefined ? 0 : stepBetween(momentOfScan(last.snapshot), momentOfScan(now));
    if (step === 0) return;
    trail = shiftScanHistory(trail, step);
    history = shiftHistory(history, step);
    journal = shiftJournal(journal, step);
  }

  /** Both clocks have to say so: the steady one stands still while the machine sleeps, the other may be set. */
  function isFresh({ takenAt, moment }: Snapshot): boolean {
    const age = options.clock.wall() - takenAt;
    const steadyAge = moment === undefined ? age : options.clock.steady() - moment.steady;
    return age >= 0 && age < options.freshness && steadyAge < options.freshness;
  }

  function start(): Promise<Report> {
    if (flight?.since === changes) return flight.report;
    // Never two passes at once.
    const before = flight?.report.catch(() => undefined);
    const report = (before === undefined ? pass() : before.then(pass))
      .catch((error: unknown) => {
        options.onError?.(error);
        if (last === undefined) throw error;
        return stale(last, 'the scan failed; this is the last one');
      })
      .finally(() => {
        if (flight === mine) flight = undefined;
      });
    const mine = { since: changes, report };
    flight = mine;
    return report;
  }

  return {
    latest: () => last,
    outdate: () => void changes++,
    async get(withinMs) {
      const isCurrent = flight === undefined && changesSeen === changes;
      if (last !== undefined && isCurrent && isFresh(last.snapshot)) return last;
      const running = start();
      if (withinMs === undefined) return running;
      const done = await within(running, withinMs);
      if (done !== timedOut) return done;
      if (last === undefined) throw new Error('the first scan did not finish in time');
      return stale(last, 'the scan did not finish in time; this is the last one');
    },
  };
}
