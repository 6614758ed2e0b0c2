/**
 * A command line, an environment and the files → every socket that this Filebeat will ask for, or the one reason why
 * it would not start. Follows the order in which Filebeat itself proceeds. Never throws, never waits.
 */
import { posix } from 'node:path';
import { endpointKey } from '../model/endpoint.js';
import type { Fault, Gap, Listener, Prediction, Refusal, Release } from '../model/model.js';
import { type Command, type CommandLine, type ReadCommand, readCommand } from './config/command.js';
import { declaredByFiles } from './config/declared-listeners.js';
import { effectivePaths, loadMain, readOverrides } from './config/main-file.js';
import type { ModuleSource } from './config/module-inputs.js';
import { predictSection } from './config/section.js';
import { detectRelease, type Running } from './detect-release.js';
import type { FileView } from './files/file-view.js';
import { frozenView } from './files/frozen-view.js';
import type { Reading } from './files/load.js';
import { notingUnread } from './files/unread.js';
import { refusal } from './inputs/refusal.js';
import { nameTables } from './net/name-tables.js';
import { checkProcessors } from './processors/processors.js';
import { applies, newestRelease, parseRelease, type ReleaseVersion } from './releases/releases.js';
import type { StartContext } from './start/start-context.js';
import { startFault } from './start/start-fault.js';
import { statsEndpoint } from './start/stats-endpoint.js';
import { type Clash, treeFromYaml } from './tree/build.js';
import { get, toBool, toText } from './tree/read.js';
import type { Tree } from './tree/tree.js';
import type { Scope } from './tree/variables.js';

export interface PredictOptions {
  /** Overrides what the files say: `8.19.21`. */
  release?: string;
  /** Of a process that runs: files that changed under it tell of the next start. */
  running?: Running;
  /** Filesets are those that this program knows of the release, whatever lies in the home (what another release would have). */
  filesetsFromTable?: boolean;
  /** The release whose module folder lies in the home, when another one is declared about: what differs comes from the table. */
  installed?: string;
}

/** Reads nothing but `files`, and keeps nothing between calls; who predicts several times from one look hands in `isSingleScan(files)`. */
export function predict(command: Command, given: FileView, options: PredictOptions = {}): Prediction {
  const files = frozenView(given);
  const first = predictOnce(command, files, options, false);
  const [clash] = first.clashes;
  if (!clash) return first.prediction;
  // Two spellings of one setting: Filebeat takes them in random order. Unless that makes no difference, nothing is known.
  const second = predictOnce(command, files, options, true);
  if (outcomeKey(first.prediction) === outcomeKey(second.prediction)) return first.prediction;
  const reason = { code: 'ambiguous-setting', subject: clash.path, at: clash.at };
  return { ...first.prediction, outcome: 'ambiguous', reason, listeners: [] };
}

function outcomeKey({ outcome, listeners }: Prediction): string {
  const sockets = listeners.map(({ protocol, address, port, target }) =>
    JSON.stringify([protocol, address, port, target]),
  );
  return [outcome, ...sockets.sort()].join('\n');
}

interface Once {
  prediction: Prediction;
  clashes: Clash[];
}

function predictOnce(command: Command, files: FileView, options: PredictOptions, reversed: boolean): Once {
  const home = likelyHome(command);
  const once = predictIn(home, command, files, options, reversed);
  const { paths, release } = once.prediction;
  if (paths.home === home || release.source !== 'assumed') return once;
  // The home is named in the file alone, and only there can the release be told.
  const there = detectRelease(paths.home, files, options.running, programOf(command));
  return there.release.version ? predictIn(paths.home, command, files, options, reversed) : once;
}

/** `home` is where the release is looked for. */
function predictIn(home: string, command: Command, files: FileView, options: PredictOptions, reversed: boolean): Once {
  const release = options.release
    ? { release: { version: options.release, source: 'option' } as Release, gaps: [] }
    : detectRelease(home, files, options.running, programOf(command));
  const version = (release.release.version && parseRelease(release.release.version)) || newestRelease;
  const installed = options.installed === undefined ? undefined : parseRelease(options.installed);
  const reading: Reading = {
    files,
    release: version,
    ...(installed ? { installed } : {}),
    rules: {
      maxIndex: applies('index-limit', version) ? 1024 : Number.MAX_SAFE_INTEGER,
      ...(reversed ? { reversed } : {}),
    },
    strictUid: undefined,
    seen: [],
    gaps: [...release.gaps],
    clashes: [],
    ignored: [],
  };
  const paths = { home, config: home, data: posix.join(home, 'data'), logs: posix.join(home, 'logs') };
  const empty: Prediction = {
    outcome: 'runs',
    listeners: [],
    faults: [],
    files: reading.seen,
    release: release.release,
    paths,
    gaps: reading.gaps,
  };
  const partial = run(command, readCommand(command.argv, version), reading, options);
  const whole = { ...empty, ...partial };
  const isReported = ({ code, at }: Fault) =>
    whole.faults.some((one) => one.code === code && one.at?.file === at?.file && one.at?.line === at?.line);
  // Without listeners it is a warning: whether anything is lost is not known.
  const more = reading.ignored.flatMap(({ fault }) => (isReported(fault) ? [] : [{ ...fault, costs: [] }]));
  const prediction = more.length === 0 ? whole : { ...whole, faults: [...whole.faults, ...more] };
  return { prediction, clashes: reading.clashes };
}

