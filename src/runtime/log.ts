/** The log: one line per event, as logfmt or JSON. States that every scan finds again are logged only when they change. */
import { asciiControls } from './controls.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'logfmt' | 'json';
export type Fields = Record<string, string | number | boolean | undefined>;

export interface Logger {
  debug(message: string, fields?: () => Fields): void;
  info(message: string, fields?: () => Fields): void;
  warn(message: string, fields?: () => Fields): void;
  error(message: string, fields?: () => Fields): void;
  /** Logs `line` only if `state` differs from the last state of `topic`, which at first is `normal`. */
  change(topic: string, state: string, line: LogLine, normal?: string): void;
}

export interface LogLine {
  level: Level;
  message: string;
  fields?: () => Fields;
}

export interface LogOptions {
  level: Level;
  format: LogFormat;
  /** Called with one line, without line feed. */
  write(line: string): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

const ranks: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Beyond this number, the topic that was used least recently is forgotten. */
const mostTopics = 10_000;

/** Quoted if it contains characters that would confuse a logfmt parser or a terminal. */
function logfmtValue(value: string | number | boolean): string {
  const text = String(value);
  return /^[\w./:@*+,-]+$/.test(text) ? text : asciiControls(JSON.stringify(text));
}

function format(as: LogFormat, at: number, level: Level, message: string, fields: Fields): string {
  const all: Fields = { ts: new Date(at).toISOString(), level, msg: message, ...fields };
  if (as === 'json') return asciiControls(JSON.stringify(all));
  return Object.entries(all)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${logfmtValue(value)}`]))
    .join(' ');
}

/** `fields` are functions, so that a line below the level costs nothing. */
export function createLogger({ level: least, format: as, write, now }: LogOptions): Logger {
  const states = new Map<string, string>();
  const log = (level: Level, message: string, fields?: () => Fields): void => {
    if (ranks[level] >= ranks[least]) write(format(as, now(), level, message, fields?.() ?? {}));
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    change(topic, state, { level, message, fields }, normal) {
      const known = states.get(topic) ?? normal;
      states.delete(topic);
      states.set(topic, state);
      if (states.size > mostTopics) states.delete(states.keys().next().value!);
      if (known !== state) log(level, message, fields);
    },
  };
}
