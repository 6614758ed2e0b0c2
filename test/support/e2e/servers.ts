/** Debian's Prometheus and Alertmanager with the accelerated examples, and their APIs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import {
  alertmanagerFile,
  interval,
  mutantFile,
  prometheusFile,
  ruleNames,
  rules,
  rulesFile,
  rulesName,
} from './hurry.js';

export interface Series {
  metric: Record<string, string>;
  values: [time: number, value: string][];
}

/** An alert in Prometheus now. */
export interface ActiveAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: 'pending' | 'firing';
}

export interface Passed {
  status: string;
  labels: Record<string, string>;
}

export interface ServerOptions {
  /** Also load copies of the rules that lack one rule each. */
  mutants?: boolean;
  /** Further parts of Prometheus' configuration. */
  more?: object;
  /** Seconds that the Alertmanager waits for alerts of many hosts. */
  shared?: number;
}

export interface Servers {
  readonly url: string;
  /** Replaces the list of targets; Prometheus reloads it by itself. */
  setTargets(targets: readonly string[]): void;
  /** Alerts of the example rules, without those of the mutants. */
  alerts(): Promise<ActiveAlert[]>;
  /** An instant query; throws for an error or a warning. Returns the number of series. */
  query(expression: string): Promise<number>;
  /** Seconds since the epoch. */
  range(expression: string, from: number, to: number): Promise<Series[]>;
  /** Alerts that the Alertmanager has sent: `firing FilebeatDown`, with labels. */
  received(): readonly Passed[];
  /** The same, message by message. */
  messages(): readonly (readonly Passed[])[];
  stop(): Promise<void>;
}

const prometheusUrl = 'http://127.0.0.1:9090';
const alertmanagerUrl = 'http://127.0.0.1:9093';

async function answer<T>(path: string, params: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`${prometheusUrl}${path}?${new URLSearchParams(params)}`);
  const body = (await response.json()) as { status: string; data: T; error?: string; warnings?: string[] };
  if (body.status !== 'success' || body.warnings !== undefined)
    throw new Error(`${path} ${params['query'] ?? ''}: ${body.error ?? body.warnings}`);
  return body.data;
}

async function ready(what: string, url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; ) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${what} does not come up: ${said()}`);
    const ok = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function start(program: string, args: readonly string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  return { child, ended, said: () => said };
}

/** The address that the example configuration names as receiver. */
function receive(into: Passed[][]) {
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part) => (text += part));
    request.on('end', () => {
      into.push((JSON.parse(text) as { alerts: Passed[] }).alerts);
      response.end();
    });
  });
  return new Promise<typeof server>((resolve) => server.listen(9094, '127.0.0.1', () => resolve(server)));
}

export async function startServers(
  folder: string,
  { mutants = false, more = {}, shared = 1 }: ServerOptions,
): Promise<Servers> {
  const at = (...parts: string[]) => join(folder, ...parts);
  mkdirSync(at('targets'));
  mkdirSync(at('mutants'));
  writeFileSync(at('prometheus.yml'), prometheusFile(more));
  writeFileSync(at('alertmanager.yml'), alertmanagerFile(shared));
  writeFileSync(at(rulesName), rulesFile('filebeat', rules));
  for (const [i, name] of mutants ? ruleNames.entries() : [])
    writeFileSync(at('mutants', `${i}.yml`), mutantFile(name));

  const messages: Passed[][] = [];
  const receiver = await receive(messages);
  const manager = start('prometheus-alertmanager', [
    `--config.file=${at('alertmanager.yml')}`,
    `--storage.path=${at('alertmanager')}`,
    '--web.listen-address=127.0.0.1:9093',
    '--cluster.listen-address=',
  ]);
  const prometheus = start('prometheus', [
    `--config.file=${at('prometheus.yml')}`,
    `--storage.tsdb.path=${at('prometheus')}`,
    '--web.listen-address=127.0.0.1:9090',
    '--rules.alert.resend-delay=2s',
  ]);
  await ready('Prometheus', prometheusUrl, prometheus.child, prometheus.said);
  await ready('Alertmanager', alertmanagerUrl, manager.child, manager.said);

  return {
    url: prometheusUrl,
    setTargets(targets) {
      writeFileSync(at('targets.new'), JSON.stringify([{ targets, labels: { site: 'lab' } }]));
      renameSync(at('targets.new'), at('targets', 'hosts.yml'));
    },
    alerts: async () =>
      (await answer<{ alerts: ActiveAlert[] }>('/api/v1/alerts')).alerts.filter((a) => !('mutant' in a.labels)),
    query: async (query) => (await answer<{ result: unknown[] }>('/api/v1/query', { query })).result.length,
    range: async (query, from, to) => {
      const params = { query, start: String(from), end: String(to), step: String(interval) };
      return (await answer<{ result: Series[] }>('/api/v1/query_range', params)).result;
    },
    received: () => messages.flat(),
    messages: () => messages,
    async stop() {
      for (const { child, ended } of [prometheus, manager]) {
        child.kill('SIGTERM');
        await ended;
      }
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
    },
  };
}
