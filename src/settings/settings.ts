/** The exporter's own settings file → Settings. Every error names the key, the line and what was expected, never a value. */
import { isIP } from 'node:net';
import { parseYaml } from '../filebeat/yaml/yaml.js';
import {
  anyString,
  boolean,
  choice,
  list,
  map,
  nonEmpty,
  number,
  type Problem,
  parsed,
  problemText,
  record,
  type Schema,
} from '../filebeat/yaml/yaml-schema.js';
import type { StaticPort } from '../model/model.js';
import { defaultSettings } from './default-settings.js';
import { parseDuration } from './duration.js';

/** An instance declared in the settings. */
export interface DeclaredInstance {
  name: string;
  /** The user it runs as: a name or a number. */
  user?: string;
  argv: string[];
  env: Record<string, string>;
}

export interface Settings {
  discovery: {
    /** Basenames of the executable or of argv[0]. */
    processNames: string[];
    /** Absolute globs of main configuration files. */
    configGlobs: string[];
    systemd: boolean;
    /** Seconds; 0: forever. */
    remember: number;
    /** Seconds after which a process of an ordinary user is remembered. */
    rememberAfter: number;
    /** Seconds; 0: never. */
    learnAfter: number;
  };
  instances: DeclaredInstance[];
  ports: StaticPort[];
  legacyPortMetric: boolean;
  thresholds: {
    /** Receive queue divided by receive buffer: above 0, at most 1. */
    receiveQueueRatio: number;
    restarts: { count: number /** Seconds. */; within: number };
    /** Seconds until a stopped or frozen process, or one that hangs in the kernel, is reported. */
    frozenAfter: number;
    stalledAfter: number;
  };
  selfReport: {
    /** Read the log file that a Filebeat has open. */
    logs: boolean;
    /** Query the stats endpoint that an instance's configuration declares. */
    http: boolean;
    /** Seconds; 0: never. */
    silentAfter: number;
  };
}

export { defaultSettings };

export type ParsedSettings = { ok: true; settings: Settings } | { ok: false; errors: string[] };

const seconds: Schema<number> = (node, at, report) => {
  if (node.kind === 'scalar' && node.type === 'int' && node.value === 0) return 0;
  return parsed('a duration such as 500ms, 10m or 7d', parseDuration)(node, at, report);
};

const processName = parsed('the name of a program, without its directory', (text) =>
  /^[^/]+$/.test(text) ? text : undefined,
);
const absoluteGlob = parsed('an absolute path or glob', (text) => (text.startsWith('/') ? text : undefined));

/** IPv6 addresses are normalised as the kernel writes them, so that they compare equal with a socket's address. */
const address = parsed('an IP address, or "*"', (text) => {
  const family = isIP(text);
  if (family !== 6) return family === 4 || text === '*' ? text : undefined;
  return text.includes('%') ? undefined : new URL(`http://[${text}]/`).hostname.slice(1, -1);
});

const portNumber = number('a port from 1 to 65535', (n) => Number.isInteger(n) && n >= 1 && n <= 65_535);
const portMap = map(
  { port: portNumber, protocol: choice('udp', 'tcp'), address, process: nonEmpty, silent_after: seconds },
  'port',
);

/** A port number, or a map with details. */
const staticPort: Schema<StaticPort> = (node, at, report) => {
  const given = node.kind === 'map' ? portMap(node, at, report) : { port: portNumber(node, at, report) };
  if (given?.port === undefined) return undefined;
  const {
    address: where,
    process,
    silent_after,
  } = given as {
    address?: string;
    process?: string;
    silent_after?: number;
  };
  return {
    port: given.port,
    protocol: ('protocol' in given ? given.protocol : undefined) ?? 'udp',
    ...(where === undefined || where === '*' ? {} : { address: where }),
    ...(process === undefined ? {} : { process }),
    ...(silent_after === undefined ? {} : { silentAfter: silent_after }),
  };
};

