/**
 * What modules ask for: static entries and `--modules` become inputs like those of the main file; an entry of a file
 * in modules.d is one group, which Filebeat makes as a whole or not at all.
 */
import type { Fault, Listener, Prediction, Refusal } from '../../model/model.js';
import type { Reading } from '../files/load.js';
import type { InputContext } from '../inputs/input-context.js';
import { type InputResult, readInput } from '../inputs/inputs.js';
import { declaredTogether, refusal } from '../inputs/refusal.js';
import { includedModuleInputs, type ModuleHome, staticModuleInputs } from '../modules/modules.js';
import { isEnabled } from '../tree/checks.js';
import { get, toBool } from '../tree/read.js';
import { copyTree, newTree, standsAlone, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import {
  type DynamicSection,
  distinct,
  type External,
  type ExternalFile,
  isFoundByCheck,
  type LostFile,
  reloadable,
} from './external.js';

export interface ModuleSource {
  paths: Prediction['paths'];
  /** `-M`, as a tree. */
  overrides: Tree;
  context: InputContext;
  reading: Reading;
  /** Filesets are those that this program knows of the release, whatever lies in the home. */
  fromTable: boolean;
}

/** One input that is made when Filebeat starts: of the main file, or of a static module. */
export interface StaticInput {
  tree: Tree;
  /** `module/fileset`. */
  label?: string;
  declaredIn?: { file: string; line?: number };
  slowStart?: true;
  notes?: string[];
}

/** The listeners of one input, with what is known of the fileset that it comes from. */
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
  /** Something in an entry cannot be known from here. */
  unknown?: Fault;
  inputs: StaticInput[];
  faults: Refusal[];
  fallback: boolean;
}

function homeOf({ paths, context, reading, fromTable }: ModuleSource): ModuleHome {
  const file = reading.files.read('/etc/hostname', 4096);
  const hostname = file.ok ? Buffer.from(file.value.bytes).toString('latin1').trim() : '';
  return { home: paths.home, scope: context.scope, reading, hostname, ...(fromTable ? { table: true } : {}) };
}

/** `filebeat.modules`, `--modules`, `-M`. */
export function staticModules(entries: Tree[], names: string[], filebeat: Tree, source: ModuleSource): StaticModules {
  const { scope } = source.context;
  const switches = {
    enableAll: switchedOn(filebeat, 'config.modules.enable_all_filesets', scope),
    forceEnable: switchedOn(filebeat, 'config.modules.force_enable_module_filesets', scope),
  };
  const made = staticModuleInputs(entries, names, source.overrides, switches, homeOf(source));
  if (made.ok) {
    const { faults } = made.value;
    // That there is no module folder is worth saying only where somebody wants a module.
    if (faults.length === 0 || entries.length + names.length === 0) return { ...made.value, faults: [] };
    const inTable = staticModules(entries, names, filebeat, { ...source, fromTable: true });
    const isUntold = inTable.fatal !== undefined || inTable.unknown !== undefined;
    const asked = isUntold
      ? undefined
      : declaredTogether(inTable.inputs.map((input) => readStatic(input, source.context)));
    return { ...made.value, faults: faults.map((fault) => refusal(fault, asked)) };
  }
  const nothing = { inputs: [], faults: [], fallback: false };
  return made.unresolved ? { ...nothing, unknown: made.fault } : { ...nothing, fatal: made.fault };
}

function switchedOn(filebeat: Tree, key: string, scope: Scope): boolean {
  const found = get(filebeat, key, scope);
  const read = found.ok && found.value ? toBool(found.value, scope) : undefined;
  return read?.ok === true && read.value;
}

