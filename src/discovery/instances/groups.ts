/** Processes and what is expected of them → groups: what describes one Filebeat is in one group. Pure. */
import type { Answer, Claim, Difference } from '../../model/model.js';
import type { Candidate } from './candidate.js';
import { identityOf, isSystems, judgeIdentity, processIdentityOf } from './identity.js';
import { isProcessOf, isSame, isSameFiles, readsFilesOf, runsIn } from './sameness.js';

export interface Group<C extends Candidate> {
  /** The first one says how it runs or ought to. */
  candidates: C[];
  /** A second live process of one identity (2, 3, …), and the group of the first. */
  duplicate?: number;
  of?: Group<C>;
  /** What ties its process to what is expected. */
  claim?: Claim;
  /** The first expected one that has its files and that its process cannot be. */
  imitates?: { expected: C; differs: Difference };
  /** What is expected, where it cannot be told whether this process is it. */
  undecided?: C;
}

/** Strongest first; what was not judged by it comes last. */
const claims: readonly (Claim | undefined)[] = ['cgroup', 'process', 'user', undefined];

export const isFirst = ({ duplicate }: { duplicate?: number }) => duplicate === undefined;

export function processOf<C extends Candidate>({ candidates }: Group<C>): C | undefined {
  return candidates.find(({ process }) => process !== undefined);
}

/**
 * Live processes by identity. Of several with one identity the one in the unit's control group goes first, then the one
 * that is remembered, then the oldest, which a restart's overlap leaves its name; the others are twins beside it.
 */
export function groupProcesses<C extends Candidate>(processes: readonly C[], expected: readonly C[]): Group<C>[] {
  const rank = (process: C) => {
    if (expected.some((one) => one.origin === 'systemd' && runsIn(process, one))) return 0;
    if (expected.some((one) => isProcessOf(process, one))) return 1;
    const { unit } = processIdentityOf(process);
    return unit !== undefined && expected.some((one) => one.origin === 'systemd' && isSame(process, one)) ? 3 : 2;
  };
  const byIdentity = new Map<string, C[]>();
  for (const process of processes) {
    const id = identityOf(process);
    const list = byIdentity.get(id);
    if (list === undefined) byIdentity.set(id, [process]);
    else list.push(process);
  }
  return [...byIdentity.values()].flatMap((all) => {
    // Ages are in order already.
    const sorted = all.length === 1 ? all : [...all].sort((a, b) => rank(a) - rank(b));
    const first: Group<C> = { candidates: [sorted[0]!] };
    return [first, ...sorted.slice(1).map((process, at) => ({ candidates: [process], duplicate: at + 2, of: first }))];
  });
}

/** A declaration or a pattern goes with a unit's own process: root asks for the same files in both. */
function answerOf<C extends Candidate>(group: Group<C>, expected: C): Answer | undefined {
  const process = processOf(group);
  if (process === undefined) return undefined;
  if (group.claim === 'cgroup' && expected.origin !== 'systemd') return { is: 'belongs', by: 'cgroup' };
  return judgeIdentity(process, expected);
}

/**
 * The group that is what is expected, of those that ask for the same files; and at each of the others why it is not.
 * A group without a process belongs as it is.
 */
export function claimFor<C extends Candidate>(groups: readonly Group<C>[], expected: C): Group<C> | undefined {
  const found: { group: Group<C>; claim: Claim | undefined }[] = [];
  for (const group of groups) {
    const answer = answerOf(group, expected);
    if (answer === undefined) found.push({ group, claim: undefined });
    else if (answer.is === 'belongs') found.push({ group, claim: answer.by });
    else if (answer.is === 'cannot' && isImitated(expected, group))
      group.imitates ??= { expected, differs: answer.differs };
    else if (answer.is === 'unknown') group.undecided ??= expected;
  }
  // Groups are in order of age.
  const [best] = found.sort((a, b) => claims.indexOf(a.claim) - claims.indexOf(b.claim));
  if (best?.claim !== undefined) best.group.claim ??= best.claim;
  return best?.group;
}

/** What is only remembered may be asked for anew, with another network or other files, by the system itself. */
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
  const asSame = (unit: C) => firsts().filter((group) => group.candidates.some((c) => isSame(c, unit)));
  // Exact ones first, so that a process is not given to a unit that merely shares its cgroup.
  const exact = new Map(units.map((unit) => [unit, claimFor(asSame(unit), unit)]));
  for (const unit of units) {
    const inUnit = firsts()
      .filter((group) => group.candidates.some((c) => c.process !== undefined && runsIn(c, unit)))
      .sort((a, b) => (identityOf(a.candidates[0]!) < identityOf(b.candidates[0]!) ? -1 : 1));
    const found = exact.get(unit);
    const own =
      inUnit.find((group) => group === found) ?? inUnit.find((group) => !holdsUnit(group, units, unit)) ?? found;
    if (own !== undefined && inUnit.includes(own)) own.claim = 'cgroup';
    if (own !== undefined || unit.shouldRun !== false) join(groups, unit, own ?? claimFor(asSame(unit), unit));
  }
}

/** A unit that ought not to run says how what is only remembered was started, and why nothing starts it. */
export function joinIdleUnits<C extends Candidate>(groups: readonly Group<C>[], units: readonly C[]): void {
  for (const unit of units) {
    if (unit.shouldRun !== false || groups.some(({ candidates }) => candidates.includes(unit))) continue;
    const isOnce = (one: C) => one.origin === 'remembered' && runsIn(one, unit) && isSame(one, unit);
    const own = groups.find((group) => processOf(group) === undefined && group.candidates.some(isOnce));
    own?.candidates.push(unit);
  }
}

/** The process is exactly what another unit asks for. */
function holdsUnit<C extends Candidate>(group: Group<C>, units: readonly C[], but: C): boolean {
  return units.some((unit) => unit !== but && group.candidates.some((c) => isSame(c, unit) && runsIn(c, unit)));
}

export function joinDeclared<C extends Candidate>(groups: Group<C>[], declared: readonly C[]): void {
  for (const one of declared) {
    const same = groups.filter((group) => isFirst(group) && group.candidates.some((c) => isSame(c, one)));
    join(groups, one, claimFor(same, one));
  }
}

export function joinGlobs<C extends Candidate>(groups: Group<C>[], globs: readonly C[]): void {
  for (const glob of globs) {
    const asks = (c: C) => readsFilesOf(c, glob);
    join(
      groups,
      glob,
      claimFor(
        groups.filter((group) => isFirst(group) && group.candidates.some(asks)),
        glob,
      ),
    );
  }
}

/** An ordinary user's process that has the files and the data of something of the system's, and was not told yet. */
export function reportImitations<C extends Candidate>(groups: readonly Group<C>[]): void {
  const isAskedFor = ({ candidates }: Group<C>) => candidates.some((c) => c.origin !== 'process' && isSystems(c));
  const ofSystem = groups.filter((group) => isFirst(group) && group.candidates.some((c) => !isOrdinary(c)));
  for (const group of groups) {
    const process = processOf(group);
    if (process === undefined || !isOrdinary(process) || isAskedFor(group)) continue;
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
