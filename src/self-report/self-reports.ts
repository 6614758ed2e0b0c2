/**
 * What every running Filebeat says of itself: its log, and its stats endpoint where the settings allow it. The one entry to this
 * folder. The kernel's verdict is never overruled by what is read here.
 */
import type { Gap, SelfReport } from '../model/model.js';
import type { ProcFs } from '../proc/proc-fs.js';
import type { Clock } from '../runtime/clock.js';
import { listenersOf, type SeenDrops, watchArrivals } from './arrivals.js';
import { createAsker, type Query, quickSeconds } from './endpoint-poller.js';
import { targetOf } from './endpoint-target.js';
import { emptyHttpStory, type HttpStory, reportAnswer } from './http-report.js';
import { createLogReader } from './log-reader.js';
import { emptyStory, type LogStory, reportFacts } from './log-report.js';
import { type StoredReport, type StoredReports, storedReportFor } from './stored-report.js';
import { byKey, isAtLeast, leaksOf, processKey, type SelfReportRules, type Subject } from './subject.js';
import { figuresOf } from './track.js';

export interface SelfReportPoll {
  /** By `Instance.id`; absent where there is no source. */
  reports: ReadonlyMap<string, SelfReport>;
  /** By name; of instances that do not run, as it was. */
  kept: StoredReports;
  gaps: Gap[];
}

export interface SelfReports {
  /** `now`: seconds since the epoch. `patient`: waits until every endpoint has answered or has had its second. */
  poll(
    subjects: readonly Subject[],
    kept: StoredReports,
    rules: SelfReportRules,
    now: number,
    patient?: boolean,
  ): Promise<SelfReportPoll>;
}

/** What is known of one process while this program runs. */
interface Life {
  startTicks: number;
  story: LogStory;
  http: HttpStory;
  drops: SeenDrops;
}

/** What one source gave at this look. */
interface Made {
  kept: StoredReport;
  gaps: Gap[];
  report?: Omit<SelfReport, 'listeners'>;
  /** Figures that are young enough to say what is silent. */
  counted?: ReadonlySet<string>;
  unbroken: boolean;
}

/** Figures older than so many periods of the log, and never younger than `staleSeconds`, say nothing about now. */
const stalePeriods = 4;
const staleSeconds = 150;
/** For all endpoints together, by somebody who looks once: a second for the answers, and some for the thread to start. Milliseconds. */
const patienceMs = 3000;

const sum = (made: readonly (Made | undefined)[]): Gap[] => made.flatMap((one) => one?.gaps ?? []);

