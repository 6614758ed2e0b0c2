/**
 * What the exporter remembers, as data: instances seen, what their processes started with, learned sockets, the loss
 * ledger. JSON with a version; no command line, environment or configuration value is ever in it. Pure.
 */

import type { Candidate } from '../discovery/instances/candidate.js';
import type { Merged } from '../discovery/instances/instances.js';
import type {
  ContainerEngine,
  FilebeatProcess,
  InstanceOrigin,
  Listener,
  ProcessId,
  Refusal,
  Refutation,
} from '../model/model.js';
import type { KeptReports } from '../self-report/kept-report.js';
import { forgetLearned, type Learned } from './learned.js';
import { type Ledger, ledgerKey, pruneLedger } from './ledger.js';
import { isSameBoot } from './memory-times.js';
import { isRipe, type Ripening, type RipeningEntry, type RipeningRules, ripen } from './ripening.js';

/**
 * Version 1 is of release 0.1.0: its rows are rows of version 2 that lack `owner`. Optional fields may be added without a
 * new version, because fields that a release does not know survive it.
 */
export const stateVersion = 2;

export interface RememberedInstance {
  id: string;
  name: string;
  config: string;
  root: string;
  network: string;
  mainFiles: string[];
  pathData?: string;
  /** Without `remembered`. */
  origins: InstanceOrigin[];
  unit?: string;
  container?: string;
  /** Program that hosts its inputs. */
  host?: string;
  /** Inode of its last process's network namespace. */
  netns?: number;
  /** Uid that it may run as; absent where 0.1.0 wrote the row and no process was seen since. */
  owner?: number;
  /** The ordinary user whose it is; absent: the system's. */
  account?: number;
  /** What its container keeps when it is made anew. */
  containerName?: string;
  /** Who runs its container. */
  engine?: ContainerEngine;
  /** Unit of a user's own manager that started its last process. */
  userUnit?: { uid: number; unit: string };
  /** Filebeat's version when last known. */
  release?: string;
  /** Its inputs cannot be predicted. */
  dynamic?: true;
  /** Last known expected listeners. */
  expected: Listener[];
  /** How it was started, where its command line says nothing but where files lie. */
  command?: RememberedCommand;
  /** Rules of the exporter's that its processes have proved wrong. */
  refuted?: readonly Refutation[];
  /** The process last seen; `listeners`: what it was known to have started with. */
  start: ProcessId & {
    bootId: string;
    startTime: number;
    listeners?: Listener[];
    /** Files read only at the start → their time stamps then, seconds since the epoch. */
    files?: Readonly<Record<string, number>>;
    /** What it went without, where no listener tells of it. */
    refusals?: Refusal[];
  };
  /** Seconds since the epoch, of its process. */
  firstSeen: number;
  lastSeen: number;
  /** Replacements of its process. */
  restarts: number;
  /** Seconds since the epoch of the last ones, oldest first. */
  restartTimes: number[];
}

/** No more than the program, `-c` and `--path.*`: nothing else of a command line is kept. */
export interface RememberedCommand {
  argv: string[];
  cwd: string;
  uid: number;
}

const plainFlags = /^(?:-c|--?path\.(?:home|config|data|logs))$/;
const plainWords = /^(?:run|-e|--?path\.(?:home|config|data|logs)=.*|--strict\.perms(?:=\w+)?)$/s;

/** Undefined where anything in it may be more than a place. */
export function rememberedCommand(command: RememberedCommand | undefined): RememberedCommand | undefined {
  if (command === undefined) return undefined;
  const { argv, cwd, uid } = command;
  for (let at = 1; at < argv.length; at++) {
    if (plainFlags.test(argv[at]!)) at++;
    else if (!plainWords.test(argv[at]!)) return undefined;
  }
  return { argv: [...argv], cwd, uid };
}

