/** Opens the HTTP listeners and closes them again; what cannot be opened becomes one sentence. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from './listen-address.js';

export interface Listening {
  /** Where it really listens, e.g. `http://[::]:9117`; port 0 is told as the one the system picked. */
  urls: string[];
  /** Takes no new connections, lets requests in flight finish for so many milliseconds, then cuts them. */
  close(graceMs: number): Promise<void>;
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'another process already listens there',
  EACCES: 'permission denied (ports below 1024 need CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this host does not have that address',
  ENOTFOUND: 'the name cannot be resolved',
};

function urlOf(server: Server): string {
  const address = server.address() as AddressInfo | string;
  if (typeof address === 'string') return `unix:${address}`;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

function open(handler: RequestListener, address: ListenAddress): Promise<Server> {
  // A scrape's request is a few hundred bytes at once: who takes longer is broken or hostile.
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 15_000, maxHeaderSize: 16_384 }, handler);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown error';
      reject(new Error(`cannot listen on ${address.text}: ${reasons[code] ?? 'the system refuses'} (${code})`));
    });
    server.listen(address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }, () => {
      server.removeAllListeners('error');
      resolve(server);
    });
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Opens all addresses or none. Rejects with one sentence for people. */
export async function listen(handler: RequestListener, addresses: readonly ListenAddress[]): Promise<Listening> {
  const opened = await Promise.allSettled(addresses.map((address) => open(handler, address)));
  const servers = opened.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
  const failure = opened.find((o) => o.status === 'rejected');
  if (failure !== undefined) {
    await Promise.all(servers.map((server) => close(server, 0)));
    throw failure.reason;
  }
  return {
    urls: servers.map(urlOf),
    close: async (graceMs) => {
      await Promise.all(servers.map((server) => close(server, graceMs)));
    },
  };
}
