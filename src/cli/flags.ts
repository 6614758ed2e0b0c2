/** The table of flags: name, kind, default, help, commands. `--help`, the reference and `parseOptions` are made from it. Pure. */

import type { Protocol } from '../model/model.js';
import { parseDuration } from '../settings/duration.js';
import { parseExternalUrl, parseRoutePrefix } from '../web/external-url.js';
import { parseListenAddress } from '../web/listen-address.js';

export const commands = {
  serve: 'serve metrics and the page over HTTP until SIGTERM or SIGINT (the default)',
  check: 'scan once and print a table; exit code 0 ok, 1 warning, 2 critical, 3 unknown',
  explain:
    'show every listener that a Filebeat’s configuration declares, where it is declared, and the socket it becomes',
  forget: 'forget a remembered instance, or one learned port of an instance',
  metrics: 'scan once and print the metrics',
} as const;

export type Command = keyof typeof commands;
export const commandNames = Object.keys(commands) as Command[];

/** Exit code of an invalid flag or file. For `check` it is 3 (unknown), because 2 means "critical" to a monitoring system. */
export const refusedCode = (command: Command): 2 | 3 => (command === 'check' ? 3 : 2);

interface About {
  help: string;
  commands: readonly Command[];
}

/** A flag with a value. `parse` returns undefined for an invalid value; `expected` describes a valid one. */
interface ValueFlag<T> extends About {
  kind: 'one' | 'many';
  placeholder: string;
  expected: string;
  /** As text, before `parse`; absent: the flag has no default. */
  default?: string;
  parse(text: string): T | undefined;
}
export interface One<T> extends ValueFlag<T> {
  kind: 'one';
}
/** With a default, so that it always has a value. */
export interface OneOf<T> extends One<T> {
  default: string;
}
/** Repeatable; the values given replace the default. */
export interface Many<T> extends ValueFlag<T> {
  kind: 'many';
}
export interface Toggle extends About {
  kind: 'toggle';
}
export type Flag = One<unknown> | Many<unknown> | Toggle;

const judging = ['serve', 'check', 'explain', 'metrics'] as const;
const scanning = [...judging, 'forget'] as const;
const all = ['serve', 'check', 'explain', 'forget', 'metrics'] as const;

interface Value<T> {
  placeholder: string;
  expected: string;
  parse(text: string): T | undefined;
}

const text = (placeholder: string, what: string): Value<string> => ({
  placeholder,
  expected: what,
  parse: (value) => (value === '' ? undefined : value),
});
const path = (placeholder = 'FILE'): Value<string> => text(placeholder, 'a path');
const seconds: Value<number> = {
  placeholder: 'DURATION',
  expected: 'a duration such as 500ms, 10s or 1h30m',
  parse: parseDuration,
};
const choice = <const C extends readonly string[]>(...names: C): Value<C[number]> => ({
  placeholder: names.join('|'),
  expected: `one of ${names.join(', ')}`,
  parse: (given) => names.find((name) => name === given),
});
const integer = (least: number, placeholder: string): Value<number> => ({
  placeholder,
  expected: least === 0 ? 'a whole number' : `a whole number from ${least}`,
  parse: (given) => {
    const number = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
    return number >= least ? number : undefined;
  },
});
const release: Value<string> = {
  placeholder: 'VERSION',
  expected: 'a release such as 9.2.1, 9.2 or 9',
  parse: (given) => (/^\d{1,3}(\.\d{1,4}){0,2}$/.test(given) ? given : undefined),
};
const learnedPort: Value<{ protocol: Protocol; port: number }> = {
  placeholder: 'PROTOCOL/PORT',
  expected: 'protocol and port such as udp/9000',
  parse: (given) => {
    const [, protocol, digits] = /^(udp|tcp)\/(\d{1,5})$/.exec(given) ?? [];
    const port = Number(digits);
    return protocol !== undefined && port >= 1 && port <= 65_535 ? { protocol: protocol as Protocol, port } : undefined;
  },
};
const assignment: Value<{ name: string; value: string }> = {
  placeholder: 'NAME=VALUE',
  expected: 'NAME=VALUE',
  parse: (given) => {
    const at = given.indexOf('=');
    return at > 0 ? { name: given.slice(0, at), value: given.slice(at + 1) } : undefined;
  },
};
// Refuses characters with a meaning in route patterns, and the other routes of the exporter.
const telemetryPath: Value<string> = {
  placeholder: 'PATH',
  expected: 'a path of letters, digits and ._- that no other route has, such as /metrics',
  parse: (given) => (/^(\/[\w.-]+)+$/.test(given) && !/^\/(-|api|instances)(\/|$)/.test(given) ? given : undefined),
};

const one = <T>(value: Value<T>, about: About): One<T> => ({ kind: 'one', ...value, ...about });
const oneOf = <T>(value: Value<T>, standard: string, about: About): OneOf<T> => ({
  kind: 'one',
  default: standard,
  ...value,
  ...about,
});
const many = <T>(value: Value<T>, standard: string | undefined, about: About): Many<T> => ({
  kind: 'many',
  ...value,
  ...about,
  ...(standard === undefined ? {} : { default: standard }),
});
const toggle = (about: About): Toggle => ({ kind: 'toggle', ...about });