export interface State {
  version: typeof stateVersion;
  /** By id. */
  instances: Readonly<Record<string, RememberedInstance>>;
  ledger: Ledger;
  learned: Learned;
  /** Ordinary users' instances on their way to being remembered, by id. */
  ripening?: Ripening;
  /** Figures of what instances say of themselves, by name. */
  reports: KeptReports;
  /** Top-level fields that this release does not know: written again as they were read. */
  other?: Readonly<Record<string, unknown>>;
}

export const emptyState: State = { version: stateVersion, instances: {}, ledger: {}, learned: {}, reports: {} };

const mostRestartTimes = 50;

/** One instance of a scan, as far as it is worth remembering. */
export interface Sighting {
  instance: Merged<Candidate>;
  expected: readonly Listener[];
  /** What this very process is known to have started with (`expected.ts`, `startRecord`). */
  start?: { listeners: readonly Listener[]; files?: Readonly<Record<string, number>>; refusals?: Refusal[] };
  refuted?: readonly Refutation[];
  command?: RememberedCommand;
  dynamic: boolean;
  release?: string;
}

/**
 * The state after a scan. Only what ran at least once is remembered; what is not among the sightings any more (expired,
 * superseded) is forgotten with its ledger and its learned listeners. Twins are not remembered, nor are an ordinary
 * user's until they have lived for a while.
 */
export function observe(
  state: State,
  sightings: readonly Sighting[],
  now: number,
  bootId: string,
  { cut = [], ripening: rules = { after: 0, remember: 0 } }: ObserveOptions = {},
): State {
  const instances: Record<string, RememberedInstance> = {};
  const ripening = ripen(state.ripening ?? {}, sightings, now, rules);
  const before = followNames(
    state,
    sightings.map(({ instance }) => instance),
  );
  for (const sighting of sightings) {
    if (sighting.instance.twin !== undefined) continue;
    const known = historyOf(before, sighting.instance);
    if (known === undefined && !isRipe(ripening, sighting.instance, rules)) continue;
    const next = remember(known, sighting, now, bootId);
    if (next !== undefined) instances[next.id] = next;
  }
  const keep = cut.flatMap((one) => historyOf(before, one) ?? []);
  for (const known of keep) instances[known.id] ??= known;
  const names = new Set([...sightings.map(({ instance }) => instance.name), ...keep.map(({ name }) => name)]);
  const learned = Object.keys(before.learned).reduce(
    (all, name) => (names.has(name) ? all : forgetLearned(all, name)),
    before.learned,
  );
  const { ripening: _, ...rest } = before;
  const open = Object.entries(ripening).filter(([id]) => instances[id] === undefined);
  return {
    ...rest,
    instances,
    ledger: pruneLedger(before.ledger, names),
    learned,
    reports: prune(before.reports, names),
    ...(open.length === 0 ? {} : { ripening: Object.fromEntries(open) }),
  };
}

/** The same object where all of them stay. */
function prune<T>(rows: Readonly<Record<string, T>>, names: ReadonlySet<string>): Readonly<Record<string, T>> {
  const kept = Object.entries(rows).filter(([name]) => names.has(name));
  return kept.length === Object.keys(rows).length ? rows : Object.fromEntries(kept);
}

export interface ObserveOptions {
  /** Not looked at for want of room: what is known of them stays. */
  cut?: readonly Pick<Merged<Candidate>, 'rememberedAs'>[];
  ripening?: RipeningRules;
}

/**
 * Takes the ledger and the learned listeners along where an instance has another name now (it was declared by hand), and
 * drops those of one that was not remembered and is gone: who has its name next has a history of its own. To be called
 * between merging and counting; a second call changes nothing.
 */
