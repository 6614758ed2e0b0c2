/** What a pass adds to the accounts kept over time: drops per listener, and sockets on their way to being learned. Pure. */

import { endpointKey } from '../model/endpoint.js';
import type { Instance, Snapshot } from '../model/model.js';
import { expireLearned, type Learned, type LearnRules, learn } from '../state/learned.js';
import { advance, droppedWithin, type Ledger, type LedgerEntry, ledgerKey } from '../state/ledger.js';
import { answers, type Fit, fitOf, type SocketIndex, servingSockets, socketsOf } from './socket-index.js';

type Drops = NonNullable<Snapshot['drops']>;

/** What one instance's entries came to, for as long as they and the sockets counted in them stay what they are. */
interface Settled {
  name: string;
  bootId: string;
  entries: (readonly [key: string, entry: LedgerEntry])[];
  drops: Drops[string];
}

const settled = new WeakMap<Fit, Settled>();

/** Of instances whose name will stand tomorrow: not of twins. `now`: seconds since the epoch. */
export function accountForDrops(
  ledger: Ledger,
  instances: readonly Instance[],
  held: SocketIndex,
  context: { now: number; bootId: string },
): { ledger: Ledger; drops: Drops } {
  const drops: Drops = {};
  const changed: Record<string, LedgerEntry> = {};
  let changes = 0;
  for (const instance of instances) {
    const { name } = instance;
    const fit = fitOf(instance, held);
    const before = settled.get(fit);
    if (before !== undefined && before.name === name && before.bootId === context.bootId) {
      if (before.entries.every(([key, entry]) => ledger[key] === entry)) {
        drops[instance.id] = before.drops;
        continue;
      }
    }
    const mine: Drops[string] = {};
    const entries: [string, LedgerEntry][] = [];
    instance.expected.forEach((listener, index) => {
      const { kind } = listener.target;
      if (listener.protocol !== 'udp' || kind === 'invalid' || kind === 'unresolved') return;
      const key = ledgerKey(name, listener.protocol, listener.address, listener.port);
      const known = changed[key] ?? ledger[key];
      const entry = advance(known, servingSockets(instance, index, held), context);
      if (entry === undefined) return;
      if (entry !== known) {
        changed[key] = entry;
        changes++;
      }
      entries.push([key, entry]);
      mine[endpointKey(listener)] = { total: entry.total, recent: droppedWithin(entry, context.now, 300) };
    });
    drops[instance.id] = mine;
    // Without a socket of its own a listener may be served by one that nobody can be seen to hold: looked at each time.
    if (fit.lacksNothing && entries.every(([, { rises }]) => rises.length === 0))
      settled.set(fit, { name, bootId: context.bootId, entries, drops: mine });
    else settled.delete(fit);
  }
  return { ledger: changes === 0 ? ledger : { ...ledger, ...changed }, drops };
}

/** Only an instance whose inputs cannot be predicted teaches anything, and only while its descriptors can be seen. */
export function learnFrom(
  learned: Learned,
  instances: readonly Instance[],
  held: SocketIndex,
  now: number,
  rules: LearnRules,
): Learned {
  return instances.reduce(
    (all, instance) => {
      if (instance.process?.openFds === undefined || instance.prediction.outcome !== 'dynamic') return all;
      const predicted = instance.expected.filter((listener) => listener.input !== 'learned');
      return learn(all, instance.name, socketsOf(instance, held), now, rules, (socket) =>
        predicted.some((listener) => answers(listener, socket, held.ipv6)),
      );
    },
    expireLearned(learned, now, rules),
  );
}
