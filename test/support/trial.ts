/** One fault on this host and the program's report, with its own state, settings and clock. */
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
  /** Starts `filebeat` with a home whose README names this release; `text`: its main file. */
  release(
    name: string,
    release: string,
    text: string,
    sockets: readonly string[],
    options?: { uid?: number; pathData?: string },
  ): Promise<Filebeat>;
  /** From the next scan on, the program's clock is `seconds` ahead, so that a start is long ago. */
  wait(seconds: number): void;
  /** Sets a file's timestamp to `seconds` before the program's clock. */
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

/** A port outside the ephemeral range that was not returned before. */
export async function ownPort(): Promise<number> {
  const port = await quietPort();
  if (given.has(port)) return ownPort();
  given.add(port);
  return port;
}

/** Mismatches of this trial's own Filebeats and plain ports, without those of other tests on the host. */
export function ownMismatches({ verdict }: Report, { folder }: World): Mismatch[] {
  return verdict.mismatches.filter(({ config }) => config === undefined || config.startsWith(folder));
}

/**
 * `port_missing one udp *:9000 bind-failed`, each with its texts. Instances are named by their main file, because another
 * test's instance may already have the name.
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
