/**
 * Settings that every input shares: fields, index, pipeline, and its processors with their conditions. Filebeat finds
 * faults in them at other moments than in the input's own settings, hence the file of their own.
 */

import type { FileView } from '../files/file-view.js';
import { knownProcessor } from '../releases/registry.js';
import type { ReleaseVersion } from '../releases/releases.js';
import { type Complaint, first, object, text, truth } from '../tree/checks.js';
import { get, toList, toText, toTree } from '../tree/read.js';
import type { Tree, Value } from '../tree/tree.js';
import { failure, type Scope } from '../tree/variables.js';

export interface ProcessorContext {
  release: ReleaseVersion;
  scope: Scope;
  files: FileView;
  /** Where relative script files are looked for. */
  configPath: string;
}

/** Everything of an input that belongs to the publishing pipeline, but for its processors. */
export function checkPipelineSettings(tree: Tree, scope: Scope): Complaint {
  return first(
    () => object(tree, 'fields', scope),
    () => truth(tree, 'fields_under_root', scope),
    () => checkProcessorList(tree, scope),
    () => truth(tree, 'keep_null', scope),
    () => object(tree, 'publisher_pipeline', scope),
    () => text(tree, 'service.type', scope),
    () => text(tree, 'pipeline', scope),
    () => checkIndex(tree, scope),
  );
}

function checkProcessorList(tree: Tree, scope: Scope): Complaint {
  const found = get(tree, 'processors', scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  if (!found.value) return undefined;
  const list = toList(found.value, scope);
  if (!list.ok) return list.unresolved ? undefined : list;
  const bad = list.value.find((item) => !toTree(item, scope).ok);
  return bad && failure('wrong-type', bad.at, 'processors');
}

/** `%{[field]}` and `%{+date}` in an index name must close and be one of the two. */
function checkIndex(tree: Tree, scope: Scope): Complaint {
  const found = get(tree, 'index', scope);
  if (!found.ok || !found.value) return undefined;
  const read = toText(found.value, scope);
  if (!read.ok) return read.unresolved ? undefined : failure('wrong-type', found.value.at, 'index');
  const rest = read.value.replace(/%\{(?:\[[^\]{}]+\]|\+[^{}]*)(?::[^}]*)?\}/g, '');
  return rest.includes('%{') ? failure('bad-value', found.value.at, 'index') : undefined;
}

/** What processors cannot do without, and the only settings that some of them take. */
const REQUIRED: Record<string, readonly string[]> = {
  add_fields: ['fields'],
  add_labels: ['labels'],
  add_network_direction: ['source', 'destination', 'target', 'internal_networks'],
  add_tags: ['tags'],
  append: ['target_field'],
  convert: ['fields'],
  copy_fields: ['fields'],
  decode_base64_field: ['field'],
  decode_csv_fields: ['fields'],
  decode_json_fields: ['fields'],
  decode_xml: ['field'],
  decompress_gzip_field: ['field'],
  detect_mime_type: ['field', 'target'],
  dissect: ['tokenizer'],
  dns: ['type'],
  drop_fields: ['fields'],
  extract_array: ['field', 'mappings'],
  extract_field: ['field', 'separator', 'index', 'target'],
  include_fields: ['fields'],
  lowercase: ['fields'],
  registered_domain: ['field', 'target_field'],
  rename: ['fields'],
  replace: ['fields'],
  script: ['lang'],
  timestamp: ['field', 'layouts'],
  translate_sid: ['field'],
  truncate_fields: ['fields'],
  uppercase: ['fields'],
  urldecode: ['fields'],
};

const ALLOWED: Record<string, readonly string[]> = {
  add_fields: ['fields', 'target', 'when'],
  add_labels: ['labels', 'when'],
  add_tags: ['tags', 'target', 'when'],
  drop_event: ['when'],
  drop_fields: ['fields', 'when', 'ignore_missing'],
  include_fields: ['fields', 'when'],
};

const CONDITIONS = ['equals', 'contains', 'regexp', 'range', 'network', 'has_fields', 'and', 'or', 'not'];

/** What Filebeat would say when it makes the processors of an input (or of the whole program). */
export function checkProcessors(tree: Tree, context: ProcessorContext): Complaint {
  const { scope } = context;
  const found = get(tree, 'processors', scope);
  if (!found.ok || !found.value) return undefined;
  return checkList(found.value, context, 0);
}

