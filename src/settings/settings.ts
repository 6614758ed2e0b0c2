/** The exporter's own settings file → Settings. Every error names key, line and what was expected, never a value. Pure. */
import { isIP } from 'node:net';
import { parseYaml } from '../filebeat/yaml/yaml.js';
import type { StaticPort } from '../model/model.js';
import { parseDuration } from './duration.js';
import {
  anyString,
  boolean,
  type Complaint,
  choice,
  list,
  map,
  nonEmpty,
  number,
  parsed,
  record,
  type Shape,
} from './shape.js';

/** An instance declared by hand. */
export interface DeclaredInstance {
  name: string;
  /** Whom it runs as: a name or a number. */
  user?: string;
  argv: string[];
  env: Record<string, string>;
}

export interface Settings {
  discovery: {
    /** Basenames of exe or argv[0]. */
    processNames: string[];
    /** Absolute globs of main configuration files. */
    configGlobs: string[];
    systemd: boolean;
    /** Seconds; 0 = for ever. */
    remember: number;
    /** Seconds that a process of an ordinary user has to live before it is remembered. */
    rememberAfter: number;
    /** Seconds; 0 = never. */
    learnAfter: number;
  };
  instances: DeclaredInstance[];
  ports: StaticPort[];
  legacyPortMetric: boolean;
  thresholds: {
    /** Receive queue over receive buffer, above 0, at most 1. */
    receiveQueueRatio: number;
    restarts: { count: number /** Seconds. */; within: number };
    /** Seconds that a process is stopped or frozen, or hangs without progress, before it is told. */
    frozenAfter: number;
    stalledAfter: number;
  };
  selfReport: {
    /** Read the log file that a Filebeat has open. */
    logs: boolean;
    /** Ask the stats endpoint that an instance's own configuration declares. */
    http: boolean;
    /** Seconds; 0 = never. */
    silentAfter: number;
  };
}

/** What holds without a settings file. */
export const defaultSettings: Settings = {
  discovery: {
    processNames: ['filebeat'],
    configGlobs: [],
    systemd: true,
    remember: 7 * 86_400,
    rememberAfter: 600,
    learnAfter: 300,
  },
  instances: [],
  ports: [],
  legacyPortMetric: false,
  thresholds: { receiveQueueRatio: 0.8, restarts: { count: 3, within: 600 }, frozenAfter: 10, stalledAfter: 60 },
  selfReport: { logs: true, http: false, silentAfter: 900 },
};

export type ParsedSettings = { ok: true; settings: Settings } | { ok: false; errors: string[] };

const seconds: Shape<number> = (node, key, complain) => {
  if (node.kind === 'scalar' && node.type === 'int' && node.value === 0) return 0;
  return parsed('a duration such as 500ms, 10m or 7d', parseDuration)(node, key, complain);
};

const processName = parsed('the name of a program, without its directory', (text) =>
  /^[^/]+$/.test(text) ? text : undefined,
);
const absoluteGlob = parsed('an absolute path or glob', (text) => (text.startsWith('/') ? text : undefined));

/** IPv6 in the kernel's spelling, so that it can be compared with a socket's. */
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

/** `6984`, or a map. */
const staticPort: Shape<StaticPort> = (node, key, complain) => {
  const given = node.kind === 'map' ? portMap(node, key, complain) : { port: portNumber(node, key, complain) };
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

/** A list in which `keyOf` tells items apart; the second of two is complained about, with its own line. */
function distinct<T>(item: Shape<T>, keyOf: (value: T) => string, what: string, at: string): Shape<T[]> {
  return (node, key, complain) => {
    const seen = new Set<string>();
    const once: Shape<T> = (child, childKey, report) => {
      const value = item(child, childKey, report);
      if (value === undefined || !seen.has(keyOf(value))) {
        if (value !== undefined) seen.add(keyOf(value));
        return value;
      }
      const entry = child.kind === 'map' ? child.entries.find((e) => e.key === at) : undefined;
      report({
        key: entry === undefined ? childKey : `${childKey}.${at}`,
        line: entry?.line ?? child.line,
        problem: `expected ${what}`,
      });
      return undefined;
    };
    return list(once)(node, key, complain);
  };
}

const argv: Shape<string[]> = (node, key, complain) => {
  const words = list(anyString)(node, key, complain);
  if (words === undefined || words.length > 0) return words;
  complain({ key, line: node.line, problem: 'expected a command line such as [filebeat, -c, /etc/filebeat/core.yml]' });
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

/** An empty file is the defaults. `file` is only for the messages. */
export function parseSettings(bytes: Uint8Array, file: string): ParsedSettings {
  const yaml = parseYaml(bytes);
  if (!yaml.ok) return { ok: false, errors: [`${file}:${yaml.fault.at?.line ?? 1}: expected valid YAML`] };
  if (yaml.root === undefined) return { ok: true, settings: defaultSettings };
  const complaints: Complaint[] = [];
  const given = document(yaml.root, '', (complaint) => complaints.push(complaint));
  if (given === undefined || complaints.length > 0)
    return { ok: false, errors: complaints.map((c) => sentence(file, c)) };
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

/** `settings.yml:3: discovery.remember: expected a duration such as 500ms, 10m or 7d`. Keys come from the file: at most 200 characters. */
function sentence(file: string, { key, line, problem }: Complaint): string {
  const shown = key.length > 200 ? `${key.slice(0, 200)}…` : key;
  return `${file}:${line}: ${shown === '' ? '' : `${shown}: `}${problem}`;
}
