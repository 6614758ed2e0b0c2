/**
 * The host of a measurement: other processes with open descriptors and stand-in Filebeats with sockets, all of them real.
 * The other processes are children of a few stub programs (see `stub-program.ts`) of tens of KiB each, so that 10,000 fit
 * on a laptop. They die with the process that made them, in whatever way it dies.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { type StandIn, startStandIn } from '../stand-in.js';
import { createCaller, text } from '../stub-calls.js';
import { DATA_ADDRESS, writeStub } from '../stub-program.js';

export interface WorldSize {
  bystanders: number;
  /** Descriptors of each other process. */
  descriptors: number;
  instances: number;
  /** UDP listeners of each instance. */
  ports: number;
}

export interface World {
  size: WorldSize;
  folder: string;
  /** Adds instances; the number never decreases. */
  grow(to: Partial<WorldSize>): Promise<void>;
  stop(): Promise<void>;
}

const SIGCHLD = 17;
const PR_SET_PDEATHSIG = 1;
const PRCTL = process.arch === 'arm64' ? 167 : 157;
export const FIRST_PORT = 20_000;

/** Common programs, so that names and command lines have the usual length. */
const TRADES = [
  ['sshd', 'sshd: operator [priv]'],
  ['nginx', 'nginx: worker process'],
  ['postgres', 'postgres: 14/main: app app 10.20.0.17(51234) idle'],
  ['php-fpm8.2', 'php-fpm: pool www'],
  [
    'java',
    '/usr/lib/jvm/java-17/bin/java',
    '-Xmx2g',
    '-jar',
    '/opt/app/lib/server.jar',
    '--spring.profiles.active=prod',
  ],
  ['python3', '/usr/bin/python3', '-m', 'gunicorn', 'app.wsgi:application', '--bind', 'unix:/run/app/gunicorn.sock'],
  [
    'containerd-shim',
    '/usr/bin/containerd-shim-runc-v2',
    '-namespace',
    'moby',
    '-id',
    '1f0c7f2e9d',
    '-address',
    '/run/containerd/containerd.sock',
  ],
  ['bash', '-bash'],
] as const;

interface Stub {
  child: ChildProcessByStdio<Writable, Readable, null>;
  call: ReturnType<typeof createCaller>['call'];
  ended: Promise<void>;
}

async function startStub(file: string, argv0: string, args: readonly string[]): Promise<Stub> {
  writeStub(file);
  const child = spawn(file, args, { argv0, env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const { call } = createCaller(child, ended);
  return { child, call, ended };
}

export async function buildWorld(size: WorldSize): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const stubs: Stub[] = [];
  const standIns: StandIn[] = [];
  let bystanders = 0;

  async function addBystanders(to: number) {
    if (stubs.length === 0)
      for (const [name, argv0, ...args] of TRADES) {
        const stub = await startStub(join(folder, 'bin', name), argv0, args);
        // 0, 1 and 2 already exist. Files, not sockets: they are the cheapest in a descriptor scan.
        for (let fd = 3; fd < size.descriptors; fd++)
          await stub.call('openat', [-100, DATA_ADDRESS, 0], text('/dev/null'));
        stubs.push(stub);
      }
    // The stubs count as other processes too.
    bystanders = Math.max(bystanders, stubs.length);
    for (; bystanders < to; bystanders++)
      await stubs[bystanders % stubs.length]!.call('clone', [SIGCHLD, 0, 0, 0, 0], undefined, [
        PRCTL,
        PR_SET_PDEATHSIG,
        9,
      ]);
  }

  async function addInstances(to: number) {
    while (standIns.length < to) {
      const number = standIns.length;
      const name = `filebeat-${String(number).padStart(3, '0')}`;
      const numbers = Array.from({ length: size.ports }, (_, index) => FIRST_PORT + number * size.ports + index);
      const config = join(folder, 'etc', `${name}.yml`);
      mkdirSync(join(folder, 'etc'), { recursive: true });
      writeFileSync(config, configuration(numbers, folder));
      standIns.push(
        await startStandIn({
          argv: [
            '/usr/share/filebeat/bin/filebeat',
            '--environment',
            'systemd',
            '-c',
            config,
            '--path.home',
            '/usr/share/filebeat',
            '--path.config',
            join(folder, 'etc'),
            '--path.data',
            join(folder, 'lib', name),
            '--path.logs',
            join(folder, 'log', name),
          ],
          env: {
            LANG: 'C.UTF-8',
            PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
            BEAT_STRICT_PERMS: 'false',
          },
          cwd: '/',
          sockets: numbers.map((port) => `udp 127.0.0.1:${port}`),
        }),
      );
    }
  }

  async function grow(to: Partial<WorldSize>) {
    await addBystanders(to.bystanders ?? 0);
    await addInstances(to.instances ?? 0);
    Object.assign(world.size, { bystanders, instances: standIns.length });
  }

  const world: World = {
    size: { ...size },
    folder,
    grow,
    async stop() {
      await Promise.all(standIns.map((standIn) => standIn.stop()));
      for (const { child } of stubs) child.kill('SIGKILL');
      await Promise.all(stubs.map(({ ended }) => ended));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await grow(size);
  return world;
}

/** A typical configuration: several inputs, with settings that do not affect listeners. */
function configuration(ports: readonly number[], folder: string): string {
  const inputs = ports.map(
    (port, index) => `  - type: udp
    enabled: true
    host: "127.0.0.1:${port}"
    max_message_size: 10KiB
    tags: ["device-${index}"]
    fields: {site: "north", rack: ${index}}
`,
  );
  return `filebeat.inputs:
${inputs.join('')}
processors:
  - add_host_metadata: ~
output.file:
  path: ${folder}/out
logging.level: warning
`;
}
