/**
 * Lays one configuration tree over another: names recursively, lists element by element. Null takes away a
 * scalar, never a tree. (The order in Filebeat: its defaults, each `-c` file, then `-E`.) What was laid over a setting
 * remembers where that stood.
 */
import { child, copyValue, newTree, type PathElement, setChild, type Tree, type Value } from './tree.js';
import { type Scope, settle } from './variables.js';

/** Nodes looked at or copied in one merge. Only sections that refer to themselves need more; Filebeat dies of them. */
const MOST_WORK = 500_000;
/** Deeper than any file can be. */
const MAX_DEPTH = 1200;

interface Work {
  left: number;
}

/** Merges `from` into `to`. False when it was given up as endless. */
export function mergeInto(to: Tree, from: Tree, scope: Scope): boolean {
  const work = { left: MOST_WORK };
  mergeTrees(to, from, scope, work, 0);
  return work.left > 0;
}

function mergeTrees(to: Tree, from: Tree, scope: Scope, work: Work, depth: number): void {
  const place = (element: PathElement, value: Value): void => {
    if (--work.left <= 0) return;
    const old = child(to, element);
    const merged = old ? mergeValues(old, value, scope, work, depth) : value;
    if (merged !== old) setChild(to, element, copyWithin(merged, to, work));
  };
  if (depth > MAX_DEPTH) work.left = 0;
  for (const [name, value] of from.names) place(name, value);
  for (const [index, value] of (from.items ?? []).entries()) place(index, value);
}

/** `copyValue`, as long as there is work left. */
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

function mergeValues(old: Value, by: Value, scope: Scope, work: Work, depth: number): Value {
  const oldTree = branch(old, scope);
  const byTree = oldTree && branch(by, scope);
  if (!oldTree || !byTree) {
    if (old !== by) by.over = [old.at, ...(old.over ?? [])];
    return by;
  }
  if (oldTree === 'nothing') {
    // Nothing laid over nothing is an empty section, which is no text and no number any more.
    const fresh = newTree(by.at);
    if (byTree !== 'nothing') mergeTrees(fresh, byTree, scope, work, depth + 1);
    return fresh;
  }
  if (byTree === 'nothing') return old;
  mergeTrees(oldTree, byTree, scope, work, depth + 1);
  return oldTree === old ? old : oldTree;
}

/** A tree, null (which merges as an empty tree), or undefined for anything else. */
function branch(value: Value, scope: Scope): Tree | 'nothing' | undefined {
  const settled = settle(value, scope);
  if (!settled.ok) return undefined;
  if (settled.value.kind === 'tree') return settled.value;
  return settled.value.kind === 'nil' ? 'nothing' : undefined;
}
