/**
 * A strict parser of the Prometheus text format: a family has one HELP and one TYPE before its samples and is contiguous, no
 * series is duplicate, counters end in `_total` and are not negative. Throws for a violation.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { parseExposition, type Series } from './exposition.js';

export interface Scrape {
  series: readonly Series[];
  /** The samples with that name and these labels, in order. */
  all(name: string, labels?: Record<string, string>): Series[];
  /** The only sample; throws if there is none or more. */
  one(name: string, labels?: Record<string, string>): Series;
  /** The value of the only sample; undefined if there is none. */
  value(name: string, labels?: Record<string, string>): number | undefined;
}

export function readScrape(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('the last line has no line feed');
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const closed = new Set<string>();
  const keys = new Set<string>();
  const series: Series[] = [];
  let open: string | undefined;
  const enter = (family: string) => {
    if (family === open) return;
    if (closed.has(family)) throw new Error(`${family} stands in several pieces`);
    if (open !== undefined) closed.add(open);
    open = family;
  };
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (\S.*)$/.exec(line);
    if (line.startsWith('#') && comment === null) throw new Error(`not a comment of the format: ${line}`);
    if (comment !== null) {
      const [, word, family, rest] = comment as unknown as [string, string, string, string];
      enter(family);
      const seen = word === 'HELP' ? helped.has(family) : types.has(family);
      if (seen) throw new Error(`${word} of ${family} comes twice`);
      if (word === 'HELP') helped.add(family);
      else types.set(family, rest);
      continue;
    }
    const [one] = parseExposition(line);
    if (one === undefined) throw new Error('an empty line');
    enter(one.name);
    const type = types.get(one.name);
    if (!helped.has(one.name) || (type !== 'gauge' && type !== 'counter'))
      throw new Error(`${one.name} is not declared`);
    if ((type === 'counter') !== one.name.endsWith('_total')) throw new Error(`${one.name} is no name for a ${type}`);
    if (type === 'counter' && one.value < 0) throw new Error(`${one.key} is negative`);
    const key = `${one.name} ${JSON.stringify([...one.labels].sort())}`;
    if (keys.has(key)) throw new Error(`${one.key} comes twice`);
    keys.add(key);
    series.push(one);
  }
  const all = (name: string, labels: Record<string, string> = {}) =>
    series.filter(
      (s) => s.name === name && Object.entries(labels).every(([label, value]) => s.labels.get(label) === value),
    );
  const atMostOne = (name: string, labels: Record<string, string> = {}) => {
    const found = all(name, labels);
    if (found.length > 1) throw new Error(`${found.length} series ${name} ${JSON.stringify(labels)}`);
    return found[0];
  };
  return {
    series,
    all,
    one: (name, labels) => {
      const found = atMostOne(name, labels);
      if (found === undefined) throw new Error(`no series ${name} ${JSON.stringify(labels ?? {})}`);
      return found;
    },
    value: (name, labels) => atMostOne(name, labels)?.value,
  };
}
