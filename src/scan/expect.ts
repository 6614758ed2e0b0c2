/** Second step of a scan: which listeners each instance should have. */
import type { Merged } from '../discovery/instances/instances.js';
import { predictInstance } from '../discovery/instances/predict-instance.js';
import type { ProcessScan } from '../discovery/processes/processes.js';
import { startedUnits } from '../discovery/systemd/unit-host.js';
import type { Fault, Gap, Instance } from '../model/model.js';
import { openFileView } from '../proc/files/root-files.js';
import { readerOfAccount } from '../proc/permissions.js';
import { lastEnd } from '../state/lifecycle.js';
import type { RememberedInstance, State } from '../state/memory-state.js';
import type { Host, ScanContext } from './discover.js';
import { type Draft, type DraftContext, draftOf, undecidedGap } from './draft.js';
import type { Origin } from './origins/candidate-origin.js';
import { truncateListeners } from './within-limits.js';

export interface Expected {
  drafts: Draft[];
  /** For drafts that evidence changes. */
  context: DraftContext;
  gaps: Gap[];
}

/** `state`: with the names of these instances. `seesHost`: whether this `/proc` shows the host's processes. */
export function expect(
  host: Host,
  scan: ScanContext,
  state: State,
  merged: readonly Merged<Origin>[],
  processes: ProcessScan & { seesHost: boolean },
): Expected {
  const { rootfs, fileCache } = host;
  const { filebeats, hidden, unreadable, hostNetns, seesHost } = processes;
  const context: DraftContext = {
    state,
    now: scan.now,
    bootId: scan.bootId,
    hidden,
    seesHost,
    unreadable,
    hostNetns,
    processes: new Map(filebeats.map(({ process }) => [process.pid, process])),
    lastEnd: (one, release) => lastEndOf(one, release, rootfs),
    isUnitStarted: (unit) => fileCache.read('started units', undefined, rootfs, startedUnits)?.has(unit),
    failureOf: (known) => failureOf(known, host),
  };
  const drafts = merged.map((one) => draftOf(one, context));
  const instances = drafts.map(({ instance }) => instance);
  return {
    drafts,
    context,
    gaps: [
      ...truncateListeners(instances),
      ...merged.flatMap(undecidedGap),
      ...instances.flatMap(({ id, prediction }) => prediction.gaps.map((gap) => ({ ...gap, instance: id }))),
      ...merged.flatMap(({ candidates }) => candidates.flatMap(({ gaps }) => gaps ?? [])),
    ],
  };
}

/** By the lock file in its path.data, below the host's root or one that a unit names; others are gone with their process. */
function lastEndOf(
  { account, candidates: [{ root, pathData, start }] }: Merged<Origin>,
  release: string | undefined,
  rootfs: string,
): Instance['lastEnd'] {
  const rootDir = root === '/' ? rootfs : start?.rootDir;
  return rootDir && pathData !== undefined
    ? lastEnd(openFileView(rootDir, undefined, readerOfAccount(account)), pathData, release)
    : undefined;
}

/**
 * Why an instance that is only remembered could not start with the files on disk. Its environment is not remembered, so
 * faults that depend on a variable, or on whether owners and modes are checked, do not count. Another root than the host's
 * is gone with its process.
 */
function failureOf({ id, root, command, account }: RememberedInstance, { fileCache, rootfs }: Host): Fault | undefined {
  if (command === undefined || root !== '/') return undefined;
  const { prediction } = predictInstance(fileCache, `remembered ${id}`, { ...command, env: undefined }, rootfs, {
    reader: readerOfAccount(account),
  });
  const { outcome, reason } = prediction;
  return outcome !== 'exits' ||
    reason === undefined ||
    /^(?:wrong-owner|writable-by-others|undefined-variable)$/.test(reason.code)
    ? undefined
    : reason;
}
