/**
 * Refuses requests that a web site sends from a visitor's browser: to another site (CSRF), or to its own name after that
 * was pointed at this server (DNS rebinding). Programs are not kept out; users and client certificates do that.
 */
import { parseAddress } from '../filebeat/net/ip.js';

export interface OriginHeaders {
  method: string;
  /** Header `Host`. */
  host: string | undefined;
  /** Header `Origin`: sent by every browser with every method but GET and HEAD. */
  origin: string | undefined;
  /** Header `Sec-Fetch-Site`: sent by browsers to https and localhost. */
  fetchSite: string | undefined;
}

export interface Protection {
  /** The request came in on a loopback address. */
  localOnly: boolean;
  /** TLS or users are configured: another site has neither our certificate nor a password. */
  guarded: boolean;
  /** This machine's own name. */
  hostname: string;
  /** The host of `--web.external-url`. */
  externalHost?: string | undefined;
}

export interface Refusal {
  status: 403 | 421;
  why: string;
}

const refusedName =
  'This listener serves this machine only: use localhost or its address. ' +
  'Behind a reverse proxy, set --web.external-url to the name that clients use.';
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Reads are refused only if the listener serves this machine only and the request names another host. Elsewhere any name
 * is accepted, because Prometheus may scrape by any. Changes are refused from every other site.
 */
export function crossSiteRefusal(headers: OriginHeaders, protection: Protection): Refusal | undefined {
  const { method, host, origin, fetchSite } = headers;
  const { localOnly, guarded } = protection;
  const trusted = host === undefined || isOwnName(hostName(host), protection);
  if (localOnly && !guarded && !trusted) return { status: 421, why: refusedName };
  if (safeMethods.has(method)) return undefined;
  const otherSite = fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none';
  const otherOrigin = origin !== undefined && !isOriginOf(origin, host);
  const fromBrowser = origin !== undefined || fetchSite !== undefined;
  if (otherSite || otherOrigin || (fromBrowser && !guarded && !trusted))
    return { status: 403, why: 'Changes from other web sites are refused.' };
  return undefined;
}

/** An IP address or `localhost` cannot be redirected by DNS; the other names are our own. */
function isOwnName(name: string, { hostname, externalHost }: Protection): boolean {
  const lower = name.toLowerCase().replace(/\.$/, '');
  if (parseAddress(lower)) return true;
  if (lower === 'localhost' || lower.endsWith('.localhost')) return true;
  return lower === hostname.toLowerCase() || lower === externalHost;
}

/** `Host` without the port and without brackets. */
function hostName(host: string): string {
  return /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1] ?? host.replace(/:\d*$/, '');
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  // The same parser for both, so that default ports and spellings agree.
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === from && from !== '';
}
