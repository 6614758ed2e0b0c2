/**
 * Whether a process is an expected instance: one rule for units, declarations, patterns and the memory. It is if it runs in
 * the unit's own control group, where only root can put it, or if its uids match and no readable fact contradicts. Names,
 * paths and command lines prove nothing, since any user can choose them. Pure.
 */
import type { Answer, Difference, FilebeatProcess, ProcessIdentity } from '../../model/model.js';
import { digestOf } from '../../runtime/digest.js';
import type { Candidate } from './candidate.js';
import { isProcessOf, runsIn } from './sameness.js';

/** `Candidate.network` of a process, as stable across restarts as possible. */
export function networkKey(process: Pick<FilebeatProcess, 'netns' | 'hostNetns' | 'container' | 'unit'>): string {
  if (process.hostNetns !== false) return 'host';
  if (process.container !== undefined) return 'own';
  return process.unit?.endsWith('.service') ? `unit ${process.unit}` : `netns ${process.netns ?? ''}`;
}

/** The opaque `Instance.id`. Root's ids are those of release 0.1.0, which had no owner. */
export function identityOf(
  candidate: Pick<Candidate, 'root' | 'network' | 'mainFiles' | 'pathData' | 'owner'>,
): string {
  const { root, network, mainFiles, pathData, owner = 0 } = candidate;
  return digest(JSON.stringify([root, network, mainFiles, pathData ?? '', ...(owner === 0 ? [] : [owner])]));
}

/** The identity of a process; from its uid alone where the rest is unknown. */
export function processIdentityOf({ identity, process, container, unit }: Candidate): ProcessIdentity {
  if (identity !== undefined) return identity;
  const uid = process?.uid ?? 0;
  const isSystems = container !== undefined || unit !== undefined;
  return {
    uids: [uid, uid, uid],
    innerUid: uid,
    groups: [],
    readsAll: uid === 0,
    account: isSystems ? 0 : uid,
    ...(unit === undefined || container !== undefined ? {} : { unit }),
  };
}

/** The uid that is part of an instance's id. A setuid-root program does not hide the uid of the user who started it. */
export function ownerOf({ uids, innerUid }: ProcessIdentity, isContained: boolean): number {
  return isContained ? innerUid : (uids.find((uid) => uid !== 0) ?? 0);
}

/** Whether the process is the expected instance. The caller has compared their files. */
export function judgeIdentity(process: Candidate, expected: Candidate): Answer {
  const identity = processIdentityOf(process);
  if (expected.origin === 'systemd' && runsIn(process, expected)) return { is: 'belongs', by: 'cgroup' };
  if (isRememberedProcess(process, expected, identity)) return { is: 'belongs', by: 'process' };
  if (isInRememberedUnit(expected, identity)) return { is: 'belongs', by: 'cgroup' };
  const user = judgeUser(process, expected, identity);
  const differs = user === false ? 'user' : differenceOf(process, expected, identity);
  if (differs !== undefined) return { is: 'cannot', differs };
  return user === undefined ? { is: 'unknown' } : { is: 'belongs', by: 'user' };
}

/** The process that was last seen of the instance, even if its files differ now; unless it now belongs to another user. */
function isRememberedProcess(process: Candidate, expected: Candidate, identity: ProcessIdentity): boolean {
  // Rows of release 0.1.0 have no owner: any is accepted.
  const isSameAccount = expected.owner === undefined || (expected.account ?? 0) === identity.account;
  return isSameAccount && isProcessOf(process, expected);
}

/** The instance was remembered in a unit of the system, and the process is in that unit's control group. */
function isInRememberedUnit(expected: Candidate, { unit, unitServesUsers }: ProcessIdentity): boolean {
  if (unitServesUsers) return false;
  return expected.origin === 'remembered' && isSystems(expected) && unit !== undefined && expected.unit === unit;
}

export function isSystems({ account = 0 }: Candidate): boolean {
  return account === 0;
}

/** Whether the process has the user of the expected instance. Undefined: that user is unknown, so nothing supports it. */
function judgeUser(process: Candidate, expected: Candidate, identity: ProcessIdentity): boolean | undefined {
  const account = expected.account ?? 0;
  // Any user can have any uid in a user namespace of his own, so the account is compared first.
  if (expected.container !== undefined || process.container !== undefined) {
    if (account !== identity.account) return false;
    return expected.users === undefined || expected.users.includes(identity.innerUid);
  }
  // Where the user of an instance of the system is unknown, root matches.
  const { users = account === 0 ? [0] : [] } = expected;
  const isAllowed = (uid: number) => users.includes(uid);
  if (identity.uids.every(isAllowed)) return true;
  if (expected.users !== undefined) return false;
  const hasOneUid = identity.uids.every((uid) => uid === identity.uids[0]);
  return hasOneUid ? undefined : false;
}

function differenceOf(process: Candidate, expected: Candidate, identity: ProcessIdentity): Difference | undefined {
  if (expected.origin === 'systemd' && identity.unit !== undefined) return 'unit';
  if (expected.network !== process.network && !mayBeSameNetwork(process, expected)) return 'network namespace';
  if (expected.root === '/' && process.hostView === false) return 'files';
  if (identity.isProgram === false) return 'program';
  if (process.canRead === false) return 'permission';
  return undefined;
}

/** A recreated namespace has another inode; whether a namespace is that of a unit cannot be seen from outside the unit. */
function mayBeSameNetwork(process: Candidate, expected: Candidate): boolean {
  return process.network.startsWith('netns ') && /^(?:netns|unit) /.test(expected.network);
}

/** The remembered instance may be an earlier run of the expected one; neither has a process. */
export function mayContinue(remembered: Candidate, expected: Candidate): boolean {
  return isSystems(remembered) || (remembered.owner !== undefined && (expected.users ?? []).includes(remembered.owner));
}

/** Every scan needs the same digests several times. */
const digests = new Map<string, string>();
const maxDigests = 10_000;

function digest(text: string): string {
  const known = digests.get(text);
  if (known !== undefined) return known;
  const value = digestOf(text, 24);
  if (digests.size >= maxDigests) digests.clear();
  digests.set(text, value);
  return value;
}