/** A list whose items all have a different `keyOf`. A duplicate is a problem at its key `name`. */
function distinct<T>(item: Schema<T>, keyOf: (value: T) => string, what: string, name: string): Schema<T[]> {
  return (node, at, report) => {
    const seen = new Set<string>();
    const once: Schema<T> = (child, childAt, childReport) => {
      const value = item(child, childAt, childReport);
      if (value === undefined || !seen.has(keyOf(value))) {
        if (value !== undefined) seen.add(keyOf(value));
        return value;
      }
      const entry = child.kind === 'map' ? child.entries.find((e) => e.key === name) : undefined;
      const key = entry === undefined ? childAt.key : `${childAt.key}.${name}`;
      childReport({ key, line: entry?.line ?? childAt.line, what: `expected ${what}` });
      return undefined;
    };
    return list(once)(node, at, report);
  };
}

const argv: Schema<string[]> = (node, at, report) => {
  const words = list(anyString)(node, at, report);
  if (words === undefined || words.length > 0) return words;
  report({ ...at, what: 'expected a command line such as [filebeat, -c, /etc/filebeat/core.yml]' });
  return undefined;
};

const document = map({
  discovery: map({
    process_names: list(processName),
    config_globs: list(absoluteGlob),
    systemd: boolean,
    remember: seconds,
    remember_after: seconds,
    learn_after: seconds,
  }),
  instances: distinct(
    map({ name: nonEmpty, user: nonEmpty, argv, env: record(anyString) }, 'name', 'argv'),
    (instance) => instance.name,
    'a name that no other instance has',
    'name',
  ),
  ports: distinct(
    staticPort,
    (port) => JSON.stringify([port.protocol, port.address, port.port, port.process]),
    'each port once',
    'port',
  ),
  legacy_port_metric: boolean,
  thresholds: map({
    receive_queue_ratio: number('a ratio above 0, at most 1', (n) => n > 0 && n <= 1),
    restarts: map({
      count: number('a whole number from 1', (n) => Number.isInteger(n) && n >= 1),
      within: seconds,
    }),
    frozen_after: seconds,
    stalled_after: seconds,
  }),
  self_report: map({ logs: boolean, http: boolean, silent_after: seconds }),
});

/** An empty file gives the defaults. `file` is used in messages only. */
export function parseSettings(bytes: Uint8Array, file: string): ParsedSettings {
  const yaml = parseYaml(bytes);
  if (!yaml.ok) return { ok: false, errors: [`${file}:${yaml.fault.at?.line ?? 1}: expected valid YAML`] };
  if (yaml.root === undefined) return { ok: true, settings: defaultSettings };
  const problems: Problem[] = [];
  const given = document(yaml.root, { key: '', line: yaml.root.line }, (problem) => problems.push(problem));
  if (given === undefined || problems.length > 0)
    return { ok: false, errors: problems.map((problem) => problemText(file, problem)) };
  const { discovery, thresholds, self_report } = given;
  const standard = defaultSettings;
  return {
    ok: true,
    settings: {
      discovery: {
        processNames: discovery?.process_names ?? standard.discovery.processNames,
        configGlobs: discovery?.config_globs ?? standard.discovery.configGlobs,
        systemd: discovery?.systemd ?? standard.discovery.systemd,
        remember: discovery?.remember ?? standard.discovery.remember,
        rememberAfter: discovery?.remember_after ?? standard.discovery.rememberAfter,
        learnAfter: discovery?.learn_after ?? standard.discovery.learnAfter,
      },
      instances: (given.instances ?? []).map(({ name, user, argv, env }) => ({
        name,
        ...(user === undefined ? {} : { user }),
        argv,
        env: env ?? {},
      })),
      ports: given.ports ?? [],
      legacyPortMetric: given.legacy_port_metric ?? standard.legacyPortMetric,
      thresholds: {
        receiveQueueRatio: thresholds?.receive_queue_ratio ?? standard.thresholds.receiveQueueRatio,
        restarts: {
          count: thresholds?.restarts?.count ?? standard.thresholds.restarts.count,
          within: thresholds?.restarts?.within ?? standard.thresholds.restarts.within,
        },
        frozenAfter: thresholds?.frozen_after ?? standard.thresholds.frozenAfter,
        stalledAfter: thresholds?.stalled_after ?? standard.thresholds.stalledAfter,
      },
      selfReport: {
        logs: self_report?.logs ?? standard.selfReport.logs,
        http: self_report?.http ?? standard.selfReport.http,
        silentAfter: self_report?.silent_after ?? standard.selfReport.silentAfter,
      },
    },
  };
}
