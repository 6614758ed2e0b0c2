/** What `filebeat run` with a command line would do, in the order in which Filebeat itself proceeds. */
import { posix } from 'node:path';
import { endpointKey } from '../model/endpoint.js';
import type { Fault, Gap, Listener, Prediction, Refusal } from '../model/model.js';
import { type Command, type CommandLine, readCommand } from './config/command.js';
import { declaredByFiles } from './config/declared-listeners.js';
import { effectivePaths, loadMain, readOverrides } from './config/main-file.js';
import { predictSection, type SectionSource } from './config/section.js';
import type { Running } from './detect-release.js';
import type { FileView } from './files/file-view.js';
import { type Loader, noteOnce } from './files/load.js';
import { notingUnread } from './files/unread.js';
import { refusal } from './inputs/refusal.js';
import { nameTables } from './net/name-tables.js';
import { checkProcessors } from './processors/processors.js';
import { applies } from './releases/releases.js';
import type { StartContext } from './start/start-context.js';
import { startFault } from './start/start-fault.js';
import { statsEndpoint } from './start/stats-endpoint.js';
import { treeFromYaml } from './tree/build.js';
import { readAs, readText, toBool } from './tree/read.js';
import type { Tree } from './tree/tree.js';
import type { Scope } from './tree/variables.js';

export interface RunOptions {
  /** The process, if one runs. Files that changed after its start describe its next start. */
  running?: Running;
  /** Use this program's table of filesets for the release instead of the module folder in the home. */
  filesetsFromTable?: boolean;
}

type Part = Partial<Prediction>;

const commandLine = { file: 'command line' };

function exits(reason: Fault, part: Part = {}): Part {
  return { ...part, outcome: 'exits', reason };
}

/** For a fault that Filebeat finds before it reads its inputs. */
function exitsAtOnce(reason: Fault, part: Part = {}): Part {
  return exits({ ...reason, atOnce: true }, part);
}

/** Adds to `loader` the files, gaps and clashes that it meets. */
export function predictCommand(command: Command, loader: Loader, options: RunOptions): Part {
  const read = readCommand(command.argv, loader.release);
  switch (read.kind) {
    case 'exits':
      return exitsAtOnce(read.fault);
    case 'other':
      return exits({ code: 'not-a-collector', subject: read.subcommand, at: commandLine });
    case 'hosted':
      return {
        ...hostedPaths(command, loader),
        outcome: 'dynamic',
        reason: { code: 'hosted', subject: read.program, at: commandLine },
      };
    default:
      return predictRun(command, read.line, loader, options);
  }
}

function scopeOf({ env, envHidden }: Command, { release, rules }: Loader): Scope {
  return {
    env,
    envHidden,
    keystore: false,
    envObjects: !applies('env-no-objects', release),
    envTrims: applies('env-trims-numbers', release),
    envDots: applies('env-dots', release),
    tree: rules,
  };
}

function predictRun(command: Command, line: CommandLine, loader: Loader, options: RunOptions): Part {
  const { cwd } = command;
  const scope = scopeOf(command, loader);
  const isStrict = line.strictPerms && command.env?.['BEAT_STRICT_PERMS'] !== 'false';
  loader.strictUid = isStrict ? command.uid : undefined;
  const overrides = readOverrides(line.overrides, scope, loader);
  if (!overrides.ok) return exitsAtOnce(overrides.fault);
  const moduleFlags = line.moduleOverrides.map((text) => ({ text }));
  const moduleOverrides = readOverrides(moduleFlags, scope, loader);
  if (!moduleOverrides.ok) return exitsAtOnce({ ...moduleOverrides.fault, subject: '-M' });
  // An agent sends the configuration; Filebeat reads no files.
  const isManaged = isOn(overrides.tree, 'management.enabled', scope);
  const main = loadMain(command, isManaged ? { ...line, configFiles: [] } : line, overrides.tree, scope, loader);
  const { mainFiles } = main;
  if (main.kind !== 'tree') {
    const part = { mainFiles, ...statedPaths(command, line, loader) };
    return main.kind === 'fault' ? exitsAtOnce(main.fault, part) : { ...part, outcome: 'unknown', reason: main.fault };
  }
  const effective = effectivePaths(main.tree, cwd, scope);
  if (!effective.ok) return exitsAtOnce(effective.fault, { mainFiles });
  const { paths } = effective;
  const known = { mainFiles, paths };
  if (isManaged) return { ...known, outcome: 'dynamic', reason: { code: 'managed', at: commandLine } };
  const context = startContext(main.tree, { scope, paths, cwd }, loader, options.running !== undefined);
  const fromTable = options.filesetsFromTable ?? false;
  const source: SectionSource = { overrides: moduleOverrides.tree, context, loader, fromTable };
  return { ...known, ...predictStart(main.tree, line, source, options.running !== undefined) };
}

