/** HTTP basic auth (RFC 7617) against bcrypt hashes. Knows nothing of servers: header and users in, decision out. */
import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Comparison } from './bcrypt-worker.js';
import { bcryptCost } from './config/web-config.js';

/** `busy`: too many passwords are waiting to be checked, some of them from the same peer. */
export type Decision = 'granted' | 'denied' | 'busy';

export interface Authenticator {
  /** `peer`: whoever asks, for a fair share of the waiting places; an address. Without users everybody is granted. */
  check: (header: string | undefined, users: ReadonlyMap<string, string>, peer: string) => Promise<Decision>;
}

/** Value of `WWW-Authenticate` beside a 401. */
export const challenge = 'Basic realm="filebeat-port-exporter", charset="UTF-8"';

const remembered = 100;
const waitingPlaces = 64;
const placesPerPeer = 4;

/**
 * Whoever is unknown costs exactly what a known user with a wrong password costs: a comparison with a hash of nobody,
 * and every comparison is stretched to the highest cost among the users. Only what was right is remembered, under an
 * HMAC with a key of this process: passwords are not kept, and failures always cost the one who tries.
 */
export function createAuthenticator(
  compare: (comparison: Comparison) => Promise<boolean> = createComparer(),
): Authenticator {
  const key = randomBytes(32);
  const granted = new Set<string>();
  const pending = new Map<string, Promise<boolean>>();
  const waiting = new Map<string, number>();
  let waitingTotal = 0;

  const verify = async (password: string, hash: string, known: boolean, ceiling: number, peer: string) => {
    waitingTotal++;
    waiting.set(peer, (waiting.get(peer) ?? 0) + 1);
    try {
      const equal = await compare({ password, hash, cost: bcryptCost(hash) ?? ceiling, ceiling });
      return equal && known;
    } finally {
      waitingTotal--;
      const left = (waiting.get(peer) ?? 1) - 1;
      if (left > 0) waiting.set(peer, left);
      else waiting.delete(peer);
    }
  };

  return {
    check: async (header, users, peer) => {
      if (users.size === 0) return 'granted';
      const credentials = parseCredentials(header);
      if (!credentials) return 'denied';
      const ceiling = Math.max(...[...users.values()].map((hash) => bcryptCost(hash) ?? 0));
      const known = users.has(credentials.user);
      const hash = users.get(credentials.user) ?? hashOfNobody(ceiling);
      const ticket = createHmac('sha256', key)
        .update(JSON.stringify([credentials.user, hash, credentials.password]))
        .digest('base64');
      if (granted.has(ticket)) return 'granted';
      let verdict = pending.get(ticket);
      if (!verdict) {
        if (waitingTotal >= waitingPlaces || (waiting.get(peer) ?? 0) >= placesPerPeer) return 'busy';
        verdict = verify(credentials.password, hash, known, ceiling, peer).finally(() => pending.delete(ticket));
        pending.set(ticket, verdict);
      }
      if (!(await verdict)) return 'denied';
      const [oldest] = granted;
      if (granted.size >= remembered && oldest !== undefined) granted.delete(oldest);
      granted.add(ticket);
      return 'granted';
    },
  };
}

/** A well-formed hash of a password that nobody has: 31 letters of a digest that is zero. */
function hashOfNobody(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'A'.repeat(21)}.${'.'.repeat(31)}`;
}

function parseCredentials(header: string | undefined): { user: string; password: string } | undefined {
  const packed = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '')?.[1];
  if (packed === undefined) return undefined;
  const plain = Buffer.from(packed, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  return colon < 0 ? undefined : { user: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

/** One comparison at a time, in a thread that lives only while there is something to compare. */
export function createComparer(): (comparison: Comparison) => Promise<boolean> {
  type Job = { comparison: Comparison; resolve: (equal: boolean) => void; reject: (error: Error) => void };
  const queue: Job[] = [];
  let worker: Worker | undefined;

  const stop = () => {
    const ended = worker;
    worker = undefined;
    ended?.removeAllListeners();
    // An error on the way out is nobody's any more.
    ended?.on('error', () => undefined);
    void ended?.terminate();
  };
  const fail = (error: Error) => {
    stop();
    for (const job of queue.splice(0)) job.reject(error);
  };
  const start = (): Worker => {
    const started = new Worker(new URL('./bcrypt-worker.js', import.meta.url), {
      // The environment is the program's business, not this thread's.
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
    started.on('exit', () => fail(new Error('the thread that checks passwords ended')));
    return started;
  };
  return (comparison) =>
    new Promise((resolve, reject) => {
      queue.push({ comparison, resolve, reject });
      if (queue.length > 1) return;
      worker ??= start();
      worker.postMessage(comparison);
    });
}
