/**
 * A Filebeat command line: program, subcommand, files, paths and overrides, as cobra and pflag parse them (with Go's
 * flags added). Releases refuse different flags; see `releases/release-rules.ts`.
 */
import type { Fault } from '../../model/model.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';

/** How a process was started. `env` is undefined when it could not be read. */
export interface Command {
  /** With argv[0]. */
  argv: readonly string[];
  cwd: string;
  env: Record<string, string> | undefined;
  /** Names of variables with unknown values; `any`: there may be more of any name. Absent: `env` is complete. */
  envHidden?: { any: boolean; names: readonly string[] };
  /** Effective uid. */
  uid: number;
}

/** `-E k=v` or `--path.x v`, in the order given. */
export interface Override {
  /** `key=value`; for a path flag made of its name and value. */
  text: string;
  /** The value is used as it is, not parsed: a path flag. */
  literal?: true;
}

/** The flags of `filebeat run`. */
export interface CommandLine {
  /** Values of `-c` without duplicates; by default `filebeat.yml`. */
  configFiles: string[];
  overrides: Override[];
  /** `-M module.fileset.key=value`. */
  moduleOverrides: string[];
  /** `--modules a,b`. */
  modules: string[];
  strictPerms: boolean;
  once: boolean;
  pathHome: string | undefined;
  pathConfig: string | undefined;
}

export type ReadCommand =
  | { kind: 'run'; line: CommandLine }
  /** Filebeat refuses the command line. */
  | { kind: 'exits'; fault: Fault }
  /** Ends by itself or serves something else: `test`, `export`, `version`, … */
  | { kind: 'other'; subcommand: string }
  /** Inputs run inside another program, which gets their configuration from elsewhere. */
  | { kind: 'hosted'; program: string };

/** Flags that take a value. One-letter names may have one dash or two. */
const VALUE_FLAGS = new Set([
  'c',
  'E',
  'M',
  'd',
  'path.home',
  'path.config',
  'path.data',
  'path.logs',
  'environment',
  'modules',
  'cpuprofile',
  'memprofile',
  'httpprof',
]);
const SWITCHES = new Set(['e', 'v', 'N', 'once', 'strict.perms']);
const SUBCOMMANDS = new Set([
  'run',
  'test',
  'export',
  'setup',
  'modules',
  'keystore',
  'generate',
  'version',
  'help',
  'completion',
  'enroll',
  '__complete',
  '__completeNoDesc',
]);
const HELP = new Set(['h', 'help']);

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * True for a process that collects logs, in any release; false for `test`, `export`, `setup`, ….
 * True also for a command line that Filebeat refuses (the process ends soon).
 */
export function isCollector(argv: readonly string[]): boolean {
  const args = basename(argv[0] ?? '') === 'agentbeat' ? argv.slice(2) : argv.slice(1);
  if (args.some((arg) => arg === '--version' || HELP.has(arg.replace(/^--?/, '')))) return false;
  // A single run over existing files ends by itself; its end is no fault.
  if (args.some((arg) => /^--?once(=(true|t|1))?$/i.test(arg))) return false;
  const word = words(args.map((arg) => (/^-[^-]{2}/.test(arg) ? `-${arg}` : arg)))[0];
  return word === undefined || word === 'run' || !SUBCOMMANDS.has(word);
}

/** Parses a command line as the given release does. */
export function readCommand(argv: readonly string[], release: ReleaseVersion): ReadCommand {
  const program = basename(argv[0] ?? '').replace(/\.exe$/, '');
  if (program === 'elastic-otel-collector') return { kind: 'hosted', program };
  if (program === 'agentbeat')
    return argv[1] === 'filebeat' ? { kind: 'hosted', program } : { kind: 'other', subcommand: argv[1] ?? '' };
  let args = argv.slice(1);
  // Up to 8.16 Filebeat adds a second dash to every long word with one dash, even if it is a flag's value.
  if (!applies('double-dash', release)) args = args.map((arg) => (/^-[^-]./s.test(arg) ? `-${arg}` : arg));
  else if (!applies('glued-flags', release)) {
    const early = earlyRefusal(args, release);
    if (early) return early;
  }
  const [subcommand] = words(args);
  if (subcommand !== undefined) {
    if (!SUBCOMMANDS.has(subcommand)) return refuse('unknown-subcommand');
    if (subcommand !== 'run') return { kind: 'other', subcommand };
  }
  return readFlags(removeWord(args, subcommand), release);
}

/**
 * From 8.17 to 9.5 Go's own flag parser reads the arguments first, up to the first word. It knows neither combined
 * letters nor switches with a separate value.
 */
