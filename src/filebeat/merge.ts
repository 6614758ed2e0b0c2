/**
 * Lays one configuration tree over another: names recursively, lists element by element. Null takes away a
 * scalar, never a tree. (The order in Filebeat: its defaults, each `-c` file, then `-E`.) What was laid over a setting
 * remembers where that stood.
 */
import { child, copyValue, newTree, type PathElement, setChild, type Tree, type Value } from './tree.js';
import { type Scope, settle } from './variables.js';

/** Merges `from` into `to`. */
export function mergeInto(to: Tree, from: Tree, scope: Scope): void {
  const place = (element: PathElement, value: Value): void => {
    const old = child(to, element);
    const merged = old ? mergeValues(old, value, scope) : value;
    if (merged !== old) setChild(to, element, copyValue(merged, to));
  };
  for (const [name, value] of from.names) place(name, value);
  for (const [index, value] of (from.items ?? []).entries()) place(index, value);
}

function mergeValues(old: Value, by: Value, scope: Scope): Value {
  const oldTree = branch(old, scope);
  const byTree = oldTree && branch(by, scope);
  if (!oldTree || !byTree) {
    if (old !== by) by.over = [old.at, ...(old.over ?? [])];
    return by;
  }
  // Nothing laid over nothing is an empty section, which is no text and no number any more.
  if (byTree === 'nothing') return oldTree === 'nothing' ? newTree(by.at) : old;
  if (oldTree === 'nothing') return by;
  mergeInto(oldTree, byTree, scope);
  return oldTree === old ? old : oldTree;
}

/** A tree, null (which merges as an empty tree), or undefined for anything else. */
function branch(value: Value, scope: Scope): Tree | 'nothing' | undefined {
  const settled = settle(value, scope);
  if (!settled.ok) return undefined;
  if (settled.value.kind === 'tree') return settled.value;
  return settled.value.kind === 'nil' ? 'nothing' : undefined;
}
