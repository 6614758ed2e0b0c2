/**
 * Configuration outside the main file: `filebeat.config.inputs`, `filebeat.config.modules`, `filebeat.config_dir`.
 * Without reload Filebeat checks all of it before it starts and a fault ends the process; with reload it skips what is bad.
 */

import { limits } from '../../model/limits.js';
import type { Fault, Listener, Refusal } from '../../model/model.js';
import { goGlob } from '../files/glob.js';
import { loadFile, type Reading } from '../files/load.js';
import type { InputContext } from '../inputs/input-context.js';
import { type InputResult, readInput, unresolvedListener } from '../inputs/inputs.js';
import { declaredTogether, refusal } from '../inputs/refusal.js';
import { applies } from '../releases/releases.js';
import { treeFromYaml } from '../tree/build.js';
import { isEnabled, toDuration } from '../tree/checks.js';
import { get, toBool, toList, toPlain, toText, toTree } from '../tree/read.js';
import { copyTree, newTree, standsAlone, type Tree } from '../tree/tree.js';
import { isGoFloat, type Plain, plainMap } from '../tree/value.js';
import { failure, type Read, type Scope } from '../tree/variables.js';

/** A glob over more files than this is a gap. */
const GLOB_LIMIT = limits.configEntries;
/** Filebeat's own default. */
const RELOAD_PERIOD_SECONDS = 10;

/** `filebeat.config.inputs` or `filebeat.config.modules`. */
export interface DynamicSection {
  /** Relative ones count from the effective `path.config`. */
  path: string;
  reload: boolean;
  periodSeconds: number;
}

/** What one kind of external configuration comes to. */
export interface External {
  /** Ends the process. */
  fatal?: Fault;
  results: InputResult[];
  listeners: Listener[];
  faults: Refusal[];
}

/** Undefined: the section is absent or off. One that cannot be read counts as on and names no files. */
export function readSection(filebeat: Tree, key: string, scope: Scope): DynamicSection | undefined {
  const found = get(filebeat, key, scope);
  const section = found.ok && found.value ? toTree(found.value, scope) : undefined;
  if (!section?.ok || !isEnabled(section.value, scope)) return undefined;
  const read = sectionSettings(section.value, scope);
  return read.ok ? read.value : { path: '', reload: false, periodSeconds: RELOAD_PERIOD_SECONDS };
}

export function sectionSettings(section: Tree, scope: Scope): Read<DynamicSection> {
  const settings: DynamicSection = { path: '', reload: false, periodSeconds: RELOAD_PERIOD_SECONDS };
  const path = get(section, 'path', scope);
  if (!path.ok) return path;
  if (path.value) {
    const read = toText(path.value, scope);
    if (!read.ok) return read;
    settings.path = read.value;
  }
  const reload = get(section, 'reload', scope);
  if (!reload.ok) return reload;
  if (!reload.value) return { ok: true, value: settings };
  const tree = toTree(reload.value, scope);
  if (!tree.ok) return tree;
  const enabled = get(tree.value, 'enabled', scope);
  const on = enabled.ok && enabled.value ? toBool(enabled.value, scope) : enabled;
  if (!on.ok) return on;
  settings.reload = on.value === true;
  const period = get(tree.value, 'period', scope);
  const nanoseconds = period.ok && period.value ? toDuration(period.value, scope) : period;
  if (!nanoseconds.ok) return nanoseconds;
  if (typeof nanoseconds.value === 'number') settings.periodSeconds = nanoseconds.value / 1e9;
  return { ok: true, value: settings };
}

export interface ExternalFile {
  path: string;
  entries: Tree[];
}

/** A file of which Filebeat takes nothing. */
export interface LostFile {
  fault: Fault;
  /** The entries that can be read all the same. */
  entries: Tree[];
}

