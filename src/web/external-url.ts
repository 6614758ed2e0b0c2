/** Where people and proxies reach the server: `--web.external-url` and `--web.route-prefix`, with the meaning they have in Prometheus. Pure. */

export interface ExternalUrl {
  /** Lower case, without a port. Absent where only a path was given. */
  host?: string;
  /** `` or `/a/b`: no slash at its end. */
  path: string;
}

/** Of letters, digits and `._~-`, so that it means nothing else in a route or a proxy's rule. */
const segments = /^(\/[\w.~-]+)*$/;

/** `/`, `/a`, `/a/b/`, `a` → ``, `/a`, `/a/b`, `/a`. Undefined: something else, or a part that a browser would resolve away. */
export function parseRoutePrefix(text: string): string | undefined {
  const path = `/${text.replace(/^\/|\/$/g, '')}`;
  if (text === '' || path.split('/').some((part) => part === '.' || part === '..')) return undefined;
  if (path === '/') return '';
  return segments.test(path) ? path : undefined;
}

/** `https://host:8443/a/`, or `/a/` alone. Undefined: another scheme, a user, a query, a path that no route can have. */
export function parseExternalUrl(text: string): ExternalUrl | undefined {
  if (text.startsWith('/') && !text.startsWith('//')) {
    const path = parseRoutePrefix(text);
    return path === undefined ? undefined : { path };
  }
  const written = /^https?:\/\/[^/?#@\\\s]+(\/[^?#\\\s]*)?$/i.exec(text);
  if (!written || !URL.canParse(text)) return undefined;
  // The path as it was typed: the URL's own would hide `..`.
  const path = parseRoutePrefix(written[1] ?? '/');
  return path === undefined ? undefined : { host: new URL(text).hostname.toLowerCase(), path };
}
