/** Builds one instance of a scan from its candidates, its prediction and the memory. Pure. */

import type { Merged } from '../discovery/instances/instances.js';
import type { Start } from '../discovery/instances/predict-instance.js';
import type { UnreadableProcess } from '../discovery/processes/processes.js';
import { expectedOfDown, expectedOfRunning, type StartRecord, startRecord } from '../model/expected.js';
import { isOnlyRemembered, isSameProcess } from '../model/instance-rules.js';
import type { Fault, FilebeatProcess, Gap, Instance, Listener, Prediction, Refutation } from '../model/model.js';
import { isFuture } from '../runtime/clock.js';
import { perObject } from '../runtime/unchanged.js';
import { learnedListeners } from '../state/learned.js';
import { rememberedPrediction } from '../state/memory-questions.js';
import type { RememberedInstance, State } from '../state/memory-state.js';
import { historyOf } from '../state/memory-state.js';
import { isSameBoot } from '../state/memory-times.js';
import { believe, isRefuted, refutationOf } from '../state/refutations.js';
import type { ObservedInstance } from '../state/remembered-row.js';
import { ownUserUnit } from '../state/remembered-row.js';
import type { Origin } from './origins/candidate-origin.js';
import { fitOf, type SocketIndex } from './socket-index.js';

/** An instance under construction, with data that is not in the model. */
export interface Draft {
  instance: Instance;
  merged: Merged<Origin>;
  /** What an earlier scan knew about the start of its process. */
  record?: StartRecord;
  /** The prediction without refutations, and the refutations. */
  prediction: Prediction;
  refutations: readonly Refutation[];
}

export interface DraftContext {
  state: State;
  /** Seconds since the epoch. */
  now: number;
  bootId: string;
  /** Some processes could not be seen. */
  hidden: boolean;
  /** Whether this `/proc` shows the host's processes. */
  seesHost: boolean;
  /** Processes whose command line could not be read. */
  unreadable: readonly UnreadableProcess[];
  hostNetns: number | undefined;
  /** By pid: the processes with their figures in this scan. */
  processes: ReadonlyMap<number, FilebeatProcess>;
  /** How the last process of an instance that is down ended, where files show it. */
  lastEnd: (merged: Merged<Origin>, release: string | undefined) => Instance['lastEnd'];
  /** Whether systemd counts a unit as started; undefined where that is unknown. */
  isUnitStarted: (unit: string) => boolean | undefined;
  /** Why an instance that only the memory knows could not start with the files on disk. */
  failureOf: (known: RememberedInstance) => Fault | undefined;
}

export function instancesOf(drafts: readonly Draft[]): Instance[] {
  return drafts.map(({ instance }) => instance);
}

/** What restarts it: its container, or a unit of a user's own manager. */
function starterOf(
  { process, container: id, candidates, account }: Merged<Origin>,
  known: RememberedInstance | undefined,
): Pick<Instance, 'containerBy' | 'userUnit'> {
  const userUnit = process === undefined ? known?.userUnit : ownUserUnit(process);
  if (id === undefined) return userUnit === undefined ? {} : { userUnit };
  const stated = candidates.find(({ containerName }) => containerName !== undefined)?.containerName;
  const name = /^(?:docker|podman) ([\s\S]+)$/.exec(stated ?? '')?.[1];
  const engine = process === undefined ? known?.engine : process.engine;
  return {
    containerBy: {
      id,
      ...(engine === undefined ? {} : { engine }),
      ...(name === undefined ? {} : { name }),
      ...(account === undefined ? {} : { uid: account }),
    },
  };
}

/** Why it is down, by its unit. */
function unitFacts(
  { process, candidates, unit }: Merged<Origin>,
  { isUnitStarted }: DraftContext,
): Pick<Instance, 'cannotStart' | 'unitOff' | 'unitStarted'> {
  if (process !== undefined) return {};
  const failures = candidates.flatMap((one) => (one.origin === 'systemd' ? (one.failures ?? []) : []));
  const own = candidates.filter((one) => one.origin === 'systemd' && one.unit === unit);
  // Another unit may start it although this one does not.
  const off = candidates.some((one) => one.shouldRun === true) ? undefined : own[0]?.unitOff;
  const isStarted = unit === undefined || own.length === 0 ? undefined : isUnitStarted(unit);
  return {
    ...(failures.length === 0 ? {} : { cannotStart: [...new Set(failures)] }),
    ...(off === undefined ? {} : { unitOff: off }),
    ...(isStarted === undefined ? {} : { unitStarted: isStarted }),
  };
}

