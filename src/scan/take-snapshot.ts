/**
 * One pass over the host: all the I/O, none of the judging. The order of reads is what makes the facts hang together:
 * processes first (pid and start time), then what their files ask for, then the socket tables and who holds them, then
 * once more those processes that seem to lack something: one that ended meanwhile is down, not portless.
 */

import { type Merged, mergeCandidates } from '../discovery/instances/instances.js';
import { predictInstance, type Start } from '../discovery/instances/predict-instance.js';
import { createProcessScanner, type ProcessScan, type RunningFilebeat } from '../discovery/processes/processes.js';
import { startedUnits } from '../discovery/systemd/unit-host.js';
import { isCollector } from '../filebeat/config/command.js';
import type { Fault, Gap, Instance, Prediction, Snapshot, Socket } from '../model/model.js';
import { createBootClock } from '../proc/boot-clock.js';
import { createFileCache, type FileCache } from '../proc/file-cache.js';
import { quarantineGaps } from '../proc/heartbeat.js';
import { createVisibilityCheck, everything, hostRoot } from '../proc/host-visibility.js';
import { readHostFacts } from '../proc/kernel.js';
import { readerOfAccount } from '../proc/permissions.js';
import { openProcFs } from '../proc/proc-fs.js';
import { parseNamespaceLink, parseStat } from '../proc/process-files.js';
import { openFileView } from '../proc/root-files.js';
import { type Clock, type Moment, steadyMs, stepBetween } from '../runtime/clock.js';
import { createLastWords } from '../self-report/last-message.js';
import { createSelfReports } from '../self-report/self-reports.js';
import type { Settings } from '../settings/settings.js';
import { createSocketScanner } from '../sockets/scanner.js';
import { lastEnd } from '../state/lifecycle.js';
import type { Memory } from '../state/memory.js';
import { followNames, observe } from '../state/memory-observe.js';
import { isExpired, rememberedProcesses } from '../state/memory-questions.js';
import { historyOf, type RememberedInstance, type State } from '../state/memory-state.js';
import { shiftTimes } from '../state/memory-times.js';
import { accountForDrops, learnFrom } from './accounts.js';
import { createBirths } from './births.js';
import { fromDeclared } from './declared.js';
import {
  attachHistory,
  type DraftContext,
  draftAgainst,
  draftOf,
  endedMeanwhile,
  sightingOf,
  startsOf,
  undecidedGap,
} from './draft.js';
import { refutedBy } from './evidence.js';
import { createBudgets, fromGlobs, fromMemory, fromProcess, fromUnits, type Origin } from './origins.js';
import { fitOf, indexSockets, supersededBy } from './socket-index.js';
import { subjectsOf } from './subjects.js';
import { type WantedOf, wantedOf } from './wanted-endpoints.js';
import { gapsWithin, instancesWithin, truncateListeners } from './within-limits.js';

export interface Sources {
  procfs: string;
  rootfs: string;
  /** `procfs` and `rootfs` need not be of one host. */
  unchecked?: boolean;
  settings: () => Settings;
  memory: Memory;
  /** What the memory held at the start. */
  state: State;
  clock: Clock;
  /** There is no later scan: this one waits for every stats endpoint, a second at most. */
  isSingleScan?: boolean;
  /** Seconds after a start within which what a process holds proves nothing; 10 unless given. */
  grace?: number;
  /** What is made of files; its own where none is given. */
  fileCache?: FileCache;
}

export interface SnapshotTaker {
  take(): Promise<Snapshot>;
  /** What is remembered now; `main` hands it to the memory at the end and to `forget`. */
  state(): State;
  replace(state: State): void;
  /** How an instance of the last pass is started, by `Instance.id`; undefined where nothing but the memory knows it. */
  startOf(id: string): Start | undefined;
}

