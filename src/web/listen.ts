/**
 * The web server: several addresses, limits, graceful close. A plain TCP or unix listener for each address hands its
 * connections to the current backend, so that TLS and users can change while the server runs.
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
  /** The host of `--web.external-url`: requests may use it as their `Host`. */
  externalHost?: string | undefined;
  log: Log;
  limits?: Partial<Limits>;
  /** How long a changed web configuration must be unchanged before it is used. Seconds; default 1. */
  quietSeconds?: number;
}

export interface WebServer {
  /** `http://127.0.0.1:9117`, `https://[::]:9117`, `unix:/run/x.sock`; with the actual port where 0 was given. */
  addresses: string[];
  /** Stops accepting and lets requests finish, for at most `seconds`. Never rejects. */
  close: (seconds: number) => Promise<void>;
}

/** Rejects with an Error of one sentence: an invalid web configuration, or a `BindError`. */
export async function listen(app: RequestListener, options: ListenOptions): Promise<WebServer> {
  const { targets, configFile, externalHost, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const { quietSeconds: seconds = quietSeconds } = options;
  if (configFile !== undefined && !(await becomesQuiet(configFile, seconds)))
    throw new Error(`${configFile}: is being written all the time`);
  const current = watchConfig(configFile, log, seconds);
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
      // Accepting fails without free descriptors; the connections then wait in the backlog.
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

/** Closes the oldest idle connection. False: all of them are being served. */
function makeRoom(connections: ReadonlyMap<Socket, Backend>): boolean {
  for (const [socket, backend] of connections) {
    if (socket.destroyed || backend.isServing(socket)) continue;
    socket.destroy();
    return true;
  }
  return false;
}

/** Time for a connection without a request to send one before the server closes it. Milliseconds. */
const idleDrain = 500;

async function drain(
  fronts: readonly Server[],
  connections: ReadonlyMap<Socket, Backend>,
  backend: Backend,
  deadline: number,
): Promise<void> {
  // A listener is closed once all connections that it accepted are closed.
  const closed = fronts.map((front) => new Promise<void>((resolve) => front.close(() => resolve())));
  backend.retire();
  const closeAll = (which: (socket: Socket) => boolean) => () => {
    for (const socket of connections.keys()) if (which(socket)) socket.destroy();
  };
  const isIdle = (socket: Socket) => !connections.get(socket)?.isServing(socket);
  const timers = [
    setTimeout(closeAll(isIdle), Math.min(idleDrain, deadline)),
    setTimeout(
      closeAll(() => true),
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
