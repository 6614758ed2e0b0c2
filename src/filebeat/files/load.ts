/**
 * Reads configuration files as Filebeat does: first owner and mode, then YAML, then the tree. Records every file that
 * the prediction depends on and everything that cannot be read.
 */
import { createHash } from 'node:crypto';
import { limits } from '../../model/limits.js';
import type { ConfigFile, Fault, Gap } from '../../model/model.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';
import { type Clash, treeFromYaml } from '../tree/build.js';
import type { Tree, TreeRules } from '../tree/tree.js';
import { parseYaml, type YamlResult } from '../yaml/yaml.js';
import type { FileStat, FileView } from './file-view.js';
import { derive } from './frozen-view.js';
import { type Ignored, ignoredIn } from './ignored.js';
import { costs, countNodes } from './work.js';

/** How one prediction reads files, and the record of what it has read so far. */
export interface Loader {
  files: FileView;
  release: ReleaseVersion;
  /** The installed release, if the prediction is for another one. */
  installed?: ReleaseVersion;
  rules: TreeRules;
  /** Set while Filebeat checks owners and modes: the uid that may own the files, beside root. */
  strictUid: number | undefined;
  seen: ConfigFile[];
  gaps: Gap[];
  clashes: Clash[];
  /** Parts of files that Filebeat ignores. */
  ignored: Ignored[];
}

/** A configuration file as a tree, or why there is none. */
export type Loaded =
  | { kind: 'tree'; tree: Tree }
  /** Filebeat cannot load it. */
  | { kind: 'fault'; fault: Fault }
  /** This program cannot read it, Filebeat may; the gap is recorded. */
  | { kind: 'unseen'; fault: Fault };

/** Larger files are not read; that is a gap. */
export const FILE_LIMIT = limits.configBytes;

/** Loads one file and records it. `reloaded`: Filebeat reads it again while it runs. */
export function loadFile(path: string, role: ConfigFile['role'], reloaded: boolean, loader: Loader): Loaded {
  const at = { file: path };
  // Loader a file returns its stat, too.
  const content = loader.files.read(path, FILE_LIMIT);
  const stat = content.ok ? { ok: true as const, value: content.value.stat } : loader.files.stat(path);
  const known = noted({ path, role, reloaded, ...(stat.ok ? stampsOf(stat.value) : {}) }, loader);
  if (!stat.ok) {
    if (stat.gap.reason === 'missing') return { kind: 'fault', fault: { code: 'file-missing', subject: path, at } };
    return unseen(stat.gap, path, loader);
  }
  const refused = permissionFault(stat.value, path, loader.strictUid);
  if (refused) return { kind: 'fault', fault: refused };
  if (stat.value.kind === 'other') {
    return unseen({ reason: 'malformed', subject: path, detail: 'not a regular file' }, path, loader);
  }
  if (!content.ok) return unseen(content.gap, path, loader);
  const { bytes } = content.value;
  known.digest = derive(bytes, 'digest', () => digestOf(bytes));
  const parsed = parseOnce(bytes, bytes, loader);
  if (!parsed.ok) {
    const fault = { ...parsed.fault, at: { ...parsed.fault.at, file: path } };
    if (fault.code !== 'yaml-limit') return { kind: 'fault', fault };
    return unseen({ reason: 'limit', subject: path, detail: 'too large or too deeply nested' }, path, loader);
  }
  noteIgnored(ignoredIn(parsed.root, role, path, parsed.second), loader);
  const built = treeFromYaml(parsed.root, { file: path, rules: loader.rules, clashes: loader.clashes });
  return built.ok ? { kind: 'tree', tree: built.value } : { kind: 'fault', fault: built.fault };
}

/** Parses a document, or a text rendered from a file, and caches the result by the file's bytes (`source`). */
export function parseOnce(
  document: Uint8Array | string,
  source: Uint8Array,
  { files: { work }, release }: Loader,
): YamlResult {
  const flowColonFatal = !applies('flow-colons', release);
  const text = typeof document === 'string' ? document : '';
  const known = derive(source, `yaml ${flowColonFatal} ${text}`, () => {
    const bytes = typeof document === 'string' ? Buffer.from(document) : document;
    // Refused documents cost work, too.
    work?.spend(Math.ceil(bytes.length / 16));
    const yaml = parseYaml(bytes, { flowColonFatal });
    const nodes = work !== undefined && yaml.ok ? countNodes(yaml.root) + countNodes(yaml.second?.root) : 0;
    work?.spend(nodes * costs.parsed);
    return { yaml, nodes };
  });
  work?.spend(known.nodes * costs.node);
  return known.yaml;
}

function noteIgnored(parts: readonly Ignored[], { ignored }: Loader): void {
  for (const part of parts) if (!ignored.some(({ fault }) => isSamePosition(fault, part.fault))) ignored.push(part);
}

function isSamePosition(a: Fault, b: Fault): boolean {
  return a.at?.file === b.at?.file && a.at?.line === b.at?.line;
}

/** One entry for a file, even if Filebeat reads it at the start and reloads it later. */
function noted(file: ConfigFile, { seen }: Loader): ConfigFile {
  const before = seen.find(({ path, role }) => path === file.path && role === file.role);
  if (before) before.reloaded ||= file.reloaded;
  else seen.push(file);
  return before ?? file;
}

function stampsOf({ mtime, ctime }: FileStat): Pick<ConfigFile, 'mtime' | 'ctime'> {
  return { mtime, ...(ctime === undefined ? {} : { ctime }) };
}

/** The first 64 bits of a SHA-256, to recognise unchanged contents. */
function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** A fault if Filebeat refuses the file's owner, mode or kind. */
export function permissionFault(stat: FileStat, path: string, strictUid: number | undefined): Fault | undefined {
  const at = { file: path };
  if (strictUid !== undefined) {
    if (stat.uid !== 0 && stat.uid !== strictUid) return { code: 'wrong-owner', subject: path, at };
    if ((stat.mode & 0o022) !== 0) return { code: 'writable-by-others', subject: path, at };
  }
  return stat.kind === 'directory' ? { code: 'is-directory', subject: path, at } : undefined;
}

function unseen(gap: Gap, path: string, loader: Loader): Loaded {
  noteOnce(gap, loader.gaps);
  return { kind: 'unseen', fault: { code: 'file-unseen', subject: path, at: { file: path } } };
}

/** Adds a gap unless there is one with the same reason and subject. */
export function noteOnce(gap: Gap, gaps: Gap[]): void {
  if (!gaps.some(({ reason, subject }) => reason === gap.reason && subject === gap.subject)) gaps.push(gap);
}