export function followNames(
  state: State,
  instances: readonly Pick<Merged<Candidate>, 'id' | 'name' | 'rememberedAs' | 'twin'>[],
): State {
  const moved = new Map<string, string>();
  const renamed: Record<string, RememberedInstance> = {};
  for (const instance of instances) {
    const known = instance.twin === undefined ? historyOf(state, instance) : undefined;
    if (known === undefined || known.name === instance.name) continue;
    moved.set(known.name, instance.name);
    renamed[known.id] = { ...known, name: instance.name };
  }
  const { gone, ripening } = namesOfNewcomers(state, instances, moved);
  if (moved.size === 0 && gone.size === 0) return state;
  const follow = <T>(rows: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(rows).flatMap(([name, row]) => (gone.has(name) ? [] : [[moved.get(name) ?? name, row]])),
    );
  const ledger = Object.entries(state.ledger).flatMap(([key, entry]) => {
    const [name, protocol, address, port] = JSON.parse(key) as [string, string, string, number | ''];
    if (gone.has(name)) return [];
    return [[ledgerKey(moved.get(name) ?? name, protocol, address, port === '' ? undefined : port), entry] as const];
  });
  return {
    ...state,
    instances: { ...state.instances, ...renamed },
    ledger: Object.fromEntries(ledger),
    learned: follow(state.learned),
    reports: follow(state.reports),
    ...(ripening === undefined ? {} : { ripening }),
  };
}

/** Of those that are not remembered yet: `moved` grows by who has another name now; `gone`: names of who runs no more. */
function namesOfNewcomers(
  { instances: known, ripening }: State,
  instances: readonly Pick<Merged<Candidate>, 'id' | 'name'>[],
  moved: Map<string, string>,
): { gone: ReadonlySet<string>; ripening?: Ripening } {
  const gone = new Set<string>();
  const named = Object.entries(ripening ?? {}).filter(
    ([id, { name }]) => name !== undefined && known[id] === undefined,
  );
  if (named.length === 0) return { gone };
  const names = new Map(instances.map(({ id, name }) => [id, name]));
  const next: Record<string, RipeningEntry> = { ...ripening };
  for (const [id, { name: before, ...rest }] of named) {
    const now = names.get(id);
    if (now === before) continue;
    if (now === undefined) gone.add(before!);
    else moved.set(before!, now);
    next[id] = { ...rest, ...(now === undefined ? {} : { name: now }) };
  }
  return { gone, ripening: next };
}

/** Only what the manager itself has started is known to be the unit's own: another child of the unit may be anything. */
export function ownUserUnit({ userUnit, parent }: FilebeatProcess): FilebeatProcess['userUnit'] {
  return parent?.comm === 'systemd' ? userUnit : undefined;
}

function remember(
  before: RememberedInstance | undefined,
  { instance, expected, start, refuted, command: seen, dynamic, release }: Sighting,
  now: number,
  bootId: string,
): RememberedInstance | undefined {
  const { process } = instance;
  if (process === undefined && before === undefined) return undefined;
  const main = instance.candidates[0];
  // While it is down under an unchanged identity, what it ran under is known better than by a unit or a pattern.
  const place = process === undefined && before?.id === instance.id ? before : main;
  const same =
    process !== undefined &&
    before !== undefined &&
    isSameBoot(before.start.bootId, bootId) &&
    before.start.pid === process.pid &&
    before.start.startTicks === process.startTicks;
  const replaced = process !== undefined && before !== undefined && !same;
  const { listeners, files, refusals } = start ?? (same || process === undefined ? before?.start : undefined) ?? {};
  const started =
    process === undefined
      ? before!.start
      : { pid: process.pid, startTicks: process.startTicks, bootId, startTime: process.startTime };
  const command = process === undefined ? before?.command : rememberedCommand(seen);
  const version = release ?? before?.release;
  const netns = process?.netns ?? before?.netns;
  // Who runs it is known by its process; who would, by the one that was seen last.
  const owner = (process === undefined ? before?.owner : main.owner) ?? instance.owner;
  const containerName = process === undefined ? before?.containerName : main.containerName;
  const engine = process === undefined ? before?.engine : process.engine;
  const userUnit = process === undefined ? before?.userUnit : ownUserUnit(process);
  const origins = instance.origins.filter((origin) => origin !== 'remembered');
  return {
    ...unknownFields(before),
    id: instance.id,
    name: instance.name,
    config: place.config,
    root: place.root,
    network: place.network,
    mainFiles: [...place.mainFiles],
    ...(place.pathData === undefined ? {} : { pathData: place.pathData }),
    // Nothing but the memory asks for it: keep why it was asked for once.
    origins: origins.length > 0 ? origins : (before?.origins ?? []),
    ...(instance.unit === undefined ? {} : { unit: instance.unit }),
    ...(instance.container === undefined ? {} : { container: instance.container }),
    ...(containerName === undefined ? {} : { containerName }),
    ...(engine === undefined ? {} : { engine }),
    ...(userUnit === undefined ? {} : { userUnit }),
    ...(owner === undefined ? {} : { owner }),
    ...(instance.account === undefined ? {} : { account: instance.account }),
    ...(place.host === undefined ? {} : { host: place.host }),
    ...(netns === undefined ? {} : { netns }),
    ...(version === undefined ? {} : { release: version }),
    ...(dynamic ? { dynamic: true as const } : {}),
    expected: plainListeners(expected, before?.expected),
    ...(command === undefined ? {} : { command }),
    ...(refuted === undefined ? {} : { refuted }),
    start: {
      ...started,
      ...(listeners === undefined ? {} : { listeners: plainListeners(listeners, before?.start.listeners) }),
      ...(files === undefined ? {} : { files }),
      ...(refusals === undefined ? {} : { refusals }),
    },
    firstSeen: before?.firstSeen ?? now,
    lastSeen: process === undefined ? before!.lastSeen : now,
    restarts: (before?.restarts ?? 0) + (replaced ? 1 : 0),
    restartTimes: [...(before?.restartTimes ?? []), ...(replaced ? [process!.startTime] : [])].slice(-mostRestartTimes),
  };
}

