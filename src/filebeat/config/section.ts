/**
 * The `filebeat` section: removed settings, modules, inputs, and the files that it includes. One bad input of the main
 * file ends the process; the effect of a bad included input depends on reloading (see `external.ts`).
 */
import type { Fault, Prediction } from '../../model/model.js';
import type { InputContext } from '../inputs/input-context.js';
import { refusal } from '../inputs/refusal.js';
import { markRivals } from '../inputs/rivals.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';
import { autodiscover } from '../start/autodiscover.js';
import { natural } from '../start/kinds.js';
import type { StartContext } from '../start/start-context.js';
import { type Complaint, duration, first, isEnabled, object, text, truth } from '../tree/checks.js';
import { getAs, positionOf, readAs, toPlain, toText, toTree } from '../tree/read.js';
import { checkSettings, type Settings, under } from '../tree/setting-tables.js';
import { newTree, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { configDir } from './config-dir.js';
import { equalFilestreams, readEarly } from './early.js';
import { entryIdentity } from './entry-identity.js';
import { type DynamicSection, listOf, loadSection, readSection } from './external.js';
import { type External, externalInputs } from './external-inputs.js';
import {
  externalModules,
  type ModuleSource,
  readStatic,
  type StaticInput,
  skippedModules,
  staticModules,
} from './module-inputs.js';

type Part = Partial<Prediction>;

/** The `filebeat` section also needs what the checks of a start need. */
export interface SectionSource extends ModuleSource {
  context: StartContext;
}

function exits(reason: Fault): Part {
  return { outcome: 'exits', reason };
}

/** `moduleNames`: from `--modules`. */
export function predictSection(main: Tree, moduleNames: string[], source: SectionSource): Part {
  const { context, loader } = source;
  const { scope, release } = context;
  const section = getAs(main, 'filebeat', scope, toTree);
  if (!section.ok) return exits({ code: 'wrong-type', subject: 'filebeat', at: main.at });
  const filebeat = section.value ?? newTree(main.at);
  const fault = removedSetting(filebeat, release) ?? ownSettings(filebeat, context)?.fault;
  if (fault) return exits(fault);
  const lists = ['inputs', ...(applies('prospectors-removed', release) ? [] : ['prospectors'])].map((key) =>
    listOf(filebeat, key, scope),
  );
  for (const list of lists) if (!list.ok) return unreadable(list);
  if (lists.every((list) => list.ok && list.value.length > 0) && lists.length > 1) {
    return exits({ code: 'inputs-and-prospectors', at: positionOf(filebeat, 'prospectors') });
  }
  const inputs = lists.flatMap((list) => (list.ok ? list.value : []));
  const modules = listOf(filebeat, 'modules', scope);
  if (!modules.ok) return unreadable(modules);
  const fromModules = staticModules(modules.value, moduleNames, filebeat, source);
  if (fromModules.fatal) return exits(fromModules.fatal);
  if (fromModules.unknown) return { outcome: 'unknown', reason: fromModules.unknown };
  const directory = configDir(filebeat, context, loader);
  if (directory.fatal) return exits(directory.fatal);
  const statics: StaticInput[] = [...inputs, ...directory.inputs].map((tree) => ({ tree }));
  statics.push(...fromModules.inputs);
  const part = start(filebeat, statics, fromModules.fallback, source);
  return { ...part, faults: [...fromModules.faults, ...(part.faults ?? [])] };
}

function unreadable(list: { fault: Fault; unresolved?: unknown }): Part {
  return list.unresolved ? { outcome: 'unknown', reason: list.fault } : exits(list.fault);
}

/** A removed setting that Filebeat refuses even if it has no value. */
function removedSetting(filebeat: Tree, release: ReleaseVersion): Fault | undefined {
  const removed = [
    ...(applies('prospectors-removed', release) ? ['prospectors', 'config.prospectors'] : []),
    ...(applies('registry-settings-removed', release)
      ? ['registry_file', 'registry_file_permissions', 'registry_flush']
      : []),
    ...(applies('idle-timeout-ignored', release) ? [] : ['spool_size', 'publish_async', 'idle_timeout']),
    ...(applies('config-dir-removed', release) ? ['config_dir'] : []),
  ];
  for (const key of removed) {
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

/** Settings directly below `filebeat`, other than inputs and modules. */
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

/** Starts all inputs, in Filebeat's order of checks. */
function start(filebeat: Tree, statics: StaticInput[], fallback: boolean, source: SectionSource): Part {
  const { loader, context } = source;
  const { scope, release } = context;
  const inputKeys = applies('prospectors-removed', release) ? ['inputs'] : ['prospectors', 'inputs'];
  const inputSections = inputKeys.flatMap((key) => readSection(filebeat, `config.${key}`, scope) ?? []);
  const moduleSection = readSection(filebeat, 'config.modules', scope);
  const enabled = statics.filter(({ tree }) => isEnabled(tree, scope));
  const discovery = autodiscover(filebeat, context);
  if (inputSections.length === 0 && !moduleSection && enabled.length === 0 && !discovery) {
    return exits({ code: 'nothing-enabled', at: filebeat.at });
  }
  const stdin = enabled.find(({ tree }) => typeOf(tree, scope) === 'stdin');
  if (stdin && enabled.length > 1) return exits({ code: 'stdin-not-alone', at: stdin.tree.at });
  const early =
    readEarly(filebeat, statics, context, loader) ??
    (applies('filestream-ids-unique', release) ? equalFilestreams(statics, scope) : undefined);
  if (early) return exits(early);
  const started = startStatics(enabled, context);
  for (const section of inputSections) if (!started.fatal) append(started, externalInputs(section, context, loader));
  if (moduleSection && !started.fatal) append(started, includedModules(moduleSection, source));
  const { fatal, results, listeners, faults } = started;
  if (fatal) return exits(fatal);
  markRivals(listeners, results, context);
  const part: Part = { listeners, faults, ...(fallback || started.fallback ? { filesetFallback: true } : {}) };
  if (discovery?.fault) return exits({ ...discovery.fault, atOnce: true });
  if (discovery?.dynamic) return { ...part, outcome: 'dynamic', reason: { code: 'autodiscover', at: discovery.at } };
  return part;
}

function append(started: External, { fatal, results, listeners, faults, fallback }: External): void {
  if (fatal) started.fatal = fatal;
  if (fallback) started.fallback = true;
  started.results.push(...results);
  started.listeners.push(...listeners);
  started.faults.push(...faults);
}

function includedModules(section: DynamicSection, source: SectionSource): External {
  const { context, loader } = source;
  const loaded = loadSection(section, 'modules', context.paths.config, context.scope, loader);
  if (loaded.fatal) return { fatal: loaded.fatal, results: [], listeners: [], faults: [] };
  const external = externalModules(loaded.files, section, source);
  if (external.fatal) return external;
  const faults = [...loaded.faults, ...skippedModules(loaded.skipped, section, source), ...external.faults];
  return { ...external, faults };
}

/** Starts the inputs of the main file, up to the first that ends the process. */
function startStatics(enabled: readonly StaticInput[], context: InputContext): External {
  const started: External = { results: [], listeners: [], faults: [] };
  const identities = new Set<string>();
  for (const input of enabled) {
    const { tree } = input;
    const plain = toPlain(tree, context.scope);
    if (!plain.ok && !plain.unresolved) return { ...started, fatal: plain.fault };
    if (plain.ok) {
      const identity = entryIdentity(plain.value);
      if (identities.has(identity)) return { ...started, fatal: { code: 'identical-inputs', at: tree.at } };
      identities.add(identity);
    }
    const result = readStatic(input, context);
    if (result.failure && result.failure.phase !== 'run') return { ...started, fatal: result.failure.fault };
    if (result.failure) started.faults.push(refusal(result.failure.fault, result.declared));
    started.results.push(result);
    started.listeners.push(...result.listeners);
  }
  return started;
}

function typeOf(tree: Tree, scope: Scope): string {
  return readAs(tree, 'type', scope, toText) ?? 'log';
}
