/** What both ways to an answer share: the direct one of a scrape (`server.ts`) and the routes (`routes.ts`). */
import type { ServerResponse } from 'node:http';
import type { Report } from '../model/model.js';
import type { Format } from './metrics/exposition.js';
import { type MetricsOptions, renderMetrics } from './metrics/metrics.js';

export interface Lifecycle {
  /** Applies the settings file again; a sentence when it is bad and the old settings stay. */
  reload(): Promise<{ ok: true } | { ok: false; message: string }>;
  /** Forgets a remembered instance; a sentence when there is none of that name or it still ought to run. */
  forget(name: string): Promise<{ ok: true } | { ok: false; message: string }>;
}

export interface AppOptions {
  /** A report; with `withinMs`, the last one known when a scan takes longer. */
  getReport(withinMs?: number): Promise<Report>;
  /** A scan has succeeded. */
  isReady(): boolean;
  /** Before every route: `` or `/a/b`. */
  routePrefix: string;
  /** Where `/metrics` answers. */
  telemetryPath: string;
  metrics(): MetricsOptions;
  /** The exporter's own Node.js metrics, where they were asked for. */
  nodeMetrics?: (format: Format) => Promise<string>;
  /** Requests served at once, 0 = no limit. */
  maxRequests: number;
  /** Label and value of what the host is; asked for by pages only, never by a scrape. */
  hostFacts?: () => Promise<readonly (readonly [string, string])[]>;
  /** Only with `--web.enable-lifecycle`. */
  lifecycle?: Lifecycle;
}

/** Who names no deadline still gets an answer when a scan hangs. Milliseconds. */
const patience = 10_000;

/** Milliseconds to answer within: what the scraper says it waits, less a margin for the way. */
export function deadlineOf(header: string | undefined): number {
  const seconds = Number(header);
  if (header === undefined || !Number.isFinite(seconds) || seconds <= 0) return patience;
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

export function reply(res: ServerResponse, status: number, type: string, body: string | Buffer): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  res.statusCode = status;
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
}

export const sendText = (res: ServerResponse, status: number, sentence: string): void =>
  reply(res, status, 'text/plain; charset=utf-8', `${sentence}\n`);

/** True: there is room for one more, which is answered. Otherwise it is refused with 503. Health checks are not counted. */
export function createLimit(most: number): (res: ServerResponse) => boolean {
  let serving = 0;
  return (res) => {
    if (most > 0 && serving >= most) {
      res.setHeader('Retry-After', '1');
      sendText(res, 503, `More than ${most} requests at once.`);
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
  plain(report: Report, format: Format): Buffer;
  /** Compressed with gzip. */
  packed(report: Report, format: Format): Promise<Buffer>;
}

type Texts = Partial<Record<Format, { plain: Buffer; packed?: Promise<Buffer> }>>;

/** Many requests share one report: its bytes are written once, and compressed once. */
export function createExpositions(
  metrics: () => MetricsOptions,
  pack: (plain: Buffer) => Promise<Buffer>,
): Expositions {
  const known = new WeakMap<Report, Texts>();
  const of = (report: Report, format: Format) => {
    const texts = known.get(report) ?? {};
    known.set(report, texts);
    texts[format] ??= { plain: renderMetrics(report, metrics(), format) };
    return texts[format];
  };
  return {
    plain: (report, format) => of(report, format).plain,
    packed(report, format) {
      const text = of(report, format);
      text.packed ??= pack(text.plain);
      return text.packed;
    },
  };
}
