/** Which sockets each process holds, and what that says of an instance's listeners: the rule is `filebeat/net/address.ts`. */

import { isServedBy } from '../filebeat/net/address.js';
import { isOnlyRemembered, netnsOf, processKey } from '../model/instance-rules.js';
import type { Instance, Listener, Socket } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';
import { isSuperseded } from '../state/lifecycle.js';

/** The sockets of one look, by holder. */
export interface SocketIndex {
  /** `pid:startTicks` → its sockets. */
  byProcess: ReadonlyMap<string, readonly Socket[]>;
  /** Network namespace → its sockets whose holders cannot be seen. */
  hidden: ReadonlyMap<number, readonly Socket[]>;
  /** Where instances that never ran belong. */
  hostNetns: number | undefined;
  /** False on a kernel without AF_INET6. */
  ipv6: boolean;
}

export function indexSockets(sockets: readonly Socket[], ipv6: boolean, hostNetns?: number): SocketIndex {
  const byProcess = new Map<string, Socket[]>();
  const hidden = new Map<number, Socket[]>();
  for (const socket of sockets) {
    for (const owner of socket.owners) push(byProcess, processKey(owner), socket);
    if (socket.owners.length === 0 && !socket.ownersKnown) push(hidden, socket.netns, socket);
  }
  return { byProcess, hidden, hostNetns, ipv6 };
}

function push<K>(map: Map<K, Socket[]>, key: K, socket: Socket): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [socket]);
  else list.push(socket);
}

/** None while nothing runs. */
export function socketsOf({ process }: Instance, held: SocketIndex): readonly Socket[] {
  return process === undefined ? [] : (held.byProcess.get(processKey(process)) ?? []);
}

/** An instance's listeners and the sockets that its process holds, against each other. */
export interface Fit {
  /** As in `Instance.expected`: the sockets that serve each listener, of those that the process holds. */
  serving: readonly (readonly Socket[])[];
  /** Everything that it ought to hold and does not refuse, it holds. */
  lacksNothing: boolean;
  /** Nothing it holds is beyond what it ought to hold. */
  explainsAll: boolean;
}

/** The same object while listeners and sockets are the same objects. */
export function fitOf(instance: Instance, held: SocketIndex): Fit {
  return fitBetween(instance.expected, socketsOf(instance, held), held.ipv6);
}

const fitBetween = perObject((expected: readonly Listener[], sockets: readonly Socket[], ipv6: boolean): Fit => {
  const byPort = new Map<number, Socket[]>();
  for (const socket of sockets) push(byPort, socket.port, socket);
  const explained = new Set<Socket>();
  const serving = expected.map((listener) => {
    const { target } = listener;
    // No other target is ever served by a socket, and none by one on another port.
    const there = target.kind === 'socket' || target.kind === 'name' ? byPort.get(target.port) : undefined;
    const own = there?.filter((socket) => isServedBy(listener, socket, ipv6)) ?? [];
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
 * The sockets that serve the listener at `index` of the expected ones: those its instance is seen to hold; where holders
 * cannot be seen, those of its user that nobody else is seen to hold.
 */
export function servingSockets(instance: Instance, index: number, held: SocketIndex): readonly Socket[] {
  const own = fitOf(instance, held).serving[index]!;
  const { process } = instance;
  if (own.length > 0 || (process === undefined && !instance.hidden)) return own;
  const netns = netnsOf(instance, held.hostNetns);
  const hidden = netns === undefined ? [] : (held.hidden.get(netns) ?? []);
  const listener = instance.expected[index]!;
  return hidden.filter(
    (socket) => (process === undefined || socket.uid === process.uid) && isServedBy(listener, socket, held.ipv6),
  );
}

/**
 * Only the memory asks for it, and the configuration of one of the others serves all its listeners: of the system, or of
 * the same user. A socket that the other's configuration does not ask for proves nothing.
 */
export function supersededBy(instance: Instance, others: readonly Instance[], held: SocketIndex): boolean {
  if (!isOnlyRemembered(instance)) return false;
  const holders = others.flatMap((other) => {
    const isEntitled = other.account === undefined || other.account === instance.account;
    if (!isEntitled || other.process?.netns === undefined) return [];
    return [{ id: other.id, netns: other.process.netns, sockets: fitOf(other, held).serving.flat() }];
  });
  return isSuperseded(instance, holders, (listener, socket) => isServedBy(listener, socket, held.ipv6));
}
