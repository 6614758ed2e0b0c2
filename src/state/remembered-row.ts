/** One instance of a scan → its row in the state. */
import type { Candidate } from '../discovery/instances/candidate.js';
import type { Merged } from '../discovery/instances/instances.js';
import { isSameProcess } from '../model/instance-rules.js';
import type { FilebeatProcess, Listener, Refusal, Refutation } from '../model/model.js';
import { createResultCache, isSameList, perObject } from '../runtime/unchanged.js';
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
function rememberedCommand(command: RememberedCommand | undefined): RememberedCommand | undefined {
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
  sighting: ObservedInstance,
  now: number,
  bootId: string,
): RememberedInstance | undefined {
  const { instance, expected, start, refuted, dynamic } = sighting;
  const { process } = instance;
  if (process === undefined && before === undefined) return undefined;
  const { listeners, files, refusals } = start ?? {};
  const inputs = [expected, listeners, files, refusals, refuted, dynamic, sighting.release, bootId];
  const isUnchanged = before !== undefined && rows.get(instance, inputs) === before;
  const row = isUnchanged ? laterRow(before, process, now) : rowOf(before, sighting, now, bootId);
  rows.set(instance, inputs, row);
  return row;
}

/** By instance: the last row, with what it was made from. */
const rows = createResultCache<Merged<Candidate>, RememberedInstance>();

function laterRow(row: RememberedInstance, process: FilebeatProcess | undefined, now: number): RememberedInstance {
  return process === undefined ? row : { ...row, lastSeen: now };
}

function rowOf(
  before: RememberedInstance | undefined,
  sighting: ObservedInstance,
  now: number,
  bootId: string,
): RememberedInstance {
  const { instance, expected, refuted, dynamic, release = before?.release } = sighting;
  const { process, unit, container, account } = instance;
  const isSame = isSameProcess(process, before?.start) && isSameBoot(before?.start.bootId, bootId);
  const restartedAt = process === undefined || before === undefined || isSame ? [] : [process.startTime];
  const origins = instance.origins.filter((origin) => origin !== 'remembered');
  return {
    ...unknownFields(before),
    id: instance.id,
    name: instance.name,
    ...filesOf(before, instance),
    // Where only the memory expects it, the earlier origins stay.
    origins: origins.length > 0 ? origins : (before?.origins ?? []),
    ...defined({ unit, container, account, release, refuted }),
    ...processFacts(before, sighting),
    ...(dynamic ? { dynamic: true as const } : {}),
    expected: plainListeners(expected, before?.expected),
    start: startOf(before, isSame, sighting, bootId),
    firstSeen: before?.firstSeen ?? now,
    lastSeen: process === undefined ? before!.lastSeen : now,
    restarts: (before?.restarts ?? 0) + restartedAt.length,
    restartTimes: [...(before?.restartTimes ?? []), ...restartedAt].slice(-mostRestartTimes),
  };
}

/** While it is down under the same id, its last process says more than a unit or a pattern. */
function filesOf(
  before: RememberedInstance | undefined,
  { id, process, candidates: [main] }: Merged<Candidate>,
): Pick<RememberedInstance, 'config' | 'root' | 'network' | 'mainFiles' | 'pathData' | 'host'> {
  const { config, root, network, mainFiles, pathData, host } =
    process === undefined && before?.id === id ? before : main;
  return { config, root, network, mainFiles: [...mainFiles], ...defined({ pathData, host }) };
}

/** Facts of its process; while it is down, those of the last one. */
function processFacts(
  before: RememberedInstance | undefined,
  { instance: { process, owner, candidates }, command }: ObservedInstance,
): Partial<Pick<RememberedInstance, 'containerName' | 'engine' | 'userUnit' | 'owner' | 'netns' | 'command'>> {
  if (process === undefined) {
    const { containerName, engine, userUnit, netns } = before!;
    return defined({ containerName, engine, userUnit, owner: before!.owner ?? owner, netns, command: before!.command });
  }
  const [main] = candidates;
  return defined({
    containerName: main.containerName,
    engine: process.engine,
    userUnit: ownUserUnit(process),
    owner: main.owner ?? owner,
    netns: process.netns ?? before?.netns,
    command: rememberedCommand(command),
  });
}

/** `isSame`: the row is of the same process. */
function startOf(
  before: RememberedInstance | undefined,
  isSame: boolean,
  { instance: { process }, start }: ObservedInstance,
  bootId: string,
): RememberedInstance['start'] {
  const known = isSame || process === undefined ? before?.start : undefined;
  const { listeners, files, refusals } = start ?? known ?? {};
  const started =
    process === undefined
      ? before!.start
      : { pid: process.pid, startTicks: process.startTicks, bootId, startTime: process.startTime };
  return {
    ...started,
    ...(listeners === undefined ? {} : { listeners: plainListeners(listeners, before?.start.listeners) }),
    ...defined({ files, refusals }),
  };
}

/** The fields that have a value. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
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
  const plain = listeners.map((listener) => plainListener(listener));
  return before !== undefined && isSameList(plain, before) ? before : plain;
}

const plainFields = new Set<string>([
  'protocol',
  'address',
  'port',
  'target',
  'input',
  'declaredIn',
  'reload',
  'readBuffer',
  'retry',
  'slowStart',
  'shares',
  'refused',
] satisfies (keyof Listener)[]);

/** The listener without notes for people and other fields that comparisons do not need; itself if it has none. */
const plainListener = perObject((listener: Listener): Listener => {
  const fields = Object.entries(listener);
  const plain = fields.filter(([field]) => plainFields.has(field));
  return plain.length === fields.length ? listener : (Object.fromEntries(plain) as unknown as Listener);
});
