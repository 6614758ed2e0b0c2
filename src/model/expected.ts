/**
 * What a Filebeat ought to hold now (CONTRACT 4 "Expected listeners"): what it reads only at its start stands as it
 * was then, what it reloads stands as it is on disk. Pure.
 */
import { endpointKey } from './endpoint.js';
import type { Fault, Instance, Listener, Prediction, ProcessId, Refusal } from './model.js';

/** The listeners that one very process was known to ask for, from an earlier scan. */
export interface StartRecord extends ProcessId {
  listeners: Listener[];
  /** Files read only at the start → their time stamps as they were then, seconds since the epoch. */
  files?: Readonly<Record<string, number>>;
  /** What it was known to go without, where no listener tells of it. */
  refusals?: Refusal[];
}

export type Expectation = Pick<
  Instance,
  'expected' | 'basis' | 'pendingRestart' | 'brokenReloads' | 'refusals' | 'nextRefusals'
>;

const wanted = new WeakMap<Prediction, Listener[]>();

/** What the files ask for: what Filebeat opens, and what it refuses. The same array for the same prediction. */
export function askedFor(prediction: Prediction): Listener[] {
  const { listeners, faults } = prediction;
  const refused = faults.flatMap(({ costs }) => costs ?? []);
  if (refused.length === 0) return listeners;
  const known = wanted.get(prediction);
  if (known !== undefined) return known;
  const all = [...listeners, ...refused];
  wanted.set(prediction, all);
  return all;
}

/** What it goes without, of what its files ask for. */
export function lossesOf({ faults }: Pick<Prediction, 'faults'>): Refusal[] {
  return faults.filter(({ code }) => code !== 'file-unseen');
}

