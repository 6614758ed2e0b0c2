/**
 * Module entries → the inputs of their filesets, from the module folder of the instance's home (`<path.home>/module`),
 * or from this program's table (`known-filesets.ts`) where that folder cannot be read.
 */
import { limits } from '../../model/limits.js';
import type { Fault, Position } from '../../model/model.js';
import { derive } from '../files/frozen-view.js';
import { FILE_LIMIT } from '../files/load.js';
import { knownInput } from '../releases/registry.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';
import { filesetNotes } from '../tree/notes.js';
import { failure, type Read, type Tree } from '../tree/tree.js';
import { parseYaml, type YamlNode } from '../yaml/yaml.js';
import { type Made, type ModuleHome, makeFileset, stamp } from './fileset.js';
import { filesetDiffers, knownModule, slowFileset, tableFileset, tableFilesets } from './known-filesets.js';
import {
  emptySettings,
  type FilesetSettings,
  type ModuleEntry,
  overlayInput,
  overrideFileset,
  readEntry,
  readModuleOverrides,
  treeOf,
  withPathDefaults,
} from './module-entry.js';

export type { ModuleHome } from './fileset.js';

export interface FilesetInput {
  /** `module/fileset`. */
  label: string;
  tree: Tree;
  declaredIn: Position;
  slowStart?: true;
  /** Sentences about the origin of its variables. */
  notes: string[];
}

export interface ModuleInputs {
  inputs: FilesetInput[];
  /** Something was taken from this program's table. */
  fallback: boolean;
  /** Faults that do not end the process: no module folder. */
  faults: Fault[];
}

/** `filebeat.config.modules.enable_all_filesets` and `…force_enable_module_filesets`: static modules only. */
export interface FilesetSwitches {
  enableAll: boolean;
  forceEnable: boolean;
}

const MODULES_LIMIT = limits.configEntries;

/** `filebeat.modules` with `--modules` and `-M`. A failure ends the process. */
export function staticModuleInputs(
  entries: readonly Tree[],
  names: readonly string[],
  overrides: Tree,
  switches: FilesetSwitches,
  home: ModuleHome,
): Read<ModuleInputs> {
  const folder = moduleFolder(home);
  if (folder.kind === 'absent') return nothing(home, folder.fault);
  const { scope, loader } = home;
  const modules: ModuleEntry[] = [];
  for (const entry of entries) {
    const read = readEntry(withPathDefaults(entry, home.home, scope), scope, loader.release);
    if (!read.ok) return read;
    modules.push(read.value);
  }
  const flags = readModuleOverrides(overrides, scope);
  if (!flags.ok) return flags;
  const listed = new Set(modules.filter((entry) => entry.enabled !== false).map((entry) => entry.module));
  const at = { file: 'command line' };
  for (const module of names)
    if (module !== '' && !listed.has(module)) modules.push({ module, enabled: undefined, filesets: new Map(), at });
  if (applies('filesets-must-be-listed', loader.release)) {
    for (const entry of modules)
      for (const fileset of flags.value.get(entry.module)?.keys() ?? [])
        if (!entry.filesets.has(fileset)) entry.filesets.set(fileset, emptySettings(at));
  }
  const registry = new Registry(home, folder.kind === 'unseen', flags.value, switches);
  return registry.inputsOf(modules);
}

/** One entry of a file in modules.d. `-M` and `path.*` do not apply to it. */
export function includedModuleInputs(entry: Tree, home: ModuleHome): Read<ModuleInputs> {
  const folder = moduleFolder(home);
  if (folder.kind === 'absent') return nothing(home, folder.fault);
  const read = readEntry(entry, home.scope, home.loader.release);
  if (!read.ok) return read;
  const registry = new Registry(home, folder.kind === 'unseen', new Map(), { enableAll: false, forceEnable: false });
  return registry.inputsOf([read.value]);
}

function nothing(home: ModuleHome, fault: Fault): Read<ModuleInputs> {
  return { ok: true, value: { inputs: [], fallback: false, faults: [{ ...fault, subject: `${home.home}/module` }] } };
}

type Folder = { kind: 'seen' } | { kind: 'unseen' } | { kind: 'absent'; fault: Fault };

