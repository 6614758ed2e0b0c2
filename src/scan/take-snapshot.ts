/**
 * One scan of the host: discover, expect, observe, account. All reading happens here, no judging.
 *
 * The order of reads keeps the facts consistent: processes first (pid and start time), then the files that they read, then
 * the socket tables and the owners of sockets.
 */
import type { Start } from '../discovery/instances/predict-instance.js';
import { createProcessScanner, type ProcessScan } from '../discovery/processes/processes.js';
import { isCollector } from '../filebeat/config/command.js';
import type { Gap, Instance, Snapshot, Socket } from '../model/model.js';
import { createBootClock } from '../proc/boot-clock.js';
import { createFileCache, type FileCache } from '../proc/files/file-cache.js';
import { openFileView } from '../proc/files/root-files.js';
import { quarantineGaps } from '../proc/heartbeat.js';
import { assumeVisible, createVisibilityCheck, hostRoot } from '../proc/host-visibility.js';
import { readHostFacts } from '../proc/kernel.js';
import { openProcFs } from '../proc/proc-fs.js';
import { type Clock, type Moment, steadyMs, stepBetween } from '../runtime/clock.js';
import { perObject, unlessChanged } from '../runtime/unchanged.js';
import { createLastMessageReader } from '../self-report/log/last-message.js';
import { createSelfReports } from '../self-report/self-reports.js';
import type { Settings } from '../settings/settings.js';
import { createSocketScanner } from '../sockets/scanner.js';
import type { Memory } from '../state/memory.js';
import { followNames } from '../state/memory-observe.js';
import type { State } from '../state/memory-state.js';
import { shiftTimes } from '../state/memory-times.js';
import { account, withHistory } from './account.js';
import { discover, type ScanContext } from './discover.js';
import { startsOf } from './draft.js';
import type { Births } from './evidence.js';
import { expect } from './expect.js';
import { observe } from './observe.js';
import type { WantedOf } from './wanted-endpoints.js';
import { gapsWithin } from './within-limits.js';

/** Everything that a scan depends on. `procfs`, `rootfs`: directories. */
export interface Sources {
  procfs: string;
  rootfs: string;
  /** Skips the check that `procfs` and `rootfs` are of one host. */
  unchecked?: boolean;
  settings: () => Settings;
  memory: Memory;
  /** The state at the start. */
  state: State;
  clock: Clock;
  /** No scan follows: this one waits up to a second for every stats endpoint. */
  isSingleScan?: boolean;
  /** Seconds after a start within which what a process holds proves nothing; 10 unless given. */
  grace?: number;
  /** Its own unless given. */
  fileCache?: FileCache;
}

export interface SnapshotTaker {
  take(): Promise<Snapshot>;
  /** The present state, for `forget` and for the last write. */
  state(): State;
  replace(state: State): void;
  /** How an instance of the last scan is started, by `Instance.id`; undefined where only the memory knows it. */
  startOf(id: string): Start | undefined;
}

