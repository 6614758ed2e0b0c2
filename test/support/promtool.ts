/** Runs Debian's promtool and amtool. */
import { spawnSync } from 'node:child_process';

export interface Said {
  ok: boolean;
  text: string;
}

export function run(program: 'promtool' | 'amtool', args: readonly string[], cwd?: string): Said {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  return { ok: status === 0, text: error === undefined ? stdout + stderr : error.message };
}