/** `refutations`: of this scan; the remembered ones unless given. */
export function draftOf(
  merged: Merged<Origin>,
  context: DraftContext,
  refutations: readonly Refutation[] = historyOf(context.state, merged)?.refuted ?? [],
): Draft {
  const { state, now } = context;
  const [main] = merged.candidates;
  const process = merged.process && context.processes.get(merged.process.pid);
  const known = historyOf(state, merged);
  const prediction = merged.candidates.find((c) => c.prediction !== undefined)?.prediction;
  const unrefuted = prediction ?? rememberedPrediction(known!);
  const believed = believe(unrefuted, refutations);
  const record = process === undefined ? undefined : recordOf(known, process, context.bootId);
  const fromFiles =
    process === undefined
      ? expectedOfDown(believed, known?.expected ?? [])
      : expectedOfRunning(believed, process.startTime, record, known?.expected);
  const learned = believed.outcome === 'dynamic' ? learnedListeners(state.learned, merged.name) : [];
  const lastSeen = process === undefined ? knownLastSeen(known, now) : undefined;
  const end = process === undefined ? context.lastEnd(merged, believed.release.version) : undefined;
  const isOnlyKnown = process === undefined && prediction === undefined && known !== undefined;
  const wouldFail = isOnlyKnown ? context.failureOf(known) : undefined;
  const netns = netnsWhenDown(known?.network ?? main.network, known, context);
  const instance: Instance = {
    id: merged.id,
    name: merged.name,
    // An instance that is down keeps the paths that its last process was started with.
    config: process === undefined && known?.id === merged.id ? known.config : main.config,
    origins: merged.origins.length > 0 ? merged.origins : ['remembered'],
    ...(merged.unit === undefined ? {} : { unit: merged.unit }),
    ...(merged.unit === undefined || isStartedBy(merged, merged.unit) ? {} : { unitIsOnlyCgroup: true as const }),
    ...(merged.container === undefined ? {} : { container: merged.container }),
    ...starterOf(merged, known),
    ...(process === undefined ? {} : { process }),
    ...(netns === undefined || process !== undefined ? {} : { netns }),
    prediction: believed,
    ...fromFiles,
    expected: withLearned(fromFiles.expected, learned),
    ...(merged.identity === undefined ? {} : { identity: merged.identity }),
    ...(merged.account === undefined ? {} : { account: merged.account }),
    ...(process === undefined && isHidden(merged, known, context) ? { hidden: true as const } : {}),
    ...unitFacts(merged, context),
    ...(merged.dataKey === undefined ? {} : { dataKey: merged.dataKey }),
    ...(merged.dataDirectory === undefined ? {} : { dataDirectory: merged.dataDirectory }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
    restarts: known?.restarts ?? 0,
    ...(end === undefined ? {} : { lastEnd: end }),
    ...(wouldFail === undefined ? {} : { wouldFail }),
  };
  return { instance, merged, ...(record === undefined ? {} : { record }), prediction: unrefuted, refutations };
}

/** Whether the unit starts this Filebeat. */
function isStartedBy({ candidates }: Merged<Origin>, unit: string): boolean {
  return candidates.some((one) => one.origin === 'systemd' && one.unit === unit);
}

/** The draft without faults that its process disproves. */
export function draftAgainst(draft: Draft, faults: readonly Fault[], context: DraftContext): Draft {
  const { instance, merged, refutations } = draft;
  const more = faults.flatMap((fault) => refutationOf(fault, instance.prediction) ?? []);
  return draftOf(merged, context, [...refutations, ...more].slice(-mostRefutations));
}

/** For one instance. */
const mostRefutations = 20;

/** The refutations that apply to the files on disk; all of them where the files cannot be read. */
function currentRefutations({ prediction: believed, refutations }: Draft): readonly Refutation[] {
  const { reason, outcome, faults, declared } = believed;
  if (outcome === 'unknown' || believed.release.source === 'remembered') return refutations;
  const all = [...(reason === undefined ? [] : [reason]), ...faults, ...(declared?.faults ?? [])];
  return refutations.filter((one) => all.some((fault) => isRefuted(fault, believed, [one])));
}

/** A process runs with its files, and whether it is this instance is unknown. */
export function undecidedGap({ id, name, undecided }: Merged<Origin>): Gap[] {
  if (undecided === undefined) return [];
  const detail = `the user of “${name}” is unknown, so this process may or may not be it`;
  return [{ reason: 'unclear', subject: `/proc/${undecided.pid}`, detail, instance: id }];
}

/** It may run although no process of it was seen. Remembered instances were once visible to the exporter. */
function isHidden(merged: Merged<Origin>, known: RememberedInstance | undefined, context: DraftContext): boolean {
  if (context.hidden || merged.undecided || mayStillRun(merged, known, context)) return true;
  return !context.seesHost && !isOnlyRemembered(merged);
}

/** Its last process, or one in the control group of its unit, exists and cannot be read. */
function mayStillRun({ unit }: Merged<Origin>, known: RememberedInstance | undefined, context: DraftContext): boolean {
  const { start } = known ?? {};
  const isLast = (one: UnreadableProcess) =>
    start !== undefined && isSameProcess(start, one) && isSameBoot(start.bootId, context.bootId);
  return context.unreadable.some((one) => isLast(one) || (unit !== undefined && one.unit === unit));
}

/** Undefined for a time stamp in the future: it comes from a wrong clock. */
function knownLastSeen(known: RememberedInstance | undefined, now: number): number | undefined {
  return known === undefined || isFuture(known.lastSeen, now) ? undefined : known.lastSeen;
}

/** The same array where nothing was learned: see `runtime/unchanged.ts`. */
function withLearned(expected: Listener[], learned: readonly Listener[]): Listener[] {
  if (learned.length === 0 && expected.every(({ input }) => input !== 'learned')) return expected;
  return [...expected.filter(({ input }) => input !== 'learned'), ...learned];
}

/** The namespace in which it would run. Numbers of namespaces change with each boot. */
function netnsWhenDown(
  network: string,
  known: RememberedInstance | undefined,
  { hostNetns, bootId }: DraftContext,
): number | undefined {
  if (network === 'host') return hostNetns;
  return known !== undefined && isSameBoot(known.start.bootId, bootId) ? known.netns : undefined;
}

/** What is known about the start of this process. Pids and start times of another boot do not count. */
function recordOf(
  known: RememberedInstance | undefined,
  process: FilebeatProcess,
  bootId: string,
): StartRecord | undefined {
  if (known === undefined) return undefined;
  const { pid, startTicks, listeners, files, refusals, bootId: boot } = known.start;
  const same = isSameProcess(known.start, process) && isSameBoot(boot, bootId);
  if (!same || listeners === undefined) return undefined;
  return {
    pid,
    startTicks,
    listeners,
    ...(files === undefined ? {} : { files }),
    ...(refusals === undefined ? {} : { refusals }),
  };
}

/** Its process ended during the scan: it is down, and what it did not hold says nothing about its ports. */
export function endedMeanwhile(draft: Draft, now: number): Draft {
  const { process, identity, brokenReloads, refusals, nextRefusals, ...instance } = draft.instance;
  const others = instance.origins.filter((origin, index) => index > 0 || origin !== 'process');
  return {
    ...draft,
    instance: {
      ...instance,
      ...(process?.netns === undefined ? {} : { netns: process.netns }),
      ...expectedOfDown(instance.prediction, instance.expected),
      lastSeen: now,
      origins: others.length > 0 ? others : ['remembered'],
    },
  };
}

function commandOf({ candidates: [{ start }] }: Merged<Origin>): Pick<ObservedInstance, 'command'> {
  if (start === undefined) return {};
  const { argv, cwd, uid } = start.command;
  return { command: { argv: [...argv], cwd, uid } };
}

/** The same object for the same instance. */
const withoutProcess = perObject(({ process: _, ...rest }: Merged<Origin>): Merged<Origin> => rest);

/** What to remember of an instance: its start only once it is certain. */
export function sightingOf(draft: Draft, index: SocketIndex): ObservedInstance {
  const { instance, merged, record } = draft;
  const refuted = currentRefutations(draft);
  const { process, prediction, expected } = instance;
  const { version } = prediction.release;
  const { explainsAll, lacksNothing } = fitOf(instance, index);
  const settled = explainsAll && lacksNothing;
  const start =
    process === undefined ? undefined : startRecord(process, prediction, instance, { settled, before: record });
  return {
    instance: process === undefined ? withoutProcess(merged) : merged,
    expected,
    ...(start === undefined ? {} : { start }),
    dynamic: prediction.outcome === 'dynamic',
    ...(refuted.length === 0 ? {} : { refuted }),
    ...(process === undefined ? {} : commandOf(merged)),
    ...(version === undefined ? {} : { release: version }),
  };
}

/** `Instance.id` → how it is started, by the candidate that gave the prediction. */
export function startsOf(drafts: readonly Draft[]): Map<string, Start> {
  const starts = new Map<string, Start>();
  for (const { instance, merged } of drafts) {
    const start = merged.candidates.find((candidate) => candidate.prediction !== undefined)?.start;
    if (start !== undefined) starts.set(instance.id, start);
  }
  return starts;
}