export const flagTable = {
  'config.file': one(path(), { help: 'settings file of the exporter; optional', commands: all }),
  'state.file': oneOf({ ...path(), parse: (given: string) => given }, '/var/lib/filebeat-port-exporter/state.json', {
    help: 'file in which seen instances are remembered; in $STATE_DIRECTORY if systemd sets it; empty: no file',
    commands: all,
  }),
  'path.procfs': oneOf(path('DIR'), '/proc', { help: 'where procfs is mounted', commands: scanning }),
  'path.rootfs': oneOf(path('DIR'), '/', { help: 'where the host’s root is mounted', commands: scanning }),
  'path.unchecked': toggle({
    help: 'do not check that procfs and rootfs belong to the same host; for a root made by hand, as in a test or a bug report',
    commands: scanning,
  }),
  'scan.grace': oneOf(seconds, '10s', {
    help: 'how long after its start a Filebeat may lack a listener without a mismatch',
    commands: judging,
  }),
  'scan.freshness': oneOf(seconds, '1s', { help: 'requests within this time share one scan', commands: ['serve'] }),
  'web.listen-address': many(
    { placeholder: 'ADDRESS', expected: 'host:port, :port or unix:/path', parse: parseListenAddress },
    ':9117',
    { help: 'address to listen on; repeatable', commands: ['serve'] },
  ),
  'web.telemetry-path': oneOf(telemetryPath, '/metrics', { help: 'path of the metrics', commands: ['serve'] }),
  'web.external-url': one(
    {
      placeholder: 'URL',
      expected: 'a URL such as https://example.com/filebeat/, or its path alone',
      parse: parseExternalUrl,
    },
    {
      help: 'URL at which a reverse proxy makes the exporter reachable; its path becomes the prefix of all routes',
      commands: ['serve'],
    },
  ),
  'web.route-prefix': one(
    {
      placeholder: 'PATH',
      expected: 'a path of letters, digits and ._~-, such as /filebeat or /',
      parse: parseRoutePrefix,
    },
    { help: 'prefix of all routes, if it differs from the path of --web.external-url', commands: ['serve'] },
  ),
  'web.config.file': one(
    { ...path(), parse: (given: string) => given },
    {
      help: 'TLS and basic auth, in the format of the exporter toolkit, without HTTP/2; empty: none',
      commands: ['serve'],
    },
  ),
  'web.max-requests': oneOf(integer(0, 'N'), '0', {
    help: 'maximum number of concurrent requests; more get 503; 0: no limit',
    commands: ['serve'],
  }),
  'web.enable-lifecycle': toggle({
    help: 'enable POST /-/reload and DELETE /api/v1/instances/NAME',
    commands: ['serve'],
  }),
  'collector.nodejs': toggle({
    help: 'also export metrics of the exporter’s own Node.js runtime',
    commands: ['serve', 'metrics'],
  }),
  json: toggle({ help: 'print JSON', commands: ['check', 'explain'] }),
  quiet: toggle({ help: 'print only the summary line', commands: ['check'] }),
  output: one(path(), {
    help: 'write to this file instead of stdout, atomically, as the textfile collector needs it',
    commands: ['metrics'],
  }),
  pid: one(integer(1, 'PID'), { help: 'explain only this running process', commands: ['explain'] }),
  cwd: one(path('DIR'), { help: 'working directory of the command line after --', commands: ['explain'] }),
  env: many(assignment, undefined, {
    help: 'environment variable of the command line after --; repeatable',
    commands: ['explain'],
  }),
  'against-host': toggle({
    help: 'also report collisions with sockets and instances of this host',
    commands: ['explain'],
  }),
  'filebeat-release': one(release, {
    help: 'Filebeat release to assume, instead of the one detected',
    commands: ['explain'],
  }),
  'compare-release': one(release, {
    help: 'show what would change under this Filebeat release',
    commands: ['explain'],
  }),
  port: one(learnedPort, { help: 'forget only this learned port', commands: ['forget'] }),
  'log.level': oneOf(choice('debug', 'info', 'warn', 'error'), 'info', {
    help: 'least severe level that is logged to stderr',
    commands: all,
  }),
  'log.format': oneOf(choice('logfmt', 'json'), 'logfmt', { help: 'format of log lines', commands: all }),
  version: toggle({ help: 'print the version', commands: all }),
  help: toggle({ help: 'print this help', commands: all }),
} satisfies Record<string, Flag>;

export type FlagName = keyof typeof flagTable;

type ValueOf<F> = F extends Toggle
  ? boolean
  : F extends Many<infer T>
    ? T[]
    : F extends OneOf<infer T>
      ? T
      : F extends One<infer T>
        ? T | undefined
        : never;

/** The value or default of every flag, by its name: `flags['web.listen-address']`. */
export type Flags = { [N in FlagName]: ValueOf<(typeof flagTable)[N]> };
