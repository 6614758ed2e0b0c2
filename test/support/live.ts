import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import {
  createProcessScanner,
  type ProcessScan,
  type ProcessScanner,
} from '../../src/discovery/processes/processes.js';
import type { Protocol, Socket } from '../../src/model/model.js';
import { openProcFs, type ProcFs } from '../../src/proc/proc-fs.js';
import type { Wanted } from '../../src/sockets/consensus.js';
import { createSocketScanner, type SocketScan, type SocketScanner } from '../../src/sockets/scanner.js';

/** Polls until `what` is true, a few times a second; throws after the deadline. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 10,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp6');
  const free = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false)).bind(port, '::', () => resolve(true));
  });
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return free;
}

/** A port that is free for both protocols and families, though another process may bind it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '::', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    if (await isFreeForUdp(port)) return port;
  }
}

export interface Looker {
  procfs: ProcFs;
  processes: ProcessScanner;
  sockets: SocketScanner;
  /** One scan like the program's: processes, then sockets. */
  look(wanted?: (scan: ProcessScan) => Wanted[]): Promise<{ scan: ProcessScan; look: SocketScan<Wanted> }>;
}

export function createLooker(root = '/proc', now: () => number = () => performance.now()): Looker {
  const procfs = openProcFs(root);
  const processes = createProcessScanner(procfs, { now });
  const sockets = createSocketScanner(procfs, now);
  return {
    procfs,
    processes,
    sockets,
    look: async (wanted = () => []) => {
      const scan = processes.scan();
      const holders = scan.filebeats.map(({ process }) => process);
      return { scan, look: await sockets.scan(holders, wanted(scan), scan.hostNetns) };
    },
  };
}

/** All sockets on that port. */
export function want(netns: number | undefined, port: number, protocol: Protocol = 'udp', spanMs?: number): Wanted {
  if (netns === undefined) throw new Error('the namespace is not known');
  return { netns, protocol, port, isServedBy: () => true, ...(spanMs !== undefined && { spanMs }) };
}

export function at(look: SocketScan<Wanted>, port: number, protocol: Protocol = 'udp'): Socket[] {
  return look.sockets.filter((socket) => socket.port === port && socket.protocol === protocol);
}

/** A free port outside the ephemeral range, so that it can be closed and bound again. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFreeForUdp(port)) return port;
  }
}
