/**
 * Upper limits of what is read. Anything beyond is a gap and a line in the log. No ordinary host comes near them;
 * docs/security.md has the table. Filebeat's own limits (such as YAML aliases) are with its rules.
 */
import type { Gap } from './model.js';

export const limits = {
  /** Processes listed in `/proc`; those with the lowest pids. */
  processes: 100_000,
  /** Descriptors of one process. */
  descriptors: 200_000,
  /** Filebeats; `scan/within-limits.ts` has the order of preference. */
  instances: 1000,
  /** Of one instance. */
  listeners: 2000,
  /** Of all instances; each is about five series. */
  listenersInAll: 25_000,
  /** Unreadable files and undetermined inputs of one instance. */
  troubles: 200,
  /** In one report. */
  gaps: 2000,
  /** A configuration file, bytes. */
  configBytes: 10 * 1024 * 1024,
  /** Files that one pattern of a configuration matches, and entries of a modules folder. */
  configEntries: 10_000,
  /** Main files that one pattern of the settings matches. */
  globMatches: 1000,
  /** Entries of one directory of unit files. */
  unitEntries: 20_000,
  /** A unit file, bytes. */
  unitBytes: 1024 * 1024,
  /** An init script, and a script that starts a Filebeat, bytes. */
  initScriptBytes: 256 * 1024,
  scriptBytes: 64 * 1024,
  /** Commands of a script, including what it sources. */
  scriptCommands: 5000,
  /** Units of work (about a microsecond each) for one prediction, and for those of all ordinary users in one scan. */
  predictionWork: 3_000_000,
  passWork: 4_000_000,
  /** One file of `/proc`, and the state file, bytes. */
  procBytes: 64 * 1024 * 1024,
  stateBytes: 64 * 1024 * 1024,
  /** Characters of a name or a path, as in the kernel; a longer one is cut and ends in a digest of the whole. */
  textChars: 4096,
  /** Characters of a label's value; a longer one is cut and ends in a digest of the whole. */
  labelChars: 1024,
} as const;

/** The gap for a limit: `count` were found, `most` of them are used. */
export function tooMany(subject: string, count: number, most: number): Gap {
  return { reason: 'limit', subject, detail: `${count} found, ${most} used` };
}

/**
 * Shares of `most`: an ordinary user may take a quarter, all ordinary users together half, so that no user who starts many
 * processes displaces those of others. The system (account 0) comes first and may take all.
 */
export function sharesOf(most: number): { one: number; all: number } {
  return { one: Math.floor(most / 4), all: Math.floor(most / 2) };
}

/** What accounts may still take of a limit. */
export interface Shares {
  /** What `account` may still take. */
  room(account: number): number;
  /** Takes up to `wanted` for `account` (0: the system); returns how much it got. */
  take(account: number, wanted: number): number;
}

export function createShares(most: number): Shares {
  const { one, all } = sharesOf(most);
  const taken = new Map<number, number>();
  let [left, ordinary] = [most, all];
  const room = (account: number) => {
    const own = taken.get(account) ?? 0;
    return Math.max(0, account === 0 ? left : Math.min(left, ordinary, one - own));
  };
  return {
    room,
    take(account, wanted) {
      const got = Math.min(wanted, room(account));
      taken.set(account, (taken.get(account) ?? 0) + got);
      left -= got;
      if (account !== 0) ordinary -= got;
      return got;
    },
  };
}

/**
 * The items within the shares, the system's first, and how many of each account are left out. `size`: what one item takes, all or
 * nothing.
 */
export function withinShares<T>(
  items: readonly T[],
  most: number,
  accountOf: (item: T) => number,
  size: (item: T) => number = () => 1,
): { included: Set<T>; left: Map<number, number> } {
  const shares = createShares(most);
  const included = new Set<T>();
  const left = new Map<number, number>();
  for (const item of [...items].sort((a, b) => Math.sign(accountOf(a)) - Math.sign(accountOf(b)))) {
    const [account, wanted] = [accountOf(item), size(item)];
    if (shares.room(account) >= wanted) {
      shares.take(account, wanted);
      included.add(item);
    } else left.set(account, (left.get(account) ?? 0) + 1);
  }
  return { included, left };
}
