/** Pairs of instances that want the same endpoint, reported before the start or restart at which they would collide. Pure. */
import { collides } from '../filebeat/net/address.js';
import type { Instance, Listener, Mismatch, PortVerdict } from '../model/model.js';
import { addToGroup, type Groups } from '../runtime/group-by.js';
import { portMismatch } from './judge-port.js';
import type { VerdictContext } from './verdict-context.js';

interface Claim {
  instance: Instance;
  listener: Listener;
  /** The verdict, where the listener is expected now. */
  port?: PortVerdict;
}

/** The listeners that an instance should have now, and those of its next start if a restart is pending. */
function claimsOf(instance: Instance, ports: readonly PortVerdict[], pending: boolean): Claim[] {
  const now: Claim[] = ports.flatMap((port) =>
    port.listeners.flatMap((listener) => (listener.refused === undefined ? [{ instance, listener, port }] : [])),
  );
  const next = pending ? instance.prediction.listeners.map((listener) => ({ instance, listener })) : [];
  return [...now, ...next];
}

/** Of running instances: nothing is served here that the conflict would take away. */
const unservedStatuses: readonly PortVerdict['status'][] = [
  'missing',
  'taken',
  'invalid',
  'deaf',
  'unknown',
  'unresolved',
  'starting',
];

/**
 * `port_conflict` between instances: only one of them can bind the endpoint, and no socket shows it yet because one is down or
 * a restart is pending. Reported once for each pair of endpoints: at the listener of the running instance; if both are down, at
 * the first by name. `pending`: whether a restart is pending.
 */
export function conflictsBetween(
  ports: ReadonlyMap<Instance, readonly PortVerdict[]>,
  pending: (instance: Instance) => boolean,
  context: VerdictContext,
): Mismatch[] {
  // Where all run and no restart is pending, sockets show every collision.
  if (![...ports.keys()].some((instance) => instance.process === undefined || pending(instance))) return [];
  const byNumber: Groups<string, Claim> = new Map();
  for (const [instance, verdicts] of ports) {
    const netns = context.namespaceOf(instance)?.netns;
    for (const claim of claimsOf(instance, verdicts, pending(instance))) {
      const { target, protocol } = claim.listener;
      if (target.kind !== 'socket') continue;
      addToGroup(byNumber, `${netns}|${protocol}|${target.port}`, claim);
    }
  }
  const found = new Map<string, Mismatch>();
  for (const group of byNumber.values()) {
    for (const a of group) {
      for (const b of group) {
        if (a.instance.name >= b.instance.name || !collides(a.listener.target, b.listener.target)) continue;
        const haveMet =
          a.instance.process !== undefined &&
          b.instance.process !== undefined &&
          a.port !== undefined &&
          b.port !== undefined;
        if (haveMet) continue;
        const [at, other] = reportAt(a, b);
        if (!concerns(at.instance, other.instance)) continue;
        if (at.port === undefined || (at.instance.process !== undefined && unservedStatuses.includes(at.port.status)))
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

/** The files of an ordinary user must not cause mismatches at instances of others; only the kernel's answer to a bind does. */
function concerns(at: Instance, other: Instance): boolean {
  return other.account === undefined || other.account === at.account;
}

/** First the claim at which the pair is reported: one with a verdict, the system's, one of a running instance, then by name. */
function reportAt(a: Claim, b: Claim): [Claim, Claim] {
  if ((a.port === undefined) !== (b.port === undefined)) return a.port === undefined ? [b, a] : [a, b];
  const [ofA, ofB] = [a.instance.account, b.instance.account];
  if (ofA !== ofB && a.port !== undefined && b.port !== undefined) return ofA === undefined ? [b, a] : [a, b];
  const up = (c: Claim) => c.instance.process !== undefined;
  if (up(a) !== up(b)) return up(a) ? [a, b] : [b, a];
  return [a, b];
}
