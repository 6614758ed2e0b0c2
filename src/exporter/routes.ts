/** The routes as an Express app: every answer is a function of a Report. */
import compression from 'compression';
import express, {
  type ErrorRequestHandler,
  type Express,
  type IRoute,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Report } from '../model/model.js';
import { asciiControls } from '../runtime/controls.js';
import { perObject } from '../runtime/unchanged.js';
import {
  type AppOptions,
  deadlineOf,
  type Expositions,
  type Lifecycle,
  reply,
  scanFailed,
  secureHeaders,
  sendText,
} from './answers.js';
import { statusDocument } from './json/status-json.js';
import { preferredFormat } from './metrics/accept.js';
import { contentTypes } from './metrics/exposition.js';
import { renderMetrics } from './metrics/metrics.js';
import type { PageContext } from './page/layout.js';

const refuseMethod =
  (...allowed: string[]): RequestHandler =>
  (req, res) => {
    res.set('Allow', allowed.join(', '));
    sendText(res, 405, `${req.method} is not allowed for ${req.path.slice(0, 200)}.`);
  };

/** Guards the lifecycle routes: they must be enabled, and refuse browsers, which send `Origin` with every request of this kind. */
function guarded(
  lifecycle: Lifecycle | undefined,
  act: (lifecycle: Lifecycle, req: Request, res: Response) => Promise<void>,
): RequestHandler {
  return async (req, res) => {
    if (lifecycle === undefined)
      sendText(res, 403, 'Lifecycle routes are disabled; --web.enable-lifecycle enables them.');
    else if (req.get('Origin') !== undefined) sendText(res, 403, 'Lifecycle routes refuse requests from browsers.');
    else await act(lifecycle, req, res);
  };
}

const failed: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  const status = (error as { status?: unknown }).status;
  if (typeof status === 'number' && status >= 400 && status < 500) sendText(res, status, 'Bad request.');
  else sendText(res, 500, scanFailed);
};

/** Redirects `/` and the prefix without its slash to the page. Relative, so that it works behind a proxy with another path. */
function redirectTo(app: Express, routePrefix: string): void {
  const last = routePrefix.slice(routePrefix.lastIndexOf('/') + 1);
  app.get('/', (_req, res) => res.redirect(302, `.${routePrefix}/`));
  app.get(routePrefix, (_req, res) => res.redirect(302, `./${last}/`));
}

/** State shared with the direct answers of `server.ts`. */
export interface Shared {
  /** See `createLimit`. */
  enter: (res: Response) => boolean;
  expositions: Expositions;
}

type Answer = (report: Report, req: Request, res: Response) => Promise<void> | void;

export function createRoutes(options: AppOptions, { enter, expositions }: Shared): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  app.enable('case sensitive routing').enable('strict routing');
  app.use((_req, res, next) => {
    res.set(secureHeaders);
    next();
  });
  app.use(compression({ level: 1, filter: () => true }));

  const { routePrefix, telemetryPath } = options;
  if (routePrefix !== '') redirectTo(app, routePrefix);
  const route = (path: string) => app.route(routePrefix + path);
  const limited: RequestHandler = (_req, res, next) => {
    if (enter(res)) next();
  };
  const get = (path: string, answer: Answer) =>
    route(path)
      .get(limited, async (req, res) => {
        const report = await options.getReport(deadlineOf(req.get('X-Prometheus-Scrape-Timeout-Seconds')));
        await answer(report, req, res);
      })
      .all(refuseMethod('GET', 'HEAD'));

  get(options.telemetryPath, metricsAnswer(options, expositions));
  get('/api/v1/status', statusAnswer(options));
  get('/', homeAnswer(options));
  get('/instances/:name', instanceAnswer(options));
  addHealth(route, options);
  addLifecycle(route, options.lifecycle);
  app.use((_req, res) =>
    sendText(res, 404, `Not found. See ${routePrefix}/, ${routePrefix}${telemetryPath} or ${routePrefix}/-/healthy.`),
  );
  app.use(failed);
  return app;
}

function metricsAnswer(options: AppOptions, expositions: Expositions): Answer {
  return async (report, req, res) => {
    if (!report.snapshot.usable) {
      sendText(res, 500, scanFailed);
      return;
    }
    const format = preferredFormat(req.get('Accept'));
    res.vary('Accept');
    const bytes =
      options.nodeMetrics === undefined
        ? expositions.plain(report, format)
        : renderMetrics(report, options.metrics(), format, await options.nodeMetrics(format));
    reply(res, 200, contentTypes[format], bytes);
  };
}

function statusAnswer(options: AppOptions): Answer {
  const document = perObject((report: Report, version: string) =>
    Buffer.from(`${asciiControls(JSON.stringify(statusDocument(report, version)))}\n`),
  );
  return (report, _req, res) =>
    reply(res, 200, 'application/json; charset=utf-8', document(report, options.metrics().version));
}

/** The page, or the text of `check` for a client that prefers it. Both are loaded on demand: a scrape needs neither. */
function homeAnswer(options: AppOptions): Answer {
  return async (report, req, res) => {
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
  };
}

function instanceAnswer(options: AppOptions): Answer {
  return async (report, req, res) => {
    const { instancePage, pagePolicy } = await import('./page/instance-page.js');
    res.set('Content-Security-Policy', pagePolicy);
    const page = instancePage(report, String(req.params['name']), await pageContext(options));
    if (page === undefined) sendText(res, 404, 'There is no instance of that name.');
    else reply(res, 200, 'text/html; charset=utf-8', page);
  };
}

function addHealth(route: (path: string) => IRoute, { isReady }: AppOptions): void {
  route('/-/healthy')
    .get((_req, res) => sendText(res, 200, 'Healthy.'))
    .all(refuseMethod('GET', 'HEAD'));
  route('/-/ready')
    .get((_req, res) => (isReady() ? sendText(res, 200, 'Ready.') : sendText(res, 503, 'No scan has succeeded yet.')))
    .all(refuseMethod('GET', 'HEAD'));
}

function addLifecycle(route: (path: string) => IRoute, lifecycle: Lifecycle | undefined): void {
  route('/-/reload')
    .post(
      guarded(lifecycle, async ({ reload }, _req, res) => {
        const done = await reload();
        sendText(res, done.ok ? 200 : 500, done.ok ? 'Reloaded.' : done.message);
      }),
    )
    .all(refuseMethod('POST'));
  route('/api/v1/instances/:name')
    .delete(
      guarded(lifecycle, async ({ forget }, req, res) => {
        const done = await forget(String(req.params['name']));
        sendText(res, done.ok ? 200 : 404, done.ok ? 'Forgotten.' : done.message);
      }),
    )
    .all(refuseMethod('DELETE'));
}

async function pageContext(options: AppOptions): Promise<PageContext> {
  const context = { version: options.metrics().version, telemetryPath: options.telemetryPath };
  if (options.hostFacts === undefined) return context;
  // The page works without these facts.
  const hostFacts = await options.hostFacts().catch(() => []);
  return hostFacts.length === 0 ? context : { ...context, hostFacts };
}
