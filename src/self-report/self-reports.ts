/**
 * What each running Filebeat reports about itself: in its log, and at its stats endpoint where the settings allow it. The entry
 * to this folder. Nothing that is read here overrules what the kernel says about sockets.
 */
import type { Gap, SelfReport } from '../model/model.js';
import type { ProcFs } from '../proc/proc-fs.js';
import type { Clock } from '../runtime/clock.js';
import { listenersOf, watchArrivals } from './arrivals.js';
import { createEndpointPoller, type Query, quickSeconds } from './endpoint/endpoint-poller.js';
import { emptyEndpointState } from './endpoint/endpoint-report.js';
import { createEndpointTargets } from './endpoint/endpoint-target.js';
import { createLogReader } from './log/log-reader.js';
import { emptyLogState } from './log/log-report.js';
import { failuresOf, type ProcessState, pollEndpoint, pollLog, type Sources } from './poll-sources.js';
import type { StoredReport, StoredReports } from './stored-report.js';
import { isAtLeast, type SelfReportRules, type Subject } from './subject.js';

export interface SelfReportPoll {
  /** By `Instance.id`; absent where there is no source. */
  reports: ReadonlyMap<string, SelfReport>;
  /** By name; unchanged for instances that do not run. */
  stored: StoredReports;
  gaps: Gap[];
}

export interface SelfReports {
  /** `now`: seconds since the epoch. `patient`: waits until every endpoint has answered or timed out. */
  poll(
    subjects: readonly Subject[],
    stored: StoredReports,
    rules: SelfReportRules,
    now: number,
    patient?: boolean,
  ): Promise<SelfReportPoll>;
}

/** For all endpoints together in a patient poll: one second for the answers, and time for the thread to start. Milliseconds. */
const patienceMs = 3000;

export function createSelfReports(procfs: ProcFs, clock: Clock, query?: Query): SelfReports {
  const sources: Sources = {
    logs: createLogReader(procfs, clock.steady),
    endpoints: createEndpointPoller(clock, query),
    targets: createEndpointTargets(procfs),
    clock,
  };
  const states = new Map<number, ProcessState>();

  function stateOf({ process: { pid, startTicks } }: Subject): ProcessState {
    let state = states.get(pid);
    if (state?.startTicks !== startTicks) {
      state = { startTicks, log: emptyLogState, endpoint: emptyEndpointState, drops: new Map() };
      states.set(pid, state);
    }
    return state;
  }

  return {
    async poll(subjects, stored, rules, now, patient = false) {
      if (rules.http) {
        queryEndpoints(sources, subjects);
        await sources.endpoints.settled(patient ? patienceMs : quickSeconds * 1000, patient);
      }
      const reports = new Map<string, SelfReport>();
      const gaps: Gap[] = [];
      const next: Record<string, StoredReport> = { ...stored };
      for (const subject of subjects) {
        const polled = pollInstance(sources, subject, stateOf(subject), stored[subject.name], { rules, now });
        gaps.push(...polled.gaps.map((gap) => ({ ...gap, instance: subject.id })));
        if (polled.stored !== undefined) next[subject.name] = polled.stored;
        if (polled.report !== undefined) reports.set(subject.id, polled.report);
      }
      const pids = new Set(subjects.map(({ process }) => process.pid));
      for (const pid of states.keys()) if (!pids.has(pid)) states.delete(pid);
      sources.logs.keepOnly(pids);
      sources.endpoints.keepOnly(pids);
      const names = Object.keys(next);
      const isSame = names.length === Object.keys(stored).length && names.every((name) => next[name] === stored[name]);
      return { reports, stored: isSame ? stored : next, gaps };
    },
  };
}

/** Starts to query the endpoints that may be queried again. */
function queryEndpoints({ endpoints, targets }: Sources, subjects: readonly Subject[]): void {
  for (const { process, stats, release } of subjects) {
    if (stats === undefined || !endpoints.mayQuery(process)) continue;
    const target = targets.find(process, stats);
    if (target !== undefined) endpoints.query(process, target, isAtLeast(release, '8.7.0'));
  }
}

/** With an endpoint, its figures and the failures of the log; else all of the log. */
function pollInstance(
  sources: Sources,
  subject: Subject,
  state: ProcessState,
  before: StoredReport | undefined,
  { rules, now }: { rules: SelfReportRules; now: number },
): { gaps: Gap[]; stored?: StoredReport; report?: SelfReport } {
  const http = rules.http && subject.stats !== undefined ? pollEndpoint(sources, subject, state, before) : undefined;
  const log = rules.logs ? pollLog(sources, subject, state, http?.stored ?? before, http !== undefined) : undefined;
  const gaps = [...(http?.gaps ?? []), ...(log?.gaps ?? [])];
  const figures = http ?? log;
  if (figures?.report === undefined)
    return { gaps, ...(http === undefined ? {} : { stored: log?.stored ?? http.stored }) };
  const failures = http !== undefined && log?.report?.success ? failuresOf(state.log, log.stored) : {};
  const watch = { before, drops: state.drops, unbroken: figures.unbroken, now };
  const stored = watchArrivals(subject, log?.stored ?? figures.stored, watch);
  const report: SelfReport = {
    ...figures.report,
    ...failures,
    counts: stored.counts,
    ...(stored.lastAck === undefined ? {} : { lastAck: stored.lastAck }),
    listeners: listenersOf(subject, stored, figures.counted, rules, now),
  };
  return { gaps, stored, report };
}
