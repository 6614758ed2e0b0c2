/**
 * Instances of ordinary users before they are remembered: short-lived ones leave nothing in the state. The running times of
 * processes with the same identity add up, so that an instance that restarts repeatedly is remembered too.
 */
import type { Candidate } from '../discovery/instances/candidate.js';
import type { Merged } from '../discovery/instances/instances.js';
import { processKey } from '../model/instance-rules.js';
import { sharesOf, withinShares } from '../model/limits.js';
import { isFuture } from '../runtime/clock.js';

export interface ProbationEntry {
  /** Uid of the user. */
  account: number;
  /** Its name in the last scan in which its process ran; rows of that name belong to it. */
  name?: string;
  /** Seconds for which its earlier processes ran. */
  before: number;
  /** `pid:start ticks` of the last process, and its age in seconds. */
  process: string;
  age: number;
  /** Seconds since the epoch when it was last seen. */
  at: number;
}

export type Probation = Readonly<Record<string, ProbationEntry>>;

export interface ProbationRules {
  /** Seconds that an instance must have run before it is remembered; 0: at once. */
  after: number;
  /** Seconds after which an instance that is gone is dropped; 0: never. */
  remember: number;
}

type Seen = Pick<Merged<Candidate>, 'id' | 'account' | 'process' | 'duplicate'> & { name?: string };

/** For all users together. */
const most = 512;

export function nextProbation(
  ripening: Probation,
  sightings: readonly { instance: Seen }[],
  now: number,
  { remember }: ProbationRules,
): Probation {
  const next: Record<string, ProbationEntry> = {};
  for (const { instance } of sightings) {
    const { id, name, account, process, duplicate } = instance;
    if (account === undefined || process === undefined || duplicate !== undefined) continue;
    const known = ripening[id];
    const key = processKey(process);
    const before = known === undefined ? 0 : known.process === key ? known.before : known.before + known.age;
    const age = Math.max(0, now - process.startTime);
    next[id] = { account, ...(name === undefined ? {} : { name }), before, process: key, age, at: now };
  }
  for (const [id, known] of Object.entries(ripening)) {
    const isOld = remember > 0 && !isFuture(known.at, now) && now - known.at >= remember;
    if (next[id] === undefined && !isOld) next[id] = known;
  }
  const rows = Object.entries(next);
  if (rows.length <= sharesOf(most).one) return next;
  rows.sort(([, a], [, b]) => b.before + b.age - (a.before + a.age));
  const { included } = withinShares(rows, most, ([, { account }]) => account);
  return Object.fromEntries([...included]);
}

/** Instances of the system are remembered at once. */
export function hasPassedProbation(ripening: Probation, { id, account }: Seen, { after }: ProbationRules): boolean {
  if (account === undefined) return true;
  const known = ripening[id];
  return known !== undefined && known.before + known.age >= after;
}
