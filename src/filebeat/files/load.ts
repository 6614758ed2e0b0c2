/**
 * Reads configuration files as Filebeat does: owner and mode first, then YAML, then the tree. Keeps account of every
 * file that bears on the prediction and of everything that could not be seen.
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

/** What one prediction has read so far. */
export interface Reading {
  files: FileView;
  release: ReleaseVersion;
  /** The release whose module folder lies in the home, where another one is asked about. */
  installed?: ReleaseVersion;
  rules: TreeRules;
  /** Set while Filebeat looks at owners and modes: the uid that may own the files, beside root. */
  strictUid: number | undefined;
  seen: ConfigFile[];
  gaps: Gap[];
  clashes: Clash[];
  /** Parts of files that Filebeat ignores. */
  ignored: Ignored[];
}

export type Loaded =
  | { kind: 'tree'; tree: Tree }
  /** Filebeat cannot load it. */
  | { kind: 'fault'; fault: Fault }
  /** We cannot see it, whatever Filebeat can; the gap is noted. */
  | { kind: 'unseen'; fault: Fault };

/** Larger configurations are not read; the gap says so. */
export const FILE_LIMIT = limits.configBytes;

export function loadFile(path: string, role: ConfigFile['role'], reloaded: boolean, reading: Reading): Loaded {
  const at = { file: path };
  // Its stat comes along with a file that can be read.
  const content = reading.files.read(path, FILE_LIMIT);
  const stat = content.ok ? { ok: true as const, value: content.value.stat } : reading.files.stat(path);
  const known = noted({ path, role, reloaded, ...(stat.ok ? stampsOf(stat.value) : {}) }, reading);
  if (!stat.ok) {
    if (stat.gap.reason === 'missing') return { kind: 'fault', fault: { code: 'file-missing', subject: path, at } };
    return unseen(stat.gap, path, reading);
  }
  const refused = refusal(stat.value, path, reading.strictUid);
  if (refused) return { kind: 'fault', fault: refused };
  if (stat.value.kind === 'other') {
    return unseen({ reason: 'malformed', subject: path, detail: 'not a regular file' }, path, reading);
  }
  if (!content.ok) return unseen(content.gap, path, reading);
  const { bytes } = content.value;
  known.digest = derive(bytes, 'digest', () => digestOf(bytes));
  const parsed = parseOnce(bytes, bytes, reading);
  if (!parsed.ok) {
    const fault = { ...parsed.fault, at: { ...parsed.fault.at, file: path } };
    if (fault.code !== 'yaml-limit') return { kind: 'fault', fault };
    return unseen({ reason: 'limit', subject: path, detail: 'too large or too deep to be read' }, path, reading);
  }
  noteIgnored(ignoredIn(parsed.root, role, path, parsed.second), reading);
  const built = treeFromYaml(parsed.root, { file: path, rules: reading.rules, clashes: reading.clashes });
  return built.ok ? { kind: 'tree', tree: built.value } : { kind: 'fault', fault: built.fault };
}

/**
 * A document, or a text that was made from a file, parsed once for all who read it alike. `source`: the file's bytes.
 */
export function parseOnce(
  document: Uint8Array | string,
  source: Uint8Array,
  { files: { work }, release }: Reading,
): YamlResult {
  const flowColonFatal = !applies('flow-colons', release);
  const text = typeof document === 'string' ? document : '';
  const known = derive(source, `yaml ${flowColonFatal} ${text}`, () => {
    const bytes = typeof document === 'string' ? Buffer.from(document) : document;
    // What is refused was read, too.
    work?.spend(Math.ceil(bytes.length / 16));
    const yaml = parseYaml(bytes, { flowColonFatal });
    const nodes = work !== undefined && yaml.ok ? countNodes(yaml.root) + countNodes(yaml.second?.root) : 0;
    work?.spend(nodes * costs.parsed);
    return { yaml, nodes };
  });
  work?.spend(known.nodes * costs.node);
  return known.yaml;
}

function noteIgnored(found: readonly Ignored[], { ignored }: Reading): void {
  for (const one of found) if (!ignored.some(({ fault }) => isSamePosition(fault, one.fault))) ignored.push(one);
}

function isSamePosition(a: Fault, b: Fault): boolean {
  return a.at?.file === b.at?.file && a.at?.line === b.at?.line;
}

/** Some releases read included files once at the start and then again and again: they are one entry. */
function noted(file: ConfigFile, { seen }: Reading): ConfigFile {
  const before = seen.find(({ path, role }) => path === file.path && role === file.role);
  if (before) before.reloaded ||= file.reloaded;
  else seen.push(file);
  return before ?? file;
}

function stampsOf({ mtime, ctime }: FileStat): Pick<ConfigFile, 'mtime' | 'ctime'> {
  return { mtime, ...(ctime === undefined ? {} : { ctime }) };
}

/** Enough of a hash to tell that a file says what it said. */
function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** Owner and mode of a file, and that it is no directory. */
export function refusal(stat: FileStat, path: string, strictUid: number | undefined): Fault | undefined {
  const at = { file: path };
  if (strictUid !== undefined) {
    if (stat.uid !== 0 && stat.uid !== strictUid) return { code: 'wrong-owner', subject: path, at };
    if ((stat.mode & 0o022) !== 0) return { code: 'writable-by-others', subject: path, at };
  }
  return stat.kind === 'directory' ? { code: 'is-directory', subject: path, at } : undefined;
}

function unseen(gap: Gap, path: string, reading: Reading): Loaded {
  noteOnce(gap, reading.gaps);
  return { kind: 'unseen', fault: { code: 'file-unseen', subject: path, at: { file: path } } };
}

export function noteOnce(gap: Gap, gaps: Gap[]): void {
  if (!gaps.some(({ reason, subject }) => reason === gap.reason && subject === gap.subject)) gaps.push(gap);
}
