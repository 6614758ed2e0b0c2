/** What a pass keeps of more instances, listeners and gaps than it can carry, and the gaps that say so. Pure. */
import type { Merged } from '../discovery/instances/instances.js';
import { limits, tooMany } from '../model/limits.js';
import type { Gap, Instance } from '../model/model.js';
import type { Origin } from './origins.js';

/** Whoever may start processes could otherwise push out those that count: root's go first, then the oldest. */
export function instancesWithin(
  all: readonly Merged<Origin>[],
  lastSeen: (one: Merged<Origin>) => number,
  most: number = limits.instances,
): { kept: Merged<Origin>[]; gaps: Gap[] } {
  if (all.length <= most) return { kept: [...all], gaps: [] };
  const rank = ({ process, origins }: Merged<Origin>) =>
    process?.uid === 0 ? 0 : origins.some((o) => o === 'systemd' || o === 'declared') ? 1 : process ? 2 : 3;
  const order = (a: Merged<Origin>, b: Merged<Origin>) =>
    rank(a) - rank(b) ||
    (a.process?.startTicks ?? 0) - (b.process?.startTicks ?? 0) ||
    lastSeen(b) - lastSeen(a) ||
    (a.name < b.name ? -1 : 1);
  const kept = new Set([...all].sort(order).slice(0, most));
  return { kept: all.filter((one) => kept.has(one)), gaps: [tooMany('instances', all.length, most)] };
}

/** Cuts `expected` of the last instances where all together ask for too much. */
export function cutListeners(instances: readonly Instance[], most: number = limits.listenersInAll): Gap[] {
  const count = instances.reduce((sum, { expected }) => sum + expected.length, 0);
  if (count <= most) return [];
  let left = most;
  for (const instance of instances) {
    instance.expected = instance.expected.slice(0, left);
    left -= instance.expected.length;
  }
  return [tooMany('listeners', count, most)];
}

/** Each once; of too many the first, and one that says so. */
export function gapsWithin(gaps: readonly Gap[], most: number = limits.gaps): Gap[] {
  const seen = new Set<string>();
  const once = gaps.filter((gap) => {
    const key = `${gap.reason}|${gap.subject}|${gap.instance ?? ''}`;
    return !seen.has(key) && seen.add(key) !== undefined;
  });
  return once.length <= most ? once : [tooMany('gaps', once.length, most), ...once.slice(0, most)];
}
