/**
 * The configuration tree as Filebeat holds it: a node has named *and* numbered children, keys are split at
 * dots, and texts with `${…}` stay unevaluated until they are read. This file builds and copies trees;
 * `variables.ts` reads them, `merge.ts` lays one over another.
 */
import type { Fault, Position } from '../model.js';
import { type Expression, parseExpression } from './expression.js';
import { isGoFloat, type Plain, parseGoInt } from './value.js';
import type { YamlNode } from './yaml.js';

/** A node with children. `parent` leads to the root in which `${…}` names are looked up. */
export interface Tree {
  kind: 'tree';
  parent: Tree | undefined;
  names: Map<string, Value>;
  /** Numbered children; undefined where no list was ever given (an empty list is not the same). */
  items: Value[] | undefined;
  at: Position;
}

export interface Nil {
  kind: 'nil';
  at: Position;
}
export interface Bool {
  kind: 'bool';
  value: boolean;
  at: Position;
}
export interface Int {
  kind: 'int';
  value: number | bigint;
  at: Position;
}
export interface Float {
  kind: 'float';
  value: number;
  at: Position;
}
export interface Text {
  kind: 'text';
  value: string;
  at: Position;
}
/** A text with `${…}` in it, evaluated in the tree that owns it. */
export interface Dynamic {
  kind: 'dynamic';
  expression: Expression;
  owner: Tree;
  at: Position;
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
  return key.split('.').map((element) => {
    const index = parseGoInt(element, true);
    if (index === undefined || index > rules.maxIndex) return element;
    return Number(index);
  });
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
      if (!setChild(node, element, value)) return fail('bad-index', value.at, path.join('.'));
      break;
    }
    const next = child(node, element);
    if (next?.kind === 'tree') {
      node = next;
    } else if (next && next.kind !== 'nil') {
      // Element 0 of a scalar is the scalar itself; nothing can be set below it.
      return fail('not-an-object', value.at, path.slice(0, depth + 1).join('.'));
    } else {
      const made = newTree(value.at);
      if (!setChild(node, element, made)) return fail('bad-index', value.at, path.join('.'));
      node = made;
    }
  }
  return { ok: true, value: undefined };
}