/** `isRunning`: a running process could read the files at its start, so unreadable files leave no doubt. */
function startContext(
  main: Tree,
  base: Pick<StartContext, 'scope' | 'paths' | 'cwd'>,
  loader: Loader,
  isRunning: boolean,
): StartContext {
  const { scope, paths } = base;
  const unclear = isRunning ? undefined : (gap: Gap) => noteOnce(gap, loader.gaps);
  const files = unclear === undefined ? loader.files : notingUnread(loader.files, unclear);
  scope.keystore = mayHaveKeystore(main, paths.data, scope, files, loader.seen);
  return {
    ...base,
    release: loader.release,
    names: nameTables(loader.files, (gap) => loader.gaps.push(gap)),
    files,
    silentFiles: loader.files,
    logAsFilestream: isOn(main, 'features.log_input_run_as_filestream.enabled', scope),
    ...(loader.strictUid === undefined ? {} : { strictUid: loader.strictUid }),
    ...(unclear === undefined ? {} : { unclear }),
  };
}

function predictStart(main: Tree, line: CommandLine, source: SectionSource, isRunning: boolean): Part {
  const { context } = source;
  const startsNot = startFault(main, context);
  const processors = checkProcessors(main, context).used;
  if (processors) context.processorFault = processors.fault;
  const { fault, listener, socket } = statsEndpoint(main, context);
  const endpoint = listener ? [listener] : [];
  /** For a process that runs although it should have exited. */
  const declared = (): Pick<Prediction, 'declared'> => {
    if (!isRunning) return {};
    const all = declaredByFiles(main, line.modules, source);
    return { declared: { ...all, listeners: [...endpoint, ...all.listeners] } };
  };
  const early = startsNot ?? fault;
  if (early) return exitsAtOnce(early, declared());
  const section = predictSection(main, line.modules, source);
  const listeners = [...endpoint, ...(section.listeners ?? [])];
  if (section.outcome === 'unknown') return { ...section, listeners: [] };
  if (section.outcome === 'exits') return { ...section, listeners: [], ...declared() };
  if (line.once) return exits({ code: 'runs-once', at: commandLine }, declared());
  const faults = [...(section.faults ?? []), ...ignoredListeners(listeners, source)];
  return { ...section, listeners, faults, ...(socket === undefined ? {} : { statsSocket: socket }) };
}

/** Ignored parts of main files that declare listeners which nothing else declares. */
function ignoredListeners(open: readonly Listener[], source: SectionSource): Refusal[] {
  const { ignored, rules } = source.loader;
  const known = new Set(open.map(endpointKey));
  return ignored.flatMap(({ fault, part }): Refusal[] => {
    if (part?.role !== 'main' || fault.at === undefined) return [];
    const tree = treeFromYaml(part.root, { file: fault.at.file, rules, clashes: [] });
    if (!tree.ok) return [];
    // Filebeat reads main files only at its start, so even included listeners are not reloaded.
    const declared = declaredByFiles(tree.value, [], source).listeners.map(({ reload: _, ...listener }) => listener);
    const ignoredRefusal = refusal(
      fault,
      declared.filter((listener) => !known.has(endpointKey(listener))),
    );
    return (ignoredRefusal.costs ?? []).length === 0 ? [] : [ignoredRefusal];
  });
}

/** The paths that the command line alone determines; they are part of an instance's identity. */
function statedPaths(command: Command, line: CommandLine, loader: Loader): Pick<Part, 'paths'> {
  const scope = scopeOf(command, loader);
  const overrides = readOverrides(line.overrides, scope, loader);
  if (!overrides.ok) return {};
  const main = loadMain(command, { ...line, configFiles: [] }, overrides.tree, scope, loader);
  const effective = main.kind === 'tree' ? effectivePaths(main.tree, command.cwd, scope) : undefined;
  return effective?.ok ? { paths: effective.paths } : {};
}

/** An agent starts one `agentbeat filebeat` for each kind of input; they differ only in their path.data. */
function hostedPaths(command: Command, loader: Loader): Pick<Part, 'paths'> {
  if (command.argv[1] !== 'filebeat') return {};
  const inner = readCommand(['filebeat', ...command.argv.slice(2)], loader.release);
  return inner.kind === 'run' ? statedPaths(command, inner.line, loader) : {};
}

function isOn(tree: Tree, key: string, scope: Scope): boolean {
  return readAs(tree, key, scope, toBool) === true;
}

/** True also where that cannot be read. */
function mayHaveKeystore(main: Tree, data: string, scope: Scope, files: FileView, seen: Loader['seen']): boolean {
  const path = posix.resolve(data, readText(main, 'keystore.path', scope) || 'filebeat.keystore');
  const stat = files.stat(path);
  if (!stat.ok) return stat.gap.reason !== 'missing';
  seen.push({ path, role: 'keystore', mtime: stat.value.mtime, reloaded: false });
  return stat.value.kind === 'file';
}
