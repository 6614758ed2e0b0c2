/** One HTTP or HTTPS server that does not listen: it is given connections. Replaced when the TLS settings change. */
import { createServer as createHttp, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Log } from './config/current-config.js';
import type { Secure } from './tls.js';

export interface Limits {
  /** Open connections; beyond it, the oldest idle one is closed for a new one. */
  connections: number;
  /** Bytes of a request's headers. */
  headerBytes: number;
  /** Milliseconds for the TLS handshake, for all headers of a request, for a whole request. */
  handshake: number;
  headers: number;
  request: number;
  /** Milliseconds that a connection may be idle between two requests. Prometheus keeps its own for 5 minutes. */
  keepAlive: number;
  /** Milliseconds without a byte in either direction, e.g. of a client that does not read its response. */
  silence: number;
  /** Milliseconds between two checks for requests that exceed these times. */
  checkEvery: number;
}

export const defaultLimits: Limits = {
  connections: 1500,
  headerBytes: 16_384,
  handshake: 10_000,
  headers: 10_000,
  request: 15_000,
  keepAlive: 125_000,
  silence: 130_000,
  checkEvery: 5_000,
};

export interface Backend {
  /** The TLS settings that it was created with; undefined: plain HTTP. */
  secure: Secure | undefined;
  take: (socket: Socket) => void;
  /** True while a request of this connection is being answered. */
  isServing: (socket: Socket) => boolean;
  /** Closes idle connections now, and each of the others after its response. */
  retire: () => void;
}

/** `handler` sees every request of an admitted connection. */
export function createBackend(secure: Secure | undefined, handler: RequestListener, limits: Limits, log: Log): Backend {
  const live = new Map<string, Set<ServerResponse>>();
  let open = 0;
  let retired = false;
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headers,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.keepAlive,
    connectionsCheckingInterval: limits.checkEvery,
    noDelay: true,
  };
  const server = secure
    ? withAdmission(createHttps({ ...options, ...secure.options, handshakeTimeout: limits.handshake }), secure, log)
    : createHttp(options);
  server.timeout = limits.silence;
  server.on('request', (request, response) => {
    const key = connectionKey(request.socket);
    const answering = live.get(key) ?? new Set();
    live.set(key, answering.add(response));
    response.once('close', () => {
      answering.delete(response);
      if (answering.size === 0) live.delete(key);
    });
    if (retired) closeAfter(response);
    handler(request, response);
  });

  return {
    secure,
    take: (socket) => {
      // Node checks for slow requests from the event `listening` on; this server never listens itself.
      if (open++ === 0) server.emit('listening');
      socket.once('close', () => {
        // Stops the check for slow requests, so that an idle process is not woken up.
        if (--open === 0) server.close();
      });
      server.emit('connection', socket);
    },
    isServing: (socket) => live.has(connectionKey(socket)),
    retire: () => {
      retired = true;
      for (const answering of live.values()) for (const response of answering) closeAfter(response);
      if (open === 0) server.close();
      else server.closeIdleConnections();
    },
  };
}

/** Passes on only connections with an accepted client certificate, or without one where none is required. */
function withAdmission(server: HttpsServer, secure: Secure, log: Log): Server {
  const serve = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (secure.admits(socket)) for (const listener of serve) Reflect.apply(listener, server, [socket]);
    else {
      log(
        'debug',
        `client certificate rejected (${socket.authorizationError ?? 'missing, or without an allowed name'})`,
      );
      socket.destroy();
    }
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    log('debug', `TLS handshake failed (${error.code ?? 'unknown error'})`);
  });
  return server;
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

/** The same for a TLS socket and the socket below it. All connections over unix sockets share one key. */
function connectionKey({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
