/** What a scan asks the state of the previous scan. */
import type { Candidate } from '../discovery/instances/candidate.js';
import type { Merged } from '../discovery/instances/instances.js';
import { isOnlyRemembered, processKey } from '../model/instance-rules.js';
import type { Prediction, ProcessId } from '../model/model.js';
import { isFuture } from '../runtime/clock.js';
import type { RememberedInstance, State } from './memory-state.js';
import { historyOf } from './memory-state.js';
import { isSameBoot } from './memory-times.js';

/** Maps a process of this boot to the instance that it belonged to at the last scan. */
export function rememberedProcesses(
  state: State,
  bootId: string,
): (process: ProcessId) => RememberedInstance | undefined {
  const known = new Map<string, RememberedInstance>();
  for (const instance of Object.values(state.instances)) {
    const key = processKey(instance.start);
    if (isSameBoot(instance.start.bootId, bootId) && !known.has(key)) known.set(key, instance);
  }
  return (process) => known.get(processKey(process));
}

/** All remembered instances as candidates of their own origin. `bootId`: of this boot, in which their processes may still live. */
export function rememberedCandidates(state: State, bootId?: string): Candidate[] {
  return Object.values(state.instances).map((known) => ({
    origin: 'remembered' as const,
    root: known.root,
    network: known.network,
    mainFiles: known.mainFiles,
    ...(known.pathData === undefined ? {} : { pathData: known.pathData }),
    config: known.config,
    ...(known.unit === undefined ? {} : { unit: known.unit }),
    ...(known.container === undefined ? {} : { container: known.container }),
    ...(known.containerName === undefined ? {} : { containerName: known.containerName }),
    ...(known.host === undefined ? {} : { host: known.host }),
    ...(known.owner === undefined ? {} : { owner: known.owner, users: [known.owner] }),
    ...(known.account === undefined ? {} : { account: known.account }),
    remembered: {
      id: known.id,
      name: known.name,
      origins: known.origins,
      ...(bootId !== undefined && isSameBoot(known.start.bootId, bootId)
        ? { process: { pid: known.start.pid, startTicks: known.start.startTicks } }
        : {}),
    },
  }));
}

/** Whether an instance is only remembered and was last seen at least `remember` seconds ago (0: never expires). */
export function isExpired(
  state: State,
  instance: Pick<Merged<Candidate>, 'rememberedAs' | 'origins'>,
  now: number,
  remember: number,
): boolean {
  if (remember === 0 || !isOnlyRemembered(instance)) return false;
  const known = historyOf(state, instance);
  // The age of a time stamp in the future is unknown.
  return known !== undefined && now - known.lastSeen >= remember;
}

/** The last known listeners as a prediction, where no file can be read. */
export function rememberedPrediction(known: RememberedInstance): Prediction {
  return {
    outcome: known.dynamic ? 'dynamic' : 'runs',
    listeners: known.expected,
    faults: [],
    files: [],
    release: { ...(known.release === undefined ? {} : { version: known.release }), source: 'remembered' },
    paths: { home: '', config: '', data: known.pathData ?? '', logs: '' },
    gaps: [],
  };
}

/** The restarts within the window, if there are enough to call the instance flapping. */
export function flappingOf(
  known: Pick<RememberedInstance, 'restartTimes'> | undefined,
  now: number,
  threshold: { count: number; withinSeconds: number },
): { count: number; withinSeconds: number } | undefined {
  const count = (known?.restartTimes ?? []).filter(
    (at) => !isFuture(at, now) && now - at <= threshold.withinSeconds,
  ).length;
  return count >= threshold.count && count > 0 ? { count, withinSeconds: threshold.withinSeconds } : undefined;
}
