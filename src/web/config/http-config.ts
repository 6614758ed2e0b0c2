/** `http_server_config` and `rate_limit` of the web configuration file. */
import { validateHeaderValue } from 'node:http';
import type { Field, Fields, Problem } from './fields.js';

export interface RateLimit {
  /** Seconds between two requests, once the burst is used up. */
  interval: number;
  /** Requests that may come at once. */
  burst: number;
}

/** The headers that the toolkit lets one set, with the values it allows (empty: any). */
const settableHeaders: ReadonlyMap<string, readonly string[]> = new Map([
  ['Content-Security-Policy', []],
  ['X-Frame-Options', ['deny', 'sameorigin']],
  ['X-Content-Type-Options', ['nosniff']],
  ['X-XSS-Protection', []],
  ['Strict-Transport-Security', []],
]);

const httpKeys = ['http2', 'headers'] as const;
const rateKeys = ['interval', 'burst'] as const;

/** Returns the headers that have a value. */
export function readHttp(fields: Fields, section: Field | undefined, notices: Problem[]): Map<string, string> {
  const at = fields.map(section, httpKeys);
  const http2 = at.get('http2');
  if (http2 && fields.flag(http2))
    // Express works on the request class of HTTP/1.1 and throws on that of node:http2.
    notices.push({ key: http2.key, line: http2.line, what: 'HTTP/2 is not offered; clients are served HTTP/1.1' });
  const headers = new Map<string, string>();
  for (const [name, field] of fields.map(at.get('headers'), [...settableHeaders.keys()])) {
    const isBlank = field.node.kind === 'scalar' && field.node.value === '';
    const value = isBlank ? undefined : fields.text(field);
    if (value === undefined) continue;
    const allowed = settableHeaders.get(name) ?? [];
    if (allowed.length > 0 && !allowed.includes(value)) fields.complain(field, `expected ${allowed.join(' or ')}`);
    else if (!isHeaderValue(name, value)) fields.complain(field, 'expected one line of printable characters');
    else headers.set(name, value);
  }
  return headers;
}

function isHeaderValue(name: string, value: string): boolean {
  try {
    validateHeaderValue(name, value);
    return true;
  } catch {
    // The only thing this can throw is that the value does not fit.
    return false;
  }
}

/** Undefined without the section or with an interval of 0. */
export function readRate(fields: Fields, section: Field | undefined): RateLimit | undefined {
  const at = fields.map(section, rateKeys);
  const place = at.get('interval');
  if (!section || at.size === 0) return undefined;
  const expected = 'a duration such as 500ms or 1s';
  let interval: number | undefined;
  if (place?.node.kind === 'scalar' && place.node.value === 0) interval = 0;
  else if (place) interval = parseGoDuration(fields.text(place, expected) ?? '');
  if (place && interval === undefined) fields.complain(place, `expected ${expected}`);
  const burst = fields.whole(at.get('burst'), 'a whole number from 1 on') ?? 0;
  if (!interval) return undefined;
  // A bucket that holds nothing lets nobody in, ever.
  if (burst < 1) return fields.complain(at.get('burst') ?? section, 'expected burst, a whole number from 1 on');
  return { interval, burst };
}

const unitSeconds: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** Go's `time.ParseDuration` without a sign: `1m30s`, `1.5s`. Seconds. */
function parseGoDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, number, unit = 's'] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    seconds += Number(number) * (unitSeconds[unit] ?? 1);
  return seconds;
}
