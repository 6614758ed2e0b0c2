/** Requirements of a test on the machine, for `it(title, need, …)` and `describe`. */
import { spawnSync } from 'node:child_process';

export interface Need {
  skip?: string;
}

/** Skips the test with a reason. In CI it runs anyway, and fails if something is missing. */
export function needs(what: string, isThere: () => boolean): Need {
  return process.env['CI'] || isThere() ? {} : { skip: `needs ${what}` };
}

const works = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;

export const isRoot = process.getuid?.() === 0;

export const needsProgram = (name: string): Need =>
  needs(name, () => spawnSync(name, ['--version']).error === undefined);
export const needsRoot = needs('root', () => isRoot);
export const needsStrace = needs('strace, and leave to trace', () => works('strace', '-o', '/dev/null', 'true'));
/** Root, mostly. */
export const rootOnly = needs('root, and leave to make namespaces', () => works('unshare', '-n', '-m', 'true'));
