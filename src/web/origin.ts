/**
 * Requests that a web site in somebody's browser sends on its own: to another site (CSRF), or to itself after its name
 * was pointed at us (DNS rebinding). Nothing here keeps out a program; that is what users and client certificates are for.
 */
import { parseAddress } from '../filebeat/net/ip.js';

export interface Asked {
  method: string;
  /** Header `Host`. */
  host: string | undefined;
  /** Header `Origin`: sent by every browser with every method but GET and HEAD. */
  origin: string | undefined;
  /** Header `Sec-Fetch-Site`: sent by browsers to https and localhost. */
  fetchSite: string | undefined;
}

export interface Place {
  /** Reached through a listener that is bound to a loopback address. */
  localOnly: boolean;
  /** TLS or users: a site under another name has neither our certificate nor somebody's password. */
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
  'This listener is for this machine alone; ask for it as localhost or by its address. ' +
  'Behind a reverse proxy, --web.external-url says under which name it is asked for.';
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Reading: refused only where the listener was meant for this machine alone and the request names another one. Elsewhere
 * any name is right: nobody knows by which one Prometheus scrapes. Changing something: refused from any other site.
 */
export function crossSiteRefusal(asked: Asked, place: Place): Refusal | undefined {
  const trusted = asked.host === undefined || isOwnName(hostName(asked.host), place);
  if (place.localOnly && !place.guarded && !trusted) return { status: 421, why: refusedName };
  if (safeMethods.has(asked.method)) return undefined;
  const { origin, fetchSite } = asked;
  const otherSite = fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none';
  const otherOrigin = origin !== undefined && !isOriginOf(origin, asked.host);
  const fromBrowser = origin !== undefined || fetchSite !== undefined;
  if (otherSite || otherOrigin || (fromBrowser && !place.guarded && !trusted))
    return { status: 403, why: 'Changes are not taken from other web sites.' };
  return undefined;
}

/** An address cannot be pointed elsewhere, nor can `localhost`. */
function isOwnName(name: string, { hostname, externalHost }: Place): boolean {
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
  // Through the same parser, so that default ports and spellings agree.
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === from && from !== '';
}
