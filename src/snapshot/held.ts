/** Which sockets each process holds, and what that says of an instance's listeners: the rule is `filebeat/address.ts`. */
import { isSuperseded } from '../discovery/lifecycle.js';
import { serves } from '../filebeat/address.js';
import type { Instance, Listener, Socket } from '../model.js';

/** The sockets of one look, by holder. */
export interface HeldSockets {
  /** `pid:startTicks` → its sockets. */
  byProcess: ReadonlyMap<string, readonly Socket[]>;
  /** Network namespace → its sockets whose holders cannot be seen. */
  hidden: ReadonlyMap<number, readonly Socket[]>;
  /** Where instances that never ran belong. */
  hostNetns: number | undefined;
  /** False on a kernel without AF_INET6. */
  ipv6: boolean;
}

export function heldSockets(sockets: readonly Socket[], ipv6: boolean, hostNetns?: number): HeldSockets {
  const byProcess = new Map<string, Socket[]>();
  const hidden = new Map<number, Socket[]>();
  for (const socket of sockets) {
    for (const { pid, startTicks } of socket.owners) push(byProcess, `${pid}:${startTicks}`, socket);
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
export function socketsOf({ process }: Instance, held: HeldSockets): readonly Socket[] {
  return process === undefined ? [] : (held.byProcess.get(`${process.pid}:${process.startTicks}`) ?? []);
}

export function answers(
  listener: Listener,
  socket: Pick<Socket, 'protocol' | 'family' | 'address' | 'port'>,
  ipv6: boolean,
) {
  return listener.protocol === socket.protocol && serves(listener.target, socket, ipv6) !== 'no';
}

/**
 * The sockets that serve a listener: those its instance is seen to hold; where holders cannot be seen, those of its
 * user that nobody else is seen to hold.
 */
export function servingSockets(instance: Instance, listener: Listener, held: HeldSockets): readonly Socket[] {
  const answering = (socket: Socket) => answers(listener, socket, held.ipv6);
  const own = socketsOf(instance, held).filter(answering);
  const { process } = instance;
  if (own.length > 0 || (process === undefined && !instance.hidden)) return own;
  const netns = process?.netns ?? instance.netns ?? held.hostNetns;
  const hidden = netns === undefined ? [] : (held.hidden.get(netns) ?? []);
  return hidden.filter((socket) => (process === undefined || socket.uid === process.uid) && answering(socket));
}

/** Everything that it ought to hold, it holds. */
export function lacksNothing(instance: Instance, held: HeldSockets): boolean {
  const sockets = socketsOf(instance, held);
  return (
    instance.expected.length > 0 &&
    instance.expected.every((listener) => sockets.some((socket) => answers(listener, socket, held.ipv6)))
  );
}

/** Nothing it holds is beyond what it ought to hold. */
export function explainsAll(instance: Instance, held: HeldSockets): boolean {
  return socketsOf(instance, held).every((socket) =>
    instance.expected.some((listener) => answers(listener, socket, held.ipv6)),
  );
}

/** Only the memory asks for it, and one of the others serves all its listeners. */
export function supersededBy(instance: Instance, others: readonly Instance[], held: HeldSockets): boolean {
  if (instance.origins.some((origin) => origin !== 'remembered')) return false;
  const holders = others.flatMap((other) =>
    other.process?.netns === undefined
      ? []
      : [{ id: other.id, netns: other.process.netns, sockets: socketsOf(other, held) }],
  );
  return isSuperseded(instance, holders, (listener, socket) => answers(listener, socket, held.ipv6));
}
