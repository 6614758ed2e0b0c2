/** Debian's promtool and amtool for the tests: what they say, and whether a test can do without them. */
import { spawnSync } from 'node:child_process';

export interface Said {
  ok: boolean;
  text: string;
}

export function run(program: 'promtool' | 'amtool', args: readonly string[], cwd?: string): Said {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  return { ok: status === 0, text: error === undefined ? stdout + stderr : error.message };
}

/** For a test's `skip`: a reason where the program is not installed; never in CI, where its absence is a failure. */
export function without(program: 'promtool' | 'amtool'): string | false {
  if (process.env['CI'] || run(program, ['--version']).ok) return false;
  return `${program} is not installed`;
}
