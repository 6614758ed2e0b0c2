/** Makes a server listen on an address. */
import { lookup } from 'node:dns/promises';
import { lstatSync, unlinkSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import { BindError } from './bind-error.js';
import type { ListenTarget } from './listen-address.js';

/** Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn. */
const backlog = 1024;

/** Rejects with a BindError. */
export async function bind(server: Server, target: ListenTarget): Promise<void> {
  try {
    const options = await listenOptions(target);
    try {
      await listenOnce(server, options);
    } catch (error) {
      if (target.kind !== 'unix' || codeOf(error) !== 'EADDRINUSE' || !(await isAbandoned(target.path))) throw error;
      unlinkSync(target.path);
      await listenOnce(server, options);
    }
  } catch (error) {
    throw new BindError(codeOf(error), target);
  }
}

async function listenOptions(target: ListenTarget): Promise<ListenOptions & { fd?: number }> {
  if (target.kind === 'unix') return { path: target.path, backlog };
  if (target.kind === 'descriptor') return { fd: target.descriptor };
  if (target.host === undefined) return { port: target.port, backlog };
  // As in Go: the first IPv4 address of a name, else its first address.
  const addresses = await lookup(target.host, { all: true });
  const address = (addresses.find(({ family }) => family === 4) ?? addresses[0])?.address ?? target.host;
  return { host: address, port: target.port, backlog };
}

function listenOnce(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      server.off('error', settle).off('listening', settle);
      if (error) reject(error);
      else resolve();
    };
    server.once('error', settle).once('listening', settle).listen(options);
  });
}

/** A socket file on which no program listens any more. */
async function isAbandoned(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket()) return false;
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve(codeOf(error) === 'ECONNREFUSED'));
  });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
