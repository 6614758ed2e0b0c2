/**
 * What every running Filebeat says of itself: its log, or its stats endpoint where the settings allow it. The one entry to this
 * folder. The kernel's verdict is never overruled by what is read here.
 */
import { compareReleases, parseRelease } from '../filebeat/releases/releases.js';
import { endpointKey } from '../model/endpoint.js';
import type { Gap, Listener, ListenerReport, ProcessId, SelfReport, Socket, StaticPort } from '../model/model.js';
import type { ProcFs } from '../proc/proc-fs.js';
import type { Clock } from '../runtime/clock.js';
import { type Answered, createAsker } from './asker.js';
import type { EndpointTarget } from './endpoint-client.js';
import { addEntry, addRaw, type KeptReport, type KeptReports, keptFor } from './kept-report.js';
import { createLogReader } from './log-reader.js';
import { emptyStory, type LogStory, tellFacts } from './log-report.js';
import { type EntryFigures, endpointOfDevice, readEntries, readFigures } from './pipeline-figures.js';
import { noteLook, silenceOf } from './silence.js';
import { addLook, countsOf, emptyTrack, lostRecently, ratesOf, type Track } from './track.js';

/** One running instance, as far as its self-report needs it. */
export interface Subject {
  /** `Instance.id`. */
  id: string;
  name: string;
  process: ProcessId & { startTime: number };
  /** `path.logs` and `path.data` as it sees them. */
  logs: string;
  data: string;
  release?: string;
  listeners: readonly Listener[];
  /** As `listeners`: the sockets of its process that serve each. */
  serving: readonly (readonly Socket[])[];
  /** Where its stats endpoint listens, by a socket that this very process holds in the exporter's own network namespace. */
  stats?: EndpointTarget;
}

export interface SelfReportRules {
  logs: boolean;
  http: boolean;
  /** Seconds; 0 = never. */
  silentAfter: number;
  /** Ports that have a `silentAfter` of their own, whatever address it is on. */
  ports?: readonly Pick<StaticPort, 'protocol' | 'port' | 'silentAfter'>[];
}

export interface SelfReportLook {
  /** By `Instance.id`; absent where there is no source. */
  reports: ReadonlyMap<string, SelfReport>;
  /** By name; of instances that do not run, as it was. */
  kept: KeptReports;
  gaps: Gap[];
}

export interface SelfReports {
  look(subjects: readonly Subject[], kept: KeptReports, rules: SelfReportRules, now: number): SelfReportLook;
}

/** What is known of one process while this program runs. */
interface Life {
  startTicks: number;
  story: LogStory;
  http?: { track: Track; at?: number; failed: boolean };
  /** By endpoint key: inodes, queue and drops at the look before. */
  sockets: Map<string, { inodes: string; drops: number; received?: number }>;
}

/** Figures older than so many periods of the log, and never younger than `staleSeconds`, say nothing about now. */
const stalePeriods = 4;
const staleSeconds = 150;
/** The process began at most this long before what its endpoint says. Measured: 0.92 to 1.03 s. */
const startsAgree = 5;

