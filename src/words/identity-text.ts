/** Why a process is an instance, or is not another one. */
import type { Claim, Difference, Identity } from '../model/model.js';

/** After `it has the command line of another, but`. */
export const differences: Record<Difference, string> = {
  user: 'it runs as another user',
  unit: 'it is in the control group of another unit',
  'network namespace': 'it is in another network namespace',
  files: 'it sees other files at those paths',
  program: 'its executable is another program',
  permission: 'it may not read that configuration',
};

const claims: Record<Claim, string> = {
  cgroup: 'it is in the control group of its unit, where only root puts a process',
  process: 'it is the process that was seen before',
  user: 'its user, network, files and program are those expected',
};

/** One line, without a full stop. */
export function identityText({ claim, outsideUnit, imitates }: Identity): string {
  const why = claim === undefined ? 'nothing but this process makes it an instance' : claims[claim];
  return [
    why,
    ...(outsideUnit ? ['it runs outside the unit that ought to run it'] : []),
    ...(imitates === undefined ? [] : [`it is not “${imitates.name}”: ${differences[imitates.differs]}`]),
  ].join('; ');
}
