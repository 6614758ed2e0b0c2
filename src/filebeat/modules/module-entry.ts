/**
 * One entry of `filebeat.modules` or of a file in modules.d: `- module: cisco` with its filesets. Every key other than
 * `module`, `enabled` and `path` is the name of a fileset.
 */
import type { Position } from '../../model/model.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';
import { treeFromPlain } from '../tree/build.js';
import { mergeInto } from '../tree/merge.js';
import { get, getAs, toBool, toPlain, toText, toTree } from '../tree/read.js';
import { copyTree, failure, newTree, type Read, setChild, type Tree } from '../tree/tree.js';
import { isPlainMap, type Plain, type PlainMap, plainMap } from '../tree/value.js';
import type { Scope } from '../tree/variables.js';

export interface ModuleEntry {
  module: string;
  enabled: boolean | undefined;
  filesets: Map<string, FilesetSettings>;
  at: Position;
}

export interface FilesetSettings {
  enabled: boolean | undefined;
  /** `var.*`, without nulls. */
  variables: PlainMap;
  /** `input.*`: overrides the rendered template. */
  input: PlainMap;
  at: Position;
}

/** Adds the `path.*` that an entry of the main file can refer to. Its `path.config` differs from the instance's. */
export function withPathDefaults(entry: Tree, home: string, scope: Scope): Tree {
  const paths = { ...plainMap(), home, config: home, data: `${home}/data`, logs: `${home}/logs` };
  const built = treeFromPlain({ path: paths }, entry.at, scope.tree);
  if (!built.ok) return entry;
  mergeInto(built.value, copyTree(entry), scope);
  return built.value;
}

/** Evaluates the whole entry, disabled parts included: one undefined variable is a failure. */
export function readEntry(entry: Tree, scope: Scope, release: ReleaseVersion): Read<ModuleEntry> {
  const name = get(entry, 'module', scope);
  if (!name.ok) return name;
  if (!name.value) return failure('module-name-missing', entry.at);
  const module = toText(name.value, scope);
  if (!module.ok) return module;
  if (module.value === '') return failure('module-name-missing', name.value.at);
  const enabled = getAs(entry, 'enabled', scope, toBool);
  if (!enabled.ok) return enabled;
  const plain = toPlain(entry, scope);
  if (!plain.ok) return plain;
  const filesets = new Map<string, FilesetSettings>();
  for (const [key, value] of Object.entries(isPlainMap(plain.value) ? plain.value : {})) {
    if (key === 'module' || key === 'enabled' || key === 'path') continue;
    const at = entry.names.get(key)?.at ?? entry.at;
    const settings = readFileset(value, key, at, scope, release);
    if (!settings.ok) return settings;
    filesets.set(key, settings.value);
  }
  return { ok: true, value: { module: module.value, enabled: enabled.value, filesets, at: name.value.at } };
}

export function emptySettings(at: Position): FilesetSettings {
  return { enabled: undefined, variables: plainMap(), input: plainMap(), at };
}

function readFileset(
  value: Plain,
  name: string,
  at: Position,
  scope: Scope,
  release: ReleaseVersion,
): Read<FilesetSettings> {
  if (value === null || Array.isArray(value)) return { ok: true, value: emptySettings(at) };
  if (!isPlainMap(value)) return failure('fileset-wrong-type', at, name);
  const built = treeFromPlain(value, at, scope.tree);
  return built.ok ? settingsOf(built.value, name, at, scope, release) : built;
}

/** `enabled`, `var` and `input` of a fileset; other keys are ignored. */
function settingsOf(
  tree: Tree,
  name: string,
  at: Position,
  scope: Scope,
  release: ReleaseVersion,
): Read<FilesetSettings> {
  const settings = emptySettings(at);
  if (tree.names.has('prospector') && applies('prospectors-removed', release))
    return failure('removed-setting', at, `${name}.prospector`);
  const enabled = get(tree, 'enabled', scope);
  if (!enabled.ok) return enabled;
  const truth = enabled.value && toBool(enabled.value, scope);
  if (truth && !truth.ok) return failure('wrong-type', at, `${name}.enabled`);
  if (truth) settings.enabled = truth.value;
  const keys = tree.names.has('input') ? (['var', 'input'] as const) : (['var', 'prospector'] as const);
  for (const key of keys) {
    const found = get(tree, key, scope);
    if (!found.ok) return found;
    if (!found.value) continue;
    const section = toTree(found.value, scope);
    const plain = section.ok ? toPlain(section.value, scope) : section;
    if (!plain.ok) return failure('wrong-type', at, `${name}.${key}`);
    settings[key === 'var' ? 'variables' : 'input'] = isPlainMap(plain.value) ? withoutNulls(plain.value) : plainMap();
  }
  return { ok: true, value: settings };
}

function withoutNulls(map: PlainMap): PlainMap {
  const result = plainMap();
  for (const [key, value] of Object.entries(map)) {
    if (value !== null) result[key] = isPlainMap(value) ? withoutNulls(value) : value;
  }
  return result;
}

/** Applies `-M` to a fileset: `*.*`, then `module.*`, then `module.fileset`. */
export function overrideFileset(
  settings: FilesetSettings,
  name: string,
  overrides: Tree[],
  scope: Scope,
  release: ReleaseVersion,
): Read<FilesetSettings> {
  if (overrides.length === 0) return { ok: true, value: settings };
  const plain: PlainMap = { ...plainMap(), var: settings.variables, input: settings.input };
  if (settings.enabled !== undefined) plain['enabled'] = settings.enabled;
  const built = treeFromPlain(plain, settings.at, scope.tree);
  if (!built.ok) return built;
  for (const override of overrides) mergeInto(built.value, copyTree(override), scope);
  return settingsOf(built.value, name, settings.at, scope, release);
}

/** The `-M` tree as module → fileset → settings. Fails if it is less than two levels deep. */
export function readModuleOverrides(overrides: Tree, scope: Scope): Read<Map<string, Map<string, Tree>>> {
  const result = new Map<string, Map<string, Tree>>();
  for (const [module, value] of overrides.names) {
    const filesets = toTree(value, scope);
    if (!filesets.ok) return failure('bad-module-override', value.at, '-M');
    const trees = new Map<string, Tree>();
    for (const [fileset, inner] of filesets.value.names) {
      const tree = toTree(inner, scope);
      if (!tree.ok) return failure('bad-module-override', inner.at, '-M');
      trees.set(fileset, tree.value);
    }
    result.set(module, trees);
  }
  return { ok: true, value: result };
}

/** The tree of an input from `known-filesets.ts`. */
export function treeOf(map: PlainMap, at: Position, scope: Scope): Tree {
  const built = treeFromPlain(map, at, scope.tree);
  return built.ok ? built.value : newTree(at);
}

/** Merges `input.*` into a fileset's input: replaces `paths` at every depth, appends `processors`. */
export function overlayInput(to: Tree, input: PlainMap, scope: Scope, at: Position): void {
  const from = treeOf(input, at, scope);
  prepare(to, from);
  mergeInto(to, from, scope);
}

function prepare(to: Tree, from: Tree): void {
  for (const [name, value] of from.names) {
    const old = to.names.get(name);
    if (name === 'paths') to.names.delete(name);
    else if (old?.kind === 'tree' && value.kind === 'tree') {
      if (name === 'processors') {
        const start = old.items?.length ?? 0;
        for (const [index, item] of (value.items ?? []).entries()) setChild(old, start + index, item);
        from.names.delete(name);
      } else prepare(old, value);
    }
  }
}
