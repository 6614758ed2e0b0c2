/** Processes and expected instances → groups: all candidates that describe one Filebeat are in one group. Pure. */
import type { Answer, Claim, Difference } from '../../model/model.js';
import { groupBy } from '../../runtime/group-by.js';
import type { Candidate } from './candidate.js';
import { identityOf, isSystems, judgeIdentity, processIdentityOf } from './identity.js';
import { isProcessOf, isSame, isSameFiles, readsFilesOf, runsIn } from './sameness.js';

export interface Group<C extends Candidate> {
  /** The first one says how it runs or should run. */
  candidates: C[];
  /** For a further live process with the same identity: its number (2, 3, …), and the group of the first process. */
  duplicate?: number;
  of?: Group<C>;
  /** The fact that links its process to an expected instance. */
  claim?: Claim;
  /** The first expected instance with the same files that its process cannot be, and why. */
  imitates?: { expected: C; differs: Difference };
  /** An expected instance with the same files that its process may be or not. */
  undecided?: C;
}

/** Strongest first; undefined: there is no process to judge. */
const claims: readonly (Claim | undefined)[] = ['cgroup', 'process', 'user', undefined];

export const isFirst = ({ duplicate }: { duplicate?: number }) => duplicate === undefined;

export function processOf<C extends Candidate>({ candidates }: Group<C>): C | undefined {
  return candidates.find(({ process }) => process !== undefined);
}

/**
 * One group per live process. Of several with one identity, the process in its unit's control group is first, then the
 * remembered one, then the oldest, so that a restart with overlapping processes does not change the name; the others are its
 * duplicates. `processes`: oldest first.
 */
export function groupProcesses<C extends Candidate>(processes: readonly C[], expected: readonly C[]): Group<C>[] {
  const units = expected.filter(({ origin }) => origin === 'systemd');
  const rank = (process: C) => {
    if (units.some((unit) => runsIn(process, unit))) return 0;
    if (expected.some((one) => isProcessOf(process, one))) return 1;
    const { unit } = processIdentityOf(process);
    return unit !== undefined && units.some((one) => isSame(process, one)) ? 3 : 2;
  };
  return [...groupBy(processes, identityOf).values()].flatMap((all) => {
    const sorted = all.length === 1 ? all : [...all].sort((a, b) => rank(a) - rank(b));
    const first: Group<C> = { candidates: [sorted[0]!] };
    return [first, ...sorted.slice(1).map((process, at) => ({ candidates: [process], duplicate: at + 2, of: first }))];
  });
}

/** A process in its unit's control group also belongs to a declaration or a pattern: root configured both. */
function answerOf<C extends Candidate>(group: Group<C>, expected: C): Answer | undefined {
  const process = processOf(group);
  if (process === undefined) return undefined;
  if (group.claim === 'cgroup' && expected.origin !== 'systemd') return { is: 'belongs', by: 'cgroup' };
  return judgeIdentity(process, expected);
}

/**
 * Of groups with the same files, the one to which an expected instance belongs. The others note why it is not theirs.
 * A group without a process matches.
 */
export function claimFor<C extends Candidate>(groups: readonly Group<C>[], expected: C): Group<C> | undefined {
  const matches: { group: Group<C>; claim: Claim | undefined }[] = [];
  for (const group of groups) {
    const answer = answerOf(group, expected);
    if (answer === undefined) matches.push({ group, claim: undefined });
    else if (answer.is === 'belongs') matches.push({ group, claim: answer.by });
    else if (answer.is === 'cannot' && isImitated(expected, group))
      group.imitates ??= { expected, differs: answer.differs };
    else if (answer.is === 'unknown') group.undecided ??= expected;
  }
  // Groups with equal claims stay in order of age.
  const [best] = matches.sort((a, b) => claims.indexOf(a.claim) - claims.indexOf(b.claim));
  if (best?.claim !== undefined) best.group.claim ??= best.claim;
  return best?.group;
}

