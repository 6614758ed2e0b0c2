/** The subjects of the measurement: the exporter, other commands and programs, and lower bounds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { get } from './measure.js';

export interface Served {
  pid: number;
  port: number;
  /** Milliseconds from its exec to its first response. */
  firstAnswer: number;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const PATIENCE = 60_000;

const unitFile = new URL('../../../../examples/systemd/filebeat-port-exporter.service', import.meta.url);

/** Flags of Node.js and environment of the systemd unit. */
export function roomOfUnit(): { flags: string[]; env: Record<string, string> } {
  const unit = readFileSync(unitFile, 'utf8');
  const [, flags = ''] = /^ExecStart=.*? node ((?:--\S+ )+)/m.exec(unit) ?? [];
  const [, line = ''] = /^Environment=(.*)$/m.exec(unit) ?? [];
  const env = [...line.matchAll(/"(\w+)=([^"]*)"|(\w+)=(\S*)/g)].map(([, a, b, c, d]) => [a ?? c ?? '', b ?? d ?? '']);
  return { flags: flags.trim().split(' '), env: Object.fromEntries(env) };
}

/** Retries until it responds. */
async function serve(
  file: string,
  args: readonly string[],
  port: number,
  more: Record<string, string> = {},
): Promise<Served> {
  const started = performance.now();
  const env = { PATH: process.env['PATH'], ...more };
  const child: ChildProcess = spawn(file, args, { stdio: 'ignore', env });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  for (;;) {
    if (
      await get(port).then(
        () => true,
        () => false,
      )
    )
      break;
    if (child.exitCode !== null || performance.now() - started > PATIENCE) throw new Error(`${file} does not serve`);
    await pause(1);
  }
  return {
    pid: child.pid!,
    port,
    firstAnswer: performance.now() - started,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const bundler = new URL('../../../../scripts/bundle.mjs', import.meta.url);

/** The program as the packages install it, made once in a folder. */
async function installed(folder: string): Promise<string> {
  const name = 'filebeat-port-exporter';
  const program = join(folder, `${name}.mjs`);
  if (existsSync(program)) return program;
  const { bundleFolder } = (await import(bundler.href)) as {
    bundleFolder(folder: string, name: string): Promise<void>;
  };
  await bundleFolder(folder, name);
  return program;
}

/** Every request scans; with a state file as by default, and the memory settings of its systemd unit. */
export async function startExporter(folder: string): Promise<Served> {
  const program = await installed(join(folder, 'program'));
  const port = await freePort();
  const state = join(folder, `state-${port}.json`);
  const flags = [`--web.listen-address=127.0.0.1:${port}`, '--scan.freshness=0s', `--state.file=${state}`];
  const room = roomOfUnit();
  return serve(process.execPath, [...room.flags, program, 'serve', ...flags], port, room.env);
}

/** Only serves one page: the cost of Node.js. */
export async function startBare(): Promise<Served> {
  const port = await freePort();
  return serve(
    process.execPath,
    ['-e', `require('node:http').createServer((_, to) => to.end('ok\\n')).listen(${port}, '127.0.0.1')`],
    port,
  );
}

/** Reads the two UDP tables and serves a constant page of the exporter's size. */
export async function startFloor(folder: string, bytes: number): Promise<Served> {
  const port = await freePort();
  const file = join(folder, 'floor.mjs');
  writeFileSync(
    file,
    `import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
const line = 'filebeat_port_up{name="core",config="/etc/filebeat/core.yml",protocol="udp",port="9000"} 1\\n';
const page = Buffer.from(line.repeat(Math.ceil(${bytes} / line.length)));
createServer((_, to) => {
  for (const table of ['udp', 'udp6']) readFileSync('/proc/self/net/' + table);
  to.setHeader('Content-Encoding', 'gzip');
  to.end(gzipSync(page, { level: 1 }));
}).listen(${port}, '127.0.0.1');
`,
  );
  return serve(process.execPath, [file], port);
}

/** Debian's process exporter, with one group for each matching command line. */
export async function startProcessExporter(folder: string, matching: string): Promise<Served> {
  const port = await freePort();
  const file = join(folder, `process-exporter-${port}.yml`);
  writeFileSync(file, `process_names:\n  - name: '{{.Comm}}'\n    cmdline: ['${matching}']\n`);
  return serve('prometheus-process-exporter', ['-config.path', file, `-web.listen-address=127.0.0.1:${port}`], port);
}

/** `title` → command line. The original script runs once for each port. */
export function commands(ports: readonly number[]): [title: string, line: string, needs: string][] {
  const origin = ports.map((port) => `netstat -unlp | awk -F: '{print $4}' | grep ^${port} | wc -l`).join('; ');
  return [
    ['ss -lunp', 'ss -lunp', 'ss'],
    ['netstat -unlp', 'netstat -unlp', 'netstat'],
    ['lsof -nP -iUDP', 'lsof -nP -iUDP', 'lsof'],
    [`the origin's pipeline, ${ports.length} ports`, origin, 'netstat'],
  ];
}
