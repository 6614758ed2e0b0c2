/**
 * The cost of a warm scrape while an ordinary user tries to make it expensive: forks, expensive configurations, many
 * processes that look like Filebeats, and more listeners than the limit. Each alone, then all.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type StandIn, startStandIn } from '../stand-in.js';
import { udpConfig } from '../world.js';
import { get, median, scrape } from './measure.js';
import { startExporter } from './subjects.js';
import type { World } from './world.js';

/** Milliseconds of processor time of one warm scrape. */
export interface UnderAttack {
  title: string;
  cpu: number;
}

const USER = 1000;

interface Attack {
  title: string;
  start(folder: string, scale: number): Promise<() => Promise<void>>;
}

/** Filebeats of the user, each with its own file and data. */
async function filebeats(folder: string, texts: readonly string[]): Promise<() => Promise<void>> {
  mkdirSync(folder, { recursive: true });
  const started: StandIn[] = [await startStandIn({ argv: ['nothing'] })];
  // Only root can access the folder of the programs.
  chmodSync(dirname(started[0]!.executable), 0o755);
  for (const [n, text] of texts.entries()) {
    const file = join(folder, `${n}.yml`);
    writeFileSync(file, text);
    chownSync(file, USER, USER);
    started.push(
      await startStandIn({ argv: ['filebeat', '-c', file, '--path.data', join(folder, `${n}`)], uid: USER }),
    );
  }
  return async () => {
    await Promise.all(started.map((one) => one.stop()));
  };
}

const wants = (ports: readonly number[], more = '') => `${udpConfig(ports.map((port) => `127.0.0.1:${port}`))}${more}`;
const times = <T>(count: number, make: (n: number) => T) =>
  Array.from({ length: Math.max(1, count) }, (_, n) => make(n));

const attacks: Attack[] = [
  {
    title: 'two programs that do nothing but fork',
    async start() {
      const loops = times(
        2,
        (): ChildProcess => spawn('sh', ['-c', 'while :; do (:); done'], { uid: USER, stdio: 'ignore' }),
      );
      return async () => {
        for (const loop of loops) loop.kill('SIGKILL');
      };
    },
  },
  {
    title: '8 configurations of 860 KB',
    start: (folder, scale) => {
      const rules = '- drop_event: {when: {nonsense: {a: 1}}}\n'.repeat(20_000 * scale);
      return filebeats(
        join(folder, 'dear'),
        times(8 * scale, (n) => wants([40_000 + n], `processors:\n${rules}`)),
      );
    },
  },
  {
    title: '100 processes that look like Filebeats',
    start: (folder, scale) =>
      filebeats(
        join(folder, 'many'),
        times(100 * scale, (n) => wants([41_000 + n])),
      ),
  },
  {
    title: '13 processes with 2,000 listeners each',
    start: (folder, scale) =>
      filebeats(
        join(folder, 'wide'),
        times(13 * scale, (n) => wants(times(2000 * scale, (port) => 10_000 + n * 2000 + port))),
      ),
  },
];

/** `scale`: a fraction of the sizes. The first row is the host without attacks. */
export async function underAttack(world: World, scale: number, settle: number): Promise<UnderAttack[]> {
  const exporter = await startExporter(world.folder);
  const cost = async () => {
    for (let n = 0; n < 5; n++) await get(exporter.port);
    const costs: number[] = [];
    for (let n = 0; n < 7; n++) {
      await pause(settle / 10);
      costs.push((await scrape(exporter.pid, exporter.port)).cpu);
    }
    return median(costs);
  };
  const stops: (() => Promise<void>)[] = [];
  try {
    await pause(settle);
    // Warms up: V8 compiles during the first scrapes.
    for (let n = 0; n < (settle > 0 ? 120 : 3); n++) await get(exporter.port);
    const found: UnderAttack[] = [{ title: 'nobody attacks', cpu: await cost() }];
    for (const { title, start } of attacks) {
      const stop = await start(world.folder, scale);
      stops.push(stop);
      await pause(settle);
      found.push({ title, cpu: await cost() });
      await stop();
    }
    for (const { start } of attacks) stops.push(await start(world.folder, scale));
    await pause(settle);
    found.push({ title: 'all of it at once', cpu: await cost() });
    return found;
  } finally {
    for (const stop of stops) await stop();
    await exporter.stop();
  }
}