/** The files behind a section and their entries. `fatal` only where Filebeat would not start. */
export function loadSection(
  section: DynamicSection,
  role: 'inputs' | 'modules',
  configPath: string,
  scope: Scope,
  reading: Reading,
): { fatal?: Fault; files: ExternalFile[]; faults: Fault[]; lost: LostFile[] } {
  const pattern = section.path.startsWith('/') ? section.path : `${configPath}/${section.path}`;
  const globbed = goGlob(cleanPath(pattern), reading.files, GLOB_LIMIT);
  if (!globbed.ok) {
    const fault = { ...globbed.fault, subject: `filebeat.config.${role}.path` };
    return section.reload
      ? { files: [], faults: [fault], lost: [] }
      : { fatal: fault, files: [], faults: [], lost: [] };
  }
  reading.gaps.push(...globbed.gaps);
  const files: ExternalFile[] = [];
  const faults: Fault[] = [];
  const lost: LostFile[] = [];
  for (const path of globbed.paths) {
    const stat = reading.files.stat(path);
    if (stat.ok ? stat.value.kind !== 'file' : stat.gap.reason === 'missing') continue;
    const loaded = loadFile(path, role, section.reload, reading);
    if (loaded.kind !== 'tree') {
      if (loaded.kind === 'fault' && !section.reload) return { fatal: loaded.fault, files, faults, lost };
      faults.push(loaded.fault);
      continue;
    }
    const entries = entriesOf(loaded.tree, scope);
    if (!entries.ok) {
      if (!section.reload) return { fatal: entries.fault, files, faults, lost };
      lost.push({ fault: entries.fault, entries: readableEntries(loaded.tree, scope) });
    } else if (isMapForList(loaded.tree)) {
      // Filebeat takes nothing of it, and says nothing.
      lost.push({ fault: { code: 'not-a-list', subject: path, at: { file: path } }, entries: [loaded.tree] });
    } else files.push({ path, entries: entries.value });
    if (role === 'inputs') lost.push(...ignoredEntries(path, reading, scope));
  }
  return { files, faults, lost };
}

/** Inputs in a second document, which Filebeat does not read. */
function ignoredEntries(path: string, { ignored, rules }: Reading, scope: Scope): LostFile[] {
  return ignored.flatMap(({ fault, part }): LostFile[] => {
    if (part?.role !== 'inputs' || fault.at?.file !== path) return [];
    const tree = treeFromYaml(part.root, { file: path, rules, clashes: [] });
    const entries = tree.ok ? readableEntries(tree.value, scope) : [];
    return entries.length === 0 ? [] : [{ fault, entries }];
  });
}

function isMapForList({ names, items }: Tree): boolean {
  return names.size > 0 && (items === undefined || items.length === 0);
}

function readableEntries(tree: Tree, scope: Scope): Tree[] {
  return (tree.items ?? []).flatMap((item) => {
    const entry = toTree(item, scope);
    return entry.ok ? [entry.value] : [];
  });
}

/** Only a list at the top has entries; a map has none. */
export function entriesOf(tree: Tree, scope: Scope): Read<Tree[]> {
  const entries: Tree[] = [];
  for (const item of tree.items ?? []) {
    const entry = toTree(item, scope);
    if (!entry.ok) return entry.unresolved ? entry : failure('wrong-type', item.at);
    entries.push(entry.value);
  }
  return { ok: true, value: entries };
}

/** A setting that is a list of sections, e.g. `filebeat.inputs`. */
export function listOf(tree: Tree, key: string, scope: Scope): Read<Tree[]> {
  const found = get(tree, key, scope);
  if (!found.ok) return found;
  if (!found.value) return { ok: true, value: [] };
  const list = toList(found.value, scope);
  if (!list.ok) return list;
  return entriesOf({ ...newTree(found.value.at), items: list.value }, scope);
}

/** `filebeat.config.inputs`. */
export function externalInputs(section: DynamicSection, context: InputContext, reading: Reading): External {
  const { scope, release } = context;
  const loaded = loadSection(section, 'inputs', context.paths.config, scope, reading);
  const external: External = { results: [], listeners: [], faults: [...loaded.faults] };
  if (loaded.fatal) return { ...external, fatal: loaded.fatal };
  const lose = (fault: Fault, entries: readonly Tree[]) => {
    const asked = entries.length === 0 ? undefined : declaredBy(entries, context);
    external.faults.push(
      refusal(
        fault,
        asked?.map((listener) => reloadable(listener, section, context)),
      ),
    );
  };
  for (const { fault, entries } of loaded.lost) lose(fault, entries);
  const entries = loaded.files.flatMap((file) => file.entries);
  const checked = new Map<Tree, InputResult>();
  if (!section.reload) {
    const fault = checkEntries(entries, checked, context);
    if (fault) return { ...external, fatal: fault };
  }
  const included = applies('included-enabled', release) ? entries.filter((entry) => isEnabled(entry, scope)) : entries;
  for (const entry of distinct(included, scope, external, lose)) {
    // A running entry is a tree of its own: it no longer sees the rest of its file.
    const result = checked.get(entry) ?? readInput(copyTree(entry), context);
    if (result.failure) lose(result.failure.fault, [entry]);
    else external.results.push(result);
    external.listeners.push(...result.listeners.map((listener) => reloadable(listener, section, context)));
  }
  return external;
}

/** What entries ask for, whether or not Filebeat takes them; what is switched off asks for nothing. */
function declaredBy(entries: readonly Tree[], context: InputContext): Listener[] | undefined {
  return declaredTogether(
    entries.filter((entry) => isEnabled(entry, context.scope)).map((entry) => readInput(copyTree(entry), context)),
  );
}

