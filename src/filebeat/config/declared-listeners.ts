/**
 * All listeners that the files declare, whatever faults they have: for a process that runs although the prediction says
 * that it cannot. Reads the same files as `section.ts` and continues after every fault.
 */
import type { ConfigFile, Listener, Prediction, Refusal } from '../../model/model.js';
import { readInput } from '../inputs/inputs.js';
import { isEnabled } from '../tree/checks.js';
import { readAs, toTree } from '../tree/read.js';
import { copyTree, type Tree } from '../tree/tree.js';
import { configDir } from './config-dir.js';
import { type DynamicSection, listOf, loadSection, readSection } from './external.js';
import { externalInputs } from './external-inputs.js';
import {
  declaredByEntries,
  externalModules,
  type ModuleSource,
  readStatic,
  skippedModules,
  staticModules,
} from './module-inputs.js';

type Declared = Omit<NonNullable<Prediction['declared']>, 'files'>;

/** `names`: from `--modules`. */
export function declaredByFiles(
  main: Tree,
  names: string[],
  source: ModuleSource,
): NonNullable<Prediction['declared']> {
  // Files and gaps are recorded apart from those of the prediction.
  const files: ConfigFile[] = [];
  const loader = { ...source.loader, seen: files, gaps: [], clashes: [], ignored: [] };
  const separate: ModuleSource = { ...source, loader };
  const filebeat = readAs(main, 'filebeat', source.context.scope, toTree);
  if (!filebeat) return { listeners: [], faults: [], files };
  const dynamic = [
    ...['config.prospectors', 'config.inputs'].map((key) => includedInputs(filebeat, key, separate)),
    includedModules(filebeat, separate),
  ];
  return {
    listeners: [
      ...staticInputs(filebeat, separate),
      ...moduleListeners(filebeat, names, separate),
      ...dynamic.flatMap(({ listeners }) => listeners),
    ],
    faults: dynamic.flatMap(({ faults }) => faults),
    files,
  };
}

function staticInputs(filebeat: Tree, { context, loader }: ModuleSource): Listener[] {
  const { scope } = context;
  const lists = ['inputs', 'prospectors'].map((key) => listOf(filebeat, key, scope));
  const trees = [
    ...lists.flatMap((list) => (list.ok ? list.value : [])),
    ...configDir(filebeat, context, loader).inputs,
  ];
  return trees.filter((tree) => isEnabled(tree, scope)).flatMap((tree) => allOf(readInput(copyTree(tree), context)));
}

function moduleListeners(filebeat: Tree, names: string[], source: ModuleSource): Listener[] {
  const { scope } = source.context;
  const entries = listOf(filebeat, 'modules', scope);
  if (!entries.ok) return [];
  const modules = staticModules(entries.value, names, filebeat, source);
  if (modules.fatal) return declaredByEntries(entries.value, source) ?? [];
  return modules.inputs
    .filter(({ tree }) => isEnabled(tree, scope))
    .flatMap((input) => allOf(readStatic(input, source.context)));
}

function includedInputs(filebeat: Tree, key: string, { context, loader }: ModuleSource): Declared {
  const section = readSection(filebeat, key, context.scope);
  if (section === undefined) return { listeners: [], faults: [] };
  return asRead(section, externalInputs({ ...section, reload: true }, context, loader));
}

function includedModules(filebeat: Tree, source: ModuleSource): Declared {
  const { context, loader } = source;
  const section = readSection(filebeat, 'config.modules', context.scope);
  if (section === undefined) return { listeners: [], faults: [] };
  const tolerant = { ...section, reload: true };
  const loaded = loadSection(tolerant, 'modules', context.paths.config, context.scope, loader);
  const { listeners, faults } = externalModules(loaded.files, tolerant, source);
  return asRead(section, { listeners, faults: [...faults, ...skippedModules(loaded.skipped, tolerant, source)] });
}

/** Without reload a fault in an included file ends the process. As it runs, expect all that the file declares. */
function asRead(
  section: DynamicSection,
  { listeners, faults }: { listeners: Listener[]; faults: Refusal[] },
): Declared {
  if (section.reload) return { listeners, faults };
  // But no release reads a second document.
  const isIgnored = ({ code }: Refusal) => code === 'second-document';
  const costs = faults.flatMap((fault) => (isIgnored(fault) ? [] : (fault.costs ?? [])));
  return {
    listeners: [...listeners, ...costs].map(({ reload: _, refused: __, ...listener }) => listener),
    faults: faults.filter(isIgnored),
  };
}

function allOf({ listeners, declared }: { listeners: Listener[]; declared?: Listener[] }): Listener[] {
  return [...listeners, ...(declared ?? [])];
}
