/**
 * What the kernel lets a process read (path_resolution(7), capabilities(7), acl(5)). The exporter may read more than a Filebeat:
 * files that the Filebeat could not read must not enter its prediction.
 */
import type { IdRange, ProcessIdentity } from '../model/model.js';

/** Who reads, as far as permissions go. */
export interface Reader {
  uid: number;
  groups: readonly number[];
  /** Owners and groups to whose files its capabilities apply: those of its user namespace. */
  opens?: { uids: readonly IdRange[]; gids: readonly IdRange[] };
  /** Access that only an access control list could grant counts as denied. */
  isDoubted: boolean;
}

/** Permission bits as in the mode of others; see `mayUse`. */
export const READ = 4;
export const SEARCH = 1;

/** Undefined: it may read everything. A program that runs under a uid other than its user's counts as that user. */
export function readerOf({ uids, groups, readsAll, account, isProgram, opens }: ProcessIdentity): Reader | undefined {
  const isLent = account !== 0 && (isProgram === false || uids.some((uid) => uid !== uids[0]));
  const uid = isLent ? uids.find((one) => one !== 0) : uids[1];
  if (uid === undefined || uid === 0 || (readsAll && !isLent)) return undefined;
  return { uid, groups, isDoubted: account !== 0, ...(opens === undefined || isLent ? {} : { opens }) };
}

/** An ordinary user without a process, so that the groups are unknown. */
export function readerOfAccount(account: number | undefined): Reader | undefined {
  return account === undefined || account === 0 ? undefined : { uid: account, groups: [], isDoubted: true };
}

/** `bit`: READ, or SEARCH of a directory. */
export function mayUse(
  reader: Reader,
  { uid, gid, mode }: { uid: number; gid?: number; mode: number },
  bit: number,
): boolean {
  const isOwner = uid === reader.uid;
  const isOfGroup = gid !== undefined && reader.groups.includes(gid);
  const own = isOwner ? mode >> 6 : isOfGroup ? mode >> 3 : mode;
  if ((own & bit) !== 0) return true;
  const { opens } = reader;
  if (opens !== undefined && isIn(opens.uids, uid) && gid !== undefined && isIn(opens.gids, gid)) return true;
  // With an access control list, the group bits are the most that it can grant.
  return !isOwner && !reader.isDoubted && ((mode >> 3) & bit) !== 0;
}

function isIn(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ outside, count }) => id >= outside && id < outside + count);
}
