/**
 * Which known Filebeats a scan reads in full. Any user can start many processes that look like Filebeats; so of those of
 * ordinary users, each scan reads only some in full, in turn. Of the others it verifies what must never be wrong: that the same
 * process still runs the same program, and its sockets. Each user has an equal share, so that one who starts a thousand
 * processes delays only his own.
 */
import { groupBy } from '../../runtime/group-by.js';

/** For all ordinary users together; each user has at least one. */
export const FULL_READS_PER_SCAN = 32;

/** A Filebeat of an ordinary user. `account`: as in `ProcessIdentity`. */
export interface Waiting {
  pid: number;
  account: number;
}

/** Returns a function from all that run now to the pids whose turn it is. */
export function createRotation(
  most: number = FULL_READS_PER_SCAN,
): (waiting: readonly Waiting[]) => ReadonlySet<number> {
  /** By account: the last pid that had its turn. */
  let last = new Map<number, number>();
  return (waiting) => {
    if (waiting.length <= most) return new Set(waiting.map(({ pid }) => pid));
    const byAccount = groupBy(waiting, ({ account }) => account);
    const share = Math.max(1, Math.floor(most / byAccount.size));
    const turns = [...byAccount].map(([account, ofOne]) => {
      const pids = ofOne.map(({ pid }) => pid);
      return [account, nextOf(pids, last.get(account) ?? 0, share)] as const;
    });
    last = new Map(turns.map(([account, turn]) => [account, turn.at(-1)!]));
    return new Set(turns.flatMap(([, turn]) => turn));
  };
}

function nextOf(pids: readonly number[], last: number, count: number): number[] {
  const sorted = [...pids].sort((a, b) => a - b);
  const from = Math.max(
    0,
    sorted.findIndex((pid) => pid > last),
  );
  return Array.from({ length: Math.min(count, sorted.length) }, (_, at) => sorted[(from + at) % sorted.length]!);
}