function earlyRefusal(args: readonly string[], release: ReleaseVersion): ReadCommand | undefined {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--' || arg === '-' || !arg.startsWith('-')) return undefined;
    const name = arg.replace(/^--?/, '').split('=', 1)[0]!;
    if (HELP.has(name)) return { kind: 'other', subcommand: 'help' };
    if (!isFlag(name, release)) return refuse('unknown-flag', arg.startsWith('--') ? `--${name}` : undefined);
    if (!SWITCHES.has(name) && !arg.includes('=')) i++;
  }
  return undefined;
}

/** The arguments that are neither flags nor values of flags, as cobra finds the subcommand. */
function words(args: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') break;
    const takesNext = arg.startsWith('--')
      ? !arg.includes('=') && !SWITCHES.has(arg.slice(2)) && !HELP.has(arg.slice(2))
      : arg.startsWith('-') && arg.length === 2 && !SWITCHES.has(arg[1]!) && !HELP.has(arg[1]!);
    if (takesNext) i++;
    else if (arg !== '' && !arg.startsWith('-')) result.push(arg);
  }
  return result;
}

/** Removes the subcommand, but not a flag's value of the same name. */
function removeWord(args: readonly string[], word: string | undefined): string[] {
  if (word === undefined) return [...args];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === word && words(args.slice(0, i + 1)).length === 1) return args.filter((_, index) => index !== i);
  }
  return [...args];
}

function isFlag(name: string, release: ReleaseVersion): boolean {
  if (name === 'hostname') return applies('hostname-flag', release);
  if (name === 'plugin') return !applies('plugin-flag-removed', release);
  return VALUE_FLAGS.has(name) || SWITCHES.has(name);
}

function readFlags(args: readonly string[], release: ReleaseVersion): ReadCommand {
  const given: { name: string; value: string }[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') break;
    if (arg.startsWith('--')) {
      const [, name = '', value] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
      if (HELP.has(name)) return { kind: 'other', subcommand: 'help' };
      if (!isFlag(name, release)) return refuse('unknown-flag', `--${name}`);
      if (SWITCHES.has(name)) given.push({ name, value: value ?? 'true' });
      else if (value !== undefined) given.push({ name, value });
      else if (i + 1 < args.length) given.push({ name, value: args[++i]! });
      else return refuse('flag-without-value', `--${name}`);
    } else if (arg.startsWith('-') && arg.length > 1) {
      for (let letters = arg.slice(1); letters !== ''; ) {
        const name = letters[0]!;
        if (HELP.has(name)) return { kind: 'other', subcommand: 'help' };
        if (!isFlag(name, release)) return refuse('unknown-flag', `-${name}`);
        const following = letters.slice(1);
        letters = '';
        if (following.startsWith('=')) given.push({ name, value: following.slice(1) });
        else if (SWITCHES.has(name)) {
          given.push({ name, value: 'true' });
          letters = following;
        } else if (following !== '') given.push({ name, value: following });
        else if (i + 1 < args.length) given.push({ name, value: args[++i]! });
        else return refuse('flag-without-value', `-${name}`);
      }
    }
  }
  return collect(given);
}

function collect(given: readonly { name: string; value: string }[]): ReadCommand {
  const line: CommandLine = {
    configFiles: [],
    overrides: [],
    moduleOverrides: [],
    modules: [],
    strictPerms: true,
    once: false,
    pathHome: undefined,
    pathConfig: undefined,
  };
  for (const { name, value } of given) {
    if (SWITCHES.has(name)) {
      const on = /^(?:1|t|T|true|TRUE|True)$/.test(value);
      if (!on && !/^(?:0|f|F|false|FALSE|False)$/.test(value)) return refuse('bad-flag-value', `--${name}`);
      if (name === 'once') line.once = on;
      if (name === 'strict.perms') line.strictPerms = on;
    } else if (name === 'c') {
      if (!line.configFiles.includes(value)) line.configFiles.push(value);
    } else if (name === 'E') {
      line.overrides.push({ text: value });
    } else if (name === 'M') {
      line.moduleOverrides.push(value);
    } else if (name === 'modules') {
      line.modules = value === '' ? [] : value.split(',');
    } else if (name.startsWith('path.')) {
      if (value !== '') line.overrides.push({ text: `${name}=${value}`, literal: true });
      if (name === 'path.home') line.pathHome = value;
      if (name === 'path.config') line.pathConfig = value;
    }
  }
  if (line.configFiles.length === 0) line.configFiles.push('filebeat.yml');
  return { kind: 'run', line };
}

function refuse(code: string, subject?: string): ReadCommand {
  return { kind: 'exits', fault: { code, at: { file: 'command line' }, ...(subject ? { subject } : {}) } };
}
