/** Side by side on one host in one run: every subject is queried once in each round, and medians are compared. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Calls,
  type Cost,
  command,
  countCalls,
  cpuOf,
  get,
  has,
  median,
  quantile,
  rssOf,
  scrape,
} from './measure.js';
import { commands, type Served, startBare, startExporter, startFloor, startProcessExporter } from './subjects.js';
import { FIRST_PORT, type World } from './world.js';

export interface Effort {
  rounds: number;
  /** Seconds between rounds: a scrape includes the work of its interval. */
  interval: number;
  /** Scrapes in a row, for percentiles and for memory. */
  scrapes: number;
  /** Number of program starts in a row. */
  starts: number;
}

/** Milliseconds and MiB. */
export interface Subject {
  title: string;
  cpu: number;
  wall: number;
  rss?: number;
}

export interface SideBySide {
  exporter: Subject;
  others: Subject[];
  /** Scrapes in a row. */
  inARow: { cpu: number; p50: number; p95: number; p99: number };
  bytes: number;
  first: { exporter: { wall: number; cpu: number }; bare: { wall: number; cpu: number } };
  rss: { atFirst: number; halfway: number; atEnd: number; bare: number };
  /** System calls of one warm scrape by kind and purpose. */
  calls?: Calls[];
}

/** Every scan checks young processes (`YOUNG_MS`). */
export const SETTLED_MS = 11_000;

/** Scrapes of an hour, one every 15 s: then V8 has compiled what it will. */
const HOUR = 240;
const LONGEST_WARM_UP_MS = 12_000;

export async function sideBySide(world: World, effort: Effort, settle: number): Promise<SideBySide> {
  const { size, folder } = world;
  const exporter = await startExporter(folder);
  const bytes = await get(exporter.port);
  const plain = 1060 * size.instances * size.ports;
  const floor = await startFloor(folder, plain);
  const bare = await startBare();
  const rivals: [title: string, served: Served][] = has('prometheus-process-exporter')
    ? [
        ['process-exporter, all processes', await startProcessExporter(folder, '.+')],
        ['process-exporter, Filebeats only', await startProcessExporter(folder, 'filebeat')],
      ]
    : [];
  const running: Served[] = [exporter, floor, bare, ...rivals.map(([, served]) => served)];
  try {
    const atFirst = rssOf(exporter.pid);
    await pause(settle);
    // Warms up: V8 compiles during the first scrapes.
    for (const { port } of [exporter, floor, bare])
      for (let n = 0; n < Math.min(effort.scrapes, HOUR); n++) await get(port);

    const costs = new Map<string, Cost[]>();
    const note = (title: string, cost: Cost) => costs.set(title, [...(costs.get(title) ?? []), cost]);
    const origins = Array.from({ length: size.ports }, (_, index) => FIRST_PORT + index);
    const lines = commands(origins).filter(([, , needs]) => has(needs));
    const servers: [title: string, served: Served][] = [
      ['exporter', exporter],
      ['a floor: reads the tables, serves a fixed page', floor],
      ...rivals,
    ];
    for (let round = 0; round < effort.rounds; round++) {
      const started = performance.now();
      const asked: [title: string, pid: number, before: number, wall: number][] = [];
      for (const [title, { pid, port }] of servers) {
        const before = cpuOf(pid);
        asked.push([title, pid, before, (await scrape(pid, port)).wall]);
      }
      for (const [title, line] of lines) note(title, command(line));
      await pause(Math.max(0, effort.interval * 1000 - (performance.now() - started)));
      // Work of a program between scrapes is part of its cost.
      for (const [title, pid, before, wall] of asked) note(title, { cpu: cpuOf(pid) - before, wall });
    }

    const calls = await countCalls(exporter.pid, async () => {
      for (let n = 0; n < 10; n++) await get(exporter.port);
    });
    const row = await inARow(exporter, effort.scrapes);
    for (let n = 0; n < effort.scrapes; n++) await get(bare.port);
    const rss = { atFirst, halfway: row.halfway, atEnd: rssOf(exporter.pid), bare: rssOf(bare.pid) };
    const rssFor: Record<string, number> = {
      exporter: rss.atEnd,
      ...Object.fromEntries(rivals.map(([title, { pid }]) => [title, rssOf(pid)])),
    };
    const subjects = [...costs].map(([title, all]): Subject => {
      const resident = rssFor[title];
      return {
        title,
        cpu: median(all.map(({ cpu }) => cpu)),
        wall: median(all.map(({ wall }) => wall)),
        ...(resident !== undefined && { rss: resident }),
      };
    });
    for (const one of running.splice(0)) await one.stop();
    return {
      exporter: subjects.find(({ title }) => title === 'exporter')!,
      others: subjects.filter(({ title }) => title !== 'exporter'),
      inARow: row,
      bytes,
      first: await starts(world, effort.starts),
      rss,
      ...(calls && { calls: calls.map((one) => ({ ...one, count: one.count / 10 })) }),
    };
  } finally {
    for (const one of running) await one.stop();
  }
}

async function inARow({ pid, port }: Served, scrapes: number) {
  const walls: number[] = [];
  const before = cpuOf(pid);
  let halfway = 0;
  for (let n = 0; n < scrapes; n++) {
    const started = performance.now();
    await get(port);
    walls.push(performance.now() - started);
    if (n === Math.floor(scrapes / 2)) halfway = rssOf(pid);
  }
  const cpu = (cpuOf(pid) - before) / scrapes;
  return { cpu, p50: quantile(walls, 0.5), p95: quantile(walls, 0.95), p99: quantile(walls, 0.99), halfway };
}

/** From exec to the first response, in turns. */
async function starts({ folder }: World, times: number): Promise<SideBySide['first']> {
  const costs = { exporter: [] as Cost[], bare: [] as Cost[] };
  for (let n = 0; n < times; n++) {
    for (const [who, start] of [
      ['exporter', () => startExporter(folder)],
      ['bare', startBare],
    ] as const) {
      const served = await start();
      costs[who].push({ cpu: cpuOf(served.pid), wall: served.firstAnswer });
      await served.stop();
    }
  }
  const middle = (all: Cost[]) => ({
    wall: median(all.map(({ wall }) => wall)),
    cpu: median(all.map(({ cpu }) => cpu)),
  });
  return { exporter: middle(costs.exporter), bare: middle(costs.bare) };
}

/** Processor milliseconds of one warm scrape, and of one `ss -lunp` if installed, at the end of `times` intervals. */
export async function warmCost(world: World, settle: number, times: number, interval: number) {
  const exporter = await startExporter(world.folder);
  try {
    await pause(settle);
    const started = performance.now();
    for (let n = 0; n < (settle > 0 ? HOUR : 3) && performance.now() - started < LONGEST_WARM_UP_MS; n++)
      await get(exporter.port);
    const costs: Cost[] = [];
    for (let n = 0; n < times; n++) {
      if (interval > 0) await pause(interval * 1000);
      costs.push(await scrape(exporter.pid, exporter.port));
    }
    const middle = (of: keyof Cost) => median(costs.map((cost) => cost[of]));
    const rival = has('ss') ? { ss: median([1, 2, 3].map(() => command('ss -lunp').cpu)) } : {};
    return { cpu: middle('cpu'), wall: middle('wall'), rss: rssOf(exporter.pid), ...rival };
  } finally {
    await exporter.stop();
  }
}
