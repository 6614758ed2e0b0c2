/** `http_server_config` and `rate_limit` of the web configuration file. */
import { validateHeaderValue } from 'node:http';
import {
  boolean,
  type Located,
  located,
  map,
  number,
  optional,
  parsed,
  type ReportProblem,
  type Schema,
} from '../../filebeat/yaml/yaml-schema.js';

export interface RateLimit {
  /** Seconds per request, once the burst is used up. */
  interval: number;
  /** Number of requests that are allowed at once. */
  burst: number;
}

/** The headers that the exporter-toolkit allows, with their allowed values (none: any). */
const settableHeaders: ReadonlyMap<string, readonly string[]> = new Map([
  ['Content-Security-Policy', []],
  ['X-Frame-Options', ['deny', 'sameorigin']],
  ['X-Content-Type-Options', ['nosniff']],
  ['X-XSS-Protection', []],
  ['Strict-Transport-Security', []],
]);

/** A header without a value is not sent. */
function headerValue(name: string, allowed: readonly string[]): Schema<string> {
  return optional((node, at, report) => {
    if (node.kind === 'scalar' && node.value === '') return undefined;
    const isAllowed = (text: string) => allowed.length === 0 || allowed.includes(text);
    const what = allowed.length > 0 ? allowed.join(' or ') : 'one line of printable characters';
    const schema = parsed(what, (text) => (isAllowed(text) && isHeaderValue(name, text) ? text : undefined));
    return schema(node, at, report);
  });
}

const headers = [...settableHeaders].map(([name, allowed]) => [name, headerValue(name, allowed)] as const);

export const httpSection = map({
  http2: located(boolean),
  headers: map<Record<string, string>>(Object.fromEntries(headers)),
});

/** Accepted, but without effect. */
export function noticeHttp2(http2: Located<boolean> | undefined, report: ReportProblem): void {
  // Express needs the request class of HTTP/1.1 and throws with that of node:http2.
  if (http2?.value)
    report({ key: http2.key, line: http2.line, what: 'HTTP/2 is not offered; clients are served HTTP/1.1' });
}

function isHeaderValue(name: string, value: string): boolean {
  try {
    validateHeaderValue(name, value);
    return true;
  } catch {
    // It throws only if the value is invalid.
    return false;
  }
}

const duration = parsed('a duration such as 500ms or 1s', parseGoDuration);
const burstText = 'a whole number from 1 on';

export const rateSection = map({
  interval: located<number>((node, at, report) =>
    node.kind === 'scalar' && node.value === 0 ? 0 : duration(node, at, report),
  ),
  burst: located(number(burstText, Number.isInteger)),
});

/** Undefined without the section or with an interval of 0. */
export function readRate(
  section: Located<NonNullable<ReturnType<typeof rateSection>>> | undefined,
  report: ReportProblem,
): RateLimit | undefined {
  const { interval, burst } = section?.value ?? {};
  if (interval?.isNull) report({ key: interval.key, line: interval.line, what: 'expected a value' });
  if (section === undefined || !interval?.value) return undefined;
  if (burst?.value !== undefined && burst.value >= 1) return { interval: interval.value, burst: burst.value };
  // Without a burst, no request would ever be served.
  const { key, line } = burst ?? section;
  report({ key, line, what: `expected burst, ${burstText}` });
  return undefined;
}

const unitSeconds: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/** `1m30s`, `1.5s` → seconds, as Go's `time.ParseDuration` without a sign. */
function parseGoDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, number, unit = 's'] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    seconds += Number(number) * (unitSeconds[unit] ?? 1);
  return seconds;
}
