/**
 * The `filebeat` section: removed settings, modules, inputs, and the files that it includes. One bad input of the main
 * file ends the process; what an included one costs depends on reloading (`external.ts`).
 */
import type { Fault, Listener, Prediction } from '../model.js';
import { type Complaint, duration, first, isEnabled, object, texts, truth } from './checks.js';
import type { CommandLine } from './command.js';
import {
  canonical,
  cleanPath,
  configDir,
  entriesOf,
  externalInputs,
  loadSection,
  readSection,
  sectionSettings,
} from './external.js';
import { goGlob } from './glob.js';
import { type InputContext, type InputResult, isNewKind, readInput } from './inputs.js';
import { loadFile, type Reading } from './load.js';
import { externalModules, type ModuleSource, staticModules } from './module-inputs.js';
import { get, positionOf, toList, toPlain, toText, toTree } from './read.js';
import { applies } from './releases.js';
import { newTree, type Tree } from './tree.js';
import type { Read, Scope } from './variables.js';

type Part = Partial<Prediction>;

function exits(reason: Fault, files: Part = {}): Part {
  return { ...files, outcome: 'exits', reason };
}

export function predictSection(
  main: Tree,
  line: CommandLine,
  moduleOverrides: Tree,
  paths: Prediction['paths'],
  cwd: string,
  context: InputContext,
  reading: Reading,
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
  const inputs = lists.flatMap((list) => (list.ok ? list.value : []));
  const modules = listOf(filebeat, 'modules', scope);
  if (!modules.ok) return unreadable(modules);
  const source: ModuleSource = { paths, overrides: moduleOverrides, main, context, reading };
  const fromModules = staticModules(modules.value, line.modules, source);
  if (fromModules.fatal) return exits(fromModules.fatal);
  const directory = configDir(filebeat, context, reading);
  if (directory.fatal) return exits(directory.fatal);
  const statics: StaticInput[] = [...inputs, ...directory.inputs].map((tree) => ({ tree }));
  statics.push(...fromModules.inputs);
  return start(filebeat, statics, fromModules.fallback, cwd, source);
}

/** One input that is made when Filebeat starts: of the main file, or of a static module. */
export interface StaticInput {
  tree: Tree;
  /** `module/fileset`. */
  label?: string;
  declaredIn?: Listener['declaredIn'];
  slowStart?: true;
}

function unreadable(list: { fault: Fault; unresolved?: unknown }): Part {
  return list.unresolved ? { outcome: 'unknown', reason: list.fault } : exits(list.fault);
}

function listOf(tree: Tree, key: string, scope: Scope): Read<Tree[]> {
  const found = get(tree, key, scope);
  if (!found.ok) return found;
  if (!found.value) return { ok: true, value: [] };
  const list = toList(found.value, scope);
  if (!list.ok) return list;
  return entriesOf({ ...newTree(found.value.at), items: list.value }, scope);
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

function ownSettings(filebeat: Tree, { scope, release }: InputContext): Complaint {
  return first(
    () => (applies('registry-settings-removed', release) ? object(filebeat, 'registry', scope) : undefined),
    () => duration(filebeat, 'registry.flush', scope),
    () => duration(filebeat, 'registry.cleanup_interval', scope),
    () => duration(filebeat, 'shutdown_timeout', scope),
    () => truth(filebeat, 'overwrite_pipelines', scope),
    () => object(filebeat, 'config.inputs', scope),
    () => object(filebeat, 'config.modules', scope),
    () => object(filebeat, 'autodiscover', scope),
  );
}

function start(filebeat: Tree, statics: StaticInput[], fallback: boolean, cwd: string, source: ModuleSource): Part {
  const { context, reading } = source;
  const { scope, release } = context;
  const inputSection = readSection(filebeat, 'config.inputs', scope);
  const oldSection = applies('prospectors-removed', release)
    ? undefined
    : readSection(filebeat, 'config.prospectors', scope);
  const moduleSection = readSection(filebeat, 'config.modules', scope);
  const enabled = statics.filter(({ tree }) => isEnabled(tree, scope));
  const discovery = autodiscover(filebeat, scope);
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
    const loaded = loadSection(moduleSection, 'modules', context.configPath, scope, reading);
    if (loaded.fatal) return exits(loaded.fatal);
    const external = externalModules(loaded.files, moduleSection, source);
    if (external.fatal) return exits(external.fatal);
    results.push(...external.results);
    listeners.push(...external.listeners);
    faults.push(...loaded.faults, ...external.faults);
    if (external.fallback) fallback = true;
  }
  markRivals(listeners, results, context);
  const part: Part = { listeners, faults, ...(fallback ? { filesetFallback: true as const } : {}) };
  if (discovery?.fault) return exits(discovery.fault);
  if (discovery?.dynamic) return { ...part, outcome: 'dynamic', reason: { code: 'autodiscover', at: discovery.at } };
  return part;
}

