/**
 * The figures of Filebeat's pipeline and inputs. The stats endpoint and the periodic metrics line of the log have them in the
 * same tree. Only known keys and whole numbers are taken. Pure.
 */
import { isWildcardAddress } from '../model/endpoint.js';
import { type OutputType, outputTypes } from '../model/self-report.js';
import { isRecord } from '../runtime/json.js';

/** Counters since the start (endpoint) or of one period (log line), and gauges. In events unless noted. */
export interface Figures {
  events: number;
  filtered: number;
  published: number;
  acked: number;
  duplicate: number;
  deadLetter: number;
  dropped: number;
  failed: number;
  /** Events handed to the output; each attempt counts. */
  tried: number;
  /** Bytes. */
  bytes: number;
  reloads: number;
  /** Gauges. */
  active: number;
  /** Sent and unanswered. */
  outputActive: number;
  /** 0 with a disk queue. */
  queueMax?: number;
  /** Fill level of the queue; the only meaningful one with a disk queue (8.16 and later). */
  filledEvents?: number;
  filledRatio?: number;
  outputType?: OutputType;
}

/** One input's own counters: an entry of `/inputs/`, or of `monitoring.dataset` in the log (9.3 and later by default). */
export interface EntryFigures {
  id: string;
  type?: string;
  /** `host` as configured, e.g. `0.0.0.0:514`. */
  device?: string;
  received?: number;
  bytes?: number;
  published?: number;
  filtered?: number;
}

function at(tree: unknown, ...path: readonly string[]): unknown {
  let node: unknown = tree;
  for (const key of path) {
    if (!isRecord(node) || !Object.hasOwn(node, key)) return undefined;
    node = node[key];
  }
  return node;
}

const whole = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

const text = (value: unknown, longest: number): string | undefined =>
  typeof value === 'string' && value.length <= longest ? value : undefined;

/** Undefined: the tree has no figures. An absent counter is 0: log lines leave out what did not change. */
export function readFigures(tree: unknown): Figures | undefined {
  const libbeat = at(tree, 'libbeat');
  const pipeline = at(libbeat, 'pipeline');
  const active = whole(at(pipeline, 'events', 'active'));
  if (active === undefined) return undefined;
  const count = (...path: string[]) => whole(at(libbeat, ...path)) ?? 0;
  const queueMax = whole(at(pipeline, 'queue', 'max_events'));
  const filledEvents = whole(at(pipeline, 'queue', 'filled', 'events'));
  const ratio = at(pipeline, 'queue', 'filled', 'pct');
  const type = at(libbeat, 'output', 'type');
  const outputType = outputTypes.find((known) => known === type);
  return {
    events: count('pipeline', 'events', 'total'),
    filtered: count('pipeline', 'events', 'filtered'),
    published: count('pipeline', 'events', 'published'),
    acked: count('output', 'events', 'acked'),
    duplicate: count('output', 'events', 'duplicates'),
    deadLetter: count('output', 'events', 'dead_letter') + count('output', 'events', 'failure_store'),
    dropped: count('output', 'events', 'dropped'),
    failed: count('output', 'events', 'failed'),
    tried: count('output', 'events', 'total'),
    bytes: count('output', 'write', 'bytes'),
    reloads: count('config', 'reloads'),
    active,
    outputActive: count('output', 'events', 'active'),
    ...(queueMax === undefined ? {} : { queueMax }),
    ...(filledEvents === undefined ? {} : { filledEvents }),
    ...(typeof ratio === 'number' && Number.isFinite(ratio) ? { filledRatio: ratio } : {}),
    ...(outputType === undefined ? {} : { outputType }),
  };
}

const MOST_ENTRIES = 4096;
const LONGEST_ID = 512;

/** From the array of `/inputs/`, or the object `monitoring.dataset`. Malformed entries are left out. */
export function readEntries(answer: unknown): EntryFigures[] {
  const rows: [string | undefined, unknown][] = Array.isArray(answer)
    ? answer.slice(0, MOST_ENTRIES).map((row) => [undefined, row])
    : isRecord(answer)
      ? Object.entries(answer).slice(0, MOST_ENTRIES)
      : [];
  return rows.flatMap(([key, row]) => {
    // The key of `monitoring.dataset` has the dots of the id replaced, so `id` is preferred.
    const id = text(at(row, 'id'), LONGEST_ID) ?? (key !== undefined && key.length <= LONGEST_ID ? key : undefined);
    if (id === undefined || !isRecord(row)) return [];
    const type = text(row['input'], 64);
    const device = text(row['device'], LONGEST_ID) ?? text(row['bind_address'], LONGEST_ID);
    const entry: EntryFigures = {
      id,
      ...(type === undefined ? {} : { type }),
      ...(device === undefined ? {} : { device }),
    };
    const take = (field: 'received' | 'bytes' | 'published' | 'filtered', name: string) => {
      const value = whole(row[name]);
      if (value !== undefined) entry[field] = value;
    };
    take('received', 'received_events_total');
    take('bytes', 'received_bytes_total');
    take('published', 'published_events_total');
    take('filtered', 'events_pipeline_filtered_total');
    return [entry];
  });
}

/** `[::]:514` → `*` and 514, as in a listener's labels. Undefined: not a host and port. */
export function endpointOfDevice(device: string): { address: string; port: number } | undefined {
  const match = /^(?:tcp:\/\/|udp:\/\/)?([\w.:%[\]-]*):(\d{1,5})$/.exec(device);
  if (match === null) return undefined;
  const [, host = '', digits = ''] = match;
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const address =
    bare === '' || isWildcardAddress(bare) ? '*' : bare.toLowerCase() === 'localhost' ? '127.0.0.1' : bare;
  return { address, port: Number(digits) };
}
