/** A thread that compares passwords with bcrypt hashes (bcryptjs), so that the event loop is never blocked. */
import { parentPort } from 'node:worker_threads';
import { compareSync, hashSync } from 'bcryptjs';

export interface Comparison {
  password: string;
  hash: string;
  /** log2 of the rounds of `hash`. */
  cost: number;
  /** The comparison takes as long as one with a hash of this cost. */
  ceiling: number;
}

/** 2^cost rounds, then 2^cost + 2^(cost+1) + … + 2^(ceiling-1) more: 2^ceiling in total. */
export function compare({ password, hash, cost, ceiling }: Comparison): boolean {
  const equal = compareSync(password, hash);
  for (let extra = cost; extra < ceiling; extra++)
    hashSync(password, hash.slice(0, 4) + String(extra).padStart(2, '0') + hash.slice(6, 29));
  return equal;
}

parentPort?.on('message', (comparison: Comparison) => parentPort?.postMessage(compare(comparison)));
