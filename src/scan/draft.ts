/** One instance of a pass, put together from why it is known, what its files ask for and what is remembered. Pure. */

import type { Merged } from '../discovery/instances/instances.js';
import type { Start } from '../discovery/instances/predict-instance.js';
import type { Untold } from '../discovery/processes/processes.js';
import { expectedOfDown, expectedOfRunning, type StartRecord, startRecord } from '../model/expected.js';
import { isOnlyRemembered, isSameProcess } from '../model/instance-rules.js';
import type { Fault, FilebeatProcess, Gap, Instance, Listener, Prediction, Refutation } from '../model/model.js';
import { isFuture } from '../runtime/clock.js';
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

/** An instance on its way, with what the model has no room for. */
export interface Draft {
  instance: Instance;
  merged: Merged<Origin>;
  /** What its process was known to have started with. */
  record?: StartRecord;
  /** What was predicted before anything was refuted, and what has been refuted of it. */
  prediction: Prediction;
  refutations: readonly Refutation[];
}

export interface DraftContext {
  state: State;
  /** Seconds since the epoch. */
  now: number;
  bootId: string;
  /** Processes could not all be looked for. */
  hidden: boolean;
  /** Whether what ought to run on the host would be in this `/proc`. */
  seesHost: boolean;
  /** Processes that nobody can say what they are. */
  untold: readonly Untold[];
  hostNetns: number | undefined;
  /** How the last process of one that is down ended, where files tell. */
  lastEnd: (merged: Merged<Origin>, release: string | undefined) => Instance['lastEnd'];
  /** Whether systemd counts a unit as started; undefined where that cannot be told. */
  isUnitStarted: (unit: string) => boolean | undefined;
  /** Why one that only the memory knows could not start with the files that are on disk now. */
  failureOf: (known: RememberedInstance) => Fault | undefined;
}

export function instancesOf(drafts: readonly Draft[]): Instance[] {
  return drafts.map(({ instance }) => instance);
}

/** Whom to ask for a restart: its container, or the unit of a user's own manager. */
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

/** What its unit says of why it is down. */
function heldUp(
  { process, candidates, unit }: Merged<Origin>,
  { isUnitStarted }: DraftContext,
): Pick<Instance, 'cannotStart' | 'unitOff' | 'unitStarted'> {
  if (process !== undefined) return {};
  const failures = candidates.flatMap((one) => (one.origin === 'systemd' ? (one.failures ?? []) : []));
  const own = candidates.filter((one) => one.origin === 'systemd' && one.unit === unit);
  // Another unit may start it although this one is off.
  const off = candidates.some((one) => one.shouldRun === true) ? undefined : own[0]?.unitOff;
  const isStarted = unit === undefined || own.length === 0 ? undefined : isUnitStarted(unit);
  return {
    ...(failures.length === 0 ? {} : { cannotStart: [...new Set(failures)] }),
    ...(off === undefined ? {} : { unitOff: off }),
    ...(isStarted === undefined ? {} : { unitStarted: isStarted }),
  };
}

