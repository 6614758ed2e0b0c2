/**
 * One fileset of a module: `<home>/module/<module>/<fileset>/manifest.yml` declares variables and names a template;
 * the rendered template is the YAML of an input.
 */
import type { Position } from '../../model/model.js';
import { derive } from '../files/frozen-view.js';
import { FILE_LIMIT, type Loader, loadFile, parseOnce } from '../files/load.js';
import { applies } from '../releases/releases.js';
import { compileTemplate, renderTemplate, type Template } from '../template/template.js';
import { treeFromYaml } from '../tree/build.js';
import { getAs, toList, toPlain, toText } from '../tree/read.js';
import { failure, type Read, type Tree } from '../tree/tree.js';
import { isPlainMap, type Plain, type PlainMap, plainMap } from '../tree/value.js';
import type { Scope } from '../tree/variables.js';
import { type FilesetSettings, overlayInput, withPathDefaults } from './module-entry.js';

/** Where modules are read from, and the facts about the host that templates can use. */
export interface ModuleHome {
  /** Effective `path.home`. */
  home: string;
  scope: Scope;
  loader: Loader;
  /** As `hostname` prints it. */
  hostname: string;
  /** Use this program's table instead of the module folder. */
  table?: true;
}

/** `unseen`: a file could not be read (the gap is recorded). */
export type Made = Read<Tree> | { ok: 'unseen' };

interface Manifest {
  variables: PlainMap[];
  input: string;
  pipelines: string[];
}

/**
 * The input of a fileset, with `input.*` merged into it. Faults have the position of the fileset in the configuration.
 */
export function makeFileset(module: string, fileset: string, settings: FilesetSettings, home: ModuleHome): Made {
  const { at } = settings;
  const subject = `${module}/${fileset}`;
  const folder = `${home.home}/module/${module}/${fileset}`;
  const loaded = loadFile(`${folder}/manifest.yml`, 'manifest', false, home.loader);
  if (loaded.kind === 'unseen') return { ok: 'unseen' };
  if (loaded.kind === 'fault') return { ok: false, fault: loaded.fault };
  const manifest = readManifest(loaded.tree, home.scope, home.loader);
  if (!manifest.ok) return manifest;
  const variables = evaluate(manifest.value, module, fileset, settings, home);
  if (!variables.ok) return variables;
  const render = (text: string | Template) => renderTemplate(text, variables.value, home.loader.files.work?.spend);
  for (const pipeline of manifest.value.pipelines) {
    const rendered = render(pipeline);
    if (!rendered.ok) return failure(rendered.fault.code, at, subject);
  }
  const name = render(manifest.value.input);
  if (!name.ok) return failure(name.fault.code, at, subject);
  const path = `${folder}/${name.text}`;
  const template = home.loader.files.read(path, FILE_LIMIT);
  if (!template.ok) {
    if (template.gap.reason === 'missing') return failure('module-file-missing', at, subject);
    home.loader.gaps.push(template.gap);
    return { ok: 'unseen' };
  }
  note(path, template.value.stat.mtime, home.loader);
  const { bytes } = template.value;
  const text = render(derive(bytes, 'template', () => compileTemplate(Buffer.from(bytes).toString('utf8'))));
  if (!text.ok) return failure(text.fault.code, at, subject);
  return inputOf(text.text, bytes, subject, settings, home);
}

function note(path: string, mtime: number, loader: Loader): void {
  if (!loader.seen.some((file) => file.path === path))
    loader.seen.push({ path, role: 'manifest', mtime, reloaded: false });
}

function inputOf(
  text: string,
  template: Uint8Array,
  subject: string,
  settings: FilesetSettings,
  home: ModuleHome,
): Read<Tree> {
  const { scope, loader } = home;
  const { at } = settings;
  const parsed = parseOnce(text, template, loader);
  if (!parsed.ok) return failure('module-template-yaml', at, subject);
  const built = treeFromYaml(parsed.root, { file: at.file, rules: loader.rules, clashes: [] });
  if (!built.ok) return failure(built.fault.code, at, subject);
  const tree = withPathDefaults(built.value, home.home, scope);
  setPositions(tree, at);
  // For another release this is the wrong template; its processors may be unknown there.
  if (loader.installed) tree.names.delete('processors');
  if (Object.keys(settings.input).length > 0) overlayInput(tree, settings.input, scope, at);
  stamp(tree, subject, at);
  return { ok: true, value: tree };
}

