/**
 * The request handler. `/metrics` and `/-/healthy`, which are requested all the time, are answered directly from bytes
 * rendered once per report. Everything else goes to the Express routes, which are loaded by the first request that needs them.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Report } from '../model/model.js';
import {
  type AppOptions,
  createExpositions,
  createLimit,
  deadlineOf,
  reply,
  scanFailed,
  secureHeaders,
  sendText,
} from './answers.js';
import { preferredFormat } from './metrics/accept.js';
import { contentTypes } from './metrics/exposition.js';

export { type AppOptions, deadlineOf } from './answers.js';

/** Up to this size gzip runs in this thread, which is cheaper than waking another; more would block other requests. Bytes. */
const syncGzipBytes = 1 << 19;
/** Smaller bodies are not compressed. Bytes. */
const minGzipBytes = 1024;
const LEVEL = { level: 1 };

/**
 * Joins the pieces in one buffer for all scrapes: with 10,000 ports they are 9 MB, and as garbage these would make V8 collect its whole
 * heap in nearly every scrape.
 */
function createCompressor(): (pieces: readonly Buffer[], size: number) => Promise<Buffer> {
  let buffer = Buffer.alloc(0);
  let isInUse = false;

  function joined(pieces: readonly Buffer[], size: number): Buffer {
    if (isInUse) return Buffer.concat(pieces, size);
    if (buffer.length < size) buffer = Buffer.allocUnsafeSlow(Math.ceil(size * 1.25));
    let at = 0;
    for (const piece of pieces) at += piece.copy(buffer, at);
    return buffer.subarray(0, size);
  }

  return async (pieces, size) => {
    const { gzip, gzipSync } = await import('node:zlib');
    const plain = joined(pieces, size);
    if (size <= syncGzipBytes) return gzipSync(plain, LEVEL);
    const isShared = plain.buffer === buffer.buffer;
    isInUse ||= isShared;
    try {
      return await new Promise((resolve, reject) => {
        gzip(plain, LEVEL, (error, packed) => (error === null ? resolve(packed) : reject(error)));
      });
    } finally {
      if (isShared) isInUse = false;
    }
  };
}

/** The encoding that a simple `Accept-Encoding` selects; undefined: the routes negotiate it. */
function simpleEncoding(accept: string | undefined): 'gzip' | 'identity' | undefined {
  const names = (accept ?? 'identity').toLowerCase().replaceAll(' ', '');
  if (names === 'gzip' || names === 'gzip,deflate' || names === 'gzip,zstd' || names === 'zstd,gzip') return 'gzip';
  return names === 'identity' || names === '' ? 'identity' : undefined;
}

/** Pages, metrics, JSON and lifecycle routes as one handler for a Node HTTP server. */
export function createApp(options: AppOptions): RequestListener {
  const { routePrefix, telemetryPath } = options;
  const healthy = `${routePrefix}/-/healthy`;
  const metrics = routePrefix + telemetryPath;
  const enter = createLimit(options.maxRequests);
  const expositions = createExpositions(options.metrics, createCompressor());

  async function scrape(req: IncomingMessage, res: ServerResponse, encoding: 'gzip' | 'identity') {
    if (!enter(res)) return;
    let report: Report;
    try {
      report = await options.getReport(deadlineOf(header(req, 'x-prometheus-scrape-timeout-seconds')));
      if (!report.snapshot.usable) throw new Error('not usable');
    } catch {
      // The failure has been logged.
      sendText(res, 500, scanFailed);
      return;
    }
    const format = preferredFormat(req.headers.accept);
    res.setHeader('Vary', 'Accept, Accept-Encoding');
    const isPacked = encoding === 'gzip' && expositions.size(report, format) >= minGzipBytes && req.method === 'GET';
    if (isPacked) res.setHeader('Content-Encoding', 'gzip');
    reply(
      res,
      200,
      contentTypes[format],
      isPacked ? await expositions.packed(report, format) : expositions.plain(report, format),
    );
  }

  let routes: Promise<RequestListener> | undefined;
  async function route(req: IncomingMessage, res: ServerResponse) {
    routes ??= import('./routes.js').then(({ createRoutes }) => createRoutes(options, { enter, expositions }));
    (await routes)(req, res);
  }

  return (req, res) => {
    const path = (req.url ?? '').split('?', 1)[0];
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const encoding = isRead && path === metrics ? simpleEncoding(header(req, 'accept-encoding')) : undefined;
    const isDirect = encoding !== undefined && options.nodeMetrics === undefined;
    const isHealth = isRead && path === healthy;
    if (isDirect || isHealth) for (const [name, value] of Object.entries(secureHeaders)) res.setHeader(name, value);
    if (isHealth) {
      res.setHeader('Vary', 'Accept-Encoding');
      sendText(res, 200, 'Healthy.');
    } else
      (isDirect ? scrape(req, res, encoding) : route(req, res)).catch(() => {
        if (res.headersSent) res.destroy();
        else sendText(res, 500, scanFailed);
      });
  };
}

function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
