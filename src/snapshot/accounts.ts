/** What a pass adds to the accounts kept over time: drops per listener, and sockets on their way to being learned. Pure. */
import { expireLearned, type Learned, type LearnRules, learn } from '../discovery/learned.js';
import { advance, droppedWithin, type Ledger, type LedgerEntry, ledgerKey } from '../discovery/ledger.js';
import { endpointKey } from '../endpoint.js';
import type { Instance, Listener, Snapshot } from '../model.js';
import { answers, type HeldSockets, servingSockets, socketsOf } from './held.js';

type Drops = NonNullable<Snapshot['drops']>;

/** Of instances whose name will stand tomorrow: not of twins. `now`: seconds since the epoch. */
export function accountForDrops(
  ledger: Ledger,
  instances: readonly Instance[],
  held: HeldSockets,
  context: { now: number; bootId: string },
): { ledger: Ledger; drops: Drops } {
  const drops: Drops = {};
  const changed: Record<string, LedgerEntry> = {};
  let changes = 0;
  for (const instance of instances) {
    const mine: Drops[string] = {};
    for (const listener of instance.expected) {
      const { kind } = listener.target;
      if (listener.protocol !== 'udp' || kind === 'invalid' || kind === 'unresolved') continue;
      const key = keyOf(instance.name, listener);
      const before = changed[key] ?? ledger[key];
      const entry = advance(before, servingSockets(instance, listener, held), context);
      if (entry === undefined) continue;
      if (entry !== before) {
        changed[key] = entry;
        changes++;
      }
      mine[endpointKey(listener)] = { total: entry.total, recent: droppedWithin(entry, context.now, 300) };
    }
    drops[instance.id] = mine;
  }
  return { ledger: changes === 0 ? ledger : { ...ledger, ...changed }, drops };
}

const keys = new WeakMap<Listener, { name: string; key: string }>();

/** Listeners stay the same objects while their files do. */
function keyOf(name: string, listener: Listener): string {
  const known = keys.get(listener);
  if (known?.name === name) return known.key;
  const key = ledgerKey(name, listener.protocol, listener.address, listener.port);
  keys.set(listener, { name, key });
  return key;
}

/** Only an instance whose inputs cannot be predicted teaches anything, and only while its descriptors can be seen. */
export function learnFrom(
  learned: Learned,
  instances: readonly Instance[],
  held: HeldSockets,
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
