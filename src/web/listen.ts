/**
 * The web server: several addresses, TLS and users re-read while it runs, limits, drain. A plain listener for each
 * address hands its connections to the backend of the moment; so whatever the web configuration says can change.
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { systemClock } from '../runtime/clock.js';
import { type Backend, createBackend, defaultLimits, type Limits } from './backend.js';
import { bind } from './bind.js';
import { type Log, watchConfig } from './config/current-config.js';
import { becomesQuiet, quietSeconds } from './config/unchanged-files.js';
import { createGate } from './gate.js';
import { type ListenTarget, listenLabel } from './listen-address.js';

export interface ListenOptions {
  targets: readonly ListenTarget[];
  /** Path of `--web.config.file`. */
  configFile?: string | undefined;
  /** The host of `--web.external-url`: requests that name it are for us. */
  externalHost?: string | undefined;
  log: Log;
  limits?: Partial<Limits>;
  /** How long a changed web configuration must have been left alone before it is taken. Seconds; 1 unless given. */
  quietSeconds?: number;
}

export interface WebServer {
  /** What it listens on: `http://127.0.0.1:9117`, `https://[::]:9117`, `unix:/run/x.sock`; with the port that was picked for 0. */
  addresses: string[];
  /** Stops accepting, lets requests finish, ends after `seconds` at the latest. Never rejects. */
  close: (seconds: number) => Promise<void>;
}

/** Starts. Rejects with an Error in one sentence: a wrong web configuration, an address that cannot be had. */
export async function listen(app: RequestListener, options: ListenOptions): Promise<WebServer> {
  const { targets, configFile, externalHost, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const { quietSeconds: rest = quietSeconds } = options;
  if (configFile !== undefined && !(await becomesQuiet(configFile, rest)))
    throw new Error(`${configFile}: is being written all the time`);
  const current = watchConfig(configFile, log, rest);
  const localOnly = new Set<string>();
  const isLocalOnly = ({ socket }: IncomingMessage) => localOnly.has(`${socket.localAddress} ${socket.localPort}`);
  const gate = createGate({
    app,
    current,
    hostname: hostname(),
    externalHost,
    isLocalOnly,
    now: systemClock.steady,
    log,
  });
  const connections = new Map<Socket, Backend>();
  const fronts: Server[] = [];
  let backend = createBackend(current().secure, gate, limits, log);

  const accept = (socket: Socket) => {
    const { secure } = current();
    if (secure !== backend.secure) {
      backend.retire();
      backend = createBackend(secure, gate, limits, log);
    }
    if (connections.size >= limits.connections && !makeRoom(connections)) {
      socket.destroy();
      return;
    }
    connections.set(socket, backend);
    socket.once('close', () => connections.delete(socket));
    backend.take(socket);
  };

  try {
    for (const target of targets) {
      const front = createServer({ allowHalfOpen: true, noDelay: true }, accept);
      await bind(front, target);
      fronts.push(front);
      // Accepting fails for lack of descriptors; those who wait stay in the queue.
      front.on('error', (error: NodeJS.ErrnoException) => log('error', `accepting failed (${error.code})`));
      const bound = front.address();
      if (typeof bound === 'object' && bound && isLoopback(bound.address))
        localOnly.add(`${bound.address} ${bound.port}`);
    }
  } catch (error) {
    for (const front of fronts) front.close();
    backend.retire();
    throw error;
  }
  return {
    addresses: targets.map((target, index) => addressText(target, fronts[index], backend.secure !== undefined)),
    close: (seconds) => drain(fronts, connections, backend, seconds * 1000),
  };
}

/** Ends the oldest connection that is not being served. False: all of them are. */
function makeRoom(connections: ReadonlyMap<Socket, Backend>): boolean {
  for (const [socket, backend] of connections) {
    if (socket.destroyed || backend.isServing(socket)) continue;
    socket.destroy();
    return true;
  }
  return false;
}

/** A connection that has not come up with a request gets this long. Milliseconds. */
const lastCall = 500;

async function drain(
  fronts: readonly Server[],
  connections: ReadonlyMap<Socket, Backend>,
  backend: Backend,
  deadline: number,
): Promise<void> {
  // A front is closed when the last connection that it accepted is.
  const closed = fronts.map((front) => new Promise<void>((resolve) => front.close(() => resolve())));
  backend.retire();
  const endOf = (which: (socket: Socket) => boolean) => () => {
    for (const socket of connections.keys()) if (which(socket)) socket.destroy();
  };
  const silent = (socket: Socket) => !connections.get(socket)?.isServing(socket);
  const timers = [
    setTimeout(endOf(silent), Math.min(lastCall, deadline)),
    setTimeout(
      endOf(() => true),
      deadline,
    ),
  ];
  await Promise.all(closed);
  for (const timer of timers) clearTimeout(timer);
}

function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function addressText(target: ListenTarget, front: Server | undefined, isTls: boolean): string {
  const bound = front?.address();
  if (typeof bound !== 'object' || !bound) return typeof bound === 'string' ? `unix:${bound}` : listenLabel(target);
  return `${isTls ? 'https' : 'http'}://${listenLabel({ kind: 'tcp', host: bound.address, port: bound.port })}`;
}
