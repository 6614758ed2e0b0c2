/** One instance of a scan → its row in the state. */
import type { Candidate } from '../discovery/instances/candidate.js';
import type { Merged } from '../discovery/instances/instances.js';
import { isSameProcess } from '../model/instance-rules.js';
import type { FilebeatProcess, Listener, Refusal, Refutation } from '../model/model.js';
import { isSameList, perObject } from '../runtime/unchanged.js';
import type { RememberedCommand, RememberedInstance } from './memory-state.js';
import { isSameBoot } from './memory-times.js';

const mostRestartTimes = 50;

/** An instance of a scan with what may be remembered of it. */
export interface ObservedInstance {
  instance: Merged<Candidate>;
  expected: readonly Listener[];
  /** What its process is known to have started with (`expected.ts`, `startRecord`). */
  start?: { listeners: readonly Listener[]; files?: Readonly<Record<string, number>>; refusals?: Refusal[] };
  refuted?: readonly Refutation[];
  command?: RememberedCommand;
  dynamic: boolean;
  release?: string;
}

const plainFlags = /^(?:-c|--?path\.(?:home|config|data|logs))$/;
const plainWords = /^(?:run|-e|--?path\.(?:home|config|data|logs)=.*|--strict\.perms(?:=\w+)?)$/s;

/** Undefined where an argument may be anything but the location of a file. */
export function rememberedCommand(command: RememberedCommand | undefined): RememberedCommand | undefined {
  if (command === undefined) return undefined;
  const { argv, cwd, uid } = command;
  for (let at = 1; at < argv.length; at++) {
    if (plainFlags.test(argv[at]!)) at++;
    else if (!plainWords.test(argv[at]!)) return undefined;
  }
  return { argv: [...argv], cwd, uid };
}

/** The user unit whose manager started the process; any other process in the unit may belong to something else. */
export function ownUserUnit({ userUnit, parent }: FilebeatProcess): FilebeatProcess['userUnit'] {
  return parent?.comm === 'systemd' ? userUnit : undefined;
}

/** Undefined for an instance that never ran. `now`: seconds since the epoch. */
export function remember(
  before: RememberedInstance | undefined,
  { instance, expected, start, refuted, command: seen, dynamic, release }: ObservedInstance,
  now: number,
  bootId: string,
): RememberedInstance | undefined {
  const { process } = instance;
  if (process === undefined && before === undefined) return undefined;
  const main = instance.candidates[0];
  // While it is down with the same identity, its last process tells more than a unit or a pattern.
  const place = process === undefined && before?.id === instance.id ? before : main;
  const same =
    process !== undefined &&
    before !== undefined &&
    isSameBoot(before.start.bootId, bootId) &&
    isSameProcess(before.start, process);
  const replaced = process !== undefined && before !== undefined && !same;
  const { listeners, files, refusals } = start ?? (same || process === undefined ? before?.start : undefined) ?? {};
  const started =
    process === undefined
      ? before!.start
      : { pid: process.pid, startTicks: process.startTicks, bootId, startTime: process.startTime };
  const command = process === undefined ? before?.command : rememberedCommand(seen);
  const version = release ?? before?.release;
  const netns = process?.netns ?? before?.netns;
  // The user of the process, or of the last one.
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
    // Where only the memory expects it, the earlier origins stay.
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

/** The fields of a row that this release writes. */
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

/** Fields that a newer release added. */
function unknownFields(row: RememberedInstance | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([field]) => !Object.hasOwn(knownFields, field)));
}

/** Returns the array `before` itself where nothing changed. */
function plainListeners(listeners: readonly Listener[], before: Listener[] | undefined): Listener[] {
  const plain = listeners.map(plainListener);
  return before !== undefined && isSameList(plain, before) ? before : plain;
}

/** The fields that comparisons need, without notes for people; a listener of this kind is returned as it is. */
function plainListener(listener: Listener): Listener {
  return plainOnes.has(listener) ? listener : plainOf(listener);
}

const plainOnes = new WeakSet<Listener>();

const plainOf = perObject((l: Listener): Listener => {
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
  plainOnes.add(plain);
  return plain;
});