/** Every field of a row that this release writes. */
const knownFields: Record<keyof RememberedInstance, true> = {
  id: true,
  name: true,
  config: true,
  root: true,
  network: true,
  mainFiles: true,
  pathData: true,
  origins: true,
  unit: true,
  container: true,
  host: true,
  netns: true,
  owner: true,
  account: true,
  containerName: true,
  engine: true,
  userUnit: true,
  release: true,
  dynamic: true,
  expected: true,
  refuted: true,
  command: true,
  start: true,
  firstSeen: true,
  lastSeen: true,
  restarts: true,
  restartTimes: true,
};

function unknownFields(row: RememberedInstance | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([field]) => !Object.hasOwn(knownFields, field)));
}

/** `before` itself where nothing changed, so that nobody has to compare it again. */
function plainListeners(listeners: readonly Listener[], before: Listener[] | undefined): Listener[] {
  const plain = listeners.map(plainListener);
  return before?.length === plain.length && plain.every((one, at) => one === before[at]) ? before : plain;
}

const plainOnes = new WeakMap<Listener, Listener>();

/** Only the fields that the comparison needs: notes for people are not kept. */
function plainListener(l: Listener): Listener {
  const known = plainOnes.get(l);
  if (known !== undefined) return known;
  const plain: Listener = {
    protocol: l.protocol,
    address: l.address,
    ...(l.port === undefined ? {} : { port: l.port }),
    target: l.target,
    input: l.input,
    declaredIn: l.declaredIn,
    ...(l.reload === undefined ? {} : { reload: l.reload }),
    ...(l.readBuffer === undefined ? {} : { readBuffer: l.readBuffer }),
    retry: l.retry,
    ...(l.slowStart === undefined ? {} : { slowStart: l.slowStart }),
    ...(l.shares === undefined ? {} : { shares: l.shares }),
    ...(l.refused === undefined ? {} : { refused: l.refused }),
  };
  plainOnes.set(l, plain).set(plain, plain);
  return plain;
}

/** The history that a merged instance continues. */
export function historyOf(
  state: State,
  instance: Pick<Merged<Candidate>, 'rememberedAs'>,
): RememberedInstance | undefined {
  return instance.rememberedAs.map((id) => state.instances[id]).find((known) => known !== undefined);
}
