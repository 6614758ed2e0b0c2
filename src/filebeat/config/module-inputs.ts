/**
 * Inputs of modules. Static entries and `--modules` become inputs like those of the main file; an entry of a file
 * in modules.d is one group: Filebeat creates all of its inputs or none.
 */
import type { Fault, Listener, Refusal } from '../../model/model.js';
import type { Loader } from '../files/load.js';
import type { InputContext } from '../inputs/input-context.js';
import { type InputResult, readInput } from '../inputs/inputs.js';
import { declaredTogether, refusal } from '../inputs/refusal.js';
import { includedModuleInputs, type ModuleHome, staticModuleInputs } from '../modules/modules.js';
import { isEnabled } from '../tree/checks.js';
import { readAs, toBool } from '../tree/read.js';
import { copyTree, newTree, standsAlone, type Tree } from '../tree/tree.js';
import type { DynamicSection, ExternalFile, SkippedFile } from './external.js';
import { distinct, type External, fatalFault, reloadable } from './external-inputs.js';

/** The files that modules are read from, and all that their reading depends on. */
export interface ModuleSource {
  /** `-M`, as a tree. */
  overrides: Tree;
  context: InputContext;
  loader: Loader;
  /** Use this program's table of filesets for the release instead of the module folder in the home. */
  fromTable: boolean;
}

/** An input that Filebeat creates at its start: of the main file, or of a static module. */
export interface StaticInput {
  tree: Tree;
  /** `module/fileset`. */
  label?: string;
  declaredIn?: { file: string; line?: number };
  slowStart?: true;
  notes?: string[];
}

/** The listeners of one input, with the facts about the fileset that it comes from. */
export function readStatic(
  { tree, label, declaredIn, slowStart, notes }: StaticInput,
  context: InputContext,
): InputResult {
  const result = readInput(tree, context, label, declaredIn);
  if (label === undefined) return result;
  const ofFileset = (listener: Listener): Listener => ({
    ...listener,
    notes: [...(notes ?? []), ...(listener.notes ?? [])],
    ...(slowStart ? { slowStart } : {}),
  });
  return {
    ...result,
    listeners: result.listeners.map(ofFileset),
    ...(result.declared === undefined ? {} : { declared: result.declared.map(ofFileset) }),
  };
}

export interface StaticModules {
  /** Ends the process. */
  fatal?: Fault;
  /** An entry depends on something that this program cannot read. */
  unknown?: Fault;
  inputs: StaticInput[];
  faults: Refusal[];
  fallback: boolean;
}

function homeOf({ context, loader, fromTable }: ModuleSource): ModuleHome {
  const file = loader.files.read('/etc/hostname', 4096);
  const hostname = file.ok ? Buffer.from(file.value.bytes).toString('latin1').trim() : '';
  return { home: context.paths.home, scope: context.scope, loader, hostname, ...(fromTable ? { table: true } : {}) };
}

/** `filebeat.modules`, `--modules`, `-M`. */
export function staticModules(entries: Tree[], names: string[], filebeat: Tree, source: ModuleSource): StaticModules {
  const { scope } = source.context;
  const switches = {
    enableAll: readAs(filebeat, 'config.modules.enable_all_filesets', scope, toBool) === true,
    forceEnable: readAs(filebeat, 'config.modules.force_enable_module_filesets', scope, toBool) === true,
  };
  const result = staticModuleInputs(entries, names, source.overrides, switches, homeOf(source));
  if (result.ok) {
    const { faults } = result.value;
    // A missing module folder matters only if a module is configured.
    if (faults.length === 0 || entries.length + names.length === 0) return { ...result.value, faults: [] };
    const inTable = staticModules(entries, names, filebeat, { ...source, fromTable: true });
    const isUnknown = inTable.fatal !== undefined || inTable.unknown !== undefined;
    const declared = isUnknown
      ? undefined
      : declaredTogether(inTable.inputs.map((input) => readStatic(input, source.context)));
    return { ...result.value, faults: faults.map((fault) => refusal(fault, declared)) };
  }
  const nothing = { inputs: [], faults: [], fallback: false };
  return result.unresolved ? { ...nothing, unknown: result.fault } : { ...nothing, fatal: result.fault };
}