export function createSelfReports(procfs: ProcFs, clock: Clock): SelfReports {
  const logs = createLogReader(procfs, clock.steady);
  const asker = createAsker(clock);
  const lives = new Map<number, Life>();

  function lifeOf({ process }: Subject): Life {
    let life = lives.get(process.pid);
    if (life?.startTicks !== process.startTicks) {
      life = { startTicks: process.startTicks, story: emptyStory, sockets: new Map() };
      lives.set(process.pid, life);
    }
    return life;
  }

  /** `meta.json` in path.data holds the uuid that the endpoint answers with. */
  function uuidOf(subject: Subject): string | undefined {
    const meta = procfs.text(`${subject.process.pid}/root${subject.data}/meta.json`);
    return meta.ok ? /"uuid"\s*:\s*"([\w-]{1,64})"/.exec(meta.value)?.[1] : undefined;
  }

  function ofHttp(
    subject: Subject,
    life: Life,
    kept: KeptReport | undefined,
    answered: Answered | undefined,
  ): { kept: KeptReport | undefined; gap?: Gap } {
    life.http ??= { track: emptyTrack, failed: false };
    if (answered === undefined) return { kept };
    const where = `stats endpoint of ${subject.name}`;
    const fail = (reason: Gap['reason'], detail: string) => {
      life.http!.failed = true;
      return { kept, gap: { reason, subject: where, detail } };
    };
    if (!answered.result.ok) {
      const { why } = answered.result;
      return fail(
        why === 'timeout' ? 'blocked' : why === 'limit' ? 'limit' : 'malformed',
        why === 'timeout' ? 'did not answer within a second' : 'no answer that can be used',
      );
    }
    const { answer } = answered.result;
    const figures = readFigures(answer.stats);
    if (figures === undefined) return fail('malformed', 'no figures in its answer');
    const uuid = uuidOf(subject);
    if (uuid !== undefined && answer.uuid !== undefined && uuid !== answer.uuid)
      return fail('malformed', 'another Filebeat answers');
    const uptime = (answer.stats as { beat?: { info?: { uptime?: { ms?: unknown } } } }).beat?.info?.uptime?.ms;
    const age = answered.at - subject.process.startTime;
    if (typeof uptime === 'number' && Math.abs(age - uptime / 1000) > startsAgree)
      return fail('malformed', 'another process answers');
    life.http.failed = false;
    life.http.at = answered.at;
    life.http.track = addLook(life.http.track, { at: answered.askedAt, figures }, leaksOf(subject.release));
    const of = `http ${subject.process.pid}:${subject.process.startTicks}`;
    const before = keptFor(kept, of);
    // Totals that no other source has counted yet: the process began at 0.
    const fresh = kept === undefined || !kept.of.endsWith(` ${subject.process.pid}:${subject.process.startTicks}`);
    let next = addRaw(before, countsOf(figures), fresh);
    const listeners = { ...next.listeners };
    for (const [key, entries] of byKey(readEntries(answer.inputs), subject, {})) {
      const summed = entries.reduce(addUp);
      const inodes = life.sockets.get(key)?.inodes ?? '';
      listeners[key] = addEntry(
        listeners[key],
        summed,
        `${of} ${inodes}`,
        fresh || listeners[key]?.received?.of.startsWith(of) ? 'fresh' : 'joined',
      );
    }
    next = { ...next, listeners, ...(life.http.track.lastAck === undefined ? {} : { lastAck: answered.at }) };
    return { kept: next };
  }

  function look(subjects: readonly Subject[], kept: KeptReports, rules: SelfReportRules, now: number): SelfReportLook {
    const reports = new Map<string, SelfReport>();
    const gaps: Gap[] = [];
    const next: Record<string, KeptReport> = { ...kept };
    for (const subject of subjects) {
      const life = lifeOf(subject);
      const http = rules.http && subject.stats !== undefined;
      const made = http
        ? lookHttp(subject, life, kept[subject.name])
        : rules.logs
          ? lookLog(subject, life, kept[subject.name])
          : undefined;
      gaps.push(...(made?.gaps ?? []).map((gap) => ({ ...gap, instance: subject.id })));
      if (made?.report === undefined) continue;
      const memory = watchArrivals(
        subject,
        life,
        made.kept ?? keptFor(kept[subject.name], `none ${subject.process.pid}:${subject.process.startTicks}`),
        now,
      );
      next[subject.name] = memory;
      reports.set(subject.id, {
        ...made.report,
        ...told(memory),
        listeners: listenersOf(memory, subject, life, rules, now),
      });
    }
    const pids = new Set(subjects.map(({ process }) => process.pid));
    for (const pid of lives.keys()) if (!pids.has(pid)) lives.delete(pid);
    logs.keepOnly(pids);
    asker.keepOnly(pids);
    const same =
      Object.keys(next).length === Object.keys(kept).length &&
      Object.keys(next).every((name) => next[name] === kept[name]);
    return { reports, kept: same ? kept : next, gaps };
  }

  function lookHttp(subject: Subject, life: Life, kept: KeptReport | undefined) {
    const answered = asker.answer(subject.process);
    const made = ofHttp(subject, life, kept, answered);
    asker.ask(subject.process, subject.stats!, isAtLeast(subject.release, '8.7.0'));
    const { track, at, failed } = life.http!;
    // The first question is still open: that is no failure, and nothing is known yet.
    if (at === undefined && !failed) return { kept: made.kept, gaps: [] };
    return {
      kept: made.kept,
      gaps: made.gap === undefined ? [] : [made.gap],
      report: {
        source: 'http' as const,
        success: !failed && at !== undefined,
        ...(at === undefined ? {} : { at }),
        // What it said before it fell silent says nothing about now.
        ...figuresOf(track, !failed),
        listeners: {},
      },
    };
  }

  function lookLog(subject: Subject, life: Life, kept: KeptReport | undefined) {
    const seen = logs.read(subject.process, subject.logs);
    if (seen.kind === 'none') return undefined;
    if (seen.kind === 'failed')
      return {
        kept,
        gaps: [seen.gap],
        report: { source: 'log' as const, success: false, output: 'unknown' as const, listeners: {} },
      };
    const of = `log ${subject.process.pid}:${subject.process.startTicks}`;
    const before = keptFor(kept, of);
    const { story, kept: after } = tellFacts(life.story, before, seen.facts, {
      startTime: subject.process.startTime,
      leaks: leaksOf(subject.release),
      keyOf: (entry, devices) => [...byKey([entry], subject, devices).keys()][0],
    });
    life.story = story;
    const gaps: Gap[] = seen.skipped
      ? [{ reason: 'limit', subject: `log of ${subject.name}`, detail: 'more was appended than is read at once' }]
      : [];
    if (story.shared)
      return {
        kept: before,
        gaps,
        report: { source: 'log' as const, success: false, output: 'unknown' as const, listeners: {} },
      };
    const now = clock.wall();
    const fresh =
      story.at !== undefined && now - story.at <= Math.max(staleSeconds, stalePeriods * (story.period ?? 30));
    return {
      kept: after,
      gaps,
      report: {
        source: 'log' as const,
        success: true,
        ...(story.at === undefined ? {} : { at: story.at }),
        ...figuresOf(story.track, fresh),
        said: story.said,
        binds: story.binds,
        logErrors: after.errors,
        ...(story.reloadFailedAt === undefined ? {} : { reloadFailedAt: story.reloadFailedAt }),
        listeners: {},
      },
    };
  }

  /** Something came to a listener: its counter rose, datagrams wait in its queue, or some were dropped. */
  function watchArrivals(subject: Subject, life: Life, kept: KeptReport, now: number): KeptReport {
    const listeners = { ...kept.listeners };
    let changed = false;
    for (const [index, listener] of subject.listeners.entries()) {
      if (listener.protocol !== 'udp' || listener.target.kind !== 'socket') continue;
      const key = endpointKey(listener);
      const row = listeners[key];
      // Without a counter of its own the queue alone cannot tell silence from a quick reader.
      if (row?.received === undefined) continue;
      const sockets = subject.serving[index] ?? [];
      const inodes = sockets.map(({ inode }) => inode).join(',');
      const drops = sockets.reduce((sum, socket) => sum + socket.drops, 0);
      const waits = sockets.some(({ receiveQueue }) => receiveQueue > 0);
      const before = life.sockets.get(key);
      const watched = before !== undefined && before.inodes === inodes;
      const rose = before?.received === undefined ? false : row.received.total > before.received;
      const first = before === undefined && row.arrivals?.last === undefined && row.received.total > 0;
      const arrivals = noteLook(
        row.arrivals,
        now,
        first || rose || waits || (watched && drops !== before.drops),
        watched,
      );
      if (arrivals !== row.arrivals) {
        listeners[key] = { ...row, arrivals };
        changed = true;
      }
      life.sockets.set(key, { inodes, drops, received: row.received.total });
    }
    return changed ? { ...kept, listeners } : kept;
  }

  return { look };
}

