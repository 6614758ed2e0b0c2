/**
 * Restores the timestamps of a fixture's files, which a checkout loses. A scenario is read at fixed times after a fixed
 * boot (`btime` of its `proc/stat`): files have the time of the boot, except those that `scenario.json` lists as edited.
 */
import { existsSync, lutimesSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** 2026-01-01 00:00 UTC, seconds since the epoch; processes of fixtures start an hour later. */
export const bootTime = 1_767_225_600;
/** Time of the edited files. */
const editTime = bootTime + 5400;
/** Times of the scans of a scenario: first and last are further apart than the grace period and `learn_after`. */
export const lookTimes = [7200, 7400, 7600, 7610].map((seconds) => bootTime + seconds);

export interface Scenario {
  /** Below `root/`: files written after the processes started. */
  edited?: string[];
}

export function settle(fixture: string): void {
  const file = join(fixture, 'scenario.json');
  const { edited = [] } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Scenario) : {};
  // Not recursive readdir, which would follow links: a process's `cwd` leads out of the fixture.
  const visit = (below: string) => {
    for (const entry of readdirSync(join(fixture, 'root', below), { withFileTypes: true })) {
      const name = join(below, entry.name);
      if (entry.isDirectory()) visit(name);
      const time = edited.includes(name) ? editTime : bootTime;
      lutimesSync(join(fixture, 'root', name), time, time);
    }
  };
  visit('');
}
