/**
 * Filebeat's stats endpoint: `/`, `/stats` and `/inputs/` by GET, and nothing else. The caller says where, and answers for it
 * that the very process listens there. A request has one second for all, 4 MB, 32 levels; an answer that is not 200 is none.
 */
import { get } from 'node:http';
import { steadyMs } from '../runtime/clock.js';

/** Where to connect: an address of this host's loopback or of a listener. */
export interface EndpointTarget {
  address: string;
  port: number;
}

export interface EndpointAnswer {
  uuid?: string;
  stats: unknown;
  inputs?: unknown;
}

export type EndpointResult =
  | { ok: true; answer: EndpointAnswer }
  | { ok: false; why: 'timeout' | 'refused' | 'malformed' | 'limit' };

const deadlineMs = 1000;
const mostBytes = 4 * 1024 * 1024;
const mostDepth = 32;

type Body = { ok: true; value: unknown } | { ok: false; why: 'timeout' | 'refused' | 'malformed' | 'limit' };

function fetchJson({ address, port }: EndpointTarget, path: '/' | '/stats' | '/inputs/', until: number): Promise<Body> {
  return new Promise((resolve) => {
    const end = (body: Body) => {
      clearTimeout(timer);
      request.destroy();
      resolve(body);
    };
    const request = get({
      host: address,
      port,
      path,
      agent: false,
      headers: { Host: 'localhost', Accept: 'application/json' },
    });
    const timer = setTimeout(() => end({ ok: false, why: 'timeout' }), Math.max(1, until - steadyMs()));
    request.on('error', () => end({ ok: false, why: 'refused' }));
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

/** How deep brackets nest, outside of strings. */
export function depthOf(text: string): number {
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

/** `/inputs/` came with 8.7: before, it is 404 and left out. `within`: milliseconds for all three. */
export async function askEndpoint(
  target: EndpointTarget,
  withInputs: boolean,
  within = deadlineMs,
): Promise<EndpointResult> {
  const until = steadyMs() + within;
  const [root, stats, inputs] = await Promise.all([
    fetchJson(target, '/', until),
    fetchJson(target, '/stats', until),
    withInputs ? fetchJson(target, '/inputs/', until) : undefined,
  ]);
  if (!root.ok) return root;
  if (!stats.ok) return stats;
  const uuid = (root.value as { uuid?: unknown } | null)?.uuid;
  return {
    ok: true,
    answer: {
      ...(typeof uuid === 'string' ? { uuid } : {}),
      stats: stats.value,
      ...(inputs?.ok ? { inputs: inputs.value } : {}),
    },
  };
}
