/** How a shell is started: its options, its script and its dialect. */
import type { Dialect } from '../shell/parser/shell-tree.js';
import { runShell } from '../shell/shell-run.js';
import {
  absolute,
  baseName,
  ended,
  isKnown,
  type Launch,
  type LaunchContext,
  namesFilebeat,
  type Outcome,
  unclear,
} from './launch-context.js';
import type { Change } from './launchers/launcher-options.js';
import { contentOf } from './programs.js';

/** Runs a line as `sh -c` does. */
export function shellLine(
  { text, shell: path = '/bin/sh', args = [], login = false }: NonNullable<Change['line']>,
  launch: Launch,
  world: LaunchContext,
): Outcome {
  const dialect = dialectOf(path, world);
  if (dialect === undefined || dialect === 'other')
    return namesFilebeat(text, world) ? unclear(path, 'the lines of this shell are not understood', world) : ended;
  if (!isKnown(text)) return unclear(path, 'which line a shell runs is known only at run time', world, text);
  const [name = path, ...rest] = args;
  const inFolder = world.files.stat(launch.cwd);
  // A login shell stays where it is if the home directory is missing: in `/` for a service.
  const cwd = login && !inFolder.ok && inFolder.gap.reason === 'missing' ? '/' : launch.cwd;
  return runShell(text, { ...launch, cwd }, world, { dialect, name, args: rest, login });
}

const longOptions: Record<string, string> = { errexit: 'e', allexport: 'a', nounset: 'u', noglob: 'f' };

interface ShellOptions {
  /** Option letters, as for `set`. */
  letters: string;
  login: boolean;
  /** The words after the options. */
  operands: string[];
}

function shellOptions(argv: readonly string[]): ShellOptions {
  const words = argv.slice(1);
  let letters = '';
  let login = argv[0]!.startsWith('-');
  let at = 0;
  for (; /^[-+]./.test(words[at] ?? ''); at += 1) {
    const word = words[at]!;
    if (word === '--') {
      at += 1;
      break;
    }
    if (word.startsWith('--')) {
      if (word === '--login') login = true;
      if (word === '--rcfile' || word === '--init-file') at += 1;
      continue;
    }
    if (word.startsWith('-')) letters += word.slice(1);
    if (/[oO]$/.test(word)) {
      const name = words[++at] ?? '';
      letters += Object.hasOwn(longOptions, name) ? longOptions[name] : '';
    }
  }
  return { letters, login: login || letters.includes('l'), operands: words.slice(at) };
}

/** `sh [-e] [-o NAME] -c LINE [NAME ARGUMENTS]`, `sh FILE ARGUMENTS`, `sh -s <<EOF`. */
export function shell(dialect: Dialect | 'other', launch: Launch, world: LaunchContext): Outcome {
  const { letters: options, login, operands: rest } = shellOptions(launch.argv);
  if (dialect === 'other') {
    const isSaid = rest.some((word) => namesFilebeat(word, world));
    return isSaid ? unclear(launch.program, 'the scripts of this shell are not understood', world) : ended;
  }
  if (options.includes('c')) {
    const [text, name = launch.argv[0]!, ...args] = rest;
    if (text === undefined) return ended;
    if (isKnown(text) && !mayConcern(text, launch, world)) return ended;
    if (!isKnown(text))
      return unclear(launch.program, 'which line a shell runs is known only at run time', world, text);
    return runShell(text, launch, world, { dialect, name, args, options, login });
  }
  const [file, ...args] = rest;
  if (options.includes('s') || file === undefined) {
    if (launch.input === undefined) return ended;
    const inputs = file === undefined ? [] : [file, ...args];
    return runShell(launch.input, launch, world, { dialect, name: launch.argv[0]!, args: inputs, options });
  }
  const path = absolute(file, launch.cwd);
  const content = isKnown(path) ? contentOf(path, world) : { kind: 'program' as const };
  if (content.kind === 'program') {
    return namesFilebeat(file, world) ? unclear(file, 'a script that cannot be read starts it', world) : ended;
  }
  world.read.add(path);
  if (!mayConcern(content.text, launch, world)) return ended;
  return runShell(content.text, launch, world, { dialect, name: file, args, options, login });
}

/** Whether a script may start a Filebeat. Most do not name one, and need not be parsed. */
function mayConcern(text: string, launch: Launch, world: LaunchContext): boolean {
  if (/^[ \t]*(?:\.|source)\s/m.test(text) || world.always) return true;
  const texts = [text, ...launch.argv, ...Object.values(launch.env)];
  return texts.some((one) => namesFilebeat(one, world)) || text.includes('systemctl');
}

/** Runs a script by its interpreter; one without `#!` by the shell that starts it. */
export function runScript(
  content: { kind: 'script' | 'text'; text: string; interpreter?: string; argument?: string },
  path: string,
  launch: Launch,
  world: LaunchContext,
): Outcome {
  world.read.add(absolute(path, launch.cwd));
  const args = launch.argv.slice(1);
  if (!mayConcern(content.text, launch, world)) return ended;
  if (content.kind === 'text') {
    return runShell(content.text, launch, world, { dialect: 'posix', name: launch.program, args });
  }
  const interpreter = content.interpreter!;
  const argv = [interpreter, ...(content.argument === undefined ? [] : [content.argument]), path, ...args];
  return world.follow({ ...launch, argv, program: interpreter, depth: launch.depth + 1, byShell: false }, world);
}

const shells: Record<string, Dialect | 'other'> = {
  sh: 'posix',
  dash: 'posix',
  ash: 'posix',
  bash: 'bash',
  rbash: 'bash',
  ksh: 'bash',
  ksh93: 'bash',
  mksh: 'bash',
  lksh: 'bash',
  zsh: 'other',
  fish: 'other',
  csh: 'other',
  tcsh: 'other',
};

/** The dialect of a shell, for `sh` that of the program it links to; undefined where the program is not a shell. */
export function dialectOf(program: string, world: LaunchContext): Dialect | 'other' | undefined {
  const base = baseName(program).replace(/^-/, '');
  if (!Object.hasOwn(shells, base)) return undefined;
  if (base !== 'sh') return shells[base];
  const real = world.files.resolve(program.includes('/') ? program : '/bin/sh');
  return (real.ok ? shells[baseName(real.value)] : undefined) ?? 'posix';
}
