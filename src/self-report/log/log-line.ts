/**
 * One line of a Filebeat's log → the kind of its message, with a time. Lines are tab-separated text up to 7.17 and ECS JSON
 * since 8.0. Of the text only addresses to compare, ids of inputs, counts and figures are passed on. Pure.
 */
import type { BindReason, ExitReason } from '../../model/model.js';
import { isRecord, parseJson } from '../../runtime/json.js';
import { type EntryFigures, type Figures, readEntries, readFigures } from '../pipeline-figures.js';

export type LogFact = { at: number } /** `period`: the period of the counters in seconds, as the line says. */ & (
  | { kind: 'metrics'; figures: Figures; entries: EntryFigures[]; period?: number }
  /** A process started to write here; `pid` is that of its own pid namespace. */
  | { kind: 'start'; pid: number; startedAt?: number }
  /** An input with an id starts on `device`. */
  | { kind: 'input-start'; id: string; device: string }
  | { kind: 'bind'; protocol: 'udp' | 'tcp'; address: string; reason: BindReason }
  /** An input failed. `id`, `device`: where the line names them. */
  | { kind: 'input'; id?: string; device?: string }
  | { kind: 'reload' }
  | { kind: 'output_connect' }
  | { kind: 'output_established' }
  | { kind: 'output_publish' }
  | { kind: 'output_dropped' }
  | { kind: 'exiting'; why: ExitReason }
  | { kind: 'other' }
  /** The payload of an event: the file is not a log and must not be read again. */
  | { kind: 'event-data' }
);

/** Longer lines are skipped unparsed: a metrics line of 50 inputs has 31 KB, an event can have any length. */
export const LONGEST_LINE = 256 * 1024;

interface Parts {
  /** Seconds since the epoch. */
  at: number;
  level: string;
  message: string;
  fields: Readonly<Record<string, unknown>>;
}

