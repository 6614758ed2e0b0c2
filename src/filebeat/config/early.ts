/** Settings that Filebeat reads of all inputs before it starts the first one. */
import type { Fault } from '../../model/model.js';
import { cleanPath, goGlob } from '../files/glob.js';
import { type Loader, loadFile } from '../files/load.js';
import type { InputContext } from '../inputs/input-context.js';
import { applies } from '../releases/releases.js';
import { first, texts, truth } from '../tree/checks.js';
import { getAs, positionOf, readAs, toText, toTree } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { entriesOf, sectionSettings } from './external.js';
import type { StaticInput } from './module-inputs.js';

/**
 * 8.10.5 to 8.18 and 9.0 read every input and every included file once more before anything starts (for `take_over`);
 * some releases also read every id and type. Returns the fault that ends the process.
 */
export function readEarly(
  filebeat: Tree,
  statics: readonly StaticInput[],
  context: InputContext,
  loader: Loader,
): Fault | undefined {
  const { scope, release } = context;
  const trees = statics.map(({ tree }) => tree);
  if (applies('included-files-read-early', release)) {
    const section = readAs(filebeat, 'config.inputs', scope, toTree);
    if (section) {
      const settings = sectionSettings(section, scope);
      if (!settings.ok) return settings.unresolved ? undefined : settings.fault;
      const included = earlyFiles(settings.value.path, context, loader);
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
      const read = getAs(tree, key, scope, toText);
      if (!read.ok && !read.unresolved) return { ...read.fault, subject: key };
    }
  }
  return undefined;
}

function earlyFiles(pattern: string, { cwd, scope }: InputContext, loader: Loader): Tree[] | Fault {
  if (pattern === '') return [];
  const absolute = cleanPath(pattern.startsWith('/') ? pattern : `${cwd}/${pattern}`);
  const globbed = goGlob(absolute, loader.files, 10_000);
  if (!globbed.ok) return globbed.fault;
  const trees: Tree[] = [];
  for (const path of globbed.paths) {
    const loaded = loadFile(path, 'inputs', false, loader);
    if (loaded.kind === 'fault') return loaded.fault;
    if (loaded.kind === 'unseen') continue;
    const entries = entriesOf(loaded.tree.items, scope);
    if (!entries.ok) return entries.fault;
    trees.push(...entries.value);
  }
  return trees;
}

/** From 9.0 the ids of all filestream inputs of the main file must differ, disabled inputs included. */
export function equalFilestreams(statics: readonly StaticInput[], scope: Scope): Fault | undefined {
  const seen = new Set<string>();
  for (const { tree } of statics) {
    if (readAs(tree, 'type', scope, toText) !== 'filestream') continue;
    const id = getAs(tree, 'id', scope, toText);
    if (!id.ok) continue;
    const key = id.value ?? '';
    if (seen.has(key)) return { code: 'filestream-id-twice', at: positionOf(tree, 'id') };
    seen.add(key);
  }
  return undefined;
}
