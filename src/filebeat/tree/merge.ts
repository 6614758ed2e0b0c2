/**
 * Merges one configuration tree into another: names recursively, lists item by item. Null replaces a scalar, never a
 * tree. (Filebeat merges its defaults, each `-c` file, then `-E`.) An overriding value keeps the positions of those
 * that it overrides.
 */
import { child, copyValue, newTree, type PathElement, setChild, type Tree, type Value } from './tree.js';
import { type Scope, settle } from './variables.js';

/** Nodes visited or copied in one merge. Only sections that refer to themselves need more; Filebeat crashes on them. */
const MOST_WORK = 500_000;
/** Files are less deep. */
const MAX_DEPTH = 1200;

interface Work {
  left: number;
}

/** Merges `from` into `to`. False if it gave up because of the limits above. */
export function mergeInto(to: Tree, from: Tree, scope: Scope): boolean {
  const work = { left: MOST_WORK };
  mergeTrees(to, from, scope, work, 0);
  return work.left > 0;
}

function mergeTrees(to: Tree, from: Tree, scope: Scope, work: Work, depth: number): void {
  const merge = (element: PathElement, value: Value): void => {
    if (--work.left <= 0) return;
    const old = child(to, element);
    const merged = old ? mergeValues(old, value, scope, work, depth) : value;
    if (merged !== old) setChild(to, element, copyWithin(merged, to, work));
  };
  if (depth > MAX_DEPTH) work.left = 0;
  for (const [name, value] of from.names) merge(name, value);
  for (const [index, value] of (from.items ?? []).entries()) merge(index, value);
}

/** Like `copyValue`, but stops when no work is left. */
function copyWithin(value: Value, parent: Tree, work: Work): Value {
  if (value.kind !== 'tree') return copyValue(value, parent);
  const copy: Tree = { ...value, parent, names: new Map(), items: undefined };
  for (const [name, inner] of value.names) if (--work.left > 0) copy.names.set(name, copyWithin(inner, copy, work));
  if (value.items) {
    copy.items = [];
    for (const inner of value.items) if (--work.left > 0) copy.items.push(copyWithin(inner, copy, work));
  }
  return copy;
}

function mergeValues(old: Value, next: Value, scope: Scope, work: Work, depth: number): Value {
  const oldTree = branch(old, scope);
  const nextTree = oldTree && branch(next, scope);
  if (!oldTree || !nextTree) {
    if (old !== next) next.over = [old.at, ...(old.over ?? [])];
    return next;
  }
  if (oldTree === 'null') {
    // Null merged into null becomes an empty section, which is neither a string nor a number.
    const fresh = newTree(next.at);
    if (nextTree !== 'null') mergeTrees(fresh, nextTree, scope, work, depth + 1);
    return fresh;
  }
  if (nextTree === 'null') return old;
  mergeTrees(oldTree, nextTree, scope, work, depth + 1);
  return oldTree === old ? old : oldTree;
}

/** A tree, null (which merges as an empty tree), or undefined for anything else. */
function branch(value: Value, scope: Scope): Tree | 'null' | undefined {
  const settled = settle(value, scope);
  if (!settled.ok) return undefined;
  if (settled.value.kind === 'tree') return settled.value;
  return settled.value.kind === 'nil' ? 'null' : undefined;
}