function parseFields(text: string): Record<string, unknown> | undefined {
  const value = parseJson(text);
  return isRecord(value) ? value : undefined;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `TIME\tLEVEL\t[logger]\tfile.go:line\tmessage\t{json}`; logger and JSON may be missing. */
function textParts(line: string): Parts | undefined {
  const [time = '', level = '', ...rest] = line.split('\t');
  const at = Date.parse(time) / 1000;
  if (!Number.isFinite(at) || rest.length === 0) return undefined;
  const caller = rest.findIndex((part) => /^[\w./-]+\.go:\d+$/.test(part));
  const [message = '', json] = rest.slice(caller + 1);
  return {
    at,
    level: level.toLowerCase(),
    message,
    fields: (json?.startsWith('{') ? parseFields(json) : undefined) ?? {},
  };
}

function jsonParts(line: string): Parts | undefined {
  const fields = parseFields(line);
  if (fields === undefined) return undefined;
  // 7.x with logging.json: level, timestamp.
  const at = Date.parse(textOf(fields['@timestamp'] ?? fields['timestamp'])) / 1000;
  const level = textOf(fields['log.level'] ?? fields['level']).toLowerCase();
  return Number.isFinite(at) ? { at, level, message: textOf(fields['message']), fields } : undefined;
}

const bindFailed =
  /listen (udp|tcp)[46]? (\S{1,300}): bind: (address already in use|permission denied|cannot assign requested address)/;

const reasons: Record<string, BindReason> = {
  'address already in use': 'in-use',
  'permission denied': 'denied',
  'cannot assign requested address': 'no-address',
};

/** The first match counts. Source: messages observed in releases 7.13 to 9.6. */
const classes: [RegExp, 'input' | 'reload' | 'output_connect' | 'output_publish' | 'output_dropped'][] = [
  [/^Error loading config from file |^Error creating runner|^Unable to hash given config/, 'reload'],
  [
    /^Input '[\w-]+' failed with|^Cannot connect$|^Error running harvester|^Error starting the server|^cannot initialise pipeline workers/,
    'input',
  ],
  [/^Cannot index event|^Failed to index \d+ events|^Writing event to file failed/, 'output_dropped'],
  [/^Failed to connect to |^Error dialing |run out of available brokers/, 'output_connect'],
  [/^[Ff]ailed to publish events|^failed to perform any bulk index operations/, 'output_publish'],
];

/** Reasons for ending at the start; the first match counts. Source: messages observed in releases 7.17 to 9.6. */
const exits: [RegExp, ExitReason][] = [
  [/data path already locked/, 'locked'],
  [/module|fileset/, 'module'],
  [/starting input failed|Failed to start crawler|no modules or inputs enabled/, 'input'],
  [/publisher|output/i, 'output'],
  [/config|yaml|processor/i, 'config'],
];

function exitReason(message: string): ExitReason {
  return exits.find(([pattern]) => pattern.test(message))?.[1] ?? 'exit';
}

/** Ids and hosts are only compared. */
const longestName = 512;

/** Undefined: an irrelevant line, or not a line of a log. */
export function readLogLine(line: string): LogFact | undefined {
  if (line.length > LONGEST_LINE || line.length === 0) return undefined;
  if (line.startsWith('{') && line.includes('"log.type":"event"')) return { kind: 'event-data', at: 0 };
  const parts = line.startsWith('{') ? jsonParts(line) : textParts(line);
  return parts === undefined ? undefined : factOf(parts);
}

function factOf({ at, level, message, fields }: Parts): LogFact | undefined {
  const length = /^(?:Non-zero metrics|No non-zero metrics) in the last ([\d.a-zµ]{1,40})/.exec(message)?.[1];
  if (length !== undefined) {
    const monitoring = fields['monitoring'];
    const metrics = isRecord(monitoring) ? monitoring['metrics'] : undefined;
    const figures = readFigures(metrics);
    const dataset = isRecord(monitoring)
      ? (monitoring['dataset'] ?? (isRecord(metrics) ? metrics['dataset'] : undefined))
      : undefined;
    const period = goSeconds(length);
    return figures === undefined
      ? undefined
      : { kind: 'metrics', at, figures, entries: readEntries(dataset), ...(period === undefined ? {} : { period }) };
  }
  if (message === 'Process info') return startOf(at, fields);
  const id = fields['id'];
  const host = fields['host'];
  if (/^starting udp (?:socket )?input$/.test(message) && typeof id === 'string' && typeof host === 'string')
    return { kind: 'input-start', at, id, device: host };
  if (/^Connection to .* established$/.test(message)) return { kind: 'output_established', at };
  if (level !== 'error' && level !== 'warn' && level !== 'critical') return undefined;
  const bind =
    bindFailed.exec(message) ??
    bindFailed.exec(textOf(fields['error.message'] ?? nested(fields, 'error', 'message') ?? fields['error']));
  if (message.startsWith('Exiting: '))
    return { kind: 'exiting', at, why: bind === null ? exitReason(message) : reasons[bind[3]!]! };
  if (bind !== null)
    return { kind: 'bind', at, protocol: bind[1] as 'udp' | 'tcp', address: bind[2]!, reason: reasons[bind[3]!]! };
  const found = classes.find(([pattern]) => pattern.test(message));
  if (found?.[1] === 'input')
    return {
      kind: 'input',
      at,
      ...(typeof id === 'string' && id.length <= longestName ? { id } : {}),
      ...(typeof host === 'string' && host.length <= longestName ? { device: host } : {}),
    };
  if (found !== undefined) return { kind: found[1], at };
  return level === 'warn' ? undefined : { kind: 'other', at };
}

/** `1m30s`, as Go prints a duration, in seconds. */
function goSeconds(text: string): number | undefined {
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 1e-3, µs: 1e-6, us: 1e-6, ns: 1e-9 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|µs|us|ns)/g)];
  return parts.length === 0 ? undefined : parts.reduce((sum, [, n, unit]) => sum + Number(n) * units[unit!]!, 0);
}

function nested(fields: Readonly<Record<string, unknown>>, outer: string, inner: string): unknown {
  const value = fields[outer];
  return isRecord(value) ? value[inner] : undefined;
}

/** `system_info.process` of the line "Process info": pid and start time. */
function startOf(at: number, fields: Readonly<Record<string, unknown>>): LogFact | undefined {
  const process = nested(fields, 'system_info', 'process');
  if (!isRecord(process) || typeof process['pid'] !== 'number') return undefined;
  const started = Date.parse(textOf(process['start_time'])) / 1000;
  return { kind: 'start', at, pid: process['pid'], ...(Number.isFinite(started) ? { startedAt: started } : {}) };
}
