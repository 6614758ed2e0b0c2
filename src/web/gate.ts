/** Checks that every request passes before the application: size, rate, origin, user. Adds the configured headers. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { challenge, createAuthenticator } from './auth.js';
import type { Current, Log } from './config/current-config.js';
import { crossSiteRefusal } from './origin.js';
import { createBucket } from './rate.js';

export interface GateOptions {
  app: RequestListener;
  /** The configuration that is in force now. */
  current: () => Current;
  /** This machine's own name. */
  hostname: string;
  /** The host of `--web.external-url`. */
  externalHost?: string | undefined;
  /** Whether the request came in on a loopback address. */
  isLocalOnly: (request: IncomingMessage) => boolean;
  /** Seconds on a clock that never goes back. */
  now: () => number;
  log: Log;
}

/** No route takes a body; a larger one is refused unread. Bytes. */
const maxBody = 4096;

export function createGate({
  app,
  current,
  hostname,
  externalHost,
  isLocalOnly,
  now,
  log,
}: GateOptions): RequestListener {
  const authenticator = createAuthenticator();
  const takeToken = createBucket(now);

  /** Answers what must not reach the application. */
  const isRefused = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const { config, secure } = current();
    putHeaders(response, config.headers);
    const length = Number(request.headers['content-length'] ?? 0);
    if (request.headers['transfer-encoding'] !== undefined || length > maxBody)
      return refuse(response, 413, 'The request body is too large.', { Connection: 'close' });
    const { rateLimit, users } = config;
    if (rateLimit && !takeToken(rateLimit))
      return refuse(response, 429, 'Too many requests.', { 'Retry-After': String(Math.ceil(rateLimit.interval)) });
    const refusal = crossSiteRefusal(
      {
        method: request.method ?? '',
        host: request.headers.host,
        origin: request.headers.origin,
        fetchSite: headerText(request, 'sec-fetch-site'),
      },
      { localOnly: isLocalOnly(request), guarded: secure !== undefined || users.size > 0, hostname, externalHost },
    );
    if (refusal) return refuse(response, refusal.status, refusal.why);
    const peer = request.socket.remoteAddress ?? '';
    const decision = await authenticator.check(request.headers.authorization, users, peer);
    if (decision === 'busy')
      return refuse(response, 503, 'Too many passwords are being checked.', { 'Retry-After': '1' });
    if (decision === 'denied')
      return refuse(response, 401, 'Authentication required.', { 'WWW-Authenticate': challenge });
    return false;
  };

  return (request, response) => {
    isRefused(request, response)
      .then((refused) => {
        // The client may have disconnected meanwhile.
        if (!refused && !response.destroyed) app(request, response);
      })
      .catch((error: unknown) => {
        // An internal error, or no memory for a thread: the request is refused, and the server goes on.
        log('error', `request failed with an internal error (${error instanceof Error ? error.message : 'unknown'})`);
        if (response.headersSent) response.destroy();
        else refuse(response, 500, 'Internal error.');
      });
  };
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function refuse(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): true {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(text + '\n');
  return true;
}

/** Sets the configured headers just before the response is sent, so that they win over those of the application. */
function putHeaders(response: ServerResponse, headers: ReadonlyMap<string, string>): void {
  if (headers.size === 0) return;
  const writeHead = response.writeHead;
  response.writeHead = function (this: ServerResponse, ...all: unknown[]) {
    for (const [name, value] of headers) this.setHeader(name, value);
    return Reflect.apply(writeHead, this, all) as ServerResponse;
  } as typeof response.writeHead;
}
