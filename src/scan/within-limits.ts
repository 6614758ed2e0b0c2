/** Cuts instances, listeners and gaps beyond the limits, and reports each cut as a gap. Pure. */
import type { Merged } from '../discovery/instances/instances.js';
import { isConfiguredByRoot } from '../model/instance-rules.js';
import { createShares, limits, tooMany, withinShares } from '../model/limits.js';
import type { Gap, Instance, Listener } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';
import type { Origin } from './origins/candidate-origin.js';

/**
 * Order of preference: root's processes, units and declared instances, other processes, remembered instances; then the oldest.
 * Ordinary users have shares of the limit. Excluded instances are not scanned, and not forgotten either.
 */
export function instancesWithin(
  all: readonly Merged<Origin>[],
  lastSeen: (one: Merged<Origin>) => number,
  most: number = limits.instances,
): { included: Merged<Origin>[]; excluded: Merged<Origin>[]; gaps: Gap[] } {
  const rank = (one: Merged<Origin>) =>
    one.process?.uid === 0 ? 0 : isConfiguredByRoot(one) ? 1 : one.process ? 2 : 3;
  const order = (a: Merged<Origin>, b: Merged<Origin>) =>
    rank(a) - rank(b) ||
    (a.process?.startTicks ?? 0) - (b.process?.startTicks ?? 0) ||
    lastSeen(b) - lastSeen(a) ||
    (a.name < b.name ? -1 : 1);
  const accountOf = ({ account = 0 }: Merged<Origin>) => account;
  if (all.length <= most && !all.some(accountOf)) return { included: [...all], excluded: [], gaps: [] };
  const { included, left } = withinShares([...all].sort(order), most, accountOf);
  const gaps = [...left].map(([account, count]) => {
    const total = all.filter((one) => accountOf(one) === account).length;
    return tooMany(`instances${ofUser(account)}`, total, total - count);
  });
  return { included: all.filter((one) => included.has(one)), excluded: all.filter((one) => !included.has(one)), gaps };
}

const ofUser = (account: number) => (account === 0 ? '' : ` of uid ${account}`);

/**
 * Cuts `expected` where one instance, one ordinary user or all instances together have too many listeners. Sets `truncated`, so
 * that the instance is never called healthy.
 */
export function truncateListeners(
  instances: readonly Instance[],
  most: number = limits.listenersInAll,
  each: number = limits.listeners,
): Gap[] {
  const shares = createShares(most);
  const gaps: Gap[] = [];
  const systemsFirst = [...instances].sort((a, b) => Math.sign(a.account ?? 0) - Math.sign(b.account ?? 0));
  for (const instance of systemsFirst) {
    const count = instance.expected.length;
    const room = shares.take(instance.account ?? 0, Math.min(count, each));
    if (room < count) {
      instance.expected = firstOf(instance.expected, room);
      gaps.push({ ...tooMany(`listeners of “${instance.name}”`, count, room), instance: instance.id });
    }
    if (room < count || instance.prediction.gaps.some(({ reason }) => reason === 'limit')) instance.truncated = true;
  }
  return gaps;
}

const firstOf = perObject((listeners: Listener[], count: number): Listener[] => listeners.slice(0, count));

/** Each gap once; beyond the limit the first ones, the system's before those of ordinary users. */
export function gapsWithin(
  gaps: readonly Gap[],
  accountOf: (gap: Gap) => number = () => 0,
  most: number = limits.gaps,
): Gap[] {
  const seen = new Set<string>();
  const once = gaps.filter((gap) => {
    const key = `${gap.reason}|${gap.subject}|${gap.instance ?? ''}`;
    return !seen.has(key) && seen.add(key) !== undefined;
  });
  if (once.length <= most && !once.some(accountOf)) return once;
  const { included } = withinShares(once, most, accountOf);
  if (included.size === once.length) return once;
  return [tooMany('gaps', once.length, included.size), ...once.filter((gap) => included.has(gap))];
}
