/** A thread that compares passwords with bcrypt hashes (bcryptjs), so that the event loop never waits for one. */
import { parentPort } from 'node:worker_threads';
import { compareSync, hashSync } from 'bcryptjs';

export interface Comparison {
  password: string;
  hash: string;
  /** log2 of the rounds of `hash`. */
  cost: number;
  /** Take as long as a hash of this cost takes. */
  ceiling: number;
}

/** 2^cost rounds, then as many again up to 2^ceiling: c + c + (c+1) + … + (ceiling-1). */
export function compare({ password, hash, cost, ceiling }: Comparison): boolean {
  const equal = compareSync(password, hash);
  for (let extra = cost; extra < ceiling; extra++)
    hashSync(password, hash.slice(0, 4) + String(extra).padStart(2, '0') + hash.slice(6, 29));
  return equal;
}

parentPort?.on('message', (comparison: Comparison) => parentPort?.postMessage(compare(comparison)));
