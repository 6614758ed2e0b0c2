/**
 * One pass over the host: all the I/O, none of the judging. The order of reads is what makes the facts hang together:
 * processes first (pid and start time), then what their files ask for, then the socket tables and who holds them, then
 * once more those processes that seem to lack something: one that ended meanwhile is down, not portless.
 */

import { mergeCandidates } from './discovery/instances.js';
import { expireLearned, type LearnRules, learn, learnedListeners } from './discovery/learned.js';
import { advance, droppedWithin, ledgerKey } from './discovery/ledger.js';
import { isSuperseded, lastEnd } from './discovery/lifecycle.js';
import type { Memory } from './discovery/memory.js';
import {
  flappingOf,
  followNames,
  historyOf,
  isExpired,
  observe,
  type RememberedInstance,
  rememberedPrediction,
  type Sighting,
  type State,
} from './discovery/memory-state.js';
import {
  fromDeclared,
  fromGlobs,
  fromMemory,
  fromProcess,
  fromUnits,
  type Origin,
  type Start,
} from './discovery/origins.js';
import { createProcessScanner, type ProcessScan } from './discovery/processes.js';
import { compareEndpoints, endpointKey, socketTarget } from './endpoint.js';
import { expectedOfDown, expectedOfRunning, startRecord } from './expected.js';
import { collides, serves } from './filebeat/address.js';
import { isCollector } from './filebeat/command.js';
import type { Gap, Instance, Listener, Snapshot, Socket } from './model.js';
import { openFileView } from './proc/files.js';
import { openProcFs } from './proc/fs.js';
import { createKeptReadings } from './proc/kept.js';
import { readHostFacts } from './proc/kernel.js';
import { parseStat } from './proc/process.js';
import type { Settings } from './settings.js';
import { createSocketScanner, type Wanted } from './sockets/scanner.js';

export interface Sources {
  procfs: string;
  rootfs: string;
  settings: () => Settings;
  memory: Memory;
  /** What the memory held at the start. */
  state: State;
  /** Seconds since the epoch. */
  clock: () => number;
}

export interface SnapshotTaker {
  take(): Promise<Snapshot>;
  /** What is remembered now; `main` hands it to the memory at the end and to `forget`. */
  state(): State;
  replace(state: State): void;
  /** How an instance of the last pass is started, by `Instance.id`; undefined where nothing but the memory knows it. */
  startOf(id: string): Start | undefined;
}

/** An instance on its way, with what the model has no room for. */
interface Draft {
  instance: Instance;
  merged: ReturnType<typeof mergeCandidates<Origin>>[number];
  known: RememberedInstance | undefined;
}

interface WantedOf extends Wanted {
  instance?: Instance;
  listener?: Listener;
}

/** A reload takes a port away for 10 to 25 ms: readings span this long before it counts as missing. Milliseconds. */
const reloadSpan = 60;