/** A process of the system may be a remembered instance with a changed network or root: that is no imitation. */
function isImitated<C extends Candidate>(expected: C, group: Group<C>): boolean {
  if (!isSystems(expected) || expected.shouldRun === false) return false;
  const process = processOf(group)!;
  return expected.origin !== 'remembered' || processIdentityOf(process).account !== 0;
}

export function join<C extends Candidate>(groups: Group<C>[], candidate: C, group: Group<C> | undefined): void {
  if (group) group.candidates.push(candidate);
  else groups.push({ candidates: [candidate] });
}

export function joinUnits<C extends Candidate>(groups: Group<C>[], units: readonly C[]): void {
  const firsts = () => groups.filter(isFirst);
  const sameAs = (unit: C) => firsts().filter((group) => group.candidates.some((c) => isSame(c, unit)));
  // Units with the files of a process come first, so that the process does not go to another unit in its control group.
  const exact = new Map(units.map((unit) => [unit, claimFor(sameAs(unit), unit)]));
  for (const unit of units) {
    const inUnit = firsts()
      .filter((group) => group.candidates.some((c) => c.process !== undefined && runsIn(c, unit)))
      .sort((a, b) => (identityOf(a.candidates[0]!) < identityOf(b.candidates[0]!) ? -1 : 1));
    const same = exact.get(unit);
    const group = inUnit.find((one) => one === same) ?? inUnit.find((one) => !belongsToOther(one, units, unit)) ?? same;
    if (group !== undefined && inUnit.includes(group)) group.claim = 'cgroup';
    if (group !== undefined || unit.shouldRun !== false) join(groups, unit, group ?? claimFor(sameAs(unit), unit));
  }
}

/** A unit that should not run joins the remembered instance it once started, to say how that starts and why nothing starts it. */
export function joinIdleUnits<C extends Candidate>(groups: readonly Group<C>[], units: readonly C[]): void {
  for (const unit of units) {
    if (unit.shouldRun !== false || groups.some(({ candidates }) => candidates.includes(unit))) continue;
    const isFormer = (one: C) => one.origin === 'remembered' && runsIn(one, unit) && isSame(one, unit);
    const group = groups.find((one) => processOf(one) === undefined && one.candidates.some(isFormer));
    group?.candidates.push(unit);
  }
}

/** The process runs in another unit and has that unit's files. */
function belongsToOther<C extends Candidate>(group: Group<C>, units: readonly C[], than: C): boolean {
  return units.some((unit) => unit !== than && group.candidates.some((c) => isSame(c, unit) && runsIn(c, unit)));
}

export function joinDeclared<C extends Candidate>(groups: Group<C>[], declared: readonly C[]): void {
  for (const one of declared) {
    const same = groups.filter((group) => isFirst(group) && group.candidates.some((c) => isSame(c, one)));
    join(groups, one, claimFor(same, one));
  }
}

export function joinGlobs<C extends Candidate>(groups: Group<C>[], globs: readonly C[]): void {
  for (const glob of globs) {
    const same = groups.filter((group) => isFirst(group) && group.candidates.some((c) => readsFilesOf(c, glob)));
    join(groups, glob, claimFor(same, glob));
  }
}

/** Notes which of the remaining processes of ordinary users have the files and path.data of an instance of the system. */
export function noteImitations<C extends Candidate>(groups: readonly Group<C>[]): void {
  const isExpected = ({ candidates }: Group<C>) => candidates.some((c) => c.origin !== 'process' && isSystems(c));
  const ofSystem = groups.filter((group) => isFirst(group) && group.candidates.some((c) => !isOrdinary(c)));
  for (const group of groups) {
    const process = processOf(group);
    if (process === undefined || !isOrdinary(process) || isExpected(group)) continue;
    if (group.imitates !== undefined || group.undecided !== undefined) continue;
    const expected = ofSystem
      .flatMap(({ candidates }) => candidates)
      .find((c) => !isOrdinary(c) && isSameFiles(c, process));
    if (expected !== undefined) group.imitates = { expected, differs: 'user' };
  }
}

function isOrdinary(candidate: Candidate): boolean {
  if (candidate.process !== undefined) return processIdentityOf(candidate).account !== 0;
  return !isSystems(candidate) || candidate.shouldRun === false;
}
