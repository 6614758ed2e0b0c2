/**
 * From the command that a unit, an init script or a settings file names to the Filebeat that it ends in: wrapper scripts
 * (the packages' /usr/bin/filebeat), `filebeat-god`, `env`, `nice`, `sh -c` and their like.
 */

import { isCollector } from '../../filebeat/config/command.js';
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import type { Environment } from '../systemd/unit-words.js';
import { type SimpleCommand, simpleCommands, unknown } from './shell.js';

export interface StartCommand {
  argv: string[];
  cwd: string;
  env: Environment;
}

export interface LaunchContext {
  files: FileView;
  /** Basenames that are a Filebeat besides the usual ones, from the settings. */
  processNames: readonly string[];
}

/** Programs that start another one named among their arguments. */
const launchers = new Set([
  'filebeat-god',
  'env',
  'nice',
  'ionice',
  'chrt',
  'taskset',
  'numactl',
  'setpriv',
  'setsid',
  'nohup',
  'stdbuf',
  'timeout',
  'tini',
  'dumb-init',
  'catatonit',
  'runuser',
  'su',
  'sudo',
  'gosu',
  'su-exec',
  'chpst',
  'setuidgid',
  'ip',
  'nsenter',
  'unshare',
  'flock',
  'systemd-cat',
  'systemd-run',
  'start-stop-daemon',
  'daemon',
  'cgexec',
  'prlimit',
  'capsh',
  'exec',
  'start_daemon',
  'systemd-inhibit',
  'choom',
  'chroot',
  'setarch',
  'faketime',
]);
const shells = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'zsh', 'busybox']);
const scriptLimit = limits.scriptBytes;
const maxDepth = 5;

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Does this program with these arguments (without argv[0]) run a Filebeat by its name alone? */
export function isFilebeatProgram(program: string, args: readonly string[], names: readonly string[]): boolean {
  const base = baseName(program);
  const usual = base === 'filebeat' || base === 'filebeat-oss' || base === 'elastic-otel-collector';
  return usual || names.includes(base) || (base === 'agentbeat' && args[0] === 'filebeat');
}

/**
 * The Filebeat command that `program` with `start.argv` ends in, undefined when it runs none, `'unclear'` when a script
 * does but only running it could tell how.
 */
export function findFilebeat(
  program: string,
  start: StartCommand,
  context: LaunchContext,
  depth = 0,
): StartCommand | 'unclear' | undefined {
  if (depth > maxDepth || start.argv.length === 0) return undefined;
  const args = start.argv.slice(1);
  const base = baseName(program);
  if (shells.has(base)) return throughShell(start, context, depth);
  const named = isFilebeatProgram(program, args, context.processNames);
  if (named || !launchers.has(base)) {
    const script = readScript(program, start, context);
    const found = script === undefined ? undefined : inScript(script, start, context, depth);
    if (found !== undefined || !named) return found;
    return isCollector(start.argv) ? start : undefined;
  }
  return throughLauncher(start, context, depth);
}

/** `start-stop-daemon --start --exec PROGRAM … -- ARGUMENTS`; its other actions start nothing. */
function startStopDaemon(start: StartCommand): StartCommand | undefined {
  const end = start.argv.indexOf('--');
  const options = end < 0 ? start.argv : start.argv.slice(0, end);
  const option = (...flags: string[]) => {
    for (const [at, word] of options.entries()) {
      if (flags.includes(word)) return options[at + 1];
      const glued = flags.find((flag) => flag.startsWith('--') && word.startsWith(`${flag}=`));
      if (glued) return word.slice(glued.length + 1);
    }
    return undefined;
  };
  const program = option('--startas', '-a') ?? option('--exec', '-x');
  if (program === undefined || !(options.includes('--start') || options.includes('-S'))) return undefined;
  const argv = [program, ...(end < 0 ? [] : start.argv.slice(end + 1))];
  return { ...start, argv, cwd: option('--chdir', '-d') ?? start.cwd };
}

