/** Log lines to stderr: logfmt or JSON, one line an event. What repeats on every scan is said once, when it changes. */
import { asciiControls } from './controls.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'logfmt' | 'json';
export type Fields = Record<string, string | number | boolean | undefined>;

export interface Logger {
  debug(message: string, fields?: () => Fields): void;
  info(message: string, fields?: () => Fields): void;
  warn(message: string, fields?: () => Fields): void;
  error(message: string, fields?: () => Fields): void;
  /**
   * Logs only when `state` differs from the one last given for `topic`. A topic that begins in `normal` is not worth
   * a line: nothing has changed.
   */
  change(topic: string, state: string, level: Level, message: string, fields?: () => Fields, normal?: string): void;
}

export interface LogOptions {
  level: Level;
  format: LogFormat;
  /** Takes one line without its line feed. */
  write(line: string): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

const ranks: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Topics remembered; beyond it the oldest is forgotten and may be said again. */
const manyTopics = 10_000;

/** Quoted when it holds anything that a logfmt reader or a terminal would stumble over. */
function logfmtValue(value: string | number | boolean): string {
  const text = String(value);
  return /^[\w./:@*+,-]+$/.test(text) ? text : asciiControls(JSON.stringify(text));
}

function line(format: LogFormat, at: number, level: Level, message: string, fields: Fields): string {
  const all: Fields = { ts: new Date(at).toISOString(), level, msg: message, ...fields };
  if (format === 'json') return asciiControls(JSON.stringify(all));
  return Object.entries(all)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${logfmtValue(value)}`]))
    .join(' ');
}

/** Fields are functions, so that a line below the level costs nothing. */
export function createLogger({ level: least, format, write, now }: LogOptions): Logger {
  const states = new Map<string, string>();
  const log = (level: Level, message: string, fields?: () => Fields): void => {
    if (ranks[level] >= ranks[least]) write(line(format, now(), level, message, fields?.() ?? {}));
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    change(topic, state, level, message, fields, normal) {
      const known = states.get(topic) ?? normal;
      states.delete(topic);
      states.set(topic, state);
      if (states.size > manyTopics) states.delete(states.keys().next().value!);
      if (known !== state) log(level, message, fields);
    },
  };
}
