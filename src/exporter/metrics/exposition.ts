/**
 * Writes the Prometheus text format 0.0.4 and OpenMetrics 1.0.0.
 * https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md
 * prom-client gauges cost 7 µs per series (its serialiser alone 2 to 4 µs), this 0.6 µs: with 10,000 ports
 * (50,000 series) 30 instead of 335 ms per scrape.
 */
import { limits } from '../../model/limits.js';
import type { PortVerdict } from '../../model/model.js';
import { hasControls, withoutControls } from '../../runtime/controls.js';
import { digestOf } from '../../runtime/digest.js';
import { type MetricName, metricTable, scopeLabels } from './metric-table.js';

export type Format = 'text' | 'openmetrics';

export const contentTypes: Record<Format, string> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

type Strings<L extends readonly string[]> = { -readonly [K in keyof L]: string };
/** One value for each extra label of a family. */
type Extra<N extends MetricName> = Strings<(typeof metricTable)[N]['extra']>;

const special = /[\\\n"]/;

/** A label value between its quotes. */
function escaped(whole: string): string {
  const cut = whole.length > limits.labelChars ? shortened(whole) : whole;
  const value = hasControls(cut) ? disarmed(cut) : cut;
  if (!special.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** With a digest, so that two values with the same beginning stay different. */
function shortened(value: string): string {
  return `${value.slice(0, limits.labelChars)}… ${digestOf(value, 16)}`;
}

/**
 * Spells control characters out: they are legal in a label, but a terminal would execute them. With a digest, so that the
 * value differs from one that contains `\x1b` as four letters.
 */
function disarmed(value: string): string {
  return `${withoutControls(value)} (${digestOf(value, 8)})`;
}

/** `name="core",config="…"`: the label pairs of a scope, rendered once for all families that begin with them. */
export function labelText(scope: keyof typeof scopeLabels, values: readonly string[]): string {
  return scopeLabels[scope].map((label, i) => `${label}="${escaped(values[i] ?? '')}"`).join(',');
}

/** The labels of the scope `port`. `instance`: the `labelText` of its instance, not rendered again for each of 10,000 ports. */
export function portLabels(instance: string, of: Pick<PortVerdict, 'protocol' | 'address' | 'port'>): string {
  return `${instance},protocol="${of.protocol}",address="${escaped(of.address)}",port="${of.port ?? ''}"`;
}

export interface Exposition {
  /** Adds one sample. `scoped`: the `labelText` of the scope. An undefined value adds nothing: absent is not 0. */
  add<N extends MetricName>(name: N, scoped: string, value: number | undefined, ...extra: Extra<N>): void;
  /** Adds the samples of another exposition. */
  append(part: Part): void;
  /** Everything added so far, to be appended to other expositions. */
  part(): Part;
  /** Everything added so far, in the order of the metric table; families without samples are omitted. */
  pieces(format: Format): Buffer[];
}

/** Samples by family, which are the same in both formats: as bytes, or as text where they are few. */
export type Part = readonly { name: MetricName; samples: Buffer | string }[];

interface Family {
  /** The text before the value of each extra label: `,pid="`, then `",input="`. */
  before: string[];
  /** The text after the last extra label. */
  after: string;
  written: Buffer[];
  /** Not yet in `written`. Text is encoded in chunks, so that V8 never holds one string of megabytes. */
  pending: string;
}

const chunk = 8192;
/** Up to here joining text costs less than a buffer of its own. Characters. */
const few = 512;

function newFamily(name: MetricName): Family {
  const { scope, extra } = metricTable[name];
  const scoped = scopeLabels[scope].length > 0;
  const before = extra.map((label, i) => `${i > 0 ? '",' : scoped ? ',' : ''}${label}="`);
  return { before, after: extra.length > 0 ? '"' : '', written: [], pending: '' };
}

export function createExposition(): Exposition {
  const families = new Map<MetricName, Family>();
  function familyOf(name: MetricName): Family {
    const known = families.get(name);
    if (known !== undefined) return known;
    const family = newFamily(name);
    families.set(name, family);
    return family;
  }
  function flush(family: Family): void {
    if (family.pending !== '') family.written.push(Buffer.from(family.pending));
    family.pending = '';
  }
  return {
    add(name, scoped, value, ...extra) {
      if (value === undefined) return;
      const family = familyOf(name);
      const { before } = family;
      let pairs = scoped;
      for (let i = 0; i < before.length; i++) pairs += before[i] + escaped(extra[i] as string);
      family.pending += pairs === '' ? `${name} ${value}\n` : `${name}{${pairs}${family.after}} ${value}\n`;
      if (family.pending.length >= chunk) flush(family);
    },
    append(part) {
      for (const { name, samples } of part) {
        const family = familyOf(name);
        if (typeof samples === 'string') family.pending += samples;
        if (typeof samples !== 'string' || family.pending.length >= chunk) flush(family);
        if (typeof samples !== 'string') family.written.push(samples);
      }
    },
    part() {
      return [...families].map(([name, family]) => {
        if (family.written.length === 0 && family.pending.length <= few) return { name, samples: family.pending };
        flush(family);
        return { name, samples: family.written.length === 1 ? family.written[0]! : Buffer.concat(family.written) };
      });
    },
    pieces(format) {
      const parts: Buffer[] = [];
      for (const [name, { type, help }] of Object.entries(metricTable)) {
        const family = families.get(name as MetricName);
        if (family === undefined) continue;
        const head = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
        flush(family);
        parts.push(Buffer.from(`# HELP ${head} ${help}\n# TYPE ${head} ${type}\n`), ...family.written);
      }
      return parts;
    },
  };
}
