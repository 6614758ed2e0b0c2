/**
 * The configuration tree as Filebeat holds it: a node has named *and* numbered children, keys are split at
 * dots, and texts with `${…}` stay unevaluated until they are read. This file holds the shape and what can be done
 * without evaluating: `build.ts` makes trees, `read.ts` reads them, `merge.ts` lays one over another.
 */
import type { Fault, Position } from '../../model/model.js';
import type { Expression } from './expression.js';
import { parseGoInt } from './go-number.js';

interface Placed {
  at: Position;
  /** Where the values stood that this one was laid over, the latest first. */
  over?: Position[];
}

/** A node with children. `parent` leads to the root in which `${…}` names are looked up. */
export interface Tree extends Placed {
  kind: 'tree';
  parent: Tree | undefined;
  names: Map<string, Value>;
  /** Numbered children; undefined where no list was ever given (an empty list is not the same). */
  items: Value[] | undefined;
}

export interface Nil extends Placed {
  kind: 'nil';
}
export interface Bool extends Placed {
  kind: 'bool';
  value: boolean;
}
export interface Int extends Placed {
  kind: 'int';
  value: number | bigint;
}
export interface Float extends Placed {
  kind: 'float';
  value: number;
}
export interface Text extends Placed {
  kind: 'text';
  value: string;
}
/** A text with `${…}` in it, evaluated in the tree that owns it. */
export interface Dynamic extends Placed {
  kind: 'dynamic';
  expression: Expression;
  owner: Tree;
}

export type Scalar = Nil | Bool | Int | Float | Text;
export type Value = Scalar | Dynamic | Tree;

export type PathElement = string | number;

/** How trees are built: what differs between releases, and in which order the keys of one map are taken. */
export interface TreeRules {
  /** Numbers above this are names (8.19+: 1024; before: no limit). */
  maxIndex: number;
  /** Filebeat takes the keys of a map in random order; taking them backwards shows whether that matters. */
  reversed?: boolean;
}

export const plainRules: TreeRules = { maxIndex: 1024 };

/** A list this long cannot be meant; Filebeat would fill the gap below with nothing and stop there. */
const INDEX_LIMIT = 100_000;

export type Built<T> = { ok: true; value: T } | { ok: false; fault: Fault };

export function newTree(at: Position, parent?: Tree): Tree {
  return { kind: 'tree', parent, names: new Map(), items: undefined, at };
}

/** Splits a key at its dots; elements that read as whole numbers address the list part. */
export function parsePath(key: string, rules: TreeRules = plainRules): PathElement[] {
  if (!key.includes('.')) return [pathElement(key, rules)];
  return key.split('.').map((element) => pathElement(element, rules));
}

function pathElement(element: string, rules: TreeRules): PathElement {
  if (!mayBeNumber(element)) return element;
  const index = parseGoInt(element, true);
  return index === undefined || index > rules.maxIndex ? element : Number(index);
}

/** Begins with a digit or a sign: most names do not. */
function mayBeNumber(element: string): boolean {
  const code = element.charCodeAt(0);
  return (code >= 48 && code <= 57) || code === 43 || code === 45;
}

/** The child itself, not evaluated and not looked for through references. */
export function child(tree: Tree, element: PathElement): Value | undefined {
  return typeof element === 'number' ? tree.items?.[element] : tree.names.get(element);
}

/** Walks through trees only; for paths that may lead through a reference use `lookup` of variables.ts. */
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

/** Puts a child into its place, filling lower list places with nothing. False when the place is impossible. */
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

/** Sets a value at a path, making the trees in between. An error when a scalar stands in the way. */
export function setPath(tree: Tree, path: PathElement[], value: Value): Built<undefined> {
  let node = tree;
  for (const [depth, element] of path.entries()) {
    if (depth === path.length - 1) {
      if (!setChild(node, element, value)) return refuse('bad-index', value.at, path.join('.'));
      break;
    }
    const next = child(node, element);
    if (next?.kind === 'tree') {
      node = next;
    } else if (next && next.kind !== 'nil') {
      // Element 0 of a scalar is the scalar itself; nothing can be set below it.
      return refuse('not-an-object', value.at, path.slice(0, depth + 1).join('.'));
    } else {
      const made = newTree(value.at);
      if (!setChild(node, element, made)) return refuse('bad-index', value.at, path.join('.'));
      node = made;
    }
  }
  return { ok: true, value: undefined };
}

export function adopt(value: Value, owner: Tree): void {
  if (value.kind === 'tree') value.parent = owner;
  else if (value.kind === 'dynamic') value.owner = owner;
}

/** A copy whose `${…}` belong to the new parent. Recursion is bounded: the YAML reader limits the depth. */
export function copyValue(value: Value, parent: Tree | undefined): Value {
  if (value.kind === 'dynamic') return { ...value, owner: parent ?? value.owner };
  if (value.kind !== 'tree') return value;
  return copyTree(value, parent);
}

/** Without a parent the copy is its own root: names of the old surroundings are out of its sight. */
export function copyTree(tree: Tree, parent?: Tree): Tree {
  const copy = newTree(tree.at, parent);
  for (const [name, value] of tree.names) copy.names.set(name, copyValue(value, copy));
  if (tree.items) copy.items = tree.items.map((value) => copyValue(value, copy));
  return copy;
}

/** Nothing in it is looked up: it reads the same wherever it stands. */
export function standsAlone(tree: Tree): boolean {
  const isPlain = (value: Value): boolean => (value.kind === 'tree' ? standsAlone(value) : value.kind !== 'dynamic');
  for (const value of tree.names.values()) if (!isPlain(value)) return false;
  return tree.items === undefined || tree.items.every(isPlain);
}

export function refuse(code: string, at: Position, subject?: string): { ok: false; fault: Fault } {
  return { ok: false, fault: { code, at, ...(subject === undefined ? {} : { subject }) } };
}