/** Absolute, or not known: a bare name was looked for in a PATH. */
function programOf({ argv, cwd }: Command): string | undefined {
  const [program = ''] = argv;
  return program.includes('/') ? posix.resolve(cwd, program) : undefined;
}

/** The home as far as the command line tells, whatever release reads it. */
function likelyHome({ argv, cwd }: Command): string {
  let home = posix.dirname(argv[0] ?? '');
  for (const [index, arg] of argv.entries()) {
    const flag = /^--?path\.home(?:=([\s\S]*))?$/.exec(arg);
    const override = /^path\.home=([\s\S]+)$/.exec(arg);
    const stated = flag ? (flag[1] ?? argv[index + 1]) : override?.[1];
    if (stated) home = stated;
  }
  return posix.resolve(cwd, home);
}

type Partial_ = Partial<Prediction>;

function exits(reason: Fault, rest: Partial_ = {}): Partial_ {
  return { ...rest, outcome: 'exits', reason };
}

/** For a fault that Filebeat finds before it comes to its inputs. */
function exitsAtOnce(reason: Fault, rest: Partial_ = {}): Partial_ {
  return exits({ ...reason, atOnce: true }, rest);
}

function run(command: Command, read: ReadCommand, reading: Reading, options: PredictOptions): Partial_ {
  const commandLine = { file: 'command line' };
  switch (read.kind) {
    case 'exits':
      return exitsAtOnce(read.fault);
    case 'other':
      return exits({ code: 'not-a-collector', subject: read.subcommand, at: commandLine });
    case 'hosted':
      return {
        ...hostedPaths(command, reading),
        outcome: 'dynamic',
        reason: { code: 'hosted', subject: read.program, at: commandLine },
      };
    default:
      return runLine(command, read.line, reading, options);
  }
}

function scopeOf(command: Command, release: ReleaseVersion, reading: Reading): Scope {
  return {
    env: command.env,
    envHidden: command.envHidden,
    keystore: false,
    envObjects: !applies('env-no-objects', release),
    envTrims: applies('env-trims-numbers', release),
    envDots: applies('env-dots', release),
    tree: reading.rules,
  };
}

function runLine(
  command: Command,
  line: CommandLine,
  reading: Reading,
  { filesetsFromTable: fromTable = false, running }: PredictOptions,
): Partial_ {
  const { release } = reading;
  const scope = scopeOf(command, release, reading);
  const strict = line.strictPerms && command.env?.['BEAT_STRICT_PERMS'] !== 'false';
  reading.strictUid = strict ? command.uid : undefined;
  const overrides = readOverrides(line.overrides, scope, reading);
  if (!overrides.ok) return exitsAtOnce(overrides.fault);
  const moduleOverrides = readOverrides(
    line.moduleOverrides.map((text) => ({ text })),
    scope,
    reading,
  );
  if (!moduleOverrides.ok) return exitsAtOnce({ ...moduleOverrides.fault, subject: '-M' });
  const managed = isManaged(overrides.tree, scope);
  const main = loadMain(
    { ...line, configFiles: managed ? [] : line.configFiles },
    homeArgument(command.argv),
    command.cwd,
    overrides.tree,
    scope,
    reading,
  );
  const { mainFiles } = main;
  if (main.kind !== 'tree') {
    const rest = { mainFiles, ...statedPaths(command, line, reading) };
    return main.kind === 'fault' ? exitsAtOnce(main.fault, rest) : { ...rest, outcome: 'unknown', reason: main.fault };
  }
  const found = effectivePaths(main.tree, command.cwd, scope);
  if (!found.ok) return exitsAtOnce(found.fault, { mainFiles });
  const { paths } = found;
  const known = { mainFiles, paths };
  if (managed) return { ...known, outcome: 'dynamic', reason: { code: 'managed', at: { file: 'command line' } } };
  // What a process that runs has read at its start, it could read.
  const unclear = running === undefined ? (gap: Gap) => noteOnce(gap, reading.gaps) : undefined;
  const files = unclear === undefined ? reading.files : notingUnread(reading.files, unclear);
  scope.keystore = mayHaveKeystore(main.tree, paths.data, scope, files, reading.seen);
  const names = nameTables(reading.files, (gap) => reading.gaps.push(gap));
  const context: StartContext = {
    release,
    scope,
    names,
    files,
    silentFiles: reading.files,
    paths,
    cwd: command.cwd,
    logAsFilestream: featureOn(main.tree, 'features.log_input_run_as_filestream.enabled', scope),
    ...(reading.strictUid === undefined ? {} : { strictUid: reading.strictUid }),
    ...(unclear === undefined ? {} : { unclear }),
  };
  const fault = startFault(main.tree, context);
  const processors = checkProcessors(main.tree, context).used;
  if (processors) context.processorFault = processors.fault;
  const endpoint = statsEndpoint(main.tree, context);
  const source = { paths, overrides: moduleOverrides.tree, context, reading, fromTable };
  const declared = (): Pick<Prediction, 'declared'> => {
    if (running === undefined) return {};
    const all = declaredByFiles(main.tree, line.modules, source);
    return { declared: { ...all, listeners: [...(endpoint.listener ? [endpoint.listener] : []), ...all.listeners] } };
  };
  if (fault) return exitsAtOnce(fault, { ...known, ...declared() });
  if (endpoint.fault) return exitsAtOnce(endpoint.fault, { ...known, ...declared() });
  const section = predictSection(main.tree, line, moduleOverrides.tree, paths, context, reading, fromTable);
  const listeners = [...(endpoint.listener ? [endpoint.listener] : []), ...(section.listeners ?? [])];
  if (section.outcome === 'unknown') return { ...known, ...section, listeners: [] };
  if (section.outcome === 'exits') return { ...known, ...section, listeners: [], ...declared() };
  if (line.once) return exits({ code: 'runs-once', at: { file: 'command line' } }, { ...known, ...declared() });
  const { socket } = endpoint;
  const faults = [...(section.faults ?? []), ...ignoredListeners(listeners, source)];
  return { ...known, ...section, listeners, faults, ...(socket === undefined ? {} : { statsSocket: socket }) };
}

