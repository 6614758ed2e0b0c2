/** What the memory knows, tied to what runs or ought to: which instance continues which history. Pure. */
import type { Candidate } from './candidate.js';
import { claimFor, type Group, isFirst, processOf } from './groups.js';
import { identityOf, isSystems, judgeIdentity, mayContinue } from './identity.js';
import { isProcessOf, isSame, isSameComponent, isSameContainer, isSameFiles, runsIn } from './sameness.js';

type Rule<C extends Candidate> = (one: C, group: Group<C>) => boolean;

/** The id of a process that has the identity of what is expected, and is not it: see `idsOf`. */
export const besides = (id: string, process: Candidate): string => `${id} in ${process.unit ?? 'none'}`;

export function attachRemembered<C extends Candidate>(remembered: readonly C[], groups: Group<C>[]): void {
  const firsts = groups.filter(isFirst);
  const isTaken = (group: Group<C>) => group.candidates.some((c) => c.origin === 'remembered');
  const some = (test: (c: C, one: C) => boolean): Rule<C> => {
    return (one, group) => group.candidates.some((c) => test(c, one));
  };
  const rules: Rule<C>[] = [
    // The very same process, whatever has become of its files meanwhile.
    some(isProcessOf),
    some((c, one) => c.origin === 'systemd' && runsIn(one, c) && isSame(c, one)),
    some((c, one) => identityOf(c) === one.remembered!.id || besides(identityOf(c), c) === one.remembered!.id),
    some(isSame),
    // The unit or the declaration was edited: the same instance with another configuration.
    some(
      (c, one) =>
        (c.origin === 'systemd' && runsIn(one, c)) ||
        (c.declaredName === one.remembered!.name && one.remembered!.origins.includes('declared')),
    ),
    // Its main file lies elsewhere now, and a link leads there from where it is asked for.
    some(
      (c, one) =>
        c.config === one.config && c.config.startsWith('/') && isSame({ ...c, mainFiles: one.mainFiles }, one),
    ),
    some(isSameComponent),
    // A network namespace made anew (its inode is another one) under the same files and data.
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
      const asked = firsts.filter((g) => (rank <= 2 || !isTaken(g)) && rule(one, g));
      const group = asked.length === 0 ? undefined : continuing(asked, one);
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
  for (const group of firsts) ownHistoryFirst(group);
}

/** The one whose history it may be. What is tied to a unit's process by its control group needs no other sign. */
function continuing<C extends Candidate>(groups: readonly Group<C>[], one: C): Group<C> | undefined {
  return groups.find((group) => {
    const process = processOf(group);
    if (process === undefined) return group.candidates.every((c) => c.origin === 'remembered' || mayContinue(one, c));
    if (isSystems(one) && group.claim === 'cgroup') return true;
    const answer = judgeIdentity(process, one);
    if (answer.is === 'belongs') group.claim ??= answer.by;
    return answer.is === 'belongs' || (isSystems(one) && hasProof(group));
  });
}

/** Something of the system's is tied to its process already, by its uid: then the history of that comes along. */
function hasProof<C extends Candidate>({ candidates, claim }: Group<C>): boolean {
  return claim !== undefined && candidates.some((c) => c.origin === 'systemd' || c.origin === 'declared');
}

/** The history of the very process goes first, then that of the very identity. */
function ownHistoryFirst<C extends Candidate>({ candidates }: Group<C>): void {
  const main = candidates[0]!;
  const id = identityOf(main);
  const rank = (c: C) => (c.remembered === undefined ? 0 : isProcessOf(main, c) ? 1 : c.remembered.id === id ? 2 : 3);
  candidates.sort((a, b) => rank(a) - rank(b));
}
