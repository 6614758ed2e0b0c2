/**
 * Since when a socket stands, as far as looks can tell: only of processes that hold what they were said to refuse, for
 * nobody else is asked.
 */
import type { Instance, Socket } from '../model/model.js';
import { type SocketIndex, socketsOf } from './socket-index.js';

export interface Births {
  /** The last look at which the socket was not there yet, seconds since the epoch; undefined: never seen without it. */
  absentAt(socket: Socket): number | undefined;
  /** Once in a pass, after the questions. */
  scan(instances: readonly Instance[], held: SocketIndex, now: number): void;
}

interface Seen {
  at: number;
  /** Inode → when it was not there yet. */
  inodes: Map<number, number | undefined>;
}

export function createBirths(): Births {
  let seen = new Map<string, Seen>();
  const keyOf = ({ pid, startTicks }: { pid: number; startTicks: number }) => `${pid}:${startTicks}`;

  function absentAt({ inode, owners }: Socket): number | undefined {
    for (const owner of owners) {
      const before = seen.get(keyOf(owner));
      if (before !== undefined) return before.inodes.has(inode) ? before.inodes.get(inode) : before.at;
    }
    return undefined;
  }

  function look(instances: readonly Instance[], held: SocketIndex, now: number): void {
    const next = new Map<string, Seen>();
    for (const instance of instances) {
      const { process, expected } = instance;
      if (process === undefined || expected.every(({ refused }) => refused === undefined)) continue;
      const inodes = new Map(socketsOf(instance, held).map((socket) => [socket.inode, absentAt(socket)] as const));
      next.set(keyOf(process), { at: now, inodes });
    }
    seen = next;
  }

  return { absentAt, scan: look };
}
