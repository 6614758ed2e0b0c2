/**
 * `createApp`: answers requests. What is asked for all the time, `/metrics` and `/-/healthy`, is answered directly from
 * bytes that are made once for each report; everything else by the routes of Express, which are loaded at the first
 * request that needs them.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Report } from '../model/model.js';
import {
  type AppOptions,
  createExpositions,
  createLimit,
  deadlineOf,
  reply,
  secureHeaders,
  sendText,
} from './answers.js';
import { preferredFormat } from './metrics/accept.js';
import { contentTypes } from './metrics/exposition.js';

export { type AppOptions, deadlineOf } from './answers.js';

/** Compressed at once, since waking another thread costs more; larger ones would hold up other requests. Bytes. */
const AT_ONCE = 1 << 19;
/** Not worth compressing. Bytes. */
const SMALL = 1024;
const LEVEL = { level: 1 };

async function gzipped(plain: Buffer): Promise<Buffer> {
  const { gzip, gzipSync } = await import('node:zlib');
  if (plain.length <= AT_ONCE) return gzipSync(plain, LEVEL);
  return new Promise((resolve, reject) => {
    gzip(plain, LEVEL, (error, packed) => (error === null ? resolve(packed) : reject(error)));
  });
}

/** `gzip` or `identity` where that is plainly what is asked for; anything else is for the routes to negotiate. */
function plainEncoding(accept: string | undefined): 'gzip' | 'identity' | undefined {
  const asked = (accept ?? 'identity').toLowerCase().replaceAll(' ', '');
  if (asked === 'gzip' || asked === 'gzip,deflate' || asked === 'gzip,zstd' || asked === 'zstd,gzip') return 'gzip';
  return asked === 'identity' || asked === '' ? 'identity' : undefined;
}

export function createApp(options: AppOptions): RequestListener {
  const { routePrefix, telemetryPath } = options;
  const healthy = `${routePrefix}/-/healthy`;
  const metrics = routePrefix + telemetryPath;
  const enter = createLimit(options.maxRequests);
  const expositions = createExpositions(options.metrics, gzipped);

  async function scrape(req: IncomingMessage, res: ServerResponse, encoding: 'gzip' | 'identity') {
    if (!enter(res)) return;
    let report: Report;
    try {
      report = await options.getReport(deadlineOf(header(req, 'x-prometheus-scrape-timeout-seconds')));
      if (!report.snapshot.usable) throw new Error('not usable');
    } catch {
      // What failed is in the log.
      sendText(res, 500, 'Nothing could be looked at; the log says why.');
      return;
    }
    const format = preferredFormat(req.headers.accept);
    res.setHeader('Vary', 'Accept, Accept-Encoding');
    const plain = expositions.plain(report, format);
    const isPacked = encoding === 'gzip' && plain.length >= SMALL && req.method === 'GET';
    if (isPacked) res.setHeader('Content-Encoding', 'gzip');
    reply(res, 200, contentTypes[format], isPacked ? await expositions.packed(report, format) : plain);
  }

  let routes: Promise<RequestListener> | undefined;
  async function route(req: IncomingMessage, res: ServerResponse) {
    routes ??= import('./routes.js').then(({ createRoutes }) => createRoutes(options, { enter, expositions }));
    (await routes)(req, res);
  }

  return (req, res) => {
    const path = (req.url ?? '').split('?', 1)[0];
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const encoding = isRead && path === metrics ? plainEncoding(header(req, 'accept-encoding')) : undefined;
    const isDirect = encoding !== undefined && options.nodeMetrics === undefined;
    const isHealth = isRead && path === healthy;
    if (isDirect || isHealth) for (const [name, value] of Object.entries(secureHeaders)) res.setHeader(name, value);
    if (isHealth) {
      res.setHeader('Vary', 'Accept-Encoding');
      sendText(res, 200, 'Healthy.');
    } else
      (isDirect ? scrape(req, res, encoding) : route(req, res)).catch(() => {
        if (res.headersSent) res.destroy();
        else sendText(res, 500, 'Nothing could be looked at; the log says why.');
      });
  };
}

function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
