/** `createApp`: the routes of the exporter as an Express app. It decides nothing: every answer is a function of a Report. */
import compression from 'compression';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Report } from '../model/model.js';
import { asciiControls } from '../runtime/controls.js';
import { statusDocument } from './json/status-json.js';
import { preferredFormat } from './metrics/accept.js';
import { contentTypes, type Format } from './metrics/exposition.js';
import { type MetricsOptions, renderMetrics } from './metrics/metrics.js';
import type { PageContext } from './page/layout.js';

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

const secureHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
  next();
};

function reply(res: Response, status: number, type: string, body: string | Buffer): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  res.status(status).set({ 'Content-Type': type, 'Content-Length': String(bytes.length) });
  res.end(bytes);
}

const say = (res: Response, status: number, sentence: string): void =>
  reply(res, status, 'text/plain; charset=utf-8', `${sentence}\n`);

/** Refuses with 503 what goes beyond the limit. Health checks are not counted. */
function limitRequests(limit: number): RequestHandler {
  let serving = 0;
  return (_req, res, next) => {
    if (limit > 0 && serving >= limit) {
      res.set('Retry-After', '1');
      say(res, 503, `More than ${limit} requests at once.`);
      return;
    }
    serving++;
    res.once('close', () => {
      serving--;
    });
    next();
  };
}

const refuseMethod =
  (...allowed: string[]): RequestHandler =>
  (req, res) => {
    res.set('Allow', allowed.join(', '));
    say(res, 405, `${req.path.slice(0, 200)} does not answer ${req.method}.`);
  };

/**
 * Lifecycle routes change something: only when enabled, and never for a browser, which always sends Origin with such
 * a request, from whatever page it comes.
 */
function changes(
  lifecycle: Lifecycle | undefined,
  act: (lifecycle: Lifecycle, req: Request, res: Response) => Promise<void>,
): RequestHandler {
  return async (req, res) => {
    if (lifecycle === undefined) say(res, 403, 'Lifecycle routes are off; --web.enable-lifecycle turns them on.');
    else if (req.get('Origin') !== undefined) say(res, 403, 'Lifecycle routes do not answer browsers.');
    else await act(lifecycle, req, res);
  };
}

const failed: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  const status = (error as { status?: unknown }).status;
  if (typeof status === 'number' && status >= 400 && status < 500)
    say(res, status, 'The request cannot be understood.');
  else say(res, 500, 'Nothing could be looked at; the log says why.');
};

/** The bare host and the prefix without its slash lead to the page. Relative, so that it holds behind a proxy that shows us elsewhere. */
function redirectTo(app: Express, routePrefix: string): void {
  const last = routePrefix.slice(routePrefix.lastIndexOf('/') + 1);
  app.get('/', (_req, res) => res.redirect(302, `.${routePrefix}/`));
  app.get(routePrefix, (_req, res) => res.redirect(302, `./${last}/`));
}

export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  app.enable('case sensitive routing').enable('strict routing');
  app.use(secureHeaders);
  app.use(compression({ level: 1, filter: () => true }));

  const { routePrefix } = options;
  if (routePrefix !== '') redirectTo(app, routePrefix);
  const route = (path: string) => app.route(routePrefix + path);
  const limited = limitRequests(options.maxRequests);
  const get = (path: string, answer: (report: Report, req: Request, res: Response) => Promise<void> | void) =>
    route(path)
      .get(limited, async (req, res) => {
        const report = await options.getReport(deadlineOf(req.get('X-Prometheus-Scrape-Timeout-Seconds')));
        await answer(report, req, res);
      })
      .all(refuseMethod('GET', 'HEAD'));

  // Within the freshness window many requests share one report: its texts are written once.
  const rendered = new WeakMap<Report, Partial<Record<Format, Buffer>>>();
  async function exposition(report: Report, format: Format): Promise<Buffer> {
    if (options.nodeMetrics !== undefined)
      return renderMetrics(report, options.metrics(), format, await options.nodeMetrics(format));
    const known = rendered.get(report) ?? {};
    rendered.set(report, known);
    known[format] ??= renderMetrics(report, options.metrics(), format);
    return known[format];
  }

  get(options.telemetryPath, async (report, req, res) => {
    if (!report.snapshot.usable) {
      say(res, 500, 'Nothing could be looked at; the log says why.');
      return;
    }
    const format = preferredFormat(req.get('Accept'));
    res.vary('Accept');
    reply(res, 200, contentTypes[format], await exposition(report, format));
  });

  const documents = new WeakMap<Report, Buffer>();
  get('/api/v1/status', (report, _req, res) => {
    let bytes = documents.get(report);
    if (bytes === undefined) {
      bytes = Buffer.from(`${asciiControls(JSON.stringify(statusDocument(report, options.metrics().version)))}\n`);
      documents.set(report, bytes);
    }
    reply(res, 200, 'application/json; charset=utf-8', bytes);
  });

  // The pages are loaded when first asked for: a scrape does not need them.
  get('/', async (report, req, res) => {
    res.vary('Accept');
    if (req.accepts(['html', 'text/plain']) === 'text/plain') {
      const { checkText } = await import('./terminal/check-text.js');
      reply(res, 200, 'text/plain; charset=utf-8', checkText(report, { color: false, quiet: false }));
      return;
    }
    const { homePage, pagePolicy } = await import('./page/home-page.js');
    res.set('Content-Security-Policy', pagePolicy);
    const query = new URLSearchParams(req.url.slice(req.path.length));
    reply(res, 200, 'text/html; charset=utf-8', homePage(report, query, await pageContext(options)));
  });
  get('/instances/:name', async (report, req, res) => {
    const { instancePage, pagePolicy } = await import('./page/instance-page.js');
    res.set('Content-Security-Policy', pagePolicy);
    const page = instancePage(report, String(req.params['name']), await pageContext(options));
    if (page === undefined) say(res, 404, 'There is no instance of that name.');
    else reply(res, 200, 'text/html; charset=utf-8', page);
  });

  route('/-/healthy')
    .get((_req, res) => say(res, 200, 'Healthy.'))
    .all(refuseMethod('GET', 'HEAD'));
  route('/-/ready')
    .get((_req, res) => (options.isReady() ? say(res, 200, 'Ready.') : say(res, 503, 'No scan has succeeded yet.')))
    .all(refuseMethod('GET', 'HEAD'));
  route('/-/reload')
    .post(
      changes(options.lifecycle, async (lifecycle, _req, res) => {
        const done = await lifecycle.reload();
        say(res, done.ok ? 200 : 500, done.ok ? 'Reloaded.' : done.message);
      }),
    )
    .all(refuseMethod('POST'));
  route('/api/v1/instances/:name')
    .delete(
      changes(options.lifecycle, async (lifecycle, req, res) => {
        const done = await lifecycle.forget(String(req.params['name']));
        say(res, done.ok ? 200 : 404, done.ok ? 'Forgotten.' : done.message);
      }),
    )
    .all(refuseMethod('DELETE'));

  app.use((_req, res) =>
    say(res, 404, `There is nothing here; ${routePrefix}/ has the page, ${routePrefix}/-/healthy the health.`),
  );
  app.use(failed);
  return app;
}

async function pageContext(options: AppOptions): Promise<PageContext> {
  const context = { version: options.metrics().version, telemetryPath: options.telemetryPath };
  if (options.hostFacts === undefined) return context;
  // The page must not fail for a fact that is only nice to know.
  const hostFacts = await options.hostFacts().catch(() => []);
  return hostFacts.length === 0 ? context : { ...context, hostFacts };
}
