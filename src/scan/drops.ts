/** What a scan adds to the ledger of dropped datagrams. Pure. */

import { endpointKey } from '../model/endpoint.js';
import type { Instance, Listener, Snapshot } from '../model/model.js';
import { isSameList, perObject } from '../runtime/unchanged.js';
import { advance, droppedWithin, type Ledger, type LedgerEntry, ledgerKey } from '../state/ledger.js';
import { type Fit, fitOf, type SocketIndex, servingSockets } from './socket-index.js';

type Drops = NonNullable<Snapshot['drops']>;

type Keys = readonly (string | undefined)[];
/** By listener, as the keys. */
type Entries = readonly (LedgerEntry | undefined)[];

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
  entries: Entries;
  /** The last ledger that was seen to have these entries. While nothing at all changes in it, it need not be searched. */
  ledger?: Ledger;
}

const settled = new WeakMap<Fit, Settled>();

const entriesAt = (keys: Keys, ledger: Ledger): Entries =>
  keys.map((key) => (key === undefined ? undefined : ledger[key]));

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
    const entries = keys.map((key, at) => {
      if (key === undefined) return undefined;
      const known = changed[key] ?? ledger[key];
      const own = fit.serving[at]!;
      const entry = advance(known, own.length > 0 ? own : servingSockets(instance, at, index), context);
      if (entry !== undefined && entry !== known) {
        changed[key] = entry;
        changes++;
      }
      return entry;
    });
    const isQuiet = entries.every((entry) => entry === undefined || entry.rises.length === 0);
    const own = isQuiet
      ? quietDrops(keys, entries, instance.expected)
      : dropsOf(entries, instance.expected, context.now);
    drops[instance.id] = own;
    // A listener without a socket of its own may be served by one with an unknown owner, which `fit` does not tell.
    if (fit.lacksNothing && isQuiet) settled.set(fit, { own, bootId: context.bootId, keys, entries });
    else settled.delete(fit);
  }
  return { ledger: changes === 0 ? ledger : { ...ledger, ...changed }, drops };
}

function dropsOf(entries: Entries, expected: readonly Listener[], now: number): Drops[string] {
  const own: Drops[string] = {};
  for (const [at, entry] of entries.entries())
    if (entry !== undefined)
      own[endpointKey(expected[at]!)] = { total: entry.total, recent: droppedWithin(entry, now, 300) };
  return own;
}

/** The same object while the entries are the same: without recent drops they depend on nothing else. */
const quietDrops = perObject((_keys: Keys, entries: Entries, expected: readonly Listener[]) =>
  dropsOf(entries, expected, 0),
);
