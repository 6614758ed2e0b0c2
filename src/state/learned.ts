/**
 * Listeners of instances whose inputs cannot be predicted (Elastic Agent, its collector, autodiscover), learned from their
 * sockets: the same socket must be seen in two scans at least `learn_after` apart.
 */
import type { Listener, Protocol, Socket } from '../model/model.js';
import { isFuture } from '../runtime/clock.js';

export interface LearnedSocket {
  protocol: Protocol;
  address: string;
  port: number;
  /** When this socket was first and last seen, seconds since the epoch. */
  since: number;
  lastSeen: number;
  /** Namespace and inode: only the age of one socket counts, so that a port used briefly is not learned. */
  socket: string;
  /** True: it stays expected, whichever socket serves it. */
  learned: boolean;
}

/** Instance name → its sockets, by `udp/*:9000`. */
export type Learned = Readonly<Record<string, Readonly<Record<string, LearnedSocket>>>>;

export interface LearnRules {
  /** Seconds; 0: never learn. */
  learnAfter: number;
  /** Seconds after which a learned listener that is not seen is forgotten; 0: never. */
  remember: number;
}

type ObservedSocket = Pick<Socket, 'protocol' | 'family' | 'address' | 'port' | 'netns' | 'inode'>;

/** Candidates per instance: many DNS lookups must not fill the memory. */
const mostPending = 512;
/** How long a candidate that is not seen stays: a reading may miss it. Seconds. */
const patience = 60;

/** The `address` label: `*` for a wildcard that serves both families, which is what Go programs open. */
function learnedAddress(socket: Pick<Socket, 'family' | 'address'>): string {
  return socket.family === 6 && socket.address === '::' ? '*' : socket.address;
}

/**
 * After one scan of one instance. `sockets`: the unconnected UDP and listening TCP sockets of its process; `isPredicted`: a
 * predicted listener accounts for the socket. Must not be called when the sockets of the process could not be seen.
 */
export function learn<S extends ObservedSocket>(
  learned: Learned,
  name: string,
  { sockets, isPredicted }: { sockets: readonly S[]; isPredicted?: (socket: S) => boolean },
  now: number,
  rules: LearnRules,
): Learned {
  const before = learned[name] ?? {};
  const after: Record<string, LearnedSocket> = {};
  for (const socket of rules.learnAfter > 0 ? sockets : []) {
    if (isPredicted?.(socket)) continue;
    const address = learnedAddress(socket);
    const key = socketKey(socket.protocol, address, socket.port);
    const known = before[key];
    const id = `${socket.netns}/${socket.inode}`;
    // The age of a time stamp in the future is unknown: count from now.
    const same = known?.socket === id && !isFuture(known.since, now);
    const since = same ? known.since : now;
    after[key] = {
      protocol: socket.protocol,
      address,
      port: socket.port,
      since,
      lastSeen: now,
      socket: id,
      learned: known?.learned === true || now - since >= rules.learnAfter,
    };
  }
  for (const [key, known] of Object.entries(before)) {
    if (Object.hasOwn(after, key)) continue;
    if (isCurrent(known, now, rules, patience)) after[key] = known;
  }
  return replace(learned, name, bounded(after));
}

/** `patience`: seconds after which a candidate that is not seen is dropped. So is one whose time stamp is in the future. */
function isCurrent(
  { learned, lastSeen }: LearnedSocket,
  now: number,
  { remember }: LearnRules,
  patience: number,
): boolean {
  if (learned) return remember === 0 || now - lastSeen < remember;
  return !isFuture(lastSeen, now) && now - lastSeen < patience;
}

/** Keeps the oldest candidates, which will be learned first. */
function bounded(sockets: Record<string, LearnedSocket>): Record<string, LearnedSocket> {
  const pending = Object.entries(sockets).filter(([, socket]) => !socket.learned);
  if (pending.length <= mostPending) return sockets;
  const surplus = new Set(
    pending
      .sort(([, a], [, b]) => a.since - b.since)
      .slice(mostPending)
      .map(([key]) => key),
  );
  return Object.fromEntries(Object.entries(sockets).filter(([key]) => !surplus.has(key)));
}

/** Expires the learned listeners of instances that are down. */
export function expireLearned(learned: Learned, now: number, rules: LearnRules): Learned {
  return Object.keys(learned).reduce((all, name) => {
    const kept = Object.entries(all[name]!).filter(([, socket]) =>
      isCurrent(socket, now, rules, Math.max(patience, rules.learnAfter)),
    );
    return kept.length === Object.keys(all[name]!).length ? all : replace(all, name, Object.fromEntries(kept));
  }, learned);
}

/** The learned listeners of an instance, by protocol, address and port. */
export function learnedListeners(learned: Learned, name: string): Listener[] {
  return Object.entries(learned[name] ?? {})
    .filter(([, socket]) => socket.learned)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { protocol, address, port }]) => ({
      protocol,
      address,
      port,
      target: {
        kind: 'socket' as const,
        family: address === '*' || address.includes(':') ? (6 as const) : (4 as const),
        address: address === '*' ? '::' : address,
        port,
        serves: address === '*' ? ('any' as const) : address.includes(':') ? ('ipv6' as const) : ('ipv4' as const),
      },
      input: 'learned',
      declaredIn: { file: 'learned' },
      retry: 'never' as const,
    }));
}

/** Forgets the learned listeners of an instance; with `port` only those on that port, at any address. */
export function forgetLearned(learned: Learned, name: string, port?: { protocol: Protocol; port: number }): Learned {
  const before = learned[name];
  if (before === undefined) return learned;
  const kept = Object.entries(before).filter(
    ([, socket]) => port !== undefined && !(socket.protocol === port.protocol && socket.port === port.port),
  );
  return kept.length === Object.keys(before).length ? learned : replace(learned, name, Object.fromEntries(kept));
}

function replace(learned: Learned, name: string, sockets: Record<string, LearnedSocket>): Learned {
  const { [name]: _, ...others } = learned;
  return Object.keys(sockets).length === 0 ? others : { ...others, [name]: sockets };
}

function socketKey(protocol: Protocol, address: string, port: number): string {
  return `${protocol}/${address}:${port}`;
}
