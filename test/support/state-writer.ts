/** Writes consistent states to the file argv[2] as fast as it can, until it is killed. */
import { openMemory } from '../../src/state/memory.js';
import type { State } from '../../src/state/memory-state.js';
import { stateNumber } from './states.js';

const { memory, state } = openMemory(process.argv[2]!, () => {});
let number = Object.values(state.instances)[0]?.restarts ?? 0;
for (;;) {
  number += 1;
  const next: State = stateNumber(number);
  if (!memory.save(next, Date.now() / 1000)) process.exit(3);
}
