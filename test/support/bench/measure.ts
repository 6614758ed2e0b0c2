/** Processor time, latency, memory and system calls of programs under measurement: `/proc/<pid>/task/<tid>/schedstat`, `getrusage`, strace. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** One response: processor time of the program and latency, both in milliseconds. */
export interface Cost {
  cpu: number;
  wall: number;
}

/** Processor time of all threads of a process in milliseconds; the kernel counts nanoseconds. */
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

/** A compressed scrape, like Prometheus'. Rejects for any status but 200. Returns the bytes on the wire. */
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

/** Work after the response counts for this time. Milliseconds. */
const AFTERMATH = 20;

export async function scrape(pid: number, port: number): Promise<Cost> {
  const before = cpuOf(pid);
  const started = performance.now();
  await get(port);
  const wall = performance.now() - started;
  await pause(AFTERMATH);
  return { cpu: cpuOf(pid) - before, wall };
}

/** A shell command, including its child processes. */
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

/** Number of calls of one kind for one purpose. */
export interface Calls {
  kind: string;
  purpose: string;
  count: number;
}

/** The purpose of a call, by its path: strace also shows the paths of descriptors. */
const purposes: [purpose: string, sign: RegExp][] = [
  ['who holds a socket: one for each', /\/proc\/\d+\/fd\/\d+"/],
  ['open descriptors of each Filebeat, counted by the kernel', /"[^"]*\/\d+\/fd"/],
  ['each Filebeat is the same process still, before and after', /\/\d+\/stat["> ]/],
  ['the program of each Filebeat, and of a sixtieth of the bystanders a second', /\/\d+\/exe"/],
  ['command lines of bystanders whose turn it is', /\/\d+\/cmdline["> ]/],
  ['socket tables, both families', /net\/(udp|tcp)6?["> ]/],
  ['counters of the namespace', /net\/snmp6?["> ]/],
  ['network namespaces', /ns\/net["> ]/],
  ['pids that were given out a moment ago: is there a process?', /"\/proc\/\d+"/],
  ['limits and name of the host', /\/sys\/|\/proc\/(stat|uptime)["> ]|\/proc["> ]?\/(stat|uptime)/],
  ['the list of processes', /"\/proc\/?\.?"|<\/proc>/],
  ['the state file, every 30 s', /state[^"/]*\.json/],
  ['configuration, unit files and their folders: unchanged?', /"\//],
  ['the request', /socket:|TCP|accept4|getpeername|getsockname|setsockopt|shutdown/],
  ['one thread wakes the other', /futex|eventfd|eventpoll|epoll|pipe:/],
  ['memory', /mmap|munmap|madvise|mprotect|brk/],
];

function purposeOf(line: string): string {
  return purposes.find(([, sign]) => sign.test(line))?.[0] ?? 'other';
}

/** System calls of a process and all its threads, while `act` runs. Undefined if tracing is not permitted. */
export async function countCalls(pid: number, act: () => Promise<void>): Promise<Calls[] | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'calls-'));
  const file = join(folder, 'calls');
  const tracer = spawn('strace', ['-f', '-y', '-o', file, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const attached = new Promise<boolean>((resolve) => {
    tracer.stderr.on('data', (text: Buffer) => resolve(text.includes('attached')));
    tracer.once('error', () => resolve(false)).once('exit', () => resolve(false));
  });
  if (!(await attached)) return undefined;
  // strace attaches to one thread at a time.
  await pause(300);
  await act();
  const ended = new Promise((resolve) => tracer.once('exit', resolve));
  tracer.kill('SIGINT');
  await ended;
  const found = new Map<string, Calls>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    // A call that another thread interrupts has two lines.
    const kind = /^\d+ +([a-z]\w+)\(/.exec(line)?.[1];
    if (kind === undefined) continue;
    const purpose = purposeOf(line);
    const known = found.get(`${kind} ${purpose}`) ?? { kind, purpose, count: 0 };
    known.count++;
    found.set(`${kind} ${purpose}`, known);
  }
  rmSync(folder, { recursive: true });
  return [...found.values()].sort((one, other) => other.count - one.count);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export const median = (values: readonly number[]) => quantile(values, 0.5);