/** `refutations`: what this very pass has found to be wrong; absent: what is remembered to be. */
export function draftOf(
  merged: Merged<Origin>,
  context: DraftContext,
  refutations: readonly Refutation[] = historyOf(context.state, merged)?.refuted ?? [],
): Draft {
  const { state, now } = context;
  const [main] = merged.candidates;
  const { process } = merged;
  const known = historyOf(state, merged);
  const prediction = merged.candidates.find((c) => c.prediction !== undefined)?.prediction;
  const whole = prediction ?? rememberedPrediction(known!);
  const foretold = believe(whole, refutations);
  const record = process === undefined ? undefined : recordOf(known, process, context.bootId);
  const fromFiles =
    process === undefined
      ? expectedOfDown(foretold, known?.expected ?? [])
      : expectedOfRunning(foretold, process.startTime, record, known?.expected);
  const learned = foretold.outcome === 'dynamic' ? learnedListeners(state.learned, merged.name) : [];
  const lastSeen = process === undefined ? seenAt(known, now) : now;
  const end = process === undefined ? context.lastEnd(merged, foretold.release.version) : undefined;
  const onlyKnown = process === undefined && prediction === undefined ? known : undefined;
  const wouldFail = onlyKnown === undefined ? undefined : context.failureOf(onlyKnown);
  const netns = netnsOf(known?.network ?? main.network, known, context);
  const instance: Instance = {
    id: merged.id,
    name: merged.name,
    // What is down under an unchanged identity keeps the label that Filebeat itself was given.
    config: process === undefined && known?.id === merged.id ? known.config : main.config,
    origins: merged.origins.length > 0 ? merged.origins : ['remembered'],
    ...(merged.unit === undefined ? {} : { unit: merged.unit }),
    ...(merged.unit === undefined || isStartedBy(merged, merged.unit) ? {} : { unitIsPlace: true as const }),
    ...(merged.container === undefined ? {} : { container: merged.container }),
    ...starterOf(merged, known),
    ...(process === undefined ? {} : { process }),
    ...(netns === undefined || process !== undefined ? {} : { netns }),
    prediction: foretold,
    ...fromFiles,
    expected: withLearned(fromFiles.expected, learned),
    ...(merged.identity === undefined ? {} : { identity: merged.identity }),
    ...(merged.account === undefined ? {} : { account: merged.account }),
    ...(process === undefined && isHidden(merged, known, context) ? { hidden: true as const } : {}),
    ...heldUp(merged, context),
    ...(merged.dataKey === undefined ? {} : { dataKey: merged.dataKey }),
    ...(merged.dataDirectory === undefined ? {} : { dataDirectory: merged.dataDirectory }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
    restarts: known?.restarts ?? 0,
    ...(end === undefined ? {} : { lastEnd: end }),
    ...(wouldFail === undefined ? {} : { wouldFail }),
  };
  return { instance, merged, ...(record === undefined ? {} : { record }), prediction: whole, refutations };
}

/** The unit's own ExecStart is this Filebeat. */
function isStartedBy({ candidates }: Merged<Origin>, unit: string): boolean {
  return candidates.some((one) => one.origin === 'systemd' && one.unit === unit);
}

/** The same instance once its process has proved these faults wrong. */
export function draftAgainst(draft: Draft, faults: readonly Fault[], context: DraftContext): Draft {
  const { instance, merged, refutations } = draft;
  const more = faults.flatMap((fault) => refutationOf(fault, instance.prediction) ?? []);
  return draftOf(merged, context, [...refutations, ...more].slice(-mostRefutations));
}

/** Of one instance. */
const mostRefutations = 20;

/** Those that bear on what is on disk now; while nothing can be read there, all. */
function standing({ prediction: foretold, refutations }: Draft): readonly Refutation[] {
  const { reason, outcome, faults, declared: asked } = foretold;
  if (outcome === 'unknown' || foretold.release.source === 'remembered') return refutations;
  const all = [...(reason === undefined ? [] : [reason]), ...faults, ...(asked?.faults ?? [])];
  return refutations.filter((one) => all.some((fault) => isRefuted(fault, foretold, [one])));
}

/** Somebody runs with its files, and nothing tells whether that is it. */
export function undecidedGap({ id, name, undecided }: Merged<Origin>): Gap[] {
  if (undecided === undefined) return [];
  const detail = `whom “${name}” is to run as cannot be told, so this process may be it or not`;
  return [{ reason: 'unclear', subject: `/proc/${undecided.pid}`, detail, instance: id }];
}

/** It may run although no process of it was seen. What is only remembered was seen from here. */
function isHidden(merged: Merged<Origin>, known: RememberedInstance | undefined, context: DraftContext): boolean {
  if (context.hidden || merged.undecided || mayStillRun(merged, known, context)) return true;
  return !context.seesHost && !isOnlyRemembered(merged);
}

/** Its last process, or one in the control group of its unit, is there and cannot be looked at. */
function mayStillRun({ unit }: Merged<Origin>, known: RememberedInstance | undefined, context: DraftContext): boolean {
  const { start } = known ?? {};
  const isSame = (one: Untold) =>
    start !== undefined && isSameProcess(start, one) && isSameBoot(start.bootId, context.bootId);
  return context.untold.some((one) => isSame(one) || (unit !== undefined && one.unit === unit));
}

/** One that lies in the future was stamped by another clock: when that was is not known. */
function seenAt(known: RememberedInstance | undefined, now: number): number | undefined {
  return known === undefined || isFuture(known.lastSeen, now) ? undefined : known.lastSeen;
}

/** The same array where nothing was learned, as nearly always: what was found out about it still holds. */
function withLearned(expected: Listener[], learned: readonly Listener[]): Listener[] {
  if (learned.length === 0 && expected.every(({ input }) => input !== 'learned')) return expected;
  return [...expected.filter(({ input }) => input !== 'learned'), ...learned];
}

/** Where one that is down would run: numbers of namespaces do not outlive a boot. */
function netnsOf(
  network: string,
  known: RememberedInstance | undefined,
  { hostNetns, bootId }: DraftContext,
): number | undefined {
  if (network === 'host') return hostNetns;
  return known !== undefined && isSameBoot(known.start.bootId, bootId) ? known.netns : undefined;
}

/** What is known of this very process's start: of another boot, pids and start times say nothing. */
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
export function endedMeanwhile(draft: Draft): Draft {
  const { process, identity, brokenReloads, refusals, nextRefusals, ...instance } = draft.instance;
  const others = instance.origins.filter((origin, index) => index > 0 || origin !== 'process');
  return {
    ...draft,
    instance: {
      ...instance,
      ...(process?.netns === undefined ? {} : { netns: process.netns }),
      ...expectedOfDown(instance.prediction, instance.expected),
      origins: others.length > 0 ? others : ['remembered'],
    },
  };
}

function commandOf({ candidates: [{ start }] }: Merged<Origin>): Pick<ObservedInstance, 'command'> {
  if (start === undefined) return {};
  const { argv, cwd, uid } = start.command;
  return { command: { argv: [...argv], cwd, uid } };
}

/** What is to be remembered of an instance: its start only once that is beyond doubt. */
export function sightingOf(draft: Draft, held: SocketIndex): ObservedInstance {
  const { instance, merged, record } = draft;
  const refuted = standing(draft);
  const { process, prediction, expected } = instance;
  const { version } = prediction.release;
  const { explainsAll, lacksNothing } = fitOf(instance, held);
  const settled = explainsAll && lacksNothing;
  const start =
    process === undefined ? undefined : startRecord(process, prediction, instance, { settled, before: record });
  const { process: _, ...rest } = merged;
  return {
    instance: { ...rest, ...(process === undefined ? {} : { process }) },
    expected,
    ...(start === undefined ? {} : { start }),
    dynamic: prediction.outcome === 'dynamic',
    ...(refuted.length === 0 ? {} : { refuted }),
    ...(process === undefined ? {} : commandOf(merged)),
    ...(version === undefined ? {} : { release: version }),
  };
}

/** The candidate that gave the prediction also says how it is started: `Instance.id` → that. */
export function startsOf(drafts: readonly Draft[]): Map<string, Start> {
  const starts = new Map<string, Start>();
  for (const { instance, merged } of drafts) {
    const start = merged.candidates.find((candidate) => candidate.prediction !== undefined)?.start;
    if (start !== undefined) starts.set(instance.id, start);
  }
  return starts;
}
