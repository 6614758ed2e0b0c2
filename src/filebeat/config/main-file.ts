/**
 * The main configuration: Filebeat's defaults, overridden by the `-c` files from left to right, then by `-E` and path
 * flags; and the effective `path.*`.
 */
import { posix } from 'node:path';
import type { Fault, Prediction } from '../../model/model.js';
import { type Loader, loadFile } from '../files/load.js';
import { applies } from '../releases/releases.js';
import { treeFromPlain } from '../tree/build.js';
import { mergeInto } from '../tree/merge.js';
import { getAs, toText } from '../tree/read.js';
import { newTree, parsePath, setPath, type Tree, type Value } from '../tree/tree.js';
import { type Plain, parseValue, plainMap } from '../tree/value.js';
import type { Scope } from '../tree/variables.js';
import type { Command, CommandLine, Override } from './command.js';

const COMMAND_LINE = { file: 'command line' };

export type Overrides = { ok: true; tree: Tree } | { ok: false; fault: Fault };

/** `-E` and path flags as one tree. A flag that cannot be parsed stops the start. */
export function readOverrides(overrides: readonly Override[], scope: Scope, loader: Loader): Overrides {
  const tree = newTree(COMMAND_LINE);
  const parsedTwice = applies('override-null-fails', loader.release);
  const nullCounts = parsedTwice || applies('override-null-resets', loader.release);
  for (const override of overrides) {
    const read = readOverride(override, loader);
    if (!read.ok) return read;
    if (!read.tree || (read.isNull && !nullCounts)) continue;
    mergeInto(tree, read.tree, scope);
    // From 7.17 to 9.5 the flags are parsed twice, and null merged into null becomes an empty section.
    if (read.isNull && parsedTwice) mergeInto(tree, read.tree, scope);
  }
  return { ok: true, tree };
}

type OneOverride = { ok: true; tree: Tree | undefined; isNull: boolean } | { ok: false; fault: Fault };

function readOverride({ text, literal }: Override, loader: Loader): OneOverride {
  const equals = text.indexOf('=');
  const key = equals < 0 ? text : text.slice(0, equals);
  const fault = { code: 'bad-override', subject: `-E ${key}`, at: COMMAND_LINE };
  if (literal) {
    const tree = newTree(COMMAND_LINE);
    const value: Value = { kind: 'text', value: text.slice(equals + 1), at: COMMAND_LINE };
    const set = setPath(tree, parsePath(key, loader.rules), value);
    return set.ok ? { ok: true, tree, isNull: false } : { ok: false, fault };
  }
  if (equals === text.length - 1) return { ok: true, tree: undefined, isNull: false };
  let value: Plain = true;
  if (equals >= 0) {
    const parsed = parseValue(text.slice(equals + 1));
    if (!parsed.ok) return { ok: false, fault };
    value = parsed.value;
  }
  const map = plainMap();
  map[key] = value;
  const built = treeFromPlain(map, COMMAND_LINE, loader.rules);
  return built.ok ? { ok: true, tree: built.value, isNull: value === null } : { ok: false, fault };
}

/** Path of a `-c` file: relative to the path flags, else to the current directory; settings do not count. */
function mainPath(file: string, line: CommandLine, cwd: string): string {
  if (posix.isAbsolute(file)) return file;
  return posix.resolve(cwd, line.pathConfig || line.pathHome || '', file);
}

/** The merged configuration. `unseen`: a file is unreadable for this program, maybe not for Filebeat. */
export type Main =
  | { kind: 'tree'; tree: Tree; mainFiles: string[] }
  | { kind: 'fault' | 'unseen'; fault: Fault; mainFiles: string[] };

/** Loads and merges everything. */
export function loadMain(
  { argv, cwd }: Command,
  line: CommandLine,
  overrides: Tree,
  scope: Scope,
  loader: Loader,
): Main {
  const main = defaults(argv[0] ?? '', cwd);
  const files = line.configFiles.map((file) => mainPath(file, line, cwd));
  const mainFiles = files.map((path) => {
    const resolved = loader.files.resolve(path);
    return resolved.ok ? resolved.value : path;
  });
  const merged = newTree({ file: files[0] ?? '' });
  let unseen: Fault | undefined;
  for (const path of files) {
    const loaded = loadFile(path, 'main', false, loader);
    if (loaded.kind === 'fault') return { kind: 'fault', fault: loaded.fault, mainFiles };
    if (loaded.kind === 'unseen') unseen ??= loaded.fault;
    else if (!mergeInto(merged, loaded.tree, scope)) unseen ??= endless(path, loader);
  }
  if (unseen) return { kind: 'unseen', fault: unseen, mainFiles };
  if (!mergeInto(main, merged, scope) || !mergeInto(main, overrides, scope)) {
    return { kind: 'unseen', fault: endless(files[0] ?? '', loader), mainFiles };
  }
  main.at = merged.at;
  return { kind: 'tree', tree: main, mainFiles };
}

/** For sections that refer to themselves; Filebeat does not finish merging them either. */
function endless(path: string, loader: Loader): Fault {
  loader.gaps.push({ reason: 'limit', subject: path, detail: 'its sections refer to each other in a cycle' });
  return { code: 'value-too-long', at: { file: path } };
}

/**
 * Filebeat's defaults. The home is the directory of argv[0] (under `agentbeat filebeat`, too), not of the executable.
 */
function defaults(argv0: string, cwd: string): Tree {
  const tree = newTree({ file: 'Filebeat' });
  const path = plainMap();
  path['home'] = '';
  path['config'] = '${path.home}';
  path['data'] = '${path.home}/data';
  path['logs'] = '${path.home}/logs';
  const built = treeFromPlain({ path }, { file: 'Filebeat' }, { maxIndex: 1024 });
  if (built.ok) {
    const branch = built.value.names.get('path');
    // A literal: a dollar sign in a directory's name does not start a variable.
    const home: Value = { kind: 'text', value: posix.resolve(cwd, posix.dirname(argv0)), at: { file: 'Filebeat' } };
    if (branch?.kind === 'tree') {
      branch.names.set('home', home);
      branch.parent = tree;
      tree.names.set('path', branch);
    }
  }
  return tree;
}

export type Paths = { ok: true; paths: Prediction['paths'] } | { ok: false; fault: Fault };

/** `path.*` of the merged configuration, absolute. An empty setting falls back to its default below the home. */
export function effectivePaths(main: Tree, cwd: string, scope: Scope): Paths {
  const read = (name: string, fallback: string): string | Fault => {
    const text = getAs(main, `path.${name}`, scope, toText);
    if (!text.ok) return text.unresolved ? fallback : text.fault;
    return text.value ? posix.resolve(cwd, text.value) : fallback;
  };
  const home = read('home', cwd);
  if (typeof home !== 'string') return { ok: false, fault: home };
  const config = read('config', home);
  const data = read('data', posix.join(home, 'data'));
  const logs = read('logs', posix.join(home, 'logs'));
  for (const path of [config, data, logs]) if (typeof path !== 'string') return { ok: false, fault: path };
  return { ok: true, paths: { home, config: config as string, data: data as string, logs: logs as string } };
}
