/**
 * Which Filebeats a scan reads in full. Anybody may start many processes that look like Filebeats; so of those of ordinary users a
 * scan reads only some in full, in turn. Of the others it verifies what must not be wrong: that the same process still runs the
 * same program, and its sockets. Users share the number equally, so one who starts a thousand delays only himself.
 */

/** Of all ordinary users together, in one scan; each user has at least one. */
export const MOST_IN_FULL = 32;

/** `account`: the user, as in `ProcessIdentity`. */
export interface Waiting {
  pid: number;
  account: number;
}

/** Returns the pids whose turn it is, of all that run now. */
export function createTurns(most: number = MOST_IN_FULL): (all: readonly Waiting[]) => ReadonlySet<number> {
  /** By account: the last pid that had its turn. */
  let last = new Map<number, number>();
  return (all) => {
    if (all.length <= most) return new Set(all.map(({ pid }) => pid));
    const pids = new Map<number, number[]>();
    for (const { pid, account } of all) {
      const own = pids.get(account);
      if (own === undefined) pids.set(account, [pid]);
      else own.push(pid);
    }
    const share = Math.max(1, Math.floor(most / pids.size));
    const turns = [...pids].map(([account, own]) => [account, nextOf(own, last.get(account) ?? 0, share)] as const);
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
