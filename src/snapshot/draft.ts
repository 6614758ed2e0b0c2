/** One instance of a pass, put together from why it is known, what its files ask for and what is remembered. Pure. */
import type { Merged } from '../discovery/instances.js';
import { learnedListeners } from '../discovery/learned.js';
import {
  flappingOf,
  historyOf,
  type RememberedInstance,
  rememberedPrediction,
  type Sighting,
  type State,
} from '../discovery/memory-state.js';
import type { Origin, Start } from '../discovery/origins.js';
import { expectedOfDown, expectedOfRunning, type StartRecord, startRecord } from '../expected.js';
import type { FilebeatProcess, Instance } from '../model.js';
import { explainsAll, type HeldSockets, lacksNothing } from './held.js';

/** An instance on its way, with what the model has no room for. */
export interface Draft {
  instance: Instance;
  merged: Merged<Origin>;
}

export interface DraftContext {
  state: State;
  /** Seconds since the epoch. */
  now: number;
  bootId: string;
  /** Processes could not all be looked for. */
  hidden: boolean;
  /** How the last process of one that is down ended, where files tell. */
  lastEnd: (merged: Merged<Origin>, release: string | undefined) => Instance['lastEnd'];
}

export function draftOf(merged: Merged<Origin>, context: DraftContext): Draft {
  const { state, now } = context;
  const [main] = merged.candidates;
  const { process } = merged;
  const known = historyOf(state, merged);
  const prediction = merged.candidates.find((c) => c.prediction !== undefined)?.prediction;
  const foretold = prediction ?? rememberedPrediction(known!);
  const fromFiles =
    process === undefined
      ? expectedOfDown(foretold, known?.expected ?? [])
      : expectedOfRunning(foretold, process.startTime, recordOf(known, process, context.bootId));
  const learned = foretold.outcome === 'dynamic' ? learnedListeners(state.learned, merged.name) : [];
  const lastSeen = process === undefined ? known?.lastSeen : now;
  const end = process === undefined ? context.lastEnd(merged, foretold.release.version) : undefined;
  const instance: Instance = {
    id: merged.id,
    name: merged.name,
    config: main.config,
    origins: merged.origins.length > 0 ? merged.origins : ['remembered'],
    ...(merged.unit === undefined ? {} : { unit: merged.unit }),
    ...(merged.container === undefined ? {} : { container: merged.container }),
    ...(process === undefined ? {} : { process }),
    ...(known?.netns === undefined || process !== undefined ? {} : { netns: known.netns }),
    prediction: foretold,
    ...fromFiles,
    expected: [...fromFiles.expected.filter((listener) => listener.input !== 'learned'), ...learned],
    ...(process === undefined && context.hidden ? { hidden: true as const } : {}),
    ...(merged.dataKey === undefined ? {} : { dataKey: merged.dataKey }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
    restarts: known?.restarts ?? 0,
    ...(end === undefined ? {} : { lastEnd: end }),
  };
  return { instance, merged };
}

/** What is known of this very process's start: of another boot, pids and start times say nothing. */
function recordOf(
  known: RememberedInstance | undefined,
  process: FilebeatProcess,
  bootId: string,
): StartRecord | undefined {
  if (known === undefined) return undefined;
  const { pid, startTicks, listeners, bootId: boot } = known.start;
  const same = pid === process.pid && startTicks === process.startTicks && boot === bootId;
  return same && listeners !== undefined ? { pid, startTicks, listeners } : undefined;
}

/** Its process ended while this pass looked: it is down now, and what it did not hold says nothing about its ports. */
export function endedMeanwhile({ instance }: Draft): void {
  const { process } = instance;
  delete instance.process;
  if (process?.netns !== undefined) instance.netns = process.netns;
  delete instance.brokenReloads;
  Object.assign(instance, expectedOfDown(instance.prediction, instance.expected));
  if (instance.origins[0] !== 'process') return;
  const others = instance.origins.slice(1);
  instance.origins = others.length > 0 ? others : ['remembered'];
}

/** What the memory counts, with what this very scan added to it: a restart is told by the scan that sees it. */
export function tellHistory(
  instance: Instance,
  state: State,
  now: number,
  threshold: { count: number; withinSeconds: number },
): void {
  const known = state.instances[instance.id];
  if (known === undefined) return;
  instance.restarts = known.restarts;
  const flapping = flappingOf(known, now, threshold);
  if (flapping !== undefined) instance.flapping = flapping;
}

/** What is to be remembered of an instance: its start only once that is beyond doubt. */
export function sightingOf({ instance, merged }: Draft, held: HeldSockets): Sighting {
  const { process, prediction, expected } = instance;
  const { version } = prediction.release;
  const settled = explainsAll(instance, held) && lacksNothing(instance, held);
  const start = process === undefined ? undefined : startRecord(process, instance, settled);
  const { process: _, ...rest } = merged;
  return {
    instance: { ...rest, ...(process === undefined ? {} : { process }) },
    expected,
    ...(start === undefined ? {} : { start }),
    dynamic: prediction.outcome === 'dynamic',
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
