/** The URL at which clients reach the server: `--web.external-url` and `--web.route-prefix`, as in Prometheus. Pure. */

export interface ExternalUrl {
  /** Lower case, without a port. Absent if only a path was given. */
  host?: string;
  /** Empty or `/a/b`, without a trailing slash. */
  path: string;
}

/** Letters, digits and `._~-` only: characters without a special meaning in routes and proxy rules. */
const segments = /^(\/[\w.~-]+)*$/;

/** `/`, `/a`, `/a/b/`, `a` → ``, `/a`, `/a/b`, `/a`. Undefined: invalid, or with `.` or `..`, which browsers resolve. */
export function parseRoutePrefix(text: string): string | undefined {
  const path = `/${text.replace(/^\/|\/$/g, '')}`;
  if (text === '' || path.split('/').some((part) => part === '.' || part === '..')) return undefined;
  if (path === '/') return '';
  return segments.test(path) ? path : undefined;
}

/** `https://host:8443/a/` or only `/a/`. Undefined: another scheme, a user, a query, or a path that is not a valid prefix. */
export function parseExternalUrl(text: string): ExternalUrl | undefined {
  if (text.startsWith('/') && !text.startsWith('//')) {
    const path = parseRoutePrefix(text);
    return path === undefined ? undefined : { path };
  }
  const written = /^https?:\/\/[^/?#@\\\s]+(\/[^?#\\\s]*)?$/i.exec(text);
  if (!written || !URL.canParse(text)) return undefined;
  // The path as written: that of the parsed URL would hide `..`.
  const path = parseRoutePrefix(written[1] ?? '/');
  return path === undefined ? undefined : { host: new URL(text).hostname.toLowerCase(), path };
}