/** What is lost and told by no listener: no port can be told, or there is none. */
function untold({ faults }: Prediction): Refusal[] {
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

/** Everything about a listener that a restart would change for its senders; where it was declared does not matter. */
function essence(listener: Listener): string {
  return `${endpointKey(listener)}|${listener.input}|${listener.target.kind}|${listener.readBuffer ?? ''}${listener.refused === undefined ? '' : '|refused'}`;
}

/** Order and place of declaration do not matter: comments and reordering are no drift. */
export function sameListeners(a: readonly Listener[], b: readonly Listener[]): boolean {
  const sorted = (list: readonly Listener[]) => list.map(essence).sort().join('\n');
  return a.length === b.length && sorted(a) === sorted(b);
}

const isStatic = (listener: Listener) => listener.reload === undefined;

const inOrder = new WeakMap<readonly Listener[], Listener[]>();

/** What is read only at the start goes first. The same array for the same listeners, which spares whoever compares. */
function staticFirst(listeners: Listener[]): Listener[] {
  if (listeners.every(isStatic)) return listeners;
  const known = inOrder.get(listeners);
  if (known !== undefined) return known;
  const sorted = [...listeners.filter(isStatic), ...listeners.filter((l) => !isStatic(l))];
  inOrder.set(listeners, sorted);
  return sorted;
}

/** A reloaded file that gives nothing any more and has a fault of its own: Filebeat stopped its inputs. */
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

/** Start times and time stamps of files come from clocks with steps of 10 ms, and no Filebeat has read its files sooner. Seconds. */
const blur = 0.05;

/** A file that is read only at the start has a time stamp after it. Filebeat itself never looks at it again. */
export function editedSinceStart(prediction: Prediction, startTime: number): boolean {
  return prediction.files.some((f) => !f.reloaded && f.mtime !== undefined && f.mtime > startTime + blur);
}

/** Filebeat, or the part of it that reads files, would start with what is on disk. */
export function canStart({ outcome }: Prediction): boolean {
  return outcome === 'runs' || outcome === 'ambiguous' || outcome === 'dynamic';
}

function stampsOf(prediction: Prediction): Record<string, number> {
  return Object.fromEntries(
    prediction.files.flatMap((f) => (f.reloaded || f.mtime === undefined ? [] : [[f.path, f.mtime] as const])),
  );
}

/**
 * As `editedSinceStart`, and also what leaves no younger time stamp where the record knows the files of the start: a file
 * put in place with the stamp of its origin (`rsync -t`, `cp -p`, packages), a link led elsewhere, one file more or less.
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

/**
 * Of a running instance. `record`: what this very process was known to ask for, if an earlier scan saw it. `lastKnown`: what
 * the instance was, whatever process it had. `startTime`: seconds since the epoch.
 */
export function expectedOfRunning(
  prediction: Prediction,
  startTime: number,
  record: StartRecord | undefined,
  lastKnown: readonly Listener[] = [],
): Expectation {
  const onDisk = askedFor(prediction);
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
  // What was stopped is told at its ports.
  const lost = untold(prediction).filter((fault) => !stopped.some((l) => l.declaredIn.file === fault.at?.file));
  const reloadedOnes = new Set(prediction.files.flatMap(({ path, reloaded: is }) => (is ? [path] : [])));
  const lostByReload = lost.filter(({ at }) => at !== undefined && reloadedOnes.has(at.file));
  const asOnDisk = stopped.length === 0 ? staticFirst(onDisk) : [...staticFirst(onDisk), ...stopped];
  if (!changedSinceStart(prediction, startTime, record))
    return withRefusals({ expected: asOnDisk, basis: 'disk', pendingRestart: false, ...rest }, lost);
  const lostByStart = lost.filter((fault) => !lostByReload.includes(fault));
  // Whether the process has lost it already, or is to lose it by its next start, nobody knows.
  if (record === undefined) {
    const edited = { expected: asOnDisk, basis: 'edited' as const, pendingRestart: false, ...rest };
    return withRefusals({ ...edited, ...nextOf(lostByStart) }, lostByReload);
  }
  const lostNow = [...(record.refusals ?? []).filter(({ at }) => !reloadedOnes.has(at?.file ?? '')), ...lostByReload];
  const known = new Set((record.refusals ?? []).map(troubleOf));
  const next = nextOf(lostByStart.filter((fault) => !known.has(troubleOf(fault))));
  const staticOnDisk = onDisk.filter(isStatic);
  const started = record.listeners.filter(isStatic);
  // Unchanged in what matters: take what is on disk, so that the lines shown are today's.
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
 * Of an instance without a process: what is on disk, or was last known where the disk tells nothing. What a reloaded file
 * that broke has asked for stays expected.
 */
export function expectedOfDown(prediction: Prediction, lastKnown: readonly Listener[]): Expectation {
  const useDisk = canStart(prediction) || (prediction.listeners.length > 0 && prediction.outcome === 'exits');
  if (!useDisk) return { expected: [...lastKnown], basis: 'remembered', pendingRestart: false };
  const broken = brokenFiles(prediction).map(({ file }) => file);
  const lost = lastKnown.filter((l) => !isStatic(l) && broken.includes(l.declaredIn.file));
  return { expected: [...askedFor(prediction), ...lost], basis: 'disk', pendingRestart: false };
}

/**
 * What the next scan may go by as the start of this process; none while the start could not be told: what is on disk
 * cannot be loaded, or was edited and the sockets do not prove it (`settled`). What was learned is kept elsewhere.
 */
export function startRecord(
  process: ProcessId,
  prediction: Prediction,
  expectation: Expectation,
  context: { settled: boolean; before: StartRecord | undefined },
): StartRecord | undefined {
  if (!canStart(prediction) || (expectation.basis === 'edited' && !context.settled)) return undefined;
  return {
    pid: process.pid,
    startTicks: process.startTicks,
    listeners: expectation.expected.filter((listener) => listener.input !== 'learned'),
    files: context.before?.files ?? stampsOf(prediction),
    ...(expectation.refusals === undefined ? {} : { refusals: expectation.refusals }),
  };
}
