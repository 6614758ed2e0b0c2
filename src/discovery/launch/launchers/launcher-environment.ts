/** Launchers that change the environment: `env`, `envdir`, `chpst`. */
import { type Environment, type Launch, type LaunchContext, unknown } from '../launch-context.js';
import { userOf } from '../users.js';
import type { Change, GivenOptions } from './launcher-options.js';

/** The words that are `NAME=value`. */
export function assignmentsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.flatMap((word) => {
      const equals = word.indexOf('=');
      return equals > 0 ? [[word.slice(0, equals), word.slice(equals + 1)]] : [];
    }),
  );
}

/** The text of a small file; undefined where it cannot be read. */
export function textOf(world: LaunchContext, path: string): string | undefined {
  const content = world.files.read(path, 1024 * 1024);
  return content.ok ? new TextDecoder().decode(content.value.bytes) : undefined;
}

/** `env [-i] [-u NAME] [-C DIR] [-S LINE] [NAME=VALUE…] PROGRAM`. */
export function becomeEnv(given: GivenOptions, launch: Launch): Change {
  const { option, all, has } = given;
  let rest = [...given.operands];
  const lines = all('S', 'split-string');
  if (lines.length > 0) {
    // The words of the line may be options again.
    const words = envWords(lines[0]!);
    if (words === undefined) return { why: 'how `env -S` splits its line is unknown', argv: rest };
    return { argv: ['env', ...words, ...rest] };
  }
  let env: Environment = { ...launch.env };
  const isEmpty = has('i', 'ignore-environment') || rest[0] === '-';
  if (rest[0] === '-') rest = rest.slice(1);
  if (isEmpty) env = {};
  for (const name of all('u', 'unset')) delete env[name];
  const program = rest.findIndex((word) => !word.includes('='));
  const assignments = program < 0 ? rest : rest.slice(0, program);
  Object.assign(env, assignmentsOf(assignments));
  const cwd = option('C', 'chdir');
  return {
    argv: rest.slice(assignments.length),
    launch: {
      env,
      ...(isEmpty ? { envIncomplete: false } : {}),
      ...(cwd === undefined ? {} : { cwd: cwd.startsWith('/') ? cwd : `${launch.cwd}/${cwd}` }),
    },
  };
}

/** A line split as `env -S` does; undefined where it expands variables. */
function envWords(line: string): string[] | undefined {
  if (/[\\$]/.test(line)) return undefined;
  return [...line.matchAll(/(?:"([^"]*)"|'([^']*)'|[^\s"']+)+/g)].map(([word]) => word.replace(/["']/g, ''));
}

/** One file for each variable, its first line is the value; an empty file unsets (envdir(8)). */
export function becomeEnvdir(
  { before, has }: GivenOptions & { before: string[] },
  launch: Launch,
  world: LaunchContext,
): Change {
  const folder = before[0] ?? '';
  const names = world.files.list(folder, 1000);
  if (!names.ok) return names.gap.reason === 'missing' && has('I') ? {} : { launch: { envIncomplete: true } };
  const env = { ...launch.env };
  for (const name of names.value) {
    if (name.startsWith('.') || name.includes('=')) continue;
    const text = textOf(world, `${folder}/${name}`);
    if (text === undefined) env[name] = unknown;
    else if (text === '') delete env[name];
    else env[name] = (has('f') ? text : text.split('\n')[0]!).replace(/[ \t]+$/, '');
  }
  return { launch: { env } };
}

export function becomeChpst(given: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const { option, all, operands: rest } = given;
  const user = option('u');
  let next: Partial<Launch> = {};
  for (const folder of all('e')) {
    const change = becomeEnvdir({ ...given, before: [folder], has: () => false }, { ...launch, ...next }, world);
    next = { ...next, ...change.launch };
  }
  if (user !== undefined) next.user = userOf(world.files, user, launch.user);
  const root = option('/');
  if (root !== undefined) Object.assign(next, { root, cwd: '/' });
  const argv0 = option('b');
  return { argv: rest, launch: { ...next, ...(argv0 === undefined ? {} : { argv: [argv0, ...rest.slice(1)] }) } };
}
