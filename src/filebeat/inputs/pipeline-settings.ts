/** Settings of the publishing pipeline, which every input has: fields, index, pipeline (filebeat/channel/runner.go). */
import { type Complaint, first, object, text, truth } from '../tree/checks.js';
import { get, toList, toText, toTree } from '../tree/read.js';
import { section } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';

/** Without the contents of `processors`. */
export function checkPipelineSettings(tree: Tree, scope: Scope): Complaint {
  return first(
    () => object(tree, 'fields', scope),
    () => truth(tree, 'fields_under_root', scope),
    () => checkProcessorList(tree, scope),
    () => truth(tree, 'keep_null', scope),
    () => section({ disable_host: truth })(tree, 'publisher_pipeline', scope),
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

/** Every `%{` of an index name must begin a closed `%{[field]}` or `%{+date}`. */
function checkIndex(tree: Tree, scope: Scope): Complaint {
  const found = get(tree, 'index', scope);
  if (!found.ok || !found.value) return undefined;
  const read = toText(found.value, scope);
  if (!read.ok) return read.unresolved ? undefined : failure('wrong-type', found.value.at, 'index');
  const literal = read.value.replace(/%\{(?:\[[^\]{}]+\]|\+[^{}]*)(?::[^}]*)?\}/g, '');
  return literal.includes('%{') ? failure('bad-value', found.value.at, 'index') : undefined;
}
