/** Instances that share a path.data. Pure. */

import { applies, parseRelease } from '../filebeat/releases/releases.js';
import type { Instance, Mismatch } from '../model/model.js';
import { instanceMismatch } from './judge-instance.js';

/**
 * Several Filebeats on one path.data: by path within one root, or by device and inode. When an ordinary user points a Filebeat at
 * the data of another user, only that Filebeat gets the mismatch; if the other one suffers, its process and ports show it.
 */
export function dataPathConflicts(instances: readonly Instance[]): Mismatch[] {
  return sharingData(instances).flatMap((group) => {
    if (group.length < 2) return [];
    const sorted = [...group].sort(
      (a, b) => Number(b.process !== undefined) - Number(a.process !== undefined) || (a.name < b.name ? -1 : 1),
    );
    const systems = sorted.filter(({ account }) => account === undefined);
    const accounts = [...new Set(sorted.flatMap(({ account }) => account ?? []))];
    const own = [systems, ...accounts.map((one) => sorted.filter(({ account }) => account === one))];
    const owner = systems[0] ?? ownerOf(sorted);
    return [
      ...own.flatMap(([first, second]) => (first && second ? [conflict(first, second)] : [])),
      ...intrusions(sorted, owner),
    ];
  });
}

/** By path, and by inode where the directory exists. */
function keysOf({ dataKey, dataDirectory }: Instance): string[] {
  if (dataKey === undefined) return [];
  return dataDirectory === undefined ? [dataKey] : [dataKey, `inode ${dataDirectory.id}`];
}

/** Groups of instances with one data directory. */
function sharingData(instances: readonly Instance[]): Instance[][] {
  const all = instances.map((instance) => ({ instance, own: keysOf(instance) }));
  const keys = all.flatMap(({ own }) => own);
  // Usually each has its own.
  if (new Set(keys).size === keys.length) return [];
  const groups = new Map<string, { keys: Set<string>; members: Instance[] }>();
  for (const { instance, own } of all) {
    // Its path and its inode may join two groups that were separate so far.
    const joined = [...new Set(own.flatMap((key) => groups.get(key) ?? []))];
    const whole = {
      keys: new Set([...own, ...joined.flatMap(({ keys }) => [...keys])]),
      members: [...joined.flatMap(({ members }) => members), instance],
    };
    for (const key of whole.keys) groups.set(key, whole);
  }
  return [...new Set(groups.values())].map(({ members }) => members);
}

/** The instance of the user who owns the directory; if none does, the one that started first. */
function ownerOf(sorted: readonly Instance[]): Instance {
  const holder = sorted.find(({ account, dataDirectory }) => account === dataDirectory?.owner);
  const startOf = ({ process }: Instance) => process?.startTicks ?? Number.POSITIVE_INFINITY;
  return holder ?? [...sorted].sort((a, b) => startOf(a) - startOf(b))[0]!;
}

/** A warning where both releases lack the lock: then both run, and damage each other's registry. */
function conflict(at: Instance, other: Instance): Mismatch {
  const isMild = [at, other].every(hasNoLock);
  return instanceMismatch(at, 'data_path_conflict', {
    cause: { kind: 'shared-data-path', instance: other.name },
    ...(isMild ? { severity: 'warning' as const } : {}),
  });
}

function hasNoLock({ prediction }: Instance): boolean {
  const release = parseRelease(prediction.release.version);
  return release !== undefined && !applies('data-lock', release);
}

/** Running instances of other ordinary users. */
function intrusions(all: readonly Instance[], owner: Instance): Mismatch[] {
  return all
    .filter(({ account, process }) => account !== undefined && account !== owner.account && process !== undefined)
    .map((one) => ({ ...conflict(one, owner), severity: 'warning' as const }));
}