export function createSnapshotTaker(sources: Sources): SnapshotTaker {
  const { clock } = sources;
  const procfs = openProcFs(sources.procfs);
  const rootfs = hostRoot(procfs, sources.rootfs);
  const vantage = sources.unchecked ? everything : createVisibilityCheck(procfs, rootfs);
  const bootClock = createBootClock(procfs, clock);
  const kept = sources.fileCache ?? createFileCache();
  const sockets = createSocketScanner(procfs);
  const selfReports = createSelfReports(procfs, clock);
  const lastWords = createLastWords(openFileView(rootfs));
  let scanner = newScanner();
  let namesOfScanner = sources.settings().discovery.processNames;
  let state = sources.state;
  let bootId = '';
  let before: Moment | undefined;
  let starts: ReadonlyMap<string, Start> = new Map();
  const births = createBirths();
  /** What was found of a process before it was seen to run still → that process. While both stay, it need not be asked again. */
  const confirmed = new WeakMap<object, string>();
  /** With what keeps their files' entries in the cache. */
  const origins = new WeakMap<RunningFilebeat, { value: Origin; keep: () => void }>();

  function newScanner() {
    return createProcessScanner(procfs, {
      processNames: sources.settings().discovery.processNames,
      isCollector,
      rootfs,
      bootClock,
    });
  }

  function scanProcesses(): ProcessScan {
    const names = sources.settings().discovery.processNames;
    if (names !== namesOfScanner) {
      scanner = newScanner();
      namesOfScanner = names;
    }
    return scanner.scan();
  }

  /** Of another boot, pids and start times say nothing. Empty while it cannot be read: see `isSameBoot`. */
  function boot(): string {
    if (bootId === '') {
      const reading = procfs.piece('sys/kernel/random/boot_id');
      bootId = reading.ok ? reading.value.trim() : '';
    }
    return bootId;
  }

  /** What was stamped by a clock that has been set since is as old as ever. */
  function shiftTimestamps(now: Moment): void {
    const step = stepBetween(before, now);
    if (step !== 0) state = shiftTimes(state, step, before!.at);
    before = now;
  }

  function gather(scan: ProcessScan, gaps: Gap[]): Origin[] {
    const { discovery, instances } = sources.settings();
    const remembered = rememberedProcesses(state, boot());
    const budgets = createBudgets();
    const running = [...scan.filebeats]
      // The system's first: whatever the others cost, what is said of these is worked out.
      .sort((a, b) => Math.sign(a.identity.account) - Math.sign(b.identity.account))
      .map((filebeat) =>
        originOf(filebeat, () => fromProcess(filebeat, rootfs, kept, budgets, remembered(filebeat.process))),
      )
      // The root of one that ends is gone: what was not found through it says nothing about its files.
      .filter(({ process, prediction }) => isWhole(prediction!) || isConfirmed(prediction!, process!));
    const unitsSeen = [
      ...new Set([
        ...running.flatMap((origin) => origin.unit ?? []),
        // An instance of a template that was disabled is linked nowhere.
        ...Object.values(state.instances).flatMap(({ unit, container }) =>
          container === undefined ? (unit ?? []) : [],
        ),
      ]),
    ].sort();
    const units = discovery.systemd
      ? fromUnits(rootfs, discovery.processNames, unitsSeen, kept)
      : { origins: [], gaps: [] };
    const globs = fromGlobs(discovery.configGlobs, rootfs, kept, budgets);
    gaps.push(...units.gaps, ...globs.gaps);
    return [
      ...running,
      ...units.origins,
      ...globs.origins,
      ...fromDeclared(instances, { rootfs, fileCache: kept, processNames: discovery.processNames }),
      ...fromMemory(state, boot(), rootfs, kept),
    ];
  }

  /** Only sockets of this network namespace can be connected to. */
  function ownNetns(): number | undefined {
    const link = procfs.link('self/ns/net');
    return link.ok ? parseNamespaceLink(link.value, 'net') : undefined;
  }

  /** Below the host's root, or one that a unit names: another one is gone with its process. */
  function endOf(merged: Merged<Origin>, release: string | undefined) {
    const { account } = merged;
    const [{ root, pathData, start }] = merged.candidates;
    const rootDir = root === '/' ? rootfs : start?.rootDir;
    return rootDir && pathData !== undefined
      ? lastEnd(openFileView(rootDir, undefined, readerOfAccount(account)), pathData, release)
      : undefined;
  }

  /**
   * Its environment is not remembered: what depends on a variable is not known, nor whether owners and modes count. Of
   * another root than the host's the files are gone with the process.
   */
  function failureOf({ id, root, command, account }: RememberedInstance): Fault | undefined {
    if (command === undefined || root !== '/') return undefined;
    const { prediction } = predictInstance(kept, `remembered ${id}`, { ...command, env: undefined }, rootfs, {
      reader: readerOfAccount(account),
    });
    const { outcome, reason } = prediction;
    return outcome !== 'exits' ||
      reason === undefined ||
      /^(?:wrong-owner|writable-by-others|undefined-variable)$/.test(reason.code)
      ? undefined
      : reason;
  }

  /** The process is what it was when this pass began. */
  function stillRuns(process: { pid: number; startTicks: number }): boolean {
    const reading = procfs.piece(`${process.pid}/stat`);
    const stat = reading.ok ? parseStat(reading.value) : undefined;
    return stat !== undefined && stat.startTicks === process.startTicks && !stat.exiting;
  }

  /** Of one whose turn it is not (`turns.ts`), the process scan gives the same object again. */
  function originOf(filebeat: RunningFilebeat, make: () => Origin): Origin {
    const known = origins.get(filebeat) ?? kept.tracked(make);
    origins.set(filebeat, known);
    known.keep();
    return known.value;
  }

  /** `found`: an object that every change makes anew. */
  function isConfirmed(found: object, process: { pid: number; startTicks: number }): boolean {
    const key = `${process.pid}:${process.startTicks}`;
    const runs = confirmed.get(found) === key || stillRuns(process);
    if (runs) confirmed.set(found, key);
    return runs;
  }

  async function take(): Promise<Snapshot> {
    const started = steadyMs();
    const { discovery, ports: statics, thresholds } = sources.settings();
    const gaps: Gap[] = [];
    state = sources.memory.pull(state);
    const scan = scanProcesses();
    const { moment } = bootClock.last();
    const now = moment.at;
    shiftTimestamps(moment);
    const { seesHost, gaps: blind } = vantage();
    gaps.push(...scan.gaps, ...blind, ...quarantineGaps());
    const host = readHostFacts(procfs, bootClock.last());
    const everything = mergeCandidates(gather(scan, gaps));
    const unexpired = everything.filter((one) => !isExpired(state, one, now, discovery.remember));
    const within = instancesWithin(unexpired, (one) => historyOf(state, one)?.lastSeen ?? 0);
    const { included: merged, excluded: cut, gaps: leftOut } = within;
    gaps.push(...leftOut);
    state = followNames(state, merged);
    const context: DraftContext = {
      state,
      now,
      bootId: boot(),
      hidden: scan.hidden,
      seesHost,
      untold: scan.untold,
      hostNetns: scan.hostNetns,
      lastEnd: endOf,
      isUnitStarted: (unit) => kept.read('started units', undefined, rootfs, startedUnits)?.has(unit),
      failureOf,
    };
    let drafts = merged.map((one) => draftOf(one, context));
    let instances = drafts.map(({ instance }) => instance);
    gaps.push(...truncateListeners(instances), ...merged.flatMap(undecidedGap));
    for (const { id, prediction } of instances) gaps.push(...prediction.gaps.map((gap) => ({ ...gap, instance: id })));
    for (const { gaps: more } of merged.flatMap((one) => one.candidates)) gaps.push(...(more ?? []));

    const wanted = wantedOf(instances, statics, { netns: scan.hostNetns, ipv6: host.ipv6 }, now);
    const holders = scan.filebeats.map(({ process }) => process);
    const look = await sockets.scan(holders, wanted, scan.hostNetns);
    scanner.suspect(strangersAmong(look.sockets, holders));
    gaps.push(...look.gaps, ...sources.memory.gaps());

    const held = indexSockets(look.sockets, host.ipv6, scan.hostNetns);
    const evidence = { now, grace: sources.grace ?? 10, absentAt: births.absentAt };
    drafts = drafts.map((draft) => {
      const refuted = refutedBy(draft.instance, held, evidence);
      return refuted.length === 0 ? draft : draftAgainst(draft, refuted, context);
    });
    kept.sweep();
    instances = drafts.map(({ instance }) => instance);
    births.scan(instances, held, now);
    for (const one of drafts) {
      const { process } = one.instance;
      if (process === undefined) continue;
      const fit = fitOf(one.instance, held);
      if (!fit.lacksNothing && !isConfirmed(fit, process)) endedMeanwhile(one);
    }
    drafts = drafts.filter(({ instance }) => !supersededBy(instance, instances, held));
    instances = drafts.map(({ instance }) => instance);

    const lasting = drafts.flatMap((one) => (one.merged.duplicate === undefined ? [one.instance] : []));
    const { ledger, drops } = accountForDrops(state.ledger, lasting, held, { now, bootId: boot() });
    const rules = { learnAfter: discovery.learnAfter, remember: discovery.remember };
    const learned = learnFrom(state.learned, instances, held, now, rules);
    const onHost = new Set(
      drafts.flatMap(({ instance, merged: { candidates } }) => (candidates[0].root === '/' ? [instance.id] : [])),
    );
    const said = await selfReports.poll(
      subjectsOf(lasting, held, ownNetns(), onHost),
      state.reports,
      { ...sources.settings().selfReport, ports: statics },
      now,
      sources.isSingleScan,
    );
    gaps.push(...said.gaps);
    const logs = sources.settings().selfReport.logs
      ? lasting.flatMap((instance) => said.kept[instance.name]?.log ?? [])
      : [];
    for (const instance of lasting) {
      const report = said.reports.get(instance.id);
      if (report !== undefined) instance.selfReport = report;
      const log = said.kept[instance.name]?.log;
      if (instance.process !== undefined || log === undefined || !logs.includes(log)) continue;
      const words = lastWords.read(log, logs);
      if (words !== undefined) instance.lastWords = words;
    }
    const sightings = drafts.map((one) => sightingOf(one, held));
    // Whoever wrote the file while this pass looked (`forget`, a second exporter) is heard before it is written again.
    const ripening = { after: discovery.rememberAfter, remember: discovery.remember };
    const seen = observe({ ...state, ledger, learned, reports: said.kept }, sightings, now, boot(), { cut, ripening });
    // A report that tells more than is written waits a moment for the disk, so that a kill right after it loses nothing.
    const cannotWait = sources.memory.isUrgent(seen);
    if (cannotWait) await sources.memory.settled();
    state = sources.memory.pull(seen);
    sources.memory.save(state, clock.steady(), cannotWait);
    if (cannotWait) await sources.memory.settled();
    const flaps = { count: thresholds.restarts.count, withinSeconds: thresholds.restarts.within };
    for (const instance of lasting) {
      attachHistory(instance, state, now, flaps);
      if (instance.account !== undefined && state.instances[instance.id] === undefined) instance.newcomer = true;
    }
    starts = startsOf(drafts);

    return {
      takenAt: now,
      moment: { steady: moment.steady, ...(moment.uptime === undefined ? {} : { uptime: moment.uptime }) },
      durationSeconds: (steadyMs() - started) / 1000,
      usable: scan.usable,
      host,
      instances,
      sockets: look.sockets,
      namespaces: look.namespaces,
      statics,
      gaps: gapsWithin(gaps, accountOfGap(instances)),
      drops,
      undecided: look.undecided.flatMap(undecidedOf),
      tableReads: look.tableReads,
      fullFdScans: look.fullFdScans,
    };
  }

  return { take, state: () => state, replace: (next) => (state = next), startOf: (id) => starts.get(id) };
}

/** Pids of those who hold an expected socket and are no Filebeat that is known. */
function strangersAmong(sockets: readonly Socket[], holders: readonly { pid: number }[]): Set<number> {
  const own = new Set(holders.map(({ pid }) => pid));
  return new Set(sockets.flatMap(({ owners }) => owners.flatMap(({ pid }) => (own.has(pid) ? [] : [pid]))));
}

/** Whose a gap is: that of an instance is its owner's. */
function accountOfGap(instances: readonly Instance[]): (gap: Gap) => number {
  const accounts = new Map(instances.flatMap(({ id, account }) => (account === undefined ? [] : [[id, account]])));
  return ({ instance }) => accounts.get(instance ?? '') ?? 0;
}

/** Plain ports belong to no instance, and are never told as undecided. */
function undecidedOf({ instance, listener }: WantedOf): Snapshot['undecided'] {
  if (instance === undefined || listener === undefined) return [];
  const { protocol, address, port } = listener;
  return [{ instance: instance.id, protocol, address, ...(port === undefined ? {} : { port }) }];
}

function isWhole({ outcome, gaps }: Prediction): boolean {
  return outcome === 'runs' && gaps.length === 0;
}
