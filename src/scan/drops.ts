/** What a scan adds to the ledger of dropped datagrams. Pure. */

import { endpointKey } from '../model/endpoint.js';
import type { Instance, Listener, Snapshot } from '../model/model.js';
import { createResultCache, perObject } from '../runtime/unchanged.js';
import { advance, droppedWithin, type Ledger, type LedgerEntry, ledgerKey } from '../state/ledger.js';
import { type Fit, fitOf, type SocketIndex, servingSockets } from './socket-index.js';

type Drops = NonNullable<Snapshot['drops']>;

/** The key of each listener whose drops are counted. */
const keysOf = perObject((expected: readonly Listener[], name: string): (string | undefined)[] =>
  expected.map(({ protocol, address, port, target: { kind } }) =>
    protocol !== 'udp' || kind === 'invalid' || kind === 'unresolved'
      ? undefined
      : ledgerKey(name, protocol, address, port),
  ),
);

/** Drops of one instance that another scan with the same sockets and ledger entries leaves as they are. */
const settled = createResultCache<Fit, Drops[string]>();

/**
 * Adds the drops of this scan to the ledger. `instances`: without duplicates, whose names do not last. `now`: seconds since
 * the epoch.
 */
export function accountForDrops(
  ledger: Ledger,
  instances: readonly Instance[],
  index: SocketIndex,
  context: { now: number; bootId: string },
): { ledger: Ledger; drops: Drops } {
  const drops: Drops = {};
  const changed: Record<string, LedgerEntry> = {};
  let changes = 0;
  for (const instance of instances) {
    const fit = fitOf(instance, index);
    const keys = keysOf(instance.expected, instance.name);
    const entries = keys.map((key) => (key === undefined ? undefined : ledger[key]));
    const before = settled.get(fit, [context.bootId, entries]);
    if (before !== undefined) {
      drops[instance.id] = before;
      continue;
    }
    const own: Drops[string] = {};
    let isQuiet = true;
    for (const [at, key] of keys.entries()) {
      if (key === undefined) continue;
      const known = changed[key] ?? ledger[key];
      const entry = advance(known, servingSockets(instance, at, index), context);
      entries[at] = entry;
      if (entry === undefined) continue;
      if (entry !== known) {
        changed[key] = entry;
        changes++;
      }
      const { total, rises } = entry;
      isQuiet &&= rises.length === 0;
      own[endpointKey(instance.expected[at]!)] = { total, recent: droppedWithin(entry, context.now, 300) };
    }
    drops[instance.id] = own;
    // A listener without a socket of its own may be served by one with an unknown owner, which `fit` does not tell.
    if (fit.lacksNothing && isQuiet) settled.set(fit, [context.bootId, entries], own);
    else settled.delete(fit);
  }
  return { ledger: changes === 0 ? ledger : { ...ledger, ...changed }, drops };
}
