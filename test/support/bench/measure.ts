/** Processor time, latency, memory and system calls of programs under measurement: `/proc/<pid>/task/<tid>/schedstat`, `getrusage`, strace. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** One answer: processor time of whoever gave it and time until it was there, both in milliseconds. */
export interface Cost {
  cpu: number;
  wall: number;
}

/** Milliseconds that all threads of a process have been on a processor; the kernel counts nanoseconds. */
export function cpuOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return nanoseconds / 1e6;
}

/** MiB. */
export function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** As Prometheus asks: compressed. Rejects on anything but 200. Returns the bytes on the wire. */
export function get(port: number, path = '/metrics', host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host, port, path, agent: false, headers: { 'Accept-Encoding': 'gzip', Accept: 'text/plain' } },
      (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('end', () =>
          response.statusCode === 200 ? resolve(bytes) : reject(new Error(`${path}: ${response.statusCode}`)),
        );
      },
    );
    asked.once('error', reject).end();
  });
}

/** What comes after the answer belongs to it. Milliseconds. */
const AFTERMATH = 20;

export async function scrape(pid: number, port: number): Promise<Cost> {
  const before = cpuOf(pid);
  const started = performance.now();
  await get(port);
  const wall = performance.now() - started;
  await pause(AFTERMATH);
  return { cpu: cpuOf(pid) - before, wall };
}

/** A command line of the shell, with all that it starts. */
export function command(line: string): Cost {
  const started = performance.now();
  const { stderr } = spawnSync('bash', ['-c', `TIMEFORMAT='%3U %3S'; time { ${line}; } >/dev/null 2>&1`], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const wall = performance.now() - started;
  const [user, system] = stderr.trim().split(' ').map(Number);
  return { cpu: ((user ?? 0) + (system ?? 0)) * 1000, wall };
}

export function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** System calls by kind, while `act` runs. Undefined where nobody may trace. */
export async function countCalls(pid: number, act: () => Promise<void>): Promise<Record<string, number> | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'calls-'));
  const file = join(folder, 'calls');
  const tracer = spawn('strace', ['-f', '-c', '-o', file, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const attached = new Promise<boolean>((resolve) => {
    tracer.stderr.on('data', (text: Buffer) => resolve(text.includes('attached')));
    tracer.once('error', () => resolve(false)).once('exit', () => resolve(false));
  });
  if (!(await attached)) return undefined;
  // It attaches to one thread after the other.
  await pause(300);
  await act();
  const ended = new Promise((resolve) => tracer.once('exit', resolve));
  tracer.kill('SIGINT');
  await ended;
  const calls: Record<string, number> = {};
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const row = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z]\w+)$/.exec(line);
    if (row && row[2] !== 'total') calls[row[2]!] = Number(row[1]);
  }
  rmSync(folder, { recursive: true });
  return calls;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);
