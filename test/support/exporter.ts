/** The program as a process: used over HTTP, or by its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StatusDocument } from '../../src/exporter/json/status-json.js';
import { readScrape, type Scrape } from './text-format.js';

export const mainFile = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Maximum time that a test waits for the program. Milliseconds. */
const patience = 20_000;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Exporter {
  readonly url: string;
  readonly pid: number;
  /** A folder of its own, removed when it stops. */
  readonly folder: string;
  /** Settles when it exits, for whatever reason. */
  readonly ended: Promise<Ended>;
  /** Its log so far. */
  log(): string;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** One scrape, parsed strictly; throws for any status but 200. */
  scrape(): Promise<Scrape>;
  status(): Promise<StatusDocument>;
  /** Sends SIGTERM and waits; throws unless it exits with 0. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

function watch(child: ChildProcess): { ended: Promise<Ended>; stderr: () => string } {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve({ code, signal, ...said }));
  });
  return { ended, stderr: () => said.stderr };
}

async function inTime<T>(what: string, promise: Promise<T>, child: ChildProcess): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`waited in vain: ${what}`));
    }, patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Uses a connection of its own: a keep-alive connection would keep the exporter awake. */
function statusOnce(url: URL): Promise<number | undefined> {
  return new Promise((resolve) => {
    if (url.protocol !== 'http:') {
      resolve(undefined);
      return;
    }
    const asked = httpGet(url, { agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    asked.once('error', () => resolve(undefined));
  });
}

export interface ExporterOptions {
  /** Default: a free port of 127.0.0.1. */
  listen?: string;
  /** Drops root's privileges. */
  uid?: number;
  cwd?: string;
  /** In a process group of its own, so that Ctrl-C does not reach it. */
  detached?: boolean;
  /** A command prefix such as `unshare -m …`. The pid is that of the prefix, unless it executes the program. */
  through?: readonly string[];
  env?: Record<string, string>;
}

/** Time to wait for the first scan. Milliseconds. */
const firstScan = 2000;

/**
 * Every request scans, without a grace period. Waits a moment for the first scan, because a request during a scan gets
 * the result of that scan, without later changes.
 */
export async function startExporter(
  flags: readonly string[] = [],
  { listen = '127.0.0.1:0', uid, detached = false, through = [], env = {}, cwd }: ExporterOptions = {},
): Promise<Exporter> {
  const folder = mkdtempSync(join(tmpdir(), 'exporter-'));
  const standard = [`--web.listen-address=${listen}`, '--scan.freshness=0s', '--scan.grace=0s'];
  if (uid !== undefined) chownSync(folder, uid, uid);
  const [program, ...words] = [...through, process.execPath, mainFile, 'serve'];
  const child = spawn(program!, [...words, ...standard, `--state.file=${join(folder, 'state.json')}`, ...flags], {
    env: { PATH: process.env['PATH'], ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const { ended, stderr } = watch(child);
  const listening = new Promise<string>((resolve, reject) => {
    child.stderr.on('data', () => {
      const address = /(?:msg=listening address="?|"msg":"listening","address":")([^\s"]+)/.exec(stderr());
      if (address !== null) resolve(address[1]!.replace('[::]', 'localhost'));
    });
    ended.then((end) => reject(new Error(`the exporter ended: ${JSON.stringify(end)}`)), reject);
  });
  const url = await inTime('the exporter listens', listening, child);
  ended.catch(() => undefined); // `stop` reports it.

  const get = (path: string, init?: RequestInit) =>
    fetch(new URL(path, url), { signal: AbortSignal.timeout(patience), ...init });
  for (const started = performance.now(); performance.now() - started < firstScan; await pause(5))
    if ((await statusOnce(new URL('/-/ready', url))) !== 503) break;
  const wellDone = async (path: string) => {
    const response = await get(path);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 200)}`);
    return text;
  };
  return {
    url,
    pid: child.pid!,
    folder,
    ended,
    log: stderr,
    get,
    scrape: async () => readScrape(await wellDone('/metrics')),
    status: async () => JSON.parse(await wellDone('/api/v1/status')) as StatusDocument,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const end = await inTime(`the exporter ends on ${signal}`, ended, child);
      rmSync(folder, { recursive: true, force: true });
      if (end.code !== 0) throw new Error(`ended with ${end.code ?? end.signal}: ${end.stderr}`);
    },
  };
}

/** Runs one command, e.g. `run(['check', '--json'])`. */
export async function run(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; through?: readonly string[] } = {},
): Promise<Ended> {
  const [program, ...words] = [...(options.through ?? []), process.execPath, mainFile];
  const child = spawn(program!, [...words, ...args], {
    env: { PATH: process.env['PATH'], ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return inTime(args.join(' '), watch(child).ended, child);
}
