/**
 * The `filebeat` section: removed settings, modules, inputs, and the files that it includes. One bad input of the main
 * file ends the process; what an included one costs depends on reloading (`external.ts`).
 */
import type { Fault, Listener, Prediction, Refusal } from '../../model/model.js';
import type { Reading } from '../files/load.js';
import type { InputContext } from '../inputs/input-context.js';
import type { InputResult } from '../inputs/inputs.js';
import { refusal } from '../inputs/refusal.js';
import { markRivals } from '../inputs/rivals.js';
import { applies } from '../releases/releases.js';
import { autodiscover } from '../start/autodiscover.js';
import { natural } from '../start/kinds.js';
import type { StartContext } from '../start/start-context.js';
import { type Complaint, duration, first, isEnabled, object, text, truth } from '../tree/checks.js';
import { get, positionOf, toPlain, toText, toTree } from '../tree/read.js';
import { checkSettings, type Settings, under } from '../tree/setting-tables.js';
import { newTree, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import type { CommandLine } from './command.js';
import { equalFilestreams, readEarly } from './early.js';
import { configDir, externalInputs, identityOf, listOf, loadSection, readSection } from './external.js';
import {
  externalModules,
  lostModules,
  type ModuleSource,
  readStatic,
  type StaticInput,
  staticModules,
} from './module-inputs.js';

type Part = Partial<Prediction>;

function exits(reason: Fault, files: Part = {}): Part {
  return { ...files, outcome: 'exits', reason };
}

export function predictSection(
  main: Tree,
  line: CommandLine,
  moduleOverrides: Tree,
  paths: Prediction['paths'],
  context: StartContext,
  reading: Reading,
  fromTable: boolean,
): Part {
  const { scope } = context;
  const stated = get(main, 'filebeat', scope);
  const section = stated.ok && stated.value ? toTree(stated.value, scope) : undefined;
  if (section && !section.ok) return exits({ code: 'wrong-type', subject: 'filebeat', at: main.at });
  const filebeat = section?.value ?? newTree(main.at);
  const removed = removedSetting(filebeat, context);
  if (removed) return exits(removed);
  const own = ownSettings(filebeat, context);
  if (own) return exits(own.fault);
  const lists = ['inputs', ...(applies('prospectors-removed', context.release) ? [] : ['prospectors'])].map((key) =>
    listOf(filebeat, key, scope),
  );
  for (const list of lists) if (!list.ok) return unreadable(list);
  if (lists.every((list) => list.ok && list.value.length > 0) && lists.length > 1) {
    return exits({ code: 'inputs-and-prospectors', at: positionOf(filebeat, 'prospectors') });
  }
  const inputs = lists.flatMap((list) => (list.ok ? list.value : []));
  const modules = listOf(filebeat, 'modules', scope);
  if (!modules.ok) return unreadable(modules);
  const source: ModuleSource = { paths, overrides: moduleOverrides, context, reading, fromTable };
  const fromModules = staticModules(modules.value, line.modules, filebeat, source);
  if (fromModules.fatal) return exits(fromModules.fatal);
  if (fromModules.unknown) return { outcome: 'unknown', reason: fromModules.unknown };
  const directory = configDir(filebeat, context, reading);
  if (directory.fatal) return exits(directory.fatal);
  const statics: StaticInput[] = [...inputs, ...directory.inputs].map((tree) => ({ tree }));
  statics.push(...fromModules.inputs);
  const part = start(filebeat, statics, fromModules.fallback, context, source);
  return { ...part, faults: [...fromModules.faults, ...(part.faults ?? [])] };
}

function unreadable(list: { fault: Fault; unresolved?: unknown }): Part {
  return list.unresolved ? { outcome: 'unknown', reason: list.fault } : exits(list.fault);
}

/** Settings that Filebeat no longer knows and says so about, even when nothing stands behind them. */
function removedSetting(filebeat: Tree, { release }: InputContext): Fault | undefined {
  const gone = [
    ...(applies('prospectors-removed', release) ? ['prospectors', 'config.prospectors'] : []),
    ...(applies('registry-settings-removed', release)
      ? ['registry_file', 'registry_file_permissions', 'registry_flush']
      : []),
    ...(applies('idle-timeout-ignored', release) ? [] : ['spool_size', 'publish_async', 'idle_timeout']),
    ...(applies('config-dir-removed', release) ? ['config_dir'] : []),
  ];
  for (const key of gone) {
    let node: Tree | undefined = filebeat;
    const path = key.split('.');
    for (const name of path.slice(0, -1)) {
      const next: unknown = node?.names.get(name);
      node = (next as Tree | undefined)?.kind === 'tree' ? (next as Tree) : undefined;
    }
    const value = node?.names.get(path.at(-1)!);
    if (value) return { code: 'removed-setting', subject: `filebeat.${key}`, at: value.at };
  }
  return undefined;
}

/** What is read of `filebeat` itself. Inputs and modules are lists of their own. */
const OWN: Settings = {
  'registry.path': text,
  'registry.file_permissions': natural,
  'registry.flush': duration,
  'registry.cleanup_interval': duration,
  'registry.migrate_file': text,
  shutdown_timeout: duration,
  overwrite_pipelines: truth,
  'config.inputs': object,
  'config.modules': object,
  autodiscover: object,
};

function ownSettings(filebeat: Tree, { scope, release }: StartContext): Complaint {
  return first(
    () => (applies('registry-settings-removed', release) ? object(filebeat, 'registry', scope) : undefined),
    () => under('filebeat', checkSettings(filebeat, OWN, scope)),
  );
}

function start(
  filebeat: Tree,
  statics: StaticInput[],
  fallback: boolean,
  context: StartContext,
  source: ModuleSource,
): Part {
  const { reading } = source;
  const { cwd } = context;
  const { scope, release } = context;
  const inputSection = readSection(filebeat, 'config.inputs', scope);
  const oldSection = applies('prospectors-removed', release)
    ? undefined
    : readSection(filebeat, 'config.prospectors', scope);
  const moduleSection = readSection(filebeat, 'config.modules', scope);
  const enabled = statics.filter(({ tree }) => isEnabled(tree, scope));
  const discovery = autodiscover(filebeat, context);
  if (!inputSection && !oldSection && !moduleSection && enabled.length === 0 && !discovery) {
    return exits({ code: 'nothing-enabled', at: filebeat.at });
  }
  const stdin = enabled.find(({ tree }) => typeOf(tree, scope) === 'stdin');
  if (stdin && enabled.length > 1) return exits({ code: 'stdin-not-alone', at: stdin.tree.at });
  const early = readEarly(filebeat, statics, cwd, context, reading);
  if (early) return exits(early);
  const twice = applies('filestream-ids-unique', release) ? equalFilestreams(statics, scope) : undefined;
  if (twice) return exits(twice);
  const started = startStatics(enabled, context);
  if (started.fatal) return exits(started.fatal);
  const results = started.results;
  const listeners = started.listeners;
  const faults = started.faults;
  for (const section of [oldSection, inputSection]) {
    if (!section) continue;
    const external = externalInputs(section, context, reading);
    if (external.fatal) return exits(external.fatal);
    results.push(...external.results);
    listeners.push(...external.listeners);
    faults.push(...external.faults);
  }
  if (moduleSection) {
    const loaded = loadSection(moduleSection, 'modules', context.paths.config, scope, reading);
    if (loaded.fatal) return exits(loaded.fatal);
    const external = externalModules(loaded.files, moduleSection, source);
    if (external.fatal) return exits(external.fatal);
    results.push(...external.results);
    listeners.push(...external.listeners);
    faults.push(...loaded.faults, ...lostModules(loaded.lost, moduleSection, source), ...external.faults);
    if (external.fallback) fallback = true;
  }
  markRivals(listeners, results, context);
  const part: Part = { listeners, faults, ...(fallback ? { filesetFallback: true as const } : {}) };
  if (discovery?.fault) return exits({ ...discovery.fault, atOnce: true });
  if (discovery?.dynamic) return { ...part, outcome: 'dynamic', reason: { code: 'autodiscover', at: discovery.at } };
  return part;
}

function startStatics(enabled: readonly StaticInput[], context: InputContext) {
  const { scope } = context;
  const results: InputResult[] = [];
  const listeners: Listener[] = [];
  const faults: Refusal[] = [];
  const seen = new Set<string>();
  for (const input of enabled) {
    const { tree } = input;
    const hash = toPlain(tree, scope);
    if (!hash.ok && !hash.unresolved) return { fatal: hash.fault, results, listeners, faults };
    if (hash.ok) {
      const key = identityOf(hash.value);
      if (seen.has(key)) return { fatal: { code: 'identical-inputs', at: tree.at }, results, listeners, faults };
      seen.add(key);
    }
    const result = readStatic(input, context);
    if (result.failure && result.failure.phase !== 'run')
      return { fatal: result.failure.fault, results, listeners, faults };
    if (result.failure) faults.push(refusal(result.failure.fault, result.declared));
    results.push(result);
    listeners.push(...result.listeners);
  }
  return { results, listeners, faults };
}

function typeOf(tree: Tree, scope: Scope): string {
  const found = get(tree, 'type', scope);
  const read = found.ok && found.value ? toText(found.value, scope) : undefined;
  return read?.ok ? read.value : 'log';
}
