/** One fault on this host and what the program says of it: its own memory, settings and clock of grace for each. */
import { mkdirSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Mismatch, Report } from '../../src/model/model.js';
import { createReporter } from '../../src/report/reporter.js';
import { type Clock, systemClock } from '../../src/runtime/clock.js';
import { createSnapshotTaker } from '../../src/scan/take-snapshot.js';
import { defaultSettings, type Settings } from '../../src/settings/settings.js';
import { openMemory } from '../../src/state/memory.js';
import { words } from '../../src/words/words.js';
import { line } from './build.js';
import { quietPort } from './live.js';
import { createWorld, type Filebeat, type World } from './world.js';

export interface Trial extends World {
  scan(): Promise<Report>;
  /** Settings from the next scan on. */
  settings: Settings;
  /** `filebeat`, with a home whose README says this release; the text is its whole main file. */
  release(
    name: string,
    release: string,
    text: string,
    sockets: readonly string[],
    options?: { uid?: number; pathData?: string },
  ): Promise<Filebeat>;
  /** From the next scan on, the program's clock is so many seconds ahead: a start is long ago. */
  wait(seconds: number): void;
  /** Sets a file's time stamp so many seconds before the program's now. */
  age(path: string, seconds: number): void;
}

export function createTrial(grace = 0): Trial {
  const world = createWorld('trial-');
  const { memory, state } = openMemory(join(world.folder, 'state.json'), () => undefined);
  let ahead = 0;
  const clock: Clock = {
    wall: () => systemClock.wall() + ahead,
    steady: () => systemClock.steady() + ahead,
    ahead: () => ahead,
  };
  const age = (path: string, seconds: number) => utimesSync(path, clock.wall() - seconds, clock.wall() - seconds);
  const trial: Trial = {
    ...world,
    settings: { ...defaultSettings, discovery: { ...defaultSettings.discovery, systemd: false } },
    scan: () => reporter.get(),
    wait: (seconds) => {
      ahead += seconds;
    },
    age,
    async release(name, release, text, sockets, { uid, pathData } = {}) {
      const home = join(world.folder, `home-${name}`);
      mkdirSync(home, { recursive: true });
      age(world.write(`home-${name}/README.md`, `# Welcome to Filebeat ${release}\n`), 3600);
      const config = world.write(`${name}.yml`, text);
      const data = pathData ?? join(home, 'data');
      const argv = ['filebeat', '-c', config, '--path.home', home, '--path.data', data];
      return world.filebeat(name, [], { text, argv, sockets, ...(uid === undefined ? {} : { uid, gid: uid }) });
    },
  };
  const taker = createSnapshotTaker({
    procfs: '/proc',
    rootfs: '/',
    settings: () => trial.settings,
    memory,
    state,
    clock,
    grace,
  });
  const thresholds = { receiveQueueRatio: 0.8, grace, isSingleScan: false };
  const reporter = createReporter(taker.take, { clock, freshness: 0, thresholds: () => thresholds });
  return trial;
}

const given = new Set<number>();

/** A port that the system gives to nobody by itself, and that was not given out before. */
export async function ownPort(): Promise<number> {
  const port = await quietPort();
  if (given.has(port)) return ownPort();
  given.add(port);
  return port;
}

/** Mismatches of this trial's own Filebeats and plain ports: other tests have theirs on the same host. */
export function ownMismatches({ verdict }: Report, { folder }: World): Mismatch[] {
  return verdict.mismatches.filter(({ config }) => config === undefined || config.startsWith(folder));
}

/**
 * `port_missing one udp *:9000 bind-failed`, each with what a person reads. Instances are called by their main file:
 * another test's may have the name already.
 */
export function tell(report: Report, world: World): { lines: string[]; causes: string; remedies: string } {
  const own = ownMismatches(report, world);
  const names = report.snapshot.instances
    .filter(({ config }) => config.startsWith(world.folder))
    .map(({ name, config }) => [name, basename(config, '.yml')] as const)
    .sort(([a], [b]) => b.length - a.length);
  const called = (text: string) => names.reduce((all, [name, file]) => all.replaceAll(name, file), text);
  return {
    lines: own.map((m) => called(line(m))),
    causes: called(own.map((m) => words(m).cause).join('\n')),
    remedies: called(own.map((m) => words(m).remedy).join('\n')),
  };
}
