/**
 * The configuration tree as Filebeat holds it: a node has named *and* numbered children, keys are split at dots, and
 * strings with `${…}` stay unevaluated until they are read. Types, and operations that evaluate nothing; `build.ts`
 * makes trees, `read.ts` reads them, `merge.ts` merges them.
 */
import type { Fault, Position, UnresolvedWhy } from '../../model/model.js';
import type { Expression } from './expression.js';
import { parseGoInt } from './go-number.js';

interface Positioned {
  at: Position;
  /** Positions of the values that this one overrides, the latest first. */
  over?: Position[];
}

/** A node with children. `${…}` names are looked up from the root, to which `parent` leads. */
export interface Tree extends Positioned {
  kind: 'tree';
  parent: Tree | undefined;
  names: Map<string, Value>;
  /** Numbered children; undefined where no list was given (an empty list differs). */
  items: Value[] | undefined;
}

export interface Nil extends Positioned {
  kind: 'nil';
}
export interface Bool extends Positioned {
  kind: 'bool';
  value: boolean;
}
export interface Int extends Positioned {
  kind: 'int';
  value: number | bigint;
}
export interface Float extends Positioned {
  kind: 'float';
  value: number;
}
export interface Text extends Positioned {
  kind: 'text';
  value: string;
}
/** A string with `${…}`, evaluated in the tree that owns it. */
export interface Dynamic extends Positioned {
  kind: 'dynamic';
  expression: Expression;
  owner: Tree;
}

export type Scalar = Nil | Bool | Int | Float | Text;
export type Value = Scalar | Dynamic | Tree;

export type PathElement = string | number;

/** How trees are built: rules that differ between releases, and the order of a map's keys. */
export interface TreeRules {
  /** Numbers above this are names (8.19+: 1024; before: no limit). */
  maxIndex: number;
  /** Filebeat processes the keys of a map in random order; the reversed order shows whether that matters. */
  reversed?: boolean;
}

export const plainRules: TreeRules = { maxIndex: 1024 };

/** Larger indexes are refused. Filebeat would fill the list up to the index with nulls, and stop there. */
const INDEX_LIMIT = 100_000;

/** A value that could not be read. `unresolved`: no error for Filebeat, but unknown to this program. */
export interface Failure {
  ok: false;
  fault: Fault;
  unresolved?: UnresolvedWhy;
}

/** The result of reading a setting, or of building a part of a tree. */
export type Read<T> = { ok: true; value: T } | Failure;

/** `subject`: the setting or variable concerned. */
export function failure(code: string, at: Position, subject?: string): Failure {
  return { ok: false, fault: { code, at, ...(subject ? { subject } : {}) } };
}

export function newTree(at: Position, parent?: Tree): Tree {
  return { kind: 'tree', parent, names: new Map(), items: undefined, at };
}

/** Splits a key at its dots. Whole numbers are indexes of list items. */
export function parsePath(key: string, rules: TreeRules = plainRules): PathElement[] {
  if (!key.includes('.')) return [pathElement(key, rules)];
  return key.split('.').map((element) => pathElement(element, rules));
}

function pathElement(element: string, rules: TreeRules): PathElement {
  if (!mayBeNumber(element)) return element;
  const index = parseGoInt(element, true);
  return index === undefined || index > rules.maxIndex ? element : Number(index);
}

/** Begins with a digit or a sign; a quick test, as most names do not. */
function mayBeNumber(element: string): boolean {
  const code = element.charCodeAt(0);
  return (code >= 48 && code <= 57) || code === 43 || code === 45;
}

/** The child itself, not evaluated; follows no references. */
export function child(tree: Tree, element: PathElement): Value | undefined {
  return typeof element === 'number' ? tree.items?.[element] : tree.names.get(element);
}

/** Follows no references; `lookup` of variables.ts does. */
export function plainChild(tree: Tree, ...path: PathElement[]): Value | undefined {
  let node: Value | undefined = tree;
  for (const element of path) {
    if (node?.kind !== 'tree') return undefined;
    node = child(node, element);
  }
  return node;
}

export function rootOf(tree: Tree): Tree {
  let node = tree;
  while (node.parent) node = node.parent;
  return node;
}

/** Sets a child; fills lower list items with nulls. False for an impossible index. */
export function setChild(tree: Tree, element: PathElement, value: Value): boolean {
  adopt(value, tree);
  if (typeof element === 'string') {
    tree.names.set(element, value);
    return true;
  }
  if (element < 0 || element > INDEX_LIMIT) return false;
  tree.items ??= [];
  while (tree.items.length < element) tree.items.push({ kind: 'nil', at: value.at });
  tree.items[element] = value;
  return true;
}

/** Sets a value at a path and creates the trees in between. Fails if a scalar is in the way. */
export function setPath(tree: Tree, path: PathElement[], value: Value): Read<undefined> {
  let node = tree;
  for (const [depth, element] of path.entries()) {
    if (depth === path.length - 1) {
      if (!setChild(node, element, value)) return failure('bad-index', value.at, path.join('.'));
      break;
    }
    const next = child(node, element);
    if (next?.kind === 'tree') {
      node = next;
    } else if (next && next.kind !== 'nil') {
      return failure('not-an-object', value.at, path.slice(0, depth + 1).join('.'));
    } else {
      const inner = newTree(value.at);
      if (!setChild(node, element, inner)) return failure('bad-index', value.at, path.join('.'));
      node = inner;
    }
  }
  return { ok: true, value: undefined };
}

export function adopt(value: Value, owner: Tree): void {
  if (value.kind === 'tree') value.parent = owner;
  else if (value.kind === 'dynamic') value.owner = owner;
}

/** A copy whose `${…}` belong to the new parent. The YAML reader limits the depth of recursion. */
export function copyValue(value: Value, parent: Tree | undefined): Value {
  if (value.kind === 'dynamic') return { ...value, owner: parent ?? value.owner };
  if (value.kind !== 'tree') return value;
  return copyTree(value, parent);
}

/** Without a parent the copy is its own root: its references no longer see the tree around the original. */
export function copyTree(tree: Tree, parent?: Tree): Tree {
  const copy = newTree(tree.at, parent);
  for (const [name, value] of tree.names) copy.names.set(name, copyValue(value, copy));
  if (tree.items) copy.items = tree.items.map((value) => copyValue(value, copy));
  return copy;
}

/** True if the tree has no references, so that it reads the same in every place. */
export function standsAlone(tree: Tree): boolean {
  const isPlain = (value: Value): boolean => (value.kind === 'tree' ? standsAlone(value) : value.kind !== 'dynamic');
  for (const value of tree.names.values()) if (!isPlain(value)) return false;
  return tree.items === undefined || tree.items.every(isPlain);
}