/** Entries by the listener that they count for; several of one listener share its socket. */
function byKey(
  entries: readonly EntryFigures[],
  { listeners }: Pick<Subject, 'listeners'>,
  devices: Readonly<Record<string, string>>,
): Map<string, EntryFigures[]> {
  const found = new Map<string, EntryFigures[]>();
  for (const entry of entries) {
    const device = entry.device ?? devices[entry.id];
    const endpoint = device === undefined ? undefined : endpointOfDevice(device);
    if (endpoint === undefined) continue;
    const protocol = entry.type === undefined || entry.type === 'udp' || entry.type === 'netflow' ? 'udp' : 'tcp';
    const onPort = listeners.filter(
      (one) => one.protocol === protocol && one.port === endpoint.port && one.input !== 'http',
    );
    const listener =
      onPort.find(({ address }) => address === endpoint.address) ?? (onPort.length === 1 ? onPort[0] : undefined);
    if (listener === undefined) continue;
    const key = endpointKey(listener);
    found.set(key, [...(found.get(key) ?? []), entry]);
  }
  return found;
}

function addUp(a: EntryFigures, b: EntryFigures): EntryFigures {
  const sum = (field: 'received' | 'bytes' | 'filtered') =>
    a[field] === undefined && b[field] === undefined ? {} : { [field]: (a[field] ?? 0) + (b[field] ?? 0) };
  return { ...a, ...sum('received'), ...sum('bytes'), ...sum('filtered') };
}

