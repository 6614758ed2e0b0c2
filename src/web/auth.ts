/** HTTP basic auth (RFC 7617) against bcrypt hashes: header and users in, decision out. */
import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Comparison } from './bcrypt-worker.js';
import { bcryptCost } from './config/web-config.js';

/** `urgent` comparisons go before all others. */
type Compare = (comparison: Comparison, urgent: boolean) => Promise<boolean>;

/** `busy`: too many passwords are waiting to be checked, in total or from the same peer. */
export type Decision = 'granted' | 'denied' | 'busy';

export interface Authenticator {
  /** `peer`: the client's address, for a fair share of the queue. Without users, everybody is granted. */
  check: (header: string | undefined, users: ReadonlyMap<string, string>, peer: string) => Promise<Decision>;
}

/** Value of `WWW-Authenticate` beside a 401. */
export const challenge = 'Basic realm="filebeat-port-exporter", charset="UTF-8"';

/** Size of the caches of valid credentials and known peers. */
const cacheSize = 100;
const queueSize = 64;
const queuePerPeer = 4;
/** Part of the queue that is reserved for peers whose credentials were valid before. */
const reservedForKnown = 16;

/** The peer that a share of the queue belongs to: an IPv4 address, or the IPv6 /64 of one customer. */
export function peerOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head.split(':').filter((group) => group !== '');
  const right = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/**
 * An unknown user takes as long as a known one with a wrong password: the password is compared with a dummy hash, and every
 * comparison is stretched to the highest cost among the users. Valid credentials are cached as an HMAC with a key of this
 * process; passwords are not stored, and failures are never cached.
 */
export function createAuthenticator(compare: Compare = createComparer()): Authenticator {
  const key = randomBytes(32);
  const granted = new Set<string>();
  const pending = new Map<string, Promise<boolean>>();
  const waiting = new Map<string, number>();
  let waitingTotal = 0;

  /** Peers whose credentials were valid, the least recent first. */
  const known = new Set<string>();
  const remember = (set: Set<string>, entry: string) => {
    set.delete(entry);
    const [oldest] = set;
    if (set.size >= cacheSize && oldest !== undefined) set.delete(oldest);
    set.add(entry);
  };

  const verify = async (comparison: Comparison, peer: string) => {
    waitingTotal++;
    waiting.set(peer, (waiting.get(peer) ?? 0) + 1);
    try {
      return await compare(comparison, known.has(peer));
    } finally {
      waitingTotal--;
      const left = (waiting.get(peer) ?? 1) - 1;
      if (left > 0) waiting.set(peer, left);
      else waiting.delete(peer);
    }
  };

  return {
    check: async (header, users, address) => {
      const peer = peerOf(address);
      if (users.size === 0) return 'granted';
      const credentials = parseCredentials(header);
      if (!credentials) return 'denied';
      const ceiling = Math.max(...[...users.values()].map((hash) => bcryptCost(hash) ?? 0));
      const hash = users.get(credentials.user) ?? dummyHash(ceiling);
      const ticket = createHmac('sha256', key)
        .update(JSON.stringify([credentials.user, hash, credentials.password]))
        .digest('base64');
      if (granted.has(ticket)) {
        remember(known, peer);
        return 'granted';
      }
      let verdict = pending.get(ticket);
      if (!verdict) {
        const room = known.has(peer) ? queueSize : queueSize - reservedForKnown;
        if (waitingTotal >= room || (waiting.get(peer) ?? 0) >= queuePerPeer) return 'busy';
        const comparison = { password: credentials.password, hash, cost: bcryptCost(hash) ?? ceiling, ceiling };
        verdict = verify(comparison, peer).finally(() => pending.delete(ticket));
        pending.set(ticket, verdict);
      }
      // The dummy hash never grants access, whatever the comparison returns.
      if (!(await verdict) || !users.has(credentials.user)) return 'denied';
      remember(granted, ticket);
      remember(known, peer);
      return 'granted';
    },
  };
}

/** A well-formed hash that no password has: its digest is all zeros. */
function dummyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'A'.repeat(21)}.${'.'.repeat(31)}`;
}

function parseCredentials(header: string | undefined): { user: string; password: string } | undefined {
  const packed = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '')?.[1];
  if (packed === undefined) return undefined;
  const plain = Buffer.from(packed, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  return colon < 0 ? undefined : { user: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

/** Compares one password at a time, in a thread that lives only as long as the queue is not empty. */
export function createComparer(): Compare {
  type Job = {
    comparison: Comparison;
    urgent: boolean;
    resolve: (equal: boolean) => void;
    reject: (error: Error) => void;
  };
  const queue: Job[] = [];
  let worker: Worker | undefined;

  const stop = () => {
    const ended = worker;
    worker = undefined;
    ended?.removeAllListeners();
    // Without a listener, a late error would end the process.
    ended?.on('error', () => undefined);
    void ended?.terminate();
  };
  const fail = (error: Error) => {
    stop();
    for (const job of queue.splice(0)) job.reject(error);
  };
  const start = (): Worker => {
    const started = new Worker(new URL('./bcrypt-worker.js', import.meta.url), {
      // The thread does not need the environment.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 },
    });
    started.on('message', (equal: boolean) => {
      queue.shift()?.resolve(equal);
      const next = queue[0];
      if (next) started.postMessage(next.comparison);
      else stop();
    });
    started.on('error', fail);
    started.on('exit', () => fail(new Error('the thread that checks passwords exited')));
    return started;
  };
  return (comparison, urgent) =>
    new Promise((resolve, reject) => {
      // The first job is already being compared.
      const behind = urgent ? queue.findIndex((job, at) => at > 0 && !job.urgent) : -1;
      queue.splice(behind === -1 ? queue.length : behind, 0, { comparison, urgent, resolve, reject });
      if (queue.length > 1) return;
      worker ??= start();
      worker.postMessage(comparison);
    });
}
