/**
 * The listeners that a Filebeat should have now: files that it reads only at its start count as they were then, files that it
 * reloads count as they are on disk.
 */
import { perObject } from '../runtime/unchanged.js';
import { endpointKey } from './endpoint.js';
import type { Fault, Instance, Listener, Prediction, ProcessId, Refusal } from './model.js';

/** What an earlier scan knew of the configuration with which a process started. */
export interface StartRecord extends ProcessId {
  listeners: Listener[];
  /** Files read only at the start → their modification times then, seconds since the epoch. */
  files?: Readonly<Record<string, number>>;
  /** Inputs that it refused, where no listener says so. */
  refusals?: Refusal[];
}

export type Expectation = Pick<
  Instance,
  'expected' | 'basis' | 'pendingRestart' | 'brokenReloads' | 'refusals' | 'nextRefusals'
>;

/** The listeners that the files declare: those that Filebeat opens and those that it refuses. */
export const declaredListeners = perObject(({ listeners, faults }: Prediction): Listener[] => {
  const refused = faults.flatMap(({ costs }) => costs ?? []);
  return refused.length === 0 ? listeners : [...listeners, ...refused];
});

/** The listeners that its files declare and Filebeat refuses. */
export function lossesOf({ faults }: Pick<Prediction, 'faults'>): Refusal[] {
  return faults.filter(({ code }) => code !== 'file-unseen');
}

/** Refused inputs without a listener: their port is unknown, or there is none. */
function refusalsWithoutListener({ faults }: Prediction): Refusal[] {
  return faults.filter(({ code, costs }) => code !== 'file-unseen' && (costs === undefined || costs.length === 0));
}

function withRefusals(expectation: Expectation, refusals: readonly Refusal[]): Expectation {
  return refusals.length === 0 ? expectation : { ...expectation, refusals: [...refusals] };
}

function nextOf(refusals: Refusal[]): Pick<Expectation, 'nextRefusals'> {
  return refusals.length === 0 ? {} : { nextRefusals: refusals };
}

/** Lines move with every edit. */
const troubleOf = ({ code, subject, at }: Fault) => JSON.stringify([code, subject, at?.file]);

/** The properties of a listener that matter to senders; where it was declared does not. */
function essence(listener: Listener): string {
  return `${endpointKey(listener)}|${listener.input}|${listener.target.kind}|${listener.readBuffer ?? ''}${listener.refused === undefined ? '' : '|refused'}`;
}

/** Order and position of declaration do not matter: comments and reordering are not drift. */
export function sameListeners(a: readonly Listener[], b: readonly Listener[]): boolean {
  const sorted = (list: readonly Listener[]) => list.map(essence).sort().join('\n');
  return a.length === b.length && sorted(a) === sorted(b);
}

const isStatic = (listener: Listener) => listener.reload === undefined;

/** Listeners read only at the start come first. */
const staticFirst = perObject((listeners: Listener[]): Listener[] =>
  listeners.every(isStatic) ? listeners : [...listeners.filter(isStatic), ...listeners.filter((one) => !isStatic(one))],
);

/** A reloaded file with a fault and without listeners: Filebeat stopped its inputs. */
function brokenFiles(prediction: Prediction): { file: string; fault: Fault }[] {
  const alive = new Set(prediction.listeners.map((l) => l.declaredIn.file));
  const reloaded = new Set(prediction.files.filter((f) => f.reloaded).map((f) => f.path));
  return prediction.faults.flatMap((fault) => {
    const file = fault.at?.file;
    return file !== undefined && fault.costs === undefined && reloaded.has(file) && !alive.has(file)
      ? [{ file, fault }]
      : [];
  });
}

/** Start times and time stamps of files have steps of 10 ms, and no Filebeat reads its files sooner. Seconds. */
const blur = 0.05;

/** Whether a file that is read only at the start was modified after it. */
export function editedSinceStart(prediction: Prediction, startTime: number): boolean {
  return prediction.files.some((f) => !f.reloaded && f.mtime !== undefined && f.mtime > startTime + blur);
}

/** Whether Filebeat, or the part of it that reads files, would start with the files on disk. */
export function canStart({ outcome }: Prediction): boolean {
  return outcome === 'runs' || outcome === 'ambiguous' || outcome === 'dynamic';
}

const stampsOf = perObject(
  (prediction: Prediction): Readonly<Record<string, number>> =>
    Object.fromEntries(
      prediction.files.flatMap((f) => (f.reloaded || f.mtime === undefined ? [] : [[f.path, f.mtime] as const])),
    ),
);

/**
 * As `editedSinceStart`; where the record knows the files of the start, also changes without a later time stamp: a file that
 * was copied with its time stamp (`rsync -t`, `cp -p`, packages), a changed link, an added or removed file.
 */
export function changedSinceStart(
  prediction: Prediction,
  startTime: number,
  record: Pick<StartRecord, 'files'> | undefined,
): boolean {
  if (editedSinceStart(prediction, startTime)) return true;
  const then = record?.files;
  if (then === undefined) return false;
  const now = stampsOf(prediction);
  const added = prediction.files.some(
    ({ path, role }) =>
      (role === 'inputs' || role === 'modules') && Object.hasOwn(now, path) && !Object.hasOwn(then, path),
  );
  return added || Object.entries(then).some(([path, stamp]) => now[path] !== stamp);
}

type KnownStart = Pick<StartRecord, 'listeners' | 'files' | 'refusals'>;