function figuresOf(track: Track, fresh: boolean) {
  const figures = track.looks.at(-1)?.figures;
  if (figures === undefined) return { output: 'unknown' as const };
  const { situation, run } = track;
  const last = track.looks.at(-1)!.at;
  const rates = ratesOf(track);
  const lost = lostRecently(track);
  const queueMax = figures.queueMax === 0 ? undefined : figures.queueMax;
  // An unfinished run stands until something moves again.
  const output = !fresh
    ? ('unknown' as const)
    : run?.kind === 'failing' && situation?.output === 'unknown'
      ? run.output
      : (situation?.output ?? 'unknown');
  return {
    output,
    ...(fresh && run !== undefined && (run.kind === 'failing' || run.looks > 1)
      ? { outputForSeconds: last - run.since }
      : {}),
    active: figures.active,
    ...(queueMax === undefined ? {} : { queueMax }),
    ...(figures.outputType === undefined ? {} : { outputType: figures.outputType }),
    ...(fresh && situation?.full ? { full: true as const } : {}),
    ...(fresh && lost > 0 ? { lostRecently: lost } : {}),
    ...(fresh && rates !== undefined ? { rates } : {}),
  };
}

function told(kept: KeptReport): Pick<SelfReport, 'counts' | 'lastAck'> {
  return { counts: kept.counts, ...(kept.lastAck === undefined ? {} : { lastAck: kept.lastAck }) };
}

/** The shortest of those given for its port; else what holds for all. */
function silentAfterOf({ protocol, port }: Listener, { silentAfter, ports = [] }: SelfReportRules): number {
  const own = ports.flatMap((one) =>
    one.protocol === protocol && one.port === port && one.silentAfter !== undefined ? [one.silentAfter] : [],
  );
  return own.length === 0 ? silentAfter : Math.min(...own);
}

function listenersOf(
  kept: KeptReport,
  subject: Subject,
  life: Life,
  rules: SelfReportRules,
  now: number,
): Record<string, ListenerReport> {
  const found: Record<string, ListenerReport> = {};
  for (const [index, listener] of subject.listeners.entries()) {
    const key = endpointKey(listener);
    const row = kept.listeners[key];
    if (row === undefined) continue;
    const held = (subject.serving[index] ?? []).length > 0 && life.sockets.has(key);
    const silent =
      held && row.arrivals !== undefined ? silenceOf(row.arrivals, now, silentAfterOf(listener, rules)) : undefined;
    found[key] = {
      ...(row.received === undefined ? {} : { received: row.received.total }),
      ...(row.bytes === undefined ? {} : { bytes: row.bytes.total }),
      ...(row.filtered === undefined ? {} : { filtered: row.filtered.total }),
      ...(row.arrivals?.last === undefined ? {} : { lastArrival: row.arrivals.last }),
      ...(silent === undefined ? {} : { silent }),
    };
  }
  return found;
}

/** Up to 8.14 a refused request shows in no counter but the unanswered events. */
function leaksOf(release: string | undefined): boolean {
  return release !== undefined && !isAtLeast(release, '8.15.0');
}

/** An unknown release counts as recent. */
function isAtLeast(release: string | undefined, least: string): boolean {
  const version = release === undefined ? undefined : parseRelease(release);
  return version === undefined || compareReleases(version, parseRelease(least)!) >= 0;
}
