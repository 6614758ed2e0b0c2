/** Filebeats in each other's way, and those that are not what their command line says. Pure. */

import { applies, parseRelease } from '../filebeat/releases/releases.js';
import { ageOf } from '../model/age.js';
import type { Instance, Mismatch } from '../model/model.js';
import { instanceMismatch } from './judge-instance.js';
import type { Scene } from './scene.js';

/**
 * Told at the imitator, once it stays: one look alone goes by the age of its process. `test`, `export` and `setup` end by
 * themselves and are no instances.
 */
export function lookalikes(instances: readonly Instance[], scene: Scene): Mismatch[] {
  return instances.flatMap((instance) => {
    const { process, identity } = instance;
    if (identity?.imitates === undefined || process === undefined) return [];
    if ((ageOf(process, scene.now) ?? 0) < scene.grace) return [];
    const { name, differs } = identity.imitates;
    return [instanceMismatch(instance, 'lookalike', { cause: { kind: 'imitates', instance: name, differs } })];
  });
}

/**
 * Several Filebeats on one path.data within one root. What an ordinary user points at the data of another is told at his
 * alone: whether it cost the other one anything the kernel tells, at its process and its ports.
 */
export function dataPathConflicts(instances: readonly Instance[]): Mismatch[] {
  const byPath = new Map<string, Instance[]>();
  for (const instance of instances) {
    if (instance.dataKey === undefined) continue;
    const list = byPath.get(instance.dataKey);
    if (list === undefined) byPath.set(instance.dataKey, [instance]);
    else list.push(instance);
  }
  return [...byPath.values()].flatMap((group) => {
    if (group.length < 2) return [];
    const sorted = [...group].sort(
      (a, b) => Number(b.process !== undefined) - Number(a.process !== undefined) || (a.name < b.name ? -1 : 1),
    );
    const systems = sorted.filter(({ account }) => account === undefined);
    const accounts = [...new Set(sorted.flatMap(({ account }) => account ?? []))];
    const own = [systems, ...accounts.map((one) => sorted.filter(({ account }) => account === one))];
    return [
      ...own.flatMap(([first, second]) => (first && second ? [conflict(first, second)] : [])),
      ...(systems[0] === undefined ? [] : intrusions(sorted, systems[0])),
    ];
  });
}

/** Releases without a lock both run, and damage each other's registry. */
function conflict(at: Instance, other: Instance): Mismatch {
  const isMild = [at, other].every(hasNoLock);
  return instanceMismatch(at, 'data_path_conflict', {
    cause: { kind: 'shared-data-path', instance: other.name },
    ...(isMild ? { severity: 'warning' as const } : {}),
  });
}

function hasNoLock({ prediction }: Instance): boolean {
  const { version } = prediction.release;
  const release = version === undefined ? undefined : parseRelease(version);
  return release !== undefined && !applies('data-lock', release);
}

function intrusions(all: readonly Instance[], of: Instance): Mismatch[] {
  return all
    .filter(({ account, process }) => account !== undefined && process !== undefined)
    .map((one) => ({ ...conflict(one, of), severity: 'warning' as const }));
}