/** Filebeat logs a missing module folder and runs on. */
function moduleFolder({ home, loader, table }: ModuleHome): Folder {
  if (table) return { kind: 'unseen' };
  const path = `${home}/module`;
  const stat = loader.files.stat(path);
  if (stat.ok && stat.value.kind === 'directory') return { kind: 'seen' };
  if (stat.ok || stat.gap.reason === 'missing')
    return { kind: 'absent', fault: { code: 'no-module-folder', at: { file: path } } };
  loader.gaps.push(stat.gap);
  return { kind: 'unseen' };
}

/** Filebeat's module registry: of all static entries together, or of one entry of an included file. */
class Registry {
  private fallback: boolean;
  /** Something was taken from the table because the prediction is for another release than the installed one. */
  private differs = false;

  constructor(
    private readonly home: ModuleHome,
    private readonly unseen: boolean,
    private readonly flags: Map<string, Map<string, Tree>>,
    private readonly switches: FilesetSwitches,
  ) {
    this.fallback = unseen;
  }

  inputsOf(entries: ModuleEntry[]): Read<ModuleInputs> {
    const modules = new Map<object, FilesetInput[]>();
    const lastOfName = new Map<string, object>();
    const { release } = this.home.loader;
    const { enableAll, forceEnable } = this.switches;
    for (const entry of entries) {
      const isForced = (enableAll || forceEnable) && applies('filesets-must-be-listed', release);
      if (entry.enabled === false && !isForced) continue;
      const module = this.currentName(entry.module);
      const inputs = this.moduleInputs(module, entry);
      if (!inputs.ok) return inputs;
      // Of two entries for one module the later one wins.
      const earlier = lastOfName.get(module);
      if (earlier && !applies('same-module-twice', release)) modules.delete(earlier);
      lastOfName.set(module, entry);
      modules.set(entry, inputs.value);
    }
    return {
      ok: true,
      value: { inputs: [...modules.values()].flat(), fallback: this.fallback || this.differs, faults: [] },
    };
  }

  private moduleInputs(module: string, entry: ModuleEntry): Read<FilesetInput[]> {
    const { release } = this.home.loader;
    const mustBeListed = applies('filesets-must-be-listed', release);
    const existing = this.filesetsOf(module, entry.at);
    if (!existing.ok) return existing;
    const { enableAll, forceEnable } = this.switches;
    const filesets = new Map(entry.filesets);
    if (!mustBeListed || forceEnable)
      for (const name of existing.value.names()) if (!filesets.has(name)) filesets.set(name, emptySettings(entry.at));
    const inputs: FilesetInput[] = [];
    let enabled = 0;
    for (const [name, stated] of filesets) {
      const isReal = existing.value.has(name);
      // Before 8.0 `-M` does not apply to a fileset that does not exist.
      const settings =
        mustBeListed || isReal ? this.overridden(module, name, stated) : ({ ok: true, value: stated } as const);
      if (!settings.ok) return settings;
      if (settings.value.enabled === false && !(mustBeListed && (enableAll || forceEnable))) continue;
      if (!isReal) return failure('unknown-fileset', stated.at, `${module}/${name}`);
      const input = this.make(module, name, settings.value);
      if (!input.ok) return input;
      enabled++;
      if (!input.value) continue;
      const notes = filesetNotes(stated, settings.value, stated.at);
      inputs.push(inputOf(module, name, input.value, stated.at, notes));
    }
    // The table lists no inputs without sockets, so an enabled fileset may have an input that is not in `inputs`.
    const mayHaveInputs = (this.fallback || this.differs) && enabled > 0;
    if (mustBeListed && inputs.length === 0 && !mayHaveInputs) return failure('no-enabled-fileset', entry.at, module);
    return { ok: true, value: inputs };
  }

  private overridden(module: string, name: string, stated: FilesetSettings): Read<FilesetSettings> {
    const trees = [this.flags.get('*')?.get('*'), this.flags.get(module)?.get('*'), this.flags.get(module)?.get(name)];
    const { scope, loader } = this.home;
    return overrideFileset(
      stated,
      name,
      [...new Set(trees)].filter((tree) => tree !== undefined),
      scope,
      loader.release,
    );
  }