/** Entries that come to the same run once: the last of them does. One that cannot be worked out is missing. */
export function distinct(
  entries: readonly Tree[],
  scope: Scope,
  external: External,
  lose: (fault: Fault, entries: readonly Tree[]) => void,
): Tree[] {
  const running = new Map<string, Tree>();
  for (const entry of entries) {
    const plain = toPlain(entry, scope);
    if (plain.ok) {
      running.set(identityOf(plain.value), entry);
    } else {
      if (plain.unresolved) {
        external.listeners.push(unresolvedListener(entry, plain));
        external.faults.push(plain.fault);
      } else lose(plain.fault, [entry]);
    }
  }
  return [...running.values()];
}

/**
 * What Filebeat looks at before it starts; switched-off entries are passed over. `checked` is filled with what comes to the
 * same when the entry runs: it refers to nothing.
 */
function checkEntries(
  entries: readonly Tree[],
  checked: Map<Tree, InputResult>,
  context: InputContext,
): Fault | undefined {
  for (const entry of entries) {
    if (!isEnabled(entry, context.scope)) continue;
    const result = readInput(entry, context);
    if (standsAlone(entry)) checked.set(entry, result);
    const { failure: failed } = result;
    const fatal = failed && isFoundByCheck(failed.phase, context);
    if (fatal) return failed.fault;
  }
  return undefined;
}

/** Up to 7.16 the check made the whole input, its processors included. */
export function isFoundByCheck(phase: 'check' | 'create' | 'run', { release }: InputContext): boolean {
  return phase === 'check' || (phase === 'create' && !applies('included-processors-tolerated', release));
}

export function reloadable(listener: Listener, section: DynamicSection, { release }: InputContext): Listener {
  if (!section.reload) return listener;
  const losesPort = !applies('reload-keeps-port', release);
  return {
    ...listener,
    reload: { periodSeconds: section.periodSeconds, ...(losesPort ? { losesPort: true as const } : {}) },
  };
}

/** `filebeat.config_dir`: a file, or the `*.yml` of a folder, each with a `filebeat` section. Its inputs join those of the main file. */
export function configDir(filebeat: Tree, context: InputContext, reading: Reading): { fatal?: Fault; inputs: Tree[] } {
  const { scope, release } = context;
  const found = get(filebeat, 'config_dir', scope);
  const stated = found.ok && found.value ? toText(found.value, scope) : found;
  if (!stated.ok) return stated.unresolved ? { inputs: [] } : { fatal: stated.fault, inputs: [] };
  if (typeof stated.value !== 'string' || stated.value === '') return { inputs: [] };
  const path = cleanPath(stated.value.startsWith('/') ? stated.value : `${context.paths.config}/${stated.value}`);
  const stat = reading.files.stat(path);
  if (!stat.ok && stat.gap.reason === 'missing')
    return { fatal: { code: 'file-missing', subject: path, at: { file: path } }, inputs: [] };
  let paths = [path];
  if (stat.ok && stat.value.kind === 'directory') {
    const globbed = goGlob(`${path}/*.yml`, reading.files, GLOB_LIMIT);
    if (!globbed.ok) return { fatal: globbed.fault, inputs: [] };
    reading.gaps.push(...globbed.gaps);
    paths = globbed.paths;
  }
  const inputs: Tree[] = [];
  for (const file of paths) {
    const loaded = loadFile(file, 'inputs', false, reading);
    if (loaded.kind === 'fault') return { fatal: loaded.fault, inputs };
    if (loaded.kind === 'unseen') continue;
    const keys = applies('prospectors-removed', release) ? ['inputs'] : ['prospectors', 'inputs'];
    for (const key of keys) {
      const list = get(loaded.tree, `filebeat.${key}`, scope);
      const items = list.ok && list.value ? toList(list.value, scope) : undefined;
      const entries = entriesOf({ ...newTree(loaded.tree.at), items: items?.ok ? items.value : [] }, scope);
      if (!entries.ok) return { fatal: entries.fault, inputs };
      inputs.push(...entries.value);
    }
  }
  return { inputs };
}

/** Lexical `..` and `//`, as Go's filepath.Join leaves them. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** A text that is equal for entries that Filebeat takes for the same: their keys in any order, without those that are null. */
export function identityOf(entry: Plain): string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry) || isGoFloat(entry)) return canonical(entry);
  const map = plainMap();
  for (const [key, value] of Object.entries(entry)) if (value !== null) map[key] = value;
  return canonical(map);
}

function canonical(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isGoFloat(value)) return `f${value.float}`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key]!)}`).join(',')}}`;
}
