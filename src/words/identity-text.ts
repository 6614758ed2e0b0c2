/** Why a process is considered an instance, or not to be another one. Pure. */
import type { Claim, Difference, Identity } from '../model/model.js';

/** After `it has the command line of another, but`. */
export const differences: Record<Difference, string> = {
  user: 'it runs as another user',
  unit: 'it is in the control group of another unit',
  'network namespace': 'it is in another network namespace',
  files: 'it sees other files at those paths',
  program: 'its executable is another program',
  permission: 'it has no permission to read that configuration',
};

const claims: Record<Claim, string> = {
  cgroup: 'it is in the control group of its unit, where only root can put a process',
  process: 'it is the process that was seen before',
  user: 'its user, network, files and program are as expected',
};

/** One line, without a full stop. */
export function identityText({ claim, outsideUnit, imitates }: Identity): string {
  const why = claim === undefined ? 'it is expected only because it runs' : claims[claim];
  return [
    why,
    ...(outsideUnit ? ['it runs outside the unit that should run it'] : []),
    ...(imitates === undefined ? [] : [`it is not “${imitates.name}”: ${differences[imitates.differs]}`]),
  ].join('; ');
}