/** The word that names the program: one with a slash, else the last bare one (`gosu filebeat filebeat -e`). */
function throughLauncher(start: StartCommand, context: LaunchContext, depth: number) {
  if (baseName(start.argv[0]!) === 'start-stop-daemon') {
    const inner = startStopDaemon(start);
    return inner && findFilebeat(inner.argv[0]!, inner, context, depth + 1);
  }
  // `su - filebeat -c "filebeat …"`: the line is the command, and the bare word is a user.
  const line = shellLineOf(start.argv);
  if (line !== undefined) return inScript(line, { ...start, argv: [start.argv[0]!] }, context, depth);
  const names = (word: string, at: number) =>
    isFilebeatProgram(word, start.argv.slice(at + 1), context.processNames) ||
    shells.has(baseName(word)) ||
    (at > 0 && launchers.has(baseName(word)));
  const slashed = start.argv.findIndex((word, at) => at > 0 && word.startsWith('/') && names(word, at));
  const bare = start.argv.findLastIndex((word, at) => at > 0 && names(word, at));
  const at = slashed > 0 ? slashed : bare;
  const env = { ...start.env };
  for (const word of start.argv.slice(1, Math.max(at, 1))) {
    const assignment = /^([A-Za-z_]\w*)=(.*)$/s.exec(word);
    if (assignment) env[assignment[1]!] = assignment[2]!;
  }
  if (at > 0) {
    const argv = start.argv.slice(at);
    if (holdsLine(argv, context)) return 'unclear';
    return findFilebeat(argv[0]!, { ...start, env, argv }, context, depth + 1);
  }
  // `daemon "filebeat …"`: the command is one word.
  const whole = start.argv.slice(1).find((word) => /\s/.test(word));
  return whole === undefined ? undefined : inScript(whole, { ...start, argv: [start.argv[0]!] }, context, depth);
}

/** Programs that take a whole shell line behind `-c`. */
const takesLine = new Set(['su', 'runuser', 'flock', 'script']);

function shellLineOf(argv: readonly string[]): string | undefined {
  if (!takesLine.has(baseName(argv[0]!))) return undefined;
  const at = argv.findIndex((word) => /^-\w*c$/.test(word) || word === '--command' || word === '--session-command');
  return at < 0 ? argv.find((word) => word.startsWith('--command='))?.slice(10) : argv[at + 1];
}

/** What stands where a configuration file should is a command line of its own: another program's argument was taken for a Filebeat. */
function holdsLine(argv: readonly string[], { files }: LaunchContext): boolean {
  return argv.some((word, at) => argv[at - 1] === '-c' && /\s/.test(word) && !files.stat(word).ok);
}

function throughShell(start: StartCommand, context: LaunchContext, depth: number) {
  const at = start.argv.findIndex((word, index) => index > 0 && /^-\w*c$/.test(word));
  if (at > 0 && start.argv[at + 1] !== undefined) {
    return inScript(start.argv[at + 1]!, { ...start, argv: start.argv.slice(at + 2) }, context, depth);
  }
  const file = start.argv.findIndex((word, index) => index > 0 && !word.startsWith('-'));
  if (file < 0) return undefined;
  const inner = { ...start, argv: start.argv.slice(file) };
  const script = readScript(inner.argv[0]!, inner, context, true);
  return script === undefined ? undefined : inScript(script, inner, context, depth);
}

function readScript(program: string, start: StartCommand, context: LaunchContext, any = false): string | undefined {
  const path = program.startsWith('/') ? program : `${start.cwd}/${program}`;
  const stat = context.files.stat(path);
  if (!stat.ok || stat.value.kind !== 'file' || stat.value.size > scriptLimit) return undefined;
  const content = context.files.read(path, scriptLimit);
  if (!content.ok) return undefined;
  const text = new TextDecoder().decode(content.value.bytes);
  return any || /^#!\s*\S*\b(?:env\s+)?(?:ba|da|a|k|z)?sh\b/.test(text) ? text : undefined;
}

function inScript(script: string, start: StartCommand, context: LaunchContext, depth: number) {
  // Most scripts have nothing to do with Filebeat, and say no word of it: reading them closely is saved.
  const words = [...context.processNames, 'filebeat', 'agentbeat', 'elastic-otel-collector'];
  const said = [script, ...start.argv, ...Object.values(start.env)];
  if (!said.some((text) => words.some((word) => text.includes(word)))) return undefined;
  const source = (path: string) => {
    const content = context.files.read(path, scriptLimit);
    return content.ok ? new TextDecoder().decode(content.value.bytes) : undefined;
  };
  const commands = simpleCommands(script, { env: start.env, args: start.argv, source });
  return pickFilebeat(commands, start, context, depth);
}

/** The first of a script's commands that runs a Filebeat as a collector. */
export function pickFilebeat(
  commands: readonly SimpleCommand[],
  start: StartCommand,
  context: LaunchContext,
  depth = 0,
): StartCommand | 'unclear' | undefined {
  let unclear = false;
  for (const { words, env, cwd } of commands) {
    if (words.length === 0 || words[0]!.includes(unknown)) continue;
    const inner = { argv: words, env, cwd: cwd ?? start.cwd };
    const found = findFilebeat(words[0]!, inner, context, depth + 1);
    if (found === undefined) continue;
    if (found === 'unclear' || found.argv.some((word) => word.includes(unknown)) || found.cwd.includes(unknown))
      unclear = true;
    else return found;
  }
  return unclear ? 'unclear' : undefined;
}