/** The entries of the files of `filebeat.config.modules`. */
export function externalModules(
  files: readonly ExternalFile[],
  section: DynamicSection,
  source: ModuleSource,
): External {
  const { context } = source;
  const external: External = { results: [], listeners: [], faults: [] };
  const entries = files.flatMap((file) => file.entries);
  // The results of the check hold for the run, too, unless the entry refers to something outside of it.
  const checked = new Map<Tree, Group>();
  if (!section.reload) {
    for (const entry of entries) {
      if (!isEnabled(entry, context.scope)) continue;
      const group = readGroup(entry, source);
      if (standsAlone(entry)) checked.set(entry, group);
      const fatal = group.fatal ?? group.results.map((result) => fatalFault(result, context)).find((fault) => fault);
      if (fatal) return { ...external, fatal };
    }
  }
  const refuse = (fault: Fault, declared: readonly Listener[] | undefined) =>
    external.faults.push(refusal(fault, reloadable(declared, section, context)));
  const skip = (fault: Fault, skipped: readonly Tree[]) => refuse(fault, declaredByEntries(skipped, source));
  for (const entry of distinct(entries, context.scope, external, skip)) {
    const group = checked.get(entry) ?? readGroup(copyTree(entry), source);
    for (const fault of group.faults) refuse(fault, declaredByEntries([entry], { ...source, fromTable: true }));
    if (group.fallback) external.fallback = true;
    const failed = group.results.find(({ failure }) => failure && failure.phase !== 'run');
    const fault = group.fatal ?? failed?.failure?.fault;
    if (fault) {
      skip(fault, [entry]);
      continue;
    }
    for (const result of group.results) {
      if (result.failure) refuse(result.failure.fault, result.declared);
      external.results.push(result);
      external.listeners.push(...reloadable(result.listeners, section, context));
    }
  }
  return external;
}

/** Files that Filebeat ignores as a whole, with the listeners that their entries declare. */
export function skippedModules(
  skipped: readonly SkippedFile[],
  section: DynamicSection,
  source: ModuleSource,
): Refusal[] {
  return skipped.map(({ fault, entries }) => {
    const declared = entries.length === 0 ? undefined : declaredByEntries(entries, source);
    return refusal(fault, reloadable(declared, section, source.context));
  });
}

/** The listeners that module entries declare, whether or not Filebeat accepts the entries; undefined if unknown. */
export function declaredByEntries(entries: readonly Tree[], source: ModuleSource): Listener[] | undefined {
  const byEntry = entries
    .filter((entry) => isEnabled(entry, source.context.scope))
    .map((entry) => declaredByEntry(copyTree(entry), source));
  const known = byEntry.flatMap((listeners) => listeners ?? []);
  return known.length === 0 && byEntry.includes(undefined) ? undefined : known;
}

/** The listeners of the good filesets. Disables those that cannot be created; undefined if none is left. */
function declaredByEntry(entry: Tree, source: ModuleSource): Listener[] | undefined {
  const off = new Set<string>();
  for (;;) {
    const group = readGroup(copyTree(entry), source);
    if (!group.fatal) return declaredTogether(group.results);
    // A module without an enabled fileset declares nothing.
    if (group.fatal.code === 'no-enabled-fileset') return off.size === 0 ? [] : undefined;
    const bad = group.fatal.subject?.split('/')[1];
    if (bad === undefined || off.has(bad) || off.size > 100) return undefined;
    off.add(bad);
    const { at } = entry;
    const disabled = newTree(at, entry);
    disabled.names.set('enabled', { kind: 'bool', value: false, at });
    entry.names.set(bad, disabled);
  }
}

interface Group {
  /** Filebeat can create none of its inputs. */
  fatal?: Fault;
  results: InputResult[];
  faults: Refusal[];
  fallback: boolean;
}

function readGroup(entry: Tree, source: ModuleSource): Group {
  const result = includedModuleInputs(entry, homeOf(source));
  if (!result.ok) return { fatal: result.fault, results: [], faults: [], fallback: false };
  const { inputs, faults, fallback } = result.value;
  // `input.enabled: false` has no effect here: all inputs of a group run.
  const results = inputs.map((input) => readStatic(input, source.context));
  return { results, faults, fallback };
}