function adopt(value: Value, owner: Tree): void {
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

// ---------------------------------------------------------------- building

/** Where two spellings of one setting met in one map, so that the result depends on Go's map order. */
export interface Clash {
  path: string;
  at: Position;
}

export interface Build {
  file: string;
  rules: TreeRules;
  clashes: Clash[];
}

/** The tree of one YAML document. A scalar or an absent document is an empty tree; a list is a tree of items. */
export function treeFromYaml(node: YamlNode | undefined, build: Build): Built<Tree> {
  const at = { file: build.file, ...(node ? { line: node.line } : {}) };
  if (!node || node.kind === 'scalar') return { ok: true, value: newTree(at) };
  const built = fromYaml(node, build);
  return built.ok && built.value.kind === 'tree' ? { ok: true, value: built.value } : (built as Built<Tree>);
}

function fromYaml(node: YamlNode, build: Build): Built<Value> {
  const at = { file: build.file, line: node.line };
  if (node.kind === 'scalar') {
    if (node.type === 'null') return { ok: true, value: { kind: 'nil', at } };
    if (node.type === 'float') return { ok: true, value: { kind: 'float', value: Number(node.value), at } };
    if (node.type === 'int') return { ok: true, value: { kind: 'int', value: node.value as number, at } };
    if (node.type === 'bool') return { ok: true, value: { kind: 'bool', value: node.value === true, at } };
    return textValue(String(node.value), at);
  }
  const tree = newTree(at);
  if (node.kind === 'list') {
    tree.items = [];
    for (const item of node.items) {
      const built = fromYaml(item, build);
      if (!built.ok) return built;
      adopt(built.value, tree);
      tree.items.push(built.value);
    }
    return { ok: true, value: tree };
  }
  const entries = build.rules.reversed ? [...node.entries].reverse() : node.entries;
  for (const { key, line, value } of entries) {
    const built = fromYaml(value, build);
    if (!built.ok) return built;
    // An inner position is that of the key: a value may begin on a later line.
    if (built.value.kind !== 'tree') built.value.at = { file: build.file, line };
    const set = addEntry(tree, key, built.value, build);
    if (!set.ok) return set;
  }
  return { ok: true, value: tree };
}

/** A text as a value: compiled when it holds a variable. */
export function textValue(text: string, at: Position): Built<Value> {
  if (!text.includes('$')) return { ok: true, value: { kind: 'text', value: text, at } };
  const parsed = parseExpression(text);
  if (!parsed.ok) return fail('bad-expansion', at);
  if (parsed.expression.kind === 'text')
    return { ok: true, value: { kind: 'text', value: parsed.expression.text, at } };
  return { ok: true, value: { kind: 'dynamic', expression: parsed.expression, owner: newTree(at), at } };
}

/** The tree of plain data, as `-E` makes it. Keys are split at dots. */
export function treeFromPlain(plain: { [key: string]: Plain }, at: Position, rules: TreeRules): Built<Tree> {
  const built = fromPlain(plain, { file: at.file, rules, clashes: [] }, at);
  return built.ok && built.value.kind === 'tree' ? { ok: true, value: built.value } : (built as Built<Tree>);
}

/** A single plain value in the tree's terms. */
export function valueFromPlain(plain: Plain, at: Position, rules: TreeRules): Built<Value> {
  return fromPlain(plain, { file: at.file, rules, clashes: [] }, at);
}

function fromPlain(plain: Plain, build: Build, at: Position): Built<Value> {
  if (plain === null) return { ok: true, value: { kind: 'nil', at } };
  if (typeof plain === 'boolean') return { ok: true, value: { kind: 'bool', value: plain, at } };
  if (typeof plain === 'number' || typeof plain === 'bigint')
    return { ok: true, value: { kind: 'int', value: plain, at } };
  if (typeof plain === 'string') return textValue(plain, at);
  if (isGoFloat(plain)) return { ok: true, value: { kind: 'float', value: plain.float, at } };
  const tree = newTree(at);
  if (Array.isArray(plain)) {
    tree.items = [];
    for (const item of plain) {
      const built = fromPlain(item, build, at);
      if (!built.ok) return built;
      adopt(built.value, tree);
      tree.items.push(built.value);
    }
    return { ok: true, value: tree };
  }
  for (const [key, item] of Object.entries(plain)) {
    const built = fromPlain(item, build, at);
    if (!built.ok) return built;
    const set = addEntry(tree, key, built.value, build);
    if (!set.ok) return set;
  }
  return { ok: true, value: tree };
}

function addEntry(tree: Tree, key: string, value: Value, build: Build): Built<undefined> {
  const path = parsePath(key, build.rules);
  const old = plainChild(tree, ...path);
  if (!old || old.kind === 'nil') {
    const set = setPath(tree, path, value);
    if (set.ok || set.fault.code !== 'not-an-object') return set;
    build.clashes.push({ path: key, at: value.at });
    return { ok: true, value: undefined };
  }
  if (value.kind === 'nil') return { ok: true, value: undefined };
  if (old.kind === 'tree' && value.kind === 'tree') {
    overlay(old, value, key, build);
    return { ok: true, value: undefined };
  }
  build.clashes.push({ path: key, at: value.at });
  return setPath(tree, path, value);
}

/** Two sub-trees of one setting within one map; what both of them say is noted as a clash. */
function overlay(to: Tree, from: Tree, path: string, build: Build): void {
  const lay = (element: PathElement, value: Value): void => {
    const old = child(to, element);
    const here = `${path}.${element}`;
    if (old?.kind === 'tree' && value.kind === 'tree') {
      overlay(old, value, here, build);
    } else if (old?.kind !== 'tree' || value.kind !== 'nil') {
      if (old && old.kind !== 'nil') build.clashes.push({ path: here, at: value.at });
      setChild(to, element, value);
    }
  };
  for (const [name, value] of from.names) lay(name, value);
  for (const [index, value] of (from.items ?? []).entries()) lay(index, value);
}

function fail(code: string, at: Position, subject?: string): { ok: false; fault: Fault } {
  return { ok: false, fault: { code, at, ...(subject === undefined ? {} : { subject }) } };
}