export function createSelfReports(procfs: ProcFs, clock: Clock, ask?: Query): SelfReports {
  const logs = createLogReader(procfs, clock.steady);
  const asker = createAsker(clock, ask);
  const targets = targetOf(procfs);
  const lives = new Map<number, Life>();

  function lifeOf({ process }: Subject): Life {
    let life = lives.get(process.pid);
    if (life?.startTicks !== process.startTicks) {
      life = { startTicks: process.startTicks, story: emptyStory, http: emptyHttpStory, drops: new Map() };
      lives.set(process.pid, life);
    }
    return life;
  }

  /** Begins to ask whoever may be asked. */
  function queryAll(subjects: readonly Subject[]): void {
    for (const subject of subjects) {
      const { process, stats, release } = subject;
      if (stats === undefined || !asker.mayQuery(process)) continue;
      const target = targets.find(process, stats);
      if (target !== undefined) asker.query(process, target, isAtLeast(release, '8.7.0'));
    }
  }

  function pollEndpoint(subject: Subject, life: Life, before: StoredReport | undefined): Made {
    const answered = asker.answer(subject.process);
    const of = `http ${processKey(subject)}`;
    // What was counted between two answers of one process, both answers tell: none is missed.
    const unbroken = before?.of === of;
    // Nothing is counted as this source's before its first answer.
    const isKnown = before?.of.endsWith(` ${processKey(subject)}`);
    let kept = isKnown ? before! : storedReportFor(before, `none ${processKey(subject)}`);
    const gaps: Gap[] = [];
    if (answered !== undefined) {
      const identity = { uuid: targets.uuidOf(subject), holds: targets.holds(subject.process, subject.stats!) };
      const told = reportAnswer(subject, life.http, before, answered, identity);
      life.http = told.story;
      kept = told.kept ?? kept;
      if (told.gap !== undefined) gaps.push(told.gap);
    }
    const { track, at, failed, counted } = life.http;
    // The first question is still open: that is no failure, and nothing is known yet.
    if (at === undefined && !failed) return { kept, gaps, unbroken };
    const report = {
      source: 'http' as const,
      success: !failed && at !== undefined,
      ...(at === undefined ? {} : { at }),
      // What it said before it fell silent says nothing about now.
      ...figuresOf(track, !failed, leaksOf(subject.release)),
    };
    return { kept, gaps, report, unbroken, ...(failed ? {} : { counted }) };
  }

  /** `wordsOnly`: the endpoint has the figures. Undefined: it writes no log file. */
  function pollLog(
    subject: Subject,
    life: Life,
    before: StoredReport | undefined,
    wordsOnly: boolean,
  ): Made | undefined {
    const seen = logs.read(subject.process, subject.logs);
    if (seen.kind === 'none') return undefined;
    const of = `log ${processKey(subject)}`;
    const known = wordsOnly ? before! : storedReportFor(before, of);
    const failed = { source: 'log' as const, success: false, output: 'unknown' as const };
    if (seen.kind === 'failed') return { kept: known, gaps: [seen.gap], report: failed, unbroken: false };
    const told = reportFacts(
      life.story,
      known,
      seen.facts,
      {
        startTime: subject.process.startTime,
        now: clock.wall(),
        leaks: leaksOf(subject.release),
        keyOf: (entry, devices) => [...byKey([entry], subject, devices).keys()][0],
        wordsOnly,
      },
      seen.head,
    );
    const { story } = told;
    life.story = story;
    const gaps: Gap[] = seen.skipped
      ? [{ reason: 'limit', subject: `log of ${subject.name}`, detail: 'more was appended than is read at once' }]
      : [];
    if (story.shared) return { kept: known, gaps, report: failed, unbroken: false };
    const isYoung =
      story.at !== undefined && clock.wall() - story.at <= Math.max(staleSeconds, stalePeriods * (story.period ?? 30));
    return {
      kept: withLog(subject, told.kept, seen.path),
      gaps,
      unbroken: before?.of === of && !told.broken && isYoung,
      report: {
        source: 'log',
        success: true,
        ...(story.at === undefined ? {} : { at: story.at }),
        ...figuresOf(story.track, isYoung, leaksOf(subject.release)),
        ...wordsOf(story, told.kept),
      },
      ...(isYoung ? { counted: story.counted } : {}),
    };
  }

  function pollInstance(subject: Subject, kept: StoredReport | undefined, rules: SelfReportRules, now: number) {
    const life = lifeOf(subject);
    const http = rules.http && subject.stats !== undefined ? pollEndpoint(subject, life, kept) : undefined;
    const log = rules.logs ? pollLog(subject, life, http?.kept ?? kept, http !== undefined) : undefined;
    const gaps = sum([http, log]);
    const figures = http ?? log;
    if (figures?.report === undefined) return { gaps, ...(http === undefined ? {} : { kept: log?.kept ?? http.kept }) };
    const words = http !== undefined && log?.report?.success ? wordsOf(life.story, log.kept) : {};
    const latest = log?.kept ?? figures.kept;
    const watch = { before: kept, drops: life.drops, unbroken: figures.unbroken, now };
    const memory = watchArrivals(subject, latest, watch);
    const report: SelfReport = {
      ...figures.report,
      ...words,
      counts: memory.counts,
      ...(memory.lastAck === undefined ? {} : { lastAck: memory.lastAck }),
      listeners: listenersOf(subject, memory, figures.counted, rules, now),
    };
    return { gaps, kept: memory, report };
  }

  return {
    async poll(subjects, kept, rules, now, patient = false) {
      const reports = new Map<string, SelfReport>();
      const gaps: Gap[] = [];
      const next: Record<string, StoredReport> = { ...kept };
      if (rules.http) {
        queryAll(subjects);
        await asker.settled(patient ? patienceMs : quickSeconds * 1000, patient);
      }
      for (const subject of subjects) {
        const made = pollInstance(subject, kept[subject.name], rules, now);
        gaps.push(...made.gaps.map((gap) => ({ ...gap, instance: subject.id })));
        if (made.kept !== undefined) next[subject.name] = made.kept;
        if (made.report !== undefined) reports.set(subject.id, made.report);
      }
      const pids = new Set(subjects.map(({ process }) => process.pid));
      for (const pid of lives.keys()) if (!pids.has(pid)) lives.delete(pid);
      logs.keepOnly(pids);
      asker.keepOnly(pids);
      const isSame =
        Object.keys(next).length === Object.keys(kept).length &&
        Object.keys(next).every((name) => next[name] === kept[name]);
      return { reports, kept: isSame ? kept : next, gaps };
    },
  };
}

/** So that the file can be found when the process is gone. */
function withLog({ process, onHost }: Subject, kept: StoredReport, path: string): StoredReport {
  const { log } = kept;
  // The start is worked out anew by each scan, and a clock that is corrected moves it a little.
  if (!onHost || (log?.path === path && Math.abs(log.since - process.startTime) < 2)) return kept;
  return { ...kept, log: { path, since: process.startTime } };
}

/** What its log says about failures. */
function wordsOf(
  { said, binds, failed, reloadFailedAt }: LogStory,
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