/** Adds the names that Filebeat adds to a module's input; some rules exempt such inputs. */
export function stamp(tree: Tree, label: string, at: Position): void {
  const [module = '', fileset = ''] = label.split('/');
  tree.names.set('_module_name', { kind: 'text', value: module, at });
  tree.names.set('_fileset_name', { kind: 'text', value: fileset, at });
}

/** Gives every value the position of the fileset: lines of a rendered template do not help a user. */
function setPositions(tree: Tree, at: Position): void {
  tree.at = at;
  for (const value of [...tree.names.values(), ...(tree.items ?? [])])
    if (value.kind === 'tree') setPositions(value, at);
    else value.at = at;
}

function readManifest(tree: Tree, scope: Scope, loader: Loader): Read<Manifest> {
  const texts = (key: string): Read<string[]> => {
    const list = getAs(tree, key, scope, toList);
    if (!list.ok) return list;
    const result: string[] = [];
    for (const item of list.value ?? []) {
      const text = toText(item, scope);
      if (!text.ok) return text;
      result.push(text.value);
    }
    return { ok: true, value: result };
  };
  const invalid = () => failure('manifest-invalid', tree.at);
  const input = texts('input');
  const prospector = applies('prospectors-removed', loader.release) ? undefined : texts('prospector');
  const pipelines = texts('ingest_pipeline');
  const list = getAs(tree, 'var', scope, toList);
  if (!input.ok || !pipelines.ok || !list.ok) return invalid();
  const variables: PlainMap[] = [];
  for (const item of list.value ?? []) {
    const plain = toPlain(item, scope);
    if (!plain.ok || !isPlainMap(plain.value)) return invalid();
    variables.push(plain.value);
  }
  const name = (prospector?.ok ? prospector.value[0] : undefined) ?? input.value[0] ?? '';
  return { ok: true, value: { variables, input: name, pipelines: pipelines.value } };
}

/** Defaults in the order of the manifest, each a template that can use those before it; then `var.*`, not rendered. */
function evaluate(
  manifest: Manifest,
  module: string,
  fileset: string,
  settings: FilesetSettings,
  home: ModuleHome,
): Read<PlainMap> {
  const variables = plainMap();
  variables['builtin'] = builtins(module, fileset, home);
  for (const stated of manifest.variables) {
    const name = stated['name'];
    if (typeof name !== 'string') return failure('manifest-invalid', settings.at, `${module}/${fileset}`);
    const os = stated['os'];
    const value = isPlainMap(os) && os['linux'] !== undefined && os['linux'] !== null ? os['linux'] : stated['default'];
    const resolved = resolve(value ?? null, variables, home.loader.files.work?.spend);
    if (!resolved.ok) return failure(resolved.code, settings.at, `${module}/${fileset}`);
    variables[name] = resolved.value;
  }
  return { ok: true, value: Object.assign(variables, settings.variables) };
}

function resolve(
  value: Plain,
  variables: PlainMap,
  spend?: (steps: number) => void,
): { ok: true; value: Plain } | { ok: false; code: string } {
  if (typeof value === 'string') {
    const rendered = renderTemplate(value, variables, spend);
    return rendered.ok ? { ok: true, value: rendered.text } : { ok: false, code: rendered.fault.code };
  }
  if (!Array.isArray(value)) return { ok: true, value };
  const items: Plain[] = [];
  for (const item of value) {
    const resolved = typeof item === 'string' ? resolve(item, variables, spend) : { ok: true as const, value: item };
    if (!resolved.ok) return resolved;
    items.push(resolved.value);
  }
  return { ok: true, value: items };
}

function builtins(module: string, fileset: string, { hostname, loader }: ModuleHome): PlainMap {
  const [short = '', ...domain] = hostname.split('.');
  return {
    ...plainMap(),
    prefix: 'filebeat',
    hostname: short,
    domain: domain.join('.'),
    module,
    fileset,
    beatVersion: loader.release.join('.'),
  };
}