/** Ignored parts of main files that declare listeners which nothing else declares. */
function ignoredListeners(open: readonly Listener[], source: ModuleSource): Refusal[] {
  const { ignored, rules } = source.reading;
  const known = new Set(open.map(endpointKey));
  return ignored.flatMap(({ fault, part }): Refusal[] => {
    if (part?.role !== 'main' || fault.at === undefined) return [];
    const tree = treeFromYaml(part.root, { file: fault.at.file, rules, clashes: [] });
    if (!tree.ok) return [];
    // Main files are read at the start only, whatever they include.
    const all = declaredByFiles(tree.value, [], source).listeners.map(({ reload: _, ...listener }) => listener);
    const lost = refusal(
      fault,
      all.filter((listener) => !known.has(endpointKey(listener))),
    );
    return (lost.costs ?? []).length === 0 ? [] : [lost];
  });
}

function noteOnce(gap: Gap, gaps: Gap[]): void {
  if (!gaps.some(({ reason, subject }) => reason === gap.reason && subject === gap.subject)) gaps.push(gap);
}

/** Its paths as far as the command line alone tells them: they are part of what an instance is. */
function statedPaths(command: Command, line: CommandLine, reading: Reading): Pick<Partial_, 'paths'> {
  const scope = scopeOf(command, reading.release, reading);
  const overrides = readOverrides(line.overrides, scope, reading);
  if (!overrides.ok) return {};
  const home = homeArgument(command.argv);
  const bare = loadMain({ ...line, configFiles: [] }, home, command.cwd, overrides.tree, scope, reading);
  const found = bare.kind === 'tree' ? effectivePaths(bare.tree, command.cwd, scope) : undefined;
  return found?.ok ? { paths: found.paths } : {};
}

/** An agent starts one `agentbeat filebeat` for each kind of input, and they differ in nothing but their path.data. */
function hostedPaths(command: Command, reading: Reading): Pick<Partial_, 'paths'> {
  if (command.argv[1] !== 'filebeat') return {};
  const inner = readCommand(['filebeat', ...command.argv.slice(2)], reading.release);
  return inner.kind === 'run' ? statedPaths(command, inner.line, reading) : {};
}

/** Under `agentbeat filebeat` the program's own path still is argv[0]. */
function homeArgument(argv: readonly string[]): string {
  return argv[0] ?? '';
}

/** `-E management.enabled=true`: an agent sends the configuration, files are not read. */
function isManaged(overrides: Tree, scope: Scope): boolean {
  const stated = get(overrides, 'management.enabled', scope);
  if (!stated.ok || !stated.value) return false;
  const read = toBool(stated.value, scope);
  return read.ok && read.value;
}

function featureOn(main: Tree, key: string, scope: Scope): boolean {
  const stated = get(main, key, scope);
  if (!stated.ok || !stated.value) return false;
  const read = toBool(stated.value, scope);
  return read.ok && read.value;
}

/** True too where it cannot be told. */
function mayHaveKeystore(main: Tree, data: string, scope: Scope, files: FileView, seen: Reading['seen']): boolean {
  const stated = get(main, 'keystore.path', scope);
  const text = stated.ok && stated.value ? toText(stated.value, scope) : undefined;
  const path = posix.resolve(data, text?.ok && text.value ? text.value : 'filebeat.keystore');
  const stat = files.stat(path);
  if (!stat.ok) return stat.gap.reason !== 'missing';
  seen.push({ path, role: 'keystore', mtime: stat.value.mtime, reloaded: false });
  return stat.value.kind === 'file';
}
