/** Pairs of instances that ask for one endpoint and have not met yet: told before the restart that would hit it. Pure. */
import { collides } from '../filebeat/net/address.js';
import type { Instance, Listener, Mismatch, PortVerdict } from '../model/model.js';
import { portMismatch } from './judge-port.js';
import type { VerdictContext } from './verdict-context.js';

interface Claim {
  instance: Instance;
  listener: Listener;
  /** Set when the listener is expected now, so that it has a verdict to tell at. */
  port?: PortVerdict;
}

function space(instance: Instance, context: VerdictContext): number | undefined {
  return context.namespaceOf(instance)?.netns;
}

/** What an instance will ask for at its next start, beside what it ought to hold now. */
function claims(instance: Instance, ports: readonly PortVerdict[], pending: boolean): Claim[] {
  const now: Claim[] = ports.flatMap((port) =>
    port.listeners.flatMap((listener) => (listener.refused === undefined ? [{ instance, listener, port }] : [])),
  );
  const next = pending ? instance.prediction.listeners.map((listener) => ({ instance, listener })) : [];
  return [...now, ...next];
}

const reportedStatuses: readonly PortVerdict['status'][] = [
  'missing',
  'taken',
  'invalid',
  'deaf',
  'unknown',
  'unresolved',
  'starting',
];

/**
 * `port_conflict` between instances: both can't be bound, and nothing shows it yet because one is down or a restart
 * is pending. It is told once for each pair of endpoints, at the running instance's listener (both down: first by name).
 */
export function conflictsBetween(
  ports: ReadonlyMap<Instance, readonly PortVerdict[]>,
  pending: (i: Instance) => boolean,
  context: VerdictContext,
): Mismatch[] {
  // Where all run, and none will ask for something else, whoever is to meet has met.
  if (![...ports.keys()].some((instance) => instance.process === undefined || pending(instance))) return [];
  const byNumber = new Map<string, Claim[]>();
  for (const [instance, verdicts] of ports) {
    for (const claim of claims(instance, verdicts, pending(instance))) {
      const { target, protocol } = claim.listener;
      if (target.kind !== 'socket') continue;
      const key = `${space(instance, context)}|${protocol}|${target.port}`;
      const list = byNumber.get(key);
      if (list === undefined) byNumber.set(key, [claim]);
      else list.push(claim);
    }
  }
  const found = new Map<string, Mismatch>();
  for (const group of byNumber.values()) {
    for (const a of group) {
      for (const b of group) {
        if (a.instance.name >= b.instance.name || !collides(a.listener.target, b.listener.target)) continue;
        const met =
          a.instance.process !== undefined &&
          b.instance.process !== undefined &&
          a.port !== undefined &&
          b.port !== undefined;
        if (met) continue;
        const [at, other] = reportAt(a, b);
        if (!isTheirConcern(at.instance, other.instance)) continue;
        if (at.port === undefined || (at.instance.process !== undefined && reportedStatuses.includes(at.port.status)))
          continue;
        const mismatch = portMismatch(at.instance, at.port, 'port_conflict', {
          kind: 'other-listener',
          instance: other.instance.name,
          declaredIn: other.listener.declaredIn,
          when: other.instance.process === undefined || at.instance.process === undefined ? 'start' : 'restart',
        });
        const key = `${at.instance.id}|${at.port.protocol}|${at.port.address}|${at.port.port}|${other.instance.id}`;
        if (!found.has(key)) found.set(key, mismatch);
      }
    }
  }
  return [...found.values()];
}

/** What an ordinary user's files ask for is told at his own: it changes nothing at another's until the kernel did. */
function isTheirConcern(at: Instance, other: Instance): boolean {
  return other.account === undefined || other.account === at.account;
}

/** First the claim at which the pair is told: one that has a verdict, of a running instance before a dead one, then by name. */
function reportAt(a: Claim, b: Claim): [Claim, Claim] {
  if ((a.port === undefined) !== (b.port === undefined)) return a.port === undefined ? [b, a] : [a, b];
  const [ofA, ofB] = [a.instance.account, b.instance.account];
  if (ofA !== ofB && a.port !== undefined && b.port !== undefined) return ofA === undefined ? [b, a] : [a, b];
  const up = (c: Claim) => c.instance.process !== undefined;
  if (up(a) !== up(b)) return up(a) ? [a, b] : [b, a];
  return [a, b];
}
