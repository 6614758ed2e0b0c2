/** Which sockets each process holds, and which listeners of an instance they serve. */

import { isServedBy } from '../filebeat/net/address.js';
import { isOnlyRemembered, netnsOf, processKey } from '../model/instance-rules.js';
import type { Instance, Listener, Socket } from '../model/model.js';
import { addToGroup, type Groups, groupBy } from '../runtime/group-by.js';
import { perObject } from '../runtime/unchanged.js';
import { isSuperseded } from '../state/lifecycle.js';

/** The sockets of one scan, by owner. */
export interface SocketIndex {
  /** `processKey` → its sockets. */
  byProcess: ReadonlyMap<string, readonly Socket[]>;
  /** Network namespace → its sockets whose owners cannot be seen. */
  hidden: ReadonlyMap<number, readonly Socket[]>;
  /** The namespace of instances that never ran. */
  hostNetns: number | undefined;
  /** False on a kernel without AF_INET6. */
  ipv6: boolean;
}

/** The same object while the sockets are the same array. */
export const indexSockets = perObject((sockets: readonly Socket[], ipv6: boolean, hostNetns?: number): SocketIndex => {
  const byProcess: Groups<string, Socket> = new Map();
  const hidden: Groups<number, Socket> = new Map();
  for (const socket of sockets) {
    for (const owner of socket.owners) addToGroup(byProcess, processKey(owner), socket);
    if (socket.owners.length === 0 && !socket.ownersKnown) addToGroup(hidden, socket.netns, socket);
  }
  return { byProcess, hidden, hostNetns, ipv6 };
});

/** Empty without a process. */
export function socketsOf({ process }: Instance, index: SocketIndex): readonly Socket[] {
  return process === undefined ? [] : (index.byProcess.get(processKey(process)) ?? []);
}

/** The listeners of an instance compared with the sockets that its process holds. */
export interface Fit {
  /** In the order of `Instance.expected`: the sockets of the process that serve each listener. */
  serving: readonly (readonly Socket[])[];
  /** A socket serves every listener that is not refused; false without listeners. */
  lacksNothing: boolean;
  /** Every socket of the process serves a listener. */
  explainsAll: boolean;
}

/** The same object while listeners and sockets are the same objects. */
export function fitOf(instance: Instance, index: SocketIndex): Fit {
  return fitBetween(instance.expected, socketsOf(instance, index), index.ipv6);
}

const fitBetween = perObject((expected: readonly Listener[], sockets: readonly Socket[], ipv6: boolean): Fit => {
  const byPort = groupBy(sockets, ({ port }) => port);
  const explained = new Set<Socket>();
  const serving = expected.map((listener) => {
    const { target } = listener;
    // Only these targets can be served, and only by sockets on their port.
    const candidates = target.kind === 'socket' || target.kind === 'name' ? byPort.get(target.port) : undefined;
    const own = candidates?.filter((socket) => isServedBy(listener, socket, ipv6)) ?? [];
    for (const socket of own) explained.add(socket);
    return own;
  });
  return {
    serving,
    lacksNothing:
      expected.length > 0 && serving.every((own, at) => own.length > 0 || expected[at]!.refused !== undefined),
    explainsAll: explained.size === sockets.length,
  };
});

/**
 * The sockets that serve the listener `expected[at]`: those of its process, else those of its user whose owner cannot be seen.
 */
export function servingSockets(instance: Instance, at: number, index: SocketIndex): readonly Socket[] {
  const own = fitOf(instance, index).serving[at]!;
  const { process } = instance;
  if (own.length > 0 || (process === undefined && !instance.hidden)) return own;
  const netns = netnsOf(instance, index.hostNetns);
  const hidden = netns === undefined ? [] : (index.hidden.get(netns) ?? []);
  const listener = instance.expected[at]!;
  return hidden.filter(
    (socket) => (process === undefined || socket.uid === process.uid) && isServedBy(listener, socket, index.ipv6),
  );
}

/**
 * Whether only the memory expects the instance, and another one, of the system or of the same user, has taken over all of its
 * listeners by its own configuration. Sockets that no configuration explains do not count.
 */
export function supersededBy(instance: Instance, others: readonly Instance[], index: SocketIndex): boolean {
  if (!isOnlyRemembered(instance)) return false;
  const holders = others.flatMap((other) => {
    const isEntitled = other.account === undefined || other.account === instance.account;
    if (!isEntitled || other.process?.netns === undefined) return [];
    return [{ id: other.id, netns: other.process.netns, sockets: fitOf(other, index).serving.flat() }];
  });
  return isSuperseded(instance, holders, (listener, socket) => isServedBy(listener, socket, index.ipv6));
}