export function createSnapshotTaker(sources: Sources): SnapshotTaker {
  const { clock, memory, grace = 10, isSingleScan } = sources;
  const procfs = openProcFs(sources.procfs);
  const rootfs = hostRoot(procfs, sources.rootfs);
  const host = { procfs, rootfs, fileCache: sources.fileCache ?? createFileCache() };
  const visibility = sources.unchecked ? assumeVisible : createVisibilityCheck(procfs, rootfs);
  const bootClock = createBootClock(procfs, clock);
  const socketSources = { procfs, sockets: createSocketScanner(procfs), grace };
  const selfReports = createSelfReports(procfs, clock);
  const reportSources = {
    procfs,
    selfReports,
    lastMessages: createLastMessageReader(openFileView(rootfs)),
    isSingleScan,
  };
  let processNames = sources.settings().discovery.processNames;
  let processScanner = newProcessScanner();
  let state = sources.state;
  let bootId = '';
  let lastScan: Moment | undefined;
  let starts: ReadonlyMap<string, Start> = new Map();
  let births: Births = new Map();
  /** Of the last scan, by `Instance.id`. */
  let lastInstances: ReadonlyMap<string, Instance> = new Map();

  function newProcessScanner() {
    return createProcessScanner(procfs, { processNames, isCollector, rootfs, bootClock });
  }

  function scanProcesses({ discovery }: Settings): ProcessScan {
    if (discovery.processNames !== processNames) {
      ({ processNames } = discovery);
      processScanner = newProcessScanner();
    }
    return processScanner.scan();
  }

  /** Begins a scan: after the wall clock was set, time stamps in the state are as old as before. */
  function begin(settings: Settings, moment: Moment): ScanContext {
    const step = stepBetween(lastScan, moment);
    if (step !== 0) state = shiftTimes(state, step, lastScan!.at);
    lastScan = moment;
    if (bootId === '') {
      const reading = procfs.piece('sys/kernel/random/boot_id');
      bootId = reading.ok ? reading.value.trim() : '';
    }
    return { settings, now: moment.at, bootId };
  }

  /** Where the report tells something urgent it waits for the disk, so that a kill right after it loses nothing. */
  async function save(next: State): Promise<void> {
    const isUrgent = memory.isUrgent(next);
    if (isUrgent) await memory.settled();
    // `forget` or a second exporter may have written the file during the scan.
    state = memory.pull(next);
    memory.save(state, clock.steady(), isUrgent);
    if (isUrgent) await memory.settled();
  }

  async function take(): Promise<Snapshot> {
    const started = steadyMs();
    const settings = sources.settings();
    state = memory.pull(state);
    const processes = scanProcesses(settings);
    const boot = bootClock.last();
    const scan = begin(settings, boot.moment);
    const { seesHost, gaps: visibilityGaps } = visibility();
    const blocked = quarantineGaps();
    const facts = readHostFacts(procfs, boot);

    const discovered = discover(host, scan, state, processes);
    state = followNames(state, discovered.instances);
    const expected = expect(host, scan, state, discovered.instances, { ...processes, seesHost });
    const observed = await observe(socketSources, scan, { ...processes, ipv6: facts.ipv6 }, expected, births);
    births = observed.births;
    host.fileCache.sweep();
    const pids = processes.filebeats.map(({ process }) => process.pid);
    processScanner.suspect(unknownOwners(observed.socketScan.sockets, pids));
    const memoryGaps = memory.gaps();
    const accounted = await account(reportSources, scan, state, observed, discovered.excluded);
    await save(accounted.state);
    starts = startsOf(accounted.drafts);
    const instances = withHistory(accounted.drafts, state, scan).map((one) =>
      unlessChanged(lastInstances.get(one.id), one),
    );
    lastInstances = new Map(instances.map((one) => [one.id, one]));

    const { sockets, namespaces, undecided, tableReads, fullFdScans } = observed.socketScan;
    const gaps = [
      ...processes.gaps,
      ...visibilityGaps,
      ...blocked,
      ...discovered.gaps,
      ...expected.gaps,
      ...observed.socketScan.gaps,
      ...memoryGaps,
      ...accounted.gaps,
    ];
    const { steady, uptime } = boot.moment;
    return {
      takenAt: scan.now,
      moment: { steady, ...(uptime === undefined ? {} : { uptime }) },
      durationSeconds: (steadyMs() - started) / 1000,
      usable: processes.usable,
      host: facts,
      instances,
      sockets,
      namespaces,
      statics: settings.ports,
      gaps: gapsWithin(gaps, accountOfGap(instances)),
      drops: accounted.drops,
      undecided: undecided.flatMap(undecidedOf),
      tableReads,
      fullFdScans,
    };
  }

  return { take, state: () => state, replace: (next) => (state = next), startOf: (id) => starts.get(id) };
}

/** Pids of processes that hold a socket and are not known as Filebeats. */
const unknownOwners = perObject((sockets: readonly Socket[], filebeats: readonly number[]): ReadonlySet<number> => {
  const known = new Set(filebeats);
  const unknown = new Set<number>();
  for (const { owners } of sockets) for (const { pid } of owners) if (!known.has(pid)) unknown.add(pid);
  return unknown;
});

/** The account that a gap counts for: that of its instance, else the system. */
function accountOfGap(instances: readonly Instance[]): (gap: Gap) => number {
  const accounts = new Map(instances.flatMap(({ id, account }) => (account === undefined ? [] : [[id, account]])));
  return ({ instance }) => accounts.get(instance ?? '') ?? 0;
}

/** Ports of the settings belong to no instance and are never reported as undecided. */
function undecidedOf({ instance, listener }: WantedOf): Snapshot['undecided'] {
  if (instance === undefined || listener === undefined) return [];
  const { protocol, address, port } = listener;
  return [{ instance: instance.id, protocol, address, ...(port === undefined ? {} : { port }) }];
}