/**
 * For a running instance. `record`: what its process started with, if an earlier scan saw it. `lastKnown`: the last known
 * listeners, of any process. `startTime`: seconds since the epoch. Returns the same object for the same objects.
 */
export function expectedOfRunning(
  prediction: Prediction,
  startTime: number,
  record: KnownStart | undefined,
  lastKnown: readonly Listener[] = [],
): Expectation {
  return ofRunning(prediction, startTime, record?.listeners, record?.files, record?.refusals, lastKnown);
}

const ofRunning = perObject(
  (
    prediction: Prediction,
    startTime: number,
    listeners: KnownStart['listeners'] | undefined,
    files: KnownStart['files'],
    refusals: KnownStart['refusals'],
    lastKnown: readonly Listener[],
  ): Expectation => {
    const record: KnownStart | undefined = listeners && {
      listeners,
      ...(files === undefined ? {} : { files }),
      ...(refusals === undefined ? {} : { refusals }),
    };
    return expectation(prediction, startTime, record, lastKnown);
  },
);

function expectation(
  prediction: Prediction,
  startTime: number,
  record: KnownStart | undefined,
  lastKnown: readonly Listener[],
): Expectation {
  const onDisk = declaredListeners(prediction);
  if (!canStart(prediction) && record !== undefined)
    return withRefusals(
      { expected: record.listeners, basis: 'remembered', pendingRestart: false },
      record.refusals ?? [],
    );
  if (!canStart(prediction) && onDisk.length === 0 && lastKnown.length > 0)
    return { expected: [...lastKnown], basis: 'last-known', pendingRestart: false };
  const brokenReloads = brokenFiles(prediction);
  const stopped = (record?.listeners ?? []).filter(
    (l) => !isStatic(l) && brokenReloads.some((b) => b.file === l.declaredIn.file),
  );
  const rest = brokenReloads.length === 0 ? {} : { brokenReloads };
  // Stopped inputs are reported at their ports.
  const lost = refusalsWithoutListener(prediction).filter(
    (fault) => !stopped.some((l) => l.declaredIn.file === fault.at?.file),
  );
  const reloadedOnes = new Set(prediction.files.flatMap(({ path, reloaded: is }) => (is ? [path] : [])));
  const lostByReload = lost.filter(({ at }) => at !== undefined && reloadedOnes.has(at.file));
  const asOnDisk = stopped.length === 0 ? staticFirst(onDisk) : [...staticFirst(onDisk), ...stopped];
  if (!changedSinceStart(prediction, startTime, record))
    return withRefusals({ expected: asOnDisk, basis: 'disk', pendingRestart: false, ...rest }, lost);
  const lostByStart = lost.filter((fault) => !lostByReload.includes(fault));
  // Unknown whether the process has refused it, or will at its next start.
  if (record === undefined) {
    const edited = { expected: asOnDisk, basis: 'edited' as const, pendingRestart: false, ...rest };
    return withRefusals({ ...edited, ...nextOf(lostByStart) }, lostByReload);
  }
  const lostNow = [...(record.refusals ?? []).filter(({ at }) => !reloadedOnes.has(at?.file ?? '')), ...lostByReload];
  const known = new Set((record.refusals ?? []).map(troubleOf));
  const next = nextOf(lostByStart.filter((fault) => !known.has(troubleOf(fault))));
  const staticOnDisk = onDisk.filter(isStatic);
  const started = record.listeners.filter(isStatic);
  // Nothing relevant changed: use the files on disk, so that line numbers are current.
  if (sameListeners(started, staticOnDisk))
    return withRefusals(
      { expected: asOnDisk, basis: 'remembered', pendingRestart: next.nextRefusals !== undefined, ...rest, ...next },
      lostNow,
    );
  const reloaded = [...onDisk.filter((l) => !isStatic(l)), ...stopped];
  return withRefusals(
    { expected: [...started, ...reloaded], basis: 'remembered', pendingRestart: true, ...rest, ...next },
    lostNow,
  );
}

/**
 * For an instance without a process: the listeners of the files on disk, or the last known ones. Listeners of a reloaded file
 * that is broken now stay expected.
 */
export function expectedOfDown(prediction: Prediction, lastKnown: readonly Listener[]): Expectation {
  const useDisk = canStart(prediction) || (prediction.listeners.length > 0 && prediction.outcome === 'exits');
  if (!useDisk) return { expected: [...lastKnown], basis: 'remembered', pendingRestart: false };
  const broken = brokenFiles(prediction).map(({ file }) => file);
  const lost = lastKnown.filter((l) => !isStatic(l) && broken.includes(l.declaredIn.file));
  return { expected: [...declaredListeners(prediction), ...lost], basis: 'disk', pendingRestart: false };
}

/**
 * What the next scan may take as the start of this process; undefined while it is unknown: the files cannot be loaded, or
 * were edited and the sockets do not confirm them (`settled`). Learned listeners are stored separately.
 */
export function startRecord(
  process: ProcessId,
  prediction: Prediction,
  { expected, basis, refusals }: Expectation,
  context: { settled: boolean; before: StartRecord | undefined },
): StartRecord | undefined {
  if (!canStart(prediction) || (basis === 'edited' && !context.settled)) return undefined;
  return {
    pid: process.pid,
    startTicks: process.startTicks,
    listeners: expected.filter((listener) => listener.input !== 'learned'),
    files: context.before?.files ?? stampsOf(prediction),
    ...(refusals === undefined ? {} : { refusals }),
  };
}