/** The entries of the files behind `filebeat.config.modules`. */
export function externalModules(
  files: readonly ExternalFile[],
  section: DynamicSection,
  source: ModuleSource,
): External & { fallback: boolean } {
  const { context } = source;
  const external = { results: [], listeners: [], faults: [], fallback: false } as External & { fallback: boolean };
  const entries = files.flatMap((file) => file.entries);
  // The check and the run come to the same, unless the entry refers to something.
  const checked = new Map<Tree, Group>();
  if (!section.reload) {
    for (const entry of entries) {
      if (!isEnabled(entry, context.scope)) continue;
      const group = readGroup(entry, source);
      if (standsAlone(entry)) checked.set(entry, group);
      const fatal = group.fatal ?? group.results.map((result) => fatalOf(result, context)).find((fault) => fault);
      if (fatal) return { ...external, fatal };
    }
  }
  const lose = (fault: Fault, lost: readonly Tree[]) =>
    external.faults.push(refusalOf(fault, declaredByEntries(lost, source), section, context));
  for (const entry of distinct(entries, context.scope, external, lose)) {
    const group = checked.get(entry) ?? readGroup(copyTree(entry), source);
    for (const fault of group.faults)
      external.faults.push(
        refusalOf(fault, declaredByEntries([entry], { ...source, fromTable: true }), section, context),
      );
    if (group.fallback) external.fallback = true;
    const lost =
      group.fatal ?? group.results.find((result) => result.failure && result.failure.phase !== 'run')?.failure?.fault;
    if (lost) {
      lose(lost, [entry]);
      continue;
    }
    for (const result of group.results) {
      if (result.failure) external.faults.push(refusalOf(result.failure.fault, result.declared, section, context));
      external.results.push(result);
      external.listeners.push(...result.listeners.map((listener) => reloadable(listener, section, context)));
    }
  }
  return external;
}

/** Files of which Filebeat takes nothing, with what their entries ask for. */
export function lostModules(lost: readonly LostFile[], section: DynamicSection, source: ModuleSource): Refusal[] {
  return lost.map(({ fault, entries }) => {
    const asked = entries.length === 0 ? undefined : declaredByEntries(entries, source);
    return refusalOf(fault, asked, section, source.context);
  });
}

function refusalOf(
  fault: Fault,
  asked: readonly Listener[] | undefined,
  section: DynamicSection,
  context: InputContext,
): Refusal {
  return refusal(
    fault,
    asked?.map((listener) => reloadable(listener, section, context)),
  );
}

/** What module entries ask for, whether or not Filebeat takes them. */
export function declaredByEntries(entries: readonly Tree[], source: ModuleSource): Listener[] | undefined {
  const all = entries
    .filter((entry) => isEnabled(entry, source.context.scope))
    .map((entry) => declaredByEntry(copyTree(entry), source));
  const told = all.flatMap((asked) => asked ?? []);
  return told.length === 0 && all.includes(undefined) ? undefined : told;
}

/** What its good filesets ask for, once those that cannot be made are switched off; undefined where none is left. */
function declaredByEntry(entry: Tree, source: ModuleSource): Listener[] | undefined {
  const off = new Set<string>();
  for (;;) {
    const group = readGroup(copyTree(entry), source);
    if (!group.fatal) return declaredTogether(group.results);
    // A module without an enabled fileset asks for nothing.
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
  /** The entry as a whole cannot be made. */
  fatal?: Fault;
  results: InputResult[];
  faults: Refusal[];
  fallback: boolean;
}

function readGroup(entry: Tree, source: ModuleSource): Group {
  const made = includedModuleInputs(entry, homeOf(source));
  if (!made.ok) return { fatal: made.fault, results: [], faults: [], fallback: false };
  const { inputs, faults, fallback } = made.value;
  // `input.enabled: false` is not asked for here: the inputs of a group all run.
  const results = inputs.map((input) => readStatic(input, source.context));
  return { results, faults, fallback };
}

function fatalOf({ failure }: InputResult, context: InputContext): Fault | undefined {
  return failure && isFoundByCheck(failure.phase, context) ? failure.fault : undefined;
}