  private make(module: string, name: string, settings: FilesetSettings): Read<Tree | undefined> {
    const { scope, loader } = this.home;
    const { installed, release } = loader;
    const differs = installed !== undefined && filesetDiffers(module, name, installed, release);
    const fromFolder: Made = this.unseen || differs ? { ok: 'unseen' } : makeFileset(module, name, settings, this.home);
    // The other release has another template or no such fileset. The table has all filesets with sockets.
    if (
      fromFolder.ok === true &&
      installed &&
      isKnown(fromFolder.value, installed) &&
      !isKnown(fromFolder.value, release)
    ) {
      this.differs = true;
      return { ok: true, value: undefined };
    }
    if (fromFolder.ok !== 'unseen') return fromFolder;
    if (differs) this.differs = true;
    else this.fallback = true;
    const input = tableFileset(module, name, settings.variables, loader.release);
    if (!input) return { ok: true, value: undefined };
    const tree = treeOf(input, settings.at, scope);
    overlayInput(tree, settings.input, scope, settings.at);
    stamp(tree, `${module}/${name}`, settings.at);
    return { ok: true, value: tree };
  }

  /** Directories with a manifest. The table may lack names. */
  private filesetsOf(module: string, at: Position): Read<{ names: () => string[]; has: (name: string) => boolean }> {
    const { home, loader } = this.home;
    if (!this.unseen) {
      const folder = `${home}/module/${module}`;
      const listed = loader.files.list(folder, MODULES_LIMIT);
      if (listed.ok || listed.gap.reason === 'missing') {
        const entries = listed.ok ? listed.value : [];
        const isFileset = (name: string) => loader.files.stat(`${folder}/${name}/manifest.yml`).ok;
        if (!loader.installed) {
          if (!listed.ok) return failure('unknown-module', at, module);
          const has = (name: string) => entries.includes(name) && isFileset(name);
          return { ok: true, value: { names: () => entries.filter(isFileset), has } };
        }
        const names = this.namesIn(module, entries.filter(isFileset));
        if (!listed.ok && names.length === 0) return failure('unknown-module', at, module);
        if (!knownModule(module, loader.release)) return failure('unknown-module', at, module);
        return { ok: true, value: { names: () => names, has: (name) => names.includes(name) } };
      }
      loader.gaps.push(listed.gap);
    }
    this.fallback = true;
    if (!knownModule(module, loader.release)) return failure('unknown-module', at, module);
    const { names, gone } = tableFilesets(module, loader.release);
    return { ok: true, value: { names: () => names, has: (name) => !gone.includes(name) } };
  }

  /** The filesets of a module in the release of the prediction; installed ones that the table does not know stay. */
  private namesIn(module: string, installed: readonly string[]): string[] {
    const { names, gone } = tableFilesets(module, this.home.loader.release);
    return [...new Set([...installed.filter((name) => !gone.includes(name)), ...names])].sort();
  }

  /** `movedTo` of the module's own module.yml. */
  private currentName(module: string): string {
    if (this.unseen) return module;
    const file = this.home.loader.files.read(`${this.home.home}/module/${module}/module.yml`, FILE_LIMIT);
    if (!file.ok) return module;
    const { bytes } = file.value;
    const parsed = derive(bytes, 'module', () => parseYaml(bytes));
    const moved = parsed.ok ? entryOf(parsed.root, 'movedTo') : undefined;
    return moved?.kind === 'scalar' && typeof moved.value === 'string' && moved.value !== '' ? moved.value : module;
  }
}

function isKnown(input: Tree, release: ReleaseVersion): boolean {
  const type = input.names.get('type');
  return type?.kind !== 'text' || knownInput(type.value, release);
}

function entryOf(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return node?.kind === 'map' ? node.entries.find((entry) => entry.key === key)?.value : undefined;
}

function inputOf(module: string, fileset: string, tree: Tree, declaredIn: Position, notes: string[]): FilesetInput {
  const label = `${module}/${fileset}`;
  return { label, tree, declaredIn, notes, ...(slowFileset(label) ? { slowStart: true } : {}) };
}
