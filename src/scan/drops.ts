/** What a scan adds to the ledger of dropped datagrams. Pure. */

import { endpointKey } from '../model/endpoint.js';
import type { Instance, Listener, Snapshot } from '../model/model.js';
import { isSameList, perObject } from '../runtime/unchanged.js';
import { advance, droppedWithin, type Ledger, type LedgerEntry, ledgerKey } from '../state/ledger.js';
import { type Fit, fitOf, type SocketIndex, servingSockets } from './socket-index.js';

type Drops = NonNullable<Snapshot['drops']>;

type Keys = readonly (string | undefined)[];

/** The key of each listener whose drops are counted. */
const keysOf = perObject(
  (expected: readonly Listener[], name: string): Keys =>
    expected.map(({ protocol, address, port, target: { kind } }) =>
      protocol !== 'udp' || kind === 'invalid' || kind === 'unresolved'
        ? undefined
        : ledgerKey(name, protocol, address, port),
    ),
);

/** Drops of one instance that another scan with the same sockets and ledger entries leaves as they are. */
interface Settled {
  own: Drops[string];
  bootId: string;
  keys: Keys;
  /** By listener, as in `keys`. */
  entries: readonly (LedgerEntry | undefined)[];
  /** The last ledger that was seen to have these entries. While nothing at all changes in it, it need not be searched. */
  ledger?: Ledger;
}

const settled = new WeakMap<Fit, Settled>();

const entriesAt = (keys: Keys, ledger: Ledger) => keys.map((key) => (key === undefined ? undefined : ledger[key]));

function settledDrops(fit: Fit, keys: Keys, ledger: Ledger, bootId: string): Drops[string] | undefined {
  const before = settled.get(fit);
  if (before?.bootId !== bootId || before.keys !== keys) return undefined;
  if (before.ledger !== ledger && !isSameList(before.entries, entriesAt(keys, ledger))) return undefined;
  before.ledger = ledger;
  return before.own;
}

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
    const before = settledDrops(fit, keys, ledger, context.bootId);
    if (before !== undefined) {
      drops[instance.id] = before;
      continue;
    }
    const entries = entriesAt(keys, ledger);
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
    if (fit.lacksNothing && isQuiet) settled.set(fit, { own, bootId: context.bootId, keys, entries });
    else settled.delete(fit);
  }
  return { ledger: changes === 0 ? ledger : { ...ledger, ...changed }, drops };
}
