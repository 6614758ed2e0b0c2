/**
 * Queries Filebeat's stats endpoint: GET of `/`, `/stats` and `/inputs/`, and nothing else. The caller makes sure that the right
 * process listens there. Limits: one second for all three requests, 4 MB and 32 levels of nesting per answer, status 200.
 */
import { get, type RequestOptions } from 'node:http';
import { type EntryFigures, type Figures, readEntries, readFigures } from '../pipeline-figures.js';

/** Where to connect: an address of this host, or the path of a unix socket as the exporter sees it. */
export type EndpointTarget = { address: string; port: number } | { path: string };

/** What is kept of an answer. */
export interface EndpointAnswer {
  uuid?: string;
  /** `beat.info.uptime.ms`, in seconds. */
  uptime?: number;
  figures: Figures;
  entries: EntryFigures[];
}

export type EndpointFailure = 'timeout' | 'refused' | 'denied' | 'malformed' | 'limit';

export type EndpointResult = { ok: true; answer: EndpointAnswer } | { ok: false; why: EndpointFailure };

const deadlineMs = 1000;
const tickMs = 50;
/** `/` has 300 bytes and `/stats` 2 KB, `/inputs/` 40 KB with 50 inputs. */
const mostBytes = 4 * 1024 * 1024;
const mostDepth = 32;
/** `sun_path` has 108 bytes, the last of them 0: see unix(7). */
const longestPath = 107;

type Body = { ok: true; value: unknown } | { ok: false; why: EndpointFailure };

interface Countdown {
  /** Called once, unless `stop` was called before. */
  onEnd(act: () => void): void;
  stop(): void;
}

/**
 * Counts ticks instead of measuring time: after a pause of the whole thread, the answers that arrived meanwhile are read before
 * the next tick, and do not count as late.
 */
function countDown(milliseconds: number): Countdown {
  const actions: (() => void)[] = [];
  let left = Math.ceil(milliseconds / tickMs);
  const timer = setInterval(() => {
    if (--left > 0) return;
    clearInterval(timer);
    for (const act of actions) act();
  }, tickMs);
  return { onEnd: (act) => void actions.push(act), stop: () => clearInterval(timer) };
}

function addressOf(target: EndpointTarget): RequestOptions {
  return 'path' in target ? { socketPath: target.path } : { host: target.address, port: target.port };
}

function fetchJson(target: EndpointTarget, path: '/' | '/stats' | '/inputs/', deadline: Countdown): Promise<Body> {
  return new Promise((resolve) => {
    const request = get({
      ...addressOf(target),
      path,
      agent: false,
      headers: { Host: 'localhost', Accept: 'application/json' },
    });
    const end = (body: Body) => {
      request.destroy();
      resolve(body);
    };
    deadline.onEnd(() => end({ ok: false, why: 'timeout' }));
    request.on('error', ({ code }: NodeJS.ErrnoException) =>
      end({ ok: false, why: code === 'EACCES' || code === 'EPERM' ? 'denied' : 'refused' }),
    );
    request.on('response', (response) => {
      if (response.statusCode !== 200) return end({ ok: false, why: 'malformed' });
      const pieces: Buffer[] = [];
      let length = 0;
      response.on('data', (piece: Buffer) => {
        length += piece.length;
        if (length > mostBytes) return end({ ok: false, why: 'limit' });
        pieces.push(piece);
      });
      response.on('error', () => end({ ok: false, why: 'refused' }));
      response.on('end', () => end(parseBody(Buffer.concat(pieces).toString('utf8'))));
    });
  });
}

function parseBody(text: string): Body {
  if (depthOf(text) > mostDepth) return { ok: false, why: 'limit' };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, why: 'malformed' };
  }
}

/** Depth of nested brackets outside of strings. */
function depthOf(text: string): number {
  let [depth, deepest, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

const longestUuid = 64;

function uptimeOf(stats: unknown): number | undefined {
  const ms = (stats as { beat?: { info?: { uptime?: { ms?: unknown } } } }).beat?.info?.uptime?.ms;
  return typeof ms === 'number' ? ms / 1000 : undefined;
}

/** `withInputs`: also query `/inputs/`, which exists since 8.7. `within`: milliseconds for all three. Never rejects. */
export async function queryEndpoint(
  target: EndpointTarget,
  withInputs: boolean,
  within = deadlineMs,
): Promise<EndpointResult> {
  if ('path' in target && Buffer.byteLength(target.path) > longestPath) return { ok: false, why: 'limit' };
  const deadline = countDown(within);
  try {
    const [root, stats, inputs] = await Promise.all([
      fetchJson(target, '/', deadline),
      fetchJson(target, '/stats', deadline),
      withInputs ? fetchJson(target, '/inputs/', deadline) : undefined,
    ]);
    if (!root.ok) return root;
    if (!stats.ok) return stats;
    const figures = readFigures(stats.value);
    if (figures === undefined) return { ok: false, why: 'malformed' };
    const uuid = (root.value as { uuid?: unknown } | null)?.uuid;
    const uptime = uptimeOf(stats.value);
    return {
      ok: true,
      answer: {
        ...(typeof uuid === 'string' && uuid.length <= longestUuid ? { uuid } : {}),
        ...(uptime === undefined ? {} : { uptime }),
        figures,
        entries: inputs?.ok ? readEntries(inputs.value) : [],
      },
    };
  } finally {
    deadline.stop();
  }
}
