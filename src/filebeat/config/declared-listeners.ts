/**
 * What the files of a Filebeat ask for when no rule of ours is held against them: for the case that a process runs
 * although it is predicted that it cannot. Follows the same files as `section.ts`, and stops at nothing.
 */
import type { ConfigFile, Listener, Prediction, Refusal } from '../../model/model.js';
import type { InputContext } from '../inputs/input-context.js';
import { readInput } from '../inputs/inputs.js';
import { isEnabled } from '../tree/checks.js';
import { get, toTree } from '../tree/read.js';
import { copyTree, type Tree } from '../tree/tree.js';
import { configDir, type DynamicSection, externalInputs, listOf, loadSection, readSection } from './external.js';
import {
  declaredByEntries,
  externalModules,
  lostModules,
  type ModuleSource,
  readStatic,
  staticModules,
} from './module-inputs.js';

type Declared = Omit<NonNullable<Prediction['declared']>, 'files'>;

/** `names`: of `--modules`. What else is read of the command line is in `source`. */
export function declaredByFiles(
  main: Tree,
  names: string[],
  source: ModuleSource,
): NonNullable<Prediction['declared']> {
  // Its own account of files and gaps: those of the prediction stand.
  const files: ConfigFile[] = [];
  const reading = { ...source.reading, seen: files, gaps: [], clashes: [], ignored: [] };
  const own: ModuleSource = { ...source, reading };
  const { context } = own;
  const found = get(main, 'filebeat', context.scope);
  const section = found.ok && found.value ? toTree(found.value, context.scope) : undefined;
  if (!section?.ok) return { listeners: [], faults: [], files };
  const filebeat = section.value;
  const dynamic = [
    ...['config.prospectors', 'config.inputs'].map((key) => includedInputs(filebeat, key, own)),
    includedModules(filebeat, own),
  ];
  return {
    listeners: [
      ...staticInputs(filebeat, context, own),
      ...moduleListeners(filebeat, names, own),
      ...dynamic.flatMap(({ listeners }) => listeners),
    ],
    faults: dynamic.flatMap(({ faults }) => faults),
    files,
  };
}

function staticInputs(filebeat: Tree, context: InputContext, { reading }: ModuleSource): Listener[] {
  const { scope } = context;
  const lists = ['inputs', 'prospectors'].map((key) => listOf(filebeat, key, scope));
  const trees = [
    ...lists.flatMap((list) => (list.ok ? list.value : [])),
    ...configDir(filebeat, context, reading).inputs,
  ];
  return trees.filter((tree) => isEnabled(tree, scope)).flatMap((tree) => allOf(readInput(copyTree(tree), context)));
}

function moduleListeners(filebeat: Tree, names: string[], source: ModuleSource): Listener[] {
  const { scope } = source.context;
  const entries = listOf(filebeat, 'modules', scope);
  if (!entries.ok) return [];
  const made = staticModules(entries.value, names, filebeat, source);
  if (made.fatal) return declaredByEntries(entries.value, source) ?? [];
  return made.inputs
    .filter(({ tree }) => isEnabled(tree, scope))
    .flatMap((input) => allOf(readStatic(input, source.context)));
}

function includedInputs(filebeat: Tree, key: string, { context, reading }: ModuleSource): Declared {
  const section = readSection(filebeat, key, context.scope);
  if (section === undefined) return { listeners: [], faults: [] };
  return asRead(section, externalInputs({ ...section, reload: true }, context, reading));
}

function includedModules(filebeat: Tree, source: ModuleSource): Declared {
  const { context, reading } = source;
  const section = readSection(filebeat, 'config.modules', context.scope);
  if (section === undefined) return { listeners: [], faults: [] };
  const tolerant = { ...section, reload: true };
  const loaded = loadSection(tolerant, 'modules', context.paths.config, context.scope, reading);
  const { listeners, faults } = externalModules(loaded.files, tolerant, source);
  return asRead(section, { listeners, faults: [...faults, ...lostModules(loaded.lost, tolerant, source)] });
}

/** Without reload a fault of an included file ends the process: where it runs, whatever the file asks for is expected. */
function asRead(
  section: DynamicSection,
  { listeners, faults }: { listeners: Listener[]; faults: Refusal[] },
): Declared {
  if (section.reload) return { listeners, faults };
  // No release reads a second document, whether or not the process runs.
  const isIgnored = ({ code }: Refusal) => code === 'second-document';
  const costs = faults.flatMap((fault) => (isIgnored(fault) ? [] : (fault.costs ?? [])));
  return {
    listeners: [...listeners, ...costs].map(({ reload: _, refused: __, ...rest }) => rest),
    faults: faults.filter(isIgnored),
  };
}

function allOf({ listeners, declared }: { listeners: Listener[]; declared?: Listener[] }): Listener[] {
  return [...listeners, ...(declared ?? [])];
}
