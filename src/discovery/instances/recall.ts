/** Remembered instances → the groups of instances that run or should run: which instance continues which history. Pure. */
import type { Candidate } from './candidate.js';
import { claimFor, type Group, isFirst, processOf } from './groups.js';
import { identityOf, isSystems, judgeIdentity, mayContinue } from './identity.js';
import { isProcessOf, isSame, isSameComponent, isSameContainer, isSameFiles, runsIn } from './sameness.js';

type Rule<C extends Candidate> = (one: C, group: Group<C>) => boolean;

/** The id of a process that has the identity of an expected instance without being it: see `idsOf`. */
export const idBeside = (id: string, process: Candidate): string => `${id} in ${process.unit ?? 'none'}`;

export function attachRemembered<C extends Candidate>(remembered: readonly C[], groups: Group<C>[]): void {
  const firsts = groups.filter(isFirst);
  const hasHistory = (group: Group<C>) => group.candidates.some((c) => c.origin === 'remembered');
  const some = (test: (c: C, one: C) => boolean): Rule<C> => {
    return (one, group) => group.candidates.some((c) => test(c, one));
  };
  const rules: Rule<C>[] = [
    // The same process, even if its files have changed.
    some(isProcessOf),
    some((c, one) => c.origin === 'systemd' && runsIn(one, c) && isSame(c, one)),
    some((c, one) => identityOf(c) === one.remembered!.id || idBeside(identityOf(c), c) === one.remembered!.id),
    some(isSame),
    // The same unit or declaration after an edit: another configuration.
    some(
      (c, one) =>
        (c.origin === 'systemd' && runsIn(one, c)) ||
        (c.declaredName === one.remembered!.name && one.remembered!.origins.includes('declared')),
    ),
    // The main file was moved and is reached by a link from its former path.
    some(
      (c, one) =>
        c.config === one.config && c.config.startsWith('/') && isSame({ ...c, mainFiles: one.mainFiles }, one),
    ),
    some(isSameComponent),
    // The same files and path.data in a network namespace that was recreated, with another inode.
    some(
      (c, one) =>
        one.network.startsWith('netns ') &&
        c.network.startsWith('netns ') &&
        isSame({ ...c, network: one.network }, one),
    ),
    some(isSameContainer),
  ];
  let open = [...remembered];
  for (const [rank, rule] of rules.entries()) {
    open = open.filter((one) => {
      const matches = firsts.filter((group) => (rank <= 2 || !hasHistory(group)) && rule(one, group));
      const group = groupToContinue(matches, one);
      group?.candidates.push(one);
      return group === undefined;
    });
  }
  for (const one of open) {
    claimFor(
      firsts.filter((group) => processOf(group) !== undefined && group.candidates.some((c) => isSameFiles(c, one))),
      one,
    );
    groups.push({ candidates: [one] });
  }
  for (const group of firsts) sortHistories(group);
}

/** The group that may be a later run of the remembered instance. A process in its unit's control group needs no other proof. */
function groupToContinue<C extends Candidate>(groups: readonly Group<C>[], one: C): Group<C> | undefined {
  return groups.find((group) => {
    const process = processOf(group);
    if (process === undefined) return group.candidates.every((c) => c.origin === 'remembered' || mayContinue(one, c));
    if (isSystems(one) && group.claim === 'cgroup') return true;
    const answer = judgeIdentity(process, one);
    if (answer.is === 'belongs') group.claim ??= answer.by;
    return answer.is === 'belongs' || (isSystems(one) && hasProof(group));
  });
}

/** The process is linked to a unit or declaration of the system already: then it also continues the system's history. */
function hasProof<C extends Candidate>({ candidates, claim }: Group<C>): boolean {
  return claim !== undefined && candidates.some((c) => c.origin === 'systemd' || c.origin === 'declared');
}

/** The history of the same process first, then that of the same id. */
function sortHistories<C extends Candidate>({ candidates }: Group<C>): void {
  const main = candidates[0]!;
  const id = identityOf(main);
  const rank = (c: C) => (c.remembered === undefined ? 0 : isProcessOf(main, c) ? 1 : c.remembered.id === id ? 2 : 3);
  candidates.sort((a, b) => rank(a) - rank(b));
}
