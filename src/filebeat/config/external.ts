/**
 * Sections that include files: `filebeat.config.inputs` and `filebeat.config.modules`. Without reload Filebeat checks
 * all of them before it starts, and a fault ends the process; with reload it skips bad entries.
 */
import { limits } from '../../model/limits.js';
import type { Fault } from '../../model/model.js';
import { cleanPath, goGlob } from '../files/glob.js';
import { type Loader, loadFile } from '../files/load.js';
import { treeFromYaml } from '../tree/build.js';
import { isEnabled, toDuration } from '../tree/checks.js';
import { getAs, readAs, toBool, toList, toText, toTree } from '../tree/read.js';
import { failure, type Read, type Tree, type Value } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';

/** Filebeat's own default. */
const RELOAD_PERIOD_SECONDS = 10;

/** `filebeat.config.inputs` or `filebeat.config.modules`. */
export interface DynamicSection {
  /** A glob; relative to the effective `path.config`. */
  path: string;
  reload: boolean;
  periodSeconds: number;
}

/** Undefined if the section is absent or disabled. A section that cannot be read counts as enabled, without files. */
export function readSection(filebeat: Tree, key: string, scope: Scope): DynamicSection | undefined {
  const section = readAs(filebeat, key, scope, toTree);
  if (!section || !isEnabled(section, scope)) return undefined;
  const read = sectionSettings(section, scope);
  return read.ok ? read.value : { path: '', reload: false, periodSeconds: RELOAD_PERIOD_SECONDS };
}

export function sectionSettings(section: Tree, scope: Scope): Read<DynamicSection> {
  const settings: DynamicSection = { path: '', reload: false, periodSeconds: RELOAD_PERIOD_SECONDS };
  const path = getAs(section, 'path', scope, toText);
  if (!path.ok) return path;
  settings.path = path.value ?? '';
  const reload = getAs(section, 'reload', scope, toTree);
  if (!reload.ok) return reload;
  if (!reload.value) return { ok: true, value: settings };
  const enabled = getAs(reload.value, 'enabled', scope, toBool);
  if (!enabled.ok) return enabled;
  settings.reload = enabled.value === true;
  const period = getAs(reload.value, 'period', scope, toDuration);
  if (!period.ok) return period;
  if (period.value !== undefined) settings.periodSeconds = period.value / 1e9;
  return { ok: true, value: settings };
}

export interface ExternalFile {
  path: string;
  entries: Tree[];
}

/** A file that Filebeat ignores as a whole. */
export interface SkippedFile {
  fault: Fault;
  /** The entries that this program can read nevertheless. */
  entries: Tree[];
}

/** The files of a section and their entries. `fatal`: Filebeat would not start. */
export function loadSection(
  section: DynamicSection,
  role: 'inputs' | 'modules',
  configPath: string,
  scope: Scope,
  loader: Loader,
): { fatal?: Fault; files: ExternalFile[]; faults: Fault[]; skipped: SkippedFile[] } {
  const pattern = section.path.startsWith('/') ? section.path : `${configPath}/${section.path}`;
  const globbed = goGlob(cleanPath(pattern), loader.files, limits.configEntries);
  if (!globbed.ok) {
    const fault = { ...globbed.fault, subject: `filebeat.config.${role}.path` };
    return section.reload
      ? { files: [], faults: [fault], skipped: [] }
      : { fatal: fault, files: [], faults: [], skipped: [] };
  }
  loader.gaps.push(...globbed.gaps);
  const files: ExternalFile[] = [];
  const faults: Fault[] = [];
  const skipped: SkippedFile[] = [];
  for (const path of globbed.paths) {
    const stat = loader.files.stat(path);
    if (stat.ok ? stat.value.kind !== 'file' : stat.gap.reason === 'missing') continue;
    const loaded = loadFile(path, role, section.reload, loader);
    if (loaded.kind !== 'tree') {
      if (loaded.kind === 'fault' && !section.reload) return { fatal: loaded.fault, files, faults, skipped };
      faults.push(loaded.fault);
      continue;
    }
    const entries = entriesOf(loaded.tree.items, scope);
    if (!entries.ok) {
      if (!section.reload) return { fatal: entries.fault, files, faults, skipped };
      skipped.push({ fault: entries.fault, entries: readableEntries(loaded.tree, scope) });
    } else if (isMapForList(loaded.tree)) {
      // Filebeat ignores the file without a message.
      skipped.push({ fault: { code: 'not-a-list', subject: path, at: { file: path } }, entries: [loaded.tree] });
    } else files.push({ path, entries: entries.value });
    if (role === 'inputs') skipped.push(...ignoredEntries(path, loader, scope));
  }
  return { files, faults, skipped };
}

/** Inputs in a second document, which Filebeat does not read. */
function ignoredEntries(path: string, { ignored, rules }: Loader, scope: Scope): SkippedFile[] {
  return ignored.flatMap(({ fault, part }): SkippedFile[] => {
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

/** List items as sections. */
export function entriesOf(items: readonly Value[] | undefined, scope: Scope): Read<Tree[]> {
  const entries: Tree[] = [];
  for (const item of items ?? []) {
    const entry = toTree(item, scope);
    if (!entry.ok) return entry.unresolved ? entry : failure('wrong-type', item.at);
    entries.push(entry.value);
  }
  return { ok: true, value: entries };
}

/** A setting that is a list of sections, e.g. `filebeat.inputs`. */
export function listOf(tree: Tree, key: string, scope: Scope): Read<Tree[]> {
  const list = getAs(tree, key, scope, toList);
  return list.ok ? entriesOf(list.value, scope) : list;
}
