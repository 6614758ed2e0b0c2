/** First step of a scan: which Filebeats run, and which ones should. */
import { type Merged, mergeCandidates } from '../discovery/instances/instances.js';
import type { RunningFilebeat } from '../discovery/processes/process-facts.js';
import type { ProcessScan } from '../discovery/processes/processes.js';
import { processKey } from '../model/instance-rules.js';
import type { Gap, Prediction, ProcessId } from '../model/model.js';
import type { FileCache } from '../proc/files/file-cache.js';
import { type ProcFs, statOf } from '../proc/proc-fs.js';
import { createResultCache, perObject, unlessChanged } from '../runtime/unchanged.js';
import type { Settings } from '../settings/settings.js';
import { isExpired, rememberedProcesses } from '../state/memory-questions.js';
import { historyOf, type State } from '../state/memory-state.js';
import { createBudgets, type Origin, type OriginContext } from './origins/candidate-origin.js';
import { fromDeclared } from './origins/from-declared.js';
import { fromGlobs } from './origins/from-globs.js';
import { fromMemory } from './origins/from-memory.js';
import { fromProcess } from './origins/from-process.js';
import { fromUnits } from './origins/from-units.js';
import { instancesWithin } from './within-limits.js';

/** Where the scan reads. */
export interface Host {
  procfs: ProcFs;
  /** The directory of the host's files. */
  rootfs: string;
  fileCache: FileCache;
}

/** What stays the same during one scan. */
export interface ScanContext {
  settings: Settings;
  /** Seconds since the epoch. */
  now: number;
  /** Empty where it cannot be read. */
  bootId: string;
}

export interface Discovered {
  /** By name. */
  instances: Merged<Origin>[];
  /** Instances beyond the limits, which are not scanned and not forgotten. */
  excluded: Merged<Origin>[];
  gaps: Gap[];
}

export function discover(host: Host, scan: ScanContext, state: State, processes: ProcessScan): Discovered {
  const { now, settings } = scan;
  const { origins, gaps } = originsOf(host, scan, state, processes);
  const all = instancesOf(origins).filter((one) => !isExpired(state, one, now, settings.discovery.remember));
  const within = instancesWithin(all, (one) => historyOf(state, one)?.lastSeen ?? 0);
  return { instances: within.included, excluded: within.excluded, gaps: [...gaps, ...within.gaps] };
}

/** Every reason to know of a Filebeat: it runs, a unit starts it, a pattern matches its file, it is declared or remembered. */
function originsOf(
  { procfs, rootfs, fileCache }: Host,
  { settings, bootId }: ScanContext,
  state: State,
  { filebeats }: ProcessScan,
): { origins: Origin[]; gaps: Gap[] } {
  const { discovery, instances } = settings;
  const context: OriginContext = { rootfs, fileCache, budgets: createBudgets() };
  const known = rememberedProcesses(state, bootId);
  const running = [...filebeats]
    // The system's come first: whatever the others cost, these are predicted.
    .sort((a, b) => Math.sign(a.identity.account) - Math.sign(b.identity.account))
    .map((filebeat) => originOf(filebeat, fileCache, () => fromProcess(filebeat, context, known(filebeat.process))))
    // The root of a process that ends is gone: files that were not found below it may exist.
    .filter(({ process, prediction }) => isComplete(prediction!) || stillRuns(procfs, process!, prediction!));
  const units = discovery.systemd
    ? fromUnits(context, discovery.processNames, unitsOf(running, state))
    : { origins: [], gaps: [] };
  const globs = fromGlobs(discovery.configGlobs, context);
  const origins = [
    ...running,
    ...units.origins,
    ...globs.origins,
    ...instances.map((one) => fromDeclared(one, context, discovery.processNames)),
    ...fromMemory(state, bootId, context),
  ];
  return { origins: unchangedOrigins(fileCache, origins), gaps: [...units.gaps, ...globs.gaps] };
}

/** Of the last scan, by the file cache of the host. */
const lastOrigins = new WeakMap<FileCache, readonly Origin[]>();

function unchangedOrigins(fileCache: FileCache, made: readonly Origin[]): Origin[] {
  const before = lastOrigins.get(fileCache) ?? [];
  const origins = made.map((one, at) => unlessChanged(before[at], one));
  lastOrigins.set(fileCache, origins);
  return origins;
}

/** The same objects for the same origins. */
const merged = perObject((_first: Origin, origins: readonly Origin[]) => mergeCandidates(origins));

function instancesOf(origins: readonly Origin[]): Merged<Origin>[] {
  const [first] = origins;
  return first === undefined ? [] : merged(first, origins);
}

/** By the facts of a process; `keep` marks the cache entries of its files as used. */
const originsByFacts = createResultCache<RunningFilebeat, { value: Origin; keep: () => void }>();

/** The same origin while the process scan returns the same facts, as between the turns of a process (`rotation.ts`). */
function originOf(filebeat: RunningFilebeat, fileCache: FileCache, make: () => Origin): Origin {
  const origin = originsByFacts.get(filebeat, []) ?? fileCache.tracked(make);
  originsByFacts.set(filebeat, [], origin);
  origin.keep();
  return origin.value;
}

function isComplete({ outcome, gaps }: Prediction): boolean {
  return outcome === 'runs' && gaps.length === 0;
}

/** Processes that were seen to run after the key was computed. */
const confirmed = createResultCache<object, true>();

/**
 * The process exists, is not ending and is not another one with the same pid. `found`: what makes it worth checking, an object
 * that every change replaces; for the same object the process is checked once.
 */
export function stillRuns(procfs: ProcFs, process: ProcessId, found: object): boolean {
  const inputs = [processKey(process)];
  if (confirmed.get(found, inputs)) return true;
  const stat = statOf(procfs, process.pid);
  const runs = stat !== undefined && stat.startTicks === process.startTicks && !stat.exiting;
  if (runs) confirmed.set(found, inputs, true);
  return runs;
}

/** Units of running and of remembered instances: one of a template that was disabled is linked nowhere. */
function unitsOf(running: readonly Origin[], { instances }: State): string[] {
  const remembered = Object.values(instances).filter(({ container }) => container === undefined);
  return [...new Set([...running, ...remembered].flatMap(({ unit }) => unit ?? []))].sort();
}
