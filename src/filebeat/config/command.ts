/**
 * A Filebeat command line: which program, which subcommand, which files, paths and overrides (cobra and pflag fed
 * with Go flags). What is refused differs between releases; the table is in `releases.ts`.
 */
import type { Fault } from '../../model/model.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';

/** How a process was started. `env` is undefined when it could not be read. */
export interface Command {
  /** With argv[0]. */
  argv: readonly string[];
  cwd: string;
  env: Record<string, string> | undefined;
  /** Variables that may be set to what nobody can tell; `any`: every name may be. Absent: `env` is all of it. */
  envHidden?: { any: boolean; names: readonly string[] };
  /** Effective uid. */
  uid: number;
}

/** `-E k=v` or `--path.x v`, in the order given. */
export interface Override {
  /** The whole argument, `key=value`; for path flags put together. */
  text: string;
  /** A path flag's value is taken as it stands, not parsed. */
  literal?: true;
}

export interface CommandLine {
  /** `-c` as given, repeats removed; `filebeat.yml` where there is none. */
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
  /** Inputs run inside another program and come from elsewhere. */
  | { kind: 'hosted'; program: string };

/** Names of value-taking flags and of switches. One-letter names go with one dash or two. */
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
/** Accepted by old releases only, or by new ones only. */
const HELP = new Set(['h', 'help']);

/** Basename of a path, or of argv[0] with the leading dash of a login shell left alone. */
function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Whether a command line is of a process that collects: not `test`, `export`, `setup`, …, of whatever release.
 * A line that Filebeat refuses still counts (such a process has ended, or is about to).
 */
export function isCollector(argv: readonly string[]): boolean {
  const args = basename(argv[0] ?? '') === 'agentbeat' ? argv.slice(2) : argv.slice(1);
  if (args.some((arg) => arg === '--version' || HELP.has(arg.replace(/^--?/, '')))) return false;
  // Somebody's single run over existing files: it ends by itself, and nothing is wrong when it has.
  if (args.some((arg) => /^--?once(=(true|t|1))?$/i.test(arg))) return false;
  const word = words(args.map((arg) => (/^-[^-]{2}/.test(arg) ? `-${arg}` : arg)))[0];
  return word === undefined || word === 'run' || !SUBCOMMANDS.has(word);
}

/** Reads a command line as a given release would. */
export function readCommand(argv: readonly string[], release: ReleaseVersion): ReadCommand {
  const program = basename(argv[0] ?? '').replace(/\.exe$/, '');
  if (program === 'elastic-otel-collector') return { kind: 'hosted', program };
  if (program === 'agentbeat')
    return argv[1] === 'filebeat' ? { kind: 'hosted', program } : { kind: 'other', subcommand: argv[1] ?? '' };
  let args = argv.slice(1);
  // Up to 8.16 every long word behind one dash gets a second one, flags' values included.
  if (!applies('double-dash', release)) args = args.map((arg) => (/^-[^-]./s.test(arg) ? `-${arg}` : arg));
  else if (!applies('glued-flags', release)) {
    const early = earlyRefusal(args, release);
    if (early) return early;
  }
  const found = words(args);
  const subcommand = found[0];
  if (subcommand !== undefined) {
    if (!SUBCOMMANDS.has(subcommand)) return refuse('unknown-subcommand');
    if (subcommand !== 'run') return { kind: 'other', subcommand };
  }
  return readFlags(removeWord(args, subcommand), release);
}

/**
 * From 8.17 to 9.5 Go's own flag parser sees the arguments first, up to the first word: it knows neither glued
 * letters nor switches with a value of their own.
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

/** The words that are no flags and no flags' values, as cobra picks them out to find the subcommand. */
function words(args: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') break;
    const takesNext = arg.startsWith('--')
      ? !arg.includes('=') && !SWITCHES.has(arg.slice(2)) && !HELP.has(arg.slice(2))
      : arg.startsWith('-') && arg.length === 2 && !SWITCHES.has(arg[1]!) && !HELP.has(arg[1]!);
    if (takesNext) i++;
    else if (arg !== '' && !arg.startsWith('-')) found.push(arg);
  }
  return found;
}

/** Takes the subcommand out, where it is a word and not a flag's value. */
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
      for (let rest = arg.slice(1); rest !== ''; ) {
        const name = rest[0]!;
        if (HELP.has(name)) return { kind: 'other', subcommand: 'help' };
        if (!isFlag(name, release)) return refuse('unknown-flag', `-${name}`);
        const behind = rest.slice(1);
        rest = '';
        if (behind.startsWith('=')) given.push({ name, value: behind.slice(1) });
        else if (SWITCHES.has(name)) {
          given.push({ name, value: 'true' });
          rest = behind;
        } else if (behind !== '') given.push({ name, value: behind });
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
