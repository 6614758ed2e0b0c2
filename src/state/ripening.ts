/**
 * Instances of ordinary users on their way to being remembered: what lives for a moment leaves no trace. The ages of the
 * processes of one identity add up, so that one that is restarted over and over gets there too. Pure.
 */
import type { Candidate } from '../discovery/instances/candidate.js';
import type { Merged } from '../discovery/instances/instances.js';
import { withinShares } from '../model/limits.js';
import { isFuture } from '../runtime/clock.js';

export interface RipeningEntry {
  /** The ordinary user whose it is. */
  account: number;
  /** That it had in the last pass, while its process ran: what is counted and learned under it is its own. */
  name?: string;
  /** Seconds that its earlier processes lived. */
  before: number;
  /** `pid:start ticks` of the last one, and how many seconds that has lived. */
  process: string;
  age: number;
  /** Seconds since the epoch when it was last seen. */
  at: number;
}

export type Ripening = Readonly<Record<string, RipeningEntry>>;

export interface RipeningRules {
  /** Seconds until one is remembered; 0 = at once. */
  after: number;
  /** Seconds after which one that is gone begins anew; 0 = never. */
  remember: number;
}

type Seen = Pick<Merged<Candidate>, 'id' | 'account' | 'process' | 'twin'> & { name?: string };

/** All users' together. */
const most = 512;

export function ripen(
  ripening: Ripening,
  sightings: readonly { instance: Seen }[],
  now: number,
  { remember }: RipeningRules,
): Ripening {
  const next: Record<string, RipeningEntry> = {};
  for (const { instance } of sightings) {
    const { id, name, account, process, twin } = instance;
    if (account === undefined || process === undefined || twin !== undefined) continue;
    const known = ripening[id];
    const key = `${process.pid}:${process.startTicks}`;
    const before = known === undefined ? 0 : known.process === key ? known.before : known.before + known.age;
    const age = Math.max(0, now - process.startTime);
    next[id] = { account, ...(name === undefined ? {} : { name }), before, process: key, age, at: now };
  }
  for (const [id, known] of Object.entries(ripening)) {
    const isOld = remember > 0 && !isFuture(known.at, now) && now - known.at >= remember;
    if (next[id] === undefined && !isOld) next[id] = known;
  }
  const rows = Object.entries(next).sort(([, a], [, b]) => b.before + b.age - (a.before + a.age));
  const { kept } = withinShares(rows, most, ([, { account }]) => account);
  return kept.size === rows.length ? next : Object.fromEntries([...kept]);
}

/** The system's are remembered at once. */
export function isRipe(ripening: Ripening, { id, account }: Seen, { after }: RipeningRules): boolean {
  if (account === undefined) return true;
  const known = ripening[id];
  return known !== undefined && known.before + known.age >= after;
}