function checkList(value: Value, context: ProcessorContext, depth: number): Complaint {
  const list = toList(value, context.scope);
  if (!list.ok) return list.unresolved ? undefined : list;
  if (depth > 20) return failure('bad-value', value.at, 'processors');
  for (const item of list.value) {
    const entry = toTree(item, context.scope);
    if (!entry.ok) {
      if (entry.unresolved) continue;
      return failure('wrong-type', item.at, 'processors');
    }
    const complaint = entry.value.names.has('if')
      ? checkBranches(entry.value, context, depth)
      : checkProcessor(entry.value, context);
    if (complaint) return complaint;
  }
  return undefined;
}

/** `if`, `then`, `else`: the latter two hold one processor or a list. */
function checkBranches(entry: Tree, context: ProcessorContext, depth: number): Complaint {
  const { scope } = context;
  const complaint = first(() => checkCondition(entry.names.get('if')!, scope, 0));
  if (complaint) return complaint;
  if (!entry.names.has('then')) return failure('bad-condition', entry.at, 'if');
  for (const name of ['then', 'else']) {
    const branch = entry.names.get(name);
    if (!branch || branch.kind === 'nil') continue;
    const tree = toTree(branch, scope);
    const single = tree.ok && tree.value.items === undefined;
    const inner = single
      ? tree.value.names.has('if')
        ? checkBranches(tree.value, context, depth + 1)
        : checkProcessor(tree.value, context)
      : checkList(branch, context, depth + 1);
    if (inner) return inner;
  }
  return undefined;
}

function checkProcessor(entry: Tree, context: ProcessorContext): Complaint {
  const { scope, release } = context;
  const [name] = entry.names.keys();
  if (name === undefined || entry.names.size !== 1) return failure('bad-processor', entry.at);
  const value = entry.names.get(name)!;
  const settings = toTree(value, scope);
  if (!settings.ok) return settings.unresolved ? undefined : failure('wrong-type', value.at, name);
  if (!knownProcessor(name, release)) return failure('unknown-processor', value.at, name);
  const tree = settings.value;
  const when = tree.names.get('when');
  const condition = when && when.kind !== 'nil' ? checkCondition(when, scope, 0) : undefined;
  if (condition) return condition;
  const missing = REQUIRED[name]?.find((key) => !tree.names.has(key));
  if (missing) return failure('missing-setting', value.at, `${name}.${missing}`);
  const extra = ALLOWED[name] && [...tree.names.keys()].find((key) => !ALLOWED[name]!.includes(key));
  if (extra) return failure('bad-processor', value.at, `${name}.${extra}`);
  return name === 'script' ? checkScript(tree, context) : undefined;
}

function checkScript(tree: Tree, context: ProcessorContext): Complaint {
  const { scope, files, configPath } = context;
  const names: Value[] = [];
  for (const key of ['file', 'files']) {
    const found = get(tree, key, scope);
    const list = found.ok && found.value ? toList(found.value, scope) : undefined;
    if (list?.ok) names.push(...list.value);
  }
  if (names.length === 0 && !tree.names.has('source')) return failure('missing-setting', tree.at, 'script.source');
  for (const name of names) {
    const path = toText(name, scope);
    if (!path.ok || /[*?[]/.test(path.value)) continue;
    const absolute = path.value.startsWith('/') ? path.value : `${configPath}/${path.value}`;
    const stat = files.stat(absolute);
    if (!stat.ok && stat.gap.reason === 'missing') return failure('script-missing', name.at, 'script.file');
  }
  return undefined;
}

function checkCondition(value: Value, scope: Scope, depth: number): Complaint {
  const tree = toTree(value, scope);
  if (!tree.ok) return tree.unresolved ? undefined : failure('bad-condition', value.at);
  const name = CONDITIONS.find((word) => tree.value.names.has(word));
  if (name === undefined || depth > 20) return failure('bad-condition', value.at);
  const inner = tree.value.names.get(name)!;
  if (name === 'not') return checkCondition(inner, scope, depth + 1);
  if (name !== 'and' && name !== 'or') return undefined;
  const list = toList(inner, scope);
  if (!list.ok) return list.unresolved ? undefined : failure('bad-condition', inner.at);
  for (const item of list.value) {
    const complaint = checkCondition(item, scope, depth + 1);
    if (complaint) return complaint;
  }
  return undefined;
}
