/** The routes of the exporter as an Express app. It decides nothing: every answer is a function of a Report. */
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
import {
  type AppOptions,
  deadlineOf,
  type Expositions,
  type Lifecycle,
  reply,
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
    sendText(res, 405, `${req.path.slice(0, 200)} does not answer ${req.method}.`);
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
    if (lifecycle === undefined) sendText(res, 403, 'Lifecycle routes are off; --web.enable-lifecycle turns them on.');
    else if (req.get('Origin') !== undefined) sendText(res, 403, 'Lifecycle routes do not answer browsers.');
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
    sendText(res, status, 'The request cannot be understood.');
  else sendText(res, 500, 'Nothing could be looked at; the log says why.');
};

/** The bare host and the prefix without its slash lead to the page. Relative, so that it holds behind a proxy that shows us elsewhere. */
function redirectTo(app: Express, routePrefix: string): void {
  const last = routePrefix.slice(routePrefix.lastIndexOf('/') + 1);
  app.get('/', (_req, res) => res.redirect(302, `.${routePrefix}/`));
  app.get(routePrefix, (_req, res) => res.redirect(302, `./${last}/`));
}

/** What the direct way has as well. */
export interface Shared {
  /** See `createLimit`. */
  enter: (res: Response) => boolean;
  expositions: Expositions;
}

export function createRoutes(options: AppOptions, { enter, expositions }: Shared): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  app.enable('case sensitive routing').enable('strict routing');
  app.use((_req, res, next) => {
    res.set(secureHeaders);
    next();
  });
  app.use(compression({ level: 1, filter: () => true }));

  const { routePrefix } = options;
  if (routePrefix !== '') redirectTo(app, routePrefix);
  const route = (path: string) => app.route(routePrefix + path);
  const limited: RequestHandler = (_req, res, next) => {
    if (enter(res)) next();
  };
  const get = (path: string, answer: (report: Report, req: Request, res: Response) => Promise<void> | void) =>
    route(path)
      .get(limited, async (req, res) => {
        const report = await options.getReport(deadlineOf(req.get('X-Prometheus-Scrape-Timeout-Seconds')));
        await answer(report, req, res);
      })
      .all(refuseMethod('GET', 'HEAD'));

  get(options.telemetryPath, async (report, req, res) => {
    if (!report.snapshot.usable) {
      sendText(res, 500, 'Nothing could be looked at; the log says why.');
      return;
    }
    const format = preferredFormat(req.get('Accept'));
    res.vary('Accept');
    const bytes =
      options.nodeMetrics === undefined
        ? expositions.plain(report, format)
        : renderMetrics(report, options.metrics(), format, await options.nodeMetrics(format));
    reply(res, 200, contentTypes[format], bytes);
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
    if (page === undefined) sendText(res, 404, 'There is no instance of that name.');
    else reply(res, 200, 'text/html; charset=utf-8', page);
  });

  route('/-/healthy')
    .get((_req, res) => sendText(res, 200, 'Healthy.'))
    .all(refuseMethod('GET', 'HEAD'));
  route('/-/ready')
    .get((_req, res) =>
      options.isReady() ? sendText(res, 200, 'Ready.') : sendText(res, 503, 'No scan has succeeded yet.'),
    )
    .all(refuseMethod('GET', 'HEAD'));
  route('/-/reload')
    .post(
      changes(options.lifecycle, async (lifecycle, _req, res) => {
        const done = await lifecycle.reload();
        sendText(res, done.ok ? 200 : 500, done.ok ? 'Reloaded.' : done.message);
      }),
    )
    .all(refuseMethod('POST'));
  route('/api/v1/instances/:name')
    .delete(
      changes(options.lifecycle, async (lifecycle, req, res) => {
        const done = await lifecycle.forget(String(req.params['name']));
        sendText(res, done.ok ? 200 : 404, done.ok ? 'Forgotten.' : done.message);
      }),
    )
    .all(refuseMethod('DELETE'));

  app.use((_req, res) =>
    sendText(res, 404, `There is nothing here; ${routePrefix}/ has the page, ${routePrefix}/-/healthy the health.`),
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
