/**
 * Which expected instance a process may be. The one rule for units, declarations, patterns and the memory: a process
 * belongs to what is expected if it is in the unit's own control group, where only root puts it, or if nothing that can be
 * read speaks against it and its uids speak for it. Names, paths and command lines prove nothing: anybody may have them.
 * Pure.
 */
import { createHash } from 'node:crypto';
import type { Answer, Difference, FilebeatProcess, ProcessIdentity } from '../../model/model.js';
import type { Candidate } from './candidate.js';
import { isProcessOf, runsIn } from './sameness.js';

/** Identity of a process's network that survives restarts as far as anything can. */
export function networkKey(process: Pick<FilebeatProcess, 'netns' | 'hostNetns' | 'container' | 'unit'>): string {
  if (process.hostNetns !== false) return 'host';
  if (process.container !== undefined) return 'own';
  return process.unit?.endsWith('.service') ? `unit ${process.unit}` : `netns ${process.netns ?? ''}`;
}

/** The opaque `Instance.id`. Root's is what release 0.1.0 made of it, which knew no owner. */
export function identityOf(
  candidate: Pick<Candidate, 'root' | 'network' | 'mainFiles' | 'pathData' | 'owner'>,
): string {
  const { root, network, mainFiles, pathData, owner = 0 } = candidate;
  return digest(JSON.stringify([root, network, mainFiles, pathData ?? '', ...(owner === 0 ? [] : [owner])]));
}

/** Of a process; where it was not looked into, its uid has to do. */
export function processIdentityOf({ identity: standing, process, container, unit }: Candidate): ProcessIdentity {
  if (standing !== undefined) return standing;
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

/** The uid that counts for the identity: one that is not root's cannot be hidden behind a program that lends root's. */
export function ownerOf({ uids, innerUid }: ProcessIdentity, isContained: boolean): number {
  return isContained ? innerUid : (uids.find((uid) => uid !== 0) ?? 0);
}

/** May this process be what is expected? Both are taken to ask for the same files already. */
export function judgeIdentity(process: Candidate, expected: Candidate): Answer {
  const standing = processIdentityOf(process);
  if (expected.origin === 'systemd' && runsIn(process, expected)) return { is: 'belongs', by: 'cgroup' };
  if (isRememberedProcess(process, expected, standing)) return { is: 'belongs', by: 'process' };
  if (isInRememberedUnit(expected, standing)) return { is: 'belongs', by: 'cgroup' };
  const user = judgeUser(process, expected, standing);
  const against =
    user === false
      ? 'user'
      : expected.origin === 'systemd' && standing.unit !== undefined
        ? 'unit'
        : differenceOf(process, expected, standing);
  if (against !== undefined) return { is: 'cannot', differs: against };
  return user === undefined ? { is: 'unknown' } : { is: 'belongs', by: 'user' };
}

/** The very process that was seen last, whatever has become of its files; by another user's hand it is another one. */
function isRememberedProcess(process: Candidate, expected: Candidate, standing: ProcessIdentity): boolean {
  // Release 0.1.0 wrote no owner: whose process it was, it goes on as.
  const isHis = expected.owner === undefined || (expected.account ?? 0) === standing.account;
  return isHis && isProcessOf(process, expected);
}

/** Remembered as running in a unit of the system, and found in that unit's control group. */
function isInRememberedUnit(expected: Candidate, { unit, unitServesUsers }: ProcessIdentity): boolean {
  if (unitServesUsers) return false;
  return expected.origin === 'remembered' && isSystems(expected) && unit !== undefined && expected.unit === unit;
}

export function isSystems({ account = 0 }: Candidate): boolean {
  return account === 0;
}

/** Undefined: whom it is to run as cannot be told, or is another one than root, and then nothing speaks for it. */
function judgeUser(process: Candidate, expected: Candidate, standing: ProcessIdentity): boolean | undefined {
  const account = expected.account ?? 0;
  // What a container counts as its uids anybody may have in a user namespace of his own.
  if (expected.container !== undefined || process.container !== undefined) {
    if (account !== standing.account) return false;
    return expected.users === undefined || expected.users.includes(standing.innerUid);
  }
  // Where nobody can tell whom it is to run as, root may be he: of what is the system's.
  const { users = account === 0 ? [0] : [] } = expected;
  const isAllowed = (uid: number) => users.includes(uid);
  if (standing.uids.every(isAllowed)) return true;
  if (expected.users !== undefined) return false;
  const isOne = standing.uids.every((uid) => uid === standing.uids[0]);
  return isOne ? undefined : false;
}

function differenceOf(process: Candidate, expected: Candidate, standing: ProcessIdentity): Difference | undefined {
  if (expected.network !== process.network && !isNetworkMadeAnew(process, expected)) return 'network namespace';
  if (expected.root === '/' && process.hostView === false) return 'files';
  if (standing.isProgram === false) return 'program';
  if (process.canRead === false) return 'permission';
  return undefined;
}

/** Number of a network namespace that outlived nobody; a unit's own network cannot be told from outside of it. */
function isNetworkMadeAnew(process: Candidate, expected: Candidate): boolean {
  if (process.network.startsWith('netns '))
    return expected.network.startsWith('netns ') || expected.network.startsWith('unit ');
  return false;
}

/** What the memory knows of one that is down may be the history of what is expected there. */
export function mayContinue(remembered: Candidate, expected: Candidate): boolean {
  return isSystems(remembered) || (remembered.owner !== undefined && (expected.users ?? []).includes(remembered.owner));
}

/** The same identities are asked for on every scan, and several times in it. */
const digests = new Map<string, string>();
const maxDigests = 10_000;

function digest(text: string): string {
  const known = digests.get(text);
  if (known !== undefined) return known;
  const made = createHash('sha256').update(text).digest('hex').slice(0, 24);
  if (digests.size >= maxDigests) digests.clear();
  digests.set(text, made);
  return made;
}