export function createSnapshotTaker(sources: Sources): SnapshotTaker {
  const { rootfs, clock } = sources;
  const procfs = openProcFs(sources.procfs);
  const kept = createKeptReadings();
  const sockets = createSocketScanner(procfs);
  let scanner = newScanner();
  let namesOfScanner = sources.settings().discovery.processNames;
  let state = sources.state;
  let bootId: string | undefined;
  let starts: ReadonlyMap<string, Start> = new Map();

  function newScanner() {
    return createProcessScanner(procfs, {
      processNames: sources.settings().discovery.processNames,
      isCollector,
      rootfs,
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

  /** Of another boot, pids and start times say nothing. */
  function boot(): string {
    const reading = procfs.piece('sys/kernel/random/boot_id');
    bootId ??= reading.ok ? reading.value.trim() : '';
    return bootId;
  }

  function gather(scan: ProcessScan, gaps: Gap[]): Origin[] {
    const { discovery, instances } = sources.settings();
    const running = scan.filebeats.map((filebeat) => fromProcess(filebeat, kept));
    const unitsSeen = [...new Set(running.flatMap((origin) => origin.unit ?? []))].sort();
    const units = discovery.systemd
      ? fromUnits(rootfs, discovery.processNames, unitsSeen, kept)
      : { origins: [], gaps: [] };
    const globs = fromGlobs(discovery.configGlobs, rootfs, kept);
    gaps.push(...units.gaps, ...globs.gaps);
    return [
      ...running,
      ...units.origins,
      ...globs.origins,
      ...fromDeclared(instances, rootfs, kept),
      ...fromMemory(state),
    ];
  }

  function draft(merged: Draft['merged'], scan: ProcessScan, now: number): Draft {
    const [main] = merged.candidates;
    const known = historyOf(state, merged);
    const prediction =
      merged.candidates.find((c) => c.prediction !== undefined)?.prediction ?? rememberedPrediction(known!);
    const { process } = merged;
    const learned = prediction.outcome === 'dynamic' ? learnedListeners(state.learned, merged.name) : [];
    const samePid =
      known !== undefined &&
      process !== undefined &&
      known.start.pid === process.pid &&
      known.start.startTicks === process.startTicks;
    const record =
      samePid && known.start.bootId === boot() && known.start.listeners !== undefined
        ? { ...known.start, listeners: known.start.listeners }
        : undefined;
    const fromFiles =
      process === undefined
        ? expectedOfDown(prediction, known?.expected ?? [])
        : expectedOfRunning(prediction, process.startTime, record);
    const { restarts: threshold } = sources.settings().thresholds;
    const flapping = flappingOf(known, now, { count: threshold.count, withinSeconds: threshold.within });
    const expected = [...fromFiles.expected.filter((l) => l.input !== 'learned'), ...learned];
    const lastSeen = process === undefined ? known?.lastSeen : now;
    const netns = process?.netns ?? known?.netns;
    const end =
      process === undefined && main.pathData !== undefined && main.root === '/'
        ? lastEnd(openFileView(rootfs), main.pathData, prediction.release.version)
        : undefined;
    const instance: Instance = {
      id: merged.id,
      name: merged.name,
      config: main.config,
      origins: merged.origins.length > 0 ? merged.origins : ['remembered'],
      ...(merged.unit === undefined ? {} : { unit: merged.unit }),
      ...(merged.container === undefined ? {} : { container: merged.container }),
      ...(process === undefined ? {} : { process }),
      ...(netns === undefined || process !== undefined ? {} : { netns }),
      prediction,
      ...fromFiles,
      expected,
      ...(process === undefined && scan.hidden ? { hidden: true as const } : {}),
      ...(merged.dataKey === undefined ? {} : { dataKey: merged.dataKey }),
      ...(lastSeen === undefined ? {} : { lastSeen }),
      restarts: known?.restarts ?? 0,
      ...(flapping === undefined ? {} : { flapping }),
      ...(end === undefined ? {} : { lastEnd: end }),
    };
    return { instance, merged, known };
  }

  /** The process is what it was when this pass began. */
  function stillRuns(process: { pid: number; startTicks: number }): boolean {
    const reading = procfs.piece(`${process.pid}/stat`);
    const stat = reading.ok ? parseStat(reading.value) : undefined;
    return stat !== undefined && stat.startTicks === process.startTicks && stat.state !== 'Z' && stat.state !== 'X';
  }

  async function take(): Promise<Snapshot> {
    const started = performance.now();
    const now = clock();
    const gaps: Gap[] = [];
    state = sources.memory.pull(state);
    const scan = scanProcesses();
    gaps.push(...scan.gaps);
    const host = readHostFacts(procfs);
    const { remember, learnAfter } = sources.settings().discovery;
    const rules: LearnRules = { learnAfter, remember };
    const merged = mergeCandidates(gather(scan, gaps)).filter((one) => !isExpired(state, one, now, remember));
    kept.sweep();
    state = followNames(state, merged);
    let drafts = merged.map((one) => draft(one, scan, now));
    for (const { instance } of drafts)
      gaps.push(...instance.prediction.gaps.map((gap) => ({ ...gap, instance: instance.id })));
    for (const { gaps: more } of merged.flatMap((one) => one.candidates)) gaps.push(...(more ?? []));

    const { ports: statics } = sources.settings();
    const wanted = wantedOf(drafts, sources.settings(), scan.hostNetns, host.ipv6, now);
    const holders = scan.filebeats.map(({ process }) => process);
    const look = await sockets.look(holders, wanted, scan.hostNetns);
    gaps.push(...look.gaps, ...sources.memory.gaps());

    // One that ended while it was looked at: it is down now, and says nothing about its ports.
    const held = byHolder(look.sockets);
    for (const one of drafts) {
      const { process } = one.instance;
      if (process === undefined || lacksNothing(one.instance, held, host.ipv6) || stillRuns(process)) continue;
      delete one.instance.process;
      if (process.netns !== undefined) one.instance.netns = process.netns;
      Object.assign(one.instance, expectedOfDown(one.instance.prediction, one.instance.expected));
      if (one.instance.origins[0] === 'process')
        one.instance.origins = [
          ...one.instance.origins.slice(1),
          ...(one.instance.origins.length === 1 ? ['remembered' as const] : []),
        ];
    }
    drafts = drafts.filter(({ instance }) => !supersededBy(instance, drafts, held, host.ipv6));

    const drops = accountForDrops(drafts, held, host.ipv6, now);
    learnFrom(drafts, held, host.ipv6, now, rules);
    state = observe(
      state,
      drafts.map((one) => sighting(one, held, host.ipv6)),
      now,
      boot(),
    );
    sources.memory.save(state, now);
    starts = startsOf(drafts);

    return {
      takenAt: now,
      durationSeconds: (performance.now() - started) / 1000,
      usable: scan.usable,
      host,
      instances: drafts.map(({ instance }) => instance),
      sockets: look.sockets,
      namespaces: look.namespaces,
      statics,
      gaps: withoutRepeats(gaps),
      drops,
      undecided: look.undecided.flatMap(({ instance, listener }) =>
        instance === undefined || listener === undefined
          ? []
          : [
              {
                instance: instance.id,
                protocol: listener.protocol,
                address: listener.address,
                ...(listener.port === undefined ? {} : { port: listener.port }),
              },
            ],
      ),
      tableReads: look.tableReads,
      fullFdScans: look.fullFdScans,
    };
  }

  function accountForDrops(
    drafts: readonly Draft[],
    held: HeldSockets,
    ipv6: boolean,
    now: number,
  ): NonNullable<Snapshot['drops']> {
    const totals: NonNullable<Snapshot['drops']> = {};
    let { ledger } = state;
    for (const { instance, merged } of drafts) {
      if (merged.twin !== undefined) continue;
      const mine: Record<string, { total: number; recent: number }> = {};
      for (const listener of instance.expected) {
        if (listener.protocol !== 'udp' || listener.target.kind === 'invalid' || listener.target.kind === 'unresolved')
          continue;
        const key = ledgerKey(instance.name, listener.protocol, listener.address, listener.port);
        ledger = advance(
          ledger,
          key,
          socketsOf(instance, held).filter((s) => answers(listener, s, ipv6)),
          { now, bootId: boot() },
        );
        const entry = ledger[key];
        if (entry !== undefined)
          mine[endpointKey(listener)] = { total: entry.total, recent: droppedWithin(entry, now, 300) };
      }
      totals[instance.id] = mine;
    }
    state = { ...state, ledger };
    return totals;
  }

  function learnFrom(drafts: readonly Draft[], held: HeldSockets, ipv6: boolean, now: number, rules: LearnRules): void {
    let learned = expireLearned(state.learned, now, rules);
    for (const { instance } of drafts) {
      if (instance.process?.openFds === undefined || instance.prediction.outcome !== 'dynamic') continue;
      const explained = (socket: Parameters<NonNullable<Parameters<typeof learn>[5]>>[0]) =>
        instance.expected.some(
          (l) => l.input !== 'learned' && l.protocol === socket.protocol && serves(l.target, socket, ipv6) !== 'no',
        );
      learned = learn(learned, instance.name, socketsOf(instance, held), now, rules, explained);
    }
    state = { ...state, learned };
  }

  return { take, state: () => state, replace: (next) => (state = next), startOf: (id) => starts.get(id) };
}

/** The candidate that gave the prediction also says how it is started. */
function startsOf(drafts: readonly Draft[]): Map<string, Start> {
  const starts = new Map<string, Start>();
  for (const { instance, merged } of drafts) {
    const start = merged.candidates.find((candidate) => candidate.prediction !== undefined)?.start;
    if (start !== undefined) starts.set(instance.id, start);
  }
  return starts;
}

type HeldSockets = ReadonlyMap<string, readonly Socket[]>;

function byHolder(sockets: readonly Socket[]): HeldSockets {
  const held = new Map<string, Socket[]>();
  for (const socket of sockets) {
    for (const { pid, startTicks } of socket.owners) {
      const key = `${pid}:${startTicks}`;
      const list = held.get(key);
      if (list === undefined) held.set(key, [socket]);
      else list.push(socket);
    }
  }
  return held;
}

function socketsOf({ process }: Instance, held: HeldSockets): readonly Socket[] {
  return process === undefined ? [] : (held.get(`${process.pid}:${process.startTicks}`) ?? []);
}

function answers(listener: Listener, socket: Socket, ipv6: boolean): boolean {
  return listener.protocol === socket.protocol && serves(listener.target, socket, ipv6) !== 'no';
}

function lacksNothing(instance: Instance, held: HeldSockets, ipv6: boolean): boolean {
  const sockets = socketsOf(instance, held);
  return (
    instance.expected.length > 0 &&
    instance.expected.every((listener) => sockets.some((s) => answers(listener, s, ipv6)))
  );
}

function supersededBy(instance: Instance, drafts: readonly Draft[], held: HeldSockets, ipv6: boolean): boolean {
  const holders = drafts.flatMap(({ instance: { id, process }, instance: other }) =>
    process?.netns === undefined ? [] : [{ id, netns: process.netns, sockets: socketsOf(other, held) }],
  );
  return isSuperseded(instance, holders, (listener, socket) => answers(listener, socket, ipv6));
}

/** What is to be remembered of an instance: its start only once that is beyond doubt. */
function sighting({ instance, merged }: Draft, held: HeldSockets, ipv6: boolean): Sighting {
  const { process, prediction, expected } = instance;
  const { version } = prediction.release;
  const own = socketsOf(instance, held);
  const explained = own.every((socket) => expected.some((listener) => answers(listener, socket, ipv6)));
  const start =
    process === undefined ? undefined : startRecord(process, instance, explained && lacksNothing(instance, held, ipv6));
  const { process: _, ...rest } = merged;
  return {
    instance: { ...rest, ...(process === undefined ? {} : { process }) },
    expected,
    ...(start === undefined ? {} : { start }),
    dynamic: prediction.outcome === 'dynamic',
    ...(version === undefined ? {} : { release: version }),
  };
}

/** Every endpoint that has to be found before this pass may call it missing, and the plain ports. */
function wantedOf(
  drafts: readonly Draft[],
  { ports }: Settings,
  hostNetns: number | undefined,
  ipv6: boolean,
  now: number,
): WantedOf[] {
  const wanted: WantedOf[] = [];
  for (const { instance } of drafts) {
    const netns = instance.process?.netns ?? instance.netns ?? hostNetns;
    if (netns === undefined) continue;
    for (const listener of [...instance.expected].sort(compareEndpoints)) {
      const { target, protocol } = listener;
      if (target.kind !== 'socket' && target.kind !== 'name') continue;
      wanted.push({
        netns,
        protocol,
        port: target.port,
        instance,
        listener,
        ...(instance.process === undefined ? { forgo: true as const } : {}),
        ...(justReloaded(listener, instance, now) ? { spanMs: reloadSpan } : {}),
        isServedBy: (row) => serves(target, row, ipv6) !== 'no',
        isBlockedBy: (row) => collides(target, socketTarget(row)),
      });
    }
  }
  if (hostNetns === undefined) return wanted;
  return [
    ...wanted,
    ...ports.map(({ port, protocol }): WantedOf => ({ netns: hostNetns, protocol, port, isServedBy: () => true })),
  ];
}

/** Its file was written within the last two periods, so Filebeat may be taking it over this very moment. */
function justReloaded(listener: Listener, { prediction }: Instance, now: number): boolean {
  if (listener.reload === undefined) return false;
  const mtime = prediction.files.find((file) => file.path === listener.declaredIn.file)?.mtime;
  return mtime !== undefined && now - mtime <= 2 * listener.reload.periodSeconds;
}

function withoutRepeats(gaps: readonly Gap[]): Gap[] {
  const seen = new Set<string>();
  return gaps.filter((gap) => {
    const key = `${gap.reason}|${gap.subject}|${gap.instance ?? ''}`;
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}
