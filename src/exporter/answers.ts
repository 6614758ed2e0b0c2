/** Shared by the direct answers of `server.ts` and the Express routes of `routes.ts`. */
import type { ServerResponse } from 'node:http';
import type { Report } from '../model/model.js';
import type { Format } from './metrics/exposition.js';
import { type MetricsOptions, metricsPieces } from './metrics/metrics.js';

export interface Lifecycle {
  /** Reads the settings file again. `message`: why it is invalid; the previous settings then stay in use. */
  reload(): Promise<{ ok: true } | { ok: false; message: string }>;
  /** Forgets a remembered instance. `message`: there is none of that name, or it is still expected to run. */
  forget(name: string): Promise<{ ok: true } | { ok: false; message: string }>;
}

export interface AppOptions {
  /** The current report; with `withinMs`, the previous one if the scan takes longer. */
  getReport(withinMs?: number): Promise<Report>;
  /** A scan has succeeded. */
  isReady(): boolean;
  /** Prefix of every route: empty or `/a/b`. */
  routePrefix: string;
  /** Path of the metrics, `/metrics` by default. */
  telemetryPath: string;
  metrics(): MetricsOptions;
  /** The exporter's own Node.js metrics; only with `--collector.nodejs`. */
  nodeMetrics?: (format: Format) => Promise<string>;
  /** Maximum number of concurrent requests; 0: no limit. */
  maxRequests: number;
  /** Label and value of facts about the host. Pages show them; a scrape never reads them. */
  hostFacts?: () => Promise<readonly (readonly [string, string])[]>;
  /** Only with `--web.enable-lifecycle`. */
  lifecycle?: Lifecycle;
}

/** For clients that announce no timeout, so that they get an answer even if a scan hangs. Milliseconds. */
const defaultDeadline = 10_000;

/** Milliseconds to answer within: the timeout that the scraper announces, less a margin for the network. */
export function deadlineOf(header: string | undefined): number {
  const seconds = Number(header);
  if (header === undefined || !Number.isFinite(seconds) || seconds <= 0) return defaultDeadline;
  return Math.max(1, Math.min(seconds * 1000 - Math.min(500, seconds * 200), 3_600_000));
}

export const secureHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Body of a 500 when there is no usable report. */
export const scanFailed = 'The scan failed; the log says why.';

export function reply(res: ServerResponse, status: number, type: string, body: string | Buffer): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  res.statusCode = status;
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
}

export const sendText = (res: ServerResponse, status: number, sentence: string): void =>
  reply(res, status, 'text/plain; charset=utf-8', `${sentence}\n`);

/** The returned function admits a request, or answers it with 503 and returns false. Health checks do not pass through it. */
export function createLimit(max: number): (res: ServerResponse) => boolean {
  let serving = 0;
  return (res) => {
    if (max > 0 && serving >= max) {
      res.setHeader('Retry-After', '1');
      sendText(res, 503, `More than ${max} requests at once.`);
      return false;
    }
    serving++;
    res.once('close', () => {
      serving--;
    });
    return true;
  };
}

export interface Expositions {
  /** Bytes of the plain text. */
  size(report: Report, format: Format): number;
  plain(report: Report, format: Format): Buffer;
  /** Compressed with gzip. */
  packed(report: Report, format: Format): Promise<Buffer>;
}

interface Text {
  pieces: readonly Buffer[];
  size: number;
  plain?: Buffer;
  packed?: Promise<Buffer>;
}

/** Requests that share a report share its bytes: rendered once and compressed once. */
export function createExpositions(
  metrics: () => MetricsOptions,
  pack: (pieces: readonly Buffer[], size: number) => Promise<Buffer>,
): Expositions {
  // Not `perObject`, which keeps one result: a report is asked for in several formats.
  const cache = new WeakMap<Report, Partial<Record<Format, Text>>>();
  const of = (report: Report, format: Format): Text => {
    const texts = cache.get(report) ?? {};
    cache.set(report, texts);
    texts[format] ??= textOf(metricsPieces(report, metrics(), format));
    return texts[format];
  };
  return {
    size: (report, format) => of(report, format).size,
    plain(report, format) {
      const text = of(report, format);
      text.plain ??= Buffer.concat(text.pieces, text.size);
      return text.plain;
    },
    packed(report, format) {
      const text = of(report, format);
      text.packed ??= pack(text.pieces, text.size);
      return text.packed;
    },
  };
}

function textOf(pieces: readonly Buffer[]): Text {
  return { pieces, size: pieces.reduce((sum, { length }) => sum + length, 0) };
}