function startStatics(enabled: readonly StaticInput[], context: InputContext) {
  const { scope } = context;
  const results: InputResult[] = [];
  const listeners: Listener[] = [];
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const { tree, label, declaredIn, slowStart } of enabled) {
    const hash = toPlain(tree, scope);
    if (!hash.ok && !hash.unresolved) return { fatal: hash.fault, results, listeners, faults };
    if (hash.ok) {
      const key = canonical(hash.value);
      if (seen.has(key)) return { fatal: { code: 'identical-inputs', at: tree.at }, results, listeners, faults };
      seen.add(key);
    }
    const result = readInput(tree, context, label, declaredIn);
    if (slowStart) result.listeners = result.listeners.map((listener) => ({ ...listener, slowStart }));
    if (result.failure && result.failure.phase !== 'run')
      return { fatal: result.failure.fault, results, listeners, faults };
    if (result.failure) faults.push(result.failure.fault);
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

/** An autodiscover section counts as something to do; a non-empty one makes inputs out of what it discovers. */
function autodiscover(
  filebeat: Tree,
  scope: Scope,
): { dynamic: boolean; at: Listener['declaredIn']; fault?: Fault } | undefined {
  const found = get(filebeat, 'autodiscover', scope);
  if (!found.ok || !found.value) return undefined;
  const at = found.value.at;
  const section = toTree(found.value, scope);
  if (!section.ok) return { dynamic: false, at };
  const providers = listOf(section.value, 'providers', scope);
  if (!providers.ok) return { dynamic: false, at, ...(providers.unresolved ? {} : { fault: providers.fault }) };
  const known = ['docker', 'kubernetes', 'jolokia', 'nomad', 'aws_ec2', 'aws_elb'];
  for (const provider of providers.value) {
    const type = get(provider, 'type', scope);
    const word = type.ok && type.value ? toText(type.value, scope) : type;
    if (!word.ok) return { dynamic: true, at, ...(word.unresolved ? {} : { fault: word.fault }) };
    if (typeof word.value !== 'string' || !known.includes(word.value)) {
      return {
        dynamic: false,
        at,
        fault: { code: 'unknown-provider', subject: 'filebeat.autodiscover', at: provider.at },
      };
    }
  }
  return { dynamic: providers.value.length > 0, at };
}

/** 8.10.5 to 8.18 and 9.0 read every input and every included file once more before anything starts (for `take_over`). */
function readEarly(
  filebeat: Tree,
  statics: readonly StaticInput[],
  cwd: string,
  context: InputContext,
  reading: Reading,
): Fault | undefined {
  const { scope, release } = context;
  const trees = statics.map(({ tree }) => tree);
  if (applies('included-files-read-early', release)) {
    const stated = get(filebeat, 'config.inputs', scope);
    const section = stated.ok && stated.value ? toTree(stated.value, scope) : undefined;
    if (section?.ok) {
      const settings = sectionSettings(section.value, scope);
      if (!settings.ok) return settings.unresolved ? undefined : settings.fault;
      const included = earlyFiles(settings.value.path, cwd, scope, reading);
      if (!Array.isArray(included)) return included;
      trees.push(...included);
    }
    for (const tree of trees) {
      const complaint = first(
        () => truth(tree, 'take_over', scope),
        () => texts(tree, 'paths', scope),
      );
      if (complaint) return complaint.fault;
    }
  }
  if (!applies('all-ids-read', release)) return undefined;
  for (const tree of trees) {
    for (const key of ['id', 'type']) {
      const found = get(tree, key, scope);
      const read = found.ok && found.value ? toText(found.value, scope) : found;
      if (!read.ok && !read.unresolved) return { ...read.fault, subject: key };
    }
  }
  return undefined;
}

function earlyFiles(pattern: string, cwd: string, scope: Scope, reading: Reading): Tree[] | Fault {
  if (pattern === '') return [];
  const absolute = cleanPath(pattern.startsWith('/') ? pattern : `${cwd}/${pattern}`);
  const globbed = goGlob(absolute, reading.files, 10_000);
  if (!globbed.ok) return globbed.fault;
  const trees: Tree[] = [];
  for (const path of globbed.paths) {
    const loaded = loadFile(path, 'inputs', false, reading);
    if (loaded.kind === 'fault') return loaded.fault;
    if (loaded.kind === 'unseen') continue;
    const entries = entriesOf(loaded.tree, scope);
    if (!entries.ok) return entries.fault;
    trees.push(...entries.value);
  }
  return trees;
}

/** From 9.0 the ids of all filestream inputs of the main list have to differ, disabled ones included. */
function equalFilestreams(statics: readonly StaticInput[], scope: Scope): Fault | undefined {
  const seen = new Set<string>();
  for (const { tree } of statics) {
    const type = get(tree, 'type', scope);
    const word = type.ok && type.value ? toText(type.value, scope) : undefined;
    if (!word?.ok || word.value !== 'filestream') continue;
    const id = get(tree, 'id', scope);
    const text = id.ok && id.value ? toText(id.value, scope) : undefined;
    if (!id.ok || (text && !text.ok)) continue;
    const key = text?.value ?? '';
    if (seen.has(key)) return { code: 'filestream-id-twice', at: positionOf(tree, 'id') };
    seen.add(key);
  }
  return undefined;
}

/** Equal ids of inputs of the newer kind (8.10), and http_endpoints that share a socket. */
function markRivals(listeners: Listener[], results: readonly InputResult[], { release }: InputContext): void {
  const byId = new Map<string, InputResult[]>();
  for (const result of results) {
    if (result.id === undefined || !result.newKind || result.type === undefined || !isNewKind(result.type, release))
      continue;
    byId.set(result.id, [...(byId.get(result.id) ?? []), result]);
  }
  if (applies('same-id-fails', release)) {
    let mark = 0;
    for (const group of byId.values()) {
      if (group.length < 2) continue;
      mark++;
      for (const listener of listeners) {
        if (group.some((result) => result.listeners.some((one) => sameListener(one, listener))))
          listener.rival = `id ${mark}`;
      }
    }
  }
  const urls = new Map<string, Set<string>>();
  for (const { url, listeners: own } of results) {
    const [listener] = own;
    if (url === undefined || !listener) continue;
    const key = `${listener.address}:${listener.port}`;
    const known = urls.get(key) ?? new Set();
    urls.set(key, known.add(url));
  }
  for (const listener of listeners) {
    if ((urls.get(`${listener.address}:${listener.port}`)?.size ?? 0) > 1 && listener.input === 'http_endpoint') {
      listener.shares = true;
    }
  }
}

function sameListener(a: Listener, b: Listener): boolean {
  return a.declaredIn.file === b.declaredIn.file && a.declaredIn.line === b.declaredIn.line && a.port === b.port;
}
