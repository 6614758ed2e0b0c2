/** The exposition format that a scraper prefers, from its Accept header (RFC 9110 §12.5.1). Only `version` and `q` matter. */
import type { Format } from './exposition.js';

interface Range {
  type: string;
  version: string | undefined;
  quality: number;
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const value = (name: string) =>
    parameters
      .find((p) => p.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .replace(/^"|"$/g, '');
  const quality = Number(value('q') ?? 1);
  return { type, version: value('version'), quality: Number.isFinite(quality) ? quality : 0 };
}

/** OpenMetrics 1.0.0 if the header names it and prefers nothing else; otherwise the text format. */
export function preferredFormat(accept: string | undefined): Format {
  const ranges = (accept ?? '').slice(0, 4096).split(',').map(parseRange);
  const best = (matches: (range: Range) => boolean) =>
    Math.max(0, ...ranges.filter(matches).map((range) => range.quality));
  const open = best(
    (r) => r.type === 'application/openmetrics-text' && (r.version === undefined || r.version === '1.0.0'),
  );
  const text = best((r) => r.type === 'text/plain');
  return open > 0 && open >= text ? 'openmetrics' : 'text';
}
