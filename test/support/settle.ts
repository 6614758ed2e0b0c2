/**
 * Gives every file of a fixture the time stamps that a checkout loses. A scenario is read at fixed times after a fixed
 * boot (`btime` of its `proc/stat`): files are as old as the boot, except for those that `scenario.json` calls edited.
 */
import { existsSync, lutimesSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** 2026-01-01 00:00 UTC, seconds since the epoch; processes of fixtures start an hour later. */
export const bootTime = 1_767_225_600;
/** When the edited ones were. */
const editTime = bootTime + 5400;
/** When a scenario is looked at: first and last further apart than the grace and `learn_after`. */
export const lookTimes = [7200, 7400, 7600, 7610].map((seconds) => bootTime + seconds);

export interface Scenario {
  /** Below `root/`: files written after the processes started. */
  edited?: string[];
}

export function settle(fixture: string): void {
  const file = join(fixture, 'scenario.json');
  const { edited = [] } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Scenario) : {};
  // By hand: a recursive listing would follow links, and a process's `cwd` leads out of the fixture.
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
